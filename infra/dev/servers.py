#!/usr/bin/env python3
"""Start and stop the real servers that the tests talk to: Apache Kafka, VersityGW (S3) and PostgreSQL.

    servers.py up                 install what is missing, start all three, wait until they answer
    servers.py status             what runs where
    servers.py env                the addresses and credentials as `export STENOCAST_TEST_…=…` lines
    servers.py env --service      the same as Stenocast's own processes and AWS's tools read them
    servers.py down               stop them and remove every byte they wrote
    servers.py run -- COMMAND     servers of COMMAND's own around it, in its environment; gone afterwards (where this
                                  script is killed by SIGKILL, with the next `run` or `up`)
    servers.py start|stop|kill NAME   one server, on the ports and the data it has

An instance is a folder (`--folder`, else STENOCAST_DEV_SERVERS, else one for this checkout under the system's
temporary folder); several run side by side. Everything listens on loopback, on ports chosen when the instance is
made, and lives in that folder. The programs are kept in the user's cache folder and are found there the next time.

For tests and trials only: nothing here is set up to keep data or to be reached from outside. Standard library only.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import random
import re
import secrets
import shlex
import shutil
import signal
import socket
import string
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

HERE = Path(__file__).resolve().parent
KAFKA = "4.3.0"  #: as in pom.xml
VERSITYGW = "1.7.0"
COPY_JARS = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
NAMES = ("kafka", "s3", "postgres")  #: in the order they start: VersityGW sends its notifications to Kafka

#: Below the range that the kernel takes client ports from (32768 up on Linux, 49152 elsewhere), so that no
#: connection of a test sits on a server's port while that server is down.
PORTS = range(15_000, 32_000)
START_SECONDS = (
    180.0  #: how long a server may take until it answers; Kafka takes 2 to 4 on two idle cores, 60 on busy
)
STOP_SECONDS = 20.0
PORT_TRIES = 3  #: of a new server whose port somebody else took between the choice and the start

RUN_FOLDERS = "stenocast-servers-run-"  #: how the names of the folders of `run` begin
OWNER = "owner.json"  #: in such a folder: whose life its servers are tied to

#: Kafka's answers to CreateTopics that mean "it is there": NONE and TOPIC_ALREADY_EXISTS.
TOPIC_THERE = (0, 36)


class Problem(Exception):
    """What keeps the servers from running, in a sentence for the person who started them."""


# ---------------------------------------------------------------- the programs


def cache_folder() -> Path:
    """Where the programs are kept: named by version, so that another version is another folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "stenocast" / "dev-servers"


def kafka_jars() -> Path:
    return cache_folder() / f"kafka-{KAFKA}"


def versitygw_program() -> Path:
    return cache_folder() / f"versitygw-{VERSITYGW}" / "versitygw"


def postgres_program(name: str) -> Path:
    """A program of PostgreSQL: Debian keeps them off the path, one folder a version; the newest counts."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: float(each.parent.name))
    for folder in reversed(debian):
        if (folder / name).exists():
            return folder / name
    found = shutil.which(name)
    if found is None:
        raise Problem(f"PostgreSQL's {name} is missing; on Debian: apt-get install postgresql")
    return Path(found).resolve()


def install(names: Sequence[str]) -> None:
    """Bring the programs of these servers into the cache folder, those that need it side by side.

    Raises Problem that names everything that is missing at once.
    """
    missing = []
    for check in [CHECKS[name] for name in names]:
        try:
            check()
        except Problem as problem:
            missing.append(str(problem))
    if missing:
        raise Problem("\n".join(missing))
    todo = [INSTALLERS[name] for name in names if name in INSTALLERS]
    cache_folder().mkdir(parents=True, exist_ok=True)
    with locked(cache_folder() / "lock"):
        side_by_side(todo)


def check_kafka() -> None:
    java = need("java", "Kafka runs on Java 17 or newer", "default-jre-headless")
    said = subprocess.run([java, "-version"], capture_output=True, text=True).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < 17:
        first = said.strip().splitlines()[:1]
        raise Problem(f"Kafka runs on Java 17 or newer and {java} says {first}; on Debian: default-jre-headless")
    need("openssl", "the throwaway certificates are made with openssl", "openssl")
    if not kafka_jars().exists():
        need("mvn", f"Apache Kafka {KAFKA} comes from Maven Central", "maven")


def check_s3() -> None:
    if versitygw_program().exists():
        return
    go = need("go", f"VersityGW {VERSITYGW} is built with Go 1.25 or newer", "golang-go")
    said = subprocess.run([go, "env", "GOVERSION", "GOTOOLCHAIN"], capture_output=True, text=True).stdout.split()
    version = re.match(r"go1\.(\d+)", said[0] if said else "")
    minor = int(version[1]) if version else 0
    # From 1.21 on Go fetches a newer one of itself by itself, unless it is told to stay local.
    if minor < 21 or (minor < 25 and said[-1] == "local"):
        raise Problem(
            f"VersityGW {VERSITYGW} is built with Go 1.25 or newer and {go} is {said[0] if said else 'unknown'};"
            " on Debian 12 golang-go is too old: take it from backports or from Go's own page"
        )


def check_postgres() -> None:
    postgres_program("initdb")
    if os.geteuid() == 0:
        postgres_user()


def need(program: str, why: str, package: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise Problem(f"{why}, and {program} is missing; on Debian: apt-get install {package}")
    return found


def install_kafka() -> None:
    if kafka_jars().exists():
        return
    say(f"Fetching Apache Kafka {KAFKA} (44 MB of jars from Maven Central)")
    with fresh_folder(kafka_jars()) as folder:
        output = folder.resolve()
        command = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), COPY_JARS]
        finish([*command, "-DincludeScope=runtime", f"-DoutputDirectory={output}"], "Kafka's jars cannot be fetched")


def install_s3() -> None:
    if versitygw_program().exists():
        return
    say(f"Building VersityGW {VERSITYGW} (a minute or two on two cores)")
    with fresh_folder(versitygw_program().parent) as folder:
        module = f"github.com/versity/versitygw/cmd/versitygw@v{VERSITYGW}"
        surroundings = os.environ | {"GOBIN": str(folder.resolve()), "CGO_ENABLED": "0"}
        finish(["go", "install", module], "VersityGW cannot be built", env=surroundings)


CHECKS: dict[str, Callable[[], None]] = {"kafka": check_kafka, "s3": check_s3, "postgres": check_postgres}
INSTALLERS: dict[str, Callable[[], None]] = {"kafka": install_kafka, "s3": install_s3}


@contextlib.contextmanager
def fresh_folder(final: Path) -> Iterator[Path]:
    """A folder that gets its name only when everything is in it: a broken download is never taken for a whole one."""
    with tempfile.TemporaryDirectory(dir=final.parent, prefix=f".{final.name}-") as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        yield made
        made.rename(final)


def side_by_side(steps: Sequence[Callable[[], None]]) -> None:
    """Do all of the steps at once; the first that failed is raised when all have ended."""
    failed: list[BaseException] = []

    def one(step: Callable[[], None]) -> None:
        try:
            step()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=one, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


# ---------------------------------------------------------------- processes


def birth(pid: int) -> str | None:
    """When the process with this number began, or None where none runs: a number alone may be somebody else's by now.

    In the kernel's own words, and so different after a restart of the machine.
    """
    proc = Path("/proc")
    if (proc / "self" / "stat").exists():
        try:
            fields = (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()
            boot = (proc / "sys" / "kernel" / "random" / "boot_id").read_text().strip()
        except OSError:
            return None
        return None if fields[0] in "ZX" else f"{boot} {fields[19]}"
    shown = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True).stdout
    return None if not shown.strip() or shown.lstrip().startswith("Z") else shown.split(maxsplit=1)[1].strip()


def is_running(server: Mapping[str, Any]) -> bool:
    return server.get("pid") is not None and birth(server["pid"]) == server["born"]


def launch(command: Sequence[str | Path], log: Path, **how: Any) -> dict[str, Any]:
    """Start a server that outlives this script and holds none of its files open; how it can be known again.

    Its output goes to `log`: a server that kept the caller's standard output would keep a pipe behind it open.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(each) for each in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **how,
        )
    return {"pid": process.pid, "born": birth(process.pid), "log": str(log)}


def end(server: Mapping[str, Any], first: signal.Signals) -> None:
    """Send a signal and wait until the process is gone; the hard way after STOP_SECONDS."""
    for kind in (first, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            if is_running(server):
                os.kill(server["pid"], signal.SIGCONT)  # a stopped one hears nothing but SIGKILL
                os.kill(server["pid"], kind)
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            if not is_running(server):
                return
            with contextlib.suppress(ChildProcessError):
                os.waitpid(server["pid"], os.WNOHANG)
            time.sleep(0.02)
    raise Problem(f"process {server['pid']} does not end")


def until_it_answers(server: Mapping[str, Any], name: str) -> None:
    answers, program = ANSWERS[name], PROGRAMS[name]
    deadline = time.monotonic() + START_SECONDS
    while not (
        answers(server) and is_running(server)
    ):  # what answers may be another's, on a port that was lost to it
        with contextlib.suppress(ChildProcessError):
            os.waitpid(server["pid"], os.WNOHANG)
        if not is_running(server):
            raise Problem(f"{program} ended at once. {last_lines(server['log'])}")
        if time.monotonic() > deadline:
            raise Problem(f"{program} does not answer after {START_SECONDS:.0f} s. {last_lines(server['log'])}")
        time.sleep(0.05)


def lost_its_port(server: Mapping[str, Any]) -> bool:
    """Whether a server that ended said that somebody else listens on one of its ports."""
    log = Path(server.get("log", ""))
    return (
        not is_running(server)
        and log.is_file()
        and "address already in use" in log.read_text(errors="replace").lower()
    )


def last_lines(log: str) -> str:
    lines = Path(log).read_text(errors="replace").splitlines()[-15:] if Path(log).exists() else []
    return "\n".join([f"The end of {log}:", *lines])


def finish(command: Sequence[str], trouble: str, **how: Any) -> None:
    """Run a command to its end; what it printed is shown only when it failed."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **how)
    if done.returncode != 0:
        raise Problem(f"{trouble}: {shlex.join(command)}\n{done.stdout.decode(errors='replace')[-4000:]}")


def free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on now."""
    found: list[int] = []
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise Problem(f"no {count} free ports between {PORTS.start} and {PORTS.stop}")


# ---------------------------------------------------------------- one instance


class Instance:
    """The servers of one folder. What they are is in its state.json, written before anything waits for them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.servers: dict[str, dict[str, Any]] = {}
        self.saving = threading.Lock()
        if (folder / "state.json").exists():
            self.servers = json.loads((folder / "state.json").read_text())["servers"]

    def save(self) -> None:
        with self.saving:
            written = self.folder / "state.json.new"
            written.touch(mode=0o600)
            written.write_text(json.dumps({"servers": dict(self.servers)}, indent=2) + "\n")
            written.rename(self.folder / "state.json")

    def running(self, name: str) -> bool:
        return name in self.servers and is_running(self.servers[name])

    def up(self, names: Sequence[str], *, bucket_events_topic: str) -> None:
        """Start what does not run. An instance none of whose servers is left (the machine went down) begins anew."""
        if not any(self.running(name) for name in self.servers):
            self.clear()

        def bring(*these: str) -> None:
            for name in these:
                if name in names:
                    self.bring(name, bucket_events_topic)

        side_by_side([lambda: bring("kafka", "s3"), lambda: bring("postgres")])

    def bring(self, name: str, bucket_events_topic: str) -> None:
        """Start a server, made anew on other ports where somebody took one of its new ports meanwhile."""
        tries = 1 if name in self.servers else PORT_TRIES
        for number in range(1, tries + 1):
            self.make(name, bucket_events_topic)
            try:
                self.start(name)
                return
            except Problem:
                if number == tries or not lost_its_port(self.servers[name]):
                    raise
                say(f"A port of {name} was taken meanwhile; trying others")
                self.unmake(name)

    def make(self, name: str, bucket_events_topic: str) -> None:
        """Ports, credentials and data for a server that has none yet; nothing is kept of a failed try."""
        if name in self.servers:
            return
        self.unmake(name)  # what is left of one that was made and never started
        try:
            MAKERS[name](self, bucket_events_topic)
        except BaseException:
            self.unmake(name)
            raise

    def unmake(self, name: str) -> None:
        """Forget a server that does not run, and remove what was made for it."""
        for place in self.servers.pop(name, {}).get("outside", ()):
            shutil.rmtree(place, ignore_errors=True)
        for left in (self.folder / name, self.folder / f"{name}.log"):
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)

    def start(self, name: str) -> None:
        """Start one server on the ports and the data it has unless it runs, and wait until it answers."""
        if not self.running(name):
            LAUNCHERS[name](self)
        until_it_answers(self.servers[name], name)

    def begun(self, name: str, process: Mapping[str, Any]) -> dict[str, Any]:
        self.servers[name] |= process
        self.save()
        return self.servers[name]

    def stop(self, name: str) -> None:
        """End one server in its own good time; its data stays."""
        end(self.servers[name], GENTLY[name])

    def kill(self, name: str) -> None:
        """End one server as a crash would: kill -9, and PostgreSQL's immediate shutdown."""
        end(self.servers[name], HARD[name])

    def clear(self) -> None:
        """End everything at once and remove all that was written, but for the lock and the owner."""
        for name in reversed(NAMES):
            if name in self.servers:
                end(self.servers[name], HARD[name])
                for place in self.servers[name].get("outside", ()):
                    shutil.rmtree(place, ignore_errors=True)
        for each in self.folder.iterdir():
            if each.is_dir():
                shutil.rmtree(each, ignore_errors=True)
            elif each.name not in ("lock", OWNER):
                each.unlink()
        self.servers = {}

    def down(self) -> None:
        """End everything at once and remove the folder. A repeat does nothing."""
        self.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    def environment(self) -> dict[str, str]:
        """What tests need to know about the servers that run now."""
        told: dict[str, str] = {}
        for name in NAMES:
            if self.running(name):
                told |= self.servers[name]["environment"]
        return told


# ---------------------------------------------------------------- Kafka


def make_kafka(instance: Instance, bucket_events_topic: str) -> None:
    """Ports, users, certificates and a formatted log folder for a new broker."""
    listeners = ("plaintext", "sasl", "ssl", "mtls", "sasl_ssl", "controller")
    ports = dict(zip(listeners, free_ports(len(listeners)), strict=True))
    scram, plain = ("bob", secrets.token_hex(8)), ("ann", secrets.token_hex(8))
    tls = instance.folder / "tls"
    for left in (tls, instance.folder / "kafka"):  # by an `up` that failed here
        shutil.rmtree(left, ignore_errors=True)
    make_certificates(tls)
    filled = string.Template((HERE / "server.properties").read_text()).substitute(
        {each: str(port) for each, port in ports.items()},
        folder=str(instance.folder),
        plain_user=plain[0],
        plain_password=plain[1],
    )
    properties = instance.folder / "server.properties"
    properties.touch(mode=0o600)
    properties.write_text(filled)
    # With "=", since an id may begin with a dash and would be taken for an option.
    cluster = f"--cluster-id={secrets.token_urlsafe(16)}"
    tool = ["kafka.tools.StorageTool", "format", "--standalone", cluster, "-c", str(properties)]
    for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
        tool += ["-S", f"{mechanism}=[name={scram[0]},password={scram[1]}]"]
    finish(java(*tool), "Kafka's folder cannot be formatted")
    addresses = {each: f"127.0.0.1:{port}" for each, port in ports.items()}
    instance.servers["kafka"] = {
        "ports": ports,
        "topic": bucket_events_topic,
        "environment": {
            "STENOCAST_TEST_KAFKA": addresses["plaintext"],
            "STENOCAST_TEST_KAFKA_SASL": addresses["sasl"],
            "STENOCAST_TEST_KAFKA_SSL": addresses["ssl"],
            "STENOCAST_TEST_KAFKA_MTLS": addresses["mtls"],
            "STENOCAST_TEST_KAFKA_SASL_SSL": addresses["sasl_ssl"],
            "STENOCAST_TEST_KAFKA_SCRAM": ":".join(scram),
            "STENOCAST_TEST_KAFKA_PLAIN": ":".join(plain),
            "STENOCAST_TEST_KAFKA_TLS": str(tls),
        },
    }


def launch_kafka(instance: Instance) -> None:
    command = java("kafka.Kafka", str(instance.folder / "server.properties"))
    instance.begun("kafka", launch(command, instance.folder / "kafka.log", cwd=instance.folder))


def kafka_answers(server: Mapping[str, Any]) -> bool:
    return topic_is_there(server["ports"]["plaintext"], server["topic"])


def java(*arguments: str) -> list[str]:
    """Kafka's own settings ask for 1 GB and a compiler that pays off after minutes; a test's broker needs neither."""
    options = ("-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
    quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
    return ["java", *options, quiet, "-cp", f"{kafka_jars()}/*", *arguments]


def topic_is_there(port: int, topic: str, *, partitions: int = 6) -> bool:
    """Make a topic unless it is there; False while the broker does not answer.

    As many partitions as `schemas/topics.py` plans for the topic that is made here, `bucket-events`.
    Kafka's CreateTopics request, version 2 (protocol guide, "Messages"), by hand: its own command takes two seconds
    of two cores to start, and this is how we know that the broker is ready, too.
    """

    def text(value: str) -> bytes:
        return struct.pack(">h", len(value)) + value.encode()

    header = struct.pack(">hhi", 19, 2, 1) + text("dev-servers")
    wanted = text(topic) + struct.pack(">ihii", partitions, 1, 0, 0)
    request = header + struct.pack(">i", 1) + wanted + struct.pack(">ib", 10_000, 0)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as broker:
            broker.sendall(struct.pack(">i", len(request)) + request)
            answer = broker.makefile("rb")
            body = answer.read(struct.unpack(">i", answer.read(4))[0])
    except (OSError, struct.error):
        return False
    # correlation id, throttle time, number of topics, the topic's name, then its error code
    at = 12 + 2 + len(topic.encode())
    return struct.unpack_from(">h", body, at)[0] in TOPIC_THERE


def make_certificates(folder: Path) -> None:
    """A certificate authority of thirty days, and by it one certificate for the broker and one for a client."""
    folder.mkdir(mode=0o711)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    lasting = ["-days", "30"]
    authority = ["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Stenocast test authority"]
    openssl(folder, "req", "-x509", *key, *lasting, *authority)
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    for name in ("broker", "client"):
        request = ["-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}"]
        openssl(folder, "req", *key, *request)
        by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names"]
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.crt", *by, *lasting)
    (folder / "broker.pem").touch(mode=0o600)
    (folder / "broker.pem").write_text((folder / "broker.key").read_text() + (folder / "broker.crt").read_text())


def openssl(folder: Path, *arguments: str) -> None:
    finish(["openssl", *arguments], "no certificate can be made", cwd=folder)


# ---------------------------------------------------------------- S3


def make_s3(instance: Instance, bucket_events_topic: str) -> None:
    """A port, keys and empty folders for a new VersityGW; it tells Kafka, if there is one, of its objects."""
    [port] = free_ports(1)
    for folder in ("s3", "s3/objects", "s3/versions", "s3/metadata"):
        (instance.folder / folder).mkdir(mode=0o700)
    wanted = {"s3:ObjectCreated:*": True, "s3:ObjectRemoved:*": True}
    (instance.folder / "bucket-events.json").write_text(json.dumps(wanted))
    access, secret = f"test{secrets.token_hex(4)}", secrets.token_hex(16)
    kafka = instance.servers.get("kafka")
    instance.servers["s3"] = {
        "ports": {"s3": port},
        "keys": [access, secret],
        "topic": bucket_events_topic if kafka else None,
        "environment": {
            "STENOCAST_TEST_S3": f"http://{access}:{secret}@127.0.0.1:{port}",
            **({"STENOCAST_TEST_S3_EVENTS": bucket_events_topic} if kafka else {}),
        },
    }


def launch_s3(instance: Instance) -> None:
    server = instance.servers["s3"]
    port = server["ports"]["s3"]
    command: list[str | Path] = [versitygw_program(), "--port", f"127.0.0.1:{port}", "--health", "/health", "--quiet"]
    if server["topic"] is not None:
        broker = instance.servers["kafka"]["ports"]["plaintext"]
        if not topic_is_there(broker, server["topic"]):
            raise Problem("VersityGW sends its notifications to Kafka, and Kafka does not answer; start it first")
        # The path must be absolute: VersityGW changes its folder before it reads the file.
        filter_file = instance.folder / "bucket-events.json"
        command += ["--event-kafka-url", f"127.0.0.1:{broker}", "--event-kafka-topic", server["topic"]]
        command += ["--event-filter", filter_file]
    # Its notes on objects go into files of their own, since not every temporary folder has extended attributes.
    command += ["posix", "--sidecar", instance.folder / "s3" / "metadata"]
    command += ["--versioning-dir", instance.folder / "s3" / "versions", instance.folder / "s3" / "objects"]
    access, secret = server["keys"]
    surroundings = os.environ | {"ROOT_ACCESS_KEY": access, "ROOT_SECRET_KEY": secret}
    instance.begun("s3", launch(command, instance.folder / "s3.log", env=surroundings, cwd=instance.folder))


def s3_answers(server: Mapping[str, Any]) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server['ports']['s3']}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


# ---------------------------------------------------------------- PostgreSQL


def make_postgres(instance: Instance, bucket_events_topic: str) -> None:
    """A port, a password and a new cluster.

    PostgreSQL refuses to run as root; there it runs as the system's user `postgres`, in a folder of its own, because
    that user may not enter root's folders.
    """
    [port] = free_ports(1)
    password = secrets.token_hex(8)
    if os.geteuid() == 0:
        outside = Path(tempfile.mkdtemp(prefix="stenocast-postgres-"))
        shutil.chown(outside, *postgres_user())
    else:
        outside = instance.folder / "postgres"
        outside.mkdir(mode=0o700)
    word = outside / "password"
    word.touch(mode=0o600)
    word.write_text(password)
    if os.geteuid() == 0:
        shutil.chown(word, *postgres_user())
    instance.servers["postgres"] = {
        "ports": {"postgres": port},
        "data": str(outside / "data"),
        "outside": [str(outside)],
        "environment": {"STENOCAST_TEST_POSTGRES": f"postgresql://stenocast:{password}@127.0.0.1:{port}/postgres"},
    }
    instance.save()
    options = ["-D", str(outside / "data"), "-U", "stenocast", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
    login = ["--auth=scram-sha-256", f"--pwfile={word}"]
    initdb = str(postgres_program("initdb"))
    finish([initdb, *options, *login], "PostgreSQL's cluster cannot be made", cwd=outside, **as_postgres())


def launch_postgres(instance: Instance) -> None:
    server = instance.servers["postgres"]
    port = server["ports"]["postgres"]
    options = ["-D", server["data"], "-p", str(port), "-c", "listen_addresses=127.0.0.1"]
    options += ["-c", "unix_socket_directories=", "-c", "max_connections=200"]
    log = instance.folder / "postgres.log"
    command = [postgres_program("postgres"), *options]
    instance.begun("postgres", launch(command, log, cwd=server["outside"][0], **as_postgres()))


def postgres_answers(server: Mapping[str, Any]) -> bool:
    port = str(server["ports"]["postgres"])
    ready = [str(postgres_program("pg_isready")), "-q", "-h", "127.0.0.1", "-p", port]
    return subprocess.run(ready).returncode == 0


def as_postgres() -> dict[str, Any]:
    """How to start a process of PostgreSQL: as another user, where this one is root."""
    if os.geteuid() != 0:
        return {}
    user, group = postgres_user()
    return {"user": user, "group": group, "extra_groups": []}


def postgres_user() -> tuple[int, int]:
    import pwd

    try:
        found = pwd.getpwnam("postgres")
    except KeyError:
        raise Problem(
            "PostgreSQL does not run as root and there is no user `postgres`; on Debian: apt-get install postgresql"
        ) from None
    return found.pw_uid, found.pw_gid


MAKERS = {"kafka": make_kafka, "s3": make_s3, "postgres": make_postgres}
LAUNCHERS = {"kafka": launch_kafka, "s3": launch_s3, "postgres": launch_postgres}
ANSWERS = {"kafka": kafka_answers, "s3": s3_answers, "postgres": postgres_answers}
PROGRAMS = {"kafka": "Kafka", "s3": "VersityGW", "postgres": "PostgreSQL"}
#: PostgreSQL: INT is its fast shutdown, QUIT the immediate one, after which it recovers as after a crash.
GENTLY = {"kafka": signal.SIGTERM, "s3": signal.SIGTERM, "postgres": signal.SIGINT}
HARD = {"kafka": signal.SIGKILL, "s3": signal.SIGKILL, "postgres": signal.SIGQUIT}


# ---------------------------------------------------------------- the command


def default_folder() -> Path:
    """One for each checkout and user, so that two checkouts never stop each other's servers."""
    given = os.environ.get("STENOCAST_DEV_SERVERS")
    if given:
        return Path(given).absolute()
    checkout = hashlib.sha256(str(HERE).encode()).hexdigest()[:8]
    return Path(tempfile.gettempdir()) / f"stenocast-servers-{os.getuid()}-{checkout}"


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """One at a time. The file may be removed by who holds it: a lock on a removed file does not count."""
    while True:
        file.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        if file.parent.stat().st_uid != os.getuid():
            raise Problem(f"{file.parent} belongs to somebody else; name another folder with --folder")
        with file.open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            try:
                current = file.stat().st_ino == os.fstat(handle.fileno()).st_ino
            except FileNotFoundError:
                current = False
            if current:
                yield
                return


def given_elsewhere() -> list[str]:
    """The servers that the environment points at already: those are used as they are and not started."""
    return [name for name in NAMES if os.environ.get(f"STENOCAST_TEST_{name.upper()}")]


def run(command: Sequence[str], names: Sequence[str], topic: str) -> int:
    """Run a command with servers of its own, which are gone when it ends, however it ends."""
    wanted = [name for name in names if name not in given_elsewhere()]
    remove_orphans()
    folder = Path(tempfile.mkdtemp(prefix=RUN_FOLDERS))
    folder.chmod(0o711)
    (folder / OWNER).write_text(json.dumps({"pid": os.getpid(), "born": birth(os.getpid())}))
    instance = Instance(folder)

    def leave(number: int, frame: object) -> NoReturn:
        raise SystemExit(128 + number)

    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, leave)
    try:
        if wanted:
            install(wanted)
            instance.up(wanted, bucket_events_topic=topic)
            say(f"Started {', '.join(wanted)} in {folder}")
        with subprocess.Popen(command, env=os.environ | instance.environment()) as process:
            try:
                return process.wait()
            except BaseException:
                process.terminate()
                raise
    finally:
        for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(each, signal.SIG_IGN)
        instance.down()


def remove_orphans() -> None:
    """End and remove the servers of every `run` of this user that was killed before it could do so itself."""
    for mark in Path(tempfile.gettempdir()).glob(f"{RUN_FOLDERS}*/{OWNER}"):
        try:
            if mark.stat().st_uid != os.getuid() or is_running(json.loads(mark.read_text())):
                continue
            say(f"Removing the servers in {mark.parent}: the command that they belonged to was killed")
            with locked(mark.parent / "lock"):
                Instance(mark.parent).down()
        except FileNotFoundError:  # its owner, or another like us, was at it in the same moment
            continue


def show_status(instance: Instance, *, as_json: bool) -> None:
    rows = {
        name: {"running": instance.running(name), "pid": server.get("pid"), "ports": server["ports"]}
        for name, server in instance.servers.items()
    }
    if as_json:
        print(json.dumps({"folder": str(instance.folder), "servers": rows}, indent=2))
        return
    print(f"folder    {instance.folder}" if rows else f"nothing runs in {instance.folder}")
    for name, row in rows.items():
        ports = ", ".join(f"{each} {port}" for each, port in row["ports"].items())
        state = f"pid {row['pid']}" if row["running"] else "not running"
        print(f"{name:9} {state:12} {ports}")


def as_settings(told: Mapping[str, str]) -> dict[str, str]:
    """The servers of the tests as settings of Stenocast and AWS's tools. The bucket `episodes` is not made here."""
    settings: dict[str, str] = {}
    if url := told.get("STENOCAST_TEST_POSTGRES"):
        settings["STENOCAST_DATABASE_URL"] = url
    if bootstrap := told.get("STENOCAST_TEST_KAFKA"):
        settings["STENOCAST_KAFKA_BOOTSTRAP"] = bootstrap
    if url := told.get("STENOCAST_TEST_S3"):
        server = urllib.parse.urlsplit(url)
        endpoint = f"http://{server.hostname}:{server.port}"
        settings |= {
            "STENOCAST_STORE_URL": "s3://episodes/stenocast",
            "STENOCAST_DROP_URL": "s3://episodes/incoming",
            "STENOCAST_S3_ENDPOINT": endpoint,
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": server.username or "",
            "AWS_SECRET_ACCESS_KEY": server.password or "",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
    return settings


def show_environment(told: Mapping[str, str], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(told))
        return
    for name, value in told.items():
        print(f"export {name}={shlex.quote(value)}")


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="the instance's folder")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, about in (("up", "install, start, wait"), ("run", "run a command with servers of its own")):
        each = commands.add_parser(name, help=about)
        each.add_argument("--only", default=",".join(NAMES), help="some of kafka,s3,postgres")
        each.add_argument("--bucket-events-topic", default="bucket-events", help="where S3's notifications go")
        if name == "run":
            each.add_argument("words", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    commands.add_parser("down", help="stop everything, remove the folder")
    commands.add_parser("status", help="what runs where").add_argument("--json", action="store_true")
    told = commands.add_parser("env", help="addresses and credentials")
    told.add_argument("--json", action="store_true")
    told.add_argument("--service", action="store_true", help="as settings of Stenocast instead of its tests")
    for name, about in (("start", "start one again"), ("stop", "stop one"), ("kill", "let one crash")):
        commands.add_parser(name, help=about).add_argument("name", choices=NAMES)
    return parser


def obey(given: argparse.Namespace) -> int:
    if given.command in ("up", "run"):
        names = [name for name in NAMES if name in given.only.split(",")]
        strange = set(given.only.split(",")) - set(NAMES)
        if strange or not names:
            raise Problem(f"--only {given.only}: name some of {','.join(NAMES)}")
    if given.command == "run":
        words = given.words[1:] if given.words[:1] == ["--"] else given.words
        if not words:
            raise Problem("run -- COMMAND: the command is missing")
        return run(words, names, given.bucket_events_topic)
    folder = given.folder.absolute() if given.folder else default_folder()
    if given.command == "status":
        show_status(Instance(folder), as_json=given.json)
        return 0
    if given.command == "env":
        told = Instance(folder).environment()
        show_environment(as_settings(told) if given.service else told, as_json=given.json)
        return 0
    if given.command == "down" and not folder.exists():
        return 0
    if given.command == "up":
        remove_orphans()
        install(names)
    with locked(folder / "lock"):
        instance = Instance(folder)
        if given.command == "up":
            instance.up(names, bucket_events_topic=given.bucket_events_topic)
            show_status(instance, as_json=False)
        elif given.command == "down":
            instance.down()
        elif given.name not in instance.servers:
            raise Problem(f"{folder}: no {given.name} was ever started there")
        else:
            getattr(instance, given.command)(given.name)
    return 0


def main() -> int:
    try:
        return obey(arguments().parse_args())
    except Problem as problem:
        say(str(problem))
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
