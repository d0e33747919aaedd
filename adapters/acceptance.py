"""The one way in: an audio file becomes an upload in the store and a job in the ledger, or the job it already is.

The API, `stenocast submit` and the watched folder all come through here, so that the same recording with the
same options is the same job whichever door it used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from adapters.sniff import HEAD_BYTES, require_container
from schemas.episode import AudioInfo, Episode
from schemas.errors import AudioError, OptionError, TransientError
from schemas.job import Job, JobOptions
from schemas.wire import write_json
from transcription.described import check_described
from transcription.jobs import expected_seconds
from transcription.options import check_options
from transcription.ports import JobQueue, NewJob, Store


def accept(
    *,
    queue: JobQueue,
    store: Store,
    source: Path,
    file_name: str,
    episode: Episode,
    options: JobOptions,
    max_bytes: int,
    new_id: Callable[[], str],
    idempotency_key: str | None = None,
    priority: int = 0,
    is_id_given: bool = False,
    revives: bool = True,
    traceparent: str | None = None,
    reached: Callable[[str], None] = lambda _place: None,
) -> tuple[Job, bool]:
    """Take an audio file in; returns its job and whether that is new.

    The file is looked at (AudioError `unsupported_container`, `audio_empty`, `audio_too_large`), hashed, stored
    and only then announced to the ledger: a crash before the last step leaves an upload that nobody sees, and a
    repeat finds the same key. With `is_id_given` the sender chose the episode's id, and the same recording under
    another id is another job. A recording that was deleted comes in again where it `revives`: somebody sends it, and
    it did not only lie there. `file_name` is the sender's and only ever shown. `reached` is called where a test lets
    the process die. Raises OptionError, Refused
    `idempotency_key_reused`, NotReady `disk_full`, TransientError `source_changed` and those of ledger and store.
    """
    from formats.catalogue import check_names  # workers have this module, too, and write no pages

    file_name = printable(file_name)
    check_described(episode)
    if episode.style:
        check_names(styles=[episode.style])
    check_options(options)
    check_priority(priority)
    upload = _uploaded(store, source, file_name, max_bytes)
    reached("after_upload")
    described = replace(
        episode,
        audio=replace(
            episode.audio,
            uri=upload.key,
            sha256=upload.sha256,
            size_bytes=upload.size_bytes,
            container=upload.container,
            file_name=file_name[:255],
        ),
    )
    job, is_new = queue.add(
        NewJob(
            episode=described,
            options=options,
            audio_key=upload.key,
            dedupe_key=dedupe_key(upload.sha256, described, options, is_id_given=is_id_given),
            idempotency_key=idempotency_key,
            priority=priority,
            expected_seconds=expected_seconds(upload.size_bytes, upload.container),
            traceparent=traceparent,
            revives=revives,
        ),
        job_id=new_id(),
    )
    if is_new and not store.exists(upload.key):
        store.put_file(upload.key, source)  # another episode had it, too, and was deleted meanwhile
    return job, is_new


@dataclass(frozen=True, slots=True)
class _Upload:
    """A recording in the store."""

    key: str
    sha256: str
    size_bytes: int
    container: str


def _uploaded(store: Store, source: Path, file_name: str, max_bytes: int) -> _Upload:
    """Look at the file and put it into the store, unless the same bytes lie there."""
    before = source.stat()
    size = before.st_size
    if size > max_bytes:
        raise AudioError(f"{file_name}: {size} bytes is over the limit of {max_bytes}", code="audio_too_large")
    with source.open("rb") as stream:
        container = require_container(stream.read(HEAD_BYTES), file_name)
        stream.seek(0)
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    key = f"uploads/{sha256}/audio"
    if not store.exists(key):
        store.put_file(key, source)
        after = source.stat()
        if (after.st_size, after.st_mtime_ns) != (size, before.st_mtime_ns):
            store.delete(key)  # other bytes than those of the hash
            raise TransientError(f"{file_name}: changed while it was taken in", code="source_changed")
    return _Upload(key, sha256, size, container.value)


def dedupe_key(sha256: str, episode: Episode, options: JobOptions, *, is_id_given: bool = False) -> str:
    """Equal for requests that must give the same transcript: sound, options, and what is known about the episode."""
    known = replace(episode, id=episode.id if is_id_given else "", audio=AudioInfo())
    return hashlib.sha256(b"\0".join((sha256.encode(), write_json(options), write_json(known)))).hexdigest()


def printable(text: str) -> str:
    """Text that can be shown and stored: names on a disk may hold control characters and what is no UTF-8."""
    valid = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in valid)


def check_priority(priority: int) -> None:
    if not -100 <= priority <= 100:
        raise OptionError(f"priority={priority}: must be -100 to 100", field="priority")
