"""Interviews whose questions are emphasised and whose answers are not, without a label."""

from __future__ import annotations

from dataclasses import replace

import pytest

from formats.catalogue import read, render
from schemas.episode import Role
from schemas.errors import PageError
from tests.pages_read import read_back, with_other_word

ASKED = (
    "You have kept the lamp for thirty years. How did you begin?",
    "What did the town say to you that winter?",
    "Were you afraid of it?",
    "Who keeps it when you are away?",
)
ANSWERED = (
    ("My father kept it before me. I carried the oil.", "Then he fell ill, and I stayed."),
    ("They said that I was mad, and brought me soup.",),
    ("Not of the sea. I was afraid of the ladder.",),
    ("I am never away.",),
)
HEAD = "The lamp on the pier\n\nTomas Feld has lit it every night since 1991.\n\n"
FORMS = ("**{}**", "__{}__", "*{}*", "<strong>{}</strong>", "<p><strong>{}</strong></p>", "<b>{}</b>", "### {}")


def interview(form: str, asked: tuple[str, ...] = ASKED, answered: tuple[tuple[str, ...], ...] = ANSWERED) -> str:
    is_web = form.startswith("<p>")
    blocks = []
    for question, answer in zip(asked, answered, strict=True):
        blocks += [form.format(question), *(f"<p>{text}</p>" if is_web else text for text in answer)]
    return HEAD + "\n\n".join(blocks) + "\n"


@pytest.mark.parametrize("form", FORMS)
def test_who_asks_and_who_answers_are_two_speakers_without_names(form: str) -> None:
    transcript = read_back(interview(form))

    assert [turn.speaker for turn in transcript.turns] == ["S1", "S2"] * 4
    assert [tuple(p.text for p in turn.paragraphs) for turn in transcript.turns] == [
        texts for question, answer in zip(ASKED, ANSWERED, strict=True) for texts in ((question,), answer)
    ]
    assert [(s.name, s.role) for s in transcript.speakers] == [(None, Role.HOST), (None, Role.GUEST)]
    assert len(transcript.front) == 2


@pytest.mark.parametrize("form", FORMS)
def test_one_word_changes_alone(form: str) -> None:
    page = interview(form)

    for place, text in ((0, ASKED[0]), (3, ANSWERED[1][0])):
        changed = render(with_other_word(read(page.encode()), place)).decode()
        assert changed == page.replace(text, f"{text.rpartition(' ')[0]} zyxwvut")


def test_a_name_that_is_given_to_one_of_them_is_printed_in_other_styles_alone() -> None:
    page = interview("**{}**")
    transcript = read(page.encode())
    speakers = (transcript.speakers[0], replace(transcript.speakers[1], name="Tomas Feld"))

    named = replace(transcript, speakers=speakers)

    assert render(named).decode() == page
    assert "Tomas: Not of the sea." in render(named, style="full-then-first").decode()


def refused(page: str) -> None:
    with pytest.raises(PageError, match="no house style explains this page"):
        read(page.encode())


#: Each lacks one thing alone that interviews have.
NO_INTERVIEWS = {
    "nobody answers of himself": (
        ("What do you call this lamp?", "Why do you row at night?", "Is your boat old?", "Who gave you the key?"),
        ("It is the pier lamp.", "Fish come at night.", "Every boat is.", "The town did."),
    ),
    "nobody is asked": (
        ("What is a lamp?", "Why does it burn?", "How long does it last?", "Who needs one?"),
        ("I think it is light.", "I cut the wick.", "I fill it every night.", "My pier does."),
    ),
    "who reads it asks": (
        ("How do I find you?", "Can I ask you to row me?", "Do you take my dog?", "Will you fetch me?"),
        ("I am at the pier.", "I row on Sundays.", "I like dogs.", "I do, for a soup."),
    ),
    "few are questions": (
        ("How did you begin?", "The winter", "The boat", "Were you afraid?", "The ladder", "Will you?", "Ice", "Oil"),
        ("I was nine.", "I froze.", "I built it.", "I was.", "I fell.", "I would.", "I like ice.", "I buy it."),
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", ["**{}**", "## {}", "<strong>{}</strong>"])
@pytest.mark.parametrize("page", NO_INTERVIEWS.values(), ids=NO_INTERVIEWS)
def test_help_pages_and_articles_are_no_interviews(page: tuple[tuple[str, ...], tuple[str, ...]], form: str) -> None:
    asked, answered = page

    refused(interview(form, asked, tuple((text,) for text in answered)))


def test_questions_that_a_page_says_are_frequent_are_no_interview() -> None:
    refused("Frequently asked questions\n\n" + interview("**{}**"))


def test_answers_that_several_people_signed_are_not_one_persons() -> None:
    answered = tuple(
        (f"Answered by {name}", *answer) for name, answer in zip(("Ada", "Tomas") * 2, ANSWERED, strict=True)
    )

    refused(interview("**{}**", answered=answered))


def test_emphasised_questions_between_labels_belong_to_nobody_with_a_label() -> None:
    turns = [
        f"**{q}**\n\n**{name}:** {' '.join(a)}"
        for q, a, name in zip(ASKED, ANSWERED, ("Tomas", "Ada") * 2, strict=True)
    ]

    with pytest.raises(PageError, match="emphasised questions between them have no label"):
        read(("\n\n".join(turns * 2) + "\n").encode())
