"""The numbers that a process shows, and the small server that shows them."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from adapters.health_server import HealthServer
from adapters.metrics import DECLARED, Kind, Metrics, Outcome, TakenIn, WebhookOutcome
from adapters.settings import read_settings
from schemas.errors import NotReady, OptionError, TransientError
from transcription.ports import Backlog, WebhookBacklog

ROOT = Path(__file__).resolve().parent.parent.parent
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def samples(metrics: Metrics) -> dict[str, float]:
    """What Prometheus would read: `name{labels}` to its value."""
    lines = [line for line in metrics.text().decode().splitlines() if line.startswith("stenocast_")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def everything_happened() -> Metrics:
    """Metrics of a process in which each thing happened once."""
    metrics = Metrics()
    metrics.runs(version="1", role="test")
    metrics.watch_ledger(lambda: Backlog(queued_jobs=1))
    metrics.watch_webhooks(lambda: WebhookBacklog(enabled=1, waiting=1))
    metrics.loop_turned("worker")
    metrics.stage_ended("decode", 1.0)
    metrics.job_done(audio_seconds=10.0, seconds=1.0)
    metrics.attempt_ended(Outcome.LOST)
    metrics.engine_restarted("engine_died")
    metrics.batch_halved("recognize")
    metrics.record_taken_in("episodes", TakenIn.NEW)
    metrics.lag_seen("episodes", 3)
    metrics.dead_lettered("record_invalid")
    metrics.drop_reconciled(TakenIn.NEW)
    metrics.events_published(2)
    metrics.publishing_failed()
    metrics.webhook_tried(WebhookOutcome.DELIVERED)
    metrics.request_answered(method="GET", route="/v1/jobs", status=200, seconds=0.01)
    return metrics


@pytest.mark.parametrize("declared", DECLARED, ids=lambda each: each.name)
def test_every_metric_is_described_for_operators(declared) -> None:
    assert f"| `{declared.name}` |" in OPERATIONS


@pytest.mark.parametrize("declared", DECLARED, ids=lambda each: each.name)
def test_every_declared_metric_can_be_moved(declared) -> None:
    suffix = "_count" if declared.kind is Kind.HISTOGRAM else ""

    shown = samples(everything_happened())

    assert any(name.partition("{")[0] == declared.name + suffix for name in shown)


@pytest.mark.parametrize("declared", DECLARED, ids=lambda each: each.name)
def test_names_say_their_unit(declared) -> None:
    assert declared.name.endswith("_total") is (declared.kind is Kind.COUNTER)
    assert ("seconds" in declared.unit) <= ("_seconds" in declared.name or declared.unit.startswith("clock"))


def test_two_sets_of_metrics_in_one_process_do_not_disturb_each_other() -> None:
    one, other = Metrics(), Metrics()

    one.events_published(2)

    assert samples(one)["stenocast_published_events_total"] == 2
    assert samples(other)["stenocast_published_events_total"] == 0


def test_the_backlog_is_read_whenever_the_numbers_are() -> None:
    metrics, queued = Metrics(), [1, 7]
    metrics.watch_ledger(lambda: Backlog(queued_jobs=queued.pop(), running_audio_seconds=30.5))

    first, second = samples(metrics), samples(metrics)

    assert (first['stenocast_queue_jobs{state="queued"}'], second['stenocast_queue_jobs{state="queued"}']) == (7, 1)
    assert first['stenocast_queue_audio_seconds{state="running"}'] == 30.5


def test_a_ledger_that_does_not_answer_does_not_look_like_an_empty_queue() -> None:
    def unreachable() -> Backlog:
        raise TransientError("no answer")

    metrics = Metrics()
    metrics.watch_ledger(unreachable)

    shown = samples(metrics)

    assert shown["stenocast_ledger_up"] == 0
    assert not any(name.startswith("stenocast_queue") for name in shown)


def test_a_lost_lease_is_an_attempt_and_a_loss() -> None:
    metrics = Metrics()

    metrics.attempt_ended(Outcome.LOST)

    shown = samples(metrics)
    assert shown['stenocast_attempts_total{outcome="lost"}'] == 1
    assert shown["stenocast_lease_losses_total"] == 1


def test_an_invented_method_makes_no_number_of_its_own() -> None:
    metrics = Metrics()

    metrics.request_answered(method="BREW", route="none", status=405, seconds=0.0)

    assert samples(metrics)['stenocast_http_requests_total{method="other",route="none",status="405"}'] == 1


# ---------------------------------------------------------------- the server


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_numbers_and_states_can_be_fetched() -> None:
    lacking: list[str] = []
    server = HealthServer(everything_happened(), host="127.0.0.1", port=0, lacking=lambda: lacking)
    server.start()
    try:
        assert "stenocast_published_events_total 2.0" in get(server.port, "/metrics")[1]
        assert get(server.port, "/healthz") == (200, "ok\n")
        assert get(server.port, "/readyz") == (200, "ready\n")
        assert get(server.port, "/v1/jobs")[0] == 404

        lacking.append("no ledger")

        assert get(server.port, "/readyz") == (503, "no ledger")
    finally:
        server.stop()


def test_a_loop_that_stands_still_is_not_healthy() -> None:
    now = [0.0]
    metrics = Metrics(clock=lambda: now[0])
    server = HealthServer(metrics, host="127.0.0.1", port=0, stuck_seconds=60.0)
    try:
        metrics.loop_turned("intake")
        now[0] = 59.0
        assert server.answer("/healthz")[0] == 200

        now[0] = 61.0

        assert server.answer("/healthz") == (503, "text/plain; charset=utf-8", b"intake has not come round for 61 s")
    finally:
        server._server.server_close()


def test_a_ready_check_that_cannot_reach_the_ledger_says_so() -> None:
    def lacking() -> list[str]:
        raise TransientError("the ledger does not answer")

    server = HealthServer(Metrics(), host="127.0.0.1", port=0, lacking=lacking)
    try:
        assert server.answer("/readyz")[::2] == (503, b"the ledger does not answer")
    finally:
        server._server.server_close()


def test_a_port_that_is_taken_is_told() -> None:
    first = HealthServer(Metrics(), host="127.0.0.1", port=0)
    try:
        with pytest.raises(NotReady, match=str(first.port)) as caught:
            HealthServer(Metrics(), host="127.0.0.1", port=first.port)
    finally:
        first._server.server_close()

    assert caught.value.code == "address_in_use"


def test_a_port_out_of_range_stops_the_start() -> None:
    with pytest.raises(OptionError, match="STENOCAST_METRICS_PORT=70000"):
        read_settings({"STENOCAST_METRICS_PORT": "70000"})


def test_webhooks_that_work_fail_or_get_nothing_are_counted_apart() -> None:
    metrics = Metrics()
    metrics.watch_webhooks(
        lambda: WebhookBacklog(enabled=5, failing=2, disabled=3, waiting=7, oldest_due_seconds=9.0)
    )

    shown = samples(metrics)

    assert [shown[f'stenocast_webhooks{{state="{state}"}}'] for state in ("working", "failing", "disabled")] == [
        3,
        2,
        3,
    ]
    assert (shown["stenocast_webhook_deliveries"], shown["stenocast_webhook_oldest_due_seconds"]) == (7, 9)


def test_of_a_ledger_that_does_not_answer_no_number_of_webhooks_is_shown() -> None:
    def away() -> WebhookBacklog:
        raise TransientError("no answer", code="database_unavailable")

    metrics = Metrics()
    metrics.watch_webhooks(away)

    assert not [name for name in samples(metrics) if name.startswith("stenocast_webhooks{")]
