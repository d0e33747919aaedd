"""The time between the request to stop and the end: a worker that is nearly through may use it to finish."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event as StopEvent

#: Of the grace period kept for leaving the job: the child is asked for 3 s, then killed, and the job handed back.
RESERVE_SECONDS = 5.0


class Stopping:
    """`stop` asks the worker to end within `grace_seconds`; `hurry` ends the grace. Both are set from any thread."""

    def __init__(
        self,
        stop: StopEvent,
        *,
        hurry: StopEvent | None = None,
        grace_seconds: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stop = stop
        self._hurry = hurry or StopEvent()
        self._grace_seconds = grace_seconds
        self._clock = clock
        self._asked_at: float | None = None

    @property
    def is_asked(self) -> bool:
        return self._stop.is_set()

    def seconds_left(self) -> float:
        """What a job may still take: without end while nobody asks to stop, negative once the grace is over."""
        if not self._stop.is_set():
            return float("inf")
        if self._asked_at is None:
            self._asked_at = self._clock()
        if self._hurry.is_set():
            return -1.0
        return self._asked_at + self._grace_seconds - RESERVE_SECONDS - self._clock()

    def wait(self, seconds: float) -> bool:
        """Wait, but not past the end; whether the time is over."""
        (self._hurry if self._stop.is_set() else self._stop).wait(max(0.0, min(seconds, self.seconds_left())))
        return self.seconds_left() <= 0
