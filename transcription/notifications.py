"""What a record of the topics `episodes` and `bucket-events` says: which objects to look at. Pure.

Two kinds of record come in. Our own `episode.dropped.v1` names one object, perhaps one version of it, and what is
known about the episode; it is taken at its word. A bucket's notification is only a hint that something was written
under a name: what lies there is asked of the bucket, so that notifications may come twice, late, out of order or
not at all, and give the same jobs.

The servers' notifications look alike and differ where it hurts:

- AWS S3, also in an SNS envelope: event `ObjectCreated:Put`, source `aws:s3`, the key encoded as in a form (`%`, and
  `+` for a space). AWS EventBridge: `detail-type` is `Object Created`, the key is plain.
- MinIO: `s3:ObjectCreated:Put`, `minio:s3`, the key encoded, even its slashes (plain in the outermost `Key`).
- VersityGW: `s3:ObjectCreated:Put`, `aws:s3`, the key plain and also at the end of `bucket.arn`; 0 for the size of a
  finished multipart upload, quotes inside the ETag.
- Ceph RGW: with `s3:` or without, by version, `ceph:s3`, the key plain, the size perhaps as text.

Is `a+b%20c.mp3` a name or the encoding of one? The marker says which reading stands first, and the bucket decides:
the first that lies there counts. With a marker for encoding that is the decoded one, else the plain one. What is
found by the second reading is no less a recording that somebody put there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from schemas.cloudevents import read_cloud_event
from schemas.drop import Drop
from schemas.errors import InputError
from schemas.events import EpisodeDropped
from schemas.sidecar import Sidecar
from transcription.ports import Record

#: S3's limit for the name of an object, in bytes of UTF-8.
LONGEST_KEY_BYTES = 1024

#: A longer record is none of ours: AWS sends one object a message, Kafka's own limit is 1 MB by default.
LARGEST_RECORD_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class Touched:
    """Something was written in a bucket. Where its name can be read in two ways, the likelier one stands first."""

    bucket: str
    keys: tuple[str, ...]
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Announced:
    """Our own event: this object is an episode, whatever it is called."""

    source: str
    event_id: str
    drop: Drop  #: without a pin where the event gives none: whatever lies there when it is taken in
    metadata: Sidecar | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Passed:
    """True, but no reason to do anything: a test event, a removal, a tombstone."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """This cannot be understood, or may not be done; goes to the dead letters."""

    code: str
    message: str


Notice = Touched | Announced | Passed | Rejected


def read_notices(record: Record) -> tuple[Notice, ...]:
    """Everything that one record says, in its order. Never raises: what cannot be read is Rejected."""
    if record.unreadable is not None:
        return (Rejected("record_unreadable", record.unreadable),)
    if record.value is None:
        return (Passed("tombstone"),)
    if len(record.value) > LARGEST_RECORD_BYTES:
        return (
            Rejected(
                code="record_too_large", message=f"{len(record.value)} bytes are more than {LARGEST_RECORD_BYTES}"
            ),
        )
    if _is_cloud_event(record, None):
        return (_own_event(record, record.value),)
    try:
        content = json.loads(record.value)
    except (ValueError, RecursionError) as error:
        return (Rejected(code="record_not_json", message=f"the record is no JSON: {str(error)[:200]}"),)
    if _is_cloud_event(record, content):
        return (_own_event(record, record.value),)
    return tuple(_notifications(content, record.header("traceparent"))) or (Passed("no records"),)


# ---------------------------------------------------------------- our own events


def _is_cloud_event(record: Record, content: Any) -> bool:
    has_headers = record.header("ce_specversion") is not None
    is_declared = (record.header("content-type") or "").startswith("application/cloudevents")
    return has_headers or is_declared or (isinstance(content, dict) and "specversion" in content)


def _own_event(record: Record, value: bytes) -> Notice:
    try:
        event = read_cloud_event(record.headers, value)
    except InputError as error:
        return Rejected(error.code, error.message)
    data = event.data
    if not isinstance(data, EpisodeDropped):
        return Rejected(code="event_type_unknown", message=f"event {event.id[:80]!r}: {event.type} is not taken in")
    wrong = _wrong_name(data.bucket, data.key)
    if wrong is not None:
        return wrong
    return Announced(
        source=event.source,
        event_id=event.id,
        drop=Drop(data.bucket, data.key, _version(data.version_id), _etag(data.etag), data.size_bytes),
        metadata=data.metadata,
        traceparent=event.traceparent,
    )


# ---------------------------------------------------------------- notifications of buckets


def _notifications(content: Any, traceparent: str | None, *, is_wrapped: bool = False) -> Iterator[Notice]:
    if isinstance(content, str) and not is_wrapped:
        yield from _in_envelope(content, traceparent)  # some connectors write JSON text as a JSON text
    elif not isinstance(content, dict):
        yield Rejected(code="record_unknown", message=f"a JSON {_kind(content)} is no notification")
    elif isinstance(content.get("Records"), list):
        for each in content["Records"]:
            yield _s3_record(each, traceparent)
    elif content.get("Event") == "s3:TestEvent":
        yield Passed("test event")
    elif isinstance(content.get("detail-type"), str):
        yield _event_bridge(content, traceparent)
    elif isinstance(content.get("Message"), str) and "TopicArn" in content and not is_wrapped:
        yield from _in_envelope(content["Message"], traceparent)
    else:
        yield Rejected(code="record_unknown", message=f"no known kind of notification; fields: {_names(content)}")


def _in_envelope(message: str, traceparent: str | None) -> Iterator[Notice]:
    try:
        content = json.loads(message)
    except (ValueError, RecursionError) as error:
        yield Rejected(code="record_not_json", message=f"the message in the envelope is no JSON: {str(error)[:200]}")
        return
    yield from _notifications(content, traceparent, is_wrapped=True)


def _s3_record(record: Any, traceparent: str | None) -> Notice:
    name = _field(record, "eventName")
    bucket, key = _field(record, "s3", "bucket", "name"), _field(record, "s3", "object", "key")
    if not isinstance(name, str):
        return Rejected(code="record_invalid", message="eventName: missing or no text")
    kind = name.removeprefix("s3:")
    if kind == "TestEvent":
        return Passed("test event")
    if not kind.startswith("ObjectCreated:"):
        return Passed(_shortened(kind))
    if not isinstance(bucket, str) or not isinstance(key, str):
        return Rejected(code="record_invalid", message="s3.bucket.name or s3.object.key: missing or no text")
    readings = _readings(
        key,
        bucket=bucket,
        source=_field(record, "eventSource"),
        arn=_field(record, "s3", "bucket", "arn"),
        has_prefix=name.startswith("s3:"),
    )
    return _touched(bucket, readings, traceparent)


def _readings(key: str, *, bucket: str, source: Any, arn: Any, has_prefix: bool) -> tuple[str, ...]:
    """The names that a notification's key may stand for, the likelier first; see the top of this file."""
    decoded = _decoded(key)
    if decoded == key or (isinstance(arn, str) and arn.endswith(f"{bucket}/{key}")):
        return (key,)
    is_encoded = source == "minio:s3" or (source == "aws:s3" and not has_prefix)
    return (decoded, key) if is_encoded else (key, decoded)


def _decoded(key: str) -> str:
    """The key behind a form's encoding; bytes that are no UTF-8 leave it as it is."""
    try:
        return unquote_plus(key, errors="strict")
    except UnicodeDecodeError:
        return key


def _event_bridge(content: Mapping[str, Any], traceparent: str | None) -> Notice:
    if content["detail-type"] != "Object Created":
        return Passed(_shortened(content["detail-type"]))
    bucket, key = _field(content, "detail", "bucket", "name"), _field(content, "detail", "object", "key")
    if not isinstance(bucket, str) or not isinstance(key, str):
        return Rejected(code="record_invalid", message="detail.bucket.name or detail.object.key: missing or no text")
    return _touched(bucket, _readings(key, bucket=bucket, source=None, arn=None, has_prefix=False), traceparent)


def _touched(bucket: str, keys: Sequence[str], traceparent: str | None) -> Notice:
    for key in keys:
        wrong = _wrong_name(bucket, key)
        if wrong is not None:
            return wrong
    return Touched(bucket, tuple(keys), traceparent)


def _wrong_name(bucket: str, key: str) -> Rejected | None:
    """Names are text and never paths; what no bucket can hold, or no table, is refused."""
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        return Rejected(code="bad_key", message=f"{key[:80]!a}: the object's name is no valid Unicode")
    if not bucket or not key:
        return Rejected(code="bad_key", message="the name of the bucket or the object is empty")
    if size > LONGEST_KEY_BYTES:
        return Rejected(code="bad_key", message=f"{key[:80]!a}…: {size} bytes; the limit is 1,024")
    if "\0" in key or not bucket.isprintable() or "/" in bucket:
        return Rejected(code="bad_key", message=f"{bucket[:80]!a} {key[:80]!a}: no such name can be")
    return None


def _etag(given: str | None) -> str | None:
    return (given or "").strip('"') or None


def _version(given: str | None) -> str | None:
    """S3 calls what was written before a bucket kept versions "null"."""
    return None if given in (None, "", "null") else given


def _field(content: Any, *path: str) -> Any:
    for name in path:
        if not isinstance(content, dict):
            return None
        content = content.get(name)
    return content


def _kind(value: Any) -> str:
    return {list: "list", str: "text", bool: "truth value", type(None): "null"}.get(type(value), "number")


def _names(content: Mapping[str, Any]) -> str:
    return _shortened(", ".join(sorted(content)[:8])) or "none"


def _shortened(text: str) -> str:
    """Foreign words for a message or a log line: short, printable, one line."""
    return "".join(each if each.isprintable() else "�" for each in text[:80])
