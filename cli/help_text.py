"""Docstrings as help: the lines of a paragraph flow together, so that any width of terminal wraps them well."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer


def flowing(docstring: str) -> str:
    """The text with one line for each paragraph; one that begins with spaces, an example to copy, keeps its lines.

    Typer does this to the first paragraph alone, and prints the others broken where the source is.
    """
    import inspect

    paragraphs = inspect.cleandoc(docstring).split("\n\n")
    return "\n\n".join(each if each.startswith(" ") else " ".join(each.split("\n")) for each in paragraphs)


def let_help_flow(app: typer.Typer) -> None:
    """Do so for every command that the application has, those of its groups too."""
    for command in app.registered_commands:
        if command.callback is not None and command.callback.__doc__:
            command.help = flowing(command.callback.__doc__)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            let_help_flow(group.typer_instance)
