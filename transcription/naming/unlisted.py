"""Who the voices are that nothing has named, where no list says whom to expect, by all that a long talk says at once.

Whoever is called or spoken for anywhere may be one of them. As with a list (`weighed_lists`), how likely each voice
is to be each person is the sum of what speaks for it, weighed over all ways to give the names out; but most of whom a
talk names is not there, so that it takes more.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transcription.naming.by_calls import is_a_name
from transcription.naming.claims import Heard
from transcription.naming.decisions import Decision, is_named
from transcription.naming.evidence import Piece, called_words
from transcription.naming.features import UNLISTED_WEIGHTS, Feature, Pair, features_of, value_of
from transcription.naming.jointly import MOST, TOLD, calls_of, introduces_otherwise, is_said_to_somebody, with_calls
from transcription.naming.likelihoods import Said, said_of
from transcription.naming.matchings import chances_of_pairs
from transcription.naming.mentions import Manner, Mention, find_mentions
from transcription.naming.people import Person
from transcription.naming.talk import Talk
from transcription.naming.weighed_lists import LONG_TALK

SURE = 0.85  #: a name is given from this chance on, to who is called by it in two turns
#: The same where one turn calls. Of the halves that were only counted (docs/names.md), 28 names more were right by
#: these two chances and one was wrong; with 0.85 for both, about 60 and 6.
SURE_OF_ONE_TURN = 0.93
MOST_PEOPLE = 9  #: those with the most calls and evidence are weighed, for time
LIKELY = 0.6  #: evidence from which a word that no list of names knows may be somebody


@dataclass(frozen=True, slots=True)
class Candidates:
    """The voices that are without a name, the people whom they may be, and what speaks for each pair."""

    voices: Sequence[str]
    people: Sequence[int]
    calls: Mapping[Pair, Sequence[Said]]  #: the turns that call the person and point at the voice
    features: Mapping[Pair, Mapping[Feature, float]]


def named_unlisted(
    talk: Talk,
    people: Sequence[Person],
    heard: Sequence[Heard],
    pieces: Sequence[Piece],
    named: Mapping[str, Decision],
) -> dict[str, Decision]:
    """Names for voices that are without. None where a list is given, or in a talk of less than ten minutes."""
    found = candidates(talk, people, heard, pieces, named)
    if not found.voices:
        return {}
    values = [
        [value_of(found.features[voice, person], UNLISTED_WEIGHTS) for person in found.people]
        for voice in found.voices
    ]
    names: dict[str, Decision] = {}
    for voice, row in zip(found.voices, chances_of_pairs(values), strict=True):
        chance = max(row)
        person = found.people[row.index(chance)]
        calls = found.calls[voice, person]
        enough = SURE if len({each.mention.turn for each in calls}) > 1 else SURE_OF_ONE_TURN
        own = with_calls(pieces, calls, voice, person)
        if own and chance >= enough and not introduces_otherwise(pieces, voice, person):
            names[voice] = Decision(person, -math.log(1 - min(chance, MOST)), own, own[0].method)
    return names


def candidates(
    talk: Talk,
    people: Sequence[Person],
    heard: Sequence[Heard],
    pieces: Sequence[Piece],
    named: Mapping[str, Decision],
) -> Candidates:
    """What is to be weighed; without voices where nothing is."""
    voices = [voice for voice in talk.talkers if voice not in named and voice not in talk.fixed]
    is_long = sum(map(talk.seconds_of, talk.talkers)) >= LONG_TALK
    if talk.participants or not voices or len(talk.talkers) < 2 or not is_long:
        return Candidates((), (), {}, {})
    mentions = list(find_mentions(talk, people, range(len(people))))
    words = called_words(talk, heard)
    calls = _calls(mentions)
    possible = _possible(talk, people, pieces, named, mentions, words)
    if not possible:
        return Candidates((), (), {}, {})
    said = said_of(talk, [each for each in mentions if each.person in possible])
    features = {pair: dict(each) for pair, each in features_of(talk, pieces, {}, said, possible).items()}
    pointing: dict[Pair, Sequence[Said]] = {}
    for voice in voices:
        for person in possible:
            own = calls_of(talk, said, voice, person)
            clear = {each.mention.turn for each in own if is_said_to_somebody(each.mention)}
            pointing[voice, person] = own
            features[voice, person] |= {
                Feature.UNLISTED: 1.0,
                Feature.CALLED_OFTEN: math.log1p(calls[person]),
                Feature.CALLED_CLEARLY: math.log1p(len(clear)),
                Feature.HAS_SURNAME: float(" " in people[person].full),
                Feature.IS_A_NAME: float(is_a_name(people[person], words)),
                Feature.IS_A_THING: float(people[person].full in talk.things),
                Feature.TWO_TALK: float(len(talk.talkers) == 2),
                Feature.MANY_TALK: math.log(len(talk.talkers) / 2),
            }
    return Candidates(voices, possible, pointing, features)


def _possible(
    talk: Talk,
    people: Sequence[Person],
    pieces: Sequence[Piece],
    named: Mapping[str, Decision],
    mentions: Sequence[Mention],
    words: frozenset[str],
) -> list[int]:
    """The people who may be a voice: called or spoken for, nobody who is away or has a voice already."""
    weights: dict[int, float] = defaultdict(float)
    for piece in pieces:
        weights[piece.person] += piece.weight
    calls = _calls(mentions)
    away = {each.person for each in mentions if each.manner is Manner.AWAY}
    taken = {each.person for each in named.values()}
    possible = [
        i
        for i, person in enumerate(people)
        if i not in taken | away
        and (calls[i] or weights[i] > 0)
        and (is_a_name(person, words) or weights[i] >= LIKELY)
        and not any(is_named(each, person) for each in talk.fixed.values())
    ]
    return sorted(sorted(possible, key=lambda i: -(calls[i] / 2 + weights[i]))[:MOST_PEOPLE])


def _calls(mentions: Sequence[Mention]) -> Counter[int]:
    """How often each of the people is called."""
    return Counter(each.person for each in mentions if each.manner not in TOLD and each.manner is not Manner.AWAY)
