"""Drop an episode into the bucket and, if you like, announce it with what you know about it.

    pip install boto3 kafka-python
    python examples/producer.py episode.mp3 my-bucket
    python examples/producer.py episode.mp3 my-bucket localhost:9092 "The long tide"

Without a broker the bucket's own notification, or the next reconciliation, makes the episode known. boto3 finds
credentials and AWS_ENDPOINT_URL in the environment by itself. docs/events.md explains the event.
"""

import json
import os
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path

import boto3


def main(path, bucket, bootstrap=None, title=None, topic="episodes"):
    key = f"incoming/{Path(path).name}"
    with open(path, "rb") as audio:
        put = boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=audio)
    print(f"s3://{bucket}/{key}")
    if bootstrap is None:
        return

    from kafka import KafkaProducer

    event = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),  # sent twice, it is taken in once
        "type": "episode.dropped.v1",
        "source": "examples/producer",
        "time": datetime.now(UTC).isoformat(),
        "datacontenttype": "application/json",
        "data": {
            "bucket": bucket,
            "key": key,
            "version_id": put.get("VersionId"),
            "etag": put["ETag"].strip('"'),
            "size_bytes": os.path.getsize(path),
            "metadata": {"title": title} if title else None,
        },
    }
    producer = KafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, reconnect_backoff_max_ms=2000
    )
    headers = [("content-type", b"application/cloudevents+json")]
    producer.send(topic, key=key.encode(), value=json.dumps(event).encode(), headers=headers).get(timeout=30)
    producer.close()
    print(f"announced as {event['id']}")


if __name__ == "__main__":
    main(*sys.argv[1:])
