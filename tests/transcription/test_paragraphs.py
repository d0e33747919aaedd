"""Paragraphs break at sentence ends only, near a target, with or without words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.job import Wording
from schemas.transcript import Paragraph, Word
from transcription.paragraphs import NEUTRAL, ParagraphTarget, break_words, rebreak
from transcription.sentences import split_sentences
from transcription.wording import tag_words, visible_text


def said(text: str) -> list[Word]:
    """Words that touch; a bar is a silence of a second and a half."""
    words: list[Word] = []
    moment = 0.0
    for part in text.split():
        if part == "|":
            moment += 1.5
            continue
        words.append(Word(part, round(moment, 3), round(moment + 0.4, 3)))
        moment += 0.4
    return words


def sentences_of(*lengths: int) -> str:
    return " ".join(" ".join(["Row", *["row"] * (length - 2), "on."]) for length in lengths)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Dr. Amsel met Mr. Voss at 3.5 p.m. in the U.K. and left. They talked.", 2),
        ("J. R. Amsel rowed. So did I. Then it rained.", 3),
        ("It was... well, odd. We… left.", 2),
        ("“Was it?” she asked. “Yes! It was.” Good.", 4),
        ("No. 5 was late. No. We went on.", 3),
        ("1. Row slowly. 2. Sing.", 2),
        ("We met the crew of Amsel Ltd. Voss was there.", 1),
        ("He works for the U.S. They pay well.", 2),
        ("It is e.g. blue, i.e. a colour, etc. and so on.", 1),
        ("no stops at all in what was heard", 1),
        ("版本好。我们走！真的吗？", 3),
        ("", 0),
    ],
)
def test_sentences_end_where_a_reader_says(text: str, count: int) -> None:
    sentences = split_sentences(text)

    assert len(sentences) == count, sentences
    assert "".join(sentences).replace(" ", "") == text.replace(" ", "")


def test_a_short_turn_is_one_paragraph() -> None:
    paragraphs = break_words(said("We rowed. Then it rained."), id_prefix="t1-p")

    assert [(each.id, each.text) for each in paragraphs] == [("t1-p1", "We rowed. Then it rained.")]


def test_long_turns_break_near_the_target_and_under_the_cap() -> None:
    paragraphs = break_words(said(sentences_of(*[20] * 20)), id_prefix="p")

    lengths = [len(each.text.split()) for each in paragraphs]
    assert sum(lengths) == 400
    assert all(40 <= length <= 100 for length in lengths)


def test_the_cap_holds_where_going_over_it_would_be_nearer_the_target() -> None:
    paragraphs = break_words(said(sentences_of(6, 6)), id_prefix="p", target=ParagraphTarget(words=10, cap_words=11))

    assert [len(each.words) for each in paragraphs] == [6, 6]


def test_no_short_paragraph_is_left_at_the_end() -> None:
    paragraphs = break_words(said(sentences_of(35, 35, 12)), id_prefix="p")

    assert len(paragraphs) == 1


def test_a_pause_at_a_sentence_end_breaks_where_length_alone_would_not() -> None:
    without = break_words(said(sentences_of(30, 50)), id_prefix="p")
    withal = break_words(said(sentences_of(30) + " | " + sentences_of(50)), id_prefix="p")

    assert len(without) == 1
    assert [len(each.words) for each in withal] == [30, 50]


def test_a_pause_inside_a_sentence_breaks_nothing() -> None:
    text = sentences_of(30).removesuffix(" on.") + " | " + "row on. " + sentences_of(20)

    assert len(break_words(said(text), id_prefix="p")) == 1


def test_a_sentence_longer_than_the_cap_stays_whole() -> None:
    text = "Row, " + sentences_of(200).lower()

    assert len(break_words(said(text), id_prefix="p")) == 1


def test_unpunctuated_speech_longer_than_the_cap_breaks_at_long_pauses() -> None:
    words = said(" | ".join([" ".join(["row"] * 60)] * 4))

    paragraphs = break_words(words, id_prefix="p")

    assert len(paragraphs) == 4
    assert [word for each in paragraphs for word in each.words] == words


def test_words_left_out_stay_with_the_sentence_they_were_said_in() -> None:
    text = sentences_of(60).removesuffix(".") + ", um. Uh, so " + sentences_of(60)
    paragraphs = break_words(tag_words(said(text), Wording.CLEAN, "en"), id_prefix="p")

    assert [each.words[0].text for each in paragraphs] == ["Row", "Uh,"]
    assert paragraphs[0].text.endswith("row on.")
    assert paragraphs[1].text.startswith("So Row")


def test_no_target_gives_one_paragraph_for_the_turn() -> None:
    stored = break_words(said(sentences_of(*[20] * 20)), id_prefix="p")

    whole = rebreak(stored, None, id_prefix="q")

    assert [each.id for each in whole] == ["q1"]
    assert whole[0].text == " ".join(each.text for each in stored)
    assert (whole[0].start, whole[0].end) == (stored[0].start, stored[-1].end)


def test_text_without_words_is_broken_again_by_its_sentences() -> None:
    page = [
        Paragraph("a", sentences_of(20, 20) + " And then", 3.0, None),
        Paragraph("b", sentences_of(20, 80), None, 9.0),
    ]

    broken = rebreak(page, ParagraphTarget(words=45, cap_words=90), id_prefix="q")

    assert " ".join(each.text for each in broken) == " ".join(each.text for each in page)
    assert [len(each.text.split()) for each in broken] == [62, 80]
    assert all(each.text.endswith(".") for each in broken)
    assert (broken[0].start, broken[0].end, broken[-1].end) == (3.0, None, 9.0)


def test_a_text_corrected_by_hand_is_kept_and_its_words_stay_near_it() -> None:
    stored = break_words(
        said("We rowed to Pellwick. " + sentences_of(60) + " They sang there. " + sentences_of(60)), id_prefix="p"
    )
    whole = rebreak(stored, None, id_prefix="p")[0]
    corrected = replace(whole, text=whole.text.replace("Pellwick", "Pell Wick").replace("They sang", "They all sang"))

    broken = rebreak([corrected], NEUTRAL, id_prefix="q")

    assert " ".join(each.text for each in broken) == corrected.text
    assert [word for each in broken for word in each.words] == list(whole.words)
    assert len(broken) == 2
    assert broken[1].text.startswith("They all sang")
    assert broken[1].words[0].text == "They"


def test_nothing_gives_nothing() -> None:
    assert rebreak((), NEUTRAL, id_prefix="p") == ()
    assert break_words((), id_prefix="p") == ()


texts = st.sampled_from(
    [
        "Um,",
        "um",
        "the",
        "The",
        "I",
        "I",
        "had",
        "boat.",
        "Boat,",
        "rows.",
        "Who?",
        "U.K.",
        "Dr.",
        "“Yes.”",
        "uh.",
        "and",
        "then",
        "so…",
        "5",
        "no.",
        "No.",
    ]
)
speeches = st.lists(st.one_of(texts, st.just("|")), min_size=1, max_size=60).filter(lambda parts: set(parts) != {"|"})
targets = st.sampled_from([NEUTRAL, ParagraphTarget(5, 9), ParagraphTarget(12, 24), ParagraphTarget(1, 1)])


@settings(max_examples=80, deadline=None)
@given(speeches, st.sampled_from(Wording), targets, targets)
def test_breaking_again_keeps_every_word_and_breaks_at_sentence_ends_only(
    parts: list[str], wording: Wording, first: ParagraphTarget, second: ParagraphTarget
) -> None:
    words = list(tag_words(said(" ".join(parts)), wording, "en"))
    whole = visible_text(words)

    stored = break_words(words, id_prefix="p", target=first)
    broken = rebreak(stored, second, id_prefix="q")

    for paragraphs in (stored, broken):
        assert [word for each in paragraphs for word in each.words] == words
        assert all(each.text and each.text == visible_text(each.words) for each in paragraphs)
        assert len({each.id for each in paragraphs}) == len(paragraphs)
    texts_of_sentences = split_sentences(whole)
    if len(whole.split()) > min(first.cap_words, second.cap_words):
        return  # unpunctuated stretches may break at pauses
    assert [s for each in broken for s in split_sentences(each.text)] == list(texts_of_sentences)


@settings(max_examples=100, deadline=None)
@given(speeches, targets)
def test_breaking_again_does_not_depend_on_how_it_was_broken_before(
    parts: list[str], target: ParagraphTarget
) -> None:
    words = tag_words(said(" ".join(parts)), Wording.CLEAN, "en")

    at_once = break_words(words, id_prefix="q", target=target)
    by_way = rebreak(break_words(words, id_prefix="p"), target, id_prefix="q")

    assert by_way == at_once


@settings(max_examples=100, deadline=None)
@given(st.lists(texts, min_size=1, max_size=40), targets)
def test_text_without_words_keeps_every_character(parts: list[str], target: ParagraphTarget) -> None:
    text = " ".join(parts)

    broken = rebreak([Paragraph("p", text)], target, id_prefix="q")

    assert " ".join(each.text for each in broken) == text
