"""The lines of a wrapped paragraph as a value of the layout: sizes alone, so that the words may change."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from formats.blocks import LineBreak

_SIZE = r"(\d{1,5})(-?)/(\d{1,6})"
_SIZES = re.compile(rf"{_SIZE}(?: {_SIZE})+")
_WORD = re.compile(r"\S+")
#: Where a word can be parted: after a hyphen between letters.
_HYPHEN = re.compile(r"(?<=[^\W\d_])-(?=[^\W\d_])")


@dataclass(frozen=True, slots=True)
class _Line:
    """The size of a line."""

    words: int  #: parts of words counted as words
    ends_inside: bool  #: after a hyphen inside a word
    characters: int


@dataclass(frozen=True, slots=True)
class _Span:
    """Where a line stands in the text, and where the next one begins."""

    start: int
    end: int
    after: int


def sizes_of(text: str, breaks: Sequence[LineBreak]) -> str:
    """The words and characters of each line, "12/64 3/15", with "12-/64" for a line that ends inside a word."""
    ends = [len(text) - each.rest for each in breaks]
    lines = [text[start:end] for start, end in pairwise([0, *ends, len(text)])]
    insides = [not following[:1].isspace() for following in lines[1:]] + [False]
    return " ".join(
        f"{len(line.split())}{'-' if inside else ''}/{len(line.strip())}"
        for line, inside in zip(lines, insides, strict=True)
    )


def broken(text: str, sizes: str, printed: Sequence[str]) -> str:
    """The text with line breaks where the page had them; `printed` is what stands at each.

    Where a word was changed the line is longer or shorter. Where words came or went, the lines before and after them
    stay, and what is between is broken anew at the longest line's width. A value that is no list of sizes breaks
    nothing.
    """
    if not _SIZES.fullmatch(sizes) or len(printed) != sizes.count(" "):
        return text
    lines = [_Line(int(words), bool(hyphen), int(length)) for words, hyphen, length in re.findall(_SIZE, sizes)]
    spans = _spans(text, lines)
    made = text[spans[0].start : spans[0].end] if spans else text
    for number, span in enumerate(spans[1:]):
        made += printed[min(number, len(printed) - 1)] + text[span.start : span.end]
    return made + text[spans[-1].end :] if spans else made


def wrapped(text: str, *, before: str, width: int, indent: str, may_begin: Callable[[str], bool]) -> str:
    """The text in lines of at most `width` columns, those after the first behind `indent`.

    `before` stands before the text on its first line. No line begins with what `may_begin` does not let, nor after a
    hyphen that would be taken for one inside a word: such a line goes on beyond the width.
    """
    lines: list[str] = []
    line = before
    place = 0
    for word in _WORD.finditer(text):
        gap = text[place : word.start()]
        is_too_long = place > 0 and len(f"{line}{gap}{word.group()}".expandtabs()) > width
        if is_too_long and gap == " " and _may_end(text[:place]) and may_begin(text[word.start() :]):
            lines.append(line)
            line = indent + word.group()
        else:
            line += gap + word.group()
        place = word.end()
    return "\n".join([*lines, line + text[place:]]).removeprefix(before)


def _may_end(text: str) -> bool:
    """Whether a line may end here: not after the hyphen of a word that stops, nor in a script without spaces."""
    return not (text[-1] == "-" or _WITHOUT_SPACES.match(text[-1]))


_WITHOUT_SPACES = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\uffef]")


def _spans(text: str, lines: Sequence[_Line]) -> list[_Span]:
    expected = sum(line.words - line.ends_inside for line in lines)
    if len(text.split()) == expected:
        return _lines_from(text, 0, lines)
    before = _lines_from(text, 0, lines, is_same=True)
    begin = before[-1].after if before else 0
    for place in range(len(before), len(lines)):
        after = lines[place + 1 :]
        start = len(text) - sum(line.characters + (not line.ends_inside) for line in after) + 1
        rest = _lines_from(text, start, after, is_same=True) if after and start >= begin else []
        if len(rest) == len(after):
            is_one = place == len(before)
            between = [_Span(begin, len(text[:start].rstrip()) if after else len(text), start)]
            if not is_one:
                between = _filled(text[: between[0].end], begin, max(line.characters for line in lines))
            return [*before, *(span for span in between if span.start < span.end), *rest]
    return before


def _lines_from(text: str, start: int, lines: Sequence[_Line], *, is_same: bool = False) -> list[_Span]:
    """The lines by their words, from `start` on; `is_same`: up to the first one that has another length."""
    found: list[_Span] = []
    for line in lines:
        span = _line_from(text, start, line)
        if span is None or (is_same and span.end - span.start != line.characters):
            break
        found.append(span)
        start = span.after
    return found


def _line_from(text: str, start: int, line: _Line) -> _Span | None:
    words = list(islice(_WORD.finditer(text, start), line.words))
    if not words:
        return None
    end = words[-1].end()
    if line.ends_inside:
        hyphens = [match.end() for match in _HYPHEN.finditer(text, words[-1].start(), end)]
        if hyphens:
            end = min(hyphens, key=lambda place: abs(place - start - line.characters))
            return _Span(start, end, end)
    following = _WORD.search(text, end)
    return _Span(start, end, following.start() if following else len(text))


def _filled(text: str, start: int, width: int) -> list[_Span]:
    """The text from `start` on in lines of a width."""
    found: list[_Span] = []
    for word in _WORD.finditer(text, start):
        if found and word.end() - found[-1].start <= width:
            found[-1] = _Span(found[-1].start, word.end(), word.end())
        else:
            found.append(_Span(word.start(), word.end(), word.end()))
    return found
