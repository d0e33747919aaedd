"""`stenocast webhooks`: addresses that events are sent to, and what became of each event.

They act on the ledger of the settings, so they work whether or not a service runs; `publish` or `serve` sends.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from schemas.errors import NotFound, OptionError

if TYPE_CHECKING:
    from adapters.webhook_desk import WebhookDesk
    from schemas.events import EventType
    from schemas.webhook import Delivery, DeliveryState, Webhook, WebhookChange

app = typer.Typer(help="Have events sent to addresses of yours, signed: docs/webhooks.md.", no_args_is_help=True)

WebhookId = Annotated[
    str, typer.Argument(help="The webhook's id, or enough of its beginning to be the only one.", metavar="WEBHOOK")
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON for machines.")]
Events = Annotated[
    list[str] | None,
    typer.Option("--event", help="A type of event, such as job.done.v1; may be given several times."),
]


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="https://…, where the events go.")],
    event: Events = None,
    description: Annotated[str, typer.Option(help="What it is for, for people.")] = "",
    as_json: AsJson = False,
) -> None:
    """Have events sent to an address; prints the webhook's id and, once and never again, its secret.

    Without --event those about transcripts: published, revised, deleted.

        stenocast webhooks add https://cms.example.org/stenocast

        stenocast webhooks add https://ops.example.org/hook --event job.failed.v1 --description "the pager"
    """
    from schemas.webhook import USUAL, NewWebhook

    new = NewWebhook(url, _types(event) or USUAL, description or None)
    webhook, secret = _desk().add(new)
    if as_json:
        print(json.dumps({**_record(webhook), "secret": secret}))
        return
    print(f"{webhook.id}\t{secret}")
    print(f"try it: stenocast webhooks test {webhook.id[:8]}", file=sys.stderr)


@app.command(name="list")
def list_webhooks(as_json: AsJson = False) -> None:
    """Show every webhook, and how it stands."""
    found = _desk().ledger.webhooks()
    if as_json:
        print(json.dumps([_record(each) for each in found]))
        return
    if not found:
        print("no webhooks: stenocast webhooks add URL", file=sys.stderr)
    for each in found:
        print(f"{each.id}\t{_standing(each)}\t{each.url}\t{each.description or ''}")


@app.command()
def show(webhook: WebhookId, as_json: AsJson = False) -> None:
    """Show one webhook."""
    desk = _desk()
    found = desk.ledger.webhook(_full_id(desk, webhook))
    if as_json:
        print(json.dumps(_record(found)))
        return
    rows = {
        "id": found.id,
        "url": found.url,
        "state": _standing(found),
        "events": ", ".join(found.events),
        "description": found.description or "",
        "created": found.created,
    }
    for name, value in rows.items():
        print(f"{name:<12} {value}")


@app.command(name="test")
def send_test(webhook: WebhookId, as_json: AsJson = False) -> None:
    """Send one signed test event now, and say what came back. Exit status 1 where it was not received.

    stenocast webhooks test 3f2a
    """
    desk = _desk()
    event, answer = desk.test(_full_id(desk, webhook))
    if as_json:
        record = {"event_id": event.id, "delivered": answer.is_success, "status": answer.status, "code": answer.code}
        print(json.dumps({**record, "message": answer.message, "seconds": answer.seconds}))
    else:
        code = "" if answer.code is None else f" [{answer.code}]"
        print(f"{'received' if answer.is_success else 'not received'}: {answer.message}{code}")
    if not answer.is_success:
        raise typer.Exit(1)


@app.command()
def change(
    webhook: WebhookId,
    url: Annotated[str | None, typer.Option(help="Another address.")] = None,
    event: Events = None,
    description: Annotated[str | None, typer.Option(help="Another description.")] = None,
    as_json: AsJson = False,
) -> None:
    """Change the address, the types of events or the description.

    stenocast webhooks change 3f2a --url https://new.example.org/hook
    """
    from schemas.webhook import WebhookChange

    _change(webhook, WebhookChange(url, _types(event) or None, description), as_json)


@app.command()
def enable(webhook: WebhookId, as_json: AsJson = False) -> None:
    """Send events again, at once what has waited."""
    from schemas.webhook import WebhookChange, WebhookState

    _change(webhook, WebhookChange(state=WebhookState.ENABLED), as_json)


@app.command()
def disable(webhook: WebhookId, as_json: AsJson = False) -> None:
    """Send nothing for a while. What happens meanwhile is not sent later; what waits does so for 72 hours."""
    from schemas.webhook import WebhookChange, WebhookState

    _change(webhook, WebhookChange(state=WebhookState.DISABLED), as_json)


@app.command()
def rotate(webhook: WebhookId, as_json: AsJson = False) -> None:
    """Give it another secret, and print that; for 24 hours the earlier one signs as well."""
    desk = _desk()
    changed, secret = desk.rotate(_full_id(desk, webhook))
    print(json.dumps({**_record(changed), "secret": secret}) if as_json else secret)


@app.command()
def remove(webhook: WebhookId, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Forget a webhook, its secret and what waits for it."""
    desk = _desk()
    found = desk.ledger.webhook(_full_id(desk, webhook))
    if not yes:
        typer.confirm(f"{found.url} ({found.id}): remove it?", abort=True, err=True)
    desk.ledger.remove(found.id)
    print(f"{found.id} removed", file=sys.stderr)


@app.command()
def deliveries(
    webhook: WebhookId,
    state: Annotated[str, typer.Option(help="Only waiting, delivered or given_up ones.")] = "",
    limit: Annotated[int, typer.Option(help="How many, newest first.", min=1, max=500)] = 20,
    as_json: AsJson = False,
) -> None:
    """Show what became of each event, newest first.

    stenocast webhooks deliveries 3f2a --state given_up
    """
    desk = _desk()
    found = desk.ledger.deliveries(_full_id(desk, webhook), state=_state(state) if state else None, limit=limit)
    if as_json:
        print(json.dumps([_record(each) for each in found]))
        return
    if not found:
        print("no deliveries", file=sys.stderr)
    for each in found:
        print(f"{each.event_id}\t{each.event_type}\t{each.subject}\t{_fate(each)}")


@app.command()
def retry(
    webhook: WebhookId,
    event_id: Annotated[str, typer.Argument(help="The event's id, as `deliveries` prints it.")],
    as_json: AsJson = False,
) -> None:
    """Send an event again, whatever became of it, and by the whole schedule where that fails."""
    desk = _desk()
    delivery = desk.ledger.retry(_full_id(desk, webhook), event_id)
    print(json.dumps(_record(delivery)) if as_json else f"{delivery.event_id} {delivery.state}")


def _desk() -> WebhookDesk:
    from adapters.settings import read_settings
    from adapters.wiring import open_webhook_desk

    return open_webhook_desk(read_settings())


def _change(webhook: str, change: WebhookChange, as_json: bool) -> None:
    desk = _desk()
    changed = desk.change(_full_id(desk, webhook), change)
    print(json.dumps(_record(changed)) if as_json else f"{changed.id} {_standing(changed)}")


def _full_id(desk: WebhookDesk, beginning: str) -> str:
    """The one webhook whose id begins like this. Raises NotFound where none or several do."""
    if len(beginning) >= 36:
        return beginning
    found = [each.id for each in desk.ledger.webhooks() if each.id.startswith(beginning)]
    if len(found) != 1:
        begin = "no webhook begins" if not found else f"{len(found)} webhooks begin"
        raise NotFound(f"{beginning}: {begin} like this", code="webhook_not_found")
    return found[0]


def _types(names: list[str] | None) -> tuple[EventType, ...]:
    """Raises OptionError for a name that no type has."""
    from schemas.events import EventType
    from schemas.webhook import TOLD

    try:
        return tuple(EventType(each) for each in names or ())
    except ValueError as error:
        wrong = next(each for each in names or () if each not in set(EventType))
        raise OptionError(f"event={wrong!r}: use some of {', '.join(TOLD)}", field="event") from error


def _state(text: str) -> DeliveryState:
    from schemas.webhook import DeliveryState

    try:
        return DeliveryState(text)
    except ValueError as error:
        raise OptionError(f"state={text!r}: use one of {', '.join(DeliveryState)}", field="state") from error


def _record(value: Any) -> dict[str, Any]:
    from schemas.wire import to_record

    return to_record(value)


def _standing(webhook: Webhook) -> str:
    if webhook.state == "disabled":
        return f"disabled ({webhook.reason})"
    return "enabled" if webhook.failing_since is None else f"failing since {webhook.failing_since}"


def _fate(delivery: Delivery) -> str:
    tries = f"{delivery.tries} {'try' if delivery.tries == 1 else 'tries'}"
    last = "" if delivery.last_code is None else f", {delivery.last_code}"
    status = "" if delivery.last_status is None else f" ({delivery.last_status})"
    again = "" if delivery.next_try is None or not delivery.tries else f", again at {delivery.next_try}"
    return f"{delivery.state}, {tries}{last}{status}{again}"
