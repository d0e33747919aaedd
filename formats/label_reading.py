"""Which lines of a page begin a turn: judged over the whole page, never by a line alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

from formats.blocks import Block
from formats.house_style import HouseStyle, LabelForm
from formats.label_candidates import COUNTED_QUESTION, Candidate
from formats.label_strengths import label_strengths
from formats.labels import number_in
from formats.listed_people import explains_initials, label_keys, listed_person
from formats.names import first_name, is_field_label, is_number_label, is_remark_label, is_role_label, is_sound_label
from formats.rows import sign_of
from formats.shapes import ends_sentence, is_back_heading, is_clip, is_direction
from formats.unspoken import code_lines

#: More labels of a Q and a number are of the questions of a list.
MOST_WHO_ASK = 3
#: What is said after no label: an address, alone or with a few words before it ("Slides: https://…").
_LINK = re.compile(r"(?:\S+\s+){0,12}<?https?://\S+")
_TALK_BEGINS = re.compile(r"(?:full |episode |podcast )?transcript:?", re.IGNORECASE)


def accept(
    candidates: Sequence[Candidate], blocks: Sequence[Block], style: HouseStyle, *, has_title: bool = False
) -> list[Candidate]:
    """The candidates that begin turns, in order.

    A label is believed when its shape is that of a label and it comes again, stands in the page's list of people, is
    the first name of a label that does, or is "Speaker N". One that comes once is believed when nothing speaks
    against it: it stands before the first believed one, begins as a heading does, is a word that the text uses as
    well, or a single word where everybody else has a full name and nobody mentions it. Never are speakers: what is
    heard ("Music:"), remarks ("Note:"), what always goes on in small letters where the page's turns begin with
    capitals. A line right after a label on its own line is speech. `has_title`: the page's title stands elsewhere,
    so that its first line can begin a turn.
    """
    candidates = _without_listed_questions(_outside_code(candidates, blocks))
    if style.label.first is LabelForm.NUMBER and style.label.later is LabelForm.NUMBER:
        return [c for c in candidates if is_number_label(c.label) or number_in(c.label, style.label.number)]
    said = {c.label for c in candidates if not _LINK.fullmatch(c.rest)}
    keys = label_keys(blocks)
    candidates = [c for c in candidates if c.label in said and c.index not in keys and not _is_no_label(c, blocks)]
    candidates = _inside_the_talk(candidates, blocks, style)
    strengths = label_strengths(candidates, blocks, style)
    kept: list[Candidate] = []
    believed = {c.index for c in candidates if strengths.get(c.label, 0) > 0}
    first_strong = next((c.index for c in candidates if strengths.get(c.label) == 2), None)
    for candidate in candidates:
        strength = strengths.get(candidate.label, 0)
        if strength == 0:
            continue
        if style.label.own_line:
            follows_label = bool(kept) and kept[-1].index == candidate.index - 1
            is_title = not kept and strength < 2 and candidate.index + 1 in believed
            if follows_label or is_title:
                continue
        elif candidate.index == 0 and not has_title and _is_title(candidate, candidates, strength, first_strong):
            continue
        kept.append(candidate)
    return kept


def _without_listed_questions(candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    """Without "Q1", "Q2", "Q3" and so on, where no answers are counted: of two, the second is another who asks."""
    counted = {c.label for c in candidates if c.label[0] == "Q" and COUNTED_QUESTION.fullmatch(c.label)}
    return [c for c in candidates if c.label not in counted] if len(counted) > MOST_WHO_ASK else candidates


def _is_title(candidate: Candidate, candidates: Sequence[Candidate], strength: int, first_strong: int | None) -> bool:
    """Whether a page's first line is its title: "Ada Quill: a life in lamps" before Ada Quill’s first turn."""
    if is_role_label(candidate.label) and ends_sentence(candidate.rest):
        return False
    if strength == 2:
        below = candidates[1].label if len(candidates) > 1 else None
        return below == candidate.label and " " in candidate.rest and not ends_sentence(candidate.rest)
    return first_strong is not None


def _outside_code(candidates: Sequence[Candidate], blocks: Sequence[Block]) -> Sequence[Candidate]:
    """Without those between fences, unless most of them are: then it is the talk that stands there."""
    code = code_lines(blocks)
    outside = [c for c in candidates if c.index not in code]
    return outside if 2 * len(outside) > len(candidates) else candidates


def _is_no_label(candidate: Candidate, blocks: Sequence[Block]) -> bool:
    label = candidate.label
    is_word_of_page = is_sound_label(label) or is_remark_label(label) or is_field_label(label)
    block = blocks[candidate.index]
    return (
        is_word_of_page
        or is_direction(label)
        or is_clip(label)
        or is_back_heading(block.text)
        or explains_initials(block)
    )


def _inside_the_talk(
    candidates: Sequence[Candidate], blocks: Sequence[Block], style: HouseStyle
) -> Sequence[Candidate]:
    """Without what stands before a line TRANSCRIPT, or before the bullet that a style begins its talk with."""
    begin = talk_begin(blocks, before=max((c.index for c in candidates), default=0))
    bullet = style.layout.bullet.strip()
    own = {style.layout.indent.strip(), style.turn_indent.strip(), ""}
    if bullet and bullet not in own:
        starts = (c.index for c in candidates if bullet in blocks[c.index].lead and c.index >= begin)
        opening = opening_bullet(blocks, [(c.index, c.label) for c in candidates])
        begin = opening if opening is not None else next(starts, begin)
    else:
        opening = opening_bullet(blocks, [(c.index, c.label) for c in candidates])
        candidates = [c for c in candidates if sign_of(blocks[c.index].lead) in own or c.index == opening]
    return [c for c in candidates if c.index >= begin]


def talk_begin(blocks: Sequence[Block], *, before: int) -> int:
    """The block after a line TRANSCRIPT, or the first one of the page."""
    return next((n + 1 for n in range(before) if _TALK_BEGINS.fullmatch(blocks[n].text)), 0)


def opening_bullet(blocks: Sequence[Block], labels: Sequence[tuple[int, str]]) -> int | None:
    """The block that begins a talk which is one item of a list: the last bullet, whose speaker speaks again.

    Others are those of a list of people above it.
    """
    bulleted = [index for index, block in enumerate(blocks) if sign_of(block.lead)]
    if not bulleted or any(listed_person(index, blocks[index]) is None for index in bulleted[:-1]):
        return None
    last = bulleted[-1]
    listed = [person.name for n in bulleted[:-1] if (person := listed_person(n, blocks[n])) is not None]
    person = listed_person(last, blocks[last])
    breaks = [blocks[index].before.count("\n") for index in bulleted[1:]]
    is_apart = last - 1 not in bulleted or breaks[-1] > min(breaks)
    if listed and person is not None and not is_apart and person.name not in listed:
        return None  # the end of that list
    opener = next((label for index, label in labels if index == last), None)
    others = {label for index, label in labels if index > last}
    if opener is None or not others & {opener, first_name(opener), opener.split(" ")[0]}:
        return None
    return last
