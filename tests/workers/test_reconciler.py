"""The reconciler: what no notification announced is taken in, and what attempts lost is removed. Nothing else."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event as StopEvent
from typing import Any

import pytest

from adapters.acceptance import YOUNG_SECONDS
from adapters.erasure import erase, forget_notes, note_checkpoints, note_download
from adapters.memory import MemoryDropBox, MemoryQueue, MemoryStore
from schemas.episode import AudioInfo, Episode
from schemas.errors import TransientError
from schemas.job import JobError, JobOptions, JobState
from transcription.drops import DropPlace
from transcription.ports import Holder, Lease, NewJob, Result
from workers.reconciler import (
    GRACE_SECONDS,
    PARTS_SECONDS,
    REVISING_SECONDS,
    SWEEP_SECONDS,
    UNCLAIMED_SECONDS,
    Reconciler,
    Seen,
    is_lost,
    reconcile_until,
)
from workers.taking_in import DropRules, TakeIn

BUCKET = "harbour"


@dataclass
class Harbour:
    """A bucket, and a reconciler that nobody tells anything."""

    bucket: MemoryDropBox = field(default_factory=MemoryDropBox)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.store = MemoryStore(clock=lambda: self.now)
        self.ids = (f"id-{number}" for number in itertools.count(1))
        self.queue = MemoryQueue(now=lambda: 1000.0, new_id=lambda: next(self.ids))

    def reconciler(self, **options: Any) -> Reconciler:
        place = DropPlace(BUCKET, "", ("results/",))
        take_in = TakeIn(
            queue=self.queue,
            drops=self.bucket,
            rules=DropRules(place, models="starter", max_bytes=1000, check_models=lambda _models, _language: None),
            new_id=lambda: next(self.ids),
            new_trace=lambda: "",
        )
        return Reconciler(queue=self.queue, store=self.store, take_in=take_in, **options)

    def look(self) -> Seen:
        return self.reconciler().look()

    def put(self, *keys: str) -> None:
        for key in keys:
            self.bucket.put(BUCKET, key, b"sound")

    def claim(self) -> Lease:
        claimed = self.queue.claim("ada", lease_seconds=30)
        assert claimed is not None
        return claimed.lease

    def result(self, lease: Lease) -> str:
        """Put a result of an attempt; its key."""
        key = f"results/{lease.job_id}/{lease.token}/transcript.json"
        self.store.put(key, b"{}")
        return key

    def finish(self, lease: Lease) -> str:
        key = self.result(lease)
        self.queue.finish(lease, Result(key, "d" * 64, 2, 1.0, "a" * 64, "en", 1, 0, 1, 1.0, False))
        return key


@pytest.fixture(params=[False, True], ids=["one version", "versions"])
def harbour(request: pytest.FixtureRequest) -> Harbour:
    return Harbour(MemoryDropBox(keeps_versions=request.param))


def test_what_lies_there_unannounced_is_taken_in_once(harbour: Harbour) -> None:
    harbour.put("a.mp3", "in/b.flac", "in/b.jpg", "results/x.mp3", "c/")

    assert harbour.look() == Seen(objects=5, recordings=2, new=2)
    assert harbour.look() == Seen(objects=5, recordings=2, new=0)


def test_a_description_beside_is_honoured(harbour: Harbour) -> None:
    harbour.bucket.put(BUCKET, "a.json", b'{"title": "Tides"}')
    harbour.put("a.mp3")

    harbour.look()

    assert [job.title for job in harbour.queue.jobs()] == ["Tides"]


def test_a_wrong_description_is_one_failed_job_however_often_it_is_seen(harbour: Harbour) -> None:
    harbour.bucket.put(BUCKET, "a.json", b"{")
    harbour.put("a.mp3")

    assert [harbour.look().new for _ in range(3)] == [1, 0, 0]


def test_a_cancelled_job_stays_cancelled(harbour: Harbour) -> None:
    harbour.put("a.mp3")
    harbour.look()
    harbour.queue.cancel(harbour.queue.jobs()[0].id)

    assert harbour.look().new == 0


def test_more_than_a_page_is_looked_at_and_known_ones_cost_no_look(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    harbour.put(*(f"{number:04}.mp3" for number in range(1201)))
    assert harbour.look() == Seen(objects=1201, recordings=1201, new=1201)

    monkeypatch.setattr(TakeIn, "touched", lambda _self, _notices: pytest.fail("asked about a known recording"))

    assert harbour.look().new == 0


def test_two_reconcilers_and_an_intake_that_was_faster_make_one_job(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    harbour.put("a.mp3")
    add_all = harbour.queue.add_all

    def slower(news: list[NewJob], **named: object) -> object:
        monkeypatch.setattr(harbour.queue, "add_all", add_all)
        harbour.look()
        return add_all(news, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(harbour.queue, "add_all", slower)

    assert harbour.look().new == 0
    assert len(harbour.queue.jobs()) == 1


@pytest.mark.parametrize("error", [TransientError("no answer for this name"), RuntimeError("a defect of ours")])
def test_a_name_that_is_never_answered_for_keeps_no_other_from_being_found(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    harbour.put("a.mp3", "odd.mp3", "z.mp3")
    look = harbour.bucket.look

    def odd(bucket: str, key: str) -> Any:
        if key == "odd.mp3":
            raise error
        return look(bucket, key)

    listed = list(harbour.bucket.listed(BUCKET, ""))
    monkeypatch.setattr(harbour.bucket, "listed", lambda _bucket, _prefix: iter(listed))
    monkeypatch.setattr(harbour.bucket, "look", odd)

    assert harbour.look().new == 2
    assert len(harbour.queue.jobs()) == 2


def test_a_bucket_that_answers_nothing_ends_the_look(harbour: Harbour, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_bucket: str, _key: str) -> None:
        raise TransientError("the bucket is away")

    harbour.put("a.mp3", "b.mp3")
    listed = list(harbour.bucket.listed(BUCKET, ""))
    monkeypatch.setattr(harbour.bucket, "listed", lambda _bucket, _prefix: iter(listed))
    monkeypatch.setattr(harbour.bucket, "look", away)

    with pytest.raises(TransientError):
        harbour.look()


# ---------------------------------------------------------------- what attempts lost


def test_results_of_lost_attempts_are_removed_after_the_grace_and_the_transcript_is_kept(harbour: Harbour) -> None:
    harbour.put("a.mp3")
    harbour.look()
    first = harbour.claim()
    lost = harbour.result(first)
    harbour.queue.release(first)
    kept = harbour.finish(harbour.claim())

    assert harbour.look().removed == 0
    harbour.now = GRACE_SECONDS

    assert harbour.look().removed == 1
    assert (harbour.store.exists(lost), harbour.store.exists(kept)) == (False, True)


def test_the_result_of_a_running_attempt_is_kept_however_old(harbour: Harbour) -> None:
    harbour.put("a.mp3")
    harbour.look()
    key = harbour.result(harbour.claim())
    harbour.now = 10 * GRACE_SECONDS

    assert harbour.look().removed == 0
    assert harbour.store.exists(key)


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_the_result_of_a_job_that_ended_without_it_is_removed(harbour: Harbour, end: str) -> None:
    harbour.put("a.mp3")
    harbour.look()
    lease = harbour.claim()
    harbour.result(lease)
    if end == "failed":
        harbour.queue.fail(lease, JobError("audio_unreadable", "damaged"))
    else:
        harbour.queue.cancel(lease.job_id)
    harbour.now = GRACE_SECONDS

    assert harbour.look().removed == 1


@pytest.mark.parametrize(
    ("state", "token", "transcript", "lost"),
    [
        (JobState.QUEUED, 2, None, [1]),
        (JobState.RUNNING, 2, None, [1]),
        (JobState.DONE, 2, "results/j/2/transcript.json", [1, 3]),
        (JobState.FAILED, 2, None, [1, 2, 3]),
        (JobState.CANCELLED, 2, None, [1, 2, 3]),
    ],
)
def test_what_is_lost_and_what_may_yet_be_the_transcript(
    state: JobState, token: int, transcript: str | None, lost: list[int]
) -> None:
    holder = Holder(state, token, transcript)

    assert [each for each in (1, 2, 3) if is_lost(f"results/j/{each}/transcript.json", each, holder)] == lost


def test_revisions_by_hand_are_kept_and_one_that_was_never_named_is_removed(harbour: Harbour) -> None:
    harbour.put("a.mp3")
    harbour.look()
    first = harbour.finish(harbour.claim())
    folder = first.rpartition("/")[0]
    second, third, unnamed = (f"{folder}/transcript-{name}.json" for name in ("2-a", "3-b", "3-c"))
    episode_id = harbour.queue.jobs()[0].episode_id
    for seen, key in enumerate((second, third), start=1):
        harbour.store.put(key, b"{}")
        result = Result(key, "d" * 64, 2, 1.0, "a" * 64, "en", 1, 0, 1, 1.0, False)
        harbour.queue.revise(episode_id, result, seen=seen)
    harbour.store.put(unnamed, b"{}")
    harbour.now = REVISING_SECONDS - 1
    young = harbour.reconciler(grace_seconds=1.0).look().removed
    harbour.now = GRACE_SECONDS
    old = harbour.look().removed

    assert (young, old) == (0, 1)
    assert [harbour.store.exists(key) for key in (first, second, third, unnamed)] == [True, True, True, False]


@pytest.mark.parametrize(
    "key",
    ["results/somebody-elses/1/transcript.json", "results/id-1/x/transcript.json", "results/readme", "uploads/a"],
)
def test_what_no_job_of_this_ledger_left_is_kept(harbour: Harbour, key: str) -> None:
    harbour.put("a.mp3")
    harbour.look()
    harbour.store.put(key, b"x")
    harbour.now = 10 * GRACE_SECONDS

    assert harbour.look().removed == 0
    assert harbour.store.exists(key)


def test_parts_of_a_diarization_that_nobody_finished_are_removed_after_a_day(harbour: Harbour) -> None:
    parts, words = "checkpoints/abc/diarize-x/1/parts/0-256.json", "checkpoints/abc/recognize-x/1/0-300.json"
    harbour.store.put(parts, b"x")
    harbour.store.put(words, b"x")
    note_checkpoints(harbour.store, job_id="somebody's", audio_sha256="abc")

    assert harbour.look().removed == 0
    harbour.now = PARTS_SECONDS

    assert harbour.look().removed == 1
    assert (harbour.store.exists(parts), harbour.store.exists(words)) == (False, True)


def test_checkpoints_that_no_job_noted_are_removed_after_a_day(harbour: Harbour) -> None:
    words = "checkpoints/abc/recognize-x/1/0-300.json"
    harbour.store.put(words, b"x")
    harbour.now = UNCLAIMED_SECONDS - 1

    assert harbour.look().removed == 0
    harbour.now = UNCLAIMED_SECONDS

    assert harbour.look().removed == 1
    assert not harbour.store.exists(words)


def test_garbage_is_looked_for_once_an_hour(harbour: Harbour) -> None:
    times = iter([0.0, 0.0, SWEEP_SECONDS - 1, SWEEP_SECONDS, SWEEP_SECONDS])
    reconciler = harbour.reconciler(clock=lambda: next(times))
    harbour.store.put("checkpoints/abc/diarize-x/1/parts/0-256.json", b"x")
    reconciler.look()
    harbour.now = PARTS_SECONDS

    assert [reconciler.look().removed for _ in range(2)] == [0, 1]


# ---------------------------------------------------------------- copies of links' recordings

LINK = "https://pod.example/tides.mp3"


def linked(harbour: Harbour, *copies: str) -> Lease:
    """A job of a link under way; each download gave other bytes, and of none of these copies the ledger has heard."""
    harbour.queue.add(NewJob(Episode("episode-link"), JobOptions(), LINK, dedupe_key="link"), job_id="job-link")
    for sha256 in copies:
        note_download(harbour.store, job_id="job-link", audio_sha256=sha256)
        harbour.store.put(f"uploads/{sha256}/audio", b"sound")
    return harbour.claim()


def note_recording(harbour: Harbour, lease: Lease, sha256: str) -> None:
    harbour.queue.fetched(lease, AudioInfo(uri=f"uploads/{sha256}/audio", sha256=sha256))


@pytest.mark.parametrize("end", ["done", "failed", "cancelled"])
def test_a_copy_that_the_ledger_never_heard_of_is_removed_once_its_job_is_final(harbour: Harbour, end: str) -> None:
    lease = linked(harbour, "ab", "cd")
    note_recording(harbour, lease, "cd")
    harbour.now = GRACE_SECONDS
    running = harbour.look().removed
    if end == "done":
        harbour.finish(lease)
    elif end == "failed":
        harbour.queue.fail(lease, JobError("broken", "it broke"))
    else:
        harbour.queue.cancel(lease.job_id)

    assert (running, harbour.look().removed, harbour.look().removed) == (0, 1, 0)
    assert list(harbour.store.keys("uploads/")) == ["uploads/cd/audio"]


def test_a_copy_is_removed_after_the_grace_and_not_before(harbour: Harbour) -> None:
    linked(harbour, "ab")
    harbour.queue.cancel("job-link")
    harbour.now = GRACE_SECONDS - 1
    young = harbour.look().removed
    harbour.now = GRACE_SECONDS

    assert (young, harbour.look().removed) == (0, 1)


@pytest.mark.parametrize(("age", "removed"), [(YOUNG_SECONDS, 0), (2 * YOUNG_SECONDS, 1)])
def test_a_copy_that_an_upload_may_count_on_stays_however_short_the_grace(
    harbour: Harbour, age: float, removed: int
) -> None:
    linked(harbour, "ab")
    harbour.queue.cancel("job-link")
    harbour.now = age

    assert harbour.reconciler(grace_seconds=0.0).look().removed == removed


def test_a_copy_that_another_job_names_stays(harbour: Harbour) -> None:
    linked(harbour, "ab")
    harbour.queue.cancel("job-link")
    harbour.queue.add(NewJob(Episode("episode-b"), JobOptions(), "uploads/ab/audio", dedupe_key="b"), job_id="job-b")
    harbour.now = GRACE_SECONDS

    assert harbour.look().removed == 0
    assert harbour.store.exists("uploads/ab/audio")


def test_a_copy_that_is_named_while_its_page_is_swept_stays(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked(harbour, "ab")
    harbour.queue.cancel("job-link")
    harbour.now = GRACE_SECONDS
    wanted = harbour.queue.wanted_audio

    def then_named(keys: Sequence[str]) -> frozenset[str]:
        answer = wanted(keys)
        new = NewJob(Episode("episode-b"), JobOptions(), "uploads/ab/audio", dedupe_key="b")
        harbour.queue.add(new, job_id="job-b")
        return answer

    monkeypatch.setattr(harbour.queue, "wanted_audio", then_named)

    assert harbour.look().removed == 0
    assert harbour.store.exists("uploads/ab/audio")


# ---------------------------------------------------------------- what deleted episodes left


def uploaded(harbour: Harbour, name: str, *, sound: str) -> Lease:
    """An episode that was uploaded, with a recording of this hash, under way: it has left everything it leaves."""
    key = f"uploads/{sound}/audio"
    harbour.store.put(key, b"sound")
    new = NewJob(Episode(f"episode-{name}"), JobOptions(), key, dedupe_key=f"same-{name}")
    job, _ = harbour.queue.add(new, job_id=f"job-{name}")
    lease = harbour.claim()
    note_checkpoints(harbour.store, job_id=job.id, audio_sha256=sound)
    harbour.store.put(f"checkpoints/{sound}/diarize-x/1/voices.json", b"x")
    harbour.store.put(f"checkpoints/{sound}/recognize-x/1/0-300.json", b"x")
    harbour.result(lease)
    return lease


def test_everything_of_a_deleted_episode_is_removed_at_the_next_look(harbour: Harbour) -> None:
    uploaded(harbour, "one", sound="abc")
    harbour.queue.delete("episode-one", by="api")

    assert harbour.look().erased == 5
    assert list(harbour.store.keys("")) == ["checkpoints/of/job-one/abc"]
    assert harbour.store.get("checkpoints/of/job-one/abc") == b""


def test_a_checkpoint_that_a_worker_leaves_before_it_notices_the_deletion_is_found_by_the_note(
    harbour: Harbour,
) -> None:
    """By the look after it, by the worker itself (`erase`), and by the garbage of a reconciler that comes later."""
    uploaded(harbour, "one", sound="abc")
    deletion = harbour.queue.delete("episode-one", by="api")
    reconciler = harbour.reconciler()
    reconciler.look()
    late = "checkpoints/abc/recognize-x/1/300-600.json"

    harbour.store.put(late, b"x")
    assert reconciler.look().erased == 1
    harbour.store.put(late, b"x")
    assert erase(harbour.queue, harbour.store, deletion) == 1
    harbour.store.put(late, b"x")
    harbour.queue.mark_erased(deletion)
    assert harbour.look().erased == 2
    assert list(harbour.store.keys("")) == []


def test_what_a_worker_leaves_late_of_a_recording_that_another_episode_has_too_is_that_ones(harbour: Harbour) -> None:
    uploaded(harbour, "one", sound="abc")
    uploaded(harbour, "two", sound="abc")
    harbour.queue.delete("episode-one", by="api")
    reconciler = harbour.reconciler()
    reconciler.look()
    late = "checkpoints/abc/recognize-x/1/300-600.json"
    harbour.store.put(late, b"x")

    assert reconciler.look().erased == 0
    assert harbour.store.exists(late)
    harbour.queue.delete("episode-two", by="api")
    reconciler.look()
    assert list(harbour.store.keys("")) == ["checkpoints/of/job-one/abc", "checkpoints/of/job-two/abc"]


def test_an_object_among_the_notes_that_is_none_holds_up_no_other_deletion(harbour: Harbour) -> None:
    uploaded(harbour, "one", sound="abc")
    harbour.store.put("checkpoints/of/job-one/abc/def", b"")
    harbour.store.put("checkpoints/of/stray", b"")
    harbour.queue.delete("episode-one", by="api")

    assert harbour.look().erased == 5


def test_a_recording_and_checkpoints_that_another_episode_has_too_stay_until_that_one_is_deleted(
    harbour: Harbour,
) -> None:
    uploaded(harbour, "one", sound="abc")
    uploaded(harbour, "two", sound="abc")
    harbour.queue.delete("episode-one", by="api")
    reconciler = harbour.reconciler()

    reconciler.look()

    assert list(harbour.store.keys("")) == [
        "checkpoints/abc/diarize-x/1/voices.json",
        "checkpoints/abc/of/job-two",
        "checkpoints/abc/recognize-x/1/0-300.json",
        "checkpoints/of/job-one/abc",
        "checkpoints/of/job-two/abc",
        "results/job-two/1/transcript.json",
        "uploads/abc/audio",
    ]
    harbour.queue.delete("episode-two", by="api")
    reconciler.look()
    assert list(harbour.store.keys("")) == ["checkpoints/of/job-one/abc", "checkpoints/of/job-two/abc"]


def test_a_look_that_breaks_off_anywhere_leaves_something_to_go_on_from(harbour: Harbour) -> None:
    """After each single removal, as if killed there: the next look finds the rest."""
    for steps in range(1, 7):
        uploaded(harbour, f"{steps}", sound=f"abc{steps}")
        harbour.queue.delete(f"episode-{steps}", by="api")
        delete, left = harbour.store.delete, iter(range(steps))

        def breaking(key: str, delete: Any = delete, left: Any = left) -> None:
            if next(left, None) is None:
                raise TransientError("the store is away")
            delete(key)

        harbour.store.delete = breaking  # type: ignore[method-assign]
        with suppress(TransientError):
            harbour.look()
        harbour.store.delete = delete  # type: ignore[method-assign]

        harbour.look()
        assert [key for key in harbour.store.keys("") if not key.startswith("checkpoints/of/")] == []


def test_a_deletion_is_looked_after_until_nothing_was_found_and_its_workers_have_left(harbour: Harbour) -> None:
    lease = uploaded(harbour, "one", sound="abc")
    harbour.queue.delete("episode-one", by="api")
    reconciler = harbour.reconciler(settle_seconds=0.0)
    patient = harbour.reconciler(settle_seconds=10.0)

    assert reconciler.look().erased == 5
    patient.look()
    assert len(harbour.queue.unerased()) == 1
    harbour.result(lease)
    assert reconciler.look().erased == 1
    assert len(harbour.queue.unerased()) == 1
    assert list(harbour.store.keys("")) == ["checkpoints/of/job-one/abc"]
    assert reconciler.look().erased == 0
    assert harbour.queue.unerased() == []
    assert list(harbour.store.keys("")) == []


def test_a_reconciler_that_dies_before_it_marks_a_deletion_leaves_the_rest_to_the_next_look(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two notes, and between the last note and the mark."""
    uploaded(harbour, "one", sound="abc")
    note_checkpoints(harbour.store, job_id="job-one", audio_sha256="def")
    harbour.queue.delete("episode-one", by="api")
    reconciler = harbour.reconciler(settle_seconds=0.0)
    reconciler.look()
    delete, mark = harbour.store.delete, harbour.queue.mark_erased

    def away(*_given: Any) -> None:
        raise TransientError("away")

    for notes_left in (1, 0):

        def one_at_most(key: str, left: int = notes_left) -> None:
            if len(list(harbour.store.keys("checkpoints/of/"))) <= left:
                raise TransientError("away")
            delete(key)

        monkeypatch.setattr(harbour.store, "delete", one_at_most)
        monkeypatch.setattr(harbour.queue, "mark_erased", away)
        with pytest.raises(TransientError):
            reconciler.look()
        assert len(list(harbour.store.keys("checkpoints/of/"))) == notes_left
        assert len(harbour.queue.unerased()) == 1

    monkeypatch.setattr(harbour.queue, "mark_erased", mark)
    reconciler.look()
    assert (list(harbour.store.keys("")), harbour.queue.unerased()) == ([], [])


def test_a_recording_that_is_sent_again_while_its_page_is_swept_stays(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploaded(harbour, "one", sound="abc")
    harbour.queue.mark_erased(harbour.queue.delete("episode-one", by="api"))
    unwanted_audio = harbour.queue.unwanted_audio

    def sent_again_meanwhile(keys: Any) -> frozenset[str]:
        found = unwanted_audio(keys)
        monkeypatch.setattr(harbour.queue, "unwanted_audio", unwanted_audio)
        uploaded(harbour, "two", sound="abc")
        return found

    monkeypatch.setattr(harbour.queue, "unwanted_audio", sent_again_meanwhile)

    harbour.look()

    assert harbour.store.exists("uploads/abc/audio")


def test_what_a_frozen_worker_writes_long_after_the_deletion_is_removed_with_the_garbage(harbour: Harbour) -> None:
    lease = uploaded(harbour, "one", sound="abc")
    deletion = harbour.queue.delete("episode-one", by="api")
    harbour.look()
    forget_notes(harbour.store, deletion)
    harbour.queue.mark_erased(deletion)

    harbour.result(lease)
    note_checkpoints(harbour.store, job_id="job-one", audio_sha256="def")
    harbour.store.put("checkpoints/def/recognize-x/1/0-300.json", b"x")
    harbour.store.put("uploads/abc/audio", b"sound")

    assert harbour.look().erased == 5
    assert list(harbour.store.keys("")) == []


def test_a_drop_stays_where_its_producer_put_it_and_is_not_taken_in_again(harbour: Harbour) -> None:
    harbour.put("a.mp3")
    harbour.look()
    harbour.queue.delete(harbour.queue.jobs()[0].episode_id, by="api")

    assert (harbour.look().new, harbour.look().erased) == (0, 0)
    assert harbour.bucket.look(BUCKET, "a.mp3") is not None
    assert harbour.queue.jobs() == []


def test_new_bytes_under_the_name_of_a_deleted_drop_are_a_new_recording(harbour: Harbour) -> None:
    harbour.put("a.mp3")
    harbour.look()
    harbour.queue.delete(harbour.queue.jobs()[0].episode_id, by="api")
    harbour.bucket.put(BUCKET, "a.mp3", b"another sound")

    assert harbour.look().new == 1


# ---------------------------------------------------------------- the loop


def test_the_loop_goes_on_after_an_error_and_ends_with_the_stop(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stop(StopEvent):
        looks = 0

        def wait(self, timeout: float | None = None) -> bool:
            monkeypatch.undo()
            self.looks += 1
            if self.looks == 3:
                self.set()
            return self.is_set()

    def away(_bucket: str, _prefix: str) -> None:
        raise TransientError("the bucket is away")

    harbour.put("a.mp3")
    monkeypatch.setattr(harbour.bucket, "listed", away)

    times = itertools.count(step=100)

    reconcile_until(Stop(), harbour.reconciler(), every=300, clock=lambda: next(times))

    assert len(harbour.queue.jobs()) == 1
