"""The transcript document, version `transcript/1`.

Times are seconds from the start of the recording with millisecond precision, or null where none is known (an
imported page). Ids are unique in the document. Text is NFC unless it was imported from a page that is not.
Clean-up never deletes a word: it leaves it out of the paragraph's text.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from schemas.episode import Episode, Role


class WordTag(StrEnum):
    """Why a word may be left out of the text or should be looked at."""

    FILLER = "filler"  #: um, uh, er
    REPEAT = "repeat"  #: a stuttered function word; the last of the run is kept
    FALSE_START = "false_start"  #: words that the speaker began again
    BACKCHANNEL = "backchannel"  #: said by the listener ("mm-hm"), folded into the turn it fell into
    CORRECTED = "corrected"  #: as the glossary writes it; `quality.corrections` says what was recognized
    DOUBTFUL = "doubtful"  #: the recognizer was unsure, or the sound does not support it
    OVERLAP = "overlap"  #: another voice speaks at the same time


@dataclass(frozen=True, slots=True)
class Word:
    """One timed word, with its punctuation and without surrounding spaces."""

    text: str
    start: float | None = None
    end: float | None = None
    probability: float | None = None  #: the recognizer's, 0 to 1
    tags: tuple[WordTag, ...] = ()


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A readable part of a turn. `text` is what is printed; `words` is everything that was said.

    A document made from sound has words; one read from a page has none.
    """

    id: str
    text: str
    start: float | None = None
    end: float | None = None
    words: tuple[Word, ...] = ()


class AsideKind(StrEnum):
    """What stands between the paragraphs of a page without being said there."""

    PULL_QUOTE = "pull_quote"
    ATTRIBUTION = "attribution"  #: the name under a pull quote
    CAPTION = "caption"  #: words under a picture, what is heard ("Music"), a heading, code: nobody says it


@dataclass(frozen=True, slots=True)
class Aside:
    """A block inside a turn that is not speech at that place."""

    id: str
    kind: AsideKind
    text: str
    after: int = 0  #: how many of the turn's paragraphs stand before it
    attributed_to: str | None = None  #: speaker id, where it is known


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker says without a break. `speaker` is null where no voice could be given to the words."""

    id: str
    speaker: str | None
    paragraphs: tuple[Paragraph, ...]
    start: float | None = None
    end: float | None = None
    asides: tuple[Aside, ...] = ()


class NameMethod(StrEnum):
    """How a speaker's name came to be known, strongest first."""

    GIVEN = "given"  #: by hand
    KNOWN_VOICE = "known_voice"  #: the voice was named in an earlier episode, with consent
    PARTICIPANT = "participant"  #: a participant of the episode's metadata matched to the voice
    SELF_INTRODUCTION = "self_introduction"  #: "I'm …", "my name is …"
    HOST_INTRODUCTION = "host_introduction"  #: introduced by another voice and then speaks
    ADDRESS = "address"  #: answers when addressed by name
    ELIMINATION = "elimination"  #: everybody else is named by evidence, one participant and one voice are left
    PAGE = "page"  #: the label of an imported page


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a name is believed. `quote` stands verbatim in the words of `turn`."""

    method: NameMethod
    quote: str
    turn: str | None = None  #: id of the turn that holds the quote
    start: float | None = None
    confidence: float = 1.0  #: 0 to 1


@dataclass(frozen=True, slots=True)
class Speaker:
    """A voice with, where the evidence allows, a name. Ids are `S1`… by first appearance."""

    id: str
    voice: str | None = None  #: the diarizer's label, "voice 1"
    name: str | None = None  #: full name without honorific; null = print "Speaker N"
    known_by: NameMethod | None = None  #: given, without a name: somebody said that it is not known
    confidence: float | None = None  #: of the name, 0 to 1
    evidence: tuple[Evidence, ...] = ()
    honorific: str | None = None
    description: str | None = None
    role: Role | None = None
    aliases: tuple[str, ...] = ()
    speech_seconds: float | None = None


class SegmentKind(StrEnum):
    SPEECH = "speech"
    INTRO = "intro"
    ADVERT = "advert"
    MUSIC = "music"
    RECORDING = "recording"  #: a second recording joined to the first begins here


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the recording by what it is."""

    kind: SegmentKind
    start: float | None = None
    end: float | None = None
    turn: str | None = None  #: the turn it begins with, where times are unknown
    paragraph: str | None = None  #: the paragraph, where it begins inside a turn


@dataclass(frozen=True, slots=True)
class Warning:
    """Something an editor should know before publishing. Codes are stable."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class DoubtfulSpan:
    """Text that an editor should listen to again."""

    start: float
    end: float
    #: stable code: low_probability, repetition, words_without_speech, speech_without_words, word_lengths,
    #: other_language, invented
    reason: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class SpokenLanguage:
    """A stretch that is written in another language than the transcript's."""

    start: float
    end: float
    language: str
    probability: float  #: the recognizer's, that it is this language


@dataclass(frozen=True, slots=True)
class Correction:
    """One place where the text was changed after recognition."""

    reason: str  #: stable code: glossary, casing, punctuation
    heard: str  #: as it was recognized
    written: str
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True, slots=True)
class AbsorbedVoice:
    """A voice of little speech that was taken for another one."""

    voice: str  #: the diarizer's label
    into: str
    seconds: float  #: it spoke
    similarity: float  #: cosine of the two voices' embeddings


@dataclass(frozen=True, slots=True)
class FoldedBackchannel:
    """A listener's "mm-hm" that stands, tagged, among the words of the turn it fell into."""

    speaker: str | None
    text: str
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True, slots=True)
class Quality:
    """What can be said about the transcript without a reference."""

    speech_seconds: float | None = None  #: found by voice detection or diarization
    coverage: float | None = None  #: share of the speech that carries words, 0 to 1
    word_count: int = 0
    mean_probability: float | None = None
    overlap_seconds: float | None = None
    unassigned_words: int = 0  #: words that no voice covers
    no_speech: bool = False
    truncated: bool = False  #: the recording broke off before its header said
    doubtful: tuple[DoubtfulSpan, ...] = ()
    redone: tuple[DoubtfulSpan, ...] = ()  #: stretches that were recognized again with care, with their first text
    warnings: tuple[Warning, ...] = ()
    corrections: tuple[Correction, ...] = ()
    absorbed: tuple[AbsorbedVoice, ...] = ()
    folded: tuple[FoldedBackchannel, ...] = ()
    removed: tuple[DoubtfulSpan, ...] = ()  #: text that was taken for invented and is not among the words


@dataclass(frozen=True, slots=True)
class EngineUse:
    """One engine that took part."""

    stage: str  #: recognize, diarize
    engine: str  #: "faster-whisper"
    version: str
    model: str  #: set and model: "starter/whisper-base"
    fingerprint: str  #: changes whenever the result could


@dataclass(frozen=True, slots=True)
class StageTime:
    stage: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Provenance:
    """How and when the document was made."""

    stenocast: str  #: version
    created: str  #: ISO 8601 UTC
    engines: tuple[EngineUse, ...] = ()
    stages: tuple[StageTime, ...] = ()
    language_probability: float | None = None


class MatterKind(StrEnum):
    """What a block before or after the talk is."""

    TITLE = "title"
    DATE = "date"
    STANDFIRST = "standfirst"
    DESCRIPTION = "description"
    HEADING = "heading"
    PERSON = "person"  #: an entry of the page's list of speakers
    TEXT = "text"  #: anything else, navigation included


@dataclass(frozen=True, slots=True)
class Matter:
    """A block of the page before (`front`) or after (`back`) the talk, in the page's words."""

    id: str
    kind: MatterKind
    text: str
    speaker: str | None = None  #: of a person entry: the speaker it is about


@dataclass(frozen=True, slots=True)
class LayoutMark:
    """One thing a page does that its style does not explain, at one block of the document.

    `value` holds white space, punctuation, tags, sizes of lines or a keyword of the style, never words of the page.
    """

    block: str  #: id of a turn, paragraph, aside, matter block or speaker; "page" for the whole page
    kind: str  #: before, after, label_form, …: the words of `Mark` in formats/writing
    value: str


#: What the bytes of a page can be written in.
Encoding = Literal["utf-8", "windows-1252"]


@dataclass(frozen=True, slots=True)
class Layout:
    """Only on imported pages: the style, and what it does not explain, so that writing gives back the same bytes."""

    style: str
    definition: str = ""  #: the style as TOML, without its furniture, where it is none of those that ship
    line_end: str = "\n"
    bom: bool = False
    final: str = ""  #: white space after the last block, with the line ends it has
    marks: tuple[LayoutMark, ...] = ()
    encoding: Encoding = "utf-8"  #: of the page's bytes


@dataclass(frozen=True, slots=True)
class Transcript:
    """Who said what and when. The one document that everything downstream reads."""

    episode: Episode
    speakers: tuple[Speaker, ...] = ()
    turns: tuple[Turn, ...] = ()
    segments: tuple[Segment, ...] = ()
    quality: Quality = Quality()
    provenance: Provenance | None = None
    front: tuple[Matter, ...] = ()
    back: tuple[Matter, ...] = ()
    layout: Layout | None = None
    language: str | None = None
    languages: tuple[SpokenLanguage, ...] = ()  #: stretches in another language than `language`
    revision: int = 1
    schema: str = "transcript/1"
