"""What three steps mend that our recordings have no need of: what was heard, disturbed, with them and without.

    python -m evaluation.perturbed [--only NAME,…] [--write docs/quality.md]

The trouble is made up (`evaluation/trouble.py`), so the table says what a step mends and not how often it is needed.
Everything is replayed on what `evaluation.survey` keeps of the engines' work; an engine runs where that is missing.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

from evaluation.comparison import Measures
from evaluation.marked import write_between
from evaluation.presentation import percent
from evaluation.said import said_in_document
from evaluation.survey import default_folder, everything
from evaluation.survey_page import figure, mean, together
from evaluation.systems import Systems, against_truth, run_ours
from evaluation.trouble import Phantom, with_islands, without_marks
from evaluation.truth import Recording, choose
from schemas.errors import StenocastError
from schemas.transcript import Transcript
from schemas.wire import read_json, write_json
from transcription.pipeline import Pipeline
from transcription.ports import Diarization, Prepared, Recognition, Store
from transcription.steps import ALL_STEPS, Steps

MODELS = "starter"
#: Groups that are left out: where the engines fail of themselves, and where the same words come once more.
ELSEWHERE = ("meetings", "noisy", "jfk")

#: The checkpoint of an engine's first work: the voices, and the words of a window.
_CHECKPOINTS = {
    Diarization: re.compile(r"/voices\.json$"),
    Recognition: re.compile(r"/recognize-[^/]+/[^/]+/\d+-\d+\.json$"),
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One kind of it, the step that should mend it, and what both are judged by."""

    what: str
    step: str
    heard: type[Any]  #: the engine's work that is disturbed
    disturb: Callable[[Any, Transcript, Random], Any]
    judged: tuple[tuple[str, str], ...]  #: a measure and its name

    def random(self, recording: str) -> Random:
        return Random(f"{self.step}, {recording}")

    @property
    def without(self) -> Steps:
        return replace(ALL_STEPS, **{self.step: False})


_VOICES = (("voices_miscounted", "voices counted right"), ("wder", "WDER"), ("cpwer", "cpWER"))
_MARKS = (("sentences", "sentences F1"), ("capitals", "capitals F1"))

_LIKE, _LESS_LIKE = (0.88, 0.97), (0.65, 0.75)  #: two halves of one reader's recording (docs/names.md); a harder case

TROUBLES = (
    Trouble("a stretch as a new voice, cosine 0.88 to 0.97", "phantoms", Diarization, Phantom(1, _LIKE), _VOICES),
    Trouble("the same, cosine 0.65 to 0.75", "phantoms", Diarization, Phantom(1, _LESS_LIKE), _VOICES),
    Trouble("three stretches, cosine 0.88 to 0.97", "phantoms", Diarization, Phantom(3, _LIKE), _VOICES),
    Trouble("two islands a minute", "islands", Diarization, with_islands, _VOICES[1:]),
    Trouble("a third of the passages without marks", "repair", Recognition, without_marks, _MARKS),
)


@dataclass(frozen=True, slots=True)
class Disturbed:
    """A store that gives one engine's work disturbed, each time alike, and keeps everything undisturbed."""

    store: Store
    trouble: Trouble
    recording: str
    document: Transcript  #: of what was heard undisturbed
    changed: list[str] = field(default_factory=list)  #: the keys of what is not as it was

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def get(self, key: str) -> bytes | None:
        content = self.store.get(key)
        if content is None or not _CHECKPOINTS[self.trouble.heard].search(key):
            return content
        heard = read_json(self.trouble.heard, content)
        disturbed = self.trouble.disturb(heard, self.document, self.trouble.random(f"{self.recording}, {key}"))
        if disturbed == heard:
            return content
        self.changed.append(key)
        return write_json(disturbed)


@dataclass(frozen=True, slots=True)
class Trial:
    """A recording in one kind of trouble."""

    recording: str
    undisturbed: Measures
    without: Measures
    with_step: Measures


def trials(
    pipeline: Pipeline, recording: Recording, sound: Callable[[], Prepared], troubles: Sequence[Trouble] = TROUBLES
) -> Iterator[tuple[Trouble, Trial]]:
    """The recording in each kind of trouble that it has a place for."""
    document, undisturbed = _run(pipeline, recording, ALL_STEPS, sound)
    for trouble in troubles:
        if not any(_tells(undisturbed, name) for name, _ in trouble.judged):
            continue
        store = Disturbed(pipeline.checkpoints, trouble, recording.name, document)
        disturbed = replace(pipeline, checkpoints=store)
        _, without = _run(disturbed, recording, trouble.without, sound)
        if store.changed:
            _, with_step = _run(disturbed, recording, ALL_STEPS, sound)
            yield trouble, Trial(recording.name, undisturbed, without, with_step)


def _run(
    pipeline: Pipeline, recording: Recording, steps: Steps, sound: Callable[[], Prepared]
) -> tuple[Transcript, Measures]:
    document, voices = run_ours(pipeline, recording, steps, sound())
    return document, against_truth(recording, said_in_document(document), voices).measures


# ---------------------------------------------------------------- the table


def table(tried: Sequence[tuple[Trouble, Trial]]) -> str:
    """Each trouble by what its step is judged by: disturbed without the step, with it, and undisturbed."""
    lines = [
        f"Model set `{MODELS}`; `python -m evaluation.perturbed --write docs/quality.md`. Rates are means over the "
        "recordings, an F1 counts all places of all recordings together; the last column counts the recordings that "
        "are better with the step, and those that are worse.",
        "",
        "| step | trouble | recordings | judged by | disturbed, without the step | with it | undisturbed "
        "| better, worse with it |",
        "|" + "---|" * 8,
    ]
    for trouble in dict.fromkeys(each for each, _ in tried):
        of_it = [trial for each, trial in tried if each == trouble]
        lines += [_row(trouble, name, label, of_it) for name, label in trouble.judged]
    return "\n".join(lines)


def _row(trouble: Trouble, name: str, label: str, tried: Sequence[Trial]) -> str:
    known = [each for each in tried if _tells(each.undisturbed, name)]
    sides = [
        [each.without for each in known],
        [each.with_step for each in known],
        [each.undisturbed for each in known],
    ]
    is_f1 = name in dict(_MARKS)
    gains = [_graded(each.with_step, name) - _graded(each.without, name) for each in known]
    better, worse = sum(gain > 0 for gain in gains), sum(gain < 0 for gain in gains)
    if not is_f1:
        better, worse = worse, better
    is_first = name == trouble.judged[0][0]
    cells = [
        *((trouble.step, trouble.what) if is_first else ("", "")),
        str(len(known)),
        label,
        *(_figure(name, side) for side in sides),
        f"{better}, {worse}",
    ]
    return "| " + " | ".join(cells) + " |"


def _tells(measures: Measures, name: str) -> bool:
    return (getattr(measures, name) if name in dict(_MARKS) else figure(measures, name)) is not None


def _graded(measures: Measures, name: str) -> float:
    """The figure; an F1 without any place that could be right is none."""
    return figure(measures, name) or 0.0


def _figure(name: str, measures: Sequence[Measures]) -> str:
    if name == "voices_miscounted":
        return f"{sum(each.speaker_count_error == 0 for each in measures)} of {len(measures)}"
    return percent(together(measures, name) if name in dict(_MARKS) else mean(measures, name))


# ---------------------------------------------------------------- the command


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Exit status 0, 1 (failed), 2 (usage)."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.perturbed", description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="recordings or groups (sets, telephone, …), with commas between")
    parser.add_argument("--write", type=Path, help="put the table into this markdown page")
    asked = parser.parse_args(arguments)
    try:
        tried = list(_tried(tuple(filter(None, asked.only.split(",")))))
    except StenocastError as error:
        print(f"error: {error.message} [{error.code}]", file=sys.stderr)
        return 1
    print(table(tried))
    if asked.write:
        write_between(asked.write, table(tried), "perturbed")
    return 0


def _tried(only: Sequence[str]) -> Iterator[tuple[Trouble, Trial]]:
    from adapters.folder import FolderStore
    from adapters.settings import read_settings

    heard = default_folder() / "heard"
    heard.mkdir(parents=True, exist_ok=True)
    systems = Systems(read_settings(), MODELS, FolderStore(heard))
    known = [
        each for each in everything((), lambda note: print(note, file=sys.stderr)) if each.group not in ELSEWHERE
    ]
    once = {each.audio: each for each in reversed(known)}
    for recording in choose(tuple(each for each in known if once[each.audio] is each), only):
        with systems.decoded_once(recording) as sound:
            for trouble, trial in trials(systems.ours(), recording, sound):
                gains = ", ".join(
                    f"{label} {_figure(name, [trial.without])} → {_figure(name, [trial.with_step])}"
                    for name, label in trouble.judged
                    if _tells(trial.undisturbed, name)
                )
                print(f"{recording.name}, {trouble.what}: {gains}", file=sys.stderr, flush=True)
                yield trouble, trial


if __name__ == "__main__":
    raise SystemExit(main())
