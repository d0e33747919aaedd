"""Errors as `application/problem+json` (RFC 9457): one table turns codes and classes into HTTP status."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from schemas.errors import (
    AudioError,
    InputError,
    NotFound,
    NotReady,
    OptionError,
    Refused,
    StenocastError,
    TransientError,
)

log = structlog.get_logger(__name__)

#: Codes whose status is not their class's.
STATUS_OF_CODE: dict[str, HTTPStatus] = {
    "unsupported_container": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "audio_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "disk_full": HTTPStatus.INSUFFICIENT_STORAGE,
    "episode_deleted": HTTPStatus.GONE,
    "idempotency_key_reused": HTTPStatus.CONFLICT,
    "name_taken": HTTPStatus.CONFLICT,
    "precondition_failed": HTTPStatus.PRECONDITION_FAILED,
    "metadata_invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "request_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "times_missing": HTTPStatus.CONFLICT,
}

#: The rest by class, most special first.
STATUS_OF_CLASS: tuple[tuple[type[StenocastError], HTTPStatus], ...] = (
    (NotFound, HTTPStatus.NOT_FOUND),
    (OptionError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (AudioError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (InputError, HTTPStatus.BAD_REQUEST),
    (Refused, HTTPStatus.CONFLICT),
    (NotReady, HTTPStatus.SERVICE_UNAVAILABLE),
    (TransientError, HTTPStatus.SERVICE_UNAVAILABLE),
    (StenocastError, HTTPStatus.INTERNAL_SERVER_ERROR),
)

#: What is said of servers behind us instead of the error's own sentence, which names their addresses, users and
#: buckets: that is for the log.
SENTENCES: dict[str, str] = {
    "database_unavailable": "the ledger does not answer at the moment; try again",
    "store_unavailable": "the store does not answer at the moment; try again",
}

#: Seconds after which a client may try again when we say 503.
RETRY_AFTER_SECONDS = 5


def status_of(error: StenocastError) -> HTTPStatus:
    if error.code in STATUS_OF_CODE:
        return STATUS_OF_CODE[error.code]
    return next(status for kind, status in STATUS_OF_CLASS if isinstance(error, kind))


def problem(status: int, code: str, detail: str, *, field: str | None = None) -> JSONResponse:
    """One problem document. `code` is stable; `detail` is a sentence that names the value."""
    body = {
        "type": f"urn:stenocast:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "code": code,
        "detail": detail,
    }
    if field is not None:
        body["field"] = field
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def answer_problems(app: FastAPI, *, failed: Callable[[StenocastError], None] = lambda _error: None) -> None:
    """Let every error of the app leave as a problem document; `failed` is told those of requests that write."""

    @app.exception_handler(StenocastError)
    async def ours(request: Request, error: StenocastError) -> Response:
        status = status_of(error)
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            failed(error)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.warning("request failed", path=request.url.path, code=error.code, detail=error.message)
        return problem(status, error.code, SENTENCES.get(error.code, error.message), field=error.field)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", f"{field}: {first['msg']}", field=field)

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> Response:
        code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
        return problem(error.status_code, code, f"{request.method} {request.url.path}: {error.detail}")

    @app.exception_handler(ClientDisconnect)
    async def gone(request: Request, error: ClientDisconnect) -> Response:
        # Nobody is there to read the answer; an upload that breaks off is no trouble of ours.
        return problem(HTTPStatus.BAD_REQUEST, "client_gone", "the request broke off")

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        log.error("request crashed", path=request.url.path, exc_info=error)
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "something went wrong on our side")
