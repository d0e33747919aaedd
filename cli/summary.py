"""What a person wants to know when a recording has become files: who speaks, what is missing, what to do about it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from cli.progress import clock_text
from schemas.transcript import Transcript

_PLACES = 5  #: of doubtful places, how many are told; all of them stand in the document


def summary(document: Transcript, *, seconds: float, path: Path) -> Iterator[str]:
    """A line for the work and who speaks, one for voices without a name, one for what to listen to again.

    `seconds` is what the work took by the clock, `path` where the document lies.
    """
    duration = document.episode.audio.duration
    length = f"{clock_text(duration)} of audio" if duration is not None else "done"
    people = [each.name or f"Speaker {number}" for number, each in enumerate(document.speakers, start=1)]
    who = f": {', '.join(people)}" if people else ": nobody speaks"
    yield f"{length} in {clock_text(seconds)}{who}"
    nameless = [f"Speaker {number}" for number, each in enumerate(document.speakers, start=1) if each.name is None]
    if nameless:
        file = shlex.quote(str(path))
        have = "has no name" if len(nameless) == 1 else "have no names"
        yield (
            f"{', '.join(nameless)} {have}. Why: stenocast name {file}; by hand:"
            f' stenocast name {file} --set "{nameless[0]}=Ada Quill" -o {file}, then stenocast render'
        )
    doubtful = [clock_text(each.start) for each in document.quality.doubtful]
    if doubtful:
        more = ", …" if len(doubtful) > _PLACES else ""
        what = "1 place is doubtful" if len(doubtful) == 1 else f"{len(doubtful)} places are doubtful"
        yield f"{what}: listen again at {', '.join(doubtful[:_PLACES])}{more}"
