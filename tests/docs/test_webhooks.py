"""The page about webhooks: its ten lines verify what is sent, and the numbers that it promises are the code's."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import typer

from adapters.webhook_desk import KEEP_SECRET_SECONDS
from adapters.webhook_sender import TIMEOUT_SECONDS, new_secret, signature
from cli.webhooks import app
from schemas.webhook import USUAL
from transcription.deliveries import LAST_TRY_SECONDS, RETRY_SECONDS
from workers.publisher import KEEP_SECONDS
from workers.webhooks import MOST_AT_ONCE

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")


def test_the_lines_that_verify_take_what_is_sent_and_nothing_else() -> None:
    [lines] = re.findall(r"<!-- verify:begin -->\n```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, object] = {}
    exec(lines, names)
    is_genuine = names["is_genuine"]
    assert callable(is_genuine)
    body, now, secrets = b'{"id": "event-1"}', datetime.now(UTC), [new_secret(), new_secret()]
    headers = signature("event-1", body, secrets, now)

    assert [is_genuine(each, headers, body) for each in secrets] == [True, True]
    assert not is_genuine(new_secret(), headers, body)
    assert not is_genuine(secrets[0], headers, body + b" ")
    assert not is_genuine(secrets[0], headers | {"webhook-id": "event-2"}, body)
    old = signature("event-1", body, secrets, now - timedelta(minutes=6))
    assert not is_genuine(secrets[0], old, body)


def test_every_header_is_named() -> None:
    for name in signature("event-1", b"", [new_secret()], datetime.now(UTC)):
        assert f"| `{name}` |" in PAGE


def test_the_numbers_are_those_of_the_code() -> None:
    assert RETRY_SECONDS[:8] == (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000)
    assert "5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h and 20 h later" in PAGE
    assert f"{LAST_TRY_SECONDS / 3600:.0f} hours" in PAGE
    assert f"within {TIMEOUT_SECONDS:.0f} seconds" in PAGE
    assert f"of the {MOST_AT_ONCE} sent to at a time" in PAGE
    assert f"for {KEEP_SECRET_SECONDS / 3600:.0f} hours after `webhooks rotate`" in PAGE
    assert KEEP_SECONDS == 7 * 86_400
    assert all(f"`{kind}`" in PAGE for kind in USUAL)


def test_every_command_on_the_page_is_one() -> None:
    known = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    pages = [
        PAGE,
        *((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("operations.md", "reference.md")),
    ]

    assert set(re.findall(r"(?:stenocast |`)webhooks ([a-z]+)", "\n".join(pages))) <= known
