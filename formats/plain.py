"""Plain text: the title, then every turn as a name and its paragraphs."""

from __future__ import annotations

from formats.labels import cast_of, display_name
from formats.typography import inert, one_line
from schemas.transcript import Transcript


def render_text(transcript: Transcript) -> bytes:
    """UTF-8 text with one blank line between blocks; each turn begins `Name: `. Stored paragraphs are kept."""
    cast = cast_of(transcript)
    title = one_line(transcript.episode.title or "")
    blocks = [title] if title else []
    for turn in transcript.turns:
        paragraphs = [text for p in turn.paragraphs if (text := " ".join(inert(p.text).split()))]
        if paragraphs:
            blocks.append(f"{display_name(turn.speaker, cast)}: {paragraphs[0]}")
            blocks.extend(paragraphs[1:])
    return ("\n\n".join(blocks) + "\n").encode("utf-8") if blocks else b""
