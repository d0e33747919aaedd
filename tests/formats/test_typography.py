"""Quotation marks, control characters, sound marks, names and times."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.clock import parse_time, print_time
from formats.names import (
    first_name,
    initials,
    is_caps_name,
    is_name,
    name_from_caps,
    split_honorific,
    without_postnominals,
)
from formats.typography import curly, inert, one_line, straight, without_sound_marks


@pytest.mark.parametrize(
    ("plain", "set_"),
    [
        ("it's", "it’s"),
        ("the dogs' bowls", "the dogs’ bowls"),
        ("'Look', she said.", "‘Look’, she said."),
        ("in the '90s", "in the ’90s"),
        ("'tis rock 'n' roll", "’tis rock ’n’ roll"),
        ('"Yes," he said, "no."', "“Yes,” he said, “no.”"),
        ('("Yes")', "(“Yes”)"),
        ("\"'Wait' is what he said\"", "“‘Wait’ is what he said”"),
        ("a 5'10\" man", "a 5'10\" man"),
        ('"catch 22"', "“catch 22”"),
        ("said—'no'", "said—‘no’"),
        ("’already’ “curly”", "’already’ “curly”"),
        ("", ""),
    ],
)
def test_straight_marks_become_the_right_curly_ones(plain: str, set_: str) -> None:
    assert curly(plain) == set_


@given(st.text(alphabet="ab 'o\"5.,(“”‘’—", max_size=30))
def test_curly_marks_made_straight_are_the_text_again(text: str) -> None:
    assert straight(curly(text)) == straight(text)
    assert len(curly(text)) == len(text)


@given(st.text(max_size=40))
def test_inert_text_is_one_printable_utf_8_line(text: str) -> None:
    made = one_line(text)

    assert "\n" not in made
    assert made.encode("utf-8").decode() == made
    assert inert(made) == made


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("So [laughs] we (soft music) went.", "So we went."),
        ("[Music]", ""),
        ("♪", ""),
        (
            "[Integrated] care (and music lessons for all of us)",
            "[Integrated] care (and music lessons for all of us)",
        ),
        ("A [quiet] laugh", "A [quiet] laugh"),
    ],
)
def test_sound_marks_leave_and_other_brackets_stay(text: str, kept: str) -> None:
    assert without_sound_marks(text) == kept


@pytest.mark.parametrize(
    "name",
    ["Ada Quill", "Anne-Marie O’Dell", "Lena van der Berg", "J. R. Hartley", "Zoë Ó Briain", "Dr Ada Quill", "Kal"],
)
def test_names_are_shaped_like_names(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "text",
    [
        "You never know",
        "The Next Chapter",
        "Absolutely.",
        "and then",
        "My advice",
        "State Of The Art",
        "10:15",
        "",
        "A b",
    ],
)
def test_sentences_and_headings_are_not_shaped_like_names(text: str) -> None:
    assert not is_name(text)


def test_the_parts_of_a_name() -> None:
    assert split_honorific("Dr Ada Quill") == ("Dr", "Ada Quill")
    assert without_postnominals("Ada Quill MBE PhD") == "Ada Quill"
    assert [first_name(n) for n in ("Ada Quill", "J. R. Hartley", "Dr Ada Quill", "van Berg")] == [
        "Ada", "J. R. Hartley", "Ada", "van Berg",
    ]  # fmt: skip
    assert [first_name(n) for n in ("Ben Roe", "Ben van Roe", "Van der Berg", "De Vries")] == [
        "Ben", "Ben", "Van der Berg", "De Vries",
    ]  # fmt: skip
    assert [initials(n) for n in ("Ben Roe", "Lena van der Berg", "van Berg", 'Tomas "Tom" Feld', "")] == [
        "BR", "LB", "B", "TF", "",
    ]  # fmt: skip
    assert is_caps_name("ANNE-MARIE")
    assert not is_caps_name("Anne")
    assert name_from_caps("ANNE-MARIE O’DELL") == "Anne-Marie O’Dell"


@given(st.integers(0, 359_999_999), st.sampled_from(["HH:MM:SS", "H:MM:SS", "MM:SS", "M:SS", "HH:MM:SS.mmm"]))
def test_a_printed_time_is_read_as_the_same_printed_time(ms: int, form: str) -> None:
    printed = print_time(ms / 1000, form)  # type: ignore[arg-type]

    parsed = parse_time(printed)

    assert parsed is not None
    assert print_time(*parsed) == printed
    assert 0 <= ms - round(parsed[0] * 1000) < 1000
