"""The promises of `EventSink`, kept by the event log and by its fake alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.eventlog import EventLog
from adapters.memory import MemorySink
from schemas.events import Event, EventType, JobChanged
from schemas.job import JobState
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


@pytest.fixture(params=["log", "memory"])
def sink(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[EventSink, Kept]:
    """The sink, and what it keeps."""
    if request.param == "memory":
        memory = MemorySink()
        return memory, lambda: memory.events
    log = EventLog(tmp_path / "deep" / "events.jsonl")
    return log, lambda: [each for _, each in log.read()]


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
