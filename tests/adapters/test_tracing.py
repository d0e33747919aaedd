"""One trace from a record to a transcript's event, and nothing in it that was said."""

from __future__ import annotations

import subprocess
import sys

import pytest

from adapters import tracing
from adapters.tracing import NoTracing, OpenTelemetryTracing, start_tracing, valid_traceparent
from schemas.errors import LeaseLost, OptionError

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACE = PARENT.split("-")[1]


@pytest.fixture
def collected():
    """Tracing into memory, and the spans that have ended."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return OpenTelemetryTracing(provider), exporter


def test_without_an_endpoint_the_context_is_handed_on_and_opentelemetry_is_not_imported() -> None:
    program = (
        "import sys; from adapters.tracing import start_tracing, process_tracing\n"
        "start_tracing('', role='x', version='1')\n"
        f"with process_tracing().begin('a', parent='{PARENT}') as span: print(span.traceparent)\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert said.splitlines() == [PARENT, "[]"]


def test_a_span_belongs_to_the_trace_of_its_parent(collected) -> None:
    tracing, exporter = collected

    with tracing.begin("outer", parent=PARENT) as outer, tracing.begin("inner", parent=outer.traceparent):
        pass

    inner_span, outer_span = exporter.get_finished_spans()
    assert {span.context.trace_id for span in (inner_span, outer_span)} == {int(TRACE, 16)}
    assert inner_span.parent.span_id == outer_span.context.span_id


@pytest.mark.parametrize("tracing", [NoTracing()], ids=["off"])
@pytest.mark.parametrize(
    "text", [None, "", "x", f"{PARENT}\r\nx: y", PARENT.replace(TRACE, "0" * 32), PARENT.upper(), PARENT + "-more"]
)
def test_what_is_no_trace_context_is_not_handed_on(tracing, text: str | None) -> None:
    assert valid_traceparent(text) is None
    assert tracing.begin("a", parent=text).traceparent is None


def test_a_broken_parent_begins_a_trace_of_its_own(collected) -> None:
    tracing, exporter = collected

    tracing.begin("a", parent="nonsense").end()

    assert exporter.get_finished_spans()[0].parent is None


def test_an_error_marks_the_span_with_its_code_and_nothing_that_it_says(collected) -> None:
    tracing, exporter = collected

    with pytest.raises(LeaseLost), tracing.begin("a", parent=None, attributes={"job_id": "j1"}):
        raise LeaseLost("the secret words of /home/ada/episode.mp3")

    span = exporter.get_finished_spans()[0]
    assert dict(span.attributes) == {"stenocast.job_id": "j1", "stenocast.error_code": "lease_lost"}
    assert "secret" not in span.to_json()


def test_an_attribute_outside_the_list_is_left_out(collected) -> None:
    tracing, exporter = collected

    tracing.begin("a", parent=None, attributes={"title": "what was said", "topic": "episodes"}).end()

    assert dict(exporter.get_finished_spans()[0].attributes) == {"stenocast.topic": "episodes"}


def test_an_endpoint_that_is_no_address_is_refused() -> None:
    with pytest.raises(OptionError, match="STENOCAST_OTLP_ENDPOINT='collector:4318'"):
        start_tracing("collector:4318", role="worker", version="1")

    assert isinstance(tracing.process_tracing(), NoTracing)
