"""Topics of a test's own on the real broker, and a plain client to write to them and read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.kafka import KafkaDeadLetters, KafkaSink, KafkaSource
from adapters.kafka_access import KafkaAccess
from schemas.topics import Topic


@dataclass
class Made:
    """Topics under a prefix; everything that was opened is closed by `close`."""

    access: KafkaAccess
    _opened: list[Any] = field(default_factory=list)

    def source(self, *topics: Topic, group: str = "intake", **options: Any) -> KafkaSource:
        source = KafkaSource(self.access, topics, group=self.access.prefix + group, **options)
        self._opened.append(source)
        return source

    def sink(self) -> KafkaSink:
        """One more publisher of the same installation."""
        sink = KafkaSink(self.access, transactional_id=f"{self.access.prefix}publisher")
        self._opened.append(sink)
        return sink

    def letters(self) -> KafkaDeadLetters:
        letters = KafkaDeadLetters(self.access)
        self._opened.append(letters)
        return letters

    def append(
        self,
        topic: Topic,
        value: bytes | None,
        *,
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
        partition: int = 0,
    ) -> None:
        """Write a record as any producer would."""
        from kafka import KafkaProducer

        producer = KafkaProducer(
            bootstrap_servers=self.access.servers, acks="all", enable_idempotence=True, reconnect_backoff_max_ms=1000
        )
        try:
            sent = producer.send(
                self.access.name(topic), value=value, key=key or b"-", headers=list(headers), partition=partition
            )
            sent.get(timeout=10)
        finally:
            producer.close(timeout=5)

    def records(self, topic: Topic, *, isolation: str = "read_committed") -> list[Any]:
        """Everything on the topic, partition by partition, as a plain consumer sees it."""
        from kafka import KafkaConsumer, TopicPartition

        consumer = KafkaConsumer(
            bootstrap_servers=self.access.servers,
            group_id=None,
            isolation_level=isolation,
            reconnect_backoff_max_ms=1000,
        )
        try:
            name = self.access.name(topic)
            places = [TopicPartition(name, number) for number in sorted(consumer.partitions_for_topic(name))]
            consumer.assign(places)
            consumer.seek_to_beginning(*places)
            ends = consumer.end_offsets(places)
            found: dict[Any, list[Any]] = {place: [] for place in places}
            while any(consumer.position(place) < ends[place] for place in places):
                for place, records in consumer.poll(timeout_ms=200).items():
                    found[place] += records
            return [each for place in places for each in found[place]]
        finally:
            consumer.close(autocommit=False, timeout_ms=1000)

    def close(self) -> None:
        for each in self._opened:
            each.close()
