"""Every way to write a transcript and to read one, by name: the one door that the command line and the API use."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from formats.captions import read_captions, render_srt, render_vtt
from formats.feed import render_rss
from formats.house_style import HouseStyle, parse_style, shipped_styles, style_named
from formats.markdown import render_markdown
from formats.pages import read_page, render_page
from formats.plain import render_text
from formats.podcast_json import read_podcast_json, render_podcast_json
from formats.scoring import render_ctm, render_rttm, render_stm
from formats.timing import has_times
from formats.web_page import render_html
from formats.word_document import render_docx
from schemas.errors import NotFound, OptionError, PageError
from schemas.near_misses import did_you_mean
from schemas.transcript import Transcript
from schemas.wire import read_json, write_json

#: What is written when neither a format nor a style is asked for and the transcript has no page of its own.
DEFAULT_STYLE = "name-line"
PAGE_MEDIA_TYPE = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write a transcript that is no house style."""

    name: str
    media_type: str
    extension: str  #: with its dot
    needs_times: bool
    description: str
    write: Callable[[Transcript], bytes]
    read: Callable[[bytes, str], Transcript] | None = None  #: from content and the name to use in errors
    is_binary: bool = False  #: no text: it belongs into a file, not on a terminal


def _write_document(transcript: Transcript) -> bytes:
    return write_json(transcript, indent=2) + b"\n"


def _read_document(content: bytes, name: str) -> Transcript:
    try:
        return read_json(Transcript, content.removeprefix(b"\xef\xbb\xbf"))
    except PageError as error:
        raise PageError(f"{name}: {error.message}", code=error.code) from error


def _write_rss(transcript: Transcript, base_url: str = "", stem: str = "") -> bytes:
    return render_rss(transcript, stem=stem or _stem(transcript), base_url=base_url, has_times=has_times(transcript))


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        made.name: made
        for made in (
            Format(
                "json",
                "application/json",
                ".transcript.json",
                False,
                "the document itself, version transcript/1",
                _write_document,
                _read_document,
            ),
            Format("text", PAGE_MEDIA_TYPE, ".txt", False, "plain text: names and paragraphs", render_text),
            Format(
                "markdown",
                "text/markdown; charset=utf-8",
                ".md",
                False,
                "Markdown: a heading, then **Name:** and paragraphs",
                render_markdown,
            ),
            Format(
                "html",
                "text/html; charset=utf-8",
                ".html",
                False,
                "a web page with an anchor for every paragraph",
                render_html,
            ),
            Format(
                "docx",
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                ".docx",
                False,
                "a Word document (a file: it is not printed on a terminal)",
                render_docx,
                is_binary=True,
            ),
            Format(
                "vtt",
                "text/vtt; charset=utf-8",
                ".vtt",
                True,
                "WebVTT captions with <v Name>, lines of at most 65 characters",
                render_vtt,
                lambda content, name: read_captions(content, name=name),
            ),
            Format(
                "srt",
                "application/x-subrip; charset=utf-8",
                ".srt",
                True,
                "SRT captions, two lines of at most 32 characters",
                render_srt,
                lambda content, name: read_captions(content, name=name),
            ),
            Format(
                "podcast-json",
                "application/json",
                ".podcast.json",
                True,
                "Podcasting 2.0 JSON, version 1.0.0",
                render_podcast_json,
                lambda content, name: read_podcast_json(content, name=name),
            ),
            Format(
                "rss",
                "application/xml; charset=utf-8",
                ".rss.xml",
                False,
                "the feed's <item> with podcast:transcript and podcast:person (Podcasting 2.0)",
                _write_rss,
            ),
            Format("rttm", PAGE_MEDIA_TYPE, ".rttm", True, "RTTM: who speaks when, for scoring tools", render_rttm),
            Format(
                "ctm", PAGE_MEDIA_TYPE, ".ctm", True, "CTM: every word with its time, for scoring tools", render_ctm
            ),
            Format("stm", PAGE_MEDIA_TYPE, ".stm", True, "STM: paragraphs by speaker, for scoring tools", render_stm),
        )
    }
)


def styles() -> tuple[HouseStyle, ...]:
    """The house styles that ship, by name."""
    return tuple(shipped_styles().values())


def render(
    transcript: Transcript,
    *,
    format: str | None = None,
    style: str | HouseStyle | None = None,
    base_url: str = "",
    stem: str = "",
) -> bytes:
    """Write a transcript in a format or in a house style (a name, or a style that was read from a file).

    `base_url` is where the other formats will lie, for the addresses in `rss`; without it they are file names. `stem`
    is what those begin with, where it is not the title as in `file_name`.

    With neither: a transcript that was read from a page becomes that page again, any other is in the style that its
    episode asks for, else in `name-line`.
    Raises OptionError (both given), NotFound `format_unknown` or `style_unknown`, PageError `times_missing`.
    """
    if format is not None and style is not None:
        raise OptionError(f"format {format!r:.40} and a style: give one of the two", field="format")
    if format is not None:
        if format == "rss":
            return _write_rss(transcript, base_url, stem)
        return format_named(format).write(transcript)
    if style is None:
        style = _style_of(transcript)
    return render_page(transcript, style if isinstance(style, HouseStyle) else style_named(style))


def read(
    content: bytes, *, style: str | HouseStyle | None = None, format: str | None = None, name: str = "page"
) -> Transcript:
    """Read a page, captions, a feed transcript or a document. With neither style nor format the content decides.

    `name` is what errors call it. Raises OptionError, NotFound (unknown names) and PageError (`page_not_recognised`,
    `page_not_text`, `document_invalid`).
    """
    if format is not None and style is not None:
        raise OptionError(f"format {format!r:.40} and a style: give one of the two", field="format")
    if style is not None:
        found = style if isinstance(style, HouseStyle) else style_named(style)
        return read_page(content, style=found, name=name)
    reader = format_named(format).read if format is not None else _reader_for(content)
    if reader is None and format is not None:
        readable = ", ".join(known.name for known in FORMATS.values() if known.read)
        raise NotFound(f"the format {format} is not read back; readable: {readable}", code="format_unknown")
    return reader(content, name) if reader else read_page(content, name=name)


_TIMING_LINE = re.compile(
    rb"^[^\S\n]*(?:\d+:)?\d{1,3}:\d{1,2}(?:[.,]\d{1,3})?\s*--+>\s*(?:\d+:)?\d{1,3}:\d{1,2}(?:[.,]\d{1,3})?"
    rb"(?:[^\S\n]+[A-Za-z]\w*:\S+)*\s*$"  # nothing but the settings of a cue
    rb"|^\d+:\d\d:\d\d\.\d{3},\d+:\d\d:\d\d\.\d{3}\s*$",
    re.MULTILINE,
)


#: Captions have a line of times above one or two lines of text; in a page about captions few lines are such.
TIMING_SHARE = 0.1


def _is_captions(content: bytes) -> bool:
    count = len(_TIMING_LINE.findall(content))
    return count > 1 and count >= TIMING_SHARE * sum(bool(line.strip()) for line in content.splitlines())


def _reader_for(content: bytes) -> Callable[[bytes, str], Transcript] | None:
    """The reader of what the content is, whatever its file is called; None for a page."""
    start = content[:200_000].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"{"):
        is_document = b'"transcript/1"' in content or b'"turns"' in start
        return FORMATS["json" if is_document else "podcast-json"].read
    if start.startswith(b"WEBVTT") or _is_captions(start):
        return FORMATS["vtt"].read
    if _TIMING_LINE.search(start[:200]):
        return FORMATS["srt"].read
    return None


def format_named(name: str) -> Format:
    """A format. Raises NotFound `format_unknown` that lists the known ones."""
    if name not in FORMATS:
        raise NotFound(
            f"no format {name!r:.80}; known: {', '.join(FORMATS)}"
            f" (house styles are asked for as style: {', '.join(shipped_styles())}){did_you_mean(name, FORMATS)}",
            code="format_unknown",
            field="format",
        )
    return FORMATS[name]


def check_names(*, styles: Sequence[str | HouseStyle] = (), formats: Sequence[str] = ()) -> None:
    """Raise NotFound for the first name that `render` would not know, before any work is done."""
    for style in styles:
        if isinstance(style, str):
            style_named(style)
    for format in formats:
        format_named(format)


def media_type(*, format: str | None = None, style: str | HouseStyle | None = None) -> str:
    """The Content-Type of what `render` gives for the same arguments."""
    if format is not None:
        return format_named(format).media_type
    check_names(styles=[style] if style else [])
    return PAGE_MEDIA_TYPE


def suffix(*, format: str | None = None, style: str | HouseStyle | None = None) -> str:
    """What follows the stem in the name of a file: ".name-line.txt", ".vtt"."""
    if format is not None:
        return format_named(format).extension
    check_names(styles=[style] if style else [])
    name = style.name if isinstance(style, HouseStyle) else style or DEFAULT_STYLE
    return f".{name[:32]}.txt"


def file_name(transcript: Transcript, *, format: str | None = None, style: str | HouseStyle | None = None) -> str:
    """A file name for what `render` gives: the title in plain letters, then the suffix.

    Only ASCII letters, digits, dots and hyphens; never empty, hidden or a path, at most 100 characters.
    """
    if format is None and style is None:
        style = _style_of(transcript)
    return _stem(transcript) + suffix(format=format, style=style)


def _style_of(transcript: Transcript) -> str | HouseStyle:
    """The style of the page that a transcript came from, else the one that its episode asks for, if there is such.

    One that does not ship is in the document; of what a document says nothing but the labels and the layout is used.
    """
    layout = transcript.layout
    if layout is not None and layout.definition:
        style = parse_style(layout.definition, source="layout.definition")
        return HouseStyle(style.name, style.label, layout=style.layout)
    if layout is not None:
        return layout.style
    asked = transcript.episode.style
    return asked if asked in shipped_styles() else DEFAULT_STYLE


def _stem(transcript: Transcript) -> str:
    title = transcript.episode.title or "transcript"
    return re.sub(r"[^a-z0-9]+", "-", title.casefold()).strip("-")[:60].strip("-") or "transcript"
