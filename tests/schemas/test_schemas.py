"""The nouns: published schemas are true, documents survive the border, errors keep their promises."""

from __future__ import annotations

import inspect
import json
import pickle
from dataclasses import replace

import jsonschema
import pytest

from schemas import errors
from schemas.episode import Episode, Participant, Role
from schemas.errors import InputError, PageError, StenocastError
from schemas.job import LEGAL_MOVES, Job, JobState
from schemas.publish import FOLDER, PUBLISHED, schema_text
from schemas.sidecar import Sidecar, read_sidecar
from schemas.transcript import Paragraph, Speaker, Transcript, Turn, Word, WordTag
from schemas.wire import read_json, repeated_field, to_record, write_json

DOCUMENT = Transcript(
    episode=Episode(id="7d5c9c6e-0d55-5d2a-a3ab-8b1b1a7c9f10", participants=(Participant("Ada Quill", Role.HOST),)),
    speakers=(Speaker("S1", name="Ada Quill"),),
    turns=(
        Turn(
            "T1",
            "S1",
            (Paragraph("P1", "Good morning.", 0.1, 0.9, (Word("Good", 0.1, 0.4, 0.9, (WordTag.DOUBTFUL,)),)),),
        ),
    ),
)


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_the_published_schema_is_what_the_dataclasses_say(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == schema_text(name), "run `make schemas`"


def test_a_document_survives_the_border_unchanged() -> None:
    assert read_json(Transcript, write_json(DOCUMENT)) == DOCUMENT


def test_a_written_document_satisfies_its_published_schema() -> None:
    schema = json.loads((FOLDER / "transcript-1.json").read_text(encoding="utf-8"))

    jsonschema.validate(to_record(DOCUMENT), schema)


def test_a_wrong_document_is_refused_with_the_place_of_the_first_wrong_field() -> None:
    record = to_record(DOCUMENT)
    record["turns"][0]["paragraphs"][0]["start"] = "soon"

    with pytest.raises(PageError, match=r"turns\.0\.paragraphs\.0\.start") as caught:
        read_json(Transcript, json.dumps(record))
    assert caught.value.code == "document_invalid"


def _all_errors(root: type[StenocastError]) -> list[type[StenocastError]]:
    return [root, *(each for child in root.__subclasses__() for each in _all_errors(child))]


def test_every_error_class_stands_in_the_tree_at_the_top_of_its_module() -> None:
    tree = inspect.getdoc(errors) or ""

    assert all(kind.__name__ in tree for kind in _all_errors(StenocastError))


def test_every_error_class_has_a_code_of_its_own() -> None:
    codes = [kind.default_code for kind in _all_errors(StenocastError)]

    assert len(set(codes)) == len(codes)


def test_an_error_crosses_a_process_border_unchanged() -> None:
    error = InputError("a.mp3: not audio", code="unsupported_container", field="audio")

    copy = pickle.loads(pickle.dumps(error))

    assert (type(copy), copy.message, copy.code, copy.field) == (InputError, error.message, error.code, error.field)


def test_no_final_state_but_failed_can_be_left() -> None:
    left = {state for state in JobState if state.is_final and LEGAL_MOVES[state]}

    assert left == {JobState.FAILED}


def test_a_job_survives_the_border() -> None:
    job = Job("j", "e", JobState.QUEUED, "2026-03-01T08:00:00Z", "2026-03-01T08:00:00Z")

    assert read_json(Job, write_json(job)) == job


def test_a_metadata_file_fills_only_what_is_empty() -> None:
    sidecar = read_sidecar(b'{"title": "From the file", "show": "Tidewater"}', name="a.json")

    described = sidecar.describe(replace(DOCUMENT.episode, title="Given"))

    assert (described.title, described.show) == ("Given", "Tidewater")
    assert described.participants == DOCUMENT.episode.participants


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"title": 3}',
        b'{"participants": "Ada"}',
        b'{"titel": "x"}',
        b"\xff\xfe",
        b"[" * 10_000,
        b" " * 1_000_001,
    ],
)
def test_a_wrong_metadata_file_is_an_input_error_that_names_it(content: bytes) -> None:
    with pytest.raises(InputError, match=r"ep\.json: ") as caught:
        read_sidecar(content, name="ep.json")
    assert caught.value.code == "metadata_invalid"


def test_a_misspelt_field_of_a_metadata_file_is_told_which_one_was_meant() -> None:
    with pytest.raises(InputError, match=r"partcipants: no such field; did you mean 'participants'\?$"):
        read_sidecar(b'{"partcipants": []}', name="ep.json")
    with pytest.raises(InputError, match=r"participants\.0\.participant: no such field$"):
        read_sidecar(b'{"participants": [{"name": "Ada", "participant": 1}]}', name="ep.json")


def test_an_empty_metadata_object_says_nothing() -> None:
    assert read_sidecar(b"{}", name="a.json") == Sidecar()


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b'{"a": 1, "b": {"a": 1}, "c": [{"a": 1}, {"a": 2}]}', None),
        (b'{"a": 1, "a": 1}', "a"),
        (b'[{"b": {"a": 1, "\\u0061": 2}}]', "a"),
        (b"[" * 100_000, None),
        (b'{"a": 1, "a"', None),
        (b"\xff", None),
    ],
)
def test_a_field_that_an_object_has_twice_is_found(content: bytes, field: str | None) -> None:
    assert repeated_field(content) == field
