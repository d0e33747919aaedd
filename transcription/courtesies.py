"""What people say to one another as they come on and leave, which makes a name beside it an address.

A call in the middle of a talk may be quoted, imagined, or said of somebody ("and Chris, back then, …"); "Ada, welcome
to the show" and "Thanks for having me, Bram" are said to who is there. Counted on published talk of two voices
(1,149 calls by a known given name in three houses' episodes, 2026-11-28; docs/names.md), the other voice was meant in
all of 245 calls beside such words and of 85 thanks in the last turns, and in 665 of 782 calls without a courtesy.
"""

from __future__ import annotations

import re
from enum import StrEnum


class Courtesy(StrEnum):
    """What is said to the one who is called."""

    RECEIVES = "receives"  #: by a host to who comes on or leaves: "welcome to the show", "thanks for joining us"
    ANSWERS = "answers"  #: by who comes on to the host: "thanks for having me", "it's great to be here"
    GREETS = "greets"
    THANKS = "thanks"


_GLAD = (
    r"(?:great|good|glad|happy|excited|awesome|fun|pleasure|nice|honou?red|honou?r|thrilled|delighted|wonderful|lovely|"
    r"pleased|amazing|exciting)"
)
_THANK = r"(?:thanks|thank you|appreciate (?:you|it))(?:,? \w+){0,4}?,?"  # "Thank you so much, Ada,"
_RECEIVES = re.compile(
    r"(?<!\byou are )(?<!\byou're )\b(?:welcome(?: back)?\b"
    r"(?!,? (?:everyone|everybody|all|listeners|folks|friends|ladies|dear|home|aboard)\b)"
    r"(?! to (?:the |our )?(?:family|world|club|team|party|neighbou?rhood)\b)|"
    rf"{_THANK} for (?:joining|coming (?:on|in|back|along|by|over)|coming\b(?! out)|being (?:here|with|on)|"
    rf"taking (?:the|some|your|my|part)|making (?:the )?time|doing this|agreeing|your time|spending|chatting|talking|"
    rf"sitting|stopping)\b|{_GLAD} (?:to have you|having you)\b)",
    re.I,
)
_ANSWERS = re.compile(
    rf"\b(?:{_THANK} for (?:having|inviting|hosting) me\b|{_GLAD}(?: \w+){{0,2}}? (?:to be (?:here|back|on|with)|"
    r"being (?:here|on|back))\b|(?:having|inviting) me\b)",
    re.I,
)
_GREETS = re.compile(
    r"\b(?:hi|hello|hey|hiya|howdy|welcome|good (?:morning|afternoon|evening)|what's up|how are you(?: doing)?|"
    r"how's it going|(?:nice|great|good) to (?:see|meet) you)(?: there| again| back)?,?\s+$",
    re.I,
)
_THANKS_BEFORE = re.compile(
    r"\b(?:thanks?|thank you|cheers|you're welcome|you are welcome)"
    r"(?: (?:(?:(?:ever )?so|very) much|a (?:lot|bunch|ton|million)|again|you))*,?\s+$",
    re.I,
)
_THANKS_BEHIND = re.compile(r",?\s*(?:thanks|thank you|many thanks|cheers|i (?:really |so )?appreciate)\b", re.I)
#: Behind a name that opens a sentence and that the recognizer gave no comma: "Ada welcome back to the show".
_BEHIND = re.compile(rf"\s+(?:welcome\b|thanks\b|thank you\b|(?:it's )?(?:so )?{_GLAD} to (?:have|see) you\b)", re.I)
#: Before a name that ends a sentence so: "Thank you so much for having me Bram."
_BEFORE = re.compile(
    r"\b(?:welcome(?: back)?(?: to (?-i:the|my|our|this) (?-i:[a-z]{2,12}))?|"
    r"for (?:having|inviting|joining|coming|being|taking)[^.?!,]{0,25}|"
    r"to be (?:here|back|on)[^.?!,]{0,15}|to have you[^.?!,]{0,15})\s+$",
    re.I,
)
_TAKES = re.compile(
    r"\b(?:thanks?|thank you|hi|hello|hey|hiya|yo|howdy|cheers|pleasure|honou?red|glad|happy|excited|delighted|"
    r"thrilled|(?:good|great|nice|lovely) to be|to be here|having me|good (?:morning|afternoon|evening)|likewise|"
    r"welcome back)\b",
    re.I,
)
_PASSES_ON = re.compile(
    r"\b(?:welcome(?! back)|(?:for|you) (?:coming|joining)|having you|have you|we(?:'re| are| have|'ve)|"
    r"both of you)\b",
    re.I,
)
_TAKES_LEAVE = re.compile(
    r"\b(?:thanks?|thank you|you're welcome|you are welcome|pleasure|cheers|honou?r|appreciate|enjoyed|fun|any ?time|"
    r"(?:good|great|nice) to|my friend|likewise|no problem|loved|no worries)\b",
    re.I,
)
_EARLIER, _LATER = 50, 60  #: characters around a sentence in which its courtesy may stand: "Hi, Ada. Welcome back."


def courtesy_beside(even: str, start: int, end: int, name: tuple[int, int]) -> Courtesy | None:
    """What is said beside a name to the one who is called by it, if it is a courtesy.

    `even` is the paragraph, `start` and `end` the characters of the sentence in it, `name` those of the name.
    """
    if _ANSWERS.search(even, max(0, start - _EARLIER), end + _LATER):
        return Courtesy.ANSWERS
    before = even[start : name[0]]
    thanks = thanks_before(before) or _THANKS_BEHIND.match(even, name[1], end)
    # "Thank you, Ada, for the music. Welcome to the show.": the welcome is for the listeners.
    if _RECEIVES.search(even, start, end if thanks else end + _LATER):
        return Courtesy.RECEIVES
    if greets_before(before):
        return Courtesy.GREETS
    return Courtesy.THANKS if thanks else None


def greets_before(before: str) -> bool:
    """Whether a sentence up to a name ends with a greeting: "Oh, hello again, "."""
    return _GREETS.search(before) is not None


def thanks_before(before: str) -> bool:
    """Whether a sentence up to a name ends with thanks: "Well, thank you so much, "."""
    return _THANKS_BEFORE.search(before) is not None


def goes_on_courteously(even: str, at: int, end: int) -> bool:
    """Whether a name that ends at `at` is welcomed or thanked by what follows without a comma."""
    return _BEHIND.match(even, at, end) is not None


def is_after_courtesy(before: str) -> bool:
    """Whether a sentence up to a name welcomes or thanks somebody."""
    return _BEFORE.search(before) is not None


def takes_welcome(answer: str) -> bool:
    """Whether the first words of an answer are of somebody who was welcomed, not of a host who welcomes, too."""
    even = answer.replace("’", "'")
    return _TAKES.search(even) is not None and _PASSES_ON.search(even) is None


def takes_leave(answer: str) -> bool:
    """Whether the first words of an answer take thanks at the end of a talk."""
    return _TAKES_LEAVE.search(answer.replace("’", "'")) is not None
