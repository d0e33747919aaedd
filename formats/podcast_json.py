"""The Podcasting 2.0 JSON transcript, version 1.0.0: segments with speaker, startTime, endTime, body."""

from __future__ import annotations

import json
import math
from typing import Any

from formats.cues import make_cues
from formats.labels import cast_of, display_name
from formats.reading import episode_id
from formats.timed_reading import TimedLine, transcript_of_lines
from formats.typography import one_line
from schemas.errors import PageError
from schemas.transcript import Transcript

VERSION = "1.0.0"
#: A segment is as long as two caption lines of 65 characters, so that players can show it as it is.
_WIDTH, _LINES = 65, 2


def render_podcast_json(transcript: Transcript) -> bytes:
    """The segments with times in seconds. Raises PageError `times_missing`."""
    cast = cast_of(transcript)
    segments = [
        {
            "speaker": display_name(cue.speaker, cast),
            "startTime": cue.start / 1000,
            "endTime": cue.end / 1000,
            "body": cue.text,
        }
        for cue in make_cues(transcript, width=_WIDTH, lines=_LINES, format_name="podcast-json")
    ]
    text = json.dumps({"version": VERSION, "segments": segments}, ensure_ascii=False, indent=2)
    return (text + "\n").encode("utf-8")


def read_podcast_json(content: bytes, *, name: str = "page") -> Transcript:
    """A JSON transcript of any generator; `endTime` and `speaker` may be missing.

    Raises PageError `document_invalid` that names the first wrong segment.
    """
    try:
        found = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise PageError(f"{name}: not JSON: {error}") from error
    segments = found.get("segments") if isinstance(found, dict) else None
    if not isinstance(segments, list):
        raise PageError(f"{name}: no list `segments`, so not a Podcasting 2.0 transcript")
    lines = [_line(segment, number, name) for number, segment in enumerate(segments, start=1)]
    return transcript_of_lines(lines, identity=episode_id(content))


def _line(segment: Any, number: int, name: str) -> TimedLine:
    if not isinstance(segment, dict):
        raise PageError(f"{name}: segment {number} is no object")
    body = segment.get("body", segment.get("text"))
    if not isinstance(body, str):
        raise PageError(f"{name}: segment {number}: body is {body!r:.40}, not a text")
    speaker = segment.get("speaker")
    end = segment.get("endTime")
    return TimedLine(
        one_line(speaker) or None if isinstance(speaker, str) else None,
        _ms(segment.get("startTime"), "startTime", number, name),
        None if end is None else _ms(end, "endTime", number, name),
        body,
    )


def _ms(value: Any, field: str, number: int, name: str) -> int:
    if isinstance(value, str) and value.strip().replace(".", "", 1).isdigit():
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise PageError(f"{name}: segment {number}: {field} is {value!r:.40}, not a number of seconds")
    return round(value * 1000)
