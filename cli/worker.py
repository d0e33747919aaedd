"""`stenocast worker`: one more worker on the ledger of the settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from adapters.settings import Settings
    from transcription.ports import JobQueue


def worker(
    once: Annotated[bool, typer.Option("--once", help="Do one job, if there is one, and end.")] = False,
    exit_when_idle: Annotated[
        float | None, typer.Option(help="End after so many seconds without a job.", min=0.0, metavar="SECONDS")
    ] = None,
    models: Annotated[
        str, typer.Option(help="Load this model set before taking a job, and end if it cannot be loaded.")
    ] = "",
) -> None:
    """Transcribe queued jobs until stopped. Any number of workers may run beside each other and `serve`.

    On SIGTERM or Ctrl-C a job that will be done within STENOCAST_GRACE_SECONDS is finished, any other is handed back;
    a second one hands it back at once.
    """
    import signal
    import threading

    from adapters.settings import read_settings
    from adapters.wiring import check_models, open_ledger, open_store
    from cli.observed import health_door, observe, unreachable
    from workers.embedded import crew_of

    settings = read_settings()
    observe(settings, "worker")
    if models:
        check_models(settings, models)
    stop, hurry = threading.Event(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: (hurry if stop.is_set() else stop).set())
    queue, store = open_ledger(settings), open_store(settings)
    crew = crew_of(settings, queue, store, stop, hurry=hurry, grace_seconds=settings.grace_seconds)
    with (
        _published_meanwhile(settings, queue),
        health_door(settings, lambda: [*crew.lacking(), *unreachable(queue, store)]),
    ):
        crew.run(once=once, exit_when_idle=exit_when_idle, preload=models or None)


@contextmanager
def _published_meanwhile(settings: Settings, queue: JobQueue) -> Iterator[None]:
    """Without Kafka, a thread that publishes to the event log; with Kafka, publishing is the work of `stenocast
    publish` or `serve`, and a worker needs no way to the brokers."""
    import threading

    from adapters.wiring import open_sink
    from workers.crashpoints import crash_points
    from workers.publisher import lead_seconds, publish_until

    if settings.kafka_bootstrap:
        yield
        return
    stop = threading.Event()
    publisher = threading.Thread(
        target=publish_until,
        args=(stop, queue, open_sink(settings)),
        kwargs={"lead_seconds": lead_seconds(settings), "reached": crash_points(settings)},
        name="publisher",
        daemon=True,
    )
    publisher.start()
    try:
        yield
    finally:
        stop.set()
        publisher.join(timeout=5.0)
