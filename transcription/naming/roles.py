"""Who is host, guest or announcer, and what the list's one host is worth as evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from schemas.episode import Role
from schemas.transcript import NameMethod
from transcription.names_in_sentences import Whom
from transcription.naming.claims import Heard, voice_of
from transcription.naming.evidence import Piece, piece_of
from transcription.naming.people import Person, person_of
from transcription.naming.talk import ANNOUNCER_WORDS, Talk

_OPENS = re.compile(r"\b(?:welcome to|you're listening to|tuning in to|tuned in to|welcome back to)\b", re.I)
_CLOSES = re.compile(
    r"\b(?:thank you (?:all |so much |both |very much )*for (?:listening|joining|"
    r"tuning)|thanks (?:so much )?for (?:listening|"
    r"joining|tuning)|that's (?:all|it) (?:for|from|we)|until next time|see you next|goodbye)\b",
    re.I,
)


def host_of(talk: Talk, heard: Sequence[Heard]) -> str | None:
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


def pieces_by_role(talk: Talk, people: Sequence[Person], host: str | None, heard: Sequence[Heard]) -> Iterator[Piece]:
    """The only participant with the role of host is the voice that introduces others, though nobody names it."""
    hosts = [i for i, person in enumerate(people) if person.participant and person.participant.role is Role.HOST]
    if host is None or len(hosts) != 1:
        return
    introducing = [
        each
        for each in heard
        if each.claim.whom in (Whom.INTRODUCED, Whom.NEXT)
        and talk.turns[each.turn].speaker == host
        and person_of(people, each.claim.name.text) not in (None, hosts[0])
    ]
    if introducing:
        first = replace(piece_of(introducing[0], host, hosts[0], 0.65), method=NameMethod.PARTICIPANT)
        yield first


def roles_of(talk: Talk, heard: Sequence[Heard], host: str | None) -> dict[str, Role]:
    """Host, guests (who are introduced or addressed by the host) and announcers, as far as they show themselves."""
    roles: dict[str, Role] = {}
    if host is not None:
        roles[host] = Role.HOST
    for each in heard:
        answering = voice_of(talk, each)
        if talk.turns[each.turn].speaker == host and answering not in (None, host) and host is not None:
            roles.setdefault(str(answering), Role.GUEST)
    for voice in talk.announcers - {host}:
        roles[str(voice)] = Role.ANNOUNCER
    return roles
