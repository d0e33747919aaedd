"""Sentences, sounds and a room to one recording, with the exact truth of who says what when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from evaluation.sets.script import Bed, Interlude, Line, Script, SoundKind, Voice, sentences_of
from transcription.ports import SAMPLE_RATE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.float32]

#: How a sentence is spoken; tests give a voice of their own.
Speak = Callable[[str, Voice], "Samples"]

SENTENCE_PAUSE_SECONDS = (0.32, 0.24, 0.40, 0.28)  #: between the sentences of one paragraph, in rotation
LEAD_SECONDS, TAIL_SECONDS = 0.5, 0.8  #: silence around the whole
RECORDING_PAUSE_SECONDS = 2.0  #: where a second recording is joined on, beside the line's own pause
PEAK = 0.8  #: of full scale, after mixing

#: A small furnished room: delay in seconds and gain of each early reflection. The second recording has another.
_ROOMS = {
    1: ((0.0067, 0.16), (0.0113, -0.11), (0.0179, 0.08), (0.0271, -0.05)),
    2: ((0.0041, 0.24), (0.0147, -0.19), (0.0233, 0.15), (0.0377, 0.11)),
}
ROOM_TONE_DB = -66.0

#: Chords of the music, in hertz: four bars that come round again.
_CHORDS = ((220.0, 261.6, 329.6), (174.6, 220.0, 261.6), (196.0, 246.9, 293.7), (164.8, 207.7, 246.9))
_BAR_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence of the truth, in seconds."""

    start: float
    end: float
    speaker: str
    name: str
    text: str
    paragraph: bool  #: begins a paragraph inside its turn
    recording: int


@dataclass(frozen=True, slots=True)
class Mixed:
    """The finished sound and its truth."""

    samples: Samples
    truth: tuple[Said, ...]


@dataclass(slots=True)
class _Desk:
    """Where each piece comes to lie, while the script is read from top to bottom."""

    at: int = int(LEAD_SECONDS * SAMPLE_RATE)  #: the end of what was said last
    pieces: list[tuple[int, int, Any]] = field(default_factory=list)  #: start, recording, samples
    spans: list[tuple[int, int]] = field(default_factory=list)  #: of each entry
    truth: list[Said] = field(default_factory=list)


def mix(script: Script, speak: Speak) -> Mixed:
    """Speak the script. The same script and voices give the same samples."""
    import numpy as np

    desk = _Desk()
    recording = 1
    for entry in script.entries:
        if isinstance(entry, Interlude):
            _play(desk, entry, script, recording)
            continue
        if entry.recording != recording:
            desk.at += int(RECORDING_PAUSE_SECONDS * SAMPLE_RATE)
            recording = entry.recording
        _say(desk, entry, script.voices[entry.voice], speak)
    length = max(desk.at, max((start + piece.size for start, _, piece in desk.pieces), default=0))
    length += int(TAIL_SECONDS * SAMPLE_RATE)
    whole = np.zeros(length, dtype=np.float32)
    for number, reflections in _ROOMS.items():
        dry = np.zeros(length, dtype=np.float32)
        for start, place, piece in desk.pieces:
            if place == number:
                dry[start : start + piece.size] += piece
        whole += _in_a_room(dry, reflections)
    for position, bed in enumerate(script.beds):
        _lay(whole, desk, bed, np.random.default_rng((script.seed, position)))
    whole += sound(SoundKind.NOISE, length, ROOM_TONE_DB, np.random.default_rng((script.seed, 1000)))
    peak = float(np.max(np.abs(whole)))
    truth = tuple(sorted(desk.truth, key=lambda each: (each.start, each.end)))
    return Mixed((whole * np.float32(min(1.0, PEAK / peak))).astype(np.float32), truth)


def _say(desk: _Desk, line: Line, voice: Voice, speak: Speak) -> None:
    began = at = max(0, desk.at + int(line.pause * SAMPLE_RATE))
    for place, paragraph in enumerate(line.paragraphs()):
        for number, sentence in enumerate(sentences_of(paragraph)):
            if place or number:
                pause = SENTENCE_PAUSE_SECONDS[len(desk.truth) % len(SENTENCE_PAUSE_SECONDS)]
                at += int((pause if number else line.paragraph_pause) * SAMPLE_RATE)
            samples = speak(sentence, voice)
            if line.band is not None:
                samples = _through(samples, line.band)
            desk.pieces.append((at, line.recording, samples))
            start, at = at, at + samples.size
            desk.truth.append(
                Said(
                    round(start / SAMPLE_RATE, 3),
                    round(at / SAMPLE_RATE, 3),
                    line.voice,
                    voice.name,
                    sentence,
                    paragraph=place > 0 and number == 0,
                    recording=line.recording,
                )
            )
    desk.spans.append((began, at))
    # A short word inside another's turn does not push the next turn forward.
    desk.at = max(desk.at, at)


def _play(desk: _Desk, entry: Interlude, script: Script, recording: int) -> None:
    import numpy as np

    length = int(entry.seconds * SAMPLE_RATE)
    generator = np.random.default_rng((script.seed, 100 + len(desk.spans)))
    desk.pieces.append((desk.at, recording, _faded(sound(entry.sound, length, entry.level, generator))))
    desk.spans.append((desk.at, desk.at + length))
    desk.at += length


def _lay(whole: Samples, desk: _Desk, bed: Bed, generator: np.random.Generator) -> None:
    start = desk.spans[bed.first - 1][0]
    end = max(until for _, until in desk.spans[bed.first - 1 : bed.last])
    whole[start:end] += _faded(sound(bed.sound, end - start, bed.level, generator))


def _faded(samples: Samples) -> Samples:
    """With half a second of fading at both ends."""
    import numpy as np

    length = min(samples.size // 2, SAMPLE_RATE // 2)
    if length:
        ramp = np.linspace(0.0, 1.0, length, dtype=np.float32)
        samples[:length] *= ramp
        samples[-length:] *= ramp[::-1]
    return samples


def sound(kind: SoundKind, length: int, level: float, generator: np.random.Generator) -> Samples:
    """So many samples of music, noise or hum at `level` dBFS (RMS)."""
    import numpy as np

    if kind is SoundKind.SILENCE or not length:
        return np.zeros(length, dtype=np.float32)
    makers: dict[SoundKind, Callable[[int, Any], Any]] = {
        SoundKind.MUSIC: _music,
        SoundKind.NOISE: _noise,
        SoundKind.HUM: _hum,
    }
    samples = makers[kind](length, generator)
    rms = float(np.sqrt(np.mean(samples**2))) or 1.0
    return (samples * (10 ** (level / 20) / rms)).astype(np.float32)


def _music(length: int, generator: np.random.Generator) -> Any:
    """Broken chords with a decay, four bars round and round; the seed chooses the order of the notes."""
    import numpy as np

    samples = np.zeros(length)
    beat = int(_BAR_SECONDS * SAMPLE_RATE / 4)
    time = np.arange(2 * beat) / SAMPLE_RATE
    envelope = np.minimum(1.0, time / 0.01) * np.exp(-2.5 * time)
    for number, at in enumerate(range(0, length, beat)):
        pitch = float(generator.choice(_CHORDS[(number // 4) % len(_CHORDS)]))
        note = envelope * sum(np.sin(2 * np.pi * pitch * k * time) / k**2 for k in (1, 2, 3))
        end = min(length, at + note.size)
        samples[at:end] += note[: end - at]
    return samples


def _noise(length: int, generator: np.random.Generator) -> Any:
    """A busy room: noise without its hiss, swelling slowly."""
    import numpy as np

    white = generator.standard_normal(length)
    soft = np.convolve(white, np.ones(12) / 12, mode="same")
    swell = 1 + 0.4 * np.sin(2 * np.pi * 0.13 * np.arange(length) / SAMPLE_RATE + generator.uniform(0, 6))
    return soft * swell


def _hum(length: int, generator: np.random.Generator) -> Any:
    import numpy as np

    time = np.arange(length) / SAMPLE_RATE
    mains = sum(np.sin(2 * np.pi * 50 * k * time) / k for k in (1, 2, 3, 5))
    return mains + 0.3 * _noise(length, generator)


def _through(samples: Samples, band: tuple[int, int]) -> Samples:
    """What a bad line leaves of a voice, as loud as it was: the band alone, the loudest peaks cut off."""
    import numpy as np
    from scipy.signal import butter, sosfilt

    loudness = float(np.sqrt(np.mean(samples**2)))
    thin = sosfilt(butter(4, band, btype="bandpass", fs=SAMPLE_RATE, output="sos"), samples)
    limit = 2 * float(np.sqrt(np.mean(thin**2)))
    cut = np.clip(thin, -limit, limit)
    return np.asarray(cut * (loudness / (float(np.sqrt(np.mean(cut**2))) or 1.0)), dtype=np.float32)


def _in_a_room(dry: Samples, reflections: tuple[tuple[float, float], ...]) -> Samples:
    wet = dry.copy()
    for delay, gain in reflections:
        offset = int(delay * SAMPLE_RATE)
        wet[offset:] += gain * dry[:-offset]
    return wet
