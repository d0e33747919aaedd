"""The states of a job: one definition, and a page that follows it."""

from __future__ import annotations

import pytest

from schemas import states
from schemas.job import FIRST_STATES, LEGAL_MOVES, MOVES, JobState
from transcription.ports import JobQueue


def test_the_committed_page_is_the_one_that_the_code_draws() -> None:
    assert states.PAGE.read_text(encoding="utf-8") == states.page(), "run `make schemas`"


@pytest.mark.parametrize("call", sorted({call for calls in MOVES.values() for call in calls}))
def test_every_call_on_an_arrow_is_one_of_the_queue_and_explained(call: str) -> None:
    assert callable(getattr(JobQueue, call))
    assert call in states.CALLS


def test_every_state_can_be_reached_and_all_but_the_ends_can_be_left() -> None:
    reached = set(FIRST_STATES) | {after for _, after in MOVES}

    assert reached == set(JobState)
    assert {state for state in JobState if not LEGAL_MOVES[state]} == {JobState.DONE, JobState.CANCELLED}
