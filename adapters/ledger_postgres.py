"""PostgreSQL under the ledger: a pool that outlives the server's restarts, its locks, and its errors as ours.

The only place that knows psycopg. It is imported when a ledger on PostgreSQL is opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from schemas.errors import NotReady, OptionError, StenocastError, TransientError

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 30
#: A transaction of ours that says nothing for so long has lost its process (stopped, or cut off): the server ends
#: it, and with it the locks that others wait for.
SILENT_TRANSACTION_SECONDS = 10
MIGRATION_SECONDS = 600
POOL_SIZE = 5
MORE_CONNECTIONS = 15

#: Names of advisory locks; any two numbers that nobody else on this database uses. Written "sten" in bytes.
ADDING = 0x7374656E_01
MIGRATING = 0x7374656E_02

#: Each statement is planned once a session: planning a claim anew took twice as long as the claim (2026-11-27). Every
#: statement has its index, and a plan that was made while a table was empty must use it too.
PLANS = ["SET plan_cache_mode = force_generic_plan", "SET enable_seqscan = off", "SET jit = off"]

#: A database that is set to lose the last commits in a crash is asked not to; one that does more is left so.
_DURABLE = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"

_BUSY = {"55P03", "57014", "40001", "40P01"}  #: lock_timeout, statement_timeout, serialization failure, deadlock
_AGAIN = {"40001", "40P01"}  #: the server ended one of two so that the other can go on
#: Only these constraints are broken by two who do the same thing at once: the second look shows what the first did.
_RACES = {"jobs_running_of_an_episode"}
_UNUSABLE = {
    "28000",  # not allowed to connect
    "28P01",  # wrong password
    "3D000",  # no such database
    "42501",  # not allowed to read or write
    "25006",  # a standby that only reads
    "42P01",  # no such table: not migrated
    "58030",  # the server's own input and output
}
#: libpq gives no code for a refused connection, only the server's words.
_UNUSABLE_WORDS = ("authentication failed", "does not exist", "no pg_hba.conf entry", "no password supplied")


class PostgresServer:
    """A ledger's database on a PostgreSQL server."""

    row_locks = True  #: transactions that write run side by side

    def __init__(self, url: sa.URL, *, busy_seconds: float) -> None:
        self._name = _name_of(url)
        self.engine = _engine(url, busy_seconds)
        self._reader = self.engine.execution_options(isolation_level="REPEATABLE READ")

    def writing(self) -> Connection:
        return self.engine.connect()

    def reading(self) -> Connection:
        """What is read in one transaction is from one moment: a second page shows nothing newer than the first."""
        return self._reader.connect()

    def begin_adding(self, connection: Connection) -> None:
        """Wait until this transaction is the only one that adds jobs, until it ends.

        Alone, it finds every earlier request, takes turns that are right, and cannot stand in a circle of waiting
        adders. A batch costs one commit, so being alone costs little.
        """
        connection.execute(_LOCK, {"name": ADDING})

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """One process at a time; the others wait.

        What it does between two statements counts, too: Alembic is imported there, on a cold and busy machine for
        longer than any other transaction of ours is silent.
        """
        with self.engine.connect() as connection:
            for limit in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
                connection.exec_driver_sql(f"SET LOCAL {limit} = '{MIGRATION_SECONDS}s'")
            connection.execute(_LOCK, {"name": MIGRATING})
            yield connection

    def begin_moving_schema(self, connection: Connection) -> None:
        """Keep everybody out of both tables, in the order in which moves of jobs lock them; adders come first.

        A migration that took them in its own order could wait in a circle with a job that is being finished.
        """
        connection.execute(_LOCK, {"name": ADDING})
        if connection.exec_driver_sql("SELECT to_regclass('jobs') IS NOT NULL").scalar():
            connection.exec_driver_sql("LOCK TABLE jobs, episodes IN ACCESS EXCLUSIVE MODE")

    def is_worth_another_try(self, error: DBAPIError) -> bool:
        """After a deadlock, a race that was lost, or a connection that turned out to be dead. Not in a commit."""
        constraint = error.orig.diag.constraint_name if isinstance(error.orig, psycopg.Error) else None
        return error.connection_invalidated or _code(error) in _AGAIN or constraint in _RACES

    def translation(self, error: DBAPIError) -> StenocastError | None:
        code = _code(error)
        said = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__
        if code in _BUSY:
            return TransientError(f"{self._name}: the database is busy: {said}", code="database_busy")
        if code == "53100":
            return NotReady(f"{self._name}: no room left for the ledger", code="ledger_full")
        if code in ("XX001", "XX002"):
            return NotReady(f"{self._name}: the ledger is damaged: {said}", code="ledger_damaged")
        if code in _UNUSABLE or (code is None and _is_unusable(str(error.orig))):
            return NotReady(f"{self._name}: the ledger cannot be used: {said}", code="ledger_unavailable")
        is_lost = error.connection_invalidated or isinstance(error.orig, psycopg.OperationalError)
        if is_lost or (code or "").startswith(("08", "53", "57P", "25P03")):
            return TransientError(f"{self._name}: the database does not answer: {said}", code="database_unavailable")
        return None


_LOCK = sa.select(sa.func.pg_advisory_xact_lock(sa.bindparam("name", type_=sa.BigInteger)))


def _code(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)


def _is_unusable(said: str) -> bool:
    return any(words in said for words in _UNUSABLE_WORDS)


def _name_of(url: sa.URL) -> str:
    """The address as messages show it: never the password."""
    return f"postgresql://{url.username or ''}@{url.host or 'localhost'}:{url.port or 5432}/{url.database or ''}"


def _engine(url: sa.URL, busy_seconds: float) -> sa.Engine:
    if not url.host and "host" not in url.query and "service" not in url.query:
        raise OptionError(
            f"STENOCAST_DATABASE_URL={_name_of(url)}: the host is missing: use postgresql://USER:PASSWORD@HOST/DATABASE",
            code="bad_setting",
            field="database_url",
        )
    # A server that is gone without a word is noticed in 15 seconds.
    alive = {"keepalives_idle": 5, "keepalives_interval": 3, "keepalives_count": 3, "tcp_user_timeout": 15_000}
    asked = {"connect_timeout": CONNECT_SECONDS, "application_name": "stenocast", **alive}
    engine = sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={name: value for name, value in asked.items() if name not in url.query},
        pool_size=POOL_SIZE,
        max_overflow=MORE_CONNECTIONS,
        pool_timeout=busy_seconds,
    )
    limits = {
        "lock_timeout": busy_seconds,
        "statement_timeout": STATEMENT_SECONDS,
        "idle_in_transaction_session_timeout": SILENT_TRANSACTION_SECONDS,
    }
    settings = [f"SET {name} = {int(seconds * 1000)}" for name, seconds in limits.items()] + PLANS

    @sa.event.listens_for(engine, "connect")
    def settle(connection: psycopg.Connection[Any], _record: Any) -> None:
        """Said with SET, not when connecting: poolers between us and the server refuse unknown options."""
        connection.autocommit = True
        connection.execute("; ".join(settings))
        connection.execute(_DURABLE)
        connection.autocommit = False

    return engine
