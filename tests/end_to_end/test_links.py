"""Links of recordings through real processes with scripted engines: in by HTTP or command line, out as a transcript.

The servers behind the links are on this machine, in a network that the service is allowed; what it is not allowed, a
trap on another of its addresses, must never be connected to.
"""

from __future__ import annotations

import gzip
import json
import os
import signal
import sqlite3
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.end_to_end.installation import files_under, until
from tests.end_to_end.test_deletion import left_of
from tests.sites import Site, Visit, certificate, site

DEMO = Path(__file__).resolve().parent.parent.parent / "examples" / "demo"
SOUND = (DEMO / "episode.mp3").read_bytes()[:300_000]

pytestmark = pytest.mark.processes

SETTINGS: dict[str, object] = {
    "models": "scripted",
    "allow_scripted": 1,
    "lease_seconds": 2,
    "heartbeat_seconds": 0.3,
    "back_off_seconds": 0.05,
    "outward_networks": "127.0.0.0/8",
    "link_timeout_seconds": 3,
    "max_upload_bytes": 400_000,
}


def server(visit: Visit) -> None:
    """Recordings, and everything that is none."""
    path = visit.path.partition("?")[0]
    match path.strip("/").split("/"):
        case ["hop", left]:
            visit.answer(302, Location=f"/hop/{int(left) - 1}" if int(left) else "/talk.mp3")
        case ["to", *there]:
            visit.answer(302, Location=unquote("/".join(there)))
        case ["status", number]:
            visit.answer(int(number), b"no")
        case ["page.mp3"]:
            visit.answer(200, b"<!doctype html><title>Player</title>", Content_Type="audio/mpeg")
        case ["short.mp3"]:
            visit.answer(200, SOUND[:1000], Content_Length="300000")
        case ["huge.mp3"]:
            visit.answer(200, Content_Length="400001")
        case ["endless.mp3"]:
            visit.send(b"HTTP/1.1 200 OK\r\n\r\n")
            while not visit.gone.is_set():
                visit.send(SOUND[:10_000])
        case ["trickle.mp3"]:
            visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n")
            while not visit.gone.wait(1.0):
                visit.send(b"x")
        case ["bomb.mp3"]:
            visit.answer(200, gzip.compress(bytes(10_000_000)), Content_Encoding="gzip")
        case _:
            visit.answer(200, SOUND, ETag='"v1"', Content_Disposition='attachment; filename="../Ebb & Flow.mp3"')


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Site, Site]]:
    """A server, the same behind TLS, and a trap that nobody is to connect to."""
    with ExitStack() as stack:
        cert, key = certificate(tmp_path_factory.mktemp("tls"), "localhost", "127.0.0.1")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        yield (
            stack.enter_context(site(server)),
            stack.enter_context(site(server, tls=context)),
            stack.enter_context(site(server, host="::1")),
        )


@pytest.fixture(scope="module")
def service(sites: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from tests.end_to_end.conftest import services_in

    folder = tmp_path_factory.mktemp("service")
    with services_in(folder) as serve:
        yield serve(**SETTINGS)


def post(service: Any, url: str, **fields: Any) -> Any:
    with service.client() as client:
        return client.post("/v1/episodes", json={"url": url, **fields})


def test_a_link_goes_in_and_a_transcript_comes_out(service: Any, sites: tuple[Site, Site, Site]) -> None:
    there = sites[0]
    earlier = len(there.visits)
    answer = post(service, there.url("/talk.mp3?signature=s3cr3t"), title="Ebb")
    assert answer.status_code == 202, answer.text

    job = service.wait_for(answer.json()["id"])

    assert job["state"] == "done", job
    with service.client() as client:
        document = client.get(f"/v1/transcripts/{job['episode_id']}").json()
        assert document["episode"]["audio"]["file_name"] == "Ebb & Flow.mp3"
        assert document["episode"]["title"] == "Ebb"
        played = client.get(f"/v1/episodes/{job['episode_id']}/audio")
        assert (played.status_code, played.content == SOUND) == (200, True)
        assert played.headers["content-type"] == "audio/mpeg"
        known = post(service, there.url("/talk.mp3?signature=s3cr3t"), title="Ebb")
        assert (known.status_code, known.json()["id"]) == (200, job["id"])
        assert len(there.visits) == earlier + 1
        shown = json.dumps([job, document, client.get("/v1/jobs").json()])
        assert "s3cr3t" not in shown

        assert client.delete(f"/v1/episodes/{job['episode_id']}").status_code == 204
    assert [key for key in left_of(service) if key.startswith("uploads/")] == []
    with sqlite3.connect(service.data / "ledger.sqlite3") as ledger:
        assert "s3cr3t" not in "\n".join(ledger.iterdump())


def test_the_command_line_takes_links(service: Any, sites: tuple[Site, Site, Site], tmp_path: Path) -> None:
    there = sites[0]
    submitted = service.command("submit", there.url("/by-command.mp3"), "--title", "By command")
    assert submitted.returncode == 0, submitted.stderr
    job = service.wait_for(submitted.stdout.strip())
    assert (job["state"], job["title"]) == ("done", "By command")

    done = service.command("transcribe", there.url("/here.mp3"), "--models", "scripted", "-o", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert "Fetching the audio 100%" in done.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "Ebb _ Flow.transcript.json",
        "Ebb _ Flow.name-line.txt",
    }

    refused = service.command("submit", "http://10.0.0.1/a.mp3")
    assert (refused.returncode, "source_forbidden" in refused.stderr) == (2, True)
    missing = service.command("transcribe", there.url("/status/404"), "--models", "scripted")
    assert (missing.returncode, "source_not_found" in missing.stderr) == (1, True)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/hop/3", "source_forbidden"),  # and the hop to the recording is the fourth
        ("/to/http://10.0.0.1/a.mp3", "source_forbidden"),
        ("/to/http://169.254.169.254/latest", "source_forbidden"),
        ("/to/http://0x0a000001/a.mp3", "source_forbidden"),
        ("/to/TRAP", "source_forbidden"),
        ("/to/file:///etc/passwd", "url_refused"),
        ("/status/404", "source_not_found"),
        ("/status/410", "source_not_found"),
        ("/status/401", "source_denied"),
        ("/status/403", "source_denied"),
        ("/status/503", "source_unreachable"),
        ("/status/429", "source_unreachable"),
        ("/page.mp3", "unsupported_container"),
        ("/short.mp3", "source_unreachable"),
        ("/huge.mp3", "source_too_large"),
        ("/endless.mp3", "source_too_large"),
        ("/bomb.mp3", "source_too_large"),
        ("/trickle.mp3", "source_timeout"),
    ],
)
def test_what_is_behind_a_link_fails_the_job_and_nothing_else(
    service: Any, sites: tuple[Site, Site, Site], path: str, code: str
) -> None:
    there, _, trap = sites
    answer = post(service, there.url(path.replace("TRAP", trap.url("/a.mp3"))), title=path)
    assert answer.status_code == 202

    job = service.wait_for(answer.json()["id"])

    retried = code in ("source_unreachable", "source_timeout")
    assert (job["state"], job["error"]["code"], job["attempts"]) == ("failed", code, 5 if retried else 1)
    assert job["crashes"] == 0
    assert trap.connections == 0
    assert [path for path in files_under(service.data / "scratch") if path.name == "audio"] == []


def test_three_redirects_lead_to_the_recording(service: Any, sites: tuple[Site, Site, Site]) -> None:
    assert service.wait_for(post(service, sites[0].url("/hop/2")).json()["id"])["state"] == "done"


@pytest.mark.parametrize("host", ["[::1]", "[::ffff:10.0.0.1]", "10.0.0.1", "0xa000001", "167772161", "0.0.0.0"])
def test_a_private_address_is_refused_before_there_is_a_job(
    service: Any, sites: tuple[Site, Site, Site], host: str
) -> None:
    trap = sites[2]
    answer = post(service, f"http://{host}:{trap.port}/a.mp3")

    assert (answer.status_code, answer.json()["code"]) == (422, "source_forbidden")
    assert trap.connections == 0


def test_a_certificate_that_nobody_vouches_for_is_not_believed(service: Any, sites: tuple[Site, Site, Site]) -> None:
    job = service.wait_for(post(service, sites[1].url("/talk.mp3")).json()["id"])

    assert job["error"]["code"] == "source_unreachable"
    assert sites[1].visits == []


def test_a_worker_killed_in_the_download_costs_another_one(serve: Callable[..., Any]) -> None:
    """And a job that is done does not ask again, whoever asks for it to be done again."""

    def script(visit: Visit) -> None:
        visit.send(f'HTTP/1.1 200 OK\r\nETag: "v"\r\nContent-Length: {len(SOUND)}\r\n\r\n'.encode())
        for sent in range(0, 300_000, 10_000):
            visit.send(SOUND[sent : sent + 10_000])
            if len(there.visits) == 1:
                visit.gone.wait(2.0)

    with site(script) as there:
        api = serve(command="api", **SETTINGS | {"link_timeout_seconds": 100})
        job = post(api, there.url("/talk.mp3")).json()
        with worker_of(api) as victim:
            done, total = until(lambda: bytes_of(api, job["id"]), "the download is on its way")
            assert (0 < done < total, total) == (True, len(SOUND))
            victim.send_signal(signal.SIGKILL)
            victim.wait()
        with worker_of(api):
            job = api.wait_for(job["id"])

        assert (job["state"], job["crashes"]) == ("done", 1)
        assert len(there.visits) == 2
        assert len([key for key in left_of(api) if key.startswith("uploads/")]) == 1


@pytest.mark.parametrize(
    ("order", "copies"), [("worker:before_copy", 1), ("worker:after_copy", 2), ("after_copy", 2)]
)
def test_a_worker_killed_over_the_copy_of_a_link_s_recording_leaves_no_other_copy_for_ever(
    serve: Callable[..., Any], tmp_path: Path, order: str, copies: int
) -> None:
    """With another advert in each download, the next attempt's copy is another one. Without the supervisor, too."""
    with site(lambda visit: visit.answer(200, SOUND + b"advert %d" % len(there.visits))) as there:
        crash_file = tmp_path / "crash"
        crash_file.write_text(order)
        api = serve(command="api", crash_file=crash_file, **SETTINGS)
        job = post(api, there.url("/talk.mp3")).json()
        with worker_of(api) as victim:
            until(lambda: not crash_file.exists(), "a worker came by the place")
            if order.startswith("worker:"):
                assert victim.wait(60) == -signal.SIGKILL
            else:
                api.wait_for(job["id"])
        with worker_of(api):
            job = api.wait_for(job["id"])
        assert (job["state"], job["crashes"], len(there.visits)) == ("done", 1, 2)
        before = uploads_of(api)
        for path in before:
            long_ago = time.time() - 10 * 86_400
            os.utime(path, (long_ago, long_ago))

        looked = api.command("reconcile", "--once")

        assert (len(before), json.loads(looked.stdout)["removed"]) == (copies, copies - 1), looked.stderr
        assert [path.read_bytes() for path in uploads_of(api)] == [SOUND + b"advert 2"]
        with api.client() as client:
            assert client.get(f"/v1/episodes/{job['episode_id']}/audio").content == SOUND + b"advert 2"


def uploads_of(service: Any) -> list[Path]:
    return sorted(path for path in (service.data / "store" / "uploads").rglob("*") if path.is_file())


def test_an_episode_deleted_while_it_is_downloaded_leaves_nothing(serve: Callable[..., Any]) -> None:
    def script(visit: Visit) -> None:
        visit.send(f"HTTP/1.1 200 OK\r\nContent-Length: {len(SOUND)}\r\n\r\n".encode())
        for sent in range(0, 300_000, 5_000):
            visit.send(SOUND[sent : sent + 5_000])
            visit.gone.wait(2.0)

    with site(script) as there:
        service = serve(**SETTINGS | {"link_timeout_seconds": 100})
        job = post(service, there.url("/talk.mp3"), title="Skerryvore").json()
        until(lambda: bytes_of(service, job["id"]), "the download is on its way")
        with service.client() as client:
            assert client.delete(f"/v1/episodes/{job['episode_id']}").status_code == 204
        until(lambda: not list((service.data / "scratch").rglob("audio")), "the worker has let go of it")
        assert left_of(service) == []


@contextmanager
def worker_of(api: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A worker process on the data of an API."""
    worker = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "worker"],
        env=api.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield worker
    finally:
        worker.kill()
        worker.wait()


def bytes_of(service: Any, job_id: str) -> tuple[int, int] | None:
    with service.client() as client:
        progress = client.get(f"/v1/jobs/{job_id}").json()["progress"]
    return (progress["bytes_done"], progress["bytes_total"]) if progress and progress["bytes_done"] else None
