"""The promises of `Diarizer`, kept by pyannote.audio and by the scripted engine alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import pytest

from adapters.scripted import ScriptedDiarizer
from schemas.errors import OptionError
from transcription.ports import Diarization, DiarizeOptions, Diarizer, Waveform


@dataclass(frozen=True)
class Case:
    """An engine, and a recording in which it hears two voices."""

    diarizer: Diarizer
    talk: Waveform

    @cached_property
    def found(self) -> Diarization:
        """What it finds when nothing is asked for; found once for all tests."""
        return self.diarizer.diarize(self.talk, DiarizeOptions())


@pytest.fixture(scope="session")
def pyannote_case(model_sets: Path, recorded: Callable[[str], Waveform]) -> Case:
    from adapters.pyannote import PyannoteDiarizer

    folder = model_sets / "fast"
    diarizer = PyannoteDiarizer(
        folder / "segmentation" / "pytorch_model.bin",
        folder / "embedding" / "campplus_cn_en_common.pt",
        set_name="fast",
    )
    return Case(diarizer, recorded("two-speakers-30s.wav"))


@pytest.fixture(params=["scripted", pytest.param("pyannote", marks=pytest.mark.engines)])
def case(request: pytest.FixtureRequest, tone: Waveform) -> Case:
    if request.param == "pyannote":
        real: Case = request.getfixturevalue("pyannote_case")
        return real
    return Case(ScriptedDiarizer(), tone)


def test_two_voices_are_numbered_by_their_first_appearance(case: Case) -> None:
    result = case.found

    assert list(dict.fromkeys(turn.voice for turn in result.turns)) == ["voice 1", "voice 2"]


def test_turns_are_in_order_and_inside_the_recording(case: Case) -> None:
    turns = case.found.turns

    assert all(0.0 <= turn.start < turn.end <= case.talk.seconds for turn in turns)
    assert all(before.start <= after.start for before, after in pairwise(turns))
    assert all(type(edge) is float for turn in turns for edge in (turn.start, turn.end))


def test_at_most_one_voice_speaks_in_the_exclusive_turns(case: Case) -> None:
    result = case.found

    assert all(before.end <= after.start + 0.001 for before, after in pairwise(result.exclusive))
    assert {turn.voice for turn in result.exclusive} <= {turn.voice for turn in result.turns}


def test_every_embedding_belongs_to_a_voice(case: Case) -> None:
    result = case.found

    assert set(result.embeddings) == {turn.voice for turn in result.turns}
    assert len({len(vector) for vector in result.embeddings.values()}) == 1


@pytest.mark.parametrize(
    "options", [DiarizeOptions(speakers=1), DiarizeOptions(max_speakers=1), DiarizeOptions(min_speakers=1)]
)
def test_a_number_of_speakers_is_kept_to(case: Case, options: DiarizeOptions) -> None:
    voices = {turn.voice for turn in case.diarizer.diarize(case.talk, options).turns}

    assert len(voices) >= (options.min_speakers or 1)
    assert len(voices) <= (options.speakers or options.max_speakers or 2)


@pytest.mark.parametrize(
    "options",
    [
        DiarizeOptions(speakers=0),
        DiarizeOptions(min_speakers=-1),
        DiarizeOptions(max_speakers=0),
        DiarizeOptions(min_speakers=3, max_speakers=2),
    ],
)
def test_an_impossible_number_of_speakers_is_refused(case: Case, options: DiarizeOptions) -> None:
    with pytest.raises(OptionError):
        case.diarizer.diarize(case.talk, options)


def test_the_same_recording_gives_the_same_turns(case: Case) -> None:
    again = case.diarizer.diarize(case.talk, DiarizeOptions())

    assert case.found == again


def test_silence_has_no_voices(case: Case, silence: Waveform) -> None:
    result = case.diarizer.diarize(silence, DiarizeOptions())

    assert result.turns == ()
    assert result.exclusive == ()
    assert result.embeddings == {}


def test_progress_rises_to_the_length_of_the_recording(case: Case) -> None:
    told: list[float] = []

    case.diarizer.diarize(case.talk, DiarizeOptions(), report=told.append)

    assert told == sorted(told)
    assert told[-1] == pytest.approx(case.talk.seconds)


def test_a_report_that_raises_stops_the_work(case: Case) -> None:
    class Stop(Exception):
        pass

    def stop(_seconds: float) -> None:
        raise Stop

    with pytest.raises(Stop):
        case.diarizer.diarize(case.talk, DiarizeOptions(), report=stop)


def test_an_engine_says_what_it_is(case: Case) -> None:
    for fact in (case.diarizer.engine, case.diarizer.version, case.diarizer.model, case.diarizer.fingerprint):
        assert fact
