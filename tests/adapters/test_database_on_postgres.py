"""What is the ledger's own on PostgreSQL: many at once, connections that break, errors, the plan of a claim."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import alembic.command
import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy.dialects.postgresql.psycopg import dialect as psycopg_dialect
from sqlalchemy.engine import Connection

from adapters import ledger_statements
from adapters.database import MIGRATIONS, Ledger
from adapters.ledger_postgres import PLANS
from adapters.ledger_tables import TABLES
from schemas.episode import Episode
from schemas.errors import LeaseLost, NotFound, NotReady, Refused, TransientError
from schemas.events import TranscriptReady
from schemas.job import LEGAL_MOVES, JobError, JobOptions, JobState
from tests.ledgers import emptied, postgres_database
from tests.servers import PostgresServer
from transcription.ports import Claimed, NewJob, Result

pytestmark = pytest.mark.services

#: What a job must have in each state, as the table wants it.
SHAPES: dict[JobState, dict[str, Any]] = {
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
        "error_retryable": False,
        "finished": 1.0,
    },
    JobState.CANCELLED: {"lease_token": 2, "finished": 1.0},
}
NO_NET = JobError("storage_unavailable", "the bucket did not answer", retryable=True)


def request(name: str, *, show: str | None = None, episode_id: str | None = None, **fields: Any) -> NewJob:
    return NewJob(
        episode=Episode(id=episode_id or f"episode-{name}", show=show),
        options=JobOptions(),
        audio_key=f"uploads/{name}",
        dedupe_key=f"same-{name}",
        **fields,
    )


def result_of(claimed: Claimed) -> Result:
    return Result(
        document_key=f"results/{claimed.job.id}/{claimed.lease.token}/transcript.json",
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


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> Iterator[str]:
    with postgres_database(postgres) as url:
        yield url


@pytest.fixture
def url(database: str) -> str:
    return emptied(database)


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    ledger = Ledger(url, jitter=lambda: 0.5, busy_seconds=20)
    yield ledger
    ledger.close()


@pytest.fixture
def connection(url: str) -> Iterator[psycopg.Connection[Any]]:
    """Another session on the same database."""
    with psycopg.connect(plain(url)) as connection:
        yield connection


def plain(url: str) -> str:
    return urlsplit(url)._replace(scheme="postgresql").geturl()


def add(ledger: Ledger, news: Sequence[NewJob]) -> None:
    names = iter(range(len(news)))
    ledger.add_all(news, new_id=lambda: f"job-{next(names)}")


def at_once(*moves: Callable[[], Any]) -> list[Any]:
    """Run the moves in threads that start together; their answers, or what they raised."""
    barrier = threading.Barrier(len(moves))

    def run(move: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return move()
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(moves)) as pool:
        return list(pool.map(run, moves))


# ---------------------------------------------------------------- tables


def test_the_tables_are_those_that_the_statements_are_written_for(ledger: Ledger) -> None:
    with ledger._database.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), TABLES)

    about = [str(each[0]) for each in differences if isinstance(each, tuple)]
    assert [each for each in about if not each.endswith(("_index", "_constraint"))] == []


def test_processes_that_start_together_on_a_new_database_all_open_it(postgres: PostgresServer) -> None:
    url = postgres.new_database()
    try:
        opened = at_once(*[lambda: Ledger.open(url).jobs()] * 6)
    finally:
        postgres.drop_database(url)

    assert opened == [[]] * 6


def test_a_ledger_of_a_newer_stenocast_is_left_alone(ledger: Ledger, connection: psycopg.Connection[Any]) -> None:
    [version] = connection.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    try:
        with pytest.raises(NotReady) as error:
            ledger.migrate()
    finally:
        connection.execute("UPDATE alembic_version SET version_num = %s", (version,))
        connection.commit()

    assert error.value.code == "ledger_newer"


def test_a_machine_that_takes_its_time_between_two_statements_of_a_migration_ends_it(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alembic is imported in the transaction, which on a cold and busy machine takes longer than a process of ours
    may be silent in one."""
    monkeypatch.setattr("adapters.ledger_postgres.SILENT_TRANSACTION_SECONDS", 1)
    url = postgres.new_database()
    ledger = Ledger(url)
    begin = ledger._database.begin_moving_schema

    def slowly(connection: Connection) -> None:
        time.sleep(2.0)
        begin(connection)

    monkeypatch.setattr(ledger._database, "begin_moving_schema", slowly)
    try:
        ledger.migrate()

        assert ledger.jobs() == []
        with ledger._database.reading() as connection:  # which was the migration's
            assert connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar() == "1s"
    finally:
        ledger.close()
        postgres.drop_database(url)


def test_the_last_migration_can_be_taken_back_and_made_again(postgres: PostgresServer) -> None:
    url = postgres.new_database()
    try:
        ledger = Ledger.open(url)
        add(ledger, [request("one", show="Tide Lines")])
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with ledger._database.engine.connect() as connection:
            config.attributes["connection"] = connection
            alembic.command.downgrade(config, "0003")
            connection.commit()

        ledger.migrate()

        assert [job.state for job in ledger.jobs()] == [JobState.QUEUED]
        assert ledger.delete("episode-one", by="api").job_ids == ("job-0",)
        ledger.close()
    finally:
        postgres.drop_database(url)


def test_a_finish_and_a_deletion_at_once_leave_no_transcript_that_can_be_read(ledger: Ledger) -> None:
    for number in range(20):
        add_one = request(f"{number}")
        ledger.add(add_one, job_id=f"job-{number}")
        claimed = ledger.claim("ada", lease_seconds=30)
        assert claimed is not None

        finished, deletion = at_once(
            lambda claimed=claimed: ledger.finish(claimed.lease, result_of(claimed)),
            lambda number=number: ledger.delete(f"episode-{number}", by="api"),
        )

        told = [event.type.value for _, event in ledger.events_of(f"job-{number}")]
        is_lost = isinstance(finished, LeaseLost)
        assert deletion.revision == (None if is_lost else 1)
        assert told[-1] == ("job.cancelled.v1" if is_lost else "transcript.deleted.v1")
        assert "transcript.published.v1" not in told


def transcribed(ledger: Ledger, name: str, *, episode_id: str) -> None:
    ledger.add(request(name, episode_id=episode_id), job_id=name)
    claimed = ledger.claim("ada", lease_seconds=30)
    assert claimed is not None
    ledger.finish(claimed.lease, result_of(claimed))


def by_hand(key: str) -> Result:
    return Result(key, "e" * 64, 1, 1.0, "a" * 64, "en", 1, 1, 1, None, False)


def test_of_many_who_revise_the_same_revision_one_does(ledger: Ledger) -> None:
    for number in range(5):
        episode_id = f"episode-{number}"
        transcribed(ledger, f"job-{number}", episode_id=episode_id)

        answers = at_once(*[lambda n=n, e=episode_id: ledger.revise(e, by_hand(f"k-{n}"), seen=1) for n in range(6)])

        refused = [each.code for each in answers if isinstance(each, Refused)]
        [job] = [each for each in answers if not isinstance(each, Exception)]
        assert refused == ["revision_outdated"] * 5
        assert ledger.latest_done(episode_id) == job
        told = [event.type.value for _, event in ledger.events_of(job.id)]
        assert told.count("transcript.revised.v1") == 1


def test_revisions_by_hand_and_by_jobs_that_come_at_once_never_have_one_number(ledger: Ledger) -> None:
    """Whoever revises by hand looks again after every refusal, as people do; jobs go on meanwhile."""
    transcribed(ledger, "first", episode_id="e")
    add(ledger, [request(f"{n}", episode_id="e") for n in range(12)])
    done = threading.Event()
    by_jobs: list[int] = []

    def work() -> None:
        try:
            while len(by_jobs) < 12:
                claimed = ledger.claim("worker", lease_seconds=30)
                if claimed is not None:
                    expected = ledger.next_revision("e")
                    time.sleep(0.002)
                    by_jobs.append(ledger.finish(claimed.lease, result_of(claimed)).revision or 0)
                    assert by_jobs[-1] == expected
                time.sleep(0.005)
        finally:
            done.set()

    def revise(name: str) -> list[int]:
        made: list[int] = []
        while not done.is_set():
            seen = ledger.latest_done("e").revision or 0
            with suppress(Refused):
                made.append(ledger.revise("e", by_hand(f"{name}-{seen}"), seen=seen).revision or 0)
        return made

    worked, *by_people = at_once(work, *[lambda n=n: revise(f"p{n}") for n in range(3)])

    assert worked is None
    assert not [each for each in by_people if isinstance(each, Exception)]
    made = sorted([1, *by_jobs, *(number for each in by_people for number in each)])
    assert made == list(range(1, len(made) + 1))
    assert len(made) > 13  # else nobody ever met
    found = [ledger.latest_done("e", revision=number) for number in made]
    assert [each.revision for each in found] == made
    assert len({each.transcript_key for each in found}) == len(made)
    told = [event.data for _, event in ledger.pending_events(limit=10_000)]
    assert [each.revision for each in told if isinstance(each, TranscriptReady)] == made


def test_a_revision_and_a_deletion_at_once_leave_no_transcript_that_can_be_read(ledger: Ledger) -> None:
    for number in range(10):
        episode_id = f"episode-{number}"
        transcribed(ledger, f"job-{number}", episode_id=episode_id)

        revised, deletion = at_once(
            lambda e=episode_id: ledger.revise(e, by_hand("k"), seen=1),
            lambda e=episode_id: ledger.delete(e, by="api"),
        )

        is_late = isinstance(revised, NotFound)
        assert deletion.revision == (1 if is_late else 2)
        told = [event.type.value for _, event in ledger.events_of(f"job-{number}")]
        assert told[-1] == "transcript.deleted.v1"
        assert "transcript.revised.v1" not in told


def test_a_revision_waits_for_a_claim_of_its_episode_and_is_refused(
    ledger: Ledger, connection: psycopg.Connection[Any]
) -> None:
    """The claim was not committed when the transcript was read: what the job makes is later."""
    transcribed(ledger, "one", episode_id="e")
    ledger.add(request("two", episode_id="e"), job_id="two")
    connection.execute("SELECT 1 FROM episodes WHERE id = 'e' FOR NO KEY UPDATE")
    connection.execute(
        "UPDATE jobs SET state = 'running', lease_token = 1, lease_worker = 'ada', lease_seconds = 30,"
        " lease_expires = 9e9 WHERE id = 'two'"
    )
    with ThreadPoolExecutor(1) as pool:
        revising = pool.submit(ledger.revise, "e", by_hand("k"), seen=1)
        time.sleep(0.3)
        connection.commit()
        with pytest.raises(Refused) as refusal:
            revising.result(timeout=20)

    assert refusal.value.code == "episode_in_work"
    assert ledger.latest_done("e").revision == 1


def put_job(connection: psycopg.Connection[Any], state: JobState) -> None:
    """Write a job into the table in a state, past the ledger's own statements."""
    values = {
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
    } | SHAPES[state]
    connection.execute("INSERT INTO episodes VALUES ('e', NULL, NULL, '{}', 0, 0) ON CONFLICT DO NOTHING")
    names, places = ", ".join(values), ", ".join(["%s"] * len(values))
    connection.execute(f"INSERT INTO jobs ({names}) VALUES ({places})".encode(), list(values.values()))


@pytest.mark.parametrize("before", JobState)
def test_the_table_refuses_exactly_the_illegal_moves(connection: psycopg.Connection[Any], before: JobState) -> None:
    nothing = dict.fromkeys(name for shape in SHAPES.values() for name in shape)
    for after in JobState:
        put_job(connection, before)
        moved = nothing | {"state": after.value} | SHAPES[after] | {"lease_token": 5}
        change = f"UPDATE jobs SET {', '.join(f'{name} = %s' for name in moved)}".encode()
        try:
            if after is before or after in LEGAL_MOVES[before]:
                connection.execute(change, list(moved.values()))
            else:
                with pytest.raises(psycopg.errors.CheckViolation, match="illegal move"):
                    connection.execute(change, list(moved.values()))
        finally:
            connection.rollback()


def test_the_table_refuses_a_claim_without_a_new_token_and_an_unknown_state(
    connection: psycopg.Connection[Any],
) -> None:
    put_job(connection, JobState.QUEUED)
    connection.execute("SAVEPOINT before")
    with pytest.raises(psycopg.errors.CheckViolation, match="raise the lease token"):
        connection.execute(
            "UPDATE jobs SET state = 'running', lease_worker = 'a', lease_seconds = 1, lease_expires = 1"
        )
    connection.execute("ROLLBACK TO before")
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.execute("UPDATE jobs SET state = 'asleep'")


# ---------------------------------------------------------------- the plan


def test_a_claim_reads_the_queue_in_its_order_and_does_not_sort_it(
    ledger: Ledger, connection: psycopg.Connection[Any]
) -> None:
    """With a sort, each claim would cost as much as the queue is long. Before there are statistics, too."""
    compiled = ledger_statements._BEST_FREE_JOB.params(clock_offset=0.0).compile(
        dialect=psycopg_dialect(), compile_kwargs={"literal_binds": True}
    )
    connection.execute("; ".join(PLANS).encode())
    connection.execute("ANALYZE")
    connection.execute(f"PREPARE best AS {compiled}".encode())
    for step in ("nothing queued", "few queued", "few known", "many queued", "many known"):
        if step.endswith("queued"):
            count = {"nothing": 0, "few": 3, "many": 2000}[step.split()[0]]
            ledger.add_all([request(f"{n}", show=f"{n % 40}") for n in range(count)], new_id=lambda: uuid4().hex)
        if step.endswith("known"):
            connection.execute("ANALYZE")
        plan = "\n".join(row[0] for row in connection.execute("EXPLAIN EXECUTE best"))

        assert "jobs_to_claim" in plan
        assert "Sort" not in plan
        assert "Seq Scan" not in plan


# ---------------------------------------------------------------- many at once


def claim_and_finish(url: str, worker: str, found: multiprocessing.Queue[tuple[str, str, int]]) -> None:
    """In a process of its own, until nothing has been there for a while."""
    ledger = Ledger(url)
    idle_since = time.monotonic()
    while time.monotonic() - idle_since < 1.0:
        claimed = ledger.claim(worker, lease_seconds=30)
        if claimed is None:
            time.sleep(0.02)
            continue
        ledger.finish(claimed.lease, result_of(claimed))
        found.put((worker, claimed.job.id, claimed.lease.token))
        idle_since = time.monotonic()
    found.put((worker, "", 0))


@pytest.mark.processes
def test_every_job_is_claimed_once_by_workers_in_many_processes(ledger: Ledger, url: str) -> None:
    add(ledger, [request(f"{n}", show=f"{n % 3}") for n in range(120)])
    context = multiprocessing.get_context("fork")
    found: multiprocessing.Queue[tuple[str, str, int]] = context.Queue()
    workers = [context.Process(target=claim_and_finish, args=(url, f"w{n}", found)) for n in range(4)]
    for each in workers:
        each.start()
    claims: list[tuple[str, str, int]] = []
    ended = 0
    while ended < len(workers):
        claim = found.get(timeout=120)
        ended += claim[1] == ""
        claims += [claim] if claim[1] else []
    for each in workers:
        each.join()

    assert Counter(job for _, job, _ in claims) == {f"job-{n}": 1 for n in range(120)}
    assert {token for _, _, token in claims} == {1}
    assert {job.state for job in ledger.jobs(limit=200)} == {JobState.DONE}


def test_of_two_claims_that_both_believe_an_episode_free_one_looks_again(
    ledger: Ledger, url: str, connection: psycopg.Connection[Any]
) -> None:
    """A clock that takes its time lets a claim look at the queue as it was before another claim's commit."""
    connection.execute("CREATE SCHEMA slow")
    connection.execute(
        "CREATE FUNCTION slow.statement_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_sleep(0.3); RETURN clock_timestamp(); END $$"
    )
    connection.commit()
    add(ledger, [request(f"{n}", episode_id="e") for n in range(2)])
    slow = Ledger(f"{url}?options=-csearch_path%3Dslow,pg_catalog,public")
    try:
        with ThreadPoolExecutor(1) as pool:
            claiming = pool.submit(slow.claim, "bram", lease_seconds=30)
            time.sleep(0.15)
            claimed = ledger.claim("ada", lease_seconds=30)
            late = claiming.result(timeout=60)
    finally:
        slow.close()
        connection.execute("DROP SCHEMA slow CASCADE")
        connection.commit()

    assert claimed is not None
    assert late is None
    assert len(ledger.jobs(state=JobState.RUNNING)) == 1


def test_jobs_of_one_episode_never_run_at_once_and_their_revisions_follow_each_other(ledger: Ledger) -> None:
    add(ledger, [request(f"{n}", episode_id=f"e{n % 2}") for n in range(16)])
    running: Counter[str] = Counter()
    together: list[str] = []
    lock = threading.Lock()

    def work() -> None:
        misses = 0
        while misses < 20:
            claimed = ledger.claim("worker", lease_seconds=30)
            if claimed is None:
                misses += 1
                time.sleep(0.005)
                continue
            with lock:
                running[claimed.episode.id] += 1
                if running[claimed.episode.id] > 1:
                    together.append(claimed.episode.id)
            time.sleep(0.002)
            with lock:
                running[claimed.episode.id] -= 1
            ledger.finish(claimed.lease, result_of(claimed))

    assert at_once(*[work] * 5) == [None] * 5
    assert together == []
    revisions = sorted((job.episode_id, job.revision) for job in ledger.jobs(limit=100))
    assert revisions == [(f"e{e}", n) for e in range(2) for n in range(1, 9)]


def test_a_backfill_of_thousands_does_not_starve_a_new_episode(ledger: Ledger) -> None:
    add(ledger, [request(f"back{n}", show="Backfill") for n in range(5000)])
    for _ in range(3):
        ledger.claim("worker", lease_seconds=30)
    ledger.add(request("fresh", show="Fresh"), job_id="fresh")

    claimed = [ledger.claim("worker", lease_seconds=30) for _ in range(2)]

    assert "fresh" in [each.job.id for each in claimed if each is not None]


def test_shows_take_turns_however_many_add_at_once(ledger: Ledger, connection: psycopg.Connection[Any]) -> None:
    def adder(show: str, first: int) -> Callable[[], None]:
        return lambda: (
            [ledger.add(request(f"{show}{n}", show=show), job_id=f"{show}{n}") for n in range(first, first + 10)]
            and None
        )

    assert at_once(*(adder(show, first) for show in "AB" for first in (0, 10, 20))) == [None] * 6

    turns = defaultdict(list)
    for lane, turn in connection.execute("SELECT lane, turn FROM jobs ORDER BY number"):
        turns[lane].append(turn)
    assert list(turns.values()) == [list(range(1, 31))] * 2  # a lane of each show


def test_batches_that_overlap_in_opposite_orders_do_not_stop_each_other(ledger: Ledger) -> None:
    names = [f"{n}" for n in range(30)]

    def adder(prefix: str, order: Sequence[str]) -> Callable[[], Any]:
        return lambda: ledger.add_all(
            [request(name, episode_id=f"e{int(name) % 7}", idempotency_key=f"k{name}") for name in order],
            new_id=iter([f"{prefix}{name}" for name in order]).__next__,
        )

    answers = at_once(
        *(adder(p, order) for p, order in [("a", names), ("b", names[::-1]), ("c", names[15:] + names)])
    )

    assert not [each for each in answers if isinstance(each, Exception)]
    assert sum(is_new for each in answers for _, is_new in each) == 30
    assert len(ledger.jobs(limit=100)) == 30


def test_rescuers_that_come_at_once_rescue_each_job_once(ledger: Ledger) -> None:
    add(ledger, [request(f"{n}") for n in range(10)])
    for _ in range(10):
        ledger.claim("dead", lease_seconds=30)
    ledger.clock_offset += 31

    rescued = at_once(*[ledger.rescue] * 4)

    assert sorted(one.job.id for each in rescued for one in each) == sorted(f"job-{n}" for n in range(10))
    assert [job.crashes for job in ledger.jobs()] == [1] * 10


def test_a_lease_that_was_beaten_after_all_is_not_taken_away(
    ledger: Ledger, connection: psycopg.Connection[Any]
) -> None:
    """The rescuer saw it run out, waited for the row, and must look again."""
    ledger.add(request("one"), job_id="one")
    ledger.claim("ada", lease_seconds=30)
    ledger.clock_offset += 31
    connection.execute("UPDATE jobs SET lease_expires = lease_expires + 1000")
    with ThreadPoolExecutor(1) as pool:
        rescuing = pool.submit(ledger.rescue)
        time.sleep(0.3)
        connection.commit()

        assert rescuing.result(timeout=20) == []


def test_one_of_many_publishers_leads(ledger: Ledger) -> None:
    answers = at_once(*(lambda n=n: ledger.lead_publishing(f"p{n}", seconds=30) for n in range(6)))

    assert sorted(answers, key=str) == [1, *[None] * 5]


def test_a_cancel_and_a_finish_at_once_end_the_job_once(ledger: Ledger) -> None:
    for n in range(12):
        ledger.add(request(f"{n}"), job_id=f"{n}")
        claimed = ledger.claim("worker", lease_seconds=30)
        assert claimed is not None

        finished, cancelled = at_once(
            lambda c=claimed: ledger.finish(c.lease, result_of(c)), lambda n=n: ledger.cancel(f"{n}")
        )

        assert sum(isinstance(each, Refused) for each in (finished, cancelled)) == 1
        ends = [event.type.value for _, event in ledger.events_of(f"{n}")][2:]
        assert ends in (["job.done.v1", "transcript.published.v1"], ["job.cancelled.v1"])


def test_a_reader_never_sees_a_later_event_of_an_episode_before_an_earlier_one(ledger: Ledger, url: str) -> None:
    """Workers, cancellers and adders on few episodes, and a reader that notes what it has seen at every look."""
    looks: list[list[tuple[int, str]]] = []
    is_over = threading.Event()
    reader = Ledger(url)

    def read() -> None:
        while not is_over.is_set():
            looks.append([(number, event.subject) for number, event in reader.pending_events(limit=10_000)])

    def add_some(prefix: str) -> None:
        for n in range(25):
            ledger.add(request(f"{prefix}{n}", episode_id=f"e{n % 3}"), job_id=f"{prefix}{n}")

    def work() -> None:
        for _ in range(40):
            claimed = ledger.claim("worker", lease_seconds=30)
            if claimed is not None:
                ledger.finish(claimed.lease, result_of(claimed))

    def cancel_some() -> None:
        for job in ledger.jobs(state=JobState.QUEUED, limit=10):
            ledger.cancel(job.id)

    def write() -> list[Any]:
        try:
            return at_once(lambda: add_some("a"), lambda: add_some("b"), work, work, cancel_some)
        finally:
            is_over.set()

    [written, _] = at_once(write, read)
    reader.close()

    assert [each for each in written if isinstance(each, Exception)] == []
    final = [(number, event.subject) for number, event in ledger.pending_events(limit=10_000)]
    for seen in looks:
        for episode in {subject for _, subject in seen}:
            of_episode = [number for number, subject in seen if subject == episode]
            assert of_episode == [number for number, subject in final if subject == episode][: len(of_episode)]


def test_a_second_page_of_events_shows_nothing_newer_than_the_first(
    ledger: Ledger, connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it could show a later event of an episode whose earlier one was not there yet for the first."""
    ledger.add(request("one"), job_id="one")
    ledger.add(request("two"), job_id="two")
    connection.execute("UPDATE outbox SET document = '{' WHERE job_id = 'one'")
    connection.commit()
    connection.execute(
        "INSERT INTO outbox (event_id, job_id, subject, document, created)"
        " SELECT 'earlier', job_id, subject, document, created FROM outbox WHERE job_id = 'two'"
    )
    ledger.add(request("three"), job_id="three")
    first_page = ledger_statements.list_pending_events

    def list_and_let_others_write(*given: Any) -> Any:
        rows = first_page(*given)
        if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            connection.commit()
            ledger.cancel("two")
        return rows

    monkeypatch.setattr(ledger_statements, "list_pending_events", list_and_let_others_write)

    numbers = [number for number, _ in ledger.pending_events(limit=3)]

    assert numbers == [2, 4]


# ---------------------------------------------------------------- what is locked


def test_a_claim_passes_over_an_episode_that_somebody_writes_about(
    ledger: Ledger, connection: psycopg.Connection[Any]
) -> None:
    add(ledger, [request("one"), request("two")])
    connection.execute("SELECT 1 FROM episodes WHERE id = 'episode-one' FOR NO KEY UPDATE")

    claimed = ledger.claim("ada", lease_seconds=30)

    assert claimed is not None
    assert claimed.job.id == "job-1"
    assert ledger.claim("ada", lease_seconds=30) is None


def test_events_of_an_episode_wait_for_whoever_writes_about_it(
    ledger: Ledger, url: str, connection: psycopg.Connection[Any]
) -> None:
    ledger.add(request("one"), job_id="one")
    connection.execute("SELECT 1 FROM episodes WHERE id = 'episode-one' FOR NO KEY UPDATE")
    impatient = Ledger(url, busy_seconds=0.3)

    with pytest.raises(TransientError) as error:
        impatient.cancel("one")

    assert error.value.code == "database_busy"
    connection.rollback()
    assert impatient.cancel("one").state is JobState.CANCELLED
    impatient.close()


def test_a_worker_that_lost_its_job_while_it_waited_changes_nothing(
    ledger: Ledger, connection: psycopg.Connection[Any]
) -> None:
    """It saw the job as its own, waited for the row, and must look again."""
    ledger.add(request("one"), job_id="one")
    claimed = ledger.claim("ada", lease_seconds=30)
    assert claimed is not None
    connection.execute(
        "UPDATE jobs SET state = 'cancelled', finished = 1, lease_worker = NULL, lease_seconds = NULL,"
        " lease_expires = NULL WHERE id = 'one'"
    )
    with ThreadPoolExecutor(1) as pool:
        finishing = pool.submit(ledger.finish, claimed.lease, result_of(claimed))
        time.sleep(0.3)
        connection.commit()
        with pytest.raises(Refused, match="no longer the job's"):
            finishing.result(timeout=20)

    assert ledger.job("one").state is JobState.CANCELLED
    assert len(ledger.events_of("one")) == 2


# ---------------------------------------------------------------- connections that break


def end_sessions(connection: psycopg.Connection[Any]) -> None:
    """As a restart of the server does to everybody who is connected."""
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    connection.commit()
    time.sleep(0.1)


def test_a_transaction_whose_session_is_killed_in_the_middle_changes_nothing(
    url: str, connection: psycopg.Connection[Any]
) -> None:
    """The event's id is asked for after the job has been moved: there the session ends, each time."""
    is_armed = [False]

    def new_id() -> str:
        if is_armed[0]:
            end_sessions(connection)
        return f"event-{time.monotonic_ns()}"

    ledger = Ledger(url, new_id=new_id)
    transcribed(ledger, "done", episode_id="done")
    ledger.add(request("one"), job_id="one")
    claimed = ledger.claim("ada", lease_seconds=30)
    assert claimed is not None
    before = (ledger.job("one"), ledger.events_of("one"), ledger.job("done"), ledger.events_of("done"))
    is_armed[0] = True
    for move in (
        lambda: ledger.finish(claimed.lease, result_of(claimed)),
        lambda: ledger.fail(claimed.lease, NO_NET),
        lambda: ledger.cancel("one"),
        lambda: ledger.add(request("two"), job_id="two"),
        lambda: ledger.revise("done", by_hand("k"), seen=1),
    ):
        with pytest.raises(TransientError) as error:
            move()
        assert error.value.code == "database_unavailable"
    is_armed[0] = False

    assert (ledger.job("one"), ledger.events_of("one"), ledger.job("done"), ledger.events_of("done")) == before
    assert len(ledger.jobs()) == 2
    assert ledger.revise("done", by_hand("k"), seen=1).revision == 2
    assert ledger.finish(claimed.lease, result_of(claimed)).state is JobState.DONE
    ledger.close()


def test_a_session_that_ends_in_its_commit_is_told_and_not_tried_again(
    ledger: Ledger, connection: psycopg.Connection[Any]
) -> None:
    """Whether the commit was made is not known then: a second try could make the move twice."""
    connection.execute(
        "CREATE FUNCTION end_session() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()), pg_sleep(1); RETURN NULL; END $$"
    )
    connection.execute(
        "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON outbox DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION end_session()"
    )
    connection.commit()
    asked = []

    with pytest.raises(TransientError) as error:
        ledger.add_all([request("one")], new_id=lambda: f"job-{asked.append(1)}")
    connection.execute("DROP TRIGGER at_commit ON outbox")
    connection.execute("DROP FUNCTION end_session")
    connection.commit()

    assert error.value.code == "database_unavailable"
    assert len(asked) == 1
    assert ledger.add(request("one"), job_id="one")[1]


def test_connections_that_died_while_nothing_was_asked_are_not_noticed(
    ledger: Ledger, connection: psycopg.Connection[Any]
) -> None:
    at_once(*[lambda: ledger.jobs()] * 4)
    end_sessions(connection)

    assert ledger.jobs() == []
    end_sessions(connection)
    ledger.add(request("one"), job_id="one")
    end_sessions(connection)
    assert ledger.claim("ada", lease_seconds=30) is not None


def test_a_server_that_is_not_there_is_transient(ledger: Ledger) -> None:
    gone = Ledger("postgresql://stenocast:secret@127.0.0.1:1/stenocast")

    with pytest.raises(TransientError) as error:
        gone.jobs()

    assert error.value.code == "database_unavailable"
    assert "stenocast@127.0.0.1:1/stenocast" in error.value.message
    assert "secret" not in error.value.message


@pytest.mark.parametrize("wrong", ["user", "database"])
def test_an_unknown_user_or_database_is_ours_to_put_right_and_named(url: str, wrong: str) -> None:
    parts = urlsplit(url)
    host = f"{parts.hostname}:{parts.port}"
    address = f"postgres://{'nobody-here' if wrong == 'user' else parts.username}:secret@{host}"
    address += "/no_such_database" if wrong == "database" else parts.path

    with pytest.raises(NotReady) as error:
        Ledger.open(address)

    assert error.value.code == "ledger_unavailable"
    assert ("nobody-here" if wrong == "user" else "no_such_database") in error.value.message
    assert host in error.value.message
    assert "secret" not in error.value.message


def test_a_database_that_only_reads_is_not_ready(ledger: Ledger, url: str) -> None:
    reader = Ledger(f"{url}?options=-cdefault_transaction_read_only%3Don")

    with pytest.raises(NotReady) as error:
        reader.add(request("one"), job_id="one")

    assert error.value.code == "ledger_unavailable"
    reader.close()


def test_a_ledger_that_was_never_migrated_is_not_ready(postgres: PostgresServer) -> None:
    url = postgres.new_database()
    try:
        with pytest.raises(NotReady) as error:
            Ledger(url).jobs()
    finally:
        postgres.drop_database(url)

    assert error.value.code == "ledger_unavailable"


def test_commits_are_durable_and_no_statement_or_silence_lasts_for_ever(ledger: Ledger) -> None:
    with ledger._database.reading() as connection:
        settings = [
            connection.exec_driver_sql(f"SHOW {name}").scalar()
            for name in (
                "synchronous_commit",
                "lock_timeout",
                "statement_timeout",
                "idle_in_transaction_session_timeout",
            )
        ]

    assert settings == ["on", "20s", "30s", "10s"]
