"""Turns whose label is printed otherwise than the page's others: "Ada Quill – Yes." among "Ada Quill: …"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from formats.blocks import Block
from formats.clock import TIME, parse_time
from formats.emphasised_lines import open_labels
from formats.house_style import EMPHASIS_TAGS, TAG_ATTRIBUTES, HouseStyle
from formats.label_candidates import Candidate
from formats.label_reading import talk_begin
from formats.listed_people import explains_initials
from formats.names import (
    is_caps_name,
    is_field_label,
    is_name,
    is_number_label,
    is_remark_label,
    is_role_label,
    is_sound_label,
)
from formats.rows import sign_of
from formats.shapes import ends_sentence
from formats.unspoken import code_lines

#: A label that has the punctuation of the page's others nowhere is one when this many lines begin with it.
OTHER_COUNT = 3
_OPEN = rf"(?:<(?i:{EMPHASIS_TAGS}){TAG_ATTRIBUTES}>)?[*_]{{0,3}}[\[(<]?"
_CLOSE = rf"[\])>]?[*_]{{0,3}}(?:</(?i:{EMPHASIS_TAGS})>)?"
_TIME = rf"(?:(?:\s?[:;,][*_]{{0,3}}|\s*[-–—])?\s{{0,2}}[\[(]?(?P<time>{TIME})[\])]?)?"
_COLON = rf"\s?[:：;]{_CLOSE}"
_SEMICOLON = rf"\s?;{_CLOSE}"
_DASH = r"\s+[-–—]"
#: Nobody goes on in small letters after the label of a turn, but about a person: "Ada – who rows – …".
_BEGINS = r"[ \u00a0]+(?=[\"“‘'\[]*[^\W\d_a-zß-öø-ÿ])"
#: After a semicolon a sentence goes on in small letters, a turn does not begin so: "Ada Quill; she rows".
_SMALL = r"[ \u00a0\t]+[a-zß-öø-ÿ]"
_GOES_ON = r"(?:[ \u00a0\t]+|$|(?=[^\W\d_]|…|\.\.\.))"
#: What is left of a time that was mistyped.
_NO_TIME = r"[\d.,: ]*[:.][\d.,: ]*"
_ANY_LABEL = r"(?P<label>[^\W\d_][^:;\n\[\](){}<>*\t–—]{0,50}?)"


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a stray label looks like in one style, for the labels that are looked for."""

    inline: re.Pattern[str]
    alone: re.Pattern[str] | None  #: on a line of its own, where the style has its labels there


def with_strays(
    labels: Sequence[Candidate],
    blocks: Sequence[Block],
    style: HouseStyle,
    *,
    has_title: bool = False,
    inside: Collection[int] = (),
) -> tuple[tuple[Block, ...], list[Candidate]]:
    """The labels of a page with those that their punctuation, markup or time alone hid from the style.

    Looked for are full names and labels that begin two turns and more, exactly as they are printed there, and what
    begins several turns in one other form: names with a colon on a page of times or of labels on lines of their own,
    and "Q -" with "A -". After a dash the turn must begin with a capital and follow somebody else's. Where labels
    stand on lines of their own, the line of one that does not is parted. `has_title`: the title is none of the
    blocks. In the lines `inside` a sentence goes on.
    """
    counts = Counter(label.label for label in labels)
    questions = _questions(blocks, counts) if not style.label.own_line else frozenset()
    known = [label for label, count in counts.items() if count > 1 or " " in label]
    asked = open_labels(blocks) if not style.label.own_line else frozenset()
    known += [*_other_names(blocks, counts, style), *questions, *asked]
    if not known:
        return tuple(blocks), list(labels)
    shape = _shape(known, own_line=style.label.own_line)
    by_index = {label.index: label for label in labels}
    begin = _opening(labels, blocks, style, shape, least=1 if has_title else 2, asked=asked)
    code = code_lines(blocks)
    if any(label.index in code for label in labels):
        code = frozenset()  # it is the talk that stands between the fences
    made: list[Block] = list(blocks[:begin])
    found: list[Candidate] = []
    for index in range(begin, len(blocks)):
        block, label = blocks[index], by_index.get(index)
        if label is None:
            is_after_label = style.label.own_line and bool(found) and found[-1].index == len(made) - 1
            if not is_after_label and index not in code and index not in inside:
                label = _stray(block.text, index, shape, found[-1].label if found else "", questions)
        if label is None:
            made.append(block)
            continue
        found.append(replace(label, index=len(made)))
        if style.label.own_line and label.is_stray and label.rest:
            printed = block.text[: len(block.text) - len(label.rest)]
            made += [Block(block.before, block.lead, printed, ""), Block("", "", label.rest, block.tail)]
            found[-1] = replace(found[-1], rest="")
        else:
            made.append(block)
    return tuple(made), found


def begins_with_label(text: str, labels: Collection[str], style: HouseStyle) -> bool:
    """Whether a paragraph could be taken for a turn of one of these labels in other punctuation than the style's."""
    if not labels:
        return False
    shape = _shape_of_all(frozenset(labels), style.label.own_line)
    return any(each is not None and each.match(text) is not None for each in (shape.alone, shape.inline))


@lru_cache(maxsize=4)  # asked for every paragraph of a page, and a page can have a thousand labels
def _shape_of_all(labels: frozenset[str], own_line: bool) -> _Shape:
    return _shape(sorted(labels), own_line=own_line)


def _shape(known: Sequence[str], *, own_line: bool) -> _Shape:
    names = "|".join(re.escape(label) for label in sorted(set(known), key=len, reverse=True))
    head = rf"{_OPEN}(?P<label>{names}){_CLOSE}{_TIME}"
    if own_line:
        inline = rf"{head}(?:{_COLON}|(?(time)|(?!)))(?:{_BEGINS}|\s+(?={_NO_TIME}$))"
        return _Shape(re.compile(inline), re.compile(rf"{head}(?:\s*[-–—])?(?:{_COLON})?$"))
    return _Shape(
        re.compile(
            rf"{head}(?:(?!{_SEMICOLON}{_SMALL}){_COLON}{_GOES_ON}|(?P<dash>{_DASH})(?:{_BEGINS}|[ \u00a0]+(?=…)))"
        ),
        None,
    )


def _stray(text: str, index: int, shape: _Shape, before: str, questions: Collection[str]) -> Candidate | None:
    match = (shape.alone.match(text) if shape.alone else None) or shape.inline.match(text)
    if match is None:
        return None
    time = match["time"]
    if time is not None and parse_time(time) is None:
        return None
    if match.groupdict().get("dash") and before == match["label"] and before not in questions:
        return None
    start, end = match.span("label")
    pattern = match.group()
    if time is not None:
        first, last = match.span("time")
        pattern = f"{pattern[:first]}{{time}}{pattern[last:]}"
    pattern = f"{pattern[:start]}{{label}}{pattern[end:]}"
    return Candidate(index, match["label"], pattern, text[match.end() :], time, is_stray=True)


def _opening(
    labels: Sequence[Candidate],
    blocks: Sequence[Block],
    style: HouseStyle,
    shape: _Shape,
    *,
    least: int,
    asked: Collection[str],
) -> int:
    """Where the talk begins: before the first label that the style explains, where others stand above it.

    `least` is how many of those it takes that have no time, no bullet and no line of their own, and are none of those
    `asked` under in emphasis: a title may begin with a name.
    """
    first = labels[0].index
    bullet = sign_of(blocks[first].lead)
    if style.layout.bullet.strip() or bullet != style.turn_indent.strip():
        return first
    known = {each.label for each in labels}
    places: list[int] = []
    inline: list[int] = []
    for index in range(talk_begin(blocks, before=first), first):
        block = blocks[index]
        found = _stray(block.text, index, shape, "", ())
        if (
            found is None
            or sign_of(block.lead) != bullet
            or explains_initials(block)
            or (found.time is None and not _has_colon(found, known))
        ):
            continue
        is_alone = style.label.own_line and not found.rest
        is_sure = found.time is not None or is_alone or bool(bullet) or found.label in asked
        (places if is_sure else inline).append(index)
    if len(inline) >= least and all(ends_sentence(blocks[index].text) for index in inline):
        places += inline
    return min(places, default=first)


def _has_colon(found: Candidate, known: Collection[str]) -> bool:
    """Whether a label has a colon, or by a slip a semicolon where the same label stands on the page without one."""
    return ":" in found.pattern or (";" in found.pattern and found.label in known)


def _other_names(blocks: Sequence[Block], counts: Counter[str], style: HouseStyle) -> list[str]:
    """Names with a colon that begin several turns on a page whose labels have another form than that.

    One line that is nothing but a name and a time is enough where the page's labels are lines of that kind.
    """
    if ":" in style.label.pattern and not (style.needs_times or style.label.own_line):
        return []
    end = rf"{_TIME}(?:{_COLON})?$" if style.label.own_line else rf"{_COLON}{_BEGINS}"
    expression = re.compile(rf"{_OPEN}{_ANY_LABEL}{_CLOSE}{end}")
    found: Counter[str] = Counter()
    for block in blocks:
        match = expression.match(block.text)
        if match is not None and (match.group() != match["label"] and ":" in match.group()):
            is_enough = style.needs_times and style.label.own_line and match["time"] is not None
            found[match["label"]] += OTHER_COUNT if is_enough else 1
    least = {label: 1 if is_number_label(label) else 2 if " " in label else OTHER_COUNT for label in found}
    return [
        label
        for label, count in found.items()
        if counts[label] < 2
        and count >= least[label]
        and (is_number_label(label) or is_name(label) or is_role_label(label) or is_caps_name(label))
        and not (is_sound_label(label) or is_remark_label(label) or is_field_label(label))
    ]


def _questions(blocks: Sequence[Block], counts: Counter[str]) -> frozenset[str]:
    """The Q and the A of a page that has several of either, between the turns of people with names."""
    if "Q" in counts or "A" in counts:
        return frozenset()
    begin = Counter(match[1] for block in blocks if (match := _QUESTION.match(block.text)))
    if begin["Q"] < OTHER_COUNT:
        return frozenset()
    return frozenset({"Q", "A"} if begin["A"] >= OTHER_COUNT else {"Q"})


_QUESTION = re.compile(rf"([QA])(?:{_DASH}|{_COLON}){_BEGINS}")
