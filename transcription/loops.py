"""The same words over and over: what a recognizer writes when it has lost the thread."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

#: The same words this many times in a row are a loop of the recognizer, if they are `LOOP_WORDS` words in all.
LOOP_TIMES = 4
LOOP_WORDS = 8
LOOP_LENGTH = 10  #: the longest phrase that is looked for


def loops(words: Sequence[str]) -> list[tuple[int, int]]:
    """Where a phrase of at most `LOOP_LENGTH` words repeats itself, as (first word, past the last).

    Capitals and the marks around a word make no difference. "No no no no" is emphasis: a loop is longer.
    """
    plain = [word.casefold().strip(".,!?…;:") for word in words]
    found: list[tuple[int, int]] = []
    first = 0
    while first < len(plain):
        past = max((_loop_end(plain, first, length) for length in range(1, LOOP_LENGTH + 1)), default=first)
        if past > first:
            found.append((first, past))
        first = max(past, first + 1)
    return found


def _loop_end(plain: Sequence[str], first: int, length: int) -> int:
    """Past the last repeat of the phrase of `length` words at `first`; `first` where it is no loop."""
    past = first + length
    while past + length <= len(plain) and plain[past : past + length] == plain[first : first + length]:
        past += length
    is_loop = past - first >= max(LOOP_TIMES * length, LOOP_WORDS)
    return past if is_loop else first


def compression(text: str) -> float:
    """How many times smaller zlib makes the text: about 1.6 for half a minute of talk, 5 and more for a loop.

    0 for no text. The same figure as Whisper's `compression_ratio` (openai/whisper, utils.py).
    """
    content = text.encode()
    return len(content) / len(zlib.compress(content)) if content else 0.0
