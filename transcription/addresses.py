"""Where a turn calls somebody by name: thanks and answers look back, greetings and questions hand over.

Closed patterns over one sentence. Each says whom it calls: the voice that answers, the one that spoke before, or
the other voice where they are one. Addresses that do not say it are read in `transcription.naming.vocatives`. What
the weights mean stands in `transcription.introductions`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from transcription.names_in_sentences import (
    FIRST_SENTENCES,
    LAST_SENTENCES,
    Claim,
    Sentence,
    Whom,
    certainty,
    claim_in,
    cues_in,
    is_explained,
    is_one_of_several,
    is_reported,
    name_at,
    plain,
    quotable,
)
from transcription.spoken_names import FIRST_KNOWN, FIRST_UNKNOWN, SpokenName

_THANKS = re.compile(
    r"(?:^|[.!?,]\s+|\b(?:oh|well|and|yes|no|great|so|okay|right)\s+)(?P<cue>"
    r"(?:thank you|thanks|cheers|many thanks)"
    r"(?:(?: (?:so|very) much)? for [^.,!?]{1,60},\s+|"
    r"(?: (?:so much|(?:so )?very much|ever so much|a (?:lot|bunch|ton|million)|again|indeed|both))*,?\s+))",
    re.I,
)
_GUEST_THANKS = re.compile(
    r"\b(?:having me|inviting me|inviting us|having us|to be here|to be with you|"
    r"to join you|being here|pleasure|the invitation)\b",
    re.I,
)
_HELLO = re.compile(
    r"(?:^|[.!?,]\s+)(?P<cue>(?:hi|hello|hey|hiya|(?:good )?(?:morning|afternoon|evening)|"
    r"nice to (?:see|meet) you|welcome|welcome back|what's up|how's it going|how are you(?: doing)?|"
    r"(?:great|good|lovely) to (?:see|have|meet) you(?: here)?)(?: there| again| back| along)?,?\s+)",
    re.I,
)
#: Behind a greeting that hands over: "Hello, Ada, do you want to tell us how it began?"
_ASKS_AT_ONCE = re.compile(
    r",?\s+(?:so,?\s+)?(?:(?:do|did|would|could|can|will|have) you|tell us|what|why|when|where|how did)\b[^.!?]*\?",
    re.I,
)
#: Behind a greeting as a turn ends: "Hello, Ada, keeper of the gauge. How often would you say it is read?"
_ASKS_SOON = re.compile(r"[^?]{0,200}\b(?:you|your)\b[^?]{0,100}\?\s*$", re.I)
_OVER_TO = re.compile(
    r"\b(?P<cue>over to you,?\s+|(?:go|come|turn|move|over|hand|start|begin)(?: \w+){0,2}? (?:to|with)(?: you,?)?\s+|"
    r"(?:ask|hear from|bring in|(?:question|floor|word|turn|one|round)\b[^.,?!]{0,40}? "
    r"(?:(?:goes|is going) (?:back )?to|(?:is|comes) from))\s+)",
    re.I,
)
_YOU_ARE = re.compile(r"\b(?:you're|you are|you must be|am i speaking to|is this|is that)\s+", re.I)
_IS_THAT_RIGHT = re.compile(r"\s*(?:,\s+(?:is that (?:right|correct)|right|correct|aren't you|yes)\s*)?\?", re.I)
_INVITES = re.compile(
    r"\b(?:introduce yourself|say (?:hi|hello|a few words)|the floor is yours|whenever you're ready|"
    r"about yourself|who you are|about you\b|bit about you|over to you|say hello|your name|"
    r"bit of background on you|who are you)",
    re.I,
)
_ASKS = re.compile(
    r"\b(?:you|your|yours|you're|you've|you'd|yourself|tell us|what about|how about|let's|go ahead|please|"
    r"kick us off|"
    r"take it away|start us off|come in|jump in|any (?:last|final|other)|over to)\b",
    re.I,
)
#: What a host says to somebody who comes on, beside the name.
_RECEIVES = re.compile(
    r"\b(?:welcome|hello|hi|hey|good (?:morning|afternoon|evening)|how are you|"
    r"(?:great|good|lovely|nice|wonderful|delighted|pleasure|pleased|glad|happy) "
    r"(?:to (?:have|see|meet|be joined)|having) you|"
    r"(?:thanks|thank you)(?: so much| very much)? for (?:joining|coming|being|taking|making|doing|agreeing))\b",
    re.I,
)
#: What somebody is told who is to speak now.
HANDS_ON = re.compile(
    r"\b(?:take it away|go ahead|over to you|the floor is yours|kick us off|start us off|your turn)\b", re.I
)
_OPENS_QUESTION = re.compile(
    r"\s+(?:(?:would|could|can|do|did|are|were|have|will) (?:you|your|we|i|it|that|this|there)\b|"
    r"(?:what|how|why|where|when|tell|you|your|i'd|i would|let me|maybe|perhaps)\b)",
    re.I,
)
#: "Ana Ruiz, who paints": a full name that is explained to others is not called.
_APPOSITION = re.compile(r",\s+(?:a|an|the|who|whose|our|my|his|her|their|from|also|then|formerly)\b", re.I)
_HANDS_ON = re.compile(r"^(?:[Aa]nd|[Nn]ext|[Nn]ow),?\s+[A-Z]")
_LEADS_IN = re.compile(
    r"^(?:(?:so|and|now|but|well|okay|right|great|yes|yeah|oh|perhaps|maybe|lovely|then)[,.]?\s+)*",
    re.I,
)
_TURNS_TO = re.compile(
    r"\b(?:over to|turn to|come to|go to|hear from|what about|how about|tell us|your turn)\b", re.I
)
_WELCOME_TO = re.compile(r"\bwelcome(?: back)? to [^.?!]{1,60}?,\s+", re.I)
_AFTER_OVER_TO = re.compile(r"\s*(?:[.,!?–—-]|$)|\s+(?:here|first|now|next|then|again|about|on|for|if|to)\b")
_GREETED_BEHIND = re.compile(
    r",\s+(?:how are you|welcome\b|good to (?:see|have) you|great to (?:see|have) you)", re.I
)
_COMMA = re.compile(r"[,–—]\s+(?P<and>(?:and|so|then)\s+)?")
_ADDRESSED_THANKS = re.compile(r"^,?\s*(?:thank you|thanks|many thanks|cheers)\b", re.I)
_AFTER_ADDRESS = ".,!?…—–;:"


def receives(text: str) -> bool:
    """Whether a text says to somebody who comes on that they are welcome."""
    return _RECEIVES.search(plain(text)) is not None


def looking_back(sentence: Sentence) -> Iterator[Claim]:
    """ "Thanks, Tim." in the first sentences of a turn is said to the voice before, later on to the other voice.

    "Long, Tim, very long." in the first sentence answers the voice before, too.
    """
    is_early = sentence.from_start < FIRST_SENTENCES
    is_guest = bool(_GUEST_THANKS.search(sentence.even, sentence.start, sentence.end + 60))
    seen: set[int] = set()
    for begin, end in cues_in(_THANKS, sentence):
        name = name_at(sentence, end)
        if name is None or is_reported(sentence, begin):
            continue
        if is_one_of_several(sentence, name):
            continue  # two people are thanked, and one of them answered
        seen.add(name.start)
        weight = 0.7 if is_guest else 0.5 * certainty(name)
        yield claim_in(Whom.PREVIOUS if is_early else Whom.OTHER, sentence, begin, name.end, name, weight)
    for name, _ in _addressed(sentence):
        if name.start in seen or is_reported(sentence, name.start):
            continue
        if _ADDRESSED_THANKS.match(sentence.even[name.end : sentence.end]):
            if not is_one_of_several(sentence, name):
                begin, end = quotable(sentence, name)
                whom = Whom.PREVIOUS if is_early and sentence.from_end else Whom.OTHER
                yield claim_in(whom, sentence, begin, end, name, 0.55 * certainty(name))
        elif sentence.from_start == 0 and _is_answer(sentence) and (not is_one_of_several(sentence, name)):
            begin, end = quotable(sentence, name)
            yield claim_in(Whom.PREVIOUS, sentence, begin, end, name, 0.45 * certainty(name))


def _is_answer(sentence: Sentence) -> bool:
    """Whether the first sentence of a turn answers rather than asks or hands over."""
    whole = sentence.even[sentence.start : sentence.end].rstrip()
    if _HANDS_ON.match(whole) and sentence.from_end < LAST_SENTENCES:
        return False
    return not whole.endswith("?") and not _INVITES.search(whole) and not _TURNS_TO.search(whole)


def greetings(sentence: Sentence) -> Iterator[Claim]:
    """ "Welcome, Steph." announces who speaks next; "Hello, Tim" may be said to either, and weighs little."""
    for begin, end in cues_in(_HELLO, sentence):
        cue = sentence.even[begin:end].casefold()
        name = name_at(sentence, end)
        if name is None or name.likelihood < FIRST_KNOWN or is_reported(sentence, begin):
            continue
        if (sentence.even[name.end : sentence.end].strip() or ".")[0] not in _AFTER_ADDRESS and "thank" not in (
            sentence.even[name.end : sentence.end].casefold()
        ):
            continue
        if is_one_of_several(sentence, name):
            continue
        is_welcome = "welcome" in cue or "have you" in cue
        is_asked = _ASKS_AT_ONCE.match(sentence.even, name.end, sentence.end) or _ASKS_SOON.match(
            sentence.even, name.end
        )
        if is_welcome or (sentence.from_end < 2 and (sentence.from_start > 0 or is_asked)):
            whom = Whom.NEXT
        else:
            whom = Whom.PREVIOUS if sentence.from_end else Whom.OTHER
        yield claim_in(whom, sentence, begin, name.end, name, 0.6 if is_welcome else 0.4)
    for match in _WELCOME_TO.finditer(sentence.even, sentence.start, sentence.end):
        name = name_at(sentence, match.end())
        if name is None or name.likelihood < FIRST_KNOWN or is_reported(sentence, match.start()):
            continue
        if re.search(r"\b(?:me|myself),\s+$", match.group(), re.I):
            continue  # the host names herself
        if not sentence.even[name.end : sentence.end].strip(".!? "):
            yield claim_in(Whom.NEXT, sentence, match.start(), name.end, name, 0.6)


def handing_over(sentence: Sentence) -> Iterator[Claim]:
    """In the last sentences of a turn: "Tim, what do you think?", "What do you think, Tim?", "Over to you, Tim." """
    if sentence.from_end >= LAST_SENTENCES:
        return
    whole = sentence.even[sentence.start : sentence.end]
    invites = bool(_INVITES.search(whole))
    is_received = bool(_RECEIVES.search(whole))
    asks = bool(_ASKS.search(whole)) or whole.endswith("?") or is_received
    #: "Thank you, Tim." looks back, and a greeting is judged elsewhere.
    seen = {end for pattern in (_THANKS, _HELLO) for _, end in cues_in(pattern, sentence)}
    for name, is_bare in _addressed(sentence):
        if name.start in seen or is_reported(sentence, name.start) or not (invites or asks or is_bare):
            continue
        if name.likelihood <= FIRST_UNKNOWN and is_one_of_several(sentence, name):
            continue
        seen.add(name.start)
        begin, end = quotable(sentence, name)
        weight = 0.7 if invites else 0.6 if is_received and name.is_full else 0.45
        yield claim_in(Whom.NEXT, sentence, begin, end, name, weight * certainty(name))
    for match in _YOU_ARE.finditer(whole):
        asked = name_at(sentence, sentence.start + match.end())
        if asked is None or not asked.is_full or asked.start in seen or is_reported(sentence, asked.start):
            continue
        if _IS_THAT_RIGHT.match(sentence.even[asked.end : sentence.end]):
            seen.add(asked.start)
            yield claim_in(
                Whom.NEXT, sentence, sentence.start + match.start(), asked.end, asked, 0.65 * asked.likelihood
            )
    for begin, end in cues_in(_OVER_TO, sentence):
        given = name_at(sentence, end)
        if given is None or given.start in seen or is_reported(sentence, begin):
            continue
        if not _AFTER_OVER_TO.match(sentence.even[given.end : sentence.end]):
            continue
        seen.add(given.start)
        weight = 0.65 if "over to you" in sentence.even[begin:end].casefold() else 0.45
        if given.likelihood < FIRST_KNOWN and weight < 0.6:
            weight = 0.1  # "let's start with Python": only a list of participants makes it a person
        yield claim_in(Whom.NEXT, sentence, begin, given.end, given, weight)


#: "You can find me on the web, Ana Ruiz." is said of oneself.
OF_ONESELF = re.compile(r"\b(?:find|follow|reach|contact|google|search(?: for)?|look(?: for)?) me\b", re.I)
_TELLS_OF = re.compile(r"[,–—]\s+(?:he|she)\b", re.I)  #: "Mary, she never came" is said of her


def _addressed(sentence: Sentence) -> Iterator[tuple[SpokenName, bool]]:
    """Names that stand as an address in a sentence, and whether the sentence is nothing else ("And Tim.")."""
    whole = sentence.even[sentence.start : sentence.end]
    lead = _LEADS_IN.match(whole)
    first = name_at(sentence, sentence.start + (lead.end() if lead else 0))
    if first is not None:
        rest = sentence.even[first.end : sentence.end]
        if not rest.strip(".?!,… "):
            # A turn that is nothing but a name may answer a question, and be of anybody; "And Ana." does not.
            yield first, sentence.from_start > 0 or _HANDS_ON.match(whole) is not None
        elif rest[0] in ",–—" or rest.startswith(" -"):
            if not (first.is_full and _APPOSITION.match(rest)) and not _TELLS_OF.match(rest):
                yield first, False
        elif _opens_question(first, rest):
            yield first, False
    for comma in _COMMA.finditer(whole):
        name = name_at(sentence, sentence.start + comma.end())
        if name is None or (comma["and"] and (name.is_full or name.likelihood < FIRST_KNOWN)):
            continue
        if is_explained(sentence.even[sentence.start : name.start]) or (name.is_full and OF_ONESELF.search(whole)):
            continue
        rest = sentence.even[name.end : sentence.end]
        is_greeted = _GREETED_BEHIND.match(rest) is not None
        is_last = not rest.strip(".?!… ")
        is_called = not is_last and not name.is_full and (rest[0] in ",–—" or _opens_question(name, rest))
        if is_last or is_greeted or is_called:
            yield name, False


def _opens_question(name: SpokenName, rest: str) -> bool:
    """Whether what follows a name without a comma is said to that person; "Ana Ruiz will be back" and "Ana will." are
    of somebody."""
    if _OPENS_QUESTION.match(rest) is None or not rest.strip(" .!…").count(" "):
        return False
    return not name.is_full or rest.rstrip().endswith("?")
