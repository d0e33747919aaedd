"""Who speaks on a page: one speaker for all the labels of a person, with what the head says about them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace

from formats.blocks import Block
from formats.house_style import CAPITALS, HouseStyle, LabelForm
from formats.label_candidates import Candidate
from formats.label_strengths import is_question_or_answer
from formats.listed_people import ANSWERS, ASKS, ListedPerson, are_initials, short_names
from formats.names import (
    ANNOUNCER_WORDS,
    HOST_WORDS,
    JOINT_LABELS,
    ORDINARY,
    UNKNOWN_LABEL,
    UPPER,
    first_name,
    is_caps_name,
    is_key,
    is_name,
    is_number_label,
    is_role_label,
    name_from_caps,
    several_from_caps,
    short_forms,
    split_bracket,
    split_description,
    split_honorific,
    split_role,
    split_several,
    without_postnominals,
    without_signs,
)
from schemas.episode import Role
from schemas.transcript import Evidence, NameMethod, Speaker

_NAME_PART = (
    r"(?:(?:van|von|der|de|den|del|di|da|dos|la|le|el|al|bin|ibn|ten|ter)\s)*"
    rf"[{UPPER}][\w‑-]*(?:[’'][{UPPER}][\w-]*)?"
)


@dataclass(frozen=True, slots=True)
class Voices:
    """Whose turn each label begins, and the speakers by first appearance."""

    speakers: tuple[Speaker, ...]
    of_label: Mapping[str, str | None]  #: printed label -> speaker id


def find_voices(
    labels: Sequence[Candidate],
    people: Mapping[str, ListedPerson],
    head: Sequence[Block],
    style: HouseStyle,
) -> Voices:
    """The speakers behind the labels. `head` is what stands before the talk."""
    counts = Counter(c.label for c in labels)
    printed = list(counts)
    names = _names_of(printed, people, head, style)
    people = {**_people_of(names), **people}
    of_label: dict[str, str | None] = {}
    of_name: dict[str, str] = {}
    made: list[Speaker] = []
    for label in printed:
        if label == UNKNOWN_LABEL:
            of_label[label] = None
            continue
        honorific, name = names[label]
        if name not in of_name:
            of_name[name] = f"S{len(made) + 1}"
            is_announcer = label == style.label.announcer and (label != labels[0].label or counts[label] == 1)
            made.append(
                _speaker(of_name[name], name, honorific, people.get(name), label, head, is_announcer=is_announcer)
            )
        elif honorific and made[int(of_name[name][1:]) - 1].honorific is None:
            place = int(of_name[name][1:]) - 1
            made[place] = replace(made[place], honorific=honorific)
        of_label[label] = of_name[name]
    speakers = _with_roles(made, labels, of_label, people)
    return Voices(tuple(_with_short_form(s, printed, of_label) for s in speakers), of_label)


def _people_of(names: Mapping[str, tuple[str | None, str]]) -> dict[str, ListedPerson]:
    """Those whose label says what they do: "Tomas Feld, keeper", "Host – Ada Quill"."""
    found: dict[str, ListedPerson] = {}
    for label, (honorific, name) in names.items():
        role, _ = split_role(without_signs(label)) or (None, "")
        _, description = _described_in(label, names) or ("", None)
        if role or description:
            found.setdefault(name, ListedPerson(-1, name, honorific, description, role))
    return found


def _described_in(label: str, labels: Container[str]) -> tuple[str, str] | None:
    """As `split_description`, but None of two people of whom the second has a label, too: "Ada Quill, Tomas Feld"."""
    described = split_description(label)
    return described if described and described[1] not in labels else None


def _names_of(
    printed: Sequence[str], people: Mapping[str, ListedPerson], head: Sequence[Block], style: HouseStyle
) -> dict[str, tuple[str | None, str]]:
    """Honorific and full name for each printed label."""
    found: dict[str, tuple[str | None, str]] = {}
    keys = _roles_of(printed, people) | _initials_of(printed) | _keys_in(printed, people, head)
    keys |= short_names(head) | _keys_of(people)
    full: list[str] = list(people)
    for label in printed:
        honorific, rest = split_honorific(keys.get(label, label))
        name = rest if is_caps_name(rest) or len(split_several(rest)) > 1 else without_postnominals(rest)
        if " " in name and not is_caps_name(label) and name not in full and not is_number_label(label):
            full.append(name)
        found[label] = (honorific, name)
    is_caps = style.label.first in CAPITALS - {LabelForm.INITIALS}
    in_capitals = [name for label, (_, name) in found.items() if is_caps_name(label)]
    for label, (honorific, name) in found.items():
        if is_number_label(label) or label == UNKNOWN_LABEL:
            found[label] = (None, label)
        elif is_caps and label.isupper() and len(split_several(label)) > 1 and label not in keys:
            found[label] = (None, several_from_caps(label))
        elif is_caps and is_caps_name(label) and label not in keys:
            longer = {other for other in in_capitals if other != name and name in short_forms(other)}
            name = name_from_caps(longer.pop() if len(longer) == 1 else name)
            found[label] = (honorific.capitalize() if honorific else None, _completed(name, people, head))
        elif not is_role_label(name):
            found[label] = (honorific, _full_name(name, full))
    return found


def _full_name(short: str, full: Sequence[str]) -> str:
    """The only name of several that a first name, a surname or one of them with an initial can stand for."""
    firsts = [name for name in full if first_name(name) == short and name != short]
    matches = firsts or [name for name in full if short in short_forms(name) and name != short]
    return matches[0] if len(matches) == 1 else short


def _initials_of(printed: Sequence[str]) -> dict[str, str]:
    """The full names behind labels that are the initials of one label above them: "Ada Quill", later "AQ".

    Not where somebody else goes by those letters: "TJ" is TJ Orr.
    """
    found: dict[str, str] = {}
    for place, label in enumerate(printed):
        if not (is_key(label) and len(label) > 1):
            continue
        full = [name for name in printed if " " in name and is_name(name) and are_initials(label, name)]
        is_first_name = any(first_name(name) == label for name in printed if name != label)
        if len(full) == 1 and full[0] in printed[:place] and not is_first_name:
            found[label] = full[0]
    return found


def _roles_of(printed: Sequence[str], people: Mapping[str, ListedPerson]) -> dict[str, str]:
    """The names behind labels that are a role which one listed person has; Q is who asks, A who answers."""
    of_role: dict[str, list[str]] = {}
    for name, person in people.items():
        if person.role:
            role = person.role.casefold()
            of_role.setdefault(role, []).append(name)
            of_role.setdefault("q" if role in ASKS else "a" if role in ANSWERS else role, []).append(name)
    known = {label: set(of_role.get(label.casefold(), ())) for label in printed}
    is_key = {label: is_role_label(label) or is_question_or_answer(label, printed) for label in printed}
    return {label: names.pop() for label, names in known.items() if len(names) == 1 and is_key[label]}


def _keys_of(people: Mapping[str, ListedPerson]) -> dict[str, str]:
    """The names behind initials that the list of people gives; those of two people are nobody's."""
    counts = Counter(person.short for person in people.values())
    return {person.short: person.name for person in people.values() if person.short and counts[person.short] == 1}


def _keys_in(printed: Sequence[str], people: Mapping[str, ListedPerson], head: Sequence[Block]) -> dict[str, str]:
    """The names behind labels that other labels explain: "Tomas Feld (TF)", and "Lamp (Tomas Feld)" by the head.

    What stands in brackets after a single word may be a firm as well, so that it is the name only where the head
    has it too. Initials that two people have are nobody's: whose turn they begin cannot be told.
    """
    found: dict[str, str] = {}
    of_key: dict[str, set[str]] = {}
    for label in printed:
        bare = without_signs(label)
        name, inner = split_bracket(bare) or (bare, "")
        if not inner:
            described, with_role = _described_in(bare, printed), split_role(bare)
            alone = described[0] if described else with_role[1] if with_role else bare
            if alone != label:
                found[label] = name_from_caps(alone) if is_caps_name(alone) else alone
            continue
        is_second_name = " " not in name and " " in inner and is_name(inner)
        if is_second_name and (inner in people or any(inner in block.text for block in head)):
            found[name] = inner
            name = inner
        found[label] = name_from_caps(name) if is_caps_name(name) else name
        if is_key(inner) and inner in printed:
            of_key.setdefault(inner, set()).add(found[label])
    return found | {key: names.pop() for key, names in of_key.items() if len(names) == 1}


def _completed(name: str, people: Mapping[str, ListedPerson], head: Sequence[Block]) -> str:
    """The full name that the page's head gives for a first name, where it gives exactly one; a full one as it has it.

    `name` was made from capitals, which do not tell "Ada MacRae" from "Ada Macrae".
    """
    if " " in name:
        whole = re.compile(rf"\b{re.escape(name)}\b", re.IGNORECASE)
        printed = [*people, *(match.group() for block in head for match in whole.finditer(block.text))]
        return next((p for p in printed if p.casefold() == name.casefold() and not p.isupper()), name)
    listed = [person for person in people if first_name(person).casefold() == name.casefold()]
    if len(listed) == 1:
        return listed[0]
    expression = re.compile(rf"\b{re.escape(name)}((?:\s{_NAME_PART}){{1,3}})", re.IGNORECASE)
    found: Counter[str] = Counter()
    for block in head:
        for match in expression.finditer(" ".join(block.text.split())):
            first = match.group()[: len(name)]
            parts = []
            for part in match[1].split():
                if not (
                    part[0].isupper() or part in ("van", "von", "der", "de", "den", "di", "da", "la", "le", "al")
                ):
                    break
                if part.isupper() and len(part) > 1:
                    break
                parts.append(re.sub(r"[’']s$", "", part))
            if parts and first[0].isupper():
                found[f"{first} {' '.join(parts)}"] += 1
    if not found:
        return name
    shortest = sorted(found, key=lambda full: (len(full.split()), -found[full], full))
    surnames = {full for full in found if not any(full != s and full.startswith(s + " ") for s in found)}
    return shortest[0] if len(surnames) == 1 else name


def _speaker(
    identity: str,
    name: str,
    honorific: str | None,
    person: ListedPerson | None,
    label: str,
    head: Sequence[Block],
    *,
    is_announcer: bool,
) -> Speaker:
    if is_number_label(label):
        return Speaker(identity, voice=label)
    if is_announcer:
        return Speaker(identity, role=Role.ANNOUNCER)
    return Speaker(
        identity,
        name=name,
        known_by=NameMethod.PAGE,
        confidence=1.0,
        evidence=(Evidence(NameMethod.PAGE, name),),
        honorific=honorific or (person.honorific if person else None),
        description=person.description if person else _described(name, head),
        role=Role.ANNOUNCER if label.casefold() in ANNOUNCER_WORDS else None,
    )


def _described(name: str, head: Sequence[Block]) -> str | None:
    """What the head says about a person right after the full name: "Tomas Feld, keeper of the harbour lights"."""
    if " " not in name:
        return None
    expression = re.compile(rf"{re.escape(name)}, ([^.;]*?)(?=,\s+(?:who|and)\b|[.;]|$)")
    for block in head:
        match = expression.search(block.text)
        if match and len(match[1].split()) >= 2:
            return match[1].strip()
    return None


def _with_roles(
    speakers: Sequence[Speaker],
    labels: Sequence[Candidate],
    of_label: Mapping[str, str | None],
    people: Mapping[str, ListedPerson],
) -> list[Speaker]:
    """Roles from the list of people; else who opens the talk and speaks most often is the host."""
    turns = Counter(of_label[c.label] for c in labels)
    named = {
        s.id: person.role.casefold() for s in speakers if s.name and (person := people.get(s.name)) and person.role
    }
    hosts = {identity for identity, role in named.items() if role.removeprefix("co-") in HOST_WORDS}
    opener = next((of_label[c.label] for c in labels), None)
    talkers = [s for s in speakers if s.role is not Role.ANNOUNCER]
    if not hosts and opener is not None and len(talkers) > 1 and turns[opener] == max(turns.values()):
        hosts = {opener}
    made = []
    for speaker in speakers:
        is_talker = speaker.role is Role.ANNOUNCER and speaker.name and turns[speaker.id] > 1 and speaker.id == opener
        if is_talker or (speaker.role is None and speaker.id in hosts):
            speaker = replace(speaker, role=Role.HOST)
        elif speaker.role is None and hosts and (speaker.name or "").casefold() not in JOINT_LABELS:
            speaker = replace(speaker, role=Role.GUEST)
        made.append(speaker)
    return made


def _with_short_form(speaker: Speaker, printed: Sequence[str], of_label: Mapping[str, str | None]) -> Speaker:
    """The first name as an alias, where the page uses it as a label."""
    if speaker.name is None:
        return speaker
    short = first_name(speaker.name)
    if short != speaker.name and any(of_label[label] == speaker.id and label == short for label in printed):
        return replace(speaker, aliases=(*speaker.aliases, short))
    return speaker


# ---------------------------------------------------------------- other forms of a name


def with_heard_aliases(
    speakers: Sequence[Speaker], head: Sequence[str], turn_starts: Sequence[tuple[str | None, str]]
) -> tuple[Speaker, ...]:
    """Add short and other forms: "Steph" in the head for Stephanie, "Andrew, …" said to Andy at the start of a turn.

    A form must share its first three letters with the first name of exactly one speaker, and be nobody's name.
    """
    taken = {part for s in speakers for part in (s.name or "").split()}
    words = [word for text in head for word in re.findall(r"\b[A-Z][a-z]{2,}\b", text)]
    said = [(who, match[1]) for who, text in turn_starts if (match := re.match(r"([A-Z][a-z]{3,}),\s", text))]
    made = []
    for speaker in speakers:
        mine = first_name(speaker.name) if speaker.name else ""
        forms = [w for w in words if mine.startswith(w) and w != mine]
        forms += [w for who, w in said if who != speaker.id and len(mine) > 3 and w[:3] == mine[:3]]
        new = [
            w
            for w in dict.fromkeys(forms)
            if w not in taken and w not in speaker.aliases and w.casefold() not in ORDINARY and _fits_one(w, speakers)
        ]
        made.append(replace(speaker, aliases=(*speaker.aliases, *new)))
    return tuple(made)


def _fits_one(word: str, speakers: Sequence[Speaker]) -> bool:
    return sum(1 for s in speakers if s.name and first_name(s.name)[:3] == word[:3]) == 1
