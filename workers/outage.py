"""Says in the log that something a process needs is away: at once, then ever more rarely, and once that it is back.

A loop that tries again every second would fill the log with one sentence; one that is silent leaves its operator
without the reason.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from adapters.acceptance import printable
from schemas.errors import StenocastError

log = structlog.get_logger()

FIRST_AGAIN_SECONDS = 10.0  #: from the first line to the second; doubles with each
LONGEST_AGAIN_SECONDS = 300.0  #: so that the newest page of any log still has the reason


class Outage:
    """One thing that a loop needs. `event` is what the log says while it is away, `over` once it is back.

    `fields` are on every line.
    """

    def __init__(
        self, event: str, *, over: str, clock: Callable[[], float] = time.monotonic, **fields: object
    ) -> None:
        self._log = log.bind(**fields)
        self._event = event
        self._over = over
        self._clock = clock
        self._code: str | None = None  #: of the latest error; None = all is well
        self._began = 0.0
        self._next_line = 0.0
        self._again = FIRST_AGAIN_SECONDS

    @property
    def lasts(self) -> bool:
        return self._code is not None

    def noticed(self, error: StenocastError) -> None:
        """Say why, where that is new or was not said for a while."""
        now = self._clock()
        if self._code is None:
            self._began = now
        if error.code != self._code:
            self._next_line, self._again = now, FIRST_AGAIN_SECONDS
        self._code = error.code
        if now < self._next_line:
            return
        self._log.warning(
            self._event, code=error.code, reason=printable(error.message), seconds=round(now - self._began, 1)
        )
        self._next_line = now + self._again
        self._again = min(self._again * 2, LONGEST_AGAIN_SECONDS)

    def ended(self, over: str | None = None) -> None:
        """Say that it is back, where it was away; in other words than always, where `over` has them."""
        if self._code is not None:
            self._log.info(over or self._over, seconds=round(self._clock() - self._began, 1))
            self._code = None
