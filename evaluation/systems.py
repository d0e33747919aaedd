"""The ways of transcribing a recording that a survey compares: ours, ours without each step, the plain tools.

A recording is decoded once and goes through each engine once; the other systems are replayed on what is kept of
that, under the engine's fingerprint and the source of its adapter.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from evaluation.comparison import Comparison, compare
from evaluation.outcomes import BASELINE, OURS, UNTOLD, WITHOUT, source_of
from evaluation.said import Said, said_in_document, said_in_truth
from evaluation.truth import Recording
from schemas.errors import PageError
from schemas.transcript import Transcript
from schemas.wire import read_json, write_json
from transcription.pipeline import Pipeline, checkpoint_folder
from transcription.ports import Decoder, Diarization, Diarizer, Prepared, Recognizer, Store, VoiceTurn
from transcription.steps import ALL_STEPS, Steps

if TYPE_CHECKING:
    from adapters.settings import Settings
    from evaluation.plain_tools import PlainTools

#: The module that runs each engine; what it imports of ours decides, with the engine's fingerprint, what comes out.
RECOGNIZER, DIARIZER, PLAIN = "adapters.whisper", "adapters.pyannote", "evaluation.plain_tools"

#: Where the recognizer is told which words to expect, the correction pass has little left to do: it is also left out
#: of what was recognized without being told.
UNTOLD_STEPS = replace(ALL_STEPS, expected=False)


def step_systems() -> dict[str, Steps]:
    """Ours without each step, by name."""
    return {f"{WITHOUT}{each.name}": replace(ALL_STEPS, **{each.name: False}) for each in fields(Steps)}


def all_systems() -> dict[str, Steps]:
    """Every system, by name. The baseline has no steps to leave out."""
    return {OURS: ALL_STEPS, BASELINE: ALL_STEPS} | step_systems() | {UNTOLD: replace(UNTOLD_STEPS, glossary=False)}


class Systems:
    """Runs any system on any recording. Engines are loaded when the first recording needs them.

    What the engines heard is kept in the store `heard`, so that a system that differs after them costs seconds.
    """

    def __init__(self, settings: Settings, models: str, heard: Store) -> None:
        self._settings = settings
        self._models = models
        self._heard = heard
        self._pipeline: Pipeline | None = None
        self._tools: PlainTools | None = None

    def compared(self, system: str, recording: Recording, sound: Callable[[], Prepared]) -> Comparison:
        """The recording by a system against its truth. `sound` is `decoded_once` of the recording."""
        if system == BASELINE:
            heard, voices = self._plain(sound())
        else:
            document, voices = run_ours(self.ours(), recording, all_systems()[system], sound())
            heard = said_in_document(document)
        return against_truth(recording, heard, voices)

    @contextmanager
    def decoded_once(self, recording: Recording) -> Iterator[Callable[[], Prepared]]:
        """Gives the decoded recording as often as it is wanted; it is decoded the first time and gone at the end."""
        from adapters.wiring import build_decoder

        with decoded_once(build_decoder(self._settings), recording.audio) as sound:
            yield sound

    def ours(self) -> Pipeline:
        """The pipeline, which takes from the store what the engines heard before."""
        if self._pipeline is None:
            from adapters.wiring import build_pipeline

            engines = build_pipeline(self._settings, self._models, fresh=True)
            self._pipeline = replace(
                engines,
                recognizer=cast(Recognizer, _with_source(engines.recognizer, RECOGNIZER)),
                diarizer=cast(Diarizer, _with_source(engines.diarizer, DIARIZER)),
                checkpoints=self._heard,
            )
        return self._pipeline

    def _plain(self, sound: Prepared) -> tuple[Said, tuple[VoiceTurn, ...]]:
        from evaluation.baseline import said_by_overlap
        from evaluation.plain_tools import PlainlyHeard, PlainTools

        waveform = sound.decoded.waveform
        try:
            if self._tools is None:
                self._tools = PlainTools(self._settings, self._models)
            fingerprint = f"{self._tools.fingerprint}{source_of(PLAIN)}"
            key = f"{checkpoint_folder(waveform, 'baseline', fingerprint, '')}/heard.json"
            heard = _recalled(self._heard, key, PlainlyHeard)
            if heard is None:
                heard = self._tools.hear(waveform)
                self._heard.put(key, write_json(heard))
        finally:
            waveform.path.unlink(missing_ok=True)
        return said_by_overlap(heard.words, heard.turns, waveform.seconds), heard.turns


@dataclass(frozen=True, slots=True)
class _WithSource:
    """An engine whose fingerprint changes with the source of its adapter too: while that is worked on, too many
    fingerprints cost time and one too few shows figures of yesterday's source."""

    engine: Any
    fingerprint: str

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)


def _with_source(engine: Any, module: str) -> _WithSource | None:
    return None if engine is None else _WithSource(engine, f"{engine.fingerprint}{source_of(module)}")


def against_truth(recording: Recording, heard: Said, voices: Sequence[VoiceTurn]) -> Comparison:
    truth = said_in_truth(recording.truth, seconds=heard.seconds)
    return compare(truth, heard, found=voices, glossary=[term.write for term in recording.options.glossary])


@contextmanager
def decoded_once(decoder: Decoder, audio: Path) -> Iterator[Callable[[], Prepared]]:
    """Gives the decoded recording as often as it is wanted, each time as a file of its own that may be removed."""
    with tempfile.TemporaryDirectory(prefix="stenocast-survey-") as scratch:
        made: list[Prepared] = []
        given = 0

        def sound() -> Prepared:
            nonlocal given
            if not made:
                began = time.monotonic()
                decoded = decoder.decode(audio, Path(scratch))
                made.append(Prepared(decoded, time.monotonic() - began))
            given += 1
            whole = made[0].decoded.waveform
            path = Path(scratch) / f"again-{given}.pcm"
            os.link(whole.path, path)
            return replace(made[0], decoded=replace(made[0].decoded, waveform=replace(whole, path=path)))

        yield sound


def run_ours(
    pipeline: Pipeline, recording: Recording, steps: Steps, sound: Prepared | None = None
) -> tuple[Transcript, tuple[VoiceTurn, ...]]:
    """The document, and the voices that were found, phantoms taken for the voice they sound like."""
    watched = _Watched(pipeline.checkpoints, [])
    with tempfile.TemporaryDirectory(prefix="stenocast-survey-") as scratch:
        document = replace(pipeline, checkpoints=watched, steps=steps).run(  # type: ignore[arg-type]
            recording.audio,
            recording.episode,
            recording.options,
            scratch=Path(scratch),
            tell=lambda _: None,
            prepared=sound,
        )
    return document, heard_voices(document, watched.store, watched.used)


@dataclass(frozen=True, slots=True)
class _Watched:
    """A store that remembers which checkpoint of voices was used."""

    store: Store
    used: list[str]

    def __getattr__(self, name: str) -> object:
        return getattr(self.store, name)

    def get(self, key: str) -> bytes | None:
        content = self.store.get(key)
        if content is not None:
            self.used.append(key)
        return content

    def put(self, key: str, content: bytes) -> None:
        self.used.append(key)
        self.store.put(key, content)


def heard_voices(document: Transcript, store: Store, used: Iterable[str]) -> tuple[VoiceTurn, ...]:
    key = next((key for key in used if key.endswith("/voices.json")), None)
    heard = _recalled(store, key, Diarization) if key else None
    if heard is None:
        return ()
    absorbed = {each.voice: each.into for each in document.quality.absorbed}
    return tuple(replace(turn, voice=absorbed.get(turn.voice, turn.voice)) for turn in heard.turns)


def _recalled(store: Store, key: str, kind: type[Any]) -> Any:
    content = store.get(key)
    if content is None:
        return None
    try:
        return read_json(kind, content)
    except PageError:
        return None  # written by an earlier version
