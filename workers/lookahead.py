"""The next job, claimed under a lease of its own, fetched and decoded while the present one runs.

A GPU that waits for a download earns nothing, and a job that waits beside an idle worker is late. So the next job is
claimed only when the present one is nearly through, and only when the queue has something that no idle worker took.
The sound is prepared by a child of its own, which loads no models: it can be killed at any time without harm.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import structlog
from structlog.contextvars import bound_contextvars

from schemas.episode import AudioInfo
from schemas.errors import CrashError, LeaseLost, NotReady, TransientError
from schemas.job import JobError
from transcription.links import with_recording
from transcription.ports import Claimed, JobQueue, Prepared
from workers.child import ChildDied, EngineProcess
from workers.crashpoints import Reached
from workers.deadlines import Deadlines
from workers.lease_keeper import LeaseKeeper
from workers.messages import Broke, Fetched, Prepare, Ready, Stopped, Unexpected
from workers.outcomes import Outcomes, job_error
from workers.scratch import WorkerScratch
from workers.watch import Watch

log = structlog.get_logger()

NEAR_SECONDS = 30.0  #: left of the present job when the next one is claimed, or more where preparing takes long
WAITED_SECONDS = 2.0  #: a job that an idle worker could have is gone by then: it looks twice a second
LOOK_SECONDS = 2.0  #: how often the queue is asked


@dataclass(slots=True)
class _Next:
    """The job that is being prepared."""

    claimed: Claimed
    folder: Path
    watch: Watch
    began: float
    keeper: LeaseKeeper
    patience: float  #: seconds from `began` until the present job counts as stalled
    prepared: Prepared | None = None
    recording: AudioInfo | None = None  #: of a link, once it lies in the store


class Lookahead:
    """At most one job ahead. Every method is called by the supervisor's own thread."""

    def __init__(
        self,
        *,
        queue: JobQueue,
        outcomes: Outcomes,
        start_child: Callable[[], EngineProcess],
        scratch: WorkerScratch,
        worker: str,
        lease_seconds: float,
        heartbeat_seconds: float,
        deadlines: Deadlines,
        reached: Reached = lambda _place: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = queue
        self._outcomes = outcomes
        self._start_child = start_child
        self._scratch = scratch
        self._worker = worker
        self._lease_seconds = lease_seconds
        self._heartbeat_seconds = heartbeat_seconds
        self._deadlines = deadlines
        self._reached = reached
        self._clock = clock
        self._child: EngineProcess | None = None
        self._next: _Next | None = None
        self._is_barred = False  # until the next job begins
        self._next_look = 0.0

    @property
    def has_job(self) -> bool:
        return self._next is not None

    @property
    def is_ready(self) -> bool:
        return self._next is not None and self._next.prepared is not None

    def begin(self) -> None:
        """Another job runs now."""
        self._is_barred = False

    def look(self, seconds_left: float | None) -> None:
        """One round of the running job, which has `seconds_left` by its own estimate: claim, or go on preparing."""
        if self._next is None and not self._is_barred:
            self._claim_if_near(seconds_left)
        self.step()
        if self._next is not None and self._clock() - self._next.began > self._next.patience:
            self.give_back("the running job takes longer than it said")

    def step(self, *, seconds: float = 0.0) -> None:
        """Hear of the preparation for so long at most, beat its lease. Whatever happens to it, nothing is raised."""
        if self._next is None:
            return
        lease = self._next.claimed.lease
        with bound_contextvars(job_id=lease.job_id, attempt=lease.token):
            try:
                self._hear(self._next, seconds)
            except LeaseLost:
                self._drop()
                self._outcomes.lost(lease, left_nothing=True)
                log.warning("lease lost")
            except Exception:
                log.exception("preparation broke")
                self._drop()
                self._outcomes.try_to_fail(
                    lease, JobError("internal_error", "the worker itself failed", retryable=True)
                )

    def take(self) -> tuple[Claimed, Prepared]:
        """The job that is ready: it is the caller's now, with its folder."""
        assert self._next is not None
        assert self._next.prepared is not None
        taken, self._next = self._next, None
        assert taken.prepared is not None
        if taken.recording is None:
            return taken.claimed, taken.prepared
        episode = with_recording(taken.claimed.episode, taken.recording)
        return replace(taken.claimed, episode=episode, audio_key=taken.recording.uri or ""), taken.prepared

    def give_back(self, reason: str) -> None:
        """Release the job, if there is one, without counting an attempt; nothing more is claimed for now."""
        self._is_barred = True
        if self._next is None:
            return
        lease = self._next.claimed.lease
        self._drop()
        with bound_contextvars(job_id=lease.job_id, attempt=lease.token):
            try:
                self._outcomes.hand_back(lease, reason)
            except LeaseLost:
                self._outcomes.lost(lease, left_nothing=True)
                log.warning("lease lost")

    def close(self) -> None:
        """End the child. A job that is still there is left to its lease."""
        self._kill_child()

    # -- the steps

    def _claim_if_near(self, seconds_left: float | None) -> None:
        near = max(NEAR_SECONDS, 2 * self._deadlines.preparation_seconds)
        now = self._clock()
        if seconds_left is None or seconds_left > near or now < self._next_look:
            return
        self._next_look = now + LOOK_SECONDS
        try:
            if self._queue.backlog().oldest_queued_seconds < WAITED_SECONDS:
                return
            claimed = self._queue.claim(self._worker, lease_seconds=self._lease_seconds)
        except (TransientError, NotReady) as error:
            log.warning("ledger not reached", code=error.code, reason=error.message)
            return
        if claimed is not None:
            self._begin_preparing(claimed, patience=2 * seconds_left + 2 * near)

    def _begin_preparing(self, claimed: Claimed, *, patience: float) -> None:
        lease, now = claimed.lease, self._clock()
        self._outcomes.began(claimed)
        folder = self._scratch.attempt(lease.job_id, lease.token)
        watch = Watch(now, self._deadlines, size_bytes=claimed.episode.audio.size_bytes)
        beats = self._heartbeat_seconds
        keeper = LeaseKeeper(self._outcomes, lease, now, heartbeat_seconds=beats, first_beat_seconds=beats)
        self._next = _Next(claimed, folder, watch, now, keeper, patience)
        with bound_contextvars(job_id=lease.job_id, attempt=lease.token):
            log.info("job claimed ahead", episode_id=claimed.episode.id, title=claimed.episode.title)
        if self._child is None:
            self._child = self._start_child()
        self._child.order(
            Prepare(lease.job_id, claimed.audio_key, lease.token, folder, claimed.episode.audio.file_name or "")
        )

    def _hear(self, job: _Next, seconds: float) -> None:
        lease = job.claimed.lease
        if job.prepared is None and (message := self._message(job, seconds)) is not None:
            if isinstance(message, Ready):
                self._outcomes.write_progress(lease, job.watch, self._clock())
                job.prepared = message.prepared
                self._outcomes.waits(lease, message.prepared.decoded.waveform.seconds)
                seconds = self._clock() - job.began
                self._deadlines.learn_preparation(seconds)
                log.info("job prepared", seconds=round(seconds, 1))
                self._reached("after_prefetch")
            else:
                self._end(job, message)
                return
        if job.prepared is None:
            self._outcomes.write_progress(lease, job.watch, self._clock())
        job.keeper.keep(self._clock())

    def _message(self, job: _Next, seconds: float) -> Ready | Broke | Unexpected | Stopped | CrashError | None:
        """The child's last word about the job, what became of the child, or None while it is at it."""
        assert self._child is not None
        while True:
            try:
                message = self._child.hear(seconds)
            except ChildDied as died:
                self._kill_child()
                return CrashError(f"the preparing process {died.how}", code="engine_died")
            if isinstance(message, Ready | Broke | Unexpected | Stopped):
                return message
            if message is None:
                break
            if isinstance(message, Fetched):
                self._outcomes.fetched(job.claimed.lease, message.recording)
                job.recording = message.recording
            else:
                job.watch.hear(message, self._clock())
            seconds = 0.0
        if job.watch.is_hung(self._clock()):
            self._kill_child()
            return CrashError(job.watch.how_hung(self._clock()), code="engine_hung")
        return None

    def _end(self, job: _Next, message: Broke | Unexpected | Stopped | CrashError) -> None:
        """The preparation failed: the job ends, or goes back, as it would have in its turn."""
        lease = job.claimed.lease
        self._forget(job)
        if isinstance(message, Broke):
            # What this machine lacks now it may have when the running job is done.
            self._is_barred = self._outcomes.settle(lease, message.error) is not None
        elif isinstance(message, CrashError):
            self._outcomes.fail(lease, job_error(message), crashed=True)
        else:
            kind = message.kind if isinstance(message, Unexpected) else "end"
            log.error("preparation broke", kind=kind, trace=getattr(message, "trace", ""))
            self._kill_child()
            self._outcomes.fail(lease, JobError("internal_error", f"unexpected {kind}", retryable=True))

    def _drop(self) -> None:
        """Let go of the job; a child that is still at it is ended."""
        job = self._next
        if job is None:
            return
        if job.prepared is None:
            self._kill_child()
        self._forget(job)

    def _forget(self, job: _Next) -> None:
        self._next = None
        self._scratch.clear(job.folder)

    def _kill_child(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child = None
