"""Speakers named by hand over HTTP: a new revision, or a refusal that names what is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.memory import MemoryVoices
from schemas.episode import AudioInfo, Episode
from schemas.errors import TransientError
from schemas.transcript import Paragraph, Speaker, Transcript, Turn, Word
from transcription.naming import name_speakers
from transcription.ports import KnownVoice


def transcript(episode_id: str) -> Transcript:
    said = [("S1", "Hello, my name is Greta Vance."), ("S2", "I mend old clocks."), ("S1", "Do you?")]
    turns = tuple(
        Turn(f"T{n}", who, (Paragraph(f"P{n}", text, n * 2.0, n * 2 + 2.0, _words(text, n * 2.0)),), n * 2.0, n + 2.0)
        for n, (who, text) in enumerate(said, start=1)
    )
    episode = Episode(episode_id, title="Tide tables", audio=AudioInfo(duration=8.0, file_name="tide.wav"))
    return name_speakers(Transcript(episode, (Speaker("S1", "voice 1"), Speaker("S2", "voice 2")), turns))


def _words(text: str, start: float) -> tuple[Word, ...]:
    return tuple(Word(each, start + n / 10, start + n / 10 + 0.1, 0.9) for n, each in enumerate(text.split()))


@pytest.fixture
def episode_id(door: Any) -> str:
    job = door.upload(title="Tide tables")
    door.finish(transcript(job["episode_id"]))
    return str(job["episode_id"])


def name(door: Any, episode_id: str, speakers: Any, revision: Any = 1, **headers: str) -> Any:
    return door.client.patch(
        f"/v1/transcripts/{episode_id}/speakers", json={"revision": revision, "speakers": speakers}, headers=headers
    )


def names(door: Any, episode_id: str, **query: int) -> list[str | None]:
    document = door.client.get(f"/v1/transcripts/{episode_id}", params=query).json()
    return [each["name"] for each in document["speakers"]]


def refused(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    body: dict[str, Any] = answer.json()
    assert body["code"] == code, body
    return body


def documents(door: Any) -> list[str]:
    return list(door.store.keys("results/"))


def test_a_speaker_named_by_hand_is_a_new_revision_of_the_transcript(door: Any, episode_id: str) -> None:
    answer = name(
        door, episode_id, {"S2": "Dr Ada Quill, guest"}, traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    )

    assert (answer.status_code, answer.json()["revision"], answer.json()["is_new"]) == (200, 2, True)
    speaker = answer.json()["speakers"][1]
    assert (speaker["name"], speaker["honorific"], speaker["role"], speaker["known_by"]) == (
        "Ada Quill",
        "Dr",
        "guest",
        "given",
    )
    document = door.client.get(f"/v1/transcripts/{episode_id}").json()
    assert (document["revision"], document["speakers"]) == (2, answer.json()["speakers"])
    assert "Ada Quill" in door.client.get(f"/v1/transcripts/{episode_id}?style=name-line").text
    assert names(door, episode_id, revision=1) == ["Greta Vance", None]
    [event] = [each for _, each in door.queue.pending_events() if each.type == "transcript.revised.v1"]
    stored = door.store.get(event.data.document_key)
    assert (event.data.revision, event.data.named_speaker_count) == (2, 2)
    assert json.loads(stored)["revision"] == 2
    assert (event.data.document_bytes, event.traceparent[3:35]) == (len(stored), "a" * 32)
    assert door.queue.latest_done(episode_id).transcript_sha256 == event.data.document_sha256


def test_a_new_revision_has_another_etag(door: Any, episode_id: str) -> None:
    before = door.client.get(f"/v1/transcripts/{episode_id}").headers["etag"]
    name(door, episode_id, {"S2": "Ada Quill"})

    assert door.client.get(f"/v1/transcripts/{episode_id}").headers["etag"] != before


def test_equal_tags_are_equal_bytes(door: Any, episode_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"/v1/transcripts/{episode_id}?style=name-line"
    before = door.client.get(url)
    assert door.client.get(url).headers["etag"] == before.headers["etag"]
    monkeypatch.setattr("formats.catalogue.render", lambda *_, **__: before.content + b"as a later version writes it")

    after = door.client.get(url)

    assert after.headers["etag"] != before.headers["etag"]
    assert not before.headers["etag"].startswith("W/")


@pytest.mark.parametrize("query", ["", "?format=text", "?style=name-line"])
def test_who_read_the_current_transcript_in_any_form_may_say_so_by_its_etag(
    door: Any, episode_id: str, query: str
) -> None:
    tag = door.client.get(f"/v1/transcripts/{episode_id}{query}").headers["etag"]

    answer = name(door, episode_id, {"S2": "Ada Quill"}, **{"If-Match": f'W/"x", "y" , {tag}'})
    again = name(door, episode_id, {"S2": "Bram Stone"}, 2, **{"If-Match": answer.headers["etag"]})

    assert (answer.json()["revision"], again.json()["revision"]) == (2, 3)


@pytest.mark.parametrize("form", ["{}", "W/{}"])
def test_who_read_another_transcript_by_its_etag_changes_nothing(door: Any, episode_id: str, form: str) -> None:
    old = door.client.get(f"/v1/transcripts/{episode_id}").headers["etag"]
    new = name(door, episode_id, {"S2": "Ada Quill"}).headers["etag"]
    tag = form.format(old if form == "{}" else new)

    body = refused(name(door, episode_id, {"S2": "Bram Stone"}, 2, **{"If-Match": tag}), 412, "precondition_failed")

    assert body["field"] == "If-Match"
    assert "revision 2" in body["detail"]
    assert names(door, episode_id) == ["Greta Vance", "Ada Quill"]


def test_the_same_request_again_is_answered_alike_though_its_etag_is_of_the_transcript_before(
    door: Any, episode_id: str
) -> None:
    """RFC 9110, section 13.1.1: what has succeeded already may be said to have."""
    tag = door.client.get(f"/v1/transcripts/{episode_id}").headers["etag"]

    name(door, episode_id, {"S2": "Ada Quill"}, **{"If-Match": tag})

    assert name(door, episode_id, {"S2": "Ada Quill"}, **{"If-Match": tag}).json()["is_new"] is False


def test_who_was_overtaken_while_the_document_was_written_is_told_by_the_etag(
    door: Any, episode_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = door.client.get(f"/v1/transcripts/{episode_id}").headers["etag"]
    revise = door.queue.revise

    def overtaken(*arguments: Any, **named: Any) -> Any:
        monkeypatch.setattr(door.queue, "revise", revise)
        name(door, episode_id, {"S2": "Ada Quill"})
        return revise(*arguments, **named)

    monkeypatch.setattr(door.queue, "revise", overtaken)

    refused(name(door, episode_id, {"S2": "Bram Stone"}, **{"If-Match": tag}), 412, "precondition_failed")


@pytest.mark.parametrize("header", ["1", "abc", '"a" "b"', '"a', "*, x"])
def test_an_if_match_that_is_no_tag_is_refused(door: Any, episode_id: str, header: str) -> None:
    answer = name(door, episode_id, {"S2": "Ada Quill"}, **{"If-Match": header})

    assert refused(answer, 422, "invalid_request")["field"] == "If-Match"


def test_if_match_of_any_transcript_is_met_by_the_current_one(door: Any, episode_id: str) -> None:
    assert name(door, episode_id, {"S2": "Ada Quill"}, **{"If-Match": "*"}).json()["revision"] == 2


def test_two_swapped_names_are_put_right_in_one_request(door: Any, episode_id: str) -> None:
    name(door, episode_id, {"S1": "Ada Quill", "S2": "Bram Stone"})

    answer = name(door, episode_id, {"S1": "Bram Stone", "S2": "Ada Quill"}, 2)

    assert answer.json()["revision"] == 3
    assert names(door, episode_id) == ["Bram Stone", "Ada Quill"]


def test_names_are_taken_back_or_away(door: Any, episode_id: str) -> None:
    name(door, episode_id, {"S1": "Ada Quill", "S2": "Bram Stone"})
    name(door, episode_id, {"S1": None, "S2": {"name": None}}, 2)
    assert names(door, episode_id) == ["Greta Vance", None]

    name(door, episode_id, {"S1": {"name": None}}, 3)
    assert names(door, episode_id) == [None, None]


def test_all_that_is_known_of_a_person_can_be_said(door: Any, episode_id: str) -> None:
    said = {"name": "Ada Quill", "honorific": "Dr", "role": "guest", "description": "clocks", "aliases": ["Addie"]}

    speaker = name(door, episode_id, {"S2": said}).json()["speakers"][1]

    assert {field: speaker[field] for field in said} == said


@pytest.mark.parametrize("revision", [1, 2])
def test_the_same_request_again_makes_no_further_revision(door: Any, episode_id: str, revision: int) -> None:
    """As after an answer that was lost: the client still knows the first revision."""
    first = name(door, episode_id, {"S2": "Ada Quill"})
    again = name(door, episode_id, {"S2": "Ada Quill"}, revision)

    assert again.status_code == 200
    assert again.json() == first.json() | {"is_new": False}
    assert len(documents(door)) == 2
    assert len([each for _, each in door.queue.pending_events() if each.type == "transcript.revised.v1"]) == 1


@pytest.mark.parametrize("revision", [0, 1, 3, -1, 2**70])
def test_what_is_said_of_another_revision_than_the_current_one_changes_nothing(
    door: Any, episode_id: str, revision: int
) -> None:
    name(door, episode_id, {"S2": "Ada Quill"})
    before = documents(door)

    body = refused(name(door, episode_id, {"S2": "Bram Stone"}, revision), 409, "revision_outdated")

    assert body["field"] == "revision"
    assert "revision 2" in body["detail"]
    assert names(door, episode_id) == ["Greta Vance", "Ada Quill"]
    assert documents(door) == before


def test_while_the_episode_is_transcribed_again_nothing_is_named(door: Any, episode_id: str) -> None:
    door.upload(title="Tide tables", episode_id=episode_id, wording="verbatim")
    door.queue.claim("w1", lease_seconds=30.0)
    before = documents(door)

    refused(name(door, episode_id, {"S2": "Ada Quill"}), 409, "episode_in_work")

    assert documents(door) == before


def test_a_ledger_that_does_not_answer_leaves_the_document_for_the_reconciler(
    door: Any, episode_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not known whether the revision was made: to remove its document could leave a transcript without one."""

    def away(*_: Any, **__: Any) -> Any:
        raise TransientError("the ledger does not answer", code="database_unavailable")

    with monkeypatch.context() as patched:
        patched.setattr(door.queue, "revise", away)
        refused(name(door, episode_id, {"S2": "Ada Quill"}), 503, "database_unavailable")

    assert len(documents(door)) == 2
    assert name(door, episode_id, {"S2": "Ada Quill"}).json()["revision"] == 2


@pytest.mark.parametrize(
    ("speakers", "status", "code", "field"),
    [
        ({"S3": "Ada Quill"}, 404, "speaker_unknown", "speakers"),
        ({"S2": ""}, 422, "name_invalid", "speakers.S2"),
        ({"S2": "x" * 301}, 422, "name_invalid", "speakers.S2"),
        ({"S2": "Ada\u0007"}, 422, "name_invalid", "speakers.S2"),
        ({"S2": {"name": "Ada \u202e"}}, 422, "name_invalid", "speakers.S2"),
        ({"S1": "Ada Quill", "S2": "ada  quill"}, 409, "name_taken", "speakers.S1"),
        ({}, 422, "invalid_request", "speakers"),
        ([], 422, "invalid_request", "speakers"),
        ({"S2": {}}, 422, "invalid_request", None),
        ({"S2": {"nmae": "Ada"}}, 422, "invalid_request", None),
        ({"S2": {"name": "Ada", "honourific": "Dr"}}, 422, "invalid_request", None),
        ({"S2": {"name": "Ada", "role": "star"}}, 422, "invalid_request", None),
        ({"S2": 7}, 422, "invalid_request", None),
    ],
)
def test_what_cannot_be_named_so_is_refused_and_the_value_named(
    door: Any, episode_id: str, speakers: Any, status: int, code: str, field: str | None
) -> None:
    body = refused(name(door, episode_id, speakers), status, code)

    assert field is None or body["field"] == field
    assert names(door, episode_id) == ["Greta Vance", None]
    assert len(documents(door)) == 1


@pytest.mark.parametrize("revision", [True, "1", 1.5, None, [1]])
def test_a_revision_is_a_number_and_nothing_that_could_be_taken_for_one(
    door: Any, episode_id: str, revision: Any
) -> None:
    body = refused(name(door, episode_id, {"S2": "Ada Quill"}, revision), 422, "invalid_request")

    assert body["field"] == "revision"
    assert len(documents(door)) == 1


def test_an_honorific_that_is_given_empty_is_taken_away(door: Any, episode_id: str) -> None:
    name(door, episode_id, {"S2": {"name": "Ada Quill", "honorific": "Dr", "description": "clocks"}})

    speaker = name(door, episode_id, {"S2": {"name": "Ada Quill", "honorific": "", "description": " "}}, 2).json()[
        "speakers"
    ][1]

    assert (speaker["name"], speaker["honorific"], speaker["description"]) == ("Ada Quill", None, None)


def delete_at_the_next_read(door: Any, episode_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the episode deleted when something is read from the store next, right before it is read."""
    get = door.store.get

    def deleted_first(key: str) -> bytes | None:
        monkeypatch.setattr(door.store, "get", get)
        door.client.delete(f"/v1/episodes/{episode_id}")
        return get(key)

    monkeypatch.setattr(door.store, "get", deleted_first)


def test_a_deletion_that_comes_between_ledger_and_store_is_told(
    door: Any, episode_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete_at_the_next_read(door, episode_id, monkeypatch)
    refused(name(door, episode_id, {"S2": "Ada Quill"}), 410, "episode_deleted")


def test_a_transcript_that_is_deleted_while_it_is_read_is_gone(
    door: Any, episode_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete_at_the_next_read(door, episode_id, monkeypatch)
    refused(door.client.get(f"/v1/transcripts/{episode_id}"), 410, "episode_deleted")


def test_what_the_episode_taught_of_a_voice_under_the_wrong_name_is_forgotten(door: Any, episode_id: str) -> None:
    door.queue.voices = MemoryVoices()
    door.queue.voices.consent("Low Water", given_by="Jo Pym")
    for episode in (episode_id, "another episode"):
        door.queue.voices.learn(KnownVoice("Low Water", "Greta Vance", "campplus", episode, (0.6, 0.8), 42.5))

    name(door, episode_id, {"S2": "Ada Quill"})
    assert len(door.queue.voices.all()) == 2
    name(door, episode_id, {"S1": "Bram Stone"}, 2)
    assert [each.episode_id for each in door.queue.voices.all()] == ["another episode"]


def test_a_field_that_there_is_not_is_refused(door: Any, episode_id: str) -> None:
    body = {"revision": 1, "speakers": {"S2": "Ada Quill"}, "by": "Jo Pym"}

    refused(door.client.patch(f"/v1/transcripts/{episode_id}/speakers", json=body), 422, "invalid_request")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"speakers": {"S2": "Ada"}}', b'\xff\xfe{"a": 1}'])
def test_a_body_that_says_nothing_is_refused(door: Any, episode_id: str, body: bytes) -> None:
    refused(door.client.patch(f"/v1/transcripts/{episode_id}/speakers", content=body), 422, "invalid_request")


def test_an_enormous_body_is_refused(door: Any, episode_id: str) -> None:
    answer = door.client.patch(f"/v1/transcripts/{episode_id}/speakers", content=b" " * 300_000)

    refused(answer, 413, "request_too_large")


def test_an_episode_without_a_transcript_or_that_is_gone_or_unknown_cannot_be_named(
    door: Any, episode_id: str
) -> None:
    waiting = door.upload(title="Another", wording="verbatim")["episode_id"]

    refused(name(door, waiting, {"S1": "Ada Quill"}), 404, "transcript_not_found")
    refused(name(door, "no-such-episode", {"S1": "Ada Quill"}), 404, "transcript_not_found")
    name(door, episode_id, {"S2": "Ada Quill"})
    door.client.delete(f"/v1/episodes/{episode_id}")
    refused(name(door, episode_id, {"S1": "Ada Quill"}, 2), 410, "episode_deleted")
    assert documents(door) == []


def test_a_page_elsewhere_cannot_name_anybody(door: Any, episode_id: str) -> None:
    refused(name(door, episode_id, {"S2": "Ada Quill"}, Origin="http://elsewhere.example"), 403, "foreign_origin")


def test_the_description_of_the_api_has_the_whole_body(door: Any) -> None:
    described = door.client.get("/openapi.json").json()

    body = described["paths"]["/v1/transcripts/{episode_id}/speakers"]["patch"]["requestBody"]
    schema = body["content"]["application/json"]["schema"]
    assert set(schema["properties"]) == {"revision", "speakers"}
    assert "$ref" not in json.dumps(schema)


@pytest.mark.parametrize(
    ("speakers", "field", "detail"),
    [
        ({"S2": 7}, "speakers.S2", "speakers.S2=7: a name is a text, an object or null"),
        ({"S2": {"nmae": "Ada"}}, "speakers.S2.name", "speakers.S2.name: Field required"),
        ({"S2": {"name": "Ada", "role": "star"}}, "speakers.S2.role", "speakers.S2.role='star': Input should be"),
        ({"S2": {"name": ["x" * 999]}}, "speakers.S2.name", "speakers.S2.name=['xxx"),
        (7, "speakers", "speakers=7: Input should be"),
    ],
)
def test_a_wrong_body_is_told_in_its_own_words_with_the_value(
    door: Any, episode_id: str, speakers: Any, field: str, detail: str
) -> None:
    body = refused(name(door, episode_id, speakers), 422, "invalid_request")

    assert body["field"] == field
    assert body["detail"].startswith(detail)
    assert "ByHand" not in body["detail"]
    assert len(body["detail"]) < 300


def test_a_body_that_is_no_json_has_no_wrong_field(door: Any, episode_id: str) -> None:
    body = refused(door.client.patch(f"/v1/transcripts/{episode_id}/speakers", content=b"{"), 422, "invalid_request")

    assert "field" not in body
    assert "JSON" in body["detail"]
