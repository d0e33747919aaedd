"""The figures of one recording by one way of transcribing it, kept until something that they depend on changes."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from evaluation.comparison import Measures
from schemas.errors import PageError
from schemas.wire import read_json, write_json

ROOT = Path(__file__).resolve().parent.parent

#: The systems that are measured: the whole, the plain tools, and the whole without one of its steps.
OURS, BASELINE, WITHOUT = "stenocast", "baseline", "without "
#: Without the correction pass by the glossary, where the recognizer was told no words beforehand either.
UNTOLD = f"{WITHOUT}expected and glossary"

#: Our rooms; what is imported from elsewhere is known by its version.
_ROOMS = ("schemas", "transcription", "formats", "adapters", "evaluation")

#: What every figure depends on: how truth and transcript are read and compared.
_MEASURES = ("evaluation.comparison", "evaluation.truth", "evaluation.said")
#: What ours depends on besides: the whole of these rooms, and the engines with the decoder and its child.
_OURS = ("adapters.whisper", "adapters.pyannote", "adapters.audio", "adapters.decoder_child")
_OUR_ROOMS = ("schemas", "transcription")
_BASELINE = ("evaluation.baseline", "evaluation.plain_tools", "adapters.audio", "adapters.decoder_child")

#: A string that may name a module to `importlib`.
_MODULE = re.compile(r"[a-z_]+(\.[a-z_]+)+")

#: Packages whose next version may give other figures.
_PACKAGES = ("faster-whisper", "ctranslate2", "pyannote.audio", "torch", "av", "jiwer", "pyannote.metrics")


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
    """What the figures of a system depend on, as a short hash: source, packages and `more` (sound, truth)."""
    files = set(sources((*_MEASURES, *(_BASELINE if system == BASELINE else _OURS)), root=root))
    if system != BASELINE:
        files |= {path for room in _OUR_ROOMS for path in (root / room).rglob("*.py")}
    return _digest(system, *_digested(sorted(files), root), *map(_version, _PACKAGES), *more)[:16]


def source_of(module: str, *, root: Path = ROOT) -> str:
    """The source of an engine's adapter and of what it imports, as a short hash.

    Without the nouns and the ports: they compute nothing, and what they no longer fit cannot be read any more.
    """
    nouns = (root / "schemas", root / "transcription" / "ports.py")
    files = [path for path in sources([module], root=root) if not any(path.is_relative_to(each) for each in nouns)]
    return _digest(*_digested(files, root))[:8]


def sources(modules: Iterable[str], *, root: Path = ROOT) -> tuple[Path, ...]:
    """The files of ours that these modules are made of: they and all that they import, wherever the import stands.

    A string that is a module's name counts as an import, since heavy modules are imported by name.
    """
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        path = _file_of(module, root)
        if path is None or module in found:
            continue
        found[module] = path
        waiting += _imported(path)
    return tuple(sorted(found.values()))


def _file_of(module: str, root: Path) -> Path | None:
    """None for what is not ours, and for a name inside a module."""
    if module.split(".")[0] not in _ROOMS:
        return None
    place = root.joinpath(*module.split("."))
    candidates = (place.with_suffix(".py"), place / "__init__.py")
    return next((each for each in candidates if each.is_file()), None)


@cache
def _imports_of(content: bytes) -> tuple[str, ...]:
    names: list[str] = []
    for node in _run(ast.parse(content)):
        if isinstance(node, ast.Import):
            names += [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{each.name}" for each in node.names)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _MODULE.fullmatch(node.value):
            names.append(node.value)
    return tuple(names)


def _run(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node but those that only the type checker sees."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            waiting += node.orelse
            continue
        yield node
        waiting += ast.iter_child_nodes(node)


def _imported(path: Path) -> tuple[str, ...]:
    return _imports_of(path.read_bytes())


def _digested(files: Iterable[Path], root: Path) -> Iterator[str]:
    """Each file's place and content, as one hash."""
    for path in files:
        yield f"{path.relative_to(root).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}"


def _digest(*facts: str) -> str:
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()


def _version(package: str) -> str:
    try:
        return f"{package} {importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError:
        return f"{package} absent"


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
