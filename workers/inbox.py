"""The watched folder: a recording dropped there becomes a job, once.

A file is taken when it is whole: not hidden, not under the name of a copy in progress, not empty, of the same size
and time in two looks, and open for writing nowhere. A metadata file of the same name with `.json` goes with it.
Files stay where they are; the ledger remembers path, size and time, so that a restart takes nothing twice and a
file that was replaced is a new job. What cannot be taken gets a note beside it, `<name>.error.txt`; a change to the
file or to its metadata, or removing the note, makes it be tried again.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import signal
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event as StopEvent

import structlog

from adapters.acceptance import accept, printable
from adapters.glossaries import no_glossary
from adapters.model_sets import is_folder_name, is_hub_name
from schemas.episode import AudioInfo, Episode
from schemas.errors import InputError, NotReady, OptionError, StenocastError, TransientError
from schemas.job import Job, Term
from schemas.sidecar import Sidecar, read_sidecar
from transcription.ports import JobQueue, Store
from workers.outage import Outage

log = structlog.get_logger()

LOOK_SECONDS = 1.0
FIRST_WAIT_SECONDS = 30.0  #: before a file that we had no room for is copied again; doubles
LONGEST_WAIT_SECONDS = 600.0

#: Names that browsers and copy programs give to what they have not finished.
UNFINISHED_SUFFIXES = frozenset({".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".filepart"})

#: Names of what lies beside recordings and is none: metadata, notes, pages of our own.
COMPANION_SUFFIXES = frozenset({".json", ".txt", ".md", ".html", ".vtt", ".srt", ".toml"})

NOTE_SUFFIX = ".error.txt"


@dataclass(frozen=True, slots=True)
class InboxRules:
    """What the service's settings say about dropped files."""

    models: str  #: the set of files whose metadata names none
    max_bytes: int
    check_models: Callable[[str, str | None], None]
    glossary_of: Callable[[str | None], tuple[Term, ...]] = no_glossary  #: the one kept for a show


@dataclass(frozen=True, slots=True)
class _Look:
    """What a file and its metadata look like from outside; equal looks are the same content, as far as we go."""

    size: int
    changed: int  #: nanoseconds since 1970
    sidecar: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class _Wait:
    """For how long a file is left alone, and until when by the inbox's clock. Seconds."""

    seconds: float
    until: float


class Inbox:
    """Watches one folder, not those below it."""

    def __init__(
        self,
        folder: Path,
        *,
        queue: JobQueue,
        store: Store,
        rules: InboxRules,
        new_id: Callable[[], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder.resolve()
        self._queue = queue
        self._store = store
        self._rules = rules
        self._new_id = new_id
        self._seen: dict[Path, _Look] = {}
        self._settled: dict[Path, _Look] = {}
        self._clock = clock
        self._waits: dict[Path, _Wait] = {}
        self._outages: dict[Path, Outage] = {}

    def look(self) -> list[Job]:
        """Take what has become whole since the last look; the new jobs. Raises nothing about single files."""
        now: dict[Path, _Look] = {}
        taken: list[Job] = []
        for path in self._candidates():
            look = _look_at(path)
            if look is None:
                continue
            now[path] = look
            if self._settled.get(path) == look or self._seen.get(path) != look:
                continue
            if path in self._waits and self._clock() < self._waits[path].until:
                continue
            job = self._take(path, look)
            if job is not None:
                taken.append(job)
        self._seen = now
        self._settled = {path: look for path, look in self._settled.items() if path in now}
        self._waits = {path: wait for path, wait in self._waits.items() if path in now}
        self._outages = {path: outage for path, outage in self._outages.items() if path in now}
        return taken

    def _candidates(self) -> list[Path]:
        try:
            return sorted(path for path in self._folder.iterdir() if is_candidate(path))
        except OSError as error:
            raise NotReady(f"{self._folder}: cannot be read: {error.strerror}", code="inbox_unreadable") from error

    def _take(self, path: Path, look: _Look) -> Job | None:
        """The new job, or None where there is none: taken before, refused, or not to be had just now."""
        try:
            if _is_being_written(path) or _is_noted(path, look):
                return None
            known = self._queue.known(_memory_key(path, look))
            job, is_new = (known, False) if known else self._accept(path, look)
        except (TransientError, NotReady) as error:
            if isinstance(error, NotReady):
                self._waits[path] = self._longer_wait(path)
            self._noticed(path, error)
            return None
        except (StenocastError, OSError) as error:
            code = error.code if isinstance(error, StenocastError) else "file_unreadable"
            self._refuse(path, look, code, printable(str(error)))
            return None
        except Exception:
            # A defect of ours. It must not keep the files after this one from being taken.
            log.exception("file broke the inbox", file=_shown(path))
            self._refuse(path, look, "internal_error", f"{_shown(path)}: the service itself failed; its log says how")
            return None
        self._settled[path] = look
        self._waits.pop(path, None)
        if path in self._outages:
            self._outages.pop(path).ended()
        with suppress(OSError):
            _note_path(path).unlink()
        log.info("file taken" if is_new else "file known already", file=_shown(path), job_id=job.id)
        return job if is_new else None

    def _refuse(self, path: Path, look: _Look, code: str, reason: str) -> None:
        self._settled[path] = look
        log.warning("file refused", file=_shown(path), code=code, reason=reason)
        _note(path, code, reason, look)

    def _noticed(self, path: Path, error: TransientError | NotReady) -> None:
        if path not in self._outages:
            over, file = "file can be taken again", _shown(path)
            self._outages[path] = Outage("file not taken yet", over=over, clock=self._clock, file=file)
        self._outages[path].noticed(error)

    def _longer_wait(self, path: Path) -> _Wait:
        """Copying gigabytes every second onto a full disk would keep everybody else from it."""
        last = self._waits.get(path)
        seconds = FIRST_WAIT_SECONDS if last is None else min(last.seconds * 2, LONGEST_WAIT_SECONDS)
        return _Wait(seconds, self._clock() + seconds)

    def _accept(self, path: Path, look: _Look) -> tuple[Job, bool]:
        sidecar = _sidecar(path)
        if sidecar.models and (is_folder_name(sidecar.models) or is_hub_name(sidecar.models)):
            # Whoever may write into the folder could have us open any file, and model files can hold code.
            raise OptionError(
                f"models={sidecar.models!r}: the watched folder takes the name of a set; folders and hub names are"
                " for the service's own setting",
                field="models",
            )
        models = sidecar.models or self._rules.models
        self._rules.check_models(models, sidecar.language)
        episode = sidecar.describe(Episode(id=episode_id_of(path), audio=AudioInfo(file_name=path.name)))
        return accept(
            queue=self._queue,
            store=self._store,
            source=path,
            file_name=path.name,
            episode=episode,
            options=sidecar.options(models, glossary=self._rules.glossary_of(sidecar.show)),
            max_bytes=self._rules.max_bytes,
            new_id=self._new_id,
            idempotency_key=_memory_key(path, look),
            revives=False,
            priority=sidecar.priority,
        )


def watch_until(stop: StopEvent, inbox: Inbox) -> None:
    """Look at the folder until the stop is set."""
    outage = Outage("inbox not read", over="inbox read again")
    while not stop.wait(LOOK_SECONDS):
        try:
            inbox.look()
            outage.ended()
        except StenocastError as error:
            outage.noticed(error)
        except Exception:
            log.exception("inbox broke")


def episode_id_of(path: Path) -> str:
    """The id of the episode that a file is, whenever it is dropped there again."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, path.as_uri()))


def is_candidate(path: Path) -> bool:
    """Whether a name could be a finished recording; what it is, its content says later."""
    suffix = path.suffix.lower()
    hidden = path.name.startswith((".", "~"))
    return not hidden and suffix not in UNFINISHED_SUFFIXES | COMPANION_SUFFIXES and path.is_file()


def _look_at(path: Path) -> _Look | None:
    """None for an empty or vanished file: a copy that has just begun, or is gone."""
    try:
        status = path.stat()
    except OSError:
        return None
    if status.st_size == 0:
        return None
    try:
        beside = path.with_suffix(".json").stat()
    except OSError:
        return _Look(status.st_size, status.st_mtime_ns, None)
    return _Look(status.st_size, status.st_mtime_ns, (beside.st_size, beside.st_mtime_ns))


def _is_being_written(path: Path) -> bool:
    """Whether some process has the file open for writing: Linux grants a read lease only when none has.

    Where leases cannot be had (other systems, network disks, files of other people) two equal looks must do.
    """
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # Who opens the file for writing while we hold the lease has a signal sent to us. SIGIO would end the
        # process; SIGURG is ignored unless somebody asks for it.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    finally:
        os.close(descriptor)
    return False


def _sidecar(path: Path) -> Sidecar:
    """The metadata beside a recording. A bad one holds the recording back: it would go out under wrong names."""
    beside = path.with_suffix(".json")
    try:
        content = beside.read_bytes()
    except FileNotFoundError:
        return Sidecar()
    except OSError as error:
        raise InputError(f"{beside.name}: cannot be read: {error.strerror}", code="metadata_invalid") from error
    return read_sidecar(content, name=beside.name)


def _memory_key(path: Path, look: _Look) -> str:
    """How the ledger remembers a file: hashing gigabytes at every start only to know them again would not do."""
    known = f"{path}\0{look.size}\0{look.changed}\0{look.sidecar}"
    return f"inbox:{hashlib.sha256(known.encode(errors='surrogateescape')).hexdigest()}"


def _shown(path: Path) -> str:
    return printable(path.name)


def _note_path(path: Path) -> Path:
    return path.with_name(path.name + NOTE_SUFFIX)


def _is_noted(path: Path, look: _Look) -> bool:
    """Whether a note from an earlier run is about the file as it is now.

    Compared by what the note says, not by age: a corrected recording that is moved in may be older than the note.
    """
    try:
        note = _note_path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return note.rstrip("\n").endswith(_about(look))


def _note(path: Path, code: str, message: str, look: _Look) -> None:
    try:
        _note_path(path).write_text(f"{message} [{code}]\n{_about(look)}\n", encoding="utf-8", errors="replace")
    except OSError as error:
        log.warning("note not written", file=_shown(path), reason=error.strerror)


def _about(look: _Look) -> str:
    """The note's last line: bytes, and nanoseconds since 1970 of the last change."""
    metadata = "none" if look.sidecar is None else f"{look.sidecar[0]} bytes changed {look.sidecar[1]}"
    return f"(seen: {look.size} bytes changed {look.changed}; metadata: {metadata})"
