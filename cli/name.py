"""`stenocast name`: who the speakers of a document are, by what is said in it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.errors import NotFound, OptionError

if TYPE_CHECKING:
    from schemas.transcript import Speaker, Transcript


def name(
    document: Annotated[Path, typer.Argument(help="A transcript document (JSON), from `transcribe` or `read`.")],
    participant: Annotated[
        list[str] | None,
        typer.Option(help='Somebody who speaks: "Ada Quill, host". May be given several times.'),
    ] = None,
    afresh: Annotated[
        bool, typer.Option("--afresh", help="Forget the names it has, those of a page's labels too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the speakers as JSON.")] = False,
    output: Annotated[
        str, typer.Option("--output", "-o", help="Write the named document to a file, or to - instead of the table.")
    ] = "",
) -> None:
    """Name the speakers of a document by evidence, and show the evidence.

    Names given by hand or printed on an imported page stay, unless --afresh is given. Participants take the place
    of those that the document lists.
    """
    from schemas.wire import write_json

    if output == "-" and as_json:
        raise OptionError("--json and --output - both write to standard output; choose one", field="output")
    named = _name(_read(document), participant or [], afresh=afresh)
    if output == "-":
        sys.stdout.write(write_json(named, indent=1).decode("utf-8") + "\n")
        return
    if output:
        Path(output).write_bytes(write_json(named, indent=1))
        print(f"{output}: written", file=sys.stderr)
    if as_json:
        _print_json(named.speakers)
    else:
        _print_table(named.speakers)


def _read(document: Path) -> Transcript:
    from schemas.transcript import Transcript
    from schemas.wire import read_json

    if not document.is_file():
        raise NotFound(f"{document}: no such file", code="file_not_found", field="document")
    return read_json(Transcript, document.read_bytes())


def _name(transcript: Transcript, participants: list[str], *, afresh: bool) -> Transcript:
    from dataclasses import replace

    from transcription.naming import name_speakers
    from transcription.participants import parse_participant

    if participants:
        given = tuple(parse_participant(each) for each in participants)
        transcript = replace(transcript, episode=replace(transcript.episode, participants=given))
    if afresh:
        nameless = tuple(replace(each, name=None, known_by=None) for each in transcript.speakers)
        transcript = replace(transcript, speakers=nameless)
    return name_speakers(transcript)


def _print_json(speakers: tuple[Speaker, ...]) -> None:
    import json

    from schemas.wire import to_record

    print(json.dumps([to_record(each) for each in speakers], indent=1, ensure_ascii=False))


def _print_table(speakers: tuple[Speaker, ...]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("speaker", "name", "role", "known by", "confidence", "quote", box=None, pad_edge=False)
    for number, speaker in enumerate(speakers, start=1):
        first = speaker.evidence[0] if speaker.evidence else None
        titled = " ".join(part for part in (speaker.honorific, speaker.name) if part)
        cells = (
            speaker.id,
            titled or f"Speaker {number}",
            speaker.role.value if speaker.role else "",
            speaker.known_by.value if speaker.known_by else "",
            f"{speaker.confidence:.2f}" if speaker.confidence is not None else "",
            f"“{first.quote}” [{_clock(first.start)}]" if first else "",
        )
        # Text, not markup: what people say may hold square brackets.
        table.add_row(*(Text(_shown(cell)) for cell in cells))
    console = Console()
    console.print(table) if console.is_terminal else Console(width=200).print(table)


def _shown(text: str) -> str:
    """The text without characters that would move a terminal's cursor or turn its letters around."""
    return "".join(character if character.isprintable() else " " for character in text)


def _clock(seconds: float | None) -> str:
    if seconds is None:
        return "no time"
    return f"{int(seconds) // 3600:02}:{int(seconds) // 60 % 60:02}:{int(seconds) % 60:02}"
