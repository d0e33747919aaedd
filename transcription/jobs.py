"""What may happen to a job: the pure rules that the ledger and its fake share.

The ledger reads, asks these functions, and writes what they answer in the same transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from schemas.episode import AudioInfo, Episode
from schemas.errors import AUDIO_CODES, Refused
from schemas.events import Event, EventType, JobChanged, TranscriptDeleted, TranscriptReady
from schemas.job import Job, JobError, JobOptions, Progress
from transcription.links import with_recording
from transcription.ports import Result

MAX_ATTEMPTS = 5  #: failures and crashes together
MAX_CRASHES = 3  #: a job that kills its worker this often is poison
BACK_OFF_SECONDS = 5.0  #: before the second attempt; doubles with each further one
LONGEST_BACK_OFF_SECONDS = 600.0
SOURCE = "stenocast/local"  #: the CloudEvents source of the embedded installation
MAX_EVENT_WARNINGS = 16  #: more stay in the document: an event must not grow with the episode
MAX_EVENT_FORMATS = 32
MAX_EVENT_CODE = 80  #: characters of a code or a language
MAX_EVENT_MESSAGE = 2000  #: characters of an error's message; the job keeps the whole

#: Bits a second of sound as podcasts usually come: 128 kbit/s for what is compressed with loss (the rate that
#: podcast hosts commonly ask for), 44.1 kHz, 16 bits, two channels for what is not, and half of that for FLAC.
USUAL_BIT_RATES = {"wav": 1_411_200, "aiff": 1_411_200, "flac": 700_000, "ogg": 96_000}
USUAL_BIT_RATE = 128_000


@dataclass(frozen=True, slots=True)
class AfterFailure:
    """What a failed attempt leads to. `delay_seconds` is None where the job ends."""

    attempts: int
    crashes: int
    error: JobError
    delay_seconds: float | None

    @property
    def is_final(self) -> bool:
        return self.delay_seconds is None


def after_failure(
    error: JobError,
    *,
    attempts: int,
    crashes: int,
    crashed: bool,
    jitter: float,
    back_off_seconds: float = BACK_OFF_SECONDS,
) -> AfterFailure:
    """Decide about a job whose attempt failed; `attempts` and `crashes` count the earlier ones.

    `jitter` is a random number from 0 to 1: the back-off is spread over 0.5 to 1.5 times its length, so that
    jobs that failed together do not come back together. The first crash waits for nothing: it is usually the
    worker's end and not the job's fault, and the lease that ran out was wait enough.
    """
    attempts += 1
    crashes += int(crashed)
    if not crashed and not error.retryable:
        return AfterFailure(attempts, crashes, error, None)
    if crashes >= MAX_CRASHES and crashed:
        return AfterFailure(attempts, crashes, _crashed_too_often(error), None)
    if attempts >= MAX_ATTEMPTS:
        return AfterFailure(attempts, crashes, error, None)
    if crashed and crashes == 1:
        return AfterFailure(attempts, crashes, error, 0.0)
    delay = min(back_off_seconds * 2 ** (attempts - 1), LONGEST_BACK_OFF_SECONDS) * (0.5 + jitter)
    return AfterFailure(attempts, crashes, error, delay)


def is_blameless(progress: Progress | None) -> bool:
    """Whether a job whose worker died cannot have been the cause: it was prepared, and waited for its turn.

    It needs no count of its own. A job that was prepared again and again died of the jobs that ran, which count; what
    kills its worker while it is fetched, decoded or at work counts itself.
    """
    return progress is not None and progress.waits


def _crashed_too_often(error: JobError) -> JobError:
    """A code of the decoder says more than ours and is kept."""
    code = error.code if error.code in AUDIO_CODES else "crashed_repeatedly"
    return JobError(code=code, message=f"given up after {MAX_CRASHES} crashes; the last: {error.message}")


def next_turn(*, lane_last: int | None, waiting_first: int | None, lanes_last: int | None) -> int:
    """The place of a new job among its priority, so that shows take turns (start-time fair queueing).

    `lane_last` is the turn that this show got last, `waiting_first` the lowest turn that still waits,
    `lanes_last` the highest turn any show ever got. A show with 5,000 episodes gets 5,000 later and later
    turns; the first episode of another show gets the turn that is being served now.
    """
    present = waiting_first if waiting_first is not None else (lanes_last or 0) + 1
    return max(present, (lane_last or 0) + 1)


def lane_of(episode: Episode) -> str:
    """What stands for a show where jobs take turns; episodes without a show share one lane, "".

    A hash: it stays when the show's episodes are deleted.
    """
    show = (episode.show or "").strip().casefold()
    return hashlib.sha256(show.encode()).hexdigest()[:32] if show else ""


def expected_seconds(size_bytes: int | None, container: str | None) -> float | None:
    """How long a recording of this size may last, guessed before it is decoded: for the figures of the backlog only.

    Right within a factor of two or three for most podcasts; video is taken for far longer than it is. None where
    the size is not known.
    """
    if not size_bytes:
        return None
    return size_bytes * 8 / USUAL_BIT_RATES.get(container or "", USUAL_BIT_RATE)


def asked_episode(known: Episode | None, given: Episode) -> Episode:
    """The episode as a new job describes it: what is known fills gaps, but the sound is the one given now."""
    if known is None:
        return given
    return replace(
        given,
        title=given.title or known.title,
        show=given.show or known.show,
        published=given.published or known.published,
        language=given.language or known.language,
        participants=given.participants or known.participants,
        chapters=given.chapters or known.chapters,
        style=given.style or known.style,
    )


def amended_episode(asked: Episode, given: Episode) -> Episode:
    """The episode as a waiting job describes it once more is known: what is given now wins, but the sound stays."""
    return replace(asked_episode(asked, given), id=asked.id, audio=asked.audio)


def shown_episode(known: Episode | None, asked: Episode, *, is_transcribed: bool) -> Episode:
    """What is shown of an episode after a job was added that describes it as `asked`.

    The sound that is played and the words that are read belong together: an episode with a transcript changes
    only when a job is done, and before that the first job's sound stays.
    """
    if known is None:
        return asked
    return known if is_transcribed else replace(asked, audio=known.audio)


def fetched_episode(known: Episode | None, asked: Episode, recording: AudioInfo) -> Episode | None:
    """What is shown of an episode once the recording of a job's link is there; None where it shows other sound."""
    if known is None or known.audio.uri != asked.audio.uri:
        return None
    return with_recording(known, recording)


def heard_episode(episode: Episode, result: Result) -> Episode:
    """The episode with what the finished job found out: the file's title where none was given, and the length."""
    audio = replace(episode.audio, duration=result.audio_seconds, sha256=result.audio_sha256)
    return replace(episode, title=episode.title or result.title, audio=audio)


def instant(epoch_seconds: float) -> str:
    """ISO 8601 UTC with milliseconds: what jobs and events show."""
    return datetime.fromtimestamp(epoch_seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def job_event(kind: EventType, job: Job, *, event_id: str, now: float, traceparent: str | None = None) -> Event:
    """The event about a job's new state."""
    return Event(
        id=event_id,
        type=kind,
        source=SOURCE,
        subject=job.episode_id,
        time=instant(now),
        data=JobChanged(
            job_id=job.id,
            episode_id=job.episode_id,
            state=job.state,
            attempts=job.attempts,
            error=None if job.error is None else _in_brief(job.error),
        ),
        traceparent=traceparent,
    )


def _in_brief(error: JobError) -> JobError:
    """What a library says about its failure may be megabytes long."""
    message = error.message
    if len(message) > MAX_EVENT_MESSAGE:
        message = message[: MAX_EVENT_MESSAGE - 1] + "…"
    return replace(error, code=error.code[:MAX_EVENT_CODE], message=message)


def transcript_event(
    job: Job, result: Result, *, revision: int, event_id: str, now: float, traceparent: str | None = None
) -> Event:
    """The event about a transcript that can be read now."""
    return Event(
        id=event_id,
        type=EventType.TRANSCRIPT_PUBLISHED if revision == 1 else EventType.TRANSCRIPT_REVISED,
        source=SOURCE,
        subject=job.episode_id,
        time=instant(now),
        data=TranscriptReady(
            job_id=job.id,
            episode_id=job.episode_id,
            revision=revision,
            document_key=result.document_key,
            document_sha256=result.document_sha256,
            document_bytes=result.document_bytes,
            audio_seconds=result.audio_seconds,
            language=None if result.language is None else result.language[:MAX_EVENT_CODE],
            speaker_count=result.speaker_count,
            named_speaker_count=result.named_speaker_count,
            word_count=result.word_count,
            coverage=result.coverage,
            no_speech=result.no_speech,
            warning_codes=_first(result.warning_codes, MAX_EVENT_WARNINGS),
            document_uri=result.document_uri,
            formats=_first(result.formats, MAX_EVENT_FORMATS),
        ),
        traceparent=traceparent,
    )


def outdated(episode_id: str, *, seen: int, current: int) -> Refused:
    """The refusal of a change to a revision that is no longer, or not yet, the current one."""
    return Refused(
        f"episode {episode_id}: revision {current} of the transcript is current, and this is about revision {seen}",
        code="revision_outdated",
        field="revision",
    )


def in_work(episode_id: str) -> Refused:
    """The refusal of a change while a job is about to make a revision of its own."""
    return Refused(
        f"episode {episode_id} is being transcribed again; its next revision is on its way: wait for it",
        code="episode_in_work",
    )


def deletion_event(
    episode_id: str, *, revision: int | None, event_id: str, now: float, traceparent: str | None = None
) -> Event:
    """The event that no transcript of an episode can be read any more."""
    return Event(
        id=event_id,
        type=EventType.TRANSCRIPT_DELETED,
        source=SOURCE,
        subject=episode_id,
        time=instant(now),
        data=TranscriptDeleted(episode_id=episode_id, revision=revision),
        traceparent=traceparent,
    )


#: Stands where an error's message named a file or a place of a deleted episode.
FORGOTTEN = "(deleted with the episode)"


def forgotten_event(event: Event) -> Event | None:
    """What is still to be told of a deleted episode: the event without words; None for a transcript that is gone."""
    match event.data:
        case TranscriptReady():
            return None
        case JobChanged(error=error) if error is not None:
            return replace(event, data=replace(event.data, error=replace(error, message=FORGOTTEN)))
        case _:
            return event


def forgotten_options(options: JobOptions) -> JobOptions:
    """The options of a deleted episode's job: the models alone; vocabulary and glossary are words of the episode."""
    return JobOptions(models=options.models)


def _first(words: Sequence[str], count: int) -> tuple[str, ...]:
    """So many different ones, in order."""
    return tuple(dict.fromkeys(each[:MAX_EVENT_CODE] for each in words))[:count]
