"""Speech to words with times by faster-whisper: the only module that knows its parameters.

A voice detector finds the speech of a window, and passages of it (28 s at most) are recognized in batches. What looks
wrong then (`transcription/guarding.py`) is asked for again stretch by stretch, with care, because the batched
pipeline has none of Whisper's own checks.
"""

from __future__ import annotations

import hashlib
import json
import logging
import unicodedata
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from adapters import gpu
from adapters.waveform import floats
from schemas.errors import GpuError, ModelError, NotReady, OptionError, TransientError
from schemas.transcript import Word
from transcription.guarding import LOOPED, joined, sentence_ends
from transcription.loops import compression
from transcription.ports import (
    SAMPLE_RATE,
    Enough,
    Passage,
    Recognition,
    RecognizeOptions,
    Report,
    Span,
    Waveform,
)
from transcription.speech import passages, unheard
from transcription.windows import plan

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: One loudness value of `windows`; ten of them are a pause.
FRAME_SECONDS = 0.05

#: Silero's own 0.5 and 100 ms of silence: speech is cut finely here and joined to passages by our own rule.
VOICE_DETECTION: Mapping[str, float] = {
    "threshold": 0.5,
    "min_silence_duration_ms": 100,
    "speech_pad_ms": 0,
    "max_speech_duration_s": 28.0,
}

BEAM_SIZE = 5

#: Whisper's own remedy for a reading that turns in circles or is improbable: sampling at rising temperatures (arXiv
#: 2212.04356, section 4.5; the reference implementation's defaults without the 0.0 that was tried before).
TEMPERATURES = (0.2, 0.4, 0.6, 0.8, 1.0)

#: Where sampling begins. ctranslate2 seeds a generator for each of a model's threads when that first samples, so that
#: a freshly loaded model gives the same words every time (measured with 4.8.5; the seed alone changes nothing later).
SAMPLING_SEED = 20221206

#: An English-only model writes English of most meetings and telephones above this mean log-probability (lowest of
#: our recordings: far-field meeting -0.52), six other languages below it or in circles (synthetic voices, 14 to 19 s:
#: -1.46 to -0.77; Italian and Polish looped).
STRANGE = -0.6

#: So much speech must sound strange before it is called another language.
STRANGE_SECONDS = 8.0

#: And this share of the window's speech; without a listener nearly all of it, for noisy English must not be refused.
STRANGE_SHARE = 0.25
STRANGE_SHARE_UNSURE = 0.9

#: Another way of decoding that no loop survives.
UNREPEATED: Mapping[str, Any] = {"no_repeat_ngram_size": 4, "repetition_penalty": 1.1}

#: Hotwords stand in the prompt, which shares Whisper's 448 tokens with the text: about 100 tokens.
HOTWORD_CHARACTERS = 400

#: Marks that are words of their own where they stand alone.
SAID_MARKS = frozenset("&+=@×÷±")

#: Languages written without spaces: every word of the engine is one (its own list, `tokenizer.py`).
UNSPACED = frozenset({"zh", "ja", "th", "lo", "my", "yue"})

_T = TypeVar("_T")

log = structlog.get_logger()


class _NoRoom(Exception):
    """There is no memory for the model that samples; the readings there are must do."""


@dataclass(frozen=True, slots=True)
class _Ear:
    """How this window is heard."""

    language: str
    hotwords: str | None


class WhisperRecognizer:
    """A `Recognizer` on one model folder (`model.bin`, `config.json`, `tokenizer.json`, `vocabulary.*`).

    `languages` are those the set is for: `("en",)` for the English-only models, empty for all the model knows.
    `listener` is the folder of a multilingual model by which a set of one language makes sure of what it hears, when
    the words it finds are improbable. `device` is auto, cpu (int8) or cuda (float16). `model_sha256` names the model
    in the fingerprint; without it the size of `model.bin` does. Nothing is ever fetched. Raises ModelError when a
    file is missing or the engine cannot open it, NotReady `engine_missing` without faster-whisper, `device_missing`
    without the device asked for.
    """

    engine = "faster-whisper"

    def __init__(
        self,
        folder: Path,
        *,
        set_name: str,
        languages: tuple[str, ...] = (),
        listener: Path | None = None,
        device: str = "auto",
        threads: int = 2,
        batch_size: int | None = None,
        model_sha256: str | None = None,
        model_name: str = "whisper",
    ) -> None:
        self._set_name = set_name
        self._languages = languages
        self._listener_folder = listener
        self._listener: Any = None
        self._threads = threads
        self._device = _device(device)
        self._compute_type = "float16" if self._device == "cuda" else "int8"
        self._batch_size = batch_size or (16 if self._device == "cuda" else 4)
        self._batch = self._batch_size  # less where the GPU's memory was full
        self._was_full = False  # the call before this one met full memory
        self._folder = folder
        self._whisper = self._load(folder)
        self.version = version("faster-whisper")
        self.model = f"{set_name}/{model_name}"
        self.fingerprint = self._fingerprint(folder, model_sha256)

    def _fingerprint(self, folder: Path, model_sha256: str | None) -> str:
        """Twelve hex digits of everything that can change a word."""
        facts = (
            self.engine,
            self.version,
            version("ctranslate2"),
            model_sha256 or (folder / "model.bin").stat().st_size,
            self._device,
            self._compute_type,
            sorted(VOICE_DETECTION.items()),
            (BEAM_SIZE, TEMPERATURES, SAMPLING_SEED, STRANGE, HOTWORD_CHARACTERS),
            sorted(UNREPEATED.items()),
            "passages-2",
        )
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:12]

    @property
    def plain(self) -> Any:
        """faster-whisper's own object, for comparisons."""
        return self._whisper

    # -------------------------------------------------------------- windows

    def windows(self, waveform: Waveform) -> tuple[Span, ...]:
        self._batch = self._batch_size  # a new recording: whatever filled the GPU may be gone
        return plan(_loudness(waveform), frame_seconds=FRAME_SECONDS, seconds=waveform.seconds)

    # -------------------------------------------------------------- words

    def recognize(
        self, waveform: Waveform, span: Span, options: RecognizeOptions, *, report: Report | None = None
    ) -> Recognition:
        """See the port. Where no language is given it is heard in the first speech of *this* window: give later
        windows the language of the first that has words, so that one episode is in one language. A window without
        speech says `en` (or the language given) with probability 0.
        """
        given = self._understood(options.language)
        sound = floats(waveform, span.start, span.end)
        window = Span(0.0, len(sound) / SAMPLE_RATE)
        speech = _translated(partial(_speech, sound))
        if not speech:
            _tell(report, span.end - span.start)
            return Recognition(span, (), given or "en", 0.0, 0.0)
        spans = passages(speech, within=window)
        language, probability = (given, 1.0) if given else self._heard(sound, spans)
        ear = _Ear(language, _hotwords(options.hotwords))
        found = self._first_pass(sound, spans, ear, report)
        if given is None and self._languages:
            self._make_sure(sound, found, unheard(joined(found, speech, within=window), speech, within=window))
        _tell(report, span.end - span.start)
        return _recognition(span, found, speech, language, probability)

    def recognize_again(
        self, waveform: Waveform, span: Span, options: RecognizeOptions, *, is_unheard: bool, enough: Enough
    ) -> tuple[Passage, ...]:
        """See the port. Plainly where nothing was tried yet; sentence by sentence; the same with repeats forbidden;
        sampled at rising temperatures, which an unheard stretch is not worth.
        """
        ear = _Ear(self._understood(options.language) or "en", _hotwords(options.hotwords))
        sound = floats(waveform, span.start, span.end)
        whole = Span(0.0, len(sound) / SAMPLE_RATE)
        alone = partial(self._sequential, sound, ear)
        ways: tuple[Callable[[], Passage], ...] = (
            (lambda: self._batched(sound, [whole], ear)[0], alone)
            if is_unheard
            else (alone, partial(alone, UNREPEATED), partial(self._sampled, sound, ear))
        )
        readings: list[Passage] = []
        for way in ways:
            try:
                found = self._at_work(way)
            except _NoRoom as full:
                log.warning("no room for a second model; the stretch is not sampled", reason=str(full))
                break
            reading = replace(_moved(found, span), span=span)
            readings.append(reading)
            if enough(reading):
                break
        return tuple(readings)

    def _understood(self, language: str | None) -> str | None:
        """The language as Whisper writes it. Raises OptionError `language_not_supported`."""
        if language is None:
            return None
        code = language.lower().replace("_", "-").split("-")[0]
        known = self._languages or tuple(self._whisper.supported_languages)
        if code in known and (len(known) == 1 or self._knows(code)):
            return code
        raise _not_supported(repr(language), self._set_name, self._languages, "asked for")

    def _writes(self, code: str) -> bool:
        """Whether the set may be asked for this language, in which it heard something."""
        return not self._languages or code in self._languages

    def _knows(self, code: str) -> bool:
        return self._whisper.hf_tokenizer.token_to_id(f"<|{code}|>") is not None

    def _heard(self, sound: NDArray[np.float32], spans: Sequence[Span]) -> tuple[str, float]:
        """The language of the first passage, or of the first three where the first leaves it open."""
        if not self._whisper.model.is_multilingual:
            return "en", 1.0
        language, probability = _language(self._whisper, sound, spans[:1])
        return (language, probability) if probability > 0.5 else _language(self._whisper, sound, spans[:3])

    def _make_sure(self, sound: NDArray[np.float32], found: Sequence[Passage], gaps: Sequence[Span]) -> None:
        """Raise OptionError `language_not_supported` when an English-only model hears another language.

        Such a model cannot tell languages apart, but what it writes then is improbable, turns in circles or is left
        out. Only then the listener is asked; without one, nearly all of the speech must be so before it is an error.
        """
        strange = [*(each.span for each in found if _is_strange(each)), *gaps]
        strange_seconds = sum(each.end - each.start for each in strange)
        all_seconds = sum(each.span.end - each.span.start for each in found)
        if strange_seconds < max(STRANGE_SECONDS, all_seconds * STRANGE_SHARE):
            return
        if self._listener_folder is None:
            if strange_seconds < all_seconds * STRANGE_SHARE_UNSURE:
                return
            raise _not_supported("other than English", self._set_name, self._languages, "heard")
        if self._listener is None:
            self._listener = self._load(self._listener_folder)
        longest = sorted(strange, key=lambda each: each.start - each.end)[:3]
        language, _ = _language(self._listener, sound, longest)
        if language not in self._languages:
            raise _not_supported(repr(language), self._set_name, self._languages, "heard")

    def _first_pass(
        self, sound: NDArray[np.float32], spans: Sequence[Span], ear: _Ear, report: Report | None
    ) -> list[Passage]:
        """Recognize passages in batches. A full GPU halves the batch, for the rest of the recording."""
        found: list[Passage] = []
        while len(found) < len(spans):
            some = spans[len(found) : len(found) + self._batch]
            try:
                found += self._at_work(partial(self._batched, sound, some, ear))
            except TransientError as error:
                if error.code != "gpu_memory" or len(some) == 1:
                    raise
                self._batch = len(some) // 2
                gpu.halved("recognize", batch=self._batch, reason=error.message)
                continue
            _tell(report, found[-1].span.end)
        return found

    def _at_work(self, work: Callable[[], _T]) -> _T:
        """Run work of the engine; its errors become ours.

        The call after one that met full memory fails too, with "invalid device ordinal", and the one after that works
        (ctranslate2 4.8.5 on a H200). What is broken in earnest fails again.
        """
        was_full, self._was_full = self._was_full, False
        try:
            return _translated(work)
        except TransientError as error:
            self._was_full = error.code == "gpu_memory"
            raise
        except GpuError:
            if not was_full:
                raise
        return self._at_work(work)

    def _load(self, folder: Path) -> Any:
        return _load(folder, device=self._device, compute_type=self._compute_type, threads=self._threads)

    def _batched(self, sound: NDArray[np.float32], spans: Sequence[Span], ear: _Ear) -> list[Passage]:
        """Recognize some passages at once. A pipeline object keeps state between calls, so each call has its own."""
        from faster_whisper import BatchedInferencePipeline

        pipeline = BatchedInferencePipeline(self._whisper)
        heard = _listening(pipeline) if self._whisper.model.is_multilingual else []
        segments, _ = pipeline.transcribe(
            sound,
            language=ear.language,
            beam_size=BEAM_SIZE,
            batch_size=len(spans),
            word_timestamps=True,
            hotwords=ear.hotwords,
            clip_timestamps=[{"start": span.start, "end": span.end} for span in spans],
        )
        by_place: dict[int, list[Any]] = {}
        for segment in segments:
            by_place.setdefault(segment.seek, []).append(segment)
        found = [_passage(span, by_place.get(_place(span), []), ear) for span in spans]
        if len(heard) != len(found):
            return found
        return [
            replace(passage, heard_language=language, heard_probability=probability)
            if self._writes(language)
            else passage
            for passage, (language, probability) in zip(found, heard, strict=True)
        ]

    def _sequential(
        self,
        sound: NDArray[np.float32],
        ear: _Ear,
        more: Mapping[str, Any] | None = None,
        *,
        whisper: Any = None,
    ) -> Passage:
        """Recognize a stretch sentence by sentence, without the text before it."""
        segments, _ = (whisper or self._whisper).transcribe(
            sound,
            language=ear.language,
            **{
                "beam_size": BEAM_SIZE,
                "temperature": 0.0,
                "condition_on_previous_text": False,
                "word_timestamps": True,
                "hotwords": ear.hotwords,
                **(more or {}),
            },
        )
        return _passage(Span(0.0, len(sound) / SAMPLE_RATE), list(segments), ear)

    def _sampled(self, sound: NDArray[np.float32], ear: _Ear) -> Passage:
        """With a model of its own (see `SAMPLING_SEED`), loaded for this one stretch.

        Raises _NoRoom: its files were good when the worker began, so what fails now is the memory for two of them.
        """
        import ctranslate2

        ctranslate2.set_random_seed(SAMPLING_SEED)
        try:
            fresh = self._load(self._folder)
        except NotReady as error:
            self._was_full = True
            raise _NoRoom(error.message) from error
        return self._sequential(sound, ear, {"temperature": TEMPERATURES}, whisper=fresh)


def _listening(pipeline: Any) -> list[tuple[str, float]]:
    """Have the pipeline tell, in this list, which language each of its passages sounds like: one step of the decoder.

    Its own `multilingual` would take the likeliest at any probability, and say nothing of it.
    """
    heard: list[tuple[str, float]] = []
    generate = pipeline.generate_segment_batched

    def generate_and_listen(features: Any, tokenizer: Any, options: Any) -> Any:
        encoded, output = generate(features, tokenizer, options)
        for (token, probability), *_ in pipeline.model.model.detect_language(encoded):
            heard.append((token[2:-2], round(float(probability), 4)))
        return encoded, output

    pipeline.generate_segment_batched = generate_and_listen
    return heard


# ------------------------------------------------------------------ the engine's border


def _device(wanted: str) -> str:
    try:
        import ctranslate2
    except ImportError as error:
        raise NotReady(f"faster-whisper is not installed: {error}", code="engine_missing") from error
    has_cuda = ctranslate2.get_cuda_device_count() > 0
    if wanted == "cuda" and not has_cuda:
        raise NotReady("device=cuda: no CUDA device was found", code="device_missing")
    return "cuda" if has_cuda and wanted != "cpu" else "cpu"


def _load(folder: Path, *, device: str, compute_type: str, threads: int) -> Any:
    """The model. Its own log lines and those of ctranslate2 stay off the user's terminal."""
    for name in ("model.bin", "config.json", "tokenizer.json"):
        if not (folder / name).is_file():
            raise ModelError(f"{folder / name}: this model file is missing")
    try:
        import ctranslate2
        from faster_whisper import WhisperModel
    except ImportError as error:
        raise NotReady(f"faster-whisper is not installed: {error}", code="engine_missing") from error
    logging.getLogger("faster_whisper").setLevel(logging.ERROR)
    ctranslate2.set_log_level(logging.ERROR)
    try:
        return WhisperModel(
            str(folder), device=device, compute_type=compute_type, cpu_threads=threads, local_files_only=True
        )
    except Exception as error:  # the tokenizer's library raises bare Exception
        known = gpu.while_loading(error, f"{folder}")
        if known is not None:
            raise known from error
        raise ModelError(f"{folder}: faster-whisper cannot open this model: {error}", code="model_broken") from error


def _translated(work: Callable[[], _T]) -> _T:
    """Run work of the engine; its RuntimeErrors become ours."""
    try:
        return work()
    except MemoryError as error:
        raise TransientError(f"not enough memory to recognize: {error}", code="memory") from error
    except (RuntimeError, ValueError) as error:
        known = gpu.translated(error, "recognize")
        raise known or TransientError(f"faster-whisper failed: {error}", code="engine_failed") from error


def _loudness(waveform: Waveform) -> array[float]:
    """Root mean square of each frame, of full scale 1, read a minute at a time."""
    import numpy as np

    frame = round(FRAME_SECONDS * SAMPLE_RATE)
    levels = array("d")
    for start in range(0, waveform.sample_count, 60 * SAMPLE_RATE):
        block = floats(waveform, start / SAMPLE_RATE, start / SAMPLE_RATE + 60)
        squares = block * block
        counts = np.diff([*range(0, len(block), frame), len(block)])
        levels.extend(np.sqrt(np.add.reduceat(squares, np.arange(0, len(block), frame)) / counts).tolist())
    return levels


def _speech(sound: NDArray[np.float32]) -> tuple[Span, ...]:
    """Where Silero hears speech, in seconds of the window."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    stretches = get_speech_timestamps(sound, VadOptions(**VOICE_DETECTION))
    return tuple(Span(each["start"] / SAMPLE_RATE, min(each["end"], len(sound)) / SAMPLE_RATE) for each in stretches)


def _piece(sound: NDArray[np.float32], span: Span) -> NDArray[np.float32]:
    return sound[round(span.start * SAMPLE_RATE) : round(span.end * SAMPLE_RATE)]


def _language(whisper: Any, sound: NDArray[np.float32], spans: Sequence[Span]) -> tuple[str, float]:
    """The language that is most probable over all the spans, and its mean probability."""
    sums: Counter[str] = Counter()
    for span in spans:
        _, _, every = _translated(partial(whisper.detect_language, audio=_piece(sound, span)))
        sums.update(dict(every))
    language, total = sums.most_common(1)[0]
    return language, float(total) / len(spans)


# ------------------------------------------------------------------ from the engine's shapes to ours


def _place(span: Span) -> int:
    """faster-whisper names a clip by the hundredth of a second, of whole samples, at which it starts."""
    return int(int(span.start * SAMPLE_RATE) / SAMPLE_RATE * 100)


def _passage(span: Span, segments: Sequence[Any], ear: _Ear) -> Passage:
    """One passage of its segments; the figures are those of the worst segment."""
    engine_words = (word for segment in segments for word in segment.words or ())
    words = tuple(_words(engine_words, spaced=ear.language not in UNSPACED))
    if not words:
        return Passage(span, language=ear.language)
    return Passage(
        span=span,
        words=words,
        log_probability=round(min(float(segment.avg_logprob) for segment in segments), 4),
        no_speech=round(max(float(segment.no_speech_prob) for segment in segments), 4),
        language=ear.language,
    )


def _moved(passage: Passage, window: Span) -> Passage:
    """From seconds of a window to seconds of the recording."""
    words = tuple(
        replace(
            word,
            start=round((word.start or 0.0) + window.start, 3),
            end=round((word.end or 0.0) + window.start, 3),
        )
        for word in passage.words
    )
    return replace(passage, span=_moved_span(passage.span, window), words=words)


def _moved_span(span: Span, window: Span) -> Span:
    return Span(round(span.start + window.start, 3), round(min(span.end + window.start, window.end), 3))


def _is_strange(passage: Passage) -> bool:
    """Whether this may be another language than the one it was taken for."""
    if not passage.words or passage.log_probability is None:
        return False
    return passage.log_probability < STRANGE or compression(" ".join(each.text for each in passage.words)) > LOOPED


def _words(engine_words: Iterable[Any], *, spaced: bool) -> Iterator[Word]:
    """Our words: trimmed, NFC, plain floats.

    The engine begins a word with its space: what comes without one ("-one" after " twenty") belongs to the word
    before, and so does a lone mark such as a dash, which has no sound. "&" has one, and a time.
    """
    held: Word | None = None
    for each in engine_words:
        text = unicodedata.normalize("NFC", each.word.strip())
        is_mark = text not in SAID_MARKS and not any(character.isalnum() for character in text)
        if held is None and is_mark:
            continue
        if held is not None and is_mark:
            held = replace(held, text=held.text + text)
        elif held is not None and spaced and not each.word[0].isspace():
            held = _joined(held, _word(text, each))
        else:
            if held is not None:
                yield held
            held = _word(text, each)
    if held is not None:
        yield held


def _word(text: str, each: Any) -> Word:
    return Word(
        text=text,
        start=float(each.start),
        end=float(each.end),
        probability=round(min(1.0, max(0.0, float(each.probability))), 3),
    )


def _joined(first: Word, second: Word) -> Word:
    """One word of two parts, as probable as the less probable."""
    return replace(
        first,
        text=first.text + second.text,
        end=second.end,
        probability=min(first.probability or 0.0, second.probability or 0.0),
    )


def _recognition(
    span: Span, found: Sequence[Passage], speech: Sequence[Span], language: str, probability: float
) -> Recognition:
    """The same in seconds of the recording."""
    moved = tuple(_moved(each, span) for each in found)
    stretches = tuple(_moved_span(each, span) for each in speech)
    words = joined(moved, stretches, within=span)
    return Recognition(
        span=span,
        words=words,
        language=language,
        language_probability=round(probability, 4),
        speech_seconds=round(sum(each.end - each.start for each in stretches), 3),
        speech=stretches,
        sentence_ends=sentence_ends(words),
        passages=moved,
    )


def _hotwords(wanted: Sequence[str]) -> str | None:
    """As many whole names, in their order, as the prompt has room for."""
    text = ""
    for each in wanted:
        longer = f"{text}, {each.strip()}" if text else each.strip()
        if len(longer) > HOTWORD_CHARACTERS:
            break
        text = longer
    return text or None


def _not_supported(language: str, set_name: str, languages: Sequence[str], how: str) -> OptionError:
    if languages:
        message = (
            f"language {language} was {how}, but the model set {set_name} understands"
            f" {', '.join(languages)} only: use the model set starter"
        )
    else:
        message = f"language {language} was {how}, but no model of the set {set_name} knows it"
    return OptionError(message, code="language_not_supported", field="language")


def _tell(report: Report | None, seconds: float) -> None:
    if report is not None:
        report(seconds)
