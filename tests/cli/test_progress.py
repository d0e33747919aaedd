"""What a person reads of a job's progress."""

from __future__ import annotations

import pytest

from cli.progress import shown_progress
from schemas.job import Progress, Stage


@pytest.mark.parametrize(
    ("progress", "said"),
    [
        (Progress(Stage.FETCH), "Fetching the audio"),
        (Progress(Stage.FETCH, loads=True), "Loading the models"),
        (Progress(Stage.DECODE, done=12.0, total=12.0), "Decoding"),
        (Progress(Stage.DECODE, done=12.0, total=12.0, waits=True), "Decoded, waiting for its worker"),
        (Progress(Stage.RECOGNIZE, fraction=0.5, eta=65.2), "Recognizing words 50%, about 1:05 left"),
        (Progress(Stage.ASSEMBLE, fraction=1.0, eta=0.0), "Assembling 100%"),
    ],
)
def test_a_job_is_said_to_be_at_what_it_is_at(
    capsys: pytest.CaptureFixture[str], progress: Progress, said: str
) -> None:
    with shown_progress("tides", at_first="queued") as tell:
        tell(progress)
        tell(progress)

    assert capsys.readouterr().err.splitlines() == ["tides: queued", said]
