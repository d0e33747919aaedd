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


def tidy(text: str, *, gap: float = 0.05, language: str = "en") -> str:
    return visible_text(tag_words(said(text, gap=gap), Wording.TIDY, language))


@pytest.mark.parametrize(
    ("spoken", "printed"),
    [
        ("It was, you know, wet.", "It was wet."),
        ("You know, we rowed.", "We rowed."),
        ("It was wet, you know.", "It was wet."),
        ("It's a you know big boat.", "It's a big boat."),
        ("I mean, the tide turned.", "The tide turned."),
        ("I mean we tried.", "We tried."),
        ("So, I mean, we tried.", "So we tried."),
        ("It was sort of damp.", "It was damp."),
        ("We just kind of drifted.", "We just drifted."),
        ("It was, like, huge.", "It was huge."),
        ("You know, um, I mean, we rowed.", "We rowed."),
        ("It was sort of, you know, wet.", "It was wet."),
    ],
)
def test_tidy_leaves_out_phrases_that_only_fill(spoken: str, printed: str) -> None:
    assert tidy(spoken) == printed


@pytest.mark.parametrize(
    "spoken",
    [
        "Do you know the harbour?",
        "As you know, the tide turned.",
        "You know what I saw.",
        "Those are things you know.",
        "It was cold, you know?",
        "I mean it.",
        "That is what I mean, exactly.",
        "I mean that kindly.",
        "It is a kind of bread.",
        "What sort of boat is it?",
        "This sort of thing sinks.",
        "That is kind of you.",
        "I like, above all, rain.",
        "Boats like, say, ours.",
    ],
)
def test_tidy_keeps_the_same_words_where_they_say_something(spoken: str) -> None:
    assert tidy(spoken) == spoken


@pytest.mark.parametrize(
    ("spoken", "printed"),
    [
        ("We went to— we went to the harbour.", "We went to the harbour."),
        ("I was going, I was going to say no.", "I was going to say no."),
        ("It was, um, it was late.", "It was late."),
        ("The har- harbour froze.", "The harbour froze."),
        ("We were— they rowed home.", "They rowed home."),
        ("It sank. The boat in, the boat in May sank.", "It sank. The boat in May sank."),
    ],
)
def test_tidy_leaves_out_what_was_begun_again(spoken: str, printed: str) -> None:
    assert tidy(spoken) == printed


@pytest.mark.parametrize(
    "spoken",
    [
        "We will, we will.",
        "They rowed again and again and again.",
        "It is very, very late.",
        "No, no, no, no, not us.",
        "It is — we know — hard.",
        "The lock has gate 2 2 and gate 2 2 again.",
        "We went. We went home.",
        "A well-kept boat.",
    ],
)
def test_tidy_keeps_what_is_said_twice_for_good(spoken: str) -> None:
    assert tidy(spoken) == spoken


def test_tidy_cleans_no_language_that_it_does_not_know() -> None:
    assert tidy("Er sagt, you know, nichts.", language="de") == "Er sagt, you know, nichts."


def test_a_turn_of_nothing_but_filling_phrases_keeps_its_text() -> None:
    assert tidy("You know, um.") == "You know."


def test_another_wording_forgets_what_the_first_left_out() -> None:
    words = said("Um, it was, you know, wet.")

    again = tag_words(tag_words(words, Wording.TIDY, "en"), Wording.VERBATIM, "en")

    assert again == tuple(words)


tidy_texts = st.sampled_from(
    [
        "You",
        "know,",
        "know",
        "I",
        "mean,",
        "sort",
        "of",
        "like,",
        "we",
        "We",
        "we—",
        "was",
        "um,",
        "boat.",
        "2",
        "har-",
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(tidy_texts, min_size=1, max_size=20), st.sampled_from(Wording))
def test_no_wording_loses_a_word_or_a_number_or_changes_its_mind(parts: list[str], wording: Wording) -> None:
    words = said(" ".join(parts))

    tagged = tag_words(words, wording, "en")

    assert [(word.text, word.start, word.end) for word in tagged] == [(w.text, w.start, w.end) for w in words]
    assert visible_text(tagged).strip()
    assert visible_text(tagged).split().count("2") == parts.count("2")
    assert tag_words(tagged, wording, "en") == tagged
