"""Intake on real servers: what the bucket tells is taken in once, whatever is away or comes again."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from adapters.database import Ledger
from adapters.settings import Settings
from adapters.wiring import open_store
from schemas.job import Job, JobState
from schemas.topics import Topic
from tests.servers import KafkaServer, PostgresServer, S3Server
from tests.topics import Made
from workers.embedded import reconciler_of, take_in_of
from workers.intake import Intake, take_until

pytestmark = [pytest.mark.services, pytest.mark.timeout(120)]


@dataclass
class Harbour:
    """A bucket that tells a topic, a ledger, and intakes between them."""

    settings: Settings
    topics: Made
    s3: S3Server
    kafka: KafkaServer
    bucket: str
    ledger: Ledger
    _running: list[tuple[threading.Event, threading.Thread]] = field(default_factory=list)
    _told: set[tuple[int, int]] = field(default_factory=set)

    def put(self, key: str, content: bytes | dict[str, Any] = b"sound") -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.s3.client().put_object(Bucket=self.bucket, Key=key, Body=body)

    def relay(self, count: int) -> None:
        """Copy what the server tells of this bucket, as it wrote it, to the test's own topic."""
        for record in notifications_of(self.kafka, self.s3, self.bucket, count + len(self._told)):
            if (record.partition, record.offset) not in self._told:
                self._told.add((record.partition, record.offset))
                self.topics.append(Topic.BUCKET_EVENTS, record.value, partition=len(self._told) % 2)

    def start(self, **options: Any) -> Callable[[], None]:
        """Run one more intake of the group; what to call to end it."""
        source = self.topics.source(Topic.EPISODES, Topic.BUCKET_EVENTS, **options)
        intake = Intake(
            source=source,
            take_in=take_in_of(self.settings, self.ledger),
            dead_letters=self.topics.letters(),
            store=open_store(self.settings),
        )
        stop = threading.Event()
        thread = threading.Thread(target=take_until, args=(stop, intake), daemon=True)
        thread.start()
        self._running.append((stop, thread))

        def end() -> None:
            stop.set()
            thread.join(20)
            assert not thread.is_alive()

        return end

    def stop(self) -> None:
        for stop, thread in self._running:
            stop.set()
            thread.join(20)

    def jobs(self, count: int, *, seconds: float = 40) -> list[Job]:
        """So many jobs, oldest first, once they are there."""
        return wait_until(lambda: list(reversed(self.ledger.jobs(limit=500))), count, seconds=seconds)

    def letters(self, count: int) -> list[Any]:
        return wait_until(lambda: self.topics.records(Topic.DEAD_LETTERS), count)

    def is_idle(self) -> bool:
        """Whether every record of both topics is committed."""
        return lag_of(self.topics, "intake") == 0

    def wait_until_idle(self) -> None:
        wait_until(lambda: [True] if self.is_idle() else [], 1)


def wait_until(find: Callable[[], list[Any]], count: int, *, seconds: float = 40) -> list[Any]:
    deadline = time.monotonic() + seconds
    while True:
        found = find()
        if len(found) >= count or time.monotonic() > deadline:
            assert len(found) == count, f"{len(found)} instead of {count}: {found}"
            return found
        time.sleep(0.1)


def notifications_of(kafka: KafkaServer, s3: S3Server, bucket: str, count: int) -> list[Any]:
    """What the S3 server told about a bucket, once it is so much."""
    from kafka import KafkaConsumer, TopicPartition

    assert s3.events_topic is not None
    consumer = KafkaConsumer(bootstrap_servers=kafka.bootstrap, group_id=None, reconnect_backoff_max_ms=1000)
    with closing(consumer):
        numbers = consumer.partitions_for_topic(s3.events_topic)
        consumer.assign([TopicPartition(s3.events_topic, number) for number in numbers])
        consumer.seek_to_beginning()
        found: list[Any] = []
        deadline = time.monotonic() + 20
        while len(found) < count and time.monotonic() < deadline:
            for records in consumer.poll(timeout_ms=200).values():
                found += [each for each in records if f'"{bucket}"'.encode() in each.value]
    assert len(found) == count
    return found


def lag_of(topics: Made, group: str) -> int:
    """Records that the group has not committed yet."""
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(
        bootstrap_servers=topics.access.servers, group_id=topics.access.prefix + group, reconnect_backoff_max_ms=1000
    )
    with closing(consumer):
        names = [topics.access.name(topic) for topic in (Topic.EPISODES, Topic.BUCKET_EVENTS)]
        places = [TopicPartition(name, number) for name in names for number in consumer.partitions_for_topic(name)]
        ends, begins = consumer.end_offsets(places), consumer.beginning_offsets(places)
        return sum(ends[place] - (consumer.committed(place) or begins[place]) for place in places)


def set_back(topics: Made, group: str) -> None:
    """Have a group without members read everything from offset 0 again."""
    from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition

    consumer = KafkaConsumer(
        bootstrap_servers=topics.access.servers, group_id=topics.access.prefix + group, reconnect_backoff_max_ms=1000
    )
    with closing(consumer):
        names = [topics.access.name(topic) for topic in (Topic.EPISODES, Topic.BUCKET_EVENTS)]
        places = [TopicPartition(name, number) for name in names for number in consumer.partitions_for_topic(name)]
        consumer.assign(places)
        consumer.commit({place: OffsetAndMetadata(0, "", -1) for place in places})


@pytest.fixture
def harbour(
    topics: Made,
    kafka: KafkaServer,
    s3: S3Server,
    bucket: str,
    postgres_url: str,
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Harbour]:
    for name, value in s3.credentials.items():
        monkeypatch.setenv(name, value)
    settings = Settings(
        data_dir=tmp_path,
        store_url=f"s3://{bucket}",
        s3_endpoint=s3.endpoint,
        kafka_bootstrap=kafka.bootstrap,
        topic_prefix=topics.access.prefix,
        database_url=postgres_url,
    )
    with closing(Ledger.open(settings.ledger_url)) as ledger:
        harbour = Harbour(settings, topics, s3, kafka, bucket, ledger)
        yield harbour
        harbour.stop()


def test_what_the_server_tells_becomes_jobs_described_by_what_lies_beside(harbour: Harbour) -> None:
    harbour.put("in/ep 1 é+%41.json", {"title": "Tides", "show": "Harbour Talk", "priority": 5})
    harbour.put("in/ep 1 é+%41.flac")
    harbour.put("uploads/x/audio.mp3")
    harbour.put("in/cover.jpg")
    harbour.relay(4)
    harbour.start()

    (job,) = harbour.jobs(1)

    harbour.wait_until_idle()
    claimed = harbour.ledger.claim("ada", lease_seconds=30)
    assert claimed is not None
    assert (job.title, job.show, job.priority) == ("Tides", "Harbour Talk", 5)
    assert claimed.episode.audio.file_name == "ep 1 é+%41.flac"
    assert claimed.episode.audio.size_bytes == 5
    assert len(harbour.jobs(1)) == 1


def test_an_upload_in_parts_has_its_size(harbour: Harbour) -> None:
    client = harbour.s3.client()
    upload = client.create_multipart_upload(Bucket=harbour.bucket, Key="long.flac")["UploadId"]
    parts = [
        client.upload_part(Bucket=harbour.bucket, Key="long.flac", UploadId=upload, PartNumber=number, Body=body)
        for number, body in ((1, b"x" * 5_242_880), (2, b"y"))
    ]
    told = [{"PartNumber": number, "ETag": part["ETag"]} for number, part in enumerate(parts, start=1)]
    client.complete_multipart_upload(
        Bucket=harbour.bucket, Key="long.flac", UploadId=upload, MultipartUpload={"Parts": told}
    )
    harbour.relay(1)
    harbour.start()

    (job,) = harbour.jobs(1)

    assert harbour.ledger.episode(job.episode_id).audio.size_bytes == 5_242_881


def test_a_replay_from_offset_0_gives_no_new_jobs_and_no_dead_letters(harbour: Harbour) -> None:
    for number in range(20):
        harbour.put(f"{number:02}.mp3")
    harbour.relay(20)
    end = harbour.start()
    before = harbour.jobs(20)
    harbour.wait_until_idle()
    end()
    events = len(harbour.ledger.pending_events(limit=1000))
    set_back(harbour.topics, "intake")
    assert not harbour.is_idle()

    harbour.start()
    harbour.wait_until_idle()

    assert [job.id for job in harbour.jobs(20)] == [job.id for job in before]
    assert len(harbour.ledger.pending_events(limit=1000)) == events
    assert harbour.letters(0) == []


def test_bad_records_are_dead_letters_with_their_bytes_and_hold_nothing_up(harbour: Harbour) -> None:
    large = b"{" + b"x" * 600_000
    bad = [b"\xff no json", b'{"specversion": "1.0", "type": "episode.dropped.v1", "id": "1"}', large]
    for value in bad:
        harbour.topics.append(Topic.EPISODES, value, headers=[("who", b"a producer")])
    harbour.put("a.mp3")
    harbour.relay(1)
    harbour.start()

    harbour.jobs(1)
    letters = harbour.letters(3)

    headers = [dict(each.headers) for each in letters]
    assert [each["who"] for each in headers] == [b"a producer"] * 3
    assert [letter.value for letter in letters[:2]] == bad[:2]
    stored = [value.decode() for value in headers[2].values() if value.startswith(b"dead-letters/")]
    assert [open_store(harbour.settings).get(key) for key in stored] == [large]


def test_a_database_that_goes_and_comes_back_loses_nothing(harbour: Harbour, postgres: PostgresServer) -> None:
    name = urlsplit(harbour.settings.database_url).path[1:]
    harbour.put("a.mp3")
    harbour.relay(1)
    harbour.start()
    harbour.jobs(1)
    harbour.wait_until_idle()
    execute(postgres, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    execute(postgres, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    harbour.put("b.mp3")
    harbour.relay(1)
    time.sleep(2)
    assert not harbour.is_idle()

    execute(postgres, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')

    harbour.jobs(2)
    harbour.wait_until_idle()
    assert harbour.letters(0) == []


def execute(postgres: PostgresServer, statement: str) -> None:
    import psycopg

    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[call-overload]


def test_a_rebalance_in_the_middle_of_batches_loses_and_doubles_nothing(harbour: Harbour) -> None:
    for number in range(30):
        harbour.put(f"{number:02}.mp3")
    harbour.relay(30)
    first = harbour.start(most_records=3)
    wait_until(lambda: list(harbour.ledger.jobs(limit=500))[:5], 5)
    harbour.start(most_records=3)
    time.sleep(1)
    first()
    harbour.start(most_records=3)

    jobs = harbour.jobs(30)
    harbour.wait_until_idle()

    assert {job.state for job in jobs} == {JobState.QUEUED}
    assert len(harbour.jobs(30)) == len({job.episode_id for job in jobs})


def test_what_no_event_told_is_found_by_looking(harbour: Harbour) -> None:
    harbour.put("in/ep.json", {"title": "Tides"})
    harbour.put("in/ep.mp3")
    reconciler = reconciler_of(harbour.settings, harbour.ledger, open_store(harbour.settings))

    first, second = reconciler.look(), reconciler.look()

    assert ((first.objects, first.recordings, first.new), second.new) == ((2, 1, 1), 0)
    assert [job.title for job in harbour.jobs(1)] == ["Tides"]


def test_intake_and_reconciler_agree_where_the_bucket_keeps_versions(harbour: Harbour) -> None:
    harbour.s3.client().put_bucket_versioning(Bucket=harbour.bucket, VersioningConfiguration={"Status": "Enabled"})
    harbour.put("a.mp3", b"first")
    harbour.put("a.mp3", b"second")
    harbour.relay(2)
    harbour.start()
    harbour.jobs(1)
    harbour.wait_until_idle()

    reconciler = reconciler_of(harbour.settings, harbour.ledger, open_store(harbour.settings))

    assert reconciler.look().new == 0
