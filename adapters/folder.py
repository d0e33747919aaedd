"""The store as a folder: every object is a file, written beside its place and moved there whole."""

from __future__ import annotations

import errno
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from adapters.store_keys import check_key
from schemas.errors import NotFound, NotReady, OptionError, StenocastError, TransientError

PIECE_BYTES = 1024 * 1024

#: Under the root, for objects that are being written. A key cannot begin with a dot, so none collides.
UNFINISHED = ".unfinished"
UNFINISHED_SECONDS = 86_400.0  #: since the last byte; no put pauses for so long

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


class FolderStore:
    """`Store` under `root`. Durable when a put returns: the file and its folder are synced."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: str, content: bytes) -> None:
        def write(file: BinaryIO) -> None:
            file.write(content)

        self._write(key, write)

    def put_file(self, key: str, path: Path) -> None:
        def write(file: BinaryIO) -> None:
            with path.open("rb") as source:
                shutil.copyfileobj(source, file, PIECE_BYTES)

        self._write(key, write)

    def get(self, key: str) -> bytes | None:
        place = self._place(key)
        with _translated(key):
            try:
                return place.read_bytes()
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                return None

    def fetch(self, key: str, path: Path) -> None:
        place = self._place(key)
        if not place.is_file():
            raise _missing(key)
        with _translated(key):
            try:
                shutil.copyfile(place, path)
            except BaseException:
                path.unlink(missing_ok=True)
                raise

    def exists(self, key: str) -> bool:
        return self._place(key).is_file()

    def size(self, key: str) -> int | None:
        place = self._place(key)
        return place.stat().st_size if place.is_file() else None

    def age(self, key: str) -> float | None:
        place = self._place(key)
        with _translated(key):
            try:
                return max(0.0, time.time() - place.stat().st_mtime) if place.is_file() else None
            except FileNotFoundError:
                return None

    def read(self, key: str, start: int, end: int) -> Iterator[bytes]:
        place = self._place(key)
        if not place.is_file():
            raise _missing(key)
        return _pieces(place, start, end)

    def delete(self, key: str) -> None:
        place = self._place(key)
        with _translated(key):
            try:
                place.unlink(missing_ok=True)
            except NotADirectoryError:
                return
            self._remove_empty_folders(place.parent)

    def keys(self, prefix: str) -> Iterator[str]:
        folder = prefix.rpartition("/")[0]
        try:
            start = self._place(folder) if folder else self._root
        except OptionError:
            return iter(())  # no key begins with what cannot be in one
        return iter(sorted(key for key in self._keys_below(start) if key.startswith(prefix)))

    def uri(self, key: str) -> str:
        return self._place(key).absolute().as_uri()

    def _keys_below(self, start: Path) -> Iterator[str]:
        for folder, names, files in os.walk(start):
            if folder == str(self._root) and UNFINISHED in names:
                names.remove(UNFINISHED)
            for file in files:
                yield Path(folder, file).relative_to(self._root).as_posix()

    def sweep_unfinished(self) -> int:
        """Remove what writers that were killed left behind, once nobody can still be writing it; how many."""
        oldest = time.time() - UNFINISHED_SECONDS
        swept = 0
        for path in (self._root / UNFINISHED).glob("*"):
            with suppress(OSError):
                if path.stat().st_mtime < oldest:
                    path.unlink()
                    swept += 1
        return swept

    def _write(self, key: str, write: Callable[[BinaryIO], None]) -> None:
        place = self._place(key)
        unfinished = self._root / UNFINISHED / uuid.uuid4().hex
        with _translated(key):
            try:
                unfinished.parent.mkdir(parents=True, exist_ok=True)
                with unfinished.open("xb") as file:
                    write(file)
                    file.flush()
                    os.fsync(file.fileno())
                self._move(unfinished, place)
            except BaseException:
                unfinished.unlink(missing_ok=True)
                raise

    def _move(self, unfinished: Path, place: Path) -> None:
        """Move a finished file to its key, however often a delete takes the empty folder away in between."""
        while True:
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.replace(unfinished, place)
                break
            except FileNotFoundError:
                if not unfinished.exists():
                    raise
        for folder in (place.parent, *place.parent.parents):
            _sync_folder(folder)
            if folder == self._root:
                break

    def _remove_empty_folders(self, folder: Path) -> None:
        while folder != self._root and folder.is_relative_to(self._root):
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent

    def _place(self, key: str) -> Path:
        check_key(key)
        return self._root.joinpath(*key.split("/"))


def _pieces(place: Path, start: int, end: int) -> Iterator[bytes]:
    with place.open("rb") as file:
        file.seek(start)
        left = end - start
        while left > 0:
            piece = file.read(min(left, PIECE_BYTES))
            if not piece:
                return
            left -= len(piece)
            yield piece


def _sync_folder(folder: Path) -> None:
    """A rename is durable once the folder that holds the name is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _missing(key: str) -> NotFound:
    return NotFound(f"{key}: there is no such object in the store", code="object_not_found")


@contextmanager
def _translated(key: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _translation(key, error) from error


def _translation(key: str, error: OSError) -> StenocastError:
    if error.errno in _NO_ROOM:
        return NotReady(f"{key}: no room left on the disk", code="disk_full")
    if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
        return NotReady(f"{key}: the store cannot be used: {error.strerror}", code="store_unavailable")
    return TransientError(f"{key}: the store did not work: {error.strerror or error}", code="store_unavailable")
