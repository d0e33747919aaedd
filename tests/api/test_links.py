"""The link of a recording instead of a file: what makes a job, what is refused, and that nothing is asked for yet."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.episode import Participant, Role
from schemas.job import Backchannels, JobOptions, Term, Wording
from tests.api.conftest import Door, tone

LINK = "https://pod.example/shows/Ebb%20and%20Flow.mp3"


def post(door: Door, body: object, **headers: str) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return door.client.post("/v1/episodes", content=content, headers={"Content-Type": "application/json"} | headers)


def code_of(answer: Any) -> tuple[int, str, str | None]:
    problem = answer.json()
    return answer.status_code, problem["code"], problem.get("field")


def test_a_link_is_a_job_at_once(door: Door) -> None:
    answer = post(door, {"url": LINK, "title": "Ebb", "show": "Tide Lines"})

    assert answer.status_code == 202
    job = answer.json()
    assert (job["state"], job["title"]) == ("queued", "Ebb")
    assert answer.headers["Location"] == f"/v1/jobs/{job['id']}"
    claimed = door.queue.claim("ada", lease_seconds=30.0)
    assert claimed is not None
    assert claimed.audio_key == LINK
    assert claimed.episode.audio.file_name == "Ebb and Flow.mp3"


def test_everything_may_be_said_that_a_form_says(door: Door) -> None:
    body = {
        "url": LINK,
        "published": "2026-03-14",
        "language": "en",
        "participants": [{"name": "Ada Quill", "role": "host"}],
        "vocabulary": ["Wherry"],
        "min_speakers": 2,
        "max_speakers": 4,
        "models": "fast",
        "priority": 3,
        "wording": "tidy",
        "backchannels": "fold",
        "glossary": [{"write": "Wherry"}],
        "follow_language": False,
        "diarize": False,
        "episode_id": "0f6f5d3c-0000-4000-8000-000000000001",
    }
    job = post(door, body).json()

    claimed = door.queue.claim("ada", lease_seconds=30.0)
    assert claimed is not None
    assert job["episode_id"] == body["episode_id"] == claimed.episode.id
    assert claimed.job.priority == 3
    assert claimed.episode.participants == (Participant("Ada Quill", role=Role.HOST),)
    assert claimed.job.options == JobOptions(
        models="fast",
        vocabulary=("Wherry",),
        min_speakers=2,
        max_speakers=4,
        wording=Wording.TIDY,
        backchannels=Backchannels.FOLD,
        glossary=(Term("Wherry"),),
        follow_language=False,
        diarize=False,
    )


def test_the_same_link_with_the_same_options_is_the_same_job(door: Door) -> None:
    first = post(door, {"url": LINK})
    again = post(door, {"url": "HTTPS://Pod.Example:443/shows/Ebb%20and%20Flow.mp3#t=30"})

    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json()["id"] == first.json()["id"]
    others = [{"url": LINK, "models": "fast"}, {"url": LINK + "?v=2"}, {"url": LINK, "title": "Ebb"}]
    assert len({first.json()["id"]} | {post(door, each).json()["id"] for each in others}) == 4


def test_an_idempotency_key_finds_its_job(door: Door) -> None:
    first = post(door, {"url": LINK}, **{"Idempotency-Key": "k"})

    assert post(door, {"url": LINK}, **{"Idempotency-Key": "k"}).json()["id"] == first.json()["id"]
    other = post(door, {"url": LINK, "title": "x"}, **{"Idempotency-Key": "k"})
    assert code_of(other) == (409, "idempotency_key_reused", None)
    assert code_of(post(door, {"url": LINK}, **{"Idempotency-Key": "k" * 300})) == (
        422,
        "invalid_option",
        "Idempotency-Key",
    )


def test_what_a_link_is_signed_with_is_shown_to_nobody(door: Door) -> None:
    job = post(door, {"url": LINK + "?X-Amz-Signature=s3cr3t"}).json()

    episode = door.client.get(f"/v1/episodes/{job['episode_id']}").json()
    assert episode["audio"]["uri"] == LINK
    assert "s3cr3t" not in json.dumps([job, episode])


def test_a_recording_that_is_not_here_yet_cannot_be_played(door: Door) -> None:
    job = post(door, {"url": LINK}).json()

    assert code_of(door.client.get(f"/v1/episodes/{job['episode_id']}/audio")) == (404, "audio_not_found", None)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://pod.example/a.mp3",
        "gopher://pod.example/",
        "data:,x",
        "http://ada@pod.example/",
        "",
    ],
)
def test_what_is_no_link_is_refused(door: Door, url: str) -> None:
    assert code_of(post(door, {"url": url})) == (422, "url_refused", "url")
    assert code_of(door.client.post("/v1/episodes", data={"url": url}, files={"x": b""})) in (
        (422, "url_refused", "url"),
        (422, "invalid_request", "x"),
    )


@pytest.mark.parametrize(
    "host",
    ["10.1.2.3", "[::1]", "169.254.169.254", "0xa000001", "167772161", "[::ffff:10.0.0.1]", "0.0.0.0", "10.1"],
)
def test_a_link_to_a_private_address_is_refused(door: Door, host: str) -> None:
    assert code_of(post(door, {"url": f"http://{host}/a.mp3"})) == (422, "source_forbidden", "url")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", None),
        (b"{", None),
        (b"[]", None),
        (b"null", None),
        (b'"https://pod.example/a.mp3"', None),
        (b"{}", "url"),
        (b'{"url": null}', "url"),
        (b'{"url": 5}', "url"),
        (b'{"url": ["https://pod.example/"]}', "url"),
        (b'{"url": "https://pod.example/", "urls": 1}', "urls"),
        (b'{"url": "https://pod.example/", "title": 7}', "title"),
        (b'{"url": "https://pod.example/", "speakers": "many"}', "speakers"),
        (b'{"url": "https://pod.example/", "priority": 1e999}', "priority"),
        (b'{"url": "https://pod.example/", "priority": NaN}', "priority"),
        (b'{"url": "https://pod.example/", "diarize": {}}', "diarize"),
        (b'{"url": "https://pod.example/", "participants": [{"role": "host"}]}', "participants.0.name"),
        (b'{"url": "https://pod.example/", "wording": "loud"}', "wording"),
        (b'{"url": "https://pod.example/\\ud800"}', None),
        (b'{"url": "\xff"}', None),
        (b'{"url": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", None),
        (b'{"url": "https://pod.example/", "episode_id": "x"}', "episode_id"),
        (b'{"url": "https://pod.example/", "speakers": 0}', "speakers"),
        (b'{"url": "https://pod.example/", "min_speakers": 1000000000}', "min_speakers"),
        (b'{"url": "https://pod.example/", "priority": 101}', "priority"),
        (b'{"url": "https://pod.example/", "language": "??"}', "language"),
        (b'{"url": "https://pod.example/", "style": "none-such"}', None),
        (b'{"url": "https://pod.example/", "models": "none-such"}', "models"),
    ],
)
def test_a_wrong_body_names_what_is_wrong(door: Door, body: bytes, field: str | None) -> None:
    answer = post(door, body)

    assert answer.status_code in ((404, 422) if b"none-such" in body else (422,)), answer.text
    if field is not None:
        assert answer.json()["field"] == field
    assert list(door.queue.jobs()) == []


def test_a_body_without_end_is_refused(door: Door) -> None:
    assert code_of(post(door, b'{"url": "' + b"x" * 2_000_000 + b'"}'))[:2] == (413, "request_too_large")


def test_a_form_may_name_a_link(door: Door) -> None:
    fields = {"url": LINK, "title": "Ebb", "participant": "Ada Quill, host"}
    answer = door.client.post("/v1/episodes", files={name: (None, text) for name, text in fields.items()})

    assert answer.status_code == 202, answer.text
    claimed = door.queue.claim("ada", lease_seconds=30.0)
    assert claimed is not None
    assert (claimed.audio_key, claimed.episode.title) == (LINK, "Ebb")
    assert claimed.episode.participants == (Participant("Ada Quill", role=Role.HOST),)
    same = {"url": LINK, "title": "Ebb", "participants": [{"name": "Ada Quill", "role": "host"}]}
    assert post(door, same).json()["id"] == claimed.job.id


def test_a_form_has_a_file_or_a_link_and_not_both(door: Door) -> None:
    both = door.client.post("/v1/episodes", files={"audio": ("a.wav", tone())}, data={"url": LINK})
    assert code_of(both) == (422, "invalid_request", "url")
    file = door.client.post("/v1/episodes", files={"url": ("a.wav", tone())})
    assert code_of(file) == (422, "invalid_request", "url")
    none = door.client.post("/v1/episodes", files={"title": (None, "Ebb")})
    assert code_of(none) == (422, "invalid_request", "audio")


def test_the_description_of_the_api_has_both_bodies(door: Door) -> None:
    described = door.client.get("/openapi.json").json()["paths"]["/v1/episodes"]["post"]["requestBody"]["content"]

    assert described["application/json"]["schema"]["required"] == ["url"]
    assert set(described) == {"application/json", "multipart/form-data"}
    assert "$ref" not in json.dumps(described)
