"""The shows' glossaries: a folder with one TOML file each, `<show>.toml`."""

from __future__ import annotations

from pathlib import Path

from schemas.errors import NotFound, OptionError
from schemas.job import Term
from transcription.glossary import LARGEST_BYTES, glossary_name, read_glossary


def no_glossary(show: str | None) -> tuple[Term, ...]:
    """Where no folder is set."""
    return ()


def show_glossary(folder: Path | None, show: str | None) -> tuple[Term, ...]:
    """The glossary kept for a show; empty where it has none. Read anew each time: people edit it.

    Raises OptionError `glossary_invalid`.
    """
    name = glossary_name(show) if folder is not None and show else ""
    if folder is None or not name or len(name.encode()) > 250:
        return ()
    path = folder.expanduser() / f"{name}.toml"
    return glossary_file(path) if path.is_file() else ()


def glossary_file(path: Path) -> tuple[Term, ...]:
    """The glossary in a file. Raises NotFound, OptionError `glossary_invalid`."""
    if not path.is_file():
        raise NotFound(f"{path}: no such file", code="file_not_found", field="glossary")
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise OptionError(
            f"{path}: cannot be read: {error.strerror}", code="glossary_invalid", field="glossary"
        ) from error
    return read_glossary(content, name=str(path))
