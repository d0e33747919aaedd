"""The page about styles: its example is a style, and the page beside it is what that style writes."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from formats.catalogue import FORMATS, render
from formats.house_style import HouseStyle, LabelChoices, LayoutChoices, TargetChoices, TextChoices, parse_style
from formats.sample import SAMPLE

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "styles.md").read_text("utf-8")


def block(name: str) -> str:
    match = re.search(rf"<!-- {name}:begin -->\n```\w*\n(.*?)```\n<!-- {name}:end -->", PAGE, re.DOTALL)
    assert match
    return match[1]


def test_the_example_writes_the_page_beside_it() -> None:
    style: HouseStyle = parse_style(block("style"), source="docs/styles.md")

    assert render(SAMPLE, style=style).decode() == block("page").removesuffix("\n")


@pytest.mark.parametrize("table", [LabelChoices, LayoutChoices, TextChoices, TargetChoices])
def test_every_choice_is_explained(table: type) -> None:
    for each in fields(table):
        assert f"`{each.name}`" in PAGE or f".{each.name}`" in PAGE, each.name


@pytest.mark.parametrize("name", list(FORMATS))
def test_every_format_is_explained(name: str) -> None:
    assert f"`{name}`" in PAGE
