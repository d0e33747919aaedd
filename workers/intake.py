"""Intake: reads what producers and buckets announce, and has the ledger hold a job for every new recording.

A batch of records is one transaction. First the ledger has its jobs, then the dead letters are acknowledged, then the
offsets are committed: whoever dies in between leaves records that come again, and the second time finds its jobs
there and at worst sends a dead letter twice. While ledger, bucket or broker are away, nothing is committed, and the
same records are tried again later.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from threading import Event as StopEvent

import structlog

from adapters.metrics import Metrics, TakenIn, process_metrics
from schemas.errors import InputError, NotReady, Refused, StenocastError, TransientError
from schemas.topics import Topic
from transcription.notifications import Announced, Notice, Rejected, Touched, read_notices
from transcription.ports import (
    LARGEST_BESIDE_BYTES,
    LARGEST_INLINE_BYTES,
    DeadLetter,
    DeadLetters,
    Record,
    RecordSource,
    Store,
)
from workers.crashpoints import Reached
from workers.outage import Outage
from workers.taking_in import TakeIn, Wanted

log = structlog.get_logger()

POLL_SECONDS = 0.5  #: how long a stop waits for a quiet broker at most
FIRST_PAUSE_SECONDS = 0.5  #: before a batch is tried again; doubles
LONGEST_PAUSE_SECONDS = 15.0

#: A batch that failed so often although ledger and bucket answer has a record that is to blame, not the weather.
PATIENCE = 6
SINGLE_TRIES = 4  #: of a record by itself, before it is to blame


@dataclass
class _Batch:
    """What came of the records of one poll."""

    wanted: list[Wanted] = field(default_factory=list)
    said_by: dict[Notice, list[Record]] = field(default_factory=dict)
    letters: list[DeadLetter] = field(default_factory=list)
    outcomes: dict[Record, TakenIn] = field(default_factory=dict)

    def reject(self, record: Record, code: str, message: str) -> None:
        """One letter for a record, with the first reason: letters are known by the record's place."""
        if self.outcomes.get(record) is TakenIn.DEAD:
            return
        self.letters.append(DeadLetter(record, code, message))
        self.outcomes[record] = TakenIn.DEAD


class Intake:
    """One member of the group of intakes. Any number of them may run."""

    def __init__(
        self,
        *,
        source: RecordSource,
        take_in: TakeIn,
        dead_letters: DeadLetters,
        store: Store,
        metrics: Metrics | None = None,
        reached: Reached = lambda _place: None,
    ) -> None:
        self._metrics = metrics or process_metrics()
        self._source = source
        self._take_in = take_in
        self._dead_letters = dead_letters
        self._store = store
        self._reached = reached
        self._failures = 0  #: of batches, one after the other
        self._settled: list[_Batch] = []  #: what is to be counted once it is committed

    def take(self, *, seconds: float = POLL_SECONDS) -> int:
        """Take in one batch; how many records it was.

        On an error nothing is committed, and the next batch begins with the same records. Raises TransientError and
        NotReady, of the broker, the ledger, the bucket or the store.
        """
        records = self._source.poll(seconds=seconds)
        if not records:
            return 0
        try:
            self._take_all(records)
            self._reached("before_commit")
            self._source.commit(records)
        except BaseException:
            self._failures += 1
            self._settled.clear()
            self._source.restore(records)
            raise
        self._failures = 0
        while self._settled:
            self._count(self._settled.pop())
        return len(records)

    def _take_all(self, records: Sequence[Record]) -> None:
        """Take a batch in; where one of its records is to blame that it cannot be, the others without it."""
        try:
            self._settle(self._read(records))
        except (TransientError, NotReady) as error:
            if self._failures < PATIENCE or not self._take_in.is_served():
                raise
            self._take_singly(records, error)
        except Exception as error:
            self._take_singly(records, error)

    def _take_singly(self, records: Sequence[Record], error: Exception) -> None:
        if len(records) > 1:
            log.warning("batch broken up", records=len(records), reason=type(error).__name__)
        for record in records:
            self._take_or_reject(record)

    def _take_or_reject(self, record: Record) -> None:
        """Take one record in, or say why it cannot be; a server that only now and then fails does not count."""
        for tries_left in reversed(range(SINGLE_TRIES)):
            try:
                self._settle(self._read([record]))
                return
            except (TransientError, NotReady) as error:
                if not self._take_in.is_served():
                    raise
                if not tries_left:
                    self._settle(_broken(record, error))
            except Exception as error:
                self._settle(_broken(record, error))
                return

    def _read(self, records: Sequence[Record]) -> _Batch:
        """Everything that the records say, and what the bucket says about it; nothing is written yet."""
        batch = _Batch()
        for record in records:
            batch.outcomes[record] = TakenIn.SKIPPED
            for notice in read_notices(record):
                batch.said_by.setdefault(notice, []).append(record)
                self._note(batch, record, notice)
        announced = [notice for notice in batch.said_by if isinstance(notice, Announced)]
        for notice, answer in self._take_in.announced(announced):
            if isinstance(answer, Wanted):
                batch.wanted.append(answer)
            elif answer is not None:
                for record in batch.said_by[notice]:
                    batch.reject(record, answer.code, answer.message)
        batch.wanted += self._take_in.touched([each for each in batch.said_by if isinstance(each, Touched)])
        return batch

    def _note(self, batch: _Batch, record: Record, notice: Notice) -> None:
        if isinstance(notice, Rejected):
            batch.reject(record, notice.code, notice.message)
        elif batch.outcomes[record] is TakenIn.DEAD:
            return
        elif isinstance(notice, Announced) or (isinstance(notice, Touched) and self._take_in.concerns(notice)):
            batch.outcomes[record] = TakenIn.KNOWN  # or gone again

    def _settle(self, batch: _Batch) -> None:
        """The ledger first, then the dead letters."""
        for wanted, answer in zip(batch.wanted, self._take_in.add(batch.wanted), strict=True):
            for record in batch.said_by[wanted.notice]:
                if isinstance(answer, Refused):
                    batch.reject(record, answer.code, answer.message)
                elif answer.is_new and batch.outcomes[record] is not TakenIn.DEAD:
                    batch.outcomes[record] = TakenIn.NEW
        self._reached("after_take_in")
        if batch.letters:
            self._send(batch.letters)
        for letter in batch.letters:
            log.warning("record rejected", code=letter.reason, reason=letter.message, **_place(letter.record))
        self._settled.append(batch)

    def _count(self, batch: _Batch) -> None:
        for letter in batch.letters:
            self._metrics.dead_lettered(letter.reason)
        for record, outcome in batch.outcomes.items():
            self._metrics.record_taken_in(_topic(record), outcome)

    def _send(self, letters: Sequence[DeadLetter]) -> None:
        """Send the letters, what is too large for them by reference; all of it where the broker takes even less."""
        try:
            self._dead_letters.send(
                [self._referring(each, LARGEST_INLINE_BYTES, LARGEST_BESIDE_BYTES) for each in letters]
            )
        except InputError as error:
            log.warning("dead letters shortened", code=error.code, reason=error.message)
            self._dead_letters.send([self._referring(each, 0, 0) for each in letters])

    def _referring(self, letter: DeadLetter, most_inline: int, most_beside: int) -> DeadLetter:
        """The letter, with what is larger than that of its record put into the store."""
        record = letter.record
        if len(record.value or b"") > most_inline:
            letter = replace(letter, stored_key=self._stored(record.value or b""))
        if record.beside_bytes > most_beside:
            letter = replace(letter, stored_beside=self._stored(_beside_as_json(record)))
        return letter

    def _stored(self, content: bytes) -> str:
        """Put bytes into the store; their key, the same for the same bytes."""
        key = f"dead-letters/{hashlib.sha256(content).hexdigest()}"
        self._store.put(key, content)
        return key

    def trouble(self) -> TransientError | None:
        """Why nothing comes, where that is not because there is nothing."""
        return self._source.trouble()

    def tell_lag(self) -> int:
        """Records that wait behind this member's position."""
        lag = self._source.lag()
        self._metrics.lag_seen("all", lag)
        return lag

    def tell_stalled(self, is_stalled: bool) -> None:
        self._metrics.intake_stalled(is_stalled)

    def close(self) -> None:
        self._source.close()


def take_until(
    stop: StopEvent,
    intake: Intake,
    *,
    exit_when_idle: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Take in until the stop is set, or nothing came for `exit_when_idle` seconds. Leaves the group at the end."""
    pause, last = 0.0, clock()
    outage = Outage("records not taken in", over="records taken in again", clock=clock)
    try:
        while not stop.wait(pause):
            process_metrics().loop_turned("intake")
            taken, pause = _taken_or_paused(intake, pause, outage)
            intake.tell_stalled(bool(pause) or outage.lasts)
            if taken or pause or outage.lasts:
                last = clock()
            elif exit_when_idle is not None and clock() - last >= exit_when_idle:
                return
    finally:
        intake.close()


def _taken_or_paused(intake: Intake, pause: float, outage: Outage) -> tuple[int, float]:
    """Take in once; how many records, and for how long to wait before the next time."""
    try:
        taken = intake.take()
        trouble = None if taken else intake.trouble()
        if trouble is not None:
            outage.noticed(trouble)
            return 0, 0.0  # the client itself finds the broker again, sooner than after a pause
        outage.ended()
        if taken:
            log.info("records taken in", records=taken, lag=intake.tell_lag())
        return taken, 0.0
    except (TransientError, NotReady) as error:
        outage.noticed(error)
    except Exception:
        log.exception("intake broke")
    return 0, min(max(FIRST_PAUSE_SECONDS, pause * 2), LONGEST_PAUSE_SECONDS)


def _broken(record: Record, error: Exception) -> _Batch:
    """A record that nothing foresaw must not keep those behind it from being taken in."""
    batch = _Batch()
    if isinstance(error, StenocastError):
        batch.reject(record, error.code, error.message)
    else:
        log.error("record broke intake", exc_info=error, **_place(record))
        batch.reject(record, "internal_error", "intake itself failed at this record; its log says how")
    return batch


def _beside_as_json(record: Record) -> bytes:
    """Key and headers of a record, the bytes as base64."""
    headers = [[name, base64.b64encode(value).decode()] for name, value in record.headers]
    key = None if record.key is None else base64.b64encode(record.key).decode()
    return json.dumps({"key": key, "headers": headers}).encode()


def _topic(record: Record) -> str:
    """The topic's name without the installation's prefix."""
    return next((topic.value for topic in Topic if record.topic.endswith(topic)), "other")


def _place(record: Record) -> dict[str, object]:
    return {"topic": record.topic, "partition": record.partition, "offset": record.offset}
