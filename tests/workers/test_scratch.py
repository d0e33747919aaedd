"""Scratch folders: the dead are swept, the living are left alone."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from pathlib import Path

import pytest

from adapters.spool import spooled
from workers.scratch import WorkerScratch


def test_a_living_worker_s_folder_is_left_alone(tmp_path: Path) -> None:
    living = WorkerScratch(tmp_path, "living")
    living.attempt("job", 1).mkdir()

    assert WorkerScratch(tmp_path, "other").sweep() == 0
    assert living.attempt("job", 1).is_dir()


def test_a_dead_worker_s_folder_is_swept(tmp_path: Path) -> None:
    dead = WorkerScratch(tmp_path, "dead.local-12")
    (dead.attempt("job", 1)).mkdir()
    (dead.attempt("job", 1) / "audio").write_bytes(b"x")
    os.close(dead._lock)  # what the kernel does at a process's end

    assert WorkerScratch(tmp_path, "other").sweep() == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["worker-other", "worker-other.lock"]


def test_what_is_no_worker_s_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "transcribe-1").mkdir()
    WorkerScratch(tmp_path, "other").sweep()

    assert (tmp_path / "transcribe-1").is_dir()


def test_a_closed_worker_leaves_nothing(tmp_path: Path) -> None:
    WorkerScratch(tmp_path, "one").close()

    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_another_user_made_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "worker-theirs.lock").touch()
    worker = WorkerScratch(tmp_path, "ours")

    def refused(path: Path, *_: int) -> int:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refused)
        assert worker.sweep() == 0
    assert (tmp_path / "worker-theirs.lock").exists()


def test_an_upload_that_comes_in_is_left_alone_and_what_a_killed_api_left_is_swept_at_once(tmp_path: Path) -> None:
    (tmp_path / "upload-dead").write_bytes(b"half")
    with spooled(tmp_path) as living:
        WorkerScratch(tmp_path, "one").sweep()

        assert [path.name for path in tmp_path.glob("upload-*")] == [Path(living.name).name]
    assert list(tmp_path.glob("upload-*")) == []


def test_an_upload_whose_file_was_swept_before_its_lock_begins_with_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept: list[int] = []

    def lock(descriptor: int, how: int) -> None:
        if not swept:
            swept.append(descriptor)
            next(tmp_path.glob("upload-*")).unlink()

    monkeypatch.setattr(fcntl, "flock", lock)
    with spooled(tmp_path) as living:
        assert Path(living.name).exists()


def test_old_leftovers_of_transcribe_are_swept_and_young_ones_are_not(tmp_path: Path) -> None:
    (tmp_path / "transcribe-old").mkdir()
    (tmp_path / "transcribe-old" / "sound").write_bytes(b"x")
    (tmp_path / "transcribe-young").mkdir()
    (tmp_path / "other-old").write_bytes(b"x")
    for path in tmp_path.glob("*-old"):
        os.utime(path, (time.time() - 180_000,) * 2)
    worker = WorkerScratch(tmp_path, "one")
    worker.sweep()
    worker.close()

    assert sorted(path.name for path in tmp_path.iterdir()) == ["other-old", "transcribe-young"]
