"""`stenocast publish`: send the events that wait to where they go."""

from __future__ import annotations

from typing import Annotated

import typer


def publish(
    once: Annotated[bool, typer.Option("--once", help="Send what waits now, and end.")] = False,
) -> None:
    """Send events to Kafka (or, without it, to the event log) until stopped. Several may run; one of them sends."""
    from adapters.metrics import process_metrics
    from adapters.settings import read_settings
    from adapters.wiring import open_ledger, open_sink
    from cli.intake import stop_on_signals
    from cli.observed import health_door, observe, unreachable
    from workers.crashpoints import crash_points
    from workers.publisher import lead_seconds, publish_once, publish_until

    settings = read_settings()
    observe(settings, "publisher")
    queue, sink = open_ledger(settings), open_sink(settings)
    if once:
        sent = publish_once(queue, sink)
        print(f"{sent} events published")
        return
    process_metrics().watch_ledger(queue.backlog)
    stop, lead = stop_on_signals(), lead_seconds(settings)
    with health_door(settings, lambda: unreachable(queue)):
        publish_until(stop, queue, sink, lead_seconds=lead, reached=crash_points(settings))
