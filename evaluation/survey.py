"""Every recording with truth through ours, through the plain tools, and through ours without each of its steps.

    python -m evaluation.survey [--only NAME,…] [--systems ours,baseline,steps] [--write docs/quality.md]

Resumable: what is finished is kept in the user's cache folder and measured again only when the source, the models or
the truth behind it have changed; the engines' own work is kept too, so that a change after them costs seconds.
`--write` puts the tables into the page, and says there what has not been measured.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.comparison import Comparison
from evaluation.marked import write_between
from evaluation.outcomes import BASELINE, OURS, Outcome, OutcomeStore, method_of
from evaluation.survey_page import DEFAULT_MODELS, Survey
from evaluation.systems import Systems, all_systems
from evaluation.truth import Recording, choose, read_turns, recordings
from schemas.episode import Episode
from schemas.errors import NotReady, OptionError, StenocastError
from schemas.job import JobOptions
from transcription.participants import parse_participant
from transcription.ports import Store

if TYPE_CHECKING:
    from adapters.settings import Settings

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
        options = JobOptions(glossary=script.glossary)
        yield Recording(script.name, "sets", episode.audio, read_turns(episode.truth), given, options)


def everything(only: Sequence[str], say: Callable[[str], None]) -> tuple[Recording, ...]:
    """Every recording that is here; what cannot be had is said. Raises NotFound for names that nothing has."""
    known = list(recordings(ROOT))
    known += noisy(tuple(known), only)
    if not (ROOT.parent / "shared" / "audio").is_dir():
        say("../shared/audio is not here: no conversations and meetings of real voices")
    names = wanted_scripts(only)
    try:
        known += synthetic(names=names) if names else ()
    except NotReady as error:
        say(f"the synthetic episodes are left out: {error.message}")
    return choose(known, only)


def noisy(known: Sequence[Recording], only: Sequence[str]) -> Iterator[Recording]:
    """The conversations under noise, as far as they are asked for."""
    from adapters.settings import read_settings
    from adapters.wiring import build_decoder
    from evaluation.noisy import GROUP, SUFFIX, under_noise

    for each in known:
        if each.name.startswith("conv-") and (not only or {GROUP, f"{each.name}{SUFFIX}"} & set(only)):
            yield under_noise(each, default_folder() / GROUP, build_decoder(read_settings()))


def wanted_scripts(only: Sequence[str]) -> tuple[str, ...]:
    """The synthetic episodes among the names, so that one recording does not need all of them spoken."""
    from evaluation.sets.script import scripts

    return tuple(each.name for each in scripts() if not only or "sets" in only or each.name in only)


# ---------------------------------------------------------------- measuring


class Surveyor:
    """Measures and keeps."""

    def __init__(self, settings: Settings, models: str, store: OutcomeStore, heard: Store) -> None:
        self._settings = settings
        self._models = models
        self._store = store
        self._systems = Systems(settings, models, heard)

    def outcomes(self, recording: Recording, systems: Sequence[str]) -> Iterator[Outcome]:
        """Of each system what is kept, or what is measured now and kept."""
        with self._systems.decoded_once(recording) as sound:
            for system in systems:
                method = recorded_method(recording, system, self._models)
                outcome = self._store.recall(self._models, recording.name, system, method=method)
                if outcome is None:
                    result = self._systems.compared(system, recording, sound)
                    outcome = self._outcome(recording, system, result, method)
                    self._store.keep(outcome)
                yield outcome

    def _outcome(self, recording: Recording, system: str, result: Comparison, method: str) -> Outcome:
        from evaluation.figures import machine

        return Outcome(
            recording=recording.name,
            group=recording.group,
            system=system,
            models=self._models,
            measures=result.measures,
            audio_seconds=result.heard.seconds or 0.0,
            method=method,
            measured=datetime.now(UTC).isoformat(timespec="seconds"),
            machine=machine(self._settings.device),
        )


def recorded_method(recording: Recording, system: str, models: str) -> str:
    """What the figures of this recording by this system depend on."""
    sound = hashlib.sha256(recording.audio.read_bytes()).hexdigest()
    return method_of(system, models, sound, repr(recording.truth), repr(recording.episode), repr(recording.options))


# ---------------------------------------------------------------- the command


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Exit status 0, 1 (failed), 2 (usage)."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.survey", description=__doc__.splitlines()[0])
    parser.add_argument("--models", default=DEFAULT_MODELS, help="model set, hub name or folder")
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
        from adapters.folder import FolderStore

        (folder / "heard").mkdir(parents=True, exist_ok=True)
        surveyor = Surveyor(read_settings(), asked.models, store, FolderStore(folder / "heard"))
        for recording in found:
            for outcome in surveyor.outcomes(recording, _named(systems)):
                print(f"{recording.name}, {outcome.system}: {outcome.measured}", file=sys.stderr, flush=True)
    known = everything((), notes.append) if asked.only and asked.write else found
    kept = tuple(each for each in _kept(store, asked.models, known) if each.system in _named(systems))
    wanted = tuple(each for each in (OURS, BASELINE) if each in _named(systems))
    survey = Survey(asked.models, kept, tuple(each.name for each in known), tuple(notes), wanted)
    print(survey.markdown())
    if asked.write:
        place = "survey" if asked.models == DEFAULT_MODELS else f"survey of {asked.models}"
        write_between(asked.write, survey.markdown(), place)
    return 0


def _parts(listed: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in listed.split(",") if each.strip())


def _named(asked: Sequence[str]) -> tuple[str, ...]:
    """The systems that `--systems` asks for."""
    of = {OURS: "ours", BASELINE: "baseline"}
    return tuple(each for each in all_systems() if of.get(each, "steps") in asked)


def _kept(store: OutcomeStore, models: str, known: Sequence[Recording]) -> Iterator[Outcome]:
    """What is kept and still holds."""
    for recording in known:
        for system in all_systems():
            method = recorded_method(recording, system, models)
            outcome = store.recall(models, recording.name, system, method=method)
            if outcome is not None:
                yield outcome


if __name__ == "__main__":
    raise SystemExit(main())
