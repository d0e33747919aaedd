"""The plain tools over the models of a set, which ours is measured against: what our own parts are worth."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from adapters.models import find
from adapters.waveform import floats, open_samples
from transcription.ports import SAMPLE_RATE, VoiceTurn, Waveform

if TYPE_CHECKING:
    from adapters.pyannote import PyannoteDiarizer
    from adapters.settings import Settings

BATCH = 32  #: chunks at once, for our loop and for theirs


@dataclass(frozen=True, slots=True)
class PlainlyHeard:
    """What the plain tools make of a recording, before words are given to voices."""

    words: tuple[tuple[str, float, float], ...]  #: text, start, end
    turns: tuple[VoiceTurn, ...]


class PlainTools:
    """faster-whisper as its README shows it (sequential, beam of 5, word times), and pyannote's own pipeline over the
    same models and parameters."""

    def __init__(self, settings: Settings, models: str) -> None:
        """Raises NotFound for an unknown set, ModelError for files that are missing or wrong."""
        from faster_whisper import WhisperModel

        found = find(models, settings.models_dir)
        threads = settings.threads or 2
        device = settings.device
        compute = "float16" if device == "cuda" else "int8"
        self._whisper: Any = WhisperModel(
            str(found.recognizer), device=device, compute_type=compute, cpu_threads=threads, local_files_only=True
        )
        ours: PyannoteDiarizer = load(models, settings, threads=threads)
        self._stock = stock_pipeline(ours)
        versions = (version("faster-whisper"), version("ctranslate2"), compute)
        facts = (*versions, found.sha256.get("recognizer/model.bin"), ours.fingerprint)
        self.fingerprint = hashlib.sha256(repr(facts).encode()).hexdigest()[:12]

    def hear(self, waveform: Waveform) -> PlainlyHeard:
        """The words and the voices, neither knowing of the other."""
        segments, _ = self._whisper.transcribe(
            floats(waveform, 0.0, waveform.seconds), language="en", word_timestamps=True
        )
        words = [(word.word.strip(), float(word.start), float(word.end)) for each in segments for word in each.words]
        annotation = run_stock(self._stock, waveform)
        turns = tuple(
            VoiceTurn(float(span.start), float(span.end), str(label))
            for span, _, label in annotation.itertracks(yield_label=True)
        )
        return PlainlyHeard(tuple(each for each in words if each[0]), turns)


def load(models: str, settings: Settings, *, threads: int) -> PyannoteDiarizer:
    from adapters.pyannote import PyannoteDiarizer

    found = find(models, settings.models_dir)
    parameters = found.diarization.parameters
    return PyannoteDiarizer(
        found.segmentation,
        found.embedding,
        set_name=found.name,
        threshold=float(parameters["threshold"]),
        min_cluster_size=int(parameters["min_cluster_size"]),
        threads=threads,
        batch_size=BATCH,
    )


def stock_pipeline(diarizer: PyannoteDiarizer) -> Any:
    """pyannote's own pipeline over the same models and parameters, in batches as ours."""
    from pyannote.audio.pipelines import SpeakerDiarization

    ours = diarizer.pipeline
    pipeline = SpeakerDiarization(
        segmentation=ours._segmentation.model,
        embedding=ours._embedding.model_,
        plda=ours.plda,
        clustering=ours.klustering,
        embedding_exclude_overlap=ours.embedding_exclude_overlap,
        segmentation_batch_size=BATCH,
        embedding_batch_size=BATCH,
    )
    return pipeline.instantiate(ours.parameters(instantiated=True))


def run_stock(pipeline: Any, waveform: Waveform) -> Any:
    import numpy as np
    import torch

    sound = torch.from_numpy(open_samples(waveform).astype(np.float32) / 32768.0)[None]
    with quiet():
        output = pipeline({"waveform": sound, "sample_rate": SAMPLE_RATE, "uri": "recording"})
    return output.speaker_diarization


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
