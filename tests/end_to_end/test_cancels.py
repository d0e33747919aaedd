"""A job cancelled at every stage: its worker lets go of it within five seconds, and it is never done afterwards.

Real processes (installation.py) with the lease and the heartbeat that production has.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from schemas.events import EventType
from schemas.job import Job, JobState, Stage
from tests.end_to_end.installation import CALM, Place, is_clear, until
from workers.crashpoints import ENGINE_POINTS

pytestmark = pytest.mark.processes

STOPS_WITHIN_SECONDS = 5.0  #: by the worker's own clocks (tests/workers/test_transcriber.py)
BUSY_SECONDS = 55.0  #: more, for processes that wait for a core among other tests
PRODUCTION: dict[str, Any] = {"lease_seconds": 30.0, "heartbeat_seconds": 5.0}

#: In the supervisor, before the engine has the job and after the engine is done with it.
IN_THE_SUPERVISOR = ("after_claim", "before_finish")


def stands_at(place: Place, point: str) -> Path:
    """Have the next process that comes by this place stand there; the file that it takes with it."""
    order = place.settings.data_dir / "stand"
    order.write_text(f"stand:{point}")
    return order


def taken(order: Path) -> list[Path]:
    return list(order.parent.glob(f"{order.name}.taken-*"))


@contextmanager
def within_five_seconds() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < STOPS_WITHIN_SECONDS + BUSY_SECONDS


def is_at(place: Place, job: Job, stage: Stage) -> bool:
    progress = place.ledger.job(job.id).progress
    return progress is not None and progress.stage is stage and progress.done > 0


def decoder_of(worker: subprocess.Popen[bytes]) -> psutil.Process | None:
    for each in psutil.Process(worker.pid).children(recursive=True):
        try:
            if any("decoder_child" in word for word in each.cmdline()):
                return each
        except psutil.Error:
            continue
    return None


def check_cancelled(place: Place, job: Job) -> None:
    """Cancelled for good: nothing of it is left, and nothing was told of it afterwards.

    The workers are asked to end: one that is killed keeps the lead of publishing for five seconds.
    """
    for each in place.processes:
        each.terminate()
    until(lambda: all(each.poll() is not None for each in place.processes), "the workers have ended")
    place.end_all()
    place.let_heir_finish()
    place.check_invariants(job, state=JobState.CANCELLED)
    assert place.told(job)[-1] is EventType.JOB_CANCELLED
    assert place.told(job).count(EventType.JOB_CANCELLED) == 1


def test_a_job_cancelled_while_it_waits_is_never_begun(place: Place) -> None:
    job = place.add()
    place.ledger.cancel(job.id)

    assert place.start("--exit-when-idle", "0", **CALM).wait() == 0

    assert place.told(job) == [EventType.JOB_QUEUED, EventType.JOB_CANCELLED]
    check_cancelled(place, job)


@pytest.mark.parametrize("point", ENGINE_POINTS)
def test_a_job_whose_engine_says_nothing_more_is_left_within_five_seconds_of_its_cancel(
    place: Place, point: str
) -> None:
    """The engine stands, as in a long computation: it hears nobody and is killed."""
    job = place.add()
    order = stands_at(place, point)
    place.start(crash_file=order, **PRODUCTION)
    [held] = until(lambda: taken(order), f"the engine stands {point}")
    assert not is_clear(place.settings)

    place.ledger.cancel(job.id)
    with within_five_seconds():
        until(lambda: is_clear(place.settings), "the worker has left the job")

    held.unlink()
    check_cancelled(place, job)


@pytest.mark.parametrize("stage", [Stage.RECOGNIZE, Stage.DIARIZE])
def test_an_engine_at_work_leaves_a_cancelled_job_and_goes_on_with_the_next(place: Place, stage: Stage) -> None:
    job = place.add()
    worker = place.start(scripted_seconds=4.0, scripted_window=100.0, **PRODUCTION)
    until(lambda: is_at(place, job, stage), f"{stage} has begun")
    engine = place.engine_of(worker)
    following = place.add()

    place.ledger.cancel(job.id)
    with within_five_seconds():
        until(lambda: place.is_running(following), "the worker has the next job")

    until(lambda: place.ledger.job(following.id).state is JobState.DONE, "the next job is done")
    assert place.engine_of(worker) == engine
    check_cancelled(place, job)


def test_a_job_cancelled_while_its_sound_is_decoded_is_left_within_five_seconds(place: Place) -> None:
    """Even when the decoder has stopped: it is killed. So much sound keeps it at work until it is met."""
    job = place.add(seconds=900)
    worker = place.start(**PRODUCTION)
    decoder: psutil.Process = until(lambda: decoder_of(worker), "the sound is being decoded")
    decoder.suspend()
    until(lambda: place.ledger.job(job.id).progress, "the worker says so")

    place.ledger.cancel(job.id)
    with within_five_seconds():
        until(lambda: is_clear(place.settings), "the worker has left the job")

    assert not decoder.is_running()
    check_cancelled(place, job)


@pytest.mark.parametrize("point", IN_THE_SUPERVISOR)
def test_a_job_cancelled_behind_its_worker_s_back_is_left_as_soon_as_it_looks(place: Place, point: str) -> None:
    """Between two steps of the supervisor itself; before the finish the document is there already."""
    job = place.add()
    order = stands_at(place, point)
    worker = place.start("--once", crash_file=order, **PRODUCTION)
    [held] = until(lambda: taken(order), f"the worker stands {point}")

    place.ledger.cancel(job.id)
    held.unlink()
    until(lambda: worker.poll() is not None, "the worker has left the job")

    assert place.ledger.job(job.id).state is JobState.CANCELLED
    assert is_clear(place.settings)
    check_cancelled(place, job)


def test_of_two_jobs_each_may_be_cancelled_while_the_other_goes_on(place: Place) -> None:
    """The one that runs, and the one that is prepared meanwhile."""
    slow: dict[str, Any] = PRODUCTION | {"scripted_seconds": 12.0, "scripted_window": 100.0}
    running, ahead, last = place.add(), place.add(), place.add()
    place.start(crash_file=stands_at(place, "amid_diarize"), **slow)  # the first one stays at work
    until(lambda: place.logged("job prepared", ahead), "the next job is prepared")

    place.ledger.cancel(ahead.id)
    with within_five_seconds():
        until(lambda: place.logged("lease lost", ahead), "the worker has left the job ahead")
    assert place.is_running(running)

    until(lambda: place.logged("job prepared", last), "another one is prepared in its place")
    place.ledger.cancel(running.id)
    with within_five_seconds():
        until(lambda: place.logged("lease lost", running), "the worker has left the running job")
    until(lambda: is_at(place, last, Stage.RECOGNIZE), "the prepared one runs")

    place.ledger.cancel(last.id)
    with within_five_seconds():
        until(lambda: is_clear(place.settings), "the worker has left that one too")
    for job in (running, ahead, last):
        check_cancelled(place, job)
