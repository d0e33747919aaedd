"""From objects in a bucket to jobs: what intake and the reconciler have in common.

Nothing here remembers anything. Whether a drop is known, the ledger says; what lies under a name, the bucket says. So
the same notice may come any number of times, to any number of processes, in any order: the job is there once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

import structlog

from adapters.acceptance import check_priority, printable
from adapters.glossaries import no_glossary
from adapters.model_sets import is_folder_name, is_hub_name
from adapters.tracing import process_tracing
from schemas.drop import Drop
from schemas.episode import AudioInfo, Episode
from schemas.errors import AudioError, InputError, NotFound, NotReady, OptionError, Refused, TransientError
from schemas.job import Job, JobError, JobOptions, Term
from schemas.sidecar import LARGEST_BYTES, Sidecar, read_sidecar
from schemas.wire import write_json
from transcription.described import check_described
from transcription.drops import (
    DropPlace,
    ObjectKind,
    drop_dedupe_key,
    kind_of,
    sidecar_key,
    stem_of,
    usual_container,
)
from transcription.jobs import expected_seconds
from transcription.notifications import Announced, Touched
from transcription.options import check_options
from transcription.ports import DropBox, JobQueue, NewJob

log = structlog.get_logger()

#: Questions to the bucket at the same time: one answer takes milliseconds, and a batch asks hundreds.
QUESTIONS_AT_ONCE = 8

_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class DropRules:
    """What the service's settings say about drops."""

    place: DropPlace
    models: str  #: the set of drops whose description names none
    max_bytes: int
    check_models: Callable[[str, str | None], None]
    glossary_of: Callable[[str | None], tuple[Term, ...]] = no_glossary  #: the one kept for a show


@dataclass(frozen=True, slots=True)
class Wanted:
    """A job that should be there. Where it is there already and `amends`, it takes over this description."""

    new: NewJob
    notice: Touched | Announced
    amends: bool = False
    is_known: bool = False  #: there was one already, perhaps a cancelled one: no other is added


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one wanted job."""

    job: Job | None  #: null where there is one already and it was left as it is
    is_new: bool


class TakeIn:
    """Looks at what was announced or found, and asks the ledger for the jobs that are missing.

    Raises TransientError and NotReady of bucket and ledger everywhere; then nothing was added.
    """

    def __init__(
        self,
        *,
        queue: JobQueue,
        drops: DropBox,
        rules: DropRules,
        new_id: Callable[[], str],
        new_trace: Callable[[], str],
    ) -> None:
        self._queue = queue
        self._drops = drops
        self._rules = rules
        self._new_id = new_id
        self._new_trace = new_trace

    # ------------------------------------------------------------ what was touched

    def touched(self, notices: Sequence[Touched]) -> list[Wanted]:
        """The jobs that a bucket's notifications lead to; recordings that have theirs already are left out."""
        once = {(each.bucket, each.keys): each for each in notices}
        recordings: dict[Drop, Touched] = {}
        sidecars: dict[Drop, Touched] = {}
        for touched, drop in _at_once(self._look, once.values()):
            if drop is not None:
                (sidecars if kind_of(drop.key) is ObjectKind.SIDECAR else recordings)[drop] = touched
        described: dict[Drop, Touched] = {}
        for sidecar, beside in _at_once(self._recordings_beside, sidecars):
            described |= dict.fromkeys(beside, sidecars[sidecar])
        return self._missing(recordings, described)

    def _missing(self, recordings: Mapping[Drop, Touched], described: Mapping[Drop, Touched]) -> list[Wanted]:
        """The jobs of recordings that have none, and anew those of recordings whose description came after them."""
        known = self._queue.known_requests([drop_dedupe_key(each) for each in {**recordings, **described}])
        asked = [
            drop for drop in {**recordings, **described} if drop in described or drop_dedupe_key(drop) not in known
        ]
        wanted = []
        for drop, job in _at_once(lambda each: self._wanted(each, (described.get(each) or recordings[each])), asked):
            is_known = drop_dedupe_key(drop) in known
            if is_known and job.new.failed is not None:
                log.warning("description not taken over", file=_shown(drop), code=job.new.failed.code)
                continue
            wanted.append(replace(job, amends=drop in described, is_known=is_known))
        return wanted

    def concerns(self, touched: Touched) -> bool:
        """Whether the name is one of a recording or a description in the place for drops."""
        place = self._rules.place
        return any(place.holds(touched.bucket, key) and kind_of(key) is not ObjectKind.OTHER for key in touched.keys)

    def _look(self, touched: Touched) -> Drop | None:
        """What lies under the name, if it is a recording or a description; the first reading of it that is there."""
        for key in touched.keys:
            if not self._rules.place.holds(touched.bucket, key) or kind_of(key) is ObjectKind.OTHER:
                continue
            drop = self._drops.look(touched.bucket, key)
            if drop is not None and drop.size_bytes != 0:
                return drop
        log.debug("notice passed over", bucket=printable(touched.bucket), key=printable(touched.keys[0]))
        return None

    def _recordings_beside(self, sidecar: Drop) -> list[Drop]:
        """The recordings that a description is about: same name, other ending."""
        return [
            found
            for listed in self._drops.listed(sidecar.bucket, stem_of(sidecar.key))
            if self.is_recording(listed)
            and sidecar_key(listed.key) == sidecar.key
            and (found := self._drops.look(listed.bucket, listed.key)) is not None
        ]

    def listed(self) -> Iterator[Drop]:
        """Everything that lies in the place for drops, by name, whatever it is."""
        return self._drops.listed(self._rules.place.bucket, self._rules.place.prefix)

    def is_recording(self, drop: Drop) -> bool:
        """Whether what was listed is a drop, as far as name and size tell."""
        place = self._rules.place
        return place.holds(drop.bucket, drop.key) and kind_of(drop.key) is ObjectKind.AUDIO and drop.size_bytes != 0

    def found(self, listed: Sequence[Drop]) -> list[Wanted]:
        """The jobs that a listing leads to: those of recordings that have none yet."""
        keys = {drop_dedupe_key(drop): drop for drop in listed if self.is_recording(drop)}
        known = self._queue.known_requests(list(keys)) if keys else frozenset()
        missing = [Touched(drop.bucket, (drop.key,)) for key, drop in keys.items() if key not in known]
        return self.touched(missing) if missing else []

    def is_served(self) -> bool:
        """Whether ledger and bucket answer at all at the moment."""
        try:
            self._queue.known_requests(["drop:"])
            self._drops.look(self._rules.place.bucket, f"{self._rules.place.prefix}is-anybody-there")
        except (TransientError, NotReady):
            return False
        return True

    # ------------------------------------------------------------ what was announced

    def announced(self, notices: Sequence[Announced]) -> list[tuple[Announced, Wanted | InputError | Refused | None]]:
        """The job that each of our own events asks for; None where this very event made or found one before.

        The error for what cannot be done: no such object, outside of the place for drops, wrong options, the id of
        an event about another object.
        """
        return _at_once(self._answered, notices)

    def _answered(self, notice: Announced) -> Wanted | InputError | Refused | None:
        try:
            return self._announced(notice)
        except (InputError, Refused) as error:
            return error

    def _announced(self, notice: Announced) -> Wanted | None:
        given = notice.drop
        request = _request_key(notice)
        known = self._queue.known(request)
        if known is not None:
            if known.episode_id == given.episode_id:
                return None
            raise Refused(
                f"event {printable(notice.event_id[:80])!r}: its id came before, about another object",
                code="idempotency_key_reused",
            )
        if not self._rules.place.holds(given.bucket, given.key):
            raise InputError(
                f"{given.address[:200]}: outside of the place for drops, or under a prefix of our own",
                code="drop_refused",
                field="key",
            )
        drop = self._meant(given)
        if notice.metadata is None:
            wanted = self._wanted(drop, notice)
            return replace(wanted, new=replace(wanted.new, idempotency_key=request))
        self._check_size(drop)
        options = self._options(notice.metadata)
        new = self._new_job(drop, notice.metadata, options, notice.traceparent)
        key = drop_dedupe_key(drop, options if notice.metadata.asks_for_options else None)
        return Wanted(replace(new, dedupe_key=key, idempotency_key=request), notice, amends=True)

    def _meant(self, given: Drop) -> Drop:
        """The version that an event means: the one it names, even where another lies there by now.

        The worker finds out whether a version that is not the latest can still be had (`source_changed`).
        """
        there = self._drops.look(given.bucket, given.key)
        is_pinned = given.version_id is not None or given.etag is not None
        if there is None and given.version_id is None:
            raise NotFound(f"{given.address[:200]}: there is no such object", code="object_not_found")
        is_meant = (
            there is not None and given.version_id in (None, there.version_id) and given.etag in (None, there.etag)
        )
        drop = there if there is not None and (is_meant or not is_pinned) else given
        if drop.size_bytes == 0:
            raise InputError(f"{given.address[:200]}: the object is empty", code="audio_empty")
        return drop

    # ------------------------------------------------------------ jobs

    def _wanted(self, drop: Drop, notice: Touched | Announced) -> Wanted:
        """The job of a recording, described by the file beside it.

        A description that is wrong makes a job that has failed already and says why: the recording must not go out
        under wrong names or none, and whoever dropped it looks at jobs. A corrected description is another job.
        """
        content = self._content_beside(drop)
        try:
            self._check_size(drop)
            sidecar = Sidecar() if content is None else read_sidecar(content, name=_shown(_beside(drop)))
            new = self._new_job(drop, sidecar, self._options(sidecar), notice.traceparent)
        except InputError as error:
            return Wanted(self._failed_job(drop, content, error, notice.traceparent), notice)
        return Wanted(new, notice)

    def _check_size(self, drop: Drop) -> None:
        if drop.size_bytes is not None and drop.size_bytes > self._rules.max_bytes:
            raise AudioError(
                f"{_shown(drop)}: {drop.size_bytes} bytes is over the limit of {self._rules.max_bytes}",
                code="audio_too_large",
            )

    def _content_beside(self, drop: Drop) -> bytes | None:
        """The description of a recording as it lies there, cut short where it is far too long; None without one."""
        beside = self._drops.look(drop.bucket, sidecar_key(drop.key))
        if beside is None:
            return None
        try:
            return b"".join(self._drops.read(beside, 0, min(beside.size_bytes or LARGEST_BYTES, LARGEST_BYTES) + 1))
        except InputError:  # removed or replaced in between: there will be another notice
            return None

    def _options(self, sidecar: Sidecar) -> JobOptions:
        from formats.catalogue import check_names

        models = sidecar.models or self._rules.models
        if sidecar.models and (is_folder_name(models) or is_hub_name(models)):
            # Whoever may write into the bucket could have us open any file, and model files can hold code.
            raise OptionError(
                f"models={models[:80]!r}: a drop takes the name of a set; folders and hub names are for the service's"
                " own setting",
                field="models",
            )
        self._rules.check_models(models, sidecar.language)
        check_names(styles=[sidecar.style] if sidecar.style else [])
        options = sidecar.options(models, glossary=self._rules.glossary_of(sidecar.show))
        check_options(options)
        check_priority(sidecar.priority)
        if b"\\u0000" in write_json(sidecar):
            raise InputError("the description holds a NUL character", code="metadata_invalid")
        check_described(sidecar.describe(Episode(id="")))
        return options

    def _new_job(self, drop: Drop, sidecar: Sidecar, options: JobOptions, traceparent: str | None) -> NewJob:
        key = drop_dedupe_key(drop)
        episode_id = drop.episode_id
        with process_tracing().begin("take in", parent=traceparent, attributes={"episode_id": episode_id}) as span:
            traceparent = span.traceparent or self._new_trace()
        audio = AudioInfo(uri=drop.address, size_bytes=drop.size_bytes, file_name=_shown(drop)[:255])
        return NewJob(
            episode=sidecar.describe(Episode(id=episode_id, audio=audio)),
            options=options,
            audio_key=drop.uri,
            dedupe_key=key,
            priority=sidecar.priority,
            expected_seconds=expected_seconds(drop.size_bytes, usual_container(drop.key)),
            traceparent=traceparent,
        )

    def _failed_job(self, drop: Drop, content: bytes | None, error: InputError, traceparent: str | None) -> NewJob:
        new = self._new_job(drop, Sidecar(), JobOptions(models=self._rules.models), traceparent)
        key = f"{new.dedupe_key}:{hashlib.sha256(content or b'').hexdigest()[:16]}"
        failure = JobError(error.code, printable(error.message))
        return replace(new, dedupe_key=key, idempotency_key=key, failed=failure)

    def add(self, wanted: Sequence[Wanted]) -> list[Taken | Refused]:
        """Have the jobs that are missing added, all in one transaction, and those that wait described anew."""
        missing = [each for each in wanted if not each.is_known]
        news = [replace(each.new, amends=each.amends and each.new.failed is None) for each in missing]
        answers = self._queue.add_all(news, new_id=self._new_id) if news else []
        added = dict(zip(map(id, missing), answers, strict=True))
        return [self._settled(each, added.get(id(each))) for each in wanted]

    def _settled(self, wanted: Wanted, answer: tuple[Job, bool] | Refused | None) -> Taken | Refused:
        if isinstance(answer, Refused):
            return answer
        job, is_new = answer or (None, False)
        if job is not None and is_new:
            about = {"job_id": job.id, "episode_id": job.episode_id, "file": wanted.new.episode.audio.file_name}
            if wanted.new.failed is not None:
                log.warning("drop taken in as failed", code=wanted.new.failed.code, **about)
            else:
                log.info("drop taken in", **about)
        elif wanted.amends and wanted.is_known and (amended := self._queue.amend(wanted.new)) is not None:
            log.info("waiting job described anew", job_id=amended.id, episode_id=amended.episode_id)
        return Taken(job, is_new)


def _request_key(notice: Announced) -> str:
    """How the ledger remembers an event. Hashed: sources and ids are foreign text of any length."""
    name = f"{notice.source}\0{notice.event_id}".encode()
    return f"event:{hashlib.sha256(name).hexdigest()}"


def _beside(drop: Drop) -> Drop:
    return Drop(drop.bucket, sidecar_key(drop.key))


def _shown(drop: Drop) -> str:
    return printable(drop.key.rpartition("/")[2])


def _at_once(ask: Callable[[_Asked], _Answer], asked: Iterable[_Asked]) -> list[tuple[_Asked, _Answer]]:
    """Each with its answer, in the order given; several questions wait for the bucket at the same time."""
    given = list(asked)
    if len(given) < 2:
        return [(each, ask(each)) for each in given]
    with ThreadPoolExecutor(QUESTIONS_AT_ONCE, thread_name_prefix="bucket") as pool:
        return list(zip(given, pool.map(ask, given), strict=True))
