"""Each word of the plain tools to the voice that overlaps it most: no names, no paragraphs, no second look."""

from __future__ import annotations

from collections.abc import Sequence

from evaluation.said import NOBODY, Said, SaidWord
from transcription.ports import VoiceTurn


def said_by_overlap(words: Sequence[tuple[str, float, float]], turns: Sequence[VoiceTurn], seconds: float) -> Said:
    """Each word (text, start, end) under the voice that overlaps it most; nobody's where none does."""
    said: list[SaidWord] = []
    turn = -1
    for text, start, end in words:
        speaker = _loudest(start, end, turns)
        turn += not said or said[-1].speaker != speaker
        said.append(SaidWord(text, speaker, start, end, turn, 0))
    return Said(tuple(said), (), tuple(turns), seconds)


def _loudest(start: float, end: float, turns: Sequence[VoiceTurn]) -> str:
    shares: dict[str, float] = {}
    for each in turns:
        shared = min(end, each.end) - max(start, each.start)
        if shared > 0:
            shares[each.voice] = shares.get(each.voice, 0.0) + shared
    return min(shares, key=lambda voice: (-shares[voice], voice)) if shares else NOBODY
