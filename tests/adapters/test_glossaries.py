"""Where a show's glossary is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.glossaries import glossary_file, show_glossary
from schemas.errors import NotFound, OptionError
from schemas.job import Term


def test_a_show_has_the_glossary_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "tide-talk.toml").write_text('[[term]]\nwrite = "Skerryvore"\n')

    assert show_glossary(tmp_path, "Tide Talk!") == (Term("Skerryvore"),)


@pytest.mark.parametrize("show", [None, "", "…", "Another Show", "x" * 400, "../tide-talk"])
def test_a_show_without_one_has_an_empty_glossary(tmp_path: Path, show: str | None) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "tide-talk.toml").write_text('[[term]]\nwrite = "Skerryvore"\n')

    assert show_glossary(tmp_path / "inner", show) == ()
    assert show_glossary(None, show) == ()


def test_a_wrong_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "tide-talk.toml").write_text("[[term]")

    with pytest.raises(OptionError, match=r"tide-talk\.toml: is no TOML") as caught:
        show_glossary(tmp_path, "Tide Talk")

    assert caught.value.code == "glossary_invalid"


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no such file"):
        glossary_file(tmp_path / "tide.toml")
