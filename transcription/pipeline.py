"""One episode from a file to a transcript, through the ports alone.

decode, recognize (window by window), diarize, assemble. What a stage paid for is left as a checkpoint named by
the audio's hash, the fingerprints of engine and decoder, and the options that matter, so that another attempt, on
any machine that sees the same store, goes on where this one stopped and comes to the same words and voices.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from schemas.episode import AudioInfo, Episode
from schemas.errors import CrashError, NotReady, OptionError, PageError, StenocastError, TransientError
from schemas.job import JobOptions, Progress, Stage
from schemas.transcript import EngineUse, Provenance, StageTime, Transcript, Warning
from schemas.wire import read_json, write_json
from transcription.assemble import assemble
from transcription.guarding import THRESHOLDS, Stretch, guarded, is_enough
from transcription.known_voices import with_known_voices, worth_keeping
from transcription.options import check_options, primary_language
from transcription.ports import (
    Decoded,
    Decoder,
    Diarization,
    DiarizeOptions,
    Diarizer,
    KnownVoice,
    KnownVoices,
    Passage,
    Prepared,
    Recognition,
    RecognizeOptions,
    Recognizer,
    Span,
    Store,
    Waveform,
)
from transcription.progress import SECOND_LOOK_SHARE, ProgressMeter
from transcription.steps import ALL_STEPS, Steps

T = TypeVar("T")

#: The stages that this file does; fetching and publishing are the worker's.
STAGES = (Stage.DECODE, Stage.RECOGNIZE, Stage.DIARIZE, Stage.ASSEMBLE)


#: A diarization that ended so many processes will end the next one, too. Once may be a machine that was taken away.
DEADLY = 2


@dataclass(frozen=True, slots=True)
class Readings:
    """The checkpoint of a stretch that was recognized again."""

    readings: tuple[Passage, ...]


class _Stopped(Exception):
    """`tell` raised: the work must end with that error, whatever an engine makes of the exception."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The main job. `diarizer` may be None: everything is then one speaker.

    `now` gives the wall-clock time for the provenance, `clock` monotonic seconds for progress.
    """

    decoder: Decoder
    recognizer: Recognizer
    diarizer: Diarizer | None
    checkpoints: Store
    stenocast_version: str
    now: Callable[[], datetime]
    clock: Callable[[], float]
    steps: Steps = ALL_STEPS
    voices: KnownVoices | None = None  #: None: nobody is known by the voice, and no voice is kept

    def run(
        self,
        source: Path,
        episode: Episode,
        options: JobOptions,
        *,
        scratch: Path,
        tell: Callable[[Progress], None],
        prepared: Prepared | None = None,
        is_last_try: bool = False,
        must_not_die: bool = False,
        note_sound: Callable[[Waveform], None] = lambda _waveform: None,
        with_names_kept: Callable[[Transcript], Transcript] = lambda document: document,
    ) -> Transcript:
        """Transcribe the audio file `source`, or go on with what was `prepared` of it.

        `note_sound` hears what the recording is before anything of it is kept as a checkpoint. `with_names_kept`
        gives the document with the names that somebody gave before; it has the last word.

        `scratch` is an existing folder for the decoded sound, emptied of it again on every way out. `tell` hears
        of progress in audio seconds and may raise to stop the work: that error comes out unchanged. Raises
        AudioError for what cannot be heard, OptionError, NotReady, TransientError, CrashError. A diarization
        that fails costs the voices, not the words: one speaker, and the warning `diarization_failed`; one that
        could do better another time (no memory, a store that does not answer) does so only on the last try. One that
        took its process along `DEADLY` times is not begun again where the job `must_not_die` once more.
        """
        return _Run(
            self,
            source,
            episode,
            options,
            scratch,
            tell,
            prepared,
            is_last_try,
            must_not_die,
            note_sound,
            with_names_kept,
        ).transcript()


class _Run:
    """One pass of the pipeline: its progress, its stage times and its warnings."""

    def __init__(
        self,
        pipeline: Pipeline,
        source: Path,
        episode: Episode,
        options: JobOptions,
        scratch: Path,
        tell: Callable[[Progress], None],
        prepared: Prepared | None,
        is_last_try: bool,
        must_not_die: bool,
        note_sound: Callable[[Waveform], None],
        with_names_kept: Callable[[Transcript], Transcript],
    ) -> None:
        self._note_sound = note_sound
        self._with_names_kept = with_names_kept
        self._engines = pipeline
        self._source = source
        self._episode = episode
        self._options = options
        self._scratch = scratch
        self._tell = tell
        self._prepared = prepared
        self._is_last_try = is_last_try
        self._must_not_die = must_not_die
        self._stop: BaseException | None = None
        self._times: list[StageTime] = []
        self._warnings: list[Warning] = []
        self._meter = ProgressMeter(clock=pipeline.clock, tell=self._tell_or_stop, stages=STAGES)

    def transcript(self) -> Transcript:
        check_options(self._options)
        try:
            decoded = self._timed(Stage.DECODE, self._decode) if self._prepared is None else self._take_over()
            try:
                return self._listen(decoded)
            finally:
                decoded.waveform.path.unlink(missing_ok=True)
        except BaseException:
            if self._stop is not None:
                raise self._stop from None
            raise

    def _listen(self, decoded: Decoded) -> Transcript:
        waveform = decoded.waveform
        episode = described(self._episode, decoded, self._source)
        self._note_sound(waveform)
        recognitions = self._timed(Stage.RECOGNIZE, lambda: self._recognize(waveform, episode))
        diarization = None
        if any(each.words for each in recognitions):
            diarization = self._timed(Stage.DIARIZE, lambda: self._diarize(waveform))
        self._meter.enter(Stage.ASSEMBLE)
        document = assemble(
            episode=episode,
            recognitions=recognitions,
            diarization=diarization,
            options=self._options,
            audio_seconds=waveform.seconds,
            truncated=decoded.truncated,
            warnings=(*decoded.warnings, *self._warnings),
            provenance=self._provenance(recognitions),
            steps=self._engines.steps,
        )
        document = self._with_known_voices(document, diarization)
        self._meter.report(waveform.seconds)
        return document

    def _decode(self) -> Decoded:
        self._meter.enter(Stage.DECODE)
        decoded = self._engines.decoder.decode(
            self._source, self._scratch, name=self._episode.audio.file_name or "", report=self._meter.report
        )
        self._meter.length_known(decoded.waveform.seconds)
        return decoded

    def _take_over(self) -> Decoded:
        assert self._prepared is not None
        self._times.append(StageTime(Stage.DECODE.value, round(self._prepared.seconds, 3)))
        self._meter.length_known(self._prepared.decoded.waveform.seconds)
        return self._prepared.decoded

    def _recognize(self, waveform: Waveform, episode: Episode) -> tuple[Recognition, ...]:
        """Window by window; the language heard in the first window with words holds for the later ones."""
        self._meter.enter(Stage.RECOGNIZE)
        recognizer = self._engines.recognizer
        given = primary_language(self._options.language or episode.language)
        terms = (term.write for term in self._options.glossary)
        people = (person.name for person in episode.participants)
        hotwords = tuple(dict.fromkeys([*people, *self._options.vocabulary, *terms]))
        if not self._engines.steps.expected:
            hotwords = ()
        sound = self._engines.decoder.fingerprint
        folder = checkpoint_folder(waveform, "recognize", recognizer.fingerprint, sound, given, hotwords, THRESHOLDS)
        language = given
        done: list[Recognition] = []
        for window in recognizer.windows(waveform):
            place = f"{folder}/{_milliseconds(window)}"
            recognition = self._recall(f"{place}.json", Recognition)
            if recognition is None:
                report = _scaled(self._meter.report, window.start, 1.0 - SECOND_LOOK_SHARE)
                recognition = recognizer.recognize(
                    waveform, window, RecognizeOptions(language=language, hotwords=hotwords), report=report
                )
                self._remember(f"{place}.json", recognition)
            else:
                self._meter.skip(Stage.RECOGNIZE, window.end - window.start)
            guarded_window = self._guarded(waveform, recognition, place, hotwords)
            if language is None and guarded_window.words:
                language = guarded_window.language
            self._meter.report(window.end)
            done.append(guarded_window)
        return tuple(done)

    def _guarded(self, waveform: Waveform, first: Recognition, place: str, hotwords: tuple[str, ...]) -> Recognition:
        """The window after its second look. Every stretch of that leaves a checkpoint of its own under `place`."""
        steps, length = self._engines.steps, first.span.end - first.span.start
        looked = 0.0

        def read(stretch: Stretch) -> tuple[Passage, ...]:
            nonlocal looked
            try:
                readings = self._read_again(waveform, stretch, first, place, hotwords)
            except TransientError as error:
                if not self._is_last_try or self._stop is not None:
                    raise
                readings = ()
                self._give_second_look_up(error)
            looked += stretch.span.end - stretch.span.start
            share = looked / (looked + length)  # a stretch may be read more than once, and each moves the bar
            self._meter.report(first.span.start + length * (1.0 - SECOND_LOOK_SHARE * (1.0 - share)))
            return readings

        return guarded(
            first,
            read if steps.second_look else None,
            remove=steps.invented,
            fit=steps.word_times,
            follow_language=self._options.follow_language,
        )

    def _give_second_look_up(self, error: TransientError) -> None:
        if all(each.code != "second_look_failed" for each in self._warnings):
            message = f"what looked wrong could not be recognized again: {error.message}"
            self._warnings.append(Warning("second_look_failed", message))

    def _read_again(
        self, waveform: Waveform, stretch: Stretch, first: Recognition, place: str, hotwords: tuple[str, ...]
    ) -> tuple[Passage, ...]:
        how = "unheard" if stretch.is_unheard else "flawed"
        key = f"{place}/{_milliseconds(stretch.span)}-{stretch.language}-{how}.json"
        kept = self._recall(key, Readings)
        if kept is not None:
            return kept.readings
        readings = self._engines.recognizer.recognize_again(
            waveform,
            stretch.span,
            RecognizeOptions(language=stretch.language, hotwords=hotwords),
            is_unheard=stretch.is_unheard,
            enough=lambda reading: is_enough(reading, first.speech),
        )
        self._remember(key, Readings(readings))
        return readings

    def _diarize(self, waveform: Waveform) -> Diarization | None:
        diarizer = self._engines.diarizer
        if diarizer is None or not self._options.diarize:
            return None
        self._meter.enter(Stage.DIARIZE)
        options = DiarizeOptions(self._options.speakers, self._options.min_speakers, self._options.max_speakers)
        sound = self._engines.decoder.fingerprint
        folder = checkpoint_folder(waveform, "diarize", diarizer.fingerprint, sound, options)
        diarization = self._recall(f"{folder}/voices.json", Diarization)
        if diarization is not None:
            self._meter.skip(Stage.DIARIZE, waveform.seconds)
            return diarization
        features = checkpoint_folder(waveform, "diarize", diarizer.fingerprint, sound)
        parts = _Parts(self._engines.checkpoints, f"{features}/parts", self._meter)
        deaths = _Deaths(self._engines.checkpoints, f"{features}/parts/begun")
        earlier = deaths.count()
        if self._must_not_die and earlier >= DEADLY:
            self._give_voices_up(f"the engine died of it {earlier} times")
            return None
        deaths.begin(earlier + 1)
        try:
            diarization = diarizer.diarize(waveform, options, report=self._meter.report, parts=parts)
        except CrashError:
            raise  # as good as a death: its process is replaced
        except Exception as error:
            deaths.forget()
            if self._stop is not None or isinstance(error, NotReady | OptionError):
                raise
            if isinstance(error, TransientError) and not self._is_last_try:
                raise
            # Whatever an engine throws here, the words are worth having: the voices can be found by a later job.
            self._give_voices_up(f"{type(error).__name__}: {error}")
            return None
        deaths.forget()
        self._remember(f"{folder}/voices.json", diarization)
        parts.clear()
        return diarization

    def _give_voices_up(self, why: str) -> None:
        self._warnings.append(Warning("diarization_failed", f"the voices could not be told apart: {why}"))

    def _with_known_voices(self, document: Transcript, diarization: Diarization | None) -> Transcript:
        """Name the voices that a consenting show knows, and keep those whose names are sure by evidence.

        Names that somebody gave before have the last word. Whatever else goes wrong costs the known voices, not the
        transcript.
        """
        voices, diarizer, show = self._engines.voices, self._engines.diarizer, document.episode.show
        if voices is None or diarizer is None or not show or diarization is None or not diarization.embeddings:
            return self._with_names_kept(document)
        try:
            known = voices.of_show(show, diarizer.model)
        except StenocastError as error:
            return self._with_names_kept(_without_known_voices(document, error))
        if known is None:
            return self._with_names_kept(document)
        earlier = [each for each in known if each.episode_id != document.episode.id]
        named = self._with_names_kept(with_known_voices(document, diarization.embeddings, earlier))
        try:
            self._teach(voices, show, diarizer.model, document, named, diarization)
        except StenocastError as error:
            return self._with_names_kept(_without_known_voices(document, error))
        return named

    @staticmethod
    def _teach(
        voices: KnownVoices, show: str, model: str, document: Transcript, named: Transcript, diarization: Diarization
    ) -> None:
        """Keep the voices whose names are sure by evidence, in place of what the episode taught before.

        A name that the finished document does not give that voice, because a known voice or somebody by hand says
        otherwise, is not kept.
        """
        episode_id, sure = document.episode.id, worth_keeping(document, diarization.embeddings)
        taught = [each for each in named.speakers if each.name and sure.get(each.voice or "") == each.name]
        for each in taught:
            embedding = diarization.embeddings[str(each.voice)]
            voices.learn(KnownVoice(show, str(each.name), model, episode_id, embedding, each.speech_seconds or 0.0))
        voices.forget_taught(show, model, episode_id, but={str(each.name) for each in taught})

    def _provenance(self, recognitions: tuple[Recognition, ...]) -> Provenance:
        engines = [("recognize", self._engines.recognizer), ("diarize", self._engines.diarizer)]
        heard = [each.language_probability for each in recognitions if each.words]
        return Provenance(
            stenocast=self._engines.stenocast_version,
            created=self._engines.now().isoformat(timespec="seconds"),
            engines=tuple(
                EngineUse(stage, each.engine, each.version, each.model, each.fingerprint)
                for stage, each in engines
                if each is not None and (stage == "recognize" or self._options.diarize)
            ),
            stages=tuple(self._times),
            language_probability=heard[0] if heard else None,
        )

    def _timed(self, stage: Stage, work: Callable[[], T]) -> T:
        began = self._engines.clock()
        result = work()
        self._times.append(StageTime(stage.value, round(self._engines.clock() - began, 3)))
        return result

    def _recall(self, key: str, kind: type[T]) -> T | None:
        content = self._engines.checkpoints.get(key)
        if content is None:
            return None
        try:
            return read_json(kind, content)
        except PageError:
            return None  # written by an older version; the work is done again and the checkpoint replaced

    def _remember(self, key: str, value: Any) -> None:
        self._engines.checkpoints.put(key, write_json(value))

    def _tell_or_stop(self, progress: Progress) -> None:
        try:
            self._tell(progress)
        except BaseException as error:
            self._stop = error
            raise _Stopped from error


class _Parts:
    """`Parts` in the store. They outweigh the words by far, so they go as soon as the whole is there."""

    def __init__(self, store: Store, folder: str, meter: ProgressMeter) -> None:
        self._store = store
        self._folder = folder
        self._meter = meter
        self._names: set[str] = set()

    def recall(self, name: str, *, worth: float) -> bytes | None:
        content = self._store.get(f"{self._folder}/{name}")
        if content is not None:
            self._names.add(name)
            self._meter.skip(Stage.DIARIZE, worth)
        return content

    def keep(self, name: str, content: bytes) -> None:
        self._store.put(f"{self._folder}/{name}", content)
        self._names.add(name)

    def clear(self) -> None:
        for name in self._names:
            self._store.delete(f"{self._folder}/{name}")


class _Deaths:
    """How often a process died at the same work: counted in the store before it begins, forgotten when it ends."""

    def __init__(self, store: Store, key: str) -> None:
        self._store = store
        self._key = key

    def count(self) -> int:
        content = self._store.get(self._key) or b""
        return int(content) if content.isdigit() else 0

    def begin(self, time: int) -> None:
        self._store.put(self._key, str(time).encode())

    def forget(self) -> None:
        """One that cannot be forgotten counts against the next try alone; the work that is done is worth more."""
        with suppress(StenocastError):
            self._store.delete(self._key)


def _without_known_voices(document: Transcript, error: StenocastError) -> Transcript:
    warning = Warning("voices_unavailable", f"the known voices could not be asked: {error.message}")
    return replace(document, quality=replace(document.quality, warnings=(*document.quality.warnings, warning)))


def checkpoint_folder(waveform: Waveform, stage: str, fingerprint: str, sound: str, *what_matters: Any) -> str:
    """The store key under which a stage's results for this file, engine, decoder (`sound`) and options lie."""
    digest = hashlib.sha256(repr((sound, *what_matters)).encode()).hexdigest()[:12]
    return f"checkpoints/{waveform.sha256}/{stage}-{fingerprint}/{digest}"


def described(episode: Episode, decoded: Decoded, source: Path) -> Episode:
    """The episode with what decoding found out: tags fill empty fields and never override given ones."""
    tags = decoded.tags
    return replace(
        episode,
        title=episode.title or tags.title,
        show=episode.show or tags.show,
        published=episode.published or tags.published,
        chapters=episode.chapters or tags.chapters,
        audio=AudioInfo(
            uri=episode.audio.uri,
            sha256=decoded.waveform.sha256,
            duration=round(decoded.waveform.seconds, 3),
            size_bytes=source.stat().st_size,
            container=decoded.container,
            file_name=episode.audio.file_name or source.name,
        ),
    )


def _scaled(report: Callable[[float], None], start: float, share: float) -> Callable[[float], None]:
    return lambda done: report(start + done * share)


def _milliseconds(span: Span) -> str:
    return f"{round(span.start * 1000):09d}-{round(span.end * 1000):09d}"
