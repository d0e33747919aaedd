"""The parts of assembling that can be left out one by one, so that an evaluation can say what each is worth."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Steps:
    """Everything that assembling does beyond giving each word the voice that covers most of it."""

    phantoms: bool = True  #: voices of little speech are taken for the voice they sound like
    snap: bool = True  #: boundaries between voices move to sentence ends and pauses
    islands: bool = True  #: a word or two inside another voice's sentence are judged again
    overlap: bool = True  #: words that two voices cover are tagged
    glossary: bool = True  #: the correction pass; what the recognizer expects is decided before
    repair: bool = True  #: capitals and full stops where the recognizer wrote none
    pauses: bool = True  #: a long pause may begin a paragraph
    topics: bool = True  #: so may another topic
    names: bool = True  #: speakers are named by evidence


ALL_STEPS = Steps()
