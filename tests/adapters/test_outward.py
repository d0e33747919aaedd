"""Requests to addresses that users name: what is asked, what is not, and how an answer ends."""

from __future__ import annotations

import gzip
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import httpcore
import pytest

from adapters.outward import Outward, PlainHttp, connected, is_public, networks, read_target
from schemas.errors import InputError, OptionError, StenocastError, TransientError
from tests.sites import Visit, certificate, site

LOOPBACK = networks("127.0.0.0/8")
TRUSTING_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # the system's list takes a fifth of a second to read


@dataclass
class Net:
    """A world of names and addresses. Whoever connects is led to `port` of this machine, and kept in `reached`."""

    names: dict[str, list[list[str]]] = field(default_factory=dict)  #: the answers to each question about a name
    port: int | None = None
    asked: list[str] = field(default_factory=list)
    reached: list[tuple[str, int]] = field(default_factory=list)

    def resolve(self, host: str, port: int) -> Iterable[str]:
        self.asked.append(host)
        answers = self.names.get(host)
        if not answers:
            raise OSError(f"no such name: {host}")
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def connect(self, address: str, port: int, seconds: float) -> httpcore.NetworkStream:
        self.reached.append((address, port))
        if self.port is None:
            raise httpcore.ConnectError("nobody is there")
        return connected("127.0.0.1", self.port, seconds)

    def outward(self, **how: object) -> Outward:
        how = {"plain_http": PlainHttp.ANYWHERE, "resolve": self.resolve, "connect": self.connect} | how
        how = {"ssl_context": TRUSTING_NOBODY} | how
        return Outward(user_agent="Stenocast/9", **how)  # type: ignore[arg-type]


def on_loopback(**how: object) -> Outward:
    """The real resolver and connections, into this machine."""
    how = {"plain_http": PlainHttp.ANYWHERE, "let_in": LOOPBACK} | how
    return Outward(user_agent="Stenocast/9", **how)  # type: ignore[arg-type]


def fetched(outward: Outward, url: str, **how: int) -> bytes:
    with outward.request("GET", url, **({"most_bytes": 1_000} | how)) as answer:  # type: ignore[arg-type]
        return answer.read()


def code_of(outward: Outward, url: str, **how: int) -> str:
    with pytest.raises(StenocastError) as raised:
        fetched(outward, url, **how)
    return raised.value.code


# ---------------------------------------------------------------- what may be asked


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.com/a.mp3",
        "gopher://example.com/",
        "data:audio/mpeg;base64,AAAA",
        "javascript:alert(1)",
        "example.com/a.mp3",
        "//example.com/a.mp3",
        "",
        "https://",
        "https:///a.mp3",
        "https://:443/a.mp3",
        "https://user@example.com/",
        "https://user:secret@example.com/",
        "https://@example.com/",
        "https://example.com\\@10.0.0.1/",
        "https://example.com/\n",
        "https://exam\tple.com/",
        "https://example.com/\x00",
        "https://example.com/\u202e3pm",
        "https://example.com/\ud800",
        "https://exa mple.com/",
        "https://exa%6dple.com/",
        "https://a..b/",
        "https://.example.com/",
        "https://example.com:0/",
        "https://example.com:70000/",
        "https://example.com:port/",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://[2606:4700::1%25lo]/",
        "https://1.2.3.4.5/",
        "https://0xzz.1/",
        "https://256.256.256.256/",
        "https://example.com/" + "a" * 5_000,
        "https://" + "a" * 64 + ".com/",
        "https://x\u200b\u2028y.com/",
    ],
)
def test_what_is_no_address_of_the_web_is_refused_and_nobody_is_asked(url: str) -> None:
    net = Net()

    assert code_of(net.outward(), url) == "url_refused"
    assert (net.asked, net.reached) == ([], [])


def test_a_password_is_not_repeated() -> None:
    with pytest.raises(OptionError) as raised:
        read_target("https://ada:hunter2@example.com/?token=s3cr3t")

    assert "hunter2" not in raised.value.message
    assert "s3cr3t" not in raised.value.message
    assert raised.value.field == "url"


PRIVATE = [
    "127.0.0.1",
    "127.255.255.255",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "0.1.2.3",
    "192.0.0.8",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::808:808",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2001::1",
    "2001:db8::1",
    "3fff::1",
    "100::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "4000::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_not_reached(address: str) -> None:
    net = Net({"pod.example": [[address]]})
    written = f"[{address}]" if ":" in address else address

    assert code_of(net.outward(), "https://pod.example/a.mp3") == "source_forbidden"
    assert code_of(net.outward(), f"https://{written}/a.mp3") == "source_forbidden"
    with pytest.raises(OptionError, match="no public address"):
        net.outward().check(f"https://{written}/a.mp3")
    assert net.reached == []


@pytest.mark.parametrize(
    "host",
    [
        "0x7f000001",
        "2130706433",
        "017700000001",
        "127.1",
        "127.0.1",
        "0177.0.0.1",
        "0x7f.1",
        "127.0.0.1.",
        "127。0。0。1",
        "１２７.0.0.1",
        "0",
        "0xa9fea9fe",
        "localhost",
        "LOCALHOST.",
        "pod.localhost",
    ],
)
def test_a_spelling_of_an_address_is_refused_as_what_it_means(host: str) -> None:
    net = Net({host.lower(): [["93.184.215.14"]]})

    assert code_of(net.outward(), f"http://{host}/a.mp3") == "source_forbidden"
    assert (net.asked, net.reached) == ([], [])


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "93.184.215.14", "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"],
)
def test_a_public_address_may_be_asked(address: str) -> None:
    assert is_public(ip_address(address))


def test_networks_that_the_operator_named_may_be_asked_and_no_other() -> None:
    net = Net({"in.example": [["10.1.2.3"]], "out.example": [["10.2.0.1"]], "six.example": [["64:ff9b::a01:203"]]})
    outward = net.outward(let_in=networks("10.1.0.0/16, fd00::/8"))

    assert code_of(outward, "http://in.example/") == "source_unreachable"
    assert code_of(outward, "http://[::ffff:10.1.2.3]/") == "source_unreachable"
    assert net.reached == [("10.1.2.3", 80), ("::ffff:a01:203", 80)]
    assert code_of(outward, "http://out.example/") == "source_forbidden"
    assert code_of(outward, "http://six.example/") == "source_forbidden"
    assert len(net.reached) == 2


def test_one_forbidden_address_among_good_ones_is_enough() -> None:
    for addresses in (["93.184.215.14", "10.0.0.1"], ["10.0.0.1", "93.184.215.14"]):
        net = Net({"pod.example": [addresses]})

        assert code_of(net.outward(), "https://pod.example/") == "source_forbidden"
        assert net.reached == []


def test_a_name_that_means_another_address_a_moment_later_is_reached_where_it_was_checked() -> None:
    with site(lambda visit: visit.answer(200, b"sound")) as public:
        net = Net({"pod.example": [["93.184.215.14"], ["127.0.0.1"]]}, port=public.port)

        assert fetched(net.outward(), "http://pod.example/a.mp3") == b"sound"

        assert net.asked == ["pod.example"]
        assert net.reached == [("93.184.215.14", 80)]
        assert code_of(net.outward(), "http://pod.example/a.mp3") == "source_forbidden"
        assert (len(net.reached), public.connections) == (1, 1)


def test_the_next_address_is_tried_where_one_does_not_answer() -> None:
    with site(lambda visit: visit.answer(200, b"sound")) as public:
        net = Net({"pod.example": [["93.184.215.14", "93.184.215.15"]]})

        def connect(address: str, port: int, seconds: float) -> httpcore.NetworkStream:
            net.port = public.port if address.endswith("15") else None
            return net.connect(address, port, seconds)

        assert fetched(net.outward(connect=connect), "http://pod.example/") == b"sound"


def test_a_name_without_an_address_may_be_tried_again() -> None:
    with pytest.raises(TransientError, match=r"nowhere\.example") as raised:
        fetched(Net({"empty.example": [[]]}).outward(), "https://nowhere.example/")
    assert raised.value.code == "source_unreachable"
    assert code_of(Net({"empty.example": [[]]}).outward(), "https://empty.example/") == "source_unreachable"


def test_plain_http_goes_only_where_it_may() -> None:
    net = Net({"pod.example": [["93.184.215.14"]], "in.example": [["10.1.2.3"]]})
    let_in = networks("10.0.0.0/8")
    within = net.outward(plain_http=PlainHttp.OUTWARD_NETWORKS, let_in=let_in)

    assert code_of(net.outward(plain_http=PlainHttp.NOWHERE, let_in=let_in), "http://in.example/") == "url_refused"
    assert code_of(within, "http://pod.example/") == "url_refused"
    assert code_of(within, "http://8.8.8.8/") == "url_refused"
    assert net.reached == []
    assert code_of(within, "https://pod.example/") == "source_unreachable"
    assert code_of(within, "http://in.example/") == "source_unreachable"


# ---------------------------------------------------------------- what is asked


def test_a_request_says_who_asks_and_nothing_that_was_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    with site(lambda visit: visit.answer(200, b"", Set_Cookie="a=b")) as there:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        outward = on_loopback()

        for _ in range(2):
            fetched(outward, there.url("/über/a b.mp3?x=ä&y=%20#t=3"))

        for visit in there.visits:
            assert visit.line == "GET /%C3%BCber/a%20b.mp3?x=%C3%A4&y=%20 HTTP/1.1"
            assert visit.headers == {
                "host": f"127.0.0.1:{there.port}",
                "user-agent": "Stenocast/9",
                "accept": "*/*",
                "accept-encoding": "identity",
            }


def test_a_body_and_headers_are_sent() -> None:
    with (
        site(lambda visit: visit.answer(204)) as there,
        on_loopback().request(
            "POST", there.url(), headers={"Content-Type": "application/json"}, content=b"{}", most_bytes=0
        ) as answer,
    ):
        assert answer.status == 204
        assert there.visits[0].body == b"{}"
        assert there.visits[0].headers["content-type"] == "application/json"


def test_the_host_of_the_url_is_named_although_the_address_is_connected_to() -> None:
    with site(lambda visit: visit.answer(200)) as there:
        net = Net({"xn--bcher-kva.example": [["93.184.215.14"]]}, port=there.port)
        fetched(net.outward(), "http://Bücher.example:8000/")
        fetched(net.outward(), "http://[2606:4700::1]/")

        assert [each.headers["host"] for each in there.visits] == ["xn--bcher-kva.example:8000", "[2606:4700::1]"]


def test_tls_checks_the_name_in_the_url(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path, "pod.example")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    trusting = ssl.create_default_context(cafile=str(cert))

    with site(lambda visit: visit.answer(200, b"sound"), tls=server) as there:
        net = Net({"pod.example": [["93.184.215.14"]], "other.example": [["93.184.215.14"]]}, port=there.port)

        assert fetched(net.outward(ssl_context=trusting), "https://pod.example/") == b"sound"
        assert net.reached == [("93.184.215.14", 443)]
        assert code_of(net.outward(ssl_context=trusting), "https://other.example/") == "source_unreachable"
        assert code_of(net.outward(ssl_context=None), "https://pod.example/") == "source_unreachable"
        assert len(there.visits) == 1


# ---------------------------------------------------------------- redirects


def test_a_redirect_is_an_answer_where_nobody_wants_to_be_led_on() -> None:
    with (
        site(lambda visit: visit.answer(302, Location="/b")) as there,
        on_loopback().request("GET", there.url(), most_bytes=0) as answer,
    ):
        assert (answer.status, answer.headers["location"]) == (302, "/b")


def hops(visit: Visit) -> None:
    left = int(visit.path.removeprefix("/"))
    visit.answer(302, Location=f"/{left - 1}") if left else visit.answer(200, b"sound")


def test_three_redirects_are_followed_and_no_fourth() -> None:
    with site(hops) as there:
        with on_loopback().request("GET", there.url("/3"), most_bytes=10, most_redirects=3) as answer:
            assert answer.read() == b"sound"
            assert answer.target.url == there.url("/0")
        assert there.connections == 4

        assert code_of(on_loopback(), there.url("/4"), most_redirects=3) == "source_forbidden"
        assert there.connections == 8


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("http://10.0.0.1/", "source_forbidden"),
        ("http://169.254.169.254/latest/meta-data/", "source_forbidden"),
        ("//0x7f000001/", "source_forbidden"),
        ("http://inside.example/", "source_forbidden"),
        ("file:///etc/passwd", "url_refused"),
        ("http://user@pod.example/", "url_refused"),
        ("http://[/", "url_refused"),
    ],
)
def test_each_place_that_a_redirect_leads_to_is_checked(location: str, code: str) -> None:
    with site(lambda visit: visit.answer(302, Location=location)) as there:
        net = Net({"pod.example": [["93.184.215.14"]], "inside.example": [["10.0.0.1"]]}, port=there.port)

        assert code_of(net.outward(), "http://pod.example/", most_redirects=3) == code
        assert net.reached == [("93.184.215.14", 80)]


def test_nothing_leads_from_https_to_http(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path, "pod.example")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)

    with site(lambda visit: visit.answer(301, Location="http://pod.example/"), tls=server) as there:
        net = Net({"pod.example": [["93.184.215.14"]]}, port=there.port)
        outward = net.outward(ssl_context=ssl.create_default_context(cafile=str(cert)))

        assert code_of(outward, "https://pod.example/", most_redirects=3) == "source_forbidden"
        assert there.connections == 1


# ---------------------------------------------------------------- answers that have no end


def test_a_body_that_is_announced_as_too_large_is_not_read() -> None:
    with site(lambda visit: visit.answer(200, Content_Length="1001")) as there:
        with pytest.raises(InputError, match="1001 bytes; the limit is 1000") as raised:
            fetched(on_loopback(), there.url())
        assert raised.value.code == "source_too_large"


def endless(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\n\r\n")
    while not visit.gone.is_set():
        visit.send(b"x" * 10_000)


def test_an_endless_body_ends_at_the_limit() -> None:
    received: list[int] = []
    with (
        site(endless) as there,
        on_loopback().request("GET", there.url(), most_bytes=50_000) as answer,
        pytest.raises(InputError) as raised,
    ):
        received.extend(map(len, answer.chunks()))
    assert raised.value.code == "source_too_large"
    assert sum(received) <= 50_000


def test_a_compressed_answer_is_refused() -> None:
    bomb = gzip.compress(bytes(1_000_000))
    with site(lambda visit: visit.answer(200, bomb, Content_Encoding="gzip")) as there:
        assert code_of(on_loopback(), there.url(), most_bytes=10_000_000) == "source_too_large"


def test_fewer_bytes_than_were_announced_are_no_answer() -> None:
    with site(lambda visit: visit.answer(200, b"half", Content_Length="8")) as there:
        assert code_of(on_loopback(), there.url()) == "source_unreachable"


def drip(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while not visit.gone.wait(0.05):
        visit.send(b"x")


def drip_head(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\nX: ")
    while not visit.gone.wait(0.05):
        visit.send(b"x")


def drip_redirects(visit: Visit) -> None:
    visit.gone.wait(0.15)
    visit.answer(302, Location="/")


@pytest.mark.parametrize("script", [drip, drip_head, drip_redirects])
def test_an_answer_that_trickles_ends_at_the_deadline(script: object) -> None:
    with site(script) as there:  # type: ignore[arg-type]
        began = time.monotonic()
        outward = on_loopback(read_seconds=5.0, total_seconds=0.4)

        assert code_of(outward, there.url(), most_redirects=100) == "source_timeout"
        assert 0.3 < time.monotonic() - began < 2.0


def test_silence_ends_before_the_deadline() -> None:
    with site(lambda visit: visit.gone.wait(10.0)) as there:  # type: ignore[arg-type,return-value]
        began = time.monotonic()

        assert code_of(on_loopback(read_seconds=0.2), there.url()) == "source_timeout"
        assert time.monotonic() - began < 2.0


def test_what_talks_no_http_is_no_answer() -> None:
    with site(lambda visit: visit.send(b"SSH-2.0-OpenSSH\r\n")) as there:
        assert code_of(on_loopback(), there.url()) == "source_unreachable"
