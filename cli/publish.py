"""`stenocast publish`: send the events that wait to where they go."""

from __future__ import annotations

from typing import Annotated

import typer


def publish(
    once: Annotated[bool, typer.Option("--once", help="Send what waits now, and end.")] = False,
) -> None:
    """Send events to Kafka (or, without it, to the event log) until stopped. Several may run; one of them sends."""
    from adapters.logs import configure_logs
    from adapters.settings import read_settings
    from adapters.wiring import open_ledger, open_sink
    from cli.intake import stop_on_signals
    from workers.crashpoints import crash_points
    from workers.publisher import lead_seconds, publish_once, publish_until

    settings = read_settings()
    configure_logs(settings.log_format)
    queue, sink = open_ledger(settings), open_sink(settings)
    if once:
        sent = publish_once(queue, sink)
        print(f"{sent} events published")
        return
    publish_until(stop_on_signals(), queue, sink, lead_seconds=lead_seconds(settings), reached=crash_points(settings))
