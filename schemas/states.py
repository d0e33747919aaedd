"""The states of a job as a page: docs/job-states.md, drawn from `schemas.job` by `make schemas`."""

from __future__ import annotations

from pathlib import Path

from schemas.job import FIRST_STATES, MOVES, JobState

PAGE = Path(__file__).parent.parent / "docs" / "job-states.md"

#: What each state means to whoever looks at a job.
MEANINGS: dict[JobState, str] = {
    JobState.QUEUED: "waits to be claimed, perhaps not before a time",
    JobState.RUNNING: "a worker holds the lease",
    JobState.DONE: "the transcript is there",
    JobState.FAILED: "ended with a code",
    JobState.CANCELLED: "somebody asked for it",
}

#: What each call does, for the page.
CALLS: dict[str, str] = {
    "add": "a request is taken in; one that cannot be done as asked is `failed` from the start",
    "claim": "a worker takes the job under a lease; the lease token rises",
    "finish": "the transcript is stored: state, result and events in one transaction, refused if the lease was lost",
    "release": "a worker hands the job back (it stops, or its installation cannot do it now); no attempt is counted",
    "fail": "an attempt failed: another try after a while, or the end after five attempts or three crashes",
    "rescue": "the lease ran out because the worker died: counted as a crash, then as `fail`; but a job that was"
    " prepared early and only waited for its turn goes back as by `release`",
    "cancel": "somebody does not want it any more",
    "delete": "somebody wants nothing of its episode kept",
    "retry": "somebody wants a failed job tried again, its attempts counted from zero",
}


def page() -> str:
    """The page as it is committed."""
    lines = [
        "# The states of a job",
        "",
        "Drawn from `schemas/job.py` by `make schemas`. On the arrows: the calls of `JobQueue` that make the move.",
        "Every other move is refused by the statements, and by the tables themselves.",
        "",
        "```mermaid",
        *diagram(),
        "```",
        "",
        "| call | when |",
        "|---|---|",
        *(f"| `{name}` | {meaning} |" for name, meaning in CALLS.items()),
        "",
        "`revise` moves no job: a transcript that is changed by hand (names of speakers) is a new revision of the",
        "same done job. It is refused while another job of the episode is running.",
    ]
    return "\n".join(lines) + "\n"


def diagram() -> list[str]:
    """Mermaid's state diagram. A job that is done or cancelled stays so."""
    return [
        "stateDiagram-v2",
        *(f"    {state}: {state} ({meaning})" for state, meaning in MEANINGS.items()),
        *(f"    [*] --> {state}: add" for state in FIRST_STATES),
        *(f"    {before} --> {after}: {', '.join(calls)}" for (before, after), calls in MOVES.items()),
        *(f"    {state} --> [*]" for state in JobState if not any(before is state for before, _ in MOVES)),
    ]
