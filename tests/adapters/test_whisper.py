"""Recognition with the real faster-whisper: real speech in, and nothing out where nobody speaks."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tracemalloc
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import structlog

from evaluation.sounds import SOUNDS, white_noise
from schemas.errors import GpuError, ModelError, NotReady, OptionError, TransientError
from schemas.transcript import Word
from transcription.guarding import guarded, is_enough
from transcription.loops import compression
from transcription.ports import SAMPLE_RATE, Passage, Recognition, RecognizeOptions, Span, Waveform

if TYPE_CHECKING:
    from adapters.whisper import WhisperRecognizer

engines = pytest.mark.engines

JFK = "And so, my fellow Americans, ask not what your country can do for you, ask what you can do for your country."

WriteSound = Callable[[str, np.ndarray], Waveform]


@pytest.fixture(scope="module")
def starter(model_sets: Path) -> WhisperRecognizer:
    from adapters.whisper import WhisperRecognizer

    return WhisperRecognizer(model_sets / "starter" / "recognizer", set_name="starter")


@pytest.fixture(scope="module")
def fast(model_sets: Path) -> WhisperRecognizer:
    from adapters.whisper import WhisperRecognizer

    return WhisperRecognizer(
        model_sets / "fast" / "recognizer",
        set_name="fast",
        languages=("en",),
        listener=model_sets / "starter" / "recognizer",
    )


@pytest.fixture(scope="module")
def write_sound(tmp_path_factory: pytest.TempPathFactory) -> WriteSound:
    """Put float samples into a scratch file, as the decoder does."""
    folder = tmp_path_factory.mktemp("sounds")

    def write(name: str, samples: np.ndarray) -> Waveform:
        path = folder / f"{name}.raw"
        path.write_bytes((np.clip(samples, -1.0, 1.0) * 32767).astype("<i2").tobytes())
        return Waveform(path, len(samples), sha256="0" * 64)

    return write


@pytest.fixture(scope="module")
def recorded(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Waveform]:
    return lambda name: decoded(shared / "audio" / name, tmp_path_factory.mktemp("recorded"))


@pytest.fixture(scope="module")
def telephone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Waveform, str]:
    """Half a minute of telephone talk between two people, with its words: pyannote.audio carries it."""
    found = find_spec("pyannote.audio.sample")
    assert found is not None
    assert found.origin is not None
    source = Path(found.origin).with_name("sample.wav")
    lines = source.with_suffix(".stm").read_text(encoding="utf-8").splitlines()
    said = " ".join(line.split(maxsplit=5)[5] for line in lines if line.strip() and not line.startswith(";"))
    return decoded(source, tmp_path_factory.mktemp("telephone")), said


def decoded(source: Path, folder: Path) -> Waveform:
    import av

    samples = array("h")
    with av.open(str(source)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
        for frame in [*container.decode(audio=0), None]:
            for piece in resampler.resample(frame):
                samples.frombytes(piece.to_ndarray().tobytes())
    path = folder / f"{source.stem}.raw"
    path.write_bytes(samples.tobytes())
    return Waveform(path, len(samples), sha256="0" * 64)


def heard(recognizer: WhisperRecognizer, waveform: Waveform, span: Span | None = None, **options: Any) -> Recognition:
    """What is heard after the second look, as the pipeline has it."""
    first = heard_first(recognizer, waveform, span, **options)
    return guarded(
        first,
        lambda stretch: recognizer.recognize_again(
            waveform,
            stretch.span,
            RecognizeOptions(**{**options, "language": stretch.language}),
            is_unheard=stretch.is_unheard,
            enough=lambda reading: is_enough(reading, first.speech),
        ),
    )


def heard_first(
    recognizer: WhisperRecognizer, waveform: Waveform, span: Span | None = None, **options: Any
) -> Recognition:
    return recognizer.recognize(waveform, span or Span(0.0, waveform.seconds), RecognizeOptions(**options))


def text(found: Recognition) -> str:
    return " ".join(word.text for word in found.words)


def word_error_rate(truth: str, found: Recognition) -> float:
    import jiwer
    from whisper_normalizer.english import EnglishTextNormalizer

    normal = EnglishTextNormalizer()
    return float(jiwer.wer(normal(re.sub(r"[\[\]()]", "", truth)), normal(text(found))))


# ---------------------------------------------------------------- real speech


@engines
@pytest.mark.parametrize("name", ["fast", "starter"])
def test_every_word_of_a_clear_speech_is_right(
    name: str, request: pytest.FixtureRequest, recorded: Callable[[str], Waveform]
) -> None:
    found = heard(request.getfixturevalue(name), recorded("jfk.flac"))

    assert word_error_rate(JFK, found) == 0.0
    assert found.language == "en"
    assert 1.5 < next(word.end or 0.0 for word in found.words if "Americans" in word.text) < 3.0


@pytest.fixture(scope="module")
def telephone_talk(starter: WhisperRecognizer, telephone: tuple[Waveform, str]) -> Recognition:
    return heard(starter, telephone[0])


@engines
def test_a_telephone_talk_has_at_most_fifteen_percent_of_its_words_wrong(
    telephone: tuple[Waveform, str], telephone_talk: Recognition
) -> None:
    assert word_error_rate(telephone[1], telephone_talk) <= 0.15


@engines
def test_a_sentence_that_whisper_jumps_over_is_heard_all_the_same(
    starter: WhisperRecognizer, recorded: Callable[[str], Waveform]
) -> None:
    found = heard(starter, recorded("conv-two.flac"), Span(58.0, 86.5), language="en")

    assert re.search(r"else he said\. .* Egyptian inscriptions .* period\. His statement of having been", text(found))


@engines
def test_words_follow_each_other_and_no_word_is_longer_than_a_breath(telephone_talk: Recognition) -> None:
    words = telephone_talk.words

    assert all((before.end or 0.0) <= (after.start or 0.0) for before, after in pairwise(words))
    assert all((word.end or 0.0) - (word.start or 0.0) < 2.0 for word in words)


@engines
def test_a_name_that_is_expected_is_spelt_as_given(
    starter: WhisperRecognizer, recorded: Callable[[str], Waveform]
) -> None:
    waveform, span = recorded("conv-three-overlap.flac"), Span(128.0, 146.0)

    without = heard(starter, waveform, span, language="en")
    given = heard(starter, waveform, span, language="en", hotwords=("Delmonico", "Newberg"))

    assert "Delmonico" not in text(without)
    assert "Delmonico" in text(given)
    assert len(given.words) == pytest.approx(len(without.words), abs=4)


@engines
def test_a_word_has_its_hyphens_in_it_and_no_mark_stands_alone(
    fast: WhisperRecognizer, recorded: Callable[[str], Waveform]
) -> None:
    words = heard(fast, recorded("meeting-dev00.wav"), language="en").words

    assert all(any(character.isalnum() for character in word.text) for word in words)
    assert not [word.text for word in words if word.text.startswith("-")]


@engines
def test_nothing_of_the_engine_reaches_the_terminal(
    fast: WhisperRecognizer, recorded: Callable[[str], Waveform], capfd: pytest.CaptureFixture[str]
) -> None:
    heard(fast, recorded("jfk.flac"), hotwords=("Americans",) * 500)

    assert capfd.readouterr() == ("", "")


# ---------------------------------------------------------------- languages


@engines
def test_a_recording_in_two_languages_keeps_both(
    starter: WhisperRecognizer, recorded: Callable[[str], Waveform]
) -> None:
    found = heard(starter, recorded("multilingual.mp3"))

    assert found.language == "en"
    assert "Permission is hereby granted" in text(found)
    assert "diese Rechte" in text(found)
    assert {each.language for each in found.languages} == {"de"}
    assert all(each.probability > 0.8 for each in found.languages)


@engines
def test_a_set_for_english_says_which_other_language_it_hears(
    fast: WhisperRecognizer, recorded: Callable[[str], Waveform]
) -> None:
    with pytest.raises(OptionError, match=r"'de' was heard.* fast .*starter") as caught:
        heard(fast, recorded("multilingual.mp3"), Span(30.0, 60.0))

    assert caught.value.code == "language_not_supported"


@engines
def test_a_set_for_english_notices_another_language_without_anybody_to_ask(
    model_sets: Path, recorded: Callable[[str], Waveform]
) -> None:
    from adapters.whisper import WhisperRecognizer

    alone = WhisperRecognizer(model_sets / "fast" / "recognizer", set_name="fast", languages=("en",))

    with pytest.raises(OptionError, match=r"other than English was heard.* starter"):
        heard(alone, recorded("multilingual.mp3"), Span(32.0, 60.0))


@engines
def test_a_noisy_english_meeting_is_not_taken_for_another_language(
    fast: WhisperRecognizer, recorded: Callable[[str], Waveform]
) -> None:
    """Nor is the longer one, meeting-tst00, in tests/end_to_end/test_real_engines.py."""
    assert heard(fast, recorded("meeting-dev00.wav")).words


@engines
@pytest.mark.parametrize("language", ["en-GB", "EN", "en_us"])
def test_a_language_may_be_given_with_its_region(fast: WhisperRecognizer, language: str, quiet: Waveform) -> None:
    assert heard(fast, quiet, language=language).language == "en"


@engines
def test_a_language_that_no_model_knows_is_refused(starter: WhisperRecognizer, quiet: Waveform) -> None:
    with pytest.raises(OptionError, match="'tlh'"):
        heard(starter, quiet, language="tlh")


# ---------------------------------------------------------------- no speech


@pytest.fixture(scope="module")
def quiet(write_sound: WriteSound) -> Waveform:
    return write_sound("quiet", np.zeros(3 * SAMPLE_RATE))


@engines
@pytest.mark.parametrize("made", SOUNDS)
@pytest.mark.parametrize("name", ["fast", "starter"])
def test_silence_noise_and_music_give_no_words(
    name: str, made: Callable[[int], np.ndarray], request: pytest.FixtureRequest, write_sound: WriteSound
) -> None:
    found = heard(request.getfixturevalue(name), write_sound(made.__name__, made(30)))

    assert found.words == ()


@engines
@pytest.mark.parametrize("made", SOUNDS)
def test_no_words_are_invented_although_the_voice_detector_errs(
    fast: WhisperRecognizer,
    made: Callable[[int], np.ndarray],
    write_sound: WriteSound,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("adapters.whisper._speech", lambda _sound: (Span(0.3, 0.9), Span(5.0, 8.0)))

    assert heard(fast, write_sound(made.__name__, made(10)), language="en").words == ()


@engines
def test_text_that_turns_in_circles_is_recognized_again_with_care(
    fast: WhisperRecognizer, write_sound: WriteSound, recorded: Callable[[str], Waveform]
) -> None:
    """The same half second of speech, fifty times: Whisper's batched pass repeats a phrase until its tokens end."""
    from adapters.waveform import floats

    syllable = floats(recorded("jfk.flac"), 0.3, 0.85)

    assert compression(text(heard(fast, write_sound("circles", np.tile(syllable, 45)), language="en"))) < 2.4


@engines
def test_where_memory_has_no_room_for_a_second_model_the_readings_there_are_must_do(
    fast: WhisperRecognizer, recorded: Callable[[str], Waveform], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(folder: Path) -> Any:
        raise ModelError(f"{folder}: std::bad_alloc", code="model_broken")

    monkeypatch.setattr(fast, "_load", full)

    readings = fast.recognize_again(
        recorded("jfk.flac"),
        Span(0.3, 4.3),
        RecognizeOptions(language="en"),
        is_unheard=False,
        enough=lambda _: False,
    )

    assert len(readings) == 2
    assert all(reading.words for reading in readings)


@engines
def test_a_stretch_that_is_recognized_again_gives_the_same_readings_whatever_was_sampled_before(
    fast: WhisperRecognizer, recorded: Callable[[str], Waveform]
) -> None:
    """ctranslate2's generators go on where they stopped; each sampled reading must have its own."""
    waveform, span = recorded("jfk.flac"), Span(0.3, 4.3)

    def readings() -> tuple[Passage, ...]:
        return fast.recognize_again(
            waveform, span, RecognizeOptions(language="en"), is_unheard=False, enough=lambda _: False
        )

    first = readings()

    assert len(first) == 3
    assert readings() == first


@engines
def test_a_recording_in_two_languages_is_kept_in_one_where_that_is_asked_for(
    starter: WhisperRecognizer, recorded: Callable[[str], Waveform]
) -> None:
    first = heard_first(starter, recorded("multilingual.mp3"), language="en")

    assert guarded(first, None, follow_language=False).languages == ()
    assert {each.heard_language for each in first.passages} == {"en", "de"}


# ---------------------------------------------------------------- windows


@engines
def test_windows_of_four_hours_are_planned_in_little_memory(fast: WhisperRecognizer, tmp_path: Path) -> None:
    seconds = 4 * 3600
    path = tmp_path / "long.raw"
    with path.open("wb") as file:
        file.truncate(seconds * SAMPLE_RATE * 2)
    fast.windows(Waveform(path, 2 * SAMPLE_RATE, sha256="0" * 64))

    tracemalloc.start()
    windows = fast.windows(Waveform(path, seconds * SAMPLE_RATE, sha256="0" * 64))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert windows[-1].end == seconds
    assert peak < 40_000_000


@engines
def test_a_window_is_cut_in_the_pause(fast: WhisperRecognizer, write_sound: WriteSound) -> None:
    loud = white_noise(400)
    loud[285 * SAMPLE_RATE : 286 * SAMPLE_RATE] *= 0.01

    windows = fast.windows(write_sound("pause", loud))

    assert len(windows) == 2
    assert 285.0 < windows[0].end < 286.0


@engines
def test_one_window_after_another_says_the_same_as_the_whole(
    fast: WhisperRecognizer, telephone: tuple[Waveform, str]
) -> None:
    waveform, said = telephone
    middle = 14.3  # between two turns

    first, second = heard(fast, waveform, Span(0.0, middle)), heard(fast, waveform, Span(middle, waveform.seconds))
    joined = Recognition(Span(0.0, waveform.seconds), (*first.words, *second.words), "en", 1.0, 0.0)

    assert all((word.end or 0.0) <= middle for word in first.words)
    assert all((word.start or 0.0) >= middle for word in second.words)
    assert word_error_rate(said, joined) <= word_error_rate(said, heard(fast, waveform)) + 0.05


# ---------------------------------------------------------------- the engine's border


@dataclass(frozen=True)
class EngineWord:
    word: str
    start: float = 0.0
    end: float = 0.5
    probability: float = 0.9


def ours(words: Sequence[EngineWord], *, spaced: bool = True) -> list[Word]:
    from adapters.whisper import _words

    return list(_words(words, spaced=spaced))


@pytest.mark.parametrize(
    ("engine_words", "expected"),
    [
        ([" Twenty", "-one", "-year", "-olds"], ["Twenty-one-year-olds"]),
        ([" yes", " –", " no"], ["yes–", "no"]),
        (["...", " well"], ["well"]),
        ([" cafe\u0301"], ["café"]),
        ([" ", "", " word"], ["word"]),
        ([" 3", ".", "5", " %"], ["3.5%"]),
        ([" R", " &", " D"], ["R", "&", "D"]),
        ([" 1", " +", " 1", " =", " 2", "."], ["1", "+", "1", "=", "2."]),
        ([" $20", ",000"], ["$20,000"]),
    ],
)
def test_the_parts_of_a_word_are_joined(engine_words: list[str], expected: list[str]) -> None:
    assert [word.text for word in ours([EngineWord(each) for each in engine_words])] == expected


def test_a_language_without_spaces_keeps_its_words_apart() -> None:
    assert [word.text for word in ours([EngineWord("こ"), EngineWord("れ")], spaced=False)] == ["こ", "れ"]


def test_numpy_numbers_become_plain_ones() -> None:
    word = ours([EngineWord(" a", np.float64(1.25), np.float64(1.5), np.float64(1.0000001))])[0]

    assert json.dumps([word.start, word.end, word.probability]) == "[1.25, 1.5, 1.0]"
    assert {type(each) for each in (word.start, word.end, word.probability)} == {float}


@engines
def test_a_full_gpu_halves_the_batch_until_it_fits(fast: WhisperRecognizer, monkeypatch: pytest.MonkeyPatch) -> None:
    from adapters.whisper import _Ear

    asked: list[int] = []

    def batched(_sound: np.ndarray, spans: Sequence[Span], _ear: object) -> list[Passage]:
        asked.append(len(spans))
        if len(spans) > 1:
            raise RuntimeError("CUDA failed with error out of memory")
        return [Passage(span) for span in spans]

    monkeypatch.setattr(fast, "_batched", batched)
    spans = [Span(float(i), i + 1.0) for i in range(5)]

    found = fast._first_pass(np.zeros(0, np.float32), spans, _Ear("en", None), None)

    assert [each.span for each in found] == spans
    assert asked == [4, 2, 1, 1, 1, 1, 1]


@engines
def test_a_halved_batch_is_kept_to_the_end_of_the_recording_and_told(
    fast: WhisperRecognizer, monkeypatch: pytest.MonkeyPatch, quiet: Waveform
) -> None:
    from adapters.whisper import _Ear

    asked: list[int] = []

    def batched(_sound: np.ndarray, spans: Sequence[Span], _ear: object) -> list[Passage]:
        asked.append(len(spans))
        if len(spans) > 2:
            raise RuntimeError("CUDA failed with error out of memory")
        return [Passage(span) for span in spans]

    monkeypatch.setattr(fast, "_batched", batched)
    spans = [Span(float(i), i + 1.0) for i in range(4)]
    with structlog.testing.capture_logs() as lines:
        fast.windows(quiet)
        fast._first_pass(np.zeros(0, np.float32), spans, _Ear("en", None), None)
        fast._first_pass(np.zeros(0, np.float32), spans, _Ear("en", None), None)
        fast.windows(quiet)
        fast._first_pass(np.zeros(0, np.float32), spans, _Ear("en", None), None)

    assert asked == [4, 2, 2, 2, 2, 4, 2, 2]
    assert [(each["event"], each["batch"]) for each in lines] == [("batch halved", 2)] * 2


#: In this order ctranslate2 4.8.5 raises them on a H200 whose memory another process holds.
OUT_OF_MEMORY = "CUDA failed with error out of memory"
STALE = "parallel_for failed: cudaErrorInvalidDevice: invalid device ordinal"


@engines
def test_the_error_that_follows_a_full_gpu_once_is_not_taken_for_a_broken_one(
    fast: WhisperRecognizer, monkeypatch: pytest.MonkeyPatch, quiet: Waveform
) -> None:
    from adapters.whisper import _Ear

    said = [OUT_OF_MEMORY, STALE, OUT_OF_MEMORY, STALE]
    asked: list[int] = []

    def batched(_sound: np.ndarray, spans: Sequence[Span], _ear: object) -> list[Passage]:
        asked.append(len(spans))
        if said:
            raise RuntimeError(said.pop(0))
        return [Passage(span) for span in spans]

    monkeypatch.setattr(fast, "_batched", batched)
    spans = [Span(float(i), i + 1.0) for i in range(4)]
    fast.windows(quiet)
    found = fast._first_pass(np.zeros(0, np.float32), spans, _Ear("en", None), None)

    assert [each.span for each in found] == spans
    assert asked == [4, 2, 2, 1, 1, 1, 1, 1]


@engines
def test_the_error_that_follows_a_full_gpu_twice_is_a_broken_one(
    fast: WhisperRecognizer, monkeypatch: pytest.MonkeyPatch, quiet: Waveform
) -> None:
    from adapters.whisper import _Ear

    said = [OUT_OF_MEMORY, STALE, STALE]

    def batched(*_: object) -> list[Any]:
        raise RuntimeError(said.pop(0))

    monkeypatch.setattr(fast, "_batched", batched)
    fast.windows(quiet)

    with pytest.raises(GpuError):
        fast._first_pass(np.zeros(0, np.float32), [Span(0.0, 1.0)] * 4, _Ear("en", None), None)


@engines
def test_a_broken_gpu_is_a_crash_whose_engine_must_be_replaced(
    fast: WhisperRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from adapters.whisper import _Ear

    def batched(*_: object) -> list[Any]:
        raise RuntimeError("CUDA failed with error an illegal memory access was encountered")

    monkeypatch.setattr(fast, "_batched", batched)

    with pytest.raises(GpuError):
        fast._first_pass(np.zeros(0, np.float32), [Span(0.0, 1.0)] * 4, _Ear("en", None), None)


@engines
def test_a_gpu_too_small_for_one_passage_is_an_error_that_may_pass(
    fast: WhisperRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from adapters.whisper import _Ear

    def batched(*_: object) -> list[Any]:
        raise RuntimeError("CUDA failed with error out of memory")

    monkeypatch.setattr(fast, "_batched", batched)

    with pytest.raises(TransientError) as caught:
        fast._first_pass(np.zeros(0, np.float32), [Span(0.0, 1.0)], _Ear("en", None), None)

    assert caught.value.code == "gpu_memory"


@engines
def test_a_fingerprint_names_the_model_and_not_the_object(
    fast: WhisperRecognizer, starter: WhisperRecognizer, model_sets: Path
) -> None:
    from adapters.whisper import WhisperRecognizer

    again = WhisperRecognizer(model_sets / "fast" / "recognizer", set_name="fast", languages=("en",), threads=1)
    other = WhisperRecognizer(model_sets / "fast" / "recognizer", set_name="fast", model_sha256="ab" * 32)

    assert again.fingerprint == fast.fingerprint
    assert len({fast.fingerprint, starter.fingerprint, other.fingerprint}) == 3


@pytest.mark.parametrize("missing", ["model.bin", "config.json", "tokenizer.json"])
def test_a_missing_model_file_is_named_and_the_hub_is_not_asked(tmp_path: Path, missing: str) -> None:
    from adapters.whisper import WhisperRecognizer

    for name in {"model.bin", "config.json", "tokenizer.json"} - {missing}:
        (tmp_path / name).write_bytes(b"")

    with pytest.raises(ModelError, match=re.escape(missing)) as caught:
        WhisperRecognizer(tmp_path, set_name="starter", device="cpu")

    assert caught.value.code == "model_missing"


def test_a_file_that_is_no_model_is_an_error_of_the_model(tmp_path: Path) -> None:
    from adapters.whisper import WhisperRecognizer

    for name in ("model.bin", "config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes(b"{}")

    with pytest.raises(ModelError, match=re.escape(str(tmp_path))) as caught:
        WhisperRecognizer(tmp_path, set_name="starter", device="cpu")

    assert caught.value.code == "model_broken"


def test_a_device_that_is_not_there_is_named(tmp_path: Path) -> None:
    import ctranslate2

    from adapters.whisper import WhisperRecognizer

    if ctranslate2.get_cuda_device_count():
        pytest.skip("this machine has a CUDA device")

    with pytest.raises(NotReady, match="cuda") as caught:
        WhisperRecognizer(tmp_path, set_name="starter", device="cuda")

    assert caught.value.code == "device_missing"


def test_the_adapter_imports_no_engine_before_it_is_used() -> None:
    code = (
        "import sys, adapters.whisper, adapters.scripted;"
        "print([m for m in ('faster_whisper', 'ctranslate2', 'numpy', 'torch') if m in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
