"""Times of day-less clocks: seconds to the printed forms and back."""

from __future__ import annotations

import math
import re

from formats.house_style import TimeForm

#: A time as pages print it, for expressions that look for one; `parse_time` decides.
TIME = r"\d{1,3}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?"
_PRINTED = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):(\d{2})(?:([.,])(\d{1,3}))?")


def milliseconds(seconds: float) -> int:
    """Whole milliseconds, never below zero. A value that is no number counts as zero."""
    return max(0, round(seconds * 1000)) if math.isfinite(seconds) else 0


def print_time(seconds: float, form: TimeForm) -> str:
    """The time in a printed form. Fractions are dropped, never rounded: 11.999 s is 00:00:11."""
    whole, fraction = divmod(milliseconds(seconds), 1000)
    hours, rest = divmod(whole, 3600)
    minutes, second = divmod(rest, 60)
    clock, _, thousandths = form.replace(",", ".").partition(".")
    if clock.startswith("H"):
        printed = f"{hours:0{clock.count('H')}d}:{minutes:02d}:{second:02d}"
    else:
        printed = f"{hours * 60 + minutes:0{clock.count('M')}d}:{second:02d}"
    if thousandths:
        printed += form[len(clock)] + f"{fraction:03d}"[: len(thousandths)]
    return printed


def parse_time(printed: str) -> tuple[float, TimeForm] | None:
    """Seconds and the form they were printed in; None for what no form explains.

    "00:12" is minutes and seconds, "0:00:12" hours.
    """
    match = _PRINTED.fullmatch(printed)
    if match is None or not printed.isascii():
        return None
    hours, minutes, second, point, fraction = match.groups()
    whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(second)
    seconds = (whole * 1000 + int((fraction or "0").ljust(3, "0"))) / 1000
    tail = f":SS{point}{'m' * len(fraction)}" if fraction else ":SS"
    for clock in ("HH:MM", "H:MM") if hours else ("MM", "M"):
        if print_time(seconds, clock + tail) == printed:
            return seconds, clock + tail
    return None
