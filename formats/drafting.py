"""A house style drafted from a page: for pages that no style on hand explains, and for `stenocast styles learn`.

The whole page decides: every line that has the shape of a label is a vote for that shape, and only shapes whose
labels come again, or are names, are tried.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from formats.blocks import Block, usual, without_tags
from formats.clock import TIME, parse_time
from formats.emphasised_lines import open_labels
from formats.house_style import (
    NUMBER_TEMPLATE,
    HouseStyle,
    LabelChoices,
    LabelForm,
    LayoutChoices,
    parse_style,
    write_style,
)
from formats.label_candidates import COUNTED_QUESTION, role_first
from formats.label_reading import opening_bullet
from formats.label_shapes import NAME_LINE, SHAPES, TIME_LINE
from formats.label_strengths import HANDLE_COUNT, is_question_or_answer
from formats.labels import cast_of, first_turns, label_of
from formats.names import (
    is_caps_name,
    is_handle,
    is_name,
    is_number_label,
    is_role_label,
    split_bracket,
    split_description,
    split_role,
    without_signs,
)
from formats.opening import Page
from formats.reading import Reading, read_in_style
from formats.rows import sign_of, uncounted
from formats.shapes import LINK_TARGET, TIGHT_PATTERN, ends_sentence, with_plain_spaces
from formats.turns_reading import find_usual_turns
from schemas.errors import PageError

#: What a drafted style is called until somebody names it.
DRAFT_NAME = "drafted"
#: A label without the shape of a name counts when this many lines begin with it.
UNUSUAL_COUNT = 3
#: How many shapes of a page are tried at most, those with the most lines first.
TRIED = 5

_LINKED_TIME = re.compile(rf"\[(\(?{TIME}\)?)\]{LINK_TARGET}")
_BULLET = re.compile(r"[•◦‣▪·*+–—-]")


@dataclass(frozen=True, slots=True)
class _Vote:
    """One line that has a shape."""

    shape: tuple[str, bool]  #: the pattern with single spaces, and whether the label stands alone on its line
    pattern: str  #: with the page's own white space
    label: str
    time: str | None
    lead: str  #: of its line
    index: int  #: of its block
    rest: str  #: what follows on its line


def drafted_readings(page: Page, *, identity: str) -> list[Reading]:
    """The page read in each style that was drafted from it, the most common shape of label first."""
    found = []
    for shape, votes in _shapes(page.blocks):
        reading = _drafted(page, shape, votes, identity)
        if reading is not None:
            found.append(reading)
    return found


# ---------------------------------------------------------------- shapes of labels


def _shapes(blocks: Sequence[Block]) -> list[tuple[tuple[str, bool], list[_Vote]]]:
    """The shapes worth trying, with the lines that have them."""
    groups: dict[tuple[str, bool], list[_Vote]] = {}
    for vote in _votes(blocks):
        groups.setdefault(vote.shape, []).append(vote)
    kept = []
    asked = open_labels(blocks)
    for shape, votes in groups.items():
        counts = Counter(vote.label for vote in votes)
        plausible = [vote for vote in votes if _is_plausible(vote.label, counts)]
        labels = {vote.label for vote in plausible}
        is_marked = "{time}" in shape[0] or any(is_number_label(label) for label in labels)
        if shape in _WEAK and not _is_prose(plausible, counts, blocks):
            continue
        if len(plausible) >= 2 and (len(labels | asked) >= 2 or is_marked):
            kept.append((shape, plausible))
    kept.sort(key=lambda each: len(each[1]), reverse=True)
    return kept[:TRIED]


#: Shapes that settings, menus and lists of words have as well: "Port:Yes", "File > Open", "rope -- a line".
_WEAK = frozenset((pattern, False) for pattern in (TIGHT_PATTERN, "{label} > ", "{label} >> ", "{label} -- "))


def _is_prose(votes: Sequence[_Vote], counts: Counter[str], blocks: Sequence[Block]) -> bool:
    """Whether people talk after labels of a weak shape, as no list of settings does: several often, in sentences."""
    often = {vote.label for vote in votes if counts[vote.label] >= UNUSUAL_COUNT and is_name(vote.label)}
    texts = [vote.rest for vote in votes if vote.label in often]
    return len(often) > 1 and 2 * sum(" " in text and ends_sentence(text) for text in texts) > len(votes)


def _votes(blocks: Sequence[Block]) -> Iterator[_Vote]:
    for index, block in enumerate(blocks):
        yield from _votes_of(block, index)
        following = blocks[index + 1] if index + 1 < len(blocks) else None
        if following is not None and following.follows_directly and not following.lead:
            yield from _votes_of_two(block, following, index)


def _votes_of(block: Block, index: int) -> Iterator[_Vote]:
    first = role_first(block.text)
    text = _LINKED_TIME.sub(r"[\1]", first.without if first else block.text)
    seen = set()
    for expression in SHAPES:
        match = expression.match(text)
        if match is None:
            continue
        time, end = match.groupdict().get("time"), match.groupdict().get("end")
        if any(each is not None and parse_time(each) is None for each in (time, end)):
            continue
        pattern = _pattern_of(match)
        is_own_line = match.end() == len(text)
        shape = (" ".join(pattern.split(" ")).strip() if is_own_line else _spaced(pattern), is_own_line)
        if shape in seen or not _parts_label(pattern, is_own_line) or _is_role_of_name(match, text):
            continue
        if "[[" in pattern or ("[" in pattern and "]" not in pattern):
            continue  # the text of a link, of a wiki or of Markdown
        seen.add(shape)
        bare = pattern.strip() if is_own_line else pattern
        yield _Vote(shape, bare, _bare(match["label"]), time, block.lead, index, text[match.end() :])


def _is_role_of_name(match: re.Match[str], text: str) -> bool:
    """Whether a label is the role of the name that follows it: "(Host) Ada Quill: Hello"."""
    following = _NAME_FOLLOWS.match(text, match.end()) if is_role_label(match["label"]) else None
    return following is not None and " " in following["name"] and is_name(following["name"])


_NAME_FOLLOWS = re.compile(r"(?P<name>[^\W\d_][^:\n*_]{1,60}?)[*_]{0,3}:")


def _votes_of_two(block: Block, below: Block, index: int) -> Iterator[_Vote]:
    """A name on one line and a time on the next, either way round."""
    for name, time, is_name_first in ((block.text, below.text, True), (below.text, block.text, False)):
        named, timed = NAME_LINE.fullmatch(name), TIME_LINE.fullmatch(time)
        if named is None or timed is None or parse_time(timed["time"]) is None:
            continue
        parts = (_pattern_of(named), _pattern_of(timed))
        between = block.tail.strip() + below.before.strip(" ") if below.before != "\n" else "\n"
        pattern = between.join(parts if is_name_first else reversed(parts))
        yield _Vote((pattern, True), pattern, _bare(named["label"]), timed["time"], block.lead, index, "")


def _pattern_of(match: re.Match[str]) -> str:
    """The matched text with its words and time taken out."""
    printed = match.group()
    groups = match.groupdict()
    spans = [(*match.span(name), f"{{{name}}}") for name in ("label", "time", "end") if groups.get(name) is not None]
    for start, end, mark in sorted(spans, reverse=True):
        printed = printed[:start] + mark + printed[end:]
    return printed


def _spaced(pattern: str) -> str:
    return re.sub(r"\s+", " ", with_plain_spaces(pattern))


def _bare(label: str) -> str:
    return " ".join(label.split())


def _parts_label(pattern: str, is_own_line: bool) -> bool:
    """Whether the pattern parts the label from what was said by more than a space."""
    if is_own_line:
        return True
    gaps = re.split(r"\{(?:time|end)\}", pattern[pattern.index("{label}") + len("{label}") :])
    return any(gap.strip() or "\t" in gap or len(gap) > 1 for gap in gaps)


def _is_plausible(label: str, counts: Counter[str]) -> bool:
    if counts[label] > 1:
        label = (split_bracket(label) or split_description(label) or (label,))[0]
    label = (split_role(without_signs(label)) or ("", without_signs(label)))[1]
    if is_number_label(label) or is_role_label(label) or is_name(label) or is_caps_name(label):
        return True
    if COUNTED_QUESTION.fullmatch(label) or is_question_or_answer(label, counts):
        return True
    if counts[label] >= HANDLE_COUNT and is_handle(label):
        return True
    return counts[label] >= UNUSUAL_COUNT and label.lstrip("$")[:1].isupper() and len(label.split()) <= 5


# ---------------------------------------------------------------- from a shape to a style


def _drafted(page: Page, shape: tuple[str, bool], votes: Sequence[_Vote], identity: str) -> Reading | None:
    """The page read in the style of one shape; None where no such style holds."""
    capitals = sum(is_caps_name(vote.label) for vote in votes)
    form = LabelForm.CAPS if capitals > len(votes) / 2 else LabelForm.FULL
    if all(is_number_label(vote.label) for vote in votes):
        form = LabelForm.NUMBER
    times = [parsed[1] for vote in votes if vote.time and (parsed := parse_time(vote.time))]
    pattern = Counter(with_plain_spaces(vote.pattern) for vote in votes).most_common(1)[0][0]
    label = LabelChoices(
        form,
        form,
        pattern,
        own_line=shape[1],
        time=Counter(times).most_common(1)[0][0] if times else None,
        number=_number_template([vote.label for vote in votes]),
    )
    style = _valid(HouseStyle(DRAFT_NAME, label))
    if style is None:
        return None
    leads = [uncounted(vote.lead) for vote in votes if sign_of(vote.lead)]
    lead = usual(leads) if len(leads) > len(votes) / 2 else None
    opening = opening_bullet(page.blocks, [(vote.index, vote.label) for vote in votes])
    bullet = page.blocks[opening].lead if opening is not None else ""
    style = replace(style, layout=_layout(page, style, lead, bullet))
    reading = read_in_style(page, style, identity=identity)
    if reading is None or (shape[1] and _BULLET.search(style.layout.indent)):
        return None  # a list, where it is no talk: what people say under their names has no bullets
    first, later = _forms(reading, style)
    if (first, later) == (style.label.first, style.label.later):
        return reading
    better = _valid(replace(style, label=replace(style.label, first=first, later=later)))
    other = read_in_style(page, better, identity=identity) if better else None
    readings = [other, reading] if other is not None else [reading]
    return max(readings, key=lambda each: (each.explained, each.turn_count))


def _valid(style: HouseStyle) -> HouseStyle | None:
    """The style as its own file would give it, or None where a file may not say so."""
    try:
        return parse_style(write_style(style), source=DRAFT_NAME)
    except PageError:
        return None


def _number_template(labels: Sequence[str]) -> str:
    """How the page writes "Speaker 2"."""
    found: Counter[str] = Counter()
    for label in labels:
        if is_number_label(label):
            match = re.fullmatch(r"(.*?)(\d+|[A-Z])", label)
            assert match is not None
            found[f"{match[1]}{{{'n' if match[2].isdigit() else 'a'}}}"] += 1
    return found.most_common(1)[0][0] if found else NUMBER_TEMPLATE


def _layout(page: Page, style: HouseStyle, lead: str | None, bullet: str) -> LayoutChoices:
    """The separators and indents that most of the page's lines have.

    `lead` is a bullet that most labels stand after, `bullet` one that the first stands after alone.
    """
    open_style = replace(style, layout=replace(style.layout, turn_indent=lead, bullet=bullet))
    blocks, labels = find_usual_turns(page, open_style)
    if not labels:
        return style.layout
    begin = [c.index for c in labels]
    turns = [blocks[index] for index in begin[1:]]
    after_label = [blocks[index + 1] for index in begin if index + 1 < len(blocks) and index + 1 not in begin]
    taken = {*begin, *(index + 1 for index in begin)} if style.label.own_line else set(begin)
    between = [blocks[index] for index in range(begin[0], begin[-1]) if index not in taken]
    inner = [*between, *after_label] if style.label.own_line else between
    default = LayoutChoices()
    indent = usual([b.lead for b in inner]) or ""
    turn_indent = usual([uncounted(b.lead) for b in turns]) if len(turns) > 1 else None
    if turn_indent is not None and all(block.lead == turn_indent for block in inner):
        indent = turn_indent
    first_lead = uncounted(blocks[begin[0]].lead)
    other = turn_indent if turn_indent is not None else indent
    layout = LayoutChoices(
        turn_separator=_separator([without_tags(b.before) for b in turns], default.turn_separator),
        paragraph_separator=_separator([without_tags(b.before) for b in between], default.paragraph_separator),
        label_separator=_separator([without_tags(b.before) for b in after_label], default.label_separator)
        if style.label.own_line
        else default.label_separator,
        indent=indent,
        turn_indent=turn_indent if turn_indent not in (None, indent) else None,
        bullet=first_lead if first_lead != other and first_lead.strip() else "",
    )
    return layout if _valid(replace(style, layout=layout)) else style.layout


def _separator(values: Sequence[str], default: str) -> str:
    value = usual(values) or (values[0] if len(values) == 1 else default)
    return value if value.endswith("\n") and not value.strip() and len(value) <= 16 else default


def _forms(reading: Reading, style: HouseStyle) -> tuple[LabelForm, LabelForm]:
    """The label forms that explain the most first and later labels of the page."""
    transcript = replace(reading.transcript, layout=None)
    cast = cast_of(transcript)
    first = first_turns(transcript.turns)
    named = [turn for turn in transcript.turns if (s := cast.speakers.get(turn.speaker or "")) and s.name]
    if not named:
        return style.label.first, style.label.later
    printed = {turn.id: label for turn, label in zip(transcript.turns, reading.labels, strict=True)}
    found = []
    for turns in ([t for t in named if t.id in first], [t for t in named if t.id not in first]):
        votes = Counter(
            form
            for turn in turns
            for form in _PREFERRED
            if label_of(turn.speaker, form, cast, style.label) == printed[turn.id]
        )
        best = max(votes.values(), default=0)
        found.append(next((form for form in _PREFERRED if votes[form] == best), None) if best else None)
    is_short = all(" " not in label for label in printed.values() if not is_number_label(label))
    made = [form or other or style.label.first for form, other in zip(found, reversed(found), strict=True)]
    if is_short:
        made = [LabelForm.FIRST if form is LabelForm.FULL else form for form in made]
    return made[0], made[1]


#: Of two forms that explain as much, the one further left is taken.
_PREFERRED = (
    LabelForm.FULL,
    LabelForm.TITLED,
    LabelForm.FIRST,
    LabelForm.SURNAME,
    LabelForm.CAPS,
    LabelForm.FULL_CAPS,
    LabelForm.SURNAME_CAPS,
    LabelForm.INITIALS,
)
