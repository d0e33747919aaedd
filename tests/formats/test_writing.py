"""Writing in the house styles from any transcript: goldens, label forms, and what read gives back of it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from formats.catalogue import FORMATS, read, render, styles
from formats.house_style import parse_style
from formats.typography import straight
from schemas.episode import Episode, Role
from schemas.errors import PageError
from schemas.transcript import Paragraph, Speaker, Transcript, Turn, Word

EPISODE = "0b5f2c7e-9d6b-5a51-8a8f-3f1f0f0c2a11"


def spoken(
    *turns: tuple[str | None, str], speakers: tuple[Speaker, ...], title: str | None = "The pier"
) -> Transcript:
    """A transcript from sound: each turn has words with times, one second a turn."""
    made = []
    for number, (speaker, text) in enumerate(turns):
        start = number * 10.0 + 0.75
        words = tuple(
            Word(word, round(start + place * 0.01, 3), round(start + place * 0.01 + 0.009, 3))
            for place, word in enumerate(text.split(" "))
        )
        paragraph = Paragraph(f"P{number + 1}", text, start, words[-1].end, words)
        made.append(Turn(f"T{number + 1}", speaker, (paragraph,), start, words[-1].end))
    return Transcript(Episode(EPISODE, title=title), speakers=speakers, turns=tuple(made))


ADA = Speaker("S1", name="Ada Quill", role=Role.HOST)
TOMAS = Speaker("S2", name="Tomas Feld", honorific="Dr", role=Role.GUEST)


def lines(transcript: Transcript, style: str) -> list[str]:
    return [line for line in render(transcript, style=style).decode().split("\n") if line]


# ---------------------------------------------------------------- goldens


@pytest.mark.parametrize("style", [style.name for style in styles()])
def test_the_golden_transcript_is_written_in_each_style(transcript: Transcript, golden: Path, style: str) -> None:
    assert render(transcript, style=style) == (golden / "transcript-1" / f"{style}.txt").read_bytes()


@pytest.mark.parametrize(
    "format", [made.name for made in FORMATS.values() if made.name != "json" and not made.is_binary]
)
def test_the_golden_transcript_is_written_in_each_format(transcript: Transcript, golden: Path, format: str) -> None:
    [path] = (golden / "transcript-1").glob(f"{format}.*")

    assert render(transcript, format=format) == path.read_bytes()


def test_a_document_of_version_1_stays_readable_and_loses_nothing(transcript: Transcript, golden: Path) -> None:
    old = json.loads((golden / "transcript-1.json").read_bytes())
    new = json.loads(render(transcript, format="json"))

    def missing(before: object, after: object, place: str = "") -> list[str]:
        if isinstance(before, dict):
            assert isinstance(after, dict), place
            return [m for key, value in before.items() for m in missing(value, after.get(key), f"{place}.{key}")]
        if isinstance(before, list):
            assert isinstance(after, list), place
            assert len(before) == len(after), place
            return [m for n, value in enumerate(before) for m in missing(value, after[n], f"{place}[{n}]")]
        return [] if before == after else [place]

    assert missing(old, new) == []


# ---------------------------------------------------------------- labels


def test_full_then_first_prints_title_and_full_name_once_and_the_first_name_after() -> None:
    transcript = spoken(("S1", "Hello."), ("S2", "Hi."), ("S1", "So."), ("S2", "Yes."), speakers=(ADA, TOMAS))

    assert lines(transcript, "full-then-first")[-4:] == [
        "Ada Quill: Hello.", "Dr Tomas Feld: Hi.", "Ada: So.", "Tomas: Yes.",
    ]  # fmt: skip


def test_two_people_with_one_first_name_keep_their_full_names() -> None:
    other = Speaker("S1", name="Tomas Okoro")
    transcript = spoken(("S1", "Hello."), ("S2", "Hi."), ("S1", "So."), speakers=(other, TOMAS))

    assert lines(transcript, "full-then-first")[-1] == "Tomas Okoro: So."
    assert lines(transcript, "caps-list")[-1] == "    TOMAS OKORO: So."


def test_a_speaker_without_a_name_is_speaker_n_and_an_announcer_is_presenter() -> None:
    announcer = Speaker("S3", role=Role.ANNOUNCER)
    transcript = spoken(("S1", "Hello."), ("S2", "Hi."), ("S3", "Bye."), speakers=(ADA, Speaker("S2"), announcer))

    assert lines(transcript, "caps-list")[-3:] == ["  • ADA: Hello.", "    Speaker 2: Hi.", "    Presenter: Bye."]
    assert lines(transcript, "name-line")[-4:] == ["Speaker 2", "Hi.", "Presenter", "Bye."]


def test_numbered_timestamps_numbers_by_first_appearance_even_when_names_are_known() -> None:
    transcript = spoken(("S2", "Hello."), ("S1", "Hi."), ("S2", "So."), speakers=(ADA, TOMAS))

    assert lines(transcript, "numbered-timestamps") == [
        "Speaker 1 [00:00:00] Hello.", "Speaker 2 [00:00:10] Hi.", "Speaker 1 [00:00:20] So.",
    ]  # fmt: skip


def test_fractions_of_a_second_are_dropped_not_rounded() -> None:
    transcript = spoken(("S1", "Hello."), speakers=(ADA,))
    turn = replace(transcript.turns[0], start=3599.9996)

    late = replace(transcript, turns=(replace(turn, start=3599.999),))
    assert lines(late, "numbered-timestamps") == ["Speaker 1 [00:59:59] Hello."]


def test_numbered_timestamps_refuses_a_transcript_without_times(golden: Path) -> None:
    page = read((golden / "pages" / "name-line.txt").read_bytes())

    with pytest.raises(PageError, match="turn T1 has no start time") as caught:
        render(page, style="numbered-timestamps")

    assert caught.value.code == "times_missing"


# ---------------------------------------------------------------- text


def test_quotes_are_curly_where_the_style_says_so_and_straight_where_not() -> None:
    said = "It's the '90s, she said \"don't\", 'tis 'all' one."
    transcript = spoken(("S1", said), speakers=(ADA,))

    assert lines(transcript, "name-line")[-1] == "It’s the ’90s, she said “don’t”, ’tis ‘all’ one."
    assert lines(transcript, "caps-list")[-1] == f"  • ADA: {said}"


def test_sound_marks_are_not_printed_and_a_turn_of_nothing_else_is_left_out() -> None:
    transcript = spoken(
        ("S1", "Well [laughs] yes."), ("S2", "[soft music]"), ("S1", "♪ So (the [old] one)."), speakers=(ADA, TOMAS)
    )

    assert lines(transcript, "name-line")[1:] == ["Ada Quill", "Well yes.", "Ada Quill", "So (the [old] one)."]


def test_paragraphs_come_near_the_length_the_style_asks_for() -> None:
    sentence = "The lamp is old and the stairs are wet but we climb."
    transcript = spoken(("S1", " ".join([sentence] * 40)), speakers=(ADA,))

    def lengths(style: str) -> list[int]:
        return [len(line.split(":")[-1].split()) for line in lines(transcript, style) if sentence[:8] in line]

    assert len(lengths("numbered-timestamps")) == 1
    assert len(lengths("caps-list")) > len(lengths("name-line")) > len(lengths("full-then-first")) > 1
    assert max(lengths("caps-list")) <= 110


# ---------------------------------------------------------------- nothing forges a line

EVIL = [
    "Bo\n\nAda Quill: I lied",
    "Bo\u202egnol",
    "Bo\x1b[31m",
    "Bo\r\nWEBVTT",
    "<script>x</script>",
    "Bo --> x",
    "Bo: Ada",
    "=HYPERLINK(1)",
]


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("style", [style.name for style in styles()])
def test_a_name_title_or_text_cannot_add_a_line_or_control_the_terminal(evil: str, style: str) -> None:
    calm = spoken(("S1", "Hello."), ("S2", "Hi there."), speakers=(ADA, replace(TOMAS, description="x")))
    loud = spoken(
        ("S1", "Hello."),
        ("S2", f"{evil} Hi there."),
        speakers=(ADA, replace(TOMAS, name=evil, honorific=evil, description=evil)),
        title=evil,
    )

    page = render(loud, style=style).decode()

    assert page.count("\n") == render(calm, style=style).decode().count("\n")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", page)


def test_a_paragraph_that_looks_like_a_label_is_joined_to_the_one_before() -> None:
    long = "The lamp is old and the stairs are wet but we climb. " * 8
    said = (("S1", long), ("S2", "No."), ("S1", "So."), ("S2", "Yes."))
    transcript = spoken(*said, speakers=(ADA, TOMAS))
    paragraphs = (
        Paragraph("P1", long.strip()),
        Paragraph("P2", "Tomas: I did it."),
        Paragraph("P3", "Tomas Feld"),
        Paragraph("P4", f"TOMAS – He did it. {long}"),
        Paragraph("P5", f"Tomas Feld – He did it. {long}"),
        Paragraph("P6", f"Tomas – He did it. {long}"),
        Paragraph("P7", "Music: it was loud."),
    )
    forged = replace(transcript, turns=(replace(transcript.turns[0], paragraphs=paragraphs), *transcript.turns[1:]))

    for style in ("name-line", "caps-list", "full-then-first"):
        turns = read(render(forged, style=style), style=style).turns
        assert [turn.speaker for turn in turns] == ["S1", "S2", "S1", "S2"]
        assert [len(turn.paragraphs) for turn in turns][1:] == [1, 1, 1]
        assert not turns[0].asides


def test_control_characters_are_printed_only_where_the_page_had_them(golden: Path) -> None:
    content = (golden / "pages" / "name-line.txt").read_bytes().replace(b"Ha.", b"H\x1b[1ma.")
    transcript = read(content)
    turn = transcript.turns[0]
    edited = replace(
        turn, paragraphs=(replace(turn.paragraphs[0], text="Oh\x1b[31m\nAda Quill"), *turn.paragraphs[1:])
    )

    page = render(replace(transcript, turns=(edited, *transcript.turns[1:]))).decode()

    assert "H\x1b[1ma." in page
    assert "Oh[31m Ada Quill" in page


# ---------------------------------------------------------------- what is written can be read

NAMES = st.lists(
    st.sampled_from(
        [
            "Ada Quill",
            "Tomas Feld",
            "Tomas Okoro",
            "Zoë Ó Briain",
            "Anne-Marie O’Dell",
            "Lena van der Berg",
            "Will Page",
            "J. R. Hartley",
            "Nur Aziz",
            "Björk Lund",
        ]
    ),
    min_size=1,
    max_size=4,
    unique=True,
)
SENTENCES = st.sampled_from(
    ["Yes.", "It's the 'old' one, isn't it?", "You never know: it may rain at 10:15.", "He said \"wait\" and left.",
     "So, my advice: buy the ladder first.", "I heard Ada Quill say so.", "A) it is late, and B) it is wet…",
     "The lamp is old and the stairs are wet, but we climb them every night because somebody has to.",
     "Thank you, Tomas.", "NHS: that is what they call it.", "Note: nobody came.", "Music.",
     "Ada Quill – Who knows why.", "Tomas Feld; So he said."]
)  # fmt: skip


@st.composite
def conversations(draw: st.DrawFn) -> Transcript:
    names = draw(NAMES)
    speakers = [
        Speaker(f"S{n}", name=name, honorific=draw(st.sampled_from([None, "Dr"]))) for n, name in enumerate(names, 1)
    ]
    if draw(st.booleans()):
        speakers.append(Speaker(f"S{len(speakers) + 1}"))
    if draw(st.booleans()):
        speakers.append(Speaker(f"S{len(speakers) + 1}", role=Role.ANNOUNCER))
    order = [s.id for s in speakers]
    # ids are given by first appearance, and neighbours differ
    order += draw(st.lists(st.sampled_from(order), max_size=5))
    turns = []
    for who in order:
        if not turns or turns[-1][0] != who:
            turns.append((who, " ".join(draw(st.lists(SENTENCES, min_size=1, max_size=14)))))
    return spoken(*turns, speakers=tuple(speakers))


def _said(transcript: Transcript) -> list[str]:
    return [straight(" ".join(p.text for p in turn.paragraphs)) for turn in transcript.turns]


def _who(transcript: Transcript) -> list[str]:
    names = {
        s.id: s.name or ("announcer" if s.role is Role.ANNOUNCER else f"number {s.id}") for s in transcript.speakers
    }
    return [straight(names[turn.speaker or ""]).casefold() for turn in transcript.turns]


@settings(max_examples=50, deadline=None)
@given(conversations(), st.sampled_from(["name-line", "caps-list", "full-then-first", "numbered-timestamps"]))
def test_what_is_written_is_read_back_with_the_same_turns_texts_and_speakers(
    transcript: Transcript, style: str
) -> None:
    page = render(transcript, style=style)

    back = read(page, style=style)

    assert _said(back) == _said(transcript)
    if style == "numbered-timestamps":
        assert [t.speaker for t in back.turns] == [t.speaker for t in transcript.turns]
        assert [t.start for t in back.turns] == [float(int(t.start or 0)) for t in transcript.turns]
    else:
        assert _who(back) == _who(transcript)
    assert render(back) == page


@settings(max_examples=30, deadline=None)
@given(conversations(), st.sampled_from(["name-line", "caps-list", "full-then-first", "numbered-timestamps"]))
def test_a_written_page_of_several_turns_is_recognised_as_its_style(transcript: Transcript, style: str) -> None:
    # when three turns begin "NHS: …", a page cannot be told from one of a speaker called NHS
    assume(sum(turn.paragraphs[0].text.startswith("NHS:") for turn in transcript.turns) < 3)
    assume(len(transcript.turns) > 1)

    assert read(render(transcript, style=style)).layout.style == style  # type: ignore[union-attr]


# ---------------------------------------------------------------- a publisher's own style


OWN = """
name = "bold-minutes"
[label]
first = "full"
later = "first"
pattern = "**{label}** ({time}): "
time = "M:SS"
[layout]
indent = "> "
turn_separator = "\\n"
[furniture]
above = ["# {{ title }}"]
below = ["{{ people | map(attribute='name') | join(' / ') }}"]
"""


def test_a_publishers_own_style_is_written_and_read() -> None:
    style = parse_style(OWN.replace('"> "', '"  "'), source="own.toml")
    transcript = spoken(("S1", "Hello."), ("S2", "Hi."), ("S1", "So."), speakers=(ADA, TOMAS))

    page = render(transcript, style=style)

    assert page.decode() == (
        "# The pier\n\n  **Ada Quill** (0:00): Hello.\n  **Tomas Feld** (0:10): Hi.\n  **Ada** (0:20): So.\n\n"
        "Ada Quill / Tomas Feld"
    )
    back = read(page, style=style)
    assert [t.speaker for t in back.turns] == ["S1", "S2", "S1"]
    assert [t.start for t in back.turns] == [0.0, 10.0, 20.0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("name = ", "name ! "), "not a TOML file"),
        (('first = "full"', 'first = "nickname"'), "label.first"),
        (('later = "first"', 'latter = "first"'), "label.later"),
        (('time = "M:SS"', ""), "label.time is missing"),
        (("{label}", "{name}"), "label.pattern"),
        (('indent = "> "', 'indent = "said "'), "layout.indent"),
        (("[layout]", "[layout]\nparagraph_separator = ' '"), "paragraph_separator"),
        (("[furniture]", "[paragraphs]\nwords = 90\ncap_words = 9\n[furniture]"), "below paragraphs.words (90)"),
        (('name = "bold-minutes"', 'name = "../x"'), "name"),
        (("[layout]", "[layout]\ncolour = 'red'"), "layout.colour"),
    ],
)
def test_a_wrong_style_is_refused_with_the_choice_named(change: tuple[str, str], says: str) -> None:
    with pytest.raises(PageError) as caught:
        parse_style(
            OWN.replace('"> "', '"  "').replace(change[0].replace('"> "', '"  "'), change[1]), source="own.toml"
        )

    assert caught.value.code == "style_invalid"
    assert caught.value.message.startswith("own.toml: ")
    assert says in caught.value.message


@pytest.mark.parametrize("template", ["{{ nobody }}", "{% if %}", "{{ title.__class__.__mro__ }}", "{{ 1 / 0 }}"])
def test_a_wrong_furniture_template_is_refused(template: str) -> None:
    style = parse_style(OWN.replace('"> "', '"  "').replace("# {{ title }}", template), source="own.toml")

    with pytest.raises(PageError) as caught:
        render(spoken(("S1", "Hello."), speakers=(ADA,)), style=style)

    assert caught.value.code == "style_invalid"
