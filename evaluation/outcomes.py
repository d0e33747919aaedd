"""The figures of one recording by one way of transcribing it, kept until something that they depend on changes."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from evaluation.comparison import Measures
from schemas.errors import PageError
from schemas.wire import read_json, write_json

ROOT = Path(__file__).resolve().parent.parent

#: The systems that are measured: the whole, the plain tools, and the whole without one of its steps.
OURS, BASELINE, WITHOUT = "stenocast", "baseline", "without "

#: What decides the words, voices, names and paragraphs of ours, and what decides the figures of all.
_OURS = ("schemas", "transcription", "adapters/whisper.py", "adapters/pyannote.py", "adapters/trunk_once.py")
_MEASURES = tuple(
    f"evaluation/{name}.py" for name in ("alignment", "comparison", "measures", "said", "timed", "truth")
)
_BASELINE = ("evaluation/baseline.py",)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One recording, one system."""

    recording: str
    group: str
    system: str
    models: str
    measures: Measures
    audio_seconds: float
    method: str  #: changes whenever the figures could: the source that makes them, the engines, the truth
    measured: str  #: ISO 8601 date and time, UTC
    machine: str


def method_of(system: str, *more: str, root: Path = ROOT) -> str:
    """What the figures of a system depend on, as a short hash: its source, and `more` (engines, truth)."""
    places = (*_MEASURES, *(_BASELINE if system == BASELINE else _OURS))
    digest = hashlib.sha256(system.encode())
    for path in _sources(root / place for place in places):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    for each in more:
        digest.update(each.encode() + b"\0")
    return digest.hexdigest()[:16]


def _sources(places: Iterable[Path]) -> Iterator[Path]:
    for place in places:
        yield from sorted(place.rglob("*.py")) if place.is_dir() else [place]


class OutcomeStore:
    """A folder of outcomes, one JSON file each, so that a survey can be made in pieces."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, outcome: Outcome) -> None:
        place = self._place(outcome.models, outcome.recording, outcome.system)
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, work = tempfile.mkstemp(dir=place.parent, prefix=".")
        with os.fdopen(handle, "wb") as file:
            file.write(write_json(outcome, indent=1))
        os.replace(work, place)

    def recall(self, models: str, recording: str, system: str, *, method: str | None = None) -> Outcome | None:
        """What was kept, if its method is still this one (any, without). A damaged file is no outcome."""
        place = self._place(models, recording, system)
        if not place.is_file():
            return None
        try:
            outcome = read_json(Outcome, place.read_bytes())
        except PageError:
            return None
        return outcome if method in (None, outcome.method) else None

    def _place(self, models: str, recording: str, system: str) -> Path:
        return self._folder / _plain(models) / _plain(recording) / f"{_plain(system)}.json"


def _plain(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "unnamed"
