"""Turns whose time stands alone on the line above their label, on a page whose labels have none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from formats.blocks import Block
from formats.clock import parse_time
from formats.label_candidates import Candidate
from formats.unspoken import TIME_ALONE

#: Fewer lines of that kind may be anything.
FEWEST = 2


def with_stamps(blocks: Sequence[Block], labels: Sequence[Candidate]) -> tuple[tuple[Block, ...], list[Candidate]]:
    """The blocks with each such line joined to its label's, and the labels with the times."""
    stamped = {label.index for label in labels if label.time is None and _has_time_above(blocks, label.index)}
    stamped -= {label.index + 1 for label in labels}  # what stands above is itself a label, or belongs to one
    if len(stamped) < FEWEST:
        return tuple(blocks), list(labels)
    by_index = {label.index: label for label in labels}
    made: list[Block] = []
    found: list[Candidate] = []
    for index, block in enumerate(blocks):
        label = by_index.get(index)
        if index in stamped and label is not None:
            above = made.pop()
            match = TIME_ALONE.fullmatch(above.text)
            assert match is not None
            first, last = match.span("time")
            between = f"{above.tail}{block.before}{block.lead}"
            printed = f"{above.text[:first]}{{time}}{above.text[last:]}{between}"
            label = replace(label, pattern=printed + label.pattern, time=match["time"], is_stray=True)
            block = Block(above.before, above.lead, f"{above.text}{between}{block.text}", block.tail)
        if label is not None:
            found.append(replace(label, index=len(made)))
        made.append(block)
    return tuple(made), found


def _has_time_above(blocks: Sequence[Block], index: int) -> bool:
    if index == 0 or blocks[index].lead.strip():
        return False
    match = TIME_ALONE.fullmatch(blocks[index - 1].text)
    return match is not None and parse_time(match["time"]) is not None
