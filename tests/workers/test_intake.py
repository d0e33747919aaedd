"""Intake: what is announced becomes jobs, once; what cannot be becomes dead letters; nothing blocks or is lost."""

from __future__ import annotations

import itertools
import json
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event as StopEvent
from typing import Any
from urllib.parse import quote_plus

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.memory import MemoryDeadLetters, MemoryDropBox, MemoryQueue, MemorySource, MemoryStore, MemoryTopics
from adapters.metrics import Metrics, TakenIn
from schemas.cloudevents import write_event
from schemas.errors import NotFound, NotReady, OptionError, TransientError
from schemas.events import EpisodeDropped, Event, EventType
from schemas.job import Job, JobState
from schemas.sidecar import Sidecar
from transcription.drops import DropPlace
from transcription.ports import LARGEST_INLINE_BYTES, NewJob, Record
from workers.intake import PATIENCE, Intake, take_until
from workers.taking_in import QUESTIONS_AT_ONCE, DropRules, TakeIn

BUCKET = "harbour"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def known_sets(models: str, language: str | None) -> None:
    if models not in ("starter", "gpu"):
        raise NotFound(f"models={models!r}: no such set", code="model_set_unknown")
    if language == "fr":
        raise OptionError("starter understands no French", code="language_not_supported")


@dataclass
class Harbour:
    """A bucket whose notifications go to a topic, and an intake that reads them."""

    bucket: MemoryDropBox = field(default_factory=MemoryDropBox)
    topics: MemoryTopics = field(default_factory=MemoryTopics)
    letters: MemoryDeadLetters = field(default_factory=MemoryDeadLetters)
    store: MemoryStore = field(default_factory=MemoryStore)
    place: DropPlace = field(default_factory=lambda: DropPlace(BUCKET, "", ("uploads/", "results/")))

    def __post_init__(self) -> None:
        self.ids = (f"id-{number}" for number in itertools.count(1))
        self.queue = MemoryQueue(now=lambda: 1000.0, new_id=lambda: next(self.ids))
        self.restart()

    def restart(self, **changes: Any) -> Intake:
        """A new member of the group, which goes on where the group is."""
        self.source = MemorySource(self.topics, ["episodes", "bucket-events"])
        parts = {"source": self.source, "dead_letters": self.letters, "store": self.store} | changes
        self.intake = Intake(take_in=self.take_in(), **parts)
        return self.intake

    def take_in(self) -> TakeIn:
        return TakeIn(
            queue=self.queue,
            drops=self.bucket,
            rules=DropRules(self.place, models="starter", max_bytes=1000, check_models=known_sets),
            new_id=lambda: next(self.ids),
            new_trace=lambda: TRACE,
        )

    def put(self, key: str, content: bytes | dict[str, Any] = b"sound", *, tells: bool = True) -> None:
        """A producer's put; a bucket that keeps its word announces it."""
        self.bucket.put(BUCKET, key, content if isinstance(content, bytes) else json.dumps(content).encode())
        if tells:
            self.announce(key)

    def announce(self, *keys: str, bucket: str = BUCKET) -> None:
        records = [
            {
                "eventSource": "aws:s3",
                "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": bucket}, "object": {"key": quote_plus(key, safe="/")}},
            }
            for key in keys
        ]
        self.topics.append("bucket-events", json.dumps({"Records": records}).encode())

    def drop(self, key: str, *, event_id: str = "e-1", **data: Any) -> Record:
        """A producer's own event."""
        dropped = EpisodeDropped(bucket=data.pop("bucket", BUCKET), key=key, **data)
        event = Event(event_id, EventType.EPISODE_DROPPED, "studio", "any", "2026-03-14T09:26:53Z", dropped)
        return self.topics.append("episodes", write_event(event))

    def take(self) -> list[Job]:
        """Take in everything that waits; all jobs, oldest first."""
        while self.intake.take(seconds=0):
            pass
        return self.jobs()

    def jobs(self) -> list[Job]:
        return list(reversed(self.queue.jobs(limit=1000)))

    def files(self) -> list[str | None]:
        return [self.queue.episode(job.episode_id).audio.file_name for job in self.jobs()]

    def codes(self) -> list[str]:
        return [letter.reason for letter in self.letters.letters]


@pytest.fixture
def harbour() -> Harbour:
    return Harbour()


# ---------------------------------------------------------------- drops


def test_a_recording_that_is_put_into_the_bucket_is_a_queued_job(harbour: Harbour) -> None:
    harbour.put("in/ep 1 é.mp3")

    (job,) = harbour.take()

    claimed = harbour.queue.claim("ada", lease_seconds=30)
    assert claimed is not None
    assert (job.state, claimed.episode.audio.file_name) == (JobState.QUEUED, "ep 1 é.mp3")
    assert claimed.episode.audio.uri == "s3://harbour/in/ep%201%20%C3%A9.mp3"
    assert claimed.audio_key.startswith("s3://harbour/in/ep%201%20%C3%A9.mp3?etag=")
    assert claimed.traceparent == TRACE
    assert harbour.queue.backlog().running_audio_seconds == pytest.approx(5 * 8 / 128_000)


def test_what_was_announced_twice_is_one_job(harbour: Harbour) -> None:
    harbour.put("a.mp3")
    harbour.announce("a.mp3", "a.mp3")
    harbour.take()
    harbour.announce("a.mp3")

    assert len(harbour.take()) == 1


def test_a_topic_that_is_replayed_from_its_start_gives_no_new_jobs(harbour: Harbour) -> None:
    harbour.put("a.mp3")
    harbour.put("b.mp3")
    harbour.drop("a.mp3", event_id="1")
    harbour.drop("b.mp3", event_id="2", metadata=Sidecar(models="gpu"))
    before = harbour.take()
    harbour.queue.cancel(before[0].id)
    for topic in ("episodes", "bucket-events"):
        harbour.topics.commit("intake", topic, 0, 0)
    harbour.restart()
    events = len(harbour.queue.pending_events(limit=1000))

    assert [job.id for job in harbour.take()] == [job.id for job in before]
    assert len(harbour.queue.pending_events(limit=1000)) == events
    assert harbour.codes() == []


def test_new_bytes_under_the_same_name_are_a_new_job_of_the_same_episode(harbour: Harbour) -> None:
    harbour.put("a.mp3", b"first")
    harbour.take()
    harbour.put("a.mp3", b"second")

    first, second = harbour.take()

    assert first.episode_id == second.episode_id


def test_what_is_gone_again_is_no_job(harbour: Harbour) -> None:
    harbour.put("a.mp3")
    harbour.bucket.remove(BUCKET, "a.mp3")

    assert harbour.take() == []
    assert harbour.codes() == []


@pytest.mark.parametrize(
    "key", ["uploads/abc/audio.mp3", "results/x/1/a.mp3", "cover.jpg", "notes.txt", "in/", "in/._a.mp3"]
)
def test_what_is_ours_or_no_recording_is_passed_over(harbour: Harbour, key: str) -> None:
    harbour.put(key)

    assert harbour.take() == []
    assert harbour.codes() == []


def test_an_empty_object_is_passed_over(harbour: Harbour) -> None:
    harbour.put("a.mp3", b"")

    assert harbour.take() == []


def test_another_bucket_is_none_of_our_business(harbour: Harbour) -> None:
    harbour.bucket.put("elsewhere", "a.mp3", b"sound")
    harbour.announce("a.mp3", bucket="elsewhere")

    assert harbour.take() == []


def test_the_bucket_decides_what_an_ambiguous_name_means(harbour: Harbour) -> None:
    for key in ("a+b.mp3", "c d.mp3"):
        harbour.put(key, tells=False)
    for key in ("a+b.mp3", "c+d.mp3"):
        record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": BUCKET}, "object": {"key": key}}}
        harbour.topics.append("bucket-events", json.dumps({"Records": [record]}).encode())

    harbour.take()

    assert harbour.files() == ["a+b.mp3", "c d.mp3"]


def test_a_name_is_shown_without_what_could_mislead(harbour: Harbour) -> None:
    harbour.put("in/\u202egnp.\x1b[31m\n.mp3")

    harbour.take()

    assert harbour.files() == ["\ufffdgnp.\ufffd[31m\ufffd.mp3"]


def test_a_recording_over_the_size_limit_is_a_failed_job(harbour: Harbour) -> None:
    harbour.put("a.mp3", b"x" * 1001)

    (job,) = harbour.take()

    assert job.error is not None
    assert (job.state, job.error.code) == (JobState.FAILED, "audio_too_large")


# ---------------------------------------------------------------- descriptions


TIDES = {
    "title": "Tides",
    "show": "Harbour Talk",
    "language": "en",
    "participants": [{"name": "Ada Quill", "role": "host"}],
    "priority": 7,
    "speakers": 2,
    "models": "gpu",
    "style": "caps-list",
}


def test_a_description_beside_the_recording_is_honoured(harbour: Harbour) -> None:
    harbour.put("in/ep.json", TIDES, tells=False)
    harbour.put("in/ep.mp3")

    (job,) = harbour.take()

    episode = harbour.queue.episode(job.episode_id)
    assert (job.title, job.show, job.priority) == ("Tides", "Harbour Talk", 7)
    assert (job.options.models, job.options.speakers) == ("gpu", 2)
    assert (episode.language, episode.style, episode.participants[0].name) == ("en", "caps-list", "Ada Quill")


def test_a_description_that_comes_after_its_recording_is_taken_over_while_the_job_waits(harbour: Harbour) -> None:
    harbour.put("in/ep.mp3")
    harbour.take()
    harbour.put("in/ep.json", TIDES)

    (job,) = harbour.take()

    assert (job.title, job.priority, job.options.models) == ("Tides", 7, "gpu")


def test_a_description_that_comes_when_the_job_runs_changes_nothing(harbour: Harbour) -> None:
    harbour.put("in/ep.mp3")
    harbour.take()
    harbour.queue.claim("ada", lease_seconds=30)
    harbour.put("in/ep.json", TIDES)

    (job,) = harbour.take()

    assert job.title is None


def test_a_description_is_reason_enough_to_take_its_recording_in(harbour: Harbour) -> None:
    harbour.put("in/ep.mp3", tells=False)
    harbour.put("in/ep.one.mp3", tells=False)
    harbour.put("in/ep.json", TIDES)

    (job,) = harbour.take()

    assert (harbour.files(), job.title) == (["ep.mp3"], "Tides")


@pytest.mark.parametrize(
    ("description", "code"),
    [
        (b"{", "metadata_invalid"),
        (b'{"particpants": []}', "metadata_invalid"),
        (b'{"title": "a\\u0000b"}', "metadata_invalid"),
        (b'"' + b"x" * 1_000_001 + b'"', "metadata_invalid"),
        (b'{"priority": 101}', "invalid_option"),
        (b'{"speakers": 0}', "invalid_option"),
        (b'{"published": "yesterday"}', "invalid_option"),
        (b'{"participants": [{"name": "Ada\\u001b[31m"}]}', "invalid_option"),
        (b'{"models": "/srv/models"}', "invalid_option"),
        (b'{"models": "somebody/model"}', "invalid_option"),
        (b'{"models": "large"}', "model_set_unknown"),
        (b'{"language": "fr"}', "language_not_supported"),
        (b'{"style": "baroque"}', "style_unknown"),
    ],
)
def test_a_wrong_description_is_a_failed_job_that_says_why(harbour: Harbour, description: bytes, code: str) -> None:
    harbour.put("ep.json", description, tells=False)
    harbour.put("ep.mp3")
    harbour.announce("ep.mp3", "ep.json")

    (job,) = harbour.take()

    assert job.error is not None
    assert (job.state, job.error.code, harbour.codes()) == (JobState.FAILED, code, [])


def test_a_corrected_description_is_a_job_that_is_done(harbour: Harbour) -> None:
    harbour.put("ep.json", b"{", tells=False)
    harbour.put("ep.mp3")
    harbour.take()
    harbour.put("ep.json", TIDES)

    failed, queued = harbour.take()

    assert (failed.state, queued.state, queued.title) == (JobState.FAILED, JobState.QUEUED, "Tides")


def test_a_description_that_is_wrong_in_another_way_is_another_failed_job(harbour: Harbour) -> None:
    harbour.put("ep.json", b"{", tells=False)
    harbour.put("ep.mp3")
    harbour.take()
    harbour.put("ep.json", b'{"titel": "Tides"}')

    assert [job.state for job in harbour.take()] == [JobState.FAILED, JobState.FAILED]


@pytest.mark.parametrize("way", ["notification", "event"])
def test_a_cancelled_job_stays_so_when_its_recording_or_description_is_told_of_again(
    harbour: Harbour, way: str
) -> None:
    harbour.put("ep.mp3", tells=way == "notification")
    if way == "event":
        harbour.drop("ep.mp3")
    (job,) = harbour.take()
    harbour.queue.cancel(job.id)
    harbour.announce("ep.mp3")
    harbour.put("ep.json", TIDES)

    assert [each.state for each in harbour.take()] == [JobState.CANCELLED]


def test_a_recording_that_is_known_costs_no_look_at_its_description(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    harbour.put("ep.json", TIDES, tells=False)
    harbour.put("ep.mp3")
    harbour.take()
    monkeypatch.setattr(harbour.bucket, "read", lambda *_given: pytest.fail("read the description again"))
    harbour.announce("ep.mp3")

    assert len(harbour.take()) == 1


def test_a_description_that_becomes_wrong_leaves_the_job_alone(harbour: Harbour) -> None:
    harbour.put("ep.json", TIDES, tells=False)
    harbour.put("ep.mp3")
    harbour.take()
    harbour.put("ep.json", b"{")

    (job,) = harbour.take()

    assert (job.state, job.title) == (JobState.QUEUED, "Tides")


def test_a_description_without_a_recording_waits_for_it(harbour: Harbour) -> None:
    harbour.put("ep.json", TIDES)

    assert harbour.take() == []
    assert harbour.codes() == []


# ---------------------------------------------------------------- our own events


def test_our_own_event_names_a_recording_whatever_it_is_called(harbour: Harbour) -> None:
    harbour.put("take 7", tells=False)
    harbour.drop("take 7", metadata=Sidecar(title="Tides"))

    (job,) = harbour.take()

    assert job.title == "Tides"


def test_an_event_and_a_notification_about_one_object_are_one_job(harbour: Harbour) -> None:
    harbour.put("a.mp3")
    harbour.take()
    harbour.drop("a.mp3", metadata=Sidecar(title="Tides"))

    (job,) = harbour.take()

    assert job.title == "Tides"


def test_an_event_s_description_is_not_lost_where_intake_dies_after_the_ledger_has_the_event(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event is remembered and will not be looked at again: what it says must be in the ledger with it."""
    harbour.put("a.mp3")
    harbour.take()
    harbour.drop("a.mp3", metadata=Sidecar(title="Tides"))
    add_all = harbour.queue.add_all

    def die_after(news: Sequence[NewJob], *, new_id: Callable[[], str]) -> None:
        add_all(news, new_id=new_id)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(harbour.queue, "add_all", die_after)
        with pytest.raises(KeyboardInterrupt):
            harbour.intake.take(seconds=0)
    harbour.restart()

    (job,) = harbour.take()

    assert job.title == "Tides"


def test_an_event_that_asks_for_other_options_is_another_job(harbour: Harbour) -> None:
    harbour.put("a.mp3")
    harbour.drop("a.mp3", metadata=Sidecar(models="gpu"))

    assert sorted(job.options.models for job in harbour.take()) == ["gpu", "starter"]


def test_the_same_event_is_the_same_job_even_where_other_bytes_lie_there_by_now(harbour: Harbour) -> None:
    harbour.put("a.mp3", b"first", tells=False)
    harbour.drop("a.mp3")
    harbour.take()
    harbour.put("a.mp3", b"second", tells=False)
    harbour.drop("a.mp3")

    assert len(harbour.take()) == 1
    assert harbour.codes() == []


def test_the_id_of_an_event_about_another_object_is_a_dead_letter(harbour: Harbour) -> None:
    for key in ("a.mp3", "b.mp3"):
        harbour.put(key, tells=False)
        harbour.drop(key)

    assert len(harbour.take()) == 1
    assert harbour.codes() == ["idempotency_key_reused"]


def test_a_pinned_event_keeps_its_pin(harbour: Harbour) -> None:
    harbour.put("a.mp3", b"first", tells=False)
    first = harbour.bucket.look(BUCKET, "a.mp3")
    assert first is not None
    harbour.put("a.mp3", b"second", tells=False)
    harbour.drop("a.mp3", etag=first.etag)
    harbour.take()

    claimed = harbour.queue.claim("ada", lease_seconds=30)

    assert claimed is not None
    assert claimed.audio_key == f"s3://harbour/a.mp3?etag={first.etag}"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"key": "nothing.mp3"}, "object_not_found"),
        ({"key": "uploads/x/audio.mp3"}, "drop_refused"),
        ({"key": "a.mp3", "bucket": "elsewhere"}, "drop_refused"),
        ({"key": "empty.mp3"}, "audio_empty"),
        ({"key": "large.mp3", "metadata": Sidecar()}, "audio_too_large"),
        ({"key": "a.mp3", "metadata": Sidecar(models="~/models")}, "invalid_option"),
        ({"key": "a.mp3", "metadata": Sidecar(priority=1000)}, "invalid_option"),
    ],
)
def test_an_event_that_cannot_be_followed_is_a_dead_letter(harbour: Harbour, data: dict[str, Any], code: str) -> None:
    harbour.put("a.mp3", tells=False)
    harbour.put("empty.mp3", b"", tells=False)
    harbour.put("large.mp3", b"x" * 1001, tells=False)
    record = harbour.drop(**data)

    assert harbour.take() == []
    assert [(letter.record, letter.reason) for letter in harbour.letters.letters] == [(record, code)]


# ---------------------------------------------------------------- bad records


def test_a_bad_record_is_a_dead_letter_and_the_next_one_is_taken_in(harbour: Harbour) -> None:
    bad = harbour.topics.append("bucket-events", b"\xff no json", key=b"k", headers=(("h", b"v"),))
    harbour.put("a.mp3")

    assert len(harbour.take()) == 1
    assert [(letter.record, letter.reason, letter.stored_key) for letter in harbour.letters.letters] == [
        (bad, "record_not_json", None)
    ]


def test_a_record_with_two_faults_is_one_dead_letter_and_what_is_right_in_it_is_taken_in(harbour: Harbour) -> None:
    harbour.put("a.mp3", tells=False)
    right = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": BUCKET}, "object": {"key": "a.mp3"}}}
    harbour.topics.append("bucket-events", json.dumps({"Records": [{"eventName": 3}, right, {}]}).encode())

    assert len(harbour.take()) == 1
    assert harbour.codes() == ["record_invalid"]


def test_a_large_bad_record_is_kept_in_the_store(harbour: Harbour) -> None:
    content = b"x" * (LARGEST_INLINE_BYTES + 1)
    harbour.topics.append("episodes", content)

    harbour.take()

    (letter,) = harbour.letters.letters
    assert letter.stored_key is not None
    assert letter.stored_key.startswith("dead-letters/")
    assert harbour.store.get(letter.stored_key) == content


@pytest.mark.parametrize(
    "odd", [{"key": b"k" * 3_000_000}, {"headers": (("big", b"h" * 3_000_000),)}], ids=["key", "header"]
)
def test_a_record_with_megabytes_beside_it_is_kept_whole_and_blocks_nothing(
    harbour: Harbour, odd: dict[str, Any]
) -> None:
    bad = harbour.topics.append("bucket-events", b"no json", **odd)
    harbour.put("a.mp3")

    assert len(harbour.take()) == 1
    (letter,) = harbour.letters.letters
    assert letter.stored_beside is not None
    kept = json.loads(harbour.store.get(letter.stored_beside) or b"")
    assert kept["key"] == (None if bad.key is None else b64encode(bad.key).decode())
    assert kept["headers"] == [[name, b64encode(value).decode()] for name, value in bad.headers]


def test_a_letter_that_the_broker_takes_for_too_long_lies_in_the_store_whole(harbour: Harbour) -> None:
    harbour.letters = MemoryDeadLetters(most_bytes=1000)
    harbour.restart()
    harbour.topics.append("bucket-events", b"no json" * 1000, key=b"k" * 100)
    harbour.put("a.mp3")

    assert len(harbour.take()) == 1
    (letter,) = harbour.letters.letters
    assert letter.stored_key is not None
    assert letter.stored_beside is not None
    assert harbour.store.get(letter.stored_key) == b"no json" * 1000


def test_a_defect_of_ours_costs_one_record(harbour: Harbour, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("a.mp3", "b.mp3", "c.mp3"):
        harbour.put(key)
    add_all = harbour.queue.add_all

    def broken(news: Sequence[NewJob], *, new_id: Callable[[], str]) -> Any:
        if any(new.episode.audio.file_name == "b.mp3" for new in news):
            raise RuntimeError("a defect")
        return add_all(news, new_id=new_id)

    monkeypatch.setattr(harbour.queue, "add_all", broken)
    harbour.take()

    assert (harbour.files(), harbour.codes()) == (["a.mp3", "c.mp3"], ["internal_error"])


def test_each_record_is_counted_once_by_what_became_of_it(harbour: Harbour, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = Metrics()
    harbour.restart(metrics=metrics)
    harbour.put("a.mp3")
    harbour.announce("a.mp3")
    harbour.announce("cover.jpg")
    harbour.topics.append("bucket-events", b"no json")
    with monkeypatch.context() as patched:
        patched.setattr(harbour.source, "commit", lambda _batch: (_ for _ in ()).throw(TransientError("away")))
        with pytest.raises(TransientError):
            harbour.intake.take(seconds=0)

    harbour.take()
    harbour.announce("a.mp3")
    harbour.take()

    counted = {
        outcome.value: metrics.registry.get_sample_value(
            "stenocast_intake_records_total", {"topic": "bucket-events", "outcome": outcome.value}
        )
        for outcome in TakenIn
    }
    assert counted == {"new": None, "known": 3.0, "skipped": 1.0, "dead": 1.0}
    reasons = {"reason": "record_not_json"}
    assert metrics.registry.get_sample_value("stenocast_dead_letters_total", reasons) == 1.0


# ---------------------------------------------------------------- faults


@pytest.mark.parametrize(
    "error", [TransientError("the database is away"), NotReady("no room left", code="ledger_full")]
)
@pytest.mark.parametrize("place", ["known_requests", "add_all", "look", "send"])
def test_while_something_is_away_nothing_is_committed_and_nothing_lost(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch, error: Exception, place: str
) -> None:
    harbour.put("a.mp3")
    harbour.topics.append("bucket-events", b"no json")
    part = {"look": harbour.bucket, "send": harbour.letters}.get(place, harbour.queue)

    def away(*_given: object, **_named: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(part, place, away)
        for _ in range(2):
            with pytest.raises(type(error)):
                harbour.intake.take(seconds=0)
        assert harbour.topics.committed("intake", "bucket-events") == 0

    assert len(harbour.take()) == 1
    assert harbour.codes() == ["record_not_json"]
    assert harbour.topics.committed("intake", "bucket-events") == 2


def test_a_name_that_the_bucket_cannot_answer_for_does_not_block_the_others(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("a.mp3", "odd.mp3", "b.mp3"):
        harbour.put(key)
    look = harbour.bucket.look

    def odd(bucket: str, key: str) -> Any:
        if key == "odd.mp3":
            raise TransientError("the store did not answer as it should (400)", code="store_unavailable")
        return look(bucket, key)

    monkeypatch.setattr(harbour.bucket, "look", odd)
    for _ in range(PATIENCE):
        with pytest.raises(TransientError):
            harbour.intake.take(seconds=0)

    assert len(harbour.take()) == 2
    assert harbour.codes() == ["store_unavailable"]


def test_a_bucket_that_is_away_for_long_costs_nothing(harbour: Harbour, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_given: object) -> None:
        raise TransientError("the bucket is away", code="store_unavailable")

    harbour.put("a.mp3")
    with monkeypatch.context() as patched:
        patched.setattr(harbour.bucket, "look", away)
        for _ in range(3 * PATIENCE):
            with pytest.raises(TransientError):
                harbour.intake.take(seconds=0)

    assert len(harbour.take()) == 1
    assert harbour.codes() == []


def test_a_bucket_that_does_not_answer_is_not_asked_hundreds_of_times(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each question waits minutes for its answer; the batch comes again as a whole."""
    asked: list[str] = []

    def away(_bucket: str, key: str) -> None:
        asked.append(key)
        time.sleep(0.01)
        raise TransientError("the bucket is away", code="store_unavailable")

    harbour.announce(*(f"{number}.mp3" for number in range(400)))
    monkeypatch.setattr(harbour.bucket, "look", away)
    with pytest.raises(TransientError):
        harbour.intake.take(seconds=0)

    assert len(asked) <= 4 * QUESTIONS_AT_ONCE


@pytest.mark.parametrize("place", ["after_take_in", "before_commit"])
def test_an_intake_that_dies_in_between_leaves_records_that_come_again(harbour: Harbour, place: str) -> None:
    def die(reached: str) -> None:
        if reached == place:
            raise KeyboardInterrupt

    harbour.put("a.mp3")
    harbour.restart(reached=die)
    with pytest.raises(KeyboardInterrupt):
        harbour.intake.take(seconds=0)
    harbour.restart()

    assert len(harbour.take()) == 1
    assert harbour.topics.committed("intake", "bucket-events") == 1


def test_the_loop_waits_longer_and_longer_and_goes_on(harbour: Harbour, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stop(StopEvent):
        waits: list[float | None] = []  # noqa: RUF012

        def wait(self, timeout: float | None = None) -> bool:
            self.waits.append(timeout)
            if len(self.waits) == 5:
                monkeypatch.undo()
            return self.is_set() or len(self.waits) > 6

    def away(*_given: object, **_named: object) -> None:
        raise TransientError("the database is away")

    harbour.put("a.mp3")
    monkeypatch.setattr(harbour.queue, "add_all", away)
    stop = Stop()
    take_until(stop, harbour.intake)

    assert stop.waits == [0.0, 0.5, 1.0, 2.0, 4.0, 0.0, 0.0]
    assert len(harbour.jobs()) == 1


def test_a_loop_that_is_to_end_when_idle_does(harbour: Harbour) -> None:
    times = itertools.count(0)
    harbour.put("a.mp3")

    take_until(StopEvent(), harbour.intake, exit_when_idle=3, clock=lambda: next(times))

    assert len(harbour.jobs()) == 1


class Turns(StopEvent):
    """A stop that is set after so many turns of the loop; `before` is called with the number of each."""

    def __init__(self, turns: int, before: Callable[[int], None]) -> None:
        super().__init__()
        self._left, self._turn, self._before = turns, 0, before

    def wait(self, timeout: float | None = None) -> bool:
        self._before(self._turn)
        self._turn += 1
        return self._turn > self._left


def test_a_broker_that_goes_away_is_told_with_the_reason_and_so_is_its_return(harbour: Harbour) -> None:
    """The client gives nothing meanwhile and raises nothing either."""
    gone = TransientError("Kafka cannot be reached (127.0.0.1:9: refused)", code="kafka_unavailable")
    times = itertools.count(0.0, 0.5)

    def go_and_come(turn: int) -> None:
        if turn == 2:
            harbour.source.away = gone
        if turn == 8:
            harbour.source.away = None
            harbour.put("a.mp3")

    with structlog.testing.capture_logs() as lines:
        take_until(Turns(12, go_and_come), harbour.intake, clock=lambda: next(times))

    told = [(line["event"], line.get("reason")) for line in lines if line["event"].startswith("records")]
    assert told == [
        ("records not taken in", gone.message),
        ("records taken in again", None),
        ("records taken in", None),
    ]


def test_an_intake_that_can_take_nothing_in_shows_it_as_a_number(harbour: Harbour) -> None:
    metrics = Metrics()
    harbour.restart(metrics=metrics)
    seen: list[str] = []

    def go_and_come(turn: int) -> None:
        harbour.source.away = TransientError("away", code="kafka_unavailable") if turn in (2, 3) else None
        seen.append(metrics.text().decode().split("\nstenocast_intake_stalled ")[1][:3])

    take_until(Turns(6, go_and_come), harbour.intake)

    assert seen == ["0.0", "0.0", "0.0", "1.0", "1.0", "0.0", "0.0"]


def test_a_loop_that_is_to_end_when_idle_waits_for_a_broker_that_is_away(
    harbour: Harbour,
) -> None:
    harbour.source.away = TransientError("away", code="kafka_unavailable")
    turns = Turns(50, lambda _turn: None)

    take_until(turns, harbour.intake, exit_when_idle=3, clock=itertools.count(0.0).__next__)

    assert turns._turn == 51


# ---------------------------------------------------------------- any order


OBJECTS: dict[str, bytes] = {
    "in/one.mp3": b"sound one",
    "in/one.json": b'{"title": "One", "show": "Tides", "priority": 3}',
    "in/two.flac": b"sound two",
    "in/two.json": b'{"titel": "Two"}',
    "three é+1.m4a": b"sound three",
    "results/a/1/transcript.json": b"{}",
    "uploads/b/audio.mp3": b"sound",
    "cover.jpg": b"picture",
}


def facts(harbour: Harbour) -> set[tuple[object, ...]]:
    """What the jobs are, their ids and their order aside."""
    return {
        (job.episode_id, job.state, job.title, job.show, job.priority, job.error, job.options)
        for job in harbour.jobs()
    }


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_any_order_duplication_and_interleaving_of_notifications_gives_the_same_jobs(data: st.DataObject) -> None:
    in_order = Harbour()
    for key, content in OBJECTS.items():
        in_order.put(key, content, tells=False)
    in_order.announce(*OBJECTS)
    in_order.take()
    names = st.lists(st.sampled_from(sorted(OBJECTS)), min_size=1, max_size=3)
    told = data.draw(st.lists(names, max_size=8))
    told += [[key] for key in data.draw(st.permutations(sorted(OBJECTS)))]
    told = data.draw(st.permutations(told))

    # Everything lies there; it is announced anyhow, in batches of any size, over two topics' worth of crashes.
    harbour = Harbour()
    for key, content in OBJECTS.items():
        harbour.put(key, content, tells=False)
    for keys in told:
        harbour.announce(*keys)
        if data.draw(st.booleans()):
            harbour.take()
        if data.draw(st.booleans()):
            committed = harbour.topics.committed("intake", "bucket-events")
            harbour.topics.commit("intake", "bucket-events", 0, data.draw(st.integers(0, committed)))
            harbour.restart()
    harbour.take()

    assert facts(harbour) == facts(in_order)
    assert len(harbour.jobs()) == 3
    assert harbour.codes() == []


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_recordings_and_descriptions_may_come_in_any_order(data: st.DataObject) -> None:
    objects = {key: content for key, content in OBJECTS.items() if key != "in/two.json"}
    at_once = Harbour()
    for key, content in objects.items():
        at_once.put(key, content)
    at_once.take()

    harbour = Harbour()
    for key in data.draw(st.permutations(sorted(objects))):
        harbour.put(key, objects[key])
        if data.draw(st.booleans()):
            harbour.take()
    harbour.take()

    assert facts(harbour) == facts(at_once)
