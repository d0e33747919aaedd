"""`stenocast topics`: make the Kafka topics, and see what is there."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from adapters.kafka_topics import KafkaTopics, TopicReport

app = typer.Typer(help="Make the Kafka topics, and see what is there.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="JSON for machines.")]


@app.command()
def create(
    partitions: Annotated[
        int | None, typer.Option(help="For topics that are planned with several.", show_default="6", min=1, max=1000)
    ] = None,
    replication: Annotated[
        int | None, typer.Option(help="Copies of each partition.", show_default="the broker's", min=1, max=100)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make the topics that are missing, with their settings. One that exists is compared and left as it is."""
    _show(_topics().create(partitions=partitions, replication=replication), as_json)


@app.command(name="list")
def list_topics(as_json: AsJson = False) -> None:
    """Show every topic, whether it is there, and what differs from its plan."""
    _show(_topics().reports(), as_json)


def _topics() -> KafkaTopics:
    from adapters.kafka_topics import KafkaTopics
    from adapters.settings import read_settings
    from adapters.wiring import kafka_access

    return KafkaTopics(kafka_access(read_settings()))


def _show(reports: list[TopicReport], as_json: bool) -> None:
    if as_json:
        print(json.dumps([asdict(each) for each in reports]))
        return
    for each in reports:
        state = "made" if each.is_new else f"{each.partitions} partitions" if each.exists else "missing"
        print(f"{each.name}\t{state}")
        for difference in each.differences:
            print(f"{each.name}: {difference}", file=sys.stderr)
    if any(each.differences for each in reports):
        print(
            "Topics that exist are left as they are. Kafka's own kafka-topics.sh --alter (more partitions) and"
            " kafka-configs.sh --alter (settings) change them.",
            file=sys.stderr,
        )
