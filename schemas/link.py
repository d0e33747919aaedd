"""A request for the recording behind a link: the body of `POST /v1/episodes` as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from schemas.job import JobOptions, Term
from schemas.sidecar import Sidecar


@dataclass(frozen=True, slots=True)
class LinkedEpisode(Sidecar):
    """What a metadata file may say, the link, and the fields that only requests have. Others are refused."""

    url: str = field(kw_only=True)  #: https://… or http://…, of the recording itself and not of a page about it
    min_speakers: int | None = None
    max_speakers: int | None = None
    diarize: bool = True  #: false = one voice, words only
    episode_id: str | None = None  #: a UUID; new where none is given

    def options(self, models: str, *, glossary: tuple[Term, ...] = ()) -> JobOptions:
        """What is asked for, done with a model set. `glossary` is the show's, for a request without its own."""
        asked = Sidecar.options(self, models, glossary=glossary)
        return replace(asked, min_speakers=self.min_speakers, max_speakers=self.max_speakers, diarize=self.diarize)
