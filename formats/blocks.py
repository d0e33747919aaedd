"""A page as blocks: lines of text with the white space that parts them. Splitting loses nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from schemas.errors import PageError

#: A dash, an asterisk or a quote mark is one where words or a set-off label follow. ">>" begins turns in captions.
_BULLET = re.compile(r"(?:[•◦‣▪·]\s+|>{2,3}\s*(?=\w)|[-*+>–—]\s+(?=[\w*_\"“‘'(\[<$]))+")


#: What YAML has at the margin: a key in small letters, an item, a comment.
_YAML_LINE = re.compile(r"[a-z][\w-]*:(?:\s|$)|-\s|-$|#")
#: Keys with a capital that no label of a talk looks like, and those that one does.
_CAPITAL_KEY = re.compile(
    r"(?:Title|Subtitle|Date|Published|Description|Summary|Tags|Categor(?:y|ies)|Authors?|Show|Series|Season|Episode"
    r"|Slug|Layout|Permalink|Url|URL|Image|Duration|Language|Speakers|Guests|Hosts|Participants):(?:\s|$)"
)
_LABEL_OR_KEY = re.compile(r"(?:Host|Guest|Speaker|Moderator):(?:\s|$)")
_LINE_BREAK = re.compile(r"[\r\n]")
#: Tags that a line is set in without being emphasised: they are layout as white space is.
_TAG = r"(?:p|div|li|blockquote|section|article)"
_OPENING_TAGS = re.compile(rf"(?:<{_TAG}(?:\s+(?:class|id|style|dir)=[\"'][^<>\"']*[\"'])*>\s*)+", re.IGNORECASE)
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


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it lies on disk, taken apart."""

    front_matter: tuple[Block, ...]  #: the YAML block that it begins with, the lines of dashes included
    blocks: tuple[Block, ...]
    final: str  #: what stands after the last line of text, with the line ends it has
    line_end: str
    bom: bool


def decode_page(content: bytes, *, name: str) -> Page:
    """Take a page apart. Raises PageError `page_not_text` when it is not UTF-8."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise PageError(f"{name}: UTF-16 text; save it as UTF-8", code="page_not_text")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PageError(
            f"{name}: not UTF-8 text: byte {error.start} is 0x{content[error.start]:02x}", code="page_not_text"
        ) from error
    bom = text.startswith("\ufeff")
    text = text.removeprefix("\ufeff")
    end = _LINE_BREAK.search(text, len(text.rstrip()))
    body, final = (text[: end.start()], text[end.start() :]) if end else (text, "")
    line_end = _line_end(body)
    blocks, rest = split_blocks(body.replace(line_end, "\n"))
    length = _front_matter_length(blocks)
    return Page(blocks[:length], blocks[length:], rest.replace("\n", line_end) + final, line_end, bom)


def _front_matter_length(blocks: tuple[Block, ...]) -> int:
    """How many lines at the beginning are YAML between two lines of dashes; 0 where anything else is among them."""
    if not blocks or (blocks[0].before, blocks[0].lead, blocks[0].text) != ("", "", "---"):
        return 0
    has_key = False
    for index, block in enumerate(blocks[1:], start=1):
        if not block.lead and block.text in ("---", "..."):
            return index + 1 if has_key else 0
        is_key = _YAML_LINE.match(block.text) or _CAPITAL_KEY.match(block.text)
        if not (block.lead or is_key or _LABEL_OR_KEY.match(block.text)) or (index == 1 and block.lead):
            return 0
        has_key = has_key or bool(is_key)
    return 0


def _line_end(text: str) -> str:
    """The line end that the whole page uses; a page that mixes them keeps the odd ones as white space."""
    if "\r\n" in text and "\n" not in text.replace("\r\n", "") and "\r" not in text.replace("\r\n", ""):
        return "\r\n"
    return "\r" if "\r" in text and "\n" not in text else "\n"


def split_blocks(text: str) -> tuple[tuple[Block, ...], str]:
    """The blocks of a text with LF line ends, and the white space after the last one."""
    blocks: list[Block] = []
    before = ""
    for number, line in enumerate(text.split("\n")):
        if number:
            before += "\n"
        bare = line.strip()
        if not bare:
            before += line
            continue
        tags, lead, text, tail = _parts(line)
        blocks.append(Block(before + tags, lead, text, tail))
        before = ""
    return tuple(blocks), before


def _parts(line: str) -> tuple[str, str, str, str]:
    """Tags, indent with bullet, text, and white space with the ends of tags. A line of tags alone is text."""
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
