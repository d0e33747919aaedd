"""Keeps the lease of one attempt: beats it in time, and looks in between whether it is still there."""

from __future__ import annotations

from transcription.ports import Lease
from workers.outcomes import Outcomes

#: A cancel has 5 s and a child that was asked to leave its job 3 s of them; beats come too seldom for that.
LOOK_SECONDS = 0.5


class LeaseKeeper:
    """`first_beat_seconds` from `now` the lease is beaten for the first time, then every `heartbeat_seconds`."""

    def __init__(
        self, outcomes: Outcomes, lease: Lease, now: float, *, heartbeat_seconds: float, first_beat_seconds: float
    ) -> None:
        self._outcomes = outcomes
        self._lease = lease
        self._heartbeat_seconds = heartbeat_seconds
        self._next_beat = now + first_beat_seconds
        self._next_look = now + LOOK_SECONDS

    def seconds_to_beat(self, now: float) -> float:
        return max(0.0, self._next_beat - now)

    def keep(self, now: float) -> bool:
        """Do what is due; whether that was a beat. Raises LeaseLost once the job is cancelled or somebody else's."""
        if now >= self._next_beat:
            self._next_beat = now + self._heartbeat_seconds
            self._next_look = now + LOOK_SECONDS
            self._outcomes.beat(self._lease)
            return True
        if now >= self._next_look:
            self._next_look = now + LOOK_SECONDS
            if not self._outcomes.look_after(self._lease):
                self._next_look = self._next_beat  # each look at a ledger that is away may take seconds
        return False
