"""`stenocast topics`, `publish` and `events` on a real broker, and what they say without one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from adapters.database import Ledger
from schemas.episode import Episode
from schemas.job import JobOptions
from schemas.topics import PLANS, Topic
from tests.servers import KafkaServer
from tests.topics import Made
from transcription.ports import NewJob

ROOT = Path(__file__).resolve().parent.parent.parent


def command(data: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {f"STENOCAST_{name}": value for name, value in settings.items()}
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *words],
        env=environment | {"STENOCAST_DATA_DIR": str(data)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def with_job(data: Path) -> Ledger:
    ledger = Ledger.open(f"sqlite:///{data / 'ledger.sqlite3'}")
    ledger.add(NewJob(Episode(id=str(uuid.uuid4())), JobOptions(), "uploads/x", "x"), job_id=str(uuid.uuid4()))
    return ledger


def test_without_kafka_the_topics_command_names_the_setting(tmp_path: Path) -> None:
    done = command(tmp_path, "topics", "list")

    assert done.returncode == 1
    assert "STENOCAST_KAFKA_BOOTSTRAP is empty" in done.stderr
    assert "[kafka_missing]" in done.stderr


def test_without_kafka_events_are_published_to_the_log_and_shown_from_there(tmp_path: Path) -> None:
    with_job(tmp_path)

    published, shown = command(tmp_path, "publish", "--once"), command(tmp_path, "events")

    assert published.stdout == "1 events published\n"
    assert json.loads(shown.stdout)["type"] == "job.queued.v1"


@pytest.mark.services
def test_topics_are_made_once_and_listed(kafka: KafkaServer, topics: Made, tmp_path: Path) -> None:
    settings = {"KAFKA_BOOTSTRAP": kafka.bootstrap, "TOPIC_PREFIX": topics.access.prefix}

    made, listed = (
        command(tmp_path, "topics", "create", "--partitions", "2", **settings),
        command(tmp_path, "topics", "list", "--json", **settings),
    )

    assert made.returncode == 0
    assert made.stdout.splitlines()[0] == f"{topics.access.name(Topic.EPISODES)}\t2 partitions"
    assert [each["partitions"] for each in json.loads(listed.stdout)] == [2, 2, 2, 2, 2, 1]
    assert len(json.loads(listed.stdout)) == len(PLANS)


@pytest.mark.services
def test_with_kafka_events_are_published_to_the_topics_and_shown_from_there(
    kafka: KafkaServer, topics: Made, tmp_path: Path
) -> None:
    with_job(tmp_path)
    settings = {
        "KAFKA_BOOTSTRAP": kafka.bootstrap,
        "KAFKA_GROUP": topics.access.prefix.rstrip("."),
        "TOPIC_PREFIX": topics.access.prefix,
    }

    published, shown = command(tmp_path, "publish", "--once", **settings), command(tmp_path, "events", **settings)

    assert published.stdout == "1 events published\n"
    assert json.loads(shown.stdout)["type"] == "job.queued.v1"
    assert not (tmp_path / "events.jsonl").exists()


@pytest.mark.services
def test_a_topic_that_is_otherwise_than_planned_is_named_with_what_changes_it(
    kafka: KafkaServer, topics: Made, tmp_path: Path
) -> None:
    """The fixture's topics have two partitions."""
    where = {"KAFKA_BOOTSTRAP": kafka.bootstrap, "TOPIC_PREFIX": topics.access.prefix}

    done = command(tmp_path, "topics", "create", **where)

    assert done.returncode == 0, done.stderr
    assert f"{topics.access.name(Topic.BUCKET_EVENTS)}: 2 partitions instead of 6" in done.stderr
    assert "kafka-topics.sh --alter" in done.stderr
