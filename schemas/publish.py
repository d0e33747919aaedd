"""Write the JSON Schemas of the documents and events to schemas/published/ (`make schemas`)."""

from __future__ import annotations

import json
from pathlib import Path

from schemas.episode import Episode
from schemas.events import Event
from schemas.job import Job
from schemas.sidecar import Sidecar
from schemas.transcript import Transcript
from schemas.wire import json_schema

FOLDER = Path(__file__).parent / "published"

#: File name to the dataclass it describes.
PUBLISHED: dict[str, type] = {
    "transcript-1.json": Transcript,
    "episode-1.json": Episode,
    "job-1.json": Job,
    "event-1.json": Event,
    "sidecar-1.json": Sidecar,
}


def schema_text(name: str) -> str:
    """The JSON Schema of one published document, as it stands in its file."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | json_schema(PUBLISHED[name])
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name in PUBLISHED:
        (FOLDER / name).write_text(schema_text(name), encoding="utf-8")


if __name__ == "__main__":
    main()
