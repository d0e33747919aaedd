"""Links on the command line: what is none is refused before anything is opened or asked."""

from __future__ import annotations

import pytest

from cli.service import submit
from cli.transcribe import transcribe
from schemas.errors import OptionError


@pytest.mark.parametrize("command", [submit, transcribe])
@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("ftp://pod.example/a.mp3", "url_refused"),
        ("file:///etc/passwd", "url_refused"),
        ("s3://harbour/a.mp3", "url_refused"),
        ("https://ada@pod.example/a.mp3", "url_refused"),
        ("HTTP://169.254.169.254/latest", "source_forbidden"),
    ],
)
def test_what_is_no_link_is_refused(command: object, address: str, code: str) -> None:
    with pytest.raises(OptionError) as raised:
        command(address)  # type: ignore[operator]

    assert raised.value.code == code
