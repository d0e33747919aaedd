"""Sets from the model hub: against a hub on loopback, against huggingface_hub's own errors, and offline."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import constants

from adapters.model_sets import HubSource, read_set
from adapters.model_sources import Hub, HubProblem, hub_failure
from adapters.models import MANIFEST, find, pull, remove, verify
from schemas.errors import ModelError, NotReady

RECOGNIZER = "Owner/faster-whisper-nano"
VOICES = "Owner/voices"
COMMIT = "0123456789abcdef0123456789abcdef01234567"

#: Content by repository and file. model.bin is kept as a large file (SHA-256), the others as git blobs.
FILES = {
    (RECOGNIZER, "model.bin"): b"the words " * 5000,
    (RECOGNIZER, "config.json"): b"{}",
    (RECOGNIZER, "tokenizer.json"): b'{"tokens": []}',
    (RECOGNIZER, "vocabulary.txt"): b"a\nb\n",
    (RECOGNIZER, "README.md"): b"read me",
    (VOICES, "segmentation.bin"): b"who speaks when",
    (VOICES, "embedding.bin"): b"which voice",
}

SET = """
name = "nano"
description = "a set for tests"
recognizer = "faster-whisper nano"

[diarization]
segmentation = "segmentation/model.bin"
embedding = "embedding/model.bin"
clustering = "VBxClustering"
"""


def write_set(models_dir: Path) -> None:
    places = {"segmentation.bin": "segmentation/model.bin", "embedding.bin": "embedding/model.bin"}
    text = SET
    for repository, file in FILES:
        if file == "README.md":
            continue
        text += (
            f'\n[[files]]\ntarget = "{places.get(file, f"recognizer/{file}")}"\nlicence = "MIT"\npurpose = "tests"\n'
            f'source = {{ kind = "hub", repository = "{repository}", file = "{file}",'
            f" gated = {'true' if repository == VOICES else 'false'} }}\n"
        )
    (models_dir / "sets").mkdir(parents=True)
    (models_dir / "sets" / "nano.toml").write_text(text, encoding="utf-8")


@pytest.fixture
def hub(server: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Hub]:
    """A hub on loopback, spoken to through huggingface_hub itself."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    for (repository, file), content in FILES.items():
        tag = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
        headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{tag}"'}
        if file == "model.bin":
            headers |= {"X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"'}
            headers |= {"X-Linked-Size": str(len(content))}
        for revision in ("main", COMMIT):
            path = f"/{repository}/resolve/{revision}/{file}"
            server.files[path], server.headers[path] = content, headers
    names = [{"rfilename": file} for repository, file in FILES if repository == RECOGNIZER]
    listing = {"id": RECOGNIZER, "siblings": names, "private": False, "downloads": 0, "likes": 0, "tags": []}
    server.files[f"/api/models/{RECOGNIZER}"] = json.dumps(listing).encode()
    server.headers[f"/api/models/{RECOGNIZER}"] = {"Content-Type": "application/json"}

    def connect(token: str) -> Hub:
        return Hub(token, api=huggingface_hub.HfApi(endpoint=server.url(""), token=token or False))

    return connect


def close_gate(server: Any) -> None:
    """Let the voices' repository ask for terms, as the real hub does."""
    for path in server.files:
        if path.startswith(f"/{VOICES}/"):
            server.status[path] = 403
            server.headers[path] = {"X-Error-Code": "GatedRepo"}


def no_wait(seconds: float) -> None:
    """Stands in for sleep."""


def test_a_hub_set_is_checked_by_the_hubs_hashes_and_recorded_with_its_commit(tmp_path: Path, hub: Any) -> None:
    write_set(tmp_path)

    found = pull("nano", tmp_path, hub=hub)

    assert (found.recognizer / "model.bin").read_bytes() == FILES[RECOGNIZER, "model.bin"]
    recorded = {each["target"]: each for each in json.loads((found.folder / MANIFEST).read_bytes())["files"]}
    assert recorded["recognizer/config.json"]["sha256"] == hashlib.sha256(b"{}").hexdigest()
    assert recorded["recognizer/config.json"]["source"]["revision"] == COMMIT
    assert find("nano", tmp_path) == found


def test_a_second_pull_asks_the_hub_nothing(tmp_path: Path, hub: Any, server: Any) -> None:
    write_set(tmp_path)
    pull("nano", tmp_path, hub=hub)
    server.seen.clear()

    pull("nano", tmp_path, hub=hub)

    assert server.seen == []


def test_a_lost_file_comes_back_from_the_recorded_commit_alone(tmp_path: Path, hub: Any, server: Any) -> None:
    write_set(tmp_path)
    found = pull("nano", tmp_path, hub=hub)
    (found.recognizer / "vocabulary.txt").unlink()
    server.seen.clear()

    pull("nano", tmp_path, hub=hub)

    assert {path for _, path, _ in server.seen} == {f"/{RECOGNIZER}/resolve/{COMMIT}/vocabulary.txt"}


def test_a_hub_download_that_was_cut_goes_on_in_mid_file(tmp_path: Path, hub: Any, server: Any) -> None:
    write_set(tmp_path)
    server.cuts = [30000] + [0] * 20
    with pytest.raises(ModelError, match="the next pull goes on there"):
        pull("nano", tmp_path, hub=hub, sleep=no_wait)
    server.cuts.clear()
    server.seen.clear()

    pull("nano", tmp_path, hub=hub, sleep=no_wait)

    assert server.gets(f"/{RECOGNIZER}/resolve/{COMMIT}/model.bin") == ["bytes=30000-"]


@pytest.mark.parametrize("file", ["model.bin", "config.json"])
def test_content_that_is_not_what_the_hub_said_is_refused(tmp_path: Path, hub: Any, server: Any, file: str) -> None:
    write_set(tmp_path)
    path = f"/{RECOGNIZER}/resolve/{COMMIT}/{file}"
    server.files[path] = b"x" * len(server.files[path])

    with pytest.raises(ModelError, match="wrong content") as caught:
        pull("nano", tmp_path, hub=hub, sleep=no_wait)

    assert caught.value.code == "model_mismatch"
    assert not (tmp_path / "nano").exists()


def test_a_repository_named_directly_is_pulled_with_the_voices_of_starter(
    tmp_path: Path, hub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_set(tmp_path)
    lender = read_set("starter", tmp_path)
    for target in (lender.diarization.segmentation, lender.diarization.embedding):
        (tmp_path / "lent" / target).parent.mkdir(parents=True)
        (tmp_path / "lent" / target).write_bytes(target.encode())
    text = SET.replace('"nano"', '"starter"').replace("segmentation/model.bin", "segmentation/pytorch_model.bin")
    text = text.replace("embedding/model.bin", "embedding/campplus_cn_en_common.pt")
    for target, content in {
        "recognizer/model.bin": b"unused",
        lender.diarization.segmentation: lender.diarization.segmentation.encode(),
        lender.diarization.embedding: lender.diarization.embedding.encode(),
    }.items():
        text += (
            f'\n[[files]]\ntarget = "{target}"\nlicence = "MIT"\npurpose = "tests"\nsize_bytes = {len(content)}\n'
            f'sha256 = "{hashlib.sha256(content).hexdigest()}"\n'
            f'source = {{ kind = "folder", path = "{tmp_path / "lent" / target}" }}\n'
        )
    (tmp_path / "sets" / "starter.toml").write_text(text, encoding="utf-8")

    found = pull(RECOGNIZER, tmp_path, hub=hub)

    assert found.folder == tmp_path / "hub-Owner--faster-whisper-nano"
    assert sorted(each.name for each in found.recognizer.iterdir()) == [
        "config.json",
        "model.bin",
        "tokenizer.json",
        "vocabulary.txt",
    ]
    assert found.embedding.read_bytes() == b"embedding/campplus_cn_en_common.pt"
    assert find(RECOGNIZER, tmp_path) == found
    assert {each.state.value for each in verify(RECOGNIZER, tmp_path)} == {"right"}
    remove(RECOGNIZER, tmp_path)
    with pytest.raises(ModelError, match=f"`stenocast models pull {RECOGNIZER}`"):
        find(RECOGNIZER, tmp_path)


def test_without_a_token_a_gated_set_says_terms_and_token_in_one_message(
    tmp_path: Path, hub: Any, server: Any
) -> None:
    write_set(tmp_path)
    close_gate(server)

    with pytest.raises(ModelError) as caught:
        pull("nano", tmp_path, hub=hub)

    assert caught.value.code == "hub_token_missing"
    for said in (f"accept the terms on the page of {VOICES}", "STENOCAST_HUB_TOKEN or HF_TOKEN", "models pull nano"):
        assert said in caught.value.message
    assert not [each for each in server.seen if each[0] == "GET"]  # nothing large before all is known


def test_with_a_token_only_the_terms_are_missing(tmp_path: Path, hub: Any, server: Any) -> None:
    write_set(tmp_path)
    close_gate(server)

    with pytest.raises(ModelError, match=f"page of {VOICES} .*with the account of the access token") as caught:
        pull("nano", tmp_path, hub=hub, token="hf_secret")

    assert caught.value.code == "hub_gated"
    assert "hf_secret" not in caught.value.message
    assert "HF_TOKEN" not in caught.value.message


class FailingApi:
    """HfApi that raises huggingface_hub's own errors."""

    endpoint = "http://127.0.0.1:1"

    def __init__(self, error: Exception) -> None:
        self._error = error

    def get_hf_file_metadata(self, **asked: object) -> None:
        raise self._error


def answered(kind: str, status: int) -> Exception:
    """An error of huggingface_hub as it makes them itself, around an answer of the hub."""
    http = sys.modules[huggingface_hub.errors.HfHubHTTPError.__mro__[1].__module__.split(".")[0]]
    response = http.Response(status, request=http.Request("HEAD", "http://127.0.0.1:1/x"))
    made: Exception = getattr(huggingface_hub.errors, kind)("the hub's words", response=response)
    return made


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (
            lambda: answered("GatedRepoError", 403),
            "hub_token_missing",
            "accept the terms on the page of Owner/voices",
        ),
        (lambda: answered("RepositoryNotFoundError", 401), "hub_not_found", "no such repository, or it is private"),
        (lambda: answered("RemoteEntryNotFoundError", 404), "hub_not_found", "it has no model.bin"),
        (lambda: answered("RevisionNotFoundError", 404), "hub_not_found", "it has no model.bin"),
        (lambda: answered("HfHubHTTPError", 401), "hub_token_refused", "refused the access token"),
        (lambda: answered("HfHubHTTPError", 503), "hub_unreachable", "it answered 503"),
        (lambda: huggingface_hub.errors.OfflineModeIsEnabled("offline"), "hub_unreachable", "HF_HUB_OFFLINE is set"),
        (lambda: huggingface_hub.errors.HTTPError("no route to host"), "hub_unreachable", "no route to host"),
        (lambda: ConnectionError("connection refused"), "hub_unreachable", "connection refused"),
    ],
)
def test_every_error_of_the_hub_becomes_a_code_and_a_sentence(
    error: Callable[[], Exception], code: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_set(tmp_path)
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)

    with pytest.raises(ModelError) as caught:
        pull("nano", tmp_path, hub=lambda token: Hub(token, api=FailingApi(error())))

    assert caught.value.code == code
    assert said in caught.value.message
    assert "\n" not in caught.value.message


def test_a_hub_that_is_out_of_reach_still_gives_the_whole_list_of_what_is_missing() -> None:
    unreachable = [HubProblem(RECOGNIZER, "unreachable", "no route"), HubProblem(VOICES, "unreachable", "no route")]

    error = hub_failure("nano", unreachable, has_token=False, gated=[VOICES])

    assert error.code == "hub_unreachable"
    assert error.message == (
        "nano cannot be pulled yet: (1) the model hub cannot be reached (no route): check the network;"
        " (2) accept the terms on the page of Owner/voices on the hub with an account of the hub;"
        " (3) make an access token there and set STENOCAST_HUB_TOKEN or HF_TOKEN to it;"
        " then run `stenocast models pull nano`"
    )


@pytest.mark.processes
def test_offline_without_the_files_the_gpu_set_is_one_sentence_and_no_warning(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from adapters.models import pull; from schemas.errors import ModelError\n"
        "try: pull('gpu', pathlib.Path(sys.argv[1]))\n"
        "except ModelError as error: print(error.code, error.message)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "HF_TOKEN"}
    environment |= {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "no-login")}

    ended = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, env=environment, check=True
    )

    assert ended.stderr == ""
    assert ended.stdout.startswith("hub_unreachable gpu cannot be pulled yet: (1)")
    for said in ("HF_HUB_OFFLINE", "pyannote/speaker-diarization-community-1", "HF_TOKEN"):
        assert said in ended.stdout


@pytest.mark.parametrize(("name", "gated"), [("cpu", set()), ("gpu", {"pyannote/speaker-diarization-community-1"})])
def test_the_gated_repositories_of_the_shipped_sets_are_marked(name: str, gated: set[str], tmp_path: Path) -> None:
    sources = [each.source for each in read_set(name, tmp_path).files if isinstance(each.source, HubSource)]

    assert {each.repository for each in sources if each.gated} == gated


def test_a_core_installation_without_huggingface_hub_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)

    with pytest.raises(NotReady, match=r"requirements/worker\.txt") as caught:
        Hub()

    assert caught.value.code == "engine_missing"
