"""What can be said about a transcript without a reference: figures, doubtful places, warnings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from schemas.transcript import DoubtfulSpan, Quality, Warning, Word, WordTag
from transcription.loops import loops
from transcription.ports import Recognition, VoiceTurn
from transcription.voices import overlap_spans

#: A word covers this many seconds of speech on each side of it: breath and the edges of voice detection.
REACH_SECONDS = 0.5
#: Speech without words is worth a second listen from this many seconds on.
MISSED_SECONDS = 3.0
#: Words below this probability are unsure; a run of `UNSURE_WORDS` of them is doubtful.
UNSURE_PROBABILITY = 0.5
UNSURE_WORDS = 3

#: Below these the document as a whole carries a warning.
LOW_COVERAGE = 0.7
LOW_PROBABILITY = 0.6
#: Above this share of words that no voice covers, too.
MANY_UNASSIGNED = 0.05

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Doubts:
    """The words with their doubtful ones tagged, and the places to listen to again, in order."""

    words: tuple[Word, ...]
    spans: tuple[DoubtfulSpan, ...]


def find_doubts(words: Sequence[Word], speech: Sequence[Interval], flawed: Sequence[DoubtfulSpan] = ()) -> Doubts:
    """Find the words that may be wrong and the speech that has none.

    `speech` is where a voice was detected, in seconds; where it is empty, nothing is said about words without
    speech or speech without words. Words without times or probability raise no doubt. `flawed` are the stretches
    that the recognizer's second look left in doubt: their words are doubtful, whatever each word's own figures say.
    """
    spans: list[DoubtfulSpan] = []
    doubtful: set[int] = set()
    for reason, found in (
        ("low_probability", _unsure_runs(words)),
        ("repetition", loops([word.text for word in words])),
        ("words_without_speech", _outside(words, speech)),
    ):
        for first, past in found:
            doubtful.update(range(first, past))
            spans.append(_span_of(words[first:past], reason))
    for span in flawed:
        inside = [i for i, word in enumerate(words) if _is_inside(word, span)]
        if inside and not any(known.reason == span.reason and _covers(known, span) for known in spans):
            doubtful.update(inside)
            spans.append(span)
    for start, end in _missed(words, speech):
        spans.append(DoubtfulSpan(round(start, 3), round(end, 3), "speech_without_words"))
    spans.sort(key=lambda span: (span.start, span.end, span.reason))
    tagged = tuple(_doubted(word) if i in doubtful else word for i, word in enumerate(words))
    return Doubts(tagged, tuple(spans))


def _is_inside(word: Word, span: DoubtfulSpan) -> bool:
    return word.start is not None and word.end is not None and span.start <= (word.start + word.end) / 2 < span.end


def _covers(known: DoubtfulSpan, span: DoubtfulSpan) -> bool:
    """Whether a place that is listed already is most of this one."""
    return min(known.end, span.end) - max(known.start, span.start) > (span.end - span.start) / 2


def _doubted(word: Word) -> Word:
    return word if WordTag.DOUBTFUL in word.tags else replace(word, tags=(*word.tags, WordTag.DOUBTFUL))


def _span_of(words: Sequence[Word], reason: str) -> DoubtfulSpan:
    starts = [word.start for word in words if word.start is not None]
    ends = [word.end for word in words if word.end is not None]
    return DoubtfulSpan(min(starts, default=0.0), max(ends, default=0.0), reason, " ".join(w.text for w in words))


def _runs_where(marks: Sequence[bool]) -> list[tuple[int, int]]:
    """Stretches of marked places as (first, past the last)."""
    runs: list[tuple[int, int]] = []
    for i, is_marked in enumerate(marks):
        if not is_marked:
            continue
        if runs and runs[-1][1] == i:
            runs[-1] = (runs[-1][0], i + 1)
        else:
            runs.append((i, i + 1))
    return runs


def _unsure_runs(words: Sequence[Word]) -> list[tuple[int, int]]:
    marks = [word.probability is not None and word.probability < UNSURE_PROBABILITY for word in words]
    return [(first, past) for first, past in _runs_where(marks) if past - first >= UNSURE_WORDS]


def _outside(words: Sequence[Word], speech: Sequence[Interval]) -> list[tuple[int, int]]:
    if not speech:
        return []
    near = merge((start - REACH_SECONDS, end + REACH_SECONDS) for start, end in speech)
    marks = []
    place = 0
    for word in words:
        if word.start is None or word.end is None:
            marks.append(False)
            continue
        while place < len(near) and near[place][1] <= word.start:
            place += 1
        marks.append(place == len(near) or near[place][0] >= max(word.end, word.start + 0.001))
    return _runs_where(marks)


def _missed(words: Sequence[Word], speech: Sequence[Interval]) -> list[Interval]:
    gaps = subtract(merge(speech), _carried(words))
    return [(start, end) for start, end in gaps if end - start >= MISSED_SECONDS]


def _carried(words: Sequence[Word]) -> list[Interval]:
    """What the words cover, with their reach."""
    return merge(
        (word.start - REACH_SECONDS, word.end + REACH_SECONDS)
        for word in words
        if word.start is not None and word.end is not None
    )


def speech_spans(recognitions: Sequence[Recognition], turns: Sequence[VoiceTurn]) -> list[Interval]:
    """Where speech was found: by the recognizer's voice detection, or by diarization where that says nothing."""
    detected = merge((span.start, span.end) for each in recognitions for span in each.speech)
    return detected or merge((turn.start, turn.end) for turn in turns)


def measure(
    *,
    words: Sequence[Word],
    speech: Sequence[Interval],
    speech_seconds: float,
    turns: Sequence[VoiceTurn],
    unassigned_words: int,
    doubtful: Sequence[DoubtfulSpan],
    truncated: bool,
    warnings: Sequence[Warning],
) -> Quality:
    """The figures of the document, with the warnings of the stages before first and its own after them.

    `speech_seconds` counts where `speech` is empty; `turns` is the full diarization.
    """
    found = _length(speech) if speech else speech_seconds
    covered = _length(merge(speech)) - _length(subtract(merge(speech), _carried(words)))
    probabilities = [word.probability for word in words if word.probability is not None]
    quality = Quality(
        speech_seconds=round(found, 3),
        coverage=round(covered / found, 4) if speech and found > 0 else None,
        word_count=len(words),
        mean_probability=round(sum(probabilities) / len(probabilities), 4) if probabilities else None,
        overlap_seconds=round(_length(overlap_spans(turns)), 3) if turns else None,
        unassigned_words=unassigned_words,
        no_speech=not words,
        truncated=truncated,
        doubtful=tuple(doubtful),
    )
    return replace(quality, warnings=_distinct((*warnings, *_own_warnings(quality))))


def _own_warnings(quality: Quality) -> list[Warning]:
    if quality.no_speech:
        heard = f"; {quality.speech_seconds:.1f} s sounded like speech" if quality.speech_seconds else ""
        return [Warning("no_speech", f"no words were found in the recording{heard}")]
    warnings: list[Warning] = []
    if quality.truncated:
        warnings.append(Warning("truncated", "the recording breaks off before the end that its header promises"))
    if quality.coverage is not None and quality.coverage < LOW_COVERAGE:
        warnings.append(Warning("low_coverage", f"only {quality.coverage:.0%} of the speech has words"))
    if quality.mean_probability is not None and quality.mean_probability < LOW_PROBABILITY:
        message = f"the recognizer was unsure: {quality.mean_probability:.2f} mean word probability"
        warnings.append(Warning("low_probability", message))
    loops = [span for span in quality.doubtful if span.reason == "repetition"]
    if loops:
        message = f"{len(loops)} place(s) repeat the same words over and over, the first at {loops[0].start:.1f} s"
        warnings.append(Warning("repetition", message))
    if quality.unassigned_words > MANY_UNASSIGNED * quality.word_count:
        message = f"{quality.unassigned_words} of {quality.word_count} words are covered by no voice"
        warnings.append(Warning("unassigned_words", message))
    return warnings


def _distinct(warnings: Sequence[Warning]) -> tuple[Warning, ...]:
    """One warning a code and message; `truncated` may come from the decoder too."""
    kept: dict[str, Warning] = {}
    for warning in warnings:
        key = warning.code if warning.code == "truncated" else f"{warning.code}: {warning.message}"
        kept.setdefault(key, warning)
    return tuple(kept.values())


# ---------------------------------------------------------------- intervals


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """Intervals in order, joined where they touch."""
    joined: list[Interval] = []
    for start, end in sorted(intervals):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        elif end > start:
            joined.append((start, end))
    return joined


def subtract(intervals: Sequence[Interval], holes: Sequence[Interval]) -> list[Interval]:
    """What is left of merged intervals without merged holes."""
    left: list[Interval] = []
    place = 0
    for start, end in intervals:
        while place < len(holes) and holes[place][1] <= start:
            place += 1
        at = place
        while at < len(holes) and holes[at][0] < end:
            if holes[at][0] > start:
                left.append((start, holes[at][0]))
            start = max(start, holes[at][1])
            at += 1
        if start < end:
            left.append((start, end))
    return left


def _length(intervals: Sequence[Interval]) -> float:
    return sum(end - start for start, end in intervals)
