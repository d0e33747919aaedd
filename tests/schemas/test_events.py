"""Events on the wire: the type decides the data, both modes of CloudEvents are read, and a wrong event says where."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from schemas.cloudevents import event_headers, read_cloud_event, read_event, write_event
from schemas.errors import InputError, PageError
from schemas.events import DATA_OF, Event, EventType, JobChanged, TranscriptDeleted, TranscriptReady
from schemas.job import JobState
from schemas.publish import schema_text
from schemas.wire import read_json, write_json

QUEUED = Event(
    id="event-1",
    type=EventType.JOB_QUEUED,
    source="stenocast/local",
    subject="episode",
    time="2026-03-14T09:00:00.000Z",
    data=JobChanged(job_id="job", episode_id="episode", state=JobState.QUEUED, attempts=0),
)
READY = replace(
    QUEUED,
    type=EventType.TRANSCRIPT_PUBLISHED,
    data=TranscriptReady(
        job_id="job",
        episode_id="episode",
        revision=1,
        document_key="results/a.json",
        document_sha256="0" * 64,
        document_bytes=10,
        audio_seconds=1.0,
        language="en",
        speaker_count=1,
        named_speaker_count=0,
        word_count=2,
        coverage=None,
        no_speech=False,
    ),
)
DROPPED = {
    "specversion": "1.0",
    "id": "drop-1",
    "type": "episode.dropped.v1",
    "source": "newsroom",
    "datacontenttype": "application/json",
    "data": {"bucket": "episodes", "key": "ep 1.flac"},
}


def test_the_type_decides_what_the_data_is_even_where_it_looks_like_another() -> None:
    both = json.loads(write_event(READY)) | {"type": "transcript.deleted.v1"}

    assert read_event(json.dumps(both)).data == TranscriptDeleted("episode", 1)
    assert read_json(Event, json.dumps(both)).data == TranscriptDeleted("episode", 1)


def test_data_of_another_type_is_refused_with_the_place() -> None:
    wrong = json.loads(write_event(QUEUED)) | {"type": "transcript.published.v1"}

    with pytest.raises(InputError, match=r"data\.revision") as caught:
        read_event(json.dumps(wrong))
    assert caught.value.code == "event_invalid"
    with pytest.raises(PageError, match=r"data\.revision"):
        read_json(Event, json.dumps(wrong))


@pytest.mark.parametrize(
    "event", [QUEUED, READY, replace(READY, traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01")]
)
def test_an_event_survives_the_wire_in_both_writings(event: Event) -> None:
    assert read_event(write_event(event)) == event
    assert read_json(Event, write_json(event)) == event
    assert read_cloud_event(event_headers(event), write_event(event)) == event


def test_an_attribute_that_is_not_set_is_left_out() -> None:
    assert "traceparent" not in json.loads(write_event(QUEUED))


def test_fields_that_nobody_knows_yet_are_passed_over() -> None:
    later = json.loads(write_event(QUEUED))
    later["data"]["mood"] = later["partitionkey"] = "new"

    assert read_event(json.dumps(later)) == QUEUED


def test_the_binary_mode_has_its_attributes_in_headers() -> None:
    headers = [(f"ce_{name}", str(DROPPED[name]).encode()) for name in ("specversion", "id", "type", "source")]
    headers.append(("content-type", b"application/json"))

    read = read_cloud_event(headers, json.dumps(DROPPED["data"]).encode())

    assert read == read_event(json.dumps(DROPPED))


def test_a_producer_may_leave_subject_and_time_out() -> None:
    read = read_event(json.dumps(DROPPED))

    assert (read.subject, read.time) == ("", "")


def test_the_trace_of_the_record_is_the_event_s_unless_it_has_its_own() -> None:
    own, records = (f"00-{digit * 32}-{digit * 16}-01" for digit in "ab")
    headers = [("traceparent", records.encode())]

    assert read_cloud_event(headers, json.dumps(DROPPED).encode()).traceparent == records
    assert read_cloud_event(headers, json.dumps(DROPPED | {"traceparent": own}).encode()).traceparent == own


@pytest.mark.parametrize("trace", ["", "00-abc", "x" * 100_000, 7, ["a"]])
def test_a_trace_that_cannot_be_read_does_not_cost_the_event(trace: object) -> None:
    assert read_event(json.dumps(DROPPED | {"traceparent": trace})).traceparent is None


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "event_invalid"),
        (b"[]", "event_invalid"),
        (b"\xff\xfe", "event_invalid"),
        (b"[" * 100_000, "event_invalid"),
        (json.dumps(DROPPED | {"type": "episode.dropped.v9"}).encode(), "event_type_unknown"),
        (json.dumps(DROPPED | {"type": ["x"]}).encode(), "event_invalid"),
        (json.dumps(DROPPED | {"data": {"bucket": "episodes"}}).encode(), "event_invalid"),
        (json.dumps(DROPPED | {"data": None}).encode(), "event_invalid"),
    ],
)
def test_a_wrong_event_is_an_input_error_with_a_code(content: bytes, code: str) -> None:
    with pytest.raises(InputError) as caught:
        read_cloud_event([], content)

    assert caught.value.code == code


# ---------------------------------------------------------------- golden events

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "events"


@pytest.mark.parametrize("kind", list(EventType))
def test_the_golden_event_of_a_type_is_read_and_written_the_same(kind: EventType) -> None:
    content = (GOLDEN / f"{kind}.json").read_text(encoding="utf-8")

    event = read_event(content)

    assert event.type is kind
    assert type(event.data) is DATA_OF[kind]
    assert json.dumps(json.loads(write_event(event)), indent=2, ensure_ascii=False) + "\n" == content
    jsonschema.validate(json.loads(content), json.loads(schema_text(f"events/{kind}.json")))


@pytest.mark.parametrize("path", sorted((GOLDEN / "earlier").iterdir()), ids=lambda path: path.stem)
def test_an_event_that_an_earlier_release_wrote_is_still_read(path: Path) -> None:
    event = read_event(path.read_bytes())

    assert f"{event.type}.json" == path.name
    jsonschema.validate(json.loads(path.read_bytes()), json.loads(schema_text(f"events/{event.type}.json")))


def test_a_schema_of_one_type_refuses_the_event_of_another() -> None:
    other = json.loads((GOLDEN / "job.done.v1.json").read_bytes())

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(other, json.loads(schema_text("events/transcript.published.v1.json")))
