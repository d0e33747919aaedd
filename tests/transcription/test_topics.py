"""Where the talk turns to something else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.transcript import Paragraph
from transcription.paragraphs import ParagraphTarget, rebreak
from transcription.sentences import split_sentences
from transcription.topics import CUE, DEPTH, topic_shifts

FERRY = [
    "The ferry leaves from the old harbour at noon.",
    "On the ferry there is a harbour map for everybody.",
    "My aunt was the first woman on that ferry.",
]
BREAD = [
    "The bakery makes its bread with rye and water.",
    "Rye bread needs a night before the bakery can sell it.",
    "Without water the rye in the bread is like sand.",
]


def test_words_that_stop_being_repeated_show_a_shift() -> None:
    shifts = topic_shifts([*FERRY, *BREAD])

    assert len(shifts) == 6
    assert max(range(6), key=lambda i: shifts[i]) == 3
    assert shifts[0] == 0.0


@pytest.mark.parametrize(
    ("opening", "other"),
    [
        ("Anyway, we went to the shop.", "Because we went to the shop."),
        ("Secondly, we went to the shop.", "They went to the shop."),
        ("The other thing is the shop.", "It is the shop."),
        ("Now we go to the shop.", "Then we go to the shop."),
    ],
)
def test_words_that_open_something_count_more_than_words_that_go_on(opening: str, other: str) -> None:
    assert topic_shifts([*FERRY, opening])[-1] > topic_shifts([*FERRY, other])[-1]


def test_nothing_is_said_about_other_languages() -> None:
    german = ["Die Fähre fährt vom alten Hafen.", "So fuhren wir alle.", "Das Brot kam aus Roggen und Wasser."]

    assert topic_shifts(german) == (0.0, 0.0, 0.0)


def test_a_paragraph_begins_where_the_topic_does_though_another_end_lies_nearer_the_target() -> None:
    whole = Paragraph("", " ".join([*FERRY, *BREAD, BREAD[0]]))
    target = ParagraphTarget(words=34, cap_words=60)

    by_topic = rebreak((whole,), target, id_prefix="p")
    by_length = rebreak((whole,), target, id_prefix="p", topics=False)

    assert [len(split_sentences(each.text)) for each in by_topic] == [3, 4]
    assert [len(split_sentences(each.text)) for each in by_length] == [4, 3]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([*FERRY, *BREAD, "So.", "…", "And then?", "12"]), max_size=12))
def test_shifts_stay_in_their_range(sentences: list[str]) -> None:
    shifts = topic_shifts(sentences)

    assert len(shifts) == len(sentences)
    assert all(-CUE <= shift <= CUE + DEPTH for shift in shifts)
    assert not shifts or shifts[0] == 0.0
