"""Fixtures that every room's tests may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference pages and real recordings beside the checkout; the test is skipped without it."""
    folder = ROOT.parent / "shared"
    if not (folder / "seeds").is_dir():
        pytest.skip("the reference pages and recordings (../shared) are not here")
    return folder


@pytest.fixture(scope="session")
def model_sets() -> Path:
    """The folder of the pulled model sets `starter` and `fast`; `make setup` pulls them."""
    from adapters.settings import read_settings

    folder = read_settings().models_dir
    if not (folder / "fast").is_dir() or not (folder / "starter").is_dir():
        if os.environ.get("STENOCAST_REQUIRE_MODELS"):
            pytest.fail(f"{folder}: the model sets starter and fast are missing; run `make setup`")
        pytest.skip(f"{folder}: the model sets starter and fast are not pulled; run `make setup`")
    return folder
