"""WebVTT and SRT, written strictly and read tolerantly.

Sources: W3C WebVTT (escapes, timestamps, voice spans), Podcasting 2.0 transcript recommendations (65 characters a
line and `<v Name>` at a change of speaker; SRT in at most two lines of 32 characters with `Name: ` at a change).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from formats.cue_labels import believed_labels, voices_of
from formats.cues import Cue, make_cues, wrap
from formats.encodings import decoded
from formats.labels import Cast, cast_of, display_name
from formats.names import first_name
from formats.reading import episode_id
from formats.timed_reading import TimedLine, transcript_of_lines
from schemas.errors import PageError
from schemas.transcript import Transcript

VTT_WIDTH = 65
VTT_LINES = 2
SRT_WIDTH = 32
SRT_LINES = 2


# ---------------------------------------------------------------- writing


def render_vtt(transcript: Transcript) -> bytes:
    """WebVTT. Raises PageError `times_missing`."""
    cast = cast_of(transcript)
    cues = make_cues(
        transcript,
        width=VTT_WIDTH,
        lines=VTT_LINES,
        format_name="vtt",
        label_room=lambda speaker: len(_voice_tag(display_name(speaker, cast))) - 1,
    )
    blocks = ["WEBVTT"]
    for cue, is_change in _with_changes(cues):
        tag = _voice_tag(display_name(cue.speaker, cast)) if is_change else ""
        lines = _escaped_lines(cue.text.split(), tag)
        blocks.append(f"{_vtt_time(cue.start)} --> {_vtt_time(cue.end)}\n" + "\n".join(lines))
    return ("\n\n".join(blocks) + "\n").encode("utf-8")


def _voice_tag(name: str) -> str:
    return f"<v {escape_vtt(name)}>"


def escape_vtt(text: str) -> str:
    """Text that can neither open a tag nor look like an arrow."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _escaped_lines(words: Sequence[str], tag: str) -> list[str]:
    """The cue's lines, measured as they stand in the file, escapes and the voice tag included."""
    escaped = [escape_vtt(word) for word in words]
    return wrap([tag + escaped[0], *escaped[1:]], VTT_WIDTH)


def _vtt_time(ms: int) -> str:
    return _time(ms, ".")


def _time(ms: int, point: str) -> str:
    seconds, fraction = divmod(ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{fraction:03d}"


def _with_changes(cues: Sequence[Cue]) -> Iterator[tuple[Cue, bool]]:
    """Each cue, and whether another speaker begins with it."""
    for place, cue in enumerate(cues):
        yield cue, place == 0 or cues[place - 1].speaker != cue.speaker


def render_srt(transcript: Transcript) -> bytes:
    """SRT: at most two lines of at most 32 characters, a new cue and `Name: ` when the speaker changes.

    Raises PageError `times_missing`. SRT has no escapes: what could pass for a tag or an arrow is printed with
    look-alike characters.
    """
    cast = cast_of(transcript)
    cues = make_cues(
        transcript,
        width=SRT_WIDTH,
        lines=SRT_LINES,
        format_name="srt",
        label_room=lambda speaker: len(short_label(speaker, cast)) + 1,
    )
    blocks: list[str] = []
    starts = [cue.start for cue in cues]
    for place, (cue, label) in enumerate(_labelled(cues, cast), start=1):
        for part in _fitted(cue, label, until=starts[place] if place < len(starts) else None):
            times = f"{_time(part.start, ',')} --> {_time(part.end, ',')}"
            blocks.append(f"{len(blocks) + 1}\n{times}\n{part.text}")
    return ("\n\n".join(blocks) + "\n").encode("utf-8") if blocks else b""


def _labelled(cues: Sequence[Cue], cast: Cast) -> Iterator[tuple[Cue, str]]:
    for cue, is_change in _with_changes(cues):
        yield cue, f"{short_label(cue.speaker, cast)}:" if is_change else ""


def short_label(identity: str | None, cast: Cast) -> str:
    """A name that fits an SRT line with its colon: the full one, the first one, or its beginning and an ellipsis."""
    name = _plain(display_name(identity, cast))
    if len(name) < SRT_WIDTH:
        return name
    first = first_name(name)
    if len(first) < SRT_WIDTH and identity not in cast.with_shared_first_name:
        return first
    return name[: SRT_WIDTH - 2].rstrip() + "…"


def _fitted(cue: Cue, label: str, *, until: int | None) -> list[Cue]:
    """The cue with its label; as two where the label leaves too little room (two people talk at once)."""
    words = [part for word in cue.text.split() for part in _plain(word).split()]
    lines = wrap([label, *words] if label else words, SRT_WIDTH)
    if len(lines) <= SRT_LINES:
        return [Cue(cue.speaker, cue.start, cue.end, "\n".join(lines))]
    return _halves(cue, lines, until)


def _halves(cue: Cue, lines: Sequence[str], until: int | None) -> list[Cue]:
    """Two cues for lines that do not fit one; the time is parted by their lengths, before the next cue begins."""
    first, second = lines[:SRT_LINES], lines[SRT_LINES:]
    length = sum(map(len, first))
    total = length + sum(map(len, second))
    middle = cue.start + (cue.end - cue.start) * length // total
    if until is not None:
        middle = min(middle, until)
    return [
        Cue(cue.speaker, cue.start, max(middle, cue.start + 1), "\n".join(first)),
        Cue(cue.speaker, middle, max(cue.end, middle + 1), "\n".join(second)),
    ]


_TAG_OPENS = re.compile(r"<(?=[A-Za-z/!?])")


def _plain(text: str) -> str:
    text = text.replace("-->", "→").replace("{\\", "{")
    if _TAG_OPENS.search(text):
        text = _TAG_OPENS.sub("‹", text).replace(">", "›")
    return text


# ---------------------------------------------------------------- reading

#: With an arrow; with a comma, as YouTube's SBV has it.
_TIMING = re.compile(
    r"\s*(?:(\d{1,6}):)?(\d{1,3}):(\d{1,2})(?:[.,](\d{1,3}))?(?:\s*--+>\s*|(?<=\.\d{3}),(?=\d+:\d+:\d+\.\d{3}$))"
    r"(?:(\d{1,6}):)?(\d{1,3}):(\d{1,2})(?:[.,](\d{1,3}))?(?:\s.*)?"
)


def read_captions(content: bytes, *, name: str = "captions") -> Transcript:
    """WebVTT or SRT, whichever the file is, to a transcript.

    Tolerated: BOM, any line ends, either decimal sign, hours left out, missing or repeated indexes, cue settings,
    styles and notes, times that run backwards. A speaker comes from `<v Name>` or from a label at the start of a
    cue's line and holds until the next. Raises PageError `page_not_text` or `page_not_recognised` (no cue has words).
    """
    text = decoded(content, name=name)[0].removeprefix("\ufeff")
    cues = list(_parsed_cues(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")))
    if not cues:
        raise PageError(
            f"{name}: no captions: no line is a timing such as 00:00:01,000 --> 00:00:02,000",
            code="page_not_recognised",
        )
    labels = believed_labels([payload for _, _, payload in cues])
    lines: list[TimedLine] = []
    speaker: str | None = None
    for start, end, payload in cues:
        for voice, said in voices_of(payload, labels):
            speaker = voice if voice is not None else speaker
            lines.append(TimedLine(speaker, start, end, said))
    if not lines:
        raise PageError(
            f"{name}: no captions: {len(cues)} timing lines and not a word below them", code="page_not_recognised"
        )
    return transcript_of_lines(lines, identity=episode_id(content))


def _parsed_cues(lines: Sequence[str]) -> Iterator[tuple[int, int, list[str]]]:
    """Start, end and payload lines of each cue: what follows a timing line up to the next blank line or timing."""
    place = 0
    while place < len(lines):
        match = _TIMING.fullmatch(lines[place])
        place += 1
        if match is None:
            continue
        payload = []
        while place < len(lines) and lines[place].strip() and not _TIMING.fullmatch(lines[place]):
            payload.append(lines[place].strip())
            place += 1
        is_next_index = place < len(lines) and _TIMING.fullmatch(lines[place]) and payload and payload[-1].isdigit()
        if is_next_index:
            payload.pop()
        parts = match.groups()
        yield _parsed_ms(*parts[:4]), _parsed_ms(*parts[4:]), payload


def _parsed_ms(hours: str | None, minutes: str, seconds: str, fraction: str | None) -> int:
    whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
    return whole * 1000 + int((fraction or "0").ljust(3, "0"))
