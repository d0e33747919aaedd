"""`stenocast serve` and the commands about jobs and episodes: submit, jobs, watch, retry, cancel, delete, events.

They act on the ledger and store of the settings, so they work whether or not a service runs at the moment.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from schemas.errors import NotFound
from schemas.job import Wording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.job import Job, JobState
    from transcription.ports import JobQueue

JobId = Annotated[str, typer.Argument(help="The job's id, or enough of its beginning to be the only one.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON for machines.")]


def serve(
    host: Annotated[str, typer.Option(help="Listen here.", show_default="127.0.0.1")] = "",
    port: Annotated[
        int | None, typer.Option(help="Listen on this port; 0 picks a free one.", show_default="8080")
    ] = None,
    inbox: Annotated[
        Path | None, typer.Option(help="A folder to watch: files dropped there are transcribed.")
    ] = None,
    models: Annotated[str, typer.Option(help="The model set of jobs that name none.", show_default="starter")] = "",
) -> None:
    """Run everything in one command: API and page, worker, publisher, and a watched folder if you name one."""
    from dataclasses import replace

    from adapters.settings import read_settings
    from cli.embedded import serve_embedded

    settings = read_settings()
    settings = replace(
        settings,
        host=host or settings.host,
        port=settings.port if port is None else port,
        inbox=inbox or settings.inbox,
        models=models or settings.models,
    )
    serve_embedded(settings)


def submit(
    audio: Annotated[str, typer.Argument(help="The recording: a file, or its link (https://…).")],
    models: Annotated[str, typer.Option(help="A model set, a hub name or a folder.")] = "",
    title: Annotated[str, typer.Option(help="The episode's title.")] = "",
    show: Annotated[str, typer.Option(help="The show it belongs to.")] = "",
    language: Annotated[str, typer.Option(help="Language spoken, such as en.")] = "",
    one_language: Annotated[
        bool, typer.Option("--one-language", help="Write a stretch in another language as if it were in this one.")
    ] = False,
    participant: Annotated[
        list[str] | None, typer.Option(help='Somebody who speaks: "Ada Quill, host". May be given several times.')
    ] = None,
    metadata: Annotated[Path | None, typer.Option(help="A metadata file; else AUDIO's name with .json.")] = None,
    speakers: Annotated[int | None, typer.Option(help="Exactly this many voices.")] = None,
    wording: Annotated[Wording | None, typer.Option(help="How much of what was said stands in the text.")] = None,
    glossary: Annotated[Path | None, typer.Option(help="A glossary (TOML), instead of the show's own.")] = None,
    priority: Annotated[int | None, typer.Option(help="Higher goes first, -100 to 100.")] = None,
    idempotency_key: Annotated[str, typer.Option(help="A repeat with the same key is the same job.")] = "",
    as_json: AsJson = False,
) -> None:
    """Queue a recording for the workers; prints the job's id. A link is downloaded by the worker that has the job."""
    import uuid
    from dataclasses import replace

    from adapters.acceptance import accept, accept_link
    from adapters.glossaries import glossary_file, show_glossary
    from adapters.settings import read_settings
    from adapters.wiring import check_models, checked_link, open_ledger, open_store
    from cli.transcribe import beside, episode_of
    from schemas.wire import write_json
    from transcription.links import is_address

    settings = read_settings()
    url = checked_link(settings, audio) if is_address(audio) else None
    if url is None and not Path(audio).is_file():
        raise NotFound(f"{audio}: no such file", code="file_not_found", field="audio")
    source = url or Path(audio)
    sidecar = beside(source, metadata, no_metadata=False)
    episode = episode_of(source, sidecar, title=title, show=show, participants=participant or [])
    terms = glossary_file(glossary) if glossary else show_glossary(settings.glossaries, episode.show)
    asked = sidecar.options(settings.models, glossary=terms)
    options = replace(
        asked,
        models=models or asked.models,
        language=language or None,
        speakers=speakers if speakers is not None else asked.speakers,
        wording=wording or asked.wording,
        glossary=terms if glossary else asked.glossary,
        follow_language=asked.follow_language and not one_language,
    )
    check_models(settings, options.models, options.language or episode.language)
    shared: dict[str, Any] = {
        "queue": open_ledger(settings),
        "episode": episode,
        "options": options,
        "new_id": lambda: str(uuid.uuid4()),
        "idempotency_key": idempotency_key or None,
        "priority": sidecar.priority if priority is None else priority,
    }
    if url is not None:
        job, is_new = accept_link(url=url, **shared)
    else:
        job, is_new = accept(
            store=open_store(settings),
            source=Path(audio),
            file_name=Path(audio).name,
            max_bytes=settings.max_upload_bytes,
            **shared,
        )
    if not is_new:
        print("this recording with these options is known already", file=sys.stderr)
    print(write_json(job).decode() if as_json else job.id)


def jobs(
    job_id: Annotated[str, typer.Argument(help="Show one job instead of the list.")] = "",
    state: Annotated[str, typer.Option(help="Only queued, running, done, failed or cancelled jobs.")] = "",
    limit: Annotated[int, typer.Option(help="How many, newest first.", min=1, max=500)] = 20,
    as_json: AsJson = False,
) -> None:
    """List the jobs, newest first, or show one."""
    from adapters.settings import read_settings
    from adapters.wiring import open_ledger
    from schemas.wire import to_record

    ledger = open_ledger(read_settings())
    if job_id:
        found = [ledger.job(full_id(ledger, job_id))]
    else:
        found = list(ledger.jobs(state=_state(state) if state else None, limit=limit))
    if as_json:
        records = [to_record(each) for each in found]
        print(json.dumps(records[0] if job_id else records, ensure_ascii=False))
        return
    _show_jobs(found, {job.id: _title(ledger, job) for job in found})
    if job_id and (error := found[0].error):
        print(f"{error.message} [{error.code}]", file=sys.stderr)


def watch(job_id: JobId) -> None:
    """Follow a job until it ends; exit status 0 when it is done."""
    from adapters.settings import read_settings
    from adapters.wiring import open_ledger
    from cli.progress import shown_progress
    from schemas.job import JobState

    ledger = open_ledger(read_settings())
    job = ledger.job(full_id(ledger, job_id))
    with shown_progress(job.title or job.id, quiet=job.state.is_final, at_first=job.state.value) as tell:
        while not job.state.is_final:
            if job.progress is not None:
                tell(job.progress)
            time.sleep(0.5)
            job = ledger.job(job.id)
    print(f"{job.id} {job.state}" + (f": {job.error.message} [{job.error.code}]" if job.error else ""))
    if job.state is not JobState.DONE:
        raise typer.Exit(1)


def retry(job_id: JobId, as_json: AsJson = False) -> None:
    """Queue a failed job again; its attempts start at zero."""
    from adapters.settings import read_settings
    from adapters.wiring import open_ledger

    ledger = open_ledger(read_settings())
    _say(ledger.retry(full_id(ledger, job_id)), as_json)


def cancel(job_id: JobId, as_json: AsJson = False) -> None:
    """Stop a queued or running job."""
    from adapters.settings import read_settings
    from adapters.wiring import open_ledger

    ledger = open_ledger(read_settings())
    _say(ledger.cancel(full_id(ledger, job_id)), as_json)


def delete(
    episode_id: Annotated[
        str, typer.Argument(help="The episode's id, or a job of it: its id, or enough of its beginning.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete an episode for good: its recording, transcripts, everything made of them, and its words in the ledger.

    A recording that a producer dropped into a bucket stays there, and is not taken in again.
    """
    from adapters.erasure import erase
    from adapters.settings import read_settings
    from adapters.wiring import open_ledger, open_store
    from schemas.errors import StenocastError
    from schemas.wire import write_json

    settings = read_settings()
    ledger, store = open_ledger(settings), open_store(settings)
    episode_id = episode_id_of(ledger, episode_id)
    if not yes:
        typer.confirm(f"{_called(ledger, episode_id)}: delete it for good?", abort=True, err=True)
    deletion = ledger.delete(episode_id, by="cli")
    print(write_json(deletion).decode() if as_json else f"{episode_id} deleted")
    try:
        removed = erase(ledger, store, deletion)
    except StenocastError as error:
        print(
            f"its objects are still in the store: {error.message} [{error.code}];"
            " the reconciler removes them, or this command again",
            file=sys.stderr,
        )
        raise typer.Exit(1) from error
    print(f"{len(deletion.job_ids)} jobs forgotten, {removed} objects removed from the store", file=sys.stderr)


def events(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Wait for more; stop with Ctrl-C.")] = False,
    after: Annotated[int, typer.Option(help="Skip this many events.", min=0)] = 0,
) -> None:
    """Print the published events, one CloudEvent (JSON) a line, oldest first."""
    from itertools import islice

    from adapters.settings import read_settings
    from adapters.wiring import published_events
    from schemas.cloudevents import write_event

    for event in islice(published_events(read_settings(), follow=follow), after, None):
        print(write_event(event).decode(), flush=True)


def full_id(queue: JobQueue, beginning: str) -> str:
    """The one job id that begins like this, among the newest 500. Raises NotFound where none or several do."""
    if len(beginning) >= 36:
        return beginning
    found = [job.id for job in queue.jobs(limit=500) if job.id.startswith(beginning)]
    if len(found) != 1:
        raise NotFound(f"{beginning}: {'no job begins' if not found else f'{len(found)} jobs begin'} like this")
    return found[0]


def episode_id_of(queue: JobQueue, text: str) -> str:
    """The episode of this id, or of the job that is called so."""
    try:
        queue.deletion(text)
    except NotFound:
        try:
            queue.episode(text)
        except NotFound:
            return queue.job(full_id(queue, text)).episode_id
    return text


def _called(queue: JobQueue, episode_id: str) -> str:
    """How a person knows the episode."""
    try:
        episode = queue.episode(episode_id)
    except NotFound:
        return episode_id  # deleted, and not yet out of the store perhaps
    name = episode.title or episode.audio.file_name or "an episode without a title"
    shown = f"{name}, {episode.show}" if episode.show else name
    return f"{''.join(each if each.isprintable() else ' ' for each in shown)} ({episode_id})"


def _state(text: str) -> JobState:
    from schemas.errors import OptionError
    from schemas.job import JobState

    try:
        return JobState(text)
    except ValueError as error:
        known = ", ".join(JobState)
        raise OptionError(f"state={text!r}: use one of {known}", field="state") from error


def _say(job: Job, as_json: bool) -> None:
    from schemas.wire import write_json

    print(write_json(job).decode() if as_json else f"{job.id} {job.state}")


def _title(queue: JobQueue, job: Job) -> str:
    """The title on one line; until one is known, what the recording is called."""
    title = job.title
    if not title:
        try:
            title = queue.episode(job.episode_id).audio.file_name
        except NotFound:  # deleted meanwhile
            title = None
    return " ".join((title or "").split())


def _show_jobs(found: list[Job], titles: Mapping[str, str]) -> None:
    if not found:
        print("no jobs", file=sys.stderr)
        return
    if not sys.stdout.isatty():
        for job in found:
            print("\t".join((job.id, job.state, job.created, titles[job.id], job.error.code if job.error else "")))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("job", "state", "created", "title", ""):
        table.add_column(heading, overflow="fold")
    colour = {"done": "green", "failed": "red", "running": "cyan", "queued": "yellow", "cancelled": "dim"}
    for job in found:
        state = f"[{colour[job.state]}]{job.state}[/]"
        table.add_row(
            job.id[:8], state, job.created[:16].replace("T", " "), escape(titles[job.id]), escape(_note(job))
        )
    Console().print(table)


def _note(job: Job) -> str:
    from cli.progress import doing

    if job.error is not None:
        return f"{job.error.message} ({job.error.code})"
    if job.progress is not None and job.state == "running":
        percent = f" {job.progress.fraction:.0%}" if job.progress.fraction is not None else ""
        return f"{doing(job.progress)}{percent}"
    return ""
