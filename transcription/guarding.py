"""Words that nobody said, and words that are missing: every passage is scored, and what looks wrong is heard again.

Batched recognition has none of Whisper's own checks (faster-whisper's `BatchedInferencePipeline` ignores the
thresholds for compression, log-probability and silence, and never raises the temperature). So they are made here, on
what the first pass wrote, and more of them than Whisper has, because the voice detector is a second witness.
Everything is pure but for `read`, by which a stretch is recognized again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from schemas.transcript import DoubtfulSpan, SpokenLanguage, Word
from transcription.loops import compression, loops
from transcription.ports import Passage, Recognition, Span
from transcription.speech import fitted, passages, unheard, within_speech

#: Text that packs better than this repeats itself (Whisper, arXiv 2212.04356, section 4.5; the default of its
#: reference implementation and of faster-whisper).
LOOPED = 2.4

#: Below this mean log-probability of the tokens a passage is not believed (same sources).
UNLIKELY = -1.0

#: Above this probability of "no speech" (same sources) and below this mean log-probability a passage was invented.
#: Whisper's own second bound is -1.0. Measured on sounds without speech, forced past the voice detector (2026-11-28,
#: `evaluation/sounds.py`): at least 0.66 and at most -0.81 ("you", "Thank you."); on 66 passages of real speech,
#: meetings with distant voices among them: at most 0.48 and at least -0.54.
NO_SPEECH = 0.6
INVENTED = -0.7

#: A passage with no more speech than this under it was invented, unless it is more probable than `INVENTED`: the
#: voice detector's shortest false alarms on noise last a few hundredths of a second, a "yes" lasts two tenths.
LEAST_SPEECH = 0.12

#: Words beyond any speech that are less probable than this on average were invented. As words in the speech they
#: would only be unsure (`quality.UNSURE_PROBABILITY`).
SURE_WORDS = 0.5

#: Nobody talks so fast: the same 66 passages have 3.9 words at most for a second of speech.
MOST_WORDS_A_SECOND = 10.0

#: A word covers so many seconds of silence on each side of it: breath and the edges of voice detection.
REACH_SECONDS = 0.5

#: How Whisper's reference implementation tells a passage with impossible words (`word_anomaly_score`,
#: `is_segment_anomaly` in openai/whisper, transcribe.py): a word counts 1 when it is less probable than 0.15, and the
#: more the shorter than 0.133 s or the longer than 2 s it is; 3 points in 8 words are too many, or one a word.
IMPROBABLE = 0.15
SHORT_WORD, LONG_WORD = 0.133, 2.0
#: Of those 66 passages one had more than 0.31 a word: 11 words drawn out over 22 s, the rest of the talk left out.
ANOMALY_A_WORD = 3 / 8

#: A stretch is taken for another language than its recording's only at this probability.
SURE_LANGUAGE = 0.8

#: And where it holds this much speech: of a few words no language can be told.
LANGUAGE_SECONDS = 2.0

#: Rounds in which unheard speech is recognized alone. The second finds what the first left in the middle of a gap.
ROUNDS_OF_UNHEARD = 2


#: What decides how often a stretch is read again: of other values no checkpoint may be used.
THRESHOLDS = (
    (LOOPED, UNLIKELY, MOST_WORDS_A_SECOND, REACH_SECONDS, IMPROBABLE, SHORT_WORD, LONG_WORD, ANOMALY_A_WORD),
    (NO_SPEECH, INVENTED, LEAST_SPEECH, SURE_LANGUAGE, LANGUAGE_SECONDS, ROUNDS_OF_UNHEARD),
)


class Flaw(StrEnum):
    """Why a stretch is not believed; what the document's `quality` calls it."""

    REPETITION = "repetition"  #: the same words over and over
    LOW_PROBABILITY = "low_probability"  #: the recognizer was unsure of all of it
    WORDS_WITHOUT_SPEECH = "words_without_speech"  #: more words than the speech under them can hold
    SPEECH_WITHOUT_WORDS = "speech_without_words"  #: the other way round
    WORD_LENGTHS = "word_lengths"  #: words too short, too long or too improbable to have been said there
    OTHER_LANGUAGE = "other_language"  #: it sounds like another language than the one it is written in
    INVENTED = "invented"  #: by the figures nobody speaks there


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a window that is to be recognized again."""

    span: Span
    language: str
    is_unheard: bool  #: it has no words yet


#: Recognizes a stretch again: its readings in the order in which they were tried; none where it could not be.
Read = Callable[[Stretch], Sequence[Passage]]


def flaws_of(passage: Passage, speech: Sequence[Span]) -> tuple[Flaw, ...]:
    """What is wrong with a passage that has words. `speech` is where a voice was detected, in the same seconds."""
    if not passage.words:
        return ()
    texts = [word.text for word in passage.words]
    likelihood = passage.log_probability
    heard_seconds = _seconds(within_speech(speech, _around(passage)))
    found = (
        (Flaw.REPETITION, compression(" ".join(texts)) > LOOPED or bool(loops(texts))),
        (Flaw.LOW_PROBABILITY, likelihood is not None and likelihood < UNLIKELY),
        (Flaw.WORDS_WITHOUT_SPEECH, len(texts) > 1 + MOST_WORDS_A_SECOND * heard_seconds),
        (Flaw.WORD_LENGTHS, _is_anomalous(passage.words)),
        (Flaw.OTHER_LANGUAGE, _is_in_another_language(passage, speech)),
    )
    return tuple(flaw for flaw, is_there in found if is_there)


def _around(passage: Passage) -> Span:
    return Span(passage.span.start - REACH_SECONDS, passage.span.end + REACH_SECONDS)


def _seconds(spans: Iterable[Span]) -> float:
    return sum(each.end - each.start for each in spans)


def _is_anomalous(words: Sequence[Word]) -> bool:
    score = sum(map(_anomaly, words))
    return score >= max(3.0, ANOMALY_A_WORD * len(words)) or score + 0.01 >= len(words)


def _anomaly(word: Word) -> float:
    length = (word.end or 0.0) - (word.start or 0.0)
    score = 1.0 if word.probability is not None and word.probability < IMPROBABLE else 0.0
    return score + max(0.0, SHORT_WORD - length) * 15 + max(0.0, length - LONG_WORD)


def _is_in_another_language(passage: Passage, speech: Sequence[Span]) -> bool:
    if passage.heard_language in (None, passage.language) or passage.heard_probability < SURE_LANGUAGE:
        return False
    return _seconds(within_speech(speech, passage.span)) >= LANGUAGE_SECONDS


def is_invented(passage: Passage, speech: Sequence[Span]) -> bool:
    """Whether nobody said this: the engine itself hears no speech there, or the voice detector hears next to none."""
    if not passage.words or passage.log_probability is None or passage.log_probability >= INVENTED:
        return False
    return passage.no_speech > NO_SPEECH or _seconds(within_speech(speech, passage.span)) < LEAST_SPEECH


def is_enough(passage: Passage, speech: Sequence[Span]) -> bool:
    """Whether a second reading needs no third: flawless, or empty, which another way of decoding does not fill."""
    return not flaws_of(passage, speech)


def best_of(readings: Sequence[Passage], speech: Sequence[Span]) -> Passage:
    """The reading that is believed most: not in circles, then with fewest flaws, then the most probable.

    The earlier one on equal terms. An empty reading beats only one that turns in circles.
    """
    return max(readings, key=lambda each: _rank(each, speech))


def _rank(passage: Passage, speech: Sequence[Span]) -> tuple[bool, bool, int, float]:
    flaws = flaws_of(passage, speech)
    return Flaw.REPETITION not in flaws, bool(passage.words), -len(flaws), _likelihood(passage)


def _likelihood(passage: Passage) -> float:
    return float("-inf") if passage.log_probability is None else passage.log_probability


# ---------------------------------------------------------------- a window


def guarded(
    first: Recognition, read: Read | None, *, remove: bool = True, fit: bool = True, follow_language: bool = True
) -> Recognition:
    """The window with its flawed passages read again, its unheard speech read, and invented text removed.

    `read` None: nothing is recognized again. `remove` False keeps invented text among the words; `fit` False leaves
    the engine's word times. `follow_language` False keeps a passage in the window's language whatever it sounds
    like. Nothing is changed silently: `redone` and `removed` have the text that is gone, `doubtful` what is flawed
    still. A recognition without passages comes back as it is.
    """
    if not first.passages:
        return first
    window = _Window(first, read, follow_language=follow_language)
    kept = [each for each in first.passages if each.words]
    removed: list[DoubtfulSpan] = []
    if remove:
        removed = [_span(each, Flaw.INVENTED) for each in kept if is_invented(each, first.speech)]
        kept = [each for each in kept if not is_invented(each, first.speech)]
    kept = [window.looked_again(each) for each in kept]
    extra = window.unheard_in(kept)
    removed = [each for each in removed if not any(_meets(each, found.span) for found in extra)]  # said after all
    kept += extra
    words = joined(kept, first.speech, within=first.span, fit=fit)
    if remove:
        words, lost = _without_invented(words, first.speech)
        removed += lost
    return replace(
        first,
        words=words,
        sentence_ends=sentence_ends(words),
        passages=(),
        doubtful=tuple(_span(each, flaw) for each in kept for flaw in window.flaws(each)),
        redone=tuple(window.redone),
        removed=tuple(sorted(removed, key=lambda each: (each.start, each.end))),
        languages=tuple(_languages(kept, first.language)),
    )


class _Window:
    """The second look at one window, with what it changed."""

    def __init__(self, first: Recognition, read: Read | None, *, follow_language: bool) -> None:
        self._first = first
        self._read = read
        self._follow = follow_language
        self.redone: list[DoubtfulSpan] = []

    def flaws(self, passage: Passage) -> tuple[Flaw, ...]:
        found = flaws_of(passage, self._first.speech)
        return found if self._follow else tuple(each for each in found if each is not Flaw.OTHER_LANGUAGE)

    def looked_again(self, passage: Passage) -> Passage:
        """The passage, or what it became when it was read again; the better one stays."""
        flaws = self.flaws(passage)
        if not flaws or self._read is None:
            return passage
        best = passage
        if Flaw.OTHER_LANGUAGE in flaws:
            best = self._in_its_language(passage)  # if not, that it sounds so is no flaw any more
        left = [each for each in self.flaws(best) if each is not Flaw.OTHER_LANGUAGE]
        if left:
            again = self._read(Stretch(passage.span, best.language, is_unheard=False))
            best = _of_the_same_sound(best_of([best, *again], self._first.speech), best)
        self.redone.append(_span(passage, flaws[0]))
        return best

    def _in_its_language(self, passage: Passage) -> Passage:
        """Whisper translates a foreign passage in silence, or leaves it out: the more probable reading stays."""
        assert self._read is not None
        again = self._read(Stretch(passage.span, passage.heard_language or passage.language, is_unheard=True))
        best = max([passage, *again], key=_likelihood)
        if best is passage:
            return replace(passage, heard_language=None)
        return replace(best, heard_language=best.language, heard_probability=passage.heard_probability)

    def unheard_in(self, kept: Sequence[Passage]) -> list[Passage]:
        """What speech without words gave when it was recognized on its own; what is then flawed is left out."""
        if self._read is None:
            return []
        extra: list[Passage] = []
        tried: set[Span] = set()
        for _ in range(ROUNDS_OF_UNHEARD):
            words = joined([*kept, *extra], self._first.speech, within=self._first.span, fit=True)
            gaps = [gap for gap in unheard(words, self._first.speech, within=self._first.span) if gap not in tried]
            if not gaps:
                break
            tried.update(gaps)
            extra += [found for gap in gaps for found in self._read_gap(gap)]
        return extra

    def _read_gap(self, gap: Span) -> Iterator[Passage]:
        assert self._read is not None
        speech = self._first.speech
        for piece in passages(within_speech(speech, gap), within=gap, margin=0.0):
            if piece.end - piece.start < LEAST_SPEECH:
                continue  # the end of a word beside the gap
            readings = self._read(Stretch(piece, self._first.language, is_unheard=True))
            if not readings:
                continue
            best = best_of(readings, speech)
            if Flaw.OTHER_LANGUAGE in self.flaws(best):
                best = self._in_its_language(best)
            if best.words and not self.flaws(best) and not is_invented(best, speech):
                self.redone.append(_span(Passage(piece), Flaw.SPEECH_WITHOUT_WORDS))
                yield best


def _of_the_same_sound(reading: Passage, earlier: Passage) -> Passage:
    """A reading with the language that the sound was heard in before."""
    return replace(reading, heard_language=earlier.heard_language, heard_probability=earlier.heard_probability)


def _meets(doubtful: DoubtfulSpan, span: Span) -> bool:
    return doubtful.start < span.end and span.start < doubtful.end


def _span(passage: Passage, reason: Flaw) -> DoubtfulSpan:
    text = " ".join(word.text for word in passage.words)
    return DoubtfulSpan(round(passage.span.start, 3), round(passage.span.end, 3), reason.value, text)


def _languages(kept: Sequence[Passage], language: str) -> Iterator[SpokenLanguage]:
    for each in sorted(kept, key=lambda each: each.span.start):
        if each.language and each.language != language and each.words:
            start, end = round(each.span.start, 3), round(each.span.end, 3)
            yield SpokenLanguage(start, end, each.language, round(each.heard_probability, 4))


def _without_invented(words: Sequence[Word], speech: Sequence[Span]) -> tuple[tuple[Word, ...], list[DoubtfulSpan]]:
    """The words without improbable runs that lie beyond any speech, and those runs."""
    if not speech:
        return tuple(words), []
    near = [Span(each.start - REACH_SECONDS, each.end + REACH_SECONDS) for each in speech]
    kept: list[Word] = []
    lost: list[DoubtfulSpan] = []
    run: list[Word] = []
    for word in [*words, None]:
        if word is not None and not _touches(word, near):
            run.append(word)
            continue
        if run:
            mean = sum(each.probability or 0.0 for each in run) / len(run)
            if mean < SURE_WORDS:
                text = " ".join(each.text for each in run)
                lost.append(DoubtfulSpan(run[0].start or 0.0, run[-1].end or 0.0, Flaw.INVENTED.value, text))
            else:
                kept += run
            run = []
        if word is not None:
            kept.append(word)
    return tuple(kept), lost


def _touches(word: Word, spans: Sequence[Span]) -> bool:
    if word.start is None or word.end is None:
        return True
    return any(each.start < max(word.end, word.start + 0.001) and word.start < each.end for each in spans)


# ---------------------------------------------------------------- passages to words


def joined(found: Iterable[Passage], speech: Sequence[Span], *, within: Span, fit: bool = True) -> tuple[Word, ...]:
    """All words of the passages by time, fitted into the speech; without `fit` only clamped to `within`.

    A word at the edge of a gap that was heard from both sides is kept once.
    """
    ordered = sorted(found, key=lambda each: each.span.start)
    words = [
        word
        for passage in ordered
        for word in (fitted(passage.words, speech, within=passage.span) if fit else passage.words)
    ]
    distinct: list[Word] = []
    for word in sorted(words, key=lambda each: (each.start or 0.0) + (each.end or 0.0)):
        if distinct and _bare(distinct[-1]) == _bare(word) and (word.start or 0.0) < (distinct[-1].end or 0.0):
            continue
        distinct.append(word)
    return fitted(distinct, speech, within=within) if fit else tuple(_clamped(each, within) for each in distinct)


def _clamped(word: Word, within: Span) -> Word:
    start = min(max(word.start or 0.0, within.start), within.end)
    return replace(word, start=round(start, 3), end=round(min(max(word.end or 0.0, start), within.end), 3))


def _bare(word: Word) -> str:
    """The word without case and marks; a mark that is said aloud is itself."""
    return "".join(character for character in word.text.casefold() if character.isalnum()) or word.text


def sentence_ends(words: Sequence[Word]) -> tuple[float, ...]:
    return tuple(word.end for word in words if word.end is not None and word.text[-1:] in tuple(".?!…。？！"))
