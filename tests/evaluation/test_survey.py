"""A survey: what it measures, what it keeps, and the page it writes."""

from __future__ import annotations

from array import array
from dataclasses import fields, replace
from pathlib import Path

import pytest

from adapters.memory import MemoryStore
from adapters.settings import read_settings
from evaluation.alignment import Agreement
from evaluation.baseline import said_by_overlap
from evaluation.comparison import Comparison, Measures, compare
from evaluation.measures import NameScore
from evaluation.outcomes import BASELINE, OURS, ROOT, UNTOLD, Outcome, OutcomeStore, method_of, sources
from evaluation.said import NOBODY, Said, SaidWord
from evaluation.survey import Surveyor, main, wanted_scripts
from evaluation.survey_page import ABOUT, JUDGED, Survey
from evaluation.systems import Systems, all_systems, decoded_once, heard_voices, step_systems
from evaluation.truth import Recording, Truth, Utterance
from schemas.episode import Episode
from schemas.transcript import AbsorbedVoice, Quality, Transcript
from schemas.wire import write_json
from transcription.ports import SAMPLE_RATE, Decoded, Diarization, Report, VoiceTurn, Waveform
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
    assert {each.name for each in fields(Steps)} <= set(ABOUT)


def test_what_is_kept_is_found_again_until_its_method_changes(tmp_path: Path) -> None:
    store = OutcomeStore(tmp_path)
    kept = outcome(recording="demo, no metadata", names=NameScore(2, 0, 1))
    store.keep(kept)

    assert store.recall("starter", "demo, no metadata", OURS, method="m1") == kept
    assert store.recall("starter", "demo, no metadata", OURS, method="m2") is None
    assert store.recall("fast", "demo, no metadata", OURS, method="m1") is None
    next(tmp_path.rglob("*.json")).write_text("{")
    assert store.recall("starter", "demo, no metadata", OURS, method="m1") is None


def test_the_method_changes_with_any_source_that_makes_the_figures(tmp_path: Path) -> None:
    for name, content in {
        "schemas/transcript.py": "a = 1",
        "transcription/voices.py": "a = 1",
        "adapters/whisper.py": "def load():\n    from transcription import windows",
        "transcription/windows.py": "a = 1",
        "adapters/pyannote.py": "import importlib\nimportlib.import_module('adapters.campplus')",
        "adapters/campplus.py": "a = 1",
        "adapters/audio.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from adapters import settings",
        "adapters/settings.py": "a = 1",
        "adapters/decoder_child.py": "a = 1",
        "evaluation/comparison.py": "from evaluation.measures import rate",
        "evaluation/measures.py": "rate = 1",
        "evaluation/plain_tools.py": "a = 1",
        "evaluation/survey_page.py": "a = 1",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)

    def changes(place: str) -> dict[str, bool]:
        systems = (OURS, BASELINE)
        before = {system: method_of(system, root=tmp_path) for system in systems}
        (tmp_path / place).write_text((tmp_path / place).read_text() + "\nb = 2")
        return {system: method_of(system, root=tmp_path) != before[system] for system in systems}

    assert changes("transcription/voices.py") == {OURS: True, BASELINE: False}
    assert changes("transcription/windows.py") == {OURS: True, BASELINE: False}
    assert changes("adapters/campplus.py") == {OURS: True, BASELINE: False}
    assert changes("adapters/decoder_child.py") == {OURS: True, BASELINE: True}
    assert changes("evaluation/measures.py") == {OURS: True, BASELINE: True}
    assert changes("evaluation/plain_tools.py") == {OURS: False, BASELINE: True}
    assert changes("evaluation/survey_page.py") == {OURS: False, BASELINE: False}
    assert changes("adapters/settings.py") == {OURS: False, BASELINE: False}
    assert method_of(OURS, "truth", root=tmp_path) != method_of(OURS, "other truth", root=tmp_path)


def test_the_source_of_an_engine_is_its_adapter_and_what_that_imports_without_the_nouns() -> None:
    places = {path.relative_to(ROOT).as_posix() for path in sources(["adapters.pyannote"])}

    assert {"adapters/pyannote.py", "adapters/trunk_once.py", "adapters/agglomeration.py"} <= places
    assert "transcription/speech.py" in {path.relative_to(ROOT).as_posix() for path in sources(["adapters.whisper"])}
    assert not {"adapters/settings.py", "adapters/wiring.py"} & places


def test_a_finished_recording_is_not_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = ferry(tmp_path)
    measured: list[str] = []

    def compared(self: Systems, system: str, recording: Recording, sound: object) -> Comparison:
        measured.append(system)
        return compare(Said(WORDS), Said(WORDS, seconds=2.0))

    monkeypatch.setattr(Systems, "compared", compared)
    for _ in range(2):
        surveyor = Surveyor(read_settings({}), "starter", OutcomeStore(tmp_path), MemoryStore())
        assert [each.system for each in surveyor.outcomes(recording, (OURS, BASELINE))] == [OURS, BASELINE]
    recording.audio.write_bytes(b"another sound")
    list(surveyor.outcomes(recording, (OURS,)))

    assert measured == [OURS, BASELINE, OURS]


def ferry(folder: Path) -> Recording:
    audio = folder / "ferry.wav"
    audio.write_bytes(b"a sound")
    return Recording("ferry", "tests", audio, Truth((Utterance(0.0, 1.0, "ada", "who rows"),)), Episode("e"))


class LoudDecoder:
    """Every file is forty seconds of steady sound."""

    fingerprint = "loud/1"

    def __init__(self) -> None:
        self.decoded: list[Path] = []

    def decode(self, source: Path, scratch: Path, *, report: Report | None = None) -> Decoded:
        self.decoded.append(source)
        path = scratch / "samples"
        path.write_bytes(array("h", [8000, -8000] * (20 * SAMPLE_RATE)).tobytes())
        return Decoded(Waveform(path, 40 * SAMPLE_RATE, "ab" * 32), "wav")


class CountingStore(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self.puts: list[str] = []

    def put(self, key: str, content: bytes) -> None:
        self.puts.append(key)
        super().put(key, content)


def test_a_recording_is_decoded_once_and_heard_once_whatever_is_left_out(tmp_path: Path) -> None:
    settings = read_settings({"STENOCAST_ALLOW_SCRIPTED": "1", "STENOCAST_DATA_DIR": str(tmp_path)})
    decoder, store, recording = LoudDecoder(), CountingStore(), ferry(tmp_path)
    systems = Systems(settings, "scripted", store)

    with decoded_once(decoder, recording.audio) as sound:
        results = {name: systems.compared(name, recording, sound) for name in (OURS, *step_systems())}

    heard = [key for key in store.puts if key.endswith("/voices.json") or "/recognize-" in key]
    assert len(decoder.decoded) == 1
    assert len(heard) == len(set(heard)) >= 2
    assert results["without names"].heard.names == ()
    assert len(results[OURS].heard.names) == 2


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

    whole = page.partition("Recording by recording:")[2]
    rows = [line for line in whole.splitlines() if line.startswith(("| ferry", "|  |"))]
    assert [row.split(" | ")[1:3] for row in rows] == [["stenocast", "2.0 %"], ["baseline", "5.0 %"]]
    lines = [line for line in page.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in lines} == {12, 20}
    assert "| real voices, 1 | stenocast | 2.0 % |" in page
    assert "|  | baseline | 5.0 % |" in page
    assert "Not measured yet, stenocast: conv-two." in page
    assert "Not measured yet, baseline: demo, conv-two." in page
    assert "The synthetic episodes are left out: flite." in page
    assert "a lathe" in page


def test_a_page_of_another_model_set_tells_its_command_and_misses_no_system_that_was_not_asked_for() -> None:
    page = Survey("fast", (outcome(wer=0.02),), ("ferry", "demo"), wanted=(OURS,)).markdown()

    assert "`python -m evaluation.survey --models fast --systems ours,steps --write docs/quality.md`" in page
    assert "Not measured yet, stenocast: demo." in page
    assert "Not measured yet, baseline" not in page


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

    judged, row = [line for line in survey.markdown().splitlines() if line.startswith("| snap")]

    assert judged == f"| snap: {ABOUT['snap']} | WDER | 1 | **1.0 → 3.0 %** | 1, 0 |"
    effects = "0.0 → 0.0 % | – | **1.0 → 3.0 %** | – | 2, 0 → 2, 0"
    assert row == f"| snap: {ABOUT['snap']} | 1 / 1 | {effects}{' | –' * 5} |"


def test_a_step_is_judged_by_all_places_together_and_a_false_tag_is_a_harm() -> None:
    survey = Survey(
        "starter",
        (
            outcome(overlap=Agreement(8, 2, 2)),
            outcome("demo", overlap=Agreement(0, 3, 0)),
            outcome("mill", overlap=None),
            outcome(system="without overlap", overlap=Agreement(0, 0, 10)),
            outcome("demo", system="without overlap", overlap=Agreement()),
            outcome("mill", system="without overlap", overlap=None),
        ),
        ("ferry", "demo", "mill"),
    )

    row = next(line for line in survey.markdown().splitlines() if line.startswith("| overlap: "))

    assert row == f"| overlap: {ABOUT['overlap']} | overlap F1 | 2 | **69.6 → 0.0 %** | 1, 1 |"


def test_the_glossary_is_left_out_too_of_what_was_recognized_without_being_told() -> None:
    assert all_systems()[UNTOLD] == replace(ALL_STEPS, expected=False, glossary=False)
    survey = Survey(
        "starter",
        (
            outcome(terms=Agreement(10, 0, 0)),
            outcome(system="without expected", terms=Agreement(6, 0, 4)),
            outcome(system=UNTOLD, terms=Agreement(3, 0, 7)),
        ),
        ("ferry",),
    )

    row = next(line for line in survey.markdown().splitlines() if line.startswith("| expected and glossary"))

    assert row.endswith("| terms F1 | 1 | **75.0 → 46.2 %** | 1, 0 |")


def test_every_step_has_a_measure_that_it_is_judged_by() -> None:
    assert set(JUDGED) == set(ABOUT)
    assert {each.name for each in fields(Steps)} <= set(JUDGED)


def test_only_the_episodes_that_are_asked_for_are_spoken() -> None:
    assert wanted_scripts(["telephone"]) == ()
    assert wanted_scripts(["monologue", "telephone"]) == ("monologue",)
    assert len(wanted_scripts(["sets"])) == len(wanted_scripts(())) >= 12


def test_unknown_systems_and_recordings_are_errors_that_name_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "telephone", "--systems", "theirs"]) == 2
    assert main(["--only", "conv-nine"]) == 1
    assert "conv-nine" in capsys.readouterr().err
