"""Where a turn says who somebody is: introductions of oneself and of others, and people addressed by name.

Closed patterns over the text of one turn. A pattern says *whom* the name would be of (the one who speaks, the one
who answers, the one who spoke before); who that is in the episode, and whether it is believed, is decided in
`transcription.naming`. What is reported ("she said, I'm Maria"), imagined or quoted names nobody.

Weights are probabilities set by hand: only their order, and which of them reach `naming.decisions.BELIEVED` alone,
matter. The cases that fix them are the table in tests/transcription/test_naming.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from transcription.courtesies import Courtesy, courtesy_beside
from transcription.sentences import listed, sentence_spans
from transcription.spoken_names import (
    FIRST_KNOWN,
    FIRST_UNKNOWN,
    FULL_KNOWN,
    FULL_UNKNOWN,
    SpokenName,
    read_name,
    read_name_before,
)


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


_FILLER = r"(?:,?\s+(?:uh|um|er|erm|actually|just|still|simply|always|so)\b,?)*,?\s+"
_PRAISE = (
    r"(?:(?:the|our|a|my|your)\s+)?(?:(?:very|own|one and only|fabulous|wonderful|"
    r"brilliant|lovely|delightful|amazing|great|"
    r"legendary|incredible|excellent|talented|fantastic|good|dear|old|friend|colleague|guest|co-host|and)[\s,]+)*"
)
_WHEN = (
    r"(?:[\s,]+(?:today|tonight|now|here|again|also|once again|this (?:week|morning|afternoon|evening|time)|"
    r"in the (?:studio|room)|on the (?:line|show|phone|programme|podcast)|remotely|as always|as ever))*,?"
)

_SELF_CUES: tuple[tuple[re.Pattern[str], float], ...] = (
    (re.compile(r"\bmy (?:full )?name(?:'s| is)" + _FILLER, re.I), 0.95),
    (
        re.compile(
            r"\b(?:i'?m|i am|this is) (?:your|the) (?:\w+ )?(?:host|co-?host|presenter|chair|moderator)"
            r"(?: for [^,.!?]{1,40}| today| tonight| this \w+| of [^,.!?]{1,40})?" + _FILLER,
            re.I,
        ),
        0.95,
    ),
    (re.compile(r"\byou(?:'re| are) (?:through to|on the line with|speaking to|talking to)" + _FILLER, re.I), 0.8),
    (re.compile(r"\b(?:i go by|it's me|it is me|i'm called|i am called)" + _FILLER, re.I), 0.8),
    (re.compile(r"\b(?:i'?m|i am)" + _FILLER, re.I), 0.9),
    (re.compile(r"\b(?:i'?m|i am|it's me,?|it is me,?) your (?:[\w-]+ ){0,3}?[\w-]+,\s+", re.I), 0.85),
    (re.compile(r"\bi(?:'ve| have) been(?: your host)?" + _FILLER, re.I), 0.85),
    (re.compile(r"\b(?:welcome to|this is) [^.?!]{1,80}? with me" + _FILLER, re.I), 0.85),
    (
        re.compile(
            r"\b(?:(?:and|as well as|both) (?:me|myself)|(?:with|we have|by|are) myself)" + _FILLER + r"(?!and\b)",
            re.I,
        ),
        0.8,
    ),
    (re.compile(r"\b(?:hosted|presented) by me" + _FILLER, re.I), 0.85),
    (re.compile(r"\bthe interviewer(?: today| here)? is" + _FILLER, re.I), 0.85),
)
_THIS_IS = re.compile(
    r"(?:^|[.?!,]\s+|\b(?:and|hello|hi|hey|well|so|yes|yeah|okay)\s+)(?P<cue>(?:this is|it's)" + _FILLER + ")", re.I
)
OWN_SHOW = 0.55  #: weight of opening a show that bears a name, which may be a company's: a second sign is needed
_OPENS_A_SHOW = re.compile(r"\b(?:welcome(?: back)? to|(?:you're|you are) listening to)(?: the)?\s+", re.I)
_IS_A_SHOW = re.compile(
    r"\s+(?:podcast|show|experience|hour|program(?:me)?)(?=[.,!]|\s+(?:focus(?:s?ed|ing)|about|where)\b|$)", re.I
)
_GREETING = re.compile(
    r"^(?:(?:hi|hello|hey|yes|yeah|and|well|so|good (?:morning|afternoon|evening)|everyone|everybody|all|folks|there|"
    r"again|welcome back|welcome)[,!.]?\s+)*",
    re.I,
)

_OTHER_CUES: tuple[tuple[re.Pattern[str], float], ...] = tuple(
    (re.compile(cue + r"\s+" + _PRAISE, re.I), weight)
    for cue, weight in (
        (rf"\bjoined{_WHEN} by{_WHEN}", 0.8),
        (rf"\bjoining (?:me|us)(?: (?:on|in|for|from) [^,.!?]{{1,40}},)?{_WHEN}(?: (?:also|too))?"
         rf"(?:,? (?:is|are|will be|we have)|,)", 0.8),
        (
            rf"\b(?:my|our|today's|this week's|tonight's) (?:(?:first|second|third|next|final|"
            rf"last|special|other)\s+)?guests?"
            rf"{_WHEN}(?: is| are| will be|,)?",
            0.8,
        ),
        (rf"\bwith (?:me|us){_WHEN}(?: as always| always)?,? (?:is|are|we have|we've got|i have|i've got)"
         rf"(?: (?:always|also|as always|again))?", 0.8),
        (r"\b(?:i'm|i am|we're|we are|i'll be|we'll be|i will be|we will be|"
         r"to be)(?: \w+){0,3}? (?:speaking|talking|chatting) (?:to|with)", 0.75),
        (rf"\b(?:i'm|i am|we're|we are)(?: sitting| sat| back)? here{_WHEN} with", 0.75),
        (r"\b(?:let me|allow me to|(?:like|want|going|delighted|pleased|happy|"
         r"proud) to) (?:introduce|welcome)(?: you to)?(?: our guest,?)?", 0.75),
        (r"\b(?:please|warm|big) welcome(?: to| for)?", 0.75),
        (r"\b(?:across|beside|next to|opposite|alongside|on my (?:left|right))\b[^.?!]{0,40}? (?:is|sits)", 0.7),
        (r"\b(?:two|three|four|five|six|several|our|my|some)(?: \w+){0,2} "
         r"(?:guests|speakers|panell?ists|people|experts|voices|visitors)(?: \w+){0,3}(?:,|:| are)", 0.7),
        (r"\b(?:hono(?:u)?red|delighted|pleased|thrilled|happy|excited|lucky|glad|privileged) to have", 0.75),
        (r"\b(?:on the line|in the studio|down the line|on the phone)\b[^.?!]{0,40}? (?:i|we)(?:'ve| have)(?: got)?",
         0.75),
        (r"\b(?:say hello to|meet|here to (?:talk|discuss|tell us)[^,.!?]{0,60} is)", 0.5),
        (r"\b(?:i|we) (?:recently |just )?(?:sat down|caught up|spoke|talked|chatted)"
         r"(?: recently| earlier| this (?:week|month|morning|time)| today| for (?:an|this) \w+)? (?:to|with)", 0.65),
        (r"\bplease (?:put your hands together|give it up) for", 0.75),
        (r"(?:^|(?<=[.!?] ))(?:(?:and|also|now|so)\b,? )?(?:here|back|alongside|beside|next to|opposite|across|"
         r"keeping|sitting|standing|joining|over|with|on|in|at)\b[^.?!:;]{0,50}? (?:me|us|studio|line|stage|"
         r"table|chair|desk|company|left|right|middle|end|end of the \w+|side)"
         r"(?: \w+)?,? (?:is|are|sits|stands|we have|we've got|i have|i've got)", 0.7),
        (r"\b(?:lecture|talk|address|speech|session|class|workshop|reading|tour|sermon|keynote)\b[^.?!]{0,30}? "
         r"(?:given|delivered|led|presented|held) by", 0.7),
        (rf"\b(?:we've|i've|we have|i have)(?: also)?(?: got)?{_WHEN}", 0.6),
        (rf"\b(?:we|i)(?: also)? have{_WHEN} with (?:us|me){_WHEN}", 0.75),
        (r"\b(?:on|in) (?:the|today's|this week's|our) (?:show|programme|program|episode|podcast|studio|panel)"
         rf"(?: with (?:us|me))?{_WHEN},? (?:is|are|we have|we've got|i have|i've got)", 0.75),
        (r"\b(?:here is|here's|and now|it's over to|let's (?:hear|go live|go over|go out|cross|speak|talk)"
         r"(?: now)?(?: from| to| with))", 0.6),
        (r"\b(?:first|next|second|third|last|another|our|my|regular|usual|fellow)(?: \w+)? "
         r"(?:caller|speaker|panellist|panelist|interviewee|contributor|co-host|cohost|correspondent|expert)"
         rf"s?{_WHEN}(?:,? (?:is|are|will be)|,)?", 0.75),
        (r"(?<!\bi am )(?<!\bi'm )\b(?:your|our) host(?: is)?,?", 0.75),
        (r"\b(?:our|my|the|your)(?: \w+){0,2} (?:co-?hosts?|panell?ists?|guests)"
         r"(?: today| here)?(?:,| is| are)", 0.7),
        (r"\b(?:the )?(?:first|second|third|other|next|last)(?: one)? (?:of (?:them|whom|those) )?is", 0.5),
        (r"\b(?:first up|next up|up first)(?: is|,)?", 0.7),
        (r"\blast(?:,)? but(?: \w+)? not least,?(?: is| we have| we've got| there's)?", 0.7),
    )
)  # fmt: skip
#: Said by a recorded voice of the programme, of the one who then speaks.
_ANNOUNCED_AS = re.compile(
    r"(?:\b(?:with|hosted by|presented by|introduced by|and now|here is|here's)|\bhosts?(?: is| are)?,?)\s+"
    r"(?:your host,?\s+)?" + _PRAISE,
    re.I,
)
_JOINS = re.compile(
    r",?\s(?:(?:who )?(?:is|are|has been|will be)(?: \w+)? (?:joining|here with|here in the|with) (?:me|us|studio)|"
    r"(?:who )?(?:joins|join) (?:me|us)|(?:who )?has joined (?:me|us)|"
    r"(?:is|are) (?:sitting|filling|standing|stepping) in\b|"
    r"(?:is|are) (?:my|our|today's|this week's) (?:\w+ )?guests?\b|"
    r"(?:is|are) (?:also )?(?:(?:back|here|on the (?:show|line|programme|podcast))\b[ ,]*){1,3}"
    r"(?:too|with us|today|again)?|(?:is|are) also with us)"
    r"(?=[ ,.!?;:…-]|$)",
    re.I,
)
#: Said of somebody who has spoken already.
_AFTERWARDS: tuple[tuple[re.Pattern[str], float], ...] = tuple(
    (re.compile(cue + r"\s+" + _PRAISE, re.I), weight)
    for cue, weight in (
        (r"\b(?:i've|i have|we've|we have|you've|you have) (?:just )?been "
         r"(?:talking|speaking|chatting)(?: today| here)? (?:to|with)", 0.75),
        (r"(?:^|(?<=[.!?] ))(?:so |and |well, )?that was", 0.5),
        (r"\b(?:my|our|a big|many|huge|special|warm) thanks(?: again)? (?:to|go to)"
         r"(?: my guests?,?| our guests?,?)?", 0.6),
        (r"\bthank(?:s| you) to (?:my|our) guests?,?(?: today,?)?", 0.7),
        (r"\b(?:my|our) guests?(?: today| this \w+)? (?:was|were|has been|have been)", 0.7),
    )
)  # fmt: skip
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
    r"why (?:are you not|aren't you) (?:here|with us))\b",
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
    r"(?:was|were|be|is|am|are|'m|'s|'re) (?:just |all )?like|told|tells?|telling|"
    r"wrote|writes?|written|replied|replies|shouted|whispered|calls?|called|named|"
    r"answered|announced|announces|quotes?|"
    r"quoted|imagine|imagined|pretend|pretended|pretending|suppose|dreamed|dreamt|"
    r"signed|insists?|insisted|claims?|claimed|"
    r"sings?|sang|adds|added|heard|screamed|yelled|texted|emailed|introduced|thought,|"
    r"(?:thinks?|thought|believes?|believed|if|unless|whether|wish|say)(?: that)?\s*$)(?!\w)|^like\b",
    re.I,
)

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

_THANKS = re.compile(
    r"(?:^|[.!?,]\s+|\b(?:oh|well|and|yes|no|great|so|okay|right)\s+)(?P<cue>"
    r"(?:thank you|thanks|cheers|many thanks)"
    r"(?:(?: (?:so|very) much)? for [^.,!?]{1,60},\s+|"
    r"(?: (?:so much|very much|so very much|a lot|again|indeed|both))*,?\s+))",
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
    r""
    r"(?:great|good|lovely) to (?:see|have|meet) you(?: here)?)(?: there| again| back| along)?,?\s+)",
    re.I,
)
_OVER_TO = re.compile(
    r"\b(?P<cue>over to you,?\s+|(?:go|come|turn|move|over|hand|start|begin)(?: \w+){0,2}? (?:to|with)(?: you,?)?\s+|"
    r"(?:ask|hear from|bring in)\s+)",
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
_LISTED = re.compile(r"(?:,\s*and\s+|\s+and\s+|,\s+)(?:also\s+|by\s+|with\s+)?" + _PRAISE, re.I)
_LINK = re.compile(
    r"(?:,|\band)\s+(?:and\s+)?(?:also\s+|by\s+|with\s+|last but not least,?\s+|finally,?\s+)?" + _PRAISE, re.I
)
_WELCOME_TO = re.compile(r"\bwelcome(?: back)? to [^.?!]{1,60}?,\s+", re.I)
_AFTER_OVER_TO = re.compile(r"\s*(?:[.,!?–—-]|$)|\s+(?:here|first|now|next|then|again|about|on|for|if|to)\b")
_COMMA = re.compile(r"[,–—]\s+(?P<and>(?:and|so|then)\s+)?")
_ROLL_CALL_LEAD = re.compile(
    r"^(?:(?:hi|hello|hey|yes|yeah|sure|of course|okay|and|so|well|good (?:morning|afternoon|evening)|thank you|"
    r"thanks|everyone|everybody|there|all|it's|this is)[,.!]?\s+)*",
    re.I,
)
_TRADE = re.compile(
    r",\s+(?:and\s+)?(?:(?:i'm|i am) (?:a|an|the|one of|from|with|at|in|on|based|here|new|head|chief|director|"
    r"founder|chair|professor|editor)|"
    r"i (?:work|run|teach|lead|live|write|build|make|represent|research|study|was born))\b",
    re.I,
)
_AFTER_ROLL_CALL = re.compile(r"\s*(?:[,.!–—-]|$)|\s+(?:here|from|in|at|calling|speaking|with|and)\b")
_ASKS_FOR_NAMES = re.compile(
    r"\b(?:introduce (?:yourself|yourselves)|who (?:are you|you are|is this|am i (?:speaking|talking) (?:to|with))|"
    r"(?:say|tell us|give us|state|with) (?:your|their) (?:\w+ )?names?|your (?:full )?name|"
    r"who(?:'s| is) (?:here|on|next|there)\b|(?:go|going) (?:a)?round the (?:table|room|panel)|"
    r"round of introductions|introductions|(?:do|start with|begin with|go through|with) (?:the |our |your )?names)\b",
    re.I,
)
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
    r"\b(?:my|our|his|her|their|your|the|a|an|this|that|\w+'s)\s+(?:[\w-]+\s+){0,3}?([\w-]+),\s+$", re.I
)
#: Words in a list, capitalised like the one between them: none of them is called.
_LISTED_BEHIND = re.compile(r",?\s+(?:and\s+|or\s+)?(?!I\b|I['’])[A-Z]")
_LISTED_BEFORE = re.compile(r"[\w’',-]\s+(?!I['’]?\b)[A-Z][\w’'-]*,\s+(?:and\s+|or\s+)?$")
_ADDRESSED_THANKS = re.compile(r"^,?\s*(?:thank you|thanks|many thanks|cheers)\b", re.I)
_AFTER_ADDRESS = ".,!?…—–;:"
_CLOSE_BEHIND = 45  #: characters behind a cue: the name and "last week"
_FIRST_SENTENCES, _LAST_SENTENCES = 3, 3  #: of a turn: where thanks look back, and where a question hands over
_QUOTE_CHARACTERS = 160  #: of evidence that is a whole sentence


def plain(text: str) -> str:
    """The text with straight apostrophes and plain spaces, character for character, so that offsets stay true."""
    return text.translate({0x2019: "'", 0x2018: "'", 0x00A0: " ", 0x202F: " "})


def find_claims(paragraphs: Sequence[str]) -> tuple[Claim, ...]:
    """Every claim in the paragraphs of one turn. A name that is introduced is not addressed by the same words."""
    claims: list[Claim] = []
    sentences = sentences_of(paragraphs)
    for sentence in sentences:
        own = list(_self_introductions(sentence))
        own_ends = {claim.name.end for claim in own}
        others = (*_introductions(sentence), *_afterwards(sentence))
        claims += [*own, *(claim for claim in others if claim.name.end not in own_ends)]
    told = {(claim.paragraph, claim.name.end) for claim in claims}
    for sentence in sentences:
        if is_from_afar(sentence):
            continue
        addresses = [*_looking_back(sentence), *_greetings(sentence), *_handing_over(sentence)]
        claims += [claim for claim in addresses if (claim.paragraph, claim.name.end) not in told]
    return tuple(claims)


def find_roll_call(paragraphs: Sequence[str]) -> Claim | None:
    """The full name that a turn opens with, as people answer when they are asked who they are: "Hi, Ana Ruiz."

    Only worth something after such a question (`asks_for_names`).
    """
    sentences = sentences_of(paragraphs)
    for sentence in sentences[:_FIRST_SENTENCES]:
        lead = _ROLL_CALL_LEAD.match(sentence.even[sentence.start : sentence.end])
        at = sentence.start + (lead.end() if lead else 0)
        name = name_at(sentence, at)
        after = sentence.even[name.end : sentence.end] if name else ""
        if name is not None and name.is_full and _AFTER_ROLL_CALL.match(after):
            return claim_in(Whom.SELF, sentence, name.start, name.end, name, 0.85 * name.likelihood)
        if not re.fullmatch(r"\W*(?:(?:hi|hello|hey|yes|sure|good \w+|thank you|thanks|everyone|all|there)\W*)+",
                            sentence.even[sentence.start : sentence.end], re.I):  # fmt: skip
            return None
    return None


def find_announced(paragraphs: Sequence[str]) -> tuple[Claim, ...]:
    """Whom a recorded voice of the programme announces: "You're listening to Low Water, with Ana Ruiz." """
    return tuple(
        claim_in(Whom.INTRODUCED, sentence, match.start(), name.end, name, 0.55 * name.likelihood)
        for sentence in sentences_of(paragraphs)
        for match in _ANNOUNCED_AS.finditer(sentence.even, sentence.start, sentence.end)
        for name in [name_at(sentence, match.end())]
        if name is not None and name.is_full and name.likelihood >= FULL_UNKNOWN
    )


def asks_for_names(paragraphs: Sequence[str]) -> bool:
    """Whether the end of a turn asks one or several people to say who they are."""
    return any(
        _ASKS_FOR_NAMES.search(each.even, each.start, each.end) is not None
        for each in sentences_of(paragraphs)[-_LAST_SENTENCES - 1 :]
    )


def receives(text: str) -> bool:
    """Whether a text says to somebody who comes on that they are welcome."""
    return _RECEIVES.search(plain(text)) is not None


def full_names(text: str) -> Iterator[SpokenName]:
    """Every full name that stands in a text, told by its given name or honorific, whoever it belongs to."""
    end = -1
    for match in re.finditer(r"(?<![\w’'-])[^\W\d_a-z][\w’'.-]*", text):
        if match.start() < end:
            continue
        name = read_name(text, match.start())
        if name is not None and name.is_full:
            end = name.end
            yield name


def is_of_oneself(text: str, at: int) -> bool:
    """Whether the name that begins at `at` is one that somebody, quoted or not, gives as their own."""
    even = plain(text)
    return any(match.end() == at for cue, _ in _SELF_CUES for match in cue.finditer(even, max(0, at - 80), at))


def find_slots(paragraphs: Sequence[str]) -> tuple[Slot, ...]:
    """Every place in one turn where a name must stand: the cues of `find_claims`, whatever follows them."""
    slots: list[Slot] = []
    for sentence in sentences_of(paragraphs):
        for whom, cues in ((Whom.SELF, _SELF_CUES), (Whom.INTRODUCED, _OTHER_CUES)):
            for cue, weight in cues:
                for match in cue.finditer(sentence.even, sentence.start, sentence.end):
                    is_of_now = not (
                        is_quoted_there(sentence, match.start())
                        if whom is Whom.SELF
                        else is_of_earlier(sentence, match.end()) or is_absent(sentence, match.end())
                    )
                    if is_of_now and not is_reported(sentence, match.start()):
                        slots.append(Slot(whom, sentence.paragraph, match.start(), match.end(), weight))
    return tuple(slots)


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


def _cues(pattern: re.Pattern[str], sentence: Sentence) -> Iterator[tuple[int, int]]:
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
    is_after_colon = before.rstrip()[-1:] in {":", "«"} and not _OF_US.search(before)
    if _REPORTED.search(before) or is_after_colon:
        return True
    quoted = sentence.text[max(0, at - 2000) : at]  # quotes that are never closed should not silence an hour
    return quoted.count("“") > quoted.count("”") or quoted.count('"') % 2 == 1


# ---------------------------------------------------------------- oneself


def is_quoted_there(sentence: Sentence, at: int) -> bool:
    """Whether a clause that tells of the past leads to what begins at `at`, as to somebody's words."""
    before = _WELCOMED_TO.sub(r"\1 ", sentence.even[max(sentence.start, at - 120) : at])
    return _TOLD_BEFORE.search(before) is not None


def _self_introductions(sentence: Sentence) -> Iterator[Claim]:
    seen: set[int] = set()
    for cue, weight in _SELF_CUES:
        for match in cue.finditer(sentence.even, sentence.start, sentence.end):
            name = name_at(sentence, match.end())
            if name is None or name.start in seen or is_reported(sentence, match.start()):
                continue
            if is_quoted_there(sentence, match.start()):
                continue
            seen.add(name.start)
            yield claim_in(Whom.SELF, sentence, match.start(), name.end, name, weight * name.likelihood)
    yield from _show_of_ones_own(sentence)
    yield from _name_and_trade(sentence)
    yield from _this_is(sentence)
    yield from _name_here(sentence)


def _show_of_ones_own(sentence: Sentence) -> Iterator[Claim]:
    """ "Welcome to the Ada Quill podcast": who opens a show that bears a name mostly bears it, too."""
    for match in _OPENS_A_SHOW.finditer(sentence.even, sentence.start, sentence.end):
        name = name_at(sentence, match.end())
        if name is None or not name.is_full or name.likelihood < FULL_KNOWN or is_reported(sentence, match.start()):
            continue
        behind = _IS_A_SHOW.match(sentence.even, name.end, sentence.end)
        if behind is not None:
            claim = claim_in(Whom.SELF, sentence, match.start(), behind.end(), name, OWN_SHOW)
            yield replace(claim, is_by_show=True)


def _this_is(sentence: Sentence) -> Iterator[Claim]:
    """ "This is Diane in New Jersey": of oneself only where a place, a "here" or the like follows."""
    for begin, end in _cues(_THIS_IS, sentence):
        name = name_at(sentence, end)
        if name is None or name.likelihood <= FIRST_UNKNOWN or is_reported(sentence, begin):
            continue
        after = sentence.even[name.end : sentence.end]
        if re.match(r"\s+(?:here|speaking|calling|reporting|saying|signing off|wishing)\b", after):
            yield claim_in(Whom.SELF, sentence, begin, name.end, name, 0.9 * name.likelihood)
        elif sentence.even[begin:end].casefold().startswith("it's") or name.likelihood < FIRST_KNOWN:
            continue  # "this is Desert Island, with …": a show, not a person
        elif re.match(r"\s+(?:in|from|at|for|on)\b", after):
            yield claim_in(Whom.SELF, sentence, begin, name.end, name, 0.85 * name.likelihood)
        elif re.match(r"[,.!?]|$", after) and not re.match(r",\s*(?:who|my|our|your|the|a|an|he|she|they)\b", after):
            # It may as well be said of a guest, or by an announcer: not enough alone.
            yield claim_in(Whom.SELF, sentence, begin, name.end, name, 0.5 * name.likelihood)


def _name_and_trade(sentence: Sentence) -> Iterator[Claim]:
    """ "Ana Ruiz, I'm a potter.": how people answer when it is their turn to say a name."""
    if sentence.from_start >= _FIRST_SENTENCES:
        return
    lead = _ROLL_CALL_LEAD.match(sentence.even[sentence.start : sentence.end])
    name = name_at(sentence, sentence.start + (lead.end() if lead else 0))
    if name is None or not name.is_full or name.likelihood < FULL_UNKNOWN:
        return
    if _TRADE.match(sentence.even[name.end : sentence.end]):
        yield claim_in(Whom.SELF, sentence, name.start, name.end, name, 0.85 * name.likelihood)


def _name_here(sentence: Sentence) -> Iterator[Claim]:
    """ "Hello, Marta Ruiz here." """
    greeting = _GREETING.match(sentence.even[sentence.start : sentence.end])
    name = name_at(sentence, sentence.start + (greeting.end() if greeting else 0))
    if name is None:
        return
    here = re.match(
        r"\s+(?:here|with you|speaking)(?=[,.!?]|\s+(?:from|in|at|with)\b|$)", sentence.even[name.end : sentence.end]
    )
    is_shown = bool(greeting and greeting.group()) or bool(here and "speaking" in here.group())
    if here and (name.likelihood >= FIRST_KNOWN or (name.is_full and is_shown)):
        yield claim_in(Whom.SELF, sentence, name.start, name.end + here.end(), name, 0.85 * name.likelihood)


# ---------------------------------------------------------------- somebody else, to the audience


def _introductions(sentence: Sentence) -> Iterator[Claim]:
    even, start, end = sentence.even, sentence.start, sentence.end
    factor = 0.35 if _LATER.search(even, start, end) else 1.0
    seen: set[int] = set()
    for cue, weight in _OTHER_CUES:
        for match in cue.finditer(even, start, end):
            if is_reported(sentence, match.start()) or is_of_earlier(sentence, match.end()):
                continue
            if is_absent(sentence, match.end()):
                continue
            named = list(_listed_names(sentence, match.end()))
            for name in named:
                if name.start not in seen:
                    seen.add(name.start)
                    weighted = weight * name.likelihood * factor
                    yield claim_in(Whom.INTRODUCED, sentence, match.start(), name.end, name, weighted)
            for name in _further_names(sentence, named):
                if name.start not in seen:
                    seen.add(name.start)
                    yield claim_in(Whom.INTRODUCED, sentence, name.start, name.end, name, 0.0)
    for match in _JOINS.finditer(even, start, end):
        joining = read_name_before(sentence.text, match.start())
        if joining is None or joining.start < start or joining.start in seen or is_reported(sentence, joining.start):
            continue
        if is_of_earlier(sentence, match.end()):
            continue
        weighted = 0.8 * joining.likelihood * factor
        yield claim_in(Whom.INTRODUCED, sentence, joining.start, match.end(), joining, weighted)


def _further_names(sentence: Sentence, named: Sequence[SpokenName]) -> Iterator[SpokenName]:
    """ "…, who paints, and Jo Lund, a baker": full names that may go on a list; they say whom to expect, no more."""
    if not named:
        return
    for link in _LINK.finditer(sentence.even, named[-1].end, sentence.end):
        name = name_at(sentence, link.end())
        if name is not None and name.is_full and name.likelihood >= FULL_UNKNOWN:
            yield name


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


def _listed_names(sentence: Sentence, at: int) -> Iterator[SpokenName]:
    """ "Ana Ruiz, Tomas Feld and Jo Lund": every name of a list that begins at `at`."""
    name = name_at(sentence, at)
    while name is not None:
        yield name
        link = _LISTED.match(sentence.even, name.end, sentence.end)
        name = name_at(sentence, link.end()) if link else None
        if name is not None and name.likelihood <= FIRST_UNKNOWN:
            return


# ---------------------------------------------------------------- address


def _afterwards(sentence: Sentence) -> Iterator[Claim]:
    """ "I've been talking to Ana Ruiz": of a voice that was heard."""
    for cue, weight in _AFTERWARDS:
        for match in cue.finditer(sentence.even, sentence.start, sentence.end):
            if is_reported(sentence, match.start()):
                continue
            for name in _listed_names(sentence, match.end()):
                if name.is_full and name.likelihood >= FULL_UNKNOWN:
                    yield claim_in(Whom.HEARD, sentence, match.start(), name.end, name, weight * name.likelihood)


def _looking_back(sentence: Sentence) -> Iterator[Claim]:
    """ "Thanks, Tim." in the first sentences of a turn is said to the voice before, later on to the other voice.

    "Long, Tim, very long." in the first sentence answers the voice before, too.
    """
    is_early = sentence.from_start < _FIRST_SENTENCES
    is_guest = bool(_GUEST_THANKS.search(sentence.even, sentence.start, sentence.end + 60))
    seen: set[int] = set()
    for begin, end in _cues(_THANKS, sentence):
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
    if _HANDS_ON.match(whole) and sentence.from_end < _LAST_SENTENCES:
        return False
    return not whole.endswith("?") and not _INVITES.search(whole) and not _TURNS_TO.search(whole)


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
    earlier = re.search(r"([^\W\d_][\w’'-]*),?\s+and\s+$", sentence.text[sentence.start : name.start])
    return bool(earlier and earlier.group(1)[0].isupper() and name_at(sentence, sentence.start + earlier.start(1)))


def _greetings(sentence: Sentence) -> Iterator[Claim]:
    """ "Welcome, Steph." announces who speaks next; "Hello, Tim" may be said to either, and weighs little."""
    for begin, end in _cues(_HELLO, sentence):
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
        if is_welcome or (sentence.from_end < 2 and sentence.from_start > 0):
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


def _handing_over(sentence: Sentence) -> Iterator[Claim]:
    """In the last sentences of a turn: "Tim, what do you think?", "What do you think, Tim?", "Over to you, Tim." """
    if sentence.from_end >= _LAST_SENTENCES:
        return
    whole = sentence.even[sentence.start : sentence.end]
    invites = bool(_INVITES.search(whole))
    is_received = bool(_RECEIVES.search(whole))
    asks = bool(_ASKS.search(whole)) or whole.endswith("?") or is_received
    #: "Thank you, Tim." looks back, and a greeting is judged elsewhere.
    seen = {end for pattern in (_THANKS, _HELLO) for _, end in _cues(pattern, sentence)}
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
    for begin, end in _cues(_OVER_TO, sentence):
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


_TELLS_OF = re.compile(r"[,–—]\s+(?:he|she)\b", re.I)  #: "Mary, she never came" is said of her


def _addressed(sentence: Sentence) -> Iterator[tuple[SpokenName, bool]]:
    """Names that stand as an address in a sentence, and whether the sentence is nothing else ("And Tim.")."""
    whole = sentence.even[sentence.start : sentence.end]
    lead = _LEADS_IN.match(whole)
    first = name_at(sentence, sentence.start + (lead.end() if lead else 0))
    if first is not None:
        rest = sentence.even[first.end : sentence.end]
        if not rest.strip(".?!,… "):
            # A turn that is nothing but a name answers a question, and may be of anybody.
            yield first, sentence.from_start > 0
        elif rest[0] in ",–—" or rest.startswith(" -"):
            if not (first.is_full and _APPOSITION.match(rest)) and not _TELLS_OF.match(rest):
                yield first, False
        elif _opens_question(first, rest):
            yield first, False
    for comma in _COMMA.finditer(whole):
        name = name_at(sentence, sentence.start + comma.end())
        if name is None or (comma["and"] and (name.is_full or name.likelihood < FIRST_KNOWN)):
            continue
        if is_explained(sentence.even[sentence.start : name.start]):
            continue
        rest = sentence.even[name.end : sentence.end]
        if not rest.strip(".?!… ") or (not name.is_full and (rest[0] in ",–—" or _opens_question(name, rest))):
            yield name, False


def is_explained(before: str) -> bool:
    """Whether the words before a name say who that is: "my brother, …", "the writer, …"."""
    found = _EXPLAINED.search(before)
    return found is not None and (found[1].casefold() in _RELATIONS or found[1].casefold().endswith(_TRADE_ENDINGS))


def _opens_question(name: SpokenName, rest: str) -> bool:
    """Whether what follows a name without a comma is said to that person; "Ana Ruiz will be back" and "Ana will." are
    of somebody."""
    if _OPENS_QUESTION.match(rest) is None or not rest.strip(" .!…").count(" "):
        return False
    return not name.is_full or rest.rstrip().endswith("?")


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
