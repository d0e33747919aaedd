"""What is said when a recording has become files."""

from __future__ import annotations

from pathlib import Path

from cli.summary import summary
from schemas.episode import AudioInfo, Episode
from schemas.transcript import DoubtfulSpan, Quality, Speaker, Transcript


def told(speakers: tuple[Speaker, ...] = (), doubtful: tuple[float, ...] = ()) -> list[str]:
    spans = tuple(DoubtfulSpan(start, start + 1, "repetition") for start in doubtful)
    document = Transcript(
        Episode("e", audio=AudioInfo(duration=725.0)), speakers, (), quality=Quality(doubtful=spans)
    )
    return list(summary(document, seconds=200.4, path=Path("out/low water.transcript.json")))


def test_a_finished_transcript_is_told_in_one_line() -> None:
    people = (Speaker("S1", name="Ada Quill"), Speaker("S2", name="Bram Oster"))

    assert told(people) == ["12:05 of audio in 3:20: Ada Quill, Bram Oster"]
    assert told() == ["12:05 of audio in 3:20: nobody speaks"]


def test_a_voice_without_a_name_is_told_with_what_gives_it_one() -> None:
    first, second = told((Speaker("S1", name="Ada Quill"), Speaker("S2"), Speaker("S3")))

    assert first.endswith(": Ada Quill, Speaker 2, Speaker 3")
    assert second.startswith(
        "Speaker 2, Speaker 3 have no names. Why: stenocast name 'out/low water.transcript.json';"
    )
    assert "--set \"Speaker 2=Ada Quill\" -o 'out/low water.transcript.json'" in second


def test_places_to_listen_to_again_are_told_by_their_time_and_not_all_of_many() -> None:
    people = (Speaker("S1", name="Ada Quill"),)

    assert told(people, (12.0,))[-1] == "1 place is doubtful: listen again at 0:12"
    assert told(people, tuple(60.0 * n for n in range(7)))[-1] == (
        "7 places are doubtful: listen again at 0:00, 1:00, 2:00, 3:00, 4:00, …"
    )
