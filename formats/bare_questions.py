"""Interviews without labels, as magazines print them: every question emphasised, what is answered below it plain."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from formats.blocks import Block
from formats.emphasised_lines import closing_of
from formats.house_style import NUMBER_TEMPLATE, HouseStyle, LabelChoices, LabelForm
from formats.label_candidates import Candidate
from formats.opening import Page
from formats.reading import Reading, read_turns
from formats.shapes import heading_mark, is_back_heading, is_furniture
from formats.turns_reading import unwrapped
from formats.unspoken import code_lines

#: So many questions at least, of which this share ends with a question mark.
FEWEST = 3
ASKED = 0.6
#: The share of the answers in which somebody speaks of himself, and of the questions that are put to somebody: on a
#: help page or in an article neither is so. Set by hand, on published interviews and help pages.
ANSWERED = 0.5
ADDRESSED = 0.3
#: A help page asks for its reader.
FOR_READER = 0.2
#: Where so many of the answers begin with a label, the page has labels.
LABELLED = 0.3

#: Who asks and who answers: nobody on the page has a name there.
ASKS, ANSWERS = (NUMBER_TEMPLATE.replace("{n}", n) for n in "12")
_STYLE = HouseStyle(
    "drafted", LabelChoices(LabelForm.NUMBER, LabelForm.NUMBER, "{label}: ", number=NUMBER_TEMPLATE), "bare questions"
)
_OF_ONESELF = re.compile(r"\b(?:I|I[’']\w+|my|me|mine|myself|we|we[’']\w+|our|us)\b")
_TO_SOMEBODY = re.compile(r"\b(?:you|your|yours|yourself|you[’']\w+)\b", re.IGNORECASE)
_OF_READER = re.compile(r"\b(?:I|I[’']\w+|my|me)\b")
_LABELLED = re.compile(r"[\W_]{0,6}[^\W\d_][^:.?!]{0,30}:[\s*_]")
#: Several people answer where it stands who did.
_SIGNED = re.compile(r"\W*(?:answered|answer|asked|question) (?:by|from)\b", re.IGNORECASE)
_HELP = re.compile(r"\bFAQs?\b|\bfrequently asked\b|\bcommon questions\b|\btroubleshoot", re.IGNORECASE)


def read_bare_questions(page: Page, *, identity: str) -> Reading | None:
    """The page as questions of one who has no name there and answers of another; None where it is no interview."""
    blocks, questions = _questions(page.blocks)
    labels = _labels(blocks, questions)
    if not _is_interview(blocks, questions, labels):
        return None
    blocks, labels = unwrapped(blocks, labels, page.wrap, _STYLE)
    return read_turns(page, _STYLE, blocks, labels, identity=identity)


def _questions(blocks: Sequence[Block]) -> tuple[tuple[Block, ...], dict[int, str]]:
    """The blocks with what closes the emphasis of whole lines as layout, and what opens it in those, by index."""
    made = list(blocks)
    found: dict[int, str] = {}
    for index, block in enumerate(blocks):
        opening = heading_mark(block.text)
        if opening:
            found[index] = opening
            continue
        closing = closing_of(block.text)
        opening = block.text[: len(closing) - closing.count("/")]
        inner = block.text[len(opening) :].removesuffix(closing)
        if closing and block.text.endswith(closing) and inner and closing not in inner and inner.strip() == inner:
            found[index] = opening
            made[index] = replace(block, text=opening + inner, tail=closing + block.tail)
    marks = [mark for index, mark in found.items() if made[index].text.endswith("?")]
    usual = max(set(marks), key=marks.count, default="")
    return tuple(made), {index: mark for index, mark in found.items() if mark == usual}


def _labels(blocks: Sequence[Block], questions: dict[int, str]) -> list[Candidate]:
    """The beginnings of the turns: of each question, and of what stands below it."""
    asked = [index for index in questions if blocks[index].text.endswith("?")]
    if not asked:
        return []
    found: list[Candidate] = []
    is_asking = False
    code = code_lines(blocks)
    for index in range(asked[0], len(blocks)):
        text = blocks[index].text
        if index > asked[-1] and is_back_heading(text):
            break
        mark = questions.get(index)
        if mark is not None:
            found.append(Candidate(index, ASKS, mark, text[len(mark) :], is_stray=True))
            is_asking = True
        elif is_asking and index not in code and not is_furniture(text):
            found.append(Candidate(index, ANSWERS, "", text, is_stray=True))
            is_asking = False
    return found


def _is_interview(blocks: Sequence[Block], questions: dict[int, str], labels: Sequence[Candidate]) -> bool:
    asked = [label.rest for label in labels if label.label == ASKS]
    begins = [label.index for label in labels if label.label == ANSWERS]
    if len(asked) < FEWEST or len(begins) < FEWEST or len(begins) < ASKED * len(asked):
        return False
    ends = sum(text.endswith("?") for text in asked)
    answers = [_answer(blocks, questions, index) for index in begins]
    of_oneself = sum(_OF_ONESELF.search(text) is not None for text in answers)
    to_somebody = sum(_TO_SOMEBODY.search(text) is not None for text in asked)
    of_reader = sum(_OF_READER.search(text) is not None for text in asked)
    are_signed = sum(_SIGNED.match(block.text) is not None for block in blocks) > 1
    are_labelled = sum(_LABELLED.match(text) is not None for text in answers) > LABELLED * len(answers)
    is_help = any(_HELP.search(block.text) for block in blocks[: begins[0]])
    return (
        ends >= ASKED * len(asked)
        and not is_help
        and not are_labelled
        and not are_signed
        and of_oneself >= ANSWERED * len(answers)
        and to_somebody >= ADDRESSED * len(asked)
        and of_reader < FOR_READER * len(asked)
        and median(len(text.split()) for text in answers) > 1
    )


def _answer(blocks: Sequence[Block], questions: dict[int, str], begin: int) -> str:
    end = next((n for n in range(begin, len(blocks)) if n in questions), len(blocks))
    return " ".join(block.text for block in blocks[begin:end])
