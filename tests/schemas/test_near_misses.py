"""What somebody may have meant who wrote a name that nothing has."""

from __future__ import annotations

import pytest

from schemas.near_misses import did_you_mean

STYLES = ("caps-list", "full-then-first", "name-line", "numbered-timestamps")


@pytest.mark.parametrize("asked", ["nam-line", "Name Line", "nameline", "name_line", "NAME-LINE", "names-line"])
def test_a_slip_is_taken_for_the_name_it_is_like(asked: str) -> None:
    assert did_you_mean(asked, STYLES) == "; did you mean 'name-line'?"


@pytest.mark.parametrize("asked", ["", "line", "vtt", "x" * 5000])
def test_nothing_is_offered_that_is_not_alike(asked: str) -> None:
    assert did_you_mean(asked, STYLES) == ""
