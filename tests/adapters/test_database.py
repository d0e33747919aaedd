"""What is the ledger's own: its tables' rules, its migrations, its errors, several processes at once."""

from __future__ import annotations

import itertools
import multiprocessing
import random
import sqlite3
import threading
import time
from contextlib import closing, suppress
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import alembic.command
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect

from adapters.database import MIGRATIONS, Ledger
from adapters.ledger_statements import BEST_JOB
from adapters.ledger_tables import TABLES
from schemas.episode import Episode
from schemas.errors import NotFound, NotReady, OptionError, Refused, TransientError
from schemas.job import LEGAL_MOVES, JobOptions, JobState
from tests.ledgers import sqlite_url
from transcription.ports import NewJob, Result

#: What a job must have in each state, as the tables want it.
SHAPES = {
    JobState.QUEUED: {"lease_token": 1},
    JobState.RUNNING: {"lease_token": 2, "lease_worker": "ada", "lease_seconds": 30.0, "lease_expires": 9e9},
    JobState.DONE: {
        "lease_token": 2,
        "transcript_key": "k",
        "transcript_sha256": "d",
        "revision": 1,
        "finished": 1.0,
    },
    JobState.FAILED: {
        "lease_token": 2,
        "error_code": "c",
        "error_message": "m",
        "error_retryable": 0,
        "finished": 1.0,
    },
    JobState.CANCELLED: {"lease_token": 2, "finished": 1.0},
}


#: Enough to meet a write in most of its steps; the list of faults wants 200, which takes half a minute on two cores.
KILLS = 40


def new_job(name: str, show: str | None = None) -> NewJob:
    return NewJob(
        episode=Episode(id=f"episode-{name}", show=show),
        options=JobOptions(),
        audio_key=f"uploads/{name}",
        dedupe_key=f"same-{name}",
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    sqlite_url(tmp_path)
    return tmp_path / "ledger.sqlite3"


@pytest.fixture
def ledger(path: Path) -> Ledger:
    return Ledger(f"sqlite:///{path}", busy_seconds=0.2)


def put_job(connection: sqlite3.Connection, state: JobState, **changes: object) -> None:
    """Write a job into the table in a state, past the ledger's own statements."""
    values: dict[str, object] = {
        "id": "job",
        "episode_id": "e",
        "state": state.value,
        "options": "{}",
        "audio_key": "a",
        "dedupe_key": "d",
        "priority": 0,
        "lane": "",
        "turn": 1,
        "attempts": 1,
        "crashes": 0,
        "not_before": 0.0,
        "created": 0.0,
        "updated": 0.0,
        "episode_json": "{}",
    }
    values |= SHAPES[state] | changes
    connection.execute(
        f"INSERT INTO jobs ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})", list(values.values())
    )


def change_job(connection: sqlite3.Connection, values: dict[str, object]) -> None:
    connection.execute(f"UPDATE jobs SET {', '.join(f'{name} = ?' for name in values)}", list(values.values()))


def test_the_tables_are_those_that_the_statements_are_written_for(path: Path) -> None:
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), TABLES)

    columns_and_tables = [each for each in differences if not _is_about_an_index(each)]
    assert columns_and_tables == []


def _is_about_an_index(difference: object) -> bool:
    return isinstance(difference, tuple) and str(difference[0]).endswith(("_index", "_constraint"))


@pytest.mark.parametrize(("before", "after"), list(product(JobState, JobState)))
def test_the_table_refuses_exactly_the_illegal_moves(path: Path, before: JobState, after: JobState) -> None:
    connection = sqlite3.connect(path)
    put_job(connection, before)
    nothing = dict.fromkeys(name for shape in SHAPES.values() for name in shape)
    moved = nothing | {"state": after.value} | SHAPES[after] | {"lease_token": 5}
    is_legal = after is before or after in LEGAL_MOVES[before]

    if is_legal:
        change_job(connection, moved)
    else:
        with pytest.raises(sqlite3.IntegrityError, match="illegal move"):
            change_job(connection, moved)


@pytest.mark.parametrize(
    ("state", "changes"),
    [
        (JobState.DONE, {"transcript_key": None}),
        (JobState.DONE, {"revision": None}),
        (JobState.DONE, {"error_code": "c", "error_message": "m", "error_retryable": 0}),
        (JobState.FAILED, {"error_code": None, "error_message": None, "error_retryable": None}),
        (JobState.FAILED, {"error_message": None}),
        (JobState.FAILED, {"finished": None}),
        (JobState.RUNNING, {"lease_worker": None}),
        (JobState.RUNNING, {"lease_expires": None}),
        (JobState.QUEUED, {"lease_worker": "ada"}),
        (JobState.QUEUED, {"progress": "{}"}),
        (JobState.QUEUED, {"transcript_key": "k"}),
        (JobState.QUEUED, {"attempts": 6}),
        (JobState.QUEUED, {"crashes": 2}),
        (JobState.QUEUED, {"priority": 101}),
    ],
)
def test_the_table_refuses_a_job_of_a_wrong_shape(path: Path, state: JobState, changes: dict[str, object]) -> None:
    connection = sqlite3.connect(path)

    with pytest.raises(sqlite3.IntegrityError):
        put_job(connection, state, **changes)


def test_the_table_refuses_an_unknown_state(path: Path) -> None:
    connection = sqlite3.connect(path)
    put_job(connection, JobState.QUEUED)

    with pytest.raises(sqlite3.IntegrityError):
        change_job(connection, {"state": "asleep"})


def test_the_table_refuses_a_claim_without_a_new_token(path: Path) -> None:
    connection = sqlite3.connect(path)
    put_job(connection, JobState.QUEUED, lease_token=2)

    with pytest.raises(sqlite3.IntegrityError, match="raise the lease token"):
        change_job(connection, {"state": "running"} | SHAPES[JobState.RUNNING])


def test_the_ledger_is_durable_and_checks_its_references(ledger: Ledger) -> None:
    with ledger._database.reading() as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]

    assert pragmas == ["wal", 2, 1]


def test_opening_a_ledger_again_keeps_what_is_in_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/ledger.sqlite3"
    Ledger.open(url).add(new_job("one"), job_id="one")

    assert Ledger.open(url).job("one").state is JobState.QUEUED


def test_a_ledger_of_the_first_version_is_brought_up_to_date_with_what_is_in_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.sqlite3"
    Ledger.open(url).add(new_job("one"), job_id="one")
    with create_engine(url).connect() as connection:
        move_schema(connection, "0001")
        connection.commit()

    ledger = Ledger.open(url)

    claimed = ledger.claim("ada", lease_seconds=30)
    assert claimed is not None
    assert (claimed.job.id, claimed.traceparent) == ("one", None)
    assert ledger.lead_publishing("ada", seconds=10) == 1


def test_a_migration_waits_for_one_who_writes_and_then_is_done(tmp_path: Path) -> None:
    """Workers go on while a new version is brought in: the file's write lock is theirs again and again."""
    path = tmp_path / "ledger.sqlite3"
    ledger = Ledger.open(f"sqlite:///{path}")
    ledger.migrate_back("0001")
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    holder.execute("INSERT INTO lanes (priority, lane, last_turn) VALUES (0, 'a show', 1)")
    soon = threading.Timer(0.5, lambda: holder.execute("COMMIT"))
    soon.start()

    ledger.migrate()

    soon.join()
    assert ledger.lead_publishing("ada", seconds=10) == 1


def test_a_ledger_is_taken_back_to_a_version_that_there_is_and_never_forward(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.sqlite3")

    assert ledger.migrate_back("0002") is None
    ledger.migrate()
    assert [ledger.migrate_back(version) for version in ("0002", "0002", "0001", "0002")] == [
        "0002",
        "0002",
        "0001",
        "0001",
    ]
    with pytest.raises(OptionError, match="0000"):
        ledger.migrate_back("0000")


def test_no_lane_is_called_as_its_show_once_shows_can_be_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    ledger = Ledger.open(f"sqlite:///{path}")
    ledger.add(new_job("one", show="Harbour Hours"), job_id="one")
    ledger.migrate_back("0003")
    with sqlite3.connect(path) as connection:
        [(hashed,)] = connection.execute("SELECT lane FROM jobs").fetchall()
        connection.execute("UPDATE jobs SET lane = 'harbour hours'")  # as a version before 0004 wrote it

    ledger.migrate()

    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT lane FROM jobs").fetchall() == [(hashed,)]


def test_a_ledger_that_an_older_version_has_no_room_for_is_not_taken_back_at_all(tmp_path: Path) -> None:
    """Before 0004 a request was made once: here it was made again after its episode was deleted."""
    path = tmp_path / "ledger.sqlite3"
    ledger = Ledger.open(f"sqlite:///{path}")
    for name in ("one", "two"):
        ledger.add(new_job(name), job_id=name)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE jobs SET deleted = 1 WHERE id = 'one'")
        connection.execute("UPDATE jobs SET dedupe_key = 'same-one' WHERE id = 'two'")

    with pytest.raises(Refused) as error:
        ledger.migrate_back("0002")

    assert error.value.code == "ledger_not_taken_back"
    assert ledger.job("two").state is JobState.QUEUED
    ledger.migrate()
    assert ledger.lead_publishing("ada", seconds=10) == 1


def test_revisions_by_hand_stay_when_the_ledger_is_taken_back_and_numbers_go_on(tmp_path: Path) -> None:
    """An older version knows the newest of each job, and nothing of what it replaced."""
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite3'}")
    ledger.add(new_job("one"), job_id="one")
    claimed = ledger.claim("ada", lease_seconds=30)
    assert claimed is not None
    result = Result("first", "d" * 64, 1, 1.0, "a" * 64, "en", 1, 0, 1, None, False)
    ledger.finish(claimed.lease, result)
    ledger.revise(claimed.episode.id, replace(result, document_key="second"), seen=1)

    ledger.migrate_back("0004")
    ledger.migrate()

    assert ledger.latest_done(claimed.episode.id).transcript_key == "second"
    assert ledger.next_revision(claimed.episode.id) == 3
    with pytest.raises(NotFound):
        ledger.latest_done(claimed.episode.id, revision=1)
    assert ledger.revise(claimed.episode.id, replace(result, document_key="third"), seen=2).revision == 3


def move_schema(connection: Connection, version: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    alembic.command.downgrade(config, version)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://ledger:secret@localhost/x",
        "postgresql://ledger:secret@/x",
        "secret",
    ],
)
def test_an_address_of_no_ledger_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(OptionError) as error:
        Ledger(url)

    assert error.value.code == "bad_setting"
    assert "secret" not in error.value.message


def test_a_ledger_held_by_another_process_is_a_transient_error_and_nothing_is_written(
    ledger: Ledger, path: Path
) -> None:
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    with pytest.raises(TransientError) as error:
        ledger.add(new_job("one"), job_id="one")

    assert error.value.code == "database_busy"
    holder.execute("ROLLBACK")
    assert ledger.jobs() == []


def add_and_tell(url: str, kill: int, added: Any) -> None:
    """In a process of its own, as fast as it goes: add jobs, and tell of each that was acknowledged."""
    ledger = Ledger(url)
    for number in itertools.count():
        name = f"{kill}-{number}"
        ledger.add(new_job(name), job_id=name)
        added.send(name)


@pytest.mark.processes
def test_fault_10_a_ledger_whose_writer_is_killed_again_and_again_has_every_job_that_it_acknowledged(
    path: Path,
) -> None:
    """SQLite runs in its process: who kills that in the middle of a write kills the database."""
    context = multiprocessing.get_context("fork")
    rng = random.Random(10)
    acknowledged: list[str] = []
    for kill in range(KILLS):
        told, added = context.Pipe(duplex=False)
        writer = context.Process(target=add_and_tell, args=(f"sqlite:///{path}", kill, added))
        writer.start()
        added.close()
        acknowledged.append(told.recv())
        time.sleep(rng.uniform(0.0, 0.1))
        writer.kill()
        with suppress(EOFError):  # what was told before the kill is still in the pipe
            while True:
                acknowledged.append(told.recv())
        writer.join()

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        kept = {name for (name,) in connection.execute("SELECT id FROM jobs")}
    assert set(acknowledged) <= kept
    assert len(kept) - len(acknowledged) <= KILLS  # the one of each that was killed before it could tell
    assert len(acknowledged) > 2 * KILLS


def test_reading_goes_on_while_another_process_writes(ledger: Ledger, path: Path) -> None:
    ledger.add(new_job("one"), job_id="one")
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    assert ledger.job("one").state is JobState.QUEUED


def test_a_full_disk_is_our_trouble_and_reading_goes_on(ledger: Ledger) -> None:
    """A limit on the pages of the file stands in for the disk."""
    ledger.add(new_job("one"), job_id="one")
    with ledger._database.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    def add_many() -> None:
        for number in range(100):
            ledger.add(new_job(f"more{number}"), job_id=f"more{number}")

    with pytest.raises(NotReady) as error:
        add_many()

    assert error.value.code == "ledger_full"
    assert ledger.job("one").state is JobState.QUEUED


def test_a_damaged_ledger_says_so(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite3").write_bytes(b"this is no database " * 500)

    with pytest.raises(NotReady) as error:
        Ledger.open(f"sqlite:///{tmp_path}/ledger.sqlite3")

    assert error.value.code == "ledger_damaged"


def test_a_broken_transaction_leaves_neither_job_nor_event(path: Path) -> None:
    """An event id that exists already breaks the last statement of a claim."""
    ledger = Ledger(f"sqlite:///{path}", new_id=lambda: "always the same")
    ledger.add(new_job("one"), job_id="one")

    with pytest.raises(Exception, match="UNIQUE"):
        ledger.claim("ada", lease_seconds=30)

    assert ledger.job("one").state is JobState.QUEUED
    assert len(ledger.events_of("one")) == 1


def test_every_claim_leaves_an_attempt_with_its_outcome(ledger: Ledger, path: Path) -> None:
    ledger.add(new_job("one"), job_id="one")
    for _ in range(2):
        claimed = ledger.claim("ada", lease_seconds=30)
        assert claimed is not None
        ledger.release(claimed.lease)
    ledger.claim("bram", lease_seconds=30)

    rows = sqlite3.connect(path).execute("SELECT token, worker, outcome FROM attempts ORDER BY token").fetchall()
    assert rows == [(1, "ada", "released"), (2, "ada", "released"), (3, "bram", None)]


def test_a_claim_reads_the_queue_in_its_order_and_does_not_sort_it(ledger: Ledger) -> None:
    """With a sort, each claim would cost as much as the queue is long."""
    best = BEST_JOB.params(clock_offset=0.0).compile(dialect=sqlite_dialect(), compile_kwargs={"literal_binds": True})
    with ledger._database.reading() as connection:
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {best}").all()]

    assert plan[0] == "SCAN waiting USING INDEX jobs_to_claim"
    assert not [step for step in plan if "TEMP B-TREE" in step]


def claim_all(path: Path, worker: str, found: multiprocessing.Queue[str]) -> None:
    """In a process of its own: claim until nothing is left."""
    ledger = Ledger(f"sqlite:///{path}")
    while claimed := ledger.claim(worker, lease_seconds=30):
        found.put(f"{worker}:{claimed.job.id}:{claimed.lease.token}")
    found.put("")


@pytest.mark.processes
def test_two_processes_that_claim_at_once_never_get_the_same_job(ledger: Ledger, path: Path) -> None:
    for number in range(40):
        ledger.add(new_job(f"{number}"), job_id=f"{number}")
    context = multiprocessing.get_context("fork")
    found: multiprocessing.Queue[str] = context.Queue()
    workers = [context.Process(target=claim_all, args=(path, name, found)) for name in ("ada", "bram", "cleo")]
    for each in workers:
        each.start()

    claims: list[str] = []
    ended = 0
    while ended < len(workers):
        claim = found.get(timeout=60)
        ended += claim == ""
        claims += [claim] if claim else []
    for each in workers:
        each.join()

    jobs = [claim.split(":")[1] for claim in claims]
    assert sorted(jobs, key=int) == [str(number) for number in range(40)]
    assert {claim.split(":")[2] for claim in claims} == {"1"}


def rescue_all(path: Path, found: multiprocessing.Queue[int]) -> None:
    found.put(len(Ledger(f"sqlite:///{path}", clock_offset=31.0).rescue()))


@pytest.mark.processes
def test_rescuers_that_come_at_once_rescue_each_job_once(ledger: Ledger, path: Path) -> None:
    for number in range(10):
        ledger.add(new_job(f"{number}"), job_id=f"{number}")
        ledger.claim("dead", lease_seconds=30)
    context = multiprocessing.get_context("fork")
    found: multiprocessing.Queue[int] = context.Queue()
    rescuers = [context.Process(target=rescue_all, args=(path, found)) for _ in range(3)]
    for each in rescuers:
        each.start()

    assert sum(found.get(timeout=60) for _ in rescuers) == 10
    for each in rescuers:
        each.join()
    assert [job.crashes for job in ledger.jobs()] == [1] * 10


def open_ledger(path: Path, outcome: multiprocessing.Queue[str]) -> None:
    try:
        Ledger.open(f"sqlite:///{path}").jobs()
        outcome.put("open")
    except BaseException as error:
        outcome.put(repr(error))


@pytest.mark.processes
def test_processes_that_start_together_on_a_new_ledger_all_open_it(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    outcome: multiprocessing.Queue[str] = context.Queue()
    starters = [context.Process(target=open_ledger, args=(tmp_path / "new.sqlite3", outcome)) for _ in range(4)]
    for each in starters:
        each.start()

    outcomes = [outcome.get(timeout=60) for _ in starters]
    for each in starters:
        each.join()
    assert outcomes == ["open"] * 4
