"""Recordings behind links: downloaded within the limits, gone on with where a connection breaks."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from adapters.outward import Answer, Outward
from schemas.errors import InputError, NotFound, TransientError
from transcription.links import shown_name

Report = Callable[[int, int | None], None]


#: A download that brings fewer bytes than this in `SLOW_SECONDS` is given up: it holds up a worker. Chosen: a talk of
#: poor quality (32 kbit/s) plays at 4,000 bytes a second, and no server of recordings is slower than it plays.
SLOWEST_BYTES_A_SECOND = 4_000
SLOW_SECONDS = 60.0

#: Between two connections for one download. Chosen: a server that restarts wants a moment, a worker's time is dear.
PAUSE_SECONDS = 1.0

#: Answers after which another try may help: the server's own troubles, and that it was asked too early or too often.
BUSY = frozenset({408, 425, 429})

_ENCODED_NAME = re.compile(r"filename\*\s*=\s*(utf-8|iso-8859-1)'[^']*'([^;\s]+)", re.IGNORECASE)
_PLAIN_NAME = re.compile(r'filename\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^;\s"]+))', re.IGNORECASE)


@dataclass(slots=True)
class _Download:
    """What is here of a recording, and what it takes to go on with it."""

    since: float  #: by the clock: from when on bytes are counted
    received: int = 0  #: since then, in however many connections
    have: int = 0
    total: int | None = None
    validator: str | None = None  #: a strong ETag: the rest may be asked for, of these very bytes
    name: str | None = None


class LinkSource:
    """`Links` over the checked client. `max_bytes` is for one recording."""

    def __init__(
        self,
        outward: Outward,
        *,
        max_bytes: int,
        slow_seconds: float = SLOW_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        timeout_seconds: float = 3_600.0,
        most_redirects: int = 3,
    ) -> None:
        self._outward = outward
        self._max_bytes = max_bytes
        self._slow_seconds = slow_seconds
        self._timeout_seconds = timeout_seconds
        self._most_redirects = most_redirects
        self._clock = clock
        self._sleep = sleep

    def fetch(self, url: str, path: Path, *, report: Report) -> str | None:
        download = _Download(since=self._clock())
        deadline = self._clock() + self._timeout_seconds
        while True:
            before = download.have
            try:
                self._go_on(url, path, download, report)
            except TransientError as error:
                if error.code != "source_unreachable" or download.have <= before or self._clock() > deadline:
                    raise  # the job's next attempt may find it better
            else:
                return download.name
            self._sleep(PAUSE_SECONDS)

    def _go_on(self, url: str, path: Path, download: _Download, report: Report) -> None:
        """One connection: from the start, or from where the last one ended. Raises what `fetch` does."""
        headers = {}
        if download.have and download.validator:
            headers = {"Range": f"bytes={download.have}-", "If-Range": download.validator}
        with self._outward.request(
            "GET", url, headers=headers, most_bytes=self._max_bytes, most_redirects=self._most_redirects
        ) as answer:
            _require_content(answer)
            if not _goes_on(answer, download):
                _begin(answer, download)
            download.name = announced_name(answer.headers.get("content-disposition")) or download.name
            report(download.have, download.total)
            with path.open("r+b" if download.have else "wb") as file:
                file.seek(download.have)
                self._save(answer, file.write, download, report)

    def _save(self, answer: Answer, write: Callable[[bytes], int], download: _Download, report: Report) -> None:
        for chunk in answer.chunks():
            if download.have + len(chunk) > self._max_bytes:
                raise InputError(
                    f"{answer.target.shown}: sends more than the limit of {self._max_bytes} bytes",
                    code="source_too_large",
                )
            write(chunk)
            download.have += len(chunk)
            download.received += len(chunk)
            report(download.have, download.total)
            self._check_pace(answer, download)

    def _check_pace(self, answer: Answer, download: _Download) -> None:
        passed = self._clock() - download.since
        if passed < self._slow_seconds:
            return
        if download.received < SLOWEST_BYTES_A_SECOND * passed:
            raise TransientError(
                f"{answer.target.shown}: too slow: {download.received} bytes in {passed:.0f} s", code="source_timeout"
            )
        download.received, download.since = 0, self._clock()


def _require_content(answer: Answer) -> None:
    shown, status = answer.target.shown, answer.status
    if 200 <= status < 300:
        return
    if status in (404, 410):
        raise NotFound(f"{shown}: there is nothing there ({status})", code="source_not_found", field="url")
    if status >= 500 or status in BUSY:
        raise TransientError(f"{shown}: the server answers {status}", code="source_unreachable")
    raise InputError(f"{shown}: the server does not give it to us ({status})", code="source_denied", field="url")


def _goes_on(answer: Answer, download: _Download) -> bool:
    """Whether this is the rest of what is here: the same bytes, from where they end."""
    if answer.status != 206:
        return False
    start = answer.headers.get("content-range", "").removeprefix("bytes ").partition("-")[0].strip()
    if start != str(download.have) or _strong_tag(answer) not in (None, download.validator):
        raise TransientError(
            f"{answer.target.shown}: asked for the rest, and got another part", code="source_unreachable"
        )
    return True


def _begin(answer: Answer, download: _Download) -> None:
    download.have = 0
    download.total = answer.announced_bytes
    download.validator = _strong_tag(answer)


def _strong_tag(answer: Answer) -> str | None:
    tag = answer.headers.get("etag", "")
    return tag if tag.startswith('"') and tag.endswith('"') and len(tag) > 2 and tag.isascii() else None


def announced_name(content_disposition: str | None) -> str | None:
    """The file name in a Content-Disposition header (RFC 6266), for display only; None without one."""
    told = content_disposition or ""
    encoded = _ENCODED_NAME.search(told)
    if encoded:
        charset = "latin-1" if encoded[1].lower() == "iso-8859-1" else "utf-8"
        return shown_name(unquote(encoded[2], charset, "replace"))
    plain = _PLAIN_NAME.search(told)
    if plain is None:
        return None
    return shown_name(plain[2] if plain[1] is None else re.sub(r"\\(.)", r"\1", plain[1]))
