"""Print each transcript as it lands, by plain kafka-python and nothing of Stenocast's code.

    pip install kafka-python boto3
    python examples/subscriber.py localhost:9092                                     # documents from the bucket
    STENOCAST_API=http://localhost:8080 python examples/subscriber.py localhost:9092   # … from the API

boto3 finds credentials and AWS_ENDPOINT_URL in the environment by itself. docs/events.md explains the rest.
"""

import hashlib
import json
import os
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import urlopen

from kafka import KafkaConsumer


def document_of(event):
    """The document that the event names by its place and its SHA-256."""
    data, where = event["data"], urlsplit(event["data"]["document_uri"])
    if api := os.environ.get("STENOCAST_API"):
        return urlopen(f"{api}/v1/transcripts/{data['episode_id']}?revision={data['revision']}", timeout=30).read()
    if where.scheme == "file":
        content = Path(unquote(where.path)).read_bytes()
    else:
        import boto3

        content = boto3.client("s3").get_object(Bucket=where.netloc, Key=unquote(where.path[1:]))["Body"].read()
    assert hashlib.sha256(content).hexdigest() == data["document_sha256"], "these are not the bytes that were meant"
    return content


def main(bootstrap, topic="transcripts", group="transcript-printer"):
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        isolation_level="read_committed",
        reconnect_backoff_max_ms=2000,
    )
    shown = {}  # episode to revision; a real subscriber keeps this where it keeps its results
    for record in consumer:
        event = json.loads(record.value)
        episode, revision = event["subject"], event["data"]["revision"]
        if event["type"] != "transcript.deleted.v1" and revision > shown.get(episode, 0):  # else a repeat
            transcript = json.loads(document_of(event))
            names = {each["id"]: each["name"] or each["id"] for each in transcript["speakers"]}
            print(f"\n{transcript['episode']['title'] or episode} (revision {revision})")
            for turn in transcript["turns"]:
                text = " ".join(paragraph["text"] for paragraph in turn["paragraphs"])
                print(f"{names.get(turn['speaker'], '?')}: {text}", flush=True)
            shown[episode] = revision
        consumer.commit()  # after the work: what a crash interrupts comes again


if __name__ == "__main__":
    main(*sys.argv[1:])
