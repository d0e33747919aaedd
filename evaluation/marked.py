"""Pages of the docs that a command writes a part of: what stands between two marks is replaced, the rest stays."""

from __future__ import annotations

from pathlib import Path


def written_between(page: str, block: str, mark: str) -> str:
    """The page with the block between its marks; a page without them gets them, with the block, at its end."""
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    marked = f"{begin}\n{block}\n{end}"
    if begin in page and end in page:
        before, rest = page.split(begin, 1)
        return before + marked + rest.split(end, 1)[1]
    return f"{page.rstrip()}\n\n{marked}\n" if page.strip() else f"{marked}\n"


def write_between(path: Path, block: str, mark: str) -> None:
    """The same to a file, which is made where it is missing."""
    page = path.read_text(encoding="utf-8") if path.is_file() else ""
    path.write_text(written_between(page, block, mark), encoding="utf-8")
