"""Families of pages beside the usual ones: tables, lists of terms, counted turns, keys of labels, ends of turns."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from formats.catalogue import read, render
from formats.learning import learn_style
from formats.pages import read_page
from schemas.episode import Role
from schemas.errors import PageError
from schemas.transcript import Transcript
from tests.pages_read import read_back, who_said

PEOPLE = ("Ada Quill", "Tomas Feld")
SAID = (
    "Hello and welcome. Tomas, you have kept the lamp for thirty years.",
    "Thirty-one, if you count the winter it stayed dark.",
    "What happened that winter?",
    "The sea took the stairs. We rowed out and climbed the wall.",
    "And who paid for the new ones?",
    "The town did, after we asked for the third time.",
)
TURNS = [(PEOPLE[n % 2], [text]) for n, text in enumerate(SAID)]


def page_of(form: str, *, between: str = "\n", head: str = "", foot: str = "") -> str:
    """A talk of two: what stands in a form's braces is that of each turn."""
    lines = [
        form.format(
            name=PEOPLE[n % 2],
            caps=PEOPLE[n % 2].upper(),
            role=("Host", "Guest")[n % 2],
            letter="QA"[n % 2],
            text=text,
            n=n + 1,
            pair=n // 2 + 1,
            time=f"0:{9 * n:02d}",
            end=f"0:{9 * n + 8:02d}",
        )
        for n, text in enumerate(SAID)
    ]
    return head + between.join(lines) + foot


# ---------------------------------------------------------------- tags

TAGGED = {
    "span": ('<p><span class="speaker">{name}</span> {text}</p>', "", ""),
    "span with a colon": ('<p><span class="speaker">{name}:</span> {text}</p>', "", ""),
    "span on its line": ('<span class="speaker">{name}</span>\n<p>{text}</p>', "", ""),
    "strong with a class": ('<p><strong class="who">{name}:</strong> {text}</p>', "", ""),
    "terms": ("<dt>{name}</dt>\n<dd>{text}</dd>", "<dl>\n", "\n</dl>\n"),
    "terms on one line": ("<dt>{name}</dt><dd>{text}</dd>", "<dl>\n", "\n</dl>\n"),
    "turns in boxes": ('<div class="turn">\n  <p class="who">{name}</p>\n  <p>{text}</p>\n</div>', "", ""),
    "labels in boxes": ('<div class="turn">\n  <p>{name}: {text}</p>\n</div>', "", ""),
    "rows": ("<tr><td>{name}</td><td>{text}</td></tr>", "<table>\n", "\n</table>\n"),
    "rows on lines": ("<tr>\n<td>{name}</td>\n<td>{text}</td>\n</tr>", "<table>\n", "\n</table>\n"),
}
TAGGED_WITH_TIMES = {
    "rows": ("<tr><td>{time}</td><td>{name}</td><td>{text}</td></tr>", "<table>\n", "\n</table>\n"),
    "rows on lines": ("<tr>\n<td>{time}</td>\n<td>{name}</td>\n<td>{text}</td>\n</tr>", "<table>\n", "\n</table>\n"),
    "spans": ('<p><span class="at">{time}</span> <span class="who">{name}:</span> {text}</p>', "", ""),
    "as Podcasting 2.0 has it": ("<cite>{name}:</cite>\n<time>{time}</time>\n<p>{text}</p>", "", ""),
}


@pytest.mark.parametrize("kind", TAGGED)
@pytest.mark.parametrize("between", ["\n", "\n\n"])
def test_names_in_tags_begin_turns(kind: str, between: str) -> None:
    form, head, foot = TAGGED[kind]

    transcript = read_back(page_of(form, between=between, head=head, foot=foot))

    assert who_said(transcript) == TURNS
    assert transcript.segments == ()


@pytest.mark.parametrize("kind", TAGGED_WITH_TIMES)
def test_times_in_tags_are_starts(kind: str) -> None:
    form, head, foot = TAGGED_WITH_TIMES[kind]

    transcript = read_back(page_of(form, head=head, foot=foot))

    assert who_said(transcript) == TURNS
    assert [turn.start for turn in transcript.turns] == [9.0 * n for n in range(6)]


def test_lines_of_tags_alone_are_no_captions() -> None:
    transcript = read_back(page_of("<section>\n<p>{name}: {text}</p>\n</section>"))

    assert who_said(transcript) == TURNS
    assert not any(turn.asides for turn in transcript.turns)


def test_the_tags_of_a_whole_web_page_speak_against_no_talk() -> None:
    head = "".join(f'<meta name="n{n}" content="lamp">\n' for n in range(12))

    transcript = read_back(page_of("<p><b>{name}:</b> {text}</p>", head=f"<html><head>\n{head}</head><body>\n"))

    assert who_said(transcript) == TURNS


# ---------------------------------------------------------------- tables of Markdown

ROWS = {
    "| {name} | {text} |": "| Speaker | What was said |\n| --- | --- |\n",
    "| **{name}** | {text} |": "| Who | Text |\n| :-- | --: |\n",
    "| {n} | {name} | {text} |": "| # | Name | Text |\n|---|---|---|\n",
}
ROWS_WITH_TIMES = {
    "| {time} | {name} | {text} |": "| Time | Speaker | Text |\n|---|---|---|\n",
    "| {time} | **{name}** | {text} |": "| Time | Speaker | Text |\n|---|---|---|\n",
    "| {name} | {time} | {text} |": "| Speaker | Time | Text |\n|---|---|---|\n",
    "| {time} | {end} | {name} | {text} |": "| Start | End | Speaker | Text |\n|---|---|---|---|\n",
}


@pytest.mark.parametrize("form", [*ROWS, *ROWS_WITH_TIMES])
def test_a_table_in_which_people_talk_is_a_talk(form: str) -> None:
    head = {**ROWS, **ROWS_WITH_TIMES}[form]

    transcript = read_back(page_of(form, head="# The lamp\n\n" + head, foot="\n"))

    assert who_said(transcript) == TURNS
    assert transcript.episode.title == "The lamp"
    assert [turn.start for turn in transcript.turns][1] == (9.0 if form in ROWS_WITH_TIMES else None)


@pytest.mark.parametrize(
    "table",
    [
        "| Lamp | Height | Lit |\n|---|---|---|\n" + "| Gull Point | 12 | 1901 |\n| Quill Rock | 14 | 1902 |\n" * 3,
        "| Name | Type | What it is |\n|---|---|---|\n"
        + "| Lamp | oil | It burns. |\n| Bell | rope | It rings. |\n" * 3,
        "| Risk | What may come of it |\n|---|---|\n" + "| High | Ships run aground. |\n| Low | They wait. |\n" * 3,
        "| Name | What she does |\n|---|---|\n| Ada Quill | Keeps the lamp. |\n| Lena Berg | Mends boats. |\n"
        "| Nur Aziz | Bakes before dawn. |\n| Zoe Marsh | Rows the boat. |\n",
        "| Speaker | Words |\n|---|---|\n" + "| Ada Quill | 120 |\n| Tomas Feld | 98 |\n" * 3,
    ],
    ids=["figures", "settings", "risks", "people", "counts of words"],
)
def test_another_table_is_no_talk(table: str) -> None:
    with pytest.raises(PageError, match="no house style explains this page"):
        read(f"# The lamps\n\n{table}".encode())


def test_a_table_between_the_turns_of_a_page_is_nobodys_words() -> None:
    table = "| Lamp | Height |\n|---|---|\n| Gull Point | 12 |\n\n"
    page = page_of("{name}: {text}", between="\n\n").replace("Tomas Feld: The sea", f"{table}Tomas Feld: The sea")
    page += page_of("\n\n{name}: {text}", between="")

    transcript = read_back(page)

    assert who_said(transcript) == TURNS * 2
    assert len(transcript.turns[2].asides) == 3


# ---------------------------------------------------------------- counted turns


@pytest.mark.parametrize("form", ["{n}. {}", "{n}) {}", "[{n}] {}", "#{n} {}", "{n:03d} {}"])
@pytest.mark.parametrize("label", ["{name}: {text}", "**{name}:** {text}"])
@pytest.mark.parametrize("between", ["\n", "\n\n"])
def test_the_count_before_each_turn_is_layout(form: str, label: str, between: str) -> None:
    transcript = read_back(page_of(form.replace("{}", label), between=between))

    assert who_said(transcript) == TURNS


def test_a_numbered_list_of_people_with_what_they_do_is_no_talk() -> None:
    people = ("Ada Quill", "Tomas Feld", "Lena Berg", "Nur Aziz", "Zoe Marsh")
    page = "\n".join(f"{n}. {name}: Keeps the lamp of pier {n}." for n, name in enumerate(people, start=1))

    with pytest.raises(PageError, match="no house style explains this page"):
        read(page.encode())


@pytest.mark.parametrize("form", ["{letter}{pair}: {text}", "{letter}{pair}. {text}", "**{letter}{pair}:** {text}"])
def test_counted_questions_and_answers_are_two_speakers(form: str) -> None:
    transcript = read_back(page_of(form, between="\n\n"))

    assert [(turn.speaker, turn.paragraphs[0].text) for turn in transcript.turns] == [
        (f"S{n % 2 + 1}", text) for n, text in enumerate(SAID)
    ]


# ---------------------------------------------------------------- roles, full stops


@pytest.mark.parametrize(
    "form",
    ["{role}: {name}: {text}", "**{role}: {name}:** {text}", "**({role}) {name}:** {text}", "{role}: {caps}: {text}"],
)
def test_a_role_before_the_name_is_that_persons(form: str) -> None:
    transcript = read_back(page_of(form, between="\n\n"))

    assert who_said(transcript) == TURNS
    assert [speaker.role for speaker in transcript.speakers] == [Role.HOST, Role.GUEST]


def test_a_role_before_the_name_at_its_first_turn_alone_is_that_persons() -> None:
    page = page_of("{name}: {text}", between="\n\n")
    page = page.replace("Ada Quill:", "Host: Ada Quill:", 1).replace("Tomas Feld:", "Guest: Tomas Feld:", 1)

    assert who_said(read_back(page)) == TURNS


def test_a_title_that_a_role_reads_out_is_no_name() -> None:
    page = page_of("{role}: {text}", between="\n\n").replace("And who", "Quiet Water: a story of two boats. And who")

    transcript = read_back(page)

    assert [name for name, _ in who_said(transcript)] == ["Host", "Guest"] * 3
    assert transcript.turns[4].paragraphs[0].text.startswith("Quiet Water: a story")


@pytest.mark.parametrize(
    ("form", "names"),
    [
        ("Mr. {name}. {text}", None),
        ("{caps}. {text}", list(PEOPLE)),
        ("{letter}. {text}", ["Q", "A"]),
    ],
)
def test_labels_can_end_with_a_full_stop(form: str, names: list[str] | None) -> None:
    page = page_of(form, between="\n\n")
    if names is None:
        page, names = re.sub(r"Mr\. \w+ (\w+)\.", r"Mr. \1.", page), ["Quill", "Feld"]

    transcript = read_back(page)

    assert who_said(transcript) == [(names[n % 2], [text]) for n, text in enumerate(SAID)]


def test_sentences_of_one_word_are_no_labels() -> None:
    page = "\n\n".join(["Yes. It burns.", "No. It is dark.", "Ada. Come here.", "Yes. I come."] * 3)

    with pytest.raises(PageError, match="no house style explains this page"):
        read(page.encode())


# ---------------------------------------------------------------- from when to when


@pytest.mark.parametrize(
    "form",
    [
        "[{time} - {end}] {name}: {text}",
        "[{time} --> {end}] {name}: {text}",
        "({time}–{end}) {name}: {text}",
        "{name} [{time} - {end}]: {text}",
        "[{time} -> {end}] **{name}:** {text}",
    ],
)
def test_the_end_of_a_turn_is_read_where_the_page_prints_it(form: str) -> None:
    transcript = read_back(page_of(form, between="\n\n"))

    assert who_said(transcript) == TURNS
    assert [(turn.start, turn.end) for turn in transcript.turns] == [(9.0 * n, 9.0 * n + 8) for n in range(6)]


def test_an_end_in_another_form_than_its_start_is_written_back() -> None:
    page = page_of("[{time} - {end}] {name}: {text}", between="\n\n").replace("0:45 - 0:53", "59:59 - 1:00:03")

    transcript = read_back(page)

    assert (transcript.turns[5].start, transcript.turns[5].end) == (3599.0, 3603.0)


def test_a_style_with_ends_asks_for_them() -> None:
    style = learn_style(page_of("[{time} - {end}] {name}: {text}").encode(), name="learnt")
    transcript = read(page_of("{name} ({time}): {text}").encode())

    with pytest.raises(PageError, match="no end time") as caught:
        render(transcript, style=style)

    assert caught.value.code == "times_missing"


# ---------------------------------------------------------------- whose a label is

KEYS = {
    "Interviewer: Ada Quill (Q)\nInterviewee: Tomas Feld (A)\n\n": "{letter}: {text}",
    "Q: Ada Quill\nA: Tomas Feld\n\n": "{letter}: {text}",
    "Q = Ada Quill, A = Tomas Feld\n\n": "{letter}: {text}",
    "The lamp\n\nInterviewer: Ada Quill\n\nInterviewee: Tomas Feld\n\n": "**{letter}:** {text}",
    "Host: Ada Quill\nGuest: Tomas Feld\n\n": "{role}: {text}",
}


@pytest.mark.parametrize("head", KEYS)
def test_a_key_says_whose_a_letter_or_role_is(head: str) -> None:
    page = page_of(KEYS[head], between="\n\n", head=head)

    transcript = read_back(page)

    assert who_said(transcript) == TURNS
    assert [speaker.role for speaker in transcript.speakers] == [Role.HOST, Role.GUEST]
    renamed = tuple(replace(s, name="Nur Aziz") if s.name == "Tomas Feld" else s for s in transcript.speakers)
    assert render(replace(transcript, speakers=renamed)).decode() == page.replace("Tomas Feld", "Nur Aziz")


def test_a_name_that_answers_a_question_is_no_key() -> None:
    page = page_of("{letter}: {text}", between="\n\n").replace(SAID[1], "Tomas Feld").replace(SAID[0], "Your name?")

    assert [name for name, _ in who_said(read_back(page))] == ["Q", "A"] * 3


def test_a_name_that_is_all_a_question_says_is_no_key() -> None:
    page = page_of("{letter}: {text}", between="\n\n").replace(SAID[0], "Ada Quill")

    assert [name for name, _ in who_said(read_back(page))] == ["Q", "A"] * 3


@pytest.mark.parametrize(
    "page",
    [
        "Q: How do I light my lamp?\n\nA: Turn the wheel.\n\nQ: Can I row out?\n\nA: You can by day.\n",
        "# FAQ\n\nQ: What is a lamp for?\n\nA: Ships.\n\nQ: Who pays?\n\nA: The town.\n",
        "Q1: What is oil?\nA1: It burns.\nQ2: What is rope?\nA2: It holds.\nQ3: What is rust?\nA3: It eats iron.\n"
        "Q4: What is fog?\nA4: It hides ships.\n",
    ],
    ids=["the reader asks", "it says so", "nobody speaks of himself"],
)
def test_questions_of_a_help_page_are_no_talk(page: str) -> None:
    with pytest.raises(PageError, match="its questions and answers are nobody's"):
        read(page.encode())


@pytest.mark.parametrize("label", ["Together", "All", "Both", "Everyone", "In unison"])
@pytest.mark.parametrize("form", ["{}:", "**{}:**"])
def test_several_at_once_are_a_speaker_of_their_own_and_no_guest(label: str, form: str) -> None:
    page = page_of(form.format("{name}") + " {text}", between="\n\n")
    page += f"\n\n{form.format(label)} Good night!\n\n{form.format('Ada Quill')} Good night."

    transcript = read_back(page)

    assert who_said(transcript)[6:] == [(label, ["Good night!"]), ("Ada Quill", ["Good night."])]
    assert [speaker.role for speaker in transcript.speakers] == [Role.HOST, Role.GUEST, None]


# ---------------------------------------------------------------- a width that is learnt

LONG = " ".join([*SAID, "I kept the log for thirty years, in pencil, since ink runs when the window is left open."])


def wrapped_page(width: int, indent: str = "") -> bytes:
    """Pages of one width, whose lines go on behind an indent."""
    from textwrap import wrap

    turns = [wrap(f"{PEOPLE[n % 2]}: {LONG}", width, subsequent_indent=indent) for n in range(6)]
    return "\n\n".join("\n".join(lines) for lines in turns).encode()


def with_other_words(transcript: Transcript) -> Transcript:
    """A talk that is on no page, of the same people."""
    turns = tuple(
        replace(t, paragraphs=tuple(replace(p, text=f"{SAID[n]} {LONG} {SAID[0]}") for p in t.paragraphs))
        for n, t in enumerate(transcript.turns)
    )
    return replace(transcript, turns=turns, layout=None)


@pytest.mark.parametrize("width", [40, 64, 100])
@pytest.mark.parametrize("indent", ["", "    "])
def test_a_style_learnt_from_a_wrapped_page_writes_other_talks_as_wide(width: int, indent: str) -> None:
    page = wrapped_page(width, indent)
    style = learn_style(page, name="learnt")
    other = with_other_words(read(page))

    written = render(other, style=style)

    lines = written.decode().split("\n")
    assert width - 12 < max(len(line) for line in lines) <= width
    assert style.layout.wrap_indent == indent
    assert who_said(read_page(written, style=style)) == who_said(other)


def test_no_line_of_a_wrapped_paragraph_begins_as_a_turn_or_an_entry_does() -> None:
    style = learn_style(wrapped_page(64), name="learnt")
    said = [
        "She asked me why. Tomas Feld: I said that to everybody who rowed out to the lamp in that winter.",
        "There are two things. 1. row out 2. row back - or stay # and then | wait for the night to come.",
        "The word is well- known to everybody who was go- ing out to row in the well-known boats.",
    ]
    other = with_other_words(read(wrapped_page(64)))
    turns = tuple(
        replace(t, paragraphs=(replace(t.paragraphs[0], text=f"{'row ' * n}{said[n % 3]}"),))
        for t in other.turns[:1]
        for n in range(60)
    )
    turns = tuple(replace(t, id=f"T{n}", speaker=f"S{n % 2 + 1}") for n, t in enumerate(turns))
    other = replace(other, turns=turns)

    written = render(other, style=style)

    assert who_said(read_page(written, style=style)) == who_said(other)
    assert written.decode().count("\n") > 120


# ---------------------------------------------------------------- old web pages


def test_tags_alone_on_their_lines_are_no_names() -> None:
    lines = "".join(f"<P>\n{name}: {text[0]}\n</P>\n\n" for name, text in TURNS * 2)

    transcript = read_back(f"<HTML>\n<HEAD>\n</HEAD>\n<BODY>\n{lines}</BODY>\n")

    assert who_said(transcript) == TURNS * 2


def test_angle_brackets_around_tags_hold_no_names() -> None:
    page = "".join(f"<HR>\n{text}\n<CENTER>\n{text} And so on.\n" for text in SAID)

    with pytest.raises(PageError, match="no house style explains this page"):
        read(page.encode())


def test_the_parts_of_a_web_page_under_headings_like_names_are_no_talk() -> None:
    parts = ("Harbour Museum", "Quill House", "Lamp Shop")
    page = "".join(f"<section>\n<p>{part}</p>\n<p>{SAID[3]}</p>\n<p>{SAID[5]}</p>\n</section>\n" for part in parts)

    with pytest.raises(PageError, match="no house style explains this page"):
        read(page.encode())


def test_a_page_about_captions_is_no_captions() -> None:
    cue = "00:00:01,000 --> 00:00:02,000\nA lamp.\n\n"
    page = "# How we write captions\n\n" + "Each cue is short.\n\n" * 20 + "1\n" + cue + "2\n" + cue

    with pytest.raises(PageError, match="no house style explains this page"):
        read(page.encode())


def test_the_works_that_an_essay_cites_say_nothing() -> None:
    page = f"Ada Quill\n\n{LONG}\n\n{LONG}\n\nAda Quill\n\n{LONG}\n\nWorks Cited\n\n{LONG}\n"

    with pytest.raises(PageError, match="no house style explains this page"):
        read(page.encode())


def test_line_breaks_alone_between_turns_speak_against_no_talk() -> None:
    lines = "".join(f"<P>\n{name}: {text[0]}\n<BR>\n\n" for name, text in TURNS * 2)

    assert who_said(read_back(f"<HTML>\n<BODY>\n{lines}</BODY>\n")) == TURNS * 2
