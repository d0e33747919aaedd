"""Where to cut a recording into windows, so that no word is cut and no window is long."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from transcription.ports import Span

#: A crash in recognition costs at most one window.
LONGEST_SECONDS = 300.0

#: Before this much of a window nothing is cut: a fifth of the window to find a pause in keeps windows long, and talk
#: without any pause of a breath in a minute is not known to us.
EARLIEST_SECONDS = 240.0

#: A place is as quiet as the half second around it: the stop of a "t" is quiet too, but lasts 50 ms.
PAUSE_SECONDS = 0.5


def plan(
    levels: Sequence[float],
    *,
    frame_seconds: float,
    seconds: float | None = None,
    longest: float = LONGEST_SECONDS,
    earliest: float = EARLIEST_SECONDS,
) -> tuple[Span, ...]:
    """Cut the recording at the quietest place between `earliest` and `longest` of each window.

    `levels` holds one loudness per `frame_seconds`, of any scale that rises with the sound. `seconds` is the exact
    length of the recording, where the last frame is not full. The windows cover it from 0 without gap or overlap,
    each at most `longest` seconds (and at least one frame) long. Of equally quiet places the last is taken. A
    recording of no frames has no windows. Raises ValueError unless 0 <= earliest <= longest and a frame fits into a
    window.
    """
    if not (0 < frame_seconds <= longest and 0 <= earliest <= longest):
        raise ValueError(
            f"frame_seconds={frame_seconds}, earliest={earliest}, longest={longest} leave nothing to cut"
        )
    longest_frames = int(longest / frame_seconds + 1e-9)
    earliest_frames = max(1, min(longest_frames, round(earliest / frame_seconds)))
    reach = round(PAUSE_SECONDS / frame_seconds / 2)
    cuts = [0]
    while len(levels) - cuts[-1] > longest_frames:
        cuts.append(_quietest(levels, cuts[-1] + earliest_frames, cuts[-1] + longest_frames, reach))
    if not levels:
        return ()
    end = _time(len(levels), frame_seconds) if seconds is None else seconds
    return tuple(Span(start, stop) for start, stop in pairwise([*(_time(cut, frame_seconds) for cut in cuts), end]))


def _time(frame: int, frame_seconds: float) -> float:
    """Seconds at a frame's start, without the dust of float multiplication: 0.06, not 0.06000000000000001."""
    return round(frame * frame_seconds, 6)


def _quietest(levels: Sequence[float], first: int, last: int, reach: int) -> int:
    """The frame in [first, last] before which a cut is quietest, by the mean of `reach` frames on both sides.

    Past the end of the recording nothing is heard, so only the frames that are there count.
    """
    best, lowest = last, float("inf")
    for cut in range(first, last + 1):
        around = levels[max(0, cut - reach) : cut + reach] if reach else levels[cut : cut + 1]
        level = sum(around) / len(around)
        if level <= lowest:
            best, lowest = cut, level
    return best
