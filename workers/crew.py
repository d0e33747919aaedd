"""The supervisors of one worker process, one to a device, each with an engine child of its own."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from threading import Event as StopEvent

from workers.transcriber import Supervisor


class Crew:
    """Runs every supervisor in a thread until all have ended. The first error ends them all."""

    def __init__(self, supervisors: Sequence[Supervisor], stop: StopEvent) -> None:
        self._supervisors = supervisors
        self._stop = stop
        self._error: BaseException | None = None

    def run(self, *, once: bool = False, exit_when_idle: float | None = None, preload: str | None = None) -> None:
        """As `Supervisor.run`. With `once` the first device alone does the one job."""
        if once or len(self._supervisors) == 1:
            self._supervisors[0].run(once=once, exit_when_idle=exit_when_idle, preload=preload)
            return
        threads = [
            threading.Thread(target=self._run_one, args=(each, exit_when_idle, preload), name=f"supervisor-{i}")
            for i, each in enumerate(self._supervisors)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._error is not None:
            raise self._error

    def lacking(self) -> list[str]:
        """What keeps any of them from its work: part of the process's readiness."""
        return [said for each in self._supervisors if (said := each.lacking) is not None]

    def _run_one(self, supervisor: Supervisor, exit_when_idle: float | None, preload: str | None) -> None:
        try:
            supervisor.run(exit_when_idle=exit_when_idle, preload=preload)
        except BaseException as error:
            self._error = self._error or error
            self._stop.set()
