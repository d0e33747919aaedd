"""The reference page names every setting, event type, error code and warning code that the source has."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from adapters.settings import Settings
from schemas.errors import AUDIO_CODES
from schemas.events import EventType
from transcription.drops import AUDIO_ENDINGS

ROOT = Path(__file__).resolve().parent.parent.parent
ROOMS = ("schemas", "transcription", "formats", "adapters", "workers", "api", "cli")
PAGE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")


def _calls() -> Iterator[ast.AST]:
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _error_codes() -> set[str]:
    found = set(AUDIO_CODES) | {"crashed_repeatedly"}
    for node in _calls():
        if isinstance(node, ast.Call):
            found |= {text for each in node.keywords if each.arg == "code" and (text := _text(each.value))}
        if isinstance(node, ast.AnnAssign | ast.Assign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if getattr(target, "id", "") == "default_code" and (text := _text(node.value)):
                found.add(text)
    return found


def _warning_codes() -> set[str]:
    calls = (node for node in _calls() if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Warning")
    return {text for call in calls if call.args and (text := _text(call.args[0]))}


@pytest.mark.parametrize("name", sorted(each.name for each in fields(Settings)))
def test_every_setting_is_described(name: str) -> None:
    assert f"`STENOCAST_{name.upper()}`" in PAGE


@pytest.mark.parametrize("code", sorted(_error_codes()))
def test_every_error_code_is_explained(code: str) -> None:
    assert f"| `{code}` |" in PAGE


@pytest.mark.parametrize("code", sorted(_warning_codes()))
def test_every_warning_code_is_explained(code: str) -> None:
    assert f"| `{code}` |" in PAGE


@pytest.mark.parametrize("kind", list(EventType))
def test_every_event_type_is_listed(kind: EventType) -> None:
    assert f"| `{kind}` |" in PAGE


def test_the_endings_of_recordings_in_the_bucket_are_listed() -> None:
    page = (ROOT / "docs" / "drops.md").read_text(encoding="utf-8")
    listed = " ".join(line for line in page.splitlines() if line.startswith("> "))

    assert set(AUDIO_ENDINGS) <= set(re.findall(r"\w+", listed))


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
