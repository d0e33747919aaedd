"""The promises of `EventSink`, kept by Kafka, by the event log and by the fake alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.eventlog import EventLog
from adapters.memory import MemorySink
from schemas.cloudevents import read_cloud_event
from schemas.events import Event, EventType, JobChanged
from schemas.job import JobState
from schemas.topics import Topic
from tests.topics import Made
from transcription.ports import EventSink

Kept = Callable[[], list[Event]]


def event(number: int) -> Event:
    return Event(
        id=f"event-{number}",
        type=EventType.JOB_QUEUED,
        source="stenocast/local",
        subject="episode",
        time="2026-03-14T09:00:00.000Z",
        data=JobChanged(job_id=f"job-{number}", episode_id="episode", state=JobState.QUEUED, attempts=0),
    )


@pytest.fixture(params=["log", "memory", pytest.param("kafka", marks=pytest.mark.services)])
def sink(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[EventSink, Kept]:
    """The sink, taken over, and what it keeps."""
    if request.param == "memory":
        memory = MemorySink()
        return _taken_over(memory), lambda: memory.events
    if request.param == "log":
        log = EventLog(tmp_path / "deep" / "events.jsonl")
        return _taken_over(log), lambda: [each for _, each in log.read()]
    topics: Made = request.getfixturevalue("topics")
    return _taken_over(topics.sink()), lambda: [
        read_cloud_event(each.headers, each.value) for each in topics.records(Topic.JOBS)
    ]


def _taken_over(sink: EventSink) -> EventSink:
    sink.take_over()
    return sink


def test_events_are_kept_in_the_order_they_were_sent(sink: tuple[EventSink, Kept]) -> None:
    sender, kept = sink
    sender.send([event(1), event(2)])
    sender.send([event(3)])

    assert kept() == [event(1), event(2), event(3)]


def test_a_repeat_is_kept_again_under_its_id(sink: tuple[EventSink, Kept]) -> None:
    sender, kept = sink
    sender.send([event(1)])
    sender.send([event(1)])

    assert [each.id for each in kept()] == ["event-1", "event-1"]


def test_sending_nothing_keeps_nothing(sink: tuple[EventSink, Kept]) -> None:
    sender, kept = sink
    sender.send([])

    assert kept() == []


def test_a_sender_that_lets_go_may_take_over_again(sink: tuple[EventSink, Kept]) -> None:
    sender, kept = sink
    sender.send([event(1)])
    sender.close()
    sender.close()
    sender.take_over()
    sender.send([event(2)])

    assert kept() == [event(1), event(2)]
