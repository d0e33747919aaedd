"""The pipeline over scripted engines: checkpoints, progress, stopping, and what a failed stage costs."""

from __future__ import annotations

import itertools
from array import array
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.memory import MemoryStore, MemoryVoices
from adapters.scripted import ScriptedDiarizer, ScriptedRecognizer
from schemas.episode import Episode, Participant
from schemas.errors import AudioError, GpuError, ModelError, TransientError
from schemas.job import JobOptions, Progress, Stage, Term
from schemas.names_by_hand import NameByHand
from schemas.transcript import NameMethod, StageTime, Warning
from schemas.wire import write_json
from transcription.names_by_hand import named_by_hand
from transcription.pipeline import DEADLY, Pipeline
from transcription.ports import SAMPLE_RATE, Decoded, KnownVoice, Prepared, Report, Tags, Waveform
from transcription.steps import ALL_STEPS

EPISODE = Episode("0b1cfa0e-7a3f-5a55-9a5a-5d2f4a1f0b11")
SECONDS = 40


class LoudDecoder:
    """A `Decoder` whose every file is 40 s of steady sound."""

    def __init__(self, *, loud: bool = True, fingerprint: str = "loud/1") -> None:
        self.loud = loud
        self.fingerprint = fingerprint
        self.decoded: list[Path] = []

    def decode(self, source: Path, scratch: Path, *, name: str = "", report: Report | None = None) -> Decoded:
        self.decoded.append(source)
        path = scratch / "samples"
        level = 8000 if self.loud else 0
        path.write_bytes(array("h", [level, -level] * (SECONDS * SAMPLE_RATE // 2)).tobytes())
        tags = Tags(title="From the tags", show="Tidewater")
        waveform = Waveform(path, SECONDS * SAMPLE_RATE, "ab" * 32)
        return Decoded(waveform, "wav", tags, truncated=True, warnings=(Warning("tags_dropped", "too many tags"),))


class Counting:
    """Any engine, with its calls counted; breaks on call number `break_at` with `error`."""

    def __init__(self, engine: Any, *, break_at: int = 0, error: Exception | None = None) -> None:
        self._engine, self._break_at, self._error = engine, break_at, error
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def _count(self) -> None:
        self.calls += 1
        if self.calls == self._break_at and self._error is not None:
            raise self._error

    def recognize(self, *given: Any, **named: Any) -> Any:
        self._count()
        return self._engine.recognize(*given, **named)

    def diarize(self, *given: Any, **named: Any) -> Any:
        self._count()
        return self._engine.diarize(*given, **named)


class Bench:
    """One pipeline, its parts at hand, run on one invented file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = folder / "talk.wav"
        self.source.write_bytes(b"not looked at")
        self.scratch = folder / "scratch"
        self.scratch.mkdir()
        self.decoder: Any = LoudDecoder()
        self.recognizer: Any = Counting(ScriptedRecognizer(longest_window=10.0))
        self.diarizer: Any = Counting(ScriptedDiarizer())
        self.store = MemoryStore()
        self.voices: Any = None
        self.steps = ALL_STEPS
        self.told: list[Progress] = []
        self._ticks = 0

    def _clock(self) -> float:
        self._ticks += 1
        return self._ticks * 0.7

    def run(
        self, *, episode: Episode = EPISODE, options: JobOptions | None = None, tell: Any = None, **more: Any
    ) -> Any:
        pipeline = Pipeline(
            decoder=self.decoder,
            recognizer=self.recognizer,
            diarizer=self.diarizer,
            checkpoints=self.store,
            stenocast_version="9.9.9",
            now=lambda: datetime(2026, 3, 1, 8, 0, tzinfo=UTC),
            clock=self._clock,
            voices=self.voices,
            steps=self.steps,
        )
        options = options or JobOptions()
        tell = tell or self.told.append
        return pipeline.run(self.source, episode, options, scratch=self.scratch, tell=tell, **more)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def _said(document: Any) -> list[tuple[str | None, str]]:
    return [(t.speaker, w.text) for t in document.turns for p in t.paragraphs for w in p.words]


def test_a_run_gives_words_voices_tags_and_provenance(bench: Bench) -> None:
    document = bench.run()

    assert document.turns
    assert len(document.speakers) >= 2
    assert (document.episode.title, document.episode.show) == ("From the tags", "Tidewater")
    assert document.episode.audio.duration == SECONDS
    assert [each.stage for each in document.provenance.engines] == ["recognize", "diarize"]
    assert document.quality.truncated
    assert "tags_dropped" in [each.code for each in document.quality.warnings]


def test_tags_never_override_what_was_given(bench: Bench) -> None:
    assert bench.run(episode=replace(EPISODE, title="Given")).episode.title == "Given"


def test_a_second_run_computes_nothing_again_and_says_the_same(bench: Bench) -> None:
    first = bench.run()
    calls = bench.recognizer.calls, bench.diarizer.calls

    second = bench.run()

    assert (bench.recognizer.calls, bench.diarizer.calls) == calls
    assert _said(second) == _said(first)
    assert second.speakers == first.speakers


def test_a_run_that_broke_in_the_third_window_goes_on_there(bench: Bench, tmp_path: Path) -> None:
    whole = bench.run()
    (tmp_path / "other").mkdir()
    other = Bench(tmp_path / "other")
    other.recognizer = Counting(ScriptedRecognizer(longest_window=10.0), break_at=3, error=MemoryError("killed here"))
    with pytest.raises(MemoryError):
        other.run()
    done_before = other.recognizer.calls - 1

    document = other.run()

    assert done_before == 2
    assert other.recognizer.calls - 3 == bench.recognizer.calls - 2
    assert _said(document) == _said(whole)


def test_a_damaged_checkpoint_is_done_again(bench: Bench) -> None:
    first = bench.run()
    key = next(bench.store.keys("checkpoints/"))
    bench.store.put(key, b'{"span": 1')

    assert _said(bench.run()) == _said(first)


def test_other_participants_are_other_hotwords_and_so_another_checkpoint(bench: Bench) -> None:
    bench.run()
    calls = bench.recognizer.calls

    bench.run(episode=replace(EPISODE, participants=(Participant("Ada Quill"),)))

    assert bench.recognizer.calls == 2 * calls


def test_another_decoder_may_give_other_samples_and_so_another_checkpoint(bench: Bench) -> None:
    bench.run()
    calls = bench.recognizer.calls, bench.diarizer.calls
    bench.decoder = LoudDecoder(fingerprint="loud/2")

    bench.run()

    assert (bench.recognizer.calls, bench.diarizer.calls) == (2 * calls[0], 2 * calls[1])


def test_a_failed_diarization_costs_the_voices_and_not_the_words(bench: Bench) -> None:
    words = [text for _, text in _said(bench.run(options=JobOptions(diarize=False)))]
    bench.diarizer = Counting(ScriptedDiarizer(), break_at=1, error=RuntimeError("no convergence"))

    document = bench.run()

    assert [text for _, text in _said(document)] == words
    assert len(document.speakers) == 1
    warning = next(each for each in document.quality.warnings if each.code == "diarization_failed")
    assert "no convergence" in warning.message


def test_a_failed_diarization_is_tried_again_by_the_next_run(bench: Bench) -> None:
    bench.diarizer = Counting(ScriptedDiarizer(), break_at=1, error=RuntimeError("once"))
    bench.run()

    assert len(bench.run().speakers) >= 2


def test_a_missing_model_is_not_taken_for_a_failed_diarization(bench: Bench) -> None:
    bench.diarizer = Counting(ScriptedDiarizer(), break_at=1, error=ModelError("embedding: the file is missing"))

    with pytest.raises(ModelError):
        bench.run()


def test_a_diarization_that_could_do_better_another_time_is_given_up_on_the_last_try_only(bench: Bench) -> None:
    error = TransientError("not enough GPU memory to diarize", code="gpu_memory")
    bench.diarizer = Counting(ScriptedDiarizer(), break_at=1, error=error)
    with pytest.raises(TransientError):
        bench.run()

    bench.diarizer = Counting(ScriptedDiarizer(), break_at=1, error=error)
    document = bench.run(is_last_try=True)

    assert "diarization_failed" in [each.code for each in document.quality.warnings]
    assert document.quality.word_count > 0


def test_a_broken_gpu_is_not_taken_for_a_failed_diarization(bench: Bench) -> None:
    bench.diarizer = Counting(ScriptedDiarizer(), break_at=1, error=GpuError("device-side assert"))

    with pytest.raises(GpuError):
        bench.run(is_last_try=True)


def killed_in_diarization(bench: Bench, times: int) -> None:
    """As far as the store can tell: what replaces its process is a death to it."""
    for _ in range(times):
        bench.diarizer = Counting(ScriptedDiarizer(), break_at=1, error=GpuError("device-side assert"))
        with pytest.raises(GpuError):
            bench.run()


@pytest.mark.parametrize("times", [DEADLY, DEADLY + 1])
def test_a_diarization_that_killed_its_process_again_and_again_is_left_out_before_the_job_dies_of_it(
    bench: Bench, times: int
) -> None:
    killed_in_diarization(bench, times)

    document = bench.run(must_not_die=True)

    warning = next(each for each in document.quality.warnings if each.code == "diarization_failed")
    assert f"{times} times" in warning.message
    assert (document.quality.word_count > 0, len(document.speakers)) == (True, 1)


@pytest.mark.parametrize(("times", "must_not_die"), [(DEADLY - 1, True), (DEADLY + 1, False)])
def test_a_diarization_is_tried_again_while_its_deaths_may_be_chance_or_cost_nothing(
    bench: Bench, times: int, must_not_die: bool
) -> None:
    killed_in_diarization(bench, times)
    bench.diarizer = ScriptedDiarizer()

    assert len(bench.run(must_not_die=must_not_die).speakers) >= 2


def test_a_diarization_that_ends_by_itself_is_no_death(bench: Bench) -> None:
    for error in (TransientError("no memory"), ModelError("a file is missing"), RuntimeError("no convergence")):
        bench.diarizer = Counting(ScriptedDiarizer(), break_at=1, error=error)
        with suppress(TransientError, ModelError):
            bench.run()
    bench.diarizer = ScriptedDiarizer()

    assert len(bench.run(must_not_die=True).speakers) >= 2


def test_a_diarization_that_broke_half_way_goes_on_there_and_leaves_no_parts(bench: Bench) -> None:
    undisturbed = _said(bench.run())
    for key in list(bench.store.keys("checkpoints/")):
        if "diarize" in key:
            bench.store.delete(key)
    paid: list[float] = []

    def killed(progress: Progress) -> None:
        if progress.stage is Stage.DIARIZE and progress.done >= 30.0:
            raise InterruptedError("killed here")

    bench.diarizer = ScriptedDiarizer(seconds=4.0, longest_stretch=12.0, sleep=paid.append)
    with pytest.raises(InterruptedError):
        bench.run(tell=killed)
    assert len([key for key in bench.store.keys("checkpoints/") if "/parts/" in key]) == 2
    paid.clear()

    assert _said(bench.run()) == undisturbed
    assert sum(paid) == pytest.approx(1.6, abs=0.01)  # the last 16 of 40 s
    assert not [key for key in bench.store.keys("checkpoints/") if "/parts/" in key]


def test_sound_that_was_prepared_is_not_decoded_again(bench: Bench) -> None:
    expected = bench.run()
    decoded = bench.decoder.decode(bench.source, bench.scratch)
    bench.decoder.decoded.clear()

    document = bench.run(prepared=Prepared(decoded, 3.5))

    assert bench.decoder.decoded == []
    assert _said(document) == _said(expected)
    assert document.provenance.stages[0] == StageTime("decode", 3.5)
    assert list(bench.scratch.iterdir()) == []


def test_silence_gives_no_words_and_says_so(bench: Bench) -> None:
    bench.decoder = LoudDecoder(loud=False)

    document = bench.run()

    assert document.turns == ()
    assert document.quality.no_speech
    assert "no_speech" in [each.code for each in document.quality.warnings]
    assert bench.diarizer.calls == 0


@pytest.mark.parametrize("stage", [Stage.DECODE, Stage.RECOGNIZE, Stage.DIARIZE, Stage.ASSEMBLE])
def test_telling_can_stop_the_work_in_any_stage_and_leaves_no_scratch(bench: Bench, stage: Stage) -> None:
    class Enough(Exception):
        pass

    def tell(progress: Progress) -> None:
        if progress.stage is stage:
            raise Enough

    with pytest.raises(Enough):
        bench.run(tell=tell)
    assert list(bench.scratch.iterdir()) == []


def test_progress_never_falls_and_ends_at_the_whole(bench: Bench) -> None:
    bench.run()

    fractions = [each.fraction for each in bench.told if each.fraction is not None]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1.0)
    assert list(dict.fromkeys(told.stage for told in bench.told)) == [
        Stage.DECODE, Stage.RECOGNIZE, Stage.DIARIZE, Stage.ASSEMBLE,
    ]  # fmt: skip
    assert any(each.eta is not None for each in bench.told)


def test_an_error_of_the_decoder_comes_out_unchanged(bench: Bench) -> None:
    class Deaf:
        fingerprint = "deaf"

        def decode(self, source: Path, scratch: Path, *, name: str = "", report: Report | None = None) -> Decoded:
            raise AudioError("talk.wav: nothing there", code="audio_empty")

    bench.decoder = Deaf()

    with pytest.raises(AudioError) as caught:
        bench.run()
    assert caught.value.code == "audio_empty"


def test_a_regional_language_tag_is_understood(bench: Bench) -> None:
    assert bench.run(options=JobOptions(language="en-GB")).turns


def test_equal_runs_give_equal_bytes(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()

    def stripped(document: Any) -> bytes:
        audio = replace(document.episode.audio, size_bytes=None, file_name=None)
        return write_json(replace(document, provenance=None, episode=replace(document.episode, audio=audio)))

    assert stripped(bench.run()) == stripped(Bench(tmp_path / "other").run())


def test_a_glossarys_terms_are_expected_by_the_recognizer_and_its_misheard_forms_are_not(bench: Bench) -> None:
    heard: list[tuple[str, ...]] = []
    recognize = bench.recognizer.recognize
    bench.recognizer.recognize = lambda *given, **named: heard.append(given[2].hotwords) or recognize(*given, **named)

    bench.run(options=JobOptions(glossary=(Term("Skerryvore", ("sherry four",)),), vocabulary=("groyne",)))

    assert set(heard) == {("groyne", "Skerryvore")}


def test_another_term_is_recognized_again_and_another_misheard_form_is_only_assembled_again(bench: Bench) -> None:
    bench.run(options=JobOptions(glossary=(Term("Skerryvore"),)))
    first = bench.recognizer.calls
    bench.run(options=JobOptions(glossary=(Term("Skerryvore", ("sherry four",)),)))
    second = bench.recognizer.calls
    bench.run(options=JobOptions(glossary=(Term("Muckle Flugga"),)))

    assert (second, bench.recognizer.calls) == (first, 2 * first)


# ---------------------------------------------------------------- the second look


class Looping:
    """A scripted recognizer whose first pass turns in circles in two of its windows, and whose second does not.

    `killed_at` is the stretch in whose second look somebody pulls the plug; `error` breaks every second look.
    """

    def __init__(self, *, killed_at: int = 0, error: Exception | None = None) -> None:
        self._engine = ScriptedRecognizer(longest_window=10.0)
        self._killed_at, self._error = killed_at, error
        self.windows_heard: list[float] = []
        self.looked_at: list[float] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def recognize(self, waveform: Any, span: Any, options: Any, **more: Any) -> Any:
        self.windows_heard.append(span.start)
        heard = self._engine.recognize(waveform, span, options, **more)
        if not 8.0 <= span.start < 28.0:
            return heard
        words = tuple(replace(word, text="row") for word in heard.words)
        return replace(heard, words=words, passages=(replace(heard.passages[0], words=words),))

    def recognize_again(self, waveform: Any, span: Any, options: Any, **more: Any) -> Any:
        self.looked_at.append(span.start)
        if self._error is not None:
            raise self._error
        if len(self.looked_at) == self._killed_at:
            raise InterruptedError("killed here")
        return self._engine.recognize_again(waveform, span, options, **more)


def test_what_looked_wrong_is_recognized_again_and_listed(bench: Bench) -> None:
    expected = _said(bench.run())
    bench.recognizer, bench.store = Looping(), MemoryStore()

    document = bench.run()

    assert _said(document) == expected
    assert [span.reason for span in document.quality.redone] == ["repetition"] * 2
    assert document.quality.redone[0].text.startswith("row row row")
    assert "repetition" not in [warning.code for warning in document.quality.warnings]


def test_a_crash_in_the_second_look_costs_one_stretch_and_changes_no_word(bench: Bench) -> None:
    undisturbed = Bench.run(bench, options=JobOptions())
    bench.recognizer, bench.store = Looping(), MemoryStore()
    whole = bench.run()
    bench.recognizer, bench.store = Looping(killed_at=2), MemoryStore()
    with pytest.raises(InterruptedError):
        bench.run()
    heard, looked = len(bench.recognizer.windows_heard), len(bench.recognizer.looked_at)

    document = bench.run()

    assert _said(document) == _said(whole) == _said(undisturbed)
    assert document.quality == whole.quality
    assert bench.recognizer.looked_at[looked:] == bench.recognizer.looked_at[looked - 1 : looked]
    assert sorted(bench.recognizer.windows_heard) == sorted(set(bench.recognizer.windows_heard))
    assert heard < len(bench.recognizer.windows_heard)


def test_a_second_look_that_fails_is_tried_again_and_given_up_on_the_last_try(bench: Bench) -> None:
    bench.recognizer = Looping(error=TransientError("not enough GPU memory to recognize", code="gpu_memory"))
    with pytest.raises(TransientError):
        bench.run()

    document = bench.run(is_last_try=True)

    assert "row" in [text for _, text in _said(document)]
    assert {"second_look_failed", "repetition"} <= {warning.code for warning in document.quality.warnings}


def test_progress_goes_on_in_the_second_look_and_can_stop_it(bench: Bench) -> None:
    class Enough(Exception):
        pass

    bench.recognizer = Looping()

    def tell(progress: Progress) -> None:
        bench.told.append(progress)
        if bench.recognizer.looked_at and progress.stage is Stage.RECOGNIZE:
            raise Enough

    with pytest.raises(Enough):
        bench.run(tell=tell, is_last_try=True)

    done = [told.done for told in bench.told if told.stage is Stage.RECOGNIZE]
    assert done == sorted(done)
    assert done[-1] > done[-2]


def test_the_second_look_can_be_left_out(bench: Bench) -> None:
    bench.recognizer, bench.steps = Looping(), replace(ALL_STEPS, second_look=False)

    document = bench.run()

    assert bench.recognizer.looked_at == []
    assert document.quality.redone == ()
    assert "repetition" in [span.reason for span in document.quality.doubtful]


# ---------------------------------------------------------------- known voices


class Saying:
    """A scripted recognizer that hears "tide" all the time, after these first words."""

    def __init__(self, *first: str) -> None:
        self._engine = ScriptedRecognizer(longest_window=10.0)
        self._first = first

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def recognize(self, waveform: Any, span: Any, options: Any, **more: Any) -> Any:
        heard = self._engine.recognize(waveform, span, options, **more)
        said = itertools.chain(self._first if span.start == 0 else (), itertools.repeat("tide"))
        return replace(heard, words=tuple(replace(word, text=next(said)) for word in heard.words), passages=())


class Unreachable(MemoryVoices):
    def of_show(self, show: str, model: str) -> Any:
        raise TransientError("the ledger is busy", code="database_busy")


@pytest.fixture
def talk_by_name(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A bench whose first voice says its name, with known voices at hand; half a minute is enough to be kept."""
    monkeypatch.setattr("transcription.known_voices.LEARNED_SECONDS", 5.0)
    bench.recognizer = Saying("My", "name", "is", "Greta", "Vance.")  # type: ignore[assignment]
    bench.voices = MemoryVoices()
    return bench


def test_a_voice_named_in_one_episode_is_known_in_the_next_of_a_show_that_agreed(talk_by_name: Bench) -> None:
    talk_by_name.voices.consent("Tidewater", given_by="Jo Pym")
    first = talk_by_name.run()
    talk_by_name.recognizer = Saying()  # type: ignore[assignment]
    talk_by_name.store = MemoryStore()

    second = talk_by_name.run(episode=replace(EPISODE, id="another episode"))

    assert (first.speakers[0].name, first.speakers[0].known_by) == ("Greta Vance", NameMethod.SELF_INTRODUCTION)
    assert [each.name for each in talk_by_name.voices.all()] == ["Greta Vance"]
    assert (second.speakers[0].name, second.speakers[0].known_by) == ("Greta Vance", NameMethod.KNOWN_VOICE)
    assert second.speakers[1].name is None


def test_without_consent_no_voice_is_kept_and_none_is_known(talk_by_name: Bench) -> None:
    talk_by_name.run()

    assert talk_by_name.voices.all() == []


def test_an_episode_does_not_know_its_people_by_what_it_taught_itself(talk_by_name: Bench) -> None:
    talk_by_name.voices.consent("Tidewater", given_by="Jo Pym")
    talk_by_name.run()

    again = talk_by_name.run()

    assert again.speakers[0].known_by is NameMethod.SELF_INTRODUCTION
    assert len(talk_by_name.voices.all()) == 1


def test_voices_that_cannot_be_reached_cost_a_warning_and_not_the_transcript(talk_by_name: Bench) -> None:
    talk_by_name.voices = Unreachable()

    document = talk_by_name.run()

    assert document.speakers[0].name == "Greta Vance"
    assert "voices_unavailable" in [each.code for each in document.quality.warnings]


def test_an_episode_that_is_done_again_teaches_nothing_but_what_it_says_now(talk_by_name: Bench) -> None:
    talk_by_name.voices.consent("Tidewater", given_by="Jo Pym")
    talk_by_name.run()
    talk_by_name.recognizer = Saying("My", "name", "is", "Gerda", "Vance.")  # type: ignore[assignment]
    talk_by_name.store = MemoryStore()

    talk_by_name.run()

    assert [each.name for each in talk_by_name.voices.all()] == ["Gerda Vance"]


def test_a_name_that_somebody_put_right_by_hand_is_not_learned_again(talk_by_name: Bench) -> None:
    talk_by_name.voices.consent("Tidewater", given_by="Jo Pym")
    talk_by_name.run()

    document = talk_by_name.run(
        with_names_kept=lambda document: named_by_hand(document, {"S1": NameByHand("Bram Stone")})
    )

    assert document.speakers[0].name == "Bram Stone"
    assert talk_by_name.voices.all() == []


def test_a_name_that_somebody_confirmed_by_hand_is_learned(talk_by_name: Bench) -> None:
    talk_by_name.voices.consent("Tidewater", given_by="Jo Pym")

    talk_by_name.run(with_names_kept=lambda document: named_by_hand(document, {"S1": NameByHand("Greta Vance")}))

    assert [each.name for each in talk_by_name.voices.all()] == ["Greta Vance"]


def test_a_voice_that_is_known_by_another_name_than_it_says_teaches_nothing(talk_by_name: Bench) -> None:
    """The document leaves it without a name, too."""
    talk_by_name.voices.consent("Tidewater", given_by="Jo Pym")
    talk_by_name.run()
    talk_by_name.recognizer = Saying("My", "name", "is", "Bram", "Stone.")  # type: ignore[assignment]
    talk_by_name.store = MemoryStore()

    document = talk_by_name.run(episode=replace(EPISODE, id="another episode"))

    assert document.speakers[0].name is None
    assert [each.name for each in talk_by_name.voices.all()] == ["Greta Vance"]


@pytest.mark.parametrize("broken", ["none", "away", "learn"])
def test_names_by_hand_are_kept_whatever_becomes_of_the_known_voices(talk_by_name: Bench, broken: str) -> None:
    def unable(*_: Any, **__: Any) -> Any:
        raise TransientError("the ledger is busy", code="database_busy")

    talk_by_name.voices.consent("Tidewater", given_by="Jo Pym")
    if broken == "learn":
        talk_by_name.voices.learn = unable
    else:
        talk_by_name.voices = Unreachable() if broken == "away" else None

    document = talk_by_name.run(
        with_names_kept=lambda document: named_by_hand(document, {"S2": NameByHand("Bram Stone")})
    )

    assert [each.name for each in document.speakers[:2]] == ["Greta Vance", "Bram Stone"]
    assert ("voices_unavailable" in [each.code for each in document.quality.warnings]) == (broken != "none")


def test_voices_of_another_model_are_not_compared(talk_by_name: Bench) -> None:
    talk_by_name.voices.consent("Tidewater", given_by="Jo Pym")
    talk_by_name.run()
    kept: KnownVoice = talk_by_name.voices.all()[0]
    talk_by_name.voices.forget("Tidewater", "Greta Vance")
    talk_by_name.voices.learn(replace(kept, model="another"))
    talk_by_name.recognizer = Saying()  # type: ignore[assignment]
    talk_by_name.store = MemoryStore()

    document = talk_by_name.run(episode=replace(EPISODE, id="another episode"))

    assert [each.name for each in document.speakers] == [None] * len(document.speakers)


def test_what_the_recording_is_is_noted_before_anything_is_kept_of_it(bench: Bench) -> None:
    """Else nobody would find whose the first checkpoint is when its worker dies then."""
    kept: list[list[str]] = []

    bench.run(note_sound=lambda _sound: kept.append(list(bench.store.keys(""))))

    assert kept == [[]]
    assert list(bench.store.keys("checkpoints/"))
