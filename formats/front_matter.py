"""The YAML block that many published pages begin with: who speaks, the title and the date, told by its keys.

Only what a document has a place for is understood; every line comes back as it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from formats.blocks import Block
from formats.listed_people import ListedPerson, person_in
from formats.matter_reading import page_date
from formats.names import is_key, is_name
from schemas.transcript import MatterKind

#: Whose lines are people, with what such a person does.
_PEOPLE = {
    "speakers": None,
    "speaker": None,
    "participants": None,
    "panelists": None,
    "panellists": None,
    "guests": "Guest",
    "guest": "Guest",
    "hosts": "Host",
    "host": "Host",
    "moderator": "Moderator",
}
_DATES = frozenset({"date", "published", "publish_date", "pubdate", "publishdate"})
#: Of these, those that name several people; what one line has between commas is a list there.
_SEVERAL = frozenset({"speakers", "participants", "panelists", "panellists", "guests", "hosts"})
_KEY = re.compile(r"(?P<key>[A-Za-z][\w-]*):(?:\s+(?P<value>.*)|$)")
#: Says that the lines below are the value, folded or as they stand.
_BLOCK_VALUE = re.compile(r"[|>][-+\d]*")
#: YAML's own word for nothing, and what people write for it.
_NOTHING = frozenset({"~", "null", "none"})


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What the block tells. `kinds` has one entry for each of its lines."""

    kinds: tuple[MatterKind, ...]
    title: str | None
    published: str | None  #: ISO 8601 date
    people: Mapping[str, ListedPerson]  #: by name; `index` is the line's


@dataclass(slots=True)
class _Entry:
    key: str
    lines: list[tuple[int, str]]  #: index and what stands there, the first one after the key


def understand(blocks: Sequence[Block]) -> FrontMatter:
    """Title, date and people of a page's front matter, as `formats.blocks` found it."""
    kinds = [MatterKind.TEXT] * len(blocks)
    title = published = None
    people: dict[str, ListedPerson] = {}
    for entry in _entries(blocks):
        value = _value(entry)
        if entry.key == "title" and value and title is None:
            title = value
            for index, text in entry.lines:
                if not _BLOCK_VALUE.fullmatch(text):
                    kinds[index] = MatterKind.TITLE
        elif entry.key in _DATES and published is None and (found := page_date(value[:10]) or page_date(value)):
            published = found
            kinds[entry.lines[0][0]] = MatterKind.DATE
        elif entry.key in _PEOPLE:
            for index, text in _values(entry):
                short, text = _key_and_name(text)
                person = person_in(index, text, is_sure=True)
                if person is not None and short:
                    person = replace(person, short=short)
                if person is not None and person.name not in people:
                    people[person.name] = replace(person, role=person.role or _PEOPLE[entry.key])
                    kinds[index] = MatterKind.PERSON
    return FrontMatter(tuple(kinds), title, published, people)


def _entries(blocks: Sequence[Block]) -> Iterator[_Entry]:
    """The keys that stand at the margin, each with the lines below it."""
    entry: _Entry | None = None
    for index, block in enumerate(blocks):
        key = _KEY.fullmatch(block.text) if not block.lead else None
        if key is not None:
            if entry is not None:
                yield entry
            entry = _Entry(key["key"].casefold(), [(index, key["value"] or "")])
        elif entry is not None and index + 1 < len(blocks):
            entry.lines.append((index, block.text))
    if entry is not None:
        yield entry


def _value(entry: _Entry) -> str:
    """What stands after a key or, folded, below it; empty where that is nothing."""
    texts = [text for _, text in entry.lines if text and not text.startswith("#")]
    if texts and _BLOCK_VALUE.fullmatch(texts[0]):
        texts = texts[1:]
    else:
        texts = [_without_comment(text) for text in texts]
    value = _bare(" ".join(texts))
    return "" if value.casefold() in _NOTHING else value


def _values(entry: _Entry) -> Iterator[tuple[int, str]]:
    """The items of a list, below its key or in brackets or between commas after it; else the value itself."""
    for place, (index, printed) in enumerate(entry.lines):
        text = _without_comment(printed)
        value = _bare(text.removeprefix("name:"))
        if text.startswith("[") and text.endswith("]"):
            yield from ((index, _bare(each)) for each in text[1:-1].split(","))
        elif place == 0 and entry.key in _SEVERAL and _are_full_names(value.split(",")):
            yield from ((index, each.strip()) for each in value.split(","))
        elif value and value.casefold() not in _NOTHING:
            yield index, value


def _key_and_name(text: str) -> tuple[str | None, str]:
    """("AQ", "Ada Quill") from "AQ: Ada Quill"; (None, text) where no initials stand before a colon."""
    key, colon, name = text.partition(": ")
    return (key, _bare(name)) if colon and is_key(key) else (None, text)


def _are_full_names(parts: Sequence[str]) -> bool:
    """Whether all are: "Tomas Feld, Keeper" has a name and what that person does."""
    return all(" " in part.strip() and is_name(part.strip()) for part in parts)


_COMMENT = re.compile(r"""(?P<value>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^"'].*?)\s+#(?:\s.*)?""")


def _without_comment(value: str) -> str:
    """A value without what follows it behind " # "; "C# and #5" has no comment."""
    match = _COMMENT.fullmatch(value)
    return match["value"] if match else value


def _bare(value: str) -> str:
    """A value without its quotation marks."""
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        quote = value[0]
        return value[1:-1].replace(quote * 2 if quote == "'" else '\\"', quote).strip()
    return value
