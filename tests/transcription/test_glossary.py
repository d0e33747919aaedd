"""A show's glossary: read strictly, applied everywhere it is meant and nowhere else, every change noted."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import OptionError
from schemas.job import Term
from schemas.transcript import Correction, Word, WordTag
from transcription.glossary import LARGEST_BYTES, check_glossary, correct, glossary_name, read_glossary

TERMS = (
    Term("Skerryvore", ("skerry vore", "sherry four")),
    Term("Tide Talk", ("tied talk", "tightalk")),
    Term("npm", ("n p m",)),
    Term("Jean-Luc Amsel", ("john luke amsel",)),
    Term("Yahoo!"),
)


def said(text: str) -> list[Word]:
    return [Word(part, round(i * 0.4, 3), round(i * 0.4 + 0.4, 3), 0.9) for i, part in enumerate(text.split())]


def written(text: str, terms: tuple[Term, ...] = TERMS) -> str:
    return " ".join(word.text for word in correct(said(text), terms).words)


@pytest.mark.parametrize(
    ("heard", "printed"),
    [
        ("the sherry four light", "the Skerryvore light"),
        ("the skerryvore light", "the Skerryvore light"),
        ("“Sherry Four,” he said.", "“Skerryvore,” he said."),
        ("the sherry four's keeper", "the Skerryvore's keeper"),
        ("the Skerryvore’s keeper", "the Skerryvore’s keeper"),
        ("we run N-P-M here", "we run npm here"),
        ("Welcome to tied talk.", "Welcome to Tide Talk."),
        ("welcome to tightalk today", "welcome to Tide Talk today"),
        ("john luke amsel, then", "Jean-Luc Amsel, then"),
        ("jean luc amsel rows", "Jean-Luc Amsel rows"),
        ("I asked yahoo! twice", "I asked Yahoo! twice"),
        ("I asked yahoo.", "I asked Yahoo!."),
    ],
)
def test_a_term_is_written_as_the_glossary_writes_it(heard: str, printed: str) -> None:
    assert written(heard) == printed


@pytest.mark.parametrize(
    "heard",
    [
        "They drank sherry. Four came.",
        "sherry, four glasses",
        "the sherries fourfold",
        "ebb tide talks",
        "Skerryvore is a rock.",
        "We counted 4 and four.",
    ],
)
def test_words_that_only_look_like_a_term_stay(heard: str) -> None:
    result = correct(said(heard), TERMS)

    assert (result.words, result.corrections) == (tuple(said(heard)), ())


def test_each_change_is_noted_with_its_place() -> None:
    result = correct(said("See the sherry four light"), TERMS)

    assert result.corrections == (Correction("glossary", "sherry four", "Skerryvore", start=0.8, end=1.6),)
    assert result.words[2] == Word("Skerryvore", 0.8, 1.6, 0.9, (WordTag.CORRECTED,))


def test_more_words_than_were_heard_share_their_time() -> None:
    result = correct([Word("tightalk.", 1.0, 1.9, 0.4)], TERMS)

    assert [(word.text, word.start, word.end) for word in result.words] == [("Tide", 1.0, 1.4), ("Talk.", 1.4, 1.9)]


def test_the_longest_form_wins() -> None:
    terms = (Term("Tide", ("tied",)), Term("Tide Talk", ("tied talk",)))

    assert written("tied talk and tied", terms) == "Tide Talk and Tide"


def test_a_glossary_file_is_read() -> None:
    content = b'[[term]]\nwrite = "Skerryvore"\nsounds_like = ["skerry  vore"]\n\n[[term]]\nwrite = "npm"\n'

    assert read_glossary(content, name="tide-talk.toml") == (Term("Skerryvore", ("skerry vore",)), Term("npm"))


def test_an_empty_file_is_an_empty_glossary() -> None:
    assert read_glossary(b"", name="x.toml") == ()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[[term]", "no TOML"),
        (b"\xff", "no TOML"),
        (b"[terms]\n", "'terms' is not known"),
        (b'[term]\nwrite = "A"\n', "must be a list"),
        (b'term = ["A"]\n', "term 1: must be a table"),
        (b'[[term]]\nsounds_like = ["a"]\n', "term 1: write must"),
        (b'[[term]]\nwrite = "A"\nsounds_like = "a"\n', "sounds_like must be a list"),
        (b'[[term]]\nwrite = "A"\nspelling = "a"\n', "'spelling' is not known"),
        (b'[[term]]\nwrite = "..."\n', "no letter"),
        (b'[[term]]\nwrite = "A\\u0007"\n', "control characters"),
        (b'[[term]]\nwrite = "' + b"a" * 101 + b'"\n', "too long"),
        (b'[[term]]\nwrite = "A"\n[[term]]\nwrite = "B"\nsounds_like = ["a"]\n', "both 'A' and 'B'"),
        (b'[[term]]\nwrite = "A"\nsounds_like = ["' + b'","'.join([b"b"] * 21) + b'"]\n', "at most 20"),
        (b"#" * (LARGEST_BYTES + 1), "at most"),
    ],
)
def test_a_wrong_glossary_says_what_is_wrong(content: bytes, says: str) -> None:
    with pytest.raises(OptionError, match=r"tide-talk\.toml") as caught:
        read_glossary(content, name="tide-talk.toml")

    assert (caught.value.code, caught.value.field) == ("glossary_invalid", "glossary")
    assert says in caught.value.message


def test_a_glossary_has_a_largest_size() -> None:
    with pytest.raises(OptionError, match="301 terms"):
        check_glossary([Term(f"term {number}") for number in range(301)])


@pytest.mark.parametrize(
    ("show", "name"),
    [("Tide Talk!", "tide-talk"), ("../../etc/passwd", "etc-passwd"), ("Küste & Meer", "küste-meer"), ("…", "")],
)
def test_a_shows_file_is_named_after_it_and_never_leaves_the_folder(show: str, name: str) -> None:
    assert glossary_name(show) == name


PARTS = ["tide", "talk", "tied", "Talk,", "a", "b", "A-b", "b.", "4", "talk's"]
forms = st.lists(st.sampled_from(["tide", "talk", "tied", "a", "b", "4"]), min_size=1, max_size=3).map(" ".join)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(PARTS), max_size=14),
    st.lists(st.builds(Term, forms.map(str.title), st.tuples(forms)), max_size=4),
)
def test_correcting_twice_changes_nothing_and_every_word_is_kept_or_noted(
    parts: list[str], terms: list[Term]
) -> None:
    words = said(" ".join(parts))

    once = correct(words, terms)
    twice = correct(once.words, terms)

    assert (twice.words, twice.corrections) == (once.words, ())
    times = [moment for word in once.words for moment in (word.start, word.end)]
    assert times == sorted(times)  # type: ignore[type-var]
    heard = " ".join(word.text for word in words)
    kept = [(word.start, word.text) for word in once.words if WordTag.CORRECTED not in word.tags]
    noted = [(each.start, each.heard) for each in once.corrections]
    assert " ".join(text for _, text in sorted([*kept, *noted])) == heard  # type: ignore[type-var]
