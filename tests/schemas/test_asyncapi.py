"""The AsyncAPI document, judged by the project's own parser (npm), and told apart from a broken one."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import platformdirs
import pytest

from schemas.events import EventType
from schemas.publish import ASYNCAPI, FOLDER
from schemas.topics import Topic, topics_of

CHECK = Path(__file__).resolve().parent.parent / "asyncapi"
DOCUMENT = FOLDER / ASYNCAPI


@pytest.fixture(scope="session")
def validator() -> Path:
    """The script beside the installed parser: in the user's cache, once for each lock file."""
    npm = shutil.which("npm")
    if npm is None:
        if os.environ.get("STENOCAST_REQUIRE_SERVICES"):
            pytest.fail("npm is missing; on Debian: apt-get install npm")
        pytest.skip("npm is missing")
    lock = hashlib.sha256((CHECK / "package-lock.json").read_bytes()).hexdigest()[:16]
    place = Path(platformdirs.user_cache_dir("stenocast")) / f"asyncapi-{lock}"
    place.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "validate.mjs"):
        shutil.copy(CHECK / name, place / name)
    if not (place / "installed").exists():
        subprocess.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=place, check=True, timeout=300)
        (place / "installed").touch()
    return place / "validate.mjs"


def validated(validator: Path, document: Path) -> subprocess.CompletedProcess[str]:
    command = ["node", str(validator), str(document)]
    return subprocess.run(command, cwd=validator.parent, capture_output=True, text=True, timeout=120)


@pytest.mark.network
def test_the_parser_finds_no_error_in_the_document(validator: Path) -> None:
    found = validated(validator, DOCUMENT)

    assert (found.returncode, found.stderr) == (0, "")
    assert f"channels {len(Topic)}" in found.stdout
    assert "warning" not in found.stdout


@pytest.mark.network
def test_the_parser_would_find_an_error(validator: Path, tmp_path: Path) -> None:
    broken = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    broken["operations"]["sendJobs"]["channel"]["$ref"] = "#/channels/nowhere"
    (tmp_path / "broken.json").write_text(json.dumps(broken), encoding="utf-8")

    assert validated(validator, tmp_path / "broken.json").returncode == 1


def test_every_topic_and_every_event_is_in_the_document_where_it_goes() -> None:
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    on = {name: set(channel["messages"]) for name, channel in document["channels"].items()}

    assert set(on) == set(Topic)
    for kind in EventType:
        for topic in topics_of(kind):
            is_tombstone = (kind, topic) == (EventType.TRANSCRIPT_DELETED, Topic.TRANSCRIPTS_LATEST)
            assert ("tombstone" if is_tombstone else kind.value) in on[topic]
