"""A list given out by all that a long talk says. Invented people only."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from evaluation.naming_cases import document
from schemas.transcript import NameMethod, Transcript
from transcription.naming import found_by_evidence, name_speakers
from transcription.naming.features import WEIGHTS, Feature, features_of, value_of
from transcription.naming.likelihoods import said_of
from transcription.naming.mentions import Manner
from transcription.naming.weighed_lists import LONG_TALK, is_weighed
from transcription.participants import parse_participant

LIST = ("Ada Quill", "Bram Oster", "Wilma Quist")
TIDE = "The tide came up over the wall that night and nobody had told the harbour about it. "

#: A and B have the same part in the talk. Only A says Bram, and only C calls, once each.
HARBOUR = [
    ("A", "It is late, and the lamp is out. " + TIDE * 24),
    ("B", "It was a long way back. " + TIDE * 24),
    ("C", "We had the boats out by four. " + TIDE * 24),
    ("A", "As Bram said, the bell rang twice. " + TIDE * 4),
    ("B", "Twice, and then once more. " + TIDE * 4),
    ("A", "What did the others make of it, Wilma?"),
    ("C", "They thought that it was the church. " + TIDE * 4),
    ("B", "Nobody at the harbour had seen it. " + TIDE * 4),
    ("C", "Then there it stays. You had the lamp, Ada, and it went out."),
    ("A", "It went out twice on the way over the bar. " + TIDE * 4),
    ("B", "And twice it was lit again. " + TIDE * 4),
    ("A", "And Bram rang the bell. " + TIDE * 4),
    ("B", "I rang it, and I heard it. " + TIDE * 4),
    ("A", "So Bram lit it. " + TIDE * 4),
    ("B", "I did. " + TIDE * 4),
]


def listed(lines: list[tuple[str, str]], people: tuple[str, ...] = LIST) -> Transcript:
    transcript, _ = document(lines)
    participants = tuple(parse_participant(each) for each in people)
    return replace(transcript, episode=replace(transcript.episode, participants=participants))


def names(lines: list[tuple[str, str]], people: tuple[str, ...] = LIST) -> list[str | None]:
    return [speaker.name for speaker in name_speakers(listed(lines, people)).speakers]


def without(lines: list[tuple[str, str]], name: str) -> list[tuple[str, str]]:
    return [(label, text.replace(name, "somebody")) for label, text in lines]


def test_everybody_is_named_by_the_whole_of_the_talk() -> None:
    assert names(HARBOUR) == list(LIST)


def test_a_name_has_its_quotes_and_is_never_as_sure_as_being_told() -> None:
    found = name_speakers(listed(HARBOUR))
    for speaker in found.speakers:
        assert speaker.evidence
        assert (speaker.confidence or 1) <= 0.89
        for each in speaker.evidence:
            assert any(each.quote in p.text for turn in found.turns if turn.id == each.turn for p in turn.paragraphs)


def test_who_is_only_spoken_of_is_who_never_says_the_name_and_speaks_next() -> None:
    told = [("C", "As Bram says, nobody rang twice."), ("B", "Nobody did. " + TIDE)]
    assert names([*without(without(HARBOUR, "Ada"), "Wilma"), *told])[1] == "Bram Oster"


def test_two_of_whom_nothing_is_said_stay_without_a_name() -> None:
    assert names(without(without(HARBOUR, "Ada"), "Bram")) == [None, None, "Wilma Quist"]


def test_the_last_one_who_speaks_for_a_minute_is_named_by_elimination() -> None:
    asked = [("C", "Was it dark by then, Ada?"), ("A", "It was. " + TIDE)]
    found = name_speakers(listed([*without(HARBOUR, "Bram"), *asked])).speakers[1]
    assert (found.name, found.known_by) == ("Bram Oster", NameMethod.ELIMINATION)


def test_a_short_talk_is_not_weighed() -> None:
    short = [(label, text.replace(TIDE, "")) for label, text in HARBOUR]
    assert is_weighed(found_by_evidence(listed(HARBOUR)).talk)
    assert not is_weighed(found_by_evidence(listed(short)).talk)
    assert LONG_TALK == 600


def test_without_a_list_nothing_is_weighed() -> None:
    assert not is_weighed(found_by_evidence(listed(HARBOUR, ())).talk)


#: Wilma is called in two turns, and answers.
TWICE = [*HARBOUR, ("A", "And is it there now, Wilma?"), ("C", "It is. " + TIDE * 4)]


@pytest.mark.parametrize("people", [LIST[1:], LIST[2:], (*LIST, "Osric Pell")], ids=["shorter", "one", "longer"])
def test_of_a_list_of_another_length_who_is_called_in_two_turns_has_the_name(people: tuple[str, ...]) -> None:
    assert names(TWICE, people) == [None, None, "Wilma Quist"]


def test_where_somebody_may_be_away_one_call_or_being_spoken_of_is_too_little() -> None:
    assert names(HARBOUR, (*LIST, "Osric Pell")) == [None, None, None]
    assert names(HARBOUR, LIST[1:])[1] is None  # "Bram" is said in three turns, and nobody is called so


def test_who_is_told_to_be_somebody_off_the_list_has_no_name_of_it() -> None:
    told = [("A", "With us is Dan Holt, who keeps bees."), *TWICE[2:3], *TWICE]
    assert "Wilma Quist" not in names(told, LIST[1:])


def test_what_is_likely_and_not_sure_is_not_given() -> None:
    assert names(without(HARBOUR, "Bram")) == [None, None, "Wilma Quist"]


def test_who_may_have_introduced_himself_by_another_name_has_none_of_the_list() -> None:
    lines = [(label, text.replace("Twice, and then", "This is Dan. Twice, and then")) for label, text in HARBOUR]
    assert "Bram Oster" in names(HARBOUR)
    assert "Bram Oster" not in names(lines)


#: B is called in three turns and answers: all but certain to be Bram.
CALLED = [
    *HARBOUR,
    *(line for _ in range(3) for line in (("A", "And what did you see there, Bram?"), ("B", "The lamp. " + TIDE))),
]


@pytest.mark.parametrize("own", ["I'm Dan Holt on there, if you look for it.", "I am Dan Holt up there. "])
def test_what_all_but_certainly_is_somebody_may_tell_another_name_late(own: str) -> None:
    assert names(CALLED) == list(LIST)
    assert names([*CALLED, ("B", own + TIDE)]) == list(LIST)


def test_who_says_another_name_as_he_begins_has_none_of_the_list() -> None:
    lines = [(label, text.replace("It was a long way back.", "I'm Dan Holt.")) for label, text in CALLED]
    assert names(lines)[1] != "Bram Oster"


def test_a_name_that_evidence_gave_is_taken_back_where_the_rest_of_the_talk_speaks_against_it() -> None:
    opening = [
        ("A", "It is late. " + TIDE * 30 + "We are joined today by Bram Oster, who keeps bees."),
        ("B", "Good to see all of you. " + TIDE * 30),
        ("C", "Nobody knew. " + TIDE * 30),
    ]
    told = [
        ("B", "As Bram said, the bell rang."),
        ("C", "It did. " + TIDE),
        ("A", "And Bram heard it."),
        ("C", "I heard it. " + TIDE),
    ]
    assert names(opening)[1] == "Bram Oster"
    assert names([*opening, *told * 6]) == [None, None, "Bram Oster"]


def test_who_introduces_himself_by_another_name_has_none_of_the_list() -> None:
    lines = [(label, text.replace("It was a long way back.", "I'm Dan Holt.")) for label, text in HARBOUR]
    assert "Bram Oster" not in names(lines)


def test_who_is_away_is_given_to_nobody() -> None:
    lines = [*HARBOUR, ("C", "Bram is ill this week.")]
    assert "Bram Oster" not in names(lines)


def test_a_list_of_more_people_than_can_be_weighed_leaves_the_names_that_evidence_gives() -> None:
    labels = "ABCDEFGHIJKLM"
    given = (
        "Ada",
        "Bram",
        "Clara",
        "Dan",
        "Edith",
        "Frank",
        "Greta",
        "Hugo",
        "Iris",
        "Jonas",
        "Karin",
        "Leo",
        "Mona",
    )
    people = tuple(f"{name} Oster" for name in given)
    lines = [(label, f"I'm {name} Oster. {TIDE * 8}") for label, name in zip(labels, given, strict=True)]
    lines[-1] = ("M", TIDE * 8)
    assert names(lines, people)[:12] == list(people[:12])


# ---------------------------------------------------------------- features


def features(
    lines: list[tuple[str, str]], believed: dict[str, int] | None = None, people: tuple[str, ...] = LIST
) -> dict[tuple[str, str], dict[Feature, float]]:
    """By voice and given name."""
    found = found_by_evidence(listed(lines, people))
    mentions = [each for each in found.mentions_of_listed() if each.manner is not Manner.AWAY]
    expected = [i for i, person in enumerate(found.people) if person.participant is not None]
    numbers = features_of(found.talk, found.pieces, believed or {}, said_of(found.talk, mentions), expected)
    return {(voice, found.people[person].given): each for (voice, person), each in numbers.items()}


def test_of_a_list_of_another_length_it_counts_who_talks_much_and_whom_nobody_says() -> None:
    shorter, longer = features(HARBOUR, people=LIST[:2]), features(HARBOUR, people=(*LIST, "Osric Pell"))
    assert shorter["S1", "Ada"][Feature.PERHAPS_LISTED] == 1.0
    assert Feature.LISTED not in shorter["S1", "Ada"]
    assert shorter["S1", "Ada"][Feature.TALKS_MUCH] > 0 > shorter["S3", "Ada"][Feature.TALKS_MUCH]
    assert Feature.LIST_IS_LONG not in shorter["S1", "Ada"]
    assert longer["S1", "Osric"][Feature.LIST_IS_LONG] == pytest.approx(math.log(4 / 3))
    assert longer["S1", "Osric"][Feature.NOBODY_SAYS_IT] == 1.0
    assert Feature.NOBODY_SAYS_IT not in longer["S1", "Bram"]
    assert features(HARBOUR)["S1", "Ada"].keys().isdisjoint({Feature.PERHAPS_LISTED, Feature.TALKS_MUCH})


def test_a_value_is_the_sum_of_the_features_by_their_weights() -> None:
    assert value_of({Feature.LISTED: 1.0, Feature.ASKED: 2.0}) == WEIGHTS[Feature.LISTED] + 2 * WEIGHTS[Feature.ASKED]


def test_who_says_a_name_and_who_speaks_behind_it_are_told_apart() -> None:
    found = features(HARBOUR)
    assert Feature.NEVER_SAYS_IT not in found["S1", "Bram"]
    assert found["S2", "Bram"][Feature.NEVER_SAYS_IT] == 1.0
    assert found["S2", "Bram"][Feature.SPEAKS_NEXT] > 1.0
    assert Feature.SPEAKS_NEXT not in found["S3", "Bram"]


def test_manners_of_calling_speak_for_who_answers_and_against_who_calls() -> None:
    found = features(HARBOUR)
    assert found["S3", "Wilma"][Feature.ASKED] > 0 > found["S1", "Wilma"][Feature.ASKED]


def test_many_calls_say_no_more_than_some() -> None:
    found = features([*HARBOUR, *[("B", "Was it so, Wilma?"), ("C", "It was. " + TIDE)] * 30])
    assert found["S3", "Wilma"][Feature.ASKED] == 8.0
    assert found["S2", "Wilma"][Feature.ASKED] == -8.0


def test_what_evidence_alone_believes_is_a_feature() -> None:
    assert features(HARBOUR, {"S2": 1})["S2", "Bram"][Feature.BELIEVED] == 1.0
    assert Feature.BELIEVED not in features(HARBOUR, {"S2": 1})["S1", "Bram"]


def test_who_is_welcomed_is_introduced() -> None:
    lines = [*HARBOUR, ("A", "Welcome to the show, Bram."), ("B", TIDE * 40)]
    assert features(lines)["S2", "Bram"][Feature.INTRODUCED_AT_LENGTH] > 0


@pytest.mark.parametrize("introduced", [True, False])
def test_who_is_introduced_talks_at_length(introduced: bool) -> None:
    opening = "We are joined today by Bram Oster, who keeps the light. " if introduced else ""
    lines = [("A", opening + "How did it begin?"), *HARBOUR[1:], ("B", TIDE * 40), ("A", "Is that so?")]
    found = features(lines)
    assert (found["S2", "Bram"].get(Feature.INTRODUCED_AT_LENGTH, 0.0) > 0) is introduced
    assert (found["S1", "Bram"].get(Feature.INTRODUCED_AT_LENGTH, 0.0) < 0) is introduced


def test_evidence_of_one_turn_counts_once_and_is_at_most_so_much() -> None:
    once = features([*HARBOUR, ("B", "My name is Bram Oster.")])["S2", "Bram"][Feature.INTRODUCES_ITSELF]
    often = features([*HARBOUR, *[("B", "My name is Bram Oster."), ("A", "Go on.")] * 9])["S2", "Bram"]
    assert 0 < once < often[Feature.INTRODUCES_ITSELF] <= 3.0


# ---------------------------------------------------------------- what must decide nothing

PAIR = ("Ada Quill", "Bram Oster")


@pytest.mark.parametrize(
    ("teller", "tale"),
    [
        ("B", "So the foreman shouts, Bram, get down from there!"),
        ("A", "My old teacher used to say to me, Ada, you never listen."),
        ("A", "I learned it all from Bram, as everybody does."),
    ],
)
def test_between_two_a_name_that_is_said_once_in_passing_decides_for_neither(teller: str, tale: str) -> None:
    lines = [("A", TIDE * 50), ("B", TIDE * 50), (teller, f"{TIDE * 3}{tale} {TIDE * 3}")]
    lines.append(("A" if teller == "B" else "B", TIDE * 3))
    assert names(lines, PAIR) == [None, None]


def test_among_three_who_is_spoken_of_twice_is_given_to_nobody() -> None:
    told = [("A", "I learned it all from Bram."), ("B", TIDE), ("C", "Bram taught us all."), ("B", TIDE)]
    lines = [("A", TIDE * 35), ("B", TIDE * 35), ("C", TIDE * 35), *told]
    assert "Bram Oster" not in names(lines)
    assert names([*lines, *told])[1] == "Bram Oster"
