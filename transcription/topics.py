"""Where the talk turns to something else: words that stop being repeated, and words that announce a turn.

Lexical cohesion as TextTiling measures it (Hearst 1997): the words of the sentences before a gap against those after
it; a gap that lies deep between two coherent stretches is a likely shift. Cue phrases as in Passonneau and Litman
1997: some words open a new part of what is told, others carry on with what was just said.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from transcription.sentences import core_of, listed

#: Sentences on each side of a gap that are compared; spoken paragraphs have three to five.
BLOCK = 3

#: How much the two count, against the squared relative distance from the target length. Small on purpose: on four
#: published pages (name-line, caps-list and full-then-first, joined and broken again; 190 breaks inside turns) the F1
#: of the boundaries was 0.405 by length alone and 0.417 with these, with 1.0 for both 0.391, and other values between
#: 0.37 and 0.43 without a pattern. Their editors broke by length; what this is worth on other pages is not known.
DEPTH = 0.3
CUE = 0.3

#: Less than this share of words that say nothing: the text is not English, and the tables here say nothing about it.
LEAST_EMPTY = 0.25

#: What a sentence begins with where something new begins, and how much that says. English.
_OPENERS = (
    ("so", 0.4), ("but", 0.3), ("now", 0.6), ("anyway", 1.0), ("anyhow", 1.0), ("okay", 0.5), ("ok", 0.5),
    ("well", 0.2), ("finally", 0.8), ("firstly", 0.6), ("secondly", 1.0), ("thirdly", 1.0), ("lastly", 1.0),
    ("moving on", 1.0), ("going back", 0.8), ("coming back", 0.8), ("the other thing", 1.0), ("another thing", 1.0),
    ("in terms of", 0.6), ("when it comes to", 0.8), ("as for", 0.8), ("meanwhile", 0.8), ("the", 0.3),
)  # fmt: skip

#: What a sentence begins with that goes on from the one before: it leans on it and does not open a paragraph.
_CONTINUES = listed("""
    or because if that that's this these those it it's they they're them he she he's she's his her their there
    there's which who also then yes no exactly absolutely
""")

#: Words that say nothing about the topic.
_EMPTY = listed("""
    a an the and or but so if then than as at by for from in into of off on onto out over to up with without about
    after again all also always am any are around because been before being both came can come could did do does
    doing done down each even ever every few get gets getting go goes going gone got had has have having he her here
    hers him his how i it its just know let like look lot made make makes many me mean might more most much must my
    need never no not now of one only other our ours people put quite really right said same say saying says see she
    should some something still such sure take than that their them themselves there these they thing things think
    this those thought through time too two um uh us very want was way we well went were what when where which while
    who why will would yeah year years yes you your kind sort actually able bit first good great lots people's i'm
    i've i'd i'll it's that's there's we're we've you're they're he's she's don't didn't doesn't isn't wasn't can't
    won't let's what's
""")


def topic_shifts(sentences: Sequence[str]) -> tuple[float, ...]:
    """For each sentence how much says that something new begins with it, -0.3 to 0.6; 0 for the first.

    Nothing does in a text that is not English.
    """
    if len(sentences) < 2 or not _is_english(sentences):
        return (0.0,) * len(sentences)
    bags = [_content(sentence) for sentence in sentences]
    depths = _depths([_likeness(bags, gap) for gap in range(1, len(bags))])
    cues = [_cue(sentence) for sentence in sentences[1:]]
    return (0.0, *(DEPTH * depth + CUE * cue for depth, cue in zip(depths, cues, strict=True)))


def _is_english(sentences: Sequence[str]) -> bool:
    words = [core_of(token) for sentence in sentences for token in sentence.split()]
    return sum(word in _EMPTY for word in words) >= LEAST_EMPTY * len(words)


def _content(sentence: str) -> Counter[str]:
    words = (core_of(token) for token in sentence.split())
    return Counter(_stem(word) for word in words if len(word) > 2 and word not in _EMPTY)


def _stem(word: str) -> str:
    """Close enough to tell that "services" repeats "service"."""
    for ending in ("'s", "ing", "ies", "es", "ed", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def _likeness(bags: Sequence[Counter[str]], gap: int) -> float:
    before: Counter[str] = sum(bags[max(0, gap - BLOCK) : gap], Counter())
    after: Counter[str] = sum(bags[gap : gap + BLOCK], Counter())
    length = math.sqrt(sum(n * n for n in before.values()) * sum(n * n for n in after.values()))
    return sum(count * after[word] for word, count in before.items()) / length if length else 0.0


def _depths(likeness: Sequence[float]) -> list[float]:
    """How far each gap lies below the nearest peaks on both sides, 0 to 1."""
    depths: list[float] = []
    for place, value in enumerate(likeness):
        left = right = value
        for at in range(place - 1, -1, -1):
            if likeness[at] < left:
                break
            left = likeness[at]
        for at in range(place + 1, len(likeness)):
            if likeness[at] < right:
                break
            right = likeness[at]
        depths.append(min(1.0, left + right - 2 * value))
    return depths


def _cue(sentence: str) -> float:
    cores = [core_of(token) for token in sentence.split()[:4]]
    opening = " ".join(cores) + " "
    for phrase, worth in _OPENERS:
        if opening.startswith(phrase + " "):
            return worth
    return -1.0 if cores and cores[0] in _CONTINUES else 0.0
