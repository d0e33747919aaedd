"""The figures of a comparison as they are written and kept, one shape for the command and the campaign."""

from __future__ import annotations

from dataclasses import dataclass

from evaluation.comparison import Comparison, Measures
from evaluation.measures import COLLAR_SECONDS
from evaluation.timed import TIME_COLLAR_SECONDS


@dataclass(frozen=True, slots=True)
class Rates:
    """What follows from the counts, so that a reader of the file need not divide."""

    name_precision: float | None
    name_recall: float | None
    name_abstention: float | None
    paragraph_f1: float | None
    sentence_f1: float | None
    capital_f1: float | None
    term_f1: float | None
    overlap_f1: float | None
    speaker_count_error: int


@dataclass(frozen=True, slots=True)
class EvaluationRecord:
    """One transcript against its truth."""

    reference: str
    hypothesis: str
    measures: Measures
    rates: Rates
    notes: tuple[str, ...] = ()
    der_collar_seconds: float = COLLAR_SECONDS / 2  #: on each side of a boundary, in `der_collar`
    tcpwer_collar_seconds: float = TIME_COLLAR_SECONDS  #: on each side of a word

    @classmethod
    def of(cls, comparison: Comparison, *, reference: str, hypothesis: str) -> EvaluationRecord:
        measures = comparison.measures
        names = measures.names
        rates = Rates(
            name_precision=names.precision if names else None,
            name_recall=names.recall if names else None,
            name_abstention=names.abstention if names else None,
            paragraph_f1=measures.paragraphs.f1 if measures.paragraphs else None,
            sentence_f1=measures.sentences.f1 if measures.sentences else None,
            capital_f1=measures.capitals.f1 if measures.capitals else None,
            term_f1=measures.terms.f1 if measures.terms else None,
            overlap_f1=measures.overlap.f1 if measures.overlap else None,
            speaker_count_error=measures.speaker_count_error,
        )
        return cls(reference, hypothesis, measures, rates, comparison.notes)
