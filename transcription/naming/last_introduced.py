"""The one person left of those whom a talk introduces, for the one voice left: by elimination.

"I'm Ada, my co-host is Bram, and our guest is Cleo Marsh": two of them are named by what else is said, and one other
voice talks. Who is introduced as a talk begins takes part in it, as a participant of a list would.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from schemas.transcript import NameMethod
from transcription.given_names import is_given_name
from transcription.names_in_sentences import Whom
from transcription.naming.claims import NEW_VOICE_WORDS, Heard
from transcription.naming.decisions import ELIMINATION_SECONDS, LEFT_OVER, Decision, is_named, is_same
from transcription.naming.evidence import METHOD, OPENING_PART, Piece
from transcription.naming.jointly import TOLD
from transcription.naming.mentions import Manner, find_mentions
from transcription.naming.people import Person, person_of
from transcription.naming.talk import Talk


def last_introduced(
    talk: Talk,
    people: Sequence[Person],
    heard: Sequence[Heard],
    pieces: Sequence[Piece],
    named: Mapping[str, Decision],
) -> dict[str, Decision]:
    """A name for the last voice of all, where one person is left who was introduced.

    Only where three or more talk, all the others have names, and the voice speaks for a minute or more; to one that
    was not heard before, did not introduce the person itself, and calls nobody so. Where there is a list, the person
    is on it.
    """
    left = talk.without_name(named)
    introduced = _introduced(talk, people, heard, named)
    if len(left) != 1 or len(introduced) != 1 or len(talk.talkers) < 3:
        return {}
    voice, (person, claims) = left[0], next(iter(introduced.items()))
    is_unexpected = bool(talk.participants) and people[person].participant is None
    if talk.seconds_of(voice) < ELIMINATION_SECONDS or is_unexpected:
        return {}
    is_itself = any(talk.turns[each.turn].speaker == voice for each in claims)
    was_heard = all(talk.words_before(voice, each.turn) > NEW_VOICE_WORDS for each in claims)
    is_another = any(
        piece.speaker == voice and piece.person != person and piece.method is NameMethod.SELF_INTRODUCTION
        for piece in pieces
    )
    mentions = list(find_mentions(talk, people, [person]))
    is_called = any(talk.turns[each.turn].speaker == voice and each.manner not in TOLD for each in mentions)
    is_away = any(each.manner is Manner.AWAY for each in mentions)
    if is_itself or was_heard or is_another or is_called or is_away:
        return {}
    claim = claims[0].claim
    piece = Piece(
        voice, person, LEFT_OVER, METHOD[claim.whom], claim.quote, claims[0].turn, claim.paragraph, claim.offset,
        claim.name.text,
    )  # fmt: skip
    return {voice: Decision(person, -math.log(1 - LEFT_OVER), (piece,), NameMethod.ELIMINATION)}


def _introduced(
    talk: Talk, people: Sequence[Person], heard: Sequence[Heard], named: Mapping[str, Decision]
) -> dict[int, list[Heard]]:
    """Who is introduced in the first part of a talk and nobody is named as yet, by any name, and where."""
    found: dict[int, list[Heard]] = defaultdict(list)
    taken = [people[each.person] for each in named.values()]
    for each in heard:
        person = person_of(people, each.claim.name.text) if each.claim.whom is Whom.INTRODUCED else None
        if person is None or talk.share_before(each.turn) > OPENING_PART:
            continue
        one = people[person]
        is_name = " " in one.full or is_given_name(one.full)
        is_taken = any(is_same(one, other) for other in taken)
        if is_name and not is_taken and not any(is_named(speaker, one) for speaker in talk.fixed.values()):
            found[person].append(each)
    return found
