"""Calls that are said to another voice than it seems, or to nobody who is there. Invented talk only."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evaluation.naming_cases import document
from schemas.transcript import Transcript
from transcription.introductions import find_claims
from transcription.names_in_sentences import Whom
from transcription.naming import found_by_evidence, name_speakers
from transcription.naming.vocatives import find_vocatives
from transcription.spoken_names import read_name

BEFORE = [
    ("A", "We were three in the boat that night, and the tide was out."),
    ("B", "It was dark, and nobody at the harbour had seen the lamp."),
]
BEHIND = [
    ("C", "The oars were white with frost when we came over the bar."),
    ("A", "So it was a long way back for all of you, I should think."),
]


def weights(lines: list[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """The most that one piece of evidence is worth, by voice and name."""
    return weights_of(document(lines)[0])


def weights_of(transcript: Transcript) -> dict[tuple[str, str], float]:
    found = found_by_evidence(transcript)
    most: dict[tuple[str, str], float] = {}
    for piece in found.pieces:
        key = (piece.speaker, found.people[piece.person].full)
        most[key] = max(most.get(key, 0.0), piece.weight)
    return most


def between(call: str) -> dict[tuple[str, str], float]:
    """What a call by A is worth, between a turn of B (S2) and one of C (S3), all of whom were heard before."""
    return weights([*BEFORE, *BEHIND, BEFORE[1], ("A", call), *BEHIND])


@pytest.mark.parametrize(
    "call",
    [
        "Greta.",
        "And Greta.",
        "Greta, the next one is for you.",
        "Well, Greta, before the tide turns, the last word is yours.",
        "Hello, Greta.",
    ],
)
def test_who_is_called_as_a_turn_begins_between_two_voices_speaks_next(call: str) -> None:
    assert {voice for voice, _ in between(call)} == {"S3"}


@pytest.mark.parametrize(
    "call",
    [
        "I never thought of that, Greta.",
        "Exactly, Greta. The bar was white.",
        "The bar was white, Greta, and the lamp was out.",
    ],
)
def test_a_name_later_in_a_first_sentence_says_little_of_the_voice_before(call: str) -> None:
    found = between(call)

    assert {voice for voice, _ in found} == {"S2"}
    assert found["S2", "Greta"] < 0.3


@pytest.mark.parametrize(
    "lines",
    [
        [*BEFORE, *BEHIND, BEFORE[1], ("A", "Greta, the tide is in.")],
        [*BEFORE, *BEHIND, BEFORE[1], ("A", "I never thought of that, Greta."), BEFORE[1]],
    ],
)
def test_a_call_that_only_the_voice_before_can_take_says_more_of_it(lines: list[tuple[str, str]]) -> None:
    found = weights(lines)

    assert {voice for voice, _ in found} == {"S2"}
    assert found["S2", "Greta"] > 0.4


def test_a_new_voice_calls_who_brought_it_in() -> None:
    lines = [*BEFORE, ("C", "Greta, I was in the second boat with the lamp."), BEFORE[0]]
    lines = [("A", BEFORE[0][1]), ("B", "Here is who had the lamp."), *lines[2:]]

    assert {voice for voice, _ in weights(lines)} == {"S2"}


@pytest.mark.parametrize(
    ("asked", "following"),
    [
        ("Who had the lamp that night?", "The oars were white with frost."),
        ("It was dark.", "Greta? The oars were white with frost."),
    ],
)
def test_a_name_that_answers_or_is_said_again_hands_nothing_over(asked: str, following: str) -> None:
    lines = [*BEFORE, *BEHIND, ("B", asked), ("A", "Greta."), ("C", following), *BEHIND[1:]]

    assert ("S3", "Greta") not in weights(lines)


def test_the_question_goes_to_the_one_who_speaks_next() -> None:
    found = between("Well worked out, Greta. The last question today then goes to Hugo. What have you got for us?")

    assert ("S3", "Hugo") in found
    assert ("S3", "Greta") not in found


def test_another_member_is_told_of() -> None:
    said = "And another harbour member, Greta, I saw her boat right before yours."
    assert [each for each in find_claims([said]) if each.whom is Whom.NEXT] == []
    assert [each for each in find_claims([said.replace("And another harbour member", "Well")]) if each.quote] != []


@pytest.mark.parametrize(
    ("said", "calls"),
    [
        ("It was late because my mentor in ropes, Professor Pell, was away.", False),
        ("And his friend from the north bay, Hector, had the lamp.", False),
        ("So my answer to that, Hector, is no.", True),
        ("Who was the friend of all those boats, Hector?", True),
    ],
)
def test_who_is_explained_at_some_length_is_not_called(said: str, calls: bool) -> None:
    assert any(find_vocatives([said])) == calls


def test_who_is_introduced_turn_after_turn_may_be_either_of_two() -> None:
    lines = [
        ("A", "This is Low Water, and our guest today is Hector Vance."),
        ("A", "Hello everyone. I am here with my co-host, who is Wilma Reed."),
        ("B", "Hello."),
        ("A", "So how did you begin?"),
        ("C", "With a rope that my father had left behind, and that nobody wanted."),
    ]

    transcript, _ = document(lines)
    first, *others = transcript.turns
    turns = (*(replace(first, id=each.id, paragraphs=(each,)) for each in first.paragraphs), *others)
    found = weights_of(replace(transcript, turns=turns))

    assert ("S2", "Hector Vance") not in found
    assert found["S2", "Wilma Reed"] < 0.7  # for being spoken of before a new voice alone
    assert ("S2", "Hector Vance") in weights([lines[0], *lines[2:]])


@pytest.mark.parametrize("firm", ["General Motors", "General Dynamics"])
def test_a_firm_is_no_officer(firm: str) -> None:
    assert read_name(firm, 0) is None
    assert read_name("General Pell", 0) is not None


@pytest.mark.parametrize(
    ("said", "is_told_of"),
    [
        ("The questions were sent in by Greta Vance. Thank you, Greta.", True),
        ("A big thank you to Greta Vance for the hint. Thank you, Greta.", True),
        ("That is kind. Thank you, Greta. I've learned so much from her.", True),
        ("The bell was cast by Hugo. Thank you, Greta.", False),
        ("That is kind. Thank you, Greta. I've learned so much from you.", False),
        ("The bell was cast by Greta. Greta, would you ring it?", False),
    ],
)
def test_who_is_thanked_for_what_is_told_of_need_not_be_there(said: str, is_told_of: bool) -> None:
    lines = [*BEFORE, BEFORE[0], BEFORE[1], BEFORE[0], ("B", said), BEFORE[0], BEFORE[1], *BEFORE * 3]

    assert (weights(lines)["S1", "Greta"] < 0.3) == is_told_of


def test_two_calls_by_a_bare_name_name_who_speaks_next() -> None:
    lines = [*BEFORE, *BEHIND, BEFORE[1], ("A", "Greta."), *BEHIND, BEFORE[1], ("A", "And Greta."), *BEHIND]
    transcript, _ = document(lines)

    assert [each.name for each in name_speakers(transcript).speakers] == [None, None, "Greta"]


#: Where two talk: so many turns of A call B, and B speaks in between.
def between_two(*calls: str, answer: str = "It was a long way to the quay.") -> list[tuple[str, str]]:
    return [line for call in calls for line in (("A", call), ("B", answer))]


CALLS = ("What do you think, Hugo?", "Were you there, Hugo?", "So, Hugo, you saw the lamp?")


def test_who_tells_of_another_by_a_full_name_has_the_given_name_alone() -> None:
    """Who says "Hugo Marsh." of somebody, whom nobody introduces, is another Hugo."""
    names = [each.name for each in name_speakers(document(between_two(*CALLS))[0]).speakers]
    assert names == [None, "Hugo"]

    told = [*between_two(*CALLS), ("A", "Who was it?"), ("B", "Hugo Marsh."), ("A", "Yes, Hugo Marsh. That was him.")]
    names = [each.name for each in name_speakers(document(told)[0]).speakers]
    assert names == [None, "Hugo"]


def test_who_is_called_by_a_full_name_has_it() -> None:
    called = [*between_two(*CALLS), ("A", "Hugo Marsh, you rowed well."), ("B", "I did.")]
    names = [each.name for each in name_speakers(document(called)[0]).speakers]
    assert names == [None, "Hugo Marsh"]


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Page Wilma Hugo. That is what the bell says.", "Hugo"),  # nobody is called Page
        ("Page Wilma Hugo, it is good to have you here.", "Page Wilma Hugo"),  # somebody is
    ],
)
def test_words_before_a_name_that_is_called_are_no_part_of_it(said: str, name: str) -> None:
    lines = [*between_two(*CALLS), ("A", said), ("B", "It is good to be here. Thank you.")]
    assert [each.name for each in name_speakers(document(lines)[0]).speakers] == [None, name]


@pytest.mark.parametrize(
    ("behind", "most"), [("It breaks. In Zorbel it breaks, and Zorbel is no help. Zorbel. ", 0.3), ("", 0.62)]
)
def test_what_everybody_talks_about_is_introduced_as_nobody(behind: str, most: float) -> None:
    first = f"We have Zorbel here. {behind * 4}"
    lines = [("A", first), ("B", "It is a long way."), ("A", "And Zorbel, how was it?"), ("B", "It was dark. " * 5)]
    assert weights(lines)["S2", "Zorbel"] == pytest.approx(most)


@pytest.mark.parametrize(("behind", "most"), [("He was in the next room.", 0.35), ("He is glad to be on.", 0.8)])
def test_who_is_told_of_in_the_past_is_hardly_introduced(behind: str, most: float) -> None:
    found = weights([("A", f"The boats were there, and Hugo Pell is here. {behind}"), ("B", "It was a long way.")])
    assert found["S2", "Hugo Pell"] == pytest.approx(most)


def test_who_may_be_listening_is_elsewhere() -> None:
    assert not list(find_vocatives(["Hugo, if you're listening to this, the lamp is lit."]))
    assert list(find_vocatives(["Hugo, if you're sitting well, the lamp is lit."]))


@pytest.mark.parametrize("said", ["Thanks, Greta, and thanks, Hugo, for having me.", "Thanks Greta and thanks Hugo."])
def test_of_two_who_are_thanked_in_one_breath_neither_is_whom_it_is_said_to(said: str) -> None:
    assert not [each for each in find_claims([said]) if each.whom is Whom.PREVIOUS]
    assert [each for each in find_claims([said.replace("Greta", "you")]) if each.whom is Whom.PREVIOUS]


@pytest.mark.parametrize(
    ("before", "told"),
    [
        ("Hugo was there, and he knew the knot.", True),
        ("I had a whole session with Hugo, and he knew the knot.", True),
        ("Nobody was there, and nobody knew the knot.", False),
    ],
)
def test_who_is_told_of_as_another_before_thanks_need_not_be_there(before: str, told: bool) -> None:
    def worth(said: str) -> float:
        lines = [*BEFORE, *BEHIND, ("A", f"{said} Thank you, Hugo. It holds."), BEFORE[1]]
        return max(weight for (_, name), weight in weights(lines).items() if name == "Hugo")

    assert (worth(before) < worth("Nobody was there.")) is told


def test_a_word_that_is_a_whole_sentence_each_time_is_nobody() -> None:
    joy = [("A", "Zorbel. The obviously Zorbel tide was in."), ("B", "It was."), ("A", "Zorbel."), ("B", "It was.")]
    assert ("S2", "Zorbel") not in weights([*joy, ("A", "Zorbel."), ("B", "It was a long way.")])
