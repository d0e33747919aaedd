"""What the formats that are no house style print: the same head and the same turns for each of them.

Every text here is one line without control characters; what else a format must escape, it escapes itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from formats.clock import print_time
from formats.furniture import print_date
from formats.house_style import LabelForm
from formats.labels import cast_of, clean_name, display_name, label_of, with_present_name
from formats.typography import inert, one_line
from schemas.episode import Role
from schemas.transcript import Aside, AsideKind, DoubtfulSpan, Paragraph, Speaker, Transcript, Turn, Word, WordTag
from transcription.wording import shown_words

#: What is wrong with a doubtful place, for readers; the page of the service (api/page/app.js) says it alike.
REASONS = {
    "low_probability": "unsure of the words",
    "repetition": "the same words over and over",
    "words_without_speech": "words where hardly anybody speaks",
    "speech_without_words": "speech without words",
    "word_lengths": "words of impossible length",
    "other_language": "sounds like another language",
    "invented": "taken for invented and left out",
}

#: Of a doubtful word that lies in no place that the document lists, or has no times to tell by.
UNTOLD = "to be listened to again"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who speaks and has a name."""

    name: str  #: without honorific, at most 128 characters
    titled: str
    description: str
    role: Role | None


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above the talk. Empty where nothing is known."""

    title: str
    show: str
    date: str
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a paragraph's text."""

    text: str
    doubt: str | None = None  #: why it should be listened to again; None: nothing is wrong with it


@dataclass(frozen=True, slots=True)
class Said:
    """A paragraph of speech."""

    text: str
    start: float | None
    pieces: tuple[Piece, ...]  #: the whole text, cut where doubts begin and end
    language: str | None = None  #: BCP 47, where it is another one than the transcript's


@dataclass(frozen=True, slots=True)
class Beside:
    """A block that nobody says at this place."""

    text: str
    kind: AsideKind


@dataclass(frozen=True, slots=True)
class Part:
    """A turn with something to print."""

    speaker: str  #: the full name, or "Speaker N"
    start: float | None
    blocks: tuple[Said | Beside, ...]


def head_of(transcript: Transcript) -> Head:
    """The head; people in the order in which they first speak."""
    episode = transcript.episode
    is_english = (transcript.language or episode.language or "en").startswith("en")
    return Head(
        title=one_line(episode.title or ""),
        show=one_line(episode.show or ""),
        date=print_date(episode.published, "day-first" if is_english else "iso"),
        people=tuple(_people(transcript)),
    )


def _people(transcript: Transcript) -> Iterator[Person]:
    cast = cast_of(transcript)
    for identity in dict.fromkeys(turn.speaker for turn in transcript.turns):
        speaker = cast.speakers.get(identity or "")
        if speaker is None or not clean_name(speaker.name):
            continue
        yield Person(
            label_of(identity, LabelForm.FULL, cast),
            label_of(identity, LabelForm.TITLED, cast),
            one_line(speaker.description or ""),
            speaker.role,
        )


def parts_of(transcript: Transcript) -> Iterator[Part]:
    """The turns in order, with the stored paragraphs and the asides where they stand; empty ones are left out."""
    cast = cast_of(transcript)
    for turn in transcript.turns:
        blocks = tuple(_blocks(turn, transcript, cast.speakers))
        if not blocks:
            continue
        start = turn.start
        if start is None:
            start = next((block.start for block in blocks if isinstance(block, Said)), None)
        yield Part(display_name(turn.speaker, cast), start, blocks)


def _blocks(turn: Turn, transcript: Transcript, speakers: Mapping[str, Speaker]) -> Iterator[Said | Beside]:
    for place, paragraph in enumerate((*turn.paragraphs, None)):
        is_last = place == len(turn.paragraphs)
        for aside in turn.asides:
            if aside.after == place or (is_last and aside.after > place):
                text = _aside_text(aside, speakers.get(aside.attributed_to or ""))
                if text:
                    yield Beside(text, aside.kind)
        if paragraph is not None:
            text = one_line(paragraph.text)
            if text:
                pieces = _pieces(text, paragraph.words, transcript.quality.doubtful)
                yield Said(text, paragraph.start, pieces, _other_language(paragraph, transcript))


def _aside_text(aside: Aside, speaker: Speaker | None) -> str:
    text = with_present_name(aside.text, speaker) if aside.kind is AsideKind.ATTRIBUTION else aside.text
    return " ".join(inert(text).split())


def _other_language(paragraph: Paragraph, transcript: Transcript) -> str | None:
    """The language in which most of the paragraph is written, where that is not the transcript's."""
    if paragraph.start is None or paragraph.end is None:
        return None
    shared: dict[str, float] = {}
    for each in transcript.languages:
        seconds = min(each.end, paragraph.end) - max(each.start, paragraph.start)
        if seconds > 0.0 and each.language != transcript.language:
            shared[each.language] = shared.get(each.language, 0.0) + seconds
    most = max(shared, key=lambda language: shared[language], default=None)
    return most if most and shared[most] > (paragraph.end - paragraph.start) / 2 else None


def _pieces(text: str, words: Sequence[Word], doubts: Sequence[DoubtfulSpan]) -> tuple[Piece, ...]:
    """The text, with the doubt about each passage of doubtful words.

    One piece without a doubt where the text is not what the words give (somebody edited it).
    """
    shown, places = shown_words(words) if any(WordTag.DOUBTFUL in word.tags for word in words) else ("", ())
    if not places or shown != text:
        return (Piece(text),)
    marked: list[tuple[str | None, str]] = []
    passed = 0
    before: str | None = None
    for place in places:
        doubt = _doubt(words[place.index], doubts)
        marked.append((doubt if doubt == before else None, shown[passed : place.start]))
        marked.append((doubt, shown[place.start : place.end]))
        passed, before = place.end, doubt
    marked.append((None, shown[passed:]))
    runs = [(doubt, "".join(text for _, text in run)) for doubt, run in groupby(marked, key=lambda each: each[0])]
    return tuple(Piece(run, doubt) for doubt, run in runs if run)


def _doubt(word: Word, doubts: Sequence[DoubtfulSpan]) -> str | None:
    """What is wrong with a word, by the places that the document lists and it lies in; None: nothing."""
    if WordTag.DOUBTFUL not in word.tags:
        return None
    found: list[str] = []
    if word.start is not None and word.end is not None:
        middle = (word.start + word.end) / 2
        found = [REASONS.get(each.reason, each.reason) for each in doubts if each.start <= middle <= each.end]
    return ", ".join(dict.fromkeys(found)) or UNTOLD


def short_time(seconds: float) -> str:
    """0:03, 12:07, 1:02:03: as short as it can be."""
    return print_time(seconds, "H:MM:SS" if seconds >= 3600 else "M:SS")
