"""When a lease is beaten and looked after."""

from __future__ import annotations

from typing import Any, cast

from transcription.ports import Lease
from workers.lease_keeper import LeaseKeeper
from workers.outcomes import Outcomes


class Ledger:
    """Counts what is asked of it, and answers as long as it is there."""

    def __init__(self) -> None:
        self.is_there = True
        self.looks: list[float] = []
        self.beats: list[float] = []
        self.now = 0.0

    def beat(self, _lease: Any) -> None:
        self.beats.append(self.now)

    def look_after(self, _lease: Any) -> bool:
        self.looks.append(self.now)
        return self.is_there


def test_a_ledger_that_is_away_is_asked_again_with_the_next_beat_and_not_twice_a_second() -> None:
    ledger = Ledger()
    keeper = LeaseKeeper(
        cast(Outcomes, ledger), Lease("one", 1, "ada", 30.0), 0.0, heartbeat_seconds=5.0, first_beat_seconds=5.0
    )

    def until(end: float) -> None:
        while ledger.now < end:
            ledger.now += 0.25
            keeper.keep(ledger.now)

    until(1.0)
    assert ledger.looks == [0.5, 1.0]
    ledger.is_there = False
    until(4.75)
    assert ledger.looks == [0.5, 1.0, 1.5]
    ledger.is_there = True
    until(6.0)
    assert ledger.beats == [5.0]
    assert ledger.looks == [0.5, 1.0, 1.5, 5.5, 6.0]
