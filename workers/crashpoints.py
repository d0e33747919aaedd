"""Named places where a test lets a process die as if by `kill -9`.

`STENOCAST_CRASH_AT=after_put` kills the process that comes by `after_put`; `worker:after_put` kills the supervisor
too, when the place is in the engine child. `STENOCAST_CRASH_FILE` names a file that may say the same at any time: the
first process that comes by takes the file away and dies. With `stand:after_put` it stands there instead, says nothing
more, and goes on once the file that it took is gone. Honoured only where scripted engines are allowed, never in
production.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from adapters.settings import Settings
from schemas.errors import OptionError
from schemas.job import Progress, Stage

#: In the order in which a job passes them; the last ones lie beside its way.
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
    "after_prefetch",  # the next job's sound is there, and the present job still runs
    "before_release",  # the worker is asked to end, or the present job stalls
)

#: Of those the ones in the engine child, where its supervisor may die with it.
ENGINE_POINTS = (
    "after_fetch",
    "after_decode",
    "after_window",
    "after_recognize",
    "after_diarize",
    "before_put",
    "after_put",
)

#: Where an engine child passes with each download: its copy is noted and not yet in the store; it is there, and
#: neither supervisor nor ledger has heard of it.
LINK_POINTS = ("before_copy", "after_copy")

#: Where an intake passes with each batch.
INTAKE_POINTS = ("after_take_in", "before_commit")

#: Where an API passes with each upload: stored and not yet a job; a job and not yet answered for.
API_POINTS = ("after_upload", "after_commit")

#: Where an API passes with each deletion: the episode is deleted, and its objects still lie in the store.
DELETION_POINTS = ("after_deletion",)

#: Where an API passes with each revision by hand: its document is put and nothing names it; it is current and not yet
#: answered for.
REVISION_POINTS = ("after_revision_put", "after_revision")

#: Where a deliverer passes with each event for a webhook: claimed and not yet sent; answered and not yet noted.
WEBHOOK_POINTS = ("before_delivery", "after_delivery")

#: In diarization, with part of it done: an engine that dies there again and again still gives the words.
DIARIZE_POINTS = ("amid_diarize",)

ALL_POINTS = (
    *CRASH_POINTS,
    *LINK_POINTS,
    *INTAKE_POINTS,
    *API_POINTS,
    *DELETION_POINTS,
    *REVISION_POINTS,
    *WEBHOOK_POINTS,
    *DIARIZE_POINTS,
)

#: Called with the name of the place that was reached.
Reached = Callable[[str], None]


def crash_points(settings: Settings, *, supervisor: int | None = None) -> Reached:
    """What to call at each place. `supervisor` is the process that `worker:…` kills as well."""
    if not settings.allow_scripted:
        return _go_on
    if settings.crash_file is not None:
        return _crashes_by_file(settings.crash_file, supervisor)
    if not settings.crash_at:
        return _go_on
    if settings.crash_at.rpartition(":")[2] not in ALL_POINTS:
        raise OptionError(
            f"STENOCAST_CRASH_AT={settings.crash_at!r}: use one of {', '.join(ALL_POINTS)}",
            code="bad_setting",
            field="crash_at",
        )

    def reached(place: str) -> None:
        if _is_meant(settings.crash_at, place):
            _die(settings.crash_at, supervisor)

    return reached


def _crashes_by_file(file: Path, supervisor: int | None) -> Reached:
    def reached(place: str) -> None:
        try:
            order = file.read_text(encoding="utf-8").strip()
            if _is_meant(order, place):
                taken = file.with_name(f"{file.name}.taken-{os.getpid()}")
                os.rename(file, taken)
                if order.startswith("stand:"):
                    _stand(taken)
                else:
                    _die(order, supervisor)
        except FileNotFoundError:
            return

    return reached


def _is_meant(order: str, place: str) -> bool:
    return order.rpartition(":")[2] == place


def _die(order: str, supervisor: int | None) -> None:
    if order.startswith("worker:") and supervisor is not None:
        os.kill(supervisor, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def _stand(taken: Path) -> None:
    while taken.exists():
        time.sleep(0.02)


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
        if progress.stage is Stage.DIARIZE and progress.done > 0:
            self._reached("amid_diarize")
        if progress.stage is self._stage:
            return
        left, self._stage = self._stage, progress.stage
        if left in (Stage.DECODE, Stage.RECOGNIZE, Stage.DIARIZE):
            self._reached(f"after_{left.value}")
