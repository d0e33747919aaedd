"""Labels as published pages have them beside the usual ones: directions, rare voices, several people, links."""

from __future__ import annotations

from dataclasses import replace

import pytest

from formats.catalogue import read, render
from schemas.episode import Role
from schemas.errors import PageError
from tests.pages_read import captions, read_back, who_said


def talk(first: str, second: str, *, between: str = "", rounds: int = 3) -> str:
    """A talk of two labels, with other lines after its first round."""
    lines = [f"{first} Round {n} of the lamp.\n\n{second} The lamp has round {n}.\n\n" for n in range(rounds)]
    return lines[0] + between + "".join(lines[1:])


# ---------------------------------------------------------------- directions


def test_directions_in_brackets_are_nobody() -> None:
    between = "(BEGIN VIDEO CLIP)\n\nJOAN HALE: Watch.\n\n(END VIDEO CLIP)\n\nSAM ORR: We won.\n\n(CROSSTALK)\n\n"

    transcript = read_back(talk("JOAN HALE:", "SAM ORR:", between=3 * between, rounds=6))

    assert {name for name, _ in who_said(transcript)} == {"Joan Hale", "Sam Orr"}
    assert len(transcript.turns) == 18
    assert captions(transcript) == 3 * ["(BEGIN VIDEO CLIP)", "(END VIDEO CLIP)", "(CROSSTALK)"]


def test_a_name_in_brackets_on_a_line_of_its_own_is_a_label_where_all_are() -> None:
    transcript = read_back(talk("[JOAN HALE]\n", "[SAM ORR]\n"))

    assert {name for name, _ in who_said(transcript)} == {"Joan Hale", "Sam Orr"}


# ---------------------------------------------------------------- labels that come seldom


@pytest.mark.parametrize("label", ["Free Electron", "Speaker ?", "Addendum from Carol", "Woman 1"])
def test_a_label_in_the_emphasis_of_the_others_begins_a_turn(label: str) -> None:
    transcript = read_back(talk("**Ada:**", "**Tomas:**", between=f"**{label}:** The pier is cold.\n\n"))

    assert who_said(transcript)[2] == (label, ["The pier is cold."])


@pytest.mark.parametrize(
    "line",
    [
        "**Note:** The pier is cold.",
        "**Music:** The pier is cold.",
        "**Key points:** The pier is cold.",
        "**Three lessons:** The pier is cold.",
        "**Next Chapter:** The pier is cold.",
        "**The pier:** it is cold.",
    ],
)
def test_a_remark_or_heading_in_the_emphasis_of_the_labels_is_no_speaker(line: str) -> None:
    transcript = read_back(talk("**Ada:**", "**Tomas:**", between=f"{line}\n\n"))

    assert {name for name, _ in who_said(transcript)} == {"Ada", "Tomas"}


def test_headings_with_a_colon_between_a_few_turns_are_no_speakers() -> None:
    lines = "".join(f"**{word} lamp:** It burns.\n\n" for word in ("Green", "White", "Red", "Blue"))

    transcript = read_back(talk("**Ada:**", "**Tomas:**", between=lines))

    assert {name for name, _ in who_said(transcript)} == {"Ada", "Tomas"}


@pytest.mark.parametrize("label", ["Ada & Tomas", "Ada Quill and Tomas", "Ada/Tomas", "Ada + Tomas Feld"])
@pytest.mark.parametrize("form", ["{}:", "**{}:**"])
def test_people_who_have_labels_of_their_own_can_speak_at_once(label: str, form: str) -> None:
    page = talk(form.format("Ada"), form.format("Tomas"), between=f"{form.format(label)} Good night.\n\n")

    transcript = read_back(page)

    assert who_said(transcript)[2] == (label, ["Good night."])
    assert [name for name, _ in who_said(transcript)][3:5] == ["Ada", "Tomas"]


def test_who_speaks_with_somebody_else_keeps_the_full_name() -> None:
    page = "Ada Quill: Hello.\n\nTomas Feld: Hello.\n\n" + talk("Ada:", "Tomas:", between="Ada & Tomas: Yes.\n\n")

    transcript = read_back(page)

    assert [name for name, _ in who_said(transcript)][:7] == [
        *["Ada Quill", "Tomas Feld"] * 2,
        "Ada & Tomas",
        "Ada Quill",
        "Tomas Feld",
    ]


# ---------------------------------------------------------------- front matter, captions


def test_a_key_in_the_front_matter_gives_the_names_behind_initials() -> None:
    head = "---\ntitle: The lamp\nspeakers:\n  AQ: Ada Quill\n  T2: Tomas Feld\n---\n\n"

    transcript = read_back(head + talk("AQ:", "T2:"))

    assert who_said(transcript)[:2] == [
        ("Ada Quill", ["Round 0 of the lamp."]),
        ("Tomas Feld", ["The lamp has round 0."]),
    ]


def test_a_key_of_the_front_matter_that_two_people_have_is_nobodys() -> None:
    head = "---\nspeakers:\n  AQ: Ada Quill\n  AQ: Anne Quist\n---\n\n"

    transcript = read_back(head + talk("AQ:", "TF:"))

    assert {name for name, _ in who_said(transcript)} == {"AQ", "TF"}


CUES = "1\n00:00:01,000 --> 00:00:02,000\nMeg Hall: Hello.\n\n2\n00:00:03,000 --> 00:00:04,000\n{}: Hello.\n"


def test_a_first_name_in_captions_is_the_person_with_that_full_name() -> None:
    transcript = read((CUES.format("Tomas") + "\n3\n00:00:05,000 --> 00:00:06,000\nMeg: So.\n").encode())

    assert [name for name, _ in who_said(transcript)] == ["Meg Hall", "Tomas", "Meg Hall"]
    assert transcript.speakers[0].aliases == ("Meg",)


def test_a_first_name_in_captions_that_two_people_have_is_neither() -> None:
    page = CUES.format("Meg Orr") + "\n3\n00:00:05,000 --> 00:00:06,000\nMeg: So.\n"

    assert [name for name, _ in who_said(read(page.encode()))] == ["Meg Hall", "Meg Orr", "Meg"]


def test_captions_without_words_are_refused() -> None:
    with pytest.raises(PageError) as caught:
        read(b"WEBVTT\n\n00:01.000 --> 00:02.000\n\n00:03.000 --> 00:04.000\n")

    assert caught.value.code == "page_not_recognised"
    assert "2 timing lines" in caught.value.message


def test_a_page_of_times_whose_first_label_has_a_slip_is_no_captions() -> None:
    slip = "00:01:19,880 --> 00:01:53.1 **Speaker 1** It burns.\n\n"
    lines = [f"00:0{n}:00 **Speaker {n % 2}** Round {n} of the lamp.\n\n" for n in range(2, 8)]

    transcript = read_back(slip + "".join(lines))

    assert len(transcript.turns) == 6


# ---------------------------------------------------------------- initials, links


@pytest.mark.parametrize("form", ["*{} (0:00:1{n})*: ", "_{}:_ ", "**{}:** ", "{}: "])
@pytest.mark.parametrize(("name", "key"), [("Tomas Feld", "TF"), ("Anders Storm", "AS")])
def test_initials_after_a_full_name_are_that_person(form: str, name: str, key: str) -> None:
    labels = ["Ada Quill", name, *["AQ", key] * 4]

    transcript = read_back("".join(f"{form.format(label, n=n)}The lamp.\n\n" for n, label in enumerate(labels)))

    assert [who for who, _ in who_said(transcript)] == ["Ada Quill", name] * 5


def test_initials_of_two_people_above_them_are_neither() -> None:
    labels = ["Ada Quill", "Anne Quist", *["AQ", "TF"] * 4]

    transcript = read_back("".join(f"*{label} (0:00:1{n})*: The lamp.\n\n" for n, label in enumerate(labels)))

    assert [name for name, _ in who_said(transcript)][2:4] == ["AQ", "TF"]


def test_initials_that_are_somebodys_first_name_are_that_person() -> None:
    labels = ["Tomas Jansen", "TJ Orr", *["Tomas", "TJ"] * 4]

    transcript = read_back("".join(f"{label}: The lamp.\n\n" for label in labels))

    assert [name for name, _ in who_said(transcript)] == ["Tomas Jansen", "TJ Orr"] * 5


def test_initials_in_emphasis_alone_make_a_talk() -> None:
    transcript = read_back(talk("_AQ:_", "_TF:_"))

    assert {name for name, _ in who_said(transcript)} == {"AQ", "TF"}


LINKED = (
    "Ada Quill [(00:07:50)](https://lamp.example/?t=470) You keep the lamp.\n\n"
    "[(00:09:10)](https://lamp.example/?t=550) And you sleep by day.\n\n"
    "Tomas Feld [(00:10:50)](https://lamp.example/?t=650) I do.\n\n"
    "Ada Quill [(00:12:50)](https://lamp.example/?t=770) Since when?\n"
)


def test_a_time_that_is_a_link_is_the_start_of_a_turn_or_paragraph() -> None:
    transcript = read_back(LINKED)

    assert who_said(transcript) == [
        ("Ada Quill", ["You keep the lamp.", "And you sleep by day."]),
        ("Tomas Feld", ["I do."]),
        ("Ada Quill", ["Since when?"]),
    ]
    assert [turn.start for turn in transcript.turns] == [470.0, 650.0, 770.0]
    assert transcript.turns[0].paragraphs[1].start == 550.0


def test_a_link_without_a_time_is_said() -> None:
    line = "[The lamp](https://lamp.example/lamp) And you sleep by day."

    transcript = read_back(LINKED.replace("[(00:09:10)](https://lamp.example/?t=550) And you sleep by day.", line))

    assert transcript.turns[0].paragraphs[1].text == line


# ---------------------------------------------------------------- no space after the colon


def tight(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


TIGHT = ("Ada:You keep the lamp?", "Tomas:I do.") * 3


def test_labels_without_a_space_after_the_colon_begin_turns() -> None:
    transcript = read_back(tight(*TIGHT, "Ada:10 years?", "Tomas:so they say.", "It was cold.", "Ada: Good night."))

    assert [name for name, _ in who_said(transcript)] == ["Ada", "Tomas"] * 4 + ["Ada"]
    assert who_said(transcript)[6:] == [
        ("Ada", ["10 years?"]),
        ("Tomas", ["so they say.", "It was cold."]),
        ("Ada", ["Good night."]),
    ]


@pytest.mark.parametrize("line", ["https://lamp.example/lamp", "At 5:30 it burns.", "lamp::burn(5);"])
def test_what_has_a_colon_inside_a_word_is_said_there(line: str) -> None:
    transcript = read_back(tight(*TIGHT, "Ada:It burns.", line, "Tomas:Good."))

    assert {name for name, _ in who_said(transcript)} == {"Ada", "Tomas"}


@pytest.mark.parametrize(
    "lines",
    [
        ("Name:Lamp", "Type:String") * 5,
        ("Class:Lamp for piers", "Field:Height of light") * 5,
        ("Ada:You keep the lamp?", "Tomas:I do."),
        ("std::lamp burn.", "Lamp::Burn it.") * 4,
    ],
)
def test_settings_without_a_space_are_no_talk(lines: tuple[str, ...]) -> None:
    with pytest.raises(PageError) as caught:
        read(tight(*lines).encode())

    assert caught.value.code == "page_not_recognised"


def test_a_label_on_a_line_of_its_own_has_nothing_behind_its_colon() -> None:
    page = talk("Ada:\n", "Tomas:\n", between="Ada:Hello there.\n\n")

    assert who_said(read_back(page.replace("\n ", "\n")))[1] == (
        "Tomas",
        ["The lamp has round 0.", "Ada:Hello there."],
    )


def test_who_has_a_time_once_speaks_without_one_as_well() -> None:
    page = "AQ: [0:20] Hello.\n\nTF: [1:08] Hello.\n\nAQ: The lamp!\n\n" + talk("AQ: [2:00]", "TF:", rounds=4)

    transcript = read_back(page)

    assert [name for name, _ in who_said(transcript)] == ["AQ", "TF", "AQ", *["AQ", "TF"] * 4]


# ---------------------------------------------------------------- several people, roles, pictures


SAID = (
    "Hello and welcome to the harbour.",
    "Thank you for having me.",
    "What did the sea take?",
    "It took the stairs.",
    "And then?",
    "We rowed out and climbed.",
)
TWO = ("Ada Quill", "Tomas Feld")


def talk_of(*labels: str, form: str = "{label}: {text}") -> bytes:
    """A sentence for each label, in order."""
    return "\n\n".join(form.format(label=label, text=SAID[n % 6]) for n, label in enumerate(labels)).encode()


def speakers_of(page: bytes) -> list[str | None]:
    """The name of each turn's speaker. Nothing of the page is lost, and it comes back unchanged."""
    transcript = read(page)
    assert render(transcript) == page
    assert [p.text for turn in transcript.turns for p in turn.paragraphs] == [
        SAID[n % 6] for n in range(len(transcript.turns))
    ]
    names = {speaker.id: speaker.name for speaker in transcript.speakers}
    return [names[turn.speaker or ""] for turn in transcript.turns]


FORMS_OF_LABELS = ("{label}: {text}", "**{label}:** {text}", "{label}\n{text}")
JOINT = (
    "Ada Quill and Tomas Feld",
    "Ada & Tomas",
    "Ada Quill, Tomas Feld",
    "Ada/Tomas",
    "Ada Quill and Lena Berg",
    "Ada Quill and others",
    "Ada, Tomas and Lena",
    "Both",
    "Both speakers",
    "Everyone",
)


@pytest.mark.parametrize("form", FORMS_OF_LABELS)
@pytest.mark.parametrize("joint", JOINT)
def test_a_label_of_several_people_is_a_speaker_of_its_own_and_none_of_them(joint: str, form: str) -> None:
    labels = [*TWO, *TWO, "Ada Quill", joint, *TWO, *TWO]

    assert speakers_of(talk_of(*labels, form=form)) == labels


@pytest.mark.parametrize("joint", ["Ada Quill and Tomas Feld", "Ada Quill, Tomas Feld", "Both", "Audience"])
def test_a_label_of_several_people_can_open_the_talk(joint: str) -> None:
    labels = [joint, *TWO, *TWO, *TWO]

    assert speakers_of(talk_of(*labels)) == labels


@pytest.mark.parametrize("joint", ["ADA & TOMAS", "ADA AND TOMAS", "ADA/TOMAS", "ADA QUILL, TOMAS FELD"])
def test_several_people_in_capitals_have_names_like_everybody(joint: str) -> None:
    labels = ["ADA QUILL", "TOMAS FELD"] * 3

    name = speakers_of(talk_of(*labels, joint, *labels))[6]

    assert name is not None
    assert name.upper() == joint
    assert name.replace(" and ", " ").istitle()


def test_what_somebody_does_behind_a_comma_is_no_second_person() -> None:
    page = talk_of("Ada Quill, Harbour Master", "Tomas Feld", "Ada Quill", *TWO, *TWO)

    transcript = read(page)

    assert [(s.name, s.description) for s in transcript.speakers] == [
        ("Ada Quill", "Harbour Master"),
        ("Tomas Feld", None),
    ]


def test_a_heading_about_two_people_is_no_label() -> None:
    page = talk_of(*TWO, *TWO) + b"\n\nAda Quill and Lena Berg: a story of the sea.\n\n" + talk_of(*TWO, *TWO)

    assert len(read(page).turns) == 8


@pytest.mark.parametrize("form", FORMS_OF_LABELS)
@pytest.mark.parametrize(
    ("host", "guest"),
    [
        ("Host – Ada Quill", "Guest – Tomas Feld"),
        ("Moderator - Ada Quill", "Panelist - Tomas Feld"),
        ("Ada Quill - Host", "Tomas Feld - Guest"),
        ("Host Ada Quill", "Guest Tomas Feld"),
        ("Interviewer/Ada Quill", "Interviewee/Tomas Feld"),
    ],
)
@pytest.mark.parametrize("is_once", [False, True])
def test_a_role_beside_a_name_is_the_role_and_no_part_of_the_name(
    host: str, guest: str, form: str, is_once: bool
) -> None:
    page = talk_of(host, guest, *(TWO if is_once else (host, guest)) * 3, form=form)

    assert speakers_of(page) == [*TWO] * 4
    assert [speaker.role for speaker in read(page).speakers] == [Role.HOST, Role.GUEST]


@pytest.mark.parametrize("form", FORMS_OF_LABELS)
@pytest.mark.parametrize(("ada", "tomas"), [("🎙 {}", "🐙 {}"), ("{} 🎙️", "{} 🐙"), ("👩‍🚒 {}", "{}")])
def test_a_picture_beside_a_name_is_no_part_of_it(ada: str, tomas: str, form: str) -> None:
    page = talk_of(*[ada.format("Ada Quill"), tomas.format("Tomas Feld")] * 4, form=form)

    assert speakers_of(page) == [*TWO] * 4


def test_a_new_name_leaves_role_and_picture_where_they_are() -> None:
    page = talk_of("Host – Ada Quill", "🐙 Tomas Feld", *TWO, *TWO)
    transcript = read(page)
    ada, tomas = transcript.speakers
    renamed = (replace(ada, name="Nur Aziz"), replace(tomas, name="Lena Berg"))

    written = render(replace(transcript, speakers=renamed)).decode()

    assert written == page.decode().replace("Ada Quill", "Nur Aziz").replace("Tomas Feld", "Lena Berg")


@pytest.mark.parametrize("tail", [" ", "  ", "\u00a0"])
@pytest.mark.parametrize("form", ["0:{n:02d}{tail}\n{name}{tail}\n{text}", "{name}{tail}\n0:{n:02d}{tail}\n{text}"])
def test_blanks_after_a_time_on_a_line_of_its_own_hide_no_label(form: str, tail: str) -> None:
    turns = [(TWO[n % 2], text, n) for n, text in enumerate(SAID)]
    page = "\n\n".join(form.format(name=name, text=text, n=n, tail=tail) for name, text, n in turns).encode()

    assert speakers_of(page) == [*TWO] * 3
    assert [turn.start for turn in read(page).turns] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
