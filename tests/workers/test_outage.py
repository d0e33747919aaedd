"""What a loop says of something that is away: why, soon and not for ever, and when it is back."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import structlog

from schemas.errors import NotReady, TransientError
from workers.outage import LONGEST_AGAIN_SECONDS, Outage

GONE = TransientError("Kafka cannot be reached (127.0.0.1:9: refused)", code="kafka_unavailable")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def outage(clock: Clock) -> Outage:
    return Outage("records not taken in", over="records taken in again", clock=clock)


def told(outage: Outage, clock: Clock, seconds: int) -> list[dict[str, Any]]:
    """The lines of an outage that is noticed every second."""
    with structlog.testing.capture_logs() as lines:
        for _ in range(seconds):
            outage.noticed(GONE)
            clock.now += 1.0
    return list(lines)


def test_what_is_away_is_named_at_once_with_the_reason(outage: Outage, clock: Clock) -> None:
    assert told(outage, clock, 1) == [
        {
            "event": "records not taken in",
            "log_level": "warning",
            "code": "kafka_unavailable",
            "reason": GONE.message,
            "seconds": 0.0,
        }
    ]


def test_an_outage_is_told_ever_more_rarely_and_never_falls_silent(outage: Outage, clock: Clock) -> None:
    seconds = [line["seconds"] for line in told(outage, clock, 2000)]

    apart = [later - earlier for earlier, later in pairwise(seconds)]
    assert apart == sorted(apart)
    assert (apart[0], apart[-1]) == (10.0, LONGEST_AGAIN_SECONDS)


def test_another_reason_is_told_at_once(outage: Outage, clock: Clock) -> None:
    told(outage, clock, 3)
    with structlog.testing.capture_logs() as lines:
        outage.noticed(NotReady("Kafka refused", code="kafka_refused"))

    assert [line["code"] for line in lines] == ["kafka_refused"]


def test_the_end_is_told_once_and_how_long_it_was(outage: Outage, clock: Clock) -> None:
    told(outage, clock, 45)
    with structlog.testing.capture_logs() as lines:
        outage.ended()
        outage.ended()

    assert lines == [{"event": "records taken in again", "log_level": "info", "seconds": 45.0}]
    assert len(told(outage, clock, 1)) == 1


def test_what_was_never_away_is_not_told_to_be_back(outage: Outage) -> None:
    with structlog.testing.capture_logs() as lines:
        outage.ended()

    assert lines == []
