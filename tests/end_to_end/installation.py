"""One installation in a folder of its own, and the real worker processes that a test starts on it.

Scripted engines, so that a job takes a second, and leases of 1.5 s. A test adds episodes of its own, disturbs the
worker that has them, and lets the heir, a healthy worker in this process, see the ledger to its end.
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
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psutil
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
from workers.publisher import Publisher
from workers.scratch import WorkerScratch
from workers.transcriber import Pace, Supervisor, new_worker_name

EPISODE_SECONDS = 13
FIRST_TONE = 10  #: samples of a period; every other episode has a longer one
LOOK_SECONDS = 0.05  #: between two looks; each asks the ledger, and the workers want the processor
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


def until(holds: Callable[[], Any], what: str, *, seconds: float = PATIENCE_SECONDS) -> Any:
    """Wait for something to be true and return it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = holds()
        if found:
            return found
        time.sleep(LOOK_SECONDS)
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

    def add(self, *, again: str = "", seconds: int = EPISODE_SECONDS) -> Job:
        """Take in an episode whose sound is unlike any other's. `again` asks for the first one's sound once more."""
        tone = FIRST_TONE if again else next(self.tones)
        path = self.settings.data_dir / "in.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 16_000, 0, "NONE", ""))
            file.writeframes(one_tone(tone, seconds))
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

    def start(self, *arguments: str, program: str = WORKER, **changes: Any) -> subprocess.Popen[bytes]:
        """Start a worker process with these settings changed."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", program, *arguments], env=self.environ(**changes), stderr=log, stdout=log
            )
        self.processes.append(process)
        return process

    def environ(self, **changes: Any) -> dict[str, str]:
        """What a process on this installation is told."""
        own = {"data_dir": self.settings.data_dir, "database_url": self.settings.database_url}
        values = SETTINGS | own | changes
        return os.environ | {f"STENOCAST_{name.upper()}": str(value) for name, value in values.items()}

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
        if self.settings.database_url:
            return
        check = sqlite3.connect(self.settings.data_dir / "ledger.sqlite3").execute("PRAGMA integrity_check")
        assert check.fetchone() == ("ok",)

    def told(self, job: Job) -> list[EventType]:
        """The events of a job so far."""
        return [event.type for _, event in self.ledger.events_of(job.id)]

    def logged(self, event: str, job: Job) -> bool:
        """Whether a worker has logged this about the job."""
        whole = self.log.read_text().rpartition("\n")[0]  # the last line may be on its way
        lines = [json.loads(line) for line in whole.splitlines() if line.startswith("{")]
        return any(line["event"] == event and line.get("job_id") == job.id for line in lines)

    def engine_of(self, worker: subprocess.Popen[bytes]) -> psutil.Process:
        """The engine child of a worker process."""
        children = until(lambda: psutil.Process(worker.pid).children(), "the worker has an engine child")
        return children[0]

    def freeze(self, worker: subprocess.Popen[bytes]) -> None:
        """Stop a worker process as by SIGSTOP, but not in the middle of a write to the ledger: a file of SQLite stays
        locked for as long as its writer stands still, and nobody could go on."""
        for _ in range(100):
            worker.send_signal(signal.SIGSTOP)
            if self.settings.database_url or self._may_write():
                return
            worker.send_signal(signal.SIGCONT)
            time.sleep(LOOK_SECONDS)
        raise AssertionError("the worker was met in the middle of a write a hundred times")

    def _may_write(self) -> bool:
        """Whether nobody holds the ledger's file for longer than a write takes."""
        with closing(sqlite3.connect(self.settings.data_dir / "ledger.sqlite3", timeout=1.0)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            connection.rollback()
            return True

    def end_all(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()
        self.processes.clear()


def one_tone(period: int, seconds: int) -> bytes:
    wave_form = array.array("h", [int(8000 * math.sin(i * math.tau / period)) for i in range(16_000)])
    return wave_form.tobytes() * seconds


def scratch_left(settings: Settings) -> list[Path]:
    return files_under(settings.scratch_folder)


def files_under(folder: Path) -> list[Path]:
    """All files, while others remove some: Python 3.11's `rglob` breaks on a folder that vanishes under it."""
    return [Path(parent, name) for parent, _, names in os.walk(folder) for name in names]


def is_clear(settings: Settings) -> bool:
    """Whether nothing but the locks of living workers lies on the scratch disk."""
    return all(path.suffix == ".lock" for path in scratch_left(settings))


@contextmanager
def quiet_logs() -> Iterator[None]:
    with structlog.testing.capture_logs():
        yield
    structlog.reset_defaults()
