"""Who is who by how people call one another all through a talk, where no list says whom to expect.

One call among three voices proves little: it may be said to who answers or to who spoke before. Ten calls by one name
point at one voice. As with a list (`jointly`), the shares of `likelihoods` say how likely each voice is to be the one
who is called, and the names are given out to the voices together. Who is only spoken of is nobody here.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from schemas.transcript import NameMethod
from transcription.naming.assignment import best_assignment
from transcription.naming.claims import Heard
from transcription.naming.decisions import Decision, is_named
from transcription.naming.evidence import Piece, called_words
from transcription.naming.jointly import MOST, NAMED, TOLD, introduces_otherwise, is_said_to_somebody, with_calls
from transcription.naming.likelihoods import Said, said_of
from transcription.naming.mentions import Manner, Mention, find_mentions
from transcription.naming.people import Person
from transcription.naming.talk import Talk
from transcription.spoken_names import FIRST_KNOWN, read_name

#: A name is given where every way without it is e to the power of this less likely: 19 of 20.
SURE = 3.0
HERE = math.log(0.9 / 0.1)  #: log odds that who is called in `TURNS` turns is one of the voices
AGAIN = 1.0  #: what each further turn adds to them; assumed
TURNS = 2  #: so many turns must call somebody, in a question or beside a "you"
MOSTLY = 0.5  #: of all calls by a name, so many must point at the voice most of all
SHARE = 1 / 3  #: of the mentions of a name that must be calls; whom everybody talks about is somebody else
SECONDS = 30.0  #: a voice that speaks less is called by nobody's habit


def named_by_calls(
    talk: Talk,
    people: Sequence[Person],
    heard: Sequence[Heard],
    pieces: Sequence[Piece],
    named: Mapping[str, Decision],
) -> dict[str, Decision]:
    """Names for voices that are without, by all the calls of the talk. None where a whole list is given."""
    if talk.is_listed_whole or len(talk.talkers) < 2:
        return {}
    taken = {each.person for each in named.values()}
    words = called_words(talk, heard)
    possible = [
        i
        for i, person in enumerate(people)
        if i not in taken
        and (person.participant is not None or is_a_name(person, words))
        and not any(is_named(each, person) for each in talk.fixed.values())
    ]
    mentions = list(find_mentions(talk, people, [*possible, *taken]))
    called = _called(mentions)
    possible = [i for i in possible if i in called]
    if not possible:
        return {}
    told = [each for each in mentions if each.manner is not Manner.AWAY]
    said = said_of(talk, [each for each in told if each.person in called or each.person in taken])
    columns = sorted({*possible, *taken})
    voices = [voice for voice in talk.talkers if voice not in talk.fixed]
    beliefs = {
        (voice, person): HERE + AGAIN * (called.get(person, TURNS) - TURNS) - math.log(len(talk.talkers))
        for voice in voices
        for person in columns
    }
    for each in said:
        for voice, odd in each.odds.items():
            if (voice, each.mention.person) in beliefs:
                beliefs[voice, each.mention.person] += odd
    for voice, decision in named.items():
        for person in columns:
            if (voice, person) in beliefs:
                beliefs[voice, person] += NAMED if person == decision.person else -NAMED
    values = [[beliefs[voice, person] for person in columns] for voice in voices]
    chosen, likeliest = best_assignment(values)
    found: dict[str, Decision] = {}
    for row, column in enumerate(chosen):
        if column is None or voices[row] in named or columns[column] not in called or columns[column] in taken:
            continue
        voice, person = voices[row], columns[column]
        if talk.seconds_of(voice) < SECONDS or _is_told_otherwise(pieces, voice, person):
            continue
        without = [list(each) for each in values]
        without[row][column] = -math.inf
        margin = likeliest - best_assignment(without)[1]
        all_calls = [each for each in said if each.mention.person == person and each.mention.manner not in TOLD]
        calls = [each for each in all_calls if _points_at(each, voice)]
        if margin >= SURE and len(calls) >= max(TURNS, MOSTLY * len(all_calls)):
            own = with_calls(pieces, calls, voice, person)
            strength = min(margin + math.log1p(math.exp(-margin)), -math.log(1 - MOST))
            found[voice] = Decision(person, strength, own, own[0].method)
    return found


def is_a_name(person: Person, words: frozenset[str]) -> bool:
    """Whether a word is a given name, or is called like one (`words`)."""
    name = read_name(person.full, 0)
    return name is not None and (name.likelihood >= FIRST_KNOWN or person.full in words)


def _called(mentions: Sequence[Mention]) -> dict[int, int]:
    """The people who are mostly called, not spoken of, and in how many turns that say something to a "you": `TURNS`
    or more.
    """
    clear: dict[int, set[int]] = defaultdict(set)
    counts: Counter[int] = Counter()
    calls: Counter[int] = Counter()
    away: set[int] = set()
    for each in mentions:
        counts[each.person] += 1
        if each.manner is Manner.AWAY:
            away.add(each.person)
        elif each.manner not in TOLD:
            calls[each.person] += 1
            if is_said_to_somebody(each):
                clear[each.person].add(each.turn)
    return {
        person: len(turns)
        for person, turns in clear.items()
        if len(turns) >= TURNS and calls[person] >= SHARE * counts[person] and person not in away
    }


def _points_at(said: Said, voice: str) -> bool:
    return (
        said.mention.manner not in TOLD and said.chances[voice] == max(said.chances.values()) and said.odds[voice] > 0
    )


def _is_told_otherwise(pieces: Sequence[Piece], voice: str, person: int) -> bool:
    """Whether the voice introduces itself or is introduced as somebody else, or another voice says to be this one."""
    return introduces_otherwise(pieces, voice, person) or any(
        piece.method is NameMethod.HOST_INTRODUCTION
        and piece.weight >= 0.5
        and piece.speaker == voice
        and piece.person != person
        for piece in pieces
    )
