"""Cues: a transcript cut into short timed lines, for captions and feeds. Needs times."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import zip_longest

from formats.clock import milliseconds
from formats.timing import bounds, estimated_end, is_start_only, turn_start
from formats.typography import inert
from schemas.errors import PageError
from schemas.transcript import Paragraph, Transcript, Turn

#: A silence inside a turn that always ends a cue, in milliseconds.
PAUSE_MS = 800
#: A cue is on screen for at most this long, in milliseconds (7 s is the usual limit of broadcast subtitles).
LONGEST_MS = 7000
#: A cue stays at least this long where the next one leaves room, and no faster than this many characters a second
#: (BBC: 160 to 180 words a minute, about 17 characters a second).
SHORTEST_MS = 1000
CHARACTERS_PER_SECOND = 17


@dataclass(frozen=True, slots=True)
class Token:
    """One printed word with its times in milliseconds."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Cue:
    """What stands on the screen at once. Milliseconds; `end` is after `start`."""

    speaker: str | None
    start: int
    end: int
    text: str


def make_cues(
    transcript: Transcript,
    *,
    width: int,
    lines: int,
    format_name: str,
    label_room: Callable[[str | None], int] = lambda speaker: 0,
) -> list[Cue]:
    """The cues in order of their starts, each fitting `lines` lines of `width` characters.

    `label_room` is how many characters a speaker's label takes at the start of a turn's first cue. Cut at the ends of
    sentences, at commas and pauses; never across two speakers' turns. Raises PageError `times_missing` naming the
    format and the first turn without times.
    """
    cues: list[Cue] = []
    for turn, timed in timed_turns(transcript, format_name):
        tokens = [piece for token in timed for piece in _split(token, width)]
        groups = _groups(tokens, width, lines, label_room(turn.speaker))
        cues += [_cue(turn.speaker, group) for group in groups]
    return _paced(cues)


# ---------------------------------------------------------------- times


def timed_turns(transcript: Transcript, format_name: str) -> Iterator[tuple[Turn, list[Token]]]:
    """Each turn with its printed words, at the times of the words they show; what shows none is spread evenly.

    A turn of which only the start is known (a page that prints one) lasts as `estimated_end` says. Raises PageError
    `times_missing` naming the format and the turn.
    """
    for turn, following in zip_longest(transcript.turns, transcript.turns[1:]):
        if is_start_only(turn):
            words = [word for paragraph in turn.paragraphs for word in inert(paragraph.text).split()]
            begin = milliseconds(turn_start(turn) or 0.0)
            end = max(begin, milliseconds(estimated_end(turn, following)))
            yield turn, _spread(words, begin, end) if words else []
        else:
            yield turn, _timed_tokens(turn, transcript, format_name)


def _timed_tokens(turn: Turn, transcript: Transcript, format_name: str) -> list[Token]:
    tokens: list[Token] = []
    for paragraph in turn.paragraphs:
        text = inert(paragraph.text).split()
        if not text:
            continue
        begin_at, end_at = bounds(paragraph, turn)
        if begin_at is None or end_at is None:
            raise PageError(
                f"{transcript.episode.title or 'the transcript'}: turn {turn.id} has no"
                f" {'start' if begin_at is None else 'end'} time, and the format {format_name} needs them",
                code="times_missing",
            )
        begin = milliseconds(begin_at)
        tokens += _aligned(text, paragraph, begin, max(begin, milliseconds(end_at)))
    return tokens


def _aligned(text: Sequence[str], paragraph: Paragraph, begin: int, end: int) -> list[Token]:
    """Times for each printed word: of the word it matches, or spread between its neighbours by length."""
    times: list[tuple[int, int] | None] = [None] * len(text)
    words = [w for w in paragraph.words if w.start is not None and w.end is not None]
    matcher = SequenceMatcher(None, [_key(w.text) for w in words], [_key(t) for t in text], autojunk=False)
    for block in matcher.get_matching_blocks():
        for n in range(block.size):
            word = words[block.a + n]
            times[block.b + n] = (milliseconds(word.start or 0.0), milliseconds(word.end or 0.0))
    tokens: list[Token] = []
    latest = begin
    place = 0
    while place < len(text):
        if (known := times[place]) is not None:
            start = max(known[0], latest)
            tokens.append(Token(text[place], start, max(known[1], start)))
            latest = tokens[-1].start
            place += 1
            continue
        stop = next((n for n in range(place, len(text)) if times[n] is not None), len(text))
        following = times[stop] if stop < len(text) else None
        since = tokens[-1].end if tokens else begin
        tokens += _spread(text[place:stop], since, max(since, following[0] if following else end))
        latest = tokens[-1].start
        place = stop
    return tokens


def _key(text: str) -> str:
    return re.sub(r"\W", "", text.casefold()) or text


def _spread(text: Sequence[str], begin: int, end: int) -> list[Token]:
    total = sum(len(word) + 1 for word in text)
    made = []
    passed = 0
    for word in text:
        start = begin + (end - begin) * passed // total
        passed += len(word) + 1
        made.append(Token(word, start, begin + (end - begin) * passed // total))
    return made


def _split(token: Token, width: int) -> list[Token]:
    """A word longer than a line, in parts that fit one."""
    if len(token.text) <= width:
        return [token]
    parts = [token.text[n : n + width] for n in range(0, len(token.text), width)]
    return _spread(parts, token.start, token.end)


# ---------------------------------------------------------------- cutting


def wrap(words: Sequence[str], width: int) -> list[str]:
    """Lines of at most `width` characters; a word that is longer stands alone."""
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _groups(tokens: Sequence[Token], width: int, lines: int, room: int) -> list[Sequence[Token]]:
    """The words of each cue, cut where it costs least over the whole turn (`_cut_cost`).

    The best way to go on from each word is found from the last word backwards, so that a good place is not missed
    because the cue before was filled to the brim. `room` is taken by the label of the first cue.
    """
    count = len(tokens)
    best: list[tuple[float, int]] = [(math.inf, count)] * count + [(0.0, count)]
    for first in range(count - 1, -1, -1):
        for stop in _possible_ends(tokens, first, width, lines, 0 if first else room):
            cost = _cut_cost(tokens, first, stop) + best[stop][0]
            if cost < best[first][0]:
                best[first] = (cost, stop)
    groups = []
    place = 0
    while place < count:
        groups.append(tokens[place : best[place][1]])
        place = best[place][1]
    return groups


def _possible_ends(tokens: Sequence[Token], first: int, width: int, lines: int, room: int) -> Iterator[int]:
    """Where a cue that begins at `first` may end: within the lines and the time, not over a long pause."""
    used, line = (room, 1) if room else (-1, 1)
    for place in range(first, len(tokens)):
        token = tokens[place]
        if place > first and (
            token.start - tokens[place - 1].end >= PAUSE_MS or token.end - tokens[first].start > LONGEST_MS
        ):
            return
        if used + 1 + len(token.text) <= width:
            used += 1 + len(token.text)
        else:
            used, line = len(token.text), line + 1
        if line > lines and place > first:
            return
        yield place + 1


#: Words that belong to the one after them: a cue should not end on them.
_LEANING = frozenset(
    {
        "a",
        "an",
        "the",
        "of",
        "to",
        "in",
        "on",
        "at",
        "by",
        "for",
        "and",
        "or",
        "but",
        "with",
        "from",
        "my",
        "your",
        "i",
    }
)
_SHORT_CUE = 15  #: characters; a cue of fewer is a flicker


def _cut_cost(tokens: Sequence[Token], first: int, stop: int) -> float:
    """How bad it is to end a cue before `stop`: least at sentence ends and pauses, most inside a phrase."""
    cost = 4.0
    if sum(len(token.text) + 1 for token in tokens[first:stop]) <= _SHORT_CUE:
        cost += 3.0
    if stop == len(tokens):
        return cost
    word = tokens[stop - 1].text.rstrip("”’\"')]")
    gap = tokens[stop].start - tokens[stop - 1].end
    if word.endswith((".", "?", "!", "…")) or gap >= PAUSE_MS:
        return cost
    if word.endswith((",", ";", ":", "–", "—")):
        return cost + 2.0
    return cost + (3.0 if gap >= 250 else 8.0) + (4.0 if word.casefold() in _LEANING else 0.0)


def _cue(speaker: str | None, tokens: Sequence[Token]) -> Cue:
    end = max(token.end for token in tokens)
    return Cue(speaker, tokens[0].start, max(end, tokens[0].start + 1), " ".join(token.text for token in tokens))


def _paced(cues: Sequence[Cue]) -> list[Cue]:
    """In order of their starts, each long enough to read where the next one leaves room."""
    ordered = sorted(cues, key=lambda cue: cue.start)
    made = []
    for place, cue in enumerate(ordered):
        wanted = cue.start + max(SHORTEST_MS, len(cue.text) * 1000 // CHARACTERS_PER_SECOND)
        if place + 1 < len(ordered):
            wanted = min(wanted, ordered[place + 1].start)
        made.append(replace(cue, end=max(cue.end, min(wanted, cue.start + LONGEST_MS))))
    return made
