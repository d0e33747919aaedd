"""Passages of speech, words that fit into it, and speech that has no words."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.transcript import Word
from transcription.ports import Span
from transcription.speech import LONGEST_WORD, fitted, passages, unheard, within_speech

WINDOW = Span(0.0, 300.0)


@st.composite
def stretches(draw: st.DrawFn) -> tuple[Span, ...]:
    """Speech as a voice detector gives it: in order, apart, none longer than a passage."""
    clock = 0.0
    found = []
    for pause, length in draw(st.lists(st.tuples(st.floats(0.1, 8.0), st.floats(0.05, 20.0)), max_size=12)):
        found.append(Span(clock + pause, clock + pause + length))
        clock += pause + length
    return tuple(found)


@st.composite
def any_words(draw: st.DrawFn) -> tuple[Word, ...]:
    """Words with times as bad as they come: backwards, on top of each other, too long."""
    times = draw(st.lists(st.tuples(st.floats(0.0, 310.0), st.floats(-1.0, 20.0)), max_size=20))
    return tuple(Word(f"w{i}", start, max(0.0, start + length)) for i, (start, length) in enumerate(times))


@given(stretches())
def test_every_moment_of_speech_is_in_a_passage(speech: tuple[Span, ...]) -> None:
    found = passages(speech, within=WINDOW)

    for each in speech:
        if each.end <= WINDOW.end:
            assert any(p.start <= each.start + 0.011 and each.end - 0.011 <= p.end for p in found)


@given(stretches())
def test_passages_do_not_overlap_and_stay_inside_the_window(speech: tuple[Span, ...]) -> None:
    found = passages(speech, within=WINDOW)

    assert all(before.end <= after.start for before, after in pairwise(found))
    assert all(WINDOW.start <= each.start < each.end <= WINDOW.end for each in found)


@given(stretches())
def test_no_passage_is_longer_than_what_the_recognizer_hears_at_once(speech: tuple[Span, ...]) -> None:
    assert all(each.end - each.start <= 30.0 for each in passages(speech, within=WINDOW))


def test_a_long_pause_ends_a_passage() -> None:
    found = passages((Span(1.0, 2.0), Span(6.0, 7.0)), within=WINDOW)

    assert found == (Span(0.8, 2.2), Span(5.8, 7.2))


def test_a_full_passage_ends_at_the_longest_pause_of_its_last_part() -> None:
    speech = (Span(0.0, 9.0), Span(10.9, 20.0), Span(21.0, 24.0), Span(24.1, 27.0), Span(27.2, 29.0))

    assert [round(each.end) for each in passages(speech, within=WINDOW)] == [20, 29]


def test_the_margin_is_at_most_half_of_the_pause() -> None:
    found = passages((Span(1.0, 20.0), Span(20.1, 40.0)), within=WINDOW)

    assert found[0].end == found[1].start == pytest.approx(20.05, abs=0.011)


@given(any_words(), stretches())
def test_fitted_words_run_forward_inside_the_window_and_none_is_lost(
    words: tuple[Word, ...], speech: tuple[Span, ...]
) -> None:
    result = fitted(words, speech, within=WINDOW)

    edges = [edge for word in result for edge in (word.start or 0.0, word.end or 0.0)]
    assert [word.text for word in result] == [word.text for word in words]
    assert all(before <= after for before, after in pairwise([0.0, *edges, WINDOW.end]))


def test_a_word_that_begins_in_the_pause_before_it_is_cut_to_its_speech() -> None:
    word = Word("Well,", 2.0, 6.4)

    assert fitted([word], [Span(0.0, 2.1), Span(6.0, 9.0)], within=WINDOW)[0] == Word("Well,", 6.0, 6.4)


def test_words_that_were_drawn_into_jumped_speech_go_back_to_their_sentence() -> None:
    words = [Word("said.", 4.1, 4.6), Word("His", 14.3, 14.9), Word("statement", 14.9, 24.6), Word("of", 24.6, 24.9)]

    places = [(word.start, word.end) for word in fitted(words, [Span(0.3, 28.0)], within=WINDOW)]

    assert places == [(4.1, 4.6), (23.8, 24.2), (24.2, 24.6), (24.6, 24.9)]


def test_a_drawn_out_word_before_a_pause_stays_where_it_begins() -> None:
    words = [Word("so", 1.0, 9.0), Word("then", 12.0, 12.4)]

    assert fitted(words, [Span(0.3, 28.0)], within=WINDOW)[0].end == 1.4


def test_a_word_of_ordinary_length_keeps_its_times_although_the_detector_missed_it() -> None:
    word = Word("soft", 2.0, 2.4)

    assert fitted([word], [Span(5.0, 9.0)], within=WINDOW)[0] == word


def test_a_word_without_length_gets_some() -> None:
    result = fitted([Word("3", 2.0, 2.0)], [], within=WINDOW)[0]

    assert (result.start, result.end) == (2.0, 2.02)


def test_speech_that_the_recognizer_jumped_over_is_unheard() -> None:
    words = [Word("before.", 1.0, 1.5), Word("After", 12.0, 12.5)]
    speech = [Span(1.0, 1.6), Span(2.0, 5.0), Span(6.0, 11.0), Span(12.0, 12.6)]

    assert unheard(words, speech, within=WINDOW) == (Span(1.5, 11.0),)


def test_a_pause_is_not_unheard_speech() -> None:
    words = [Word("before.", 1.0, 1.5), Word("After", 12.0, 12.5)]

    assert unheard(words, [Span(1.0, 1.6), Span(11.9, 12.6)], within=WINDOW) == ()


def test_speech_before_the_first_and_after_the_last_word_counts() -> None:
    speech = [Span(1.0, 4.0), Span(5.0, 6.0), Span(7.0, 10.0)]

    assert unheard([Word("middle", 5.0, 6.0)], speech, within=WINDOW) == (Span(1.0, 4.0), Span(7.0, 10.0))


def test_a_word_stretched_over_many_seconds_hides_no_speech() -> None:
    words = [Word("stretched", 1.0, 9.0), Word("next", 9.0, 9.5)]

    assert unheard(words, [Span(1.0, 9.5)], within=WINDOW) == (Span(1.0 + LONGEST_WORD, 9.0),)


@given(any_words(), stretches())
def test_unheard_speech_holds_no_middle_of_a_word(words: tuple[Word, ...], speech: tuple[Span, ...]) -> None:
    well_timed = [
        w for w in fitted(words, speech, within=WINDOW) if 0.04 < (w.end or 0) - (w.start or 0) < LONGEST_WORD
    ]

    for gap in unheard(well_timed, speech, within=WINDOW):
        assert not any(gap.start + 0.01 < ((w.start or 0) + (w.end or 0)) / 2 < gap.end - 0.01 for w in well_timed)


def test_stretches_are_cut_to_what_lies_inside() -> None:
    assert within_speech((Span(0.0, 2.0), Span(3.0, 9.0)), Span(1.0, 4.0)) == (Span(1.0, 2.0), Span(3.0, 4.0))
