"""How alike one person's voice is in two recordings, and two people's: where the thresholds of known voices lie.

    python -m evaluation.known_voices

Takes the conversations with truth beside the checkout (`conv-*`, the telephone talk), cuts each in halves, and makes
one embedding of each reader in each half, as the diarizer's centroids are made: the mean over pieces of at most ten
seconds of that voice alone. Needs the model set `starter`.
"""

from __future__ import annotations

import itertools
import math
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.truth import Recording, recordings
from schemas.errors import StenocastError
from transcription.known_voices import HEARD_SECONDS
from transcription.ports import SAMPLE_RATE, VoiceTurn

ROOT = Path(__file__).resolve().parent.parent
PIECE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Heard:
    """One reader in one half of one recording."""

    recording: str
    half: int
    reader: str
    seconds: float
    embedding: tuple[float, ...]


def alone(turns: Sequence[VoiceTurn]) -> dict[str, list[tuple[float, float]]]:
    """Where each voice speaks and no other does."""
    edges = sorted({edge for turn in turns for edge in (turn.start, turn.end)})
    spans: dict[str, list[tuple[float, float]]] = {}
    for start, end in itertools.pairwise(edges):
        speaking = {turn.voice for turn in turns if turn.start < end and turn.end > start}
        if len(speaking) == 1:
            spans.setdefault(speaking.pop(), []).append((start, end))
    return spans


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True)) / (math.hypot(*one) * math.hypot(*other))


def listen(recording: Recording, scratch: Path) -> list[Heard]:
    import numpy as np
    import torch

    from adapters.models import find
    from adapters.pyannote import import_quietly
    from adapters.settings import read_settings
    from adapters.wiring import build_decoder

    settings = read_settings()
    network = import_quietly("adapters.campplus", settings.threads or 2).load(
        find("starter", settings.models_dir).embedding
    )
    waveform = build_decoder(settings).decode(recording.audio, scratch).waveform
    samples = np.fromfile(waveform.path, dtype="<i2").astype("float32") / 32768
    heard: list[Heard] = []
    for reader, spans in alone(recording.truth.voices).items():
        for half in (0, 1):
            begin, end = half * waveform.seconds / 2, (half + 1) * waveform.seconds / 2
            own = [samples[int(a * SAMPLE_RATE) : int(b * SAMPLE_RATE)] for a, b in spans if begin <= a and b <= end]
            speech = np.concatenate(own) if own else np.zeros(0, dtype="float32")
            seconds = len(speech) / SAMPLE_RATE
            if seconds < HEARD_SECONDS:
                continue
            pieces = np.array_split(speech, math.ceil(seconds / PIECE_SECONDS))
            with torch.inference_mode():
                vectors = [network(torch.from_numpy(piece)[None, None])[0] for piece in pieces]
            mean = torch.stack(vectors).mean(dim=0)
            heard.append(Heard(recording.name, half, reader, seconds, tuple(mean.tolist())))
    return heard


def main() -> int:
    """The command. Exit status 0, or 1 where recordings or models are missing."""
    chosen = [each for each in recordings(ROOT) if each.name.startswith(("conv-", "telephone"))]
    heard: list[Heard] = []
    try:
        for recording in chosen:
            with tempfile.TemporaryDirectory(prefix="stenocast-voices-") as scratch:
                heard += listen(recording, Path(scratch))
            print(f"{recording.name}: heard", file=sys.stderr, flush=True)
    except StenocastError as error:
        print(f"error: {error.message} [{error.code}]", file=sys.stderr)
        return 1
    pairs = list(itertools.combinations(heard, 2))
    groups = {
        "one reader, two recordings": [
            p for p in pairs if p[0].reader == p[1].reader and p[0].recording != p[1].recording
        ],
        "one reader, two halves": [
            p for p in pairs if p[0].reader == p[1].reader and p[0].recording == p[1].recording
        ],
        "two readers": [p for p in pairs if p[0].reader != p[1].reader],
    }
    print("| pairs | how many | lowest | median | highest |\n|---|---|---|---|---|")
    for name, group in groups.items():
        likeness = sorted(cosine(one.embedding, other.embedding) for one, other in group)
        if likeness:
            middle = likeness[len(likeness) // 2]
            print(f"| {name} | {len(group)} | {likeness[0]:.2f} | {middle:.2f} | {likeness[-1]:.2f} |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
