"""How long an engine child may take: by stage, from the length of the audio and the speed that was measured.

Two limits guard a child against hanging for good. The quiet limit is for a child that stands still: so many seconds
without a second of audio more. The stage limit is for one that moves but never arrives. Both are generous by an order
of magnitude, because a slow machine must never be taken for a hung one. Until a worker has measured its own speed
they assume a hundredth of that of two cores; from then on they follow the slowest of its last jobs.
"""

from __future__ import annotations

from collections import deque

from schemas.job import Stage
from transcription.progress import EXPECTED_COST

UNMEASURED = 100.0  #: times as slow as two cores with the starter set: `large-v3` on one old core is about 60
MEASURED = 10.0  #: times as slow as the slowest of this worker's last jobs
#: A recording of which every passage looks wrong is recognized up to three times more, the last time at five
#: temperatures; the jobs that were measured may have had no second look at all.
SECOND_LOOK = 5.0
JOBS_REMEMBERED = 8
LEAST_SECONDS = 60.0  #: of audio that a measurement must be about
#: Audio that goes by faster than this was an earlier attempt's work, recalled and not done: no GPU is so fast.
FASTEST = 1_000.0
#: The longest piece between two signs of progress. A second look needs no more: it tells of itself after every
#: stretch, and 28 s read eight times, alone and not in batches of eight, cost what 1,800 s cost at the measured
#: speed; MEASURED times 300 are 3,000.
WINDOW_SECONDS = 300.0
LOADING_SECONDS = 1_200.0  #: for models, from a slow disk or the hub
SLOWEST_FETCH = 1_000_000.0  #: bytes a second
STEADY_STAGES = (Stage.RECOGNIZE, Stage.DIARIZE)


class Deadlines:
    """The limits of one worker, which learns its own speed. `decode_seconds` is the decoder's own clock limit."""

    def __init__(self, *, decode_seconds: float = 900.0) -> None:
        self._decode_seconds = decode_seconds
        self._costs: dict[tuple[str, Stage], deque[float]] = {}
        self._preparations: deque[float] = deque(maxlen=JOBS_REMEMBERED)

    def learn(self, models: str, stage: Stage, *, audio_seconds: float, clock_seconds: float) -> None:
        """A job has spent so much time on so much audio in this stage."""
        if audio_seconds >= LEAST_SECONDS and stage in STEADY_STAGES:
            costs = self._costs.setdefault((models, stage), deque(maxlen=JOBS_REMEMBERED))
            costs.append(clock_seconds / audio_seconds)

    def learn_preparation(self, clock_seconds: float) -> None:
        """Fetching and decoding a job's sound has taken so long."""
        self._preparations.append(clock_seconds)

    @property
    def preparation_seconds(self) -> float:
        """What fetching and decoding the next job's sound will take, on the safe side."""
        return max(self._preparations, default=10.0)

    def quiet(
        self, stage: Stage | None, audio_seconds: float | None, models: str = "", *, size_bytes: int | None = None
    ) -> float:
        """Clock seconds without progress after which a child counts as hung. `stage` None = loading models."""
        length = audio_seconds or 0.0
        match stage:
            case None:
                return LOADING_SECONDS
            case Stage.FETCH:
                return max(1_200.0, (size_bytes or 0) / SLOWEST_FETCH)
            case Stage.PUBLISH:
                return 1_200.0
            case Stage.DECODE:
                return max(1_200.0, self._decode_seconds + 300.0)
            case Stage.RECOGNIZE:
                cost = self._measured(models, stage)
                return 1_800.0 if cost is None else max(300.0, MEASURED * cost * WINDOW_SECONDS)
            case Stage.DIARIZE:
                # Clustering and what follows it report nothing: their time grows with the length.
                cost = self._measured(models, stage) or 0.0
                return max(600.0, MEASURED * cost * WINDOW_SECONDS) + length
            case Stage.ASSEMBLE:
                return 300.0 + 0.1 * length

    def whole(
        self, stage: Stage | None, audio_seconds: float | None, models: str = "", *, size_bytes: int | None = None
    ) -> float:
        """Clock seconds after which a child that has not left the stage counts as hung, however much it says."""
        quiet = self.quiet(stage, audio_seconds, models, size_bytes=size_bytes)
        if stage not in STEADY_STAGES:
            return quiet
        measured = self._measured(models, stage)
        slowest = MEASURED * (SECOND_LOOK if stage is Stage.RECOGNIZE else 1.0)
        cost = EXPECTED_COST[stage] * UNMEASURED if measured is None else measured * slowest
        return quiet + cost * (audio_seconds or 0.0)

    def _measured(self, models: str, stage: Stage) -> float | None:
        """Clock seconds a second of audio cost in the slowest of this worker's last jobs."""
        return max(self._costs.get((models, stage), ()), default=None)


class Pacer:
    """Tells real work from recalled work while one stage of a job goes on."""

    def __init__(self, now: float) -> None:
        self._seen_at = now
        self._done = 0.0
        self.audio_seconds = 0.0
        self.clock_seconds = 0.0

    def notice(self, done: float, now: float) -> None:
        """So many seconds of the stage's audio are done now."""
        audio, clock = done - self._done, now - self._seen_at
        if audio <= 0:
            return
        self._done, self._seen_at = done, now
        if clock * FASTEST > audio:
            self.audio_seconds += audio
            self.clock_seconds += clock
