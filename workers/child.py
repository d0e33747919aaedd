"""The supervisor's end of the engine child: start it, give it orders, hear it, kill it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing import Pipe
from typing import Protocol

from adapters.settings import Settings
from workers.messages import Begin, FromChild, ToChild


class EngineProcess(Protocol):
    """A process that takes orders and answers. Tests give a scripted one."""

    def order(self, message: ToChild) -> None:
        """Send an order. A dead child is noticed by `hear`, not here."""
        ...

    def hear(self, timeout_seconds: float) -> FromChild | None:
        """The next message, or None when there is none in time. Raises ChildDied."""
        ...

    def kill(self) -> None:
        """End it and everything it started, at once. A second time is fine."""
        ...


class ChildDied(Exception):
    """The child is gone; `how` says by which signal or status."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class ChildEngine:
    """The real child, a Python process of its own session: Ctrl-C at a terminal does not reach it.

    `environ` is added to this process's environment: which GPU the child sees.
    """

    def __init__(self, settings: Settings, *, environ: Mapping[str, str] | None = None) -> None:
        self._connection, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "workers.engine", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=2,  # a library that prints must not write into our own output
                start_new_session=True,
                env=os.environ | environ if environ else None,
            )
        self.order(Begin(settings, os.getpid()))

    @property
    def pid(self) -> int:
        return self._process.pid

    def order(self, message: ToChild) -> None:
        try:
            self._connection.send(message)
        except (BrokenPipeError, ConnectionResetError):
            return

    def hear(self, timeout_seconds: float) -> FromChild | None:
        try:
            if not self._connection.poll(timeout_seconds):
                return None
            message: FromChild = self._connection.recv()
            return message
        except (EOFError, ConnectionResetError) as error:
            self.kill()
            raise ChildDied(_how(self._process.returncode)) from error

    def kill(self) -> None:
        if self._connection.closed:
            return
        # The group's id is the child's own until the wait below, even when the child is dead already.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._connection.close()


def _how(status: int) -> str:
    if status < 0:
        return f"was killed by {signal.Signals(-status).name}"
    return f"ended with status {status}"
