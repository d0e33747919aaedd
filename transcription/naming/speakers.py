"""The speakers as the document will have them: name, method, confidence, evidence, role."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from schemas.episode import Role
from schemas.transcript import Evidence, NameMethod, Paragraph, Speaker, Transcript
from transcription.given_names import are_forms_of_one_name
from transcription.naming.decisions import Decision
from transcription.naming.evidence import Piece
from transcription.naming.people import Person
from transcription.naming.talk import Talk, text_of

KEPT_EVIDENCE = 6  #: pieces per speaker, strongest first


def named_speaker(
    talk: Talk,
    people: Sequence[Person],
    speaker: Speaker,
    named: Mapping[str, Decision],
    roles: Mapping[str, Role],
) -> Speaker:
    """The speaker as the document will have it."""
    role = roles.get(speaker.id) or speaker.role
    if speaker.id in talk.fixed:
        return replace(speaker, role=speaker.role or role)
    decision = named.get(speaker.id)
    if decision is None:
        return replace(
            speaker, name=None, known_by=None, confidence=None, evidence=(), honorific=None, aliases=(), role=role
        )
    person = people[decision.person]
    given = person.participant
    method = decision.method
    if given is not None and method is not NameMethod.ELIMINATION:
        method = NameMethod.PARTICIPANT
    return replace(
        speaker,
        name=person.full,
        known_by=method,
        confidence=round(min(0.99, 1 - math.exp(-decision.strength)), 3),
        evidence=tuple(evidence_of(talk, piece) for piece in _distinct(decision.pieces))[:KEPT_EVIDENCE],
        honorific=person.honorific,
        description=(given.description if given else None) or speaker.description,
        role=(given.role if given else None) or role,
        aliases=_aliases(person, decision.pieces),
    )


def _distinct(pieces: Iterable[Piece]) -> Iterator[Piece]:
    seen: set[tuple[int, int, int]] = set()
    for piece in pieces:
        if (piece.turn, piece.paragraph, piece.offset) not in seen:
            seen.add((piece.turn, piece.paragraph, piece.offset))
            yield piece


def evidence_of(talk: Talk, piece: Piece) -> Evidence:
    """A piece of evidence as the document keeps it, with the time at which it is said."""
    turn = talk.turns[piece.turn]
    start = _start_of(turn.paragraphs[piece.paragraph], piece.offset)
    return Evidence(
        method=piece.method,
        quote=piece.quote,
        turn=turn.id,
        start=start if start is not None else turn.start,
        confidence=round(piece.weight, 3),
    )


def _start_of(paragraph: Paragraph, offset: int) -> float | None:
    """When the text at a character of a paragraph is said: its word's start, or the paragraph's.

    Words that the wording left out of the text are passed over.
    """
    before = text_of(paragraph)[:offset].split()
    words = iter(paragraph.words)
    for token in before:
        for word in words:
            if word.text == token:
                break
    following = text_of(paragraph)[offset:].split()
    for word in words:
        if following and word.text.startswith(following[0].rstrip(".,!?")) and word.start is not None:
            return word.start
    return paragraph.start


def _aliases(person: Person, pieces: Sequence[Piece]) -> tuple[str, ...]:
    """The given names that people really called the person by, in the order heard, then those given with the list."""
    heard = [
        piece.heard
        for piece in sorted(pieces, key=lambda piece: (piece.turn, piece.offset))
        if " " not in piece.heard and piece.heard != person.full and are_forms_of_one_name(piece.heard, person.given)
    ]
    return tuple(dict.fromkeys([*heard, *(person.participant.aliases if person.participant else ())]))


def sample_of(transcript: Transcript, speaker: str, method: NameMethod, confidence: float) -> tuple[Evidence, ...]:
    """Evidence that no words gave: where the voice can be heard. None where it says nothing."""
    talk = Talk(transcript)
    if not talk.words_of(speaker):
        return ()
    turn, paragraph, offset, quote = talk.sample_of(speaker)
    said = talk.turns[turn]
    start = _start_of(said.paragraphs[paragraph], offset)
    return (Evidence(method, quote, said.id, said.start if start is None else start, confidence),)
