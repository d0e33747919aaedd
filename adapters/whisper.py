"""Speech to words with times by faster-whisper: the only module that knows its parameters.

One window goes through four steps. A voice detector finds the speech; passages of it (28 s at most) are recognized
in batches; what looks wrong is recognized again with care, because the batched pipeline has none of Whisper's own
checks; and speech that carries no words although it lasts is recognized once more on its own.
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
from transcription.ports import SAMPLE_RATE, Recognition, RecognizeOptions, Report, Span, Waveform
from transcription.speech import fitted, passages, unheard, within_speech
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

#: Text that packs better than this repeats itself (Whisper paper, arXiv 2212.04356, section 4.5).
LOOPED = 2.4

#: Below this mean log-probability of the tokens a passage is not believed (same source).
UNLIKELY = -1.0

#: Above this probability of "no speech" (same source) and below this mean log-probability a passage was invented.
#: Measured on silence, noise and music forced past the voice detector: at least 0.66 and at most -0.92 ("you", "Thank
#: you."); on our recordings of speech: at most 0.15.
NO_SPEECH = 0.6
INVENTED = -0.7

#: An English-only model writes English of most meetings and telephones above this mean log-probability (lowest of
#: our recordings: far-field meeting -0.52), six other languages below it or in circles (synthetic voices, 14 to 19 s:
#: -1.46 to -0.77; Italian and Polish looped).
STRANGE = -0.6

#: A passage is taken for another language than its recording only at this probability.
SURE = 0.8

#: So much speech must sound strange before it is called another language.
STRANGE_SECONDS = 8.0

#: And this share of the window's speech; without a listener nearly all of it, for noisy English must not be refused.
STRANGE_SHARE = 0.25
STRANGE_SHARE_UNSURE = 0.9

#: Rounds in which unheard speech is recognized alone. The second finds what the first left in the middle of a gap.
ROUNDS_OF_UNHEARD = 2

#: Hotwords stand in the prompt, which shares Whisper's 448 tokens with the text: about 100 tokens.
HOTWORD_CHARACTERS = 400

#: Languages written without spaces: every word of the engine is one (its own list, `tokenizer.py`).
UNSPACED = frozenset({"zh", "ja", "th", "lo", "my", "yue"})

_T = TypeVar("_T")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Passage:
    """What was recognized in one passage. Times of the words are seconds of the window."""

    span: Span
    words: tuple[Word, ...] = ()
    log_probability: float = float("-inf")  #: mean of the tokens
    no_speech: float = 0.0  #: probability
    compression: float = 0.0

    @property
    def is_doubtful(self) -> bool:
        return bool(self.words) and (self.compression > LOOPED or self.log_probability < UNLIKELY)

    @property
    def is_strange(self) -> bool:
        """Whether this may be another language than the one it was taken for."""
        return self.compression > LOOPED or self.log_probability < STRANGE

    @property
    def is_invented(self) -> bool:
        return self.log_probability < INVENTED and self.no_speech > NO_SPEECH


@dataclass(frozen=True, slots=True)
class _Ear:
    """How this window is heard."""

    language: str
    hotwords: str | None
    speech: tuple[Span, ...] = ()


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
            (BEAM_SIZE, LOOPED, UNLIKELY, NO_SPEECH, INVENTED, STRANGE, SURE, ROUNDS_OF_UNHEARD, HOTWORD_CHARACTERS),
            "passages-1",
        )
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:12]

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
        ear = _Ear(language, _hotwords(options.hotwords), speech)
        found = self._first_pass(sound, spans, ear, report)
        if given is None and self._languages:
            self._make_sure(sound, found, unheard(_in_order(found), speech, within=window))
        found = [self._in_its_language(sound, each, ear) for each in found if each.words and not each.is_invented]
        found = [self._with_care(sound, each, ear) if each.is_doubtful else each for each in found]
        found += self._unheard(sound, found, window, ear)
        words = fitted(_in_order(found), speech, within=window)
        _tell(report, span.end - span.start)
        return _recognition(span, words, speech, language, probability)

    def _understood(self, language: str | None) -> str | None:
        """The language as Whisper writes it. Raises OptionError `language_not_supported`."""
        if language is None:
            return None
        code = language.lower().replace("_", "-").split("-")[0]
        known = self._languages or tuple(self._whisper.supported_languages)
        if code in known and (len(known) == 1 or self._knows(code)):
            return code
        raise _not_supported(repr(language), self._set_name, self._languages, "asked for")

    def _knows(self, code: str) -> bool:
        return self._whisper.hf_tokenizer.token_to_id(f"<|{code}|>") is not None

    def _heard(self, sound: NDArray[np.float32], spans: Sequence[Span]) -> tuple[str, float]:
        """The language of the first passage, or of the first three where the first leaves it open."""
        if not self._whisper.model.is_multilingual:
            return "en", 1.0
        language, probability = _language(self._whisper, sound, spans[:1])
        return (language, probability) if probability > 0.5 else _language(self._whisper, sound, spans[:3])

    def _make_sure(self, sound: NDArray[np.float32], found: Sequence[_Passage], gaps: Sequence[Span]) -> None:
        """Raise OptionError `language_not_supported` when an English-only model hears another language.

        Such a model cannot tell languages apart, but what it writes then is improbable, turns in circles or is left
        out. Only then the listener is asked; without one, nearly all of the speech must be so before it is an error.
        """
        strange = [*(each.span for each in found if each.words and each.is_strange), *gaps]
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
    ) -> list[_Passage]:
        """Recognize passages in batches. A full GPU halves the batch, for the rest of the recording."""
        found: list[_Passage] = []
        was_full = False
        while len(found) < len(spans):
            some = spans[len(found) : len(found) + self._batch]
            try:
                found += _translated(partial(self._batched, sound, some, ear))
            except TransientError as error:
                if error.code != "gpu_memory" or len(some) == 1:
                    raise
                was_full, self._batch = True, len(some) // 2
                gpu.halved("recognize", batch=self._batch, reason=error.message)
                continue
            except GpuError:
                # The call after one that met full memory fails too, with "invalid device ordinal", and the one after
                # that works (ctranslate2 4.8.5 on a H200). What is broken in earnest fails again.
                if not was_full:
                    raise
                was_full = False
                continue
            _tell(report, found[-1].span.end)
        return found

    def _load(self, folder: Path) -> Any:
        return _load(folder, device=self._device, compute_type=self._compute_type, threads=self._threads)

    def _batched(self, sound: NDArray[np.float32], spans: Sequence[Span], ear: _Ear) -> list[_Passage]:
        """Recognize some passages at once. A pipeline object keeps state between calls, so each call has its own."""
        from faster_whisper import BatchedInferencePipeline

        segments, _ = BatchedInferencePipeline(self._whisper).transcribe(
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
        return [_passage(span, by_place.get(_place(span), []), ear) for span in spans]

    def _in_its_language(self, sound: NDArray[np.float32], passage: _Passage, ear: _Ear) -> _Passage:
        """The passage in the language it is spoken in, where that is surely another and more probable so.

        Whisper translates a foreign passage in silence, or leaves it out.
        """
        if not self._whisper.model.is_multilingual or not passage.is_strange:
            return passage
        language, probability = _language(self._whisper, sound, [passage.span])
        if language == ear.language or probability < SURE:
            return passage
        again = self._first_pass(sound, [passage.span], replace(ear, language=language), None)[0]
        return max(passage, again, key=lambda each: each.log_probability)

    def _with_care(self, sound: NDArray[np.float32], doubtful: _Passage, ear: _Ear) -> _Passage:
        """Recognize a passage once more, sentence by sentence, and return what is more probable.

        Whisper's own remedy, sampling at rising temperatures, gives other words every time, and the same window must
        give the same words; so the second try forbids repeated phrases instead.
        """
        tries = [doubtful]
        for forbid in ({}, {"no_repeat_ngram_size": 4, "repetition_penalty": 1.1}):
            again = _translated(partial(self._sequential, sound, doubtful.span, ear, forbid))
            if not again.is_doubtful:
                return again
            tries.append(again)
        return max(tries, key=lambda each: (each.compression <= LOOPED, each.log_probability))

    def _sequential(self, sound: NDArray[np.float32], span: Span, ear: _Ear, forbid: Mapping[str, Any]) -> _Passage:
        segments, _ = self._whisper.transcribe(
            _piece(sound, span),
            language=ear.language,
            beam_size=BEAM_SIZE,
            temperature=0.0,
            condition_on_previous_text=False,
            word_timestamps=True,
            hotwords=ear.hotwords,
            **forbid,
        )
        return _passage(span, list(segments), ear, offset=span.start)

    def _unheard(
        self,
        sound: NDArray[np.float32],
        found: Sequence[_Passage],
        window: Span,
        ear: _Ear,
    ) -> list[_Passage]:
        """Recognize speech without words on its own; what is then improbable is left out."""
        extra: list[_Passage] = []
        tried: set[Span] = set()
        for _ in range(ROUNDS_OF_UNHEARD):
            words = _in_order([*found, *extra])
            gaps = [gap for gap in unheard(words, ear.speech, within=window) if gap not in tried]
            if not gaps:
                break
            tried.update(gaps)
            pieces = [
                piece for gap in gaps for piece in passages(within_speech(ear.speech, gap), within=gap, margin=0.0)
            ]
            again = [self._in_its_language(sound, each, ear) for each in self._first_pass(sound, pieces, ear, None)]
            extra += [each for each in again if each.words and not each.is_doubtful and not each.is_invented]
        return extra


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


def _passage(span: Span, segments: Sequence[Any], ear: _Ear, *, offset: float = 0.0) -> _Passage:
    """One passage of its segments; the figures are those of the worst segment."""
    engine_words = (word for segment in segments for word in segment.words or ())
    words = fitted(tuple(_words(engine_words, offset, spaced=ear.language not in UNSPACED)), ear.speech, within=span)
    if not words:
        return _Passage(span)
    return _Passage(
        span=span,
        words=words,
        log_probability=min(float(segment.avg_logprob) for segment in segments),
        no_speech=max(float(segment.no_speech_prob) for segment in segments),
        compression=max(float(segment.compression_ratio) for segment in segments),
    )


def _words(engine_words: Iterable[Any], offset: float, *, spaced: bool) -> Iterator[Word]:
    """Our words: trimmed, NFC, plain floats.

    The engine begins a word with its space: what comes without one ("-one" after " twenty") belongs to the word
    before, and so does a lone mark such as a dash, which has no sound.
    """
    held: Word | None = None
    for each in engine_words:
        text = unicodedata.normalize("NFC", each.word.strip())
        is_mark = not any(character.isalnum() for character in text)
        if held is None and is_mark:
            continue
        if held is not None and is_mark:
            held = replace(held, text=held.text + text)
        elif held is not None and spaced and not each.word[0].isspace():
            held = _joined(held, _word(text, each, offset))
        else:
            if held is not None:
                yield held
            held = _word(text, each, offset)
    if held is not None:
        yield held


def _word(text: str, each: Any, offset: float) -> Word:
    return Word(
        text=text,
        start=float(each.start) + offset,
        end=float(each.end) + offset,
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


def _in_order(found: Iterable[_Passage]) -> list[Word]:
    """All words by time. A word at the edge of a gap that was heard from both sides is kept once."""
    words: list[Word] = []
    every = (word for passage in sorted(found, key=lambda each: each.span.start) for word in passage.words)
    for word in sorted(every, key=lambda each: (each.start or 0.0) + (each.end or 0.0)):
        if words and _bare(words[-1]) == _bare(word) and (word.start or 0.0) < (words[-1].end or 0.0):
            continue
        words.append(word)
    return words


def _bare(word: Word) -> str:
    return "".join(character for character in word.text.casefold() if character.isalnum())


def _recognition(
    span: Span, words: Sequence[Word], speech: Sequence[Span], language: str, probability: float
) -> Recognition:
    """The same in seconds of the recording."""
    moved = tuple(
        replace(
            word,
            start=round(min((word.start or 0.0) + span.start, span.end), 3),
            end=round(min((word.end or 0.0) + span.start, span.end), 3),
        )
        for word in words
    )
    stretches = tuple(
        Span(round(each.start + span.start, 3), round(min(each.end + span.start, span.end), 3)) for each in speech
    )
    return Recognition(
        span=span,
        words=moved,
        language=language,
        language_probability=round(probability, 4),
        speech_seconds=round(sum(each.end - each.start for each in stretches), 3),
        speech=stretches,
        sentence_ends=tuple(word.end for word in moved if word.end is not None and word.text[-1] in ".?!…。？！"),
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
