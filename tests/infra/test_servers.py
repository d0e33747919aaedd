"""The start script of the real servers: what it starts it ends, and nothing else. With PostgreSQL, the quickest."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.servers import SERVERS

pytestmark = [pytest.mark.processes, pytest.mark.services]


def servers(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script, free of what this test session was told about servers."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("STENOCAST_TEST_")}
    command = [sys.executable, SERVERS, *words]
    return subprocess.run(command, env=own | environment, capture_output=True, text=True, timeout=120, check=False)


def pid_of(folder: Path, name: str = "postgres") -> int:
    found: int = json.loads(servers("--folder", folder, "status", "--json").stdout)["servers"][name]["pid"]
    return found


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def url_of(folder: Path) -> str:
    told: dict[str, str] = json.loads(servers("--folder", folder, "env", "--json").stdout)
    return told["STENOCAST_TEST_POSTGRES"]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The folder of an instance with PostgreSQL up."""
    began = servers("--folder", tmp_path / "servers", "up", "--only", "postgres")
    assert began.returncode == 0, began.stderr
    yield tmp_path / "servers"
    servers("--folder", tmp_path / "servers", "down")


def test_down_ends_the_servers_and_leaves_nothing(folder: Path) -> None:
    pid = pid_of(folder)
    [data] = json.loads((folder / "state.json").read_text())["servers"]["postgres"]["outside"]

    done = servers("--folder", folder, "down")
    again = servers("--folder", folder, "down")

    assert (done.returncode, again.returncode) == (0, 0)
    assert not runs(pid)
    assert not folder.exists()
    assert not Path(data).exists()


def test_the_servers_are_told_as_settings_of_the_service_too(folder: Path) -> None:
    told = json.loads(servers("--folder", folder, "env", "--service", "--json").stdout)

    assert told == {"STENOCAST_DATABASE_URL": url_of(folder)}


def test_a_killed_server_starts_again_on_its_port_with_its_data(folder: Path) -> None:
    url = url_of(folder)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")

    servers("--folder", folder, "kill", "postgres")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    servers("--folder", folder, "start", "postgres")

    assert url_of(folder) == url
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)


def test_up_again_changes_nothing_while_the_servers_run(folder: Path) -> None:
    pid = pid_of(folder)

    servers("--folder", folder, "up", "--only", "postgres")

    assert pid_of(folder) == pid


def test_up_again_waits_for_a_server_that_does_not_answer_yet(folder: Path) -> None:
    pid = pid_of(folder)
    os.kill(pid, signal.SIGSTOP)
    command = [sys.executable, SERVERS, "--folder", folder, "up", "--only", "postgres"]
    own = {name: value for name, value in os.environ.items() if not name.startswith("STENOCAST_TEST_")}
    with subprocess.Popen(command, env=own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as up:
        time.sleep(2)

        has_ended = up.poll() is not None
        os.kill(pid, signal.SIGCONT)

        assert not has_ended
        assert up.wait(timeout=60) == 0


def test_a_server_that_was_made_and_never_launched_is_made_again(folder: Path) -> None:
    """As after an `up` that was stopped between the two: its folders are there, and the state file knows nothing."""
    (folder / "s3" / "objects").mkdir(parents=True)

    began = servers("--folder", folder, "up", "--only", "s3")

    assert began.returncode == 0, began.stderr
    assert runs(pid_of(folder, "s3"))


def test_a_process_that_got_the_number_of_a_server_is_left_alone(folder: Path) -> None:
    """As after a restart of the machine: the state file names a number that is somebody else's by now."""
    servers("--folder", folder, "kill", "postgres")
    with subprocess.Popen(["sleep", "60"]) as stranger:
        state = json.loads((folder / "state.json").read_text())
        state["servers"]["postgres"]["pid"] = stranger.pid
        (folder / "state.json").write_text(json.dumps(state))

        told = servers("--folder", folder, "env").stdout
        servers("--folder", folder, "down")

        assert told == ""
        assert stranger.poll() is None
        stranger.kill()


def test_an_instance_whose_servers_are_all_gone_begins_anew(folder: Path) -> None:
    url = url_of(folder)
    servers("--folder", folder, "kill", "postgres")

    began = servers("--folder", folder, "up", "--only", "postgres")

    assert began.returncode == 0
    assert url_of(folder) != url  # another password, and another cluster behind it


def test_a_server_that_could_not_be_made_is_made_when_it_can_be(folder: Path, tmp_path: Path) -> None:
    """Beside one that runs, so that nothing begins anew: what the failed try left must not be in the way."""
    state = json.loads((folder / "state.json").read_text())
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "openssl").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bin" / "openssl").chmod(0o755)

    failed = servers("--folder", folder, "up", "--only", "kafka", PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    began = servers("--folder", folder, "up", "--only", "kafka")

    assert failed.returncode == 1
    assert "no certificate can be made" in failed.stderr
    assert began.returncode == 0, began.stderr
    assert pid_of(folder) == state["servers"]["postgres"]["pid"]
    assert runs(pid_of(folder, "kafka"))


def test_two_instances_do_not_know_each_other(folder: Path, tmp_path: Path) -> None:
    servers("--folder", tmp_path / "other", "up", "--only", "postgres")
    other = pid_of(tmp_path / "other")

    servers("--folder", tmp_path / "other", "down")

    assert not runs(other)
    assert runs(pid_of(folder))


@pytest.mark.parametrize("status", [0, 3])
def test_servers_around_a_command_end_with_it(status: int) -> None:
    script = f"import os; print(os.environ['STENOCAST_TEST_POSTGRES']); raise SystemExit({status})"

    done = servers("run", "--only", "postgres", "--", sys.executable, "-c", script)

    assert done.returncode == status
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(done.stdout.strip())


def test_servers_around_a_command_end_when_it_is_told_to_stop() -> None:
    script = "import os, time; print(os.environ['STENOCAST_TEST_POSTGRES'], flush=True); time.sleep(60)"
    own = {name: value for name, value in os.environ.items() if not name.startswith("STENOCAST_TEST_")}
    command = [sys.executable, SERVERS, "run", "--only", "postgres", "--", sys.executable, "-c", script]
    with subprocess.Popen(command, env=own, stdout=subprocess.PIPE, text=True) as around:
        assert around.stdout is not None
        url = around.stdout.readline().strip()

        around.send_signal(signal.SIGTERM)
        around.wait(timeout=30)

    assert around.returncode == 128 + signal.SIGTERM
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_a_server_that_the_environment_names_is_used_and_not_started() -> None:
    script = "import os; print(os.environ['STENOCAST_TEST_POSTGRES'])"
    given = "postgresql://somebody@127.0.0.1:1/theirs"

    done = servers("run", "--only", "postgres", "--", sys.executable, "-c", script, STENOCAST_TEST_POSTGRES=given)

    assert done.stdout.strip() == given
    assert "Started" not in done.stderr


def test_what_is_missing_is_named_with_its_package(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()

    refused = servers(
        *("--folder", tmp_path / "servers", "up", "--only", "kafka,s3"),
        PATH=str(tmp_path / "bin"),
        XDG_CACHE_HOME=str(tmp_path / "cache"),
    )

    assert refused.returncode == 1
    assert "apt-get install default-jre-headless" in refused.stderr
    assert "apt-get install golang-go" in refused.stderr
    assert not (tmp_path / "servers").exists()


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A temporary folder of the test's own for the script, which PostgreSQL's user may enter."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


def test_the_servers_of_a_run_that_was_killed_go_with_the_next_one(temporary: Path) -> None:
    with subprocess.Popen(
        [sys.executable, SERVERS, "run", "--only", "postgres", "--", "sleep", "60"],
        env={name: value for name, value in os.environ.items() if not name.startswith("STENOCAST_TEST_")}
        | {"TMPDIR": str(temporary)},
        stderr=subprocess.PIPE,
        text=True,
    ) as killed:
        assert killed.stderr is not None
        began = next(line for line in killed.stderr if line.startswith("Started"))
        folder = Path(began.split()[-1])
        pid = pid_of(folder)
        killed.kill()

    done = servers("run", "--only", "postgres", "--", "true", TMPDIR=str(temporary))

    assert done.returncode == 0, done.stderr
    assert not runs(pid)
    assert not folder.exists()


def test_the_servers_of_a_run_that_goes_on_are_left_alone(temporary: Path) -> None:
    script = f"import subprocess, sys; subprocess.run([sys.executable, {str(SERVERS)!r}, 'run', '--only', 'postgres',"
    script += (
        " '--', 'true'], check=True); import os, psycopg; psycopg.connect(os.environ['STENOCAST_TEST_POSTGRES'])"
    )

    done = servers("run", "--only", "postgres", "--", sys.executable, "-c", script, TMPDIR=str(temporary))

    assert done.returncode == 0, done.stderr


def test_a_server_whose_port_is_taken_meanwhile_is_made_on_another(temporary: Path) -> None:
    """Another instance chose the same port in the same second."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        script = (
            f"import runpy; script = runpy.run_path({str(SERVERS)!r}); real = script['free_ports']; "
            f"given = [[{taken.getsockname()[1]}]]; "
            "script['make_postgres'].__globals__['free_ports'] = lambda n: given.pop() if given else real(n); "
            f"raise SystemExit(script['run'](['true'], ['postgres'], 'bucket-events'))"
        )
        own = {name: value for name, value in os.environ.items() if not name.startswith("STENOCAST_TEST_")}
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=own | {"TMPDIR": str(temporary)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    assert done.returncode == 0, done.stderr
    assert "A port of postgres was taken meanwhile" in done.stderr
