"""Voices that no rule names and no list gives, named by all that a long talk says. Invented people only."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from schemas.transcript import NameMethod, Transcript
from tests.transcription.test_naming_weighed_lists import HARBOUR, TIDE, listed, without
from transcription.naming import found_by_rules, name_speakers
from transcription.naming.features import UNLISTED_WEIGHTS, WEIGHTS, Feature, value_of
from transcription.naming.unlisted import MOST_PEOPLE, Candidates, candidates, named_unlisted

Lines = list[tuple[str, str]]

#: Nobody is called in it as far as `CALLS`.
QUIET = without(without(HARBOUR, "Wilma"), "Ada")
#: Wilma is thanked by one and called by another, which no single rule believes among three.
CALLS: Lines = [
    ("C", "The bell froze to the rope. " + TIDE),
    ("A", "Thank you, Wilma. " + TIDE),
    ("B", "That was on the wall, Wilma."),
    ("C", "It was. " + TIDE),
]
ONE_CALL: Lines = [("A", "What was it, Wilma?"), ("C", "The church. " + TIDE)]
#: Between two one call is enough, and being called like this is none.
SPOKEN_FOR: Lines = [("A", "It was dark, Wilma, and cold."), ("C", "It was. " + TIDE)]


def talk(lines: Lines) -> Transcript:
    return listed(lines, ())


def names(transcript: Transcript) -> list[str | None]:
    return [speaker.name for speaker in name_speakers(transcript).speakers]


def weighed(transcript: Transcript) -> Candidates:
    found = found_by_rules(transcript)
    return candidates(found.talk, found.people, found.heard, found.pieces, found.named)


def test_who_is_called_all_through_a_long_talk_is_named_where_no_rule_does() -> None:
    transcript = talk([*QUIET, *CALLS])
    assert not found_by_rules(transcript).named
    third = name_speakers(transcript).speakers[2]
    assert (third.name, third.known_by) == ("Wilma", NameMethod.ADDRESS)
    assert third.confidence is not None
    assert 0.85 <= third.confidence <= 0.89
    assert {each.quote for each in third.evidence} == {"Thank you, Wilma", "That was on the wall, Wilma."}


def test_a_single_call_is_likely_and_not_enough() -> None:
    assert names(talk([*QUIET, *ONE_CALL])) == [None, None, None]


def test_a_short_talk_is_not_weighed() -> None:
    short = [(label, text.replace(TIDE, "")) for label, text in [*QUIET, *CALLS]]
    assert not weighed(talk(short)).voices
    assert names(talk(short)) == [None, None, None]


def test_with_a_list_nobody_else_is_weighed() -> None:
    assert not weighed(listed([*QUIET, *CALLS], ("Osric Pell",))).voices


def test_who_has_a_voice_already_or_is_away_is_nobody_else() -> None:
    transcript = talk([*QUIET, *CALLS])
    first, *others = transcript.speakers
    by_hand = replace(first, name="Wilma Quist", known_by=NameMethod.GIVEN)
    assert names(replace(transcript, speakers=(by_hand, *others))) == ["Wilma Quist", None, None]
    assert "Wilma" not in names(talk([*QUIET, *CALLS, ("B", "Wilma is ill this week.")]))


def test_a_voice_that_has_a_name_is_not_weighed() -> None:
    told = [(label, text.replace("It is late", "I'm Ada Quill. It is late")) for label, text in QUIET]
    assert weighed(talk([*told, *CALLS])).voices == ["S2", "S3"]


def test_who_introduces_himself_otherwise_is_not_who_is_called() -> None:
    lines = [(label, text.replace("The bell froze", "This is Dan. The bell froze")) for label, text in CALLS]
    assert "Wilma" not in names(talk([*QUIET, *lines]))


def test_a_talk_in_which_nobody_is_called_has_nobody_to_weigh() -> None:
    assert not weighed(talk(without(QUIET, "Bram"))).voices
    assert named_unlisted_of(talk(without(QUIET, "Bram"))) == {}


def named_unlisted_of(transcript: Transcript) -> dict[str, object]:
    found = found_by_rules(transcript)
    return dict(named_unlisted(found.talk, found.people, found.heard, found.pieces, found.named))


def test_the_most_called_are_weighed() -> None:
    given = ("Clara", "Dan", "Edith", "Frank", "Greta", "Hugo", "Iris", "Jonas", "Karin", "Leo")
    lines: Lines = [("A", f"That was on the wall, {name}.") for name in given]
    found = weighed(talk([*QUIET, *CALLS, *lines]))
    assert len(found.people) == MOST_PEOPLE


# ---------------------------------------------------------------- features


def features(lines: Lines, name: str = "Wilma") -> dict[str, dict[Feature, float]]:
    """By voice, for the person of that given name."""
    transcript = talk(lines)
    found, weighed_ = found_by_rules(transcript), weighed(transcript)
    person = next(i for i in weighed_.people if found.people[i].given == name)
    return {voice: dict(weighed_.features[voice, person]) for voice in weighed_.voices}


def test_each_feature_has_a_weight_in_one_of_the_tables() -> None:
    assert set(WEIGHTS) | set(UNLISTED_WEIGHTS) == set(Feature)
    assert value_of({Feature.LISTED: 3.0, Feature.UNLISTED: 2.0}, UNLISTED_WEIGHTS) == pytest.approx(
        2 * UNLISTED_WEIGHTS[Feature.UNLISTED]
    )


def test_calls_are_counted_and_clear_ones_for_the_voice_that_they_mean() -> None:
    found = features([*QUIET, *CALLS])
    assert found["S3"][Feature.CALLED_OFTEN] == found["S1"][Feature.CALLED_OFTEN] == pytest.approx(math.log(3))
    assert found["S3"][Feature.CALLED_CLEARLY] == pytest.approx(math.log(2))
    assert found["S1"][Feature.CALLED_CLEARLY] == 0.0


def test_a_word_that_is_used_as_a_things_name_and_a_surname_are_told() -> None:
    thing = features([*QUIET, *CALLS, ("B", "In Wilma we trust, in Wilma. " + TIDE)])
    full = features([*QUIET, ("C", TIDE), ("A", "Thank you, Wilma Quist. " + TIDE)])
    assert (thing["S3"][Feature.IS_A_THING], thing["S3"][Feature.HAS_SURNAME]) == (1.0, 0.0)
    assert (full["S3"][Feature.IS_A_THING], full["S3"][Feature.HAS_SURNAME]) == (0.0, 1.0)
    assert thing["S3"][Feature.IS_A_NAME] == 1.0


def test_how_many_talk_counts() -> None:
    assert features([*QUIET, *CALLS])["S3"][Feature.TWO_TALK] == 0.0
    assert features([*QUIET, *CALLS])["S3"][Feature.MANY_TALK] == pytest.approx(math.log(1.5))
    two = features([(label.replace("B", "A"), text) for label, text in [*QUIET, *SPOKEN_FOR]])
    assert two["S2"][Feature.TWO_TALK] == 1.0
    assert two["S2"][Feature.MANY_TALK] == 0.0
