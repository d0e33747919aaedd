"""Made-up trouble: what the engines heard with a voice too many, words under another voice, or lost punctuation.

Each disturbance takes what an engine heard, the transcript of it undisturbed, and a random generator, and gives it
disturbed: the same seed gives the same, nothing outside the chosen stretches changes, and no time moves. Where there
is no place for it, what was heard comes back as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random

from schemas.transcript import Transcript, Word
from transcription.ports import Diarization, Passage, Recognition, Span, VoiceTurn
from transcription.sentences import ends_sentence

#: A phantom's stretches in seconds, and how far from the ends of the turn that they are cut from.
PHANTOM_SECONDS = (1.0, 2.5)
EDGE_SECONDS = 0.5

#: Islands: how many a minute, how long in seconds, and how far from each other and from the sentence's ends.
ISLANDS_A_MINUTE = 2.0
ISLAND_SECONDS = (0.2, 0.5)
APART_SECONDS = 3.0
WORDS_AROUND = 2
#: How often the voice around falls silent in the full diarization too, instead of both speaking there. Of the seven
#: turns under 0.8 s between two of one other voice that pyannote gave in our recordings it was five.
ALONE = 5 / 7

#: The share of passages that lose their marks.
UNMARKED_SHARE = 1 / 3

_MARKS = '.,;:?!…“”"()'


# ---------------------------------------------------------------- a voice too many


@dataclass(frozen=True, slots=True)
class Phantom:
    """Stretches inside long turns of one voice that become a voice of their own.

    Its embedding is that voice's, mixed with noise to a cosine between the two of `likeness`.
    """

    stretches: int
    likeness: tuple[float, float]

    def __call__(self, heard: Diarization, _: Transcript, random: Random) -> Diarization:
        long = _long_turns(heard)
        voices = [each for each in sorted(long) if len(long[each]) >= self.stretches and each in heard.embeddings]
        if not voices:
            return heard
        voice, phantom = random.choice(voices), f"voice {len({turn.voice for turn in heard.turns}) + 1}"
        turns, exclusive = heard.turns, heard.exclusive
        for turn in random.sample(long[voice], self.stretches):
            length = random.uniform(*PHANTOM_SECONDS)
            start = random.uniform(turn.start + EDGE_SECONDS, turn.end - EDGE_SECONDS - length)
            span = _rounded(start, start + length)
            turns, exclusive = handed(turns, span, phantom), handed(exclusive, span, phantom)
        embedding = alike(heard.embeddings[voice], random.uniform(*self.likeness), random)
        return Diarization(turns, exclusive, {**heard.embeddings, phantom: embedding})


def _long_turns(heard: Diarization) -> dict[str, list[VoiceTurn]]:
    """By voice, the turns that a stretch of any length fits into and nobody else speaks in."""
    least = PHANTOM_SECONDS[1] + 2 * EDGE_SECONDS
    long: dict[str, list[VoiceTurn]] = {}
    for turn in heard.exclusive:
        if turn.end - turn.start >= least and _is_alone(turn.voice, Span(turn.start, turn.end), heard.turns):
            long.setdefault(turn.voice, []).append(turn)
    return long


def alike(embedding: Sequence[float], cosine: float, random: Random) -> tuple[float, ...]:
    """A vector of length 1 at this cosine from the embedding, in a random direction."""
    length = sum(each * each for each in embedding) ** 0.5
    unit = [each / length for each in embedding]
    noise = [random.gauss(0.0, 1.0) for _ in unit]
    shared = sum(one * other for one, other in zip(unit, noise, strict=True))
    aside = [other - shared * one for one, other in zip(unit, noise, strict=True)]
    width = sum(each * each for each in aside) ** 0.5
    share = (1.0 - cosine * cosine) ** 0.5 / width
    return tuple(cosine * one + share * other for one, other in zip(unit, aside, strict=True))


# ---------------------------------------------------------------- words under another voice


def with_islands(heard: Diarization, document: Transcript, random: Random) -> Diarization:
    """Short stretches inside sentences go to another voice that is heard in the recording."""
    voices = sorted({turn.voice for turn in heard.exclusive})
    minutes = (document.episode.audio.duration or 0.0) / 60
    places = list(_inside_sentences(document))
    random.shuffle(places)
    turns, exclusive = heard.turns, heard.exclusive
    taken: list[float] = []
    for middle, voice in places:
        length = random.uniform(*ISLAND_SECONDS)
        span = _rounded(middle - length / 2, middle + length / 2)
        is_free = all(abs(middle - each) >= APART_SECONDS for each in taken)
        if len(voices) < 2 or not is_free or not _is_alone(voice, span, heard.turns):
            continue
        if not _is_alone(voice, span, heard.exclusive):
            continue
        other = random.choice([each for each in voices if each != voice])
        exclusive = handed(exclusive, span, other)
        both = (VoiceTurn(span.start, span.end, other), *turns)
        turns = handed(turns, span, other) if random.random() < ALONE else _in_order(both)
        taken.append(middle)
        if len(taken) >= max(1, round(ISLANDS_A_MINUTE * minutes)):
            break
    return replace(heard, turns=turns, exclusive=exclusive)


def _inside_sentences(document: Transcript) -> Iterator[tuple[float, str]]:
    """The middle of each word with words of its sentence around it, and its voice."""
    voice_of = {each.id: each.voice for each in document.speakers}
    for turn in document.turns:
        voice = voice_of.get(turn.speaker or "")
        words = [word for paragraph in turn.paragraphs for word in paragraph.words]
        for i in range(WORDS_AROUND, len(words) - WORDS_AROUND):
            around = words[i - WORDS_AROUND : i + WORDS_AROUND + 1]
            start, end = words[i].start, words[i].end
            if voice is None or start is None or end is None:
                continue
            if not any(ends_sentence(one.text, after.text) for one, after in pairwise(around)):
                yield (start + end) / 2, voice


def handed(turns: Sequence[VoiceTurn], span: Span, voice: str) -> tuple[VoiceTurn, ...]:
    """The turns with a stretch of them given to another voice, which speaks there alone."""
    left: list[VoiceTurn] = [VoiceTurn(span.start, span.end, voice)]
    for turn in turns:
        pieces = ((turn.start, min(turn.end, span.start)), (max(turn.start, span.end), turn.end))
        is_outside = turn.end <= span.start or turn.start >= span.end
        left += [turn] if is_outside else [VoiceTurn(*each, turn.voice) for each in pieces if each[0] < each[1]]
    return _in_order(left)


def _in_order(turns: Sequence[VoiceTurn]) -> tuple[VoiceTurn, ...]:
    return tuple(sorted(turns, key=lambda turn: (turn.start, turn.end, turn.voice)))


def _is_alone(voice: str, span: Span, turns: Sequence[VoiceTurn]) -> bool:
    """Whether one turn of the voice covers the stretch, and no other voice speaks in it."""
    met = [turn for turn in turns if turn.start < span.end and span.start < turn.end]
    return {turn.voice for turn in met} == {voice} and any(
        turn.start <= span.start and span.end <= turn.end for turn in met
    )


def _rounded(start: float, end: float) -> Span:
    """In milliseconds, as the engines give them."""
    return Span(round(start, 3), round(end, 3))


# ---------------------------------------------------------------- lost punctuation


def without_marks(heard: Recognition, _: Transcript, random: Random) -> Recognition:
    """A third of a window's passages, one after another, in small letters and without punctuation.

    The manner that Whisper falls into. A second reading of a stretch is not disturbed: it begins anew.
    """
    count = max(1, round(UNMARKED_SHARE * len(heard.passages)))
    if not heard.passages:
        return heard
    first = random.randint(0, len(heard.passages) - count)
    bare = [_bare(each) for each in heard.passages[first : first + count]]
    return replace(heard, passages=(*heard.passages[:first], *bare, *heard.passages[first + count :]))


def _bare(passage: Passage) -> Passage:
    return replace(passage, words=tuple(map(_bare_word, passage.words)))


def _bare_word(word: Word) -> Word:
    """Its letters; a word of marks alone stays, so that none is lost."""
    return replace(word, text=word.text.strip(_MARKS).lower() or word.text)
