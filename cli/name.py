"""`stenocast name`: who the speakers of a document are, by what is said in it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import write_file
from schemas.errors import NotFound, OptionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.names_by_hand import NameByHand
    from schemas.transcript import Speaker, Transcript


def name(
    document: Annotated[
        Path | None, typer.Argument(help="A transcript document (JSON), from `transcribe` or `read`.")
    ] = None,
    episode: Annotated[
        str,
        typer.Option(help="Instead of a document: an episode of the service, by its id or by a job of it."),
    ] = "",
    participant: Annotated[
        list[str] | None,
        typer.Option(help='Somebody who speaks: "Ada Quill, host". May be given several times.'),
    ] = None,
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help='A name by hand: "Speaker 2=Ada Quill", or "Ada Quil=Ada Quill" for one that is printed wrong;'
            ' "Speaker 2=" if nobody knows. May be given several times.',
        ),
    ] = None,
    taken_back: Annotated[
        list[str] | None,
        typer.Option("--unset", help='Take back what was given by hand: "Speaker 2". May be given several times.'),
    ] = None,
    afresh: Annotated[
        bool, typer.Option("--afresh", help="Forget the names it has, those of a page's labels too.")
    ] = False,
    revision: Annotated[
        int | None,
        typer.Option(help="With --episode: only if this revision is still the current one.", min=1),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the speakers as JSON.")] = False,
    output: Annotated[
        str, typer.Option("--output", "-o", help="Write the named document to a file, or to - instead of the table.")
    ] = "",
) -> None:
    """Name the speakers of a document by evidence, and show the evidence.

    Names given by hand or printed on an imported page stay, unless --afresh is given. Participants take the place
    of those that the document lists. Why each name is believed, and why a speaker has none, goes to standard error.

    With --episode it shows the names of the service's current transcript as they are, and --set and --unset make a
    new revision of it, whether or not a service runs at the moment.
    """
    from schemas.wire import write_json

    if output == "-" and as_json:
        raise OptionError("--json and --output - both write to standard output; choose one", field="output")
    if (document is None) == (episode == ""):
        raise OptionError("name a document, or an episode of the service with --episode", field="episode")
    if episode:
        if participant or afresh:
            raise OptionError("--participant and --afresh are for documents, not for --episode", field="episode")
        named = _of_the_service(episode, given or [], taken_back or [], revision)
    else:
        assert document is not None
        if revision is not None:
            raise OptionError("--revision is for --episode", field="revision")
        named = _name(_read(document), participant or [], given or [], taken_back or [], afresh=afresh)
    _explain(named)
    if output == "-":
        sys.stdout.buffer.write(write_json(named, indent=1) + b"\n")
        return
    if output:
        write_file(Path(output), write_json(named, indent=1))
        print(f"wrote {output}", file=sys.stderr)
    if as_json:
        _print_json(named.speakers)
    else:
        _print_table(named.speakers)


def _of_the_service(episode: str, by_hand: list[str], taken_back: list[str], revision: int | None) -> Transcript:
    """The current transcript of an episode, after what is said of its speakers. Raises as `revise_names`."""
    import uuid

    from adapters.revising import current_transcript, revise_names
    from adapters.settings import read_settings
    from adapters.wiring import open_ledger, open_store
    from cli.service import episode_id_of
    from transcription.jobs import outdated

    settings = read_settings()
    ledger, store = open_ledger(settings), open_store(settings)
    episode_id = episode_id_of(ledger, episode)
    job, transcript = current_transcript(ledger, store, episode_id)
    said = said_of(transcript.speakers, by_hand, taken_back)
    if not said:
        if revision not in (None, job.revision):
            raise outdated(episode_id, seen=revision or 0, current=job.revision or 0)
        print(f"{episode_id}: revision {job.revision}", file=sys.stderr)
        return transcript
    seen = revision or job.revision or 0
    revised = revise_names(ledger, store, episode_id, said, seen=seen, new_id=lambda: str(uuid.uuid4()))
    was = "" if revised.is_new else ", which has these names already"
    print(f"{episode_id}: revision {revised.job.revision}{was}", file=sys.stderr)
    return revised.document


def _read(document: Path) -> Transcript:
    from cli.pages import document_of

    if not document.is_file():
        what = "is a folder, not a document" if document.is_dir() else "no such file"
        raise NotFound(f"{document}: {what}", code="file_not_found", field="document")
    return document_of(document.read_bytes(), name=str(document))


def _name(
    transcript: Transcript, participants: list[str], by_hand: list[str], taken_back: list[str], *, afresh: bool
) -> Transcript:
    from dataclasses import replace

    from transcription.names_by_hand import named_by_hand, with_names_anew
    from transcription.participants import parse_participant

    if participants:
        given = tuple(parse_participant(each) for each in participants)
        transcript = replace(transcript, episode=replace(transcript.episode, participants=given))
    if afresh:
        nameless = tuple(replace(each, name=None, known_by=None) for each in transcript.speakers)
        transcript = replace(transcript, speakers=nameless)
    said = said_of(transcript.speakers, by_hand, taken_back)
    return named_by_hand(transcript, said) if said else with_names_anew(transcript)


def said_of(
    speakers: Sequence[Speaker], assignments: Sequence[str], taken_back: Sequence[str]
) -> dict[str, NameByHand | None]:
    """What is said of whom, by speaker id: "Speaker 2=Dr Ada Quill, guest", and who is named by evidence again.

    A speaker is called by number, id, voice or the name that is printed now, a person as a participant is; nothing
    behind the sign says that nobody knows who it is. Raises OptionError (field `set` or `unset`).
    """
    from schemas.names_by_hand import NameByHand
    from transcription.names_by_hand import checked_name

    said: dict[str, NameByHand | None] = {}
    for assignment in assignments:
        which, separator, text = assignment.partition("=")
        if not separator:
            raise OptionError(f'--set {assignment!r}: write "Speaker 2=Ada Quill"', field="set")
        speaker = _speaker_called(speakers, which, option=f"--set {assignment!r}", field="set")
        if speaker in said:
            raise OptionError(f"--set {assignment!r}: {which.strip()} is named twice", field="set")
        said[speaker] = checked_name(text, field="set") if text.strip() else NameByHand(None)
    for which in taken_back:
        speaker = _speaker_called(speakers, which, option=f"--unset {which!r}", field="unset")
        if speaker in said:
            raise OptionError(f"--unset {which!r}: {which.strip()} is named with --set", field="unset")
        said[speaker] = None
    return said


def _speaker_called(speakers: Sequence[Speaker], which: str, *, option: str, field: str) -> str:
    """The id of the speaker with this number, id or voice, or else with this name."""
    wanted = " ".join(which.split()).casefold()
    for number, speaker in enumerate(speakers, start=1):
        if wanted in {f"speaker {number}", speaker.id.casefold(), (speaker.voice or "").casefold()} - {""}:
            return speaker.id
    named = [each for each in speakers if wanted and wanted == (each.name or "").casefold()]
    if len(named) == 1:
        return named[0].id
    known = ", ".join(_how_called(number, each) for number, each in enumerate(speakers, start=1)) or "nobody"
    raise OptionError(f"{option}: the document has no {which.strip()!r}; it has {known}", field=field)


def _how_called(number: int, speaker: Speaker) -> str:
    return f"Speaker {number}" + (f" ({speaker.name})" if speaker.name else "")


def _explain(named: Transcript) -> None:
    """One line for each speaker on standard error: the name and why, or what was too little for one."""
    from transcription.names_by_hand import is_nobody
    from transcription.naming import unsettled_names

    unsettled = {each.speaker: each for each in unsettled_names(named)}
    for number, speaker in enumerate(named.speakers, start=1):
        if speaker.name is not None:
            because = speaker.evidence[0] if speaker.evidence else None
            said = f": {_said(because.quote, because.start)}" if because else ""
            method = speaker.known_by.value if speaker.known_by else "page"
            line = f"Speaker {number} is {speaker.name} ({method}{said})"
        elif is_nobody(speaker):
            line = f"Speaker {number} stays without a name (given by hand)"
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
