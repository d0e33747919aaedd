"""Which lines of a page begin a turn: judged over the whole page, never by a line alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace

from formats.blocks import Block
from formats.clock import parse_time
from formats.house_style import CAPITALS, HouseStyle, LabelForm
from formats.labels import clean_name, number_in
from formats.names import (
    COMPANY_WORDS,
    HEADING_NOUNS,
    ORDINARY,
    PARTICLES,
    UPPER,
    first_name,
    initials,
    is_caps_name,
    is_field_label,
    is_handle,
    is_key,
    is_name,
    is_number_label,
    is_remark_label,
    is_role_label,
    is_sound_label,
    short_forms,
    split_bracket,
    split_description,
    split_honorific,
    split_role,
    split_several,
    without_postnominals,
    without_signs,
)
from formats.shapes import TIGHT_PATTERN, ends_sentence, is_clip, is_direction, is_plain_label, label_pattern
from formats.unspoken import code_lines

#: A prefix that is shaped like no name is a label all the same when this many lines begin with it.
UNUSUAL_LABEL_COUNT = 3
#: So is one in small letters, among names, when this many do.
HANDLE_COUNT = 5
#: What is said after no label: an address, alone or with a few words before it ("Slides: https://…").
_LINK = re.compile(r"(?:\S+\s+){0,12}<?https?://\S+")
_TALK_BEGINS = re.compile(r"(?:full |episode |podcast )?transcript:?", re.IGNORECASE)


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
        if above is not None and block.before == "\n" and not block.lead:
            text = f"{above.text}{above.tail}\n{block.text}"
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
        first, line_break, second = block.text.partition("\n")
        if not line_break:
            made.append(block)
            continue
        bare = first.rstrip()
        made.append(Block(block.before, block.lead, bare, first[len(bare) :]))
        made.append(Block("\n", "", second, block.tail))
    return tuple(made), moved


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
    candidates = _outside_code(candidates, blocks)
    if style.label.first is LabelForm.NUMBER and style.label.later is LabelForm.NUMBER:
        return [c for c in candidates if is_number_label(c.label) or number_in(c.label, style.label.number)]
    said = {c.label for c in candidates if not _LINK.fullmatch(c.rest)}
    candidates = [c for c in candidates if c.label in said and not _is_no_label(c, blocks)]
    candidates = _inside_the_talk(candidates, blocks, style)
    strengths = _strengths(candidates, blocks, style)
    strengths |= _strengths_of_decorated(candidates)
    strengths |= _strengths_of_several(candidates, strengths)
    strengths |= _strengths_of_markup(candidates, strengths, style)
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
    return is_word_of_page or is_direction(label) or is_clip(label) or explains_initials(blocks[candidate.index])


def explains_initials(block: Block) -> bool:
    """Whether a line explains initials: it has the form of a turn whose speaker says nothing but his name."""
    person = listed_person(0, block)
    return person is not None and person.short is not None and not ends_sentence(block.text)


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
        candidates = [c for c in candidates if blocks[c.index].lead.strip() in own or c.index == opening]
    return [c for c in candidates if c.index >= begin]


def talk_begin(blocks: Sequence[Block], *, before: int) -> int:
    """The block after a line TRANSCRIPT, or the first one of the page."""
    return next((n + 1 for n in range(before) if _TALK_BEGINS.fullmatch(blocks[n].text)), 0)


def opening_bullet(blocks: Sequence[Block], labels: Sequence[tuple[int, str]]) -> int | None:
    """The block that begins a talk which is one item of a list: the last bullet, whose speaker speaks again.

    Others are those of a list of people above it.
    """
    bulleted = [index for index, block in enumerate(blocks) if block.lead.strip()]
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


def _strengths(candidates: Sequence[Candidate], blocks: Sequence[Block], style: HouseStyle) -> dict[str, int]:
    """How far each printed label is believed: 0 not, 1 if nothing speaks against it, 2 certainly."""
    strengths = _strengths_of_names(candidates, blocks, style)
    strengths |= _strengths_of_names_among_capitals(candidates, strengths)
    strengths |= _strengths_of_brackets(candidates, strengths, style)
    strengths |= _strengths_of_descriptions(candidates)
    strengths |= _strengths_of_initials(candidates, strengths)
    return strengths | _strengths_of_handles(candidates, strengths)


def _strengths_of_descriptions(candidates: Sequence[Candidate]) -> dict[str, int]:
    """Names with what somebody does behind a comma: "Tomas Feld, keeper:".

    Certain are those that come again, and the first label of somebody who goes on with a short form of the name.
    """
    counts = Counter(c.label for c in candidates)
    first = {c.label: c.index for c in reversed(candidates)}
    found: dict[str, int] = {}
    for label, count in counts.items():
        name, _ = split_description(label) or ("", "")
        shorter = [short for short in (name, *short_forms(name)) if short in counts] if name else []
        if name and (count > 1 or (shorter and all(first[short] > first[label] for short in shorter))):
            found |= dict.fromkeys((label, *shorter), 2)
    return found


def _strengths_of_initials(candidates: Sequence[Candidate], strengths: Mapping[str, int]) -> dict[str, int]:
    """A full name and its initials below it: "Ada Quill:" once, then "AQ:" again and again.

    The initials may be a word ("AS").
    """
    counts = Counter(c.label for c in candidates)
    first = {c.label: c.index for c in reversed(candidates)}
    found: dict[str, int] = {}
    for key, count in counts.items():
        if is_key(key) and len(key) > 1 and (count > 1 or strengths.get(key) == 2):
            above = [name for name in counts if " " in name and is_name(name) and first[name] < first[key]]
            if names := [name for name in above if are_initials(key, name)]:
                found |= dict.fromkeys((key, *names), 2)
    return found


def _strengths_of_several(candidates: Sequence[Candidate], strengths: Mapping[str, int]) -> dict[str, int]:
    """Labels of people who speak at once and have labels of their own: "Ada Quill & Tomas Feld", "Ada and Tomas".

    One of them may have none, where the label begins a turn: "Ada Quill and Lena Berg", "Ada Quill and others".
    """
    sure = {label for label, strength in strengths.items() if strength == 2}
    known = sure | {first_name(label) for label in sure}
    found: dict[str, int] = {}
    for candidate in candidates:
        label = candidate.label
        parts = split_several(label)
        unknown = [part for part in parts if part not in known and first_name(part) not in sure]
        is_turn = not candidate.rest[:1].islower()
        if len(parts) > 1 and (not unknown or (is_turn and _may_join(label, parts, unknown))):
            found[label] = 2
    return found


def _may_join(label: str, parts: Sequence[str], unknown: Sequence[str]) -> bool:
    """Whether people without labels of their own can speak with those who have some."""
    if len(unknown) == len(parts) or not re.search(r" (?:&|\+|and|AND) ", label):
        return False
    is_one_of_many = len(parts) - len(unknown) > 1 and all(is_name(part) for part in unknown)
    return is_one_of_many or all(
        part.casefold() in COMPANY_WORDS or (" " in part and is_name(part)) for part in unknown
    )


def _strengths_of_decorated(candidates: Sequence[Candidate]) -> dict[str, int]:
    """Names with a role or a picture beside them ("Host – Ada Quill", "🎙 Ada"), and the names alone.

    Certain is what comes again, in either form.
    """
    counts = Counter(c.label for c in candidates)
    found: dict[str, int] = {}
    for label, count in counts.items():
        bare = without_signs(label)
        name = (split_role(bare) or ("", bare))[1]
        if name == label or not (is_name(name) or is_caps_name(name)):
            continue
        same = [o for o in counts if o == name or o in short_forms(name) or name in short_forms(o)]
        if count > 1 or same:
            found |= dict.fromkeys((label, *same), 2)
    return found


def _strengths_of_markup(
    candidates: Sequence[Candidate], strengths: Mapping[str, int], style: HouseStyle
) -> dict[str, int]:
    """Labels that come seldom in the very emphasis of the page's others: "**Woman 1:** …" among "**Ada:** …".

    They stand between turns of two people and more who speak again, begin with a capital as their turns do, and are
    no words that a heading begins with.
    """
    if style.label.own_line or not _EMPHASIS.match(style.label.pattern):
        return {}
    counts = Counter(c.label for c in candidates)
    sure = [c for c in candidates if strengths.get(c.label) == 2]
    if len({c.label for c in sure if counts[c.label] > 1}) < 2:
        return {}
    first, last = sure[0].index, sure[-1].index
    seldom = [c for c in candidates if not strengths.get(c.label) and first < c.index < last]
    found = {c.label for c in seldom if _may_be_seldom(c.label) and not c.rest[:1].islower()}
    return dict.fromkeys(found, 2) if len(sure) > 2 * sum(counts[label] for label in found) else {}


#: The emphasis before and after the label, and the colon.
_EMPHASIS = re.compile(r"(?:[*_]+|<\w+>)\{label\}(?::(?:[*_]+|</\w+>)|(?:[*_]+|</\w+>):)\s*$")


def _may_be_seldom(label: str) -> bool:
    """Whether nothing in a label that comes seldom says that it is a heading: "Free Electron", no "Key points"."""
    words = label.split()
    if not (label[0].isupper() or label[0].isdigit()) or not any(c.isalpha() for c in label) or len(words) > 5:
        return False
    if words[0].casefold() not in ORDINARY:
        return words[-1].casefold() not in HEADING_NOUNS
    return len(words) > 1 and all(word[0].isupper() and word.casefold() not in ORDINARY for word in words[1:])


def _strengths_of_brackets(
    candidates: Sequence[Candidate], strengths: Mapping[str, int], style: HouseStyle
) -> dict[str, int]:
    """Labels with a second name or initials in brackets, and the initials: "Tomas Feld (TF)", "TF".

    Certain is what comes again, in either form. Initials that come nowhere else are believed beside others that do.
    """
    counts = Counter(c.label for c in candidates)
    found: dict[str, int] = {}
    for label, count in counts.items():
        name, inner = split_bracket(label) or ("", "")
        if not (is_name(name) or is_caps_name(name) or is_handle(name) or strengths.get(name)):
            continue
        is_again = count > 1 and (is_key(inner) or is_name(inner) or is_role_label(inner))
        if (
            is_again
            or strengths.get(name)
            or (is_key(inner) and inner in counts)
            or (style.needs_times and is_name(name))
        ):
            found[label] = 2
            if is_key(inner) and inner in counts:
                found[inner] = 2
    for label in counts.keys() - found.keys() if found else ():
        name, inner = split_bracket(label) or ("", "")
        if is_name(name) and is_key(inner) and name[0] == inner[0]:
            found[label] = 2
    return found


def _strengths_of_names_among_capitals(
    candidates: Sequence[Candidate], strengths: Mapping[str, int]
) -> dict[str, int]:
    """Names that come again in small letters on a page whose other labels are capitals: "Lena:" beside "AQ:"."""
    if 2 not in strengths.values():
        return {}
    counts = Counter(c.label for c in candidates if c.label not in strengths and is_name(c.label))
    small = _goes_on_small(candidates)
    return {
        label: 2
        for label, count in counts.items()
        if count >= (2 if " " in label else UNUSUAL_LABEL_COUNT) and label not in small
    }


def _strengths_of_handles(candidates: Sequence[Candidate], strengths: Mapping[str, int]) -> dict[str, int]:
    """Names in small letters, as people have them online: they come often, beside names, and begin turns."""
    if 2 not in strengths.values():
        return {}
    begins: dict[str, list[bool]] = {}
    for candidate in candidates:
        if is_handle(candidate.label):
            begins.setdefault(candidate.label, []).append(candidate.rest[:1].isupper() or not candidate.rest)
    return {
        label: 2
        for label, are_turns in begins.items()
        if len(are_turns) >= HANDLE_COUNT and sum(are_turns) >= 0.8 * len(are_turns)
    }


def _strengths_of_names(
    candidates: Sequence[Candidate], blocks: Sequence[Block], style: HouseStyle
) -> dict[str, int]:
    is_caps = style.label.first in CAPITALS
    counts = Counter(c.label for c in candidates)
    people = people_listed(blocks, before=candidates[0].index if candidates else 0)
    listed = set(people) | {first_name(name) for name in people}
    series = _series(counts)
    shaped = {
        label
        for label in counts
        if is_plain_label(
            label, is_caps_style=is_caps, announcer=style.label.announcer, is_caps_name=is_caps_name(label)
        )
        or is_question_or_answer(label, counts)
        or (style.needs_times and style.label.own_line and _may_be_unusual(label))
        or label in series
        or (counts[label] >= UNUSUAL_LABEL_COUNT and _may_be_unusual(label) and not (is_caps and _has_lower(label)))
    }
    if is_caps:
        rests = {c.index: c.rest for c in candidates}
        texts = (rests.get(index, block.text) for index, block in enumerate(blocks))
        used = frozenset(word for text in texts for word in _WORD_OF_TEXT.findall(text))
        caps = {label: _caps_strength(label, counts[label], used, style) for label in shaped}
        related = _related({label: split_honorific(label)[1] for label in shaped})
        return {label: 2 if label in related else strength for label, strength in caps.items()}
    bare = {label: without_postnominals(split_honorific(label)[1]) for label in shaped}
    related = _related(bare)
    strengths = {}
    small = _goes_on_small([c for c in candidates if c.label in shaped])
    for label in shaped:
        name = bare[label]
        is_of_another = label in related or name in listed
        if label in small and not (is_of_another or is_number_label(label) or style.needs_times):
            strengths[label] = 0
        elif (counts[label] > 1 or is_of_another or is_number_label(label) or label == style.label.announcer) or (
            style.needs_times and "#" not in style.label.pattern
        ):
            strengths[label] = 2
        elif (
            people
            or "#" in style.label.pattern
            or (" " not in name and not is_role_label(label) and style.label.own_line)
        ):
            strengths[label] = 0
        else:
            strengths[label] = 1
    sure = [c for c in candidates if strengths.get(c.label) == 2]
    singles = {c.label: c for c in candidates if strengths.get(c.label) == 1}
    prose = _Prose.of(blocks, candidates) if singles and sure else None
    for label, candidate in singles.items():
        if prose is not None and _speaks_against(candidate, sure, prose):
            strengths[label] = 0
    return strengths


def _related(names: Mapping[str, str]) -> frozenset[str]:
    """The labels whose names are short forms of one another: "Tomas Feld" and "Tomas", "Feld" or "T. Feld"."""
    labels: dict[str, list[str]] = {}
    for label, name in names.items():
        labels.setdefault(name, []).append(label)
    found: set[str] = set()
    for label, name in names.items():
        for short in short_forms(name):
            if short in labels and short != name:
                found.update((label, *labels[short]))
    return frozenset(found)


def _series(counts: Mapping[str, int]) -> frozenset[str]:
    """Labels of a letter and a number ("P3") that come again, where another of the letter comes often."""
    letters = {
        label[0] for label, count in counts.items() if count >= UNUSUAL_LABEL_COUNT and _IN_SERIES.fullmatch(label)
    }
    return frozenset(
        label for label, count in counts.items() if count > 1 and label[0] in letters and _IN_SERIES.fullmatch(label)
    )


_IN_SERIES = re.compile(r"[A-Z]\d{1,2}")


def is_question_or_answer(label: str, labels: Container[str]) -> bool:
    """Whether a label is the Q or the A of a page that has both."""
    return label in ("Q", "A") and "Q" in labels and "A" in labels


def _goes_on_small(candidates: Sequence[Candidate]) -> frozenset[str]:
    """Labels that small letters follow every time, on a page whose other labels are followed by capitals."""
    begins: dict[str, list[bool]] = {}
    for candidate in candidates:
        if candidate.rest[:1].isalpha():
            begins.setdefault(candidate.label, []).append(candidate.rest[0].islower())
    small = frozenset(label for label, are_small in begins.items() if all(are_small))
    others = [is_small for label, are_small in begins.items() if label not in small for is_small in are_small]
    return small if others and sum(others) < 0.2 * len(others) else frozenset()


@dataclass(frozen=True, slots=True)
class _Prose:
    """The words of a page outside its labels."""

    small: frozenset[str]  #: those written with a small letter
    mentioned: frozenset[str]  #: those with a capital where no sentence begins

    @classmethod
    def of(cls, blocks: Sequence[Block], candidates: Sequence[Candidate]) -> _Prose:
        rests = {c.index: c.rest for c in candidates}
        small: set[str] = set()
        mentioned: set[str] = set()
        for index, block in enumerate(blocks):
            is_start = True
            for word in _WORD_OR_END.findall(rests.get(index, block.text)):
                if not word[0].isalpha():
                    is_start = True
                    continue
                if word[0].islower():
                    small.add(word)
                elif not is_start:
                    mentioned.add(re.sub(r"[’']s$", "", word))
                is_start = False
        return cls(frozenset(small), frozenset(mentioned))


_WORD_OR_END = re.compile(r"[^\W\d_][\w’'‑-]*|[.?!…:]")


def _speaks_against(candidate: Candidate, sure: Sequence[Candidate], prose: _Prose) -> bool:
    """Whether the page shows that a label which comes once is a heading or the beginning of a sentence."""
    label = candidate.label
    if is_role_label(label) or label == "Q":
        return False
    parts = split_honorific(label)[1].split(" ")
    if prose.mentioned & set(parts):
        return False
    if prose.small.issuperset(part.casefold() for part in parts):
        return True
    full = {first_name(c.label) for c in sure if " " in c.label}
    others = [c.label for c in sure if not (is_role_label(c.label) or _IN_SERIES.fullmatch(c.label))]
    return len(parts) == 1 and all(" " in other or other in full for other in others)


#: A word that no colon follows.
_WORD_OF_TEXT = re.compile(r"\w[\w’'‑-]*(?![\w’'‑:-])")


def _caps_strength(label: str, count: int, used: frozenset[str], style: HouseStyle) -> int:
    """As `_strengths`; `used` are the words of the text: an abbreviation is among them, a name in capitals is not."""
    if count > 1 or is_number_label(label) or is_role_label(label) or label == style.label.announcer:
        return 2
    if style.needs_times:
        return 2
    if label.split(" ")[0].casefold() in ORDINARY:
        return 0  # a heading
    return 0 if used.issuperset(label.split()) else 1


def _has_lower(label: str) -> bool:
    return any(c.islower() for c in label)


def _may_be_unusual(label: str) -> bool:
    words = label.split()
    if not any(c.isalpha() for c in label):
        return False
    if (
        len(words) > 5
        or ends_sentence(label)
        or any(mark in label for mark in '?!;“”"`|#={}\\*<>')
        or label[0] == "_"
    ):
        return False
    if any(word[0].islower() and word not in PARTICLES for word in words):
        return False
    return words[0].casefold().rstrip(".,") not in ORDINARY


def usual(values: Sequence[str], *, least: float = 0.5) -> str | None:
    """What more than `least` of several values are, and more than one of them."""
    if not values:
        return None
    value, count = Counter(values).most_common(1)[0]
    return value if count > 1 and count > least * len(values) else None


# ---------------------------------------------------------------- people of the head


_ROLE_PREFIX = re.compile(
    r"(Chair|Host|Guests?|Moderator|Presenter|Interviewer|Speakers?|Panellists?|With):\s+", re.I
)
#: White space is looked at from its beginning alone: a line can have a hundred thousand blanks.
_AFTER_NAME = re.compile(r",\s+|(?<!\s)\s+(?:[–—|-]\s+|\()|$")


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """An entry of a page's list of people."""

    index: int  #: of the block
    name: str
    honorific: str | None
    description: str | None
    role: str | None  #: the word before the name: "Chair"
    short: str | None = None  #: the initials that the page gives for the name: "TF"


_KEY = re.compile(rf"(?P<short>[{UPPER}]{{1,4}})\s*(?::|=|[-–—])\s+(?=\S)")
_KEY_AFTER = re.compile(rf"(?<!\s)\s*[(\[](?P<short>[{UPPER}]{{2,4}})[)\]]")


def listed_person(index: int, block: Block) -> ListedPerson | None:
    """A bulleted line that begins with a name, a line "TF: Tomas Feld" or "Tomas Feld (TF)", or None."""
    text = block.text
    key = _KEY.match(text)
    if key is not None:
        person = person_in(index, text[key.end() :])
        is_key = person is not None and are_initials(key["short"], person.name)
        return replace(person, short=key["short"]) if person and is_key else None
    after = _KEY_AFTER.search(text)
    if after is not None:
        person = person_in(index, text[: after.start()] + text[after.end() :])
        if person is not None and are_initials(after["short"], person.name):
            return replace(person, short=after["short"])
    return person_in(index, text) if block.lead.strip() else None


def are_initials(short: str, name: str) -> bool:
    """Whether the letters are the initials of the name, of all its parts or of the first and the last."""
    parts = [part[0].upper() for part in re.split(r"[ ‑-]", name) if part]
    return short in (initials(name), "".join(parts), parts[0] + parts[-1])


def short_names(head: Sequence[Block]) -> dict[str, str]:
    """The names behind initials that a page's head explains: "TF: Tomas Feld", "with Tomas Feld (TF)".

    Initials of two entries with other first names are nobody's.
    """
    found: dict[str, str] = {}
    shared: set[str] = set()
    for index, block in enumerate(head):
        person = listed_person(index, block)
        if person is not None and person.short:
            name = found.setdefault(person.short, person.name)
            if first_name(name) != first_name(person.name):
                shared.add(person.short)
        for match in _KEY_AFTER.finditer(block.text):
            before = block.text[: match.start()].split(" ")
            for count in (2, 3, 4, 5):
                name = " ".join(before[-count:])
                if is_name(name) and are_initials(match["short"], name):
                    found.setdefault(match["short"], name)
    return {short: name for short, name in found.items() if short not in shared}


def person_in(index: int, text: str, *, is_sure: bool = False) -> ListedPerson | None:
    """The person an entry begins with; `is_sure`: it stands where nothing but people do, so one name is enough."""
    role = _ROLE_PREFIX.match(text)
    if role:
        text = text[role.end() :]
    end = _AFTER_NAME.search(text)
    printed = text[: end.start()] if end else text
    honorific, rest = split_honorific(" ".join(printed.split()))
    name = without_postnominals(rest)
    is_person = (
        is_name(name)
        if is_sure
        else " " in name and is_plain_label(name, is_caps_style=False, announcer="", is_caps_name=False)
    )
    if not is_person:
        return None
    description = text[end.end() :].strip().removesuffix(")") if end else ""
    return ListedPerson(index, name, honorific, description or None, role[1] if role else None)


def people_listed(blocks: Sequence[Block], *, before: int) -> dict[str, ListedPerson]:
    """The people of the page's head by name, in order."""
    found: dict[str, ListedPerson] = {}
    for index, block in enumerate(blocks[:before]):
        person = listed_person(index, block)
        if person is not None:
            found.setdefault(person.name, person)
    return found
