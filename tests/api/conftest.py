"""An API over the fakes, and a small recording to send to it."""

from __future__ import annotations

import io
import itertools
import math
import struct
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from adapters.memory import MemoryDropBox, MemoryQueue, MemoryStore
from adapters.metrics import Metrics
from adapters.outward import Outward, PlainHttp, networks
from adapters.settings import Settings
from adapters.webhook_desk import WebhookDesk
from adapters.webhook_sender import WebhookSender
from adapters.wiring import checked_link
from api.app import create_app
from api.upload import Intake
from schemas.errors import NotFound
from schemas.job import Term
from schemas.transcript import Transcript
from schemas.wire import write_json
from transcription.ports import Claimed, Result


def tone(seconds: float = 0.2, hertz: float = 440.0) -> bytes:
    """A WAV file of a sine at 16 kHz."""
    target = io.BytesIO()
    with wave.open(target, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        count = int(seconds * 16_000)
        out.writeframes(b"".join(struct.pack("<h", int(9000 * math.sin(i * hertz / 2546.0))) for i in range(count)))
    return target.getvalue()


@dataclass
class Door:
    """The client, and what stands behind the API."""

    client: TestClient
    queue: MemoryQueue
    store: MemoryStore
    lacking: list[str]
    drops: MemoryDropBox
    glossaries: dict[str | None, tuple[Term, ...]]

    def upload(self, content: bytes | None = None, name: str = "talk.wav", **fields: str) -> dict:
        answer = self.client.post(
            "/v1/episodes", files={"audio": (name, tone() if content is None else content)}, data=fields
        )
        assert answer.status_code in (200, 202), answer.text
        return answer.json()

    def finish(self, document: Transcript) -> Claimed:
        """Do the queued job as a worker would, with this document as its result."""
        claimed = self.queue.claim("w1", lease_seconds=30.0)
        assert claimed is not None
        content = write_json(document)
        key = f"results/{claimed.job.id}/{claimed.lease.token}/transcript.json"
        self.store.put(key, content)
        self.queue.finish(
            claimed.lease,
            Result(key, "ab" * 32, len(content), 0.2, "cd" * 32, "en", 1, 1, 2, 1.0, no_speech=False),
        )
        return claimed


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    numbers = itertools.count(1)
    ids = itertools.count(1)
    queue = MemoryQueue(now=lambda: 1_772_352_000.0, new_id=lambda: f"event-{next(ids)}")
    store, lacking, drops = MemoryStore(), [], MemoryDropBox()
    glossaries: dict[str | None, tuple[Term, ...]] = {}

    def check_models(name: str, language: str | None) -> None:
        if name not in ("starter", "fast"):
            raise NotFound(
                f"{name}: no such model set; known: fast, starter", code="model_set_unknown", field="models"
            )

    intake = Intake(
        queue=queue,
        store=store,
        scratch=tmp_path / "scratch",
        max_bytes=200_000,
        default_models="starter",
        new_id=lambda: f"00000000-0000-4000-8000-{next(numbers):012d}",
        check_models=check_models,
        checked_link=lambda url: checked_link(Settings(outward_networks="127.0.0.0/8"), url),
        glossary_of=lambda show: glossaries.get(show, ()),
    )
    outward = Outward(
        user_agent="Stenocast/test",
        let_in=networks("127.0.0.0/8"),
        plain_http=PlainHttp.OUTWARD_NETWORKS,
        total_seconds=5.0,
    )
    app = create_app(
        intake,
        version="test",
        ready=lambda: lacking,
        metrics=Metrics(),
        webhooks=WebhookDesk(queue.webhooks, WebhookSender(outward), now=lambda: 1_772_352_000.0),
        allowed_hosts=["testserver"],
        drops=drops,
    )
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Door(client, queue, store, lacking, drops, glossaries)
