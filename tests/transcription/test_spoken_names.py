"""Names as they stand in a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@given(
    st.lists(
        st.sampled_from(
            ["Robert", "Marsh", "Dr", "van", "'Bob'", "(Bob)", "’t", "O'Hara", "A.", ".", "-", "’", "is", ",", "…"]
        )
    )
    | st.text(max_size=40).map(lambda text: [text])
)
def test_whatever_stands_in_a_text_a_name_stands_where_it_says(words: list[str]) -> None:
    text = " ".join(words)
    for at in range(len(text)):
        name = read_name(text, at)
        if name is not None:
            assert at <= name.start < name.end <= len(text)
            assert name.text
            assert 0 < name.likelihood <= 1
