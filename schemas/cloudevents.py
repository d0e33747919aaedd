"""Events on the wire: CloudEvents 1.0, structured JSON with its attributes mirrored in `ce_` headers, and back.

Producers may also send the binary mode, where the attributes are headers only and the value is the data alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from schemas.errors import InputError
from schemas.events import Event, EventType
from schemas.wire import adapter_of, write_json

#: W3C trace context, version 00. One that is written otherwise costs the trace, not the event.
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

CONTENT_TYPE = "application/cloudevents+json"
_COMES_IN = EventType.EPISODE_DROPPED
#: Optional in CloudEvents: a producer need not know episode ids, and its record has a time of its own.
_LEFT_OUT_BY_PRODUCERS = {"subject": "", "time": ""}
_ATTRIBUTES = ("specversion", "id", "type", "source", "subject", "time", "traceparent")


def write_event(event: Event) -> bytes:
    """The event as structured JSON. An attribute that is not set is left out; equal events give equal bytes."""
    if event.traceparent is not None:
        return write_json(event)
    record = json.loads(write_json(event))
    del record["traceparent"]
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


def read_event(content: bytes | str) -> Event:
    """Read structured JSON, the data by the event's type. Fields nobody knows are passed over.

    Raises InputError `event_type_unknown`, or `event_invalid` that names the first wrong field.
    """
    return _read_record(_parsed(content))


def event_headers(event: Event) -> tuple[tuple[str, bytes], ...]:
    """What lies beside the value: enough to route or drop a record without parsing it."""
    mirrored = ((f"ce_{name}", getattr(event, name)) for name in _ATTRIBUTES)
    headers = [("content-type", CONTENT_TYPE), *((name, value) for name, value in mirrored if value is not None)]
    if event.traceparent is not None:
        headers.append(("traceparent", event.traceparent))
    return tuple((name, str(value).encode()) for name, value in headers)


def read_cloud_event(headers: Iterable[tuple[str, bytes]], value: bytes) -> Event:
    """Read a record in either mode of the Kafka protocol binding. Raises as `read_event`.

    The mode is told by `content-type`; without one, by whether there is a `ce_specversion`. A header `traceparent`
    of the record is the event's where the event has none of its own.
    """
    named = {name.lower(): content.decode("utf-8", "replace") for name, content in headers}
    if named.get("content-type", "").startswith("application/cloudevents"):
        record = _parsed(value)
    elif "ce_specversion" in named:
        record = _from_headers(named, value)
    else:
        record = _parsed(value)
    if isinstance(record, dict) and record.get("traceparent") is None:
        record["traceparent"] = named.get("traceparent")
    return _read_record(record)


def _parsed(content: bytes | str) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"event: no JSON: {str(error)[:200]}", code="event_invalid") from error


def _from_headers(named: Mapping[str, str], value: bytes) -> dict[str, Any]:
    record: dict[str, Any] = {name: named[f"ce_{name}"] for name in _ATTRIBUTES if f"ce_{name}" in named}
    return record | {"datacontenttype": named.get("content-type", "application/json"), "data": _parsed(value)}


def _read_record(record: Any) -> Event:
    kind = record.get("type") if isinstance(record, dict) else None
    if isinstance(kind, str) and kind not in set(EventType):
        raise InputError(f"event: type {kind[:80]!r} is not one of ours", code="event_type_unknown", field="type")
    if isinstance(record, dict):
        trace = record.get("traceparent")
        is_trace = isinstance(trace, str) and _TRACEPARENT.fullmatch(trace)
        record = record | {"traceparent": trace if is_trace else None}
    try:
        return adapter_of(Event).validate_python(_LEFT_OUT_BY_PRODUCERS | record if kind == _COMES_IN else record)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the event"
        raise InputError(f"event: {place}: {first['msg']}", code="event_invalid", field=place) from error
