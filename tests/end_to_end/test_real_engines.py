"""The real engines on real input: the demo episode and real recordings, held to the figures that the docs promise."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import pytest

from adapters.settings import read_settings
from evaluation.comparison import compare
from evaluation.floors import behind, floors_of
from evaluation.said import said_in_document, said_in_truth
from evaluation.survey import everything
from evaluation.systems import run_ours
from formats.catalogue import read
from schemas.episode import Episode
from schemas.errors import NotFound, OptionError
from schemas.job import JobOptions
from schemas.sidecar import read_sidecar
from schemas.transcript import Transcript
from transcription.steps import ALL_STEPS

ROOT = Path(__file__).resolve().parent.parent.parent
DEMO = ROOT / "examples" / "demo"
FLOORS = floors_of("transcripts")
BYTES_TO_TWO_NAMES = 400_000  #: of the demo episode: three quarters of a minute
EPISODE = Episode("5f0e8a52-2f0a-5a3e-9d3c-0f2f6f6f3d11")

pytestmark = pytest.mark.engines


@dataclass
class Engines:
    """The pipelines of the model sets, loaded once. What they heard in a recording is not heard a second time: the
    checkpoints lie in a folder of this module."""

    pipelines: dict[str, Any]
    scratch: Path
    load: Callable[[str], Any]

    def pipeline(self, models: str) -> Any:
        if models not in self.pipelines:
            self.pipelines[models] = self.load(models)
        return self.pipelines[models]

    def transcribe(
        self, audio: Path, episode: Episode = EPISODE, models: str = "starter", **options: Any
    ) -> Transcript:
        document: Transcript = self.pipeline(models).run(
            audio, episode, JobOptions(models=models, **options), scratch=self.scratch, tell=lambda progress: None
        )
        return document


@pytest.fixture(scope="module")
def engines(model_sets: Path, tmp_path_factory: pytest.TempPathFactory) -> Engines:
    from adapters.wiring import build_pipeline

    folder = tmp_path_factory.mktemp("engines")
    settings = read_settings({"STENOCAST_DATA_DIR": str(folder / "data"), "STENOCAST_MODELS_DIR": str(model_sets)})
    scratch = folder / "scratch"
    scratch.mkdir()
    return Engines({}, scratch, lambda models: build_pipeline(settings, models))


def _names(document: Transcript) -> set[str | None]:
    return {each.name for each in document.speakers}


def _text(document: Transcript) -> str:
    return " ".join(paragraph.text for turn in document.turns for paragraph in turn.paragraphs)


def telephone() -> Path:
    """Half a minute between two people, which pyannote.audio carries."""
    import pyannote.audio

    return Path(pyannote.audio.__file__).parent / "sample" / "sample.wav"


def _with_metadata() -> Episode:
    return read_sidecar((DEMO / "episode.json").read_bytes(), name="episode.json").describe(EPISODE)


@pytest.fixture(scope="module")
def demo(engines: Engines) -> Transcript:
    return engines.transcribe(DEMO / "episode.mp3", _with_metadata())


def test_the_demo_has_every_name_right_and_at_most_five_percent_of_its_words_wrong(demo: Transcript) -> None:
    from evaluation.measures import word_error_rate
    from evaluation.truth import read_turns

    rate = word_error_rate(read_turns(DEMO / "truth.json").text, _text(demo))

    assert _names(demo) == {"Daniel Carter", "Helen Marsh", "Peter Hollis"}
    assert rate is not None
    assert rate <= 0.05
    for speaker in demo.speakers:
        quote = speaker.evidence[0]
        turn = next(each for each in demo.turns if each.id == quote.turn)
        assert quote.quote in " ".join(paragraph.text for paragraph in turn.paragraphs)


def test_the_demo_says_what_the_readme_shows(demo: Transcript) -> None:
    shown = read((ROOT / "tests" / "golden" / "demo.json").read_bytes(), format="json")

    assert [turn.speaker for turn in demo.turns] == [turn.speaker for turn in shown.turns]
    # another processor may round a word the other way
    assert SequenceMatcher(None, _text(demo).split(), _text(shown).split()).ratio() >= 0.98


@pytest.mark.processes
def test_the_command_prints_the_transcript_and_nothing_of_a_library(model_sets: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STENOCAST_")}
    environment |= {"STENOCAST_DATA_DIR": str(tmp_path / "data"), "STENOCAST_MODELS_DIR": str(model_sets)}
    shutil.copy(DEMO / "episode.json", tmp_path)
    (tmp_path / "episode.mp3").write_bytes((DEMO / "episode.mp3").read_bytes()[:BYTES_TO_TWO_NAMES])

    ran = subprocess.run(
        [sys.executable, "-m", "cli.main", "transcribe", str(tmp_path / "episode.mp3"), "--models", "fast"],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    for name in ("Daniel Carter", "Helen Marsh"):
        assert f"\n{name}\n" in ran.stdout
    ours = ("episode.mp3: ", "Decoding", "Recognizing words", "Telling voices apart", "Assembling", "warning: ")
    assert [line for line in ran.stderr.splitlines() if not line.startswith(ours)] == []


def test_without_metadata_no_name_of_the_demo_is_wrong(engines: Engines) -> None:
    document = engines.transcribe(DEMO / "episode.mp3")

    assert len(document.speakers) == 3
    assert _names(document) - {None} <= {"Daniel Carter", "Helen Marsh", "Peter Hollis", "Peter"}
    assert "Daniel Carter" in _names(document)


def test_the_telephone_talk_names_diane_and_sheila_by_their_own_words(engines: Engines) -> None:
    document = engines.transcribe(telephone())

    assert _names(document) == {"Diane", "Sheila"}


def test_readers_of_novels_are_told_apart_and_not_named(engines: Engines, shared: Path) -> None:
    document = engines.transcribe(shared / "audio" / "conv-two.flac")

    assert len(document.speakers) == 2
    assert _names(document) == {None}


def test_a_meeting_in_a_far_corner_is_no_crash(engines: Engines, shared: Path) -> None:
    document = engines.transcribe(shared / "audio" / "meeting-tst00.wav", models="fast")

    assert document.turns
    assert document.quality.word_count > 20


def test_the_english_set_refuses_another_language_and_names_starter(engines: Engines) -> None:
    with pytest.raises(OptionError, match="starter") as caught:
        engines.transcribe(DEMO / "episode.mp3", models="fast", language="de")

    assert caught.value.code == "language_not_supported"


def test_a_given_number_of_voices_is_kept(engines: Engines) -> None:
    document = engines.transcribe(telephone(), speakers=1)

    assert len(document.speakers) == 1


# ---------------------------------------------------------------- the ratchet


@pytest.mark.parametrize("name", FLOORS)
def test_no_recording_falls_behind_its_floor(name: str, engines: Engines) -> None:
    """A named few, each figure held to what was reached before."""
    notes: list[str] = []
    try:
        (recording,) = [each for each in everything([name], notes.append) if each.name == name]
    except NotFound:
        pytest.skip("; ".join(notes))  # a synthetic episode, and nothing here that speaks
    # as above, so that it need not be heard again: the demo's own description names its language, and no other
    language = _with_metadata().language if name == "demo" else None
    recording = replace(recording, episode=replace(recording.episode, language=language))

    document, voices = run_ours(engines.pipeline(FLOORS[name]["models"]), recording, ALL_STEPS)
    heard = said_in_document(document)
    result = compare(said_in_truth(recording.truth, seconds=heard.seconds), heard, found=voices)

    assert behind(result.measures, FLOORS[name]) == ()
