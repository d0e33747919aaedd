"""Speaker labels: what is printed before a turn, from the speakers and a style's label forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from formats.house_style import LabelForm
from formats.names import UNKNOWN_LABEL, first_name
from formats.typography import one_line
from schemas.episode import Role
from schemas.transcript import NameMethod, Speaker, Transcript, Turn

#: Podcasting 2.0 lets a person's name have at most 128 characters.
LONGEST_LABEL = 128


@dataclass(frozen=True, slots=True)
class Cast:
    """The speakers of one transcript as labels need them."""

    speakers: Mapping[str, Speaker]
    numbers: Mapping[str | None, int]  #: N of "Speaker N": by first appearance, from 1
    shared_first_names: frozenset[str]  #: casefolded first names that two people have


def cast_of(transcript: Transcript, *, numbers: Mapping[str, int] | None = None) -> Cast:
    """The cast; `numbers` are what an imported page printed where that is not the order of appearance."""
    speakers = {speaker.id: speaker for speaker in transcript.speakers}
    order: dict[str | None, int] = {}
    for turn in transcript.turns:
        order.setdefault(turn.speaker, len(order) + 1)
    for identity in speakers:
        order.setdefault(identity, len(order) + 1)
    seen: dict[str, int] = {}
    for name in {clean_name(speaker.name) for speaker in speakers.values() if speaker.name}:
        first = first_name(name).casefold()
        seen[first] = seen.get(first, 0) + 1
    shared = frozenset(first for first, count in seen.items() if count > 1)
    order.update(numbers or {})
    return Cast(speakers, order, shared)


def clean_name(name: str | None) -> str:
    """A name that cannot act as anything else: one line, no colon or bracket that ends a label, 128 characters."""
    if not name:
        return ""
    return one_line("".join(" " if c in ":：[]" else c for c in name))[:LONGEST_LABEL].strip()


def label_of(identity: str | None, form: LabelForm | str, cast: Cast, *, announcer: str = "Presenter") -> str:
    """The label of a speaker in a form; `alias:2` is the speaker's third alias as it stands.

    Without a name it is "Speaker N", for an announcer the style's word, for a turn of no speaker "Unknown speaker".
    """
    speaker = cast.speakers.get(identity) if identity is not None else None
    numbered = f"Speaker {cast.numbers.get(identity, 0)}"
    if form == LabelForm.NUMBER:
        return numbered
    if speaker is None:
        return UNKNOWN_LABEL if identity is None else numbered
    if form.startswith("alias:"):
        alias = _alias(speaker, form)
        if alias:
            return alias
        form = LabelForm.FULL
    name = clean_name(speaker.name)
    if not name:
        return announcer if speaker.role is Role.ANNOUNCER else numbered
    return _named(name, clean_name(speaker.honorific), LabelForm(form), cast)


def _named(name: str, honorific: str, form: LabelForm, cast: Cast) -> str:
    first = first_name(name)
    if first.casefold() in cast.shared_first_names:
        first = name
    match form:
        case LabelForm.TITLED:
            return f"{honorific} {name}" if honorific else name
        case LabelForm.FIRST:
            return first
        case LabelForm.CAPS:
            return first.upper()
        case LabelForm.FULL_CAPS:
            return name.upper()
    return name


def _alias(speaker: Speaker, form: str) -> str:
    number = form.removeprefix("alias:")
    if number.isdigit() and int(number) < len(speaker.aliases):
        return clean_name(speaker.aliases[int(number)])
    return ""


def with_spaces(label: str, spaces: str) -> str:
    """The label with the page's own white space between its parts: runs parted by `|`, one for each gap."""
    parts, runs = label.split(" "), spaces.split("|")
    if len(runs) != len(parts) - 1 or any(not run.isspace() for run in runs):
        return label
    return parts[0] + "".join(run + part for run, part in zip(runs, parts[1:], strict=True))


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
    """Text that stands for a speaker (an attribution, an entry of the speakers' list), with the name it has now."""
    if speaker is None or not speaker.name:
        return text
    printed = page_name(speaker)
    if not printed or printed == speaker.name or printed not in text:
        return text
    return text.replace(printed, clean_name(speaker.name), 1)
