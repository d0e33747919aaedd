"""Recordings behind links: what comes of servers that lie, stall, break off or never end."""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.links import LinkSource, announced_name
from adapters.outward import Outward, PlainHttp, networks
from schemas.errors import NotFound, StenocastError, TransientError
from tests.sites import Visit, site

SOUND = bytes(range(256)) * 400  # 102,400 bytes


def links(*, max_bytes: int = 200_000, **how: object) -> LinkSource:
    """Downloads from this machine, with pauses that take no time."""
    outward = Outward(
        user_agent="Stenocast/9",
        let_in=networks("127.0.0.0/8"),
        plain_http=PlainHttp.ANYWHERE,
        read_seconds=float(str(how.pop("read_seconds", 5.0))),
        total_seconds=float(str(how.pop("total_seconds", 20.0))),
    )
    return LinkSource(outward, max_bytes=max_bytes, sleep=lambda _seconds: None, **how)  # type: ignore[arg-type]


def fetch(source: LinkSource, url: str, path: Path) -> tuple[str | None, list[tuple[int, int | None]]]:
    told: list[tuple[int, int | None]] = []
    name = source.fetch(url, path, report=lambda done, total: told.append((done, total)))
    return name, told


def test_a_recording_is_downloaded_and_its_progress_told(tmp_path: Path) -> None:
    disposition = "attachment; filename=\"../../x.mp3\"; filename*=UTF-8''..%2F%C3%9Cber%20uns.mp3"
    with site(lambda visit: visit.answer(200, SOUND, Content_Disposition=disposition)) as there:
        name, told = fetch(links(), there.url("/a.mp3"), tmp_path / "audio")

    assert (tmp_path / "audio").read_bytes() == SOUND
    assert name == "Über uns.mp3"
    assert told[0] == (0, len(SOUND))
    assert told[-1] == (len(SOUND), len(SOUND))


def test_an_earlier_file_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "audio").write_bytes(b"x" * 999)
    with site(lambda visit: visit.answer(200, b"sound")) as there:
        assert fetch(links(), there.url(), tmp_path / "audio")[0] is None

    assert (tmp_path / "audio").read_bytes() == b"sound"


def broken_at(*ends: int, tag: str = '"v1"') -> Callable[[Visit], None]:
    """A server that understands ranges and breaks off at each of these places once."""
    cuts = itertools.chain(ends, itertools.repeat(len(SOUND)))

    def script(visit: Visit) -> None:
        wanted, until = visit.headers.get("range"), next(cuts)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and visit.headers["if-range"] == tag else 0
        more = f"Content-Range: bytes {start}-{len(SOUND) - 1}/{len(SOUND)}\r\n" if start else ""
        status = "206 Partial" if start else "200 OK"
        head = f"HTTP/1.1 {status}\r\nETag: {tag}\r\nContent-Length: {len(SOUND) - start}\r\n{more}\r\n"
        visit.send(head.encode() + SOUND[start:until])

    return script


def test_a_download_that_breaks_off_is_gone_on_with(tmp_path: Path) -> None:
    with site(broken_at(30_000, 70_000)) as there:
        fetch(links(), there.url(), tmp_path / "audio")

        assert [each.headers.get("range") for each in there.visits] == [None, "bytes=30000-", "bytes=70000-"]
    assert (tmp_path / "audio").read_bytes() == SOUND


def test_without_a_strong_tag_a_broken_download_is_left_to_the_next_attempt(tmp_path: Path) -> None:
    with site(broken_at(30_000, 30_000, tag='W/"v1"')) as there:
        with pytest.raises(TransientError) as raised:
            fetch(links(), there.url(), tmp_path / "audio")

        assert raised.value.code == "source_unreachable"
        assert [each.headers.get("range") for each in there.visits] == [None, None]


def test_other_bytes_by_now_are_downloaded_from_their_start(tmp_path: Path) -> None:
    visits = itertools.count()

    def script(visit: Visit) -> None:
        if next(visits) == 0:
            visit.answer(200, b"old " * 10, ETag='"v1"', Content_Length="999")
        else:
            visit.answer(200, b"new", ETag='"v2"')

    with site(script) as there:
        fetch(links(), there.url(), tmp_path / "audio")

    assert (tmp_path / "audio").read_bytes() == b"new"


@pytest.mark.parametrize("lie", [{"Content_Range": "bytes 7-99/100"}, {"ETag": '"v2"'}])
def test_a_part_that_does_not_fit_is_no_part(tmp_path: Path, lie: dict[str, str]) -> None:
    visits = itertools.count()

    def script(visit: Visit) -> None:
        if next(visits) == 0:
            visit.answer(200, b"x" * 40, ETag='"v1"', Content_Length="100")
        else:
            visit.answer(206, b"y" * 60, **({"ETag": '"v1"', "Content_Range": "bytes 40-99/100"} | lie))

    with site(script) as there, pytest.raises(TransientError):
        fetch(links(), there.url(), tmp_path / "audio")


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        (404, "source_not_found", False),
        (410, "source_not_found", False),
        (401, "source_denied", False),
        (403, "source_denied", False),
        (451, "source_denied", False),
        (304, "source_denied", False),
        (429, "source_unreachable", True),
        (408, "source_unreachable", True),
        (500, "source_unreachable", True),
        (503, "source_unreachable", True),
    ],
)
def test_an_answer_without_a_recording_says_whether_to_try_again(
    tmp_path: Path, status: int, code: str, retryable: bool
) -> None:
    with site(lambda visit: visit.answer(status, b"<html>")) as there:
        with pytest.raises(StenocastError) as raised:
            fetch(links(), there.url("/a.mp3?token=s3cr3t"), tmp_path / "audio")

        assert (raised.value.code, raised.value.retryable) == (code, retryable)
        assert isinstance(raised.value, NotFound) == (code == "source_not_found")
        assert "s3cr3t" not in raised.value.message
        assert there.connections == 1
    assert not (tmp_path / "audio").exists()


def endless(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\n\r\n")
    while not visit.gone.is_set():
        visit.send(b"x" * 10_000)


def lying(visit: Visit) -> None:
    """Two parts that are small, and too large together."""
    if "range" in visit.headers:
        visit.answer(206, b"y" * 900, ETag='"v"', Content_Range="bytes 500-999/1000")
    else:
        visit.answer(200, b"x" * 500, ETag='"v"', Content_Length="1000")


def bomb(visit: Visit) -> None:
    visit.answer(200, gzip.compress(bytes(1_000_000)), Content_Encoding="gzip")


@pytest.mark.parametrize("script", [endless, lying, bomb, lambda visit: visit.answer(200, Content_Length="1001")])
def test_no_more_than_the_limit_lies_on_the_disk(tmp_path: Path, script: Callable[[Visit], None]) -> None:
    with site(script) as there:
        with pytest.raises(StenocastError) as raised:
            fetch(links(max_bytes=1_000), there.url(), tmp_path / "audio")

        assert raised.value.code == "source_too_large"
    path = tmp_path / "audio"
    assert not path.exists() or path.stat().st_size <= 1_000


def trickle(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while not visit.gone.wait(0.05):
        visit.send(b"x")


def trickle_and_break(visit: Visit) -> None:
    start = visit.headers.get("range", "bytes=0-").removeprefix("bytes=").rstrip("-")
    visit.gone.wait(0.05)
    visit.answer(
        206 if int(start) else 200,
        b"x",
        ETag='"v"',
        Content_Length=str(1000 - int(start)),
        Content_Range=f"bytes {start}-999/1000",
    )


@pytest.mark.parametrize("script", [trickle, trickle_and_break])
def test_a_download_that_brings_next_to_nothing_is_given_up(tmp_path: Path, script: Callable[[Visit], None]) -> None:
    with site(script) as there, pytest.raises(TransientError, match="too slow") as raised:
        fetch(links(slow_seconds=0.5), there.url(), tmp_path / "audio")

    assert raised.value.code == "source_timeout"


def test_a_download_ends_at_its_deadline(tmp_path: Path) -> None:
    with site(trickle) as there, pytest.raises(TransientError) as raised:
        fetch(links(total_seconds=0.5), there.url(), tmp_path / "audio")

    assert raised.value.code == "source_timeout"


def test_a_report_may_stop_the_download(tmp_path: Path) -> None:
    class Left(Exception):
        pass

    def leave(done: int, _total: int | None) -> None:
        if done:
            raise Left

    with site(endless) as there, pytest.raises(Left):
        links().fetch(there.url(), tmp_path / "audio", report=leave)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (None, None),
        ("", None),
        ("inline", None),
        ("attachment; filename=a.mp3", "a.mp3"),
        ('attachment; filename=""', "audio"),
        ("attachment; FileName = a.mp3 ; x=y", "a.mp3"),
        (r'attachment; filename="a \"b\".mp3"', 'a "b".mp3'),
        ('attachment; filename="C:\\\\x\\\\b.mp3"', "b.mp3"),
        ('attachment; filename="/etc/passwd"', "passwd"),
        ("attachment; filename*=UTF-8''%E2%80%AE3pm.mp3", "3pm.mp3"),
        ("attachment; filename*=nonsense''%FF.mp3", None),
        ("attachment; filename*=UTF-8''%FF.mp3", "\N{REPLACEMENT CHARACTER}.mp3"),
    ],
)
def test_the_name_in_a_header_is_for_display_only(header: str | None, name: str | None) -> None:
    assert announced_name(header) == name


def test_a_link_leads_elsewhere_as_often_as_it_may(tmp_path: Path) -> None:
    def on(visit: Visit) -> None:
        step = int(visit.path.strip("/"))
        if step == 4:
            visit.answer(200, SOUND)
        else:
            visit.answer(302, b"", Location=f"/{step + 1}")

    with site(on) as there:
        with pytest.raises(StenocastError) as refused:
            fetch(links(), there.url("/0"), tmp_path / "audio")
        fetch(links(most_redirects=4), there.url("/0"), tmp_path / "audio")

    assert refused.value.code == "source_forbidden"
    assert (tmp_path / "audio").read_bytes() == SOUND


@pytest.mark.parametrize(
    ("followed", "led"), [(0, "leads on elsewhere"), (1, "after 1 redirect;"), (2, "2 redirects;")]
)
def test_a_link_that_leads_on_too_often_names_the_setting_that_says_how_often(
    tmp_path: Path, followed: int, led: str
) -> None:
    with site(lambda visit: visit.answer(302, Location="/on")) as there, pytest.raises(StenocastError) as refused:
        fetch(links(most_redirects=followed), there.url("/0"), tmp_path / "audio")

    assert refused.value.code == "source_forbidden"
    assert led in refused.value.message
    assert f"STENOCAST_LINK_REDIRECTS={followed}" in refused.value.message
    assert len(there.visits) == followed + 1
