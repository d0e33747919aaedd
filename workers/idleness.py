"""For how long a worker has had nothing to do, all its devices together."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock


class Idleness:
    """Shared by the supervisors of one process: it may end only when none of them had a job for a while.

    A device that is out of work while another still has some goes on asking: the process lives on anyway.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._working = 0
        self._since = clock()

    @contextmanager
    def interrupted(self) -> Iterator[None]:
        """Somebody works meanwhile."""
        with self._lock:
            self._working += 1
        try:
            yield
        finally:
            with self._lock:
                self._working -= 1
                self._since = self._clock()

    def is_at_least(self, seconds: float) -> bool:
        """Whether nobody works and nobody did for so long."""
        with self._lock:
            return not self._working and self._clock() - self._since >= seconds
