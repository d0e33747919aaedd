"""Forms of labels that published pages and the exports of transcription tools have, each read and written back."""

from __future__ import annotations

import re
from textwrap import wrap

import pytest

from formats.catalogue import read, render
from formats.learning import learn_style
from schemas.errors import PageError
from tests.pages_read import read_back, who_said, with_other_name, with_other_word

PEOPLE = ("Ada Quill", "Tomas Feld")
SAID = (
    "Hello and welcome. Tomas, you have kept the lamp for thirty years.",
    "Thirty-one, if you count the winter it stayed dark.",
    "What happened that winter?",
    "The sea took the stairs. We rowed out and climbed the wall, and I was cold.",
    "Were you afraid of it?",
    "Not of the sea. I was afraid of the ladder, and I still am, on windy nights.",
)
TURNS = [(PEOPLE[n % 2], [text]) for n, text in enumerate(SAID)]
FIRST = [(PEOPLE[n % 2].split()[0], [text]) for n, text in enumerate(SAID)]


def page_of(form: str, *, between: str = "\n\n", head: str = "") -> str:
    turns = []
    for n, text in enumerate(SAID):
        name, seconds = PEOPLE[n % 2], 9 * n + 3
        turns.append(
            form.format(
                name=name,
                NAME=name.upper(),
                first=name.split()[0],
                role=("Host", "Guest")[n % 2],
                count=n + 1,
                n=n % 2 + 1,
                short=f"0:{seconds:02d}",
                time=f"00:00:{seconds:02d}",
                end=f"00:00:{seconds + 8:02d}",
                text=text,
            )
        )
    return head + between.join(turns) + "\n"


#: Those with names in full, those with first names, and those with times.
FORMS = {
    "role in brackets": "[{role}] {name}: {text}",
    "chevrons": "{name} >> {text}",
    "two hyphens": "{name} -- {text}",
    "hearing with hyphens": "{NAME}.--{text}",
    "evidence with a dash": "{name}.—{text}",
    "wiki": "'''{name}:''' {text}",
    "AsciiDoc": "*{name}*:: {text}",
    "AsciiDoc, own line": "{name}::\n{text}",
    "line break tag": "<p><strong>{name}</strong><br>{text}</p>",
    "anchors": '<a name="t{count}"></a><b>{name}</b> {text}',
    "font": '<p><FONT COLOR="red" SIZE=2>{name}:</FONT> {text}</p>',
    "style attribute": '<p><span style="font-weight:bold">{name}:</span> {text}</p>',
    "no-break space as an entity": "<p><strong>{name}:</strong>&nbsp;{text}</p>",
    "tab as an entity, nested as no page may be": "<B><P>{name}</B>:&#9;{text}</P>",
    "closing tags before": "</FONT><P>{name}:&#9;{text}</P>",
    "table without a head": "| {name} | {text} |",
    "table without a head, bold": "| **{name}** | {text} |",
    "numbers on lines of their own": "{count}\n{name}: {text}",
}
TIMED = {
    "braces": "{name} {{{short}}}\n{text}",
    "braces and colon": "{name} {{{short}}}: {text}",
    "tabs": "{time}\t{name}\t{text}",
    "tabs with ends": "{time}\t{end}\t{name}\t{text}",
    "linked anchor": "[{time}](#t{count}) **{name}:** {text}",
    "table without a head": "| {time} | {name} | {text} |",
    "Otter": "{name}  {short}  \n{text}",
    "Descript": "[{time}] {name}: {text}",
    "Rev": "{name} ({time}):\n{text}",
    "Trint": "[{time}]\n{name}: {text}",
    "Sonix": "[{time}] {name}\n{text}",
    "Happy Scribe": "[{time}] - {name}\n{text}",
    "Riverside": "{name} ({short})\n{text}",
    "Fireflies": "{short} - {name}: {text}",
    "Zoom": "[{name}] {time}\n{text}",
}
BETWEEN = {"|": "\n", "<": "\n", "{time}\t": "\n"}


def made(form: str) -> str:
    return page_of(form, between=next((sep for begin, sep in BETWEEN.items() if form.startswith(begin)), "\n\n"))


@pytest.mark.parametrize("form", [*FORMS.values(), *TIMED.values()], ids=[*FORMS, *(f"timed, {f}" for f in TIMED)])
def test_a_form_is_read_for_what_it_is_and_one_word_or_name_changes_alone(form: str) -> None:
    page = made(form)

    transcript = read_back(page)

    assert who_said(transcript) == TURNS
    assert [turn.start for turn in transcript.turns] == [
        9.0 * n + 3 if form in TIMED.values() else None for n in range(len(SAID))
    ]
    for place, text in enumerate(SAID):
        other = f"{text.rpartition(' ')[0]} zyxwvut"
        assert render(with_other_word(transcript, place)).decode() == page.replace(text, other)
    renamed = render(with_other_name(transcript, "Tomas Feld", "Nur Aziz")).decode()
    assert renamed == page.replace("Tomas Feld", "Nur Aziz").replace("TOMAS FELD", "NUR AZIZ")


@pytest.mark.parametrize("form", [form for form in (*FORMS.values(), *TIMED.values()) if form[0] != "|"])
def test_a_style_can_be_learnt_from_each_form(form: str) -> None:
    style = learn_style(made(form).encode(), name="learnt")
    transcript = read(made(form).encode())

    written = render(transcript, style=style)

    assert who_said(read(written, style=style)) == TURNS


@pytest.mark.parametrize("form", ["{first} > {text}", "{first} {{{short}}} {text}"])
def test_first_names_before_a_sign_or_a_time_in_braces_begin_turns(form: str) -> None:
    assert who_said(read_back(page_of(form))) == FIRST


@pytest.mark.parametrize("letters", [("I", "R"), ("I", "B"), ("I", "IP")])
def test_the_letters_of_an_interview_begin_turns(letters: tuple[str, str]) -> None:
    page = "".join(f"{letters[n % 2]}: {text}\n\n" for n, text in enumerate(SAID))

    assert [name for name, _ in who_said(read_back(page))] == list(letters) * 3


def test_the_second_who_asks_is_a_speaker() -> None:
    page = page_of("{name}: {text}") + "\n".join(
        f"\nQ2: {text}\n\nTomas Feld: It was dark.\n" for text in SAID[2:5:2]
    )

    assert [name for name, _ in who_said(read_back(page))][6:] == ["Q2", "Tomas Feld"] * 2


def test_a_speaker_with_a_number_sign_has_no_name() -> None:
    transcript = read_back(page_of("Speaker #{n}: {text}"))

    assert [(s.name, s.voice) for s in transcript.speakers] == [(None, "Speaker #1"), (None, "Speaker #2")]


def test_a_role_in_brackets_stays_there_when_the_name_gets_longer() -> None:
    page = page_of("[{role}] {name}: {text}")

    renamed = render(with_other_name(read(page.encode()), "Tomas Feld", "Oskar van der Meer")).decode()

    assert renamed == page.replace("Tomas Feld", "Oskar van der Meer")


@pytest.mark.parametrize("mark", [("**", "**"), ("_", "_"), ("<strong>", "</strong>")])
@pytest.mark.parametrize("answer", ["{open}{name}{close}: {text}", "{open}{name}:{close} {text}"])
def test_questions_emphasised_with_their_label_are_turns(mark: tuple[str, str], answer: str) -> None:
    opening, closing = mark
    turns = []
    for n, text in enumerate(SAID):
        asked = f"{opening}AQ: {text}{closing}"
        turns.append(answer.format(open=opening, close=closing, name="Tomas Feld", text=text) if n % 2 else asked)
    page = "\n\n".join(["We spoke with Tomas Feld, who keeps the lamp.", *turns]) + "\n"

    transcript = read_back(page)

    assert [name for name, _ in who_said(transcript)] == ["AQ", "Tomas Feld"] * 3
    assert [texts for _, texts in who_said(transcript)] == [[text] for text in SAID]
    assert render(with_other_word(transcript, 2)).decode() == page.replace(SAID[2], "What happened that zyxwvut")


@pytest.mark.parametrize("entry", ["Code Contributions", "Getting Started"])
def test_entries_of_a_list_in_the_emphasis_of_the_labels_are_nobodys(entry: str) -> None:
    page = page_of("**{name}**: {text}").replace(SAID[4], f"{SAID[4]}\n\n**{entry}**: There are many ways to help.")

    assert {name for name, _ in who_said(read_back(page))} == set(PEOPLE)


def test_an_emphasised_question_goes_on_in_the_next_line() -> None:
    long = "I have heard that you row out in every weather, and that the town has offered you a boat with an engine"
    turns = [(f"**AQ: {long}; is that true, and what did you say?**", f"**TF**: {text} {long}.") for text in SAID]
    page = "\n\n".join("\n".join(wrap(turn, 72)) for pair in turns for turn in pair) + "\n"

    transcript = read_back(page)

    assert [name for name, _ in who_said(transcript)] == ["AQ", "TF"] * 6
    assert who_said(transcript)[0][1][0] == f"{long}; is that true, and what did you say?"


def test_people_who_hardly_come_again_in_cells_without_a_head_are_no_talk() -> None:
    names = ("Ada Quill", "Tomas Feld", "Lena Berg", "Nur Aziz", "Ada Quill", "Ben Roe")
    page = "".join(f"| {name} | Keeps the lamp with the number {n}. |\n" for n, name in enumerate(names))

    with pytest.raises(PageError, match="no house style explains this page"):
        read(page.encode())


@pytest.mark.parametrize("form", ["{} > {}", "{} >> {}", "{} -- {}"], ids=["menu", "chevrons", "hyphens"])
def test_menus_and_lists_of_words_with_such_signs_are_no_talk(form: str) -> None:
    words = ("Lamp", "Boat", "Lamp", "Boat", "Lamp", "Rope", "Rope")
    page = "\n".join(form.format(word, f"Turn the wheel number {n} to the left.") for n, word in enumerate(words))

    with pytest.raises(PageError, match="no house style explains this page"):
        read(page.encode())


def test_no_word_of_a_page_stands_in_the_layout_of_these_forms() -> None:
    for form in (*FORMS.values(), *TIMED.values()):
        layout = read(made(form).encode()).layout
        assert layout is not None
        values = [mark.value for mark in layout.marks if mark.kind not in ("label_form", "time_form", "end_form")]
        text = " ".join([*values, layout.definition])
        assert not re.search(r"Ada|Tomas|Quill|Feld|lamp|winter|Host|Guest", text, re.IGNORECASE)
