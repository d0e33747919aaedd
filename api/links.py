"""`POST /v1/episodes` as JSON: a link instead of a file. The job is there at once; a worker downloads the sound."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from api.bodies import described, read_as, read_body
from api.upload import Intake, add_link, read_episode_id
from schemas.episode import Episode
from schemas.job import Job
from schemas.link import LinkedEpisode
from schemas.sidecar import LARGEST_BYTES

#: For the description of the API.
BODY: dict[str, Any] = described(LinkedEpisode)["requestBody"]["content"]


async def take_link(request: Request, intake: Intake, idempotency_key: str | None) -> tuple[Job, bool]:
    """Read the body, check the link, add the job; in the caller's trace where there is one.

    Raises the errors of `add_link`, OptionError for a wrong body, InputError `request_too_large`.
    """
    asked = read_as(LinkedEpisode, await read_body(request, most_bytes=LARGEST_BYTES))
    parent = request.headers.get("traceparent")
    return await run_in_threadpool(_take_in, asked, intake, idempotency_key, parent)


def _take_in(
    asked: LinkedEpisode, intake: Intake, idempotency_key: str | None, parent: str | None
) -> tuple[Job, bool]:
    episode = asked.describe(Episode(id=read_episode_id(asked.episode_id) or intake.new_id()))
    return add_link(
        asked.url,
        episode,
        asked.options(intake.default_models),
        intake=intake,
        idempotency_key=idempotency_key,
        priority=asked.priority,
        is_id_given=asked.episode_id is not None,
        parent=parent,
    )
