"""What may be a key of a store, wherever it lies, and under which keys results lie."""

from __future__ import annotations

from schemas.errors import OptionError

#: Names of one path part may be 255 bytes on every file system we meet; ours needs room for nothing else.
LONGEST_PART_BYTES = 255
LONGEST_KEY_BYTES = 1024  #: S3's limit, so that a key that is good in a folder is good there

RESULTS = "results/"  #: all of them


def upload_key(sha256: str) -> str:
    """Where an upload lies, by the hash of its bytes."""
    return f"uploads/{sha256}/audio"


def results_of(job_id: str) -> str:
    """Where the results of all attempts at a job lie."""
    return f"{RESULTS}{job_id}/"


def result_prefix(job_id: str, token: int) -> str:
    """Where the results of one lease lie."""
    return f"{results_of(job_id)}{token}/"


def attempt_of(key: str) -> tuple[str, int] | None:
    """Job and token of a result, `results/<job>/<token>/…`; None for what looks otherwise, which nobody removes."""
    parts = key.removeprefix(RESULTS).split("/")
    if len(parts) < 3 or not (parts[1].isascii() and parts[1].isdigit()):
        return None
    return parts[0], int(parts[1])


def check_key(key: str) -> None:
    """Raise OptionError `bad_key` for a key that is not a plain relative path."""
    parts = key.split("/")
    too_long = len(key.encode(errors="replace")) > LONGEST_KEY_BYTES or any(
        len(part.encode(errors="replace")) > LONGEST_PART_BYTES for part in parts
    )
    unsafe = any(part == "" or part.startswith(".") for part in parts) or "\\" in key
    if too_long or unsafe or any(not character.isprintable() for character in key):
        raise OptionError(f"{key[:80]!r} cannot be a key of the store", code="bad_key")
