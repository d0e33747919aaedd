"""Times of day-less clocks: seconds to the printed forms and back."""

from __future__ import annotations

import math
import re

from formats.house_style import TimeForm

_PRINTED = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):(\d{2})(?:\.(\d{1,3}))?")
#: Tried in this order, so that "00:12" is minutes and "0:00:12" hours.
FORMS: tuple[TimeForm, ...] = ("HH:MM:SS", "H:MM:SS", "MM:SS", "M:SS", "HH:MM:SS.mmm")


def milliseconds(seconds: float) -> int:
    """Whole milliseconds, never below zero. A value that is no number counts as zero."""
    return max(0, round(seconds * 1000)) if math.isfinite(seconds) else 0


def print_time(seconds: float, form: TimeForm) -> str:
    """The time in a printed form. Fractions are dropped, never rounded: 11.999 s is 00:00:11."""
    whole, fraction = divmod(milliseconds(seconds), 1000)
    hours, rest = divmod(whole, 3600)
    minutes, second = divmod(rest, 60)
    match form:
        case "HH:MM:SS.mmm":
            return f"{hours:02d}:{minutes:02d}:{second:02d}.{fraction:03d}"
        case "HH:MM:SS":
            return f"{hours:02d}:{minutes:02d}:{second:02d}"
        case "H:MM:SS":
            return f"{hours}:{minutes:02d}:{second:02d}"
        case "MM:SS":
            return f"{hours * 60 + minutes:02d}:{second:02d}"
    return f"{hours * 60 + minutes}:{second:02d}"


def parse_time(printed: str) -> tuple[float, TimeForm] | None:
    """Seconds and the form they were printed in; None for what no form explains."""
    match = _PRINTED.fullmatch(printed)
    if match is None:
        return None
    hours, minutes, second, fraction = match.groups()
    whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(second)
    seconds = (whole * 1000 + int((fraction or "0").ljust(3, "0"))) / 1000
    for form in FORMS:
        if print_time(seconds, form) == printed:
            return seconds, form
    return None
