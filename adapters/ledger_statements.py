"""What the ledger asks its database: one function per statement, named for its purpose.

Written once for SQLite and PostgreSQL. Row locks (`FOR NO KEY UPDATE`) are PostgreSQL's; SQLite, where a transaction
that writes is alone, leaves them out. Parameters that a statement is run with again and again are bound by name, so
that its text stays the same and is compiled once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from adapters.ledger_prepared import Prepared
from adapters.ledger_tables import (
    PRESENT,
    as_key,
    attempts,
    deletions,
    earlier_revisions,
    episodes,
    idempotency_keys,
    jobs,
    lanes,
    outbox,
    publishing,
    voices,
)
from adapters.ledger_webhooks import insert_deliveries, is_awaited
from schemas.episode import Episode
from schemas.events import Event
from schemas.job import JobError, JobOptions, JobState, Progress
from schemas.wire import write_json
from transcription.jobs import FORGOTTEN, AfterFailure, expected_seconds, next_turn
from transcription.ports import Holder, Lease, NewJob, Result

#: A row by its column names; what is in it is the statement's business and the ledger's.
DatabaseRow = Any

#: What the holder's fields become when a lease ends.
_NO_LEASE: dict[str, None] = {"lease_worker": None, "lease_seconds": None, "lease_expires": None, "progress": None}
_NO_ERROR: dict[str, None] = {"error_code": None, "error_message": None, "error_retryable": None}

#: After a clock that was set back, a lease would last for as long as the clock was wrong: no honest one ends later.
CLOCK_SLACK_SECONDS = 1.0


def _in_state(state: JobState) -> sa.ColumnElement[bool]:
    """The state written out in the statement: a partial index is used only where its condition can be read."""
    return jobs.c.state == sa.literal_column(f"'{state.value}'")


def _is_cancelled(is_so: bool) -> sa.ColumnElement[bool]:
    cancelled: sa.ColumnElement[str] = sa.literal_column(f"'{JobState.CANCELLED.value}'")
    return jobs.c.state == cancelled if is_so else jobs.c.state != cancelled


def _is_due(waiting: sa.FromClause, now: Any) -> sa.ColumnElement[bool]:
    """Whether a queued job's time has come. A clock that was set back must not keep one that was put off by it."""
    was_moved_later = waiting.c.updated > now + CLOCK_SLACK_SECONDS
    return sa.or_(waiting.c.not_before <= now, was_moved_later)


def _in_pieces(values: Sequence[str], most: int = 500) -> Iterator[Sequence[str]]:
    """A long list in pieces that one statement takes as parameters."""
    distinct = list(dict.fromkeys(values))
    return (distinct[start : start + most] for start in range(0, len(distinct), most))


# ---------------------------------------------------------------- the clock


_NOW = Prepared(sa.select(PRESENT))


def database_now(connection: Connection, offset: float) -> float:
    return float(_NOW.scalar(connection, {"clock_offset": offset}) or 0.0)


# ---------------------------------------------------------------- episodes


_EPISODE = Prepared(sa.select(episodes.c.document, episodes.c.deleted).where(episodes.c.id == sa.bindparam("wanted")))


def find_episode(connection: Connection, episode_id: str) -> DatabaseRow | None:
    """The JSON of an episode, and when it was deleted."""
    return _EPISODE.first(connection, {"wanted": episode_id})


def lock_episodes(connection: Connection, episode_ids: Sequence[str]) -> dict[str, str | None]:
    """The JSON of those that are there; until the transaction ends nobody else writes about them.

    None for one that was deleted.
    """
    to_change = sa.select(episodes.c.id, episodes.c.document, episodes.c.deleted).with_for_update(key_share=True)
    return {
        row.id: row.document if row.deleted is None else None
        for some in _in_pieces(episode_ids)
        for row in connection.execute(to_change.where(episodes.c.id.in_(some)))
    }


_INSERT_EPISODE = Prepared(sa.insert(episodes))


def insert_episodes(connection: Connection, new: Sequence[Episode], now: float) -> None:
    rows = [
        {
            "id": episode.id,
            "title": episode.title,
            "show": episode.show,
            "document": write_json(episode).decode(),
            "created": now,
            "updated": now,
        }
        for episode in new
    ]
    _INSERT_EPISODE.run_each(connection, rows)


_UPDATE_EPISODE = Prepared(
    sa.update(episodes)
    .where(episodes.c.id == sa.bindparam("wanted"))
    .values(
        title=sa.bindparam("new_title"),
        show=sa.bindparam("new_show"),
        document=sa.bindparam("new_document"),
        updated=sa.bindparam("present"),
        deleted=None,
    )
)


def update_episode(connection: Connection, episode: Episode, now: float) -> None:
    values = {
        "wanted": episode.id,
        "new_title": episode.title,
        "new_show": episode.show,
        "new_document": write_json(episode).decode(),
        "present": now,
    }
    _UPDATE_EPISODE.run(connection, values)


# ---------------------------------------------------------------- looking for jobs


#: The episode is left out: it may be long, and lists do not show it.
_JOB_COLUMNS = [column for column in jobs.c if column is not jobs.c.episode_json]
#: What another revision of a job's transcript has of its own.
_REPLACED = ("transcript_key", "transcript_sha256", "revision")
_SHOWN_JOB = sa.select(*_JOB_COLUMNS, episodes.c.title, episodes.c.show).join(episodes)
_WANTED_JOB = _SHOWN_JOB.where(jobs.c.id == sa.bindparam("wanted"))
_JOB_OF_ID = Prepared(_WANTED_JOB)
_MOVED_JOB = Prepared(_WANTED_JOB.with_for_update(key_share=True, of=episodes))


def find_job(connection: Connection, job_id: str) -> DatabaseRow | None:
    return _JOB_OF_ID.first(connection, {"wanted": job_id})


def find_moved_job(connection: Connection, job_id: str) -> DatabaseRow:
    """A job that this transaction moved, with its episode locked: its events come in the order of the commits."""
    return _MOVED_JOB.first(connection, {"wanted": job_id})


_JOB_TO_MOVE = Prepared(
    sa.select(*_JOB_COLUMNS, PRESENT.label("present"))
    .where(jobs.c.id == sa.bindparam("wanted"))
    .with_for_update(key_share=True)
)


def lock_job(connection: Connection, job_id: str, offset: float) -> DatabaseRow | None:
    """A job that is about to be moved, as it is once every other transaction has let go of it, and the time."""
    return _JOB_TO_MOVE.first(connection, {"wanted": job_id, "clock_offset": offset})


def find_jobs(connection: Connection, job_ids: Sequence[str]) -> Sequence[DatabaseRow]:
    return [
        row
        for some in _in_pieces(job_ids)
        for row in connection.execute(_SHOWN_JOB.where(jobs.c.id.in_(sa.bindparam("some", some, expanding=True))))
    ]


def find_same_requests(connection: Connection, dedupe_keys: Sequence[str]) -> dict[str, str]:
    """The ids of the jobs with these dedupe keys, cancelled and deleted ones aside, by the keys as the index holds
    them."""
    same = sa.select(jobs.c.dedupe_key, jobs.c.id).where(_is_cancelled(False), jobs.c.deleted.is_(None))
    return {
        row.dedupe_key: row.id
        for some in _in_pieces(dedupe_keys)
        for row in connection.execute(same.where(jobs.c.dedupe_key.in_(some)))
    }


def find_deleted_requests(connection: Connection, dedupe_keys: Sequence[str]) -> dict[str, str]:
    """The ids of the last jobs with these dedupe keys that were deleted, by the keys as the index holds them."""
    gone = sa.select(jobs.c.dedupe_key, jobs.c.id).where(jobs.c.deleted.is_not(None)).order_by(jobs.c.number)
    return {
        row.dedupe_key: row.id
        for some in _in_pieces(dedupe_keys)
        for row in connection.execute(gone.where(jobs.c.dedupe_key.in_(some)))
    }


def find_known_requests(connection: Connection, dedupe_keys: Sequence[str]) -> set[str]:
    """Asked in three parts, for there is an index of the cancelled, one of the deleted and one of the others."""
    keys = {as_key(given): given for given in dedupe_keys}
    return {
        keys[found]
        for some in _in_pieces(list(keys))
        for part in (
            _is_cancelled(True),
            jobs.c.deleted.is_not(None),
            sa.and_(_is_cancelled(False), jobs.c.deleted.is_(None)),
        )
        for found in connection.scalars(sa.select(jobs.c.dedupe_key).where(part, jobs.c.dedupe_key.in_(some)))
    }


_NEVER_CLAIMED = (
    sa.select(*jobs.c)
    .where(_in_state(JobState.QUEUED), jobs.c.deleted.is_(None), jobs.c.lease_token == 0)
    .order_by(jobs.c.number)
    .with_for_update(key_share=True)
)


def lock_never_claimed(connection: Connection, dedupe_keys: Sequence[str]) -> Sequence[DatabaseRow]:
    """The waiting jobs with these dedupe keys, with the episodes as they describe them, that no worker ever saw."""
    return [
        row
        for some in _in_pieces(dedupe_keys)
        for row in connection.execute(_NEVER_CLAIMED.where(jobs.c.dedupe_key.in_(some)))
    ]


_IDEMPOTENCY_KEY = Prepared(sa.select(idempotency_keys).where(idempotency_keys.c.key == sa.bindparam("wanted")))


def find_idempotency_key(connection: Connection, key: str) -> DatabaseRow | None:
    return _IDEMPOTENCY_KEY.first(connection, {"wanted": key})


def find_idempotency_keys(connection: Connection, keys: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Dedupe key and job id by idempotency key, all as the index holds them."""
    return {
        row.key: (row.dedupe_key, row.job_id)
        for some in _in_pieces(keys)
        for row in connection.execute(sa.select(idempotency_keys).where(idempotency_keys.c.key.in_(some)))
    }


_INSERT_IDEMPOTENCY_KEY = Prepared(sa.insert(idempotency_keys))


def insert_idempotency_keys(connection: Connection, keys: Mapping[str, tuple[str, str]], now: float) -> None:
    """Dedupe key and job id by idempotency key."""
    rows = [
        {"key": key, "dedupe_key": dedupe_key, "job_id": job_id, "created": now}
        for key, (dedupe_key, job_id) in keys.items()
    ]
    _INSERT_IDEMPOTENCY_KEY.run_each(connection, rows)


def list_jobs(connection: Connection, state: JobState | None, below: int | None, limit: int) -> Sequence[DatabaseRow]:
    statement = _SHOWN_JOB.where(jobs.c.deleted.is_(None)).order_by(jobs.c.number.desc()).limit(limit)
    if state is not None:
        statement = statement.where(_in_state(state))
    if below is not None:
        statement = statement.where(jobs.c.number < below)
    return connection.execute(statement).all()


#: A job as it was when its transcript was an earlier revision.
_EARLIER_JOB = (
    sa.select(
        *(column for column in _JOB_COLUMNS if column.name not in earlier_revisions.c),
        *(earlier_revisions.c[column.name] for column in _JOB_COLUMNS if column.name in _REPLACED),
        jobs.c.episode_id,
        episodes.c.title,
        episodes.c.show,
    )
    .select_from(earlier_revisions)
    .join(jobs, jobs.c.id == earlier_revisions.c.job_id)
    .join(episodes, episodes.c.id == jobs.c.episode_id)
)


def find_revision(connection: Connection, episode_id: str, revision: int | None) -> DatabaseRow | None:
    """The done job of a revision, by default the latest, with the place of that revision."""
    is_there = (jobs.c.revision.is_not(None), jobs.c.deleted.is_(None))
    statement = _SHOWN_JOB.where(jobs.c.episode_id == episode_id, *is_there)
    if revision is None:
        return connection.execute(statement.order_by(jobs.c.revision.desc()).limit(1)).first()
    row = connection.execute(statement.where(jobs.c.revision == revision)).first()
    if row is not None:
        return row
    earlier = _EARLIER_JOB.where(
        earlier_revisions.c.episode_id == episode_id, earlier_revisions.c.revision == revision, *is_there
    )
    return connection.execute(earlier).first()


def is_running(connection: Connection, episode_id: str) -> bool:
    """Whether a worker is at one of the episode's jobs."""
    running = sa.select(sa.literal(1)).where(jobs.c.episode_id == episode_id, _in_state(JobState.RUNNING))
    return connection.scalar(running.limit(1)) is not None


def replace_transcript(connection: Connection, row: DatabaseRow, result: Result, revision: int, now: float) -> None:
    """Let a done job, locked with its episode, name another transcript; what it named is remembered."""
    connection.execute(
        sa.insert(earlier_revisions).values(
            episode_id=row.episode_id,
            revision=row.revision,
            job_id=row.id,
            transcript_key=row.transcript_key,
            transcript_sha256=row.transcript_sha256,
            replaced=now,
        )
    )
    connection.execute(
        sa.update(jobs)
        .where(jobs.c.number == row.number, _in_state(JobState.DONE))
        .values(
            transcript_key=result.document_key,
            transcript_sha256=result.document_sha256,
            revision=revision,
            updated=now,
        )
    )


def last_revision(connection: Connection, episode_id: str) -> int:
    """The number of the last transcript that the episode ever had; 0 for none."""
    ever = sa.select(sa.func.max(jobs.c.revision)).where(jobs.c.revision.is_not(None))
    return connection.scalar(ever.where(jobs.c.episode_id == episode_id)) or 0


def find_transcribed(connection: Connection, episode_ids: Sequence[str]) -> set[str]:
    """Those of the episodes that have a transcript."""
    done = sa.select(jobs.c.episode_id).where(jobs.c.revision.is_not(None), jobs.c.deleted.is_(None)).distinct()
    return {
        found
        for some in _in_pieces(episode_ids)
        for found in connection.scalars(done.where(jobs.c.episode_id.in_(some)))
    }


def find_holders(connection: Connection, job_ids: Sequence[str]) -> dict[str, Holder]:
    columns = (jobs.c.id, jobs.c.state, jobs.c.lease_token, jobs.c.transcript_key, jobs.c.deleted)
    found = {
        row.id: Holder(JobState(row.state), row.lease_token, row.transcript_key, row.deleted is not None)
        for some in _in_pieces(job_ids)
        for row in connection.execute(sa.select(*columns).where(jobs.c.id.in_(some)))
    }
    earlier = sa.select(earlier_revisions).order_by(earlier_revisions.c.revision)
    for some in _in_pieces([job_id for job_id, holder in found.items() if holder.transcript_key is not None]):
        for row in connection.execute(earlier.where(earlier_revisions.c.job_id.in_(some))):
            keys = (*found[row.job_id].earlier_keys, row.transcript_key)
            found[row.job_id] = replace(found[row.job_id], earlier_keys=keys)
    return found


# ---------------------------------------------------------------- figures


def audio_in(connection: Connection, state: JobState) -> tuple[int, float]:
    """How many jobs are in a state, and the seconds of audio that are expected of them."""
    seconds = sa.func.coalesce(sa.func.sum(jobs.c.expected_seconds), 0.0)
    count, total = connection.execute(sa.select(sa.func.count(), seconds).where(_in_state(state))).one()
    return count, total


def oldest_due(connection: Connection, now: float) -> float | None:
    """When the oldest of the jobs that could be claimed now was added."""
    waiting = jobs.alias("waiting")
    oldest: float | None = connection.scalar(
        sa.select(sa.func.min(waiting.c.created)).where(
            waiting.c.state == sa.literal_column("'queued'"), _is_due(waiting, now), _episode_is_free(waiting)
        )
    )
    return oldest


def unpublished(connection: Connection) -> tuple[int, float | None]:
    """How many events wait to be published, and when the oldest was written."""
    waiting = sa.select(sa.func.count(), sa.func.min(outbox.c.created)).where(outbox.c.published.is_(None))
    count, oldest = connection.execute(waiting).one()
    return count, oldest


# ---------------------------------------------------------------- adding


_OF_LANE = (lanes.c.priority == sa.bindparam("of_priority"), lanes.c.lane == sa.bindparam("of_lane"))
_TURNS = Prepared(
    sa.select(
        sa.select(lanes.c.last_turn).where(*_OF_LANE).scalar_subquery().label("lane_last"),
        sa.select(sa.func.min(jobs.c.turn))
        .where(_in_state(JobState.QUEUED), jobs.c.priority == sa.bindparam("of_priority"))
        .scalar_subquery()
        .label("waiting_first"),
        sa.select(sa.func.max(lanes.c.last_turn))
        .where(lanes.c.priority == sa.bindparam("of_priority"))
        .scalar_subquery()
        .label("lanes_last"),
    )
)
_INSERT_LANE = Prepared(sa.insert(lanes))
_UPDATE_LANE = Prepared(sa.update(lanes).where(*_OF_LANE).values(last_turn=sa.bindparam("new_turn")))


class Turns:
    """Gives shows their turns, for the one transaction that does so now, and writes at the end who got which."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lane_last: dict[tuple[int, str], int | None] = {}
        self._waiting_first: dict[int, int | None] = {}
        self._lanes_last: dict[int, int | None] = {}
        self._known: set[tuple[int, str]] = set()
        self._taken: dict[tuple[int, str], int] = {}

    def take(self, priority: int, lane: str, *, waits: bool = True) -> int:
        """The next turn of a show at this priority; `waits` tells whether the job is one that will be claimed."""
        place = (priority, as_key(lane))
        self._look(place)
        turn = next_turn(
            lane_last=self._lane_last[place],
            waiting_first=self._waiting_first[priority],
            lanes_last=self._lanes_last[priority],
        )
        self._lane_last[place] = self._taken[place] = turn
        self._lanes_last[priority] = max(turn, self._lanes_last[priority] or 0)
        if waits and self._waiting_first[priority] is None:
            self._waiting_first[priority] = turn
        return turn

    def write(self) -> None:
        """Remember the turns that were taken."""
        new = [
            {"priority": priority, "lane": lane, "last_turn": turn}
            for (priority, lane), turn in self._taken.items()
            if (priority, lane) not in self._known
        ]
        later = [
            {"of_priority": priority, "of_lane": lane, "new_turn": turn}
            for (priority, lane), turn in self._taken.items()
            if (priority, lane) in self._known
        ]
        _INSERT_LANE.run_each(self._connection, new)
        _UPDATE_LANE.run_each(self._connection, later)

    def _look(self, place: tuple[int, str]) -> None:
        if place in self._lane_last:
            return
        priority, lane = place
        found = _TURNS.first(self._connection, {"of_priority": priority, "of_lane": lane})
        self._lane_last[place] = found.lane_last
        self._known |= {place} if found.lane_last is not None else set()
        self._waiting_first.setdefault(priority, found.waiting_first)
        self._lanes_last.setdefault(priority, found.lanes_last)


_INSERT_JOB = Prepared(sa.insert(jobs))


def job_values(new: NewJob, episode: Episode, *, job_id: str, lane: str, turn: int, now: float) -> dict[str, Any]:
    """The row of a new job."""
    return {
        "id": job_id,
        "episode_id": new.episode.id,
        "state": (JobState.FAILED if new.failed else JobState.QUEUED).value,
        "options": write_json(new.options).decode(),
        "audio_key": new.audio_key,
        "dedupe_key": new.dedupe_key,
        "priority": new.priority,
        "lane": lane,
        "turn": turn,
        "attempts": 0,
        "crashes": 0,
        "not_before": 0.0,
        "created": now,
        "updated": now,
        "lease_token": 0,
        "episode_json": write_json(episode).decode(),
        "expected_seconds": new.expected_seconds,
        "traceparent": new.traceparent,
        "finished": now if new.failed else None,
        **_error(new.failed),
    }


def insert_jobs(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    _INSERT_JOB.run_each(connection, rows)


def amend_job(
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


def read_description(connection: Connection, number: int) -> str:
    """The JSON of the episode as a job describes it."""
    return str(connection.scalar(sa.select(jobs.c.episode_json).where(jobs.c.number == number)))


def note_recording(connection: Connection, number: int, episode: Episode, now: float) -> None:
    """Have a job find its recording in the store, and describe its episode so."""
    audio = episode.audio
    connection.execute(
        sa.update(jobs)
        .where(jobs.c.number == number)
        .values(
            audio_key=audio.uri,
            episode_json=write_json(episode).decode(),
            expected_seconds=expected_seconds(audio.size_bytes, audio.container),
            updated=now,
        )
    )


# ---------------------------------------------------------------- claiming and holding


def _episode_is_free(waiting: sa.FromClause) -> sa.ColumnElement[bool]:
    """Two jobs of one episode never run at once: their revisions would race."""
    running = jobs.alias("running")
    return ~(
        sa.select(sa.literal(1))
        .where(running.c.episode_id == waiting.c.episode_id, running.c.state == sa.literal_column("'running'"))
        .correlate(waiting)
        .exists()
    )


_waiting = jobs.alias("waiting")

#: Also read alone, before a write lock is asked for.
BEST_JOB = (
    sa.select(_waiting.c.number)
    .where(
        _waiting.c.state == sa.literal_column("'queued'"),
        _is_due(_waiting, PRESENT),
        _episode_is_free(_waiting),
    )
    .order_by(_waiting.c.priority.desc(), _waiting.c.turn, _waiting.c.number)
    .limit(1)
)

#: Waits for nobody: what another transaction holds, the job or its episode, is passed over.
_BEST_FREE_JOB = BEST_JOB.join(episodes, episodes.c.id == _waiting.c.episode_id).with_for_update(
    key_share=True, skip_locked=True, of=[_waiting, episodes]
)


def _claim_of(best: sa.Select[tuple[int]]) -> sa.sql.dml.ReturningUpdate[Any]:
    of_episode = episodes.c.id == jobs.c.episode_id
    return (
        sa.update(jobs)
        .where(jobs.c.number == best.scalar_subquery(), _in_state(JobState.QUEUED))
        .values(
            state=JobState.RUNNING.value,
            lease_token=jobs.c.lease_token + 1,
            lease_worker=sa.bindparam("holder"),
            lease_seconds=sa.bindparam("lease_length"),
            lease_expires=PRESENT + sa.bindparam("lease_length", type_=sa.Float),
            started=PRESENT,
            updated=PRESENT,
            not_before=0.0,
        )
        .returning(
            *jobs.c,
            sa.select(episodes.c.title).where(of_episode).scalar_subquery().label("title"),
            sa.select(episodes.c.show).where(of_episode).scalar_subquery().label("show"),
        )
    )


_CLAIM = Prepared(_claim_of(BEST_JOB))


def _claim_and_attempt() -> sa.Select[Any]:
    """A claim and its attempt in one round trip, which SQLite would not need and cannot say."""
    claimed = _claim_of(_BEST_FREE_JOB).cte("claimed")
    attempt = sa.insert(attempts).from_select(
        ["job_id", "token", "worker", "started"],
        sa.select(claimed.c.id, claimed.c.lease_token, claimed.c.lease_worker, claimed.c.updated),
    )
    return sa.select(claimed).add_cte(attempt.cte("attempt"))


_CLAIM_AND_ATTEMPT = Prepared(_claim_and_attempt())


_INSERT_ATTEMPT = Prepared(sa.insert(attempts))


_ANY_DUE = Prepared(BEST_JOB)


def any_due(connection: Connection, offset: float) -> bool:
    return _ANY_DUE.scalar(connection, {"clock_offset": offset}) is not None


def claim_best(
    connection: Connection, worker: str, lease_seconds: float, offset: float, *, row_locks: bool
) -> DatabaseRow | None:
    """Lease the best queued job to a worker and begin the attempt. Its row, episode included; None where none is due.

    Where other transactions write beside this one (`row_locks`), what they hold is passed over.
    """
    values = {"clock_offset": offset, "holder": worker, "lease_length": lease_seconds}
    if row_locks:
        return _CLAIM_AND_ATTEMPT.first(connection, values)
    row = _CLAIM.first(connection, values)
    if row is not None:
        begun = {"job_id": row.id, "token": row.lease_token, "worker": worker, "started": row.updated}
        _INSERT_ATTEMPT.run(connection, begun)
    return row


_HELD = (
    jobs.c.id == sa.bindparam("held_job"),
    _in_state(JobState.RUNNING),
    jobs.c.lease_token == sa.bindparam("held_token"),
)


def _holder(lease: Lease) -> dict[str, Any]:
    return {"held_job": lease.job_id, "held_token": lease.token}


_PROLONG = Prepared(
    sa.update(jobs)
    .where(*_HELD)
    .values(
        lease_expires=PRESENT + sa.bindparam("lease_length", type_=sa.Float),
        lease_seconds=sa.bindparam("lease_length"),
    )
)


def prolong_lease(connection: Connection, lease: Lease, offset: float) -> bool:
    values = {"clock_offset": offset, "lease_length": lease.seconds}
    return _PROLONG.run(connection, values | _holder(lease)) == 1


_PROGRESS = Prepared(sa.update(jobs).where(*_HELD).values(progress=sa.bindparam("how_far"), updated=PRESENT))


def write_progress(connection: Connection, lease: Lease, progress: Progress, offset: float) -> bool:
    values = {"how_far": write_json(progress).decode(), "clock_offset": offset}
    return _PROGRESS.run(connection, values | _holder(lease)) == 1


# ---------------------------------------------------------------- moving


_earlier = jobs.alias("earlier")

_DONE = Prepared(
    sa.update(jobs)
    .where(*_HELD)
    .values(
        state=JobState.DONE.value,
        updated=PRESENT,
        finished=PRESENT,
        transcript_key=sa.bindparam("document_key"),
        transcript_sha256=sa.bindparam("document_sha256"),
        # No other job of the episode runs, so none can take the same revision meanwhile.
        revision=sa.select(sa.func.coalesce(sa.func.max(_earlier.c.revision), 0) + 1)
        .where(_earlier.c.episode_id == jobs.c.episode_id, _earlier.c.revision.is_not(None))
        .correlate(jobs)
        .scalar_subquery(),
        audio_seconds=sa.bindparam("heard_seconds"),
        **_NO_LEASE,
        **_NO_ERROR,
    )
    .returning(*jobs.c)
)


def move_to_done(connection: Connection, lease: Lease, result: Result, offset: float) -> DatabaseRow | None:
    """The job's row, its episode included but not its title and show; None where the lease is lost."""
    values = {
        "clock_offset": offset,
        "document_key": result.document_key,
        "document_sha256": result.document_sha256,
        "heard_seconds": result.audio_seconds,
    }
    return _DONE.first(connection, values | _holder(lease))


_UNTIL_CLAIMED_AGAIN = ("state", "attempts", "crashes", "not_before", "updated", "finished")
_BACK = Prepared(
    sa.update(jobs)
    .where(*_HELD)
    .values({name: sa.bindparam(f"new_{name}") for name in (*_UNTIL_CLAIMED_AGAIN, *_NO_ERROR)} | _NO_LEASE)
)


def move_after_failure(connection: Connection, job_id: str, token: int, after: AfterFailure, now: float) -> None:
    values = {
        "state": (JobState.FAILED if after.is_final else JobState.QUEUED).value,
        "attempts": after.attempts,
        "crashes": after.crashes,
        "not_before": 0.0 if after.delay_seconds is None else now + after.delay_seconds,
        "updated": now,
        "finished": now if after.is_final else None,
        **_error(after.error),
    }
    held = {"held_job": job_id, "held_token": token}
    _BACK.run(connection, {f"new_{name}": value for name, value in values.items()} | held)


def _error(error: JobError | None) -> dict[str, Any]:
    if error is None:
        return dict(_NO_ERROR)
    return {"error_code": error.code, "error_message": error.message, "error_retryable": error.retryable}


def move_back_to_queue(
    connection: Connection, lease: Lease, delay: float, reason: JobError | None, now: float
) -> None:
    connection.execute(
        sa.update(jobs)
        .where(jobs.c.id == lease.job_id, _in_state(JobState.RUNNING), jobs.c.lease_token == lease.token)
        .values(
            state=JobState.QUEUED.value,
            not_before=now + delay if delay > 0 else 0.0,
            updated=now,
            **_NO_LEASE,
            **_error(reason),
        )
    )


def move_to_cancelled(connection: Connection, job_id: str, now: float) -> None:
    connection.execute(
        sa.update(jobs)
        .where(jobs.c.id == job_id, jobs.c.state.in_([JobState.QUEUED.value, JobState.RUNNING.value]))
        .values(state=JobState.CANCELLED.value, updated=now, finished=now, **_NO_LEASE)
    )


def move_failed_to_queue(connection: Connection, job_id: str, turn: int, now: float) -> None:
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


_FROM_THE_FUTURE = jobs.c.lease_expires > PRESENT + jobs.c.lease_seconds + CLOCK_SLACK_SECONDS
_TO_RESCUE = Prepared(
    sa.select(jobs.c.id, _FROM_THE_FUTURE.label("from_the_future"))
    .where(_in_state(JobState.RUNNING), sa.or_(jobs.c.lease_expires < PRESENT, _FROM_THE_FUTURE))
    .order_by(jobs.c.number)
)


def list_to_rescue(connection: Connection, offset: float) -> Sequence[DatabaseRow]:
    """The running jobs whose lease has run out, and those whose lease a wrong clock made too long."""
    return _TO_RESCUE.all(connection, {"clock_offset": offset})


_SHORTEN = Prepared(
    sa.update(jobs)
    .where(jobs.c.id == sa.bindparam("wanted"), _in_state(JobState.RUNNING), _FROM_THE_FUTURE)
    .values(lease_expires=PRESENT + jobs.c.lease_seconds)
)


def shorten_lease(connection: Connection, job_id: str, offset: float) -> None:
    """Let a lease of a wrong clock end when it would have ended by the right one."""
    _SHORTEN.run(connection, {"wanted": job_id, "clock_offset": offset})


# ---------------------------------------------------------------- deleting


def lock_jobs_of(connection: Connection, episode_id: str) -> Sequence[DatabaseRow]:
    """The jobs of an episode that are not deleted, as they are once every other transaction has let go of them."""
    living = sa.select(*jobs.c).where(jobs.c.episode_id == episode_id, jobs.c.deleted.is_(None))
    return connection.execute(living.order_by(jobs.c.number).with_for_update(key_share=True)).all()


def forget_job(
    connection: Connection, row: DatabaseRow, *, episode: Episode, options: JobOptions, audio_key: str, now: float
) -> None:
    """Take a job's words out of its row. Its dedupe key, a hash, stays: the same request is known again."""
    connection.execute(
        sa.update(jobs)
        .where(jobs.c.number == row.number)
        .values(
            deleted=now,
            updated=now,
            options=write_json(options).decode(),
            audio_key=audio_key,
            lane="",
            episode_json=write_json(episode).decode(),
            error_message=None if row.error_message is None else FORGOTTEN,
        )
    )


def forget_episode(connection: Connection, episode: Episode, now: float) -> None:
    """Leave nothing of an episode but what is given: its id."""
    connection.execute(
        sa.update(episodes)
        .where(episodes.c.id == episode.id)
        .values(title=None, show=None, document=write_json(episode).decode(), updated=now, deleted=now)
    )
    connection.execute(sa.delete(voices).where(voices.c.episode_id == episode.id))
    connection.execute(sa.delete(earlier_revisions).where(earlier_revisions.c.episode_id == episode.id))


def forget_voices(connection: Connection, episode_id: str, names: Collection[str]) -> None:
    """Delete what an episode taught under these names, by whatever model and for whatever show."""
    if names:
        taught = sa.delete(voices).where(voices.c.episode_id == episode_id)
        connection.execute(taught.where(voices.c.name.in_(sorted(names))))


def is_deleted_episode(connection: Connection, episode_id: str) -> bool:
    """Whether an episode was deleted; until the transaction ends it is not deleted, if it is not yet."""
    deleted = sa.select(episodes.c.deleted).where(episodes.c.id == episode_id).with_for_update(key_share=True)
    return connection.scalar(deleted) is not None


def list_unsent_events_of(connection: Connection, job_ids: Sequence[str]) -> Sequence[DatabaseRow]:
    """Those that were not published, or not to every webhook that they were noted for."""
    columns = (outbox.c.sequence, outbox.c.subject, outbox.c.document)
    unsent = sa.select(*columns).where(sa.or_(outbox.c.published.is_(None), is_awaited(outbox.c.event_id)))
    return [
        row for some in _in_pieces(job_ids) for row in connection.execute(unsent.where(outbox.c.job_id.in_(some)))
    ]


def keep_events_of(connection: Connection, job_ids: Sequence[str], kept: Mapping[int, Event]) -> None:
    """Remove the events of these jobs but for those that are kept, by their numbers and as they are given."""
    for some in _in_pieces(job_ids):
        gone = sa.delete(outbox).where(outbox.c.job_id.in_(some))
        connection.execute(gone.where(outbox.c.sequence.not_in(sorted(kept))))
    for sequence, event in kept.items():
        changed = sa.update(outbox).where(outbox.c.sequence == sequence)
        connection.execute(changed.values(document=write_json(event).decode()))


def insert_deletion(connection: Connection, episode_id: str, by: str, revision: int | None, now: float) -> None:
    connection.execute(
        sa.insert(deletions).values(episode_id=episode_id, deleted=now, deleted_by=by, revision=revision)
    )


def find_deletion(connection: Connection, episode_id: str) -> DatabaseRow | None:
    """The last deletion of an episode."""
    last = sa.select(deletions).where(deletions.c.episode_id == episode_id)
    return connection.execute(last.order_by(deletions.c.number.desc()).limit(1)).first()


def list_unerased(connection: Connection, limit: int) -> Sequence[DatabaseRow]:
    to_erase = sa.select(deletions).where(deletions.c.erased.is_(None))
    return connection.execute(to_erase.order_by(deletions.c.number).limit(limit)).all()


def list_deleted_jobs(connection: Connection, episode_ids: Sequence[str]) -> Sequence[DatabaseRow]:
    """Episode, id and audio key of the deleted jobs of these episodes."""
    deleted = sa.select(jobs.c.episode_id, jobs.c.id, jobs.c.audio_key).where(jobs.c.deleted.is_not(None))
    return [
        row
        for some in _in_pieces(episode_ids)
        for row in connection.execute(deleted.where(jobs.c.episode_id.in_(some)).order_by(jobs.c.number))
    ]


def mark_erased(connection: Connection, number: int, offset: float) -> None:
    connection.execute(
        sa.update(deletions).where(deletions.c.number == number, deletions.c.erased.is_(None)).values(erased=PRESENT),
        {"clock_offset": offset},
    )


#: Written as the index has it.
_IS_UPLOAD: sa.ColumnElement[bool] = sa.literal_column("substr(jobs.audio_key, 1, 8) = 'uploads/'")


def find_users_of_audio(connection: Connection, audio_keys: Sequence[str]) -> Sequence[DatabaseRow]:
    """Key and deletion of every job whose recording lies under one of these keys of uploads."""
    users = sa.select(jobs.c.audio_key, jobs.c.deleted).where(_IS_UPLOAD)
    return [
        row for some in _in_pieces(audio_keys) for row in connection.execute(users.where(jobs.c.audio_key.in_(some)))
    ]


# ---------------------------------------------------------------- attempts and the outbox


_END_ATTEMPT = Prepared(
    sa.update(attempts)
    .where(attempts.c.job_id == sa.bindparam("of_job"), attempts.c.token == sa.bindparam("of_token"))
    .values(ended=sa.bindparam("present"), outcome=sa.bindparam("how"), error_code=sa.bindparam("code"))
)


def end_attempt(connection: Connection, job_id: str, token: int, outcome: str, code: str | None, now: float) -> None:
    values = {"of_job": job_id, "of_token": token, "present": now, "how": outcome, "code": code}
    _END_ATTEMPT.run(connection, values)


_INSERT_EVENT = Prepared(sa.insert(outbox))


def insert_events(connection: Connection, events: Sequence[tuple[str, Event]], now: float) -> None:
    """Write events, each with its job's id, into the outbox, and note them for webhooks.

    The transaction holds their episodes.
    """
    rows = [
        {
            "event_id": event.id,
            "job_id": job_id,
            "subject": event.subject,
            "document": write_json(event).decode(),
            "created": now,
        }
        for job_id, event in events
    ]
    _INSERT_EVENT.run_each(connection, rows)
    insert_deliveries(connection, [event for _, event in events], now)


_PENDING_EVENTS = Prepared(
    sa.select(outbox.c.sequence, outbox.c.subject, outbox.c.document)
    .where(outbox.c.published.is_(None), outbox.c.sequence > sa.bindparam("after"))
    .order_by(outbox.c.sequence)
    .limit(sa.bindparam("most", type_=sa.Integer))
)


def list_pending_events(connection: Connection, after: int, limit: int) -> Sequence[DatabaseRow]:
    return _PENDING_EVENTS.all(connection, {"after": after, "most": limit})


def mark_events(connection: Connection, sequence_numbers: Sequence[int], offset: float) -> None:
    connection.execute(
        sa.update(outbox)
        .where(outbox.c.sequence.in_(sorted(sequence_numbers)), outbox.c.published.is_(None))
        .values(published=PRESENT),
        {"clock_offset": offset},
    )


def forget_events(connection: Connection, age_seconds: float, limit: int, offset: float) -> int:
    """Looks at the oldest rows only, so that it costs the same whether or not there is anything to forget.

    The database deletes an event's deliveries with it.
    """
    columns = (outbox.c.sequence, outbox.c.event_id, outbox.c.published)
    oldest = sa.select(*columns).order_by(outbox.c.sequence).limit(limit).subquery()
    awaited = is_awaited(oldest.c.event_id)
    gone = sa.select(oldest.c.sequence).where(oldest.c.published < PRESENT - age_seconds, sa.not_(awaited))
    return connection.execute(sa.delete(outbox).where(outbox.c.sequence.in_(gone)), {"clock_offset": offset}).rowcount


_EVENTS_OF = Prepared(
    sa.select(outbox.c.sequence, outbox.c.subject, outbox.c.document)
    .where(outbox.c.job_id == sa.bindparam("of_job"), outbox.c.sequence > sa.bindparam("after"))
    .order_by(outbox.c.sequence)
)


def list_events_of(connection: Connection, job_id: str, after: int) -> Sequence[DatabaseRow]:
    return _EVENTS_OF.all(connection, {"of_job": job_id, "after": after})


_LEASE_LENGTH = sa.bindparam("lease_length", type_=sa.Float)
_LEADER = sa.bindparam("leader", type_=sa.Text)
_TAKE_PUBLISHING = Prepared(
    sa.update(publishing)
    .where(
        sa.or_(
            publishing.c.publisher.is_(None),
            publishing.c.publisher == _LEADER,
            publishing.c.expires < PRESENT,
            publishing.c.expires > PRESENT + publishing.c.seconds + CLOCK_SLACK_SECONDS,
        )
    )
    .values(
        publisher=_LEADER,
        token=publishing.c.token + sa.case((sa.func.coalesce(publishing.c.publisher, "") == _LEADER, 0), else_=1),
        seconds=_LEASE_LENGTH,
        expires=PRESENT + _LEASE_LENGTH,
    )
    .returning(publishing.c.token)
)


def take_publishing(connection: Connection, publisher: str, seconds: float, offset: float) -> int | None:
    """The lease to publish, if it is free or this publisher's own; one from the future was left by a wrong clock."""
    values = {"leader": publisher, "lease_length": seconds, "clock_offset": offset}
    token: int | None = _TAKE_PUBLISHING.scalar(connection, values)
    return token


def give_publishing_up(connection: Connection, publisher: str) -> None:
    connection.execute(sa.update(publishing).where(publishing.c.publisher == publisher).values(publisher=None))
