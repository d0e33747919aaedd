"""Workers killed, stopped and frozen in the middle of a job: the job is done once, the same as undisturbed.

Real processes on one ledger (installation.py).
"""

from __future__ import annotations

import json
import signal
import subprocess
import time
from typing import Any

import psutil
import pytest

from schemas.events import EventType, TranscriptReady
from schemas.job import JobState
from tests.end_to_end.installation import CALM, PATIENCE_SECONDS, Place, quiet_logs, scratch_left, until
from workers.crashpoints import CRASH_POINTS, ENGINE_POINTS

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def undisturbed(installation: Place) -> list[Any]:
    """What an episode says when nobody is killed."""
    with quiet_logs():
        job = installation.add(again="undisturbed")
        installation.let_heir_finish()
        return installation.spoken(job)


#: Those that a job without a neighbour and without a stop does not come by.
BESIDE_THE_WAY = ("after_prefetch", "before_release")


@pytest.mark.parametrize("point", [point for point in CRASH_POINTS if point not in BESIDE_THE_WAY])
def test_a_worker_killed_at_any_point_costs_nothing_but_time(
    place: Place, undisturbed: list[Any], point: str
) -> None:
    job = place.add(again=point)
    whom = "worker:" if point in ENGINE_POINTS else ""

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
    assert [place.ledger.job(job.id).attempts for job in jobs] == [1, 0]  # the second one had not begun


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
    place.freeze(worker)
    place.let_heir_finish()
    before = (place.ledger.job(job.id), place.spoken(job))
    engine.resume()
    worker.send_signal(signal.SIGCONT)

    assert worker.wait(PATIENCE_SECONDS) == 0
    assert (place.ledger.job(job.id), place.spoken(job)) == before
    place.check_invariants(job)


def test_a_worker_told_to_end_hands_its_job_back_uncounted(place: Place) -> None:
    """The job would take longer than anybody waits here: the worker ends because it leaves it. How soon, by its own
    clock: tests/workers/test_transcriber.py."""
    job = place.add()
    worker = place.start(scripted_seconds=10 * PATIENCE_SECONDS, grace_seconds=6.0, **CALM)
    until(lambda: place.has_progress(job), "recognition has begun")
    worker.terminate()

    assert worker.wait(PATIENCE_SECONDS) == 0
    waiting = place.ledger.job(job.id)
    assert (waiting.state, waiting.attempts) == (JobState.QUEUED, 0)
    assert scratch_left(place.settings) == []


@pytest.mark.parametrize("point", ["after_fetch", "after_window", "after_put"])
def test_a_worker_told_to_end_while_its_engine_hears_nobody_hands_its_job_back_uncounted(
    place: Place, point: str
) -> None:
    """The engine stands, as in a long computation, at three places; the next worker does the job."""
    job = place.add(again=f"told to end {point}")
    place.forget_checkpoints()
    order = place.settings.data_dir / f"stand-{point}"
    order.write_text(f"stand:{point}")
    worker = place.start(crash_file=order, scripted_seconds=0.2, grace_seconds=6.0, **CALM)
    until(lambda: list(order.parent.glob(f"{order.name}.taken-*")), f"the engine stands {point}")
    worker.terminate()

    assert worker.wait(PATIENCE_SECONDS) == 0
    waiting = place.ledger.job(job.id)
    assert (waiting.state, waiting.attempts, waiting.crashes) == (JobState.QUEUED, 0, 0)
    assert scratch_left(place.settings) == []
    place.let_heir_finish()
    place.check_invariants(job)


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


def test_a_diarization_that_kills_its_engine_every_time_costs_the_voices_and_not_the_words(
    place: Place, undisturbed: list[Any]
) -> None:
    place.forget_checkpoints()
    job = place.add(again="deadly voices")
    worker = place.start("--exit-when-idle", "1", crash_at="amid_diarize", **CALM)

    until(lambda: place.ledger.job(job.id).state.is_final, "the job is final")
    worker.terminate()
    assert worker.wait(PATIENCE_SECONDS) == 0
    done = place.ledger.job(job.id)
    assert (done.state, done.crashes) == (JobState.DONE, 2)
    told = place.ledger.events_of(job.id)[-1][1].data
    assert isinstance(told, TranscriptReady)
    assert "diarization_failed" in told.warning_codes
    assert words(place.spoken(job)) == words(undisturbed)
    place.let_heir_finish()
    place.check_invariants(job)


def words(spoken: list[Any]) -> list[Any]:
    return [word for _, turn in spoken for word in turn]


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
