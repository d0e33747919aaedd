"""What is measured of one attempt: its stages' times, how it ended, and the spans of its trace.

The supervisor tells it what it hears from the child; the ledger's part is not here.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from adapters.metrics import Metrics, Outcome
from adapters.tracing import Attribute, Span, Tracing, Value
from schemas.job import Stage
from transcription.ports import Claimed


class AttemptRecord:
    """Begins with the claim; `end` closes it. A second end changes nothing."""

    def __init__(
        self,
        claimed: Claimed,
        *,
        metrics: Metrics,
        tracing: Tracing,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._metrics = metrics
        self._tracing = tracing
        self._clock = clock
        self._worked_seconds = 0.0  # in stages; a job that was prepared early also waits
        self._about: dict[Attribute, Value] = {"job_id": claimed.job.id, "attempt": claimed.lease.token}
        self._span = tracing.begin(
            "job attempt",
            parent=claimed.traceparent,
            attributes={**self._about, "episode_id": claimed.episode.id, "models": claimed.job.options.models},
        )
        self._stage: tuple[Stage, float, Span] | None = None
        self._has_ended = False

    @property
    def traceparent(self) -> str | None:
        return self._span.traceparent

    def entered(self, stage: Stage) -> None:
        """The child is in this stage now; the same stage again is no news."""
        if self._has_ended or (self._stage is not None and self._stage[0] is stage):
            return
        self._close_stage(None)
        span = self._tracing.begin(
            stage.value, parent=self._span.traceparent, attributes={**self._about, "stage": stage.value}
        )
        self._stage = (stage, self._clock(), span)

    def waits(self) -> None:
        """Nothing of a stage is done for it until the next one is entered: it waits for its turn, or for models."""
        self._close_stage(None)

    def end(self, outcome: Outcome, *, error_code: str | None = None, audio_seconds: float | None = None) -> None:
        """`audio_seconds` is the length of a job that is done."""
        if self._has_ended:
            return
        self._has_ended = True
        self._close_stage(error_code)
        self._metrics.attempt_ended(outcome)
        self._span.tell("outcome", outcome.value)
        if audio_seconds is not None:
            self._span.tell("audio_seconds", audio_seconds)
            self._metrics.job_done(audio_seconds=audio_seconds, seconds=self._worked_seconds)
        self._span.end(error_code=error_code)

    def _close_stage(self, error_code: str | None) -> None:
        if self._stage is None:
            return
        stage, began, span = self._stage
        self._stage = None
        seconds = self._clock() - began
        self._worked_seconds += seconds
        self._metrics.stage_ended(stage.value, seconds)
        span.end(error_code=error_code)
