"""Run the service, hurt it in every way we know, and see that nothing is lost, doubled or wrong.

    python -m tests.chaos.campaign --runs 1000 --seed 7 --report docs/reliability.md

A run drops one to three episodes by doors picked at random, disturbs the service while they are on their way, has one
of them deleted in every fifth run and an earlier one's speakers named by hand in every second, heals the service,
waits until every job is final, and checks the invariants. A receiver of webhooks hears of all runs. All choices of a
run come from its seed and number, so that one run can be tried again by itself (`--only NUMBER`); what the operating
system does in between does not.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import httpx

from adapters.acceptance import YOUNG_SECONDS
from adapters.settings import Settings, read_settings
from adapters.store_keys import upload_key
from adapters.wiring import open_ledger, open_store, open_webhook_desk, open_webhooks
from schemas.errors import NotFound, TransientError
from schemas.events import Event, EventType, TranscriptReady
from schemas.job import Job, JobState
from schemas.transcript import Transcript
from schemas.webhook import TOLD, DeliveryState, NewWebhook
from schemas.wire import read_json, write_json
from tests.chaos.disturbances import DISTURBANCES, Disturbance
from tests.chaos.episodes import MOMENTS, SOUND_COUNT, Calm, Deleting, Doors, Dropped, Sound, new_title, spoken
from tests.chaos.fleet import LEASE_SECONDS, ROOT, Fleet, Servers, until
from tests.chaos.naming import Naming, names_of, people
from tests.chaos.outside import Receiver, Recordings
from tests.chaos.proxy import Proxy
from tests.chaos.witness import Witness, latest_records, send_again
from transcription.ports import Store
from workers.reconciler import Reconciler

T = TypeVar("T")

BUCKET = "episodes"
NEWEST = 20  #: jobs that a run may look for its own among
KEPT_RUNS = 20  #: whose drops stay in the bucket, for replays and repeats to find
DOORS = ("bucket", "event", "api", "link")
DELETIONS = 0.2  #: share of the runs in which one of the episodes is deleted
NAMINGS = 0.5  #: share of the runs in which the speakers of an earlier episode are named by hand
START_SECONDS = 240  #: for eight processes to start on a busy machine; only one that does not start takes so long
NAMED_AGAIN = 5  #: earlier episodes of which one is named, so that some are more than once
FINAL_EVENTS = {
    EventType.JOB_DONE: JobState.DONE,
    EventType.JOB_FAILED: JobState.FAILED,
    EventType.JOB_CANCELLED: JobState.CANCELLED,
}


@dataclass
class Outcome:
    """What a run showed."""

    number: int
    disturbance: str
    kills: int = 0
    episodes: int = 0
    seconds: float = 0.0  #: from the first drop until all is quiet
    reclaimed: list[float] = field(default_factory=list)  #: from a worker's death to its job's next claim, seconds
    copies: int = 0  #: events that came more than once
    deleted: int = 0  #: episodes
    named: int = 0  #: names given by hand
    posted: int = 0  #: requests that the webhook's receiver had
    posted_again: int = 0  #: of them those for an event that it had had a request for
    trouble: str | None = None


class InTwoHours:
    """The store as it is found two hours later: by then nobody can be about to name what lies there."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def age(self, key: str) -> float | None:
        found = self._store.age(key)
        return None if found is None else found + 2 * YOUNG_SECONDS

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class Campaign:
    """One installation and its runs."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.seed = seed
        self.servers = Servers(folder / "servers")
        self.proxy = Proxy(int(self.servers.s3.endpoint.rpartition(":")[2]), http=True, seed=seed)
        self.s3 = self.servers.s3.client()
        self.s3.create_bucket(Bucket=BUCKET)
        self._bootstrap = self.servers.kafka.bootstrap
        self._replays = 0
        self._dropped: deque[list[Dropped]] = deque()
        self._deleted: list[Dropped] = []
        self._deleted_types: dict[str, set[EventType]] = {}  # of deleted episodes: what must be told of them
        self._kept: list[Job] = []
        self.receiver = Receiver(seed)
        self.recordings = Recordings(seed)
        self.killed_servers: set[str] = set()
        self.fleet = Fleet(folder, self._environ())
        self.settings = self._settings()
        self._command("topics", "create")
        self.ledger = open_ledger(self.settings)
        self.store = open_store(self.settings)
        self.calm = Calm(folder)
        self.sounds: list[Sound] = [self.calm.sound(number) for number in range(SOUND_COUNT)]
        self.doors = Doors(
            s3=self.s3,
            bucket=BUCKET,
            bootstrap=self.servers.kafka.bootstrap,
            topic_prefix="",
            api=self.api,
            recordings=self.recordings,
        )
        self.webhooks = open_webhooks(self.settings)
        self.witness = Witness(self.servers.kafka.bootstrap)
        self.witness.start()
        # Not over the API: one that answers too late is asked again, and then there are two of them.
        webhook, self.receiver.secret = open_webhook_desk(self.settings).add(NewWebhook(self.receiver.url, TOLD))
        self._webhook_id = webhook.id
        self.fleet.start()
        try:
            until(self._is_up, "the API answers", seconds=START_SECONDS)
        except BaseException:
            self.end()  # who made no campaign cannot end it
            raise

    def _is_up(self) -> bool:
        try:
            return httpx.get(f"{self.api}/healthz", timeout=20).status_code == 200
        except httpx.HTTPError:
            return False

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    def end(self) -> None:
        self.fleet.end()
        self.witness.end()
        self.doors.close()
        self.receiver.end()
        self.recordings.end()
        self.ledger.close()
        self.proxy.close()
        self.servers.down()

    # -- one run

    def run(self, number: int, only: str | None = None) -> Outcome:
        """One run. What went wrong is in its outcome; nothing is raised but a stop by the user."""
        rng = random.Random(f"{self.seed}/{number}")
        disturbance = self._pick(rng, only)
        outcome = Outcome(number, disturbance.name)
        episodes: list[Dropped] = []
        namings: list[Naming] = []
        before = (self.receiver.requests, self.receiver.copies)
        began = time.monotonic()
        try:
            episodes += [self._new_episode(rng) for _ in range(rng.choice((1, 1, 2, 3)))]
            outcome.episodes = len(episodes)
            if disturbance.door is not None:
                episodes[0].door = disturbance.door
            self._deal_deletion(random.Random(f"{self.seed}/{number}/deletion"), episodes, always=disturbance.deletes)
            namings += self._deal_names(random.Random(f"{self.seed}/{number}/names"), always=disturbance.names)
            disturbed = disturbance.begin(self, rng)
            for naming in namings:
                naming.begin()
            for dropped in episodes:
                self.doors.by_name(dropped.door)(dropped)
                if dropped.deletion is not None:
                    dropped.deletion.begin(dropped)
            disturbed.go_on()
            self.heal()
            outcome.kills = disturbed.kills
            deleted = [each for each in episodes if each.deletion is not None]
            kept = [each for each in episodes if each.deletion is None]
            for dropped in deleted:
                assert dropped.deletion is not None
                dropped.deletion.end()
            for naming in namings:
                naming.end()
            self._wait_until_quiet(kept)
            outcome.seconds = time.monotonic() - began
            for dropped in kept:
                self._check(dropped, outcome)
            self._check_names(namings)
            self._check_two_hours_later([each for each in kept if each.door == "link"], namings)
            for dropped in deleted:
                self._check_deleted(dropped)
            outcome.deleted, outcome.named = len(deleted), len(namings)
            self._check_scratch()
            outcome.reclaimed = self._reclaimed(disturbed.worker_deaths, kept)
        except Exception as error:
            outcome.seconds = time.monotonic() - began
            outcome.trouble = f"{type(error).__name__}: {error}\n{traceback.format_exc()}"
            self._recover()
            for dropped in episodes:
                if dropped.deletion is not None:
                    dropped.deletion.wait()  # so that it does not reach into the next run
            for naming in namings:
                naming.wait()
        outcome.posted, outcome.posted_again = self.receiver.requests - before[0], self.receiver.copies - before[1]
        self._forget_work(episodes)
        return outcome

    def heal(self) -> None:
        """Everything that was taken away is given back."""
        self.fleet.disarm()
        self.proxy.pass_on()
        self.empty_scratch()
        self.step_clock(0)
        for name in sorted(self.killed_servers):
            self.servers.start(name)
        self.killed_servers.clear()
        self.fleet.heal()

    def _pick(self, rng: random.Random, only: str | None) -> Disturbance:
        named = [each for each in DISTURBANCES if only is None or each.name.startswith(only)]
        return rng.choices(named, [each.weight for each in named])[0]

    def _new_episode(self, rng: random.Random) -> Dropped:
        return Dropped(title=new_title(rng), sound=rng.choice(self.sounds), door=rng.choice(DOORS))

    def _deal_deletion(self, rng: random.Random, episodes: Sequence[Dropped], *, always: bool) -> None:
        """Mark one of the episodes to be deleted, now and then; all other choices of the run stay as they are."""
        if rng.random() >= DELETIONS and not always:
            return
        dropped = rng.choice(episodes)
        dropped.sound = dropped.sound.with_other_bytes(dropped.title)

        def state() -> JobState | None:
            return next((job.state for job in self._jobs_of(dropped)), None)

        dropped.deletion = Deleting(
            self.api, rng.choice(list(MOMENTS)), rng.choice((0.0, rng.uniform(0.0, 1.0))), state
        )

    def _deal_names(self, rng: random.Random, *, always: bool) -> list[Naming]:
        """Have the speakers of one of the episodes named that are done since earlier runs, in every second run."""
        done = [job for job in self._kept[-NAMED_AGAIN:] if job.state is JobState.DONE]
        if not done or (rng.random() >= NAMINGS and not always):
            return []
        return people(self.api, rng.choice(done).episode_id, rng)

    # -- what disturbances ask for

    def send_notifications_again(self, rng: random.Random) -> None:
        """The latest announcements of bucket and producers, twice each, in any order, to any partition."""
        records = [each for topic in ("bucket-events", "episodes") for each in latest_records(self._bootstrap, topic)]
        copies = records * 2
        rng.shuffle(copies)
        send_again(self._bootstrap, copies)

    def set_offsets_back(self) -> None:
        """The intakes come back as members of a group that has read nothing yet: every topic from its beginning."""
        self._replays += 1
        for name in ("intake-1", "intake-2"):
            member = self.fleet[name]
            member.kill()
            member.environ["STENOCAST_KAFKA_GROUP"] = f"intake-{self._replays}"
            member.start()

    def fill_scratch(self) -> None:
        self.fleet.ballast.write_bytes(b"")
        with self.fleet.ballast.open("ab") as file:
            try:
                while True:
                    file.write(bytes(65_536))
                    file.flush()
            except OSError:
                return

    def empty_scratch(self) -> None:
        self.fleet.ballast.unlink(missing_ok=True)

    def step_clock(self, seconds: int) -> None:
        self.fleet.clock_file.write_text(f"{seconds:+d}\n")

    # -- what must hold

    def _jobs_of(self, dropped: Dropped) -> list[Job]:
        return [
            job for job in self._ask(lambda: self.ledger.jobs(limit=NEWEST)) if job.episode_id == dropped.episode_id
        ]

    def _ask(self, question: Callable[[], T]) -> T:
        """Ask the ledger; once more where our own connection died with the database."""
        try:
            return question()
        except TransientError:
            return question()

    def _wait_until_quiet(self, episodes: Sequence[Dropped]) -> None:
        for dropped in episodes:
            until(
                lambda dropped=dropped: [job.state.is_final for job in self._jobs_of(dropped)] == [True],
                f"{dropped.door} episode {dropped.episode_id} has one job and it is final",
            )

    def _check(self, dropped: Dropped, outcome: Outcome) -> None:
        [job] = self._jobs_of(dropped)
        assert dropped.job_id in (None, job.id), "the API answered with this job"
        told = [event for _, event in self.ledger.events_of(job.id)]
        finals = [FINAL_EVENTS[event.type] for event in told if event.type in FINAL_EVENTS]
        assert finals == [job.state], f"one end, {job.state}: {finals}"
        self._check_events(dropped, told, outcome)
        self._check_result(dropped, job, told)
        self._kept.append(job)

    def _check_two_hours_later(self, links: Sequence[Dropped], namings: Sequence[Naming]) -> None:
        """A look of the reconciler, to which everything is two hours older, removes those downloads and revisions by
        hand that nobody names, and no others."""
        if not links and not namings:
            return
        store = cast("Store", InTwoHours(self.store))
        self._ask(Reconciler(queue=self.ledger, store=store, take_in=None, grace_seconds=0.0).look)
        for dropped in links:
            self._check_copies(dropped)
        for episode_id in {naming.episode_id for naming in namings}:
            current = self._ask(lambda episode_id=episode_id: self.ledger.latest_done(episode_id))
            told = [event.data for _, event in self._ask(lambda job=current: self.ledger.events_of(job.id))]
            named = sorted({data.document_key for data in told if isinstance(data, TranscriptReady)})
            left = sorted(self.store.keys(f"results/{current.id}/"))
            assert left == named, f"of the revisions {named} the store has {left}"

    def _check_copies(self, dropped: Dropped) -> None:
        """Of all downloads of a link that one is in the store that its episode shows, or none where none was kept."""
        [job] = self._jobs_of(dropped)
        shown = self._ask(lambda: self.ledger.episode(dropped.episode_id or "")).audio
        keys = set(map(upload_key, self.recordings.hashes(dropped.title)))
        wanted = {key for key in keys if key == shown.uri}
        assert wanted or job.state is not JobState.DONE, f"{shown} is no download of {dropped.title}"
        left = {key for key in keys if self.store.exists(key)}
        assert left == wanted, f"of {sorted(keys)} the store has {sorted(left)}, not {sorted(wanted)}"

    def _check_names(self, namings: Sequence[Naming]) -> None:
        """Each revision by hand is whole: its event, its document and the ledger's pointer agree, and the current one
        has every name that was answered for."""
        if not namings:
            return
        episode_id = namings[0].episode_id
        current = self._ask(lambda: self.ledger.latest_done(episode_id))
        told = [event for _, event in self._ask(lambda: self.ledger.events_of(current.id))]
        made = [event for event in told if event.type.value.startswith("transcript.")]
        revisions = [event.data.revision for event in made if isinstance(event.data, TranscriptReady)]
        assert revisions == list(range(1, (current.revision or 0) + 1)), f"revisions told: {revisions}"
        documents = [self._document_of(event) for event in made]
        given = {naming.speaker: naming.name for naming in namings}
        assert names_of(documents[-1]) == given, f"revision {current.revision} of {episode_id}"
        refused = {naming.outdated_name for naming in namings}
        assert not any(refused & set(names_of(each).values()) for each in documents), "an outdated name was taken"
        for topic in ("transcripts", "transcripts-latest"):
            until(
                lambda topic=topic: self.witness.seen(topic, episode_id).first_copies == [each.id for each in made],
                f"{topic} has the {len(made)} revisions of episode {episode_id} in order",
                seconds=30,
            )

    def _document_of(self, event: Event) -> Transcript:
        """The document of a revision, which its event and the ledger name alike."""
        assert isinstance(event.data, TranscriptReady)
        revision, episode_id = event.data.revision, event.subject
        job = self._ask(lambda: self.ledger.latest_done(episode_id, revision=revision))
        pointer = (job.revision, job.transcript_key, job.transcript_sha256)
        assert pointer == (revision, event.data.document_key, event.data.document_sha256), f"{pointer}: {event}"
        content = self.store.get(event.data.document_key)
        assert content is not None, f"{event.data.document_key} is not in the store"
        assert hashlib.sha256(content).hexdigest() == event.data.document_sha256
        document = read_json(Transcript, content)
        assert document.revision == revision
        return document

    def _check_events(self, dropped: Dropped, told: Sequence[Event], outcome: Outcome) -> None:
        """Each event at least once on its topic, first copies in order, nothing that the ledger does not know."""
        assert self.witness.trouble is None, f"the witness sees no more: {self.witness.trouble}"
        assert dropped.episode_id is not None
        for topic, prefix in (
            ("jobs", "job."),
            ("transcripts", "transcript."),
            ("transcripts-latest", "transcript."),
        ):
            expected = [event.id for event in told if event.type.value.startswith(prefix)]
            until(
                lambda topic=topic, expected=expected: (
                    self.witness.seen(topic, dropped.episode_id).first_copies == expected
                ),
                f"{topic} has the {len(expected)} events of episode {dropped.episode_id} in order",
                seconds=30,
            )
            outcome.copies += self.witness.seen(topic, dropped.episode_id).copies

    def _check_result(self, dropped: Dropped, job: Job, told: Sequence[Event]) -> None:
        published = [event for event in told if event.type is EventType.TRANSCRIPT_PUBLISHED]
        assert len(published) == int(job.state is JobState.DONE)
        visible = [job.transcript_key] if job.state is JobState.DONE else []
        until(
            lambda: list(self.store.keys(f"results/{job.id}/")) == visible,
            f"results/{job.id}/ holds {visible} and nothing else",
            seconds=30,
        )
        if job.state is not JobState.DONE:
            return
        content = self.store.get(job.transcript_key or "")
        assert content is not None
        assert hashlib.sha256(content).hexdigest() == job.transcript_sha256
        assert spoken(read_json(Transcript, content)) == self._undisturbed(dropped), "the same words as undisturbed"
        latest = self.witness.latest(dropped.episode_id or "")
        assert latest is not None
        assert latest.id == published[0].id

    def _undisturbed(self, dropped: Dropped) -> tuple[Any, ...]:
        """What is said in the recording that was transcribed: of a link, in the download that was kept."""
        if dropped.door != "link":
            return dropped.sound.spoken
        shown = self._ask(lambda: self.ledger.episode(dropped.episode_id or "")).audio
        content = self.store.get(shown.uri or "")
        assert content is not None, f"{shown} is not in the store"
        return self.calm.spoken(content)

    def _check_deleted(self, dropped: Dropped) -> None:
        """Nothing of a deleted episode can be read or is in the store, and its deletion is told after all else."""
        assert dropped.episode_id is not None
        self._deleted.append(dropped)
        assert self._jobs_of(dropped) == [], "its job left the list"
        deletion = self._ask(lambda: self.ledger.deletion(dropped.episode_id or ""))
        [job_id] = deletion.job_ids
        assert dropped.job_id in (None, job_id), "the API answered with this job"
        state = self._ask(lambda: self.ledger.job(job_id)).state
        assert state.is_final
        until(lambda: self._is_gone(dropped.episode_id or ""), "the API answers 410 to who asks for the transcript")
        ends = {kind for kind, end in FINAL_EVENTS.items() if end is state}
        has_transcript = deletion.revision is not None
        self._deleted_types[dropped.episode_id] = ends | ({EventType.TRANSCRIPT_DELETED} if has_transcript else set())
        self._check_nothing_is_left_of(dropped, job_id)
        self._check_events_of_deleted(dropped, state, has_transcript=has_transcript)

    def _check_nothing_is_left_of(self, dropped: Dropped, job_id: str) -> None:
        try:
            until(lambda: self._left_of(dropped, job_id) == [], "the store has nothing of it", seconds=30)
        except AssertionError as error:
            raise AssertionError(f"{error}: {dropped.deletion}, {self._left_of(dropped, job_id)}") from error

    def _is_gone(self, episode_id: str) -> bool:
        try:
            return httpx.get(f"{self.api}/v1/transcripts/{episode_id}", timeout=20).status_code == 410
        except httpx.HTTPError:
            return False

    def _left_of(self, dropped: Dropped, job_id: str) -> list[str]:
        """Objects that are a deleted episode's; its recording is like no other's. Not the note by which a worker's
        last checkpoint is found, which stays for two minutes."""
        hashes = [dropped.sound.sha256, *self.recordings.hashes(dropped.title)]
        prefixes = [f"{each}/{sha256}/" for each in ("uploads", "checkpoints") for sha256 in hashes]
        prefixes.append(f"results/{job_id}/")
        return [key for prefix in prefixes for key in self.store.keys(prefix)]

    def _check_events_of_deleted(self, dropped: Dropped, state: JobState, *, has_transcript: bool) -> None:
        """The end of its job, and where there was a transcript its deletion after it or alone; each once."""
        assert self.witness.trouble is None, f"the witness sees no more: {self.witness.trouble}"
        episode_id = dropped.episode_id or ""
        published, deleted = EventType.TRANSCRIPT_PUBLISHED, EventType.TRANSCRIPT_DELETED
        told = ([published, deleted], [deleted]) if has_transcript else ([],)
        # First the end: where there is nothing else to wait for, it says that the publisher is past this job.
        until(lambda: self._ends_told(episode_id) == [state], f"one end is told, {state}", seconds=30)
        until(lambda: self.witness.types("transcripts", episode_id) in told, f"{dropped.door}: {told}", seconds=30)
        until(lambda: self.witness.is_buried(episode_id) == has_transcript, "a tombstone is the latest", seconds=30)

    def _ends_told(self, episode_id: str) -> list[JobState]:
        return [FINAL_EVENTS[each] for each in self.witness.types("jobs", episode_id) if each in FINAL_EVENTS]

    def last_check(self) -> str:
        """What can be said after all runs alone: of the database, of deleted episodes that replays and repeats of
        later runs brought back, and of what was sent to the webhook. Empty when all is well.
        """
        sent = self._not_sent()
        return "; ".join(filter(None, [self.integrity(), *map(self._came_back, self._deleted), *sent]))

    def _not_sent(self) -> list[str]:
        """What is wrong with what the webhook's receiver got of all runs. An event whose first two tries failed waits
        for five minutes; an operator who enables the webhook has it sent at once."""
        self.receiver.calm()

        def fewer_wait_than(count: int) -> bool:
            with suppress(httpx.HTTPError):
                place = f"{self.api}/v1/webhooks/{self._webhook_id}"
                httpx.patch(place, json={"state": "enabled"}, timeout=20).raise_for_status()
                time.sleep(0.5)
            return self._ask(self.webhooks.backlog).waiting < count

        try:
            while count := self._ask(self.webhooks.backlog).waiting:
                until(lambda count=count: fewer_wait_than(count), "something that waits is sent to the webhook")
        except AssertionError as error:
            waiting = self.webhooks.deliveries(self._webhook_id, state=DeliveryState.WAITING)
            return [f"{error}: {len(waiting)} wait, the last of them {waiting[:1]}"]
        told = {event.id for job in self._kept for _, event in self.ledger.events_of(job.id)}
        missing = sorted(told - self.receiver.ids())
        unheard = sorted(self.receiver.of({job.episode_id for job in self._kept}) - told)
        unlike = self.receiver.unlike(but_of=self._deleted_types)
        wrong = [
            *self.receiver.wrong,
            *(f"event {each} was not sent to the webhook" for each in missing),
            *(f"event {each} was sent to the webhook, and the ledger does not know it" for each in unheard),
            *(f"the copies of event {each} differ" for each in unlike),
        ]
        for episode_id, expected in self._deleted_types.items():
            left_out = expected - set(self.receiver.types(episode_id))
            wrong += [f"{each} of deleted episode {episode_id} was not sent to the webhook" for each in left_out]
        return wrong

    def _came_back(self, dropped: Dropped) -> str:
        """What there is of a deleted episode after all. Empty when all is well."""
        name, episode_id = f"deleted {dropped.door} episode {dropped.episode_id}", dropped.episode_id or ""
        with suppress(NotFound):
            self._ask(lambda: self.ledger.episode(episode_id))
            return f"{name} came back"
        job_ids = self._ask(lambda: self.ledger.deletion(episode_id)).job_ids
        if len(job_ids) > 1:
            return f"{name} was done again"
        left = self._left_of(dropped, job_ids[0])
        return f"of {name} the store has {left}" if left else ""

    def _check_scratch(self) -> None:
        """Decoded sound of attempts that are over is gone, whoever died over it."""

        def left() -> list[str]:
            files = self.settings.scratch_folder.rglob("*")
            return [str(each) for each in files if each.is_file() and each.suffix != ".lock"]

        until(lambda: not left(), "scratch is empty")

    def _reclaimed(self, deaths: Sequence[float], episodes: Sequence[Dropped]) -> list[float]:
        """For each death of a worker with a running job: after how long the job was claimed again."""
        found = []
        for died in deaths:
            for dropped in episodes:
                [job] = self._jobs_of(dropped)
                starts = [
                    datetime.fromisoformat(event.time).timestamp()
                    for _, event in self.ledger.events_of(job.id)
                    if event.type is EventType.JOB_STARTED
                ]
                before = [start for start in starts if start < died]
                after = [start for start in starts if start > died]
                if before and after:
                    found.append(after[0] - died)
        return found

    def integrity(self) -> str:
        """PostgreSQL's own check of every table and index, after all runs. Empty when all is well."""
        program = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_amcheck"))[-1]
        url = urlsplit(self.servers.postgres_url)
        place = ["--host", str(url.hostname), "--port", str(url.port), "--username", str(url.username)]
        done = subprocess.run(
            [program, *place, "--install-missing", "--heapallindexed", url.path.removeprefix("/")],
            env=os.environ | {"PGPASSWORD": url.password or ""},
            capture_output=True,
            text=True,
            check=False,
        )
        return "" if done.returncode == 0 else done.stdout + done.stderr

    # -- the rest

    def _forget_work(self, episodes: Sequence[Dropped]) -> None:
        """Take checkpoints and uploads away, so that the next run's workers have everything to do again.

        Old drops go as well: a bucket that grew for a thousand runs would measure the bucket.
        """
        for prefix in ("checkpoints/", "uploads/"):
            for key in list(self.store.keys(prefix)):
                self.store.delete(key)
        self._dropped.append(episodes)
        if len(self._dropped) > KEPT_RUNS:
            self.doors.forget(self._dropped.popleft())

    def _recover(self) -> None:
        """After trouble: a fleet of fresh processes, so that one fault is not counted in every later run."""
        self.heal()
        for job in self._ask(lambda: self.ledger.jobs(limit=NEWEST)):
            if not job.state.is_final:
                self.ledger.cancel(job.id)

    def _environ(self) -> dict[str, str]:
        from tests.end_to_end.conftest import free_port

        return {
            **self.servers.s3.credentials,
            "STENOCAST_DATABASE_URL": self.servers.postgres_url,
            "STENOCAST_STORE_URL": f"s3://{BUCKET}/stenocast",
            "STENOCAST_S3_ENDPOINT": f"http://127.0.0.1:{self.proxy.port}",
            "STENOCAST_S3_REGION": "us-east-1",
            "STENOCAST_DROP_URL": f"s3://{BUCKET}/incoming",
            "STENOCAST_KAFKA_BOOTSTRAP": self.servers.kafka.bootstrap,
            "STENOCAST_PORT": str(free_port()),
            "STENOCAST_OUTWARD_NETWORKS": "127.0.0.0/8",
        }

    def _settings(self) -> Settings:
        os.environ |= self.servers.s3.credentials
        return read_settings(self.fleet.environ | {"STENOCAST_S3_ENDPOINT": self.servers.s3.endpoint})

    def _command(self, *words: str) -> None:
        subprocess.run([sys.executable, "-m", "cli.main", *words], env=self.fleet.environ, cwd=ROOT, check=True)


def summary(outcomes: Sequence[Outcome], seed: int, last_check: str, *, fresh: int, minutes: float) -> str:
    """The report: what was done, what came of it, how long things took. `fresh` runs are of this call."""
    kinds = Counter(each.disturbance for each in outcomes)
    posted, posted_again = sum(each.posted for each in outcomes), sum(each.posted_again for each in outcomes)
    lines = [
        f"| runs | {len(outcomes)} (seed {seed}), the last {fresh} of them in {minutes:.0f} minutes |",
        f"| episodes | {sum(each.episodes for each in outcomes)} |",
        f"| of them deleted meanwhile | {sum(each.deleted for each in outcomes)} |",
        f"| processes and servers killed or frozen | {sum(each.kills for each in outcomes)} |",
        f"| runs in which an invariant broke | {sum(each.trouble is not None for each in outcomes)} |",
        f"| events that came more than once | {sum(each.copies for each in outcomes)} |",
        f"| names given by hand meanwhile | {sum(each.named for each in outcomes)} |",
        f"| requests to the webhook's receiver, repeats among them | {posted}, {posted_again} |",
        f"| last check: database, deleted episodes that came back, what was sent | {last_check or 'clean'} |",
    ]
    again = sorted(seconds for each in outcomes for seconds in each.reclaimed)
    if again:
        lines.append(
            f"| job of a dead worker claimed again (lease {LEASE_SECONDS:g} s) | {len(again)} times,"
            f" median {again[len(again) // 2]:.1f} s, longest {again[-1]:.1f} s |"
        )
    table = "\n".join(["| what | measured |", "|---|---|", *lines])
    rows = ["| disturbance | runs | broke | seconds until quiet: median, longest |", "|---|---|---|---|"]
    for name in sorted(kinds):
        own = [each for each in outcomes if each.disturbance == name]
        times = sorted(each.seconds for each in own)
        broke = sum(each.trouble is not None for each in own)
        rows.append(f"| {name} | {len(own)} | {broke} | {times[len(times) // 2]:.1f}, {times[-1]:.1f} |")
    return table + "\n\n" + "\n".join(rows) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.campaign", description=__doc__)
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lanes", type=int, default=1, help="installations side by side that share the runs")
    parser.add_argument("--only", type=int, help="just the run with this number")
    parser.add_argument("--disturbance", help="only those whose name begins like this")
    parser.add_argument("--outcomes", type=Path, help="keep outcomes in this file; runs that it has are not repeated")
    parser.add_argument("--report", type=Path, help="write the tables between the marks of this page")
    parser.add_argument("--keep", action="store_true", help="keep the folders with the logs")
    given = parser.parse_args(arguments)
    numbers = list(range(given.runs)) if given.only is None else [given.only]
    known = read_outcomes(given.outcomes)
    left = [number for number in numbers if number not in known]
    shares = [left[lane :: given.lanes] for lane in range(given.lanes)]
    began = time.monotonic()
    with ProcessPoolExecutor(given.lanes, multiprocessing.get_context("spawn")) as lanes:
        done = list(lanes.map(run_lane, shares, [given] * given.lanes))
    fresh = {each.number: each for lane, _ in done for each in lane}
    outcomes = [(known | fresh)[number] for number in numbers]
    last_check = "; ".join(dict.fromkeys(said for _, said in done if said))
    minutes = (time.monotonic() - began) / 60
    text = summary(outcomes, given.seed, last_check, fresh=len(fresh), minutes=minutes)
    print(text)
    if given.report is not None:
        _write_between_marks(given.report, text)
    return int(bool(last_check) or any(each.trouble for each in outcomes))


def run_lane(numbers: Sequence[int], given: argparse.Namespace) -> tuple[list[Outcome], str]:
    """These runs on an installation of their own; what came of them, and what the last check said."""
    folder = Path(tempfile.mkdtemp(prefix="stenocast-chaos-"))
    outcomes: list[Outcome] = []
    campaign = Campaign(folder, given.seed)
    try:
        for number in numbers:
            outcome = campaign.run(number, given.disturbance)
            outcomes.append(outcome)
            if given.outcomes is not None:
                with given.outcomes.open("ab", buffering=0) as file:
                    file.write(write_json(outcome) + b"\n")  # one write: lanes share the file
            told = f"{number:5} {outcome.disturbance:28} {outcome.seconds:6.1f} s  {outcome.trouble or 'ok'}"
            print(told, flush=True)
        return outcomes, campaign.last_check()
    finally:
        campaign.end()
        if given.keep:
            print(f"logs in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def read_outcomes(file: Path | None) -> dict[int, Outcome]:
    """The outcomes of runs that were done before, by their numbers."""
    if file is None or not file.exists():
        return {}
    found = [read_json(Outcome, line) for line in file.read_bytes().splitlines()]
    return {each.number: each for each in found}


def _write_between_marks(page: Path, text: str) -> None:
    before, _, rest = page.read_text(encoding="utf-8").partition("<!-- campaign:begin -->")
    after = rest.partition("<!-- campaign:end -->")[2]
    page.write_text(f"{before}<!-- campaign:begin -->\n{text}<!-- campaign:end -->{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
