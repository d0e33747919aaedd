"""What is said about a transcript without a reference."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.transcript import DoubtfulSpan, Quality, Warning, Word, WordTag
from transcription.ports import Recognition, Span, VoiceTurn
from transcription.quality import find_doubts, measure, merge, speech_spans, subtract


def said(text: str, *, start: float = 0.0, probability: float = 0.9) -> list[Word]:
    return [
        Word(part, round(start + i * 0.4, 3), round(start + i * 0.4 + 0.35, 3), probability)
        for i, part in enumerate(text.split())
    ]


def figures(words: list[Word], speech: list[tuple[float, float]], **changed: object) -> Quality:
    arguments: dict[str, object] = {
        "words": words,
        "speech": speech,
        "speech_seconds": 0.0,
        "turns": (),
        "unassigned_words": 0,
        "doubtful": (),
        "truncated": False,
        "warnings": (),
    }
    return measure(**(arguments | changed))  # type: ignore[arg-type]


def reasons(words: list[Word], speech: list[tuple[float, float]]) -> list[str]:
    return [span.reason for span in find_doubts(words, speech).spans]


def test_a_run_of_unsure_words_is_doubtful_and_two_are_not() -> None:
    words = said("we rowed") + said("to old pell wick", start=1.0, probability=0.3) + said("again", start=3.0)

    doubts = find_doubts(words, [(0.0, 4.0)])

    assert [(span.reason, span.text, span.start) for span in doubts.spans] == [
        ("low_probability", "to old pell wick", 1.0)
    ]
    assert [WordTag.DOUBTFUL in word.tags for word in doubts.words] == [False] * 2 + [True] * 4 + [False]
    assert reasons(said("pell wick", probability=0.1), [(0.0, 1.0)]) == []


def test_the_same_phrase_over_and_over_is_a_loop() -> None:
    words = said("we rowed and " + "thank you for watching " * 4 + "then slept")

    spans = find_doubts(words, [(0.0, 9.0)]).spans

    assert [(span.reason, span.text) for span in spans] == [
        ("repetition", "thank you for watching " * 3 + "thank you for watching")
    ]


def test_an_emphatic_repeat_is_no_loop() -> None:
    assert reasons(said("no no no no it was very very very cold"), [(0.0, 5.0)]) == []


def test_a_stretch_that_two_looks_left_in_doubt_is_listed_once_and_its_words_are_doubtful() -> None:
    words = said("we rowed") + said("to pell wick", start=2.0) + said("thanks " * 9, start=10.0)
    left = [
        DoubtfulSpan(1.9, 3.4, "low_probability", "to pell wick"),
        DoubtfulSpan(9.9, 14.0, "repetition", "thanks"),
    ]

    doubts = find_doubts(words, [(0.0, 14.0)], left)

    assert [span.reason for span in doubts.spans if span.reason != "speech_without_words"] == [
        "low_probability",
        "repetition",
    ]
    assert [WordTag.DOUBTFUL in word.tags for word in doubts.words] == [False] * 2 + [True] * 12


def test_words_where_nobody_speaks_are_doubtful() -> None:
    words = said("we rowed") + said("thanks for listening", start=10.0)

    assert reasons(words, [(0.0, 1.0)]) == ["words_without_speech"]
    assert reasons(words, []) == []


def test_three_seconds_of_speech_without_words_are_listed_and_less_is_not() -> None:
    words = said("we rowed") + said("home", start=6.0)

    spans = find_doubts(words, [(0.0, 6.4)]).spans

    assert [(span.reason, span.start, span.end) for span in spans] == [("speech_without_words", 1.25, 5.5)]
    assert reasons(said("we rowed"), [(0.0, 3.0)]) == []


def test_coverage_is_the_share_of_speech_that_carries_words() -> None:
    quality = figures(said("we rowed"), [(0.0, 1.25), (10.0, 11.25)])

    assert quality.speech_seconds == 2.5
    assert quality.coverage == 0.5
    assert [warning.code for warning in quality.warnings] == ["low_coverage"]


def test_no_words_is_no_speech_with_a_warning() -> None:
    quality = figures([], [])

    assert quality.no_speech
    assert quality.word_count == 0
    assert [warning.code for warning in quality.warnings] == ["no_speech"]


def test_overlap_is_counted_in_seconds() -> None:
    turns = [VoiceTurn(0.0, 2.0, "a"), VoiceTurn(1.5, 3.0, "b")]

    assert figures(said("we rowed"), [(0.0, 1.0)], turns=turns).overlap_seconds == 0.5


def test_warnings_of_earlier_stages_come_first_and_once() -> None:
    broken = Warning("truncated", "the file ends early")

    quality = figures(said("we rowed"), [(0.0, 1.0)], truncated=True, warnings=[broken, broken])

    assert quality.warnings == (broken,)


def test_many_words_without_a_voice_are_warned_about() -> None:
    few, many = (figures(said("we rowed " * 20), [(0.0, 16.0)], unassigned_words=n) for n in (2, 3))

    assert [warning.code for warning in few.warnings] == []
    assert [warning.code for warning in many.warnings] == ["unassigned_words"]


def test_speech_comes_from_voice_detection_and_else_from_diarization() -> None:
    window = Recognition(Span(0.0, 30.0), (), "en", 1.0, 2.0, (Span(1.0, 3.0),))
    silent = Recognition(Span(0.0, 30.0), (), "en", 1.0, 0.0)

    assert speech_spans([window], [VoiceTurn(0.0, 9.0, "a")]) == [(1.0, 3.0)]
    assert speech_spans([silent], [VoiceTurn(0.0, 9.0, "a"), VoiceTurn(8.0, 10.0, "b")]) == [(0.0, 10.0)]


moments = st.integers(0, 60)
spans = st.lists(st.tuples(moments, moments).map(lambda pair: (float(min(pair)), float(max(pair)))), max_size=10)


@settings(max_examples=80, deadline=None)
@given(spans, spans)
def test_what_is_left_after_subtracting_is_exactly_what_the_holes_miss(
    whole: list[tuple[float, float]], holes: list[tuple[float, float]]
) -> None:
    def holds(intervals: list[tuple[float, float]], moment: float) -> bool:
        return any(start <= moment < end for start, end in intervals)

    left = subtract(merge(whole), merge(holes))

    for half in range(120):
        moment = half / 2 + 0.25
        assert holds(left, moment) == (holds(whole, moment) and not holds(holes, moment))


@settings(max_examples=100, deadline=None)
@given(spans, st.lists(moments, max_size=10))
def test_coverage_is_a_share(speech: list[tuple[float, float]], starts: list[int]) -> None:
    words = [Word("row", float(start), start + 0.4) for start in sorted(starts)]

    quality = figures(words, merge(speech))

    assert quality.coverage is None or 0.0 <= quality.coverage <= 1.0
