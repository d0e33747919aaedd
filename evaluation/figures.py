"""How good and how fast: the whole pipeline on every recording with truth that is here.

    python -m evaluation.figures [--models starter] [--only demo,telephone,conv-two] [--write docs/quality.md]

Prints a markdown table with the machine, the versions, the date and the command. Nothing is read from earlier runs.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import re
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from evaluation.marked import write_between
from evaluation.measures import (
    COLLAR_SECONDS,
    NameScore,
    SpokenWords,
    attributed,
    concatenated_error_rate,
    diarization_error_rate,
    name_score,
    printed_names,
    speaker_words,
    word_error_rate,
)
from evaluation.presentation import names_cell
from evaluation.truth import Recording, choose, recordings
from schemas.errors import NotFound, OptionError, StenocastError
from schemas.job import JobOptions
from schemas.transcript import Transcript
from schemas.wire import read_json
from transcription.assemble import join_windows, timed
from transcription.ports import Diarization, Recognition, Store
from transcription.turns import build_turns
from transcription.voices import assign_voices

if TYPE_CHECKING:
    from transcription.pipeline import Pipeline

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Goal:
    """The worst figures that are good enough. None: no goal."""

    wer: float | None = None
    der: float | None = None
    der_collar: float | None = None


#: For the demo and the telephone talk what the project promises; for the conversations what the same models gave
#: in the stock pipelines (faster-whisper batched; pyannote's agglomerative clustering, threshold 0.6).
GOALS: dict[str, Goal] = {
    "demo": Goal(wer=0.05, der=0.07),
    "demo, no metadata": Goal(wer=0.05, der=0.07),
    "telephone": Goal(wer=0.15, der=0.07),
    "conv-two": Goal(wer=0.145, der=0.165, der_collar=0.098),
    "conv-three-overlap": Goal(wer=0.258, der=0.087, der_collar=0.041),
    "conv-four": Goal(wer=0.156, der=0.106, der_collar=0.055),
}


@dataclass(frozen=True, slots=True)
class Figures:
    """What one recording gave. Rates are shares; None where the truth says nothing about it."""

    name: str
    audio_seconds: float
    wer: float | None
    der: float | None
    der_collar: float | None
    voices: int
    true_voices: int | None
    cpwer: float | None
    wder: float | None
    wder_unsmoothed: float | None  #: words to voices by overlap alone
    names: NameScore | None
    real_time_factor: float  #: clock seconds of the whole job after loading, to seconds of audio
    peak_bytes: int | None  #: resident memory of this process during the job, models included


def measure(pipeline: Pipeline, recording: Recording) -> Figures:
    """Run the pipeline on a recording, without earlier checkpoints, and compare."""
    from adapters.memory import MemoryStore

    checkpoints = MemoryStore()
    fresh = replace(pipeline, checkpoints=checkpoints)
    _reset_peak()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="stenocast-figures-") as scratch:
        document = fresh.run(
            recording.audio, recording.episode, JobOptions(), scratch=Path(scratch), tell=lambda _: None
        )
    seconds = time.monotonic() - began
    return compare(recording, document, checkpoints, clock_seconds=seconds, peak_bytes=_peak())


def compare(
    recording: Recording, document: Transcript, checkpoints: Store, *, clock_seconds: float, peak_bytes: int | None
) -> Figures:
    """The figures of a document; `checkpoints` are those of its job, for the diarization as it was found."""
    truth = recording.truth
    keys = list(checkpoints.keys("checkpoints/"))
    diarization = next((_read(checkpoints, key, Diarization) for key in keys if key.endswith("/voices.json")), None)
    heard = [_read(checkpoints, key, Recognition) for key in keys if "/recognize-" in key]
    found = diarization.turns if diarization else ()
    audio_seconds = document.episode.audio.duration or 0.0
    spoken = attributed(document)
    text = " ".join(each.text for each in spoken)
    several = len({each.speaker for each in truth.utterances}) > 1
    words = speaker_words(truth.utterances, spoken)
    return Figures(
        name=recording.name,
        audio_seconds=audio_seconds,
        wer=word_error_rate(truth.text, text),
        der=diarization_error_rate(truth.voices, found),
        der_collar=diarization_error_rate(truth.voices, found, collar=COLLAR_SECONDS),
        voices=len({turn.voice for turn in found}),
        true_voices=truth.voice_count(),
        cpwer=concatenated_error_rate(truth.utterances, spoken) if several else None,
        wder=words.error_rate if several else None,
        wder_unsmoothed=_unsmoothed(recording, heard, diarization, audio_seconds) if several else None,
        names=name_score(truth.names, printed_names(document), words.matched),
        real_time_factor=clock_seconds / audio_seconds if audio_seconds else 0.0,
        peak_bytes=peak_bytes,
    )


def _read(store: Store, key: str, kind: type[T]) -> T:
    content = store.get(key)
    if content is None:
        raise NotFound(f"{key}: the checkpoint is gone")
    return read_json(kind, content)


def _unsmoothed(
    recording: Recording, heard: Sequence[Recognition], diarization: Diarization | None, audio_seconds: float
) -> float | None:
    """WDER if each word simply took the voice that covers most of it."""
    if diarization is None:
        return None
    windows = sorted(heard, key=lambda each: each.span.start)
    turns = build_turns(assign_voices(timed(join_windows(windows), audio_seconds), diarization.exclusive))
    spoken = [SpokenWords(turn.speaker, " ".join(word.text for word in turn.words)) for turn in turns]
    return speaker_words(recording.truth.utterances, spoken).error_rate


# ---------------------------------------------------------------- the machine


def _reset_peak() -> None:
    """Let the kernel forget the highest resident memory so far (Linux; elsewhere the figure is the process's)."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return


def _peak() -> int | None:
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found.group(1)) * 1024 if found else None


def machine(device: str) -> str:
    """The processor, how many cores this process may use, and the versions that matter."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    packages = ("stenocast", "faster-whisper", "ctranslate2", "pyannote.audio", "torch")
    versions = ", ".join(f"{each} {_version(each)}" for each in packages)
    return f"{_processor()}, {cores} cores, device {device}; Python {platform.python_version()}, {versions}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


# ---------------------------------------------------------------- the table


def table(figures: Sequence[Figures]) -> str:
    """The figures as a markdown table; a figure that misses its goal is bold, with the goal beside it."""
    head = (
        "| recording | length | WER | DER | DER, 0.25 s collar | voices found / of | cpWER | WDER (by overlap alone) "
        "| names right / wrong (misspelt) / missing | time / real time | peak memory |"
    )
    rows = [_row(each, GOALS.get(each.name, Goal())) for each in figures]
    return "\n".join([head, "|" + "---|" * 11, *rows])


def _row(each: Figures, goal: Goal) -> str:
    voices = f"{each.voices} / {each.true_voices}" if each.true_voices is not None else "–"
    if each.true_voices is not None and each.voices != each.true_voices:
        voices = f"**{voices}**"
    wder = "–" if each.wder is None else f"{_percent(each.wder)} ({_percent(each.wder_unsmoothed)})"
    peak = "–" if each.peak_bytes is None else f"{each.peak_bytes / 1e9:.2f} GB"
    cells = [
        each.name,
        f"{each.audio_seconds:.0f} s",
        _against(each.wer, goal.wer),
        _against(each.der, goal.der),
        _against(each.der_collar, goal.der_collar),
        voices,
        _percent(each.cpwer),
        wder,
        names_cell(each.names),
        f"{each.real_time_factor:.2f}",
        peak,
    ]
    return "| " + " | ".join(cells) + " |"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def _against(share: float | None, goal: float | None) -> str:
    if share is None or goal is None:
        return _percent(share)
    if round(share, 3) <= goal:
        return f"{_percent(share)} (≤ {100 * goal:.1f})"
    return f"**{_percent(share)}** (goal {100 * goal:.1f})"


def report(figures: Sequence[Figures], *, models: str, command: str, today: str, where: str) -> str:
    """The table with where, when and how it was measured."""
    return "\n".join(
        [
            f"Measured {today} with `{command}`, model set `{models}`.",
            "",
            f"Machine: {where}.",
            "",
            table(figures),
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Exit status 0, 1 (failed), 2 (usage)."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.figures", description=__doc__.splitlines()[0])
    parser.add_argument("--models", default="starter", help="model set, hub name or folder")
    parser.add_argument("--only", default="", help="recordings or groups, with commas between")
    parser.add_argument("--write", type=Path, help="put the table into this markdown page")
    asked = parser.parse_args(arguments)
    given = sys.argv[1:] if arguments is None else arguments
    try:
        return _run(asked, command=" ".join(["python -m evaluation.figures", *given]))
    except StenocastError as error:
        print(f"error: {error.message} [{error.code}]", file=sys.stderr)
        return 2 if isinstance(error, OptionError) else 1


def _run(asked: argparse.Namespace, *, command: str) -> int:
    from adapters.settings import read_settings
    from adapters.wiring import build_pipeline

    chosen = choose(recordings(ROOT), [each.strip() for each in asked.only.split(",") if each.strip()])
    settings = read_settings()
    pipeline = build_pipeline(settings, asked.models, fresh=True)
    figures: list[Figures] = []
    for recording in chosen:
        figures.append(measure(pipeline, recording))
        print(_row(figures[-1], GOALS.get(recording.name, Goal())), file=sys.stderr, flush=True)
    today = datetime.now(UTC).date().isoformat()
    block = report(figures, models=asked.models, command=command, today=today, where=machine(settings.device))
    print(block)
    if asked.write:
        write_between(asked.write, block, "figures")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
