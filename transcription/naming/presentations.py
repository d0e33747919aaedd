"""Evidence from being presented: somebody is spoken of in full, and then, or just before, a new voice is heard.

No phrase is looked for. What counts is what the words around the name do: whether they have somebody here (classes of
words in `_PRESENTS`), whether they say who that is, whether the talk turns to "you", and how the voice takes it. Who
answers of "him", or says the name, is somebody else.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from schemas.transcript import NameMethod
from transcription.addresses import receives
from transcription.given_names import are_forms_of_one_name, is_beginning_of
from transcription.introductions import full_names, is_of_oneself
from transcription.names_in_sentences import (
    Sentence,
    is_absent,
    is_of_earlier,
    is_of_later,
    is_reported,
    quotable,
    sentences_of,
)
from transcription.naming.answers import YOU
from transcription.naming.evidence import Piece
from transcription.naming.people import Person, is_known, person_of
from transcription.naming.talk import Talk
from transcription.soundalike import fold
from transcription.spoken_names import FULL_UNKNOWN, SpokenName

#: Weights, set by hand on `development` and `voices_seen` (docs/names.md): a name before a new voice is not believed,
#: nor is one that is only explained; somebody who is had here, too, and who then answers for himself, is.
ENTRANCE = 0.35  #: of being spoken of in full right before the voice is heard for the first time
ENTRANCE_EXPECTED = 0.45  #: the same for a participant; still not enough alone
ENTRANCE_RECEIVED = 0.65  #: the same where the turn ends with a welcome, or the voice says "That's me."
PRESENTED = 0.2  #: more where the words have somebody here
EXPLAINED = 0.1  #: more where they say who that is
ANSWERED = 0.05  #: more, beside one of these, where the talk turns to "you", and where the voice speaks of itself
TALKED_OF = 0.15  #: more where one voice keeps naming the person, and the new one never does
NARRATED = 0.5  #: of being named in full right after the voice: "That's Ana Ruiz." may be said of a picture
SUREST = 0.8  #: the most that being presented is worth to a participant
#: And to anybody else: whom a turn is about is spoken of with the same words ("With us is a voter. You voted for …"),
#: so a second sign is asked for, such as being called by that name.
SUREST_UNEXPECTED = 0.5
SURE = 0.6  #: from this weight on, what is said later gives the person to another voice, too
RECEIVING_WORDS = 12  #: at the end of a turn, in which a welcome is looked for
MENTIONS = 3  #: so many mentions are "keeps naming"

#: Somebody who writes in is spoken of like somebody who comes on.
_OF_LETTERS = re.compile(
    r"\b(?:writes?|wrote|written|asks|asked|letters?|e-?mails?|messages?|tweets?|listeners?)\b", re.I
)
#: Classes of words that have somebody here: coming and receiving, talking with, going there, places of a programme.
_PRESENTS = re.compile(
    r"\b(?:"
    r"join(?:s|ed|ing)?|welcom(?:e|es|ed|ing)|introduc(?:e|es|ed|ing)|present(?:s|ing)?|greet|guests?|host(?:s|ed|ing)?|"
    r"(?:i|we)(?:'m|'re| am| are)? (?:\w+ ){0,2}?(?:sat|sit|sitting|spoke|speak|speaking|talk|talked|talking|chat|"
    r"chatted|chatting|reach|reached|visited|interviewed|put|turn|begin|start|go|went|cross)|"
    r"(?:i'm|we're|i am|we are)(?: \w+)? with|hear (?:now )?from|hand(?:ing)? over|over to|"
    r"with (?:us|me)|(?:i|we)(?:'ve| have)(?: also)?(?: got)?|let's|"
    r"in the studio|on the (?:line|phone|show|programme|stage)|stage|opposite|beside|alongside|across from|"
    r"(?:come|came|brought|got|sits?|sitting|stands?) (?:\w+ )?(?:here|along|up|in|on|to)|please|here(?:'s| is)|"
    r"co-?host|co-?presenter|colleague|correspondent|reporter|speaker|lecturer|apprentice|producer|today's|tonight's"
    r")\b",
    re.I,
)
_SAID_WHO = re.compile(
    r"\s*(?:,\s+(?:who|whose|a|an|the|our|author|co-?founder|founder|head|director|professor)\b|\s+is\s+(?:a|an|the|our|"
    r"one)\b|,?\s+who\b|\s+(?:has|runs|writes|works|teaches|leads)\b)",
    re.I,
)
_INTRODUCED_BY = re.compile(
    r"(?:\b(?:the|a|an|our|my|her|his|their)\s+(?:[\w-]+\s+){0,3}[\w-]+,?\s+|"
    r"\b(?:called|named|name(?:'s| is| was))\s+)$",
    re.I,
)
_OF_ITSELF = re.compile(
    r"^\W*(?:\w+\W+){0,3}?(?:i|i'm|i've|i'd|my|me|we|we've|our|thanks|thank you|hello|hi|hey)\b", re.I
)
_THAT_IS_ME = re.compile(r"^\W*(?:\w+\W+){0,2}?(?:that's|that is|that would be|it's) me\b", re.I)
_OF_ANOTHER = re.compile(r"^\W*(?:\w+\W+){0,5}?(?:he|she|he's|she's|him|his|her)\b", re.I)
_FROM = re.compile(r"[A-Z][\w’'-]+,? (?:is )?(?:from|at|of)(?: the)?\s+$")
_CALLED_OFF = re.compile(r"\b(?:but|unfortunately|instead|sadly|died|late|dedicat\w+)\b", re.I)
_AFTER_THE_VOICE = re.compile(
    r"^\W*(?:and |so |now )?(?:that's|that is|that was|this is|(?:his|her|their) name(?:'s| is| was))\s+"
    r"(?:the |our |a )?(?:[a-z-]+\s+){0,3}$",
    re.I,
)
#: "Welcome to The Ada Quill Show", "you're listening to Ada Quill at Large": whose name the show bears is no news.
_OPENS_A_SHOW = re.compile(
    r"\b(?:welcome(?: back)? to|listen(?:ing)? to|tun(?:e|ed|ing) in(?:to| to)|watching|this is)\s+(?:the\s+)?$", re.I
)
_GOES_ON_AS_A_SHOW = re.compile(r"(?:['’]s)?\s+(?:(?:at|on|in|and|with)\s+(?:the\s+)?)?[^\W\d_a-z]")
_ENDS_NAMED = re.compile(r"\s*(?:[.!]|$|,\s+(?:who|the|a|an|of|from|now)\b|\s+(?:there|reporting|speaking)\b)")
_SHOW_WITH = re.compile(r"\b[Ww]elcome(?: back)? to (?:[Tt]he )?(?:[^\W\d_a-z][\w'’-]*\s+){1,5}with\s+$")
_ENDS = re.compile(r"\s*(?:[.!]|$)")
_SHOWS = frozenset(["Show", "Podcast", "Hour", "Programme", "Program", "Report", "Live"])


@dataclass(frozen=True, slots=True)
class _Mention:
    """A full name where it stands."""

    sentence: Sentence
    name: SpokenName


def pieces_by_presentation(talk: Talk, people: list[Person], pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Who is presented right before a voice is heard for the first time, or named right after it.

    Only the one person in that turn whom nothing yet gives to another voice. Adds to `people` who was not known
    before.
    """
    for voice in talk.talkers:
        entrance = talk.turns_of(voice)[0]
        told: dict[int, set[str]] = defaultdict(set)
        for piece in pieces:
            if piece.turn < entrance or piece.weight >= SURE:
                told[piece.person].add(piece.speaker)
        if entrance > 0 and talk.turns[entrance - 1].speaker is not None:
            yield from _before_the_voice(talk, people, pieces, voice, told)
        if entrance + 1 < len(talk.turns) and talk.turns[entrance + 1].speaker is not None:
            yield from _after_the_voice(talk, people, voice, told)


def _before_the_voice(
    talk: Talk, people: list[Person], pieces: Sequence[Piece], voice: str, told: Mapping[int, set[str]]
) -> Iterator[Piece]:
    turn = talk.turns_of(voice)[0] - 1
    teller = talk.turns[turn].speaker
    if any(_OF_LETTERS.search(text) for text in talk.texts[turn]):
        return
    found = _mentioned(talk, people, turn)
    new = [
        person for person in found if told.get(person, set()) <= {voice} and not _names_own(pieces, teller, person)
    ]
    if len(new) != 1:
        return
    person = new[0]
    weight = _weight(talk, people[person], found[person], turn, voice)
    is_taken_already = any((each.person, each.turn, each.speaker) == (person, turn, voice) for each in pieces)
    if is_taken_already and people[person].participant is None:
        return  # one mention is one sign
    if weight > 0:
        yield _piece(voice, person, weight, turn, found[person])


def _weight(talk: Talk, person: Person, mention: _Mention, turn: int, voice: str) -> float:
    """What a name right before a voice is worth, by what is said around it and how the voice takes it."""
    sentence, name = mention.sentence, mention.name
    is_expected = person.participant is not None
    likelihood = 1.0 if is_expected else name.likelihood
    reply = " ".join(talk.texts[turn + 1]).replace("’", "'")
    said = " ".join(talk.texts[turn]).replace("’", "'")
    if receives(" ".join(talk.texts[turn][-1].split()[-RECEIVING_WORDS:])):
        return ENTRANCE_RECEIVED * likelihood
    if _THAT_IS_ME.match(reply):
        return ENTRANCE_RECEIVED * likelihood
    weight = ENTRANCE_EXPECTED if is_expected else ENTRANCE
    if _is_of_another(talk, person, voice, reply):
        return 0.0
    is_elsewhere = (
        is_reported(sentence, name.start)
        or is_of_earlier(sentence, name.end)
        or is_absent(sentence, name.end)
        or is_of_later(sentence)
        or _CALLED_OFF.search(sentence.even, sentence.start, sentence.end) is not None
    )
    if is_elsewhere:
        return weight * likelihood
    is_presented = _PRESENTS.search(said) is not None
    is_explained = bool(
        _SAID_WHO.match(sentence.even[name.end : sentence.end])
        or _INTRODUCED_BY.search(sentence.even[sentence.start : name.start])
    )
    weight += PRESENTED * is_presented + EXPLAINED * is_explained
    if is_presented or is_explained:
        rest = talk.texts[turn][sentence.paragraph][name.end :]
        weight += ANSWERED * bool(YOU.search(rest)) + ANSWERED * bool(_OF_ITSELF.search(reply))
    if len(talk.talkers) == 2 and _mentions(talk, person, turn) >= MENTIONS:
        weight += TALKED_OF
    return min(weight, SUREST if is_expected else SUREST_UNEXPECTED) * likelihood


def _is_of_another(talk: Talk, person: Person, voice: str, reply: str) -> bool:
    """Whether a voice speaks of the person as of somebody else: first of "him", or ever by the name."""
    return _OF_ANOTHER.search(reply) is not None or any(
        _counts(talk, i)[fold(part)] > 0 for i in talk.turns_of(voice)[:3] for part in person.full.split()
    )


def _mentions(talk: Talk, person: Person, turn: int) -> int:
    """How often the voice of a turn says the person's given name in the whole talk."""
    return sum(_counts(talk, i)[fold(person.given)] for i in talk.turns_of(str(talk.turns[turn].speaker)))


def _counts(talk: Talk, turn: int) -> Counter[str]:
    words = re.findall(r"[^\W\d_a-z][\w-]*", " ".join(talk.texts[turn]))
    return Counter(fold(word) for word in words)


def _after_the_voice(talk: Talk, people: list[Person], voice: str, told: Mapping[int, set[str]]) -> Iterator[Piece]:
    """ "That's Ana Ruiz, who kept the lighthouse.": a narrator says whom we heard."""
    turn = talk.turns_of(voice)[0] + 1
    if talk.turns[turn].speaker == voice or " ".join(talk.texts[turn - 1]).rstrip().endswith("?"):
        return
    for person, mention in _mentioned(talk, people, turn).items():
        sentence, name = mention.sentence, mention.name
        is_said_of_it = _AFTER_THE_VOICE.search(sentence.even[sentence.start : name.start]) is not None
        if not is_said_of_it or sentence.from_start > 1 or told.get(person, set()) - {voice}:
            continue
        if not _ENDS_NAMED.match(sentence.even[name.end : sentence.end]):
            continue
        if _is_of_another(talk, people[person], voice, ""):
            continue
        yield _piece(voice, person, NARRATED, turn, mention)
        return


def _mentioned(talk: Talk, people: list[Person], turn: int) -> dict[int, _Mention]:
    """Everybody whom a turn names in full, by the last place where it does. Adds to `people`."""
    found: dict[int, _Mention] = {}
    sentences = sentences_of(talk.texts[turn])
    for paragraph, text in enumerate(talk.texts[turn]):
        for name in full_names(text):
            if is_of_oneself(text, name.start) or is_of_a_show(text, name) or _is_where_from(text, name):
                continue  # said of whoever speaks, and in reported speech of neither
            person = person_of(people, name.text)
            if person is None and name.likelihood >= FULL_UNKNOWN and not is_known(people, name.text):
                people.append(Person(name.text, None, name.honorific))
                person = len(people) - 1
            if person is None or " " not in people[person].full or talk.is_title(name):
                continue
            place = [
                each for each in sentences if each.paragraph == paragraph and each.start <= name.start < each.end
            ]
            if place:
                found[person] = _Mention(place[0], name)
    return found


def _is_where_from(text: str, name: SpokenName) -> bool:
    """Whether words that no list knows say where somebody is from: "Ana from Zorbel Quandle"."""
    behind = _FROM.search(text, max(0, name.start - 40), name.start)
    return behind is not None and name.likelihood <= FULL_UNKNOWN and name.honorific is None


def is_of_a_show(text: str, name: SpokenName) -> bool:
    """Whether a name is of a show: "The Ada Quill Show", "Welcome to Ada Quill at Large", "Welcome to Low Water with
    Ada Quill."."""
    begin = max(0, name.start - 80)
    following = re.match(r"\s+(\w+)", text[name.end :])
    if name.text.split()[-1] in _SHOWS or (following and following[1] in _SHOWS):
        return True
    if following and following[1].capitalize() in _SHOWS and re.search(r"\b[Tt]he\s+$", text[begin : name.start]):
        return True
    if _GOES_ON_AS_A_SHOW.match(text, name.end) and _OPENS_A_SHOW.search(text, begin, name.start):
        return True
    return _SHOW_WITH.search(text, begin, name.start) is not None and _ENDS.match(text, name.end) is not None


def _piece(voice: str, person: int, weight: float, turn: int, mention: _Mention) -> Piece:
    name, sentence = mention.name, mention.sentence
    begin, end = quotable(sentence, name)
    quote = sentence.text[begin:end].strip()
    offset = sentence.text.index(quote, begin)
    return Piece(
        voice, person, weight, NameMethod.HOST_INTRODUCTION, quote, turn, sentence.paragraph, offset, name.text
    )


def _names_own(pieces: Sequence[Piece], voice: str | None, person: int) -> bool:
    """Whether a voice says that the person is itself."""
    return any(
        piece.person == person and piece.speaker == voice and piece.method is NameMethod.SELF_INTRODUCTION
        for piece in pieces
    )


def completed(people: Sequence[Person], pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces, those by one name alone given to the one person of that name who is presented as the same voice."""
    presented: dict[str, set[int]] = defaultdict(set)
    for piece in pieces:
        if piece.method is NameMethod.HOST_INTRODUCTION and " " in people[piece.person].full:
            presented[piece.speaker].add(piece.person)
    moved: list[Piece] = []
    for piece in pieces:
        fuller = [i for i in presented[piece.speaker] if _is_short_for(people[piece.person], people[i])]
        moved.append(replace(piece, person=fuller[0]) if len(fuller) == 1 else piece)
    return moved


def _is_short_for(one: Person, other: Person) -> bool:
    """Whether a person who is known by one name alone may be another, by given name or surname."""
    if " " in one.full or one.participant is not None:
        return False
    is_given = are_forms_of_one_name(one.full, other.given) or is_beginning_of(one.full, other.given)
    return is_given or fold(one.full) == fold(other.full.split()[-1])
