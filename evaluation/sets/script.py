"""The script of a synthetic episode: a TOML file that says who says what, how they sound and what plays below."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from schemas.errors import InputError
from schemas.job import Term
from transcription.ports import SAMPLE_RATE

SCRIPTS = Path(__file__).parent / "scripts"

#: The pace that lengths are guessed by; synthesizers speak a little faster than people on air.
WORDS_PER_MINUTE = 165

T = TypeVar("T")


class Synthesizer(StrEnum):
    """The programs that speak; each is a package of Debian."""

    FLITE = "flite"
    FESTIVAL = "festival"
    ESPEAK = "espeak-ng"


class SoundKind(StrEnum):
    """What plays beside or between the words."""

    MUSIC = "music"
    NOISE = "noise"  #: a busy room
    HUM = "hum"  #: mains and a fan
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Voice:
    """How one speaker sounds. `pitch` is hertz for flite and 0 to 99 for espeak-ng; festival has none."""

    name: str  #: full name; empty where nobody could know it
    synthesizer: Synthesizer
    voice: str
    stretch: float = 1.0  #: 1.1 is slower than the synthesizer's own pace
    pitch: int = 0  #: 0 = the voice's own
    level: float = -21.0  #: dBFS (RMS)


@dataclass(frozen=True, slots=True)
class Line:
    """One turn. Paragraphs are parted by empty lines."""

    voice: str
    text: str
    pause: float = 0.4  #: seconds of silence before it; negative: it begins before the former one ends
    recording: int = 1  #: 2 = joined to the first afterwards, from another room
    paragraph_pause: float = 0.9  #: seconds of silence between its paragraphs
    band: tuple[int, int] | None = None  #: hertz that a bad line lets through, lowest and highest; None = all

    def paragraphs(self) -> list[str]:
        return [" ".join(part.split()) for part in re.split(r"\n\s*\n", self.text.strip()) if part.strip()]


@dataclass(frozen=True, slots=True)
class Interlude:
    """A sound on its own between two turns."""

    sound: SoundKind
    seconds: float
    level: float = -24.0


@dataclass(frozen=True, slots=True)
class Bed:
    """A sound under the entries from `first` to `last`, counted from 1, both included."""

    sound: SoundKind
    first: int
    last: int
    level: float = -36.0


@dataclass(frozen=True, slots=True)
class Script:
    """A whole episode. The same script gives the same samples."""

    name: str
    about: str  #: what is hard about it
    title: str
    show: str
    seed: int
    participants: tuple[str, ...]  #: as the metadata would give them: "Ada Quill, host"; none = no metadata
    voices: dict[str, Voice]
    entries: tuple[Line | Interlude, ...]
    beds: tuple[Bed, ...]
    glossary: tuple[Term, ...] = ()  #: as the show would have it

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(each for each in self.entries if isinstance(each, Line))

    def guessed_seconds(self) -> float:
        """The length by the number of words, before anything is spoken."""
        words = sum(len(line.text.split()) for line in self.lines)
        silent = sum(line.pause for line in self.lines)
        return (
            words * 60 / WORDS_PER_MINUTE
            + silent
            + sum(each.seconds for each in self.entries if isinstance(each, Interlude))
        )


def read_script(path: Path) -> Script:
    """Raises InputError `script_invalid`, naming the file and what is wrong in it."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        script = Script(
            name=path.stem,
            about=str(table["about"]),
            title=str(table["title"]),
            show=str(table["show"]),
            seed=int(table["seed"]),
            participants=tuple(table.get("participants", ())),
            voices={label: _made(Voice, record) for label, record in table["voices"].items()},
            entries=tuple(_entry(each) for each in table["entries"]),
            beds=tuple(_made(Bed, each) for each in table.get("beds", ())),
            glossary=tuple(
                Term(str(each["write"]), tuple(each.get("sounds_like", ()))) for each in table.get("glossary", ())
            ),
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path.name}: {error}", code="script_invalid") from error
    _check(script, path)
    return script


def _entry(record: dict[str, Any]) -> Line | Interlude:
    return _made(Interlude, record) if "sound" in record else _made(Line, record)


def _made(kind: type[T], record: dict[str, Any]) -> T:
    """A dataclass from a table, its words for synthesizers and sounds as enums. Raises TypeError, ValueError."""
    as_read = {"synthesizer": Synthesizer, "sound": SoundKind, "band": _band}
    return kind(**{key: as_read[key](value) if key in as_read else value for key, value in record.items()})


def _band(value: Any) -> tuple[int, int]:
    lowest, highest = (int(each) for each in value)
    if not 0 < lowest < highest < SAMPLE_RATE // 2:
        raise ValueError(f"band = [{lowest}, {highest}]: must be hertz below {SAMPLE_RATE // 2}, the lower first")
    return lowest, highest


def _check(script: Script, path: Path) -> None:
    for line in script.lines:
        if line.voice not in script.voices:
            raise InputError(f"{path.name}: nobody is called {line.voice!r}", code="script_invalid")
        if not line.paragraphs():
            raise InputError(f"{path.name}: {line.voice} says nothing in a turn", code="script_invalid")
    for bed in script.beds:
        if not 1 <= bed.first <= bed.last <= len(script.entries):
            raise InputError(f"{path.name}: no entries {bed.first} to {bed.last}", code="script_invalid")


def scripts(folder: Path = SCRIPTS) -> tuple[Script, ...]:
    """Every script there is, by name."""
    return tuple(read_script(path) for path in sorted(folder.glob("*.toml")))


def sentences_of(paragraph: str) -> list[str]:
    """The sentences of a paragraph, each with its final mark."""
    return [each for each in re.split(r"(?<=[.?!])\s+", paragraph) if each]
