"""A tiny HTTP server for processes that have no other: `/metrics`, `/healthz`, `/readyz`.

It answers from a thread of its own, so `/healthz` does not tell that the process exists (the orchestrator knows that)
but that its loops still come round.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from adapters.metrics import CONTENT_TYPE, Metrics
from schemas.errors import NotReady, StenocastError

#: A loop that has not come round for so long is stuck. A batch of hundreds of questions to a bucket that answers
#: slowly may take minutes; restarting it then would only make it begin again.
STUCK_SECONDS = 300.0


class HealthServer:
    """Serves from `start` to `stop`. `lacking` says what keeps the process from its work; empty = ready."""

    def __init__(
        self,
        metrics: Metrics,
        *,
        host: str,
        port: int,
        lacking: Callable[[], list[str]] = list,
        stuck_seconds: float = STUCK_SECONDS,
    ) -> None:
        self._metrics = metrics
        self._lacking = lacking
        self._stuck_seconds = stuck_seconds
        try:
            self._server = ThreadingHTTPServer((host, port), self._handler())
        except OSError as error:
            raise NotReady(f"{host}:{port} cannot be listened on: {error.strerror}", code="address_in_use") from error
        self._server.daemon_threads = True

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, name="health", daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Status, content type and body of a path."""
        plain = "text/plain; charset=utf-8"
        match path.partition("?")[0]:
            case "/metrics":
                return 200, CONTENT_TYPE, self._metrics.text()
            case "/healthz":
                stuck = [
                    f"{loop} has not come round for {age:.0f} s"
                    for loop, age in self._metrics.loop_ages().items()
                    if age > self._stuck_seconds
                ]
                return (503, plain, "; ".join(stuck).encode()) if stuck else (200, plain, b"ok\n")
            case "/readyz":
                lacking = self._what_lacks()
                return (503, plain, "; ".join(lacking).encode()) if lacking else (200, plain, b"ready\n")
            case _:
                return 404, plain, b"only /metrics, /healthz and /readyz are here\n"

    def _what_lacks(self) -> list[str]:
        try:
            return self._lacking()
        except StenocastError as error:
            return [error.message]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer = self.answer

        class Handler(BaseHTTPRequestHandler):
            timeout = 10  # seconds that a caller may take over its request

            def do_GET(self) -> None:
                status, kind, body = answer(self.path)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Probes come every few seconds and are no news."""

        return Handler
