"""Made-up trouble: seeded, only where it is meant to be, and nothing of it kept."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from random import Random

from adapters.memory import MemoryStore
from evaluation.alignment import Agreement
from evaluation.comparison import Measures, compare
from evaluation.perturbed import TROUBLES, Disturbed, Trial, table
from evaluation.said import Said, SaidWord
from evaluation.trouble import ISLAND_SECONDS, PHANTOM_SECONDS, Phantom, handed, with_islands, without_marks
from schemas.episode import AudioInfo, Episode
from schemas.transcript import Paragraph, Speaker, Transcript, Turn, Word
from schemas.wire import read_json, write_json
from transcription.phantoms import absorb_phantoms
from transcription.ports import Diarization, Passage, Recognition, Span, VoiceTurn

TURNS = tuple(VoiceTurn(10.0 * n, 10.0 * n + 9.0, f"voice {1 + n % 2}") for n in range(12))
HEARD = Diarization(TURNS, TURNS, {"voice 1": (3.0, 4.0, 0.0), "voice 2": (0.0, 0.0, 1.0)})
TEXTS = ["We", "sold", "the", "old", "Tarn", "ferry", "to", "my", "aunt", "in", "spring", "and", "she", "rows", "it."]


def words(start: float) -> tuple[Word, ...]:
    return tuple(Word(text, start + n / 2, start + n / 2 + 0.5) for n, text in enumerate(TEXTS))


DOCUMENT = Transcript(
    Episode("ferry", audio=AudioInfo(duration=120.0)),
    speakers=(Speaker("S1", voice="voice 1"), Speaker("S2", voice="voice 2")),
    turns=tuple(
        Turn(f"t{n}", f"S{1 + n % 2}", (Paragraph("p", "", words=words(turn.start)),)) for n, turn in enumerate(TURNS)
    ),
)
PASSAGES = tuple(Passage(Span(9.0 * n, 9.0 * n + 9.0), words(9.0 * n)) for n in range(6))
WINDOW = Recognition(Span(0.0, 54.0), (), "en", 1.0, 50.0, passages=PASSAGES)


def voice_at(moment: float, turns: tuple[VoiceTurn, ...]) -> set[str]:
    return {turn.voice for turn in turns if turn.start <= moment < turn.end}


def changed(one: tuple[VoiceTurn, ...], other: tuple[VoiceTurn, ...]) -> list[int]:
    """The milliseconds at which other voices speak."""
    return [ms for ms in range(120_000) if voice_at(ms / 1000, one) != voice_at(ms / 1000, other)]


def test_a_phantom_takes_stretches_of_one_voice_and_sounds_as_much_like_it_as_asked() -> None:
    disturbed = Phantom(3, (0.9, 0.9))(HEARD, DOCUMENT, Random(1))

    new = [turn for turn in disturbed.exclusive if turn.voice == "voice 3"]
    assert len(new) == 3
    assert all(PHANTOM_SECONDS[0] - 0.002 <= turn.end - turn.start <= PHANTOM_SECONDS[1] + 0.002 for turn in new)
    assert len({voice for turn in new for voice in voice_at(turn.start, TURNS)}) == 1
    assert len(changed(TURNS, disturbed.exclusive)) == sum(round(1000 * (turn.end - turn.start)) for turn in new)
    assert disturbed.turns == disturbed.exclusive
    absorbed = absorb_phantoms(
        replace(disturbed, turns=tuple(turn for turn in disturbed.turns if turn not in new[1:]))
    )
    assert [each.similarity for each in absorbed.absorbed] == [0.9]


def test_islands_lie_inside_the_sentences_of_another_voice_and_nothing_else_changes() -> None:
    disturbed = with_islands(HEARD, DOCUMENT, Random(1))

    new = sorted(set(disturbed.exclusive) - set(TURNS), key=lambda turn: turn.start)
    islands = [turn for turn in new if turn.end - turn.start <= ISLAND_SECONDS[1] + 0.002]
    assert len(islands) == 4
    assert all(voice_at(turn.start, TURNS) == {"voice 1", "voice 2"} - {turn.voice} for turn in islands)
    assert len(changed(TURNS, disturbed.exclusive)) == sum(round(1000 * (turn.end - turn.start)) for turn in islands)
    assert all(one.end <= other.start for one, other in pairwise(disturbed.exclusive))
    assert all(0.7 <= turn.start % 10.0 <= 7.0 for turn in islands)
    assert all(turn.voice in voice_at(turn.start, disturbed.turns) for turn in islands)


def test_where_two_speak_at_once_nothing_is_disturbed() -> None:
    at_once = (*TURNS, VoiceTurn(0.0, 85.0, "voice 1"), VoiceTurn(0.0, 85.0, "voice 2"))
    heard = replace(HEARD, turns=at_once)

    for disturb in (Phantom(1, (0.9, 0.9)), with_islands):
        disturbed = disturb(heard, DOCUMENT, Random(1))  # type: ignore[operator]
        places = changed(TURNS, disturbed.exclusive)
        assert min(places) >= 85_000
        assert set(changed(at_once, disturbed.turns)) == set(places)


def test_one_voice_alone_has_no_islands() -> None:
    alone = replace(HEARD, exclusive=tuple(replace(turn, voice="voice 1") for turn in TURNS))

    assert with_islands(alone, DOCUMENT, Random(1)) == alone


def test_a_stretch_that_is_handed_over_cuts_what_it_lies_in_and_leaves_the_rest() -> None:
    turns = (VoiceTurn(0.0, 4.0, "a"), VoiceTurn(4.0, 5.0, "b"), VoiceTurn(5.0, 9.0, "a"))

    assert handed(turns, Span(3.0, 6.0), "c") == (
        VoiceTurn(0.0, 3.0, "a"),
        VoiceTurn(3.0, 6.0, "c"),
        VoiceTurn(6.0, 9.0, "a"),
    )


def test_a_third_of_the_passages_in_a_row_loses_marks_and_capitals_and_nothing_else() -> None:
    disturbed = without_marks(WINDOW, DOCUMENT, Random(1))

    bare = [n for n, (one, other) in enumerate(zip(PASSAGES, disturbed.passages, strict=True)) if one != other]
    assert bare == [bare[0], bare[0] + 1]
    for n in bare:
        assert " ".join(each.text for each in disturbed.passages[n].words) == " ".join(TEXTS).lower().rstrip(".")
        again = tuple(replace(each, text=text) for each, text in zip(disturbed.passages[n].words, TEXTS, strict=True))
        assert replace(disturbed.passages[n], words=again) == PASSAGES[n]


def test_the_same_seed_gives_the_same_trouble_and_another_seed_another() -> None:
    for heard, disturb in ((HEARD, Phantom(1, (0.7, 0.9))), (HEARD, with_islands), (WINDOW, without_marks)):
        once, again, other = (disturb(heard, DOCUMENT, Random(seed)) for seed in (1, 1, 7))  # type: ignore[operator]
        assert once == again != other


def test_a_disturbed_store_gives_one_engines_work_disturbed_and_keeps_what_was_heard() -> None:
    store = MemoryStore()
    kept = {
        "checkpoints/a/diarize-b/c/voices.json": write_json(HEARD),
        "checkpoints/a/recognize-b/c/000000000-000054000.json": write_json(WINDOW),
        "checkpoints/a/recognize-b/c/000000000-000054000/000009000-000018000-en-flawed.json": write_json(WINDOW),
    }
    for key, content in kept.items():
        store.put(key, content)
    by_step = {each.step: each for each in TROUBLES}

    for step, place in (("islands", 0), ("repair", 1)):
        disturbed = Disturbed(store, by_step[step], "ferry", DOCUMENT)
        given = {key: disturbed.get(key) for key in kept}
        key = list(kept)[place]
        assert disturbed.changed == [each for each in kept if given[each] != kept[each]] == [key]
        assert read_json(by_step[step].heard, given[key] or b"") == read_json(
            by_step[step].heard, disturbed.get(key) or b""
        )
    assert {key: store.get(key) for key in kept} == kept


def test_the_table_counts_what_is_better_with_the_step_by_what_it_is_for() -> None:
    said = tuple(SaidWord(text, "ada", n, n + 1.0, 0, 0) for n, text in enumerate(TEXTS))
    perfect: Measures = compare(Said(said), Said(said, seconds=15.0)).measures

    def trial(*figures: tuple[float, Agreement]) -> Trial:
        sides = [replace(perfect, wder=wder, cpwer=wder, sentences=marks) for wder, marks in figures]
        return Trial("ferry", sides[2], sides[0], sides[1])

    tried = [
        trial((0.2, Agreement(0, 0, 10)), (0.1, Agreement(6, 2, 4)), (0.0, Agreement(10, 0, 0))),
        trial((0.2, Agreement(10, 0, 0)), (0.3, Agreement(8, 2, 2)), (0.0, Agreement(10, 0, 0))),
    ]
    islands, repair = (next(each for each in TROUBLES if each.step == step) for step in ("islands", "repair"))
    page = table([(each, one) for each in (islands, repair) for one in tried])

    assert f"| islands | {islands.what} | 2 | WDER | 20.0 % | 20.0 % | 0.0 % | 1, 1 |" in page
    assert f"| repair | {repair.what} | 2 | sentences F1 | 66.7 % | 73.7 % | 100.0 % | 1, 1 |" in page
