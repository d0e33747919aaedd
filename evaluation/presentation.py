"""The measures of a comparison as a person reads them: name, figure, one sentence."""

from __future__ import annotations

from dataclasses import dataclass

from evaluation.alignment import Agreement
from evaluation.comparison import Measures
from evaluation.measures import NameScore
from evaluation.timed import TIME_COLLAR_SECONDS


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    figure: str
    meaning: str


def rows(measures: Measures) -> tuple[Row, ...]:
    """Every measure, in the order of the tables; – where it could not be measured."""
    return (
        Row("WER", percent(measures.wer), "words wrong, missing or too many, to words said"),
        Row("CER", percent(measures.cer), "the same for characters"),
        Row("cpWER", percent(measures.cpwer), "WER speaker by speaker, speakers matched as well as can be"),
        Row(
            "tcpWER",
            percent(measures.tcpwer),
            f"cpWER where a word counts only within {TIME_COLLAR_SECONDS:g} s of its time",
        ),
        Row("WDER", percent(measures.wder), "words that both have, under the wrong speaker"),
        Row("DER", percent(measures.der), "seconds under the wrong voice, none or an invented one, no collar"),
        Row("DER, 0.25 s collar", percent(measures.der_collar), "without 0.25 s on each side of every boundary"),
        Row("JER", percent(measures.jer), "the mean over speakers of what is not shared, no collar"),
        Row("speakers", _count(measures), "found / of, and too many or too few"),
        Row("name precision", percent(_of(measures.names, "precision")), "right names to names printed"),
        Row("name recall", percent(_of(measures.names, "recall")), "right names to people with a known name"),
        Row("name abstention", percent(_of(measures.names, "abstention")), "people left as “Speaker N”"),
        Row(
            "paragraph F1",
            f1(measures.paragraphs),
            "paragraphs inside turns that begin within two words of a true one",
        ),
        Row("sentence F1", f1(measures.sentences), "sentences that end where one of the truth does"),
        Row("capitals F1", f1(measures.capitals), "capital letters, in words that both spell alike"),
        Row("terms F1", f1(measures.terms), "the show's terms, each as the glossary writes it"),
        Row("overlap F1", f1(measures.overlap), "words tagged as spoken while another voice speaks"),
        Row("coverage", percent(measures.coverage), "words said that stand on the page, right or misheard"),
        Row("invented words", _invented(measures), "words that nobody says, in silence or five in a row"),
    )


def percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def f1(found: Agreement | None) -> str:
    return percent(found.f1 if found else None)


def names_cell(names: NameScore | None) -> str:
    """Right / wrong (of these misspelt) / missing."""
    if names is None:
        return "–"
    misspelt = f" ({names.misspelt})" if names.misspelt else ""
    return f"{names.right} / {names.wrong}{misspelt} / {names.missing}"


def _of(names: NameScore | None, which: str) -> float | None:
    return None if names is None else getattr(names, which)


def _count(measures: Measures) -> str:
    error = measures.speaker_count_error
    found = f"{measures.speakers} / {measures.true_speakers}"
    return found if not error else f"{found} ({error:+d})"


def _invented(measures: Measures) -> str:
    if measures.wer is None:  # without words of the reference nobody can say what is invented
        return "–"
    if measures.invented_per_hour is None:
        return str(measures.invented_words)
    return f"{measures.invented_words} ({measures.invented_per_hour:.0f} an hour)"
