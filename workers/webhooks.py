"""The deliverer: sends what waits for webhooks, each event until its receiver says 2xx or three days are over.

It runs beside the publisher and in `stenocast serve`, in threads of its own, and any number of them may run: the
lease of a webhook has one at a time send to it, in the order of the events. A crash between the receiver's answer and
the mark sends the event again, with the same `webhook-id`: receivers know events by it.

A receiver that hangs holds up what is for itself alone: half of the threads serve only webhooks whose last try went
well, so that those that fail, however many, never take all of them.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from threading import Event as StopEvent

import structlog

from adapters.metrics import Metrics, WebhookOutcome, process_metrics
from adapters.settings import Settings
from adapters.tracing import Tracing, process_tracing
from schemas.errors import NotReady, StenocastError, TransientError
from schemas.webhook import Answer, DeliveryState
from transcription.deliveries import after_try
from transcription.ports import AfterTry, DueDelivery, WebhookLedger
from workers.crashpoints import Reached, crash_points
from workers.outage import Outage

log = structlog.get_logger()

LOOK_SECONDS = 0.5  #: how long an event waits for its deliverer at most
LEASE_SECONDS = 30.0  #: of a webhook: twice what a try may take, and looking for an address on top
MOST_AT_ONCE = 16  #: webhooks that one process sends to at the same time
LONGEST_PAUSE_SECONDS = 10.0  #: between two looks while the ledger is away
TIDY_SECONDS = 60.0
#: For tries in flight to end when the process is asked to; what is not answered by then is sent again by the next.
STOP_SECONDS = 3.0

#: Sends a delivery once.
Send = Callable[[DueDelivery], Answer]


class Deliverer:
    """One deliverer. `run_until` is for one thread, which starts the others."""

    def __init__(
        self,
        webhooks: WebhookLedger,
        send: Send,
        *,
        lease_seconds: float = LEASE_SECONDS,
        most_at_once: int = MOST_AT_ONCE,
        jitter: Callable[[], float] = random.random,
        reached: Reached = lambda _place: None,
        clock: Callable[[], float] = time.monotonic,
        metrics: Metrics | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self._webhooks = webhooks
        self._send = send
        self._lease_seconds = lease_seconds
        self._most_at_once = most_at_once
        self._jitter = jitter
        self._reached = reached
        self._clock = clock
        self._metrics = metrics or process_metrics()
        self._tracing = tracing or process_tracing()
        self._lock = threading.Lock()
        self._in_flight: set[threading.Thread] = set()
        self._failing_in_flight = 0
        self._something_ended = threading.Event()
        self._failing: dict[str, Outage] = {}  # by webhook
        self._outage = Outage("webhooks not looked at", over="webhooks looked at again", clock=clock)
        self._tidied_at = clock()

    def run_until(self, stop: StopEvent) -> None:
        """Deliver until the stop is set; what is in flight then has `STOP_SECONDS` to end."""
        pause = 0.0
        while not stop.is_set():
            pause = self._look(pause)
            self._something_ended.wait(pause)
            self._something_ended.clear()
        ends = self._clock() + STOP_SECONDS
        for thread in self._threads():
            thread.join(max(0.0, ends - self._clock()))

    def deliver_due(self, *, most_seconds: float = float("inf")) -> int:
        """Try what is due now, one after the other; how many events were delivered.

        After `most_seconds` no more is tried: receivers that hang may have much waiting for them. Raises
        TransientError, NotReady.
        """
        delivered, ends = 0, self._clock() + most_seconds
        while self._clock() < ends and (due := self._webhooks.claim(lease_seconds=self._lease_seconds)) is not None:
            delivered += self._try(due).state is DeliveryState.DELIVERED
        return delivered

    def _look(self, pause: float) -> float:
        """Start what can be started; for how long to wait before the next look."""
        self._metrics.loop_turned("webhooks")
        try:
            while (due := self._claim()) is not None:
                self._start(due)
            self._tidy()
        except (TransientError, NotReady) as error:
            self._outage.noticed(error)
            return min(max(LOOK_SECONDS, pause * 2), LONGEST_PAUSE_SECONDS)
        except Exception:
            log.exception("deliverer broke")
            return LONGEST_PAUSE_SECONDS
        self._outage.ended()
        return LOOK_SECONDS

    def _claim(self) -> DueDelivery | None:
        with self._lock:
            if len(self._in_flight) >= self._most_at_once:
                return None
            healthy_only = self._failing_in_flight >= self._most_at_once // 2
        return self._webhooks.claim(lease_seconds=self._lease_seconds, healthy_only=healthy_only)

    def _start(self, due: DueDelivery) -> None:
        """Try it in a thread of its own, which does not keep the process from ending."""
        fails = due.webhook.failing_since is not None

        def work() -> None:
            try:
                self._try(due)
            except StenocastError as error:  # it is tried again when the lease is over
                self._outage.noticed(error)
            except Exception:
                log.exception("delivery broke", webhook_id=due.webhook.id, event_id=due.event.id)
            finally:
                with self._lock:
                    self._in_flight.discard(thread)
                    self._failing_in_flight -= fails
                self._something_ended.set()

        thread = threading.Thread(target=work, name=f"webhook {due.webhook.id[:8]}", daemon=True)
        with self._lock:
            self._in_flight.add(thread)
            self._failing_in_flight += fails
        thread.start()

    def _threads(self) -> list[threading.Thread]:
        with self._lock:
            return list(self._in_flight)

    def _try(self, due: DueDelivery) -> AfterTry:
        """Send once and note what it led to. Raises what the ledger does."""
        self._reached("before_delivery")
        answer = self._sent(due)
        self._reached("after_delivery")
        after = after_try(answer, tries=due.tries, age_seconds=due.age_seconds, jitter=self._jitter())
        if self._webhooks.settle(due, after):
            self._tell(due, answer, after)
        return after

    def _sent(self, due: DueDelivery) -> Answer:
        event = due.event
        with self._tracing.begin(
            f"deliver {event.type}", parent=event.traceparent, attributes={"episode_id": event.subject}
        ):
            try:
                return self._send(due)
            except Exception:  # a defect of ours must follow the schedule too, and not come back with every lease
                log.exception("sending broke", webhook_id=due.webhook.id, event_id=event.id)
                return Answer(code="internal_error", message="something went wrong on our side")

    def _tell(self, due: DueDelivery, answer: Answer, after: AfterTry) -> None:
        self._metrics.webhook_tried(_outcome(after))
        said = log.bind(webhook_id=due.webhook.id, event_id=due.event.id, code=after.code, status=after.status)
        if after.state is DeliveryState.DELIVERED:
            if (outage := self._failing.pop(due.webhook.id, None)) is not None:
                outage.ended()
            said.info("event delivered", tries=due.tries + 1)
            return
        if after.disables:
            said.warning("webhook disabled: its receiver answered 410")
        elif after.state is DeliveryState.GIVEN_UP:
            said.warning("delivery given up", tries=due.tries + 1)
        outage = self._failing.get(due.webhook.id) or self._new_outage(due)
        self._failing[due.webhook.id] = outage
        # The answer's own sentence names the address, in which there may be a key: that is for who asks about it.
        status = "no answer" if answer.status is None else f"answered {answer.status}"
        outage.noticed(TransientError(status, code=answer.code))

    def _new_outage(self, due: DueDelivery) -> Outage:
        webhook_id = due.webhook.id
        return Outage("webhook fails", over="webhook works again", clock=self._clock, webhook_id=webhook_id)

    def _tidy(self) -> None:
        if self._clock() - self._tidied_at < TIDY_SECONDS:
            return
        self._tidied_at = self._clock()
        ended = self._webhooks.tidy()
        if ended:
            log.info("deliveries to disabled or removed webhooks given up", deliveries=ended)


def _outcome(after: AfterTry) -> WebhookOutcome:
    if after.disables:
        return WebhookOutcome.GONE
    return {
        DeliveryState.DELIVERED: WebhookOutcome.DELIVERED,
        DeliveryState.GIVEN_UP: WebhookOutcome.GIVEN_UP,
        DeliveryState.WAITING: WebhookOutcome.FAILED,
    }[after.state]


def lease_seconds(settings: Settings) -> float:
    """Shorter leases of jobs (in trials) mean shorter leases of webhooks too, and a try takes half of one at most."""
    return min(LEASE_SECONDS, settings.lease_seconds)


def deliverer_of(settings: Settings, webhooks: WebhookLedger) -> Deliverer:
    """A deliverer as the settings say. Nothing is connected yet."""
    from adapters.wiring import open_webhook_sender

    lease = lease_seconds(settings)
    sender = open_webhook_sender(settings, total_seconds=lease / 2)
    return Deliverer(
        webhooks,
        lambda due: sender.send(due.webhook.url, due.event, secrets=due.secrets),
        lease_seconds=lease,
        reached=crash_points(settings),
    )
