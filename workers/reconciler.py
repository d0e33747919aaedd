"""The reconciler: what lies in the bucket decides, whatever was announced and whatever became of it.

Notifications are a hint and may be lost; a look at everything that lies there is the guarantee. It also removes the
results of attempts that lost, copies of links' recordings that the ledger never heard of, parts of work that nobody
finished, half-written objects, and what is left of deleted episodes: of those deleted lately at every look, of all
with the garbage, for a worker that was frozen may still write when it wakes up. An upload whose job was never added
stays: nobody can tell it from one whose job is about to be, and the same recording finds it again.

Nothing that it does is wrong when another reconciler, an intake or a worker does the same or the opposite at the same
time: jobs are added if they are new, and an attempt that lost has lost for good.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby, islice
from threading import Event as StopEvent
from typing import TypeVar

import structlog

from adapters.acceptance import YOUNG_SECONDS, printable
from adapters.erasure import BY_JOB, download_of, erase, erase_noted, forget_notes, unwanted_checkpoints, users_of
from adapters.metrics import TakenIn, process_metrics
from adapters.store_keys import RESULTS, attempt_of
from schemas.drop import Drop
from schemas.errors import NotReady, Refused, TransientError
from transcription.drops import UPLOADS
from transcription.ports import Holder, JobQueue, Store
from workers.taking_in import TakeIn, Taken

log = structlog.get_logger()

#: Objects that are asked about together, and kept in memory.
PAGE = 500

#: Results are removed when they are as old as this. What an attempt lost it has lost at once; the day is for a ledger
#: that somebody has to set back to a copy from before.
GRACE_SECONDS = 86_400.0

#: A revision by hand that the ledger does not name is not removed younger than this: whoever put it may be about to
#: have it named, which takes milliseconds, and seconds where the ledger is slow.
REVISING_SECONDS = 3600.0

#: Parts of a diarization that nobody finished; whoever is at it writes or deletes them within hours.
PARTS_SECONDS = 86_400.0

#: Garbage is looked for once in so many seconds at most: there are more results and checkpoints than drops. Only
#: where it is removed younger than this, more often.
SWEEP_SECONDS = 3600.0

#: Checkpoints that no job of any ledger claims: one that was deleted and erased left them, or a command by hand.
UNCLAIMED_SECONDS = 86_400.0

#: A deletion is looked after for so long at least: a worker that had the job has noticed by then and left it.
SETTLE_SECONDS = 120.0

RECORDINGS = 50  #: whose checkpoints are asked about together

ALIVE_SECONDS = 10.0  #: how often a reconciler that waits says that it is alive

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look found."""

    objects: int = 0  #: under the place for drops
    recordings: int = 0  #: of them, by name and size
    new: int = 0  #: had no job and have one now
    #: results of attempts that lost, copies of links' recordings that no job names, and parts of diarizations that
    #: nobody finished
    removed: int = 0
    unfinished: int = 0  #: what puts that were killed left half written
    erased: int = 0  #: objects of deleted episodes


class Reconciler:
    """Looks at the place for drops, if there is one (`take_in`), and at the results in the store."""

    def __init__(
        self,
        *,
        queue: JobQueue,
        store: Store,
        take_in: TakeIn | None,
        grace_seconds: float = GRACE_SECONDS,
        settle_seconds: float = SETTLE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = queue
        self._store = store
        self._take_in = take_in
        self._grace_seconds = grace_seconds
        self._settle_seconds = settle_seconds
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
        erased = self._erase_deleted(stop)
        if self._clock() - self._swept_at < min(SWEEP_SECONDS, self._grace_seconds):
            return Seen(objects, recordings, new, erased=erased)
        self._swept_at = self._clock()
        removed, of_deleted = self._sweep_results(stop)
        erased += of_deleted + self._sweep_uploads(stop)
        copies, of_deleted = self._sweep_notes(stop)
        erased += of_deleted
        parts, of_deleted = self._sweep_checkpoints(stop)
        unfinished = self._store.sweep_unfinished()
        return Seen(objects, recordings, new, removed + copies + parts, unfinished, erased + of_deleted)

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

    def _erase_deleted(self, stop: StopEvent | None) -> int:
        """Remove what is left of episodes that were deleted lately; how many objects."""
        removed = 0
        for deletion in self._queue.unerased():
            if stop is not None and stop.is_set():
                break
            process_metrics().loop_turned("reconciler")
            found = erase(self._queue, self._store, deletion)
            removed += found
            if found == 0 and deletion.age_seconds >= self._settle_seconds:
                forget_notes(self._store, deletion)
                self._queue.mark_erased(deletion)
                log.info("deleted episode is gone from the store", episode_id=deletion.episode_id)
        return removed

    def _sweep_uploads(self, stop: StopEvent | None) -> int:
        """Remove recordings that only deleted episodes had; how many."""
        removed = 0
        for page in _pages(self._store.keys(UPLOADS)):
            if stop is not None and stop.is_set():
                break
            for key in self._queue.unwanted_audio(page):
                if self._queue.unwanted_audio([key]):  # sent again since the page was asked for?
                    self._store.delete(key)
                    removed += 1
        return removed

    def _sweep_notes(self, stop: StopEvent | None) -> tuple[int, int]:
        """Remove copies of links' recordings that no job names, and the checkpoints that deleted jobs noted after
        everything of theirs was erased; how many objects of each."""
        removed = erased = 0
        for page in _pages(self._store.keys(BY_JOB)):
            if stop is not None and stop.is_set():
                break
            holders = self._queue.holders(sorted({_job_of(note) for note in page}))
            for note in page:
                if _job_of(note) in holders and holders[_job_of(note)].is_deleted:
                    erased += erase_noted(self._queue, self._store, note)
                    if self._queue.deletion(self._queue.job(_job_of(note)).episode_id).erased is not None:
                        self._store.delete(note)
                        erased += 1
            removed += self._sweep_copies(page, holders)
        return removed, erased

    def _sweep_copies(self, notes: Sequence[str], holders: Mapping[str, Holder]) -> int:
        """Remove downloads that jobs noted which are final and name another recording, or none; how many.

        Its worker died before the ledger heard of the copy, and the next attempt got other bytes, or nothing. What
        any job names stays, and so does what is young, however short the grace: somebody may be about to name it, who
        found it lying there and did not put it once more (`adapters.acceptance.keep_upload`).
        """
        least = max(self._grace_seconds, 2 * YOUNG_SECONDS)
        final = [note for note in notes if (holder := holders.get(_job_of(note))) and holder.state.is_final]
        copies = sorted({key for note in final if (key := download_of(note)) is not None})
        unnamed = set(copies) - self._queue.wanted_audio(copies)
        return sum(self._removed(key, least) for key in sorted(unnamed) if self._is_unnamed(key))

    def _is_unnamed(self, key: str) -> bool:
        """Whether still nobody names a recording, which was asked of a whole page before."""
        return not self._queue.wanted_audio([key])

    def _sweep_results(self, stop: StopEvent | None) -> tuple[int, int]:
        """Remove the results of attempts that lost, and of deleted episodes; how many objects of each."""
        removed = erased = 0
        for page in _pages(self._store.keys(RESULTS)):
            if stop is not None and stop.is_set():
                break
            # The keys first, the holders after them: a lease that is not the holder's by now never will be again.
            attempts = {key: attempt for key in page if (attempt := attempt_of(key)) is not None}
            holders = self._queue.holders(sorted({job_id for job_id, _ in attempts.values()}))
            for key, (job_id, token) in attempts.items():
                if job_id in holders and holders[job_id].is_deleted:
                    erased += self._removed(key, 0.0)
                elif job_id in holders and is_lost(key, token, holders[job_id]):
                    grace = REVISING_SECONDS if is_of_the_transcript(key, holders[job_id]) else 0.0
                    removed += self._removed(key, max(grace, self._grace_seconds))
        return removed, erased

    def _sweep_checkpoints(self, stop: StopEvent | None) -> tuple[int, int]:
        """Remove what diarizations left that broke off and were never gone on with, what nobody claims, and what
        deleted jobs left; how many objects of the former and of the latter."""
        removed = erased = 0
        for recordings in _pages(_by_recording(self._store.keys("checkpoints/")), RECORDINGS):
            if stop is not None and stop.is_set():
                break
            users = [users_of(keys) for keys in recordings]
            holders = self._queue.holders(sorted({job for each in users for job in each}))
            for keys, claimed_by in zip(recordings, users, strict=True):
                unwanted = unwanted_checkpoints(keys, claimed_by, holders)
                for key in unwanted:
                    erased += self._removed(key, 0.0)
                for key in set(keys) - set(unwanted):
                    if "/parts/" in key:
                        removed += self._removed(key, max(PARTS_SECONDS, self._grace_seconds))
                    elif not claimed_by:
                        removed += self._removed(key, max(UNCLAIMED_SECONDS, self._grace_seconds))
        return removed, erased

    def _removed(self, key: str, seconds: float) -> int:
        """Remove an object that is so old; 1 where it was."""
        age = self._store.age(key)
        if age is None or age < seconds:
            return 0
        self._store.delete(key)
        return 1


def is_lost(key: str, token: int, holder: Holder) -> bool:
    """Whether a result is not, and was never, the job's transcript, and of an attempt that lost cannot become it.

    Beside the transcript lie its revisions by hand. One that the ledger does not name was put by somebody who died or
    was refused before the ledger heard of it; or it is about to be named.
    """
    if holder.transcript_key is not None:
        return key != holder.transcript_key and key not in holder.earlier_keys
    return token < holder.token or holder.state.is_final


def is_of_the_transcript(key: str, holder: Holder) -> bool:
    """Whether a result lies where revisions of the job's transcript are put."""
    return holder.transcript_key is not None and _folder(key) == _folder(holder.transcript_key)


def _folder(key: str) -> str:
    return key.rpartition("/")[0]


def _job_of(note: str) -> str:
    """The job of `checkpoints/of/<job>/<sha256>`."""
    return note.removeprefix(BY_JOB).partition("/")[0]


def _by_recording(keys: Iterable[str]) -> Iterator[list[str]]:
    """The checkpoints of one recording after another: `checkpoints/<audio sha256>/…`, in order."""
    of_recordings = (key for key in keys if not key.startswith(BY_JOB))
    for _, group in groupby(of_recordings, key=lambda key: key.split("/")[1]):
        yield list(group)


def _pages(items: Iterable[_Item], size: int = PAGE) -> Iterator[list[_Item]]:
    rest = iter(items)
    while page := list(islice(rest, size)):
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
