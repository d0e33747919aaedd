"""Lines that are emphasised from their label to their end, as questions are: "**AQ: What happened?**"."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from formats.blocks import Block
from formats.names import is_caps_name, is_field_label, is_name, is_remark_label, is_role_label, is_sound_label
from formats.shapes import ends_sentence

#: A label begins so many lines of that kind at least: fewer may be headings.
FEWEST = 2
#: A paragraph has at most so many lines.
LONGEST = 40

#: What opens emphasis, and what closes it.
MARKS = {"**": "**", "__": "__", "*": "*", "_": "_", "<strong>": "</strong>", "<b>": "</b>", "<em>": "</em>"}
_OPENING = r"(?P<mark>\*\*|__|\*|_|<(?i:strong|b|em)>)"
_LABELLED = re.compile(rf"{_OPENING}(?P<label>[^\W\d_][^:\n*_<>]{{0,60}}?):\s+(?=\S)")


def with_open_labels(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """The blocks with the end of the emphasis as white space is, where a label begins such lines again and again."""
    ends = {n: end for n in range(len(blocks)) if (end := _end_of(blocks, n)) is not None}
    labels = _asking(
        {n: blocks[end].text.removesuffix(closing_of(blocks[n].text)) for n, end in ends.items()}, blocks
    )
    made = list(blocks)
    for index, end in ends.items():
        if _label_of(blocks[index]) in labels:
            closing = closing_of(blocks[index].text)
            last = made[end]
            bare = last.text[: -len(closing)]
            text = bare.rstrip()
            made[end] = replace(last, text=text, tail=bare[len(text) :] + closing + last.tail)
    return tuple(made)


def open_labels(blocks: Sequence[Block]) -> frozenset[str]:
    """The labels of such lines, in blocks that `with_open_labels` gave."""
    return _asking({n: text for n in range(len(blocks)) if (text := _asked(blocks, n))}, blocks)


def _asking(texts: Mapping[int, str], blocks: Sequence[Block]) -> frozenset[str]:
    """The labels that begin several lines of which most end as sentences do; by the index where each begins."""
    ends: dict[str, list[bool]] = {}
    for index, text in texts.items():
        ends.setdefault(_label_of(blocks[index]), []).append(ends_sentence(text))
    return frozenset(
        label for label, are in ends.items() if len(are) >= FEWEST and 2 * sum(are) > len(are) and _may_ask(label)
    )


def _asked(blocks: Sequence[Block], index: int) -> str:
    """The last line of what is asked from a block on; "" where its emphasis does not go to the end of a paragraph."""
    text = blocks[index].text
    closing = closing_of(text)
    if _LABELLED.match(text) is None or closing in text[len(closing) - closing.count("/") :]:
        return ""
    for end in range(index, min(index + LONGEST, len(blocks))):
        if end > index and blocks[end].before != "\n":
            return ""
        if closing in blocks[end].tail:
            return blocks[end].text
    return ""


def closing_of(text: str) -> str:
    """What closes the emphasis that a text begins with; "" where it begins with none."""
    match = re.match(_OPENING, text)
    return MARKS[match["mark"].casefold()] if match else ""


def _label_of(block: Block) -> str:
    match = _LABELLED.match(block.text)
    return match["label"] if match else ""


def _end_of(blocks: Sequence[Block], index: int) -> int | None:
    """The block of the same paragraph that the emphasis ends with; None where no line of that kind begins."""
    if _LABELLED.match(blocks[index].text) is None:
        return None
    closing = closing_of(blocks[index].text)
    for end in range(index, min(index + LONGEST, len(blocks))):
        block = blocks[end]
        if end > index and block.before != "\n":
            return None
        text = block.text if end > index else block.text[len(closing) - closing.count("/") :]
        if closing in text:
            is_whole = text.endswith(closing) and text.count(closing) == 1 and len(text) > len(closing)
            return end if is_whole else None
    return None


def _may_ask(label: str) -> bool:
    is_person = is_name(label) or is_caps_name(label) or is_role_label(label) or label == "Q"
    return is_person and not (is_field_label(label) or is_remark_label(label) or is_sound_label(label))
