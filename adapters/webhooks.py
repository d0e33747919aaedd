"""Webhooks in the ledger's database, and what is on its way to each.

Deliveries are noted by whoever writes the event (ledger_statements.py, `insert_events`). Who locks what, on
PostgreSQL: whatever is done to a webhook locks its row first and its deliveries after it, and nobody who writes about
a job locks either.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy.engine import Connection

from adapters import ledger_webhooks as sql
from adapters.database import Ledger
from adapters.ledger_statements import database_now
from adapters.ledger_webhooks import DatabaseRow
from schemas.errors import NotFound, PageError
from schemas.events import Event, EventType
from schemas.webhook import (
    Delivery,
    DeliveryState,
    NewWebhook,
    Webhook,
    WebhookChange,
    WebhookState,
    WhyDisabled,
)
from schemas.wire import read_json
from transcription.deliveries import LAST_TRY_SECONDS
from transcription.jobs import instant
from transcription.ports import AfterTry, DueDelivery, WebhookBacklog

log = structlog.get_logger()


class LedgerWebhooks:
    """`WebhookLedger` in the tables `webhooks` and `deliveries`.

    The ledger is opened at the first use, so that a process that never asks never connects. Threads may share one.
    """

    def __init__(self, open_ledger: Callable[[], Ledger]) -> None:
        self._open_ledger = open_ledger
        self._opened: Ledger | None = None
        self._lock = threading.Lock()

    @property
    def _ledger(self) -> Ledger:
        with self._lock:
            if self._opened is None:
                self._opened = self._open_ledger()
            return self._opened

    # -- webhooks

    def add(self, webhook_id: str, new: NewWebhook, *, secret: str) -> Webhook:
        def add(connection: Connection) -> Webhook:
            sql.insert_webhook(connection, webhook_id, new, secret, self._now(connection))
            return _required(connection, webhook_id)

        return self._ledger.write(add)

    def webhook(self, webhook_id: str) -> Webhook:
        return self._ledger.read(lambda connection: _required(connection, webhook_id))

    def webhooks(self) -> Sequence[Webhook]:
        return [_webhook(row) for row in self._ledger.read(sql.list_webhooks)]

    def change(self, webhook_id: str, change: WebhookChange) -> Webhook:
        def change_it(connection: Connection) -> Webhook:
            _required(connection, webhook_id, to_change=True)
            now = self._now(connection)
            sql.update_webhook(connection, webhook_id, change, now)
            if change.begins_anew:
                sql.hasten(connection, webhook_id, now)
            return _required(connection, webhook_id)

        return self._ledger.write(change_it)

    def rotate(self, webhook_id: str, *, secret: str, keep_seconds: float) -> Webhook:
        def rotate(connection: Connection) -> Webhook:
            _required(connection, webhook_id, to_change=True)
            sql.change_secret(connection, webhook_id, secret, keep_seconds, self._now(connection))
            return _required(connection, webhook_id)

        return self._ledger.write(rotate)

    def remove(self, webhook_id: str) -> None:
        if not self._ledger.write(lambda connection: sql.delete_webhook(connection, webhook_id)):
            raise no_such_webhook(webhook_id)

    def secrets(self, webhook_id: str) -> tuple[str, ...]:
        def secrets(connection: Connection) -> tuple[str, ...]:
            row = sql.find_webhook(connection, webhook_id)
            if row is None:
                raise no_such_webhook(webhook_id)
            return _secrets(row, self._now(connection))

        return self._ledger.read(secrets)

    # -- deliveries

    def deliveries(
        self, webhook_id: str, *, state: DeliveryState | None = None, limit: int = 50, before: str | None = None
    ) -> Sequence[Delivery]:
        def look(connection: Connection) -> Sequence[DatabaseRow]:
            _required(connection, webhook_id)
            below = None if before is None else _required_delivery(connection, webhook_id, before).number
            return sql.list_deliveries(connection, webhook_id, state, below, limit)

        return [_delivery(row) for row in self._ledger.read(look)]

    def retry(self, webhook_id: str, event_id: str) -> Delivery:
        def retry(connection: Connection) -> Delivery:
            _required(connection, webhook_id, to_change=True)
            row = _required_delivery(connection, webhook_id, event_id)
            sql.begin_anew(connection, row.number, self._now(connection))
            return _delivery(_required_delivery(connection, webhook_id, event_id))

        return self._ledger.write(retry)

    def claim(self, *, lease_seconds: float, healthy_only: bool = False) -> DueDelivery | None:
        while (found := self._claim_row(lease_seconds, healthy_only)) is not None:
            webhook, row = found
            try:
                event = read_json(Event, row.document)
            except PageError as error:
                log.error("an event could not be read", subject=row.subject, problem=error.message)
                after = AfterTry(DeliveryState.GIVEN_UP, code="event_invalid")
                self._settle(webhook.id, row.event_id, webhook.lease_token, after)
                continue
            return DueDelivery(
                webhook=_webhook(webhook),
                secrets=_secrets(webhook, row.present),
                event=event,
                tries=row.tries,
                age_seconds=max(0.0, row.present - row.asked),
                token=webhook.lease_token,
            )
        return None

    def _claim_row(self, lease_seconds: float, healthy_only: bool) -> tuple[DatabaseRow, DatabaseRow] | None:
        """The leased webhook and the delivery that is next."""
        offset = self._ledger.clock_offset
        if not self._ledger.read(lambda connection: sql.any_due(connection, healthy_only, offset)):
            return None

        def claim(connection: Connection) -> tuple[DatabaseRow, DatabaseRow] | None:
            webhook = sql.lease_webhook(connection, healthy_only, lease_seconds, offset)
            row = None if webhook is None else sql.first_due(connection, webhook.id, offset)
            if webhook is not None and row is None:  # it was deleted meanwhile
                sql.end_lease(connection, webhook.id, webhook.lease_token, None, offset)
            return None if webhook is None or row is None else (webhook, row)

        return self._ledger.write(claim)

    def settle(self, due: DueDelivery, after: AfterTry) -> bool:
        return self._settle(due.webhook.id, due.event.id, due.token, after)

    def _settle(self, webhook_id: str, event_id: str, token: int, after: AfterTry) -> bool:
        def settle(connection: Connection) -> bool:
            if not sql.end_lease(connection, webhook_id, token, after, self._ledger.clock_offset):
                return False
            sql.move_after_try(connection, webhook_id, event_id, after, self._now(connection))
            return True

        return self._ledger.write(settle)

    def tidy(self) -> int:
        def tidy(connection: Connection) -> int:
            gone = sql.forget_orphans(connection)
            return gone + sql.give_up_on_disabled(connection, LAST_TRY_SECONDS, self._now(connection))

        return self._ledger.write(tidy)

    def backlog(self) -> WebhookBacklog:
        def look(connection: Connection) -> WebhookBacklog:
            enabled = failing = disabled = 0
            for state, fails, count in sql.standings(connection):
                is_enabled = state == WebhookState.ENABLED.value
                enabled += count * is_enabled
                failing += count * (is_enabled and fails)
                disabled += count * (not is_enabled)
            waiting, oldest = sql.waiting(connection)
            age = 0.0 if oldest is None else max(0.0, self._now(connection) - oldest)
            return WebhookBacklog(enabled, failing, disabled, waiting, age)

        return self._ledger.read(look)

    def _now(self, connection: Connection) -> float:
        return database_now(connection, self._ledger.clock_offset)


def no_such_webhook(webhook_id: str) -> NotFound:
    return NotFound(f"no webhook {webhook_id}", code="webhook_not_found")


def no_such_delivery(webhook_id: str, event_id: str) -> NotFound:
    return NotFound(f"webhook {webhook_id}: no delivery of event {event_id} is known", code="delivery_not_found")


def _required(connection: Connection, webhook_id: str, *, to_change: bool = False) -> Webhook:
    row = sql.find_webhook(connection, webhook_id, to_change=to_change)
    if row is None:
        raise no_such_webhook(webhook_id)
    return _webhook(row)


def _required_delivery(connection: Connection, webhook_id: str, event_id: str) -> DatabaseRow:
    row = sql.find_delivery(connection, webhook_id, event_id)
    if row is None:
        raise no_such_delivery(webhook_id, event_id)
    return row


def _secrets(row: DatabaseRow, now: float) -> tuple[str, ...]:
    is_kept = row.earlier_secret is not None and row.earlier_until > now
    return (row.secret, row.earlier_secret) if is_kept else (row.secret,)


def _webhook(row: DatabaseRow) -> Webhook:
    return Webhook(
        id=row.id,
        url=row.url,
        events=tuple(EventType(each) for each in json.loads(row.events)),
        created=instant(row.created),
        updated=instant(row.updated),
        description=row.description,
        state=WebhookState(row.state),
        reason=None if row.reason is None else WhyDisabled(row.reason),
        failing_since=None if row.failing_since is None else instant(row.failing_since),
    )


def _delivery(row: DatabaseRow) -> Delivery:
    return Delivery(
        webhook_id=row.webhook_id,
        event_id=row.event_id,
        event_type=EventType(row.event_type),
        subject=row.subject,
        state=DeliveryState(row.state),
        created=instant(row.created),
        tries=row.tries,
        next_try=None if row.next_try is None else instant(row.next_try),
        last_try=None if row.last_try is None else instant(row.last_try),
        last_status=row.last_status,
        last_code=row.last_code,
        finished=None if row.finished is None else instant(row.finished),
    )
