"""Which single words are given names: the lists by hand, and the rarer names drawn from counts of people."""

from __future__ import annotations

import pytest

from transcription import given_names, spoken_names
from transcription.given_names import is_given_name, may_be_given_name


@pytest.mark.parametrize(
    "name", ["Anna", "Oluwaseun", "Szabina", "Thandiwe", "Łukasz", "Xochitl", "Aíssatou", "Thandiwe-Rose"]
)
def test_given_names_are_known_whatever_their_frequency_case_and_accents(name: str) -> None:
    assert is_given_name(name)
    assert is_given_name(name.upper())


@pytest.mark.parametrize(
    "word",
    ["Welsh", "Everyone", "Linux", "Kubernetes", "Monday", "Berlin", "Thanks", "Podcast", "Zorlo", "Al", "", "-"],
)
def test_other_words_are_not(word: str) -> None:
    assert not is_given_name(word)


@pytest.mark.parametrize("word", ["Grace", "Will", "Jordan", "Chase"])
def test_names_that_are_words_too_stay_doubtful(word: str) -> None:
    assert may_be_given_name(word)
    assert not is_given_name(word)


def test_rare_names_repeat_no_list_by_hand_and_are_no_words_that_say_something_else() -> None:
    rare = given_names._rare_given_names()

    assert len(rare) > 26_000
    assert "permission" not in rare  # of the file's head
    assert not rare & (given_names._POSSIBLE | given_names.AMBIGUOUS)
    assert not rare & (spoken_names._FUNCTION_WORDS | spoken_names._ROLE_WORDS | spoken_names._THINGS)
    assert all(name.isascii() and name.islower() and len(name) > 2 for name in rare)
