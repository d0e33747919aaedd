"""One event to one receiver: signed so that the library for receivers accepts it, and only to where it may go."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from adapters.outward import Outward, PlainHttp, networks
from adapters.webhook_sender import WebhookSender, new_secret, seconds_of, signature
from schemas.cloudevents import read_event, write_event
from schemas.errors import OptionError
from schemas.events import Event
from tests.sites import Visit, site
from transcription.deliveries import trial_event

LOOPBACK = networks("127.0.0.0/8")
EVENT = trial_event("hook", event_id="event-1", now=1_772_352_000.0)
SECRET = new_secret()
NOW = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)


def sender(**settings: Any) -> WebhookSender:
    given = {"let_in": LOOPBACK, "plain_http": PlainHttp.OUTWARD_NETWORKS, "total_seconds": 5.0} | settings
    return WebhookSender(Outward(user_agent="Stenocast/test", **given))


def answering(status: int, body: bytes = b"", **headers: str) -> Callable[[Visit], None]:
    return lambda visit: visit.answer(status, body, **headers)


def verified(visit: Visit, secret: str) -> Event:
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    record = Verifier(secret).verify(visit.body, {name: visit.headers[name] for name in names})
    return read_event(json.dumps(record))


def test_a_receiver_verifies_what_it_gets_with_the_library_of_standard_webhooks() -> None:
    with site(answering(204)) as receiver:
        answer = sender().send(receiver.url("/hook?key=1"), EVENT, secrets=[SECRET])

    [visit] = receiver.visits
    assert (answer.status, answer.code, answer.is_success) == (204, None, True)
    assert visit.line == "POST /hook?key=1 HTTP/1.1"
    assert verified(visit, SECRET) == EVENT
    assert visit.headers["webhook-id"] == "event-1"
    assert visit.headers["content-type"] == "application/cloudevents+json"
    with pytest.raises(WebhookVerificationError):
        verified(visit, new_secret())


def test_with_two_secrets_either_of_them_verifies() -> None:
    secrets = [new_secret(), new_secret()]
    with site(answering(200)) as receiver:
        sender().send(receiver.url(), EVENT, secrets=secrets)

    for secret in secrets:
        assert verified(receiver.visits[0], secret) == EVENT


def test_a_signature_is_the_hmac_of_id_time_and_body() -> None:
    key, body = b"k" * 32, '{"naïve": true}'.encode()
    secret = f"whsec_{base64.b64encode(key).decode()}"

    headers = signature("event-1", body, [secret], NOW)

    stamp = str(int(NOW.timestamp()))
    signed = hmac.new(key, b"event-1." + stamp.encode() + b"." + body, hashlib.sha256).digest()
    assert headers == {
        "webhook-id": "event-1",
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }


def test_secrets_are_32_random_bytes_each() -> None:
    made = {new_secret() for _ in range(20)}

    assert len(made) == 20
    for each in made:
        assert each.startswith("whsec_")
        assert len(base64.b64decode(each.removeprefix("whsec_"))) == 32


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (200, None),
        (202, None),
        (299, None),
        (400, "receiver_refused"),
        (404, "receiver_refused"),
        (410, "receiver_gone"),
        (429, "receiver_refused"),
        (500, "receiver_refused"),
        (304, "receiver_refused"),
    ],
)
def test_only_2xx_is_a_success(status: int, code: str | None) -> None:
    with site(answering(status)) as receiver:
        answer = sender().send(receiver.url(), EVENT, secrets=[SECRET])

    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with site(answering(200)) as elsewhere, site(answering(status, Location=elsewhere.url())) as receiver:
        answer = sender().send(receiver.url(), EVENT, secrets=[SECRET])

    assert (answer.status, answer.code) == (status, "redirect_refused")
    assert elsewhere.connections == 0


def test_the_body_of_an_answer_is_not_looked_at() -> None:
    """A page of 100 MB, or one that never ends, does not undo that the event was received."""

    def chatter(visit: Visit) -> None:
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 100000000\r\n\r\nxxxx")
        visit.gone.wait(20.0)

    with site(chatter) as receiver:
        answer = sender().send(receiver.url(), EVENT, secrets=[SECRET])

    assert (answer.status, answer.code) == (200, None)
    assert answer.seconds < 4.0


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200"])
def test_a_receiver_that_hangs_is_given_up_in_time(said: bytes) -> None:
    def hang(visit: Visit) -> None:
        visit.send(said)
        visit.gone.wait(20.0)

    with site(hang) as receiver:
        answer = sender(total_seconds=0.5).send(receiver.url(), EVENT, secrets=[SECRET])

    assert (answer.status, answer.code) == (None, "receiver_timeout")
    assert 0.4 < answer.seconds < 5.0


def test_a_receiver_that_drips_is_given_up_in_time() -> None:
    """Each byte comes before any single read times out."""

    def drip(visit: Visit) -> None:
        while not visit.gone.wait(0.05):
            visit.send(b"H")

    with site(drip) as receiver:
        answer = sender(total_seconds=0.5).send(receiver.url(), EVENT, secrets=[SECRET])

    assert answer.code in ("receiver_timeout", "receiver_unreachable")
    assert answer.seconds < 5.0


def test_nobody_there_is_told_without_raising() -> None:
    with site(answering(200)) as receiver:
        url = receiver.url()

    answer = sender().send(url, EVENT, secrets=[SECRET])

    assert (answer.status, answer.code) == (None, "receiver_unreachable")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f000001", "2130706433", "[::ffff:127.0.0.1]"])
def test_an_address_that_is_not_public_gets_nothing(host: str) -> None:
    with site(answering(200)) as receiver:
        url = f"https://{host}:{receiver.port}/"
        answer = sender(let_in=()).send(url, EVENT, secrets=[SECRET])

    assert answer.code == "address_refused"
    assert receiver.connections == 0


def test_a_name_of_a_private_address_gets_nothing() -> None:
    with site(answering(200)) as receiver:
        url = f"https://innocent.example:{receiver.port}/"
        answer = sender(let_in=(), resolve=lambda *_: ["127.0.0.1"]).send(url, EVENT, secrets=[SECRET])

    assert answer.code == "address_refused"
    assert receiver.connections == 0


def test_http_reaches_no_address_but_those_that_were_let_in() -> None:
    reached: list[str] = []

    def connect(address: str, *_: Any) -> Any:
        reached.append(address)
        raise AssertionError("nothing may be sent")

    public = sender(resolve=lambda *_: ["93.184.215.14"], connect=connect)

    answer = public.send("http://receiver.example/", EVENT, secrets=[SECRET])

    assert (answer.code, reached) == ("url_refused", [])


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/",
        "file:///etc/passwd",
        "gopher://a.example",
        "data:,x",
        "a.example/hook",
        "https://",
        "https://user@a.example/",
        "https://user:secret@a.example/",
        "https://a.example/\x00",
        "",
        "https://[::1]/",
        "https://10.0.0.1/",
        "https://169.254.169.254/",
        "https://0.0.0.0/",
        "http://a.example/",
        "https://a:0/",
    ],
)
def test_an_address_that_can_never_be_sent_to_is_refused_when_it_is_given(url: str) -> None:
    with pytest.raises(OptionError) as caught:
        sender(let_in=(), plain_http=PlainHttp.NOWHERE).check(url)

    assert (caught.value.code, caught.value.field) == ("url_refused", "url")
    assert "secret" not in caught.value.message


def test_a_url_that_is_too_long_is_refused() -> None:
    with pytest.raises(OptionError, match="2000"):
        sender().check(f"https://a.example/{'x' * 2000}")


def test_good_addresses_are_taken() -> None:
    assert sender().check(" https://a.example:8443/hook?x=1 ") == "https://a.example:8443/hook?x=1"
    assert sender().check("http://127.0.0.1:9000/hook") == "http://127.0.0.1:9000/hook"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        (" 7 ", 7.0),
        ("Sat, 14 Mar 2026 09:02:00 GMT", 120.0),
        ("", None),
        (None, None),
        ("Sat, 14 Mar 2026 08:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("Sat, 99 Mar 2026 08:00:00 GMT", None),
        ("9" * 5000, 999_999_999.0),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date(text: str | None, seconds: float | None) -> None:
    assert seconds_of(text, NOW) == seconds


def test_what_a_receiver_asks_for_is_told() -> None:
    with site(answering(503, Retry_After="90")) as receiver:
        answer = sender().send(receiver.url(), EVENT, secrets=[SECRET])

    assert answer.retry_after_seconds == 90.0


def test_the_trace_goes_along() -> None:
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    with site(answering(200)) as receiver:
        sender().send(receiver.url(), replace(EVENT, traceparent=trace), secrets=[SECRET])
        sender().send(receiver.url(), EVENT, secrets=[SECRET])

    assert [visit.headers.get("traceparent") for visit in receiver.visits] == [trace, None]


def test_threads_may_share_a_sender() -> None:
    shared = sender()
    with site(answering(200)) as receiver:
        threads = [
            threading.Thread(target=lambda: shared.send(receiver.url(), EVENT, secrets=[SECRET])) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert [visit.body for visit in receiver.visits] == [write_event(EVENT)] * 8
