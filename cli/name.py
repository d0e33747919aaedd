"""`stenocast name`: who the speakers of a document are, by what is said in it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.errors import InputError, NotFound, OptionError

if TYPE_CHECKING:
    from schemas.transcript import Speaker, Transcript


def name(
    document: Annotated[Path, typer.Argument(help="A transcript document (JSON), from `transcribe` or `read`.")],
    participant: Annotated[
        list[str] | None,
        typer.Option(help='Somebody who speaks: "Ada Quill, host". May be given several times.'),
    ] = None,
    given: Annotated[
        list[str] | None,
        typer.Option("--set", help='A name by hand: "Speaker 2=Ada Quill". May be given several times.'),
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
    of those that the document lists. Why each name is believed, and why a speaker has none, goes to standard error.
    """
    from schemas.wire import write_json

    if output == "-" and as_json:
        raise OptionError("--json and --output - both write to standard output; choose one", field="output")
    named = _name(_read(document), participant or [], given or [], afresh=afresh)
    _explain(named)
    if output == "-":
        sys.stdout.write(write_json(named, indent=1).decode("utf-8") + "\n")
        return
    if output:
        _write(write_json(named, indent=1), output)
    if as_json:
        _print_json(named.speakers)
    else:
        _print_table(named.speakers)


def _write(content: bytes, output: str) -> None:
    try:
        Path(output).write_bytes(content)
    except OSError as error:
        raise InputError(f"{output}: cannot be written: {error.strerror}", code="output_unwritable") from error
    print(f"{output}: written", file=sys.stderr)


def _read(document: Path) -> Transcript:
    from formats.catalogue import read

    if not document.is_file():
        what = "is a folder, not a document" if document.is_dir() else "no such file"
        raise NotFound(f"{document}: {what}", code="file_not_found", field="document")
    return read(document.read_bytes(), format="json", name=str(document))


def _name(transcript: Transcript, participants: list[str], by_hand: list[str], *, afresh: bool) -> Transcript:
    from dataclasses import replace

    from transcription.naming import name_speakers
    from transcription.participants import parse_participant

    if participants:
        given = tuple(parse_participant(each) for each in participants)
        transcript = replace(transcript, episode=replace(transcript.episode, participants=given))
    if afresh:
        nameless = tuple(replace(each, name=None, known_by=None) for each in transcript.speakers)
        transcript = replace(transcript, speakers=nameless)
    for each in by_hand:
        transcript = _with_name_by_hand(transcript, each)
    return name_speakers(transcript)


def _with_name_by_hand(transcript: Transcript, assignment: str) -> Transcript:
    """ "Speaker 2=Dr Ada Quill": the speaker by number, id or voice, the name as a participant is written."""
    from dataclasses import replace

    from schemas.transcript import NameMethod
    from transcription.naming.speakers import sample_of
    from transcription.participants import parse_participant

    which, separator, text = assignment.partition("=")
    if not separator:
        raise OptionError(f'--set {assignment!r}: write "Speaker 2=Ada Quill"', field="set")
    person = parse_participant(text)
    wanted = " ".join(which.split()).casefold()
    for number, speaker in enumerate(transcript.speakers, start=1):
        if wanted not in {f"speaker {number}", speaker.id.casefold(), (speaker.voice or "").casefold()}:
            continue
        named = replace(
            speaker,
            name=person.name,
            honorific=person.honorific,
            role=person.role or speaker.role,
            description=person.description or speaker.description,
            known_by=NameMethod.GIVEN,
            confidence=1.0,
            evidence=sample_of(transcript, speaker.id, NameMethod.GIVEN, 1.0),
        )
        speakers = (*transcript.speakers[: number - 1], named, *transcript.speakers[number:])
        return replace(transcript, speakers=speakers)
    known = ", ".join(f"Speaker {n}" for n in range(1, len(transcript.speakers) + 1)) or "nobody"
    raise OptionError(f"--set {assignment!r}: the document has no {which.strip()!r}; it has {known}", field="set")


def _explain(named: Transcript) -> None:
    """One line for each speaker on standard error: the name and why, or what was too little for one."""
    from transcription.naming import unsettled_names

    unsettled = {each.speaker: each for each in unsettled_names(named)}
    for number, speaker in enumerate(named.speakers, start=1):
        if speaker.name is not None:
            because = speaker.evidence[0] if speaker.evidence else None
            said = f": {_said(because.quote, because.start)}" if because else ""
            method = speaker.known_by.value if speaker.known_by else "page"
            line = f"Speaker {number} is {speaker.name} ({method}{said})"
        elif speaker.id in unsettled:
            weak = unsettled[speaker.id]
            why = "something speaks against it" if weak.is_contradicted else "that alone is too little"
            line = f"Speaker {number} may be {weak.name} ({_said(weak.quote, weak.start)}), but {why}"
        else:
            line = f"Speaker {number}: nothing says who it is"
        print(_shown(line), file=sys.stderr)


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
            _said(first.quote, first.start) if first else "",
        )
        # Text, not markup: what people say may hold square brackets.
        table.add_row(*(Text(_shown(cell)) for cell in cells))
    console = Console()
    console.print(table) if console.is_terminal else Console(width=200).print(table)


def _shown(text: str) -> str:
    """The text without characters that would move a terminal's cursor or turn its letters around."""
    return "".join(character if character.isprintable() else " " for character in text)


def _said(quote: str, seconds: float | None) -> str:
    """The quote, and when it is said where the document has times."""
    if seconds is None:
        return f"“{quote}”"
    return f"“{quote}” [{int(seconds) // 3600:02}:{int(seconds) // 60 % 60:02}:{int(seconds) % 60:02}]"
