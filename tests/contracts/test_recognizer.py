"""The promises of `Recognizer`, kept by faster-whisper and by the scripted engine alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import pytest

from adapters.scripted import ScriptedRecognizer
from schemas.errors import OptionError
from transcription.ports import Passage, Recognition, RecognizeOptions, Recognizer, Span, Waveform


@dataclass(frozen=True)
class Case:
    """An engine that knows English only, and a recording in which it hears words."""

    recognizer: Recognizer
    speech: Waveform

    @cached_property
    def found(self) -> Recognition:
        """What it hears in the whole recording; heard once for all tests."""
        return recognized(self)


@pytest.fixture(scope="session")
def whisper_case(model_sets: Path, recorded: Callable[[str], Waveform]) -> Case:
    from adapters.whisper import WhisperRecognizer

    recognizer = WhisperRecognizer(model_sets / "fast" / "recognizer", set_name="fast", languages=("en",))
    return Case(recognizer, recorded("jfk.flac"))


@pytest.fixture(params=["scripted", pytest.param("whisper", marks=pytest.mark.engines)])
def case(request: pytest.FixtureRequest, tone: Waveform) -> Case:
    if request.param == "whisper":
        real: Case = request.getfixturevalue("whisper_case")
        return real
    return Case(ScriptedRecognizer(languages=("en",)), tone)


def whole(waveform: Waveform) -> Span:
    return Span(0.0, waveform.seconds)


def recognized(case: Case, span: Span | None = None, options: RecognizeOptions | None = None) -> Recognition:
    return case.recognizer.recognize(case.speech, span or whole(case.speech), options or RecognizeOptions())


def test_speech_gives_words(case: Case) -> None:
    result = case.found

    assert len(result.words) > 10
    assert result.language == "en"


def test_words_are_trimmed_timed_and_probable(case: Case) -> None:
    for word in case.found.words:
        assert word.text
        assert word.text == word.text.strip()
        assert type(word.start) is float
        assert type(word.end) is float
        assert type(word.probability) is float
        assert 0.0 <= word.probability <= 1.0


def test_words_run_forward_inside_their_window(case: Case) -> None:
    window = Span(2.0, 9.0)

    words = recognized(case, window).words

    edges = [edge for word in words for edge in (word.start or 0.0, word.end or 0.0)]
    assert words
    assert all(before <= after for before, after in pairwise([window.start, *edges, window.end]))


def test_speech_lies_inside_the_window_and_adds_up(case: Case) -> None:
    window = Span(2.0, 9.0)

    result = recognized(case, window)

    assert all(window.start <= each.start < each.end <= window.end for each in result.speech)
    assert result.speech_seconds == pytest.approx(sum(each.end - each.start for each in result.speech), abs=0.01)
    assert set(result.sentence_ends) <= {word.end for word in result.words}


def test_the_same_window_gives_the_same_words(case: Case) -> None:
    assert recognized(case) == case.found


def test_a_recording_that_is_recognized_in_other_windows_in_between_gives_the_same_words(case: Case) -> None:
    before = case.found
    recognized(case, Span(3.0, 6.0))

    assert recognized(case) == before


def again(case: Case, span: Span, *, is_unheard: bool = False, will_do: bool = True) -> tuple[Passage, ...]:
    return case.recognizer.recognize_again(
        case.speech,
        span,
        RecognizeOptions(language="en"),
        is_unheard=is_unheard,
        enough=lambda _: will_do,
    )


def test_the_words_of_a_window_are_those_of_its_passages(case: Case) -> None:
    result = case.found

    assert result.passages
    assert [word.text for each in result.passages for word in each.words] == [word.text for word in result.words]
    assert result == replace(result, doubtful=(), redone=(), removed=(), languages=())


@pytest.mark.parametrize("is_unheard", [True, False])
def test_a_stretch_is_recognized_again_until_a_reading_will_do(case: Case, is_unheard: bool) -> None:
    stretch = Span(2.0, 6.0)

    (only,) = again(case, stretch, is_unheard=is_unheard)

    assert only.words
    assert only.span == stretch
    assert only.language == "en"
    assert all(2.0 <= (word.start or 0.0) <= 6.5 for word in only.words)
    assert again(case, stretch, is_unheard=is_unheard, will_do=False)[0] == only


def test_a_stretch_that_is_recognized_again_in_another_order_gives_the_same(case: Case) -> None:
    before = again(case, Span(2.0, 6.0))
    recognized(case)
    again(case, Span(0.0, 3.0))

    assert again(case, Span(2.0, 6.0)) == before


def test_silence_gives_no_words(case: Case, silence: Waveform) -> None:
    result = case.recognizer.recognize(silence, whole(silence), RecognizeOptions())

    assert result.words == ()
    assert result.speech == ()
    assert result.speech_seconds == 0.0


def test_progress_rises_to_the_length_of_the_window(case: Case) -> None:
    told: list[float] = []

    case.recognizer.recognize(case.speech, Span(2.0, 9.0), RecognizeOptions(), report=told.append)

    assert told == sorted(told)
    assert told[-1] == pytest.approx(7.0)


def test_progress_is_told_for_silence_too(case: Case, silence: Waveform) -> None:
    told: list[float] = []

    case.recognizer.recognize(silence, whole(silence), RecognizeOptions(), report=told.append)

    assert told[-1] == pytest.approx(silence.seconds)


def test_a_report_that_raises_stops_the_work(case: Case) -> None:
    class Stop(Exception):
        pass

    def stop(_seconds: float) -> None:
        raise Stop

    with pytest.raises(Stop):
        case.recognizer.recognize(case.speech, whole(case.speech), RecognizeOptions(), report=stop)


@pytest.mark.parametrize("language", ["de", "tlh", ""])
def test_a_language_the_model_does_not_know_is_refused_by_name(case: Case, language: str) -> None:
    with pytest.raises(OptionError, match="starter") as caught:
        recognized(case, options=RecognizeOptions(language=language))

    assert caught.value.code == "language_not_supported"
    assert caught.value.field == "language"
    assert repr(language) in caught.value.message


def test_the_windows_cover_the_recording(case: Case) -> None:
    windows = case.recognizer.windows(case.speech)

    assert windows == case.recognizer.windows(case.speech)
    assert windows[0].start == 0.0
    assert windows[-1].end == case.speech.seconds
    assert all(before.end == after.start for before, after in pairwise(windows))


def test_an_engine_says_what_it_is(case: Case) -> None:
    for fact in (case.recognizer.engine, case.recognizer.version, case.recognizer.model):
        assert fact
    assert case.recognizer.fingerprint.replace("-", "").isalnum()
