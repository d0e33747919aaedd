"""An episode: one published recording and what is known about it (version `episode/1`)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person does in the episode."""

    HOST = "host"  #: opens, introduces and closes
    GUEST = "guest"  #: is introduced
    ANNOUNCER = "announcer"  #: a recorded voice that belongs to the show, not to the talk


@dataclass(frozen=True, slots=True)
class Participant:
    """A person who is known, before listening, to speak in the episode."""

    name: str  #: full name without honorific: "Tomas Feld"
    role: Role | None = None
    description: str | None = None  #: what they do, as given: "head of Health Research, New Local"
    honorific: str | None = None  #: printed before the name on first mention: "Dr"
    aliases: tuple[str, ...] = ()  #: other forms heard or written: "Steph", "Andrew"


@dataclass(frozen=True, slots=True)
class Chapter:
    """A named stretch of the recording, from the file's own tags. Times are seconds."""

    title: str
    start: float
    end: float | None = None


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """The recording itself."""

    uri: str | None = None  #: where it lies: a store key, a path or a URL; never a signed URL
    sha256: str | None = None  #: of the file's bytes, lower-case hex
    duration: float | None = None  #: decoded seconds, not what the header claims
    size_bytes: int | None = None
    container: str | None = None  #: what the content is, not what it is called: "mp3", "flac"
    file_name: str | None = None  #: the sender's name for it; display only, never used as a path


@dataclass(frozen=True, slots=True)
class Episode:
    """What is known about one published recording. `id` is a UUID in text form."""

    id: str
    title: str | None = None
    show: str | None = None
    published: str | None = None  #: ISO 8601 date, "2026-03-14"
    language: str | None = None  #: BCP 47 primary tag, "en"; null = find out
    participants: tuple[Participant, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    audio: AudioInfo = AudioInfo()
    style: str | None = None  #: the house style that the publisher wants first
    schema: str = "episode/1"
