"""The publisher: sends outbox rows in order and marks each once it is durable where it went.

Any number of publishers may run; only the one that holds the publishing lease sends. The lease keeps them from
working against each other; what makes a paused one harmless that wakes up without it is `EventSink.take_over`:

1. take the lease; 2. take the sink over; 3. make sure the lease is still held; only then 4. read and send.

Whoever leads later takes the sink over later, so that nothing an earlier leader still sends can land behind it. A
crash between the send and the mark sends the rows again, with the same event ids: consumers know events by id.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from threading import Event as StopEvent

import structlog

from adapters.metrics import Metrics, process_metrics
from adapters.settings import Settings
from adapters.tracing import Tracing, process_tracing
from schemas.errors import LeaseLost, NotReady, Refused, TransientError
from schemas.events import Event
from transcription.ports import EventSink, JobQueue
from workers.crashpoints import Reached
from workers.outage import Outage

log = structlog.get_logger()

LOOK_SECONDS = 0.3  #: how long an event waits for its publisher at most
FOLLOW_SECONDS = 1.0  #: how often a publisher that does not lead asks whether it may
LEAD_SECONDS = 5.0  #: a publisher that does nothing for so long loses the lead
#: Who leads for so long did not fail meanwhile, since it would have resigned: it has reached the sink.
LED_SECONDS = 3 * LEAD_SECONDS
LONGEST_PAUSE_SECONDS = 10.0
BATCH = 100
KEEP_SECONDS = 7 * 24 * 3600.0  #: how long published events stay in the outbox, for people who ask about a job
TIDY_SECONDS = 60.0  #: between two looks for older ones


class Publisher:
    """One publisher. Not for use by several threads."""

    def __init__(
        self,
        queue: JobQueue,
        sink: EventSink,
        *,
        name: str,
        lead_seconds: float = LEAD_SECONDS,
        reached: Reached = lambda _place: None,
        clock: Callable[[], float] = time.monotonic,
        metrics: Metrics | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        """`name` is this publisher's alone among all processes."""
        self._tracing = tracing or process_tracing()
        self._queue = queue
        self._sink = sink
        self._name = name
        self._lead_seconds = lead_seconds
        self._reached = reached
        self._clock = clock
        self._metrics = metrics or process_metrics()
        self._token: int | None = None  #: of the lead under which the sink was taken over
        self._proven_at = 0.0  #: when the lead was last made sure of
        self._tidied_at = clock()
        self._followed_since: float | None = None  #: another has led at every look since then
        self._outage = Outage("events not published", over="events published again", clock=clock)

    def publish_pending(self) -> int | None:
        """Send what waits, at most `BATCH` events; how many it was, or None while another publisher leads.

        Raises LeaseLost, TransientError, NotReady; the next call begins with the lease.
        """
        if not self._leads():
            return None
        waiting = self._queue.pending_events(limit=BATCH)
        if not waiting:
            self._tidy()
            return 0
        self._reached("before_publish")
        try:
            self._send([event for _, event in waiting])
        except BaseException:
            self._token = None  # whatever the sink is like now, it is to be taken over again
            raise
        self._reached("after_send")
        self._queue.mark_published([number for number, _ in waiting])
        self._metrics.events_published(len(waiting))
        return len(waiting)

    def _send(self, events: Sequence[Event]) -> None:
        """Send, with a span in the trace of each event that has one."""
        with ExitStack() as spans:
            for event in events:
                if event.traceparent is not None:
                    spans.enter_context(
                        self._tracing.begin(
                            f"publish {event.type}",
                            parent=event.traceparent,
                            attributes={"episode_id": event.subject},
                        )
                    )
            self._sink.send(events)

    def run_until(self, stop: StopEvent) -> None:
        """Publish until the stop is set, and then what still waits; then make room for the others."""
        pause = 0.0
        while not stop.wait(pause):
            pause = self._published_or_paused(pause)
        while self._published_or_paused(LOOK_SECONDS) == 0.0:
            continue
        self.resign()

    def resign(self) -> None:
        """Let another publisher lead at once."""
        self._token = None
        self._sink.close()
        with suppress(TransientError, NotReady):  # then the lease runs out by itself
            self._queue.resign_publishing(self._name)

    def _leads(self) -> bool:
        """Whether this publisher holds the lease and, since it came by it, the sink."""
        if self._token is not None and self._clock() - self._proven_at < self._lead_seconds / 3:
            return True
        token = self._lead()
        if token is not None and token != self._token:
            self._token = None
            self._sink.take_over()
            if self._lead() == token:
                log.info("publishing taken over", publisher=self._name)
                self._token = token
                return True
            token = None
        if token is None and self._token is not None:
            log.info("publishing lost to another", publisher=self._name)
            self._token = None
        return token is not None

    def _tidy(self) -> None:
        """Forget what was published long ago, now and then while nothing waits."""
        if self._clock() - self._tidied_at < TIDY_SECONDS:
            return
        self._tidied_at = self._clock()
        forgotten = self._queue.forget_published(older_than_seconds=KEEP_SECONDS)
        if forgotten:
            log.info("old events forgotten", events=forgotten)

    def _lead(self) -> int | None:
        """Take or prolong the lease; its token."""
        before = self._clock()
        token = self._queue.lead_publishing(self._name, seconds=self._lead_seconds)
        self._proven_at = before
        return token

    def _published_or_paused(self, pause: float) -> float:
        """Publish once; for how long to wait before the next time."""
        self._metrics.loop_turned("publisher")
        followed_since, self._followed_since = self._followed_since, None
        try:
            sent = self.publish_pending()
        except LeaseLost as error:
            log.info("publishing lost to another", publisher=self._name, reason=error.message)
            return FOLLOW_SECONDS
        except (TransientError, NotReady) as error:
            self._outage.noticed(error)
            self._metrics.publishing_failed()
            self.resign()  # another may have a better way to the broker
            return min(max(LOOK_SECONDS, pause * 2), LONGEST_PAUSE_SECONDS)
        except Exception:
            log.exception("publisher broke")
            self._metrics.publishing_failed()
            self.resign()
            return LONGEST_PAUSE_SECONDS
        if sent is None:  # which alone says nothing of whether the other one can
            self._followed_since = self._clock() if followed_since is None else followed_since
            if self._clock() - self._followed_since >= LED_SECONDS:
                self._outage.ended("events published by another")
            return FOLLOW_SECONDS
        self._outage.ended()
        return 0.0 if sent else LOOK_SECONDS


def lead_seconds(settings: Settings) -> float:
    """Shorter leases of jobs (in trials) mean shorter leads too."""
    return min(LEAD_SECONDS, settings.lease_seconds)


def publish_until(
    stop: StopEvent,
    queue: JobQueue,
    sink: EventSink,
    *,
    lead_seconds: float = LEAD_SECONDS,
    reached: Reached = lambda _place: None,
) -> None:
    """Run a new publisher until the stop is set and nothing waits that it may send."""
    Publisher(queue, sink, name=_new_name(), lead_seconds=lead_seconds, reached=reached).run_until(stop)


def publish_once(queue: JobQueue, sink: EventSink) -> int:
    """Send everything that waits now; how many events it was.

    Raises Refused `publishing_elsewhere` where another publisher leads, LeaseLost, TransientError, NotReady.
    """
    publisher = Publisher(queue, sink, name=_new_name())
    total = 0
    try:
        while sent := publisher.publish_pending():
            total += sent
    finally:
        publisher.resign()
    if sent is None:
        raise Refused("another publisher of this installation runs and sends what waits", code="publishing_elsewhere")
    return total


def _new_name() -> str:
    """Unique among all publishers that ever were, and readable."""
    return f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(4)}"
