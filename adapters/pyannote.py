"""pyannote.audio behind the `Diarizer` port: who speaks when.

The stock pipeline runs the embedding network some thirty times over the same audio; here its frame layers run once
("trunk once", `adapters.trunk_once`). `python -m evaluation.diarization_speed` measures both.

Importing this module imports neither torch nor pyannote; making a diarizer does, and keeps their warnings off the
terminal and their telemetry off the network.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import logging
import os
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters import gpu
from schemas.errors import ModelError, OptionError, StenocastError, TransientError
from transcription.ports import Diarization, DiarizeOptions, Parts, Report, VoiceTurn, Waveform

if TYPE_CHECKING:
    from adapters.trunk_once import TrunkOnce

METHOD = "trunk-once/1"  #: part of the fingerprint; raised when the same models would give other turns
SHORTEST_SECONDS = 0.25  #: less sound than this holds no voice that could be told from another
#: Shares of the running time, for progress: measured on two cores with 282 s of talk (2026-11-23).
SHARES = {"segmentation": 0.6, "embeddings": 0.37}
#: Libraries whose warnings and log lines mean nothing to a user.
NOISY = (
    "pyannote",
    "lightning",
    "pytorch_lightning",
    "lightning_fabric",
    "torch",
    "torchaudio",
    "torchcodec",
    "sklearn",
)


class PyannoteDiarizer:
    """A segmentation model and a speaker embedding, clustered. One job at a time per object."""

    engine = "pyannote.audio"

    def __init__(
        self,
        segmentation: Path,
        embedding: Path,
        *,
        set_name: str,
        threshold: float = 0.7,
        min_cluster_size: int = 12,
        device: str = "cpu",
        threads: int = 2,
        batch_size: int = 32,
    ) -> None:
        """Load a pyannote segmentation checkpoint and CAM++ weights, whose hashes were checked before.

        `threshold` is the distance (0 to 2) up to which centroids are one voice: 0.64 to 0.80 finds every voice of
        the telephone sample and of conversations of two to four real voices, 0.60 splits one, 0.85 merges two
        (measured 2026-11-23, `python -m evaluation.diarization_speed`). `min_cluster_size` counts ten-second
        chunks. `device` is cpu, cuda or auto; `threads` are the CPU's. Raises ModelError when a file is missing
        or no model, or pyannote is not installed.
        """
        for path in (segmentation, embedding):
            if not path.is_file():
                raise ModelError(f"{path}: the model file is missing; run `stenocast models pull {set_name}`")
        trunk_once = import_quietly("adapters.trunk_once", threads)
        campplus = import_quietly("adapters.campplus", threads)
        with _loading(f"{segmentation.parent.parent}"):
            network = campplus.load(embedding)
            pipeline = trunk_once.TrunkOnce(
                trunk_once.read_segmentation(segmentation),
                network,
                plda=trunk_once.NoPLDA(),
                clustering="AgglomerativeClustering",
                embedding_exclude_overlap=True,
                batch_size=batch_size,
            )
            pipeline.instantiate(agglomerative(threshold, min_cluster_size))
        self._hold(pipeline, set_name, device)
        network.fuse()  # after the fingerprint, which is of the published weights

    @classmethod
    def from_pipeline(
        cls,
        name: str | Path,
        *,
        set_name: str | None = None,
        token: str | None = None,
        device: str = "cpu",
        threads: int = 2,
        batch_size: int = 32,
    ) -> PyannoteDiarizer:
        """Load a pyannote pipeline (community-1, 3.1) from its folder or from the hub.

        `set_name` is what provenance calls it; without one it is the hub's name or the folder's. A gated pipeline
        needs its terms accepted and a `token`. Its checkpoints are pickled: name only what you trust. Raises
        ModelError `pipeline_unavailable` when it cannot be had or cannot be used.
        """
        trunk_once = import_quietly("adapters.trunk_once", threads)
        with _loading(f"{name}", code="pipeline_unavailable"):
            pipeline = trunk_once.read_pipeline(name, token=token, batch_size=batch_size)
        diarizer = cls.__new__(cls)
        diarizer._hold(pipeline, set_name or (Path(name).name if Path(name).is_dir() else f"{name}"), device)
        return diarizer

    def _hold(self, pipeline: TrunkOnce, model: str, device: str) -> None:
        trunk_once = importlib.import_module("adapters.trunk_once")
        self.pipeline = pipeline
        self.model = model
        self.version: str = trunk_once.version()
        described = {"engine": self.engine, "version": self.version, "method": METHOD} | pipeline.described()
        self.fingerprint = hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:16]
        trunk_once.move(pipeline, device)

    def diarize(
        self,
        waveform: Waveform,
        options: DiarizeOptions,
        *,
        report: Report | None = None,
        parts: Parts | None = None,
    ) -> Diarization:
        """Find the voices of the whole recording; see `transcription.ports.Diarizer`.

        A number of speakers is kept to wherever there is enough speech to find so many.
        """
        _check(options)
        if waveform.seconds < SHORTEST_SECONDS:
            return Diarization((), ())
        progress = _Progress(waveform.seconds, report)
        try:
            output = self.pipeline.apply(
                {"uri": waveform.path.name, "waveform": waveform, "shelf": _Shelf(parts, waveform.seconds)},
                num_speakers=options.speakers,
                min_speakers=options.min_speakers,
                max_speakers=options.max_speakers,
                hook=progress.hook,
            )
        except (RuntimeError, MemoryError) as error:
            if isinstance(error, MemoryError) and self.pipeline.device.type == "cpu":
                raise TransientError(f"not enough memory to diarize: {error}", code="memory") from error
            known = gpu.translated(error, "diarize")
            if known is None:
                raise
            raise known from error
        progress.finish()
        return _diarization(output, waveform.seconds)


def agglomerative(threshold: float, min_cluster_size: int) -> dict[str, dict[str, Any]]:
    """pyannote's parameters for clustering by centroids."""
    return {
        "clustering": {"method": "centroid", "threshold": threshold, "min_cluster_size": min_cluster_size},
        "segmentation": {"min_duration_off": 0.0},
    }


def _check(options: DiarizeOptions) -> None:
    for name in ("speakers", "min_speakers", "max_speakers"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise OptionError(f"{name}={value}: must be 1 or more", field=name)
    fewest, most = options.min_speakers, options.max_speakers
    if fewest is not None and most is not None and fewest > most:
        raise OptionError(f"min_speakers={fewest} is more than max_speakers={most}", field="min_speakers")


class _Progress:
    """pyannote's hook, told as seconds of audio that never run backwards."""

    def __init__(self, seconds: float, report: Report | None) -> None:
        self._seconds = seconds
        self._report = report

    def hook(self, step: str, _artifact: object, *, file: object, completed: int = 0, total: int = 0) -> None:
        if self._report is None or not total:
            return
        begin, share = {
            "segmentation": (0.0, SHARES["segmentation"]),
            "embeddings": (SHARES["segmentation"], SHARES["embeddings"]),
        }[step]
        self._report(self._seconds * (begin + share * completed / total))

    def finish(self) -> None:
        if self._report is not None:
            self._report(self._seconds)


class _Shelf:
    """Features of stretches of the recording, as `Parts` keep them: numpy's own file, packed.

    An hour leaves 9 MB at most until its diarization is done, nearly all of it embeddings (3 of 192 floats a second).
    """

    def __init__(self, parts: Parts | None, seconds: float) -> None:
        self._parts = parts
        self._seconds = seconds

    def recall(self, step: str, begin: int, end: int, *, of: int) -> Any | None:
        """The features of chunks `begin` to `end` of all `of`, or None where they are not there or not whole."""
        import numpy as np

        if self._parts is None:
            return None
        worth = self._seconds * SHARES[step] * (end - begin) / of
        content = self._parts.recall(_part(step, begin, end), worth=worth)
        if content is None:
            return None
        try:
            features = np.load(BytesIO(zlib.decompress(content)), allow_pickle=False)
        except (zlib.error, ValueError, EOFError):
            return None
        return features if len(features) == end - begin else None

    def keep(self, step: str, begin: int, end: int, features: Any) -> None:
        import numpy as np

        if self._parts is None:
            return
        file = BytesIO()
        np.save(file, features, allow_pickle=False)
        self._parts.keep(_part(step, begin, end), zlib.compress(file.getvalue(), 1))


def _part(step: str, begin: int, end: int) -> str:
    return f"{step}-{begin:06d}-{end:06d}.npy.z"


def _diarization(output: Any, seconds: float) -> Diarization:
    """pyannote's output as turns in the order they begin, voices numbered by their first appearance."""
    full = _tracks(output.speaker_diarization, seconds)
    label = {old: f"voice {i}" for i, old in enumerate(dict.fromkeys(voice for _, _, voice in full), start=1)}
    embeddings: dict[str, tuple[float, ...]] = {}
    for old, vector in zip(output.speaker_diarization.labels(), output.speaker_embeddings, strict=False):
        length = float((vector.astype(float) ** 2).sum() ** 0.5)
        if old in label and 0 < length < float("inf"):
            embeddings[label[old]] = tuple(round(float(value) / length, 6) for value in vector)
    return Diarization(
        turns=_turns(full, label),
        exclusive=_turns(_tracks(output.exclusive_speaker_diarization, seconds), label),
        embeddings={voice: embeddings[voice] for voice in label.values() if voice in embeddings},
    )


def _tracks(annotation: Any, seconds: float) -> list[tuple[float, float, str]]:
    """Sorted (start, end, label) in seconds to the millisecond, within the recording."""
    tracks = [
        (round(max(segment.start, 0.0), 3), round(min(segment.end, seconds), 3), str(voice))
        for segment, _, voice in annotation.itertracks(yield_label=True)
    ]
    return sorted(each for each in tracks if each[0] < each[1])


def _turns(tracks: Sequence[tuple[float, float, str]], label: dict[str, str]) -> tuple[VoiceTurn, ...]:
    return tuple(VoiceTurn(start, end, label[voice]) for start, end, voice in tracks)


# ---------------------------------------------------------------- the libraries' manners


def import_quietly(module: str, threads: int) -> Any:
    """Import one of the modules that need torch and pyannote, without their telemetry and their warnings."""
    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
    silence_libraries()
    try:
        # pyannote prints a hundred lines when torchcodec finds no FFmpeg; we never let it decode.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            imported = importlib.import_module(module)
            torch = importlib.import_module("torch")
    except ImportError as error:
        raise ModelError(
            f"pyannote.audio cannot be imported ({error}); install requirements/worker.txt", code="engine_missing"
        ) from error
    silence_libraries()
    torch.set_num_threads(threads)
    return imported


def silence_libraries() -> None:
    """Keep the engines' own warnings and log lines from the user's terminal, for the rest of the process."""
    known = "|".join(NOISY)
    warnings.filterwarnings("ignore", module=rf"({known})(\.|$)")
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.ERROR)
    # Lightning's loggers set their own level when they are made, so the children are told one by one.
    for name, logger in logging.Logger.manager.loggerDict.items():
        if isinstance(logger, logging.Logger) and name.partition(".")[0] in NOISY:
            logger.setLevel(logging.ERROR)


@contextmanager
def _loading(what: str, *, code: str = "model_unreadable") -> Iterator[None]:
    """Translate whatever a library raises while it loads; what it prints to standard output goes into the message."""
    printed = StringIO()
    try:
        with redirect_stdout(printed), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except StenocastError:
        raise
    except Exception as error:
        known = gpu.while_loading(error, what)
        if known is not None:
            raise known from error
        said = " ".join(f"{error} {printed.getvalue()}".split())
        raise ModelError(f"{what}: cannot be loaded for diarization: {said[:600]}", code=code) from error
