"""The talk of a page: turns with their paragraphs, what stands between these, and where all of it is printed."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace

from formats.asides_reading import find_asides
from formats.blocks import Block
from formats.clock import parse_time
from formats.house_style import HouseStyle
from formats.label_candidates import Candidate
from formats.shapes import heading_mark, is_back_heading, is_direction, is_footer, is_sound_line
from formats.speakers_reading import Voices
from formats.unspoken import Stamp, built_lines, linked_stamp, stamps_of
from schemas.transcript import Aside, AsideKind, Paragraph, Turn

_Asides = Mapping[int, tuple[AsideKind, str | None]]


@dataclass(frozen=True, slots=True)
class Body:
    """The talk as it stands on the page."""

    turns: tuple[Turn, ...]
    labels: dict[str, Candidate]  #: turn id -> its label on the page
    blocks: dict[str, Block]  #: turn, paragraph or aside id -> its block
    stamps: dict[str, Stamp]  #: paragraph id -> the time above it


def talk_end(blocks: Sequence[Block], labels: Sequence[Candidate], style: HouseStyle) -> int:
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
        is_set_apart = block.line_ends > usual
        if not is_footer(block.text, is_set_apart=is_set_apart):
            break
        place -= 1
        if is_set_apart:
            end = place
    return end if end < len(blocks) else place


def read_body(blocks: Sequence[Block], labels: Sequence[Candidate], voices: Voices, style: HouseStyle) -> Body:
    """The talk from the first label on. Each block begins a turn, is an aside or a time, or is a paragraph said."""
    start = labels[0].index
    by_index = {c.index: c for c in labels}
    has_times = any(label.time is not None for label in labels)
    asides = _asides(blocks, by_index, start, voices, style, has_times=has_times)
    stamps = stamps_of(blocks, by_index, asides, start, has_times=has_times)
    made = _BodyInTheMaking(voices, style)
    for index in range(start, len(blocks)):
        block = blocks[index]
        if index in stamps:
            continue
        if index in by_index:
            made.begin_turn(by_index[index], block)
        elif index in asides:
            made.add_aside(block, *asides[index])
        elif index - 1 in stamps:
            made.add_stamped(block, blocks[index - 1], stamps[index - 1])
        else:
            made.add_said(block)
    return made.body()


def _asides(
    blocks: Sequence[Block],
    by_index: Mapping[int, Candidate],
    start: int,
    voices: Voices,
    style: HouseStyle,
    *,
    has_times: bool,
) -> _Asides:
    """The blocks that nobody says, and whose they are: captions, quotations, what is heard, the page's build."""
    indexes = range(start, len(blocks))
    found: dict[int, tuple[AsideKind, str | None]] = {}
    if not style.label.own_line:
        texts = [by_index[n].rest if n in by_index else blocks[n].text for n in indexes]
        names = {s.name: s.id for s in voices.speakers if s.name and " " in s.name}
        asides = find_asides(texts, [n in by_index for n in indexes], names)
        found = {start + n: what for n, what in asides.items()}
    said = {*by_index, *(n + 1 for n in by_index if style.label.own_line)}
    heard = [n for n in indexes if n not in said and (is_sound_line(blocks[n].text) or is_direction(blocks[n].text))]
    built = [n for n in built_lines(blocks, start, has_times=has_times) if n not in by_index]
    found |= dict.fromkeys([*heard, *built], (AsideKind.CAPTION, None))
    return found | dict.fromkeys(_quoted(blocks, by_index, start), (AsideKind.PULL_QUOTE, None))


def _quoted(blocks: Sequence[Block], labelled: Container[int], start: int) -> list[int]:
    """The unlabelled blocks behind Markdown's sign of a quotation, where most of the page has none."""
    found = [n for n in range(start, len(blocks)) if ">" in blocks[n].lead]
    is_rare = 3 * len(found) < len(blocks) - start and not any(n in labelled for n in found)
    return found if is_rare else []


class _BodyInTheMaking:
    """The turns so far, and the paragraphs and asides of the one that goes on."""

    def __init__(self, voices: Voices, style: HouseStyle) -> None:
        self._voices = voices
        self._style = style
        self._turns: list[Turn] = []
        self._labels: dict[str, Candidate] = {}
        self._places: dict[str, Block] = {}
        self._stamps: dict[str, Stamp] = {}
        self._paragraphs: list[Paragraph] = []
        self._asides: list[Aside] = []
        self._paragraph_count = 0
        self._aside_count = 0

    def body(self) -> Body:
        self._end_turn()
        return Body(tuple(self._turns), self._labels, self._places, self._stamps)

    def begin_turn(self, label: Candidate, block: Block) -> None:
        self._end_turn()
        identity = f"T{len(self._turns) + 1}"
        start = _seconds(label.time)
        self._turns.append(
            Turn(identity, self._voices.of_label[label.label], (), start=start, end=_seconds(label.end))
        )
        self._labels[identity] = label
        self._places[identity] = block
        if not self._style.label.own_line:
            self._add_paragraph(label.rest, block, start)

    def add_said(self, block: Block) -> None:
        """A paragraph, which can begin with a time that is a link."""
        linked = linked_stamp(block.text, self._style)
        if linked is None:
            self._add_paragraph(block.text, block)
            return
        rest = block.text[len(linked.printed) :]
        made = self._add_paragraph(rest, replace(block, text=rest), _seconds(linked.stamp.time))
        self._stamps[made] = linked.stamp

    def add_stamped(self, block: Block, above: Block, stamp: Stamp) -> None:
        """A paragraph with a line `above` it that is its time."""
        place = Block(above.before, above.lead, block.text, block.tail, block.breaks)
        made = self._add_paragraph(block.text, place, _seconds(stamp.time))
        self._stamps[made] = replace(stamp, pattern=stamp.pattern + block.before)

    def add_aside(self, block: Block, kind: AsideKind, speaker: str | None) -> None:
        self._aside_count += 1
        mark = heading_mark(block.text)
        text = block.text.removeprefix(mark)
        made = Aside(f"A{self._aside_count}", kind, text, after=len(self._paragraphs), attributed_to=speaker)
        self._asides.append(made)
        self._places[made.id] = replace(block, lead=block.lead + mark, text=text)

    def _add_paragraph(self, text: str, block: Block, start: float | None = None) -> str:
        self._paragraph_count += 1
        made = Paragraph(f"P{self._paragraph_count}", text, start=start)
        self._paragraphs.append(made)
        self._places[made.id] = block
        return made.id

    def _end_turn(self) -> None:
        if self._turns:
            turn = replace(self._turns[-1], paragraphs=tuple(self._paragraphs), asides=tuple(self._asides))
            self._turns[-1] = turn
        self._paragraphs.clear()
        self._asides.clear()


def _seconds(printed: str | None) -> float | None:
    if printed is None:
        return None
    parsed = parse_time(printed)
    return parsed[0] if parsed else None
