"""Which voice said which word: most overlap first, then boundaries move to where people really change."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from schemas.transcript import Word, WordTag
from transcription.backchannels import is_backchannel
from transcription.ports import VoiceTurn
from transcription.sentences import ends_sentence

#: A word that no turn touches takes the nearest voice within this many seconds: recognizers stretch words over the
#: edges of speech. Farther away it keeps None, because the nearest voice would put a name on noise. Chosen.
NEAREST_SECONDS = 0.5

_REACH_SECONDS = NEAREST_SECONDS + 0.001  #: gaps are compared rounded

#: A recognizer may stretch the first word after a silence back over it. Only the last part of a word, of this many
#: seconds, is compared with the turns. Chosen, not measured: hardly a word takes longer to say.
SPOKEN_SECONDS = 1.0

#: Silence between two words that people hear as a stop, in seconds. Chosen, not measured: within a breath group
#: words follow each other faster.
PAUSE_SECONDS = 0.3

#: How far a boundary may move to a sentence end: words, and how long they are in seconds. 0.6 to 0.9 s and 2 to 4
#: words gave the fewest words under the wrong speaker on a telephone talk and three joined conversations, as found
#: and with every boundary of the diarization shifted at random by up to 0.3, 0.5 or 0.8 s.
SNAP_WORDS = 3
SNAP_SECONDS = 0.9

#: The longest run of words that is an island when the voice around it goes on with its sentence. Chosen, not
#: measured: the edges of a diarization are wrong by a word or two. What filling one can cost: in 30 s of a real
#: meeting (AMI `trn00`, much of it said at once) twelve such runs truly are another voice's, five of them what only
#: a listener says and seven pieces of overlapping sentences. So `_fill_islands` asks the full diarization first.
ISLAND_WORDS = 2

#: How far around an island the diarization is asked whose it is, in seconds. Chosen, not measured.
ISLAND_MARGIN_SECONDS = 0.1

#: A backchannel that flows on without a pause is its own voice's only from the first probability on, an island that
#: pauses set off only above the second. Chosen, not measured: two people seldom share a sentence without a gap.
FLOWING_PROBABILITY = 0.9
SET_OFF_PROBABILITY = 0.5


@dataclass(frozen=True, slots=True)
class VoicedWord:
    """A word and the voice that said it; None where no voice covers it."""

    word: Word
    voice: str | None


def assign_voices(words: Sequence[Word], turns: Sequence[VoiceTurn]) -> tuple[VoicedWord, ...]:
    """Give each word the voice whose turns cover most of it.

    `turns` should be the exclusive diarization; overlapping turns work too. Times are seconds from the start of the
    recording. A word that no turn touches takes the nearest turn within `NEAREST_SECONDS`, else None. Ties go to the
    alphabetically first voice, so that a repeated run gives the same bytes. A word without times takes the voice of
    the word before it.
    """
    ordered = sorted(turns, key=lambda turn: (turn.start, turn.end, turn.voice))
    found: list[str | None] = [None] * len(words)
    spoken = [(place, *span) for place, word in enumerate(words) if (span := _spoken(word)) is not None]
    near: list[VoiceTurn] = []  # in the order of `ordered`; may hold turns that begin too late for this word
    begun = 0
    for place, start, end in sorted(spoken, key=lambda each: each[1]):
        while begun < len(ordered) and ordered[begun].start <= end + _REACH_SECONDS:
            near.append(ordered[begun])
            begun += 1
        near = [turn for turn in near if turn.end >= start - _REACH_SECONDS]
        found[place] = _voice_of(start, end, near)
    for place, word in enumerate(words):
        if word.start is None or word.end is None:
            found[place] = found[place - 1] if place else None
    return tuple(VoicedWord(word, voice) for word, voice in zip(words, found, strict=True))


def _spoken(word: Word) -> tuple[float, float] | None:
    """The part of a word that is compared with the turns; None for a word without times."""
    return None if word.start is None or word.end is None else (max(word.start, word.end - SPOKEN_SECONDS), word.end)


def _voice_of(start: float, end: float, near: Sequence[VoiceTurn]) -> str | None:
    covered: dict[str, float] = {}
    for turn in near:
        shared = min(end, turn.end) - max(start, turn.start)
        if shared > 0:
            covered[turn.voice] = covered.get(turn.voice, 0.0) + shared
    if covered:
        return min(covered, key=lambda voice: (-round(covered[voice], 6), voice))
    gaps = [(round(max(turn.start - end, start - turn.end, 0.0), 6), turn.voice) for turn in near]
    within = [gap for gap in gaps if gap[0] <= NEAREST_SECONDS]
    return min(within)[1] if within else None


def smooth_voices(
    voiced: Sequence[VoicedWord],
    *,
    sentence_ends: Sequence[float] = (),
    turns: Sequence[VoiceTurn] = (),
    snap: bool = True,
    islands: bool = True,
) -> tuple[VoicedWord, ...]:
    """Move boundaries between voices to sentence ends and pauses, and give islands to the voice around them.

    Diarization is right to a few tenths of a second, which is one or two words; people mostly change at the end of a
    sentence. `sentence_ends` are the recognizer's own segment ends in seconds, which count as stops beside
    punctuation. `turns` is the full diarization, by which islands are judged: where the voice around speaks too, what
    stands in its sentence is its own; without it pauses alone decide. Words, their number and their order stay.
    """
    stops = _stops([each.word for each in voiced], sentence_ends)
    voices = [each.voice for each in voiced]
    presence = _Presence(turns)
    if islands:
        voices = _fill_islands(voices, voiced, stops, presence)
    if snap:
        voices = _snap(voices, voiced, stops)
        if islands:
            voices = _fill_islands(voices, voiced, stops, presence)
    return tuple(replace(each, voice=voice) for each, voice in zip(voiced, voices, strict=True))


@dataclass(frozen=True, slots=True)
class _Stop:
    """What stands between a word and the next."""

    sentence: bool
    pause: float  #: seconds


def _stops(words: Sequence[Word], sentence_ends: Sequence[float]) -> list[_Stop]:
    """The stop after each word but the last."""
    ends = sorted(sentence_ends)
    stops: list[_Stop] = []
    for word, following in pairwise(words):
        pause = 0.0 if word.end is None or following.start is None else max(0.0, following.start - word.end)
        stops.append(_Stop(ends_sentence(word.text, following.text) or _is_end(word.end, ends), pause))
    return stops


def _is_end(moment: float | None, ends: Sequence[float]) -> bool:
    if moment is None:
        return False
    place = bisect_left(ends, moment - 0.02)
    return place < len(ends) and ends[place] <= moment + 0.02


def voice_runs(voices: Sequence[str | None]) -> list[tuple[int, int]]:
    """Stretches of one voice as (first, past the last)."""
    edges = [0, *(i for i in range(1, len(voices)) if voices[i] != voices[i - 1]), len(voices)]
    return [(first, last) for first, last in pairwise(edges) if first < last]


class _Presence:
    """When each voice speaks."""

    def __init__(self, turns: Sequence[VoiceTurn]) -> None:
        spans: dict[str, list[tuple[float, float]]] = {}
        for turn in sorted(turns, key=lambda each: (each.start, each.end)):
            own = spans.setdefault(turn.voice, [])
            if own and turn.start <= own[-1][1]:
                own[-1] = (own[-1][0], max(own[-1][1], turn.end))
            else:
                own.append((turn.start, turn.end))
        self._spans = spans
        self._starts = {voice: [start for start, _ in own] for voice, own in spans.items()}

    def seconds(self, voice: str | None, start: float, end: float) -> float:
        """How long the voice speaks between two moments."""
        if voice is None or voice not in self._spans:
            return 0.0
        spans = self._spans[voice]
        place = max(0, bisect_left(self._starts[voice], start) - 1)
        shared = 0.0
        while place < len(spans) and spans[place][0] < end:
            shared += max(0.0, min(end, spans[place][1]) - max(start, spans[place][0]))
            place += 1
        return shared

    def probability(self, voice: str | None, other: str, words: Sequence[VoicedWord]) -> float | None:
        """How likely the words are the voice's and not the other's, 0 to 1; None where neither is heard."""
        start, end = words[0].word.start, words[-1].word.end
        if start is None or end is None:
            return None
        span = (max(start, end - 2 * SPOKEN_SECONDS) - ISLAND_MARGIN_SECONDS, end + ISLAND_MARGIN_SECONDS)
        own, others = self.seconds(voice, *span), self.seconds(other, *span)
        return own / (own + others) if own + others > 0 else None


def _islands(
    voices: Sequence[str | None], voiced: Sequence[VoicedWord], presence: _Presence
) -> Iterator[tuple[float, int, int]]:
    """Each short run between words of one other voice as (probability, first, past the last); 0 where unknown."""
    for first, last in voice_runs(voices):
        if first == 0 or last == len(voices) or last - first > ISLAND_WORDS:
            continue
        around = voices[first - 1]
        if around is not None and around == voices[last]:
            yield presence.probability(voices[first], around, voiced[first:last]) or 0.0, first, last


def _fill_islands(
    voices: Sequence[str | None], voiced: Sequence[VoicedWord], stops: Sequence[_Stop], presence: _Presence
) -> list[str | None]:
    """One or two words inside another voice's sentence are that voice's, unless the sound says otherwise.

    The least probable first: of two that lie side by side it is the island, and the other is what it lies in.
    """
    filled = list(voices)
    for _, first, last in sorted(_islands(voices, voiced, presence)):
        around = filled[first - 1]
        if around is None or around != filled[last] or around == filled[first]:
            continue
        words = voiced[first:last]
        probability = presence.probability(voices[first], around, words)
        listens = is_backchannel([each.word for each in words])
        if not _is_stop(stops[first - 1]) and not _is_stop(stops[last - 1]):
            is_around = not (listens and probability is not None and probability >= FLOWING_PROBABILITY)
        else:
            # A sentence of its own, and what only a listener says, is never part of the sentence around it.
            is_around = not stops[first - 1].sentence and not listens
            is_around = is_around and probability is not None and probability <= SET_OFF_PROBABILITY
        if is_around:
            filled[first:last] = [around] * (last - first)
    return filled


def _snap(voices: Sequence[str | None], voiced: Sequence[VoicedWord], stops: Sequence[_Stop]) -> list[str | None]:
    """Move each boundary that cuts a sentence to the nearest sentence end within reach, else to the nearest pause.

    A boundary never passes another, nor takes a turn away: each keeps a word that it had before.
    """
    snapped = list(voices)
    place = 0  # of the boundary before
    for left, right in pairwise(voice_runs(voices)):
        boundary = left[1]
        earliest = max(max(place, left[0]) + 1, boundary - SNAP_WORDS)
        latest = min(right[1] - 1, boundary + SNAP_WORDS)
        within = [
            each
            for each in range(earliest, latest + 1)
            if each == boundary or _seconds_between(voiced, boundary, each) <= SNAP_SECONDS
        ]
        places = [each for each in within if stops[each - 1].sentence]
        places = places or [each for each in within if _is_stop(stops[each - 1])]
        place = min(places or [boundary], key=lambda each: (abs(each - boundary), each))
        if place < boundary:
            snapped[place:boundary] = [voices[boundary]] * (boundary - place)
        elif place > boundary:
            snapped[boundary:place] = [voices[boundary - 1]] * (place - boundary)
    return snapped


def _is_stop(stop: _Stop) -> bool:
    return stop.sentence or stop.pause >= PAUSE_SECONDS


def _seconds_between(voiced: Sequence[VoicedWord], boundary: int, place: int) -> float:
    """How long the words are that a moved boundary would give to the other voice."""
    moved = voiced[min(boundary, place) : max(boundary, place)]
    start, end = moved[0].word.start, moved[-1].word.end
    return 0.0 if start is None or end is None else end - start


def mark_overlap(words: Sequence[Word], turns: Sequence[VoiceTurn]) -> tuple[Word, ...]:
    """Tag the words that are spoken, for most of their length, while another voice speaks too.

    `turns` is the full diarization, which may overlap.
    """
    together = overlap_spans(turns)
    starts = [start for start, _ in together]
    marked: list[Word] = []
    for word in words:
        if word.start is not None and word.end is not None and _is_covered(word.start, word.end, together, starts):
            word = replace(word, tags=(*(tag for tag in word.tags if tag is not WordTag.OVERLAP), WordTag.OVERLAP))
        marked.append(word)
    return tuple(marked)


def _is_covered(start: float, end: float, spans: Sequence[tuple[float, float]], starts: Sequence[float]) -> bool:
    place = max(0, bisect_left(starts, start) - 1)
    shared = 0.0
    while place < len(spans) and spans[place][0] < end:
        shared += max(0.0, min(end, spans[place][1]) - max(start, spans[place][0]))
        place += 1
    return shared > 0 and shared >= (end - start) / 2


def overlap_spans(turns: Sequence[VoiceTurn]) -> tuple[tuple[float, float], ...]:
    """Where two or more different voices speak at once: (start, end) in seconds, in order, not touching."""
    edges = sorted([(turn.start, 1, turn.voice) for turn in turns] + [(turn.end, 0, turn.voice) for turn in turns])
    active: dict[str, int] = {}
    spans: list[tuple[float, float]] = []
    since: float | None = None
    for moment, begins, voice in edges:
        active[voice] = active.get(voice, 0) + (1 if begins else -1)
        if active[voice] <= 0:
            del active[voice]
        if len(active) > 1 and since is None:
            since = moment
        elif len(active) < 2 and since is not None:
            if moment > since:
                spans.append((since, moment))
            since = None
    return tuple(spans)
