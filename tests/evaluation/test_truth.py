"""Truth is read from RTTM, STM and JSON, and a file that is none of them is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluation.truth import choose, read_rttm, read_stm, read_turns, read_words, recordings
from schemas.errors import NotFound, PageError
from transcription.ports import VoiceTurn

ROOT = Path(__file__).resolve().parents[2]


def test_rttm_gives_the_turns_of_one_recording_in_order(tmp_path: Path) -> None:
    page = tmp_path / "talks.rttm"
    page.write_text(
        "SPEAKER one 1 2.500 1.250 <NA> <NA> ada <NA> <NA>\n"
        "SPEAKER two 1 0.000 9.000 <NA> <NA> bo <NA> <NA>\n"
        "SPEAKER one 1 0.500 1.000 <NA> <NA> cleo <NA> <NA>\n"
    )

    assert read_rttm(page, "one") == (VoiceTurn(0.5, 1.5, "cleo"), VoiceTurn(2.5, 3.75, "ada"))
    assert len(read_rttm(page)) == 3


def test_rttm_may_begin_with_a_byte_order_mark_and_hold_comments_and_other_lines(tmp_path: Path) -> None:
    page = tmp_path / "talk.rttm"
    page.write_text(
        "SPEAKER one 1 0.5 1.0 <NA> <NA> ada <NA> <NA>\n"
        ";; by hand\n\n"
        "SPKR-INFO one 1 <NA> <NA> <NA> unknown ada <NA> <NA>\n",
        encoding="utf-8-sig",
    )

    assert read_rttm(page) == (VoiceTurn(0.5, 1.5, "ada"),)


def test_stm_gives_utterances_and_skips_comments(tmp_path: Path) -> None:
    page = tmp_path / "talk.stm"
    page.write_text(";; by hand\nferry 1 ada 0.5 2.0 Who rows the ferry?\nferry 1 bo 2.0 2.2\n")

    assert [(each.speaker, each.text) for each in read_stm(page)] == [("ada", "Who rows the ferry?"), ("bo", "")]


def test_turns_give_words_voices_and_names(tmp_path: Path) -> None:
    page = tmp_path / "talk.turns.json"
    records = [
        {"start": 2.0, "end": 3.0, "speaker": "b", "text": "my aunt"},
        {"start": 0.0, "end": 1.0, "speaker": "a", "name": "Ada Quill", "text": "who rows"},
    ]
    page.write_text(json.dumps(records))

    truth = read_turns(page)

    assert truth.text == "who rows my aunt"
    assert truth.voices == (VoiceTurn(0.0, 1.0, "a"), VoiceTurn(2.0, 3.0, "b"))
    assert truth.names == (("a", "Ada Quill"),)
    assert truth.voice_count() == 2


def test_words_give_one_utterance_each(tmp_path: Path) -> None:
    page = tmp_path / "talk.words.json"
    page.write_text(json.dumps([{"start": 0.0, "end": 0.2, "speaker": "a", "word": "row"}]))

    assert [each.text for each in read_words(page)] == ["row"]


@pytest.mark.parametrize(
    ("read", "content"),
    [
        (read_rttm, "SPEAKER one 1 soon 1.0 <NA> <NA> ada <NA> <NA>\n"),
        (read_rttm, "Ada rows the ferry.\n"),
        (read_rttm, "\0\udcff"),
        (read_stm, "ferry 1 ada 0.5\n"),
        (read_stm, "\0\udcff"),
        (read_turns, "not json"),
        (read_turns, '[{"start": 1.0}]'),
        (read_words, '{"start": 1.0}'),
    ],
)
def test_a_file_that_is_something_else_is_named(tmp_path: Path, read: object, content: str) -> None:
    page = tmp_path / "broken.txt"
    page.write_bytes(content.encode("utf-8", "surrogateescape"))

    with pytest.raises(PageError, match=r"broken\.txt"):
        read(page)  # type: ignore[operator]


def test_recordings_that_are_absent_are_left_out(tmp_path: Path) -> None:
    names = {each.name for each in recordings(tmp_path / "checkout")}

    assert names <= {"telephone"}


def test_the_shared_recordings_are_found_with_their_truth(shared: Path) -> None:
    known = {each.name: each for each in recordings(ROOT)}

    four = known["conv-four"].truth
    assert four.voice_count() == 4
    assert len(four.utterances) > 20
    assert four.names == ()
    assert known["meeting trn00"].truth.text.startswith("'Kay Okay Gosh")
    assert known["meeting dev00"].truth.text == ""


def test_choosing_takes_names_and_groups_and_refuses_others(shared: Path) -> None:
    known = recordings(ROOT)

    assert {each.group for each in choose(known, ["meetings", "jfk"])} == {"meetings", "jfk"}
    assert choose(known, []) == known
    assert [each.name for each in choose(known, ["jfk", "conv-two", "jfk"])] == ["jfk", "conv-two"]
    with pytest.raises(NotFound, match="conv-nine"):
        choose(known, ["conv-nine"])
