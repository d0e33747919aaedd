"""A page in one given style to a transcript: labels, people, turns, asides, and a layout for what is left over."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace

from formats.asides_reading import find_asides
from formats.blocks import Block, Page
from formats.clock import parse_time
from formats.front_matter import FrontMatter, understand
from formats.house_style import CAPITALS, HouseStyle, LabelForm, definition_of
from formats.label_reading import Candidate, ListedPerson, people_listed, usual
from formats.labels import Cast, cast_of, first_turns, label_of, number_in
from formats.line_breaks import sizes_of
from formats.matter_reading import classify_front, page_date, title_of
from formats.names import is_caps_name, is_number_label
from formats.shapes import (
    has_same_signs,
    heading_mark,
    is_back_heading,
    is_direction,
    is_footer,
    is_sound_line,
    is_structure,
)
from formats.speakers_reading import Voices, find_voices, with_heard_aliases
from formats.turns_reading import find_turns
from formats.typography import control_characters
from formats.unspoken import Stamp, built_lines, lines_between_turns, linked_stamp, stamps_of
from formats.writing import WHOLE_PAGE, Mark, Piece, PieceKind, compose
from schemas.episode import Episode, Participant
from schemas.transcript import (
    Aside,
    AsideKind,
    Layout,
    LayoutMark,
    Matter,
    MatterKind,
    Paragraph,
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


@dataclass(frozen=True, slots=True)
class _Body:
    """The talk as it stands on the page."""

    turns: tuple[Turn, ...]
    labels: dict[str, Candidate]  #: turn id -> its label on the page
    blocks: dict[str, Block]  #: turn, paragraph or aside id -> its block
    stamps: dict[str, Stamp]  #: paragraph id -> the time above it


def episode_id(content: bytes) -> str:
    """A UUIDv5 made from a page's bytes."""
    return str(uuid.uuid5(PAGE_NAMESPACE, hashlib.sha256(content).hexdigest()))


def read_in_style(page: Page, style: HouseStyle, *, identity: str) -> Reading | None:
    """Read a page as this style writes it; None where no line begins a turn. `identity` is the episode's id."""
    told = understand(page.front_matter)
    blocks, labels = find_turns(page.blocks, style, has_title=told.title is not None)
    if not labels:
        return None
    first = labels[0].index
    listed = people_listed(blocks, before=first)
    people = {**told.people, **listed}
    head = blocks[:first]
    voices = find_voices(labels, people, head, style)
    last = _talk_end(blocks, labels, style)
    body = _read_body(blocks[:last], labels, voices, style)
    kinds = [*told.kinds, *classify_front(head, has_title=told.title is not None)]
    owners = [_person_speaker(n, told.people, voices) for n in range(len(page.front_matter))]
    owners += [_person_speaker(n, listed, voices) for n in range(len(head))]
    above = (*page.front_matter, *head)
    front = tuple(
        Matter(f"F{n}", kind, block.text, owner)
        for n, (kind, block, owner) in enumerate(zip(kinds, above, owners, strict=True), start=1)
    )
    back = tuple(Matter(f"B{n}", MatterKind.TEXT, block.text) for n, block in enumerate(blocks[last:], start=1))
    transcript = _document(identity, front, back, body, voices, people, head, told)
    transcript = _with_label_aliases(transcript, style, body)
    places = dict(body.blocks)
    places.update({matter.id: block for matter, block in zip(front, above, strict=True)})
    places.update({matter.id: block for matter, block in zip(back, blocks[last:], strict=True)})
    marks = _marks(transcript, style, body, places)
    layout = Layout(
        style.name, definition_of(style), line_end=page.line_end, bom=page.bom, final=page.final, marks=tuple(marks)
    )
    transcript = replace(transcript, layout=layout)
    explained = _explained(blocks, kinds[len(page.front_matter) :], transcript, labels, marks, style)
    return Reading(transcript, explained, style.label.pattern, tuple(c.label for c in labels), len(page.front_matter))


def _person_speaker(index: int, people: Mapping[str, ListedPerson], voices: Voices) -> str | None:
    name = next((name for name, person in people.items() if person.index == index), None)
    return next((s.id for s in voices.speakers if s.name == name), None) if name else None


def _talk_end(blocks: Sequence[Block], labels: Sequence[Candidate], style: HouseStyle) -> int:
    """The index after the talk's last block.

    What follows is the page's own: below a heading that such pages have there, not indented, or set apart and short.
    """
    labelled = {c.index for c in labels}
    least = labels[-1].index + (2 if style.label.own_line else 1)
    end = next((n for n in range(least, len(blocks)) if is_back_heading(blocks[n].text)), len(blocks))
    if end < len(blocks):
        return end
    if style.layout.indent:
        while end > least and not blocks[end - 1].lead and (end - 1) not in labelled:
            end -= 1
        inner = [blocks[n] for n in range(labels[0].index + 1, end) if n not in labelled]
        if 2 * sum(bool(block.lead) for block in inner) > len(inner):
            return end
        end = len(blocks)
    usual = style.layout.paragraph_separator.count("\n")
    place = end
    while place > least:
        block = blocks[place - 1]
        is_set_apart = block.before.count("\n") > usual
        if not is_footer(block.text, is_set_apart=is_set_apart):
            break
        place -= 1
        if is_set_apart:
            end = place
    return end if end < len(blocks) else place


def _read_body(
    blocks: Sequence[Block],
    labels: Sequence[Candidate],
    voices: Voices,
    style: HouseStyle,
) -> _Body:
    start = labels[0].index
    by_index = {c.index: c for c in labels}
    texts = [by_index[i].rest if i in by_index else blocks[i].text for i in range(start, len(blocks))]
    asides: dict[int, tuple[AsideKind, str | None]] = {}
    if not style.label.own_line:
        names = {s.name: s.id for s in voices.speakers if s.name and " " in s.name}
        found = find_asides(texts, [i in by_index for i in range(start, len(blocks))], names)
        asides = {start + n: what for n, what in found.items()}
    for index in range(start, len(blocks)):
        is_said = index in by_index or (style.label.own_line and index - 1 in by_index)
        text = blocks[index].text
        if not is_said and (is_sound_line(text) or is_direction(text)):
            asides[index] = (AsideKind.CAPTION, None)
    has_times = any(label.time is not None for label in labels)
    built = (index for index in built_lines(blocks, start, has_times=has_times) if index not in by_index)
    asides |= dict.fromkeys(built, (AsideKind.CAPTION, None))
    asides |= dict.fromkeys(_quoted(blocks, by_index, start), (AsideKind.PULL_QUOTE, None))
    stamps = stamps_of(blocks, by_index, asides, start, has_times=has_times)
    turns: list[Turn] = []
    kept_labels: dict[str, Candidate] = {}
    kept_stamps: dict[str, Stamp] = {}
    places: dict[str, Block] = {}
    paragraphs: list[Paragraph] = []
    turn_asides: list[Aside] = []
    numbers = Counter[str]()

    def close() -> None:
        if turns:
            turns[-1] = replace(turns[-1], paragraphs=tuple(paragraphs), asides=tuple(turn_asides))
        paragraphs.clear()
        turn_asides.clear()

    def add_paragraph(text: str, block: Block, at: float | None = None) -> str:
        numbers["paragraph"] += 1
        made = Paragraph(f"P{numbers['paragraph']}", text, start=at)
        paragraphs.append(made)
        places[made.id] = block
        return made.id

    for index in range(start, len(blocks)):
        block = blocks[index]
        label = by_index.get(index)
        if index in stamps:
            continue
        if label is not None:
            close()
            turn_id = f"T{len(turns) + 1}"
            at = _seconds(label.time)
            turns.append(Turn(turn_id, voices.of_label[label.label], (), start=at))
            kept_labels[turn_id] = label
            places[turn_id] = block
            if not style.label.own_line:
                add_paragraph(label.rest, block, at)
        elif index in asides:
            numbers["aside"] += 1
            kind, speaker = asides[index]
            mark = heading_mark(block.text)
            text = block.text.removeprefix(mark)
            aside = Aside(f"A{numbers['aside']}", kind, text, after=len(paragraphs), attributed_to=speaker)
            turn_asides.append(aside)
            places[aside.id] = replace(block, lead=block.lead + mark, text=text)
        elif index - 1 in stamps:
            above, stamp = blocks[index - 1], stamps[index - 1]
            place = Block(above.before, above.lead, block.text, block.tail)
            made = add_paragraph(block.text, place, _seconds(stamp.time))
            kept_stamps[made] = replace(stamp, pattern=stamp.pattern + block.before)
        elif (linked := linked_stamp(block.text, style)) is not None:
            rest = block.text[len(linked.printed) :]
            made = add_paragraph(rest, replace(block, text=rest), _seconds(linked.stamp.time))
            kept_stamps[made] = linked.stamp
        else:
            add_paragraph(block.text, block)
    close()
    return _Body(tuple(turns), kept_labels, places, kept_stamps)


def _quoted(blocks: Sequence[Block], labelled: Container[int], start: int) -> list[int]:
    """The unlabelled blocks behind Markdown's sign of a quotation, where most of the page has none."""
    found = [n for n in range(start, len(blocks)) if ">" in blocks[n].lead]
    is_rare = 3 * len(found) < len(blocks) - start and not any(n in labelled for n in found)
    return found if is_rare else []


def _seconds(printed: str | None) -> float | None:
    if printed is None:
        return None
    parsed = parse_time(printed)
    return parsed[0] if parsed else None


def _document(
    identity: str,
    front: tuple[Matter, ...],
    back: tuple[Matter, ...],
    body: _Body,
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


def _segments(body: _Body, speakers: Sequence[Speaker]) -> tuple[Segment, ...]:
    """Where a second recording begins: after extra white space, or with new guests after a goodbye."""
    found: list[Segment] = []
    for turn in body.turns:
        for paragraph in turn.paragraphs:
            if body.blocks[paragraph.id].before.count("\n") > 2 and turn is not body.turns[0]:
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


# ---------------------------------------------------------------- what the style does not explain


def _marks(transcript: Transcript, style: HouseStyle, body: _Body, places: dict[str, Block]) -> list[LayoutMark]:
    """What must be noted so that writing gives back the same bytes: each place where the prediction differs."""
    marks = _number_marks(transcript, style)
    cast = cast_of(transcript, numbers={mark.block: mark.value for mark in marks})
    first = first_turns(transcript.turns)
    for turn in transcript.turns:
        form = style.label.first if turn.id in first else style.label.later
        marks += _label_marks(turn, form, cast, style, body.labels[turn.id])
    for identity, stamp in body.stamps.items():
        marks.append(LayoutMark(identity, Mark.STAMP, stamp.pattern))
        parsed = parse_time(stamp.time)
        if parsed and parsed[1] != style.label.time:
            marks.append(LayoutMark(identity, Mark.TIME_FORM, parsed[1]))
    known = {(mark.block, str(mark.kind)): mark.value for mark in marks}
    pieces = compose(transcript, style, known)
    page_wide = [*_page_wide(pieces, places, style), *_usual_line_break(places)]
    if page_wide:
        marks = page_wide + marks
        pieces = compose(transcript, style, {(mark.block, str(mark.kind)): mark.value for mark in marks})
    for piece in pieces:
        block = places[piece.place]
        if piece.before != block.before:
            marks.append(LayoutMark(piece.place, Mark.BEFORE, block.before))
        if piece.lead != block.lead:
            marks.append(LayoutMark(piece.place, Mark.LEAD, block.lead))
        if block.tail:
            marks.append(LayoutMark(piece.content, Mark.AFTER, block.tail))
        marks += _line_marks(piece, block, page_wide)
    marks += _control_marks(transcript)
    return marks


def _usual_line_break(places: Mapping[str, Block]) -> list[LayoutMark]:
    """What stands between most lines of wrapped paragraphs, where it is more than a line end."""
    value = usual([each.printed for block in places.values() for each in block.breaks])
    return [LayoutMark(WHOLE_PAGE, Mark.LINE_BREAKS, value)] if value not in (None, "\n") else []


def _line_marks(piece: Piece, block: Block, page_wide: Sequence[LayoutMark]) -> list[LayoutMark]:
    """The lines of a wrapped paragraph."""
    if not block.breaks:
        return []
    marks = [LayoutMark(piece.content, Mark.LINES, sizes_of(piece.text, block.breaks))]
    usual_break = next((mark.value for mark in page_wide if mark.kind == Mark.LINE_BREAKS), "\n")
    printed = [each.printed for each in block.breaks]
    if any(each != usual_break for each in printed):
        marks.append(LayoutMark(piece.content, Mark.LINE_BREAKS, "|".join(printed)))
    return marks


def _control_marks(transcript: Transcript) -> list[LayoutMark]:
    texts = [(matter.id, matter.text) for matter in (*transcript.front, *transcript.back)]
    texts += [(p.id, p.text) for turn in transcript.turns for p in turn.paragraphs]
    texts += [(aside.id, aside.text) for turn in transcript.turns for aside in turn.asides]
    found = ((identity, control_characters(text)) for identity, text in texts)
    return [LayoutMark(identity, Mark.CONTROLS, controls) for identity, controls in found if controls]


def _number_marks(transcript: Transcript, style: HouseStyle) -> list[LayoutMark]:
    """The N of each unnamed speaker whose label is not its place in the order of appearance."""
    cast = cast_of(transcript)
    marks = []
    for speaker in transcript.speakers:
        printed = number_in(speaker.voice, style.label.number) if speaker.voice else None
        if printed and label_of(speaker.id, LabelForm.NUMBER, cast, style.label) != speaker.voice:
            marks.append(LayoutMark(speaker.id, Mark.NUMBER, printed))
    return marks


def _label_marks(turn: Turn, form: LabelForm, cast: Cast, style: HouseStyle, label: Candidate) -> list[LayoutMark]:
    choices = style.label
    marks = []
    if label_of(turn.speaker, form, cast, choices) != label.label:
        marks.append(LayoutMark(turn.id, Mark.LABEL_FORM, _form_of(label.label, turn, cast, style)))
    if label.spaces:
        marks.append(LayoutMark(turn.id, Mark.LABEL_SPACES, label.spaces))
    if label.pattern != choices.pattern:
        marks.append(LayoutMark(turn.id, Mark.PATTERN, label.pattern))
    if label.time is not None:
        parsed = parse_time(label.time)
        if parsed and parsed[1] != choices.time:
            marks.append(LayoutMark(turn.id, Mark.TIME_FORM, parsed[1]))
    return marks


def _form_of(printed: str, turn: Turn, cast: Cast, style: HouseStyle) -> str:
    """The form of the name, or the alias, that gives the printed label."""
    for form in LabelForm:
        if label_of(turn.speaker, form, cast, style.label) == printed:
            return form
    speaker = cast.speakers[turn.speaker or ""]
    return f"alias:{speaker.aliases.index(printed)}"


def _with_label_aliases(transcript: Transcript, style: HouseStyle, body: _Body) -> Transcript:
    """Labels that no form of the name gives ("Tomas Feld MBE", "Prof. Feld") become aliases of their speaker."""
    numbers = {mark.block: mark.value for mark in _number_marks(transcript, style)}
    cast = cast_of(transcript, numbers=numbers)
    found: dict[str, list[str]] = {}
    for turn in transcript.turns:
        printed = body.labels[turn.id].label
        speaker = cast.speakers.get(turn.speaker or "")
        if speaker is None:
            continue
        forms = [label_of(turn.speaker, form, cast, style.label) for form in LabelForm]
        if printed not in forms and printed not in (*speaker.aliases, *found.get(speaker.id, [])):
            found.setdefault(speaker.id, []).append(printed)
    speakers = tuple(replace(s, aliases=(*s.aliases, *found.get(s.id, []))) for s in transcript.speakers)
    return replace(transcript, speakers=speakers)


def _page_wide(pieces: Sequence[Piece], places: dict[str, Block], style: HouseStyle) -> list[LayoutMark]:
    """What the whole page does otherwise than the style: most of its separators or indents."""
    first = next((n for n, piece in enumerate(pieces) if piece.kind in (PieceKind.TURN, PieceKind.LABEL)), 0)
    own_line = style.label.own_line
    turn_blocks = [places[p.place] for p in pieces[first + 1 :] if p.kind in (PieceKind.TURN, PieceKind.LABEL)]
    inner = [(piece, pieces[n - 1]) for n, piece in enumerate(pieces) if n and piece.kind is PieceKind.PARAGRAPH]
    after_label = [places[p.place] for p, previous in inner if previous.kind is PieceKind.LABEL]
    between = [places[p.place] for p, previous in inner if previous.kind is not PieceKind.LABEL]
    layout = style.layout
    turn_leads = [b.lead for b in turn_blocks]
    leads = [b.lead for b in [*after_label, *between]]
    wanted = [
        (Mark.TURN_SEPARATOR, layout.turn_separator, [b.before for b in turn_blocks]),
        (Mark.PARAGRAPH_SEPARATOR, layout.paragraph_separator, [b.before for b in between]),
        (Mark.LABEL_SEPARATOR, layout.label_separator, [b.before for b in after_label] if own_line else []),
    ]
    if layout.turn_indent is None and usual([*turn_leads, *leads], least=0.8) is not None:
        wanted.append((Mark.INDENT, layout.indent, [*turn_leads, *leads]))
    else:
        wanted.append((Mark.INDENT, layout.indent, leads))
        wanted.append((Mark.TURN_INDENT, style.turn_indent, turn_leads))
    found = ((kind, predicted, usual(actual)) for kind, predicted, actual in wanted)
    return [LayoutMark(WHOLE_PAGE, kind, value) for kind, predicted, value in found if value not in (None, predicted)]


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

    The head counts neither way where its blocks are of a known kind, nor do pictures, addresses and headings over a
    turn where the labels are none of these. A line with an indent or label of its own is not explained (but for a
    label that the page's other labels explain), nor one that is built as a document is (other headings, tables,
    fences) and begins no turn. Names in capitals speak against a style that prints them as they are.
    """
    turns = transcript.turns
    matter = {WHOLE_PAGE, *(each.id for each in transcript.front)}
    strays = {turn.id for turn, label in zip(turns, labels, strict=True) if label.is_stray}
    own = {m.block for m in marks if m.kind in (Mark.LEAD, Mark.PATTERN) and "#" not in m.value} - matter - strays
    own -= {m.block for m in marks if m.kind == Mark.PATTERN and has_same_signs(m.value, style.label.pattern)}
    known_head = sum(1 for kind in head if kind is not MatterKind.TEXT)
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
