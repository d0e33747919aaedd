"""Speakers' names from what is said, each with its evidence. A wrong name is worse than none.

`transcription.introductions`, with `transcription.addresses`, finds the places where a name is said in a telling way;
here each becomes a piece of evidence for one voice, pieces for the same person add up, and a name is given where the
sum is high enough and nothing comes near it: no other voice with the same name, no other name for the same voice.

In the order in which they are needed: `talk` (the transcript as naming reads it), `claims` (what is said of whom),
`people` (who that can be), `answers` (how the next voice takes it), `evidence`, `by_sound` and `presentations` (for
which voice that speaks), `roles`, `decisions` (which names are believed), `weighed_lists`, `jointly`, `by_calls` and
`unlisted` (who the others are, by all `mentions` at once), `last_introduced` (who is left), `speakers` (the
document's speakers, with the evidence).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from schemas.transcript import Transcript
from transcription.naming.by_calls import named_by_calls
from transcription.naming.by_sound import pieces_by_sound
from transcription.naming.claims import Heard, claims_of
from transcription.naming.decisions import Decision, believed_names, by_elimination
from transcription.naming.evidence import Piece, pieces_of, without_namesakes
from transcription.naming.jointly import named_jointly
from transcription.naming.last_introduced import last_introduced
from transcription.naming.mentions import Mention, find_mentions
from transcription.naming.people import Person, people_of
from transcription.naming.presentations import completed, pieces_by_presentation
from transcription.naming.roles import host_of, pieces_by_role, roles_of
from transcription.naming.speakers import evidence_of, named_speaker
from transcription.naming.talk import Talk
from transcription.naming.unlisted import named_unlisted
from transcription.naming.weighed_lists import give_out, is_weighed


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
    roles = roles_of(found.talk, found.heard, found.host)
    speakers = tuple(
        named_speaker(found.talk, found.people, each, found.named, roles) for each in transcript.speakers
    )
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
        evidence = evidence_of(found.talk, best)
        name = found.people[best.person].full
        unsettled.append(Unsettled(voice, name, evidence.quote, evidence.start, len(same) > 2))
    return tuple(unsettled)


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that naming found in a transcript."""

    talk: Talk
    heard: Sequence[Heard]
    people: Sequence[Person]
    pieces: Sequence[Piece]
    host: str | None
    named: Mapping[str, Decision]

    def mentions_of_listed(self) -> list[Mention]:
        """Every mention of a participant of the metadata."""
        listed = [i for i, person in enumerate(self.people) if person.participant is not None]
        return list(find_mentions(self.talk, self.people, listed))


def found_by_evidence(transcript: Transcript) -> Found:
    """What single pieces of evidence say, and whom they name before the talk is looked at as a whole."""
    talk = Talk(transcript)
    heard = claims_of(talk)
    people = list(people_of(talk, heard))
    pieces = [*pieces_of(talk, people, heard), *pieces_by_sound(talk, people, heard)]
    pieces += pieces_by_presentation(talk, people, pieces)
    pieces = completed(people, pieces)
    pieces = without_namesakes(talk, people, heard, pieces)
    host = host_of(talk, heard)
    pieces += pieces_by_role(talk, people, host, heard)
    return Found(talk, heard, people, pieces, host, believed_names(talk, people, pieces))


def found_by_rules(transcript: Transcript) -> Found:
    """The names that evidence, a list and habitual calls give."""
    found = found_by_evidence(transcript)
    talk, people, pieces, named = found.talk, found.people, found.pieces, dict(found.named)
    mentions = found.mentions_of_listed()
    if is_weighed(talk):
        given_out = give_out(talk, people, pieces, named, mentions)
        return replace(found, named=given_out | named_by_calls(talk, people, found.heard, pieces, given_out))
    jointly = named_jointly(talk, people, pieces, named, mentions)
    jointly |= named_by_calls(talk, people, found.heard, pieces, named | jointly)
    # What a single turn says may be wrong, and must not make a second name wrong.
    firm = {voice: each for voice, each in jointly.items() if len({piece.turn for piece in each.pieces}) > 1}
    return replace(found, named=named | by_elimination(talk, people, pieces, named | firm, mentions) | jointly)


def _found(transcript: Transcript) -> Found:
    found = found_by_rules(transcript)
    unlisted = named_unlisted(found.talk, found.people, found.heard, found.pieces, found.named)
    named = {**found.named, **unlisted}
    # Who has a name now is no rival any more.
    named |= believed_names(found.talk, found.people, found.pieces, named)
    return replace(found, named=named | last_introduced(found.talk, found.people, found.heard, found.pieces, named))
