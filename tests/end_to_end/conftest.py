"""A real service in a process of its own, and the demo episode to send to it."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from adapters.settings import Settings
from tests.end_to_end.installation import SETTINGS, Place, quiet_logs

ROOT = Path(__file__).resolve().parent.parent.parent
DEMO = ROOT / "examples" / "demo"


@dataclass
class Service:
    """A running `stenocast serve` or `stenocast api` and where it answers."""

    process: subprocess.Popen[bytes]
    url: str
    environment: dict[str, str]
    data: Path

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=30)

    def wait_for(self, job_id: str, seconds: float = 240) -> dict[str, object]:
        """The job once it is final. Fails when it takes longer than `seconds`."""
        deadline = time.monotonic() + seconds
        with self.client() as client:
            while time.monotonic() < deadline:
                job: dict[str, object] = client.get(f"/v1/jobs/{job_id}").json()
                if job["state"] in ("done", "failed", "cancelled"):
                    return job
                time.sleep(0.2)
        raise AssertionError(f"job {job_id} is {job['state']} after {seconds} s")

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a `stenocast` command on this service's data."""
        return subprocess.run(
            [sys.executable, "-m", "cli.main", *words],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Start services on free ports; all of them are stopped at the end."""
    with services_in(tmp_path) as start:
        yield start


@contextmanager
def services_in(folder: Path) -> Iterator[Callable[..., Service]]:
    started: list[subprocess.Popen[bytes]] = []

    def start(*, command: str = "serve", data: Path | None = None, port: int = 0, **settings: object) -> Service:
        data = data or folder / "data"
        environment = dict(os.environ) | {"STENOCAST_DATA_DIR": str(data), "HF_HUB_OFFLINE": "1"}
        environment |= {f"STENOCAST_{name.upper()}": str(value) for name, value in settings.items()}
        log = (folder / f"serve-{len(started)}.log").open("wb+")
        port = port or free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", command, "--port", str(port)],
            env=environment,
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        started.append(process)
        _wait_for_answer(process, port, Path(log.name))
        return Service(process, f"http://127.0.0.1:{port}", environment, data)

    try:
        yield start
    finally:
        for process in started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


#: Below those of the servers (infra/dev/servers.py) and of clients, one of which, in the tests that run beside this
#: one, could take a port between the look and the start.
PORTS = range(10_000, 15_000)


def free_port() -> int:
    """A port that nobody listens on."""
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError(f"no free port between {PORTS.start} and {PORTS.stop}")


#: For a service to answer on a busy machine; only one that does not start takes so long.
START_SECONDS = 240


def _wait_for_answer(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(httpx.HTTPError):
            if httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=2).status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"the service did not start:\n{log.read_text(errors='replace')}")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("service")
    place = Place(Settings(data_dir=folder, **SETTINGS), folder / "workers.log")
    yield place
    place.engine.end()


@pytest.fixture
def place(installation: Place) -> Iterator[Place]:
    with quiet_logs():
        yield installation
        installation.end_all()
        installation.let_heir_finish()
