"""Readiness while there is no room: an API that could not keep an upload says so, and goes on showing what it has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

import api.writes
from adapters.memory import MemoryStore
from api.writes import LEDGER_SECONDS, TRY_BYTES, TRY_SECONDS, Writes
from schemas.errors import InputError, NotReady, StenocastError, TransientError

FULL = NotReady("uploads/1/audio: no room left on the disk", code="disk_full")


class FullStore(MemoryStore):
    """A store that takes nothing while it has an error to give."""

    error: StenocastError | None = FULL
    tries: tuple[int, ...] = ()

    def put(self, key: str, content: bytes) -> None:
        self.tries = (*self.tries, len(content))
        if self.error is not None:
            raise self.error
        super().put(key, content)


class Clock:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def store() -> FullStore:
    return FullStore()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def writes(store: FullStore, clock: Clock, tmp_path: Path) -> Writes:
    return Writes(store, tmp_path / "scratch", clock=clock)


def test_nothing_is_written_to_find_out_while_all_is_well(writes: Writes, store: FullStore, clock: Clock) -> None:
    clock.seconds += 1000.0

    assert writes.trouble() == []
    assert store.tries == ()


@pytest.mark.parametrize(
    "error", [FULL, TransientError("s3://b/uploads/1/audio: did not answer", code="store_unavailable")]
)
def test_a_write_that_failed_is_trouble_until_something_of_some_size_can_be_written(
    writes: Writes, store: FullStore, clock: Clock, error: StenocastError
) -> None:
    writes.failed(error)
    store.error = error

    assert writes.trouble() == [f"nothing can be written: {error.message}"]
    clock.seconds += TRY_SECONDS
    assert writes.trouble() == [f"nothing can be written: {error.message}"]
    store.error = None
    clock.seconds += TRY_SECONDS
    assert writes.trouble() == []
    assert store.tries == (TRY_BYTES, TRY_BYTES)
    assert list(store.keys("")) == []


def test_it_is_tried_at_most_once_in_a_while_however_often_somebody_asks(
    writes: Writes, store: FullStore, clock: Clock
) -> None:
    writes.failed(FULL)
    clock.seconds += TRY_SECONDS

    for _ in range(20):
        assert writes.trouble()
        clock.seconds += TRY_SECONDS / 20

    assert len(store.tries) == 1


def test_a_full_scratch_disk_is_trouble_too(
    writes: Writes, store: FullStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def on_a_full_disk(_folder: Path) -> Iterator[IO[bytes]]:
        with open("/dev/full", "wb", buffering=0) as file:
            yield file

    store.error = None
    writes.failed(FULL)
    clock.seconds += TRY_SECONDS
    with monkeypatch.context() as patched:
        patched.setattr(api.writes, "spooled", on_a_full_disk)
        assert "No space left" in writes.trouble()[0]
    clock.seconds += TRY_SECONDS

    assert writes.trouble() == []


def test_a_full_ledger_is_believed_for_a_while_and_not_tried(writes: Writes, store: FullStore, clock: Clock) -> None:
    writes.failed(NotReady("ledger.sqlite3: no room left for the ledger", code="ledger_full"))

    clock.seconds += LEDGER_SECONDS - 1.0
    assert "no room left for the ledger" in writes.trouble()[0]
    clock.seconds += 1.0
    assert writes.trouble() == []
    assert store.tries == ()


def test_what_fails_while_it_is_tried_is_not_forgotten(store: FullStore, clock: Clock, tmp_path: Path) -> None:
    class Racing(FullStore):
        def put(self, key: str, content: bytes) -> None:
            writes.failed(NotReady("uploads/2/audio: no room left on the disk", code="disk_full"))

    writes = Writes(Racing(), tmp_path, clock=clock)
    writes.failed(FULL)
    clock.seconds += TRY_SECONDS

    assert "uploads/2" in writes.trouble()[0]


def test_a_mistake_of_who_sends_is_no_trouble(writes: Writes) -> None:
    writes.failed(InputError("the form cannot be read", code="invalid_form"))

    assert writes.trouble() == []


def test_an_api_that_could_not_keep_an_upload_is_not_ready_and_still_shows_what_it_has(
    door: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = door.upload()

    def full(_key: str, _path: Path) -> None:
        raise NotReady("uploads/2/audio: no room left on the disk", code="disk_full")

    monkeypatch.setattr(door.store, "put_file", full)
    refused = door.client.post("/v1/episodes", files={"audio": ("b.wav", b"RIFF\x04\0\0\0WAVEfmt ")})

    ready = door.client.get("/readyz")
    assert (refused.status_code, refused.json()["code"]) == (507, "disk_full")
    assert (ready.status_code, ready.json()["code"]) == (503, "not_ready")
    assert "no room left on the disk" in ready.json()["detail"]
    assert door.client.get("/readyz?for=reading").status_code == 200
    assert door.client.get(f"/v1/jobs/{job['id']}").status_code == 200
    assert door.client.get("/healthz").status_code == 200


def test_reading_from_a_store_that_is_away_for_a_moment_is_no_trouble_with_writing(
    door: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = door.upload()

    def away(_key: str) -> None:
        raise TransientError("the store did not answer", code="store_unavailable")

    monkeypatch.setattr(door.store, "size", away)

    assert door.client.get(f"/v1/episodes/{job['episode_id']}/audio").status_code == 503
    assert door.client.get("/readyz").status_code == 200
