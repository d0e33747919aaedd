"""Voices that are heard in passing, and recorded ones, beside those who talk."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evaluation.naming_cases import document
from schemas.transcript import Transcript
from transcription.naming import name_speakers
from transcription.naming.talk import PASSING_WORDS, Talk
from transcription.participants import parse_participant

TIDE = "The tide came up over the wall that night and nobody had told the harbour about it. "
TWO = [
    ("A", "It is late, and the lamp is out. " + TIDE * 150),
    ("B", "It was a long way back. " + TIDE * 150),
]
CALLED = [("A", "We rowed on. Hugo, you've been there. " + TIDE * 5), ("B", "I see.")]


def listed(lines: list[tuple[str, str]], *people: str) -> Transcript:
    transcript, _ = document(lines)
    participants = tuple(parse_participant(each) for each in people)
    return replace(transcript, episode=replace(transcript.episode, participants=participants))


def names(lines: list[tuple[str, str]], *people: str) -> list[str | None]:
    return [each.name for each in name_speakers(listed(lines, *people)).speakers]


def test_who_says_a_few_words_of_a_long_talk_passes_by() -> None:
    talk = Talk(listed([*TWO, ("C", "Mind the step.")]))

    assert talk.passers_by == {"S3"}
    assert talk.talkers == ("S1", "S2")


@pytest.mark.parametrize(
    "lines",
    [
        [*TWO, ("C", "step " * (PASSING_WORDS + 1))],  # more than a few words
        [("A", TIDE * 3), ("B", TIDE * 3), ("C", "Mind the step.")],  # a fair part of a short talk
        [TWO[0], ("B", "Mind the step.")],  # one voice would be left
    ],
)
def test_who_says_more_talks(lines: list[tuple[str, str]]) -> None:
    talk = Talk(listed(lines))

    assert not talk.passers_by
    assert talk.talkers == talk.voices


def test_whom_the_list_has_a_name_for_talks() -> None:
    lines = [*TWO, ("C", "Mind the step.")]

    assert Talk(listed(lines, "Ada Quill", "Hugo Pell")).talkers == ("S1", "S2")
    assert Talk(listed(lines, "Ada Quill", "Hugo Pell", "Wilma Quist")).talkers == ("S1", "S2", "S3")


def test_two_talk_as_if_nobody_passed_by() -> None:
    """Of three voices nobody knows whom one call in the middle of a turn means, of two one does."""
    passing = [TWO[0], ("C", "Mind the step."), TWO[1], *CALLED]

    assert names([*TWO, *CALLED]) == [None, "Hugo"]
    assert names(passing) == [None, None, "Hugo"]
    assert names([TWO[0], ("C", TIDE * 10), TWO[1], *CALLED]) == [None, None, None]


def test_a_list_is_whole_without_who_passes_by_or_announces() -> None:
    announcer = ("X", "You're listening to Low Water, a podcast from Quay Street.")
    talk = Talk(listed([announcer, *TWO, ("C", "Mind the step.")], "Ada Quill", "Hugo Pell"))

    assert talk.is_listed_whole
    assert talk.announcers == {"S1"}
    assert talk.passers_by == {"S4"}


def test_nobody_is_the_last_one_left_beside_who_passes_by_or_announces() -> None:
    """Either is a voice without a name, and may be somebody on the list."""
    told = [("A", "I'm Ada Quill. " + TIDE * 150), ("B", TIDE * 150)]
    announcer = ("X", "You're listening to Low Water, a podcast from Quay Street.")

    found = name_speakers(listed([announcer, *told], "Ada Quill", "Hugo Pell")).speakers
    assert [each.name for each in found] == [None, "Ada Quill", None]
    assert [each.name for each in name_speakers(listed(told, "Ada Quill", "Hugo Pell")).speakers] == [
        "Ada Quill",
        "Hugo Pell",
    ]
    assert names([*told, ("C", "Mind the step.")], "Ada Quill", "Hugo Pell") == ["Ada Quill", None, None]
