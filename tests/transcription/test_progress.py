"""How long a job will still take, by what this run has seen of its own speed."""

from __future__ import annotations

from schemas.job import Progress, Stage
from transcription.progress import EXPECTED_COST, ProgressMeter

STAGES = (Stage.DECODE, Stage.RECOGNIZE, Stage.DIARIZE, Stage.ASSEMBLE)
SECONDS = 1000.0


class Run:
    """A meter of a recording of 1,000 s, and a clock to set."""

    def __init__(self) -> None:
        self.now = 0.0
        self.told: list[Progress] = []
        self.meter = ProgressMeter(clock=lambda: self.now, tell=self.told.append, stages=STAGES)
        self.meter.length_known(SECONDS)

    def expected(self, done: float) -> float:
        """What is left after `done` s of recognition, when the engines run ten times as fast as the table says."""
        recognize, diarize = EXPECTED_COST[Stage.RECOGNIZE], EXPECTED_COST[Stage.DIARIZE]
        return ((SECONDS - done) * recognize + SECONDS * diarize + SECONDS * EXPECTED_COST[Stage.ASSEMBLE]) / 10

    def recognize(self, done: float) -> float | None:
        self.now += done * EXPECTED_COST[Stage.RECOGNIZE] / 10
        self.meter.report(done)
        return self.told[-1].eta


def test_a_slow_decoding_makes_nothing_of_the_engines_look_slow() -> None:
    run = Run()
    run.now = 60.0
    run.meter.enter(Stage.RECOGNIZE)

    eta = run.recognize(100.0)

    assert eta is not None
    assert abs(eta - run.expected(100.0)) < 0.2


def test_there_is_no_estimate_before_the_engines_were_seen_at_work() -> None:
    run = Run()
    run.now = 60.0
    run.meter.enter(Stage.RECOGNIZE)

    assert run.told[-1].eta is None


def test_what_an_earlier_attempt_left_says_nothing_about_the_speed() -> None:
    run = Run()
    run.meter.enter(Stage.RECOGNIZE)
    run.meter.skip(Stage.RECOGNIZE, 300.0)
    run.meter.report(300.0)
    run.now += 100.0 * EXPECTED_COST[Stage.RECOGNIZE] / 10
    run.meter.report(400.0)

    eta = run.told[-1].eta
    assert eta is not None
    assert abs(eta - run.expected(400.0)) < 0.2


def test_there_is_no_estimate_while_all_that_is_done_was_left_by_an_earlier_attempt() -> None:
    run = Run()
    run.meter.enter(Stage.RECOGNIZE)

    for done in range(5, 100, 5):  # the sums of the costs differ by some 1e-15
        run.now += 1.0
        run.meter.skip(Stage.RECOGNIZE, 5.0)
        run.meter.report(float(done))

    assert {each.eta for each in run.told} == {None}
