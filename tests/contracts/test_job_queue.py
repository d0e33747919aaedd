"""The promises of `JobQueue`, kept by the ledger and by its fake alike."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from adapters.database import Ledger
from adapters.memory import MemoryQueue
from schemas.episode import AudioInfo, Episode
from schemas.errors import LeaseLost, NotFound, Refused
from schemas.events import TranscriptDeleted, TranscriptReady
from schemas.job import Job, JobError, JobOptions, JobState, Progress, Stage, Term
from tests.ledgers import emptied, postgres_database, sqlite_url
from tests.servers import PostgresServer
from transcription.jobs import MAX_CRASHES
from transcription.ports import Backlog, Claimed, Holder, JobQueue, NewJob, Result

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NO_NET = JobError("storage_unavailable", "the bucket did not answer", retryable=True)
BAD_AUDIO = JobError("audio_unreadable", "a.mp3: damaged")
LEASE = 30.0


@dataclass
class Bench:
    """A queue whose clock the test moves."""

    queue: JobQueue
    pass_time: Callable[[float], None]

    def add(self, name: str, *, show: str | None = None, **fields: Any) -> str:
        """Add a job called `name`; returns its id."""
        return self.queue.add(self.new(name, show=show, **fields), job_id=f"job-{name}")[0].id

    def new(self, name: str, *, show: str | None = None, **fields: Any) -> NewJob:
        """A request called `name`."""
        return NewJob(
            episode=Episode(
                id=fields.pop("episode_id", f"episode-{name}"),
                title=fields.pop("title", None),
                show=show,
                audio=AudioInfo(uri=f"uploads/{name}"),
            ),
            options=fields.pop("options", JobOptions()),
            audio_key=f"uploads/{name}",
            dedupe_key=fields.pop("dedupe_key", f"same-{name}"),
            **fields,
        )

    def add_all(self, *news: NewJob) -> Sequence[tuple[Job, bool] | Refused]:
        return self.queue.add_all(news, new_id=numbered("batch"))

    def claim(self, worker: str = "ada") -> Claimed:
        claimed = self.queue.claim(worker, lease_seconds=LEASE)
        assert claimed is not None
        return claimed

    def claimed_names(self, count: int) -> list[str]:
        return [self.claim().job.id.removeprefix("job-") for _ in range(count)]

    def event_types(self, job_id: str) -> list[str]:
        return [event.type.value for _, event in self.queue.events_of(job_id)]


def result_of(claimed: Claimed, *, title: str | None = None) -> Result:
    return Result(
        document_key=f"results/{claimed.job.id}/{claimed.lease.token}/transcript.json",
        document_sha256="d" * 64,
        document_bytes=10,
        audio_seconds=12.5,
        audio_sha256="a" * 64,
        language="en",
        speaker_count=2,
        named_speaker_count=1,
        word_count=40,
        coverage=0.9,
        no_speech=False,
        title=title,
    )


LINK = "https://pod.example/ebb.mp3?key=1"
RECORDING = AudioInfo(
    uri="uploads/tide/audio", sha256="a" * 64, size_bytes=16_000, container="mp3", file_name="Ebb.mp3"
)


def linked(bench: Bench, name: str = "one", **fields: Any) -> NewJob:
    """A request for what lies behind a link."""
    new = bench.new(name, **fields)
    audio = AudioInfo(uri="https://pod.example/ebb.mp3", file_name="ebb.mp3")
    return replace(new, audio_key=LINK, episode=replace(new.episode, audio=audio))


def job_and_is_new(answer: tuple[Job, bool] | Refused) -> tuple[str, bool]:
    assert not isinstance(answer, Refused)
    return answer[0].id, answer[1]


def numbered(prefix: str) -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"{prefix}-{next(numbers)}"


@pytest.fixture(scope="module")
def postgres_ledger(postgres: PostgresServer) -> Iterator[str]:
    with postgres_database(postgres) as url:
        yield url


@pytest.fixture(params=["sqlite", "memory", pytest.param("postgres", marks=pytest.mark.services)])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    if request.param == "memory":
        now = [1_000_000.0]

        def pass_memory_time(seconds: float) -> None:
            now[0] += seconds

        queue = MemoryQueue(now=lambda: now[0], new_id=numbered("event"))
        yield Bench(queue, pass_memory_time)
        return
    if request.param == "sqlite":
        url = sqlite_url(tmp_path)
    else:
        url = emptied(request.getfixturevalue("postgres_ledger"))
    ledger = Ledger(url, jitter=lambda: 0.5)

    def pass_ledger_time(seconds: float) -> None:
        ledger.clock_offset += seconds

    yield Bench(ledger, pass_ledger_time)
    ledger.close()


class TestAdding:
    def test_a_new_job_is_queued_and_told(self, bench: Bench) -> None:
        job_id = bench.add("one", show="Tide Lines")

        job = bench.queue.job(job_id)
        assert (job.state, job.attempts, job.show) == (JobState.QUEUED, 0, "Tide Lines")
        assert bench.event_types(job_id) == ["job.queued.v1"]

    def test_the_same_request_is_the_same_job(self, bench: Bench) -> None:
        first = bench.add("one", dedupe_key="same")

        assert bench.add("two", dedupe_key="same") == first
        assert bench.event_types(first) == ["job.queued.v1"]

    def test_asking_again_after_a_cancel_is_a_new_job(self, bench: Bench) -> None:
        bench.queue.cancel(bench.add("one", dedupe_key="same"))

        assert bench.add("two", dedupe_key="same") == "job-two"

    def test_an_idempotency_key_answers_with_its_job_even_after_a_cancel(self, bench: Bench) -> None:
        first = bench.add("one", dedupe_key="same", idempotency_key="k")
        bench.queue.cancel(first)

        assert bench.add("two", dedupe_key="same", idempotency_key="k") == first
        known = bench.queue.known("k")
        assert known is not None
        assert known.id == first

    def test_an_idempotency_key_that_found_a_job_stays_with_it(self, bench: Bench) -> None:
        first = bench.add("one", dedupe_key="same")
        bench.add("two", dedupe_key="same", idempotency_key="k")
        bench.queue.cancel(first)

        assert bench.add("three", dedupe_key="same", idempotency_key="k") == first

    def test_an_idempotency_key_for_another_request_is_refused(self, bench: Bench) -> None:
        bench.add("one", idempotency_key="k")

        with pytest.raises(Refused) as refusal:
            bench.add("two", idempotency_key="k")

        assert refusal.value.code == "idempotency_key_reused"
        with pytest.raises(NotFound):
            bench.queue.job("job-two")

    def test_what_cannot_be_done_as_asked_is_a_failed_job_that_may_be_retried(self, bench: Bench) -> None:
        failed = bench.add("one", dedupe_key="same", failed=BAD_AUDIO)

        job = bench.queue.job(failed)
        assert (job.state, job.error, job.attempts) == (JobState.FAILED, BAD_AUDIO, 0)
        assert job.finished is not None
        assert bench.queue.claim("ada", lease_seconds=LEASE) is None
        assert bench.add("two", dedupe_key="same") == failed
        assert bench.queue.retry(failed).state is JobState.QUEUED
        assert bench.claim().job.error is None
        assert bench.event_types(failed) == ["job.failed.v1", "job.queued.v1", "job.started.v1"]

    def test_requests_with_very_long_keys_are_told_apart_by_their_ends(self, bench: Bench) -> None:
        long = random.Random(4).randbytes(4000).hex()
        first = bench.add("one", dedupe_key=f"{long}-1", idempotency_key=f"k{long}-1", show=f"{long}-1")
        second = bench.add("two", dedupe_key=f"{long}-2", idempotency_key=f"k{long}-2", show=f"{long}-2")

        assert (bench.add("three", dedupe_key=f"{long}-1"), second) == (first, "job-two")
        assert bench.add("four", dedupe_key=f"{long}-1", idempotency_key=f"k{long}-1") == first
        assert bench.queue.known_requests([f"{long}-1", f"{long}-3"]) == {f"{long}-1"}
        assert bench.queue.job(first).show == f"{long}-1"

    def test_a_nul_in_what_comes_from_outside_is_no_obstacle(self, bench: Bench) -> None:
        job_id = bench.add("one", title="Eb\0b", show="Tide\0", dedupe_key="same\0", idempotency_key="k\0")
        bench.queue.fail(bench.claim("ada\0").lease, JobError("broken", "found \0 in it"))

        assert bench.add("two", dedupe_key="same\0", idempotency_key="k\0") == job_id
        assert bench.queue.known_requests(["same\0"]) == {"same\0"}
        assert bench.queue.retry(job_id).state is JobState.QUEUED
        with pytest.raises(NotFound):
            bench.queue.job("no\0such")

    def test_an_unknown_idempotency_key_has_no_job(self, bench: Bench) -> None:
        assert bench.queue.known("never used") is None

    def test_what_is_known_about_an_episode_grows_with_requests(self, bench: Bench) -> None:
        bench.add("one", episode_id="e", show="Tide Lines")
        bench.add("two", episode_id="e")

        assert bench.queue.episode("e").show == "Tide Lines"


class TestAddingMany:
    def test_all_that_are_new_are_queued_in_the_order_given(self, bench: Bench) -> None:
        answers = bench.add_all(*(bench.new(name) for name in ("one", "two", "three")))

        assert [job_and_is_new(answer) for answer in answers] == [
            ("batch-1", True),
            ("batch-2", True),
            ("batch-3", True),
        ]
        assert [bench.claim().episode.id for _ in range(3)] == ["episode-one", "episode-two", "episode-three"]
        assert bench.event_types("batch-2") == ["job.queued.v1", "job.started.v1"]

    def test_equal_requests_of_a_batch_and_known_ones_are_one_job(self, bench: Bench) -> None:
        known = bench.add("known")

        answers = bench.add_all(bench.new("one"), bench.new("known"), bench.new("one"))

        assert [job_and_is_new(answer) for answer in answers] == [
            ("batch-1", True),
            (known, False),
            ("batch-1", False),
        ]
        assert len(bench.queue.jobs()) == 2

    def test_a_refused_request_keeps_the_others_of_its_batch_not_out(self, bench: Bench) -> None:
        bench.add("one", idempotency_key="k")

        answers = bench.add_all(bench.new("two"), bench.new("three", idempotency_key="k"), bench.new("four"))

        assert [getattr(answer, "code", None) for answer in answers] == [None, "idempotency_key_reused", None]
        assert {job.id for job in bench.queue.jobs()} == {"job-one", "batch-1", "batch-3"}

    def test_a_batch_of_nothing_changes_nothing(self, bench: Bench) -> None:
        assert list(bench.add_all()) == []
        assert bench.queue.backlog() == Backlog()

    def test_two_requests_of_a_batch_for_one_episode_are_two_jobs_in_order(self, bench: Bench) -> None:
        bench.add_all(
            bench.new("one", episode_id="e", title="Ebb", show="Tide Lines"), bench.new("two", episode_id="e")
        )

        assert bench.claim().job.id == "batch-1"
        assert bench.queue.claim("ada", lease_seconds=LEASE) is None
        assert bench.queue.episode("e").title == "Ebb"
        assert bench.queue.job("batch-2").show == "Tide Lines"

    def test_what_was_ever_asked_for_is_known_even_when_it_was_cancelled(self, bench: Bench) -> None:
        bench.add("one")
        bench.queue.cancel(bench.add("two"))

        assert bench.queue.known_requests(["same-one", "same-two", "same-three", "same-one"]) == {
            "same-one",
            "same-two",
        }
        assert bench.queue.known_requests([]) == frozenset()

    def test_very_many_requests_can_be_asked_about_at_once(self, bench: Bench) -> None:
        bench.add("one")

        assert bench.queue.known_requests([f"same-{n}" for n in range(40_000)] + ["same-one"]) == {"same-one"}


class TestAmending:
    def test_a_waiting_job_takes_what_comes_later(self, bench: Bench) -> None:
        job_id = bench.add("one", title="ep01.mp3")
        options = JobOptions(language="de")

        amended = bench.queue.amend(bench.new("one", title="Ebb", show="Tide Lines", options=options, priority=7))

        assert amended is not None
        assert amended == bench.queue.job(job_id)
        assert (amended.title, amended.show, amended.options, amended.priority) == ("Ebb", "Tide Lines", options, 7)
        claimed = bench.claim()
        assert (claimed.episode.title, claimed.episode.audio.uri) == ("Ebb", "uploads/one")
        assert bench.event_types(job_id) == ["job.queued.v1", "job.started.v1"]

    def test_what_is_not_said_again_stays(self, bench: Bench) -> None:
        bench.add("one", title="Ebb", show="Tide Lines", expected_seconds=60.0, traceparent=TRACE)

        bench.queue.amend(bench.new("one"))

        claimed = bench.claim()
        assert (claimed.episode.title, claimed.episode.show, claimed.traceparent) == ("Ebb", "Tide Lines", TRACE)
        assert bench.queue.backlog().running_audio_seconds == 60.0

    def test_a_request_that_amends_is_remembered_and_taken_over_at_once(self, bench: Bench) -> None:
        """In one transaction: whoever dies after it has nothing left to do when the request comes again."""
        job_id = bench.add("one")
        later = bench.new("one", title="Ebb", priority=7, idempotency_key="k", amends=True)

        [answer] = bench.add_all(later)

        assert job_and_is_new(answer) == (job_id, False)
        job = bench.queue.job(job_id)
        assert (job.title, job.priority) == ("Ebb", 7)
        assert answer == (job, False)
        assert bench.claim().episode.title == "Ebb"

    def test_a_request_that_amends_and_comes_again_changes_nothing(self, bench: Bench) -> None:
        """What described the job later stands, although the earlier request is repeated."""
        first = bench.new("one", title="Ebb", idempotency_key="k", amends=True)
        bench.add_all(first, first, bench.new("one", title="Flood", idempotency_key="l", amends=True), first)
        bench.add_all(first)

        assert bench.queue.job("batch-1").title == "Flood"

    def test_a_request_that_amends_leaves_a_claimed_job_alone(self, bench: Bench) -> None:
        job_id = bench.add("one", title="Ebb")
        bench.queue.release(bench.claim().lease)

        bench.add_all(bench.new("one", title="Flood", amends=True))

        assert bench.queue.job(job_id).title == "Ebb"

    def test_an_amended_priority_counts_at_once(self, bench: Bench) -> None:
        bench.add("one")
        bench.add("two")
        bench.queue.amend(bench.new("two", priority=5))

        assert bench.claimed_names(2) == ["two", "one"]

    def test_a_job_that_turns_out_to_be_another_show_s_takes_its_turn_there(self, bench: Bench) -> None:
        for number in range(3):
            bench.add(f"back{number}", show="Backfill")
        bench.add("late", show="Backfill")
        bench.queue.amend(bench.new("late", show="Fresh"))

        assert bench.claimed_names(2) == ["back0", "late"]

    @pytest.mark.parametrize("state", ["running", "released", "done", "cancelled", "missing"])
    def test_any_other_job_stays_as_it_is(self, bench: Bench, state: str) -> None:
        job_id = bench.add("one", title="Ebb")
        if state == "cancelled":
            bench.queue.cancel(job_id)
        elif state != "missing":
            claimed = bench.claim()
            if state == "released":
                bench.queue.release(claimed.lease)
            elif state == "done":
                bench.queue.finish(claimed.lease, result_of(claimed))
        before = bench.queue.job(job_id)

        answer = bench.queue.amend(bench.new("two" if state == "missing" else "one", title="Flood", priority=3))

        assert answer is None
        assert (bench.queue.job(job_id), bench.queue.episode("episode-one").title) == (before, "Ebb")


class TestClaiming:
    def test_nothing_to_do_gives_nothing(self, bench: Bench) -> None:
        assert bench.queue.claim("ada", lease_seconds=LEASE) is None

    def test_a_claimed_job_is_running_for_its_worker_alone(self, bench: Bench) -> None:
        job_id = bench.add("one")

        claimed = bench.claim("ada")

        assert (claimed.job.state, claimed.job.worker, claimed.audio_key) == (JobState.RUNNING, "ada", "uploads/one")
        assert bench.queue.claim("bram", lease_seconds=LEASE) is None
        assert bench.event_types(job_id) == ["job.queued.v1", "job.started.v1"]

    def test_the_higher_priority_goes_first_then_the_older(self, bench: Bench) -> None:
        bench.add("old")
        bench.add("young")
        bench.add("urgent", priority=5)

        assert bench.claimed_names(3) == ["urgent", "old", "young"]

    def test_a_backfill_of_one_show_does_not_hold_up_another(self, bench: Bench) -> None:
        for number in range(5):
            bench.add(f"back{number}", show="Backfill")
        assert bench.claimed_names(2) == ["back0", "back1"]
        bench.add("fresh", show="Fresh")

        assert bench.claimed_names(3) == ["back2", "fresh", "back3"]

    def test_two_shows_take_turns(self, bench: Bench) -> None:
        for number in range(3):
            bench.add(f"a{number}", show="A")
        for number in range(3):
            bench.add(f"b{number}", show="B")

        assert bench.claimed_names(6) == ["a0", "b0", "a1", "b1", "a2", "b2"]

    def test_a_show_that_was_away_does_not_make_up_for_it(self, bench: Bench) -> None:
        for number in range(4):
            bench.add(f"a{number}", show="A")
        bench.claimed_names(4)
        for number in range(3):
            bench.add(f"b{number}", show="B")
        bench.add("a4", show="A")

        assert bench.claimed_names(4) == ["b0", "a4", "b1", "b2"]

    def test_two_jobs_of_one_episode_never_run_at_once(self, bench: Bench) -> None:
        bench.add("one", episode_id="e")
        bench.add("two", episode_id="e")
        bench.add("other")

        assert bench.claimed_names(2) == ["one", "other"]
        assert bench.queue.claim("bram", lease_seconds=LEASE) is None

    def test_the_token_rises_at_every_claim(self, bench: Bench) -> None:
        bench.add("one")
        tokens = []
        for _ in range(3):
            claimed = bench.claim()
            tokens.append(claimed.lease.token)
            bench.queue.release(claimed.lease)

        assert tokens == sorted(set(tokens))


class TestHolding:
    def test_a_beaten_lease_does_not_expire(self, bench: Bench) -> None:
        bench.add("one")
        claimed = bench.claim()
        for _ in range(3):
            bench.pass_time(LEASE - 5)
            bench.queue.beat(claimed.lease)

        assert list(bench.queue.rescue()) == []

    def test_progress_is_shown_while_the_job_runs_and_no_longer(self, bench: Bench) -> None:
        job_id = bench.add("one")
        claimed = bench.claim()
        bench.queue.progress(claimed.lease, Progress(Stage.RECOGNIZE, done=3.0, total=9.0))

        assert bench.queue.job(job_id).progress == Progress(Stage.RECOGNIZE, done=3.0, total=9.0)
        bench.queue.release(claimed.lease)
        assert bench.queue.job(job_id).progress is None

    @pytest.mark.parametrize("ending", ["released", "cancelled", "finished", "claimed again"])
    def test_a_worker_that_lost_its_lease_changes_nothing(self, bench: Bench, ending: str) -> None:
        job_id = bench.add("one")
        lost = bench.claim("zombie")
        if ending == "released":
            bench.queue.release(lost.lease)
        elif ending == "cancelled":
            bench.queue.cancel(job_id)
        elif ending == "finished":
            bench.queue.finish(lost.lease, result_of(lost))
        else:
            bench.pass_time(LEASE + 1)
            bench.queue.rescue()
            bench.claim("heir")
        before = (bench.queue.job(job_id), bench.queue.events_of(job_id))

        writes: list[Callable[[], object]] = [
            lambda: bench.queue.beat(lost.lease),
            lambda: bench.queue.progress(lost.lease, Progress(Stage.DECODE)),
            lambda: bench.queue.finish(lost.lease, result_of(lost)),
            lambda: bench.queue.fail(lost.lease, BAD_AUDIO),
            lambda: bench.queue.release(lost.lease),
        ]
        for write in writes:
            with pytest.raises(LeaseLost):
                write()

        assert (bench.queue.job(job_id), bench.queue.events_of(job_id)) == before


class TestFinishing:
    def test_a_finished_job_points_to_its_transcript_and_tells_so(self, bench: Bench) -> None:
        job_id = bench.add("one")
        claimed = bench.claim()

        job = bench.queue.finish(claimed.lease, result_of(claimed))

        assert (job.state, job.revision, job.audio_seconds) == (JobState.DONE, 1, 12.5)
        assert job.transcript_key == f"results/{job_id}/{claimed.lease.token}/transcript.json"
        assert bench.event_types(job_id) == [
            "job.queued.v1",
            "job.started.v1",
            "job.done.v1",
            "transcript.published.v1",
        ]

    def test_another_job_of_the_episode_makes_the_next_revision(self, bench: Bench) -> None:
        bench.add("one", episode_id="e")
        first = bench.claim()
        bench.queue.finish(first.lease, result_of(first))
        again = bench.add("two", episode_id="e")
        second = bench.claim()
        bench.queue.finish(second.lease, result_of(second))

        assert bench.queue.latest_done("e").id == again
        assert bench.queue.latest_done("e", revision=1).id == "job-one"
        assert bench.event_types(again)[-1] == "transcript.revised.v1"

    def test_two_jobs_of_one_episode_keep_to_their_own_sound_and_title(self, bench: Bench) -> None:
        bench.add("one", episode_id="e", title="Ebb")
        bench.add("two", episode_id="e", title="Flood")

        first = bench.claim()
        done = bench.queue.finish(first.lease, result_of(first))
        shown = bench.queue.episode("e")
        second = bench.claim()
        bench.queue.fail(second.lease, BAD_AUDIO)

        assert (first.episode.title, first.episode.audio.uri, first.audio_key) == ("Ebb", *["uploads/one"] * 2)
        assert (second.episode.title, second.episode.audio.uri, second.audio_key) == ("Flood", *["uploads/two"] * 2)
        assert (done.title, shown.title, shown.audio.uri, shown.audio.duration) == ("Ebb", "Ebb", "uploads/one", 12.5)
        assert bench.queue.episode("e") == shown

    def test_a_transcribed_episode_changes_only_when_its_next_job_is_done(self, bench: Bench) -> None:
        bench.add("one", episode_id="e", title="Ebb", show="Tide Lines")
        first = bench.claim()
        bench.queue.finish(first.lease, result_of(first))
        shown = bench.queue.episode("e")

        bench.add("two", episode_id="e", title="Flood")
        assert bench.queue.episode("e") == shown

        second = bench.claim()
        bench.queue.finish(second.lease, result_of(second))
        revised = bench.queue.episode("e")
        assert (revised.title, revised.show, revised.audio.uri) == ("Flood", "Tide Lines", "uploads/two")

    def test_the_file_s_title_fills_an_empty_one(self, bench: Bench) -> None:
        job_id = bench.add("one")
        claimed = bench.claim()
        bench.queue.finish(claimed.lease, result_of(claimed, title="Salt and Wind"))

        assert bench.queue.job(job_id).title == "Salt and Wind"
        assert bench.queue.episode("episode-one").audio.duration == 12.5

    def test_an_episode_without_a_transcript_has_none(self, bench: Bench) -> None:
        bench.add("one")

        with pytest.raises(NotFound):
            bench.queue.latest_done("episode-one")


class TestFailing:
    def test_bad_input_fails_at_once(self, bench: Bench) -> None:
        job_id = bench.add("one")

        job = bench.queue.fail(bench.claim().lease, BAD_AUDIO)

        assert (job.state, job.attempts, job.error) == (JobState.FAILED, 1, BAD_AUDIO)
        assert bench.event_types(job_id)[-1] == "job.failed.v1"

    def test_a_transient_failure_waits_before_it_is_tried_again(self, bench: Bench) -> None:
        job_id = bench.add("one")
        bench.queue.fail(bench.claim().lease, NO_NET)

        assert bench.queue.claim("ada", lease_seconds=LEASE) is None
        assert bench.queue.job(job_id).not_before is not None
        bench.pass_time(5.5)
        assert bench.claim().job.attempts == 1
        assert bench.event_types(job_id)[2:] == ["job.retrying.v1", "job.started.v1"]

    def test_the_fifth_transient_failure_is_the_last(self, bench: Bench) -> None:
        bench.add("one")
        states = []
        for _ in range(5):
            bench.pass_time(1000)
            states.append(bench.queue.fail(bench.claim().lease, NO_NET).state)

        assert states == [JobState.QUEUED] * 4 + [JobState.FAILED]

    def test_the_third_crash_is_the_last_and_has_its_own_code(self, bench: Bench) -> None:
        bench.add("one")
        crash = JobError("engine_died", "killed by SIGSEGV", retryable=True)
        states = []
        for _ in range(3):
            bench.pass_time(1000)
            job = bench.queue.fail(bench.claim().lease, crash, crashed=True)
            states.append(job.state)

        assert states == [JobState.QUEUED, JobState.QUEUED, JobState.FAILED]
        assert job.error is not None
        assert job.error.code == "crashed_repeatedly"

    def test_a_job_handed_back_has_lost_no_attempt(self, bench: Bench) -> None:
        bench.add("one")

        job = bench.queue.release(bench.claim().lease)

        assert (job.state, job.attempts) == (JobState.QUEUED, 0)
        assert bench.claim().job.id == job.id

    def test_a_job_handed_back_for_a_while_says_why_and_lets_others_pass(self, bench: Bench) -> None:
        bench.add("one")
        bench.add("two")
        missing = JobError("model_missing", "large: not here", retryable=True)

        job = bench.queue.release(bench.claim().lease, delay_seconds=20, reason=missing)

        assert job.error == missing
        assert bench.claimed_names(1) == ["two"]
        assert bench.queue.claim("ada", lease_seconds=LEASE) is None
        bench.pass_time(21)
        assert bench.claimed_names(1) == ["one"]

    def test_a_clock_set_back_does_not_keep_a_job_that_was_put_off(self, bench: Bench) -> None:
        job_id = bench.add("one")
        bench.queue.fail(bench.claim().lease, JobError("store_unavailable", "away", retryable=True))
        assert bench.queue.claim("ada", lease_seconds=LEASE) is None
        bench.pass_time(-86_400)

        assert bench.claim().job.id == job_id


class TestRescuing:
    def test_an_expired_lease_is_taken_away_and_counts_as_a_crash(self, bench: Bench) -> None:
        job_id = bench.add("one")
        bench.claim()
        bench.pass_time(LEASE + 1)

        rescued = bench.queue.rescue()

        jobs = [each.job for each in rescued]
        assert [(job.id, job.state, job.crashes) for job in jobs] == [(job_id, JobState.QUEUED, 1)]

    def test_a_rescue_says_which_attempt_was_lost(self, bench: Bench) -> None:
        bench.add("one")
        bench.queue.release(bench.claim().lease)
        token = bench.claim().lease.token
        bench.pass_time(LEASE + 1)

        assert [each.attempt for each in bench.queue.rescue()] == [token]

    def test_the_rescue_of_a_job_that_only_waited_says_so_too(self, bench: Bench) -> None:
        bench.add("one")
        lease = bench.claim().lease
        bench.queue.progress(lease, Progress(Stage.DECODE, waits=True))
        bench.pass_time(LEASE + 1)

        assert [each.attempt for each in bench.queue.rescue()] == [lease.token]

    def test_a_job_that_only_waited_for_its_turn_goes_back_uncounted(self, bench: Bench) -> None:
        """Its sound was prepared; its worker died of the job that ran."""
        job_id = bench.add("one")
        for _ in range(MAX_CRASHES):
            bench.queue.progress(bench.claim().lease, Progress(Stage.DECODE, waits=True))
            bench.pass_time(LEASE + 1)

            [rescued] = bench.queue.rescue()
            job = rescued.job

            assert (job.id, job.state, job.attempts, job.crashes) == (job_id, JobState.QUEUED, 0, 0)
            assert (job.error, job.progress, job.worker) == (None, None, None)
        assert bench.event_types(job_id) == ["job.queued.v1", *["job.started.v1", "job.queued.v1"] * MAX_CRASHES]

    def test_a_job_whose_turn_has_come_answers_for_its_worker(self, bench: Bench) -> None:
        bench.add("one")
        lease = bench.claim().lease
        for waits in (True, False):
            bench.queue.progress(lease, Progress(Stage.DECODE, waits=waits))
        bench.pass_time(LEASE + 1)

        assert [each.job.crashes for each in bench.queue.rescue()] == [1]

    def test_a_second_rescuer_finds_nothing(self, bench: Bench) -> None:
        bench.add("one")
        bench.claim()
        bench.pass_time(LEASE + 1)
        bench.queue.rescue()

        assert list(bench.queue.rescue()) == []

    def test_a_living_lease_is_left_alone(self, bench: Bench) -> None:
        bench.add("one")
        bench.claim()
        bench.pass_time(LEASE - 1)

        assert list(bench.queue.rescue()) == []

    def test_a_clock_set_back_does_not_keep_a_dead_worker_s_job(self, bench: Bench) -> None:
        bench.add("one")
        bench.claim()
        bench.pass_time(-86_400)
        assert list(bench.queue.rescue()) == []
        bench.pass_time(LEASE + 1)

        assert len(bench.queue.rescue()) == 1


class TestAskingFor:
    def test_a_queued_job_can_be_cancelled_and_then_stays_so(self, bench: Bench) -> None:
        job_id = bench.add("one")

        assert bench.queue.cancel(job_id).state is JobState.CANCELLED
        assert bench.queue.cancel(job_id).state is JobState.CANCELLED
        assert bench.event_types(job_id) == ["job.queued.v1", "job.cancelled.v1"]

    def test_a_finished_job_cannot_be_cancelled(self, bench: Bench) -> None:
        job_id = bench.add("one")
        claimed = bench.claim()
        bench.queue.finish(claimed.lease, result_of(claimed))

        with pytest.raises(Refused) as refusal:
            bench.queue.cancel(job_id)

        assert refusal.value.code == "job_already_final"

    def test_a_failed_job_can_be_retried_from_the_start(self, bench: Bench) -> None:
        job_id = bench.add("one")
        bench.queue.fail(bench.claim().lease, BAD_AUDIO)

        job = bench.queue.retry(job_id)

        assert (job.state, job.attempts, job.error) == (JobState.QUEUED, 0, None)
        assert bench.claim().job.id == job_id

    def test_only_a_failed_job_can_be_retried(self, bench: Bench) -> None:
        with pytest.raises(Refused) as refusal:
            bench.queue.retry(bench.add("one"))

        assert refusal.value.code == "job_not_retryable"

    @pytest.mark.parametrize("ask", ["job", "cancel", "retry"])
    def test_an_unknown_job_is_not_found(self, bench: Bench, ask: str) -> None:
        with pytest.raises(NotFound):
            getattr(bench.queue, ask)("no such job")

    def test_jobs_are_listed_newest_first_and_page_by_page(self, bench: Bench) -> None:
        for name in ("one", "two", "three"):
            bench.add(name)

        first_page = [job.id for job in bench.queue.jobs(limit=2)]
        assert first_page == ["job-three", "job-two"]
        assert [job.id for job in bench.queue.jobs(before=first_page[-1])] == ["job-one"]

    def test_jobs_are_listed_by_state(self, bench: Bench) -> None:
        bench.add("one")
        bench.queue.cancel(bench.add("two"))

        assert [job.id for job in bench.queue.jobs(state=JobState.CANCELLED)] == ["job-two"]


class TestLinks:
    def test_what_was_fetched_is_the_job_s_audio_for_whoever_claims_it_next(self, bench: Bench) -> None:
        job_id = bench.queue.add(linked(bench), job_id="job-one")[0].id
        claimed = bench.claim()
        assert (claimed.audio_key, claimed.episode.audio.uri) == (LINK, "https://pod.example/ebb.mp3")

        bench.queue.fetched(claimed.lease, RECORDING)
        bench.queue.release(claimed.lease)

        again = bench.claim("bo")
        assert (again.job.id, again.audio_key, again.episode.audio) == (job_id, RECORDING.uri, RECORDING)
        assert bench.queue.episode("episode-one").audio == RECORDING
        assert bench.queue.backlog().running_audio_seconds == 1.0  # 16,000 bytes at 128 kbit/s

    def test_a_recording_without_a_name_of_its_own_keeps_the_link_s(self, bench: Bench) -> None:
        bench.queue.add(linked(bench), job_id="job-one")

        bench.queue.fetched(bench.claim().lease, replace(RECORDING, file_name=None))

        assert bench.queue.episode("episode-one").audio.file_name == "ebb.mp3"

    def test_it_stays_what_is_played_when_the_job_is_done(self, bench: Bench) -> None:
        bench.queue.add(linked(bench), job_id="job-one")
        claimed = bench.claim()
        bench.queue.fetched(claimed.lease, RECORDING)

        bench.queue.finish(claimed.lease, result_of(claimed))

        assert bench.queue.episode("episode-one").audio == replace(RECORDING, duration=12.5)

    def test_a_repeat_changes_nothing(self, bench: Bench) -> None:
        bench.queue.add(linked(bench), job_id="job-one")
        claimed = bench.claim()
        bench.queue.fetched(claimed.lease, RECORDING)

        bench.queue.fetched(claimed.lease, RECORDING)

        assert bench.queue.episode("episode-one").audio == RECORDING

    def test_an_episode_with_a_transcript_keeps_its_sound_until_the_next_one_is_done(self, bench: Bench) -> None:
        bench.add("zero", episode_id="episode-one")
        first = bench.claim()
        bench.queue.finish(first.lease, result_of(first))
        bench.queue.add(linked(bench), job_id="job-one")
        claimed = bench.claim()

        bench.queue.fetched(claimed.lease, RECORDING)

        assert bench.queue.episode("episode-one").audio.uri == "uploads/zero"
        bench.queue.finish(claimed.lease, result_of(claimed))
        assert bench.queue.episode("episode-one").audio.uri == RECORDING.uri

    def test_who_lost_the_lease_notes_nothing(self, bench: Bench) -> None:
        bench.queue.add(linked(bench), job_id="job-one")
        lost = bench.claim().lease
        bench.pass_time(LEASE + 1)
        bench.queue.rescue()

        with pytest.raises(LeaseLost):
            bench.queue.fetched(lost, RECORDING)

        assert bench.claim("bo").audio_key == LINK


class TestDeleting:
    def test_a_deleted_episode_is_gone_and_says_so(self, bench: Bench) -> None:
        job_id = finished(bench, "one", title="Ebb", show="Tide Lines")

        deletion = bench.queue.delete("episode-one", by="api")

        assert (deletion.episode_id, deletion.deleted_by, deletion.revision) == ("episode-one", "api", 1)
        assert (deletion.job_ids, deletion.audio_keys) == ((job_id,), ("uploads/one",))
        for ask in (bench.queue.episode, bench.queue.latest_done):
            with pytest.raises(NotFound) as gone:
                ask("episode-one")
            assert gone.value.code == "episode_deleted"
        assert bench.queue.jobs() == []

    def test_nothing_of_its_words_is_left_in_a_job(self, bench: Bench) -> None:
        options = JobOptions(models="fast", vocabulary=("Skerryvore",), glossary=(Term("Ebb", ("app",)),))
        job_id = bench.add("one", title="Ebb", show="Tide Lines", options=options)
        bench.queue.fail(bench.claim().lease, JobError("audio_unreadable", "Ebb.mp3: damaged"))

        bench.queue.delete("episode-one", by="api")

        job = bench.queue.job(job_id)
        assert (job.state, job.title, job.show, job.options) == (JobState.FAILED, None, None, JobOptions("fast"))
        assert job.error is not None
        assert (job.error.code, "Ebb" in job.error.message) == ("audio_unreadable", False)
        assert job.deleted is not None

    def test_its_waiting_and_running_jobs_are_cancelled(self, bench: Bench) -> None:
        running = bench.add("one", episode_id="e")
        lease = bench.claim().lease
        waiting = bench.add("two", episode_id="e")

        bench.queue.delete("e", by="api")

        assert [bench.queue.job(each).state for each in (running, waiting)] == [JobState.CANCELLED] * 2
        assert bench.event_types(running) == ["job.queued.v1", "job.started.v1", "job.cancelled.v1"]
        assert bench.event_types(waiting) == ["job.queued.v1", "job.cancelled.v1"]
        assert bench.queue.claim("ada", lease_seconds=LEASE) is None
        writes: list[Callable[[], object]] = [
            lambda: bench.queue.beat(lease),
            lambda: bench.queue.progress(lease, Progress(Stage.DECODE)),
            lambda: bench.queue.fail(lease, BAD_AUDIO),
            lambda: bench.queue.release(lease),
        ]
        for write in writes:
            with pytest.raises(LeaseLost):
                write()

    def test_a_worker_that_finishes_too_late_leaves_no_transcript(self, bench: Bench) -> None:
        bench.add("one")
        claimed = bench.claim()
        bench.queue.delete("episode-one", by="api")

        with pytest.raises(LeaseLost):
            bench.queue.finish(claimed.lease, result_of(claimed))

        assert "transcript.published.v1" not in bench.event_types(claimed.job.id)

    def test_a_deletion_is_told_where_there_was_a_transcript_and_only_there(self, bench: Bench) -> None:
        with_one, without = finished(bench, "one", traceparent=TRACE), bench.add("two")
        publish_all(bench)

        bench.queue.delete("episode-one", by="api")
        bench.queue.delete("episode-two", by="api")

        told = [event for _, event in bench.queue.pending_events()]
        assert [(event.type.value, event.subject) for event in told] == [
            ("transcript.deleted.v1", "episode-one"),
            ("job.cancelled.v1", "episode-two"),
        ]
        assert (told[0].data, told[0].traceparent) == (TranscriptDeleted("episode-one", 1), TRACE)
        assert bench.event_types(with_one) == ["transcript.deleted.v1"]
        assert bench.event_types(without) == ["job.cancelled.v1"]

    def test_of_what_was_not_sent_yet_the_moves_of_jobs_stay_without_words(self, bench: Bench) -> None:
        """Subscribers hear of every move; of a transcript that nobody can read any more they hear the end alone."""
        job_id = bench.add("one")
        bench.queue.fail(bench.claim().lease, JobError("storage_unavailable", "Ebb.mp3: away", retryable=True))
        bench.pass_time(1000)
        claimed = bench.claim()
        bench.queue.finish(claimed.lease, result_of(claimed))

        bench.queue.delete("episode-one", by="api")

        assert bench.event_types(job_id) == [
            *("job.queued.v1", "job.started.v1", "job.retrying.v1", "job.started.v1", "job.done.v1"),
            "transcript.deleted.v1",
        ]
        assert "Ebb" not in repr(bench.queue.pending_events())

    def test_a_repeat_gives_the_same_record_and_tells_nothing(self, bench: Bench) -> None:
        finished(bench, "one")
        first = bench.queue.delete("episode-one", by="api")
        told = bench.queue.pending_events()
        bench.pass_time(10)

        again = bench.queue.delete("episode-one", by="cli")

        assert (again.deleted, again.deleted_by, again.job_ids) == (first.deleted, "api", first.job_ids)
        assert bench.queue.deletion("episode-one").age_seconds == pytest.approx(10, abs=2)
        assert bench.queue.pending_events() == told

    def test_other_episodes_stay_as_they_are(self, bench: Bench) -> None:
        other = finished(bench, "two", title="Flood")
        before = (bench.queue.job(other), bench.queue.events_of(other), bench.queue.episode("episode-two"))
        finished(bench, "one")

        bench.queue.delete("episode-one", by="api")

        assert (bench.queue.job(other), bench.queue.events_of(other), bench.queue.episode("episode-two")) == before

    @pytest.mark.parametrize("ask", ["delete", "deletion"])
    def test_an_unknown_episode_is_not_found(self, bench: Bench, ask: str) -> None:
        by = {"by": "api"} if ask == "delete" else {}
        with pytest.raises(NotFound) as unknown:
            getattr(bench.queue, ask)("no such episode", **by)

        assert unknown.value.code == "episode_not_found"

    def test_what_is_announced_again_brings_nothing_back(self, bench: Bench) -> None:
        deleted = finished(bench, "one")
        waiting = bench.add("two")
        for episode in ("episode-one", "episode-two"):
            bench.queue.delete(episode, by="api")

        assert bench.queue.known_requests(["same-one", "same-two"]) == {"same-one", "same-two"}
        assert bench.add("one-again", dedupe_key="same-one", episode_id="episode-one") == deleted
        assert bench.add("two-again", dedupe_key="same-two", idempotency_key="another event") == waiting
        [answer] = bench.add_all(bench.new("one", title="Ebb", amends=True))
        assert job_and_is_new(answer) == (deleted, False)
        assert bench.queue.amend(bench.new("two", title="Ebb")) is None
        assert bench.queue.claim("ada", lease_seconds=LEASE) is None
        assert (bench.queue.jobs(), bench.queue.job(deleted).title) == ([], None)

    def test_somebody_who_asks_for_the_same_recording_again_gets_a_new_job(self, bench: Bench) -> None:
        bench.queue.delete(f"episode-{finished(bench, 'one').removeprefix('job-')}", by="api")

        assert bench.add("again", dedupe_key="same-one", revives=True) == "job-again"
        assert bench.add("more", dedupe_key="same-one") == "job-again"
        assert bench.claim().job.id == "job-again"

    def test_an_episode_that_is_asked_for_anew_lives_and_its_revisions_go_on(self, bench: Bench) -> None:
        """Readers take a transcript whose revision is not higher than the last for old news."""
        finished(bench, "one", episode_id="e", title="Ebb", show="Tide Lines")
        bench.queue.delete("e", by="api")
        bench.add("two", episode_id="e", title="Flood")
        assert (bench.queue.episode("e").title, bench.queue.episode("e").show) == ("Flood", None)
        assert bench.queue.episode("e").audio.uri == "uploads/two"

        assert bench.queue.next_revision("e") == 2
        claimed = bench.claim()
        bench.queue.finish(claimed.lease, result_of(claimed))

        assert bench.queue.latest_done("e").revision == 2
        with pytest.raises(NotFound):
            bench.queue.latest_done("e", revision=1)
        assert bench.event_types("job-two")[-1] == "transcript.revised.v1"
        again = bench.queue.delete("e", by="cli")
        assert (again.deleted_by, again.revision, again.job_ids) == ("cli", 2, ("job-one", "job-two"))

    def test_a_deleted_job_cannot_be_retried(self, bench: Bench) -> None:
        job_id = bench.add("one")
        bench.queue.fail(bench.claim().lease, BAD_AUDIO)
        bench.queue.delete("episode-one", by="api")

        with pytest.raises(Refused) as refusal:
            bench.queue.retry(job_id)

        assert refusal.value.code == "episode_deleted"

    def test_holders_tell_that_nothing_of_a_deleted_job_is_wanted(self, bench: Bench) -> None:
        finished(bench, "one")
        bench.add("two")
        bench.queue.delete("episode-one", by="api")

        holders = bench.queue.holders(["job-one", "job-two"])

        assert {job_id: holder.is_deleted for job_id, holder in holders.items()} == {
            "job-one": True,
            "job-two": False,
        }

    def test_a_recording_that_another_episode_has_too_is_wanted(self, bench: Bench) -> None:
        shared, own = bench.new("shared"), bench.new("own")
        bench.queue.add(shared, job_id="job-one")
        bench.queue.add(replace(shared, dedupe_key="two", episode=Episode("episode-two")), job_id="job-two")
        bench.queue.add(own, job_id="job-three")
        keys = ["uploads/shared", "uploads/own", "uploads/nobody's"]
        bench.queue.delete("episode-shared", by="api")
        bench.queue.delete("episode-own", by="api")

        assert bench.queue.unwanted_audio(keys) == {"uploads/own"}
        bench.queue.delete("episode-two", by="api")
        assert bench.queue.unwanted_audio(keys) == {"uploads/own", "uploads/shared"}
        assert bench.queue.unwanted_audio([]) == frozenset()

    def test_audio_is_wanted_as_long_as_a_job_that_is_not_deleted_names_it(self, bench: Bench) -> None:
        bench.add("one")
        bench.add("two")
        bench.queue.delete("episode-two", by="api")

        assert bench.queue.wanted_audio(["uploads/one", "uploads/two", "uploads/three"]) == {"uploads/one"}
        assert bench.queue.wanted_audio([]) == frozenset()

    def test_a_link_is_forgotten_with_its_episode(self, bench: Bench) -> None:
        bench.queue.add(linked(bench), job_id="job-one")

        assert bench.queue.delete("episode-one", by="api").audio_keys == ()
        assert bench.queue.wanted_audio([LINK]) == frozenset()

    def test_the_copy_of_a_link_s_recording_is_deleted_with_its_episode(self, bench: Bench) -> None:
        bench.queue.add(linked(bench), job_id="job-one")
        bench.queue.fetched(bench.claim().lease, RECORDING)

        assert bench.queue.delete("episode-one", by="api").audio_keys == ("uploads/tide/audio",)

    def test_a_drop_is_not_ours_to_remove_and_its_place_is_forgotten(self, bench: Bench) -> None:
        drop = replace(bench.new("one"), audio_key="s3://harbour/Ebb.mp3?etag=abc")
        bench.queue.add(drop, job_id="job-one")

        deletion = bench.queue.delete("episode-one", by="api")

        assert deletion.audio_keys == ()
        assert bench.queue.unwanted_audio(["s3://harbour/Ebb.mp3?etag=abc"]) == frozenset()

    def test_deletions_wait_in_order_until_nothing_is_left_in_the_store(self, bench: Bench) -> None:
        for name in ("one", "two"):
            bench.add(name)
            bench.queue.delete(f"episode-{name}", by="api")
        assert [each.episode_id for each in bench.queue.unerased()] == ["episode-one", "episode-two"]
        assert [each.episode_id for each in bench.queue.unerased(limit=1)] == ["episode-one"]

        bench.queue.mark_erased(bench.queue.deletion("episode-one"))

        assert [each.job_ids for each in bench.queue.unerased()] == [("job-two",)]
        assert bench.queue.deletion("episode-one").erased is not None
        assert bench.queue.deletion("episode-two").erased is None

    def test_an_episode_deleted_again_while_it_was_erased_is_still_to_be_erased(self, bench: Bench) -> None:
        bench.add("one")
        bench.queue.delete("episode-one", by="api")
        [first] = bench.queue.unerased()
        bench.queue.add(replace(bench.new("one"), dedupe_key="new bytes"), job_id="job-later")
        bench.queue.delete("episode-one", by="cli")

        bench.queue.mark_erased(first)

        [left] = bench.queue.unerased()
        assert (left.deleted_by, left.job_ids) == ("cli", ("job-one", "job-later"))
        assert bench.queue.deletion("episode-one").erased is None
        bench.queue.mark_erased(left)
        assert bench.queue.unerased() == []


def finished(bench: Bench, name: str, **fields: Any) -> str:
    """The id of a job that is done."""
    job_id = bench.add(name, **fields)
    claimed = bench.claim()
    bench.queue.finish(claimed.lease, result_of(claimed))
    return job_id


def publish_all(bench: Bench) -> None:
    bench.queue.mark_published([number for number, _ in bench.queue.pending_events()])


class TestLookingOver:
    def test_an_empty_ledger_has_no_backlog(self, bench: Bench) -> None:
        assert bench.queue.backlog() == Backlog()

    def test_the_backlog_counts_jobs_and_the_audio_that_is_expected_of_them(self, bench: Bench) -> None:
        bench.add("one", expected_seconds=100.0)
        bench.add("two", expected_seconds=20.0)
        bench.add("three")
        bench.claim()

        backlog = bench.queue.backlog()

        assert (backlog.queued_jobs, backlog.queued_audio_seconds) == (2, 20.0)
        assert (backlog.running_jobs, backlog.running_audio_seconds) == (1, 100.0)

    def test_the_oldest_job_is_the_oldest_that_could_be_claimed(self, bench: Bench) -> None:
        bench.add("waits for its time")
        bench.queue.release(bench.claim().lease, delay_seconds=1000)
        bench.pass_time(50)
        bench.add("runs", episode_id="e")
        bench.claim()
        bench.pass_time(50)
        bench.add("waits for its episode", episode_id="e")
        bench.pass_time(50)
        bench.add("could run")
        bench.pass_time(7)

        assert bench.queue.backlog().oldest_queued_seconds == pytest.approx(7, abs=2)

    def test_the_backlog_tells_how_long_events_wait(self, bench: Bench) -> None:
        bench.add("one")
        bench.pass_time(40)
        bench.add("two")
        bench.pass_time(2)

        backlog = bench.queue.backlog()
        bench.queue.mark_published([bench.queue.pending_events()[0][0]])
        later = bench.queue.backlog()

        assert (backlog.unpublished_events, later.unpublished_events) == (2, 1)
        assert backlog.oldest_unpublished_seconds == pytest.approx(42, abs=2)
        assert later.oldest_unpublished_seconds == pytest.approx(2, abs=2)

    def test_holders_tell_whose_results_count(self, bench: Bench) -> None:
        bench.add("done")
        bench.queue.release(bench.claim().lease)
        claimed = bench.claim()
        bench.queue.finish(claimed.lease, result_of(claimed))
        bench.add("running")
        bench.claim()
        bench.add("queued")

        assert bench.queue.holders(["job-done", "job-running", "job-queued", "no such job"]) == {
            "job-done": Holder(JobState.DONE, 2, "results/job-done/2/transcript.json"),
            "job-running": Holder(JobState.RUNNING, 1, None),
            "job-queued": Holder(JobState.QUEUED, 0, None),
        }
        assert bench.queue.holders([]) == {}


class TestTracing:
    def test_the_trace_of_a_request_is_on_its_claim_and_on_every_event(self, bench: Bench) -> None:
        job_id = bench.add("one", traceparent=TRACE)
        bench.queue.fail(bench.claim().lease, NO_NET)
        bench.pass_time(1000)
        bench.claim()
        bench.pass_time(LEASE + 1)
        bench.queue.rescue()
        bench.pass_time(1000)
        claimed = bench.claim()
        bench.queue.finish(claimed.lease, result_of(claimed))

        assert claimed.traceparent == TRACE
        told = [event for _, event in bench.queue.events_of(job_id)]
        assert len(told) == 8
        assert {event.traceparent for event in told} == {TRACE}

    def test_a_request_without_a_trace_has_none(self, bench: Bench) -> None:
        job_id = bench.add("one")
        bench.queue.cancel(job_id)

        assert [event.traceparent for _, event in bench.queue.events_of(job_id)] == [None, None]


class TestRevising:
    """A transcript that is replaced by one made of it by hand."""

    def transcribed(self, bench: Bench, name: str = "one", **fields: Any) -> Claimed:
        bench.add(name, episode_id="episode", **fields)
        claimed = bench.claim()
        bench.queue.finish(claimed.lease, result_of(claimed, title="Tides"))
        return claimed

    def by_hand(self, claimed: Claimed, revision: int, named: int = 2) -> Result:
        key = f"results/{claimed.job.id}/{claimed.lease.token}/transcript-{revision}.json"
        return replace(result_of(claimed), document_key=key, document_sha256="e" * 64, named_speaker_count=named)

    def test_the_job_stays_done_and_names_the_new_revision(self, bench: Bench) -> None:
        claimed = self.transcribed(bench)
        before = bench.queue.job("job-one")
        bench.pass_time(10)

        job = bench.queue.revise("episode", self.by_hand(claimed, 2), seen=1)

        assert (job.state, job.revision, job.title) == (JobState.DONE, 2, "Tides")
        assert (job.transcript_key, job.transcript_sha256) == ("results/job-one/1/transcript-2.json", "e" * 64)
        assert (job.finished, job.attempts, job.audio_seconds) == (before.finished, 0, before.audio_seconds)
        assert job.updated > before.updated
        assert bench.queue.job("job-one") == bench.queue.latest_done("episode") == job
        assert bench.queue.next_revision("episode") == 3

    def test_it_is_told_as_every_revision_is_and_once(self, bench: Bench) -> None:
        claimed = self.transcribed(bench, traceparent=TRACE)
        bench.queue.revise("episode", self.by_hand(claimed, 2), seen=1, traceparent="00-another")

        assert bench.event_types("job-one")[-3:] == [
            "job.done.v1",
            "transcript.published.v1",
            "transcript.revised.v1",
        ]
        _, event = bench.queue.pending_events()[-1]
        assert isinstance(event.data, TranscriptReady)
        assert (event.subject, event.traceparent) == ("episode", "00-another")
        assert (event.data.job_id, event.data.revision, event.data.named_speaker_count) == ("job-one", 2, 2)
        assert event.data.document_key == "results/job-one/1/transcript-2.json"
        assert bench.queue.backlog().unpublished_events == len(bench.queue.pending_events())

    def test_earlier_revisions_are_still_found(self, bench: Bench) -> None:
        claimed = self.transcribed(bench)
        first = bench.queue.latest_done("episode")
        second = bench.queue.revise("episode", self.by_hand(claimed, 2), seen=1)
        bench.queue.revise("episode", self.by_hand(claimed, 3), seen=2)

        found = [bench.queue.latest_done("episode", revision=number) for number in (1, 2, 3)]

        assert [(each.id, each.revision) for each in found] == [("job-one", 1), ("job-one", 2), ("job-one", 3)]
        assert [each.transcript_key for each in found[:2]] == [first.transcript_key, second.transcript_key]
        assert found[0].transcript_sha256 == "d" * 64
        with pytest.raises(NotFound):
            bench.queue.latest_done("episode", revision=4)

    @pytest.mark.parametrize("seen", [0, 1, 3])
    def test_whoever_saw_another_revision_changes_nothing(self, bench: Bench, seen: int) -> None:
        claimed = self.transcribed(bench)
        current = bench.queue.revise("episode", self.by_hand(claimed, 2), seen=1)
        events = bench.queue.pending_events()

        with pytest.raises(Refused, match=f"revision 2 .* about revision {seen}") as refusal:
            bench.queue.revise("episode", self.by_hand(claimed, seen + 1), seen=seen)

        assert refusal.value.code == "revision_outdated"
        assert bench.queue.latest_done("episode") == current
        assert bench.queue.pending_events() == events

    def test_while_a_job_of_the_episode_runs_nothing_is_revised(self, bench: Bench) -> None:
        claimed = self.transcribed(bench)
        bench.add("again", episode_id="episode")
        waiting = bench.queue.revise("episode", self.by_hand(claimed, 2), seen=1)
        again = bench.claim()

        with pytest.raises(Refused) as refusal:
            bench.queue.revise("episode", self.by_hand(claimed, 3), seen=2)
        bench.queue.finish(again.lease, result_of(again))

        assert waiting.revision == 2
        assert refusal.value.code == "episode_in_work"
        assert bench.queue.latest_done("episode").id == "job-again"
        assert bench.queue.latest_done("episode").revision == 3

    def test_jobs_count_on_from_revisions_by_hand_and_these_from_the_latest_job(self, bench: Bench) -> None:
        claimed = self.transcribed(bench)
        bench.queue.revise("episode", self.by_hand(claimed, 2), seen=1)
        again = self.transcribed(bench, "again")
        bench.queue.revise("episode", self.by_hand(again, 4), seen=3)

        found = [bench.queue.latest_done("episode", revision=number) for number in (1, 2, 3, 4)]
        assert [(each.id, each.revision) for each in found] == [
            ("job-one", 1),
            ("job-one", 2),
            ("job-again", 3),
            ("job-again", 4),
        ]

    def test_holders_tell_of_every_revision_that_is_to_be_kept(self, bench: Bench) -> None:
        claimed = self.transcribed(bench)
        for seen in (1, 2):
            bench.queue.revise("episode", self.by_hand(claimed, seen + 1), seen=seen)

        assert bench.queue.holders(["job-one"]) == {
            "job-one": Holder(
                JobState.DONE,
                1,
                "results/job-one/1/transcript-3.json",
                earlier_keys=("results/job-one/1/transcript.json", "results/job-one/1/transcript-2.json"),
            )
        }

    def test_what_has_no_transcript_cannot_be_revised(self, bench: Bench) -> None:
        bench.add("one", episode_id="episode")
        lease = bench.claim()

        for episode_id in ("episode", "another"):
            with pytest.raises(NotFound) as missing:
                bench.queue.revise(episode_id, result_of(lease), seen=1)
            assert missing.value.code == "transcript_not_found"

    def test_a_deleted_episode_cannot_be_revised_and_no_revision_of_it_is_found(self, bench: Bench) -> None:
        claimed = self.transcribed(bench)
        bench.queue.revise("episode", self.by_hand(claimed, 2), seen=1)
        deletion = bench.queue.delete("episode", by="api")

        with pytest.raises(NotFound) as missing:
            bench.queue.revise("episode", self.by_hand(claimed, 3), seen=2)
        self.transcribed(bench, "back", dedupe_key="same-one", revives=True)

        assert missing.value.code == "episode_deleted"
        assert deletion.revision == 2
        assert bench.queue.latest_done("episode").revision == 3
        assert bench.queue.holders(["job-one"])["job-one"].earlier_keys == ()
        for number in (1, 2):
            with pytest.raises(NotFound):
                bench.queue.latest_done("episode", revision=number)

    def test_other_episodes_stay_as_they_are(self, bench: Bench) -> None:
        claimed = self.transcribed(bench)
        bench.add("other")
        other = bench.claim()
        bench.queue.finish(other.lease, result_of(other))
        before = bench.queue.latest_done("episode-other")

        bench.queue.revise("episode", self.by_hand(claimed, 2), seen=1)

        assert bench.queue.latest_done("episode-other") == before


class TestLeadingThePublishing:
    def test_one_publisher_leads_and_the_others_do_not(self, bench: Bench) -> None:
        token = bench.queue.lead_publishing("ada", seconds=10)

        assert token is not None
        assert bench.queue.lead_publishing("bram", seconds=10) is None

    def test_the_leader_goes_on_under_the_same_token(self, bench: Bench) -> None:
        token = bench.queue.lead_publishing("ada", seconds=10)
        for _ in range(3):
            bench.pass_time(8)
            assert bench.queue.lead_publishing("ada", seconds=10) == token

        assert bench.queue.lead_publishing("bram", seconds=10) is None

    def test_a_leader_that_fell_silent_is_followed_by_another_with_a_higher_token(self, bench: Bench) -> None:
        first = bench.queue.lead_publishing("ada", seconds=10)
        bench.pass_time(11)
        second = bench.queue.lead_publishing("bram", seconds=10)

        assert first is not None
        assert second is not None
        assert second > first
        assert bench.queue.lead_publishing("ada", seconds=10) is None

    def test_a_leader_that_resigns_is_followed_at_once(self, bench: Bench) -> None:
        first = bench.queue.lead_publishing("ada", seconds=10)
        bench.queue.resign_publishing("ada")
        second = bench.queue.lead_publishing("bram", seconds=10)

        assert first is not None
        assert second is not None
        assert second > first

    def test_only_the_leader_can_resign(self, bench: Bench) -> None:
        bench.queue.lead_publishing("ada", seconds=10)
        bench.queue.resign_publishing("bram")

        assert bench.queue.lead_publishing("bram", seconds=10) is None

    def test_a_clock_set_back_does_not_keep_a_dead_leader_s_lease(self, bench: Bench) -> None:
        bench.queue.lead_publishing("ada", seconds=10)
        bench.pass_time(-86_400)

        assert bench.queue.lead_publishing("bram", seconds=10) is not None


class TestOutbox:
    def test_events_published_long_ago_are_forgotten_and_no_others(self, bench: Bench) -> None:
        one = bench.add("one")
        first, _ = bench.queue.pending_events()[0]
        bench.queue.mark_published([first])
        bench.pass_time(50)
        bench.queue.cancel(one)
        two = bench.add("two")
        cancelled = bench.queue.pending_events()[0][0]
        bench.queue.mark_published([cancelled])
        bench.pass_time(20)

        forgotten = [bench.queue.forget_published(older_than_seconds=60) for _ in range(2)]

        assert forgotten == [1, 0]
        assert bench.event_types(one) == ["job.cancelled.v1"]
        assert bench.event_types(two) == ["job.queued.v1"]

    def test_a_place_in_the_outbox_is_never_given_twice(self, bench: Bench) -> None:
        """Readers go on behind the number that they saw last."""
        bench.add("one")
        last, _ = bench.queue.pending_events()[-1]
        bench.queue.mark_published([last])
        bench.pass_time(61)
        bench.queue.forget_published(older_than_seconds=60)
        two = bench.add("two")

        assert bench.queue.events_of(two)[0][0] > last

    def test_published_events_wait_no_more_but_are_still_told_of_their_job(self, bench: Bench) -> None:
        job_id = bench.add("one")
        bench.claim()
        waiting = bench.queue.pending_events(limit=1)
        bench.queue.mark_published([number for number, _ in waiting])

        assert [event.type.value for _, event in bench.queue.pending_events()] == ["job.started.v1"]
        assert bench.event_types(job_id) == ["job.queued.v1", "job.started.v1"]
        assert len(bench.queue.events_of(job_id, after=waiting[0][0])) == 1

    def test_an_event_keeps_its_id(self, bench: Bench) -> None:
        bench.add("one")

        assert bench.queue.pending_events() == bench.queue.pending_events()
