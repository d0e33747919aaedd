"""What the tests of published pages look at in a page that was read."""

from __future__ import annotations

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
