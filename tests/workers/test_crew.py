"""Several devices of one worker: they end together, when all are idle, or with the first that cannot go on."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from schemas.errors import ModelError
from workers.crew import Crew
from workers.idleness import Idleness


@dataclass
class Device:
    """A supervisor that runs until it is stopped, or fails."""

    stop: threading.Event
    error: Exception | None = None
    runs: list[dict[str, Any]] = field(default_factory=list)

    def run(self, **how: Any) -> None:
        self.runs.append(how)
        if self.error is not None:
            raise self.error
        assert self.stop.wait(10.0), "nobody stopped it"


def test_the_first_device_that_cannot_go_on_ends_them_all() -> None:
    stop = threading.Event()
    devices = [Device(stop), Device(stop, ModelError("large: not here")), Device(stop)]

    with pytest.raises(ModelError, match="not here"):
        Crew(devices, stop).run(preload="large")  # type: ignore[arg-type]
    assert [len(device.runs) for device in devices] == [1, 1, 1]


def test_one_job_is_the_first_device_s() -> None:
    stop = threading.Event()
    stop.set()
    devices = [Device(stop), Device(stop)]
    Crew(devices, stop).run(once=True)  # type: ignore[arg-type]

    assert [len(device.runs) for device in devices] == [1, 0]


def test_a_worker_is_idle_only_when_none_of_its_devices_has_work() -> None:
    now = [0.0]
    idleness = Idleness(lambda: now[0])
    now[0] = 10.0
    assert idleness.is_at_least(10.0)

    with idleness.interrupted():
        with idleness.interrupted():
            now[0] = 30.0
        now[0] = 50.0
        assert not idleness.is_at_least(0.0)
    now[0] = 59.0

    assert not idleness.is_at_least(10.0)
    now[0] = 60.0
    assert idleness.is_at_least(10.0)


def test_a_supervisor_loads_nothing_that_only_its_engine_needs() -> None:
    """It starts in two thirds of the time so, and so do intake, publisher and the commands about jobs."""
    code = (
        "import sys, adapters.wiring, workers.embedded, workers.engine, workers.publisher;"
        "heavy = ('transcription.pipeline', 'transcription.naming', 'formats.catalogue', 'jinja2');"
        "print([each for each in heavy if each in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
