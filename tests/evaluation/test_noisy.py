"""Recordings under noise: the same talk and truth, noise of the level that is stated, the same samples every time."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from adapters.audio import ConfinedDecoder
from evaluation.noisy import TALK_OVER_NOISE_DB, under_noise
from evaluation.truth import Recording, Truth, Utterance
from schemas.episode import Episode
from transcription.ports import SAMPLE_RATE


def samples(path: Path) -> np.ndarray:
    with wave.open(str(path), "rb") as sound:
        return np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2") / 32768


@pytest.fixture
def clear(tmp_path: Path) -> Recording:
    talk = 0.2 * np.sin(2 * np.pi * 220 * np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE)
    with wave.open(str(tmp_path / "clear.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(SAMPLE_RATE)
        sound.writeframes(np.round(talk * 32767).astype("<i2").tobytes())
    truth = Truth((Utterance(0.0, 3.0, "A", "a long tone"),))
    return Recording("tone", "tone", tmp_path / "clear.wav", truth, Episode("tone"))


def test_the_noise_is_as_much_softer_than_the_talk_as_is_stated(clear: Recording, tmp_path: Path) -> None:
    noisy = under_noise(clear, tmp_path / "made", ConfinedDecoder())

    talk, mixed = samples(clear.audio), samples(noisy.audio)
    scale = float(mixed @ talk) / float(talk @ talk)  # the noise is as good as orthogonal to a tone
    noise = mixed - scale * talk
    assert len(mixed) == len(talk)
    assert 10 * np.log10(np.mean((scale * talk) ** 2) / np.mean(noise**2)) == pytest.approx(
        TALK_OVER_NOISE_DB, abs=0.2
    )
    assert (noisy.name, noisy.group, noisy.truth) == ("tone, noisy", "noisy", clear.truth)


def test_the_same_recording_gives_the_same_samples_and_is_made_once(clear: Recording, tmp_path: Path) -> None:
    first = under_noise(clear, tmp_path / "one", ConfinedDecoder())
    other = under_noise(clear, tmp_path / "two", ConfinedDecoder())
    made = first.audio.stat().st_mtime_ns

    assert first.audio.read_bytes() == other.audio.read_bytes()
    assert under_noise(clear, tmp_path / "one", ConfinedDecoder()).audio.stat().st_mtime_ns == made
    assert [each.name for each in (tmp_path / "one").iterdir()] == [first.audio.name]
