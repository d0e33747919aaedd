"""How people who are expected are spoken to and spoken of, all through the talk, and who they may be by that.

One mention proves little: a name between commas may be anybody's. But who is called is nearly always the voice that
answers or the one before, and hardly ever the one who speaks, so that an hour of mentions tells voices apart
(`likelihoods`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from transcription.courtesies import greets_before, thanks_before
from transcription.given_names import is_given_name
from transcription.names_in_sentences import (
    Sentence,
    is_absent,
    is_credited,
    is_explained,
    is_from_afar,
    is_replaced,
    is_reported,
    quotable,
    sentences_of,
)
from transcription.naming.claims import NEW_VOICE_WORDS
from transcription.naming.people import Person, calls
from transcription.naming.presentations import is_of_a_show
from transcription.naming.talk import Talk
from transcription.naming.vocatives import GOES_ON_ABOUT, MAY_END, OPENING
from transcription.spoken_names import SpokenName, read_name


class Manner(StrEnum):
    """How a name is said."""

    ASKED = "asked"  #: between commas, in a question near the end of a turn
    CALLED_LAST = "called last"  #: between commas, near the end of a turn
    CALLED_FIRST = "called first"  #: between commas, in the first sentences of a turn
    CALLED_WITHIN = "called within"  #: between commas, anywhere else
    GREETED = "greeted"  #: behind a greeting
    THANKED = "thanked"  #: behind thanks
    IN_FULL = "in full"  #: with the surname
    SPOKEN_OF = "spoken of"  #: in any other way
    AWAY = "away"  #: and is not there: "Wilma is ill this week"


class Place(StrEnum):
    """What is known of the voices around the turn in which a name is said."""

    ENTRANCE = "entrance"  #: the voice that comes next was not heard before
    SAME = "same"  #: the voice that comes next is the one that spoke before
    BETWEEN = "between"  #: they are two
    EDGE = "edge"  #: only one of them is clear


@dataclass(frozen=True, slots=True)
class Mention:
    """A name of somebody expected, where it stands."""

    person: int
    turn: int
    manner: Manner
    sentence: Sentence
    name: SpokenName

    def quote(self) -> tuple[int, str]:
        """The sentence or the part of it around the name, and the character where that begins."""
        begin, end = quotable(self.sentence, self.name)
        text = self.sentence.text[begin:end].strip()
        return self.sentence.text.index(text, begin), text


_CAPITALISED = re.compile(r"(?<![\w’'-])[^\W\d_a-z][\w’'-]*")
_OF_ONESELF = re.compile(r"\b(?:i'?m|i am|my name is|my name's|this is|it's)\s+$", re.I)
_CLOSED = re.compile(r"\s*(?:[.,?!…;–—-]|$)")
_AFTER_A_COMMA = re.compile(r"[,;–—-]\s+(?:(?:and|but|so|well|now|oh|yeah|you know|i mean)\s+)?$", re.I)
_AND = re.compile(r"\b(?:and|or)\s+$", re.I)
_AND_OTHERS = re.compile(r"\s*,?\s*(?:and|or)\b", re.I)
_WORD_BEFORE = re.compile(r"([\w'-]+)\s+$")
_NEAR = 3  #: so many first and last sentences of a turn


def find_mentions(talk: Talk, people: Sequence[Person], whom: Collection[int]) -> Iterator[Mention]:
    """Every mention of one of `whom` (indexes into the people) by a name that calls no other of them.

    Words told of others are left out.
    """
    called_by: dict[str, tuple[int, ...]] = {}
    for turn, texts in enumerate(talk.texts):
        if talk.turns[turn].speaker is None:
            continue
        sentences: Sequence[Sentence] = ()
        for paragraph, text in enumerate(texts):
            end = -1
            for word in _CAPITALISED.finditer(text):
                if word.start() < end or not _expected(people, whom, word.group(), called_by):
                    continue
                name = read_name(text, word.start())
                if name is None or talk.is_title(name) or is_of_a_show(text, name):
                    continue
                end = name.end
                meant = _expected(people, whom, name.text, called_by)
                sentences = sentences or sentences_of(texts)
                sentence = _sentence_at(sentences, paragraph, name.start)
                if len(meant) == 1 and sentence is not None:
                    manner = _manner(sentence, name)
                    if manner is not None:
                        yield Mention(meant[0], turn, manner, sentence, name)


def _expected(
    people: Sequence[Person], whom: Collection[int], name: str, called_by: dict[str, tuple[int, ...]]
) -> tuple[int, ...]:
    """Which of `whom` go by a name. `called_by` keeps the answers."""
    if name not in called_by:
        meant = [i for i in whom if calls(people[i], name)]
        exact = [i for i in meant if people[i].given.casefold() == name.casefold()]
        called_by[name] = tuple(exact if len(exact) == 1 else meant)  # "Danny" is Danny, not the Daniel beside him
    return called_by[name]


def _sentence_at(sentences: Sequence[Sentence], paragraph: int, at: int) -> Sentence | None:
    return next((each for each in sentences if each.paragraph == paragraph and each.start <= at < each.end), None)


def _manner(sentence: Sentence, name: SpokenName) -> Manner | None:
    """How a name is said; None where it tells of nobody in the room, or of the speaker."""
    before, rest = sentence.even[sentence.start : name.start], sentence.even[name.end : sentence.end]
    if _OF_ONESELF.search(before) or is_reported(sentence, name.start):
        return None
    if is_credited(sentence, name):
        return None
    if is_absent(sentence, name.end) or is_replaced(sentence, name) or is_from_afar(sentence):
        return Manner.AWAY
    is_closed = _CLOSED.match(rest) is not None
    if is_closed and greets_before(before):
        return Manner.GREETED
    if is_closed and thanks_before(before):
        return Manner.THANKED
    if name.is_full:
        return Manner.IN_FULL
    opening = OPENING.match(before)
    is_first = not before[opening.end() if opening else 0 :].strip()
    is_set_off = is_closed and (is_first or _AFTER_A_COMMA.search(before) or _is_tagged_on(before, rest))
    is_listed = _AND_OTHERS.match(rest) or _AND.search(before)
    if not is_set_off or is_listed or GOES_ON_ABOUT.match(rest) or is_explained(before):
        return Manner.SPOKEN_OF if is_given_name(name.text) else None
    if sentence.from_end < _NEAR and sentence.even[sentence.start : sentence.end].rstrip().endswith("?"):
        return Manner.ASKED
    if sentence.from_end < _NEAR and sentence.from_start > 0:
        return Manner.CALLED_LAST
    return Manner.CALLED_FIRST if sentence.from_start < _NEAR else Manner.CALLED_WITHIN


def _is_tagged_on(before: str, rest: str) -> bool:
    """ "What are we going to do about it Ana?": the recognizer gave no comma, and the words before need no more."""
    word = _WORD_BEFORE.search(before)
    return not rest.strip(" .?!…") and word is not None and word[1].casefold() in MAY_END


@dataclass(frozen=True, slots=True)
class Around:
    """The voices around a turn."""

    place: Place
    before: str | None
    following: str | None


def around(talk: Talk, turn: int) -> Around | None:
    """The voices around a turn; None where neither is clear."""
    before, following = talk.neighbour(turn, -1), talk.neighbour(turn, 1)
    if before is None and following is None:
        return None
    if following is not None and talk.words_before(following, turn) <= NEW_VOICE_WORDS:
        return Around(Place.ENTRANCE, before, following)
    if before == following:
        return Around(Place.SAME, before, following)
    return Around(Place.BETWEEN if before and following else Place.EDGE, before, following)
