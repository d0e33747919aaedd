"""Names by how people call one another: beside courtesies, and all through a talk. Invented people only."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evaluation.naming_cases import document
from schemas.transcript import NameMethod, Transcript
from transcription.courtesies import Courtesy, courtesy_beside
from transcription.naming import name_speakers
from transcription.naming.by_calls import named_by_calls
from transcription.naming.claims import claims_of
from transcription.naming.evidence import called_words
from transcription.naming.people import Person, people_of, person_of
from transcription.naming.talk import Talk

#: Ten turns of two voices in which nobody says a name.
BETWEEN = [
    (label, text)
    for label, text in zip(
        "ABABABABAB",
        [
            "The tide came up over the wall that night.",
            "We had the boats out by four.",
            "It was dark still.",
            "It was, and the lamp went out twice on the way over the bar.",
            "And the bell?",
            "Nobody rang it.",
            "Then who lit the lamp?",
            "My sister did.",
            "It was a long way back.",
            "It was.",
        ],
        strict=True,
    )
]


def named(*lines: tuple[str, str]) -> Transcript:
    return name_speakers(document(list(lines))[0])


def names(transcript: Transcript) -> list[str | None]:
    return [speaker.name for speaker in transcript.speakers]


@pytest.mark.parametrize(
    ("said", "name", "courtesy"),
    [
        ("Ada, welcome to the show.", "Ada", Courtesy.RECEIVES),
        ("Thank you so much for joining us, Ada.", "Ada", Courtesy.RECEIVES),
        ("Ada, it's great to have you.", "Ada", Courtesy.RECEIVES),
        ("Thanks for having me, Ada.", "Ada", Courtesy.ANSWERS),
        ("Hi, Ada. It's great to be here.", "Ada", Courtesy.ANSWERS),
        ("Hello, Ada.", "Ada", Courtesy.GREETS),
        ("Thanks, Ada.", "Ada", Courtesy.THANKS),
        ("Ada, I really appreciate it.", "Ada", Courtesy.THANKS),
        ("Ada, you are welcome on the show as well.", "Ada", None),
        ("Good evening, Ada. Welcome, everyone.", "Ada", Courtesy.GREETS),
        ("Ada, the lamp is out.", "Ada", None),
    ],
)
def test_what_is_said_beside_a_name_is_told_by_its_words(said: str, name: str, courtesy: Courtesy | None) -> None:
    at = said.index(name)
    end = said.index(".") + 1

    assert courtesy_beside(said, 0, end, (at, at + len(name))) is courtesy


@pytest.mark.parametrize(
    "welcome",
    [
        "Nadav, welcome to the show.",
        "Nadav welcome back to the show.",
        "Welcome to the show Nadav.",
        "Thank you so much for joining me Nadav.",
        "Well, Nadav, it's great to have you here.",
    ],
)
def test_one_call_beside_a_welcome_names_the_only_other_voice(welcome: str) -> None:
    assert names(named(("A", welcome), ("B", "Thank you. It was dark still."), *BETWEEN)) == [None, "Nadav"]


@pytest.mark.parametrize(
    "answer",
    [
        "Your mug is in the post.",
        "Yes, welcome! We are glad that you have found us.",
        "Thanks for coming, all of you.",
    ],
)
def test_a_welcome_that_the_other_voice_does_not_take_is_for_somebody_else(answer: str) -> None:
    assert names(named(("A", "Nadav, welcome to the show."), ("B", answer), *BETWEEN)) == [None, None]


@pytest.mark.parametrize(
    "said",
    [
        "Nadav, welcome home.",
        "Nadav, welcome to the family.",
        "Thank you, Nadav, for the music. Welcome to the show.",
        "Thanks for taking us to the stars, Nadav.",
        "Thank you for coming out tonight Nadav.",
    ],
)
def test_what_is_said_to_a_bride_a_listener_or_the_dead_receives_nobody(said: str) -> None:
    assert names(named(*BETWEEN, ("A", said), ("B", "Thank you. It was dark still."), *BETWEEN)) == [None, None]


@pytest.mark.parametrize(
    "answer",
    [
        "Thanks for having me, Tessa.",
        "Thank you for having me Tessa.",
        "Hi, Tessa. Great to be here.",
        "...Tessa, it's good to be back.",
    ],
)
def test_one_call_beside_a_guests_thanks_names_the_only_other_voice(answer: str) -> None:
    assert names(named(("A", "Here we are."), ("B", answer), *BETWEEN)) == ["Tessa", None]


def test_thanks_at_the_very_end_name_the_only_other_voice_and_elsewhere_nobody() -> None:
    thanks = [("A", "That is all we have. Thank you, Tessa."), ("B", "It was a pleasure.")]

    assert names(named(*BETWEEN, *thanks)) == [None, "Tessa"]
    assert names(named(*BETWEEN, *thanks[:1])) == [None, "Tessa"]
    assert names(named(*BETWEEN, *thanks, *BETWEEN)) == [None, None]
    assert (
        names(named(*BETWEEN, ("A", "And thank you, Tessa, as always."), ("B", "The tide turns at four.")))
        == [None] * 2
    )


def test_among_three_a_welcome_is_for_the_voice_that_enters_and_greets() -> None:
    welcome = ("A", "Thank you so much, Tessa, for coming on.")
    answer = "I had the oars, and they were white."

    assert names(named(*BETWEEN, welcome, ("C", f"Thank you. {answer}"), *BETWEEN)) == [None, None, "Tessa"]
    assert names(named(*BETWEEN, welcome, ("C", answer), *BETWEEN)) == [None, None, None]


def test_of_two_who_are_welcomed_in_one_turn_nobody_knows_who_answers() -> None:
    answer = ("B", "Thank you. I had the oars, and they were white.")
    one, other = "Nadav, welcome to the show.", "And Ronit, it's great to have you."

    assert names(named(("A", one), answer, *BETWEEN)) == [None, "Nadav"]
    assert names(named(("A", f"{one} {other}"), answer, *BETWEEN)) == [None, None]
    assert names(named(("A", f"I am glad that we are here. {other}"), answer, *BETWEEN)) == [None, None]


def test_a_word_that_no_list_knows_is_a_name_where_somebody_is_thanked_by_it_and_a_thing_is_not() -> None:
    called = [
        ("A", "You lit it twice, Zorbel, on the way?"),
        ("B", "Twice."),
        ("A", "Thanks, Zorbel."),
        ("B", "Well."),
    ]
    things = [("B", "It ran on Zorbel, in Zorbel, over the Zorbel."), ("A", "It did.")]

    assert names(named(*BETWEEN, *called)) == [None, "Zorbel"]
    assert names(named(*BETWEEN, *things, *called)) == [None, None]


def test_words_in_a_list_call_nobody() -> None:
    lists = [("A", "You use Zorbel, Quandle, Frimp, Tolbo, all that?"), ("B", "I do.")] * 3

    assert names(named(*BETWEEN, *lists)) == [None, None]


def test_who_is_spoken_of_as_he_or_she_between_commas_is_somebody_else() -> None:
    told = [("A", "And Otis, back then, he rang the bell."), ("B", "He did.")] * 2
    called = [("A", "And Otis, back then, you rang the bell."), ("B", "I did.")] * 2

    assert names(named(*BETWEEN, *told)) == [None, None]
    assert names(named(*BETWEEN, *called)) == [None, "Otis"]


def test_whom_everybody_talks_about_and_hardly_anybody_calls_is_somebody_else() -> None:
    calls = [("A", "So, Otis, fifty boats."), ("B", "Fifty.")] * 2
    told = [("B", "That boat was for Otis. The oars are what Otis made. We had Otis out by four. Otis was dark.")] * 5

    assert names(named(*BETWEEN, *calls)) == [None, "Otis"]
    assert names(named(*BETWEEN, *calls, *told)) == [None, None]


def test_a_full_name_that_is_only_mentioned_takes_no_calls_of_another_form() -> None:
    talk = [
        ("A", "Michael, can you tell us about the oars?"),
        ("B", "They were white."),
        ("A", "Mike Holt."),
        ("B", "He made them."),
        ("A", "Michael, what about the lamp?"),
        ("B", "It was out."),
    ]

    assert names(named(*BETWEEN, *talk)) == [None, "Michael"]


def test_late_in_a_talk_who_we_are_lucky_to_have_is_not_the_one_who_is_spoken_to() -> None:
    lucky = [("B", "We are lucky to have Tessa Lunn for that."), ("A", "You are.")]

    assert names(named(*BETWEEN, *lucky, *BETWEEN)) == [None, None]


@pytest.mark.parametrize(
    ("opening", "found"),
    [
        ("Welcome to the Tessa Lunn podcast, a show about boats.", "Tessa Lunn"),
        ("You're listening to the Tessa Lunn show.", "Tessa Lunn"),
        ("Welcome to the Tessa Lunn podcast. I'm Otis Bell, and I'm sitting in.", "Otis Bell"),
        ("Welcome to the Tessa Lunn podcast. Tessa is away, so you have me.", None),
        ("Welcome to the Tessa Lunn podcast with me in the chair for once.", None),
        ("I never miss the Tessa Lunn podcast.", None),
        ("This is the Tessa Lunn show at its best.", None),
        ("Welcome to the Back Room podcast.", None),
    ],
)
def test_who_opens_a_show_that_bears_a_name_bears_it_too(opening: str, found: str | None) -> None:
    call = ("B", "It was dark still, and I mean it, Tessa, dark.")

    assert names(named(("A", opening), call, *BETWEEN)) == [found, None]


def test_a_show_that_bears_a_name_may_be_a_companys_and_names_nobody_alone() -> None:
    assert names(named(("A", "Welcome to the Tessa Lunn podcast."), *BETWEEN[1:])) == [None, None]


def test_a_show_that_bears_a_name_is_not_opened_in_the_middle_or_by_a_voice_that_says_no_more() -> None:
    opening = "Welcome to the Tessa Lunn podcast."
    call = ("B", "It was dark still, and I mean it, Tessa, dark.")

    assert names(named(("A", opening), call, *BETWEEN)) == ["Tessa Lunn", None]
    assert names(named(*BETWEEN, ("A", opening), call, *BETWEEN)) == [None, None]
    assert names(named(("C", opening), *BETWEEN, *BETWEEN)) == [None, None, None]


#: Three voices. A calls Otis in four turns; C answers three of them, B the other.
HABIT = [
    ("B", "The tide came up over the wall that night, and nobody had told the harbour about it."),
    ("C", "We had the boats out by four, in that wind, and the lamp went out twice on the way over the bar."),
    ("A", "And how was it out there, Otis, with the second boat?"),
    ("C", "Cold. We had been out since the evening before, and the oars were white with frost, all of them."),
    ("B", "And I had the bell. It was a long way back for all of us, and nobody at the harbour had seen it."),
    ("A", "Did you hear it over the wind, Otis?"),
    ("C", "I thought that it was the church at first, and then we saw the light go on above the wall."),
    ("B", "Nobody had told the church either, so that the light was a wonder to everybody who saw it go on."),
    ("A", "You said once that you saw it first, Otis."),
    ("B", "I saw it before anybody did, and I said so at the time, to whoever would listen to me."),
    ("C", "You did. It was still dark by then, and the lamp was in the second boat, under the oars."),
    ("A", "Would you go out again, Otis?"),
    ("C", "In that wind? Not for any lamp, and not for any bell either, whatever they say about it now."),
]


def test_whom_one_voice_keeps_calling_among_three_is_the_one_who_mostly_answers() -> None:
    found = named(*HABIT)

    assert names(found) == [None, "Otis", None]
    assert found.speakers[1].known_by is NameMethod.ADDRESS
    assert all("Otis" in each.quote for each in found.speakers[1].evidence)


def test_whom_one_voice_calls_once_among_three_is_nobody() -> None:
    once = [(label, text.replace(", Otis", "") if i != 11 else text) for i, (label, text) in enumerate(HABIT)]

    assert names(named(*once)) == [None, None, None]


@pytest.mark.parametrize(("told", "found"), [("Otis has a lamp.", {"S2": "Otis"}), ("Otis is away this week.", {})])
def test_by_calls_alone_whose_absence_is_told_is_nobody(told: str, found: dict[str, str]) -> None:
    assert _by_calls([*HABIT, ("B", told)]) == found


def test_thanks_at_the_end_to_which_a_colleague_speaks_on_are_for_the_third_voice() -> None:
    ends = [("B", "And the bell?"), ("A", "Tessa, thank you so much for coming on the show.")]
    guest = ("C", "I had the oars, and they were white with frost, all of them, by four.")
    talk = [*BETWEEN, guest, *BETWEEN]

    assert names(named(*talk, *ends, ("B", "Yes, this was wonderful."), ("C", "It was a joy."))) == [None, None, None]
    assert names(named(*talk, *ends, ("B", "Thank you. It was a joy."))) == [None, "Tessa", None]


def test_who_answers_with_nothing_but_a_name_calls_nobody_by_it() -> None:
    asked = ("A", "Tessa, welcome. How is your last name pronounced?")

    assert names(named(asked, ("B", "Otis."), *BETWEEN)) == [None, None]
    assert names(named(asked, ("B", "Otis, it was dark still."), *BETWEEN)) == ["Otis", None]


def test_a_full_name_between_commas_is_spoken_of_and_calls_nobody_however_often() -> None:
    talk = [
        ("A", "There was one who had a lamp, Otis Bell."),
        ("B", "He had."),
        ("A", "Otis Bell, yes."),
        ("B", "He."),
    ]

    assert names(named(*BETWEEN, *talk, *talk)) == [None, None]


def test_a_city_that_is_welcomed_is_none_of_the_voices() -> None:
    assert names(named(("A", "Well, London, welcome to the show."), ("B", "Thank you."), *BETWEEN)) == [None, None]


def test_a_word_that_no_list_knows_is_a_name_where_two_turns_call_it_and_say_you() -> None:
    calls = [("A", "You lit it twice, Zorbel, on the way?"), ("B", "Twice.")]
    tells = [("A", "It was lit twice, Zorbel, on the way."), ("B", "Twice.")]

    assert _called_words([*BETWEEN, *calls, *calls]) == {"Zorbel"}
    assert _called_words([*BETWEEN, *calls]) == set()
    assert _called_words([*BETWEEN, *tells, *tells]) == set()


def test_a_word_that_is_used_as_a_thing_once_in_an_hour_is_a_name_still() -> None:
    calls = [("A", "You lit it twice, Zorbel, on the way?"), ("B", "Twice.")] * 4

    assert names(named(*BETWEEN, ("B", "That was the best of Zorbel."), *calls)) == [None, "Zorbel"]


def test_a_word_before_the_name_by_which_somebody_is_called_is_no_part_of_it() -> None:
    calls = [("A", "Did you hear the bell, Adam?"), ("B", "I did.")] * 2

    assert names(named(*BETWEEN, ("A", "Go Adam."), ("B", "Well."), *calls)) == [None, "Adam"]
    assert names(named(("A", "Who's Adam?"), ("B", "Well."), *BETWEEN, *calls)) == [None, "Adam"]


def test_what_one_thought_to_say_to_somebody_is_said_to_nobody() -> None:
    thoughts = [("A", "And I thought, well, Otis, you have done it again."), ("B", "You had.")] * 2

    assert names(named(*BETWEEN, *thoughts)) == [None, None]


def test_a_beginning_of_the_given_name_that_somebody_is_introduced_by_is_short_for_it() -> None:
    welcome = ("A", "My guest today is Gordon Vance. Well, Gord, welcome to the show.")

    assert names(named(welcome, ("B", "Thank you. It was dark still."), *BETWEEN)) == [None, "Gordon Vance"]


def test_who_has_exactly_the_name_is_called_by_it_and_not_whose_name_may_be_short() -> None:
    assert person_of([Person("Daniel Lund"), Person("Danny Quist")], "Danny") == 1
    assert person_of([Person("Daniel Lund"), Person("Daniel Quist")], "Danny") is None


def test_a_turn_without_paragraphs_is_no_error() -> None:
    transcript, _ = document([("A", "It was dark."), ("B", "It was."), ("A", "That's Ana Ruiz, who kept the light.")])
    first, second, third = transcript.turns

    assert names(name_speakers(replace(transcript, turns=(first, replace(second, paragraphs=()), third))))[0] is None


def test_whom_somebody_speaks_of_and_hardly_calls_is_by_calls_alone_nobody() -> None:
    told = ("B", "Otis had it. It was for Otis. We saw Otis there. The lamp was lit by Otis. Otis rang. ")

    assert _by_calls([*HABIT, (told[0], told[1])]) == {"S2": "Otis"}
    assert _by_calls([*HABIT, (told[0], told[1] * 3)]) == {}


def test_a_voice_that_speaks_for_seconds_is_by_calls_alone_nobody() -> None:
    brief = [(label, text if label != "C" else "I did.") for label, text in HABIT]

    assert _by_calls(brief) == {}


def test_who_has_a_name_by_hand_gives_it_to_nobody_else_however_often_it_is_called() -> None:
    bare, _ = document(HABIT)
    by_hand = tuple(
        replace(each, name="Otis Bell", known_by=NameMethod.GIVEN) if each.id == "S1" else each
        for each in bare.speakers
    )

    assert names(name_speakers(bare)) == [None, "Otis", None]
    assert names(name_speakers(replace(bare, speakers=by_hand))) == ["Otis Bell", None, None]


def _called_words(lines: list[tuple[str, str]]) -> frozenset[str]:
    talk = Talk(document(lines)[0])
    return called_words(talk, claims_of(talk))


def _by_calls(lines: list[tuple[str, str]]) -> dict[str, str]:
    """What calls name with no other evidence."""
    talk = Talk(document(lines)[0])
    heard = claims_of(talk)
    people = people_of(talk, heard)
    return {v: people[d.person].full for v, d in named_by_calls(talk, people, heard, [], {}).items()}


@pytest.mark.parametrize(
    "opening",
    [
        "Hi, I'm Zorbel, and this is Low Water, a weekly programme about tides.",
        "Hello everyone. I'm Zorbel, your host, and today it is the lamp.",
        "I'm Zorbel. You're listening to Low Water.",
    ],
)
def test_who_opens_the_show_has_the_name_that_it_is_opened_with_whatever_word_that_is(opening: str) -> None:
    assert names(named(("A", opening), *BETWEEN[1:]))[0] == "Zorbel"


def test_a_word_with_which_no_show_is_opened_stays_no_name() -> None:
    assert names(named(("A", "Hi, I'm Arsenal, and we won."), *BETWEEN[1:])) == [None, None]
    assert names(named(*BETWEEN, ("C", "Hi, I'm Zorbel, and this is Low Water."))) == [None, None, None]


def test_a_show_that_is_called_by_names_is_nobodys_surname() -> None:
    lines = [
        ("A", "Perhaps we call this the Hugo and Wilma Show. Wilma, would you introduce yourself?"),
        *BETWEEN[1:],
    ]
    assert names(named(*lines)) == [None, "Wilma"]


@pytest.mark.parametrize("call", ["So, Osric, how did it begin?", "Hi, Osric, can you tell us how it began?"])
def test_a_second_host_who_asks_the_one_who_was_introduced_is_not_that_one(call: str) -> None:
    lines = [
        ("A", "Today's guest is Osric Pell, who keeps the light at the bar."),
        ("B", call),
        ("C", "With a boat."),
    ]
    found = names(named(*lines, ("A", "Was it dark?"), ("C", "It was dark still, and the lamp went out twice.")))
    assert found[1] is None


def test_a_guest_who_thanks_a_namesake_keeps_the_name_that_he_was_introduced_by() -> None:
    lines = [
        ("A", "Today's guest is Osric Pell, who keeps the light at the bar."),
        ("B", "Thank you for the invitation, Osric."),
    ]
    assert (
        names(named(*lines, ("A", "Was it dark?"), ("B", "It was dark still, and the lamp went out.")))[1]
        == "Osric Pell"
    )


@pytest.mark.parametrize("thanks", ["Thanks a bunch, Wilma.", "Thanks a ton, Wilma."])
def test_thanks_have_many_forms(thanks: str) -> None:
    assert names(named(*BETWEEN, ("A", thanks), ("B", "My pleasure."))) == [None, "Wilma"]
