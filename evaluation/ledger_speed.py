"""How fast the ledger hands out and finishes jobs: `python -m evaluation.ledger_speed`.

Claim and finish per second with several worker processes on one durable SQLite file, and how long a claim takes with
an empty queue and with a long one. Every commit is synced to the disk, so the disk's sync time is printed beside.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from adapters.database import Ledger
from schemas.episode import Episode
from schemas.job import JobOptions
from transcription.ports import Claimed, NewJob, Result

SHOWS = 40  #: a queue of many shows; taking turns among them is part of the work


def add_jobs(ledger: Ledger, count: int, *, first: int = 0) -> None:
    for number in range(first, first + count):
        ledger.add(
            NewJob(
                episode=Episode(id=f"episode-{number}", show=f"show {number % SHOWS}"),
                options=JobOptions(),
                audio_key=f"uploads/{number}/audio",
                dedupe_key=f"request-{number}",
            ),
            job_id=f"job-{number}",
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


def work_until_empty(path: Path, worker: str) -> None:
    ledger = Ledger(f"sqlite:///{path}")
    while claimed := ledger.claim(worker, lease_seconds=30.0):
        ledger.finish(claimed.lease, result_of(claimed))


def pairs_per_second(folder: Path, *, workers: int, jobs: int) -> float:
    """Claim and finish of `jobs` jobs by `workers` processes, per second of the clock."""
    path = folder / "throughput.sqlite3"
    ledger = Ledger.open(f"sqlite:///{path}")
    add_jobs(ledger, jobs)
    ledger.close()
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=work_until_empty, args=(path, f"worker-{n}")) for n in range(workers)]
    began = time.perf_counter()
    for each in processes:
        each.start()
    for each in processes:
        each.join()
    return jobs / (time.perf_counter() - began)


def claim_milliseconds(folder: Path, *, queued: int, claims: int) -> list[float]:
    """How long each of `claims` claims takes while about `queued` other jobs wait."""
    ledger = Ledger.open(f"sqlite:///{folder / f'claims-{queued}.sqlite3'}")
    add_jobs(ledger, queued)
    times = []
    for number in range(claims):
        add_jobs(ledger, 1, first=queued + number)
        began = time.perf_counter()
        claimed = ledger.claim("worker", lease_seconds=30.0)
        times.append((time.perf_counter() - began) * 1000)
        if claimed is not None:
            ledger.finish(claimed.lease, result_of(claimed))
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


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m evaluation.ledger_speed", description=__doc__)
    parser.add_argument("--jobs", type=int, default=1000, help="jobs of the throughput run")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--queued", type=int, default=20_000, help="length of the long queue")
    parser.add_argument("--claims", type=int, default=500, help="claims that are timed at each length")
    parser.add_argument("--folder", type=Path, help="where the ledgers are made; its disk is what is measured")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        rate = pairs_per_second(folder, workers=given.workers, jobs=given.jobs)
        empty = claim_milliseconds(folder, queued=0, claims=given.claims)
        full = claim_milliseconds(folder, queued=given.queued, claims=given.claims)
        print("| what | measured |\n|---|---|")
        print(f"| claim and finish, {given.workers} workers | {rate:.0f} a second |")
        for label, times in (("empty queue", empty), (f"{given.queued} queued", full)):
            print(f"| claim, {label} | p50 {percentile(times, 0.5):.2f} ms, p99 {percentile(times, 0.99):.2f} ms |")
        print(f"| p99 against the empty queue | {percentile(full, 0.99) / percentile(empty, 0.99):.2f} × |")
        print(f"| one synced write of this disk | {sync_milliseconds(folder):.2f} ms |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
