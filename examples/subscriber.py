"""Print each transcript as it lands in the bucket: `python examples/subscriber.py localhost:9092`; docs/events.md."""

import json
import sys
from contextlib import suppress
from hashlib import sha256
from urllib.parse import unquote, urlsplit

import boto3  # finds credentials and AWS_ENDPOINT_URL in the environment by itself
from kafka import KafkaConsumer

broker, topic = (*sys.argv[1:], "transcripts")[:2]
reading = {"auto_offset_reset": "earliest", "isolation_level": "read_committed", "enable_auto_commit": False}
consumer = KafkaConsumer(topic, bootstrap_servers=broker, group_id=f"{topic}-printer", **reading)
s3, shown = boto3.client("s3"), {}  # episode to revision; a real subscriber keeps this where it keeps its results
for record in consumer:
    event = json.loads(record.value)
    episode, data = event["subject"], event["data"]
    if event["type"] != "transcript.deleted.v1" and data["revision"] > shown.get(episode, 0):  # else a repeat
        with suppress(s3.exceptions.NoSuchKey):  # deleted meanwhile, of which an event tells further on
            place = urlsplit(data["document_uri"])
            content = s3.get_object(Bucket=place.netloc, Key=unquote(place.path[1:]))["Body"].read()
            assert sha256(content).hexdigest() == data["document_sha256"], "these are not the bytes that were meant"
            transcript = json.loads(content)
            print(f"\n{transcript['episode']['title'] or episode} (revision {data['revision']})")
            names = {each["id"]: each["name"] or each["id"] for each in transcript["speakers"]}
            for turn in transcript["turns"]:
                print(f"{names.get(turn['speaker'], '?')}:", *(p["text"] for p in turn["paragraphs"]), flush=True)
        shown[episode] = data["revision"]
    consumer.commit()  # after the work: what a crash interrupts comes again
