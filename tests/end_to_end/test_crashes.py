"""Workers killed, stopped and frozen in the middle of a job: the job is done once, the same as undisturbed.

Real processes on one ledger, with scripted engines so that a job takes a second. Leases of 1.5 s. Every test adds
an episode of its own, disturbs the worker that has it, and lets the heir, a healthy worker in this process, see the
ledger to its end.
"""

from __future__ import annotations

import array
import json
import math
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
import wave
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import pytest
import structlog

from adapters.acceptance import accept
from adapters.eventlog import EventLog
from adapters.settings import Settings
from adapters.wiring import open_ledger, open_sink, open_store
from schemas.episode import Episode
from schemas.events import EventType
from schemas.job import Job, JobOptions, JobState
from schemas.transcript import Transcript
from schemas.wire import read_json
from workers.child import ChildEngine
from workers.crashpoints import CRASH_POINTS
from workers.publisher import Publisher
from workers.scratch import WorkerScratch
from workers.transcriber import Pace, Supervisor, new_worker_name

pytestmark = pytest.mark.processes

EPISODE_SECONDS = 13
FIRST_TONE = 10  #: samples of a period; every other episode has a longer one
PATIENCE_SECONDS = 60.0  #: for anything to happen on a busy machine; only failures wait so long
SETTINGS: dict[str, Any] = {
    "lease_seconds": 1.5,
    "heartbeat_seconds": 0.3,
    "back_off_seconds": 0.05,
    "allow_scripted": True,
    "scripted_window": 4.0,
    "log_format": "json",
}

WORKER = "import typer; from cli.worker import worker; typer.run(worker)"


#: Where nothing is to expire: on a busy machine a worker may well pause for longer than the short lease above.
CALM: dict[str, Any] = {"lease_seconds": 60.0, "heartbeat_seconds": 2.0}


def until(holds: Callable[[], Any], what: str) -> Any:
    """Wait for something to be true and return it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = holds()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"never came about: {what}")


class LastingEngine(ChildEngine):
    """The heir's engine child: outlives its supervisors, because to start one takes a second."""

    def kill(self) -> None:
        return

    def end(self) -> None:
        super().kill()


@dataclass
class Place:
    """One installation: a folder with ledger, store and event log, and the workers started on it."""

    settings: Settings
    log: Path
    tones: Iterator[int] = field(default_factory=lambda: count(20))
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ledger = open_ledger(self.settings)
        self.store = open_store(self.settings)
        self.sink = open_sink(self.settings)
        self.engine = LastingEngine(self.settings)

    def add(self, *, again: str = "") -> Job:
        """Take in an episode whose sound is unlike any other's. `again` asks for the first one's sound once more."""
        tone = FIRST_TONE if again else next(self.tones)
        path = self.settings.data_dir / "in.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 16_000, 0, "NONE", ""))
            file.writeframes(one_tone(tone))
        job, is_new = accept(
            queue=self.ledger,
            store=self.store,
            source=path,
            file_name="in.wav",
            episode=Episode(id=str(uuid.uuid4()), title=again or None),
            options=JobOptions(models="scripted"),
            max_bytes=10**9,
            new_id=lambda: str(uuid.uuid4()),
        )
        assert is_new
        return job

    def start(self, *arguments: str, **changes: Any) -> subprocess.Popen[bytes]:
        """Start a worker process with these settings changed."""
        values = SETTINGS | changes
        environ = {f"STENOCAST_{name.upper()}": str(value) for name, value in values.items()}
        environ["STENOCAST_DATA_DIR"] = str(self.settings.data_dir)
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", WORKER, *arguments], env=os.environ | environ, stderr=log, stdout=log
            )
        self.processes.append(process)
        return process

    def forget_checkpoints(self) -> None:
        """Have the sound that was transcribed before take its time again."""
        for key in list(self.store.keys("checkpoints/")):
            self.store.delete(key)

    def let_heir_finish(self) -> None:
        """Have a healthy worker do what there is to do, until every job is final and every event published."""
        stop = threading.Event()
        heir = threading.Thread(target=self.heir(stop).run)
        heir.start()
        try:
            until(self.is_quiet, "every job is final")
        finally:
            stop.set()
            heir.join()
        publisher = Publisher(self.ledger, self.sink, name="heir")
        while publisher.publish_pending() != 0:
            time.sleep(0.1)  # a killed publisher may hold the lead for a while
        publisher.resign()

    def heir(self, stop: threading.Event) -> Supervisor:
        worker = new_worker_name()
        return Supervisor(
            queue=self.ledger,
            store=self.store,
            start_engine=lambda: self.engine,
            scratch=WorkerScratch(self.settings.scratch_folder, worker),
            worker=worker,
            pace=Pace(self.settings.lease_seconds, self.settings.heartbeat_seconds),
            stop=stop,
        )

    def is_quiet(self) -> bool:
        return all(job.state.is_final for job in self.ledger.jobs(limit=500))

    def is_running(self, job: Job) -> bool:
        return self.ledger.job(job.id).state is JobState.RUNNING

    def has_progress(self, job: Job) -> bool:
        progress = self.ledger.job(job.id).progress
        return progress is not None and progress.stage.value == "recognize"

    def seconds_left(self, job: Job) -> float:
        """By the job's own estimate; 0 where it has none."""
        progress = self.ledger.job(job.id).progress
        return (progress and progress.eta) or 0.0

    def spoken(self, job: Job) -> list[Any]:
        """The words, times and speakers of a job's transcript: what must not depend on who was killed."""
        done = self.ledger.job(job.id)
        content = self.store.get(done.transcript_key or "missing")
        assert content is not None
        document = read_json(Transcript, content)
        names = {speaker.id: (speaker.voice, speaker.name) for speaker in document.speakers}
        return [
            (names.get(turn.speaker or ""), [(w.text, w.start, w.end) for p in turn.paragraphs for w in p.words])
            for turn in document.turns
        ]

    def check_invariants(self, job: Job, *, state: JobState = JobState.DONE) -> None:
        """What holds for every accepted job whatever was killed."""
        assert self.ledger.job(job.id).state is state
        told = [event for _, event in self.ledger.events_of(job.id)]
        published = [each for _, each in EventLog(self.settings.event_log).read()]
        ours = [event for event in published if event.data.job_id == job.id]
        assert list(dict.fromkeys(event.id for event in ours)) == [event.id for event in told]
        finals = Counter(event.type for event in told)
        assert finals[EventType.JOB_DONE] == finals[EventType.TRANSCRIPT_PUBLISHED] == int(state is JobState.DONE)
        results = list(self.store.keys(f"results/{job.id}/"))
        assert results == ([self.ledger.job(job.id).transcript_key] if state is JobState.DONE else [])
        assert scratch_left(self.settings) == []
        check = sqlite3.connect(self.settings.data_dir / "ledger.sqlite3").execute("PRAGMA integrity_check")
        assert check.fetchone() == ("ok",)

    def engine_of(self, worker: subprocess.Popen[bytes]) -> psutil.Process:
        """The engine child of a worker process."""
        children = until(lambda: psutil.Process(worker.pid).children(), "the worker has an engine child")
        return children[0]

    def end_all(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()
        self.processes.clear()


def one_tone(period: int) -> bytes:
    wave_form = array.array("h", [int(8000 * math.sin(i * math.tau / period)) for i in range(16_000)])
    return wave_form.tobytes() * EPISODE_SECONDS


def scratch_left(settings: Settings) -> list[Path]:
    return [path for path in settings.scratch_folder.rglob("*") if path.is_file()]


@contextmanager
def quiet_logs() -> Iterator[None]:
    with structlog.testing.capture_logs():
        yield
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("service")
    place = Place(Settings(data_dir=folder, **SETTINGS), folder / "workers.log")
    yield place
    place.engine.end()


@pytest.fixture
def place(installation: Place) -> Iterator[Place]:
    with quiet_logs():
        yield installation
        installation.end_all()
        installation.let_heir_finish()


@pytest.fixture(scope="module")
def undisturbed(installation: Place) -> list[Any]:
    """What an episode says when nobody is killed."""
    with quiet_logs():
        job = installation.add(again="undisturbed")
        installation.let_heir_finish()
        return installation.spoken(job)


IN_THE_CHILD = (
    "after_fetch",
    "after_decode",
    "after_window",
    "after_recognize",
    "after_diarize",
    "before_put",
    "after_put",
)


#: Those that a job without a neighbour and without a stop does not come by.
BESIDE_THE_WAY = ("after_prefetch", "before_release")


@pytest.mark.parametrize("point", [point for point in CRASH_POINTS if point not in BESIDE_THE_WAY])
def test_a_worker_killed_at_any_point_costs_nothing_but_time(
    place: Place, undisturbed: list[Any], point: str
) -> None:
    job = place.add(again=point)
    whom = "worker:" if point in IN_THE_CHILD else ""

    victim = place.start(crash_at=whom + point)
    assert victim.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    place.let_heir_finish()

    place.check_invariants(job)
    assert place.spoken(job) == undisturbed


def test_a_worker_killed_with_a_job_ahead_loses_neither(place: Place, undisturbed: list[Any]) -> None:
    jobs = [place.add(), place.add(again="ahead")]

    victim = place.start(crash_at="after_prefetch", scripted_seconds=1.5)
    assert victim.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    assert [place.is_running(job) for job in jobs] == [True, True]
    place.let_heir_finish()

    for job in jobs:
        place.check_invariants(job)
    assert place.spoken(jobs[1]) == undisturbed


def test_a_worker_killed_while_it_hands_its_job_back_costs_nothing_but_time(place: Place) -> None:
    job = place.add()
    victim = place.start(crash_at="before_release", scripted_seconds=2.0, grace_seconds=0.0)
    until(lambda: place.has_progress(job), "recognition has begun")
    victim.terminate()

    assert victim.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    place.let_heir_finish()
    place.check_invariants(job)


def test_an_engine_killed_on_its_own_is_replaced_by_its_worker(place: Place, undisturbed: list[Any]) -> None:
    place.forget_checkpoints()
    job = place.add(again="engine killed")
    worker = place.start("--exit-when-idle", "0", scripted_seconds=0.4, **CALM)
    until(lambda: place.has_progress(job), "recognition has begun")
    place.engine_of(worker).kill()

    assert worker.wait(PATIENCE_SECONDS) == 0
    place.check_invariants(job)
    assert place.ledger.job(job.id).crashes == 1
    assert place.spoken(job) == undisturbed


def test_a_supervisor_that_is_killed_takes_its_engine_along(place: Place) -> None:
    """Even one that says and hears nothing just then, as in the middle of a long computation: here it is frozen."""
    job = place.add()
    worker = place.start(scripted_seconds=2.0)
    until(lambda: place.has_progress(job), "recognition has begun")
    engine = place.engine_of(worker)
    engine.suspend()
    worker.kill()
    worker.wait()

    until(lambda: not engine.is_running() or engine.status() == psutil.STATUS_ZOMBIE, "the engine is gone")
    place.let_heir_finish()
    place.check_invariants(job)


def test_a_frozen_worker_that_wakes_up_changes_nothing(place: Place) -> None:
    job = place.add()
    worker = place.start("--once", scripted_seconds=0.5)
    until(lambda: place.has_progress(job), "recognition has begun")
    engine = place.engine_of(worker)
    engine.suspend()
    worker.send_signal(signal.SIGSTOP)
    place.let_heir_finish()
    before = (place.ledger.job(job.id), place.spoken(job))
    engine.resume()
    worker.send_signal(signal.SIGCONT)

    assert worker.wait(PATIENCE_SECONDS) == 0
    assert (place.ledger.job(job.id), place.spoken(job)) == before
    place.check_invariants(job)


def test_a_worker_told_to_end_hands_its_job_back_uncounted(place: Place) -> None:
    job = place.add()
    worker = place.start(scripted_seconds=2.0, grace_seconds=6.0, **CALM)
    until(lambda: place.has_progress(job), "recognition has begun")
    worker.terminate()
    asked = time.monotonic()

    assert worker.wait(PATIENCE_SECONDS) == 0
    assert time.monotonic() - asked < 6.0
    waiting = place.ledger.job(job.id)
    assert (waiting.state, waiting.attempts) == (JobState.QUEUED, 0)
    assert scratch_left(place.settings) == []


def test_a_worker_told_to_end_finishes_a_job_that_is_nearly_through(place: Place) -> None:
    job = place.add()
    worker = place.start(scripted_seconds=0.5, grace_seconds=50.0, **CALM)
    until(lambda: 0 < place.seconds_left(job) < 30, "the job is nearly through")
    worker.terminate()

    assert worker.wait(PATIENCE_SECONDS) == 0
    assert place.ledger.job(job.id).state is JobState.DONE


def test_a_worker_told_twice_to_end_hands_its_job_back_at_once(place: Place) -> None:
    job = place.add()
    worker = place.start(scripted_seconds=5.0, grace_seconds=600.0, **CALM)
    until(lambda: place.seconds_left(job) > 0, "the job has an estimate")
    worker.terminate()
    time.sleep(0.5)
    assert worker.poll() is None
    worker.terminate()

    assert worker.wait(PATIENCE_SECONDS) == 0
    assert place.ledger.job(job.id).state is JobState.QUEUED


def test_two_gpus_do_a_job_each_with_an_engine_that_sees_one_of_them(place: Place) -> None:
    jobs = [place.add(), place.add()]
    worker = place.start("--exit-when-idle", "0", devices="cuda:0,cuda:1", scripted_seconds=1.0, **CALM)
    until(lambda: all(place.is_running(job) for job in jobs), "both jobs run")
    engines = until(lambda: two_children(worker), "there are two engines")

    def visible() -> set[str | None]:
        return {engine.environ().get("CUDA_VISIBLE_DEVICES") for engine in engines}

    until(lambda: visible() == {"0", "1"}, "each engine sees one of them")  # a fork has no environment of its own yet
    assert worker.wait(PATIENCE_SECONDS) == 0
    assert [place.ledger.job(job.id).state for job in jobs] == [JobState.DONE] * 2
    assert scratch_left(place.settings) == []


def test_one_job_is_done_on_one_gpu_when_one_is_asked_for(place: Place) -> None:
    jobs = [place.add(), place.add()]
    worker = place.start("--once", devices="cuda:0,cuda:1", **CALM)

    assert worker.wait(PATIENCE_SECONDS) == 0
    assert sorted(place.ledger.job(job.id).state for job in jobs) == [JobState.DONE, JobState.QUEUED]


def two_children(worker: subprocess.Popen[bytes]) -> list[psutil.Process]:
    children = psutil.Process(worker.pid).children()
    return children if len(children) == 2 else []


def test_a_job_that_kills_its_engine_every_time_fails_after_three_and_the_queue_flows(place: Place) -> None:
    poison = place.add()
    worker = place.start("--exit-when-idle", "1", crash_at="after_decode", **CALM)

    until(lambda: place.ledger.job(poison.id).state is JobState.FAILED, "the poison job fails")
    worker.terminate()
    assert worker.wait(PATIENCE_SECONDS) == 0
    failed = place.ledger.job(poison.id)
    assert failed.error is not None
    assert (failed.error.code, failed.crashes, failed.attempts) == ("crashed_repeatedly", 3, 3)
    next_job = place.add()
    place.let_heir_finish()
    place.check_invariants(poison, state=JobState.FAILED)
    place.check_invariants(next_job)


def test_a_job_cancelled_while_it_runs_stops_and_is_never_done(place: Place) -> None:
    job = place.add()
    place.start("--once", scripted_seconds=5.0)
    until(lambda: place.has_progress(job), "recognition has begun")
    place.ledger.cancel(job.id)

    until(lambda: place.processes[0].poll() is not None, "the worker has left the job")
    place.let_heir_finish()
    place.check_invariants(job, state=JobState.CANCELLED)


def test_two_workers_do_twelve_jobs_once_each(place: Place) -> None:
    jobs = [place.add() for _ in range(12)]
    workers = [place.start("--exit-when-idle", "0", **CALM) for _ in range(2)]

    assert [worker.wait(PATIENCE_SECONDS) for worker in workers] == [0, 0]
    place.let_heir_finish()
    for job in jobs:
        place.check_invariants(job)
        assert place.ledger.job(job.id).attempts == 0
        types = [event.type for _, event in place.ledger.events_of(job.id)]
        assert types == [
            EventType.JOB_QUEUED,
            EventType.JOB_STARTED,
            EventType.JOB_DONE,
            EventType.TRANSCRIPT_PUBLISHED,
        ]


def test_every_line_a_worker_logs_about_a_job_names_it(place: Place) -> None:
    job = place.add()
    worker = place.start("--exit-when-idle", "0", **CALM)
    assert worker.wait(PATIENCE_SECONDS) == 0
    lines = [json.loads(line) for line in place.log.read_text().splitlines() if line.startswith("{")]
    ours = [line for line in lines if line.get("job_id") == job.id]

    assert [line["event"] for line in ours if line["event"].startswith("job")] == ["job claimed", "job finished"]
    assert all(line["attempt"] == 1 for line in ours)
