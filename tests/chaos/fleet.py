"""One installation as it runs in production, in small: real servers of its own, and every process of the service.

Every process may be killed, frozen or stopped at any moment; `heal` brings back what is missing, as an orchestrator
would. Clocks are scaled: leases of two seconds, scripted engines that take a second for an episode.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.servers import S3Server, kafka_of, s3_of

ROOT = Path(__file__).resolve().parent.parent.parent
SERVERS = ROOT / "infra" / "dev" / "servers.py"

LEASE_SECONDS = 2.0
PATIENCE_SECONDS = 90.0  #: for anything to come about on a busy machine; only failures wait so long
LOOK_SECONDS = 0.1

#: What every process is told beside the addresses.
SCALED: dict[str, Any] = {
    "lease_seconds": LEASE_SECONDS,
    "heartbeat_seconds": 0.4,
    "back_off_seconds": 0.05,
    "reconcile_seconds": 2.0,
    "garbage_seconds": 0.0,
    "s3_timeout_seconds": 2.0,
    "kafka_session_seconds": 3.0,
    "models": "scripted",
    "allow_scripted": True,
    "scripted_seconds": 0.12,
    "scripted_window": 4.0,
    "grace_seconds": 2.0,
    "log_format": "json",
}

#: Process name to its command. Two of what may run several times, so that one can take over from the other.
COMMANDS: dict[str, tuple[str, ...]] = {
    "api": ("api",),
    "intake-1": ("intake",),
    "intake-2": ("intake",),
    "worker-1": ("worker",),
    "worker-2": ("worker",),
    "publish-1": ("publish",),
    "publish-2": ("publish",),
    "reconcile": ("reconcile",),
}


def until(holds: Callable[[], Any], what: str, *, seconds: float = PATIENCE_SECONDS) -> Any:
    """Wait for something to be true and return it. Raises AssertionError that says what never came about."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = holds()
        if found:
            return found
        time.sleep(LOOK_SECONDS)
    raise AssertionError(f"after {seconds:.0f} s it never came about that {what}")


class Servers:
    """Kafka, S3 and PostgreSQL of this campaign alone, each of which may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._do("up")
        told: dict[str, str] = json.loads(self._do("env", "--json"))
        kafka, s3 = kafka_of(told), s3_of(told)
        assert kafka is not None
        assert s3 is not None
        self.kafka = kafka
        self.s3: S3Server = s3
        self.postgres_url = told["STENOCAST_TEST_POSTGRES"]

    def kill(self, name: str) -> None:
        """`kill -9`; PostgreSQL by its immediate shutdown, which is a crash to its data."""
        self._do("kill", name)

    def start(self, name: str) -> None:
        """Start it again on the same port and data; returns when it answers. One that runs already is fine."""
        self._do("start", name)

    def down(self) -> None:
        self._do("down")

    def _do(self, *words: str) -> str:
        command = [sys.executable, str(SERVERS), "--folder", str(self.folder), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(words)}: {done.stderr}")
        return done.stdout


@dataclass
class Member:
    """One process of the service, and how to start it again."""

    name: str
    environ: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    frozen: bool = False
    deaths: list[float] = field(default_factory=list)  #: monotonic times
    log_start: int = 0  #: where the present process's lines begin, bytes

    def start(self, **settings: Any) -> None:
        assert not self.is_alive()
        extra = {f"STENOCAST_{name.upper()}": str(value) for name, value in settings.items()}
        with self.log.open("ab") as log:
            self.log_start = log.tell()
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cli.main", *COMMANDS[self.name]],
                env=self.environ | extra,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.frozen = False

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def has_said(self, event: str) -> bool:
        """Whether the present process has logged this."""
        with self.log.open("rb") as log:
            log.seek(self.log_start)
            return f'"event": "{event}"'.encode() in log.read()

    def kill(self) -> None:
        self._send(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()
            self.deaths.append(time.monotonic())

    def kill_engine(self) -> bool:
        """Kill the engine child alone; whether there was one."""
        assert self.process is not None
        with suppress(psutil.Error):
            for child in psutil.Process(self.process.pid).children():
                child.kill()
                return True
        return False

    def freeze(self) -> None:
        self._send(signal.SIGSTOP)
        self.frozen = True

    def thaw(self) -> None:
        self._send(signal.SIGCONT)
        self.frozen = False

    def terminate(self, seconds: float = 20.0) -> int:
        """Ask it to end; its exit status. Raises AssertionError where it does not end in time."""
        self._send(signal.SIGTERM)
        assert self.process is not None
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"{self.name} did not end within {seconds:.0f} s of SIGTERM") from error

    def _send(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, number)


class Fleet:
    """All processes on one set of servers."""

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str],
        names: tuple[str, ...] = tuple(COMMANDS),
        settings: Mapping[str, Any] = SCALED,
    ) -> None:
        self.folder = folder
        self.crash_file = folder / "crash"
        self.clock_file = folder / "clock"
        self.clock_file.write_text("+0\n")
        self.data = folder / "data"
        self.scratch = small_disk(folder / "small-disk")
        self.ballast = self.scratch / "ballast"
        own = dict(os.environ) | dict(environ)
        own |= {f"STENOCAST_{name.upper()}": str(value) for name, value in settings.items()}
        own |= {
            "STENOCAST_DATA_DIR": str(self.data),
            "STENOCAST_SCRATCH_DIR": str(self.scratch),
            "STENOCAST_CRASH_FILE": str(self.crash_file),
            "HF_HUB_OFFLINE": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }
        own |= stepped_clock(folder)
        self.environ = own
        self.members = {name: Member(name, own, folder / f"{name}.log") for name in names}

    def start(self) -> None:
        for member in self.members.values():
            member.start()

    def __getitem__(self, name: str) -> Member:
        return self.members[name]

    def heal(self) -> list[str]:
        """Thaw what is frozen and start what is dead; the names of those that were dead."""
        dead = []
        for member in self.members.values():
            if member.frozen:
                member.thaw()
            if not member.is_alive():
                dead.append(member.name)
                member.start()
        return dead

    def dead(self) -> list[str]:
        return [member.name for member in self.members.values() if not member.is_alive()]

    def arm(self, place: str) -> None:
        """Let the first process that comes by this place die there."""
        draft = self.crash_file.with_suffix(".draft")
        draft.write_text(place)
        draft.replace(self.crash_file)

    def disarm(self) -> bool:
        """Take the order back; whether somebody had died of it."""
        for taken in self.folder.glob(f"{self.crash_file.name}.taken-*"):
            taken.unlink(missing_ok=True)
        try:
            self.crash_file.unlink()
        except FileNotFoundError:
            return True
        return False

    def log_lines(self, name: str) -> Iterator[dict[str, Any]]:
        for line in self.members[name].log.read_text(errors="replace").splitlines():
            if line.startswith("{"):
                with suppress(ValueError):
                    yield json.loads(line)

    def end(self) -> None:
        for member in self.members.values():
            if member.frozen:
                member.thaw()
            if member.is_alive():
                member.kill()
        give_back_disk(self.scratch)


SMALL_DISK = "16m"  #: room for the decoded sound of some ten episodes


def small_disk(folder: Path) -> Path:
    """A disk of its own where this user may mount one, so that it can be filled; else a plain folder."""
    folder.mkdir()
    if os.geteuid() == 0 and sys.platform == "linux":
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(folder)],
            check=False,
            capture_output=True,
        )
    return folder


def is_small_disk(folder: Path) -> bool:
    return os.path.ismount(folder)


def give_back_disk(folder: Path) -> None:
    if is_small_disk(folder):
        subprocess.run(["umount", "--lazy", str(folder)], check=False, capture_output=True)


def stepped_clock(folder: Path) -> dict[str, str]:
    """The environment of processes whose wall clock is off as the file `clock` says; empty without a compiler."""
    library = folder / "stepped_clock.so"
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        return {}
    source = Path(__file__).with_name("stepped_clock.c")
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
    return {"LD_PRELOAD": str(library), "STENOCAST_CLOCK_FILE": str(folder / "clock")}
