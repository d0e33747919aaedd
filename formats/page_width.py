"""Whether the lines of a page are broken at a width, and at which: judged over all of its lines.

A line is full where the first word of the next one would not have fitted any more.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import quantiles

from formats.blocks import Block

#: Columns. Old mail and plain text are wrapped at 60 to 80, captions pasted as text from 30; above 120 lines are
#: paragraphs. Of 41 published pages that are wrapped (28 November 2026) widths were 72 to 100.
WIDTHS = range(30, 121)
#: What editors and programs count a tab for.
TABS = (8, 4, 1)
#: Of the lines that another one follows directly, at least so many, and this share, must be as long as fits. On those
#: pages it was 0.5 to 1, on two that were edited afterwards 0.2 and 0.4. Where lines are turns or verses it is about
#: the length of a word by that of a line, 0.1.
FEWEST_FULL = 4
FULL = 0.15
#: Of the full ones, so many end in the middle of a sentence, which goes on in small letters in half of them. On those
#: pages it was 0.94 and 0.81 and more, on 25 others with lines as short that went on in small letters in up to 0.33.
UNENDED = 0.6
GOES_ON_SMALL = 0.5

_ENDS = re.compile(r"[.?!…:][”’\"')\]*_]*$")


@dataclass(frozen=True, slots=True)
class Wrap:
    """How a whole page is wrapped. Indents are white space alone."""

    width: int  #: columns
    tab: int  #: the columns that a tab counts for
    indent: str  #: of most lines that go on from the one above
    opening: str  #: of most others


def wrap_of(blocks: Sequence[Block]) -> Wrap | None:
    """How a page's lines are broken; None where they are paragraphs, turns or verses."""
    pairs = [(above, below) for above, below in pairwise(blocks) if below.before == "\n"]
    if len(pairs) < FEWEST_FULL:
        return None
    tabs = TABS if any("\t" in block.lead for block in blocks) else TABS[:1]
    measured = [(tab, _width([above for above, _ in pairs], tab)) for tab in tabs]
    tried = [([p for p in pairs if is_full(*p, width, tab)], width, tab) for tab, width in measured]
    full, width, tab = max(tried, key=lambda each: len(each[0]))
    if width not in WIDTHS or len(full) < max(FEWEST_FULL, FULL * len(pairs)):
        return None
    unended = sum(is_unended(above) for above, _ in full)
    small = sum(below.text[:1].islower() for _, below in full)
    if unended < UNENDED * len(full) or small < GOES_ON_SMALL * len(full):
        return None
    going_on = {id(below) for _, below in full}
    opening = Counter(indent_of(block) for block in blocks if id(block) not in going_on)
    indent = Counter(indent_of(below) for _, below in full)
    return Wrap(width, tab, indent.most_common(1)[0][0], opening.most_common(1)[0][0])


def _width(lines: Sequence[Block], tab: int) -> int:
    """The columns of the longest lines but for the longest 2 %: an address may be longer than what fits."""
    return round(quantiles([columns(line, tab) for line in lines], n=50, method="inclusive")[-1])


def columns(block: Block, tab: int) -> int:
    """The columns of the last line of a block, without the white space at its end."""
    return len((block.lead + block.text.rpartition("\n")[2]).expandtabs(tab))


def is_full(above: Block, below: Block, width: int, tab: int) -> bool:
    """Whether the first word of the line below would not have fitted."""
    return columns(above, tab) + 1 + len(below.text.split(" ", 1)[0]) > width


def is_unended(block: Block) -> bool:
    """Whether a line ends in the middle of a sentence."""
    return _ENDS.search(block.text) is None


def indent_of(block: Block) -> str:
    """The white space before a block's bullet or text."""
    return block.lead[: len(block.lead) - len(block.lead.lstrip())]
