"""The whole service as its images run it, process by process, on real servers: traced, counted, seen by the doctor.

A producer puts a recording into the bucket and tells Kafka; the transcript's event comes out in the same trace.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from schemas.cloudevents import write_event
from schemas.events import EpisodeDropped, Event, EventType
from schemas.topics import Topic
from tests.end_to_end.conftest import free_port
from tests.infra_files import ROOT
from tests.servers import S3Server
from tests.topics import Made

pytestmark = [pytest.mark.services, pytest.mark.processes, pytest.mark.timeout(240)]

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
STENOCAST = str(Path(sys.executable).with_name("stenocast"))


class Collector:
    """An OTLP/HTTP collector that keeps the spans it is sent."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        spans = self.spans

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                from gzip import decompress

                from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = decompress(body)
                request = ExportTraceServiceRequest.FromString(body)
                for each in request.resource_spans:
                    for scope in each.scope_spans:
                        spans.extend(scope.spans)
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def names(self) -> set[str]:
        """The names of the spans of the producer's trace."""
        return {span.name for span in list(self.spans) if span.trace_id.hex() == TRACE}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Installation:
    """One environment for all, and the processes that run in it."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.environment = {**os.environ, **environment}
        self.folder = folder
        self.ports: dict[str, int] = {}
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, *command: str) -> None:
        """Run a process; it answers probes on a port of its own."""
        name, port = command[0], free_port()
        self.ports[name] = port
        variable = "STENOCAST_PORT" if name == "api" else "STENOCAST_METRICS_PORT"
        with (self.folder / f"{name}.log").open("wb") as log:
            self._processes.append(
                subprocess.Popen(
                    [STENOCAST, *command],
                    env={
                        **self.environment,
                        variable: str(port),
                        "STENOCAST_DATA_DIR": str(self.folder / name),
                    },
                    stdout=log,
                    stderr=log,
                )
            )

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [STENOCAST, *command],
            env={**self.environment, "STENOCAST_DATA_DIR": str(self.folder / "once")},
            capture_output=True,
            text=True,
            timeout=120,
        )

    def ask(self, name: str, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[name]}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def end(self) -> list[int]:
        """Ask all to end, as an orchestrator does; their exit statuses."""
        for each in self._processes:
            each.terminate()
        try:
            return [each.wait(40) for each in self._processes]
        finally:
            for each in self._processes:
                each.kill()
                each.wait()
            self._processes.clear()

    def logs(self) -> str:
        return "\n".join(f"== {path.name}\n{path.read_text()}" for path in sorted(self.folder.glob("*.log")))


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


@pytest.fixture
def installation(
    tmp_path: Path, topics: Made, bucket: str, s3: S3Server, postgres_url: str, collector: Collector
) -> Iterator[Installation]:
    made = Installation(
        {
            "STENOCAST_DATABASE_URL": postgres_url,
            "STENOCAST_STORE_URL": f"s3://{bucket}/store",
            "STENOCAST_DROP_URL": f"s3://{bucket}/incoming",
            "STENOCAST_S3_ENDPOINT": s3.endpoint,
            **s3.credentials,
            "STENOCAST_KAFKA_BOOTSTRAP": topics.access.bootstrap,
            "STENOCAST_KAFKA_GROUP": topics.access.prefix + "service",
            "STENOCAST_TOPIC_PREFIX": topics.access.prefix,
            "STENOCAST_MODELS": "scripted",
            "STENOCAST_ALLOW_SCRIPTED": "1",
            "STENOCAST_OTLP_ENDPOINT": collector.endpoint,
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "STENOCAST_LOG_FORMAT": "json",
        },
        tmp_path,
    )
    yield made
    made.end()


def eventually(is_so: Callable[[], Any], installation: Installation, *, seconds: float = 120.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < deadline, installation.logs()
        time.sleep(0.3)
    return found


def test_one_trace_goes_through_all_processes_and_each_shows_its_numbers(
    installation: Installation, topics: Made, bucket: str, s3: S3Server, collector: Collector
) -> None:
    assert installation.run("migrate").returncode == 0
    for command in ("api", "intake", "publish", "reconcile", "worker"):
        installation.start(command)
    eventually(lambda: installation.ask("intake", "/readyz")[0] == 200, installation)
    # Its first look is over: the next one comes in five minutes, and what is dropped meanwhile is for intake.
    eventually(lambda: 'loop="reconciler"' in installation.ask("reconcile", "/metrics")[1], installation)
    eventually(lambda: "bucket looked at" in installation.logs(), installation)
    audio = (ROOT / "examples" / "demo" / "episode.mp3").read_bytes()
    s3.client().put_object(Bucket=bucket, Key="incoming/tides.mp3", Body=audio)

    dropped = Event(
        "e-1",
        EventType.EPISODE_DROPPED,
        "studio",
        "tides",
        "2026-03-14T09:26:53Z",
        EpisodeDropped(bucket, "incoming/tides.mp3"),
    )
    topics.append(Topic.EPISODES, write_event(dropped), headers=[("traceparent", PARENT.encode())])
    (record,) = eventually(lambda: topics.records(Topic.TRANSCRIPTS), installation)

    event = json.loads(record.value)
    assert event["type"] == "transcript.published.v1"
    assert event["traceparent"].split("-")[1] == TRACE
    wanted = {"take in", "job attempt", "fetch", "decode", "recognize", "publish transcript.published.v1"}
    eventually(lambda: wanted <= collector.names(), installation, seconds=30)
    assert "tides" not in " ".join(str(span) for span in collector.spans)
    for name, number in {
        "api": 'stenocast_queue_jobs{state="queued"} 0.0',
        "intake": 'stenocast_loop_age_seconds{loop="intake"}',
        "publish": "stenocast_published_events_total",
        "reconcile": 'stenocast_loop_age_seconds{loop="reconciler"}',
        "worker": 'stenocast_attempts_total{outcome="done"} 1.0',
    }.items():
        assert number in installation.ask(name, "/metrics")[1], name
        assert installation.ask(name, "/healthz") == (200, "ok\n"), name
        assert installation.ask(name, "/readyz") == (200, "ready\n"), name
    assert set(installation.end()) == {0}, installation.logs()


def test_the_doctor_sees_a_whole_installation_and_what_is_missing(
    installation: Installation, topics: Made, bucket: str, s3: S3Server
) -> None:
    whole = installation.run("doctor", "--json", "--role", "core")
    installation.environment["STENOCAST_TOPIC_PREFIX"] = "nobody-made-these."
    installation.environment["STENOCAST_STORE_URL"] = "s3://no-such-bucket/store"
    broken = installation.run("doctor", "--json", "--role", "core")

    findings = {each["subject"]: each for each in json.loads(whole.stdout)}
    assert whole.returncode == 0, whole.stdout
    assert "schema 0" in findings["ledger"]["said"]
    assert "stenocast@" not in findings["ledger"]["said"]
    assert findings["store"]["said"] == f"s3://{bucket}/store: an object was put, read and deleted"
    assert findings["kafka"]["level"] == "warn"  # the tests' topics have fewer partitions than planned
    assert "2 partitions instead of 6" in findings["kafka"]["said"]
    findings = {each["subject"]: each for each in json.loads(broken.stdout)}
    assert broken.returncode == 1
    assert findings["kafka"]["advice"] == "run `stenocast topics create`"
    assert findings["store"]["level"] == "bad"
