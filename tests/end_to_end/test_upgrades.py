"""The ledger's schema is moved while jobs are in flight: forward under running workers, and back again without any.

The version after this one is this one with one migration more, of every kind that locks a table. Real processes
(installation.py), on SQLite and on PostgreSQL.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from adapters.database import MIGRATIONS
from adapters.settings import Settings
from adapters.wiring import newest_schema
from schemas.events import EventType
from schemas.job import Job, JobState
from tests.end_to_end.installation import CALM, SETTINGS, WORKER, Place, quiet_logs, until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]

JOBS = {"sqlite": 40, "postgresql": 100}
SHORT = {"scripted_seconds": 0.05} | CALM

TOMORROW = "9000"
MIGRATION = f'''
from alembic import op

revision = "{TOMORROW}"
down_revision = "{newest_schema()}"

TABLES = ("jobs", "episodes", "attempts", "outbox")


def upgrade():
    for table in TABLES:
        op.execute(f"ALTER TABLE {{table}} ADD COLUMN tomorrow TEXT")
    op.execute("CREATE INDEX jobs_of_tomorrow ON jobs (tomorrow) WHERE state = 'queued'")
    op.execute("CREATE TABLE tomorrow (job_id TEXT NOT NULL PRIMARY KEY REFERENCES jobs (id))")


def downgrade():
    op.execute("DROP TABLE tomorrow")
    op.execute("DROP INDEX jobs_of_tomorrow")
    for table in TABLES:
        op.execute(f"ALTER TABLE {{table}} DROP COLUMN tomorrow")
'''


@pytest.fixture(params=sorted(JOBS))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    with quiet_logs():
        place = Place(Settings(data_dir=tmp_path, database_url=url, **SETTINGS | CALM), tmp_path / "workers.log")
        yield place
        place.end_all()
        place.engine.end()
        place.ledger.close()


@pytest.fixture
def tomorrow(tmp_path: Path) -> str:
    """What makes a Python program one of the version after this one."""
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / f"{TOMORROW}_tomorrow.py").write_text(MIGRATION)
    return f"from pathlib import Path; from adapters import database; database.MIGRATIONS = Path({str(folder)!r}); "


def migrate(place: Place, *arguments: str, version: str = "") -> str:
    """Run `stenocast migrate` as another version has it; what it says."""
    program = f"{version}from cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "migrate", *arguments], env=place.environ(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def schema(place: Place) -> str | None:
    with sa.create_engine(place.settings.ledger_url).connect() as connection:
        version: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return version


def left(place: Place) -> int:
    """How many jobs are not final."""
    backlog = place.ledger.backlog()
    return backlog.queued_jobs + backlog.running_jobs


def some_are_done(place: Place, what: str) -> None:
    before = left(place)
    until(lambda: left(place) <= before - 4, what)


def end(workers: list[subprocess.Popen[bytes]]) -> None:
    """As an orchestrator does: jobs that fit the grace are finished, others handed back."""
    for each in workers:
        each.terminate()
    assert [each.wait() for each in workers] == [0] * len(workers)


def check_done_once(place: Place, job: Job) -> None:
    told = place.told(job)
    assert (told.count(EventType.JOB_DONE), told.count(EventType.TRANSCRIPT_PUBLISHED)) == (1, 1)
    assert set(told) <= {
        EventType.JOB_QUEUED,
        EventType.JOB_STARTED,
        EventType.JOB_DONE,
        EventType.TRANSCRIPT_PUBLISHED,
    }
    assert list(place.store.keys(f"results/{job.id}/")) == [place.ledger.job(job.id).transcript_key]


def test_an_upgrade_and_the_way_back_fail_lose_and_double_none_of_a_hundred_jobs(place: Place, tomorrow: str) -> None:
    count = JOBS["postgresql" if place.settings.database_url else "sqlite"]
    jobs = [place.add() for _ in range(count)]
    old = [place.start(**SHORT) for _ in range(2)]
    until(lambda: left(place) <= 0.9 * count, "work goes on")

    migrate(place, version=tomorrow)
    assert schema(place) == TOMORROW
    some_are_done(place, "workers of the old version go on with the newer schema")
    new = [place.start(program=tomorrow + WORKER, **SHORT) for _ in range(2)]
    end(old)
    some_are_done(place, "workers of the new version have taken over")

    end(new)
    assert left(place) > 0
    said = migrate(place, "--to", newest_schema(), version=tomorrow)
    assert (said.split()[-1], schema(place)) == (newest_schema(), newest_schema())
    again = [place.start(**SHORT) for _ in range(2)]
    until(lambda: left(place) == 0, "every job is final", seconds=300)
    end(again)

    ends = [place.ledger.job(job.id) for job in jobs]
    assert [(job.state, job.attempts) for job in ends] == [(JobState.DONE, 0)] * count
    for job in jobs:
        check_done_once(place, job)


def test_a_ledger_of_a_later_version_is_not_started_on(place: Place, tomorrow: str) -> None:
    migrate(place, version=tomorrow)

    assert place.start("--once", **SHORT).wait() != 0
    assert "ledger_newer" in place.log.read_text()


def test_a_way_back_over_every_migration_and_forth_again_loses_no_job(place: Place) -> None:
    """Those that wait, one that was left by a killed worker, and those that are done."""
    jobs = [place.add() for _ in range(8)]
    victim = place.start(scripted_seconds=0.1)
    until(lambda: left(place) <= 6 and place.ledger.backlog().running_jobs, "some are done and one runs")
    victim.kill()
    victim.wait()
    transcripts = {job.id: job.transcript_key for job in place.ledger.jobs() if job.transcript_key}
    place.ledger.close()

    first = min(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    migrate(place, "--to", first)
    assert schema(place) == first
    migrate(place)
    assert schema(place) == newest_schema()

    place.let_heir_finish()
    ends = [place.ledger.job(job.id) for job in jobs]
    assert [job.state for job in ends] == [JobState.DONE] * len(jobs)
    assert {job.id: job.transcript_key for job in ends if job.id in transcripts} == transcripts
    assert sum(job.attempts for job in ends) <= 1
    for job in jobs:
        place.check_invariants(job)
