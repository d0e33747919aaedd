"""Write the JSON Schemas of documents and events and the AsyncAPI document to schemas/published/ (`make schemas`).

And the page with the states of a job, which comes from the code too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from schemas import states
from schemas.asyncapi import asyncapi, event_schema
from schemas.episode import Episode
from schemas.events import Event, EventType
from schemas.job import Job
from schemas.sidecar import Sidecar
from schemas.transcript import Transcript
from schemas.webhook import Delivery, Webhook
from schemas.wire import json_schema

FOLDER = Path(__file__).parent / "published"

#: File name to the dataclass it describes.
DOCUMENTS: dict[str, type] = {
    "transcript-1.json": Transcript,
    "episode-1.json": Episode,
    "job-1.json": Job,
    "event-1.json": Event,
    "sidecar-1.json": Sidecar,
    "webhook-1.json": Webhook,
    "delivery-1.json": Delivery,
}

#: File name to the type of event it describes.
EVENTS: dict[str, EventType] = {f"events/{kind}.json": kind for kind in EventType}

ASYNCAPI = "asyncapi.json"

#: Every file that is made.
PUBLISHED: tuple[str, ...] = (*DOCUMENTS, *EVENTS, ASYNCAPI)


def schema_text(name: str) -> str:
    """One of the published files, as it stands there."""
    content: dict[str, Any]
    if name == ASYNCAPI:
        content = asyncapi()
    elif name in EVENTS:
        content = event_schema(EVENTS[name])
    else:
        content = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | json_schema(DOCUMENTS[name])
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    (FOLDER / "events").mkdir(parents=True, exist_ok=True)
    for name in PUBLISHED:
        (FOLDER / name).write_text(schema_text(name), encoding="utf-8")
    states.PAGE.write_text(states.page(), encoding="utf-8")


if __name__ == "__main__":
    main()
