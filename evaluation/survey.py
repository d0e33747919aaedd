"""Every recording with truth through ours, through the plain tools, and through ours without each of its steps.

    python -m evaluation.survey [--only NAME,…] [--systems ours,baseline,steps] [--write docs/quality.md]

Resumable: what is finished is kept in the user's cache folder and measured again only when the source, the models or
the truth behind it have changed; the engines' own work is kept too, so that a change after them costs seconds.
`--write` puts the tables into the page, and says there what has not been measured.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.comparison import compare
from evaluation.outcomes import BASELINE, OURS, WITHOUT, Outcome, OutcomeStore, method_of
from evaluation.said import said_in_document, said_in_truth
from evaluation.survey_page import Survey, write_into
from evaluation.truth import Recording, choose, read_turns, recordings
from schemas.episode import Episode
from schemas.errors import NotReady, OptionError, StenocastError
from schemas.job import JobOptions
from schemas.transcript import Transcript
from schemas.wire import read_json
from transcription.participants import parse_participant
from transcription.ports import Diarization, Store, VoiceTurn
from transcription.steps import ALL_STEPS, Steps

if TYPE_CHECKING:
    from adapters.settings import Settings
    from evaluation.baseline import Baseline
    from transcription.pipeline import Pipeline

ROOT = Path(__file__).resolve().parent.parent
#: What `--systems` takes.
SYSTEMS = ("ours", "baseline", "steps")


def default_folder() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("stenocast") / "evaluation"


# ---------------------------------------------------------------- the recordings


def synthetic(folder: Path | None = None, *, names: Sequence[str] = ()) -> Iterator[Recording]:
    """The synthetic episodes, spoken where they are not in the cache yet. Raises NotReady without a synthesizer."""
    from evaluation.sets.make import chosen, made

    for script in chosen(names):
        episode = made(script, folder)
        participants = tuple(parse_participant(each) for each in script.participants)
        given = Episode(
            id=script.name, title=script.title, show=script.show, language="en", participants=participants
        )
        yield Recording(script.name, "sets", episode.audio, read_turns(episode.truth), given)


def everything(only: Sequence[str], say: Callable[[str], None]) -> tuple[Recording, ...]:
    """Every recording that is here; what cannot be had is said. Raises NotFound for names that nothing has."""
    known = list(recordings(ROOT))
    if not (ROOT.parent / "shared" / "audio").is_dir():
        say("../shared/audio is not here: no conversations and meetings of real voices")
    names = wanted_scripts(only)
    try:
        known += synthetic(names=names) if names else ()
    except NotReady as error:
        say(f"the synthetic episodes are left out: {error.message}")
    return choose(known, only)


def wanted_scripts(only: Sequence[str]) -> tuple[str, ...]:
    """The synthetic episodes among the names, so that one recording does not need all of them spoken."""
    from evaluation.sets.script import scripts

    return tuple(each.name for each in scripts() if not only or "sets" in only or each.name in only)


# ---------------------------------------------------------------- the systems


def step_systems() -> dict[str, Steps]:
    """Ours without each step, by name."""
    return {f"{WITHOUT}{each.name}": replace(ALL_STEPS, **{each.name: False}) for each in fields(Steps)}


@dataclass(frozen=True, slots=True)
class _Watched:
    """A store that remembers which checkpoint of voices was used."""

    store: Store
    used: list[str]

    def __getattr__(self, name: str) -> object:
        return getattr(self.store, name)

    def get(self, key: str) -> bytes | None:
        content = self.store.get(key)
        if content is not None:
            self.used.append(key)
        return content

    def put(self, key: str, content: bytes) -> None:
        self.used.append(key)
        self.store.put(key, content)


def run_ours(pipeline: Pipeline, recording: Recording, steps: Steps) -> tuple[Transcript, tuple[VoiceTurn, ...]]:
    """The document, and the voices that were found, phantoms taken for the voice they sound like."""
    watched = _Watched(pipeline.checkpoints, [])
    with tempfile.TemporaryDirectory(prefix="stenocast-survey-") as scratch:
        document = replace(pipeline, checkpoints=watched, steps=steps).run(  # type: ignore[arg-type]
            recording.audio, recording.episode, JobOptions(), scratch=Path(scratch), tell=lambda _: None
        )
    return document, heard_voices(document, watched.store, watched.used)


def heard_voices(document: Transcript, store: Store, used: Iterable[str]) -> tuple[VoiceTurn, ...]:
    key = next((key for key in used if key.endswith("/voices.json")), None)
    content = store.get(key) if key else None
    if content is None:
        return ()
    absorbed = {each.voice: each.into for each in document.quality.absorbed}
    turns = read_json(Diarization, content).turns
    return tuple(replace(turn, voice=absorbed.get(turn.voice, turn.voice)) for turn in turns)


class Surveyor:
    """Measures and keeps. Engines are loaded when the first recording needs them."""

    def __init__(self, settings: Settings, models: str, store: OutcomeStore, checkpoints: Path) -> None:
        self._settings = settings
        self._models = models
        self._store = store
        self._checkpoints = checkpoints
        self._pipeline: Pipeline | None = None
        self._baseline: Baseline | None = None

    def measured(self, recording: Recording, system: str, steps: Steps = ALL_STEPS) -> Outcome:
        """What is kept, or what is measured now and kept."""
        method = method_of(system, self._models, repr(recording.truth), repr(recording.episode))
        kept = self._store.recall(self._models, recording.name, system, method=method)
        if kept is not None:
            return kept
        outcome = self._measure(recording, system, steps, method)
        self._store.keep(outcome)
        return outcome

    def _measure(self, recording: Recording, system: str, steps: Steps, method: str) -> Outcome:
        from evaluation.figures import machine

        if system == BASELINE:
            with tempfile.TemporaryDirectory(prefix="stenocast-baseline-") as scratch:
                heard, voices = self._plain().transcribe(recording.audio, Path(scratch))
        else:
            document, voices = run_ours(self._whole(), recording, steps)
            heard = said_in_document(document)
        result = compare(said_in_truth(recording.truth, seconds=heard.seconds), heard, found=voices)
        return Outcome(
            recording=recording.name,
            group=recording.group,
            system=system,
            models=self._models,
            measures=result.measures,
            audio_seconds=heard.seconds or 0.0,
            method=method,
            measured=datetime.now(UTC).isoformat(timespec="seconds"),
            machine=machine(self._settings.device),
        )

    def _whole(self) -> Pipeline:
        if self._pipeline is None:
            from adapters.folder import FolderStore
            from adapters.wiring import build_pipeline

            self._checkpoints.mkdir(parents=True, exist_ok=True)
            engines = build_pipeline(self._settings, self._models, fresh=True)
            self._pipeline = replace(engines, checkpoints=FolderStore(self._checkpoints))
        return self._pipeline

    def _plain(self) -> Baseline:
        if self._baseline is None:
            from evaluation.baseline import Baseline

            self._baseline = Baseline(self._settings, self._models)
        return self._baseline


# ---------------------------------------------------------------- the command


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Exit status 0, 1 (failed), 2 (usage)."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.survey", description=__doc__.splitlines()[0])
    parser.add_argument("--models", default="starter", help="model set, hub name or folder")
    parser.add_argument("--only", default="", help="recordings or groups (sets, meetings, …), with commas between")
    parser.add_argument("--systems", default=",".join(SYSTEMS), help="of ours, baseline, steps")
    parser.add_argument("--kept", action="store_true", help="measure nothing: only write what is kept")
    parser.add_argument("--folder", type=Path, help="where results are kept, instead of the user's cache folder")
    parser.add_argument("--write", type=Path, help="put the tables into this markdown page")
    asked = parser.parse_args(arguments)
    try:
        return _run(asked)
    except StenocastError as error:
        print(f"error: {error.message} [{error.code}]", file=sys.stderr)
        return 2 if isinstance(error, OptionError) else 1


def _run(asked: argparse.Namespace) -> int:
    from adapters.settings import read_settings

    systems = _parts(asked.systems)
    unknown = [each for each in systems if each not in SYSTEMS]
    if unknown:
        raise OptionError(f"--systems {unknown[0]}: one of {', '.join(SYSTEMS)}", field="systems")
    notes: list[str] = []
    found = everything(_parts(asked.only), notes.append)
    folder = asked.folder or default_folder()
    store = OutcomeStore(folder / "results")
    if not asked.kept:
        surveyor = Surveyor(read_settings(), asked.models, store, folder / "checkpoints")
        for recording in found:
            for system, steps in _systems(systems):
                outcome = surveyor.measured(recording, system, steps)
                print(f"{recording.name}, {system}: {outcome.measured}", file=sys.stderr, flush=True)
    known = everything((), notes.append) if asked.only and asked.write else found
    survey = Survey(
        asked.models, tuple(_kept(store, asked.models, known)), tuple(r.name for r in known), tuple(notes)
    )
    print(survey.markdown())
    if asked.write:
        page = asked.write.read_text(encoding="utf-8") if asked.write.is_file() else ""
        asked.write.write_text(write_into(page, survey.markdown()), encoding="utf-8")
    return 0


def _parts(listed: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in listed.split(",") if each.strip())


def _systems(asked: Sequence[str]) -> Iterator[tuple[str, Steps]]:
    if "ours" in asked:
        yield OURS, ALL_STEPS
    if "baseline" in asked:
        yield BASELINE, ALL_STEPS
    if "steps" in asked:
        yield from step_systems().items()


def _kept(store: OutcomeStore, models: str, known: Sequence[Recording]) -> Iterator[Outcome]:
    """What is kept and still holds."""
    for recording in known:
        for system in (OURS, BASELINE, *step_systems()):
            method = method_of(system, models, repr(recording.truth), repr(recording.episode))
            outcome = store.recall(models, recording.name, system, method=method)
            if outcome is not None:
                yield outcome


if __name__ == "__main__":
    raise SystemExit(main())
