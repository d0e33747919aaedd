"""What a page shows beside its words, on talk small enough to count by hand."""

from __future__ import annotations

from dataclasses import replace

from evaluation.alignment import Agreement, align
from evaluation.comparison import compare
from evaluation.marks import capitals, is_written, sentence_ends, talk_at_once, terms
from evaluation.said import Said, SaidWord, said_in_document
from schemas.episode import Episode
from schemas.transcript import Paragraph, Transcript, Turn, Word, WordTag
from transcription.ports import VoiceTurn


def talk(text: str) -> tuple[SaidWord, ...]:
    """Words of one speaker, half a second each."""
    return tuple(SaidWord(word, "ada", n / 2, (n + 1) / 2, 0, 0) for n, word in enumerate(text.split()))


FERRY = "Who rows the ferry? My aunt does. She sings."


def test_a_sentence_counts_where_its_end_stands_within_a_word() -> None:
    truth = talk(FERRY)

    def ends(text: str) -> Agreement | None:
        return sentence_ends(align(truth, talk(text)), truth, talk(text))

    assert ends(FERRY) == Agreement(3, 0, 0)
    assert ends("who rows the ferry my aunt does she sings") == Agreement(0, 0, 3)
    assert ends("Who rows. The ferry my aunt does. She sings.") == Agreement(2, 1, 1)


def test_capitals_are_counted_by_the_letter_and_shouting_is_too_many() -> None:
    truth = talk(FERRY)

    def found(text: str) -> Agreement | None:
        return capitals(align(truth, talk(text)), truth, talk(text))

    assert found("who rows the ferry? my Aunt does. She sings.") == Agreement(1, 1, 2)
    assert found("WHO rows the ferry? My aunt does. She sings.") == Agreement(3, 2, 0)
    assert found("Who rows the wherry? My aunt does. He sings.") == Agreement(2, 0, 0)


def test_a_truth_of_words_alone_says_nothing_of_sentences_and_capitals() -> None:
    bare = talk("who rows the ferry my aunt does she sings")

    assert not is_written(bare)
    assert sentence_ends(align(bare, talk(FERRY)), bare, talk(FERRY)) is None
    assert compare(Said(bare), Said(talk(FERRY))).measures.capitals is None


def test_a_term_counts_as_the_glossary_writes_it_and_near_its_place() -> None:
    truth = talk("We sold LoomSafe and Tarn Hook. They bought LoomSafe's hooks, for a year and a day.")
    wanted = ("LoomSafe", "Tarn Hook", "Velm")

    def found(text: str) -> Agreement | None:
        return terms(align(truth, talk(text)), truth, talk(text), wanted)

    assert found(" ".join(word.text for word in truth)) == Agreement(3, 0, 0)
    assert found("We sold Loomsafe and Tarn. They bought LoomSafe hooks, for a year and a Velm.") == Agreement(
        1, 1, 2
    )
    assert terms(align(truth, truth), truth, truth, ("Velm",)) is None
    assert terms(align(truth, truth), truth, truth, ("", "…")) is None


def test_a_tag_of_overlap_is_right_where_two_true_voices_share_half_the_word() -> None:
    speech = (VoiceTurn(0.0, 2.0, "ada"), VoiceTurn(0.7, 1.3, "bo"))
    words = [replace(word, is_overlapped=n in (1, 3)) for n, word in enumerate(talk("who rows the ferry"))]

    assert talk_at_once(words, speech) == Agreement(right=1, extra=1, missing=1)
    assert talk_at_once(words, ()) is None
    assert talk_at_once([replace(word, start=None, end=None) for word in words], speech) is None


def test_the_tags_of_a_document_come_into_the_comparison() -> None:
    words = (Word("who", 0.0, 0.5), Word("rows", 0.5, 1.0, tags=(WordTag.OVERLAP,)))
    document = Transcript(Episode("e"), turns=(Turn("t1", "S1", (Paragraph("p1", "who rows", words=words),)),))

    assert [word.is_overlapped for word in said_in_document(document).words] == [False, True]
