"""Model sets small enough for tests: wheels that pip really reads, and a server on loopback that cuts the line."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


@dataclass
class WheelHouse:
    """A folder of wheels that pip finds by the user's own settings (PIP_FIND_LINKS)."""

    folder: Path

    def add(self, package: str, members: dict[str, bytes], version: str = "1.0") -> str:
        """Write a wheel; returns its description as a line of a set's TOML."""
        module = package.replace("-", "_")
        path = self.folder / f"{module}-{version}-py3-none-any.whl"
        info = f"{module}-{version}.dist-info"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
            archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            archive.writestr(f"{info}/RECORD", "")
        content = path.read_bytes()
        return (
            f'[wheels.{package}]\nversion = "{version}"\n'
            f'sha256 = "{hashlib.sha256(content).hexdigest()}"\nsize_bytes = {len(content)}\n'
        )


@pytest.fixture
def wheelhouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WheelHouse:
    folder = tmp_path / "wheelhouse"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return WheelHouse(folder)


@dataclass
class LineCutter:
    """An HTTP server that gives files with ranges, and breaks off where it is told to."""

    port: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)  #: path to more headers of its answers
    status: dict[str, int] = field(default_factory=dict)  #: path to an error status
    cuts: list[int] = field(default_factory=list)  #: bytes after which each GET in turn breaks off
    ignore_ranges: bool = False
    held: str = ""  #: answers to paths with this ending pause at their middle …
    hold: threading.Event = field(default_factory=threading.Event)  #: … until this is set
    paused: threading.Event = field(default_factory=threading.Event)  #: set when one does
    seen: list[tuple[str, str, str | None]] = field(default_factory=list)  #: method, path, Range

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def gets(self, path: str) -> list[str | None]:
        """The Range header of every GET of a path."""
        return [ranges for method, asked, ranges in self.seen if method == "GET" and asked == path]


@pytest.fixture
def server() -> Iterator[LineCutter]:
    cutter = LineCutter()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def _answer(self, *, with_body: bool) -> None:
            path = self.path.split("?")[0]
            asked = self.headers.get("Range")
            cutter.seen.append((self.command, path, asked))
            content = cutter.files.get(path, b"")
            status = cutter.status.get(path, 200 if path in cutter.files else 404)
            start = 0
            if asked and status == 200 and not cutter.ignore_ranges:
                start = int(asked.removeprefix("bytes=").split("-")[0])
                status = 206
            self.send_response(status)
            for name, value in cutter.headers.get(path, {}).items():
                self.send_header(name, value)
            if status == 206:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            body = content[start:]
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if not with_body:
                return
            if cutter.cuts:
                self.wfile.write(body[: cutter.cuts.pop(0)])
                self.close_connection = True
                return
            if cutter.held and path.endswith(cutter.held):
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                cutter.paused.set()
                cutter.hold.wait(20)
                body = body[len(body) // 2 :]
            try:
                self.wfile.write(body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *args: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    cutter.port = listening.server_address[1]
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield cutter
    cutter.hold.set()
    listening.shutdown()
    listening.server_close()
    thread.join()
