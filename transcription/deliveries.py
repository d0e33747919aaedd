"""When a delivery is tried again, and when not: the pure rules that the deliverer and the ledger share."""

from __future__ import annotations

from schemas.events import Event, EventType, WebhookTested
from schemas.webhook import Answer, DeliveryState
from transcription.jobs import SOURCE, instant
from transcription.ports import AfterTry

#: Seconds from one try to the next: the example schedule of the Standard Webhooks specification ("Deliverability and
#: reliability"), which comes to 75 hours 35 minutes.
RETRY_SECONDS = (5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)

#: The last try is made so long after the event, where the schedule has not ended before: three days.
LAST_TRY_SECONDS = 72 * 3600.0

#: Each wait is this much shorter or longer at most, so that what failed together does not come back together.
JITTER = 0.1

#: The receiver does not want anything any more (RFC 9110, 15.5.11).
GONE = 410


def after_try(answer: Answer, *, tries: int, age_seconds: float, jitter: float) -> AfterTry:
    """Decide about a delivery that was tried; `tries` counts the earlier ones.

    `age_seconds` is how long ago the event was told, or somebody asked to try it again; `jitter` a random number from
    0 to 1. A receiver that asks for a longer wait (`Retry-After`) gets it, as far as the last try allows.
    """
    if answer.is_success:
        return AfterTry(DeliveryState.DELIVERED, answer.status)
    if answer.status == GONE:
        return AfterTry(DeliveryState.GIVEN_UP, answer.status, answer.code, disables=True)
    left = LAST_TRY_SECONDS - age_seconds
    if left < 1.0:
        return AfterTry(DeliveryState.GIVEN_UP, answer.status, answer.code)
    wait = RETRY_SECONDS[min(tries, len(RETRY_SECONDS) - 1)] * (1.0 - JITTER + 2 * JITTER * jitter)
    delay = min(max(wait, answer.retry_after_seconds or 0.0), left)
    return AfterTry(DeliveryState.WAITING, answer.status, answer.code, delay)


def trial_event(webhook_id: str, *, event_id: str, now: float) -> Event:
    """The event by which somebody tries a webhook."""
    return Event(
        id=event_id,
        type=EventType.WEBHOOK_TEST,
        source=SOURCE,
        subject=webhook_id,
        time=instant(now),
        data=WebhookTested(webhook_id),
    )
