"""What may be said about an episode: what would do harm later is refused, and the error names it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from schemas.episode import Episode, Participant, Role
from schemas.errors import OptionError
from schemas.job import JobOptions
from transcription.described import LONGEST_TITLE, MOST_PARTICIPANTS, check_described
from transcription.options import check_options

ORDINARY = Episode(
    id="e",
    title="Tides, gardens & “the quiet hour” – Folge 3",
    show="Harbour Talk",
    published="2026-03-14",
    language="pt-BR",
    participants=(
        Participant("Ana Ruiz", Role.HOST, "head of tides", "Dr", ("Annie",)),
        Participant("李 雷"),
        Participant("K. O'Neil-Šťastný"),
    ),
)


def test_what_publishers_write_is_taken() -> None:
    check_described(ORDINARY)


@pytest.mark.parametrize("published", ["2026-03-14", "2024-02-29", "2026-03-14T09:26:53Z", "2026-03-14T09:26+01:00"])
def test_a_day_of_the_calendar_is_a_date(published: str) -> None:
    check_described(replace(ORDINARY, published=published))


@pytest.mark.parametrize("published", ["yesterday", "2026-02-30", "14/03/2026", "March 2026", "", "2026", "-1-01-01"])
def test_what_is_no_date_is_refused_by_its_name(published: str) -> None:
    with pytest.raises(OptionError) as caught:
        check_described(replace(ORDINARY, published=published))

    assert (caught.value.code, caught.value.field) == ("invalid_option", "published")
    assert repr(published) in caught.value.message


@pytest.mark.parametrize("language", ["en", "en-GB", "zh_Hant-TW", "yue"])
def test_a_language_is_a_tag(language: str) -> None:
    check_described(replace(ORDINARY, language=language))
    check_options(JobOptions(language=language))


@pytest.mark.parametrize("language", ["english", "e", "en-", "en GB", "en-\x1b[31m", "en-" + "a" * 40, "12"])
def test_what_is_no_language_tag_is_refused(language: str) -> None:
    with pytest.raises(OptionError) as of_episode:
        check_described(replace(ORDINARY, language=language))
    with pytest.raises(OptionError) as of_options:
        check_options(JobOptions(language=language))

    assert of_episode.value.field == of_options.value.field == "language"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "T" * (LONGEST_TITLE + 1)),
        ("title", "The end\x00"),
        ("title", "\x1b[2Jcleared"),
        ("title", "half \ud83d of a face"),
        ("show", "S" * 1_000_000),
        ("show", "bell\x07"),
        ("participants", tuple(Participant(f"Ada Quill {n}") for n in range(MOST_PARTICIPANTS + 1))),
        ("participants", (Participant(""),)),
        ("participants", (Participant("???"),)),
        ("participants", (Participant("Ada\x1b[31m Quill"),)),
        ("participants", (Participant("A" * 301),)),
        ("participants", (Participant("Ada Quill", description="d" * 2_001),)),
        ("participants", (Participant("Ada Quill", honorific="Dr\x00"),)),
        ("participants", (Participant("Ada Quill", aliases=("Ad\x08a",)),)),
        ("participants", (Participant("Ada Quill", aliases=("A",) * 21),)),
    ],
)
def test_text_that_no_page_should_hold_is_refused(field: str, value: Any) -> None:
    with pytest.raises(OptionError) as caught:
        check_described(replace(ORDINARY, **{field: value}))

    assert caught.value.field == field
    assert len(caught.value.message) < 200
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("word", ["w" * 201, "a\x00b"])
def test_a_word_to_expect_is_a_word(word: str) -> None:
    with pytest.raises(OptionError, match="vocabulary"):
        check_options(JobOptions(vocabulary=("Skerryvore", word)))
