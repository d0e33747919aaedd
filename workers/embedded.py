"""The workers as the settings say, and those of the embedded service as threads of one process."""

from __future__ import annotations

import os
import secrets
import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from threading import Event as StopEvent

import structlog

from adapters.devices import CPU, Device, chosen_devices
from adapters.glossaries import show_glossary
from adapters.settings import Settings
from adapters.wiring import (
    MOST_THREADS,
    check_models,
    open_dead_letters,
    open_drop_box,
    open_ledger,
    open_sink,
    open_source,
    open_store,
    open_webhooks,
)
from schemas.errors import NotReady, OptionError
from schemas.topics import Topic
from transcription.drops import drop_place
from transcription.ports import JobQueue, Store
from workers.child import ChildEngine
from workers.crashpoints import crash_points
from workers.crew import Crew
from workers.deadlines import Deadlines
from workers.idleness import Idleness
from workers.inbox import Inbox, InboxRules, watch_until
from workers.intake import Intake, take_until
from workers.publisher import lead_seconds, publish_until
from workers.reconciler import Reconciler, reconcile_until
from workers.scratch import WorkerScratch
from workers.taking_in import DropRules, TakeIn
from workers.transcriber import Pace, Supervisor, new_worker_name
from workers.webhooks import deliverer_of

log = structlog.get_logger()

#: A supervisor that is asked to stop asks its child (3 s), hands the job back and ends.
STOP_SECONDS = 8.0


def crew_of(
    settings: Settings,
    queue: JobQueue,
    store: Store,
    stop: StopEvent,
    *,
    hurry: StopEvent | None = None,
    grace_seconds: float = 0.0,
) -> Crew:
    """A supervisor with a real engine child for every device, as the settings say."""
    devices = chosen_devices(settings.devices, device=settings.device, environ=os.environ)
    idleness = Idleness()

    def supervisor(device: Device) -> Supervisor:
        worker, own = new_worker_name(), _share(settings, device, of=len(devices))
        return Supervisor(
            queue=queue,
            store=store,
            start_engine=lambda: ChildEngine(own, environ=device.environ),
            start_preparer=lambda: ChildEngine(own, environ=CPU.environ),
            scratch=WorkerScratch(settings.scratch_folder, worker),
            worker=worker,
            pace=Pace(lease=settings.lease_seconds, heartbeat=settings.heartbeat_seconds),
            stop=stop,
            hurry=hurry,
            grace_seconds=grace_seconds,
            device=device.name,
            idleness=idleness,
            deadlines=Deadlines(decode_seconds=settings.decode_timeout_seconds),
            reached=crash_points(settings),
        )

    return Crew([supervisor(device) for device in devices], stop)


def _share(settings: Settings, device: Device, *, of: int) -> Settings:
    """The settings of one device's engine: its share of the processor, and no other kind of device in its place."""
    kind = "cpu" if device is CPU else "cuda" if settings.devices else settings.device
    threads = settings.threads or max(1, min(MOST_THREADS, (os.cpu_count() or 1) // of))
    return replace(settings, device=kind, threads=threads)


def inbox_of(settings: Settings, queue: JobQueue, store: Store) -> Inbox | None:
    """The watched folder of the settings, made when it is missing."""
    if settings.inbox is None:
        return None
    folder = settings.inbox.expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotReady(f"{folder}: cannot be made: {error.strerror}", code="inbox_unreadable") from error
    rules = InboxRules(
        models=settings.models,
        max_bytes=settings.max_upload_bytes,
        check_models=lambda models, language: check_models(settings, models, language),
        glossary_of=lambda show: show_glossary(settings.glossaries, show),
    )
    return Inbox(folder, queue=queue, store=store, rules=rules, new_id=lambda: str(uuid.uuid4()))


def take_in_of(settings: Settings, queue: JobQueue) -> TakeIn:
    """Takes in what lies in the bucket of the settings. Raises OptionError where they name none."""
    place, drops = drop_place(settings.drop_url, settings.store_url), open_drop_box(settings)
    if place is None or drops is None:
        raise OptionError(
            "STENOCAST_DROP_URL='': name the bucket that producers drop into, as s3://bucket or s3://bucket/prefix",
            code="bad_setting",
            field="drop_url",
        )
    rules = DropRules(
        place=place,
        models=settings.models,
        max_bytes=settings.max_upload_bytes,
        check_models=lambda models, language: check_models(settings, models, language),
        glossary_of=lambda show: show_glossary(settings.glossaries, show),
    )
    return TakeIn(queue=queue, drops=drops, rules=rules, new_id=lambda: str(uuid.uuid4()), new_trace=new_trace)


def intake_of(settings: Settings, queue: JobQueue, store: Store) -> Intake:
    """One more intake on the topics of the settings. Raises OptionError, NotReady."""
    return Intake(
        source=open_source(settings, [Topic.EPISODES, Topic.BUCKET_EVENTS]),
        take_in=take_in_of(settings, queue),
        dead_letters=open_dead_letters(settings),
        store=store,
        reached=crash_points(settings),
    )


def reconciler_of(settings: Settings, queue: JobQueue, store: Store) -> Reconciler:
    """A reconciler of the store, and of the bucket that producers drop into where there is one."""
    has_bucket = drop_place(settings.drop_url, settings.store_url) is not None
    return Reconciler(
        queue=queue,
        store=store,
        take_in=take_in_of(settings, queue) if has_bucket else None,
        grace_seconds=settings.garbage_seconds,
    )


def new_trace() -> str:
    """The W3C trace context of a request that came without one, marked as sampled."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


class BackgroundWorkers:
    """Everything that works beside the API in `stenocast serve`. Ends with `stop`, or with the process."""

    def __init__(self, settings: Settings) -> None:
        self._stop = StopEvent()
        queue, store, sink = open_ledger(settings), open_store(settings), open_sink(settings)
        crew = crew_of(settings, queue, store, self._stop)
        reached, lead = crash_points(settings), lead_seconds(settings)
        self._threads = [
            self._thread("supervisors", crew.run),
            self._thread(
                "publisher", lambda: publish_until(self._stop, queue, sink, lead_seconds=lead, reached=reached)
            ),
        ]
        deliverer = deliverer_of(settings, open_webhooks(settings))
        self._threads.append(self._thread("webhooks", lambda: deliverer.run_until(self._stop)))
        inbox = inbox_of(settings, queue, store)
        if inbox is not None:
            self._threads.append(self._thread("inbox", lambda: watch_until(self._stop, inbox)))
        if settings.kafka_bootstrap and drop_place(settings.drop_url, settings.store_url) is not None:
            intake = intake_of(settings, queue, store)
            self._threads.append(self._thread("intake", lambda: take_until(self._stop, intake)))
        reconciler = reconciler_of(settings, queue, store)
        every = settings.reconcile_seconds
        self._threads.append(self._thread("reconciler", lambda: reconcile_until(self._stop, reconciler, every=every)))

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Hand a running job back and wait for the threads, at most `STOP_SECONDS`."""
        self._stop.set()
        for thread in self._threads:
            thread.join(STOP_SECONDS)

    def lacking(self) -> list[str]:
        """What of the workers no longer runs: part of the service's readiness."""
        return [f"the thread {each.name} ended; see the log" for each in self._threads if not each.is_alive()]

    @staticmethod
    def _thread(name: str, work: Callable[[], None]) -> threading.Thread:
        def logged() -> None:
            try:
                work()
            except Exception:
                log.exception("worker thread ended", thread=name)

        return threading.Thread(target=logged, name=name, daemon=True)
