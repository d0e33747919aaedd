"""The ratchet: a named few recordings through the real engines, each figure held to what was reached before."""

from __future__ import annotations

from dataclasses import replace

from evaluation.comparison import compare
from evaluation.floors import behind, figures, floors_of
from evaluation.said import Said, SaidWord

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
