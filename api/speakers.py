"""`PATCH /v1/transcripts/{episode id}/speakers`: names of speakers by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog
from fastapi import Request
from starlette.concurrency import run_in_threadpool

from adapters.revising import Revised, revise_names
from adapters.tracing import process_tracing
from api.bodies import described, first_wrong, read_body, refuse_repeated, shown
from api.entity_tags import wanted_document
from api.upload import Intake
from schemas.errors import OptionError, PageError
from schemas.names_by_hand import NameByHand, NamesByHand
from schemas.wire import read_json, to_record
from transcription.names_by_hand import checked_name

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from schemas.job import Job

log = structlog.get_logger(__name__)

#: Of a request: names of some dozen people with all that may be said of them.
LARGEST_BODY_BYTES = 200_000


#: For the description of the API.
BODY = described(NamesByHand)


async def take_names(request: Request, episode_id: str, intake: Intake) -> Revised:
    """Read what is said of a revision's speakers and make the next revision of it.

    Raises the errors of `revise_names`, OptionError for a wrong header, body or name, InputError `request_too_large`,
    Refused `precondition_failed` where If-Match names another transcript than the current one.
    """
    check = wanted_document(", ".join(request.headers.getlist("if-match")) or None)
    asked = _read_names(await read_body(request, most_bytes=LARGEST_BODY_BYTES))
    said = {each: _checked(each, name) for each, name in asked.speakers.items()}
    return await run_in_threadpool(
        _revise, request.headers.get("traceparent"), episode_id, asked.revision, said, check, intake
    )


def _revise(
    parent: str | None,
    episode_id: str,
    seen: int,
    said: dict[str, NameByHand | None],
    check: Callable[[Job], None],
    intake: Intake,
) -> Revised:
    with process_tracing().begin("revise", parent=parent, attributes={"episode_id": episode_id}) as span:
        revised = revise_names(
            intake.queue,
            intake.store,
            episode_id,
            said,
            seen=seen,
            new_id=intake.new_id,
            check=check,
            traceparent=span.traceparent,
            reached=intake.reached,
        )
    if revised.is_new:
        log.info("speakers named by hand", episode_id=episode_id, revision=revised.job.revision, speakers=len(said))
    return revised


def _read_names(body: bytes) -> NamesByHand:
    """Raises OptionError `invalid_request` that names the first wrong field."""
    try:
        asked = read_json(NamesByHand, body)
    except PageError as error:
        raise _invalid(first_wrong(error)) from error
    refuse_repeated(body)
    if not asked.speakers:
        raise OptionError(
            "speakers: names of at least one speaker are needed", code="invalid_request", field="speakers"
        )
    return asked


def _invalid(wrong: ErrorDetails) -> OptionError:
    """The error of a body with this wrong field, in the words of whoever wrote it and not of our classes."""
    place = wrong["loc"][:2] + wrong["loc"][3:]  # the third is which of the forms of a name was tried
    field = ".".join(str(part)[:40] for part in place) or None
    if field is None:
        return OptionError(f"the body: {wrong['msg']}", code="invalid_request")
    if len(wrong["loc"]) == 3:
        return OptionError(
            f"{field}={shown(wrong['input'])}: a name is a text, an object or null",
            code="invalid_request",
            field=field,
        )
    value = "" if wrong["type"] == "missing" else f"={shown(wrong['input'])}"
    return OptionError(f"{field}{value}: {wrong['msg']}", code="invalid_request", field=field)


def _checked(speaker: str, name: NameByHand | str | None) -> NameByHand | None:
    return None if name is None else checked_name(name, field=f"speakers.{speaker[:40]}")


def answer(revised: Revised) -> dict[str, Any]:
    """What whoever gave the names has to know of the transcript as it is now."""
    return {
        "episode_id": revised.job.episode_id,
        "revision": revised.job.revision,
        "is_new": revised.is_new,
        "speakers": [to_record(each) for each in revised.document.speakers],
    }
