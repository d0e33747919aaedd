"""The ports in memory: small fakes for tests, under the same contracts as the real things.

`MemoryQueue` is also the model that the ledger is tested against: the same rules over plain records.
"""

from __future__ import annotations

import hashlib
import itertools
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from adapters.memory_webhooks import MemoryWebhooks
from adapters.store_keys import check_key
from schemas.drop import Drop
from schemas.episode import AudioInfo, Episode
from schemas.errors import AudioError, InputError, LeaseLost, NotFound, Refused, TransientError
from schemas.events import Event, EventType
from schemas.job import Job, JobError, JobState, Progress
from transcription.drops import is_upload
from transcription.jobs import (
    FORGOTTEN,
    after_failure,
    amended_episode,
    asked_episode,
    deletion_event,
    expected_seconds,
    fetched_episode,
    forgotten_event,
    forgotten_options,
    heard_episode,
    in_work,
    instant,
    is_blameless,
    job_event,
    lane_of,
    next_turn,
    outdated,
    shown_episode,
    transcript_event,
)
from transcription.links import with_recording
from transcription.ports import (
    Backlog,
    Claimed,
    DeadLetter,
    Deletion,
    Holder,
    KnownVoice,
    Lease,
    NewJob,
    Record,
    Rescued,
    Result,
    VoiceConsent,
    show_key,
)


class MemoryStore:
    """`Store` in a dictionary."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._objects: dict[str, bytes] = {}
        self._written: dict[str, float] = {}
        self._clock = clock

    def put(self, key: str, content: bytes) -> None:
        check_key(key)
        self._objects[key] = content
        self._written[key] = self._clock()

    def put_file(self, key: str, path: Path) -> None:
        self.put(key, path.read_bytes())

    def get(self, key: str) -> bytes | None:
        check_key(key)
        return self._objects.get(key)

    def fetch(self, key: str, path: Path) -> None:
        path.write_bytes(self._require(key))

    def exists(self, key: str) -> bool:
        return self.get(key) is not None

    def size(self, key: str) -> int | None:
        content = self.get(key)
        return None if content is None else len(content)

    def age(self, key: str) -> float | None:
        return self._clock() - self._written[key] if self.exists(key) else None

    def read(self, key: str, start: int, end: int) -> Iterator[bytes]:
        return iter([self._require(key)[start:end]])

    def delete(self, key: str) -> None:
        check_key(key)
        self._objects.pop(key, None)

    def keys(self, prefix: str) -> Iterator[str]:
        return iter(sorted(key for key in self._objects if key.startswith(prefix)))

    def uri(self, key: str) -> str:
        check_key(key)
        return f"memory:///{key}"

    def sweep_unfinished(self) -> int:
        return 0

    def _require(self, key: str) -> bytes:
        content = self.get(key)
        if content is None:
            raise NotFound(f"{key}: there is no such object in the store", code="object_not_found")
        return content


@dataclass(frozen=True, slots=True)
class _Version:
    """One version of an object; without content it is the mark of a removal."""

    drop: Drop
    content: bytes | None


class MemoryDropBox:
    """`DropBox` in a dictionary; `put` and `remove` are the producer's side of it."""

    def __init__(self, *, keeps_versions: bool = False) -> None:
        self._keeps_versions = keeps_versions
        self._objects: dict[tuple[str, str], list[_Version]] = {}
        self._numbers = itertools.count(1)

    def put(self, bucket: str, key: str, content: bytes) -> Drop:
        return self._add(bucket, key, content)

    def remove(self, bucket: str, key: str) -> None:
        self._add(bucket, key, None)

    def _add(self, bucket: str, key: str, content: bytes | None) -> Drop:
        version = f"v{next(self._numbers)}" if self._keeps_versions else None
        etag = hashlib.md5(content or b"", usedforsecurity=False).hexdigest()
        drop = Drop(bucket, key, version, etag, len(content or b""))
        earlier = self._objects.get((bucket, key), []) if self._keeps_versions else []
        self._objects[bucket, key] = [*earlier, _Version(drop, content)]
        return drop

    def look(self, bucket: str, key: str) -> Drop | None:
        versions = self._objects.get((bucket, key))
        return None if not versions or versions[-1].content is None else versions[-1].drop

    def listed(self, bucket: str, prefix: str) -> Iterator[Drop]:
        keys = sorted(key for of, key in self._objects if of == bucket and key.startswith(prefix))
        looks = (self.look(bucket, key) for key in keys)
        return iter([drop for drop in looks if drop is not None])

    def get(self, drop: Drop, *, most_bytes: int) -> bytes:
        content = self._pinned(drop)
        if len(content) > most_bytes:
            raise InputError(f"{drop.address}: {len(content)} bytes, over {most_bytes}", code="metadata_invalid")
        return content

    def fetch(self, drop: Drop, path: Path) -> None:
        path.write_bytes(self._pinned(drop))

    def read(self, drop: Drop, start: int, end: int) -> Iterator[bytes]:
        return iter([self._pinned(drop)[start:end]])

    def _pinned(self, drop: Drop) -> bytes:
        versions = self._objects.get((drop.bucket, drop.key), [])
        meant = [each for each in versions if drop.version_id in (None, each.drop.version_id)][-1:]
        if not versions or (meant and meant[0].content is None):
            raise NotFound(f"{drop.address}: there is no such object", code="object_not_found")
        if not meant or meant[0].content is None or drop.etag not in (None, meant[0].drop.etag):
            raise AudioError(f"{drop.address}: changed since it was taken in", code="source_changed")
        return meant[0].content


class MemorySink:
    """`EventSink` that keeps what it was sent."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def take_over(self) -> None:
        return

    def send(self, events: Sequence[Event]) -> None:
        self.events.extend(events)

    def close(self) -> None:
        return


class MemoryTopics:
    """Topics of one broker: what `MemorySource` reads. A partition is a list; a group has an offset in each."""

    def __init__(self) -> None:
        self._partitions: dict[tuple[str, int], list[Record]] = {}
        self._committed: dict[tuple[str, str, int], int] = {}

    def append(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
        partition: int = 0,
        timestamp: float | None = None,
    ) -> Record:
        """Add a record, as a producer would."""
        records = self._partitions.setdefault((topic, partition), [])
        record = Record(topic, partition, len(records), key, value, tuple(headers), timestamp)
        records.append(record)
        return record

    def partitions(self, topics: Sequence[str]) -> list[tuple[str, int]]:
        return sorted(place for place in self._partitions if place[0] in topics)

    def records(self, topic: str, partition: int) -> Sequence[Record]:
        return self._partitions.get((topic, partition), [])

    def committed(self, group: str, topic: str, partition: int = 0) -> int:
        """The offset from which a new member of the group reads on."""
        return self._committed.get((group, topic, partition), 0)

    def commit(self, group: str, topic: str, partition: int, offset: int) -> None:
        self._committed[group, topic, partition] = offset


class MemorySource:
    """`RecordSource` over `MemoryTopics`: the only member of its group."""

    def __init__(
        self, topics: MemoryTopics, names: Sequence[str], *, group: str = "intake", most_records: int = 500
    ) -> None:
        self._topics = topics
        self._names = tuple(names)
        self._group = group
        self._most_records = most_records
        self._positions: dict[tuple[str, int], int] = {}
        self.away: TransientError | None = None  #: why nothing comes, where a test has taken the broker away

    def poll(self, *, seconds: float) -> Sequence[Record]:
        found: list[Record] = []
        if self.away is not None:
            return found
        for place in self._topics.partitions(self._names):
            start = self._position(place)
            taken = self._topics.records(*place)[start : start + self._most_records - len(found)]
            self._positions[place] = start + len(taken)
            found += taken
        return found

    def trouble(self) -> TransientError | None:
        return self.away

    def commit(self, batch: Sequence[Record]) -> None:
        for record in batch:
            self._topics.commit(self._group, record.topic, record.partition, record.offset + 1)

    def restore(self, batch: Sequence[Record]) -> None:
        for record in reversed(batch):
            self._positions[record.topic, record.partition] = record.offset

    def lag(self) -> int:
        places = self._topics.partitions(self._names)
        return sum(len(self._topics.records(*place)) - self._position(place) for place in places)

    def close(self) -> None:
        self._positions.clear()

    def _position(self, place: tuple[str, int]) -> int:
        return self._positions.get(place, self._topics.committed(self._group, *place))


class MemoryDeadLetters:
    """`DeadLetters` that keeps what it was sent, letters of at most `most_bytes`, as a broker has its limit."""

    def __init__(self, *, most_bytes: int = 1_000_000) -> None:
        self.letters: list[DeadLetter] = []
        self._most_bytes = most_bytes

    def send(self, letters: Sequence[DeadLetter]) -> None:
        for letter in letters:
            letter.check()
            value = 0 if letter.stored_key is not None else len(letter.record.value or b"")
            beside = 0 if letter.stored_beside is not None else letter.record.beside_bytes
            if value + beside > self._most_bytes:
                raise InputError(f"{value + beside} bytes are over {self._most_bytes}", code="letter_too_large")
            self.letters.append(letter)


@dataclass
class _Record:
    """A job as the queue keeps it; `job` is replaced at every move."""

    number: int
    job: Job
    new: NewJob
    lane: str
    turn: int
    created: float
    moved: float = 0.0
    not_before: float = 0.0
    token: int = 0
    lease: Lease | None = None
    expires: float = 0.0
    earlier: list[Job] = field(default_factory=list)  #: as it was before its transcript was replaced by hand

    @property
    def is_deleted(self) -> bool:
        return self.job.deleted is not None


@dataclass
class _PublishingLease:
    publisher: str | None = None
    token: int = 0
    seconds: float = 0.0
    expires: float = 0.0


@dataclass
class MemoryQueue:
    """`JobQueue` in lists. `now` is the database's clock, `jitter` gives 0 to 1; `voices` are of the same ledger."""

    now: Callable[[], float]
    new_id: Callable[[], str]
    jitter: Callable[[], float] = lambda: 0.5
    voices: MemoryVoices | None = None
    _records: list[_Record] = field(default_factory=list)
    _episodes: dict[str, Episode] = field(default_factory=dict)
    _idempotency: dict[str, tuple[str, str]] = field(default_factory=dict)
    _last_turns: dict[tuple[int, str], int] = field(default_factory=dict)
    _outbox: list[tuple[str, Event]] = field(default_factory=list)
    _told: dict[int, float] = field(default_factory=dict)  #: when each event was written
    _published: dict[int, float] = field(default_factory=dict)
    _forgotten: set[int] = field(default_factory=set)
    _deletions: list[tuple[float, Deletion]] = field(default_factory=list)
    _publisher: _PublishingLease = field(default_factory=lambda: _PublishingLease())
    _lock: threading.RLock = field(default_factory=threading.RLock)
    webhooks: MemoryWebhooks = field(init=False)  #: what is told is noted for these

    def __post_init__(self) -> None:
        self.webhooks = MemoryWebhooks(self.now, self._lock)
        if self.voices is not None:
            self.voices.is_deleted = self._is_deleted

    def add(self, new: NewJob, *, job_id: str) -> tuple[Job, bool]:
        with self._lock:
            known = self._known_request(new)
            if known is not None:
                return known, False
            earlier = None if self._is_deleted(new.episode.id) else self._episodes.get(new.episode.id)
            episode = asked_episode(earlier, new.episode)
            self._episodes[episode.id] = shown_episode(
                earlier, episode, is_transcribed=self._is_transcribed(episode.id)
            )
            time = instant(self.now())
            job = Job(
                id=job_id,
                episode_id=episode.id,
                state=JobState.FAILED if new.failed else JobState.QUEUED,
                created=time,
                updated=time,
                options=new.options,
                priority=new.priority,
                error=new.failed,
                finished=time if new.failed else None,
            )
            lane = lane_of(episode)
            asked = replace(new, episode=episode)
            turn = self._take_turn(new.priority, lane)
            record = _Record(len(self._records) + 1, job, asked, lane, turn, created=self.now())
            self._records.append(record)
            if new.idempotency_key is not None:
                self._idempotency[new.idempotency_key] = (new.dedupe_key, job_id)
            return self._moved(record, EventType.JOB_FAILED if new.failed else EventType.JOB_QUEUED), True

    def _known_request(self, new: NewJob) -> Job | None:
        if new.idempotency_key in self._idempotency:
            dedupe_key, job_id = self._idempotency[new.idempotency_key]
            if dedupe_key != new.dedupe_key:
                raise Refused(
                    f"Idempotency-Key {new.idempotency_key!r} was used for another request",
                    code="idempotency_key_reused",
                )
            return self.job(job_id)
        same = [each for each in self._records if each.new.dedupe_key == new.dedupe_key]
        living = [each for each in same if not each.is_deleted and each.job.state is not JobState.CANCELLED]
        deleted = [] if new.revives else [each for each in reversed(same) if each.is_deleted]
        if not living and not deleted:
            return None
        record = (living or deleted)[0]
        if new.idempotency_key is not None:
            self._idempotency[new.idempotency_key] = (new.dedupe_key, record.job.id)
        amended = self.amend(new) if new.amends else None
        return amended or self._shown(record)

    def add_all(self, news: Sequence[NewJob], *, new_id: Callable[[], str]) -> Sequence[tuple[Job, bool] | Refused]:
        with self._lock:
            return [self._add_or_refuse(new, new_id()) for new in news]

    def _add_or_refuse(self, new: NewJob, job_id: str) -> tuple[Job, bool] | Refused:
        try:
            return self.add(new, job_id=job_id)
        except Refused as refusal:
            return refusal

    def amend(self, new: NewJob) -> Job | None:
        with self._lock:
            waiting = [
                each
                for each in self._in_state(JobState.QUEUED)
                if each.new.dedupe_key == new.dedupe_key and each.token == 0
            ]
            if not waiting:
                return None
            record = waiting[0]
            earlier = self._episodes[record.job.episode_id]
            episode = amended_episode(record.new.episode, new.episode)
            self._episodes[earlier.id] = shown_episode(
                earlier, episode, is_transcribed=self._is_transcribed(earlier.id)
            )
            lane = lane_of(episode)
            if (new.priority, lane) != (record.job.priority, record.lane):
                record.lane, record.turn = lane, self._take_turn(new.priority, lane)
            record.new = replace(
                record.new,
                episode=episode,
                options=new.options,
                priority=new.priority,
                expected_seconds=new.expected_seconds or record.new.expected_seconds,
            )
            self._change(record, options=new.options, priority=new.priority)
            return self._shown(record)

    def _is_transcribed(self, episode_id: str) -> bool:
        return any(each.job.revision for each in self._jobs_of(episode_id))

    def _jobs_of(self, episode_id: str, *, deleted: bool = False) -> list[_Record]:
        return [each for each in self._records if each.job.episode_id == episode_id and each.is_deleted == deleted]

    def _is_deleted(self, episode_id: str) -> bool:
        return bool(self._jobs_of(episode_id, deleted=True)) and not self._jobs_of(episode_id)

    def known_requests(self, dedupe_keys: Sequence[str]) -> frozenset[str]:
        return frozenset(dedupe_keys) & {each.new.dedupe_key for each in self._records}

    def known(self, idempotency_key: str) -> Job | None:
        found = self._idempotency.get(idempotency_key)
        return None if found is None else self.job(found[1])

    def claim(self, worker: str, *, lease_seconds: float) -> Claimed | None:
        with self._lock:
            now = self.now()
            due = self._due(now)
            if not due:
                return None
            record = min(due, key=lambda each: (-each.job.priority, each.turn, each.number))
            record.token += 1
            record.not_before = 0.0
            record.lease = Lease(record.job.id, record.token, worker, lease_seconds)
            record.expires = now + lease_seconds
            self._change(record, state=JobState.RUNNING, worker=worker, started=instant(now), not_before=None)
            job = self._moved(record, EventType.JOB_STARTED)
            return Claimed(record.lease, job, record.new.episode, record.new.audio_key, record.new.traceparent)

    def _due(self, now: float) -> list[_Record]:
        busy = {each.job.episode_id for each in self._in_state(JobState.RUNNING)}
        return [
            each
            for each in self._in_state(JobState.QUEUED)
            if (each.not_before <= now or each.moved > now + 1.0) and each.job.episode_id not in busy
        ]

    def beat(self, lease: Lease) -> None:
        with self._lock:
            self._held(lease).expires = self.now() + lease.seconds

    def progress(self, lease: Lease, progress: Progress) -> None:
        with self._lock:
            self._change(self._held(lease), progress=progress)

    def fetched(self, lease: Lease, recording: AudioInfo) -> None:
        with self._lock:
            record = self._held(lease)
            if record.new.audio_key == recording.uri:
                return
            asked, episode_id = record.new.episode, record.job.episode_id
            record.new = replace(
                record.new,
                episode=with_recording(asked, recording),
                audio_key=recording.uri or "",
                expected_seconds=expected_seconds(recording.size_bytes, recording.container),
            )
            shown = fetched_episode(self._episodes.get(episode_id), asked, recording)
            if shown is not None:
                self._episodes[episode_id] = shown

    def finish(self, lease: Lease, result: Result) -> Job:
        with self._lock:
            record = self._held(lease)
            episode_id = record.job.episode_id
            revision = self.next_revision(episode_id)
            self._end_lease(record)
            self._episodes[episode_id] = heard_episode(record.new.episode, result)
            self._change(
                record,
                state=JobState.DONE,
                finished=instant(self.now()),
                transcript_key=result.document_key,
                transcript_sha256=result.document_sha256,
                revision=revision,
                audio_seconds=result.audio_seconds,
                error=None,
            )
            job = self._moved(record, EventType.JOB_DONE)
            ready = transcript_event(
                job,
                result,
                revision=revision,
                event_id=self.new_id(),
                now=self.now(),
                traceparent=record.new.traceparent,
            )
            self._tell(job.id, ready)
            return job

    def revise(
        self,
        episode_id: str,
        result: Result,
        *,
        seen: int,
        unlearned: Collection[str] = (),
        traceparent: str | None = None,
    ) -> Job:
        with self._lock:
            current = self.latest_done(episode_id)
            if current.revision != seen:
                raise outdated(episode_id, seen=seen, current=current.revision or 0)
            if any(each.job.state is JobState.RUNNING for each in self._jobs_of(episode_id)):
                raise in_work(episode_id)
            record = self._require(current.id)
            record.earlier.append(record.job)
            if self.voices is not None:
                self.voices.unlearn(episode_id, unlearned)
            self._change(
                record,
                transcript_key=result.document_key,
                transcript_sha256=result.document_sha256,
                revision=seen + 1,
            )
            job, now = self._shown(record), self.now()
            event = transcript_event(
                job, result, revision=seen + 1, event_id=self.new_id(), now=now, traceparent=traceparent
            )
            self._tell(job.id, event)
            return job

    def fail(self, lease: Lease, error: JobError, *, crashed: bool = False) -> Job:
        with self._lock:
            return self._failed(self._held(lease), error, crashed)

    def _failed(self, record: _Record, error: JobError, crashed: bool) -> Job:
        after = after_failure(
            error,
            attempts=record.job.attempts,
            crashes=record.job.crashes,
            crashed=crashed,
            jitter=self.jitter(),
        )
        now = self.now()
        self._end_lease(record)
        record.not_before = 0.0 if after.delay_seconds is None else now + after.delay_seconds
        self._change(
            record,
            state=JobState.FAILED if after.is_final else JobState.QUEUED,
            attempts=after.attempts,
            crashes=after.crashes,
            error=after.error,
            not_before=instant(record.not_before) if record.not_before else None,
            finished=instant(now) if after.is_final else None,
        )
        return self._moved(record, EventType.JOB_FAILED if after.is_final else EventType.JOB_RETRYING)

    def release(self, lease: Lease, *, delay_seconds: float = 0.0, reason: JobError | None = None) -> Job:
        with self._lock:
            return self._put_back(self._held(lease), delay_seconds, reason)

    def _put_back(self, record: _Record, delay_seconds: float = 0.0, reason: JobError | None = None) -> Job:
        self._end_lease(record)
        record.not_before = self.now() + delay_seconds if delay_seconds > 0 else 0.0
        shown = instant(record.not_before) if record.not_before else None
        self._change(record, state=JobState.QUEUED, error=reason, not_before=shown)
        return self._moved(record, EventType.JOB_QUEUED)

    def cancel(self, job_id: str) -> Job:
        with self._lock:
            record = self._require(job_id)
            if record.job.state is JobState.CANCELLED:
                return self._shown(record)
            if record.job.state.is_final:
                raise Refused(f"job {job_id} is already {record.job.state}", code="job_already_final")
            self._end_lease(record)
            self._change(record, state=JobState.CANCELLED, finished=instant(self.now()))
            return self._moved(record, EventType.JOB_CANCELLED)

    def retry(self, job_id: str) -> Job:
        with self._lock:
            record = self._require(job_id)
            if record.is_deleted:
                raise Refused(f"job {job_id}: its episode was deleted", code="episode_deleted")
            if record.job.state is not JobState.FAILED:
                raise Refused(
                    f"job {job_id} is {record.job.state}; only a failed job can be retried", code="job_not_retryable"
                )
            record.turn = self._take_turn(record.job.priority, record.lane)
            record.not_before = 0.0
            self._change(
                record,
                state=JobState.QUEUED,
                attempts=0,
                crashes=0,
                error=None,
                started=None,
                finished=None,
                not_before=None,
            )
            return self._moved(record, EventType.JOB_QUEUED)

    def delete(self, episode_id: str, *, by: str) -> Deletion:
        with self._lock:
            records, now = self._jobs_of(episode_id), self.now()
            if not records:
                return self.deletion(episode_id)
            live = [each for each in records if not each.job.state.is_final]
            bare = Episode(id=episode_id)
            self._episodes[episode_id] = bare
            if self.voices is not None:
                self.voices.forget_deleted(episode_id)
            for record in live:
                self._end_lease(record)
                self._change(record, state=JobState.CANCELLED, finished=instant(now))
            for record in records:
                audio_key = record.new.audio_key if is_upload(record.new.audio_key) else ""
                record.lane = ""
                record.earlier.clear()
                record.new = replace(record.new, episode=bare, audio_key=audio_key)
                error = record.job.error and replace(record.job.error, message=FORGOTTEN)
                self._change(record, deleted=instant(now), options=forgotten_options(record.job.options), error=error)
            self._forget_events({each.job.id for each in records})
            for record in live:
                self._moved(record, EventType.JOB_CANCELLED)
            last = max(
                (each for each in records if each.job.revision), key=lambda each: each.job.revision or 0, default=None
            )
            revision = None if last is None else last.job.revision
            if last is not None:
                trace = last.new.traceparent
                event = deletion_event(
                    episode_id, revision=revision, event_id=self.new_id(), now=now, traceparent=trace
                )
                self._tell(last.job.id, event)
            number = len(self._deletions) + 1
            self._deletions.append((now, Deletion(number, episode_id, instant(now), by, 0.0, (), (), revision)))
            return self.deletion(episode_id)

    def _forget_events(self, job_ids: set[str]) -> None:
        for number, (job_id, event) in enumerate(self._outbox, start=1):
            if job_id not in job_ids or number in self._forgotten:
                continue
            is_sent = number in self._published and not self.webhooks.awaits(event.id)
            still = None if is_sent else forgotten_event(event)
            if still is None:
                self._forget(number)
            else:
                self._outbox[number - 1] = (job_id, still)
                self.webhooks.reword(still)

    def deletion(self, episode_id: str) -> Deletion:
        with self._lock:
            last = [each for each in self._deletions if each[1].episode_id == episode_id][-1:]
            if not last:
                raise NotFound(f"no episode {episode_id}", code="episode_not_found")
            return self._as_it_is(*last[0])

    def _as_it_is(self, time: float, deletion: Deletion) -> Deletion:
        """With its age, and with all of its episode's deleted jobs."""
        deleted = self._jobs_of(deletion.episode_id, deleted=True)
        uploads = dict.fromkeys(each.new.audio_key for each in deleted if is_upload(each.new.audio_key))
        return replace(
            deletion,
            age_seconds=max(0.0, self.now() - time),
            job_ids=tuple(each.job.id for each in deleted),
            audio_keys=tuple(uploads),
        )

    def unerased(self, *, limit: int = 100) -> Sequence[Deletion]:
        with self._lock:
            open_ = [each for each in self._deletions if each[1].erased is None]
            return [self._as_it_is(*each) for each in open_[:limit]]

    def mark_erased(self, deletion: Deletion) -> None:
        with self._lock:
            time, known = self._deletions[deletion.number - 1]
            erased = known.erased or instant(self.now())
            self._deletions[deletion.number - 1] = (time, replace(known, erased=erased))

    def wanted_audio(self, audio_keys: Sequence[str]) -> frozenset[str]:
        return frozenset(audio_keys) & {each.new.audio_key for each in self._records if not each.is_deleted}

    def unwanted_audio(self, audio_keys: Sequence[str]) -> frozenset[str]:
        named = {True: set[str](), False: set[str]()}
        for record in self._records:
            if is_upload(record.new.audio_key):
                named[record.is_deleted].add(record.new.audio_key)
        return frozenset(audio_keys) & (named[True] - named[False])

    def rescue(self) -> Sequence[Rescued]:
        with self._lock:
            now = self.now()
            rescued = []
            for record in self._in_state(JobState.RUNNING):
                if record.lease is not None and record.expires > now + record.lease.seconds + 1.0:
                    record.expires = now + record.lease.seconds
                if record.lease is not None and record.expires < now:
                    attempt, lost = record.lease.token, f"worker {record.lease.worker} stopped beating"
                    if is_blameless(record.job.progress):
                        job = self._put_back(record)
                    else:
                        job = self._failed(record, JobError("worker_lost", lost, retryable=True), True)
                    rescued.append(Rescued(job, attempt))
            return rescued

    def holders(self, job_ids: Sequence[str]) -> dict[str, Holder]:
        wanted = frozenset(job_ids)
        return {
            each.job.id: Holder(
                each.job.state,
                each.token,
                each.job.transcript_key,
                each.is_deleted,
                tuple(earlier.transcript_key or "" for earlier in each.earlier),
            )
            for each in self._records
            if each.job.id in wanted
        }

    def backlog(self) -> Backlog:
        with self._lock:
            now = self.now()
            queued, running = self._in_state(JobState.QUEUED), self._in_state(JobState.RUNNING)
            waiting = [now - each.created for each in self._due(now)]
            unpublished = [now - time for number, time in self._told.items() if number not in self._published]
            return Backlog(
                queued_jobs=len(queued),
                running_jobs=len(running),
                queued_audio_seconds=sum(each.new.expected_seconds or 0.0 for each in queued),
                running_audio_seconds=sum(each.new.expected_seconds or 0.0 for each in running),
                oldest_queued_seconds=max(waiting, default=0.0),
                unpublished_events=len(unpublished),
                oldest_unpublished_seconds=max(unpublished, default=0.0),
            )

    def job(self, job_id: str) -> Job:
        return self._shown(self._require(job_id))

    def jobs(self, *, state: JobState | None = None, limit: int = 50, before: str | None = None) -> Sequence[Job]:
        below = len(self._records) + 1 if before is None else self._require(before).number
        found = [each for each in reversed(self._records) if each.number < below]
        return [self._shown(each) for each in found if state in (None, each.job.state) and not each.is_deleted][
            :limit
        ]

    def episode(self, episode_id: str) -> Episode:
        if episode_id not in self._episodes:
            raise NotFound(f"no episode {episode_id}", code="episode_not_found")
        self._require_living(episode_id)
        return self._episodes[episode_id]

    def _require_living(self, episode_id: str) -> None:
        if self._is_deleted(episode_id):
            raise NotFound(f"episode {episode_id} was deleted", code="episode_deleted")

    def next_revision(self, episode_id: str) -> int:
        revisions = [each.job.revision or 0 for each in self._records if each.job.episode_id == episode_id]
        return 1 + max(revisions, default=0)

    def latest_done(self, episode_id: str, *, revision: int | None = None) -> Job:
        self._require_living(episode_id)
        done = [each for each in self._jobs_of(episode_id) if each.job.revision]
        wanted = [each for each in done if revision in (None, each.job.revision)]
        if not wanted and (earlier := self._earlier(episode_id, revision)) is not None:
            now = self.job(earlier.id)
            return replace(
                now,
                transcript_key=earlier.transcript_key,
                transcript_sha256=earlier.transcript_sha256,
                revision=earlier.revision,
            )
        if not wanted:
            which = "" if revision is None else f" of revision {revision}"
            raise NotFound(f"no transcript{which} for episode {episode_id}", code="transcript_not_found")
        return self._shown(max(wanted, key=lambda each: each.job.revision or 0))

    def _earlier(self, episode_id: str, revision: int | None) -> Job | None:
        earlier = (job for each in self._jobs_of(episode_id) for job in each.earlier if job.revision == revision)
        return next(earlier, None)

    def pending_events(self, *, limit: int = 100) -> Sequence[tuple[int, Event]]:
        numbered = enumerate((event for _, event in self._outbox), start=1)
        return [(number, event) for number, event in numbered if number not in self._published][:limit]

    def mark_published(self, sequence_numbers: Sequence[int]) -> None:
        for number in sequence_numbers:
            self._published.setdefault(number, self.now())

    def forget_published(self, *, older_than_seconds: float, limit: int = 1000) -> int:
        with self._lock:
            oldest = [number for number in range(1, len(self._outbox) + 1) if number not in self._forgotten][:limit]
            before = self.now() - older_than_seconds
            gone = [
                number
                for number in oldest
                if number in self._published
                and self._published[number] < before
                and not self.webhooks.awaits(self._outbox[number - 1][1].id)
            ]
            for number in gone:
                self._forget(number)
            return len(gone)

    def lead_publishing(self, publisher: str, *, seconds: float) -> int | None:
        with self._lock:
            now, held = self.now(), self._publisher
            is_free = held.publisher is None or held.expires < now or held.expires > now + held.seconds + 1.0
            if not is_free and held.publisher != publisher:
                return None
            token = held.token + (held.publisher != publisher)
            self._publisher = _PublishingLease(publisher, token, seconds, now + seconds)
            return token

    def resign_publishing(self, publisher: str) -> None:
        with self._lock:
            if self._publisher.publisher == publisher:
                self._publisher = _PublishingLease(token=self._publisher.token)

    def events_of(self, job_id: str, *, after: int = 0) -> Sequence[tuple[int, Event]]:
        numbered = enumerate(self._outbox, start=1)
        return [
            (number, event)
            for number, (of, event) in numbered
            if of == job_id and number > after and number not in self._forgotten
        ]

    def _take_turn(self, priority: int, lane: str) -> int:
        waiting = [each.turn for each in self._in_state(JobState.QUEUED) if each.job.priority == priority]
        given = [turn for (of, _), turn in self._last_turns.items() if of == priority]
        turn = next_turn(
            lane_last=self._last_turns.get((priority, lane)),
            waiting_first=min(waiting, default=None),
            lanes_last=max(given, default=None),
        )
        self._last_turns[priority, lane] = turn
        return turn

    def _in_state(self, state: JobState) -> list[_Record]:
        return [each for each in self._records if each.job.state is state]

    def _require(self, job_id: str) -> _Record:
        for record in self._records:
            if record.job.id == job_id:
                return record
        raise NotFound(f"no job {job_id}", code="job_not_found")

    def _held(self, lease: Lease) -> _Record:
        record = self._require(lease.job_id)
        if record.lease is None or record.lease.token != lease.token:
            raise LeaseLost(
                f"job {lease.job_id}: lease {lease.token} of worker {lease.worker} is no longer the job's"
            )
        return record

    def _end_lease(self, record: _Record) -> None:
        record.lease = None
        self._change(record, worker=None, progress=None)

    def _change(self, record: _Record, **changes: object) -> None:
        record.moved = self.now()
        record.job = replace(record.job, updated=instant(self.now()), **changes)  # type: ignore[arg-type]

    def _shown(self, record: _Record) -> Job:
        episode = self._episodes[record.job.episode_id]
        return replace(record.job, title=episode.title, show=episode.show)

    def _moved(self, record: _Record, kind: EventType) -> Job:
        job = self._shown(record)
        now = self.now()
        event = job_event(kind, job, event_id=self.new_id(), now=now, traceparent=record.new.traceparent)
        self._tell(job.id, event)
        return job

    def _tell(self, job_id: str, event: Event) -> None:
        self._outbox.append((job_id, event))
        self._told[len(self._outbox)] = self.now()
        self.webhooks.note(event)

    def _forget(self, number: int) -> None:
        self._forgotten.add(number)
        self._published.setdefault(number, self.now())
        self.webhooks.forget(self._outbox[number - 1][1].id)


class MemoryVoices:
    """`KnownVoices` in two dictionaries. `now` gives seconds since 1970."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._consents: dict[str, VoiceConsent] = {}
        self._voices: dict[tuple[str, str, str, str], KnownVoice] = {}
        self.is_deleted: Callable[[str], bool] = lambda _episode_id: False  #: as the queue knows it

    def consent(self, show: str, *, given_by: str) -> VoiceConsent:
        consent = VoiceConsent(" ".join(show.split()), given_by, instant(self._now()))
        self._consents[show_key(show)] = consent
        return consent

    def withdraw(self, show: str) -> int:
        self._consents.pop(show_key(show), None)
        return self._delete(lambda voice: show_key(voice.show) == show_key(show))

    def consents(self) -> Sequence[VoiceConsent]:
        return [self._consents[key] for key in sorted(self._consents)]

    def learn(self, voice: KnownVoice) -> bool:
        consent = self._consents.get(show_key(voice.show))
        if consent is None or self.is_deleted(voice.episode_id):
            return False
        kept = replace(voice, show=consent.show)
        self._voices[(show_key(kept.show), kept.name, kept.model, kept.episode_id)] = kept
        return True

    def forget_taught(self, show: str, model: str, episode_id: str, *, but: Collection[str]) -> int:
        def is_meant(voice: KnownVoice) -> bool:
            is_kept = show_key(voice.show) == show_key(show) and voice.name in but
            return (voice.episode_id, voice.model) == (episode_id, model) and not is_kept

        return self._delete(is_meant)

    def unlearn(self, episode_id: str, names: Collection[str]) -> None:
        """What `JobQueue.revise` does to the voices of a ledger."""
        self._delete(lambda voice: voice.episode_id == episode_id and voice.name in names)

    def forget_deleted(self, episode_id: str) -> None:
        """What `JobQueue.delete` does to the voices of a ledger."""
        self._delete(lambda voice: voice.episode_id == episode_id)

    def of_show(self, show: str, model: str) -> Sequence[KnownVoice] | None:
        if show_key(show) not in self._consents:
            return None
        return [voice for voice in self.all(show) if voice.model == model]

    def all(self, show: str | None = None) -> Sequence[KnownVoice]:
        voices = [self._voices[key] for key in sorted(self._voices)]
        return [voice for voice in voices if show is None or show_key(voice.show) == show_key(show)]

    def rename(self, show: str, name: str, *, to: str) -> int:
        found = [voice for voice in self.all(show) if voice.name == name]
        self.forget(show, name)
        for voice in found:
            self.learn(replace(voice, name=to))
        return len(found)

    def forget(self, show: str, name: str) -> int:
        count = self._delete(lambda voice: show_key(voice.show) == show_key(show) and voice.name == name)
        if not count:
            raise NotFound(f"{show}: no voice of {name!r} is kept", code="voice_unknown", field="name")
        return count

    def _delete(self, is_meant: Callable[[KnownVoice], bool]) -> int:
        meant = [key for key, voice in self._voices.items() if is_meant(voice)]
        for key in meant:
            del self._voices[key]
        return len(meant)
