"""What is measured of an attempt."""

from __future__ import annotations

import pytest

from adapters.metrics import Metrics, Outcome
from adapters.tracing import NoTracing, OpenTelemetryTracing
from schemas.episode import Episode
from schemas.job import Job, JobState, Stage
from transcription.ports import Claimed, Lease
from workers.attempt_record import AttemptRecord

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
CLAIMED = Claimed(
    lease=Lease("j1", 3, "w1", 30.0),
    job=Job("j1", "e1", JobState.RUNNING, created="", updated="", title="What was said"),
    episode=Episode(id="e1", title="What was said"),
    audio_key="uploads/secret-name.mp3",
    traceparent=PARENT,
)


def value(metrics: Metrics, name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(name, labels) or 0.0


def test_each_stage_is_timed_until_the_next_begins() -> None:
    now = [0.0]
    metrics = Metrics()
    record = AttemptRecord(CLAIMED, metrics=metrics, tracing=NoTracing(), clock=lambda: now[0])

    for stage, at in ((Stage.FETCH, 0.0), (Stage.DECODE, 2.0), (Stage.DECODE, 3.0), (Stage.RECOGNIZE, 7.0)):
        now[0] = at
        record.entered(stage)
    now[0] = 20.0
    record.end(Outcome.DONE, audio_seconds=200.0)

    assert value(metrics, "stenocast_stage_seconds_sum", stage="fetch") == 2.0
    assert value(metrics, "stenocast_stage_seconds_sum", stage="decode") == 5.0
    assert value(metrics, "stenocast_stage_seconds_sum", stage="recognize") == 13.0
    assert value(metrics, "stenocast_real_time_factor_sum") == pytest.approx(0.1)
    assert value(metrics, "stenocast_audio_seconds_total") == 200.0


def test_an_attempt_ends_once() -> None:
    metrics = Metrics()
    record = AttemptRecord(CLAIMED, metrics=metrics, tracing=NoTracing())

    record.end(Outcome.LOST)
    record.end(Outcome.FAILED)
    record.entered(Stage.DECODE)

    assert value(metrics, "stenocast_attempts_total", outcome="lost") == 1
    assert value(metrics, "stenocast_attempts_total", outcome="failed") == 0
    assert value(metrics, "stenocast_stage_seconds_count", stage="decode") == 0


def test_the_spans_of_the_stages_are_children_of_the_attempt_in_the_trace_of_the_job() -> None:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    record = AttemptRecord(CLAIMED, metrics=Metrics(), tracing=OpenTelemetryTracing(provider))

    record.entered(Stage.FETCH)
    record.entered(Stage.DECODE)
    record.end(Outcome.FAILED, error_code="audio_unreadable")

    fetch, decode, attempt = exporter.get_finished_spans()
    assert [fetch.name, decode.name, attempt.name] == ["fetch", "decode", "job attempt"]
    assert {span.context.trace_id for span in (fetch, decode, attempt)} == {int(PARENT.split("-")[1], 16)}
    assert fetch.parent.span_id == decode.parent.span_id == attempt.context.span_id
    assert attempt.attributes["stenocast.error_code"] == "audio_unreadable"
    assert not any(secret in span.to_json() for span in (fetch, decode, attempt) for secret in ("said", "secret"))
