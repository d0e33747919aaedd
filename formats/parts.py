"""What the formats that are no house style print: the same head and the same turns for each of them.

Every text here is one line without control characters; what else a format must escape, it escapes itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from formats.clock import print_time
from formats.furniture import print_date
from formats.house_style import LabelForm
from formats.labels import cast_of, clean_name, display_name, label_of, with_present_name
from formats.typography import inert, one_line
from schemas.episode import Role
from schemas.transcript import Aside, AsideKind, Paragraph, Speaker, Transcript, Turn, WordTag
from transcription.wording import shown_words


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
class Said:
    """A paragraph of speech."""

    text: str
    start: float | None
    source: Paragraph


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
        blocks = tuple(_blocks(turn, cast.speakers))
        if not blocks:
            continue
        start = turn.start
        if start is None:
            start = next((block.start for block in blocks if isinstance(block, Said)), None)
        yield Part(display_name(turn.speaker, cast), start, blocks)


def _blocks(turn: Turn, speakers: Mapping[str, Speaker]) -> Iterator[Said | Beside]:
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
                yield Said(text, paragraph.start, paragraph)


def _aside_text(aside: Aside, speaker: Speaker | None) -> str:
    text = with_present_name(aside.text, speaker) if aside.kind is AsideKind.ATTRIBUTION else aside.text
    return " ".join(inert(text).split())


def marked_text(block: Said) -> list[tuple[str, bool]]:
    """The paragraph's text in pieces, with whether each is a word to be listened to again.

    One piece, unmarked, where the text is not what the words give (somebody edited it).
    """
    words = block.source.words
    shown, places = shown_words(words) if any(WordTag.DOUBTFUL in word.tags for word in words) else ("", ())
    if not places or shown != block.text:
        return [(block.text, False)]
    pieces: list[tuple[str, bool]] = []
    passed = 0
    for place in places:
        pieces.append((shown[passed : place.start], False))
        pieces.append((shown[place.start : place.end], WordTag.DOUBTFUL in words[place.index].tags))
        passed = place.end
    pieces.append((shown[passed:], False))
    return [(text, is_doubtful) for text, is_doubtful in pieces if text]


def short_time(seconds: float) -> str:
    """0:03, 12:07, 1:02:03: as short as it can be."""
    return print_time(seconds, "H:MM:SS" if seconds >= 3600 else "M:SS")
