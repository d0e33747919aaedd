"""The HTTP door: uploads in, job status and transcripts out. Decides little; the ledger and the store know.

Handlers are plain functions, run in threads by the framework, because the ledger blocks.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import structlog
from fastapi import FastAPI, Header, Query, Request
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from fastapi.staticfiles import StaticFiles
from sse_starlette.sse import EventSourceResponse
from starlette.concurrency import run_in_threadpool
from starlette.middleware.trustedhost import TrustedHostMiddleware

from adapters.erasure import erase
from adapters.metrics import CONTENT_TYPE, Metrics
from adapters.revising import stored_transcript
from adapters.webhook_desk import WebhookDesk
from api import speakers
from api.byte_ranges import requested_range
from api.entity_tags import tag_of, tag_of_document
from api.errors import answer_problems, problem
from api.links import BODY as LINK_BODY
from api.links import take_link
from api.upload import Intake, check_idempotency_key, take_upload
from api.webhooks import add_webhooks
from api.writes import Writes
from formats import catalogue
from schemas.drop import is_drop, read_drop
from schemas.errors import NotFound, OptionError, StenocastError
from schemas.job import Job, JobState
from schemas.transcript import Transcript
from schemas.wire import read_json, to_record, write_json
from transcription.links import is_link
from transcription.ports import DropBox, JobQueue, Store

log = structlog.get_logger(__name__)

PAGE = Path(__file__).parent / "page"

#: Everything the page loads is its own: no inline script, no other host.
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none';"
    " frame-ancestors 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

#: A transcript as HTML brings its style in the page itself, and needs nothing else; formats/web_page.py says so too.
TRANSCRIPT_PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

#: For the description of the API: both bodies are read by hand, in pieces.
EPISODE_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "audio": {"type": "string", "format": "binary"},
                        "url": {"type": "string", "format": "uri"},
                        "metadata": {"type": "string"},
                    },
                    "additionalProperties": {"type": "string"},
                }
            },
            **LINK_BODY,
        },
    }
}

#: How often a stream of job events looks at the ledger, in seconds.
LOOK_SECONDS = 0.4


def create_app(
    intake: Intake,
    *,
    version: str,
    ready: Callable[[], list[str]],
    metrics: Metrics,
    webhooks: WebhookDesk,
    allowed_hosts: list[str] | None = None,
    drops: DropBox | None = None,
) -> FastAPI:
    """Build the application over the ledger and the store of `intake`.

    `ready` returns what keeps this installation from working, empty when nothing does. `metrics` counts the
    requests and is what `/metrics` shows. `allowed_hosts` are the Host headers that are answered: a page elsewhere
    must not reach a service on the listener's own machine.
    `drops` are the buckets whose recordings are played from where they lie; without it they cannot be.
    """
    app = FastAPI(
        title="Stenocast",
        version=version,
        description="Episodes in, published transcripts out.",
        docs_url=None,  # the framework's page would load its scripts from another host
        redoc_url=None,
    )
    writes = Writes(intake.store, intake.scratch)
    answer_problems(app, failed=writes.failed)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=allowed_hosts or ["*"], www_redirect=False)
    _guard(app, metrics)
    _add_episodes(app, intake, drops)
    _add_jobs(app, intake.queue)
    _add_transcripts(app, intake)
    add_webhooks(app, webhooks)
    _add_health(app, ready, writes, metrics)
    _add_page(app)
    return app


def _guard(app: FastAPI, metrics: Metrics) -> None:
    """Refuse what pages elsewhere ask for, count what is answered, and tell browsers what the answers may load."""

    @app.middleware("http")
    async def guarded(request: Request, call_next: Any) -> Response:
        origin = request.headers.get("origin")
        own = f"{request.url.scheme}://{request.headers.get('host', '')}"
        began = time.monotonic()
        if request.method not in ("GET", "HEAD", "OPTIONS") and origin not in (None, own):
            return problem(403, "foreign_origin", f"requests from pages of {origin} are refused")
        status = 500
        try:
            response: Response = await call_next(request)
            status = response.status_code
        finally:
            seconds = time.monotonic() - began
            metrics.request_answered(method=request.method, route=_pattern(request), status=status, seconds=seconds)
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        return response


def _add_episodes(app: FastAPI, intake: Intake, drops: DropBox | None) -> None:
    queue, store = intake.queue, intake.store

    @app.post(
        "/v1/episodes",
        status_code=202,
        summary="Upload an episode, or name its link, and queue its job",
        tags=["episodes"],
        openapi_extra=EPISODE_BODY,
    )
    async def post_episode(
        request: Request, idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key")] = None
    ) -> Response:
        """Multipart form: the file in `audio`, or the link of a recording in `url`, which a worker downloads;
        optionally `metadata` (JSON), or its fields one by one. Or JSON: `url` with the fields of the metadata.

        Answers 202 with the job, or 200 with the job that the same recording or link and options already have.
        """
        check_idempotency_key(idempotency_key)
        is_json = request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
        job, is_new = await (take_link if is_json else take_upload)(request, intake, idempotency_key)
        return _json(job, status=202 if is_new else 200, headers={"Location": f"/v1/jobs/{job.id}"})

    @app.get("/v1/episodes/{episode_id}", summary="What is known about an episode", tags=["episodes"])
    def get_episode(episode_id: str) -> Response:
        return _json(queue.episode(episode_id))

    @app.delete("/v1/episodes/{episode_id}", status_code=204, summary="Delete an episode", tags=["episodes"])
    def delete_episode(episode_id: str) -> Response:
        """Its jobs are cancelled, its recording, transcripts and everything that was made of them removed, and what
        asks for it is answered with 410 from then on. A repeat is answered alike.

        A recording that a producer dropped into a bucket of their own stays there, and is not taken in again.
        """
        deletion = queue.delete(episode_id, by="api")
        intake.reached("after_deletion")
        try:
            removed = erase(queue, store, deletion)
            log.info("episode deleted", episode_id=episode_id, objects=removed)
        except StenocastError as error:  # the reconciler goes on
            log.warning("deleted episode not erased", episode_id=episode_id, code=error.code)
        return Response(status_code=204)

    @app.get("/v1/episodes/{episode_id}/audio", summary="The recording, with byte ranges", tags=["episodes"])
    def get_audio(episode_id: str, request: Request) -> Response:
        episode = queue.episode(episode_id)
        found = _recording(store, drops, episode.audio.uri or "")
        if found is None:
            queue.episode(episode_id)  # says so where it was deleted since
            raise NotFound(f"{episode_id}: the recording is no longer here", code="audio_not_found")
        size, read = found
        return _audio(size, read, request.headers.get("range"), container=episode.audio.container)


def _add_jobs(app: FastAPI, queue: JobQueue) -> None:
    @app.get("/v1/jobs", summary="Jobs, newest first", tags=["jobs"])
    def get_jobs(
        state: Annotated[JobState | None, Query(description="only jobs in this state")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        before: Annotated[str | None, Query(description="go on after this job id")] = None,
    ) -> Response:
        found = queue.jobs(state=state, limit=limit + 1, before=before)
        return JSONResponse(
            {
                "jobs": [to_record(each) for each in found[:limit]],
                "next": found[limit - 1].id if len(found) > limit else None,
            }
        )

    @app.get("/v1/jobs/{job_id}", summary="One job", tags=["jobs"])
    def get_job(job_id: str) -> Response:
        return _json(queue.job(job_id))

    @app.post("/v1/jobs/{job_id}/cancel", summary="Stop a queued or running job", tags=["jobs"])
    def cancel_job(job_id: str) -> Response:
        return _json(queue.cancel(job_id))

    @app.post("/v1/jobs/{job_id}/retry", summary="Queue a failed job again", tags=["jobs"])
    def retry_job(job_id: str) -> Response:
        return _json(queue.retry(job_id))

    @app.get("/v1/jobs/{job_id}/events", summary="Progress and state changes as they happen", tags=["jobs"])
    async def job_events(
        job_id: str, last_event_id: Annotated[int, Header(alias="Last-Event-ID", ge=0, le=2**62)] = 0
    ) -> EventSourceResponse:
        """Server-sent events: `state` for each event of the job (with its id), `progress` in between."""
        await run_in_threadpool(queue.job, job_id)
        return EventSourceResponse(_job_stream(queue, job_id, last_event_id), ping=15)


def _add_transcripts(app: FastAPI, intake: Intake) -> None:
    queue, store = intake.queue, intake.store

    @app.get("/v1/transcripts/{episode_id}", summary="The transcript, as a document or a page", tags=["transcripts"])
    def get_transcript(
        episode_id: str,
        format: Annotated[str | None, Query(description=", ".join(catalogue.FORMATS))] = None,
        style: Annotated[str | None, Query(description="a house style; see /v1/styles")] = None,
        revision: Annotated[int | None, Query(ge=1, le=2**31)] = None,
        download: Annotated[bool, Query(description="ask the browser to save it")] = False,
    ) -> Response:
        if style and format:
            raise OptionError("style and format exclude each other", code="invalid_request", field="format")
        catalogue.check_names(styles=[style] if style else [], formats=[format] if format else [])
        job, stored = stored_transcript(queue, store, episode_id, revision=revision)
        document = read_json(Transcript, stored)
        kind = None if style else format or "json"
        content = catalogue.render(document, format=kind, style=style)
        headers = {"ETag": tag_of(job.transcript_sha256 or "", content)}
        if kind == "html":
            headers["Content-Security-Policy"] = TRANSCRIPT_PAGE_POLICY
        if download:
            name = catalogue.file_name(document, format=kind, style=style)
            headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return Response(
            content,
            media_type=catalogue.media_type(format=kind, style=style),
            headers=headers,
        )

    @app.patch(
        "/v1/transcripts/{episode_id}/speakers",
        summary="Name speakers by hand",
        tags=["transcripts"],
        openapi_extra=speakers.BODY,
    )
    async def patch_speakers(episode_id: str, request: Request) -> Response:
        """Makes a revision of the transcript in which these speakers are named as is said, and tells of it.

        `revision` is the one that was read: where another is current by now, nothing changes (409). What is so
        already makes no revision: a repeat is answered alike, with `is_new` false. `If-Match` may name what was read
        by its ETag, in whatever form that was (412). A name may be a text ("Dr Ada Quill, guest"); `{"name": null}`
        says that nobody knows, and null alone takes back what was given by hand.
        """
        revised = await speakers.take_names(request, episode_id, intake)
        headers = {"ETag": tag_of_document(revised.job.transcript_sha256 or "")}
        return JSONResponse(speakers.answer(revised), headers=headers)

    @app.get(
        "/v1/styles", summary="The house styles and formats that transcripts can be had in", tags=["transcripts"]
    )
    def get_styles() -> Response:
        return JSONResponse(
            {
                "styles": [{"name": each.name, "description": each.description} for each in catalogue.styles()],
                "formats": [
                    {"name": each.name, "media_type": each.media_type, "description": each.description}
                    for each in catalogue.FORMATS.values()
                ],
            }
        )


def _add_health(app: FastAPI, ready: Callable[[], list[str]], writes: Writes, metrics: Metrics) -> None:
    @app.get("/healthz", summary="The process answers", tags=["health"])
    def healthz() -> Response:
        return PlainTextResponse("ok\n")

    @app.get("/readyz", summary="The process can do its work", tags=["health"])
    def readyz(
        purpose: Annotated[
            Literal["reading"] | None, Query(alias="for", description="leave out what only writing needs")
        ] = None,
    ) -> Response:
        """With `for=reading` an API that can answer but has no room for uploads is ready: a load balancer that asked
        for more would take the transcripts away with the uploads."""
        lacking = ready() if purpose else [*ready(), *writes.trouble()]
        if lacking:
            return problem(503, "not_ready", "; ".join(lacking))
        return PlainTextResponse("ready\n")

    @app.get("/metrics", summary="The numbers of this process and of the queue, for Prometheus", tags=["health"])
    def get_metrics() -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE)


def _add_page(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    def page() -> Response:
        return FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-cache"})

    app.mount("/page", StaticFiles(directory=PAGE), name="page")


def _pattern(request: Request) -> str:
    """The route that answered, as it is declared: paths hold ids, and a metric must not grow with them."""
    return str(getattr(request.scope.get("route"), "path", "none"))


def _json(value: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(write_json(value), status, headers, media_type="application/json")


async def _job_stream(queue: JobQueue, job_id: str, after: int) -> AsyncIterator[dict[str, Any]]:
    """Events of the job as they appear and its progress when it changes; ends when the job is final."""
    shown: Job | None = None
    while True:
        try:
            rows = await run_in_threadpool(queue.events_of, job_id, after=after)
            job = await run_in_threadpool(queue.job, job_id)
        except StenocastError as error:
            yield {"event": "problem", "data": error.code}
            return
        for number, event in rows:
            after = number
            yield {"event": "state", "id": str(number), "data": write_json(event).decode()}
        if shown is None or job != shown:
            shown = job
            yield {"event": "progress", "data": write_json(job).decode()}
        if job.state.is_final:
            return
        await asyncio.sleep(LOOK_SECONDS)


#: What a browser must be told to play each container.
AUDIO_MEDIA_TYPES = {
    "mp3": "audio/mpeg",
    "mp4": "audio/mp4",
    "mov": "audio/mp4",
    "ogg": "audio/ogg",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "aac": "audio/aac",
    "matroska": "audio/webm",
    "webm": "audio/webm",
    "aiff": "audio/aiff",
}


def _recording(
    store: Store, drops: DropBox | None, uri: str
) -> tuple[int, Callable[[int, int], Iterator[bytes]]] | None:
    """The size of a recording and how its bytes are read; None where it is not, or no longer."""
    if is_drop(uri):
        place = read_drop(uri)
        seen = None if drops is None else drops.look(place.bucket, place.key)
        if drops is None or seen is None or seen.size_bytes is None:
            return None
        return seen.size_bytes, partial(drops.read, seen)
    size = store.size(uri) if uri and not is_link(uri) else None
    return None if size is None else (size, partial(store.read, uri))


def _audio(
    size: int, read: Callable[[int, int], Iterator[bytes]], range_header: str | None, *, container: str | None
) -> Response:
    media_type = AUDIO_MEDIA_TYPES.get(container or "", "application/octet-stream")
    wanted = requested_range(range_header, size)
    if wanted is None:
        answer = problem(416, "range_not_satisfiable", f"the recording has {size} bytes")
        answer.headers["Content-Range"] = f"bytes */{size}"
        return answer
    start, end, is_range = wanted
    headers = {"Accept-Ranges": "bytes", "Content-Length": str(end - start)}
    status = 200
    if is_range:
        status = 206
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return StreamingResponse(read(start, end), status, headers, media_type=media_type)
