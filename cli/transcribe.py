"""`stenocast transcribe`: an audio file in, a transcript out, on this machine and without a service."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import write_file
from schemas.errors import InputError, NotFound, OptionError, PageError
from schemas.job import Backchannels, Wording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.settings import Settings
    from formats.house_style import HouseStyle
    from schemas.episode import Episode
    from schemas.job import JobOptions
    from schemas.sidecar import Sidecar
    from schemas.transcript import Transcript

#: Printed where nobody asked for a style or a format.
DEFAULT_STYLE = "name-line"


def transcribe(
    audio: Annotated[
        str,
        typer.Argument(
            help="The recording: MP3, M4A, Ogg, Opus, FLAC, WAV, WebM, AIFF or a video; a file, or its link (https://…)."
        ),
    ],
    models: Annotated[
        str, typer.Option(help="A model set (see `stenocast models list`), a hub name or a folder.")
    ] = "",
    title: Annotated[str, typer.Option(help="The episode's title.")] = "",
    show: Annotated[str, typer.Option(help="The show it belongs to.")] = "",
    language: Annotated[str, typer.Option(help="Language spoken, such as en; found out if not given.")] = "",
    one_language: Annotated[
        bool, typer.Option("--one-language", help="Write a stretch in another language as if it were in this one.")
    ] = False,
    participant: Annotated[
        list[str] | None,
        typer.Option(help='Somebody who speaks: "Ada Quill, host". May be given several times.'),
    ] = None,
    vocabulary: Annotated[list[str] | None, typer.Option(help="A word or name to expect. May be repeated.")] = None,
    metadata: Annotated[
        Path | None,
        typer.Option(help="A metadata file; without it, AUDIO's name with .json is read when it is there."),
    ] = None,
    no_metadata: Annotated[bool, typer.Option("--no-metadata", help="Read no metadata file.")] = False,
    speakers: Annotated[int | None, typer.Option(help="Exactly this many voices.")] = None,
    min_speakers: Annotated[int | None, typer.Option(help="At least this many voices.")] = None,
    max_speakers: Annotated[int | None, typer.Option(help="At most this many voices.")] = None,
    no_diarize: Annotated[bool, typer.Option("--no-diarize", help="Words only: do not tell voices apart.")] = False,
    wording: Annotated[
        Wording | None,
        typer.Option(help="verbatim keeps um, uh and stutters; tidy leaves out false starts and fillers too."),
    ] = None,
    verbatim: Annotated[bool, typer.Option("--verbatim", help="The same as --wording verbatim.")] = False,
    backchannels: Annotated[
        Backchannels | None, typer.Option(help='fold leaves a listener\'s "mm-hm" out of the text.')
    ] = None,
    glossary: Annotated[
        Path | None, typer.Option(help="A glossary (TOML); without it the show's own, see STENOCAST_GLOSSARIES.")
    ] = None,
    style: Annotated[
        list[str] | None,
        typer.Option(help="A house style (see `stenocast styles`) or a .toml file. May be repeated."),
    ] = None,
    format: Annotated[
        list[str] | None, typer.Option(help="html, docx, vtt, … (`stenocast styles` lists them). May be repeated.")
    ] = None,
    output: Annotated[
        str, typer.Option("--output", "-o", help="A folder for the files, or - for standard output.")
    ] = "-",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Do the work again even where an earlier run left its results.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Transcribe a recording: who said what and when, by name, in readable paragraphs.

    Prints the transcript in the house style `name-line`, or in the styles and formats asked for; with
    --output DIR it writes one file for each, and always the document (JSON) beside them.
    """
    from dataclasses import replace

    from adapters.glossaries import glossary_file, show_glossary
    from adapters.settings import read_settings
    from adapters.wiring import check_models, checked_link
    from cli.pages import check_terminal
    from cli.summary import summary
    from formats.catalogue import check_names
    from formats.house_style import style_named
    from transcription.links import is_address

    settings = read_settings()
    source = checked_link(settings, audio) if is_address(audio) else _local_file(Path(audio))
    check_names(formats=format or [])
    check_terminal(format or [], output)
    asked = [_tried(each) for each in style or []]
    sidecar = beside(source, metadata, no_metadata=no_metadata)
    episode = episode_of(source, sidecar, title=title, show=show, participants=participant or [])
    terms = glossary_file(glossary) if glossary else show_glossary(settings.glossaries, episode.show)
    asked_options = sidecar.options(models or settings.models, glossary=terms)
    options = replace(
        asked_options,
        models=models or asked_options.models,
        language=language or None,
        speakers=speakers if speakers is not None else asked_options.speakers,
        min_speakers=min_speakers,
        max_speakers=max_speakers,
        vocabulary=(*asked_options.vocabulary, *(vocabulary or [])),
        wording=_wording(wording, verbatim=verbatim) or asked_options.wording,
        follow_language=asked_options.follow_language and not one_language,
        diarize=not no_diarize,
        backchannels=backchannels or asked_options.backchannels,
        glossary=terms if glossary else asked_options.glossary,
    )
    check_models(settings, options.models, options.language or episode.language)
    check_names(styles=[episode.style] if episode.style else [])
    if isinstance(source, Path):
        _check_container(source, source.name)
    if output != "-":
        _make_output(Path(output))
    began = time.monotonic()
    how: dict[str, Any] = {"settings": settings, "fresh": fresh, "quiet": quiet}
    if isinstance(source, Path):
        document, stem = transcribe_file(source, episode, options, **how), _as_text(source.stem)
    else:
        document, stem = _transcribe_link(source, episode, options, **how)
    for warning in document.quality.warnings:
        print(f"warning: {warning.message} [{warning.code}]", file=sys.stderr)
    if not asked and not format:
        asked = [style_named(sidecar.style or DEFAULT_STYLE)]
    files = write_documents(document, styles=asked, formats=list(format or []), output=output, stem=stem)
    if files and not quiet:
        for line in summary(document, seconds=time.monotonic() - began, path=files[0]):
            print(line, file=sys.stderr)


def _tried(value: str) -> HouseStyle:
    """The style, once it has written the sample: a template that cannot be filled in shows before the work."""
    from cli.pages import style_of
    from formats.catalogue import render
    from formats.sample import SAMPLE

    style = style_of(value)
    try:
        render(SAMPLE, style=style)
    except PageError as error:
        raise PageError(f"{value}: {error.message}", code=error.code) from error
    return style


def _local_file(audio: Path) -> Path:
    if audio.is_dir():
        raise NotFound(f"{audio}: is a folder; name a recording", code="file_not_found", field="audio")
    if not audio.is_file():
        raise NotFound(f"{audio}: no such file", code="file_not_found", field="audio")
    return audio


def _transcribe_link(
    url: str, episode: Episode, options: JobOptions, *, settings: Settings, fresh: bool, quiet: bool
) -> tuple[Transcript, str]:
    """Download the recording, with progress, then as `transcribe_file`; and what to call files about it."""
    import tempfile
    from dataclasses import replace

    from adapters.wiring import open_links
    from cli.progress import shown_progress
    from schemas.job import Progress, Stage
    from transcription.links import file_stem, link_name

    settings.scratch_folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.scratch_folder, prefix="transcribe-") as folder:
        audio = Path(folder) / "audio"
        with shown_progress(link_name(url), quiet=quiet, at_first="asking its server") as tell:
            said = open_links(settings).fetch(
                url,
                audio,
                report=lambda done, total: tell(Progress(Stage.FETCH, bytes_done=done, bytes_total=total)),
            )
        name = said or link_name(url)
        _check_container(audio, name)
        episode = replace(episode, audio=replace(episode.audio, file_name=name))
        document = transcribe_file(audio, episode, options, settings=settings, fresh=fresh, quiet=quiet, called=name)
        return document, file_stem(name)


def _wording(wording: Wording | None, *, verbatim: bool) -> Wording | None:
    if verbatim and wording not in (None, Wording.VERBATIM):
        raise OptionError(f"--verbatim and --wording {wording} exclude each other", field="wording")
    return Wording.VERBATIM if verbatim else wording


def transcribe_file(
    audio: Path,
    episode: Episode,
    options: JobOptions,
    *,
    settings: Settings,
    fresh: bool = False,
    quiet: bool = False,
    called: str = "",
) -> Transcript:
    """Run the pipeline in this process, with progress on standard error, where the file is `called` so."""
    import tempfile

    from adapters.wiring import build_pipeline
    from cli.progress import shown_progress
    from transcription.described import check_described
    from transcription.options import check_options

    check_described(episode)
    check_options(options)
    settings.scratch_folder.mkdir(parents=True, exist_ok=True)
    with (
        _tidy_when_told_to_end(),
        tempfile.TemporaryDirectory(dir=settings.scratch_folder, prefix="transcribe-") as scratch,
        shown_progress(called or audio.name, quiet=quiet) as tell,
    ):
        pipeline = build_pipeline(settings, options.models, fresh=fresh)
        return pipeline.run(audio, episode, options, scratch=Path(scratch), tell=tell)


@contextmanager
def _tidy_when_told_to_end() -> Iterator[None]:
    """Let SIGTERM, and SIGHUP of a terminal that is closed, end the work as Ctrl-C does: with the scratch removed.

    Who ignores them, as `nohup` does, goes on ignoring them.
    """
    import signal
    import threading

    signals = (signal.SIGTERM, signal.SIGHUP) if threading.current_thread() is threading.main_thread() else ()
    changed = [each for each in signals if signal.getsignal(each) is signal.SIG_DFL]
    for each in changed:
        signal.signal(each, lambda number, _frame: sys.exit(128 + number))
    try:
        yield
    finally:
        for each in changed:
            signal.signal(each, signal.SIG_DFL)


def write_documents(
    document: Transcript, *, styles: Sequence[HouseStyle | str], formats: Sequence[str], output: str, stem: str
) -> list[Path]:
    """Write the transcript in every style and format asked for, to a folder with the document first.

    Returns the files, none for standard output.
    """
    from formats.catalogue import FORMATS, render, suffix

    wanted: list[tuple[str | None, HouseStyle | str | None]] = [(None, each) for each in styles]
    wanted += [(each, None) for each in formats]
    if output == "-":
        for number, (kind, style) in enumerate(wanted):
            if len(wanted) > 1:
                name = getattr(style, "name", style) or kind
                print(f"{'' if number == 0 else chr(10)}--- {name} ---", file=sys.stderr, flush=True)
            content = render(document, format=kind, style=style)
            is_page = not (kind and FORMATS[kind].is_binary) and not content.endswith(b"\n")
            sys.stdout.buffer.write(content + b"\n" if is_page else content)
            sys.stdout.buffer.flush()
        return []
    folder = Path(output)
    # The document first: whatever a style does, it is not lost.
    wanted = [("json", None), *(each for each in wanted if each != ("json", None))]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{output}: cannot be written: {error.strerror}", code="output_unwritable") from error
    written = []
    for kind, style in wanted:
        path = folder / (stem + suffix(format=kind, style=style))
        write_file(path, render(document, format=kind, style=style, stem=stem))
        written.append(path)
        print(f"wrote {path}", file=sys.stderr)
    return written


def _as_text(file_name: str) -> str:
    """A file's name as a document can hold it: a name on a disk need not be UTF-8."""
    return os.fsencode(file_name).decode("utf-8", "replace")


def _make_output(folder: Path) -> None:
    """Find out before the work, not after it, that the files cannot be written."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: a file; --output names a folder for the files", code="output_unwritable")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be written: {error.strerror}", code="output_unwritable") from error
    if not os.access(folder, os.W_OK):
        raise InputError(f"{folder}: cannot be written", code="output_unwritable")


def _check_container(audio: Path, name: str) -> None:
    """Find out before the models are loaded, which takes many seconds, that this is no recording."""
    from adapters.sniff import HEAD_BYTES, require_container

    try:
        with audio.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    except OSError as error:
        raise InputError(f"{audio}: cannot be opened: {error.strerror}", code="file_unreadable") from error
    require_container(head, name)


def beside(audio: Path | str, metadata: Path | None, *, no_metadata: bool) -> Sidecar:
    """The metadata file that was named, or the one beside the recording, or an empty one; a link has none beside."""
    from schemas.sidecar import Sidecar, read_sidecar

    if metadata is not None and no_metadata:
        raise OptionError("--metadata and --no-metadata exclude each other", field="metadata")
    path = metadata
    if path is None and isinstance(audio, Path) and not no_metadata:
        neighbour = audio.with_suffix(".json")
        path = neighbour if neighbour.is_file() and neighbour != audio else None
    if path is None:
        return Sidecar()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise NotFound(
            f"{path}: cannot be read: {error.strerror}", code="file_not_found", field="metadata"
        ) from error
    return read_sidecar(content, name=str(path))


def episode_of(audio: Path | str, sidecar: Sidecar, *, title: str, show: str, participants: list[str]) -> Episode:
    """The episode that a local file or a link is: what was said on the command line, then what its metadata says."""
    import uuid

    from schemas.episode import AudioInfo, Episode
    from transcription.links import link_name
    from transcription.participants import parse_participant

    if isinstance(audio, Path):
        address, name = audio.resolve().as_uri(), _as_text(audio.name)
    else:
        address, name = audio, link_name(audio)
    episode = Episode(
        id=str(uuid.uuid5(uuid.NAMESPACE_URL, address)),
        title=title or None,
        show=show or None,
        participants=tuple(parse_participant(each) for each in participants),
        audio=AudioInfo(file_name=name),
    )
    return sidecar.describe(episode)
