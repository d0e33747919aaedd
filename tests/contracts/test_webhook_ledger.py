"""The promises of `WebhookLedger`, kept by the ledger's tables and by the fake alike, beside their `JobQueue`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.database import Ledger
from adapters.memory import MemoryQueue
from adapters.webhooks import LedgerWebhooks
from schemas.episode import AudioInfo, Episode
from schemas.errors import NotFound
from schemas.events import EventType, JobChanged
from schemas.job import JobError, JobOptions
from schemas.webhook import (
    Answer,
    Delivery,
    DeliveryState,
    NewWebhook,
    Webhook,
    WebhookChange,
    WebhookState,
    WhyDisabled,
)
from tests.ledgers import emptied, postgres_database, sqlite_url
from tests.servers import PostgresServer
from transcription.deliveries import after_try
from transcription.ports import AfterTry, DueDelivery, JobQueue, NewJob, Result, WebhookBacklog, WebhookLedger

LEASE = 30.0
JOBS = (EventType.JOB_QUEUED, EventType.JOB_STARTED, EventType.JOB_DONE, EventType.JOB_FAILED)
FINE = AfterTry(DeliveryState.DELIVERED, 204)
DOWN = AfterTry(DeliveryState.WAITING, 500, "receiver_refused", delay_seconds=60.0)
GONE = AfterTry(DeliveryState.GIVEN_UP, 410, "receiver_gone", disables=True)


@dataclass
class Bench:
    """A ledger whose clock the test moves."""

    queue: JobQueue
    webhooks: WebhookLedger
    pass_time: Callable[[float], None]

    def add(self, name: str = "one", *events: EventType) -> Webhook:
        new = NewWebhook(f"https://{name}.example/hook", events or JOBS)
        return self.webhooks.add(name, new, secret=f"whsec_{name}")

    def tell(self, name: str) -> None:
        """Add a job, of which `job.queued` is told."""
        episode = Episode(f"episode-{name}", audio=AudioInfo(uri=name))
        self.queue.add(NewJob(episode, JobOptions(), f"uploads/{name}", name), job_id=name)

    def finish(self) -> None:
        claimed = self.queue.claim("ada", lease_seconds=LEASE)
        assert claimed is not None
        key = f"results/{claimed.job.id}/1/transcript.json"
        self.queue.finish(claimed.lease, Result(key, "d" * 64, 10, 1.0, "a" * 64, "en", 1, 1, 2, 1.0, False))

    def claim(self, **how: bool) -> DueDelivery:
        due = self.webhooks.claim(lease_seconds=LEASE, **how)
        assert due is not None
        return due

    def is_idle(self, **how: bool) -> bool:
        return self.webhooks.claim(lease_seconds=LEASE, **how) is None

    def deliver_all(self, after: AfterTry = FINE) -> list[tuple[str, str]]:
        """Try everything that is due; webhook and episode of each, in order."""
        tried = []
        while (due := self.webhooks.claim(lease_seconds=LEASE)) is not None:
            assert self.webhooks.settle(due, after)
            tried.append((due.webhook.id, due.event.subject.removeprefix("episode-")))
        return tried

    def noted(self, webhook_id: str = "one") -> list[tuple[str, DeliveryState]]:
        """Type and state of every delivery, oldest first."""
        return [(each.event_type, each.state) for each in reversed(self.webhooks.deliveries(webhook_id))]

    def only(self, webhook_id: str = "one") -> Delivery:
        [delivery] = self.webhooks.deliveries(webhook_id)
        return delivery


@pytest.fixture(scope="module")
def postgres_ledger(postgres: PostgresServer) -> Iterator[str]:
    with postgres_database(postgres) as url:
        yield url


@pytest.fixture(params=["sqlite", "memory", pytest.param("postgres", marks=pytest.mark.services)])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    numbers = itertools.count(1)

    def new_id() -> str:
        return f"event-{next(numbers)}"

    if request.param == "memory":
        now = [1_000_000.0]

        def pass_memory_time(seconds: float) -> None:
            now[0] += seconds

        queue = MemoryQueue(now=lambda: now[0], new_id=new_id)
        yield Bench(queue, queue.webhooks, pass_memory_time)
        return
    is_sqlite = request.param == "sqlite"
    ledger = Ledger(
        sqlite_url(tmp_path) if is_sqlite else emptied(request.getfixturevalue("postgres_ledger")), new_id=new_id
    )

    def pass_time(seconds: float) -> None:
        ledger.clock_offset += seconds

    yield Bench(ledger, LedgerWebhooks(lambda: ledger), pass_time)
    ledger.close()


# ---------------------------------------------------------------- webhooks


def test_a_webhook_is_kept_as_it_was_added_and_its_secret_beside_it(bench: Bench) -> None:
    new = NewWebhook("https://a.example/hook", (EventType.JOB_DONE, EventType.JOB_DONE), "the CMS")
    added = bench.webhooks.add("one", new, secret="whsec_1")
    bench.add("two")

    assert (added.url, added.events, added.description) == (
        "https://a.example/hook",
        (EventType.JOB_DONE,),
        "the CMS",
    )
    assert (added.state, added.reason, added.failing_since) == (WebhookState.ENABLED, None, None)
    assert bench.webhooks.webhook("one") == added
    assert [each.id for each in bench.webhooks.webhooks()] == ["one", "two"]
    assert bench.webhooks.secrets("one") == ("whsec_1",)


@pytest.mark.parametrize(
    "ask",
    [
        lambda webhooks: webhooks.webhook("none"),
        lambda webhooks: webhooks.change("none", WebhookChange()),
        lambda webhooks: webhooks.rotate("none", secret="s", keep_seconds=1.0),
        lambda webhooks: webhooks.remove("none"),
        lambda webhooks: webhooks.secrets("none"),
        lambda webhooks: webhooks.deliveries("none"),
        lambda webhooks: webhooks.retry("none", "event-1"),
    ],
)
def test_what_is_asked_of_a_webhook_that_there_is_not_is_not_found(
    bench: Bench, ask: Callable[[WebhookLedger], object]
) -> None:
    with pytest.raises(NotFound) as caught:
        ask(bench.webhooks)

    assert caught.value.code == "webhook_not_found"


def test_what_is_changed_changes_and_nothing_else(bench: Bench) -> None:
    before = bench.add()

    changed = bench.webhooks.change("one", WebhookChange(url="https://b.example", description="new"))

    assert (changed.url, changed.description, changed.events) == ("https://b.example", "new", before.events)
    assert bench.webhooks.change("one", WebhookChange(events=(EventType.JOB_DONE,), description="")) == (
        bench.webhooks.webhook("one")
    )
    assert bench.webhooks.webhook("one").description is None
    assert bench.webhooks.webhook("one").events == (EventType.JOB_DONE,)


def test_after_a_rotation_both_secrets_sign_for_a_while(bench: Bench) -> None:
    bench.add()

    bench.webhooks.rotate("one", secret="whsec_new", keep_seconds=3600.0)
    bench.tell("a")

    assert bench.webhooks.secrets("one") == ("whsec_new", "whsec_one")
    assert bench.claim().secrets == ("whsec_new", "whsec_one")
    bench.pass_time(3601.0)
    assert bench.webhooks.secrets("one") == ("whsec_new",)
    assert bench.claim().secrets == ("whsec_new",)


def test_a_removed_webhook_is_forgotten_with_its_deliveries(bench: Bench) -> None:
    bench.add("one")
    bench.add("two")
    bench.tell("a")
    due = bench.claim()

    bench.webhooks.remove("one")

    assert due.webhook.id == "one"
    assert bench.webhooks.settle(due, FINE) is False
    assert [each.id for each in bench.webhooks.webhooks()] == ["two"]
    assert bench.deliver_all() == [("two", "a")]
    bench.add("one")
    assert bench.webhooks.deliveries("one") == []


# ---------------------------------------------------------------- what is noted


def test_an_event_is_noted_for_every_enabled_webhook_that_wants_its_type(bench: Bench) -> None:
    bench.tell("before")
    bench.add("all", *JOBS)
    bench.add("done", EventType.JOB_DONE)
    bench.add("off", *JOBS)
    bench.webhooks.change("off", WebhookChange(state=WebhookState.DISABLED))

    bench.tell("a")
    bench.finish()

    assert bench.noted("all") == [
        ("job.queued.v1", DeliveryState.WAITING),
        ("job.started.v1", DeliveryState.WAITING),
        ("job.done.v1", DeliveryState.WAITING),
    ]
    assert bench.noted("done") == [("job.done.v1", DeliveryState.WAITING)]
    assert bench.noted("off") == []


def test_a_batch_of_jobs_is_noted_job_by_job(bench: Bench) -> None:
    bench.add("one")
    names = iter(["a", "b", "c"])
    news = [NewJob(Episode(f"episode-{each}"), JobOptions(), each, each) for each in "abc"]

    bench.queue.add_all(news, new_id=lambda: next(names))

    assert bench.deliver_all() == [("one", "a"), ("one", "b"), ("one", "c")]


def test_every_way_of_telling_something_is_noted(bench: Bench) -> None:
    bench.add("one", *EventType)
    bench.tell("a")
    bench.finish()
    result = Result("results/a/1/again.json", "e" * 64, 10, 1.0, "a" * 64, "en", 1, 1, 2, 1.0, False)
    bench.queue.revise("episode-a", result, seen=1)
    bench.queue.delete("episode-a", by="api")

    told = [each for each, _ in bench.noted()]

    assert told == ["job.queued.v1", "job.started.v1", "job.done.v1", "transcript.deleted.v1"]
    bench.tell("b")
    bench.finish()
    assert [each for each, _ in bench.noted()][-1] == "transcript.published.v1"


# ---------------------------------------------------------------- trying


def test_a_claim_has_all_that_it_takes_to_send(bench: Bench) -> None:
    webhook = bench.add()
    bench.tell("a")
    bench.pass_time(10.0)

    due = bench.claim()

    [(_, event)] = bench.queue.pending_events()
    assert (due.webhook, due.secrets, due.event, due.tries) == (webhook, ("whsec_one",), event, 0)
    assert due.age_seconds == pytest.approx(10.0, abs=2.0)


def test_what_was_delivered_is_over(bench: Bench) -> None:
    bench.add()
    bench.tell("a")

    assert bench.deliver_all() == [("one", "a")]

    delivery = bench.only()
    assert (delivery.state, delivery.tries, delivery.last_status) == (DeliveryState.DELIVERED, 1, 204)
    assert delivery.next_try is None
    assert delivery.last_try == delivery.finished != None  # noqa: E711
    assert bench.is_idle()


def test_what_failed_is_tried_when_its_time_has_come_and_not_before(bench: Bench) -> None:
    bench.add()
    bench.tell("a")

    assert bench.webhooks.settle(bench.claim(), DOWN)

    assert bench.is_idle()
    delivery = bench.only()
    assert (delivery.state, delivery.tries, delivery.last_status, delivery.last_code) == (
        DeliveryState.WAITING,
        1,
        500,
        "receiver_refused",
    )
    bench.pass_time(61.0)
    assert bench.claim().tries == 1


def test_events_go_in_their_order_one_at_a_time_and_a_failed_one_holds_up_no_other(bench: Bench) -> None:
    bench.add()
    for name in "abc":
        bench.tell(name)
    first = bench.claim()

    assert bench.is_idle()

    assert bench.webhooks.settle(first, DOWN)
    assert (first.event.subject, bench.deliver_all()) == ("episode-a", [("one", "b"), ("one", "c")])
    bench.pass_time(61.0)
    assert bench.deliver_all() == [("one", "a")]


def test_webhooks_take_turns_and_one_that_is_busy_does_not_hold_up_the_others(bench: Bench) -> None:
    bench.add("one")
    bench.add("two")
    for name in "ab":
        bench.tell(name)
    hanging = bench.claim()

    assert [bench.claim().webhook.id, hanging.webhook.id] == ["two", "one"]
    assert bench.is_idle()


def test_the_webhook_that_was_served_longest_ago_comes_first(bench: Bench) -> None:
    for name in ("one", "two"):
        bench.add(name)
    for name in "ab":
        bench.tell(name)
    served = []

    while (due := bench.webhooks.claim(lease_seconds=LEASE)) is not None:
        served.append(due.webhook.id)
        bench.webhooks.settle(due, FINE)
        bench.pass_time(1.0)

    assert served == ["one", "two", "one", "two"]


def test_healthy_webhooks_alone_can_be_asked_for(bench: Bench) -> None:
    bench.add("one")
    bench.tell("a")
    bench.webhooks.settle(bench.claim(), DOWN)
    bench.tell("b")

    assert bench.webhooks.webhook("one").failing_since is not None
    assert bench.is_idle(healthy_only=True)
    due = bench.claim()
    bench.webhooks.settle(due, FINE)

    assert due.event.subject == "episode-b"
    assert bench.webhooks.webhook("one").failing_since is None
    bench.tell("c")
    assert bench.claim(healthy_only=True).event.subject == "episode-c"


def test_a_webhook_fails_since_its_first_failure(bench: Bench) -> None:
    bench.add("one")
    for name in "ab":
        bench.tell(name)
    bench.webhooks.settle(bench.claim(), DOWN)
    since = bench.webhooks.webhook("one").failing_since
    bench.pass_time(5.0)

    bench.webhooks.settle(bench.claim(), DOWN)

    assert bench.webhooks.webhook("one").failing_since == since


def test_a_deliverer_that_died_is_followed_by_another_once_its_lease_is_over(bench: Bench) -> None:
    bench.add()
    bench.tell("a")
    dead = bench.claim()

    bench.pass_time(LEASE - 2.0)
    assert bench.is_idle()
    bench.pass_time(4.0)
    heir = bench.claim()

    assert heir.event == dead.event
    assert heir.token > dead.token
    assert bench.webhooks.settle(dead, FINE) is False
    assert bench.only().state is DeliveryState.WAITING
    assert bench.webhooks.settle(heir, FINE) is True
    assert bench.only().tries == 1


def test_a_lease_that_a_wrong_clock_made_too_long_holds_nothing_up(bench: Bench) -> None:
    bench.add()
    bench.tell("a")
    bench.pass_time(86_400.0)
    bench.claim()

    bench.pass_time(-86_000.0)

    assert bench.claim().event.subject == "episode-a"


def test_a_receiver_that_is_gone_gets_nothing_more(bench: Bench) -> None:
    bench.add()
    for name in "ab":
        bench.tell(name)

    bench.webhooks.settle(bench.claim(), GONE)
    bench.tell("c")

    webhook = bench.webhooks.webhook("one")
    assert (webhook.state, webhook.reason) == (WebhookState.DISABLED, WhyDisabled.GONE)
    assert bench.is_idle()
    assert [state for _, state in bench.noted()] == [DeliveryState.GIVEN_UP, DeliveryState.WAITING]


def test_one_that_was_disabled_by_hand_meanwhile_stays_so(bench: Bench) -> None:
    bench.add()
    bench.tell("a")
    due = bench.claim()
    bench.webhooks.change("one", WebhookChange(state=WebhookState.DISABLED))

    bench.webhooks.settle(due, GONE)

    assert bench.webhooks.webhook("one").reason is WhyDisabled.BY_HAND


# ---------------------------------------------------------------- what people ask for


def test_what_waits_for_a_disabled_webhook_goes_on_at_once_when_it_is_enabled(bench: Bench) -> None:
    bench.add()
    bench.tell("a")
    bench.webhooks.settle(bench.claim(), DOWN)
    bench.webhooks.change("one", WebhookChange(state=WebhookState.DISABLED))
    assert bench.is_idle()

    webhook = bench.webhooks.change("one", WebhookChange(state=WebhookState.ENABLED))

    assert (webhook.reason, webhook.failing_since) == (None, None)
    assert bench.deliver_all() == [("one", "a")]


def test_another_address_is_tried_at_once(bench: Bench) -> None:
    bench.add()
    bench.tell("a")
    bench.webhooks.settle(bench.claim(), DOWN)

    bench.webhooks.change("one", WebhookChange(description="not about the receiver"))
    assert bench.is_idle()
    bench.webhooks.change("one", WebhookChange(url="https://b.example"))

    assert bench.claim().webhook.url == "https://b.example"


def test_what_waits_for_a_disabled_webhook_is_given_up_after_72_hours(bench: Bench) -> None:
    bench.add()
    bench.add("two")
    bench.tell("a")
    bench.webhooks.change("one", WebhookChange(state=WebhookState.DISABLED))
    bench.pass_time(72 * 3600 - 5)

    assert bench.webhooks.tidy() == 0
    bench.pass_time(10.0)
    assert bench.webhooks.tidy() == 1

    assert (bench.only().state, bench.only().last_code) == (DeliveryState.GIVEN_UP, "webhook_disabled")
    assert bench.only("two").state is DeliveryState.WAITING


@pytest.mark.parametrize("after", [FINE, GONE])
def test_a_delivery_that_is_over_can_be_tried_again_from_the_beginning(bench: Bench, after: AfterTry) -> None:
    bench.add()
    bench.tell("a")
    bench.pass_time(100.0)
    bench.webhooks.settle(bench.claim(), after)
    bench.webhooks.change("one", WebhookChange(state=WebhookState.ENABLED))
    assert bench.is_idle()

    again = bench.webhooks.retry("one", "event-1")

    assert (again.state, again.tries, again.finished) == (DeliveryState.WAITING, 0, None)
    due = bench.claim()
    assert (due.event.id, due.tries) == ("event-1", 0)
    assert due.age_seconds < 50.0


def test_a_delivery_that_nobody_knows_is_not_found(bench: Bench) -> None:
    bench.add()

    for ask in (
        lambda: bench.webhooks.retry("one", "event-9"),
        lambda: bench.webhooks.deliveries("one", before="event-9"),
    ):
        with pytest.raises(NotFound) as caught:
            ask()
        assert caught.value.code == "delivery_not_found"


def test_deliveries_are_listed_newest_first_in_pages_and_by_state(bench: Bench) -> None:
    bench.add()
    for name in "abc":
        bench.tell(name)
    bench.webhooks.settle(bench.claim(), FINE)
    page = bench.webhooks.deliveries("one", limit=2)

    assert [each.subject for each in page] == ["episode-c", "episode-b"]
    assert [each.subject for each in bench.webhooks.deliveries("one", before=page[-1].event_id)] == ["episode-a"]
    delivered = bench.webhooks.deliveries("one", state=DeliveryState.DELIVERED)
    assert [each.subject for each in delivered] == ["episode-a"]


def test_the_backlog_tells_how_webhooks_stand_and_what_waits(bench: Bench) -> None:
    assert bench.webhooks.backlog() == WebhookBacklog()
    for name in ("one", "two", "off"):
        bench.add(name)
    for name in "ab":
        bench.tell(name)
    bench.webhooks.change("off", WebhookChange(state=WebhookState.DISABLED))
    first = bench.claim()
    bench.webhooks.settle(first, DOWN)
    bench.pass_time(30.0)

    backlog = bench.webhooks.backlog()

    assert (backlog.enabled, backlog.failing, backlog.disabled, backlog.waiting) == (2, 1, 1, 4)
    assert backlog.oldest_due_seconds == pytest.approx(30.0, abs=3.0)


# ---------------------------------------------------------------- as long as their events


def test_an_event_is_kept_while_a_delivery_waits_for_it_and_then_they_go_together(bench: Bench) -> None:
    bench.add()
    for name in "ab":
        bench.tell(name)
    bench.queue.mark_published([number for number, _ in bench.queue.pending_events()])
    bench.webhooks.settle(bench.claim(), FINE)
    bench.pass_time(1000.0)

    assert bench.queue.forget_published(older_than_seconds=900.0) == 1
    assert [each.subject for each in bench.webhooks.deliveries("one")] == ["episode-b"]

    assert bench.deliver_all() == [("one", "b")]
    assert bench.queue.forget_published(older_than_seconds=900.0) == 1
    assert bench.webhooks.deliveries("one") == []


def test_of_a_deleted_episode_deliveries_about_jobs_wait_on_without_words_and_no_others(bench: Bench) -> None:
    """Whether or not the events are published already."""
    bench.add("one", *JOBS, EventType.TRANSCRIPT_PUBLISHED, EventType.TRANSCRIPT_DELETED)
    bench.tell("a")
    claimed = bench.queue.claim("ada", lease_seconds=LEASE)
    assert claimed is not None
    bench.queue.fail(claimed.lease, JobError("audio_unreadable", "secret-name.mp3: damaged"))
    bench.webhooks.settle(bench.claim(), FINE)
    bench.queue.mark_published([number for number, _ in bench.queue.pending_events()])

    bench.queue.delete("episode-a", by="api")

    assert bench.noted() == [("job.started.v1", DeliveryState.WAITING), ("job.failed.v1", DeliveryState.WAITING)]
    bench.webhooks.settle(bench.claim(), FINE)
    event = bench.claim().event
    assert isinstance(event.data, JobChanged)
    assert event.data.error is not None
    assert "secret" not in event.data.error.message
    assert [each.type for _, each in bench.queue.pending_events()] == []


def test_a_transcript_that_still_waits_is_not_sent_once_its_episode_is_deleted_but_the_deletion_is(
    bench: Bench,
) -> None:
    bench.add("one", EventType.TRANSCRIPT_PUBLISHED, EventType.TRANSCRIPT_DELETED)
    bench.tell("a")
    bench.finish()
    bench.queue.mark_published([number for number, _ in bench.queue.pending_events()])
    due = bench.claim()

    bench.queue.delete("episode-a", by="api")

    assert bench.webhooks.settle(due, DOWN) is True
    assert bench.noted() == [("transcript.deleted.v1", DeliveryState.WAITING)]
    assert bench.deliver_all() == [("one", "a")]


# ---------------------------------------------------------------- to the end


def test_a_receiver_that_never_answers_well_is_tried_until_72_hours_are_over(bench: Bench) -> None:
    bench.add()
    bench.tell("a")
    ages = []

    for _ in range(30):
        due = bench.webhooks.claim(lease_seconds=LEASE)
        if due is None:
            break
        ages.append(due.age_seconds)
        after = after_try(Answer(500, "receiver_refused"), tries=due.tries, age_seconds=due.age_seconds, jitter=0.5)
        bench.webhooks.settle(due, after)
        bench.pass_time((after.delay_seconds or 0.0) + 0.5)

    assert len(ages) == 10
    assert ages[-1] == pytest.approx(72 * 3600, abs=30.0)
    assert (bench.only().state, bench.only().tries) == (DeliveryState.GIVEN_UP, 10)
