"""The ledger on SQLite: episodes, jobs, attempts and the outbox, moved by transactions alone.

One function per statement, named for its purpose, over the tables drawn here; adapters/migrations makes them.
A write takes the database's write lock first, then reads the database's clock once and uses that one time for
everything it writes. Durable when it returns: write-ahead log, synchronous=FULL.
"""

from __future__ import annotations

import random
import sqlite3
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DBAPIError

from schemas.episode import Episode
from schemas.errors import LeaseLost, NotFound, NotReady, OptionError, Refused, StenocastError, TransientError
from schemas.events import Event, EventType
from schemas.job import Job, JobError, JobOptions, JobState, Progress
from schemas.wire import read_json, write_json
from transcription.jobs import (
    BACK_OFF_SECONDS,
    AfterFailure,
    after_failure,
    amended_episode,
    asked_episode,
    heard_episode,
    instant,
    job_event,
    lane_of,
    next_turn,
    shown_episode,
    transcript_event,
)
from transcription.ports import Backlog, Claimed, Holder, Lease, NewJob, Result

MIGRATIONS = Path(__file__).parent / "migrations"

#: How long a statement waits for another process's write before it gives up with `database_busy`.
BUSY_SECONDS = 10.0

#: A row by its column names; what is in it is the statement's business and `_job`'s.
DatabaseRow = Any

TABLES = sa.MetaData()

episodes = sa.Table(
    "episodes",
    TABLES,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("title", sa.Text),
    sa.Column("show", sa.Text),
    sa.Column("document", sa.Text, nullable=False),  # the whole Episode as JSON
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("updated", sa.Float, nullable=False),
)

jobs = sa.Table(
    "jobs",
    TABLES,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("episode_id", sa.Text, sa.ForeignKey("episodes.id"), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("options", sa.Text, nullable=False),
    sa.Column("audio_key", sa.Text, nullable=False),
    sa.Column("dedupe_key", sa.Text, nullable=False),  # unique among the jobs that are not cancelled
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("lane", sa.Text, nullable=False),  # the show, as far as taking turns goes
    sa.Column("turn", sa.Integer, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("crashes", sa.Integer, nullable=False),
    sa.Column("not_before", sa.Float, nullable=False),  # 0 = at once
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("updated", sa.Float, nullable=False),
    sa.Column("started", sa.Float),
    sa.Column("finished", sa.Float),
    sa.Column("lease_token", sa.Integer, nullable=False),  # 0 = never claimed
    sa.Column("lease_worker", sa.Text),
    sa.Column("lease_seconds", sa.Float),
    sa.Column("lease_expires", sa.Float),
    sa.Column("progress", sa.Text),
    sa.Column("error_code", sa.Text),
    sa.Column("error_message", sa.Text),
    sa.Column("error_retryable", sa.Boolean),
    sa.Column("transcript_key", sa.Text),
    sa.Column("transcript_sha256", sa.Text),
    sa.Column("revision", sa.Integer),
    sa.Column("audio_seconds", sa.Float),
    sa.Column("episode_json", sa.Text, nullable=False),  # the Episode as this job describes it
    sa.Column("expected_seconds", sa.Float),  # of audio, guessed when the job was added
    sa.Column("traceparent", sa.Text),  # of the request, for every event of the job
)

idempotency_keys = sa.Table(
    "idempotency_keys",
    TABLES,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("dedupe_key", sa.Text, nullable=False),
    sa.Column("job_id", sa.Text, sa.ForeignKey("jobs.id"), nullable=False),
    sa.Column("created", sa.Float, nullable=False),
)

lanes = sa.Table(
    "lanes",
    TABLES,
    sa.Column("priority", sa.Integer, primary_key=True),
    sa.Column("lane", sa.Text, primary_key=True),
    sa.Column("last_turn", sa.Integer, nullable=False),
)

attempts = sa.Table(
    "attempts",
    TABLES,
    sa.Column("job_id", sa.Text, sa.ForeignKey("jobs.id"), primary_key=True),
    sa.Column("token", sa.Integer, primary_key=True),
    sa.Column("worker", sa.Text, nullable=False),
    sa.Column("started", sa.Float, nullable=False),
    sa.Column("ended", sa.Float),
    sa.Column("outcome", sa.Text),  # done, failed, crashed, expired, released, cancelled
    sa.Column("error_code", sa.Text),
)

outbox = sa.Table(
    "outbox",
    TABLES,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("event_id", sa.Text, nullable=False, unique=True),
    sa.Column("job_id", sa.Text, sa.ForeignKey("jobs.id"), nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),  # the whole Event as JSON
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("published", sa.Float),
)

publishing = sa.Table(
    "publishing",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),  # one row alone: the lease to publish
    sa.Column("publisher", sa.Text),
    sa.Column("token", sa.Integer, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("expires", sa.Float, nullable=False),
)

#: What the holder's fields become when a lease ends.
_NO_LEASE: dict[str, None] = {"lease_worker": None, "lease_seconds": None, "lease_expires": None, "progress": None}
_NO_ERROR: dict[str, None] = {"error_code": None, "error_message": None, "error_retryable": None}


def _in_state(state: JobState) -> sa.ColumnElement[bool]:
    """The state written out in the statement: SQLite uses a partial index only when it can read the condition."""
    return jobs.c.state == sa.literal_column(f"'{state.value}'")


def _in_pieces(values: Sequence[str], most: int = 500) -> Iterator[Sequence[str]]:
    """A long list in pieces that one statement takes as parameters."""
    distinct = list(dict.fromkeys(values))
    return (distinct[start : start + most] for start in range(0, len(distinct), most))


# ---------------------------------------------------------------- the clock


def _database_now(connection: Connection, offset: float) -> float:
    """Seconds since 1970 by the database's clock, to the millisecond. 2440587.5 is the Julian day of 1970."""
    return float(connection.scalar(_CLOCK) or 0.0) + offset


_CLOCK = sa.select((sa.func.julianday("now") - 2440587.5) * 86400.0)


# ---------------------------------------------------------------- statements about episodes


_EPISODE = sa.select(episodes.c.document).where(episodes.c.id == sa.bindparam("wanted"))


def _find_episode(connection: Connection, episode_id: str) -> Episode | None:
    document = connection.scalar(_EPISODE, {"wanted": episode_id})
    return None if document is None else read_json(Episode, document)


def _insert_episode(connection: Connection, episode: Episode, now: float) -> None:
    connection.execute(
        sa.insert(episodes).values(
            id=episode.id,
            title=episode.title,
            show=episode.show,
            document=write_json(episode).decode(),
            created=now,
            updated=now,
        )
    )


_UPDATE_EPISODE = (
    sa.update(episodes)
    .where(episodes.c.id == sa.bindparam("wanted"))
    .values(
        title=sa.bindparam("new_title"),
        show=sa.bindparam("new_show"),
        document=sa.bindparam("new_document"),
        updated=sa.bindparam("present"),
    )
)


def _update_episode(connection: Connection, episode: Episode, now: float) -> None:
    values = {
        "wanted": episode.id,
        "new_title": episode.title,
        "new_show": episode.show,
        "new_document": write_json(episode).decode(),
        "present": now,
    }
    connection.execute(_UPDATE_EPISODE, values)


# ---------------------------------------------------------------- statements about jobs


#: The episode is left out: it may be long, lists do not show it, and it is read alone where it is wanted.
_JOB_COLUMNS = sa.select(
    *(column for column in jobs.c if column is not jobs.c.episode_json), episodes.c.title, episodes.c.show
).join(episodes)
_JOB_OF_ID = _JOB_COLUMNS.where(jobs.c.id == sa.bindparam("wanted"))
_JOB_OF_NUMBER = _JOB_COLUMNS.where(jobs.c.number == sa.bindparam("wanted"))


def _find_job(connection: Connection, job_id: str) -> DatabaseRow | None:
    return connection.execute(_JOB_OF_ID, {"wanted": job_id}).first()


def _find_job_by_number(connection: Connection, number: int) -> DatabaseRow | None:
    return connection.execute(_JOB_OF_NUMBER, {"wanted": number}).first()


def _find_same_request(connection: Connection, dedupe_key: str) -> str | None:
    """The id of the job with this dedupe key, cancelled ones aside."""
    found: str | None = connection.scalar(
        sa.select(jobs.c.id).where(
            jobs.c.dedupe_key == dedupe_key, jobs.c.state != sa.literal_column(f"'{JobState.CANCELLED.value}'")
        )
    )
    return found


def _find_known_requests(connection: Connection, dedupe_keys: Sequence[str]) -> set[str]:
    """Asked in two halves, for there is an index of the cancelled and one of the others."""
    halves = (_in_state(JobState.CANCELLED), sa.not_(_in_state(JobState.CANCELLED)))
    found: set[str] = set()
    for some in _in_pieces(dedupe_keys):
        for has_state in halves:
            found.update(
                connection.scalars(sa.select(jobs.c.dedupe_key).where(has_state, jobs.c.dedupe_key.in_(some)))
            )
    return found


def _find_never_claimed(connection: Connection, dedupe_key: str) -> DatabaseRow | None:
    """The waiting job with this dedupe key, with the episode as it describes it, if no worker ever saw it."""
    return connection.execute(
        _JOB_COLUMNS.add_columns(jobs.c.episode_json).where(
            jobs.c.dedupe_key == dedupe_key, _in_state(JobState.QUEUED), jobs.c.lease_token == 0
        )
    ).first()


def _amend_job(
    connection: Connection, number: int, new: NewJob, episode: Episode, *, lane: str, turn: int, now: float
) -> None:
    values: dict[str, Any] = {} if new.expected_seconds is None else {"expected_seconds": new.expected_seconds}
    connection.execute(
        sa.update(jobs)
        .where(jobs.c.number == number)
        .values(
            episode_json=write_json(episode).decode(),
            options=write_json(new.options).decode(),
            priority=new.priority,
            lane=lane,
            turn=turn,
            updated=now,
            **values,
        )
    )


def _find_idempotency_key(connection: Connection, key: str) -> DatabaseRow | None:
    return connection.execute(sa.select(idempotency_keys).where(idempotency_keys.c.key == key)).first()


def _insert_idempotency_key(connection: Connection, key: str, dedupe_key: str, job_id: str, now: float) -> None:
    connection.execute(sa.insert(idempotency_keys).values(key=key, dedupe_key=dedupe_key, job_id=job_id, created=now))


_ASKED_EPISODE = sa.select(jobs.c.episode_json).where(jobs.c.number == sa.bindparam("wanted"))


def _episode_of_job(connection: Connection, number: int) -> Episode:
    """The episode as the job with this number describes it."""
    return read_json(Episode, connection.scalars(_ASKED_EPISODE, {"wanted": number}).one())


def _insert_job(
    connection: Connection, new: NewJob, episode: Episode, *, job_id: str, lane: str, turn: int, now: float
) -> None:
    connection.execute(
        sa.insert(jobs).values(
            id=job_id,
            episode_id=new.episode.id,
            state=(JobState.FAILED if new.failed else JobState.QUEUED).value,
            options=write_json(new.options).decode(),
            audio_key=new.audio_key,
            dedupe_key=new.dedupe_key,
            priority=new.priority,
            lane=lane,
            turn=turn,
            attempts=0,
            crashes=0,
            not_before=0.0,
            created=now,
            updated=now,
            lease_token=0,
            episode_json=write_json(episode).decode(),
            expected_seconds=new.expected_seconds,
            traceparent=new.traceparent,
            finished=now if new.failed else None,
            error_code=new.failed.code if new.failed else None,
            error_message=new.failed.message if new.failed else None,
            error_retryable=new.failed.retryable if new.failed else None,
        )
    )


def _take_turn(connection: Connection, priority: int, lane: str) -> int:
    """Give a show its next turn at this priority and remember it."""
    last = connection.scalar(sa.select(lanes.c.last_turn).where(lanes.c.priority == priority, lanes.c.lane == lane))
    turn = next_turn(
        lane_last=last,
        waiting_first=connection.scalar(
            sa.select(sa.func.min(jobs.c.turn)).where(_in_state(JobState.QUEUED), jobs.c.priority == priority)
        ),
        lanes_last=connection.scalar(sa.select(sa.func.max(lanes.c.last_turn)).where(lanes.c.priority == priority)),
    )
    if last is None:
        connection.execute(sa.insert(lanes).values(priority=priority, lane=lane, last_turn=turn))
    else:
        connection.execute(
            sa.update(lanes).where(lanes.c.priority == priority, lanes.c.lane == lane).values(last_turn=turn)
        )
    return turn


_running = jobs.alias("running")

#: Two jobs of one episode never run at once: their revisions would race.
_EPISODE_IS_FREE = ~(
    sa.select(sa.literal(1))
    .where(_running.c.episode_id == jobs.c.episode_id, _running.c.state == sa.literal_column("'running'"))
    .correlate(jobs)
    .exists()
)

_BEST_JOB = (
    sa.select(jobs.c.number)
    .where(_in_state(JobState.QUEUED), jobs.c.not_before <= sa.bindparam("present"), _EPISODE_IS_FREE)
    .order_by(jobs.c.priority.desc(), jobs.c.turn, jobs.c.number)
    .limit(1)
)

_CLAIM = (
    sa.update(jobs)
    .where(jobs.c.number == _BEST_JOB.scalar_subquery(), _in_state(JobState.QUEUED))
    .values(
        state=JobState.RUNNING.value,
        lease_token=jobs.c.lease_token + 1,
        lease_worker=sa.bindparam("holder"),
        lease_seconds=sa.bindparam("lease_length"),
        lease_expires=sa.bindparam("lease_end"),
        started=sa.bindparam("present"),
        updated=sa.bindparam("present"),
        not_before=0.0,
    )
    .returning(jobs.c.number)
)


def _claim_best(connection: Connection, worker: str, lease_seconds: float, now: float) -> int | None:
    """Lease the best queued job to a worker; its number, or None where none is due."""
    number: int | None = connection.execute(
        _CLAIM,
        {"present": now, "holder": worker, "lease_length": lease_seconds, "lease_end": now + lease_seconds},
    ).scalar()
    return number


_HELD = (
    jobs.c.id == sa.bindparam("held_job"),
    _in_state(JobState.RUNNING),
    jobs.c.lease_token == sa.bindparam("held_token"),
)

_PROLONG = (
    sa.update(jobs)
    .where(*_HELD)
    .values(lease_expires=sa.bindparam("lease_end"), lease_seconds=sa.bindparam("lease_length"))
)


def _prolong_lease(connection: Connection, lease: Lease, now: float) -> bool:
    values = {"lease_end": now + lease.seconds, "lease_length": lease.seconds}
    return connection.execute(_PROLONG, values | _holder(lease)).rowcount == 1


_PROGRESS = sa.update(jobs).where(*_HELD).values(progress=sa.bindparam("how_far"), updated=sa.bindparam("present"))


def _write_progress(connection: Connection, lease: Lease, progress: Progress, now: float) -> bool:
    values = {"how_far": write_json(progress).decode(), "present": now}
    return connection.execute(_PROGRESS, values | _holder(lease)).rowcount == 1


def _holder(lease: Lease) -> dict[str, Any]:
    return {"held_job": lease.job_id, "held_token": lease.token}


_HELD_JOB = _JOB_COLUMNS.where(*_HELD)


def _find_held(connection: Connection, lease: Lease) -> DatabaseRow | None:
    """The job, if the lease is still its lease."""
    return connection.execute(_HELD_JOB, _holder(lease)).first()


_DONE = (
    sa.update(jobs)
    .where(*_HELD)
    .values(
        state=JobState.DONE.value,
        updated=sa.bindparam("present"),
        finished=sa.bindparam("present"),
        transcript_key=sa.bindparam("document_key"),
        transcript_sha256=sa.bindparam("document_sha256"),
        revision=sa.bindparam("next_revision"),
        audio_seconds=sa.bindparam("heard_seconds"),
        **_NO_LEASE,
        **_NO_ERROR,
    )
)


def _move_to_done(connection: Connection, lease: Lease, result: Result, revision: int, now: float) -> None:
    connection.execute(
        _DONE,
        {
            "present": now,
            "document_key": result.document_key,
            "document_sha256": result.document_sha256,
            "next_revision": revision,
            "heard_seconds": result.audio_seconds,
        }
        | _holder(lease),
    )


_LATEST_REVISION = sa.select(sa.func.max(jobs.c.revision)).where(jobs.c.episode_id == sa.bindparam("wanted"))


def _next_revision(connection: Connection, episode_id: str) -> int:
    return 1 + int(connection.scalar(_LATEST_REVISION, {"wanted": episode_id}) or 0)


def _move_after_failure(connection: Connection, job_id: str, token: int, after: AfterFailure, now: float) -> None:
    connection.execute(
        sa.update(jobs)
        .where(jobs.c.id == job_id, _in_state(JobState.RUNNING), jobs.c.lease_token == token)
        .values(
            state=(JobState.FAILED if after.is_final else JobState.QUEUED).value,
            attempts=after.attempts,
            crashes=after.crashes,
            not_before=0.0 if after.delay_seconds is None else now + after.delay_seconds,
            updated=now,
            finished=now if after.is_final else None,
            error_code=after.error.code,
            error_message=after.error.message,
            error_retryable=after.error.retryable,
            **_NO_LEASE,
        )
    )


def _move_back_to_queue(
    connection: Connection, lease: Lease, delay: float, reason: JobError | None, now: float
) -> None:
    error = {
        "error_code": reason.code if reason else None,
        "error_message": reason.message if reason else None,
        "error_retryable": reason.retryable if reason else None,
    }
    connection.execute(
        sa.update(jobs)
        .where(jobs.c.id == lease.job_id, _in_state(JobState.RUNNING), jobs.c.lease_token == lease.token)
        .values(
            state=JobState.QUEUED.value,
            not_before=now + delay if delay > 0 else 0.0,
            updated=now,
            **_NO_LEASE,
            **error,
        )
    )


def _move_to_cancelled(connection: Connection, job_id: str, now: float) -> None:
    connection.execute(
        sa.update(jobs)
        .where(jobs.c.id == job_id, jobs.c.state.in_([JobState.QUEUED.value, JobState.RUNNING.value]))
        .values(state=JobState.CANCELLED.value, updated=now, finished=now, **_NO_LEASE)
    )


def _move_failed_to_queue(connection: Connection, job_id: str, turn: int, now: float) -> None:
    connection.execute(
        sa.update(jobs)
        .where(jobs.c.id == job_id, _in_state(JobState.FAILED))
        .values(
            state=JobState.QUEUED.value,
            attempts=0,
            crashes=0,
            not_before=0.0,
            turn=turn,
            updated=now,
            started=None,
            finished=None,
            **_NO_ERROR,
        )
    )


def _shorten_leases_from_the_future(connection: Connection, now: float) -> None:
    """After a clock that was set back, a lease would last for as long as the clock was wrong."""
    connection.execute(
        sa.update(jobs)
        .where(_in_state(JobState.RUNNING), jobs.c.lease_expires > now + jobs.c.lease_seconds + 1.0)
        .values(lease_expires=now + jobs.c.lease_seconds)
    )


def _find_expired(connection: Connection, now: float) -> Sequence[DatabaseRow]:
    return connection.execute(
        _JOB_COLUMNS.where(_in_state(JobState.RUNNING), jobs.c.lease_expires < now).order_by(jobs.c.number)
    ).all()


_EXPIRED_NUMBERS = sa.select(jobs.c.number).where(
    _in_state(JobState.RUNNING),
    sa.or_(
        jobs.c.lease_expires < sa.bindparam("present"),
        jobs.c.lease_expires > sa.bindparam("present") + jobs.c.lease_seconds + 1.0,
    ),
)


def _any_to_rescue(connection: Connection, now: float) -> bool:
    return connection.scalar(_EXPIRED_NUMBERS.limit(1), {"present": now}) is not None


def _list_jobs(
    connection: Connection, state: JobState | None, below: int | None, limit: int
) -> Sequence[DatabaseRow]:
    statement = _JOB_COLUMNS.order_by(jobs.c.number.desc()).limit(limit)
    if state is not None:
        statement = statement.where(_in_state(state))
    if below is not None:
        statement = statement.where(jobs.c.number < below)
    return connection.execute(statement).all()


def _find_holders(connection: Connection, job_ids: Sequence[str]) -> dict[str, Holder]:
    return {
        row.id: Holder(JobState(row.state), row.lease_token, row.transcript_key)
        for some in _in_pieces(job_ids)
        for row in connection.execute(
            sa.select(jobs.c.id, jobs.c.state, jobs.c.lease_token, jobs.c.transcript_key).where(jobs.c.id.in_(some))
        )
    }


def _audio_in(connection: Connection, state: JobState) -> tuple[int, float]:
    """How many jobs are in a state, and the seconds of audio that are expected of them."""
    count, seconds = connection.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(jobs.c.expected_seconds), 0.0)).where(
            _in_state(state)
        )
    ).one()
    return count, seconds


def _oldest_due(connection: Connection, now: float) -> float | None:
    """When the oldest of the jobs that could be claimed now was added."""
    oldest: float | None = connection.scalar(
        sa.select(sa.func.min(jobs.c.created)).where(
            _in_state(JobState.QUEUED), jobs.c.not_before <= now, _EPISODE_IS_FREE
        )
    )
    return oldest


def _unpublished(connection: Connection) -> tuple[int, float | None]:
    """How many events wait to be published, and when the oldest was written."""
    count, oldest = connection.execute(
        sa.select(sa.func.count(), sa.func.min(outbox.c.created)).where(outbox.c.published.is_(None))
    ).one()
    return count, oldest


def _find_revision(connection: Connection, episode_id: str, revision: int | None) -> DatabaseRow | None:
    """The done job of a revision, by default the latest."""
    statement = _JOB_COLUMNS.where(jobs.c.episode_id == episode_id, jobs.c.revision.is_not(None))
    if revision is not None:
        statement = statement.where(jobs.c.revision == revision)
    return connection.execute(statement.order_by(jobs.c.revision.desc()).limit(1)).first()


# ---------------------------------------------------------------- statements about attempts and the outbox


_INSERT_ATTEMPT = sa.insert(attempts)


def _insert_attempt(connection: Connection, lease: Lease, now: float) -> None:
    values = {"job_id": lease.job_id, "token": lease.token, "worker": lease.worker, "started": now}
    connection.execute(_INSERT_ATTEMPT, values)


_END_ATTEMPT = (
    sa.update(attempts)
    .where(attempts.c.job_id == sa.bindparam("of_job"), attempts.c.token == sa.bindparam("of_token"))
    .values(ended=sa.bindparam("present"), outcome=sa.bindparam("how"), error_code=sa.bindparam("code"))
)


def _end_attempt(connection: Connection, job_id: str, token: int, outcome: str, code: str | None, now: float) -> None:
    connection.execute(
        _END_ATTEMPT, {"of_job": job_id, "of_token": token, "present": now, "how": outcome, "code": code}
    )


_INSERT_EVENT = sa.insert(outbox)


def _insert_event(connection: Connection, event: Event, job_id: str, now: float) -> None:
    values = {
        "event_id": event.id,
        "job_id": job_id,
        "subject": event.subject,
        "document": write_json(event).decode(),
        "created": now,
    }
    connection.execute(_INSERT_EVENT, values)


def _list_pending_events(connection: Connection, limit: int) -> Sequence[DatabaseRow]:
    return connection.execute(
        sa.select(outbox.c.sequence, outbox.c.document)
        .where(outbox.c.published.is_(None))
        .order_by(outbox.c.sequence)
        .limit(limit)
    ).all()


def _mark_events(connection: Connection, sequence_numbers: Sequence[int], now: float) -> None:
    connection.execute(
        sa.update(outbox)
        .where(outbox.c.sequence.in_(sequence_numbers), outbox.c.published.is_(None))
        .values(published=now)
    )


def _list_events_of(connection: Connection, job_id: str, after: int) -> Sequence[DatabaseRow]:
    return connection.execute(
        sa.select(outbox.c.sequence, outbox.c.document)
        .where(outbox.c.job_id == job_id, outbox.c.sequence > after)
        .order_by(outbox.c.sequence)
    ).all()


def _take_publishing(connection: Connection, publisher: str, seconds: float, now: float) -> int | None:
    """The lease to publish, if it is free or this publisher's own; one from the future was left by a wrong clock."""
    is_another = sa.func.coalesce(publishing.c.publisher, "") != publisher
    token: int | None = connection.scalar(
        sa.update(publishing)
        .where(
            sa.or_(
                publishing.c.publisher.is_(None),
                publishing.c.publisher == publisher,
                publishing.c.expires < now,
                publishing.c.expires > now + publishing.c.seconds + 1.0,
            )
        )
        .values(
            publisher=publisher,
            token=publishing.c.token + sa.case((is_another, 1), else_=0),
            seconds=seconds,
            expires=now + seconds,
        )
        .returning(publishing.c.token)
    )
    return token


def _give_publishing_up(connection: Connection, publisher: str) -> None:
    connection.execute(sa.update(publishing).where(publishing.c.publisher == publisher).values(publisher=None))


# ---------------------------------------------------------------- the schema's version


def _schema_version(connection: Connection) -> str | None:
    """The migration that the database is at, None for a new one."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return version


def _newest_version() -> str:
    """The version that the last migration's file name begins with."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("*.py"))


def _upgrade(connection: Connection) -> None:
    """Run the migrations. Alembic takes most of a second to import and is wanted once in a ledger's life."""
    import alembic.command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    alembic.command.upgrade(config, "head")


# ---------------------------------------------------------------- the port


class Ledger:
    """`JobQueue` on a SQLite file that several processes may open at once.

    `jitter` gives random numbers from 0 to 1 for the back-off. `clock_offset` seconds are added to the
    database's clock: tests step time with it. Every method raises TransientError `database_busy` when another
    process holds the write lock for longer than `busy_seconds`, and NotReady `ledger_full`, `ledger_damaged`
    or `ledger_unavailable` when the file cannot be written or read at all.
    """

    def __init__(
        self,
        url: str,
        *,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
        jitter: Callable[[], float] = random.random,
        back_off_seconds: float = BACK_OFF_SECONDS,
        busy_seconds: float = BUSY_SECONDS,
        clock_offset: float = 0.0,
    ) -> None:
        self._path = _file_of(url)
        self._new_id = new_id
        self._jitter = jitter
        self._back_off_seconds = back_off_seconds
        self.clock_offset = clock_offset
        self._engine = _engine(url, busy_seconds)

    @classmethod
    def open(cls, url: str, **settings: Any) -> Ledger:
        """The ledger at `url`, made or brought to the present schema first."""
        ledger = cls(url, **settings)
        ledger.migrate()
        return ledger

    def migrate(self) -> None:
        """Bring the schema up to date. Safe when several processes start at once: one migrates, the others wait."""
        from filelock import FileLock

        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with (
                FileLock(f"{self._path}.migrating"),
                _translated(self._path),
                self._engine.connect() as connection,
            ):
                if _schema_version(connection) != _newest_version():
                    _upgrade(connection)
                connection.commit()
        except OSError as error:
            raise NotReady(f"{self._path}: {error.strerror or error}", code="ledger_unavailable") from error

    def close(self) -> None:
        self._engine.dispose()

    # -- taking in

    def add(self, new: NewJob, *, job_id: str) -> tuple[Job, bool]:
        with self._writing() as (connection, now):
            return self._add(connection, new, job_id, now)

    def add_all(self, news: Sequence[NewJob], *, new_id: Callable[[], str]) -> Sequence[tuple[Job, bool] | Refused]:
        with self._writing() as (connection, now):
            return [self._add_or_refuse(connection, new, new_id(), now) for new in news]

    def _add_or_refuse(
        self, connection: Connection, new: NewJob, job_id: str, now: float
    ) -> tuple[Job, bool] | Refused:
        """A refusal is raised before anything is written, so that the transaction may go on."""
        try:
            return self._add(connection, new, job_id, now)
        except Refused as refusal:
            return refusal

    def _add(self, connection: Connection, new: NewJob, job_id: str, now: float) -> tuple[Job, bool]:
        known = self._known_request(connection, new, now)
        if known is not None:
            return known, False
        earlier = _find_episode(connection, new.episode.id)
        episode = asked_episode(earlier, new.episode)
        self._show(connection, earlier, episode, now)
        lane = lane_of(episode)
        turn = _take_turn(connection, new.priority, lane)
        _insert_job(connection, new, episode, job_id=job_id, lane=lane, turn=turn, now=now)
        if new.idempotency_key is not None:
            _insert_idempotency_key(connection, new.idempotency_key, new.dedupe_key, job_id, now)
        kind = EventType.JOB_FAILED if new.failed else EventType.JOB_QUEUED
        return self._moved(connection, job_id, kind, now), True

    def _show(self, connection: Connection, earlier: Episode | None, asked: Episode, now: float) -> None:
        """Write what is shown of an episode now that a job describes it as `asked`."""
        is_transcribed = _next_revision(connection, asked.id) > 1
        shown = shown_episode(earlier, asked, is_transcribed=is_transcribed)
        if earlier is None:
            _insert_episode(connection, shown, now)
        elif shown != earlier:
            _update_episode(connection, shown, now)

    def amend(self, new: NewJob) -> Job | None:
        with self._writing() as (connection, now):
            row = _find_never_claimed(connection, new.dedupe_key)
            if row is None:
                return None
            episode = amended_episode(read_json(Episode, row.episode_json), new.episode)
            self._show(connection, _find_episode(connection, row.episode_id), episode, now)
            lane, turn = lane_of(episode), row.turn
            if (new.priority, lane) != (row.priority, row.lane):
                turn = _take_turn(connection, new.priority, lane)
            _amend_job(connection, row.number, new, episode, lane=lane, turn=turn, now=now)
            return self._require_job(connection, row.id)

    def known_requests(self, dedupe_keys: Sequence[str]) -> frozenset[str]:
        with self._reading() as connection:
            return frozenset(_find_known_requests(connection, dedupe_keys))

    def _known_request(self, connection: Connection, new: NewJob, now: float) -> Job | None:
        """The job that this request already made, by its idempotency key or by what it asks for."""
        if new.idempotency_key is not None:
            used = _find_idempotency_key(connection, new.idempotency_key)
            if used is not None and used.dedupe_key != new.dedupe_key:
                raise Refused(
                    f"Idempotency-Key {new.idempotency_key!r} was used for another request",
                    code="idempotency_key_reused",
                )
            if used is not None:
                return self._require_job(connection, used.job_id)
        same = _find_same_request(connection, new.dedupe_key)
        if same is None:
            return None
        if new.idempotency_key is not None:
            _insert_idempotency_key(connection, new.idempotency_key, new.dedupe_key, same, now)
        return self._require_job(connection, same)

    def known(self, idempotency_key: str) -> Job | None:
        with self._reading() as connection:
            used = _find_idempotency_key(connection, idempotency_key)
            return None if used is None else self._require_job(connection, used.job_id)

    # -- the worker's moves

    def claim(self, worker: str, *, lease_seconds: float) -> Claimed | None:
        if not self._anything_due():
            return None
        with self._writing() as (connection, now):
            number = _claim_best(connection, worker, lease_seconds, now)
            row = None if number is None else _find_job_by_number(connection, number)
            if row is None:
                return None
            lease = Lease(job_id=row.id, token=row.lease_token, worker=worker, seconds=lease_seconds)
            _insert_attempt(connection, lease, now)
            job = _job(row)
            self._tell(connection, EventType.JOB_STARTED, job, row.traceparent, now)
            episode = _episode_of_job(connection, row.number)
            return Claimed(
                lease=lease, job=job, episode=episode, audio_key=row.audio_key, traceparent=row.traceparent
            )

    def _anything_due(self) -> bool:
        """Looked at without the write lock, so that idle workers do not hold each other up."""
        with self._reading() as connection:
            now = _database_now(connection, self.clock_offset)
            return connection.scalar(_BEST_JOB, {"present": now}) is not None

    def beat(self, lease: Lease) -> None:
        with self._writing() as (connection, now):
            if not _prolong_lease(connection, lease, now):
                raise _lost(lease)

    def progress(self, lease: Lease, progress: Progress) -> None:
        with self._writing() as (connection, now):
            if not _write_progress(connection, lease, progress, now):
                raise _lost(lease)

    def finish(self, lease: Lease, result: Result) -> Job:
        with self._writing() as (connection, now):
            row = _find_held(connection, lease)
            if row is None:
                raise _lost(lease)
            revision = _next_revision(connection, row.episode_id)
            _move_to_done(connection, lease, result, revision, now)
            _end_attempt(connection, lease.job_id, lease.token, "done", None, now)
            _update_episode(connection, heard_episode(_episode_of_job(connection, row.number), result), now)
            job = self._moved(connection, lease.job_id, EventType.JOB_DONE, now)
            ready = transcript_event(
                job, result, revision=revision, event_id=self._new_id(), now=now, traceparent=row.traceparent
            )
            _insert_event(connection, ready, job.id, now)
            return job

    def fail(self, lease: Lease, error: JobError, *, crashed: bool = False) -> Job:
        with self._writing() as (connection, now):
            row = _find_held(connection, lease)
            if row is None:
                raise _lost(lease)
            return self._failed(connection, row, error, crashed, "crashed" if crashed else "failed", now)

    def _failed(
        self, connection: Connection, row: DatabaseRow, error: JobError, crashed: bool, outcome: str, now: float
    ) -> Job:
        after = after_failure(
            error,
            attempts=row.attempts,
            crashes=row.crashes,
            crashed=crashed,
            jitter=self._jitter(),
            back_off_seconds=self._back_off_seconds,
        )
        _move_after_failure(connection, row.id, row.lease_token, after, now)
        _end_attempt(connection, row.id, row.lease_token, outcome, error.code, now)
        kind = EventType.JOB_FAILED if after.is_final else EventType.JOB_RETRYING
        return self._moved(connection, row.id, kind, now)

    def release(self, lease: Lease, *, delay_seconds: float = 0.0, reason: JobError | None = None) -> Job:
        with self._writing() as (connection, now):
            if _find_held(connection, lease) is None:
                raise _lost(lease)
            _move_back_to_queue(connection, lease, delay_seconds, reason, now)
            _end_attempt(connection, lease.job_id, lease.token, "released", reason.code if reason else None, now)
            return self._moved(connection, lease.job_id, EventType.JOB_QUEUED, now)

    def rescue(self) -> Sequence[Job]:
        with self._reading() as connection:
            if not _any_to_rescue(connection, _database_now(connection, self.clock_offset)):
                return ()
        with self._writing() as (connection, now):
            _shorten_leases_from_the_future(connection, now)
            return [
                self._failed(connection, row, _worker_lost(row.lease_worker), True, "expired", now)
                for row in _find_expired(connection, now)
            ]

    # -- what people ask for

    def cancel(self, job_id: str) -> Job:
        with self._writing() as (connection, now):
            job = self._require_job(connection, job_id)
            if job.state is JobState.CANCELLED:
                return job
            if job.state.is_final:
                raise Refused(f"job {job_id} is already {job.state}", code="job_already_final")
            row = _find_job(connection, job_id)
            _move_to_cancelled(connection, job_id, now)
            if row is not None and job.state is JobState.RUNNING:
                _end_attempt(connection, job_id, row.lease_token, "cancelled", None, now)
            return self._moved(connection, job_id, EventType.JOB_CANCELLED, now)

    def retry(self, job_id: str) -> Job:
        with self._writing() as (connection, now):
            row = _find_job(connection, job_id)
            job = self._require_job(connection, job_id)
            if row is None or job.state is not JobState.FAILED:
                raise Refused(
                    f"job {job_id} is {job.state}; only a failed job can be retried", code="job_not_retryable"
                )
            _move_failed_to_queue(connection, job_id, _take_turn(connection, row.priority, row.lane), now)
            return self._moved(connection, job_id, EventType.JOB_QUEUED, now)

    # -- reading

    def holders(self, job_ids: Sequence[str]) -> dict[str, Holder]:
        with self._reading() as connection:
            return _find_holders(connection, job_ids)

    def backlog(self) -> Backlog:
        with self._reading() as connection:
            now = _database_now(connection, self.clock_offset)
            queued, queued_seconds = _audio_in(connection, JobState.QUEUED)
            running, running_seconds = _audio_in(connection, JobState.RUNNING)
            unpublished, oldest_event = _unpublished(connection)
            return Backlog(
                queued_jobs=queued,
                running_jobs=running,
                queued_audio_seconds=queued_seconds,
                running_audio_seconds=running_seconds,
                oldest_queued_seconds=_age(_oldest_due(connection, now), now),
                unpublished_events=unpublished,
                oldest_unpublished_seconds=_age(oldest_event, now),
            )

    def job(self, job_id: str) -> Job:
        with self._reading() as connection:
            return self._require_job(connection, job_id)

    def jobs(self, *, state: JobState | None = None, limit: int = 50, before: str | None = None) -> Sequence[Job]:
        with self._reading() as connection:
            below = None
            if before is not None:
                row = _find_job(connection, before)
                if row is None:
                    raise _no_such_job(before)
                below = row.number
            return [_job(row) for row in _list_jobs(connection, state, below, limit)]

    def episode(self, episode_id: str) -> Episode:
        with self._reading() as connection:
            episode = _find_episode(connection, episode_id)
        if episode is None:
            raise NotFound(f"no episode {episode_id}", code="episode_not_found")
        return episode

    def latest_done(self, episode_id: str, *, revision: int | None = None) -> Job:
        with self._reading() as connection:
            row = _find_revision(connection, episode_id, revision)
        if row is None:
            which = "" if revision is None else f" of revision {revision}"
            raise NotFound(f"no transcript{which} for episode {episode_id}", code="transcript_not_found")
        return _job(row)

    # -- the outbox

    def pending_events(self, *, limit: int = 100) -> Sequence[tuple[int, Event]]:
        with self._reading() as connection:
            rows = _list_pending_events(connection, limit)
        return [(row.sequence, read_json(Event, row.document)) for row in rows]

    def mark_published(self, sequence_numbers: Sequence[int]) -> None:
        if not sequence_numbers:
            return
        with self._writing() as (connection, now):
            _mark_events(connection, sequence_numbers, now)

    def lead_publishing(self, publisher: str, *, seconds: float) -> int | None:
        with self._writing() as (connection, now):
            return _take_publishing(connection, publisher, seconds, now)

    def resign_publishing(self, publisher: str) -> None:
        with self._writing() as (connection, _):
            _give_publishing_up(connection, publisher)

    def events_of(self, job_id: str, *, after: int = 0) -> Sequence[tuple[int, Event]]:
        with self._reading() as connection:
            rows = _list_events_of(connection, job_id, after)
        return [(row.sequence, read_json(Event, row.document)) for row in rows]

    # -- shared steps

    def _moved(self, connection: Connection, job_id: str, kind: EventType, now: float) -> Job:
        """The job as it is now, with the event about its move in the outbox."""
        row = _find_job(connection, job_id)
        if row is None:
            raise _no_such_job(job_id)
        job = _job(row)
        self._tell(connection, kind, job, row.traceparent, now)
        return job

    def _tell(self, connection: Connection, kind: EventType, job: Job, traceparent: str | None, now: float) -> None:
        event = job_event(kind, job, event_id=self._new_id(), now=now, traceparent=traceparent)
        _insert_event(connection, event, job.id, now)

    def _require_job(self, connection: Connection, job_id: str) -> Job:
        row = _find_job(connection, job_id)
        if row is None:
            raise _no_such_job(job_id)
        return _job(row)

    @contextmanager
    def _writing(self) -> Iterator[tuple[Connection, float]]:
        """A transaction that holds the write lock from its first statement, and the time it happens at."""
        with _translated(self._path), self._engine.connect() as connection:
            connection = connection.execution_options(begin="BEGIN IMMEDIATE")
            with connection.begin():
                yield connection, _database_now(connection, self.clock_offset)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _translated(self._path), self._engine.connect() as connection, connection.begin():
            yield connection


# ---------------------------------------------------------------- rows to nouns


def _job(row: DatabaseRow) -> Job:
    error = None
    if row.error_code is not None:
        error = JobError(code=row.error_code, message=row.error_message, retryable=bool(row.error_retryable))
    return Job(
        id=row.id,
        episode_id=row.episode_id,
        state=JobState(row.state),
        created=instant(row.created),
        updated=instant(row.updated),
        options=read_json(JobOptions, row.options),
        title=row.title,
        show=row.show,
        priority=row.priority,
        attempts=row.attempts,
        crashes=row.crashes,
        not_before=instant(row.not_before) if row.not_before > 0 else None,
        progress=None if row.progress is None else read_json(Progress, row.progress),
        error=error,
        worker=row.lease_worker,
        transcript_key=row.transcript_key,
        transcript_sha256=row.transcript_sha256,
        revision=row.revision,
        audio_seconds=row.audio_seconds,
        started=None if row.started is None else instant(row.started),
        finished=None if row.finished is None else instant(row.finished),
    )


def _age(then: float | None, now: float) -> float:
    """Seconds since then; 0 for nothing, and for what a clock that was set back puts into the future."""
    return 0.0 if then is None else max(0.0, now - then)


def _worker_lost(worker: str) -> JobError:
    return JobError(code="worker_lost", message=f"worker {worker} stopped beating", retryable=True)


def _lost(lease: Lease) -> LeaseLost:
    return LeaseLost(f"job {lease.job_id}: lease {lease.token} of worker {lease.worker} is no longer the job's")


def _no_such_job(job_id: str) -> NotFound:
    return NotFound(f"no job {job_id}", code="job_not_found")


# ---------------------------------------------------------------- SQLite


def _file_of(url: str) -> Path:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise OptionError(
            f"STENOCAST_DATABASE_URL={parsed.render_as_string(hide_password=True)}: use sqlite:///FILE",
            code="bad_setting",
            field="database_url",
        )
    return Path(parsed.database)


def _engine(url: str, busy_seconds: float) -> sa.Engine:
    engine = sa.create_engine(url, connect_args={"timeout": busy_seconds, "isolation_level": None})

    @sa.event.listens_for(engine, "connect")
    def settle(connection: sqlite3.Connection, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    # Python's own transaction handling is off (isolation_level None): it would begin too late, and deferred.
    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))

    return engine


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """SQLite's errors as ours. What remains is a defect of this file and keeps its own class."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        translated = _translation(path, error.orig if isinstance(error, DBAPIError) else error)
        if translated is None:
            raise
        raise translated from error


def _translation(path: Path, error: BaseException | None) -> StenocastError | None:
    primary = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF  # the low byte; the rest says more exactly why
    match primary:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return TransientError(f"{path}: another process holds the ledger", code="database_busy")
        case sqlite3.SQLITE_FULL:
            return NotReady(f"{path}: no room left for the ledger", code="ledger_full")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return NotReady(f"{path}: the ledger is damaged: {error}", code="ledger_damaged")
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_IOERR | sqlite3.SQLITE_PERM:
            return NotReady(f"{path}: the ledger cannot be used: {error}", code="ledger_unavailable")
    return None
