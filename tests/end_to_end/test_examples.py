"""From a bucket to a subscriber: the two examples at the ends, our own processes and real servers in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from schemas.cloudevents import read_cloud_event
from schemas.events import EventType
from schemas.topics import Topic
from tests.end_to_end.test_intake import notifications_of
from tests.servers import KafkaServer, S3Server
from tests.topics import Made

pytestmark = [pytest.mark.services, pytest.mark.processes, pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parent.parent.parent
DEMO = ROOT / "examples" / "demo" / "episode.mp3"
SUBSCRIBER = ROOT / "examples" / "subscriber.py"
PUBLISHED = (ROOT / "tests" / "golden" / "events" / "transcript.published.v1.json").read_text(encoding="utf-8")


@dataclass
class Plant:
    """An installation of separate processes between a bucket and the topics."""

    topics: Made
    environment: dict[str, str]
    log: Path
    bucket: str
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *words: str, output: int | None = None) -> subprocess.Popen[str]:
        with self.log.open("a") as log:
            process = subprocess.Popen(
                [sys.executable, *words], env=self.environment, cwd=ROOT, stdout=output or log, stderr=log, text=True
            )
        self.running.append(process)
        return process

    def command(self, *words: str) -> subprocess.Popen[str]:
        """Start a `stenocast` command."""
        return self.start("-m", "cli.main", *words)

    def produce(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "examples/producer.py", str(DEMO), self.bucket, *words],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return done.stdout

    def stop(self) -> None:
        for process in self.running:
            process.send_signal(signal.SIGTERM)
        for process in self.running:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def plant(kafka: KafkaServer, s3: S3Server, bucket: str, topics: Made, tmp_path: Path) -> Iterator[Plant]:
    settings = {
        "DATA_DIR": str(tmp_path / "data"),
        "STORE_URL": f"s3://{bucket}/stenocast",
        "S3_ENDPOINT": s3.endpoint,
        "KAFKA_BOOTSTRAP": kafka.bootstrap,
        "KAFKA_GROUP": f"{topics.access.prefix}plant",
        "TOPIC_PREFIX": topics.access.prefix,
        "ALLOW_SCRIPTED": "1",
        "MODELS": "scripted",
    }
    environment = os.environ | s3.credentials | {f"STENOCAST_{name}": value for name, value in settings.items()}
    environment |= {"AWS_ENDPOINT_URL": s3.endpoint, "AWS_DEFAULT_REGION": "us-east-1", "PYTHONUNBUFFERED": "1"}
    plant = Plant(topics, environment, tmp_path / "log", bucket)
    yield plant
    plant.stop()


def until(find: Callable[[], object], *, seconds: float = 150) -> None:
    deadline = time.monotonic() + seconds
    while not find():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.5)


def test_an_announced_episode_is_printed_by_the_subscriber_under_its_title(plant: Plant, kafka: KafkaServer) -> None:
    """Behind transcripts, one on each partition, of an episode that was deleted since: they are passed over."""
    for partition in (0, 1):
        gone = PUBLISHED.replace("s3://media/", f"s3://{plant.bucket}/").replace("96236a0c", f"96236a0{partition}")
        plant.topics.append(Topic.TRANSCRIPTS, gone.encode(), partition=partition)
    for words in (["intake"], ["worker"], ["publish"]):
        plant.command(*words)
    plant.produce(kafka.bootstrap, "The long tide", plant.topics.access.name(Topic.EPISODES))
    topic = plant.topics.access.name(Topic.TRANSCRIPTS)
    subscriber = plant.start(str(SUBSCRIBER), kafka.bootstrap, topic, output=subprocess.PIPE)

    assert subscriber.stdout is not None
    heading, first_turn = [line for line, _ in zip(filter(str.strip, subscriber.stdout), range(2), strict=False)]

    assert heading == "The long tide (revision 1)\n"
    assert first_turn.startswith("Ada Quill: ")
    assert len(SUBSCRIBER.read_text(encoding="utf-8").splitlines()) <= 30, "an example to be read at a glance"
    until(lambda: len(plant.topics.records(Topic.JOBS)) >= 3)
    events = [read_cloud_event(each.headers, each.value) for each in plant.topics.records(Topic.JOBS)]
    assert [each.type for each in events] == [EventType.JOB_QUEUED, EventType.JOB_STARTED, EventType.JOB_DONE]
    assert len({each.traceparent for each in events} - {None}) == 1


def test_an_episode_put_into_the_bucket_by_plain_boto3_comes_out_as_an_event(
    plant: Plant, kafka: KafkaServer, s3: S3Server
) -> None:
    """No call to our API, no event of ours: only what the S3 server tells, copied to the test's own topic."""
    plant.produce()
    [notification] = notifications_of(kafka, s3, plant.bucket, 1)
    plant.topics.append(Topic.BUCKET_EVENTS, notification.value)
    for words in (["intake"], ["worker"], ["publish"]):
        plant.command(*words)

    until(lambda: plant.topics.records(Topic.TRANSCRIPTS))

    [record] = plant.topics.records(Topic.TRANSCRIPTS)
    event = read_cloud_event(record.headers, record.value)
    assert event.type is EventType.TRANSCRIPT_PUBLISHED
    assert event.traceparent is not None
    [latest] = plant.topics.records(Topic.TRANSCRIPTS_LATEST)
    assert (latest.key, latest.value) == (record.key, record.value)
