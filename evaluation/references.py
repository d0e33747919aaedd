"""A reference or a hypothesis from a file: a document, a page, captions, or a truth in STM, RTTM or JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from evaluation.said import Said, said_in_document, said_in_truth
from evaluation.truth import Truth, read_rttm, read_stm, read_turns, read_words
from schemas.errors import NotFound, PageError


def read_said(path: Path, *, voices: Path | None = None) -> Said:
    """What the file says was said. `voices`: an RTTM file whose turns take the place of those of the words.

    Raises NotFound, PageError.
    """
    said = _read(path)
    return said if voices is None else replace(said, voices=read_rttm(_existing(voices)))


def _read(path: Path) -> Said:
    content = _existing(path).read_bytes()
    if path.suffix == ".rttm":
        return said_in_truth(Truth(voices=read_rttm(path)))
    if path.suffix == ".stm":
        return said_in_truth(Truth(read_stm(path)))
    if path.suffix == ".json" and content.lstrip()[:1] == b"[":
        return said_in_truth(_listed(path, content))
    from formats.catalogue import read

    return said_in_document(read(content, name=path.name))


def _listed(path: Path, content: bytes) -> Truth:
    """A list of turns, or of single words."""
    try:
        records = json.loads(content)
    except ValueError as error:
        raise PageError(f"{path.name}: not JSON: {error}") from error
    is_words = bool(records) and isinstance(records[0], dict) and "word" in records[0]
    return Truth(read_words(path)) if is_words else read_turns(path)


def _existing(path: Path) -> Path:
    if not path.is_file():
        what = "is a folder, not a file" if path.is_dir() else "no such file"
        raise NotFound(f"{path}: {what}", code="file_not_found", field="reference")
    return path
