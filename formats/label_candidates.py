"""Lines that have the form of a turn's beginning in a style, whatever their label is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from formats.blocks import Block, split_blocks
from formats.clock import parse_time
from formats.house_style import HouseStyle
from formats.labels import clean_name
from formats.names import HTML_TAGS, ROLE_WORDS, is_caps_name, is_name, split_honorific
from formats.shapes import TIGHT_PATTERN, is_dotted, label_pattern


@dataclass(frozen=True, slots=True)
class Candidate:
    """A block that has the form of a turn's beginning."""

    index: int  #: of the block
    label: str  #: as printed, with single spaces
    pattern: str  #: the style's pattern with the page's own white space
    rest: str  #: the text after the label
    time: str | None = None
    end: str | None = None  #: the time when the turn ends, where the page prints that as well
    spaces: str = ""  #: the white space inside the label, its runs parted by "|", where it is not single spaces
    is_stray: bool = False  #: the style's pattern does not fit: it was found by the page's other labels


def find_candidates(blocks: Sequence[Block], style: HouseStyle) -> list[Candidate]:
    """Every block that the style's label pattern fits, whatever the label."""
    expression = label_pattern(style.label.pattern)
    roles = _roles_first(blocks)
    found = []
    for index, block in enumerate(blocks):
        first = roles.get(index)
        text = first.without if first else block.text
        match = expression.match(text)
        if match is None or (
            style.label.pattern == TIGHT_PATTERN and style.label.own_line != (match.end() == len(text))
        ):
            continue
        time, end = match.groupdict().get("time"), match.groupdict().get("end")
        if any(each is not None and parse_time(each) is None for each in (time, end)):
            continue
        label = " ".join(match["label"].split())
        if (
            _is_tag(label, style)
            or label != clean_name(label)
            or (is_dotted(style.label.pattern) and not ends_with_dot(label, style.label.pattern))
        ):
            continue
        spaces = re.findall(r"\s+", match["label"])
        if first:
            label, spaces = f"{first.role} {label}", [*first.gaps, *spaces]
        printed = "|".join(spaces) if any(space != " " for space in spaces) else ""
        found.append(Candidate(index, label, _own_pattern(match), text[match.end() :], time, end, printed))
    return _with_questions(found)


def _is_tag(label: str, style: HouseStyle) -> bool:
    """Whether a label between angle brackets is a tag of HTML: "<BR>"."""
    return "<{label}>" in style.label.pattern and label.casefold() in HTML_TAGS


@dataclass(frozen=True, slots=True)
class _RoleFirst:
    """A role before a name that has its own colon: "Host: Ada Quill: Hello", "[Host] Ada Quill: Hello"."""

    role: str
    #: The bracket before the role, if there is one; the colon or bracket behind it, with its white space.
    gaps: tuple[str, ...]
    name: str
    without: str  #: the text without the two


def role_first(text: str) -> _RoleFirst | None:
    """What a line begins with in which a role stands before a full name and its colon."""
    match = _ROLE_FIRST.match(text)
    if match is None or " " not in match["name"] or not (is_name(match["name"]) or is_caps_name(match["name"])):
        return None
    without = match["before"] + text[match.end("gap") :]
    gaps = (match["opening"], match["gap"]) if match["opening"] else (match["gap"],)
    return _RoleFirst(match["role"], gaps, match["name"], without)


_ROLE_FIRST = re.compile(
    rf"(?P<before>[\W\d_]{{0,20}}?)(?P<opening>\[)?(?P<role>{ROLE_WORDS})(?P<gap>(?(opening)\]|:)\s+)"
    r"(?P<name>[^\W\d_][^:\n*_]{1,60}?)[*_]{0,3}:",
    re.IGNORECASE,
)


def _roles_first(blocks: Sequence[Block]) -> dict[int, _RoleFirst]:
    """Those of a page: names that begin turns elsewhere, or that stand behind the role in most of its lines.

    Otherwise somebody reads a title: "Host: Quiet Water: a story of two boats."
    """
    found = {n: first for n, block in enumerate(blocks) if (first := role_first(block.text)) is not None}
    if not found:
        return found
    with_name = Counter(first.role for first in found.values())
    others = [m["label"] for n, b in enumerate(blocks) if n not in found and (m := _COLON_LABEL.match(b.text))]
    alone = Counter(others)
    return {
        n: first for n, first in found.items() if first.name in alone or with_name[first.role] > alone[first.role]
    }


_COLON_LABEL = re.compile(r"[\W\d_]{0,20}(?P<label>[^\W\d_][^:\n*_]{0,60}?)[*_]{0,3}:")


def _with_questions(candidates: list[Candidate]) -> list[Candidate]:
    """The candidates with Q and A as labels where their turns are counted: "Q1:", "A1:", "Q2:"."""
    numbered = {n: match for n, c in enumerate(candidates) if (match := COUNTED_QUESTION.fullmatch(c.label))}
    if {match["label"] for match in numbered.values()} != {"Q", "A"}:
        return candidates
    made = list(candidates)
    for n, match in numbered.items():
        each = candidates[n]
        pattern = each.pattern.replace("{label}", "{label}" + match["count"])
        made[n] = replace(each, label=match["label"], pattern=pattern, spaces="")
    return made


#: The label of a question or an answer with its number: "Q12".
COUNTED_QUESTION = re.compile(r"(?P<label>[QA])(?P<count>\d{1,3})")


def ends_with_dot(label: str, pattern: str) -> bool:
    """Whether a full stop can end a label: of a question or an answer, "Mr. Quill.", "ADA QUILL."; "Ada Quill.—"."""
    if pattern.rstrip().endswith(("-", "–", "—")) and " " in label and is_name(label):
        return True
    honorific, name = split_honorific(label)
    is_short = COUNTED_QUESTION.fullmatch(label) is not None or label in ("Q", "A")
    return is_short or (honorific is not None and is_name(name)) or (is_caps_name(label) and len(label) > 2)


def _own_pattern(match: re.Match[str]) -> str:
    """The matched label with its words and time taken out."""
    printed = match.group()
    spans = [(*match.span("label"), "{label}")]
    for name in ("time", "end"):
        if match.groupdict().get(name) is not None:
            spans.append((*match.span(name), f"{{{name}}}"))
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
