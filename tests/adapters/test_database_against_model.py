"""The ledger against a model of it, `MemoryQueue`, under random interleavings of workers, people and time.

With the webhooks and known voices that lie in the same ledger, and change with its jobs and episodes. Both hear the
same calls and must answer alike: the same job, the same refusal, the same events. What the design promises whatever
happens is checked after every step on the ledger alone.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from adapters.database import Ledger
from adapters.memory import MemoryQueue, MemoryVoices
from adapters.voices import LedgerVoices
from adapters.webhooks import LedgerWebhooks
from schemas.episode import AudioInfo, Episode
from schemas.errors import Refused, StenocastError
from schemas.events import Event, EventType, JobChanged
from schemas.job import LEGAL_MOVES, MOVES, Job, JobError, JobOptions, JobState, Progress, Stage
from schemas.webhook import TOLD, USUAL, Delivery, DeliveryState, NewWebhook, Webhook, WebhookChange, WebhookState
from tests.ledgers import emptied, postgres_database, sqlite_url
from tests.servers import PostgresServer
from transcription.jobs import MAX_ATTEMPTS, MAX_CRASHES
from transcription.ports import (
    AfterTry,
    Backlog,
    Claimed,
    DueDelivery,
    JobQueue,
    KnownVoice,
    Lease,
    NewJob,
    Rescued,
    Result,
    VoiceConsent,
    WebhookBacklog,
)

LEASE = 30.0

#: By which time passes. No sum of these is a lease, a lead or a delay to the second: the model's clock follows this
#: machine's as the ledger's does, and the one might be a moment past that end and the other not.
STEPS = (11.0, 31.0, 1000.0)

#: Which state a job is in after an event of this type.
STATE_AFTER = {
    "job.queued.v1": JobState.QUEUED,
    "job.started.v1": JobState.RUNNING,
    "job.retrying.v1": JobState.QUEUED,
    "job.done.v1": JobState.DONE,
    "job.failed.v1": JobState.FAILED,
    "job.cancelled.v1": JobState.CANCELLED,
}


def request(
    same: int,
    *,
    show: str | None,
    priority: int = 0,
    key: str | None = None,
    title: str | None = None,
    revives: bool = False,
    link: str | None = None,
) -> NewJob:
    """Requests of the same number are the same; numbers that are equal modulo 4 are about one episode."""
    return NewJob(
        episode=Episode(
            id=f"episode-{same % 4}",
            title=title or (None if same == 1 else f"Title {same}"),
            show=show,
            audio=AudioInfo(uri=link or f"uploads/{same}"),
        ),
        options=JobOptions(),
        audio_key=link or "uploads/x",
        dedupe_key=f"{link or 'same'}-{same}",
        idempotency_key=key,
        priority=priority,
        expected_seconds=float(same) or None,
        traceparent=f"trace-{same}" if same % 2 else None,
        revives=revives,
    )


def result_for(lease: Lease) -> Result:
    return Result(
        document_key=f"results/{lease.job_id}/{lease.token}/transcript.json",
        document_sha256="d" * 64,
        document_bytes=1,
        audio_seconds=1.0,
        audio_sha256="a" * 64,
        language="en",
        speaker_count=1,
        named_speaker_count=0,
        word_count=1,
        coverage=None,
        no_speech=False,
    )


def copy_of_link(number: int) -> AudioInfo:
    """What a download brought; the next one may bring other bytes."""
    key = f"uploads/{number}{'c' * 63}/audio"
    return AudioInfo(uri=key, sha256=f"{number}{'c' * 63}", size_bytes=1000, container="mp3", file_name="talk.mp3")


FINE = AfterTry(DeliveryState.DELIVERED, 204)
DOWN = AfterTry(DeliveryState.WAITING, 503, "receiver_refused", delay_seconds=40.0)
OVER = AfterTry(DeliveryState.GIVEN_UP, None, "receiver_timeout")
GONE = AfterTry(DeliveryState.GIVEN_UP, 410, "receiver_gone", disables=True)

NAMES = ("Ada Quill", "Bram Oster")

WANTED = st.sampled_from([TOLD, USUAL, (EventType.JOB_QUEUED, EventType.JOB_CANCELLED)])

#: Longer than a delivery to a disabled webhook waits (72 hours), and no whole part of a week.
DAYS = 260_000.0


class LedgerAgainstModel(RuleBasedStateMachine):
    """On SQLite; on PostgreSQL below."""

    jobs = Bundle("jobs")
    leases = Bundle("leases")
    hooks = Bundle("hooks")
    dues = Bundle("dues")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        event_numbers = itertools.count()
        self.ledger = Ledger(self.empty_ledger(), jitter=lambda: 0.5, new_id=lambda: f"event-{next(event_numbers)}")
        self.passed = 0.0  # seconds beyond those of this machine's clock
        numbers = itertools.count()
        voices = MemoryVoices(now=self.now)
        self.model = MemoryQueue(now=self.now, new_id=lambda: f"event-{next(numbers)}", voices=voices)
        self.webhooks = (LedgerWebhooks(lambda: self.ledger), self.model.webhooks)
        self.voices = (LedgerVoices(lambda: self.ledger), voices)
        self.names = itertools.count()
        self.tokens: dict[str, list[int]] = defaultdict(list)

    def empty_ledger(self) -> str:
        return sqlite_url(self.folder)

    def now(self) -> float:
        return time.time() + self.passed

    def teardown(self) -> None:
        self.ledger.close()
        shutil.rmtree(self.folder)

    def both(self, call: Callable[[JobQueue], Any], verb: str = "") -> Any:
        """Ask the ledger and the model; they must answer alike. What they raised comes back as its class."""
        before = {job.id: job.state for job in self.ledger.jobs(limit=1000)} if verb else {}
        answer = self.alike((self.ledger, self.model), call)
        if verb:
            now = {job.id: job.state for job in self.ledger.jobs(limit=1000)}
            moves = {(before[job_id], now[job_id]) for job_id in before if before[job_id] is not now[job_id]}
            assert all(verb in MOVES[move] for move in moves)
        return answer

    def alike(self, asked: tuple[Any, Any], call: Callable[[Any], Any]) -> Any:
        """Ask a part of the ledger and of the model."""
        answers = []
        for each in asked:
            try:
                answers.append(call(each))
            except StenocastError as error:
                answers.append((type(error), error.code))
        assert timeless(answers[0]) == timeless(answers[1])
        return answers[0]

    @initialize(target=jobs)
    def first_job(self) -> Any:
        return self.add("A", 0, 0, None)

    @rule(
        target=jobs,
        show=st.sampled_from(["A", "B", ""]),
        priority=st.sampled_from([0, 0, 5]),
        same=st.integers(0, 6),
        key=st.sampled_from([None, None, "k1", "k2"]),
        revives=st.booleans(),
    )
    def add(self, show: str, priority: int, same: int, key: str | None, revives: bool = False) -> Any:
        new = request(same, show=show or None, priority=priority, key=key, revives=revives)
        job_id = f"job-{next(self.names)}"
        answer = self.both(lambda queue: queue.add(new, job_id=job_id))
        return answer[0].id if isinstance(answer[0], Job) else multiple()

    @rule(target=jobs, same=st.integers(0, 3), show=st.sampled_from(["A", ""]))
    def add_link(self, same: int, show: str) -> Any:
        new = request(same, show=show or None, link=f"https://pod.example/{same}.mp3")
        job_id = f"link-{next(self.names)}"
        answer = self.both(lambda queue: queue.add(new, job_id=job_id))
        return answer[0].id if isinstance(answer[0], Job) else multiple()

    @rule(target=jobs, sames=st.lists(st.integers(0, 9), min_size=1, max_size=4), key=st.sampled_from([None, "k1"]))
    def add_all(self, sames: list[int], key: str | None) -> Any:
        news = [
            request(same, show="A" if same % 2 else None, key=key if same == sames[-1] else None) for same in sames
        ]
        first = next(self.names)

        def add(queue: JobQueue) -> Any:
            numbers = itertools.count()
            answers = queue.add_all(news, new_id=lambda: f"batch-{first}-{next(numbers)}")
            return [each.code if isinstance(each, Refused) else each for each in answers]

        return multiple(*{each[0].id for each in self.both(add) if isinstance(each, tuple | list)})

    @rule(same=st.integers(0, 9), show=st.sampled_from(["A", "B", None]), priority=st.sampled_from([0, 5]))
    def amend(self, same: int, show: str | None, priority: int) -> None:
        new = request(same, show=show, priority=priority, title="amended")
        self.both(lambda queue: queue.amend(new))

    @rule(target=leases, worker=st.sampled_from(["ada", "bram", "cleo"]))
    def claim(self, worker: str) -> Any:
        claimed = self.both(lambda queue: queue.claim(worker, lease_seconds=LEASE), "claim")
        if not isinstance(claimed, Claimed):
            return multiple()
        self.tokens[claimed.job.id].append(claimed.lease.token)
        return claimed.lease

    @rule(lease=leases)
    def beat(self, lease: Lease) -> None:
        self.both(lambda queue: queue.beat(lease))

    @rule(lease=leases, waits=st.booleans())
    def tell_progress(self, lease: Lease, waits: bool) -> None:
        self.both(lambda queue: queue.progress(lease, Progress(Stage.DECODE, done=1.0, waits=waits)))

    @rule(lease=leases, copy=st.integers(0, 1))
    def fetched(self, lease: Lease, copy: int) -> None:
        """Of a link, in production; what it changes is the same for all."""
        self.both(lambda queue: queue.fetched(lease, copy_of_link(copy)))

    @rule(lease=leases)
    def finish(self, lease: Lease) -> None:
        self.both(lambda queue: queue.finish(lease, result_for(lease)), "finish")

    @rule(number=st.integers(0, 3), seen=st.sampled_from([None, None, 1, 2]), unlearned=st.sampled_from([(), NAMES]))
    def revise(self, number: int, seen: int | None, unlearned: tuple[str, ...]) -> None:
        """The transcript that is current, or one that may be."""
        episode_id = f"episode-{number}"

        def revise(queue: JobQueue) -> Any:
            job = queue.latest_done(episode_id)
            wanted = seen or job.revision or 0
            lease = Lease(job.id, 1, "", 0.0)
            by_hand = replace(result_for(lease), document_key=f"results/{job.id}/1/transcript-{wanted + 1}.json")
            return queue.revise(episode_id, by_hand, seen=wanted, unlearned=unlearned)

        self.both(revise)

    @rule(lease=leases, retryable=st.booleans(), crashed=st.booleans())
    def fail(self, lease: Lease, retryable: bool, crashed: bool) -> None:
        error = JobError("broken", "it broke", retryable=retryable)
        self.both(lambda queue: queue.fail(lease, error, crashed=crashed), "fail")

    @rule(lease=consumes(leases), delay=st.sampled_from([0.0, 40.0]))
    def release(self, lease: Lease, delay: float) -> None:
        self.both(lambda queue: queue.release(lease, delay_seconds=delay), "release")

    @rule(job_id=jobs)
    def cancel(self, job_id: str) -> None:
        self.both(lambda queue: queue.cancel(job_id), "cancel")

    @rule(job_id=jobs)
    def retry(self, job_id: str) -> None:
        self.both(lambda queue: queue.retry(job_id), "retry")

    @rule(number=st.integers(0, 3))
    def delete(self, number: int) -> None:
        def delete(queue: JobQueue) -> Any:
            deletion = queue.delete(f"episode-{number}", by="api")
            return (deletion.job_ids, deletion.audio_keys, deletion.revision)

        self.both(delete)
        self.learn("A", NAMES[0], number, agrees=True)  # by a worker that has not noticed

    @rule(seconds=st.sampled_from(STEPS))
    def pass_time(self, seconds: float) -> None:
        self.passed += seconds
        self.ledger.clock_offset += seconds

    @rule()
    def rescue(self) -> None:
        self.both(lambda queue: list(queue.rescue()), "rescue")

    @rule(count=st.integers(1, 4))
    def publish(self, count: int) -> None:
        waiting = self.both(lambda queue: queue.pending_events(limit=count))
        self.both(lambda queue: queue.mark_published([number for number, _ in waiting]))

    @rule(publisher=st.sampled_from(["ada", "bram"]), seconds=st.sampled_from([9.0, 40.0]), resign=st.booleans())
    def lead_publishing(self, publisher: str, seconds: float, resign: bool) -> None:
        self.both(lambda queue: queue.lead_publishing(publisher, seconds=seconds))
        if resign:
            self.both(lambda queue: queue.resign_publishing(publisher))

    @rule(show=st.sampled_from(["A", "B"]), agrees=st.sampled_from([True, True, False]))
    def consent(self, show: str, agrees: bool) -> None:
        if agrees:
            self.alike(self.voices, lambda voices: voices.consent(show, given_by="ada"))
        else:
            self.alike(self.voices, lambda voices: voices.withdraw(show))

    @rule(
        show=st.sampled_from(["A", "B"]),
        name=st.sampled_from(NAMES),
        number=st.integers(0, 3),
        agrees=st.sampled_from([True, True, False]),
    )
    def learn(self, show: str, name: str, number: int, agrees: bool) -> None:
        """Where the show has agreed, mostly, for else nothing is learned; of episodes that are gone, too."""
        if agrees:
            self.consent(show, agrees=True)
        voice = KnownVoice(show, name, "campplus", f"episode-{number}", (0.6, 0.8), 42.5)
        self.alike(self.voices, lambda voices: voices.learn(voice))

    @initialize(target=hooks)
    def first_webhook(self) -> Any:
        return self.add_webhook(TOLD)

    @rule(target=hooks, events=WANTED)
    def add_webhook(self, events: tuple[EventType, ...]) -> Any:
        webhook_id = f"hook-{next(self.names)}"
        new = NewWebhook(f"https://{webhook_id}.example/", events)
        self.alike(self.webhooks, lambda hooks: hooks.add(webhook_id, new, secret="whsec_1"))
        return webhook_id

    @rule(
        hook=hooks,
        change=st.sampled_from(
            [
                WebhookChange(state=WebhookState.DISABLED),
                WebhookChange(state=WebhookState.ENABLED),
                WebhookChange(url="https://other.example/", events=USUAL),
                WebhookChange(description="the pager"),
            ]
        ),
    )
    def change_webhook(self, hook: str, change: WebhookChange) -> None:
        self.alike(self.webhooks, lambda hooks: hooks.change(hook, change))

    @rule(hook=hooks)
    def rotate(self, hook: str) -> None:
        secret = f"whsec_{next(self.names)}"
        self.alike(self.webhooks, lambda hooks: hooks.rotate(hook, secret=secret, keep_seconds=40.0))

    @rule(hook=hooks)
    def remove_webhook(self, hook: str) -> None:
        """Whoever is sending to it at this moment goes on, and so do those who know its id."""
        self.alike(self.webhooks, lambda hooks: hooks.remove(hook))

    @rule(target=dues, healthy_only=st.booleans())
    def claim_delivery(self, healthy_only: bool) -> Any:
        due = self.alike(self.webhooks, lambda hooks: hooks.claim(lease_seconds=LEASE, healthy_only=healthy_only))
        return due if isinstance(due, DueDelivery) else multiple()

    @rule(due=dues, after=st.sampled_from([FINE, FINE, DOWN, OVER, GONE]))
    def settle(self, due: DueDelivery, after: AfterTry) -> None:
        """Once, twice, or after the lease is over."""
        self.alike(self.webhooks, lambda hooks: hooks.settle(due, after))

    @rule(after=st.sampled_from([FINE, DOWN]))
    def deliver(self, after: AfterTry) -> None:
        due = self.claim_delivery(healthy_only=False)
        if isinstance(due, DueDelivery):
            self.settle(due, after)

    @rule(due=dues, hook=hooks)
    def retry_delivery(self, due: DueDelivery, hook: str) -> None:
        for webhook_id in dict.fromkeys([due.webhook.id, hook]):
            self.alike(self.webhooks, lambda hooks, name=webhook_id: hooks.retry(name, due.event.id))

    @rule(days=st.booleans())
    def tidy(self, days: bool) -> None:
        if days:
            self.pass_time(DAYS)
        self.alike(self.webhooks, lambda hooks: hooks.tidy())

    @invariant()
    def every_surface_shows_the_same(self) -> None:
        self.both(lambda queue: queue.backlog())
        self.both(lambda queue: queue.holders([job.id for job in queue.jobs(limit=1000)]))
        self.both(lambda queue: queue.known_requests([f"same-{number}" for number in range(10)]))
        self.both(lambda queue: queue.jobs(limit=1000))
        self.both(lambda queue: queue.pending_events(limit=1000))
        for number in range(4):
            self.both(lambda queue, n=number: queue.episode(f"episode-{n}"))
            self.both(lambda queue, n=number: queue.latest_done(f"episode-{n}"))
            self.both(lambda queue, n=number: queue.next_revision(f"episode-{n}"))
            for revision in (1, 2, 3):
                self.both(lambda queue, n=number, r=revision: queue.latest_done(f"episode-{n}", revision=r))
        recordings = ["uploads/x/audio", *(copy_of_link(number).uri or "" for number in range(2))]
        self.both(lambda queue: queue.wanted_audio(recordings))
        self.both(lambda queue: queue.unwanted_audio(recordings))
        self.alike(self.voices, lambda voices: voices.all())
        self.alike(self.voices, lambda voices: voices.consents())

    @invariant()
    def every_webhook_and_delivery_shows_the_same(self) -> None:
        self.alike(self.webhooks, lambda hooks: hooks.backlog())
        for webhook in self.alike(self.webhooks, lambda hooks: hooks.webhooks()):
            self.alike(self.webhooks, lambda hooks, name=webhook.id: hooks.secrets(name))
            noted = self.alike(self.webhooks, lambda hooks, name=webhook.id: hooks.deliveries(name, limit=500))
            assert len({each.event_id for each in noted}) == len(noted)
            for each in noted:
                waits = each.state is DeliveryState.WAITING
                assert (each.next_try is not None, each.finished is None) == (waits, waits), each

    @invariant()
    def every_job_moves_legally_and_ends_once(self) -> None:
        for job in self.ledger.jobs(limit=1000):
            told = [event for _, event in self.ledger.events_of(job.id) if isinstance(event.data, JobChanged)]
            states = [STATE_AFTER[event.type.value] for event in told]
            assert states[0] is JobState.QUEUED
            assert states[-1] is job.state
            assert all(after in LEGAL_MOVES[before] for before, after in itertools.pairwise(states))
            assert sum(state in (JobState.DONE, JobState.CANCELLED) for state in states) <= 1
            assert 0 <= job.crashes <= job.attempts <= MAX_ATTEMPTS
            assert job.crashes <= MAX_CRASHES

    @invariant()
    def tokens_rise(self) -> None:
        for tokens in self.tokens.values():
            assert all(earlier < later for earlier, later in itertools.pairwise(tokens))


def timeless(answer: Any) -> Any:
    """An answer without its times and event ids: the two clocks are not the same to the millisecond."""
    if isinstance(answer, list | tuple):
        return [timeless(each) for each in answer]
    if isinstance(answer, Job):
        waits = answer.not_before is not None
        times = {"created": "", "updated": "", "started": None, "finished": None, "deleted": None}
        return replace(answer, **times, not_before=str(waits))  # type: ignore[arg-type]
    if isinstance(answer, Event):
        return replace(answer, time="")
    if isinstance(answer, Backlog):
        return replace(answer, oldest_queued_seconds=0.0, oldest_unpublished_seconds=0.0)
    if isinstance(answer, Claimed | Rescued):
        return replace(answer, job=timeless(answer.job))
    if isinstance(answer, Webhook):
        return replace(answer, created="", updated="", failing_since=str(answer.failing_since is not None))
    if isinstance(answer, Delivery):
        times = [answer.next_try, answer.last_try, answer.finished]
        had = dict(zip(("next_try", "last_try", "finished"), (str(each is not None) for each in times), strict=True))
        return replace(answer, created="", **had)
    if isinstance(answer, DueDelivery):
        return replace(answer, webhook=timeless(answer.webhook), event=timeless(answer.event), age_seconds=0.0)
    if isinstance(answer, WebhookBacklog):
        return replace(answer, oldest_due_seconds=0.0)
    if isinstance(answer, VoiceConsent):
        return replace(answer, given_at="")
    return answer


class PostgresAgainstModel(LedgerAgainstModel):
    url = ""

    def empty_ledger(self) -> str:
        return emptied(self.url)


LedgerAgainstModel.TestCase.settings = settings(max_examples=12, stateful_step_count=30, deadline=None)
TestLedgerAgainstModel = LedgerAgainstModel.TestCase


@pytest.mark.services
def test_the_ledger_on_postgres_against_the_model(postgres: PostgresServer) -> None:
    with postgres_database(postgres) as PostgresAgainstModel.url:
        run_state_machine_as_test(
            PostgresAgainstModel, settings=settings(max_examples=8, stateful_step_count=30, deadline=None)
        )
