"""The compose file as data, and helm."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.infra_files import INFRA


@pytest.fixture(scope="session")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((INFRA / "compose.yaml").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="session")
def helm() -> str:
    """The helm command; `make helm` fetches it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stenocast" / "dev-servers"
    fetched = sorted(cache.glob("helm-*/helm"))
    found = os.environ.get("STENOCAST_HELM") or shutil.which("helm") or (str(fetched[-1]) if fetched else None)
    if found is None or not Path(found).exists():
        if os.environ.get("STENOCAST_REQUIRE_SERVICES"):
            pytest.fail("helm is missing: run `make helm`")
        pytest.skip("helm is missing; run `make helm`")
    return found
