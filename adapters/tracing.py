"""Traces across Kafka: one trace from the producer's record over the job and its stages to the transcript's event.

What travels is the W3C `traceparent`: in the record's headers, on the job, on every event. It is handed on whether
or not anybody collects spans. Spans exist only where an OTLP endpoint is set; elsewhere nothing of OpenTelemetry is
imported. A process starts its tracing once, as it does its logs.

Attributes are from a closed list of names and hold ids, places, counts and codes: never speech, titles, file names,
messages or addresses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Literal, Protocol, Self, get_args

from schemas.errors import OptionError, StenocastError

Attribute = Literal[
    "attempt", "audio_seconds", "episode_id", "error_code", "events", "job_id", "models", "offset", "outcome",
    "partition", "records", "stage", "topic",
]  # fmt: skip
Value = str | int | float
ATTRIBUTES: frozenset[str] = frozenset(get_args(Attribute))

_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def valid_traceparent(text: str | None) -> str | None:
    """The W3C trace context, or None where it is none: what comes from outside is not passed on unread."""
    return text if text is not None and _TRACEPARENT.fullmatch(text) else None


class Span(Protocol):
    """A piece of work with a beginning and an end. As a context manager it ends itself; an error marks it."""

    @property
    def traceparent(self) -> str | None:
        """What to hand on, so that later spans are children of this one."""
        ...

    def tell(self, attribute: Attribute, value: Value) -> None: ...

    def end(self, *, error_code: str | None = None) -> None:
        """A second end changes nothing."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Tracing(Protocol):
    def begin(self, name: str, *, parent: str | None, attributes: Mapping[Attribute, Value] | None = None) -> Span:
        """Begin a span under `parent` (a traceparent); without a valid one it begins a trace of its own."""
        ...


class _HandedOn:
    """The span of nobody who collects spans: it only hands its parent on."""

    def __init__(self, parent: str | None) -> None:
        self.traceparent = valid_traceparent(parent)

    def tell(self, attribute: Attribute, value: Value) -> None:
        return

    def end(self, *, error_code: str | None = None) -> None:
        return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return


class NoTracing:
    """Where no endpoint is set."""

    def begin(self, name: str, *, parent: str | None, attributes: Mapping[Attribute, Value] | None = None) -> Span:
        return _HandedOn(parent)


class _Collected:
    """A span of OpenTelemetry."""

    def __init__(self, span: Any) -> None:
        self._span = span
        context = span.get_span_context()
        self.traceparent: str | None = (
            f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"
        )

    def tell(self, attribute: Attribute, value: Value) -> None:
        if attribute in ATTRIBUTES:
            self._span.set_attribute(f"stenocast.{attribute}", value)

    def end(self, *, error_code: str | None = None) -> None:
        if not self._span.is_recording():
            return
        if error_code is not None:
            from opentelemetry.trace import Status, StatusCode

            self.tell("error_code", error_code)
            self._span.set_status(Status(StatusCode.ERROR, error_code))
        self._span.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.end()
        else:
            self.end(error_code=error.code if isinstance(error, StenocastError) else "internal_error")


class OpenTelemetryTracing:
    """Spans of an OpenTelemetry tracer provider."""

    def __init__(self, provider: Any) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("stenocast")

    def begin(self, name: str, *, parent: str | None, attributes: Mapping[Attribute, Value] | None = None) -> Span:
        from opentelemetry.context import Context
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        context = Context()
        if (known := valid_traceparent(parent)) is not None:
            context = TraceContextTextMapPropagator().extract({"traceparent": known}, context)
        span = _Collected(self._tracer.start_span(name, context=context, record_exception=False))
        for attribute, value in (attributes or {}).items():
            span.tell(attribute, value)
        return span


_process: Tracing = NoTracing()


def process_tracing() -> Tracing:
    """The tracing of this process: none, until it is started."""
    return _process


def start_tracing(endpoint: str, *, role: str, version: str) -> None:
    """Send this process's spans to an OTLP/HTTP collector, from a thread of its own; an empty `endpoint` means none.

    A collector that does not answer costs the spans and nothing else. Raises OptionError for an address that is none.
    """
    global _process
    if not endpoint:
        return
    if not re.match(r"https?://[^/]", endpoint):
        raise OptionError(
            f"STENOCAST_OTLP_ENDPOINT={endpoint!r}: must begin with http:// or https://",
            code="bad_setting",
            field="otlp_endpoint",
        )
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(
        resource=Resource.create({"service.name": f"stenocast-{role}", "service.version": version})
    )
    address = endpoint if endpoint.rstrip("/").endswith("/v1/traces") else f"{endpoint.rstrip('/')}/v1/traces"
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=address)))
    _process = OpenTelemetryTracing(provider)
