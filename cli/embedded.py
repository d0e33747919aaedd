"""Everything of the embedded service in one process: the API in the main thread, the workers beside it."""

from __future__ import annotations

import ipaddress
import signal
import socket
import sys
import tempfile
import uuid
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from fastapi import FastAPI

from adapters.glossaries import show_glossary
from adapters.metrics import process_metrics
from adapters.model_sets import is_folder_name, is_hub_name
from adapters.settings import Settings
from adapters.spool import sweep_spool
from adapters.wiring import (
    check_models,
    checked_link,
    open_drop_box,
    open_ledger,
    open_store,
    open_webhook_desk,
    version,
)
from api.app import create_app
from api.upload import Intake
from cli.observed import observe, unreachable
from schemas.errors import NotReady, OptionError
from workers.crashpoints import crash_points
from workers.embedded import BackgroundWorkers

#: How long requests in flight may take to end when the service stops, in seconds.
GRACE_SECONDS = 3


def serve_embedded(settings: Settings) -> None:
    """Run until SIGTERM or Ctrl-C. Raises NotReady `address_in_use`, OptionError."""
    check_models(settings, settings.models)
    observe(settings, "serve")
    listener = _ready_to_listen(settings)
    workers = BackgroundWorkers(settings)
    app = build_app(settings, workers.lacking)
    workers.start()
    print(f"Stenocast {version()}: http://{settings.host}:{listener.getsockname()[1]}", file=sys.stderr)
    print(f"data in {settings.data_dir}, models {settings.models}; stop with Ctrl-C", file=sys.stderr)
    if settings.inbox is not None:
        print(f"watching {settings.inbox}", file=sys.stderr, flush=True)
    try:
        _serve(app, listener)
    finally:
        workers.stop()


def serve_api(settings: Settings) -> None:
    """Run the API alone until SIGTERM or Ctrl-C. Raises NotReady `address_in_use`, OptionError."""
    check_models(settings, settings.models)
    observe(settings, "api")
    listener = _ready_to_listen(settings)
    app = build_app(settings, list)
    print(f"Stenocast {version()} (API): http://{settings.host}:{listener.getsockname()[1]}", file=sys.stderr)
    _serve(app, listener)


def _ready_to_listen(settings: Settings) -> socket.socket:
    settings.scratch_folder.mkdir(parents=True, exist_ok=True)
    # Uploads are spooled where the rest of the data lies: /tmp may be small, or memory.
    tempfile.tempdir = str(settings.scratch_folder)
    sweep_spool(settings.scratch_folder)  # there may be no worker on this machine who would
    return bound_socket(settings.host, settings.port)


def _serve(app: FastAPI, listener: socket.socket) -> None:
    """Serve until SIGTERM or Ctrl-C, and come back: what must still be done is the caller's."""
    # The server ends gracefully and then raises the signal again for whoever had a handler before: without one it
    # would end the process there.
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=GRACE_SECONDS)
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])


def build_app(settings: Settings, lacking: Callable[[], list[str]]) -> FastAPI:
    """The API over the ledger and the store of the settings. `lacking` adds to what readiness needs beyond them."""
    queue, store = open_ledger(settings), open_store(settings)
    metrics = process_metrics()
    metrics.watch_ledger(queue.backlog)
    desk = open_webhook_desk(settings)
    metrics.watch_webhooks(desk.ledger.backlog)
    intake = Intake(
        queue=queue,
        store=store,
        scratch=settings.scratch_folder,
        max_bytes=settings.max_upload_bytes,
        default_models=settings.models,
        new_id=lambda: str(uuid.uuid4()),
        check_models=lambda models, language: _check_remote_models(settings, models, language),
        checked_link=lambda url: checked_link(settings, url),
        glossary_of=lambda show: show_glossary(settings.glossaries, show),
        reached=crash_points(settings),
    )
    return create_app(
        intake,
        version=version(),
        ready=lambda: [*lacking(), *unreachable(queue, store)],
        metrics=metrics,
        webhooks=desk,
        allowed_hosts=allowed_hosts(settings.host),
        drops=open_drop_box(settings),
    )


def _check_remote_models(settings: Settings, models: str, language: str | None) -> None:
    """A request may name a set; folders of this machine and downloads from the hub are for its operator to name."""
    if is_folder_name(models) or is_hub_name(models):
        raise OptionError(f"models={models[:80]!r}: a request may name a model set only", field="models")
    check_models(settings, models, language)


def allowed_hosts(host: str) -> list[str]:
    """The Host headers to answer: on a loopback address only its names, so that no page elsewhere gets in by DNS."""
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    return ["127.0.0.1", "localhost", "[::1]", host] if is_loopback else ["*"]


def bound_socket(host: str, port: int) -> socket.socket:
    """A listening socket, bound before anything else starts. Port 0 picks a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OverflowError as error:
        raise OptionError(f"port={port}: must be 0 to 65535", field="port") from error
    except OSError as error:
        raise NotReady(f"{host}:{port} cannot be listened on: {error.strerror}", code="address_in_use") from error
    return listener
