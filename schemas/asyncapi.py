"""The AsyncAPI 3 document of the topics, and a JSON Schema for each type of event, made from the dataclasses."""

from __future__ import annotations

import inspect
from typing import Any

from pydantic import TypeAdapter

from schemas.cloudevents import CONTENT_TYPE
from schemas.events import DATA_OF, Event, EventType
from schemas.topics import PLANS, Topic, topics_of

#: Rises with what a reader of the topics has to know anew.
VERSION = "1.0.0"

#: What each type tells of, for machines that show it to people.
SUMMARIES: dict[EventType, str] = {
    EventType.EPISODE_DROPPED: "A producer says that audio lies in the bucket.",
    EventType.JOB_QUEUED: "A job was accepted, queued again by hand, or handed back by a worker that stops.",
    EventType.JOB_STARTED: "A worker claimed the job.",
    EventType.JOB_RETRYING: "An attempt failed or its worker died; the job will be tried again.",
    EventType.JOB_DONE: "The transcript is there.",
    EventType.JOB_FAILED: "The job ended with an error code.",
    EventType.JOB_CANCELLED: "Somebody cancelled the job.",
    EventType.TRANSCRIPT_PUBLISHED: "The first transcript of an episode can be read.",
    EventType.TRANSCRIPT_REVISED: "A later revision of a transcript can be read.",
    EventType.TRANSCRIPT_DELETED: "No transcript of the episode can be read any more.",
    EventType.WEBHOOK_TEST: "Somebody tries whether a webhook is received.",
}

_PURPOSES: dict[Topic, str] = {
    Topic.EPISODES: "Producers say here what lies in the bucket; `stenocast intake` reads it.",
    Topic.BUCKET_EVENTS: "Notifications of the S3 server as it writes them; `stenocast intake` reads them.",
    Topic.JOBS: "Every state change of every job.",
    Topic.TRANSCRIPTS: "Every transcript, revision and deletion.",
    Topic.TRANSCRIPTS_LATEST: "The last transcript event of each episode; compacted, and a deletion is a tombstone.",
    Topic.DEAD_LETTERS: "Records that could not be taken in, as they came, with the reason in headers.",
}

_INCOMING = (Topic.EPISODES, Topic.BUCKET_EVENTS)

_NOT_EVENTS: dict[str, dict[str, Any]] = {
    "tombstone": {
        "title": "Tombstone",
        "summary": "A record without a value: the episode's transcripts were deleted. Headers as of the event.",
        "payload": {"type": "null"},
    },
    "bucket-notification": {
        "title": "Bucket notification",
        "summary": "An S3 event notification in the dialect of AWS, EventBridge, MinIO, VersityGW or Ceph.",
        "contentType": "application/json",
        "payload": {"type": "object"},
    },
    "dead-letter": {
        "title": "Dead letter",
        "summary": "The value as it came, whatever it is; empty where `dl_stored_key` says where it lies.",
        "contentType": "application/octet-stream",
        "headers": {
            "type": "object",
            "properties": {
                "dl_reason": {"type": "string", "description": "A stable code."},
                "dl_message": {"type": "string", "description": "One sentence."},
                "dl_topic": {"type": "string"},
                "dl_partition": {"type": "string", "description": "A decimal number."},
                "dl_offset": {"type": "string", "description": "A decimal number."},
                "dl_timestamp": {"type": "string", "description": "Epoch seconds of the record."},
                "dl_stored_key": {"type": "string", "description": "The key of the value in the store."},
                "dl_stored_beside": {
                    "type": "string",
                    "description": "The key, in the store, of the record's key and headers: JSON, bytes as base64.",
                },
            },
            "required": ["dl_reason", "dl_message", "dl_topic", "dl_partition", "dl_offset"],
        },
        "payload": {"type": "string", "format": "binary"},
    },
}


def event_schema(kind: EventType) -> dict[str, Any]:
    """The JSON Schema of one type of event, whole."""
    definitions: dict[str, Any] = {}
    schema = _envelope(kind, definitions, "#/$defs/{model}")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "$defs": definitions}


def asyncapi() -> dict[str, Any]:
    """The whole document."""
    schemas: dict[str, Any] = {}
    messages: dict[str, Any] = {kind.value: _message(kind, schemas) for kind in EventType if topics_of(kind)}
    for name, message in _NOT_EVENTS.items():
        messages[name] = {"name": name, **message}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Stenocast",
            "version": VERSION,
            "description": "Podcast episodes in, transcripts out: the Kafka topics. docs/events.md explains them.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic.value: _channel(topic) for topic in Topic},
        "operations": {_operation_name(topic): _operation(topic) for topic in Topic},
        "components": {"messages": messages, "schemas": dict(sorted(schemas.items()))},
    }


def _envelope(kind: EventType, definitions: dict[str, Any], template: str) -> dict[str, Any]:
    """The schema of an event of this type; what it refers to goes into `definitions`."""
    envelope = TypeAdapter(Event).json_schema(ref_template=template)
    data = DATA_OF[kind]
    of_data = TypeAdapter(data).json_schema(ref_template=template)
    definitions |= of_data.pop("$defs", {}) | {data.__name__: of_data}
    properties = envelope["properties"] | {
        "type": {"const": kind.value, "type": "string"},
        "data": {"$ref": template.format(model=data.__name__)},
    }
    if kind is EventType.EPISODE_DROPPED:
        for optional in ("subject", "time"):
            envelope["required"].remove(optional)
    return {
        "title": kind.value,
        "description": SUMMARIES[kind],
        "type": "object",
        "properties": properties,
        "required": ["specversion", *envelope["required"]],
    }


def _message(kind: EventType, schemas: dict[str, Any]) -> dict[str, Any]:
    payload = _envelope(kind, schemas, "#/components/schemas/{model}")
    return {
        "name": kind.value,
        "title": kind.value,
        "summary": SUMMARIES[kind],
        "description": inspect.getdoc(DATA_OF[kind]) or "",
        "contentType": CONTENT_TYPE,
        "headers": {
            "type": "object",
            "properties": {
                "content-type": {"type": "string", "const": CONTENT_TYPE},
                "ce_specversion": {"type": "string", "const": "1.0"},
                "ce_type": {"type": "string", "const": kind.value},
                "ce_id": {"type": "string"},
                "ce_source": {"type": "string"},
                "ce_subject": {"type": "string"},
                "ce_time": {"type": "string"},
                "ce_traceparent": {"type": "string"},
                "traceparent": {"type": "string"},
            },
        },
        "payload": payload,
        "bindings": {"kafka": {"key": {"type": "string", "description": "The episode id."}}},
    }


def _messages_on(topic: Topic) -> list[str]:
    if topic is Topic.BUCKET_EVENTS:
        return ["bucket-notification"]
    if topic is Topic.DEAD_LETTERS:
        return ["dead-letter"]
    kinds = [kind for kind in EventType if topic in topics_of(kind)]
    if topic is Topic.TRANSCRIPTS_LATEST:
        return [*(kind.value for kind in kinds if kind is not EventType.TRANSCRIPT_DELETED), "tombstone"]
    return [kind.value for kind in kinds]


def _channel(topic: Topic) -> dict[str, Any]:
    plan = PLANS[topic]
    config: dict[str, Any] = {
        name: value.split(",") if name == "cleanup.policy" else int(value) for name, value in plan.config.items()
    }
    return {
        "address": topic.value,
        "description": _PURPOSES[topic],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _messages_on(topic)},
        "bindings": {"kafka": {"topic": topic.value, "partitions": plan.partitions, "topicConfiguration": config}},
    }


def _operation_name(topic: Topic) -> str:
    words = "".join(word.capitalize() for word in topic.value.split("-"))
    return f"{'receive' if topic in _INCOMING else 'send'}{words}"


def _operation(topic: Topic) -> dict[str, Any]:
    return {
        "action": "receive" if topic in _INCOMING else "send",
        "channel": {"$ref": f"#/channels/{topic.value}"},
        "summary": _PURPOSES[topic],
        "messages": [{"$ref": f"#/channels/{topic.value}/messages/{name}"} for name in _messages_on(topic)],
    }
