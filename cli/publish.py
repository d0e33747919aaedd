"""`stenocast publish`: send the events that wait to where they go."""

from __future__ import annotations

from typing import Annotated

import typer

#: What `--once` tries to deliver to webhooks, at most.
ONCE_SECONDS = 60.0


def publish(
    once: Annotated[
        bool, typer.Option("--once", help="Send what waits now, to webhooks for a minute at most, and end.")
    ] = False,
) -> None:
    """Send events to Kafka (or, without it, to the event log) and to webhooks, until stopped. Several may run."""
    import threading

    from adapters.metrics import process_metrics
    from adapters.settings import read_settings
    from adapters.wiring import open_ledger, open_sink, open_webhooks
    from cli.intake import stop_on_signals
    from cli.observed import health_door, observe, unreachable
    from workers.crashpoints import crash_points
    from workers.publisher import lead_seconds, publish_once, publish_until
    from workers.webhooks import deliverer_of

    settings = read_settings()
    observe(settings, "publisher")
    queue, sink, webhooks = open_ledger(settings), open_sink(settings), open_webhooks(settings)
    deliverer = deliverer_of(settings, webhooks)
    if once:
        sent = publish_once(queue, sink)
        print(f"{sent} events published")
        if delivered := deliverer.deliver_due(most_seconds=ONCE_SECONDS):
            print(f"{delivered} events delivered to webhooks")
        return
    process_metrics().watch_ledger(queue.backlog)
    process_metrics().watch_webhooks(webhooks.backlog)
    stop, lead = stop_on_signals(), lead_seconds(settings)
    delivering = threading.Thread(target=deliverer.run_until, args=(stop,), name="webhooks", daemon=True)
    with health_door(settings, lambda: unreachable(queue)):
        delivering.start()
        publish_until(stop, queue, sink, lead_seconds=lead, reached=crash_points(settings))
        delivering.join()
