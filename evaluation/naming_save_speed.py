"""How long it takes to save a name given by hand: `python -m evaluation.naming_save_speed [--words 10000]`.

One synthetic document, the lines of the episodes of evaluation/sets/scripts read out by four people until the words
are used up, in a ledger (SQLite) and a store (folder) of its own. What is timed is what the API does for a request:
read the document, name everybody anew beside the given name, write the new document, make the
revision. Naming alone is timed beside it, and so is the processor, because a machine that is shared says little.
"""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from adapters.database import Ledger
from adapters.folder import FolderStore
from adapters.results import put_document
from adapters.revising import revise_names
from evaluation.sets.script import scripts
from schemas.episode import AudioInfo, Episode
from schemas.job import JobOptions
from schemas.names_by_hand import NameByHand
from schemas.transcript import Paragraph, Speaker, Transcript, Turn, Word
from schemas.wire import write_json
from transcription.names_by_hand import named_by_hand
from transcription.naming import name_speakers
from transcription.ports import NewJob

WORDS_A_SECOND = 10_000 / 3600  #: an hour of talk has about 10,000 words
SPEAKERS = 4
SAVES = 9


def long_document(words: int) -> Transcript:
    """A document of so many words, named by evidence."""
    turns: list[Turn] = []
    said = 0
    for number, (speaker, line) in enumerate(_lines(), start=1):
        texts = line.split()[: words - said]
        times = [round((said + i) / WORDS_A_SECOND, 3) for i in range(len(texts) + 1)]
        spoken = tuple(Word(each, times[i], times[i + 1], 0.9) for i, each in enumerate(texts))
        paragraph = Paragraph(f"P{number}", " ".join(texts), times[0], times[-1], spoken)
        turns.append(Turn(f"T{number}", speaker, (paragraph,), times[0], times[-1]))
        said += len(texts)
        if said >= words:
            break
    audio = AudioInfo(duration=round(words / WORDS_A_SECOND, 3), sha256="ab" * 32)
    speakers = tuple(Speaker(f"S{n}", f"voice {n}") for n in range(1, SPEAKERS + 1))
    return name_speakers(Transcript(Episode("episode", title="A long talk", audio=audio), speakers, tuple(turns)))


def _lines() -> Iterator[tuple[str, str]]:
    """Who says what, without end: the voices of each script are people of its own, so they are given out in turn."""
    for script in itertools.cycle(scripts()):
        voices = {name: f"S{n % SPEAKERS + 1}" for n, name in enumerate(script.voices)}
        for line in script.lines:
            yield voices[line.voice], " ".join(line.text.split())


def save_times(document: Transcript, folder: Path) -> tuple[list[float], list[float]]:
    """Seconds by the clock and of the processor of each save."""
    ledger, store = Ledger.open(f"sqlite:///{folder}/ledger.sqlite3"), FolderStore(folder / "store")
    ledger.add(NewJob(document.episode, JobOptions(), "uploads/1/audio", "request"), job_id="job")
    claimed = ledger.claim("measured", lease_seconds=600.0)
    assert claimed is not None
    ledger.finish(claimed.lease, put_document(store, document, "results/job/1/transcript.json"))
    numbers = itertools.count(1)
    clock, processor = [], []
    for seen in range(1, SAVES + 1):
        said: dict[str, NameByHand | None] = {f"S{SPEAKERS}": NameByHand(f"Ada Quill {'I' * seen}")}
        began, used = time.perf_counter(), time.process_time()
        revise_names(ledger, store, "episode", said, seen=seen, new_id=lambda: f"id-{next(numbers)}")
        clock.append(time.perf_counter() - began)
        processor.append(time.process_time() - used)
    ledger.close()
    return clock, processor


def _timed(work: Callable[[], object]) -> list[float]:
    times = []
    for _ in range(SAVES):
        used = time.process_time()
        work()
        times.append(time.process_time() - used)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=int, default=10_000, help="of the document; an hour has about 10,000")
    words = parser.parse_args().words
    document = long_document(words)
    size = len(write_json(document))
    given: dict[str, NameByHand | None] = {f"S{SPEAKERS}": NameByHand("Ada Quill")}
    with tempfile.TemporaryDirectory() as folder:
        clock, processor = save_times(document, Path(folder))
    naming = _timed(lambda: named_by_hand(document, given))
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores,", end=" ")
    print(f"Python {platform.python_version()}", file=sys.stdout)
    print(f"{words} words, {len(document.turns)} turns, {SPEAKERS} speakers, {size / 1e6:.1f} MB; {SAVES} saves")
    print("| what | median | slowest |\n|---|---|---|")
    for what, times in (
        ("a save, by the clock", clock),
        ("a save, processor time", processor),
        ("of that naming, processor time", naming),
    ):
        print(f"| {what} | {statistics.median(times):.2f} s | {max(times):.2f} s |")


if __name__ == "__main__":
    main()
