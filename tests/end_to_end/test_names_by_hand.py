"""Speakers named by hand in a service whose processes die at it, whose garbage is swept, and whose episode goes."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

DEMO = Path(__file__).resolve().parent.parent.parent / "examples" / "demo"

pytestmark = pytest.mark.processes

SCRIPTED: dict[str, object] = {"models": "scripted", "allow_scripted": 1, "scripted_window": 60}


def transcribed(service: Any) -> str:
    """Have the demo episode transcribed; its id."""
    with service.client() as client, (DEMO / "episode.mp3").open("rb") as audio:
        job = client.post("/v1/episodes", files={"audio": ("episode.mp3", audio)}).json()
    worked = service.command("worker", "--once")
    assert job_of(service, job["id"])["state"] == "done", worked.stderr
    return str(job["episode_id"])


def job_of(service: Any, job_id: str) -> dict[str, Any]:
    with service.client() as client:
        job: dict[str, Any] = client.get(f"/v1/jobs/{job_id}").json()
    return job


def name(service: Any, episode_id: str, **speakers: Any) -> httpx.Response:
    """Name speakers of the first revision, as one who has read no other."""
    with service.client() as client:
        answer: httpx.Response = client.patch(
            f"/v1/transcripts/{episode_id}/speakers", json={"revision": 1, "speakers": speakers}
        )
    return answer


def read(service: Any, episode_id: str, **query: int) -> dict[str, Any]:
    with service.client() as client:
        document: dict[str, Any] = client.get(f"/v1/transcripts/{episode_id}", params=query).json()
    return document


def documents(service: Any) -> list[Path]:
    return sorted((service.data / "store" / "results").rglob("*.json"))


def events_of(service: Any) -> list[str]:
    published = service.command("publish", "--once")
    assert published.returncode == 0, published.stderr
    lines = (service.data / "events.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["type"] for line in lines]


def killed_while_naming(serve: Callable[..., Any], *, at: str) -> tuple[Any, str]:
    """An API that came back after another one died while its first speaker was named, and the episode."""
    dying = serve(command="api", crash_at=at, **SCRIPTED)
    episode_id = transcribed(dying)
    with pytest.raises(httpx.HTTPError):
        name(dying, episode_id, S1="Bram Stone")
    assert dying.process.wait(30) == -signal.SIGKILL
    return serve(command="api", **SCRIPTED), episode_id


def test_an_api_killed_before_the_ledger_heard_of_a_revision_leaves_the_old_one_and_garbage_that_goes(
    serve: Callable[..., Any],
) -> None:
    again, episode_id = killed_while_naming(serve, at="after_revision_put")
    left = documents(again)
    before = read(again, episode_id)

    answer = name(again, episode_id, S1="Bram Stone")

    assert (before["revision"], before["speakers"][0]["name"], len(left)) == (1, "Ada Quill", 2)
    assert (answer.json()["revision"], answer.json()["is_new"]) == (2, True)
    assert events_of(again).count("transcript.revised.v1") == 1
    for document in documents(again):  # all but the one that nobody names are wanted, however old
        long_ago = time.time() - 10 * 86_400
        os.utime(document, (long_ago, long_ago))
    looked = again.command("reconcile", "--once")
    assert json.loads(looked.stdout)["removed"] == 1, looked.stderr
    assert len(documents(again)) == 2
    assert read(again, episode_id)["speakers"][0]["name"] == "Bram Stone"
    assert read(again, episode_id, revision=1) == before


def test_an_api_killed_before_it_answered_for_a_revision_says_at_the_same_request_that_it_is_there(
    serve: Callable[..., Any],
) -> None:
    again, episode_id = killed_while_naming(serve, at="after_revision")
    made = read(again, episode_id)

    answer = name(again, episode_id, S1="Bram Stone")

    assert (made["revision"], made["speakers"][0]["name"]) == (2, "Bram Stone")
    assert (answer.status_code, answer.json()["revision"], answer.json()["is_new"]) == (200, 2, False)
    assert read(again, episode_id) == made
    assert len(documents(again)) == 2
    assert events_of(again)[-3:] == ["job.done.v1", "transcript.published.v1", "transcript.revised.v1"]


def test_of_a_deleted_episode_no_revision_is_left_and_its_deletion_is_told_last(serve: Callable[..., Any]) -> None:
    service = serve(command="api", **SCRIPTED)
    episode_id = transcribed(service)
    name(service, episode_id, S1="Bram Stone")
    assert len(documents(service)) == 2
    events_of(service)

    with service.client() as client:
        assert client.delete(f"/v1/episodes/{episode_id}").status_code == 204

    assert documents(service) == []
    assert events_of(service)[-2:] == ["transcript.revised.v1", "transcript.deleted.v1"]
    ledger = (service.data / "ledger.sqlite3").read_bytes() + b"".join(
        path.read_bytes() for path in service.data.glob("ledger.sqlite3-*")
    )
    assert b"Bram Stone" not in ledger


def test_a_name_by_hand_is_kept_when_the_episode_is_transcribed_again(serve: Callable[..., Any]) -> None:
    service = serve(command="api", **SCRIPTED)
    episode_id = transcribed(service)
    name(service, episode_id, S1="Bram Stone")
    with service.client() as client, (DEMO / "episode.mp3").open("rb") as audio:
        fields = {"episode_id": episode_id, "wording": "verbatim"}
        job = client.post("/v1/episodes", files={"audio": ("episode.mp3", audio)}, data=fields).json()
    worked = service.command("worker", "--once")
    assert job_of(service, job["id"])["state"] == "done", worked.stderr

    document = read(service, episode_id)

    assert (document["revision"], document["speakers"][0]["name"]) == (3, "Bram Stone")
    assert document["speakers"][0]["known_by"] == "given"
    assert document["speakers"][0]["confidence"] > 0.9
    assert read(service, episode_id, revision=2)["speakers"][0]["name"] == "Bram Stone"
