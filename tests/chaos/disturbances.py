"""The ways in which a campaign hurts the service.

Each begins before the run's episodes are dropped and goes on while they are on their way; what it took away, the
campaign's `heal` gives back. `kills` counts processes and servers killed or frozen.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.chaos.fleet import LEASE_SECONDS, is_small_disk, until
from workers.crashpoints import (
    API_POINTS,
    CRASH_POINTS,
    DELETION_POINTS,
    ENGINE_POINTS,
    INTAKE_POINTS,
    LINK_POINTS,
    REVISION_POINTS,
    WEBHOOK_POINTS,
)

if TYPE_CHECKING:
    from tests.chaos.campaign import Campaign

#: How long an armed crash point is waited for. One that nobody comes by in this run was a calm run.
ARMED_SECONDS = 4.0
#: One on the way of a deletion, which may wait for its job to be done first.
ARMED_FOR_DELETION_SECONDS = 20.0
#: A job takes about this long: the span in which a blow at random meets it.
JOB_SECONDS = 2.0
#: Processes of which one at a time is hurt at random.
PROCESSES = ("worker-1", "worker-2", "intake-1", "intake-2", "publish-1", "publish-2", "reconcile", "api")


@dataclass
class Disturbed:
    """A disturbance that has begun. `go_on` does the rest of it, after the drops."""

    go_on: Callable[[], None] = lambda: None
    kills: int = 0
    worker_deaths: list[float] = field(default_factory=list)  #: epoch seconds


@dataclass(frozen=True)
class Disturbance:
    name: str
    begin: Callable[[Any, random.Random], Disturbed]
    weight: float = 1.0
    door: str | None = None  #: that the run's first episode has to come by, to meet it
    deletes: bool = False  #: one of the run's episodes has to be deleted, to meet it
    names: bool = False  #: the speakers of an earlier episode have to be named, to meet it


def none(_campaign: Campaign, _rng: random.Random) -> Disturbed:
    return Disturbed()


def crash_at(place: str) -> Callable[[Campaign, random.Random], Disturbed]:
    """Whoever comes by this place first dies there, and is started again a moment later."""

    def begin(campaign: Campaign, rng: random.Random) -> Disturbed:
        in_the_child = place in ENGINE_POINTS + LINK_POINTS
        campaign.fleet.arm(f"worker:{place}" if in_the_child and rng.random() < 0.5 else place)
        disturbed = Disturbed()

        def go_on() -> None:
            deadline = time.monotonic() + ARMED_SECONDS
            while time.monotonic() < deadline and campaign.fleet.crash_file.exists():
                time.sleep(0.05)
            if campaign.fleet.disarm():
                disturbed.kills += 1
                time.sleep(0.1)
                if any(name.startswith("worker") for name in campaign.fleet.dead()):
                    disturbed.worker_deaths.append(time.time())
            time.sleep(rng.uniform(0.0, 1.0))

        disturbed.go_on = go_on
        return disturbed

    return begin


def crash_api_at(place: str, armed_seconds: float = ARMED_SECONDS) -> Callable[[Campaign, random.Random], Disturbed]:
    """The API dies in the middle of a request, and is started again while the sender knocks once more."""

    def begin(campaign: Campaign, _rng: random.Random) -> Disturbed:
        campaign.fleet.arm(place)
        disturbed = Disturbed()

        def start_again() -> None:
            deadline = time.monotonic() + armed_seconds
            while time.monotonic() < deadline and campaign.fleet.crash_file.exists():
                time.sleep(0.05)
            if campaign.fleet.disarm():
                disturbed.kills += 1
                until(lambda: not campaign.fleet["api"].is_alive(), "the API is dead")
                campaign.fleet["api"].start()

        thread = threading.Thread(target=start_again)
        thread.start()
        disturbed.go_on = thread.join
        return disturbed

    return begin


def kill_at_random(campaign: Campaign, rng: random.Random) -> Disturbed:
    """One to three processes, killed at moments of their own."""
    names = rng.sample(PROCESSES, rng.choice((1, 1, 2, 3)))
    pauses = [rng.uniform(0.0, JOB_SECONDS) for _ in names]
    disturbed = Disturbed()

    def go_on() -> None:
        for name, pause in zip(names, pauses, strict=True):
            time.sleep(pause)
            campaign.fleet[name].kill()
            disturbed.kills += 1
            if name.startswith("worker"):
                disturbed.worker_deaths.append(time.time())

    disturbed.go_on = go_on
    return disturbed


def kill_both_workers(campaign: Campaign, rng: random.Random) -> Disturbed:
    pause = rng.uniform(0.0, JOB_SECONDS)
    disturbed = Disturbed()

    def go_on() -> None:
        time.sleep(pause)
        for name in ("worker-1", "worker-2"):
            campaign.fleet[name].kill()
            disturbed.worker_deaths.append(time.time())
        disturbed.kills += 2

    disturbed.go_on = go_on
    return disturbed


def kill_engine(campaign: Campaign, rng: random.Random) -> Disturbed:
    """The engine child alone; its supervisor goes on."""
    name, pause = rng.choice(("worker-1", "worker-2")), rng.uniform(0.0, JOB_SECONDS)
    disturbed = Disturbed()

    def go_on() -> None:
        time.sleep(pause)
        disturbed.kills += int(campaign.fleet[name].kill_engine())

    disturbed.go_on = go_on
    return disturbed


def freeze_at_random(campaign: Campaign, rng: random.Random) -> Disturbed:
    """SIGSTOP for longer than a lease, then SIGCONT: the process wakes up and believes that it is still at work."""
    name = rng.choice(PROCESSES)
    pause, length = rng.uniform(0.0, JOB_SECONDS), rng.uniform(0.5, 2.0) * LEASE_SECONDS
    disturbed = Disturbed()

    def go_on() -> None:
        time.sleep(pause)
        campaign.fleet[name].freeze()
        disturbed.kills += 1
        time.sleep(length)
        campaign.fleet[name].thaw()

    disturbed.go_on = go_on
    return disturbed


def stop_worker(campaign: Campaign, rng: random.Random) -> Disturbed:
    """SIGTERM: the job is finished or handed back, the exit status is 0, and no attempt is counted.

    A process that Python is still starting has no handler yet and holds no job: it is waited for.
    """
    name, pause = rng.choice(("worker-1", "worker-2")), rng.uniform(0.0, JOB_SECONDS)

    def go_on() -> None:
        time.sleep(pause)
        until(lambda: campaign.fleet[name].has_said("worker started"), f"{name} has started")
        status = campaign.fleet[name].terminate()
        assert status == 0, f"{name} ended with status {status} after SIGTERM"

    return Disturbed(go_on)


def kill_server(name: str) -> Callable[[Campaign, random.Random], Disturbed]:
    """A server dies before or while the episodes come in, and is started again."""

    def begin(campaign: Campaign, rng: random.Random) -> Disturbed:
        pause, away = rng.uniform(0.0, JOB_SECONDS), rng.uniform(0.0, 2.0)

        def go_on() -> None:
            time.sleep(pause)
            campaign.killed_servers.add(name)
            campaign.servers.kill(name)
            time.sleep(away)

        return Disturbed(go_on, kills=1)

    return begin


def hurt_s3(kind: str) -> Callable[[Campaign, random.Random], Disturbed]:
    """The service's connections to the bucket are cut, stall, lose their answers, or are told to slow down."""

    def begin(campaign: Campaign, rng: random.Random) -> Disturbed:
        match kind:
            case "cut":
                campaign.proxy.cut(after_bytes=rng.choice((0, 100, 5_000, 100_000)))
            case "stall":
                campaign.proxy.stall(after_bytes=rng.choice((0, 5_000, 100_000)))
            case "lost answers":
                campaign.proxy.lose_answers(method="PUT", share=0.5)
            case "slow-down":
                campaign.proxy.slow_down(0.3)
        return _relieved(rng, campaign.proxy.pass_on)

    return begin


def _relieved(rng: random.Random, relief: Callable[[], None]) -> Disturbed:
    """A trouble that ends by itself after a while: whoever knocks at a door meanwhile has to knock again."""
    timer = threading.Timer(rng.uniform(0.5, 4.0), relief)
    timer.start()
    return Disturbed(timer.join)


def duplicate_notifications(campaign: Campaign, rng: random.Random) -> Disturbed:
    """What the bucket announced so far comes again, shuffled and more than once."""
    return Disturbed(lambda: campaign.send_notifications_again(rng))


def replay_topics(campaign: Campaign, rng: random.Random) -> Disturbed:
    """The group's offsets are set back to the beginning of every topic."""

    def go_on() -> None:
        time.sleep(rng.uniform(0.0, 1.0))
        campaign.set_offsets_back()

    return Disturbed(go_on, kills=2)


def fill_scratch(campaign: Campaign, rng: random.Random) -> Disturbed:
    """The disk of workers and uploads is full for a while: jobs wait, and the API asks for patience."""
    if not is_small_disk(campaign.fleet.scratch):
        return Disturbed()  # the user's own disk is not ours to fill
    campaign.fill_scratch()
    return _relieved(rng, campaign.empty_scratch)


def step_clock(campaign: Campaign, rng: random.Random) -> Disturbed:
    """The wall clock of every process steps by an hour or a day, to and fro."""
    seconds = rng.choice((-86_400, -3_600, 3_600, 86_400))

    def go_on() -> None:
        time.sleep(rng.uniform(0.0, 1.0))
        campaign.step_clock(seconds)
        time.sleep(rng.uniform(0.5, 2.0))
        campaign.step_clock(0)

    return Disturbed(go_on)


DISTURBANCES: tuple[Disturbance, ...] = (
    Disturbance("none", none),
    *(
        Disturbance(f"crash at {place}", crash_at(place), 2.0)
        for place in CRASH_POINTS + INTAKE_POINTS + WEBHOOK_POINTS
    ),
    *(Disturbance(f"crash at {place}", crash_at(place), 2.0, door="link") for place in LINK_POINTS),
    *(Disturbance(f"crash at {place}", crash_api_at(place), 2.0, door="api") for place in API_POINTS),
    *(
        Disturbance(f"crash at {place}", crash_api_at(place, ARMED_FOR_DELETION_SECONDS), 2.0, deletes=True)
        for place in DELETION_POINTS
    ),
    *(Disturbance(f"crash at {place}", crash_api_at(place), 2.0, names=True) for place in REVISION_POINTS),
    Disturbance("kill at random", kill_at_random, 18.0),
    Disturbance("kill both workers", kill_both_workers, 4.0),
    Disturbance("kill an engine", kill_engine, 4.0),
    Disturbance("freeze at random", freeze_at_random, 8.0),
    Disturbance("stop a worker", stop_worker, 3.0),
    Disturbance("kafka killed", kill_server("kafka"), 3.0),
    Disturbance("postgres crashed", kill_server("postgres"), 4.0),
    Disturbance("s3 killed", kill_server("s3"), 3.0),
    Disturbance("s3 cut", hurt_s3("cut"), 3.0),
    Disturbance("s3 stalls", hurt_s3("stall"), 2.0),
    Disturbance("s3 answers lost", hurt_s3("lost answers"), 2.0),
    Disturbance("s3 slow down", hurt_s3("slow-down"), 3.0),
    Disturbance("notifications again", duplicate_notifications, 3.0),
    Disturbance("topics replayed", replay_topics, 2.0),
    Disturbance("scratch full", fill_scratch, 2.0),
    Disturbance("clock step", step_clock, 2.0),
)
