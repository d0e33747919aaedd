"""From a producer's record to the transcript's event: one trace, and numbers that moved."""

from __future__ import annotations

import itertools
import json
from threading import Event as StopEvent
from typing import Any

import pytest

from adapters.memory import (
    MemoryDeadLetters,
    MemoryDropBox,
    MemoryQueue,
    MemorySink,
    MemorySource,
    MemoryStore,
    MemoryTopics,
)
from adapters.metrics import Metrics, Outcome
from adapters.tracing import NoTracing, OpenTelemetryTracing, Tracing
from schemas.cloudevents import write_event
from schemas.events import EpisodeDropped, Event, EventType
from schemas.job import Stage
from transcription.drops import DropPlace
from transcription.ports import Result
from workers.attempt_record import AttemptRecord
from workers.intake import Intake
from workers.publisher import Publisher
from workers.taking_in import DropRules, TakeIn

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


class Service:
    """Intake, a worker's attempt and the publisher over fakes, all measured and traced in one process."""

    def __init__(self, tracing: Tracing) -> None:
        self.metrics, self.tracing = Metrics(), tracing
        self.topics, self.bucket, self.sink = MemoryTopics(), MemoryDropBox(), MemorySink()
        ids = (f"id-{number}" for number in itertools.count(1))
        self.queue = MemoryQueue(now=lambda: 1000.0, new_id=lambda: next(ids))
        self.take_in = TakeIn(
            queue=self.queue,
            drops=self.bucket,
            rules=DropRules(DropPlace("b", "", ()), "starter", 1000, lambda _models, _language: None),
            new_id=lambda: next(ids),
            new_trace=lambda: PARENT.replace("4", "5"),
        )
        self.intake = Intake(
            source=MemorySource(self.topics, ["episodes", "bucket-events"]),
            take_in=self.take_in,
            dead_letters=MemoryDeadLetters(),
            store=MemoryStore(),
            metrics=self.metrics,
        )

    def drop(self, event_id: str = "e-1") -> None:
        self.bucket.put("b", "secret-name.mp3", b"sound")
        dropped = EpisodeDropped(bucket="b", key="secret-name.mp3")
        event = Event(event_id, EventType.EPISODE_DROPPED, "studio", "any", "2026-03-14T09:26:53Z", dropped)
        headers = [("traceparent", PARENT.encode())]
        self.topics.append("episodes", write_event(event), headers=headers)

    def work(self) -> None:
        claimed = self.queue.claim("w1", lease_seconds=30.0)
        assert claimed is not None
        record = AttemptRecord(claimed, metrics=self.metrics, tracing=self.tracing)
        record.entered(Stage.FETCH)
        record.entered(Stage.PUBLISH)
        self.queue.finish(
            claimed.lease, Result("results/x", "ab" * 32, 9, 60.0, "cd" * 32, "en", 1, 1, 2, 1.0, no_speech=False)
        )
        record.end(Outcome.DONE, audio_seconds=60.0)

    def publish(self) -> None:
        stop = StopEvent()
        stop.set()
        Publisher(self.queue, self.sink, name="p", metrics=self.metrics, tracing=self.tracing).run_until(stop)

    def number(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)


@pytest.fixture
def collected(monkeypatch: pytest.MonkeyPatch) -> tuple[Tracing, Any]:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing = OpenTelemetryTracing(provider)
    monkeypatch.setattr("adapters.tracing._process", tracing)
    return tracing, exporter


def test_one_trace_leads_from_the_record_to_the_transcripts_event(collected: tuple[Tracing, Any]) -> None:
    tracing, exporter = collected
    service = Service(tracing)

    service.drop()
    service.intake.take(seconds=0)
    service.work()
    service.publish()

    spans = exporter.get_finished_spans()
    names = [span.name for span in spans]
    assert names[:4] == ["take in", "fetch", "publish", "job attempt"]
    assert "publish transcript.published.v1" in names
    assert {f"{span.context.trace_id:032x}" for span in spans} == {TRACE}
    transcript = next(event for event in service.sink.events if event.type is EventType.TRANSCRIPT_PUBLISHED)
    assert transcript.traceparent is not None
    assert transcript.traceparent.split("-")[1] == TRACE


def test_spans_hold_nothing_of_what_the_recording_is_called_or_says(collected: tuple[Tracing, Any]) -> None:
    tracing, exporter = collected
    service = Service(tracing)

    service.drop()
    service.intake.take(seconds=0)
    service.work()
    service.publish()

    assert "secret-name" not in json.dumps([json.loads(span.to_json()) for span in exporter.get_finished_spans()])


def test_the_trace_is_handed_on_where_nobody_collects_spans() -> None:
    service = Service(NoTracing())

    service.drop()
    service.intake.take(seconds=0)
    service.work()
    service.publish()

    assert {event.traceparent for event in service.sink.events} == {PARENT}


def test_what_the_publisher_sends_is_counted() -> None:
    service = Service(NoTracing())
    service.drop()
    service.intake.take(seconds=0)

    service.publish()

    assert service.number("stenocast_published_events_total") == len(service.sink.events) == 1
    assert "publisher" in service.metrics.loop_ages()
