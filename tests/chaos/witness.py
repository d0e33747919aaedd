"""What the world outside sees: every event on the topics, in the order of its partition, as a reader gets them."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.cloudevents import read_cloud_event
from schemas.errors import InputError
from schemas.events import Event, EventType

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


_UNHEARD_OF = object()


class UnreadableEvent(Exception):
    """A record on our topics that is none of our events."""


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

    def types(self, topic: str, episode_id: str) -> list[EventType]:
        """Of the events in the order in which they were first seen."""
        return list({event.id: event.type for event in self.seen(topic, episode_id).events}.values())

    def latest(self, episode_id: str) -> Event | None:
        """What compaction would leave of an episode on `transcripts-latest`."""
        with self._lock:
            return self._latest.get(episode_id)

    def is_buried(self, episode_id: str) -> bool:
        """Whether compaction would leave a tombstone of an episode on `transcripts-latest`."""
        with self._lock:
            return self._latest.get(episode_id, _UNHEARD_OF) is None

    def _watch(self) -> None:
        """Read until the end; with a new consumer, from where we were, when the broker's death broke the old one."""
        positions: dict[Any, int] = {}
        while not self._stop.is_set():
            try:
                self._read(positions)
            except UnreadableEvent as error:
                self.trouble = error
                return
            except Exception as error:
                print(f"the witness begins again: {type(error).__name__}: {error}", flush=True)
                self._stop.wait(0.2)

    def _read(self, positions: dict[Any, int]) -> None:
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
        try:
            partitions = [
                TopicPartition(topic, number)
                for topic in TOPICS
                for number in sorted(consumer.partitions_for_topic(topic) or ())
            ]
            if not partitions:
                raise KafkaError("the broker knows no topics yet")
            consumer.assign(partitions)
            for place in partitions:
                consumer.seek(place, positions.get(place, 0))
            while not self._stop.is_set():
                try:
                    found = consumer.poll(timeout_ms=200)
                except KafkaError:
                    continue  # the broker is being killed; the positions are ours and stay
                for place, records in found.items():
                    self._note(place.topic, records)
                    positions[place] = records[-1].offset + 1
        finally:
            consumer.close(autocommit=False)

    def _note(self, topic: str, records: Sequence[Any]) -> None:
        with self._lock:
            for record in records:
                episode_id = record.key.decode()
                try:
                    event = None if record.value is None else read_cloud_event(record.headers, record.value)
                except InputError as error:
                    raise UnreadableEvent(f"{topic} at {record.offset}: {error.message}") from error
                if event is not None:
                    self._seen[(topic, episode_id)].events.append(event)
                if topic == "transcripts-latest":
                    self._latest[episode_id] = event


def latest_records(bootstrap: str, topic: str, *, most: int = 20) -> list[Any]:
    """The last records of each partition of a topic."""
    from kafka import KafkaConsumer
    from kafka.structs import TopicPartition

    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, reconnect_backoff_max_ms=500)
    try:
        partitions = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        left = {place for place in partitions if ends[place] > 0}
        for place in left:
            consumer.seek(place, max(0, ends[place] - most))
        found: list[Any] = []
        deadline = time.monotonic() + 10
        while left and time.monotonic() < deadline:
            for records in consumer.poll(timeout_ms=200).values():
                found.extend(records)
            left = {place for place in left if consumer.position(place) < ends[place]}
        return found
    finally:
        consumer.close(autocommit=False)


def send_again(bootstrap: str, records: Sequence[Any]) -> None:
    """The same keys, values and headers once more."""
    from kafka import KafkaProducer

    producer = KafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, reconnect_backoff_max_ms=500
    )
    try:
        for record in records:
            producer.send(record.topic, value=record.value, key=record.key, headers=list(record.headers))
        producer.flush(timeout=20)
    finally:
        producer.close(timeout=2)
