"""Pages: read and written back byte for byte, with nothing changed but what was changed in the document."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from formats.catalogue import read, render, styles
from formats.house_style import shipped_styles
from formats.opening import decode_page
from formats.reading import read_in_style
from formats.writing import Mark, render_page
from schemas.episode import Role
from schemas.errors import PageError
from schemas.transcript import Aside, AsideKind, MatterKind, NameMethod, SegmentKind, Transcript, Turn


def page(golden: Path, style: str) -> Transcript:
    return read((golden / "pages" / f"{style}.txt").read_bytes())


# ---------------------------------------------------------------- the same bytes


def test_a_reference_page_is_written_back_unchanged(reference_page: bytes) -> None:
    assert render(read(reference_page)) == reference_page


def test_an_invented_page_is_written_back_unchanged(own_page: bytes) -> None:
    assert render(read(own_page)) == own_page


def test_a_page_survives_the_document_on_disk(own_page: bytes) -> None:
    on_disk = render(read(own_page), format="json")

    assert render(read(on_disk)) == own_page


@pytest.mark.parametrize(
    "change",
    [
        lambda page: page.replace(b"\n", b"\r\n"),
        lambda page: b"\xef\xbb\xbf" + page,
        lambda page: page + b"\n",
        lambda page: page + b"\r\n \n",
        lambda page: page.replace(b"\n", b" \n", 3),
        lambda page: page.replace(b"\n", b"\r\n", 3),
        lambda page: page.replace("é".encode(), "é".encode()).replace(b"Ada", "Ada\u0301".encode()),
        lambda page: page.replace(b"\n\n", b"\n\n\n\n"),
        lambda page: page.replace(b"\n\n", b"\n"),
        lambda page: page.replace(b"\n", b"\r"),
        lambda page: page.replace(b": ", ":\u00a0".encode()),
        lambda page: page.replace(b"    ", b"\t"),
        lambda page: page.replace(b"the", b"t\x1bh\xe2\x80\xaee"),
        lambda page: b"\n\n" + page,
    ],
    ids=[
        "crlf", "bom", "final-newline", "final-space", "trailing-spaces", "mixed-line-ends", "not-nfc",
        "four-newlines", "one-newline", "cr", "nbsp-after-label", "tabs", "control-characters", "leading-newlines",
    ],
)  # fmt: skip
def test_a_page_with_other_white_space_or_encoding_is_written_back_unchanged(own_page: bytes, change) -> None:  # type: ignore[no-untyped-def]
    style = shipped_styles()[read(own_page).layout.style]  # type: ignore[union-attr]
    changed = change(own_page)

    assert render_page(read(changed, style=style), style) == changed


@pytest.mark.parametrize("white_space", [" ", "\u00a0", "\t", "\n"], ids=["blanks", "nbsp", "tabs", "lines"])
def test_a_run_of_white_space_takes_no_longer_than_as_much_text(white_space: str) -> None:
    page = f"Ada Quill: A lamp{white_space * 30_000}burns.\n\nTomas Feld: Yes.\n\nAda Quill: No.\n".encode()
    begin = time.process_time()

    assert render(read(page)) == page

    assert time.process_time() - begin < 5.0  # it took 20 s and more while every blank was a place to begin


LINES = st.sampled_from(
    [
        "Ines Marlow",
        "Gwen Tarrant",
        "Dr Gwen Tarrant",
        "Gwen",
        "Ines: Hello.",
        "Ines Marlow: Hello there.",
        "GWEN: Yes",
        "    INES: Well.",
        "  • GWEN: Yes.",
        "  • Gwen Tarrant, baker",
        "  • Chair: Ines Marlow – writer",
        "TRANSCRIPT",
        "Presenter: You’ve been listening.",
        "Speaker 1 [00:00:11] Hello.",
        "Speaker 3 [0:12] Hello:",
        "Speaker 2:",
        "Speaker 2",
        "You never know: it rains.",
        "We saw the sea and the sea saw us",
        "We saw the sea and the sea saw us, twice a day.",
        "Podcast: The sea.",
        "14 March 2026",
        "×",
        "",
        "",
        "",
        "   ",
        "\u00a0",
        "INES MARLOW: No.",
        "Gwen Tarrant MBE: No.",
        "Unknown speaker: Hm.",
        "Unknown speaker",
        "$STDOUT: hi",
        "Prof. Gwen Tarrant: Eh.",
        "Gwen\u00a0 Tarrant: Eh?",
        "[Ines]: a:b",
        "Interviewer: Why?",
        "İNES: A.",
        "•",
        "  • ",
        "a\x1b[31mb",
        "\u202eevil: x",
        "Speaker 02: x",
        "Subscribe to us",
    ]
)


@settings(max_examples=100, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=24), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_whatever_a_style_reads_it_writes_back(lines: list[str], line_end: str, bom: bool) -> None:
    content = (("\ufeff" if bom else "") + line_end.join(lines)).encode()
    page = decode_page(content, name="page")

    for style in styles():
        reading = read_in_style(page, style, identity="page")
        if reading is not None:
            assert render_page(reading.transcript, style) == content


# ---------------------------------------------------------------- only what was changed


def _with_first_paragraph_changed(transcript: Transcript, identity: str, text: str) -> Transcript:
    turns = tuple(
        replace(turn, paragraphs=tuple(replace(p, text=text) if p.id == identity else p for p in turn.paragraphs))
        for turn in transcript.turns
    )
    return replace(transcript, turns=turns)


def _changed_lines(before: bytes, after: bytes) -> list[tuple[str, str]]:
    old, new = before.decode().split("\n"), after.decode().split("\n")
    assert len(old) == len(new)
    return [(a, b) for a, b in zip(old, new, strict=True) if a != b]


read_once = cache(read)


def _check_word(content: bytes, data: st.DataObject) -> None:
    """Any word of any paragraph, changed into any other."""
    transcript = read_once(content)
    place = data.draw(st.integers(0, len(transcript.turns) - 1))
    turn = transcript.turns[place]
    number = data.draw(st.integers(0, len(turn.paragraphs) - 1))
    paragraph = turn.paragraphs[number]
    words = list(re.finditer(r"\w+", paragraph.text))
    word = data.draw(st.sampled_from(words)) if words else None
    assume(word is not None)
    assert word is not None
    other = data.draw(WORDS)
    text = paragraph.text[: word.start()] + other + paragraph.text[word.end() :]

    changed = render(_with_first_paragraph_changed(transcript, paragraph.id, text))

    assert changed.decode().replace(text, paragraph.text, 1) == content.decode()
    assert abs(len(changed.decode()) - len(content.decode())) == abs(len(other) - len(word.group()))


#: Words that could be taken for layout, labels or markup among them.
WORDS = st.sampled_from(
    ["Zyxwvut", "zyx", "Gwen Tarrant", "NOTE:", "é", "e\u0301", "10:15", "- x", "• x", "**x**", "x\u00a0y"]
)
SLOW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@SLOW
@given(data=st.data())
def test_changing_one_word_changes_only_that_on_a_reference_page(reference_page: bytes, data: st.DataObject) -> None:
    _check_word(reference_page, data)


@SLOW
@given(data=st.data())
def test_changing_one_word_changes_only_that_on_the_page(own_page: bytes, data: st.DataObject) -> None:
    _check_word(own_page, data)


#: New names: usual ones, one that another speaker has already, and what could act in a label.
NEW_NAMES = st.sampled_from(
    ["Zora Quist", "Zora", "Zoë van der Quist", "Z. Q. Hartley", "ZORA QUIST", "Zora\u0301 Quist"]
)


def _check_name(content: bytes, data: st.DataObject) -> None:
    """Any speaker, renamed: nothing but the labels and the blocks that stand for the speaker change."""
    transcript = read_once(content)
    style = shipped_styles()[transcript.layout.style]  # type: ignore[union-attr]
    speaker = data.draw(st.sampled_from(transcript.speakers))
    other = data.draw(
        st.sampled_from([s.name for s in transcript.speakers if s.name and s is not speaker] or ["Ada X"])
    )
    name = data.draw(NEW_NAMES | st.just(f"{other.split()[0]} Quist"))
    renamed = tuple(replace(s, name=name) if s.id == speaker.id else s for s in transcript.speakers)

    changed = _changed_lines(content, render(replace(transcript, speakers=renamed)))

    if style.needs_times:
        assert changed == []
        return
    turns = sum(1 for turn in transcript.turns if turn.speaker == speaker.id)
    stand_ins = sum(
        1
        for aside in (a for turn in transcript.turns for a in turn.asides)
        if aside.kind is AsideKind.ATTRIBUTION and aside.attributed_to == speaker.id
    ) + sum(1 for matter in transcript.front if matter.speaker == speaker.id)
    assert len(changed) <= turns + stand_ins
    if not name.startswith(other.split()[0]):
        assert len(changed) == turns + stand_ins
    for old, new in changed:
        start = next(n for n in range(len(new) + 1) if not old.startswith(new[: n + 1]) or n == len(new))
        end = next(n for n in range(len(new) + 1) if not old[start:].endswith(new[len(new) - n - 1 :]))
        put = new[start : len(new) - end]
        assert len(put.split()) <= len(name.split()) + 1
        assert put.casefold() in name.casefold() or name.split()[0].casefold() in new.casefold()


@SLOW
@given(data=st.data())
def test_changing_a_name_changes_only_its_labels_on_a_reference_page(
    reference_page: bytes, data: st.DataObject
) -> None:
    _check_name(reference_page, data)


@SLOW
@given(data=st.data())
def test_changing_a_name_changes_only_its_labels_on_the_page(own_page: bytes, data: st.DataObject) -> None:
    _check_name(own_page, data)


def test_a_new_name_that_somebody_else_shares_changes_no_label_of_theirs(golden: Path) -> None:
    transcript = page(golden, "full-then-first")
    renamed = tuple(replace(s, name="Nell Achebe") if s.name == "Stephen Achebe" else s for s in transcript.speakers)

    changed = _changed_lines(render(transcript), render(replace(transcript, speakers=renamed)))

    assert [new for _, new in changed] == [
        "  • Nell Achebe, joiner and teacher, Quay School",
        next(new for _, new in changed if new.startswith("Nell Achebe: I see children")),
    ]


def _check_layout(content: bytes) -> None:
    layout = read(content).layout
    assert layout is not None
    for mark in layout.marks:
        if mark.kind in (Mark.LABEL_FORM, Mark.TIME_FORM, Mark.NUMBER):
            continue
        text = mark.value.replace("{label}", "").replace("{time}", "")
        assert not re.search(r"\w", text), mark


def test_no_words_of_a_reference_page_stand_in_its_layout(reference_page: bytes) -> None:
    _check_layout(reference_page)


def test_no_words_of_the_page_stand_in_its_layout(own_page: bytes) -> None:
    _check_layout(own_page)


def test_a_page_the_style_explains_wholly_has_no_marks() -> None:
    plain = b"Podcast: The sea\n\nInes Marlow\n\nIs it wet?\n\nGwen Tarrant\n\nIt is.\n\nInes Marlow\n\nThank you."

    assert read(plain).layout.marks == ()  # type: ignore[union-attr]


# ---------------------------------------------------------------- what is read


def _asides(turns: Iterable[Turn]) -> list[tuple[str, Aside]]:
    return [(turn.id, aside) for turn in turns for aside in turn.asides]


def test_name_line_gives_each_turn_its_paragraphs(golden: Path) -> None:
    transcript = page(golden, "name-line")

    assert [(t.speaker, len(t.paragraphs)) for t in transcript.turns] == [
        ("S1", 2), ("S2", 5), ("S1", 1), ("S2", 1), ("S3", 1), ("S2", 1), ("S1", 2),
    ]  # fmt: skip
    assert [s.name for s in transcript.speakers] == ["Ines Marlow", "Gwen Tarrant", "Bram Okoro"]
    assert transcript.episode.title == "What the tide tables leave out (and why)."


def test_more_white_space_than_usual_begins_a_second_recording(golden: Path) -> None:
    transcript = page(golden, "name-line")

    [segment] = transcript.segments
    assert segment.kind is SegmentKind.RECORDING
    assert segment.paragraph == transcript.turns[-1].paragraphs[1].id


def test_a_colon_in_speech_is_no_label(golden: Path) -> None:
    transcript = page(golden, "name-line")

    assert transcript.turns[1].paragraphs[0].text.startswith("You never know: it’s a book")


def test_no_break_spaces_inside_a_line_are_text_and_at_its_end_layout(golden: Path) -> None:
    transcript = page(golden, "caps-list")

    texts = [p.text for turn in transcript.turns for p in turn.paragraphs]
    assert not any(text.endswith("\u00a0") for text in texts)
    assert sum(mark.kind == Mark.AFTER for mark in transcript.layout.marks) == 7  # type: ignore[union-attr]
    assert "will do\u00a0 the same" in page(golden, "name-line").turns[1].paragraphs[0].text


def test_a_name_right_after_a_name_line_is_said_not_a_turn() -> None:
    content = "Ada Quill\n\nWho taught you?\n\nTomas Feld\n\nLena Marsh\n\nShe did.\n\nAda Quill\n\nThank you.\n"

    turns = read(content.encode()).turns

    assert [[p.text for p in turn.paragraphs] for turn in turns] == [
        ["Who taught you?"],
        ["Lena Marsh", "She did."],
        ["Thank you."],
    ]


def test_beside_a_list_of_people_a_heading_with_a_colon_is_no_label(golden: Path) -> None:
    content = (golden / "pages" / "full-then-first.txt").read_bytes()
    changed = content.replace(b"My advice: buy", b"Quiet Water: a story. Buy")

    transcript = read(changed)

    assert len(transcript.turns) == 9
    assert transcript.turns[4].paragraphs[1].text.startswith("Quiet Water: a story.")


TALK = (
    "Ada Quill: Today I talk to Tomas and, later, to Rose.\n\nTomas Feld: Hello.\n\n{extra}\n\n"
    "Ada Quill: And the lamp?\n\nTomas Feld: It burns.\n\nAda Quill: Thank you.\n"
)


@pytest.mark.parametrize(
    "extra",
    [
        "Conclusion: It is a long time.",
        "Kerosene: It smells.",
        "Quiet Water: a story of two boats.",
        "Lantern Hill: and they were right.\n\nLantern Hill: and I was wrong.",
        "Note: This was said in May.",
        "Ada Quill – who wrote it down – was right.",
        "Ada Quill. She wrote it down.",
        "Tomas Feld – They write it so on the lamp.",
    ],
)
def test_what_looks_like_a_label_once_is_said_by_the_speaker_before(extra: str) -> None:
    content = TALK.format(extra=extra).encode()

    transcript = read(content)

    assert [s.name for s in transcript.speakers] == ["Ada Quill", "Tomas Feld"]
    assert [p.text for p in transcript.turns[1].paragraphs] == ["Hello.", *extra.split("\n\n")]
    assert render(transcript) == content


def test_who_is_mentioned_and_speaks_once_is_a_speaker() -> None:
    transcript = read(TALK.format(extra="Rose: Nothing much.").encode())

    assert [s.name for s in transcript.speakers] == ["Ada Quill", "Tomas Feld", "Rose"]


@pytest.mark.parametrize(
    "line",
    [
        "Music",
        "[Music fades]",
        "Break: our sponsors.",
        "Jingle: the lamp song",
        "AD BREAK",
        "[0:14] MUSIC",
        "Cheering and applause",
    ],
)
@pytest.mark.parametrize(
    "talk",
    [
        TALK,
        "ADA: Hello.\n\nTOMAS: Hello.\n\n{extra}\n\nADA: And the lamp?\n\n{extra}\n\nTOMAS: It burns.\n",
        "Ada Quill\n\nHello.\n\nTomas Feld\n\nHi.\n\n{extra}\n\nAda Quill\n\nSo?\n\n{extra}\n\nTomas Feld\n\nOil.\n",
        "Ada Quill [0:03]: Hello.\n\nTomas Feld [0:08]: Hello.\n\n{extra}\n\nAda Quill [0:31]: And?\n",
    ],
    ids=["colon", "capitals", "own-line", "times"],
)
def test_what_is_heard_between_turns_is_said_by_nobody(talk: str, line: str) -> None:
    content = talk.format(extra=line).encode()

    transcript = read(content)

    assert [(s.name or "").split(" ")[0] for s in transcript.speakers] == ["Ada", "Tomas"]
    assert {a.text for _, a in _asides(transcript.turns)} == {line}
    assert all(aside.attributed_to is None for _, aside in _asides(transcript.turns))
    assert render(transcript) == content


@pytest.mark.parametrize(
    "label",
    ["Tomas Feld - ", "Tomas Feld – ", "Tomas Feld : ", "Tomas Feld; ", "**Tomas Feld:** ", "Tomas Feld (0:41): "],
)
def test_a_label_with_other_punctuation_than_the_pages_begins_a_turn(label: str) -> None:
    content = TALK.format(extra=f"Ada Quill: And?\n\n{label}That is all.").encode()

    transcript = read(content)

    assert [turn.speaker for turn in transcript.turns] == ["S1", "S2", "S1", "S2", "S1", "S2", "S1"]
    assert [p.text for p in transcript.turns[3].paragraphs] == ["That is all."]
    assert transcript.turns[3].start == (41.0 if "(" in label else None)
    assert render(transcript) == content


def test_a_name_line_with_a_colon_or_in_bold_begins_a_turn() -> None:
    content = b"Ada Quill\n\nIs it wet?\n\nTomas Feld:\n\nIt is.\n\n**Ada Quill**\n\nAnd?\n\nTomas Feld\n\nCold.\n"

    transcript = read(content)

    assert [turn.speaker for turn in transcript.turns] == ["S1", "S2", "S1", "S2"]
    assert render(transcript) == content


def test_questions_and_answers_are_two_speakers() -> None:
    content = (
        b"Q: What is a lamp for?\n\nA: Ships.\n\nQ: Who pays?\n\nA: The town.\n\nIt always has.\n\nQ: Thank you.\n"
    )

    transcript = read(content)

    assert [(turn.speaker, len(turn.paragraphs)) for turn in transcript.turns] == [
        ("S1", 1), ("S2", 1), ("S1", 1), ("S2", 2), ("S1", 1),
    ]  # fmt: skip
    assert render(transcript) == content


def test_first_names_in_capitals_without_bullet_or_indent_are_caps_list_all_the_same() -> None:
    content = b"Ada Quill and friends\n\nADA: Hello.\n\nTOMAS: Hello, Ada.\n\nSo.\n\nADA: So.\n\nTOMAS: Yes.\n"

    transcript = read(content)

    assert transcript.layout.style == "caps-list"  # type: ignore[union-attr]
    assert [s.name for s in transcript.speakers] == ["Ada Quill", "Tomas"]
    assert [len(t.paragraphs) for t in transcript.turns] == [1, 2, 1, 1]
    assert render(transcript) == content


def test_the_number_of_the_episode_over_the_title_is_not_the_title_and_the_copyright_not_said() -> None:
    head = "HARBOUR NOTES · Episode 12\n\nThe lamp on the pier\n\n14 March 2026\n\n"
    content = (head + TALK.format(extra="Ada Quill: And?") + "\n© Harbour Notes\n\nFollow us for more\n").encode()

    transcript = read(content)

    assert transcript.episode.title == "The lamp on the pier"
    assert transcript.episode.published == "2026-03-14"
    assert [m.text for m in transcript.back] == ["© Harbour Notes", "Follow us for more"]
    assert render(transcript) == content


def test_the_name_of_the_show_over_a_numbered_title_is_not_the_title() -> None:
    head = "HARBOUR NOTES\n\nEpisode 12: The lamp on the pier\n\n14 March 2026\n\n"

    transcript = read((head + TALK.format(extra="Ada Quill: And?")).encode())

    assert transcript.episode.title == "Episode 12: The lamp on the pier"


def test_a_number_over_the_date_alone_is_the_title() -> None:
    content = ("Episode 12\n\n14 March 2026\n\n" + TALK.format(extra="Ada Quill: And?")).encode()

    assert read(content).episode.title == "Episode 12"


def test_numbered_timestamps_gives_times_and_no_names(golden: Path) -> None:
    transcript = page(golden, "numbered-timestamps")

    assert [(t.speaker, t.start) for t in transcript.turns] == [
        ("S1", 9.0), ("S2", 21.0), ("S3", 22.0), ("S1", 22.0), ("S3", 119.0), ("S2", 3600.0),
    ]  # fmt: skip
    assert all(s.name is None for s in transcript.speakers)


def test_the_head_completes_the_first_names_of_caps_list(golden: Path) -> None:
    transcript = page(golden, "caps-list")

    assert [(s.name, s.role) for s in transcript.speakers] == [
        ("Ada Quill", Role.HOST), ("Tomas Feld", Role.GUEST), ("Lena Marsh", Role.GUEST), (None, Role.ANNOUNCER),
    ]  # fmt: skip
    assert transcript.speakers[1].description == (
        "keeper of the lamp at Gull Point and the last man to oil it by hand"
    )
    assert transcript.speakers[1].aliases == ("Tom",)


def test_the_head_and_foot_of_caps_list_are_matter_of_known_kinds(golden: Path) -> None:
    transcript = page(golden, "caps-list")

    kinds = MatterKind
    assert [m.kind for m in transcript.front] == [
        kinds.TEXT, kinds.TITLE, kinds.STANDFIRST, kinds.DATE, kinds.DESCRIPTION, kinds.HEADING, kinds.TEXT,
        kinds.HEADING, kinds.TEXT,
    ]  # fmt: skip
    assert [m.text for m in transcript.back] == [
        "Free to hear, every second Friday. Subscribe for the next one.",
        "Subscribe Arrow pointing right",
    ]
    assert transcript.episode.published == "2026-03-14"


def test_new_guests_after_a_goodbye_begin_a_second_recording(golden: Path) -> None:
    transcript = page(golden, "caps-list")

    [segment] = transcript.segments
    turn = next(t for t in transcript.turns if t.id == segment.turn)
    assert turn.paragraphs[0].text.startswith("And now, to close")


def test_full_then_first_knows_people_by_the_list_and_turns_by_either_label(golden: Path) -> None:
    transcript = page(golden, "full-then-first")

    assert [(s.name, s.honorific, s.role) for s in transcript.speakers] == [
        ("Nell Harrow", None, Role.HOST),
        ("Oskar van der Meer", None, Role.GUEST),
        ("Rosa Lindqvist", "Dr", Role.GUEST),
        ("Stephen Achebe", None, Role.GUEST),
    ]
    assert [t.speaker for t in transcript.turns] == ["S1", "S2", "S1", "S2", "S3", "S1", "S4", "S1", "S3"]
    assert all(s.known_by is NameMethod.PAGE for s in transcript.speakers)
    assert "Steve" in transcript.speakers[3].aliases
    assert transcript.speakers[1].description == "treasurer, Mill Street"


def test_quotes_names_under_them_and_captions_are_asides_where_they_stand(golden: Path) -> None:
    transcript = page(golden, "full-then-first")

    found = [(turn, aside.kind, aside.after, aside.attributed_to) for turn, aside in _asides(transcript.turns)]
    assert found == [
        ("T2", AsideKind.CAPTION, 1, "S1"),
        ("T5", AsideKind.PULL_QUOTE, 1, "S3"),
        ("T5", AsideKind.ATTRIBUTION, 1, "S3"),
        ("T7", AsideKind.PULL_QUOTE, 1, None),
        ("T7", AsideKind.CAPTION, 2, None),
    ]
    assert transcript.turns[4].paragraphs[1].text.startswith("My advice: buy the ladder first.")
    assert transcript.back[0].text == "Join our mailing list"


def test_an_edited_attribution_is_printed_as_edited(golden: Path) -> None:
    transcript = page(golden, "full-then-first")
    turn = transcript.turns[4]
    asides = tuple(replace(a, text="R. Lindqvist") if a.kind is AsideKind.ATTRIBUTION else a for a in turn.asides)

    changed = render(
        replace(transcript, turns=(*transcript.turns[:4], replace(turn, asides=asides), *transcript.turns[5:]))
    )

    assert "\n\nR. Lindqvist\n\n" in changed.decode()


def test_reference_speakers_are_known_as_far_as_the_page_says(shared: Path) -> None:
    found = [read(path.read_bytes()) for path in sorted((shared / "seeds").glob("*.txt"))]

    assert [len(t.turns) for t in found] == [19, 34, 27, 42, 25]
    assert [sum(len(turn.paragraphs) for turn in t.turns) for t in found] == [73, 96, 27, 88, 53]
    assert [len(t.speakers) for t in found] == [2, 3, 3, 4, 5]
    assert [sum(s.name is not None for s in t.speakers) for t in found] == [2, 3, 0, 3, 5]
    assert [len(_asides(t.turns)) for t in found] == [0, 0, 0, 0, 11]
    assert [t.layout.style for t in found if t.layout] == [
        "name-line", "name-line", "numbered-timestamps", "caps-list", "full-then-first",
    ]  # fmt: skip


def test_reading_a_page_twice_gives_the_same_document(own_page: bytes) -> None:
    assert read(own_page) == read(own_page)


# ---------------------------------------------------------------- what is not read


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (b"", "page_not_recognised", "empty"),
        (b" \n\n", "page_not_recognised", "empty"),
        (b"Just a thought.\n\nAnd another one, longer than the first.", "page_not_recognised", "2 lines of text"),
        (b"The Quiet Harbour\n\nJane Doe\n\nIt was a dark night.\n\nThe end.", "page_not_recognised", "name-line"),
        (b"Note: one.\n\nWarning: two.\n\nLook: three.", "page_not_recognised", "3 begin like a label"),
        (b"caf\xe9", "page_not_text", "byte 3 is 0xe9"),
        ("Ada Quill: Hi".encode("utf-16"), "page_not_text", "UTF-16"),
        (b"PK\x03\x04\x14\x00\x06\x00", "page_not_text", "Word"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "page_not_text", "Word"),
        (b"%PDF-1.7\nAda Quill: Hi", "page_not_text", "PDF"),
    ],
)
def test_what_is_no_page_is_refused_with_what_was_seen(content: bytes, code: str, says: str) -> None:
    with pytest.raises(PageError) as caught:
        read(content, name="notes.txt")

    assert caught.value.code == code
    assert says in caught.value.message
    assert caught.value.message.startswith("notes.txt: ")


def test_a_page_is_not_read_in_a_style_it_is_not_in(golden: Path) -> None:
    with pytest.raises(PageError, match="not in the style numbered-timestamps"):
        read((golden / "pages" / "name-line.txt").read_bytes(), style="numbered-timestamps")


def test_names_alone_on_lines_do_not_make_a_page_of_inline_labels_name_line(golden: Path) -> None:
    content = (golden / "pages" / "full-then-first.txt").read_bytes()

    assert read(content).layout.style == "full-then-first"  # type: ignore[union-attr]
