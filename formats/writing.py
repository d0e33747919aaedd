"""A transcript to a page in a house style.

A page is a row of pieces: white space, indent, label, text, white space. The style predicts everything but the text;
on an imported page the marks of its layout correct the prediction, piece by piece. Reading a page is the other way
round: what the prediction gets wrong becomes a mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from formats.blocks import split_blocks
from formats.clock import print_time
from formats.encodings import encoded
from formats.furniture import furniture_blocks
from formats.house_style import HouseStyle, LabelForm, Quotes, definition_of
from formats.labels import Cast, cast_of, first_turns, label_of, page_name, with_present_name, with_spaces
from formats.line_breaks import broken, wrapped
from formats.shapes import (
    is_back_heading,
    is_direction,
    is_furniture,
    is_sound_line,
    is_structure,
    looks_like_an_aside,
    looks_like_label,
)
from formats.stray_labels import begins_with_label
from formats.typography import control_characters, curly, inert, straight, without_sound_marks
from schemas.errors import PageError
from schemas.transcript import AsideKind, Layout, Matter, MatterKind, Paragraph, Transcript, Turn
from transcription.paragraphs import rebreak

#: The block name of marks that hold for the whole page.
WHOLE_PAGE = "page"
_NUMBER = re.compile(r"\d{1,3}|[A-Z]")
_BETWEEN_COMMAS = re.compile(r"\s*(?:[,;/\[\]'\"]|\b[QA]\s*[:=–—-])+\s*")
PERSON_BULLET = "  • "
MATTER_SEPARATOR = "\n\n"


class Mark(StrEnum):
    """The kinds of LayoutMark. The first seven may stand at `page` too, for every block without its own."""

    TURN_SEPARATOR = "turn_separator"
    PARAGRAPH_SEPARATOR = "paragraph_separator"
    LABEL_SEPARATOR = "label_separator"
    INDENT = "indent"
    TURN_INDENT = "turn_indent"
    BULLET = "bullet"
    PATTERN = "pattern"  #: the label's punctuation, "{label} [{time}]  "
    BEFORE = "before"  #: white space before the block
    LEAD = "lead"  #: indent or bullet of the block
    AFTER = "after"  #: white space after the block, on its line
    LABEL_SPACES = "label_spaces"  #: the white space inside the label, its runs parted by "|"
    LABEL_FORM = "label_form"  #: the label shows another form of the name than the style's
    TIME_FORM = "time_form"
    END_FORM = "end_form"  #: of the time when a turn ends, where it is another than that of its start
    STAMP = "stamp"  #: of a paragraph: the line with its time above it, "({time}):" with the white space after it
    NUMBER = "number"  #: of a speaker: the N of "Speaker N" where it is not the order of appearance
    LINES = "lines"  #: of a wrapped paragraph: words and characters of each line, "12/64 3/15"
    LINE_BREAKS = "line_breaks"  #: what stands at each line's end, parted by "|"; at `page` the usual one
    CONTROLS = "controls"  #: control characters of the block's text that are the page's own


class PieceKind(StrEnum):
    MATTER = "matter"
    PERSON = "person"
    LABEL = "label"  #: a label alone on its line
    TURN = "turn"  #: a label with the first paragraph of its turn
    PARAGRAPH = "paragraph"
    ASIDE = "aside"


@dataclass(frozen=True, slots=True)
class Piece:
    """One line of the page. `place` is the block that its white space and label belong to, `content` its text's."""

    kind: PieceKind
    place: str
    content: str
    before: str
    lead: str
    label: str
    text: str
    after: str

    def printed(self) -> str:
        return f"{self.before}{self.lead}{self.label}{self.text}{self.after}"


Marks = Mapping[tuple[str, str], str]


def marks_of(layout: Layout | None) -> Marks:
    return {(mark.block, mark.kind): mark.value for mark in layout.marks} if layout else {}


def is_own_page(transcript: Transcript, style: HouseStyle) -> bool:
    """Whether the transcript was read from a page of this very style."""
    layout = transcript.layout
    return layout is not None and layout.style == style.name and layout.definition == definition_of(style)


def render_page(transcript: Transcript, style: HouseStyle) -> bytes:
    """The page as bytes of UTF-8. Read from a page of this style, it is that page again, but for what was changed.

    Such a page keeps its encoding, unless what was changed cannot be written in it.

    Raises PageError `times_missing` when the style prints times and a turn has none.
    """
    if not is_own_page(transcript, style):
        return "".join(piece.printed() for piece in compose(transcript, style)).encode("utf-8")
    layout = transcript.layout
    assert layout is not None
    text = "".join(piece.printed() for piece in compose(transcript, style, marks_of(layout)))
    text = text.replace("\n", layout.line_end) + layout.final
    return encoded(("\ufeff" if layout.bom else "") + text, layout.encoding)


def compose(transcript: Transcript, style: HouseStyle, marks: Marks | None = None) -> list[Piece]:
    """The pieces of the page in order. `marks`, even empty, mean an imported page: its own blocks, as they stand."""
    if marks is not None:
        turns = transcript.turns
        front = [_matter(matter, transcript) for matter in transcript.front]
        back = [_matter(matter, transcript) for matter in transcript.back]
    else:
        turns = spoken_turns(transcript, style)
        front = _furniture(transcript, style.furniture.above, style)
        back = _furniture(transcript, style.furniture.below, style)
    writer = _Writer(transcript, turns, style, marks or {}, is_import=marks is not None)
    return writer.pieces(front, back)


def _matter(matter: Matter, transcript: Transcript) -> tuple[PieceKind, str, str, str]:
    speaker = next((s for s in transcript.speakers if s.id == matter.speaker), None)
    text = with_present_name(matter.text, speaker)
    if matter.kind is not MatterKind.PERSON:
        return PieceKind.MATTER, matter.id, MATTER_SEPARATOR, text
    for other in transcript.speakers:  # "hosts: Ada Quill, Tomas Feld"
        if other is not speaker and page_name(other) in _BETWEEN_COMMAS.split(matter.text):
            text = with_present_name(text, other)
    return PieceKind.PERSON, matter.id, MATTER_SEPARATOR, text


def _furniture(
    transcript: Transcript, templates: Sequence[str], style: HouseStyle
) -> list[tuple[PieceKind, str, str, str]]:
    made = []
    for block in furniture_blocks(transcript, templates, dates=style.text.dates):
        for number, line in enumerate(block.split("\n")):
            before = "\n" if number else MATTER_SEPARATOR
            made.append((PieceKind.MATTER, "", before, typeset(line, style)))
    return made


def typeset(text: str, style: HouseStyle) -> str:
    return curly(text) if style.text.quotes is Quotes.CURLY else straight(text)


# ---------------------------------------------------------------- documents made from sound


def spoken_turns(transcript: Transcript, style: HouseStyle) -> tuple[Turn, ...]:
    """The turns with the paragraphs the style prints: broken to its target, in its quotation marks, speech alone.

    A paragraph that would look like a label, an aside or a sound is joined to the one before it. Turns without speech
    are left out.
    """
    printed = []
    labels = printed_labels(transcript.turns, style, cast_of(transcript))
    for turn in transcript.turns:
        paragraphs = tuple(_printable(turn, style, labels))
        if paragraphs:
            printed.append(replace(turn, paragraphs=paragraphs, asides=()))
    return tuple(printed)


def printed_labels(turns: Sequence[Turn], style: HouseStyle, cast: Cast) -> frozenset[str]:
    """Every label that the style gives to somebody who speaks."""
    forms = (style.label.first, style.label.later)
    return frozenset(label_of(turn.speaker, form, cast, style.label) for turn in turns for form in forms)


def _printable(turn: Turn, style: HouseStyle, labels: frozenset[str]) -> Iterator[Paragraph]:
    paragraphs: Sequence[Paragraph] = turn.paragraphs
    has_words = any(paragraph.words for paragraph in paragraphs)
    if has_words or style.target is None:
        paragraphs = rebreak(paragraphs, style.target, id_prefix=f"{turn.id}-P")
    held: Paragraph | None = None
    for paragraph in paragraphs:
        text = spoken_text(paragraph.text, style)
        if not text:
            continue
        if held is not None and (style.target is None or _could_be_misread(text, style, labels)):
            held = replace(held, text=f"{held.text} {text}", end=paragraph.end)
            continue
        if held is not None:
            yield held
        held = replace(paragraph, text=text)
    if held is not None:
        yield held


def _could_be_misread(text: str, style: HouseStyle, labels: frozenset[str]) -> bool:
    return _is_of_page(text, style, labels) or looks_like_an_aside(text)


def _is_of_page(text: str, style: HouseStyle, labels: frozenset[str]) -> bool:
    """Whether a text could be taken for the beginning of a turn, or for what is heard or stands below the talk."""
    is_label = looks_like_label(text, style) or begins_with_label(text, labels, style)
    return is_label or is_sound_line(text) or is_direction(text) or is_back_heading(text)


#: An entry of a numbered list, or a time.
_ENTRY = re.compile(r"[\[(#]?\d{1,5}[.):\]]")


def spoken_text(text: str, style: HouseStyle) -> str:
    """What is printed of a paragraph: one line, no control characters, no sound marks, no bullet at the start."""
    speech = without_sound_marks(" ".join(inert(text).split()))
    return typeset(speech.lstrip("•◦‣▪· "), style)


# ---------------------------------------------------------------- pieces


class _Writer:
    """Makes the pieces of one page, each from the style's choices and the marks that correct them."""

    def __init__(
        self, transcript: Transcript, turns: Sequence[Turn], style: HouseStyle, marks: Marks, *, is_import: bool
    ) -> None:
        numbers = {
            speaker.id: value
            for speaker in transcript.speakers
            if _NUMBER.fullmatch(value := marks.get((speaker.id, Mark.NUMBER), ""))
        }
        self._cast: Cast = cast_of(transcript, numbers=numbers)
        self._title = transcript.episode.title
        self._turns = turns
        self._first = first_turns(turns)
        self._style = style
        self._labels = printed_labels(turns, style, self._cast)
        self._marks = marks
        self._is_import = is_import
        self._pieces: list[Piece] = []

    def pieces(
        self,
        front: Sequence[tuple[PieceKind, str, str, str]],
        back: Sequence[tuple[PieceKind, str, str, str]],
    ) -> list[Piece]:
        for kind, place, before, text in front:
            self._add_matter(kind, place, before, text)
        for turn in self._turns:
            self._add_turn(turn, is_first=turn is self._turns[0])
        for kind, place, before, text in back:
            self._add_matter(kind, place, before, text)
        return self._pieces

    def _mark(self, block: str, kind: Mark, default: str) -> str:
        return self._marks.get((block, kind), default)

    def _choice(self, kind: Mark, default: str) -> str:
        return self._marks.get((WHOLE_PAGE, kind), default)

    def _add(
        self, kind: PieceKind, place: str, content: str, *, before: str, lead: str, label: str = "", text: str = ""
    ) -> None:
        if not self._pieces:
            before = ""
        printed = self._lines(content, self._text(content, text))
        if kind in (PieceKind.TURN, PieceKind.PARAGRAPH) and not self._is_import:
            printed = self._wrapped(printed, lead + label)
        self._pieces.append(
            Piece(
                kind,
                place,
                content,
                self._mark(place, Mark.BEFORE, before),
                self._mark(place, Mark.LEAD, lead),
                label,
                printed,
                self._mark(content, Mark.AFTER, ""),
            )
        )

    def _text(self, content: str, text: str) -> str:
        """Imported text as it stands, with no other control characters than the page had there."""
        if not self._is_import:
            return text
        found = control_characters(text)
        if found and found == self._marks.get((content, Mark.CONTROLS)) and "\n" not in found:
            return text
        return inert(text) if found else text

    def _lines(self, content: str, text: str) -> str:
        """The text of a wrapped paragraph with its line breaks."""
        sizes = self._mark(content, Mark.LINES, "")
        if not sizes:
            return text
        usual = self._choice(Mark.LINE_BREAKS, "\n")
        printed = self._mark(content, Mark.LINE_BREAKS, "|".join([usual] * sizes.count(" ")))
        return broken(text, sizes, printed.split("|"))

    def _wrapped(self, text: str, before: str) -> str:
        """A paragraph in lines as wide as the style's."""
        layout = self._style.layout
        if layout.width is None:
            return text
        return wrapped(
            text, before=before, width=layout.width, indent=layout.wrap_indent, may_begin=self._may_begin_line
        )

    def _may_begin_line(self, text: str) -> bool:
        """Whether a line of a paragraph may begin with a text: not as turns, list entries and headings do."""
        (block,), _ = split_blocks(text)
        is_built = bool(block.lead) or _ENTRY.match(text) is not None or is_structure(text) or is_furniture(text)
        return not (is_built or _is_of_page(text, self._style, self._labels))

    def _add_matter(self, kind: PieceKind, place: str, before: str, text: str) -> None:
        follows_person = bool(self._pieces) and self._pieces[-1].kind is PieceKind.PERSON
        if kind is PieceKind.PERSON and follows_person:
            before = "\n"
        lead = PERSON_BULLET if kind is PieceKind.PERSON else ""
        self._add(kind, place, place, before=before, lead=lead, text=text)

    def _add_turn(self, turn: Turn, *, is_first: bool) -> None:
        layout = self._style.layout
        separator = MATTER_SEPARATOR if is_first else self._choice(Mark.TURN_SEPARATOR, layout.turn_separator)
        indent = self._choice(Mark.INDENT, layout.indent)
        turn_indent = self._choice(Mark.TURN_INDENT, indent if layout.turn_indent is None else layout.turn_indent)
        lead = self._choice(Mark.BULLET, layout.bullet or turn_indent) if is_first else turn_indent
        label = self._label(turn)
        between = self._choice(Mark.PARAGRAPH_SEPARATOR, layout.paragraph_separator)
        paragraphs = list(turn.paragraphs)
        if self._style.label.own_line:
            self._add(PieceKind.LABEL, turn.id, turn.id, before=separator, lead=lead, label=label)
            after_label = self._choice(Mark.LABEL_SEPARATOR, layout.label_separator)
        else:
            head = paragraphs.pop(0) if paragraphs else Paragraph(turn.id, "")
            self._add(PieceKind.TURN, turn.id, head.id, before=separator, lead=lead, label=label, text=head.text)
            after_label = between
        printed = len(turn.paragraphs) - len(paragraphs)
        self._add_asides(turn, printed, between, indent)
        for paragraph in paragraphs:
            is_after_label = printed == 0 and self._pieces[-1].kind is PieceKind.LABEL
            self._add(
                PieceKind.PARAGRAPH,
                paragraph.id,
                paragraph.id,
                before=after_label if is_after_label else between,
                lead=indent,
                label=self._stamp(paragraph),
                text=paragraph.text,
            )
            printed += 1
            self._add_asides(turn, printed, between, indent)

    def _add_asides(self, turn: Turn, printed: int, before: str, lead: str) -> None:
        """The asides that stand after the turn's first `printed` paragraphs."""
        is_last = printed == len(turn.paragraphs)
        for aside in turn.asides:
            if aside.after == printed or (is_last and aside.after > printed):
                speaker = self._cast.speakers.get(aside.attributed_to or "")
                names = aside.kind is AsideKind.ATTRIBUTION
                text = with_present_name(aside.text, speaker) if names else aside.text
                self._add(PieceKind.ASIDE, aside.id, aside.id, before=before, lead=lead, text=text)

    def _label(self, turn: Turn) -> str:
        choices = self._style.label
        form = self.label_form(turn)
        pattern = self._mark(turn.id, Mark.PATTERN, self._choice(Mark.PATTERN, choices.pattern))
        if "{time}" in pattern:
            time_form = self._mark(turn.id, Mark.TIME_FORM, self._choice(Mark.TIME_FORM, choices.time or "HH:MM:SS"))
            pattern = pattern.replace("{time}", print_time(self._start(turn), time_form))
            if "{end}" in pattern:
                end_form = self._mark(turn.id, Mark.END_FORM, time_form)
                pattern = pattern.replace("{end}", print_time(self._end(turn), end_form))
        label = label_of(turn.speaker, form, self._cast, choices)
        spaces = self._mark(turn.id, Mark.LABEL_SPACES, "")
        return pattern.replace("{label}", with_spaces(label, spaces) if spaces else label)

    def _stamp(self, paragraph: Paragraph) -> str:
        """The time that an imported page prints above a paragraph."""
        pattern = self._mark(paragraph.id, Mark.STAMP, "")
        if not pattern or paragraph.start is None:
            return ""
        form = self._mark(paragraph.id, Mark.TIME_FORM, self._style.label.time or "HH:MM:SS")
        return pattern.replace("{time}", print_time(paragraph.start, form))

    def label_form(self, turn: Turn) -> LabelForm | str:
        choices = self._style.label
        form: str = choices.first if turn.id in self._first else choices.later
        marked = self._mark(turn.id, Mark.LABEL_FORM, form)
        return LabelForm(marked) if marked in list(LabelForm) else marked

    def _start(self, turn: Turn) -> float:
        first = turn.paragraphs[0].start if turn.paragraphs else None
        return self._time("start", turn, turn.start if turn.start is not None else first)

    def _end(self, turn: Turn) -> float:
        last = turn.paragraphs[-1].end if turn.paragraphs else None
        return self._time("end", turn, turn.end if turn.end is not None else last)

    def _time(self, which: str, turn: Turn, seconds: float | None) -> float:
        if seconds is None:
            raise PageError(
                f"{self._title or 'the transcript'}: turn {turn.id} has no {which} time, and the style"
                f" {self._style.name} prints one for every turn",
                code="times_missing",
            )
        return seconds
