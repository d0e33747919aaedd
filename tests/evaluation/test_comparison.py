"""Every measure of a comparison, on talk small enough to count by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evaluation.alignment import Fate, align, coverage, invented, paragraph_boundaries
from evaluation.comparison import compare
from evaluation.measures import NameScore, character_error_rate, jaccard_error_rate
from evaluation.said import Said, SaidWord, Stretch, said_in_document, said_in_truth, spread_times
from evaluation.timed import time_constrained_error_rate
from evaluation.truth import Truth, Utterance
from schemas.episode import AudioInfo, Episode
from schemas.transcript import Paragraph, Speaker, Transcript, Turn, Word
from transcription.ports import VoiceTurn


def talk(*lines: tuple[str, str], second: float = 0.5) -> tuple[SaidWord, ...]:
    """Words of (speaker, text) pairs, half a second each, without pauses; `|` begins a paragraph."""
    words: list[SaidWord] = []
    for number, (speaker, text) in enumerate(lines):
        for place, paragraph in enumerate(text.split("|")):
            for word in paragraph.split():
                start = len(words) * second
                words.append(SaidWord(word, speaker, start, start + second, number, place))
    return tuple(words)


def timeless(words: tuple[SaidWord, ...]) -> tuple[SaidWord, ...]:
    return tuple(replace(word, start=None, end=None) for word in words)


FERRY = (("ada", "who rows the ferry today"), ("bram", "my aunt does and she sings"))


# ---------------------------------------------------------------- the two sides


def test_a_document_gives_every_word_with_its_place() -> None:
    words = (Word("Um,", 0.0, 0.3), Word("who", 0.4, 0.6), Word("rows?", 0.6, 1.0))
    paragraphs = (Paragraph("p1", "Who", words=words[:2]), Paragraph("p2", "rows?", words=words[2:]))
    document = Transcript(
        Episode("e", audio=AudioInfo(duration=9.0)), (Speaker("S1", name="Ada"),), (Turn("t1", "S1", paragraphs),)
    )

    said = said_in_document(document)

    assert [(word.text, word.paragraph) for word in said.words] == [("Um,", 0), ("who", 0), ("rows?", 1)]
    assert said.names == (("S1", "Ada"),)
    assert said.seconds == 9.0
    assert said.voices == (VoiceTurn(0.0, 0.6, "S1"), VoiceTurn(0.6, 1.0, "S1"))


def test_a_page_without_times_gives_words_without_times() -> None:
    document = Transcript(Episode("e"), turns=(Turn("t1", None, (Paragraph("p1", "Who rows?"),)),))

    said = said_in_document(document)

    assert [word.text for word in said.words] == ["Who", "rows?"]
    assert not said.is_timed
    assert (said.voices, said.seconds, said.speakers) == ((), None, ())


def test_the_words_of_an_utterance_share_its_time_by_their_length() -> None:
    assert spread_times(["a", "bcd"], 1.0, 3.0) == [(1.0, 1.5), (1.5, 3.0)]


def test_a_truth_has_turns_where_the_speaker_changes_and_the_paragraphs_it_names() -> None:
    utterances = (
        Utterance(0.0, 1.0, "ada", "who rows"),
        Utterance(1.5, 2.0, "ada", "today", begins_paragraph=True),
        Utterance(2.0, 3.0, "bo", "me"),
    )

    said = said_in_truth(Truth(utterances))

    assert [(word.text, word.turn, word.paragraph) for word in said.words] == [
        ("who", 0, 0),
        ("rows", 0, 0),
        ("today", 0, 1),
        ("me", 1, 0),
    ]


def test_a_pause_of_more_than_half_a_second_parts_two_stretches() -> None:
    words = (
        SaidWord("who", "ada", 0.0, 0.4, 0, 0),
        SaidWord("rows", "ada", 0.9, 1.2, 0, 0),
        SaidWord("today", "ada", 1.8, 2.0, 0, 0),
    )

    assert Said(words).stretches() == (Stretch("ada", "who rows", 0.0, 1.2), Stretch("ada", "today", 1.8, 2.0))


# ---------------------------------------------------------------- words


def test_characters_wrong_are_counted_with_the_spaces_between() -> None:
    assert character_error_rate("we row", "we rod") == pytest.approx(1 / 6)
    assert character_error_rate("we row", "") == 1.0
    assert character_error_rate("", "we row") is None


def test_every_word_has_a_fate() -> None:
    pairs = align(talk(("ada", "who rows the ferry and sings")), talk(("S1", "who sails ferry and sings now")))

    assert [pair.fate for pair in pairs] == [
        Fate.SAME,
        Fate.OTHER,
        Fate.MISSING,
        Fate.SAME,
        Fate.SAME,
        Fate.SAME,
        Fate.EXTRA,
    ]


def test_words_that_two_people_say_at_once_are_moved_not_lost() -> None:
    truth = talk(("ada", "who rows the ferry"), ("bo", "yes indeed"), second=0.2)
    heard = talk(("S2", "yes indeed"), ("S1", "who rows the ferry"), second=0.2)

    pairs = align(truth, heard)

    assert {pair.fate for pair in pairs} == {Fate.SAME, Fate.MOVED}
    assert coverage(pairs) == 1.0
    assert invented(pairs, heard, ()) == ()


def test_like_words_far_apart_are_not_the_same_word() -> None:
    truth = talk(("ada", "yes who rows the ferry"), second=3.0)
    heard = talk(("S1", "who rows the ferry yes"), second=3.0)

    assert {pair.fate for pair in align(truth, heard)} == {Fate.SAME, Fate.MISSING, Fate.EXTRA}


def test_coverage_counts_misheard_words_and_not_missing_ones() -> None:
    pairs = align(talk(("ada", "who rows the ferry today")), talk(("S1", "who sails the ferry")))

    assert coverage(pairs) == pytest.approx(4 / 5)


def test_words_where_nobody_speaks_are_invented_and_one_word_too_many_is_not() -> None:
    truth = talk(("ada", "who rows the ferry"))
    extra = SaidWord("thanks", "S1", 9.0, 9.4, 0, 0)
    heard = (*truth[:2], SaidWord("all", "S1", 0.9, 1.0, 0, 0), *truth[2:], extra)

    found = invented(align(truth, heard), heard, [VoiceTurn(0.0, 2.0, "ada")])

    assert [heard[j].text for j in found] == ["thanks"]


def test_five_words_too_many_in_a_row_are_invented_wherever_they_stand() -> None:
    truth = talk(("ada", "who rows the ferry"))
    loop = talk(("S1", "who rows la la la la la the ferry"))

    assert len(invented(align(truth, loop), loop, [VoiceTurn(0.0, 9.0, "ada")])) == 5
    four = talk(("S1", "who rows la la la la the ferry"))
    assert invented(align(truth, four), four, [VoiceTurn(0.0, 9.0, "ada")]) == ()


def test_invented_words_are_given_for_an_hour() -> None:
    truth = Said(talk(("ada", "who rows")), voices=(VoiceTurn(0.0, 1.0, "ada"),))
    heard = Said((*truth.words, SaidWord("thanks", "S1", 50.0, 50.4, 0, 0)), seconds=120.0)

    assert compare(truth, heard).measures.invented_per_hour == pytest.approx(30.0)


def test_where_only_the_voices_are_known_no_word_counts_as_invented() -> None:
    heard = Said(talk(("S1", "thank you all for watching this")), seconds=60.0)
    only_voices = Said((), voices=(VoiceTurn(0.0, 9.0, "ada"),))

    assert compare(only_voices, heard).measures.invented_per_hour is None
    assert compare(only_voices, heard).measures.invented_words == 0


# ---------------------------------------------------------------- paragraphs


def test_a_paragraph_counts_where_it_begins_within_two_words() -> None:
    truth = talk(("ada", "one two three four | five six seven eight | nine ten"))
    heard = talk(("S1", "one two three four five six | seven eight nine ten"))

    found = paragraph_boundaries(align(truth, heard), truth, heard)

    assert (found.right, found.extra, found.missing) == (1, 0, 1)
    assert found.f1 == pytest.approx(2 / 3)


def test_a_paragraph_three_words_late_is_wrong_twice() -> None:
    truth = talk(("ada", "one two three | four five six seven eight nine"))
    heard = talk(("S1", "one two three four five six | seven eight nine"))

    found = paragraph_boundaries(align(truth, heard), truth, heard)

    assert (found.right, found.extra, found.missing) == (0, 1, 1)


def test_a_new_speaker_is_no_paragraph_inside_a_turn() -> None:
    words = talk(("ada", "one two"), ("bo", "three four"))

    assert paragraph_boundaries(align(words, words), words, words).f1 is None


# ---------------------------------------------------------------- voices and time


def test_a_speaker_who_says_little_counts_as_much_in_jer() -> None:
    truth = [VoiceTurn(0.0, 9.0, "a"), VoiceTurn(9.0, 10.0, "b")]

    # a: 9 of 10 seconds shared, b: nothing; the mean of 0.1 and 1.
    assert jaccard_error_rate(truth, [VoiceTurn(0.0, 10.0, "voice 1")]) == pytest.approx(0.55)
    assert jaccard_error_rate([], []) is None


def test_a_word_six_seconds_late_is_missing_and_too_many() -> None:
    truth = [Stretch("ada", "yes", 0.0, 0.4), Stretch("bo", "no", 1.0, 1.4)]
    late = [Stretch("S1", "yes", 6.0, 6.4), Stretch("S2", "no", 1.0, 1.4)]
    in_time = [replace(late[0], start=4.0, end=4.4), late[1]]

    assert time_constrained_error_rate(truth, late) == pytest.approx(2 / 2)
    assert time_constrained_error_rate(truth, in_time) == 0.0
    assert time_constrained_error_rate(truth, [replace(late[0], start=None)]) is None


def test_a_misheard_word_at_its_time_is_one_error() -> None:
    truth = [Stretch("ada", "who rows the ferry", 0.0, 2.0)]

    assert time_constrained_error_rate(truth, [Stretch("S1", "who sails the ferry", 0.0, 2.0)]) == pytest.approx(
        1 / 4
    )
    assert time_constrained_error_rate(truth, []) == 1.0


def test_words_under_the_wrong_speaker_count_in_cpwer_and_tcpwer() -> None:
    truth = Said(talk(*FERRY))
    shifted = talk(("S1", "who rows the ferry"), ("S2", "today my aunt does and she sings"))

    measures = compare(truth, Said(shifted)).measures

    assert measures.wer == 0.0
    assert measures.wder == pytest.approx(1 / 11)
    assert measures.cpwer == measures.tcpwer == pytest.approx(2 / 11)


# ---------------------------------------------------------------- the whole


def test_a_perfect_transcript_is_perfect() -> None:
    truth = said_in_truth(
        Truth(
            (Utterance(0.0, 2.0, "ada", "who rows"), Utterance(2.0, 4.0, "bo", "me")), names=(("ada", "Ada Quill"),)
        )
    )
    heard = replace(truth, names=(("ada", "Ada Quill"),), seconds=4.0)

    result = compare(truth, heard)

    assert result.measures.wer == result.measures.cer == result.measures.cpwer == result.measures.tcpwer == 0.0
    assert result.measures.wder == result.measures.der == result.measures.jer == 0.0
    assert (result.measures.coverage, result.measures.invented_words) == (1.0, 0)
    assert result.measures.names == NameScore(1, 0, 0)
    assert result.measures.speaker_count_error == 0
    assert result.notes == ("the reference has no paragraphs inside turns: no figure for them",)


def test_without_times_what_needs_them_is_missing_with_the_reason() -> None:
    truth = Said(talk(*FERRY))

    result = compare(truth, Said(timeless(talk(*FERRY))))

    assert (result.measures.tcpwer, result.measures.der, result.measures.jer) == (None, None, None)
    assert result.measures.cpwer == 0.0
    assert any("hypothesis has words without times" in note for note in result.notes)


def test_nothing_heard_is_all_wrong() -> None:
    truth = Said(talk(*FERRY), voices=(VoiceTurn(0.0, 2.5, "ada"), VoiceTurn(2.5, 5.5, "bram")))

    measures = compare(truth, Said(seconds=5.5)).measures

    assert (measures.wer, measures.coverage, measures.der) == (1.0, 0.0, 1.0)
    assert measures.speaker_count_error == -2


def test_voices_of_the_diarizer_take_the_place_of_those_of_the_words() -> None:
    truth = Said(talk(*FERRY), voices=(VoiceTurn(0.0, 2.5, "ada"), VoiceTurn(2.5, 5.5, "bram")))
    heard = Said(talk(("S1", "who rows the ferry today my aunt does and she sings")))

    measures = compare(truth, heard, found=[VoiceTurn(0.0, 2.5, "voice 1"), VoiceTurn(2.5, 5.5, "voice 2")]).measures

    assert measures.der == 0.0
    assert measures.speakers == 2
