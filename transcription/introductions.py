"""Where a turn says who somebody is: introductions of oneself and of others, and names said when they are asked for.

Closed patterns over the text of one turn. A pattern says *whom* the name would be of (the one who speaks, somebody
who is announced, somebody who was heard); who that is in the episode, and whether it is believed, is decided in
`transcription.naming`. `find_claims` joins them with the people who are called (`transcription.addresses`).

Weights are probabilities set by hand: only their order, and which of them reach `naming.decisions.BELIEVED` alone,
matter. The cases that fix them are the table in tests/transcription/test_naming.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from transcription.addresses import greetings, handing_over, looking_back
from transcription.names_in_sentences import (
    FIRST_SENTENCES,
    LAST_SENTENCES,
    Claim,
    Sentence,
    Slot,
    Whom,
    claim_in,
    cues_in,
    is_absent,
    is_from_afar,
    is_of_earlier,
    is_of_later,
    is_quoted_there,
    is_reported,
    name_at,
    plain,
    sentences_of,
)
from transcription.spoken_names import (
    FIRST_KNOWN,
    FIRST_UNKNOWN,
    FULL_KNOWN,
    FULL_UNKNOWN,
    SpokenName,
    read_name,
    read_name_before,
)

_FILLER = r"(?:,?\s+(?:uh|um|er|erm|actually|just|still|simply|always|so)\b,?)*,?\s+"
_PRAISE = (
    r"(?:(?:the|our|a|my|your)\s+)?(?:(?:very|own|one and only|fabulous|wonderful|"
    r"brilliant|lovely|delightful|amazing|great|"
    r"legendary|incredible|excellent|talented|fantastic|good|dear|old|friend|colleague|guest|co-host|and)[\s,]+)*"
    r"(?:(?:which|who) is\s+)?"
)
_WHEN = (
    r"(?:[\s,]+(?:today|tonight|now|here|again|also|once again|this (?:week|morning|afternoon|evening|time)|"
    r"right now|in (?:the|our|my) (?:[\w-]+ )?(?:studio|room)|on the (?:line|show|phone|"
    r"programme|podcast)|remotely|as always|as ever))*,?"
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
            r"\b(?:(?<!\byou )(?:and|as well as|both) (?:me|myself)|(?:with|we have|by|are) myself)"
            + _FILLER
            + r"(?!and\b)",
            re.I,
        ),
        0.8,
    ),
    (re.compile(r"\b(?:hosted|presented) by me" + _FILLER, re.I), 0.85),
    (re.compile(r"\bthe interviewer(?: today| here)? is" + _FILLER, re.I), 0.85),
)
#: What somebody is called by in words put to them: "If you ask me, 'Hey, Ana, can you write this?'"
_CALLED_BY_OTHERS = re.compile(
    r"\b(?:ask|asks|asked|asking|tell|tells|told|call|calls|called|text|texts|texted|email|emails|emailed) me"
    r"(?: and (?:say|says|said|ask|asks|asked)| like)?[,:]?\s+[\"“'‘]"
    r"(?:(?:hey|hi|hello|oh|well|so|yo|okay)\b[,!]?\s+)?",
    re.I,
)
_THIS_IS = re.compile(
    r"(?:^|[.?!,]\s+|\b(?:and|hello|hi|hey|well|so|yes|yeah|okay)\s+)(?P<cue>(?:this is|it's)" + _FILLER + ")", re.I
)
#: Behind "This is Ana Ruiz": "I'm a potter."
_SAYS_WHAT_IT_IS = re.compile(r"[,.!]\s+(?:and )?(?:i'm|i am) (?:an?|the|your|one|with|from|at)\b", re.I)
_IS_THE_HOST = re.compile(
    r",?\s+(?:one of )?(?:your|the) (?:[\w-]+ ){0,2}?(?:co-?)?(?:hosts?|presenters?|moderator)\b", re.I
)
_LEADS_IN = re.compile(r"(?:(?:so|and|now|well|okay|all right|alright|great|hi|hello|hey)[,.]?\s+)*", re.I)
_RECEIVED_TOGETHER = re.compile(
    r",?\s+(?:welcome\b|(?:thanks|thank you)(?: both| all| so much| very much| guys)* for (?:joining|coming|being)\b|"
    r"(?:great|good|lovely|nice|wonderful) to have you\b)",
    re.I,
)
A_GUEST = 0.8  #: how likely a word that no list knows is a name behind "our guest is", where only a name can stand
_OF_A_GUEST = re.compile(r"\bguest\b|\bhere\b[^.?!]* with\b|\bjoined\b[^.?!]* by\b", re.I)
_STANDS_ALONE = re.compile(r"\s*(?:[.,!?]|$)|\s+(?:who|whose|from|again)\b")
OWN_SHOW = 0.55  #: weight of opening a show that bears a name, which may be a company's: a second sign is needed
_OPENS_A_SHOW = re.compile(r"\b(?:welcome(?: back)? to|(?:you're|you are) listening to|this is)(?: the)?\s+", re.I)
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
        (rf"\bjoining (?:me|us)(?:,? (?:on|in|for|from) [^,.!?]{{1,40}},){{0,3}}{_WHEN}(?: (?:also|too))?"
         rf"(?:,? (?:is|are|will be|we have)|,)?", 0.8),
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
        (r"\b(?:following is|this is|here is|here's|bring you|presenting) (?:a|my|our) (?:\w+ )?"
         r"(?:conversation|interview|discussion|chat) with", 0.75),
        (rf"\b(?:i'm|i am|we're|we are|and i are)(?: sitting| sat| standing| back| live)? here{_WHEN} with", 0.75),
        (rf"\b(?:i'm|i am|we're|we are)(?: back| live)? here{_WHEN} with (?:the|our|one of (?:our|the))"
         r"(?: [a-z-]+){1,4},", 0.75),
        (rf"\b(?:a|our|my|this) (?:(?:very|really|truly) )?special guest{_WHEN}(?: is|,| [–—-])?", 0.8),
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
        (rf"\b(?:we've|i've|we have|i have|(?:we|i) also have)(?: also)?(?: got)?{_WHEN}", 0.6),
        (rf"\b(?:we|i)(?: also)? have{_WHEN}(?: together)? with (?:us|me){_WHEN}", 0.75),
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
_LISTED = re.compile(r"(?:,\s*and\s+|\s+and\s+|,\s+)(?:also\s+|by\s+|with\s+)?" + _PRAISE, re.I)
_LINK = re.compile(
    r"(?:,|\band)\s+(?:and\s+)?(?:also\s+|by\s+|with\s+|last but not least,?\s+|finally,?\s+)?" + _PRAISE, re.I
)
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
        addresses = [*looking_back(sentence), *greetings(sentence), *handing_over(sentence)]
        claims += [claim for claim in addresses if (claim.paragraph, claim.name.end) not in told]
    return tuple(claims)


def find_roll_call(paragraphs: Sequence[str]) -> Claim | None:
    """The full name that a turn opens with, as people answer when they are asked who they are: "Hi, Ana Ruiz."

    Only worth something after such a question (`asks_for_names`).
    """
    sentences = sentences_of(paragraphs)
    for sentence in sentences[:FIRST_SENTENCES]:
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
        for each in sentences_of(paragraphs)[-LAST_SENTENCES - 1 :]
    )


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


# ---------------------------------------------------------------- oneself


def _self_introductions(sentence: Sentence) -> Iterator[Claim]:
    seen: set[int] = set()
    for cue, weight in _SELF_CUES:
        for match in cue.finditer(sentence.even, sentence.start, sentence.end):
            name = name_at(sentence, match.end())
            if name is None or name.start in seen or is_reported(sentence, match.start()):
                continue
            if is_quoted_there(sentence, match.start()) or _is_one_of_the_makers(sentence, match, name):
                continue
            seen.add(name.start)
            yield claim_in(Whom.SELF, sentence, match.start(), name.end, name, weight * name.likelihood)
    yield from _called_by_others(sentence)
    yield from _show_of_ones_own(sentence)
    yield from _name_and_trade(sentence)
    yield from _this_is(sentence)
    yield from _name_here(sentence)


def _is_one_of_the_makers(sentence: Sentence, cue: re.Match[str], name: SpokenName) -> bool:
    """ "It was edited by myself, Bo Lund, and Ana Ruiz": the first of those beside whoever speaks."""
    return (
        cue.group().casefold().startswith("by ") and _LISTED.match(sentence.even, name.end, sentence.end) is not None
    )


def _called_by_others(sentence: Sentence) -> Iterator[Claim]:
    """ "They asked me, 'Ana, can you write this?'": whose words are quoted knows who speaks here."""
    for match in _CALLED_BY_OTHERS.finditer(sentence.even, sentence.start, sentence.end):
        if is_reported(sentence, match.start()):
            continue
        name = name_at(sentence, match.end())
        if (
            name is not None
            and name.likelihood >= FIRST_KNOWN
            and sentence.even[name.end : name.end + 1] in (",", "!", "?")
        ):
            yield claim_in(Whom.SELF, sentence, match.start(), name.end, name, 0.7 * name.likelihood)


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
    for begin, end in cues_in(_THIS_IS, sentence):
        name = name_at(sentence, end)
        if name is None or name.likelihood <= FIRST_UNKNOWN or is_reported(sentence, begin):
            continue
        after, behind = sentence.even[name.end : sentence.end], sentence.even[name.end : name.end + 30]
        if re.match(r"\s+(?:here|speaking|calling|reporting|saying|signing off|wishing)\b", after):
            yield claim_in(Whom.SELF, sentence, begin, name.end, name, 0.9 * name.likelihood)
        elif (
            sentence.from_start < FIRST_SENTENCES
            and name.likelihood >= FIRST_KNOWN
            and _SAYS_WHAT_IT_IS.match(behind)
        ):
            yield claim_in(Whom.SELF, sentence, begin, name.end, name, 0.85 * name.likelihood)
        elif sentence.even[begin:end].casefold().startswith("it's") or name.likelihood < FIRST_KNOWN:
            continue  # "this is Desert Island, with …": a show, not a person
        elif _IS_THE_HOST.match(after) or re.match(r"\s+(?:in|from|at|for|on)\b", after):
            yield claim_in(Whom.SELF, sentence, begin, name.end, name, 0.85 * name.likelihood)
        elif re.match(r"[,.!?]|$", after) and not re.match(r",\s*(?:who|my|our|your|the|a|an|he|she|they)\b", after):
            # It may as well be said of a guest, or by an announcer: not enough alone.
            yield claim_in(Whom.SELF, sentence, begin, name.end, name, 0.5 * name.likelihood)


def _name_and_trade(sentence: Sentence) -> Iterator[Claim]:
    """ "Ana Ruiz, I'm a potter.": how people answer when it is their turn to say a name."""
    if sentence.from_start >= FIRST_SENTENCES:
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
    factor = 0.35 if is_of_later(sentence) else 1.0
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
                    weighted = weight * max(name.likelihood, _of_a_guest(sentence, match, name)) * factor
                    yield claim_in(Whom.INTRODUCED, sentence, match.start(), name.end, name, weighted)
            for name in _further_names(sentence, named):
                if name.start not in seen:
                    seen.add(name.start)
                    yield claim_in(Whom.INTRODUCED, sentence, name.start, name.end, name, 0.0)
    for name in _welcomed_together(sentence):
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


def _of_a_guest(sentence: Sentence, cue: re.Match[str], name: SpokenName) -> float:
    """How likely an unknown word is a name where it stands alone behind "our guest is" or "I'm here with"."""
    is_alone = _STANDS_ALONE.match(sentence.even, name.end, sentence.end) is not None
    is_word = len(name.words) == 1 and name.likelihood == FIRST_UNKNOWN
    return A_GUEST if is_word and is_alone and _OF_A_GUEST.search(cue.group()) else 0.0


def _welcomed_together(sentence: Sentence) -> Iterator[SpokenName]:
    """ "Ana and Zorbel, welcome to the show": each of them may be expected, and nobody knows who answers."""
    lead = _LEADS_IN.match(sentence.even, sentence.start, sentence.end)
    named = list(_all_listed(sentence, lead.end() if lead else sentence.start))
    if len(named) > 1 and _RECEIVED_TOGETHER.match(sentence.even, named[-1].end, sentence.end):
        yield from named


def _all_listed(sentence: Sentence, at: int) -> Iterator[SpokenName]:
    """Every name of a list that begins at `at`, words that no list knows among them."""
    name = name_at(sentence, at)
    while name is not None:
        yield name
        link = _LISTED.match(sentence.even, name.end, sentence.end)
        name = name_at(sentence, link.end()) if link else None


def _further_names(sentence: Sentence, named: Sequence[SpokenName]) -> Iterator[SpokenName]:
    """ "…, who paints, and Jo Lund, a baker": full names that may go on a list; they say whom to expect, no more."""
    if not named:
        return
    for link in _LINK.finditer(sentence.even, named[-1].end, sentence.end):
        name = name_at(sentence, link.end())
        if name is not None and name.is_full and name.likelihood >= FULL_UNKNOWN:
            yield name


def _listed_names(sentence: Sentence, at: int) -> Iterator[SpokenName]:
    """ "Ana Ruiz, Tomas Feld and Jo Lund": every name of a list that begins at `at`."""
    name = name_at(sentence, at)
    while name is not None:
        yield name
        link = _LISTED.match(sentence.even, name.end, sentence.end)
        name = name_at(sentence, link.end()) if link else None
        if name is not None and name.likelihood <= FIRST_UNKNOWN:
            return


def _afterwards(sentence: Sentence) -> Iterator[Claim]:
    """ "I've been talking to Ana Ruiz": of a voice that was heard."""
    for cue, weight in _AFTERWARDS:
        for match in cue.finditer(sentence.even, sentence.start, sentence.end):
            if is_reported(sentence, match.start()):
                continue
            for name in _listed_names(sentence, match.end()):
                if name.is_full and name.likelihood >= FULL_UNKNOWN:
                    yield claim_in(Whom.HEARD, sentence, match.start(), name.end, name, weight * name.likelihood)
