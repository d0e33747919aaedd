"""What the supervisor and its engine child say to each other, over a pipe that belongs to them alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from adapters.settings import Settings
from schemas.episode import AudioInfo, Episode
from schemas.errors import StenocastError
from schemas.job import Job, Progress
from transcription.ports import Prepared, Result


@dataclass(frozen=True, slots=True)
class Begin:
    """To the child, first: how it is set up and whose child it is."""

    settings: Settings
    supervisor: int  #: process id


@dataclass(frozen=True, slots=True)
class Load:
    """To the child: have this model set ready."""

    models: str


@dataclass(frozen=True, slots=True)
class Work:
    """To the child: do this job."""

    job: Job
    episode: Episode
    audio_key: str
    token: int  #: of the lease; names the result's key
    revision: int  #: that the document will be
    folder: Path  #: for this attempt alone; the child makes it and the supervisor removes it
    earlier_key: str | None = None  #: of the episode's current transcript: names that were given by hand are kept
    prepared: Prepared | None = None  #: the sound, where another child has fetched and decoded it into `folder`


@dataclass(frozen=True, slots=True)
class Prepare:
    """To the child: fetch and decode the sound of this job, for another child to go on with."""

    job_id: str
    audio_key: str
    token: int
    folder: Path  #: of the attempt, as in `Work`
    name: str = ""  #: of the recording, as its sender called it


@dataclass(frozen=True, slots=True)
class Stop:
    """To the child: leave the job with this lease."""

    job_id: str
    token: int


@dataclass(frozen=True, slots=True)
class Loading:
    """From the child: a model set is being loaded; no progress until it is."""

    models: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """From the child: the model set is ready."""

    models: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Told:
    """From the child: how far it is."""

    progress: Progress


@dataclass(frozen=True, slots=True)
class Fetched:
    """From the child: the recording of the job's link lies in the store, under the key `recording.uri`."""

    recording: AudioInfo


@dataclass(frozen=True, slots=True)
class Halved:
    """From the child: GPU memory ran out, and the work goes on with half as much at once."""

    stage: str


@dataclass(frozen=True, slots=True)
class Ready:
    """From the child: the sound lies in the folder of the attempt."""

    prepared: Prepared


@dataclass(frozen=True, slots=True)
class Finished:
    """From the child: the document lies in the store."""

    result: Result


@dataclass(frozen=True, slots=True)
class Stopped:
    """From the child: the job was left, as asked."""


@dataclass(frozen=True, slots=True)
class Broke:
    """From the child: the work ended with an error of ours."""

    error: StenocastError


@dataclass(frozen=True, slots=True)
class Unexpected:
    """From the child: an exception that nobody foresaw. Its state is unknown: the child is replaced."""

    kind: str
    trace: str  #: for the operator's log only


ToChild = Begin | Load | Work | Prepare | Stop
FromChild = Loading | Loaded | Told | Fetched | Halved | Ready | Finished | Stopped | Broke | Unexpected
#: Those after which the child waits for the next order.
LastWord = Ready | Finished | Stopped | Broke | Unexpected
