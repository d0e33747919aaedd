"""An episode deleted while it is worked on, and by an API that dies at it: nothing of it is left, the rest goes on.

Real processes with scripted engines on one ledger and store.
"""

from __future__ import annotations

import json
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.end_to_end.installation import files_under
from tests.servers import S3Server

DEMO = Path(__file__).resolve().parent.parent.parent / "examples" / "demo"

pytestmark = pytest.mark.processes

SCRIPTED: dict[str, object] = {
    "models": "scripted",
    "allow_scripted": 1,
    "scripted_window": 20,
    "lease_seconds": 20,
    "heartbeat_seconds": 0.5,
}
NOTES = "checkpoints/of/"  #: they stay until a deletion has settled
TITLE = "A walk along the Skerryvore shore"


def test_an_episode_deleted_while_it_is_transcribed_leaves_nothing_and_the_next_one_is_done(
    serve: Callable[..., Any],
) -> None:
    service = serve(scripted_seconds=1.0, **SCRIPTED)
    with service.client() as client:
        job = post(client, title=TITLE, participant="Ada Quill, host")
        until(lambda: left_of(service, "checkpoints"), "a window of it is recognized")

        deleted = client.delete(f"/v1/episodes/{job['episode_id']}")
        following = post(client, wording="verbatim", title="Another")

        assert deleted.status_code == 204
        until(lambda: client.get(f"/v1/jobs/{following['id']}").json()["state"] == "running", "the worker goes on")
        client.post(f"/v1/jobs/{following['id']}/cancel")
        assert client.get(f"/v1/jobs/{job['id']}").json()["state"] == "cancelled"
        gone = client.get(f"/v1/episodes/{job['episode_id']}")
        assert (gone.status_code, gone.json()["code"]) == (410, "episode_deleted")
        client.delete(f"/v1/episodes/{following['episode_id']}")
        until(lambda: left_of(service) == [], "everything in the store is gone")
    events = until(lambda: told_of(service, job, "job.cancelled.v1"), "the cancellation is published")
    assert events == ["job.queued.v1", "job.started.v1", "job.cancelled.v1"]
    assert_no_word_is_left(service)


def test_a_deleted_transcript_cannot_be_read_and_its_deletion_is_told_once(serve: Callable[..., Any]) -> None:
    service = serve(**SCRIPTED)
    with service.client() as client:
        job = post(client, title=TITLE)
        assert service.wait_for(job["id"])["state"] == "done"
        until(lambda: told_of(service, job, "transcript.published.v1"), "the transcript is published")

        asked = service.command("delete", job["id"][:8])
        deleted = service.command("delete", job["episode_id"], "--yes")
        again = service.command("delete", job["episode_id"], "--yes")

        assert (asked.returncode, TITLE in asked.stderr) == (1, True)
        assert (deleted.returncode, again.returncode) == (0, 0)
        assert client.get(f"/v1/transcripts/{job['episode_id']}").status_code == 410
        assert client.get(f"/v1/episodes/{job['episode_id']}/audio").status_code == 410
    until(lambda: left_of(service) == [], "everything in the store is gone")
    events = until(lambda: told_of(service, job, "transcript.deleted.v1"), "the deletion is published")
    assert events[-2:] == ["transcript.published.v1", "transcript.deleted.v1"]
    assert_no_word_is_left(service)


def test_an_api_killed_right_after_the_deletion_leaves_nothing_that_the_reconciler_does_not_find(
    serve: Callable[..., Any],
) -> None:
    dying = serve(command="api", crash_at="after_deletion", **SCRIPTED)
    with dying.client() as client:
        job = post(client, title=TITLE)
        worked = dying.command("worker", "--once")
        assert client.get(f"/v1/jobs/{job['id']}").json()["state"] == "done", worked.stderr
        with pytest.raises(httpx.HTTPError):
            client.delete(f"/v1/episodes/{job['episode_id']}")
    assert dying.process.wait(30) == -signal.SIGKILL
    assert {key.split("/")[0] for key in left_of(dying)} == {"uploads", "results", "checkpoints"}

    looked = dying.command("reconcile", "--once")

    assert looked.returncode == 0, looked.stderr
    assert json.loads(looked.stdout)["erased"] > 0
    assert left_of(dying) == []
    assert_no_word_is_left(dying)


@pytest.mark.services
@pytest.mark.parametrize("versions", [False, True])
def test_of_an_episode_deleted_from_a_real_bucket_no_object_is_left_and_every_other_one_is(
    serve: Callable[..., Any], s3: S3Server, monkeypatch: pytest.MonkeyPatch, versions: bool
) -> None:
    """What a bucket that keeps versions has of old ones is for its lifecycle rule (docs/operations.md)."""
    for name, value in s3.credentials.items():
        monkeypatch.setenv(name, value)
    client, bucket = s3.client(), s3.new_bucket(versions=versions)
    place: dict[str, object] = {"store_url": f"s3://{bucket}/stenocast", "s3_endpoint": s3.endpoint}

    def objects() -> list[str]:
        keys = [each["Key"] for each in client.list_objects_v2(Bucket=bucket).get("Contents", ())]
        return [key for key in keys if not key.startswith(f"stenocast/{NOTES}")]

    try:
        client.put_object(Bucket=bucket, Key="incoming/skerryvore.mp3", Body=b"a producer's own")
        service = serve(command="api", **place, **SCRIPTED)
        sound = (DEMO / "episode.mp3").read_bytes()
        with service.client() as asking:
            kept = post(asking, sound + bytes(100), title="Another", participant="Ada Quill, host")
            assert service.command("worker", "--once").returncode == 0
            others = objects()
            job = post(asking, sound, title=TITLE, participant="Ada Quill, host")
            assert service.command("worker", "--once").returncode == 0
            assert asking.get(f"/v1/jobs/{job['id']}").json()["state"] == "done"
            folders = {key.split("/")[1] for key in set(objects()) - set(others)}

            deleted = asking.delete(f"/v1/episodes/{job['episode_id']}")

            assert deleted.status_code == 204
            assert folders == {"uploads", "results", "checkpoints"}
            assert objects() == others
            assert asking.get(f"/v1/transcripts/{kept['episode_id']}").status_code == 200
            assert asking.get(f"/v1/episodes/{kept['episode_id']}/audio").content == sound + bytes(100)
    finally:
        s3.remove_bucket(bucket)


def post(client: httpx.Client, sound: bytes | None = None, **fields: str) -> dict[str, Any]:
    audio = (DEMO / "episode.mp3").read_bytes() if sound is None else sound
    answer = client.post("/v1/episodes", files={"audio": ("episode.mp3", audio)}, data=fields)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    return job


def left_of(service: Any, folder: str = "") -> list[str]:
    """What lies in the store but the empty notes by which a worker's last checkpoint is found."""
    store = service.data / "store"
    keys = [path.relative_to(store).as_posix() for path in files_under(store / folder)]
    assert [key for key in keys if key.startswith(NOTES) and (store / key).stat().st_size] == []
    return sorted(key for key in keys if not key.startswith((".", NOTES)))


def told_of(service: Any, job: dict[str, Any], last: str) -> list[str] | None:
    """The types of the events about an episode, in the order of their first copies, once `last` is among them."""
    log = service.data / "events.jsonl"
    whole = log.read_text().rpartition("\n")[0] if log.exists() else ""  # the last line may still be written
    lines = [json.loads(line) for line in whole.splitlines()]
    ours = {event["id"]: event["type"] for event in lines if event["subject"] == job["episode_id"]}
    return list(ours.values()) if last in ours.values() else None


def assert_no_word_is_left(service: Any) -> None:
    """Neither in a row of the ledger nor in the store."""
    with sqlite3.connect(service.data / "ledger.sqlite3") as ledger:
        rows = "\n".join(ledger.iterdump())
        assert ledger.execute("SELECT count(*) FROM deletions").fetchone()[0] >= 1
    assert [word for word in ("Skerryvore", "Ada Quill", "episode.mp3") if word in rows] == []


def until(holds: Callable[[], Any], what: str, seconds: float = 120) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = holds()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"never came about: {what}")
