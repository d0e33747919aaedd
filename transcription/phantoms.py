"""Voices that are none: a few seconds of somebody who was heard before, told apart by a cough or a bad line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from schemas.transcript import AbsorbedVoice
from transcription.ports import Diarization, VoiceTurn

#: A phantom speaks at most this long, and at most this share of all speech: whoever says more is somebody. Chosen
#: from what a listener would miss: a guest's two sentences take six seconds. None of the 25 people in nine real
#: recordings with truth (three joined conversations, a telephone talk, five clips of meetings of 30 s) is below both
#: limits; the smallest has 14 % of the speech.
LONGEST_SECONDS = 5.0
LARGEST_SHARE = 0.05

#: Cosine of two voices' embeddings from which on they may be one person. The sets' diarization parts voices at a
#: distance of 0.7 between unit vectors, a cosine of 0.755, and the two people of a telephone talk of 30 s came out at
#: 0.61 (model set `fast`). Chosen between the two; how often it is right has not been measured.
LEAST_SIMILARITY = 0.7


@dataclass(frozen=True, slots=True)
class WithoutPhantoms:
    """A diarization without its phantoms, and what became of them."""

    diarization: Diarization
    absorbed: tuple[AbsorbedVoice, ...]


def absorb_phantoms(diarization: Diarization, *, least_voices: int = 1) -> WithoutPhantoms:
    """Give the turns of voices of little speech to the voice of more speech that they sound most like.

    A voice without an embedding stays, and so do as many voices as were asked for: the smallest go first.
    """
    seconds = _seconds(diarization.turns or diarization.exclusive)
    longest = min(LONGEST_SECONDS, LARGEST_SHARE * sum(seconds.values()))
    small = sorted((voice for voice in seconds if seconds[voice] <= longest), key=lambda each: (seconds[each], each))
    large = [voice for voice in seconds if seconds[voice] > longest]
    absorbed: list[AbsorbedVoice] = []
    for voice in small[: max(0, len(seconds) - least_voices)]:
        likeness = [
            (_cosine(diarization.embeddings[voice], diarization.embeddings[other]), other)
            for other in large
            if voice in diarization.embeddings and other in diarization.embeddings
        ]
        similarity, into = min(likeness, key=lambda each: (-each[0], each[1]), default=(0.0, ""))
        if into and similarity >= LEAST_SIMILARITY:
            absorbed.append(AbsorbedVoice(voice, into, round(seconds[voice], 3), round(similarity, 3)))
    if not absorbed:
        return WithoutPhantoms(diarization, ())
    heirs = {each.voice: each.into for each in absorbed}
    return WithoutPhantoms(
        replace(
            diarization,
            turns=_inherited(diarization.turns, heirs),
            exclusive=_inherited(diarization.exclusive, heirs),
            embeddings={voice: each for voice, each in diarization.embeddings.items() if voice not in heirs},
        ),
        tuple(absorbed),
    )


def _seconds(turns: Sequence[VoiceTurn]) -> dict[str, float]:
    seconds: dict[str, float] = {}
    for turn in turns:
        seconds[turn.voice] = seconds.get(turn.voice, 0.0) + turn.end - turn.start
    return seconds


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    dot = sum(a * b for a, b in zip(one, other, strict=False))
    length = (sum(a * a for a in one) * sum(b * b for b in other)) ** 0.5
    return dot / length if length else 0.0


def _inherited(turns: Sequence[VoiceTurn], heirs: Mapping[str, str]) -> tuple[VoiceTurn, ...]:
    return tuple(replace(turn, voice=heirs.get(turn.voice, turn.voice)) for turn in turns)
