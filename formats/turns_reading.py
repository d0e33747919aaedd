"""Where the turns of a page begin: its labels, whatever line they stand on, and its paragraphs as blocks."""

from __future__ import annotations

from formats.blocks import Block
from formats.house_style import HouseStyle
from formats.label_candidates import Candidate, find_candidates, join_labels, split_labels
from formats.label_reading import accept
from formats.opening import Page
from formats.page_width import TABS, Wrap
from formats.stamped_labels import with_stamps
from formats.stray_labels import with_strays
from formats.wrapping import begins_with_paragraph, inside_sentences, with_whole_paragraphs


def find_turns(
    page: Page, style: HouseStyle, *, has_title: bool = False
) -> tuple[tuple[Block, ...], list[Candidate]]:
    """The blocks of a page and the labels that begin turns among them, as a style has them and by slips.

    The lines of wrapped paragraphs are one block, and so are a label and the time above it. `has_title`: the page's
    title stands elsewhere, so that its first line can begin a turn. No labels where no line begins a turn.
    """
    blocks, labels = _labelled(page, style, has_title=has_title)
    if labels:
        inside = inside_sentences(labels, blocks, _wrap(page, style))
        blocks, labels = with_strays(labels, blocks, style, has_title=has_title, inside=inside)
        blocks, labels = with_stamps(blocks, labels)
    return unwrapped(blocks, labels, _wrap(page, style), style)


def find_usual_turns(page: Page, style: HouseStyle) -> tuple[tuple[Block, ...], list[Candidate]]:
    """As `find_turns`, with the labels alone that the style explains."""
    return unwrapped(*_labelled(page, style), _wrap(page, style), style)


def _labelled(page: Page, style: HouseStyle, *, has_title: bool = False) -> tuple[tuple[Block, ...], list[Candidate]]:
    joined = join_labels(page.blocks, style)
    candidates = find_candidates(joined, style)
    wrap = _wrap(page, style)
    inside = inside_sentences(candidates, joined, wrap)
    candidates = [each for each in candidates if each.index not in inside]
    has_title = has_title or (wrap is not None and begins_with_paragraph(joined))
    return split_labels(joined, accept(candidates, joined, style, has_title=has_title))


def _wrap(page: Page, style: HouseStyle) -> Wrap | None:
    """How the page's lines are broken: as it shows, else as the style says."""
    if page.wrap is not None or style.layout.width is None:
        return page.wrap
    opening = style.layout.indent[: len(style.layout.indent) - len(style.layout.indent.lstrip())]
    return Wrap(style.layout.width, TABS[0], style.layout.wrap_indent, opening)


def unwrapped(
    blocks: tuple[Block, ...], labels: list[Candidate], wrap: Wrap | None, style: HouseStyle
) -> tuple[tuple[Block, ...], list[Candidate]]:
    """The lines of a wrapped page's paragraphs as one block each, and the labels of its turns with theirs."""
    if wrap is None or not labels:
        return blocks, labels
    return with_whole_paragraphs(blocks, labels, wrap, own_line=style.label.own_line)
