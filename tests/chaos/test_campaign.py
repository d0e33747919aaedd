"""A short campaign, as part of the tests; `make chaos RUNS=1000` is the long one."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from tests.chaos.campaign import Campaign, Outcome

pytestmark = [pytest.mark.processes, pytest.mark.services, pytest.mark.timeout(1200)]

LANES = 2  #: installations side by side: half of a run is waiting
WANTED_KILLS = 30  #: in each lane
MOST_RUNS = 60  #: of a lane; more would mean that the disturbances no longer meet anything


def test_sixty_kills_lose_double_and_change_nothing(tmp_path: Path, services: dict[str, str]) -> None:
    seed = int(os.environ.get("STENOCAST_CHAOS_SEED", "1"))
    with ProcessPoolExecutor(LANES, multiprocessing.get_context("spawn")) as lanes:
        folders = [tmp_path / f"lane-{lane}" for lane in range(LANES)]
        done = list(lanes.map(until_killed_enough, folders, range(LANES), [seed] * LANES))
    outcomes = [each for lane, _ in done for each in lane]

    assert [f"run {each.number}, {each.disturbance}: {each.trouble}" for each in outcomes if each.trouble] == []
    assert sum(each.kills for each in outcomes) >= LANES * WANTED_KILLS
    assert [said for _, said in done] == [""] * LANES


def until_killed_enough(folder: Path, lane: int, seed: int) -> tuple[list[Outcome], str]:
    """Every `LANES`th run, until enough was killed; what came of them, and what the last check said."""
    folder.mkdir()
    outcomes: list[Outcome] = []
    campaign = Campaign(folder, seed)
    try:
        while sum(each.kills for each in outcomes) < WANTED_KILLS and len(outcomes) < MOST_RUNS:
            outcomes.append(campaign.run(lane + LANES * len(outcomes)))
        return outcomes, campaign.last_check()
    finally:
        campaign.end()
