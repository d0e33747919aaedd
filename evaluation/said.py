"""What was said, word by word: the one shape in which a truth and a transcript are compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from evaluation.truth import Truth, Utterance
from formats.timing import bounds
from schemas.transcript import Transcript, Word, WordTag
from transcription.ports import VoiceTurn

#: A silence of one speaker that is no end of speech, in seconds: that of the RTTM writer (formats/scoring.py).
PAUSE_SECONDS = 0.5

#: The speaker of words that no voice could be given to.
NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class SaidWord:
    """One word as it is printed, with what is known of it. Times are seconds, or None where a page has none."""

    text: str
    speaker: str
    start: float | None
    end: float | None
    turn: int  #: counted from 0
    paragraph: int  #: inside its turn, from 0
    is_overlapped: bool = False  #: tagged as spoken while another voice speaks

    @property
    def middle(self) -> float | None:
        return None if self.start is None or self.end is None else (self.start + self.end) / 2


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one speaker says without a pause, or a whole paragraph where times are unknown."""

    speaker: str
    text: str
    start: float | None
    end: float | None


@dataclass(frozen=True, slots=True)
class Said:
    """One side of a comparison."""

    words: tuple[SaidWord, ...] = ()  #: in the order of the page
    names: tuple[tuple[str, str], ...] = ()  #: speaker to name, where one is known
    voices: tuple[VoiceTurn, ...] = ()  #: who speaks when; may overlap
    seconds: float | None = None  #: length of the recording

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @property
    def is_timed(self) -> bool:
        """Whether every word has its times. Without words there is nothing to time."""
        return bool(self.words) and all(word.middle is not None for word in self.words)

    @property
    def speakers(self) -> tuple[str, ...]:
        """Who says something, by first word; words of nobody are no speaker's."""
        return tuple(dict.fromkeys(word.speaker for word in self.words if word.speaker != NOBODY))

    @property
    def has_paragraphs(self) -> bool:
        """Whether any turn has more than one."""
        return any(word.paragraph for word in self.words)

    def stretches(self) -> tuple[Stretch, ...]:
        """The words of each speaker joined up to the next pause of half a second, paragraph by paragraph."""
        return tuple(_stretch(words) for words in _runs(self.words))


def said_in_document(document: Transcript) -> Said:
    """Every word of a document, those that the wording leaves out of the text too.

    A paragraph without words (an imported page) gives its text; its words share the paragraph's time by their length.
    """
    words: list[SaidWord] = []
    for number, turn in enumerate(document.turns):
        speaker = turn.speaker or NOBODY
        for place, paragraph in enumerate(turn.paragraphs):
            if paragraph.words:
                words += [_said(word, speaker, number, place) for word in paragraph.words]
            else:
                start, end = bounds(paragraph, turn)
                words += _spread(paragraph.text.split(), speaker, start, end, number, place)
    names = tuple((each.id, each.name) for each in document.speakers if each.name)
    return Said(tuple(words), names, _voices(words), _seconds(document, words))


def _said(word: Word, speaker: str, turn: int, paragraph: int) -> SaidWord:
    is_overlapped = WordTag.OVERLAP in word.tags
    return SaidWord(word.text, speaker, word.start, word.end, turn, paragraph, is_overlapped)


def said_in_truth(truth: Truth, *, seconds: float | None = None) -> Said:
    """The words of a truth. A change of speaker begins a turn; the words of an utterance share its time by length."""
    words: list[SaidWord] = []
    turn = -1
    before: str | None = None
    for each in truth.utterances:
        turn += each.speaker != before
        before = each.speaker
        words += _spread(each.text.split(), each.speaker, each.start, each.end, turn, _paragraph(words, each, turn))
    voices = truth.voices or _voices(words)
    return Said(tuple(words), truth.names, voices, seconds)


def _paragraph(words: Sequence[SaidWord], utterance: Utterance, turn: int) -> int:
    """The paragraph that an utterance belongs to, inside its turn."""
    last = words[-1].paragraph if words and words[-1].turn == turn else None
    if last is None:
        return 0
    return last + 1 if utterance.begins_paragraph else last


def _spread(
    texts: Sequence[str], speaker: str, start: float | None, end: float | None, turn: int, paragraph: int
) -> Iterator[SaidWord]:
    times = spread_times(texts, start, end) if start is not None and end is not None else [(None, None)] * len(texts)
    for text, (begin, until) in zip(texts, times, strict=True):
        yield SaidWord(text, speaker, begin, until, turn, paragraph)


def spread_times(texts: Sequence[str], start: float, end: float) -> list[tuple[float, float]]:
    """The time of a passage given to its words by their length, as meeteval does (`character_based`)."""
    total = sum(len(text) for text in texts)
    times: list[tuple[float, float]] = []
    passed = 0
    for text in texts:
        begin = start + (end - start) * passed / total
        passed += len(text)
        times.append((begin, start + (end - start) * passed / total))
    return times


def _runs(words: Iterable[SaidWord]) -> Iterator[list[SaidWord]]:
    """The words of one paragraph without a pause, run by run."""
    for _, paragraph in groupby(words, key=lambda word: (word.turn, word.paragraph)):
        run: list[SaidWord] = []
        for word in paragraph:
            if run and _is_pause(run[-1], word):
                yield run
                run = []
            run.append(word)
        yield run


def _is_pause(before: SaidWord, after: SaidWord) -> bool:
    return before.end is not None and after.start is not None and after.start - before.end > PAUSE_SECONDS


def _stretch(words: Sequence[SaidWord]) -> Stretch:
    text = " ".join(word.text for word in words)
    return Stretch(words[0].speaker, text, words[0].start, words[-1].end)


def _voices(words: Sequence[SaidWord]) -> tuple[VoiceTurn, ...]:
    """Who speaks when, by the words; nothing where any word has no time."""
    if any(word.middle is None for word in words):
        return ()
    runs = [run for run in _runs(words) if run[0].speaker != NOBODY]
    spans = [(run[0].start or 0.0, run[-1].end or 0.0, run[0].speaker) for run in runs]
    return tuple(VoiceTurn(*span) for span in sorted(spans))


def _seconds(document: Transcript, words: Sequence[SaidWord]) -> float | None:
    if document.episode.audio.duration is not None:
        return document.episode.audio.duration
    return max((word.end for word in words if word.end is not None), default=None)
