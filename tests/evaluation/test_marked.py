"""Pages that a command writes a part of."""

from __future__ import annotations

from evaluation.marked import written_between


def test_writing_again_replaces_only_what_stands_between_its_own_marks() -> None:
    other = "<!-- names: begin -->\nkept\n<!-- names: end -->"
    page = f"# Quality\n\n{other}\n\n<!-- survey: begin -->\nold\n<!-- survey: end -->\n\nAfter.\n"

    once = written_between(page, "new", "survey")

    assert once == page.replace("old", "new")
    assert written_between(once, "new", "survey") == once


def test_a_page_without_marks_gets_them_at_its_end() -> None:
    assert written_between("", "new", "survey") == "<!-- survey: begin -->\nnew\n<!-- survey: end -->\n"
    assert written_between("# Q\n", "new", "a") == "# Q\n\n<!-- a: begin -->\nnew\n<!-- a: end -->\n"
