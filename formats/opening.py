"""A page as it lies on disk, taken apart: its bytes, its front matter, its blocks, how its lines are broken."""

from __future__ import annotations

import re
from dataclasses import dataclass

from formats.blocks import Block, split_blocks
from formats.emphasised_lines import with_open_labels
from formats.encodings import decoded
from formats.page_width import Wrap, wrap_of
from formats.rows import without_frames
from schemas.transcript import Encoding

#: What YAML has at the margin: a key in small letters, an item, a comment.
_YAML_LINE = re.compile(r"[a-z][\w-]*:(?:\s|$)|-\s|-$|#")
#: Keys with a capital that no label of a talk looks like, and those that one does.
_CAPITAL_KEY = re.compile(
    r"(?:Title|Subtitle|Date|Published|Description|Summary|Tags|Categor(?:y|ies)|Authors?|Show|Series|Season|Episode"
    r"|Slug|Layout|Permalink|Url|URL|Image|Duration|Language|Speakers|Guests|Hosts|Participants):(?:\s|$)"
)
_LABEL_OR_KEY = re.compile(r"(?:Host|Guest|Speaker|Moderator):(?:\s|$)")
_LINE_BREAK = re.compile(r"[\r\n]")


@dataclass(frozen=True, slots=True)
class Page:
    """A page, and what is found out once about the whole of it."""

    front_matter: tuple[Block, ...]  #: the YAML block that it begins with, the lines of dashes included
    blocks: tuple[Block, ...]
    final: str  #: what stands after the last line of text, with the line ends it has
    line_end: str
    bom: bool
    encoding: Encoding
    wrap: Wrap | None  #: None where its lines are paragraphs, turns or verses


def decode_page(content: bytes, *, name: str) -> Page:
    """Take a page apart. Raises PageError `page_not_text` when it is neither UTF-8 nor Windows-1252."""
    text, encoding = decoded(content, name=name)
    bom = text.startswith("\ufeff")
    text = text.removeprefix("\ufeff")
    end = _LINE_BREAK.search(text, len(text.rstrip()))
    body, final = (text[: end.start()], text[end.start() :]) if end else (text, "")
    line_end = _line_end(body)
    blocks, rest = split_blocks(body.replace(line_end, "\n"))
    length = _front_matter_length(blocks)
    talk = with_open_labels(without_frames(blocks[length:]))
    return Page(blocks[:length], talk, rest.replace("\n", line_end) + final, line_end, bom, encoding, wrap_of(talk))


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
