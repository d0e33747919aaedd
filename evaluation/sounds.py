"""Words on sounds in which nobody speaks: silence, noise, weather, applause, music.

    python -m evaluation.sounds [--models fast] [--seconds 60]

Each sound is heard three ways: by plain faster-whisper, by the first pass with a voice detector that is made to hear
voices all over the sound (real ones err now and then), and by the same with its guards.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.errors import StenocastError
from transcription.ports import SAMPLE_RATE, RecognizeOptions, Span, Waveform

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Sound = NDArray[np.float64]

#: Where the voice detector is made to err, as shares of the sound: short and long, close and far apart.
FALSE_ALARMS = ((0.005, 0.015), (0.08, 0.13), (0.2, 0.3), (0.42, 0.65), (0.75, 0.9))


def silence(seconds: int) -> Sound:
    import numpy as np

    return np.zeros(seconds * SAMPLE_RATE)


def white_noise(seconds: int) -> Sound:
    import numpy as np

    return 0.1 * np.random.default_rng(1).standard_normal(seconds * SAMPLE_RATE)


def pink_noise(seconds: int) -> Sound:
    """A room, a road, an air conditioner."""
    import numpy as np

    spectrum = np.fft.rfft(np.random.default_rng(5).standard_normal(seconds * SAMPLE_RATE))
    sound = np.fft.irfft(spectrum / np.maximum(1.0, np.sqrt(np.arange(len(spectrum)))), seconds * SAMPLE_RATE)
    return _at_most(sound, 0.2)


def hum(seconds: int) -> Sound:
    """A bad cable: 50 Hz with its overtones, and hiss."""
    import numpy as np

    clock = _clock(seconds)
    tones = sum((np.sin(2 * np.pi * 50 * n * clock) / n for n in range(1, 8)), np.zeros_like(clock))
    return np.asarray(0.05 * tones + 0.002 * np.random.default_rng(3).standard_normal(len(clock)))


def applause(seconds: int) -> Sound:
    """Many short bursts of noise, 150 a second."""
    import numpy as np

    random = np.random.default_rng(8)
    sound = np.zeros(seconds * SAMPLE_RATE)
    clap = np.exp(-np.arange(800) / 120)
    for start in random.integers(0, len(sound) - 800, seconds * 150):
        sound[start : start + 800] += random.uniform(0.05, 0.2) * clap * random.standard_normal(800)
    return np.clip(sound, -1.0, 1.0)


def pad(seconds: int) -> Sound:
    """A soft bed under an intro: three tones that swell and fade, each a little out of tune."""
    import numpy as np

    clock = _clock(seconds)
    wobble = 3 * np.sin(2 * np.pi * 0.3 * clock)
    tones = sum((np.sin(2 * np.pi * tone * clock + wobble) for tone in (220.0, 277.9, 331.0)), np.zeros_like(clock))
    return np.asarray(0.15 * (0.5 + 0.5 * np.sin(2 * np.pi * 0.13 * clock)) * tones)


def band(seconds: int) -> Sound:
    """Four chords of sawtooth, an arpeggio over them, a drum and a snare at 120 to the minute."""
    import numpy as np

    random = np.random.default_rng(7)
    clock = _clock(seconds)
    beat = (clock * 2).astype(int)
    since = clock - beat / 2
    chords = np.array([[220.0, 261.6, 329.6], [174.6, 220.0, 261.6], [261.6, 329.6, 392.0], [196.0, 246.9, 293.7]])
    tones = chords[(beat // 4) % 4]
    sound = sum((0.12 * (2 * ((tones[:, i] * clock) % 1) - 1) for i in range(3)), np.zeros_like(clock))
    lead = np.take_along_axis(tones, (beat % 3)[:, None], axis=1)[:, 0] * 2
    sound = sound + 0.3 * np.exp(-3 * since) * (2 * ((lead * clock) % 1) - 1)
    sound += 0.6 * np.exp(-12 * since) * np.sin(2 * np.pi * 60 * since) * (beat % 2 == 0)
    sound += 0.3 * np.exp(-25 * since) * random.standard_normal(len(clock)) * (beat % 2)
    return _at_most(sound, 0.7)


def melody(seconds: int) -> Sound:
    """A lead like a singing voice without words: a sawtooth with vibrato through three formants."""
    import numpy as np

    clock = _clock(seconds)
    steps = np.random.default_rng(9).choice([0, 2, 4, 5, 7, 9, 12], seconds * 2)
    tones = np.repeat(220 * 2 ** (steps / 12), SAMPLE_RATE // 2) * (1 + 0.02 * np.sin(2 * np.pi * 5.5 * clock))
    spectrum = np.fft.rfft(2 * (np.cumsum(tones) / SAMPLE_RATE % 1) - 1)
    pitch = np.fft.rfftfreq(len(clock), 1 / SAMPLE_RATE)
    formants = ((700, 90), (1200, 110), (2600, 160))
    gain = sum((1 / (1 + ((pitch - middle) / width) ** 2) for middle, width in formants), np.zeros_like(pitch))
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * 2 * clock - 1.5)
    return _at_most(np.fft.irfft(spectrum * gain, len(clock)), 0.5) * swell


SOUNDS: tuple[Callable[[int], Sound], ...] = (
    silence, white_noise, pink_noise, hum, applause, pad, band, melody,
)  # fmt: skip


def _clock(seconds: int) -> Sound:
    import numpy as np

    return np.arange(seconds * SAMPLE_RATE) / SAMPLE_RATE


def _at_most(sound: Sound, level: float) -> Sound:
    import numpy as np

    loudest: float = np.abs(sound).max()
    return np.asarray(level * sound / loudest)


@dataclass(frozen=True, slots=True)
class Invented:
    """Words written for one sound."""

    sound: str
    seconds: float
    plain: int  #: plain faster-whisper, sequential
    forced: int  #: our first pass where the voice detector errs
    guarded: int  #: the same with its guards

    @property
    def an_hour(self) -> tuple[float, float, float]:
        return (
            self.plain * 3600 / self.seconds,
            self.forced * 3600 / self.seconds,
            self.guarded * 3600 / self.seconds,
        )


def table(found: Sequence[Invented]) -> str:
    """Words an hour for each sound and for all of them, in Markdown."""
    lines = [
        "| sound | plain faster-whisper | first pass, false alarms | the same, guarded |",
        "|---|---|---|---|",
    ]
    whole = Invented(
        "all",
        sum(each.seconds for each in found),
        sum(each.plain for each in found),
        sum(each.forced for each in found),
        sum(each.guarded for each in found),
    )
    for each in (*found, whole):
        plain, forced, guarded = each.an_hour
        lines.append(f"| {each.sound.replace('_', ' ')} | {plain:.0f} | {forced:.0f} | {guarded:.0f} |")
    return "\n".join(lines)


def heard(recognizer: Any, made: Callable[[int], Sound], seconds: int, folder: Path) -> Invented:
    """One sound, heard three ways. `recognizer` is a `WhisperRecognizer`."""
    import numpy as np

    from adapters import whisper
    from transcription.guarding import guarded, is_enough

    samples = np.clip(made(seconds), -1.0, 1.0)
    path = folder / f"{made.__name__}.raw"
    path.write_bytes((samples * 32767).astype("<i2").tobytes())
    waveform, window = Waveform(path, len(samples), "0" * 64), Span(0.0, float(seconds))
    options = RecognizeOptions(language="en")
    segments, _ = recognizer.plain.transcribe(samples.astype(np.float32), language="en", word_timestamps=True)
    plain = sum(len(segment.words) for segment in segments)
    detect = whisper._speech
    try:
        whisper._speech = lambda sound: tuple(Span(a * seconds, b * seconds) for a, b in FALSE_ALARMS)
        first = recognizer.recognize(waveform, window, options)
    finally:
        whisper._speech = detect
    second = guarded(
        first,
        lambda stretch: recognizer.recognize_again(
            waveform,
            stretch.span,
            options,
            is_unheard=stretch.is_unheard,
            enough=lambda reading: is_enough(reading, first.speech),
        ),
    )
    return Invented(made.__name__, float(seconds), plain, len(first.words), len(second.words))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Exit status 0, 1 (failed)."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.sounds", description=__doc__.splitlines()[0])
    parser.add_argument("--models", default="fast", help="model set, hub name or folder")
    parser.add_argument("--seconds", type=int, default=60, help="length of each sound")
    asked = parser.parse_args(arguments)
    from adapters.models import find
    from adapters.settings import read_settings
    from adapters.whisper import WhisperRecognizer

    settings = read_settings()
    try:
        found = find(asked.models, settings.models_dir)
        recognizer = WhisperRecognizer(
            found.recognizer,
            set_name=found.name,
            languages=found.languages,
            device=settings.device,
            threads=settings.threads or 2,
        )
        with tempfile.TemporaryDirectory(prefix="stenocast-sounds-") as folder:
            results = [heard(recognizer, made, asked.seconds, Path(folder)) for made in SOUNDS]
    except StenocastError as error:
        print(f"error: {error.message} [{error.code}]", file=sys.stderr)
        return 1
    print(table(results))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
