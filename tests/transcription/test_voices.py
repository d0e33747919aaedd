"""Words to voices: most overlap, then boundaries where people change."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.transcript import Word, WordTag
from transcription.ports import VoiceTurn
from transcription.turns import build_turns
from transcription.voices import VoicedWord, assign_voices, mark_overlap, overlap_spans, smooth_voices


def said(text: str, *, start: float = 0.0, step: float = 0.4) -> list[Word]:
    """Words of equal length that touch; a bar makes a second of silence."""
    words: list[Word] = []
    for part in text.split():
        if part == "|":
            start += 1.0
            continue
        words.append(Word(part, round(start, 3), round(start + step, 3)))
        start += step
    return words


def voices_of(voiced: tuple[VoicedWord, ...]) -> str:
    return "".join(each.voice or "-" for each in voiced)


def with_voices(text: str, voices: str) -> list[VoicedWord]:
    return [VoicedWord(word, None if voice == "-" else voice) for word, voice in zip(said(text), voices, strict=True)]


def test_a_word_goes_to_the_voice_that_covers_most_of_it() -> None:
    words = [Word("lantern", 1.0, 2.0)]

    voiced = assign_voices(words, [VoiceTurn(0.0, 1.4, "a"), VoiceTurn(1.4, 3.0, "b")])

    assert voices_of(voiced) == "b"


def test_several_turns_of_one_voice_count_together() -> None:
    turns = [VoiceTurn(1.0, 1.3, "a"), VoiceTurn(1.3, 1.7, "b"), VoiceTurn(1.7, 2.0, "a")]

    assert voices_of(assign_voices([Word("lantern", 1.0, 2.0)], turns)) == "a"


def test_a_tie_goes_to_the_alphabetically_first_voice() -> None:
    turns = [VoiceTurn(1.5, 2.0, "a"), VoiceTurn(1.0, 1.5, "b")]

    assert voices_of(assign_voices([Word("lantern", 1.0, 2.0)], turns)) == "a"


def test_a_word_just_outside_takes_the_nearest_voice_and_one_far_away_takes_none() -> None:
    turns = [VoiceTurn(0.0, 1.0, "a"), VoiceTurn(5.0, 6.0, "b")]

    voiced = assign_voices([Word("near", 1.2, 1.6), Word("far", 2.6, 3.0), Word("soon", 4.4, 4.7)], turns)

    assert voices_of(voiced) == "a-b"


def test_a_long_turn_that_ended_seconds_before_does_not_reach_the_word() -> None:
    turns = [VoiceTurn(3.0, 8.0, "a"), VoiceTurn(40.0, 70.0, "b")]

    assert voices_of(assign_voices([Word("thunder", 25.0, 25.4)], turns)) == "-"


def test_a_word_stretched_back_over_silence_belongs_to_the_voice_at_its_end() -> None:
    turns = [VoiceTurn(0.0, 2.0, "a"), VoiceTurn(4.6, 9.0, "b")]

    assert voices_of(assign_voices([Word("Right,", 1.0, 5.0)], turns)) == "b"


def test_a_long_turn_that_began_minutes_before_still_covers_the_word() -> None:
    turns = [VoiceTurn(0.0, 600.0, "a"), VoiceTurn(601.0, 602.0, "b")]

    assert voices_of(assign_voices([Word("here", 599.0, 599.5)], turns)) == "a"


def test_an_hour_of_one_voice_is_not_searched_again_for_every_later_word() -> None:
    looked_at = 0

    class Turn:
        def __init__(self, start: float, end: float) -> None:
            self.start, self._end, self.voice = start, end, "a"

        @property
        def end(self) -> float:
            nonlocal looked_at
            looked_at += 1
            return self._end

    turns: list[Any] = [Turn(0.0, 400.0), *(Turn(400.0 + number, 400.9 + number) for number in range(400))]
    words = [Word("boat", 400.1 + number, 400.5 + number) for number in range(400)]

    assert all(each.voice == "a" for each in assign_voices(words, turns))
    assert looked_at < 20 * len(words)


def test_a_boundary_a_word_or_two_beside_a_sentence_end_moves_to_it() -> None:
    late = with_voices("We like the harbour. And what do you paint there?", "aaaaaabbbb")
    early = with_voices("We like the harbour. And what do you paint there?", "aabbbbbbbb")

    assert voices_of(smooth_voices(late)) == "aaaabbbbbb"
    assert voices_of(smooth_voices(early)) == "aaaabbbbbb"


def test_a_boundary_moves_to_a_pause_where_no_sentence_ends() -> None:
    voiced = with_voices("we like the harbour | and what do you paint", "aaaaabbbb")

    assert voices_of(smooth_voices(voiced)) == "aaaabbbbb"


def test_a_boundary_far_from_any_stop_stays() -> None:
    voiced = with_voices("we like the harbour and then what do you all paint there", "aaaaaabbbbbb")

    assert voices_of(smooth_voices(voiced)) == "aaaaaabbbbbb"


def test_a_moved_boundary_never_swallows_a_whole_turn() -> None:
    voiced = with_voices("We sail at dawn. No we sleep. Then we row.", "aaabbbbaaa")

    smooth = voices_of(smooth_voices(voiced))

    assert smooth == "aaaabbbaaa"
    assert voices_of(smooth_voices(with_voices("We sail. Oh we row all day.", "aabcccc"))) == "aabcccc"


def test_two_boundaries_that_want_the_same_sentence_end_leave_the_turn_between_them_a_word() -> None:
    voiced = with_voices("we like it right. And what now", "aaabbcc")

    assert voices_of(smooth_voices(voiced)) == "aaaabcc"


def test_one_or_two_words_inside_another_voices_sentence_go_to_it() -> None:
    voiced = with_voices("the boats were all painted red that year", "aaabbaaa")

    assert voices_of(smooth_voices(voiced)) == "aaaaaaaa"


def test_a_short_answer_set_off_by_a_pause_or_a_sentence_end_stays() -> None:
    by_pause = with_voices("the boats were | yes | all painted red", "aaabaaa")
    by_sentence = with_voices("The boats were red. Yes. All of them were.", "aaaabaaaa")

    assert voices_of(smooth_voices(by_pause)) == "aaabaaa"
    assert voices_of(smooth_voices(by_sentence)) == "aaaabaaaa"


def test_of_two_short_runs_side_by_side_the_less_probable_is_the_island() -> None:
    voiced = with_voices("and thanks to Ines and Texas comes next", "aaababbb")
    turns = [
        VoiceTurn(0.0, 1.2, "a"),
        VoiceTurn(1.2, 1.75, "b"),
        VoiceTurn(1.75, 1.95, "a"),
        VoiceTurn(1.95, 3.2, "b"),
    ]

    assert voices_of(smooth_voices(voiced, turns=turns, snap=False)) == "aaabbbbb"


def test_three_words_of_another_voice_are_no_island() -> None:
    voiced = with_voices("the boats were oh how lovely painted red that year", "aaabbbaaaa")

    assert voices_of(smooth_voices(voiced)) == "aaabbbaaaa"


def test_words_while_two_voices_speak_are_marked() -> None:
    turns = [VoiceTurn(0.0, 1.0, "a"), VoiceTurn(0.7, 2.0, "b")]

    marked = mark_overlap([Word("one", 0.0, 0.5), Word("two", 0.6, 1.0), Word("three", 1.1, 1.5)], turns)

    assert [word.tags for word in marked] == [(), (WordTag.OVERLAP,), ()]


def test_overlap_counts_different_voices_only() -> None:
    turns = [VoiceTurn(0.0, 2.0, "a"), VoiceTurn(1.0, 3.0, "a"), VoiceTurn(2.5, 4.0, "b"), VoiceTurn(4.0, 5.0, "c")]

    assert overlap_spans(turns) == ((2.5, 3.0),)


def test_unassigned_words_join_the_voice_around_or_near_them_else_stand_alone() -> None:
    inside = build_turns(with_voices("we like the harbour", "a--a"))
    beside = build_turns(with_voices("we like the harbour", "aa-b"))
    alone = build_turns(with_voices("we like | | the harbour | | is calm", "aa--bb"))

    assert [(turn.speaker, len(turn.words)) for turn in inside] == [("S1", 4)]
    assert [(turn.speaker, len(turn.words)) for turn in beside] == [("S1", 3), ("S2", 1)]
    assert [(turn.speaker, len(turn.words)) for turn in alone] == [("S1", 2), (None, 2), ("S2", 2)]


def test_speakers_are_numbered_by_first_appearance_whatever_the_voices_are_called() -> None:
    turns = build_turns(with_voices("we like the harbour", "zazb"))

    assert [(turn.speaker, turn.voice) for turn in turns] == [("S1", "z"), ("S2", "a"), ("S1", "z"), ("S3", "b")]


texts = st.sampled_from(["boat", "Boat.", "and", "well,", "Who?", "um", "U.K.", "Dr."])


@st.composite
def recordings(draw: st.DrawFn) -> tuple[list[Word], list[VoiceTurn]]:
    words: list[Word] = []
    moment = 0.0
    for text in draw(st.lists(texts, max_size=30)):
        moment += draw(st.sampled_from([0.0, 0.0, 0.1, 0.4, 2.0]))
        end = moment + draw(st.sampled_from([0.0, 0.2, 0.5, 3.0]))
        words.append(Word(f"{text}", round(moment, 3), round(end, 3)))
        moment = end
    turns = []
    for start in draw(st.lists(st.floats(0, max(moment, 1.0)), max_size=8)):
        turns.append(VoiceTurn(start, start + draw(st.floats(0.1, 5.0)), draw(st.sampled_from("abc"))))
    return words, turns


@settings(max_examples=80, deadline=None)
@given(recordings())
def test_giving_words_to_voices_loses_doubles_and_moves_none(recording: tuple[list[Word], list[VoiceTurn]]) -> None:
    words, turns = recording

    voiced = smooth_voices(assign_voices(words, turns), sentence_ends=[words[0].end or 0.0] if words else [])

    assert [each.word for each in voiced] == words
    assert [word for turn in build_turns(voiced) for word in turn.words] == words


def simply_assigned(words: list[Word], turns: list[VoiceTurn]) -> list[str | None]:
    """Every word held against every turn."""
    found: list[str | None] = []
    for word in words:
        if word.start is None or word.end is None:
            found.append(found[-1] if found else None)
            continue
        start, end = max(word.start, word.end - 1.0), word.end
        covered = {
            voice: round(sum(max(0.0, min(end, t.end) - max(start, t.start)) for t in turns if t.voice == voice), 6)
            for voice in {turn.voice for turn in turns}
        }
        if any(covered.values()):
            found.append(min(covered, key=lambda voice: (-covered[voice], voice)))
            continue
        gaps = [(round(max(turn.start - end, start - turn.end, 0.0), 6), turn.voice) for turn in turns]
        gap, voice = min(gaps, default=(1.0, ""))
        found.append(voice if gap <= 0.5 else None)
    return found


@settings(max_examples=100, deadline=None)
@given(recordings(), st.randoms(use_true_random=False))
def test_words_in_any_order_get_the_voice_of_a_search_through_all_turns(
    recording: tuple[list[Word], list[VoiceTurn]], random: Random
) -> None:
    words, turns = recording
    words = [replace(word, start=None, end=None) if random.random() < 0.1 else word for word in words]
    random.shuffle(words)
    turns = [VoiceTurn(round(turn.start, 2), round(turn.end, 2), turn.voice) for turn in turns]

    assert [each.voice for each in assign_voices(words, turns)] == simply_assigned(words, turns)


@settings(max_examples=100, deadline=None)
@given(recordings())
def test_smoothing_brings_in_no_voice_that_no_neighbour_had(recording: tuple[list[Word], list[VoiceTurn]]) -> None:
    words, turns = recording
    assigned = assign_voices(words, turns)

    smooth = smooth_voices(assigned)

    assert {each.voice for each in smooth} <= {each.voice for each in assigned}


@settings(max_examples=100, deadline=None)
@given(st.lists(texts, min_size=1, max_size=30), st.data())
def test_every_turn_keeps_a_word_that_it_had(said_texts: list[str], data: st.DataObject) -> None:
    new_voice = data.draw(st.lists(st.booleans(), min_size=len(said_texts), max_size=len(said_texts)))
    voices = [f"voice {sum(new_voice[: place + 1])}" for place in range(len(said_texts))]
    voiced = [VoicedWord(word, voice) for word, voice in zip(said(" ".join(said_texts)), voices, strict=True)]

    smooth = smooth_voices(voiced)

    kept = {before for before, after in zip(voices, smooth, strict=True) if after.voice == before}
    assert kept == set(voices)


def judged(words: list[VoicedWord], turns: list[VoiceTurn]) -> str:
    return voices_of(smooth_voices(words, turns=turns))


def test_a_word_that_pauses_set_off_goes_to_the_voice_around_it_where_that_one_speaks_too() -> None:
    words = [
        VoicedWord(word, voice) for word, voice in zip(said("we like | the | harbour most"), "aabaa", strict=True)
    ]
    both = [VoiceTurn(0.0, 4.0, "a"), VoiceTurn(1.8, 2.2, "b")]
    alone = [VoiceTurn(0.0, 0.8, "a"), VoiceTurn(1.6, 2.4, "b"), VoiceTurn(3.2, 4.0, "a")]

    assert judged(words, both) == "aaaaa"
    assert judged(words, alone) == "aabaa"


def test_a_listeners_word_keeps_its_voice_where_pauses_set_it_off() -> None:
    words = [VoicedWord(word, v) for word, v in zip(said("we like | Mm-hm. | the harbour"), "aabaa", strict=True)]

    assert judged(words, [VoiceTurn(0.0, 4.0, "a"), VoiceTurn(1.8, 2.2, "b")]) == "aabaa"


def test_a_listeners_word_in_the_flow_keeps_its_voice_only_where_that_voice_alone_speaks() -> None:
    words = with_voices("we like yeah the harbour", "aabaa")
    alone = [VoiceTurn(0.0, 0.7, "a"), VoiceTurn(0.7, 1.3, "b"), VoiceTurn(1.3, 2.0, "a")]
    both = [VoiceTurn(0.0, 2.0, "a"), VoiceTurn(0.7, 1.3, "b")]

    assert judged(words, alone) == "aabaa"
    assert judged(words, both) == "aaaaa"


def test_any_other_word_in_the_flow_goes_to_the_voice_around_it() -> None:
    alone = [VoiceTurn(0.0, 0.7, "a"), VoiceTurn(0.7, 1.3, "b"), VoiceTurn(1.3, 2.0, "a")]

    assert judged(with_voices("we like our old harbour", "aabaa"), alone) == "aaaaa"


def test_a_sentence_of_one_word_is_no_island_whoever_else_speaks() -> None:
    words = [VoicedWord(word, v) for word, v in zip(said("We row. | Never. | We sing."), "aabaa", strict=True)]

    assert judged(words, [VoiceTurn(0.0, 4.0, "a"), VoiceTurn(1.8, 2.2, "b")]) == "aabaa"


def test_each_part_of_smoothing_can_be_left_out() -> None:
    late = with_voices("We like the harbour. And what do you paint there?", "aaaaaabbbb")
    island = with_voices("we like our old harbour", "aabaa")

    assert voices_of(smooth_voices(late, snap=False)) == "aaaaaabbbb"
    assert voices_of(smooth_voices(island, islands=False, snap=False)) == "aabaa"
    assert voices_of(smooth_voices(island, snap=False)) == "aaaaa"
