"""The parts of the work that can be left out one by one, so that an evaluation can say what each is worth."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Steps:
    """Everything beyond the recognizer's first pass and giving each word the voice that covers most of it."""

    expected: bool = True  #: the recognizer is told which names and terms to expect
    second_look: bool = True  #: stretches that look wrong, and speech without words, are recognized again
    invented: bool = True  #: text that nobody said leaves the words
    word_times: bool = True  #: words are fitted into the speech, none longer than a word can be
    phantoms: bool = True  #: voices of little speech are taken for the voice they sound like
    snap: bool = True  #: boundaries between voices move to sentence ends and pauses
    islands: bool = True  #: a word or two inside another voice's sentence are judged again
    overlap: bool = True  #: words that two voices cover are tagged
    glossary: bool = True  #: the correction pass by the show's glossary
    repair: bool = True  #: capitals and full stops where the recognizer wrote none
    pauses: bool = True  #: a long pause may begin a paragraph
    topics: bool = True  #: so may another topic
    names: bool = True  #: speakers are named by evidence


ALL_STEPS = Steps()
