"""Events: past facts on the wire, as CloudEvents 1.0. The only definition; schemas and docs are generated from it.

Nothing that can grow with the episode is in an event: the document is named by key and sha256 (claim check).
A second copy of an event carries the same id, so a consumer that remembers ids sees each fact once.
`schemas/cloudevents.py` reads and writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import TypeAdapter, ValidationInfo, ValidatorFunctionWrapHandler, WrapValidator

from schemas.job import JobError, JobState
from schemas.sidecar import Sidecar

#: No event that Stenocast writes is as long as this, whatever the episode is. Brokers take 1 MB by default.
LARGEST_EVENT_BYTES = 64 * 1024


class EventType(StrEnum):
    """The types, with their version. New meaning, new version."""

    EPISODE_DROPPED = "episode.dropped.v1"  #: comes in: a producer says that audio lies in the bucket
    JOB_QUEUED = "job.queued.v1"  #: accepted, queued again by hand, or handed back by a worker that stops
    JOB_STARTED = "job.started.v1"  #: a worker claimed it
    JOB_RETRYING = "job.retrying.v1"  #: an attempt failed or its worker died; it will be tried again
    JOB_DONE = "job.done.v1"  #: the transcript is there
    JOB_FAILED = "job.failed.v1"  #: it ended with a code
    JOB_CANCELLED = "job.cancelled.v1"  #: somebody asked for it
    TRANSCRIPT_PUBLISHED = "transcript.published.v1"  #: the first revision for this episode
    TRANSCRIPT_REVISED = "transcript.revised.v1"  #: a later revision
    TRANSCRIPT_DELETED = "transcript.deleted.v1"  #: every revision is gone; also a tombstone on `transcripts-latest`
    WEBHOOK_TEST = "webhook.test.v1"  #: somebody tries whether a webhook is received; on no topic


@dataclass(frozen=True, slots=True)
class EpisodeDropped:
    """Data of `episode.dropped`: where the audio lies, and what the producer knows about it."""

    bucket: str
    key: str  #: as the object is called, never URL-encoded
    version_id: str | None = None
    etag: str | None = None  #: of the version that is meant; without it, whatever lies there when it is taken in
    size_bytes: int | None = None
    metadata: Sidecar | None = None  #: instead of the file `<episode>.json` beside the audio


@dataclass(frozen=True, slots=True)
class JobChanged:
    """Data of every `job.*` event."""

    job_id: str
    episode_id: str
    state: JobState
    attempts: int
    error: JobError | None = None


@dataclass(frozen=True, slots=True)
class TranscriptReady:
    """Data of `transcript.published` and `transcript.revised`: where the document is, and how good it looks."""

    job_id: str
    episode_id: str
    revision: int
    document_key: str
    document_sha256: str
    document_bytes: int
    audio_seconds: float
    language: str | None
    speaker_count: int
    named_speaker_count: int
    word_count: int
    coverage: float | None
    no_speech: bool
    warning_codes: tuple[str, ...] = ()  #: at most 16
    document_uri: str | None = None  #: `s3://bucket/key` or `file:///…`; null in events of before there was one
    formats: tuple[str, ...] = ()  #: what the API can write it as (`?format=`), at most 32


@dataclass(frozen=True, slots=True)
class TranscriptDeleted:
    """Data of `transcript.deleted`: nothing of the episode's transcripts can be read any more."""

    episode_id: str
    revision: int | None = None  #: the last one there was


@dataclass(frozen=True, slots=True)
class WebhookTested:
    """Data of `webhook.test`: nothing happened, somebody asked for it."""

    webhook_id: str


EventData = JobChanged | TranscriptReady | TranscriptDeleted | EpisodeDropped | WebhookTested

#: What the data of each type is.
DATA_OF: Mapping[EventType, type[EventData]] = MappingProxyType(
    {
        EventType.EPISODE_DROPPED: EpisodeDropped,
        EventType.JOB_QUEUED: JobChanged,
        EventType.JOB_STARTED: JobChanged,
        EventType.JOB_RETRYING: JobChanged,
        EventType.JOB_DONE: JobChanged,
        EventType.JOB_FAILED: JobChanged,
        EventType.JOB_CANCELLED: JobChanged,
        EventType.TRANSCRIPT_PUBLISHED: TranscriptReady,
        EventType.TRANSCRIPT_REVISED: TranscriptReady,
        EventType.TRANSCRIPT_DELETED: TranscriptDeleted,
        EventType.WEBHOOK_TEST: WebhookTested,
    }
)

_READERS = {kind: TypeAdapter(kind) for kind in dict.fromkeys(DATA_OF.values())}


def _data_of_the_type(value: Any, inner: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    """Let the type, which is validated first, decide what the data is: two kinds of data may look alike."""
    kind = DATA_OF.get(info.data.get("type"))  # type: ignore[arg-type]
    if kind is None or isinstance(value, kind):
        return inner(value)
    return _READERS[kind].validate_python(value)


@dataclass(frozen=True, slots=True)
class Event:
    """One past fact. `id` is stable across repeats; `subject` is the episode id and the ordering key,
    of a `webhook.test` the webhook's id.

    Subject and time are empty only in an `episode.dropped` whose producer left them out.
    """

    id: str
    type: EventType
    source: str  #: "stenocast/<installation>"
    subject: str
    time: str  #: ISO 8601 UTC, when the fact happened
    data: Annotated[EventData, WrapValidator(_data_of_the_type)]
    specversion: Literal["1.0"] = "1.0"
    datacontenttype: str = "application/json"
    traceparent: str | None = None  #: W3C trace context of the request that it all began with
