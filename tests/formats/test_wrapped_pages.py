"""Pages whose lines are broken at a width: read as paragraphs, written with the same lines."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from textwrap import wrap

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formats.blocks import LineBreak
from formats.catalogue import read, render
from formats.learning import learn_style
from formats.line_breaks import broken, sizes_of
from formats.pages import read_page
from schemas.transcript import Transcript

NAMES = ("Ada Quill", "Tomas Feld", "Lena van der Berg")
SENTENCES = (
    "Yes.",
    "The lamp is old and the stairs are wet, but we climb them every night because somebody has to do it.",
    "And then it rained for the whole of a week, so that nobody could row out to the well-kept lights.",
    "I kept the log for thirty years, in pencil, since ink runs when the window is left open in a storm.",
    "“You can’t argue with water,” my father said, and he was right about that as about most other things.",
    "It costs £40 million, or 4.6% of it, which is what they told us when we asked for the third time.",
    "What did the town say about the lamp that was never lit in the winter when the harbour froze over?",
    "There were two boats – the small one, which leaked, and the other – and neither had a mast any more.",
)
INLINE = ("{label}: ", "**{label}:** ", "{label} (0:{n:02d}) - ", "__{label}__: ")
ALONE = ("{label}", "{label}:", "{label}  0:{n:02d}")


@dataclass(frozen=True, slots=True)
class WrappedPage:
    content: bytes
    turns: tuple[tuple[str, tuple[str, ...]], ...]  #: name, paragraphs


@st.composite
def wrapped_pages(draw: st.DrawFn) -> WrappedPage:
    """Two paragraphs and more to a page, each of several lines, with the indents that such pages have."""
    width = draw(st.integers(48, 80))
    pattern = draw(st.sampled_from((*INLINE, *ALONE)))
    is_alone = pattern in ALONE
    indents = st.sampled_from([("", ""), ("", "    "), ("  ", ""), ("", "\t")])
    first, rest = ("", "") if is_alone else draw(indents)
    turn_end = draw(st.sampled_from(["\n\n", "\n\n\n"]))
    names = draw(st.permutations(NAMES))[:2]
    turns = []
    made = ""
    for number in range(draw(st.integers(4, 6))):
        name = names[number % 2]
        long = st.lists(st.sampled_from(SENTENCES[1:]), min_size=2, max_size=4)
        paragraphs = draw(st.lists(long.map(" ".join), min_size=1, max_size=2)) if number < 4 else [SENTENCES[0]]
        label = pattern.format(label=name, n=number)
        if is_alone:
            lines = [label, *_lines(paragraphs[0], width, "", "")]
        else:
            lines = _lines(label + paragraphs[0], width, first, rest)
        blocks = ["\n".join(lines), *("\n".join(_lines(text, width, first, rest)) for text in paragraphs[1:])]
        made += (turn_end if made else "") + "\n\n".join(blocks)
        turns.append((name, tuple(paragraphs)))
    head = draw(st.sampled_from(["", "The lamp on the pier\n\n"]))
    page = head + made + draw(st.sampled_from(["", "\n"]))
    page = page.replace("\n", draw(st.sampled_from(["\n", "\n", "\r\n"])))
    return WrappedPage(page.encode(), tuple(turns))


def _lines(text: str, width: int, first: str, rest: str) -> list[str]:
    columns = width - 8 if "\t" in rest else width
    return wrap(text, columns, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def some(examples: int) -> settings:
    return settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def said(transcript: Transcript) -> list[tuple[str, tuple[str, ...]]]:
    names = {speaker.id: speaker.name or "" for speaker in transcript.speakers}
    return [(names[turn.speaker or ""], tuple(p.text for p in turn.paragraphs)) for turn in transcript.turns]


@some(50)
@given(wrapped_pages())
def test_a_wrapped_page_is_read_in_paragraphs_and_written_back_unchanged(made: WrappedPage) -> None:
    transcript = read(made.content)

    assert said(transcript) == list(made.turns)
    assert render(transcript) == made.content
    assert render(read(render(transcript, format="json"))) == made.content


@some(15)
@given(wrapped_pages())
def test_another_format_has_each_paragraph_of_a_wrapped_page_on_one_line(made: WrappedPage) -> None:
    lines = render(read(made.content), format="text").decode().split("\n")

    assert all(any(line.endswith(text) for line in lines) for _, paragraphs in made.turns for text in paragraphs)


@some(40)
@given(wrapped_pages(), st.data())
def test_a_changed_word_changes_nothing_else_on_a_wrapped_page(made: WrappedPage, data: st.DataObject) -> None:
    transcript = read(made.content)
    place = data.draw(st.integers(0, 3))
    turn = transcript.turns[place]
    words = turn.paragraphs[0].text.split(" ")
    at = data.draw(st.integers(0, len(words) - 1))
    was = words[at]
    words[at] = data.draw(st.sampled_from(["Zyxwvut", "Zyx", "Zyx-wvut"]))
    changed = replace(turn, paragraphs=(replace(turn.paragraphs[0], text=" ".join(words)), *turn.paragraphs[1:]))

    page = render(replace(transcript, turns=(*transcript.turns[:place], changed, *transcript.turns[place + 1 :])))

    before, after = made.content.decode(), page.decode()
    start = after.index("Zyx")
    assert after == before[:start] + words[at] + before[start + len(was) :]


@some(15)
@given(wrapped_pages())
def test_a_style_learnt_from_a_wrapped_page_reads_it_and_writes_it_again(made: WrappedPage) -> None:
    style = learn_style(made.content, name="learnt")

    transcript = read_page(made.content, style=style)

    assert said(transcript) == list(made.turns)
    assert render(transcript, style=style) == made.content


@some(15)
@given(wrapped_pages())
def test_the_layout_of_a_wrapped_page_has_sizes_and_no_words(made: WrappedPage) -> None:
    layout = read(made.content).layout

    assert layout is not None
    assert any(mark.kind == "lines" for mark in layout.marks)
    for mark in layout.marks:
        if mark.kind == "lines":
            assert re.fullmatch(r"[\d/ ]+", mark.value)
        elif mark.kind not in ("label_form", "time_form", "number"):
            assert not re.search(r"\w", re.sub(r"\{(?:label|time)\}", "", mark.value))


def page_of(*turns: str, width: int = 64) -> bytes:
    """Two people in turn, each with a paragraph that is wrapped before what is looked at."""
    long = f"{SENTENCES[1]} {SENTENCES[2]} {SENTENCES[3]}"
    begin = [f"Ada Quill: {long}", f"Tomas Feld: {long}"] * 4
    return "\n\n".join([*("\n".join(wrap(text, width)) for text in begin), *turns]).encode()


def test_a_name_across_a_line_end_is_a_name() -> None:
    made = read(page_of("Ada Quill: This is the lamp that was lit in the harbour by Tomas\nFeld and his father."))

    assert made.turns[-1].paragraphs[0].text.endswith("by Tomas Feld and his father.")


@pytest.mark.parametrize(
    ("end", "begin", "joined"),
    [
        ("by a well-", "known man", "by a well-known man"),
        ("by one-", "to-one talk", "by one-to-one talk"),
        ("by Anne-", "Marie", "by Anne-Marie"),
        ("in the pre-", "and the post-war town", "in the pre- and the post-war town"),
        ("and I was go-", "I went", "and I was go- I went"),
    ],
)
def test_a_hyphen_at_a_line_end_stays_and_no_space_comes_into_a_word(end: str, begin: str, joined: str) -> None:
    page = page_of(f"Ada Quill: This is the lamp that was lit in the harbour {end}\n{begin}, as they say.")

    transcript = read(page)

    assert (
        transcript.turns[-1].paragraphs[0].text
        == f"This is the lamp that was lit in the harbour {joined}, as they say."
    )
    assert render(transcript) == page


@pytest.mark.parametrize(
    "lines",
    [
        ("The lamp is lit,", "The sea is wide,", "And nobody sits", "By my side."),
        ("- one rope", "- two oars", "- a lamp that burns"),
        ("| rope | 2 |", "| oars | 4 |"),
        ("It rained. That was all there was to it.", "So we went home again."),
        ("1. row out to the big lamp before the night", "2. row back to the old pier before the storm"),
    ],
    ids=["verses", "a list", "a table", "short paragraphs", "a numbered list"],
)
def test_lines_that_end_before_the_width_are_not_joined(lines: tuple[str, ...]) -> None:
    page = page_of("Ada Quill: This is it:\n\n" + "\n".join(lines) + "\n\nAnd that was all." * 5)

    transcript = read(page)

    kept = [*(p.text for p in transcript.turns[-1].paragraphs), *(a.text for a in transcript.turns[-1].asides)]
    assert all(line.removeprefix("- ") in kept for line in lines)
    assert render(transcript) == page


def test_turns_of_one_line_are_not_joined() -> None:
    lines = [f"{'Ada' if n % 2 else 'Tomas'}: {text}" for n, text in enumerate(SENTENCES * 2)]

    transcript = read("\n".join(lines).encode())

    assert [turn.paragraphs[0].text for turn in transcript.turns] == list(SENTENCES * 2)


def test_a_dash_that_begins_a_line_inside_a_sentence_is_said() -> None:
    page = page_of("Ada Quill: This is the lamp that was lit in the harbour by my\n– how shall I put it – friend.")

    transcript = read(page)

    assert transcript.turns[-1].paragraphs[0].text.endswith("by my – how shall I put it – friend.")
    assert render(transcript) == page


def test_a_name_with_a_colon_inside_a_wrapped_sentence_begins_no_turn() -> None:
    last = "Ada Quill: This is what I said in the night of the storm to old\n"
    page = page_of(last + "Tomas Feld: go home and leave the lamp to me.")

    transcript = read(page)

    assert len(transcript.turns) == 9
    assert transcript.turns[-1].paragraphs[0].text.endswith("to old Tomas Feld: go home and leave the lamp to me.")


def test_a_turn_may_follow_a_full_line_where_no_blank_lines_part_the_turns() -> None:
    turns = [f"{name}: {SENTENCES[1]} {SENTENCES[2]}" for name in ("Ada Quill", "Tomas Feld") * 3]
    page = "\n".join("\n".join(wrap(turn, 64)) for turn in turns).encode()

    transcript = read(page)

    assert [turn.paragraphs[0].text for turn in transcript.turns] == [f"{SENTENCES[1]} {SENTENCES[2]}"] * 6
    assert render(transcript) == page


def test_a_label_follows_a_full_line_in_the_middle_of_a_sentence_where_no_blank_lines_part_the_turns() -> None:
    turns = [wrap(f"{name}: {SENTENCES[1]} {SENTENCES[2]}", 64)[:3] for name in ("Ada Quill", "Tomas Feld") * 3]
    page = "\n".join("\n".join(lines) for lines in turns).encode()

    transcript = read(page)

    assert turns[0][-1].endswith("nobody could row out to")
    assert len(transcript.turns) == 6
    assert render(transcript) == page


def test_who_speaks_once_at_the_top_of_a_wrapped_page_is_no_title() -> None:
    page = page_of("Ada Quill: Yes.").replace(b"Ada Quill: ", b"Lena Berg: ", 1)

    transcript = read(page)

    assert [speaker.name for speaker in transcript.speakers] == ["Lena Berg", "Tomas Feld", "Ada Quill"]
    assert transcript.turns[0].paragraphs[0].text.startswith("The lamp is old")


def test_a_style_learnt_from_a_wrapped_page_has_the_white_space_of_its_paragraphs() -> None:
    long = f"{SENTENCES[1]} {SENTENCES[2]}"
    paragraphs = [f"{name}: {long}\n\n{long}" for name in NAMES[:2] * 3]
    lines = [
        "\n".join(wrap(text, 64, subsequent_indent="    ")) for turn in paragraphs for text in turn.split("\n\n")
    ]

    page = "\n\n".join(lines).encode()

    style = learn_style(page, name="learnt")

    assert (style.layout.paragraph_separator, style.layout.indent) == ("\n\n", "")
    layout = read(page).layout
    assert layout is not None
    assert [mark.kind for mark in layout.marks if mark.block == "page"] == ["line_breaks"]


@pytest.mark.parametrize("width", range(50, 80, 3))
@pytest.mark.parametrize("tab", [1, 4, 8])
def test_a_tab_before_the_lines_that_go_on_is_as_wide_as_the_page_has_it(width: int, tab: int) -> None:
    boats = "We saw Ines Marlow, Gwen Tarrant, Ben Roe, Zoe Marsh, Nur Aziz, Rose Lund and Otto Reilly in the boats."
    texts = [f"{boats} {SENTENCES[n % 4 + 1]} {SENTENCES[6]} {SENTENCES[3]}" for n in range(8)]
    turns = [f"{NAMES[n % 2]}: {text}" for n, text in enumerate(texts)]
    lines = [wrap(turn, width, subsequent_indent=" " * tab) for turn in turns]
    page = "\n\n".join("\n".join(each).replace("\n" + " " * tab, "\n\t") for each in lines).encode()

    transcript = read(page)

    assert [[p.text for p in turn.paragraphs] for turn in transcript.turns] == [[text] for text in texts]
    assert render(transcript) == page


# ---------------------------------------------------------------- the lines of a text


@some(100)
@given(st.data())
def test_a_text_is_broken_where_its_sizes_say(data: st.DataObject) -> None:
    words = data.draw(st.lists(st.text("abcä-.’", min_size=1, max_size=6), min_size=2, max_size=30))
    text = " ".join(words)
    spaces = [match.start() for match in re.finditer(" ", text)]
    ends = sorted(data.draw(st.sets(st.sampled_from(spaces), min_size=1)))
    printed = ["\n" + data.draw(st.sampled_from(["", "  ", "\t"])) for _ in ends]
    breaks = [LineBreak(len(text) - end, white) for end, white in zip(ends, printed, strict=True)]

    lines = broken(text, sizes_of(text, breaks), printed)

    assert re.sub(r"\n\s*", " ", lines) == text
    assert re.findall(r"\n\s*", lines) == printed
    assert lines.split("\n")[0] == text[: ends[0]]


@some(200)
@given(
    st.text("ab- \n", max_size=60),
    st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 20)), min_size=2),
)
def test_no_sizes_lose_or_double_a_character_of_another_text(text: str, lines: list[tuple[int, bool, int]]) -> None:
    sizes = " ".join(f"{words}{'-' if inside else ''}/{length}" for words, inside, length in lines)

    made = broken(text, sizes, ["\n"] * (len(lines) - 1))

    assert "".join(made.split()) == "".join(text.split())


@pytest.mark.parametrize("sizes", ["", "3", "a/b c/d", "2/9 -1/4", "2-/9", "2/9  3/4", "99/1 1/1 1/1"])
def test_a_value_that_is_no_list_of_sizes_breaks_nothing(sizes: str) -> None:
    assert broken("The lamp is lit again.", sizes, ["\n"]) == "The lamp is lit again."


def test_where_words_went_the_lines_around_them_stay() -> None:
    lines = ["The lamp is lit", "in the night when", "nobody rows out", "to the pier."]
    text = " ".join(lines)
    rests = [len(" ".join(lines[n:])) + 1 for n in (1, 2, 3)]
    sizes = sizes_of(text, [LineBreak(rest, "\n") for rest in rests])

    fewer = broken(text.replace("in the night ", ""), sizes, ["\n"] * 3)
    more = broken(text.replace("night", "darkest hour of that cold night"), sizes, ["\n"] * 3)

    assert fewer.split("\n") == ["The lamp is lit", "when", "nobody rows out", "to the pier."]
    assert more.split("\n") == ["The lamp is lit", "in the darkest hour of that cold night when", *lines[2:]]


def test_a_wrapped_paragraph_below_its_time_is_written_back_unchanged() -> None:
    long = "\n".join(wrap(f"{SENTENCES[1]} {SENTENCES[2]} {SENTENCES[3]}", 64))
    turns = [f"{name} (0:{n:02d}):\n{long}\n\n(0:{n + 1:02d}):\n{long}" for n, name in enumerate(NAMES[:2] * 3)]
    page = "\n\n".join(turns).encode()

    transcript = read(page)

    assert render(transcript) == page
    assert [p.start for p in transcript.turns[2].paragraphs] == [None, 3.0]
    assert all(len(turn.paragraphs) == 2 for turn in transcript.turns)


def test_lines_of_many_lengths_are_not_joined() -> None:
    verses = [f"and {'row ' * (n % 12)}to the lamp" for n in range(60)]
    page = "\n\n".join(f"{name}: Listen.\n\n" + "\n".join(verses) for name in NAMES[:2] * 2).encode()

    transcript = read(page)

    assert all([p.text for p in turn.paragraphs[1:]] == verses for turn in transcript.turns)


def test_a_deeper_indent_inside_hanging_lines_begins_a_paragraph() -> None:
    long = f"{SENTENCES[1]} {SENTENCES[2]}"
    turns = ["\n".join(wrap(f"{name}: {long}", 64, subsequent_indent="    ")) for name in NAMES[:2] * 4]
    lines = turns[7].split("\n")
    quoted = "and this is what stood there in the very small letters"
    page = "\n\n".join([*turns[:7], "\n".join([*lines[:2], " " * 12 + quoted, *lines[2:]])]).encode()

    last = read(page).turns[-1]

    assert any(paragraph.text.startswith(quoted) for paragraph in last.paragraphs)
    assert render(read(page)) == page
