"""Small JSON bodies of requests: read in pieces up to a limit, checked, and described for the API's own schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from fastapi import Request
from pydantic import ValidationError

from schemas.errors import InputError, OptionError, PageError
from schemas.wire import json_schema, read_json, repeated_field

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

T = TypeVar("T")


async def read_body(request: Request, *, most_bytes: int) -> bytes:
    """Raises InputError `request_too_large`."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > most_bytes:
            raise InputError(f"the request is over {most_bytes} bytes", code="request_too_large")
    return body


def read_as(kind: type[T], body: bytes) -> T:
    """Raises OptionError `invalid_request` that names the first wrong field with its value."""
    try:
        read = read_json(kind, body)
    except PageError as error:
        raise _invalid(first_wrong(error)) from error
    refuse_repeated(body)
    return read


def refuse_repeated(body: bytes) -> None:
    """Raise OptionError `invalid_request` for a body that says a field twice."""
    repeated = repeated_field(body)
    if repeated is not None:
        raise OptionError(f"{repeated[:80]!a} stands there twice", code="invalid_request", field=repeated[:80])


def first_wrong(error: PageError) -> ErrorDetails:
    """What is wrong first, in pydantic's words."""
    return cast(ValidationError, error.__cause__).errors(include_url=False)[0]


def _invalid(wrong: ErrorDetails) -> OptionError:
    field = ".".join(str(part)[:40] for part in wrong["loc"]) or None
    if field is None:
        return OptionError(f"the body: {wrong['msg']}", code="invalid_request")
    value = "" if wrong["type"] == "missing" else f"={shown(wrong['input'])}"
    return OptionError(f"{field}{value}: {wrong['msg']}", code="invalid_request", field=field)


def shown(value: object) -> str:
    """A value as an error names it."""
    return ascii(value)[:80]


def described(kind: type[Any]) -> dict[str, Any]:
    """For the description of the API (`openapi_extra`): a body of this kind is read by hand."""
    schema = json_schema(kind)
    whole = _whole(schema, schema.get("$defs", {}))
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": whole}}}}


def _whole(schema: Any, parts: Any) -> Any:
    """A JSON Schema with what it refers to in place: the description of the API has no place of its own for that."""
    if isinstance(schema, list):
        return [_whole(each, parts) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _whole(parts[schema["$ref"].rpartition("/")[2]], parts)
    return {name: _whole(each, parts) for name, each in schema.items() if name != "$defs"}
