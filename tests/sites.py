"""Small HTTP servers on loopback that a test scripts byte by byte: what they are asked is kept."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Visit:
    """One request to a site; `send` answers it."""

    line: str  #: GET /path HTTP/1.1
    headers: dict[str, str]  #: names in lower case
    body: bytes
    _socket: socket.socket
    gone: threading.Event  #: the test is over

    @property
    def path(self) -> str:
        return self.line.split(" ")[1]

    def send(self, content: bytes) -> None:
        self._socket.sendall(content)

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        named = {"Content-Length": str(len(body))} | {name.replace("_", "-"): text for name, text in headers.items()}
        lines = "".join(f"{name}: {text}\r\n" for name, text in named.items())
        self.send(f"HTTP/1.1 {status} Said\r\n{lines}\r\n".encode() + body)


@dataclass
class Site:
    """A server and what it was asked."""

    port: int
    scheme: str = "http"
    host: str = "127.0.0.1"
    connections: int = 0  #: also those that said nothing
    visits: list[Visit] = field(default_factory=list)

    def url(self, path: str = "/") -> str:
        return f"{self.scheme}://{self.host}:{self.port}{path}"


@contextmanager
def site(
    script: Callable[[Visit], None], *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> Iterator[Site]:
    """A server on a loopback address that lets `script` answer each request; a connection is good for one."""
    gone = threading.Event()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        found = Site(listener.getsockname()[1], "https" if tls else "http", f"[{host}]" if ":" in host else host)

        def serve(connection: socket.socket) -> None:
            with suppress(OSError), connection:
                talk = tls.wrap_socket(connection, server_side=True) if tls else connection
                with talk:
                    visit = _visit(talk, gone)
                    if visit is not None:
                        found.visits.append(visit)
                        script(visit)

        def listen() -> None:
            while not gone.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                if gone.is_set():
                    connection.close()
                    return
                found.connections += 1
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            gone.set()
            with suppress(OSError):
                socket.create_connection((host, found.port), 1.0).close()  # wakes `accept`
            thread.join(5.0)


def _visit(talk: socket.socket, gone: threading.Event) -> Visit | None:
    head = b""
    while b"\r\n\r\n" not in head:
        got = talk.recv(65_536)
        if not got:
            return None
        head += got
    head, _, body = head.partition(b"\r\n\r\n")
    line, *rest = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): text.strip() for name, _, text in (each.partition(":") for each in rest)}
    while len(body) < int(headers.get("content-length", "0")):
        got = talk.recv(65_536)
        if not got:
            return None  # whoever asked died in the middle
        body += got
    return Visit(line, headers, body, talk, gone)


def certificate(folder: Path, *names: str) -> tuple[Path, Path]:
    """A certificate that signs itself, for these host names, and its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={names[0]}"),
            *("-addext", "subjectAltName=" + ",".join(f"DNS:{each}" for each in names)),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key
