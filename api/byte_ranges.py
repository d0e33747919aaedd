"""The one byte range that a Range header asks for (RFC 9110, section 14)."""

from __future__ import annotations

import re

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})$")


def requested_range(header: str | None, size: int) -> tuple[int, int, bool] | None:
    """Start and end (exclusive) of the bytes to send, and whether that is a range (206) or the whole (200).

    A header that is absent, not understood or asks for several ranges is answered with the whole. None means the
    range lies outside the `size` bytes there are (416).
    """
    match = _RANGE.match((header or "").strip())
    if match is None or match.groups() == ("", ""):
        return 0, size, False
    first, last = match.groups()
    if first == "":
        start, end = max(size - int(last), 0), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
    return (start, end, True) if start < end else None
