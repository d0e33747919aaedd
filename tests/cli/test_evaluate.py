"""`stenocast evaluate` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from schemas.episode import Episode
from schemas.errors import NotFound, PageError
from schemas.transcript import Paragraph, Speaker, Transcript, Turn, Word
from schemas.wire import write_json

RUN = CliRunner()


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """Two people, of whom one is heard wrong in one word."""
    heard = ["who", "sails", "the", "ferry", "my", "aunt"]
    words = tuple(Word(text, n * 0.5, n * 0.5 + 0.5) for n, text in enumerate(heard))
    turns = tuple(
        Turn(f"t{n}", f"S{n}", (Paragraph(f"t{n}-p1", " ".join(w.text for w in part), words=part),))
        for n, part in enumerate((words[:4], words[4:]), start=1)
    )
    path = tmp_path / "ferry.transcript.json"
    path.write_bytes(write_json(Transcript(Episode("e"), (Speaker("S1", name="Ada"), Speaker("S2")), turns)))
    return path


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    turns = [
        {"start": 0.0, "end": 2.0, "speaker": "ada", "name": "Ada Quill", "text": "who rows the ferry"},
        {"start": 2.0, "end": 3.0, "speaker": "bo", "name": "Bo Tarn", "text": "my aunt"},
    ]
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(turns))
    return path


def test_it_prints_the_figures_and_writes_json_and_a_report(document: Path, truth: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"

    result = RUN.invoke(
        app, ["evaluate", "--reference", str(truth), "--hypothesis", str(document), "-o", str(folder)]
    )

    assert result.exit_code == 0, result.output
    assert "16.7 %" in result.stdout
    record = json.loads((folder / "ferry.evaluation.json").read_bytes())
    assert record["measures"]["wer"] == pytest.approx(1 / 6)
    assert record["measures"]["names"] == {"right": 1, "wrong": 0, "missing": 1, "misspelt": 0}
    assert record["rates"]["name_abstention"] == 0.5
    assert record["measures"]["der"] == 0.0
    assert "<del>rows</del>" in (folder / "ferry.evaluation.html").read_text()


def test_nobody_says_what_is_invented_where_the_reference_is_of_voices_alone(document: Path, tmp_path: Path) -> None:
    voices = tmp_path / "voices.rttm"
    voices.write_text("SPEAKER ferry 1 0.0 2.0 <NA> <NA> ada <NA> <NA>\n")

    result = RUN.invoke(
        app, ["evaluate", "--reference", str(voices), "--hypothesis", str(document), "-o", str(tmp_path)]
    )

    assert "invented words" in result.stdout
    assert next(line for line in result.stdout.splitlines() if "invented words" in line).split()[2] == "–"


def test_a_dash_gives_the_json_alone(document: Path, truth: Path) -> None:
    result = RUN.invoke(app, ["evaluate", "--reference", str(truth), "--hypothesis", str(document), "-o", "-"])

    assert json.loads(result.stdout)["measures"]["cpwer"] == pytest.approx(1 / 6)


def test_a_page_without_times_is_measured_as_far_as_it_goes(document: Path, tmp_path: Path) -> None:
    page = tmp_path / "ferry.txt"
    page.write_text("Ada Quill\n\nWho rows the ferry?\n\nBo Tarn\n\nMy aunt.\n\nAda Quill\n\nAnd who sings?\n")

    result = RUN.invoke(app, ["evaluate", "--reference", str(page), "--hypothesis", str(document), "-o", "-"])

    record = json.loads(result.stdout)
    assert record["measures"]["wer"] == pytest.approx(4 / 9)
    assert record["measures"]["der"] is None
    assert any("reference has words without times" in note for note in record["notes"])


def test_rttm_gives_the_voices_and_stm_the_words(document: Path, tmp_path: Path) -> None:
    stm, rttm = tmp_path / "ferry.stm", tmp_path / "ferry.rttm"
    stm.write_text("ferry 1 ada 0.0 2.0 who rows the ferry\nferry 1 bo 2.0 3.0 my aunt\n")
    rttm.write_text("SPEAKER ferry 1 0.0 3.0 <NA> <NA> ada <NA> <NA>\n")
    both = ["evaluate", "--reference", str(stm), "--voices", str(rttm), "--hypothesis", str(document), "-o", "-"]

    measures = json.loads(RUN.invoke(app, both).stdout)["measures"]

    assert measures["der"] == pytest.approx(1 / 3)
    assert (measures["speakers"], measures["true_speakers"]) == (2, 1)


@pytest.mark.parametrize(
    ("content", "error"), [(None, NotFound), ("[1, 2", PageError), ("nobody: said\nnothing", PageError)]
)
def test_a_reference_that_is_none_is_named(document: Path, tmp_path: Path, content: str | None, error: type) -> None:
    reference = tmp_path / "reference.json"
    if content is not None:
        reference.write_text(content)

    result = RUN.invoke(app, ["evaluate", "--reference", str(reference), "--hypothesis", str(document)])

    assert isinstance(result.exception, error)
    assert "reference.json" in str(result.exception)
