"""`stenocast worker`: one more worker on the ledger of the settings."""

from __future__ import annotations

from typing import Annotated

import typer


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
    from adapters.wiring import check_models, open_ledger, open_sink, open_store
    from cli.observed import health_door, observe, unreachable
    from workers.crashpoints import crash_points
    from workers.embedded import crew_of
    from workers.publisher import lead_seconds, publish_until

    settings = read_settings()
    observe(settings, "worker")
    if models:
        check_models(settings, models)
    stop, hurry, publisher_stop = threading.Event(), threading.Event(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: (hurry if stop.is_set() else stop).set())
    queue, store = open_ledger(settings), open_store(settings)
    crew = crew_of(settings, queue, store, stop, hurry=hurry, grace_seconds=settings.grace_seconds)
    # With Kafka, publishing is the work of `stenocast publish` or `serve`: a worker needs no way to the brokers.
    publishers = (
        []
        if settings.kafka_bootstrap
        else [
            threading.Thread(
                target=publish_until,
                args=(publisher_stop, queue, open_sink(settings)),
                kwargs={"lead_seconds": lead_seconds(settings), "reached": crash_points(settings)},
                name="publisher",
                daemon=True,
            )
        ]
    )
    for each in publishers:
        each.start()
    try:
        with health_door(settings, lambda: [*crew.lacking(), *unreachable(queue, store)]):
            crew.run(once=once, exit_when_idle=exit_when_idle, preload=models or None)
    finally:
        publisher_stop.set()
        for each in publishers:
            each.join(timeout=5.0)
