"""The one way in: what lies under a hash is what was hashed, and names can be shown."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import pytest

from adapters.acceptance import YOUNG_SECONDS, accept, keep_upload, printable
from adapters.erasure import erase
from adapters.memory import MemoryQueue, MemoryStore
from schemas.episode import Episode
from schemas.errors import TransientError
from schemas.job import Job, JobOptions


def take(source: Path, queue: MemoryQueue, store: MemoryStore, *, job_id: str = "job") -> tuple[Job, bool]:
    return accept(
        queue=queue,
        store=store,
        source=source,
        file_name=source.name,
        episode=Episode(id="e"),
        options=JobOptions(),
        max_bytes=10_000_000,
        new_id=lambda: job_id,
    )


def one_second(folder: Path) -> Path:
    source = folder / "tide.wav"
    with wave.open(str(source), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\1\0" * 8000)
    return source


def test_a_recording_that_changes_while_it_is_taken_in_leaves_nothing_and_may_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = one_second(tmp_path)
    queue, store = MemoryQueue(now=lambda: 1000.0, new_id=lambda: "event"), MemoryStore()

    def after_a_change(key: str, path: Path) -> None:
        path.write_bytes(path.read_bytes() + b"\2\0")
        MemoryStore.put_file(store, key, path)

    with monkeypatch.context() as patched:
        patched.setattr(store, "put_file", after_a_change)
        with pytest.raises(TransientError) as error:
            take(source, queue, store)
    assert error.value.code == "source_changed"
    assert list(store.keys("")) == []
    assert list(queue.jobs()) == []
    assert take(source, queue, store)[1]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("tide.wav", "tide.wav"),
        ("bad\udcff.wav", "bad?.wav"),
        ("a\x1b[2J.wav", "a\ufffd[2J.wav"),
        ("海.wav", "海.wav"),
    ],
)
def test_a_name_from_a_disk_can_be_shown(name: str, shown: str) -> None:
    assert printable(name) == shown


@pytest.mark.parametrize(("age", "now_is_written"), [(YOUNG_SECONDS - 1, 0.0), (YOUNG_SECONDS, YOUNG_SECONDS)])
def test_an_old_copy_is_put_once_more_so_that_it_is_no_garbage_before_its_job_is_there(
    tmp_path: Path, age: float, now_is_written: float
) -> None:
    now = 0.0
    store = MemoryStore(clock=lambda: now)
    source = one_second(tmp_path)
    key, _ = keep_upload(store, source, "a.wav", 10**6)
    now = age

    assert keep_upload(store, source, "a.wav", 10**6)[0] == key
    assert store.age(key) == age - now_is_written


def test_a_recording_whose_other_episode_is_deleted_while_it_is_taken_in_lies_there_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = one_second(tmp_path)
    queue, store = MemoryQueue(now=lambda: 1000.0, new_id=lambda: "event"), MemoryStore()
    take(source, queue, store)
    [key] = store.keys("uploads/")
    deletion = queue.delete("e", by="api")
    add = queue.add

    def meanwhile(*given: Any, **named: Any) -> Any:
        erase(queue, store, deletion)
        return add(*given, **named)

    monkeypatch.setattr(queue, "add", meanwhile)

    assert take(source, queue, store, job_id="another")[1]
    assert store.exists(key)
