"""The people that a page's head lists: their names, what they do, and the initials that stand for them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from formats.blocks import Block
from formats.names import UPPER, first_name, initials, is_name, split_honorific, without_postnominals
from formats.rows import sign_of
from formats.shapes import ends_sentence, is_plain_label

_ROLE_PREFIX = re.compile(
    r"(Chair|(?:Co-)?Hosts?|Guests?|Moderator|Presenter|Interviewe[er]|Narrator|Speakers?|Panell?ists?|With):\s+",
    re.I,
)
#: Who of an interview is its Q, and who its A.
ASKS = frozenset({"interviewer", "host", "moderator"})
ANSWERS = frozenset({"interviewee", "guest", "narrator"})
_QUESTION_KEY = re.compile(r"(?P<short>[QA])\s*(?::|=|[-–—])\s+(?=\S)")
_BOTH_KEYS = re.compile(
    r"Q\s*[:=–—-]\s*(?P<asks>[^,;:=()]+?)\s*[,;/]\s*(?:and\s+)?A\s*[:=–—-]\s*(?P<answers>[^,;:=()]+)"
)
#: White space is looked at from its beginning alone: a line can have a hundred thousand blanks.
_AFTER_NAME = re.compile(r",\s+|(?<!\s)\s+(?:[–—|-]\s+|\()|$")
_KEY = re.compile(rf"(?P<short>[{UPPER}]{{1,4}})\s*(?::|=|[-–—])\s+(?=\S)")
_KEY_AFTER = re.compile(rf"(?<!\s)\s*[(\[](?P<short>[{UPPER}]{{2,4}}|[QA])[)\]]")


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """An entry of a page's list of people."""

    index: int  #: of the block
    name: str
    honorific: str | None
    description: str | None
    role: str | None  #: the word before the name: "Chair"
    short: str | None = None  #: the initials that the page gives for the name: "TF"


def listed_person(index: int, block: Block) -> ListedPerson | None:
    """A bulleted line that begins with a name, a line "TF: Tomas Feld" or "Tomas Feld (TF)", or None."""
    text = block.text
    key = _KEY.match(text)
    if key is not None:
        person = person_in(index, text[key.end() :])
        is_key = person is not None and are_initials(key["short"], person.name)
        return replace(person, short=key["short"]) if person and is_key else None
    after = _KEY_AFTER.search(text)
    if after is not None:
        person = person_in(index, text[: after.start()] + text[after.end() :])
        if person is not None and (after["short"] in "QA" or are_initials(after["short"], person.name)):
            return replace(person, short=after["short"])
    return person_in(index, text) if sign_of(block.lead) else None


def are_initials(short: str, name: str) -> bool:
    """Whether the letters are the initials of the name, of all its parts or of the first and the last."""
    parts = [part[0].upper() for part in re.split(r"[ ‑-]", name) if part]
    return short in (initials(name), "".join(parts), parts[0] + parts[-1])


def explains_initials(block: Block) -> bool:
    """Whether a line explains initials: it has the form of a turn whose speaker says nothing but his name."""
    person = listed_person(0, block)
    return person is not None and person.short is not None and not ends_sentence(block.text)


def short_names(head: Sequence[Block]) -> dict[str, str]:
    """The names behind initials that a page's head explains: "TF: Tomas Feld", "with Tomas Feld (TF)".

    Initials of two entries with other first names are nobody's.
    """
    found: dict[str, str] = {}
    shared: set[str] = set()
    for index, block in enumerate(head):
        person = listed_person(index, block)
        if person is not None and person.short:
            name = found.setdefault(person.short, person.name)
            if first_name(name) != first_name(person.name):
                shared.add(person.short)
        for match in _KEY_AFTER.finditer(block.text):
            before = block.text[: match.start()].split(" ")
            for count in (2, 3, 4, 5):
                name = " ".join(before[-count:])
                if is_name(name) and are_initials(match["short"], name):
                    found.setdefault(match["short"], name)
    return {short: name for short, name in found.items() if short not in shared}


def person_in(index: int, text: str, *, is_sure: bool = False) -> ListedPerson | None:
    """The person an entry begins with; `is_sure`: it stands where nothing but people do, so one name is enough."""
    role = _ROLE_PREFIX.match(text)
    if role:
        text = text[role.end() :]
    end = _AFTER_NAME.search(text)
    printed = text[: end.start()] if end else text
    honorific, rest = split_honorific(" ".join(printed.split()))
    name = without_postnominals(rest)
    is_person = (
        is_name(name)
        if is_sure
        else " " in name and is_plain_label(name, is_caps_style=False, announcer="", is_caps_name=False)
    )
    if not is_person:
        return None
    description = text[end.end() :].strip().removesuffix(")") if end else ""
    return ListedPerson(index, name, honorific, description or None, role[1] if role else None)


def people_listed(blocks: Sequence[Block], *, before: int) -> dict[str, ListedPerson]:
    """The people of the page's head by name, in order."""
    found: dict[str, ListedPerson] = {}
    keys = label_keys(blocks[:before])
    for index, block in enumerate(blocks[:before]):
        person = listed_person(index, block)
        for each in keys.get(index, [person] if person is not None else []):
            found.setdefault(each.name, each)
    return found


def label_keys(blocks: Sequence[Block]) -> dict[int, list[ListedPerson]]:
    """The lines that say whose a label is, by their index: a role or letter, and nothing but a full name.

    "Interviewer: Ada Quill", "Q: Ada Quill" right above or below "A: Tomas Feld", "Q = Ada Quill, A = Tomas Feld".
    Each stands where its label comes first, above what that person says.
    """
    found: dict[int, list[ListedPerson]] = {}
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        both = _BOTH_KEYS.fullmatch(block.text)
        key = _QUESTION_KEY.match(block.text) or _ROLE_PREFIX.match(block.text)
        label = key.group().rstrip(" \t:=–—-").casefold() if key is not None else ""
        if both is not None:
            people = [_keyed(index, both["asks"], "Q"), _keyed(index, both["answers"], "A")]
        elif key is not None and label not in seen:
            text = block.text[key.end() :]
            people = [_keyed(index, text, key["short"]) if len(label) == 1 else _with_role(index, block.text)]
        else:
            continue
        seen.add(label)
        if all(people):
            found[index] = [person for person in people if person is not None]
    letters = {n: each[0].short for n, each in found.items() if len(each) == 1 and each[0].short in ("Q", "A")}
    alone = {
        n for n, short in letters.items() if not {letters.get(n - 1), letters.get(n + 1)} & ({"Q", "A"} - {short})
    }
    return {n: people for n, people in found.items() if n not in alone or blocks[n].text[-1] in ")]"}


def _keyed(index: int, text: str, short: str) -> ListedPerson | None:
    """The person that a key gives for a letter, where nothing stands in it but a full name."""
    honorific, name = split_honorific(" ".join(text.split()))
    is_full = " " in name and is_name(name) and not ends_sentence(name)
    return ListedPerson(index, name, honorific, None, None, short) if is_full else None


def _with_role(index: int, text: str) -> ListedPerson | None:
    """The person behind a role, where nothing follows the name but a letter that stands for it."""
    after = _KEY_AFTER.search(text)
    bare = text[: after.start()] if after is not None and after.end() == len(text) else text
    person = person_in(index, bare)
    if person is None or person.description or ends_sentence(bare) or person.role is None:
        return None
    return replace(person, short=after["short"] if after is not None else None)
