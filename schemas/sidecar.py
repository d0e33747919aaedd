"""The metadata file beside an episode (`<episode>.json`): what the publisher knows before anybody listens.

Used by the command line, the watched folder and, as a form field, the API. Every field may be absent.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from pydantic import ConfigDict, TypeAdapter, ValidationError

from schemas.episode import Episode, Participant
from schemas.errors import InputError
from schemas.job import Backchannels, JobOptions, Term, Wording
from schemas.near_misses import did_you_mean
from schemas.wire import repeated_field

#: Metadata is a page of text, not a payload.
LARGEST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What a publisher may say about an episode and how it should be done.

    An unknown field is refused: a misspelt `participants` would cost the names without a word.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    title: str | None = None
    show: str | None = None
    published: str | None = None  #: ISO 8601 date
    language: str | None = None
    participants: tuple[Participant, ...] = ()
    vocabulary: tuple[str, ...] = ()
    speakers: int | None = None  #: how many voices there are, when known
    models: str | None = None
    style: str | None = None  #: house style the publisher wants first
    priority: int = 0
    wording: Wording | None = None
    backchannels: Backchannels | None = None
    glossary: tuple[Term, ...] = ()  #: instead of the show's own
    follow_language: bool | None = None  #: false: all in one language, whatever a stretch sounds like

    def describe(self, episode: Episode) -> Episode:
        """The episode with its empty fields filled from this file."""
        return replace(
            episode,
            title=episode.title or self.title,
            show=episode.show or self.show,
            published=episode.published or self.published,
            language=episode.language or self.language,
            participants=episode.participants or self.participants,
            style=episode.style or self.style,
        )

    def options(self, models: str, *, glossary: tuple[Term, ...] = ()) -> JobOptions:
        """What this file asks for, done with a model set. `glossary` is the show's, for a file without its own."""
        asked = JobOptions(
            models=self.models or models,
            speakers=self.speakers,
            vocabulary=self.vocabulary,
            glossary=self.glossary or glossary,
        )
        if self.wording is not None:
            asked = replace(asked, wording=self.wording)
        if self.follow_language is not None:
            asked = replace(asked, follow_language=self.follow_language)
        return asked if self.backchannels is None else replace(asked, backchannels=self.backchannels)

    @property
    def asks_for_options(self) -> bool:
        """Whether it says anything about how the recording is to be done."""
        wanted = self.models or self.speakers or self.vocabulary or self.wording or self.backchannels or self.glossary
        return bool(wanted) or self.follow_language is not None


def _no_field(place: str) -> str:
    """What is wrong with a field that nobody knows, and which may have been meant where it is the file's own."""
    known = [] if "." in place else [each.name for each in fields(Sidecar)]
    return "no such field" + did_you_mean(place, known)


def read_sidecar(content: bytes, *, name: str) -> Sidecar:
    """Read a metadata file. `name` is what the error calls it. Raises InputError `metadata_invalid`."""
    if len(content) > LARGEST_BYTES:
        raise InputError(f"{name}: {len(content)} bytes is too large for metadata", code="metadata_invalid")
    try:
        sidecar = TypeAdapter(Sidecar).validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        why = _no_field(place) if first["type"] == "unexpected_keyword_argument" else first["msg"]
        raise InputError(f"{name}: {place}: {why}", code="metadata_invalid", field=place) from error
    repeated = repeated_field(content)
    if repeated is not None:
        field = repeated[:80]
        raise InputError(f"{name}: {field!a} stands there twice", code="metadata_invalid", field=field)
    return sidecar
