"""How long a child may take: generous before anything is measured, and after it."""

from __future__ import annotations

import pytest

from schemas.job import Progress, Stage
from workers.deadlines import Deadlines
from workers.messages import Told
from workers.watch import Watch

LENGTHS = (None, 60.0, 3600.0, 14_400.0)


@pytest.mark.parametrize("stage", [*Stage, None])
@pytest.mark.parametrize("length", LENGTHS)
def test_no_stage_is_called_hung_within_ten_times_what_it_takes(stage: Stage | None, length: float | None) -> None:
    slowest_step = 30.0 + (0.01 * (length or 0.0))

    assert Deadlines().quiet(stage, length) >= min(10 * slowest_step, 600.0) or stage is Stage.ASSEMBLE


@pytest.mark.parametrize("stage", [*Stage, None])
@pytest.mark.parametrize("length", LENGTHS)
def test_a_stage_may_go_on_for_longer_than_it_may_be_silent(stage: Stage | None, length: float | None) -> None:
    limits = Deadlines()

    assert limits.whole(stage, length) >= limits.quiet(stage, length)


def test_an_unmeasured_machine_may_take_seven_hours_for_one() -> None:
    assert Deadlines().whole(Stage.RECOGNIZE, 3600.0) > 7 * 3600


def test_a_large_file_may_be_fetched_for_longer() -> None:
    assert Deadlines().whole(Stage.FETCH, None, size_bytes=5_000_000_000) == 5000.0


def test_a_decoder_that_is_given_more_time_is_not_cut_short() -> None:
    assert Deadlines(decode_seconds=3600.0).quiet(Stage.DECODE, None) > 3600.0


def test_limits_follow_the_slowest_of_the_last_jobs() -> None:
    limits = Deadlines()
    for cost in (0.2, 0.5, *[0.1] * 7):
        limits.learn("large", Stage.RECOGNIZE, audio_seconds=600.0, clock_seconds=600.0 * cost)

    assert limits.quiet(Stage.RECOGNIZE, 3600.0, "large") == 10 * 0.5 * 300
    assert limits.whole(Stage.RECOGNIZE, 3600.0, "large") == 10 * 0.5 * 300 + 5 * 10 * 0.5 * 3600  # a second look
    assert limits.quiet(Stage.RECOGNIZE, 3600.0, "small") == 1800.0


def test_a_second_look_at_a_stretch_is_not_taken_for_a_hung_child() -> None:
    """28 s read eight times, each alone, where the measured speed was that of batches of eight."""
    limits = Deadlines()
    limits.learn("large", Stage.RECOGNIZE, audio_seconds=600.0, clock_seconds=300.0)
    watch = Watch(0.0, limits, models="large")
    watch.hear(Told(Progress(Stage.RECOGNIZE, done=270.0, total=600.0)), 100.0)

    assert not watch.is_hung(100.0 + 28.0 * 8 * 8 * 0.5)
    assert watch.is_hung(100.0 + 2 * 28.0 * 8 * 8 * 0.5)


def test_clustering_has_time_that_grows_with_the_length() -> None:
    limits = Deadlines()
    limits.learn("fast", Stage.DIARIZE, audio_seconds=600.0, clock_seconds=1.0)

    assert limits.quiet(Stage.DIARIZE, 14_400.0, "fast") >= 14_400.0


def test_what_was_recalled_says_nothing_about_the_speed() -> None:
    """A job that goes on at 300 of 600 s: the first window takes 50 ms, the second 60 s."""
    limits = Deadlines()
    watch = Watch(0.0, limits, models="base")
    for now, stage, done in (
        (0.0, Stage.RECOGNIZE, 0.0),
        (0.05, Stage.RECOGNIZE, 300.0),
        (60.05, Stage.RECOGNIZE, 600.0),
        (60.1, Stage.DIARIZE, 0.0),
    ):
        watch.hear(Told(Progress(stage, done=done, total=600.0)), now)

    assert limits.quiet(Stage.RECOGNIZE, 600.0, "base") == pytest.approx(10 * 60 / 300 * 300)


def test_a_short_piece_of_work_is_no_measurement() -> None:
    limits = Deadlines()
    limits.learn("base", Stage.RECOGNIZE, audio_seconds=59.0, clock_seconds=0.1)

    assert limits.quiet(Stage.RECOGNIZE, 3600.0, "base") == 1800.0


def test_what_is_left_counts_down_between_two_estimates() -> None:
    watch = Watch(0.0, Deadlines())
    watch.hear(Told(Progress(Stage.RECOGNIZE, done=1.0, total=60.0, eta=20.0, fraction=0.3)), 5.0)

    assert (watch.seconds_left(5.0), watch.seconds_left(12.0), watch.seconds_left(99.0)) == (20.0, 13.0, 0.0)
