"""The supervisor with an engine child that says what the test tells it to: what becomes of the job each time."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import structlog

from adapters.erasure import erase, note_checkpoints, note_download
from adapters.memory import MemoryQueue, MemoryStore
from adapters.metrics import Metrics, Outcome
from schemas.episode import AudioInfo, Episode
from schemas.errors import (
    AudioError,
    CrashError,
    GpuError,
    LeaseLost,
    ModelError,
    NotReady,
    PageError,
    StenocastError,
    TransientError,
)
from schemas.job import Job, JobError, JobOptions, JobState, Progress, Stage
from transcription.ports import Claimed, Decoded, Lease, NewJob, Prepared, Rescued, Result, Waveform
from workers.child import ChildDied
from workers.crew import Crew
from workers.deadlines import Deadlines
from workers.messages import (
    Broke,
    Fetched,
    Finished,
    FromChild,
    Halved,
    Load,
    Loaded,
    Loading,
    Prepare,
    Ready,
    Stop,
    Stopped,
    ToChild,
    Told,
    Unexpected,
    Work,
)
from workers.scratch import WorkerScratch
from workers.transcriber import ClockWatch, Pace, Supervisor

LEASE = 30.0
HEARTBEAT = 5.0

#: One thing that happens while the supervisor listens: a message, or something done behind its back.
Happening = FromChild | Exception | Callable[[], None] | None


def result_at(job: str, token: int) -> Result:
    return Result(
        document_key=f"results/{job}/{token}/transcript.json",
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


class ScriptedChild:
    """An engine child that plays a list of happenings, one for each time it is listened to."""

    def __init__(self, bench: Bench, happenings: list[Happening]) -> None:
        self.bench = bench
        self.happenings = happenings
        self.orders: list[ToChild] = []
        self.killed = False
        self.silences = 0

    def order(self, message: ToChild) -> None:
        self.orders.append(message)

    def hear(self, timeout_seconds: float) -> FromChild | None:
        self.bench.now += max(timeout_seconds, 0.01)
        self.silences += not self.happenings
        assert self.silences < 5000, "the supervisor waits for ever"
        happening = self.happenings.pop(0) if self.happenings else None
        if isinstance(happening, Exception):
            raise happening
        if callable(happening):
            happening()
            return None
        return happening

    def kill(self) -> None:
        self.killed = True


@dataclass
class Bench:
    """A supervisor on fakes; `children` are the engine children it started."""

    folder: Path
    now: float = 1000.0
    store: MemoryStore = field(default_factory=MemoryStore)
    scripts: list[list[Happening]] = field(default_factory=list)
    children: list[ScriptedChild] = field(default_factory=list)
    preparations: list[list[Happening]] = field(default_factory=list)
    preparers: list[ScriptedChild] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        numbers = itertools.count()
        self.queue = MemoryQueue(now=lambda: self.now, new_id=lambda: f"event-{next(numbers)}")

    def add(self, name: str = "one") -> str:
        new = NewJob(Episode(id=f"episode-{name}"), JobOptions(), "uploads/x", f"same-{name}")
        return self.queue.add(new, job_id=name)[0].id

    def start_child(self) -> ScriptedChild:
        self.children.append(ScriptedChild(self, self.scripts.pop(0) if self.scripts else []))
        return self.children[-1]

    def start_preparer(self) -> ScriptedChild:
        self.preparers.append(ScriptedChild(self, self.preparations.pop(0) if self.preparations else []))
        return self.preparers[-1]

    def supervisor(self, worker: str = "ada", **more: Any) -> Supervisor:
        return Supervisor(
            queue=self.queue,
            store=self.store,
            start_engine=self.start_child,
            **more,
            scratch=WorkerScratch(self.folder, worker),
            worker=worker,
            pace=Pace(lease=LEASE, heartbeat=HEARTBEAT),
            stop=self.stop,
            clock=lambda: self.now,
            wall=lambda: self.now,
        )

    def do_one(self, *happenings: Happening) -> Job:
        """Have a worker attend to one job while these things happen; the job afterwards."""
        job_id = self.add()
        self.scripts.append(list(happenings))
        self.supervisor().run(once=True)
        return self.queue.job(job_id)

    def quiet(self, seconds: float) -> Callable[[], None]:
        def pass_time() -> None:
            self.now += seconds

        return pass_time


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "scratch")
    yield made
    assert [path for path in (tmp_path / "scratch").iterdir() if path.suffix != ".lock"] == []


def told(stage: Stage, done: float, fraction: float | None = None) -> Told:
    return Told(Progress(stage, done=done, total=100.0, fraction=fraction))


def test_a_finished_job_is_done(bench: Bench) -> None:
    job = bench.do_one(told(Stage.DECODE, 1), Finished(result_at("one", 1)))

    assert (job.state, job.transcript_key) == (JobState.DONE, "results/one/1/transcript.json")


def test_the_child_is_told_everything_about_the_job(bench: Bench) -> None:
    bench.do_one(Finished(result_at("one", 1)))

    work = bench.children[0].orders[0]
    assert isinstance(work, Work)
    assert (work.job.id, work.episode.id, work.audio_key, work.token, work.revision) == (
        "one",
        "episode-one",
        "uploads/x",
        1,
        1,
    )


def test_the_models_stay_warm_from_job_to_job(bench: Bench) -> None:
    bench.add("one")
    bench.add("two")
    bench.scripts.append([Finished(result_at("one", 1)), Finished(result_at("two", 1))])
    bench.supervisor().run(exit_when_idle=0.0)

    assert len(bench.children) == 1
    assert {job.state for job in bench.queue.jobs()} == {JobState.DONE}


def test_documents_of_attempts_that_died_are_taken_away(bench: Bench) -> None:
    bench.store.put("results/one/0/transcript.json", b"from a dead worker")
    bench.store.put("results/one/1/transcript.json", b"mine")
    bench.do_one(Finished(result_at("one", 1)))

    assert list(bench.store.keys("results/")) == ["results/one/1/transcript.json"]


def test_a_job_rescued_beside_the_work_is_logged_with_its_own_attempt(bench: Bench) -> None:
    """The lines of a worker carry the job and the attempt that it is at itself."""
    bench.add("lost")
    for _ in range(3):
        lost = bench.queue.claim("cleo", lease_seconds=LEASE)
        assert lost is not None
        bench.queue.release(lost.lease)
    bench.queue.claim("cleo", lease_seconds=LEASE)

    with structlog.testing.capture_logs() as lines:
        bench.do_one(*[told(Stage.RECOGNIZE, second) for second in range(200)], Finished(result_at("one", 1)))

    [line] = [line for line in lines if line["event"] == "job rescued"]
    assert (line["job_id"], line["attempt"]) == ("lost", 4)


def test_a_ledger_that_is_away_is_told_at_once_and_rarely_and_its_return_too(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hurried(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            bench.now += timeout or 0.0
            if bench.now > 1120:
                monkeypatch.undo()
            if bench.now > 1130:
                self.set()
            return self.is_set()

    def away(*_given: object, **_named: object) -> None:
        raise TransientError("PostgreSQL does not answer", code="ledger_unavailable")

    monkeypatch.setattr(bench.queue, "claim", away)
    bench.stop = Hurried()
    with structlog.testing.capture_logs() as lines:
        bench.supervisor().run()

    told = [line for line in lines if line["event"].startswith("ledger")]
    assert [line["event"] for line in told] == ["ledger not reached"] * 4 + ["ledger reached again"]
    assert told[0]["seconds"] == 0.0


@pytest.mark.parametrize("question", ["next_revision", "latest_done"])
def test_a_ledger_that_goes_away_after_the_claim_costs_the_job_no_attempt(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    def away(*_given: object, **_named: object) -> None:
        raise TransientError("PostgreSQL does not answer", code="database_unavailable")

    bench.do_one(Finished(result_at("one", 1)))
    bench.queue.add(NewJob(Episode(id="episode-one"), JobOptions(), "uploads/x", "same-again"), job_id="again")
    monkeypatch.setattr(bench.queue, question, away)
    bench.supervisor().run(once=True)
    monkeypatch.undo()

    waiting = bench.queue.job("again")
    assert (waiting.state, waiting.attempts, waiting.error) == (JobState.QUEUED, 0, None)
    assert bench.children[-1].orders == []  # nobody had begun


def test_the_lease_is_kept_through_a_long_job(bench: Bench) -> None:
    happenings: list[Happening] = [told(Stage.RECOGNIZE, second) for second in range(400)]
    seen: list[int] = []
    happenings.insert(300, lambda: seen.append(len(bench.queue.rescue())))

    job = bench.do_one(*happenings, Finished(result_at("one", 1)))

    assert seen == [0]
    assert job.state is JobState.DONE


def test_progress_reaches_the_ledger_but_not_at_every_word(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Progress] = []
    write = bench.queue.progress

    def counted(lease: Lease, progress: Progress) -> None:
        written.append(progress)
        write(lease, progress)

    monkeypatch.setattr(bench.queue, "progress", counted)
    begun = bench.now
    bench.do_one(*(told(Stage.RECOGNIZE, number / 10) for number in range(100)), Finished(result_at("one", 1)))

    assert written[0].stage is Stage.RECOGNIZE
    assert 2 <= len(written) <= bench.now - begun + 1


@pytest.mark.parametrize(
    ("error", "state", "attempts", "crashes"),
    [
        (AudioError("a.mp3: no sound", code="audio_empty"), JobState.FAILED, 1, 0),
        (TransientError("the store did not answer"), JobState.QUEUED, 1, 0),
        (CrashError("the decoder died", code="decode_crashed"), JobState.QUEUED, 1, 1),
    ],
)
def test_an_error_of_the_child_is_counted_as_what_it_is(
    bench: Bench, error: StenocastError, state: JobState, attempts: int, crashes: int
) -> None:
    job = bench.do_one(Broke(error))

    assert (job.state, job.attempts, job.crashes) == (state, attempts, crashes)
    assert job.error is not None
    assert job.error.code == error.code


@pytest.mark.parametrize("error", [ModelError("large: not here"), NotReady("no room", code="disk_full")])
def test_a_job_that_this_machine_is_not_ready_for_goes_back_untouched(bench: Bench, error: NotReady) -> None:
    bench.add()
    bench.scripts.append([Broke(error)])

    with pytest.raises(NotReady):
        bench.supervisor().run(once=True)

    job = bench.queue.job("one")
    assert (job.state, job.attempts) == (JobState.QUEUED, 0)
    assert job.error is not None
    assert job.error.code == error.code
    assert job.not_before is not None


@pytest.mark.parametrize("error", [ModelError("large: not here"), NotReady("no room", code="disk_full")])
def test_jobs_that_this_machine_is_not_ready_for_let_the_others_go_first(bench: Bench, error: NotReady) -> None:
    for name in ("one", "two", "three"):
        bench.add(name)
    bench.scripts.append([Broke(error), Broke(error), Finished(result_at("three", 1))])
    supervisor = bench.supervisor()
    supervisor._longer_pause = lambda: 0.0  # type: ignore[method-assign]
    supervisor.run(exit_when_idle=0.0)

    orders = [order.job.id for order in bench.children[0].orders if isinstance(order, Work)]
    assert orders == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("error", "pauses"), [(ModelError("large: not here"), False), (NotReady("no room", code="disk_full"), True)]
)
def test_only_what_may_concern_every_job_makes_the_worker_pause(bench: Bench, error: NotReady, pauses: bool) -> None:
    bench.add()
    bench.scripts.append([Broke(error)])
    supervisor = bench.supervisor()
    with pytest.raises(NotReady):
        supervisor.run(once=True)

    assert (supervisor._pause_seconds > 0) is pauses


def test_a_job_waits_longer_each_time_this_machine_is_not_ready_for_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    release = bench.queue.release

    def noted(lease: Lease, *, delay_seconds: float = 0.0, reason: JobError | None = None) -> Job:
        waits.append(delay_seconds)
        return release(lease, delay_seconds=delay_seconds, reason=reason)

    monkeypatch.setattr(bench.queue, "release", noted)
    bench.add()
    bench.scripts.append([Broke(ModelError("large: not here"))] * 7)
    supervisor = bench.supervisor()
    for _ in range(7):
        claimed = bench.queue.claim("ada", lease_seconds=LEASE)
        assert claimed is not None
        supervisor._attend(claimed)
        bench.now += 601
    supervisor._scratch.close()

    assert waits == [30.0, 60.0, 120.0, 240.0, 480.0, 600.0, 600.0]


def test_a_child_that_dies_counts_as_a_crash_and_is_replaced(bench: Bench) -> None:
    bench.add()
    bench.scripts += [[ChildDied("was killed by SIGSEGV")], [Finished(result_at("one", 2))]]
    bench.supervisor().run(exit_when_idle=0.0)

    job = bench.queue.job("one")
    assert (job.state, job.crashes) == (JobState.DONE, 1)
    assert len(bench.children) == 2


def test_a_child_whose_gpu_broke_is_replaced_and_the_job_tried_again_at_once(bench: Bench) -> None:
    bench.add()
    bench.scripts += [
        [Broke(GpuError("the GPU failed: CUDA error: device-side assert triggered"))],
        [Finished(result_at("one", 2))],
    ]
    bench.supervisor().run(exit_when_idle=0.0)

    job = bench.queue.job("one")
    assert bench.children[0].killed
    assert (job.state, job.attempts, job.crashes) == (JobState.DONE, 1, 1)


def test_a_child_whose_gpu_broke_while_models_were_loaded_is_replaced_and_the_job_untouched(bench: Bench) -> None:
    bench.add("one")
    bench.add("two")
    broke = Broke(NotReady("CUDA error: unknown error", code="gpu_failed"))
    bench.scripts += [[Loading("starter"), broke], [Finished(result_at("two", 1))]]
    supervisor = bench.supervisor()
    supervisor._longer_pause = lambda: 0.0  # type: ignore[method-assign]
    supervisor.run(exit_when_idle=0.0)

    assert len(bench.children) == 2
    assert (bench.queue.job("one").state, bench.queue.job("one").attempts) == (JobState.QUEUED, 0)


def test_a_child_with_an_unforeseen_exception_is_replaced_and_the_job_tried_again(bench: Bench) -> None:
    job = bench.do_one(Unexpected("RuntimeError", "CUDA error: device-side assert"))

    assert bench.children[0].killed
    assert (job.state, job.crashes) == (JobState.QUEUED, 0)
    assert job.error is not None
    assert job.error.code == "internal_error"


def test_a_child_that_hangs_is_killed_and_counts_as_a_crash(bench: Bench) -> None:
    limit = Deadlines().quiet(Stage.RECOGNIZE, 100.0)
    beats: list[Happening] = [bench.quiet(HEARTBEAT) for _ in range(int(limit / HEARTBEAT) + 2)]

    job = bench.do_one(told(Stage.RECOGNIZE, 1), *beats)

    assert bench.children[0].killed
    assert (job.state, job.crashes) == (JobState.QUEUED, 1)
    assert job.error is not None
    assert job.error.code == "engine_hung"


def test_a_slow_child_that_moves_is_not_killed(bench: Bench) -> None:
    quarter = Deadlines().quiet(Stage.RECOGNIZE, 100.0) / 4
    steps: list[Happening] = []
    for done in range(4):
        steps += [told(Stage.RECOGNIZE, done), *(bench.quiet(HEARTBEAT) for _ in range(int(quarter / HEARTBEAT)))]

    job = bench.do_one(*steps, Finished(result_at("one", 1)))

    assert job.state is JobState.DONE


def test_a_child_that_moves_but_never_arrives_is_killed(bench: Bench) -> None:
    """It says another estimate each time, and now and then a hundredth of a second more."""
    limit = Deadlines().whole(Stage.RECOGNIZE, 100.0)
    steps: list[Happening] = []
    for step in range(int(limit / HEARTBEAT) + 2):
        steps += [bench.quiet(HEARTBEAT), told(Stage.RECOGNIZE, step / 100)]

    job = bench.do_one(*steps)

    assert bench.children[0].killed
    assert job.error is not None
    assert job.error.code == "engine_hung"


def test_an_estimate_that_changes_is_no_progress(bench: Bench) -> None:
    limit = Deadlines().quiet(Stage.RECOGNIZE, 100.0)
    steps: list[Happening] = []
    for step in range(int(limit / HEARTBEAT) + 2):
        steps += [bench.quiet(HEARTBEAT), Told(Progress(Stage.RECOGNIZE, done=3.0, total=100.0, eta=float(step)))]

    job = bench.do_one(*steps, Finished(result_at("one", 1)))

    assert job.error is not None
    assert job.error.code == "engine_hung"


def test_a_worker_that_knows_its_speed_waits_less_for_a_child_that_hangs(bench: Bench) -> None:
    happenings: list[Happening] = []
    for done in range(0, 10_000, 100):
        happenings += [bench.quiet(0.1), told(Stage.RECOGNIZE, done)]
    happenings += [told(Stage.DIARIZE, 0), Finished(result_at("one", 1))]
    hung: list[Happening] = [told(Stage.RECOGNIZE, 1.0), *(bench.quiet(HEARTBEAT) for _ in range(200))]
    bench.add("one")
    bench.add("two")
    bench.scripts += [[*happenings, *hung, Finished(result_at("two", 1))]]  # before the 1,800 s of the unmeasured
    bench.supervisor().run(exit_when_idle=0.0)

    two = bench.queue.job("two")
    assert two.error is not None
    assert two.error.code == "engine_hung"


def test_loading_models_has_its_own_patience(bench: Bench) -> None:
    waits: list[Happening] = [bench.quiet(HEARTBEAT) for _ in range(200)]

    job = bench.do_one(Loading("starter"), *waits, Loaded("starter", 1000.0), Finished(result_at("one", 1)))

    assert job.state is JobState.DONE


def test_a_cancelled_job_is_left_within_seconds_and_stays_cancelled(bench: Bench) -> None:
    def cancel() -> None:
        bench.queue.cancel("one")
        bench.store.put("results/one/1/transcript.json", b"too late")

    cancelled_at: list[float] = []
    job = bench.do_one(
        told(Stage.RECOGNIZE, 1),
        lambda: (cancel(), cancelled_at.append(bench.now))[0],
        *[told(Stage.RECOGNIZE, done) for done in range(2, 30)],
        Stopped(),
    )

    assert job.state is JobState.CANCELLED
    assert Stop("one", 1) in bench.children[0].orders
    assert list(bench.store.keys("results/")) == []


def test_a_worker_takes_away_what_its_engine_wrote_after_the_episode_was_deleted(bench: Bench) -> None:
    def delete() -> None:
        note_checkpoints(bench.store, job_id="one", audio_sha256="abc")
        erase(bench.queue, bench.store, bench.queue.delete("episode-one", by="api"))
        bench.store.put("checkpoints/abc/recognize-x/1/0-300.json", b"too late")
        bench.store.put("results/one/1/transcript.json", b"too late")

    job = bench.do_one(
        told(Stage.RECOGNIZE, 1), delete, *[told(Stage.RECOGNIZE, done) for done in range(2, 30)], Stopped()
    )

    assert job.state is JobState.CANCELLED
    assert list(bench.store.keys("")) == ["checkpoints/of/one/abc"]


def test_the_transcript_after_a_deleted_one_is_a_later_revision(bench: Bench) -> None:
    bench.do_one(Finished(result_at("one", 1)))
    bench.queue.delete("episode-one", by="api")
    new = NewJob(Episode("episode-one"), JobOptions(), "uploads/y", "other bytes")
    bench.queue.add(new, job_id="two")
    bench.scripts.append([Finished(result_at("two", 1))])

    bench.supervisor().run(once=True)

    [order] = [each for child in bench.children for each in child.orders if isinstance(each, Work)][1:]
    assert (order.revision, bench.queue.job("two").revision) == (2, 2)


def test_a_cancel_is_noticed_between_two_beats_although_the_child_says_nothing(bench: Bench) -> None:
    """And a child that hears nothing, either, is killed: all of it within the five seconds that a cancel has."""
    cancelled_at: list[float] = []

    def cancel() -> None:
        bench.queue.cancel("one")
        cancelled_at.append(bench.now)

    bench.do_one(told(Stage.RECOGNIZE, 1), cancel)

    assert bench.children[0].killed
    assert bench.now - cancelled_at[0] < HEARTBEAT


def test_a_child_that_does_not_leave_a_cancelled_job_is_killed(bench: Bench) -> None:
    job = bench.do_one(told(Stage.RECOGNIZE, 1), lambda: bench.queue.cancel("one") and None)

    assert job.state is JobState.CANCELLED
    assert bench.children[0].killed


def test_a_worker_that_lost_its_job_takes_its_document_back_but_never_the_heir_s(bench: Bench) -> None:
    def lose() -> None:
        """Another worker rescues and finishes the job while this one sleeps."""
        bench.now += LEASE + 1
        bench.queue.rescue()
        heir = bench.queue.claim("bram", lease_seconds=LEASE)
        assert isinstance(heir, Claimed)
        for token in (1, 2):
            bench.store.put(f"results/one/{token}/transcript.json", b"x")
        bench.queue.finish(heir.lease, result_at("one", 2))

    job = bench.do_one(lose, Finished(result_at("one", 1)))

    assert job.transcript_key == "results/one/2/transcript.json"
    assert list(bench.store.keys("results/")) == ["results/one/2/transcript.json"]


def test_an_idle_child_is_not_killed_when_the_lease_was_lost_after_its_last_word(bench: Bench) -> None:
    bench.do_one(lambda: bench.queue.cancel("one") and None, Finished(result_at("one", 1)))

    assert not [order for order in bench.children[0].orders if isinstance(order, Stop)]


def test_a_worker_that_is_stopped_hands_its_job_back_uncounted(bench: Bench) -> None:
    job = bench.do_one(told(Stage.RECOGNIZE, 1), bench.stop.set, Stopped())

    assert (job.state, job.attempts) == (JobState.QUEUED, 0)
    assert bench.children[0].killed


def test_a_worker_that_is_stopped_at_the_last_moment_finishes(bench: Bench) -> None:
    job = bench.do_one(bench.stop.set, Finished(result_at("one", 1)))

    assert job.state is JobState.DONE


def test_a_stopped_worker_claims_nothing(bench: Bench) -> None:
    bench.add()
    bench.stop.set()
    bench.supervisor().run()

    assert bench.queue.job("one").state is JobState.QUEUED


def test_a_ledger_that_does_not_answer_for_a_while_loses_no_finished_job(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish, refusals = bench.queue.finish, [TransientError("held", code="database_busy")] * 2

    def sometimes(lease: Lease, result: Result) -> Job:
        if refusals:
            raise refusals.pop()
        return finish(lease, result)

    monkeypatch.setattr(bench.queue, "finish", sometimes)

    assert bench.do_one(Finished(result_at("one", 1))).state is JobState.DONE


def test_an_error_that_nobody_foresaw_does_not_end_the_worker(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    claim, errors = bench.queue.claim, [PageError("a row that is no episode"), RuntimeError("a defect")]

    def sometimes(worker: str, *, lease_seconds: float) -> Claimed | None:
        if errors:
            raise errors.pop()
        claimed = claim(worker, lease_seconds=lease_seconds)
        if claimed is None:
            bench.stop.set()
        return claimed

    monkeypatch.setattr(bench.queue, "claim", sometimes)
    monkeypatch.setattr("workers.transcriber.STUMBLE_SECONDS", 0.0)
    bench.add()
    bench.scripts.append([Finished(result_at("one", 1))])
    bench.supervisor().run()

    assert bench.queue.job("one").state is JobState.DONE


def test_models_that_cannot_be_preloaded_keep_the_worker_from_claiming(bench: Bench) -> None:
    bench.add()
    bench.scripts.append([Loading("large"), Broke(ModelError("large: not here"))])

    with pytest.raises(ModelError):
        bench.supervisor().run(preload="large")

    assert bench.children[0].orders == [Load("large")]
    assert bench.queue.job("one").state is JobState.QUEUED


def test_a_worker_rescues_the_jobs_of_dead_ones(bench: Bench) -> None:
    bench.add()
    bench.queue.claim("dead", lease_seconds=LEASE)
    bench.now += LEASE + 1
    bench.scripts.append([Finished(result_at("one", 2))])
    bench.supervisor().run(exit_when_idle=0.0)

    job = bench.queue.job("one")
    assert (job.state, job.crashes) == (JobState.DONE, 1)


# ---------------------------------------------------------------- asked to end


def left(seconds: float) -> Told:
    """The child says that the job will be done in so many seconds."""
    return Told(Progress(Stage.DIARIZE, done=50.0 - seconds, total=100.0, eta=seconds, fraction=0.9))


def test_a_worker_asked_to_end_finishes_what_fits_its_grace(bench: Bench) -> None:
    bench.add()
    bench.scripts.append([left(12.0), bench.stop.set, *[None] * 40, Finished(result_at("one", 1))])
    bench.supervisor(grace_seconds=25.0).run()

    assert bench.queue.job("one").state is JobState.DONE


@pytest.mark.parametrize("estimate", [left(24.0), told(Stage.RECOGNIZE, 1.0)])
def test_a_worker_asked_to_end_hands_back_what_does_not_fit_or_has_no_estimate(bench: Bench, estimate: Told) -> None:
    bench.add()
    asked = bench.now
    bench.scripts.append([estimate, bench.stop.set, Stopped()])
    bench.supervisor(grace_seconds=25.0).run()

    job = bench.queue.job("one")
    assert (job.state, job.attempts) == (JobState.QUEUED, 0)
    assert bench.now - asked < 5.0


def test_a_job_that_takes_longer_than_it_said_is_handed_back_before_the_grace_is_over(bench: Bench) -> None:
    bench.add()
    asked = bench.now
    bench.scripts.append([left(12.0), bench.stop.set, *[left(12.0)] * 200])
    bench.supervisor(grace_seconds=25.0).run()

    assert bench.queue.job("one").state is JobState.QUEUED
    assert bench.children[0].killed
    assert bench.now - asked <= 25.0


def test_asked_a_second_time_a_worker_hands_its_job_back_at_once(bench: Bench) -> None:
    bench.add()
    hurry = threading.Event()
    asked = bench.now
    bench.scripts.append([left(12.0), bench.stop.set, None, None, hurry.set, Stopped()])
    bench.supervisor(grace_seconds=25.0, hurry=hurry).run()

    assert bench.queue.job("one").state is JobState.QUEUED
    assert bench.now - asked < 5.0


# ---------------------------------------------------------------- links

RECORDING = AudioInfo(uri="uploads/tide/audio", sha256="a" * 64, size_bytes=9, container="mp3", file_name="Ebb.mp3")


class Forgetful(MemoryQueue):
    """A ledger that does not answer when a recording is to be noted, so many times."""

    silences = 0

    def fetched(self, lease: Lease, recording: AudioInfo) -> None:
        if self.silences:
            self.silences -= 1
            raise TransientError("the ledger does not answer", code="database_unavailable")
        super().fetched(lease, recording)


def test_the_ledger_hears_of_a_downloaded_recording_at_once(bench: Bench) -> None:
    seen: list[str | None] = []

    bench.do_one(
        Fetched(RECORDING),
        lambda: seen.append(bench.queue.episode("episode-one").audio.uri),
        Finished(result_at("one", 1)),
    )

    assert seen == [RECORDING.uri]


@pytest.mark.parametrize("silences", [1, 2])
def test_a_ledger_that_does_not_answer_hears_of_the_recording_later(bench: Bench, silences: int) -> None:
    bench.queue.__class__ = Forgetful
    bench.queue.silences = silences  # type: ignore[attr-defined]
    beats = [bench.quiet(HEARTBEAT), None] * (silences - 1)

    job = bench.do_one(Fetched(RECORDING), *beats, Finished(result_at("one", 1)))

    assert job.state is JobState.DONE
    assert bench.queue.episode("episode-one").audio.uri == RECORDING.uri


def test_the_recording_of_a_job_that_was_deleted_meanwhile_is_removed(bench: Bench) -> None:
    def put() -> None:
        bench.queue.delete("episode-one", by="api")
        note_download(bench.store, job_id="one", audio_sha256="tide")
        bench.store.put("uploads/tide/audio", b"sound")

    job = bench.do_one(put, Fetched(RECORDING))

    assert job.state is JobState.CANCELLED
    assert list(bench.store.keys("uploads/")) == []


def test_a_download_that_goes_on_is_not_taken_for_hung(bench: Bench) -> None:
    slow = Deadlines().whole(Stage.FETCH, None) / 4
    parts = [Told(Progress(Stage.FETCH, bytes_done=done, bytes_total=9)) for done in range(9)]

    job = bench.do_one(
        *itertools.chain(*((each, bench.quiet(slow)) for each in parts)), Finished(result_at("one", 1))
    )

    assert job.state is JobState.DONE


def test_a_download_that_stands_still_is_hung(bench: Bench) -> None:
    stays = Told(Progress(Stage.FETCH, bytes_done=5, bytes_total=9))

    job = bench.do_one(stays, *[bench.quiet(700.0), stays] * 2)

    assert job.error is not None
    assert job.error.code == "engine_hung"


# ---------------------------------------------------------------- the job ahead

READY = Ready(Prepared(Decoded(Waveform(Path("sound"), 160_000, "ab" * 32), "wav"), 0.4))


class Ahead:
    """A worker with a job of which `seconds` are left, and another that waits for longer than an idle worker's look.

    The running job ends after `rounds` more looks at its child.
    """

    def __init__(self, bench: Bench, *, seconds: float = 20.0, rounds: int = 60, waited: float = 3.0) -> None:
        self.bench = bench
        bench.add("one")
        self.running: list[Happening] = [
            lambda: bench.add("two") and None,
            bench.quiet(waited),
            left(seconds),
            *[None] * rounds,
            Finished(result_at("one", 1)),
        ]
        self.seen: list[Job] = []

    def meanwhile(self, *happenings: Happening) -> None:
        """Let these happen while the job runs, after the next one was claimed."""
        self.running[-1:-1] = happenings

    def look(self) -> None:
        self.seen.append(self.bench.queue.job("two"))

    def run(self, *preparation: Happening, then: Happening = None, **more: Any) -> Job:
        """What becomes of the second job."""
        self.bench.scripts.append([*self.running, *([then] if then else [])])
        self.bench.preparations.append(list(preparation))
        more.setdefault("exit_when_idle", 0.0)
        supervisor = self.bench.supervisor(start_preparer=self.bench.start_preparer, **self.settings(more))
        supervisor.run(exit_when_idle=more["exit_when_idle"])
        return self.bench.queue.job("two")

    @staticmethod
    def settings(more: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in more.items() if name != "exit_when_idle"}


def test_a_link_is_downloaded_ahead_and_its_recording_goes_with_the_job(bench: Bench) -> None:
    ahead = Ahead(bench)
    ahead.run(Fetched(RECORDING), READY, then=Finished(result_at("two", 1)))

    assert bench.queue.episode("episode-two").audio.uri == RECORDING.uri
    work = bench.children[0].orders[-1]
    assert isinstance(work, Work)
    assert (work.job.id, work.audio_key, work.episode.audio) == ("two", RECORDING.uri, RECORDING)


def works(bench: Bench) -> list[Work]:
    return [order for child in bench.children for order in child.orders if isinstance(order, Work)]


def test_the_next_job_is_prepared_while_the_present_one_runs(bench: Bench) -> None:
    ahead = Ahead(bench)
    ahead.meanwhile(ahead.look)
    two = ahead.run(told(Stage.FETCH, 0), told(Stage.DECODE, 4), READY, then=Finished(result_at("two", 1)))

    assert ahead.seen[0].state is JobState.RUNNING
    assert ahead.seen[0].progress is not None
    assert ahead.seen[0].progress.stage is Stage.DECODE
    order = bench.preparers[0].orders[0]
    assert isinstance(order, Prepare)
    assert (order.job_id, order.audio_key, order.token) == ("two", "uploads/x", 1)
    assert [(work.job.id, work.prepared) for work in works(bench)] == [("one", None), ("two", READY.prepared)]
    assert works(bench)[1].folder == order.folder
    assert two.state is JobState.DONE


@pytest.mark.parametrize(("seconds", "waited"), [(31.0, 3.0), (20.0, 1.0)])
def test_a_job_that_an_idle_worker_may_still_have_is_left_to_it(bench: Bench, seconds: float, waited: float) -> None:
    """The present job is not nearly through, or the waiting one has only just come."""
    ahead = Ahead(bench, seconds=seconds, rounds=2, waited=waited)
    ahead.run(READY, then=Finished(result_at("two", 1)))

    assert bench.preparers == []
    assert works(bench)[1].prepared is None


def test_the_lease_of_the_job_ahead_is_kept_too(bench: Bench) -> None:
    ahead = Ahead(bench, seconds=29.0, rounds=150)
    rescued: list[Rescued] = []
    ahead.meanwhile(lambda: rescued.extend(bench.queue.rescue()))
    two = ahead.run(READY, then=Finished(result_at("two", 1)))

    assert rescued == []
    assert (two.state, two.crashes) == (JobState.DONE, 0)


def test_a_job_that_only_waits_for_its_turn_says_so_until_it_comes(bench: Bench) -> None:
    """A rescue then knows what a worker cannot have died of."""
    ahead = Ahead(bench, rounds=30)
    ahead.meanwhile(ahead.look)
    bench.scripts.append([*ahead.running, ahead.look, Finished(result_at("two", 1))])
    bench.preparations.append([told(Stage.DECODE, 4), READY])
    bench.supervisor(start_preparer=bench.start_preparer).run(exit_when_idle=0.0)

    assert [job.progress and job.progress.waits for job in ahead.seen] == [True, False]


def test_a_job_that_is_not_ready_in_time_is_waited_for(bench: Bench) -> None:
    ahead = Ahead(bench, rounds=3)
    two = ahead.run(*[told(Stage.DECODE, second) for second in range(90)], READY, then=Finished(result_at("two", 1)))

    assert works(bench)[1].prepared == READY.prepared
    assert two.state is JobState.DONE


@pytest.mark.parametrize(
    ("end", "state", "attempts", "crashes"),
    [
        (Broke(AudioError("a.mp3: no sound", code="audio_empty")), JobState.FAILED, 1, 0),
        (Broke(TransientError("the store did not answer")), JobState.QUEUED, 1, 0),
        (Broke(CrashError("the decoder died", code="decode_crashed")), JobState.QUEUED, 1, 1),
        (Broke(NotReady("no room", code="disk_full")), JobState.QUEUED, 0, 0),
        (Unexpected("RuntimeError", "a defect"), JobState.QUEUED, 1, 0),
        (ChildDied("was killed by SIGKILL"), JobState.QUEUED, 1, 1),
    ],
)
def test_a_job_that_cannot_be_prepared_ends_as_it_would_in_its_turn(
    bench: Bench, end: Happening, state: JobState, attempts: int, crashes: int
) -> None:
    ahead = Ahead(bench, rounds=4)
    ahead.meanwhile(ahead.look)
    ahead.run(end)

    two = ahead.seen[0]
    assert (two.state, two.attempts, two.crashes) == (state, attempts, crashes)
    assert bench.queue.job("one").state is JobState.DONE


def test_a_preparation_that_hangs_is_ended_and_counts_as_a_crash(bench: Bench) -> None:
    ahead = Ahead(bench, rounds=3)
    silence = [bench.quiet(HEARTBEAT) for _ in range(int(Deadlines().quiet(Stage.FETCH, None) / HEARTBEAT) + 2)]
    killed: list[bool] = []
    ahead.running.append(lambda: killed.append(bench.preparers[0].killed))
    two = ahead.run(*silence, then=Finished(result_at("two", 2)))

    assert killed == [True]
    assert (two.state, two.crashes) == (JobState.DONE, 1)
    assert works(bench)[1].prepared is None


def test_a_cancelled_job_ahead_is_left_and_the_running_one_goes_on(bench: Bench) -> None:
    ahead = Ahead(bench, rounds=40)
    ahead.running.insert(20, lambda: bench.queue.cancel("two") and None)
    two = ahead.run(told(Stage.DECODE, 1))

    assert two.state is JobState.CANCELLED
    assert bench.preparers[0].killed
    assert bench.queue.job("one").state is JobState.DONE


def test_a_job_ahead_is_handed_back_when_the_worker_is_asked_to_end(bench: Bench) -> None:
    ahead = Ahead(bench, rounds=20)
    ahead.meanwhile(bench.stop.set, ahead.look, ahead.look)
    ahead.run(READY, grace_seconds=60.0)

    assert ahead.seen[-1].state is JobState.QUEUED
    assert ahead.seen[-1].attempts == 0
    assert bench.queue.job("one").state is JobState.DONE


def test_a_job_ahead_is_handed_back_when_the_running_one_stalls(bench: Bench) -> None:
    ahead = Ahead(bench, seconds=5.0, rounds=4)
    folder = bench.folder / "worker-ada" / "two-1"
    there: list[bool] = []
    ahead.meanwhile(lambda: there.append(folder.exists()))
    ahead.meanwhile(*[bench.quiet(HEARTBEAT) for _ in range(20)], ahead.look)
    ahead.meanwhile(lambda: there.append(folder.exists()))
    two = ahead.run(lambda: folder.mkdir(parents=True), READY, then=Finished(result_at("two", 2)))

    assert there == [True, False]
    assert (ahead.seen[0].state, ahead.seen[0].attempts) == (JobState.QUEUED, 0)
    assert works(bench)[1].prepared is None
    assert two.state is JobState.DONE


def test_a_job_ahead_is_handed_back_when_this_machine_is_not_ready_for_the_running_one(bench: Bench) -> None:
    """The worker pauses then, for up to two leases, and beats none."""
    ahead = Ahead(bench, rounds=4)
    ahead.running[-1] = Broke(NotReady("no room", code="disk_full"))
    seen: list[Job] = []
    pause = Supervisor._longer_pause

    def waited(supervisor: Supervisor) -> float:
        bench.stop.wait = lambda _seconds: seen.append(bench.queue.job("two")) or True  # type: ignore[assignment]
        bench.stop.set()
        return pause(supervisor)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Supervisor, "_longer_pause", waited)
        ahead.run(READY)

    assert (seen[0].state, seen[0].attempts) == (JobState.QUEUED, 0)


def test_a_worker_for_one_job_claims_no_second(bench: Bench) -> None:
    ahead = Ahead(bench)
    bench.scripts.append(ahead.running)
    bench.supervisor(start_preparer=bench.start_preparer).run(once=True)

    assert bench.preparers == []
    assert bench.queue.job("two").state is JobState.QUEUED


def test_a_job_ahead_survives_the_running_one_s_crash(bench: Bench) -> None:
    ahead = Ahead(bench, rounds=10)
    ahead.running[-1] = ChildDied("was killed by SIGSEGV")
    bench.scripts += [ahead.running, [Finished(result_at("two", 1)), Finished(result_at("one", 2))]]
    bench.preparations.append([READY])
    bench.supervisor(start_preparer=bench.start_preparer).run(exit_when_idle=0.0)

    assert [work.job.id for work in works(bench)] == ["one", "two", "one"]
    assert {job.state for job in bench.queue.jobs()} == {JobState.DONE}


class TestClockWatch:
    def test_a_clock_that_is_set_forward_gives_the_living_time_to_beat(self) -> None:
        wall, clock = [0.0], [0.0]
        watch = ClockWatch(wall=lambda: wall[0], clock=lambda: clock[0], grace_seconds=30)
        steady = []
        for wall_step, clock_step in ((5, 5), (3605, 5), (5, 5), (30, 30)):
            wall[0] += wall_step
            clock[0] += clock_step
            steady.append(watch.is_steady())

        assert steady == [True, False, False, True]


# ---------------------------------------------------------------- what is measured


def counted(metrics: Metrics, name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(name, labels) or 0.0


@pytest.mark.parametrize(
    ("happening", "outcome"),
    [
        (Finished(result_at("one", 1)), "done"),
        (Broke(AudioError("no sound", code="audio_empty")), "failed"),
        (Broke(TransientError("the bucket is away")), "retrying"),
        (Broke(ModelError("no model")), "released"),
        (ChildDied("was killed by SIGSEGV"), "crashed"),
        (Broke(LeaseLost("gone")), "lost"),
    ],
)
def test_each_attempt_is_counted_once_by_how_it_ended(bench: Bench, happening: Happening, outcome: str) -> None:
    metrics = Metrics()
    bench.add()
    bench.scripts.append([happening])

    with suppress(NotReady):
        bench.supervisor(metrics=metrics).run(once=True)

    counts = {each.value: counted(metrics, "stenocast_attempts_total", outcome=each.value) for each in Outcome}
    assert counts == {each.value: float(each.value == outcome) for each in Outcome}
    assert metrics.loop_ages().keys() == {"worker"}


def test_stages_are_timed_and_a_replaced_child_is_counted_with_its_reason(bench: Bench) -> None:
    metrics = Metrics()
    bench.add()
    bench.scripts += [
        [told(Stage.DECODE, 1), ChildDied("was killed by SIGSEGV")],
        [told(Stage.DECODE, 1), told(Stage.RECOGNIZE, 1), Halved("recognize"), Finished(result_at("one", 2))],
    ]

    bench.supervisor(metrics=metrics).run(exit_when_idle=0.0)

    assert counted(metrics, "stenocast_stage_seconds_count", stage="decode") == 2
    assert counted(metrics, "stenocast_stage_seconds_count", stage="recognize") == 1
    assert counted(metrics, "stenocast_engine_restarts_total", reason="engine_died") == 1
    assert counted(metrics, "stenocast_gpu_batch_halvings_total", stage="recognize") == 1
    assert counted(metrics, "stenocast_audio_seconds_total") == 1.0


def test_a_job_says_that_its_models_are_loaded_and_no_stage_is_charged_with_the_time(bench: Bench) -> None:
    metrics = Metrics()
    seen: list[Progress | None] = []

    def look() -> None:
        seen.append(bench.queue.job("one").progress)

    bench.add()
    bench.scripts.append(
        [
            told(Stage.FETCH, 0),
            Loading("starter"),
            bench.quiet(100.0),
            look,
            Loaded("starter", 100.0),
            told(Stage.DECODE, 1),
            look,
            Finished(result_at("one", 1)),
        ]
    )

    bench.supervisor(metrics=metrics).run(once=True)

    assert [each and each.loads for each in seen] == [True, False]
    assert counted(metrics, "stenocast_stage_seconds_count", stage="fetch") == 1
    assert counted(metrics, "stenocast_stage_seconds_sum", stage="fetch") < 100.0


def test_a_job_that_was_prepared_early_is_one_attempt_and_its_waiting_is_no_work(bench: Bench) -> None:
    metrics = Metrics()
    ahead = Ahead(bench)

    ahead.run(told(Stage.DECODE, 4), READY, then=Finished(result_at("two", 1)), metrics=metrics)

    assert counted(metrics, "stenocast_attempts_total", outcome="done") == 2
    assert counted(metrics, "stenocast_stage_seconds_count", stage="decode") == 1
    assert counted(metrics, "stenocast_stage_seconds_sum", stage="decode") < 3.0


def test_a_job_ahead_that_is_given_back_is_counted_as_released(bench: Bench) -> None:
    metrics = Metrics()
    ahead = Ahead(bench)
    ahead.meanwhile(bench.stop.set)

    ahead.run(READY, metrics=metrics)

    assert counted(metrics, "stenocast_attempts_total", outcome="released") == 1
    assert counted(metrics, "stenocast_attempts_total", outcome="done") == 1


@pytest.mark.parametrize(
    ("happening", "said"),
    [
        (Broke(NotReady("no room left for scratch", code="disk_full")), ["no room left for scratch"]),
        (Finished(result_at("one", 1)), []),
        (Broke(AudioError("no sound", code="audio_empty")), []),
    ],
)
def test_a_worker_that_lacked_something_for_its_last_job_says_what(
    bench: Bench, happening: Happening, said: list[str]
) -> None:
    bench.add()
    bench.scripts.append([happening])
    crew = Crew([bench.supervisor()], bench.stop)

    with suppress(NotReady):
        crew.run(once=True)

    assert crew.lacking() == said
