"""Evidence from participants whose names the recognizer misspelt."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from schemas.transcript import NameMethod
from transcription.introductions import find_slots
from transcription.names_in_sentences import Slot, Whom
from transcription.naming.claims import Heard
from transcription.naming.evidence import METHOD, Piece
from transcription.naming.people import Person, person_of
from transcription.naming.talk import Talk
from transcription.soundalike import ANYWHERE, IN_NAME_SLOT, Match, find_name, fold, similarity


def pieces_by_sound(talk: Talk, people: Sequence[Person], heard: Sequence[Heard]) -> Iterator[Piece]:
    """Participants where a name must stand, or glued to "I'm", however the recognizer spelt them."""
    expected = [
        (i, person) for i, person in enumerate(people) if person.participant is not None and " " in person.full
    ]
    if not expected:
        return
    near_edges = {i for voice in talk.voices for i in (*talk.turns_of(voice)[:3], *talk.turns_of(voice)[-1:])}
    for turn, texts in enumerate(talk.texts):
        if talk.turns[turn].speaker is None:
            continue
        claimed = {
            (each.claim.paragraph, each.claim.offset)
            for each in heard
            if each.turn == turn and person_of(people, each.claim.name.text) is not None
        }
        for slot in find_slots(texts):
            if not any(paragraph == slot.paragraph and offset == slot.cue for paragraph, offset in claimed):
                yield from _in_slot(talk, expected, turn, slot)
        if turn in near_edges:
            for paragraph, text in enumerate(texts):
                yield from _glued(talk, expected, turn, paragraph, text)


def _in_slot(talk: Talk, expected: Sequence[tuple[int, Person]], turn: int, slot: Slot) -> Iterator[Piece]:
    text = talk.texts[turn][slot.paragraph]
    words = list(re.finditer(r"\S+", text[slot.after : slot.after + 120]))[:5]
    scored: list[tuple[float, int, int]] = []
    for person, each in expected:
        for count in range(1, len(words) + 1):
            phrase = text[slot.after : slot.after + words[count - 1].end()]
            alike = similarity(phrase, each.full)
            # "I'm like, no, they" is no "Mike Noday": what is not written as a name must be nearly right.
            if alike >= ANYWHERE or words[0].group()[0].isupper():
                scored.append((alike, person, slot.after + words[count - 1].end()))
    found = _clear_best(scored, IN_NAME_SLOT)
    speaker = talk.turns[turn].speaker if slot.whom is Whom.SELF else talk.neighbour(turn, 1)
    if found is None or speaker is None:
        return
    score, person, end = found
    quote = text[slot.cue : end].rstrip(" ,.;:!?")
    if slot.whom is Whom.INTRODUCED and len(list(_names_in(text, expected))) > 1:
        return
    yield Piece(speaker, person, slot.weight * score, METHOD[slot.whom], quote, turn, slot.paragraph, slot.cue, quote)


def _names_in(text: str, expected: Sequence[tuple[int, Person]]) -> Iterator[int]:
    """Which participants a paragraph names in full."""
    return (i for i, person in expected if person.full.casefold() in text.casefold())


def _glued(
    talk: Talk, expected: Sequence[tuple[int, Person]], turn: int, paragraph: int, text: str
) -> Iterator[Piece]:
    """ "Intomoss Feldon" for "I'm Tomas Feldon": the recognizer cut the words elsewhere."""
    spans = list(re.finditer(r"\S+", text))
    words = [span.group() for span in spans]
    for person, each in expected:
        match: Match | None = find_name(words, each.full, prefix="im")
        if match is None or not _begins_clause(words, match.first):
            continue
        window = words[match.first : match.last + 2]
        alone = find_name(window, each.full, threshold=0.0)
        if alone is not None and alone.score >= match.score:
            continue  # the name is there without the "I'm": somebody is spoken of
        begin, end = spans[match.first].start(), spans[match.last].end()
        quote = text[begin:end].rstrip(" ,.;:!?")
        speaker = talk.turns[turn].speaker
        if speaker is not None:
            yield Piece(
                speaker, person, 0.8 * match.score, NameMethod.SELF_INTRODUCTION, quote, turn, paragraph, begin, quote
            )


def _begins_clause(words: Sequence[str], first: int) -> bool:
    """Whether "I'm" may begin at a word: after a pause or a greeting, and spelt with the right sounds."""
    before = words[first - 1] if first else "."
    is_start = before[-1] in ",.!?;:…" or before.casefold() in {"hello", "hi", "hey", "and", "so", "well", "yes"}
    return is_start and fold(words[first])[:2] in {"im", "in", "em", "am"}


def _clear_best(scored: Sequence[tuple[float, int, int]], threshold: float) -> tuple[float, int, int] | None:
    """The best match from the threshold up, unless another person's is nearly as good."""
    best = max(scored, default=(0.0, -1, -1))
    rivals = [score for score, person, _ in scored if person != best[1]]
    if best[0] < threshold or max(rivals, default=0.0) > best[0] - 0.1:
        return None
    return best
