"""Requests to addresses that users name: links of recordings, receivers of webhooks.

Whoever names an address makes this installation open a connection, so each is checked: a name is resolved here, every
address it has must be public or lie in the setting `outward_networks`, and the connection goes to the very address
that was checked. A name that means another address a moment later (DNS rebinding) gains nothing. Proxies, cookies and
logins of this machine are not used. TLS checks the name in the URL, as ever.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import httpcore

from schemas.errors import InputError, OptionError, TransientError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: The addresses of a host, as texts. Raises OSError for a host that has none.
Resolve = Callable[[str, int], Iterable[str]]

#: Opens a connection to an address and port, in so many seconds. Raises httpcore's errors.
Connect = Callable[[str, int, float], httpcore.NetworkStream]

#: Links of advert services hold the link they lead to, several times over; a signed one has about 1,500 characters.
LONGEST_URL = 4_096

PORTS = {"https": 443, "http": 80}
REDIRECTS = frozenset({301, 302, 303, 307, 308})

#: Unicast addresses that IANA has given out for the public (RFC 4291 2.4); the rest of IPv6 is somebody's own.
_PUBLIC_V6 = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: the last four bytes are an IPv4 address
#: Not public although some Pythons' `is_global` says so: protocol assignments (RFC 6890), relays of 6to4 (RFC 7526),
#: documentation (RFC 9637).
_SPECIAL = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")))

_HOST = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_ENDS_IN_NUMBER = re.compile(r"(.*\.)?(\d+|0x[0-9a-f]*)")


class PlainHttp(StrEnum):
    """Where requests may go without TLS."""

    NOWHERE = "nowhere"
    OUTWARD_NETWORKS = "outward_networks"  #: only to addresses that the operator let in
    ANYWHERE = "anywhere"


@dataclass(frozen=True, slots=True)
class Target:
    """An address that may be asked, as far as can be told without resolving its host."""

    scheme: str
    host: str  #: in lower case and ASCII, IPv6 without brackets
    port: int
    literal: Address | None  #: what the host means, where no name server needs to be asked
    path: str  #: with the query, percent-encoded

    @property
    def authority(self) -> str:
        """Host and port as the header Host has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole, as it is asked for: without a fragment, and without a port that goes without saying."""
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def shown(self) -> str:
        """For messages and logs: without the query, in which signatures and tokens are."""
        return f"{self.scheme}://{self.authority}{self.path.partition('?')[0]}"[:200]


def networks(text: str) -> tuple[Network, ...]:
    """The networks of the setting `outward_networks`. Raises ValueError, which names the one that is none."""
    return tuple(ipaddress.ip_network(each.strip()) for each in text.split(",") if each.strip())


def is_public(address: Address) -> bool:
    """Whether everybody can reach this address. One that stands for an IPv4 address is judged as that one."""
    if any(address in each for each in _SPECIAL if each.version == address.version):
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address.sixtofour is not None:
            return is_public(address.sixtofour)
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(address.packed[-4:]))
        if address not in _PUBLIC_V6:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def read_target(url: str) -> Target:
    """Read a URL that a user gave. Raises OptionError `url_refused`."""
    if len(url) > LONGEST_URL:
        raise _url_refused(f"{len(url)} characters; a URL may have {LONGEST_URL}")
    if any(not (each.isprintable() or each == " ") or "\ud800" <= each <= "\udfff" for each in url):
        raise _url_refused(f"{url[:80]!r}: a URL holds no control characters")
    try:
        parts = urlsplit(url.strip(" "))
        port = parts.port
    except ValueError as error:
        raise _url_refused(f"{_named(url)}: {error}") from error
    if parts.scheme not in PORTS:
        raise _url_refused(f"{_named(url)}: a URL begins with https:// or http://")
    if "@" in parts.netloc:
        raise _url_refused(f"{_named(url)}: user names and passwords are not used")
    host = _ascii_host(parts.hostname or "", url)
    if port == 0:
        raise _url_refused(f"{_named(url)}: 0 is no port")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    query = f"?{quote(parts.query, safe='/%:@!$&()*+,;=~?')}" if parts.query else ""
    return Target(parts.scheme, host, port or PORTS[parts.scheme], _meaning(host, url), path + query)


def _ascii_host(host: str, url: str) -> str:
    if not host:
        raise _url_refused(f"{_named(url)}: names no host")
    if not host.isascii():
        import idna

        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except UnicodeError as error:  # idna.IDNAError is one
            raise _url_refused(f"{_named(url)}: {host[:80]!r} is no host name") from error
    host = host.lower().removesuffix(".")
    if ":" not in host and (len(host) > 253 or not _HOST.fullmatch(host)):
        raise _url_refused(f"{_named(url)}: {host[:80]!r} is no host name")
    return host


def _meaning(host: str, url: str) -> Address | None:
    """The address that a host is without anybody being asked; None for a name.

    Resolvers read `127.1`, `0x7f000001`, `2130706433` and `017700000001` as addresses, so they are such here, too.
    """
    try:
        if ":" in host:
            return ipaddress.IPv6Address(host.replace("%", " "))  # an interface of this machine is nobody's to name
        if _ENDS_IN_NUMBER.fullmatch(host):
            return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError) as error:
        raise _url_refused(f"{_named(url)}: {host[:80]!r} is no address") from error
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761 6.3
        return ipaddress.IPv4Address("127.0.0.1")
    return None


class Outward:
    """A client for addresses that users name.

    `let_in` are networks that may be asked although they are not public. Seconds: `connect_seconds` to connect, for
    each address of a host, `read_seconds` without a byte, and `total_seconds` for a whole request with its
    redirects, however busy the other side is. The system's resolver keeps times of its own. Threads may share one.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        let_in: Sequence[Network] = (),
        plain_http: PlainHttp = PlainHttp.NOWHERE,
        connect_seconds: float = 10.0,
        read_seconds: float = 30.0,
        total_seconds: float = 60.0,
        resolve: Resolve | None = None,
        connect: Connect | None = None,
        ssl_context: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._user_agent = user_agent
        self._let_in = tuple(let_in)
        self._plain_http = plain_http
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds
        self._total_seconds = total_seconds
        self._resolve = resolve or addresses_of
        self._connect = connect or connected
        self._given_ssl_context = ssl_context
        self._clock = clock

    @cached_property
    def _ssl_context(self) -> ssl.SSLContext:
        return self._given_ssl_context or httpcore.default_ssl_context()

    def check(self, url: str) -> Target:
        """Whether a URL may be asked at all, without a look at the network: for the moment at which it is given.

        Raises OptionError `url_refused`, or `source_forbidden` for an address that is written out.
        """
        target = read_target(url)
        if target.scheme == "http" and self._plain_http is PlainHttp.NOWHERE:
            raise _url_refused(f"{target.shown}: only https:// is used here")
        if target.literal is not None:
            self._check_address(target.literal, target)
        return target

    @contextmanager
    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        most_bytes: int | None,
        most_redirects: int | None = None,
    ) -> Iterator[Answer]:
        """Ask, and give the answer with its body still on the way; the connection ends with the `with` block.

        Without `most_bytes` the body is not wanted, whatever it is, and cannot be read.
        With `most_redirects`, an answer to GET may lead elsewhere so many times, or never; each place is checked like
        the first, and none leads from https to http. Without it, such an answer is one like others.

        Raises OptionError `url_refused`, `source_forbidden`; InputError `source_too_large` for a body over
        `most_bytes` or a compressed one, here or while it is read; TransientError `source_timeout`,
        `source_unreachable`.
        """
        deadline = self._clock() + self._total_seconds
        target = self.check(url)
        for hop in range((most_redirects or 0) + 1):
            with self._asked(method, target, headers or {}, content, deadline) as response:
                answer = Answer(target, response, most_bytes or 0)
                location = answer.headers.get("location")
                is_led = most_redirects is not None and method == "GET" and answer.status in REDIRECTS
                if not (is_led and location):
                    if most_bytes is not None:
                        answer.check_body()
                    yield answer
                    return
                if hop == most_redirects:
                    many = f"after {hop} redirect{'s' * (hop != 1)}" if hop else "elsewhere"
                    raise forbidden(
                        target,
                        f"leads on {many}; STENOCAST_LINK_REDIRECTS={most_redirects} says how many are followed",
                    )
            target = self._led_to(target, location)

    def _led_to(self, target: Target, location: str) -> Target:
        try:
            there = self.check(urljoin(target.url, location))
        except ValueError as error:
            raise _url_refused(f"{target.shown}: leads to {location[:80]!r}, which is no URL") from error
        if target.scheme == "https" and there.scheme != "https":
            raise forbidden(target, f"leads from https to {there.shown}")
        return there

    @contextmanager
    def _asked(
        self, method: str, target: Target, headers: Mapping[str, str], content: bytes | None, deadline: float
    ) -> Iterator[httpcore.Response]:
        sent = {
            "Host": target.authority,
            "User-Agent": self._user_agent,
            "Accept": "*/*",
            "Accept-Encoding": "identity",  # the size that is counted is the size that there is
            **headers,
        }
        url = httpcore.URL(
            scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.path.encode()
        )
        timeouts = {"connect": self._connect_seconds, "read": self._read_seconds, "write": self._read_seconds}
        network = _CheckedNetwork(self, target, deadline)
        # One pool for one request: a connection that was checked for one URL is never used for another.
        with _translated(target):
            pool = httpcore.ConnectionPool(
                ssl_context=self._ssl_context if target.scheme == "https" else None, network_backend=network
            )
            with (
                pool,
                pool.stream(
                    method,
                    url,
                    headers=[(name.encode(), value.encode()) for name, value in sent.items()],
                    content=content,
                    extensions={"timeout": timeouts},
                ) as response,
            ):
                yield response

    def _check_address(self, address: Address, target: Target) -> None:
        seen = getattr(address, "ipv4_mapped", None) or address
        is_let_in = any(seen in each for each in self._let_in if each.version == seen.version)
        if not is_let_in and not is_public(address):
            raise forbidden(target, f"{address} is no public address")
        if not is_let_in and target.scheme == "http" and self._plain_http is not PlainHttp.ANYWHERE:
            raise _url_refused(f"{target.shown}: only https:// is used to reach {address}")

    def connection(self, target: Target, deadline: float) -> httpcore.NetworkStream:
        """Connect to an address of the host that was checked. Raises what `request` does, and httpcore's errors.

        All addresses must be allowed, not only one: a name with a public and a private address is a mistake or an
        attack, and what comes of it must not hang on which of the two is listed first or answers.
        """
        addresses = (str(target.literal),) if target.literal else self._addresses_of(target)
        for each in addresses:
            self._check_address(ipaddress.ip_address(each), target)
        failure: Exception | None = None
        for each in addresses:
            try:
                seconds = seconds_left(deadline, self._clock, self._connect_seconds)
                return _TimedStream(self._connect(each, target.port, seconds), deadline, self._clock)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        assert failure is not None
        raise failure

    def _addresses_of(self, target: Target) -> tuple[str, ...]:
        try:
            found = tuple(dict.fromkeys(self._resolve(target.host, target.port)))
        except (OSError, UnicodeError) as error:
            raise _unreachable(target, f"{target.host} has no address ({error})") from error
        if not found:
            raise _unreachable(target, f"{target.host} has no address")
        return found


class Answer:
    """The answer to one request: its head, and its body as it comes."""

    def __init__(self, target: Target, response: httpcore.Response, most_bytes: int) -> None:
        self.target = target  #: who answered, after redirects
        self.status = response.status
        #: names in lower case; of a header that stands twice, the last
        self.headers = {_text(name).lower(): _text(value) for name, value in response.headers}
        self._response = response
        self._most_bytes = most_bytes

    @property
    def announced_bytes(self) -> int | None:
        """The length of the body, where the server says one."""
        said = self.headers.get("content-length", "")
        return int(said) if said.isascii() and said.isdigit() else None

    def check_body(self) -> None:
        """Raise InputError `source_too_large` for a body that is announced as too large, or is compressed."""
        encoding = self.headers.get("content-encoding", "").strip().lower()
        if encoding not in ("", "identity"):
            raise _too_large(self.target, f"sends its answer compressed ({encoding[:40]}), of what size nobody knows")
        if (self.announced_bytes or 0) > self._most_bytes:
            raise _too_large(self.target, f"{self.announced_bytes} bytes; the limit is {self._most_bytes}")

    def chunks(self) -> Iterator[bytes]:
        """The body as it arrives, once. Raises InputError `source_too_large`, TransientError as `request` does."""
        received = 0
        with _translated(self.target):
            for chunk in self._response.iter_stream():
                received += len(chunk)
                if received > self._most_bytes:
                    raise _too_large(self.target, f"sends more than the limit of {self._most_bytes} bytes")
                yield chunk

    def read(self) -> bytes:
        """The whole body. Raises what `chunks` does."""
        return b"".join(self.chunks())


class _CheckedNetwork(httpcore.NetworkBackend):
    """How httpcore comes to a connection for one target: only through the check."""

    def __init__(self, outward: Outward, target: Target, deadline: float) -> None:
        self._outward = outward
        self._target = target
        self._deadline = deadline

    def connect_tcp(self, host: str, port: int, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        assert (host, port) == (self._target.host, self._target.port)
        return self._outward.connection(self._target, self._deadline)


class _TimedStream(httpcore.NetworkStream):
    """A connection that ends at the deadline, however busy the other side is: httpcore knows only single reads."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float, clock: Callable[[], float]) -> None:
        self._stream = stream
        self._deadline = deadline
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, seconds_left(self._deadline, self._clock, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, seconds_left(self._deadline, self._clock, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        seconds = seconds_left(self._deadline, self._clock, timeout)
        return _TimedStream(
            self._stream.start_tls(ssl_context, server_hostname, seconds), self._deadline, self._clock
        )

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def addresses_of(host: str, port: int) -> list[str]:
    """The addresses that the system's resolver knows. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


def connected(address: str, port: int, seconds: float) -> httpcore.NetworkStream:
    """A TCP connection to an address. Raises httpcore's errors."""
    return httpcore.SyncBackend().connect_tcp(address, port, timeout=seconds)


def seconds_left(deadline: float, clock: Callable[[], float], most: float | None) -> float:
    """Until the deadline, at most `most`. Raises httpcore.ReadTimeout where it has passed."""
    left = deadline - clock()
    if left <= 0:
        raise httpcore.ReadTimeout("the whole request took too long")
    return left if most is None else min(left, most)


@contextmanager
def _translated(target: Target) -> Iterator[None]:
    """Give httpcore's errors as ours."""
    try:
        yield
    except httpcore.TimeoutException as error:
        raise TransientError(
            f"{target.shown}: no answer in time ({error or type(error).__name__})", code="source_timeout"
        ) from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise _unreachable(target, str(error) or type(error).__name__) from error


def _text(header: bytes) -> str:
    return header.decode("utf-8", "replace")


def _named(url: str) -> str:
    """A refused URL for a message: without its query, and without what stands before an @."""
    return repr(re.sub(r"//[^/?#]*@", "//…@", url.partition("?")[0])[:80])


def _url_refused(message: str) -> OptionError:
    return OptionError(message, code="url_refused", field="url")


def forbidden(target: Target, why: str) -> OptionError:
    """Somewhere that must not be asked."""
    return OptionError(f"{target.shown}: {why}", code="source_forbidden", field="url")


def _too_large(target: Target, why: str) -> InputError:
    return InputError(f"{target.shown}: {why}", code="source_too_large")


def _unreachable(target: Target, why: str) -> TransientError:
    return TransientError(f"{target.shown}: does not answer: {why}", code="source_unreachable")
