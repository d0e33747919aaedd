"""A short campaign, as part of the tests; `make chaos RUNS=1000` is the long one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.chaos.campaign import Campaign, Outcome

pytestmark = [pytest.mark.processes, pytest.mark.services, pytest.mark.timeout(1200)]

WANTED_KILLS = 60
MOST_RUNS = 120  #: more would mean that the disturbances no longer meet anything


def test_sixty_kills_lose_double_and_change_nothing(tmp_path: Path, services: dict[str, str]) -> None:
    campaign = Campaign(tmp_path, int(os.environ.get("STENOCAST_CHAOS_SEED", "1")))
    outcomes: list[Outcome] = []
    try:
        while sum(each.kills for each in outcomes) < WANTED_KILLS and len(outcomes) < MOST_RUNS:
            outcomes.append(campaign.run(len(outcomes)))
        integrity = campaign.integrity()
    finally:
        campaign.end()

    assert [f"run {each.number}, {each.disturbance}: {each.trouble}" for each in outcomes if each.trouble] == []
    assert sum(each.kills for each in outcomes) >= WANTED_KILLS
    assert integrity == ""
