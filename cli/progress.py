"""Progress for people: a bar on a terminal, plain lines without one. Always on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from schemas.job import Progress, Stage

#: What a person reads for each stage.
STAGE_LABELS: dict[Stage, str] = {
    Stage.FETCH: "Fetching the audio",
    Stage.DECODE: "Decoding",
    Stage.RECOGNIZE: "Recognizing words",
    Stage.DIARIZE: "Telling voices apart",
    Stage.ASSEMBLE: "Assembling",
    Stage.PUBLISH: "Publishing",
}


def doing(progress: Progress) -> str:
    """What is being done for a job, for a person."""
    if progress.loads:
        return "Loading the models"
    if progress.waits:
        return "Decoded, waiting for its worker"
    return STAGE_LABELS[progress.stage]


def clock_text(seconds: float) -> str:
    """Seconds as people write them: 0:42, 12:05, 1:02:03."""
    whole = max(round(seconds), 0)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"


def size_text(progress: Progress) -> str:
    """How much of a download is here: "12.5 of 80.0 MB"; empty where nothing is downloaded."""
    if progress.bytes_done is None:
        return ""
    of = "" if progress.bytes_total is None else f" of {progress.bytes_total / 1e6:.1f}"
    return f"{progress.bytes_done / 1e6:.1f}{of} MB"


def _left(progress: Progress) -> str:
    """How long it takes still, in words; empty where nobody knows, and in the last half second."""
    if progress.eta is None or round(progress.eta) == 0:
        return ""
    return f"about {clock_text(progress.eta)} left"


def _share(progress: Progress) -> float | None:
    """Of the job, or of the download before it; None where nobody knows."""
    if progress.bytes_done is not None and progress.bytes_total:
        return min(progress.bytes_done / progress.bytes_total, 1.0)
    return progress.fraction


@contextmanager
def shown_progress(
    title: str, *, quiet: bool = False, at_first: str = "loading the models"
) -> Iterator[Callable[[Progress], None]]:
    """Yield a function to tell progress to; shows it for as long as the block runs."""
    if quiet:
        yield lambda progress: None
    elif sys.stderr.isatty():
        with _bar(title, at_first) as tell:
            yield tell
    else:
        yield _PlainLines(title, at_first).tell


@contextmanager
def _bar(title: str, at_first: str) -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, SpinnerColumn, TextColumn
    from rich.progress import Progress as Bars

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=32),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("[dim]{task.fields[audio]}[/dim]"),
        TextColumn("[cyan]{task.fields[left]}[/cyan]"),
    )
    with Bars(*columns, console=Console(stderr=True), transient=False) as bars:
        bar = bars.add_task(f"{escape(title)}: {at_first}", total=1.0, audio="", left="")

        def tell(progress: Progress) -> None:
            audio = f"{clock_text(progress.done)} of {clock_text(progress.total)}" if progress.total else ""
            audio = size_text(progress) or audio
            left = _left(progress)
            bars.update(
                bar,
                description=doing(progress),
                completed=_share(progress) or 0.0,
                audio=audio,
                left=left,
            )

        yield tell


class _PlainLines:
    """One line when a stage begins and one each tenth of the job, for logs and pipes."""

    def __init__(self, title: str, at_first: str) -> None:
        self._doing = ""
        self._tenth = 0
        print(f"{title}: {at_first}", file=sys.stderr, flush=True)

    def tell(self, progress: Progress) -> None:
        share = _share(progress)
        tenth = int((share or 0.0) * 10)
        if doing(progress) == self._doing and tenth <= self._tenth:
            return
        self._doing, self._tenth = doing(progress), tenth
        left = f", {_left(progress)}" if _left(progress) else ""
        percent = f" {share:.0%}" if share is not None else ""
        print(f"{self._doing}{percent}{left}", file=sys.stderr, flush=True)
