"""Every metric of Stenocast, declared once: its kind, its unit and what makes it move.

`docs/operations.md` lists them for operators. A process has one `Metrics` (`process_metrics()`), as it has one log;
tests make their own. Each has a registry of its own, so that several in one process do not disturb each other.
Callers say what happened (`events_published(3)`), never which number to change. Labels come from closed sets of
words: no metric grows with the work.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

from schemas.errors import StenocastError
from transcription.ports import Backlog, WebhookBacklog

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

#: What Prometheus asks for and gets.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

#: Clock seconds of a stage: from a cached fetch to an hour of recognition.
STAGE_BUCKETS = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200)

#: Clock seconds per second of audio: 0.01 on a large GPU, 0.1 with the starter set on two cores, over 1 = too slow.
REAL_TIME_BUCKETS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5, 0.8, 1, 2, 5)

#: Clock seconds of a request: most are under 50 ms, an upload of gigabytes takes minutes.
HTTP_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 300)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Kind(StrEnum):
    COUNTER = "counter"  #: only rises; starts at zero with the process
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Outcome(StrEnum):
    """How an attempt ended."""

    DONE = "done"
    FAILED = "failed"  #: the job has ended with a code
    RETRYING = "retrying"  #: it failed and will be tried again
    CRASHED = "crashed"  #: the engine died or hung
    RELEASED = "released"  #: handed back without counting: the worker stops, or is not ready for it
    LOST = "lost"  #: cancelled, or the lease is another worker's by now


class TakenIn(StrEnum):
    """What intake or the reconciler made of one record or drop."""

    NEW = "new"  #: a job was added
    KNOWN = "known"  #: the job was there already
    SKIPPED = "skipped"  #: none of our business: a result of ours, a test event, no audio
    DEAD = "dead"  #: went to the dead letters


class WebhookOutcome(StrEnum):
    """What came of sending an event to a webhook once."""

    DELIVERED = "delivered"
    FAILED = "failed"  #: it is tried again
    GIVEN_UP = "given_up"  #: it failed until three days were over
    GONE = "gone"  #: the receiver answered 410, and its webhook is disabled


@dataclass(frozen=True, slots=True)
class Declared:
    """One metric. `name` is what Prometheus shows, unit and `_total` included."""

    name: str
    kind: Kind
    unit: str
    moved_by: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


def _counter(name: str, unit: str, moved_by: str, *labels: str) -> Declared:
    return Declared(name, Kind.COUNTER, unit, moved_by, labels)


def _gauge(name: str, unit: str, moved_by: str, *labels: str) -> Declared:
    return Declared(name, Kind.GAUGE, unit, moved_by, labels)


def _histogram(name: str, unit: str, moved_by: str, buckets: tuple[float, ...], *labels: str) -> Declared:
    return Declared(name, Kind.HISTOGRAM, unit, moved_by, labels, buckets)


# ---------------------------------------------------------------- the ledger's, read when Prometheus asks

LEDGER_UP = _gauge("stenocast_ledger_up", "0 or 1", "whether the ledger answered when this was asked")
QUEUE_JOBS = _gauge("stenocast_queue_jobs", "jobs", "jobs that wait (queued) or are worked on (running)", "state")
QUEUE_AUDIO = _gauge(
    "stenocast_queue_audio_seconds", "audio seconds", "the expected length of the audio of those jobs", "state"
)
QUEUE_OLDEST = _gauge(
    "stenocast_queue_oldest_seconds", "seconds", "the wait of the oldest job that could be claimed now"
)
OUTBOX_EVENTS = _gauge("stenocast_outbox_events", "events", "events that are written and not yet published")
OUTBOX_OLDEST = _gauge("stenocast_outbox_oldest_seconds", "seconds", "the wait of the oldest of them")

WEBHOOKS = _gauge(
    "stenocast_webhooks",
    "webhooks",
    "webhooks whose last try, if any, went well (`working`) or failed (`failing`), or that get nothing (`disabled`)",
    "state",
)
WEBHOOK_WAITING = _gauge(
    "stenocast_webhook_deliveries", "deliveries", "events that wait to be sent to an enabled webhook, now or later"
)
WEBHOOK_OLDEST = _gauge(
    "stenocast_webhook_oldest_due_seconds", "seconds", "for how long the first of them could have been sent"
)

# ---------------------------------------------------------------- the worker's

STAGE_SECONDS = _histogram(
    "stenocast_stage_seconds",
    "seconds",
    "a stage of an attempt ended, well or not; loading models is none",
    STAGE_BUCKETS,
    "stage",
)
REAL_TIME_FACTOR = _histogram(
    "stenocast_real_time_factor",
    "clock seconds per audio second",
    "a job was done; stages found in a checkpoint make it small",
    REAL_TIME_BUCKETS,
)
AUDIO_DONE = _counter("stenocast_audio_seconds_total", "audio seconds", "a job was done: its audio's length")
ATTEMPTS = _counter("stenocast_attempts_total", "attempts", "an attempt ended; `outcome` says how", "outcome")
LEASE_LOSSES = _counter(
    "stenocast_lease_losses_total", "leases", "a worker found its lease gone (a cancel counts too)"
)
ENGINE_RESTARTS = _counter(
    "stenocast_engine_restarts_total", "processes", "an engine child was replaced; `reason` is a code", "reason"
)
BATCH_HALVINGS = _counter(
    "stenocast_gpu_batch_halvings_total", "halvings", "GPU memory ran out and a batch was halved", "stage"
)

# ---------------------------------------------------------------- intake's and the reconciler's

INTAKE_RECORDS = _counter(
    "stenocast_intake_records_total",
    "records",
    "a record was taken in, its offset committed; `topic` is without the prefix",
    "topic",
    "outcome",
)
INTAKE_LAG = _gauge("stenocast_intake_lag_records", "records", "records on the topic behind our offset", "topic")
INTAKE_STALLED = _gauge(
    "stenocast_intake_stalled", "intakes", "1 while nothing can be taken in: broker, ledger or bucket is away"
)
DEAD_LETTERS = _counter(
    "stenocast_dead_letters_total", "records", "a record went to the dead letters; `reason` is a code", "reason"
)
RECONCILED = _counter(
    "stenocast_reconciled_drops_total", "drops", "the reconciler looked at a drop that no event announced", "outcome"
)

# ---------------------------------------------------------------- the publisher's

PUBLISHED = _counter("stenocast_published_events_total", "events", "events were sent and marked as published")
PUBLISH_FAILURES = _counter(
    "stenocast_publish_failures_total", "batches", "a batch could not be sent or marked; it is tried again"
)

# ---------------------------------------------------------------- the deliverer's

WEBHOOK_TRIES = _counter(
    "stenocast_webhook_tries_total",
    "tries",
    "an event was sent to a webhook; `outcome` says what came of it",
    "outcome",
)

# ---------------------------------------------------------------- the API's

HTTP_REQUESTS = _counter(
    "stenocast_http_requests_total",
    "requests",
    "a request was answered; `route` is the pattern, never the path",
    "method",
    "route",
    "status",
)
HTTP_SECONDS = _histogram(
    "stenocast_http_seconds", "seconds", "a request was answered: until its headers went out", HTTP_BUCKETS, "route"
)

# ---------------------------------------------------------------- every process's

BUILD = _gauge("stenocast_build", "always 1", "nothing: its labels say what runs here", "version", "role")
LOOP_AGE = _gauge(
    "stenocast_loop_age_seconds", "seconds", "since the loop last came round; `/healthz` looks at it", "loop"
)

DECLARED: tuple[Declared, ...] = tuple(each for each in list(vars().values()) if isinstance(each, Declared))


class Metrics:
    """The numbers of one process."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        from prometheus_client import CollectorRegistry, ProcessCollector

        self.registry = CollectorRegistry()
        self._clock = clock
        self._turned: dict[str, float] = {}
        self._ledger: _LedgerCollector | None = None
        self._webhooks: _WebhookCollector | None = None
        ProcessCollector(registry=self.registry)
        self._made = {each.name: _make(each, self.registry) for each in DECLARED if each not in _AT_SCRAPE}
        self.registry.register(_Computed(self._loop_ages))

    def text(self) -> bytes:
        """All of them, as Prometheus reads them."""
        from prometheus_client import generate_latest

        return generate_latest(self.registry)

    def runs(self, *, version: str, role: str) -> None:
        self._labelled(BUILD, version=version, role=role).set(1)

    def watch_ledger(self, backlog: Callable[[], Backlog]) -> None:
        """Show the backlog too, read whenever somebody asks for the metrics. A second call replaces the first."""
        if self._ledger is None:
            self._ledger = _LedgerCollector(backlog)
            self.registry.register(self._ledger)
        self._ledger.backlog = backlog

    def watch_webhooks(self, backlog: Callable[[], WebhookBacklog]) -> None:
        """Show how webhooks stand, read whenever somebody asks. A second call replaces the first."""
        if self._webhooks is None:
            self._webhooks = _WebhookCollector(backlog)
            self.registry.register(self._webhooks)
        self._webhooks.backlog = backlog

    # -- every loop

    def loop_turned(self, loop: str) -> None:
        """The loop of this name came round: it is alive. Waiting counts when it is called while waiting."""
        self._turned[loop] = self._clock()

    def loop_ages(self) -> dict[str, float]:
        """Seconds since each loop last came round."""
        now = self._clock()
        return {loop: now - turned for loop, turned in dict(self._turned).items()}

    # -- the worker

    def stage_ended(self, stage: str, seconds: float) -> None:
        self._labelled(STAGE_SECONDS, stage=stage).observe(seconds)

    def job_done(self, *, audio_seconds: float, seconds: float) -> None:
        """Beside `attempt_ended(Outcome.DONE)`: how long the audio was, and the attempt."""
        self._made[AUDIO_DONE.name].inc(audio_seconds)
        if audio_seconds > 0:
            self._made[REAL_TIME_FACTOR.name].observe(seconds / audio_seconds)

    def attempt_ended(self, outcome: Outcome) -> None:
        self._labelled(ATTEMPTS, outcome=outcome.value).inc()
        if outcome is Outcome.LOST:
            self._made[LEASE_LOSSES.name].inc()

    def engine_restarted(self, reason: str) -> None:
        self._labelled(ENGINE_RESTARTS, reason=reason).inc()

    def batch_halved(self, stage: str) -> None:
        self._labelled(BATCH_HALVINGS, stage=stage).inc()

    # -- intake and reconciler

    def record_taken_in(self, topic: str, outcome: TakenIn, count: int = 1) -> None:
        self._labelled(INTAKE_RECORDS, topic=topic, outcome=outcome.value).inc(count)

    def lag_seen(self, topic: str, records: int) -> None:
        self._labelled(INTAKE_LAG, topic=topic).set(records)

    def intake_stalled(self, is_stalled: bool) -> None:
        self._made[INTAKE_STALLED.name].set(int(is_stalled))

    def dead_lettered(self, reason: str) -> None:
        self._labelled(DEAD_LETTERS, reason=reason).inc()

    def drop_reconciled(self, outcome: TakenIn, count: int = 1) -> None:
        self._labelled(RECONCILED, outcome=outcome.value).inc(count)

    # -- the publisher

    def events_published(self, count: int) -> None:
        self._made[PUBLISHED.name].inc(count)

    def publishing_failed(self) -> None:
        self._made[PUBLISH_FAILURES.name].inc()

    # -- the deliverer

    def webhook_tried(self, outcome: WebhookOutcome) -> None:
        self._labelled(WEBHOOK_TRIES, outcome=outcome.value).inc()

    # -- the API

    def request_answered(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """`route` is the pattern that matched, or "none"; a method of the caller's invention counts as "other"."""
        method = method if method in METHODS else "other"
        self._labelled(HTTP_REQUESTS, method=method, route=route, status=str(status)).inc()
        self._labelled(HTTP_SECONDS, route=route).observe(seconds)

    def _labelled(self, declared: Declared, **labels: str) -> Any:
        return self._made[declared.name].labels(**labels)

    def _loop_ages(self) -> Iterable[Any]:
        yield _family(LOOP_AGE, [((loop,), age) for loop, age in self.loop_ages().items()])


@cache
def process_metrics() -> Metrics:
    """The metrics of this process, made when first asked for."""
    return Metrics()


#: Those that are computed when somebody asks, rather than kept.
_AT_SCRAPE = frozenset(
    {
        *(LEDGER_UP, QUEUE_JOBS, QUEUE_AUDIO, QUEUE_OLDEST, OUTBOX_EVENTS, OUTBOX_OLDEST),
        *(WEBHOOKS, WEBHOOK_WAITING, WEBHOOK_OLDEST),
        LOOP_AGE,
    }
)


class _Computed:
    """A collector of what a function yields. `describe` keeps the registry from calling it when it is registered."""

    def __init__(self, families: Callable[[], Iterable[Any]]) -> None:
        self._families = families

    def describe(self) -> list[Any]:
        return []

    def collect(self) -> Iterable[Any]:
        return self._families()


class _LedgerCollector(_Computed):
    """The backlog as gauges. A ledger that does not answer shows as `stenocast_ledger_up 0` and no other number:
    a queue of unknown length must not look empty."""

    def __init__(self, backlog: Callable[[], Backlog]) -> None:
        super().__init__(self._read)
        self.backlog = backlog

    def _read(self) -> Iterator[Any]:
        try:
            backlog = self.backlog()
        except StenocastError:
            yield _family(LEDGER_UP, [((), 0.0)])
            return
        yield _family(LEDGER_UP, [((), 1.0)])
        yield _family(QUEUE_JOBS, [(("queued",), backlog.queued_jobs), (("running",), backlog.running_jobs)])
        yield _family(
            QUEUE_AUDIO,
            [(("queued",), backlog.queued_audio_seconds), (("running",), backlog.running_audio_seconds)],
        )
        yield _family(QUEUE_OLDEST, [((), backlog.oldest_queued_seconds)])
        yield _family(OUTBOX_EVENTS, [((), backlog.unpublished_events)])
        yield _family(OUTBOX_OLDEST, [((), backlog.oldest_unpublished_seconds)])


class _WebhookCollector(_Computed):
    """How webhooks stand as gauges; nothing while the ledger does not answer, which has a gauge of its own."""

    def __init__(self, backlog: Callable[[], WebhookBacklog]) -> None:
        super().__init__(self._read)
        self.backlog = backlog

    def _read(self) -> Iterator[Any]:
        try:
            backlog = self.backlog()
        except StenocastError:
            return
        working = backlog.enabled - backlog.failing
        states = {"working": working, "failing": backlog.failing, "disabled": backlog.disabled}
        yield _family(WEBHOOKS, [((state,), count) for state, count in states.items()])
        yield _family(WEBHOOK_WAITING, [((), backlog.waiting)])
        yield _family(WEBHOOK_OLDEST, [((), backlog.oldest_due_seconds)])


def _family(declared: Declared, samples: Iterable[tuple[tuple[str, ...], float]]) -> Any:
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(declared.name, _help(declared), labels=declared.labels)
    for labels, value in samples:
        family.add_metric(labels, value)
    return family


def _make(declared: Declared, registry: CollectorRegistry) -> Any:
    from prometheus_client import Counter, Gauge, Histogram

    text = _help(declared)
    match declared.kind:
        case Kind.COUNTER:
            return Counter(declared.name, text, declared.labels, registry=registry)
        case Kind.GAUGE:
            return Gauge(declared.name, text, declared.labels, registry=registry)
        case Kind.HISTOGRAM:
            return Histogram(declared.name, text, declared.labels, registry=registry, buckets=declared.buckets)


def _help(declared: Declared) -> str:
    return f"{declared.moved_by} ({declared.unit})"
