"""All measures of one transcript against its truth, and what could not be measured with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.alignment import Agreement, Pair, align, coverage, invented, paragraph_boundaries
from evaluation.marks import capitals, sentence_ends, talk_at_once, terms
from evaluation.measures import (
    COLLAR_SECONDS,
    NameScore,
    character_error_rate,
    concatenated_error_rate,
    diarization_error_rate,
    jaccard_error_rate,
    name_score,
    speaker_words,
    word_error_rate,
)
from evaluation.said import Said, SaidWord
from evaluation.timed import time_constrained_error_rate
from transcription.ports import VoiceTurn


@dataclass(frozen=True, slots=True)
class Measures:
    """Rates are shares, 0 and up; None where the two sides do not tell."""

    wer: float | None
    cer: float | None
    cpwer: float | None
    tcpwer: float | None
    wder: float | None
    der: float | None
    der_collar: float | None
    jer: float | None
    speakers: int
    true_speakers: int
    names: NameScore | None
    paragraphs: Agreement | None
    sentences: Agreement | None  #: their ends
    capitals: Agreement | None  #: letters
    terms: Agreement | None  #: of the show's glossary
    overlap: Agreement | None  #: words tagged as spoken while another voice speaks
    coverage: float | None
    invented_words: int
    invented_per_hour: float | None

    @property
    def speaker_count_error(self) -> int:
        """Speakers too many, or too few where it is negative."""
        return self.speakers - self.true_speakers


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was compared, and how well it agrees."""

    truth: Said
    heard: Said
    measures: Measures
    pairs: tuple[Pair, ...]  #: word by word
    invented: tuple[int, ...]  #: indices of words of the page that nobody says
    matched: tuple[tuple[str, str], ...]  #: speaker of the truth to speaker of the page
    notes: tuple[str, ...]  #: why a measure is missing


def compare(
    truth: Said, heard: Said, *, found: Sequence[VoiceTurn] | None = None, glossary: Sequence[str] = ()
) -> Comparison:
    """Measure one side against the other.

    `found`: the voices as the diarizer gave them; without, those that the words of the page show. `glossary`: how the
    show's terms are written. A truth with one speaker has no cpWER, tcpWER and WDER: they would say the same as the
    WER, or nothing.
    """
    pairs = align(truth.words, heard.words)
    speech = truth.voices
    has_only_voices = bool(speech) and not truth.words  # then nobody can say which words are invented
    made_up = () if has_only_voices else invented(pairs, heard.words, speech)
    said, printed = _parts(truth), _parts(heard)
    is_several = len(truth.speakers) > 1
    by_speaker = speaker_words(said, printed)
    voices = heard.voices if found is None else tuple(found)
    knows_voices = found is not None or heard.is_timed or not heard.words
    seconds = heard.seconds or truth.seconds
    can_time = truth.is_timed and heard.is_timed
    measures = Measures(
        wer=word_error_rate(truth.text, heard.text),
        cer=character_error_rate(truth.text, heard.text),
        cpwer=concatenated_error_rate(said, printed) if is_several else None,
        tcpwer=time_constrained_error_rate(truth.stretches(), heard.stretches()) if is_several and can_time else None,
        wder=by_speaker.error_rate if is_several else None,
        der=diarization_error_rate(speech, voices) if knows_voices else None,
        der_collar=diarization_error_rate(speech, voices, collar=COLLAR_SECONDS) if knows_voices else None,
        jer=jaccard_error_rate(speech, voices) if knows_voices else None,
        speakers=len({turn.voice for turn in voices}) or len(heard.speakers),
        true_speakers=len({turn.voice for turn in speech}) or len(truth.speakers),
        names=name_score(truth.names, dict.fromkeys(heard.speakers) | dict(heard.names), by_speaker.matched),
        paragraphs=paragraph_boundaries(pairs, truth.words, heard.words) if truth.has_paragraphs else None,
        sentences=sentence_ends(pairs, truth.words, heard.words),
        capitals=capitals(pairs, truth.words, heard.words),
        terms=terms(pairs, truth.words, heard.words, glossary),
        overlap=talk_at_once(heard.words, speech),
        coverage=coverage(pairs),
        invented_words=len(made_up),
        invented_per_hour=3600 * len(made_up) / seconds if seconds and not has_only_voices else None,
    )
    return Comparison(truth, heard, measures, pairs, made_up, by_speaker.matched, tuple(_notes(truth, heard)))


@dataclass(frozen=True, slots=True)
class _Part:
    speaker: str
    text: str


def _parts(side: Said) -> list[_Part]:
    """The words of a side, turn by turn."""
    parts: list[list[SaidWord]] = []
    for word in side.words:
        if parts and (parts[-1][-1].turn, parts[-1][-1].speaker) == (word.turn, word.speaker):
            parts[-1].append(word)
        else:
            parts.append([word])
    return [_Part(words[0].speaker, " ".join(word.text for word in words)) for words in parts]


def _notes(truth: Said, heard: Said) -> list[str]:
    notes = []
    for side, what in ((truth, "reference"), (heard, "hypothesis")):
        if not side.words:
            notes.append(f"the {what} has no words")
        elif not side.is_timed:
            notes.append(f"the {what} has words without times: no tcpWER, DER and JER")
    if len(truth.speakers) == 1:
        notes.append("the reference has one speaker: no cpWER, tcpWER and WDER")
    if not truth.names:
        notes.append("the reference names nobody: no figures for names")
    if not truth.has_paragraphs:
        notes.append("the reference has no paragraphs inside turns: no figure for them")
    return notes
