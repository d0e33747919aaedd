"""The promises of `DropBox`: every read is of the version that a drop is pinned to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adapters.memory import MemoryDropBox
from schemas.drop import Drop, read_drop
from schemas.errors import AudioError, InputError, NotFound
from tests.servers import S3Server
from transcription.ports import DropBox


@dataclass
class Harbour:
    """A bucket with a box that looks into it, and the producer's side of it."""

    box: DropBox
    bucket: str
    put: Callable[[str, bytes], None]
    remove: Callable[[str], None]

    def look(self, key: str) -> Drop:
        drop = self.box.look(self.bucket, key)
        assert drop is not None
        return drop


def in_memory(*, keeps_versions: bool) -> Harbour:
    box = MemoryDropBox(keeps_versions=keeps_versions)
    return Harbour(
        box, "harbour", lambda key, content: _put(box, key, content), lambda key: box.remove("harbour", key)
    )


def _put(box: MemoryDropBox, key: str, content: bytes) -> None:
    box.put("harbour", key, content)


def on_s3(server: S3Server, bucket: str) -> Harbour:
    from adapters.s3 import S3DropBox

    client = server.client()
    return Harbour(
        S3DropBox(client, home=bucket),
        bucket,
        lambda key, content: _upload(client, bucket, key, content),
        lambda key: client.delete_object(Bucket=bucket, Key=key),
    )


def _upload(client: Any, bucket: str, key: str, content: bytes) -> None:
    client.put_object(Bucket=bucket, Key=key, Body=content)


@pytest.fixture(
    params=[
        "memory",
        "memory with versions",
        pytest.param("s3", marks=pytest.mark.services),
        pytest.param("s3 with versions", marks=pytest.mark.services),
    ]
)
def harbour(request: pytest.FixtureRequest) -> Iterator[Harbour]:
    keeps_versions = "with versions" in request.param
    if request.param.startswith("memory"):
        yield in_memory(keeps_versions=keeps_versions)
        return
    server: S3Server = request.getfixturevalue("s3")
    bucket = server.new_bucket(versions=keeps_versions)
    yield on_s3(server, bucket)
    server.remove_bucket(bucket)


def test_what_lies_there_is_seen_with_its_size_and_a_pin(harbour: Harbour) -> None:
    harbour.put("in/ep 1 é.mp3", b"sound")

    drop = harbour.look("in/ep 1 é.mp3")

    assert (drop.bucket, drop.key, drop.size_bytes) == (harbour.bucket, "in/ep 1 é.mp3", 5)
    assert drop.etag
    assert '"' not in drop.etag


def test_an_empty_drop_is_seen_and_fetched(harbour: Harbour, tmp_path: Path) -> None:
    harbour.put("a.mp3", b"")

    harbour.box.fetch(harbour.look("a.mp3"), tmp_path / "audio")

    assert harbour.look("a.mp3").size_bytes == 0
    assert (tmp_path / "audio").read_bytes() == b""


def test_nothing_is_seen_where_nothing_lies_or_lies_no_longer(harbour: Harbour) -> None:
    harbour.put("a.mp3", b"sound")
    harbour.remove("a.mp3")

    assert harbour.box.look(harbour.bucket, "a.mp3") is None
    assert harbour.box.look(harbour.bucket, "b.mp3") is None
    assert list(harbour.box.listed(harbour.bucket, "")) == []


def test_the_list_has_everything_under_a_prefix_by_key(harbour: Harbour) -> None:
    for key in ("in/b.mp3", "in/a.mp3", "out/c.mp3"):
        harbour.put(key, b"sound")

    found = list(harbour.box.listed(harbour.bucket, "in/"))

    assert [(each.key, each.size_bytes) for each in found] == [("in/a.mp3", 5), ("in/b.mp3", 5)]


def test_the_list_pins_as_looking_does(harbour: Harbour) -> None:
    harbour.put("a.mp3", b"first")
    harbour.put("a.mp3", b"sound")

    assert list(harbour.box.listed(harbour.bucket, "")) == [harbour.look("a.mp3")]


def test_a_drop_is_fetched_and_read_as_it_was_seen(harbour: Harbour, tmp_path: Path) -> None:
    harbour.put("a.mp3", b"sound")
    drop = read_drop(harbour.look("a.mp3").uri)

    harbour.box.fetch(drop, tmp_path / "audio")

    assert (tmp_path / "audio").read_bytes() == b"sound"
    assert b"".join(harbour.box.read(drop, 1, 3)) == b"ou"
    assert harbour.box.get(drop, most_bytes=5) == b"sound"


def test_an_object_that_was_replaced_is_never_read_for_the_one_before(harbour: Harbour, tmp_path: Path) -> None:
    harbour.put("a.mp3", b"first")
    first = harbour.look("a.mp3")
    harbour.put("a.mp3", b"second")

    if first.version_id is not None:
        harbour.box.fetch(first, tmp_path / "audio")
        assert (tmp_path / "audio").read_bytes() == b"first"
        return
    with pytest.raises(AudioError) as caught:
        harbour.box.fetch(first, tmp_path / "audio")
    assert caught.value.code == "source_changed"
    assert not (tmp_path / "audio").exists()


def test_a_drop_that_was_removed_is_not_found(harbour: Harbour, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        harbour.box.fetch(Drop(harbour.bucket, "nothing.mp3"), tmp_path / "audio")

    assert not (tmp_path / "audio").exists()


def test_a_small_object_that_is_large_is_refused(harbour: Harbour) -> None:
    harbour.put("a.json", b"x" * 11)

    with pytest.raises(InputError) as caught:
        harbour.box.get(harbour.look("a.json"), most_bytes=10)

    assert caught.value.code == "metadata_invalid"
