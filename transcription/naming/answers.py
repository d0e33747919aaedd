"""How voices take what is said to them: who answers an introduction, and whether as the one it is of would.

What `naming.evidence` weighs introductions and calls by.
"""

from __future__ import annotations

import re

from transcription.addresses import receives
from transcription.courtesies import takes_leave
from transcription.names_in_sentences import Whom, sentences_of
from transcription.naming.claims import Heard
from transcription.naming.talk import Talk

ANSWER_WORDS = 8  #: who answers an introduction with less, and without a greeting, may be somebody else
REPLY_WORDS = 3  #: the same where the introduction ends with a question to a "you"
SOON_CHARACTERS = 250  #: behind an introduction, within which a question is to who was introduced
LAST_WORDS = 40  #: of a turn, in which thanks are looked for that the next turn returns
TAKING_WORDS = 12  #: so many first words in which who is welcomed or thanked takes it
YOU = re.compile(r"\b(?:you|your|yours|yourself)\b", re.I)
_GIVES_THANKS = re.compile(r"\b(?:thanks?|having me|inviting me|to be here|pleasure)\b", re.I)
_OF_ITSELF = re.compile(r"\W*(?:\w+\W+){0,2}?(?:i|i'm|i've|i'd|my)\b", re.I)
_GREETS = re.compile(
    r"^\W*(?:oh,? |well,? |and )?(?:hi|hello|hey|hiya|yo|howdy|thank|thanks|good|great|glad|happy|lovely|nice|"
    r"delighted|"
    r"it's (?:a|good|great|nice|lovely|wonderful)|my pleasure|pleasure|cheers|welcome|greetings|yes|what's up|"
    r"(?:(?:yes|yep|yeah|yup)\W+)?(?:(?:that's|that is|that would be|it's) me|here i am|i'm here|i am here))\b",
    re.I,
)


def introduced_voice(talk: Talk, heard: Heard, voice: str | None) -> str | None:
    """The voice that a claim is about; of an introduction that a second host joins in, the new one that answers both.

    "With us is Bram Oster. Hello, Bram." – "Hi, Bram." – "Hello, both of you."
    """
    joins = heard.turn + 1
    if heard.claim.whom is not Whom.INTRODUCED or joins >= len(talk.turns):
        return voice
    second, third = talk.turns[joins].speaker, talk.neighbour(joins, 1)
    if second is None or second == talk.turns[heard.turn].speaker or not calls_first(talk, heard, second):
        return voice
    is_new = third is not None and talk.turns_of(third)[0] > heard.turn
    return third if is_new and third != second else voice


def calls_first(talk: Talk, heard: Heard, voice: str) -> bool:
    """Whether a voice's next turn begins by calling the person who was introduced, as a second host does.

    A guest who gives thanks by that name has the host for a namesake.
    """
    answer = answer_of(talk, heard.turn, voice)
    if answer is None or _GIVES_THANKS.search(answer):
        return False
    given = re.escape(heard.claim.name.words[0])
    return re.search(rf"(?:^|[,.!] ?|\b(?:so|hi|hello|hey|welcome) ){given}\b[,.!]", answer, re.I) is not None


def takes_up(talk: Talk, heard: Heard, voice: str) -> bool:
    """Whether a voice's next turn answers an introduction: with a greeting, with thanks, or at some length."""
    turn = heard.turn
    following = _next_turn(talk, turn, voice)
    is_long = following is not None and talk.word_counts[following] >= ANSWER_WORDS
    is_asked = following == turn + 1 and talk.word_counts[following] >= REPLY_WORDS and _is_asked_next(talk, heard)
    is_told = following == turn + 1 and _is_told_of_itself(talk, turn)
    return is_long or is_asked or is_told or greets(talk, turn, voice) or _is_received_next(talk, turn, voice)


def _is_told_of_itself(talk: Talk, turn: int) -> bool:
    """Whether a turn ends with something about a "you", and the next begins with an "I": "You mend nets." "I do." """
    last = sentences_of(talk.texts[turn])[-1:]
    reply = " ".join(talk.texts[turn + 1]).replace("’", "'")
    return any(YOU.search(e.even, e.start, e.end) for e in last) and _OF_ITSELF.match(reply) is not None


def _is_received_next(talk: Talk, turn: int, voice: str) -> bool:
    """Whether a voice that says next to nothing is welcomed then: "I am here with Ada Quill." "Yeah." "Welcome." """
    goes_on = turn + 2
    is_between = goes_on < len(talk.turns) and talk.turns[turn + 1].speaker == voice
    if not is_between or talk.turns[goes_on].speaker != talk.turns[turn].speaker:
        return False
    first = sentences_of(talk.texts[goes_on])[:1]
    return any(receives(each.even[each.start : each.end]) for each in first)


def _is_asked_next(talk: Talk, heard: Heard) -> bool:
    """Whether who is introduced is asked something soon, as the turn ends."""
    claim, texts = heard.claim, talk.texts[heard.turn]
    behind = len(texts[claim.paragraph]) - claim.offset - len(claim.quote)
    behind += sum(map(len, texts[claim.paragraph + 1 :]))
    return behind <= SOON_CHARACTERS and ends_by_asking(talk, heard.turn)


def ends_by_asking(talk: Talk, turn: int) -> bool:
    """Whether a turn ends with a question to a "you"."""
    last = sentences_of(talk.texts[turn])[-1:]
    return any(said.rstrip().endswith("?") and YOU.search(said) for said in (e.even[e.start : e.end] for e in last))


def greets(talk: Talk, turn: int, voice: str) -> bool:
    """Whether a voice's next turn begins with a greeting or thanks."""
    following = _next_turn(talk, turn, voice)
    return following is not None and _GREETS.search(" ".join(talk.texts[following]).replace("’", "'")) is not None


def gave_thanks_before(talk: Talk, turn: int, voice: str) -> bool:
    """Whether the last words of a voice, right before a turn, are thanks: "Thank you for coming." "Thanks, Ada." """
    if turn == 0 or talk.turns[turn - 1].speaker != voice:
        return False
    return takes_leave(" ".join(" ".join(talk.texts[turn - 1]).split()[-LAST_WORDS:]))


def answer_of(talk: Talk, turn: int, voice: str) -> str | None:
    """The first words of a voice's next turn; None where it has none."""
    following = _next_turn(talk, turn, voice)
    return None if following is None else " ".join(" ".join(talk.texts[following]).split()[:TAKING_WORDS])


def _next_turn(talk: Talk, turn: int, voice: str) -> int | None:
    return next((i for i in talk.turns_of(voice) if i > turn), None)
