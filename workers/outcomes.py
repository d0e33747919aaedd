"""How an attempt ends, and what its holder writes while it lasts: everything a worker says to the ledger about a job.

Each kind of end has its own consequence, the same for the running job and for the one that is being prepared.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from adapters.erasure import erase
from adapters.metrics import Metrics, Outcome, process_metrics
from adapters.store_keys import result_prefix, results_of
from adapters.tracing import Tracing, process_tracing
from schemas.episode import AudioInfo
from schemas.errors import CrashError, LeaseLost, NotReady, StenocastError, TransientError
from schemas.job import Job, JobError, JobState, Progress, Stage
from transcription.ports import Claimed, JobQueue, Lease, Result, Store
from workers.attempt_record import AttemptRecord
from workers.crashpoints import Reached
from workers.outage import Outage
from workers.watch import Watch

log = structlog.get_logger()

LONGEST_DELAY_SECONDS = 600.0


class Outcomes:
    """Writes of lease holders. `wait` waits so many seconds and says whether there is no time for more."""

    def __init__(
        self,
        *,
        queue: JobQueue,
        store: Store,
        reached: Reached,
        wait: Callable[[float], bool],
        metrics: Metrics | None = None,
        tracing: Tracing | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._metrics = metrics or process_metrics()
        self._tracing = tracing or process_tracing()
        self._records: dict[Lease, AttemptRecord] = {}  # of the attempts that have not ended
        self._queue = queue
        self._store = store
        self._reached = reached
        self._wait = wait
        self._beats = Outage("beat failed", over="beats reach the ledger again", clock=clock)
        self._unnoted: dict[Lease, AudioInfo] = {}  # recordings of links that the ledger does not know of yet
        self._releases: dict[str, int] = {}  # how often in a row this worker was not ready for a job

    # -- what is measured of it

    def began(self, claimed: Claimed) -> None:
        """The attempt begins, with the claim."""
        self._records[claimed.lease] = AttemptRecord(
            claimed, metrics=self._metrics, tracing=self._tracing, clock=self._clock
        )

    def waits(self, lease: Lease, audio_seconds: float) -> None:
        """What could be prepared of the attempt is; nothing is done for it until its turn. Raises LeaseLost."""
        if lease in self._records:
            self._records[lease].waits()
        self._tell(lease, Progress(Stage.DECODE, done=audio_seconds, total=audio_seconds, waits=True))

    def goes_on(self, lease: Lease, audio_seconds: float) -> None:
        """It is its turn: from here on it answers for its worker's death. Raises LeaseLost."""
        self._tell(lease, Progress(Stage.DECODE, done=audio_seconds, total=audio_seconds))

    def lost(self, lease: Lease, *, left_nothing: bool = False) -> None:
        """The lease is gone: another worker's, or the job was cancelled, or deleted with its episode.

        Whatever this worker did for it has stopped. `left_nothing` says that it wrote nothing to the store: then
        nothing is erased here, so that a slow store does not keep the running job from its next beat.
        """
        self._ended(lease, Outcome.LOST, error_code="lease_lost")
        if left_nothing:
            return
        try:
            job = self._queue.job(lease.job_id)
            if job.deleted is not None:
                removed = erase(self._queue, self._store, self._queue.deletion(job.episode_id))
                log.info("deleted episode erased", episode_id=job.episode_id, objects=removed)
        except StenocastError as error:
            log.warning("deleted episode not erased", code=error.code)  # the reconciler goes on

    def _ended(
        self, lease: Lease, outcome: Outcome, *, error_code: str | None = None, audio_seconds: float | None = None
    ) -> None:
        self._unnoted.pop(lease, None)
        record = self._records.pop(lease, None)
        if record is not None:
            record.end(outcome, error_code=error_code, audio_seconds=audio_seconds)

    # -- while it lasts

    def fetched(self, lease: Lease, recording: AudioInfo) -> None:
        """The recording of the job's link lies in the store. Raises LeaseLost.

        A ledger that does not answer hears of it with the next beat, at the latest before the job is done.
        """
        self._unnoted[lease] = recording
        self._note_recording(lease)

    def _note_recording(self, lease: Lease) -> None:
        recording = self._unnoted.get(lease)
        if recording is None:
            return
        try:
            self._queue.fetched(lease, recording)
        except (TransientError, NotReady) as error:
            log.warning("recording not noted", code=error.code, reason=error.message)
        else:
            del self._unnoted[lease]
            log.info("recording downloaded", bytes=recording.size_bytes, container=recording.container)

    def beat(self, lease: Lease) -> None:
        """Raises LeaseLost. A ledger that does not answer is for the next beat."""
        try:
            self._queue.beat(lease)
        except (TransientError, NotReady) as error:
            self._beats.noticed(error)
            return
        except LeaseLost:
            self._beats.ended()
            raise
        self._beats.ended()
        self._note_recording(lease)

    def look_after(self, lease: Lease) -> bool:
        """Whether the ledger answered. Raises LeaseLost where the job is no longer this lease's: cancelled, say.

        Cheaper than a beat: a read.
        """
        try:
            holder = self._queue.holders([lease.job_id]).get(lease.job_id)
        except (TransientError, NotReady):
            return False  # the next beat says so
        if holder is None or holder.state is not JobState.RUNNING or holder.token != lease.token:
            raise LeaseLost(f"job {lease.job_id}: lease {lease.token} is no longer the job's")
        return True

    def write_progress(self, lease: Lease, watch: Watch, now: float) -> None:
        """Raises LeaseLost."""
        progress = watch.unwritten(now)
        if progress is None:
            return
        record = self._records.get(lease)
        if record is not None and progress.loads:
            record.waits()
        elif record is not None:
            record.entered(progress.stage)
        self._tell(lease, progress)

    def _tell(self, lease: Lease, progress: Progress) -> None:
        try:
            self._queue.progress(lease, progress)
        except (TransientError, NotReady) as error:
            log.warning("progress not written", code=error.code, reason=error.message)

    # -- how it ends

    def finish(self, lease: Lease, result: Result) -> None:
        self._reached("before_finish")
        job = self._insist(lambda: self._finished(lease, result))
        self._reached("after_finish")
        if job is None:
            return
        self._ended(lease, Outcome.DONE, audio_seconds=result.audio_seconds)
        self._delete_results_of_earlier(lease)
        log.info("job finished", audio_seconds=result.audio_seconds, words=result.word_count, revision=job.revision)

    def _finished(self, lease: Lease, result: Result) -> Job:
        if lease in self._unnoted:
            self._queue.fetched(lease, self._unnoted[lease])
        return self._queue.finish(lease, result)

    def settle(self, lease: Lease, error: StenocastError) -> NotReady | None:
        """The child ended with an error of ours: each kind has its own consequence. Raises LeaseLost.

        What this machine lacks comes back: the job is released, and the worker may have to pause.
        """
        if isinstance(error, LeaseLost):
            raise error
        if isinstance(error, NotReady):
            self._not_ready_for(lease, error)
            return error
        self.fail(lease, job_error(error), crashed=isinstance(error, CrashError))
        return None

    def ready_for(self, job_id: str) -> None:
        """This machine had what the job needs: its waits begin anew."""
        self._releases.pop(job_id, None)

    def _not_ready_for(self, lease: Lease, error: NotReady) -> None:
        """Our side lacks something: the job goes back untouched, and waits longer each time.

        A job that goes back keeps its turn, so without the wait it would be claimed before all others for ever:
        those with models that are here, or small enough for the room that is left. Missing models concern that
        one job only; what else is lacking may concern every job, and the worker pauses too. The first wait is as long
        as a lease.
        """
        reason = job_error(error)
        times = self._releases.get(lease.job_id, 0)
        self._releases[lease.job_id] = times + 1
        delay_seconds = min(lease.seconds * 2 ** min(times, 10), LONGEST_DELAY_SECONDS)
        self.delete_results_of(lease)
        self._insist(lambda: self._queue.release(lease, delay_seconds=delay_seconds, reason=reason))
        self._ended(lease, Outcome.RELEASED, error_code=error.code)
        log.error("worker not ready", code=error.code, reason=error.message)

    def hand_back(self, lease: Lease, reason: str) -> None:
        """Release the job at once, without counting an attempt."""
        self._reached("before_release")
        self.delete_results_of(lease)
        self._insist(lambda: self._queue.release(lease))
        self._ended(lease, Outcome.RELEASED)
        log.info("job handed back", reason=reason)

    def fail(self, lease: Lease, error: JobError, *, crashed: bool = False) -> None:
        self.delete_results_of(lease)
        job = self._insist(lambda: self._queue.fail(lease, error, crashed=crashed))
        if job is not None:
            is_final = job.state is JobState.FAILED
            outcome = Outcome.CRASHED if crashed else Outcome.FAILED if is_final else Outcome.RETRYING
            self._ended(lease, outcome, error_code=error.code)
            log.warning(
                "attempt failed", code=error.code, reason=error.message, state=job.state.value, crashed=crashed
            )

    def try_to_fail(self, lease: Lease, error: JobError) -> None:
        """`fail` after a defect of ours; where that fails too the lease runs out."""
        try:
            self.fail(lease, error)
        except StenocastError as second:
            log.warning("attempt left to its lease", code=second.code)

    def _insist(self, write: Callable[[], Job]) -> Job | None:
        """Write to the ledger, again and again while it does not answer and there is time.

        None where it never answered: the lease runs out and another worker goes on.
        """
        wait = 0.2
        while True:
            self._metrics.loop_turned("worker")
            try:
                return write()
            except (TransientError, NotReady) as error:
                log.warning("ledger not reached", code=error.code, reason=error.message)
                if self._wait(wait):
                    return None
                wait = min(wait * 2, 5.0)

    # -- results

    def delete_results_of(self, lease: Lease) -> None:
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
            for key in list(self._store.keys(results_of(lease.job_id))):
                if not key.startswith(own):
                    self._store.delete(key)
        except StenocastError as error:
            log.warning("results not cleared", code=error.code)

    def _delete_under(self, prefix: str) -> None:
        for key in list(self._store.keys(prefix)):
            self._store.delete(key)


def job_error(error: StenocastError) -> JobError:
    return JobError(code=error.code, message=error.message, retryable=error.retryable)
