"""The border: the same frozen dataclasses to JSON and back, validated, through pydantic's TypeAdapter."""

from __future__ import annotations

import json
from collections.abc import Hashable
from contextlib import suppress
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from schemas.errors import PageError

T = TypeVar("T")


@cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast(Any, kind))


def adapter_of(kind: type[T]) -> TypeAdapter[T]:
    """The one TypeAdapter of a dataclass; building it costs milliseconds, so it is kept."""
    return _adapter(cast(Hashable, kind))


def write_json(value: Any, *, indent: int | None = None) -> bytes:
    """Write a dataclass as UTF-8 JSON; equal values give equal bytes."""
    return adapter_of(type(value)).dump_json(value, indent=indent)


def read_json(kind: type[T], content: bytes | str) -> T:
    """Read a dataclass from JSON. Raises PageError `document_invalid` that names the first wrong field."""
    try:
        return adapter_of(kind).validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        raise PageError(f"{kind.__name__.lower()}: {place}: {first['msg']}") from error


def repeated_field(content: bytes) -> str | None:
    """A field that an object of this JSON has twice, or None.

    Readers of JSON keep the last one without a word; who wrote it by hand meant both. None, too, for what is no JSON.
    """
    repeated: list[str] = []

    def distinct(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                repeated.append(name)
            seen.add(name)

    with suppress(ValueError, RecursionError):
        json.loads(content, object_pairs_hook=distinct)
    return repeated[0] if repeated else None


def to_record(value: Any) -> dict[str, Any]:
    """A dataclass as plain JSON types, for a response that is made of several."""
    record: dict[str, Any] = json.loads(write_json(value))
    return record


def json_schema(kind: type[Any]) -> dict[str, Any]:
    """The published JSON Schema of a dataclass."""
    return adapter_of(kind).json_schema()
