"""Looking at Kafka and setting it up: the topics as they should be, and the events on them for people to read."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka import errors as kafka_errors
from kafka.admin import ConfigResource, ConfigResourceType

from adapters.kafka_access import ANSWER_SECONDS, KafkaAccess, missing_topic, opened, translated
from schemas.cloudevents import read_cloud_event
from schemas.errors import InputError
from schemas.events import Event
from schemas.topics import PLANS, Topic, TopicPlan

log = structlog.get_logger()


class KafkaEvents:
    """The events on `jobs` and `transcripts`, for people who want to look at them."""

    TOPICS = (Topic.JOBS, Topic.TRANSCRIPTS)

    def __init__(self, access: KafkaAccess, *, most_waiting: int = 500) -> None:
        """`most_waiting` events of each partition at most are kept in memory."""
        self._access = access
        self._most_waiting = most_waiting

    def read(self, *, follow: bool = False, is_over: Callable[[], bool] = lambda: False) -> Iterator[Event]:
        """What is there, by time; with `follow` then what comes, until `is_over`. Joins no group, commits nothing.

        Memory does not grow with what is there.
        """
        consumer = opened(
            self._access,
            KafkaConsumer,
            group_id=None,
            isolation_level="read_committed",
            max_poll_records=self._most_waiting,
            allow_auto_create_topics=False,
        )
        try:
            with translated(self._access, doing="show the events"):
                yield from self._read(consumer, follow, is_over)
        finally:
            consumer.close(autocommit=False, timeout_ms=0)

    def _read(self, consumer: KafkaConsumer, follow: bool, is_over: Callable[[], bool]) -> Iterator[Event]:
        places: list[TopicPartition] = []
        for topic in self.TOPICS:
            partitions = consumer.partitions_for_topic(self._access.name(topic))
            if not partitions:
                raise missing_topic(self._access, topic)
            places += [TopicPartition(self._access.name(topic), number) for number in sorted(partitions)]
        consumer.assign(places)
        ends, read_to = consumer.end_offsets(places), consumer.beginning_offsets(places)

        def of(place: TopicPartition) -> Iterator[Event]:
            """The events of one partition up to its end. Only it is fetched, so that no other grows meanwhile."""
            while read_to[place] < ends[place]:
                consumer.assign([place])
                consumer.seek(place, read_to[place])
                found = _events(consumer.poll(timeout_ms=500))
                read_to[place] = consumer.position(place)
                yield from found

        # Topics and partitions come one after the other; their order in time is the order of an episode's story.
        yield from heapq.merge(*map(of, places), key=lambda event: event.time)
        consumer.assign(places)
        for place in places:
            consumer.seek(place, read_to[place])
        while follow and not is_over():
            yield from _events(consumer.poll(timeout_ms=500))


def _events(found: Mapping[TopicPartition, Sequence[Any]]) -> list[Event]:
    """What can be read of them: a later release may have written types of its own."""
    events = []
    for record in (each for records in found.values() for each in records):
        try:
            events.append(read_cloud_event(record.headers, record.value))
        except InputError as error:
            log.warning("an event was passed over", topic=record.topic, offset=record.offset, reason=error.message)
    return events


@dataclass(frozen=True, slots=True)
class TopicReport:
    """A topic beside its plan."""

    name: str
    partitions: int  #: 0 = it is not there
    is_new: bool = False  #: made just now
    differences: tuple[str, ...] = ()  #: what is not as planned, one sentence each

    @property
    def exists(self) -> bool:
        return self.partitions > 0


class KafkaTopics:
    """Makes the topics and says what is there."""

    def __init__(self, access: KafkaAccess) -> None:
        self._access = access

    def create(self, *, partitions: int | None = None, replication: int | None = None) -> list[TopicReport]:
        """Make those that are missing; a repeat makes nothing. One that exists is never changed, only compared.

        `partitions` is for every topic that is planned with several; `replication` None is the broker's default.
        """
        with self._admin() as admin, translated(self._access, doing="make the topics"):
            before = {each.name for each in self._reports(admin, partitions) if each.exists}
            missing = {
                self._access.name(topic): {
                    "num_partitions": _partitions(plan, partitions),
                    "replication_factor": replication or -1,
                    "configs": dict(plan.config),
                }
                for topic, plan in PLANS.items()
                if self._access.name(topic) not in before
            }
            made = _made(admin, missing) if missing else set()
            return [
                TopicReport(each.name, each.partitions, each.name in made, each.differences)
                for each in self._reports(admin, partitions)
            ]

    def reports(self) -> list[TopicReport]:
        """Every topic, whether it is there, and how it differs from its plan."""
        with self._admin() as admin, translated(self._access, doing="list the topics"):
            return self._reports(admin, None)

    def _reports(self, admin: KafkaAdminClient, partitions: int | None) -> list[TopicReport]:
        names = {self._access.name(topic): _plan(plan, partitions) for topic, plan in PLANS.items()}
        there = {
            each["name"]: len(each["partitions"])
            for each in admin.describe_topics(list(names))
            if each["error_code"] == 0 and each["partitions"]
        }
        configs: Mapping[str, Any] = {}
        if there:
            resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in there]
            configs = admin.describe_configs(resources, config_filter="all")["topic"]
        return [
            TopicReport(name, there[name], differences=_differences(plan, there[name], configs.get(name, {})))
            if name in there
            else TopicReport(name, 0)
            for name, plan in names.items()
        ]

    @contextmanager
    def _admin(self) -> Iterator[KafkaAdminClient]:
        admin = opened(self._access, KafkaAdminClient, request_timeout_ms=int(ANSWER_SECONDS * 1000))
        try:
            yield admin
        finally:
            admin.close()


def _made(admin: KafkaAdminClient, missing: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Make these; the names of those that nobody else made in the same moment."""
    answer = admin.create_topics(missing, timeout_ms=int(ANSWER_SECONDS * 1000), raise_errors=False)
    made = {each["name"] for each in answer["topics"] if each["error_code"] == 0}
    for each in answer["topics"]:
        error = kafka_errors.for_code(each["error_code"])
        if error not in (kafka_errors.NoError, kafka_errors.TopicAlreadyExistsError):
            raise error(f"{each['name']}: {each['error_message']}")
    admin.wait_for_topics(list(missing), timeout_ms=int(ANSWER_SECONDS * 1000))
    return made


def _partitions(plan: TopicPlan, asked: int | None) -> int:
    return plan.partitions if asked is None or plan.partitions == 1 else asked


def _plan(plan: TopicPlan, partitions: int | None) -> TopicPlan:
    return TopicPlan(_partitions(plan, partitions), plan.config)


def _differences(plan: TopicPlan, partitions: int, configs: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    found = [] if partitions == plan.partitions else [f"{partitions} partitions instead of {plan.partitions}"]
    for name, wanted in plan.config.items():
        value = configs.get(name, {}).get("value")
        if value != wanted:
            found.append(f"{name} is {value} instead of {wanted}")
    return tuple(found)
