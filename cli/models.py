"""`stenocast models`: pull, list, verify and remove model sets."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from adapters.models import FileCheck, KnownSet, PullProgress, Report

app = typer.Typer(help="Fetch, list, check and remove model sets.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON to standard output.")]


@app.command()
def pull(
    names: Annotated[
        list[str], typer.Argument(help="Set names (see `list`), or a faster-whisper repository: OWNER/NAME.")
    ],
) -> None:
    """Fetch model sets and check them. What is here already is not fetched again."""
    from adapters.models import pull as pull_set
    from adapters.settings import read_settings

    settings = read_settings()
    for name in names:
        with _progress_of(name) as report:
            found = pull_set(name, settings.models_dir, report=report, token=settings.hub_token)
        print(f"{name}: every file is here and right, in {found.folder}", file=sys.stderr)


@app.command("list")
def list_sets(as_json: AsJson = False) -> None:
    """Show the model sets that are known and whether they are here."""
    from adapters.models import installed
    from adapters.settings import read_settings

    sets = installed(read_settings().models_dir)
    if as_json:
        print(json.dumps([_as_record(each) for each in sets], indent=2))
        return
    _print_table(
        ("NAME", "STATE", "SIZE", "LANGUAGES", "LICENCES", "DESCRIPTION"),
        [
            (
                each.name,
                each.state.value,
                human_size(each.size_bytes) if each.size_bytes else "at the hub",
                ", ".join(each.languages) or "all",
                ", ".join(each.licences),
                each.description,
            )
            for each in sets
        ],
    )


@app.command()
def verify(
    name: Annotated[str | None, typer.Argument(help="A set; without one, every set that is here.")] = None,
    as_json: AsJson = False,
) -> None:
    """Read every file again and compare its SHA-256. Exit status 1 when one is missing or wrong."""
    from adapters.models import FileState, SetState, installed
    from adapters.models import verify as verify_set
    from adapters.settings import read_settings

    folder = read_settings().models_dir
    names = [name] if name else [each.name for each in installed(folder) if each.state is not SetState.ABSENT]
    checks = {each: verify_set(each, folder) for each in names}
    if as_json:
        print(json.dumps({each: [_as_check(check) for check in found] for each, found in checks.items()}, indent=2))
    else:
        for each, found in checks.items():
            for check in found:
                print(f"{each}/{check.target}: {_said(check)}")
    if not checks:
        print(f"no model set is in {folder}; `stenocast models pull starter` fetches the default", file=sys.stderr)
    bad = [each for each, found in checks.items() if any(check.state is not FileState.RIGHT for check in found)]
    for each in bad:
        print(f"{each} is not right; run `stenocast models pull {each}`", file=sys.stderr)
    if bad:
        raise typer.Exit(1)


@app.command()
def remove(name: Annotated[str, typer.Argument(help="The set to delete from this machine.")]) -> None:
    """Delete a model set's files."""
    from adapters.models import remove as remove_set
    from adapters.settings import read_settings

    remove_set(name, read_settings().models_dir)
    print(f"{name} is removed", file=sys.stderr)


def human_size(size_bytes: int) -> str:
    """Decimal, as disks and downloads are sold: 184 MB."""
    for unit, size in (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)):
        if size_bytes >= size:
            digits = 1 if unit == "GB" else 0
            return f"{size_bytes / size:.{digits}f} {unit}"
    return f"{size_bytes} bytes"


def _said(check: FileCheck) -> str:
    if check.state.value == "wrong":
        return f"wrong: expected SHA-256 {check.expected or 'never recorded'}, found {check.found}"
    return check.state.value


def _as_record(known: KnownSet) -> dict[str, object]:
    return {
        "name": known.name,
        "description": known.description,
        "state": known.state.value,
        "languages": list(known.languages),
        "licences": list(known.licences),
        "size_bytes": known.size_bytes or None,
        "folder": str(known.folder),
    }


def _as_check(check: FileCheck) -> dict[str, str]:
    return {
        "target": check.target,
        "state": check.state.value,
        "expected_sha256": check.expected,
        "found_sha256": check.found,
    }


def _print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table that fits the terminal; columns two spaces apart where a program or a file reads."""
    if sys.stdout.isatty():
        from rich.box import SIMPLE
        from rich.console import Console
        from rich.table import Table

        table = Table(*header, box=SIMPLE)
        for row in rows:
            table.add_row(*row)
        Console().print(table)
        return
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    for row in (header, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


# ---------------------------------------------------------------- progress


@contextmanager
def _progress_of(name: str) -> Iterator[Report]:
    """A bar on a terminal, a line for every file and quarter without one; both on standard error."""
    if not sys.stderr.isatty():
        yield PlainProgress().tell
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Column

    columns = (  # 79 characters, for a terminal of 80
        TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis", max_width=36)),
        BarColumn(bar_width=18),
        DownloadColumn(table_column=Column(no_wrap=True)),
        TimeRemainingColumn(table_column=Column(no_wrap=True)),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        row = bar.add_task(name, total=None)

        def tell(progress: PullProgress) -> None:
            fetching = progress.stage.value == "fetching"
            doing = progress.what if fetching else f"{progress.stage.value} {progress.what}"
            bar.update(
                row,
                description=f"{progress.name}: {doing}",
                total=progress.total_bytes or None,
                completed=progress.done_bytes,
            )

        yield tell


class PlainProgress:
    """Progress as lines: one when something begins, one at each quarter of the bytes."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def tell(self, progress: PullProgress) -> None:
        self._say(f"{progress.name}: {progress.stage.value} {progress.what}")
        if progress.total_bytes:
            quarter = 25 * (4 * progress.done_bytes // progress.total_bytes)
            if quarter:
                self._say(f"{progress.name}: {quarter} % of {human_size(progress.total_bytes)}")

    def _say(self, line: str) -> None:
        if line not in self._said:
            self._said.add(line)
            print(line, file=sys.stderr, flush=True)
