"""The same recording through the plain tools: what our own parts are worth is the difference.

faster-whisper as its README shows it (sequential, beam of 5, word times), pyannote's own pipeline over the same
models and parameters, each word to the voice that overlaps it most. No names, no paragraphs, no second look.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.said import NOBODY, Said, SaidWord
from transcription.ports import Decoder, VoiceTurn

if TYPE_CHECKING:
    from adapters.pyannote import PyannoteDiarizer
    from adapters.settings import Settings


class Baseline:
    """Loads the models of a set once."""

    def __init__(self, settings: Settings, models: str) -> None:
        """Raises NotFound for an unknown set, ModelError for files that are missing or wrong."""
        from faster_whisper import WhisperModel

        from adapters.models import find
        from adapters.wiring import build_decoder
        from evaluation.diarization_speed import load, stock_pipeline

        found = find(models, settings.models_dir)
        threads = settings.threads or 2
        device = settings.device
        compute = "float16" if device == "cuda" else "int8"
        self._whisper: Any = WhisperModel(
            str(found.recognizer), device=device, compute_type=compute, cpu_threads=threads, local_files_only=True
        )
        ours: PyannoteDiarizer = load(models, settings, threads=threads)
        self._stock = stock_pipeline(ours)
        self._decoder: Decoder = build_decoder(settings)

    def transcribe(self, audio: Path, scratch: Path) -> tuple[Said, tuple[VoiceTurn, ...]]:
        """The words with their voices, and the voices as they were found."""
        from adapters.waveform import floats
        from evaluation.diarization_speed import run_stock

        waveform = self._decoder.decode(audio, scratch).waveform
        try:
            segments, _ = self._whisper.transcribe(
                floats(waveform, 0.0, waveform.seconds), language="en", word_timestamps=True
            )
            words = [
                (word.word.strip(), float(word.start), float(word.end)) for each in segments for word in each.words
            ]
            annotation = run_stock(self._stock, waveform)
        finally:
            waveform.path.unlink(missing_ok=True)
        turns = tuple(
            VoiceTurn(float(span.start), float(span.end), str(label))
            for span, _, label in annotation.itertracks(yield_label=True)
        )
        return said_by_overlap([each for each in words if each[0]], turns, waveform.seconds), turns


def said_by_overlap(words: Sequence[tuple[str, float, float]], turns: Sequence[VoiceTurn], seconds: float) -> Said:
    """Each word (text, start, end) under the voice that overlaps it most; nobody's where none does."""
    said: list[SaidWord] = []
    turn = -1
    for text, start, end in words:
        speaker = _loudest(start, end, turns)
        turn += not said or said[-1].speaker != speaker
        said.append(SaidWord(text, speaker, start, end, turn, 0))
    return Said(tuple(said), (), tuple(turns), seconds)


def _loudest(start: float, end: float, turns: Sequence[VoiceTurn]) -> str:
    shares: dict[str, float] = {}
    for each in turns:
        shared = min(end, each.end) - max(start, each.start)
        if shared > 0:
            shares[each.voice] = shares.get(each.voice, 0.0) + shared
    return min(shares, key=lambda voice: (-shares[voice], voice)) if shares else NOBODY
