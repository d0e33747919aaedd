"""The promises of `Store`, kept by the folder and by its fake alike."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from adapters.folder import FolderStore
from adapters.memory import MemoryStore
from schemas.errors import NotFound, OptionError
from transcription.ports import Store


@pytest.fixture(params=["folder", "memory", pytest.param("s3", marks=pytest.mark.services)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "memory":
        return MemoryStore()
    if request.param == "folder":
        return FolderStore(tmp_path / "store")
    from adapters.s3 import S3Store

    # Parts as small as S3 lets them be, so that the large file of these tests goes up in several.
    client = request.getfixturevalue("s3").client()
    bucket: str = request.getfixturevalue("bucket")
    return S3Store(client, bucket, "our own/", part_bytes=5 * 1024 * 1024)


def test_what_was_put_is_there(store: Store) -> None:
    store.put("uploads/a/audio", b"sound")

    assert store.get("uploads/a/audio") == b"sound"
    assert store.exists("uploads/a/audio")
    assert store.size("uploads/a/audio") == 5


def test_what_was_never_put_is_not_there(store: Store) -> None:
    store.put("a/b", b"x")

    for key in ("nothing", "a", "a/b/c"):
        assert store.get(key) is None
        assert not store.exists(key)
        assert store.size(key) is None


def test_an_object_has_an_age_from_its_last_write_on(store: Store) -> None:
    assert store.age("a/b") is None
    store.put("a/b", b"x")

    age = store.age("a/b")
    assert age is not None
    assert 0 <= age < 60


def test_an_empty_object_is_an_object(store: Store, tmp_path: Path) -> None:
    store.put("a", b"")

    store.fetch("a", tmp_path / "out")

    assert (store.get("a"), store.size("a"), store.exists("a")) == (b"", 0, True)
    assert b"".join(store.read("a", 0, 10)) == b""
    assert (tmp_path / "out").read_bytes() == b""


def test_the_last_content_of_a_key_stays(store: Store) -> None:
    store.put("k", b"first")
    store.put("k", b"second")

    assert store.get("k") == b"second"


def test_a_file_is_put_and_fetched_whole(store: Store, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"ab" * 4_000_000)
    store.put_file("big", tmp_path / "in")
    store.fetch("big", tmp_path / "out")

    assert (tmp_path / "out").read_bytes() == b"ab" * 4_000_000


def test_fetching_what_is_not_there_leaves_no_file(store: Store, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        store.fetch("nothing", tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_a_fetched_file_is_a_copy(store: Store, tmp_path: Path) -> None:
    store.put("k", b"kept")
    store.fetch("k", tmp_path / "out")
    (tmp_path / "out").write_bytes(b"changed")

    assert store.get("k") == b"kept"


@pytest.mark.parametrize(
    ("start", "end", "expected"), [(0, 3, b"012"), (3, 10, b"3456789"), (8, 99, b"89"), (4, 4, b"")]
)
def test_a_range_is_read_as_asked(store: Store, start: int, end: int, expected: bytes) -> None:
    store.put("k", b"0123456789")

    assert b"".join(store.read("k", start, end)) == expected


def test_reading_what_is_not_there_is_refused(store: Store) -> None:
    with pytest.raises(NotFound):
        store.read("nothing", 0, 1)


def test_keys_are_those_under_the_prefix_in_order(store: Store) -> None:
    for key in ("results/j/2/t.json", "results/j/1/t.json", "results/jj/1/t.json", "uploads/a"):
        store.put(key, b"x")

    assert list(store.keys("results/j/")) == ["results/j/1/t.json", "results/j/2/t.json"]
    assert list(store.keys("nothing/")) == []


def test_a_deleted_key_is_gone_and_deleting_it_again_is_fine(store: Store) -> None:
    store.put("a/b/c", b"x")
    store.put("a/d", b"y")
    store.delete("a/b/c")
    store.delete("a/b/c")

    assert list(store.keys("")) == ["a/d"]


@pytest.mark.parametrize(
    "key",
    [
        *("", "/etc/passwd", "../x", "a/../../x", "a//b", "a/./b", "a/", ".hidden", "a/.hidden"),
        *("a\0b", "a\\b", "a\nb", "\u202ea"),
        *("x" * 256, "/".join(["ab"] * 400)),
    ],
)
def test_a_key_that_is_no_plain_path_is_refused(store: Store, key: str) -> None:
    for use in (store.get, store.exists, store.delete, lambda bad: store.put(bad, b"x")):
        with pytest.raises(OptionError) as refusal:
            use(key)
        assert refusal.value.code == "bad_key"


def test_a_key_may_hold_letters_of_any_script(store: Store) -> None:
    store.put("uploads/Überlandgespräch 1.mp3", b"x")

    assert list(store.keys("uploads/")) == ["uploads/Überlandgespräch 1.mp3"]


def test_others_find_an_object_by_its_uri(store: Store, request: pytest.FixtureRequest) -> None:
    store.put("results/é/a b.json", b"x")

    parts = urlsplit(store.uri("results/é/a b.json"))

    if parts.scheme == "file":
        assert Path(unquote(parts.path)).read_bytes() == b"x"
    elif parts.scheme == "s3":
        client = request.getfixturevalue("s3").client()
        assert client.get_object(Bucket=parts.netloc, Key=unquote(parts.path[1:]))["Body"].read() == b"x"
    else:
        assert parts.scheme == "memory"
