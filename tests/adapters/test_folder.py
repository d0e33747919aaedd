"""The folder store on a disk that fills up, and with a reader in the middle of a write."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.folder import FolderStore
from schemas.errors import NotReady, TransientError


def test_a_full_disk_is_our_trouble_and_leaves_the_old_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FolderStore(tmp_path)
    store.put("k", b"old")

    def no_room(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", no_room)
        with pytest.raises(NotReady) as error:
            store.put("k", b"new")

    assert error.value.code == "disk_full"
    assert store.get("k") == b"old"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["k"]


def test_another_disk_error_may_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)

    with pytest.raises(TransientError):
        FolderStore(tmp_path).put("k", b"new")


def test_an_object_being_written_is_no_key(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put("k", b"x")
    (tmp_path / ".unfinished" / "half").write_bytes(b"y")

    assert list(store.keys("")) == ["k"]


def test_deleting_takes_empty_folders_along(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    store.put("a/b/c", b"x")
    store.delete("a/b/c")

    assert not (tmp_path / "store" / "a").exists()
    assert (tmp_path / "store").is_dir()


def test_a_listing_looks_only_into_the_folder_it_is_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FolderStore(tmp_path)
    for key in ("results/one/1/t.json", "results/two/1/t.json", "uploads/x/audio"):
        store.put(key, b"x")
    walked: list[str] = []
    walk = os.walk

    def noted(top: Path) -> Iterator[tuple[str, list[str], list[str]]]:
        for each in walk(str(top)):
            walked.append(each[0])
            yield each

    monkeypatch.setattr(os, "walk", noted)

    assert list(store.keys("results/one/")) == ["results/one/1/t.json"]
    assert walked == [str(tmp_path / "results" / "one"), str(tmp_path / "results" / "one" / "1")]


@pytest.mark.parametrize("prefix", ["../", "../other/", "/", "a//", ".unfinished/", "a\0/"])
def test_a_prefix_that_no_key_has_lists_nothing(tmp_path: Path, prefix: str) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "secret").write_bytes(b"x")
    store = FolderStore(tmp_path / "store")
    store.put("a/b", b"x")

    assert list(store.keys(prefix)) == []


@pytest.mark.parametrize("prefix", ["", "a", "a/", "a/b", "a/b/", "a/bc/d"])
def test_a_listing_is_by_the_beginning_of_the_key(tmp_path: Path, prefix: str) -> None:
    keys = ("a/b/c", "a/bc/d", "ab/c", "b/a")
    store = FolderStore(tmp_path)
    for key in keys:
        store.put(key, b"x")

    assert list(store.keys(prefix)) == [key for key in keys if key.startswith(prefix)]


def test_what_a_killed_writer_left_is_swept_after_a_day_and_not_before(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put("k", b"x")
    for name, age_seconds in (("old", 90_000), ("young", 80_000)):
        left = tmp_path / ".unfinished" / name
        left.write_bytes(b"y")
        os.utime(left, (time.time() - age_seconds,) * 2)

    assert store.sweep_unfinished() == 1
    assert [path.name for path in (tmp_path / ".unfinished").iterdir()] == ["young"]
    assert store.get("k") == b"x"
