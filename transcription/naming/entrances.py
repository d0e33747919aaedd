"""Evidence from a voice's entrance: somebody is spoken of in full, and then a new voice is heard."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from schemas.transcript import NameMethod
from transcription.introductions import full_names, is_of_oneself, receives
from transcription.naming.evidence import Piece
from transcription.naming.people import Person, is_known, person_of
from transcription.naming.talk import Talk
from transcription.spoken_names import FULL_UNKNOWN, SpokenName

ENTRANCE = 0.35  #: weight of being spoken of in full right before the voice is heard for the first time
ENTRANCE_EXPECTED = 0.45  #: the same for a participant; still not enough alone
ENTRANCE_RECEIVED = 0.65  #: the same where the turn ends with a welcome
SURE = 0.6  #: from this weight on, what is said later gives the person to another voice, too
RECEIVING_WORDS = 12  #: at the end of a turn, in which a welcome is looked for
#: Somebody who writes in is spoken of like somebody who comes on.
_OF_LETTERS = re.compile(
    r"\b(?:writes?|wrote|written|asks|asked|letters?|e-?mails?|messages?|tweets?|listeners?)\b", re.I
)


def pieces_by_entrance(talk: Talk, people: list[Person], pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Who is spoken of in full right before a voice is heard for the first time may be that voice.

    Only the one person in that turn whom nothing yet gives to another voice, and hardly enough alone. Adds to
    `people` who was not known before.
    """
    for voice in talk.talkers:
        entrance = talk.turns_of(voice)[0]
        told: dict[int, set[str]] = defaultdict(set)
        for piece in pieces:
            if piece.turn < entrance or piece.weight >= SURE:
                told[piece.person].add(piece.speaker)
        if entrance == 0 or talk.turns[entrance - 1].speaker is None:
            continue
        if any(_OF_LETTERS.search(text) for text in talk.texts[entrance - 1]):
            continue
        turn = entrance - 1
        found: dict[int, tuple[int, SpokenName]] = {}
        for paragraph, text in enumerate(talk.texts[turn]):
            for name in full_names(text):
                if is_of_oneself(text, name.start):
                    continue  # said of whoever speaks, and in reported speech of neither
                person = person_of(people, name.text)
                if person is None and name.likelihood >= FULL_UNKNOWN and not is_known(people, name.text):
                    people.append(Person(name.text, None, name.honorific))
                    person = len(people) - 1
                if person is not None and " " in people[person].full and not talk.is_title(name):
                    found[person] = (paragraph, name)
        teller = talk.turns[turn].speaker
        new = [person for person in found if told[person] <= {voice} and not _names_own(pieces, teller, person)]
        if len(new) != 1:
            continue
        paragraph, name = found[new[0]]
        is_expected = people[new[0]].participant is not None
        is_received = receives(" ".join(talk.texts[turn][-1].split()[-RECEIVING_WORDS:]))
        weight = ENTRANCE_RECEIVED if is_received else ENTRANCE_EXPECTED if is_expected else ENTRANCE
        weight *= 1.0 if is_expected else name.likelihood
        quote = talk.texts[turn][paragraph][name.start : name.end]
        yield Piece(
            voice,
            new[0],
            weight,
            NameMethod.HOST_INTRODUCTION,
            quote,
            turn,
            paragraph,
            name.start,
            name.text,
        )


def _names_own(pieces: Sequence[Piece], voice: str | None, person: int) -> bool:
    """Whether a voice says that the person is itself."""
    return any(
        piece.person == person and piece.speaker == voice and piece.method is NameMethod.SELF_INTRODUCTION
        for piece in pieces
    )
