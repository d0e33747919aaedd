"""A job: one request to transcribe an episode (version `job/1`)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class JobState(StrEnum):
    QUEUED = "queued"  #: waiting, perhaps not before a time
    RUNNING = "running"  #: a worker holds the lease
    DONE = "done"  #: the transcript is there
    FAILED = "failed"  #: ended with a code; may be retried by hand
    CANCELLED = "cancelled"  #: somebody asked for it

    @property
    def is_final(self) -> bool:
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


#: Every move there is, and which calls of `JobQueue` make it. docs/job-states.md is drawn from this (`make schemas`).
MOVES: dict[tuple[JobState, JobState], tuple[str, ...]] = {
    (JobState.QUEUED, JobState.RUNNING): ("claim",),
    (JobState.RUNNING, JobState.DONE): ("finish",),
    (JobState.RUNNING, JobState.QUEUED): ("release", "fail", "rescue"),  # handed back, or to be tried again
    (JobState.RUNNING, JobState.FAILED): ("fail", "rescue"),
    (JobState.QUEUED, JobState.CANCELLED): ("cancel", "delete"),
    (JobState.RUNNING, JobState.CANCELLED): ("cancel", "delete"),
    (JobState.FAILED, JobState.QUEUED): ("retry",),  # by hand
}

#: The states in which a job can begin: waiting, or failed because it cannot be done as asked.
FIRST_STATES: tuple[JobState, ...] = (JobState.QUEUED, JobState.FAILED)

#: Which state may follow which.
LEGAL_MOVES: dict[JobState, frozenset[JobState]] = {
    state: frozenset(after for before, after in MOVES if before is state) for state in JobState
}


class Stage(StrEnum):
    """Where a running job is, in order."""

    FETCH = "fetch"
    DECODE = "decode"
    RECOGNIZE = "recognize"
    DIARIZE = "diarize"
    ASSEMBLE = "assemble"
    PUBLISH = "publish"


class Wording(StrEnum):
    """How much of what was said stands in the text. The document keeps every word."""

    VERBATIM = "verbatim"
    CLEAN = "clean"  #: um, uh, er and stutters of function words leave the text
    TIDY = "tidy"  #: false starts and phrases that only fill ("you know", "I mean") too


class Backchannels(StrEnum):
    """What becomes of a listener's "mm-hm" inside somebody else's turn."""

    KEEP = "keep"  #: it is a turn of its own
    FOLD = "fold"  #: it leaves the text, and the turn around it stays whole; the document keeps the words


@dataclass(frozen=True, slots=True)
class Term:
    """An entry of a show's glossary."""

    write: str  #: as it should be printed, capitals included
    sounds_like: tuple[str, ...] = ()  #: what recognizers make of it


@dataclass(frozen=True, slots=True)
class JobOptions:
    """What the user asked for; part of what makes two jobs the same."""

    models: str = "starter"  #: a model set, a hub name or a folder
    language: str | None = None  #: null = the episode's, else detected
    speakers: int | None = None  #: exactly this many, 1 to 50
    min_speakers: int | None = None
    max_speakers: int | None = None
    vocabulary: tuple[str, ...] = ()  #: words the recognizer should expect, at most 500
    wording: Wording = Wording.CLEAN
    diarize: bool = True  #: false = one voice, words only
    backchannels: Backchannels = Backchannels.KEEP
    glossary: tuple[Term, ...] = ()  #: the show's, at most 300 terms
    follow_language: bool = True  #: stretches in another language are written in it; false = all in one


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running job is. Seconds of audio, not of the clock."""

    stage: Stage
    done: float = 0.0  #: audio seconds finished in this stage
    total: float | None = None  #: audio seconds of the stage, once known
    eta: float | None = None  #: clock seconds left for the whole job, an estimate
    fraction: float | None = None  #: of the whole job, 0 to 1
    waits: bool = False  #: prepared early: nothing is done for it until its worker's present job ends
    loads: bool = False  #: its worker loads the models; nothing else is done for it meanwhile
    bytes_done: int | None = None  #: of the recording, while it is downloaded from a link
    bytes_total: int | None = None  #: as its server says


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job failed."""

    code: str
    message: str
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """One request to transcribe an episode, as every surface shows it. Times are ISO 8601 UTC."""

    id: str
    episode_id: str
    state: JobState
    created: str
    updated: str
    options: JobOptions = JobOptions()
    title: str | None = None
    show: str | None = None
    priority: int = 0  #: higher goes first, -100 to 100
    attempts: int = 0  #: failures and crashes only
    crashes: int = 0
    not_before: str | None = None  #: a queued job waits until then
    progress: Progress | None = None
    error: JobError | None = None
    worker: str | None = None  #: who holds the lease
    transcript_key: str | None = None  #: where the document lies, once done
    transcript_sha256: str | None = None
    revision: int | None = None
    audio_seconds: float | None = None
    started: str | None = None
    finished: str | None = None
    deleted: str | None = None  #: when its episode was deleted: nothing of it can be read any more
    schema: str = "job/1"
