"""The publisher: sends outbox rows in order and marks each once it is durable where it went.

A crash between the two sends a row again, with the same event id. Several publishers may run: the worst they do is
to send an event twice, and each event's first copy still comes in order.
"""

from __future__ import annotations

from threading import Event as StopEvent

import structlog

from schemas.errors import NotReady, TransientError
from transcription.ports import EventSink, JobQueue
from workers.crashpoints import Reached

log = structlog.get_logger()

LOOK_SECONDS = 0.3  #: how long an event waits for its publisher at most
LONGEST_PAUSE_SECONDS = 10.0
BATCH = 100


def publish_pending(queue: JobQueue, sink: EventSink, *, reached: Reached = lambda _place: None) -> int:
    """Send what waits, at most `BATCH` events; how many it was."""
    waiting = queue.pending_events(limit=BATCH)
    if not waiting:
        return 0
    reached("before_publish")
    sink.send([event for _, event in waiting])
    reached("after_send")
    queue.mark_published([number for number, _ in waiting])
    return len(waiting)


def publish_until(
    stop: StopEvent, queue: JobQueue, sink: EventSink, *, reached: Reached = lambda _place: None
) -> None:
    """Publish until the stop is set, and then what still waits."""
    pause = 0.0
    while not stop.wait(pause):
        pause = _published_or_paused(queue, sink, reached, pause)
    while _published_or_paused(queue, sink, reached, LOOK_SECONDS) == 0.0:
        continue


def _published_or_paused(queue: JobQueue, sink: EventSink, reached: Reached, pause: float) -> float:
    """Publish once; for how long to wait before the next time."""
    try:
        sent = publish_pending(queue, sink, reached=reached)
    except (TransientError, NotReady) as error:
        log.warning("events not published", code=error.code, reason=error.message)
        return min(max(LOOK_SECONDS, pause * 2), LONGEST_PAUSE_SECONDS)
    except Exception:
        log.exception("publisher broke")
        return LONGEST_PAUSE_SECONDS
    return 0.0 if sent else LOOK_SECONDS
