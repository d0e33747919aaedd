"""Capitals and full stops come back where a recognizer lost them, and nothing else changes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.transcript import Word
from transcription.repair import learned_capitals, repair, repair_turns
from transcription.sentences import core_of, split_sentences


def said(text: str) -> list[Word]:
    """Words that touch; a bar is a second of silence."""
    words: list[Word] = []
    moment = 0.0
    for part in text.split():
        if part == "|":
            moment += 1.0
            continue
        words.append(Word(part, round(moment, 3), round(moment + 0.3, 3)))
        moment += 0.3
    return words


def mended(text: str, *, language: str = "en", heard_before: str = "") -> str:
    result = repair(said(text), learned_capitals(said(heard_before)), language)
    return " ".join(word.text for word in result.words)


LOST = (
    "so we went down to the harbour at five in the morning | and the boats were still out there on the water | "
    "do you know the lamp on the pier that they lit with | a match every single night until the storm of 1987"
)


def test_a_stretch_without_punctuation_is_cut_at_its_pauses() -> None:
    assert split_sentences(mended(LOST)) == (
        "So we went down to the harbour at five in the morning.",
        "And the boats were still out there on the water.",
        "Do you know the lamp on the pier that they lit with a match every single night until the storm of 1987?",
    )


def test_each_stretch_is_noted_as_it_was_and_as_it_is() -> None:
    words = said(LOST)

    result = repair(words, {}, "en")

    assert [(each.reason, each.heard, each.start, each.end) for each in result.corrections] == [
        ("punctuation", " ".join(word.text for word in words), words[0].start, words[-1].end)
    ]
    assert result.corrections[0].written == " ".join(word.text for word in result.words)


def test_small_letters_after_full_stops_become_capitals_and_names_are_learned() -> None:
    lost = "we rowed to skerryvore and back. then it rained on dr. feld and mine. i'm told that it was worse in may."
    before = "We like Skerryvore a lot. It is Skerryvore that we like."

    assert mended(lost, heard_before=before) == (
        "We rowed to Skerryvore and back. Then it rained on dr. feld and mine. I'm told that it was worse in may."
    )


def test_a_stretch_in_capitals_is_written_small() -> None:
    lost = "AND THEN WE WENT OUT. THE SEA WAS CALM, I THINK, AND NOBODY SPOKE. IT WAS 5 IN THE MORNING."

    assert (
        mended(lost) == "And then we went out. The sea was calm, I think, and nobody spoke. It was 5 in the morning."
    )


@pytest.mark.parametrize(
    "text",
    [
        "We rowed home. Then it rained.",
        "we rowed home | and then it rained",
        "The BBC and the NHS and the RNLI met the RSPB.",
        "We went down to the harbour and the boats were out, " * 6 + "and that was all.",
        "they met at the U.K. office and then they left it.",
        "我们 去 了 海边 | " * 12,
    ],
)
def test_what_only_looks_unusual_stays(text: str) -> None:
    assert mended(text) == " ".join(text.replace("|", " ").split())


def test_a_pause_for_thought_ends_no_sentence() -> None:
    lost = "so we went down to the | old harbour and then the boats came in with a | lamp on each of them " * 3

    assert [len(each.split()) > 20 for each in split_sentences(mended(lost))] == [True]


def test_a_word_that_is_written_both_ways_or_only_once_teaches_nothing() -> None:
    assert learned_capitals(said("We saw May and Rose. He saw may and Rose. So did Ann.")) == {"rose": "Rose"}


PARTS = [
    "so",
    "we",
    "rowed",
    "the",
    "harbour",
    "5",
    "3.5",
    "i'm",
    "Ada",
    "home.",
    "AND",
    "THE",
    "u.k.",
    "why",
    "—",
    "”",
]


@st.composite
def turns(draw: st.DrawFn) -> list[Word]:
    words: list[Word] = []
    moment = 0.0
    for text in draw(st.lists(st.sampled_from(PARTS), max_size=90)):
        start = moment + draw(st.sampled_from([0.0, 0.0, 0.0, 0.9]))
        moment = start + 0.3
        words.append(Word(text, round(start, 3), round(moment, 3)))
    return words


@settings(max_examples=200, deadline=None)
@given(turns(), st.sampled_from(["en", "de", None]))
def test_no_word_no_time_and_no_figure_changes_and_repairing_again_changes_nothing(
    words: list[Word], language: str | None
) -> None:
    result = repair(words, {"harbour": "Harbour"}, language)

    assert [core_of(word.text) for word in result.words] == [core_of(word.text) for word in words]
    assert [(word.start, word.end) for word in result.words] == [(word.start, word.end) for word in words]
    figures = [(a.text, b.text.rstrip(".?")) for a, b in zip(words, result.words, strict=True) if a.text[0].isdigit()]
    assert all(before == after for before, after in figures)
    again = repair(result.words, {"harbour": "Harbour"}, language)
    assert (again.words, again.corrections) == (result.words, ())


def test_short_turns_without_marks_count_together_and_one_alone_does_not() -> None:
    texts = ["we never rowed at night", "my aunt did it herself", "she had a small lamp"] * 3
    turns = [said(text) for text in texts]

    repaired = repair_turns(turns, {}, "en")

    assert [" ".join(word.text for word in each.words) for each in repaired[:2]] == [
        "We never rowed at night.",
        "My aunt did it herself.",
    ]
    assert all(len(each.corrections) == 1 for each in repaired)
    assert all(not each.corrections for each in repair_turns(turns[:3], {}, "en"))
    again = repair_turns([each.words for each in repaired], {}, "en")
    assert [each.words for each in again] == [each.words for each in repaired]
