"""Apache Kafka by kafka-python: where events and dead letters go out, and where records come in.

No client here lets a broker make a topic by itself: a misspelt name would get the broker's defaults without a word.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import structlog
from kafka import KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka import errors as kafka_errors
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor

from adapters.kafka_access import (
    ANSWER_SECONDS,
    CLOSE_SECONDS,
    TOO_LARGE,
    KafkaAccess,
    missing_topic,
    opened,
    translated,
    why_away,
)
from schemas.cloudevents import event_headers, write_event
from schemas.errors import InputError, LeaseLost, StenocastError, TransientError
from schemas.events import Event
from schemas.topics import Topic, is_tombstone, topics_of
from transcription.ports import DeadLetter, Record

log = structlog.get_logger()

DELIVERY_SECONDS = 15.0  #: from a send to its acknowledgement, tries again included
#: After which the broker itself ends what a dead publisher began. Readers of committed records wait as long.
TRANSACTION_SECONDS = 20.0
_LARGEST_REQUEST_BYTES = 2 * 1024 * 1024
#: Without a connection to any broker before that is worth a word: the library itself closes one now and then, and
#: tries a broker again within two seconds.
AWAY_SECONDS = 3.0

#: Topic, key, value, headers.
Outgoing = tuple[str, bytes | None, bytes | None, tuple[tuple[str, bytes], ...]]


# ---------------------------------------------------------------- out


def _within(seconds: float, call: Callable[[], object], *, doing: str) -> None:
    """Wait for a call of the library that has no time limit of its own; beyond it the call is left to itself."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, name="kafka-wait", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise kafka_errors.KafkaTimeoutError(f"{doing} took more than {seconds:g} s")
    if failed:
        raise failed[0]


class _Producer:
    """A KafkaProducer whose every record is acknowledged by all replicas, in order, before `send` returns."""

    def __init__(self, access: KafkaAccess, *, transactional_id: str | None = None) -> None:
        self._access = access
        self._transactional_id = transactional_id
        self._kafka: KafkaProducer = opened(
            access,
            KafkaProducer,
            acks="all",
            enable_idempotence=True,
            transactional_id=transactional_id,
            transaction_timeout_ms=int(TRANSACTION_SECONDS * 1000),
            delivery_timeout_ms=int(DELIVERY_SECONDS * 1000),
            request_timeout_ms=int(ANSWER_SECONDS * 1000),
            max_block_ms=int(ANSWER_SECONDS * 1000),
            max_request_size=_LARGEST_REQUEST_BYTES,
            allow_auto_create_topics=False,
        )

    def require(self, topics: Sequence[Topic]) -> None:
        """Raise NotReady `topic_missing` unless all are there."""
        for topic in topics:
            try:
                self._kafka.partitions_for(self._access.name(topic))
            except kafka_errors.KafkaTimeoutError as error:
                raise missing_topic(self._access, topic) from error

    def fence(self) -> None:
        """Shut out every earlier producer with the same transactional id, and undo what it has not committed."""
        self._kafka.init_transactions()

    def send(self, records: Sequence[Outgoing]) -> None:
        """Raise for the first record that was not taken."""
        if self._transactional_id is not None:
            self._kafka.begin_transaction()
        sent = [
            self._kafka.send(topic, key=key, value=value, headers=list(headers))
            for topic, key, value, headers in records
        ]
        self._kafka.flush(DELIVERY_SECONDS + ANSWER_SECONDS)
        for each in sent:
            each.get(timeout=0)
        if self._transactional_id is not None:
            _within(DELIVERY_SECONDS, self._kafka.commit_transaction, doing="the commit")

    def close(self) -> None:
        # Nothing is worth waiting for: what was sent is acknowledged, and what was not will be sent again.
        try:
            self._kafka.close(timeout=CLOSE_SECONDS)
        except Exception:
            with suppress(Exception):
                self._give_up()

    def _give_up(self) -> None:
        """End a producer that has unsent records: the library's `close` fails over them before it ends anything, and
        thread and connections would stay for good (kafka-python 3.0.12)."""
        sender = self._kafka._sender
        sender.force_close()
        sender.join(CLOSE_SECONDS)
        self._kafka.close(timeout=CLOSE_SECONDS)


class KafkaSink:
    """`EventSink` on Kafka: one transaction for each `send`, and one sender at a time.

    All publishers of an installation use the same transactional id. `take_over` raises its epoch at the broker, so
    that a publisher that was held up (a paused process, a lost network) and wakes up cannot put an old revision over
    a newer one on the compacted topic: the broker refuses its records. Readers of committed records see each `send`
    whole or not at all.
    """

    TOPICS = (Topic.JOBS, Topic.TRANSCRIPTS, Topic.TRANSCRIPTS_LATEST)

    def __init__(self, access: KafkaAccess, *, transactional_id: str) -> None:
        self._access = access
        self._transactional_id = transactional_id
        self._producer: _Producer | None = None

    def take_over(self) -> None:
        self.close()
        producer = _Producer(self._access, transactional_id=self._transactional_id)
        try:
            with translated(self._access, doing="let a publisher take over"):
                producer.require(self.TOPICS)
                producer.fence()
        except BaseException:
            producer.close()
            raise
        self._producer = producer

    def send(self, events: Sequence[Event]) -> None:
        if self._producer is None:
            raise LeaseLost("nothing is sent before the publishing is taken over", code="publishing_lost")
        if not events:
            return
        try:
            with translated(self._access, doing="take the events"):
                self._producer.send([each for event in events for each in self._records(event)])
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.close()

    def _records(self, event: Event) -> list[tuple[str, bytes, bytes | None, tuple[tuple[str, bytes], ...]]]:
        key, value, headers = event.subject.encode(), write_event(event), event_headers(event)
        return [
            (self._access.name(topic), key, None if is_tombstone(event, topic) else value, headers)
            for topic in topics_of(event.type)
        ]


#: Names of the headers that a dead letter has beside those of its record.
LETTER_HEADERS = (
    *("dl_reason", "dl_message", "dl_topic", "dl_partition", "dl_offset", "dl_timestamp"),
    *("dl_stored_key", "dl_stored_beside"),
)


class KafkaDeadLetters:
    """`DeadLetters` on the topic of that name: key, value and headers as they came, ours beside them."""

    def __init__(self, access: KafkaAccess) -> None:
        self._access = access
        self._producer: _Producer | None = None

    def send(self, letters: Sequence[DeadLetter]) -> None:
        if not letters:
            return
        topic = self._access.name(Topic.DEAD_LETTERS)
        records = [(topic, *_letter_record(each)) for each in letters]
        try:
            with translated(self._access, doing="take the dead letters"):
                if self._producer is None:
                    self._producer = _Producer(self._access)
                    self._producer.require([Topic.DEAD_LETTERS])
                self._producer.send(records)
        except BaseException as error:
            self.close()
            if isinstance(error.__cause__, TOO_LARGE):
                longest = max(sum(len(each or b"") for each in record[1:3]) for record in records)
                raise InputError(
                    f"{topic} takes no letter this long ({longest} bytes and headers); look at its max.message.bytes",
                    code="letter_too_large",
                ) from error
            raise

    def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.close()


def _letter_record(letter: DeadLetter) -> tuple[bytes | None, bytes, tuple[tuple[str, bytes], ...]]:
    """Key, value and headers. A tombstone becomes an empty value: dead letters are not compacted."""
    letter.check()
    record, is_beside = letter.record, letter.stored_beside is None
    ours = {
        "dl_reason": letter.reason,
        "dl_message": letter.message[:2000],
        "dl_topic": record.topic,
        "dl_partition": str(record.partition),
        "dl_offset": str(record.offset),
        "dl_timestamp": "" if record.timestamp is None else f"{record.timestamp:.3f}",
        "dl_stored_key": letter.stored_key or "",
        "dl_stored_beside": letter.stored_beside or "",
    }
    value = b"" if letter.stored_key is not None else record.value or b""
    headers = record.headers if is_beside else ()
    told = tuple((name, text.encode(errors="replace")) for name, text in ours.items() if text)
    return record.key if is_beside else None, value, (*headers, *told)


# ---------------------------------------------------------------- in


class KafkaSource:
    """`RecordSource` of a consumer group: the classic protocol, offsets committed by hand, partitions that stay put.

    At least once. The same record (topic, partition, offset) comes again after a crash before its commit, after a
    rebalance between poll and commit, after `restore`, and to everybody when the group's offsets are set back.
    """

    def __init__(
        self, access: KafkaAccess, topics: Sequence[Topic], *, group: str, most_records: int = 500, **options: Any
    ) -> None:
        """`options` go to the KafkaConsumer as they are."""
        self._access = access
        self._topics = tuple(topics)
        self._group = group
        self._most_records = most_records
        self._options = options
        self._consumer: KafkaConsumer | None = None
        self._connected_at = 0.0  #: when a broker was last seen connected

    def poll(self, *, seconds: float) -> Sequence[Record]:
        with self._renewed_after_errors("give records"):
            consumer = self._open()
            try:
                found = consumer.poll(timeout_ms=int(seconds * 1000))
            except kafka_errors.CorruptRecordError as error:
                return [self._stepped_over(consumer, error)]
            return [_record(each) for records in found.values() for each in records]

    def trouble(self) -> TransientError | None:
        """The library says nothing of brokers that went away; its connections do."""
        consumer, now = self._consumer, time.monotonic()
        # A copy: the library's own thread adds and removes connections meanwhile.
        if consumer is None or any(each.connected for each in list(consumer._manager._conns.values())):
            self._connected_at = now
        return None if now - self._connected_at < AWAY_SECONDS else why_away(self._access)

    def _stepped_over(self, consumer: KafkaConsumer, error: Exception) -> Record:
        """The place of a record that the library cannot read (a header's name that is no UTF-8); goes on behind it.

        The library does not say which one it is: each partition is tried at its position by a client of no group.
        Raises the error where none of them has it.
        """
        positions = {place: consumer.position(place) for place in consumer.assignment()}
        probe = opened(self._access, KafkaConsumer, group_id=None, isolation_level="read_committed")
        try:
            ends = probe.end_offsets(list(positions))
            for place, offset in positions.items():
                if offset is None or offset >= ends[place]:
                    continue
                probe.assign([place])
                probe.seek(place, offset)
                try:
                    probe.poll(timeout_ms=int(ANSWER_SECONDS * 1000), max_records=1)
                except kafka_errors.CorruptRecordError as found:
                    consumer.seek(place, offset + 1)
                    return Record(place.topic, place.partition, offset, None, None, unreadable=str(found)[:500])
        finally:
            probe.close(autocommit=False, timeout_ms=0)
        raise error

    def commit(self, batch: Sequence[Record]) -> None:
        if not batch or self._consumer is None:
            return
        offsets: dict[TopicPartition, OffsetAndMetadata] = {}
        for record in batch:
            offsets[TopicPartition(record.topic, record.partition)] = OffsetAndMetadata(record.offset + 1, "", -1)
        try:
            with self._renewed_after_errors("commit"):
                self._consumer.commit(offsets, timeout_ms=int(ANSWER_SECONDS * 1000))
        except _OthersTurn:
            log.info("offsets not committed: others have the partitions now", group=self._group, records=len(batch))

    def restore(self, batch: Sequence[Record]) -> None:
        if self._consumer is None:
            return
        first: dict[TopicPartition, int] = {}
        for record in batch:
            place = TopicPartition(record.topic, record.partition)
            first[place] = min(record.offset, first.get(place, record.offset))
        for place, offset in first.items():
            with suppress(ValueError):  # no longer this member's
                self._consumer.seek(place, offset)

    def lag(self) -> int:
        consumer = self._consumer
        if consumer is None:
            return 0
        behind = 0
        for place in consumer.assignment():
            with suppress(kafka_errors.KafkaError):  # where a new partition begins, a broker that is away cannot tell
                end, position = consumer.highwater(place), consumer.position(place, timeout_ms=1000)
                if end is not None and position is not None:
                    behind += max(0, end - position)
        return behind

    def close(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            with suppress(Exception):
                consumer.close(autocommit=False, timeout_ms=int(CLOSE_SECONDS * 1000))

    def _open(self) -> KafkaConsumer:
        if self._consumer is not None:
            return self._consumer
        consumer = opened(
            self._access,
            KafkaConsumer,
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            partition_assignment_strategy=[CooperativeStickyAssignor],
            max_poll_records=self._most_records,
            request_timeout_ms=int(ANSWER_SECONDS * 1000),
            allow_auto_create_topics=False,
            **self._options,
        )
        try:
            for topic in self._topics:
                if not consumer.partitions_for_topic(self._access.name(topic)):
                    raise missing_topic(self._access, topic)
            consumer.subscribe([self._access.name(topic) for topic in self._topics])
        except BaseException:
            consumer.close(autocommit=False, timeout_ms=0)
            raise
        self._consumer, self._connected_at = consumer, time.monotonic()
        return consumer

    @contextmanager
    def _renewed_after_errors(self, doing: str) -> Iterator[None]:
        try:
            with translated(self._access, doing=doing):
                try:
                    yield
                except _LOST_MEMBERSHIP as error:
                    raise _OthersTurn(str(error)) from error
        except StenocastError as error:
            # A broker that does not answer just now finds this member again; a new one would have to wait until the
            # session of the old one, which could not say that it left, is over.
            if not getattr(error.__cause__, "retriable", False):
                self.close()
            raise


_LOST_MEMBERSHIP = (
    kafka_errors.CommitFailedError,
    kafka_errors.IllegalGenerationError,
    kafka_errors.UnknownMemberIdError,
    kafka_errors.RebalanceInProgressError,
)


class _OthersTurn(Exception):
    """The group gave the partitions to somebody else before the commit."""


def _record(found: Any) -> Record:
    return Record(
        topic=found.topic,
        partition=found.partition,
        offset=found.offset,
        key=found.key,
        value=found.value,
        headers=tuple((name, value or b"") for name, value in found.headers),
        timestamp=None if found.timestamp is None or found.timestamp < 0 else found.timestamp / 1000,
    )
