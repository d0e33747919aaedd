"""Lines that stand in a frame of their own, a table's row or a count before each turn: the frame becomes layout."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from formats.blocks import Block
from formats.clock import TIME
from formats.names import is_caps_name, is_field_label, is_name, is_number_label, is_role_label
from formats.shapes import ends_sentence

#: A table is a talk with so many rows at least, of which this share ends as sentences do or has so many words.
FEWEST_ROWS = 4
SENTENCES = 0.6
WORDS = 5
#: The share of the labels that begin with the number after the one before.
COUNTED = 0.9
LONGEST_COUNT = 5  #: digits of such a number where it has a line of its own

_ROW = re.compile(r"\|.*\|")
_RULE = re.compile(r"\|(?:\s*:?-+:?\s*\|)+")
_CELL = re.compile(r"(?<!\\)\|")
_FRAME = re.compile(r"\|[^\S\n]*(?:\d{1,5}[^\S\n]*\|[^\S\n]*)?(?=\S)")
_WHO = frozenset(
    ["speaker", "speakers", "name", "names", "who", "person", "people", "voice", "participant", "interviewer"]
)
_TIMES = re.compile(rf"[\[(]?{TIME}[\])]?(?:\s*(?:[-–—]+>?|→)\s*{TIME})?")
_COUNTED = re.compile(
    r"(?P<count>(?P<open>[\[(#]?)(?P<n>\d{1,5})(?P<close>[.):\]]{0,2})[^\S\n]+)"
    r"[*_]{0,3}(?P<label>[^\W\d_][^:\n|*_]{0,60}?)[*_]{0,3}:[*_]{0,3}(?:\s|$)"
)
_LABELLED = re.compile(r"[*_]{0,3}(?P<label>[^\W\d_][^:\n|*_]{0,60}?)[*_]{0,3}:[*_]{0,3}(?:\s|$)")
_MARKUP = re.compile(r"[*_]+|</?\w+>|:$")


def without_frames(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """The blocks of a page with the frames of a table's rows and the counts before its turns as white space is."""
    return _without_counts(_without_count_lines(_without_table(blocks)))


# ---------------------------------------------------------------- tables of Markdown


def _without_table(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """The rows of a table in which people talk as "Name | what is said", the lines around them as layout."""
    made = list(blocks)
    for head, start, end in _tables(blocks):
        if _is_talk([_cells(block.text) for block in blocks[start:end]], _cells(head)):
            made[start:end] = [_unframed(block) for block in blocks[start:end]]
    return tuple(made)


def _tables(blocks: Sequence[Block]) -> list[tuple[str, int, int]]:
    """Head, first row and the one after the last of each table. The head is empty where a table has none."""
    found = []
    index = 0
    while index < len(blocks):
        end = next((n for n in range(index, len(blocks)) if not _ROW.fullmatch(blocks[n].text)), len(blocks))
        if end > index:
            has_head = index + 1 < end and _RULE.fullmatch(blocks[index + 1].text) is not None
            is_ruled = _RULE.fullmatch(blocks[index].text) is not None
            found.append((blocks[index].text if has_head else "", index + 2 * has_head + is_ruled, end))
        index = max(end, index + 1)
    return found


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in _CELL.split(row)[1:-1]]


def _is_talk(rows: Sequence[Sequence[str]], head: Sequence[str]) -> bool:
    """Whether people talk in a table: its head names a column of them, and some stand again before sentences.

    Nothing but times and a count stands beside who says it and what is said. Without a head, or an empty one, the
    column that is neither has the people, and on average each comes twice and more.
    """
    has_names = any(head)
    width = len(head) if has_names else len(rows[0]) if rows else 0
    who = [n for n, name in enumerate(head) if _MARKUP.sub("", name).casefold().strip() in _WHO]
    if not has_names:
        columns = (n for n in range(width - 1) if all(len(row) == width for row in rows))
        who = [n for n in columns if not all(_is_beside(row[n]) for row in rows)]
    if len(rows) < FEWEST_ROWS or not 2 <= width <= 5 or len(who) != 1 or who[0] == width - 1:
        return False
    if any(len(row) != width for row in rows):
        return False
    beside = [row[n] for row in rows for n in range(width - 1) if n != who[0]]
    labels = Counter(_MARKUP.sub("", row[who[0]]).strip() for row in rows)
    texts = [row[-1] for row in rows]
    said = sum(ends_sentence(text) or len(text.split()) >= WORDS for text in texts)
    are_times = all(_is_beside(cell) for cell in beside)
    is_often = len(labels) < len(rows) if has_names else 2 * len(labels) <= len(rows) and len(labels) > 1
    is_again = is_often and all(_may_speak(label) for label in labels if label)
    return are_times and is_again and said >= SENTENCES * len(rows) and median(map(len, texts)) > 1


def _is_beside(cell: str) -> bool:
    return _TIMES.fullmatch(cell) is not None or cell.isdigit()


def _may_speak(label: str) -> bool:
    is_label = is_name(label) or is_caps_name(label) or is_number_label(label) or is_role_label(label)
    return is_label and not is_field_label(label)


def _unframed(block: Block) -> Block:
    """A row without the line before its first cell, a count in that cell, and the line after its last."""
    frame = _FRAME.match(block.text)
    assert frame is not None
    text = block.text[frame.end() :]
    bare = text.removesuffix("|").rstrip()
    return replace(block, lead=block.lead + frame.group(), text=bare, tail=text[len(bare) :] + block.tail)


# ---------------------------------------------------------------- counted turns


def _without_counts(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """The blocks with the number before each label in the lead, where the turns of a page are counted."""
    counted = [(index, match) for index, block in enumerate(blocks) if (match := _counted(block)) is not None]
    numbers = [int(match["n"]) for _, match in counted]
    forms = {(match["open"], match["close"]) for _, match in counted}
    steps = sum(below == above + 1 for above, below in pairwise(numbers))
    is_counted = len(counted) >= FEWEST_ROWS and len(forms) == 1 and steps >= COUNTED * (len(numbers) - 1)
    labels = {match["label"] for _, match in counted}
    if not is_counted or len(labels) == len(counted):
        return blocks
    made = list(blocks)
    for index, match in counted:
        block = blocks[index]
        end = match.end("count")
        made[index] = replace(block, lead=block.lead + block.text[:end], text=block.text[end:])
    return tuple(made)


def _without_count_lines(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """The blocks with the lines that hold nothing but the number of the turn below in that one's lead."""
    pairs = [n for n, (count, below) in enumerate(pairwise(blocks)) if _is_count_of(count, below)]
    numbers = [int(blocks[n].text) for n in pairs]
    steps = sum(below == above + 1 for above, below in pairwise(numbers))
    labels = {_label_after_count(blocks[n + 1]) for n in pairs}
    if len(pairs) < FEWEST_ROWS or steps < COUNTED * (len(pairs) - 1) or len(labels) == len(pairs):
        return blocks
    made = list(blocks)
    for n in reversed(pairs):
        count, below = blocks[n], blocks[n + 1]
        lead = count.lead + count.text + count.tail + below.before + below.lead
        made[n : n + 2] = [replace(below, before=count.before, lead=lead)]
    return tuple(made)


def _is_count_of(count: Block, below: Block) -> bool:
    is_number = count.text.isdecimal() and len(count.text) <= LONGEST_COUNT and not count.lead.strip()
    return is_number and below.before == "\n" and not below.lead and bool(_label_after_count(below))


def _label_after_count(block: Block) -> str:
    match = _LABELLED.match(block.text)
    return match["label"] if match is not None and _may_speak(match["label"]) else ""


def _counted(block: Block) -> re.Match[str] | None:
    """The number that a line has before a label."""
    match = _COUNTED.match(block.text)
    return match if match is not None and _may_speak(match["label"]) else None


def uncounted(lead: str) -> str:
    """A lead without its count: "" of "12. ", "| " of "| 12 | "."""
    return _COUNT_IN_LEAD.sub("", lead)


def sign_of(lead: str) -> str:
    """The bullet of a lead without its white space and its count: "•" of "  • ", "" of "12. "."""
    return uncounted(lead).strip()


_COUNT_IN_LEAD = re.compile(r"[\[(#]?\d{1,5}[.):\]]{0,2}\s+$|\d{1,5}\s*\|\s*$")
