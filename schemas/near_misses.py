"""What somebody may have meant who wrote a name that nothing has."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

#: How alike two names must be, of 1. "nam-line" and "Name Line" are meant as "name-line" (0.94 and 0.89 by
#: difflib's ratio), "docs" as "docx" (0.75); "html" is not "xml" (0.57), nor "vtt" "srt" (0.33).
_ALIKE = 0.7


def did_you_mean(asked: str, known: Iterable[str]) -> str:
    """A question to put behind an error, such as "; did you mean 'name-line'?"; empty where nothing is like it."""
    written = {each.casefold(): each for each in known}
    near = get_close_matches(asked.casefold()[:80], written, n=1, cutoff=_ALIKE)
    return f"; did you mean {written[near[0]]!r}?" if near else ""
