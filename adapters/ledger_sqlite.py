"""SQLite under the ledger: one file, durable (write-ahead log, synchronous=FULL), and its errors as ours."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from schemas.errors import NotReady, OptionError, StenocastError, TransientError

#: A writer that waits looks again after so long. SQLite's own waiting sleeps up to 100 ms beside a free lock:
#: with four workers it gave 312 pairs of claim and finish a second, and a single worker 470 (2026-11-27).
FIRST_LOOK_SECONDS = 0.0003
LONGEST_LOOK_SECONDS = 0.01


class SqliteFile:
    """A ledger's file, which several processes may open at once. A transaction that writes is alone."""

    row_locks = False  #: nobody else writes while a transaction does

    def __init__(self, url: sa.URL, *, busy_seconds: float) -> None:
        self._path = _file_of(url)
        self._busy_seconds = busy_seconds
        self.engine = _engine(url, busy_seconds)
        self._writer = self.engine.execution_options(begin=self._begin_alone)

    def writing(self) -> Connection:
        """A connection whose transaction takes the file's write lock with its first statement."""
        return self._writer.connect()

    def reading(self) -> Connection:
        return self.engine.connect()

    def begin_adding(self, connection: Connection) -> None:
        """Nothing to do: whoever writes is alone."""

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """One process at a time; the others wait."""
        from filelock import FileLock

        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self._path}.migrating"), self.engine.connect() as connection:
                yield connection
        except OSError as error:
            raise NotReady(f"{self._path}: {error.strerror or error}", code="ledger_unavailable") from error

    def begin_moving_schema(self, connection: Connection) -> None:
        """Take the write lock from the start: a transaction that has read already loses it to any other writer."""
        connection.rollback()
        connection.execution_options(begin=self._begin_alone)

    def is_worth_another_try(self, error: DBAPIError) -> bool:
        """Never: nobody got in between, and who waited for the lock waited long enough."""
        return False

    def translation(self, error: DBAPIError | sqlite3.Error) -> StenocastError | None:
        cause = error.orig if isinstance(error, DBAPIError) else error
        primary = (getattr(cause, "sqlite_errorcode", None) or 0) & 0xFF  # the low byte; the rest says why
        match primary:
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return TransientError(f"{self._path}: another process holds the ledger", code="database_busy")
            case sqlite3.SQLITE_FULL:
                return NotReady(f"{self._path}: no room left for the ledger", code="ledger_full")
            case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
                return NotReady(f"{self._path}: the ledger is damaged: {cause}", code="ledger_damaged")
            case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_IOERR | sqlite3.SQLITE_PERM:
                return NotReady(f"{self._path}: the ledger cannot be used: {cause}", code="ledger_unavailable")
        return None

    def _begin_alone(self, connection: sqlite3.Connection) -> None:
        """Take the write lock, looking often while another process has it: it is held for a millisecond or two."""
        ends = time.monotonic() + self._busy_seconds
        wait = FIRST_LOOK_SECONDS
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            while True:
                try:
                    connection.execute("BEGIN IMMEDIATE")
                    return
                except sqlite3.OperationalError as error:
                    is_busy = (error.sqlite_errorcode & 0xFF) == sqlite3.SQLITE_BUSY
                    if not is_busy or time.monotonic() > ends:
                        raise self.translation(error) or error from error
                time.sleep(wait * random.uniform(0.5, 1.0))
                wait = min(wait * 1.2, LONGEST_LOOK_SECONDS)
        finally:
            connection.execute(f"PRAGMA busy_timeout = {int(self._busy_seconds * 1000)}")


def _file_of(url: sa.URL) -> Path:
    if not url.database or url.database == ":memory:":
        raise OptionError(
            f"STENOCAST_DATABASE_URL={url.render_as_string(hide_password=True)}: use sqlite:///FILE",
            code="bad_setting",
            field="database_url",
        )
    return Path(url.database)


def _engine(url: sa.URL, busy_seconds: float) -> sa.Engine:
    engine = sa.create_engine(url, connect_args={"timeout": busy_seconds, "isolation_level": None})

    @sa.event.listens_for(engine, "connect")
    def settle(connection: sqlite3.Connection, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    # Python's own transaction handling is off (isolation_level None): it would begin too late, and deferred.
    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        begin_alone = connection.get_execution_options().get("begin")
        raw = connection.connection.driver_connection
        if raw is None:
            raise RuntimeError("a transaction begins on a closed connection")
        if begin_alone is None:
            raw.execute("BEGIN")
        else:
            begin_alone(raw)

    return engine
