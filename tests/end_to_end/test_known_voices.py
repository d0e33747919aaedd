"""Voices that are kept from one episode and known in the next, through the real engines and a real ledger."""

from __future__ import annotations

import shutil
import wave
from collections.abc import Sequence
from pathlib import Path

import pytest

from adapters.settings import read_settings
from adapters.wiring import build_pipeline, open_voices
from evaluation.sets.script import Synthesizer, Voice
from evaluation.sets.synthesizers import spoken
from schemas.episode import Episode
from schemas.job import JobOptions
from schemas.transcript import NameMethod, Transcript
from transcription.pipeline import Pipeline
from transcription.ports import SAMPLE_RATE

pytestmark = [
    pytest.mark.engines,
    pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed (it speaks the two episodes)"),
]

SHOW = "Slow Hands"
PAUSE_SECONDS = 0.5
NORA = Voice("Nora Whitfield", Synthesizer.FLITE, "slt", pitch=178)
SIMON = Voice("Simon Barrow", Synthesizer.FLITE, "rms", pitch=98)

#: Both say their names and speak for half a minute.
FIRST = (
    (NORA, "Hello, and welcome to Slow Hands. My name is Nora Whitfield. Today I am in a workshop that is full of "
           "old clocks. It smells of oil and of wood, and every wall is covered from the floor up to the ceiling. "
           "Would you introduce yourself?"),
    (SIMON, "My name is Simon Barrow, and I have repaired clocks for most of my life. My father had the shop before "
            "me, and his uncle had it before him. There must be about two hundred clocks in this room, and only half "
            "of them work. No two of them agree on the time, which I find restful."),
    (NORA, "People come here from all over the county with boxes under their arms. Some of them have waited for "
           "years, because they were afraid that somebody would tell them to throw the thing away. "
           "Simon, what breaks first in an old clock?"),
    (SIMON, "The spring, nearly always. People wind it too far, because they want it to last for a whole week. It "
            "is the same with people, really. A clock that is a little wrong is good company, and a clock that is "
            "always right makes you nervous."),
    (NORA, "That is a good place to stop. Thank you for listening. I am Nora Whitfield, and this was Slow Hands."),
)  # fmt: skip
#: Other words, and nobody says who speaks.
SECOND = (
    (NORA, "This week we are by the river, where the last ferry of the day has just gone. The boat is painted green, "
           "and it has not changed since I was a child. How long does it take to build one like that?"),
    (SIMON, "It takes about two winters, if the wood is dry. In the summer nobody has the time, because there are "
            "visitors, and they all want to be on the other side of the water before lunch."),
    (NORA, "And what happens when the bridge is finished? There are people in the village who say that nobody will "
           "need the boat after that, and that it should go to the museum."),
    (SIMON, "They said the same about the railway. A bridge is a way to get across. A boat is a reason to go."),
)  # fmt: skip


def _speak(lines: Sequence[tuple[Voice, str]], path: Path) -> Path:
    import numpy as np

    pause = np.zeros(int(PAUSE_SECONDS * SAMPLE_RATE), dtype="float32")
    parts = [part for voice, text in lines for part in (spoken(text, voice), pause)]
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(SAMPLE_RATE)
        sound.writeframes(np.round(np.concatenate(parts) * 32767).astype("<i2").tobytes())
    return path


def _transcribe(pipeline: Pipeline, audio: Path, episode: str, scratch: Path) -> Transcript:
    return pipeline.run(
        audio,
        Episode(episode, show=SHOW),
        JobOptions(models="fast"),
        scratch=scratch,
        tell=lambda progress: None,
    )


def test_the_people_of_one_episode_are_known_in_the_next_and_forgotten_for_good(
    model_sets: Path, tmp_path: Path
) -> None:
    settings = read_settings(
        {
            "STENOCAST_DATA_DIR": str(tmp_path / "data"),
            "STENOCAST_MODELS_DIR": str(model_sets),
            "STENOCAST_KNOWN_VOICES": "true",
        }
    )
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    voices = open_voices(settings)
    voices.consent(SHOW, given_by="Jo Pym")
    pipeline = build_pipeline(settings, "fast")
    first = _transcribe(pipeline, _speak(FIRST, tmp_path / "first.wav"), "first", scratch)
    audio = _speak(SECOND, tmp_path / "second.wav")

    second = _transcribe(pipeline, audio, "second", scratch)

    assert [(each.name, each.known_by) for each in first.speakers] == [
        ("Nora Whitfield", NameMethod.SELF_INTRODUCTION),
        ("Simon Barrow", NameMethod.SELF_INTRODUCTION),
    ]
    assert {each.name for each in voices.all(SHOW)} == {"Nora Whitfield", "Simon Barrow"}
    assert [(each.name, each.known_by) for each in second.speakers] == [
        ("Nora Whitfield", NameMethod.KNOWN_VOICE),
        ("Simon Barrow", NameMethod.KNOWN_VOICE),
    ]

    voices.rename(SHOW, "Nora Whitfield", to="Nora Whitfield-Lane")
    voices.forget(SHOW, "Simon Barrow")
    third = _transcribe(pipeline, audio, "third", scratch)

    assert [each.name for each in voices.all(SHOW)] == ["Nora Whitfield-Lane"]
    assert [each.name for each in third.speakers] == ["Nora Whitfield-Lane", None]
