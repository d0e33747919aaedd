"""Taking what is left of deleted episodes out of the store, however often it takes.

The ledger deletes an episode in one transaction (`JobQueue.delete`); its objects go afterwards: at once by whoever
asked for it, by the worker that was at it once its engine has stopped, and by the reconciler until nothing is found
any more. A crash anywhere in between leaves something to find again, for every object leads back to its job:

    uploads/<audio sha256>/audio              the ledger knows whose; two episodes may share one
    results/<job>/<token>/…                   by its name
    checkpoints/<audio sha256>/…              words and voices; two episodes may share them
    checkpoints/<audio sha256>/of/<job>       whose they are
    checkpoints/of/<job>/<audio sha256>       the same, to be found from the job
    checkpoints/of/<job>/upload/<audio sha256>  whose download it was, before the ledger knows of it; by this the
                                              reconciler finds copies that the ledger never heard of, too

The notes are written before what they are about: the first checkpoint of an attempt, or the upload that was
downloaded from a link. Those to be found from the job, empty objects whose names hold two ids and no word, stay until
the deletion has settled (`forget_notes`): a worker that has not noticed it yet may leave one more object, and only by
that note would anybody find it. A drop lies in its producer's bucket and stays there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from adapters.store_keys import results_of, upload_key
from transcription.ports import Deletion, Holder, JobQueue, Store

BY_JOB = "checkpoints/of/"
DOWNLOAD = "upload"  #: what stands before the hash in a note about an upload


def note_checkpoints(store: Store, *, job_id: str, audio_sha256: str) -> None:
    """Note that a job is about to leave checkpoints of a recording. A repeat changes nothing."""
    store.put(f"{BY_JOB}{job_id}/{audio_sha256}", b"")
    store.put(f"checkpoints/{audio_sha256}/of/{job_id}", b"")


def note_download(store: Store, *, job_id: str, audio_sha256: str) -> None:
    """Note that a job is about to put its link's recording into the store. A repeat changes nothing."""
    store.put(f"{BY_JOB}{job_id}/{DOWNLOAD}/{audio_sha256}", b"")


def erase(queue: JobQueue, store: Store, deletion: Deletion) -> int:
    """Remove everything of a deleted episode that nobody else needs but its notes; how many objects it was.

    Raises TransientError, NotReady; a repeat goes on. Who uploads a recording in the very moment in which it is
    removed may find its job failed (`object_not_found`): a second upload puts the recording back, and a retry of the
    job uses it.
    """
    removed = 0
    for key in deletion.audio_keys:
        if store.exists(key) and queue.unwanted_audio([key]):
            store.delete(key)
            removed += 1
    for job_id in deletion.job_ids:
        removed += _delete_all(store, list(store.keys(results_of(job_id))))
        for note in list(store.keys(f"{BY_JOB}{job_id}/")):
            removed += erase_noted(queue, store, note)
    return removed


def forget_notes(store: Store, deletion: Deletion) -> None:
    """Remove the notes of a deleted episode's jobs, when nobody can be at work on them any more."""
    for job_id in deletion.job_ids:
        _delete_all(store, list(store.keys(f"{BY_JOB}{job_id}/")))


def erase_noted(queue: JobQueue, store: Store, note: str) -> int:
    """Remove those checkpoints of the recording of this note, `checkpoints/of/<job>/<sha256>`, that were of deleted
    jobs only, or the upload that it is about, where no other job has that; how many. The note stays."""
    download = download_of(note)
    if download is not None:
        return _erase_download(queue, store, download)
    job_id, *_, audio_sha256 = note.removeprefix(BY_JOB).split("/")
    keys = list(store.keys(f"checkpoints/{audio_sha256}/"))
    users = [*users_of(keys), job_id]
    return _delete_all(store, unwanted_checkpoints(keys, users, queue.holders(sorted(set(users)))))


def download_of(note: str) -> str | None:
    """Where the upload lies that a note is about, `checkpoints/of/<job>/upload/<sha256>`; None for another note."""
    _, *kind, audio_sha256 = note.removeprefix(BY_JOB).split("/")
    return upload_key(audio_sha256) if kind == [DOWNLOAD] else None


def _erase_download(queue: JobQueue, store: Store, key: str) -> int:
    if not store.exists(key) or queue.wanted_audio([key]):
        return 0
    store.delete(key)
    return 1


def unwanted_checkpoints(keys: Sequence[str], users: Sequence[str], holders: Mapping[str, Holder]) -> Sequence[str]:
    """Which of one recording's checkpoints, of all of which the keys are given, to remove, in a safe order.

    All, where one of the jobs that use it was deleted and none is left; else the notes of deleted jobs. A job of
    another ledger that has the same recording does that work again: of what was deleted no word may stay. The notes
    come last: who is killed in between finds the rest by them.
    """
    deleted = {job for job in users if job in holders and holders[job].is_deleted}
    living = {job for job in users if job in holders} - deleted
    notes = [key for key in keys if _user_of(key) in deleted]
    if not deleted or living:
        return notes
    rest = [key for key in keys if key not in set(notes)]
    return [*rest, *notes]


def users_of(keys: Iterable[str]) -> list[str]:
    """The jobs that left these checkpoints of one recording."""
    return [job for key in keys if (job := _user_of(key)) is not None]


def _user_of(key: str) -> str | None:
    """The job of `checkpoints/<sha256>/of/<job>`; None for a checkpoint."""
    parts = key.split("/")
    return parts[3] if len(parts) == 4 and parts[2] == "of" else None


def _delete_all(store: Store, keys: Sequence[str]) -> int:
    for key in keys:
        store.delete(key)
    return len(keys)
