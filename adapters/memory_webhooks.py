"""Webhooks in memory: the fake beside `MemoryQueue` (memory.py), which tells it of every event."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from schemas.errors import NotFound
from schemas.events import Event
from schemas.webhook import (
    Delivery,
    DeliveryState,
    NewWebhook,
    Webhook,
    WebhookChange,
    WebhookState,
    WhyDisabled,
)
from transcription.deliveries import LAST_TRY_SECONDS
from transcription.jobs import instant
from transcription.ports import AfterTry, DueDelivery, WebhookBacklog


@dataclass
class _Receiver:
    """A webhook as it is kept; `webhook` is replaced at every change."""

    webhook: Webhook
    secret: str
    earlier: tuple[str, float] | None = None  #: another secret, and until when it counts
    token: int = 0
    expires: float | None = None
    lease_seconds: float = 0.0
    served: float = 0.0


@dataclass
class _Noted:
    """A delivery as it is kept, with its event."""

    delivery: Delivery
    event: Event
    asked: float
    next_try: float


class MemoryWebhooks:
    """`WebhookLedger` in lists. `now` is the database's clock."""

    def __init__(self, now: Callable[[], float], lock: threading.RLock) -> None:
        self._now = now
        self._lock = lock
        self._receivers: list[_Receiver] = []
        self._noted: list[_Noted] = []

    # -- what the queue tells

    def note(self, event: Event) -> None:
        """A fact was told: note it for whoever wants it."""
        now = self._now()
        for receiver in self._receivers:
            webhook = receiver.webhook
            if webhook.state is WebhookState.ENABLED and event.type in webhook.events:
                delivery = Delivery(
                    webhook_id=webhook.id,
                    event_id=event.id,
                    event_type=event.type,
                    subject=event.subject,
                    state=DeliveryState.WAITING,
                    created=instant(now),
                    next_try=instant(now),
                )
                self._noted.append(_Noted(delivery, event, asked=now, next_try=now))

    def awaits(self, event_id: str) -> bool:
        return any(each.event.id == event_id and _waits(each) for each in self._noted)

    def reword(self, event: Event) -> None:
        """The event says less from now on."""
        for each in self._noted:
            if each.event.id == event.id:
                each.event = event

    def forget(self, event_id: str) -> None:
        self._noted = [each for each in self._noted if each.event.id != event_id]

    # -- webhooks

    def add(self, webhook_id: str, new: NewWebhook, *, secret: str) -> Webhook:
        with self._lock:
            time = instant(self._now())
            events = tuple(dict.fromkeys(new.events))
            webhook = Webhook(webhook_id, new.url, events, time, time, description=new.description or None)
            self._receivers.append(_Receiver(webhook, secret))
            return webhook

    def webhook(self, webhook_id: str) -> Webhook:
        return self._require(webhook_id).webhook

    def webhooks(self) -> Sequence[Webhook]:
        return [each.webhook for each in self._receivers]

    def change(self, webhook_id: str, change: WebhookChange) -> Webhook:
        with self._lock:
            receiver, now = self._require(webhook_id), self._now()
            values: dict[str, Any] = {"updated": instant(now)}
            if change.url is not None:
                values["url"] = change.url
            if change.events is not None:
                values["events"] = tuple(dict.fromkeys(change.events))
            if change.description is not None:
                values["description"] = change.description or None
            if change.state is not None:
                disabled = change.state is WebhookState.DISABLED
                values |= {"state": change.state, "reason": WhyDisabled.BY_HAND if disabled else None}
            if change.begins_anew:
                values["failing_since"] = None
                for each in self._of(webhook_id):
                    if _waits(each) and each.next_try > now:
                        self._be_due(each, now)
            receiver.webhook = replace(receiver.webhook, **values)
            return receiver.webhook

    def rotate(self, webhook_id: str, *, secret: str, keep_seconds: float) -> Webhook:
        with self._lock:
            receiver, now = self._require(webhook_id), self._now()
            receiver.earlier = (receiver.secret, now + keep_seconds)
            receiver.secret = secret
            receiver.webhook = replace(receiver.webhook, updated=instant(now))
            return receiver.webhook

    def remove(self, webhook_id: str) -> None:
        with self._lock:
            self._receivers.remove(self._require(webhook_id))
            self._noted = [each for each in self._noted if each.delivery.webhook_id != webhook_id]

    def secrets(self, webhook_id: str) -> tuple[str, ...]:
        receiver = self._require(webhook_id)
        is_kept = receiver.earlier is not None and receiver.earlier[1] > self._now()
        return (receiver.secret, receiver.earlier[0]) if is_kept and receiver.earlier else (receiver.secret,)

    # -- deliveries

    def deliveries(
        self, webhook_id: str, *, state: DeliveryState | None = None, limit: int = 50, before: str | None = None
    ) -> Sequence[Delivery]:
        with self._lock:
            self._require(webhook_id)
            noted = self._of(webhook_id)
            if before is not None:
                noted = noted[: noted.index(self._require_delivery(webhook_id, before))]
            return [each.delivery for each in reversed(noted) if state in (None, each.delivery.state)][:limit]

    def retry(self, webhook_id: str, event_id: str) -> Delivery:
        with self._lock:
            self._require(webhook_id)
            noted, now = self._require_delivery(webhook_id, event_id), self._now()
            noted.asked = now
            self._be_due(noted, now, state=DeliveryState.WAITING, tries=0, finished=None)
            return noted.delivery

    def claim(self, *, lease_seconds: float, healthy_only: bool = False) -> DueDelivery | None:
        with self._lock:
            now = self._now()
            free = [
                each for each in self._receivers if self._is_free(each, now, healthy_only) and self._due(each, now)
            ]
            if not free:
                return None
            receiver = min(free, key=lambda each: each.served)
            receiver.token += 1
            receiver.lease_seconds, receiver.expires, receiver.served = lease_seconds, now + lease_seconds, now
            noted = self._due(receiver, now)[0]
            return DueDelivery(
                webhook=receiver.webhook,
                secrets=self.secrets(receiver.webhook.id),
                event=noted.event,
                tries=noted.delivery.tries,
                age_seconds=max(0.0, now - noted.asked),
                token=receiver.token,
            )

    def settle(self, due: DueDelivery, after: AfterTry) -> bool:
        with self._lock:
            found = [each for each in self._receivers if each.webhook.id == due.webhook.id]
            if not found or found[0].token != due.token:
                return False
            receiver, now = found[0], self._now()
            receiver.expires = None
            webhook = receiver.webhook
            failing = None if after.state is DeliveryState.DELIVERED else webhook.failing_since or instant(now)
            receiver.webhook = webhook = replace(webhook, failing_since=failing)
            if after.disables:
                reason = WhyDisabled.GONE if webhook.state is WebhookState.ENABLED else webhook.reason
                receiver.webhook = replace(webhook, state=WebhookState.DISABLED, reason=reason, updated=instant(now))
            for each in self._of(webhook.id):
                if each.event.id == due.event.id:
                    self._move(each, after, now)
            return True

    def _move(self, noted: _Noted, after: AfterTry, now: float) -> None:
        waits = after.state is DeliveryState.WAITING
        noted.next_try = now + (after.delay_seconds or 0.0)
        noted.delivery = replace(
            noted.delivery,
            state=after.state,
            tries=noted.delivery.tries + 1,
            next_try=instant(noted.next_try) if waits else None,
            last_try=instant(now),
            last_status=after.status,
            last_code=after.code,
            finished=None if waits else instant(now),
        )

    def tidy(self) -> int:
        with self._lock:
            now = self._now()
            old = [each for each in self._noted if _waits(each) and each.asked < now - LAST_TRY_SECONDS]
            disabled = {each.webhook.id for each in self._receivers if each.webhook.state is WebhookState.DISABLED}
            given_up = [each for each in old if each.delivery.webhook_id in disabled]
            for each in given_up:
                each.delivery = replace(
                    each.delivery,
                    state=DeliveryState.GIVEN_UP,
                    next_try=None,
                    last_code="webhook_disabled",
                    finished=instant(now),
                )
            return len(given_up)

    def backlog(self) -> WebhookBacklog:
        with self._lock:
            now = self._now()
            enabled = [each.webhook for each in self._receivers if each.webhook.state is WebhookState.ENABLED]
            ids = {each.id for each in enabled}
            waiting = [each for each in self._noted if _waits(each) and each.delivery.webhook_id in ids]
            oldest = min((each.next_try for each in waiting), default=now)
            return WebhookBacklog(
                enabled=len(enabled),
                failing=sum(each.failing_since is not None for each in enabled),
                disabled=len(self._receivers) - len(enabled),
                waiting=len(waiting),
                oldest_due_seconds=max(0.0, now - oldest),
            )

    # -- shared steps

    def _of(self, webhook_id: str) -> list[_Noted]:
        return [each for each in self._noted if each.delivery.webhook_id == webhook_id]

    def _due(self, receiver: _Receiver, now: float) -> list[_Noted]:
        return [each for each in self._of(receiver.webhook.id) if _waits(each) and each.next_try <= now]

    def _is_free(self, receiver: _Receiver, now: float, healthy_only: bool) -> bool:
        webhook, expires = receiver.webhook, receiver.expires
        is_free = expires is None or expires < now or expires > now + receiver.lease_seconds + 1.0
        is_wanted = webhook.failing_since is None or not healthy_only
        return webhook.state is WebhookState.ENABLED and is_free and is_wanted

    def _be_due(self, noted: _Noted, now: float, **changes: Any) -> None:
        noted.next_try = now
        noted.delivery = replace(noted.delivery, next_try=instant(now), **changes)

    def _require(self, webhook_id: str) -> _Receiver:
        for each in self._receivers:
            if each.webhook.id == webhook_id:
                return each
        raise NotFound(f"no webhook {webhook_id}", code="webhook_not_found")

    def _require_delivery(self, webhook_id: str, event_id: str) -> _Noted:
        for each in self._of(webhook_id):
            if each.event.id == event_id:
                return each
        raise NotFound(f"webhook {webhook_id}: no delivery of event {event_id} is known", code="delivery_not_found")


def _waits(noted: _Noted) -> bool:
    return noted.delivery.state is DeliveryState.WAITING
