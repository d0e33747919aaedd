"""The README shows what `make demo` prints: `tests/golden/demo.json` is the document that it made.

The real engines are held against that document in tests/end_to_end/test_real_engines.py. When they rightly say
something else, copy build/demo/episode.transcript.json here (without the seconds of its stages) and mend the README.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from cli.progress import clock_text
from formats.catalogue import read, render, styles
from schemas.transcript import Transcript

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
WIDTH = 100  #: columns of the README's excerpts


@pytest.fixture(scope="module")
def demo() -> Transcript:
    return read((ROOT / "tests" / "golden" / "demo.json").read_bytes(), format="json")


def part(name: str) -> str:
    match = re.search(rf"<!-- {name}:begin -->\n(.*?)<!-- {name}:end -->", README, re.DOTALL)
    assert match
    return match[1]


def excerpts() -> dict[str, str]:
    return dict(re.findall(r"`([a-z-]+)`\n\n```\n(.*?)\n```\n", part("demo"), re.DOTALL))


def wrapped(page: str) -> str:
    made: list[str] = []
    for line in page.split("\n"):
        indent = line[: len(line) - len(line.lstrip(" "))]
        made += textwrap.wrap(line.strip(), WIDTH, initial_indent=indent, subsequent_indent=indent) or [""]
    return "\n".join(made)


def test_one_episode_is_shown_in_every_house_style() -> None:
    assert sorted(excerpts()) == sorted(style.name for style in styles())


@pytest.mark.parametrize("style", [style.name for style in styles()])
def test_an_excerpt_is_what_the_style_prints_of_the_demo(demo: Transcript, style: str) -> None:
    shown = excerpts()[style].removesuffix(" …")

    assert shown in wrapped(render(demo, style=style).decode("utf-8"))
    assert shown.count("Well, I had just moved into a small flat and I missed my garden.") == 1


def test_each_name_is_shown_with_the_evidence_that_the_demo_has(demo: Transcript) -> None:
    lines = [
        f"{each.name:<16}{first.method.replace('_', ' ')} at {clock_text(first.start or 0)}: “{first.quote}”"
        for each in demo.speakers
        for first in each.evidence[:1]
    ]

    assert part("names") == "```\n" + "\n".join(lines) + "\n```\n"
