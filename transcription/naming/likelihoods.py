"""What a mention says about each voice: how often who is called so is the one who speaks, answers, spoke before.

The shares were counted on published talk with known speakers: 200 episodes of fourteen shows, drawn by lot, with some
3,200 mentions of people who take part (2026-11-28; docs/names.md). `SHARES` is of talks of three voices and more,
rounded; where a kind was met less than 20 times (most of `EDGE`), it stands nearer to its neighbours than the count.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from transcription.naming.mentions import Manner, Mention, Place, around
from transcription.naming.talk import Talk


@dataclass(frozen=True, slots=True)
class Shares:
    """Whose name was said, of a hundred times."""

    own: float  #: of the voice that says it
    following: float  #: of the one that comes next; where `SAME`, of the only one around
    before: float
    another: float


SHARES: Mapping[tuple[Manner, Place], Shares] = {
    (Manner.ASKED, Place.ENTRANCE): Shares(1, 93, 4, 2),
    (Manner.ASKED, Place.SAME): Shares(1, 92, 0, 7),
    (Manner.ASKED, Place.BETWEEN): Shares(1, 88, 7, 4),
    (Manner.ASKED, Place.EDGE): Shares(2, 60, 10, 28),
    (Manner.CALLED_LAST, Place.ENTRANCE): Shares(1, 95, 1, 3),
    (Manner.CALLED_LAST, Place.SAME): Shares(1, 77, 0, 22),
    (Manner.CALLED_LAST, Place.BETWEEN): Shares(1, 74, 17, 8),
    (Manner.CALLED_LAST, Place.EDGE): Shares(2, 20, 15, 63),
    (Manner.CALLED_FIRST, Place.ENTRANCE): Shares(4, 90, 1, 5),
    (Manner.CALLED_FIRST, Place.SAME): Shares(1, 80, 0, 19),
    (Manner.CALLED_FIRST, Place.BETWEEN): Shares(2, 57, 30, 11),
    (Manner.CALLED_FIRST, Place.EDGE): Shares(1, 28, 26, 45),
    (Manner.CALLED_WITHIN, Place.ENTRANCE): Shares(4, 20, 20, 56),
    (Manner.CALLED_WITHIN, Place.SAME): Shares(3, 77, 0, 20),
    (Manner.CALLED_WITHIN, Place.BETWEEN): Shares(7, 29, 35, 29),
    (Manner.CALLED_WITHIN, Place.EDGE): Shares(4, 20, 25, 51),
    (Manner.GREETED, Place.ENTRANCE): Shares(1, 94, 3, 2),
    (Manner.GREETED, Place.SAME): Shares(10, 86, 0, 4),
    (Manner.GREETED, Place.BETWEEN): Shares(5, 75, 10, 10),
    (Manner.GREETED, Place.EDGE): Shares(5, 30, 35, 30),
    (Manner.THANKED, Place.ENTRANCE): Shares(2, 8, 80, 10),
    (Manner.THANKED, Place.SAME): Shares(2, 80, 0, 18),
    (Manner.THANKED, Place.BETWEEN): Shares(2, 40, 50, 8),
    (Manner.THANKED, Place.EDGE): Shares(2, 8, 60, 30),
    (Manner.IN_FULL, Place.ENTRANCE): Shares(7, 70, 9, 14),
    (Manner.IN_FULL, Place.SAME): Shares(15, 70, 0, 15),
    (Manner.IN_FULL, Place.BETWEEN): Shares(6, 62, 20, 12),
    (Manner.IN_FULL, Place.EDGE): Shares(16, 13, 16, 55),
}
#: Of a hundred names said by one of two voices, how many are the speaker's own: of those in full 6 of 93, of the
#: others between commas 6 of 450. Rounded up.
OWN_OF_TWO_IN_FULL, OWN_OF_TWO_CALLED = 7.0, 1.5
#: Of a hundred names that call nobody ("Ana wrote that"), how many are the speaker's own: 34 of 889, and between two
#: voices 33 of 163, for a show may bear the name of its host.
OWN_SPOKEN_OF, OWN_OF_TWO_SPOKEN_OF = 4.0, 20.0
LEAST = 0.5  #: no voice is held for less likely than this of a hundred, whatever was counted


def chances(talk: Talk, mention: Mention) -> dict[str, float]:
    """How likely each talker is the one whom a mention names, if it is one of them. Empty where nothing is clear.

    Who is only spoken of may be any other voice: that the name is said there says no more than whose it is not.
    """
    speaker, count = talk.turns[mention.turn].speaker, len(talk.talkers)
    found = around(talk, mention.turn)
    if found is None or speaker not in talk.talkers or count < 2:
        return {}
    if mention.manner is Manner.SPOKEN_OF or count == 2:
        own = _own_share(mention.manner, count)
        near: dict[str | None, float] = {
            speaker: min(own, 100 / count) if mention.manner is Manner.SPOKEN_OF else own
        }
    else:
        shares = SHARES[mention.manner, found.place]
        near = {speaker: shares.own, found.before: shares.before, found.following: shares.following}
        if found.before == found.following:
            near[found.following] = shares.following + shares.before
    far = [voice for voice in talk.talkers if voice not in near]
    rest = 100 - sum(share for voice, share in near.items() if voice in talk.talkers)
    return {voice: max(near[voice] if voice in near else rest / len(far), LEAST) / 100 for voice in talk.talkers}


def odds(mention: Mention, speaker: str | None, found: Mapping[str, float]) -> dict[str, float]:
    """What `chances` adds to the belief in each voice: the log of its chance to an even one."""
    even = {voice: math.log(chance * len(found)) for voice, chance in found.items()}
    if mention.manner is Manner.SPOKEN_OF:
        return {voice: each if voice == speaker else 0.0 for voice, each in even.items()}
    return even


def _own_share(manner: Manner, voices: int) -> float:
    if manner is Manner.SPOKEN_OF:
        return OWN_OF_TWO_SPOKEN_OF if voices == 2 else OWN_SPOKEN_OF
    return OWN_OF_TWO_IN_FULL if manner is Manner.IN_FULL else OWN_OF_TWO_CALLED


@dataclass(frozen=True, slots=True)
class Said:
    """What one turn says of one person: its clearest mention, and the log of chance to even chance of each talker."""

    mention: Mention
    chances: Mapping[str, float]
    odds: Mapping[str, float]


def said_of(talk: Talk, mentions: Iterable[Mention]) -> list[Said]:
    """What the turns say of the people: one turn says a thing once, by its clearest mention."""
    clearest: dict[tuple[int, int], Said] = {}
    for mention in mentions:
        found = chances(talk, mention)
        if not found:
            continue
        key = (mention.person, mention.turn)
        if key not in clearest or _clearness(mention, found) > _clearness(
            clearest[key].mention, clearest[key].chances
        ):
            speaker = talk.turns[mention.turn].speaker
            clearest[key] = Said(mention, found, odds(mention, speaker, found))
    return list(clearest.values())


def _clearness(mention: Mention, found: Mapping[str, float]) -> tuple[bool, float]:
    return mention.manner is not Manner.SPOKEN_OF, max(found.values())
