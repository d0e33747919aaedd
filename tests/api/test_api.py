"""The HTTP door over the fakes: what is accepted, what is refused and how, and what can be read back."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import docx
import pytest
import structlog

import api.upload
from formats import catalogue
from schemas.episode import AudioInfo, Episode
from schemas.errors import TransientError
from schemas.job import JobOptions, JobState, Term
from schemas.transcript import Paragraph, Speaker, Transcript, Turn, Word
from transcription.ports import NewJob

GOLDEN = Path(__file__).resolve().parent.parent / "golden"


def _document(episode_id: str, title: str = "Tide tables") -> Transcript:
    words = (Word("Good", 0.0, 0.1, 0.9), Word("morning.", 0.1, 0.2, 0.9))
    return Transcript(
        episode=Episode(episode_id, title=title, audio=AudioInfo(duration=0.2, file_name="tide.wav")),
        speakers=(Speaker("S1", "voice 1", "Ada Quill"),),
        turns=(Turn("T1", "S1", (Paragraph("P1", "Good morning.", 0.0, 0.2, words),), 0.0, 0.2),),
    )


def _assert_problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    body: dict[str, Any] = answer.json()
    assert body["code"] == code, body
    return body


def test_an_upload_becomes_a_queued_job_and_its_bytes_lie_in_the_store(door: Any) -> None:
    job = door.upload(title="Tide tables", participant="Ada Quill, host\nBen Okri, guest")

    episode = door.queue.episode(job["episode_id"])

    assert (job["state"], job["title"]) == ("queued", "Tide tables")
    assert [each.name for each in episode.participants] == ["Ada Quill", "Ben Okri"]
    assert door.store.get(episode.audio.uri)[:4] == b"RIFF"


def test_an_upload_that_the_disk_has_no_room_for_is_a_507_and_no_job(
    door: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def on_a_full_disk(_folder: Path) -> Iterator[IO[bytes]]:
        with open("/dev/full", "wb", buffering=0) as file:
            yield file

    monkeypatch.setattr(api.upload, "spooled", on_a_full_disk)
    answer = door.client.post("/v1/episodes", files={"audio": ("talk.flac", b"fLaC")})

    _assert_problem(answer, 507, "disk_full")
    assert list(door.queue.jobs()) == []
    assert list(door.store.keys("")) == []


def test_the_same_upload_twice_is_the_same_job(door: Any) -> None:
    first = door.client.post("/v1/episodes", files={"audio": ("a.wav", _tone())})
    second = door.client.post("/v1/episodes", files={"audio": ("b.wav", _tone())})

    assert (first.status_code, second.status_code) == (202, 200)
    assert first.json()["id"] == second.json()["id"]


def _tone() -> bytes:
    import struct

    samples = struct.pack("<1600h", *([0, 9000, -9000, 0] * 400))
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + 3200, b"WAVE", b"fmt ", 16, 1, 1, 16000, 32000, 2, 16, b"data", 3200
    )
    return head + samples


def test_an_idempotency_key_with_another_body_is_a_conflict(door: Any) -> None:
    key = {"Idempotency-Key": "k-1"}
    door.client.post("/v1/episodes", files={"audio": ("a.wav", _tone())}, headers=key)

    answer = door.client.post("/v1/episodes", files={"audio": ("a.wav", _tone() + b"\0\0")}, headers=key)

    _assert_problem(answer, 409, "idempotency_key_reused")


def test_an_idempotency_key_that_is_too_long_is_refused(door: Any) -> None:
    answer = door.client.post(
        "/v1/episodes", files={"audio": ("a.wav", _tone())}, headers={"Idempotency-Key": "k" * 300}
    )

    assert _assert_problem(answer, 422, "invalid_option")["field"] == "Idempotency-Key"


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "audio_empty"),
        (b"<html><body>no sound</body></html>", 415, "unsupported_container"),
        (b"ffconcat version 1.0\nfile 'other.wav'\n", 415, "unsupported_container"),
        (b"PK\x03\x04" + b"\0" * 60, 415, "unsupported_container"),
        (b"RIFF\xff\xff\xff\x7fWAVEfmt " + b"\0" * 300_000, 413, "audio_too_large"),
    ],
)
def test_what_is_no_episode_is_refused_with_its_reason(door: Any, content: bytes, status: int, code: str) -> None:
    answer = door.client.post("/v1/episodes", files={"audio": ("x.mp3", content)})

    _assert_problem(answer, status, code)
    assert door.queue.jobs() == [] or not door.queue.jobs()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("speakers", "0"),
        ("speakers", "-1"),
        ("speakers", "1000000000"),
        ("speakers", "two"),
        ("language", "klingon"),
        ("published", "yesterday"),
        ("title", "T" * 1001),
        ("show", "a\x00b"),
        ("priority", "101"),
        ("wording", "shorthand"),
        ("backchannels", "loud"),
        ("glossary", "[[term]]\nwrite = 3"),
        ("follow_language", "sometimes"),
        ("diarize", "perhaps"),
        ("episode_id", "not-a-uuid"),
        ("colour", "red"),
        ("vocabulary", "word\n" * 10_000),
    ],
)
def test_a_field_with_an_impossible_value_is_named(door: Any, field: str, value: str) -> None:
    answer = door.client.post("/v1/episodes", files={"audio": ("a.wav", _tone())}, data={field: value})

    assert answer.status_code == 422, answer.text
    assert answer.json()["field"] == field
    assert not door.queue.jobs()


def test_a_house_style_that_nobody_has_is_refused_before_the_work(door: Any) -> None:
    metadata = json.dumps({"style": "baroque"})
    answer = door.client.post("/v1/episodes", files={"audio": ("a.wav", _tone())}, data={"metadata": metadata})

    assert answer.json()["code"] == "style_unknown"
    assert not door.queue.jobs()


def test_the_forms_wording_and_glossary_make_another_job_than_the_same_bytes_alone(door: Any) -> None:
    plain = door.upload()
    in_one = door.upload(follow_language="false")
    tidied = door.upload(wording="tidy", backchannels="fold", glossary='[[term]]\nwrite = "Skerryvore"\n')

    assert len({plain["id"], in_one["id"], tidied["id"]}) == 3
    assert [each["options"]["follow_language"] for each in (plain, in_one)] == [True, False]
    assert (tidied["options"]["wording"], tidied["options"]["backchannels"]) == ("tidy", "fold")
    assert tidied["options"]["glossary"] == [{"write": "Skerryvore", "sounds_like": []}]


def test_an_upload_takes_its_shows_glossary_and_a_changed_glossary_is_another_job(door: Any) -> None:
    door.glossaries["Tide Talk"] = (Term("Skerryvore"),)
    first, again = door.upload(show="Tide Talk"), door.upload(show="Tide Talk")
    door.glossaries["Tide Talk"] = (Term("Skerryvore", ("sherry four",)),)
    changed = door.upload(show="Tide Talk")

    assert first["id"] == again["id"] != changed["id"]
    assert changed["options"]["glossary"] == [{"write": "Skerryvore", "sounds_like": ["sherry four"]}]


def test_an_unknown_model_set_is_refused_before_anything_is_stored(door: Any) -> None:
    answer = door.client.post("/v1/episodes", files={"audio": ("a.wav", _tone())}, data={"models": "enormous"})

    _assert_problem(answer, 404, "model_set_unknown")
    assert list(door.store.keys("")) == []


@pytest.mark.parametrize("metadata", ["{", '{"title": 7}', "[]"])
def test_wrong_metadata_is_refused(door: Any, metadata: str) -> None:
    answer = door.client.post("/v1/episodes", files={"audio": ("a.wav", _tone())}, data={"metadata": metadata})

    _assert_problem(answer, 422, "metadata_invalid")


def test_metadata_fills_what_the_form_leaves_empty(door: Any) -> None:
    metadata = {
        "title": "From metadata",
        "show": "Tidewater",
        "participants": [{"name": "Ada Quill", "role": "host"}],
    }

    job = door.upload(title="From the form", metadata=json.dumps(metadata))

    episode = door.queue.episode(job["episode_id"])
    assert (episode.title, episode.show, episode.participants[0].name) == ("From the form", "Tidewater", "Ada Quill")


def test_metadata_may_come_as_a_file_as_curl_sends_it(door: Any) -> None:
    files = {
        "audio": ("a.wav", _tone()),
        "metadata": ("episode.json", b'{"title": "Tide tables"}', "application/json"),
    }

    answer = door.client.post("/v1/episodes", files=files)

    assert (answer.status_code, answer.json()["title"]) == (202, "Tide tables")


def test_the_same_recording_under_a_given_id_is_another_episode(door: Any) -> None:
    first = door.upload()
    own = "11111111-2222-4333-8444-555555555555"

    second = door.upload(episode_id=own)

    assert second["episode_id"] == own
    assert second["id"] != first["id"]
    assert door.upload(episode_id=own)["id"] == second["id"]


def test_all_fields_together_have_one_budget(door: Any) -> None:
    part = b'--zz\r\nContent-Disposition: form-data; name="vocabulary"\r\n\r\n' + b"x" * 60_000 + b"\r\n"

    answer = door.client.post(
        "/v1/episodes",
        content=part * 20 + b"--zz--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=zz"},
    )

    _assert_problem(answer, 400, "invalid_form")


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/episodes/{episode}/audio", {"Range": f"bytes={'9' * 5000}-"}, 200),
        ("/v1/transcripts/{episode}?revision=99999999999999999999", {}, 422),
        ("/v1/jobs/{job}/events", {"Last-Event-ID": "9" * 30}, 422),
    ],
)
def test_an_enormous_number_is_no_crash(door: Any, path: str, headers: dict[str, str], status: int) -> None:
    job = door.upload()

    answer = door.client.get(path.format(episode=job["episode_id"], job=job["id"]), headers=headers)

    assert answer.status_code == status


def test_a_form_without_a_file_is_refused(door: Any) -> None:
    answer = door.client.post("/v1/episodes", data={"title": "x"}, files={"metadata": ("a.json", b"{}")})

    assert _assert_problem(answer, 422, "invalid_request")["field"] == "audio"


def test_two_recordings_in_one_form_are_refused(door: Any) -> None:
    files = [("audio", ("a.wav", _tone())), ("audio", ("b.wav", _tone()))]

    answer = door.client.post("/v1/episodes", files=files)

    assert _assert_problem(answer, 422, "invalid_request")["field"] == "audio"
    assert not door.queue.jobs()


def test_a_style_and_a_format_at_once_are_refused(door: Any) -> None:
    job = door.upload()
    door.finish(_document(job["episode_id"]))

    answer = door.client.get(f"/v1/transcripts/{job['episode_id']}?style=caps-list&format=vtt")

    _assert_problem(answer, 422, "invalid_request")


def test_a_file_in_another_field_is_refused(door: Any) -> None:
    answer = door.client.post("/v1/episodes", files={"audio": ("a.wav", _tone()), "title": ("b.wav", _tone())})

    assert _assert_problem(answer, 422, "invalid_request")["field"] == "title"


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{}", "text/json", 415),
        (b"--x\r\n", "multipart/form-data", 400),
        (b"no boundary in here", "multipart/form-data; boundary=zz", 400),
        (b"--zz\r\nContent-Disposition: form-data\r\n\r\nx\r\n--zz--\r\n", "multipart/form-data; boundary=zz", 400),
    ],
)
def test_a_body_that_is_no_form_is_a_problem_and_no_crash(
    door: Any, body: bytes, content_type: str, status: int
) -> None:
    answer = door.client.post("/v1/episodes", content=body, headers={"Content-Type": content_type})

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_ten_thousand_parts_are_refused(door: Any) -> None:
    part = b'--zz\r\nContent-Disposition: form-data; name="vocabulary"\r\n\r\nx\r\n'

    answer = door.client.post(
        "/v1/episodes",
        content=part * 10_000 + b"--zz--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=zz"},
    )

    assert answer.status_code in (400, 413)


@pytest.mark.parametrize("name", ["../../etc/passwd.mp3", "a\0b.mp3", "-rf.mp3", "concat:a|b", "‮3pm.exe", "n" * 4096])
def test_a_hostile_file_name_is_only_ever_shown(door: Any, name: str) -> None:
    job = door.upload(name=name)

    audio = door.queue.episode(job["episode_id"]).audio
    assert audio.uri == f"uploads/{audio.sha256}/audio"
    assert "/" not in audio.file_name
    assert audio.file_name.isprintable()
    assert len(audio.file_name) <= 255


@pytest.mark.parametrize("code", ["database_unavailable", "store_unavailable"])
def test_what_servers_there_are_behind_the_service_is_for_its_log(
    door: Any, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    def away(**_named: object) -> None:
        raise TransientError("postgresql://stenocast@10.1.2.3:5432/ledger: no answer", code=code)

    monkeypatch.setattr(door.queue, "jobs", away)
    with structlog.testing.capture_logs() as lines:
        answer = door.client.get("/v1/jobs")

    assert "try again" in _assert_problem(answer, 503, code)["detail"]
    assert "10.1.2.3" not in answer.text
    assert ["10.1.2.3" in str(line) for line in lines] == [True]


def test_jobs_come_newest_first_in_pages(door: Any) -> None:
    made = [door.upload(_tone() + bytes([n, 0]))["id"] for n in range(3)]

    first = door.client.get("/v1/jobs?limit=2").json()
    rest = door.client.get(f"/v1/jobs?limit=2&before={first['next']}").json()

    assert [each["id"] for each in first["jobs"] + rest["jobs"]] == made[::-1]
    assert rest["next"] is None
    assert door.client.get("/v1/jobs?limit=3").json()["next"] is None  # a page that is just full promises no other


@pytest.mark.parametrize("path", ["/v1/jobs?state=asleep", "/v1/jobs?limit=0", "/v1/jobs?limit=many"])
def test_a_wrong_query_is_a_problem_that_names_it(door: Any, path: str) -> None:
    answer = door.client.get(path)

    assert _assert_problem(answer, 422, "invalid_request")["field"] in ("state", "limit")


@pytest.mark.parametrize(
    "ask",
    [
        lambda c: c.get("/v1/jobs/none"),
        lambda c: c.post("/v1/jobs/none/cancel"),
        lambda c: c.post("/v1/jobs/none/retry"),
        lambda c: c.get("/v1/jobs/none/events"),
        lambda c: c.get("/v1/transcripts/none"),
        lambda c: c.get("/v1/episodes/none/audio"),
        lambda c: c.get("/v1/nowhere"),
    ],
)
def test_what_is_not_there_is_a_404_problem(door: Any, ask: Callable[[Any], Any]) -> None:
    answer = ask(door.client)

    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_a_cancelled_job_stays_cancelled(door: Any) -> None:
    job = door.upload()

    first = door.client.post(f"/v1/jobs/{job['id']}/cancel")
    again = door.client.post(f"/v1/jobs/{job['id']}/cancel")

    assert (first.json()["state"], again.json()["state"]) == ("cancelled", "cancelled")
    assert door.queue.claim("w1", lease_seconds=30) is None


def test_only_a_failed_job_can_be_retried(door: Any) -> None:
    job = door.upload()

    answer = door.client.post(f"/v1/jobs/{job['id']}/retry")

    _assert_problem(answer, 409, "job_not_retryable")


def test_a_finished_transcript_comes_in_every_style_and_format(door: Any) -> None:
    job = door.upload()
    door.finish(_document(job["episode_id"]))
    listed = door.client.get("/v1/styles").json()

    for query in [f"style={each['name']}" for each in listed["styles"]] + [
        f"format={each['name']}" for each in listed["formats"]
    ]:
        answer = door.client.get(f"/v1/transcripts/{job['episode_id']}?{query}")
        assert answer.status_code == 200, (query, answer.text)
        said = answer.text
        if query == "format=docx":
            said = " ".join(each.text for each in docx.Document(io.BytesIO(answer.content)).paragraphs)
        if query not in ("format=rss", "format=rttm"):  # who and where, no words
            assert "ood" in said, query
            assert "morning" in said, query
        assert answer.headers["content-type"] == catalogue.media_type(**dict([query.split("=")]))


def test_an_unknown_style_or_format_lists_the_known_ones(door: Any) -> None:
    job = door.upload()
    door.finish(_document(job["episode_id"]))

    for query, code in (("style=baroque", "style_unknown"), ("format=scroll", "format_unknown")):
        body = _assert_problem(door.client.get(f"/v1/transcripts/{job['episode_id']}?{query}"), 404, code)
        assert "vtt" in body["detail"] or "name-line" in body["detail"]


def test_a_transcript_that_is_not_done_is_not_there(door: Any) -> None:
    job = door.upload()

    assert door.client.get(f"/v1/transcripts/{job['episode_id']}").status_code == 404


def test_a_download_is_named_in_plain_ascii(door: Any) -> None:
    job = door.upload()
    document = _document(job["episode_id"])
    hostile = 'a"b\r\nSet-Cookie: x=1;\u202e.wav'
    from dataclasses import replace

    episode = replace(document.episode, audio=replace(document.episode.audio, file_name=hostile))
    door.finish(replace(document, episode=episode))

    answer = door.client.get(f"/v1/transcripts/{job['episode_id']}?format=vtt&download=true")

    disposition = answer.headers["content-disposition"]
    assert "set-cookie" not in answer.headers
    assert disposition.isascii()
    assert disposition.count('"') == 2


def test_the_recording_is_served_in_byte_ranges(door: Any) -> None:
    content = _tone()
    job = door.upload(content)
    url = f"/v1/episodes/{job['episode_id']}/audio"

    part = door.client.get(url, headers={"Range": "bytes=4-7"})
    tail = door.client.get(url, headers={"Range": "bytes=-5"})
    outside = door.client.get(url, headers={"Range": "bytes=999999-"})

    assert (part.status_code, part.content) == (206, content[4:8])
    assert part.headers["content-range"] == f"bytes 4-7/{len(content)}"
    assert tail.content == content[-5:]
    assert outside.status_code == 416
    assert door.client.get(url).content == content


def test_a_recording_that_was_dropped_into_a_bucket_is_served_from_there(door: Any) -> None:
    drop = door.drops.put("harbour", "in/ep 1 é.mp3", b"0123456789")
    episode = Episode(drop.episode_id, audio=AudioInfo(uri=drop.address, container="mp3"))
    door.queue.add(NewJob(episode, JobOptions(), drop.uri, "a drop"), job_id="job")
    url = f"/v1/episodes/{drop.episode_id}/audio"

    whole = door.client.get(url)
    part = door.client.get(url, headers={"Range": "bytes=4-7"})
    door.drops.remove("harbour", "in/ep 1 é.mp3")

    assert (whole.status_code, whole.content) == (200, b"0123456789")
    assert whole.headers["content-type"] == "audio/mpeg"
    assert (part.status_code, part.content) == (206, b"4567")
    assert door.client.get(url).json()["code"] == "audio_not_found"


def test_job_events_tell_each_change_and_end_with_the_job(door: Any) -> None:
    job = door.upload()
    door.finish(_document(job["episode_id"]))

    with door.client.stream("GET", f"/v1/jobs/{job['id']}/events") as answer:
        text = "".join(answer.iter_text())

    kinds = [
        json.loads(line[6:])["type"]
        for line in text.splitlines()
        if line.startswith('data: {"id"') and "job." in line
    ]
    assert kinds[:3] == ["job.queued.v1", "job.started.v1", "job.done.v1"]
    assert '"state":"done"' in text


def test_job_events_go_on_after_the_last_one_seen(door: Any) -> None:
    job = door.upload()
    door.finish(_document(job["episode_id"]))
    numbers = [number for number, _ in door.queue.events_of(job["id"])]

    with door.client.stream(
        "GET", f"/v1/jobs/{job['id']}/events", headers={"Last-Event-ID": str(numbers[0])}
    ) as answer:
        text = "".join(answer.iter_text())

    assert "job.queued.v1" not in text
    assert "job.done.v1" in text


def test_health_is_one_thing_and_readiness_another(door: Any) -> None:
    assert door.client.get("/readyz").status_code == 200

    door.lacking.append("fast: the model set is not pulled")

    assert door.client.get("/healthz").status_code == 200
    assert "not pulled" in _assert_problem(door.client.get("/readyz"), 503, "not_ready")["detail"]
    assert door.client.get("/readyz").headers["retry-after"]


def test_a_page_of_another_origin_cannot_change_anything(door: Any) -> None:
    job = door.upload()

    answer = door.client.post(f"/v1/jobs/{job['id']}/cancel", headers={"Origin": "http://elsewhere.example"})

    _assert_problem(answer, 403, "foreign_origin")
    assert door.queue.job(job["id"]).state is JobState.QUEUED


def test_another_host_name_is_not_answered(door: Any) -> None:
    assert door.client.get("/v1/jobs", headers={"Host": "rebound.example"}).status_code == 400


def test_the_page_loads_nothing_from_elsewhere(door: Any) -> None:
    answer = door.client.get("/")
    files = ("app.js", "common.js", "webhooks.js", "style.css")
    served = answer.text + "".join(door.client.get(f"/page/{name}").raise_for_status().text for name in files)

    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "http://" not in served.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in served
    assert "innerHTML" not in served


# ---------------------------------------------------------------- numbers


def test_requests_are_counted_by_their_pattern_and_never_by_their_path(door: Any) -> None:
    job = door.upload()

    door.client.get(f"/v1/jobs/{job['id']}")
    door.client.get("/v1/jobs/no-such-job")
    door.client.get("/wp-login.php")
    shown = door.client.get("/metrics").text

    assert 'stenocast_http_requests_total{method="GET",route="/v1/jobs/{job_id}",status="200"} 1.0' in shown
    assert 'stenocast_http_requests_total{method="GET",route="/v1/jobs/{job_id}",status="404"} 1.0' in shown
    assert 'route="none",status="404"} 1.0' in shown
    assert job["id"] not in shown
    assert "wp-login" not in shown


def test_an_upload_keeps_the_trace_of_its_request_and_nothing_that_is_no_trace(door: Any) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    door.client.headers["traceparent"] = trace
    door.upload(title="traced")
    door.client.headers["traceparent"] = "x; drop"
    door.upload(title="untraced")

    claimed = [door.queue.claim("w1", lease_seconds=30.0) for _ in range(2)]
    assert {each.episode.title: each.traceparent for each in claimed} == {"traced": trace, "untraced": None}


# ---------------------------------------------------------------- deleting


def test_a_deleted_episode_is_gone_from_every_answer_and_from_the_store(door: Any) -> None:
    job = door.upload(title="Tide tables")
    door.finish(_document(job["episode_id"]))

    answer = door.client.delete(f"/v1/episodes/{job['episode_id']}")

    assert (answer.status_code, answer.content) == (204, b"")
    for path in (f"episodes/{job['episode_id']}", f"episodes/{job['episode_id']}/audio"):
        _assert_problem(door.client.get(f"/v1/{path}"), 410, "episode_deleted")
    _assert_problem(door.client.get(f"/v1/transcripts/{job['episode_id']}"), 410, "episode_deleted")
    assert door.client.get("/v1/jobs").json()["jobs"] == []
    shown = door.client.get(f"/v1/jobs/{job['id']}").json()
    assert (shown["title"], shown["deleted"] is None) == (None, False)
    assert list(door.store.keys("")) == []


def test_a_recording_that_is_deleted_while_it_is_asked_for_is_gone(
    door: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    episode_id = door.upload()["episode_id"]
    size = door.store.size

    def deleted_first(key: str) -> int | None:
        door.client.delete(f"/v1/episodes/{episode_id}")
        return size(key)

    monkeypatch.setattr(door.store, "size", deleted_first)

    _assert_problem(door.client.get(f"/v1/episodes/{episode_id}/audio"), 410, "episode_deleted")


def test_deleting_an_episode_again_is_answered_alike_and_an_unknown_one_is_not_found(door: Any) -> None:
    episode_id = door.upload()["episode_id"]

    first, second = (door.client.delete(f"/v1/episodes/{episode_id}") for _ in range(2))

    assert (first.status_code, second.status_code) == (204, 204)
    _assert_problem(door.client.delete("/v1/episodes/never-was"), 404, "episode_not_found")


def test_an_episode_is_deleted_although_the_store_is_away_and_the_reconciler_finds_the_rest(
    door: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = door.upload()

    def away(_key: str) -> None:
        raise TransientError("the store is away")

    monkeypatch.setattr(door.store, "delete", away)

    assert door.client.delete(f"/v1/episodes/{job['episode_id']}").status_code == 204
    _assert_problem(door.client.get(f"/v1/episodes/{job['episode_id']}"), 410, "episode_deleted")
    assert [each.episode_id for each in door.queue.unerased()] == [job["episode_id"]]


def test_the_same_recording_uploaded_after_its_deletion_is_a_new_job_with_its_sound(door: Any) -> None:
    first = door.upload(title="Tide tables")
    door.client.delete(f"/v1/episodes/{first['episode_id']}")

    second = door.upload(title="Tide tables")

    assert second["id"] != first["id"]
    assert door.store.get(door.queue.episode(second["episode_id"]).audio.uri)[:4] == b"RIFF"


def test_a_page_elsewhere_cannot_delete(door: Any) -> None:
    episode_id = door.upload()["episode_id"]

    answer = door.client.delete(f"/v1/episodes/{episode_id}", headers={"Origin": "http://elsewhere.example"})

    _assert_problem(answer, 403, "foreign_origin")
    assert door.client.get(f"/v1/episodes/{episode_id}").status_code == 200
