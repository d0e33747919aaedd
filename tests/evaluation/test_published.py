"""Measuring naming on published talk: which pages and labels count, the halves, the counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.published import (
    Half,
    PublishedScore,
    called_voices,
    half_of,
    is_persons,
    main,
    measure_page,
    pages_of,
    published_case,
    table,
)

TALK = """**Ada Quill:** Welcome to Low Water. I'm Ada Quill, and I'm joined today by Bram Oster, who keeps bees.

**Bram Oster:** Thanks for having me, Ada. It is a long way from the hives.

**Audience 2:** Louder, please!

**Ada Quill:** So Bram, how did it begin?

**Bram Oster:** With a swarm in a letterbox, and with nobody who dared to open it.
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    folder = tmp_path / "low-water"
    (folder / "first").mkdir(parents=True)
    for number in range(12):
        (folder / "first" / f"episode-{number}.md").write_text(TALK, encoding="utf-8")
    (folder / "README.md").write_text("These are our transcripts. Read them as you like.\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("label", ["Ada Quill", "Roos van der Meer", "Dr Bram Oster", "Ada"])
def test_a_persons_label_counts(label: str) -> None:
    assert is_persons(label)


@pytest.mark.parametrize(
    "label", ["Host", "Audience 2", "Unknown speaker", "Unidentified Male", "Intro", "Break", "All", "ad break"]
)
def test_a_label_that_is_nobodys_does_not_count(label: str) -> None:
    assert not is_persons(label)


def test_who_has_no_persons_name_stays_in_the_talk_and_is_not_counted() -> None:
    case = published_case(TALK.encode(), name="talk.md")
    assert case is not None
    assert sorted(case.truth.values()) == ["Ada Quill", "Bram Oster"]
    assert len(case.transcript.speakers) == 3
    assert [each.name for each in case.participants] == ["Ada Quill", "Bram Oster"]


def test_a_page_counts_where_two_people_are_named() -> None:
    assert published_case(b"A page without any talk in it.\n", name="page.md") is None
    assert published_case(TALK.replace("Bram Oster:", "Guest:").encode(), name="talk.md") is None


def test_a_name_is_called_where_it_is_set_off_greeted_or_introduced() -> None:
    def called(text: str) -> bool:
        case = published_case(
            TALK.replace("So Bram, how did it begin?", text).replace("by Bram Oster", "by him").encode(), name="x"
        )
        assert case is not None
        return "Bram Oster" in {case.truth[voice] for voice in called_voices(case)}

    assert called("It was long, Bram, was it not?")
    assert called("Welcome Bram to the show.")
    assert called("How did it begin, Bram?")
    assert not called("They told me that Bram keeps bees.")
    assert not called("How did it begin?")


def test_halves_are_told_by_the_path_and_share_no_page(house: Path) -> None:
    halves = [set(pages_of(house, half=half, only=None, draw=None)) for half in Half]
    assert halves[0]
    assert halves[1]
    assert not halves[0] & halves[1]
    assert halves[0] | halves[1] == set(house.rglob("*.md"))
    assert half_of("first/episode-1.md") is half_of("first/episode-1.md")


def test_a_draw_is_the_same_each_time_and_a_smaller_one_is_part_of_it(house: Path) -> None:
    large = pages_of(house, half=None, only="first/*", draw=8)
    assert len(large) == 8
    assert pages_of(house, half=None, only="first/*", draw=3) == large[:3]


def test_a_page_is_measured_without_and_with_its_participants(house: Path) -> None:
    result = measure_page(house / "first" / "episode-0.md")
    assert result is not None
    assert result.score.pages == 1
    assert (result.score.alone.speakers, result.score.alone.found, result.score.alone.wrong) == (2, 2, 0)
    assert (result.score.given.found, result.score.called, result.score.called_given) == (2, 2, 2)
    assert measure_page(house / "README.md") is None


def test_another_persons_name_is_told_from_another_spelling(tmp_path: Path) -> None:
    page = tmp_path / "talk.md"
    page.write_text(TALK.replace("I'm Ada Quill", "I'm Clara Winter").replace("Ada.", "Clara."), encoding="utf-8")
    wrong = measure_page(page)
    page.write_text(TALK.replace("I'm Ada Quill", "I'm Adda Qwill").replace("Ada.", "Adda."), encoding="utf-8")
    misspelt = measure_page(page)
    assert wrong is not None
    assert misspelt is not None
    assert (wrong.score.alone.wrong, wrong.score.another_alone) == (1, 1)
    assert (misspelt.score.alone.wrong, misspelt.score.another_alone) == (1, 0)


def test_the_command_prints_a_table_and_lists_only_what_may_be_seen(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for page in (house / "first").iterdir():
        page.write_text(TALK.replace("I'm Ada Quill", "I'm Clara Winter"), encoding="utf-8")
    assert main([str(house), "--failures"]) == 0
    printed = capsys.readouterr().out
    assert "| low-water | 12 | 24 |" in printed
    listed = {line.partition(": ")[0] for line in printed.splitlines() if line.startswith("first/")}
    assert listed == {f"first/episode-{n}.md" for n in range(12) if half_of(f"first/episode-{n}.md") is Half.SEEN}


def test_a_house_without_a_page_that_counts_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 1
    assert "no page" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([str(tmp_path / "nowhere")])


def test_the_interval_of_no_wrong_name_begins_at_none() -> None:
    assert "–" in table([("empty", PublishedScore())])


ONE_WORD = TALK.replace("**Ada Quill:**", "**Ada:**")


def scored(page: Path, text: str) -> PublishedScore:
    page.write_text(text, encoding="utf-8")
    result = measure_page(page)
    assert result is not None
    return result.score


def test_a_label_that_is_a_given_name_alone_leaves_the_surname_open(tmp_path: Path) -> None:
    found = scored(tmp_path / "talk.md", ONE_WORD)
    assert (found.alone.found, found.alone.wrong, found.another_alone) == (2, 0, 0)


def test_a_label_of_one_word_decides_nothing_between_two_of_that_name(tmp_path: Path) -> None:
    two = ONE_WORD.replace("**Audience 2:** Louder, please!", "**Ada Pym:** Louder, please!")
    found = scored(tmp_path / "talk.md", two)
    assert found.alone.wrong == 1


def test_a_given_name_in_somebody_elses_full_name_is_not_said() -> None:
    quiet = TALK.replace("I'm Ada Quill, and", "Here").replace(", Ada.", ".")
    assert _said(quiet) == {"Bram Oster"}
    assert _said(quiet.replace("It is a long way", "Ada Pym said it is a long way")) == {"Bram Oster"}
    assert _said(quiet.replace("It is a long way", "Ada said it is a long way")) == {"Ada Quill", "Bram Oster"}
    assert _said(quiet.replace("It is a long way", "Ada Quill said so. It is a long way")) == {
        "Ada Quill",
        "Bram Oster",
    }


def _said(text: str) -> set[str]:
    case = published_case(text.encode(), name="talk.md")
    assert case is not None
    return {case.truth[voice] for voice in case.said}


def test_an_initial_makes_no_name_wrong(tmp_path: Path) -> None:
    found = scored(tmp_path / "talk.md", TALK.replace("I'm Ada Quill", "I'm Ada B. Quill"))
    assert (found.alone.found, found.alone.wrong) == (2, 0)
