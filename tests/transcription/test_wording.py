"""What leaves the text, and how the text closes around it. No word ever leaves the document."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.job import Wording
from schemas.transcript import Word, WordTag
from transcription.wording import LEFT_OUT, tag_words, visible_text


def said(text: str, *, gap: float = 0.05) -> list[Word]:
    return [Word(part, round(i * 0.4, 3), round((i + 1) * 0.4 - gap, 3)) for i, part in enumerate(text.split())]


def clean(text: str, *, gap: float = 0.05, language: str = "en") -> str:
    return visible_text(tag_words(said(text, gap=gap), Wording.CLEAN, language))


@pytest.mark.parametrize(
    ("spoken", "printed"),
    [
        ("Um, well, the ferry left.", "Well, the ferry left."),
        ("I, uh, think so.", "I think so."),
        ("We rowed and uh we sang.", "We rowed and we sang."),
        ("So we rowed, um.", "So we rowed."),
        ("He rowed um. Uh, so we stayed.", "He rowed. So we stayed."),
        ("Did you row, er? She did.", "Did you row? She did."),
        ("Yes. Um. We did.", "Yes. We did."),
        ("When we docked, um the bell rang.", "When we docked, the bell rang."),
        ("“Um, well,” he said.", "“Well,” he said."),
        ("He said “well, um.” Then he left.", "He said “well.” Then he left."),
        ("Um, iPhones sank.", "iPhones sank."),
        ("It cost 3.5 crowns um. 5 people paid.", "It cost 3.5 crowns. 5 people paid."),
        ("Mm-hm. Oh, hmm, I see.", "Mm-hm. Oh, hmm, I see."),
    ],
)
def test_a_filler_leaves_and_the_sentence_closes_around_it(spoken: str, printed: str) -> None:
    assert clean(spoken) == printed


@pytest.mark.parametrize(
    ("spoken", "printed"),
    [
        ("I I think the the kite had a a tear.", "I think the kite had a tear."),
        ("The the dog ran.", "The dog ran."),
        ("The, the, the dog ran.", "The dog ran."),
        ("We rowed, and, the, the dog ran.", "We rowed, and, the dog ran."),
        ("I uh I think so.", "I think so."),
        ("Er, the the dog ran.", "The dog ran."),
        ("We had, um... we had a plan.", "We had, we had a plan."),
        ("I... I can row.", "I can row."),
        ("I know that, that is fine.", "I know that is fine."),
    ],
)
def test_a_stuttered_function_word_stays_once(spoken: str, printed: str) -> None:
    assert clean(spoken) == printed


@pytest.mark.parametrize(
    "spoken",
    [
        "They had had enough.",
        "I know that that is fine.",
        "She was very very tired.",
        "No, no, no.",
        "We came in in May.",
        "That is what I know I. I row.",
        "The boat sank. Sank slowly.",
        "You know, it was sort of, you know, wet.",
    ],
)
def test_what_is_said_twice_on_purpose_stays(spoken: str) -> None:
    assert clean(spoken) == spoken


def test_a_guarded_word_is_a_stutter_after_a_pause() -> None:
    assert clean("I know that that is fine.", gap=0.3) == "I know that is fine."


def test_verbatim_shows_every_word_and_tags_none() -> None:
    words = said("Um, I I think so.")

    assert tag_words(words, Wording.VERBATIM, "en") == tuple(words)
    assert visible_text(words) == "Um, I I think so."


def test_english_fillers_are_words_elsewhere() -> None:
    assert clean("Er geht um acht.", language="de") == "Er geht um acht."
    assert clean("Um barco.", language="pt") == "Um barco."
    assert clean("Wir, äh, rudern.", language="de") == "Wir rudern."


def test_a_turn_of_nothing_but_fillers_keeps_its_text() -> None:
    assert clean("Um. Uh.") == "Um. Uh."


def test_scripts_without_spaces_are_joined_without() -> None:
    assert visible_text(said("你 好。 我 row 船。")) == "你好。我 row 船。"


texts = st.sampled_from(
    ["Um", "um,", "uh.", "the", "The,", "I", "I…", "had", "“um", "er.”", "that", "boat.", "Boat,", "rows", "—", "um?"]
)


@settings(max_examples=120, deadline=None)
@given(st.lists(texts, min_size=1, max_size=15))
def test_tagging_loses_no_word_and_always_leaves_a_text(parts: list[str]) -> None:
    words = said(" ".join(parts))

    tagged = tag_words(words, Wording.CLEAN, "en")

    assert [(word.text, word.start, word.end) for word in tagged] == [(w.text, w.start, w.end) for w in words]
    assert visible_text(tagged).strip()


@settings(max_examples=120, deadline=None)
@given(st.lists(texts, min_size=1, max_size=15))
def test_the_text_has_one_printed_form_for_each_word_not_left_out(parts: list[str]) -> None:
    tagged = tag_words(said(" ".join(parts)), Wording.CLEAN, "en")

    printed = visible_text(tagged).split()

    shown = [word for word in tagged if not LEFT_OUT.intersection(word.tags)]
    assert len(printed) == len(shown)
    for form, word in zip(printed, shown, strict=True):
        assert form.casefold().strip("“”.,…?!—") == word.text.casefold().strip("“”.,…?!—")


@settings(max_examples=100, deadline=None)
@given(st.lists(texts, min_size=1, max_size=15))
def test_tagging_twice_changes_nothing(parts: list[str]) -> None:
    once = tag_words(said(" ".join(parts)), Wording.CLEAN, "en")

    assert tag_words(once, Wording.CLEAN, "en") == once


def test_doubtful_words_stay_in_the_text() -> None:
    assert visible_text([Word("lantern", 0.0, 0.4, tags=(WordTag.DOUBTFUL, WordTag.OVERLAP))]) == "lantern"
