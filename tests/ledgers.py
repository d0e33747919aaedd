"""Ledgers with nothing in them, quickly: migrating one for every test would take most of the time."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from sqlalchemy import Engine, NullPool, create_engine, text

from adapters.database import Ledger
from adapters.ledger_tables import TABLES
from tests.servers import PostgresServer


@cache
def _template() -> Path:
    path = Path(mkdtemp()) / "ledger.sqlite3"
    Ledger.open(f"sqlite:///{path}").close()
    return path


def sqlite_url(folder: Path) -> str:
    """A new ledger in a folder."""
    shutil.copyfile(_template(), folder / "ledger.sqlite3")
    return f"sqlite:///{folder}/ledger.sqlite3"


@cache
def _engine(url: str) -> Engine:
    return create_engine(url, poolclass=NullPool)  # tests end every session, and this one's would be missed


@contextmanager
def postgres_database(server: PostgresServer) -> Iterator[str]:
    """A database with a ledger in it, removed afterwards."""
    url = server.new_database()
    Ledger.open(url).close()
    yield url
    server.drop_database(url)


def emptied(url: str) -> str:
    """The same ledger on PostgreSQL with nothing in it, its numbers beginning at 1 again."""
    with _engine(url).begin() as connection:
        for table in reversed(TABLES.sorted_tables):
            if table.name != "publishing":
                connection.execute(table.delete())
        connection.execute(text("UPDATE publishing SET publisher = NULL, token = 0, seconds = 0, expires = 0"))
        connection.execute(text("SELECT setval('outbox_sequence_seq', 1, false)"))
    return url
