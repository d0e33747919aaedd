"""The reconciler: what lies in the bucket decides, whatever was announced and whatever became of it.

Notifications are a hint and may be lost; a look at everything that lies there is the guarantee. It also removes the
results of attempts that lost, parts of work that nobody finished, and half-written objects. An upload whose job was
never added stays: nobody can tell it from one whose job is about to be, and the same recording finds it again.

Nothing that it does is wrong when another reconciler, an intake or a worker does the same or the opposite at the same
time: jobs are added if they are new, and an attempt that lost has lost for good.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from threading import Event as StopEvent
from typing import TypeVar

import structlog

from adapters.acceptance import printable
from adapters.metrics import TakenIn, process_metrics
from schemas.drop import Drop
from schemas.errors import NotReady, Refused, TransientError
from transcription.ports import Holder, JobQueue, Store
from workers.taking_in import TakeIn, Taken

log = structlog.get_logger()

#: Objects that are asked about together, and kept in memory.
PAGE = 500

#: Results are removed when they are as old as this. What an attempt lost it has lost at once; the day is for a ledger
#: that somebody has to set back to a copy from before.
GRACE_SECONDS = 86_400.0

#: Parts of a diarization that nobody finished; whoever is at it writes or deletes them within hours.
PARTS_SECONDS = 86_400.0

#: Garbage is looked for once in so many seconds at most: there are more results and checkpoints than drops. Only
#: where it is removed younger than this, more often.
SWEEP_SECONDS = 3600.0

ALIVE_SECONDS = 10.0  #: how often a reconciler that waits says that it is alive

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look found."""

    objects: int = 0  #: under the place for drops
    recordings: int = 0  #: of them, by name and size
    new: int = 0  #: had no job and have one now
    removed: int = 0  #: results of attempts that lost, and parts of diarizations that nobody finished
    unfinished: int = 0  #: what puts that were killed left half written


class Reconciler:
    """Looks at the place for drops, if there is one (`take_in`), and at the results in the store."""

    def __init__(
        self,
        *,
        queue: JobQueue,
        store: Store,
        take_in: TakeIn | None,
        grace_seconds: float = GRACE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = queue
        self._store = store
        self._take_in = take_in
        self._grace_seconds = grace_seconds
        self._clock = clock
        self._swept_at = -math.inf

    def look(self, stop: StopEvent | None = None) -> Seen:
        """One look at everything; ends early, between two pages, when the stop is set.

        Raises TransientError, NotReady; what was taken in until then stays.
        """
        objects = recordings = new = 0
        for page in _pages(self._take_in.listed() if self._take_in else ()):
            if stop is not None and stop.is_set():
                break
            assert self._take_in is not None
            objects += len(page)
            recordings += sum(map(self._take_in.is_recording, page))
            new += self._taken_in_or_passed(self._take_in, page)
        if self._clock() - self._swept_at < min(SWEEP_SECONDS, self._grace_seconds):
            return Seen(objects, recordings, new)
        self._swept_at = self._clock()
        removed = self._sweep_results(stop) + self._sweep_parts(stop)
        return Seen(objects, recordings, new, removed, self._store.sweep_unfinished())

    @classmethod
    def _taken_in_or_passed(cls, take_in: TakeIn, page: Sequence[Drop]) -> int:
        """Have a page's missing jobs added; what cannot be taken in is passed over, so that it holds up nothing else.

        It is met again at the next look. Raises while the ledger or the bucket is away.
        """
        try:
            return cls._taken_in(take_in, page)
        except Exception as error:
            if not take_in.is_served():
                raise
            if len(page) == 1:
                log.error("drop not taken in", file=printable(page[0].key), exc_info=error)
                return 0
        half = len(page) // 2
        return sum(cls._taken_in_or_passed(take_in, each) for each in (page[:half], page[half:]))

    @staticmethod
    def _taken_in(take_in: TakeIn, page: Sequence[Drop]) -> int:
        """Have the jobs of a page added that are missing; how many."""
        answers = take_in.add(take_in.found(page))
        for answer in answers:
            if isinstance(answer, Refused):
                log.error("drop refused by the ledger", code=answer.code, reason=answer.message)
        new = sum(isinstance(answer, Taken) and answer.is_new for answer in answers)
        process_metrics().drop_reconciled(TakenIn.NEW, new)
        return new

    def _sweep_results(self, stop: StopEvent | None) -> int:
        """Remove the results of attempts that lost; how many objects."""
        removed = 0
        for page in _pages(self._store.keys("results/")):
            if stop is not None and stop.is_set():
                break
            # The keys first, the holders after them: a lease that is not the holder's by now never will be again.
            attempts = {key: attempt for key in page if (attempt := _attempt_of(key)) is not None}
            holders = self._queue.holders(sorted({job_id for job_id, _ in attempts.values()}))
            for key, (job_id, token) in attempts.items():
                if job_id in holders and is_lost(key, token, holders[job_id]):
                    removed += self._removed(key, self._grace_seconds)
        return removed

    def _sweep_parts(self, stop: StopEvent | None) -> int:
        """Remove what diarizations left that broke off and were never gone on with; how many objects."""
        removed = 0
        for page in _pages(self._store.keys("checkpoints/")):
            if stop is not None and stop.is_set():
                break
            for key in page:
                if "/parts/" in key:
                    removed += self._removed(key, max(PARTS_SECONDS, self._grace_seconds))
        return removed

    def _removed(self, key: str, seconds: float) -> int:
        """Remove an object that is so old; 1 where it was."""
        age = self._store.age(key)
        if age is None or age < seconds:
            return 0
        self._store.delete(key)
        return 1


def is_lost(key: str, token: int, holder: Holder) -> bool:
    """Whether an attempt's result can never become, and is not, the job's transcript."""
    if holder.transcript_key is not None:
        return key.rpartition("/")[0] != holder.transcript_key.rpartition("/")[0]
    return token < holder.token or holder.state.is_final


def _attempt_of(key: str) -> tuple[str, int] | None:
    """Job and token of `results/<job>/<token>/…`; None for what looks otherwise, which nobody removes."""
    parts = key.split("/")
    if len(parts) < 4 or not (parts[2].isascii() and parts[2].isdigit()):
        return None
    return parts[1], int(parts[2])


def _pages(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    rest = iter(items)
    while page := list(islice(rest, PAGE)):
        process_metrics().loop_turned("reconciler")
        yield page


def reconcile_until(
    stop: StopEvent, reconciler: Reconciler, *, every: float, clock: Callable[[], float] = time.monotonic
) -> None:
    """Look every so many seconds until the stop is set, at once for the first time."""
    while not stop.is_set():
        began = clock()
        try:
            seen = reconciler.look(stop)
        except (TransientError, NotReady) as error:
            log.warning("look at the bucket broken off", code=error.code, reason=error.message)
        except Exception:
            log.exception("reconciler broke")
        else:
            log.info("bucket looked at", seconds=round(clock() - began, 2), **asdict(seen))
        while not stop.is_set() and (left := every - (clock() - began)) > 0:
            process_metrics().loop_turned("reconciler")
            stop.wait(min(left, ALIVE_SECONDS))
