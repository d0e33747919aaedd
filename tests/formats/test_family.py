"""Pages of the same family that nobody has seen: read for what they are, written back byte for byte."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from formats.catalogue import read, render
from formats.house_style import (
    HouseStyle,
    LabelChoices,
    LabelForm,
    LayoutChoices,
    Quotes,
    TargetChoices,
    TextChoices,
)
from formats.learning import learn_style
from formats.pages import read_page
from schemas.episode import Episode
from schemas.errors import PageError
from schemas.transcript import Paragraph, Speaker, Transcript, Turn

sys.path.insert(0, str(Path(__file__).parent))
from family import FORMS, Form, MadePage, pages

#: Without shrinking: a page that fails is small enough to read, and a search for a smaller one takes minutes.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)


def some(count: int) -> settings:
    return settings(
        max_examples=count,
        deadline=None,
        phases=PHASES,
        derandomize=True,  # a page that cannot be read for certain must not fail somebody else's change
        suppress_health_check=list(HealthCheck),
    )


#: Ten pages for each of 25 label forms, each with other white space, furniture and traps.
@pytest.mark.parametrize("form", FORMS, ids=[form.name for form in FORMS])
def test_a_page_of_each_label_form_is_read_for_what_it_is_and_written_back_unchanged(form: Form) -> None:
    @some(10)
    @given(pages(form))
    def over_pages(made: MadePage) -> None:
        check_page(made)

    test: Callable[[], None] = over_pages
    test()


def check_page(made: MadePage) -> None:
    form = made.form
    transcript = read(made.content)

    assert render(transcript) == made.content
    said = [tuple(p.text for p in turn.paragraphs) for turn in transcript.turns]
    assert said == [paragraphs for _, paragraphs in made.turns]
    seen = dict.fromkeys(number for number, _ in made.turns)
    numbers = {speaker.id: number for speaker, number in zip(transcript.speakers, seen, strict=True)}
    assert [numbers[turn.speaker or ""] for turn in transcript.turns] == [number for number, _ in made.turns]
    if form.has_times:
        assert [turn.start for turn in transcript.turns] == list(made.starts)
    else:
        assert all(turn.start is None for turn in transcript.turns)
    if form.has_names and form.name != "NAME:":
        assert [speaker.name for speaker in transcript.speakers] == [made.names[n - 1] for n in seen]


@some(50)
@given(pages())
def test_a_page_survives_the_document_on_disk(made: MadePage) -> None:
    on_disk = render(read(made.content), format="json")

    assert render(read(on_disk)) == made.content


@some(50)
@given(pages())
def test_no_word_of_a_page_stands_in_its_layout(made: MadePage) -> None:
    layout = read(made.content).layout

    assert layout is not None
    for mark in layout.marks:
        if mark.kind not in ("label_form", "time_form", "number"):
            assert not re.search(r"\w", mark.value.replace("{label}", "").replace("{time}", ""))
    for name in made.names:
        assert name.split()[0].casefold() not in layout.definition.casefold()


@some(50)
@given(pages(), st.data())
def test_a_changed_word_changes_nothing_else(made: MadePage, data: st.DataObject) -> None:
    transcript = read(made.content)
    place = data.draw(st.integers(0, len(transcript.turns) - 1))
    turn = transcript.turns[place]
    changed = replace(turn, paragraphs=(replace(turn.paragraphs[0], text="Zyxwvut."), *turn.paragraphs[1:]))

    page = render(replace(transcript, turns=(*transcript.turns[:place], changed, *transcript.turns[place + 1 :])))

    before, after = made.content.decode(), page.decode()
    assert after.count("Zyxwvut.") == 1
    at = after.index("Zyxwvut.")
    assert before == after[:at] + turn.paragraphs[0].text + after[at + len("Zyxwvut.") :]


@pytest.mark.parametrize("change", ["crlf", "bom", "final", "mixed", "nbsp", "cr"])
@some(10)
@given(data=st.data())
def test_other_line_ends_and_marks_come_back_as_they_were(change: str, data: st.DataObject) -> None:
    content = data.draw(pages()).content.replace(b"\r\n", b"\n").removeprefix(b"\xef\xbb\xbf")
    changed = {
        "crlf": content.replace(b"\n", b"\r\n"),
        "bom": b"\xef\xbb\xbf" + content,
        "final": content + b"\r\n \n\n",
        "mixed": content.replace(b"\n", b"\r\n", 3),
        "nbsp": content.replace(b". ", ".\u00a0 ".encode()),
        "cr": content.replace(b"\n", b"\r"),
    }[change]

    assert render(read(changed)) == changed


# ---------------------------------------------------------------- an own style, learnt from a page


@some(60)
@given(pages())
def test_a_style_learnt_from_a_page_reads_that_page_and_writes_it_again(made: MadePage) -> None:
    style = learn_style(made.content, name="learnt")

    transcript = read_page(made.content, style=style)

    assert render(transcript, style=style) == made.content
    assert [tuple(p.text for p in turn.paragraphs) for turn in transcript.turns] == [p for _, p in made.turns]


def test_a_learnt_style_keeps_no_head_line_that_names_one_episodes_people() -> None:
    page = (
        "The lamp\n\nGuests: Dr Tomas Feld, keeper\n\nHarbour Notes\n\n"
        + "Ada Quill: So?\n\nTomas Feld: Yes.\n\n" * 3
    )

    style = learn_style(page.encode(), name="learnt")

    assert style.furniture.above == ("{% if title %}{{ title }}{% endif %}", "Harbour Notes")


@pytest.mark.parametrize(
    ("line", "template", "form"),
    [
        ("Published 3 March 2026", "{% if date %}Published {{ date }}{% endif %}", "day-first"),
        ("On air March 3, 2026", "{% if date %}On air {{ date }}{% endif %}", "month-first"),
        ("Low Water 2026-03-03", "{% if date %}Low Water {{ date }}{% endif %}", "iso"),
        ("On air Tuesday, March 3, 2026", "{% if date %}On air {{ date }}{% endif %}", "month-first"),
        ("Tuesday, March 3, 2026", "{{ date }}", "month-first"),
        ("Saint's day 3 March 2026", "{% if date %}Saint's day {{ date }}{% endif %}", "day-first"),
        ("Flood 3 February 20266", "Flood 3 February 20266", "day-first"),
        ("Low Water since 2011", "Low Water since 2011", "day-first"),
    ],
)
def test_a_date_inside_a_line_of_the_head_is_the_next_episodes_own(line: str, template: str, form: str) -> None:
    page = f"The tide clock\n\n{line}\n\n" + "Ada Quill: So?\n\nTomas Feld: Yes.\n\n" * 3

    style = learn_style(page.encode(), name="learnt")

    assert style.furniture.above[1:] == (template,)
    assert style.text.dates == form


def test_a_key_of_initials_keeps_its_sign() -> None:
    page = "The tide clock\n\nAQ = Ada Quill\nTF = Tomas Feld\n\n" + "AQ: So?\n\nTF: Yes.\n\n" * 3

    above = learn_style(page.encode(), name="learnt").furniture.above

    assert above[-1] == "{% for person in people %}{{ person.initials }} = {{ person.name }}\n{% endfor %}"


PATTERNS = ("{label}: ", "**{label}:** ", "{label} ({time}): ", "[{time}] {label}: ", "{label} – ", "<{label}> ")
LINE_PATTERNS = ("{label}", "{label}:", "### {label}", "{label} – {time}", "{label}\n{time}", "[{time}]\n{label}")
FORM_PAIRS = (("full", "full"), ("titled", "first"), ("first", "first"), ("caps", "caps"), ("number", "number"))


@st.composite
def styles(draw: st.DrawFn) -> HouseStyle:
    """A style of choices that show on a page."""
    own_line = draw(st.booleans())
    pattern = draw(st.sampled_from(LINE_PATTERNS if own_line else PATTERNS))
    first, later = draw(st.sampled_from(FORM_PAIRS))
    separator = draw(st.sampled_from(["\n\n", "\n"]))
    indent = draw(st.sampled_from(["", "    ", "\t"])) if "\n" not in pattern and "#" not in pattern else ""
    label = LabelChoices(
        LabelForm(first),
        LabelForm(later),
        pattern,
        own_line=own_line,
        time=draw(st.sampled_from(["HH:MM:SS", "M:SS", "HH:MM:SS.mmm"])) if "{time}" in pattern else None,
        number=draw(st.sampled_from(["Speaker {n}", "Speaker{n}", "Voice {a}", "SPEAKER {n}"])),
    )
    layout = LayoutChoices(
        turn_separator=draw(st.sampled_from(["\n\n", "\n\n\n"])) if separator == "\n\n" else "\n",
        paragraph_separator=separator,
        label_separator=draw(st.sampled_from(["\n", "\n\n"])) if own_line else "\n\n",
        indent=indent,
        bullet=draw(st.sampled_from(["", "• "])) if indent == "    " else "",
    )
    text = TextChoices(draw(st.sampled_from(list(Quotes))))
    return HouseStyle("random", label, layout=layout, text=text, paragraphs=TargetChoices(40, 90))


def _turn(number: int, speaker: str, *texts: str) -> Turn:
    start = number * 31.25
    paragraphs = tuple(Paragraph(f"P{number}-{n}", text, start + n, start + n + 1) for n, text in enumerate(texts))
    return Turn(f"T{number}", speaker, paragraphs, start, start + 9)


TALK = Transcript(
    Episode("5b0f3f0e-54a3-5f0c-9c6e-0a5f6f1d2c11"),
    speakers=(Speaker("S1", name="Ada Quill"), Speaker("S2", name="Tomas Feld", honorific="Dr")),
    turns=(
        _turn(1, "S1", "Hello and welcome. It's late.", "So let's begin, shall we?"),
        _turn(2, "S2", "I've kept the lamp for thirty years.", '"You can\'t argue with water," my father said.'),
        _turn(3, "S1", "What happened then?"),
        _turn(4, "S2", "The sea took the stairs.", "We rowed out.", "And that's all."),
        _turn(5, "S1", "Thank you, both of you, for the light."),
        _turn(6, "S2", "You're welcome."),
    ),
)


@some(100)
@given(styles())
def test_a_style_learnt_from_a_page_in_a_random_style_writes_another_transcript_as_that_style_does(
    style: HouseStyle,
) -> None:
    learnt = learn_style(render(TALK, style=style), name="learnt")

    other = replace(TALK, turns=(*TALK.turns[1:], _turn(7, "S1", "It's over."), _turn(8, "S2", "Good night.", "So.")))
    assert render(other, style=learnt) == render(other, style=style)


def test_a_learnt_style_has_the_pages_furniture_as_templates(golden: Path) -> None:
    style = learn_style((golden / "pages" / "full-then-first.txt").read_bytes(), name="common-things")

    assert style.furniture.above[1:3] == ("{% if title %}{{ title }}{% endif %}", "{{ date }}")
    assert "{{ person.titled }}" in style.furniture.above[3]
    assert style.furniture.above[4] == "TRANSCRIPT"
    assert style.furniture.below == ("Join our mailing list",)
    assert (style.label.first, style.label.later, style.text.dates) == ("titled", "first", "month-first")
    page = render(TALK, style=style).decode()
    assert page.startswith("×\n\n  • Ada Quill\n  • Dr Tomas Feld\n\nTRANSCRIPT\n\nAda Quill: Hello")


# ---------------------------------------------------------------- what is no page of the family


@pytest.mark.parametrize(
    "content",
    [
        "# Tool\n\n## Usage\n\nRun it.\n\n## Options\n\nName: the name.\n\n## Usage\n\nMore.\n\n```\nx\n```\n",
        "Args:\n    first: one\nReturns:\n    nothing\nArgs:\n    second: two\nReturns:\n    x = {\n    }\n",
        "Ada Quill\nTomas Feld\nLena Marsh\nBram Okoro\n",
        "name: x\nversion: 2\nname: y\nversion: 3\n",
        "| Name | Time |\n|---|---|\n| Ada Quill | 0:03 |\n| Tomas Feld | 0:04 |\n",
        "Chapter One\n\nIt was late.\n\nChapter Two\n\nIt was later.\n",
        "Dear Ada,\n\nthe train is at 10:15 and then at 11:15.\n\nYours,\nTomas\n",
    ],
)
def test_what_is_no_talk_is_refused(content: str) -> None:
    with pytest.raises(PageError) as caught:
        read(content.encode())

    assert caught.value.code == "page_not_recognised"


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "docs/reference.md", "docs/architecture.md"])
def test_a_markdown_document_is_not_taken_for_a_page(document: str) -> None:
    content = (Path(__file__).resolve().parents[2] / document).read_bytes()

    with pytest.raises(PageError, match="no house style explains"):
        read(content)
