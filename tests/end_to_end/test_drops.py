"""A recording that plain boto3 puts into the bucket comes out as an event on `transcripts`; nobody calls the API."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cli.intake import STOP_SECONDS
from schemas.drop import Drop
from schemas.transcript import Transcript
from schemas.wire import read_json
from tests.end_to_end.conftest import DEMO, ROOT, Service
from tests.servers import KafkaServer, S3Server

pytestmark = [pytest.mark.services, pytest.mark.processes, pytest.mark.timeout(240)]

Run = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def environment(kafka: KafkaServer, s3: S3Server, bucket: str, postgres_url: str, tmp_path: Path) -> dict[str, str]:
    """Real servers, scripted engines. The S3 server tells one topic of all its buckets, so there is no prefix."""
    return (
        dict(os.environ)
        | s3.credentials
        | {
            "STENOCAST_DATA_DIR": str(tmp_path),
            "STENOCAST_DATABASE_URL": postgres_url,
            "STENOCAST_STORE_URL": f"s3://{bucket}/stenocast",
            "STENOCAST_DROP_URL": f"s3://{bucket}/incoming",
            "STENOCAST_S3_ENDPOINT": s3.endpoint,
            "STENOCAST_KAFKA_BOOTSTRAP": kafka.bootstrap,
            "STENOCAST_KAFKA_GROUP": f"test-{uuid4().hex}",
            "STENOCAST_MODELS": "scripted",
            "STENOCAST_ALLOW_SCRIPTED": "1",
        }
    )


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Iterator[Run]:
    """Start `stenocast …` processes; all of them are stopped at the end, and asked first."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*words: str) -> subprocess.Popen[bytes]:
        log = (tmp_path / f"{words[0]}-{len(started)}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", *words],
            env=environment,
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def transcripts_of(kafka: KafkaServer, episode_id: str, *, seconds: float = 120) -> list[Any]:
    """The first records about an episode on the topic `transcripts`."""
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(
        bootstrap_servers=kafka.bootstrap,
        group_id=None,
        isolation_level="read_committed",
        reconnect_backoff_max_ms=1000,
    )
    try:
        numbers = consumer.partitions_for_topic("transcripts")
        consumer.assign([TopicPartition("transcripts", number) for number in numbers])
        consumer.seek_to_beginning()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for records in consumer.poll(timeout_ms=500).values():
                if found := [each for each in records if each.key == episode_id.encode()]:
                    return found
        return []
    finally:
        consumer.close(autocommit=False, timeout_ms=1000)


def test_a_dropped_recording_comes_out_as_a_transcript(
    run: Run, environment: dict[str, str], kafka: KafkaServer, s3: S3Server, bucket: str, tmp_path: Path
) -> None:
    assert run("topics", "create").wait(60) == 0
    processes = [run("intake"), run("worker"), run("publish")]
    client = s3.client()
    key = "incoming/Seed library é.mp3"
    sidecar = {"title": "The seed library", "participants": [{"name": "Daniel Carter", "role": "host"}]}

    client.put_object(Bucket=bucket, Key="incoming/Seed library é.json", Body=json.dumps(sidecar).encode())
    client.upload_file(str(DEMO / "episode.mp3"), bucket, key)

    episode_id = Drop(bucket, key).episode_id
    records = transcripts_of(kafka, episode_id)
    assert records, _logs(tmp_path)
    event = json.loads(records[0].value)
    assert event["type"] == "transcript.published.v1"
    assert event["traceparent"].startswith("00-")
    content = client.get_object(Bucket=bucket, Key=f"stenocast/{event['data']['document_key']}")["Body"].read()
    document = read_json(Transcript, content)
    assert (document.episode.id, document.episode.title) == (episode_id, "The seed library")
    assert document.episode.audio.uri == Drop(bucket, key).address

    for process in processes:
        process.send_signal(signal.SIGTERM)
    assert [process.wait(20) for process in processes] == [0, 0, 0]


def test_a_dropped_text_ends_as_a_failed_job_that_says_so(
    run: Run, environment: dict[str, str], s3: S3Server, bucket: str, tmp_path: Path
) -> None:
    s3.client().put_object(Bucket=bucket, Key="incoming/notes.mp3", Body=b"Dear listeners, " * 100)

    assert run("reconcile", "--once").wait(60) == 0, _logs(tmp_path)
    assert run("worker", "--once").wait(60) == 0, _logs(tmp_path)

    listed = subprocess.run(
        [sys.executable, "-m", "cli.main", "jobs", "--json"],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    (job,) = json.loads(listed.stdout)
    assert (job["state"], job["error"]["code"]) == ("failed", "unsupported_container")


def test_the_embedded_service_takes_drops_in_too(
    serve: Callable[..., Service],
    environment: dict[str, str],
    kafka: KafkaServer,
    s3: S3Server,
    bucket: str,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert run("topics", "create").wait(60) == 0
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    service = serve(database_url="", reconcile_seconds=3600)

    s3.client().upload_file(str(DEMO / "episode.mp3"), bucket, "incoming/tide.mp3")

    records = transcripts_of(kafka, Drop(bucket, "incoming/tide.mp3").episode_id)
    assert [json.loads(each.value)["type"] for each in records] == ["transcript.published.v1"]
    with service.client() as client:
        (job,) = client.get("/v1/jobs").json()["jobs"]
        sound = client.get(f"/v1/episodes/{job['episode_id']}/audio", headers={"Range": "bytes=0-9"})
    assert (job["state"], sound.status_code, len(sound.content)) == ("done", 206, 10)


@pytest.mark.parametrize("command", ["intake", "reconcile"])
def test_a_process_that_waits_for_a_dead_bucket_ends_soon_when_it_is_asked_to(command: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment = dict(os.environ) | {
            "STENOCAST_DATA_DIR": str(tmp_path),
            "STENOCAST_STORE_URL": "s3://harbour",
            "STENOCAST_S3_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "STENOCAST_KAFKA_BOOTSTRAP": "127.0.0.1:1",
            "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": "nothing",
        }
        process = subprocess.Popen([sys.executable, "-m", "cli.main", command], env=environment, cwd=ROOT)
        try:
            silent.accept()  # it has asked, and nobody will answer
            process.send_signal(signal.SIGTERM)
            assert process.wait(STOP_SECONDS + 10) == 0
        finally:
            process.kill()
            process.wait()


def _logs(folder: Path) -> str:
    return "\n".join(f"== {path.name}\n{path.read_text(errors='replace')[-4000:]}" for path in folder.glob("*.log"))
