"""tcpWER: cpWER in which a word counts only near the time at which it was said.

The definition is meeteval's (`time_constrained_minimum_permutation_word_error_rate` with its usual pseudo timings): a
word of the page may stand for one of the truth when its middle, widened by the collar on both sides, overlaps that
word. Other words are missing and too many. tests/evaluation/test_against_meeteval.py holds ours against theirs; ours
is here because meeteval is compiled at every installation, and an evaluation should not wait for a compiler.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.measures import cheapest, normalized
from evaluation.said import Stretch, spread_times

#: On both sides of a word of the page, in seconds. The usual choice for long conversations (CHiME-7 and -8).
TIME_COLLAR_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class TimedWord:
    """One normalized word and when it may be matched, in seconds."""

    text: str
    start: float
    end: float


def time_constrained_error_rate(
    truth: Sequence[Stretch], heard: Sequence[Stretch], *, collar: float = TIME_COLLAR_SECONDS
) -> float | None:
    """tcpWER, 0 and up; None where the truth has no words or either side has words without times."""
    if any(each.start is None or each.end is None for each in (*truth, *heard)):
        return None
    said = {who: timed_words(truth, who) for who in sorted({each.speaker for each in truth})}
    written = {who: timed_words(heard, who, collar=collar) for who in sorted({each.speaker for each in heard})}
    count = sum(len(words) for words in said.values())
    if not count:
        return None
    size = max(len(said), len(written))
    left = [*said.values(), *[()] * (size - len(said))]
    right = [*written.values(), *[()] * (size - len(written))]
    errors = [[float(timed_errors(one, other)) for other in right] for one in left]
    return sum(errors[i][j] for i, j in cheapest(errors)) / count


def timed_words(stretches: Iterable[Stretch], speaker: str, *, collar: float | None = None) -> tuple[TimedWord, ...]:
    """The normalized words of one speaker in order of their stretches, each with its share of the stretch's time.

    With a collar (the page's side) a word is its middle, widened by that much.
    """
    words: list[TimedWord] = []
    own = [each for each in stretches if each.speaker == speaker]
    for each in sorted(own, key=lambda stretch: stretch.start or 0.0):
        texts = normalized(each.text).split()
        for text, (start, end) in zip(texts, spread_times(texts, each.start or 0.0, each.end or 0.0), strict=True):
            if collar is not None:
                middle = (start + end) / 2
                start, end = middle - collar, middle + collar
            words.append(TimedWord(text, start, end))
    return tuple(words)


def timed_errors(truth: Sequence[TimedWord], heard: Sequence[TimedWord]) -> int:
    """The fewest substitutions, deletions and insertions, where only words that overlap in time may stand for others.

    Row by row (a word of the truth each) with the whole row in one numpy expression: `place` turns the running
    insertions into a running minimum.
    """
    import numpy as np

    if not truth or not heard:
        return len(truth) + len(heard)
    words: Any = np.array([each.text for each in heard])
    starts: Any = np.array([each.start for each in heard])
    ends: Any = np.array([each.end for each in heard])
    place: Any = np.arange(len(heard) + 1)
    row = place
    for word in truth:
        overlaps = (starts < word.end) & (ends > word.start)
        replaced = row[:-1] + np.where(overlaps, words != word.text, 2)  # 2: one missing and one too many
        best = np.concatenate(([row[0] + 1], np.minimum(replaced, row[1:] + 1)))
        row = np.minimum.accumulate(best - place) + place
    return int(row[-1])
