"""What docs/names.md says of our own sets is what docs/naming-figures.md last measured."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
COLUMNS = 9  #: of the table that `python -m evaluation.naming --write docs/naming-figures.md` writes


def rows(page: str) -> list[list[str]]:
    """The cells of every table row of a page."""
    lines = [line for line in page.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_summary_repeats_the_newest_figures_of_our_own_sets() -> None:
    block = re.search(
        r"<!-- naming: begin -->(.*)<!-- naming: end -->",
        (DOCS / "naming-figures.md").read_text(encoding="utf-8"),
        re.DOTALL,
    )
    assert block is not None
    measured = {row[0]: row for row in rows(block[1]) if len(row) == COLUMNS}
    summary = rows((DOCS / "names.md").read_text(encoding="utf-8"))

    for name in ("held_out", "voices_unseen"):
        _, _, speakers, wrong, found, _, _, wrong_given, found_given = measured[name]
        place = next(i for i, row in enumerate(summary) if f"`{name}`" in row[0])
        assert summary[place][1:4] == [speakers, wrong, found]
        assert summary[place + 1][1:4] == [speakers, wrong_given, found_given]


def test_make_evaluate_writes_onto_the_page_that_has_the_table() -> None:
    makefile = (DOCS.parent / "Makefile").read_text(encoding="utf-8")
    page = re.search(r"-m evaluation\.naming --write docs/(\S+)$", makefile, re.MULTILINE)

    assert page is not None
    assert "<!-- naming: begin -->" in (DOCS / page[1]).read_text(encoding="utf-8")
