"""Sounds and engines for the contracts of the two engine ports."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from transcription.ports import SAMPLE_RATE, Waveform

WriteSound = Callable[..., Waveform]


@pytest.fixture(scope="session")
def write_sound(tmp_path_factory: pytest.TempPathFactory) -> WriteSound:
    """Put samples into a scratch file, as the decoder does."""
    folder = tmp_path_factory.mktemp("sounds")

    def write(name: str, samples: Sequence[int] | array[int]) -> Waveform:
        path = folder / f"{name}.raw"
        path.write_bytes(array("h", samples).tobytes())
        return Waveform(path, len(samples), sha256=name.encode().hex().ljust(64, "0")[:64])

    return write


@pytest.fixture(scope="session")
def silence(write_sound: WriteSound) -> Waveform:
    return write_sound("silence", array("h", bytes(2 * 12 * SAMPLE_RATE)))


@pytest.fixture(scope="session")
def tone(write_sound: WriteSound) -> Waveform:
    """Sixteen seconds that are loud but for two seconds in the middle."""
    loud = [int(8000 * math.sin(i * 0.1)) for i in range(7 * SAMPLE_RATE)]
    return write_sound("tone", [*loud, *[0] * (2 * SAMPLE_RATE), *loud])


@pytest.fixture(scope="session")
def recorded(shared: Path, write_sound: WriteSound) -> Callable[[str], Waveform]:
    """Decode one of the real recordings."""

    def decode(name: str) -> Waveform:
        import av

        samples = array("h")
        with av.open(str(shared / "audio" / name)) as container:
            resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
            for frame in container.decode(audio=0):
                for piece in resampler.resample(frame):
                    samples.frombytes(piece.to_ndarray().tobytes())
            for piece in resampler.resample(None):
                samples.frombytes(piece.to_ndarray().tobytes())
        return write_sound(name.replace(".", "-"), samples)

    return decode
