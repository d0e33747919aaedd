"""Named places where a test lets a process die as if by `kill -9`.

`STENOCAST_CRASH_AT=after_put` kills the process that comes by `after_put`; `worker:after_put` kills the supervisor
too, when the place is in the engine child. Honoured only where scripted engines are allowed, never in production.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from adapters.settings import Settings
from schemas.errors import OptionError
from schemas.job import Progress, Stage

#: In the order in which a job passes them.
CRASH_POINTS = (
    "after_claim",
    "after_fetch",
    "after_decode",
    "after_window",  # in recognition, with part of it done
    "after_recognize",
    "after_diarize",
    "before_put",
    "after_put",
    "before_finish",
    "after_finish",
    "before_publish",
    "after_send",
)

#: Where an intake passes with each batch.
INTAKE_POINTS = ("after_take_in", "before_commit")

#: Called with the name of the place that was reached.
Reached = Callable[[str], None]


def crash_points(settings: Settings, *, supervisor: int | None = None) -> Reached:
    """What to call at each place. `supervisor` is the process that `worker:…` kills as well."""
    if not settings.allow_scripted or not settings.crash_at:
        return _go_on
    whom, _, name = settings.crash_at.rpartition(":")
    if name not in CRASH_POINTS + INTAKE_POINTS or whom not in ("", "worker"):
        raise OptionError(
            f"STENOCAST_CRASH_AT={settings.crash_at!r}: use one of {', '.join(CRASH_POINTS + INTAKE_POINTS)}",
            code="bad_setting",
            field="crash_at",
        )

    def reached(place: str) -> None:
        if place != name:
            return
        if whom == "worker" and supervisor is not None:
            os.kill(supervisor, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)

    return reached


def _go_on(_place: str) -> None:
    return


class StageWatch:
    """Turns the pipeline's progress into the crash points between its stages."""

    def __init__(self, reached: Reached) -> None:
        self._reached = reached
        self._stage: Stage | None = None

    def notice(self, progress: Progress) -> None:
        if progress.stage is Stage.RECOGNIZE and progress.done > 0:
            self._reached("after_window")
        if progress.stage is self._stage:
            return
        left, self._stage = self._stage, progress.stage
        if left in (Stage.DECODE, Stage.RECOGNIZE, Stage.DIARIZE):
            self._reached(f"after_{left.value}")
