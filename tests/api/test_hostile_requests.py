"""Requests that nobody sends by mistake (rows 31, 37, 38 and 45 of the list of bad inputs): refused, never a 500."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.conftest import tone
from tests.api.test_speakers import transcript

DEEP = 10_000

#: JSON that breaks readers of JSON. Each is refused as a whole, whatever its fields would mean.
BROKEN = {
    "a list of lists": b"[" * DEEP + b"]" * DEEP,
    "objects in objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep under a field": b'{"title":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "deep under a known one": b'{"revision":1,"speakers":' + b'{"S1":' * DEEP + b"1" + b"}" * DEEP + b"}",
    "never closed": b"[" * DEEP,
    "no number": b'{"revision":NaN,"speakers":{"S2":"Ada"},"priority":NaN}',
    "without end": b'{"revision":Infinity,"speakers":{"S2":"Ada"},"priority":-Infinity}',
    "an enormous number": b'{"revision":1e999,"speakers":{"S2":"Ada"},"priority":1e999}',
    "a number of 5,000 digits": b'{"revision":'
    + b"9" * 5000
    + b',"speakers":{"S2":"Ada"},"priority":'
    + b"9" * 5000
    + b"}",
    "half a pair": b'{"revision":1,"speakers":{"S2":"Ada \\ud800"},"title":"Tide \\udfff"}',
    "half a pair as a name": b'{"revision":1,"speakers":{"\\ud800":"Ada"},"\\udfff":1}',
    "no UTF-8": b'{"revision":1,"speakers":{"S2":"Ada \xff"},"title":"Tide \xff"}',
    "a NUL": b'{"revision":1,"speakers":{"S2":"Ada\\u0000"},"title":"Tide\\u0000"}',
    "no JSON": b"\x00\x01\x02",
    "a number": b"7",
    "a text": b'"speakers"',
    "wrong types": b'{"revision":[],"speakers":7,"title":{},"participants":"Ada"}',
}


@pytest.fixture
def episode_id(door: Any) -> str:
    job = door.upload(title="Tide tables")
    door.finish(transcript(job["episode_id"]))
    return str(job["episode_id"])


@pytest.mark.parametrize("name", BROKEN)
def test_row_37_names_by_hand_in_broken_json_are_refused(door: Any, episode_id: str, name: str) -> None:
    answer = door.client.patch(f"/v1/transcripts/{episode_id}/speakers", content=BROKEN[name])

    assert answer.status_code in (404, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 2000
    assert len(list(door.store.keys("results/"))) == 1


@pytest.mark.parametrize("name", BROKEN)
def test_row_37_webhooks_in_broken_json_are_refused(door: Any, name: str) -> None:
    webhook = door.client.post("/v1/webhooks", json={"url": "https://a.example"}).json()

    for answer in (
        door.client.post("/v1/webhooks", content=BROKEN[name]),
        door.client.patch(f"/v1/webhooks/{webhook['id']}", content=BROKEN[name]),
    ):
        told = (answer.status_code, answer.json()["code"])
        assert told in ((422, "invalid_request"), (413, "request_too_large")), answer.text
        assert len(answer.content) < 2000
    assert len(door.client.get("/v1/webhooks").json()["webhooks"]) == 1


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("is_file", [True, False])
def test_row_37_metadata_in_broken_json_is_refused(door: Any, name: str, is_file: bool) -> None:
    part = {"metadata": ("m.json", BROKEN[name])} if is_file else {"metadata": (None, BROKEN[name])}

    answer = door.client.post("/v1/episodes", files={"audio": ("a.wav", tone()), **part})

    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] in ("metadata_invalid", "invalid_option")
    assert len(answer.content) < 2000
    assert door.queue.jobs() == []


def test_row_37_a_speaker_who_is_named_twice_in_one_request_is_not_named(door: Any, episode_id: str) -> None:
    body = b'{"revision":1,"speakers":{"S2":"Ada Quill","S2":"Bram Stone"}}'

    answer = door.client.patch(f"/v1/transcripts/{episode_id}/speakers", content=body)

    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid_request", "S2")
    assert len(list(door.store.keys("results/"))) == 1


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        (b'{"title":"Tide tables","title":"Low water"}', "title"),
        (b'{"participants":[{"name":"Ada Quill","name":"Bram Stone"}]}', "name"),
    ],
)
def test_row_37_metadata_that_says_a_thing_twice_is_refused(door: Any, metadata: bytes, field: str) -> None:
    answer = door.client.post("/v1/episodes", files={"audio": ("a.wav", tone()), "metadata": ("m.json", metadata)})

    assert (answer.status_code, answer.json()["code"]) == (422, "metadata_invalid")
    assert answer.json()["field"] == field
    assert door.queue.jobs() == []


def test_row_37_metadata_of_ten_megabytes_is_refused(door: Any) -> None:
    content = b'{"title":"' + b"x" * 10_000_000 + b'"}'

    answer = door.client.post("/v1/episodes", files={"audio": ("a.wav", tone()), "metadata": ("m.json", content)})

    assert answer.status_code in (413, 422), answer.text
    assert door.queue.jobs() == []


def sent_until_answered(door: Any, begin: bytes, piece: bytes, pieces: int) -> tuple[int, int]:
    """The status that a form of so many pieces gets, and how many bytes were read of it before the answer."""
    read, status = 0, 0

    async def receive() -> dict[str, Any]:
        nonlocal read
        body = piece if read else begin
        read += len(body)
        return {"type": "http.request", "body": body, "more_body": read < len(piece) * pieces}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    headers = {"host": "testserver", "content-type": "multipart/form-data; boundary=zz"}
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/episodes",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("testserver", 80),
    }
    asyncio.run(door.client.app(scope, receive, send))
    return status, read


@pytest.mark.parametrize(
    ("begin", "status"),
    [
        (b'--zz\r\nContent-Disposition: form-data; name="title"\r\n\r\n', 400),
        (b'--zz\r\nContent-Disposition: form-data; name="', 400),
        (b'--zz\r\nContent-Disposition: form-data; name="metadata"\r\nX-Note: ', 400),
        (b'--zz\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n', 413),
    ],
    ids=["a field", "a field's name", "a part's header", "a recording"],
)
def test_row_38_a_gigabyte_is_refused_before_much_of_it_was_read(door: Any, begin: bytes, status: int) -> None:
    answered, read = sent_until_answered(door, begin, b"x" * 100_000, 10_000)

    assert answered == status
    assert read < 4_000_000


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04" + b"\0" * 22 + b"\x0d\0\0\0../../tide.mp3" + tone(),
        b"../../tide.mp3".ljust(257, b"\0") + b"ustar\x0000" + b"\0" * 248 + tone(),
        b"\x1f\x8b\x08\0" + b"\0" * 60,
        b"Rar!\x1a\x07\x01\0" + b"\0" * 60,
        b"7z\xbc\xaf\x27\x1c" + b"\0" * 60,
    ],
    ids=["zip", "tar", "gzip", "rar", "7z"],
)
def test_row_31_archives_are_not_taken(door: Any, content: bytes) -> None:
    answer = door.client.post("/v1/episodes", files={"audio": ("episodes.mp3", content)})

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_container")
    assert list(door.store.keys("")) == []


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
NAMES = JSON_VALUES | st.fixed_dictionaries(
    {"name": JSON_VALUES},
    optional=dict.fromkeys(("honorific", "role", "description", "aliases", "colour"), JSON_VALUES),
)
FUZZ = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@FUZZ
@given(
    body=st.fixed_dictionaries(
        {
            "revision": JSON_VALUES | st.just(1),
            "speakers": JSON_VALUES | st.dictionaries(st.sampled_from(["S1", "S2", "S9"]), NAMES),
        }
    )
)
def test_row_37_whatever_is_said_of_speakers_is_answered_and_never_a_crash(door: Any, body: Any) -> None:
    if not door.queue.jobs():
        door.finish(transcript(door.upload(title="Tide tables")["episode_id"]))
    episode_id = door.queue.jobs()[0].episode_id

    answer = door.client.patch(f"/v1/transcripts/{episode_id}/speakers", content=json.dumps(body).encode())

    assert answer.status_code in (200, 404, 409, 422), answer.text


@FUZZ
@given(
    metadata=JSON_VALUES
    | st.dictionaries(
        st.sampled_from(
            [
                "title",
                "show",
                "published",
                "language",
                "participants",
                "vocabulary",
                "models",
                "speakers",
                "wording",
                "glossary",
                "priority",
                "style",
                "follow_language",
                "backchannels",
            ]
        ),
        JSON_VALUES,
    )
)
def test_row_37_whatever_metadata_says_is_answered_and_never_a_crash(door: Any, metadata: Any) -> None:
    part = ("m.json", json.dumps(metadata).encode())

    answer = door.client.post("/v1/episodes", files={"audio": ("a.wav", tone()), "metadata": part})

    assert answer.status_code in (200, 202, 404, 422), answer.text


def _routes(door: Any) -> list[tuple[str, str, list[str]]]:
    """Method, path and names of the queries of every request without a body that the description of the API has."""
    described = door.client.get("/openapi.json").json()["paths"]
    return [
        (method, path, [each["name"] for each in about.get("parameters", ()) if each["in"] == "query"])
        for path, methods in sorted(described.items())
        for method, about in methods.items()
        if "requestBody" not in about and path not in ("/v1/episodes", "/metrics", "/readyz")
    ]


@FUZZ
@given(data=st.data())
def test_row_37_whatever_is_asked_for_is_answered_and_never_a_crash(door: Any, data: st.DataObject) -> None:
    if not door.queue.jobs():
        door.finish(transcript(door.upload(title="Tide tables")["episode_id"]))
    job = door.queue.jobs()[0]
    text = st.text(max_size=20) | st.sampled_from([job.id, job.episode_id, "0", "-1", "1" * 40, "true", "..", "\x00"])
    method, path, queries = data.draw(st.sampled_from([each for each in _routes(door) if each[0] != "delete"]))
    for part in re.findall(r"\{\w+\}", path):
        path = path.replace(part, quote(data.draw(text), safe=""))
    query = data.draw(st.dictionaries(st.sampled_from(queries or ["none"]), text, max_size=3))

    answer = door.client.request(method, path, params=query)

    assert answer.status_code < 500, f"{method} {path} {query}: {answer.text}"
