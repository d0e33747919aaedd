"""A conversation of four turns, to show what a house style looks like."""

from __future__ import annotations

from schemas.episode import Episode, Role
from schemas.transcript import Paragraph, Speaker, Transcript, Turn


def _turn(number: int, speaker: str, start: float, text: str) -> Turn:
    return Turn(f"T{number}", speaker, (Paragraph(f"P{number}", text, start, start + 9.0),), start, start + 9.0)


SAMPLE = Transcript(
    episode=Episode("5b0f3f0e-54a3-5f0c-9c6e-0a5f6f1d2c11", title="The lamp on the pier", published="2026-03-14"),
    speakers=(
        Speaker("S1", name="Ada Quill", role=Role.HOST, description="editor of Harbour Notes"),
        Speaker("S2", name="Tomas Feld", honorific="Dr", role=Role.GUEST, description="keeper of the lamp"),
    ),
    turns=(
        _turn(1, "S1", 3.2, "Hello and welcome. Tomas, you've kept the lamp for thirty years."),
        _turn(2, "S2", 12.7, "Thirty-one, if you count the winter it stayed dark."),
        _turn(3, "S1", 22.4, "What happened that winter?"),
        _turn(4, "S2", 31.9, "The sea took the stairs. We rowed out and climbed the wall."),
    ),
)
