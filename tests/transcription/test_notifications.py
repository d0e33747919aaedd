"""What records say, in every server's dialect: golden notifications, odd names, and what is no notification."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.cloudevents import event_headers, write_event
from schemas.drop import Drop
from schemas.events import EpisodeDropped, Event, EventType
from schemas.sidecar import Sidecar
from transcription.notifications import (
    LARGEST_RECORD_BYTES,
    Announced,
    Notice,
    Passed,
    Rejected,
    Touched,
    read_notices,
)
from transcription.ports import Record

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "notifications"
BUCKET = "quiet-harbour"
STORIES = "incoming/Tide Tables & Other Stories été.mp3"
STORIES_AS_AWS_WRITES_IT = "incoming/Tide+Tables+%26+Other+Stories+%C3%A9t%C3%A9.mp3"
STORIES_AS_MINIO_WRITES_IT = "incoming%2FTide+Tables+%26+Other+Stories+%C3%A9t%C3%A9.mp3"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


#: What a fuzzer must know to get past the first look.
FIELDS = (
    "Records",
    "s3",
    "bucket",
    "name",
    "object",
    "key",
    "eventName",
    "detail-type",
    "detail",
    "Message",
    "TopicArn",
)
VALUES = (
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["ObjectCreated:Put", "Object Created"])
)


def read(value: object, *headers: tuple[str, bytes]) -> tuple[Notice, ...]:
    content = value if isinstance(value, bytes | None) else json.dumps(value).encode()
    return read_notices(Record("bucket-events", 0, 7, None, content, headers))


def codes(notices: tuple[Notice, ...]) -> list[str]:
    return [each.code for each in notices if isinstance(each, Rejected)]


def record(
    key: str, *, source: str = "aws:s3", name: str = "ObjectCreated:Put", bucket: str = BUCKET
) -> dict[str, Any]:
    return {
        "eventSource": source,
        "eventName": name,
        "s3": {"bucket": {"name": BUCKET, "arn": f"arn:aws:s3:::{BUCKET}"}, "object": {"key": key}},
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("aws-put", [Touched(BUCKET, (STORIES, STORIES_AS_AWS_WRITES_IT))]),
        ("aws-multipart", [Touched(BUCKET, ("incoming/ep-12.flac",))]),
        (
            "aws-several",
            [
                Touched(BUCKET, ("incoming/ep-1.mp3",)),
                Touched(BUCKET, ("incoming/ep-1.json",)),
                Passed("ObjectRemoved:Delete"),
            ],
        ),
        ("aws-removed", [Passed("ObjectRemoved:DeleteMarkerCreated")]),
        ("aws-test", [Passed("test event")]),
        ("aws-sns", [Touched(BUCKET, (STORIES, STORIES_AS_AWS_WRITES_IT))]),
        ("eventbridge-created", [Touched(BUCKET, (STORIES,))]),
        ("eventbridge-deleted", [Passed("Object Deleted")]),
        ("minio-put", [Touched(BUCKET, (STORIES, STORIES_AS_MINIO_WRITES_IT))]),
        ("minio-multipart", [Touched(BUCKET, ("incoming/ep-12.flac", "incoming%2Fep-12.flac"))]),
        ("minio-removed", [Passed("ObjectRemoved:Delete")]),
        ("versitygw-put", [Touched(BUCKET, (STORIES,))]),
        ("versitygw-multipart", [Touched(BUCKET, ("incoming/100% sure+more.flac",))]),
        ("versitygw-removed", [Passed("ObjectRemoved:Delete")]),
        ("versitygw-test", [Passed("test event")]),
        ("ceph-put", [Touched(BUCKET, (STORIES,))]),
        ("ceph-multipart", [Touched(BUCKET, ("incoming/ep-12.flac",))]),
        ("ceph-lifecycle", [Passed("ObjectLifecycle:Expiration:Current")]),
    ],
)
def test_every_server_is_understood(name: str, expected: list[Notice]) -> None:
    assert list(read((GOLDEN / f"{name}.json").read_bytes())) == expected


def test_every_golden_notification_is_tried() -> None:
    (mark,) = [each for each in test_every_server_is_understood.pytestmark if each.name == "parametrize"]

    assert {path.stem for path in GOLDEN.glob("*.json")} == {name for name, _ in mark.args[1]}


def test_the_plain_name_stands_first_where_nothing_says_that_it_is_encoded() -> None:
    assert read({"Records": [record("a+b%20c.mp3", source="other:s3")]}) == (
        Touched(BUCKET, ("a+b%20c.mp3", "a b c.mp3")),
    )


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=80))
def test_any_name_is_read_back_from_the_form_in_which_a_server_sends_it(key: str) -> None:
    aws = read({"Records": [record(quote_plus(key, safe="/"))]})
    minio = read({"Records": [record(quote_plus(key), source="minio:s3", name="s3:ObjectCreated:Put")]})
    ceph = read({"Records": [record(key, source="ceph:s3")]})

    assert [each[0].keys[0] for each in (aws, minio, ceph) if isinstance(each[0], Touched)] == [key] * 3


@given(st.recursive(VALUES, lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(FIELDS), inner)))
def test_no_json_makes_the_reader_raise(content: object) -> None:
    assert read(json.dumps(content).encode())


@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_raise(content: bytes) -> None:
    assert read(content)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\xff\xfe no json", "record_not_json"),
        (b"", "record_not_json"),
        (b"[" * 100_000, "record_not_json"),
        (b"9" * 10_000, "record_not_json"),
        (b"[]", "record_unknown"),
        (b'{"hello": "world"}', "record_unknown"),
        (b'{"Records": [7]}', "record_invalid"),
        (b'{"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": "b"}}]}', "record_invalid"),
        (b'{"detail-type": "Object Created", "detail": []}', "record_invalid"),
        (b'{"TopicArn": "t", "Message": "{"}', "record_not_json"),
        (json.dumps({"TopicArn": "t", "Message": '{"TopicArn": "t", "Message": "{}"}'}).encode(), "record_unknown"),
        (b" " * (LARGEST_RECORD_BYTES + 1), "record_too_large"),
        (b'{"specversion": "1.0", "type": "episode.eaten.v1"}', "event_type_unknown"),
        (b'{"specversion": "1.0", "type": "episode.dropped.v1"}', "event_invalid"),
    ],
)
def test_what_is_no_notification_is_rejected_with_a_code(content: bytes, code: str) -> None:
    assert codes(read(content)) == [code]


@pytest.mark.parametrize("key", ["", "a\0b.mp3", "\ud800.mp3", "é" * 513])
def test_a_name_that_no_bucket_holds_is_rejected(key: str) -> None:
    assert codes(read({"Records": [record(key, source="ceph:s3")]})) == ["bad_key"]


@pytest.mark.parametrize("key", ["../../etc/passwd.mp3", "a\x1b[31m\nb.mp3", "\u202egnp.mp3", "-rf.mp3", "x" * 1024])
def test_an_ugly_name_is_a_name(key: str) -> None:
    assert read({"Records": [record(key, source="ceph:s3")]}) == (Touched(BUCKET, (key,)),)


def test_json_text_inside_a_json_text_is_read_once() -> None:
    inner = json.dumps({"Records": [record("a.mp3")]})

    assert read(inner) == (Touched(BUCKET, ("a.mp3",)),)
    assert codes(read(json.dumps(inner))) == ["record_unknown"]


def test_a_bad_record_among_several_keeps_the_others() -> None:
    content = {"Records": [record("a.mp3"), {"eventName": 3}, record("b.mp3")]}

    assert [type(each) for each in read(content)] == [Touched, Rejected, Touched]


def test_a_tombstone_says_nothing() -> None:
    assert read(None) == (Passed("tombstone"),)


def test_a_notification_carries_the_trace_of_its_record() -> None:
    notices = read({"Records": [record("a.mp3")]}, ("traceparent", TRACE.encode()))

    assert notices == (Touched(BUCKET, ("a.mp3",), TRACE),)


# ---------------------------------------------------------------- our own events


DROPPED = EpisodeDropped(
    bucket=BUCKET, key="incoming/ep 1.mp3", etag='"abc"', metadata=Sidecar(title="Tides"), version_id="null"
)


def event(data: EpisodeDropped = DROPPED, *, kind: EventType = EventType.EPISODE_DROPPED) -> Event:
    return Event("e-1", kind, "harbour/studio", "any", "2026-03-14T09:26:53Z", data, traceparent=TRACE)


EXPECTED = Announced(
    source="harbour/studio",
    event_id="e-1",
    drop=Drop(BUCKET, "incoming/ep 1.mp3", etag="abc"),
    metadata=Sidecar(title="Tides"),
    traceparent=TRACE,
)


def test_our_own_event_is_read_in_the_structured_mode() -> None:
    assert read(write_event(event()), *event_headers(event())) == (EXPECTED,)
    assert read(write_event(event())) == (EXPECTED,)


def test_our_own_event_is_read_in_the_binary_mode() -> None:
    headers = [each for each in event_headers(event()) if each[0] != "content-type"]
    data = {"bucket": BUCKET, "key": "incoming/ep 1.mp3", "etag": '"abc"', "metadata": {"title": "Tides"}}

    assert read(data, ("content-type", b"application/json"), *headers) == (EXPECTED,)


def test_metadata_with_a_misspelt_field_is_rejected_and_the_field_named() -> None:
    record = json.loads(write_event(event()))
    record["data"]["metadata"] = {"particpants": []}

    (rejected,) = read(record)

    assert isinstance(rejected, Rejected)
    assert (rejected.code, "particpants" in rejected.message) == ("event_invalid", True)


def test_an_event_of_another_kind_is_rejected() -> None:
    record = {
        "specversion": "1.0",
        "id": "e-2",
        "type": "job.queued.v1",
        "source": "s",
        "subject": "x",
        "time": "2026-03-14T09:26:53Z",
        "data": {"job_id": "j", "episode_id": "e", "state": "queued", "attempts": 0},
    }

    assert codes(read(record)) == ["event_type_unknown"]


def test_a_record_that_nobody_can_read_is_rejected_and_no_tombstone() -> None:
    (notice,) = read_notices(Record("episodes", 0, 7, None, None, unreadable="invalid start byte"))

    assert notice == Rejected("record_unreadable", "invalid start byte")
