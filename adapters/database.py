"""The ledger on SQLite or PostgreSQL: episodes, jobs, attempts and the outbox, moved by transactions alone.

Each method of the port is one transaction over the statements of ledger_statements.py. The database's clock decides.

Who locks what, on PostgreSQL (on SQLite a transaction that writes is alone):

- Adding, amending and retrying by hand give out turns, and are one at a time (`begin_adding`), with deletions among
  them. An addition that amends locks all the jobs that it may amend before any episode, a deletion those of its own.
- A revision by hand locks the done job of the current transcript, and its episode after it: a finish that comes
  meanwhile is of a job that runs, and then the revision is refused.
- Every other move locks its job first and the job's episode after it, and waits for no second job. A claim waits
  for nobody: it passes over what is locked. So there is no circle of waiting transactions.
- Nobody writes an event without holding its episode. The sequence numbers of an episode's events are therefore in
  the order of the commits, and who sees one of them sees all earlier ones.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from adapters import ledger_statements as sql
from adapters.ledger_statements import DatabaseRow
from adapters.ledger_tables import as_key
from schemas.episode import AudioInfo, Episode
from schemas.errors import (
    LeaseLost,
    NotFound,
    NotReady,
    OptionError,
    PageError,
    Refused,
    StenocastError,
    TransientError,
)
from schemas.events import Event, EventType
from schemas.job import Job, JobError, JobOptions, JobState, Progress
from schemas.wire import read_json
from transcription.drops import is_upload
from transcription.jobs import (
    BACK_OFF_SECONDS,
    after_failure,
    amended_episode,
    asked_episode,
    deletion_event,
    fetched_episode,
    forgotten_event,
    forgotten_options,
    heard_episode,
    in_work,
    instant,
    is_blameless,
    job_event,
    lane_of,
    outdated,
    shown_episode,
    transcript_event,
)
from transcription.links import with_recording
from transcription.ports import Backlog, Claimed, Deletion, Holder, Lease, NewJob, Rescued, Result

MIGRATIONS = Path(__file__).parent / "migrations"

#: How long a statement waits for another process's write before it gives up with `database_busy`.
BUSY_SECONDS = 10.0

MOST_TRIES = 5  #: of a transaction that a deadlock, a lost race or a dead connection ended

log = structlog.get_logger()
T = TypeVar("T")


class Database(Protocol):
    """Where a ledger lies: what SQLite and PostgreSQL do differently."""

    row_locks: bool  #: whether other transactions write beside ours

    @property
    def engine(self) -> sa.Engine: ...

    def writing(self) -> Connection: ...

    def reading(self) -> Connection: ...

    def begin_adding(self, connection: Connection) -> None:
        """Make this transaction the only one that adds jobs, until it ends."""
        ...

    def migrating(self) -> AbstractContextManager[Connection]:
        """A connection for the only process that migrates now. Raises NotReady."""
        ...

    def begin_moving_schema(self, connection: Connection) -> None:
        """Be the only writer where others work on the ledger meanwhile; nothing was written on the connection yet."""
        ...

    def is_worth_another_try(self, error: DBAPIError) -> bool:
        """Whether a transaction that ended so before its commit may simply be run again."""
        ...

    def translation(self, error: DBAPIError) -> StenocastError | None:
        """The error as ours; None for a defect of our statements."""
        ...


class Ledger:
    """`JobQueue` on a SQLite file or a PostgreSQL database that several processes may open at once.

    `jitter` gives random numbers from 0 to 1 for the back-off. `clock_offset` seconds are added to the
    database's clock: tests step time with it. Every method raises TransientError `database_busy` when another
    process holds a lock for longer than `busy_seconds`, TransientError `database_unavailable` when the server does
    not answer, and NotReady `ledger_full`, `ledger_damaged` or `ledger_unavailable` when the ledger cannot be
    written or read at all. After a TransientError it is not known whether the move was made: ask, or move again.
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
        self._database = _database_of(url, busy_seconds)
        self._new_id = new_id
        self._jitter = jitter
        self._back_off_seconds = back_off_seconds
        self.clock_offset = clock_offset
        self._found_nothing = False  # at the last claim
        self._retrying = Retrying(
            stop=stop_after_attempt(MOST_TRIES),
            wait=wait_random_exponential(multiplier=0.01, max=0.5),
            retry=retry_if_exception(
                lambda error: isinstance(error, DBAPIError) and self._database.is_worth_another_try(error)
            ),
            reraise=True,
        )

    @classmethod
    def open(cls, url: str, **settings: Any) -> Ledger:
        """The ledger at `url`, made or brought to the present schema first."""
        ledger = cls(url, **settings)
        ledger.migrate()
        return ledger

    def migrate(self) -> None:
        """Bring the schema up to date. Safe when several processes start at once: one migrates, the others wait.

        Others may work on the ledger meanwhile: a migration takes nothing away that they read. Raises NotReady
        `ledger_newer` for a ledger that a newer Stenocast made.
        """
        with self._translated(), self._database.migrating() as connection:
            if _version_to_move(connection) != _versions()[-1]:
                self._move_schema(connection, "upgrade", "head")
            connection.commit()

    def migrate_back(self, version: str) -> str | None:
        """Bring the schema back to an earlier version, for processes that know no newer one; which it is now.

        None for a ledger that was never made. A repeat does nothing. What only the newer tables and columns held is
        lost. Nothing of the newer version may work on the ledger meanwhile, or be started on it afterwards: it would
        bring the schema up to date again. Raises OptionError for a version that there is not, NotReady
        `ledger_newer`, and Refused `ledger_not_taken_back` where the older tables have no room for what is there;
        then nothing has changed.
        """
        known = _versions()
        if version not in known:
            raise OptionError(f"{version!r}: no version of the ledger; use one of {', '.join(known)}", field="to")
        with self._translated(), self._database.migrating() as connection:
            present = _version_to_move(connection)
            if present is not None and present > version:
                try:
                    self._move_schema(connection, "downgrade", version)
                except sa.exc.IntegrityError as error:
                    said = str(error.orig).strip().splitlines()[0]
                    raise Refused(
                        f"version {version} of the ledger has no room for what is there: {said}",
                        code="ledger_not_taken_back",
                    ) from error
            connection.commit()
        return present and min(present, version)

    def _move_schema(self, connection: Connection, direction: str, version: str) -> None:
        """Run migrations. Alembic takes most of a second to import and is wanted once in a ledger's life."""
        import alembic.command
        from alembic.config import Config

        self._database.begin_moving_schema(connection)
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        getattr(alembic.command, direction)(config, version)

    def close(self) -> None:
        self._database.engine.dispose()

    # -- taking in

    def add(self, new: NewJob, *, job_id: str) -> tuple[Job, bool]:
        [answer] = self.add_all([new], new_id=lambda: job_id)
        if isinstance(answer, Refused):
            raise answer
        return answer

    def add_all(self, news: Sequence[NewJob], *, new_id: Callable[[], str]) -> Sequence[tuple[Job, bool] | Refused]:
        def add_all(connection: Connection) -> Sequence[tuple[Job, bool] | Refused]:
            now = self._begin_adding(connection)
            sql.lock_never_claimed(connection, [new.dedupe_key for new in news if new.amends])
            addition = Addition(connection, news, now=now)
            answers = [addition.answer(new, new_id()) for new in news]
            addition.write(self._new_id)
            for place in addition.described_anew:
                job = self._amend(connection, news[place], now)
                answers[place] = answers[place] if job is None else (job, False)
            return answers

        return self._write(add_all) if news else []

    def _begin_adding(self, connection: Connection) -> float:
        """Be the only one who adds; the time from then on."""
        self._database.begin_adding(connection)
        return sql.database_now(connection, self.clock_offset)

    def amend(self, new: NewJob) -> Job | None:
        return self._write(lambda connection: self._amend(connection, new, self._begin_adding(connection)))

    def _amend(self, connection: Connection, new: NewJob, now: float) -> Job | None:
        row = next(iter(sql.lock_never_claimed(connection, [new.dedupe_key])), None)
        if row is None:
            return None
        asked = _episode_or_none(row.episode_json, row.id)
        episode = amended_episode(asked, new.episode) if asked else new.episode
        shown = ShownEpisodes(connection, [row.episode_id])
        shown.describe(episode)
        shown.write(now)
        lane, turn, turns = lane_of(episode), row.turn, sql.Turns(connection)
        if (new.priority, as_key(lane)) != (row.priority, row.lane):
            turn = turns.take(new.priority, lane)
        turns.write()
        sql.amend_job(connection, row.number, new, episode, lane=lane, turn=turn, now=now)
        return _require_job(connection, row.id)

    def known_requests(self, dedupe_keys: Sequence[str]) -> frozenset[str]:
        return self._read(lambda connection: frozenset(sql.find_known_requests(connection, dedupe_keys)))

    def known(self, idempotency_key: str) -> Job | None:
        def look(connection: Connection) -> Job | None:
            used = sql.find_idempotency_key(connection, idempotency_key)
            return None if used is None else _require_job(connection, used.job_id)

        return self._read(look)

    # -- the worker's moves

    def claim(self, worker: str, *, lease_seconds: float) -> Claimed | None:
        while (row := self._claim_row(worker, lease_seconds)) is not None:
            lease = Lease(job_id=row.id, token=row.lease_token, worker=worker, seconds=lease_seconds)
            try:
                return _claimed(row, lease)
            except PageError as error:
                log.error("job could not be read", job_id=row.id, problem=error.message)
                self.fail(lease, JobError(code="job_unreadable", message=f"the ledger's row: {error.message}"))
        return None

    def _claim_row(self, worker: str, lease_seconds: float) -> DatabaseRow | None:
        """Take the best job. Nothing is read of it that could be wrong, so that no job holds up the others."""
        if self._found_nothing and not self._database.row_locks and not self._anything_due():
            return None

        def claim(connection: Connection) -> DatabaseRow | None:
            row = sql.claim_best(
                connection, worker, lease_seconds, self.clock_offset, row_locks=self._database.row_locks
            )
            if row is not None:
                self._tell(connection, EventType.JOB_STARTED, _job(row), row, row.updated)
            return row

        row = self._write(claim)
        self._found_nothing = row is None
        return row

    def _anything_due(self) -> bool:
        """Looked at without the write lock, so that idle workers do not hold each other up."""
        return self._read(lambda connection: sql.any_due(connection, self.clock_offset))

    def beat(self, lease: Lease) -> None:
        def beat(connection: Connection) -> None:
            if not sql.prolong_lease(connection, lease, self.clock_offset):
                raise _lost(lease)

        self._write(beat)

    def progress(self, lease: Lease, progress: Progress) -> None:
        def write(connection: Connection) -> None:
            if not sql.write_progress(connection, lease, progress, self.clock_offset):
                raise _lost(lease)

        self._write(write)

    def fetched(self, lease: Lease, recording: AudioInfo) -> None:
        def note(connection: Connection) -> None:
            row = self._lock_held(connection, lease)
            if row.audio_key == recording.uri:
                return
            asked = read_json(Episode, sql.read_description(connection, row.number))
            sql.note_recording(connection, row.number, with_recording(asked, recording), row.present)
            document = sql.lock_episodes(connection, [row.episode_id]).get(row.episode_id)
            shown = fetched_episode(_episode_or_none(document, row.id) if document else None, asked, recording)
            if shown is not None:
                sql.update_episode(connection, shown, row.present)

        self._write(note)

    def finish(self, lease: Lease, result: Result) -> Job:
        def finish(connection: Connection) -> Job:
            row = sql.move_to_done(connection, lease, result, self.clock_offset)
            if row is None:
                raise _lost(lease)
            now = row.updated
            episode = heard_episode(read_json(Episode, row.episode_json), result)
            sql.update_episode(connection, episode, now)
            sql.end_attempt(connection, lease.job_id, lease.token, "done", None, now)
            job = _job(row, title=episode.title, show=episode.show)
            trace = row.traceparent
            done = job_event(EventType.JOB_DONE, job, event_id=self._new_id(), now=now, traceparent=trace)
            ready = transcript_event(
                job, result, revision=row.revision, event_id=self._new_id(), now=now, traceparent=trace
            )
            sql.insert_events(connection, [(job.id, done), (job.id, ready)], now)
            return job

        return self._write(finish)

    def revise(
        self,
        episode_id: str,
        result: Result,
        *,
        seen: int,
        unlearned: Collection[str] = (),
        traceparent: str | None = None,
    ) -> Job:
        def revise(connection: Connection) -> Job:
            row = self._lock_current(connection, episode_id, seen)
            now = sql.database_now(connection, self.clock_offset)
            sql.replace_transcript(connection, row, result, seen + 1, now)
            sql.forget_voices(connection, episode_id, unlearned)
            job = _require_job(connection, row.id)
            event = transcript_event(
                job, result, revision=seen + 1, event_id=self._new_id(), now=now, traceparent=traceparent
            )
            sql.insert_events(connection, [(job.id, event)], now)
            return job

        return self._write(revise)

    def _lock_current(self, connection: Connection, episode_id: str, seen: int) -> DatabaseRow:
        """The job of the current transcript, locked with its episode, if that is the revision that was seen.

        From then on no job of the episode can be claimed, and none is running: none can take the next revision.
        """
        row = _require_revision(connection, episode_id, None)
        sql.lock_job(connection, row.id, self.clock_offset)
        sql.lock_episodes(connection, [episode_id])
        current = _require_revision(connection, episode_id, None)
        if (current.id, current.revision) != (row.id, seen):
            raise outdated(episode_id, seen=seen, current=current.revision)
        if sql.is_running(connection, episode_id):
            raise in_work(episode_id)
        return current

    def fail(self, lease: Lease, error: JobError, *, crashed: bool = False) -> Job:
        def fail(connection: Connection) -> Job:
            row = self._lock_held(connection, lease)
            return self._failed(connection, row, error, crashed, "crashed" if crashed else "failed")

        return self._write(fail)

    def _failed(self, connection: Connection, row: DatabaseRow, error: JobError, crashed: bool, outcome: str) -> Job:
        after = after_failure(
            error,
            attempts=row.attempts,
            crashes=row.crashes,
            crashed=crashed,
            jitter=self._jitter(),
            back_off_seconds=self._back_off_seconds,
        )
        sql.move_after_failure(connection, row.id, row.lease_token, after, row.present)
        sql.end_attempt(connection, row.id, row.lease_token, outcome, error.code, row.present)
        kind = EventType.JOB_FAILED if after.is_final else EventType.JOB_RETRYING
        return self._moved(connection, row.id, kind, row.present)

    def release(self, lease: Lease, *, delay_seconds: float = 0.0, reason: JobError | None = None) -> Job:
        def release(connection: Connection) -> Job:
            now = self._lock_held(connection, lease).present
            sql.move_back_to_queue(connection, lease, delay_seconds, reason, now)
            code = reason.code if reason else None
            sql.end_attempt(connection, lease.job_id, lease.token, "released", code, now)
            return self._moved(connection, lease.job_id, EventType.JOB_QUEUED, now)

        return self._write(release)

    def _lock_held(self, connection: Connection, lease: Lease) -> DatabaseRow:
        """The job, if the lease is still its lease."""
        row = sql.lock_job(connection, lease.job_id, self.clock_offset)
        if row is None or row.state != JobState.RUNNING.value or row.lease_token != lease.token:
            raise _lost(lease)
        return row

    def rescue(self) -> Sequence[Rescued]:
        found = self._read(lambda connection: sql.list_to_rescue(connection, self.clock_offset))
        rescued = []
        for each in found:
            move = self._shorten if each.from_the_future else self._rescue
            lost = self._write(partial(move, job_id=each.id))
            rescued += [lost] if lost is not None else []
        return rescued

    def _rescue(self, connection: Connection, job_id: str) -> Rescued | None:
        """Take an expired lease away; None where another rescuer did, or the lease was beaten after all."""
        row = sql.lock_job(connection, job_id, self.clock_offset)
        if row is None or row.state != JobState.RUNNING.value or row.lease_expires >= row.present:
            return None
        lost = _worker_lost(row.lease_worker)
        if is_blameless(_progress(row)):
            lease = Lease(row.id, row.lease_token, row.lease_worker, seconds=0.0)
            sql.move_back_to_queue(connection, lease, 0.0, None, row.present)
            sql.end_attempt(connection, row.id, row.lease_token, "expired", lost.code, row.present)
            job = self._moved(connection, row.id, EventType.JOB_QUEUED, row.present)
        else:
            job = self._failed(connection, row, lost, True, "expired")
        return Rescued(job, attempt=row.lease_token)

    def _shorten(self, connection: Connection, job_id: str) -> None:
        sql.shorten_lease(connection, job_id, self.clock_offset)

    # -- what people ask for

    def cancel(self, job_id: str) -> Job:
        def cancel(connection: Connection) -> Job:
            row = sql.lock_job(connection, job_id, self.clock_offset)
            if row is None:
                raise _no_such_job(job_id)
            state = JobState(row.state)
            if state is JobState.CANCELLED:
                return _require_job(connection, job_id)
            if state.is_final:
                raise Refused(f"job {job_id} is already {state}", code="job_already_final")
            sql.move_to_cancelled(connection, job_id, row.present)
            if state is JobState.RUNNING:
                sql.end_attempt(connection, job_id, row.lease_token, "cancelled", None, row.present)
            return self._moved(connection, job_id, EventType.JOB_CANCELLED, row.present)

        return self._write(cancel)

    def retry(self, job_id: str) -> Job:
        def retry(connection: Connection) -> Job:
            now = self._begin_adding(connection)
            row = sql.lock_job(connection, job_id, self.clock_offset)
            if row is None:
                raise _no_such_job(job_id)
            if row.deleted is not None:
                raise Refused(f"job {job_id}: its episode was deleted", code="episode_deleted")
            if row.state != JobState.FAILED.value:
                raise Refused(
                    f"job {job_id} is {row.state}; only a failed job can be retried", code="job_not_retryable"
                )
            turns = sql.Turns(connection)
            turn = turns.take(row.priority, row.lane)
            turns.write()
            sql.move_failed_to_queue(connection, job_id, turn, now)
            return self._moved(connection, job_id, EventType.JOB_QUEUED, now)

        return self._write(retry)

    # -- deleting

    def delete(self, episode_id: str, *, by: str) -> Deletion:
        def delete(connection: Connection) -> Deletion:
            now = self._begin_adding(connection)
            rows = sql.lock_jobs_of(connection, episode_id)
            if rows:
                sql.lock_episodes(connection, [episode_id])
                self._forget(connection, episode_id, rows, by, now)
            return self._require_deletion(connection, episode_id)

        return self._write(delete)

    def _forget(
        self, connection: Connection, episode_id: str, rows: Sequence[DatabaseRow], by: str, now: float
    ) -> None:
        """Delete an episode with its jobs, all locked. The words go first, so that no event has them."""
        bare = Episode(id=episode_id)
        live = [row for row in rows if not JobState(row.state).is_final]
        for row in live:
            sql.move_to_cancelled(connection, row.id, now)
            if row.state == JobState.RUNNING.value:
                sql.end_attempt(connection, row.id, row.lease_token, "cancelled", None, now)
        for row in rows:
            audio_key = row.audio_key if is_upload(row.audio_key) else ""
            options = forgotten_options(_options(row))
            sql.forget_job(connection, row, episode=bare, options=options, audio_key=audio_key, now=now)
        sql.forget_episode(connection, bare, now)
        unsent = sql.list_unsent_events_of(connection, [row.id for row in rows])
        told = {row.sequence: event for row in unsent if (event := _event_or_none(row)) is not None}
        kept = {number: still for number, event in told.items() if (still := forgotten_event(event)) is not None}
        sql.keep_events_of(connection, [row.id for row in rows], kept)
        for row in live:
            self._moved(connection, row.id, EventType.JOB_CANCELLED, now)
        last = max((row for row in rows if row.revision is not None), key=lambda row: row.revision, default=None)
        if last is not None:
            event = deletion_event(
                episode_id, revision=last.revision, event_id=self._new_id(), now=now, traceparent=last.traceparent
            )
            sql.insert_events(connection, [(last.id, event)], now)
        sql.insert_deletion(connection, episode_id, by, None if last is None else last.revision, now)

    def deletion(self, episode_id: str) -> Deletion:
        return self._read(lambda connection: self._require_deletion(connection, episode_id))

    def _require_deletion(self, connection: Connection, episode_id: str) -> Deletion:
        row = sql.find_deletion(connection, episode_id)
        if row is None:
            raise NotFound(f"no episode {episode_id}", code="episode_not_found")
        return self._deletions(connection, [row])[0]

    def _deletions(self, connection: Connection, rows: Sequence[DatabaseRow]) -> list[Deletion]:
        now = sql.database_now(connection, self.clock_offset)
        deleted = sql.list_deleted_jobs(connection, [row.episode_id for row in rows])
        return [_deletion(row, [each for each in deleted if each.episode_id == row.episode_id], now) for row in rows]

    def unerased(self, *, limit: int = 100) -> Sequence[Deletion]:
        return self._read(lambda connection: self._deletions(connection, sql.list_unerased(connection, limit)))

    def mark_erased(self, deletion: Deletion) -> None:
        self._write(lambda connection: sql.mark_erased(connection, deletion.number, self.clock_offset))

    def unwanted_audio(self, audio_keys: Sequence[str]) -> frozenset[str]:
        users = self._read(lambda connection: sql.find_users_of_audio(connection, audio_keys))
        wanted = {row.audio_key for row in users if row.deleted is None}
        return frozenset(row.audio_key for row in users) - wanted

    def wanted_audio(self, audio_keys: Sequence[str]) -> frozenset[str]:
        users = self._read(lambda connection: sql.find_users_of_audio(connection, audio_keys))
        return frozenset(row.audio_key for row in users if row.deleted is None)

    # -- reading

    def holders(self, job_ids: Sequence[str]) -> dict[str, Holder]:
        return self._read(lambda connection: sql.find_holders(connection, job_ids))

    def backlog(self) -> Backlog:
        def look(connection: Connection) -> Backlog:
            now = sql.database_now(connection, self.clock_offset)
            queued, queued_seconds = sql.audio_in(connection, JobState.QUEUED)
            running, running_seconds = sql.audio_in(connection, JobState.RUNNING)
            unpublished, oldest_event = sql.unpublished(connection)
            return Backlog(
                queued_jobs=queued,
                running_jobs=running,
                queued_audio_seconds=queued_seconds,
                running_audio_seconds=running_seconds,
                oldest_queued_seconds=_age(sql.oldest_due(connection, now), now),
                unpublished_events=unpublished,
                oldest_unpublished_seconds=_age(oldest_event, now),
            )

        return self._read(look)

    def job(self, job_id: str) -> Job:
        return self._read(lambda connection: _require_job(connection, job_id))

    def jobs(self, *, state: JobState | None = None, limit: int = 50, before: str | None = None) -> Sequence[Job]:
        def look(connection: Connection) -> Sequence[DatabaseRow]:
            below = None
            if before is not None:
                row = sql.find_job(connection, before)
                if row is None:
                    raise _no_such_job(before)
                below = row.number
            return sql.list_jobs(connection, state, below, limit)

        return [_shown_job(row) for row in self._read(look)]

    def episode(self, episode_id: str) -> Episode:
        row = self._read(lambda connection: _require_episode(connection, episode_id))
        if row is None:
            raise NotFound(f"no episode {episode_id}", code="episode_not_found")
        return read_json(Episode, row.document)

    def latest_done(self, episode_id: str, *, revision: int | None = None) -> Job:
        return _shown_job(self._read(lambda connection: _require_revision(connection, episode_id, revision)))

    def next_revision(self, episode_id: str) -> int:
        return 1 + self._read(lambda connection: sql.last_revision(connection, episode_id))

    # -- the outbox

    def pending_events(self, *, limit: int = 100) -> Sequence[tuple[int, Event]]:
        def look(connection: Connection) -> Sequence[tuple[int, Event]]:
            events: list[tuple[int, Event]] = []
            held_back: set[str] = set()
            rows = sql.list_pending_events(connection, 0, limit)
            while rows:
                events += _in_order(rows, held_back)
                is_all = len(events) >= limit or len(rows) < limit
                rows = () if is_all else sql.list_pending_events(connection, rows[-1].sequence, limit)
            return events[:limit]

        return self._read(look)

    def mark_published(self, sequence_numbers: Sequence[int]) -> None:
        if sequence_numbers:
            self._write(lambda connection: sql.mark_events(connection, sequence_numbers, self.clock_offset))

    def forget_published(self, *, older_than_seconds: float, limit: int = 1000) -> int:
        return self._write(
            lambda connection: sql.forget_events(connection, older_than_seconds, limit, self.clock_offset)
        )

    def lead_publishing(self, publisher: str, *, seconds: float) -> int | None:
        return self._write(lambda connection: sql.take_publishing(connection, publisher, seconds, self.clock_offset))

    def resign_publishing(self, publisher: str) -> None:
        self._write(lambda connection: sql.give_publishing_up(connection, publisher))

    def events_of(self, job_id: str, *, after: int = 0) -> Sequence[tuple[int, Event]]:
        rows = self._read(lambda connection: sql.list_events_of(connection, job_id, after))
        return [(row.sequence, event) for row in rows if (event := _event_or_none(row)) is not None]

    # -- shared steps

    def _moved(self, connection: Connection, job_id: str, kind: EventType, now: float) -> Job:
        """The job as it is now, with the event about its move in the outbox."""
        row = sql.find_moved_job(connection, job_id)
        job = _shown_job(row)
        self._tell(connection, kind, job, row, now)
        return job

    def _tell(self, connection: Connection, kind: EventType, job: Job, row: DatabaseRow, now: float) -> None:
        event = job_event(kind, job, event_id=self._new_id(), now=now, traceparent=row.traceparent)
        sql.insert_events(connection, [(job.id, event)], now)

    def _read(self, look: Callable[[Connection], T]) -> T:
        return self._run(partial(self._read_once, look))

    def _read_once(self, look: Callable[[Connection], T]) -> T:
        with self._database.reading() as connection:
            return look(connection)

    def _write(self, move: Callable[[Connection], T]) -> T:
        """Make a move in one transaction."""
        return self._run(partial(self._write_once, move))

    def _write_once(self, move: Callable[[Connection], T]) -> T:
        with self._database.writing() as connection:
            answer = move(connection)
            try:
                connection.commit()
            except DBAPIError as error:  # whether it was written is not known: no other try
                translated = self._database.translation(error)
                if translated is None:
                    raise
                raise translated from error
            return answer

    def _run(self, transaction: Callable[[], T]) -> T:
        """Run a transaction, again where that cannot make a move twice."""
        with self._translated():
            try:
                return transaction()
            except DBAPIError as error:
                if not self._database.is_worth_another_try(error):
                    raise
            return self._retrying(transaction)

    # -- for the tables of other adapters

    def write(self, move: Callable[[Connection], T]) -> T:
        """Run another adapter's statements in one transaction, under the ledger's rules and with its errors."""
        return self._write(move)

    def read(self, look: Callable[[Connection], T]) -> T:
        """The same for statements that write nothing."""
        return self._read(look)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """The database's errors as ours. What remains is a defect of our statements and keeps its own class."""
        try:
            yield
        except DBAPIError as error:
            translated = self._database.translation(error)
            if translated is None:
                raise
            raise translated from error
        except sa.exc.TimeoutError as error:
            raise TransientError(
                "every connection to the ledger of this process is in use", code="database_busy"
            ) from error


# ---------------------------------------------------------------- what an addition reads, decides and writes


class ShownEpisodes:
    """What is shown of some episodes, locked, while jobs describe them anew."""

    def __init__(self, connection: Connection, episode_ids: Sequence[str]) -> None:
        self._connection = connection
        self._documents = sql.lock_episodes(connection, episode_ids)
        self._transcribed = sql.find_transcribed(connection, list(self._documents))
        self._shown: dict[str, Episode | None] = {
            key: None if document is None else _episode_or_none(document, key)
            for key, document in self._documents.items()
        }
        self._changed: dict[str, Episode] = {}

    def known(self, episode_id: str) -> Episode | None:
        return self._shown.get(episode_id)

    def describe(self, asked: Episode) -> Episode:
        """Let a job describe its episode; the answer is how the episode is shown from then on."""
        earlier = self.known(asked.id)
        shown = shown_episode(earlier, asked, is_transcribed=asked.id in self._transcribed)
        if shown != earlier:
            self._shown[asked.id] = self._changed[asked.id] = shown
        return shown

    def write(self, now: float) -> None:
        new = [episode for key, episode in self._changed.items() if key not in self._documents]
        sql.insert_episodes(self._connection, new, now)
        for key, episode in self._changed.items():
            if key in self._documents:
                sql.update_episode(self._connection, episode, now)


class Addition:
    """One transaction that adds jobs: it reads what it needs, decides about each request in turn, writes it all."""

    def __init__(self, connection: Connection, news: Sequence[NewJob], *, now: float) -> None:
        self._connection = connection
        self._now = now
        keys = [new.idempotency_key for new in news if new.idempotency_key is not None]
        self._used = sql.find_idempotency_keys(connection, keys)
        self._same = sql.find_same_requests(connection, [new.dedupe_key for new in news])
        self._same |= self._found_deleted([new.dedupe_key for new in news if not new.revives])
        known = {job_id for _, job_id in self._used.values()} | set(self._same.values())
        self._jobs = {row.id: _shown_job(row) for row in sql.find_jobs(connection, list(known))}
        self._episodes = ShownEpisodes(connection, [new.episode.id for new in news if not self._is_known(new)])
        self._turns = sql.Turns(connection)
        self._rows: list[dict[str, Any]] = []
        self._added: list[tuple[NewJob, Job]] = []
        self._new_keys: dict[str, tuple[str, str]] = {}
        self._answered = 0
        self.described_anew: list[int] = []  #: which of the requests describe a job that was there

    def answer(self, new: NewJob, job_id: str) -> tuple[Job, bool] | Refused:
        """The job of a request, under this id if it is new, and whether it is. Asked for each in the order given."""
        place, self._answered = self._answered, self._answered + 1
        used = None if new.idempotency_key is None else self._used.get(as_key(new.idempotency_key))
        if used is not None:
            if used[0] != as_key(new.dedupe_key):
                return Refused(
                    f"Idempotency-Key {new.idempotency_key!r} was used for another request",
                    code="idempotency_key_reused",
                )
            return self._as_shown(self._jobs[used[1]]), False
        same = self._same.get(as_key(new.dedupe_key))
        if same is not None and new.amends:
            self.described_anew.append(place)
        job = self._as_shown(self._jobs[same]) if same is not None else self._new_job(new, job_id)
        if new.idempotency_key is not None:
            self._new_keys[new.idempotency_key] = (new.dedupe_key, job.id)
            self._used[as_key(new.idempotency_key)] = (as_key(new.dedupe_key), job.id)
        return job, same is None

    def _found_deleted(self, dedupe_keys: Sequence[str]) -> dict[str, str]:
        """The jobs of requests that were deleted and, until now, not made again."""
        deleted = sql.find_deleted_requests(self._connection, dedupe_keys)
        return {key: job_id for key, job_id in deleted.items() if key not in self._same}

    def write(self, new_id: Callable[[], str]) -> None:
        self._episodes.write(self._now)
        self._turns.write()
        sql.insert_jobs(self._connection, self._rows)
        sql.insert_idempotency_keys(self._connection, self._new_keys, self._now)
        events = [
            (
                job.id,
                job_event(
                    EventType.JOB_FAILED if new.failed else EventType.JOB_QUEUED,
                    job,
                    event_id=new_id(),
                    now=self._now,
                    traceparent=new.traceparent,
                ),
            )
            for new, job in self._added
        ]
        sql.insert_events(self._connection, events, self._now)

    def _new_job(self, new: NewJob, job_id: str) -> Job:
        episode = asked_episode(self._episodes.known(new.episode.id), new.episode)
        shown = self._episodes.describe(episode)
        lane = lane_of(episode)
        turn = self._turns.take(new.priority, lane, waits=new.failed is None)
        row = sql.job_values(new, episode, job_id=job_id, lane=lane, turn=turn, now=self._now)
        time = instant(self._now)
        job = Job(
            id=job_id,
            episode_id=episode.id,
            state=JobState(row["state"]),
            created=time,
            updated=time,
            options=new.options,
            title=shown.title,
            show=shown.show,
            priority=new.priority,
            error=new.failed,
            finished=time if new.failed else None,
        )
        self._rows.append(row)
        self._added.append((new, job))
        self._same[as_key(new.dedupe_key)] = job_id
        self._jobs[job_id] = job
        return job

    def _as_shown(self, job: Job) -> Job:
        """A job that is known, with the title that its episode has by now."""
        episode = self._episodes.known(job.episode_id)
        return job if episode is None else replace(job, title=episode.title, show=episode.show)

    def _is_known(self, new: NewJob) -> bool:
        return as_key(new.dedupe_key) in self._same


# ---------------------------------------------------------------- rows to nouns


def _claimed(row: DatabaseRow, lease: Lease) -> Claimed:
    """Raises PageError for a row that cannot be read."""
    options = read_json(JobOptions, row.options)
    return Claimed(
        lease=lease,
        job=_job(row, title=row.title, show=row.show, options=options),
        episode=read_json(Episode, row.episode_json),
        audio_key=row.audio_key,
        traceparent=row.traceparent,
    )


def _shown_job(row: DatabaseRow) -> Job:
    return _job(row, title=row.title, show=row.show, options=_options(row))


def _options(row: DatabaseRow) -> JobOptions:
    """The defaults where they cannot be read: one wrong row must not keep a list from being shown."""
    try:
        return read_json(JobOptions, row.options)
    except PageError as error:
        log.error("options of a job could not be read", job_id=row.id, problem=error.message)
        return JobOptions()


def _progress(row: DatabaseRow) -> Progress | None:
    try:
        return None if row.progress is None else read_json(Progress, row.progress)
    except PageError as error:
        log.error("progress of a job could not be read", job_id=row.id, problem=error.message)
        return None


def _job(
    row: DatabaseRow, *, title: str | None = None, show: str | None = None, options: JobOptions | None = None
) -> Job:
    error = None
    if row.error_code is not None:
        error = JobError(code=row.error_code, message=row.error_message, retryable=bool(row.error_retryable))
    return Job(
        id=row.id,
        episode_id=row.episode_id,
        state=JobState(row.state),
        created=instant(row.created),
        updated=instant(row.updated),
        options=options or _options(row),
        title=title,
        show=show,
        priority=row.priority,
        attempts=row.attempts,
        crashes=row.crashes,
        not_before=instant(row.not_before) if row.not_before > 0 else None,
        progress=_progress(row),
        error=error,
        worker=row.lease_worker,
        transcript_key=row.transcript_key,
        transcript_sha256=row.transcript_sha256,
        revision=row.revision,
        audio_seconds=row.audio_seconds,
        started=None if row.started is None else instant(row.started),
        finished=None if row.finished is None else instant(row.finished),
        deleted=None if row.deleted is None else instant(row.deleted),
    )


def _deletion(row: DatabaseRow, deleted_jobs: Sequence[DatabaseRow], now: float) -> Deletion:
    uploads = dict.fromkeys(each.audio_key for each in deleted_jobs if is_upload(each.audio_key))
    return Deletion(
        number=row.number,
        episode_id=row.episode_id,
        deleted=instant(row.deleted),
        deleted_by=row.deleted_by,
        age_seconds=_age(row.deleted, now),
        job_ids=tuple(each.id for each in deleted_jobs),
        audio_keys=tuple(uploads),
        revision=row.revision,
        erased=None if row.erased is None else instant(row.erased),
    )


def _require_episode(connection: Connection, episode_id: str) -> DatabaseRow | None:
    """The row of an episode, None where there is none. Raises NotFound for one that was deleted."""
    row = sql.find_episode(connection, episode_id)
    if row is not None and row.deleted is not None:
        raise NotFound(f"episode {episode_id} was deleted at {instant(row.deleted)}", code="episode_deleted")
    return row


def _require_revision(connection: Connection, episode_id: str, revision: int | None) -> DatabaseRow:
    _require_episode(connection, episode_id)
    row = sql.find_revision(connection, episode_id, revision)
    if row is None:
        which = "" if revision is None else f" of revision {revision}"
        raise NotFound(f"no transcript{which} for episode {episode_id}", code="transcript_not_found")
    return row


def _require_job(connection: Connection, job_id: str) -> Job:
    row = sql.find_job(connection, job_id)
    if row is None:
        raise _no_such_job(job_id)
    return _shown_job(row)


def _episode_or_none(document: str, subject: str) -> Episode | None:
    """What is known of an episode; nothing where it cannot be read: the next description takes its place."""
    try:
        return read_json(Episode, document)
    except PageError as error:
        log.error("an episode could not be read", subject=subject, problem=error.message)
        return None


def _in_order(rows: Sequence[DatabaseRow], held_back: set[str]) -> list[tuple[int, Event]]:
    """The events of outbox rows. One that cannot be read holds back the later ones of its episode, and no others.

    `held_back` are the episodes of which one could not be read; those of these rows come to it.
    """
    events: list[tuple[int, Event]] = []
    for row in rows:
        if row.subject in held_back:
            continue
        event = _event_or_none(row)
        if event is None:
            held_back.add(row.subject)
        else:
            events.append((row.sequence, event))
    return events


def _event_or_none(row: DatabaseRow) -> Event | None:
    try:
        return read_json(Event, row.document)
    except PageError as error:
        log.error("an event could not be read", sequence=row.sequence, subject=row.subject, problem=error.message)
        return None


def _age(then: float | None, now: float) -> float:
    """Seconds since then; 0 for nothing, and for what a clock that was set back puts into the future."""
    return 0.0 if then is None else max(0.0, now - then)


def _worker_lost(worker: str) -> JobError:
    return JobError(code="worker_lost", message=f"worker {worker} stopped beating", retryable=True)


def _lost(lease: Lease) -> LeaseLost:
    return LeaseLost(f"job {lease.job_id}: lease {lease.token} of worker {lease.worker} is no longer the job's")


def _no_such_job(job_id: str) -> NotFound:
    return NotFound(f"no job {job_id}", code="job_not_found")


# ---------------------------------------------------------------- which database, which version


def _database_of(url: str, busy_seconds: float) -> Database:
    """The database that an address names. Raises OptionError `bad_setting`, without the password."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise _bad_url("what is set is no address of a database") from None
    if parsed.get_backend_name() == "sqlite":
        from adapters.ledger_sqlite import SqliteFile

        return SqliteFile(parsed, busy_seconds=busy_seconds)
    if parsed.get_backend_name() in ("postgresql", "postgres"):
        from adapters.ledger_postgres import PostgresServer

        return PostgresServer(parsed, busy_seconds=busy_seconds)
    raise _bad_url(f"{parsed.get_backend_name()} is no database that Stenocast keeps a ledger in")


def _bad_url(problem: str) -> OptionError:
    return OptionError(
        f"STENOCAST_DATABASE_URL: {problem}: use sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE",
        code="bad_setting",
        field="database_url",
    )


def _schema_version(connection: Connection) -> str | None:
    """The migration that the database is at, None for a new one."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return version


def _version_to_move(connection: Connection) -> str | None:
    """The migration that the database is at. Raises NotReady `ledger_newer`."""
    version, newest = _schema_version(connection), _versions()[-1]
    if version is not None and version > newest:
        raise NotReady(
            f"the ledger is at version {version} and this Stenocast knows {newest}: start the newer one",
            code="ledger_newer",
        )
    return version


def _versions() -> list[str]:
    """The versions that there are, oldest first: what the migrations' file names begin with."""
    return sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("*.py"))
