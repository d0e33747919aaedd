"""What a process of the service has beside its work."""

from __future__ import annotations

import urllib.request

from adapters.memory import MemoryQueue, MemoryStore
from adapters.settings import Settings
from cli.observed import health_door, unreachable
from schemas.errors import TransientError


class NoStore(MemoryStore):
    def exists(self, key: str) -> bool:
        raise TransientError("the bucket does not answer")


class NoQueue(MemoryQueue):
    def jobs(self, **_: object) -> list:
        raise TransientError("the ledger does not answer")


def queue_of(kind: type[MemoryQueue]) -> MemoryQueue:
    return kind(now=lambda: 0.0, new_id=lambda: "1")


def test_readiness_needs_the_ledger_and_the_store() -> None:
    assert unreachable(queue_of(MemoryQueue), MemoryStore()) == []
    assert unreachable(queue_of(NoQueue), NoStore()) == ["the ledger does not answer", "the bucket does not answer"]


def test_without_a_metrics_port_nothing_listens_and_with_one_the_probes_are_answered() -> None:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    with health_door(Settings(metrics_port=0), list):
        pass
    with (
        health_door(Settings(metrics_port=port), list),
        urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer,
    ):
        assert answer.status == 200
