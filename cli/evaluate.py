"""`stenocast evaluate`: how far a transcript is from what was said."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import write_file
from schemas.errors import InputError, NotReady, OptionError

if TYPE_CHECKING:
    from evaluation.comparison import Comparison


def evaluate(
    reference: Annotated[
        Path,
        typer.Option(
            "--reference", help="What was said: a document, a page, captions, STM, RTTM, or JSON of turns or words."
        ),
    ],
    hypothesis: Annotated[
        Path, typer.Option("--hypothesis", help="The transcript to measure: a document, a page or captions.")
    ],
    voices: Annotated[
        Path | None, typer.Option("--voices", help="RTTM of who speaks when, where the reference does not say it.")
    ] = None,
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", help="Folder for the JSON and the HTML report, or - for the JSON on standard output."
        ),
    ] = ".",
) -> None:
    """Hold a transcript against a reference: words, speakers, names, paragraphs, invented text.

    Prints the figures and writes NAME.evaluation.json and NAME.evaluation.html (every word with what became of it,
    and who speaks when), NAME being that of the hypothesis.
    """
    folder = None if output == "-" else _folder(output)
    comparison = _compared(reference, hypothesis, voices)
    if folder is None:
        sys.stdout.buffer.write(_json(comparison, reference, hypothesis) + b"\n")
        return
    from evaluation.report import render_report

    report = render_report(comparison, reference=reference.name, hypothesis=hypothesis.name)
    stem = hypothesis.stem.removesuffix(".transcript")
    _print_table(comparison)
    for extension, content in (("json", _json(comparison, reference, hypothesis)), ("html", report)):
        path = folder / f"{stem}.evaluation.{extension}"
        write_file(path, content)
        print(f"wrote {path}", file=sys.stderr)


def _folder(output: str) -> Path:
    """The folder for the reports, made before the work and not after it."""
    folder = Path(output)
    if folder.exists() and not folder.is_dir():
        raise OptionError(f"{output}: not a folder", field="output")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{output}: cannot be written: {error.strerror}", code="output_unwritable") from error
    return folder


def _compared(reference: Path, hypothesis: Path, voices: Path | None) -> Comparison:
    from evaluation.comparison import compare
    from evaluation.references import read_said

    truth, heard = read_said(reference, voices=voices), read_said(hypothesis)
    try:
        return compare(truth, heard)
    except ImportError as error:
        raise NotReady(
            f"{error.name}: not installed; measuring needs requirements/dev.txt (`make setup-dev`)",
            code="measures_missing",
        ) from error


def _json(comparison: Comparison, reference: Path, hypothesis: Path) -> bytes:
    from evaluation.record import EvaluationRecord
    from schemas.wire import write_json

    return write_json(EvaluationRecord.of(comparison, reference=reference.name, hypothesis=hypothesis.name), indent=1)


def _print_table(comparison: Comparison) -> None:
    from rich.console import Console
    from rich.table import Table

    from evaluation.presentation import rows

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column(style="dim")
    for row in rows(comparison.measures):
        table.add_row(row.name, row.figure, row.meaning)
    console = Console()
    console.print(table) if console.is_terminal else Console(width=120).print(table)
    for note in comparison.notes:
        print(note, file=sys.stderr)
