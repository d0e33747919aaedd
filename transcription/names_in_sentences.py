"""A sentence that may name somebody: where it stands, what it claims, and whether it speaks of here and now.

What introductions, addresses and `transcription.naming` share. A claim says *whom* the name would be of, seen from
the turn that says it. What is reported ("she said, I'm Maria"), read from a letter or quoted names nobody; and who
is said to be away, comes another time or sits behind the glass need not be heard.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from transcription.courtesies import Courtesy, courtesy_beside
from transcription.sentences import listed, sentence_spans
from transcription.spoken_names import FIRST_KNOWN, FIRST_UNKNOWN, SpokenName, read_name, read_name_before


class Whom(StrEnum):
    """Whose name it would be, seen from the turn that says it."""

    SELF = "self"  #: the voice that speaks
    INTRODUCED = "introduced"  #: somebody who is about to speak, announced to the audience
    NEXT = "next"  #: the voice that answers
    PREVIOUS = "previous"  #: the voice that spoke before
    OTHER = "other"  #: the voice before and after, where they are one
    HEARD = "heard"  #: somebody who has spoken, named to the audience afterwards


CALLS = frozenset({Whom.NEXT, Whom.PREVIOUS, Whom.OTHER})  #: said to the one who is named


@dataclass(frozen=True, slots=True)
class Claim:
    """One place where a name is said in a way that tells whose it is."""

    whom: Whom
    name: SpokenName
    quote: str  #: verbatim from the paragraph
    paragraph: int  #: index in the turn
    offset: int  #: of the quote in the paragraph's text
    weight: float  #: 0 to 1, before anything is known about who else speaks
    courtesy: Courtesy | None = None  #: what is said to the one who is called
    is_by_show: bool = False  #: the name is that of the show which the voice opens
    sentence: str = ""  #: the whole sentence that the quote is of, with straight apostrophes


@dataclass(frozen=True, slots=True)
class Slot:
    """A place where a name must stand, whether or not what stands there reads like one."""

    whom: Whom
    paragraph: int
    cue: int  #: where the cue begins
    after: int  #: where the name begins
    weight: float


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence in its paragraph. `even` is `plain(text)`: same length, for matching; `text` is for quoting."""

    paragraph: int
    text: str
    even: str
    start: int
    end: int
    from_start: int  #: 0 for the turn's first sentence
    from_end: int  #: 0 for its last
    is_read: bool = False  #: it begins a letter that is read out


_LATER = re.compile(
    r"\b(?:in a (?:moment|minute|few minutes)|later|coming up|next week|next time|"
    r"next month|after the break|at the end|soon|"
    r"tomorrow|but first)\b",
    re.I,
)
_EARLIER = re.compile(
    r"\b(?:last (?:week|time|month|year|episode|summer)|previous(?:ly)?|yesterday|ago|"
    r"earlier (?:this|in)|once|used to|back in|"
    r"when i was|usually|normally|would have been|could have been)\b",
    re.I,
)

_ABSENT = re.compile(
    r"\b(?:(?:couldn't|could not|can't|cannot|won't|isn't|is not|wasn't|not)(?: \w+){0,2} "
    r"(?:make|be|join|with|here|able|around|available)|"
    r"(?:is|was|'s)(?: \w+)? (?:away|off|out|ill|sick|unwell|travell?ing|stuck|taking a break|"
    r"on (?:\w+ )?(?:holiday|vacation|leave|honeymoon))|"
    r"(?:has|had|has got)(?: to)? (?:the flu|a cold|a fever|pull(?:ed)? out|dropped out|cancel(?:led)?|gone|"
    r"lost h\w+ voice|the (?:day|week|month) off)|"
    r"(?:can't|couldn't) make it|will be back (?:on|in|next|soon|tomorrow|later|with us)|sends? (?:his|her|their))\b",
    re.I,
)

#: Before the name of somebody who is not there.
_INSTEAD = re.compile(
    r"\b(?:(?:filling|standing|stepping|sitting|in) (?:in )?for|instead of|in place of|without|no)\s+$", re.I
)
#: Before and behind the name of somebody who may sit behind the glass.
_CREDITS = re.compile(
    r"\b(?:(?:produced|edited|mixed|recorded|made|written|engineered) by|(?:our )?thanks to|producer(?: is|,)?)\s+$",
    re.I,
)
_MAKES = re.compile(
    r",? (?:(?:our|the) )?(?:edits|mixes|records|produces|producer\b|"
    r"is (?:behind the glass|at the (?:desk|controls)))|"
    r" (?:for the (?:sound|mix|music)|in the box)\b",
    re.I,
)

#: What is said to somebody who is not in the room.
_FROM_AFAR = re.compile(
    r"\b(?:get well|(?:we|i)(?: all)? (?:wish you were here|miss you)|wish you were here|rest in peace|"
    r"why (?:are you not|aren't you) (?:here|with us)|if you(?:'re| are) (?:listening|watching|hearing))\b",
    re.I,
)

#: "The next one is from a gentleman. Hello Mary, …": a letter, and how it begins.
_LETTER = re.compile(
    r"\b(?:letter|e-?mail|message|postcard|voicemail|(?:first|second|third|next|last|another) one)\b"
    r"(?![^.?!]*\b(?:line|call|phone)\b)[^.?!]*\b(?:from|says|reads|writes|goes)\b|"
    r"\bhere(?:'s| is)[^.?!]* (?:letter|e-?mail|message|postcard|voicemail)\b",
    re.I,
)
_SALUTES = re.compile(
    r"\W*(?:hi|hello|hey|dear|good (?:morning|afternoon|evening))\b(?![^.?!]*\b(?:i'm|i am|my name|welcome)\b)", re.I
)

#: Before a name in the same sentence these make it somebody else's words, or nobody's.
_REPORTED = re.compile(
    r"\b(?:said|says?|saying|goes|went|(?:and|or|would|just|all|always) go\s*,|"
    r"(?:was|were|be|being|is|am|are|'m|'s|'re) (?:just |all )?like|"
    r"(?:get|gets|got|getting|always|often) asked|told|tells?|telling|"
    r"wrote|writes?|written|replied|replies|shouted|whispered|calls?|called|named|"
    r"answered|announced|announces|quotes?|"
    r"quoted|imagine|imagined|pretend|pretended|pretending|suppose|dreamed|dreamt|"
    r"signed|insists?|insisted|claims?|claimed|"
    r"sings?|sang|adds|added|heard|screamed|yelled|texted|emailed|introduced|thought,|"
    r"(?:thinks?|thought|believes?|believed|if|unless|whether|wish|say)(?: that)?\s*$)(?!\w)|^like\b",
    re.I,
)

#: Of one's own words, said now: "All that remains is to say thank you, Bo."
_LEFT_TO_SAY = re.compile(r"\b(?:remains|left)(?: \w+){0,3}? (?:is )?to say(?: is)?\b|\bwant(?:ed)? to say\b", re.I)
#: "Welcome to Curtain Call, I'm Bo Lund": what looks like a verb there is the name of a show.
_WELCOMED_TO = re.compile(
    r"\b(welcome(?: back)? to|(?:this is|it's|you're listening to)) [^.?!,]{1,60},\s+(?:and\s+)?$", re.I
)

#: "The man at the gate smiled, I'm Bo Lund": a clause that tells of the past, and then words that are its own.
_TOLD_BEFORE = re.compile(
    r"\b(?:was|were|had|did|began|begins|opens|read|reads|came|comes|went|rang|wrote|stood|"
    r"(?!need|ask|used|pleas|delight|honou?r|thrill|excit|join|bas|host|record|produc|call)[a-z]{3,}ed)\b"
    r"[^.?!]{0,60}[,:]\s*(?:and\s+)?$",
    re.I,
)
_OF_US = re.compile(r"\b(?:i|i'm|i've|me|us|we|we're|we've)\b", re.I)
#: Behind and before a name: "Thanks, Ada, and thanks, Bram", "Hi Ada, hi Bram", "Ada and Bram".
_AGAIN = r"(?:thanks|thank you|hi|hello|hey)\b,?\s+"
_AND_ANOTHER = re.compile(r"(?:,?\s+and|,)\s+" + _AGAIN + r"(?=[A-Z])")
_ANOTHER_AND = re.compile(r"([^\W\d_][\w’'-]*)(?:,?\s+and\s+(?:" + _AGAIN + r")?|,\s+" + _AGAIN + r")$")
#: What somebody is to somebody: "my brother, Hector" explains who that is, and calls nobody.
_RELATIONS = listed(
    """
    brother sister mother father mum mom dad son daughter wife husband partner uncle aunt cousin nephew niece gran
    grandmother grandfather friend colleague boss neighbour neighbor dog cat horse king queen chief guy woman man
    girl boy kid child baby lady producer founder author host guest co-host person name
    """
)
_TRADE_ENDINGS = ("er", "or", "ist", "ian", "man", "woman", "ant", "ent")
_EXPLAINED = re.compile(
    r"\b(?:my|our|his|her|their|your|the|a|an|another|this|that|\w+'s)\s+(?:[\w-]+\s+){0,3}?([\w-]+),\s+$", re.I
)
#: "My mentor in ropes, Hector, was late" does so, too; "the answer to that, Hector, is no" calls him.
_EXPLAINED_FURTHER = re.compile(
    r"\b(?:my|our|his|her|their)\s+(?:[\w-]+\s+){0,2}?(?:mentor|teacher|professor|supervisor|advis[eo]r|tutor|"
    r"friend|colleague|boss|student|partner)\s+(?:to|of|in|for|at|from|with|on)\s+(?:[\w-]+\s+){0,3}?[\w-]+,\s+$",
    re.I,
)
#: Words in a list, capitalised like the one between them: none of them is called.
_LISTED_BEHIND = re.compile(r",?\s+(?:and\s+|or\s+)?(?!I\b|I['’])[A-Z]")
_LISTED_BEFORE = re.compile(r"[\w’',-]\s+(?!I['’]?\b)[A-Z][\w’'-]*,\s+(?:and\s+|or\s+)?$")
_CLOSE_BEHIND = 45  #: characters behind a cue: the name and "last week"
FIRST_SENTENCES, LAST_SENTENCES = 3, 3  #: of a turn: where thanks look back, and where a question hands over
_QUOTE_CHARACTERS = 160  #: of evidence that is a whole sentence


def plain(text: str) -> str:
    """The text with straight apostrophes and plain spaces, character for character, so that offsets stay true."""
    return text.translate({0x2019: "'", 0x2018: "'", 0x00A0: " ", 0x202F: " "})


def sentences_of(paragraphs: Sequence[str]) -> list[Sentence]:
    evens = [plain(text) for text in paragraphs]
    places = [(i, start, end) for i, text in enumerate(paragraphs) for start, end in sentence_spans(text)]
    found: list[Sentence] = []
    for n, (i, start, end) in enumerate(places):
        is_read = n > 0 and bool(_LETTER.search(_even(found[-1])) and _SALUTES.match(evens[i][start:end]))
        found.append(Sentence(i, paragraphs[i], evens[i], start, end, n, len(places) - 1 - n, is_read))
    return found


def _even(sentence: Sentence) -> str:
    return sentence.even[sentence.start : sentence.end]


def claim_in(whom: Whom, sentence: Sentence, begin: int, end: int, name: SpokenName, weight: float) -> Claim:
    quote = sentence.text[begin:end].strip()
    offset = sentence.text.index(quote, begin)
    courtesy = (
        courtesy_beside(sentence.even, sentence.start, sentence.end, (name.start, name.end))
        if whom in CALLS
        else None
    )
    return Claim(whom, name, quote, sentence.paragraph, offset, weight, courtesy, sentence=_even(sentence))


def cues_in(pattern: re.Pattern[str], sentence: Sentence) -> Iterator[tuple[int, int]]:
    """Where a pattern's group `cue` stands in the paragraph; `^` in it is the start of the sentence."""
    for match in pattern.finditer(sentence.even[sentence.start : sentence.end]):
        yield sentence.start + match.start("cue"), sentence.start + match.end("cue")


def name_at(sentence: Sentence, at: int) -> SpokenName | None:
    """The name that begins at `at` and ends within the sentence."""
    name = read_name(sentence.text, at)
    return name if name is not None and name.end <= sentence.end else None


def is_reported(sentence: Sentence, at: int) -> bool:
    """Whether what begins at `at` is somebody else's words: behind a reporting verb, of a letter, in quotes."""
    if sentence.is_read:
        return True
    before = _WELCOMED_TO.sub(r"\1 ", sentence.even[max(sentence.start, at - 70) : at])
    before = _LEFT_TO_SAY.sub("", before)
    is_after_colon = before.rstrip()[-1:] in {":", "«"} and not _OF_US.search(before)
    if _REPORTED.search(before) or is_after_colon:
        return True
    quoted = sentence.text[max(0, at - 2000) : at]  # quotes that are never closed should not silence an hour
    return quoted.count("“") > quoted.count("”") or quoted.count('"') % 2 == 1


def is_quoted_there(sentence: Sentence, at: int) -> bool:
    """Whether a clause that tells of the past leads to what begins at `at`, as to somebody's words."""
    before = _WELCOMED_TO.sub(r"\1 ", sentence.even[max(sentence.start, at - 120) : at])
    return _TOLD_BEFORE.search(before) is not None


def is_absent(sentence: Sentence, end: int) -> bool:
    """Whether the sentence goes on to say that who was named before `end` is not there."""
    return _ABSENT.search(sentence.even, end, min(sentence.end, end + 2 * _CLOSE_BEHIND)) is not None


def is_replaced(sentence: Sentence, name: SpokenName) -> bool:
    """Whether somebody else is there instead: "I am filling in for Mary"."""
    return _INSTEAD.search(sentence.even[sentence.start : name.start]) is not None


def is_credited(sentence: Sentence, name: SpokenName) -> bool:
    """Whether it is told what somebody does for the programme, who need not speak: "It was made by Mary"."""
    before, rest = sentence.even[sentence.start : name.start], sentence.even[name.end : sentence.end]
    return _CREDITS.search(before) is not None or _MAKES.match(rest) is not None


def is_from_afar(sentence: Sentence) -> bool:
    """Whether who is called in a sentence is told by it to be away: "Get well soon, Mary." """
    return _FROM_AFAR.search(sentence.even, sentence.start, sentence.end) is not None


def is_of_earlier(sentence: Sentence, end: int) -> bool:
    """Whether what ends at `end` is told of an earlier time: a word for it before, or close behind."""
    return _EARLIER.search(sentence.even, sentence.start, min(sentence.end, end + _CLOSE_BEHIND)) is not None


def is_of_later(sentence: Sentence) -> bool:
    """Whether a sentence tells of what comes another time."""
    return _LATER.search(sentence.even, sentence.start, sentence.end) is not None


def is_one_of_several(sentence: Sentence, name: SpokenName) -> bool:
    """Whether another name stands beside it: "Anna and Tom", "Anna, Tom, thank you both"."""
    is_unknown = name.likelihood <= FIRST_UNKNOWN and name.honorific is None
    after = re.match(r",?\s+(?:and\s+)?(?=[A-Z])", sentence.text[name.end : sentence.end])
    if after is not None:
        following = name_at(sentence, name.end + after.end())
        if following is not None and following.likelihood > FIRST_UNKNOWN:
            return True
    if is_unknown and (
        _LISTED_BEHIND.match(sentence.text, name.end)
        or _LISTED_BEFORE.search(sentence.text, sentence.start, name.start)
    ):
        return True  # "Zorbel, Quandle and Frimp": words that no list knows are companies then
    before = read_name_before(sentence.text, len(sentence.text[: name.start].rstrip(" ,")))
    if before is not None and before.start >= sentence.start and before.likelihood > FIRST_UNKNOWN:
        return True
    if _AND_ANOTHER.match(sentence.text, name.end, sentence.end):
        return True
    earlier = _ANOTHER_AND.search(sentence.text, sentence.start, name.start)
    return bool(earlier and earlier.group(1)[0].isupper() and name_at(sentence, earlier.start(1)))


def is_explained(before: str) -> bool:
    """Whether the words before a name say who that is: "my brother, …", "the writer, …", "my mentor in ropes, …"."""
    if _EXPLAINED_FURTHER.search(before):
        return True
    found = _EXPLAINED.search(before)
    return found is not None and (found[1].casefold() in _RELATIONS or found[1].casefold().endswith(_TRADE_ENDINGS))


def quotable(sentence: Sentence, name: SpokenName) -> tuple[int, int]:
    """The sentence, or where it is long the part of it around the name."""
    if sentence.end - sentence.start <= _QUOTE_CHARACTERS:
        return sentence.start, sentence.end
    begin = name.start if name.end - sentence.start > _QUOTE_CHARACTERS else sentence.start
    end = min(sentence.end, begin + _QUOTE_CHARACTERS)
    space = sentence.text.rfind(" ", max(begin, name.end), end)
    return begin, (space if space > 0 and end < sentence.end else max(end, name.end))


def certainty(name: SpokenName) -> float:
    """How much an address by this name is worth: people are called by their given names."""
    return 1.0 if name.honorific is not None or name.likelihood >= FIRST_KNOWN else 0.5
