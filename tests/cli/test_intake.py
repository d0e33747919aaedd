"""`stenocast intake` with nobody at the address that it was given."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE_SECONDS = 90.0  #: on a busy machine; only failures wait so long


def test_a_wrong_address_is_named_with_the_reason_and_no_signal_is_missed(tmp_path: Path) -> None:
    settings = {"DATA_DIR": tmp_path, "KAFKA_BOOTSTRAP": "127.0.0.1:1", "DROP_URL": "s3://harbour/incoming"}
    environment = os.environ | {f"STENOCAST_{name}": str(value) for name, value in settings.items()}
    log = tmp_path / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", "intake"], env=environment, cwd=ROOT, stderr=out
        )
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while "records not taken in" not in log.read_text() and time.monotonic() < deadline:
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        status = process.wait(PATIENCE_SECONDS)
    finally:
        process.kill()
        process.wait()

    started, failed, *_ = log.read_text().splitlines()
    assert "intake started" in started
    assert "127.0.0.1:1" in started
    assert "kafka_unavailable" in failed
    assert "127.0.0.1:1: [Errno 111]" in failed
    assert "STENOCAST_KAFKA_BOOTSTRAP" in failed
    assert status == 0
