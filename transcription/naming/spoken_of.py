"""Whether who seems to be called is only spoken of: somebody who wrote in, who helped, who is told of.

What `naming.evidence` takes from the weight of a call by.
"""

from __future__ import annotations

import re

from transcription.courtesies import Courtesy
from transcription.names_in_sentences import Claim, plain
from transcription.naming.answers import YOU
from transcription.naming.claims import Heard
from transcription.naming.talk import Talk

_OF_HIM = re.compile(r"\b(?:he|she|his|her|him|hers|himself|herself)\b", re.I)
#: Before a name by which somebody is thanked further on: "this one was sent in by Ana Ruiz. Thank you, Ana."
_FROM_SOMEBODY = (
    r"\b(?:by|from|(?:session|call|meeting) with|(?:thanks|thank[ -]?you|shout-?outs?|kudos|props) to)"
    r"\s+(?:[^\W\d_a-z][\w'-]*\s+){0,2}?"
)
_HE_WAS = re.compile(r"\W*(?:he|she|they) (?:was|were|had|did)\b", re.I)
_OWES_HIM = re.compile(r"\W*(?:i|i've|we|we've)\b[^.?!]*\b(?:him|her)\b", re.I)
#: Characters before thanks in which it is told what somebody did, and behind them: "I've learned so much from him."
TOLD_BEFORE, TOLD_BEHIND = 300, 80


def speaks_of_somebody(claim: Claim) -> bool:
    """Whether "he" or "she" stands in the sentence and no "you": "Chris, back then, said he would"."""
    return claim.courtesy is None and _OF_HIM.search(claim.sentence) is not None and not YOU.search(claim.sentence)


def tells_on(talk: Talk, heard: Heard) -> bool:
    """Whether who seems to be introduced is told of, in the past: "Joel Marsh is here. He was in the next room." """
    claim = heard.claim
    text = plain(talk.texts[heard.turn][claim.paragraph])
    return _HE_WAS.match(text, claim.offset + len(claim.quote)) is not None


def thanks_the_absent(talk: Talk, heard: Heard) -> bool:
    """Whether somebody is thanked of whom the same words tell as of another: for a question, a hint, a favour.

    "It was prepared by Ana. Thanks, Ana.", "Ana was a help there. Thanks, Ana." and "Thank you, Jorge. I've learned
    so much from him."
    """
    claim = heard.claim
    if claim.courtesy is not Courtesy.THANKS:
        return False
    text = plain(talk.texts[heard.turn][claim.paragraph])
    before = text[max(0, claim.name.start - TOLD_BEFORE) : claim.name.start]
    given = re.escape(claim.name.words[0])
    if re.search(_FROM_SOMEBODY + given + r"\b", before) or re.search(rf"\b{given} (?:was|has|had|did)\b", before):
        return True
    return _OWES_HIM.match(text, claim.name.end, claim.name.end + TOLD_BEHIND) is not None
