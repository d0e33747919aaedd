"""The one byte range that a Range header asks for (RFC 9110, section 14)."""

from __future__ import annotations

import re

_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


def requested_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Start and end (exclusive) of the bytes to send; the whole where the header is absent or not understood.

    None means the range lies outside the `size` bytes there are (416). Several ranges are answered as the whole.
    """
    if header is None:
        return 0, size
    match = _RANGE.match(header.strip())
    if match is None or match.groups() == ("", ""):
        return 0, size
    first, last = match.groups()
    if first == "":
        start, end = max(size - int(last), 0), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
    return (start, end) if start < end else None
