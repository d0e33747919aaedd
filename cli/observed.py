"""What every process of the service has beside its work: logs, numbers, traces, and a door for probes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from adapters.health_server import HealthServer
from adapters.logs import configure_logs
from adapters.metrics import process_metrics
from adapters.settings import Settings, unknown_variables
from adapters.tracing import start_tracing
from adapters.wiring import version
from schemas.errors import StenocastError
from transcription.ports import JobQueue, Store

log = structlog.get_logger()


def observe(settings: Settings, role: str) -> None:
    """Set up logs, numbers and traces. Once, at the start of a process."""
    configure_logs(settings.log_format)
    process_metrics().runs(version=version(), role=role)
    start_tracing(settings.otlp_endpoint, role=role, version=version())
    for name, meant in unknown_variables().items():
        log.warning("variable is no setting", variable=name, meant=meant)


@contextmanager
def health_door(settings: Settings, lacking: Callable[[], list[str]]) -> Iterator[None]:
    """Answer `/metrics`, `/healthz` and `/readyz` on the metrics port meanwhile, where there is one."""
    if settings.metrics_port == 0:
        yield
        return
    server = HealthServer(process_metrics(), host=settings.host, port=settings.metrics_port, lacking=lacking)
    server.start()
    try:
        yield
    finally:
        server.stop()


def unreachable(queue: JobQueue, store: Store | None = None) -> list[str]:
    """What of ledger and store does not answer, each in a sentence."""
    problems = []
    try:
        queue.jobs(limit=1)
    except StenocastError as error:
        problems.append(error.message)
    if store is not None:
        try:
            store.exists("uploads/is-there-a-store")
        except StenocastError as error:
            problems.append(error.message)
    return problems
