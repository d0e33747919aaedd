"""The event log through crashes, full disks and several writers."""

from __future__ import annotations

import resource
import signal
import threading
from pathlib import Path

import pytest

from adapters.eventlog import EventLog
from schemas.errors import NotReady, TransientError
from schemas.events import Event, EventType, JobChanged
from schemas.job import JobState


def event(number: int) -> Event:
    return Event(
        id=f"event-{number}",
        type=EventType.JOB_STARTED,
        source="stenocast/local",
        subject="episode",
        time="2026-03-14T09:00:00.000Z",
        data=JobChanged(job_id="job", episode_id="episode", state=JobState.RUNNING, attempts=0),
    )


def ids(log: EventLog, after: int = 0) -> list[str]:
    return [each.id for _, each in log.read(after=after)]


def test_a_line_that_a_crash_tore_is_not_read(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    log.send([event(1)])
    with (tmp_path / "events.jsonl").open("ab") as file:
        file.write(b'{"id": "ev')

    assert ids(log) == ["event-1"]


def test_a_torn_line_is_cut_off_before_the_next_event(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    log.send([event(1)])
    with (tmp_path / "events.jsonl").open("ab") as file:
        file.write(b'{"id": "ev')
    log.send([event(2)])

    assert ids(log) == ["event-1", "event-2"]


def test_reading_goes_on_after_a_position(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    log.send([event(1), event(2)])
    first_end = next(log.read())[0]

    assert ids(log, after=first_end) == ["event-2"]
    assert ids(log, after=log.end()) == []


def test_a_follower_hears_what_comes_later(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    log.send([event(1)])
    heard: list[str] = []

    def arrive(_seconds: float) -> None:
        log.send([event(2)])

    for _, each in log.read(follow=True, is_over=lambda: len(heard) >= 2, sleep=arrive):
        heard.append(each.id)

    assert heard == ["event-1", "event-2"]


def test_a_log_that_is_not_there_yet_has_no_events(tmp_path: Path) -> None:
    assert ids(EventLog(tmp_path / "none.jsonl")) == []


def test_several_writers_do_not_tear_each_other_s_lines(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")

    def write(first: int) -> None:
        for number in range(first, first + 10):
            EventLog(tmp_path / "events.jsonl").send([event(number)])

    writers = [threading.Thread(target=write, args=(first,)) for first in (0, 100, 200)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()

    assert len(ids(log)) == 30


def test_a_log_that_cannot_be_written_is_a_transient_error(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").mkdir()

    with pytest.raises(TransientError) as error:
        EventLog(tmp_path / "events.jsonl").send([event(1)])

    assert error.value.code == "event_log_unavailable"


def test_a_full_disk_leaves_no_half_line(tmp_path: Path) -> None:
    """A file size limit stands in for the disk: the write stops in the middle of a line."""
    log = EventLog(tmp_path / "events.jsonl")
    log.send([event(1)])
    size = (tmp_path / "events.jsonl").stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, hard))
    try:
        with pytest.raises((NotReady, TransientError)):
            log.send([event(2)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)

    assert (tmp_path / "events.jsonl").stat().st_size == size
