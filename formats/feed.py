"""The feed snippet: what a publisher puts into the episode's `<item>` (Podcasting 2.0 transcript and person tags)."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from formats.parts import head_of
from formats.typography import one_line, xml_text
from schemas.transcript import Transcript

NAMESPACE = "https://podcastindex.org/namespace/1.0"
#: The transcripts a feed may name, best first: file ending, type, whether it is captions.
FILES = (
    (".vtt", "text/vtt", True),
    (".html", "text/html", False),
    (".podcast.json", "application/json", False),
    (".srt", "application/x-subrip", True),
)
LONGEST_NAME = 128


def render_rss(transcript: Transcript, *, stem: str, base_url: str = "", has_times: bool) -> bytes:
    """An XML document of one `<item>` with its transcripts and people.

    The transcripts' addresses are `base_url` and the file names that `render` and the page's menu give (`stem` and
    the format's ending); without a base they are relative to the feed. Where the document has no times only the HTML
    page is named.
    """
    head = head_of(transcript)
    language = one_line(transcript.language or transcript.episode.language or "")
    lines = [f"<item xmlns:podcast={_quoted(NAMESPACE)}>"]
    if head.title:
        lines.append(f"  <title>{_escaped(head.title)}</title>")
    base = base_url.rstrip("/") + "/" if base_url else ""
    for ending, kind, is_captions in FILES:
        if not has_times and ending != ".html":
            continue
        attributes = f"url={_quoted(base + stem + ending)} type={_quoted(kind)}"
        if language:
            attributes += f" language={_quoted(language)}"
        if is_captions:
            attributes += ' rel="captions"'
        lines.append(f"  <podcast:transcript {attributes} />")
    for person in head.people:
        role = f" role={_quoted(person.role.value)}" if person.role else ' role="guest"'
        lines.append(f"  <podcast:person{role}>{_escaped(person.name[:LONGEST_NAME])}</podcast:person>")
    lines.append("</item>")
    return ("\n".join(lines) + "\n").encode("utf-8")


def _escaped(text: str) -> str:
    return escape(xml_text(text))


def _quoted(text: str) -> str:
    return quoteattr(xml_text(text))
