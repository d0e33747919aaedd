"""Events: past facts on the wire, as CloudEvents 1.0. The only definition; schemas and docs are generated from it.

Nothing that can grow with the episode is in an event: the document is named by key and sha256 (claim check).
A second copy of an event carries the same id, so a consumer that remembers ids sees each fact once.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from schemas.job import JobError, JobState
from schemas.sidecar import Sidecar


class EventType(StrEnum):
    """The types, with their version. New meaning, new version."""

    EPISODE_DROPPED = "episode.dropped.v1"  #: comes in: a producer says that audio lies in the bucket
    JOB_QUEUED = "job.queued.v1"  #: accepted, queued again by hand, or handed back by a worker that stops
    JOB_STARTED = "job.started.v1"  #: a worker claimed it
    JOB_RETRYING = "job.retrying.v1"  #: an attempt failed or its worker died; it will be tried again
    JOB_DONE = "job.done.v1"
    JOB_FAILED = "job.failed.v1"
    JOB_CANCELLED = "job.cancelled.v1"
    TRANSCRIPT_PUBLISHED = "transcript.published.v1"  #: the first revision for this episode
    TRANSCRIPT_REVISED = "transcript.revised.v1"  #: a later revision


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


@dataclass(frozen=True, slots=True)
class Event:
    """One past fact. `id` is stable across repeats; `subject` is the episode id and the ordering key."""

    id: str
    type: EventType
    source: str  #: "stenocast/<installation>"
    subject: str
    time: str  #: ISO 8601 UTC, when the fact happened
    data: JobChanged | TranscriptReady | EpisodeDropped
    specversion: str = "1.0"
    datacontenttype: str = "application/json"
    traceparent: str | None = None
