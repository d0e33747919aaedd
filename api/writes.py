"""Whether what this API has to write would find room: in scratch, store and ledger. Part of its readiness.

Nothing is written to find out while all is well. A request that failed for want of room, or because the store takes
nothing, says so here; from then on something small is written now and then, whenever somebody asks, until it works.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from adapters.spool import spooled
from schemas.errors import NotReady, StenocastError
from transcription.ports import Store

log = structlog.get_logger(__name__)

#: Between two tries while writing fails. Chosen: what Kubernetes' probes of the chart wait between two questions.
TRY_SECONDS = 10.0

#: A full ledger cannot be tried: both databases have room for a small row long after an upload's rows find none. So
#: it is believed to be full for this long after it last said so; the next upload tells. Chosen.
LEDGER_SECONDS = 30.0

#: What is written to try: about the document of an hour's talk, so that the last free kilobytes are no room.
TRY_BYTES = 1_000_000

#: One key for all API processes and all tries: who dies in between leaves one object at most, which no job names.
TRY_KEY = "uploads/is-there-room"

_OF_FILES = frozenset({"disk_full", "store_unavailable"})
_OF_THE_LEDGER = frozenset({"ledger_full"})


class Writes:
    """What became of the latest writes. For use by many threads."""

    def __init__(self, store: Store, scratch: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._scratch = scratch
        self._clock = clock
        self._lock = threading.Lock()
        self._files: StenocastError | None = None  #: why scratch or store took nothing; None = all is well
        self._tried = 0.0
        self._ledger: StenocastError | None = None
        self._ledger_failed = 0.0

    def failed(self, error: StenocastError) -> None:
        """A request that writes ended with this error; those that have nothing to do with room are passed over."""
        with self._lock:
            if error.code in _OF_FILES:
                self._files, self._tried = error, self._clock()
            elif error.code in _OF_THE_LEDGER:
                self._ledger, self._ledger_failed = error, self._clock()

    def trouble(self) -> list[str]:
        """What keeps this API from writing, each in a sentence; empty when nothing does that is known."""
        tried = self._to_be_tried()
        if tried is not None:
            now = self._tried_again()  # without the lock: a store may take its time
            with self._lock:
                if self._files is tried:  # else a request failed meanwhile, and knows better
                    self._files = now
        with self._lock:
            if self._ledger is not None and self._clock() - self._ledger_failed >= LEDGER_SECONDS:
                self._ledger = None
            return [
                f"nothing can be written: {error.message}"
                for error in (self._files, self._ledger)
                if error is not None
            ]

    def _to_be_tried(self) -> StenocastError | None:
        """The error after which it is time to try again, for the first who asks."""
        with self._lock:
            if self._files is None or self._clock() - self._tried < TRY_SECONDS:
                return None
            self._tried = self._clock()
            return self._files

    def _tried_again(self) -> StenocastError | None:
        content = secrets.token_bytes(TRY_BYTES)  # other bytes each time: a store need not write the same ones again
        try:
            self._scratch.mkdir(parents=True, exist_ok=True)
            with spooled(self._scratch) as file:
                file.write(content)
                file.flush()
            self._store.put(TRY_KEY, content)
            self._store.delete(TRY_KEY)
        except OSError as error:
            return NotReady(f"{self._scratch}: {error.strerror}", code="disk_full")
        except StenocastError as error:
            return error
        log.info("writing works again")
        return None
