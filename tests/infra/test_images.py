"""The images, run for real: as uid 1000, on a root that is mounted read-only, with /data alone to write to.

`make image-core` builds the one, `make images` both. Runs as root, with buildah; no Docker engine is needed.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.infra_files import ROOT

pytestmark = pytest.mark.tools

ENVIRONMENT = {"STORAGE_DRIVER": "vfs", "BUILDAH_ISOLATION": "chroot"}


def buildah(*arguments: str) -> str:
    answer = subprocess.run(
        ["buildah", *arguments], capture_output=True, text=True, env=ENVIRONMENT | os.environ, timeout=300
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


def may_mount() -> bool:
    """Some sandboxes forbid it even to root."""
    mount = ["unshare", "--mount", "--pid", "--fork", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return not subprocess.run(mount, capture_output=True).returncode


def need_image(name: str, *, required: bool) -> None:
    can_run = os.geteuid() == 0 and shutil.which("buildah") and shutil.which("unshare") and may_mount()
    there = can_run and not subprocess.run(
        ["buildah", "inspect", "--type", "image", f"localhost/stenocast:{name}"],
        capture_output=True,
        env=ENVIRONMENT | os.environ,
    ).returncode  # fmt: skip
    if there:
        return
    said = f"the image {name} cannot be run: `make image-core` or `make images`, as root who may mount, with buildah"
    if required:
        pytest.fail(said)
    pytest.skip(said)


class Image:
    """An image whose root is mounted read-only, and a data folder that belongs to uid 1000."""

    def __init__(self, name: str, root: Path, data: Path) -> None:
        self.root, self.data = root, data
        config = json.loads(buildah("inspect", "--type", "image", f"localhost/stenocast:{name}"))["Docker"]["config"]
        self.environment = dict(each.split("=", 1) for each in config["Env"])
        self.user = config["User"]
        self.health = config["Healthcheck"]["Test"]

    def start(self, *command: str, **environment: str) -> subprocess.Popen[str]:
        """Run a command as the image's user. It must be killed or waited for."""
        mounts = (
            f"mount --bind {self.root} {self.root} && mount -o remount,bind,ro {self.root}"
            f" && mount --bind {self.data} {self.root}/data && mount -t proc proc {self.root}/proc"
            f" && mount --bind /dev {self.root}/dev"
            f' && exec "$0" --userspec={self.user} {self.root} "$@"'
        )
        chroot = shutil.which("chroot") or "/usr/sbin/chroot"
        return subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", mounts, chroot, *command],
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command: str, seconds: float = 120.0, **environment: str) -> tuple[int, str]:
        process = self.start(*command, **environment)
        try:
            said, _ = process.communicate(timeout=seconds)
        finally:
            process.kill()
            process.wait()
        return process.returncode, said


@contextmanager
def mounted(name: str) -> Iterator[Image]:
    container = buildah("from", "--pull-never", f"localhost/stenocast:{name}")
    data = Path(f"/tmp/{container}-data")
    data.mkdir(mode=0o755)
    os.chown(data, 1000, 1000)
    try:
        yield Image(name, Path(buildah("mount", container)), data)
    finally:
        shutil.rmtree(data, ignore_errors=True)
        buildah("rm", container)


@pytest.fixture(scope="module")
def core() -> Iterator[Image]:
    need_image("core", required=bool(os.environ.get("STENOCAST_REQUIRE_IMAGES")))
    with mounted("core") as image:
        yield image


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def answer_of(url: str, *, seconds: float = 60.0) -> str:
    """Ask until there is an answer."""
    until = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            return f"{error.code}: {error.read().decode()}"
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def ask_to_end(process: subprocess.Popen[str]) -> None:
    """SIGTERM to the image's first process: unshare itself keeps no signal but passes none on."""
    (first,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(first), signal.SIGTERM)


def test_the_root_cannot_be_written_and_the_data_folder_can(core: Image) -> None:
    _, said = core.run(
        "/bin/sh", "-c", "id -u; touch /data/a && echo data; touch /opt/a || touch /tmp/a || echo no more"
    )

    assert said.split()[:2] == ["1000", "data"]
    assert said.splitlines()[-1] == "no more"


def test_the_api_answers_from_inside_the_image_and_writes_nothing_outside_its_data(core: Image, port: int) -> None:
    process = core.start(
        *("/usr/bin/tini", "--", "stenocast", "api"), STENOCAST_HOST="127.0.0.1", STENOCAST_PORT=str(port)
    )
    try:
        ready = answer_of(f"http://127.0.0.1:{port}/readyz")
        numbers = answer_of(f"http://127.0.0.1:{port}/metrics")
        page = answer_of(f"http://127.0.0.1:{port}/")
        styles = answer_of(f"http://127.0.0.1:{port}/v1/styles")
        health = core.run(*core.health[1:], STENOCAST_PORT=str(port), STENOCAST_METRICS_PORT="0")
        ask_to_end(process)
        status = process.wait(20)
    finally:
        process.kill()
        process.wait()

    assert status == 0, "it ends when it is asked to"
    assert ready == "ready\n"
    assert "stenocast_ledger_up 1.0" in numbers
    assert "<title>" in page
    assert "full-then-first" in styles
    assert health[0] == 0
    assert {each.name for each in core.data.iterdir()} >= {"ledger.sqlite3", "store"}


def test_the_health_check_fails_where_nothing_answers(core: Image) -> None:
    assert core.run(*core.health[1:], STENOCAST_PORT="1", STENOCAST_METRICS_PORT="0")[0] == 1


def test_the_doctor_finds_the_core_image_whole_without_engines(core: Image) -> None:
    status, said = core.run("stenocast", "doctor", "--json", "--role", "core")

    findings = {each["subject"]: each for each in json.loads(said)}
    assert status == 0, said
    assert findings["packages"]["level"] == "ok"
    assert "engines" not in findings


def test_the_core_image_has_no_torch(core: Image) -> None:
    status, said = core.run("python3", "-c", "import torch")

    assert status == 1
    assert "No module named 'torch'" in said


def test_the_ledger_can_be_made_as_a_step_of_its_own(core: Image) -> None:
    status, said = core.run("stenocast", "migrate")

    assert status == 0, said
    assert said.startswith("the ledger's schema is 0")


# ---------------------------------------------------------------- the worker


@pytest.mark.engines
@pytest.mark.timeout(1200)
def test_the_worker_image_transcribes_the_demo_episode() -> None:
    need_image("worker-cpu", required=False)
    with mounted("worker-cpu") as image:
        shutil.copy(ROOT / "examples" / "demo" / "episode.mp3", image.data)
        shutil.copy(ROOT / "examples" / "demo" / "episode.json", image.data)
        os.chown(image.data / "episode.mp3", 1000, 1000)

        status, said = image.run(
            *("stenocast", "transcribe", "/data/episode.mp3", "--style", "full-then-first", "-o", "-"), seconds=1100
        )

    assert status == 0, said
    assert "Daniel Carter:" in said
    assert "Helen Marsh:" in said
