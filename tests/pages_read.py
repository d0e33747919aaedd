"""What the tests of published pages look at in a page that was read."""

from __future__ import annotations

from dataclasses import replace

from formats.catalogue import read, render
from schemas.transcript import AsideKind, Transcript


def who_said(transcript: Transcript) -> list[tuple[str | None, list[str]]]:
    """The name behind each turn and its paragraphs."""
    names = {speaker.id: speaker.name for speaker in transcript.speakers}
    return [(names.get(turn.speaker or ""), [p.text for p in turn.paragraphs]) for turn in transcript.turns]


def captions(transcript: Transcript) -> list[str]:
    return [aside.text for turn in transcript.turns for aside in turn.asides if aside.kind is AsideKind.CAPTION]


def read_back(page: str) -> Transcript:
    """The page read, once it is sure that it is written back unchanged."""
    transcript = read(page.encode())
    assert render(transcript).decode() == page
    return transcript


def with_other_word(transcript: Transcript, place: int) -> Transcript:
    """The transcript with the last word of one turn's first paragraph changed to "zyxwvut"."""
    turn = transcript.turns[place]
    first, *others = turn.paragraphs
    changed = replace(first, text=" ".join([*first.text.split(" ")[:-1], "zyxwvut"]))
    turns = list(transcript.turns)
    turns[place] = replace(turn, paragraphs=(changed, *others))
    return replace(transcript, turns=tuple(turns))


def with_other_name(transcript: Transcript, name: str, other: str) -> Transcript:
    """The transcript with one speaker's name changed."""
    speakers = tuple(replace(s, name=other) if s.name == name else s for s in transcript.speakers)
    return replace(transcript, speakers=speakers)
