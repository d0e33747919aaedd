"""Words with voices to turns: what one speaker says without a break."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from schemas.transcript import FoldedBackchannel, Word, WordTag
from transcription.backchannels import is_backchannel
from transcription.voices import VoicedWord, voice_runs

#: Words that no voice covers join the nearer turn beside them when the gap is at most this many seconds; farther
#: away they are a turn of their own without a speaker. Chosen, not measured.
ADJACENT_SECONDS = 1.0

#: A longer "yeah" than this is more than a sign that somebody listens, in seconds. Chosen, not measured.
LONGEST_BACKCHANNEL = 2.0


@dataclass(frozen=True, slots=True)
class SpokenTurn:
    """The words of one turn. `speaker` and `voice` are null where no voice covers the words."""

    speaker: str | None  #: S1… by first appearance
    voice: str | None
    words: tuple[Word, ...]


def build_turns(voiced: Sequence[VoicedWord]) -> tuple[SpokenTurn, ...]:
    """Join the words of one voice that follow each other. Every word is in exactly one turn, in order.

    Words without a voice go to the voice around them, or to the nearer voice beside them within `ADJACENT_SECONDS`.
    """
    words = [each.word for each in voiced]
    voices = _adopted([each.voice for each in voiced], words)
    speakers: dict[str, str] = {}
    turns: list[SpokenTurn] = []
    for first, last in voice_runs(voices):
        voice = voices[first]
        speaker = None if voice is None else speakers.setdefault(voice, f"S{len(speakers) + 1}")
        turns.append(SpokenTurn(speaker, voice, tuple(words[first:last])))
    return tuple(turns)


def _adopted(voices: Sequence[str | None], words: Sequence[Word]) -> list[str | None]:
    """The voices, with words that have none given to a voice beside them where one is near."""
    adopted = list(voices)
    for first, last in voice_runs(voices):
        if voices[first] is not None:
            continue
        before = voices[first - 1] if first else None
        after = voices[last] if last < len(voices) else None
        if before is not None and before == after:
            adopted[first:last] = [before] * (last - first)
            continue
        near = [
            (gap, side, voice)
            for side, (voice, gap) in enumerate(((before, _gap(words, first - 1)), (after, _gap(words, last - 1))))
            if voice is not None and gap <= ADJACENT_SECONDS
        ]
        if near:
            adopted[first:last] = [min(near)[2]] * (last - first)
    return adopted


def _gap(words: Sequence[Word], i: int) -> float:
    """Seconds between word i and the next; none where a time is unknown."""
    if i < 0 or i + 1 >= len(words):
        return 0.0
    end, start = words[i].end, words[i + 1].start
    return 0.0 if end is None or start is None else max(0.0, start - end)


@dataclass(frozen=True, slots=True)
class Folded:
    """The turns without those that only listen, and who said what in them."""

    turns: tuple[SpokenTurn, ...]
    backchannels: tuple[FoldedBackchannel, ...]


def fold_backchannels(turns: Sequence[SpokenTurn]) -> Folded:
    """Put each backchannel, tagged, among the words of the turn it fell into, which goes on as one.

    It must stand between two turns of one other speaker, the first of which asks nothing; a speaker who only listens
    keeps all turns, because nobody else's words tell that they were there. No word is lost or moved. Speakers are
    numbered by first appearance again.
    """
    talkers = {turn.speaker for turn in turns if not is_backchannel(turn.words)}
    kept: list[SpokenTurn] = []
    folded: list[FoldedBackchannel] = []
    at = 0
    while at < len(turns):
        turn = turns[at]
        before = kept[-1] if kept else None
        after = turns[at + 1] if at + 1 < len(turns) else None
        if before is not None and after is not None and turn.speaker in talkers and _fell_into(turn, before, after):
            tagged = tuple(replace(word, tags=(*word.tags, WordTag.BACKCHANNEL)) for word in turn.words)
            kept[-1] = replace(before, words=(*before.words, *tagged, *after.words))
            text = " ".join(word.text for word in turn.words)
            folded.append(FoldedBackchannel(turn.speaker, text, turn.words[0].start, turn.words[-1].end))
            at += 2
        else:
            kept.append(turn)
            at += 1
    numbers: dict[str, str] = {}
    for turn in kept:
        if turn.speaker is not None:
            numbers.setdefault(turn.speaker, f"S{len(numbers) + 1}")
    return Folded(
        tuple(replace(turn, speaker=numbers.get(turn.speaker or "")) for turn in kept),
        tuple(replace(each, speaker=numbers.get(each.speaker or "")) for each in folded),
    )


def _fell_into(turn: SpokenTurn, before: SpokenTurn, after: SpokenTurn) -> bool:
    if before.speaker is None or before.speaker != after.speaker or not is_backchannel(turn.words):
        return False
    start, end = turn.words[0].start, turn.words[-1].end
    is_short = start is None or end is None or end - start <= LONGEST_BACKCHANNEL
    last = before.words[-1].text
    return is_short and "?" not in last[-2:] and not is_backchannel(before.words)
