"""Many deliverers on one ledger, while jobs are told of, an episode is deleted and a webhook removed beside them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.database import Ledger
from adapters.webhooks import LedgerWebhooks
from schemas.episode import Episode
from schemas.events import EventType
from schemas.job import JobOptions
from schemas.webhook import DeliveryState, NewWebhook
from tests.ledgers import emptied, postgres_database, sqlite_url
from tests.servers import PostgresServer
from transcription.ports import AfterTry, NewJob

FINE = AfterTry(DeliveryState.DELIVERED, 204)
WEBHOOKS = ("one", "two", "removed")
JOBS = 25


@pytest.fixture(scope="module")
def postgres_ledger(postgres: PostgresServer) -> Iterator[str]:
    with postgres_database(postgres) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    is_sqlite = request.param == "sqlite"
    return sqlite_url(tmp_path) if is_sqlite else emptied(request.getfixturevalue("postgres_ledger"))


def test_deliverers_that_work_at_once_send_everything_once_in_order_and_one_at_a_time(url: str) -> None:
    ledger, told, failures = Ledger(url), threading.Event(), []
    webhooks = LedgerWebhooks(lambda: ledger)
    for name in WEBHOOKS:
        webhooks.add(name, NewWebhook("https://a.example", (EventType.JOB_QUEUED,)), secret="whsec_x")
    lock, in_flight, sent = threading.Lock(), [], []

    def deliver() -> None:
        own = Ledger(url)
        mine = LedgerWebhooks(lambda: own)
        try:
            while True:
                is_last = told.is_set()
                due = mine.claim(lease_seconds=30.0)
                if due is None and is_last:
                    return
                if due is None:
                    continue
                with lock:
                    assert due.webhook.id not in in_flight
                    in_flight.append(due.webhook.id)
                    sent.append((due.webhook.id, due.event.subject))
                with lock:
                    in_flight.remove(due.webhook.id)
                mine.settle(due, FINE)
        except BaseException as error:
            failures.append(error)
            raise
        finally:
            own.close()

    threads = [threading.Thread(target=deliver) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(JOBS):
        ledger.add(NewJob(Episode(f"{number:02}"), JobOptions(), "a", f"d{number}"), job_id=f"j{number}")
        if number == 10:
            webhooks.remove("removed")
            ledger.delete("03", by="api")
    told.set()
    for thread in threads:
        thread.join(60.0)
        assert not thread.is_alive()

    assert failures == []
    for name in ("one", "two"):
        assert [subject for webhook, subject in sent if webhook == name] == [f"{number:02}" for number in range(JOBS)]
        assert {each.state for each in webhooks.deliveries(name, limit=500)} == {DeliveryState.DELIVERED}
    assert webhooks.tidy() == 0
    ledger.close()
