"""No event is as long as 64 KiB, whatever the episode, its document or an error's message is like."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.cloudevents import event_headers, read_event, write_event
from schemas.events import LARGEST_EVENT_BYTES, Event, EventType
from schemas.job import Job, JobError, JobOptions, JobState
from transcription.jobs import job_event, transcript_event
from transcription.ports import Result

IDS = st.uuids().map(str)
COUNTS = st.integers(0, 2**62)
PIECES = st.sampled_from(["\x01", "🎙", '"\\']) | st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
#: Anything from nothing to many times the limit, in characters that take six bytes each in JSON at worst.
TEXTS = st.builds(lambda piece, times: piece * times, PIECES, st.sampled_from([0, 1, LARGEST_EVENT_BYTES]))
#: A few such texts, or more short ones than an event has room for.
MANY_TEXTS = st.lists(TEXTS, max_size=3).map(tuple) | PIECES.map(
    lambda piece: tuple(f"{piece * 10}{i}" for i in range(1000))
)
TRACES = st.none() | st.just("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")

JOBS = st.builds(
    Job,
    id=IDS,
    episode_id=IDS,
    state=st.sampled_from(JobState),
    created=st.just("2026-03-14T09:00:00.000Z"),
    updated=st.just("2026-03-14T09:00:00.000Z"),
    options=st.builds(JobOptions, vocabulary=MANY_TEXTS),
    title=TEXTS,
    show=TEXTS,
    attempts=COUNTS,
    error=st.none() | st.builds(JobError, code=TEXTS, message=TEXTS),
)
RESULTS: st.SearchStrategy[Any] = st.builds(
    Result,
    document_key=IDS.map(lambda job: f"results/{job}/{2**62}/transcript.json"),
    document_sha256=st.just("0" * 64),
    document_bytes=COUNTS,
    audio_seconds=st.floats(0, 1e9),
    audio_sha256=st.just("0" * 64),
    language=st.none() | TEXTS,
    speaker_count=COUNTS,
    named_speaker_count=COUNTS,
    word_count=COUNTS,
    coverage=st.none() | st.floats(0, 1),
    no_speech=st.booleans(),
    warning_codes=MANY_TEXTS,
    document_uri=st.none() | st.just("s3://bucket/" + "%C3%A9" * 1000),
    formats=MANY_TEXTS,
    title=TEXTS,
)


def on_the_wire(event: Event) -> int:
    headers = sum(len(name) + len(value) for name, value in event_headers(event))
    return len(event.subject) + headers + len(write_event(event))


@settings(deadline=None, max_examples=40)
@given(job=JOBS, trace=TRACES)
def test_an_event_about_a_job_stays_small(job: Job, trace: str | None) -> None:
    event = job_event(EventType.JOB_FAILED, job, event_id=job.id, now=0.0, traceparent=trace)

    assert on_the_wire(event) < LARGEST_EVENT_BYTES
    assert read_event(write_event(event)) == event


@settings(deadline=None, max_examples=40)
@given(job=JOBS, result=RESULTS, trace=TRACES)
def test_an_event_about_a_transcript_stays_small(job: Job, result: Result, trace: str | None) -> None:
    event = transcript_event(job, result, revision=2**31, event_id=job.id, now=0.0, traceparent=trace)

    assert on_the_wire(event) < LARGEST_EVENT_BYTES
    assert read_event(write_event(event)) == event


def test_an_error_that_fits_is_told_whole() -> None:
    error = JobError("audio_unreadable", "x" * 1000)
    job = Job("j", "e", JobState.FAILED, "", "", error=error)

    event = job_event(EventType.JOB_FAILED, job, event_id="1", now=0.0)

    assert event.data.error == error  # type: ignore[union-attr]
