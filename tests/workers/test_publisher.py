"""The publisher: at least once, in order, marked only after the sink has it, and one at a time."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from typing import cast

import pytest
import structlog

from adapters.memory import MemoryQueue, MemorySink
from adapters.metrics import Metrics
from schemas.episode import Episode
from schemas.errors import LeaseLost, Refused, TransientError
from schemas.events import Event
from schemas.job import JobOptions
from transcription.ports import EventSink, JobQueue, NewJob
from workers.publisher import (
    FOLLOW_SECONDS,
    KEEP_SECONDS,
    LED_SECONDS,
    Publisher,
    publish_once,
    publish_until,
)


class Clock:
    """The database's clock and the publishers', in seconds."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(clock: Clock) -> MemoryQueue:
    numbers = itertools.count()
    made = MemoryQueue(now=clock, new_id=lambda: f"event-{next(numbers)}")
    for name in ("one", "two"):
        made.add(NewJob(Episode(id=name), JobOptions(), "uploads/x", name), job_id=name)
        made.cancel(name)
    return made


class FencedTopic:
    """What a broker does: only the sender that took over last gets anything onto it."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.epoch = 0

    def sender(self) -> FencedSender:
        return FencedSender(self)


class FencedSender:
    def __init__(self, topic: FencedTopic) -> None:
        self._topic = topic
        self._epoch = 0
        self.before_take_over: Callable[[], None] = lambda: None

    def take_over(self) -> None:
        self.before_take_over()
        self._topic.epoch += 1
        self._epoch = self._topic.epoch

    def send(self, events: Sequence[Event]) -> None:
        if self._epoch != self._topic.epoch:
            raise LeaseLost("another publisher sends now", code="publishing_lost")
        self._topic.ids += [event.id for event in events]

    def close(self) -> None:
        self._epoch = 0


class DeafSink(MemorySink):
    def send(self, events: Sequence[Event]) -> None:
        raise TransientError("no answer")


def publisher(
    queue: MemoryQueue, sink: EventSink, *, name: str = "a", reached: Callable[[str], None] = lambda _: None
) -> Publisher:
    return Publisher(queue, sink, name=name, lead_seconds=5.0, reached=reached, clock=queue.now)


def test_what_waits_is_sent_once_in_order(queue: MemoryQueue) -> None:
    sink = MemorySink()
    one = publisher(queue, sink)

    assert (one.publish_pending(), one.publish_pending()) == (4, 0)
    assert [event.id for event in sink.events] == ["event-0", "event-1", "event-2", "event-3"]


def test_what_was_sent_and_what_failed_is_counted(queue: MemoryQueue) -> None:
    metrics, stop = Metrics(), threading.Event()
    stop.set()
    Publisher(queue, DeafSink(), name="a", metrics=metrics).run_until(stop)
    Publisher(queue, MemorySink(), name="a", metrics=metrics).run_until(stop)

    assert "stenocast_published_events_total 4.0" in metrics.text().decode()
    assert "stenocast_publish_failures_total 1.0" in metrics.text().decode()


def test_events_that_the_sink_refused_wait_on(queue: MemoryQueue) -> None:
    with pytest.raises(TransientError):
        publisher(queue, DeafSink()).publish_pending()

    assert len(queue.pending_events()) == 4


def test_a_crash_after_the_send_sends_the_same_events_again(queue: MemoryQueue) -> None:
    sink = MemorySink()

    def crash(place: str) -> None:
        if place == "after_send":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        publisher(queue, sink, reached=crash).publish_pending()
    publisher(queue, sink).publish_pending()

    assert [event.id for event in sink.events[:4]] == [event.id for event in sink.events[4:]]


def test_only_one_of_two_publishers_sends(queue: MemoryQueue) -> None:
    topic = FencedTopic()
    one, two = publisher(queue, topic.sender()), publisher(queue, topic.sender(), name="b")

    assert (one.publish_pending(), two.publish_pending()) == (4, None)
    assert topic.epoch == 1


def test_another_publisher_leads_once_the_first_is_silent_for_longer_than_its_lease(
    queue: MemoryQueue, clock: Clock
) -> None:
    topic = FencedTopic()
    one, two = publisher(queue, topic.sender()), publisher(queue, topic.sender(), name="b")
    one.publish_pending()
    clock.now += 5.1

    assert (two.publish_pending(), one.publish_pending()) == (0, None)


def test_another_publisher_leads_at_once_where_the_first_resigned(queue: MemoryQueue) -> None:
    topic = FencedTopic()
    one, two = publisher(queue, topic.sender()), publisher(queue, topic.sender(), name="b")
    one.publish_pending()
    one.resign()

    assert two.publish_pending() == 0


def test_a_leader_that_works_keeps_the_lead(queue: MemoryQueue, clock: Clock) -> None:
    topic = FencedTopic()
    one, two = publisher(queue, topic.sender()), publisher(queue, topic.sender(), name="b")
    for _ in range(20):
        assert one.publish_pending() is not None
        clock.now += 1.0
        assert two.publish_pending() is None

    assert topic.epoch == 1


def test_a_publisher_paused_before_its_send_sends_nothing_after_another_led(queue: MemoryQueue, clock: Clock) -> None:
    topic = FencedTopic()
    two = publisher(queue, topic.sender(), name="b")

    def pause(place: str) -> None:
        if place == "before_publish":
            clock.now += 60.0
            two.publish_pending()

    with pytest.raises(LeaseLost):
        publisher(queue, topic.sender(), reached=pause).publish_pending()

    assert topic.ids == ["event-0", "event-1", "event-2", "event-3"]


def test_a_publisher_paused_between_lease_and_take_over_sends_nothing_after_another_led(
    queue: MemoryQueue, clock: Clock
) -> None:
    """It wakes up, shuts the leader out unknowingly, and must notice before it reads what to send."""
    topic = FencedTopic()
    two = publisher(queue, topic.sender(), name="b")
    sender = topic.sender()

    def pause() -> None:
        clock.now += 60.0
        two.publish_pending()

    sender.before_take_over = pause
    one = publisher(queue, sender)
    assert one.publish_pending() is None

    queue.add(NewJob(Episode(id="three"), JobOptions(), "uploads/x", "three"), job_id="three")
    with pytest.raises(LeaseLost):
        two.publish_pending()
    assert two.publish_pending() == 1
    assert topic.ids == [f"event-{i}" for i in range(5)]


def test_a_publisher_whose_sink_fails_lets_another_try(queue: MemoryQueue) -> None:
    stop, topic = threading.Event(), FencedTopic()
    stop.set()
    publish_until(stop, queue, DeafSink())

    assert publisher(queue, topic.sender(), name="b").publish_pending() == 4


def test_a_sink_that_failed_is_taken_over_again_before_the_next_send(queue: MemoryQueue) -> None:
    topic = FencedTopic()
    one = publisher(queue, topic.sender())
    one.publish_pending()
    topic.epoch += 1
    queue.add(NewJob(Episode(id="three"), JobOptions(), "uploads/x", "three"), job_id="three")

    with pytest.raises(LeaseLost):
        one.publish_pending()

    assert one.publish_pending() == 1


def test_a_stopped_publisher_sends_what_still_waits_and_resigns(queue: MemoryQueue) -> None:
    sink, stop = MemorySink(), threading.Event()
    stop.set()
    publish_until(stop, queue, sink)

    assert len(sink.events) == 4
    assert queue.pending_events() == []
    assert publisher(queue, sink, name="b").publish_pending() == 0


def test_the_leader_forgets_what_was_published_a_week_ago(queue: MemoryQueue, clock: Clock) -> None:
    one = publisher(queue, MemorySink())
    one.publish_pending()
    clock.now += KEEP_SECONDS - 1
    one.publish_pending()
    kept = len(queue.events_of("one"))
    clock.now += 100
    one.publish_pending()

    assert (kept, len(queue.events_of("one"))) == (2, 0)


def test_publishing_once_sends_everything_or_says_that_another_does(queue: MemoryQueue) -> None:
    sink = MemorySink()
    assert publish_once(queue, sink) == 4

    publisher(queue, sink, name="b").publish_pending()
    with pytest.raises(Refused) as caught:
        publish_once(queue, sink)
    assert caught.value.code == "publishing_elsewhere"


def test_a_broker_that_is_away_is_told_at_once_and_rarely_and_its_return_too(
    queue: MemoryQueue, clock: Clock
) -> None:
    class Away(MemorySink):
        failures = 30

        def take_over(self) -> None:
            clock.now += 0.5
            self.failures -= 1
            if self.failures >= 0:
                raise TransientError("Kafka cannot be reached (127.0.0.1:9: refused)", code="kafka_unavailable")

    class Hurried(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            clock.now += timeout or 0.0
            return queue.pending_events() == []

    with structlog.testing.capture_logs() as lines:
        publisher(queue, Away()).run_until(Hurried())

    told = [line["seconds"] for line in lines if line["event"] == "events not published"]
    assert told[0] == 0.0
    assert 3 <= len(told) < 8
    assert [line["event"] for line in lines[-2:]] == ["publishing taken over", "events published again"]


def lines_of_a_follower(queue: MemoryQueue, clock: Clock, others: Sequence[bool]) -> list[str]:
    """What a publisher logs whose ledger was away once, when at each look from then on another leads or does not."""
    looks = iter(others)

    class Ledger:
        was_away = False

        def lead_publishing(self, _name: str, *, seconds: float) -> int | None:
            if not self.was_away:
                self.was_away = True
                raise TransientError("the ledger does not answer", code="database_unavailable")
            if next(looks, True):
                return None
            raise TransientError("the ledger does not answer", code="database_unavailable")

        def resign_publishing(self, _name: str) -> None:
            return

    class Hurried(threading.Event):
        left = len(others) + 1

        def wait(self, timeout: float | None = None) -> bool:
            clock.now += timeout or 0.0
            self.left -= 1
            return self.left < 0

    one = Publisher(cast(JobQueue, Ledger()), MemorySink(), name="a", clock=clock)
    with structlog.testing.capture_logs() as lines:
        one.run_until(Hurried())
    return [line["event"] for line in lines if line["event"].startswith("events")]


def test_a_publisher_that_only_follows_says_that_another_publishes_once_that_is_sure(
    queue: MemoryQueue, clock: Clock
) -> None:
    looks = int(LED_SECONDS / FOLLOW_SECONDS) - 2

    assert lines_of_a_follower(queue, clock, [True] * looks) == ["events not published"]
    assert lines_of_a_follower(queue, clock, [True] * 3 * looks) == [
        "events not published",
        "events published by another",
    ]


def test_a_leader_that_resigns_again_and_again_is_no_proof_that_events_are_published(
    queue: MemoryQueue, clock: Clock
) -> None:
    looks = int(LED_SECONDS / FOLLOW_SECONDS) - 2

    told = lines_of_a_follower(queue, clock, ([True] * looks + [False]) * 4)

    assert set(told) == {"events not published"}


def test_a_defect_in_the_sink_does_not_end_the_publisher(queue: MemoryQueue) -> None:
    stop = threading.Event()
    calls: list[int] = []

    class BrokenSink(MemorySink):
        def send(self, events: Sequence[Event]) -> None:
            calls.append(len(events))
            stop.set()
            raise ValueError("a defect")

    publish_until(stop, queue, BrokenSink())

    assert calls == [4, 4]
    assert len(queue.pending_events()) == 4
