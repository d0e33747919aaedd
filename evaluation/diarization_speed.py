"""How fast and how good diarization is, against the stock pyannote loop on the same models in the same run.

    python -m evaluation.diarization_speed                            # pyannote's telephone sample
    python -m evaluation.diarization_speed ../shared/audio/conv-two.flac …
    python -m evaluation.diarization_speed --hours 4 ../shared/audio/conv-four.flac

A recording's truth is the RTTM file of the same name beside it, or `meeting.rttm` for `meeting-*`. Prints a Markdown
table: voices found and diarization error without collar, overlap counted, for both loops, and their times. With
`--hours` the recording is repeated to that length instead, and what is measured is memory and time. Ratios of one run
hold on a busy machine; seconds do not.
"""

from __future__ import annotations

import argparse
import importlib.util
import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.settings import Settings, read_settings
from adapters.waveform import open_samples
from adapters.wiring import build_decoder
from evaluation.plain_tools import load, quiet, run_stock, stock_pipeline
from transcription.ports import SAMPLE_RATE, Diarization, DiarizeOptions, Waveform

if TYPE_CHECKING:
    from adapters.pyannote import PyannoteDiarizer

HEAD = """\
| recording | seconds | voices: truth, ours, stock | DER ours | DER stock | ours | × real time | stock | ratio |
|---|---|---|---|---|---|---|---|---|"""


@dataclass(frozen=True, slots=True)
class Run:
    """One loop over one recording."""

    voices: int
    error: float  #: diarization error rate, share of speech time
    seconds: float


@dataclass(frozen=True, slots=True)
class Row:
    """One recording."""

    name: str
    audio_seconds: float
    true_voices: int
    ours: Run
    stock: Run | None


def main(arguments: Sequence[str] | None = None) -> None:
    given = _arguments(arguments)
    settings = read_settings()
    diarizer = load(given.models, settings, threads=given.threads)
    with tempfile.TemporaryDirectory(prefix="stenocast-") as scratch:
        recordings = given.recordings or [telephone_sample()]
        if given.hours:
            print(measure_memory(diarizer, decode(recordings[0], Path(scratch), settings), given.hours))
            return
        print(HEAD)
        for path in recordings:
            waveform = decode(path, Path(scratch), settings)
            print(table_line(measure(diarizer, path, waveform, with_stock=not given.no_stock)), flush=True)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m evaluation.diarization_speed")
    parser.add_argument("recordings", nargs="*", type=Path)
    parser.add_argument("--models", default="starter", help="the model set")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-stock", action="store_true", help="measure our loop alone")
    parser.add_argument("--hours", type=float, help="repeat the first recording to this length and measure memory")
    return parser.parse_args(arguments)


def decode(path: Path, scratch: Path, settings: Settings) -> Waveform:
    folder = scratch / path.stem
    folder.mkdir()
    return build_decoder(settings).decode(path, folder).waveform


def telephone_sample() -> Path:
    """The half minute of telephone talk that pyannote.audio carries with its truth."""
    spec = importlib.util.find_spec("pyannote.audio.sample")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "sample.wav"


def measure(diarizer: PyannoteDiarizer, path: Path, waveform: Waveform, *, with_stock: bool) -> Row:
    """Run both loops over one recording, each once."""
    truth = truth_of(path)
    begin = time.monotonic()
    output = diarizer.diarize(waveform, DiarizeOptions())
    ours = _run(truth, as_annotation(output), time.monotonic() - begin)
    stock = None
    if with_stock:
        pipeline = stock_pipeline(diarizer)
        begin = time.monotonic()
        annotation = run_stock(pipeline, waveform)
        stock = _run(truth, annotation, time.monotonic() - begin)
    return Row(path.stem, waveform.seconds, len(truth.labels()), ours, stock)


def _run(truth: Any, annotation: Any, seconds: float) -> Run:
    from pyannote.metrics.diarization import DiarizationErrorRate

    with quiet():
        return Run(len(annotation.labels()), float(DiarizationErrorRate()(truth, annotation)), seconds)


def truth_of(path: Path) -> Any:
    """The RTTM beside a recording as pyannote's Annotation."""
    from pyannote.database.util import load_rttm

    own = path.with_suffix(".rttm")
    known = load_rttm(own if own.exists() else path.with_name(f"{path.stem.partition('-')[0]}.rttm"))
    last = path.stem.rpartition("-")[2]
    return next(iter(known.values())) if len(known) == 1 else next(v for uri, v in known.items() if last in uri)


def as_annotation(diarization: Diarization) -> Any:
    from pyannote.core import Annotation, Segment

    annotation = Annotation()
    for i, turn in enumerate(diarization.turns):
        annotation[Segment(turn.start, turn.end), i] = turn.voice
    return annotation


def table_line(row: Row) -> str:
    """One recording as a line under `HEAD`."""
    ours, stock = row.ours, row.stock
    cells = [
        row.name,
        f"{row.audio_seconds:.0f}",
        f"{row.true_voices}, {ours.voices}, {stock.voices if stock else '–'}",
        f"{ours.error:.1%}",
        f"{stock.error:.1%}" if stock else "–",
        f"{ours.seconds:.1f} s",
        f"{ours.seconds / row.audio_seconds:.3f}",
        f"{stock.seconds:.1f} s" if stock else "–",
        f"{ours.seconds / stock.seconds:.3f}" if stock else "–",
    ]
    return f"| {' | '.join(cells)} |"


def measure_memory(diarizer: PyannoteDiarizer, waveform: Waveform, hours: float) -> str:
    """Repeat a recording to `hours` and say what diarizing it took, over the loaded models."""
    path = waveform.path.with_name("repeated.pcm")
    samples = open_samples(waveform)
    wanted = round(hours * 3600 * SAMPLE_RATE)
    with path.open("wb") as file:
        for begin in range(0, wanted, len(samples)):
            file.write(samples[: wanted - begin].tobytes())
    episode = Waveform(path, wanted, waveform.sha256)
    loaded = resident_bytes()
    begin_time = time.monotonic()
    found = diarizer.diarize(episode, DiarizeOptions())
    seconds = time.monotonic() - begin_time
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    voices = len({turn.voice for turn in found.turns})
    return (
        f"{episode.seconds / 3600:.1f} h: {voices} voices, {len(found.turns)} turns in {seconds:.0f} s"
        f" ({seconds / episode.seconds:.3f} × real time); loaded {loaded / 1e6:.0f} MB,"
        f" peak {peak / 1e6:.0f} MB, over the models {(peak - loaded) / 1e6:.0f} MB"
    )


def resident_bytes() -> int:
    """What this process holds in memory now (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


if __name__ == "__main__":
    main()
