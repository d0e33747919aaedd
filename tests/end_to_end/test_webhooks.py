"""Webhooks of real services: a receiver gets what happens, whoever is killed, and holds up nothing that hangs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier

from adapters.settings import Settings
from adapters.wiring import open_ledger, open_webhook_desk
from schemas.cloudevents import read_event
from schemas.episode import Episode
from schemas.events import EventType
from schemas.job import JobOptions
from schemas.webhook import DeliveryState, NewWebhook
from tests.end_to_end.conftest import DEMO, Service, free_port
from tests.sites import Visit, site
from transcription.ports import NewJob

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]

ROOT = Path(__file__).resolve().parent.parent.parent
RECEIVER = ROOT / "examples" / "receiver.py"
SCRIPTED = {"allow_scripted": True, "models": "scripted", "outward_networks": "127.0.0.0/8"}


def until(is_so: Callable[[], object], *, seconds: float = 90.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


def verified(visits: list[Visit], secret: str) -> list[dict[str, Any]]:
    return [Verifier(secret).verify(visit.body, visit.headers) for visit in visits]


def test_a_receiver_gets_a_finished_transcript_while_another_hangs(serve: Callable[..., Service]) -> None:
    service = serve(**SCRIPTED)
    with (
        site(lambda visit: visit.answer(204)) as receiver,
        site(lambda visit: visit.gone.wait(120.0)) as hanging,
        service.client() as client,
    ):
        events = ["job.done.v1", "transcript.published.v1", "transcript.deleted.v1"]
        added = client.post("/v1/webhooks", json={"url": receiver.url("/hook"), "events": events}).json()
        client.post("/v1/webhooks", json={"url": hanging.url(), "events": ["job.queued.v1", *events]})
        tried = client.post(f"/v1/webhooks/{added['id']}/test").json()
        assert (tried["delivered"], tried["status"]) == (True, 204)
        job = client.post("/v1/episodes", files={"audio": (DEMO / "episode.mp3").open("rb")}).json()
        assert service.wait_for(job["id"])["state"] == "done"
        until(lambda: len(receiver.visits) >= 3)

        tried_event, done, published = verified(receiver.visits, added["secret"])
        assert tried_event["id"] == tried["event_id"]
        assert (done["type"], done["data"]["job_id"]) == ("job.done.v1", job["id"])
        assert (published["type"], published["subject"]) == ("transcript.published.v1", job["episode_id"])
        log = [json.loads(line) for line in service.command("events").stdout.splitlines()]
        assert {done["id"], published["id"]} <= {event["id"] for event in log}
        assert next(event for event in log if event["id"] == published["id"]) == published
        assert hanging.visits

        assert client.delete(f"/v1/episodes/{job['episode_id']}").status_code == 204
        until(lambda: len(receiver.visits) >= 4)
        assert verified(receiver.visits, added["secret"])[3]["type"] == "transcript.deleted.v1"
        shown = service.command("webhooks", "list").stdout
        assert f"{added['id']}\tenabled\t" in shown
        # A try is counted a moment after its receiver was met.
        until(lambda: 'stenocast_webhook_tries_total{outcome="delivered"} 3.0' in client.get("/metrics").text)
        assert 'stenocast_webhooks{state="disabled"} 0.0' in client.get("/metrics").text


@pytest.fixture
def publish(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start `stenocast publish` processes on one ledger; all of them are stopped at the end."""
    started: list[subprocess.Popen[bytes]] = []

    def start(crash_at: str = "") -> subprocess.Popen[bytes]:
        environment = os.environ | {
            "STENOCAST_DATA_DIR": str(tmp_path),
            "STENOCAST_OUTWARD_NETWORKS": "127.0.0.0/8",
            "STENOCAST_ALLOW_SCRIPTED": "true",
            "STENOCAST_LEASE_SECONDS": "2.0",
            "STENOCAST_HEARTBEAT_SECONDS": "0.2",
            "STENOCAST_CRASH_AT": crash_at,
        }
        log = (tmp_path / "publish.log").open("ab")
        command = [sys.executable, "-m", "cli.main", "publish"]
        started.append(subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.parametrize(("place", "copies"), [("before_delivery", 1), ("after_delivery", 2)])
def test_a_publisher_killed_over_a_delivery_loses_nothing_and_a_copy_has_the_same_id(
    publish: Callable[..., subprocess.Popen[bytes]], tmp_path: Path, place: str, copies: int
) -> None:
    settings = Settings(data_dir=tmp_path, outward_networks="127.0.0.0/8")
    ledger, desk = open_ledger(settings), open_webhook_desk(settings)
    with site(lambda visit: visit.answer(204)) as receiver:
        webhook, secret = desk.add(NewWebhook(receiver.url(), (EventType.JOB_QUEUED,)))
        for name in "ab":
            ledger.add(NewJob(Episode(f"episode-{name}"), JobOptions(), name, name), job_id=name)

        assert publish(place).wait(60) == -signal.SIGKILL
        assert desk.ledger.backlog().waiting == 2
        publish()
        until(lambda: desk.ledger.backlog().waiting == 0)

        events = verified(receiver.visits, secret)
    subjects = [event["subject"] for event in events]
    assert subjects == ["episode-a"] * copies + ["episode-b"]
    assert len({event["id"] for event in events}) == 2
    assert [each.state for each in desk.ledger.deliveries(webhook.id)] == [DeliveryState.DELIVERED] * 2
    ledger.close()


def test_a_publisher_that_is_asked_to_end_does_not_wait_for_a_receiver_that_hangs(
    publish: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path, outward_networks="127.0.0.0/8")
    ledger, desk = open_ledger(settings), open_webhook_desk(settings)
    with site(lambda visit: visit.gone.wait(60.0)) as receiver:
        desk.add(NewWebhook(receiver.url(), (EventType.JOB_QUEUED,)))
        ledger.add(NewJob(Episode("episode-a"), JobOptions(), "a", "a"), job_id="a")
        process = publish()
        until(lambda: receiver.visits and ledger.backlog().unpublished_events == 0)

        began = time.monotonic()
        process.send_signal(signal.SIGTERM)

        assert process.wait(30) == 0
        assert time.monotonic() - began < 10.0
    ledger.close()


def test_the_example_prints_what_it_is_told_once(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, outward_networks="127.0.0.0/8")
    desk, port = open_webhook_desk(settings), free_port()
    webhook, secret = desk.add(NewWebhook(f"http://127.0.0.1:{port}/"))
    event = read_event((ROOT / "tests" / "golden" / "events" / "transcript.published.v1.json").read_text("utf-8"))
    receiver = subprocess.Popen(
        [sys.executable, str(RECEIVER), secret, str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        until(lambda: desk.test(webhook.id)[1].is_success)
        for _ in range(2):
            assert desk.sender.send(webhook.url, event, secrets=(secret,)).is_success
        forged = desk.sender.send(webhook.url, event, secrets=("whsec_" + "A" * 32,))
    finally:
        receiver.kill()
    said = receiver.communicate(timeout=30)[0].splitlines()

    assert forged.status == 400
    assert said[0] == f"webhook.test.v1 {webhook.id}"
    assert said[1].startswith(f"transcript.published.v1 {event.subject} revision=")
    assert len(said) == 3
    assert len(RECEIVER.read_text(encoding="utf-8").splitlines()) <= 35, "an example to be read at a glance"
