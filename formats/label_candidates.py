"""Lines that have the form of a turn's beginning in a style, whatever their label is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from formats.blocks import Block, split_blocks
from formats.clock import parse_time
from formats.house_style import HouseStyle
from formats.labels import clean_name
from formats.shapes import TIGHT_PATTERN, label_pattern


@dataclass(frozen=True, slots=True)
class Candidate:
    """A block that has the form of a turn's beginning."""

    index: int  #: of the block
    label: str  #: as printed, with single spaces
    pattern: str  #: the style's pattern with the page's own white space
    rest: str  #: the text after the label
    time: str | None = None
    spaces: str = ""  #: the white space inside the label, its runs parted by "|", where it is not single spaces
    is_stray: bool = False  #: the style's pattern does not fit: it was found by the page's other labels


def find_candidates(blocks: Sequence[Block], style: HouseStyle) -> list[Candidate]:
    """Every block that the style's label pattern fits, whatever the label."""
    expression = label_pattern(style.label.pattern)
    found = []
    for index, block in enumerate(blocks):
        match = expression.match(block.text)
        if match is None or (
            style.label.pattern == TIGHT_PATTERN and style.label.own_line != (match.end() == len(block.text))
        ):
            continue
        time = match.groupdict().get("time")
        if time is not None and parse_time(time) is None:
            continue
        label = " ".join(match["label"].split())
        if label != clean_name(label):
            continue
        spaces = "|".join(re.findall(r"\s+", match["label"])) if label != match["label"] else ""
        found.append(Candidate(index, label, _own_pattern(match), block.text[match.end() :], time, spaces))
    return found


def _own_pattern(match: re.Match[str]) -> str:
    """The matched label with its words and time taken out."""
    printed = match.group()
    spans = [(*match.span("label"), "{label}")]
    if match.groupdict().get("time") is not None:
        spans.append((*match.span("time"), "{time}"))
    for start, end, mark in sorted(spans, reverse=True):
        printed = printed[:start] + mark + printed[end:]
    return printed


def join_labels(blocks: Sequence[Block], style: HouseStyle) -> tuple[Block, ...]:
    """The blocks with each label that a style prints on two lines as one block; the others are as they were."""
    if "\n" not in style.label.pattern:
        return tuple(blocks)
    expression = label_pattern(style.label.pattern)
    made: list[Block] = []
    for block in blocks:
        above = made[-1] if made else None
        if above is not None and block.follows_directly and not block.lead:
            text = f"{above.text}{above.tail}{block.before}{block.text}"
            if "\n" not in above.text and expression.fullmatch(text):
                made[-1] = Block(above.before, above.lead, text, block.tail)
                continue
        made.append(block)
    return tuple(made)


def split_labels(blocks: Sequence[Block], labels: Sequence[Candidate]) -> tuple[tuple[Block, ...], list[Candidate]]:
    """Undo `join_labels` for blocks that begin no turn after all."""
    by_index = {c.index: c for c in labels}
    made: list[Block] = []
    moved: list[Candidate] = []
    for index, block in enumerate(blocks):
        if index in by_index:
            moved.append(replace(by_index[index], index=len(made)))
            made.append(block)
            continue
        if "\n" not in block.text:
            made.append(block)
            continue
        (first, second), _ = split_blocks(block.text)
        made.append(replace(first, before=block.before + first.before, lead=block.lead + first.lead))
        made.append(replace(second, tail=second.tail + block.tail))
    return tuple(made), moved
