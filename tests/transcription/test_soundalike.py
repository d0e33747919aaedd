"""What sounds like a name, and what does not. Hearings are the kind that Whisper makes of names it does not know."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcription.soundalike import ANYWHERE, IN_NAME_SLOT, find_name, fold, similarity, skeleton

NAMES = (
    "Tomas Feldon",
    "Marta Lindgren",
    "Siobhan O'Leary",
    "Anneke van der Berg",
    "Priya Raman",
    "Callum Fraser",
    "Bertrand Lacroix",
    "Dariusz Kowal",
    "Gareth Pugh",
    "Pilar Mendoza",
    "Roisin Gallagher",
    "Ulrika Bergman",
    "Zoltan Kertesz",
    "Eleni Papadakis",
    "Giulia Ferrante",
)

MISHEARD = (
    ("Tomos Felden", "Tomas Feldon"),
    ("Marta Lincgren", "Marta Lindgren"),
    ("Shabun Allari", "Siobhan O'Leary"),
    ("Annick Venderberg", "Anneke van der Berg"),
    ("Priya Raymond", "Priya Raman"),
    ("Kallen Frazer", "Callum Fraser"),
    ("Bertrand Lecroy", "Bertrand Lacroix"),
    ("Darius Kowl", "Dariusz Kowal"),
    ("Garithpugh", "Gareth Pugh"),
    ("Pylarmindosa", "Pilar Mendoza"),
    ("Royce and Gallagher", "Roisin Gallagher"),
    ("Alika Bergman", "Ulrika Bergman"),
    ("Zoltan Kirtish", "Zoltan Kertesz"),
    ("Alanypa Paddakis", "Eleni Papadakis"),
    ("Julia Feranti", "Giulia Ferrante"),
)

ORDINARY = (
    "I think that we should look at the harbour again before the winter comes and the boats are out of the water.",
    "Most of the people who live here have never been to the market on a Tuesday, and that is a pity.",
    "Imagine a garden on top of a bus station, with tomatoes in the field behind it and a mast for the lanterns.",
    "It was a matter of luck, and then of a little money, and in the end of a very large pot of soup.",
    "They carry on, they always do, and by the time the bread is ready everybody has forgotten the quarrel.",
    "There is a dairy by the cow shed, a garage by the pub, and a pillar of stones that nobody can explain.",
    "Rising early again, the gardeners pull up the beetroot before the goats can get at it.",
    "So they learn to listen, and I'm also learning, and that's all there is to it, more or less.",
    "You are older than the bridge, she said, and she was right, though it took me a while to see it.",
    "The sultan of that story courted three sisters, and the clever one left on a ferry to the islands.",
    "Primary schools, a railway, two churches, and a very long argument about who owns the paths between them.",
    "In all of your equipment there is nothing as useful as a pencil and a piece of string.",
)


@pytest.mark.parametrize(("heard", "name"), MISHEARD)
def test_a_misheard_name_matches_in_a_name_slot_and_no_other_name_does(heard: str, name: str) -> None:
    scores = {each: similarity(heard, each) for each in NAMES}

    assert scores[name] >= IN_NAME_SLOT
    assert [each for each, score in scores.items() if score >= IN_NAME_SLOT] == [name]


@pytest.mark.parametrize("sentence", ORDINARY)
def test_no_name_is_found_in_ordinary_sentences(sentence: str) -> None:
    for name in NAMES:
        assert find_name(sentence.split(), name) is None
        assert find_name(sentence.split(), name, prefix="im") is None


def test_names_do_not_match_each_other() -> None:
    for name in NAMES:
        for other in NAMES:
            if name != other:
                assert similarity(name, other) < IN_NAME_SLOT


def test_a_name_glued_to_the_words_before_it_is_found_with_its_place() -> None:
    words = ["Hello,", "Imto", "Moss", "Feldon", "I", "work", "in", "the", "library"]

    match = find_name(words, "Tomas Feldon", prefix="im")

    assert match is not None
    assert (match.first, match.last) == (1, 3)
    assert match.score >= ANYWHERE


def test_short_names_are_never_looked_for_in_running_text() -> None:
    assert find_name(["we", "saw", "Lee", "Hay", "there"], "Lee Hay") is None


def test_accents_case_and_punctuation_make_no_sound() -> None:
    assert fold("Łukasz O’Dowd-Ørsted") == "lukaszodowdorsted"
    assert similarity("BJÖRN halvorsen.", "Bjorn Halvorsen") == 1.0


def test_what_has_no_latin_letter_is_like_nothing() -> None:
    assert similarity("王小明", "王小明") == 0.0
    assert similarity("", "Tomas Feldon") == 0.0


def test_the_skeleton_keeps_the_order_of_the_consonants_alone() -> None:
    assert skeleton("Tomas Feldon") == "TMSFLTN"
    assert skeleton("Im Oryk") == skeleton("Imorrik")


@given(st.text(max_size=50), st.text(max_size=50))
@settings(max_examples=150, deadline=None)
def test_similarity_is_symmetric_and_between_none_and_one(one: str, other: str) -> None:
    score = similarity(one, other)

    assert 0.0 <= score <= 1.0
    assert score == pytest.approx(similarity(other, one))
    assert similarity(one, one) == (1.0 if 0 < len(fold(one)) <= 40 else 0.0)
