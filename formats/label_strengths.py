"""How far the labels of a page are believed: by their form, how often they come, and the rest of the page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from formats.blocks import Block
from formats.house_style import CAPITALS, HouseStyle
from formats.label_candidates import Candidate
from formats.listed_people import are_initials, people_listed
from formats.names import (
    COMPANY_WORDS,
    HEADING_NOUNS,
    ORDINARY,
    PARTICLES,
    first_name,
    is_caps_name,
    is_handle,
    is_key,
    is_name,
    is_number_label,
    is_role_label,
    short_forms,
    split_bracket,
    split_description,
    split_honorific,
    split_role,
    split_several,
    without_postnominals,
    without_signs,
)
from formats.shapes import ends_sentence, is_plain_label

#: A prefix that is shaped like no name is a label all the same when this many lines begin with it.
UNUSUAL_LABEL_COUNT = 3
#: So is one in small letters, among names, when this many do.
HANDLE_COUNT = 5
_IN_SERIES = re.compile(r"[A-Z]\d{1,2}")
_WORD_OR_END = re.compile(r"[^\W\d_][\w’'‑-]*|[.?!…:]")
#: A word that no colon follows.
_WORD_OF_TEXT = re.compile(r"\w[\w’'‑-]*(?![\w’'‑:-])")
#: The emphasis before and after the label, and the colon.
_EMPHASIS = re.compile(
    r"(?:[*_]+|'{2,3}|<\w[^<>]*>)\{label\}(?::(?:[*_]+|'{2,3}|</\w+>)|(?:[*_]+|'{2,3}|</\w+>):)\s*$"
)


def label_strengths(candidates: Sequence[Candidate], blocks: Sequence[Block], style: HouseStyle) -> dict[str, int]:
    """How far each printed label is believed: 0 not, 1 if nothing speaks against it, 2 certainly."""
    strengths = _strengths_of_names(candidates, blocks, style)
    strengths |= _strengths_of_names_among_capitals(candidates, strengths)
    strengths |= _strengths_of_brackets(candidates, strengths, style)
    strengths |= _strengths_of_descriptions(candidates)
    strengths |= _strengths_of_initials(candidates, strengths)
    strengths |= _strengths_of_handles(candidates, strengths)
    strengths |= _strengths_of_decorated(candidates)
    strengths |= _strengths_of_several(candidates, strengths)
    return strengths | _strengths_of_markup(candidates, strengths, style)


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
        or is_asking_letter(label, counts)
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


def is_question_or_answer(label: str, labels: Container[str]) -> bool:
    """Whether a label is the Q or the A of a page that has both."""
    return label in ("Q", "A") and "Q" in labels and "A" in labels


def is_asking_letter(label: str, counts: Mapping[str, int]) -> bool:
    """Whether a label is the I of a page where an interviewer and another letter come often: "I:", "R:"."""
    others = (other for other, count in counts.items() if other != "I" and count >= UNUSUAL_LABEL_COUNT)
    return label == "I" and counts["I"] >= UNUSUAL_LABEL_COUNT and any(len(o) < 3 and is_key(o) for o in others)


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


def _speaks_against(candidate: Candidate, sure: Sequence[Candidate], prose: _Prose) -> bool:
    """Whether the page shows that a label which comes once is a heading or the beginning of a sentence."""
    label = candidate.label
    if is_role_label(label) or label == "Q":
        return False
    parts = split_honorific(label)[1].split(" ")
    if len(parts) > 1 and parts[-1].casefold() in HEADING_NOUNS:
        return True
    if prose.mentioned & set(parts):
        return False
    if prose.small.issuperset(part.casefold() for part in parts):
        return True
    full = {first_name(c.label) for c in sure if " " in c.label}
    others = [c.label for c in sure if not (is_role_label(c.label) or _IN_SERIES.fullmatch(c.label))]
    return len(parts) == 1 and all(" " in other or other in full for other in others)


def _caps_strength(label: str, count: int, used: frozenset[str], style: HouseStyle) -> int:
    """As `label_strengths`; `used` are the words of the text: an abbreviation is one, a name in capitals is not."""
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
