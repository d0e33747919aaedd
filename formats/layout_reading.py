"""What a page does that its style does not explain: the marks that writing needs to give back the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from formats.blocks import Block, usual
from formats.body_reading import Body
from formats.clock import parse_time, print_time
from formats.house_style import HouseStyle, LabelForm
from formats.label_candidates import Candidate
from formats.labels import Cast, cast_of, first_turns, label_of, number_in
from formats.line_breaks import sizes_of
from formats.typography import control_characters
from formats.writing import WHOLE_PAGE, Mark, Piece, PieceKind, compose
from schemas.transcript import LayoutMark, Transcript, Turn


def find_marks(transcript: Transcript, style: HouseStyle, body: Body, places: dict[str, Block]) -> list[LayoutMark]:
    """What must be noted so that writing gives back the same bytes: each place where the prediction differs."""
    marks = [*_control_marks(transcript), *_number_marks(transcript, style)]
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
    start = parse_time(label.time) if label.time is not None else None
    if start is not None and start[1] != choices.time:
        marks.append(LayoutMark(turn.id, Mark.TIME_FORM, start[1]))
    end = parse_time(label.end) if label.end is not None else None
    if start is not None and end is not None and print_time(end[0], start[1]) != label.end:
        marks.append(LayoutMark(turn.id, Mark.END_FORM, end[1]))
    return marks


def _form_of(printed: str, turn: Turn, cast: Cast, style: HouseStyle) -> str:
    """The form of the name, or the alias, that gives the printed label."""
    for form in LabelForm:
        if label_of(turn.speaker, form, cast, style.label) == printed:
            return form
    speaker = cast.speakers[turn.speaker or ""]
    return f"alias:{speaker.aliases.index(printed)}"


def with_label_aliases(transcript: Transcript, style: HouseStyle, body: Body) -> Transcript:
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
