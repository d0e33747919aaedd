"""The decoded sound, read piece by piece."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.waveform import floats, open_samples
from schemas.errors import CrashError
from transcription.ports import SAMPLE_RATE, Waveform

COUNT = 40_000


@pytest.fixture(scope="module")
def waveform(tmp_path_factory: pytest.TempPathFactory) -> Waveform:
    path = tmp_path_factory.mktemp("sound") / "sound.s16"
    np.random.default_rng(1).integers(-32_768, 32_768, size=COUNT).astype("<i2").tofile(path)
    return Waveform(path, COUNT, "0" * 64)


def test_the_samples_are_mapped_and_not_writable(waveform: Waveform) -> None:
    samples = open_samples(waveform)

    assert samples.shape == (COUNT,)
    assert samples.dtype == np.int16
    assert isinstance(samples, np.memmap)
    assert not samples.flags.writeable


def test_floats_are_the_samples_in_minus_one_to_one(waveform: Waveform) -> None:
    whole = floats(waveform)

    assert whole.dtype == np.float32
    assert whole.min() >= -1.0
    assert whole.max() < 1.0
    assert np.array_equal(whole * 32_768, open_samples(waveform))


@given(st.lists(st.integers(0, COUNT), min_size=1, max_size=6).map(sorted))
@settings(max_examples=60, deadline=None)
def test_neighbouring_pieces_lose_no_sample_and_double_none(waveform: Waveform, cuts: list[int]) -> None:
    edges = [0.0, *(cut / SAMPLE_RATE for cut in cuts), waveform.seconds]

    pieces = [floats(waveform, start, end) for start, end in pairwise(edges)]

    assert np.array_equal(np.concatenate(pieces), floats(waveform))


@pytest.mark.parametrize(("start", "end"), [(3.0, 4.0), (-2.0, -1.0), (1.0, 1.0), (2.0, 1.0)])
def test_what_lies_outside_the_recording_is_left_out(waveform: Waveform, start: float, end: float) -> None:
    assert floats(waveform, start, end).shape == (0,)


def test_a_recording_without_samples_needs_no_file(tmp_path: Path) -> None:
    assert open_samples(Waveform(tmp_path / "absent", 0, "0" * 64)).shape == (0,)


def test_a_scratch_file_that_is_gone_or_short_is_a_crash(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(bytes(10))

    for name in ("short", "absent"):
        with pytest.raises(CrashError) as caught:
            open_samples(Waveform(tmp_path / name, 100, "0" * 64))
        assert caught.value.code == "scratch_lost"
