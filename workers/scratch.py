"""Scratch folders of workers: each holds a lock while it lives, and the living clear away what the dead left."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from adapters.spool import locked_if_free, sweep_spool

#: Only what begins with this is a worker's; `transcribe` and uploads (adapters/spool.py) keep theirs beside.
PREFIX = "worker-"

#: Those of `stenocast transcribe` have no lock: what a killed one left is known by its age alone.
UNLOCKED_PREFIX = "transcribe-"
LEFTOVER_SECONDS = 172_800.0  #: 2 days: four times the longest recording, and a recording is written at the start


class WorkerScratch:
    """The scratch folder of one worker, locked from the start until `close` or the process's end."""

    def __init__(self, root: Path, worker: str) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)
        self._folder = root / f"{PREFIX}{worker}"
        self._lock_path = _lock_of(self._folder)
        self._lock = _locked_for_good(self._lock_path)
        self._folder.mkdir(exist_ok=True)

    def attempt(self, job_id: str, token: int) -> Path:
        """The folder for one attempt; not made yet."""
        return self._folder / f"{job_id}-{token}"

    def clear(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)

    def sweep(self) -> int:
        """Remove what workers and APIs that are no more left, and old leftovers; how many workers there were."""
        swept = 0
        for lock_path in self._locks_of_others():
            descriptor = locked_if_free(lock_path)
            if descriptor is None:
                continue
            shutil.rmtree(lock_path.with_suffix(""), ignore_errors=True)
            with suppress(OSError):
                lock_path.unlink()
            os.close(descriptor)
            swept += 1
        sweep_spool(self._root)
        self._sweep_unlocked()
        return swept

    def _sweep_unlocked(self) -> None:
        oldest = time.time() - LEFTOVER_SECONDS
        for path in self._root.glob(f"{UNLOCKED_PREFIX}*"):
            with suppress(OSError):
                if path.lstat().st_mtime < oldest:
                    _remove(path)

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._lock_path.unlink(missing_ok=True)
        os.close(self._lock)

    def _locks_of_others(self) -> Iterator[Path]:
        for each in sorted(self._root.glob(f"{PREFIX}*.lock")):
            if each != self._lock_path:
                yield each


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink()


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _locked_for_good(path: Path) -> int:
    """Lock the file, and see that it is still the one of that name: a sweeper may have removed it in between."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            if os.fstat(descriptor).st_ino == path.stat().st_ino:
                return descriptor
        except FileNotFoundError:
            pass
        os.close(descriptor)
