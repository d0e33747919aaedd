"""The event log of the embedded service: one event as JSON on each line of a file, in order, durable.

A line counts once its newline is there. What a crash left after the last newline was never acknowledged; the next
`send` cuts it off, and the publisher sends that event again.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import NotReady, TransientError
from schemas.events import Event
from schemas.wire import read_json, write_json

#: How often a follower looks for new lines, in seconds.
LOOK_SECONDS = 0.2

_TAIL_BYTES = 64 * 1024  # longer than any event


class EventLog:
    """`EventSink` that appends to a file which several processes may write."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def take_over(self) -> None:
        """Nothing to do: whatever a sender that was held up still appends was appended before, and is a repeat."""

    def close(self) -> None:
        """Nothing is kept open."""

    def send(self, events: Sequence[Event]) -> None:
        if not events:
            return
        lines = b"".join(write_json(event) + b"\n" for event in events)
        try:
            with self._locked() as descriptor:
                _cut_torn_line(descriptor)
                _write_whole(descriptor, lines)
                os.fsync(descriptor)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise NotReady(f"{self._path}: no room left for the event log", code="disk_full") from error
            raise TransientError(
                f"{self._path}: the event log cannot be written: {error.strerror}", code="event_log_unavailable"
            ) from error

    def read(
        self,
        *,
        after: int = 0,
        follow: bool = False,
        is_over: Callable[[], bool] = lambda: False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Iterator[tuple[int, Event]]:
        """The events after a position, each with the position behind it. 0 is the beginning.

        With `follow` it waits for more until `is_over`. Only whole lines are read.
        """
        position = after
        while True:
            for line in self._lines(position):
                position += len(line)
                yield position, read_json(Event, line)
            if not follow or is_over():
                return
            sleep(LOOK_SECONDS)

    def end(self) -> int:
        """The position behind the last whole line: where a follower of new events begins."""
        position = 0
        for line in self._lines(0):
            position += len(line)
        return position

    def _lines(self, position: int) -> Iterator[bytes]:
        try:
            file = self._path.open("rb")
        except FileNotFoundError:
            return
        with file:
            file.seek(position)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                yield line

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """The file open for appending, with no other writer until the block ends."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not self._path.exists()
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if is_new:
                _sync_folder(self._path.parent)
            yield descriptor
        finally:
            os.close(descriptor)


def _cut_torn_line(descriptor: int) -> None:
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, _TAIL_BYTES, max(0, size - _TAIL_BYTES))
    torn = len(tail) - (tail.rfind(b"\n") + 1)
    if torn:
        os.ftruncate(descriptor, size - torn)


def _write_whole(descriptor: int, content: bytes) -> None:
    """All of it or none: a line cut by a full disk is taken back."""
    before = os.fstat(descriptor).st_size
    written = 0
    try:
        while written < len(content):
            written += os.write(descriptor, content[written:])
    except OSError:
        os.ftruncate(descriptor, before)
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
