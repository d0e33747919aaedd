"""What people do with webhooks, behind the API and `stenocast webhooks` alike: what they give is checked here."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from adapters.webhook_sender import new_secret
from schemas.errors import OptionError
from schemas.events import Event, EventType
from schemas.webhook import LONGEST_DESCRIPTION, TOLD, Answer, NewWebhook, Webhook, WebhookChange
from transcription.deliveries import trial_event
from transcription.ports import WebhookLedger

#: For so long after a rotation the earlier secret signs too, so that receivers can be changed one after the other.
KEEP_SECRET_SECONDS = 24 * 3600.0


class Sender(Protocol):
    """`WebhookSender`, or what stands for it in tests."""

    def check(self, url: str) -> str: ...

    def send(self, url: str, event: Event, *, secrets: tuple[str, ...]) -> Answer: ...


@dataclass(frozen=True, slots=True)
class WebhookDesk:
    """Every method raises what the ledger does; those that take a URL or types OptionError, which names the field."""

    ledger: WebhookLedger
    sender: Sender
    new_id: Callable[[], str] = lambda: str(uuid.uuid4())
    now: Callable[[], float] = time.time

    def add(self, new: NewWebhook) -> tuple[Webhook, str]:
        """The webhook and its secret, which nobody is told again. Raises OptionError `url_refused`."""
        checked = replace(
            new,
            url=self.sender.check(new.url),
            events=_checked_types(new.events),
            description=_plain(new.description),
        )
        secret = new_secret()
        return self.ledger.add(self.new_id(), checked, secret=secret), secret

    def change(self, webhook_id: str, change: WebhookChange) -> Webhook:
        """Raises OptionError `url_refused`."""
        return self.ledger.change(
            webhook_id,
            replace(
                change,
                url=None if change.url is None else self.sender.check(change.url),
                events=None if change.events is None else _checked_types(change.events),
                description=_plain(change.description),
            ),
        )

    def rotate(self, webhook_id: str) -> tuple[Webhook, str]:
        """The webhook and its new secret; the earlier one signs too for a day."""
        secret = new_secret()
        return self.ledger.rotate(webhook_id, secret=secret, keep_seconds=KEEP_SECRET_SECONDS), secret

    def test(self, webhook_id: str) -> tuple[Event, Answer]:
        """Send `webhook.test` now, once, whatever the webhook's state, and note nothing of it."""
        webhook, secrets = self.ledger.webhook(webhook_id), self.ledger.secrets(webhook_id)
        event = trial_event(webhook_id, event_id=self.new_id(), now=self.now())
        return event, self.sender.send(webhook.url, event, secrets=secrets)


def _checked_types(events: tuple[EventType, ...]) -> tuple[EventType, ...]:
    known = ", ".join(TOLD)
    if not events:
        raise OptionError(f"events: name at least one of {known}", code="invalid_request", field="events")
    for each in events:
        if each not in TOLD:
            raise OptionError(
                f"events={each.value!r}: is not sent; use some of {known}", code="invalid_request", field="events"
            )
    return events


def _plain(description: str | None) -> str | None:
    if description is None:
        return None
    if len(description) > LONGEST_DESCRIPTION or not description.isprintable():
        raise OptionError(
            f"description={description[:40]!a}: at most {LONGEST_DESCRIPTION} characters, all printable",
            code="invalid_request",
            field="description",
        )
    return description.strip()
