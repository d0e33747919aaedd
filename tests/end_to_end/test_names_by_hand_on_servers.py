"""A speaker named over HTTP where the documents lie in S3, the ledger in PostgreSQL, and subscribers read Kafka."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.end_to_end.test_names_by_hand import SCRIPTED, transcribed
from tests.servers import KafkaServer, S3Server

pytestmark = [pytest.mark.services, pytest.mark.processes, pytest.mark.timeout(300)]


def told(kafka: KafkaServer, topic: str, *, count: int, seconds: float = 60) -> list[Any]:
    """The first `count` records of a topic, or as many as there are after `seconds`."""
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(
        bootstrap_servers=kafka.bootstrap,
        group_id=None,
        isolation_level="read_committed",
        reconnect_backoff_max_ms=1000,
    )
    records: list[Any] = []
    try:
        consumer.assign([TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)])
        consumer.seek_to_beginning()
        deadline = time.monotonic() + seconds
        while len(records) < count and time.monotonic() < deadline:
            records += [each for some in consumer.poll(timeout_ms=500).values() for each in some]
    finally:
        consumer.close(autocommit=False, timeout_ms=1000)
    return sorted(records, key=lambda each: each.timestamp)


def test_a_name_by_hand_is_told_on_the_topic_with_a_document_that_lies_in_s3(
    serve: Callable[..., Any],
    kafka: KafkaServer,
    s3: S3Server,
    bucket: str,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in s3.credentials.items():
        monkeypatch.setenv(name, value)
    prefix = f"test-{uuid4().hex[:8]}-"
    service = serve(
        command="api",
        database_url=postgres_url,
        store_url=f"s3://{bucket}/stenocast",
        s3_endpoint=s3.endpoint,
        kafka_bootstrap=kafka.bootstrap,
        kafka_group=f"{prefix}group",
        topic_prefix=prefix,
        **SCRIPTED,
    )
    assert service.command("topics", "create").returncode == 0
    episode_id = transcribed(service)

    with service.client() as client:
        before = client.get(f"/v1/transcripts/{episode_id}")
        answer = client.patch(
            f"/v1/transcripts/{episode_id}/speakers",
            json={"revision": 1, "speakers": {"S1": "Dr Ada Quill, host"}},
            headers={"If-Match": before.headers["etag"]},
        )
        again = client.patch(
            f"/v1/transcripts/{episode_id}/speakers", json={"revision": 1, "speakers": {"S1": "Dr Ada Quill, host"}}
        )
        old = client.get(f"/v1/transcripts/{episode_id}", params={"revision": 1})

    assert (answer.status_code, answer.json()["revision"], answer.json()["is_new"]) == (200, 2, True)
    assert (again.json()["revision"], again.json()["is_new"]) == (2, False)
    assert old.content == before.content
    published = service.command("publish", "--once")
    assert published.returncode == 0, published.stderr
    records = told(kafka, f"{prefix}transcripts", count=2)
    events = [json.loads(each.value) for each in records]
    assert [event["type"] for event in events] == ["transcript.published.v1", "transcript.revised.v1"]
    assert {each.key for each in records} == {episode_id.encode()}
    data = events[1]["data"]
    content = s3.client().get_object(Bucket=bucket, Key=f"stenocast/{data['document_key']}")["Body"].read()
    assert (len(content), hashlib.sha256(content).hexdigest()) == (data["document_bytes"], data["document_sha256"])
    document = json.loads(content)
    assert (data["revision"], document["revision"], document["speakers"][0]["name"]) == (2, 2, "Ada Quill")
    [latest] = [each for each in told(kafka, f"{prefix}transcripts-latest", count=2, seconds=5) if each.value][-1:]
    assert json.loads(latest.value)["data"]["document_sha256"] == data["document_sha256"]
