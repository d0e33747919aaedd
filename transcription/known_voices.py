"""Voices that were named before: which of them speak in this episode, and which are worth keeping.

A voice is its embedding, a direction; two are as alike as the cosine between them. A name is given where the best of
the show's voices is alike enough *and* clearly more alike than the next one. With CAM++ (`starter`) one reader in two
halves of a conversation has a cosine of 0.88 to 0.97, and two readers have at most 0.19
(`python -m evaluation.known_voices`, 2026-11-27). The thresholds keep a distance from both: another day and another
microphone make one person less alike than those halves are.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from schemas.episode import Role
from schemas.transcript import NameMethod, Speaker, Transcript
from transcription.given_names import are_forms_of_one_name
from transcription.naming import name_speakers
from transcription.naming.speakers import sample_of
from transcription.ports import KnownVoice

ALIKE = 0.60  #: cosine from which two voices may be one person's
MARGIN = 0.15  #: so much more alike than the next person must be
HEARD_SECONDS = 15.0  #: shorter speech gives an embedding that is not to be trusted
LEARNED_CONFIDENCE = 0.9  #: a voice is kept when its name is this sure by evidence
LEARNED_SECONDS = 30.0  #: and when it speaks for so long

_LEARNED = frozenset(
    {
        NameMethod.GIVEN,
        NameMethod.PARTICIPANT,
        NameMethod.SELF_INTRODUCTION,
        NameMethod.HOST_INTRODUCTION,
        NameMethod.ADDRESS,
    }
)


@dataclass(frozen=True, slots=True)
class Recognized:
    """A known person in this episode."""

    name: str
    cosine: float


def recognize_voices(embeddings: Mapping[str, Sequence[float]], known: Sequence[KnownVoice]) -> dict[str, Recognized]:
    """Which voices (by their labels) are which known people, one voice each.

    A person's likeness is that of the mean of what was kept. Two voices that are as good as equally like the same
    person leave both without.
    """
    people = _means(known)
    likeness = {
        voice: sorted(((_cosine(vector, mean), name) for name, mean in people.items()), reverse=True)
        for voice, vector in embeddings.items()
    }
    recognized: dict[str, Recognized] = {}
    for voice, ranked in likeness.items():
        if not ranked:
            continue
        (best, name), runner_up = ranked[0], ranked[1][0] if len(ranked) > 1 else -1.0
        others = [_of(ranks, name) for other, ranks in likeness.items() if other != voice]
        if best >= ALIKE and best - max(runner_up, *others, -1.0) >= MARGIN:
            recognized[voice] = Recognized(name, round(best, 3))
    return recognized


def with_known_voices(
    transcript: Transcript, embeddings: Mapping[str, Sequence[float]], known: Sequence[KnownVoice]
) -> Transcript:
    """The document with the names of known voices, everybody else named anew beside them.

    What a voice says of itself is not overruled: where it introduces itself by another name, neither is believed.
    """
    heard = {voice: vector for voice, vector in embeddings.items() if _is_heard(transcript, voice)}
    recognized = recognize_voices(heard, known)
    disputed = {
        each.id
        for each in transcript.speakers
        if each.voice in recognized and _contradicts(each, recognized[each.voice])
    }
    speakers = tuple(
        _recognized(transcript, each, recognized[each.voice])
        if each.voice in recognized and each.id not in disputed and each.known_by is not NameMethod.GIVEN
        else each
        for each in transcript.speakers
    )
    if speakers == transcript.speakers and not disputed:
        return transcript
    named = name_speakers(replace(transcript, speakers=speakers))
    return replace(named, speakers=tuple(_unnamed(each) if each.id in disputed else each for each in named.speakers))


def worth_keeping(transcript: Transcript, embeddings: Mapping[str, Sequence[float]]) -> dict[str, str]:
    """The voices (by their labels) whose names are sure enough by evidence to be known by, and those names.

    `transcript` is the document as it was named without known voices: what was recognized teaches nothing new.
    """
    return {
        str(each.voice): each.name
        for each in transcript.speakers
        if each.voice in embeddings
        and each.name is not None
        and " " in each.name
        and each.known_by in _LEARNED
        and (each.confidence or 0.0) >= LEARNED_CONFIDENCE
        and (each.speech_seconds or 0.0) >= LEARNED_SECONDS
        and each.role is not Role.ANNOUNCER
    }


def _is_heard(transcript: Transcript, voice: str) -> bool:
    return any(each.voice == voice and (each.speech_seconds or 0.0) >= HEARD_SECONDS for each in transcript.speakers)


def _contradicts(speaker: Speaker, recognized: Recognized) -> bool:
    """Whether a voice gives itself another name than the known one."""
    own = [each for each in speaker.evidence if each.method is NameMethod.SELF_INTRODUCTION]
    if speaker.name is None or not own or speaker.known_by is NameMethod.GIVEN:
        return False
    return not are_forms_of_one_name(speaker.name.split()[0], recognized.name.split()[0])


def _recognized(transcript: Transcript, speaker: Speaker, known: Recognized) -> Speaker:
    return replace(
        speaker,
        name=known.name,
        known_by=NameMethod.KNOWN_VOICE,
        confidence=known.cosine,
        evidence=sample_of(transcript, speaker.id, NameMethod.KNOWN_VOICE, known.cosine),
    )


def _unnamed(speaker: Speaker) -> Speaker:
    return replace(speaker, name=None, known_by=None, confidence=None, evidence=(), honorific=None, aliases=())


def _means(known: Sequence[KnownVoice]) -> dict[str, tuple[float, ...]]:
    kept: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    for each in known:
        kept[each.name].append(each.embedding)
    return {name: tuple(sum(values) for values in zip(*vectors, strict=True)) for name, vectors in kept.items()}


def _of(ranked: Sequence[tuple[float, str]], name: str) -> float:
    return next((cosine for cosine, each in ranked if each == name), -1.0)


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """-1 where they are not of one kind."""
    if len(one) != len(other):
        return -1.0
    length = math.hypot(*one) * math.hypot(*other)
    return sum(a * b for a, b in zip(one, other, strict=True)) / length if length else -1.0
