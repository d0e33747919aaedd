"""What no job may be asked for, whichever door it comes by."""

from __future__ import annotations

import pytest

from schemas.errors import OptionError
from schemas.job import JobOptions, Term
from transcription.options import check_options


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (JobOptions(speakers=0), "speakers"),
        (JobOptions(speakers=51), "speakers"),
        (JobOptions(min_speakers=3, max_speakers=2), "min_speakers"),
        (JobOptions(language="klingon"), "language"),
        (JobOptions(language="e1"), "language"),
        (JobOptions(vocabulary=("x",) * 501), "vocabulary"),
    ],
)
def test_an_impossible_option_is_named(options: JobOptions, field: str) -> None:
    with pytest.raises(OptionError) as caught:
        check_options(options)
    assert caught.value.field == field


def test_a_wrong_glossary_is_refused() -> None:
    with pytest.raises(OptionError) as caught:
        check_options(JobOptions(glossary=(Term("…"),)))

    assert caught.value.code == "glossary_invalid"
