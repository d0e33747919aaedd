"""Speaker labels: what is printed before a turn, from the speakers and a style's label forms."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from formats.house_style import NUMBER_TEMPLATE, LabelChoices, LabelForm
from formats.names import UNKNOWN_LABEL, first_name, initials, short_forms, split_honorific, surname
from formats.typography import one_line
from schemas.episode import Role
from schemas.transcript import NameMethod, Speaker, Transcript, Turn

#: Podcasting 2.0 lets a person's name have at most 128 characters.
LONGEST_LABEL = 128


@dataclass(frozen=True, slots=True)
class Cast:
    """The speakers of one transcript as labels need them."""

    speakers: Mapping[str, Speaker]
    order: Mapping[str | None, int]  #: by first appearance, from 1
    numbers: Mapping[str, str]  #: the N of "Speaker N" that an imported page printed otherwise
    with_shared_first_name: frozenset[str]  #: ids of the speakers whose first name somebody else has, in any case
    with_shared_surname: frozenset[str]
    with_shared_initials: frozenset[str]


def cast_of(transcript: Transcript, *, numbers: Mapping[str, str] | None = None) -> Cast:
    """The cast; `numbers` are what an imported page printed where that is not the order of appearance."""
    speakers = {speaker.id: speaker for speaker in transcript.speakers}
    order: dict[str | None, int] = {}
    for turn in transcript.turns:
        order.setdefault(turn.speaker, len(order) + 1)
    for identity in speakers:
        order.setdefault(identity, len(order) + 1)
    return Cast(
        speakers,
        order,
        numbers or {},
        _sharing(transcript, lambda name: first_name(name).casefold()),
        _sharing(transcript, lambda name: surname(name).casefold()),
        _sharing(transcript, initials),
    )


def _sharing(transcript: Transcript, short: Callable[[str], str]) -> frozenset[str]:
    """The speakers whose short form somebody with another name has as well.

    A speaker whose name is still the page's is told apart from the names that the page had, so that a changed name
    changes no other label.
    """
    now = {s.id: clean_name(s.name) for s in transcript.speakers if clean_name(s.name)}
    if transcript.layout is None:
        was = now
    else:
        was = {s.id: clean_name(page_name(s)) for s in transcript.speakers}
    names_now, names_then = _by_short_form(now.values(), short), _by_short_form(was.values(), short)
    return frozenset(
        identity
        for identity, name in now.items()
        if (names_then if was.get(identity) == name else names_now).get(short(name), set()) - {name}
    )


def _by_short_form(names: Iterable[str], short: Callable[[str], str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name in names:
        if name:
            found.setdefault(short(name), set()).add(name)
    return found


def clean_name(name: str | None) -> str:
    """A name that cannot act as anything else: one line, no colon or bracket that ends a label, 128 characters."""
    if not name:
        return ""
    return one_line("".join(" " if c in ":：[]" else c for c in name))[:LONGEST_LABEL].strip()


def label_of(identity: str | None, form: LabelForm | str, cast: Cast, choices: LabelChoices | None = None) -> str:
    """The label of a speaker in a form; `alias:2` is the speaker's third alias as it stands.

    Without a name it is "Speaker N", for an announcer the style's word, for a turn of no speaker "Unknown speaker".
    """
    speaker = cast.speakers.get(identity) if identity is not None else None
    template = choices.number if choices else NUMBER_TEMPLATE
    numbered = numbered_label(template, cast.numbers.get(identity or ""), cast.order.get(identity, 0))
    if speaker is not None and form.startswith("alias:"):
        alias = _alias(speaker, form)
        if alias:
            return clean_name(_alias_at_present(alias, speaker))
        form = LabelForm.FULL
    if form == LabelForm.NUMBER:
        return numbered
    if speaker is None:
        return UNKNOWN_LABEL if identity is None else numbered
    name = clean_name(speaker.name)
    if not name:
        is_announcer = speaker.role is Role.ANNOUNCER
        return (choices.announcer if choices else "Presenter") if is_announcer else numbered
    return _named(name, clean_name(speaker.honorific), LabelForm(form), speaker.id, cast)


def numbered_label(template: str, printed: str | None, place: int) -> str:
    """ "Speaker 2": with what the page printed, or the place in the order of appearance as the template shows it."""
    shown = printed or (chr(64 + place) if "{a}" in template and 0 < place <= 26 else str(place))
    return template.replace("{n}", shown).replace("{a}", shown)


def number_in(label: str, template: str) -> str | None:
    """The number or letter of a speaker without a name, from a label that the template explains."""
    before, _, mark = template.partition("{")
    shape = r"([A-Z])" if mark == "a}" else r"(\d{1,3})"
    match = re.fullmatch(re.escape(before) + shape, label)
    return match[1] if match else None


def _named(name: str, honorific: str, form: LabelForm, identity: str, cast: Cast) -> str:
    first = first_name(name)
    if identity in cast.with_shared_first_name:
        first = name
    last = name if identity in cast.with_shared_surname else surname(name)
    match form:
        case LabelForm.TITLED:
            return f"{honorific} {name}" if honorific else name
        case LabelForm.FIRST:
            return first
        case LabelForm.CAPS:
            return first.upper()
        case LabelForm.SURNAME:
            return last
        case LabelForm.FULL_CAPS:
            return name.upper()
        case LabelForm.SURNAME_CAPS:
            return last.upper()
        case LabelForm.INITIALS:
            short = initials(name)
            return short if short and identity not in cast.with_shared_initials else name
    return name


def _alias(speaker: Speaker, form: str) -> str:
    number = form.removeprefix("alias:")
    if number.isdigit() and int(number) < len(speaker.aliases):
        return clean_name(speaker.aliases[int(number)])
    return ""


def _alias_at_present(alias: str, speaker: Speaker) -> str:
    """An alias of the page with the name that the speaker has now: "Dr Feld" becomes "Dr Aziz"."""
    present = with_present_name(alias, speaker)
    printed = page_name(speaker)
    if present != alias or not printed or not speaker.name or printed == speaker.name:
        return present
    honorific, short = split_honorific(alias)
    before, after = short_forms(printed), short_forms(clean_name(speaker.name))
    for was, now in ((before, after), ([form.upper() for form in before], [form.upper() for form in after])):
        if short in was and now:
            name = now[was.index(short)]
            return f"{honorific} {name}" if honorific else name
    return alias


def with_spaces(label: str, spaces: str) -> str:
    """The label with the page's own white space between its parts: runs parted by `|`, one for each gap.

    The first may part a role from the name: "Host: Ada Quill" and "[Host] Ada Quill" are the label "Host Ada Quill",
    the latter with one run more for what opens it. It stands between the two whatever the name is by now.
    """
    parts, runs = label.split(" "), spaces.split("|")
    opening = runs.pop(0) if runs[0] == "[" else ""
    is_role_first = bool(runs) and runs[0].startswith("]" if opening else ":")
    bare = [runs[0][1:], *runs[1:]] if is_role_first else runs
    if is_role_first and len(runs) != len(parts) - 1 > 0:
        runs = [runs[0], *[" "] * (len(parts) - 2)]
    if len(runs) != len(parts) - 1 or any(not run.isspace() for run in bare) or (opening and not is_role_first):
        return label
    return opening + parts[0] + "".join(run + part for run, part in zip(runs, parts[1:], strict=True))


def display_name(identity: str | None, cast: Cast) -> str:
    """The full name without honorific, or "Speaker N": for captions and plain text."""
    return label_of(identity, LabelForm.FULL, cast)


def first_turns(turns: Sequence[Turn]) -> frozenset[str]:
    """Ids of the turns at which their speaker appears first."""
    seen: set[str | None] = set()
    found: set[str] = set()
    for turn in turns:
        if turn.speaker not in seen:
            seen.add(turn.speaker)
            found.add(turn.id)
    return frozenset(found)


def page_name(speaker: Speaker) -> str | None:
    """The name as the page had it when it was read, from its evidence."""
    return next((e.quote for e in speaker.evidence if e.method is NameMethod.PAGE), None)


def with_present_name(text: str, speaker: Speaker | None) -> str:
    """Text that stands for a speaker (an attribution, an entry of the speakers' list), with the name it has now.

    In a key ("TF: Tomas Feld") the initials go with the name.
    """
    if speaker is None or not speaker.name:
        return text
    printed = page_name(speaker)
    if not printed or printed == speaker.name or printed not in text:
        return text
    name = clean_name(speaker.name)
    text = text.replace(printed, name, 1)
    key = initials(printed)
    if len(key) > 1 and re.match(rf"{re.escape(key)}\b", text):
        text = initials(name) + text[len(key) :]
    return text
