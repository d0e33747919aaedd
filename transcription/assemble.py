"""Words and voices to a transcript: pure, without a clock, the same bytes from the same values."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from schemas.episode import Episode
from schemas.job import Backchannels, JobOptions
from schemas.transcript import (
    Correction,
    DoubtfulSpan,
    Provenance,
    Segment,
    SegmentKind,
    Speaker,
    Transcript,
    Turn,
    Warning,
    Word,
)
from transcription.glossary import correct
from transcription.naming import name_speakers
from transcription.paragraphs import break_words
from transcription.phantoms import WithoutPhantoms, absorb_phantoms
from transcription.ports import Diarization, Recognition, VoiceTurn
from transcription.quality import Doubts, find_doubts, measure, speech_spans
from transcription.repair import learned_capitals, repair_turns
from transcription.steps import ALL_STEPS, Steps
from transcription.turns import Folded, SpokenTurn, build_turns, fold_backchannels
from transcription.voices import VoicedWord, assign_voices, mark_overlap, smooth_voices
from transcription.wording import tag_words

#: A word that two windows both heard touches their common edge within this many seconds on both sides.
EDGE_SECONDS = 0.1

#: The only voice where diarization was off, failed or found nobody.
ONE_VOICE = "voice 1"


def assemble(
    *,
    episode: Episode,
    recognitions: Sequence[Recognition],
    diarization: Diarization | None,
    options: JobOptions,
    audio_seconds: float,
    truncated: bool,
    warnings: Sequence[Warning],
    provenance: Provenance,
    steps: Steps = ALL_STEPS,
) -> Transcript:
    """Make the document: words to voices, turns, paragraphs, wording, names with evidence, quality.

    `recognitions` are the windows of one recording in any order. Without a diarization (off, failed, or nobody
    found) everything is one speaker; the caller says why in `warnings`. No words give a document without turns,
    with the warning `no_speech`. No word is lost or doubled but one that two windows both heard at their edge.
    `steps` leaves parts of it out, to see what they are worth.
    """
    windows = sorted(recognitions, key=lambda each: (each.span.start, each.span.end))
    language = _language(windows, options, episode)
    told_apart = _without_phantoms(diarization, options, steps)
    diarization = told_apart.diarization if told_apart else None
    full = diarization.turns if diarization else ()
    speech = speech_spans(windows, full)
    corrected = correct(timed(join_windows(windows), audio_seconds), options.glossary if steps.glossary else ())
    flawed = [span for each in windows for span in each.doubtful]
    doubts = find_doubts(corrected.words, speech, flawed)
    sentence_ends = [end for each in windows for end in each.sentence_ends]
    voiced, unassigned = _voiced(doubts, diarization, sentence_ends, steps)
    spoken, repairs = _repaired(build_turns(voiced), language, steps)
    folded = fold_backchannels(spoken) if options.backchannels is Backchannels.FOLD else Folded(spoken, ())
    spoken = folded.turns
    turns = tuple(_turn(each, n, options, language, steps) for n, each in enumerate(spoken, start=1))
    quality = measure(
        words=doubts.words,
        speech=speech,
        speech_seconds=sum(each.speech_seconds for each in windows),
        turns=full,
        unassigned_words=unassigned,
        doubtful=doubts.spans,
        truncated=truncated,
        warnings=(
            *_with_voices_missing(warnings, diarization, doubts.words),
            *_about_repairs(repairs),
            *_about_removed([span for each in windows for span in each.removed]),
        ),
    )
    document = Transcript(
        episode=_with_duration(episode, audio_seconds),
        speakers=_speakers(spoken, full),
        turns=turns,
        segments=_segments(turns),
        quality=replace(
            quality,
            corrections=(*corrected.corrections, *repairs),
            absorbed=told_apart.absorbed if told_apart else (),
            folded=folded.backchannels,
            redone=tuple(span for each in windows for span in each.redone),
            removed=tuple(span for each in windows for span in each.removed),
        ),
        provenance=provenance,
        language=language,
        languages=tuple(span for each in windows for span in each.languages if span.language != language),
    )
    return name_speakers(document) if steps.names else document


def join_windows(windows: Sequence[Recognition]) -> tuple[Word, ...]:
    """The words of all windows in order, their text in NFC without surrounding spaces; empty ones are no words.

    A word that stands at both sides of an edge between two windows, touching it, was heard twice: one stays.
    """
    joined: list[Word] = []
    for window in windows:
        words = [replace(word, text=text) for word in window.words if (text := _clean(word.text))]
        if joined and words and _is_heard_twice(joined[-1], words[0], window.span.start):
            words = words[1:]
        joined += words
    return tuple(joined)


def _clean(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _is_heard_twice(last: Word, first: Word, edge: float) -> bool:
    if last.end is None or first.start is None or _plain(last.text) != _plain(first.text):
        return False
    return last.end >= edge - EDGE_SECONDS and first.start <= edge + EDGE_SECONDS


def _plain(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum()) or text


def timed(words: Sequence[Word], audio_seconds: float) -> tuple[Word, ...]:
    """Every word with times inside the recording, in milliseconds, that never run backwards.

    A start before the word before's is moved up to it; an end is cut at the next start; a missing time is taken
    from the words beside it.
    """
    starts: list[float] = []
    latest = 0.0
    for word in words:
        start = word.start if word.start is not None else latest
        latest = round(min(max(start, latest, 0.0), audio_seconds), 3)
        starts.append(latest)
    retimed: list[Word] = []
    for i, word in enumerate(words):
        limit = starts[i + 1] if i + 1 < len(words) else round(audio_seconds, 3)
        end = word.end if word.end is not None else limit
        retimed.append(replace(word, start=starts[i], end=round(max(min(end, limit), starts[i]), 3)))
    return tuple(retimed)


def _language(windows: Sequence[Recognition], options: JobOptions, episode: Episode) -> str | None:
    """The language of most words; without words the one that was given."""
    heard: Counter[str] = Counter()
    for each in windows:
        if each.words:
            heard[each.language] += len(each.words)
    given = options.language or episode.language
    return min(heard, key=lambda each: (-heard[each], each)) if heard else given


def _without_phantoms(diarization: Diarization | None, options: JobOptions, steps: Steps) -> WithoutPhantoms | None:
    if diarization is None or not steps.phantoms:
        return None if diarization is None else WithoutPhantoms(diarization, ())
    return absorb_phantoms(diarization, least_voices=options.speakers or options.min_speakers or 1)


def _voiced(
    doubts: Doubts, diarization: Diarization | None, sentence_ends: Sequence[float], steps: Steps
) -> tuple[tuple[VoicedWord, ...], int]:
    """The words with their voices, and how many no voice covers."""
    if diarization is None or not diarization.turns:
        return tuple(VoicedWord(word, ONE_VOICE) for word in doubts.words), 0
    words = mark_overlap(doubts.words, diarization.turns) if steps.overlap else doubts.words
    assigned = assign_voices(words, diarization.exclusive or diarization.turns)
    unassigned = sum(each.voice is None for each in assigned)
    smoothed = smooth_voices(
        assigned,
        sentence_ends=sentence_ends,
        turns=diarization.turns,
        snap=steps.snap,
        islands=steps.islands,
    )
    return smoothed, unassigned


def _with_voices_missing(
    warnings: Sequence[Warning], diarization: Diarization | None, words: Sequence[Word]
) -> tuple[Warning, ...]:
    if diarization is None or diarization.turns or not words:
        return tuple(warnings)
    return (*warnings, Warning("no_voices", "no voice was told apart; all words are given to one speaker"))


def _repaired(
    spoken: Sequence[SpokenTurn], language: str | None, steps: Steps
) -> tuple[tuple[SpokenTurn, ...], tuple[Correction, ...]]:
    """The turns with capitals and full stops where the recognizer lost them, and what was changed."""
    if not steps.repair:
        return tuple(spoken), ()
    capitals = learned_capitals([word for turn in spoken for word in turn.words])
    repaired = repair_turns([turn.words for turn in spoken], capitals, _primary(language))
    turns = tuple(replace(turn, words=each.words) for turn, each in zip(spoken, repaired, strict=True))
    return turns, tuple(correction for each in repaired for correction in each.corrections)


def _about_repairs(repairs: Sequence[Correction]) -> tuple[Warning, ...]:
    if not repairs:
        return ()
    message = (
        f"{len(repairs)} place(s) came without capitals or full stops and were given some, the first at"
        f" {repairs[0].start or 0.0:.1f} s"
    )
    return (Warning("punctuation_repaired", message),)


def _about_removed(removed: Sequence[DoubtfulSpan]) -> tuple[Warning, ...]:
    if not removed:
        return ()
    message = f"{len(removed)} place(s) had text that nobody said and lost it, the first at {removed[0].start:.1f} s"
    return (Warning("invented_text", message),)


def _turn(spoken: SpokenTurn, number: int, options: JobOptions, language: str | None, steps: Steps) -> Turn:
    words = tag_words(spoken.words, options.wording, _primary(language))
    paragraphs = break_words(words, id_prefix=f"t{number}-p", pauses=steps.pauses, topics=steps.topics)
    return Turn(f"t{number}", spoken.speaker, paragraphs, start=words[0].start, end=words[-1].end)


def _primary(language: str | None) -> str | None:
    return language.replace("_", "-").split("-")[0].lower() if language else None


def _speakers(spoken: Sequence[SpokenTurn], turns: Sequence[VoiceTurn]) -> tuple[Speaker, ...]:
    """The speakers in order of appearance, with how long each one's voice is heard."""
    speakers: dict[str, Speaker] = {}
    for each in spoken:
        if each.speaker is not None and each.speaker not in speakers:
            speakers[each.speaker] = Speaker(each.speaker, voice=each.voice)
    return tuple(replace(each, speech_seconds=_heard(each, spoken, turns)) for each in speakers.values())


def _heard(speaker: Speaker, spoken: Sequence[SpokenTurn], turns: Sequence[VoiceTurn]) -> float:
    by_voice = [turn.end - turn.start for turn in turns if turn.voice == speaker.voice]
    if by_voice:
        return round(sum(by_voice), 3)
    words = [word for each in spoken if each.speaker == speaker.id for word in each.words]
    return round(sum(word.end - word.start for word in words if word.end is not None and word.start is not None), 3)


def _segments(turns: Sequence[Turn]) -> tuple[Segment, ...]:
    """From the first word to the last; what is before and after carries no speech."""
    if not turns:
        return ()
    return (Segment(SegmentKind.SPEECH, start=turns[0].start, end=turns[-1].end, turn=turns[0].id),)


def _with_duration(episode: Episode, audio_seconds: float) -> Episode:
    if episode.audio.duration is not None:
        return episode
    return replace(episode, audio=replace(episode.audio, duration=round(audio_seconds, 3)))
