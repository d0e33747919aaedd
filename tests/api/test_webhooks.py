"""Webhooks over HTTP: added, tried, changed, and what became of each event."""

from __future__ import annotations

import json
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier

from schemas.webhook import USUAL, Answer
from tests.sites import site
from workers.webhooks import Deliverer

JOBS = ["job.queued.v1", "job.done.v1"]


def add(door: Any, url: str = "https://cms.example/hook", **fields: Any) -> dict[str, Any]:
    answer = door.client.post("/v1/webhooks", json={"url": url, **fields})
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/v1/webhooks/{answer.json()['id']}"
    return answer.json()  # type: ignore[no-any-return]


def refused(answer: Any, status: int, code: str, field: str | None = None) -> str:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    body = answer.json()
    assert (body["code"], body.get("field")) == (code, field), body
    return str(body["detail"])


def deliver(door: Any, send: Any) -> int:
    return Deliverer(door.queue.webhooks, send).deliver_due()


def test_the_secret_is_told_once(door: Any) -> None:
    added = add(door, events=JOBS, description="the CMS")

    assert added["secret"].startswith("whsec_")
    assert (added["events"], added["description"], added["state"]) == (JOBS, "the CMS", "enabled")
    shown = {name: value for name, value in added.items() if name != "secret"}
    assert door.client.get(f"/v1/webhooks/{added['id']}").json() == shown
    assert door.client.get("/v1/webhooks").json() == {"webhooks": [shown]}
    assert added["secret"] not in door.client.get(f"/v1/webhooks/{added['id']}/deliveries").text


def test_the_answer_with_a_secret_is_kept_by_nobody_on_the_way(door: Any) -> None:
    answer = door.client.post("/v1/webhooks", json={"url": "https://cms.example/hook"})
    rotated = door.client.post(f"/v1/webhooks/{answer.json()['id']}/rotate")

    assert answer.headers["cache-control"] == rotated.headers["cache-control"] == "no-store"


def test_a_webhook_that_asks_for_nothing_in_particular_gets_transcripts(door: Any) -> None:
    assert add(door)["events"] == list(USUAL)


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"url": "http://cms.example:1/x"}, None, None),  # perhaps an address that was let in: told when it is sent
        ({"url": "http://10.0.0.1/x"}, "url_refused", "url"),
        ({"url": "https://169.254.169.254/x"}, "url_refused", "url"),
        ({"url": "ftp://cms.example"}, "url_refused", "url"),
        ({"url": "https://user:word@cms.example"}, "url_refused", "url"),
        ({"url": "https://"}, "url_refused", "url"),
        ({"url": 7}, "invalid_request", "url"),
        ({}, "invalid_request", "url"),
        ({"url": "https://a.example", "events": []}, "invalid_request", "events"),
        ({"url": "https://a.example", "events": ["job.gone.v1"]}, "invalid_request", "events.0"),
        ({"url": "https://a.example", "events": ["episode.dropped.v1"]}, "invalid_request", "events"),
        ({"url": "https://a.example", "events": ["webhook.test.v1"]}, "invalid_request", "events"),
        ({"url": "https://a.example", "description": "x" * 501}, "invalid_request", "description"),
        ({"url": "https://a.example", "description": "a\x1b[31m"}, "invalid_request", "description"),
        ({"url": "https://a.example", "secret": "whsec_x"}, "invalid_request", "secret"),
        ([], "invalid_request", None),
    ],
)
def test_what_is_wrong_with_a_new_webhook_is_named(door: Any, body: Any, code: str | None, field: str | None) -> None:
    answer = door.client.post("/v1/webhooks", content=json.dumps(body))

    if code is None:
        assert answer.status_code == 201
        return
    refused(answer, 422, code, field)
    assert door.client.get("/v1/webhooks").json() == {"webhooks": []}


def test_a_request_that_is_too_large_is_refused(door: Any) -> None:
    refused(door.client.post("/v1/webhooks", content=b"x" * 60_000), 413, "request_too_large")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("PATCH", ""),
        ("POST", "/test"),
        ("POST", "/rotate"),
        ("GET", "/deliveries"),
        ("POST", "/deliveries/event-1/retry"),
    ],
)
def test_a_webhook_that_there_is_not_is_not_found(door: Any, method: str, path: str) -> None:
    answer = door.client.request(method, f"/v1/webhooks/none{path}", json={} if method == "PATCH" else None)

    assert "none" in refused(answer, 404, "webhook_not_found")


def test_a_webhook_is_changed_disabled_and_enabled(door: Any) -> None:
    path = f"/v1/webhooks/{add(door)['id']}"

    changed = door.client.patch(path, json={"url": "https://b.example/x", "events": JOBS, "description": ""}).json()
    assert (changed["url"], changed["events"], changed["description"]) == ("https://b.example/x", JOBS, None)

    disabled = door.client.patch(path, json={"state": "disabled"}).json()
    assert (disabled["state"], disabled["reason"], disabled["url"]) == ("disabled", "by_hand", "https://b.example/x")
    assert door.client.patch(path, json={"state": "enabled"}).json()["reason"] is None


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"url": "http://10.1.2.3/"}, "url_refused", "url"),
        ({"events": []}, "invalid_request", "events"),
        ({"state": "gone"}, "invalid_request", "state"),
        ({"id": "x"}, "invalid_request", "id"),
    ],
)
def test_a_wrong_change_changes_nothing(door: Any, body: Any, code: str, field: str) -> None:
    added = add(door)

    refused(door.client.patch(f"/v1/webhooks/{added['id']}", json=body), 422, code, field)

    assert door.client.get(f"/v1/webhooks/{added['id']}").json()["updated"] == added["updated"]


def test_a_removed_webhook_is_gone(door: Any) -> None:
    path = f"/v1/webhooks/{add(door)['id']}"

    assert door.client.delete(path).status_code == 204
    refused(door.client.delete(path), 404, "webhook_not_found")


def test_after_a_rotation_both_secrets_verify(door: Any) -> None:
    with site(lambda visit: visit.answer(204)) as receiver:
        added = add(door, receiver.url())
        rotated = door.client.post(f"/v1/webhooks/{added['id']}/rotate").json()
        door.client.post(f"/v1/webhooks/{added['id']}/test")

    assert rotated["secret"] != added["secret"]
    for each in (added, rotated):
        Verifier(each["secret"]).verify(receiver.visits[0].body, receiver.visits[0].headers)


def test_a_test_sends_one_signed_event_and_tells_what_came_back(door: Any) -> None:
    with site(lambda visit: visit.answer(202)) as receiver:
        added = add(door, receiver.url("/hook"))
        answer = door.client.post(f"/v1/webhooks/{added['id']}/test")

    [visit] = receiver.visits
    event = Verifier(added["secret"]).verify(visit.body, visit.headers)
    assert (event["type"], event["data"]) == ("webhook.test.v1", {"webhook_id": added["id"]})
    record = answer.json()
    assert (record["event_id"], record["delivered"], record["status"], record["code"]) == (
        event["id"],
        True,
        202,
        None,
    )
    assert door.client.get(f"/v1/webhooks/{added['id']}/deliveries").json()["deliveries"] == []


def test_a_test_that_fails_is_an_answer_too_and_shows_nothing_of_what_the_receiver_said(door: Any) -> None:
    with site(lambda visit: visit.answer(500, b"the receiver's secrets")) as receiver:
        added = add(door, receiver.url())
        answer = door.client.post(f"/v1/webhooks/{added['id']}/test")

    assert answer.status_code == 200
    assert (answer.json()["delivered"], answer.json()["code"]) == (False, "receiver_refused")
    assert "secrets" not in answer.text
    assert door.client.get(f"/v1/webhooks/{added['id']}").json()["failing_since"] is None


def test_what_became_of_each_event_is_listed_and_can_be_tried_again(door: Any) -> None:
    added = add(door, events=JOBS)
    path = f"/v1/webhooks/{added['id']}/deliveries"
    job = door.upload()
    deliver(door, lambda due: Answer(410, "receiver_gone"))

    [delivery] = door.client.get(path).json()["deliveries"]
    assert (delivery["event_type"], delivery["subject"]) == ("job.queued.v1", job["episode_id"])
    assert (delivery["state"], delivery["last_status"], delivery["last_code"]) == ("given_up", 410, "receiver_gone")
    assert door.client.get(path, params={"state": "waiting"}).json()["deliveries"] == []

    door.client.patch(f"/v1/webhooks/{added['id']}", json={"state": "enabled"})
    again = door.client.post(f"{path}/{delivery['event_id']}/retry").json()
    assert (again["state"], again["tries"]) == ("waiting", 0)
    assert deliver(door, lambda due: Answer(200)) == 1
    assert door.client.get(path).json()["deliveries"][0]["state"] == "delivered"


def test_deliveries_come_in_pages(door: Any) -> None:
    added = add(door, events=["job.queued.v1", "job.cancelled.v1"])
    path = f"/v1/webhooks/{added['id']}/deliveries"
    job = door.upload()
    door.client.post(f"/v1/jobs/{job['id']}/cancel")

    first = door.client.get(path, params={"limit": 1}).json()
    second = door.client.get(path, params={"limit": 1, "before": first["next"]}).json()

    types = [page["deliveries"][0]["event_type"] for page in (first, second)]
    assert types == ["job.cancelled.v1", "job.queued.v1"]
    assert second["next"] is None
    refused(door.client.get(path, params={"before": "event-99"}), 404, "delivery_not_found")
    refused(door.client.get(path, params={"state": "lost"}), 422, "invalid_request", "state")


def test_a_delivery_that_nobody_knows_cannot_be_tried(door: Any) -> None:
    path = f"/v1/webhooks/{add(door)['id']}/deliveries/event-9/retry"

    refused(door.client.post(path), 404, "delivery_not_found")


def test_pages_elsewhere_cannot_add_a_webhook(door: Any) -> None:
    answer = door.client.post(
        "/v1/webhooks", json={"url": "https://a.example"}, headers={"Origin": "https://evil.example"}
    )

    refused(answer, 403, "foreign_origin")


def test_the_description_of_the_api_has_the_bodies(door: Any) -> None:
    paths = door.client.get("/openapi.json").json()["paths"]

    body = paths["/v1/webhooks"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert "transcript.published.v1" in json.dumps(body)
    assert "$ref" not in json.dumps(body)


def test_a_body_that_says_a_field_twice_is_refused(door: Any) -> None:
    body = '{"url": "https://a.example", "url": "https://b.example"}'

    refused(door.client.post("/v1/webhooks", content=body), 422, "invalid_request", "url")
