"""The naming cases, their scores, and the figures that must not be lost again."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

import evaluation.naming
from evaluation.naming import (
    UNSEEN,
    Failure,
    NamingScore,
    SetScore,
    failures,
    is_right,
    main,
    measure_half,
    measure_voices,
    score,
)
from evaluation.naming_cases import (
    CASES_PER_HALF,
    HALVES,
    VOICES,
    NamingCase,
    document,
    generated_cases,
    hand_cases,
    voice_cases,
)
from schemas.transcript import Transcript
from transcription.naming import name_speakers

FLOORS = tomllib.loads((Path(__file__).parents[2] / "evaluation" / "floors.toml").read_text(encoding="utf-8"))[
    "naming"
]


@pytest.fixture(scope="module", params=(*HALVES, *VOICES))
def half(request: pytest.FixtureRequest) -> SetScore:
    if request.param in VOICES:
        return measure_voices(request.param)
    return measure_half(request.param, FLOORS["cases_per_half"])


def test_there_are_sixty_cases_by_hand_and_a_thousand_from_templates() -> None:
    assert len(hand_cases()) >= 60
    assert len(HALVES) * CASES_PER_HALF == 1000


@pytest.mark.parametrize("case", hand_cases(), ids=lambda case: case.name)
def test_a_case_by_hand_has_every_name_that_is_said_and_no_wrong_one(case: NamingCase) -> None:
    assert [str(each) for each in failures(case, name_speakers(case.transcript))] == []


def test_the_talks_are_in_two_halves_that_share_none() -> None:
    seen, unseen = ({case.name.split(": ", 1)[1] for case in voice_cases(half)} for half in VOICES)

    assert len(seen) + len(unseen) >= 120
    assert not seen & unseen


def test_what_goes_wrong_in_the_halves_that_no_rule_was_made_for_is_counted_and_not_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measured(name: str) -> SetScore:
        failure = Failure(f"a case of {name}", "S1", "Ada Quill", None, None)
        return SetScore(name, 1, NamingScore(speakers=1), None, (failure,))

    monkeypatch.setattr(evaluation.naming, "measure_hand", lambda: measured("hand"))
    monkeypatch.setattr(evaluation.naming, "measure_half", measured)
    monkeypatch.setattr(evaluation.naming, "measure_voices", measured)

    assert main(["--failures"]) == 0

    printed = capsys.readouterr().out
    assert all(f"| {name} | 1 |" in printed for name in (*HALVES, *VOICES))
    assert "a case of development" in printed
    assert "a case of voices_seen" in printed
    assert "a case of held_out" not in printed
    assert "a case of voices_unseen" not in printed


def test_no_half_falls_behind_its_floor(half: SetScore) -> None:
    floor = FLOORS[half.name]
    assert half.given is not None

    shown = () if half.name in UNSEEN else half.failures
    assert half.alone.wrong_rate <= floor["wrong_at_most"], shown
    assert half.alone.found_rate >= floor["found_at_least"]
    assert half.given.wrong_rate <= floor["wrong_given_at_most"], shown
    assert half.given.found_rate >= floor["found_given_at_least"]


def test_the_same_number_is_the_same_case_and_another_one_is_not() -> None:
    first = list(generated_cases("development", 4))

    assert list(generated_cases("development", 3)) == first[:3]
    assert len({case.transcript for case in first}) == 4


@pytest.mark.parametrize("name", HALVES)
def test_every_quote_stands_verbatim_in_the_turn_that_it_names(name: str) -> None:
    for case in generated_cases(name, 60):
        for transcript in (case.transcript, case.with_participants()):
            named = name_speakers(transcript)
            said = {turn.id: [each.text for each in turn.paragraphs] for turn in named.turns}
            given = [each.name for each in named.speakers if each.name]

            assert len(set(given)) == len(given)
            for speaker in named.speakers:
                assert (speaker.name is None) == (not speaker.evidence)
                for piece in speaker.evidence:
                    assert piece.quote
                    assert any(piece.quote in text for text in said[str(piece.turn)]), case.name


def test_nothing_in_a_case_says_who_speaks_but_the_talk() -> None:
    for case in generated_cases("held_out", 20):
        assert [each.name for each in case.transcript.speakers] == [None] * len(case.truth)
        assert case.transcript.episode.participants == ()


def two_voices(*names: str | None) -> tuple[NamingCase, Transcript]:
    transcript, _ = document([("A", "Hello."), ("B", "Hello.")])
    case = NamingCase("case", transcript, {"S1": "Ada Quill", "S2": "Stephanie Moor"}, frozenset({"S1", "S2"}))
    speakers = tuple(replace(each, name=name) for each, name in zip(transcript.speakers, names, strict=True))
    return case, replace(transcript, speakers=speakers)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("Ada Quill", "Stephanie Moor"), NamingScore(2, 0, 2, 2, 2, 2)),
        (("Ada", "Steph"), NamingScore(2, 0, 2, 0, 2, 2)),
        (("Ada Marsh", None), NamingScore(2, 1, 0, 0, 2, 0)),
        (("Stephanie Moor", "Ada Quill"), NamingScore(2, 2, 0, 0, 2, 0)),
        ((None, None), NamingScore(2, 0, 0, 0, 2, 0)),
    ],
)
def test_a_part_of_the_name_is_right_and_anybody_elses_is_wrong(
    names: tuple[str | None, ...], expected: NamingScore
) -> None:
    assert score(*two_voices(*names)) == expected


def test_a_voice_whose_name_nobody_can_know_has_no_right_name() -> None:
    case, named = two_voices("Ada Quill", None)

    assert not is_right(replace(case, truth={"S1": "", "S2": ""}), named.speakers[0])


def test_the_command_measures_a_page_with_its_labels_taken_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.txt"
    turns = ["Ada Quill", "My name is Ada Quill. Hello.", "Bram Oster", "I'm Bram Oster.", "Ada Quill", "Good.",
             "Bram Oster", "It is.", "Ada Quill", "And so on.", "Bram Oster", "Yes."]  # fmt: skip
    page.write_text("\n\n".join(["A talk", *turns]), encoding="utf-8")

    assert main(["--pages", str(page), "--write", str(tmp_path / "quality.md")]) == 0
    assert "| all | 1 | 2 | 0 (0.00 %) |" in (tmp_path / "quality.md").read_text(encoding="utf-8")
    assert "| all | 1 | 2 | 0 (0.00 %) | 2 of 2 (100.0 %) |" in capsys.readouterr().out


def test_a_page_that_cannot_be_read_is_left_out_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, essay = tmp_path / "talk.txt", tmp_path / "essay.txt"
    page.write_text("Ada Quill: I'm Ada Quill.\n\nTomas Feld: Hello.\n\n" * 3, encoding="utf-8")
    essay.write_text(
        "The tide came up over the wall that night, and nobody had told the harbour.\n" * 9, encoding="utf-8"
    )

    assert main(["--pages", str(essay), str(page)]) == 0
    printed = capsys.readouterr()
    assert "| talk.txt | 1 |" in printed.out
    assert "| all | 1 |" in printed.out
    assert re.search(r"^left out: .*essay\.txt.*\[page_not_recognised\]$", printed.err, re.M)
    assert main(["--pages", str(essay)]) == 1


@pytest.mark.parametrize(("number", "named"), [("000", 2), ("001", 3), ("002", 0), ("003", 3), ("004", 2)])
def test_the_reference_pages_without_their_labels_get_no_wrong_name(shared: Path, number: str, named: int) -> None:
    from evaluation.naming import page_case

    case = page_case(next((shared / "seeds").glob(f"{number}_*")))

    result = score(case, name_speakers(case.transcript))
    assert result.wrong == 0
    assert result.right >= named
