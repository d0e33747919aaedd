"""Words with voices to turns: what one speaker says without a break."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.transcript import Word
from transcription.voices import VoicedWord, voice_runs

#: Words that no voice covers join the nearer turn beside them when the gap is at most this many seconds; farther
#: away they are a turn of their own without a speaker.
ADJACENT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class SpokenTurn:
    """The words of one turn. `speaker` and `voice` are null where no voice covers the words."""

    speaker: str | None  #: S1… by first appearance
    voice: str | None
    words: tuple[Word, ...]


def build_turns(voiced: Sequence[VoicedWord]) -> tuple[SpokenTurn, ...]:
    """Join the words of one voice that follow each other. Every word is in exactly one turn, in order.

    Words without a voice go to the voice around them, or to the nearer voice beside them within `ADJACENT_SECONDS`.
    """
    words = [each.word for each in voiced]
    voices = _adopted([each.voice for each in voiced], words)
    speakers: dict[str, str] = {}
    turns: list[SpokenTurn] = []
    for first, last in voice_runs(voices):
        voice = voices[first]
        speaker = None if voice is None else speakers.setdefault(voice, f"S{len(speakers) + 1}")
        turns.append(SpokenTurn(speaker, voice, tuple(words[first:last])))
    return tuple(turns)


def _adopted(voices: Sequence[str | None], words: Sequence[Word]) -> list[str | None]:
    """The voices, with words that have none given to a voice beside them where one is near."""
    adopted = list(voices)
    for first, last in voice_runs(voices):
        if voices[first] is not None:
            continue
        before = voices[first - 1] if first else None
        after = voices[last] if last < len(voices) else None
        if before is not None and before == after:
            adopted[first:last] = [before] * (last - first)
            continue
        near = [
            (gap, side, voice)
            for side, (voice, gap) in enumerate(((before, _gap(words, first - 1)), (after, _gap(words, last - 1))))
            if voice is not None and gap <= ADJACENT_SECONDS
        ]
        if near:
            adopted[first:last] = [min(near)[2]] * (last - first)
    return adopted


def _gap(words: Sequence[Word], i: int) -> float:
    """Seconds between word i and the next; none where a time is unknown."""
    if i < 0 or i + 1 >= len(words):
        return 0.0
    end, start = words[i].end, words[i + 1].start
    return 0.0 if end is None or start is None else max(0.0, start - end)
