"""Lines of a talk that nobody says: headings, pictures and code, and times alone above a paragraph."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from formats.blocks import Block
from formats.clock import TIME, parse_time
from formats.house_style import HouseStyle
from formats.shapes import FENCE, LINK_TARGET, heading_mark, is_between_turns, is_furniture


def built_lines(blocks: Sequence[Block], start: int, *, has_times: bool) -> Iterator[int]:
    """The blocks of the talk that belong to the build of the page: headings, rules, pictures, links, code, tables.

    On a page with times also what is no time but has its signs alone: "0: 00:41".
    """
    code = code_lines(blocks, start)
    for index in range(start, len(blocks)):
        text = blocks[index].text
        if index in code or is_furniture(text) or (has_times and _MISTYPED.fullmatch(text)):
            yield index


def code_lines(blocks: Sequence[Block], start: int = 0) -> frozenset[int]:
    """The blocks from a fence to the next of its kind; none where a fence of that kind is never closed."""
    found: set[int] = set()
    fence = ""
    fences = Counter(match.group() for block in blocks[start:] if (match := FENCE.match(block.text)))
    for index in range(start, len(blocks)):
        mark = FENCE.match(blocks[index].text)
        if mark is not None and (fence == mark.group() or (not fence and fences[mark.group()] % 2 == 0)):
            fence = "" if fence else mark.group()
            found.add(index)
        elif fence:
            found.add(index)
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time alone on the line above a paragraph."""

    pattern: str  #: "({time}):" with the white space that follows
    time: str


_MISTYPED = re.compile(r"\d[\d., ]*:[\d.,: ]*|\d[\d ]*\.\d\d:\d\d")
TIME_ALONE = re.compile(rf"[\[(]?(?P<time>{TIME})[\])]?:?")


def stamps_of(
    blocks: Sequence[Block], labelled: Collection[int], others: Collection[int], start: int, *, has_times: bool
) -> dict[int, Stamp]:
    """The lines of a page with times that hold nothing but the time of the paragraph below them."""
    found: dict[int, Stamp] = {}
    if not has_times:
        return found
    for index in range(start, len(blocks) - 1):
        block, below = blocks[index], blocks[index + 1]
        match = TIME_ALONE.fullmatch(block.text)
        is_free = not any(n in labelled for n in (index, index + 1)) and index + 1 not in others
        if match is None or not is_free or index - 1 in found:
            continue
        if block.tail or below.lead or parse_time(match["time"]) is None:
            continue
        first, last = match.span("time")
        found[index] = Stamp(f"{block.text[:first]}{{time}}{block.text[last:]}", match["time"])
    return found


@dataclass(frozen=True, slots=True)
class LinkedStamp:
    """A time that is a link, at the beginning of a paragraph."""

    printed: str  #: with the white space that follows
    stamp: Stamp


_LINKED_TIME = re.compile(rf"\[\(?(?P<time>{TIME})\)?\]{LINK_TARGET}\s+(?=\S)")


def linked_stamp(text: str, style: HouseStyle) -> LinkedStamp | None:
    """The link with a time that a paragraph on a page of times begins with: "[(00:09:10)](https://…) And so"."""
    match = _LINKED_TIME.match(text) if style.needs_times else None
    if match is None or parse_time(match["time"]) is None:
        return None
    printed = match.group()
    first, last = match.span("time")
    return LinkedStamp(printed, Stamp(f"{printed[:first]}{{time}}{printed[last:]}", match["time"]))


def lines_between_turns(blocks: Sequence[Block], labelled: Collection[int], *, start: int) -> frozenset[int]:
    """Pictures, addresses and the headings right above a turn.

    A heading with unlabelled text below is one of a talk that somebody gives, or of an essay.
    """
    found: set[int] = set()
    is_over_turn = True
    for index in range(len(blocks) - 1, start - 1, -1):
        text = blocks[index].text
        if index in labelled or not is_between_turns(text):
            is_over_turn = index in labelled
        elif is_over_turn or not heading_mark(text):
            found.add(index)
    return frozenset(found)
