"""What a supervisor knows of a child at work on a job: how far it is, and whether it hangs."""

from __future__ import annotations

from dataclasses import replace

import structlog

from schemas.job import Progress, Stage
from workers.deadlines import Deadlines, Pacer
from workers.messages import FromChild, Loaded, Loading, Told

log = structlog.get_logger()

PROGRESS_SECONDS = 1.0  #: how often progress is written to the ledger at most


class Watch:
    """One child, one job. `size_bytes` is of the recording, where it is known before the fetch."""

    def __init__(self, now: float, deadlines: Deadlines, *, models: str = "", size_bytes: int | None = None) -> None:
        self._deadlines = deadlines
        self._models = models
        self._size_bytes = size_bytes
        self._stage: Stage | None = Stage.FETCH
        self._began = now  # the stage
        self._moved = now
        self._pacer = Pacer(now)
        self._latest: Progress | None = None
        self._told_at = now
        self._written: Progress | None = None
        self._written_at = float("-inf")

    def hear(self, message: FromChild, now: float) -> None:
        if isinstance(message, Loading):
            self._enter(None, now)
            if self._latest is not None:  # until the next stage says how far it is
                self._latest = replace(self._latest, loads=True)
            log.info("models loading", models=message.models)
        elif isinstance(message, Loaded):
            self._moved = self._began = now
        elif isinstance(message, Told):
            self._hear_progress(message.progress, now)

    def _hear_progress(self, progress: Progress, now: float) -> None:
        if progress.stage is not self._stage:
            self._enter(progress.stage, now)
        elif self._latest is None or _so_far(progress) > _so_far(self._latest):
            self._moved = now
        self._pacer.notice(progress.done, now)
        self._latest, self._told_at = progress, now

    def _enter(self, stage: Stage | None, now: float) -> None:
        if self._stage is not None:
            paid = self._pacer
            self._deadlines.learn(
                self._models, self._stage, audio_seconds=paid.audio_seconds, clock_seconds=paid.clock_seconds
            )
        self._stage, self._began, self._moved, self._pacer = stage, now, now, Pacer(now)

    def is_hung(self, now: float) -> bool:
        """Whether it stands still for too long, or goes on for too long."""
        length = self._latest.total if self._latest else None
        quiet = self._deadlines.quiet(self._stage, length, self._models, size_bytes=self._size_bytes)
        if now - self._moved > quiet:
            return True
        if self._stage is Stage.FETCH and self._latest is not None and self._latest.bytes_done is not None:
            return False  # a download has a deadline of its own (adapters/links.py), and goes on
        whole = self._deadlines.whole(self._stage, length, self._models, size_bytes=self._size_bytes)
        return now - self._began > whole

    def how_hung(self, now: float) -> str:
        """For the job's error: what it was at, and for how long."""
        doing = "loading models" if self._stage is None else f"stage {self._stage.value}"
        return f"no progress for {now - self._moved:.0f} s, {now - self._began:.0f} s in {doing}"

    def seconds_left(self, now: float) -> float | None:
        """Until the job is done, by the child's estimate; None where it has none."""
        if self._latest is None or self._stage is not self._latest.stage:
            return None
        if self._latest.fraction is not None and self._latest.fraction >= 1.0:
            return 0.0
        if self._latest.eta is None:
            return None
        return max(0.0, self._latest.eta - (now - self._told_at))

    def unwritten(self, now: float) -> Progress | None:
        """The progress to write now: at once when a stage or the loading of models begins, else once a second."""
        latest, written = self._latest, self._written
        if latest is None or latest == written:
            return None
        is_as_before = written is not None and (written.stage, written.loads) == (latest.stage, latest.loads)
        if is_as_before and now - self._written_at < PROGRESS_SECONDS:
            return None
        self._written, self._written_at = latest, now
        return latest


def _so_far(progress: Progress) -> tuple[float, int]:
    """What has been done of the stage, in whatever it is counted."""
    return progress.done, progress.bytes_done or 0
