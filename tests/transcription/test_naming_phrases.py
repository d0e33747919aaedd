"""Names by phrases that published talk uses and the rules did not know, and what looks like them and names nobody."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from evaluation.naming_cases import document
from transcription.courtesies import thanks_before
from transcription.introductions import find_claims
from transcription.names_in_sentences import Whom
from transcription.naming import found_by_evidence, name_speakers
from transcription.participants import parse_participant


@dataclass(frozen=True)
class Case:
    id: str
    lines: str
    expected: list[str | None]


def found(lines: str) -> list[str | None]:
    """The names of the voices of "A: text" lines, by first appearance."""
    pairs = [line.strip().split(": ", 1) for line in lines.strip().splitlines()]
    transcript, _ = document([(label, text) for label, text in pairs])
    return [each.name for each in name_speakers(transcript).speakers]


OF_ONESELF = [
    Case(
        "a word that no list knows, and then what the voice does",
        "A: Welcome back to the harbour.\nB: Hi, I'm Zorbel, I'm a rigger from the east quay.\nA: Good.",
        [None, "Zorbel"],
    ),
    Case(
        "the same without a comma",
        "A: Welcome back to the harbour.\nB: Hello, I'm Zorbel I'm from the east quay.\nA: Good.",
        [None, "Zorbel"],
    ),
    Case(
        "an office",
        "A: Welcome back to the harbour.\nB: Hi, I'm Prime Minister of the east quay.\nA: Good.",
        [None, None],
    ),
    Case(
        "this is, and then what the voice does",
        "A: Welcome to Low Water. This is Greta Vance. I'm a rigger from the east quay.\nB: And I am not.",
        ["Greta Vance", None],
    ),
    Case(
        "this is, and then what it does",
        "A: Welcome to Low Water. This is Greta Vance. It's about tides.\nB: And about boats.",
        [None, None],
    ),
    Case(
        "by what others call the voice",
        "A: And then?\nB: They asked me, “Hey, Greta, can you mend this?” So I did.\nA: Good.\nB: It was.",
        [None, "Greta"],
    ),
    Case(
        "by what others called who is quoted",
        "A: And then?\nB: He said, they asked me, “Hey, Hugo, can you mend this?” So he did.\nA: Good.\nB: It was.",
        [None, None],
    ),
    Case(
        "by what others call somebody else",
        "A: And then?\nB: They asked him, “Hey, Hugo, can you mend this?” So he did.\nA: Good.\nB: It was.",
        [None, None],
    ),
    Case(
        "a state, and then what the voice does",
        "A: Welcome back to the harbour.\nB: Hi, I'm Exhausted, I'm a rigger from the east quay.\nA: Good.",
        [None, None],
    ),
    Case(
        "behind the name of the show",
        "A: This is Low Water. I am Zorbel. We talk about tides today.\nB: And about boats.",
        ["Zorbel", None],
    ),
    Case(
        "a host, whatever else is called so",
        "A: Hi, I'm Zorbel. And this is Low Water, the Zorbel and Wilma Show as some say.\nB: And about boats.",
        ["Zorbel", None],
    ),
    Case(
        "this is, your host",
        "A: Welcome to Low Water. This is Greta Vance, your co-host, as well as the keeper of the gauge.\nB: Yes.",
        ["Greta Vance", None],
    ),
    Case(
        "this is, my host at the hotel",
        "A: Welcome to Low Water. This is Greta Vance, my cousin, as well as the keeper of the gauge.\nB: Yes.",
        [None, None],
    ),
    Case(
        "broken off and begun again",
        "A: I'm Greta Van-\nB: Go on.\nA: I'm Greta Vance.\nB: There.",
        ["Greta Vance", None],
    ),
    Case(
        "one of those who made it",
        "A: I'm Greta Vance. It rained.\nB: It did.\nA: This was edited by myself, Bruno Sala, and Otis Bell.",
        ["Greta Vance", None],
    ),
    Case(
        "where somebody is found",
        "A: We have a special guest today, Zorbel. Welcome!\nB: Thanks for having me.\nA: Where are you found?\n"
        "B: People can find me on the quay, Zorbel Quandle. Ask for the blue boat.",
        [None, "Zorbel"],
    ),
]

OF_GUESTS = [
    Case(
        "a special guest whose name no list knows",
        "A: We talk about ropes, and we have a special guest today, Zorbel. Zorbel works at the walk. Welcome!\n"
        "B: Thanks for having me.",
        [None, "Zorbel"],
    ),
    Case(
        "a special guest behind a dash",
        "A: We talk about ropes. We have a special guest today — Zorbel. The walk is his.\nB: It is long, and cold.",
        [None, "Zorbel"],
    ),
    Case(
        "our guest is, and what he did",
        "A: Our special guest is Zorbel, who has been here before.\nB: Thanks for having me again.",
        [None, "Zorbel"],
    ),
    Case(
        "a thing for a guest",
        "A: Our special guest is Zorbel software again.\nB: Thanks for having me again.",
        [None, None],
    ),
    Case(
        "two stand here with somebody",
        "A: It is the first day. Hugo and I are here with Osric Pell from the rope walk. How do you like it?\n"
        "B: Hello. It is my first time here, and it is loud.\nC: It is always loud.",
        [None, "Osric Pell", None],
    ),
    Case(
        "here, in the studio, with",
        "A: I am here right now, in our improvised studio, with Osric Pell. How do you like it?\n"
        "B: It has been great.\nC: It is always loud.",
        [None, "Osric Pell", None],
    ),
    Case(
        "a colleague cheers",
        "A: We're here with Osric Pell.\nB: Woo!\nC: The tide turns at nine today, and so do we.",
        [None, None, None],
    ),
    Case(
        "who says next to nothing is welcomed",
        "A: I am here with Osric Pell.\nB: Yeah.\nA: Great to have you here. You gave a talk on knots.\n"
        "C: He did, it was good.\nB: I did.",
        [None, "Osric Pell", None],
    ),
    Case(
        "a second host greets, too",
        "A: So today we are joined by Osric Pell from the rope walk. Hello, Osric. Welcome.\nB: Hi, Osric.\n"
        "C: Hello. Thanks for having me.\nA: How did it begin?\nC: With a knot.\nB: Thanks, Osric.\nC: Thank you.",
        [None, None, "Osric Pell"],
    ),
    Case(
        "the given name of who was named before",
        "A: On the last day we met Osric Pell. We're here now with Osric, one of our riggers. How do you like it?\n"
        "B: Oh, I like it, it went well and it was not too long.\nC: It is always loud.",
        [None, "Osric Pell", None],
    ),
    Case(
        "here with a word that no list knows",
        "A: So the first day is over, and I'm here with Zorbel. I understand that you built the gauge. Do you want "
        "to talk about it?\nB: Yes. The gauge is about the tide and how it comes and goes.\nA: Good.",
        [None, "Zorbel"],
    ),
    Case(
        "here with what is a place",
        "A: So the first day is over, and I'm here with Berlin. Do you want to talk about it?\n"
        "B: Yes. The gauge is about the tide and how it comes and goes.\nA: Good.",
        [None, None],
    ),
    Case(
        "who says that it is them",
        "A: The gauge is next. So we also have Hugo Pell with us.\nB: Yep, that's me.\nA: Good.\nB: It is mud.",
        [None, "Hugo Pell"],
    ),
    Case(
        "together with me, and that is them",
        "A: I'm Greta Vance, and I have together with me Joachim.\nB: That's me.\nA: So let us begin.\n"
        "C: Of what do we talk this week, the gauge or the tide?",
        ["Greta Vance", "Joachim", None],
    ),
    Case(
        "who is told of and says that it is them",
        "A: The gauge is next, and the one who kept it all night is Hugo Pell.\nB: Yep, that's me.\nC: It was cold.",
        [None, "Hugo Pell", None],
    ),
    Case(
        "who says that it is somebody else",
        "A: The gauge is next. So we also have Hugo Pell with us.\nB: Yep, that's him.\nC: He is there.\nA: Good.",
        [None, None, None],
    ),
    Case(
        "here with somebody of a trade",
        "A: We're here now with the general chair, Hugo. How do you find it?\nB: It is loud, and it is long.\n"
        "C: It is always loud.",
        [None, "Hugo", None],
    ),
    Case(
        "who is told what he does, and says so",
        "A: I'm here with Osric Pell, who rigs boats at the quay. We had a long night at the gauge, the two of us "
        "and some others, and it was cold. So you're the one who rigs boats.\nB: I rig boats, right.\nC: He does.",
        [None, "Osric Pell", None],
    ),
    Case(
        "whose colleague is told what he does",
        "A: I'm here with Osric Pell, who rigs boats at the quay. We had a long night at the gauge, the two of us "
        "and some others, and it was cold. So you're the one who rigs boats.\nB: He rigs boats, right.\nC: I do.",
        [None, None, None],
    ),
    Case(
        "a second host introduces, the first one turns to the guest",
        "A: My name is Greta Vance and I'm joined by my co host, Otis Bell. Otis, please tell us about our guest.\n"
        "B: Yeah, this is a great interview with Osric Pell. He works at the rope walk, and it is fun to hear.\n"
        "A: Well, Osric, thank you so much for taking the time. Could you introduce yourself?\n"
        "C: I work at the rope walk as a rigger.",
        ["Greta Vance", "Otis Bell", "Osric Pell"],
    ),
]

OF_HANDING_OVER = [
    Case(
        "two who are welcomed together, and one of them is asked",
        "A: Otis and Wilma, welcome back to the show. How is it?\nB: Good, and cold at night.\n"
        "A: And Wilma, do you want to add anything there?\nC: It is wet, too.",
        [None, None, "Wilma"],
    ),
    Case(
        "one who was not welcomed is asked",
        "A: Welcome back to the show. How is it?\nB: Good, and cold at night.\n"
        "A: And Wilma, do you want to add anything there?\nC: It is wet, too. I saw Wilma on it, and Wilma was cold.",
        [None, None, None],
    ),
    Case(
        "somebody who is told to begin",
        "A: It is all ropes today, and knots. Hugo, take it away.\nB: Where did it begin?\n"
        "C: With a knot. I know that Hugo does not know what that is.",
        [None, "Hugo", None],
    ),
    Case(
        "joining us from two places at once",
        "A: Also joining us from the same part of the world, from the rope walk, Osric Pell. How are you?\n"
        "B: Hello, I am well.\nC: It is always loud.",
        [None, "Osric Pell", None],
    ),
    Case(
        "who is greeted by a full name with words before it",
        "A: One half of the rope walk at the quay, Hugo Pell, how are you doing?\nB: Not bad, and you?\n"
        "C: It is always loud.",
        [None, "Hugo Pell", None],
    ),
    Case(
        "who is greeted with a trade, and asked",
        "A: It rained.\nB: It did.\nA: We come to the walk. Hey, Wilma, head of the ropes at the quay. "
        "How many would you make a day?\nC: Forty, or so I am told.\nB: So many.",
        [None, None, "Wilma"],
    ),
    Case(
        "who is greeted behind the introduction of another",
        "A: My guest is Greta Vance. But first we come to the walk. Hey, Wilma, head of the ropes at the quay. "
        "How many would you make a day?\nC: Forty, or so I am told by those who count them every evening.\n"
        "A: Greta, thank you for being here.\nB: Thanks for having me.",
        [None, "Wilma", "Greta Vance"],
    ),
    Case(
        "who is greeted in a tale, and somebody is asked",
        "A: It rained.\nB: It did.\nA: So I rang them. Hello, Wilma. Do you know how many that is a day?\n"
        "C: Forty, or so I am told.\nB: So many.",
        [None, None, None],
    ),
    Case(
        "a thing to be from",
        "A: It is the first day. Wilma and I are here with Hugo from Tidal Rope Forall. How do you like it?\n"
        "B: Hello. It is my first time here, and it is loud.\nC: It is always loud.",
        [None, "Hugo", None],
    ),
]

OF_QUESTIONS = [
    Case(
        "that come from somebody",
        "A: I'm Greta Vance, with me are Hugo and Daniela.\nB: Hello.\nC: Hello.\nA: The next question is from Hugo. "
        "Take it away.\nC: Which knot holds when it is wet?\nA: The final question then goes to Hugo. What is it?\n"
        "C: Which one does not hold?",
        ["Greta Vance", None, "Hugo"],
    ),
    Case(
        "that are of somebody",
        "A: I'm Greta Vance, with me are Hugo and Daniela.\nB: Hello.\nC: Hello.\nA: The next question was of Hugo. "
        "He did well.\nC: Which knot holds when it is wet?\nA: The final question was Hugo. What is it?\n"
        "C: Which one does not hold?",
        ["Greta Vance", None, None],
    ),
]

AFTERWARDS = "The bar was white. The oars were white. It was a long way home. We came late. So it ended.\nA: I see."
BESIDE_YOU = [
    Case("a name, and you", f"A: And then?\nB: We rowed on. Hugo, you've been there. {AFTERWARDS}", ["Hugo", None]),
    Case(
        "you, and a name",
        f"A: And then?\nB: We rowed on. We took what you, Hugo, had left. {AFTERWARDS}",
        ["Hugo", None],
    ),
    Case("a name alone", f"A: And then?\nB: We rowed on, and, Hugo, it was cold there. {AFTERWARDS}", [None, None]),
    Case(
        "a name, and you, of many",
        f"A: And then?\nC: Yes?\nB: We rowed on. Hugo, you've been there. {AFTERWARDS}",
        [None, None, None],
    ),
]

OF_OTHERS_WORDS = [
    Case("that are told", f"A: And then?\nB: I got asked, Hugo, you have a boat? {AFTERWARDS}", [None, None]),
    Case("that are asked", f"A: And then?\nB: So I ask you, Hugo, you have a boat? {AFTERWARDS}", ["Hugo", None]),
    Case(
        "as somebody is",
        f"A: And?\nB: We rowed on. They are being like, Hugo, you row badly. {AFTERWARDS}",
        [None, None],
    ),
    Case(
        "as somebody is not",
        f"A: And?\nB: We rowed on. They are rowing late, Hugo, you row badly. {AFTERWARDS}",
        ["Hugo", None],
    ),
    Case(
        "the speaker and another",
        f"A: And?\nB: We rowed on. It lies between you and me Hugo. {AFTERWARDS}",
        [None, None],
    ),
    Case(
        "both of whom speak",
        f"A: And?\nB: I read it all, the tide table and me Hugo Pell. {AFTERWARDS}",
        [None, "Hugo Pell"],
    ),
]

OF_GREETINGS = [
    Case(
        "that are returned by name",
        "A: Hello, Hugo.\nB: Hello, Greta, how are you?\nA: Well. The tide is out.",
        ["Greta", "Hugo"],
    ),
    Case(
        "that are returned, but not by name",
        "A: Hello, Hugo.\nB: Hello, how are you?\nA: Well. The tide is out.",
        [None, None],
    ),
    Case(
        "that ask at once",
        "A: I'm here with Greta Vance and Daniela Moor.\nB: Hello, Daniela, do you want to tell us how you began?\n"
        "C: In a house by the quay.\nB: And then?\nA: It is a long way.",
        [None, None, "Daniela Moor"],
    ),
    Case(
        "that ask nothing",
        "A: I'm here with Greta Vance and Daniela Moor.\nB: Hello, Daniela, it is a long way to the house.\n"
        "C: In a house by the quay.\nB: And then?\nA: It is a long way.",
        [None, None, None],
    ),
]

OF_TALES = [
    Case(
        "a name that is told in the middle of the talk, of who is called otherwise",
        "A: Osric, thank you for joining us.\nB: Glad to be here.\n"
        + "A: And then?\nB: "
        + "It was a long way to the light, and the lamp went out on the way. " * 22
        + "\n"
        + "A: Who was there?\nB: The keeper came. I'm Hans Lindqvist. So it began. Good night, Osric.\n"
        + "A: It was.\nB: It was.\n" * 4,
        [None, None],
    ),
]

OF_THANKS = [
    Case(
        "of a helper, as the talk begins",
        "A: We talk about ropes. The questions today are by our friends. Thanks, Wilma, for your help.\n"
        "B: Good to be here.\nA: How did it begin?\nB: With a knot.",
        [None, None],
    ),
    Case(
        "of a helper, beside the guest",
        "A: We talk about ropes. We have a special guest today, Zorbel. Thanks, Wilma, for your help.\n"
        "B: Good to be here.\nA: How did it begin?\nB: With a knot, and with a good deal of tar and of patience.",
        [None, "Zorbel"],
    ),
    Case(
        "which return thanks, before the credits",
        "A: How did it begin?\nB: With a knot.\nA: And then?\nB: Another.\nA: Which held?\nB: It did.\nA: And now?\n"
        "B: A net.\nA: So thanks for joining me today.\nB: Absolutely. Thanks a bunch, Wilma.\n"
        "A: This was edited and mixed in the shed behind the quay.",
        ["Wilma", None],
    ),
    Case(
        "that are left to say",
        "A: How did it begin?\nB: With a knot.\nA: And then?\nB: Another.\nA: Which held?\nB: It did.\nA: And now?\n"
        "B: A net.\nA: All that remains is to say thank you again, Wilma, for being on the show.\nB: My pleasure.",
        [None, "Wilma"],
    ),
    Case(
        "of a guest whose words open the show",
        "A: The rope was cut, and nobody knew by whom.\nB: Welcome to Low Water. Every week we talk to people of the "
        "quay, and today it is about ropes and who cuts them.\nA: Thank you, Hugo. I am glad to see you.\n"
        "B: So who was it?\nA: Nobody knows. It was dark.\nB: And now?\nA: It is mended, Hugo.\nB: Good.\nA: Yes."
        + "\nB: It was a long way to the quay, and the boat lay low in the water.\nA: It did, and it was cold there."
        * 6,
        [None, "Hugo"],
    ),
    Case(
        "ever so many, as the talk ends",
        "A: How did it begin?\nB: With a knot.\nA: And then?\nB: Another.\nA: Which held?\nB: It did.\nA: And now?\n"
        "B: A net.\nA: And that is all. Thank you ever so much, Wilma, for the net.\nB: My pleasure.\nA: Good night.",
        [None, "Wilma"],
    ),
    Case(
        "that are returned by name",
        "A: How did it begin?\nB: With a knot.\nA: And then?\nB: Another.\nA: Which held?\nB: It did.\nA: And now?\n"
        "B: A net.\nA: Thank you so much for coming.\nB: You're welcome, Wilma.\nA: Good night.",
        ["Wilma", None],
    ),
    Case(
        "of a host that stand in the guest's turn",
        "A: Hugo, welcome to Low Water.\nB: Thanks, my name is Hugo Pell and I rig boats.\nA: How?\nB: Slowly. "
        "Hugo, thanks for coming on the show.\nA: Goodbye.",
        [None, "Hugo Pell"],
    ),
]


@pytest.mark.parametrize(
    "case",
    [
        *OF_ONESELF,
        *OF_GUESTS,
        *OF_HANDING_OVER,
        *OF_QUESTIONS,
        *BESIDE_YOU,
        *OF_OTHERS_WORDS,
        *OF_GREETINGS,
        *OF_TALES,
        *OF_THANKS,
    ],
    ids=lambda case: case.id,
)
def test_a_phrase_of_published_talk_names_whom_it_is_of_and_nobody_else(case: Case) -> None:
    assert found(case.lines) == case.expected


@pytest.mark.parametrize(
    ("said", "whom"),
    [
        ("Thank you ever so much, Wilma.", Whom.PREVIOUS),
        ("The next question is from Wilma.", Whom.NEXT),
        ("The next word comes from Wilma.", Whom.NEXT),
    ],
)
def test_a_sentence_calls_one_voice(said: str, whom: Whom) -> None:
    behind = "It was a long night at the gauge."
    assert {each.whom for each in find_claims([f"{said} {behind} {behind}" if whom is not Whom.NEXT else said])} == {
        whom
    }


@pytest.mark.parametrize("said", ["Thank you ever so much, ", "Well, you're welcome, ", "You are welcome, "])
def test_thanks_are_given_and_returned(said: str) -> None:
    assert thanks_before(said)
    assert not thanks_before(f"{said}my dear ")


def test_who_is_listed_by_a_given_name_alone_may_say_the_surname_too() -> None:
    lines = [
        ("A", "I'm Wilma. Welcome to the harbour, and to our guest."),
        ("B", "Hello. My name is Hugo Lindqvist, and I rig boats."),
        ("A", "How did it begin?"),
        ("B", "With a knot."),
    ]
    transcript, _ = document(lines)
    listed = tuple(parse_participant(each) for each in ("Zorbel", "Hugo"))
    given = replace(transcript, episode=replace(transcript.episode, participants=listed))
    assert name_speakers(given).speakers[1].name == "Hugo"


def test_who_is_greeted_by_a_full_name_behind_a_comma_is_called() -> None:
    claims = find_claims(["One half of the rope walk at the quay, Hugo Pell, how are you doing?"])
    assert (Whom.NEXT, "Hugo Pell") in {(each.whom, each.name.text) for each in claims}
    told = find_claims(["One half of the rope walk at the quay, Hugo Pell, how it was."])
    assert Whom.NEXT not in {each.whom for each in told}


def test_what_somebody_is_from_is_presented_as_nobody() -> None:
    said = "Hugo and I are here with Osric from Type Forall Quandle. How do you like it?"
    transcript, _ = document([("A", said), ("B", "Hello. It is my first time here."), ("C", "It is always loud.")])
    evidence = found_by_evidence(transcript)
    assert "Type Forall Quandle" not in {evidence.people[piece.person].full for piece in evidence.pieces}


def test_a_hosts_thanks_in_the_guests_turn_make_no_namesake() -> None:
    lines = [
        ("A", "Hugo, welcome to Low Water."),
        ("B", "Thanks, my name is Hugo Pell and I rig boats."),
        ("A", "How?"),
        ("B", "Slowly. Hugo, thanks for coming on the show."),
        ("A", "Goodbye."),
    ]
    evidence = found_by_evidence(document(lines)[0])
    assert {evidence.people[piece.person].full for piece in evidence.pieces} == {"Hugo Pell"}
