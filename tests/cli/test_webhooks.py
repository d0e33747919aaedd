"""`stenocast webhooks`: on the ledger alone, styled like the other commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from standardwebhooks import Webhook as Verifier
from typer.testing import CliRunner, Result

from adapters.settings import read_settings
from adapters.wiring import open_ledger
from cli.webhooks import app
from schemas.episode import Episode
from schemas.errors import NotFound, OptionError
from schemas.job import JobOptions
from tests.sites import site
from transcription.ports import NewJob


@pytest.fixture(autouse=True)
def own_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STENOCAST_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("STENOCAST_OUTWARD_NETWORKS", "127.0.0.0/8")


def result(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def run(*arguments: str) -> str:
    done = result(*arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def add(*arguments: str) -> tuple[str, str]:
    webhook_id, secret = run("add", *(arguments or ("https://a.example/hook",))).split()
    return webhook_id, secret


def tell(name: str = "a") -> None:
    ledger = open_ledger(read_settings())
    ledger.add(NewJob(Episode(f"episode-{name}"), JobOptions(), name, name), job_id=name)
    ledger.close()


def test_a_webhook_is_added_with_its_secret_and_listed_without(tmp_path: Path) -> None:
    webhook_id, secret = add("https://a.example/hook", "--description", "the CMS")

    assert secret.startswith("whsec_")
    assert run("list") == f"{webhook_id}\tenabled\thttps://a.example/hook\tthe CMS\n"
    [record] = json.loads(run("list", "--json"))
    assert (record["id"], "secret" in record) == (webhook_id, False)
    assert "transcript.published.v1" in run("show", webhook_id[:8])


def test_events_are_chosen_by_type() -> None:
    record = json.loads(
        run("add", "https://a.example", "--event", "job.done.v1", "--event", "job.failed.v1", "--json")
    )

    assert record["events"] == ["job.done.v1", "job.failed.v1"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "ftp://a.example"),
        ("add", "https://10.0.0.1"),
        ("add", "https://a.example", "--event", "job.gone.v1"),
        ("add", "https://a.example", "--event", "episode.dropped.v1"),
    ],
)
def test_what_cannot_be_is_an_error_that_names_it(arguments: tuple[str, ...]) -> None:
    with pytest.raises(OptionError, match=arguments[-1].removeprefix("https://").replace(".", r"\.")):
        run(*arguments)


def test_without_tls_only_networks_that_were_let_in_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OptionError, match="only https"):
        run("add", "http://93.184.215.14/")
    add("http://127.0.0.1:9000/")
    monkeypatch.delenv("STENOCAST_OUTWARD_NETWORKS")
    for url in ("http://a.example/", "http://127.0.0.1:9000/"):
        with pytest.raises(OptionError, match="only https"):
            run("add", url)


def test_a_test_says_what_came_back_and_fails_where_it_was_not_received() -> None:
    answers = iter([204, 500])
    with site(lambda visit: visit.answer(next(answers))) as receiver:
        webhook_id, secret = add(receiver.url())

        assert run("test", webhook_id[:8]) == "received: answered 204\n"
        failed = result("test", webhook_id)

    assert (failed.exit_code, failed.stdout) == (1, "not received: answered 500 [receiver_refused]\n")
    Verifier(secret).verify(receiver.visits[0].body, receiver.visits[0].headers)


def test_a_webhook_is_changed_disabled_enabled_rotated_and_removed() -> None:
    webhook_id, secret = add()

    assert run("change", webhook_id, "--url", "https://b.example") == f"{webhook_id} enabled\n"
    assert run("disable", webhook_id) == f"{webhook_id} disabled (by_hand)\n"
    assert run("enable", webhook_id) == f"{webhook_id} enabled\n"
    assert run("rotate", webhook_id).strip() not in ("", secret)
    assert "b.example" in run("list")
    run("remove", webhook_id, "--yes")
    assert run("list") == ""


def test_removing_asks_first() -> None:
    webhook_id, _ = add()

    assert CliRunner().invoke(app, ["remove", webhook_id], input="n\n").exit_code == 1
    assert webhook_id in run("list")


def test_what_became_of_each_event_is_shown_and_tried_again() -> None:
    webhook_id, _ = add("https://a.example", "--event", "job.queued.v1")
    tell()

    [line] = run("deliveries", webhook_id).splitlines()
    event_id, kind, subject, fate = line.split("\t")

    assert (kind, subject, fate) == ("job.queued.v1", "episode-a", "waiting, 0 tries")
    assert run("deliveries", webhook_id, "--state", "delivered") == ""
    assert run("retry", webhook_id, event_id) == f"{event_id} waiting\n"
    with pytest.raises(NotFound):
        run("retry", webhook_id, "none")
    with pytest.raises(OptionError):
        run("deliveries", webhook_id, "--state", "lost")


def test_an_id_may_be_its_beginning_if_only_one_begins_like_it() -> None:
    first, _ = add()
    second, _ = add()

    assert run("show", first[:13]).startswith("id")
    with pytest.raises(NotFound, match="no webhook begins"):
        run("show", "zzz")
    with pytest.raises(NotFound, match="2 webhooks begin"):
        run("show", "")
    assert first != second


def test_publishing_once_delivers_what_is_due(capsys: pytest.CaptureFixture[str]) -> None:
    from cli.publish import publish

    with site(lambda visit: visit.answer(204)) as receiver:
        add(receiver.url(), "--event", "job.queued.v1")
        tell()
        publish(once=True)

    assert capsys.readouterr().out == "1 events published\n1 events delivered to webhooks\n"
    assert len(receiver.visits) == 1
