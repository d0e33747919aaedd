"""The disk of the ledger is full for a while: what cannot be kept is refused, all else goes on, nothing is lost.

Real processes, and a disk of the ledger's own: a small tmpfs that a file fills. Skipped where none may be mounted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from adapters.settings import Settings
from schemas.job import JobState
from tests.chaos.episodes import make_sound
from tests.chaos.fleet import give_back_disk, is_small_disk, small_disk
from tests.end_to_end.installation import CALM, SETTINGS, Place, quiet_logs, until
from tests.servers import SERVERS

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]

MOST_UPLOADS = 80  #: that may still find room in pages that the ledger has


@dataclass
class SmallDisk:
    """A folder that is a disk, and the ledger's address on it."""

    folder: Path
    url: str

    def fill(self) -> None:
        with (self.folder / "ballast").open("wb", buffering=0) as file:
            for size in (65_536, 4_096):
                try:
                    while file.write(b"\0" * size) == size:
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        (self.folder / "ballast").unlink()


@pytest.fixture
def disk_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="stenocast-small-") as outside:
        os.chmod(outside, 0o711)  # PostgreSQL's user has to get in
        folder = small_disk(Path(outside) / "disk")
        if not is_small_disk(folder):
            pytest.skip("no disk of its own may be mounted here")
        try:
            yield folder
        finally:
            give_back_disk(folder)


@contextmanager
def postgres_on(folder: Path, instance: Path) -> Iterator[str]:
    """A database on the small disk, in a server of its own.

    While the disk is full no checkpoint of that server succeeds, and PostgreSQL cannot drop a database without one:
    in the server that all tests share, others would fail.
    """

    def servers(*words: str) -> str:
        command = [sys.executable, str(SERVERS), "--folder", str(instance), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=200).stdout

    try:
        servers("up", "--only", "postgres")
        url = json.loads(servers("env", "--json"))["STENOCAST_TEST_POSTGRES"]
        with psycopg.connect(url, autocommit=True) as connection:
            [data] = connection.execute("SHOW data_directory").fetchone() or ("",)
            os.chown(folder, Path(data).stat().st_uid, Path(data).stat().st_gid)
            connection.execute(f"CREATE TABLESPACE small LOCATION '{folder}'")
            connection.execute("CREATE DATABASE small TABLESPACE small")
        yield urlsplit(url)._replace(scheme="postgresql+psycopg", path="/small").geturl()
    finally:
        servers("down")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def disk(
    request: pytest.FixtureRequest, disk_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SmallDisk]:
    if request.param == "sqlite":
        yield SmallDisk(disk_folder, f"sqlite:///{disk_folder}/ledger.sqlite3")
        return
    request.getfixturevalue("postgres")  # without servers for the tests there are none to start here either
    with postgres_on(disk_folder, tmp_path_factory.mktemp("servers") / "own") as url:
        yield SmallDisk(disk_folder, url)


def upload(client: httpx.Client, number: int) -> httpx.Response:
    return client.post(
        "/v1/episodes",
        files={"audio": (f"{number}.wav", make_sound(number))},
        data={"models": "scripted"},
        headers={"Idempotency-Key": f"upload-{number}"},
    )


def test_a_full_disk_of_the_ledger_refuses_what_it_cannot_keep_and_loses_nothing(
    tmp_path: Path, disk: SmallDisk, serve: Callable[..., Any]
) -> None:
    told: dict[str, Any] = SETTINGS | CALM | {"database_url": disk.url}
    with quiet_logs():
        place = Place(Settings(data_dir=tmp_path / "data", **told), tmp_path / "workers.log")
        place.engine.end()
        service = serve(command="api", data=tmp_path / "data", **told)
        accepted: list[str] = []
        try:
            with service.client() as client:
                accepted.append(upload(client, 0).json()["id"])
                disk.fill()
                for refused in range(1, MOST_UPLOADS):
                    answer = upload(client, refused)
                    if answer.status_code != 202:
                        break
                    accepted.append(answer.json()["id"])

                assert (answer.status_code, answer.json()["code"]) == (503, "ledger_full"), answer.text
                assert int(answer.headers["Retry-After"]) > 0
                ready = client.get("/readyz")
                assert (ready.status_code, "no room left" in ready.json()["detail"]) == (503, True)
                assert client.get("/readyz?for=reading").status_code == 200
                assert client.get(f"/v1/jobs/{accepted[0]}").json()["id"] == accepted[0]
                assert len(client.get("/v1/jobs?limit=200").json()["jobs"]) == len(accepted)

                worker = place.start(**told)  # it finds no room either, and waits for some
                time.sleep(3.0)
                assert worker.poll() is None
                disk.free()
                answer = until(lambda: ok(upload(client, refused)), "what was refused is taken when there is room")
                accepted.append(answer.json()["id"])
            until(place.is_quiet, "every job is final", seconds=300)
            jobs = place.ledger.jobs(limit=500)
        finally:
            place.end_all()
            place.ledger.close()

    assert sorted(job.id for job in jobs) == sorted(accepted)
    assert {(job.state, job.attempts) for job in jobs} == {(JobState.DONE, 0)}


def ok(answer: httpx.Response) -> httpx.Response | None:
    return answer if answer.status_code in (200, 202) else None
