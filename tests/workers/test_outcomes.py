"""What a holder writes to the ledger while an attempt lasts, and what it says when the ledger does not answer."""

from __future__ import annotations

from typing import Any, cast

import pytest
import structlog

from adapters.memory import MemoryStore
from schemas.errors import LeaseLost, StenocastError, TransientError
from transcription.ports import JobQueue, Lease
from workers.outcomes import Outcomes

AWAY = TransientError("the ledger does not answer", code="database_unavailable")
LEASE = Lease("one", 1, "ada", 30.0)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Ledger:
    error: StenocastError | None = None

    def beat(self, _lease: Lease) -> None:
        if self.error is not None:
            raise self.error


def beaten(ledger: Ledger, outcomes: Outcomes, clock: Clock, *, minutes: int) -> list[dict[str, Any]]:
    """The lines of so many minutes, with a beat every five seconds."""
    with structlog.testing.capture_logs() as lines:
        for _ in range(minutes * 12):
            outcomes.beat(LEASE)
            clock.now += 5.0
    return list(lines)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def outcomes(ledger: Ledger, clock: Clock) -> Outcomes:
    return Outcomes(
        queue=cast(JobQueue, ledger), store=MemoryStore(), reached=lambda _: None, wait=lambda _: False, clock=clock
    )


def test_beats_that_fail_are_told_at_once_and_ever_more_rarely_and_that_they_work_again_once(
    ledger: Ledger, outcomes: Outcomes, clock: Clock
) -> None:
    ledger.error = AWAY
    failing = beaten(ledger, outcomes, clock, minutes=30)
    ledger.error = None
    working = beaten(ledger, outcomes, clock, minutes=2)

    assert failing[0] == {
        "event": "beat failed",
        "log_level": "warning",
        "code": "database_unavailable",
        "reason": AWAY.message,
        "seconds": 0.0,
    }
    assert 6 <= len(failing) <= 12
    assert [line["event"] for line in working] == ["beats reach the ledger again"]


def test_a_ledger_that_says_that_the_lease_is_lost_is_back(ledger: Ledger, outcomes: Outcomes) -> None:
    ledger.error = AWAY
    outcomes.beat(LEASE)
    ledger.error = LeaseLost("job one: lease 1 is no longer the job's")

    with structlog.testing.capture_logs() as lines, pytest.raises(LeaseLost):
        outcomes.beat(LEASE)

    assert [line["event"] for line in lines] == ["beats reach the ledger again"]
