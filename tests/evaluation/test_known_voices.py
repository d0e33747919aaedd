"""Who speaks alone, for the measurement of known voices."""

from __future__ import annotations

import pytest

from evaluation.known_voices import alone, cosine
from transcription.ports import VoiceTurn


def test_what_two_voices_say_at_once_is_neither_s() -> None:
    turns = [VoiceTurn(0.0, 4.0, "ada"), VoiceTurn(3.0, 6.0, "bram"), VoiceTurn(8.0, 9.0, "ada")]

    assert alone(turns) == {"ada": [(0.0, 3.0), (8.0, 9.0)], "bram": [(4.0, 6.0)]}


def test_voices_at_a_right_angle_are_not_alike() -> None:
    assert cosine((2.0, 0.0), (0.0, 3.0)) == 0.0
    assert cosine((2.0, 0.0), (3.0, 0.0)) == pytest.approx(1.0)
