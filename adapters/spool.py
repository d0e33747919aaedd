"""Where uploads lie while they come in: each file is locked while its process lives, so the dead are known."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

PREFIX = "upload-"


@contextmanager
def spooled(folder: Path) -> Iterator[IO[bytes]]:
    """An empty file in this folder, gone at the end. Raises OSError."""
    while True:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=PREFIX, delete=False) as file:
            try:
                fcntl.flock(file.fileno(), fcntl.LOCK_EX)
                if not _has_its_name(file):
                    continue  # a sweeper came between its making and its lock
                yield file
                return
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(file.name)


def sweep_spool(folder: Path) -> int:
    """Remove what killed processes left; how many files that were."""
    swept = 0
    for path in sorted(folder.glob(f"{PREFIX}*")):
        descriptor = locked_if_free(path)
        if descriptor is None:
            continue
        with suppress(OSError):
            path.unlink()
            swept += 1
        os.close(descriptor)
    return swept


def locked_if_free(path: Path) -> int | None:
    """None for what is gone, held, or not ours to touch: another user's process in the same place."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _has_its_name(file: IO[bytes]) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(file.name))
    except FileNotFoundError:
        return False
