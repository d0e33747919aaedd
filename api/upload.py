"""`POST /v1/episodes` as a form: an upload, streamed to disk and taken in, or the link of a recording."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from fastapi import Request
from python_multipart.exceptions import FormParserError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser

from adapters.acceptance import accept, accept_link
from adapters.glossaries import no_glossary
from adapters.spool import spooled
from adapters.tracing import process_tracing
from schemas.episode import Episode
from schemas.errors import AudioError, InputError, NotReady, OptionError
from schemas.job import Backchannels, Job, JobOptions, Term, Wording
from schemas.sidecar import Sidecar, read_sidecar
from transcription.glossary import read_glossary
from transcription.links import shown_name
from transcription.participants import parse_participant
from transcription.ports import JobQueue, Store

T = TypeVar("T")

#: Form fields besides the file are short: at most this many, together no larger than LARGEST_FIELD_BYTES.
MOST_FIELDS = 700
LARGEST_FIELD_BYTES = 1_000_000

#: Fields whose content is, or may be, a file.
NO_TEXT = ("audio", "metadata")

#: An Idempotency-Key longer than this is a mistake.
LONGEST_IDEMPOTENCY_KEY = 255


@dataclass(frozen=True, slots=True)
class Intake:
    """What an upload needs: where jobs and files go, and the limits."""

    queue: JobQueue
    store: Store
    scratch: Path  #: uploads are spooled here while they stream in
    max_bytes: int
    default_models: str
    new_id: Callable[[], str]
    check_models: Callable[
        [str, str | None], None
    ]  #: raises for a set that may not be named, or not with this language
    checked_link: Callable[[str], str]  #: the URL as it is asked for; raises for one that may not be
    glossary_of: Callable[[str | None], tuple[Term, ...]] = no_glossary  #: the one kept for a show
    reached: Callable[[str], None] = lambda _place: None  #: where a test lets the process die


async def take_upload(request: Request, intake: Intake, idempotency_key: str | None) -> tuple[Job, bool]:
    """Read the form, keep the file, add the job; in the caller's trace where there is one.

    Raises the errors of `accept`, and OptionError for a bad field.
    """
    form = await _read_form(request, intake)
    try:
        audio, url = form.get("audio"), form.get("url")
        if audio is None and isinstance(url, str):
            audio = url
        elif url is not None:
            raise OptionError("url: a file or a link, not both", code="invalid_request", field="url")
        elif not isinstance(audio, UploadFile):
            raise OptionError(
                "audio: the form has no file in this field, and no link in url", code="invalid_request", field="audio"
            )
        sidecar = await _metadata(form)
        if len(form.getlist("audio")) > 1:
            raise OptionError("audio: one recording a request", code="invalid_request", field="audio")
        for name in form:
            if name not in NO_TEXT and any(isinstance(each, UploadFile) for each in form.getlist(name)):
                raise OptionError(f"{name}: a file is not expected here", code="invalid_request", field=name)
        fields = {name: form.getlist(name) for name in form if name not in (*NO_TEXT, "url")}
        parent = request.headers.get("traceparent")
        if isinstance(audio, str):
            return await run_in_threadpool(_take_link, audio, sidecar, fields, intake, idempotency_key, parent)
        return await run_in_threadpool(_take_in, audio, sidecar, fields, intake, idempotency_key, parent)
    finally:
        await form.close()


def check_idempotency_key(key: str | None) -> None:
    if key is not None and not 1 <= len(key) <= LONGEST_IDEMPOTENCY_KEY:
        raise OptionError(
            f"Idempotency-Key: {len(key)} characters; use 1 to {LONGEST_IDEMPOTENCY_KEY}",
            field="Idempotency-Key",
        )


class _Form(MultiPartParser):
    """Starlette's parser with one budget for all the fields together: they are kept in memory."""

    _field_bytes = 0

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._current_part.file is None:
            self._field_bytes += end - start
            if self._field_bytes > LARGEST_FIELD_BYTES:
                raise MultiPartException(f"the fields together are over {LARGEST_FIELD_BYTES} bytes")
        super().on_part_data(data, start, end)


async def _read_form(request: Request, intake: Intake) -> FormData:
    """Stream the body to disk, counted: a body larger than the limit is refused while it comes in."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise HTTPException(415, "send multipart/form-data with the file in the field audio, or JSON with a url")
    most = intake.max_bytes + 2 * LARGEST_FIELD_BYTES

    async def counted() -> Any:
        received = 0
        async for chunk in request.stream():
            received += len(chunk)
            if received > most:
                raise AudioError(f"the upload is over the limit of {intake.max_bytes} bytes", code="audio_too_large")
            yield chunk

    try:
        # Two files: the recording and, as `curl -F metadata=@FILE` sends it, its metadata.
        return await _Form(
            request.headers, counted(), max_files=2, max_fields=MOST_FIELDS, max_part_size=LARGEST_FIELD_BYTES
        ).parse()
    except (MultiPartException, FormParserError, KeyError, ValueError) as error:
        detail = getattr(error, "message", None) or "no multipart boundary"
        raise InputError(f"the form cannot be read: {detail}", code="invalid_form") from error
    except OSError as error:
        raise _storage_error(error) from error


async def _metadata(form: FormData) -> Sidecar:
    value = form.get("metadata")
    if value is None:
        return Sidecar()
    content = await value.read(LARGEST_FIELD_BYTES + 1) if isinstance(value, UploadFile) else value.encode()
    return read_sidecar(content, name="metadata")


def _take_in(
    audio: UploadFile,
    sidecar: Sidecar,
    fields: Mapping[str, Any],
    intake: Intake,
    idempotency_key: str | None,
    parent: str | None,
) -> tuple[Job, bool]:
    episode, options, priority = requested(
        sidecar, fields, default_models=intake.default_models, new_id=intake.new_id
    )
    if not options.glossary:
        options = replace(options, glossary=intake.glossary_of(episode.show))
    intake.check_models(options.models, options.language or episode.language)
    with (
        process_tracing().begin("accept", parent=parent, attributes={"episode_id": episode.id}) as span,
        _on_disk(audio, intake.scratch) as source,
    ):
        taken = accept(
            queue=intake.queue,
            store=intake.store,
            source=source,
            file_name=shown_name(audio.filename),
            episode=episode,
            options=options,
            max_bytes=intake.max_bytes,
            new_id=intake.new_id,
            idempotency_key=idempotency_key,
            priority=priority,
            is_id_given="episode_id" in fields,
            traceparent=span.traceparent,
            reached=intake.reached,
        )
        intake.reached("after_commit")
        return taken


def _take_link(
    url: str,
    sidecar: Sidecar,
    fields: Mapping[str, Any],
    intake: Intake,
    idempotency_key: str | None,
    parent: str | None,
) -> tuple[Job, bool]:
    episode, options, priority = requested(
        sidecar, fields, default_models=intake.default_models, new_id=intake.new_id
    )
    return add_link(
        url,
        episode,
        options,
        intake=intake,
        idempotency_key=idempotency_key,
        priority=priority,
        is_id_given="episode_id" in fields,
        parent=parent,
    )


def add_link(
    url: str,
    episode: Episode,
    options: JobOptions,
    *,
    intake: Intake,
    idempotency_key: str | None,
    priority: int,
    is_id_given: bool,
    parent: str | None,
) -> tuple[Job, bool]:
    """Check a link and add its job. Raises the errors of `accept_link`, and `url_refused`, `source_forbidden`."""
    url = intake.checked_link(url)
    if not options.glossary:
        options = replace(options, glossary=intake.glossary_of(episode.show))
    intake.check_models(options.models, options.language or episode.language)
    with process_tracing().begin("accept", parent=parent, attributes={"episode_id": episode.id}) as span:
        taken = accept_link(
            queue=intake.queue,
            url=url,
            episode=episode,
            options=options,
            new_id=intake.new_id,
            idempotency_key=idempotency_key,
            priority=priority,
            is_id_given=is_id_given,
            traceparent=span.traceparent,
        )
        intake.reached("after_commit")
        return taken


@contextmanager
def _on_disk(audio: UploadFile, scratch: Path) -> Iterator[Path]:
    """The upload as a file of its own meanwhile. Raises NotReady `disk_full`."""
    try:
        scratch.mkdir(parents=True, exist_ok=True)
        with spooled(scratch) as spool:
            audio.file.seek(0)
            shutil.copyfileobj(audio.file, spool, 1024 * 1024)
            spool.flush()
            yield Path(spool.name)
    except OSError as error:
        raise _storage_error(error) from error


def requested(
    sidecar: Sidecar, fields: Mapping[str, Any], *, default_models: str, new_id: Callable[[], str]
) -> tuple[Episode, JobOptions, int]:
    """The episode and options that a form asks for; its fields win over its metadata part."""
    known = {
        "title", "show", "published", "language", "participant", "vocabulary", "models", "speakers", "min_speakers",
        "max_speakers", "wording", "backchannels", "glossary", "follow_language", "diarize", "priority", "episode_id",
    }  # fmt: skip
    for name in fields:
        if name not in known:
            raise OptionError(f"{name}: not a field of this form", code="invalid_request", field=name)
    text = {name: str(values[-1]).strip() for name, values in fields.items() if str(values[-1]).strip()}
    lines = {name: [line for value in fields.get(name, []) for line in str(value).splitlines()] for name in known}
    episode = Episode(
        id=read_episode_id(text.get("episode_id")) or new_id(),
        title=text.get("title"),
        show=text.get("show"),
        published=text.get("published"),
        language=text.get("language"),
        participants=tuple(parse_participant(line) for line in lines["participant"] if line.strip()),
    )
    asked = sidecar.options(default_models)
    options = replace(
        asked,
        models=text.get("models") or asked.models,
        language=text.get("language"),
        speakers=_number("speakers", text) if "speakers" in text else asked.speakers,
        min_speakers=_number("min_speakers", text),
        max_speakers=_number("max_speakers", text),
        vocabulary=(*sidecar.vocabulary, *(line.strip() for line in lines["vocabulary"] if line.strip())),
        wording=_choice("wording", text, {each.value: each for each in Wording}, asked.wording),
        backchannels=_choice("backchannels", text, {each.value: each for each in Backchannels}, asked.backchannels),
        glossary=read_glossary(text["glossary"].encode(), name="glossary") if "glossary" in text else asked.glossary,
        follow_language=_choice("follow_language", text, {"true": True, "false": False}, asked.follow_language),
        diarize=_choice("diarize", text, {"true": True, "false": False}, True),
    )
    priority = _number("priority", text)
    return sidecar.describe(episode), options, sidecar.priority if priority is None else priority


def read_episode_id(text: str | None) -> str | None:
    import uuid

    if text is None:
        return None
    try:
        return str(uuid.UUID(text))
    except ValueError as error:
        raise OptionError(f"episode_id={text!r}: must be a UUID", field="episode_id") from error


def _number(name: str, text: Mapping[str, str]) -> int | None:
    if name not in text:
        return None
    try:
        return int(text[name])
    except ValueError as error:
        raise OptionError(f"{name}={text[name][:40]!r}: must be a whole number", field=name) from error


def _choice(name: str, text: Mapping[str, str], choices: Mapping[str, T], default: T) -> T:
    if name not in text:
        return default
    if text[name].lower() not in choices:
        raise OptionError(f"{name}={text[name][:40]!r}: use one of {', '.join(choices)}", field=name)
    return choices[text[name].lower()]


def _storage_error(error: OSError) -> Exception:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NotReady("no room on the disk for the upload", code="disk_full")
    return error
