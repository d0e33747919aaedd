"""Files that a command leaves behind: whole, or as they were before."""

from __future__ import annotations

import os
from pathlib import Path

from schemas.errors import InputError


def write_file(path: Path, content: bytes) -> None:
    """Write the file beside its place and move it there, so that a full disk or Ctrl-C leaves what was there.

    What is no plain file, such as /dev/stdout, is written to directly, and so is a file in a folder that takes no
    other. Raises InputError `output_unwritable`.
    """
    try:
        place = Path(os.path.realpath(path))  # a link stays one
        is_plain = place.is_file() if path.exists() else not place.is_symlink()  # links may run in a ring
        if is_plain and os.access(place.parent, os.W_OK):
            _replace(place, content)
        else:
            path.write_bytes(content)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}", code="output_unwritable") from error


def _replace(place: Path, content: bytes) -> None:
    mode = None
    if place.exists():
        place.open("r+b").close()  # one that may not be written stays
        mode = place.stat().st_mode
    unfinished = place.with_name(f".stenocast-{os.getpid()}.part")
    try:
        unfinished.write_bytes(content)
        if mode is not None:
            unfinished.chmod(mode)
        unfinished.replace(place)
    finally:
        unfinished.unlink(missing_ok=True)
