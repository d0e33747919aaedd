"""Speakers' names from what is said, each with its evidence. A wrong name is worse than none.

`transcription.introductions` finds the places where a name is said in a telling way; here each becomes a piece of
evidence for one voice, pieces for the same person add up, and a name is given where the sum is high enough and
nothing comes near it: no other voice with the same name, no other name for the same voice.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from schemas.episode import Participant, Role
from schemas.transcript import Evidence, NameMethod, Paragraph, Speaker, Transcript, Turn
from transcription.given_names import are_forms_of_one_name, may_be_given_name
from transcription.introductions import (
    Claim,
    Slot,
    Whom,
    asks_for_names,
    find_claims,
    find_roll_call,
    find_slots,
    full_names,
    receives,
)
from transcription.participants import split_honorific
from transcription.soundalike import ANYWHERE, IN_NAME_SLOT, Match, find_name, fold, similarity, skeleton
from transcription.spoken_names import FIRST_KNOWN, FULL_UNKNOWN, SpokenName

BELIEVED = 0.6  #: a name is given from this probability on; one weak piece stays below, two reach it
EXPECTED = 0.5  #: the same for a participant of the metadata: one clear address is enough
LEAD = 1.5  #: the evidence (-log of doubt) must be this many times that of any rival voice or name
DENIAL = 1.5  #: taken from the evidence that a voice has a name, each time it calls somebody else by it
ELIMINATION_SECONDS = 60.0  #: a voice that is named because everybody else is must speak at least this long
WORDS_A_MINUTE = 150  #: for documents without times: the slow end of ordinary talk
KEPT_EVIDENCE = 6  #: pieces per speaker, strongest first
FIRST_ANSWER = (
    0.62  #: weight of calling an expected person whom a new voice answers: just believed, easily contradicted
)
ENTRANCE = 0.35  #: weight of being spoken of in full right before the voice is heard for the first time
ENTRANCE_EXPECTED = 0.45  #: the same for a participant; still not enough alone
ENTRANCE_RECEIVED = 0.65  #: the same where the turn ends with a welcome
RECEIVING_WORDS = 12  #: at the end of a turn, in which a welcome is looked for
REPLY = 0.65  #: weight of calling who has just introduced or asked the one who speaks now for the first time
NEW_VOICE_WORDS = 15  #: a voice that has said no more than this has not been heard yet
MENTIONS_PER_ADDRESS = 3  #: an unknown word that is a person's name is mostly said to that person
BACKCHANNEL_WORDS = 2  #: a turn of at most this many words answers nobody
ANSWER_WORDS = 8  #: who answers an introduction with less, and without a greeting, may be somebody else
UNSURE = 0.6  #: what an introduction is then worth
ROLL_CALL_TURNS = 8  #: so many turns after "introduce yourselves", people still say their names

_FIXED = frozenset({NameMethod.GIVEN, NameMethod.PAGE, NameMethod.KNOWN_VOICE})
_METHOD = {
    Whom.SELF: NameMethod.SELF_INTRODUCTION,
    Whom.INTRODUCED: NameMethod.HOST_INTRODUCTION,
    Whom.NEXT: NameMethod.ADDRESS,
    Whom.PREVIOUS: NameMethod.ADDRESS,
    Whom.OTHER: NameMethod.ADDRESS,
    Whom.HEARD: NameMethod.HOST_INTRODUCTION,
}
_TELLING = frozenset({Whom.SELF, Whom.INTRODUCED, Whom.HEARD})
_SAME_SURNAME = 0.8  #: similarity from which two spellings of a full name are one person ("Carter", "Carterer")

_OPENS = re.compile(r"\b(?:welcome to|you're listening to|tuning in to|tuned in to|welcome back to)\b", re.I)
_CLOSES = re.compile(
    r"\b(?:thank you (?:all |so much |both |very much )*for (?:listening|joining|"
    r"tuning)|thanks (?:so much )?for (?:listening|"
    r"joining|tuning)|that's (?:all|it) (?:for|from|we)|until next time|see you next|goodbye)\b",
    re.I,
)
_ANNOUNCES = re.compile(
    r"\b(?:you're listening to|a podcast (?:from|by)|brought to you by|presents|"
    r"this podcast|podcast is|"
    r"(?:is|was) (?:made|produced|edited|presented) by|rate and review|subscribe|production)\b",
    re.I,
)
_AS_A_THING = re.compile(
    r"\b(?:in|on|of|the|a|an|into|onto|using|use|via|inside|every|this|some)\s+([^\W\d_a-z][\w’'-]*)"
)
_WILL_COME = re.compile(r"\b(?:(?:going to|gonna|will|'ll|’ll) (?:\w+ )?be|to be)\b", re.I)
#: "I talked to Ana Ruiz about it" is of anybody, unless a voice begins then.
_TOLD = re.compile(r"\b(?:sat down|caught up|spoke|talked|chatted)\b", re.I)
#: Somebody who writes in is spoken of like somebody who comes on.
_OF_LETTERS = re.compile(
    r"\b(?:writes?|wrote|written|asks|asked|letters?|e-?mails?|messages?|tweets?|listeners?)\b", re.I
)
_GREETS = re.compile(
    r"^\W*(?:oh,? |well,? |and )?(?:hi|hello|hey|hiya|yo|howdy|thank|thanks|good|great|glad|happy|lovely|nice|"
    r"delighted|"
    r"it's (?:a|good|great|nice|lovely|wonderful)|my pleasure|pleasure|cheers|welcome|greetings|yes|what's up)\b",
    re.I,
)
ANNOUNCER_WORDS = 60  #: an announcer says no more than this in the whole episode


@dataclass(frozen=True, slots=True)
class _Person:
    """Somebody who is spoken of or expected. `full` is without honorific."""

    full: str
    participant: Participant | None = None
    honorific: str | None = None

    @property
    def given(self) -> str:
        return self.full.split()[0]


@dataclass(frozen=True, slots=True)
class _Piece:
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
class _Heard:
    """A claim and the turn it was made in."""

    turn: int
    claim: Claim
    is_called: bool = False  #: the person was named in full earlier in the same turn
    said: str = ""  #: what the person was called, where the claim was completed from elsewhere


def name_speakers(transcript: Transcript) -> Transcript:
    """Name the speakers of a document by evidence.

    Names given by hand, from a page's labels or by a known voice stay as they are; all others are found anew, so
    that naming twice changes nothing. Participants of the episode are matched by spelling, by short form and by
    sound, and give the name its spelling. Works with and without word times; a document without turns or speakers
    comes back unchanged.
    """
    if not transcript.speakers or not transcript.turns:
        return transcript
    found = _found(transcript)
    roles = _roles(found.talk, found.heard, found.host)
    speakers = tuple(_named(found.talk, found.people, each, found.named, roles) for each in transcript.speakers)
    return replace(transcript, speakers=speakers)


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A name that speaks for a voice, and is not given."""

    speaker: str
    name: str
    quote: str
    start: float | None
    is_contradicted: bool  #: another voice or another name has evidence too; else there is too little of it


def unsettled_names(transcript: Transcript) -> tuple[Unsettled, ...]:
    """The strongest name that was not believed for each voice without one, by the order of the speakers."""
    if not transcript.speakers or not transcript.turns:
        return ()
    found = _found(transcript)
    unsettled: list[Unsettled] = []
    for voice in found.talk.voices:
        own = [piece for piece in found.pieces if piece.speaker == voice]
        if voice in found.named or voice in found.talk.fixed or not own:
            continue
        best = max(own, key=lambda piece: (piece.weight, -piece.turn))
        same = {piece.person for piece in own} | {p.speaker for p in found.pieces if p.person == best.person}
        evidence = _evidence(found.talk, best)
        name = found.people[best.person].full
        unsettled.append(Unsettled(voice, name, evidence.quote, evidence.start, len(same) > 2))
    return tuple(unsettled)


@dataclass(frozen=True, slots=True)
class _Found:
    """Everything that naming found in a transcript."""

    talk: _Talk
    heard: Sequence[_Heard]
    people: Sequence[_Person]
    pieces: Sequence[_Piece]
    host: str | None
    named: Mapping[str, _Decision]


def _found(transcript: Transcript) -> _Found:
    talk = _Talk(transcript)
    heard = _heard(talk)
    people = list(_people(talk, heard))
    pieces = [*_pieces(talk, people, heard), *_pieces_by_sound(talk, people, heard)]
    pieces += _entrances(talk, people, pieces)
    pieces = _without_namesakes(talk, people, pieces)
    host = _host(talk, heard)
    pieces += _pieces_by_role(talk, people, host, heard)
    named = _decide(talk, people, pieces)
    named |= _by_elimination(talk, people, pieces, named)
    return _Found(talk, heard, people, pieces, host, named)


def _heard(talk: _Talk) -> list[_Heard]:
    """Every claim, turn by turn; those by a given name that the same turn gave in full are completed."""
    heard: list[_Heard] = []
    asked = -ROLL_CALL_TURNS - 1
    for turn, texts in enumerate(talk.texts):
        claims = list(find_claims(texts))
        if turn - asked <= ROLL_CALL_TURNS and talk.turns_of(str(talk.turns[turn].speaker))[:1] == [turn]:
            answer = find_roll_call(texts)
            if answer is not None and not any(each.whom is Whom.SELF for each in claims):
                # Who answers with a name alone calls nobody by it.
                claims = [answer, *(each for each in claims if each.name.text != answer.name.text)]
        if asks_for_names(texts):
            asked = turn
        heard += [_completed(talk, turn, claim) for claim in _clear(claims)]
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


def _completed(talk: _Talk, turn: int, claim: Claim) -> _Heard:
    """ "Joining us is Ana Ruiz. Hello, Ana.": the address has the full name that stands before it."""
    if claim.whom not in (Whom.NEXT, Whom.OTHER) or claim.name.is_full:
        return _Heard(turn, claim)
    before = [
        name
        for paragraph, text in enumerate(talk.texts[turn][: claim.paragraph + 1])
        for name in full_names(text)
        if (paragraph, name.start) < (claim.paragraph, claim.offset)
        and are_forms_of_one_name(claim.name.words[0], name.words[0])
    ]
    if len({name.text for name in before}) != 1:
        return _Heard(turn, claim)
    full = replace(claim, name=before[0])
    return _Heard(turn, full, is_called=claim.whom is Whom.NEXT, said=claim.name.text)


class _Talk:
    """The transcript as naming reads it: the text of every paragraph, who speaks, who answers whom."""

    def __init__(self, transcript: Transcript) -> None:
        self.transcript = transcript
        self.turns: Sequence[Turn] = transcript.turns
        self.participants = tuple(_tidied(each) for each in transcript.episode.participants)
        self.texts = [tuple(_text(paragraph) for paragraph in turn.paragraphs) for turn in self.turns]
        self.word_counts = [sum(len(text.split()) for text in texts) for texts in self.texts]
        self._turns_of: dict[str, list[int]] = defaultdict(list)
        for i, turn in enumerate(self.turns):
            if turn.speaker is not None:
                self._turns_of[turn.speaker].append(i)
        self.voices = tuple(
            speaker.id for speaker in transcript.speakers if any(turn.speaker == speaker.id for turn in self.turns)
        )
        self.inner_capitals = _inner_capitals(self.texts)
        self.mentions = Counter(
            word for texts in self.texts for text in texts for word in re.findall(r"[^\W\d_a-z][\w’'-]*", text)
        )
        self.things = _things(self.texts)
        self.announcers = frozenset(voice for voice in self.voices if self._announces(voice))
        self.talkers = tuple(voice for voice in self.voices if voice not in self.announcers)
        self.fixed: Mapping[str, Speaker] = {
            speaker.id: speaker
            for speaker in transcript.speakers
            if speaker.name is not None and (speaker.known_by is None or speaker.known_by in _FIXED)
        }

    def turns_of(self, voice: str) -> list[int]:
        return self._turns_of.get(voice, [])

    def _announces(self, voice: str) -> bool:
        """Whether a voice is a recorded one that belongs to the show: brief, at the edges, about the programme."""
        turns = self.turns_of(voice)
        at_the_edges = all(i in (0, 1, len(self.turns) - 2, len(self.turns) - 1) for i in turns)
        is_brief = len(turns) <= 2 and self.words_of(voice) <= ANNOUNCER_WORDS
        if len(self.voices) <= 2 or not is_brief or not at_the_edges:
            return False
        text = " ".join(text for i in turns for text in self.texts[i]).replace("’", "'")
        return _ANNOUNCES.search(text) is not None

    def words_before(self, voice: str, turn: int) -> int:
        """How much a voice has said before a turn."""
        return sum(self.word_counts[i] for i in self.turns_of(voice) if i < turn)

    def words_of(self, voice: str) -> int:
        return sum(self.word_counts[i] for i in self.turns_of(voice))

    def seconds_of(self, voice: str) -> float:
        """How long a voice speaks; from its words where the document has no times."""
        speaker = next(each for each in self.transcript.speakers if each.id == voice)
        if speaker.speech_seconds is not None:
            return speaker.speech_seconds
        spans = [(self.turns[i].start, self.turns[i].end) for i in self.turns_of(voice)]
        if spans and all(start is not None and end is not None for start, end in spans):
            return sum(end - start for start, end in spans if start is not None and end is not None)
        return self.words_of(voice) * 60 / WORDS_A_MINUTE

    def neighbour(self, turn: int, step: int) -> str | None:
        """The other voice that speaks next (step 1) or spoke before (-1); None where it is not clear.

        A backchannel of one voice followed by a turn of a third leaves open who was meant.
        """
        speaker = self.turns[turn].speaker
        found: list[tuple[str | None, int]] = []
        i = turn + step
        while 0 <= i < len(self.turns) and len(found) < 2:
            if self.turns[i].speaker != speaker:
                found.append((self.turns[i].speaker, self.word_counts[i]))
                if self.word_counts[i] > BACKCHANNEL_WORDS:
                    break
            elif found:
                break
            i += step
        voices = {voice for voice, _ in found}
        return next(iter(voices)) if len(voices) == 1 else None


def _inner_capitals(texts: Iterable[Sequence[str]]) -> frozenset[str]:
    """Words that stand with a capital inside a sentence and nowhere without: names of something.

    "Honestly, what do you think?" has its capital from the sentence alone.
    """
    inner: set[str] = set()
    small: set[str] = set()
    for text in (text for paragraphs in texts for text in paragraphs):
        small.update(re.findall(r"\b[^\W\d_A-Z][\w'’-]*", text))
        inner.update(re.findall(r"(?<=[\w,;–—] )[^\W\d_][\w'’-]*", text))
    return frozenset(
        word for word in inner if word[0].isupper() and (word.casefold() not in small or may_be_given_name(word))
    )


def _things(texts: Iterable[Sequence[str]]) -> frozenset[str]:
    """Capitalised words that are used as people's names are not: "in Rust", "the Lantern", "a Falcon"."""
    return frozenset(word for paragraphs in texts for text in paragraphs for word in _AS_A_THING.findall(text))


def _text(paragraph: Paragraph) -> str:
    return paragraph.text or " ".join(word.text for word in paragraph.words)


def _tidied(participant: Participant) -> Participant:
    """The participant with the honorific apart from the name, however it was written."""
    honorific, name = split_honorific(" ".join(participant.name.split()))
    return replace(participant, name=name, honorific=participant.honorific or honorific)


# ---------------------------------------------------------------- people


def _people(talk: _Talk, heard: Sequence[_Heard]) -> tuple[_Person, ...]:
    """The participants, then everybody else who is named in full, then those who have a given name only.

    Spellings that sound alike are one person; the one heard most often stands, the first of equals.
    """
    people = [_Person(each.name, each, each.honorific) for each in talk.participants if each.name]
    names = [each.claim.name for each in heard]
    counts = Counter(name.text for name in names)
    for name in sorted((name for name in names if name.is_full), key=lambda name: -counts[name.text]):
        if _person_of(people, name.text) is None and not _is_known(people, name.text):
            people.append(_Person(name.text, None, name.honorific))
    for name in names:
        if not name.is_full and not _is_known(people, name.text):
            people.append(_Person(name.text, None, name.honorific))
    return tuple(people)


def _is_known(people: Sequence[_Person], name: str) -> bool:
    """Whether a name calls at least one of the people; several make it ambiguous, not new."""
    return any(_calls(person, name) for person in people)


def _person_of(people: Sequence[_Person], name: str) -> int | None:
    """The one person whom a name calls; None where nobody, or more than one, goes by it."""
    exact = [i for i, person in enumerate(people) if fold(person.full) and fold(person.full) == fold(name)]
    if len(exact) == 1:
        return exact[0]
    matching = [i for i, person in enumerate(people) if _calls(person, name)]
    if len(matching) > 1:
        best = max(similarity(people[i].full, name) for i in matching)
        nearest = [i for i in matching if similarity(people[i].full, name) == best]
        is_clear = len(name.split()) > 1 and len(nearest) == 1
        return nearest[0] if is_clear else None
    return matching[0] if matching else None


def _calls(person: _Person, name: str) -> bool:
    """Whether `name`, as heard, may call the person: in full, by alias, given name, short form, or surname."""
    if name.casefold() == person.full.casefold() or (fold(name) and fold(name) == fold(person.full)):
        return True
    aliases = person.participant.aliases if person.participant else ()
    if any(name.casefold() == alias.casefold() for alias in aliases):
        return True
    words = name.split()
    parts = person.full.split()
    if len(words) < len(parts) and [fold(word) for word in words] == [fold(part) for part in parts[: len(words)]]:
        return True  # "María José" of "María José Soler"
    if len(words) == 1:
        if any(are_forms_of_one_name(words[0], each) for each in (parts[0], *(a.split()[0] for a in aliases if a))):
            return True
        if len(parts) > 1 and fold(words[0]) == fold(parts[-1]) and fold(words[0]):
            return True  # "Professor Lindqvist"
        is_expected = person.participant is not None or len(parts) > 1
        return is_expected and _is_same_given_name_by_sound(words[0], parts[0])
    if len(parts) == 1:
        return False
    if are_forms_of_one_name(words[0], parts[0]) and fold(words[-1]) == fold(parts[-1]):
        return True
    alike = similarity(name, person.full)
    if person.participant is not None:
        return alike >= IN_NAME_SLOT
    is_one_given = are_forms_of_one_name(words[0], parts[0]) or _is_same_given_name_by_sound(words[0], parts[0])
    return alike >= _SAME_SURNAME and is_one_given


def _is_same_given_name_by_sound(heard: str, given: str) -> bool:
    """ "Hellen" is Helen; "Allen" is not: one word must begin alike and have the same consonants."""
    one, other = fold(heard), fold(given)
    return bool(
        one
        and other
        and one[0] == other[0]
        and len(skeleton(given)) >= 2
        and skeleton(heard) == skeleton(given)
        and similarity(heard, given) >= ANYWHERE
    )


# ---------------------------------------------------------------- evidence


@dataclass(frozen=True, slots=True)
class _Announced:
    """What all the claims together say about whom to expect."""

    by_person: Mapping[str, Sequence[int]]  #: in which turns each person is announced to the audience
    by_turn: Mapping[int, int]  #: how many people each turn announces
    handing_over: frozenset[int]  #: turns that announce or address whoever speaks next
    told: frozenset[int]  #: people who are given, introduced, or named in full before they are called
    counts: Mapping[str, int]  #: claims by the same words


def _announced(people: Sequence[_Person], heard: Sequence[_Heard]) -> _Announced:
    by_person: dict[str, list[int]] = defaultdict(list)
    by_turn: dict[int, set[str]] = defaultdict(set)
    told = {i for i, person in enumerate(people) if person.participant is not None}
    for each in heard:
        person = _person_of(people, each.claim.name.text)
        name = people[person].full if person is not None else each.claim.name.text
        if person is not None and (each.claim.whom in _TELLING or each.is_called):
            told.add(person)
        if each.claim.whom in (Whom.INTRODUCED, Whom.HEARD):
            by_person[name].append(each.turn)
            by_turn[each.turn].add(name)
    return _Announced(
        by_person=by_person,
        by_turn={turn: len(names) for turn, names in by_turn.items()},
        handing_over=frozenset(each.turn for each in heard if each.claim.whom in (Whom.INTRODUCED, Whom.NEXT)),
        told=frozenset(told),
        counts=Counter(each.claim.name.text for each in heard),
    )


def _pieces(talk: _Talk, people: Sequence[_Person], heard: Sequence[_Heard]) -> Iterator[_Piece]:
    announced = _announced(people, heard)
    for each in heard:
        person = _person_of(people, each.claim.name.text)
        speaker = _whose(talk, each)
        if person is None or speaker is None or speaker == talk.turns[each.turn].speaker != _own_voice(talk, each):
            continue
        weight = _weight(talk, announced, each, people, person, speaker)
        if weight > 0:
            yield _piece(each, speaker, person, weight)


def _own_voice(talk: _Talk, heard: _Heard) -> str | None:
    """The voice of the turn, where the claim is about itself."""
    return talk.turns[heard.turn].speaker if heard.claim.whom is Whom.SELF else None


def _entrances(talk: _Talk, people: list[_Person], pieces: Sequence[_Piece]) -> Iterator[_Piece]:
    """Who is spoken of in full right before a voice is heard for the first time may be that voice.

    Only the one person in that turn whom nothing yet gives to another voice, and hardly enough alone. Adds to
    `people` who was not known before.
    """
    told: dict[int, set[str]] = defaultdict(set)
    for piece in pieces:
        told[piece.person].add(piece.speaker)
    for voice in talk.talkers:
        entrance = talk.turns_of(voice)[0]
        if entrance == 0 or talk.turns[entrance - 1].speaker is None:
            continue
        if any(_OF_LETTERS.search(text) for text in talk.texts[entrance - 1]):
            continue
        turn = entrance - 1
        found: dict[int, tuple[int, SpokenName]] = {}
        for paragraph, text in enumerate(talk.texts[turn]):
            for name in full_names(text):
                person = _person_of(people, name.text)
                if person is None and name.likelihood >= FULL_UNKNOWN and not _is_known(people, name.text):
                    people.append(_Person(name.text, None, name.honorific))
                    person = len(people) - 1
                if person is not None and " " in people[person].full and not _is_in_title(talk, name):
                    found[person] = (paragraph, name)
        teller = talk.turns[turn].speaker
        new = [person for person in found if told[person] <= {voice} and not _names_own(pieces, teller, person)]
        if len(new) != 1:
            continue
        paragraph, name = found[new[0]]
        is_expected = people[new[0]].participant is not None
        is_received = receives(" ".join(talk.texts[turn][-1].split()[-RECEIVING_WORDS:]))
        weight = ENTRANCE_RECEIVED if is_received else ENTRANCE_EXPECTED if is_expected else ENTRANCE
        weight *= 1.0 if is_expected else name.likelihood
        quote = talk.texts[turn][paragraph][name.start : name.end]
        yield _Piece(
            voice,
            new[0],
            weight,
            NameMethod.HOST_INTRODUCTION,
            quote,
            turn,
            paragraph,
            name.start,
            name.text,
        )


def _names_own(pieces: Sequence[_Piece], voice: str | None, person: int) -> bool:
    """Whether a voice says that the person is itself."""
    return any(
        piece.person == person and piece.speaker == voice and piece.method is NameMethod.SELF_INTRODUCTION
        for piece in pieces
    )


def _without_namesakes(talk: _Talk, people: list[_Person], pieces: Sequence[_Piece]) -> list[_Piece]:
    """Pieces by given name alone, moved to a person of that name where they cannot be the one known in full.

    A guest Adam Ivory who says "Thanks, Adam" calls another Adam. Adds that other to `people`.
    """
    own: dict[int, set[str]] = defaultdict(set)
    for piece in pieces:
        if " " in piece.heard and " " in people[piece.person].full:
            own[piece.person].add(piece.speaker)
    moved: list[_Piece] = []
    for piece in pieces:
        teller = talk.turns[piece.turn].speaker
        is_namesake = (
            " " not in piece.heard
            and piece.method is NameMethod.ADDRESS
            and people[piece.person].participant is None
            and own[piece.person] == {teller}
        )
        if is_namesake:
            namesake = _Person(piece.heard)
            if namesake not in people:
                people.append(namesake)
            piece = replace(piece, person=people.index(namesake))
        moved.append(piece)
    return moved


def _piece(heard: _Heard, speaker: str, person: int, weight: float) -> _Piece:
    claim = heard.claim
    return _Piece(
        speaker=speaker,
        person=person,
        weight=min(weight, 0.97),
        method=_METHOD[claim.whom],
        quote=claim.quote,
        turn=heard.turn,
        paragraph=claim.paragraph,
        offset=claim.offset,
        heard=heard.said or claim.name.text,
    )


def _whose(talk: _Talk, heard: _Heard) -> str | None:
    """The voice that a claim is about."""
    if heard.claim.whom is Whom.SELF:
        return talk.turns[heard.turn].speaker
    if talk.turns[heard.turn].speaker is None:
        return None
    before, after = talk.neighbour(heard.turn, -1), talk.neighbour(heard.turn, 1)
    is_first = not any(talk.turns[i].speaker != talk.turns[heard.turn].speaker for i in range(heard.turn))
    if heard.claim.whom is Whom.PREVIOUS:
        return after if is_first else before
    if heard.claim.whom is Whom.HEARD:
        others = [voice for voice in talk.talkers if voice != talk.turns[heard.turn].speaker]
        return others[0] if len(others) == 1 else before
    if heard.claim.whom is Whom.OTHER:
        is_last = not any(each.speaker != talk.turns[heard.turn].speaker for each in talk.turns[heard.turn + 1 :])
        return before if is_last or before == after else after if is_first else None
    return after


def _weight(
    talk: _Talk, announced: _Announced, heard: _Heard, people: Sequence[_Person], person: int, speaker: str
) -> float:
    """What a claim is worth once it is known who else speaks."""
    claim = heard.claim
    if claim.whom is Whom.SELF:
        is_title = _is_in_title(talk, claim.name)
        return 0.0 if is_title else _with_participant(claim.weight, people[person])
    if speaker in talk.announcers:
        return 0.0
    if claim.whom in (Whom.INTRODUCED, Whom.HEARD):
        return _weight_of_introduction(talk, announced, heard, speaker)
    weight = _weight_of_address(talk, announced, heard, person)
    if weight > 0 and person in announced.told:
        weight = max(weight, _first_answer(talk, announced, heard, people[person], speaker))
    if weight > 0 and (person in announced.told or claim.name.likelihood >= FIRST_KNOWN):
        weight = max(weight, _first_reply(talk, announced, heard))
    return weight


def _weight_of_address(talk: _Talk, announced: _Announced, heard: _Heard, person: int) -> float:
    """What calling somebody is worth by the name alone, which may be no name at all."""
    claim, count = heard.claim, announced.counts[heard.claim.name.text]
    if claim.name.likelihood >= FIRST_KNOWN:
        is_between_two = claim.whom in (Whom.PREVIOUS, Whom.OTHER) and len(talk.talkers) == 2
        return min(claim.weight * 1.1, 0.75) if is_between_two else claim.weight
    if person in announced.told:
        return min(claim.weight * 2, 0.7)  # it was halved because of the doubt
    if claim.name.text in talk.things or talk.mentions[claim.name.text] > MENTIONS_PER_ADDRESS * count:
        return 0.0  # whom nobody introduces and everybody talks about is a thing
    if claim.name.text not in talk.inner_capitals:
        return 0.0 if claim.whom is Whom.NEXT else claim.weight
    return claim.weight * (1.7 if claim.whom is Whom.NEXT or count > 1 else 1.0)


def _weight_of_introduction(talk: _Talk, announced: _Announced, heard: _Heard, speaker: str) -> float:
    """An introduction to the audience names the voice that speaks next, if that was not heard before.

    Where only two talk, it names the other one at any time.
    """
    claim = heard.claim
    if claim.weight == 0.0 or announced.by_turn.get(heard.turn, 0) > 1 or _is_in_title(talk, claim.name):
        return 0.0  # nobody knows which of them speaks first
    was_heard = talk.words_before(speaker, heard.turn) > NEW_VOICE_WORDS
    if len(talk.talkers) == 2 and not (was_heard and _TOLD.search(claim.quote)):
        return claim.weight
    if claim.whom is Whom.HEARD:
        return claim.weight * UNSURE
    if was_heard or _WILL_COME.search(claim.quote):
        return claim.weight * 0.4
    return claim.weight if _greets(talk, heard.turn, speaker) else claim.weight * UNSURE


def _greets(talk: _Talk, turn: int, voice: str) -> bool:
    """Whether a voice's next turn answers an introduction: with a greeting, with thanks, or at some length."""
    following = next((i for i in talk.turns_of(voice) if i > turn), None)
    if following is None:
        return False
    text = " ".join(talk.texts[following]).replace("’", "'")
    return talk.word_counts[following] >= ANSWER_WORDS or _GREETS.search(text) is not None


def _first_answer(talk: _Talk, announced: _Announced, heard: _Heard, person: _Person, speaker: str) -> float:
    """An expected person is called, and a voice that was not heard before answers: believed by itself.

    Expected are the participants, and who was introduced in full, in the same turn or before.
    """
    if heard.claim.whom is not Whom.NEXT:
        return 0.0
    is_announced = heard.is_called or min(announced.by_person.get(person.full, [heard.turn + 1])) <= heard.turn
    if person.participant is None and not is_announced:
        return 0.0
    return FIRST_ANSWER if talk.words_before(speaker, heard.turn) <= NEW_VOICE_WORDS else 0.0


def _first_reply(talk: _Talk, announced: _Announced, heard: _Heard) -> float:
    """Who has just been introduced or asked calls, with the first words, the one who did it."""
    voice = talk.turns[heard.turn].speaker
    if heard.claim.whom is not Whom.PREVIOUS or voice is None or talk.turns_of(voice)[0] != heard.turn:
        return 0.0
    return REPLY if heard.turn - 1 in announced.handing_over else 0.0


def _with_participant(weight: float, person: _Person) -> float:
    """A word that the list of participants knows as a name is one: "I'm Grace"."""
    return max(weight, 0.85) if person.participant is not None else weight


def _is_in_title(talk: _Talk, name: SpokenName) -> bool:
    """Whether the words are the show's or the episode's own name ("this is Mary Celeste")."""
    show = talk.transcript.episode.show or ""
    return bool(show) and name.text.casefold() == show.casefold()


def _pieces_by_sound(talk: _Talk, people: Sequence[_Person], heard: Sequence[_Heard]) -> Iterator[_Piece]:
    """Participants where a name must stand, or glued to "I'm", however the recognizer spelt them."""
    expected = [
        (i, person) for i, person in enumerate(people) if person.participant is not None and " " in person.full
    ]
    if not expected:
        return
    near_edges = {i for voice in talk.voices for i in (*talk.turns_of(voice)[:3], *talk.turns_of(voice)[-1:])}
    for turn, texts in enumerate(talk.texts):
        if talk.turns[turn].speaker is None:
            continue
        claimed = {
            (each.claim.paragraph, each.claim.offset)
            for each in heard
            if each.turn == turn and _person_of(people, each.claim.name.text) is not None
        }
        for slot in find_slots(texts):
            if not any(paragraph == slot.paragraph and offset == slot.cue for paragraph, offset in claimed):
                yield from _in_slot(talk, expected, turn, slot)
        if turn in near_edges:
            for paragraph, text in enumerate(texts):
                yield from _glued(talk, expected, turn, paragraph, text)


def _in_slot(talk: _Talk, expected: Sequence[tuple[int, _Person]], turn: int, slot: Slot) -> Iterator[_Piece]:
    text = talk.texts[turn][slot.paragraph]
    words = list(re.finditer(r"\S+", text[slot.after : slot.after + 120]))[:5]
    scored: list[tuple[float, int, int]] = []
    for person, each in expected:
        for count in range(1, len(words) + 1):
            phrase = text[slot.after : slot.after + words[count - 1].end()]
            alike = similarity(phrase, each.full)
            # "I'm like, no, they" is no "Mike Noday": what is not written as a name must be nearly right.
            if alike >= ANYWHERE or words[0].group()[0].isupper():
                scored.append((alike, person, slot.after + words[count - 1].end()))
    found = _clear_best(scored, IN_NAME_SLOT)
    speaker = talk.turns[turn].speaker if slot.whom is Whom.SELF else talk.neighbour(turn, 1)
    if found is None or speaker is None:
        return
    score, person, end = found
    quote = text[slot.cue : end].rstrip(" ,.;:!?")
    if slot.whom is Whom.INTRODUCED and len(list(_names_in(text, expected))) > 1:
        return
    yield _Piece(
        speaker, person, slot.weight * score, _METHOD[slot.whom], quote, turn, slot.paragraph, slot.cue, quote
    )


def _names_in(text: str, expected: Sequence[tuple[int, _Person]]) -> Iterator[int]:
    """Which participants a paragraph names in full."""
    return (i for i, person in expected if person.full.casefold() in text.casefold())


def _glued(
    talk: _Talk, expected: Sequence[tuple[int, _Person]], turn: int, paragraph: int, text: str
) -> Iterator[_Piece]:
    """ "Intomoss Feldon" for "I'm Tomas Feldon": the recognizer cut the words elsewhere."""
    spans = list(re.finditer(r"\S+", text))
    words = [span.group() for span in spans]
    for person, each in expected:
        match: Match | None = find_name(words, each.full, prefix="im")
        if match is None or not _begins_clause(words, match.first):
            continue
        window = words[match.first : match.last + 2]
        alone = find_name(window, each.full, threshold=0.0)
        if alone is not None and alone.score >= match.score:
            continue  # the name is there without the "I'm": somebody is spoken of
        begin, end = spans[match.first].start(), spans[match.last].end()
        quote = text[begin:end].rstrip(" ,.;:!?")
        speaker = talk.turns[turn].speaker
        if speaker is not None:
            yield _Piece(
                speaker, person, 0.8 * match.score, NameMethod.SELF_INTRODUCTION, quote, turn, paragraph, begin, quote
            )


def _begins_clause(words: Sequence[str], first: int) -> bool:
    """Whether "I'm" may begin at a word: after a pause or a greeting, and spelt with the right sounds."""
    before = words[first - 1] if first else "."
    is_start = before[-1] in ",.!?;:…" or before.casefold() in {"hello", "hi", "hey", "and", "so", "well", "yes"}
    return is_start and fold(words[first])[:2] in {"im", "in", "em", "am"}


def _clear_best(scored: Sequence[tuple[float, int, int]], threshold: float) -> tuple[float, int, int] | None:
    """The best match from the threshold up, unless another person's is nearly as good."""
    best = max(scored, default=(0.0, -1, -1))
    rivals = [score for score, person, _ in scored if person != best[1]]
    if best[0] < threshold or max(rivals, default=0.0) > best[0] - 0.1:
        return None
    return best


# ---------------------------------------------------------------- host


def _host(talk: _Talk, heard: Sequence[_Heard]) -> str | None:
    """The one voice that does at least two of what hosts do: open, introduce or hand over, close."""
    acts: dict[str, set[str]] = {voice: set() for voice in talk.voices}
    for i, turn in enumerate(talk.turns):
        if turn.speaker not in acts or talk.words_of(turn.speaker) <= ANNOUNCER_WORDS:
            continue
        text = " ".join(talk.texts[i]).replace("’", "'")
        if i < 3 and _OPENS.search(text):
            acts[turn.speaker].add("opens")
        if i >= len(talk.turns) - 3 and _CLOSES.search(text):
            acts[turn.speaker].add("closes")
    for each in heard:
        speaker = talk.turns[each.turn].speaker
        if speaker in acts and each.claim.whom is Whom.INTRODUCED:
            acts[speaker].add("introduces")
        if speaker in acts and each.claim.whom is Whom.NEXT:
            acts[speaker].add("hands over")
    ranked = sorted(acts, key=lambda voice: -len(acts[voice]))
    if not ranked or len(acts[ranked[0]]) < 2:
        return None
    if len(ranked) > 1 and len(acts[ranked[1]]) >= len(acts[ranked[0]]):
        return None
    return ranked[0]


def _pieces_by_role(
    talk: _Talk, people: Sequence[_Person], host: str | None, heard: Sequence[_Heard]
) -> Iterator[_Piece]:
    """The only participant with the role of host is the voice that introduces others, though nobody names it."""
    hosts = [i for i, person in enumerate(people) if person.participant and person.participant.role is Role.HOST]
    if host is None or len(hosts) != 1:
        return
    introducing = [
        each
        for each in heard
        if each.claim.whom in (Whom.INTRODUCED, Whom.NEXT)
        and talk.turns[each.turn].speaker == host
        and _person_of(people, each.claim.name.text) not in (None, hosts[0])
    ]
    if introducing:
        first = replace(_piece(introducing[0], host, hosts[0], 0.65), method=NameMethod.PARTICIPANT)
        yield first


def _roles(talk: _Talk, heard: Sequence[_Heard], host: str | None) -> dict[str, Role]:
    """Host, guests (who are introduced or addressed by the host) and announcers, as far as they show themselves."""
    roles: dict[str, Role] = {}
    if host is not None:
        roles[host] = Role.HOST
    for each in heard:
        answering = _whose(talk, each)
        if talk.turns[each.turn].speaker == host and answering not in (None, host) and host is not None:
            roles.setdefault(str(answering), Role.GUEST)
    for voice in talk.announcers - {host}:
        roles[str(voice)] = Role.ANNOUNCER
    return roles


# ---------------------------------------------------------------- deciding


@dataclass(frozen=True, slots=True)
class _Decision:
    person: int
    strength: float
    pieces: tuple[_Piece, ...]
    method: NameMethod


def _decide(talk: _Talk, people: Sequence[_Person], pieces: Sequence[_Piece]) -> dict[str, _Decision]:
    """Give names, the surest first, each to one voice; whoever has a rival near stays without."""
    strengths: dict[tuple[str, int], float] = defaultdict(float)
    #: One turn says a thing once, however often it says it: "Ana Ruiz is here. I'm so glad that Ana is with us."
    weights: dict[tuple[str, int, int, NameMethod], float] = defaultdict(float)
    for piece in pieces:
        key = (piece.speaker, piece.person, piece.turn, piece.method)
        weights[key] = max(weights[key], piece.weight)
    for (voice, person, *_), weight in weights.items():
        strengths[voice, person] += -math.log(1 - weight)
    for (voice, person), doubt in _denials(talk, people, pieces).items():
        if (voice, person) in strengths:
            strengths[voice, person] -= doubt
    taken = {i for i, person in enumerate(people) if any(_is_named(each, person) for each in talk.fixed.values())}
    free = {
        pair: strength
        for pair, strength in strengths.items()
        if pair[0] not in talk.fixed and pair[1] not in taken and strength > 0
    }
    named: dict[str, _Decision] = {}
    for (voice, person), strength in sorted(free.items(), key=lambda item: (-item[1], item[0])):
        if (voice, person) not in free:
            continue
        rivals = [s for (v, p), s in free.items() if (v == voice) != (p == person)]
        enough = EXPECTED if people[person].participant is not None else BELIEVED
        if strength < -math.log(1 - enough) - 1e-9 or strength < LEAD * max(rivals, default=0.0):
            continue
        own = tuple(piece for piece in pieces if (piece.speaker, piece.person) == (voice, person))
        own = tuple(sorted(own, key=lambda piece: (-piece.weight, piece.turn, piece.offset)))
        named[voice] = _Decision(person, strength, own, own[0].method)
        free = {pair: s for pair, s in free.items() if pair[0] != voice and pair[1] != person}
    return named


def _is_named(speaker: Speaker, person: _Person) -> bool:
    """Whether a speaker who keeps the name already has this person's."""
    return speaker.name is not None and (_calls(person, speaker.name) or _calls(_Person(speaker.name), person.full))


def _denials(talk: _Talk, people: Sequence[_Person], pieces: Sequence[_Piece]) -> dict[tuple[str, int], float]:
    """Who calls or introduces somebody by a name is not called so: how much that takes away."""
    denials: dict[tuple[str, int], float] = defaultdict(float)
    for piece in pieces:
        speaker = talk.turns[piece.turn].speaker
        if speaker is None or piece.method in (NameMethod.SELF_INTRODUCTION, NameMethod.PARTICIPANT):
            continue
        denials[speaker, piece.person] += DENIAL
    return denials


def _by_elimination(
    talk: _Talk, people: Sequence[_Person], pieces: Sequence[_Piece], named: Mapping[str, _Decision]
) -> dict[str, _Decision]:
    """The last participant is the last voice, when everybody else is named by evidence.

    Without any evidence of its own (one address by name is some) the voice must speak for a minute.
    """
    left = [voice for voice in talk.voices if voice not in named and voice not in talk.fixed]
    people_left = [
        i
        for i, person in enumerate(people)
        if person.participant is not None
        and i not in {decision.person for decision in named.values()}
        and not any(_is_named(each, person) for each in talk.fixed.values())
    ]
    if len(left) != 1 or len(people_left) != 1 or len(talk.voices) != len(talk.participants):
        return {}
    voice, person = left[0], people_left[0]
    is_outsider = any(people[each.person].participant is None for each in named.values())
    is_denied = _denials(talk, people, pieces).get((voice, person), 0.0) > 0
    claims_another_name = any(
        piece.speaker == voice and piece.person != person and piece.method is NameMethod.SELF_INTRODUCTION
        for piece in pieces
    )
    if is_outsider or is_denied or claims_another_name:
        return {}
    own = tuple(piece for piece in pieces if (piece.speaker, piece.person) == (voice, person))
    if own:
        # One weak piece of its own is enough when nobody else could be meant.
        strength = sum(-math.log(1 - piece.weight) for piece in own) - math.log(1 - BELIEVED)
        return {voice: _Decision(person, strength, own, own[0].method)}
    if talk.seconds_of(voice) < ELIMINATION_SECONDS:
        return {}
    turn, paragraph, offset, quote = _sample(talk, voice)
    piece = _Piece(voice, person, 0.7, NameMethod.ELIMINATION, quote, turn, paragraph, offset, people[person].full)
    return {voice: _Decision(person, -math.log(1 - 0.7), (piece,), NameMethod.ELIMINATION)}


def sample_of(transcript: Transcript, speaker: str, method: NameMethod, confidence: float) -> tuple[Evidence, ...]:
    """Evidence that no words gave: where the voice can be heard. None where it says nothing."""
    talk = _Talk(transcript)
    if not talk.words_of(speaker):
        return ()
    turn, paragraph, offset, quote = _sample(talk, speaker)
    said = talk.turns[turn]
    start = _start_of(said.paragraphs[paragraph], offset)
    return (Evidence(method, quote, said.id, said.start if start is None else start, confidence),)


def _sample(talk: _Talk, voice: str) -> tuple[int, int, int, str]:
    """The first words of a voice's longest turn: turn, paragraph, offset and quote."""
    turn = max(talk.turns_of(voice), key=lambda i: (talk.word_counts[i], -i))
    paragraph = next((i for i, text in enumerate(talk.texts[turn]) if text.strip()), 0)
    text = talk.texts[turn][paragraph]
    quote = " ".join(re.findall(r"\S+", text)[:12])
    quote = quote if quote in text else next(iter(text.split()), "")
    return turn, paragraph, text.index(quote), quote


# ---------------------------------------------------------------- the result


def _named(
    talk: _Talk,
    people: Sequence[_Person],
    speaker: Speaker,
    named: Mapping[str, _Decision],
    roles: Mapping[str, Role],
) -> Speaker:
    """The speaker as the document will have it."""
    role = roles.get(speaker.id) or speaker.role
    if speaker.id in talk.fixed:
        return replace(speaker, role=speaker.role or role)
    decision = named.get(speaker.id)
    if decision is None:
        return replace(
            speaker, name=None, known_by=None, confidence=None, evidence=(), honorific=None, aliases=(), role=role
        )
    person = people[decision.person]
    given = person.participant
    method = decision.method
    if given is not None and method is not NameMethod.ELIMINATION:
        method = NameMethod.PARTICIPANT
    return replace(
        speaker,
        name=person.full,
        known_by=method,
        confidence=round(min(0.99, 1 - math.exp(-decision.strength)), 3),
        evidence=tuple(_evidence(talk, piece) for piece in _distinct(decision.pieces))[:KEPT_EVIDENCE],
        honorific=person.honorific,
        description=(given.description if given else None) or speaker.description,
        role=(given.role if given else None) or role,
        aliases=_aliases(person, decision.pieces),
    )


def _distinct(pieces: Iterable[_Piece]) -> Iterator[_Piece]:
    seen: set[tuple[int, int, int]] = set()
    for piece in pieces:
        if (piece.turn, piece.paragraph, piece.offset) not in seen:
            seen.add((piece.turn, piece.paragraph, piece.offset))
            yield piece


def _evidence(talk: _Talk, piece: _Piece) -> Evidence:
    turn = talk.turns[piece.turn]
    start = _start_of(turn.paragraphs[piece.paragraph], piece.offset)
    return Evidence(
        method=piece.method,
        quote=piece.quote,
        turn=turn.id,
        start=start if start is not None else turn.start,
        confidence=round(piece.weight, 3),
    )


def _start_of(paragraph: Paragraph, offset: int) -> float | None:
    """When the text at a character of a paragraph is said: its word's start, or the paragraph's.

    Words that the wording left out of the text are passed over.
    """
    before = _text(paragraph)[:offset].split()
    words = iter(paragraph.words)
    for token in before:
        for word in words:
            if word.text == token:
                break
    following = _text(paragraph)[offset:].split()
    for word in words:
        if following and word.text.startswith(following[0].rstrip(".,!?")) and word.start is not None:
            return word.start
    return paragraph.start


def _aliases(person: _Person, pieces: Sequence[_Piece]) -> tuple[str, ...]:
    """The given names that people really called the person by, in the order heard, then those given with the list."""
    heard = [
        piece.heard
        for piece in sorted(pieces, key=lambda piece: (piece.turn, piece.offset))
        if " " not in piece.heard and piece.heard != person.full and are_forms_of_one_name(piece.heard, person.given)
    ]
    return tuple(dict.fromkeys([*heard, *(person.participant.aliases if person.participant else ())]))
