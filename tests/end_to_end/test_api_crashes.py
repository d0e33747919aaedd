"""An API killed in the middle of an upload: no half job, and the same request again gives one job."""

from __future__ import annotations

import signal
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

DEMO = Path(__file__).resolve().parent.parent.parent / "examples" / "demo"

pytestmark = pytest.mark.processes

SCRIPTED: dict[str, object] = {"command": "api", "models": "scripted", "allow_scripted": 1}


def test_an_api_killed_while_an_upload_comes_in_leaves_nothing_of_it(serve: Callable[..., Any]) -> None:
    service = serve(**SCRIPTED)
    send_half(service.url)
    kill(service)

    again = serve(**SCRIPTED)
    assert jobs_of(again) == []
    assert files_left(again) == []
    assert post(again).status_code == 202


def test_an_api_killed_before_the_job_was_added_takes_the_same_request_again(serve: Callable[..., Any]) -> None:
    dying = serve(crash_at="after_upload", **SCRIPTED)
    with pytest.raises(httpx.HTTPError):
        post(dying)
    assert dying.process.wait(30) == -signal.SIGKILL

    again = serve(**SCRIPTED)
    assert jobs_of(again) == []
    assert files_left(again) == []
    answer = post(again)
    assert answer.status_code == 202
    assert [job["id"] for job in jobs_of(again)] == [answer.json()["id"]]
    assert len(list((again.data / "store" / "uploads").iterdir())) == 1


def test_an_api_killed_before_it_answered_gives_the_same_job_to_the_same_request(serve: Callable[..., Any]) -> None:
    dying = serve(crash_at="after_commit", **SCRIPTED)
    with pytest.raises(httpx.HTTPError):
        post(dying)
    assert dying.process.wait(30) == -signal.SIGKILL

    again = serve(**SCRIPTED)
    accepted = jobs_of(again)
    assert len(accepted) == 1
    assert files_left(again) == []
    answer = post(again)
    assert (answer.status_code, answer.json()) == (200, accepted[0])
    assert jobs_of(again) == accepted


def post(service: Any) -> httpx.Response:
    with service.client() as client, (DEMO / "episode.mp3").open("rb") as audio:
        answer: httpx.Response = client.post(
            "/v1/episodes", files={"audio": ("episode.mp3", audio)}, headers={"Idempotency-Key": "the only one"}
        )
    return answer


def send_half(url: str) -> None:
    """Begin a large upload and leave it open: more than the API keeps in memory."""
    host, port = url.removeprefix("http://").split(":")
    head = (
        f"POST /v1/episodes HTTP/1.1\r\nHost: {host}\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        "Content-Length: 8000000\r\n\r\n"
        '--x\r\nContent-Disposition: form-data; name="audio"; filename="a.mp3"\r\n\r\n'
    )
    connection = socket.create_connection((host, int(port)), timeout=30)
    connection.sendall(head.encode() + b"ID3" + bytes(4_000_000))


def kill(service: Any) -> None:
    service.process.kill()
    service.process.wait()


def jobs_of(service: Any) -> list[dict[str, Any]]:
    with service.client() as client:
        found: list[dict[str, Any]] = client.get("/v1/jobs").json()["jobs"]
    return found


def files_left(service: Any) -> list[Path]:
    """In scratch, and half-written ones in the store."""
    check = sqlite3.connect(service.data / "ledger.sqlite3").execute("PRAGMA integrity_check")
    assert check.fetchone() == ("ok",)
    scratch = [path for path in (service.data / "scratch").rglob("*") if path.is_file()]
    half = [path for path in (service.data / "store").rglob("*") if path.is_file() and path.name != "audio"]
    return scratch + half
