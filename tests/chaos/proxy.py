"""A TCP proxy that a test puts before a real server, to be the network at its worst.

    with Proxy(server_port, http=True) as proxy:
        proxy.slow_down(0.3)                        # 503 SlowDown to 30 % of the requests
        proxy.cut(after_bytes=1000, times=2)        # end two answers early
        proxy.stall(after_bytes=1000, times=1)      # say nothing more after 1,000 bytes
        proxy.lose_answers(method="PUT", times=1)   # the server did it, and nobody hears of it
        proxy.refuse()                              # connection refused, open ones reset
        proxy.pass_on()                             # no more faults

With `http` a fault is of one request and its answer, without it of one connection. A fault may be changed while
connections are open; it counts from the next request, or connection, on.
"""

from __future__ import annotations

import contextlib
import random
import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType

PIECE = 64 * 1024
LONGEST_HEAD = 256 * 1024

_SLOW_DOWN_BODY = (
    b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your rate</Message></Error>"
)
SLOW_DOWN = (
    b"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nConnection: close\r\n"
    + f"Content-Length: {len(_SLOW_DOWN_BODY)}\r\n\r\n".encode()
    + _SLOW_DOWN_BODY
)


class Kind(StrEnum):
    NONE = "none"
    CUT = "cut"  #: close both sides after some bytes of the answer
    STALL = "stall"  #: keep the connection and pass on nothing more
    SLOW_DOWN = "slow down"  #: answer 503 in the server's place
    LOSE = "lose"  #: pass the request on, and close when its answer comes


@dataclass
class Fault:
    """What happens to requests (or connections) from now on; `times` counts down to no fault."""

    kind: Kind = Kind.NONE
    after_bytes: int = 0
    share: float = 1.0
    times: int | None = None
    method: str | None = None


class Proxy:
    """Listens on a port of its own on loopback and passes everything on to `port`, but for the faults."""

    def __init__(self, port: int, *, host: str = "127.0.0.1", http: bool = False, seed: int = 0) -> None:
        self._target = (host, port)
        self._http = http
        self._random = random.Random(seed)
        self._fault = Fault()
        self._lock = threading.Lock()
        self._open: set[_Connection] = set()
        self._closing = False
        self.counts: Counter[str] = Counter()  #: requests (or connections), and how many met which fault
        self._listener = _listen(0)
        self.port: int = self._listener.getsockname()[1]
        self._accept()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def pass_on(self) -> None:
        """No more faults; listens again after `refuse`."""
        self._set(Fault())
        if self._listener.fileno() == -1:
            self._listener = _listen(self.port)
            self._accept()

    def slow_down(self, share: float, *, times: int | None = None) -> None:
        self._set(Fault(Kind.SLOW_DOWN, share=share, times=times))

    def cut(
        self, *, after_bytes: int = 0, share: float = 1.0, times: int | None = None, method: str | None = None
    ) -> None:
        self._set(Fault(Kind.CUT, after_bytes, share, times, method))

    def stall(
        self, *, after_bytes: int = 0, share: float = 1.0, times: int | None = None, method: str | None = None
    ) -> None:
        self._set(Fault(Kind.STALL, after_bytes, share, times, method))

    def lose_answers(self, *, method: str | None = None, share: float = 1.0, times: int | None = None) -> None:
        self._set(Fault(Kind.LOSE, 0, share, times, method))

    def refuse(self) -> None:
        """As if no server were there: nobody listens, and open connections are reset."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
        self._listener.close()
        self.reset()

    def reset(self) -> None:
        """Reset every open connection now."""
        with self._lock:
            open_now = list(self._open)
        for each in open_now:
            each.reset()

    def close(self) -> None:
        self._closing = True
        self.refuse()

    def next_fault(self, method: str | None) -> Fault:
        """What shall happen to the request (or connection) that begins now."""
        with self._lock:
            self.counts["seen"] += 1
            fault = self._fault
            is_meant = fault.kind is not Kind.NONE and fault.times != 0 and fault.method in (None, method)
            if not is_meant or self._random.random() >= fault.share:
                return Fault()
            if fault.times is not None:
                fault.times -= 1
            self.counts[fault.kind] += 1
            return fault

    def forget(self, connection: _Connection) -> None:
        with self._lock:
            self._open.discard(connection)

    def _set(self, fault: Fault) -> None:
        with self._lock:
            self._fault = fault

    def _accept(self) -> None:
        threading.Thread(target=self._serve, args=(self._listener,), name="proxy", daemon=True).start()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target, timeout=10)
            except OSError:
                _reset(client)
                continue
            server.settimeout(None)
            connection = _Connection(self, client, server, http=self._http)
            with self._lock:
                self._open.add(connection)
            connection.start()


class _Connection:
    """One client and its connection to the server; a thread for each direction."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket, *, http: bool) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._http = http
        self._fault = Fault()
        self._passed = 0  #: bytes of the present answer
        self._ended = threading.Event()
        self._is_reset = False

    def start(self) -> None:
        if not self._http:
            self._fault = self._proxy.next_fault(None)
        towards = self._pass_requests if self._http else self._pass_bytes
        for direction in (towards, self._pass_answers):
            threading.Thread(target=self._until_it_ends, args=(direction,), name="proxied", daemon=True).start()

    def reset(self) -> None:
        """End it so that both sides see a reset: their sockets close while nothing more is to be sent."""
        self._is_reset = True
        self._ended.set()
        for each in (self._client, self._server):
            with contextlib.suppress(OSError):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                each.shutdown(socket.SHUT_RD)  # wakes the thread that waits there, which closes

    def _until_it_ends(self, direction: Callable[[], None]) -> None:
        with contextlib.suppress(OSError):
            direction()
        self._ended.set()
        for each in (self._client, self._server):
            if not self._is_reset:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._proxy.forget(self)

    def _pass_bytes(self) -> None:
        while piece := self._client.recv(PIECE):
            self._server.sendall(piece)

    def _pass_requests(self) -> None:
        """Client to server, one request after the other."""
        for head, rest in self._heads():
            fault = self._proxy.next_fault(head.split(b" ", 1)[0].decode(errors="replace"))
            left = _body_bytes(head) - len(rest)
            if fault.kind is Kind.SLOW_DOWN:
                if b"100-continue" not in head.lower():
                    while left > 0 and (piece := self._client.recv(min(left, PIECE))):
                        left -= len(piece)
                self._client.sendall(SLOW_DOWN)
                return
            self._fault, self._passed = fault, 0
            self._server.sendall(head + rest)
            while left > 0:
                piece = self._client.recv(min(left, PIECE))
                if not piece:
                    return
                left -= len(piece)
                self._server.sendall(piece)

    def _heads(self) -> Iterator[tuple[bytes, bytes]]:
        """Each request's head, and what came with it of its body. Clients here send one request at a time."""
        while True:
            received = b""
            while b"\r\n\r\n" not in received:
                piece = self._client.recv(PIECE)
                if not piece or len(received) > LONGEST_HEAD:
                    return
                received += piece
            head, _, rest = received.partition(b"\r\n\r\n")
            yield head + b"\r\n\r\n", rest

    def _pass_answers(self) -> None:
        while piece := self._server.recv(PIECE):
            if piece.startswith(b"HTTP/1.1 100 "):
                self._client.sendall(piece)  # "go on", not yet the answer
                continue
            if self._fault.kind is Kind.LOSE:
                return
            if self._fault.kind in (Kind.CUT, Kind.STALL):
                room = max(0, self._fault.after_bytes - self._passed)
                self._client.sendall(piece[:room])
                self._passed += len(piece[:room])
                if room < len(piece):
                    if self._fault.kind is Kind.STALL:
                        self._ended.wait()
                    return
                continue
            self._client.sendall(piece)


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    return listener


def _reset(connection: socket.socket) -> None:
    """Close so that the other side sees a reset and not an end."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _body_bytes(head: bytes) -> int:
    found = re.search(rb"\r\ncontent-length: *(\d+)\r\n", head, re.IGNORECASE)
    return int(found[1]) if found else 0
