"""Where a recording is cut into windows."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcription.ports import Span
from transcription.windows import plan

LEVELS = st.lists(st.floats(0, 1, width=32), max_size=400)


@given(LEVELS, st.floats(0.5, 20.0), st.floats(0, 1))
def test_the_windows_cover_the_recording_without_gap_or_overlap(
    levels: list[float], longest: float, share: float
) -> None:
    windows = plan(levels, frame_seconds=0.5, longest=longest, earliest=longest * share)

    edges = [0.0] + [window.end for window in windows]
    assert [window.start for window in windows] == edges[:-1]
    assert edges[-1] == pytest.approx(len(levels) * 0.5)
    assert all(before < after for before, after in pairwise(edges))


@given(LEVELS, st.floats(0.5, 20.0), st.floats(0, 1))
def test_no_window_is_longer_than_asked_and_only_the_last_is_shorter_than_the_earliest_cut(
    levels: list[float], longest: float, share: float
) -> None:
    earliest = longest * share

    windows = plan(levels, frame_seconds=0.5, longest=longest, earliest=earliest)

    assert all(window.end - window.start <= longest + 1e-6 for window in windows)
    least = min(earliest - 0.25, longest // 0.5 * 0.5)  # to the nearest frame, but never beyond the last that fits
    assert all(window.end - window.start >= least - 1e-6 for window in windows[:-1])


def test_a_recording_that_fits_into_one_window_is_not_cut() -> None:
    assert plan([1.0] * 600, frame_seconds=0.5, longest=300.0) == (Span(0.0, 300.0),)


def test_the_cut_is_in_the_longest_pause_and_not_in_the_quiet_of_a_consonant() -> None:
    levels = [1.0] * 2000
    levels[850] = 0.0
    levels[900:930] = [0.05] * 30

    first = plan(levels, frame_seconds=0.02, longest=20.0, earliest=16.0)[0]

    assert 18.0 < first.end < 18.6


def test_a_pause_before_the_last_part_of_the_window_is_left_alone() -> None:
    levels = [1.0] * 2000
    levels[400:500] = [0.0] * 100

    assert plan(levels, frame_seconds=0.02, longest=20.0, earliest=16.0)[0].end >= 16.0


def test_silence_alone_is_cut_as_late_as_allowed() -> None:
    assert plan([0.0] * 50, frame_seconds=1.0, longest=20.0, earliest=10.0) == (
        Span(0.0, 20.0),
        Span(20.0, 40.0),
        Span(40.0, 50.0),
    )


def test_the_last_window_ends_where_the_recording_ends_and_not_with_its_last_frame() -> None:
    windows = plan([1.0] * 25, frame_seconds=1.0, seconds=24.3, longest=20.0, earliest=16.0)

    assert windows[-1].end == 24.3


def test_nothing_recorded_gives_no_windows() -> None:
    assert plan([], frame_seconds=0.02) == ()


def test_times_carry_no_dust_of_float_multiplication() -> None:
    assert plan([0.0] * 9, frame_seconds=0.02, longest=0.06, earliest=0.06)[0] == Span(0.0, 0.06)


@pytest.mark.parametrize(
    ("frame_seconds", "longest", "earliest"), [(0.0, 300.0, 240.0), (2.0, 1.0, 0.5), (0.5, 1.0, 2.0)]
)
def test_limits_that_leave_nothing_to_cut_are_refused(frame_seconds: float, longest: float, earliest: float) -> None:
    with pytest.raises(ValueError, match="leave nothing to cut"):
        plan([1.0], frame_seconds=frame_seconds, longest=longest, earliest=earliest)
