"""The one door to every format and style."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats import catalogue
from schemas.episode import Episode
from schemas.errors import NotFound, OptionError, PageError
from schemas.transcript import Transcript


def test_the_house_styles_and_formats_are_there() -> None:
    assert [style.name for style in catalogue.styles()] == [
        "caps-list", "full-then-first", "name-line", "numbered-timestamps",
    ]  # fmt: skip
    assert list(catalogue.FORMATS) == [
        "json", "text", "markdown", "html", "docx", "vtt", "srt", "podcast-json", "rss", "rttm", "ctm", "stm",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "code", "known"),
    [
        ({"format": "docm"}, "format_unknown", "podcast-json"),
        ({"style": "caps"}, "style_unknown", "numbered-timestamps"),
        ({"style": "../secrets"}, "style_unknown", "name-line"),
    ],
)
def test_an_unknown_name_is_refused_with_the_known_ones(arguments: dict[str, str], code: str, known: str) -> None:
    for ask in (
        lambda: catalogue.render(Transcript(Episode("x")), **arguments),
        lambda: catalogue.read(b"x", **arguments),
        lambda: catalogue.media_type(**arguments),
        lambda: catalogue.suffix(**arguments),
    ):
        with pytest.raises(NotFound, match=known) as caught:
            ask()
        assert caught.value.code == code


def test_a_path_over_the_network_opens_no_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "own.toml").write_text("name = 'own'")

    with pytest.raises(NotFound):
        catalogue.render(Transcript(Episode("x")), style=str(tmp_path / "own.toml"))


def test_a_style_and_a_format_exclude_each_other() -> None:
    with pytest.raises(OptionError):
        catalogue.render(Transcript(Episode("x")), format="vtt", style="name-line")


def test_text_is_written_but_not_read_back() -> None:
    with pytest.raises(NotFound, match="not read back"):
        catalogue.read(b"x", format="text")


@pytest.mark.parametrize("content", [b"{}", b"[]", b'{"schema": 1}', b"\xff", b"", b"[" * 100_000])
def test_a_wrong_document_is_refused_with_its_name(content: bytes) -> None:
    with pytest.raises(PageError, match=r"doc\.json: "):
        catalogue.read(content, format="json", name="doc.json")


@pytest.mark.parametrize("format", ["json", "vtt", "srt", "podcast-json"])
def test_content_is_read_for_what_it_is(transcript: Transcript, format: str) -> None:
    content = catalogue.render(transcript, format=format)

    assert catalogue.read(content) == catalogue.read(content, format=format)


def test_the_document_is_read_as_it_was_written(transcript: Transcript) -> None:
    assert catalogue.read(catalogue.render(transcript, format="json"), format="json") == transcript


@given(st.text(max_size=200), st.sampled_from(["json", "vtt", None]))
def test_a_file_name_is_never_a_path_nor_hidden(title: str, format: str | None) -> None:
    name = catalogue.file_name(Transcript(Episode("x", title=title)), format=format)

    assert re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,99}", name)


def test_media_types_are_those_of_the_standards() -> None:
    assert catalogue.media_type(format="vtt").startswith("text/vtt")
    assert catalogue.media_type(format="srt").startswith("application/x-subrip")
    assert catalogue.media_type(format="podcast-json") == "application/json"
    assert catalogue.media_type(style="caps-list").startswith("text/plain")


def test_the_style_that_an_episode_asks_for_is_written_first() -> None:
    asking = Transcript(Episode("x", title="Tides", style="caps-list"))

    assert catalogue.render(asking) == catalogue.render(asking, style="caps-list")
    assert catalogue.file_name(asking) == "tides.caps-list.txt"
    assert catalogue.file_name(Transcript(Episode("x", title="Tides", style="no-such"))) == "tides.name-line.txt"
