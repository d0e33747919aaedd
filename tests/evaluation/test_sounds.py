"""Sounds in which nobody speaks: the same every time, and what is counted on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from evaluation.sounds import SOUNDS, Invented, table
from transcription.ports import SAMPLE_RATE


@pytest.mark.parametrize("made", SOUNDS)
def test_a_sound_is_as_long_as_asked_fits_its_samples_and_is_the_same_every_time(made: Callable[[int], Any]) -> None:
    sound = made(3)

    assert sound.shape == (3 * SAMPLE_RATE,)
    assert np.abs(sound).max() <= 1.0
    assert np.array_equal(sound, made(3))


def test_words_are_counted_by_the_hour_of_each_sound_and_of_all() -> None:
    page = table([Invented("hum", 60.0, 2, 5, 0), Invented("white_noise", 120.0, 0, 1, 1)])

    assert page.splitlines()[2:] == [
        "| hum | 120 | 300 | 0 |",
        "| white noise | 0 | 30 | 30 |",
        "| all | 40 | 120 | 20 |",
    ]
