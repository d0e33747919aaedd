"""Engines that need no model: words and voices made up from the waveform itself, for tests and load trials.

They keep the promises of the real ones: the same waveform gives the same result, silence gives nothing, every word
lies in one window, reports come in audio seconds. What is "said" is invented: where it is loud a word is placed every
0.4 s, five places to a sentence, and the voices take turns every three sentences.
"""

from __future__ import annotations

import hashlib
import json
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from schemas.errors import OptionError
from schemas.transcript import Word
from transcription.ports import (
    SAMPLE_RATE,
    Diarization,
    DiarizeOptions,
    Enough,
    Parts,
    Passage,
    Recognition,
    RecognizeOptions,
    Report,
    Span,
    VoiceTurn,
    Waveform,
)
from transcription.windows import plan

#: One word's place. Five make a sentence, three sentences a turn.
PLACE_SECONDS = 0.4
PLACES_PER_SENTENCE = 5
TURN_SECONDS = 3 * PLACES_PER_SENTENCE * PLACE_SECONDS

#: How much of its place a word fills.
WORD_SECONDS = 0.32

#: Mean absolute sample (of 32,768) from which a place counts as loud: -44 dB of full scale.
LOUD = 200.0

#: Every eighth sample tells loud from silent well enough, and keeps twelve hours bearable without numpy.
STRIDE = 8

#: The first two turns begin with these, so that naming has something to find.
INTRODUCTIONS = (("Hello,", "I'm", "Ada", "Quill."), ("And", "I'm", "Bram", "Oster."))

_OPENERS = ("Well", "Perhaps", "Today", "Often", "Here", "Then", "Still", "Usually")
_SUBJECTS = ("lanterns", "rivers", "ledgers", "orchards", "harbours", "kettles", "bridges", "sparrows")
_VERBS = ("need", "carry", "follow", "outlast", "remember", "surprise", "gather", "repay")
_OBJECTS = ("patience.", "weather.", "strangers.", "letters.", "evenings.", "gardens.", "music.", "work.")


@dataclass(frozen=True, slots=True)
class _Pace:
    """Waits in small steps and reports after each, so that a stop or a kill meets the engine in the middle."""

    seconds: float
    sleep: Callable[[float], None]

    def run(self, audio_seconds: float, report: Report | None) -> None:
        steps = max(1, round(self.seconds / 0.05))
        for step in range(1, steps + 1):
            if self.seconds > 0:
                self.sleep(self.seconds / steps)
            if report is not None:
                report(audio_seconds if step == steps else audio_seconds * step / steps)


class ScriptedRecognizer:
    """A `Recognizer` without a model.

    `seconds_per_window` is how long one window takes by the clock; `longest_window` makes windows shorter than the
    300 s of the real one, so that a short recording has several; `languages` limits what is understood (empty = all).
    """

    engine = "scripted"
    version = "1"
    model = "scripted/words"

    def __init__(
        self,
        *,
        seconds_per_window: float = 0.0,
        longest_window: float = 300.0,
        languages: tuple[str, ...] = (),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._pace = _Pace(seconds_per_window, sleep)
        self._longest = longest_window
        self._languages = languages
        self.fingerprint = f"scripted-words-1-{longest_window:g}"

    def windows(self, waveform: Waveform) -> tuple[Span, ...]:
        levels = list(_levels(waveform, 0.0, waveform.seconds, 0.05))
        return plan(
            levels,
            frame_seconds=0.05,
            seconds=waveform.seconds,
            longest=self._longest,
            earliest=self._longest * 0.8,
        )

    def recognize(
        self, waveform: Waveform, span: Span, options: RecognizeOptions, *, report: Report | None = None
    ) -> Recognition:
        language = "en" if options.language is None else options.language
        if self._languages and language not in self._languages:
            raise OptionError(
                f"language {language!r}: the model set scripted understands {', '.join(self._languages)} only;"
                " use the set starter",
                code="language_not_supported",
                field="language",
            )
        words = tuple(self._words(waveform, span))
        self._pace.run(span.end - span.start, report)
        speech = _joined(Span(w.start or 0.0, w.end or 0.0) for w in words)
        return Recognition(
            span=span,
            words=words,
            language=language,
            language_probability=1.0 if options.language else 0.9,
            speech_seconds=round(sum(each.end - each.start for each in speech), 3),
            speech=speech,
            sentence_ends=tuple(w.end for w in words if w.text.endswith(".") and w.end is not None),
            passages=(Passage(span, words, log_probability=-0.2, language=language),) if words else (),
        )

    def recognize_again(
        self, waveform: Waveform, span: Span, options: RecognizeOptions, *, is_unheard: bool, enough: Enough
    ) -> tuple[Passage, ...]:
        """The words whose places begin in the stretch: what was right the first time is so again."""
        self._pace.run(span.end - span.start, None)
        words = tuple(self._words(waveform, span))
        return (Passage(span, words, log_probability=-0.2, language=options.language or "en"),)

    def _words(self, waveform: Waveform, span: Span) -> Iterator[Word]:
        """The words whose place begins in the window; so each word of the recording is in exactly one."""
        first = int(span.start / PLACE_SECONDS)
        for place in range(first, int(span.end / PLACE_SECONDS) + 1):
            start = round(place * PLACE_SECONDS, 3)
            text = _text(waveform.sha256, place)
            if text is None or not span.start <= start < span.end or not _is_loud(waveform, start):
                continue
            end = min(round(start + WORD_SECONDS, 3), span.end)
            yield Word(text=text, start=start, end=end, probability=0.9)


class ScriptedDiarizer:
    """A `Diarizer` without a model: `voices` voices (2 unless the options say otherwise) in turns of six seconds.

    `seconds` is how long the whole recording takes by the clock; after each `longest_stretch` of it a part is kept.
    """

    engine = "scripted"
    version = "1"
    model = "scripted/voices"
    fingerprint = "scripted-voices-1"

    def __init__(
        self, *, seconds: float = 0.0, longest_stretch: float = 300.0, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._seconds = seconds
        self._turns_at_once = max(1, int(longest_stretch / TURN_SECONDS))
        self._sleep = sleep

    def diarize(
        self,
        waveform: Waveform,
        options: DiarizeOptions,
        *,
        report: Report | None = None,
        parts: Parts | None = None,
    ) -> Diarization:
        _check(options)
        count = _voice_count(options)
        labels: dict[int, str] = {}
        turns: list[VoiceTurn] = []
        for number, loud in enumerate(self._heard(waveform, report, parts)):
            if loud is None:
                continue
            label = labels.setdefault(number % count, f"voice {len(labels) + 1}")
            turns.append(VoiceTurn(start=loud.start, end=loud.end, voice=label))
        embeddings = {label: _embedding(waveform.sha256, label) for label in labels.values()}
        return Diarization(turns=tuple(turns), exclusive=tuple(turns), embeddings=embeddings)

    def _heard(self, waveform: Waveform, report: Report | None, parts: Parts | None) -> Iterator[Span | None]:
        """The loud stretch of every turn, each stretch of turns recalled where an earlier call kept it."""
        every = max(1, -(-waveform.sample_count // round(TURN_SECONDS * SAMPLE_RATE)))
        for first in range(0, every, self._turns_at_once):
            last = min(first + self._turns_at_once, every)
            begin, end = first * TURN_SECONDS, min(last * TURN_SECONDS, waveform.seconds)
            content = parts.recall(f"{first}-{last}.json", worth=end - begin) if parts else None
            if content is None:
                share = (end - begin) / waveform.seconds if waveform.seconds else 1.0
                _Pace(self._seconds * share, self._sleep).run(end - begin, _shifted(report, begin))
                loud = [_loud_turn(waveform, turn) for turn in range(first, last)]
                content = json.dumps([each and (each.start, each.end) for each in loud]).encode()
                if parts:
                    parts.keep(f"{first}-{last}.json", content)
            elif report is not None:
                report(end)
            yield from (each and Span(*each) for each in json.loads(content))


def _shifted(report: Report | None, begin: float) -> Report | None:
    return None if report is None else lambda done: report(begin + done)


def _check(options: DiarizeOptions) -> None:
    for name in ("speakers", "min_speakers", "max_speakers"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise OptionError(f"{name}={value}: must be 1 or more", field=name)
    if (options.min_speakers or 1) > (options.max_speakers or options.min_speakers or 1):
        raise OptionError(
            f"min_speakers={options.min_speakers} is more than max_speakers={options.max_speakers}",
            field="min_speakers",
        )


def _voice_count(options: DiarizeOptions) -> int:
    if options.speakers is not None:
        return options.speakers
    return max(options.min_speakers or 1, min(2, options.max_speakers or 2))


def _loud_turn(waveform: Waveform, turn: int) -> Span | None:
    """The stretch of one turn's six seconds from its first loud place to its last, or None."""
    starts = [round(turn * TURN_SECONDS + i * PLACE_SECONDS, 3) for i in range(3 * PLACES_PER_SENTENCE)]
    loud = [start for start in starts if _is_loud(waveform, start)]
    if not loud:
        return None
    return Span(loud[0], min(round(loud[-1] + PLACE_SECONDS, 3), waveform.seconds))


def _text(seed: str, place: int) -> str | None:
    """The word at a place, or None where the sentence takes a breath."""
    sentence, position = divmod(place, PLACES_PER_SENTENCE)
    introduced = sentence // 3 if sentence % 3 == 0 else len(INTRODUCTIONS)
    if introduced < len(INTRODUCTIONS):
        words: tuple[str, ...] = INTRODUCTIONS[introduced]
    else:
        digest = hashlib.sha256(f"{seed}/{sentence}".encode()).digest()
        lists = (_OPENERS, _SUBJECTS, _VERBS, _OBJECTS)
        words = tuple(each[digest[i] % len(each)] for i, each in enumerate(lists))
    return words[position] if position < len(words) else None


def _embedding(seed: str, label: str) -> tuple[float, ...]:
    """Eight values of unit length that differ from voice to voice."""
    values = [byte - 127.5 for byte in hashlib.sha256(f"{seed}/{label}".encode()).digest()[:8]]
    length = sum(value * value for value in values) ** 0.5
    return tuple(value / length for value in values)


def _is_loud(waveform: Waveform, start: float) -> bool:
    levels = list(_levels(waveform, start, start + PLACE_SECONDS, PLACE_SECONDS))
    return bool(levels) and levels[0] >= LOUD


def _levels(waveform: Waveform, start: float, end: float, frame_seconds: float) -> Iterator[float]:
    """Mean absolute sample of each frame, read a second at a time. A frame past the end gives no level."""
    frame = round(frame_seconds * SAMPLE_RATE)
    position = round(start * SAMPLE_RATE)
    stop = min(round(end * SAMPLE_RATE), waveform.sample_count)
    block = frame * max(1, SAMPLE_RATE // frame)
    with waveform.path.open("rb") as file:
        file.seek(position * 2)
        while position < stop:
            samples = array("h")
            samples.frombytes(file.read(2 * min(block, stop - position)))
            if not samples:
                return
            position += len(samples)
            yield from (_mean(samples[i : i + frame : STRIDE]) for i in range(0, len(samples), frame))


def _mean(samples: Sequence[int]) -> float:
    return sum(abs(sample) for sample in samples) / len(samples)


def _joined(spans: Iterator[Span]) -> tuple[Span, ...]:
    """Neighbours less than a place apart become one stretch."""
    joined: list[Span] = []
    for span in spans:
        if joined and span.start - joined[-1].end < PLACE_SECONDS:
            joined[-1] = Span(joined[-1].start, span.end)
        else:
            joined.append(span)
    return tuple(joined)
