"""The Kafka topics: what each is for, how it is made, and which events go to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from schemas.events import Event, EventType

_DAY = 24 * 60 * 60 * 1000  # milliseconds


class Topic(StrEnum):
    """Every topic; installations that share a broker put a prefix before the name."""

    EPISODES = "episodes"  #: in: `episode.dropped` of producers
    BUCKET_EVENTS = "bucket-events"  #: in: notifications of the S3 server, as it writes them
    JOBS = "jobs"  #: out: every state change of every job
    TRANSCRIPTS = "transcripts"  #: out: every transcript, revision and deletion
    TRANSCRIPTS_LATEST = "transcripts-latest"  #: out: the last of them for each episode, for ever
    DEAD_LETTERS = "dead-letters"  #: out: records that could not be taken in, whole, with the reason


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """How `stenocast topics create` makes a topic; what it leaves out is the broker's default."""

    partitions: int
    config: Mapping[str, str]


PLANS: Mapping[Topic, TopicPlan] = MappingProxyType(
    {
        Topic.EPISODES: TopicPlan(6, {"cleanup.policy": "delete", "retention.ms": str(14 * _DAY)}),
        Topic.BUCKET_EVENTS: TopicPlan(6, {"cleanup.policy": "delete", "retention.ms": str(14 * _DAY)}),
        Topic.JOBS: TopicPlan(6, {"cleanup.policy": "delete", "retention.ms": str(14 * _DAY)}),
        Topic.TRANSCRIPTS: TopicPlan(6, {"cleanup.policy": "delete", "retention.ms": str(30 * _DAY)}),
        # A tombstone stays a week, so that a reader that was away for as long still learns of the deletion.
        Topic.TRANSCRIPTS_LATEST: TopicPlan(6, {"cleanup.policy": "compact", "delete.retention.ms": str(7 * _DAY)}),
        # A letter stays under the 1 MB of most brokers; twice that, for those whose own limit is lower.
        Topic.DEAD_LETTERS: TopicPlan(
            1, {"cleanup.policy": "delete", "retention.ms": str(30 * _DAY), "max.message.bytes": str(2 * 1024 * 1024)}
        ),
    }
)

_OF_TRANSCRIPTS = frozenset(
    {EventType.TRANSCRIPT_PUBLISHED, EventType.TRANSCRIPT_REVISED, EventType.TRANSCRIPT_DELETED}
)


def topics_of(kind: EventType) -> tuple[Topic, ...]:
    """Where an event of this type goes, or for `episode.dropped` comes from; nowhere for a webhook's test."""
    if kind is EventType.WEBHOOK_TEST:
        return ()
    if kind is EventType.EPISODE_DROPPED:
        return (Topic.EPISODES,)
    if kind in _OF_TRANSCRIPTS:
        return (Topic.TRANSCRIPTS, Topic.TRANSCRIPTS_LATEST)
    return (Topic.JOBS,)


def is_tombstone(event: Event, topic: Topic) -> bool:
    """Whether the event stands on this topic as a record without a value, which compaction takes as a deletion."""
    return topic is Topic.TRANSCRIPTS_LATEST and event.type is EventType.TRANSCRIPT_DELETED
