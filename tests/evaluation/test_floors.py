"""The ratchet: a named few recordings through the real engines, each figure held to what was reached before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evaluation.comparison import compare
from evaluation.floors import behind, figures, floors_of
from evaluation.said import Said, SaidWord, said_in_document, said_in_truth
from evaluation.survey import everything
from evaluation.systems import run_ours
from schemas.errors import NotFound
from transcription.steps import ALL_STEPS

FLOORS = floors_of("transcripts")

PERFECT = compare(*[Said(tuple(SaidWord(w, "ada", n, n + 1.0, 0, 0) for n, w in enumerate(["who", "rows"])))] * 2)


def test_a_figure_behind_its_floor_is_named_and_one_that_holds_is_not() -> None:
    worse = replace(PERFECT.measures, wer=0.051, coverage=0.8)

    assert behind(worse, {"models": "starter", "wer_at_most": 0.06, "coverage_at_least": 0.7}) == ()
    assert behind(worse, {"wer_at_most": 0.05, "coverage_at_least": 0.9}) == (
        "wer is 0.051, at most 0.05 was reached before",
        "coverage is 0.8, at least 0.9 was reached before",
    )


def test_a_figure_that_cannot_be_measured_any_more_is_behind() -> None:
    assert behind(replace(PERFECT.measures, der=None), {"der_at_most": 0.9}) == ("der could not be measured",)


def test_every_floor_is_of_a_figure() -> None:
    known = figures(PERFECT.measures)

    for floor in FLOORS.values():
        limits = {key for key in floor if key != "models"}
        assert {key.removesuffix("_at_most").removesuffix("_at_least") for key in limits} <= set(known)
        assert all(key.endswith(("_at_most", "_at_least")) for key in limits)


@pytest.fixture(scope="module")
def pipeline_of(model_sets: Path) -> Callable[[str], Any]:
    """A pipeline for each model set, loaded once, without earlier checkpoints."""
    from adapters.settings import read_settings
    from adapters.wiring import build_pipeline

    settings = read_settings({"STENOCAST_MODELS_DIR": str(model_sets)})
    loaded: dict[str, Any] = {}

    def load(models: str) -> Any:
        if models not in loaded:
            loaded[models] = build_pipeline(settings, models, fresh=True)
        return loaded[models]

    return load


@pytest.mark.engines
@pytest.mark.parametrize("name", FLOORS)
def test_no_recording_falls_behind_its_floor(name: str, pipeline_of: Callable[[str], Any]) -> None:
    notes: list[str] = []
    try:
        (recording,) = [each for each in everything([name], notes.append) if each.name == name]
    except NotFound:
        pytest.skip("; ".join(notes))  # a synthetic episode, and nothing here that speaks

    document, voices = run_ours(pipeline_of(FLOORS[name]["models"]), recording, ALL_STEPS)
    heard = said_in_document(document)
    result = compare(said_in_truth(recording.truth, seconds=heard.seconds), heard, found=voices)

    assert behind(result.measures, FLOORS[name]) == ()
