"""What published pages have beside labels and speech: front matter, headings, times of their own, slips."""

from __future__ import annotations

from dataclasses import replace

import pytest

from formats.catalogue import read, render
from formats.learning import learn_style
from schemas.episode import Role
from schemas.errors import PageError
from schemas.transcript import MatterKind
from tests.pages_read import captions, read_back, who_said


def says_why(page: str) -> str:
    with pytest.raises(PageError) as caught:
        read(page.encode())
    assert caught.value.code == "page_not_recognised"
    return caught.value.message


TALK = (
    "Ada Quill: You keep the lamp.\n\nTomas Feld: I do.\n\n{extra}"
    "Ada Quill: Since when?\n\nTomas Feld: Since the winter of the ice.\n"
)


# ---------------------------------------------------------------- front matter


FRONT_MATTER = """---
title: "The lamp: a talk"
description: >
  Ada Quill: a word with the keeper.
tags:
  - Quiet Water
  - lamps
date: 2026-03-14
hosts: ['Ada Quill']
speakers:
  - Dr Tomas Feld, keeper of the lamp
---

"""


def test_front_matter_gives_title_date_and_people() -> None:
    transcript = read_back(FRONT_MATTER + TALK.format(extra=""))

    episode = transcript.episode
    assert (episode.title, episode.published) == ("The lamp: a talk", "2026-03-14")
    assert [(p.name, p.role, p.honorific, p.description) for p in episode.participants] == [
        ("Ada Quill", Role.HOST, None, None),
        ("Tomas Feld", Role.GUEST, "Dr", "keeper of the lamp"),
    ]


def test_the_host_of_the_front_matter_need_not_speak_first() -> None:
    transcript = read_back("---\nhosts:\n  - Tomas Feld\n---\n" + TALK.format(extra=""))

    assert [(s.name, s.role) for s in transcript.speakers] == [("Ada Quill", Role.GUEST), ("Tomas Feld", Role.HOST)]


def test_a_page_has_its_title_once() -> None:
    transcript = read_back(FRONT_MATTER + "What burns at night\n\n" + TALK.format(extra=""))

    assert [matter.text for matter in transcript.front if matter.kind is MatterKind.TITLE] == [
        'title: "The lamp: a talk"'
    ]


@pytest.mark.parametrize("mark", [">", "|", ">-", "|+"])
def test_a_title_on_the_lines_below_its_key_is_taken_without_the_mark(mark: str) -> None:
    transcript = read_back(f"---\ntitle: {mark}\n  The lamp\n  on the pier\n---\n" + TALK.format(extra=""))

    assert transcript.episode.title == "The lamp on the pier"
    assert [m.text for m in transcript.front if m.kind is MatterKind.TITLE] == ["The lamp", "on the pier"]


@pytest.mark.parametrize("entry", ["speakers: Ada Quill, Dr Tomas Feld", "guests: 'Ada Quill, Tomas Feld'"])
def test_names_between_commas_are_several_people(entry: str) -> None:
    transcript = read_back(f"---\n{entry}\n---\n" + TALK.format(extra=""))

    assert [(p.name, p.description) for p in transcript.episode.participants] == [
        ("Ada Quill", None),
        ("Tomas Feld", None),
    ]


@pytest.mark.parametrize("entry", ["speaker: Tomas Feld, Quiet Water", "speakers: Tomas Feld, Keeper"])
def test_what_a_person_does_is_nobodys_name(entry: str) -> None:
    transcript = read_back(f"---\n{entry}\n---\n" + TALK.format(extra=""))

    assert [(p.name, p.description) for p in transcript.episode.participants] == [
        ("Tomas Feld", entry.partition(", ")[2])
    ]


def test_a_key_without_a_value_tells_nothing() -> None:
    transcript = read_back("---\ntitle: null\nguest: None\nhost: ~\n---\n# The lamp\n\n" + TALK.format(extra=""))

    assert transcript.episode.title == "The lamp"
    assert transcript.episode.participants == ()


def test_white_space_after_the_first_line_of_dashes_does_not_hide_front_matter() -> None:
    transcript = read_back("--- \ntitle: The lamp\n---\n" + TALK.format(extra=""))

    assert transcript.episode.title == "The lamp"


def test_a_long_description_in_front_matter_is_no_talk_above_the_talk() -> None:
    line = (
        "  The lamp is old and the stairs are wet, but somebody has to climb them every night of the year, even so.\n"
    )

    transcript = read_back(f"---\ndescription: >\n{line * 20}---\n" + TALK.format(extra=""))

    assert len(transcript.turns) == 4


def test_no_line_of_front_matter_is_said() -> None:
    transcript = read_back(FRONT_MATTER + TALK.format(extra=""))

    assert [name for name, _ in who_said(transcript)] == ["Ada Quill", "Tomas Feld"] * 2
    assert [matter.text for matter in transcript.front][-2:] == ["Dr Tomas Feld, keeper of the lamp", "---"]
    assert {m.kind for m in transcript.front if "Quiet" in m.text or "word" in m.text} == {MatterKind.TEXT}


def test_a_person_of_the_front_matter_goes_by_the_present_name() -> None:
    transcript = read_back(FRONT_MATTER + TALK.format(extra=""))
    renamed = tuple(replace(s, name="Lena Marsh") if s.name == "Tomas Feld" else s for s in transcript.speakers)

    page = render(replace(transcript, speakers=renamed)).decode()

    assert page == (FRONT_MATTER + TALK.format(extra="")).replace("Tomas Feld", "Lena Marsh")


def test_front_matter_completes_first_names() -> None:
    talk = TALK.format(extra="").replace("Tomas Feld", "Tomas")

    assert [s.name for s in read_back(FRONT_MATTER + talk).speakers] == ["Ada Quill", "Tomas Feld"]


def test_who_speaks_once_may_begin_a_page_whose_title_stands_in_its_front_matter() -> None:
    opening = "Lena Marsh: Ladies and gentlemen, the keeper.\n\n"

    below_title = read_back(FRONT_MATTER + opening + TALK.format(extra=""))
    first_of_all = read_back(opening + TALK.format(extra=""))

    assert who_said(below_title)[0] == ("Lena Marsh", ["Ladies and gentlemen, the keeper."])
    assert first_of_all.front[0].text.startswith("Lena Marsh: Ladies")


def test_lines_between_rules_are_no_front_matter_where_people_speak_there() -> None:
    page = "---\nAda: Hello.\nTomas: Hello.\n---\n" + "Ada: And?\n\nTomas: Oil.\n\n" * 4

    assert len(read_back(page).turns) == 10


def test_a_style_learnt_from_a_page_keeps_the_keys_of_its_front_matter() -> None:
    above = learn_style((FRONT_MATTER + TALK.format(extra="")).encode(), name="lamp").furniture.above

    assert '{% if title %}title: "{{ title }}"{% endif %}' in above
    assert "date: {{ date }}" in above


# ---------------------------------------------------------------- headings and what else nobody says


@pytest.mark.parametrize(
    ("line", "caption"),
    [
        ("## The stairs", "The stairs"),
        ("![The lamp](lamp.png)", "![The lamp](lamp.png)"),
        ("<https://pier.example/lamp>", "<https://pier.example/lamp>"),
        ("https://pier.example/lamp", "https://pier.example/lamp"),
        ("---", "---"),
        ("<br />", "<br />"),
        ("| oil | 3 |", "| oil | 3 |"),
    ],
)
def test_what_belongs_to_the_build_of_a_page_is_said_by_nobody(line: str, caption: str) -> None:
    transcript = read_back(TALK.format(extra=f"{line}\n\n"))

    assert captions(transcript) == [caption]
    assert [texts for _, texts in who_said(transcript)][1] == ["I do."]


def test_the_lines_of_a_program_are_said_by_nobody() -> None:
    transcript = read_back(TALK.format(extra="It is this.\n\n```\nlight(oil)\n\nwait\n```\n\n"))

    assert captions(transcript) == ["```", "light(oil)", "wait", "```"]
    assert who_said(transcript)[1] == ("Tomas Feld", ["I do.", "It is this."])


def test_a_name_in_the_lines_of_a_program_begins_no_turn() -> None:
    code = "```\n\nAda Quill: light(oil)\n\nTomas Feld – Wait\n\n```"

    transcript = read_back(TALK.format(extra="") + "\n" + TALK.format(extra=f"{code}\n\n"))

    assert [name for name, _ in who_said(transcript)] == ["Ada Quill", "Tomas Feld"] * 4
    assert captions(transcript) == ["```", "Ada Quill: light(oil)", "Tomas Feld – Wait", "```"]


def test_a_talk_that_stands_between_fences_is_read() -> None:
    transcript = read_back("```\n" + TALK.format(extra="") + TALK.format(extra="") * 3 + "```\n")

    assert len(transcript.turns) == 16


def test_a_changed_heading_keeps_its_marks() -> None:
    page = TALK.format(extra="### The stairs\n\n")
    transcript = read_back(page)
    turn = transcript.turns[1]
    changed = replace(turn, asides=(replace(turn.asides[0], text="The ladder"),))

    written = render(replace(transcript, turns=(transcript.turns[0], changed, *transcript.turns[2:]))).decode()

    assert written == page.replace("The stairs", "The ladder")


def test_headings_over_turns_do_not_speak_against_a_page() -> None:
    turns = [f"## Part {n}\n\nAda Quill: Why?\n\nTomas Feld: Oil.\n" for n in range(8)]

    assert len(read_back("\n".join(turns)).turns) == 16


def test_headings_over_text_without_a_label_do() -> None:
    parts = [f"## Part {n}\n\nThe lamp is old and the stairs are wet.\n" for n in range(8)]
    questions = "Ada Quill: Why?\n\nTomas Feld: Oil.\n\nAda Quill: And then?\n\nTomas Feld: More oil.\n"

    assert "nearest with 4 turns" in says_why(questions + "\n" + "\n".join(parts))


def test_the_marks_of_a_heading_are_no_part_of_the_title() -> None:
    transcript = read_back("# The lamp\n\n" + TALK.format(extra=""))

    assert transcript.episode.title == "The lamp"


# ---------------------------------------------------------------- times above paragraphs


TIMED = (
    "Ada Quill (00:00:03):\nWho pays?\n\nTomas Feld (00:00:08):\nThe town.\n\n(00:01:21):\nIt always has.\n\n"
    "Ada Quill (00:01:30):\nAnd?\n\nTomas Feld (00:01:41):\nThe ships.\n"
)


def test_a_time_alone_above_a_paragraph_is_its_start() -> None:
    transcript = read_back(TIMED)

    paragraphs = transcript.turns[1].paragraphs
    assert [(p.text, p.start) for p in paragraphs] == [("The town.", None), ("It always has.", 81.0)]


def test_a_changed_start_of_a_paragraph_is_printed() -> None:
    transcript = read_back(TIMED)
    turn = transcript.turns[1]
    later = replace(turn, paragraphs=(turn.paragraphs[0], replace(turn.paragraphs[1], start=82.0)))

    page = render(replace(transcript, turns=(transcript.turns[0], later, *transcript.turns[2:]))).decode()

    assert page == TIMED.replace("00:01:21", "00:01:22")


def test_a_time_alone_is_said_where_the_page_has_no_times() -> None:
    transcript = read_back(TALK.format(extra="10:15\n\nSharp.\n\n"))

    assert who_said(transcript)[1] == ("Tomas Feld", ["I do.", "10:15", "Sharp."])


def test_turns_that_begin_by_saying_a_time_do_not_make_a_page_of_times() -> None:
    transcript = read_back(TALK.format(extra="Ada Quill: 10:15 is when?\n\nTomas Feld: 10:20 is when.\n\n"))

    assert all(turn.start is None for turn in transcript.turns)
    assert len(transcript.turns) == 6


# ---------------------------------------------------------------- names in brackets


def test_initials_in_brackets_explain_the_labels_that_follow() -> None:
    transcript = read_back(
        "Ada Quill (AQ): Hello.\n\nJan Feld (JJ): Hello.\n\nMarsh (M): Hi.\n\nOle van Lund (OvL): Hi.\n\n"
        "lampman9 (L9): Hi.\n\nAQ: So?\n\nJJ: Oil.\n\nM: Yes.\n\nOvL: Yes.\n\nL9: Yes.\n\n"
    )

    assert [name for name, _ in who_said(transcript)] == [
        *("Ada Quill", "Jan Feld", "Marsh", "Ole van Lund", "lampman9"),
        *("Ada Quill", "Jan Feld", "Marsh", "Ole van Lund", "lampman9"),
    ]


def test_initials_that_two_people_have_are_neither_of_them() -> None:
    transcript = read_back(
        "Ada Quill (AQ): Hello.\n\nAmir Qadir (AQ): Hello.\n\nTomas Feld (TF): Hi.\n\nAQ: So?\n\nTF: Oil.\n\n"
        "AQ: And?\n\nTF: Water.\n"
    )

    assert [name for name, _ in who_said(transcript)] == [
        *("Ada Quill", "Amir Qadir", "Tomas Feld"),
        *("AQ", "Tomas Feld", "AQ", "Tomas Feld"),
    ]


def test_initials_that_the_head_gives_to_two_people_are_neither_of_them() -> None:
    transcript = read_back(
        "AQ: Ada Quill\n\nAQ: Amir Qadir\n\nTF: Tomas Feld\n\nAQ: So it burns.\n\nTF: Oil does.\n\nAQ: And then?\n\n"
        "TF: Water.\n"
    )

    assert [name for name, _ in who_said(transcript)] == ["AQ", "Tomas Feld"] * 2


def test_what_somebody_does_may_stand_in_brackets_every_time() -> None:
    turns = "Ada Quill (host): And?\n\nTomas Feld (guest): Oil.\n\n"

    assert [name for name, _ in who_said(read_back(turns * 2))] == ["Ada Quill", "Tomas Feld"] * 2


def test_who_speaks_once_has_initials_in_brackets_as_the_others() -> None:
    transcript = read_back(
        "Ada Quill (AQ): Hello.\n\nOskar Lund (OL): I only listen.\n\nTomas Feld (TF): Hi.\n\nAQ: So?\n\nTF: Oil.\n\n"
        "AQ: And?\n\nTF: Water.\n"
    )

    assert who_said(transcript)[1] == ("Oskar Lund", ["I only listen."])


@pytest.mark.parametrize(
    ("head", "name"),
    [("", "Lampman"), ("A talk with Tomas Feld.\n\n", "Tomas Feld"), (FRONT_MATTER, "Tomas Feld")],
)
def test_a_second_name_in_brackets_is_the_name_where_the_head_has_it(head: str, name: str) -> None:
    page = head + TALK.format(extra="").replace("Tomas Feld:", "Lampman (Tomas Feld):")

    assert [name for name, _ in who_said(read_back(page))] == ["Ada Quill", name] * 2


def test_how_somebody_says_it_does_not_make_another_speaker() -> None:
    transcript = read_back(TALK.format(extra="Ada Quill: Wet?\n\nTomas Feld (laughing): Every night.\n\n"))

    assert [name for name, _ in who_said(transcript)] == ["Ada Quill", "Tomas Feld"] * 3


def test_a_new_name_is_printed_before_the_brackets_too() -> None:
    page = "Ada Quill (AQ): Hello.\n\nTomas Feld (TF): Hi.\n\nAQ: So?\n\nTF: Oil.\n\nAQ: And?\n\nTF: Water.\n"
    transcript = read_back(page)
    renamed = tuple(replace(s, name="Tim Falk") if s.name == "Tomas Feld" else s for s in transcript.speakers)

    assert render(replace(transcript, speakers=renamed)).decode() == page.replace("Tomas Feld", "Tim Falk")


@pytest.mark.parametrize("line", ["The Old Lamp (TOL): It burns.", "Harbour Act (open): It rests."])
def test_an_abbreviation_explained_once_is_no_label(line: str) -> None:
    transcript = read_back(TALK.format(extra=f"{line}\n\n"))

    assert who_said(transcript)[1] == ("Tomas Feld", ["I do.", line])


# ---------------------------------------------------------------- slips in labels


@pytest.mark.parametrize(
    ("line", "start"),
    [
        ("Tomas Feld : 00:01:21", 81.0),
        ("Tomas Feld:00:01:21", 81.0),
        ("Tomas Feld: 00:01:21:", 81.0),
        ("Tomas Feld- 00:01:21:", 81.0),
        ("Tomas Feld – 00:01:21:", 81.0),
        ("**Tomas Feld:** 00:01:21", 81.0),
        ("[Tomas Feld]: 00:01:21", 81.0),
        ("Tomas Feld:", None),
        ("Tomas Feld –", None),
    ],
)
def test_a_label_with_a_slip_begins_a_turn_on_a_page_of_times(line: str, start: float | None) -> None:
    transcript = read_back(
        "Ada Quill: 00:00:03\n\nWho pays?\n\nTomas Feld: 00:00:08\n\nThe town.\n\nAda Quill: 00:01:10\n\nStill?\n\n"
        f"{line}\n\nStill.\n\nAda Quill: 00:01:30\n\nAnd?\n\nTomas Feld: 00:01:41\n\nThe ships.\n"
    )

    assert who_said(transcript)[3] == ("Tomas Feld", ["Still."])
    assert transcript.turns[3].start == start


@pytest.mark.parametrize(
    ("line", "text", "caption"),
    [
        ("Tomas Feld: 0: 00:01:21\n\nStill.", "Still.", ["0: 00:01:21"]),
        ("Tomas Feld: 00.01:21\n\nStill.", "Still.", ["00.01:21"]),
        ("Tomas Feld: Still.", "Still.", []),
        ("Tomas Feld – 00:01:21 Still.", "Still.", []),
    ],
)
def test_a_label_on_a_line_with_more_is_parted_from_it(line: str, text: str, caption: list[str]) -> None:
    transcript = read_back(
        "Ada Quill: 00:00:03\n\nWho pays?\n\nTomas Feld: 00:00:08\n\nThe town.\n\nAda Quill: 00:01:10\n\nStill?\n\n"
        f"{line}\n\nAda Quill: 00:01:30\n\nAnd?\n\nTomas Feld: 00:01:41\n\nThe ships.\n"
    )

    assert who_said(transcript)[3] == ("Tomas Feld", [text])
    assert captions(transcript) == caption


def test_a_name_before_a_sentence_is_no_label_on_a_page_of_labels_on_their_own_lines() -> None:
    said = "She.\n\nAda Quill: she said so."
    page = f"Ada Quill\n\nWho?\n\nTomas Feld\n\n{said}\n\nAda Quill\n\nI?\n\nTomas Feld\n\nYes.\n"

    assert who_said(read_back(page))[1] == ("Tomas Feld", ["She.", "Ada Quill: she said so."])


def test_a_name_before_a_semicolon_and_a_small_letter_is_no_label() -> None:
    transcript = read_back(TALK.format(extra="Ada Quill; she said so.\n\n"))

    assert who_said(transcript)[1] == ("Tomas Feld", ["I do.", "Ada Quill; she said so."])


def test_who_has_no_times_speaks_on_a_page_where_the_others_have() -> None:
    transcript = read_back(
        FRONT_MATTER
        + "Ada Quill: Who pays?\n\nTomas Feld [0:08]: The town.\n\nAda Quill: Still?\n\nTomas Feld [1:21]: Still.\n\n"
        "Ada Quill: And the ships?\n\nTomas Feld [1:41]: They too.\n"
    )

    assert [name for name, _ in who_said(transcript)] == ["Ada Quill", "Tomas Feld"] * 3


def test_labels_in_another_form_before_the_first_of_the_pages_own_begin_turns() -> None:
    transcript = read_back(
        "Ada Quill:\n\nYou keep the lamp.\n\nTomas Feld 00:00:08:\n\nI do.\n\nAda Quill 00:00:12:\n\nSince when?\n\n"
        "Tomas Feld 00:00:20:\n\nThe ice.\n"
    )

    assert [name for name, _ in who_said(transcript)] == ["Ada Quill", "Tomas Feld"] * 2


def test_a_title_that_begins_with_a_speaker_is_not_said() -> None:
    transcript = read_back("Ada Quill: What burns at night?\n\n" + TIMED)

    assert transcript.episode.title == "Ada Quill: What burns at night?"
    assert transcript.turns[0].start == 3.0


def test_questions_with_a_dash_between_named_turns_are_nobodys_else() -> None:
    questions = "".join(f"Q - Does it burn {n} hours?\n\nTomas Feld: It does.\n\n" for n in range(3))

    transcript = read_back(TALK.format(extra=questions))

    assert [name for name, _ in who_said(transcript)].count("Q") == 3
    assert who_said(transcript)[3] == ("Tomas Feld", ["It does."])


def test_who_speaks_once_on_a_page_of_times_may_have_a_label_with_a_slip() -> None:
    transcript = read_back(
        "**Ada Quill:** 00:00:03\n\nWho pays?\n\n**Tomas Feld:** 00:00:08\n\nThe town.\n\n"
        "**Lena Marsh**: 00:01:10\n\nMe too.\n\n**Ada Quill:** 00:01:30\n\nAnd?\n\n"
        "**Tomas Feld:** 00:01:41\n\nThe ships.\n"
    )

    assert who_said(transcript)[2] == ("Lena Marsh", ["Me too."])


@pytest.mark.parametrize("label", ["Speaker B :", "New Speaker:", "Audience member:"])
def test_who_has_no_name_speaks_once_on_a_page_of_labels_on_their_own_lines(label: str) -> None:
    transcript = read_back(
        f"Ada:\n\nWho pays?\n\nTomas:\n\nThe town.\n\n{label}\n\nMe too.\n\nAda:\n\nAnd?\n\nTomas:\n\nThe ships.\n"
    )

    assert [p.text for p in transcript.turns[2].paragraphs] == ["Me too."]
    assert len(transcript.speakers) == 3


def test_a_name_that_comes_often_speaks_on_a_page_of_capitals() -> None:
    page = "".join(f"AQ: And {n}?\n\nTF: It burns.\n\nLena: Still?\n\nTF: Still.\n\n" for n in range(3))

    assert [name for name, _ in who_said(read_back(page))] == ["AQ", "TF", "Lena", "TF"] * 3


# ---------------------------------------------------------------- names in small letters and with signs


def test_a_name_in_small_letters_that_comes_often_is_a_speaker() -> None:
    page = "".join(f"Ada Quill: And {n}?\n\nlampman_9: It burns.\n\n" for n in range(5))

    assert [name for name, _ in who_said(read_back(page))] == ["Ada Quill", "lampman_9"] * 5


def test_a_name_in_small_letters_that_is_set_off_is_a_speaker() -> None:
    page = "".join(f"**Ada Quill**: And {n}?\n\n**lampman_9**: It burns.\n\n" for n in range(5))

    assert [name for name, _ in who_said(read_back(page))] == ["Ada Quill", "lampman_9"] * 5


def test_a_name_with_a_sign_that_comes_often_is_a_speaker() -> None:
    page = "".join(f"**Ada Quill:** And {n}?\n\n**$LAMP:** It burns.\n\n" for n in range(3))

    assert [name for name, _ in who_said(read_back(page))] == ["Ada Quill", "$LAMP"] * 3


@pytest.mark.parametrize("label", ["remember", "note", "prefix", "https"])
def test_a_word_in_small_letters_that_begins_a_few_lines_is_said(label: str) -> None:
    extra = f"{label}: The oil.\n\n{label}: The wick.\n\n"

    transcript = read_back(TALK.format(extra=extra))

    assert [name for name, _ in who_said(transcript)] == ["Ada Quill", "Tomas Feld"] * 2


def test_a_list_of_settings_is_no_talk() -> None:
    page = "".join("oil: Whale\nwick: Cotton\nlamp: Old\n\n" for _ in range(6))

    assert "like a label with a colon" in says_why(page)


# ---------------------------------------------------------------- pages that are no talk


def test_what_a_page_tells_about_itself_makes_no_speakers() -> None:
    transcript = read_back("Location: The old pier\n\nSlides: https://pier.example\n\n" + TALK.format(extra=""))

    assert [s.name for s in transcript.speakers] == ["Ada Quill", "Tomas Feld"]


@pytest.mark.parametrize(
    "page",
    [
        "Location: The old pier\n\nVideo: No video\n\nThe keeper spoke of oil, wicks and the winter of the ice.\n",
        "Paper: notes on oil https://pier.example/a\n\nDraft: https://pier.example/b\n\nPaper: https://pier.example/c\n",
        "## Winter Oil\n\nIt is thick.\n\n## Summer Oil\n\nIt is thin.\n\n## Winter Oil\n\nIt is thick.\n",
        "## Winter Oil\n(0:01)\n\nIt is thick.\n\n## Summer Oil\n(1:20)\n\nIt is thin.\n",
        "* Oil\n  * From the town\n* Wick\n  * From Lena\n* Oil\n  * Again\n* Wick\n  * Again\n",
    ],
    ids=["fields", "links", "headings", "headings-with-times", "bullets"],
)
def test_a_page_without_turns_is_refused(page: str) -> None:
    assert "no house style explains this page" in says_why(page)


def test_a_talk_with_questions_after_it_is_refused_with_the_words_that_nobody_would_have_said() -> None:
    talk = "The lamp is old, and the stairs are wet, but somebody has to climb them every night of the year. " * 20

    assert "but 400 words without a label stand above them" in says_why(f"{talk}\n\n" + TALK.format(extra=""))


SOLO = "**Ada Quill:**\n\nThe oil came late.\n\n**Break:**\n\n"


def test_one_speaker_who_goes_on_after_each_break_is_a_talk() -> None:
    transcript = read_back(SOLO * 3 + "**Ada Quill:**\n\nGood night.\n")

    assert [name for name, _ in who_said(transcript)] == ["Ada Quill"] * 4
    assert captions(transcript) == ["**Break:**"] * 3


@pytest.mark.parametrize(
    "page",
    [
        SOLO + "**Ada Quill:**\n\nThe oil came late.\n\n" * 4,
        SOLO * 3 + "**Ada Quill:**\n\nGood night.\n\n**Lena:** [Sleep well.](https://pier.example)\n",
        (SOLO * 3 + SOLO).replace("Ada Quill", "Lampman"),
    ],
    ids=["few-breaks", "somebody-else", "no-full-name"],
)
def test_one_speaker_alone_is_no_talk_otherwise(page: str) -> None:
    assert "no house style explains this page" in says_why(page)


# ---------------------------------------------------------------- names that look like something else


@pytest.mark.parametrize("first", ["Ben", "Al", "Della", "Van"])
def test_a_given_name_that_is_a_particle_elsewhere_is_a_first_name(first: str) -> None:
    page = TALK.format(extra="").replace("Tomas Feld:", f"{first} Roe:", 1).replace("Tomas Feld:", f"{first}:")

    transcript = read_back(page)

    assert [(s.name, s.aliases) for s in transcript.speakers] == [("Ada Quill", ()), (f"{first} Roe", (first,))]


@pytest.mark.parametrize("name", ["Renée d’Arcy", "Lucas d'Este", 'Tomas "Tom" Feld', "Oskar (Oz) Feld"])
def test_a_name_with_a_small_letter_or_a_nickname_begins_a_turn(name: str) -> None:
    page = TALK.format(extra=f"{name}: May I?\n\n").replace("Tomas Feld", "Nur Aziz")

    transcript = read_back(page)

    assert who_said(transcript)[2] == (name, ["May I?"])


def test_a_first_name_in_a_script_without_capitals_is_the_same_person() -> None:
    page = TALK.format(extra="").replace("Tomas Feld:", "سلمى حداد:", 1).replace("Tomas Feld:", "سلمى:")

    assert [speaker.name for speaker in read_back(page).speakers] == ["Ada Quill", "سلمى حداد"]


def test_labels_of_a_letter_and_a_number_are_a_series() -> None:
    page = "P1: One.\n\nP2: Two.\n\nP1: Three.\n\nP3: Four.\n\nP2: Five.\n\nP1: Six.\n\nP3: Seven.\n"

    assert [name for name, _ in who_said(read_back(page))] == ["P1", "P2", "P1", "P3", "P2", "P1", "P3"]


def test_a_name_in_capitals_is_spelt_as_the_head_has_it() -> None:
    head = "The lamp\n\nWith Ada MacRae and Lena van der Berg.\n\n"
    page = head + TALK.format(extra="").replace("Ada Quill", "ADA MACRAE").replace("Tomas Feld", "LENA VAN DER BERG")

    assert [speaker.name for speaker in read_back(page).speakers] == ["Ada MacRae", "Lena van der Berg"]


# ---------------------------------------------------------------- other signs around labels


@pytest.mark.parametrize("colon", [" : ", "\u00a0: ", "："])
def test_a_colon_may_have_a_space_before_it_or_be_a_wide_one(colon: str) -> None:
    page = TALK.format(extra="").replace(": ", colon)

    assert who_said(read_back(page)) == [
        ("Ada Quill", ["You keep the lamp."]),
        ("Tomas Feld", ["I do."]),
        ("Ada Quill", ["Since when?"]),
        ("Tomas Feld", ["Since the winter of the ice."]),
    ]


@pytest.mark.parametrize("sign", [">> ", ">>"])
def test_the_sign_of_a_change_of_speaker_is_no_part_of_the_name(sign: str) -> None:
    page = sign + TALK.format(extra="").replace("\n\n", f"\n\n{sign}")

    assert [speaker.name for speaker in read_back(page).speakers] == ["Ada Quill", "Tomas Feld"]


@pytest.mark.parametrize("apart", ["\n\n", "\n\nTRANSCRIPT\n\n"])
def test_a_talk_that_is_one_item_of_a_list_may_stand_below_a_list_of_people(apart: str) -> None:
    people = "The lamp\n\n  • Ada Quill, host\n  • Tomas Feld, keeper of the lamp"
    page = people + apart + "  • " + TALK.format(extra="And the stairs?\n\n").replace("\n\n", "\n\n    ")

    transcript = read_back(page)

    assert who_said(transcript)[0] == ("Ada Quill", ["You keep the lamp."])
    assert [p.name for p in transcript.episode.participants] == ["Ada Quill", "Tomas Feld"]


def test_the_last_of_a_list_of_people_begins_no_talk() -> None:
    page = "The lamp\n\n- Ada Quill\n- Tomas Feld\n\n" + TALK.format(extra="").replace(": ", "\n")

    assert who_said(read_back(page))[0] == ("Ada Quill", ["You keep the lamp."])


@pytest.mark.parametrize("slip", ["Quill :", "Quill;"])
def test_a_first_label_with_a_slip_begins_the_talk_where_turns_have_bullets(slip: str) -> None:
    page = "• " + TALK.format(extra="").replace("Quill:", slip, 1).replace("\n\n", "\n\n• ")

    assert who_said(read_back(page))[0] == ("Ada Quill", ["You keep the lamp."])


def test_an_indent_that_one_paragraph_shares_with_the_turns_is_the_pages() -> None:
    lines = [
        "• Speaker 1 (0:39): It was late.",
        "Speaker 2 (4:17): Buy the ladder.",
        "[Music]",
        "Speaker 1 (6:23): Ha!",
    ]
    page = "The lamp\n\n" + "\n\n    ".join([*lines, "Speaker 2 (9:01): Yes.", "And then it rained."])

    assert [turn.start for turn in read_back(page).turns] == [39, 257, 383, 541]


def test_a_style_is_learnt_from_a_page_of_numbers_in_capitals() -> None:
    page = "".join(f"SPEAKER_0{n % 2}: The lamp is old.\n\nAnd wet.\n\n" for n in range(4))

    assert learn_style(page.encode(), name="learnt").label.number == "SPEAKER_{n}"


# ---------------------------------------------------------------- short forms of a name, and what somebody does


ASKED = "{0} Welcome.\n\n{1} Thank you.\n\n{2} Who are you?\n\n{3} A keeper.\n\n{2} Go on.\n\n{3} No.\n"


@pytest.mark.parametrize(
    "labels",
    [
        ("Ada Quill:", "Tomas Feld:", "Quill:", "Feld:"),
        ("ADA QUILL:", "TOMAS FELD:", "QUILL:", "FELD:"),
        ("Ada Quill:", "Dr Tomas Feld:", "Ms Quill:", "Dr Feld:"),
        ("ADA QUILL:", "TOMAS FELD:", "MS QUILL:", "MR FELD:"),
        ("Ada Quill:", "Tomas Feld:", "A. Quill:", "T. Feld:"),
        ("Ada Quill:", "Tomas Feld:", "Ada Q.:", "Tomas F.:"),
        ("Ada Quill, host:", "Tomas Feld, keeper of the lamp:", "Quill:", "Feld:"),
        ("Ada Quill, host:", "Tomas Feld, keeper:", "Ada Quill, host:", "Tomas Feld, keeper:"),
    ],
)
def test_a_short_form_of_a_full_name_is_the_same_person(labels: tuple[str, str, str, str]) -> None:
    transcript = read_back(ASKED.format(*labels))

    assert [speaker.name for speaker in transcript.speakers] == ["Ada Quill", "Tomas Feld"]
    assert [turn.speaker for turn in transcript.turns] == ["S1", "S2"] * 3


def test_two_with_one_first_name_are_told_apart_by_an_initial() -> None:
    page = ASKED.format("Ada Quill:", "Ada Feld:", "Ada Q.:", "Ada F.:")

    assert [turn.speaker for turn in read_back(page).turns] == ["S1", "S2"] * 3


@pytest.mark.parametrize(
    ("short", "new"), [("Feld:", "van Aziz:"), ("Dr Feld:", "Dr van Aziz:"), ("T. Feld:", "N. van Aziz:")]
)
def test_a_new_name_is_printed_in_short_forms_too(short: str, new: str) -> None:
    labels = ("Ada Quill:", "Tomas Feld:", "Quill:", short)
    transcript = read_back(ASKED.format(*labels))
    ada, tomas = transcript.speakers

    page = render(replace(transcript, speakers=(ada, replace(tomas, name="Nur van Aziz")))).decode()

    honorific = "Dr " if tomas.honorific and "Tomas" not in short else ""
    assert page.replace(honorific + "Nur", "Nur") == ASKED.format("Ada Quill:", "Nur van Aziz:", "Quill:", new)


def test_a_style_with_surnames_is_learnt_and_prints_the_full_name_where_two_share_one() -> None:
    style = learn_style(ASKED.format("Ada Quill:", "Tomas Feld:", "Quill:", "Feld:").encode(), name="learnt")
    transcript = read(ASKED.format("Lena Berg:", "Nur Berg:", "Lena:", "Nur:").encode())

    assert (style.label.first, style.label.later) == ("full", "surname")
    assert render(transcript, style=style).decode().count("Lena Berg: ") == 3


def test_what_somebody_does_is_known_from_the_label() -> None:
    page = ASKED.format("Ada Quill, host:", "Tomas Feld, keeper:", "Ada Quill, host:", "Tomas Feld, keeper:")

    assert [speaker.description for speaker in read_back(page).speakers] == ["host", "keeper"]


def test_a_sentence_that_begins_with_somebodys_name_and_a_comma_is_said() -> None:
    transcript = read_back(TALK.format(extra="Ada Quill, she said: wait.\n\n"))

    assert who_said(transcript)[1] == ("Tomas Feld", ["I do.", "Ada Quill, she said: wait."])


def test_who_speaks_together_is_somebody_else() -> None:
    transcript = read_back(TALK.format(extra="Both: Good evening!\n\n"))

    assert who_said(transcript)[2] == ("Both", ["Good evening!"])


def test_a_title_that_begins_with_who_speaks_first_is_not_said() -> None:
    transcript = read_back("Ada Quill: A life in lamps\n\n" + TALK.format(extra=""))

    assert who_said(transcript)[0] == ("Ada Quill", ["You keep the lamp."])


# ---------------------------------------------------------------- around the talk


@pytest.mark.parametrize("heading", ["Links:", "## Show notes", "About the author", "**Further reading**"])
def test_what_stands_below_a_heading_after_the_talk_is_said_by_nobody(heading: str) -> None:
    transcript = read_back(TALK.format(extra="") + f"\n{heading}\n\nAda Quill keeps the harbour log.\n")

    assert who_said(transcript)[-1] == ("Tomas Feld", ["Since the winter of the ice."])
    assert [matter.text for matter in transcript.back] == [heading, "Ada Quill keeps the harbour log."]


@pytest.mark.parametrize("line", ["[END OF RECORDING]", "[crosstalk 00:01:02]", "♪ the lamp song ♪", "(Tape ends)"])
def test_a_note_of_who_wrote_it_down_is_said_by_nobody(line: str) -> None:
    assert captions(read_back(TALK.format(extra=f"{line}\n\n"))) == [line]


def test_a_sound_with_a_full_stop_alone_on_its_line_is_said() -> None:
    lines = [
        "Ada Quill",
        "Welcome.",
        "Tomas Feld",
        "Thank you.",
        "Mm.",
        "Ada Quill",
        "Who?",
        "Mm.",
        "Tomas Feld",
        "Me.",
    ]
    page = "\n\n".join(lines)

    assert [name for name, _ in who_said(read_back(page))] == ["Ada Quill", "Tomas Feld"] * 2


# ---------------------------------------------------------------- front matter that is not quite like others


def test_front_matter_may_have_keys_with_capitals() -> None:
    head = "---\nTitle: The lamp\nHost: Ada Quill\nGuests: Tomas Feld, Lena Marsh\nDate: 2026-03-14\n---\n"

    episode = read_back(head + TALK.format(extra="")).episode

    assert (episode.title, episode.published) == ("The lamp", "2026-03-14")
    assert [p.name for p in episode.participants] == ["Ada Quill", "Tomas Feld", "Lena Marsh"]


def test_roles_between_rules_are_labels_where_no_key_stands_beside_them() -> None:
    page = "---\nHost: Is it lit?\nGuest: It is lit.\n---\n" + ASKED.format("Host:", "Guest:", "Host:", "Guest:")

    assert who_said(read_back(page))[0] == ("Host", ["Is it lit?"])


def test_a_comment_is_no_part_of_a_value() -> None:
    head = (
        "---\ntitle: The lamp # a working title\nhosts: [Ada Quill, Tomas Feld] # both\n"
        "subtitle: C# and lamp #5\ndate: 2026-03-14 # a Saturday\n---\n"
    )

    episode = read_back(head + TALK.format(extra="")).episode

    assert (episode.title, episode.published) == ("The lamp", "2026-03-14")
    assert [p.name for p in episode.participants] == ["Ada Quill", "Tomas Feld"]


@pytest.mark.parametrize("title", ['"The lamp # one"', "C# and lamp #5"])
def test_a_sign_inside_a_value_begins_no_comment(title: str) -> None:
    transcript = read_back(f"---\ntitle: {title}\n---\n" + TALK.format(extra=""))

    assert transcript.episode.title == title.strip('"')


@pytest.mark.parametrize("line", ["hosts: Ada Quill, Tomas Feld", "speakers: ['Ada Quill', \"Tomas Feld\"]"])
@pytest.mark.parametrize("place", [0, 1])
def test_each_of_several_people_on_one_line_goes_by_the_present_name(line: str, place: int) -> None:
    page = f"---\n{line}\n---\n" + TALK.format(extra="")
    transcript = read_back(page)
    speakers = list(transcript.speakers)
    was = speakers[place].name or ""
    speakers[place] = replace(speakers[place], name="Nur Aziz")

    assert render(replace(transcript, speakers=tuple(speakers))).decode() == page.replace(was, "Nur Aziz")


# ---------------------------------------------------------------- white space, and what is no talk


def test_white_space_that_lines_up_what_is_said_does_not_speak_against_a_page() -> None:
    page = TALK.format(extra="").replace("Ada Quill: ", "Ada Quill:     ").replace("Tomas Feld: ", "Tomas Feld:    ")

    assert [name for name, _ in who_said(read_back(page))] == ["Ada Quill", "Tomas Feld"] * 2


@pytest.mark.parametrize(
    "page",
    [
        "Ada Quill: 020 7946 0001\nTomas Feld: 020 7946 0002\nAda Quill: 07700 900001\nTomas Feld: 07700 900002\n",
        "10:00 Ada Quill: The lamp room\n11:30 Tomas Feld: How ice moves\n14:00 Ada Quill: The quay\n",
        "- Ada Quill: fixed the lamp\n- Tomas Feld: added a bell\n- Ada Quill: removed the rust\n",
    ],
)
def test_a_list_of_what_people_have_or_do_is_no_talk(page: str) -> None:
    assert "ends no sentence, as in a list" in says_why(page)


@pytest.mark.parametrize(
    "page",
    [
        "# Changes\n\n- Fixed: The lamp is lit.\n- Added: A bell.\n- Fixed: The stairs are dry.\n- Added: A door.\n",
        "Present: Ada Quill, Tomas Feld\nApologies: Lena Marsh\n\nThe lamp is out.\n\nAction: Ada Quill buys oil.\n",
    ],
)
def test_changes_and_minutes_are_no_talk(page: str) -> None:
    says_why(page)


# ---------------------------------------------------------------- furniture that is learnt


def test_a_heading_over_the_people_is_printed_where_there_are_people() -> None:
    page = "The lamp\n\nGuests\n\n  • Tomas Feld, keeper\n\n" + TALK.format(extra="")

    style = learn_style(page.encode(), name="learnt")

    assert "{% if people %}Guests{% endif %}" in style.furniture.above


def test_links_and_people_of_one_episode_are_no_part_of_a_learnt_style() -> None:
    foot = "\nLinks:\n\nThe lamp: https://lamp.example\n\nTomas Feld keeps it.\n\nSubscribe to Harbour Notes\n"

    style = learn_style((TALK.format(extra="") + foot).encode(), name="learnt")

    assert style.furniture.below == ("Subscribe to Harbour Notes",)


def test_a_time_on_the_line_above_a_label_is_the_start_of_the_turn() -> None:
    page = "The lamp\n\n" + "".join(
        f"(00:0{n}:05)\n\n{turn}\n\n" for n, turn in enumerate(TALK.split("\n\n")[:2] * 2)
    )

    transcript = read_back(page)

    assert [turn.start for turn in transcript.turns] == [5, 65, 125, 185]
    assert who_said(transcript)[0] == ("Ada Quill", ["You keep the lamp."])


def test_a_changed_start_is_printed_above_the_label() -> None:
    page = "0:05\nAda Quill: So?\n\n0:09\nTomas Feld: Yes.\n\n0:15\nAda Quill: Oh.\n"
    transcript = read_back(page)
    first, second, *others = transcript.turns

    changed = render(replace(transcript, turns=(first, replace(second, start=12.0), *others)))

    assert changed.decode() == page.replace("0:09", "0:12")


def test_who_wrote_it_down_is_not_said() -> None:
    transcript = read_back(TALK.format(extra="") + "\nTranscribed by https://scribe.example\n")

    assert [matter.text for matter in transcript.back] == ["Transcribed by https://scribe.example"]


def test_a_quotation_between_turns_is_said_by_nobody() -> None:
    transcript = read_back(TALK.format(extra="> The winter of the ice was long.\n\nAda Quill: And?\n\n"))

    assert [a.text for t in transcript.turns for a in t.asides] == ["The winter of the ice was long."]
    assert who_said(transcript)[1] == ("Tomas Feld", ["I do."])
