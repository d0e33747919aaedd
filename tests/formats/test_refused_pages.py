"""What has colons and names and is no talk: it is refused with what was seen."""

from __future__ import annotations

import pytest

from formats.catalogue import read
from schemas.errors import PageError

PEOPLE = (
    ("Ada Quill", "Keeper of the lamp. Ada has kept it for thirty years and writes about it."),
    ("Tomas Feld", "Harbour master. Tomas has rowed since he was six and teaches children."),
    ("Lena Berg", "Carpenter. Lena mends the boats that others leave on the beach."),
    ("Nur Aziz", "Baker. Nur bakes before dawn."),
)


@pytest.mark.parametrize("count", [3, 4])
@pytest.mark.parametrize(
    "form",
    [
        "{name}\n{text}\n",
        "{name}: {text}\n",
        "**{name}:** {text}\n",
        "<h3>{name}</h3>\n<p>{text}</p>",
        "<li>{name}: {text}</li>",
    ],
)
def test_a_list_of_people_with_what_they_do_is_no_talk(form: str, count: int) -> None:
    page = "Our team\n\n" + "\n".join(form.format(name=name, text=text) for name, text in PEOPLE[:count])

    with pytest.raises(PageError, match="no house style explains this page") as caught:
        read(page.encode())

    assert caught.value.code == "page_not_recognised"


@pytest.mark.parametrize(
    "page",
    [
        "Bread\n\nServes: Four people, or two who row.\nIngredients: Flour, water, salt.\n"
        "Method: Mix it all. Bake it.\nServes: It keeps for a week.\n",
        "\n".join(f"INFO: Job {n} was started on the pier.\nWARN: Job {n} was slow." for n in range(5)),
        "Name: lamp\nVersion: 1.2\nSummary: A lamp for the pier.\nAuthor: Ada Quill\nLicense: MIT\n",
        "\n".join(f"Host: pier{n}.example  # Where it burns.\nUser: ada  # Who lights it." for n in range(5)),
        "\n".join(f"Port: {n}  ; The one of lamp {n}.\nPath: /lamp/{n}  ; Where it is." for n in range(5)),
    ],
    ids=["a recipe", "a log", "a package", "settings", "settings with semicolons"],
)
def test_settings_logs_and_recipes_are_no_talks(page: str) -> None:
    with pytest.raises(PageError, match="no house style explains this page"):
        read(page.encode())


@pytest.mark.parametrize("form", ["{name}\n\n{text}", "{name}: {text}"])
def test_people_who_speak_once_are_a_talk(form: str) -> None:
    said = (
        "I am Ada Quill, and this is the lamp.",
        "My name is Tomas Feld. We row.",
        "I mend boats, says Lena Berg.",
    )
    page = "\n\n".join(form.format(name=name, text=text) for (name, _), text in zip(PEOPLE, said, strict=False))

    assert len(read(page.encode()).turns) == 3


def test_what_the_crowd_does_in_brackets_says_nothing_of_a_speech() -> None:
    heard = (
        "CHEERING",
        "CROWD REACTS",
        "CROWD CHANTING",
        "CHEERING AND APPLAUSE",
        "AUDIENCE BOOING",
        "CHEERS AND APPLAUSE",
    )
    speech = "\n\n".join(f"({what})\n\nWe rowed out again, and the lamp burned." for what in heard * 2)

    with pytest.raises(PageError, match="no house style explains this page"):
        read(f"ADA QUILL: Thank you all.\n\n{speech}".encode())


REFUSED = {
    "chapters": "".join(
        f"00:0{n}:00 {part}: from the pier to the boat and all the way back\n"
        for n, part in enumerate(("Career Start", "Winter Storm", "Lamp Repair", "Town Meeting", "Harbour Walk"))
    ),
    "fields above a text": "Regiment: None\n\nDate Transcript: 2019\n\n" + "We rowed out again that night.\n\n" * 40,
    "show notes": "The lamp and the rope\n\n"
    + "".join(f"The wick and the rope with the number {n}\n\n" for n in range(30))
    + "Ada: A good rope.\n\nTomas: A new oar.\n\nAda: The old boat.\n\nTomas: A wick.\n",
    "links of a wiki": "".join(
        f"[[{page}]] says what a lamp is for, and why.\n\n" for page in ("Harbour Lamp", "Boat House") * 3
    ),
    "questions of a list": "".join(
        f"Q{n}. Will the lamp burn in the year {n}?\n\nIt will.\n\nQ{n}. And on the pier?\n\nIt will.\n\n"
        for n in range(1, 6)
    ),
    "emphasised entries": "".join(
        f"**Suggested Day: {day}**\n\n**Boat**: The old boat goes out.\n\n"
        for day in ("Monday", "Tuesday", "Wednesday", "Thursday")
    ),
    "a chapter above a text": "00:00 – Cold Open\n00:57 – Lamp Introduction\n\n"
    + "We rowed out again that night.\n\n" * 40,
    "headings that come again": "".join(
        f"## Part {n}\n\n**Purpose**: Say the purpose of the lamp.\n\n"
        "**Activation Steps**: The activation takes three steps.\n\n**Risks**: All risks that are known are few.\n\n"
        for n in range(4)
    ),
}


@pytest.mark.parametrize("page", REFUSED.values(), ids=REFUSED)
def test_documents_with_labels_and_sentences_are_no_talks(page: str) -> None:
    with pytest.raises(PageError, match="no house style explains this page"):
        read(page.encode())
