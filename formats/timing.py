"""When a turn begins and ends, and how long one lasts of which only the start is known."""

from __future__ import annotations

from schemas.transcript import Paragraph, Transcript, Turn

#: The rate of a conversation: 169 words a minute over the whole of a published page with the start of each turn.
WORDS_PER_MINUTE = 169
#: Nobody is taken to speak more slowly: what is left until the next turn is music or silence.
SLOWEST_WORDS_PER_MINUTE = 80


def bounds(paragraph: Paragraph, turn: Turn) -> tuple[float | None, float | None]:
    """Start and end of a paragraph: its own, its words', or its turn's where it is the only one."""
    starts = [w.start for w in paragraph.words if w.start is not None]
    ends = [w.end for w in paragraph.words if w.end is not None]
    is_alone = len(turn.paragraphs) == 1
    begin = paragraph.start if paragraph.start is not None else (starts[0] if starts else None)
    end = paragraph.end if paragraph.end is not None else (ends[-1] if ends else None)
    if begin is None and is_alone:
        begin = turn.start
    if end is None and is_alone:
        end = turn.end
    return begin, end


def turn_start(turn: Turn) -> float | None:
    """The start of a turn, or of its first paragraph."""
    if turn.start is not None:
        return turn.start
    return bounds(turn.paragraphs[0], turn)[0] if turn.paragraphs else None


def is_start_only(turn: Turn) -> bool:
    """Whether the turn's start is known and nothing after it."""
    if turn_start(turn) is None or turn.end is not None:
        return False
    later = [bounds(paragraph, turn) for paragraph in turn.paragraphs]
    return all(end is None for _, end in later) and all(begin is None for begin, _ in later[1:])


def estimated_end(turn: Turn, following: Turn | None) -> float:
    """Where a turn with a start alone ends: at the next turn, but no later than slow speech would.

    The last turn, and one that the next begins together with, last as long as usual speech.
    """
    start = turn_start(turn) or 0.0
    words = sum(len(paragraph.text.split()) for paragraph in turn.paragraphs)
    next_start = turn_start(following) if following is not None else None
    if next_start is None or next_start <= start:
        return start + words * 60 / WORDS_PER_MINUTE
    return min(next_start, start + max(1.0, words * 60 / SLOWEST_WORDS_PER_MINUTE))


def has_times(transcript: Transcript) -> bool:
    """Whether every turn with words has the times that captions need."""
    spoken = (turn for turn in transcript.turns if any(p.text.strip() for p in turn.paragraphs))
    return all(_is_timed(turn) for turn in spoken)


def _is_timed(turn: Turn) -> bool:
    if is_start_only(turn):
        return True
    return all(None not in bounds(paragraph, turn) for paragraph in turn.paragraphs if paragraph.text.strip())
