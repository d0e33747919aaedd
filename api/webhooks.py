"""`/v1/webhooks`: addresses that events are sent to, and what became of each event."""

from __future__ import annotations

from typing import Annotated, Any

import structlog
from fastapi import FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from adapters.webhook_desk import WebhookDesk
from api.bodies import described, read_as, read_body
from schemas.webhook import DeliveryState, NewWebhook, Webhook, WebhookChange
from schemas.wire import to_record

log = structlog.get_logger(__name__)

#: Of a request: an address of 2,000 characters, a description of 500, all types there are, each byte escaped.
LARGEST_BODY_BYTES = 50_000

#: Secrets and what receivers said are for whoever asked, and for no cache on the way.
NOT_KEPT = {"Cache-Control": "no-store"}


def add_webhooks(app: FastAPI, desk: WebhookDesk) -> None:
    ledger = desk.ledger

    @app.post(
        "/v1/webhooks",
        status_code=201,
        summary="Have events sent to an address",
        tags=["webhooks"],
        openapi_extra=described(NewWebhook),
    )
    async def post_webhook(request: Request) -> Response:
        """The answer alone has `secret`, which signs what is sent (Standard Webhooks); it is never shown again.

        Events that are told from now on are sent to the address, each until its receiver says 2xx or 72 hours are
        over.
        """
        asked = read_as(NewWebhook, await read_body(request, most_bytes=LARGEST_BODY_BYTES))
        webhook, secret = await run_in_threadpool(desk.add, asked)
        log.info("webhook added", webhook_id=webhook.id)
        location = {"Location": f"/v1/webhooks/{webhook.id}"}
        return JSONResponse(_with_secret(webhook, secret), 201, NOT_KEPT | location)

    @app.get("/v1/webhooks", summary="Webhooks, oldest first", tags=["webhooks"])
    def get_webhooks() -> Response:
        return JSONResponse({"webhooks": [to_record(each) for each in ledger.webhooks()]})

    @app.get("/v1/webhooks/{webhook_id}", summary="One webhook", tags=["webhooks"])
    def get_webhook(webhook_id: str) -> Response:
        return JSONResponse(to_record(ledger.webhook(webhook_id)))

    @app.patch(
        "/v1/webhooks/{webhook_id}",
        summary="Change a webhook, disable or enable it",
        tags=["webhooks"],
        openapi_extra=described(WebhookChange),
    )
    async def patch_webhook(webhook_id: str, request: Request) -> Response:
        """Another address, or `"state": "enabled"`, has what waits for it tried at once."""
        asked = read_as(WebhookChange, await read_body(request, most_bytes=LARGEST_BODY_BYTES))
        return JSONResponse(to_record(await run_in_threadpool(desk.change, webhook_id, asked)))

    @app.delete("/v1/webhooks/{webhook_id}", status_code=204, summary="Remove a webhook", tags=["webhooks"])
    def delete_webhook(webhook_id: str) -> Response:
        """With its secret and all that is known of its deliveries. What waits is not sent any more."""
        ledger.remove(webhook_id)
        log.info("webhook removed", webhook_id=webhook_id)
        return Response(status_code=204)

    @app.post("/v1/webhooks/{webhook_id}/rotate", summary="Give a webhook another secret", tags=["webhooks"])
    def rotate_secret(webhook_id: str) -> Response:
        """The answer has the new `secret`. For 24 hours the earlier one signs as well."""
        webhook, secret = desk.rotate(webhook_id)
        return JSONResponse(_with_secret(webhook, secret), headers=NOT_KEPT)

    @app.post("/v1/webhooks/{webhook_id}/test", summary="Send a test event now", tags=["webhooks"])
    def test_webhook(webhook_id: str) -> Response:
        """One signed `webhook.test.v1`, once, also where the webhook is disabled; what came of it is the answer."""
        event, answer = desk.test(webhook_id)
        record = {"event_id": event.id, "delivered": answer.is_success, **to_record(answer)}
        return JSONResponse(record, headers=NOT_KEPT)

    @app.get(
        "/v1/webhooks/{webhook_id}/deliveries", summary="What became of each event, newest first", tags=["webhooks"]
    )
    def get_deliveries(
        webhook_id: str,
        state: Annotated[DeliveryState | None, Query(description="only deliveries in this state")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        before: Annotated[str | None, Query(description="go on after the delivery of this event id")] = None,
    ) -> Response:
        found = ledger.deliveries(webhook_id, state=state, limit=limit + 1, before=before)
        return JSONResponse(
            {
                "deliveries": [to_record(each) for each in found[:limit]],
                "next": found[limit - 1].event_id if len(found) > limit else None,
            }
        )

    @app.post(
        "/v1/webhooks/{webhook_id}/deliveries/{event_id}/retry", summary="Send an event again", tags=["webhooks"]
    )
    def retry_delivery(webhook_id: str, event_id: str) -> Response:
        """Now, whatever became of it, and by the whole schedule again where that fails."""
        return JSONResponse(to_record(ledger.retry(webhook_id, event_id)))


def _with_secret(webhook: Webhook, secret: str) -> dict[str, Any]:
    return {**to_record(webhook), "secret": secret}
