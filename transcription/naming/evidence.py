"""Claims as evidence: that a voice is a person, and what that is worth once it is known who else speaks.

The weights are probabilities set by hand on the cases (docs/names.md): only their order, and which of them reach
`decisions.BELIEVED` alone, matter.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from schemas.transcript import NameMethod
from transcription.addresses import HANDS_ON, receives
from transcription.courtesies import Courtesy, takes_leave, takes_welcome
from transcription.given_names import are_forms_of_one_name
from transcription.names_in_sentences import CALLS, Claim, Whom
from transcription.naming.answers import (
    YOU,
    answer_of,
    calls_first,
    ends_by_asking,
    gave_thanks_before,
    greets,
    introduced_voice,
    takes_up,
)
from transcription.naming.claims import NEW_VOICE_WORDS, Heard, looks_back, voice_of
from transcription.naming.people import Person, calls, is_met, person_of
from transcription.naming.spoken_of import speaks_of_somebody, tells_on, thanks_the_absent
from transcription.naming.talk import Talk
from transcription.spoken_names import FIRST_KNOWN, FIRST_UNKNOWN, is_known_as_a_thing

#: Weight of calling an expected person whom a new voice answers: just believed, easily contradicted.
FIRST_ANSWER = 0.62
REPLY_DOUBT = 0.04  #: less than that for a word that no list knows; still just believed
REPLY = 0.65  #: weight of calling who has just introduced or asked the one who speaks now for the first time
MENTIONS_PER_ADDRESS = 3  #: an unknown word that is a person's name is mostly said to that person
MENTIONS_OF_SOMEBODY = 6  #: whom everybody talks about, and hardly anybody calls, may have a known name, too
UNSURE = 0.6  #: of the weight of an introduction that the next voice does not take up (`naming.answers`)
#: "I talked to Ana Ruiz about it" and "we've got Ana Ruiz for that" are of anybody, unless a voice begins then. What
#: weighs this much ("my guest is …") introduces who was heard before, too: some episodes begin with what comes later.
SURE_CUE = 0.66
NAMED_BY_ITSELF = 0.85  #: weight of "my name is" as a voice begins, whatever word stands behind it
OWN_UNKNOWN = 0.62  #: weight of "I'm Bram." with an unknown word, as a voice begins: just believed
OWN_OPENING = 0.75  #: "Hi, I'm Bram, and this is Low Water" as a talk begins, whatever word stands for the name
OPENING_TURNS = 2  #: before the opening of a show: a guest's words from later, and what leads to it
OPENING_CHARACTERS = 120  #: of a voice's first turn: there it says who it is
#: Weight of calling somebody at the very end of a turn, where a new voice answers, or the only other one.
CALLED_FIRST = 0.62
#: Weight of calling the only other voice beside a courtesy ("welcome", "thanks for having me"), and of thanking it in
#: the last turns: in all 330 such calls of published talk the other voice was meant (`transcription.courtesies`).
RECEIVED = 0.8
THANKED = 0.65
GREETED = 0.65  #: of greeting the only other voice by name in the first turns, which greets by name next to it, too
RECEIVED_OF_MANY = 0.65  #: the same among three voices and more, where only one can be meant: right in 72 of 74 calls
PARTING_TURNS = 6  #: so many last turns, which are not the first too
#: A word that no list knows is a name where it calls somebody in so many turns, half of them in sentences to a "you".
CALLING_TURNS = 2
#: Of the words of a talk, how many are before who was heard in it is introduced. Later on, "we are lucky to have Ada
#: Quill" is of somebody else.
OPENING_PART = 0.25
#: Of the weight of a call between two voices that answers the one before: of 138 such, 41 were, 62 said to the next
#: (published talk, 2026-11-29).
LOOKS_BACK = 0.6
OF_SOMEBODY = 0.4  #: of the weight of a call beside "he" or "she": between two, 15 of 20 were of somebody else
#: A piece of evidence from which a voice has a full name, so that its "Thanks, Adam" is another's.
KNOWN_IN_FULL = 0.6
#: Of the weight of thanks in the first turns by who opens the talk: there 16 of 18 were of a helper ("Thanks, Bram,
#: for the questions").
THANKS_OF_OPENER, OPENER_TURNS = 0.2, 4
IN_FULL = 0.3  #: of the weight of a call by a full name that nobody was introduced by: 9 of 10 only speak of somebody
CALLED_CLEARLY = 0.4  #: a call of less weight is no clear one
TOLD_CHARACTERS = 100  #: before it in which a telling word makes it somebody else's call
END_CHARACTERS = 40  #: at most so much stands behind an address at the very end of a turn
OF_A_TELLING = re.compile(r"\b(?:rang|phoned|called|asked|told|said|wrote|talk about|question from)\b", re.I)
#: What somebody says before giving their name; a line of a play or a story has other words before it.
_OPENS = re.compile(
    r"\W*(?:(?:hi|hello|hey|yes|yeah|sure|of course|well|so|okay|and|thanks?|thank you|good (?:morning|afternoon|"
    r"evening|day)|everyone|everybody|all|there|again|welcome(?: back)?(?: to [^.!?]{1,60})?)(?:\W+|$))*$",
    re.I,
)
#: Behind the name of who opens a show.
_OPENS_THE_SHOW = re.compile(
    r"\s*[,.]?\s*(?:and )?(?:(?:this is|welcome to|you're listening to|you are listening to|you're watching)\b|"
    r"(?:(?:i'm|i am) )?(?:your|the) host\b|(?:my|the|our) co-?host\b|i have(?: \w+)? with me\b|i'm joined\b)",
    re.I,
)
#: Before "I'm Zorbel.": "This is Low Water."
_IS_BEHIND_SHOW = re.compile(
    r"(?:^|[.!] )(?:\w+,? ){0,4}(?:this is|welcome(?: back)? to|you're listening to) [^.!?]{1,80}[.!] (?:and )?$",
    re.I,
)
#: Behind "I'm Zorbel", said as a voice begins: "I'm a potter", "I work for …".
_SAYS_MORE_OF_ITSELF = re.compile(
    r"(?:\s*[,.]|,? and)?\s*(?:and )?(?:(?:i'm|i am|i've been) (?:an?|the|one|your|from|with|at|based|based in)\b|"
    r"i (?:work|live|run|lead|teach|write|build|make|study|research|represent)\b)",
    re.I,
)
#: Loudspeakers are called, and nobody answers who could be named.
_ASSISTANTS = frozenset({"alexa", "siri"})
#: "I'm Exhausted.": how a recognizer may write an answer about oneself.
_IS_A_STATE = re.compile(r"(?:ed|ing|ous|ful|ive|able|ian|gan|ic)$", re.I)
METHOD = {
    Whom.SELF: NameMethod.SELF_INTRODUCTION,
    Whom.INTRODUCED: NameMethod.HOST_INTRODUCTION,
    Whom.NEXT: NameMethod.ADDRESS,
    Whom.PREVIOUS: NameMethod.ADDRESS,
    Whom.OTHER: NameMethod.ADDRESS,
    Whom.HEARD: NameMethod.HOST_INTRODUCTION,
}
_TELLING = frozenset({Whom.SELF, Whom.INTRODUCED, Whom.HEARD})
_WILL_COME = re.compile(r"\b(?:(?:going to|gonna|will|'ll|’ll) (?:\w+ )?be|to be)\b", re.I)


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of evidence that `speaker` is `person` (an index into the people)."""

    speaker: str
    person: int
    weight: float
    method: NameMethod
    quote: str
    turn: int
    paragraph: int
    offset: int
    heard: str


@dataclass(frozen=True, slots=True)
class _Announced:
    """What all the claims together say about whom to expect."""

    by_person: Mapping[str, Sequence[int]]  #: in which turns each person is announced to the audience
    by_run: Mapping[tuple[int, Whom], int]  #: how many people a voice introduces, or speaks of afterwards, on end
    handing_over: frozenset[int]  #: turns that announce or address whoever speaks next
    told: frozenset[int]  #: people who are given, introduced, or named in full before they are called
    own: frozenset[int]  #: turns in which somebody says a name that is surely one to be their own
    counts: Mapping[str, int]  #: claims by the same words
    places: Mapping[str, int]  #: where each name stands in a claim; one place may make several
    received: Mapping[int, int]  #: how many people each turn calls beside a welcome
    introducers: frozenset[tuple[str, str]]  #: which voices introduce whom together with others, and so name no voice
    greeting: frozenset[int]  #: turns that greet somebody by a name that is surely one
    called: frozenset[str]  #: words that no list knows, and that are names by how people are called
    greeted_last: Mapping[int, Claim]  #: whom each turn greets last by name, and the next voice answers


def pieces_of(talk: Talk, people: Sequence[Person], heard: Sequence[Heard]) -> Iterator[Piece]:
    """The claims that are of one of the people and of a voice, each with its weight."""
    announced = _announced(talk, people, heard)
    for each in heard:
        person = person_of(people, each.claim.name.text)
        speaker = introduced_voice(talk, each, voice_of(talk, each))
        if person is None or speaker is None or speaker == talk.turns[each.turn].speaker != _own_voice(talk, each):
            continue
        weight = _weight(talk, announced, each, people, person, speaker)
        if weight > 0:
            yield piece_of(each, speaker, person, weight)


def _announced(talk: Talk, people: Sequence[Person], heard: Sequence[Heard]) -> _Announced:
    by_person: dict[str, list[int]] = defaultdict(list)
    by_run: dict[tuple[int, Whom], set[str]] = defaultdict(set)
    told = {i for i, person in enumerate(people) if person.participant is not None}
    counts = Counter(each.claim.name.text for each in heard)
    for each in heard:
        person = person_of(people, each.claim.name.text)
        name = people[person].full if person is not None else each.claim.name.text
        if person is not None and (each.claim.whom in _TELLING or each.is_called):
            is_unknown = each.claim.name.likelihood <= FIRST_UNKNOWN and each.claim.whom is Whom.INTRODUCED
            if not (is_unknown and _is_rather_a_thing(talk, each.claim.name.text, counts[each.claim.name.text])):
                told.add(person)  # "We have Mocha", which everybody talks about, introduces nobody
        if each.claim.whom in (Whom.INTRODUCED, Whom.HEARD) and not talk.is_title(each.claim.name):
            by_person[name].append(each.turn)
            by_run[talk.run_of(each.turn), each.claim.whom].add(name)
    return _Announced(
        by_person=by_person,
        by_run={key: len(names) for key, names in by_run.items()},
        handing_over=frozenset(each.turn for each in heard if each.claim.whom in (Whom.INTRODUCED, Whom.NEXT)),
        told=frozenset(told),
        own=frozenset(
            each.turn for each in heard if each.claim.whom is Whom.SELF and each.claim.name.likelihood > FIRST_UNKNOWN
        ),
        counts=counts,
        places=Counter(
            name for name, *_ in {(e.claim.name.text, e.turn, e.claim.paragraph, e.claim.name.start) for e in heard}
        ),
        received=Counter(
            turn for turn, _ in {(e.turn, e.claim.name.text) for e in heard if e.claim.courtesy is Courtesy.RECEIVES}
        ),
        introducers=frozenset(
            (str(talk.turns[each.turn].speaker), each.claim.name.text)
            for each in heard
            if each.claim.whom is Whom.INTRODUCED and len(by_run[talk.run_of(each.turn), Whom.INTRODUCED]) > 1
        ),
        greeting=frozenset(
            each.turn
            for each in heard
            if each.claim.courtesy is Courtesy.GREETS and each.claim.name.likelihood >= FIRST_KNOWN
        ),
        called=called_words(talk, heard),
        greeted_last={
            each.turn: each.claim
            for each in sorted(heard, key=lambda each: (each.claim.paragraph, each.claim.offset))
            if each.claim.whom is Whom.NEXT and each.claim.courtesy is Courtesy.GREETS
        },
    )


def called_words(talk: Talk, heard: Sequence[Heard]) -> frozenset[str]:
    """Words that no list knows, called beside a courtesy or in several turns inside a sentence: names of somebody."""
    turns: dict[str, set[int]] = defaultdict(set)
    to_you: dict[str, set[int]] = defaultdict(set)
    courteously: set[str] = set()
    for each in heard:
        claim = each.claim
        name = claim.name.text
        if claim.whom not in CALLS or claim.name.likelihood > FIRST_UNKNOWN or claim.name.is_full:
            continue
        if name not in talk.inner_capitals or name in talk.things or is_known_as_a_thing(name):
            continue
        if claim.courtesy in (Courtesy.RECEIVES, Courtesy.ANSWERS, Courtesy.THANKS):
            courteously.add(name)
        if claim.quote != name and not claim.quote.startswith(f"{name} "):
            turns[name].add(each.turn)
            if YOU.search(claim.sentence):
                to_you[name].add(each.turn)
    return frozenset(
        courteously | {name for name, found in turns.items() if len(found) >= CALLING_TURNS <= 2 * len(to_you[name])}
    )


def _own_voice(talk: Talk, heard: Heard) -> str | None:
    """The voice of the turn, where the claim is about itself."""
    return talk.turns[heard.turn].speaker if heard.claim.whom is Whom.SELF else None


def piece_of(heard: Heard, speaker: str, person: int, weight: float) -> Piece:
    """A claim as evidence; 0.97 is the most that one piece can be worth."""
    claim = heard.claim
    return Piece(
        speaker=speaker,
        person=person,
        weight=min(weight, 0.97),
        method=METHOD[claim.whom],
        quote=claim.quote,
        turn=heard.turn,
        paragraph=claim.paragraph,
        offset=claim.offset,
        heard=heard.said or claim.name.text,
    )


def _weight(
    talk: Talk, announced: _Announced, heard: Heard, people: Sequence[Person], person: int, speaker: str
) -> float:
    """What a claim is worth once it is known who else speaks."""
    claim = heard.claim
    if claim.whom is Whom.SELF:
        weight = _weight_of_own_name(talk, announced, heard)
        if claim.is_by_show and not _may_bear_it(talk, people[person], heard.turn, speaker):
            return 0.0
        return 0.0 if talk.is_title(claim.name) else _with_participant(weight, people[person])
    if speaker in talk.announcers:
        return 0.0
    if claim.whom in (Whom.INTRODUCED, Whom.HEARD):
        return _weight_of_introduction(talk, announced, heard, speaker)
    if any(voice == speaker and calls(people[person], name) for voice, name in announced.introducers):
        return 0.0  # "I'm here with Ada Quill and Bram Oster." "Hello, Ada.": who introduces her is somebody else
    weight = _weight_of_address(talk, announced, heard, person)
    if heard.claim.name.is_full and not heard.said and claim.courtesy is None and person not in announced.told:
        weight *= 1.0 if talk.words_before(speaker, heard.turn) <= NEW_VOICE_WORDS else IN_FULL
    is_called = claim.name.likelihood > FIRST_UNKNOWN or claim.name.text in announced.called
    if weight > 0 and (is_called or person in announced.told):
        weight = max(weight, _received(talk, announced, heard, speaker))
    if weight > 0 and person in announced.told:
        weight = max(weight, _first_answer(talk, announced, heard, people[person], speaker))
    if weight > 0 and claim.name.likelihood >= FIRST_KNOWN:
        weight = max(weight, _called_last(talk, announced, heard, speaker))
    if weight > 0:
        is_surely_a_name = person in announced.told or claim.name.likelihood >= FIRST_KNOWN
        weight = max(weight, _first_reply(talk, announced, heard) - (0.0 if is_surely_a_name else REPLY_DOUBT))
    return weight


def _received(talk: Talk, announced: _Announced, heard: Heard, speaker: str) -> float:
    """What a call is worth beside a courtesy, which is said to somebody who is there."""
    courtesy, turn = heard.claim.courtesy, heard.turn
    if courtesy is None:
        return 0.0
    if courtesy is Courtesy.RECEIVES and (announced.received[turn] > 1 or heard.claim.quote.startswith("And ")):
        return 0.0  # of several who are welcomed nobody knows who answers
    comes_or_leaves = courtesy in (Courtesy.RECEIVES, Courtesy.ANSWERS)
    is_parting = turn >= len(talk.turns) - PARTING_TURNS and turn >= PARTING_TURNS
    answer = answer_of(talk, turn, speaker)
    if courtesy is Courtesy.RECEIVES and not is_parting and not (answer and takes_welcome(answer)):
        return 0.0
    if len(talk.talkers) == 2:
        if comes_or_leaves:
            return RECEIVED
        if courtesy is Courtesy.GREETS and turn <= OPENER_TURNS:
            # "Hello, Ada." – "Hello, Bram, how are you?": both are there.
            is_returned = any(
                i in announced.greeting and talk.turns[i].speaker == speaker for i in (turn - 1, turn + 1)
            )
            return GREETED if is_returned else 0.0
        is_taken = answer is None or takes_leave(answer) or gave_thanks_before(talk, turn, speaker)
        return THANKED if courtesy is Courtesy.THANKS and is_parting and is_taken else 0.0
    if is_parting and not (answer and takes_leave(answer)):
        return 0.0  # a colleague who has spoken before, and speaks on
    is_clear = talk.neighbour(turn, -1) == talk.neighbour(turn, 1) == speaker
    enters = courtesy is Courtesy.RECEIVES and talk.words_before(speaker, turn) <= NEW_VOICE_WORDS
    return RECEIVED_OF_MANY if comes_or_leaves and (is_clear or enters) else 0.0


def _may_bear_it(talk: Talk, person: Person, turn: int, speaker: str) -> bool:
    """Whether who opens a show that bears a name, in the first turns, may bear it too.

    No announcer does, and nobody who says the name again ("Ada is on holiday").
    """
    given = re.compile(rf"\b{re.escape(person.given)}\b")
    said = sum(len(given.findall(text)) for i in talk.turns_of(speaker) for text in talk.texts[i])
    return turn <= OPENING_TURNS and talk.speaks_its_part(speaker) and said == 1


def _weight_of_own_name(talk: Talk, announced: _Announced, heard: Heard) -> float:
    """What a self-introduction is worth. A word that no list knows is a name where only a name can stand.

    That is with the first words of a voice, where nothing follows the word: behind "my name is", and behind an "I'm"
    where another voice says its name right before or after. "I'm Arsenal." alone is no name, and "My name is Mud in
    this town." later on tells none.
    """
    claim = heard.claim
    if claim.name.likelihood > FIRST_UNKNOWN:
        return claim.weight
    after = talk.texts[heard.turn][claim.paragraph][claim.name.end :].replace("’", "'")
    begins = claim.paragraph == 0 and claim.offset < OPENING_CHARACTERS
    if not begins or talk.turns_of(str(talk.turns[heard.turn].speaker))[:1] != [heard.turn]:
        return claim.weight
    greets_only = _OPENS.match(talk.texts[heard.turn][0][: claim.offset].replace("’", "'"))
    said_before = talk.texts[heard.turn][0][: claim.offset].replace("’", "'")
    goes_on = _OPENS_THE_SHOW.match(after)
    is_behind_show = _IS_BEHIND_SHOW.search(said_before) and (goes_on or re.match(r"\s*[.!]", after))
    if heard.turn == 0 and ((greets_only and goes_on) or is_behind_show) and not _IS_A_STATE.search(claim.name.text):
        return max(claim.weight, OWN_OPENING)  # whatever else is called so: "the Bram and Wilma Show"
    if claim.name.text in talk.things:
        return claim.weight
    if re.match(r"my (?:full )?name", claim.quote, re.I):
        is_name = greets_only and re.match(r"\s*(?:[.,!]|and\b|$)", after)
        return max(claim.weight, NAMED_BY_ITSELF) if is_name else claim.weight
    if greets_only and _SAYS_MORE_OF_ITSELF.match(after) and not _IS_A_STATE.search(claim.name.text):
        return max(claim.weight, NAMED_BY_ITSELF)
    is_in_company = bool({heard.turn - 1, heard.turn + 1} & announced.own)
    if is_in_company and re.match(r"\s*(?:[.!]|$)", after) and not _IS_A_STATE.search(claim.name.text):
        return max(claim.weight, OWN_UNKNOWN)
    return claim.weight


def _weight_of_address(talk: Talk, announced: _Announced, heard: Heard, person: int) -> float:
    """What calling somebody is worth by the name alone, which may be no name at all."""
    weight = _weight_of_call(talk, announced, heard, person)
    is_opening = heard.turn <= OPENER_TURNS and talk.share_before(heard.turn) <= OPENING_PART
    if (
        is_opening
        and talk.turns[heard.turn].speaker == talk.turns[0].speaker
        and heard.claim.courtesy is Courtesy.THANKS
        and not _answers_at_once(talk, heard)
    ):
        weight *= THANKS_OF_OPENER
    if looks_back(talk, heard):
        weight *= LOOKS_BACK
    is_of_somebody = speaks_of_somebody(heard.claim) or thanks_the_absent(talk, heard)
    return weight * OF_SOMEBODY if is_of_somebody else weight


def _answers_at_once(talk: Talk, heard: Heard) -> bool:
    """Whether thanks stand at the very beginning of a turn, behind a voice that has said something."""
    before = talk.neighbour(heard.turn, -1)
    is_first = heard.claim.paragraph == 0 and heard.claim.offset < len("Oh, well, ")
    return is_first and before is not None and talk.words_before(before, heard.turn) > NEW_VOICE_WORDS


def _weight_of_call(talk: Talk, announced: _Announced, heard: Heard, person: int) -> float:
    claim, count = heard.claim, announced.counts[heard.claim.name.text]
    if claim.name.text.casefold() in _ASSISTANTS:
        return 0.0
    if claim.name.likelihood >= FIRST_KNOWN:
        is_talked_about = talk.mentions[claim.name.text] > MENTIONS_OF_SOMEBODY * announced.places[claim.name.text]
        if is_talked_about and person not in announced.told and claim.courtesy is None:
            return claim.weight * OF_SOMEBODY
        is_between_two = claim.whom in (Whom.PREVIOUS, Whom.OTHER) and len(talk.talkers) == 2
        return min(claim.weight * 1.1, 0.75) if is_between_two else claim.weight
    if person in announced.told:
        return min(claim.weight * 2, 0.7)  # it was halved because of the doubt
    if claim.name.text in announced.called:
        return min(claim.weight * 2, 0.7)
    if _is_rather_a_thing(talk, claim.name.text, count) or claim.sentence.strip(" .?!…") == claim.name.text:
        return 0.0  # "Zorbel." alone may be a word for joy
    if claim.name.text not in talk.inner_capitals:
        return 0.0  # "Gotcha." and "Different, I'm afraid." have their capital from the sentence alone
    return claim.weight * (1.7 if claim.whom is Whom.NEXT or count > 1 else 1.0)


def _is_rather_a_thing(talk: Talk, word: str, calls: int) -> bool:
    """Whether a word is used as a thing's: whom nobody introduces and everybody talks about is one."""
    return word in talk.things or talk.mentions[word] > MENTIONS_PER_ADDRESS * calls


def _weight_of_introduction(talk: Talk, announced: _Announced, heard: Heard, speaker: str) -> float:
    """An introduction to the audience names the voice that speaks next, if that was not heard before.

    Where only two talk, it names the other one at any time.
    """
    claim = heard.claim
    is_one_of_many = announced.by_run.get((talk.run_of(heard.turn), claim.whom), 0) > 1
    if claim.weight == 0.0 or is_one_of_many or talk.is_title(claim.name):
        return 0.0  # nobody knows which of them speaks first
    if claim.whom is Whom.INTRODUCED and tells_on(talk, heard):
        return 0.0
    if claim.whom is Whom.INTRODUCED and calls_first(talk, heard, speaker):
        return 0.0  # a second host: "Hi, Ada, how did you begin?"
    if _is_passed_over(announced.greeted_last.get(heard.turn), claim):
        return 0.0  # "My guest is Ada Quill. But first … Hello, Bram, how are you?"
    was_heard = talk.words_before(speaker, heard.turn) > NEW_VOICE_WORDS
    is_late = was_heard and claim.whom is Whom.INTRODUCED and talk.share_before(heard.turn) > OPENING_PART
    if len(talk.talkers) == 2 and not (was_heard and claim.weight < SURE_CUE) and not is_late:
        return claim.weight
    if claim.whom is Whom.HEARD:
        return claim.weight * UNSURE
    if was_heard or _WILL_COME.search(claim.quote):
        return claim.weight * 0.4
    return claim.weight if takes_up(talk, heard, speaker) else claim.weight * UNSURE


def _is_passed_over(greeted: Claim | None, introduced: Claim) -> bool:
    """Whether somebody else is greeted behind an introduction, in the same turn, and answers."""
    if greeted is None or introduced.whom is not Whom.INTRODUCED:
        return False
    is_behind = (greeted.paragraph, greeted.offset) > (introduced.paragraph, introduced.offset)
    return is_behind and not are_forms_of_one_name(greeted.name.words[0], introduced.name.words[0])


def _first_answer(talk: Talk, announced: _Announced, heard: Heard, person: Person, speaker: str) -> float:
    """An expected person is called, and a voice that was not heard before answers: believed by itself.

    Expected are the participants, and who was introduced in full, in the same turn or before.
    """
    if heard.claim.whom is not Whom.NEXT:
        return 0.0
    is_announced = heard.is_called or min(announced.by_person.get(person.full, [heard.turn + 1])) <= heard.turn
    if person.participant is None and not is_announced:
        return 0.0
    return FIRST_ANSWER if talk.words_before(speaker, heard.turn) <= NEW_VOICE_WORDS else 0.0


def _called_last(talk: Talk, announced: _Announced, heard: Heard, speaker: str) -> float:
    """Somebody is called by a known name at the very end of a turn, and hardly anybody else can be meant.

    Not where a call is told of ("we rang the bank. Hello, Karen"), nor by a name that is talked about as well.
    """
    claim, texts = heard.claim, talk.texts[heard.turn]
    if _is_asked_after_a_greeting(talk, heard, speaker):
        return CALLED_FIRST
    behind = texts[claim.paragraph][claim.offset + len(claim.quote) :]
    is_last = claim.paragraph == len(texts) - 1 and len(behind.strip()) <= END_CHARACTERS
    if claim.whom is not Whom.NEXT or claim.name.is_full or not is_last or claim.weight < CALLED_CLEARLY:
        return 0.0
    is_handed_on = HANDS_ON.search(claim.quote) is not None
    if not (is_handed_on or claim.quote.rstrip().endswith("?") or YOU.search(claim.quote)):
        return 0.0  # "Let's have faith, Nathan." may be read from a book
    if claim.courtesy is Courtesy.RECEIVES and claim.quote.startswith("And "):
        return 0.0  # "Ana, welcome. And Tom, it's good to have you.": who knows who answers
    said_before = texts[claim.paragraph][: claim.offset][-TOLD_CHARACTERS:]
    is_spoken_of = talk.mentions[claim.name.text] > announced.counts[claim.name.text]
    if OF_A_TELLING.search(said_before) or (is_spoken_of and not is_handed_on):
        return 0.0
    is_alone_with_it = len(talk.talkers) == 2
    is_new = talk.words_before(speaker, heard.turn) <= NEW_VOICE_WORDS
    if is_new and (is_alone_with_it or is_handed_on or greets(talk, heard.turn, speaker)):
        return CALLED_FIRST
    is_bare = claim.quote.strip(" .?!…") == claim.name.text  # "Toby?" in the middle of talk may be of anybody
    return CALLED_FIRST if is_alone_with_it and not is_bare else 0.0


def _is_asked_after_a_greeting(talk: Talk, heard: Heard, speaker: str) -> bool:
    """ "Hello, Ana, head of the ropes. How long would you make one?": greeted, asked, and answered by a new voice."""
    claim = heard.claim
    is_greeted = claim.whom is Whom.NEXT and claim.courtesy is Courtesy.GREETS and not claim.name.is_full
    is_new = talk.turns_of(speaker)[0] == heard.turn + 1
    is_told = OF_A_TELLING.search(talk.texts[heard.turn][claim.paragraph][: claim.offset][-TOLD_CHARACTERS:])
    return is_greeted and is_new and not is_told and ends_by_asking(talk, heard.turn)


def _first_reply(talk: Talk, announced: _Announced, heard: Heard) -> float:
    """Who has just been introduced or asked calls, with the first words, the one who did it."""
    voice = talk.turns[heard.turn].speaker
    if heard.claim.whom is not Whom.PREVIOUS or voice is None or talk.turns_of(voice)[0] != heard.turn:
        return 0.0
    if talk.texts[heard.turn][0].strip(" .!?…") == heard.claim.name.text:
        return 0.0  # "How do you say your name?" "Quill."
    return REPLY if heard.turn - 1 in announced.handing_over else 0.0


def _with_participant(weight: float, person: Person) -> float:
    """A word that the list of participants knows as a name is one: "I'm Grace"."""
    return max(weight, 0.85) if person.participant is not None else weight


def without_namesakes(
    talk: Talk, people: list[Person], heard: Sequence[Heard], pieces: Sequence[Piece]
) -> list[Piece]:
    """Pieces by given name alone, moved to a person of that name where they cannot be the one known in full.

    A guest Adam Ivory who says "Thanks, Adam" calls another Adam; and who says "Adam Ivory." of somebody whom nobody
    introduces, and is called Adam, is another one. Adds that other to `people`.
    """
    own: dict[int, set[str]] = defaultdict(set)
    for piece in pieces:
        if " " in piece.heard and " " in people[piece.person].full and piece.weight >= KNOWN_IN_FULL:
            own[piece.person].add(piece.speaker)
    told: dict[str, set[str | None]] = defaultdict(set)
    for each in heard:
        told[each.claim.name.text].add(talk.turns[each.turn].speaker)
    told = {name: voices for name, voices in told.items() if " " in name and not is_met(heard, name)}
    moved: list[Piece] = []
    for piece in pieces:
        teller = talk.turns[piece.turn].speaker
        is_namesake = (
            " " not in piece.heard
            and piece.method is NameMethod.ADDRESS
            and people[piece.person].participant is None
            and own[piece.person] == {teller}
        )
        if is_namesake and receives(piece.quote):
            continue  # "Thanks for coming on, Adam": a host's words that were given to the guest
        full = people[piece.person]
        tells_itself = (
            full.participant is None and " " not in piece.heard and piece.speaker in told.get(full.full, ())
        )
        if is_namesake or tells_itself:
            namesake = Person(piece.heard)
            if namesake not in people:
                people.append(namesake)
            piece = replace(piece, person=people.index(namesake))
        moved.append(piece)
    return moved
