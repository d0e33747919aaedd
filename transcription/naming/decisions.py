"""Which names are believed: the surest first, each for one voice, and nobody who has a rival near."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from schemas.transcript import NameMethod, Speaker
from transcription.names_in_sentences import is_credited, is_replaced, name_at, quotable, sentences_of
from transcription.naming.evidence import Piece
from transcription.naming.mentions import Manner, Mention
from transcription.naming.people import Person, calls
from transcription.naming.talk import Talk

BELIEVED = 0.6  #: a name is given from this probability on; one weak piece stays below, two reach it
EXPECTED = 0.5  #: the same for a participant of the metadata: one clear address is enough
OUTSIDER = 0.75  #: the same for anybody else, where the metadata lists as many people as there are voices
LEAD = 1.5  #: the evidence (-log of doubt) must be this many times that of any rival voice or name
DENIAL = 1.5  #: taken from the evidence that a voice has a name, each time it calls somebody else by it
WELL_KNOWN_WORDS = 300  #: who has said so many, and tells a name in the middle of the talk, may tell of another
LAST_TURNS = 6  #: where people say again who they were
LEFT_OVER = 0.7  #: confidence of a name that is given because every other voice has one
#: A voice that is named because everybody else is must speak so long, or its name be said beside it.
ELIMINATION_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Decision:
    """A name that is given to a voice: which of the people, how strong the evidence is (-log of doubt), and why."""

    person: int
    strength: float
    pieces: tuple[Piece, ...]
    method: NameMethod


def believed_names(
    talk: Talk,
    people: Sequence[Person],
    pieces: Sequence[Piece],
    given: Mapping[str, Decision] = MappingProxyType({}),
) -> dict[str, Decision]:
    """Give names, the surest first, each to one voice; whoever has a rival near stays without.

    Voices and people that are `given` to each other already are nobody's rivals; nor is who may be one of these.
    """
    undenied = strengths_of(pieces)
    strengths = dict(undenied)
    for (voice, person), doubt in _denials(talk, people, pieces).items():
        if (voice, person) in strengths:
            strengths[voice, person] -= doubt
    taken = {i for i, person in enumerate(people) if any(is_named(each, person) for each in talk.fixed.values())}
    taken |= {
        i for i, person in enumerate(people) if any(is_same(person, people[each.person]) for each in given.values())
    }
    free = {
        pair: strength
        for pair, strength in strengths.items()
        if pair[0] not in talk.fixed and pair[0] not in given and pair[1] not in taken and strength > 0
    }
    is_complete = len(talk.participants) >= len(talk.talkers)
    named: dict[str, Decision] = {}
    for (voice, person), strength in sorted(free.items(), key=lambda item: (-item[1], item[0])):
        if (voice, person) not in free:
            continue
        rivals = [s for (v, p), s in free.items() if (v == voice) != (p == person)]
        if _is_said_in_the_middle(talk, pieces, voice, person):
            others = {each.person for each in named.values()} | taken
            rivals += [s for (v, p), s in undenied.items() if v == voice and p != person and p not in others]
        enough = EXPECTED if people[person].participant is not None else OUTSIDER if is_complete else BELIEVED
        if strength < -math.log(1 - enough) - 1e-9 or strength < LEAD * max(rivals, default=0.0):
            continue
        own = tuple(piece for piece in pieces if (piece.speaker, piece.person) == (voice, person))
        own = tuple(sorted(own, key=lambda piece: (-piece.weight, piece.turn, piece.offset)))
        named[voice] = Decision(person, strength, own, own[0].method)
        free = {pair: s for pair, s in free.items() if pair[0] != voice and pair[1] != person}
    return named


def _is_said_in_the_middle(talk: Talk, pieces: Sequence[Piece], voice: str, person: int) -> bool:
    """Whether a voice has its name from an "I'm Ana Ruiz" alone, long after it was first heard, as in a tale."""
    own = [piece for piece in pieces if (piece.speaker, piece.person) == (voice, person)]
    return all(
        piece.method is NameMethod.SELF_INTRODUCTION
        and talk.words_before(voice, piece.turn) > WELL_KNOWN_WORDS
        and piece.turn < len(talk.turns) - LAST_TURNS
        for piece in own
    )


def strengths_of(pieces: Sequence[Piece]) -> dict[tuple[str, int], float]:
    """The evidence (-log of doubt) that each voice is each person.

    One turn says a thing once, however often it says it: "Ana Ruiz is here. I'm so glad that Ana is with us."
    """
    weights: dict[tuple[str, int, int, NameMethod], float] = defaultdict(float)
    for piece in pieces:
        key = (piece.speaker, piece.person, piece.turn, piece.method)
        weights[key] = max(weights[key], piece.weight)
    strengths: dict[tuple[str, int], float] = defaultdict(float)
    for (voice, person, *_), weight in weights.items():
        strengths[voice, person] += -math.log(1 - weight)
    return strengths


def is_same(one: Person, other: Person) -> bool:
    """Whether two of the people may be one: a name of one calls the other."""
    return calls(one, other.full) or calls(other, one.full)


def is_named(speaker: Speaker, person: Person) -> bool:
    """Whether a speaker who keeps the name already has this person's."""
    return speaker.name is not None and is_same(person, Person(speaker.name))


def _denials(talk: Talk, people: Sequence[Person], pieces: Sequence[Piece]) -> dict[tuple[str, int], float]:
    """Who calls or introduces somebody by a name is not called so: how much that takes away."""
    denials: dict[tuple[str, int], float] = defaultdict(float)
    for piece in pieces:
        speaker = talk.turns[piece.turn].speaker
        if speaker is None or piece.method in (NameMethod.SELF_INTRODUCTION, NameMethod.PARTICIPANT):
            continue
        denials[speaker, piece.person] += DENIAL
    return denials


def expected_and_left(talk: Talk, people: Sequence[Person], named: Mapping[str, Decision]) -> list[int]:
    """The participants whom nobody is named as yet."""
    return [
        i
        for i, person in enumerate(people)
        if person.participant is not None
        and i not in {decision.person for decision in named.values()}
        and not any(is_named(each, person) for each in talk.fixed.values())
    ]


def by_elimination(
    talk: Talk,
    people: Sequence[Person],
    pieces: Sequence[Piece],
    named: Mapping[str, Decision],
    mentions: Sequence[Mention],
) -> dict[str, Decision]:
    """The last participant is the last voice, when everybody else is named by evidence.

    The voice must speak for a minute, or else a fair part of the talk, and the name be said in or beside its turns.
    Some evidence of its own (one address by name is some) is enough too. Not beside a recorded voice that announces
    them, which has no name and may be one of them.
    """
    left = talk.without_name(named)
    people_left = expected_and_left(talk, people, named)
    if len(left) != 1 or len(people_left) != 1 or not talk.is_listed_whole or talk.announcers:
        return {}
    voice, person = left[0], people_left[0]
    is_outsider = any(people[each.person].participant is None for each in named.values())
    is_denied = _denials(talk, people, pieces).get((voice, person), 0.0) > 0
    claims_another_name = any(
        piece.speaker == voice and piece.person != person and piece.method is NameMethod.SELF_INTRODUCTION
        for piece in pieces
    )
    is_away = any(each.person == person and each.manner is Manner.AWAY for each in mentions)
    if is_outsider or is_denied or claims_another_name or is_away:
        return {}
    own = tuple(piece for piece in pieces if (piece.speaker, piece.person) == (voice, person))
    if own:
        # One weak piece of its own is enough when nobody else could be meant.
        strength = sum(-math.log(1 - piece.weight) for piece in own) - math.log(1 - BELIEVED)
        return {voice: Decision(person, strength, own, own[0].method)}
    said = None if talk.seconds_of(voice) >= ELIMINATION_SECONDS else _said_beside(talk, voice, people[person])
    if said is None and talk.seconds_of(voice) < ELIMINATION_SECONDS:
        return {}
    turn, paragraph, offset, quote = said or talk.sample_of(voice)
    name = people[person].full
    piece = Piece(voice, person, LEFT_OVER, NameMethod.ELIMINATION, quote, turn, paragraph, offset, name)
    return {voice: Decision(person, -math.log(1 - LEFT_OVER), (piece,), NameMethod.ELIMINATION)}


def _said_beside(talk: Talk, voice: str, person: Person) -> tuple[int, int, int, str] | None:
    """Where a given name first stands in a turn of a voice or next to one: turn, paragraph, offset and quote.

    None of a voice that says hardly anything.
    """
    if not talk.speaks_its_part(voice):
        return None
    near = {i + step for i in talk.turns_of(voice) for step in (-1, 0, 1) if 0 <= i + step < len(talk.turns)}
    for turn in sorted(near):
        for sentence in sentences_of(talk.texts[turn]):
            for word in re.finditer(r"\b[^\W\d_][\w’'-]*", sentence.text[sentence.start : sentence.end]):
                name = name_at(sentence, sentence.start + word.start()) if word.group() == person.given else None
                if name is not None and not (is_credited(sentence, name) or is_replaced(sentence, name)):
                    begin, end = quotable(sentence, name)
                    quote = sentence.text[begin:end].strip()
                    return turn, sentence.paragraph, sentence.text.index(quote, begin), quote
    return None
