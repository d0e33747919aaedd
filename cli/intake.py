"""`stenocast intake` and `stenocast reconcile`: from what producers drop into the bucket to jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from threading import Event as StopEvent

#: A process that was asked to stop and waits for a server that does not answer ends after so many seconds all the
#: same: whatever it was at comes again.
STOP_SECONDS = 8.0


def intake(
    exit_when_idle: Annotated[
        float | None, typer.Option(help="End after so many seconds without a record.", min=0.0, metavar="SECONDS")
    ] = None,
) -> None:
    """Take in what Kafka announces: producers' events and the notifications of their bucket. Any number may run."""
    import structlog

    from adapters.settings import read_settings
    from adapters.wiring import check_models, open_ledger, open_store
    from cli.observed import health_door, observe, unreachable
    from workers.embedded import intake_of
    from workers.intake import take_until

    settings = read_settings()
    observe(settings, "intake")
    check_models(settings, settings.models)
    stop = stop_on_signals()
    queue, store = open_ledger(settings), open_store(settings)
    member = intake_of(settings, queue, store)
    # The first answer of a broker may take some seconds: until then this says where it is awaited.
    structlog.get_logger().info("intake started", kafka=settings.kafka_bootstrap, group=settings.kafka_group)
    with health_door(settings, lambda: unreachable(queue, store)):
        take_until(stop, member, exit_when_idle=exit_when_idle)


def reconcile(
    once: Annotated[bool, typer.Option("--once", help="Look once, print what was found, and end.")] = False,
    every: Annotated[
        float | None,
        typer.Option(help="Seconds between two looks.", min=0.1, metavar="SECONDS", show_default="300"),
    ] = None,
) -> None:
    """Take in what lies in the bucket and no event announced; remove what attempts lost. Any number may run."""
    import json
    from dataclasses import asdict

    from adapters.settings import read_settings
    from adapters.wiring import check_models, open_ledger, open_store
    from cli.observed import health_door, observe, unreachable
    from workers.embedded import reconciler_of
    from workers.reconciler import reconcile_until

    settings = read_settings()
    observe(settings, "reconciler")
    check_models(settings, settings.models)
    stop = stop_on_signals()
    queue, store = open_ledger(settings), open_store(settings)
    reconciler = reconciler_of(settings, queue, store)
    if once:
        print(json.dumps(asdict(reconciler.look(stop))))
        return
    with health_door(settings, lambda: unreachable(queue, store)):
        reconcile_until(stop, reconciler, every=every or settings.reconcile_seconds)


def stop_on_signals() -> StopEvent:
    """Set by SIGTERM and Ctrl-C; the process ends within `STOP_SECONDS` of either."""
    import os
    import signal
    import threading

    stop = threading.Event()

    def ask(_number: int, _frame: object) -> None:
        stop.set()
        last = threading.Timer(STOP_SECONDS, os._exit, (0,))
        last.daemon = True
        last.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    return stop
