"""Who is who of a list of participants, by all that a long talk says at once.

How likely each voice is to be each of them is the sum of what speaks for it (`features`), weighed over all the ways
to give the list out (`matchings`). Everybody on a list that is as long as there are voices is taken to be there; of
any other, somebody may be away, and a voice be nobody on it. A name is given where it stands in most of what is
likely, and a name that evidence gave is taken back where the rest of the talk speaks against it, as long as somebody
is left.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas.transcript import NameMethod
from transcription.naming.decisions import WELL_KNOWN_WORDS, Decision, by_elimination, expected_and_left
from transcription.naming.evidence import Piece
from transcription.naming.features import features_of, value_of
from transcription.naming.jointly import (
    MOST,
    TELLINGS,
    TOLD,
    are_enough,
    calls_of,
    introduces_otherwise,
    is_said_otherwise,
    with_calls,
)
from transcription.naming.likelihoods import Said, said_of
from transcription.naming.matchings import MOST_COLUMNS, chances_of_pairs
from transcription.naming.mentions import Manner, Mention
from transcription.naming.people import Person
from transcription.naming.talk import Talk

#: A name is given from this chance on. Of published talk on which nothing was fitted, 4 of 469 voices got a wrong
#: name from 0.7 on as from 0.9 on, and 7 from 0.5 on; in a house met later two hosts were exchanged at 0.72.
SURE = 0.8
#: The same between two, where nothing else speaks for a name: a tale in which somebody is called reaches 0.95.
SURE_OF_TWO = 0.96
#: The same where one turn alone calls, and somebody on the list may be away.
SURE_OF_ONE_TURN = 0.95
#: From here on a name off the list that a voice gives itself in the middle of the talk counts as told of another.
ALL_BUT_CERTAIN = 0.99
DOUBTFUL = 0.3  #: a name that evidence gave is taken back below this chance
#: Seconds of talk from which all of it is weighed. The weights were fitted on episodes of half an hour and more; in a
#: few minutes one name that is said in passing would decide (`jointly` asks for more there).
LONG_TALK = 600.0


@dataclass(frozen=True, slots=True)
class PairChances:
    """How likely each voice that may have a name of the list is to be each person on it who is not away."""

    voices: Sequence[str]
    expected: Sequence[int]
    said: Sequence[Said]  #: what the turns say of those expected
    chances: Sequence[Sequence[float]]  #: by voice and person

    def of(self, voice: str, person: int) -> float:
        """The chance of a pair; 0 where it cannot be one."""
        if voice not in self.voices or person not in self.expected:
            return 0.0
        return self.chances[self.voices.index(voice)][self.expected.index(person)]


def is_weighed(talk: Talk) -> bool:
    """Whether there is a list, and the talk is long enough to weigh all that it says. Not with more than 12 people,
    for time.
    """
    is_long = sum(map(talk.seconds_of, talk.talkers)) >= LONG_TALK
    return is_long and 0 < len(talk.participants) <= MOST_COLUMNS


def give_out(
    talk: Talk,
    people: Sequence[Person],
    pieces: Sequence[Piece],
    named: Mapping[str, Decision],
    mentions: Sequence[Mention],
) -> dict[str, Decision]:
    """The names of all voices, with the list given out to those whom evidence alone does not name.

    Nobody is given who is said to be away. Where evidence names everybody, the names stay as they are.
    """
    pairs = _chances(talk, people, pieces, named, mentions)
    if pairs is None:
        return dict(named)
    kept = {
        voice: each
        for voice, each in named.items()
        if each.person not in pairs.expected or pairs.of(voice, each.person) >= DOUBTFUL
    }
    taken = {each.person for each in kept.values()}
    found = dict(kept)
    for voice, row in zip(pairs.voices, pairs.chances, strict=True):
        person = pairs.expected[row.index(max(row))]
        if voice in kept or person in taken or max(row) < SURE:
            continue
        calls = calls_of(talk, pairs.said, voice, person)
        own = with_calls(pieces, calls, voice, person)
        told = pieces if max(row) < ALL_BUT_CERTAIN else _without_tales(talk, people, pieces)
        is_doubted = _is_told_otherwise(talk, people, told, voice, person)
        if own and not is_doubted and _are_enough(talk, voice, calls, max(row)):
            found[voice] = Decision(person, -math.log(1 - min(max(row), MOST)), own, own[0].method)
    last = by_elimination(talk, people, pieces, found, mentions)
    return found | {voice: each for voice, each in last.items() if pairs.of(voice, each.person) >= SURE}


def _chances(
    talk: Talk,
    people: Sequence[Person],
    pieces: Sequence[Piece],
    named: Mapping[str, Decision],
    mentions: Sequence[Mention],
) -> PairChances | None:
    """The chances of all pairs; None where nobody is left to be given out."""
    away = {mention.person for mention in mentions if mention.manner is Manner.AWAY}
    believed = {voice: each.person for voice, each in named.items() if people[each.person].participant is not None}
    left = expected_and_left(talk, people, named)
    expected = sorted({*left, *believed.values()} - away)
    outsiders = {voice for voice, each in named.items() if each.person not in expected}
    voices = [voice for voice in talk.talkers if voice not in talk.fixed and voice not in outsiders]
    if not (left and expected and voices):
        return None
    said = said_of(talk, [mention for mention in mentions if mention.person not in away])
    features = features_of(talk, pieces, believed, said, expected)
    values = [[value_of(features[voice, person]) for person in expected] for voice in voices]
    return PairChances(voices, expected, said, chances_of_pairs(values))


def _without_tales(talk: Talk, people: Sequence[Person], pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces without what a voice calls itself, off a list that is whole, when it has talked long: it is told, or
    read, or where to find it ("I'm Ada Q on there").
    """
    return [
        piece
        for piece in pieces
        if not talk.is_listed_whole
        or piece.method is not NameMethod.SELF_INTRODUCTION
        or people[piece.person].participant is not None
        or talk.words_before(piece.speaker, piece.turn) <= WELL_KNOWN_WORDS
    ]


def _is_told_otherwise(
    talk: Talk, people: Sequence[Person], pieces: Sequence[Piece], voice: str, person: int
) -> bool:
    """Whether the voice introduces itself otherwise; where the list is not whole, also whether it is told to be
    somebody who is not on it.
    """
    if talk.is_listed_whole:
        return introduces_otherwise(pieces, voice, person)
    return is_said_otherwise(pieces, people, voice, person)


def _are_enough(talk: Talk, voice: str, calls: Sequence[Said], chance: float) -> bool:
    """Whether what is said of a voice may decide for it.

    Between two a name that is said once in passing would decide for both, so that there it takes what a short talk
    takes, or a chance that no such name reaches; among more, who is only spoken of takes as many turns as there. Of
    a list that is not whole somebody has to be called, in two turns or by a chance that few names reach.
    """
    if len(talk.talkers) == 2:
        return chance >= SURE_OF_TWO or are_enough(talk, voice, calls, is_last=False)
    if not talk.is_listed_whole:
        return chance >= SURE_OF_ONE_TURN or len(calls) > 1
    return len(calls) >= TELLINGS or not {each.mention.manner for each in calls} <= TOLD
