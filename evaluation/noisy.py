"""The real conversations as a bad room gives them: the same talk and truth, under pink noise.

Good recordings give the steps that guard and repair little to do; what these are worth shows where the recognizer
loops and the voices flicker. Kept in the user's cache folder by the recording and this method, and made once.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import wave
from dataclasses import replace
from pathlib import Path

from evaluation.truth import Recording
from transcription.ports import SAMPLE_RATE, Decoder

GROUP = "noisy"
SUFFIX = ", noisy"

#: The noise is this much softer than the mean of the talk. At 5 dB people understand each other and talk louder; the
#: small models lose words, but not all of them.
TALK_OVER_NOISE_DB = 5.0

#: Changes whenever the same recording would give other samples.
METHOD = 1


def under_noise(recording: Recording, folder: Path, decoder: Decoder) -> Recording:
    """The recording under noise, made now unless it is in `folder`. Raises what the decoder raises."""
    digest = hashlib.sha256(recording.audio.read_bytes() + f"{METHOD} {TALK_OVER_NOISE_DB}".encode()).hexdigest()
    audio = folder / f"{recording.name}-noisy-{digest[:12]}.wav"
    if not audio.is_file():
        _make(recording.audio, audio, decoder)
    name = f"{recording.name}{SUFFIX}"
    return replace(recording, name=name, group=GROUP, audio=audio, episode=replace(recording.episode, id=name))


def _make(source: Path, audio: Path, decoder: Decoder) -> None:
    """The file, whole or not at all."""
    import numpy as np

    from adapters.waveform import floats
    from evaluation.sounds import pink_noise

    audio.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{audio.name}-", dir=audio.parent) as work:
        talk = floats(decoder.decode(source, Path(work)).waveform)
        noise = pink_noise(-(-len(talk) // SAMPLE_RATE))[: len(talk)]
        wanted = _level(talk) * 10 ** (-TALK_OVER_NOISE_DB / 20)
        mixed = talk + noise * (wanted / _level(noise))
        mixed *= min(1.0, 0.99 / float(np.abs(mixed).max()))
        written = Path(work) / audio.name
        with wave.open(str(written), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(SAMPLE_RATE)
            sound.writeframes(np.round(mixed * 32767).astype("<i2").tobytes())
        os.replace(written, audio)


def _level(samples: object) -> float:
    """Root mean square."""
    import numpy as np

    return float(np.sqrt(np.mean(np.square(np.asarray(samples, dtype=np.float64)))))
