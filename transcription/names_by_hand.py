"""Names that somebody gives by hand, in a document that was named by evidence.

A name given by hand stays whatever the talk says; everybody else is named anew beside it, so that a name that was
given to the wrong voice leaves that voice, and whoever is left over may be known now. "Nobody knows who this is" is
said by hand, too: such a speaker has no name and is `known_by` given.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import replace

from schemas.episode import Participant
from schemas.errors import NotFound, OptionError
from schemas.names_by_hand import NameByHand
from schemas.transcript import NameMethod, Speaker, Transcript
from transcription.described import LONGEST_ALIAS, LONGEST_DESCRIPTION, MOST_ALIASES
from transcription.naming import name_speakers
from transcription.naming.speakers import sample_of
from transcription.participants import MAX_CHARACTERS, parse_participant

#: How a name is known that no evidence takes away. None: a document of before it was noted.
_KEPT = (NameMethod.GIVEN, NameMethod.KNOWN_VOICE, NameMethod.PAGE, None)

#: They turn the letters around them, in every page that the name is printed on (Unicode 16, section 23.2).
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


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


def is_nobody(speaker: Speaker) -> bool:
    """Whether somebody said that it is not known who this is."""
    return speaker.name is None and _is_given(speaker)


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
        name=_text(given.name, MAX_CHARACTERS, field),
        honorific=_text(given.honorific, LONGEST_ALIAS, field) if given.honorific else None,
        role=given.role,
        description=_text(given.description, LONGEST_DESCRIPTION, field) if given.description else None,
        aliases=tuple(dict.fromkeys(_text(each, LONGEST_ALIAS, field) for each in given.aliases)),
    )


def _text(text: str, longest: int, field: str) -> str:
    """The text on one line. Raises OptionError `name_invalid`."""
    if len(text) > longest:
        raise _invalid(f"{text[:40]!r}…: {len(text)} characters, at most {longest}", field)
    if any(_is_control(each) or each in _TURNING for each in text):
        raise _invalid(f"{text!a} holds control characters", field)
    text = " ".join(unicodedata.normalize("NFC", text).split())
    if not any(each.isalpha() for each in text):
        raise _invalid(f"{text!r} holds no letter", field)
    return text


def _is_control(character: str) -> bool:
    """Whether neither a page nor a database can hold it; white space is folded."""
    return unicodedata.category(character) in ("Cc", "Cs") and character not in "\t\r\n"


def _invalid(what: str, field: str) -> OptionError:
    return OptionError(what, code="name_invalid", field=field)


def _as_said(transcript: Transcript, speaker: Speaker, said: NameByHand | None) -> Speaker:
    if said is None:
        return _nameless(speaker) if _is_given(speaker) else speaker
    if said.name is None:
        return replace(_nameless(speaker), known_by=NameMethod.GIVEN, role=said.role or speaker.role)
    listed = _participant(transcript, said.name)
    is_same = speaker.name == said.name
    evidence = speaker.evidence if is_same else sample_of(transcript, speaker.id, NameMethod.GIVEN, 1.0)
    return replace(
        speaker,
        name=said.name,
        known_by=NameMethod.GIVEN,
        confidence=1.0,
        evidence=evidence,
        honorific=said.honorific or listed.honorific or (speaker.honorific if is_same else None),
        role=said.role or listed.role or speaker.role,
        description=said.description or listed.description or (speaker.description if is_same else None),
        aliases=said.aliases or (speaker.aliases if is_same else listed.aliases),
    )


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
    return " ".join((name or "").split()).casefold()
