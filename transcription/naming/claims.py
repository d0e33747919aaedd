"""What is said about who somebody is, turn by turn, and which voice that is about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from transcription.courtesies import Courtesy
from transcription.given_names import are_forms_of_one_name
from transcription.introductions import asks_for_names, find_announced, find_claims, find_roll_call, full_names
from transcription.names_in_sentences import Claim, Whom
from transcription.naming.talk import Talk
from transcription.naming.vocatives import OPENING, find_vocatives
from transcription.spoken_names import SpokenName

NEW_VOICE_WORDS = 15  #: a voice that has said no more than this has not been heard yet
REPEATED_CHARACTERS = 10  #: of the next turn, beside the name, within which it is said again
ROLL_CALL_TURNS = 8  #: so many turns after "introduce yourselves", people still say their names


@dataclass(frozen=True, slots=True)
class Heard:
    """A claim and the turn it was made in."""

    turn: int
    claim: Claim
    is_called: bool = False  #: the person was named in full earlier in the same turn
    said: str = ""  #: what the person was called, where the claim was completed from elsewhere


def claims_of(talk: Talk) -> list[Heard]:
    """Every claim, turn by turn; those by a given name that the same turn gave in full are completed."""
    heard: list[Heard] = []
    told: dict[str, list[SpokenName]] = defaultdict(list)
    asked = -ROLL_CALL_TURNS - 1
    for turn, texts in enumerate(talk.texts):
        claims = list(find_claims(texts))
        if talk.turns[turn].speaker in talk.announcers:
            claims = [*claims, *(each for each in find_announced(texts) if each.name not in {c.name for c in claims})]
        if turn - asked <= ROLL_CALL_TURNS and talk.turns_of(str(talk.turns[turn].speaker))[:1] == [turn]:
            answer = find_roll_call(texts)
            if answer is not None and not any(each.whom is Whom.SELF for each in claims):
                # Who answers with a name alone calls nobody by it.
                claims = [answer, *(each for each in claims if each.name.text != answer.name.text)]
        if asks_for_names(texts):
            asked = turn
        heard += [_completed(talk, turn, claim, told) for claim in _clear(claims)]
        named = {(claim.paragraph, claim.name.end) for claim in claims}
        heard += [Heard(turn, each) for each in find_vocatives(texts) if (each.paragraph, each.name.end) not in named]
        told[str(talk.turns[turn].speaker)] += [name for text in texts for name in full_names(text)]
    return heard


def _clear(claims: Sequence[Claim]) -> Iterator[Claim]:
    """The claims of one turn that tell who is meant: of several people thanked none, of several called the last."""
    thanked = {each.name.text for each in claims if each.whom in (Whom.PREVIOUS, Whom.OTHER)}
    called = [each for each in claims if each.whom is Whom.NEXT]
    last = max(called, key=lambda each: (each.paragraph, each.name.start), default=None)
    for each in claims:
        is_one_of_many = each.whom in (Whom.PREVIOUS, Whom.OTHER) and len(thanked) > 1
        is_passed_over = last is not None and each.whom is Whom.NEXT and each.name.text != last.name.text
        if not is_one_of_many and not is_passed_over:
            yield each


def _completed(talk: Talk, turn: int, claim: Claim, told: Mapping[str, Sequence[SpokenName]]) -> Heard:
    """ "Joining us is Ana Ruiz. Hello, Ana.": the address has the full name that stands before it.

    So has an introduction: "We met Ana Ruiz. We're here now with Ana."

    Where a new voice answers, that is also the one full name which the same voice said in an earlier turn.
    """
    if claim.whom not in (Whom.NEXT, Whom.OTHER, Whom.INTRODUCED) or claim.name.is_full:
        return Heard(turn, claim)
    before = [
        name
        for paragraph, text in enumerate(talk.texts[turn][: claim.paragraph + 1])
        for name in full_names(text)
        if (paragraph, name.start) < (claim.paragraph, claim.offset)
        and are_forms_of_one_name(claim.name.words[0], name.words[0])
    ]
    if not before and claim.whom is not Whom.OTHER and _is_answered_by_a_new_voice(talk, turn):
        earlier = told.get(str(talk.turns[turn].speaker), ())
        before = [name for name in earlier if are_forms_of_one_name(claim.name.words[0], name.words[0])]
    if len({name.text for name in before}) != 1:
        return Heard(turn, claim)
    full = replace(claim, name=before[0])
    if claim.whom is Whom.INTRODUCED:  # worth less was the given name for being a word that no list knows
        full = replace(full, weight=claim.weight * before[0].likelihood / claim.name.likelihood)
    return Heard(turn, full, is_called=claim.whom is Whom.NEXT, said=claim.name.text)


def _is_new(talk: Talk, voice: str, turn: int) -> bool:
    return talk.words_before(voice, turn) <= NEW_VOICE_WORDS


def _is_answered_by_a_new_voice(talk: Talk, turn: int) -> bool:
    voice = talk.neighbour(turn, 1)
    return voice is not None and talk.turns_of(voice)[0] > turn


def looks_back(talk: Talk, heard: Heard) -> bool:
    """Whether a call without a courtesy, between two voices, is taken to be said to the one before."""
    is_call = heard.claim.whom is Whom.PREVIOUS and heard.claim.courtesy is None
    return is_call and _is_between(talk, heard.turn) and not _is_said_ahead(talk, heard)


def _is_between(talk: Talk, turn: int) -> bool:
    """Whether one voice speaks before a turn and another one after it."""
    before, after = talk.neighbour(turn, -1), talk.neighbour(turn, 1)
    return before is not None and after is not None and before != after


def _is_said_ahead(talk: Talk, heard: Heard) -> bool:
    """Whether who is called as a turn begins, between two voices, is the one who speaks next and not the one before.

    So it was 28 times of 36 where the name begins the sentence ("Ana, the next one is yours.", "Ana."), or is greeted
    (published talk, 2026-11-29). Not by a voice that is new: it answers whoever brought it in. Not where the name
    alone answers a question, or is said again.
    """
    turn, claim = heard.turn, heard.claim
    is_new = talk.turns_of(str(talk.turns[turn].speaker))[0] == turn
    if claim.courtesy not in (None, Courtesy.GREETS) or is_new or not _is_between(talk, turn):
        return False
    if " ".join(talk.texts[turn]).strip(" .!?…") == claim.name.text:
        is_answer = " ".join(talk.texts[turn - 1]).rstrip().endswith("?")
        said_next = " ".join(talk.texts[turn + 1]) if turn + 1 < len(talk.turns) else ""
        return not is_answer and claim.name.text not in said_next[: len(claim.name.text) + REPEATED_CHARACTERS]
    before = claim.quote[: max(0, claim.name.start - claim.offset)].replace("’", "'")
    goes_on = not claim.sentence.rstrip(" .!?…").endswith(claim.name.text)
    return claim.courtesy is Courtesy.GREETS or (goes_on and OPENING.fullmatch(before) is not None)


def voice_of(talk: Talk, heard: Heard) -> str | None:
    """The voice that a claim is about."""
    if heard.claim.whom is Whom.SELF:
        return talk.turns[heard.turn].speaker
    if talk.turns[heard.turn].speaker is None:
        return None
    before, after = talk.neighbour(heard.turn, -1), talk.neighbour(heard.turn, 1)
    is_received = heard.claim.courtesy is Courtesy.RECEIVES and after is not None
    came_before = before is not None and talk.turns_of(before)[0] < heard.turn - 2
    if is_received and (before == after or came_before) and _is_new(talk, str(after), heard.turn):
        return after  # "Thank you so much, Ana, for coming on."
    is_first = not any(talk.turns[i].speaker != talk.turns[heard.turn].speaker for i in range(heard.turn))
    if heard.claim.whom is Whom.PREVIOUS:
        return after if is_first or _is_said_ahead(talk, heard) else before
    if heard.claim.whom is Whom.HEARD:
        others = [voice for voice in talk.talkers if voice != talk.turns[heard.turn].speaker]
        return others[0] if len(others) == 1 else before
    if heard.claim.whom is Whom.OTHER:
        is_last = not any(each.speaker != talk.turns[heard.turn].speaker for each in talk.turns[heard.turn + 1 :])
        return before if is_last or before == after else after if is_first else None
    return after
