"""Files that a command leaves behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cli.output import write_file
from schemas.errors import InputError


def test_a_file_that_cannot_be_finished_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.txt"
    page.write_bytes(b"before")

    def full(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[:3])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match=r"page\.txt: cannot be written: No space left on device") as caught:
        write_file(page, b"after")

    assert caught.value.code == "output_unwritable"
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("page.txt", b"before")]


def test_a_file_that_is_replaced_keeps_its_mode_and_a_link_to_it_stays_a_link(tmp_path: Path) -> None:
    page, link = tmp_path / "page.txt", tmp_path / "link.txt"
    page.write_bytes(b"before")
    page.chmod(0o640)
    link.symlink_to(page)

    write_file(link, b"after")

    assert link.is_symlink()
    assert page.read_bytes() == b"after"
    assert page.stat().st_mode & 0o777 == 0o640


def test_a_new_file_has_the_mode_of_any_other(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"")

    write_file(tmp_path / "page.txt", b"page")

    assert (tmp_path / "page.txt").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_what_is_no_plain_file_is_written_to_directly(tmp_path: Path) -> None:
    reader, writer = os.pipe()

    write_file(Path(f"/dev/fd/{writer}"), b"page")

    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        assert stream.read() == b"page"


@pytest.mark.parametrize("place", [".", "nowhere/page.txt", "ring"])
def test_a_place_that_takes_no_file_is_named(tmp_path: Path, place: str) -> None:
    (tmp_path / "ring").symlink_to("ring")

    with pytest.raises(InputError, match=r"cannot be written: \w+") as caught:
        write_file(tmp_path / place, b"page")

    assert caught.value.code == "output_unwritable"
    assert [each.name for each in tmp_path.iterdir()] == ["ring"]
