"""Each measure on texts small enough to count by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.measures import (
    SpokenWords,
    concatenated_error_rate,
    diarization_error_rate,
    is_same_name,
    name_score,
    normalized,
    printed_names,
    speaker_words,
    word_error_rate,
)
from evaluation.presentation import names_cell
from evaluation.truth import Utterance
from schemas.episode import Episode
from schemas.transcript import Speaker, Transcript
from transcription.ports import VoiceTurn


def test_case_punctuation_fillers_and_numerals_are_no_errors() -> None:
    assert word_error_rate("We rowed twenty boats, um, home.", "we rowed 20 boats home") == 0.0


def test_words_in_brackets_count_in_the_truth() -> None:
    assert normalized("We [all] rowed (home).") == "we all rowed home"
    assert word_error_rate("We [all] rowed.", "we rowed") == pytest.approx(1 / 3)


def test_substitutions_deletions_and_insertions_count_once_each() -> None:
    assert word_error_rate("we rowed home in rain", "we sailed home the rain now") == pytest.approx(3 / 5)


def test_nothing_heard_is_all_wrong_and_nothing_said_is_no_rate() -> None:
    assert word_error_rate("we rowed", "") == 1.0
    assert word_error_rate("", "we rowed") is None


SAID = (
    Utterance(0.0, 2.0, "ada", "who rows the ferry today"),
    Utterance(2.0, 4.0, "bram", "my aunt does and she sings"),
)


def test_speakers_are_matched_whatever_they_are_called() -> None:
    heard = [SpokenWords("S7", "Who rows the ferry today?"), SpokenWords("S1", "My aunt does, and she sings.")]

    assert concatenated_error_rate(SAID, heard) == 0.0
    assert speaker_words(SAID, heard).error_rate == 0.0
    assert dict(speaker_words(SAID, heard).matched) == {"ada": "S7", "bram": "S1"}


def test_a_word_on_the_wrong_side_of_a_boundary_is_one_wrong_word() -> None:
    heard = [SpokenWords("S1", "who rows the ferry"), SpokenWords("S2", "today my aunt does and she sings")]

    result = speaker_words(SAID, heard)

    assert (result.compared, result.wrong) == (11, 1)
    assert word_error_rate(" ".join(each.text for each in SAID), " ".join(each.text for each in heard)) == 0.0
    assert concatenated_error_rate(SAID, heard) == pytest.approx(2 / 11)


def test_one_speaker_for_two_people_costs_the_words_of_one() -> None:
    heard = [SpokenWords("S1", "who rows the ferry today my aunt does and she sings")]

    assert speaker_words(SAID, heard).wrong == 5


def test_words_without_a_speaker_are_wrong_for_everybody_but_one() -> None:
    heard = [SpokenWords("S1", "who rows the ferry today"), SpokenWords(None, "my aunt does and she sings")]

    assert speaker_words(SAID, heard).wrong == 0


def test_a_voice_that_is_late_counts_as_missed_speech_unless_the_collar_covers_it() -> None:
    truth = [VoiceTurn(0.0, 10.0, "a")]
    found = [VoiceTurn(0.2, 10.0, "voice 1")]

    assert diarization_error_rate(truth, found) == pytest.approx(0.02)
    assert diarization_error_rate(truth, found, collar=0.5) == pytest.approx(0.0)


def test_speech_of_two_at_once_counts_for_both() -> None:
    truth = [VoiceTurn(0.0, 10.0, "a"), VoiceTurn(5.0, 10.0, "b")]

    assert diarization_error_rate(truth, [VoiceTurn(0.0, 10.0, "voice 1")]) == pytest.approx(5 / 15)


def test_false_alarm_before_the_first_word_counts() -> None:
    truth = [VoiceTurn(5.0, 10.0, "a")]

    assert diarization_error_rate(truth, [VoiceTurn(0.0, 10.0, "voice 1")]) == pytest.approx(1.0)


def named(*speakers: Speaker) -> dict[str, str | None]:
    return printed_names(Transcript(episode=Episode(id="e"), speakers=speakers))


def test_names_are_right_wrong_or_missing() -> None:
    names = (("ada", "Ada Quill"), ("bram", "Bram Oster"), ("cleo", "Cleo Tarn"))
    printed = named(Speaker("S1", name="Ada"), Speaker("S2", name="Cleo Tarn"), Speaker("S3"), Speaker("S4"))

    score = name_score(names, printed, [("ada", "S1"), ("bram", "S2"), ("cleo", "S3")])

    assert score is not None
    assert (score.right, score.wrong, score.missing) == (1, 1, 1)
    assert (score.precision, score.recall, score.abstention) == (1 / 2, 1 / 3, 1 / 3)


def test_a_wrong_name_that_sounds_like_the_right_one_is_misspelt() -> None:
    names = (("ada", "Robert Vance"), ("bram", "Bram Oster"))
    printed = named(Speaker("S1", name="Robert Vence"), Speaker("S2", name="Cleo Tarn"))

    score = name_score(names, printed, [("ada", "S1"), ("bram", "S2")])

    assert score is not None
    assert (score.right, score.wrong, score.misspelt) == (0, 2, 1)
    assert names_cell(score) == "0 / 2 (1) / 0"


def test_a_name_on_a_voice_that_is_nobody_is_wrong() -> None:
    score = name_score(
        (("ada", "Ada Quill"),),
        named(Speaker("S1", name="Ada"), Speaker("S2", name="Bo")),
        [("ada", "S1")],
    )

    assert score is not None
    assert (score.right, score.wrong) == (1, 1)


@pytest.mark.parametrize(
    ("heard", "name", "is_same"),
    [
        ("Ada Quill", "Ada Quill", True),
        ("Ada", "Ada Quill", True),
        ("Quill Ada", "Ada Quill", False),
        ("Ada Quilt", "Ada Quill", False),
        ("", "Ada Quill", False),
    ],
)
def test_part_of_a_name_is_the_name_and_another_is_not(heard: str, name: str, is_same: bool) -> None:
    assert is_same_name(heard, name) is is_same


words = st.lists(st.sampled_from(["row", "sing", "ferry", "aunt"]), min_size=1, max_size=6).map(" ".join)
talks = st.lists(st.tuples(st.sampled_from("abc"), words), min_size=1, max_size=6)


@settings(max_examples=50, deadline=None)
@given(talks)
def test_a_perfect_transcript_has_no_errors_and_rates_are_shares(talk: list[tuple[str, str]]) -> None:
    truth = [Utterance(float(i), i + 1.0, who, text) for i, (who, text) in enumerate(talk)]
    perfect = [SpokenWords(f"S{who}", text) for who, text in talk]

    assert concatenated_error_rate(truth, perfect) == 0.0
    assert speaker_words(truth, perfect).wrong == 0
    muddled = speaker_words(truth, [SpokenWords("S1", text) for _, text in talk])
    assert muddled.error_rate is not None
    assert 0.0 <= muddled.error_rate < 1.0
    assert not math.isnan(muddled.error_rate)
