"""What the ledger makes of rows that cannot be read, on both engines: they harm nobody else."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from adapters.database import Ledger
from schemas.episode import AudioInfo, Episode
from schemas.job import JobOptions, JobState
from tests.ledgers import emptied, postgres_database, sqlite_url
from tests.servers import PostgresServer
from transcription.ports import NewJob


@pytest.fixture(scope="module")
def postgres_ledger(postgres: PostgresServer) -> Iterator[str]:
    with postgres_database(postgres) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    is_sqlite = request.param == "sqlite"
    url = sqlite_url(tmp_path) if is_sqlite else emptied(request.getfixturevalue("postgres_ledger"))
    ledger = Ledger(url, jitter=lambda: 0.5)
    yield ledger
    ledger.close()


def request(name: str, *, title: str | None = None, episode_id: str | None = None) -> NewJob:
    return NewJob(
        episode=Episode(id=episode_id or f"episode-{name}", title=title, audio=AudioInfo(uri=name)),
        options=JobOptions(),
        audio_key=name,
        dedupe_key=name,
    )


def damage(ledger: Ledger, statement: str) -> None:
    with ledger._database.engine.connect() as connection:
        connection.execute(text(statement))
        connection.commit()


@pytest.mark.parametrize(
    ("column", "content"),
    [("options", "{"), ("options", '"text"'), ("options", ""), ("episode_json", "{"), ("episode_json", '{"id": 7}')],
)
def test_a_job_that_cannot_be_read_is_failed_and_holds_nobody_up(ledger: Ledger, column: str, content: str) -> None:
    ledger.add(request("bad"), job_id="bad")
    ledger.add(request("good"), job_id="good")
    damage(ledger, f"UPDATE jobs SET {column} = '{content}' WHERE id = 'bad'".replace(":", r"\:"))

    claimed = ledger.claim("ada", lease_seconds=30)

    bad = ledger.job("bad")
    assert claimed is not None
    assert claimed.job.id == "good"
    assert bad.error is not None
    assert (bad.state, bad.error.code) == (JobState.FAILED, "job_unreadable")
    assert [event.type.value for _, event in ledger.events_of("bad")][1:] == ["job.started.v1", "job.failed.v1"]
    assert {job.id for job in ledger.jobs()} == {"bad", "good"}


def test_an_unreadable_job_can_be_cancelled(ledger: Ledger) -> None:
    ledger.add(request("bad"), job_id="bad")
    damage(ledger, "UPDATE jobs SET options = '{' WHERE id = 'bad'")

    assert ledger.cancel("bad").state is JobState.CANCELLED


def test_progress_that_cannot_be_read_is_not_shown(ledger: Ledger) -> None:
    ledger.add(request("one"), job_id="one")
    ledger.claim("ada", lease_seconds=30)
    damage(ledger, "UPDATE jobs SET progress = '{'")

    assert [job.progress for job in ledger.jobs()] == [None]


def test_an_episode_that_cannot_be_read_is_described_anew(ledger: Ledger) -> None:
    ledger.add(request("one", title="Ebb", episode_id="e"), job_id="one")
    damage(ledger, "UPDATE episodes SET document = '{'")
    numbers = itertools.count()

    answers = ledger.add_all(
        [request("two", title="Flood", episode_id="e"), request("three")], new_id=lambda: f"new-{next(numbers)}"
    )

    assert [isinstance(answer, tuple) for answer in answers] == [True, True]
    assert ledger.episode("e").title == "Flood"


def test_an_event_that_cannot_be_read_holds_back_its_own_episode_alone(ledger: Ledger) -> None:
    ledger.add(request("one"), job_id="one")
    ledger.add(request("two"), job_id="two")
    ledger.cancel("one")
    damage(ledger, "UPDATE outbox SET document = '{' WHERE sequence = 1")

    assert [event.subject for _, event in ledger.pending_events()] == ["episode-two"]
    assert [event.type.value for _, event in ledger.events_of("one")] == ["job.cancelled.v1"]
    assert ledger.backlog().unpublished_events == 3


def test_many_events_that_cannot_be_read_hold_up_nobody_else(ledger: Ledger) -> None:
    """More than are looked at together, as a newer release may have written before it was taken back."""
    for number in range(5):
        ledger.add(request(f"{number}"), job_id=f"{number}")
    ledger.add(request("good"), job_id="good")
    ledger.add(request("late"), job_id="late")
    damage(ledger, "UPDATE outbox SET document = '{' WHERE sequence <= 5")

    assert [event.subject for _, event in ledger.pending_events(limit=2)] == ["episode-good", "episode-late"]
    assert [event.subject for _, event in ledger.pending_events(limit=1)] == ["episode-good"]
