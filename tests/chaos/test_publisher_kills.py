"""Publishers killed with events waiting: real `stenocast publish` processes, a real ledger, a real broker.

Each is killed as by `kill -9` with a backlog of two batches and several episodes: before it sends, with half of a
batch at the broker, with all of it there and nothing committed, and after the commit before the ledger knows.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from adapters.database import Ledger
from schemas.cloudevents import read_cloud_event
from schemas.episode import Episode
from schemas.events import Event
from schemas.topics import Topic, topics_of
from tests.servers import KafkaServer
from tests.topics import Made
from tests.workers.test_publishing import publish_revision, until
from workers.publisher import BATCH, Publisher

pytestmark = [pytest.mark.services, pytest.mark.processes, pytest.mark.timeout(240)]

ROOT = Path(__file__).resolve().parent.parent.parent
EPISODES = 4
REVISIONS = 8  #: of each episode; a job tells four events
KILLS = 2  #: one after the other at the same place: the second one meets what the first left

#: `stenocast publish` that dies inside the sending, where only the library is: `DIE_AT` is `record` or `commit`.
DYING = """
import os, signal, sys
import adapters.kafka
from kafka import KafkaProducer

class Dying(KafkaProducer):
    sent = 0

    def send(self, *given, **named):
        sent = super().send(*given, **named)
        Dying.sent += 1
        if os.environ["DIE_AT"] == "record" and Dying.sent == 50:
            self.flush(10)
            os.kill(os.getpid(), signal.SIGKILL)
        return sent

    def commit_transaction(self):
        os.kill(os.getpid(), signal.SIGKILL)

adapters.kafka.KafkaProducer = Dying
sys.argv = ["stenocast", "publish"]
from cli.main import main
main()
"""


class Outbox:
    """A ledger whose events wait, and the publishers started on it."""

    def __init__(self, folder: Path, kafka: KafkaServer, topics: Made) -> None:
        group = topics.access.prefix.rstrip(".")
        self.topics = topics
        self._transactional_id = f"{group}-publisher"
        self._processes: list[subprocess.Popen[bytes]] = []
        self._environ = os.environ | {
            "STENOCAST_DATA_DIR": str(folder),
            "STENOCAST_KAFKA_BOOTSTRAP": kafka.bootstrap,
            "STENOCAST_KAFKA_GROUP": group,
            "STENOCAST_TOPIC_PREFIX": topics.access.prefix,
            "STENOCAST_LEASE_SECONDS": "1.0",
            "STENOCAST_HEARTBEAT_SECONDS": "0.2",
            "STENOCAST_ALLOW_SCRIPTED": "true",
        }
        self.ledger = Ledger.open(f"sqlite:///{folder / 'ledger.sqlite3'}")
        episodes = [Episode(id=str(uuid.uuid4())) for _ in range(EPISODES)]
        for _ in range(REVISIONS):
            for episode in episodes:
                publish_revision(self.ledger, episode)
        self.waited = [event for _, event in self.ledger.pending_events(limit=10_000)]
        assert len(self.waited) > BATCH

    def start(self, place: str = "") -> subprocess.Popen[bytes]:
        """One that dies at this place, or none that does."""
        inside = place in ("record", "commit")
        words = ["-c", DYING] if inside else ["-m", "cli.main", "publish"]
        told = {"DIE_AT": place} if inside else {"STENOCAST_CRASH_AT": place}
        process = subprocess.Popen([sys.executable, *words], env=self._environ | told, cwd=ROOT)
        self._processes.append(process)
        return process

    def publish_a_batch(self) -> None:
        """Have a publisher of this process send and mark one batch, and leave."""
        sink = self.topics.sink()
        sink._transactional_id = self._transactional_id
        publisher = Publisher(self.ledger, sink, name="before")
        assert publisher.publish_pending() == BATCH
        publisher.resign()

    def is_empty(self) -> bool:
        return self.ledger.backlog().unpublished_events == 0

    def expected(self, topic: Topic) -> dict[str, list[str]]:
        """The ids of each episode's events on a topic, in the ledger's order."""
        return ids_by_episode(event for event in self.waited if topic in topics_of(event.type))

    def arrived(self, topic: Topic) -> list[Event]:
        """What readers of committed records see, copies included."""
        return [read_cloud_event(each.headers, each.value) for each in self.topics.records(topic)]

    def end(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
        self.ledger.close()


def ids_by_episode(events: Iterable[Event]) -> dict[str, list[str]]:
    """First copies alone, in order."""
    found: dict[str, dict[str, None]] = {}
    for event in events:
        found.setdefault(event.subject, {})[event.id] = None
    return {episode_id: list(ids) for episode_id, ids in found.items()}


@pytest.fixture
def outbox(tmp_path: Path, kafka: KafkaServer, topics: Made) -> Iterator[Outbox]:
    made = Outbox(tmp_path, kafka, topics)
    yield made
    made.end()


def check_nothing_is_lost(outbox: Outbox) -> None:
    """Every row of the outbox arrived, in order for each episode; a copy says what the first one said."""
    for topic in (Topic.JOBS, Topic.TRANSCRIPTS, Topic.TRANSCRIPTS_LATEST):
        arrived = outbox.arrived(topic)
        assert ids_by_episode(arrived) == outbox.expected(topic), topic
        first: dict[str, Event] = {}
        assert all(first.setdefault(event.id, event) == event for event in arrived), topic
    latest = {event.subject: event for event in outbox.arrived(Topic.TRANSCRIPTS_LATEST)}
    revisions = [event.data.revision for event in latest.values()]  # type: ignore[union-attr]
    assert revisions == [REVISIONS] * EPISODES


@pytest.mark.parametrize(
    ("place", "batches_before", "copies"),
    [("before_publish", 0, False), ("record", 1, False), ("commit", 0, False), ("after_send", 1, True)],
)
def test_publishers_killed_with_events_waiting_lose_none_and_keep_their_order(
    outbox: Outbox, place: str, batches_before: int, copies: bool
) -> None:
    for _ in range(batches_before):
        outbox.publish_a_batch()

    for _ in range(KILLS):
        assert outbox.start(place).wait(60) == -signal.SIGKILL
    outbox.start()

    until(outbox.is_empty)
    check_nothing_is_lost(outbox)
    told = [event.id for event in outbox.arrived(Topic.JOBS)]
    assert (len(told) > len(set(told))) == copies  # what was not committed nobody saw, though half of it was there
