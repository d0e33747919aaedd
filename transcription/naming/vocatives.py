"""Names that stand as an address anywhere in a sentence, whatever is said with them: "like I said, Tim, it's late".

`transcription.addresses` knows the addresses that say *whom* they turn to: thanks look back, questions hand over.
Most of the names that people call one another by stand elsewhere, and say only that the person is there and is not
the one who speaks. One is worth little; a voice that others keep calling by a name is called so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from transcription.addresses import OF_ONESELF
from transcription.courtesies import goes_on_courteously, is_after_courtesy
from transcription.names_in_sentences import (
    Claim,
    Sentence,
    Whom,
    certainty,
    claim_in,
    is_explained,
    is_from_afar,
    is_one_of_several,
    is_reported,
    name_at,
    quotable,
    sentences_of,
)
from transcription.sentences import listed
from transcription.spoken_names import SpokenName

#: Weight of one address between commas, and of one that the recognizer gave no comma. Set by hand so that of two
#: voices one such address is not believed and the second is (`decisions.BELIEVED`), as docs/names.md says.
BETWEEN_COMMAS = 0.4
WITHOUT_COMMA = 0.35
#: The same beside a "you": "Ada, you've been there", "you, Ada, know it". Between two voices all of 23 such calls of
#: published talk were of the other one (2026-11-29): believed alone there, and only there.
BESIDE_YOU = 0.55

#: Words after which a sentence may be over, so that a name behind them without a comma is an address.
MAY_END = listed(
    """
    you it that this there here now today tonight again then too much well please right doing going on up back
    one me us them day morning afternoon evening yeah yes no hi hello hey thanks cheers sorry mate chef
    """
)
OPENING = re.compile(
    r"^(?:(?:so|and|now|but|well|okay|ok|right|great|yes|yeah|no|oh|ah|hey|look|listen|see|sure|thanks|true|exactly|"
    r"perhaps|maybe|lovely|then|again|wow|come on|i mean|you know)[,.]?\s+)*",
    re.I,
)
_BREAK = re.compile(r"[,;–—]\s+(?:(?:and|but|so|well|now|oh|yeah|you know|i mean)\s+)?", re.I)
#: "Chris, he never came" is said of somebody; so is "Chris, a friend of mine", where it begins the sentence.
GOES_ON_ABOUT = re.compile(
    r"[,–—]\s+(?:and\s+)?(?:he|she|they|his|her|their|him|who|whom|whose|which|said|says)\b", re.I
)
_IS_A = re.compile(r"[,–—]\s+(?:my|our|the|a|an|from|also|then)\b", re.I)
_THEN_YOU = re.compile(r",\s+you(?:'ve|'re|'d|'ll)?\b", re.I)
_AFTER_YOU = re.compile(r"(?<!\bthank )(?<!\bfrom )(?<!\bto )(?<!\bfor )\byou,\s+$", re.I)
_CLOSED = re.compile(r"\s*(?:[.,?!…;–—-]|$)")
_WORD_BEFORE = re.compile(r"([\w'-]+)\s+$")


def find_vocatives(paragraphs: Sequence[str]) -> Iterator[Claim]:
    """Every address by a given name or with an honorific in one turn, said to whichever voice it may be."""
    for sentence in sentences_of(paragraphs):
        if is_from_afar(sentence):
            continue
        for name, weight in _called(sentence):
            if is_reported(sentence, name.start) or is_one_of_several(sentence, name):
                continue
            begin, end = quotable(sentence, name)
            yield claim_in(Whom.OTHER, sentence, begin, end, name, weight * certainty(name))


def _called(sentence: Sentence) -> Iterator[tuple[SpokenName, float]]:
    even, start, end = sentence.even, sentence.start, sentence.end
    opening = OPENING.match(even[start:end])
    places = [start + (opening.end() if opening else 0)]
    places += [start + found.end() for found in _BREAK.finditer(even[start:end])]
    seen: set[int] = set()
    for place in dict.fromkeys(places):
        name = name_at(sentence, place)
        if name is None or name.start in seen:
            continue
        seen.add(name.start)
        rest = even[name.end : end]
        is_whole = not even[start : name.start].strip() and not rest.strip(" .?!…")
        is_called = not name.is_full or not (rest.strip(" .?!…") or OF_ONESELF.search(even, start, end))
        is_first = not even[start : name.start].strip()
        is_received = is_first and goes_on_courteously(even, name.end, end)
        if is_whole or not is_called or GOES_ON_ABOUT.match(rest) or not (_CLOSED.match(rest) or is_received):
            continue
        if is_first and _IS_A.match(rest):
            continue
        if not is_explained(even[start : name.start]):
            is_beside_you = _THEN_YOU.match(rest) or (_AFTER_YOU.search(even, start, name.start) and rest[:1] == ",")
            yield name, BESIDE_YOU if is_beside_you else BETWEEN_COMMAS
    yield from ((name, WITHOUT_COMMA) for name in _at_the_end(sentence) if name.start not in seen)


def _at_the_end(sentence: Sentence) -> Iterator[SpokenName]:
    """ "How are you doing Ana?": a known given name behind words that need no more."""
    whole = sentence.even[sentence.start : sentence.end].rstrip(" .?!…")
    at = whole.rfind(" ") + 1
    before = _WORD_BEFORE.search(whole[:at])
    name = name_at(sentence, sentence.start + at) if before else None
    if before is None or name is None or name.is_full:
        return
    if before[1].casefold() in MAY_END or is_after_courtesy(whole[:at]):
        yield name
