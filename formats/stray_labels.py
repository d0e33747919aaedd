"""Turns whose label is printed otherwise than the page's others: "Ada Quill – Yes." among "Ada Quill: …"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

from formats.blocks import Block
from formats.clock import parse_time
from formats.house_style import HouseStyle
from formats.label_reading import Candidate

_OPEN = r"[*_]{0,3}[\[(<]?"
_CLOSE = r"[\])>]?[*_]{0,3}"
_TIME = r"(?:[ \u00a0]?[\[(]?(?P<time>\d{1,3}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?)[\])]?)?"
_COLON = rf"\s?[:：;]{_CLOSE}"
_DASH = r"\s+[-–—]"
#: Nobody goes on in small letters after the label of a turn, but about a person: "Ada – who rows – …".
_BEGINS = r"[ \u00a0]+(?=[\"“‘'\[]*[^\W\d_a-zß-öø-ÿ])"


def with_strays(labels: Sequence[Candidate], blocks: Sequence[Block], style: HouseStyle) -> list[Candidate]:
    """The labels of a page with those that their punctuation, markup or time alone hid from the style.

    Only full names and labels that begin two turns and more are looked for, exactly as they are printed there. After
    a dash the turn must begin with a capital and follow somebody else's.
    """
    counts = Counter(label.label for label in labels)
    known = [label for label, count in counts.items() if count > 1 or " " in label]
    if not known:
        return list(labels)
    expression = _expression(known, own_line=style.label.own_line)
    by_index = {label.index: label for label in labels}
    found: list[Candidate] = []
    for index in range(labels[0].index, len(blocks)):
        label = by_index.get(index)
        if label is None:
            is_after_label = style.label.own_line and found[-1].index == index - 1
            label = None if is_after_label else _stray(blocks[index].text, index, expression, found[-1])
        if label is not None:
            found.append(label)
    return found


def begins_with_label(text: str, labels: Collection[str], style: HouseStyle) -> bool:
    """Whether a paragraph could be taken for a turn of one of these labels in other punctuation than the style's."""
    return bool(labels) and _expression(sorted(labels), own_line=style.label.own_line).match(text) is not None


def _expression(known: Sequence[str], *, own_line: bool) -> re.Pattern[str]:
    names = "|".join(re.escape(label) for label in sorted(known, key=len, reverse=True))
    head = rf"{_OPEN}(?P<label>{names}){_CLOSE}{_TIME}"
    if own_line:
        return re.compile(rf"{head}(?:{_COLON})?$")
    return re.compile(rf"{head}(?:{_COLON}(?:[ \u00a0\t]+|$|(?=[^\W\d_]))|(?P<dash>{_DASH}){_BEGINS})")


def _stray(text: str, index: int, expression: re.Pattern[str], before: Candidate) -> Candidate | None:
    match = expression.match(text)
    if match is None:
        return None
    time = match["time"]
    if time is not None and parse_time(time) is None:
        return None
    if match.groupdict().get("dash") and before.label == match["label"]:
        return None
    start, end = match.span("label")
    pattern = match.group()
    if time is not None:
        first, last = match.span("time")
        pattern = f"{pattern[:first]}{{time}}{pattern[last:]}"
    pattern = f"{pattern[:start]}{{label}}{pattern[end:]}"
    return Candidate(index, match["label"], pattern, text[match.end() :], time, is_stray=True)
