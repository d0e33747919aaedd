"""The figures of a whole run, with engines whose every word is known, and the page they are written into."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from adapters.memory import MemoryStore
from evaluation.figures import GOALS, Figures, compare, main, report, table
from evaluation.measures import NameScore
from evaluation.truth import Recording, Truth, Utterance
from schemas.episode import Episode
from schemas.job import JobOptions
from schemas.transcript import Provenance, Word
from schemas.wire import write_json
from transcription.assemble import assemble
from transcription.ports import Diarization, Recognition, Span, VoiceTurn

GOOD = Figures("demo", 120.0, 0.031, 0.05, 0.02, 3, 3, 0.04, 0.0, 0.012, NameScore(3, 0, 0), 0.15, 1_500_000_000)


def test_figures_compare_the_document_with_the_truth() -> None:
    said = (Utterance(0.0, 1.6, "ada", "who rows the ferry"), Utterance(1.6, 2.8, "bo", "my aunt does"))
    voices = (VoiceTurn(0.0, 1.6, "ada"), VoiceTurn(1.6, 2.8, "bo"))
    words = [
        Word(text, i * 0.4, i * 0.4 + 0.4, 0.9)
        for i, text in enumerate(["Who", "rows", "the", "ferry?", "My", "aunt", "does."])
    ]
    heard = Recognition(Span(0.0, 3.0), tuple(words), "en", 0.99, 2.8, (Span(0.0, 2.8),))
    turns = (VoiceTurn(0.0, 2.0, "voice 1"), VoiceTurn(2.0, 2.8, "voice 2"))
    diarization = Diarization(turns, turns)
    checkpoints = MemoryStore()
    checkpoints.put("checkpoints/abc/recognize-f/1/000-003.json", write_json(heard))
    checkpoints.put("checkpoints/abc/diarize-f/1/voices.json", write_json(diarization))
    document = assemble(
        episode=Episode(id="ferry"),
        recognitions=[heard],
        diarization=diarization,
        options=JobOptions(),
        audio_seconds=3.0,
        truncated=False,
        warnings=(),
        provenance=Provenance("test", "2026-03-14T09:00:00+00:00"),
    )
    recording = Recording("ferry", "ferry", Path("ferry.wav"), Truth(said, voices), Episode(id="ferry"))

    figures = compare(recording, document, checkpoints, clock_seconds=0.6, peak_bytes=None)

    assert figures.wer == 0.0
    assert figures.der is not None
    assert round(figures.der, 4) == round(0.4 / 2.8, 4)
    assert (figures.voices, figures.true_voices) == (2, 2)
    assert (figures.wder, figures.cpwer) == (0.0, 0.0)
    assert figures.wder_unsmoothed is not None
    assert round(figures.wder_unsmoothed, 4) == round(1 / 7, 4)
    assert round(figures.real_time_factor, 6) == 0.2
    assert figures.names is None


def test_a_missed_goal_is_bold_and_a_reached_one_is_not() -> None:
    assert "| 3.1 % (≤ 5.0) |" in table([GOOD])
    assert "| **6.2 %** (goal 5.0) |" in table([replace(GOOD, wer=0.062)])
    assert "| **2 / 3** |" in table([replace(GOOD, voices=2)])


def test_every_row_has_as_many_cells_as_the_head() -> None:
    bare = Figures("jfk", 11.0, 0.0, None, None, 1, None, None, None, None, None, 0.3, None)

    lines = table([GOOD, bare]).splitlines()

    assert {line.count("|") for line in lines} == {12}


def test_goals_are_shares() -> None:
    for goal in GOALS.values():
        assert all(share is None or 0 < share < 1 for share in (goal.wer, goal.der, goal.der_collar))


def test_a_report_says_where_when_and_how_it_was_measured() -> None:
    text = report(
        [GOOD], models="starter", command="python -m evaluation.figures", today="2026-03-14", where="a lathe"
    )

    assert "2026-03-14" in text
    assert "`python -m evaluation.figures`" in text
    assert "a lathe" in text


def test_an_unknown_recording_is_an_error_that_names_it(capsys: object) -> None:
    assert main(["--only", "conv-nine"]) == 1
    assert "conv-nine" in capsys.readouterr().err  # type: ignore[attr-defined]
