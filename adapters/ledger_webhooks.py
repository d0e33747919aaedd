"""What the ledger asks its database about webhooks: one function per statement, named for its purpose.

Beside ledger_statements.py, which notes deliveries with the events that it writes (`insert_deliveries`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from adapters.ledger_prepared import Prepared
from adapters.ledger_tables import PRESENT, deliveries, outbox, webhooks
from schemas.events import Event
from schemas.webhook import DeliveryState, NewWebhook, WebhookChange, WebhookState, WhyDisabled
from transcription.ports import AfterTry

#: A row by its column names; what is in it is the statement's business and the ledger's.
DatabaseRow = Any

#: As in ledger_statements.py: no honest lease ends later than this beyond its length.
CLOCK_SLACK_SECONDS = 1.0

#: Written out in the statements: a partial index is used only where its condition can be read.
_WAITS: sa.ColumnElement[bool] = deliveries.c.state == sa.literal_column(f"'{DeliveryState.WAITING.value}'")
_ENABLED: sa.ColumnElement[bool] = webhooks.c.state == sa.literal_column(f"'{WebhookState.ENABLED.value}'")


# ---------------------------------------------------------------- with each event that is told

_WANTED = Prepared(sa.select(webhooks.c.id, webhooks.c.events).where(_ENABLED).order_by(webhooks.c.number))
_INSERT_DELIVERY = Prepared(sa.insert(deliveries))


def insert_deliveries(connection: Connection, events: Sequence[Event], now: float) -> None:
    """Note each event for every enabled webhook that wants its type; the events are in the outbox by now.

    A webhook that is changed or removed at this moment may get them or not; nobody waits for whoever does it.
    """
    wanted = [(row.id, frozenset(json.loads(row.events))) for row in _WANTED.all(connection, {})]
    rows = [
        {
            "webhook_id": webhook_id,
            "event_id": event.id,
            "event_type": event.type.value,
            "subject": event.subject,
            "state": DeliveryState.WAITING.value,
            "tries": 0,
            "created": now,
            "asked": now,
            "next_try": now,
        }
        for event in events
        for webhook_id, types in wanted
        if event.type.value in types
    ]
    _INSERT_DELIVERY.run_each(connection, rows)


def is_awaited(event_id: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Whether a delivery waits for the event of this id."""
    return sa.exists().where(deliveries.c.event_id == event_id, _WAITS)


# ---------------------------------------------------------------- webhooks


def insert_webhook(connection: Connection, webhook_id: str, new: NewWebhook, secret: str, now: float) -> None:
    connection.execute(
        sa.insert(webhooks).values(
            id=webhook_id,
            url=new.url,
            events=_types(new.events),
            description=new.description or None,
            state=WebhookState.ENABLED.value,
            secret=secret,
            created=now,
            updated=now,
            lease_token=0,
            served=0.0,
        )
    )


def find_webhook(connection: Connection, webhook_id: str, *, to_change: bool = False) -> DatabaseRow | None:
    """Locked until the transaction ends where it is `to_change`."""
    found = sa.select(webhooks).where(webhooks.c.id == webhook_id)
    return connection.execute(found.with_for_update(key_share=True) if to_change else found).first()


def list_webhooks(connection: Connection) -> Sequence[DatabaseRow]:
    return connection.execute(sa.select(webhooks).order_by(webhooks.c.number)).all()


def update_webhook(connection: Connection, webhook_id: str, change: WebhookChange, now: float) -> None:
    values: dict[str, Any] = {"updated": now}
    if change.url is not None:
        values["url"] = change.url
    if change.events is not None:
        values["events"] = _types(change.events)
    if change.description is not None:
        values["description"] = change.description or None
    if change.state is not None:
        disabled = change.state is WebhookState.DISABLED
        values |= {"state": change.state.value, "reason": WhyDisabled.BY_HAND.value if disabled else None}
    if change.begins_anew:
        values["failing_since"] = None
    connection.execute(sa.update(webhooks).where(webhooks.c.id == webhook_id).values(values))


def hasten(connection: Connection, webhook_id: str, now: float) -> None:
    """Let everything that waits for a webhook be due."""
    later = sa.update(deliveries).where(deliveries.c.webhook_id == webhook_id, _WAITS, deliveries.c.next_try > now)
    connection.execute(later.values(next_try=now))


def change_secret(connection: Connection, webhook_id: str, secret: str, keep_seconds: float, now: float) -> None:
    values = {
        "earlier_secret": webhooks.c.secret,
        "earlier_until": now + keep_seconds,
        "secret": secret,
        "updated": now,
    }
    connection.execute(sa.update(webhooks).where(webhooks.c.id == webhook_id).values(values))


def delete_webhook(connection: Connection, webhook_id: str) -> bool:
    """With its deliveries; whether there was one."""
    found = connection.execute(sa.delete(webhooks).where(webhooks.c.id == webhook_id)).rowcount
    connection.execute(sa.delete(deliveries).where(deliveries.c.webhook_id == webhook_id))
    return found > 0


def _types(events: Sequence[str]) -> str:
    return json.dumps([str(each) for each in dict.fromkeys(events)])


# ---------------------------------------------------------------- deliveries


def find_delivery(connection: Connection, webhook_id: str, event_id: str) -> DatabaseRow | None:
    found = sa.select(deliveries).where(deliveries.c.webhook_id == webhook_id, deliveries.c.event_id == event_id)
    return connection.execute(found).first()


def list_deliveries(
    connection: Connection, webhook_id: str, state: DeliveryState | None, below: int | None, limit: int
) -> Sequence[DatabaseRow]:
    found = sa.select(deliveries).where(deliveries.c.webhook_id == webhook_id)
    if state is not None:
        found = found.where(deliveries.c.state == state.value)
    if below is not None:
        found = found.where(deliveries.c.number < below)
    return connection.execute(found.order_by(deliveries.c.number.desc()).limit(limit)).all()


def begin_anew(connection: Connection, number: int, now: float) -> None:
    """Let a delivery be due, and its schedule begin."""
    values = {"state": DeliveryState.WAITING.value, "tries": 0, "asked": now, "next_try": now, "finished": None}
    connection.execute(sa.update(deliveries).where(deliveries.c.number == number).values(values))


_IS_FREE = sa.or_(
    webhooks.c.lease_expires.is_(None),
    webhooks.c.lease_expires < PRESENT,
    webhooks.c.lease_expires > PRESENT + webhooks.c.lease_seconds + CLOCK_SLACK_SECONDS,  # of a clock set back since
)
_IS_DUE = sa.exists().where(deliveries.c.webhook_id == webhooks.c.id, _WAITS, deliveries.c.next_try <= PRESENT)
#: Of webhooks whose last try failed those alone that may be taken too; 1 = all.
_MAY_FAIL = sa.or_(webhooks.c.failing_since.is_(None), sa.bindparam("may_fail", type_=sa.Integer) == 1)
_DUE = (
    sa.select(webhooks.c.number)
    .where(_ENABLED, _IS_FREE, _MAY_FAIL, _IS_DUE)
    .order_by(webhooks.c.served, webhooks.c.number)
    .limit(1)
)
_ANY_DUE = Prepared(_DUE)
_LEASE = Prepared(
    sa.update(webhooks)
    .where(webhooks.c.number == _DUE.with_for_update(key_share=True, skip_locked=True).scalar_subquery())
    .values(
        lease_token=webhooks.c.lease_token + 1,
        lease_seconds=sa.bindparam("lease_length"),
        lease_expires=PRESENT + sa.bindparam("lease_length", type_=sa.Float),
        served=PRESENT,
    )
    .returning(*webhooks.c)
)


def any_due(connection: Connection, healthy_only: bool, offset: float) -> bool:
    """Whether a lease can be had. Looked at without the write lock, so that idle deliverers hold nobody up."""
    values = {"clock_offset": offset, "may_fail": int(not healthy_only)}
    return _ANY_DUE.scalar(connection, values) is not None


def lease_webhook(
    connection: Connection, healthy_only: bool, lease_seconds: float, offset: float
) -> DatabaseRow | None:
    values = {"clock_offset": offset, "may_fail": int(not healthy_only), "lease_length": lease_seconds}
    return _LEASE.first(connection, values)


_FIRST_DUE = Prepared(
    sa.select(*deliveries.c, outbox.c.document, PRESENT.label("present"))
    .join(outbox, outbox.c.event_id == deliveries.c.event_id)
    .where(deliveries.c.webhook_id == sa.bindparam("wanted"), _WAITS, deliveries.c.next_try <= PRESENT)
    .order_by(deliveries.c.number)
    .limit(1)
)


def first_due(connection: Connection, webhook_id: str, offset: float) -> DatabaseRow | None:
    """The delivery that is next, with its event and the time."""
    return _FIRST_DUE.first(connection, {"wanted": webhook_id, "clock_offset": offset})


def end_lease(connection: Connection, webhook_id: str, token: int, after: AfterTry | None, offset: float) -> bool:
    """Let others serve the webhook, and note how its receiver does; False where the lease was lost.

    Without `after` nothing was tried.
    """
    values: dict[str, Any] = {"lease_expires": None}
    if after is not None and after.state is DeliveryState.DELIVERED:
        values["failing_since"] = None
    elif after is not None:
        values["failing_since"] = sa.func.coalesce(webhooks.c.failing_since, PRESENT)
    if after is not None and after.disables:
        enabled = webhooks.c.state == WebhookState.ENABLED.value
        values |= {
            "state": WebhookState.DISABLED.value,
            "reason": sa.case((enabled, WhyDisabled.GONE.value), else_=webhooks.c.reason),
            "updated": PRESENT,
        }
    held = sa.update(webhooks).where(webhooks.c.id == webhook_id, webhooks.c.lease_token == token)
    return connection.execute(held.values(values), {"clock_offset": offset}).rowcount == 1


def move_after_try(connection: Connection, webhook_id: str, event_id: str, after: AfterTry, now: float) -> None:
    """Note what came of a try. Where its event was deleted meanwhile there is nothing to note."""
    waits = after.state is DeliveryState.WAITING
    connection.execute(
        sa.update(deliveries)
        .where(deliveries.c.webhook_id == webhook_id, deliveries.c.event_id == event_id)
        .values(
            state=after.state.value,
            tries=deliveries.c.tries + 1,
            next_try=now + (after.delay_seconds or 0.0) if waits else None,
            last_try=now,
            last_status=after.status,
            last_code=after.code,
            finished=None if waits else now,
        )
    )


def give_up_on_disabled(connection: Connection, age_seconds: float, now: float) -> int:
    """End what has waited so long for a webhook that is disabled."""
    enabled = sa.select(webhooks.c.id).where(_ENABLED)
    old = (_WAITS, deliveries.c.asked < now - age_seconds, deliveries.c.webhook_id.not_in(enabled))
    values = {
        "state": DeliveryState.GIVEN_UP.value,
        "next_try": None,
        "last_code": "webhook_disabled",
        "finished": now,
    }
    return connection.execute(sa.update(deliveries).where(*old).values(values)).rowcount


def forget_orphans(connection: Connection) -> int:
    """Delete what was noted for webhooks that are removed."""
    known = sa.select(webhooks.c.id)
    return connection.execute(sa.delete(deliveries).where(_WAITS, deliveries.c.webhook_id.not_in(known))).rowcount


_STANDINGS = sa.select(
    webhooks.c.state, webhooks.c.failing_since.is_not(None).label("fails"), sa.func.count().label("webhooks")
).group_by(webhooks.c.state, webhooks.c.failing_since.is_not(None))
_WAITING = (
    sa.select(sa.func.count().label("deliveries"), sa.func.min(deliveries.c.next_try).label("oldest"))
    .join(webhooks, webhooks.c.id == deliveries.c.webhook_id)
    .where(_WAITS, _ENABLED)
)


def standings(connection: Connection) -> Iterator[tuple[str, bool, int]]:
    """State of webhooks, whether they fail, and how many are like that."""
    for row in connection.execute(_STANDINGS):
        yield row.state, bool(row.fails), row.webhooks


def waiting(connection: Connection) -> tuple[int, float | None]:
    """How many deliveries wait for enabled webhooks, and when the first of them was or is due."""
    row = connection.execute(_WAITING).one()
    return row.deliveries, row.oldest
