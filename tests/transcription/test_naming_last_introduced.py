"""Who is left once others have names: of the rivals for a voice, and of those who were introduced."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evaluation.naming_cases import document
from schemas.transcript import NameMethod, Speaker
from transcription.naming import name_speakers
from transcription.naming.decisions import Decision, believed_names
from transcription.naming.evidence import Piece
from transcription.naming.people import Person
from transcription.naming.talk import Talk
from transcription.participants import parse_participant

ALONG = "We watched the gauge by the quay all night, and the water rose by a hand and fell again before the sun. "
OPENING = "I'm Greta Vance, my co-host is Hugo, and our guest today is Osric Pell, who rigs boats."


def speakers(
    opening: str = OPENING, *, last: str = ALONG * 12, second: str = "Hello, my name is Osric Pell."
) -> list[Speaker]:
    """A host opens, a second voice says its name, and a third one follows; the host speaks in between."""
    lines = [("A", f"Welcome to Low Water. {opening}"), ("B", second), ("A", ALONG), ("C", last), ("A", ALONG)]
    transcript, _ = document(lines)
    return list(name_speakers(transcript).speakers)


def test_the_one_voice_left_is_the_one_person_left_of_those_introduced() -> None:
    found = speakers()

    assert [each.name for each in found] == ["Greta Vance", "Osric Pell", "Hugo"]
    assert found[2].known_by is NameMethod.ELIMINATION
    assert [each.quote for each in found[2].evidence] == ["my co-host is Hugo"]


@pytest.mark.parametrize(
    ("opening", "last", "second"),
    [
        (OPENING, "We watched the gauge.", "Hello, my name is Osric Pell."),  # hardly speaks
        (OPENING, ALONG * 12, "Hello, I am glad to be on."),  # somebody else has no name either
        (
            OPENING.replace("is Hugo", "is Hugo, I am joined by Wilma, too"),
            ALONG * 12,
            "My name is Osric Pell.",
        ),
        (OPENING, "Hugo, how was the night? " + ALONG * 12, "Hello, my name is Osric Pell."),  # calls somebody so
        (OPENING, "My name is Mud, as they say. I'm Wilma. " + ALONG * 12, "Hello, my name is Osric Pell."),
        (OPENING.replace("my co-host is Hugo, and ", ""), ALONG * 12, "My name is Osric Pell. Hugo sends greetings."),
    ],
)
def test_nobody_is_named_where_another_may_be_meant(opening: str, last: str, second: str) -> None:
    found = speakers(opening, last=last, second=second)
    assert NameMethod.ELIMINATION not in {each.known_by for each in found}
    assert "Hugo" not in {each.name for each in found}


def test_who_has_a_name_already_is_no_rival() -> None:
    """Both voices are called Emily, and the first one is found to be Katelyn Moor."""
    transcript, _ = document([("A", "Emily, over to you."), ("B", "Good."), ("A", "Emily?"), ("C", "Yes.")])
    talk, people = Talk(transcript), [Person("Emily"), Person("Katelyn Moor"), Person("Katelyn")]
    pieces = [
        Piece("S2", 0, 0.7, NameMethod.ADDRESS, "Emily", 0, 0, 0, "Emily"),
        Piece("S3", 0, 0.65, NameMethod.ADDRESS, "Emily", 2, 0, 0, "Emily"),
        Piece("S3", 2, 0.7, NameMethod.ADDRESS, "Katelyn", 2, 0, 0, "Katelyn"),
    ]
    given = {"S2": Decision(1, 2.0, (), NameMethod.ADDRESS)}

    assert believed_names(talk, people, pieces) == {}
    assert {voice: each.person for voice, each in believed_names(talk, people, pieces, given).items()} == {"S3": 0}


@pytest.mark.parametrize("last", [ALONG * 12, "It was cold there."])
def test_of_two_voices_left_neither_is_the_one_person_left(last: str) -> None:
    lines = [("A", f"Welcome to Low Water. {OPENING}"), ("B", "Hello, my name is Osric Pell."), ("A", ALONG)]
    transcript, _ = document([*lines, ("C", ALONG * 12), ("A", ALONG), ("D", last), ("A", ALONG)])

    assert [each.name for each in name_speakers(transcript).speakers] == ["Greta Vance", "Osric Pell", None, None]


@pytest.mark.parametrize(("listed", "name"), [(("Osric Pell", "Hugo Lund"), "Hugo Lund"), (("Osric Pell",), None)])
def test_of_a_list_it_is_somebody_on_it(listed: tuple[str, ...], name: str | None) -> None:
    lines = [("A", f"Welcome to Low Water. {OPENING}"), ("B", "Hello, my name is Osric Pell."), ("A", ALONG)]
    transcript, _ = document([*lines, ("C", ALONG * 12), ("A", ALONG)])
    participants = tuple(parse_participant(each) for each in listed)
    transcript = replace(transcript, episode=replace(transcript.episode, participants=participants))

    assert [each.name for each in name_speakers(transcript).speakers] == ["Greta Vance", "Osric Pell", name]


def test_who_is_said_to_be_away_is_nobody_who_talks() -> None:
    said = f"{ALONG} Hugo is ill today, get well soon, Hugo."
    lines = [("A", f"Welcome to Low Water. {OPENING}"), ("B", "Hello, my name is Osric Pell."), ("A", said)]
    transcript, _ = document([*lines, ("C", ALONG * 12), ("A", ALONG)])

    assert [each.name for each in name_speakers(transcript).speakers] == ["Greta Vance", "Osric Pell", None]
