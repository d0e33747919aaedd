"""A webhook: an address that events are sent to; a delivery: one event on its way to one webhook.

How a delivery is signed and tried again is docs/webhooks.md. The secret that signs is in neither: whoever adds a
webhook is told it once.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import ConfigDict

from schemas.events import EventType

#: The types that a webhook may ask for: those that the ledger tells of.
TOLD: tuple[EventType, ...] = tuple(
    kind for kind in EventType if kind not in (EventType.EPISODE_DROPPED, EventType.WEBHOOK_TEST)
)

#: What a webhook gets that asks for nothing in particular: what whoever publishes transcripts has to know.
USUAL: tuple[EventType, ...] = (
    EventType.TRANSCRIPT_PUBLISHED,
    EventType.TRANSCRIPT_REVISED,
    EventType.TRANSCRIPT_DELETED,
)

LONGEST_URL = 2000  #: characters; common servers and proxies take 8,000 bytes of request line
LONGEST_DESCRIPTION = 500  #: characters


class WebhookState(StrEnum):
    ENABLED = "enabled"  #: events are noted for it and sent
    DISABLED = "disabled"  #: no event is noted for it; what waits does so until it is enabled, 72 hours at most


class WhyDisabled(StrEnum):
    BY_HAND = "by_hand"  #: somebody asked for it
    GONE = "gone"  #: the receiver answered 410


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that events of some types are sent to. Times are ISO 8601 UTC."""

    id: str
    url: str
    events: tuple[EventType, ...]  #: at least one
    created: str
    updated: str
    description: str | None = None
    state: WebhookState = WebhookState.ENABLED
    reason: WhyDisabled | None = None  #: why it is disabled
    failing_since: str | None = None  #: the first of the failures that no success has followed yet
    schema: str = "webhook/1"


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """The body of `POST /v1/webhooks`."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    url: str
    events: tuple[EventType, ...] = USUAL
    description: str | None = None


@dataclass(frozen=True, slots=True)
class WebhookChange:
    """The body of `PATCH /v1/webhooks/{id}`; null leaves things as they are."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    url: str | None = None
    events: tuple[EventType, ...] | None = None
    description: str | None = None  #: an empty one takes it away
    state: WebhookState | None = None

    @property
    def begins_anew(self) -> bool:
        """Whether it is about the receiver: then earlier failures say nothing any more."""
        return self.url is not None or self.state is WebhookState.ENABLED


class DeliveryState(StrEnum):
    WAITING = "waiting"  #: to be tried, for the first time or again
    DELIVERED = "delivered"  #: the receiver answered 2xx
    GIVEN_UP = "given_up"  #: tried until 72 hours were over, or the receiver answered 410


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one webhook. Times are ISO 8601 UTC.

    It is known for as long as its event is: a week after that was published, or until its episode is deleted.
    """

    webhook_id: str
    event_id: str  #: the header `webhook-id` of every copy
    event_type: EventType
    subject: str  #: the event's: the episode id
    state: DeliveryState
    created: str  #: when the event was told
    tries: int = 0
    next_try: str | None = None  #: of one that waits
    last_try: str | None = None
    last_status: int | None = None  #: what the receiver answered, where it did
    last_code: str | None = None  #: why the last try was none that delivers; an error code
    finished: str | None = None
    schema: str = "delivery/1"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of sending one event once."""

    status: int | None = None  #: of HTTP, where the receiver answered
    code: str | None = None  #: why it does not count as delivered; null = delivered
    message: str = ""  #: one sentence for people
    retry_after_seconds: float | None = None  #: what the receiver asked for
    seconds: float = 0.0  #: by the clock, that it took

    @property
    def is_success(self) -> bool:
        return self.code is None
