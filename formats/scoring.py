"""RTTM, CTM and STM: the files that scoring tools read (DER, WER, cpWER).

Sources: NIST SCTK `infmts.htm` (CTM, STM), the RTTM of NIST RT-09. Fields are parted by spaces, so speakers go by
their ids and the recording by a name without spaces. All words that were heard stand here, the ones that the text
leaves out too: scoring tools have their own lists of fillers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from formats.clock import milliseconds
from formats.cues import Token, timed_turns
from formats.typography import one_line
from schemas.transcript import Paragraph, Transcript, Turn, Word

#: Who says the words that no voice could be given to.
UNKNOWN = "unknown"
CHANNEL = "1"
#: A silence inside a turn that parts two stretches of speech in RTTM, in milliseconds.
PAUSE_MS = 500


@dataclass(frozen=True, slots=True)
class _Spoken:
    """One word with its times in milliseconds."""

    text: str
    start: int
    end: int
    probability: float | None


def render_rttm(transcript: Transcript) -> bytes:
    """RTTM: one SPEAKER line for each stretch of speech without a pause. Raises PageError `times_missing`."""
    recording = recording_id(transcript)
    rows = []
    for turn, words in _spoken_turns(transcript, "rttm"):
        for start, end in _stretches(words):
            rows.append((start, f"{_seconds(start)} {_seconds(max(1, end - start))}", speaker_id(turn.speaker)))
    rows.sort(key=lambda row: row[0])
    return _file(f"SPEAKER {recording} {CHANNEL} {span} <NA> <NA> {who} <NA> <NA>" for _, span, who in rows)


def render_ctm(transcript: Transcript) -> bytes:
    """CTM: one line for each word, with the recognizer's probability where it is known.

    Raises PageError `times_missing`.
    """
    recording = recording_id(transcript)
    words = [word for _, spoken in _spoken_turns(transcript, "ctm") for word in spoken]
    words.sort(key=lambda word: word.start)
    return _file(
        f"{recording} {CHANNEL} {_seconds(word.start)} {_seconds(max(1, word.end - word.start))} {word.text}"
        + (f" {word.probability:.3f}" if word.probability is not None else "")
        for word in words
    )


def render_stm(transcript: Transcript) -> bytes:
    """STM: one line for each paragraph with its speaker. Raises PageError `times_missing`."""
    recording = recording_id(transcript)
    rows = []
    for turn, words in _spoken_paragraphs(transcript, "stm"):
        start, end = words[0].start, max(word.end for word in words)
        said = " ".join(word.text for word in words)
        who = speaker_id(turn.speaker)
        rows.append((start, f"{who} {_seconds(start)} {_seconds(max(end, start + 1))} {said}"))
    rows.sort(key=lambda row: row[0])
    return _file(f"{recording} {CHANNEL} {row}" for _, row in rows)


def _file(lines: Iterator[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("utf-8")


def _seconds(ms: int) -> str:
    return f"{ms // 1000}.{ms % 1000:03d}"


def recording_id(transcript: Transcript) -> str:
    """What the recording is called in every line: its file's stem or its title, in letters, digits and hyphens."""
    episode = transcript.episode
    stem = PurePosixPath(one_line(episode.audio.file_name or "")).stem
    for candidate in (stem, episode.title or "", "episode"):
        made = re.sub(r"[^\w.-]+", "-", candidate.casefold()).strip("-._")[:60]
        if made:
            return made
    return "episode"


def speaker_id(identity: str | None) -> str:
    """The speaker's id without anything that ends a field."""
    return re.sub(r"[^\w.-]", "_", identity)[:60] if identity else UNKNOWN


# ---------------------------------------------------------------- words


def _spoken_turns(transcript: Transcript, format_name: str) -> Iterator[tuple[Turn, list[_Spoken]]]:
    for turn, tokens in timed_turns(transcript, format_name):
        words = [word for part in _by_paragraph(turn, tokens) for word in part]
        if words:
            yield turn, words


def _spoken_paragraphs(transcript: Transcript, format_name: str) -> Iterator[tuple[Turn, list[_Spoken]]]:
    for turn, tokens in timed_turns(transcript, format_name):
        for words in _by_paragraph(turn, tokens):
            if words:
                yield turn, words


def _by_paragraph(turn: Turn, tokens: Sequence[Token]) -> Iterator[list[_Spoken]]:
    """The words of each paragraph: as they were heard, else the printed ones with the times they were given."""
    place = 0
    for paragraph in turn.paragraphs:
        count = len(one_line(paragraph.text).split())
        printed = tokens[place : place + count]
        place += count
        heard = list(_heard(paragraph))
        yield heard or [_Spoken(text, t.start, t.end, None) for t in printed if (text := plain_token(t.text))]


def _heard(paragraph: Paragraph) -> Iterator[_Spoken]:
    for word in paragraph.words:
        text = plain_token("".join(one_line(word.text).split()))
        if text and word.start is not None and word.end is not None:
            start = milliseconds(word.start)
            yield _Spoken(text, start, max(start, milliseconds(word.end)), _probability(word))


def _probability(word: Word) -> float | None:
    return None if word.probability is None else min(1.0, max(0.0, word.probability))


#: What means something else than itself to a scoring tool: alternatives, optional words, labels, comments.
_LOOK_ALIKES = str.maketrans({"{": "｛", "}": "｝", "<": "‹", ">": "›", "(": "（", ")": "）", ";": "；", "\\": "＼"})
_ALONE = {"@": "＠", "/": "／", "*": "＊"}


def plain_token(text: str) -> str:
    """A word that no scoring tool takes for markup; what could be is written with look-alike characters."""
    if text in _ALONE:
        return _ALONE[text]
    if text.upper() == "IGNORE_TIME_SEGMENT_IN_SCORING":
        return text.replace("_", "-")
    return text.translate(_LOOK_ALIKES)


def _stretches(words: Sequence[_Spoken]) -> Iterator[tuple[int, int]]:
    """Start and end of each stretch of speech: words with no more than a short pause between them."""
    start, end = words[0].start, words[0].end
    for word in words[1:]:
        if word.start - end >= PAUSE_MS:
            yield start, end
            start, end = word.start, word.end
        end = max(end, word.end)
    yield start, end
