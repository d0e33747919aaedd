"""Publishing to a real broker that goes away, by real processes that are stopped and wake up."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.database import Ledger
from adapters.kafka_access import KafkaAccess
from adapters.kafka_topics import KafkaTopics
from schemas.cloudevents import read_cloud_event
from schemas.episode import Episode
from schemas.errors import TransientError
from schemas.events import EventType, TranscriptDeleted
from schemas.job import Job, JobOptions
from schemas.topics import Topic
from tests.servers import SERVERS, KafkaServer
from tests.topics import Made
from transcription.ports import NewJob, Result
from workers.publisher import Publisher, publish_until

pytestmark = [pytest.mark.services, pytest.mark.processes, pytest.mark.timeout(240)]

ROOT = Path(__file__).resolve().parent.parent.parent
EPISODE = Episode(id="7d5c9c6e-0d55-5d2a-a3ab-8b1b1a7c9f10")

#: A publisher that stops as by SIGSTOP when it has read what to send.
PAUSED = """
import os, signal, sys
from adapters.settings import read_settings
from adapters.wiring import open_ledger, open_sink
from schemas.errors import LeaseLost
from workers.publisher import Publisher

def pause(place):
    if place == "before_publish":
        os.kill(os.getpid(), signal.SIGSTOP)

settings = read_settings()
publisher = Publisher(open_ledger(settings), open_sink(settings), name="held up", lead_seconds=1.0, reached=pause)
try:
    print(publisher.publish_pending())
except LeaseLost as error:
    print(error.code)
"""


def publish_revision(ledger: Ledger, episode: Episode = EPISODE) -> Job:
    """A job from its request to its end: four events."""
    numbers = itertools.count()
    job_id = str(uuid.uuid4())
    ledger.add(NewJob(episode, JobOptions(), f"uploads/{job_id}", f"dedupe {job_id}"), job_id=job_id)
    claimed = ledger.claim(f"worker {next(numbers)}", lease_seconds=30)
    assert claimed is not None
    return ledger.finish(
        claimed.lease,
        Result(
            document_key=f"results/{job_id}/1/transcript.json",
            document_sha256="0" * 64,
            document_bytes=10,
            audio_seconds=1.0,
            audio_sha256="1" * 64,
            language="en",
            speaker_count=1,
            named_speaker_count=0,
            word_count=1,
            coverage=1.0,
            no_speech=False,
        ),
    )


def until(find: Callable[[], object], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not find():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def is_stopped(process: subprocess.Popen[str]) -> bool:
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def revisions(made: Made, topic: Topic, *, isolation: str = "read_uncommitted") -> list[int]:
    records = made.records(topic, isolation=isolation)
    return [read_cloud_event(each.headers, each.value).data.revision for each in records]  # type: ignore[union-attr]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_stopped_publisher_that_wakes_up_puts_no_old_revision_over_a_newer_one(
    kafka: KafkaServer, topics: Made, tmp_path: Path
) -> None:
    environment = os.environ | {
        "STENOCAST_DATA_DIR": str(tmp_path),
        "STENOCAST_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "STENOCAST_KAFKA_GROUP": topics.access.prefix.rstrip("."),
        "STENOCAST_TOPIC_PREFIX": topics.access.prefix,
    }
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite3'}")
    publish_revision(ledger)
    held_up = subprocess.Popen(
        [sys.executable, "-c", PAUSED], env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        until(lambda: is_stopped(held_up))
        publish_revision(ledger)
        sink = topics.sink()
        sink._transactional_id = f"{topics.access.prefix.rstrip('.')}-publisher"
        other = Publisher(ledger, sink, name="other")
        until(lambda: other.publish_pending() == 8)

        held_up.send_signal(signal.SIGCONT)
        said, _ = held_up.communicate(timeout=60)
    finally:
        held_up.kill()

    assert said.endswith("publishing_lost\n")
    assert revisions(topics, Topic.TRANSCRIPTS_LATEST) == [1, 2]
    assert revisions(topics, Topic.TRANSCRIPTS) == [1, 2]


@pytest.fixture(scope="module")
def own_kafka(kafka: KafkaServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """A broker of this module's own; what to call with the words of `servers.py`.

    `kafka` is asked for because without servers for the tests there are none to start here either.
    """
    folder = tmp_path_factory.mktemp("servers")

    def servers(*words: str) -> str:
        command = [sys.executable, str(SERVERS), "--folder", str(folder / "own"), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=200).stdout

    servers("up", "--only", "kafka")
    yield servers
    servers("down")


@pytest.fixture
def own_topics(own_kafka: Callable[..., str]) -> Iterator[Made]:
    bootstrap = json.loads(own_kafka("env", "--json"))["STENOCAST_TEST_KAFKA"]
    made = Made(KafkaAccess(bootstrap, prefix=f"t{uuid.uuid4().hex[:12]}."))
    KafkaTopics(made.access).create(partitions=2)
    yield made
    made.close()


def test_jobs_finish_while_the_broker_is_dead_and_their_events_follow_in_order(
    own_kafka: Callable[..., str], own_topics: Made, tmp_path: Path
) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite3'}")
    stop = threading.Event()
    publisher = threading.Thread(target=publish_until, args=(stop, ledger, own_topics.sink()))
    publisher.start()
    try:
        publish_revision(ledger)
        until(lambda: ledger.backlog().unpublished_events == 0)
        own_kafka("kill", "kafka")
        for _ in range(3):
            publish_revision(ledger)
        time.sleep(3.0)
        waiting = ledger.backlog().unpublished_events
        own_kafka("start", "kafka")
        until(lambda: ledger.backlog().unpublished_events == 0)
    finally:
        stop.set()
        publisher.join(60)

    assert waiting == 12
    kinds = [read_cloud_event(each.headers, each.value).type for each in own_topics.records(Topic.JOBS)]
    assert kinds == [EventType.JOB_QUEUED, EventType.JOB_STARTED, EventType.JOB_DONE] * 4
    assert revisions(own_topics, Topic.TRANSCRIPTS, isolation="read_committed") == [1, 2, 3, 4]


@pytest.mark.timeout(400)
def test_a_publisher_killed_while_the_broker_is_away_leaves_all_that_waits_to_the_next(
    own_kafka: Callable[..., str], own_topics: Made, tmp_path: Path
) -> None:
    """`stenocast publish`, killed with the broker dead, and another one that starts before the broker is back."""
    environment = os.environ | {
        "STENOCAST_DATA_DIR": str(tmp_path),
        "STENOCAST_KAFKA_BOOTSTRAP": own_topics.access.bootstrap,
        "STENOCAST_TOPIC_PREFIX": own_topics.access.prefix,
        "STENOCAST_LEASE_SECONDS": "1.0",
        "STENOCAST_HEARTBEAT_SECONDS": "0.2",
    }
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite3'}")
    log = tmp_path / "publisher.log"

    def start() -> subprocess.Popen[bytes]:
        with log.open("ab") as out:
            return subprocess.Popen(
                [sys.executable, "-m", "cli.main", "publish"], env=environment, cwd=ROOT, stderr=out
            )

    publisher = start()
    try:
        publish_revision(ledger)
        until(lambda: ledger.backlog().unpublished_events == 0)
        own_kafka("kill", "kafka")
        publish_revision(ledger)
        until(lambda: "events not published" in log.read_text())
        publisher.kill()
        publisher.wait()
        publish_revision(ledger)
        publisher = start()
        until(lambda: log.read_text().count("events not published") > 1)
        own_kafka("start", "kafka")
        until(lambda: ledger.backlog().unpublished_events == 0)
        publisher.terminate()
        publisher.wait(60)
    finally:
        publisher.kill()
        own_kafka("start", "kafka")

    assert revisions(own_topics, Topic.TRANSCRIPTS, isolation="read_committed") == [1, 2, 3]
    assert revisions(own_topics, Topic.TRANSCRIPTS_LATEST, isolation="read_committed") == [1, 2, 3]
    assert own_topics.access.bootstrap in log.read_text()
    assert "events published again" in log.read_text()


def test_a_source_goes_on_soon_after_a_dead_broker_is_back(own_kafka: Callable[..., str], own_topics: Made) -> None:
    """Well before the session of a member that came back as another would be over."""
    source = own_topics.source(Topic.EPISODES, session_timeout_ms=45_000)
    own_topics.append(Topic.EPISODES, b"one")
    batch = source.poll(seconds=10)
    own_kafka("kill", "kafka")
    with pytest.raises(TransientError):
        source.commit(batch)
    source.restore(batch)
    own_kafka("start", "kafka")
    own_topics.append(Topic.EPISODES, b"two")

    found: list[bytes | None] = []
    deadline = time.monotonic() + 20
    while len(found) < 2 and time.monotonic() < deadline:
        found += [each.value for each in source.poll(seconds=1.0)]

    assert found == [b"one", b"two"]


def test_a_source_says_why_nothing_comes_while_its_broker_is_dead(
    own_kafka: Callable[..., str], own_topics: Made
) -> None:
    source = own_topics.source(Topic.EPISODES)
    source.poll(seconds=5.0)
    before = source.trouble()
    own_kafka("kill", "kafka")
    told: list[TransientError | None] = []

    def polled() -> TransientError | None:
        assert source.poll(seconds=0.5) == []
        told.append(source.trouble())
        return told[-1]

    until(lambda: polled() is not None, seconds=20)
    away = told[-1]
    own_kafka("start", "kafka")

    until(lambda: polled() is None, seconds=20)
    assert before is None
    assert away is not None
    assert away.code == "kafka_unavailable"
    assert own_topics.access.bootstrap in away.message


def test_a_deleted_episode_is_told_to_subscribers_and_leaves_a_tombstone_behind(topics: Made, tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite3'}")
    publisher = Publisher(ledger, topics.sink(), name="ada")
    publish_revision(ledger)
    publisher.publish_pending()
    kept = Episode(id=str(uuid.uuid4()))
    publish_revision(ledger, kept)
    ledger.delete(EPISODE.id, by="api")

    while publisher.publish_pending():
        continue
    publisher.resign()

    told = [read_cloud_event(each.headers, each.value) for each in topics.records(Topic.TRANSCRIPTS)]
    ours = [event for event in told if event.subject == EPISODE.id]
    assert [event.type for event in ours] == [EventType.TRANSCRIPT_PUBLISHED, EventType.TRANSCRIPT_DELETED]
    assert ours[1].data == TranscriptDeleted(EPISODE.id, 1)
    latest = {each.key: each.value for each in topics.records(Topic.TRANSCRIPTS_LATEST)}
    assert {key for key, value in latest.items() if value is None} == {EPISODE.id.encode()}
    assert kept.id.encode() in latest
