"""What to do with the stretches in which a voice detector hears speech: passages to recognize, words that fit, gaps.

All times are seconds of one clock; stretches and words are in order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from schemas.transcript import Word
from transcription.ports import Span

#: Whisper hears 30 s at once; two seconds less leave room for the margins.
LONGEST_PASSAGE = 28.0

#: A passage that is full ends at a pause after this share of it: fewer words are jumped over than where it ends just
#: anywhere (word errors of two joined readings 13.0 and 11.9 % instead of 15.7 and 12.6 %).
LAST_PART = 0.6

#: A longer pause than this ends a passage: Whisper writes words into long silences.
LONGEST_PAUSE = 3.0

#: A passage begins and ends this much outside the speech, so that soft first and last sounds are in it.
MARGIN = 0.2

#: Speech of this length without a word is not a pause for thought: one to five words are missing.
LEAST_UNHEARD = 1.5

#: A longer word than this spans a pause, or stands for several that were left out.
LONGEST_WORD = 1.5

#: Words this near follow each other.
TOUCHING = 0.3

#: How long a word is taken to be where its times say nothing: the mean of English at 150 words a minute.
MOVED_WORD = 0.4

#: The shortest time a word is given, so that it can be given to a voice.
SHORTEST_WORD = 0.02


def passages(
    speech: Sequence[Span],
    *,
    within: Span,
    longest: float = LONGEST_PASSAGE,
    pause: float = LONGEST_PAUSE,
    margin: float = MARGIN,
) -> tuple[Span, ...]:
    """Join stretches of speech into passages of at most `longest` seconds plus a margin on both sides.

    No passage holds a pause longer than `pause`, and none leaves `within` or overlaps another. A passage that would
    grow too long ends at the longest pause of its last part, where a sentence or a turn is likely to end too. A
    stretch longer than `longest` stays one passage: cut the speech before.
    """
    joined: list[Span] = []
    first = 0
    while first < len(speech):
        last = first
        while last + 1 < len(speech) and _pause(speech, last) <= pause and _reach(speech, first, last + 1) <= longest:
            last += 1
        if last + 1 < len(speech) and _pause(speech, last) <= pause:
            late = [i for i in range(first, last + 1) if _reach(speech, first, i) >= longest * LAST_PART]
            last = max(late, key=lambda i: (_pause(speech, i), i), default=last)
        joined.append(Span(speech[first].start, speech[last].end))
        first = last + 1
    return tuple(_with_margins(joined, within, margin))


def _pause(speech: Sequence[Span], i: int) -> float:
    """Seconds between a stretch and the next."""
    return speech[i + 1].start - speech[i].end


def _reach(speech: Sequence[Span], first: int, last: int) -> float:
    return speech[last].end - speech[first].start


def _with_margins(spans: Sequence[Span], within: Span, margin: float) -> Iterator[Span]:
    """Each span with its margin, or half of the pause to its neighbour where that is shorter; on a 10 ms grid."""
    for i, span in enumerate(spans):
        before = span.start - spans[i - 1].end if i else 2 * margin
        after = spans[i + 1].start - span.end if i + 1 < len(spans) else 2 * margin
        start = max(within.start, round(span.start - min(margin, before / 2), 2))
        end = min(within.end, round(span.end + min(margin, after / 2), 2))
        if end > start:
            yield Span(start, end)


def unheard(
    words: Sequence[Word], speech: Sequence[Span], *, within: Span, least: float = LEAST_UNHEARD
) -> tuple[Span, ...]:
    """The gaps between words that hold at least `least` seconds of speech, cut to that speech.

    Whisper sometimes jumps over a whole sentence, above all where voices change (measured on joined readings: half of
    all its errors). A word covers at most `LONGEST_WORD` seconds.
    """
    gaps: list[Span] = []
    covered = within.start
    for start, end in [*((w.start, w.end) for w in words), (within.end, within.end)]:
        if start is None or end is None:
            continue
        inside = tuple(_cut(speech, Span(covered, start)))
        if sum(each.end - each.start for each in inside) >= least:
            gaps.append(Span(inside[0].start, inside[-1].end))
        covered = max(covered, min(end, start + LONGEST_WORD))
    return tuple(gaps)


def _cut(spans: Sequence[Span], to: Span) -> Iterator[Span]:
    """What of the spans lies inside another."""
    for each in spans:
        start, end = max(each.start, to.start), min(each.end, to.end)
        if end > start:
            yield Span(start, end)


def within_speech(spans: Sequence[Span], to: Span) -> tuple[Span, ...]:
    """The parts of the stretches that lie inside `to`."""
    return tuple(_cut(spans, to))


def fitted(words: Sequence[Word], speech: Sequence[Span], *, within: Span) -> tuple[Word, ...]:
    """The same words with times that run forward inside `within` and do not reach over a pause.

    A word that is longer than a word can be is cut to the stretch of speech that holds most of it: a recognizer lets
    the first word after a pause begin in the pause, and the pause belongs to nobody. Where that stretch too is longer
    than a word, speech was jumped over, and the word goes where the next one begins. Every word keeps at least
    `SHORTEST_WORD` seconds unless `within` ends first.
    """
    result: list[Word] = []
    earliest = within.start
    for word, (start, end) in zip(words, _settled(words, speech), strict=True):
        start = min(max(start, earliest), within.end)
        end = min(max(end, start + SHORTEST_WORD), within.end)
        result.append(replace(word, start=round(start, 3), end=round(end, 3)))
        earliest = end
    return tuple(result)


def _settled(words: Sequence[Word], speech: Sequence[Span]) -> list[tuple[float, float]]:
    """Where each word is said, as far as the words beside it and the speech can tell."""
    given = [(word.start or 0.0, word.end or word.start or 0.0) for word in words]
    places = list(given)
    for i, (start, end) in enumerate(given):
        if end - start <= LONGEST_WORD / 2:
            continue
        best = max(_cut(speech, Span(start, end)), key=lambda each: each.end - each.start, default=Span(start, end))
        if best.end - best.start <= LONGEST_WORD:
            places[i] = (best.start, best.end)
        elif i + 1 < len(given) and given[i + 1][0] - end < TOUCHING:
            places[i] = (end - MOVED_WORD, end)
            for j in _island_before(given, i):
                places[j] = (places[j + 1][0] - MOVED_WORD, places[j + 1][0])
        else:
            places[i] = (start, start + MOVED_WORD)
    return places


def _island_before(given: Sequence[tuple[float, float]], i: int) -> Sequence[int]:
    """The last first: up to three words that touch word `i` and stand alone after a gap. They go where it goes."""
    for j in range(i - 1, max(-1, i - 4), -1):
        if given[j + 1][0] - given[j][1] >= TOUCHING:
            return ()
        if given[j][0] - (given[j - 1][1] if j else 0.0) >= LEAST_UNHEARD:
            return range(i - 1, j - 1, -1)
    return ()
