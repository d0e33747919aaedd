"""The one way in: an audio file becomes an upload in the store and a job in the ledger, or the job it already is.

The API, `stenocast submit` and the watched folder all come through here, so that the same recording with the
same options is the same job whichever door it used. A link becomes a job alone: its recording is an upload once a
worker has downloaded it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from adapters.sniff import HEAD_BYTES, require_container
from adapters.store_keys import upload_key
from schemas.episode import AudioInfo, Episode
from schemas.errors import AudioError, OptionError, TransientError
from schemas.job import Job, JobOptions
from schemas.wire import write_json
from transcription.described import check_described
from transcription.jobs import expected_seconds
from transcription.links import link_id, link_name, link_place
from transcription.options import check_options
from transcription.ports import JobQueue, NewJob, Store

#: A copy in the store that is older than this is put there once more. Nobody may have named it until now: then it is
#: garbage after a day (workers/reconciler.py), and must not go in the moment before the ledger hears who names it.
YOUNG_SECONDS = 3600.0


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
    file_name = printable(file_name)
    check_asked(episode, options, priority)
    key, upload = keep_upload(store, source, file_name, max_bytes)
    reached("after_upload")
    described = replace(episode, audio=upload)
    job, is_new = queue.add(
        NewJob(
            episode=described,
            options=options,
            audio_key=key,
            dedupe_key=dedupe_key(str(upload.sha256), described, options, is_id_given=is_id_given),
            idempotency_key=idempotency_key,
            priority=priority,
            expected_seconds=expected_seconds(upload.size_bytes, upload.container),
            traceparent=traceparent,
            revives=revives,
        ),
        job_id=new_id(),
    )
    if is_new and not store.exists(key):
        store.put_file(key, source)  # another episode had it, too, and was deleted meanwhile
    return job, is_new


def accept_link(
    *,
    queue: JobQueue,
    url: str,
    episode: Episode,
    options: JobOptions,
    new_id: Callable[[], str],
    idempotency_key: str | None = None,
    priority: int = 0,
    is_id_given: bool = False,
    traceparent: str | None = None,
) -> tuple[Job, bool]:
    """Take a link in, which was checked (`wiring.checked_link`); returns its job and whether that is new.

    Nothing is downloaded here. The same link with the same options and description is the same job, whatever lies
    behind it by now: who means new bytes gives another title, say, or another link. Raises as `accept`, but for what
    concerns the bytes.
    """
    check_asked(episode, options, priority)
    described = replace(episode, audio=AudioInfo(uri=link_place(url), file_name=link_name(url)))
    return queue.add(
        NewJob(
            episode=described,
            options=options,
            audio_key=url,
            dedupe_key=dedupe_key(link_id(url), described, options, is_id_given=is_id_given),
            idempotency_key=idempotency_key,
            priority=priority,
            traceparent=traceparent,
            revives=True,
        ),
        job_id=new_id(),
    )


def check_asked(episode: Episode, options: JobOptions, priority: int) -> None:
    """Raise OptionError for what cannot be asked for."""
    from formats.catalogue import check_names  # workers have this module, too, and write no pages

    check_described(episode)
    if episode.style:
        check_names(styles=[episode.style])
    check_options(options)
    check_priority(priority)


def keep_upload(
    store: Store,
    source: Path,
    file_name: str,
    max_bytes: int,
    *,
    note: Callable[[str], None] = lambda _sha256: None,
) -> tuple[str, AudioInfo]:
    """Look at the file and put it into the store, unless the same bytes came lately; its key, and what it is.

    `note` hears the hash before anything is put. Raises AudioError, NotReady, TransientError.
    """
    before = source.stat()
    size = before.st_size
    if size > max_bytes:
        raise AudioError(f"{file_name}: {size} bytes is over the limit of {max_bytes}", code="audio_too_large")
    with source.open("rb") as stream:
        container = require_container(stream.read(HEAD_BYTES), file_name)
        stream.seek(0)
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    key = upload_key(sha256)
    note(sha256)
    age = store.age(key)
    if age is None or age >= YOUNG_SECONDS:
        store.put_file(key, source)
        after = source.stat()
        if (after.st_size, after.st_mtime_ns) != (size, before.st_mtime_ns):
            store.delete(key)  # other bytes than those of the hash
            raise TransientError(f"{file_name}: changed while it was taken in", code="source_changed")
    return key, AudioInfo(
        uri=key, sha256=sha256, size_bytes=size, container=container.value, file_name=file_name[:255]
    )


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
