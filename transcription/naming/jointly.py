"""Who is who by all the mentions of a talk at once: the participants are given out to the voices together.

What others call a voice speaks for it, and a name that a voice says itself speaks against it (`likelihoods`). Of all
the ways to give the list out, the likeliest is taken, and of that only the names without which every way is much less
likely.

Of a list as long as there are voices everybody is taken to be there, so that a name which one voice alone says, to
another or of it, can be enough. Of any other list somebody may be away, and a voice has to be called by two.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from schemas.transcript import NameMethod
from transcription.naming.answers import YOU
from transcription.naming.assignment import best_assignment
from transcription.naming.decisions import ELIMINATION_SECONDS, LEFT_OVER, Decision, expected_and_left, strengths_of
from transcription.naming.evidence import OF_A_TELLING, TOLD_CHARACTERS, Piece
from transcription.naming.likelihoods import Said, said_of
from transcription.naming.mentions import Manner, Mention
from transcription.naming.people import Person
from transcription.naming.talk import Talk

SURE = 2.0  #: a name is given where every way without it is e to the power of this less likely
#: So many other voices must call a voice by a name where the list is not as long as there are voices. One who calls
#: may call his dog, somebody who is away, or himself in a tale.
CALLERS = 2
TAKES_PART = math.log(0.85 / 0.15)  #: log odds that somebody on the list is one of the voices; assumed
COMPLETE = math.log(0.98 / 0.02)  #: the same where the list is as long as there are voices; assumed
AN_OUTSIDER = 0.69  #: evidence (-log of doubt, here of a half) from which a voice may be somebody not on the list
TELLINGS = 3  #: turns of others that speak of somebody without calling; the title of a show says a name once or twice
#: The highest confidence: how all are called is never as good as being told, and teaches no voice (`known_voices`).
MOST = 0.89
NAMED = 4.0  #: log odds that a name given by other evidence is right: about 98 of 100 were on that talk
TOLD = frozenset({Manner.SPOKEN_OF, Manner.IN_FULL})  #: manners in which nobody is called
SUREST = 0.97  #: the most that one piece of evidence is worth


def named_jointly(
    talk: Talk,
    people: Sequence[Person],
    pieces: Sequence[Piece],
    named: Mapping[str, Decision],
    mentions: Sequence[Mention],
) -> dict[str, Decision]:
    """Names of participants for voices that are without, by how all are called and spoken of all through the talk.

    A voice of which anything says that it is somebody else stays without; nobody is given who is said to be away.
    """
    away = {mention.person for mention in mentions if mention.manner is Manner.AWAY}
    left = expected_and_left(talk, people, named)
    expected = sorted({*left, *(each.person for each in named.values() if people[each.person].participant)})
    voices = [voice for voice in talk.talkers if voice not in talk.fixed]
    if not left or all(voice in named for voice in voices):
        return {}
    said = said_of(talk, [mention for mention in mentions if mention.person not in away])
    beliefs = _beliefs(talk, said, expected, named)
    values = [[beliefs[voice, person] for person in expected] for voice in voices]
    chosen, likeliest = best_assignment(values)
    found: dict[str, Decision] = {}
    for row, column in enumerate(chosen):
        if column is None or voices[row] in named or expected[column] not in left:
            continue
        voice, person = voices[row], expected[column]
        calls = calls_of(talk, said, voice, person)
        is_last = len(left) == 1 and all(each in named for each in voices if each != voice)
        if not are_enough(talk, voice, calls, is_last=is_last) or is_said_otherwise(pieces, people, voice, person):
            continue
        without = [list(each) for each in values]
        without[row][column] = -math.inf
        margin = likeliest - best_assignment(without)[1]
        if margin >= SURE:
            own = with_calls(pieces, calls, voice, person)
            most = LEFT_OVER if is_last else MOST
            strength = min(margin + math.log1p(math.exp(-margin)), -math.log(1 - most))
            found[voice] = Decision(person, strength, own, own[0].method)
    return found


def are_enough(talk: Talk, voice: str, calls: Sequence[Said], *, is_last: bool) -> bool:
    """Whether what is said of a voice is enough to believe a name of it, were it likely.

    Where the list is whole, one call is enough among three voices and more. Between two it has to be said to somebody
    as a turn begins or ends, since one may call himself in a tale; else it takes calls in two turns. Who is only
    spoken of needs `TELLINGS`; the last voice of all needs one mention.
    """
    callers = {talk.turns[call.mention.turn].speaker for call in calls}
    manners = {call.mention.manner for call in calls}
    if not calls or not talk.is_listed_whole:
        return len(callers) >= CALLERS
    if is_last:
        return talk.speaks_its_part(voice)
    if talk.seconds_of(voice) < ELIMINATION_SECONDS:
        return len(callers) >= CALLERS and not manners <= TOLD
    if manners <= TOLD:
        return len(calls) >= TELLINGS
    if len(talk.talkers) == 2:
        return len(calls) > 1 or any(_is_said_to_the_other(call.mention) for call in calls)
    return len(calls) > 1 or not manners <= {Manner.CALLED_WITHIN}


def _is_said_to_the_other(mention: Mention) -> bool:
    """Whether a call stands where one turn meets another, so that no tale is told around it."""
    is_at_an_end = mention.manner is not Manner.CALLED_FIRST or mention.sentence.from_start == 0
    return is_at_an_end and mention.manner is not Manner.CALLED_WITHIN and is_said_to_somebody(mention)


def is_said_to_somebody(mention: Mention) -> bool:
    """Whether a name is called in a question, beside a courtesy or a "you", and no tale leads to it."""
    if mention.manner in TOLD or mention.manner is Manner.AWAY:
        return False
    sentence = mention.sentence
    said = sentence.even[sentence.start : sentence.end]
    is_to_somebody = mention.manner in (Manner.ASKED, Manner.GREETED, Manner.THANKED) or YOU.search(said)
    before = sentence.even[max(0, mention.name.start - TOLD_CHARACTERS) : mention.name.start]
    return bool(is_to_somebody) and OF_A_TELLING.search(before) is None


def is_said_otherwise(pieces: Sequence[Piece], people: Sequence[Person], voice: str, person: int) -> bool:
    """Whether the voice gives itself another name or is told to be somebody who is not on the list, or another voice
    gives itself this name."""
    outsiders = [
        strength
        for (each, who), strength in strengths_of(pieces).items()
        if each == voice and people[who].participant is None
    ]
    return introduces_otherwise(pieces, voice, person) or max(outsiders, default=0.0) >= AN_OUTSIDER


def introduces_otherwise(pieces: Sequence[Piece], voice: str, person: int) -> bool:
    """Whether the voice gives itself another name, or another voice gives itself this one."""
    return any(
        piece.method is NameMethod.SELF_INTRODUCTION and (piece.speaker == voice) != (piece.person == person)
        for piece in pieces
    )


def _beliefs(
    talk: Talk, said: Sequence[Said], expected: Sequence[int], named: Mapping[str, Decision]
) -> dict[tuple[str, int], float]:
    """Log odds that each voice is each person, rather than that the person is not there."""
    there = COMPLETE if talk.is_listed_whole else TAKES_PART - math.log(len(talk.talkers))
    beliefs = {(voice, person): there for voice in talk.talkers for person in expected}
    for (voice, person), _ in list(beliefs.items()):
        if voice in named and person == named[voice].person:
            beliefs[voice, person] += NAMED
        elif voice in named and named[voice].person not in expected:
            beliefs[voice, person] -= NAMED
    for each in said:
        for voice, odd in each.odds.items():
            if (voice, each.mention.person) in beliefs:
                beliefs[voice, each.mention.person] += odd
    return beliefs


def calls_of(talk: Talk, said: Sequence[Said], voice: str, person: int) -> list[Said]:
    """Where somebody is called who is most likely this voice; else, of a whole list, where others speak of him."""
    own = [each for each in said if each.mention.person == person]
    called = [
        each
        for each in own
        if each.mention.manner not in TOLD
        and each.chances[voice] == max(each.chances.values())
        and each.odds[voice] > 0
    ]
    if called or not talk.is_listed_whole:
        return called
    return [each for each in own if talk.turns[each.mention.turn].speaker != voice]


def with_calls(pieces: Sequence[Piece], calls: Sequence[Said], voice: str, person: int) -> tuple[Piece, ...]:
    """Everything that speaks for a name, the clearest first; the confidence of a call is its chance."""
    found = [each for each in pieces if (each.speaker, each.person) == (voice, person)]
    turns = {each.turn for each in found}
    for each in calls:
        mention = each.mention
        offset, quote = mention.quote()
        if mention.turn not in turns:
            piece = Piece(
                speaker=voice,
                person=person,
                weight=min(each.chances[voice], SUREST),
                method=NameMethod.ADDRESS if mention.manner not in TOLD else NameMethod.PARTICIPANT,
                quote=quote,
                turn=mention.turn,
                paragraph=mention.sentence.paragraph,
                offset=offset,
                heard=mention.name.text,
            )
            found.append(piece)
    return tuple(sorted(found, key=lambda piece: (-piece.weight, piece.turn, piece.offset)))
