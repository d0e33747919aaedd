"""RTTM, CTM and STM: read again by the tools that score them."""

from __future__ import annotations

import re
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest

from formats.catalogue import read, render
from schemas.episode import AudioInfo, Episode
from schemas.errors import PageError
from schemas.transcript import Paragraph, Speaker, Transcript, Turn, Word

#: Compiled at every install, and so not among the development packages: `make evaluate` installs it.
needs_meeteval = pytest.mark.skipif(find_spec("meeteval") is None, reason="meeteval is not installed")


def words_of(transcript: Transcript) -> list[Word]:
    return [word for turn in transcript.turns for p in turn.paragraphs for word in p.words]


def written(tmp_path: Path, transcript: Transcript, format: str) -> Path:
    path = tmp_path / f"made.{format}"
    path.write_bytes(render(transcript, format=format))
    return path


@needs_meeteval
def test_meeteval_reads_who_speaks_when_from_rttm(tmp_path: Path, transcript: Transcript) -> None:
    import meeteval

    rows = meeteval.io.RTTM.load(written(tmp_path, transcript, "rttm")).lines

    assert {row.filename for row in rows} == {"lamp"}
    assert list(dict.fromkeys(row.speaker_id for row in rows)) == [t.speaker for t in transcript.turns[:1]] + [
        "S2", "S3", "S4",
    ]  # fmt: skip
    first = words_of(transcript)[0]
    assert float(rows[0].begin_time) == pytest.approx(first.start, abs=0.001)
    assert all(float(row.duration) > 0 for row in rows)


def test_pyannote_reads_the_same_annotation(tmp_path: Path, transcript: Transcript) -> None:
    from pyannote.database.util import load_rttm

    [(name, annotation)] = load_rttm(str(written(tmp_path, transcript, "rttm"))).items()

    assert name == "lamp"
    assert sorted(annotation.labels()) == ["S1", "S2", "S3", "S4"]


def test_no_stretch_of_speech_spans_a_pause(transcript: Transcript) -> None:
    rows = [line.split() for line in render(transcript, format="rttm").decode().splitlines()]

    spans = [(float(row[3]), float(row[3]) + float(row[4]), row[7]) for row in rows]
    assert all(len(row) == 10 for row in rows)
    for (_, end, who), (start, _, other) in pairwise(spans):
        assert who != other or start - end >= 0.499


@needs_meeteval
def test_every_word_that_was_heard_is_in_the_ctm_once(tmp_path: Path, transcript: Transcript) -> None:
    import meeteval

    rows = meeteval.io.CTM.load(written(tmp_path, transcript, "ctm")).lines

    heard = words_of(transcript)
    assert sorted(row.word for row in rows) == sorted(word.text for word in heard)
    starts = [float(row.begin_time) for row in rows]
    assert starts == sorted(starts)
    assert float(rows[0].confidence) == pytest.approx(heard[0].probability, abs=0.001)


@needs_meeteval
def test_stm_has_each_paragraph_with_its_speaker(tmp_path: Path, transcript: Transcript) -> None:
    import meeteval

    rows = meeteval.io.STM.load(written(tmp_path, transcript, "stm")).lines

    assert len(rows) == sum(len(turn.paragraphs) for turn in transcript.turns)
    said = " ".join(row.transcript for row in rows).split()
    assert sorted(said) == sorted(word.text for word in words_of(transcript))


@needs_meeteval
def test_a_page_with_start_times_can_be_scored(golden: Path, tmp_path: Path) -> None:
    import meeteval

    page = read((golden / "pages" / "numbered-timestamps.txt").read_bytes())

    rows = meeteval.io.STM.load(written(tmp_path, page, "stm")).lines

    assert [int(float(row.begin_time)) for row in rows] == [9, 21, 22, 22, 119, 3600]
    assert all(row.end_time > row.begin_time for row in rows)


@pytest.mark.parametrize("format", ["rttm", "ctm", "stm"])
def test_a_document_without_times_is_refused(golden: Path, format: str) -> None:
    page = read((golden / "pages" / "name-line.txt").read_bytes())

    with pytest.raises(PageError, match=f"the format {format} needs them") as caught:
        render(page, format=format)

    assert caught.value.code == "times_missing"


EVIL = [
    "{",
    "um}",
    "/",
    "@",
    "(um)",
    "<b>",
    ";;comment",
    "IGNORE_TIME_SEGMENT_IN_SCORING",
    "a\\b",
    "*",
    "x\ny",
    "\u202e",
    "=1",
]


@needs_meeteval
def test_no_word_is_markup_for_a_scoring_tool(tmp_path: Path) -> None:
    import meeteval

    words = tuple(Word(text, n / 1, n + 0.5) for n, text in enumerate(EVIL))
    turn = Turn("T1", "S 1;;", (Paragraph("P1", " ".join(EVIL), 0.0, 20.0, words),), 0.0, 20.0)
    transcript = Transcript(
        Episode("x", audio=AudioInfo(file_name=";; my file <1>.mp3")), speakers=(Speaker("S 1;;"),), turns=(turn,)
    )

    for format in ("rttm", "ctm", "stm"):
        content = render(transcript, format=format).decode()
        for line in content.splitlines():
            assert not re.search(r"[{}()\\;\u202e]", line)
            assert not re.search(r"(?:^| )[/@*](?: |$)", line)
            assert "<" not in line.replace("<NA>", "")
            assert "IGNORE_TIME" not in line
            assert "my-file-1 1 " in line
    assert len(meeteval.io.CTM.load(written(tmp_path, transcript, "ctm")).lines) == len(EVIL) - 1
    assert len(meeteval.io.STM.load(written(tmp_path, transcript, "stm")).lines) == 1


def test_words_that_nobody_said_are_unknown_and_speakers_go_by_their_ids() -> None:
    words = (Word("So.", 1.0, 1.0),)
    turns = (Turn("T1", None, (Paragraph("P1", "So.", 1.0, 1.0, words),), 1.0, 1.0),)

    assert render(Transcript(Episode("x", title="Ada & Co"), turns=turns), format="rttm") == (
        b"SPEAKER ada-co 1 1.000 0.001 <NA> <NA> unknown <NA> <NA>\n"
    )
