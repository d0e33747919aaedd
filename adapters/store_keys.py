"""What may be a key of a store, wherever it lies."""

from __future__ import annotations

from schemas.errors import OptionError

#: Names of one path part may be 255 bytes on every file system we meet; ours needs room for nothing else.
LONGEST_PART_BYTES = 255
LONGEST_KEY_BYTES = 1024  #: S3's limit, so that a key that is good in a folder is good there


def check_key(key: str) -> None:
    """Raise OptionError `bad_key` for a key that is not a plain relative path."""
    parts = key.split("/")
    too_long = len(key.encode(errors="replace")) > LONGEST_KEY_BYTES or any(
        len(part.encode(errors="replace")) > LONGEST_PART_BYTES for part in parts
    )
    unsafe = any(part == "" or part.startswith(".") for part in parts) or "\\" in key
    if too_long or unsafe or any(not character.isprintable() for character in key):
        raise OptionError(f"{key[:80]!r} cannot be a key of the store", code="bad_key")
