"""The ledger's tables, as its statements see them; adapters/migrations makes them. The same on both engines."""

from __future__ import annotations

import hashlib
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

TABLES = sa.MetaData()

LONGEST_KEY = 600  #: characters, of at most four bytes each
KEPT_OF_A_KEY = 500  #: characters of a longer one, before its hash


class Words(TypeDecorator[str]):
    """Text that may come from outside. PostgreSQL keeps no NUL in a text; on both engines it becomes U+FFFD."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return value.replace("\0", "\ufffd") if value is not None and "\0" in value else value


class Key(Words):
    """Text from outside that an index holds. Those of PostgreSQL take 2,700 bytes: `as_key` cuts what is longer."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else as_key(value)


def as_key(text: str) -> str:
    """The text as an index holds it: a long one by its beginning and its hash, so that equal ones stay equal.

    What was cut already stays as it is.
    """
    text = text.replace("\0", "\ufffd")
    if len(text) <= LONGEST_KEY:
        return text
    return f"{text[:KEPT_OF_A_KEY]}#{hashlib.sha256(text.encode()).hexdigest()}"


#: Given by the database, never twice.
RisingNumber = sa.BigInteger().with_variant(sa.Integer, "sqlite")

episodes = sa.Table(
    "episodes",
    TABLES,
    sa.Column("id", Key, primary_key=True),
    sa.Column("title", Words),
    sa.Column("show", Words),
    sa.Column("document", Words, nullable=False),  # the whole Episode as JSON
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("updated", sa.Float, nullable=False),
    sa.Column("deleted", sa.Float),  # nothing is known of it any more
)

jobs = sa.Table(
    "jobs",
    TABLES,
    sa.Column("number", RisingNumber, primary_key=True, autoincrement=True),
    sa.Column("id", Key, nullable=False, unique=True),
    sa.Column("episode_id", Key, sa.ForeignKey("episodes.id"), nullable=False),
    sa.Column("state", Words, nullable=False),
    sa.Column("options", Words, nullable=False),
    sa.Column("audio_key", Words, nullable=False),
    sa.Column("dedupe_key", Key, nullable=False),  # unique among those that are not cancelled, nor deleted
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("lane", Key, nullable=False),  # what stands for the show where turns are taken
    sa.Column("turn", sa.Integer, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("crashes", sa.Integer, nullable=False),
    sa.Column("not_before", sa.Float, nullable=False),  # 0 = at once
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("updated", sa.Float, nullable=False),
    sa.Column("started", sa.Float),
    sa.Column("finished", sa.Float),
    sa.Column("lease_token", sa.Integer, nullable=False),  # 0 = never claimed
    sa.Column("lease_worker", Words),
    sa.Column("lease_seconds", sa.Float),
    sa.Column("lease_expires", sa.Float),
    sa.Column("progress", Words),
    sa.Column("error_code", Words),
    sa.Column("error_message", Words),
    sa.Column("error_retryable", sa.Boolean),
    sa.Column("transcript_key", Words),
    sa.Column("transcript_sha256", Words),
    sa.Column("revision", sa.Integer),
    sa.Column("audio_seconds", sa.Float),
    sa.Column("episode_json", Words, nullable=False),  # the Episode as this job describes it
    sa.Column("expected_seconds", sa.Float),  # of audio, guessed when the job was added
    sa.Column("traceparent", Words),  # of the request, for every event of the job
    sa.Column("deleted", sa.Float),  # with its episode
)

idempotency_keys = sa.Table(
    "idempotency_keys",
    TABLES,
    sa.Column("key", Key, primary_key=True),
    sa.Column("dedupe_key", Key, nullable=False),
    sa.Column("job_id", Key, sa.ForeignKey("jobs.id"), nullable=False),
    sa.Column("created", sa.Float, nullable=False),
)

lanes = sa.Table(
    "lanes",
    TABLES,
    sa.Column("priority", sa.Integer, primary_key=True),
    sa.Column("lane", Key, primary_key=True),
    sa.Column("last_turn", sa.Integer, nullable=False),
)

attempts = sa.Table(
    "attempts",
    TABLES,
    sa.Column("job_id", Key, sa.ForeignKey("jobs.id"), primary_key=True),
    sa.Column("token", sa.Integer, primary_key=True),
    sa.Column("worker", Words, nullable=False),
    sa.Column("started", sa.Float, nullable=False),
    sa.Column("ended", sa.Float),
    sa.Column("outcome", Words),  # done, failed, crashed, expired, released, cancelled
    sa.Column("error_code", Words),
)

outbox = sa.Table(
    "outbox",
    TABLES,
    sa.Column("sequence", RisingNumber, primary_key=True, autoincrement=True),
    sa.Column("event_id", Key, nullable=False, unique=True),
    sa.Column("job_id", Key, sa.ForeignKey("jobs.id"), nullable=False),
    sa.Column("subject", Words, nullable=False),
    sa.Column("document", Words, nullable=False),  # the whole Event as JSON
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("published", sa.Float),
)

deletions = sa.Table(
    "deletions",
    TABLES,
    sa.Column("number", RisingNumber, primary_key=True, autoincrement=True),
    sa.Column("episode_id", Key, sa.ForeignKey("episodes.id"), nullable=False),
    sa.Column("deleted", sa.Float, nullable=False),
    sa.Column("deleted_by", Words, nullable=False),
    sa.Column("revision", sa.Integer),  # of the last transcript there was
    sa.Column("erased", sa.Float),  # when the store had nothing of it any more
)

#: What a job's row named before its transcript was replaced by hand. The row itself names the newest: a version of
#: before there were such revisions finds that one, and counts on from it.
earlier_revisions = sa.Table(
    "earlier_revisions",
    TABLES,
    sa.Column("episode_id", Key, sa.ForeignKey("episodes.id"), primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True),
    sa.Column("job_id", Key, sa.ForeignKey("jobs.id"), nullable=False),
    sa.Column("transcript_key", Words, nullable=False),
    sa.Column("transcript_sha256", Words, nullable=False),
    sa.Column("replaced", sa.Float, nullable=False),
)

publishing = sa.Table(
    "publishing",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),  # one row alone: the lease to publish
    sa.Column("publisher", Words),
    sa.Column("token", sa.Integer, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("expires", sa.Float, nullable=False),
)


webhooks = sa.Table(
    "webhooks",
    TABLES,
    sa.Column("number", RisingNumber, primary_key=True, autoincrement=True),
    sa.Column("id", Key, nullable=False, unique=True),
    sa.Column("url", Words, nullable=False),
    sa.Column("events", Words, nullable=False),  # their types, as a JSON array
    sa.Column("description", Words),
    sa.Column("state", Words, nullable=False),
    sa.Column("reason", Words),  # why it is disabled
    sa.Column("secret", Words, nullable=False),
    sa.Column("earlier_secret", Words),  # signed with too, until then
    sa.Column("earlier_until", sa.Float),
    sa.Column("failing_since", sa.Float),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("updated", sa.Float, nullable=False),
    sa.Column("lease_token", sa.Integer, nullable=False),  # 0 = nothing was ever sent
    sa.Column("lease_seconds", sa.Float),
    sa.Column("lease_expires", sa.Float),
    sa.Column("served", sa.Float, nullable=False),  # when it was last leased, 0 = never
)

#: Events on their way. They go with their event. There is no reference to the webhook: by one, who removes it and who
#: moves a job would wait for each other, and a job could fail. What is left of a removed one is tidied.
deliveries = sa.Table(
    "deliveries",
    TABLES,
    sa.Column("number", RisingNumber, primary_key=True, autoincrement=True),  # in the order of the events
    sa.Column("webhook_id", Key, nullable=False),
    sa.Column("event_id", Key, sa.ForeignKey("outbox.event_id", ondelete="CASCADE"), nullable=False),
    sa.Column("event_type", Words, nullable=False),
    sa.Column("subject", Words, nullable=False),
    sa.Column("state", Words, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("asked", sa.Float, nullable=False),  # when the schedule of its tries began
    sa.Column("next_try", sa.Float),  # of one that waits
    sa.Column("last_try", sa.Float),
    sa.Column("last_status", sa.Integer),
    sa.Column("last_code", Words),
    sa.Column("finished", sa.Float),
    sa.UniqueConstraint("webhook_id", "event_id"),
)


#: Shows that agreed to have their people's voices kept; without a row here nothing stands in `voices`.
voice_consents = sa.Table(
    "voice_consents",
    TABLES,
    sa.Column("show_key", Words, primary_key=True),  # what two spellings of the show have in common
    sa.Column("show", Words, nullable=False),
    sa.Column("given_by", Words, nullable=False),
    sa.Column("given_at", sa.Float, nullable=False),
)

voices = sa.Table(
    "voices",
    TABLES,
    sa.Column("show_key", Words, sa.ForeignKey("voice_consents.show_key"), primary_key=True),
    sa.Column("name", Words, primary_key=True),
    sa.Column("model", Words, primary_key=True),
    sa.Column("episode_id", Words, primary_key=True),  # no reference: a voice may outlive the episode's job
    sa.Column("embedding", Words, nullable=False),  # a JSON array
    sa.Column("seconds", sa.Float, nullable=False),
)


class _DatabaseClock(FunctionElement[float]):
    """Seconds since 1970 by the database's clock; one time for the whole statement."""

    type = sa.Float()
    inherit_cache = True


@compiles(_DatabaseClock, "sqlite")
def _sqlite_clock(element: _DatabaseClock, compiler: SQLCompiler, **_: Any) -> str:
    """To the millisecond. 2440587.5 is the Julian day of 1970."""
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(_DatabaseClock, "postgresql")
def _postgres_clock(element: _DatabaseClock, compiler: SQLCompiler, **_: Any) -> str:
    """The statement's time, not the transaction's: that one stands still while a lock is waited for."""
    return "CAST(EXTRACT(EPOCH FROM statement_timestamp()) AS FLOAT)"


#: The time, in a statement that is given the parameter `clock_offset`.
PRESENT = _DatabaseClock() + sa.bindparam("clock_offset", type_=sa.Float)
