"""The examples of docs/wording.md do what they say."""

from __future__ import annotations

import re
from pathlib import Path

from schemas.job import Wording
from schemas.transcript import Word
from transcription.glossary import correct, read_glossary
from transcription.wording import tag_words, visible_text

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "wording.md").read_text(encoding="utf-8")


def said(text: str) -> list[Word]:
    return [Word(part, i * 0.4, i * 0.4 + 0.4) for i, part in enumerate(text.split())]


def test_each_wording_prints_the_example_of_the_page() -> None:
    rows = dict(re.findall(r"^\| `(\w+)`[^|]*\|[^|]*\| ([^|]+) \|$", PAGE, re.MULTILINE))

    assert set(rows) == set(Wording)
    for wording in Wording:
        assert visible_text(tag_words(said(rows["verbatim"]), wording, "en")) == rows[wording]


def test_the_glossary_of_the_page_corrects_its_example() -> None:
    toml = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    example = re.search(r'hyphens: "([^"]+)" becomes "([^"]+)"', PAGE)
    assert toml is not None
    assert example is not None

    terms = read_glossary(toml.group(1).encode(), name="docs/wording.md")

    assert " ".join(word.text for word in correct(said(example.group(1)), terms).words) == example.group(2)
