"""How far a job is, and how long it will still take, from seconds of audio done and the clock."""

from __future__ import annotations

from collections.abc import Callable

from schemas.job import Progress, Stage

#: Clock seconds one second of audio costs per stage: the first guess, before this run has measured its own speed.
#: Measured with the starter set on two cores; only the proportions matter, they are scaled by what is observed.
EXPECTED_COST: dict[Stage, float] = {
    Stage.FETCH: 0.001,
    Stage.DECODE: 0.004,
    Stage.RECOGNIZE: 0.070,
    Stage.DIARIZE: 0.060,
    Stage.ASSEMBLE: 0.001,
    Stage.PUBLISH: 0.001,
}


#: The part of a window's recognition that its second look takes, as far as it can be known before: it counts the
#: seconds that are recognized again, and a window without flaws has none.
SECOND_LOOK_SHARE = 0.1

#: Of the whole: what sums of floating-point numbers may differ by, where an earlier attempt did all that is done.
_NO_COST = 1e-9


class ProgressMeter:
    """Turns "so many audio seconds of this stage are done" into a fraction of the whole job and an ETA.

    `clock` is monotonic seconds. The fraction never falls. There is no ETA before the length of the audio is
    known and half a second of work was seen: what decoding took says nothing about the engines, and is left out.
    """

    def __init__(self, *, clock: Callable[[], float], tell: Callable[[Progress], None], stages: tuple[Stage, ...]):
        self._clock = clock
        self._tell = tell
        self._stages = stages
        self._began = clock()
        self._total: float | None = None
        self._stage = stages[0]
        self._skipped = 0.0  # cost of what was not done by this run since `_began`
        self._highest = 0.0

    def length_known(self, audio_seconds: float) -> None:
        self._total = audio_seconds

    def enter(self, stage: Stage) -> None:
        if stage is Stage.RECOGNIZE:
            self._began = self._clock()
            self._skipped = self._cost_before(stage)
        self._stage = stage
        self.report(0.0)

    def skip(self, stage: Stage, audio_seconds: float) -> None:
        """Work of `stage` that an earlier attempt left: it counts as done but says nothing about speed."""
        self._skipped += EXPECTED_COST[stage] * audio_seconds

    def report(self, done: float) -> None:
        """`done` is audio seconds of the present stage."""
        fraction, eta = self._estimate(done)
        self._tell(Progress(stage=self._stage, done=round(done, 2), total=self._total, eta=eta, fraction=fraction))

    def _estimate(self, done: float) -> tuple[float | None, float | None]:
        if not self._total:
            return None, None
        whole = sum(EXPECTED_COST[stage] for stage in self._stages) * self._total
        finished = self._cost_before(self._stage) + EXPECTED_COST[self._stage] * min(done, self._total)
        self._highest = max(self._highest, min(finished / whole, 1.0))
        elapsed = self._clock() - self._began
        paid = finished - self._skipped
        if elapsed < 0.5 or paid <= _NO_COST * whole:
            return round(self._highest, 4), None
        return round(self._highest, 4), round(max(whole - finished, 0.0) * elapsed / paid, 1)

    def _cost_before(self, stage: Stage) -> float:
        """Expected cost of the stages before this one."""
        return sum(EXPECTED_COST[each] for each in self._stages[: self._stages.index(stage)]) * (self._total or 0.0)
