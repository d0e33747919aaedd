"""Paragraphs: readable parts of a turn, broken at sentence ends only.

Stored paragraphs are neutral (`NEUTRAL`); a house style breaks them again by its own target when it is written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from schemas.transcript import Paragraph, Word
from transcription.sentences import sentence_spans
from transcription.topics import topic_shifts
from transcription.wording import ShownWord, is_visible, join_texts, shown_words, visible_text


@dataclass(frozen=True, slots=True)
class ParagraphTarget:
    """How long paragraphs should be, in printed words."""

    words: int  #: the length to come near to
    cap_words: int  #: never more, unless a single sentence is


#: For the stored document: the median and the soft cap of published pages with the name on its own line.
NEUTRAL = ParagraphTarget(words=70, cap_words=140)

#: A silence between two sentences that may begin a paragraph, and one that does unless the part is tiny, in seconds.
#: Chosen, not measured: published pages, by which the lengths were measured, have no times of their sentences.
PAUSE_SECONDS = 1.2
LONG_PAUSE_SECONDS = 3.0

#: Where a recognizer wrote no punctuation, a silence of this many seconds ends a sentence. Chosen, not measured.
UNPUNCTUATED_PAUSE_SECONDS = 0.7
_PUNCTUATION = ".,;:?!…。！？、，"


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence with the words it was made of (none on an imported page)."""

    text: str
    words: tuple[Word, ...]
    is_edited: bool = False  #: the text is not what the words alone give


def break_words(
    words: Sequence[Word],
    *,
    id_prefix: str,
    target: ParagraphTarget = NEUTRAL,
    pauses: bool = True,
    topics: bool = True,
) -> tuple[Paragraph, ...]:
    """Make the paragraphs of one turn from its words. Every word is in exactly one paragraph, in order."""
    if not words:
        return ()
    whole = Paragraph("", visible_text(words), words[0].start, words[-1].end, tuple(words))
    return rebreak((whole,), target, id_prefix=id_prefix, pauses=pauses, topics=topics)


def rebreak(
    paragraphs: Sequence[Paragraph],
    target: ParagraphTarget | None,
    *,
    id_prefix: str,
    pauses: bool = True,
    topics: bool = True,
) -> tuple[Paragraph, ...]:
    """Join the paragraphs of one turn and break them again at sentence ends near the target.

    A long pause and, in a turn over the cap, another topic make a break more likely. None gives one paragraph. Works
    with words and without (then the text alone counts); a text that was edited by hand stays as it is. Words stay
    with their sentences, none is lost. Ids are `id_prefix` and a number from 1. No paragraphs give none.
    """
    whole = _join(paragraphs)
    if whole is None:
        return ()
    if target is None:
        return (replace(whole, id=f"{id_prefix}1"),)
    sentences = _sentences(whole, target)
    # A turn under the cap is readable as it is, and too short to say what it turns from.
    is_long = sum(len(sentence.text.split()) for sentence in sentences) > target.cap_words
    worths = _worths(sentences, pauses=pauses, topics=topics and is_long)
    groups = _group(sentences, worths, target)
    made = [_paragraph(group, f"{id_prefix}{n}") for n, group in enumerate(groups, start=1)]
    if made[0].start is None:
        made[0] = replace(made[0], start=whole.start)
    if made[-1].end is None:
        made[-1] = replace(made[-1], end=whole.end)
    return tuple(made)


def _join(paragraphs: Sequence[Paragraph]) -> Paragraph | None:
    """One paragraph of all. Its text is made from the words again unless somebody edited one of the texts."""
    filled = [each for each in paragraphs if each.text or each.words]
    if not filled:
        return None
    words = tuple(word for each in filled for word in each.words)
    is_edited = any(each.text != visible_text(each.words) for each in filled)
    text = join_texts([each.text for each in filled if each.text]) if is_edited else visible_text(words)
    return Paragraph("", text, filled[0].start, filled[-1].end, words)


def _paragraph(sentences: Sequence[_Sentence], paragraph_id: str) -> Paragraph:
    words = tuple(word for sentence in sentences for word in sentence.words)
    if any(sentence.is_edited for sentence in sentences):
        text = join_texts([sentence.text for sentence in sentences])
    else:
        text = visible_text(words)
    starts = [word.start for word in words if word.start is not None]
    ends = [word.end for word in words if word.end is not None]
    return Paragraph(paragraph_id, text, starts[0] if starts else None, ends[-1] if ends else None, words)


# ---------------------------------------------------------------- sentences with their words


def _sentences(whole: Paragraph, target: ParagraphTarget) -> list[_Sentence]:
    spans = sentence_spans(whole.text)
    text, places = shown_words(whole.words)
    if not spans:
        return [_Sentence(whole.text, whole.words, is_edited=text != whole.text)]
    if text != whole.text:
        cuts = [_past_hidden(whole.words, last) for last in _aligned_lasts(whole.text, spans, text, places)]
        parts = _cut(whole.words, cuts)
        return [
            _Sentence(whole.text[start:end], part, is_edited=True)
            for (start, end), part in zip(spans, parts, strict=True)
        ]
    ends = {end for _, end in spans}
    lasts = [place.index for place in places if place.end in ends]
    lasts += _pauses_in_unpunctuated(whole.words, lasts, target.cap_words)
    parts = _cut(whole.words, [_past_hidden(whole.words, last) for last in sorted(lasts)])
    return [_Sentence(visible_text(part), part) for part in parts]


def _cut(words: Sequence[Word], pasts: Sequence[int]) -> list[tuple[Word, ...]]:
    """The words cut before each index of `pasts`; the last part takes all that is left."""
    firsts = [0, *pasts[:-1]]
    lasts = [*pasts[:-1], len(words)]
    return [tuple(words[first:last]) for first, last in zip(firsts, lasts, strict=True)]


def _past_hidden(words: Sequence[Word], last: int) -> int:
    """Past the words left out of the text that still belong to the sentence that word `last` ends.

    One that begins with a capital or an opening quote belongs to the next sentence.
    """
    past = last + 1
    while past < len(words) and not is_visible(words[past]):
        if not words[past].text[:1].islower():
            break
        past += 1
    return past


def _aligned_lasts(
    edited: str, spans: Sequence[tuple[int, int]], text: str, places: Sequence[ShownWord]
) -> list[int]:
    """For each sentence of an edited text, the index of the word that it ends with (-1: none yet)."""
    tokens = list(re.finditer(r"\S+", edited))
    forms = [text[place.start : place.end].casefold() for place in places]
    matcher = SequenceMatcher(None, [token.group().casefold() for token in tokens], forms, autojunk=False)
    past_of_token = [0] * (len(tokens) + 1)  # visible words that belong to the first n tokens
    for _, from_token, to_token, from_form, to_form in matcher.get_opcodes():
        for token in range(from_token, to_token):
            share = (token + 1 - from_token) / (to_token - from_token)
            past_of_token[token + 1] = from_form + math.ceil(share * (to_form - from_form))
        if from_token == to_token:
            past_of_token[to_token] = to_form
    lasts: list[int] = []
    read = 0
    for _, end in spans:
        while read < len(tokens) and tokens[read].end() <= end:
            read += 1
        past = past_of_token[read]
        lasts.append(places[past - 1].index if past else -1)
    return lasts


def _pauses_in_unpunctuated(words: Sequence[Word], lasts: Sequence[int], cap_words: int) -> list[int]:
    """Words before a long silence, in sentences longer than the cap that have no punctuation inside."""
    pauses: list[int] = []
    first = 0
    for last in lasts:
        inside = [i for i in range(first, last) if is_visible(words[i])]
        first = last + 1
        if len(inside) < cap_words or any(words[i].text[-1] in _PUNCTUATION for i in inside):
            continue
        pauses += [i for i in inside if _pause(words[i], words[i + 1]) >= UNPUNCTUATED_PAUSE_SECONDS]
    return pauses


def _pause(word: Word, following: Word) -> float:
    return 0.0 if word.end is None or following.start is None else following.start - word.end


# ---------------------------------------------------------------- sentences to paragraphs


def _group(sentences: Sequence[_Sentence], worths: Sequence[float], target: ParagraphTarget) -> list[list[_Sentence]]:
    """The division with the least sum of squared distances from the target, less what its breaks earn."""
    lengths = [len(sentence.text.split()) for sentence in sentences]
    best = [0.0] + [math.inf] * len(sentences)  # least cost of the first n sentences
    previous = [0] * (len(sentences) + 1)
    for past in range(1, len(sentences) + 1):
        length = 0
        for first in range(past - 1, -1, -1):
            length += lengths[first]
            if length > target.cap_words and first < past - 1:
                break
            cost = best[first] + (length / target.words - 1) ** 2 - worths[first]
            if cost < best[past]:
                best[past], previous[past] = cost, first
    groups: list[list[_Sentence]] = []
    past = len(sentences)
    while past:
        groups.append(list(sentences[previous[past] : past]))
        past = previous[past]
    return groups[::-1]


def _worths(sentences: Sequence[_Sentence], *, pauses: bool, topics: bool) -> list[float]:
    """What a break before each sentence earns; the first one earns nothing."""
    shifts = topic_shifts([sentence.text for sentence in sentences]) if topics else (0.0,) * len(sentences)
    silences = (_worth_of_pause(sentences, first) if pauses else 0.0 for first in range(len(sentences)))
    return [shift + silence for shift, silence in zip(shifts, silences, strict=True)]


def _worth_of_pause(sentences: Sequence[_Sentence], first: int) -> float:
    """What the silence before this sentence earns: as much as a paragraph of half the target costs, and more."""
    if first == 0 or not sentences[first - 1].words or not sentences[first].words:
        return 0.0
    pause = _pause(sentences[first - 1].words[-1], sentences[first].words[0])
    if pause < PAUSE_SECONDS:
        return 0.0
    reach = min(1.0, (pause - PAUSE_SECONDS) / (LONG_PAUSE_SECONDS - PAUSE_SECONDS))
    return 0.5 + 0.5 * reach
