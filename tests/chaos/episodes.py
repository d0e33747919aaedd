"""The episodes of a campaign: a few sounds, dropped again and again under new names by every door there is."""

from __future__ import annotations

import array
import hashlib
import io
import json
import math
import random
import threading
import time
import uuid
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from schemas.drop import Drop
from schemas.episode import Episode
from schemas.errors import TransientError
from schemas.job import JobOptions, JobState
from schemas.transcript import Transcript
from tests.chaos.fleet import until
from tests.chaos.outside import Recordings
from transcription.ports import Decoded, Prepared, Waveform

SOUND_SECONDS = 13
SOUND_COUNT = 4
RATE = 16_000
HEADER_BYTES = 44  #: of a WAV file as `wave` writes it


@dataclass(frozen=True)
class Sound:
    """A recording, and what is said in it when nobody is disturbed."""

    number: int
    content: bytes
    spoken: tuple[Any, ...] = ()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    def with_other_bytes(self, name: str) -> Sound:
        """The same tone in a file that no other episode has, so that its objects are its own."""
        return replace(self, content=self.content + f"note{name}".encode())


@dataclass
class Dropped:
    """An episode on its way, and how its job is known."""

    title: str
    sound: Sound
    door: str
    episode_id: str | None = None  #: of a drop; an upload's is known when the API has answered
    job_id: str | None = None
    deletion: Deleting | None = None  #: somebody wants nothing of it kept


@dataclass
class Deleting:
    """A DELETE of an episode that is on its way, at a moment of its own and asked again until it is answered for."""

    api: str
    moment: str  #: one of `MOMENTS`
    pause: float  #: seconds, once the moment has come
    #: The state of the episode's job; None where the ledger knows none. May raise TransientError.
    state_of: Callable[[], JobState | None]
    _thread: threading.Thread | None = None
    _trouble: list[Exception] = field(default_factory=list)

    def begin(self, dropped: Dropped) -> None:
        self._thread = threading.Thread(target=self._delete, args=(dropped,), name="deletion")
        self._thread.start()

    def end(self) -> None:
        """Wait until it is done. Raises AssertionError where it was refused, and what else went wrong."""
        self.wait()
        if self._trouble:
            raise self._trouble[0]

    def wait(self) -> None:
        if self._thread is not None:
            self._thread.join()

    def _delete(self, dropped: Dropped) -> None:
        try:
            until(self._has_come, f"{dropped.door} episode {dropped.episode_id} is {self.moment}")
            time.sleep(self.pause)
            until(lambda: self._deleted(dropped), f"the API deletes {dropped.door} episode {dropped.episode_id}")
        except Exception as error:
            self._trouble.append(error)

    def _has_come(self) -> bool:
        try:
            state = self.state_of()
        except TransientError:
            return False
        return state is not None and (state.is_final or state in MOMENTS[self.moment])

    def _deleted(self, dropped: Dropped) -> bool:
        try:
            answer = httpx.delete(f"{self.api}/v1/episodes/{dropped.episode_id}", timeout=20)
        except httpx.HTTPError:
            return False
        assert answer.status_code in (204, 500, 503), answer.text
        return answer.status_code == 204


#: When an episode is deleted: in which states its job may be then, beside a final one.
MOMENTS: dict[str, tuple[JobState, ...]] = {
    "queued": (JobState.QUEUED, JobState.RUNNING),
    "running": (JobState.RUNNING,),
    "done": (),
}


def make_sound(number: int) -> bytes:
    """A tone of its own pitch, as a WAV file."""
    period = 20 + 7 * number
    second = array.array("h", [int(8000 * math.sin(i * math.tau / period)) for i in range(RATE)])
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, RATE, 0, "NONE", ""))
        writer.writeframes(second.tobytes() * SOUND_SECONDS)
    return file.getvalue()


def spoken(document: Transcript) -> tuple[Any, ...]:
    """Words, times and speakers: what must not depend on who was killed."""
    names = {speaker.id: (speaker.voice, speaker.name) for speaker in document.speakers}
    return tuple(
        (names.get(turn.speaker or ""), tuple((w.text, w.start, w.end) for p in turn.paragraphs for w in p.words))
        for turn in document.turns
    )


class Calm:
    """What is said in a recording when nobody is disturbed, by a pipeline in this process."""

    def __init__(self, folder: Path) -> None:
        from adapters.settings import Settings
        from adapters.wiring import build_pipeline
        from tests.chaos.fleet import SCALED

        self._folder = folder
        settings = Settings(data_dir=folder, allow_scripted=True, scripted_window=SCALED["scripted_window"])
        self._pipeline = build_pipeline(settings, "scripted", fresh=True)

    def sound(self, number: int) -> Sound:
        content = make_sound(number)
        return Sound(number, content, self._spoken(content, None))

    def spoken(self, content: bytes) -> tuple[Any, ...]:
        """Of a WAV file of ours, whatever comes after its sound: the scripted engines go by the hash of it all.

        It need not be decoded: what lies in it is what comes out.
        """
        samples = self._folder / "calm-samples"
        samples.write_bytes(content[HEADER_BYTES : HEADER_BYTES + 2 * RATE * SOUND_SECONDS])
        waveform = Waveform(samples, RATE * SOUND_SECONDS, hashlib.sha256(content).hexdigest())
        return self._spoken(content, Prepared(Decoded(waveform, "wav"), 0.0))

    def _spoken(self, content: bytes, prepared: Prepared | None) -> tuple[Any, ...]:
        source = self._folder / "calm.wav"
        source.write_bytes(content)
        options = JobOptions(models="scripted")
        return spoken(
            self._pipeline.run(
                source,
                Episode(id="calm"),
                options,
                scratch=self._folder,
                tell=lambda _progress: None,
                prepared=prepared,
            )
        )


class Doors:
    """The ways in. Each returns once the episode counts as accepted, however often that takes."""

    def __init__(
        self, *, s3: Any, bucket: str, bootstrap: str, topic_prefix: str, api: str, recordings: Recordings
    ) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._bootstrap = bootstrap
        self._topic = f"{topic_prefix}episodes"
        self._api = api
        self._recordings = recordings
        self._producer: Any = None

    def bucket(self, dropped: Dropped) -> None:
        """A plain put, with metadata beside it; the bucket's notification does the rest, or the reconciler."""
        key = self._key(dropped)
        sidecar = json.dumps({"title": dropped.title, "models": "scripted"}).encode()
        self._put(key.removesuffix(".wav") + ".json", sidecar)
        self._put(key, dropped.sound.content)
        dropped.episode_id = Drop(self._bucket, key).episode_id

    def event(self, dropped: Dropped) -> None:
        """A put, and an event of our own about it; the bucket's notification comes as well."""
        key = self._key(dropped)
        self._put(key, dropped.sound.content)
        value = {
            "specversion": "1.0",
            "id": dropped.title,
            "type": "episode.dropped.v1",
            "source": "chaos/producer",
            "datacontenttype": "application/json",
            "data": {"bucket": self._bucket, "key": key},
        }
        self._announce(json.dumps(value).encode())
        dropped.episode_id = Drop(self._bucket, key).episode_id

    def api(self, dropped: Dropped) -> None:
        """An upload, asked again with the same key until the API has answered for it."""
        metadata = {"title": dropped.title, "models": "scripted"}
        audio = ("episode.wav", dropped.sound.content, "audio/wav")
        self._post(dropped, files={"audio": audio}, data={"metadata": json.dumps(metadata)})

    def link(self, dropped: Dropped) -> None:
        """A recording on somebody's server, of which the API is told; a worker downloads it."""
        url = self._recordings.lay_out(dropped.title, dropped.sound.content)
        self._post(dropped, json={"url": url, "title": dropped.title, "models": "scripted"})

    def _post(self, dropped: Dropped, **request: Any) -> None:
        def posted() -> bool:
            try:
                answer = httpx.post(
                    f"{self._api}/v1/episodes", headers={"Idempotency-Key": dropped.title}, timeout=20, **request
                )
            except httpx.HTTPError:
                return False
            if answer.status_code in (200, 202):
                job = answer.json()
                dropped.job_id, dropped.episode_id = job["id"], job["episode_id"]
                return True
            assert answer.status_code in (500, 503, 507), answer.text
            return False

        until(posted, f"the API takes {dropped.title}")

    def by_name(self, name: str) -> Callable[[Dropped], None]:
        return {"bucket": self.bucket, "event": self.event, "api": self.api, "link": self.link}[name]

    def forget(self, episodes: Sequence[Dropped]) -> None:
        """Take old drops out of the bucket."""
        for key in map(self._key, episodes):
            for name in (key, key.removesuffix(".wav") + ".json"):
                self._s3.delete_object(Bucket=self._bucket, Key=name)

    def close(self) -> None:
        if self._producer is not None:
            self._producer.close(timeout=2)

    def _key(self, dropped: Dropped) -> str:
        return f"incoming/{dropped.title}.wav"

    def _put(self, key: str, content: bytes) -> None:
        """As a producer's own tool would: again until the bucket has said that it has it."""
        from botocore.exceptions import BotoCoreError, ClientError

        def put() -> bool:
            try:
                self._s3.put_object(Bucket=self._bucket, Key=key, Body=content)
            except (BotoCoreError, ClientError):
                return False
            return True

        until(put, f"the bucket takes {key}")

    def _announce(self, value: bytes) -> None:
        from kafka import KafkaProducer
        from kafka.errors import KafkaError

        def sent() -> bool:
            try:
                if self._producer is None:
                    self._producer = KafkaProducer(
                        bootstrap_servers=self._bootstrap,
                        acks="all",
                        enable_idempotence=True,
                        reconnect_backoff_max_ms=500,
                        max_block_ms=5000,
                    )
                self._producer.send(self._topic, value=value).get(timeout=10)
            except KafkaError:
                if self._producer is not None:
                    self._producer.close(timeout=0)
                self._producer = None
                return False
            return True

        until(sent, "the topic takes the event")


def new_title(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128)))
