"""Fitting the weights of giving out a list: the examples, and that the fit learns what the pages show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import evaluation.naming_weights as fitting
from evaluation.naming_weights import (
    FEATURES,
    UNLISTED_FEATURES,
    Example,
    Given,
    example_of,
    examples_of,
    fitted,
    fitted_unlisted,
    main,
    regulars_of,
    unlisted_example_of,
)
from evaluation.published import Half, half_of, published_case
from transcription.naming.features import UNLISTED_WEIGHTS, WEIGHTS, Feature
from transcription.participants import parse_participant

TIDE = "The tide came up over the wall that night and nobody had told the harbour about it. "
TALK = f"""**Ada Quill:** It is late, and the lamp is out. {TIDE * 50}

**Bram Oster:** It was a long way back. {TIDE * 50}

**Ada Quill:** What did the others make of it, Bram?

**Bram Oster:** They thought that it was the church.
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    folder = tmp_path / "low-water"
    folder.mkdir()
    for number in range(6):
        (folder / f"episode-{number}.md").write_text(TALK, encoding="utf-8")
    (folder / "episode-7.md").write_text(TALK.replace("Bram Oster", "Clara Winter"), encoding="utf-8")
    return folder


def test_an_example_says_which_pairs_are_right(house: Path) -> None:
    case = published_case(TALK.encode(), name="talk.md")
    assert case is not None
    example = example_of(case, 1.0)
    assert example is not None
    assert example.right.tolist() == [[True, False], [False, True]]
    assert example.features.shape == (2, 2, len(FEATURES))
    asked = example.features[:, :, FEATURES.index(Feature.ASKED)]
    assert asked[1, 1] > 0 > asked[0, 1]


def test_a_page_is_shown_with_a_list_that_lacks_a_name_and_with_a_name_of_somebody_who_is_not_there(
    house: Path,
) -> None:
    own, shorter, exchanged, longer, *_ = examples_of(house / "episode-0.md", [parse_participant("Clara Winter")])
    assert (own.share, shorter.share, exchanged.share) == (1.0, fitting.CHANGED, fitting.EXCHANGED)
    assert [each.given for each in (own, shorter, exchanged, longer)] == [
        Given.WHOLE,
        Given.OTHER,
        Given.WHOLE,
        Given.OTHER,
    ]
    assert shorter.right.any(axis=1).tolist().count(False) == 1
    assert exchanged.right.any(axis=0).tolist().count(False) == 1
    assert longer.right.any(axis=0).tolist() == [True, True, False]


def test_a_short_talk_is_no_example() -> None:
    case = published_case(TALK.replace(TIDE, "").encode(), name="talk.md")
    assert case is not None
    assert example_of(case, 1.0) is None


def test_everybody_of_a_house_may_be_the_one_who_is_not_there(house: Path) -> None:
    found = regulars_of(sorted(house.iterdir()))
    assert [each.name for each in found] == ["Ada Quill", "Bram Oster", "Clara Winter"]


def test_the_fit_trusts_a_feature_that_tells_right_pairs_from_wrong_ones() -> None:
    telling, misleading = FEATURES.index(Feature.THANKED), FEATURES.index(Feature.ASKED)
    features = np.zeros((2, 2, len(FEATURES)))
    features[:, :, FEATURES.index(Feature.LISTED)] = 1.0
    features[[0, 1], [0, 1], telling] = 1.0
    features[[0, 1], [1, 0], misleading] = 1.0
    found = fitted([Example(features, np.eye(2, dtype=bool), 1.0)] * 30)
    assert found[Feature.THANKED] > 1.0 > 0 > found[Feature.ASKED]
    assert found[Feature.LISTED] > 0


def test_lists_of_another_length_have_weights_of_their_own_and_leave_the_others() -> None:
    features = np.zeros((2, 2, len(FEATURES)))
    features[:, :, FEATURES.index(Feature.PERHAPS_LISTED)] = 1.0
    features[:, 1, FEATURES.index(Feature.NOBODY_SAYS_IT)] = 1.0
    right = np.array([[True, False], [False, False]])
    found = fitted([Example(features, right, 1.0, Given.OTHER)] * 30)
    assert found[Feature.NOBODY_SAYS_IT] < -2.0
    assert {each: found[each] for each in WEIGHTS if each not in fitting.OF_OTHER_LISTS} == {
        each: weight for each, weight in WEIGHTS.items() if each not in fitting.OF_OTHER_LISTS
    }


#: Three talk, and Clara is thanked once, in passing.
UNLISTED = f"""**Ada Quill:** It is late, and the lamp is out. {TIDE * 40}

**Bram Oster:** It was a long way back. {TIDE * 40}

**Clara Winter:** They thought that it was the church. {TIDE * 40}

**Ada Quill:** Thank you, Clara. {TIDE}

**Bram Oster:** Nobody knew. {TIDE}
"""


def test_without_a_list_the_voices_that_the_rules_leave_are_an_example() -> None:
    case = published_case(UNLISTED.encode(), name="talk.md")
    assert case is not None
    example = unlisted_example_of(case)
    assert example is not None
    assert (example.given, example.right.tolist()) == (Given.NONE, [[False], [False], [True]])
    assert example.features.shape == (3, 1, len(UNLISTED_FEATURES))
    without_bram = replace(case, truth={voice: name for voice, name in case.truth.items() if name != "Bram Oster"})
    fewer = unlisted_example_of(without_bram)
    assert fewer is not None
    assert fewer.right.tolist() == [[False], [True]]
    asked = published_case(TALK.encode(), name="talk.md")
    assert asked is not None
    assert unlisted_example_of(asked) is None


def test_a_page_is_shown_without_a_list_too(tmp_path: Path) -> None:
    page = tmp_path / "episode.md"
    page.write_text(UNLISTED, encoding="utf-8")
    assert [each.given for each in examples_of(page, [])] == [Given.WHOLE, Given.OTHER, Given.NONE]


def test_the_fit_of_people_whom_no_list_gives_is_of_its_own() -> None:
    features = np.zeros((2, 2, len(UNLISTED_FEATURES)))
    features[0, 0, UNLISTED_FEATURES.index(Feature.IS_A_THING)] = 1.0
    example = Example(features, np.array([[True, False], [False, False]]), 1.0, Given.NONE)
    assert fitted_unlisted([example] * 30)[Feature.IS_A_THING] > 2.0
    assert fitted([example] * 30) == WEIGHTS


def test_the_command_prints_a_weight_for_each_feature(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(house)]) == 0
    printed = capsys.readouterr().out
    pages = sum(half_of(page.name) is Half.SEEN for page in house.iterdir())
    assert printed.startswith(f"# lists of {pages} pages\n")
    printed_features = [line.split()[0] for line in printed.splitlines() if not line.startswith("#")]
    assert printed_features == [f"Feature.{each.name}:" for each in (*WEIGHTS, *UNLISTED_WEIGHTS)]


def test_a_house_without_a_page_of_use_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 1
    assert "no page" in capsys.readouterr().out
