"""What speaks for a voice being somebody, as numbers, and what each number weighs.

A log-linear model: the value of a pair is the sum of its features by their weights, in log odds against the pair. The
weights were fitted on published talk with `python -m evaluation.naming_weights` (docs/names.md says on which).
Together they say what single rules cannot: how many calls outweigh an introduction, and that a guest talks at length.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from schemas.transcript import NameMethod
from transcription.courtesies import Courtesy, courtesy_beside
from transcription.naming.evidence import Piece
from transcription.naming.likelihoods import Said
from transcription.naming.mentions import Manner, around
from transcription.naming.talk import Talk


class Feature(StrEnum):
    """One number about a voice and a person. Logs are natural."""

    ASKED = "asked"  #: by the manner of mentions: the sum of their log odds for the voice, within `MOST_ODDS`
    CALLED_LAST = "called last"
    CALLED_FIRST = "called first"
    CALLED_WITHIN = "called within"
    GREETED = "greeted"
    THANKED = "thanked"
    IN_FULL = "in full"
    SPOKEN_OF = "spoken of"
    INTRODUCES_ITSELF = "introduces itself"  #: by the method of evidence: -log of doubt, at most `MOST_EVIDENCE`
    IS_INTRODUCED = "is introduced"
    IS_ADDRESSED = "is addressed"
    BELIEVED = "believed"  #: 1 where evidence alone gives the voice the name
    NEVER_SAYS_IT = "never says it"  #: 1 where a turn beside clear voices says the name, and none of this one
    SPEAKS_NEXT = "speaks next"  #: log of 1 + the turns right behind one that only speaks of the person
    INTRODUCED_AT_LENGTH = "introduced, at length"  #: how much is introduced, by the log of words a turn to the mean
    INTRODUCED_ASKING = "introduced, asking"  #: the same by the log of questions a word to the mean
    LISTED = "listed"  #: 1 where the list is as long as there are voices
    PERHAPS_LISTED = "perhaps listed"  #: 1 where it is not, so that somebody is away or not on it; so with the rest:
    TALKS_MUCH = "talks much"  #: log of the voice's part of all words, to an even part
    NOBODY_SAYS_IT = "nobody says it"  #: 1 where the person is not mentioned
    LIST_IS_LONG = "list is long"  #: log of people to voices, where there are more
    UNLISTED = "unlisted"  #: 1 where nobody is listed; so with the rest (`unlisted`):
    CALLED_OFTEN = "called often"  #: log of 1 + the mentions that call the person
    CALLED_CLEARLY = (
        "called clearly"  #: log of 1 + the turns that ask or tell a "you" by the name, and mean the voice
    )
    HAS_SURNAME = "has surname"  #: 1
    IS_A_NAME = "is a name"  #: 1 where the word is a given name, or is used as one
    IS_A_THING = "is a thing"  #: 1 where the word is used as a thing's, too
    TWO_TALK = "two talk"  #: 1
    MANY_TALK = "many talk"  #: log of the talkers to two


#: Of the people on a list. Fitted; see docs/names.md.
WEIGHTS: Mapping[Feature, float] = {
    Feature.ASKED: 1.00,
    Feature.CALLED_LAST: 0.43,
    Feature.CALLED_FIRST: 0.33,
    Feature.CALLED_WITHIN: 0.40,
    Feature.GREETED: 0.86,
    Feature.THANKED: 0.70,
    Feature.IN_FULL: 0.22,
    Feature.SPOKEN_OF: 0.63,
    Feature.INTRODUCES_ITSELF: 1.62,
    Feature.IS_INTRODUCED: 0.55,
    Feature.IS_ADDRESSED: 1.04,
    Feature.BELIEVED: 1.62,
    Feature.NEVER_SAYS_IT: 0.76,
    Feature.SPEAKS_NEXT: 0.95,
    Feature.INTRODUCED_AT_LENGTH: 1.02,
    Feature.INTRODUCED_ASKING: -0.31,
    Feature.LISTED: 4.10,
    Feature.PERHAPS_LISTED: 2.28,
    Feature.TALKS_MUCH: 0.23,
    Feature.NOBODY_SAYS_IT: -0.51,
    Feature.LIST_IS_LONG: -3.90,
}
#: Of people whom no list gives, for the voices that nothing else names. Fitted; see docs/names.md.
UNLISTED_WEIGHTS: Mapping[Feature, float] = {
    Feature.ASKED: 0.86,
    Feature.CALLED_LAST: 0.56,
    Feature.CALLED_FIRST: 0.68,
    Feature.CALLED_WITHIN: 0.26,
    Feature.GREETED: 0.38,
    Feature.THANKED: 0.94,
    Feature.IN_FULL: 0.27,
    Feature.SPOKEN_OF: 0.57,
    Feature.INTRODUCES_ITSELF: 2.60,
    Feature.IS_INTRODUCED: 2.05,
    Feature.IS_ADDRESSED: 1.36,
    Feature.NEVER_SAYS_IT: 0.09,
    Feature.SPEAKS_NEXT: 1.05,
    Feature.INTRODUCED_AT_LENGTH: -0.66,
    Feature.INTRODUCED_ASKING: -2.07,
    Feature.UNLISTED: -1.40,
    Feature.CALLED_OFTEN: 1.13,
    Feature.HAS_SURNAME: -0.27,
    Feature.IS_A_NAME: 0.49,
    Feature.IS_A_THING: -1.17,
    Feature.TWO_TALK: -1.68,
    Feature.CALLED_CLEARLY: 1.46,
    Feature.MANY_TALK: -0.46,
}
MOST_ODDS = 8.0  #: either way of the mentions of one manner, cut after each; more of them say the same again
MOST_EVIDENCE = 3.0  #: of the pieces of one method
MOST_OF_ONE = 0.99  #: the most that one piece is worth
_METHODS = {
    NameMethod.SELF_INTRODUCTION: Feature.INTRODUCES_ITSELF,
    NameMethod.HOST_INTRODUCTION: Feature.IS_INTRODUCED,
    NameMethod.ADDRESS: Feature.IS_ADDRESSED,
}

Pair = tuple[str, int]  #: a voice's id, and an index into the people


@dataclass(frozen=True, slots=True)
class _Traits:
    """How a voice talks: logs of its words a turn and questions a word to the mean of all, and of its part of all
    words to an even part.
    """

    length: float
    asking: float
    part: float


def value_of(features: Mapping[Feature, float], weights: Mapping[Feature, float] = WEIGHTS) -> float:
    """The log odds of a pair; a feature without a weight counts nothing."""
    return sum(weights.get(feature, 0.0) * number for feature, number in features.items())


def features_of(
    talk: Talk, pieces: Sequence[Piece], believed: Mapping[str, int], said: Sequence[Said], expected: Sequence[int]
) -> dict[Pair, dict[Feature, float]]:
    """The features of every talker and expected person that are not 0.

    `believed` is the person of each voice that is named by evidence, `said` what the turns say of those expected.
    """
    traits = _traits_of(talk)
    evidence = _evidence(pieces)
    listed = _listed(talk, len(expected))
    by_person: dict[int, list[Said]] = defaultdict(list)
    for each in said:
        by_person[each.mention.person].append(each)
    found: dict[Pair, dict[Feature, float]] = {}
    for person in expected:
        own = by_person[person]
        introduced = _introduced(pieces, own, person)
        sayers = {talk.turns[each.mention.turn].speaker for each in own}
        followers = [
            near.following
            for each in own
            if each.mention.manner is Manner.SPOKEN_OF and (near := around(talk, each.mention.turn)) is not None
        ]
        for voice in talk.talkers:
            numbers: dict[Feature, float] = defaultdict(float)
            for each in own:
                feature = Feature(each.mention.manner.value)
                odds = numbers[feature] + each.odds.get(voice, 0.0)
                numbers[feature] = min(max(odds, -MOST_ODDS), MOST_ODDS)
            numbers.update(evidence.get((voice, person), {}))
            numbers[Feature.BELIEVED] = float(believed.get(voice) == person)
            numbers[Feature.NEVER_SAYS_IT] = float(bool(sayers) and voice not in sayers)
            numbers[Feature.SPEAKS_NEXT] = math.log1p(followers.count(voice))
            numbers[Feature.INTRODUCED_AT_LENGTH] = introduced * traits[voice].length
            numbers[Feature.INTRODUCED_ASKING] = introduced * traits[voice].asking
            numbers |= listed | {Feature.NOBODY_SAYS_IT: float(not (own or talk.is_listed_whole))}
            if not talk.is_listed_whole:
                numbers[Feature.TALKS_MUCH] = traits[voice].part
            found[voice, person] = {feature: number for feature, number in numbers.items() if number}
    return found


def _listed(talk: Talk, people: int) -> dict[Feature, float]:
    """What being on the list says, of everybody on it."""
    if talk.is_listed_whole:
        return {Feature.LISTED: 1.0}
    return {Feature.PERHAPS_LISTED: 1.0, Feature.LIST_IS_LONG: max(0.0, math.log(people / max(len(talk.talkers), 1)))}


def _introduced(pieces: Iterable[Piece], own: Iterable[Said], person: int) -> float:
    """How much somebody is introduced or welcomed: log of 1 + the turns of each."""
    introducing = {
        piece.turn for piece in pieces if piece.person == person and piece.method is NameMethod.HOST_INTRODUCTION
    }
    welcomes = 0
    for each in own:
        sentence, name = each.mention.sentence, each.mention.name
        beside = courtesy_beside(sentence.even, sentence.start, sentence.end, (name.start, name.end))
        welcomes += beside is Courtesy.RECEIVES
    return math.log1p(len(introducing) + welcomes)


def _evidence(pieces: Iterable[Piece]) -> dict[Pair, dict[Feature, float]]:
    """-log of doubt by pair and method; what one turn says by one method counts once."""
    weights: dict[tuple[Pair, NameMethod, int], float] = defaultdict(float)
    for piece in pieces:
        key = ((piece.speaker, piece.person), piece.method, piece.turn)
        weights[key] = max(weights[key], piece.weight)
    found: dict[Pair, dict[Feature, float]] = defaultdict(lambda: defaultdict(float))
    for (pair, method, _), weight in weights.items():
        if method in _METHODS:
            strength = found[pair][_METHODS[method]] - math.log(1 - min(weight, MOST_OF_ONE))
            found[pair][_METHODS[method]] = min(strength, MOST_EVIDENCE)
    return found


def _traits_of(talk: Talk) -> dict[str, _Traits]:
    """The traits of every talker. Half a question and a hundred words more keep who says little near the mean."""
    lengths, asking = {}, {}
    for voice in talk.talkers:
        turns = talk.turns_of(voice)
        words = talk.words_of(voice)
        questions = sum(text.count("?") for i in turns for text in talk.texts[i])
        lengths[voice] = math.log((words + 1) / len(turns))
        asking[voice] = math.log((questions + 0.5) / (words / 100 + 1))
    mean_length = sum(lengths.values()) / max(len(lengths), 1)
    mean_asking = sum(asking.values()) / max(len(asking), 1)
    even = sum(talk.words_of(voice) + 1 for voice in talk.talkers) / max(len(talk.talkers), 1)
    parts = {voice: math.log((talk.words_of(voice) + 1) / even) for voice in talk.talkers}
    return {
        voice: _Traits(lengths[voice] - mean_length, asking[voice] - mean_asking, parts[voice])
        for voice in talk.talkers
    }
