"""The service as a producer uses it, with the real engines of the `fast` set, and killed with scripted ones."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.events import EventType
from tests.end_to_end.conftest import Service, services_in

DEMO = Path(__file__).resolve().parent.parent.parent / "examples" / "demo"

BYTES_TO_A_NAME = 400_000  #: of the demo episode: three quarters of a minute, in which a guest says who she is

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the service with the real engines watches."""
    return tmp_path_factory.mktemp("inbox")


@pytest.fixture(scope="module")
def service(model_sets: Path, inbox: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One with the real engines, which are loaded once."""
    with services_in(tmp_path_factory.mktemp("service")) as serve:
        yield serve(models="fast", models_dir=model_sets, inbox=inbox)


@pytest.mark.engines
def test_an_episode_goes_in_by_http_and_comes_out_named_in_four_styles(service: Service) -> None:
    with service.client() as client, (DEMO / "episode.mp3").open("rb") as audio:
        posted = client.post(
            "/v1/episodes",
            files={"audio": ("episode.mp3", audio, "audio/mpeg")},
            data={"metadata": (DEMO / "episode.json").read_text()},
        )
        assert posted.status_code == 202, posted.text

        job = service.wait_for(posted.json()["id"])

        assert job["state"] == "done", job
        document = client.get(f"/v1/transcripts/{job['episode_id']}").json()
        assert {each["name"] for each in document["speakers"]} == {"Daniel Carter", "Helen Marsh", "Peter Hollis"}
        assert all(each["evidence"] for each in document["speakers"])
        for style in ("name-line", "numbered-timestamps", "caps-list", "full-then-first"):
            page = client.get(f"/v1/transcripts/{job['episode_id']}", params={"style": style})
            assert page.status_code == 200
            assert "seeds" in page.text
    listed = service.command("jobs", "--json")
    states = {each["id"]: each["state"] for each in json.loads(listed.stdout)}
    assert states[job["id"]] == "done", listed.stderr
    told = [EventType.TRANSCRIPT_PUBLISHED, job["episode_id"]]
    _wait_until(lambda: told in [[each["type"], each["subject"]] for each in _events(service)])


@pytest.mark.engines
def test_a_file_dropped_into_the_watched_folder_is_transcribed(service: Service, inbox: Path) -> None:
    with service.client() as client:
        earlier = {each["id"] for each in client.get("/v1/jobs").json()["jobs"]}
        shutil.copy(DEMO / "episode.json", inbox)
        (inbox / "episode.mp3").write_bytes((DEMO / "episode.mp3").read_bytes()[:BYTES_TO_A_NAME])

        new = _wait_until(lambda: {each["id"] for each in client.get("/v1/jobs").json()["jobs"]} - earlier)
        job = service.wait_for(*new)
        document = client.get(f"/v1/transcripts/{job['episode_id']}").json()

    assert job["state"] == "done", job
    assert document["episode"]["title"] == "The library where the books grow"
    assert "Helen Marsh" in [each["name"] for each in document["speakers"]]


def test_a_text_file_named_like_audio_fails_at_the_door_and_a_damaged_recording_fails_as_a_job(
    serve: Callable[..., Any],
) -> None:
    service = serve(models="scripted", allow_scripted=1)
    damaged = b"fLaC" + bytes(range(256)) * 40
    with service.client() as client:
        refused = client.post("/v1/episodes", files={"audio": ("talk.mp3", b"this is no recording at all")})
        taken = client.post("/v1/episodes", files={"audio": ("talk.flac", damaged)})
        job = service.wait_for(taken.json()["id"])

    assert (refused.status_code, refused.json()["code"]) == (415, "unsupported_container")
    assert job["state"] == "failed"
    assert job["attempts"] == 1
    assert job["error"]["retryable"] is False
    assert job["error"]["code"] != "internal_error"


def test_a_killed_server_comes_back_and_its_job_is_done_once_with_the_same_words(
    serve: Callable[..., Any], tmp_path: Path
) -> None:
    scripted: dict[str, object] = {
        "models": "scripted",
        "allow_scripted": 1,
        "scripted_window": 20,
        "lease_seconds": 2,
        "heartbeat_seconds": 0.5,
    }
    undisturbed = serve(data=tmp_path / "calm", **scripted)
    calm = _said(undisturbed, _post(undisturbed))
    service = serve(data=tmp_path / "stormy", scripted_seconds=1.0, **scripted)
    job_id = _post(service)
    with service.client() as client:
        _wait_until(lambda: (client.get(f"/v1/jobs/{job_id}").json()["progress"] or {}).get("stage") == "recognize")

    os.killpg(service.process.pid, signal.SIGKILL)
    service.process.wait()
    again = serve(data=tmp_path / "stormy", **scripted)
    storm = _said(again, job_id)

    assert storm == calm
    published = _wait_until(
        lambda: [line for line in again.command("events").stdout.splitlines() if "transcript.published.v1" in line]
    )
    assert len({json.loads(line)["id"] for line in published}) == 1
    scratch = tmp_path / "stormy" / "scratch"
    _wait_until(lambda: not [each for each in scratch.rglob("*") if each.is_file() and each.stat().st_size > 10_000])


def _events(service: Service) -> list[dict[str, Any]]:
    return [json.loads(line) for line in service.command("events").stdout.splitlines()]


def _post(service: Any) -> str:
    with service.client() as client, (DEMO / "episode.mp3").open("rb") as audio:
        job: dict[str, str] = client.post("/v1/episodes", files={"audio": ("episode.mp3", audio)}).json()
    return job["id"]


def _said(service: Any, job_id: str) -> list[tuple[str | None, str]]:
    """Who said which paragraph, by name, once the job is done."""
    job = service.wait_for(job_id)
    assert job["state"] == "done", job
    with service.client() as client:
        document = client.get(f"/v1/transcripts/{job['episode_id']}").json()
    names = {each["id"]: each["name"] for each in document["speakers"]}
    return [(names[turn["speaker"]], p["text"]) for turn in document["turns"] for p in turn["paragraphs"]]


def _wait_until(look: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.3)
    raise AssertionError(f"still {found!r} after {seconds} s")
