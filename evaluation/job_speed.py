"""How long a whole job takes and how much memory it needs: `python -m evaluation.job_speed AUDIO… [--minutes 10]`.

The recordings are joined, and repeated until they last as long as asked for; the job runs with the models loaded
before the clock starts, without earlier checkpoints. Peak memory is this process's resident memory.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
import wave
from pathlib import Path

from transcription.ports import SAMPLE_RATE


def join(recordings: list[Path], target: Path, *, seconds: float, folder: Path) -> None:
    """Write a 16 kHz WAV of the recordings one after another, again and again, until it lasts `seconds`."""
    from adapters.settings import read_settings
    from adapters.wiring import build_decoder

    decoder = build_decoder(read_settings())
    pieces = []
    for number, each in enumerate(recordings):
        scratch = folder / f"piece-{number}"
        scratch.mkdir()
        pieces.append(decoder.decode(each, scratch).waveform.path)
    left = int(seconds * SAMPLE_RATE) * 2
    with wave.open(str(target), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE)
        while left > 0:
            for path in pieces:
                content = path.read_bytes()[:left]
                out.writeframes(content)
                left -= len(content)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recordings", nargs="+", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--models", default="starter")
    asked = parser.parse_args()

    from adapters.settings import read_settings
    from adapters.wiring import build_pipeline
    from schemas.episode import Episode
    from schemas.job import JobOptions

    with tempfile.TemporaryDirectory(prefix="stenocast-speed-") as name:
        folder = Path(name)
        audio = folder / "episode.wav"
        join(asked.recordings, audio, seconds=asked.minutes * 60, folder=folder)
        began = time.monotonic()
        pipeline = build_pipeline(read_settings(), asked.models, fresh=True)
        loading = time.monotonic() - began
        loaded = _peak()
        began = time.monotonic()
        document = pipeline.run(
            audio,
            Episode("00000000-0000-5000-8000-000000000000"),
            JobOptions(models=asked.models),
            scratch=folder,
            tell=lambda progress: None,
        )
        seconds = time.monotonic() - began
    stages = {each.stage: each.seconds for each in (document.provenance.stages if document.provenance else ())}
    length = asked.minutes * 60
    print("| audio | loading | job | × real time | decode | recognize | diarize | memory, loaded | memory, peak |")
    print("|---|---|---|---|---|---|---|---|---|")
    print(
        f"| {asked.minutes:g} min | {loading:.1f} s | {seconds:.1f} s | {seconds / length:.3f} |"
        f" {stages.get('decode', 0):.1f} s | {stages.get('recognize', 0):.1f} s | {stages.get('diarize', 0):.1f} s |"
        f" {loaded / 1e9:.2f} GB | {_peak() / 1e9:.2f} GB |"
    )
    return 0


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    raise SystemExit(main())
