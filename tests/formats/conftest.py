"""Pages and transcripts that the tests of the formats share."""

from __future__ import annotations

from pathlib import Path

import pytest

from formats.catalogue import read
from schemas.transcript import Transcript

GOLDEN = Path(__file__).resolve().parent.parent / "golden"


@pytest.fixture(scope="session")
def golden() -> Path:
    return GOLDEN


@pytest.fixture(scope="session")
def transcript() -> Transcript:
    """A transcript of version 1 as it was written when version 1 was made."""
    return read((GOLDEN / "transcript-1.json").read_bytes(), format="json")


@pytest.fixture(params=sorted(path.stem for path in (GOLDEN / "pages").glob("*.txt")))
def own_page(request: pytest.FixtureRequest) -> bytes:
    """Each of the invented pages, one for a style."""
    return (GOLDEN / "pages" / f"{request.param}.txt").read_bytes()


@pytest.fixture(params=range(5))
def reference_page(request: pytest.FixtureRequest, shared: Path) -> bytes:
    """Each of the reference pages; skipped where they are not here."""
    return sorted((shared / "seeds").glob("*.txt"))[request.param].read_bytes()
