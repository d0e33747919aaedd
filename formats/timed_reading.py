"""Timed lines (captions, feed segments) to a transcript."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from formats.names import (
    UNKNOWN_LABEL,
    first_name,
    is_name,
    is_number_label,
    split_honorific,
    without_postnominals,
)
from schemas.episode import Episode
from schemas.transcript import (
    Evidence,
    NameMethod,
    Paragraph,
    Quality,
    Speaker,
    Transcript,
    Turn,
    Word,
)


@dataclass(frozen=True, slots=True)
class TimedLine:
    """One cue or segment. Milliseconds; `end` null = until the next line."""

    speaker: str | None  #: as printed; null where the file names nobody
    start: int
    end: int | None
    text: str


def transcript_of_lines(lines: Sequence[TimedLine], *, identity: str, title: str | None = None) -> Transcript:
    """The transcript: one turn for each run of lines of one speaker, with one paragraph.

    The words of a line share its time by their length. Starts that run backwards are moved up to the start before,
    so that times never run backwards in the document. A first name that is the one of a single full name is that
    speaker: "Meg" beside "Meg Hall".
    """
    names = _full_names([line.speaker for line in lines if line.speaker])
    speakers: dict[str, Speaker] = {}
    turns: list[Turn] = []
    words: list[Word] = []
    current: str | None = None
    latest = 0

    def close() -> None:
        if words:
            number = len(turns) + 1
            text = " ".join(word.text for word in words)
            start, end = words[0].start, max(word.end or 0.0 for word in words)
            paragraph = Paragraph(f"P{number}", text, start, end, tuple(words))
            turns.append(Turn(f"T{number}", current, (paragraph,), start, end))
            words.clear()

    for place, line in enumerate(lines):
        text = line.text.split()
        if not text:
            continue
        identity_of = _speaker_id(line.speaker, speakers, names)
        if identity_of != current:
            close()
            current = identity_of
        start = max(line.start, latest)
        end = line.end if line.end is not None else (lines[place + 1].start if place + 1 < len(lines) else start)
        words += _spread(text, start, max(start, end))
        latest = start
    close()
    return Transcript(
        episode=Episode(identity, title=title),
        speakers=tuple(speakers.values()),
        turns=tuple(turns),
        quality=Quality(word_count=sum(len(p.words) for turn in turns for p in turn.paragraphs)),
    )


def _full_names(printed: Iterable[str]) -> dict[str, str]:
    """The full name behind each first name that is printed alone."""
    labels = set(printed)
    found: dict[str, set[str]] = {}
    for label in labels:
        name = without_postnominals(split_honorific(label)[1])
        if " " in name and is_name(name) and first_name(name) in labels:
            found.setdefault(first_name(name), set()).add(label)
    return {first: full.pop() for first, full in found.items() if len(full) == 1}


def _speaker_id(printed: str | None, speakers: dict[str, Speaker], names: Mapping[str, str]) -> str | None:
    if printed is None or printed == UNKNOWN_LABEL:
        return None
    if printed in names:
        full, first = names[printed], printed
        identity = _speaker_id(full, speakers, {})
        if first not in speakers[full].aliases:
            speakers[full] = replace(speakers[full], aliases=(*speakers[full].aliases, first))
        return identity
    if printed not in speakers:
        identity = f"S{len(speakers) + 1}"
        if is_number_label(printed):
            speakers[printed] = Speaker(identity, voice=printed)
        else:
            evidence = (Evidence(NameMethod.PAGE, printed),)
            speakers[printed] = Speaker(
                identity, name=printed, known_by=NameMethod.PAGE, confidence=1.0, evidence=evidence
            )
    return speakers[printed].id


def _spread(text: Sequence[str], start: int, end: int) -> list[Word]:
    total = sum(len(word) + 1 for word in text)
    made = []
    passed = 0
    for word in text:
        begin = start + (end - start) * passed // total
        passed += len(word) + 1
        made.append(Word(word, begin / 1000, (start + (end - start) * passed // total) / 1000))
    return made
