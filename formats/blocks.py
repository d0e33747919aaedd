"""Lines of text as blocks, with the white space that parts them. Splitting loses nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

#: A dash, an asterisk or a quote mark is one where words or a set-off label follow. ">>" begins turns in captions.
_BULLET = re.compile(r"(?:[•◦‣▪·]\s+|>{2,3}\s*(?=\w)|[-*+>–—]\s+(?=[\w*_\"“‘'(\[<$]))+")


#: Tags that a line is set in without being emphasised: they are layout as white space is.
_TAG = r"(?:p|div|li|blockquote|section|article|dl|dt|dd|table|thead|tbody|tr|td|th|time)"
_ATTRIBUTE = r"(?:class|id|style|dir|lang|align|valign|width|scope|datetime|face|size|color|data-[a-z-]+)"
_ATTRIBUTES = rf"(?:\s+{_ATTRIBUTE}=(?:[\"'][^<>\"']*[\"']|[\w#%+-]+))*"
#: What old pages have before the tag that the line is set in, nested as no page may be: "</font><p>", "<b><p>".
_BESIDE = rf"(?:</?(?:b|i|u|em|strong|font|span|p){_ATTRIBUTES}>\s*)*(?=<{_TAG}\b)"
_ANCHOR = r"<a\s+(?:name|id)=[\"']?[^<>\"'\s]*[\"']?\s*></a>\s*"
_OPENING_TAGS = re.compile(rf"(?:{_BESIDE}<{_TAG}{_ATTRIBUTES}>\s*|{_ANCHOR})+", re.IGNORECASE)
#: Those that stand alone on their lines around rows, entries and turns: no article, whose end is that of the text.
_LINE_OF_TAGS = re.compile(
    rf"(?:</?(?:p|div|li|ul|ol|section|dl|dt|dd|table|thead|tbody|tr|td|th){_ATTRIBUTES}>\s*)+", re.IGNORECASE
)
_CLOSING_TAGS = re.compile(rf"(?<!\s)(?:\s*(?:</{_TAG}>|<br\s?/?>))+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LineBreak:
    """Where a line of a wrapped paragraph ends."""

    rest: int  #: characters of the paragraph behind the end of the line
    printed: str  #: the white space that stands there, with the indent of the next line


@dataclass(frozen=True, slots=True)
class Block:
    """One line of text, or a paragraph whose lines were joined.

    `before`, `lead` and `tail` are white space; `lead` may hold a bullet, `before` and `tail` tags of HTML.
    """

    before: str  #: line breaks and blank lines since the block before, and the tags that the line is set in
    lead: str
    text: str
    tail: str  #: on its line, with the ends of those tags
    breaks: tuple[LineBreak, ...] = ()  #: of a paragraph; a text whose beginning is cut off keeps them

    @property
    def line_ends(self) -> int:
        """The line ends before the block, but for those of lines of tags."""
        return without_tags(self.before).count("\n")

    @property
    def follows_directly(self) -> bool:
        """Whether no blank line parts it from the block before."""
        return without_tags(self.before) == "\n"


_TAGS = re.compile(r"<[^<>]*>")
_LINE_OF_TAGS_IN_SPACE = re.compile(r"\n(?:[^\S\n]*<[^<>]*>)+[^\S\n]*(?=\n)")


def without_tags(space: str) -> str:
    """The white space before a block without the tags in it, and without the lines that hold nothing else."""
    return _TAGS.sub("", _LINE_OF_TAGS_IN_SPACE.sub("", space)) if "<" in space else space


def split_blocks(text: str) -> tuple[tuple[Block, ...], str]:
    """The blocks of a text with LF line ends, and the white space after the last one."""
    blocks: list[Block] = []
    before = ""
    for number, line in enumerate(text.split("\n")):
        if number:
            before += "\n"
        bare = line.strip()
        if not bare or _LINE_OF_TAGS.fullmatch(bare):
            before += line
            continue
        tags, lead, text, tail = _parts(line)
        blocks.append(Block(before + tags, lead, text, tail))
        before = ""
    return tuple(blocks), before


def _parts(line: str) -> tuple[str, str, str, str]:
    """Tags, indent with bullet, text, and white space with the ends of tags. A line of other tags alone is text."""
    bare = line.strip()
    start = line.index(bare)
    lead, tail = line[:start], line[start + len(bare) :]
    opening = _OPENING_TAGS.match(bare) if bare[0] == "<" else None
    closing = _CLOSING_TAGS.search(bare) if bare[-1] == ">" else None
    text = bare[opening.end() if opening else 0 : closing.start() if closing else len(bare)]
    if not text:
        opening, closing, text = None, None, bare
    tags = lead + opening.group() if opening else ""
    lead = "" if opening else lead
    tail = closing.group() + tail if closing else tail
    bullet = _BULLET.match(text)
    mark = bullet.group() if bullet else ""
    return tags, lead + mark, text[len(mark) :], tail


def usual(values: Sequence[str], *, least: float = 0.5) -> str | None:
    """What more than `least` of several values are, and more than one of them."""
    if not values:
        return None
    value, count = Counter(values).most_common(1)[0]
    return value if count > 1 and count > least * len(values) else None
