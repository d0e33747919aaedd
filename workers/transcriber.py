"""The supervisor: claims jobs, beats their leases, and answers for an engine child that it can kill.

The lease covers the supervisor's own death; a child that hangs is covered by the quiet limit of its stage. Whatever
happens to the child, the ledger's rules decide about the job.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event as StopEvent

import structlog

from schemas.errors import (
    CrashError,
    LeaseLost,
    ModelError,
    NotFound,
    NotReady,
    StenocastError,
    TransientError,
)
from schemas.job import Job, JobError, Progress, Stage
from transcription.ports import Claimed, JobQueue, Lease, Result, Store
from workers.child import ChildDied, EngineProcess
from workers.crashpoints import Reached
from workers.engine import result_prefix
from workers.messages import Broke, Finished, FromChild, Load, Loaded, Loading, Stop, Stopped, Told, Unexpected, Work
from workers.scratch import WorkerScratch

log = structlog.get_logger()

IDLE_LOOK_SECONDS = 0.5  #: how often an idle worker asks for a job
PROGRESS_SECONDS = 1.0  #: how often progress is written to the ledger at most
LEAVE_SECONDS = 3.0  #: a child that was asked to leave its job and has not is killed; a cancel has 5 s
LONGEST_LOOK_SECONDS = 0.25  #: how soon a stop is noticed
FIRST_DELAY_SECONDS = 30.0  #: before a job that this machine is not ready for may be claimed again; doubles
LONGEST_DELAY_SECONDS = 600.0
STUMBLE_SECONDS = 5.0  #: of pause after an error that nobody foresaw
LONGEST_PAUSE_SECONDS = 60.0  #: of a worker that is not ready
CLOCK_STEP_SECONDS = 1.0  #: more than this between two clocks is a step, not drift


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a supervisor beats, and for how long its leases are. Seconds."""

    lease: float
    heartbeat: float


def quiet_limit(stage: Stage | None, audio_seconds: float | None) -> float:
    """Clock seconds that a child may go without progress before it counts as hung. `stage` None = loading models.

    Generous by an order of magnitude: a slow machine must never be taken for a hung one. A window of 300 s is
    recognized in 20 s with the starter set on two cores, and 0.06 s go into the voices of a second of audio.
    """
    length = audio_seconds or 0.0
    match stage:
        case None | Stage.FETCH | Stage.PUBLISH | Stage.DECODE:
            return 1200.0
        case Stage.RECOGNIZE:
            return 1800.0
        case Stage.DIARIZE:
            return 600.0 + length
        case Stage.ASSEMBLE:
            return 300.0 + 0.1 * length


class ClockWatch:
    """Notices that the wall clock was set. Leases are kept by it, so after a step forward nobody is rescued until
    every living worker has had the time to beat again."""

    def __init__(self, *, wall: Callable[[], float], clock: Callable[[], float], grace_seconds: float) -> None:
        self._wall = wall
        self._clock = clock
        self._grace_seconds = grace_seconds
        self._apart = wall() - clock()
        self._settled_at = clock()

    def is_steady(self) -> bool:
        apart = self._wall() - self._clock()
        if abs(apart - self._apart) > CLOCK_STEP_SECONDS:
            log.warning("clock stepped", seconds=round(apart - self._apart, 1))
            self._settled_at = self._clock() + self._grace_seconds
        self._apart = apart
        return self._clock() >= self._settled_at


def new_worker_name() -> str:
    """Unique among all workers that ever were, and readable: host, process, four random bytes."""
    return f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(4)}"


class Supervisor:
    """One worker. `start_engine` gives a fresh engine child; `stop` asks the worker to end, from any thread."""

    def __init__(
        self,
        *,
        queue: JobQueue,
        store: Store,
        start_engine: Callable[[], EngineProcess],
        scratch: WorkerScratch,
        worker: str,
        pace: Pace,
        stop: StopEvent,
        reached: Reached = lambda _place: None,
        quiet_limit: Callable[[Stage | None, float | None], float] = quiet_limit,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._queue = queue
        self._store = store
        self._start_engine = start_engine
        self._scratch = scratch
        self._worker = worker
        self._pace = pace
        self._stop = stop
        self._reached = reached
        self._quiet_limit = quiet_limit
        self._clock = clock
        self._engine: EngineProcess | None = None
        self._owes_an_answer = False  # the child has a job and has not said its last word about it
        self._clock_watch = ClockWatch(wall=wall, clock=clock, grace_seconds=pace.lease)
        self._next_rescue = 0.0
        self._pause_seconds = 0.0
        self._not_ready: NotReady | None = None
        self._releases: dict[str, int] = {}  # how often in a row this worker was not ready for a job

    def run(self, *, once: bool = False, exit_when_idle: float | None = None, preload: str | None = None) -> None:
        """Work until the stop is set; after one job with `once`, or after so many seconds without one.

        With `once`, a job that this machine is not ready for raises its NotReady. `preload` has a model set
        loaded before anything is claimed and raises what keeps it from that.
        """
        try:
            self._scratch.sweep()
            if preload:
                self._preload(preload)
            log.info("worker started", worker=self._worker)
            self._loop(once=once, exit_when_idle=exit_when_idle)
        finally:
            self._drop_engine()
            self._scratch.close()
            log.info("worker ended", worker=self._worker)

    def _loop(self, *, once: bool, exit_when_idle: float | None) -> None:
        idle_since = self._clock()
        while not self._stop.is_set():
            try:
                claimed = self._next_job()
                if claimed is not None:
                    self._attend(claimed)
            except Exception:
                if once:
                    raise
                # A defect of ours. A worker that ended over it would leave an API that takes jobs nobody does.
                log.exception("worker stumbled")
                self._stop.wait(STUMBLE_SECONDS)
                claimed = None
            if claimed is not None:
                idle_since = self._clock()
                if once and self._not_ready is not None:
                    raise self._not_ready
                self._stop.wait(self._pause_seconds)
            elif exit_when_idle is not None and self._clock() - idle_since >= exit_when_idle:
                return
            elif not once:
                self._stop.wait(IDLE_LOOK_SECONDS)
            if once:
                return

    def _next_job(self) -> Claimed | None:
        try:
            self._rescue()
            return self._queue.claim(self._worker, lease_seconds=self._pace.lease)
        except (TransientError, NotReady) as error:
            log.warning("ledger not reached", code=error.code, reason=error.message)
            self._stop.wait(IDLE_LOOK_SECONDS * 4)
            return None

    def _rescue(self) -> None:
        """Take expired leases away, at most once per heartbeat."""
        if self._clock() < self._next_rescue or not self._clock_watch.is_steady():
            return
        self._next_rescue = self._clock() + min(self._pace.heartbeat, self._pace.lease / 4)
        rescued = self._queue.rescue()
        for job in rescued:
            log.warning("job rescued", job_id=job.id, state=job.state.value, crashes=job.crashes)
        if rescued:
            self._scratch.sweep()

    # -- one job

    def _attend(self, claimed: Claimed) -> None:
        """See one job through to the end of its attempt. Nothing that happens to it ends the worker."""
        lease = claimed.lease
        structlog.contextvars.bind_contextvars(job_id=lease.job_id, attempt=lease.token)
        folder = self._scratch.attempt(lease.job_id, lease.token)
        self._not_ready = None
        try:
            self._reached("after_claim")
            log.info("job claimed", episode_id=claimed.episode.id, title=claimed.episode.title)
            self._see_through(claimed)
        except LeaseLost:
            self._leave(lease)
            self._delete_results_of(lease)
            log.warning("lease lost")
        except Exception:
            # A defect of ours. The job's rules decide: the lease is given up and counts as a failed attempt.
            log.exception("attempt broke")
            self._drop_engine()
            self._try_to_fail(lease, JobError("internal_error", "the worker itself failed", retryable=True))
        finally:
            self._scratch.clear(folder)
            structlog.contextvars.unbind_contextvars("job_id", "attempt")
        lacks_models_only = isinstance(self._not_ready, ModelError)
        self._pause_seconds = 0.0 if self._not_ready is None or lacks_models_only else self._longer_pause()
        if self._not_ready is None:
            self._releases.pop(lease.job_id, None)

    def _see_through(self, claimed: Claimed) -> None:
        lease = claimed.lease
        answer = self._work(claimed)
        if answer is None:
            self._hand_back(lease, "worker stops")
        elif isinstance(answer, Finished):
            self._finish(lease, answer.result)
        elif isinstance(answer, Broke):
            self._settle(lease, answer.error)
        elif isinstance(answer, Unexpected):
            log.error("engine broke", kind=answer.kind, trace=answer.trace)
            self._drop_engine()
            self._fail(lease, JobError("internal_error", f"unexpected {answer.kind}", retryable=True))
        else:
            self._fail(lease, _job_error(answer), crashed=True)

    def _work(self, claimed: Claimed) -> Finished | Broke | Unexpected | CrashError | None:
        """Have the child do the job and beat meanwhile. None: the worker was asked to stop. Raises LeaseLost."""
        lease = claimed.lease
        engine = self._ready_engine()
        self._owes_an_answer = True
        engine.order(
            Work(
                job=claimed.job,
                episode=claimed.episode,
                audio_key=claimed.audio_key,
                token=lease.token,
                revision=self._next_revision(claimed),
                folder=self._scratch.attempt(lease.job_id, lease.token),
            )
        )
        watch = _Watch(self._clock(), self._quiet_limit)
        next_beat = self._clock() + self._pace.heartbeat
        while True:
            try:
                message = engine.hear(min(LONGEST_LOOK_SECONDS, max(0.0, next_beat - self._clock())))
            except ChildDied as died:
                self._drop_engine()
                return CrashError(f"the engine process {died.how}", code="engine_died")
            if isinstance(message, Finished | Broke | Unexpected):
                self._owes_an_answer = False
                return message
            if message is not None:
                watch.hear(message, self._clock())
            self._write_progress(lease, watch)
            if self._clock() >= next_beat:
                next_beat = self._clock() + self._pace.heartbeat
                self._beat(lease)
            if watch.is_hung(self._clock()):
                self._drop_engine()
                return CrashError(f"no progress for {watch.quiet_seconds(self._clock()):.0f} s", code="engine_hung")
            if self._stop.is_set():
                answer = self._leave(lease)
                return answer if isinstance(answer, Finished) else None

    def _beat(self, lease: Lease) -> None:
        try:
            self._queue.beat(lease)
            self._rescue()
        except (TransientError, NotReady) as error:
            log.warning("beat failed", code=error.code, reason=error.message)

    def _write_progress(self, lease: Lease, watch: _Watch) -> None:
        progress = watch.unwritten(self._clock())
        if progress is None:
            return
        try:
            self._queue.progress(lease, progress)
        except (TransientError, NotReady) as error:
            log.warning("progress not written", code=error.code, reason=error.message)

    def _next_revision(self, claimed: Claimed) -> int:
        """What the document will be. No other job of this episode runs meanwhile: the ledger sees to that."""
        try:
            return (self._queue.latest_done(claimed.episode.id).revision or 0) + 1
        except NotFound:
            return 1

    # -- how an attempt ends

    def _finish(self, lease: Lease, result: Result) -> None:
        self._reached("before_finish")
        job = self._insist(lambda: self._queue.finish(lease, result))
        self._reached("after_finish")
        if job is None:
            return
        self._delete_results_of_earlier(lease)
        log.info("job finished", audio_seconds=result.audio_seconds, words=result.word_count, revision=job.revision)

    def _settle(self, lease: Lease, error: StenocastError) -> None:
        """The child ended with an error of ours: each kind has its own consequence."""
        if isinstance(error, LeaseLost):
            raise error
        if isinstance(error, NotReady):
            self._not_ready_for(lease, error)
        else:
            self._fail(lease, _job_error(error), crashed=isinstance(error, CrashError))

    def _not_ready_for(self, lease: Lease, error: NotReady) -> None:
        """Our side lacks something: the job goes back untouched, and waits longer each time.

        A job that goes back keeps its turn, so without the wait it would be claimed before all others for ever:
        those with models that are here, or small enough for the room that is left. Missing models concern that
        one job only; what else is lacking may concern every job, and the worker pauses too.
        """
        reason = _job_error(error)
        times = self._releases.get(lease.job_id, 0)
        self._releases[lease.job_id] = times + 1
        delay_seconds = min(FIRST_DELAY_SECONDS * 2 ** min(times, 10), LONGEST_DELAY_SECONDS)
        self._delete_results_of(lease)
        self._insist(lambda: self._queue.release(lease, delay_seconds=delay_seconds, reason=reason))
        log.error("worker not ready", code=error.code, reason=error.message)
        self._not_ready = error

    def _hand_back(self, lease: Lease, reason: str) -> None:
        self._delete_results_of(lease)
        self._insist(lambda: self._queue.release(lease))
        log.info("job handed back", reason=reason)

    def _fail(self, lease: Lease, error: JobError, *, crashed: bool = False) -> None:
        self._delete_results_of(lease)
        job = self._insist(lambda: self._queue.fail(lease, error, crashed=crashed))
        if job is not None:
            log.warning(
                "attempt failed", code=error.code, reason=error.message, state=job.state.value, crashed=crashed
            )

    def _try_to_fail(self, lease: Lease, error: JobError) -> None:
        try:
            self._fail(lease, error)
        except StenocastError as second:
            log.warning("attempt left to its lease", code=second.code)

    def _insist(self, write: Callable[[], Job]) -> Job | None:
        """Write to the ledger, again and again while it does not answer and nobody asks us to stop.

        None where it never answered: the lease runs out and another worker goes on.
        """
        wait = 0.2
        while True:
            try:
                return write()
            except (TransientError, NotReady) as error:
                log.warning("ledger not reached", code=error.code, reason=error.message)
                if self._stop.wait(wait):
                    return None
                wait = min(wait * 2, 5.0)

    # -- the child

    def _ready_engine(self) -> EngineProcess:
        if self._engine is None:
            self._engine = self._start_engine()
        return self._engine

    def _drop_engine(self) -> None:
        self._owes_an_answer = False
        if self._engine is not None:
            self._engine.kill()
            self._engine = None

    def _leave(self, lease: Lease) -> FromChild | None:
        """Have the child leave the job, if it has it: by asking, then by force. Its last word, where it had one."""
        if self._engine is None or not self._owes_an_answer:
            return None
        self._engine.order(Stop(lease.job_id, lease.token))
        until = self._clock() + LEAVE_SECONDS
        while self._clock() < until:
            try:
                message = self._engine.hear(LONGEST_LOOK_SECONDS)
            except ChildDied:
                break
            if isinstance(message, Finished | Stopped | Broke):
                self._owes_an_answer = False
                return message
            if isinstance(message, Unexpected):
                break
        self._drop_engine()
        return None

    def _preload(self, models: str) -> None:
        engine = self._ready_engine()
        engine.order(Load(models))
        watch = _Watch(self._clock(), self._quiet_limit)
        while not self._stop.is_set() and not watch.is_hung(self._clock()):
            message = engine.hear(LONGEST_LOOK_SECONDS)
            if isinstance(message, Loaded):
                log.info("models loaded", models=models, seconds=round(message.seconds, 1))
                return
            if isinstance(message, Broke):
                raise message.error
            if isinstance(message, Unexpected):
                log.error("engine broke", kind=message.kind, trace=message.trace)
                raise NotReady(f"{models}: unexpected {message.kind} while loading", code="engine_failed")

    # -- results

    def _delete_results_of(self, lease: Lease) -> None:
        """Take back what this lease put, unless the ledger points to it after all."""
        try:
            job = self._queue.job(lease.job_id)
            prefix = result_prefix(lease.job_id, lease.token)
            if job.transcript_key is None or not job.transcript_key.startswith(prefix):
                self._delete_under(prefix)
        except StenocastError as error:
            log.warning("results not cleared", code=error.code)

    def _delete_results_of_earlier(self, lease: Lease) -> None:
        """Documents of attempts that died between their put and their finish."""
        own = result_prefix(lease.job_id, lease.token)
        try:
            for key in list(self._store.keys(f"results/{lease.job_id}/")):
                if not key.startswith(own):
                    self._store.delete(key)
        except StenocastError as error:
            log.warning("results not cleared", code=error.code)

    def _delete_under(self, prefix: str) -> None:
        for key in list(self._store.keys(prefix)):
            self._store.delete(key)

    def _longer_pause(self) -> float:
        return min(max(self._pace.heartbeat, self._pause_seconds * 2), LONGEST_PAUSE_SECONDS)


class _Watch:
    """What is known of the child's progress: when it last moved, and what the ledger has not seen yet."""

    def __init__(self, now: float, limit: Callable[[Stage | None, float | None], float]) -> None:
        self._limit = limit
        self._moved = now
        self._stage: Stage | None = Stage.FETCH
        self._latest: Progress | None = None
        self._written: Progress | None = None
        self._written_at = float("-inf")

    def hear(self, message: FromChild, now: float) -> None:
        if isinstance(message, Loading):
            self._stage, self._moved = None, now
            log.info("models loading", models=message.models)
        elif isinstance(message, Loaded):
            self._moved = now
        elif isinstance(message, Told):
            if message.progress != self._latest:
                self._moved = now
            self._stage, self._latest = message.progress.stage, message.progress

    def is_hung(self, now: float) -> bool:
        length = self._latest.total if self._latest else None
        return now - self._moved > self._limit(self._stage, length)

    def quiet_seconds(self, now: float) -> float:
        return now - self._moved

    def unwritten(self, now: float) -> Progress | None:
        """The progress to write now: at once when a stage begins, else once a second."""
        latest, written = self._latest, self._written
        if latest is None or latest == written:
            return None
        if written is not None and written.stage is latest.stage and now - self._written_at < PROGRESS_SECONDS:
            return None
        self._written, self._written_at = latest, now
        return latest


def _job_error(error: StenocastError) -> JobError:
    return JobError(code=error.code, message=error.message, retryable=error.retryable)
