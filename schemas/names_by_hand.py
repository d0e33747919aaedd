"""Names of speakers as somebody gives them: the body of `PATCH /v1/transcripts/{episode id}/speakers`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import ConfigDict, Field

from schemas.episode import Role


@dataclass(frozen=True, slots=True)
class NameByHand:
    """Who a speaker is. Without a name: that nobody knows, whatever is said in the talk.

    An unknown field is refused: a misspelt `honorific` would be lost without a word.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    name: str | None  #: full name without honorific; null = "Speaker 2", and naming by evidence gives none
    honorific: str | None = None  #: null = as it was, or as the participants have it; "" = none
    role: Role | None = None  #: null = as it was
    description: str | None = None  #: null and "" as of the honorific
    aliases: tuple[str, ...] = ()  #: other forms of the name: "Steph", "Andrew"; none = as they were


@dataclass(frozen=True, slots=True)
class NamesByHand:
    """What somebody who read a revision says of its speakers, all at once: two swapped names are one change."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    #: That was read; a later one is not changed by what was said of this one. Strict: neither "1" nor true is a 1.
    revision: Annotated[int, Field(strict=True)]
    #: By speaker id, at least one. A text is read as a participant is ("Dr Ada Quill, guest"); null takes back what
    #: was given by hand, and the evidence decides again.
    speakers: dict[str, NameByHand | str | None]
