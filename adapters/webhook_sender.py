"""Sends one event to one webhook, once: signed as Standard Webhooks says, to an address that was checked.

https://github.com/standard-webhooks/standard-webhooks (spec/standard-webhooks.md). The receiver's answer counts, its
body does not: nobody reads it.
"""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from standardwebhooks import Webhook as Signer

from adapters.outward import Outward
from schemas.cloudevents import CONTENT_TYPE, write_event
from schemas.errors import InputError, OptionError, TransientError
from schemas.events import Event
from schemas.webhook import LONGEST_URL, Answer
from transcription.deliveries import GONE

#: For a whole request, from the look for the address to the answer's head. The specification says 15 to 30 s.
TIMEOUT_SECONDS = 15.0

#: Of a secret; the specification says 24 to 64.
SECRET_BYTES = 32

#: What the client for addresses that users name calls what is wrong, and what it is here.
_CODES = {
    "source_timeout": "receiver_timeout",
    "source_unreachable": "receiver_unreachable",
    "source_forbidden": "address_refused",
}


def new_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


class WebhookSender:
    """Threads may share one. `now` is the time that is signed."""

    def __init__(
        self,
        outward: Outward,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outward = outward
        self._now = now
        self._clock = clock

    def check(self, url: str) -> str:
        """The URL, where events may be sent there as far as can be told before anybody looks for the address.

        Raises OptionError `url_refused`.
        """
        if len(url) > LONGEST_URL:
            raise OptionError(
                f"url: {len(url)} characters; it may have {LONGEST_URL}", code="url_refused", field="url"
            )
        try:
            self._outward.check(url)
        except OptionError as error:
            raise OptionError(error.message, code="url_refused", field="url") from error
        return url.strip()

    def send(self, url: str, event: Event, *, secrets: Sequence[str]) -> Answer:
        """Send the event and give what came of it. Raises nothing that an address or a receiver could cause.

        A repeat sends it again, with the same `webhook-id` and another time.
        """
        began = self._clock()
        return replace(self._answer(url, event, secrets), seconds=round(self._clock() - began, 3))

    def _answer(self, url: str, event: Event, secrets: Sequence[str]) -> Answer:
        body = write_event(event)
        headers = {"Content-Type": CONTENT_TYPE, **signature(event.id, body, secrets, self._now())}
        if event.traceparent is not None:
            headers["traceparent"] = event.traceparent
        try:
            with self._outward.request("POST", url, headers=headers, content=body, most_bytes=None) as answer:
                return self._judged(answer.status, answer.headers.get("location"), answer.headers.get("retry-after"))
        except (TransientError, InputError) as error:
            return Answer(code=_CODES.get(error.code, error.code), message=error.message)

    def _judged(self, status: int, location: str | None, retry_after: str | None) -> Answer:
        if 200 <= status < 300:
            return Answer(status, message=f"answered {status}")
        wait = seconds_of(retry_after, self._now())
        if status == GONE:
            return Answer(status, "receiver_gone", "answered 410: it wants no more events")
        if 300 <= status < 400 and location is not None:
            return Answer(
                status, "redirect_refused", f"answered {status}, which leads elsewhere: name that address", wait
            )
        return Answer(status, "receiver_refused", f"answered {status}", wait)


def signature(event_id: str, body: bytes, secrets: Sequence[str], now: datetime) -> dict[str, str]:
    """The three headers by which a receiver knows that the body comes from here, and when."""
    signed = (Signer(each).sign(event_id, now, body.decode()) for each in secrets)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signed),
    }


def seconds_of(retry_after: str | None, now: datetime) -> float | None:
    """How long `Retry-After` (RFC 9110, 10.2.3) asks to wait; None where it says nothing that can be read."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    except (ValueError, TypeError):  # no date, or one without a zone
        return None
