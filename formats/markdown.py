"""Markdown (CommonMark): a heading, then `**Name:** text` for every turn, with doubtful words in italics."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import groupby

from formats.parts import Beside, Piece, head_of, parts_of
from schemas.transcript import AsideKind, Transcript

_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~])")
#: An ampersand that begins what Markdown takes for a character reference.
_REFERENCE = re.compile(r"&(?=#?\w+;)")
#: What begins a list, a heading or a rule when it stands first on its line.
_LINE_START = re.compile(r"^(?:(?P<mark>[-+=])|(?P<number>\d{1,9})(?P<point>[.)]))")
#: What some renderers make a link of although nobody marked it.
_BARE_LINK = re.compile(r"(?i)\b(https?|ftp|mailto|www)([:.])")


def render_markdown(transcript: Transcript) -> bytes:
    """UTF-8 Markdown in which no word of the transcript is markup, a link or HTML."""
    head = head_of(transcript)
    blocks = [f"# {escaped(head.title)}"] if head.title else []
    facts = ", ".join(escaped(fact) for fact in (head.show, head.date) if fact)
    if facts:
        blocks.append(f"*{facts}*")
    if head.people:
        blocks.append("\n".join(f"- {escaped(_described(p.titled, p.description))}" for p in head.people))
    for part in parts_of(transcript):
        is_labelled = False
        for block in part.blocks:
            if isinstance(block, Beside):
                text = escaped(block.text)
                blocks.append(f"*{text}*" if block.kind is AsideKind.CAPTION else f"> {text}")
                continue
            text = "".join(map(_marked, _joined(block.pieces)))
            if is_labelled:
                blocks.append(text)
            else:
                blocks.append(f"**{escaped(part.speaker)}:** {text}")
                is_labelled = True
    return ("\n\n".join(blocks) + "\n").encode("utf-8") if blocks else b""


def _described(name: str, description: str) -> str:
    return f"{name}, {description}" if description else name


def _joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Neighbours with doubts of different kinds as one: two emphases that touch would be none."""
    for is_doubtful, run in groupby(pieces, key=lambda piece: piece.doubt is not None):
        yield Piece("".join(piece.text for piece in run), "" if is_doubtful else None)


def _marked(piece: Piece) -> str:
    """Emphasis where there is a doubt, without the punctuation around it: marks beside that would be none."""
    if piece.doubt is None:
        return escaped(piece.text)
    is_spoken = [unicodedata.category(character)[0] not in "PSZC" for character in piece.text]
    if not any(is_spoken):
        return escaped(piece.text)
    first, past = is_spoken.index(True), len(is_spoken) - is_spoken[::-1].index(True)
    return f"{escaped(piece.text[:first])}*{escaped(piece.text[first:past])}*{escaped(piece.text[past:])}"


def escaped(text: str) -> str:
    """The text as CommonMark prints it unchanged, also at the start of a line."""
    made = _REFERENCE.sub(r"\\&", _MARKS.sub(r"\\\1", text))
    made = _BARE_LINK.sub(lambda m: f"{m[1]}\\{m[2]}", made)
    return _LINE_START.sub(lambda m: f"\\{m['mark']}" if m["mark"] else f"{m['number']}\\{m['point']}", made)
