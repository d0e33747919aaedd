"""A list of participants given out to the voices by how all are called through the talk. Invented people only."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pytest

from evaluation.naming_cases import document
from schemas.episode import Participant
from schemas.transcript import NameMethod, Transcript
from transcription.known_voices import LEARNED_CONFIDENCE
from transcription.naming import name_speakers
from transcription.naming.assignment import best_assignment
from transcription.naming.jointly import named_jointly
from transcription.naming.mentions import Manner, find_mentions
from transcription.naming.people import Person, calls
from transcription.naming.talk import Talk
from transcription.participants import parse_participant

#: Three voices: C is called by both others, each time where the voice that answers is not the one that spoke before.
NOTES = [
    ("A", "The tide came up over the wall that night, and nobody had told the harbour about it."),
    ("B", "We had the boats out by four. It was dark still. Did you hear the bell over the wind, Wilma?"),
    ("C", "I did. We thought that it was the church at first, and then we saw the light go on."),
    ("A", "It was a long way back for all of you. There was the second boat. How was it out there, Wilma?"),
    ("C", "Cold. We had been out since the evening before, and the oars were white with frost."),
    ("B", "And I had the lamp. It went out twice on the way over the bar, and twice I lit it again."),
]
LIST = ("Wilma Quist", "Osric Pell")


def named(lines: list[tuple[str, str]], people: tuple[str, ...] = LIST) -> Transcript:
    transcript, _ = document(lines)
    participants = tuple(parse_participant(each) for each in people)
    return name_speakers(replace(transcript, episode=replace(transcript.episode, participants=participants)))


def jointly(lines: list[tuple[str, str]], people: tuple[str, ...] = LIST) -> dict[str, str]:
    """What giving the list out finds by itself, with no other evidence."""
    transcript, _ = document(lines)
    participants = tuple(parse_participant(name) for name in people)
    talk = Talk(replace(transcript, episode=replace(transcript.episode, participants=participants)))
    listed = [Person(name, parse_participant(name)) for name in people]
    found = named_jointly(talk, listed, [], {}, list(find_mentions(talk, listed, range(len(listed)))))
    return {voice: people[decision.person] for voice, decision in found.items()}


def names(transcript: Transcript) -> list[str | None]:
    return [speaker.name for speaker in transcript.speakers]


def test_a_participant_whom_two_turns_call_is_the_voice_that_answers_with_both_quotes() -> None:
    found = named(NOTES)

    assert names(found) == [None, None, "Wilma Quist"]
    assert [each.quote for each in found.speakers[2].evidence if "Wilma" in each.quote] != []
    for each in found.speakers[2].evidence:
        assert any(each.quote in p.text for turn in found.turns if turn.id == each.turn for p in turn.paragraphs)


#: Four voices: A and D call, and both times B answers, which no other rule takes for enough.
LAMP = [
    ("A", "Hi, Wilma. It is late, and the lamp is out."),
    ("B", "I lit it twice on the way over the bar."),
    ("C", "It was a long way back for all of you."),
    ("D", "The oars were white with frost."),
    ("C", "We had the boats out by four."),
    ("D", "Wilma. The lamp."),
    ("B", "I have it here."),
    ("C", "Nobody at the harbour had seen it."),
    ("D", "Nobody at all."),
    ("A", "Then there it stays."),
]


def test_naming_gives_the_list_out_jointly_where_single_calls_are_not_enough() -> None:
    assert names(named(LAMP)) == [None, "Wilma Quist", None, None]


@pytest.mark.parametrize("call", [0, 5])
def test_one_of_the_two_calls_is_not_enough(call: int) -> None:
    lines = [(label, text.replace("Wilma", "Well") if i == call else text) for i, (label, text) in enumerate(LAMP)]

    assert names(named(lines)) == [None] * 4


def test_two_calls_that_two_voices_answer_name_neither() -> None:
    lines = list(LAMP)
    lines[6], lines[7] = ("C", LAMP[6][1]), ("B", LAMP[7][1])

    assert names(named(lines)) == [None] * 4


def test_who_is_said_to_be_somebody_else_is_not_given_a_name_of_the_list() -> None:
    lines = [("A", "I brought Dan Holt, who has the lamp. Hi, Wilma."), *LAMP[1:]]

    assert names(named(lines)) == [None] * 4


def test_who_is_called_and_said_to_be_away_is_none_of_the_voices() -> None:
    lines = [(label, text.replace("Nobody at the", "Wilma is ill this week. Nobody at the")) for label, text in LAMP]

    assert names(named(lines)) == [None] * 4


def test_who_speaks_of_somebody_by_name_is_somebody_else() -> None:
    others = [("B", "Wilma had the lamp."), ("C", "So she had."), ("B", "Wilma lit it twice."), ("D", "Twice.")] * 3

    assert names(named([*LAMP, *others])) == [None] * 4


def test_one_who_calls_may_call_anybody_however_often() -> None:
    """His dog, who is away, himself in a tale."""
    assert jointly([("A" if label == "D" and "Wilma" in text else label, text) for label, text in LAMP]) == {}


def test_naming_jointly_is_never_as_sure_as_being_told_and_teaches_no_voice() -> None:
    [found] = [speaker for speaker in named(LAMP).speakers if speaker.name]

    assert (found.confidence or 1.0) < LEARNED_CONFIDENCE
    assert [each.quote for each in found.evidence] == ["Wilma.", "Hi, Wilma."]


#: A minute of talk, in which nobody is called.
MINUTE = " ".join(["The tide came up over the wall that night and nobody had told the harbour about it."] * 10)

FROST = "It was a long way back for all of us, and the oars were white with frost, and the lamp went out twice."

#: Three voices of a minute each. A alone calls Wilma, and C alone calls Osric.
FLOOD = [
    ("A", MINUTE),
    ("B", MINUTE),
    ("C", MINUTE),
    ("B", "And nobody saw the second boat."),
    ("A", "It was a long way back, and by then you had it, Wilma, the lamp."),
    ("B", "It went out twice."),
    ("A", "Twice, in that wind."),
    ("B", "And I had the oars."),
    ("A", "They were white by then, and you had them, Wilma, in your lap."),
    ("B", "And on my knees."),
    ("A", "And on the knees of all of us."),
    ("C", "And the bell was white by then, Osric, from the frost."),
    ("A", "It was."),
    ("C", "And nobody but you had rung it, Osric, that night."),
    ("A", "Nobody had."),
]
FLOOD_LIST = ("Bo Lund", "Osric Pell", "Wilma Quist")


def test_where_the_list_is_as_long_as_there_are_voices_one_caller_is_enough_and_the_last_name_is_for_the_last() -> (
    None
):
    found = named(FLOOD, FLOOD_LIST)

    assert jointly(FLOOD, FLOOD_LIST) == {"S1": "Osric Pell", "S2": "Wilma Quist"}
    assert names(found) == ["Osric Pell", "Wilma Quist", "Bo Lund"]
    assert found.speakers[2].known_by is NameMethod.ELIMINATION


@pytest.mark.parametrize("people", [(*FLOOD_LIST, "Tessa Lunn"), FLOOD_LIST[1:]], ids=["longer", "shorter"])
def test_one_caller_is_not_enough_where_the_list_is_longer_or_shorter(people: tuple[str, ...]) -> None:
    assert jointly([*FLOOD, *FLOOD[3:]], people) == {}


def test_one_caller_is_not_enough_for_a_voice_that_speaks_less_than_a_minute() -> None:
    lines = [(label, text.replace(MINUTE, MINUTE[:300])) for label, text in FLOOD]

    assert jointly(lines, FLOOD_LIST) == {}


def test_the_last_voice_without_a_name_needs_no_minute_where_another_speaks_of_the_last_person() -> None:
    lines = [
        ("A", "I'm Bo Lund."),
        ("B", "The lamp is out."),
        ("A", "Wilma and I lit it twice."),
        ("B", "Twice."),
    ] * 2

    assert names(named(lines, ("Bo Lund", "Wilma Quist"))) == ["Bo Lund", "Wilma Quist"]
    assert names(named(lines, ("Bo Lund", "Wilma Quist", "Osric Pell"))) == ["Bo Lund", None]
    assert names(named(lines[:2], ("Bo Lund", "Wilma Quist"))) == ["Bo Lund", None]


def test_the_last_voice_keeps_no_name_where_somebody_who_is_not_expected_was_named() -> None:
    lines = [("D", f"I'm Tessa Lunn. {MINUTE}"), *FLOOD, *[("C", "Clara lit it."), ("A", "She did.")] * 3]

    assert names(named(lines, (*FLOOD_LIST, "Clara Winter"))) == ["Tessa Lunn", "Osric Pell", "Wilma Quist", None]


def test_a_name_that_rests_on_a_single_turn_makes_no_other_by_elimination() -> None:
    once = [line for line in FLOOD if "you had them, Wilma" not in line[1]]
    once += [("C", "Wilma lit it."), ("A", "So it was lit.")]  # so that C is not Wilma

    assert jointly(once, FLOOD_LIST) == {"S1": "Osric Pell", "S2": "Wilma Quist"}
    assert names(named(once, FLOOD_LIST)) == ["Osric Pell", "Wilma Quist", None]


def test_between_two_one_turn_names_nobody_however_often_it_calls() -> None:
    """Who tells what his mother called him, calls himself."""
    tale = f"We lived by the harbour then. Wilma, wash your hands. Wilma, sit down. {MINUTE}"
    lines = [("A", MINUTE), ("B", tale), ("A", MINUTE), ("B", MINUTE)]

    assert jointly(lines, ("Wilma Quist", "Bo Lund")) == {}


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (f"{MINUTE} {FROST} Did you hear the bell, Wilma?", {"S2": "Wilma Quist"}),
        (f"{MINUTE} {FROST} What are we going to do about it Wilma?", {"S2": "Wilma Quist"}),
        (f"Wilma, you rang it. {MINUTE}", {"S2": "Wilma Quist"}),
        (f"It was dark. Wilma, you rang it. {MINUTE}", {}),  # in the middle of a tale
        (f"{MINUTE} And my mother said to whom it was. Did you hear the bell, Wilma?", {}),
        (f"{MINUTE} {FROST} It was dark, Wilma, and late.", {}),  # to nobody
    ],
)
def test_between_two_who_are_both_on_the_list_one_call_is_enough_where_it_is_said_to_the_other(
    said: str, found: dict[str, str]
) -> None:
    lines = [("A", said), ("B", MINUTE), ("A", MINUTE), ("B", MINUTE)]

    assert jointly(lines, ("Wilma Quist", "Bo Lund")) == found


def test_the_short_form_of_one_participant_that_is_the_name_of_another_calls_that_one() -> None:
    lines = [*FLOOD, ("A", "Did you hear the bell, Danny?"), ("B", "I did."), ("C", "Danny, you did not.")]
    lines = [(label, text.replace("Wilma", "Danny")) for label, text in lines]

    assert jointly(lines, ("Daniel Lund", "Osric Pell", "Danny Quist")) == {"S1": "Osric Pell", "S2": "Danny Quist"}
    assert names(named(lines, ("Daniel Lund", "Osric Pell", "Danny Quist")))[1] == "Danny Quist"


def test_of_two_who_are_both_on_the_list_the_one_speaks_of_the_other_and_that_is_quoted() -> None:
    said = ("A", f"{MINUTE} After this, Wilma and I talk about the lamp.")
    people = ("Wilma Quist", "Bo Lund")

    found = named([said, ("B", MINUTE)] * 3, people)

    assert names(found) == ["Bo Lund", "Wilma Quist"]
    assert [each.quote for each in found.speakers[1].evidence][:1] == ["After this, Wilma and I talk about the lamp."]
    assert {each.method for each in found.speakers[1].evidence} == {NameMethod.PARTICIPANT}


def test_between_two_who_is_spoken_of_once_stays_without_a_name() -> None:
    told = ("A", f"{MINUTE} That boat was the one that Wilma Quist built.")

    assert jointly([told, ("B", MINUTE), ("A", MINUTE), ("B", MINUTE)], ("Wilma Quist", "Bo Lund")) == {}


@pytest.mark.parametrize(
    ("said", "manner"),
    [
        ("Did you see it, Wilma?", Manner.ASKED),
        ("It was late. So you saw it, Wilma.", Manner.CALLED_LAST),
        ("So you saw it, Wilma.", Manner.CALLED_FIRST),
        ("It was. It was. It was. Well, Wilma, it was. It was. It was. It was.", Manner.CALLED_WITHIN),
        ("Hi, Wilma.", Manner.GREETED),
        ("Thanks so much, Wilma.", Manner.THANKED),
        ("Wilma Quist lit it.", Manner.IN_FULL),
        ("Wilma lit it.", Manner.SPOKEN_OF),
        ("Wilma, she never came.", Manner.SPOKEN_OF),
        ("We saw Wilma and Osric there.", Manner.SPOKEN_OF),
        ("My sister, Wilma, lit it.", Manner.SPOKEN_OF),
        ("Wilma is ill this week.", Manner.AWAY),
        ("Get well soon, Wilma.", Manner.AWAY),
        ("I am filling in for Wilma.", Manner.AWAY),
        ("Wilma has the flu.", Manner.AWAY),
        ("Our thanks to Wilma.", None),
        ("This is The Wilma Quist Show.", None),
        ("And she said, Wilma, go home.", None),
        ("I'm Wilma.", None),
        ("Nobody saw the lamp.", None),
    ],
)
def test_how_a_name_is_said(said: str, manner: Manner | None) -> None:
    transcript, _ = document([("A", said), ("B", "It was so.")])
    participants = tuple(parse_participant(name) for name in LIST)
    talk = Talk(replace(transcript, episode=replace(transcript.episode, participants=participants)))

    people = [Person(each.name, each) for each in participants]

    found = [each for each in find_mentions(talk, people, range(len(people))) if not each.person]

    assert [each.manner for each in found] == ([] if manner is None else [manner])


def test_of_two_calls_and_no_other_evidence_the_voice_that_answers_has_a_name_and_of_one_call_none() -> None:
    once = [(label, text.replace(" over the wind, Wilma?", " over the wind?")) for label, text in NOTES]

    assert jointly(NOTES) == {"S3": "Wilma Quist"}
    assert jointly(once) == {}


@pytest.mark.parametrize(
    ("person", "word", "is_called"),
    [
        ("Kevin Ball", "Kball", True),
        ("Paul Rice", "Price", False),  # a word
        ("Carl Lara", "Clara", False),  # somebody else
        ("Kevin Ball", "Kballs", False),
    ],
)
def test_an_initial_and_the_surname_in_one_word_call_somebody_where_they_are_no_word(
    person: str, word: str, is_called: bool
) -> None:
    assert calls(Person(person, parse_participant(person)), word) is is_called


def test_an_alias_of_spaces_calls_nobody() -> None:
    person = Person("Ana Ruiz", Participant("Ana Ruiz", aliases=("", "  ")))

    assert calls(person, "Ana")
    assert not calls(person, "Wilma")


@pytest.mark.parametrize("seed", range(60))
def test_no_other_way_to_give_things_out_is_worth_more(seed: int) -> None:
    chance = random.Random(seed)
    rows, columns = chance.randint(0, 4), chance.randint(0, 4)
    values = [[chance.uniform(-3, 5) for _ in range(columns)] for _ in range(rows)]

    chosen, worth = best_assignment(values)

    ways = itertools.permutations(range(columns + rows), rows)
    best = max(sum(max(0.0, values[i][j]) for i, j in enumerate(way) if j < columns) for way in ways)
    given = [column for column in chosen if column is not None]
    assert len(given) == len(set(given))
    assert worth == pytest.approx(best)
