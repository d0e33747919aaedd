"""Names that somebody gives by hand, in a document that was named by evidence.

A name given by hand stays whatever the talk says; everybody else is named anew beside it, so that a name that was
given to the wrong voice leaves that voice, and whoever is left over may be known now. "Nobody knows who this is" is
said by hand, too: such a speaker has no name and is `known_by` given.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

from schemas.episode import Participant
from schemas.errors import NotFound, OptionError
from schemas.names_by_hand import NameByHand
from schemas.transcript import NameMethod, Speaker, Transcript
from transcription.described import LONGEST_ALIAS, LONGEST_DESCRIPTION, MOST_ALIASES
from transcription.naming import name_speakers
from transcription.naming.speakers import sample_of
from transcription.participants import MAX_CHARACTERS, parse_participant

#: Of the time of either voice, how much must be the other's for the two to be one (chosen: a clear majority).
SAME_VOICE = 2 / 3

#: How a name is known that no evidence takes away. None: a document of before it was noted.
_KEPT = (NameMethod.GIVEN, NameMethod.KNOWN_VOICE, NameMethod.PAGE, None)

#: They turn the letters around them, in every page that the name is printed on (Unicode 16, section 23.2).
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

#: They show nothing and part or join no letters of a name; they come along with what is pasted: soft hyphen,
#: zero-width space, word joiner, byte order mark (Unicode 16, section 23.2). The joiners of Persian and Hindi stay.
_UNSEEN = str.maketrans(dict.fromkeys("\u00ad\u200b\u2060\ufeff"))

#: What a speaker without a name is called, in pages and on the command line.
_NOBODYS = re.compile(r"speaker \d+|unknown voice")


def named_by_hand(transcript: Transcript, said: Mapping[str, NameByHand | None]) -> Transcript:
    """The document with these speakers, by their ids, named as somebody says; None takes back what was given by hand.

    What is said of a speaker who has that name already keeps its evidence. A name that is listed among the episode's
    participants brings what is known of that person. Raises NotFound `speaker_unknown`, and OptionError `name_taken`
    where another speaker keeps the name.
    """
    known = {each.id for each in transcript.speakers}
    for wanted in said:
        if wanted not in known:
            listed = ", ".join(each.id for each in transcript.speakers) or "nobody"
            raise NotFound(
                f"{wanted[:80]!r}: no such speaker; the transcript has {listed}",
                code="speaker_unknown",
                field="speakers",
            )
    speakers = tuple(
        _as_said(transcript, each, said[each.id]) if each.id in said else each for each in transcript.speakers
    )
    _check_distinct(speakers, said)
    return with_names_anew(replace(transcript, speakers=speakers))


def with_names_anew(transcript: Transcript) -> Transcript:
    """`name_speakers`, and who is said by hand to be nobody that is known stays without a name."""
    named = name_speakers(transcript)
    by_hand = {_folded(each.name) for each in transcript.speakers if each.name and _is_given(each)}
    speakers = tuple(
        replace(before, role=before.role or after.role)
        if is_nobody(before)
        else _nameless(after)
        if _is_namesake(after, by_hand)
        else after
        for before, after in zip(transcript.speakers, named.speakers, strict=True)
    )
    return replace(named, speakers=speakers)


def is_as_said(transcript: Transcript, said: Mapping[str, NameByHand | None]) -> bool:
    """Whether the document has the names that somebody gives already, so that giving them again changes nothing."""
    speakers = {each.id: each for each in transcript.speakers}
    return all(
        each in speakers and _as_said(transcript, speakers[each], name) == speakers[each]
        for each, name in said.items()
    )


def names_lost(before: Transcript, after: Transcript) -> frozenset[str]:
    """The names that a speaker of a document had and has no longer in a revision of it, whoever has them now.

    What the episode taught of a known voice under such a name was that speaker's voice.
    """
    named = {each.id: each.name for each in after.speakers}
    return frozenset(each.name for each in before.speakers if each.name and named.get(each.id) != each.name)


def is_nobody(speaker: Speaker) -> bool:
    """Whether somebody said that it is not known who this is."""
    return speaker.name is None and _is_given(speaker)


def with_names_kept(earlier: Transcript, later: Transcript) -> Transcript:
    """A transcript of the same recording made anew, with what was given by hand in the earlier one.

    A name is kept for the voice that speaks most of the same time: `SAME_VOICE` of the turns of either voice must be
    the other's. Which share it is stands there as the name's confidence. Another recording keeps nothing, and a name
    is not kept beside a known voice that has it.
    """
    sha256 = later.episode.audio.sha256
    if sha256 is None or sha256 != earlier.episode.audio.sha256:
        return later
    by_hand = {each.id: each for each in earlier.speakers if _is_given(each)}
    taken = {_folded(each.name) for each in later.speakers if each.known_by in _KEPT and each.name}
    said: dict[str, NameByHand | None] = {}
    kept: dict[str, float] = {}
    for (before, now), share in _shares(earlier, later, by_hand).items():
        name = _folded(by_hand[before].name)
        if share >= SAME_VOICE and name not in taken:
            said[now], kept[now] = _said_of(earlier, by_hand[before]), round(share, 3)
            taken |= {name} - {""}
    if not said:
        return later
    named = named_by_hand(later, said)
    return replace(
        named, speakers=tuple(_kept(each, kept[each.id]) if each.id in kept else each for each in named.speakers)
    )


def _kept(speaker: Speaker, share: float) -> Speaker:
    if speaker.name is None:
        return speaker
    return replace(
        speaker, confidence=share, evidence=tuple(replace(each, confidence=share) for each in speaker.evidence)
    )


def _said_of(transcript: Transcript, speaker: Speaker) -> NameByHand:
    """What somebody said to give this speaker the name. Who lacks what the participants have had it taken away."""
    if speaker.name is None:
        return NameByHand(None)
    listed = _participant(transcript, speaker.name)
    return NameByHand(
        speaker.name,
        speaker.honorific or ("" if listed.honorific else None),
        speaker.role,
        speaker.description or ("" if listed.description else None),
        speaker.aliases,
    )


def _shares(earlier: Transcript, later: Transcript, wanted: Container[str]) -> dict[tuple[str, str], float]:
    """How much of the time of a wanted speaker and of one of the later transcript is both of them, 0 to 1."""
    before, now = _spans(earlier), _spans(later)
    both: dict[tuple[str, str], float] = defaultdict(float)
    first = 0
    for start, end, speaker in before:
        while first < len(now) and now[first][1] <= start:
            first += 1
        if speaker not in wanted:
            continue
        for i in range(first, len(now)):
            if now[i][0] >= end:
                break
            both[speaker, now[i][2]] += max(0.0, min(end, now[i][1]) - max(start, now[i][0]))
    lengths_before, lengths_now = _lengths(before), _lengths(now)
    return {
        (one, other): seconds / max(lengths_before[one], lengths_now[other])
        for (one, other), seconds in both.items()
        if seconds > 0
    }


def _spans(transcript: Transcript) -> list[tuple[float, float, str]]:
    """Start, end and speaker of every turn that has all three, by start."""
    return sorted(
        (turn.start, turn.end, turn.speaker)
        for turn in transcript.turns
        if turn.start is not None and turn.end is not None and turn.speaker is not None
    )


def _lengths(spans: Sequence[tuple[float, float, str]]) -> dict[str, float]:
    lengths: dict[str, float] = defaultdict(float)
    for start, end, speaker in spans:
        lengths[speaker] += end - start
    return lengths


def checked_name(given: NameByHand | str, *, field: str) -> NameByHand:
    """A name as it will be kept: white space folded, NFC, the honorific apart.

    A text is read as a participant is: "Dr Ada Quill, guest". Raises OptionError `name_invalid` that names the value.
    """
    if isinstance(given, str):
        try:
            person = parse_participant(given)
        except OptionError as error:
            raise OptionError(
                error.message.removeprefix("participant: "), code="name_invalid", field=field
            ) from error
        given = NameByHand(person.name, person.honorific, person.role, person.description)
    if given.name is None:
        return NameByHand(None, role=given.role)
    if len(given.aliases) > MOST_ALIASES:
        raise _invalid(f"{len(given.aliases)} aliases, at most {MOST_ALIASES}", field)
    return NameByHand(
        name=_name(given.name, field),
        honorific=_text_or_none(given.honorific, LONGEST_ALIAS, field),
        role=given.role,
        description=_text_or_none(given.description, LONGEST_DESCRIPTION, field),
        aliases=tuple(dict.fromkeys(_text(each, LONGEST_ALIAS, field) for each in given.aliases)),
    )


def _text(text: str, longest: int, field: str) -> str:
    """The text on one line. Raises OptionError `name_invalid`."""
    if len(text) > longest:
        raise _invalid(f"{text[:40]!r}…: {len(text)} characters, at most {longest}", field)
    if any(_is_control(each) or each in _TURNING for each in text):
        raise _invalid(f"{text!a} holds control characters", field)
    text = " ".join(unicodedata.normalize("NFC", text.translate(_UNSEEN)).split())
    if not any(each.isalpha() for each in text):
        raise _invalid(f"{text!r} holds no letter", field)
    return text


def _text_or_none(text: str | None, longest: int, field: str) -> str | None:
    """The text on one line; "" where it says that there is none. Raises OptionError `name_invalid`."""
    return _text(text, longest, field) if text and not text.isspace() else text and ""


def _name(text: str, field: str) -> str:
    """A name on one line. Raises OptionError `name_invalid`."""
    name = _text(text, MAX_CHARACTERS, field)
    if _NOBODYS.fullmatch(_folded(name)):
        raise _invalid(f"{name!r} is what a speaker without a name is called", field)
    return name


def _is_control(character: str) -> bool:
    """Whether a page or a database cannot hold it, or nobody would see it there; white space is folded."""
    is_no_character = ord(character) & 0xFFFE == 0xFFFE or "\ufdd0" <= character <= "\ufdef"
    is_tag = "\U000e0000" <= character <= "\U000e007f"
    return (
        is_no_character or is_tag or (unicodedata.category(character) in ("Cc", "Cs") and character not in "\t\r\n")
    )


def _invalid(what: str, field: str) -> OptionError:
    return OptionError(what, code="name_invalid", field=field)


def _as_said(transcript: Transcript, speaker: Speaker, said: NameByHand | None) -> Speaker:
    if said is None:
        return _nameless(speaker) if _is_given(speaker) else speaker
    if said.name is None:
        return replace(_nameless(speaker), known_by=NameMethod.GIVEN, role=said.role or speaker.role)
    listed = _participant(transcript, said.name)
    is_same = speaker.name == said.name
    is_kept = is_same and _is_given(speaker)  # what somebody took away does not come back from the participants
    evidence = speaker.evidence if is_same else sample_of(transcript, speaker.id, NameMethod.GIVEN, 1.0)
    return replace(
        speaker,
        name=said.name,
        known_by=NameMethod.GIVEN,
        confidence=1.0,
        evidence=evidence,
        honorific=_said_or_known(said.honorific, speaker.honorific, listed.honorific, is_same, is_kept),
        role=said.role or listed.role or speaker.role,
        description=_said_or_known(said.description, speaker.description, listed.description, is_same, is_kept),
        aliases=said.aliases or (speaker.aliases if is_same else listed.aliases),
    )


def _said_or_known(
    said: str | None, known: str | None, listed: str | None, is_same: bool, is_kept: bool
) -> str | None:
    """What to say of a person: as somebody says, "" being that there is nothing; else as is known of the speaker or
    of the participant."""
    if said is not None:
        return said or None
    return known if is_kept else listed or (known if is_same else None)


def _participant(transcript: Transcript, name: str) -> Participant:
    """What the episode's metadata says of who is called so; nothing where it does not list the name."""
    listed = (each for each in transcript.episode.participants if _folded(each.name) == _folded(name))
    return next(listed, Participant(name))


def _nameless(speaker: Speaker) -> Speaker:
    return replace(
        speaker,
        name=None,
        known_by=None,
        confidence=None,
        evidence=(),
        honorific=None,
        description=None,
        aliases=(),
    )


def _check_distinct(speakers: tuple[Speaker, ...], said: Mapping[str, NameByHand | None]) -> None:
    """Two voices are two people. A name that was only found by evidence makes way for one that is given."""
    for one in speakers:
        for other in speakers:
            is_other = other.id != one.id and other.known_by in _KEPT
            if one.id in said and one.name and is_other and other.name and _folded(one.name) == _folded(other.name):
                raise OptionError(
                    f"{one.name!r} cannot be {one.id}: {other.id} has that name",
                    code="name_taken",
                    field=f"speakers.{one.id}",
                )


def _is_namesake(speaker: Speaker, by_hand: set[str]) -> bool:
    """Whether evidence gave a name that somebody gave to another speaker."""
    return speaker.name is not None and speaker.known_by not in _KEPT and _folded(speaker.name) in by_hand


def _is_given(speaker: Speaker) -> bool:
    return speaker.known_by is NameMethod.GIVEN


def _folded(name: str | None) -> str:
    """A name as it is compared: who reads two names that look alike takes them for one."""
    seen = (each for each in unicodedata.normalize("NFKC", name or "") if unicodedata.category(each) != "Cf")
    return " ".join("".join(seen).split()).casefold()
