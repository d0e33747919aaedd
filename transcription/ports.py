"""The promises that the pipeline and the workers act through. Real things keep them in adapters/.

Each Protocol says what comes back, what is raised, and what happens on a repeat. Every implementation, fakes
included, passes the contract tests of the same name in tests/contracts/.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from schemas.drop import Drop
from schemas.episode import AudioInfo, Chapter, Episode
from schemas.errors import InputError, Refused, TransientError
from schemas.events import Event
from schemas.job import Job, JobError, JobOptions, JobState, Progress
from schemas.transcript import DoubtfulSpan, SpokenLanguage, Warning, Word
from schemas.webhook import Delivery, DeliveryState, NewWebhook, Webhook, WebhookChange

SAMPLE_RATE = 16_000  #: samples a second everywhere after the decoder; Whisper's and pyannote's rate

#: Told how many seconds of audio of the current piece of work are finished. May raise to stop the work.
Report = Callable[[float], None]


# ---------------------------------------------------------------- sound


@dataclass(frozen=True, slots=True)
class Waveform:
    """Decoded sound: a scratch file of raw little-endian int16 mono samples at 16 kHz."""

    path: Path
    sample_count: int
    sha256: str  #: of the *source* file's bytes; names the checkpoints

    @property
    def seconds(self) -> float:
        return self.sample_count / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Tags:
    """What the file says about itself; fills empty metadata. Valid UTF-8, each at most 1,000 characters."""

    title: str | None = None
    show: str | None = None
    published: str | None = None
    chapters: tuple[Chapter, ...] = ()


@dataclass(frozen=True, slots=True)
class Decoded:
    """What came out of one file."""

    waveform: Waveform
    container: str
    tags: Tags = Tags()
    truncated: bool = False  #: it broke off before its header said
    warnings: tuple[Warning, ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """Sound that was fetched and decoded before the rest of the work began."""

    decoded: Decoded
    seconds: float  #: by the clock, that decoding took


class Decoder(Protocol):
    """Any recording to the samples that everything after it hears."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever the samples could: library, version, method."""
        ...

    def decode(self, source: Path, scratch: Path, *, name: str = "", report: Report | None = None) -> Decoded:
        """Decode the first audio stream of `source` into a new file in the folder `scratch`.

        `name` is what errors call the recording, where its sender called it otherwise than `source` is called.
        Runs in a confined child process. Raises AudioError (bad input, or more memory or processor time than its
        budget), CrashError (the child died or ran out of clock time) or NotReady (no room in `scratch`). On any
        error nothing is left in `scratch`. A repeat writes the same samples.
        """
        ...


# ---------------------------------------------------------------- engines


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the recording in seconds, start inclusive."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class RecognizeOptions:
    language: str | None = None  #: null = detect
    hotwords: tuple[str, ...] = ()  #: names and vocabulary to expect


@dataclass(frozen=True, slots=True)
class Passage:
    """What a recognizer wrote for one stretch in one go (Whisper hears 30 s at most), as the engine gave it.

    Times are from the start of the recording; they may run backwards or stretch over pauses
    (`transcription/speech.py` fits them).
    """

    span: Span
    words: tuple[Word, ...] = ()
    log_probability: float | None = None  #: mean of the tokens, natural logarithm; null: no words, or not known
    no_speech: float = 0.0  #: the engine's probability that nobody speaks here
    language: str = ""  #: in which it is written
    heard_language: str | None = None  #: that it sounds most like, where the engine was asked
    heard_probability: float = 0.0


@dataclass(frozen=True, slots=True)
class Recognition:
    """The words of one window, times from the start of the *recording*, in order.

    The second half is empty until the words have been guarded (`transcription/guarding.py`).
    """

    span: Span
    words: tuple[Word, ...]
    language: str
    language_probability: float
    speech_seconds: float  #: found by voice detection
    speech: tuple[Span, ...] = ()
    sentence_ends: tuple[float, ...] = ()  #: end times of the recognizer's own segments
    passages: tuple[Passage, ...] = ()  #: what the words were made of

    doubtful: tuple[DoubtfulSpan, ...] = ()  #: stretches that look wrong still
    redone: tuple[DoubtfulSpan, ...] = ()  #: stretches that were recognized again, with their first text
    removed: tuple[DoubtfulSpan, ...] = ()  #: text that was taken for invented
    languages: tuple[SpokenLanguage, ...] = ()  #: stretches in another language than the window's


#: Says of a reading whether it will do, so that no other is tried.
Enough = Callable[[Passage], bool]


class Recognizer(Protocol):
    """Audio to words with times."""

    fingerprint: str  #: changes whenever the words could: engine, version, model hash, parameters
    engine: str
    version: str
    model: str

    def windows(self, waveform: Waveform) -> tuple[Span, ...]:
        """Cut the recording at quiet places into windows of at most 300 s that cover it without a gap.

        The same waveform gives the same windows: they name the checkpoints. Memory stays flat.
        """
        ...

    def recognize(
        self, waveform: Waveform, span: Span, options: RecognizeOptions, *, report: Report | None = None
    ) -> Recognition:
        """Recognize one window (`windows.plan` cuts at most 5 minutes each), fast and without looking twice.

        The same window and options give the same words. Silence, music and noise give no passages, or passages
        that show by their figures that they were invented. Raises OptionError `language_not_supported` when the
        model does not know the language given or heard, ModelError, TransientError.
        """
        ...

    def recognize_again(
        self, waveform: Waveform, span: Span, options: RecognizeOptions, *, is_unheard: bool, enough: Enough
    ) -> tuple[Passage, ...]:
        """Recognize a stretch of at most 30 s on its own and with care, each time in another way.

        Gives every reading in the order in which they were tried, the last one that is `enough` or that there is;
        at least one. `is_unheard`: the stretch has no words yet, so the first way is the plain one. `language` must
        be given. The same stretch and options give the same readings, whatever was recognized in between.
        Raises TransientError, GpuError, OptionError `language_not_supported`.
        """
        ...


@dataclass(frozen=True, slots=True)
class DiarizeOptions:
    speakers: int | None = None
    min_speakers: int | None = None
    max_speakers: int | None = None


@dataclass(frozen=True, slots=True)
class VoiceTurn:
    """One voice speaks from start to end, in seconds."""

    start: float
    end: float
    voice: str


@dataclass(frozen=True, slots=True)
class Diarization:
    """The voices and their turns. Voices are labelled "voice 1"… in order of first appearance."""

    turns: tuple[VoiceTurn, ...]  #: may overlap
    exclusive: tuple[VoiceTurn, ...]  #: at most one voice at any time; for giving words to voices
    embeddings: dict[str, tuple[float, ...]] = field(default_factory=dict)  #: voice to its embedding


class Parts(Protocol):
    """Where an engine leaves pieces of its work on one recording, for another attempt that may have to go on."""

    def recall(self, name: str, *, worth: float) -> bytes | None:
        """What was kept under the name, or None. `worth`: how many seconds of the stage's audio it saves."""
        ...

    def keep(self, name: str, content: bytes) -> None:
        """Keep a piece; it goes when the stage is done."""
        ...


class Diarizer(Protocol):
    """Audio to voices and their turns."""

    fingerprint: str
    engine: str
    version: str
    model: str

    def diarize(
        self,
        waveform: Waveform,
        options: DiarizeOptions,
        *,
        report: Report | None = None,
        parts: Parts | None = None,
    ) -> Diarization:
        """Find the voices of the whole recording. No speech gives an empty Diarization.

        The same waveform and options give the same turns, with the pieces that an earlier call left in `parts` or
        without. Of a long recording a piece is left at least every 5 minutes. Memory does not grow with the length
        beyond the kept features. Raises ModelError, TransientError, GpuError.
        """
        ...


# ---------------------------------------------------------------- storage


class Store(Protocol):
    """Named byte objects: uploads, checkpoints, transcripts. Keys are `/`-separated, never leave the store."""

    def put(self, key: str, content: bytes) -> None:
        """Write whole or not at all; a repeat with the same content changes nothing."""
        ...

    def put_file(self, key: str, path: Path) -> None:
        """The same from a file, streamed."""
        ...

    def get(self, key: str) -> bytes | None:
        """The content, or None where there is no such key."""
        ...

    def fetch(self, key: str, path: Path) -> None:
        """Copy (or link) an object to a local file. Raises NotFound, TransientError."""
        ...

    def exists(self, key: str) -> bool: ...

    def size(self, key: str) -> int | None:
        """Bytes of an object, or None where there is no such key."""
        ...

    def age(self, key: str) -> float | None:
        """Seconds since an object was last written, by the store's own clock; None where there is no such key."""
        ...

    def read(self, key: str, start: int, end: int) -> Iterator[bytes]:
        """The bytes from `start` to `end` (exclusive) in pieces. Raises NotFound."""
        ...

    def delete(self, key: str) -> None:
        """Remove; a missing key is fine."""
        ...

    def keys(self, prefix: str) -> Iterator[str]:
        """All keys under a prefix, sorted."""
        ...

    def uri(self, key: str) -> str:
        """How others who have access to the store call an object: `s3://bucket/key` or `file:///…`."""
        ...

    def sweep_unfinished(self) -> int:
        """Remove what puts that were killed left half written, once nobody can still be writing it; how many."""
        ...


class DropBox(Protocol):
    """The bucket as producers see it: read only, and every read of a drop is of the version it is pinned to."""

    def look(self, bucket: str, key: str) -> Drop | None:
        """What lies there now, pinned, with its size; None where nothing does. Raises TransientError, NotReady."""
        ...

    def listed(self, bucket: str, prefix: str) -> Iterator[Drop]:
        """Everything under a prefix, by key; memory does not grow with the bucket."""
        ...

    def get(self, drop: Drop, *, most_bytes: int) -> bytes:
        """A small object whole. Raises NotFound, InputError `metadata_invalid` when it is larger, TransientError."""
        ...

    def fetch(self, drop: Drop, path: Path) -> None:
        """Copy to a local file, its length and checksum compared; goes on by range where a connection broke.

        Raises AudioError `source_changed` when the pinned version is there no longer, NotFound, TransientError.
        """
        ...

    def read(self, drop: Drop, start: int, end: int) -> Iterator[bytes]:
        """The bytes from `start` to `end` (exclusive) in pieces. Raises as `fetch`."""
        ...


# ---------------------------------------------------------------- known voices


@dataclass(frozen=True, slots=True)
class VoiceConsent:
    """A show has agreed that the voices of its people are kept and known again."""

    show: str
    given_by: str  #: who agreed, in their own words: "Jo Pym, producer"
    given_at: str  #: ISO 8601 UTC


@dataclass(frozen=True, slots=True)
class KnownVoice:
    """What is kept of one person's voice from one episode."""

    show: str
    name: str  #: full name without honorific
    model: str  #: embeddings of different models cannot be compared
    episode_id: str
    embedding: tuple[float, ...]
    seconds: float  #: how long the voice was heard there


class KnownVoices(Protocol):
    """Voices that were named before, kept only for shows that agreed. Shows compare without case and outer spaces.

    Every method raises TransientError or NotReady where the voices cannot be reached.
    """

    def consent(self, show: str, *, given_by: str) -> VoiceConsent:
        """Note that a show agreed. A repeat changes who agreed and when."""
        ...

    def withdraw(self, show: str) -> int:
        """Take the consent back and delete every voice of the show. How many were deleted; 0 for a second time."""
        ...

    def consents(self) -> Sequence[VoiceConsent]:
        """By show."""
        ...

    def learn(self, voice: KnownVoice) -> bool:
        """Keep a voice; one of the same show, name, model and episode is replaced. False, and nothing is kept,
        where the show has not agreed or the episode was deleted."""
        ...

    def forget_taught(self, show: str, model: str, episode_id: str, *, but: Collection[str]) -> int:
        """Delete what an episode taught by this model, but for what is kept under these names of this show; how many
        embeddings. 0 for a second time, and for an episode that taught nothing."""
        ...

    def of_show(self, show: str, model: str) -> Sequence[KnownVoice] | None:
        """What is kept of a show's people by this model; None where the show has not agreed."""
        ...

    def all(self, show: str | None = None) -> Sequence[KnownVoice]:
        """Everything that is kept, by show, name and episode."""
        ...

    def rename(self, show: str, name: str, *, to: str) -> int:
        """Give a person another name in every episode, joining what is kept under that one. Raises NotFound
        `voice_unknown`."""
        ...

    def forget(self, show: str, name: str) -> int:
        """Delete everything that is kept of a person. How many embeddings; raises NotFound `voice_unknown`."""
        ...


def show_key(show: str) -> str:
    """What two spellings of a show's name have in common."""
    return " ".join(show.split()).casefold()


class Links(Protocol):
    """Recordings behind web addresses that people named."""

    def fetch(self, url: str, path: Path, *, report: Callable[[int, int | None], None]) -> str | None:
        """Download to a local file, which is made anew; what the server calls the recording, where it says so.

        `report` hears of the bytes that are here and of how many there will be, where the server tells, and may raise
        to stop. A connection that breaks is gone on with where the server can. Raises OptionError `url_refused`,
        `source_forbidden`; NotFound `source_not_found`; InputError `source_denied`, `source_too_large`;
        TransientError `source_timeout`, `source_unreachable`; OSError of the disk.
        """
        ...


# ---------------------------------------------------------------- work


@dataclass(frozen=True, slots=True)
class NewJob:
    """A request as it is accepted, before it has a state."""

    episode: Episode
    options: JobOptions
    #: where the audio lies: a key of the store, the `uri` of a drop (schemas/drop.py) or a link (links.py)
    audio_key: str
    dedupe_key: str  #: equal keys are the same job
    idempotency_key: str | None = None
    priority: int = 0
    expected_seconds: float | None = None  #: of audio, guessed before anything is decoded; for the backlog's figures
    traceparent: str | None = None  #: W3C trace context of the request; on every event of the job
    failed: JobError | None = None  #: it cannot be done as asked, and is `failed` from the start, for all to see
    amends: bool = False  #: a job with this dedupe key that waits and was never claimed takes this description over
    revives: bool = False  #: somebody asks for it now: that it was deleted once does not keep it out


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one worker to one job for a while."""

    job_id: str
    token: int  #: rises at every claim of the job; every write of the holder checks it
    worker: str
    seconds: float  #: until it expires unless beaten


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job under a lease, with everything needed to do it."""

    lease: Lease
    job: Job
    episode: Episode  #: as this job describes it, whatever later jobs of the episode say
    audio_key: str  #: a key of the store, the `uri` of a drop, or a link
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """What of a job's results is still wanted: only the attempt with this token may yet be, or is, the transcript."""

    state: JobState
    token: int  #: of the last claim; 0 = never claimed
    transcript_key: str | None  #: of the transcript, once done
    is_deleted: bool = False  #: with its episode: nothing that any attempt left is wanted
    earlier_keys: tuple[str, ...] = ()  #: of the revisions that were replaced by hand, in order


@dataclass(frozen=True, slots=True)
class Rescued:
    """A job whose lease expired and was taken away."""

    job: Job  #: as it is now
    attempt: int  #: that was lost: the token of its lease


@dataclass(frozen=True, slots=True)
class Deletion:
    """That an episode was deleted: what stays of it in the ledger, and where in the store to look for the rest."""

    number: int  #: of this deletion; an episode that came back may be deleted again
    episode_id: str
    deleted: str  #: ISO 8601 UTC
    deleted_by: str  #: the door it was asked for at: "api", "cli"
    age_seconds: float  #: since then
    job_ids: tuple[str, ...]  #: all of the episode's deleted jobs, in order; they name results and checkpoints
    audio_keys: tuple[str, ...]  #: of the store; a drop is its producer's and not ours to remove
    revision: int | None = None  #: of the last transcript there was
    erased: str | None = None  #: ISO 8601 UTC, when nothing of it was left in the store


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much there is to do, by the database's clock. Audio seconds are expected ones until a job is done."""

    queued_jobs: int = 0  #: those that wait for their time included
    running_jobs: int = 0
    queued_audio_seconds: float = 0.0
    running_audio_seconds: float = 0.0
    oldest_queued_seconds: float = 0.0  #: age of the oldest job that could be claimed now; 0 = none
    unpublished_events: int = 0
    oldest_unpublished_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Result:
    """What a finished job leaves: the document's place and the figures that go into the event."""

    document_key: str
    document_sha256: str
    document_bytes: int
    audio_seconds: float
    audio_sha256: str
    language: str | None
    speaker_count: int
    named_speaker_count: int
    word_count: int
    coverage: float | None
    no_speech: bool
    warning_codes: tuple[str, ...] = ()
    document_uri: str | None = None  #: where anybody with access to the store finds the document
    formats: tuple[str, ...] = ()  #: what it can be written as
    title: str | None = None  #: from the file's tags, where the episode had none


class JobQueue(Protocol):
    """The ledger: jobs, attempts, leases, progress and the outbox, moved by transactions alone.

    The database's clock decides about leases. Every write of a lease holder raises LeaseLost when the lease is
    no longer the job's (claimed again, cancelled or finished) and then changes nothing.
    """

    def add(self, new: NewJob, *, job_id: str) -> tuple[Job, bool]:
        """Insert if new, with `job.queued` (or `job.failed`) in the outbox. Returns the job and whether it was new.

        A known `dedupe_key` returns the job it names, unchanged, unless that job was cancelled: asking again
        is then a new job. So it is where the job was deleted with its episode, if the request `revives`; else the
        deleted job comes back, for what is announced again brings nothing back. A known idempotency key returns its
        job whatever became of it, and with another dedupe key raises Refused `idempotency_key_reused`. A request that
        `amends` does, in the same transaction, what `amend` does; not where its idempotency key is known, for then it
        did so before.
        """
        ...

    def add_all(self, news: Sequence[NewJob], *, new_id: Callable[[], str]) -> Sequence[tuple[Job, bool] | Refused]:
        """`add` for a batch in one transaction: all that are new are inserted, or, on an error, none is.

        The answer for each in the order given. One that `add` would refuse is answered with its Refused, in its
        place, and does not keep the others out; equal ones inside the batch are one job.
        """
        ...

    def amend(self, new: NewJob) -> Job | None:
        """Give the waiting job with this dedupe key another episode description, other options and priority.

        For metadata that comes after the audio it describes. Only a queued job that was never claimed changes;
        any other, and a missing one, stays as it is and gives None.
        """
        ...

    def known_requests(self, dedupe_keys: Sequence[str]) -> frozenset[str]:
        """Those of the dedupe keys for which a job was ever made, a cancelled or deleted one included.

        For whoever looks at everything that lies there again and again: what somebody cancelled is not news.
        """
        ...

    def known(self, idempotency_key: str) -> Job | None:
        """The job that a request with this idempotency key made or found, before anything is uploaded."""
        ...

    def claim(self, worker: str, *, lease_seconds: float) -> Claimed | None:
        """Take the best queued job whose time has come: priority, then fairness between shows, then age.

        Two jobs of one episode never run at once, so that their revisions come one after the other.
        """
        ...

    def beat(self, lease: Lease) -> None:
        """Prolong the lease by its seconds, from now."""
        ...

    def progress(self, lease: Lease, progress: Progress) -> None: ...

    def fetched(self, lease: Lease, recording: AudioInfo) -> None:
        """Note that the recording of the job's link lies in the store, under the key `recording.uri`.

        The job's audio is that from now on, whoever claims it next, and so it is for the episode where it shows the
        link. A repeat changes nothing.
        """
        ...

    def finish(self, lease: Lease, result: Result) -> Job:
        """State, result pointer, revision and outbox rows in one transaction; the episode is now this job's."""
        ...

    def revise(
        self,
        episode_id: str,
        result: Result,
        *,
        seen: int,
        unlearned: Collection[str] = (),
        traceparent: str | None = None,
    ) -> Job:
        """Replace the current transcript, read as revision `seen`, by one that was made of it by hand: revision
        `seen` + 1, result pointer and `transcript.revised` in one transaction. In the same, what the episode taught
        of known voices under the names `unlearned` is deleted: they were found to be of other voices.

        The job of the transcript stays done and names the new document; the old one is its revision still
        (`latest_done`). Raises NotFound as `latest_done`, Refused `revision_outdated` where another revision is
        current, a repeat included, and Refused `episode_in_work` while a job of the episode runs: it makes a revision
        of its own, of which nobody has read anything. After a refusal nothing has changed.
        """
        ...

    def fail(self, lease: Lease, error: JobError, *, crashed: bool = False) -> Job:
        """Count an attempt. Retryable errors go back to the queue with back-off and jitter until the attempts
        (5) or crashes (3, then `crashed_repeatedly`) are used up; others end as `failed` at once."""
        ...

    def release(self, lease: Lease, *, delay_seconds: float = 0.0, reason: JobError | None = None) -> Job:
        """Hand the job back without counting an attempt; it may be claimed again after `delay_seconds`.

        `reason` is shown on the waiting job: why this installation could not do it now.
        """
        ...

    def cancel(self, job_id: str) -> Job:
        """From queued or running; on a final job raises Refused `job_already_final`. A second cancel of a
        cancelled job returns it unchanged. Raises NotFound."""
        ...

    def retry(self, job_id: str) -> Job:
        """From failed only (else Refused `job_not_retryable`; where its episode was deleted, `episode_deleted`);
        attempts start at zero. Raises NotFound."""
        ...

    def delete(self, episode_id: str, *, by: str) -> Deletion:
        """Forget an episode: its words, its jobs and what is told of them. In one transaction

        - its queued and running jobs are cancelled, with `job.cancelled`; their holders' later writes change nothing;
        - title, people, options, error messages, the places of drops and the voices learned from it are taken out;
        - of its events in the outbox those about jobs that were not sent everywhere (webhooks included) stay, without
          messages, and no others; the deliveries of the others go with them;
        - where there was a transcript, `transcript.deleted` is told.

        What stays are ids, states, times, hashes and this record, so that the same drop, announced or found again,
        stays out. New jobs of the episode may come (new bytes, another request): it then lives, and its revisions go
        on. The store is the caller's (adapters/erasure.py). A repeat gives the same record and changes nothing.
        Raises NotFound.
        """
        ...

    def deletion(self, episode_id: str) -> Deletion:
        """The last one of this episode. Raises NotFound."""
        ...

    def unerased(self, *, limit: int = 100) -> Sequence[Deletion]:
        """Deletions of which something may be left in the store, oldest first."""
        ...

    def mark_erased(self, deletion: Deletion) -> None:
        """Note that the store has nothing of the jobs of this deletion any more, as it was read.

        Another deletion of the same episode stays as it is: its jobs may be others. A repeat changes nothing.
        """
        ...

    def unwanted_audio(self, audio_keys: Sequence[str]) -> frozenset[str]:
        """Those keys under `uploads/` that a deleted job names and no other job does: two episodes may share one."""
        ...

    def wanted_audio(self, audio_keys: Sequence[str]) -> frozenset[str]:
        """Those keys under `uploads/` that a job names that is not deleted."""
        ...

    def holders(self, job_ids: Sequence[str]) -> dict[str, Holder]:
        """State, last token and transcript of these jobs; unknown ids are left out.

        Results of an earlier token than a job's are nobody's, and so are those of its last token once it is
        final without them.
        """
        ...

    def backlog(self) -> Backlog:
        """How much waits and runs, in jobs and in audio, and how long the oldest has waited."""
        ...

    def rescue(self) -> Sequence[Rescued]:
        """Take every expired lease away; each counts a crash, but for a job whose progress says that it `waits`: that
        one goes back as by `release`. Two rescuers rescue each job once."""
        ...

    def job(self, job_id: str) -> Job:
        """Raises NotFound."""
        ...

    def jobs(self, *, state: JobState | None = None, limit: int = 50, before: str | None = None) -> Sequence[Job]:
        """Newest first, those of deleted episodes left out; `before` is a job id to go on from."""
        ...

    def episode(self, episode_id: str) -> Episode:
        """As the job of the current transcript describes it, its sound included. Raises NotFound, with the code
        `episode_deleted` where it was deleted."""
        ...

    def latest_done(self, episode_id: str, *, revision: int | None = None) -> Job:
        """The job whose transcript is current, or was the given revision, with that one's place. Raises NotFound,
        as `episode`."""
        ...

    def next_revision(self, episode_id: str) -> int:
        """What the next transcript of the episode will be, deleted ones counted. 1 for an unknown episode."""
        ...

    def pending_events(self, *, limit: int = 100) -> Sequence[tuple[int, Event]]:
        """Unpublished outbox rows with their sequence numbers, oldest first, each episode's in order of commit."""
        ...

    def mark_published(self, sequence_numbers: Sequence[int]) -> None: ...

    def forget_published(self, *, older_than_seconds: float, limit: int = 1000) -> int:
        """Delete events that were published so long ago, among the `limit` oldest there are; how many it was.

        `events_of` no longer has them then. What is not published stays, however old, and so does what a delivery
        to a webhook waits for; deliveries that are over go with their events.
        """
        ...

    def lead_publishing(self, publisher: str, *, seconds: float) -> int | None:
        """Take or prolong, from now, the one lease to publish; None while another publisher holds it.

        The answer is a fencing token: it rises whenever the lease comes to another holder, and only then.
        """
        ...

    def resign_publishing(self, publisher: str) -> None:
        """Give the lease to publish up early; without effect for one who does not hold it."""
        ...

    def events_of(self, job_id: str, *, after: int = 0) -> Sequence[tuple[int, Event]]:
        """Every event of a job since a sequence number, published or not."""
        ...


# ---------------------------------------------------------------- webhooks


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A delivery that is to be tried now, with all that it takes, under a lease of its webhook."""

    webhook: Webhook
    secrets: tuple[str, ...]  #: to sign with; for a while after a rotation the earlier one too
    event: Event
    tries: int  #: before this one
    age_seconds: float  #: since the event was told, or somebody asked to try it again
    token: int  #: rises with every lease of the webhook; `settle` checks it


@dataclass(frozen=True, slots=True)
class AfterTry:
    """What one try leads to."""

    state: DeliveryState
    status: int | None = None
    code: str | None = None
    delay_seconds: float | None = None  #: until the next one, of a delivery that waits
    disables: bool = False  #: the webhook is to get nothing any more


@dataclass(frozen=True, slots=True)
class WebhookBacklog:
    """How webhooks stand; what waits for a disabled one is not counted."""

    enabled: int = 0  #: webhooks, those that fail included
    failing: int = 0  #: whose last try failed
    disabled: int = 0
    waiting: int = 0  #: deliveries that are to be tried, now or later
    oldest_due_seconds: float = 0.0  #: for how long the oldest of them could have been tried


class WebhookLedger(Protocol):
    """Webhooks, and what is on its way to each. The ledger notes a delivery for every enabled webhook that wants an
    event in the transaction that tells of it.

    Raises TransientError and NotReady as `JobQueue` does, and NotFound `webhook_not_found` for an id that nobody has.
    """

    def add(self, webhook_id: str, new: NewWebhook, *, secret: str) -> Webhook:
        """Events that are told from now on are noted for it."""
        ...

    def webhook(self, webhook_id: str) -> Webhook: ...

    def webhooks(self) -> Sequence[Webhook]:
        """Oldest first."""
        ...

    def change(self, webhook_id: str, change: WebhookChange) -> Webhook:
        """Where the receiver is another one or wanted again, what waits for it is due at once. A repeat changes
        nothing more."""
        ...

    def rotate(self, webhook_id: str, *, secret: str, keep_seconds: float) -> Webhook:
        """Sign with another secret, and for so long with the present one too."""
        ...

    def remove(self, webhook_id: str) -> None:
        """Forget it, its secret and its deliveries. What is being sent at this moment still arrives."""
        ...

    def secrets(self, webhook_id: str) -> tuple[str, ...]:
        """Those that are signed with now, the newest first."""
        ...

    def deliveries(
        self, webhook_id: str, *, state: DeliveryState | None = None, limit: int = 50, before: str | None = None
    ) -> Sequence[Delivery]:
        """Newest first; `before` is an event id to go on from. Raises NotFound `delivery_not_found` for that one."""
        ...

    def retry(self, webhook_id: str, event_id: str) -> Delivery:
        """Try a delivery now, whatever became of it, and by the whole schedule again. Raises NotFound
        `delivery_not_found`."""
        ...

    def claim(self, *, lease_seconds: float, healthy_only: bool = False) -> DueDelivery | None:
        """Take the first due delivery, by order of events, of an enabled webhook that nobody has a lease of.

        Of several webhooks the one that was served longest ago; with `healthy_only` none whose last try failed. Until
        it is settled or the lease runs out, nobody else gets anything of this webhook.
        """
        ...

    def settle(self, due: DueDelivery, after: AfterTry) -> bool:
        """Note what a try led to and give the lease back. False, and nothing is noted, where the lease is lost:
        another deliverer has it, or had it and settled; or the webhook was removed."""
        ...

    def tidy(self) -> int:
        """Give up what has waited for a disabled webhook until its last try was over, and forget what was noted for
        webhooks that are removed; how many deliveries it was."""
        ...

    def backlog(self) -> WebhookBacklog: ...


class EventSink(Protocol):
    """Where published events go: Kafka, or a durable local log."""

    def take_over(self) -> None:
        """Become the one sender, before the first `send` and again after any error.

        From here on a send of whoever was it before changes nothing that is newer: Kafka refuses it (LeaseLost), and
        in a plain log it is a repeat. Raises TransientError, NotReady.
        """
        ...

    def send(self, events: Sequence[Event]) -> None:
        """Durable when it returns, in order. A repeat appends again: consumers know events by id.

        Raises LeaseLost `publishing_lost` once another sender has taken over, TransientError, NotReady. After an
        error it may be that all of them are there, or none, or in a plain log the first ones.
        """
        ...

    def close(self) -> None:
        """Let go of the connection; a repeat does nothing, and `take_over` begins anew."""
        ...


# ---------------------------------------------------------------- topics


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a topic as it lies there. Nothing about it has been checked."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None  #: null = a tombstone
    headers: tuple[tuple[str, bytes], ...] = ()  #: in order; a name may come twice
    timestamp: float | None = None  #: epoch seconds, by the producer's clock or the broker's
    unreadable: str | None = None  #: why the client cannot read it; then there is nothing of it but its place

    def header(self, name: str) -> str | None:
        """The last header of this name as text, or None. Bytes that are no UTF-8 are replaced."""
        found = [value for each, value in self.headers if each == name]
        return found[-1].decode("utf-8", "replace") if found else None

    @property
    def beside_bytes(self) -> int:
        """The length of key and headers together."""
        return len(self.key or b"") + sum(len(name.encode()) + len(value) for name, value in self.headers)


class RecordSource(Protocol):
    """Records of some topics, shared with the other members of a group.

    At least once: after a crash, a rebalance, a `restore`, or where somebody sets the group's offsets back, the same
    records (same topic, partition and offset) come again, here or at another member. In order within a partition.
    """

    def poll(self, *, seconds: float) -> Sequence[Record]:
        """What came next, or nothing after `seconds`. Goes on behind what the last poll gave.

        A record that cannot be read is one that is `unreadable`: it holds nothing up.

        Raises TransientError `kafka_unavailable`, NotReady `kafka_refused` or `topic_missing`; a later poll may work.
        While a broker that was there is away, nothing comes, and what there is comes when it is back; `trouble` says
        why nothing comes.
        """
        ...

    def trouble(self) -> TransientError | None:
        """Why a poll after which nothing came could not give anything; None where nothing was there to give.

        It takes a broker that went away some seconds to be missed. A repeat asks again.
        """
        ...

    def commit(self, batch: Sequence[Record]) -> None:
        """Say that the records of a poll, and all before them, are dealt with; durable when it returns.

        Where the group gave a partition to another member meanwhile, that one has the records again and nothing is
        committed for it here. Raises TransientError `kafka_unavailable`; a repeat changes nothing.
        """
        ...

    def restore(self, batch: Sequence[Record]) -> None:
        """Go back: the next poll gives the records of this batch again, as far as they are still this member's."""
        ...

    def lag(self) -> int:
        """Records behind the position in this member's partitions, as of the last poll."""
        ...

    def close(self) -> None:
        """Leave the group at once, so that others take the partitions over. A repeat does nothing."""
        ...


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that could not be taken in, and why."""

    record: Record
    reason: str  #: a stable code
    message: str  #: one sentence for the person who reads it
    stored_key: str | None = None  #: where the store has the value, when that does not lie in the letter
    stored_beside: str | None = None  #: where it has key and headers, as JSON, when those do not

    def check(self) -> None:
        """Raise InputError `letter_too_large` for what is too large to lie in a letter and does."""
        value, beside = len(self.record.value or b""), self.record.beside_bytes
        if self.stored_key is None and value > LARGEST_INLINE_BYTES:
            raise InputError(f"a value of {value} bytes does not fit into a letter", code="letter_too_large")
        if self.stored_beside is None and beside > LARGEST_BESIDE_BYTES:
            raise InputError(f"key and headers of {beside} bytes do not fit into a letter", code="letter_too_large")


#: A value that is larger goes to the store, and the letter names its key.
LARGEST_INLINE_BYTES = 512 * 1024
#: Key and headers together that are larger do so too. With the largest value a letter stays under the 1 MB that
#: brokers take by default.
LARGEST_BESIDE_BYTES = 64 * 1024


class DeadLetters(Protocol):
    """Where records go that nobody could take in, whole, so that they can be mended and sent again."""

    def send(self, letters: Sequence[DeadLetter]) -> None:
        """Durable when it returns. The original value, key and headers, with topic, partition, offset and reason.

        What the store has is left out. Raises InputError `letter_too_large` for a value over `LARGEST_INLINE_BYTES`
        or key and headers over `LARGEST_BESIDE_BYTES` that it does not have, and where the broker takes less than
        that; then it may be that some of the letters are there. A repeat appends again: letters are known by topic,
        partition and offset. Raises else as `RecordSource.poll`.
        """
        ...
