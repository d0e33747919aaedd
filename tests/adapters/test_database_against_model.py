"""The ledger against a model of it, `MemoryQueue`, under random interleavings of workers, people and time.

Both hear the same calls and must answer alike: the same job, the same refusal, the same events. What the design
promises whatever happens is checked after every step on the ledger alone.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from adapters.database import Ledger
from adapters.memory import MemoryQueue
from schemas.episode import AudioInfo, Episode
from schemas.errors import Refused, StenocastError
from schemas.events import Event, JobChanged
from schemas.job import LEGAL_MOVES, MOVES, Job, JobError, JobOptions, JobState, Progress, Stage
from tests.ledgers import emptied, postgres_database, sqlite_url
from tests.servers import PostgresServer
from transcription.jobs import MAX_ATTEMPTS, MAX_CRASHES
from transcription.ports import Backlog, Claimed, JobQueue, Lease, NewJob, Rescued, Result

LEASE = 30.0

#: By which time passes. No sum of these is a lease, a lead or a delay to the second: the ledger's clock, which also
#: runs by itself, would be a moment past that end and the model's exactly at it.
STEPS = (11.0, 31.0, 1000.0)

#: Which state a job is in after an event of this type.
STATE_AFTER = {
    "job.queued.v1": JobState.QUEUED,
    "job.started.v1": JobState.RUNNING,
    "job.retrying.v1": JobState.QUEUED,
    "job.done.v1": JobState.DONE,
    "job.failed.v1": JobState.FAILED,
    "job.cancelled.v1": JobState.CANCELLED,
}


def request(
    same: int,
    *,
    show: str | None,
    priority: int = 0,
    key: str | None = None,
    title: str | None = None,
    revives: bool = False,
) -> NewJob:
    """Requests of the same number are the same; numbers that are equal modulo 4 are about one episode."""
    return NewJob(
        episode=Episode(
            id=f"episode-{same % 4}",
            title=title or (None if same == 1 else f"Title {same}"),
            show=show,
            audio=AudioInfo(uri=f"uploads/{same}"),
        ),
        options=JobOptions(),
        audio_key="uploads/x",
        dedupe_key=f"same-{same}",
        idempotency_key=key,
        priority=priority,
        expected_seconds=float(same) or None,
        traceparent=f"trace-{same}" if same % 2 else None,
        revives=revives,
    )


def result_for(lease: Lease) -> Result:
    return Result(
        document_key=f"results/{lease.job_id}/{lease.token}/transcript.json",
        document_sha256="d" * 64,
        document_bytes=1,
        audio_seconds=1.0,
        audio_sha256="a" * 64,
        language="en",
        speaker_count=1,
        named_speaker_count=0,
        word_count=1,
        coverage=None,
        no_speech=False,
    )


class LedgerAgainstModel(RuleBasedStateMachine):
    """On SQLite; on PostgreSQL below."""

    jobs = Bundle("jobs")
    leases = Bundle("leases")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        event_numbers = itertools.count()
        self.ledger = Ledger(self.empty_ledger(), jitter=lambda: 0.5, new_id=lambda: f"event-{next(event_numbers)}")
        self.model_now = 1_000_000.0
        numbers = itertools.count()
        self.model = MemoryQueue(now=lambda: self.model_now, new_id=lambda: f"event-{next(numbers)}")
        self.names = itertools.count()
        self.tokens: dict[str, list[int]] = defaultdict(list)

    def empty_ledger(self) -> str:
        return sqlite_url(self.folder)

    def teardown(self) -> None:
        self.ledger.close()
        shutil.rmtree(self.folder)

    def both(self, call: Callable[[JobQueue], Any], verb: str = "") -> Any:
        """Ask the ledger and the model; they must answer alike. What they raised comes back as its class."""
        before = {job.id: job.state for job in self.ledger.jobs(limit=1000)} if verb else {}
        answers = []
        for queue in (self.ledger, self.model):
            try:
                answers.append(call(queue))
            except StenocastError as error:
                answers.append((type(error), error.code))
        assert timeless(answers[0]) == timeless(answers[1])
        if verb:
            now = {job.id: job.state for job in self.ledger.jobs(limit=1000)}
            moves = {(before[job_id], now[job_id]) for job_id in before if before[job_id] is not now[job_id]}
            assert all(verb in MOVES[move] for move in moves)
        return answers[0]

    @initialize(target=jobs)
    def first_job(self) -> Any:
        return self.add("A", 0, 0, None)

    @rule(
        target=jobs,
        show=st.sampled_from(["A", "B", ""]),
        priority=st.sampled_from([0, 0, 5]),
        same=st.integers(0, 6),
        key=st.sampled_from([None, None, "k1", "k2"]),
        revives=st.booleans(),
    )
    def add(self, show: str, priority: int, same: int, key: str | None, revives: bool = False) -> Any:
        new = request(same, show=show or None, priority=priority, key=key, revives=revives)
        job_id = f"job-{next(self.names)}"
        answer = self.both(lambda queue: queue.add(new, job_id=job_id))
        return answer[0].id if isinstance(answer[0], Job) else multiple()

    @rule(target=jobs, sames=st.lists(st.integers(0, 9), min_size=1, max_size=4), key=st.sampled_from([None, "k1"]))
    def add_all(self, sames: list[int], key: str | None) -> Any:
        news = [
            request(same, show="A" if same % 2 else None, key=key if same == sames[-1] else None) for same in sames
        ]
        first = next(self.names)

        def add(queue: JobQueue) -> Any:
            numbers = itertools.count()
            answers = queue.add_all(news, new_id=lambda: f"batch-{first}-{next(numbers)}")
            return [each.code if isinstance(each, Refused) else each for each in answers]

        return multiple(*{each[0].id for each in self.both(add) if isinstance(each, tuple | list)})

    @rule(same=st.integers(0, 9), show=st.sampled_from(["A", "B", None]), priority=st.sampled_from([0, 5]))
    def amend(self, same: int, show: str | None, priority: int) -> None:
        new = request(same, show=show, priority=priority, title="amended")
        self.both(lambda queue: queue.amend(new))

    @rule(target=leases, worker=st.sampled_from(["ada", "bram", "cleo"]))
    def claim(self, worker: str) -> Any:
        claimed = self.both(lambda queue: queue.claim(worker, lease_seconds=LEASE), "claim")
        if not isinstance(claimed, Claimed):
            return multiple()
        self.tokens[claimed.job.id].append(claimed.lease.token)
        return claimed.lease

    @rule(lease=leases)
    def beat(self, lease: Lease) -> None:
        self.both(lambda queue: queue.beat(lease))

    @rule(lease=leases, waits=st.booleans())
    def tell_progress(self, lease: Lease, waits: bool) -> None:
        self.both(lambda queue: queue.progress(lease, Progress(Stage.DECODE, done=1.0, waits=waits)))

    @rule(lease=leases)
    def finish(self, lease: Lease) -> None:
        self.both(lambda queue: queue.finish(lease, result_for(lease)), "finish")

    @rule(number=st.integers(0, 3), seen=st.sampled_from([None, None, 1, 2]))
    def revise(self, number: int, seen: int | None) -> None:
        """The transcript that is current, or one that may be."""
        episode_id = f"episode-{number}"

        def revise(queue: JobQueue) -> Any:
            job = queue.latest_done(episode_id)
            wanted = seen or job.revision or 0
            lease = Lease(job.id, 1, "", 0.0)
            by_hand = replace(result_for(lease), document_key=f"results/{job.id}/1/transcript-{wanted + 1}.json")
            return queue.revise(episode_id, by_hand, seen=wanted)

        self.both(revise)

    @rule(lease=leases, retryable=st.booleans(), crashed=st.booleans())
    def fail(self, lease: Lease, retryable: bool, crashed: bool) -> None:
        error = JobError("broken", "it broke", retryable=retryable)
        self.both(lambda queue: queue.fail(lease, error, crashed=crashed), "fail")

    @rule(lease=consumes(leases), delay=st.sampled_from([0.0, 40.0]))
    def release(self, lease: Lease, delay: float) -> None:
        self.both(lambda queue: queue.release(lease, delay_seconds=delay), "release")

    @rule(job_id=jobs)
    def cancel(self, job_id: str) -> None:
        self.both(lambda queue: queue.cancel(job_id), "cancel")

    @rule(job_id=jobs)
    def retry(self, job_id: str) -> None:
        self.both(lambda queue: queue.retry(job_id), "retry")

    @rule(number=st.integers(0, 3))
    def delete(self, number: int) -> None:
        def delete(queue: JobQueue) -> Any:
            deletion = queue.delete(f"episode-{number}", by="api")
            return (deletion.job_ids, deletion.audio_keys, deletion.revision)

        self.both(delete)

    @rule(seconds=st.sampled_from(STEPS))
    def pass_time(self, seconds: float) -> None:
        self.model_now += seconds
        self.ledger.clock_offset += seconds

    @rule()
    def rescue(self) -> None:
        self.both(lambda queue: list(queue.rescue()), "rescue")

    @rule(count=st.integers(1, 4))
    def publish(self, count: int) -> None:
        waiting = self.both(lambda queue: queue.pending_events(limit=count))
        self.both(lambda queue: queue.mark_published([number for number, _ in waiting]))

    @rule(publisher=st.sampled_from(["ada", "bram"]), seconds=st.sampled_from([9.0, 40.0]), resign=st.booleans())
    def lead_publishing(self, publisher: str, seconds: float, resign: bool) -> None:
        self.both(lambda queue: queue.lead_publishing(publisher, seconds=seconds))
        if resign:
            self.both(lambda queue: queue.resign_publishing(publisher))

    @invariant()
    def every_surface_shows_the_same(self) -> None:
        self.both(lambda queue: queue.backlog())
        self.both(lambda queue: queue.holders([job.id for job in queue.jobs(limit=1000)]))
        self.both(lambda queue: queue.known_requests([f"same-{number}" for number in range(10)]))
        self.both(lambda queue: queue.jobs(limit=1000))
        self.both(lambda queue: queue.pending_events(limit=1000))
        for number in range(4):
            self.both(lambda queue, n=number: queue.episode(f"episode-{n}"))
            self.both(lambda queue, n=number: queue.latest_done(f"episode-{n}"))
            self.both(lambda queue, n=number: queue.next_revision(f"episode-{n}"))
            for revision in (1, 2, 3):
                self.both(lambda queue, n=number, r=revision: queue.latest_done(f"episode-{n}", revision=r))

    @invariant()
    def every_job_moves_legally_and_ends_once(self) -> None:
        for job in self.ledger.jobs(limit=1000):
            told = [event for _, event in self.ledger.events_of(job.id) if isinstance(event.data, JobChanged)]
            states = [STATE_AFTER[event.type.value] for event in told]
            assert states[0] is JobState.QUEUED
            assert states[-1] is job.state
            assert all(after in LEGAL_MOVES[before] for before, after in itertools.pairwise(states))
            assert sum(state in (JobState.DONE, JobState.CANCELLED) for state in states) <= 1
            assert 0 <= job.crashes <= job.attempts <= MAX_ATTEMPTS
            assert job.crashes <= MAX_CRASHES

    @invariant()
    def tokens_rise(self) -> None:
        for tokens in self.tokens.values():
            assert all(earlier < later for earlier, later in itertools.pairwise(tokens))


def timeless(answer: Any) -> Any:
    """An answer without its times and event ids: the two clocks are not the same to the millisecond."""
    if isinstance(answer, list | tuple):
        return [timeless(each) for each in answer]
    if isinstance(answer, Job):
        waits = answer.not_before is not None
        times = {"created": "", "updated": "", "started": None, "finished": None, "deleted": None}
        return replace(answer, **times, not_before=str(waits))  # type: ignore[arg-type]
    if isinstance(answer, Event):
        return replace(answer, time="")
    if isinstance(answer, Backlog):
        return replace(answer, oldest_queued_seconds=0.0, oldest_unpublished_seconds=0.0)
    if isinstance(answer, Claimed | Rescued):
        return replace(answer, job=timeless(answer.job))
    return answer


class PostgresAgainstModel(LedgerAgainstModel):
    url = ""

    def empty_ledger(self) -> str:
        return emptied(self.url)


LedgerAgainstModel.TestCase.settings = settings(max_examples=12, stateful_step_count=30, deadline=None)
TestLedgerAgainstModel = LedgerAgainstModel.TestCase


@pytest.mark.services
def test_the_ledger_on_postgres_against_the_model(postgres: PostgresServer) -> None:
    with postgres_database(postgres) as PostgresAgainstModel.url:
        run_state_machine_as_test(
            PostgresAgainstModel, settings=settings(max_examples=8, stateful_step_count=30, deadline=None)
        )
