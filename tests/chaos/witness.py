"""What the world outside sees: every event on the topics, in the order of its partition, as a reader gets them."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass, field

from schemas.cloudevents import read_cloud_event
from schemas.events import Event

TOPICS = ("jobs", "transcripts", "transcripts-latest")


@dataclass
class Seen:
    """The events of one episode on one topic, copies included, in order."""

    events: list[Event] = field(default_factory=list)

    @property
    def first_copies(self) -> list[str]:
        """The ids in the order in which they were first seen."""
        return list(dict.fromkeys(event.id for event in self.events))

    @property
    def copies(self) -> int:
        return len(self.events) - len(self.first_copies)


class Witness:
    """Reads all topics from the beginning in a thread of its own, without a group, only what was committed."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._seen: dict[tuple[str, str], Seen] = defaultdict(Seen)
        self._latest: dict[str, Event | None] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="witness", daemon=True)
        self.trouble: Exception | None = None

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._stop.set()
        self._thread.join(10)

    def seen(self, topic: str, episode_id: str) -> Seen:
        with self._lock:
            return Seen(list(self._seen[(topic, episode_id)].events))

    def latest(self, episode_id: str) -> Event | None:
        """What compaction would leave of an episode on `transcripts-latest`."""
        with self._lock:
            return self._latest.get(episode_id)

    def _watch(self) -> None:
        from kafka import KafkaConsumer
        from kafka.errors import KafkaError
        from kafka.structs import TopicPartition

        consumer = KafkaConsumer(
            bootstrap_servers=self._bootstrap,
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            reconnect_backoff_max_ms=500,
            metadata_max_age_ms=2000,
        )
        partitions = [
            TopicPartition(topic, number)
            for topic in TOPICS
            for number in sorted(consumer.partitions_for_topic(topic) or ())
        ]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        while not self._stop.is_set():
            try:
                for place, records in consumer.poll(timeout_ms=200).items():
                    self._note(place.topic, records)
            except KafkaError:
                continue  # the broker is being killed; the positions are ours and stay
            except Exception as error:
                self.trouble = error
                return
        consumer.close(autocommit=False)

    def _note(self, topic: str, records: list[object]) -> None:
        with self._lock:
            for record in records:
                episode_id = record.key.decode()  # type: ignore[attr-defined]
                value = record.value  # type: ignore[attr-defined]
                event = None if value is None else read_cloud_event(record.headers, value)  # type: ignore[attr-defined]
                if event is not None:
                    self._seen[(topic, episode_id)].events.append(event)
                if topic == "transcripts-latest":
                    self._latest[episode_id] = event


