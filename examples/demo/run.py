"""`make demo`: transcribe the sample episode and print it in the four house styles.

`--no-metadata` leaves the list of participants away: names then come from the talk alone. `--models fast` is
quicker and less exact.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from adapters.settings import read_settings
from cli.progress import clock_text
from cli.transcribe import beside, episode_of, transcribe_file, write_documents
from formats.catalogue import render
from schemas.errors import StenocastError
from schemas.job import JobOptions
from schemas.transcript import Transcript

HERE = Path(__file__).resolve().parent
STYLES = ["name-line", "numbered-timestamps", "caps-list", "full-then-first"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", default="starter")
    parser.add_argument("--no-metadata", action="store_true")
    parser.add_argument("--output", type=Path, default=Path("build/demo"))
    chosen = parser.parse_args()
    console = Console(highlight=False)
    audio = HERE / "episode.mp3"
    sidecar = beside(audio, None, no_metadata=chosen.no_metadata)
    episode = episode_of(audio, sidecar, title="", show="", participants=[])
    began = time.monotonic()
    try:
        document = transcribe_file(
            audio, episode, JobOptions(models=chosen.models), settings=read_settings(), fresh=True
        )
    except StenocastError as error:
        console.print(Text(f"error: {error.message} [{error.code}]", "red"))
        return 1
    seconds = time.monotonic() - began
    for style in STYLES:
        console.print()
        console.print(Rule(f"[bold]{style}", align="left"))
        console.print(Text(render(document, style=style).decode()))
    console.print()
    console.print(Rule("[bold]who is who, and why", align="left"))
    show_speakers(console, document)
    console.print()
    files = write_documents(
        document, styles=STYLES, formats=["json", "vtt", "srt"], output=str(chosen.output), stem="episode"
    )
    duration = document.episode.audio.duration or 0.0
    console.print(Text(f"{clock_text(duration)} of audio in {seconds:.0f} s, loading the models included.", "bold"))
    console.print(f"The {len(files)} files are in {chosen.output}/. Next:")
    for command, what in (
        (".venv/bin/stenocast transcribe YOUR.mp3 --style full-then-first -o out", "your own file"),
        (".venv/bin/stenocast transcribe --help", "names, languages, formats"),
        (".venv/bin/stenocast models list", "larger models, for more exact words"),
        ("make serve", "the same as a service with a page, on http://127.0.0.1:8080"),
    ):
        console.print(Text.assemble("  ", (command, "cyan"), f"   {what}"), soft_wrap=True)
    return 0


def show_speakers(console: Console, document: Transcript) -> None:
    """Each speaker with the evidence for the name."""
    for number, speaker in enumerate(document.speakers, start=1):
        name = Text(speaker.name or f"Speaker {number}", "bold")
        if not speaker.evidence:
            console.print(Text.assemble("  ", name, "  nobody says this name clearly enough"))
        for each in speaker.evidence[:1]:
            when = clock_text(each.start) if each.start is not None else "?"
            console.print(Text.assemble("  ", name, f"  {each.method.replace('_', ' ')} at {when}: “{each.quote}”"))


if __name__ == "__main__":
    raise SystemExit(main())
