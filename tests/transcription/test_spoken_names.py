"""Names as they stand in a text."""

from __future__ import annotations

import pytest

from transcription.spoken_names import read_name


@pytest.mark.parametrize(
    "said", ["Robert 'Bob' Marsh", "Robert “Bob” Marsh", 'Robert "Bob" Marsh', "Robert (Bob) Marsh"]
)
def test_a_nickname_between_given_name_and_surname_is_no_part_of_the_name(said: str) -> None:
    name = read_name(f"I'm {said}.", 4)
    assert name is not None
    assert name.text == "Robert Marsh"
    assert f"I'm {said}."[name.start : name.end] == said


def test_a_point_that_stands_alone_ends_a_name() -> None:
    name = read_name("I'm Robert . Yes.", 4)
    assert name is not None
    assert name.text == "Robert"


def test_quotes_behind_a_name_leave_it_as_it_is() -> None:
    name = read_name("I'm Robert 'Bob' and here.", 4)
    assert name is not None
    assert name.text == "Robert"
