"""When a delivery is tried again: by the schedule, by what the receiver asks for, and not after three days."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.webhook import Answer, DeliveryState
from transcription.deliveries import JITTER, LAST_TRY_SECONDS, RETRY_SECONDS, after_try
from transcription.ports import AfterTry

HOUR = 3600.0
DOWN = Answer(500, "receiver_refused")


def after(answer: Answer = DOWN, *, tries: int = 0, age: float = 0.0, jitter: float = 0.5) -> AfterTry:
    return after_try(answer, tries=tries, age_seconds=age, jitter=jitter)


def test_only_a_success_delivers() -> None:
    assert after(Answer(204)) == AfterTry(DeliveryState.DELIVERED, 204)
    assert after(DOWN).state is DeliveryState.WAITING


def test_a_receiver_that_is_gone_is_not_asked_again() -> None:
    gone = after(Answer(410, "receiver_gone"))

    assert (gone.state, gone.disables, gone.code) == (DeliveryState.GIVEN_UP, True, "receiver_gone")
    assert not after(DOWN).disables


def test_the_schedule_is_the_one_of_standard_webhooks() -> None:
    delays = [after(tries=tries).delay_seconds for tries in range(9)]

    assert delays == [5, 5 * 60, 30 * 60, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR]


def test_the_last_try_is_made_72_hours_after_the_event_and_then_it_is_given_up() -> None:
    assert after(tries=8, age=51.5 * HOUR).delay_seconds == 20.5 * HOUR
    assert after(tries=9, age=72 * HOUR).state is DeliveryState.GIVEN_UP
    assert after(tries=0, age=80 * HOUR).state is DeliveryState.GIVEN_UP


@given(st.floats(0, 1), st.integers(0, 20), st.floats(0, LAST_TRY_SECONDS * 2), st.none() | st.floats(0, 1e9))
def test_a_wait_is_never_far_from_the_schedule_nor_beyond_the_last_try(
    jitter: float, tries: int, age: float, asked: float | None
) -> None:
    decided = after(Answer(503, "receiver_refused", retry_after_seconds=asked), tries=tries, age=age, jitter=jitter)

    if decided.delay_seconds is None:
        assert age > LAST_TRY_SECONDS - 1
        return
    planned = RETRY_SECONDS[min(tries, len(RETRY_SECONDS) - 1)]
    left = LAST_TRY_SECONDS - age
    assert decided.delay_seconds <= left
    assert decided.delay_seconds >= min(
        left,
        planned * (1 - JITTER),
    )
    assert decided.delay_seconds <= max(planned * (1 + JITTER) + 1e-6, asked or 0.0)


@pytest.mark.parametrize(("asked", "delay"), [(2.0, 5.0), (120.0, 120.0), (1e9, LAST_TRY_SECONDS - 10.0)])
def test_a_receiver_may_ask_for_a_longer_wait_but_not_for_ever(asked: float, delay: float) -> None:
    busy = Answer(429, "receiver_refused", retry_after_seconds=asked)

    assert after(busy, age=10.0).delay_seconds == delay
