"""A page in one given style to a transcript: labels, people, turns, asides, and a layout for what is left over."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from formats.blocks import Block
from formats.body_reading import Body, read_body, talk_end
from formats.front_matter import FrontMatter, understand
from formats.house_style import CAPITALS, HouseStyle, definition_of
from formats.label_candidates import Candidate
from formats.layout_reading import find_marks, with_label_aliases
from formats.listed_people import ListedPerson, people_listed
from formats.matter_reading import classify_front, page_date, title_of
from formats.names import is_caps_name, is_number_label
from formats.opening import Page
from formats.rows import sign_of, uncounted
from formats.shapes import (
    has_same_signs,
    is_structure,
)
from formats.speakers_reading import Voices, find_voices, with_heard_aliases
from formats.turns_reading import find_turns
from formats.unspoken import lines_between_turns
from formats.writing import WHOLE_PAGE, Mark
from schemas.episode import Episode, Participant
from schemas.transcript import (
    Layout,
    LayoutMark,
    Matter,
    MatterKind,
    Quality,
    Segment,
    SegmentKind,
    Speaker,
    Transcript,
    Turn,
)

#: Episode ids of pages are made from their bytes, so that reading a page twice gives the same document.
PAGE_NAMESPACE = uuid.UUID("7d0c6a52-5a4e-5e7b-9d0a-6f6a8a1f3a10")


@dataclass(frozen=True, slots=True)
class Reading:
    """One attempt to read a page in a style."""

    transcript: Transcript
    explained: float  #: share of the page's lines that the style explains, 0 to 1
    pattern: str  #: the style's
    labels: tuple[str, ...]  #: as printed, one for each turn
    front_matter_length: int  #: how many blocks of the document's front are the page's YAML

    @property
    def turn_count(self) -> int:
        return len(self.labels)


def episode_id(content: bytes) -> str:
    """A UUIDv5 made from a page's bytes."""
    return str(uuid.uuid5(PAGE_NAMESPACE, hashlib.sha256(content).hexdigest()))


def read_in_style(page: Page, style: HouseStyle, *, identity: str) -> Reading | None:
    """Read a page as this style writes it; None where no line begins a turn. `identity` is the episode's id."""
    has_title = understand(page.front_matter).title is not None
    blocks, labels = find_turns(page, style, has_title=has_title)
    return read_turns(page, style, blocks, labels, identity=identity) if labels else None


def read_turns(
    page: Page, style: HouseStyle, blocks: Sequence[Block], labels: Sequence[Candidate], *, identity: str
) -> Reading:
    """The page with these turns. `blocks` are the page's, as `find_turns` gives them with the labels."""
    told = understand(page.front_matter)
    first, last = labels[0].index, talk_end(blocks, labels, style)
    head = blocks[:first]
    listed = people_listed(blocks, before=first)
    people = {**told.people, **listed}
    voices = find_voices(labels, people, head, style)
    body = read_body(blocks[:last], labels, voices, style)
    kinds = classify_front(head, has_title=told.title is not None)
    front = _front([*told.kinds, *kinds], page.front_matter, told.people, head, listed, voices)
    back = tuple(Matter(f"B{n}", MatterKind.TEXT, block.text) for n, block in enumerate(blocks[last:], start=1))
    transcript = _document(identity, front, back, body, voices, people, head, told)
    transcript = with_label_aliases(transcript, style, body)
    places = _places(body, front, (*page.front_matter, *head), back, blocks[last:])
    marks = find_marks(transcript, style, body, places)
    layout = Layout(
        style.name, definition_of(style), page.line_end, page.bom, page.final, tuple(marks), page.encoding
    )
    transcript = replace(transcript, layout=layout)
    explained = _explained(blocks, kinds, transcript, labels, marks, style)
    return Reading(transcript, explained, style.label.pattern, tuple(c.label for c in labels), len(page.front_matter))


def _front(
    kinds: Sequence[MatterKind],
    front_matter: Sequence[Block],
    told: Mapping[str, ListedPerson],
    head: Sequence[Block],
    listed: Mapping[str, ListedPerson],
    voices: Voices,
) -> tuple[Matter, ...]:
    """What stands before the talk: the YAML with the people `told` there, then the head with those `listed`."""
    owners = [_person_speaker(n, told, voices) for n in range(len(front_matter))]
    owners += [_person_speaker(n, listed, voices) for n in range(len(head))]
    blocks = zip(kinds, (*front_matter, *head), owners, strict=True)
    return tuple(Matter(f"F{n}", kind, block.text, owner) for n, (kind, block, owner) in enumerate(blocks, start=1))


def _places(
    body: Body, front: Sequence[Matter], above: Sequence[Block], back: Sequence[Matter], below: Sequence[Block]
) -> dict[str, Block]:
    """Where each turn, paragraph, aside and matter block of the document stands on the page."""
    around = zip((*front, *back), (*above, *below), strict=True)
    return {**body.blocks, **{matter.id: block for matter, block in around}}


def _person_speaker(index: int, people: Mapping[str, ListedPerson], voices: Voices) -> str | None:
    name = next((name for name, person in people.items() if person.index == index), None)
    return next((s.id for s in voices.speakers if s.name == name), None) if name else None


def _document(
    identity: str,
    front: tuple[Matter, ...],
    back: tuple[Matter, ...],
    body: Body,
    voices: Voices,
    people: Mapping[str, ListedPerson],
    head: Sequence[Block],
    told: FrontMatter,
) -> Transcript:
    printed = next((m.text for m in front if m.kind is MatterKind.TITLE), None)
    title = told.title or (title_of(printed) if printed else None)
    dates = (page_date(m.text) for m in front if m.kind is MatterKind.DATE)
    published = told.published or next(dates, None)
    starts = [(turn.speaker, turn.paragraphs[0].text) for turn in body.turns if turn.paragraphs]
    speakers = with_heard_aliases(voices.speakers, [block.text for block in head], starts)
    participants = tuple(
        Participant(
            person.name,
            role=next((s.role for s in speakers if s.name == person.name), None),
            description=person.description,
            honorific=person.honorific,
        )
        for person in people.values()
    )
    words = sum(len(p.text.split()) for turn in body.turns for p in turn.paragraphs)
    return Transcript(
        episode=Episode(
            identity,
            title=title,
            published=published,
            participants=participants,
        ),
        speakers=speakers,
        turns=body.turns,
        segments=_segments(body, speakers),
        quality=Quality(word_count=words),
        front=front,
        back=back,
    )


# ---------------------------------------------------------------- second recordings


def _segments(body: Body, speakers: Sequence[Speaker]) -> tuple[Segment, ...]:
    """Where a second recording begins: after extra white space, or with new guests after a goodbye."""
    found: list[Segment] = []
    for turn in body.turns:
        for paragraph in turn.paragraphs:
            if body.blocks[paragraph.id].line_ends > 2 and turn is not body.turns[0]:
                found.append(Segment(SegmentKind.RECORDING, turn=turn.id, paragraph=paragraph.id))
    new_guests = _new_guests(body.turns, speakers)
    if new_guests is not None and all(segment.turn != new_guests for segment in found):
        found.append(Segment(SegmentKind.RECORDING, turn=new_guests))
    return tuple(found)


def _new_guests(turns: Sequence[Turn], speakers: Sequence[Speaker]) -> str | None:
    """The host's turn after which only guests speak who did not speak before, once the first ones were thanked."""
    guests = {s.id for s in speakers if s.role is not None and s.role.value == "guest"}
    hosts = {s.id for s in speakers if s.role is not None and s.role.value == "host"}
    spoke = [place for place, turn in enumerate(turns) if turn.speaker in guests]
    first = {turns[place].speaker: place for place in reversed(spoke)}
    last = {turns[place].speaker: place for place in spoke}
    latest = -1  # the last turn of any guest who began before `place`
    for number, place in enumerate(spoke):
        is_new = first[turns[place].speaker] == place
        if is_new and latest < place and 2 <= number <= len(spoke) - 2 and turns[place - 1].speaker in hosts:
            goodbye = " ".join(p.text for t in turns[max(0, place - 3) : place - 1] for p in t.paragraphs).casefold()
            if "thank" in goodbye or "goodbye" in goodbye:
                return turns[place - 1].id
        latest = max(latest, last[turns[place].speaker])
    return None


# ---------------------------------------------------------------- how well the style fits


def _explained(
    blocks: Sequence[Block],
    head: Sequence[MatterKind],
    transcript: Transcript,
    labels: Sequence[Candidate],
    marks: Sequence[LayoutMark],
    style: HouseStyle,
) -> float:
    """The share of the page's lines that the style explains.

    The head counts neither way where its blocks are of a known kind, tags or rows of a table, nor do pictures,
    addresses and headings over a turn where the labels are none of these. A line with an indent or label of its own
    is not explained (but for a count, and for a label that the page's other labels explain), nor one that is built as
    a document is (other headings, tables, fences) and begins no turn. Names in capitals speak against a style that
    prints them as they are.
    """
    turns = transcript.turns
    matter = {WHOLE_PAGE, *(each.id for each in transcript.front)}
    strays = {turn.id for turn, label in zip(turns, labels, strict=True) if label.is_stray}
    own = {m.block for m in marks if m.kind in (Mark.LEAD, Mark.PATTERN) and "#" not in m.value} - matter - strays
    own -= {m.block for m in marks if m.kind == Mark.PATTERN and has_same_signs(m.value, style.label.pattern)}
    own -= {m.block for m in marks if m.kind == Mark.LEAD and _is_counted(m.value, style)}
    known_head = sum(kind is not MatterKind.TEXT or blocks[n].text[0] in "|<" for n, kind in enumerate(head))
    labelled = {label.index for label in labels}
    others = [n for n in range(len(head), len(blocks)) if n not in labelled]
    is_plain = "#" not in style.label.pattern and (":" in style.label.pattern or not style.label.own_line)
    between = lines_between_turns(blocks, labelled, start=len(head)) if is_plain else frozenset()
    built = sum(is_structure(blocks[n].text) for n in others if n not in between)
    total = len(blocks) - known_head - len(between)
    explained = len(blocks) - len(head) - len(own) - built - len(between)
    share = max(0.0, explained / total) if total else 0.0
    is_caps_style = style.label.first in CAPITALS or style.label.later in CAPITALS
    capitals = sum(1 for label in labels if is_caps_name(label.label) and not is_number_label(label.label))
    is_other_case = not is_caps_style and capitals > 0.5 * len(labels)
    return share * (0.6 if is_other_case else 1.0)


def _is_counted(lead: str, style: HouseStyle) -> bool:
    """Whether nothing but a count before the turn parts a lead from the style's."""
    return uncounted(lead) != lead and sign_of(lead) == style.turn_indent.strip()
