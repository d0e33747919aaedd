"""Pages of the same family that nobody has seen: read for what they are, written back byte for byte."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from formats.catalogue import read, render

sys.path.insert(0, str(Path(__file__).parent))
from family import FORMS, Form, MadePage, pages

SETTINGS = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def check(made: MadePage) -> None:
    transcript = read(made.content)

    assert render(transcript) == made.content
    assert render(read(render(transcript, format="json"))) == made.content
    said = [tuple(p.text for p in turn.paragraphs) for turn in transcript.turns]
    assert said == [paragraphs for _, paragraphs in made.turns]
    seen = dict.fromkeys(number for number, _ in made.turns)
    numbers = {speaker.id: number for speaker, number in zip(transcript.speakers, seen, strict=True)}
    assert [numbers[turn.speaker or ""] for turn in transcript.turns] == [number for number, _ in made.turns]
    if made.form.has_times:
        assert [turn.start for turn in transcript.turns] == list(made.starts)
    else:
        assert all(turn.start is None for turn in transcript.turns)
    if made.form.has_names and made.form.name != "NAME:":
        assert [speaker.name for speaker in transcript.speakers] == [made.names[n - 1] for n in seen]
    assert transcript.layout is not None
    for mark in transcript.layout.marks:
        if mark.kind not in ("label_form", "time_form", "number"):
            assert not re.search(r"\w", mark.value.replace("{label}", "").replace("{time}", ""))


@pytest.mark.parametrize("form", FORMS, ids=[form.name for form in FORMS])
def test_a_page_of_each_label_form_is_read_and_written_back(form: Form) -> None:
    @SETTINGS
    @given(pages(form))
    def test(made: MadePage) -> None:
        check(made)

    run: Callable[[], None] = test
    run()
