"""`stenocast voices`: consent, list, rename, forget."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.settings import read_settings
from adapters.wiring import open_voices
from cli.voices import app
from schemas.errors import NotFound, OptionError
from transcription.ports import KnownVoice, KnownVoices


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KnownVoices:
    """The voices of the command's own ledger."""
    monkeypatch.setenv("STENOCAST_DATA_DIR", str(tmp_path))
    return open_voices(read_settings())


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def voice(name: str, episode: str = "one") -> KnownVoice:
    return KnownVoice("Low Water", name, "model", episode, (1.0, 0.0), 40.0)


def test_the_list_shows_each_person_with_episodes_and_seconds(kept: KnownVoices) -> None:
    run("consent", "Low Water", "--by", "Jo Pym, producer")
    kept.learn(voice("Ada Quill"))
    kept.learn(voice("Ada Quill", "two"))

    assert run("list") == "Low Water\tAda Quill\t2 episodes\t80 s\n"
    record = json.loads(run("list", "low water", "--json"))
    assert record["consents"][0]["given_by"] == "Jo Pym, producer"
    assert record["people"] == [{"show": "Low Water", "name": "Ada Quill", "episodes": 2, "seconds": 80.0}]


def test_forget_deletes_and_a_second_time_finds_nobody(kept: KnownVoices) -> None:
    run("consent", "Low Water", "--by", "Jo Pym")
    kept.learn(voice("Ada Quill"))

    run("forget", "Low Water", "Ada Quill")

    assert kept.all() == []
    with pytest.raises(NotFound):
        run("forget", "Low Water", "Ada Quill")


def test_rename_changes_what_the_next_episode_will_say(kept: KnownVoices) -> None:
    run("consent", "Low Water", "--by", "Jo Pym")
    kept.learn(voice("Ada Quil"))

    run("rename", "Low Water", "Ada Quil", "Ada Quill")

    assert [each.name for each in kept.all()] == ["Ada Quill"]


def test_withdrawing_consent_empties_the_show(kept: KnownVoices) -> None:
    run("consent", "Low Water", "--by", "Jo Pym")
    kept.learn(voice("Ada Quill"))

    run("consent", "Low Water", "--withdraw")

    assert (kept.all(), kept.consents()) == ([], [])


@pytest.mark.parametrize("arguments", [["consent", "Low Water"], ["consent", "S", "--by", "J", "--withdraw"]])
def test_consent_is_either_given_by_somebody_or_withdrawn(kept: KnownVoices, arguments: list[str]) -> None:
    with pytest.raises(OptionError):
        run(*arguments)
