"""The page about events shows every type and every topic, with the examples that the tests read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adapters.kafka import LETTER_HEADERS
from schemas.cloudevents import event_headers, read_event
from schemas.events import EventType
from schemas.topics import PLANS, Topic

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"### `([^`]+)`\n.*?```json\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("kind", list(EventType))
def test_every_type_is_shown_by_its_golden_event(kind: EventType) -> None:
    golden = (ROOT / "tests" / "golden" / "events" / f"{kind}.json").read_text(encoding="utf-8")

    assert dict(EXAMPLES)[kind] == golden


def test_no_type_is_shown_that_there_is_not() -> None:
    assert [name for name, _ in EXAMPLES] == list(EventType)


@pytest.mark.parametrize("topic", list(Topic))
def test_every_topic_is_in_the_table_with_its_partitions(topic: Topic) -> None:
    [row] = [line for line in PAGE.splitlines() if line.startswith(f"| `{topic}` |")]

    assert f"| {PLANS[topic].partitions} |" in row


def test_every_header_is_named() -> None:
    event = read_event(dict(EXAMPLES)[EventType.JOB_DONE])
    headers = [name for name, _ in event_headers(event)]

    assert [name for name in (*headers, *LETTER_HEADERS) if f"`{name}`" not in PAGE] == []
