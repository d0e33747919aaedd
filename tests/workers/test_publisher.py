"""The publisher: at least once, in order, and marked only after the sink has it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence

import pytest

from adapters.memory import MemoryQueue, MemorySink
from schemas.episode import Episode
from schemas.errors import TransientError
from schemas.events import Event
from schemas.job import JobOptions
from transcription.ports import NewJob
from workers.publisher import publish_pending, publish_until


@pytest.fixture
def queue() -> MemoryQueue:
    numbers = itertools.count()
    made = MemoryQueue(now=lambda: 1000.0, new_id=lambda: f"event-{next(numbers)}")
    for name in ("one", "two"):
        made.add(NewJob(Episode(id=name), JobOptions(), "uploads/x", name), job_id=name)
        made.cancel(name)
    return made


def test_what_waits_is_sent_once_in_order(queue: MemoryQueue) -> None:
    sink = MemorySink()
    publish_pending(queue, sink)
    publish_pending(queue, sink)

    assert [event.id for event in sink.events] == ["event-0", "event-1", "event-2", "event-3"]


def test_events_that_the_sink_refused_wait_on(queue: MemoryQueue) -> None:
    class DeafSink:
        def send(self, events: Sequence[Event]) -> None:
            raise TransientError("no answer")

    with pytest.raises(TransientError):
        publish_pending(queue, DeafSink())

    assert len(queue.pending_events()) == 4


def test_a_crash_after_the_send_sends_the_same_events_again(queue: MemoryQueue) -> None:
    sink = MemorySink()

    def crash(place: str) -> None:
        if place == "after_send":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        publish_pending(queue, sink, reached=crash)
    publish_pending(queue, sink)

    assert [event.id for event in sink.events[:4]] == [event.id for event in sink.events[4:]]


def test_a_stopped_publisher_sends_what_still_waits(queue: MemoryQueue) -> None:
    sink, stop = MemorySink(), threading.Event()
    stop.set()
    publish_until(stop, queue, sink)

    assert len(sink.events) == 4
    assert queue.pending_events() == []


def test_a_defect_in_the_sink_does_not_end_the_publisher(queue: MemoryQueue) -> None:
    stop = threading.Event()
    calls: list[int] = []

    class BrokenSink:
        def send(self, events: Sequence[Event]) -> None:
            calls.append(len(events))
            stop.set()
            raise ValueError("a defect")

    publish_until(stop, queue, BrokenSink())

    assert calls == [4, 4]
    assert len(queue.pending_events()) == 4
