"""The engine child: holds the models, warm from job to job, and does one job at a time.

The supervisor starts it as `python -m workers.engine DESCRIPTOR`. It fetches the audio, runs the pipeline and puts
the document into the store; leases and the ledger are the supervisor's. It dies with the supervisor: by the
kernel's word where there is one, else when the pipe ends. A second one, which never loads a model, prepares the
sound of the next job meanwhile.
"""

from __future__ import annotations

import ctypes
import errno
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from structlog.contextvars import bound_contextvars

from adapters.acceptance import keep_upload
from adapters.erasure import note_checkpoints, note_download
from adapters.results import put_document
from adapters.settings import Settings
from adapters.store_keys import result_prefix
from schemas.drop import is_drop, read_drop
from schemas.episode import AudioInfo
from schemas.errors import NotReady, PageError, StenocastError
from schemas.job import Progress, Stage
from schemas.transcript import Transcript
from schemas.wire import read_json
from transcription.jobs import MAX_ATTEMPTS, MAX_CRASHES
from transcription.links import is_link, with_recording
from transcription.ports import Decoder, DropBox, Links, Prepared, Result, Store
from workers.crashpoints import Reached, StageWatch, crash_points
from workers.messages import (
    Begin,
    Broke,
    Fetched,
    Finished,
    Halved,
    Load,
    Loaded,
    Loading,
    Prepare,
    Ready,
    Stop,
    Stopped,
    Told,
    Unexpected,
    Work,
)

if TYPE_CHECKING:
    from transcription.pipeline import Pipeline

#: How often a download tells of its bytes: the supervisor writes once a second.
TELL_SECONDS = 0.5

#: prctl's option, from linux/prctl.h.
PR_SET_PDEATHSIG = 1


class _Left(Exception):
    """The supervisor asked to leave the job."""


def _no_links() -> Links:
    raise NotReady("this worker follows no links", code="links_missing")


class Engine:
    """One child's work: orders in, answers out. `build` makes the pipeline of a model set."""

    def __init__(
        self,
        connection: Connection,
        *,
        store: Store,
        decoder: Decoder,
        drops: DropBox | None = None,
        links: Callable[[], Links] = _no_links,
        max_bytes: int = 5_000_000_000,
        build: Callable[[str], Pipeline],
        reached: Reached,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._store = store
        self._decoder = decoder
        self._drops = drops
        self._links = links
        self._max_bytes = max_bytes
        self._build = build
        self._reached = reached
        self._clock = clock
        self._orders: queue.SimpleQueue[Load | Work | Prepare] = queue.SimpleQueue()
        self._left: Stop | None = None
        self._models = ""
        self._pipeline: Pipeline | None = None

    def run(self) -> NoReturn:
        """Carry out orders until the supervisor is gone."""
        threading.Thread(target=self._listen, name="orders", daemon=True).start()
        while True:
            order = self._orders.get()
            self._connection.send(self.answer(order))

    def _listen(self) -> None:
        """Take orders while the work goes on; the end of the pipe is the end of the supervisor."""
        while True:
            try:
                order = self._connection.recv()
            except (EOFError, OSError):
                os.killpg(os.getpgrp(), signal.SIGKILL)  # with every process that a stage started
            if isinstance(order, Stop):
                self._left = order
            else:
                self._orders.put(order)

    def answer(self, order: Load | Work | Prepare) -> Loaded | Ready | Finished | Stopped | Broke | Unexpected:
        """Carry out one order; the last word about it. Progress goes over the connection meanwhile."""
        with bound_contextvars(**_named(order)):
            return self._answer(order)

    def _answer(self, order: Load | Work | Prepare) -> Loaded | Ready | Finished | Stopped | Broke | Unexpected:
        try:
            if isinstance(order, Load):
                return self._load(order.models)
            if isinstance(order, Prepare):
                return Ready(self._prepare(order))
            return Finished(self._do(order))
        except _Left:
            return Stopped()
        except StenocastError as error:
            return Broke(error)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                return Broke(NotReady(f"no room left for scratch: {error}", code="disk_full"))
            return Unexpected(kind=type(error).__name__, trace=traceback.format_exc())
        except Exception as error:
            return Unexpected(kind=type(error).__name__, trace=traceback.format_exc())

    def _load(self, models: str) -> Loaded:
        """Build the pipeline, letting go of another set's models first: two may not fit."""
        began = self._clock()
        if self._pipeline is None or self._models != models:
            self._pipeline = None
            self._connection.send(Loading(models))
            self._pipeline = self._build(models)
            self._models = models
        return Loaded(models, self._clock() - began)

    def _prepare(self, order: Prepare) -> Prepared:
        source = order.folder / "audio"

        def tell(progress: Progress) -> None:
            self._tell_unless_left(progress, Stop(order.job_id, order.token))

        tell(Progress(Stage.FETCH))
        self._fetch(order.audio_key, source, job_id=order.job_id, name=order.name, tell=tell)
        began = self._clock()
        decoded = self._decoder.decode(
            source,
            order.folder,
            name=order.name,
            report=lambda done: tell(Progress(Stage.DECODE, done=round(done, 2))),
        )
        return Prepared(decoded, self._clock() - began)

    def _do(self, work: Work) -> Result:
        watch = StageWatch(self._reached)

        def tell(progress: Progress) -> None:
            self._tell_unless_left(progress, Stop(work.job.id, work.token))
            watch.notice(progress)

        source, episode = work.folder / "audio", work.episode
        if work.prepared is None:
            tell(Progress(Stage.FETCH))
            name = episode.audio.file_name or ""
            recording = self._fetch(work.audio_key, source, job_id=work.job.id, name=name, tell=tell)
            episode = episode if recording is None else with_recording(episode, recording)
        self._connection.send(self._load(work.job.options.models))
        assert self._pipeline is not None
        document = self._pipeline.run(
            source,
            episode,
            work.job.options,
            scratch=work.folder,
            tell=tell,
            prepared=work.prepared,
            is_last_try=work.job.attempts + 1 >= MAX_ATTEMPTS,
            note_sound=lambda sound: note_checkpoints(self._store, job_id=work.job.id, audio_sha256=sound.sha256),
            must_not_die=work.job.crashes + 1 >= MAX_CRASHES,
            with_names_kept=lambda document: self._with_names_kept(document, work.earlier_key),
        )
        tell(Progress(Stage.PUBLISH, fraction=1.0))
        self._reached("before_put")
        key = f"{result_prefix(work.job.id, work.token)}transcript.json"
        result = put_document(self._store, replace(document, revision=work.revision), key)
        self._reached("after_put")
        return result

    def _fetch(
        self, audio_key: str, source: Path, *, job_id: str, name: str, tell: Callable[[Progress], None]
    ) -> AudioInfo | None:
        """Have the recording in this file; where it came from a link, in the store too, and what it is there."""
        source.parent.mkdir(parents=True, exist_ok=True)
        recording = None
        if not is_link(audio_key):
            fetch_audio(audio_key, source, store=self._store, drops=self._drops)
        else:
            recording = self._download(audio_key, source, job_id=job_id, name=name, tell=tell)
            self._connection.send(Fetched(recording))
        self._reached("after_fetch")
        return recording

    def _download(
        self, url: str, source: Path, *, job_id: str, name: str, tell: Callable[[Progress], None]
    ) -> AudioInfo:
        """The store has the recording when this returns: nobody asks its server a second time."""
        told_at = self._clock()

        def report(done: int, total: int | None) -> None:
            nonlocal told_at
            if self._clock() - told_at >= TELL_SECONDS or done in (0, total):
                told_at = self._clock()
                tell(Progress(Stage.FETCH, bytes_done=done, bytes_total=total))

        def note(sha256: str) -> None:
            note_download(self._store, job_id=job_id, audio_sha256=sha256)
            self._reached("before_copy")

        said = self._links().fetch(url, source, report=report)
        _, recording = keep_upload(self._store, source, said or name, self._max_bytes, note=note)
        self._reached("after_copy")
        return recording

    def _with_names_kept(self, document: Transcript, earlier_key: str | None) -> Transcript:
        """With the names that somebody gave in the transcript that this one replaces, where it replaces one."""
        content = None if earlier_key is None else self._store.get(earlier_key)
        if content is None:
            return document
        from transcription.names_by_hand import with_names_kept

        try:
            return with_names_kept(read_json(Transcript, content), document)
        except PageError:  # written by a newer Stenocast, perhaps: no reason to fail the job
            return document

    def _tell_unless_left(self, progress: Progress, stop: Stop) -> None:
        if self._left == stop:
            raise _Left
        self._connection.send(Told(progress))


def _named(order: Load | Work | Prepare) -> dict[str, Any]:
    """What every line that is logged meanwhile carries."""
    match order:
        case Work():
            return {"job_id": order.job.id, "attempt": order.token}
        case Prepare():
            return {"job_id": order.job_id, "attempt": order.token}
        case _:
            return {}


def fetch_audio(audio_key: str, path: Path, *, store: Store, drops: DropBox | None) -> None:
    """Copy a job's recording to a local file, from where it lies: the store, or a producer's bucket.

    Raises NotFound, AudioError `source_changed`, NotReady, TransientError.
    """
    if not is_drop(audio_key):
        store.fetch(audio_key, path)
    elif drops is not None:
        drops.fetch(read_drop(audio_key), path)
    else:
        raise NotReady(
            f"{audio_key}: lies in a bucket, and this worker knows none: STENOCAST_DROP_URL or STENOCAST_STORE_URL",
            code="store_unavailable",
        )


def die_with(supervisor: int) -> None:
    """Ask the kernel to kill this process when the supervisor dies (Linux; elsewhere the pipe's end does it)."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != supervisor:
        os._exit(1)  # it died before the kernel was asked


def main(descriptor: int) -> NoReturn:
    """The child's whole life."""
    from adapters.gpu import tell_halved
    from adapters.logs import configure_logs
    from adapters.wiring import build_decoder, build_pipeline, open_drop_box, open_links, open_store

    connection = Connection(descriptor)
    begin = connection.recv()
    assert isinstance(begin, Begin)
    die_with(begin.supervisor)
    settings: Settings = begin.settings
    configure_logs(settings.log_format)
    tell_halved(lambda stage: connection.send(Halved(stage)))
    Engine(
        connection,
        store=open_store(settings),
        decoder=build_decoder(settings),
        drops=open_drop_box(settings),
        links=lambda: open_links(settings),
        max_bytes=settings.max_upload_bytes,
        build=lambda models: build_pipeline(settings, models),
        reached=crash_points(settings, supervisor=begin.supervisor),
    ).run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
