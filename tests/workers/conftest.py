"""Logs of the workers under test go where pytest looks for them, with no state kept between tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    with structlog.testing.capture_logs():
        yield
    structlog.reset_defaults()
