"""The people whom a talk is with or about: the participants, and who is named in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.episode import Participant
from transcription.given_names import are_forms_of_one_name, is_beginning_of, is_given_name, may_be_given_name
from transcription.names_in_sentences import CALLS
from transcription.naming.claims import Heard
from transcription.naming.talk import Talk
from transcription.soundalike import ANYWHERE, IN_NAME_SLOT, fold, similarity, skeleton
from transcription.spoken_names import FULL_KNOWN, SpokenName

_SAME_SURNAME = 0.8  #: similarity from which two spellings of a full name are one person ("Carter", "Carterer")

CALLS_BY_ONE_NAME = 3  #: who is called so often by one name has that, and no longer one that begins otherwise
#: How no English word begins: "kball" is an initial and a surname, "price" is not Paul Rice.
_IS_NO_WORD = re.compile(
    r"(?!(?:[bcdfgkptw]r|[bcfgkps]l|s[ckmnpqtw]|[cgpstw]h|dw|kn|ps|tw|wr|gn))[^\W\daeiouy]{2}\w{2}"
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is spoken of or expected. `full` is without honorific."""

    full: str
    participant: Participant | None = None
    honorific: str | None = None

    @property
    def given(self) -> str:
        return self.full.split()[0]


def people_of(talk: Talk, heard: Sequence[Heard]) -> tuple[Person, ...]:
    """The participants, then everybody else who is named in full, then those who have a given name only.

    Spellings that sound alike are one person; the one heard most often stands, the first of equals.
    """
    people = [Person(each.name, each, each.honorific) for each in talk.participants if each.name]
    names = [each.claim.name for each in heard]
    counts = Counter(name.text for name in names)
    for name in sorted((name for name in names if name.is_full), key=lambda name: -counts[name.text]):
        is_new = person_of(people, name.text) is None and not is_known(people, name.text)
        if is_new and not _is_only_spoken_of(heard, name) and not _is_a_call_and_more(heard, name):
            people.append(Person(name.text, None, name.honorific))
    for name in names:
        if not name.is_full and not is_known(people, name.text):
            people.append(Person(name.text, None, name.honorific))
    return tuple(people)


def _is_only_spoken_of(heard: Sequence[Heard], full: SpokenName) -> bool:
    """Whether a full name is only called, without a courtesy, and somebody by another form of its given name.

    "Michael, what do you think?" is not said to the Mike Tyson of the same talk.
    """
    is_another_called = any(
        not each.claim.name.is_full
        and each.claim.name.text != full.words[0]
        and are_forms_of_one_name(each.claim.name.text, full.words[0])
        for each in heard
    )
    return not is_met(heard, full.text) and is_another_called


def is_met(heard: Sequence[Heard], full: str) -> bool:
    """Whether somebody is introduced by a full name, or called by it beside a courtesy."""
    claims = [each.claim for each in heard if each.claim.name.text == full]
    return any(each.whom not in CALLS or each.courtesy is not None for each in claims)


def _is_a_call_and_more(heard: Sequence[Heard], full: SpokenName) -> bool:
    """Whether somebody is called by the last word alone and the first is no given name: "Go Adam", "Page Adam".

    The first may be one where the last is called often, and nobody by the first or introduced so: "Page me, Adam".
    """
    first, last = full.words[0], full.words[-1]
    called = Counter(each.claim.name.text for each in heard)
    is_called_often = is_given_name(last) and called[last] >= CALLS_BY_ONE_NAME
    if is_called_often and not called[first] and not is_met(heard, full.text):
        return True
    if may_be_given_name(first) or full.likelihood >= FULL_KNOWN:
        return False
    return called[last] >= (1 if is_given_name(last) else CALLS_BY_ONE_NAME)


def is_known(people: Sequence[Person], name: str) -> bool:
    """Whether a name calls at least one of the people; several make it ambiguous, not new."""
    return any(calls(person, name) for person in people)


def person_of(people: Sequence[Person], name: str) -> int | None:
    """The one person whom a name calls; None where nobody, or more than one, goes by it."""
    exact = [i for i, person in enumerate(people) if fold(person.full) and fold(person.full) == fold(name)]
    if len(exact) == 1:
        return exact[0]
    matching = [i for i, person in enumerate(people) if calls(person, name)]
    if len(matching) > 1:
        given = [i for i in matching if people[i].given.casefold() == name.casefold()]
        if len(given) == 1:
            return given[0]  # "Danny" is Danny, not the Daniel beside him
        best = max(similarity(people[i].full, name) for i in matching)
        nearest = [i for i in matching if similarity(people[i].full, name) == best]
        is_clear = len(name.split()) > 1 and len(nearest) == 1
        return nearest[0] if is_clear else None
    return matching[0] if matching else None


def calls(person: Person, name: str) -> bool:
    """Whether `name`, as heard, may call the person: in full, by alias, given name, short form, or surname."""
    if name.casefold() == person.full.casefold() or (fold(name) and fold(name) == fold(person.full)):
        return True
    aliases = person.participant.aliases if person.participant else ()
    if any(name.casefold() == alias.casefold() for alias in aliases):
        return True
    words = name.split()
    parts = person.full.split()
    if len(words) < len(parts) and [fold(word) for word in words] == [fold(part) for part in parts[: len(words)]]:
        return True  # "María José" of "María José Soler"
    if len(words) == 1:
        if len(parts) > 1 and fold(words[0]) == fold(parts[0][0] + parts[-1]) and _IS_NO_WORD.match(fold(words[0])):
            return True  # "Kball" of "Kevin Ball"
        given = (parts[0], *(alias.split()[0] for alias in aliases if alias.strip()))
        if any(are_forms_of_one_name(words[0], each) for each in given):
            return True
        if len(parts) > 1 and fold(words[0]) == fold(parts[-1]) and fold(words[0]):
            return True  # "Professor Lindqvist"
        if person.participant is not None and is_beginning_of(words[0], parts[0]):
            return True
        is_expected = person.participant is not None or len(parts) > 1
        return is_expected and _is_same_given_name_by_sound(words[0], parts[0])
    if len(parts) == 1:  # who is listed by a given name alone may say the surname, too
        return person.participant is not None and are_forms_of_one_name(words[0], parts[0])
    if are_forms_of_one_name(words[0], parts[0]) and fold(words[-1]) == fold(parts[-1]):
        return True
    alike = similarity(name, person.full)
    if person.participant is not None:
        return alike >= IN_NAME_SLOT
    is_one_given = are_forms_of_one_name(words[0], parts[0]) or _is_same_given_name_by_sound(words[0], parts[0])
    return alike >= _SAME_SURNAME and is_one_given


def _is_same_given_name_by_sound(heard: str, given: str) -> bool:
    """ "Hellen" is Helen; "Allen" is not: one word must begin alike and have the same consonants."""
    one, other = fold(heard), fold(given)
    return bool(
        one
        and other
        and one[0] == other[0]
        and len(skeleton(given)) >= 2
        and skeleton(heard) == skeleton(given)
        and similarity(heard, given) >= ANYWHERE
    )
