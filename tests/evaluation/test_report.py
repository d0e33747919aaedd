"""The HTML report: every word is text, whatever it holds, and stands with what became of it."""

from __future__ import annotations

from dataclasses import replace

import html5lib

from evaluation.comparison import Comparison, compare
from evaluation.report import LABELS, WIDTH, bands, lines, render_report
from evaluation.said import Said, SaidWord
from transcription.ports import VoiceTurn


def said(*lines: tuple[str, str], names: tuple[tuple[str, str], ...] = ()) -> Said:
    words: list[SaidWord] = []
    voices: list[VoiceTurn] = []
    for number, (speaker, text) in enumerate(lines):
        start = float(len(words))
        for word in text.split():
            words.append(SaidWord(word, speaker, float(len(words)), len(words) + 0.9, number, 0))
        voices.append(VoiceTurn(start, float(len(words)), speaker))
    return Said(tuple(words), names, tuple(voices), float(len(words)))


def ferry() -> Comparison:
    truth = said(("ada", "who rows the ferry today"), ("bo", "my aunt does"))
    heard = said(("S1", "who sails the ferry"), ("S2", "today my aunt does"), names=(("S1", "Ada Quill"),))
    return compare(truth, heard)


def test_each_line_is_a_turn_of_the_page_with_what_became_of_its_words() -> None:
    first, second = lines(ferry())

    assert (first.label, second.label) == ("Ada Quill", "S2")
    assert [(token.fate, token.said, token.printed) for token in first.tokens[:2]] == [
        ("same", "", "who"),
        ("other", "rows", "sails"),
    ]
    assert [token.printed for token in second.tokens if token.is_misplaced] == ["today"]


def test_a_missing_word_stands_in_the_turn_of_who_said_it() -> None:
    truth = said(("ada", "who rows the ferry today"), ("bo", "well my aunt does"))
    heard = said(("S1", "who rows the ferry"), ("S2", "my aunt does"))

    first, second = lines(compare(truth, heard))

    assert [token.said for token in first.tokens if token.fate == "missing"] == ["today"]
    assert [token.said for token in second.tokens if token.fate == "missing"] == ["well"]


def test_every_second_of_both_sides_is_drawn_once_and_matched_speakers_share_a_lane() -> None:
    truth = said(("ada", "one " * 300), ("bo", "two " * 100))
    comparison = compare(truth, replace(truth, names=(("ada", "Ada Quill"),)))

    drawn = [bar for band in bands(comparison) for bar in band.bars]

    assert len(list(bands(comparison))) == 4
    assert round(sum(bar.width for bar in drawn if bar.kind == "said") / (WIDTH - LABELS) * 102) == 400
    assert min(bar.x for bar in drawn) == LABELS
    assert {len(band.lanes) for band in bands(comparison)} == {2}
    assert {bar.hue for bar in drawn if "bo" in bar.title} != {bar.hue for bar in drawn if "Ada" in bar.title}


def test_a_voice_that_belongs_to_nobody_has_a_row_that_is_told_apart() -> None:
    truth = said(("ada", "one " * 30), ("bo", "two " * 30), names=(("ada", "Ada Quill"), ("bo", "Bo Lind")))
    heard = said(("S1", "one " * 20), ("S2", "one " * 10), ("S3", "two " * 30), names=(("S2", "Bo Lind"),))
    comparison = compare(truth, heard)

    [band] = bands(comparison)

    assert [(lane.label, lane.is_matched) for lane in band.lanes] == [
        ("Ada Quill", True),
        ("Bo Lind", True),
        ("Bo Lind", False),
    ]
    assert b'left-over"' in render_report(comparison, reference="a", hypothesis="b")
    assert b'left-over"' not in render_report(compare(truth, truth), reference="a", hypothesis="b")


def test_a_page_without_times_has_no_drawing() -> None:
    comparison = ferry()

    assert list(bands(replace(comparison, heard=replace(comparison.heard, voices=())))) == []


def test_words_and_names_are_text_whatever_they_hold() -> None:
    truth = said(("ada", "who rows"))
    heard = said(("S1", "<script>alert(1)</script> \x00rows"), names=(("S1", '"><img src=x>'),))

    page = render_report(compare(truth, heard), reference="<b>.json", hypothesis="a&b.json").decode("utf-8")
    document = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)

    assert {each.tag for each in document.iter() if isinstance(each.tag, str)}.isdisjoint({"script", "img"})
    assert "&lt;script&gt;" in page
    assert "\x00" not in page
