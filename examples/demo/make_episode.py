"""Make the demo episode: `script.toml` spoken by synthesizers into `episode.mp3`, with the exact truth beside it.

    python examples/demo/make_episode.py [--output DIR]

Needs Debian's `flite` and this project's worker requirements (PyAV, numpy). Every sentence is synthesized on its
own and its silence is trimmed, so that the times in `truth.json` are those of the sound itself. The same script,
synthesizer and encoder give the same bytes.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tempfile
import tomllib
import wave
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

HERE = Path(__file__).resolve().parent
SAMPLE_RATE = 16_000  #: samples a second; flite's own rate
SILENCE = 0.004  #: of full scale: below it a synthesizer is silent (flite's noise floor stays under 0.001)
EDGE_SECONDS = 0.02  #: kept on both sides of a trimmed sentence, so that soft consonants stay whole
SENTENCE_PAUSE_SECONDS = (0.32, 0.24, 0.40, 0.28)  #: between the sentences of one turn, in rotation
TAIL_SECONDS = 0.8  #: silence after the last word
PEAK = 0.7  #: of full scale, after mixing

#: A small furnished room: delay in seconds and gain of each early reflection. Late ones would blur the turns' ends.
REFLECTIONS = ((0.0067, 0.16), (0.0113, -0.11), (0.0179, 0.08), (0.0271, -0.05), (0.0393, 0.03))
ROOM_TONE = 0.0004  #: RMS of the noise that every real room has, of full scale (-68 dBFS)


@dataclass(frozen=True, slots=True)
class Voice:
    """How one speaker sounds. `pitch` is a mean in hertz, `level` is dBFS (RMS)."""

    name: str
    synthesizer: str
    voice: str
    stretch: float
    pitch: int
    level: float


@dataclass(frozen=True, slots=True)
class Line:
    """One turn as it is written. `pause` is the silence before it in seconds."""

    voice: str
    pause: float
    text: str


def read_script(path: Path) -> tuple[dict[str, Voice], list[Line]]:
    """The voices and the turns of a script. A field that is missing or unknown raises TypeError with its name."""
    script = tomllib.loads(path.read_text(encoding="utf-8"))
    voices = {label: Voice(**fields) for label, fields in script["voices"].items()}
    return voices, [Line(**fields) for fields in script["turns"]]


def sentences_of(text: str) -> list[str]:
    """The sentences of a turn, each with its final mark."""
    return [sentence for sentence in re.split(r"(?<=[.?!])\s+", text.strip()) if sentence]


def synthesize(text: str, voice: Voice) -> Samples:
    """Speak one sentence: mono samples from -1 to 1, trimmed to the sound. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sentence.wav"
        subprocess.run(
            [
                voice.synthesizer,
                "-voice",
                voice.voice,
                "--setf",
                f"duration_stretch={voice.stretch}",
                "--setf",
                f"int_f0_target_mean={voice.pitch}",
                "-t",
                text,
                "-o",
                str(path),
            ],
            check=True,
        )
        with wave.open(str(path)) as sound:
            if sound.getframerate() != SAMPLE_RATE:
                raise ValueError(f"{voice.voice}: {sound.getframerate()} Hz, not {SAMPLE_RATE}")
            pcm = np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2")
    return trimmed(pcm.astype(np.float32) * np.float32(1 / 32768))


def trimmed(samples: Samples) -> Samples:
    """The samples without the silence at both ends. Raises ValueError where nothing is above it."""
    loud = np.flatnonzero(np.abs(samples) > SILENCE)
    if loud.size == 0:
        raise ValueError("the synthesizer was silent")
    edge = int(EDGE_SECONDS * SAMPLE_RATE)
    return samples[max(0, loud[0] - edge) : loud[-1] + edge]


def at_level(samples: Samples, level: float) -> Samples:
    """The samples at a loudness of `level` dBFS (RMS of the whole sentence)."""
    rms = float(np.sqrt(np.mean(samples**2)))
    return (samples * (10 ** (level / 20) / rms)).astype(np.float32)


def mix(voices: dict[str, Voice], lines: list[Line]) -> tuple[Samples, list[dict[str, object]]]:
    """The dry conversation and its truth: one entry per sentence, times in seconds."""
    pieces: list[Samples] = []
    truth: list[dict[str, object]] = []
    length = 0
    for number, line in enumerate(lines):
        for position, sentence in enumerate(sentences_of(line.text)):
            pause = SENTENCE_PAUSE_SECONDS[len(truth) % len(SENTENCE_PAUSE_SECONDS)] if position else line.pause
            silence = np.zeros(int(pause * SAMPLE_RATE), dtype=np.float32)
            speech = at_level(synthesize(sentence, voices[line.voice]), voices[line.voice].level)
            start = length + silence.size
            length = start + speech.size
            pieces += [silence, speech]
            truth.append(
                {
                    "start": round(start / SAMPLE_RATE, 3),
                    "end": round(length / SAMPLE_RATE, 3),
                    "speaker": line.voice,
                    "name": voices[line.voice].name,
                    "utt": f"turn-{number + 1:02}-{position + 1}",
                    "text": sentence,
                }
            )
    pieces.append(np.zeros(int(TAIL_SECONDS * SAMPLE_RATE), dtype=np.float32))
    return np.concatenate(pieces), truth


def in_a_room(dry: Samples) -> Samples:
    """The conversation with early reflections and a room tone; the same noise every time."""
    wet = dry.copy()
    for delay, gain in REFLECTIONS:
        offset = int(delay * SAMPLE_RATE)
        wet[offset:] += gain * dry[:-offset]
    tone = np.random.default_rng(20260314).standard_normal(dry.size)
    # A moving average takes the hiss out: rooms hum more than they hiss.
    tone = np.convolve(tone, np.ones(12) / 12, mode="same")
    wet += (tone * (ROOM_TONE / np.sqrt(np.mean(tone**2)))).astype(np.float32)
    peak = float(np.max(np.abs(wet)))
    return (wet * min(1.0, PEAK / peak)).astype(np.float32)


def write_mp3(samples: Samples, path: Path, *, title: str, show: str, published: str) -> None:
    """Encode as mono MP3 at 64 kbit/s with the tags that podcasts carry."""
    pcm = np.round(samples * 32767).astype(np.int16)
    with av.open(str(path), "w", format="mp3") as container:
        container.metadata.update({"title": title, "album": show, "date": published})
        stream = container.add_stream("libmp3lame", rate=SAMPLE_RATE, layout="mono")
        stream.bit_rate = 64_000
        frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        resampler = av.AudioResampler(format="s16p", layout="mono", rate=SAMPLE_RATE, frame_size=1152)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the demo episode.")
    parser.add_argument("--output", type=Path, default=HERE, help="folder for episode.mp3 and truth.json")
    folder: Path = parser.parse_args().output
    voices, lines = read_script(HERE / "script.toml")
    episode = json.loads((HERE / "episode.json").read_text(encoding="utf-8"))

    dry, truth = mix(voices, lines)
    folder.mkdir(parents=True, exist_ok=True)
    write_mp3(
        in_a_room(dry),
        folder / "episode.mp3",
        title=episode["title"],
        show=episode["show"],
        published=episode["published"],
    )
    (folder / "truth.json").write_text(json.dumps(truth, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{folder / 'episode.mp3'}: {dry.size / SAMPLE_RATE:.1f} s, {len(lines)} turns, {len(truth)} sentences")


if __name__ == "__main__":
    main()
