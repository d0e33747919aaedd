"""How fast the ledger hands out and finishes jobs: `python -m evaluation.ledger_speed [--postgres URL]`.

Claim and finish per second with several worker processes, and how long a claim takes with an empty queue and with a
long one, on a durable SQLite file and, where a server is given, in a database of its own on PostgreSQL. Every commit
is synced to the disk, so the disk's sync time is printed beside; and so is the processor time of a pair, because a
rate on a machine that is shared says little. The claims of the short and the long queue take turns, so that what
else runs meanwhile slows both.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from adapters.database import Ledger
from schemas.episode import Episode
from schemas.job import JobOptions
from transcription.ports import Claimed, NewJob, Result

SHOWS = 40  #: a queue of many shows; taking turns among them is part of the work
BATCH = 500


def add_jobs(ledger: Ledger, count: int, *, first: int = 0) -> None:
    for start in range(first, first + count, BATCH):
        numbers = range(start, min(start + BATCH, first + count))
        ids = iter(numbers)
        ledger.add_all([new_job(number) for number in numbers], new_id=lambda ids=ids: f"job-{next(ids)}")  # type: ignore[misc]


def new_job(number: int) -> NewJob:
    return NewJob(
        episode=Episode(id=f"episode-{number}", show=f"show {number % SHOWS}"),
        options=JobOptions(),
        audio_key=f"uploads/{number}/audio",
        dedupe_key=f"request-{number}",
    )


def result_of(claimed: Claimed) -> Result:
    return Result(
        document_key=f"results/{claimed.job.id}/{claimed.lease.token}/transcript.json",
        document_sha256="0" * 64,
        document_bytes=1000,
        audio_seconds=60.0,
        audio_sha256="0" * 64,
        language="en",
        speaker_count=2,
        named_speaker_count=2,
        word_count=150,
        coverage=1.0,
        no_speech=False,
    )


def work_until_empty(url: str, worker: str) -> None:
    ledger = Ledger(url)
    while claimed := ledger.claim(worker, lease_seconds=30.0):
        ledger.finish(claimed.lease, result_of(claimed))
    ledger.close()


def pairs_per_second(url: str, *, workers: int, jobs: int) -> tuple[float, float, float | None]:
    """Claim and finish of `jobs` jobs by `workers` processes: pairs per second of the clock, and milliseconds of
    processor time a pair, of the workers and (where it runs here) of the database server."""
    ledger = Ledger.open(url)
    add_jobs(ledger, jobs)
    server = _server_process(ledger)
    context = multiprocessing.get_context("fork")
    ledger.close()
    processes = [context.Process(target=work_until_empty, args=(url, f"worker-{n}")) for n in range(workers)]
    spent, spent_there = _children_seconds(), _family_seconds(server)
    began = time.perf_counter()
    for each in processes:
        each.start()
    for each in processes:
        each.join()
    rate = jobs / (time.perf_counter() - began)
    time.sleep(0.5)  # the server's processes end after the workers
    there = None if server is None else (_family_seconds(server) - spent_there) * 1000 / jobs
    return rate, (_children_seconds() - spent) * 1000 / jobs, there


def claim_milliseconds(short: str, long: str, *, queued: int, claims: int) -> tuple[list[float], list[float]]:
    """How long each of `claims` claims takes in a ledger where nothing else waits, and where `queued` others do."""
    ledgers = (Ledger.open(short), Ledger.open(long))
    add_jobs(ledgers[1], queued)
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(queued, queued + claims):
        for ledger, taken in zip(ledgers, times, strict=True):
            add_jobs(ledger, 1, first=number)
            began = time.perf_counter()
            claimed = ledger.claim("worker", lease_seconds=30.0)
            taken.append((time.perf_counter() - began) * 1000)
            if claimed is not None:
                ledger.finish(claimed.lease, result_of(claimed))
    for ledger in ledgers:
        ledger.close()
    return times


def sync_milliseconds(folder: Path) -> float:
    """The median time of one small durable write, which no commit can undercut."""
    times = []
    with (folder / "sync").open("wb") as file:
        for _ in range(200):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _server_process(ledger: Ledger) -> int | None:
    """The PostgreSQL server's first process, where it runs on this machine."""
    with ledger._database.engine.connect() as connection:
        if connection.dialect.name != "postgresql":
            return None
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    try:
        line = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return int(line.rpartition(")")[2].split()[1]) if "postgres" in line else None


def _family_seconds(process: int | None) -> float:
    """Processor time of a process, of its children that live, and of those that have ended."""
    if process is None:
        return 0.0
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(stat.parent.name) == process:
            ticks += sum(int(each) for each in fields[11:15])
        elif int(fields[1]) == process:
            ticks += sum(int(each) for each in fields[11:13])
    return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def _new_databases(server: str, names: Sequence[str]) -> Iterator[dict[str, str]]:
    """Databases of our own on a server, dropped afterwards."""
    address = sa.make_url(server).set(drivername="postgresql+psycopg")
    run = uuid.uuid4().hex[:8]
    made = {name: f"stenocast_speed_{run}_{name}" for name in names}
    engine = sa.create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for database in made.values():
            connection.exec_driver_sql(f"CREATE DATABASE {database}")
        try:
            yield {
                name: address.set(database=database).render_as_string(hide_password=False)
                for name, database in made.items()
            }
        finally:
            for database in made.values():
                connection.exec_driver_sql(f"DROP DATABASE {database} WITH (FORCE)")
    engine.dispose()


def _measure(urls: dict[str, str], given: argparse.Namespace) -> list[str]:
    """The cells of one engine's column."""
    rates = [
        pairs_per_second(urls[f"pairs{workers}"], workers=workers, jobs=given.jobs) for workers in (1, given.workers)
    ]
    short, long = claim_milliseconds(urls["short"], urls["long"], queued=given.queued, claims=given.claims)
    cells = []
    for rate, here, there in rates:
        server = "" if there is None else f", server {there:.2f} ms"
        cells.append(f"{rate:.0f} a second (processor time a pair: workers {here:.2f} ms{server})")
    for times in (short, long):
        cells.append(f"p50 {percentile(times, 0.5):.2f} ms, p99 {percentile(times, 0.99):.2f} ms")
    cells.append(
        f"p50 {percentile(long, 0.5) / percentile(short, 0.5):.2f} ×,"
        f" p99 {percentile(long, 0.99) / percentile(short, 0.99):.2f} ×"
    )
    return cells


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m evaluation.ledger_speed", description=__doc__)
    parser.add_argument("--jobs", type=int, default=1000, help="jobs of a throughput run")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--queued", type=int, default=20_000, help="length of the long queue")
    parser.add_argument("--claims", type=int, default=3000, help="claims that are timed at each length")
    parser.add_argument("--folder", type=Path, help="where the SQLite ledgers are made; its disk is what is measured")
    parser.add_argument("--postgres", help="a PostgreSQL server where databases may be made: postgresql://…")
    given = parser.parse_args(arguments)
    names = ["pairs1", f"pairs{given.workers}", "short", "long"]
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        sync = sync_milliseconds(folder)
        columns = {
            f"SQLite {sqlite3.sqlite_version}": _measure(
                {each: f"sqlite:///{folder}/{each}.sqlite3" for each in names}, given
            )
        }
    if given.postgres:
        with _new_databases(given.postgres, names) as urls:
            columns[f"PostgreSQL {_version(given.postgres)}"] = _measure(urls, given)
    rows = [
        "claim and finish, 1 worker",
        f"claim and finish, {given.workers} workers",
        "claim, nothing else queued",
        f"claim, {given.queued:,} others queued",
        "the long queue against the short",
    ]
    print(
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} processors, Python {platform.python_version()},"
        f" SQLAlchemy {sa.__version__}; load {os.getloadavg()[0]:.1f}; one synced write of this disk {sync:.2f} ms"
    )
    print(f"\n| what | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for row, *cells in zip(rows, *columns.values(), strict=True):
        print(f"| {row} | {' | '.join(cells)} |")
    return 0


def _version(server: str) -> str:
    address = sa.make_url(server).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(address)
    with engine.connect() as connection:
        version = str(connection.exec_driver_sql("SHOW server_version").scalar()).split()[0]
    engine.dispose()
    return version


if __name__ == "__main__":
    sys.exit(main())
