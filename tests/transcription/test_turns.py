"""Backchannels folded into the turn they fell into: the text closes, the words stay, and who said them is noted."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.transcript import FoldedBackchannel, Word, WordTag
from transcription.backchannels import is_backchannel
from transcription.turns import SpokenTurn, build_turns, fold_backchannels
from transcription.voices import VoicedWord
from transcription.wording import visible_text


def talk(*lines: tuple[str, str], step: float = 0.4) -> tuple[SpokenTurn, ...]:
    voiced: list[VoicedWord] = []
    for voice, text in lines:
        for part in text.split():
            start = round(len(voiced) * step, 3)
            voiced.append(VoicedWord(Word(part, start, round(start + step, 3)), voice))
    return build_turns(voiced)


@pytest.mark.parametrize(
    ("said", "listens"),
    [
        ("Mm-hm.", True),
        ("Yeah, yeah.", True),
        ("Of course.", True),
        ("I see.", True),
        ("Right. Okay.", True),
        ("No.", False),
        ("Yeah?", False),
        ("Right there.", False),
        ("Yes yes yes yes yes.", False),
        ("", False),
    ],
)
def test_what_only_says_that_somebody_listens(said: str, listens: bool) -> None:
    assert is_backchannel([Word(part) for part in said.split()]) is listens


def test_a_backchannel_is_folded_into_the_turn_it_fell_into_and_noted() -> None:
    turns = talk(("a", "We like the"), ("b", "Mm-hm."), ("a", "harbour."), ("b", "Why is that so?"))

    folded = fold_backchannels(turns)

    assert [(turn.speaker, visible_text(turn.words)) for turn in folded.turns] == [
        ("S1", "We like the harbour."),
        ("S2", "Why is that so?"),
    ]
    assert [word.text for word in folded.turns[0].words if WordTag.BACKCHANNEL in word.tags] == ["Mm-hm."]
    assert folded.backchannels == (FoldedBackchannel("S2", "Mm-hm.", 1.2, 1.6),)


def test_several_in_one_turn_are_folded_one_after_the_other() -> None:
    lines = [
        ("a", "We row."),
        ("b", "Yeah."),
        ("a", "We sing."),
        ("b", "Right."),
        ("a", "We sleep."),
        ("b", "Do you?"),
    ]

    folded = fold_backchannels(talk(*lines))

    assert [visible_text(turn.words) for turn in folded.turns] == ["We row. We sing. We sleep.", "Do you?"]


@pytest.mark.parametrize(
    "lines",
    [
        [("a", "Do you row?"), ("b", "Yes."), ("a", "Good to know that."), ("b", "We do.")],
        [("a", "We row."), ("b", "Yeah."), ("c", "So we sing."), ("b", "We do.")],
        [("a", "We row."), ("b", "Yeah."), ("a", "We sing.")],
        [("a", "We row."), ("b", "Never."), ("a", "We sing."), ("b", "We do.")],
        [("b", "Yeah."), ("a", "We sing."), ("b", "We do.")],
    ],
    ids=["an answer", "another goes on", "only listens", "says something", "opens"],
)
def test_a_turn_that_is_more_than_a_backchannel_stays(lines: list[tuple[str, str]]) -> None:
    turns = talk(*lines)

    assert fold_backchannels(turns).turns == turns


def test_a_long_drawn_yeah_stays() -> None:
    turns = talk(("a", "We row."), ("b", "Yeah."), ("a", "We sing."), ("b", "We do."), step=2.5)

    assert fold_backchannels(turns).turns == turns


lines = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["We row.", "Mm-hm.", "Yeah.", "Why so?", "and then"])),
    min_size=1,
    max_size=14,
)


@settings(max_examples=200, deadline=None)
@given(lines)
def test_folding_keeps_every_word_in_exactly_one_turn_in_order(said: list[tuple[str, str]]) -> None:
    turns = talk(*said)

    folded = fold_backchannels(turns)

    assert [(word.text, word.start) for turn in folded.turns for word in turn.words] == [
        (word.text, word.start) for turn in turns for word in turn.words
    ]
    speakers = list(dict.fromkeys(turn.speaker for turn in folded.turns))
    assert speakers == [f"S{number}" for number in range(1, len(speakers) + 1)]
    assert len(speakers) == len({turn.speaker for turn in turns})
    assert all(visible_text(turn.words) for turn in folded.turns)
    assert sum(WordTag.BACKCHANNEL in word.tags for turn in folded.turns for word in turn.words) == sum(
        len(each.text.split()) for each in folded.backchannels
    )
