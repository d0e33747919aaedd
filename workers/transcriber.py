"""The supervisor: claims jobs, beats their leases, and answers for an engine child that it can kill.

The lease covers the supervisor's own death; a child that hangs is covered by the deadlines of its stages. Whatever
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

from adapters.metrics import Metrics, process_metrics
from adapters.tracing import Tracing
from schemas.errors import CrashError, GpuError, LeaseLost, ModelError, NotFound, NotReady, TransientError
from schemas.job import JobError
from transcription.ports import Claimed, JobQueue, Lease, Prepared, Store
from workers.child import ChildDied, EngineProcess
from workers.crashpoints import Reached
from workers.deadlines import Deadlines
from workers.idleness import Idleness
from workers.lease_keeper import LeaseKeeper
from workers.lookahead import Lookahead
from workers.messages import (
    Broke,
    Fetched,
    Finished,
    FromChild,
    Halved,
    Load,
    Loaded,
    Stop,
    Stopped,
    Unexpected,
    Work,
)
from workers.outage import Outage
from workers.outcomes import Outcomes, job_error
from workers.scratch import WorkerScratch
from workers.stopping import Stopping
from workers.watch import Watch

log = structlog.get_logger()

IDLE_LOOK_SECONDS = 0.5  #: how often an idle worker asks for a job
LEAVE_SECONDS = 3.0  #: a child that was asked to leave its job and has not is killed; a cancel has 5 s
LONGEST_LOOK_SECONDS = 0.25  #: how soon a stop is noticed
STUMBLE_SECONDS = 5.0  #: of pause after an error that nobody foresaw
LONGEST_PAUSE_SECONDS = 60.0  #: of a worker that is not ready
CLOCK_STEP_SECONDS = 1.0  #: more than this between two clocks is a step, not drift


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a supervisor beats, and for how long its leases are. Seconds."""

    lease: float
    heartbeat: float


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
    """One worker. `start_engine` gives a fresh engine child; `stop` asks the worker to end, from any thread.

    A worker that was asked to end finishes its job where that fits `grace_seconds`; `hurry` ends the grace at once.
    `start_preparer` gives a child that prepares the next job meanwhile; without one no job is claimed ahead.
    """

    def __init__(
        self,
        *,
        queue: JobQueue,
        store: Store,
        start_engine: Callable[[], EngineProcess],
        start_preparer: Callable[[], EngineProcess] | None = None,
        scratch: WorkerScratch,
        worker: str,
        pace: Pace,
        stop: StopEvent,
        hurry: StopEvent | None = None,
        grace_seconds: float = 0.0,
        device: str = "",
        idleness: Idleness | None = None,
        deadlines: Deadlines | None = None,
        reached: Reached = lambda _place: None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        metrics: Metrics | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self._metrics = metrics or process_metrics()
        self._dropped_for: str | None = None  # why the last child was ended
        self._queue = queue
        self._start_engine = start_engine
        self._scratch = scratch
        self._worker = worker
        self._device = device
        self._pace = pace
        self._stop = stop
        self._stopping = Stopping(stop, hurry=hurry, grace_seconds=grace_seconds, clock=clock)
        self._idleness = idleness or Idleness(clock)
        self._deadlines = deadlines or Deadlines()
        self._reached = reached
        self._clock = clock
        self._engine: EngineProcess | None = None
        self._owes_an_answer = False  # the child has a job and has not said its last word about it
        self._outcomes = Outcomes(
            queue=queue,
            store=store,
            reached=reached,
            wait=self._stopping.wait,
            metrics=self._metrics,
            tracing=tracing,
            clock=clock,
        )
        self._ahead = start_preparer and Lookahead(
            queue=queue,
            outcomes=self._outcomes,
            start_child=start_preparer,
            scratch=scratch,
            worker=worker,
            lease_seconds=pace.lease,
            heartbeat_seconds=pace.heartbeat,
            deadlines=self._deadlines,
            reached=reached,
            clock=clock,
        )
        self._clock_watch = ClockWatch(wall=wall, clock=clock, grace_seconds=pace.lease)
        self._outage = Outage("ledger not reached", over="ledger reached again", clock=clock)
        self._next_rescue = 0.0
        self._pause_seconds = 0.0
        self._not_ready: NotReady | None = None

    @property
    def lacking(self) -> str | None:
        """What this machine lacked for the job it tried last, in a sentence; None where it had everything."""
        return None if self._not_ready is None else self._not_ready.message

    def run(self, *, once: bool = False, exit_when_idle: float | None = None, preload: str | None = None) -> None:
        """Work until the stop is set; after one job with `once`, or after so many seconds without one.

        With `once`, a job that this machine is not ready for raises its NotReady. `preload` has a model set
        loaded before anything is claimed and raises what keeps it from that.
        """
        if once:
            self._ahead = None
        try:
            self._scratch.sweep()
            if preload:
                self._preload(preload)
            log.info("worker started", worker=self._worker, device=self._device)
            self._loop(once=once, exit_when_idle=exit_when_idle)
        finally:
            if self._ahead:
                self._ahead.give_back("worker stops")
                self._ahead.close()
            self._drop_engine("worker_ended")
            self._scratch.close()
            log.info("worker ended", worker=self._worker)

    def _loop(self, *, once: bool, exit_when_idle: float | None) -> None:
        while not self._stop.is_set():
            self._metrics.loop_turned("worker")
            try:
                found = self._next_job()
                if found is not None:
                    with self._idleness.interrupted():
                        self._attend(*found)
            except Exception:
                if once:
                    raise
                # A defect of ours. A worker that ended over it would leave an API that takes jobs nobody does.
                log.exception("worker stumbled")
                self._stop.wait(STUMBLE_SECONDS)
                found = None
            if found is not None:
                if once and self._not_ready is not None:
                    raise self._not_ready
                self._stop.wait(self._pause_seconds)
            elif exit_when_idle is not None and self._idleness.is_at_least(exit_when_idle):
                return
            elif not once:
                self._stop.wait(IDLE_LOOK_SECONDS)
            if once:
                return

    def _next_job(self) -> tuple[Claimed, Prepared | None] | None:
        """The job that was prepared meanwhile, or the best of the queue."""
        try:
            self._rescue()
            if self._ahead and self._await_prepared(self._ahead):
                return self._ahead.take()
            if self._stop.is_set():
                return None
            claimed = self._queue.claim(self._worker, lease_seconds=self._pace.lease)
            self._outage.ended()
        except (TransientError, NotReady) as error:
            self._outage.noticed(error)
            self._stop.wait(IDLE_LOOK_SECONDS * 4)
            return None
        return None if claimed is None else (claimed, None)

    def _await_prepared(self, ahead: Lookahead) -> bool:
        """Wait for the sound of the job ahead; whether it came to be."""
        while ahead.has_job and not ahead.is_ready and not self._stop.is_set():
            self._metrics.loop_turned("worker")
            ahead.step(seconds=LONGEST_LOOK_SECONDS)
        return ahead.is_ready and not self._stop.is_set()

    def _rescue(self) -> None:
        """Take expired leases away, at most once per heartbeat."""
        if self._clock() < self._next_rescue or not self._clock_watch.is_steady():
            return
        self._next_rescue = self._clock() + min(self._pace.heartbeat, self._pace.lease / 4)
        rescued = self._queue.rescue()
        for each in rescued:  # another job than this worker's own, which is bound to its lines
            job = each.job
            log.warning(
                "job rescued", job_id=job.id, attempt=each.attempt, state=job.state.value, crashes=job.crashes
            )
        if rescued:
            self._scratch.sweep()

    # -- one job

    def _attend(self, claimed: Claimed, prepared: Prepared | None = None) -> None:
        """See one job through to the end of its attempt. Nothing that happens to it ends the worker."""
        lease = claimed.lease
        structlog.contextvars.bind_contextvars(job_id=lease.job_id, attempt=lease.token)
        folder = self._scratch.attempt(lease.job_id, lease.token)
        self._not_ready = None
        try:
            if prepared is None:
                self._outcomes.began(claimed)
                self._reached("after_claim")
                log.info("job claimed", episode_id=claimed.episode.id, title=claimed.episode.title)
            self._see_through(claimed, prepared)
        except LeaseLost:
            self._leave(lease)
            self._outcomes.delete_results_of(lease)
            self._outcomes.lost(lease)
            log.warning("lease lost")
        except Exception:
            # A defect of ours. The job's rules decide: the lease is given up and counts as a failed attempt.
            log.exception("attempt broke")
            self._drop_engine("internal_error")
            self._outcomes.try_to_fail(lease, JobError("internal_error", "the worker itself failed", retryable=True))
        finally:
            self._scratch.clear(folder)
            structlog.contextvars.unbind_contextvars("job_id", "attempt")
        lacks_models_only = isinstance(self._not_ready, ModelError)
        self._pause_seconds = 0.0 if self._not_ready is None or lacks_models_only else self._longer_pause()
        if self._not_ready is None:
            self._outcomes.ready_for(lease.job_id)
        elif self._ahead and self._pause_seconds > 0:
            self._ahead.give_back("worker pauses")  # nobody beats its lease meanwhile

    def _see_through(self, claimed: Claimed, prepared: Prepared | None) -> None:
        lease = claimed.lease
        try:
            answer = self._work(claimed, prepared)
        except (TransientError, NotReady) as error:
            # The ledger, asked about the episode before the engine has the job: no fault of the job or of ours.
            log.warning("ledger not reached", code=error.code, reason=error.message)
            self._outcomes.hand_back(lease, "ledger not reached")
            return
        if answer is None:
            self._outcomes.hand_back(lease, "worker stops")
        elif isinstance(answer, Finished):
            self._outcomes.finish(lease, answer.result)
        elif isinstance(answer, Broke):
            if answer.error.code == GpuError.default_code:  # at work, or while it loaded the models
                log.error("engine to be replaced", code=answer.error.code, reason=answer.error.message)
                self._drop_engine(answer.error.code)
            self._not_ready = self._outcomes.settle(lease, answer.error)
        elif isinstance(answer, Unexpected):
            log.error("engine broke", kind=answer.kind, trace=answer.trace)
            self._drop_engine("internal_error")
            self._outcomes.fail(lease, JobError("internal_error", f"unexpected {answer.kind}", retryable=True))
        else:
            self._outcomes.fail(lease, job_error(answer), crashed=True)

    def _work(self, claimed: Claimed, prepared: Prepared | None) -> Finished | Broke | Unexpected | CrashError | None:
        """Have the child do the job and beat meanwhile. None: the worker was asked to stop. Raises LeaseLost."""
        lease = claimed.lease
        if prepared is not None:
            self._outcomes.goes_on(lease, prepared.decoded.waveform.seconds)
        engine = self._ordered(claimed, prepared)
        watch = Watch(
            self._clock(),
            self._deadlines,
            models=claimed.job.options.models,
            size_bytes=claimed.episode.audio.size_bytes,
        )
        keeper = LeaseKeeper(
            self._outcomes,
            lease,
            self._clock(),
            heartbeat_seconds=self._pace.heartbeat,
            first_beat_seconds=0.0 if prepared else self._pace.heartbeat,
        )
        if self._ahead:
            self._ahead.begin()
        while True:
            self._metrics.loop_turned("worker")
            try:
                message = engine.hear(min(LONGEST_LOOK_SECONDS, keeper.seconds_to_beat(self._clock())))
            except ChildDied as died:
                self._drop_engine("engine_died")
                return CrashError(f"the engine process {died.how}", code="engine_died")
            if isinstance(message, Finished | Broke | Unexpected):
                self._owes_an_answer = False
                return message
            if isinstance(message, Halved):
                self._metrics.batch_halved(message.stage)
            elif isinstance(message, Fetched):
                self._outcomes.fetched(lease, message.recording)
            elif message is not None:
                watch.hear(message, self._clock())
            self._outcomes.write_progress(lease, watch, self._clock())
            if keeper.keep(self._clock()):
                self._rescue_beside_work()
            if watch.is_hung(self._clock()):
                self._drop_engine("engine_hung")
                return CrashError(watch.how_hung(self._clock()), code="engine_hung")
            if self._stopping.is_asked:
                if self._ahead:
                    self._ahead.give_back("worker stops")
                if not self._fits(watch):
                    answer = self._leave(lease)
                    return answer if isinstance(answer, Finished) else None
            elif self._ahead:
                self._ahead.look(watch.seconds_left(self._clock()))

    def _ordered(self, claimed: Claimed, prepared: Prepared | None) -> EngineProcess:
        """Give the job to the child; from here on it owes a last word about it."""
        lease = claimed.lease
        engine = self._ready_engine()
        revision = self._next_revision(claimed)
        earlier_key = self._current_key(claimed) if revision > 1 else None
        self._owes_an_answer = True
        engine.order(
            Work(
                job=claimed.job,
                episode=claimed.episode,
                audio_key=claimed.audio_key,
                token=lease.token,
                revision=revision,
                earlier_key=earlier_key,
                folder=self._scratch.attempt(lease.job_id, lease.token),
                prepared=prepared,
            )
        )
        return engine

    def _fits(self, watch: Watch) -> bool:
        """Whether the job will be done, by its own estimate, before the worker has to leave it."""
        left = watch.seconds_left(self._clock())
        return left is not None and left < self._stopping.seconds_left()

    def _rescue_beside_work(self) -> None:
        try:
            self._rescue()
        except (TransientError, NotReady) as error:
            log.warning("rescue failed", code=error.code, reason=error.message)

    def _next_revision(self, claimed: Claimed) -> int:
        """What the document will be. No other job of this episode runs meanwhile: the ledger sees to that."""
        return self._queue.next_revision(claimed.episode.id)

    def _current_key(self, claimed: Claimed) -> str | None:
        """Of the transcript that this job's will replace. Nobody revises it meanwhile: the ledger sees to that."""
        try:
            return self._queue.latest_done(claimed.episode.id).transcript_key
        except NotFound:  # deleted, and asked for anew
            return None

    # -- the child

    def _ready_engine(self) -> EngineProcess:
        if self._engine is None:
            if self._dropped_for is not None:
                self._metrics.engine_restarted(self._dropped_for)
            self._engine = self._start_engine()
        return self._engine

    def _drop_engine(self, why: str) -> None:
        self._owes_an_answer = False
        if self._engine is not None:
            self._engine.kill()
            self._engine = None
            self._dropped_for = why

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
        self._drop_engine("job_left")
        return None

    def _preload(self, models: str) -> None:
        engine = self._ready_engine()
        engine.order(Load(models))
        watch = Watch(self._clock(), self._deadlines, models=models)
        while not self._stop.is_set() and not watch.is_hung(self._clock()):
            self._metrics.loop_turned("worker")
            message = engine.hear(LONGEST_LOOK_SECONDS)
            if isinstance(message, Loaded):
                log.info("models loaded", models=models, seconds=round(message.seconds, 1))
                return
            if isinstance(message, Broke):
                raise message.error
            if isinstance(message, Unexpected):
                log.error("engine broke", kind=message.kind, trace=message.trace)
                raise NotReady(f"{models}: unexpected {message.kind} while loading", code="engine_failed")
            if message is not None:
                watch.hear(message, self._clock())

    def _longer_pause(self) -> float:
        return min(max(self._pace.heartbeat, self._pause_seconds * 2), LONGEST_PAUSE_SECONDS)
