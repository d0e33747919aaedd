"""Pages whose lines are broken at a width: their lines joined to paragraphs, and broken again where they were.

A line goes on in the next one where the next word did not fit any more, or in the middle of a sentence. Whether a
page is wrapped at all is judged over all of its lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from formats.blocks import Block, LineBreak
from formats.label_candidates import Candidate
from formats.page_width import Wrap, columns, indent_of, is_full, is_unended
from formats.shapes import is_direction, is_furniture, is_sound_line
from formats.unspoken import TIME_ALONE, code_lines

#: A line that is wrapped by hand has this share of the width at least, where a sentence goes on in the next one.
BY_HAND = 0.6
#: The share of the turns that begin after a blank line on a page where all of them do, but for slips.
SET_APART = 0.9

_HYPHEN = re.compile(r"[^\W\d_]-$")
#: What follows a hyphen that stands for a part of a word: "pre- and post-war".
_AFTER_PART = re.compile(r"(?:and|or|to|und|oder|bis|et|ou|y|o)(?![\w-])")
#: Between these a line break is no space.
_WIDE = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\uffef]")
_DASH = re.compile(r"(?P<space>\s*)(?P<dash>[–—-]\s+)")
_ITEM = re.compile(r"\d{1,3}[.)]\s")
_ADDRESS = re.compile(r"<?https?://\S+")


def inside_sentences(candidates: Sequence[Candidate], blocks: Sequence[Block], wrap: Wrap | None) -> frozenset[int]:
    """The lines in which a wrapped sentence goes on, so that no label stands there: "… I said to⏎Tomas: go home."

    None where turns do not begin after blank lines: there a label may follow a full line.
    """
    apart = sum("\n\n" in blocks[c.index].before or not c.index for c in candidates)
    if wrap is None or apart < SET_APART * len(candidates):
        return frozenset()
    pairs = enumerate(pairwise(blocks), start=1)
    return frozenset(index for index, (above, below) in pairs if _is_inside(above, below, wrap))


def begins_with_paragraph(blocks: Sequence[Block]) -> bool:
    """Whether the first lines of a wrapped page are a paragraph that ends as sentences do, and no title."""
    below = next((n for n, block in enumerate(blocks) if n and block.before != "\n"), len(blocks))
    return below > 1 and not is_unended(blocks[below - 1])


def _is_inside(above: Block, below: Block, wrap: Wrap) -> bool:
    return below.before == "\n" and is_full(above, below, wrap.width, wrap.tab) and is_unended(above)


def with_whole_paragraphs(
    blocks: Sequence[Block], labels: Sequence[Candidate], wrap: Wrap, *, own_line: bool
) -> tuple[tuple[Block, ...], list[Candidate]]:
    """The blocks with the lines of each paragraph joined, and the labels with theirs.

    The text has one space for a line break, and none after a hyphen inside a word; no other character goes or comes.
    `own_line`: labels stand alone on their lines, so that nothing goes on from one.
    """
    by_index = {label.index: label for label in labels}
    alone = _lines_alone(blocks)
    groups: list[list[int]] = []
    for index, block in enumerate(blocks):
        is_free = index not in by_index and index not in alone and groups and groups[-1][-1] not in alone
        is_after_label = own_line and index - 1 in by_index
        if is_free and not is_after_label and _goes_on(blocks, groups[-1], block, wrap):
            groups[-1].append(index)
        else:
            groups.append([index])
    made = tuple(_joined([blocks[n] for n in group]) for group in groups)
    moved = []
    for index, group in enumerate(groups):
        label = by_index.get(group[0])
        if label is not None:
            text = made[index].text
            printed = len(blocks[group[0]].text) - len(label.rest)
            moved.append(replace(label, index=index, rest=text[printed:]))
    return made, moved


def _lines_alone(blocks: Sequence[Block]) -> frozenset[int]:
    """The lines that no paragraph has: code, headings, rules, tables, pictures, times, and what is heard."""
    found = set(code_lines(blocks))
    for index, block in enumerate(blocks):
        text = block.text
        is_built = (is_furniture(text) and not _ADDRESS.fullmatch(text)) or text.startswith("|")
        is_heard = is_direction(text) or (is_sound_line(text) and not text[0].islower())
        if is_built or is_heard or TIME_ALONE.fullmatch(text):
            found.add(index)
    return frozenset(found)


def _goes_on(blocks: Sequence[Block], group: Sequence[int], below: Block, wrap: Wrap) -> bool:
    """Whether a line goes on from the lines of `group`: by what fits or where a sentence is, and by its indent."""
    above = blocks[group[-1]]
    is_hard_break = above.tail.startswith("  ") or "<br" in above.tail.casefold()  # Markdown's, HTML's
    if below.before != "\n" or is_hard_break or _WIDE.match(below.text) or _WIDE.match(above.text[-1]):
        return False
    goes_on = is_unended(above)
    is_by_hand = goes_on and _begins_small(below.text) and columns(above, wrap.tab) >= BY_HAND * wrap.width
    if not (is_full(above, below, wrap.width, wrap.tab) or is_by_hand):
        return False
    if below.lead.strip() and below.lead != above.lead:
        return goes_on and _DASH.fullmatch(below.lead) is not None and _fits(above, below, len(group), wrap)
    return _fits(above, below, len(group), wrap)


def _begins_small(text: str) -> bool:
    """Whether a line begins as the middle of a sentence does: in small letters or with a number, but no item's."""
    first = next((c for c in text if c.isalnum()), "")
    return first.islower() or (first.isdigit() and not _ITEM.match(text))


def _fits(above: Block, below: Block, lines: int, wrap: Wrap) -> bool:
    """Whether the indent of a line is that of the paragraph that has so many `lines` above it."""
    indent = indent_of(below)
    if below.lead.strip() == above.lead.strip() == ">":
        return True
    if wrap.opening != wrap.indent == indent:
        return True
    if indent == wrap.opening != wrap.indent:
        return False
    if indent == indent_of(above):
        return True
    return lines == 1 and (indent == wrap.indent or bool(indent and (wrap.indent or above.lead.strip())))


def _joined(lines: Sequence[Block]) -> Block:
    """The lines of a paragraph as one block."""
    if len(lines) == 1:
        return lines[0]
    text = lines[0].text
    ends: list[tuple[int, str]] = []
    for above, below in pairwise(lines):
        dash = _DASH.fullmatch(below.lead)
        lead, more = (dash["space"], dash["dash"] + below.text) if dash else (below.lead, below.text)
        ends.append((len(text), above.tail + below.before + lead))
        text += ("" if _is_one_word(above.text, below.text) and not dash else " ") + more
    breaks = tuple(LineBreak(len(text) - end, printed) for end, printed in ends)
    return Block(lines[0].before, lines[0].lead, text, lines[-1].tail, breaks)


def _is_one_word(above: str, below: str) -> bool:
    """Whether a line ends with a hyphen inside a word that the next one goes on with."""
    if _HYPHEN.search(above) is None or not below[0].isalpha() or _AFTER_PART.match(below):
        return False
    return below[0].islower() or above.rpartition(" ")[2][0].isupper()
