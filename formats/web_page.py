"""An HTML page that stands alone: speakers in `<cite>`, times in `<time>`, one anchor for each paragraph, no script.

Podcasting 2.0 asks for `<cite>`, `<time>` and `<p>` beside each other, so that players can read the page too.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

from formats.clock import milliseconds
from formats.parts import Beside, Head, Part, Said, head_of, parts_of, short_time
from formats.typography import one_line, xml_text
from schemas.transcript import AsideKind, Transcript

_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur", "yi", "ps", "sd", "ug"})
#: Nothing may be loaded or run, whatever a title or a word looks like.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

_STYLE_FILE = Path(__file__).parent / "web_page.css"


def render_html(transcript: Transcript) -> bytes:
    """A valid HTML page; every word of the transcript is text. Doubtful words are underlined and say why."""
    head = head_of(transcript)
    language = one_line(transcript.language or transcript.episode.language or "")
    lines = [
        "<!doctype html>",
        f"<html{_in_language(language, beside='')}>",
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="generator" content="Stenocast">',
        f"<title>{_text(head.title or 'Transcript')}</title>",
        f"<style>\n{_style()}</style>",
        "</head>",
        "<body>",
        "<main>",
        *_header(head, transcript.episode.published),
    ]
    paragraph = 0
    for number, part in enumerate(parts_of(transcript), start=1):
        lines += _turn(part, number, paragraph, language)
        paragraph += sum(isinstance(block, Said) for block in part.blocks)
    lines += ["</main>", "</body>", "</html>"]
    return ("\n".join(lines) + "\n").encode("utf-8")


@cache
def _style() -> str:
    return _STYLE_FILE.read_text("utf-8")


def _text(text: str) -> str:
    return html.escape(xml_text(text))


def _in_language(language: str, *, beside: str) -> str:
    """Attributes of an element in this language inside one of the other; none are needed where it is not known."""
    if not language:
        return ""
    is_rtl, around_is_rtl = (each.split("-")[0].casefold() in _RIGHT_TO_LEFT for each in (language, beside))
    direction = "" if is_rtl == around_is_rtl else ' dir="rtl"' if is_rtl else ' dir="ltr"'
    return f' lang="{_text(language)}"{direction}'


def _header(head: Head, published: str | None) -> Iterator[str]:
    yield "<header>"
    yield f"<h1>{_text(head.title or 'Transcript')}</h1>"
    day = _text(head.date)
    if published and _is_date(published[:10]):
        day = f'<time datetime="{published[:10]}">{day}</time>'
    facts = [each for each in (_text(head.show), day) if each]
    if facts:
        yield f'<p class="facts">{" · ".join(facts)}</p>'
    if head.people:
        yield '<ul class="people">'
        for person in head.people:
            described = f", {_text(person.description)}" if person.description else ""
            yield f"<li><b>{_text(person.titled)}</b>{described}</li>"
        yield "</ul>"
    yield "</header>"


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _turn(part: Part, number: int, printed: int, language: str) -> Iterator[str]:
    yield f'<section class="turn" id="t{number}">'
    yield f"<cite>{_text(part.speaker)}:</cite>"
    for block in part.blocks:
        if isinstance(block, Beside):
            yield _aside(block)
            continue
        printed += 1
        yield _anchor(block.start, printed)
        other = _in_language(one_line(block.language or ""), beside=language)
        yield f'<p id="p{printed}"{other}>{_words(block)}</p>'
    yield "</section>"


def _anchor(start: float | None, number: int) -> str:
    if start is None:
        return f'<a class="anchor" href="#p{number}" aria-label="Link to this paragraph"></a>'
    return f'<time datetime="{_duration(start)}"><a href="#p{number}">{short_time(start)}</a></time>'


def _duration(seconds: float) -> str:
    """A valid duration string of HTML: PT1H2M3.4S."""
    ms = milliseconds(seconds)
    hours, rest = divmod(ms // 1000, 3600)
    fraction = f".{ms % 1000:03d}" if ms % 1000 else ""
    return (
        "PT" + (f"{hours}H" if hours else "") + (f"{rest // 60}M" if rest >= 60 else "") + f"{rest % 60}{fraction}S"
    )


def _aside(block: Beside) -> str:
    if block.kind is AsideKind.PULL_QUOTE:
        return f"<blockquote>{_text(block.text)}</blockquote>"
    return f'<p class="caption">{_text(block.text)}</p>'


def _words(block: Said) -> str:
    return "".join(
        _text(piece.text)
        if piece.doubt is None
        else f'<span class="doubtful" title="{_text(piece.doubt)}">{_text(piece.text)}</span>'
        for piece in block.pieces
    )
