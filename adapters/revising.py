"""A new revision of a transcript, made of the current one by hand: names of speakers, and nothing else.

The document goes to a key of its own, beside the one that it replaces; then one transaction of the ledger makes it
the current one. Who dies in between leaves a document that nobody names, which the reconciler removes; the same
request again makes another one, or finds that what it asks for is so already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from adapters.results import put_document
from schemas.errors import InputError, NotFound, Refused, StenocastError
from schemas.job import Job
from schemas.names_by_hand import NameByHand
from schemas.transcript import Transcript
from schemas.wire import read_json
from transcription.jobs import outdated
from transcription.names_by_hand import is_as_said, named_by_hand, names_lost
from transcription.ports import JobQueue, Store


@dataclass(frozen=True, slots=True)
class Revised:
    """The current transcript after a change."""

    job: Job  #: that it is of
    document: Transcript
    is_new: bool  #: false: it was so already


def current_transcript(queue: JobQueue, store: Store, episode_id: str) -> tuple[Job, Transcript]:
    """The current revision of an episode's transcript. Raises NotFound, TransientError, NotReady."""
    job, content = stored_transcript(queue, store, episode_id)
    return job, read_json(Transcript, content)


def stored_transcript(
    queue: JobQueue, store: Store, episode_id: str, *, revision: int | None = None
) -> tuple[Job, bytes]:
    """The job and the document of a revision, of the current one where none is given.

    Raises NotFound as `JobQueue.latest_done`, and `transcript_not_found` where the store does not have the document,
    TransientError, NotReady.
    """
    job = queue.latest_done(episode_id, revision=revision)
    content = store.get(job.transcript_key or "")
    if content is None:
        queue.latest_done(episode_id, revision=revision)  # says so where the episode was deleted since
        raise NotFound(f"{episode_id}: its document is no longer in the store", code="transcript_not_found")
    return job, content


def revise_names(
    queue: JobQueue,
    store: Store,
    episode_id: str,
    said: Mapping[str, NameByHand | None],
    *,
    seen: int,
    new_id: Callable[[], str],
    check: Callable[[Job], None] = lambda _current: None,
    traceparent: str | None = None,
    reached: Callable[[str], None] = lambda _place: None,
) -> Revised:
    """Name speakers by hand in the transcript that was read as revision `seen`; `said` is by speaker id.

    What is so already makes no revision, whatever was seen: the second of two equal requests changes nothing. `check`
    raises where the job of the current transcript is not the one that is to be changed. Raises its errors,
    NotFound and Refused as `JobQueue.revise`, and as `named_by_hand`. After a TransientError it is not known whether
    the revision was made: ask again. `reached` is called where a test lets the process die.
    """
    job, document = current_transcript(queue, store, episode_id)
    if is_as_said(document, said):
        return Revised(job, document, is_new=False)
    check(job)
    if job.revision != seen:
        raise outdated(episode_id, seen=seen, current=job.revision or 0)
    named = replace(named_by_hand(document, said), revision=seen + 1)
    folder = (job.transcript_key or "").rpartition("/")[0]
    result = put_document(store, named, f"{folder}/transcript-{seen + 1}-{new_id()}.json")
    reached("after_revision_put")
    try:
        unlearned = names_lost(document, named)
        revised = queue.revise(episode_id, result, seen=seen, unlearned=unlearned, traceparent=traceparent)
    except (Refused, InputError):
        with suppress(StenocastError):  # the reconciler goes on
            store.delete(result.document_key)
        check(queue.latest_done(episode_id))  # for who was slower than it read
        raise
    reached("after_revision")
    return Revised(revised, named, is_new=True)
