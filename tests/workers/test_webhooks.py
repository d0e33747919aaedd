"""The deliverer: to real receivers on loopback, by an injected clock, and never in the way of anybody else."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import structlog
from standardwebhooks import Webhook as Verifier

from adapters.memory import MemoryQueue
from adapters.metrics import Metrics
from adapters.outward import Outward, PlainHttp, networks
from adapters.webhook_sender import WebhookSender, new_secret
from schemas.episode import Episode
from schemas.errors import TransientError
from schemas.events import EventType
from schemas.job import JobOptions
from schemas.webhook import Answer, DeliveryState, NewWebhook, WebhookState, WhyDisabled
from tests.sites import Site, Visit, site
from transcription.ports import DueDelivery, NewJob
from workers.outage import FIRST_AGAIN_SECONDS
from workers.webhooks import TIDY_SECONDS, Deliverer

HOUR = 3600.0


@dataclass
class Installation:
    """A ledger with webhooks, whose clock the test moves, and what is sent from it."""

    now: float = 1_000_000.0
    let_in: str = "127.0.0.0/8"
    timeout: float = 5.0
    metrics: Metrics = field(default_factory=Metrics)
    secret: str = field(default_factory=new_secret)
    refused: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        numbers = itertools.count(1)
        self.queue = MemoryQueue(now=lambda: self.now, new_id=lambda: f"event-{next(numbers)}")
        self.webhooks = self.queue.webhooks

    def add(self, url: str, name: str = "one") -> str:
        return self.webhooks.add(name, NewWebhook(url, (EventType.JOB_QUEUED,)), secret=self.secret).id

    def tell(self, name: str = "a") -> None:
        episode = Episode(f"episode-{name}")
        self.queue.add(NewJob(episode, JobOptions(), f"uploads/{name}", name), job_id=name)

    def deliverer(self, send: Callable[[DueDelivery], Answer] | None = None, **settings: Any) -> Deliverer:
        outward = Outward(
            user_agent="Stenocast/test",
            let_in=networks(self.let_in),
            plain_http=PlainHttp.OUTWARD_NETWORKS,
            total_seconds=self.timeout,
        )
        sender = WebhookSender(outward)
        return Deliverer(
            self.webhooks,
            send or (lambda due: sender.send(due.webhook.url, due.event, secrets=due.secrets)),
            jitter=lambda: 0.5,
            clock=lambda: self.now,
            metrics=self.metrics,
            **settings,
        )

    def state(self, name: str = "one") -> list[tuple[DeliveryState, int, str | None]]:
        found = reversed(self.webhooks.deliveries(name))
        return [(each.state, each.tries, each.last_code) for each in found]

    def counted(self, outcome: str) -> bool:
        return f'stenocast_webhook_tries_total{{outcome="{outcome}"}} 1.0' in self.metrics.text().decode()


@pytest.fixture
def installation() -> Installation:
    return Installation()


@pytest.fixture
def running() -> Iterator[Callable[[Deliverer], threading.Event]]:
    """Run deliverers in threads, as the service does; all are stopped at the end."""
    stop, threads = threading.Event(), []

    def run(deliverer: Deliverer) -> threading.Event:
        thread = threading.Thread(target=deliverer.run_until, args=(stop,))
        threads.append(thread)
        thread.start()
        return stop

    yield run
    stop.set()
    for thread in threads:
        thread.join(20.0)
        assert not thread.is_alive()


def until(is_so: Callable[[], object], *, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def statuses(*each: int) -> Callable[[Visit], None]:
    """Answer with these, one after the other, and then with the last of them."""
    left = list(each)
    return lambda visit: visit.answer(left.pop(0) if len(left) > 1 else left[0])


def ids(receiver: Site) -> list[str]:
    return [visit.headers["webhook-id"] for visit in receiver.visits]


# ---------------------------------------------------------------- what receivers do


def test_a_receiver_gets_each_event_once_in_order_with_a_signature_that_verifies(installation: Installation) -> None:
    with site(statuses(200)) as receiver:
        installation.add(receiver.url("/hook"))
        for name in "abc":
            installation.tell(name)

        assert installation.deliverer().deliver_due() == 3
        assert installation.deliverer().deliver_due() == 0

    subjects = [json.loads(visit.body)["subject"] for visit in receiver.visits]
    assert subjects == ["episode-a", "episode-b", "episode-c"]
    for visit in receiver.visits:
        event = Verifier(installation.secret).verify(visit.body, visit.headers)
        assert event["id"] == visit.headers["webhook-id"]
    assert 'outcome="delivered"} 3.0' in installation.metrics.text().decode()


def test_a_receiver_that_is_down_gets_the_event_when_it_is_back(installation: Installation) -> None:
    with site(statuses(500, 500, 200)) as receiver:
        installation.add(receiver.url())
        installation.tell()
        deliverer = installation.deliverer()

        assert deliverer.deliver_due() == 0
        assert installation.counted("failed")
        installation.now += 4.9
        assert (deliverer.deliver_due(), len(receiver.visits)) == (0, 1)
        installation.now += 0.2
        assert (deliverer.deliver_due(), len(receiver.visits)) == (0, 2)
        installation.now += 301.0
        assert (deliverer.deliver_due(), len(receiver.visits)) == (1, 3)

    assert set(ids(receiver)) == {"event-1"}
    assert installation.state() == [(DeliveryState.DELIVERED, 3, None)]


def test_a_receiver_that_never_answers_well_is_given_up_after_72_hours(installation: Installation) -> None:
    with site(statuses(500)) as receiver:
        installation.add(receiver.url())
        installation.tell()
        deliverer = installation.deliverer()
        began = installation.now
        while installation.state()[0][0] is DeliveryState.WAITING:
            deliverer.deliver_due()
            installation.now += 60.0

    assert installation.state() == [(DeliveryState.GIVEN_UP, 10, "receiver_refused")]
    assert installation.now - began == pytest.approx(72 * HOUR, abs=1200.0)
    assert installation.counted("given_up")


def test_a_receiver_that_asks_for_a_longer_wait_gets_it(installation: Installation) -> None:
    with site(lambda visit: visit.answer(429, Retry_After="100")) as receiver:
        installation.add(receiver.url())
        installation.tell()
        deliverer = installation.deliverer()
        deliverer.deliver_due()
        installation.now += 99.0
        deliverer.deliver_due()
        assert len(receiver.visits) == 1
        installation.now += 2.0
        deliverer.deliver_due()

        assert len(receiver.visits) == 2


def test_a_receiver_that_is_gone_gets_nothing_more(installation: Installation) -> None:
    with site(statuses(410)) as receiver:
        installation.add(receiver.url())
        installation.tell("a")
        installation.tell("b")
        installation.deliverer().deliver_due()
        installation.tell("c")
        installation.now += 100 * HOUR
        installation.deliverer().deliver_due()

        assert len(receiver.visits) == 1

    webhook = installation.webhooks.webhook("one")
    assert (webhook.state, webhook.reason) == (WebhookState.DISABLED, WhyDisabled.GONE)
    assert installation.counted("gone")


def test_a_redirect_to_this_machine_is_not_followed(installation: Installation) -> None:
    with site(statuses(200)) as inside, site(lambda visit: visit.answer(307, Location=inside.url())) as receiver:
        installation.add(receiver.url())
        installation.tell()
        installation.deliverer().deliver_due()

    assert len(receiver.visits) == 1
    assert inside.connections == 0
    assert installation.state() == [(DeliveryState.WAITING, 1, "redirect_refused")]


def test_an_address_that_is_not_public_gets_nothing_whatever_the_ledger_says(installation: Installation) -> None:
    """The webhook may have been added while its network was let in."""
    installation.let_in = ""
    with site(statuses(200)) as receiver:
        installation.add(receiver.url().replace("http:", "https:"))
        installation.tell()
        installation.deliverer().deliver_due()

    assert receiver.connections == 0
    assert installation.state() == [(DeliveryState.WAITING, 1, "address_refused")]


def test_a_receiver_that_hangs_is_left_in_time_and_tried_again(installation: Installation) -> None:
    installation.timeout = 0.3
    with site(lambda visit: visit.gone.wait(20.0)) as receiver:
        installation.add(receiver.url())
        installation.tell()
        installation.deliverer().deliver_due()

    assert installation.state() == [(DeliveryState.WAITING, 1, "receiver_timeout")]


def test_who_sends_once_does_not_wait_for_all_that_a_receiver_that_hangs_has_waiting(
    installation: Installation,
) -> None:
    def hang(due: DueDelivery) -> Answer:
        installation.now += 15.0
        return Answer(code="receiver_timeout")

    installation.add("https://a.example")
    for number in range(100):
        installation.tell(str(number))

    installation.deliverer(hang).deliver_due(most_seconds=60.0)

    assert sum(each.tries for each in installation.webhooks.deliveries("one", limit=500)) == 4


# ---------------------------------------------------------------- many at once


def test_receivers_that_hang_hold_up_no_other_however_many_they_are(
    installation: Installation, running: Callable[[Deliverer], threading.Event]
) -> None:
    """Those that failed before have half of the threads; the rest is for those that work."""
    hang, good = threading.Event(), []

    def send(due: DueDelivery) -> Answer:
        if due.webhook.id.startswith("hangs"):
            assert hang.wait(20.0)
            return Answer(code="receiver_timeout")
        good.append(due.event.subject)
        return Answer(200)

    for number in range(10):
        installation.add("https://a.example", f"hangs-{number}")
    installation.tell("before")
    hang.set()
    installation.deliverer(send).deliver_due()
    assert installation.webhooks.backlog().failing == 10
    hang.clear()
    installation.add("https://b.example", "good")
    for name in "abc":
        installation.tell(name)
    installation.now += 10.0

    running(installation.deliverer(send, most_at_once=4))

    until(lambda: len(good) == 3)
    assert good == ["episode-a", "episode-b", "episode-c"]
    hang.set()


def test_no_more_are_sent_at_once_than_the_limit_and_one_at_a_time_to_each(
    installation: Installation, running: Callable[[Deliverer], threading.Event]
) -> None:
    lock, at_once, most, order = threading.Lock(), 0, 0, []

    def send(due: DueDelivery) -> Answer:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
            assert due.webhook.id not in [name for name, ended in order if not ended]
            order.append((due.webhook.id, False))
        time.sleep(0.02)
        with lock:
            at_once -= 1
            order.remove((due.webhook.id, False))
        return Answer(200)

    for number in range(8):
        installation.add("https://a.example", f"hook-{number}")
    for name in "abcd":
        installation.tell(name)

    running(installation.deliverer(send, most_at_once=3))

    until(lambda: installation.webhooks.backlog().waiting == 0)
    assert most == 3


def test_two_deliverers_send_everything_once(
    installation: Installation, running: Callable[[Deliverer], threading.Event]
) -> None:
    sent: list[tuple[str, str]] = []

    def send(due: DueDelivery) -> Answer:
        sent.append((due.webhook.id, due.event.id))
        time.sleep(0.005)
        return Answer(200)

    for number in range(3):
        installation.add("https://a.example", f"hook-{number}")
    for number in range(20):
        installation.tell(str(number))
    for _ in range(2):
        running(installation.deliverer(send))

    until(lambda: installation.webhooks.backlog().waiting == 0)
    assert len(sent) == len(set(sent)) == 60
    for number in range(3):
        of_one = [int(event.removeprefix("event-")) for hook, event in sent if hook == f"hook-{number}"]
        assert of_one == sorted(of_one)


def test_a_deliverer_that_is_asked_to_end_does_not_wait_for_a_receiver_that_hangs(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.webhooks.STOP_SECONDS", 0.1)
    hang, stop = threading.Event(), threading.Event()

    def send(due: DueDelivery) -> Answer:
        stop.set()
        hang.wait(20.0)
        return Answer(200)

    installation.add("https://a.example")
    installation.tell()
    began = time.monotonic()
    deliverer = Deliverer(installation.webhooks, send, metrics=installation.metrics)
    deliverer.run_until(stop)

    assert time.monotonic() - began < 5.0
    assert installation.state() == [(DeliveryState.WAITING, 0, None)]
    hang.set()


# ---------------------------------------------------------------- what goes wrong on our side


def test_a_crash_between_the_answer_and_the_mark_sends_the_event_again(installation: Installation) -> None:
    def crash(place: str) -> None:
        if place == "after_delivery":
            raise KeyboardInterrupt

    with site(statuses(200)) as receiver:
        installation.add(receiver.url())
        installation.tell()
        with pytest.raises(KeyboardInterrupt):
            installation.deliverer(reached=crash).deliver_due()
        assert installation.deliverer().deliver_due() == 0
        installation.now += 31.0
        assert installation.deliverer().deliver_due() == 1

    assert ids(receiver) == ["event-1", "event-1"]


def test_a_defect_of_the_sending_follows_the_schedule_too(installation: Installation) -> None:
    def break_down(due: DueDelivery) -> Answer:
        raise RuntimeError("a defect")

    installation.add("https://a.example")
    installation.tell()

    installation.deliverer(break_down).deliver_due()

    assert installation.state() == [(DeliveryState.WAITING, 1, "internal_error")]


def test_a_ledger_that_is_away_is_said_once_and_waited_for(
    installation: Installation, running: Callable[[Deliverer], threading.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.webhooks.LOOK_SECONDS", 0.01)
    claim, asked = installation.webhooks.claim, []

    def away(**how: Any) -> DueDelivery | None:
        asked.append(how)
        if len(asked) < 5:
            raise TransientError("no database", code="database_unavailable")
        return claim(**how)

    monkeypatch.setattr(installation.webhooks, "claim", away)
    installation.add("https://a.example")
    installation.tell()
    with structlog.testing.capture_logs() as lines:
        running(installation.deliverer(lambda due: Answer(200)))
        until(lambda: [line for line in lines if line["event"] == "webhooks looked at again"])

    assert [line["event"] for line in lines].count("webhooks not looked at") == 1
    assert installation.state() == [(DeliveryState.DELIVERED, 1, None)]


# ---------------------------------------------------------------- what is said


def test_a_webhook_that_fails_is_said_rarely_without_its_address_and_when_it_works_again(
    installation: Installation,
) -> None:
    answer = Answer(500, "receiver_refused", "https://a.example/secret-key: answered 500")
    installation.add("https://a.example/secret-key")
    deliverer = installation.deliverer(lambda due: answer)
    with structlog.testing.capture_logs() as lines:
        for number in range(6):
            installation.tell(str(number))
            deliverer.deliver_due()
            installation.now += 1.0
        assert [line["event"] for line in lines].count("webhook fails") == 1
        installation.now += FIRST_AGAIN_SECONDS
        deliverer.deliver_due()
        answer = Answer(200)
        installation.now += HOUR
        deliverer.deliver_due()

    said = [line for line in lines if line["event"].startswith("webhook ")]
    assert [line["event"] for line in said] == ["webhook fails", "webhook fails", "webhook works again"]
    assert {line["webhook_id"] for line in said} == {"one"}
    assert "secret-key" not in str(lines)


def test_what_waits_for_a_disabled_webhook_is_given_up_in_time(
    installation: Installation, running: Callable[[Deliverer], threading.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.webhooks.LOOK_SECONDS", 0.01)
    with site(statuses(410)) as receiver:
        installation.add(receiver.url())
        installation.tell("a")
        installation.tell("b")
        deliverer = installation.deliverer()
        deliverer.deliver_due()
        installation.now += 72 * HOUR + TIDY_SECONDS

        running(deliverer)

        until(lambda: installation.state()[1][0] is DeliveryState.GIVEN_UP)
    assert installation.state()[1] == (DeliveryState.GIVEN_UP, 0, "webhook_disabled")


def test_the_loop_is_seen_to_come_round(
    installation: Installation, running: Callable[[Deliverer], threading.Event]
) -> None:
    running(installation.deliverer(lambda due: Answer(200)))

    until(lambda: "webhooks" in installation.metrics.loop_ages())
