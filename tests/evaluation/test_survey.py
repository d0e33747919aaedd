"""A survey: what it measures, what it keeps, and the page it writes."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from adapters.memory import MemoryStore
from evaluation.baseline import said_by_overlap
from evaluation.comparison import Measures, compare
from evaluation.measures import NameScore
from evaluation.outcomes import BASELINE, OURS, Outcome, OutcomeStore, method_of
from evaluation.said import NOBODY, Said, SaidWord
from evaluation.survey import Surveyor, heard_voices, main, step_systems, wanted_scripts
from evaluation.survey_page import BEGIN, END, Survey, write_into
from evaluation.truth import Recording, Truth, Utterance
from schemas.episode import Episode
from schemas.transcript import AbsorbedVoice, Quality, Transcript
from schemas.wire import write_json
from transcription.ports import Diarization, VoiceTurn
from transcription.steps import ALL_STEPS, Steps

WORDS = tuple(SaidWord(word, "ada", n, n + 1.0, 0, 0) for n, word in enumerate(["who", "rows"]))
PERFECT: Measures = compare(Said(WORDS), Said(WORDS, seconds=2.0)).measures


def outcome(recording: str = "ferry", system: str = OURS, **measures: object) -> Outcome:
    figures = replace(PERFECT, **measures)  # type: ignore[arg-type]
    return Outcome(recording, "tests", system, "starter", figures, 2.0, "m1", "2026-03-14T09:00:00+00:00", "a lathe")


def test_the_baseline_gives_each_word_to_the_voice_that_overlaps_it_most() -> None:
    turns = [VoiceTurn(0.0, 1.0, "a"), VoiceTurn(0.8, 2.0, "b"), VoiceTurn(0.9, 1.05, "a")]
    words = [("who", 0.0, 0.5), ("rows", 0.7, 1.1), ("now", 1.0, 1.4), ("thanks", 5.0, 5.2)]

    said = said_by_overlap(words, turns, 6.0)

    assert [(word.text, word.speaker, word.turn) for word in said.words] == [
        ("who", "a", 0),
        ("rows", "a", 0),
        ("now", "b", 1),
        ("thanks", NOBODY, 2),
    ]


def test_every_step_is_left_out_once_and_nothing_else() -> None:
    systems = step_systems()

    assert set(systems) == {f"without {each.name}" for each in fields(Steps)}
    for name, steps in systems.items():
        assert replace(steps, **{name.removeprefix("without "): True}) == ALL_STEPS
        assert steps != ALL_STEPS


def test_what_is_kept_is_found_again_until_its_method_changes(tmp_path: Path) -> None:
    store = OutcomeStore(tmp_path)
    kept = outcome(recording="demo, no metadata", names=NameScore(2, 0, 1))
    store.keep(kept)

    assert store.recall("starter", "demo, no metadata", OURS, method="m1") == kept
    assert store.recall("starter", "demo, no metadata", OURS, method="m2") is None
    assert store.recall("fast", "demo, no metadata", OURS, method="m1") is None
    next(tmp_path.rglob("*.json")).write_text("{")
    assert store.recall("starter", "demo, no metadata", OURS, method="m1") is None


def test_the_method_changes_with_the_source_that_makes_the_figures(tmp_path: Path) -> None:
    for name in ("schemas", "transcription", "adapters", "evaluation"):
        (tmp_path / name).mkdir()
    for name in ("whisper", "pyannote", "trunk_once"):
        (tmp_path / "adapters" / f"{name}.py").write_text("a")
    for name in ("alignment", "comparison", "measures", "said", "timed", "truth", "baseline"):
        (tmp_path / "evaluation" / f"{name}.py").write_text("a")
    before = {system: method_of(system, "starter", root=tmp_path) for system in (OURS, BASELINE)}

    (tmp_path / "transcription" / "voices.py").write_text("b")

    assert method_of(OURS, "starter", root=tmp_path) != before[OURS]
    assert method_of(BASELINE, "starter", root=tmp_path) == before[BASELINE]
    assert method_of(BASELINE, "fast", root=tmp_path) != before[BASELINE]


def test_a_finished_recording_is_not_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from adapters.settings import read_settings

    recording = Recording(
        "ferry", "tests", Path("ferry.wav"), Truth((Utterance(0.0, 1.0, "ada", "who rows"),)), Episode("e")
    )
    measured: list[str] = []

    def measure(self: Surveyor, recording: Recording, system: str, steps: Steps, method: str) -> Outcome:
        measured.append(system)
        return replace(outcome(system=system), method=method)

    monkeypatch.setattr(Surveyor, "_measure", measure)
    for _ in range(2):
        surveyor = Surveyor(read_settings({}), "starter", OutcomeStore(tmp_path), tmp_path / "checkpoints")
        surveyor.measured(recording, OURS)
        surveyor.measured(recording, BASELINE)

    assert measured == [OURS, BASELINE]


def test_voices_that_were_absorbed_count_as_the_voice_they_went_to() -> None:
    turns = (VoiceTurn(0.0, 1.0, "voice 1"), VoiceTurn(1.0, 1.2, "voice 2"))
    store = MemoryStore()
    store.put("checkpoints/a/voices.json", write_json(Diarization(turns, turns)))
    document = Transcript(Episode("e"), quality=Quality(absorbed=(AbsorbedVoice("voice 2", "voice 1", 0.2, 0.9),)))

    found = heard_voices(document, store, ["checkpoints/a/recognize.json", "checkpoints/a/voices.json"])

    assert [turn.voice for turn in found] == ["voice 1", "voice 1"]
    assert heard_voices(document, store, []) == ()


def test_the_page_has_ours_above_the_baseline_and_says_what_is_missing() -> None:
    survey = Survey(
        "starter",
        (outcome(wer=0.02), outcome(system=BASELINE, wer=0.05), outcome("demo")),
        ("ferry", "demo", "conv-two"),
        ("the synthetic episodes are left out: flite",),
    )

    page = survey.markdown()

    rows = [line for line in page.splitlines() if line.startswith(("| ferry", "|  |"))]
    assert [row.split(" | ")[1:3] for row in rows] == [["stenocast", "2.0 %"], ["baseline", "5.0 %"]]
    assert len({line.count("|") for line in page.splitlines() if line.startswith("|")}) == 1
    assert "Not measured yet, stenocast: conv-two." in page
    assert "Not measured yet, baseline: demo, conv-two." in page
    assert "The synthetic episodes are left out: flite." in page
    assert "a lathe" in page


def test_a_step_is_compared_only_where_both_figures_are_there() -> None:
    survey = Survey(
        "starter",
        (
            outcome(wder=0.01, names=NameScore(2, 0, 0)),
            outcome(system="without snap", wder=0.03, names=NameScore(2, 0, 0)),
            outcome("demo", system="without snap", wder=0.9),
        ),
        ("ferry",),
    )

    (row,) = [line for line in survey.markdown().splitlines() if line.startswith("| snap")]

    assert row == "| snap | 1 | 0.0 → 0.0 % | – | **1.0 → 3.0 %** | – | 2, 0 → 2, 0 | – |"


def test_writing_again_replaces_only_the_survey() -> None:
    page = f"# Quality\n\n{BEGIN}\nold\n{END}\n\nAfter.\n"

    assert write_into(page, "new") == page.replace("old", "new")
    assert write_into("", "new") == f"{BEGIN}\nnew\n{END}\n"


def test_only_the_episodes_that_are_asked_for_are_spoken() -> None:
    assert wanted_scripts(["telephone"]) == ()
    assert wanted_scripts(["monologue", "telephone"]) == ("monologue",)
    assert len(wanted_scripts(["sets"])) == len(wanted_scripts(())) >= 12


def test_unknown_systems_and_recordings_are_errors_that_name_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "telephone", "--systems", "theirs"]) == 2
    assert main(["--only", "conv-nine"]) == 1
    assert "conv-nine" in capsys.readouterr().err
