"""Passages that look wrong, what becomes of them, and the words that are made of what stays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.transcript import Word
from transcription.guarding import Flaw, Read, Stretch, best_of, flaws_of, guarded, is_enough, is_invented, joined
from transcription.ports import Passage, Recognition, Span
from transcription.speech import LONGEST_WORD

WINDOW = Span(0.0, 60.0)
SPEECH = (Span(0.0, 20.0),)


def said(text: str, *, start: float = 0.0, pace: float = 0.4, probability: float = 0.9) -> tuple[Word, ...]:
    return tuple(
        Word(part, round(start + i * pace, 3), round(start + i * pace + pace * 0.9, 3), probability)
        for i, part in enumerate(text.split())
    )


def passage(text: str, *, start: float = 0.0, likelihood: float = -0.3, **more: object) -> Passage:
    words = said(text, start=start)
    end = max(start + 1.0, words[-1].end or 0.0) if words else start + 1.0
    made = Passage(Span(start, end), words, likelihood if words else None, language="en")
    return replace(made, **more)  # type: ignore[arg-type]


def window(*passages: Passage, speech: Sequence[Span] = SPEECH) -> Recognition:
    words = joined(passages, speech, within=WINDOW)
    seconds = sum(each.end - each.start for each in speech)
    return Recognition(WINDOW, words, "en", 1.0, seconds, tuple(speech), passages=tuple(passages))


def reading(*readings: Passage) -> tuple[Read, list[Stretch]]:
    asked: list[Stretch] = []

    def read(stretch: Stretch) -> Sequence[Passage]:
        asked.append(stretch)
        return readings

    return read, asked


def text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


GOOD = "the ferry leaves the lower quay at noon and nobody rows against the tide"
LOOP = "thank you for rowing " * 6


# ---------------------------------------------------------------- the score


@pytest.mark.parametrize(
    ("flawed", "flaw"),
    [
        (passage(LOOP), Flaw.REPETITION),
        (passage("ha" * 90), Flaw.REPETITION),
        (passage(GOOD, likelihood=-1.1), Flaw.LOW_PROBABILITY),
        (replace(passage(GOOD), words=said(GOOD, pace=0.3), span=Span(40.0, 41.0)), Flaw.WORDS_WITHOUT_SPEECH),
        (replace(passage(GOOD), words=said(GOOD, pace=0.02)), Flaw.WORD_LENGTHS),
        (replace(passage(GOOD), words=said(GOOD, probability=0.1)), Flaw.WORD_LENGTHS),
        (passage(GOOD, heard_language="de", heard_probability=0.9), Flaw.OTHER_LANGUAGE),
    ],
)
def test_each_flaw_is_found_where_it_is_and_nothing_else(flawed: Passage, flaw: Flaw) -> None:
    assert flaws_of(flawed, SPEECH) == (flaw,)


def test_ordinary_talk_has_no_flaw() -> None:
    assert flaws_of(passage(GOOD), SPEECH) == ()
    assert flaws_of(passage(GOOD, likelihood=-0.99), SPEECH) == ()
    assert flaws_of(passage("no no no no never"), SPEECH) == ()
    assert flaws_of(passage(GOOD, heard_language="de", heard_probability=0.6), SPEECH) == ()
    assert flaws_of(Passage(Span(0.0, 5.0)), SPEECH) == ()


def test_a_language_is_not_told_from_a_short_word() -> None:
    short = passage("so", heard_language="de", heard_probability=0.99)

    assert flaws_of(short, [Span(0.0, 0.4)]) == ()


def test_text_is_invented_where_the_engine_hears_no_speech() -> None:
    assert is_invented(passage("Thank you.", likelihood=-0.92, no_speech=0.66), SPEECH)
    assert not is_invented(passage("Thank you.", likelihood=-0.3, no_speech=0.66), SPEECH)
    assert not is_invented(passage("Thank you.", likelihood=-0.92, no_speech=0.15), SPEECH)


def test_text_is_invented_where_the_voice_detector_hears_next_to_nothing() -> None:
    unlikely = passage("Thank you.", start=30.0, likelihood=-0.8)

    assert is_invented(unlikely, [Span(0.0, 20.0), Span(30.2, 30.25)])
    assert not is_invented(unlikely, [Span(30.2, 30.6)])


def test_the_best_reading_does_not_turn_in_circles_and_then_has_fewest_flaws() -> None:
    looping, unlikely, fine = passage(LOOP, likelihood=-0.1), passage(GOOD, likelihood=-1.4), passage(GOOD)
    empty = Passage(Span(0.0, 5.0))

    assert best_of([looping, unlikely, fine], SPEECH) is fine
    assert best_of([looping, unlikely], SPEECH) is unlikely
    assert best_of([unlikely, empty], SPEECH) is unlikely
    assert best_of([looping, empty], SPEECH) is empty


def test_the_earlier_of_two_equal_readings_stays() -> None:
    first, second = passage(GOOD), passage(GOOD)

    assert best_of([first, second], SPEECH) is first


# ---------------------------------------------------------------- the second look


def test_a_flawed_passage_is_read_again_and_the_better_one_stays() -> None:
    read, asked = reading(passage(GOOD))

    found = guarded(window(passage(LOOP)), read)

    assert text(found.words) == GOOD
    assert asked[0] == Stretch(passage(LOOP).span, "en", is_unheard=False)
    assert [(span.reason, span.text) for span in found.redone][:1] == [("repetition", LOOP.strip())]
    assert found.doubtful == ()


def test_a_passage_without_flaws_is_not_read_again() -> None:
    read, asked = reading(passage("something else"))

    found = guarded(window(passage(GOOD), speech=[Span(0.0, 5.5)]), read)

    assert (text(found.words), asked, found.redone) == (GOOD, [], ())


def test_what_no_reading_makes_better_stays_and_is_doubtful() -> None:
    first = passage(GOOD, likelihood=-1.2)
    read, _ = reading(passage("the fairy heaves", likelihood=-1.9))

    found = guarded(window(first, speech=[Span(0.0, 5.5)]), read)

    assert text(found.words) == GOOD
    assert [(span.reason, span.text) for span in found.doubtful] == [("low_probability", GOOD)]


def test_speech_without_words_is_read_on_its_own_and_kept_where_it_is_flawless() -> None:
    first = window(passage(GOOD), speech=[Span(0.0, 5.6), Span(12.0, 15.0)])
    read, asked = reading(passage("it was low water", start=12.2))

    found = guarded(first, read)

    assert text(found.words) == f"{GOOD} it was low water"
    assert asked[0] == Stretch(Span(12.0, 15.0), "en", is_unheard=True)
    assert "speech_without_words" in [span.reason for span in found.redone]


@pytest.mark.parametrize("bad", [passage(LOOP, start=12.0), passage("you", start=12.0, likelihood=-1.3)])
def test_what_unheard_speech_gives_is_left_out_where_it_is_flawed(bad: Passage) -> None:
    read, _ = reading(bad)

    found = guarded(window(passage(GOOD), speech=[Span(0.0, 5.6), Span(12.0, 15.0)]), read)

    assert text(found.words) == GOOD


def test_invented_text_is_removed_and_said_to_be() -> None:
    thanks = passage("Thank you.", start=30.0, likelihood=-0.95, no_speech=0.8)

    found = guarded(window(passage(GOOD), thanks, speech=[Span(0.0, 5.5), Span(30.0, 31.0)]), None)

    assert text(found.words) == GOOD
    assert [(span.reason, span.text) for span in found.removed] == [("invented", "Thank you.")]


def test_improbable_words_beyond_any_speech_are_removed_and_probable_ones_are_not() -> None:
    spoken = passage(GOOD)
    spoken = replace(spoken, span=Span(0.0, 14.0))
    far = replace(spoken, words=(*spoken.words, *said("thanks for rowing", start=12.0, probability=0.3)))
    sure = replace(spoken, words=(*spoken.words, *said("thanks for rowing", start=12.0, probability=0.8)))

    speech = [Span(0.0, 5.5)]

    assert text(guarded(window(far, speech=speech), None).words) == GOOD
    assert text(guarded(window(sure, speech=speech), None).words) == f"{GOOD} thanks for rowing"


def test_each_part_can_be_left_out() -> None:
    thanks = passage("Thank you.", start=30.0, likelihood=-0.95, no_speech=0.8)
    long = Word("well", 6.0, 11.0, 0.9)
    drawn = replace(passage(GOOD), words=(*said(GOOD), long))
    first = window(drawn, thanks, speech=[Span(0.0, 7.0), Span(30.0, 31.0)])

    assert "Thank you." in text(guarded(first, None, remove=False).words)
    assert long in guarded(first, None, fit=False).words
    assert long not in guarded(first, None).words
    assert guarded(first, None).redone == ()


def test_a_recognition_without_passages_comes_back_as_it_is() -> None:
    old = Recognition(WINDOW, said(GOOD), "en", 1.0, 20.0, SPEECH)

    assert guarded(old, None) is old


# ---------------------------------------------------------------- languages

GERMAN = "die Fähre legt mittags ab und niemand rudert gegen die Flut"


def test_a_passage_in_another_language_is_written_in_it_and_its_place_is_kept() -> None:
    foreign = passage(GOOD, likelihood=-0.9, heard_language="de", heard_probability=0.97)
    read, asked = reading(passage(GERMAN, likelihood=-0.3, language="de"))

    found = guarded(window(foreign, speech=[Span(0.0, 5.6)]), read)

    assert text(found.words) == GERMAN
    assert asked[0].language == "de"
    assert [(each.language, each.start, each.probability) for each in found.languages] == [("de", 0.0, 0.97)]


def test_a_passage_that_only_sounds_like_another_language_stays_and_is_not_doubtful() -> None:
    accented = passage(GOOD, likelihood=-0.3, heard_language="de", heard_probability=0.97)
    read, _ = reading(passage(GERMAN, likelihood=-0.8, language="de"))

    found = guarded(window(accented, speech=[Span(0.0, 5.6)]), read)

    assert (text(found.words), found.languages, found.doubtful) == (GOOD, (), ())


def test_one_language_for_all_can_be_asked_for() -> None:
    foreign = passage(GOOD, likelihood=-0.9, heard_language="de", heard_probability=0.97)
    read, asked = reading(passage(GERMAN, likelihood=-0.3, language="de"))

    found = guarded(window(foreign, speech=[Span(0.0, 5.6)]), read, follow_language=False)

    assert (text(found.words), asked, found.doubtful) == (GOOD, [], ())


# ---------------------------------------------------------------- laws

TEXTS = ("row", "3", "%", "$20", "quay.", "R&D", "thank", "you")


@st.composite
def any_passages(draw: st.DrawFn) -> tuple[Passage, ...]:
    """Passages in order with words whose times are as bad as they come."""
    made = []
    for start in range(0, 60, 20):
        times = draw(st.lists(st.tuples(st.floats(-2.0, 25.0), st.floats(-1.0, 9.0)), max_size=8))
        words = tuple(
            Word(draw(st.sampled_from(TEXTS)), start + a, start + a + length, draw(st.floats(0.0, 1.0)))
            for a, length in times
        )
        likelihood = draw(st.floats(-3.0, 0.0)) if words else None
        no_speech = draw(st.floats(0.0, 1.0))
        made.append(Passage(Span(start, start + 20.0), words, likelihood, no_speech, "en"))
    return tuple(made)


speeches = st.lists(st.tuples(st.floats(0.0, 55.0), st.floats(0.05, 5.0)), max_size=5).map(
    lambda drawn: tuple(Span(start, min(start + length, 60.0)) for start, length in sorted(drawn))
)


def echo(first: Sequence[Passage]) -> Callable[[Stretch], Sequence[Passage]]:
    """Reads every stretch as it was read first, or as nothing."""
    return lambda stretch: [each for each in first if each.span == stretch.span] or [Passage(stretch.span)]


@settings(max_examples=150, deadline=None)
@given(any_passages(), speeches)
def test_every_word_has_times_that_run_forward_inside_the_window_and_last_as_long_as_words_do(
    found: tuple[Passage, ...], speech: tuple[Span, ...]
) -> None:
    words = guarded(window(*found, speech=speech), echo(found)).words

    edges = [edge for word in words for edge in (word.start, word.end)]
    assert all(edge is not None for edge in edges)
    assert all(before <= after for before, after in pairwise([0.0, *(edge or 0.0 for edge in edges), 60.0]))
    assert all((word.end or 0.0) - (word.start or 0.0) <= LONGEST_WORD + 0.001 for word in words)


@settings(max_examples=150, deadline=None)
@given(any_passages(), speeches)
def test_no_word_is_lost_without_being_listed(found: tuple[Passage, ...], speech: tuple[Span, ...]) -> None:
    first = window(*found, speech=speech)

    after = guarded(first, None)

    listed = sum(len(span.text.split()) for span in after.removed)
    # A word of a removed passage may have been taken for the same word of another one in the first pass.
    assert len(after.words) + listed >= len(first.words)


@settings(max_examples=100, deadline=None)
@given(any_passages(), speeches)
def test_the_same_readings_give_the_same_window(found: tuple[Passage, ...], speech: tuple[Span, ...]) -> None:
    first = window(*found, speech=speech)

    assert guarded(first, echo(found)) == guarded(first, echo(found))


@settings(max_examples=100, deadline=None)
@given(any_passages(), speeches)
def test_what_stays_is_as_good_as_what_was_there(found: tuple[Passage, ...], speech: tuple[Span, ...]) -> None:
    spoken = [each for each in found if each.words]
    for first in spoken:
        for other in spoken:
            best = best_of([first, other], speech)
            fewer = len(flaws_of(best, speech)) <= len(flaws_of(first, speech))
            assert fewer or Flaw.REPETITION in flaws_of(first, speech)
            assert is_enough(best, speech) or not is_enough(first, speech)
