"""Docstrings as help."""

from __future__ import annotations

from cli.help_text import flowing


def test_a_paragraph_is_one_line_and_an_example_keeps_its_lines() -> None:
    docstring = """Do it.

    What it does
    is long.

        first example
        second example
    """

    assert flowing(docstring) == "Do it.\n\nWhat it does is long.\n\n    first example\n    second example"
