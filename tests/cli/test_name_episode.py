"""`stenocast name --episode`: names of speakers in the transcripts of a service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from adapters.results import put_document
from adapters.settings import read_settings
from adapters.wiring import open_ledger, open_store
from cli.name import name
from schemas.episode import AudioInfo, Episode
from schemas.errors import NotFound, OptionError, Refused
from schemas.job import JobOptions
from schemas.transcript import Paragraph, Speaker, Transcript, Turn
from transcription.naming import name_speakers
from transcription.ports import NewJob

app = typer.Typer()
app.command()(name)

EPISODE = "3f1c2a34-0000-4000-8000-000000000001"


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A service's ledger with one transcript of two speakers."""
    monkeypatch.setenv("STENOCAST_DATA_DIR", str(tmp_path))
    settings = read_settings()
    ledger, store = open_ledger(settings), open_store(settings)
    new = NewJob(Episode(EPISODE, title="Clocks"), JobOptions(), "uploads/a", "same")
    ledger.add(new, job_id="0b1e7c9a-0000-4000-8000-000000000002")
    claimed = ledger.claim("ada", lease_seconds=30)
    turns = (
        Turn("t1", "S1", (Paragraph("p1", "Hello. My name is Greta Vance.", 1.0, 4.0),), 1.0, 4.0),
        Turn("t2", "S2", (Paragraph("p2", "I mend old clocks.", 4.0, 6.0),), 4.0, 6.0),
    )
    episode = Episode(EPISODE, title="Clocks", audio=AudioInfo(duration=6.0))
    document = name_speakers(Transcript(episode, (Speaker("S1", "voice 1"), Speaker("S2", "voice 2")), turns))
    ledger.finish(claimed.lease, put_document(store, document, f"results/{claimed.job.id}/1/transcript.json"))
    yield ledger
    ledger.close()


def run(*arguments: str) -> Any:
    result = CliRunner().invoke(app, ["--episode", EPISODE, *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result


def test_the_names_are_shown_as_the_service_has_them(ledger: Any) -> None:
    shown = run()

    assert "Greta Vance" in shown.stdout
    assert shown.stderr.splitlines()[0] == f"{EPISODE}: revision 1"
    assert "Speaker 2: nothing says who it is" in shown.stderr
    assert ledger.latest_done(EPISODE).revision == 1


def test_a_name_by_hand_is_a_new_revision_and_the_same_again_is_none(ledger: Any, tmp_path: Path) -> None:
    first = run("--set", "Speaker 2=Dr Ada Quill, guest", "--json")
    again = run("--set", "S2=Dr Ada Quill, guest", "--revision", "1", "--output", str(tmp_path / "named.json"))

    assert [each["name"] for each in json.loads(first.stdout)] == ["Greta Vance", "Ada Quill"]
    assert first.stderr.splitlines()[0] == f"{EPISODE}: revision 2"
    assert again.stderr.splitlines()[0] == f"{EPISODE}: revision 2, which has these names already"
    assert json.loads((tmp_path / "named.json").read_text(encoding="utf-8"))["revision"] == 2
    assert ledger.latest_done(EPISODE).revision == 2
    told = [event.type.value for _, event in ledger.pending_events()]
    assert told[-2:] == ["transcript.published.v1", "transcript.revised.v1"]


def test_an_episode_is_found_by_the_beginning_of_its_job(ledger: Any) -> None:
    result = CliRunner().invoke(app, ["--episode", "0b1e7c9a", "--unset", "S1"], catch_exceptions=False)

    assert result.stderr.splitlines()[0] == f"{EPISODE}: revision 1, which has these names already"


def test_a_revision_that_is_no_longer_current_is_left_alone(ledger: Any) -> None:
    run("--set", "S2=Ada Quill")

    for arguments in (["--set", "S2=Bram Stone"], []):
        with pytest.raises(Refused) as refusal:
            run("--revision", "1", *arguments)
        assert refusal.value.code == "revision_outdated"
    assert ledger.latest_done(EPISODE).revision == 2


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--set", "S3=Ada Quill"], OptionError),
        (["--set", "S2=Greta\x07"], OptionError),
        (["--participant", "Ada Quill"], OptionError),
        (["--afresh"], OptionError),
        (["talk.json"], OptionError),
    ],
)
def test_what_makes_no_sense_for_an_episode_is_refused(
    ledger: Any, arguments: list[str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        run(*arguments)
    assert ledger.latest_done(EPISODE).revision == 1


@pytest.mark.parametrize("arguments", [[], ["talk.json", "--revision", "1"]])
def test_something_must_be_named_and_a_document_has_no_other_revision(arguments: list[str]) -> None:
    with pytest.raises(OptionError):
        CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_an_unknown_or_deleted_episode_is_told(ledger: Any) -> None:
    with pytest.raises(NotFound):
        CliRunner().invoke(app, ["--episode", "no such"], catch_exceptions=False)
    ledger.delete(EPISODE, by="cli")
    with pytest.raises(NotFound) as gone:
        run("--set", "S2=Ada Quill")
    assert gone.value.code == "episode_deleted"
