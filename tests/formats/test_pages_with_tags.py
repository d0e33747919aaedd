"""Pages with tags of HTML around names and lines: the tags are layout, and what is said has none."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats.blocks import split_blocks
from formats.catalogue import read, render
from formats.learning import learn_style
from formats.pages import read_page
from schemas.transcript import Transcript

SAID = (
    "Hello and welcome to the harbour, it is a fine day.",
    "Thank you for having me.",
    "What did the sea take last winter?",
    "It took the stairs, and then the wall.",
    "And what did you do about it?",
    "We rowed out & climbed.",
)
PEOPLE = ("Ada Quill", "Tomas Feld")
FORMS = (
    "<b>{name}:</b> {text}",
    "<strong>{name}</strong>: {text}",
    "<em>{name}:</em> {text}",
    "<p><strong>{name}:</strong> {text}</p>",
    "<p>{name}: {text}</p>",
    '<p class="turn">**{name}:** {text}</p>',
    "    <li><b>{name}</b>: {text}</li>",
    "{name}: {text}<br>",
    "<p>{name}</p>\n<p>{text}</p>",
    "<cite>{name}:</cite>\n<p>{text}</p>",
    "<h3>{name}</h3>\n<p>{text}</p>",
)


def said(transcript: Transcript) -> list[tuple[str | None, str]]:
    names = {speaker.id: speaker.name for speaker in transcript.speakers}
    return [(names[turn.speaker or ""], p.text) for turn in transcript.turns for p in turn.paragraphs]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("between", ["\n", "\n\n"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_tags_around_names_and_lines_are_layout(form: str, between: str, line_end: str) -> None:
    turns = [(PEOPLE[n % 2], text) for n, text in enumerate(SAID)]
    page = between.join(form.format(name=name, text=text) for name, text in turns).replace("\n", line_end).encode()

    transcript = read(page)

    assert said(transcript) == turns
    assert render(transcript) == page


@pytest.mark.parametrize("form", FORMS)
def test_a_changed_word_and_name_change_nothing_else_between_tags(form: str) -> None:
    page = "\n\n".join(form.format(name=PEOPLE[n % 2], text=text) for n, text in enumerate(SAID))
    transcript = read(page.encode())
    turn, *rest = transcript.turns
    changed = replace(turn, paragraphs=(replace(turn.paragraphs[0], text="Zyx."), *turn.paragraphs[1:]))
    renamed = tuple(replace(s, name="Nur Aziz") if s.name == "Tomas Feld" else s for s in transcript.speakers)

    written = render(replace(transcript, turns=(changed, *rest), speakers=renamed)).decode()

    assert written == page.replace(SAID[0], "Zyx.").replace("Tomas Feld", "Nur Aziz")


@pytest.mark.parametrize(
    "form", ["<b>{name}:</b> {text}", "<strong>{name}</strong>: {text}", "<h3>{name}</h3>\n{text}"]
)
def test_a_style_with_tags_is_learnt(form: str) -> None:
    page = "\n\n".join(form.format(name=PEOPLE[n % 2], text=text) for n, text in enumerate(SAID)).encode()

    style = learn_style(page, name="learnt")

    assert render(read_page(page, style=style), style=style) == page
    assert style.label.pattern.startswith("<")


@pytest.mark.parametrize("label", ["{name}: ", "**{name}:** "])
@pytest.mark.parametrize("places", [{2}, {0, 3}, {1, 2, 5}])
def test_a_paragraph_tag_before_some_labels_hides_no_turn(label: str, places: set[int]) -> None:
    turns = [(PEOPLE[n % 2], text) for n, text in enumerate(SAID)]
    lines = [label.format(name=name) + text for name, text in turns]
    page = "\n\n".join(f"<p>{line}</p>" if n in places else line for n, line in enumerate(lines)).encode()

    transcript = read(page)

    assert said(transcript) == turns
    assert render(transcript) == page


def test_a_label_in_a_tag_among_others_without_begins_a_turn() -> None:
    lines = [f"{PEOPLE[n % 2]}: {text}" for n, text in enumerate(SAID)]
    lines[3] = f"<b>Tomas Feld:</b> {SAID[3]}"
    page = "\n\n".join(lines).encode()

    assert [text for _, text in said(read(page))] == list(SAID)
    assert render(read(page)) == page


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(["<p>", "</p>", "<br>", "<br/>", "<li>", "</li>", "<b>", "x", "a: b", " ", "\n", "- ", ">"])
    )
)
def test_taking_lines_apart_loses_nothing(parts: list[str]) -> None:
    text = "".join(parts)

    blocks, rest = split_blocks(text)

    assert "".join(b.before + b.lead + b.text + b.tail for b in blocks) + rest == text
    assert all(block.text for block in blocks)


@pytest.mark.parametrize("line", ["x{blanks}y</p>", "{blanks}<br>", "<p>{blanks}x</p>", "x{tags}", "{tags}x"])
def test_a_long_run_inside_tags_takes_no_longer_than_as_much_text(line: str) -> None:
    begin = time.process_time()

    split_blocks(line.format(blanks=" " * 100_000, tags="<br>" * 30_000))

    assert time.process_time() - begin < 2.0


def test_headings_in_tags_and_what_stands_below_the_article_are_not_said() -> None:
    turns = [f"<p><strong>{PEOPLE[n % 2]}:</strong> {text}</p>" for n, text in enumerate(SAID)]
    turns.insert(3, '<h3 id="part-2">The second winter</h3>')
    turns.append('</div><a class="next" href="/next"></a>')
    below = "</article>\n<p>All rights are ours.</p>\n</body>"
    page = "\n\n".join(["<h1>The lamp</h1>", *turns, below]).encode()

    transcript = read(page)

    assert [text for _, text in said(transcript)] == list(SAID)
    assert [aside.text for turn in transcript.turns for aside in turn.asides] == [turns[3], turns[-1]]
    assert [matter.text for matter in transcript.back][-2:] == ["All rights are ours.", "</body>"]
    assert render(transcript) == page
