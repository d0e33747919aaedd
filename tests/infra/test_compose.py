"""The compose file: every target, command, port, volume and setting in it is one that the code has."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

from adapters.settings import read_settings
from infra.images.healthy import is_healthy
from schemas.topics import Topic
from tests.infra_files import INFRA, ROOT, is_setting, stages

OURS = ("migrate", "topics", "bucket", "models", "api", "intake", "publisher", "reconciler", "worker", "worker-gpu")


def service_of(compose: dict[str, Any], name: str) -> dict[str, Any]:
    return compose["services"][name]


@pytest.mark.parametrize("name", OURS)
def test_every_build_target_is_a_stage_of_the_dockerfile(compose: dict[str, Any], name: str) -> None:
    service = service_of(compose, name)

    assert service["build"]["target"] in stages()
    assert (INFRA / service["build"]["context"]).resolve() == ROOT
    assert service["image"].removeprefix("stenocast:") == service["build"]["target"]


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting_and_together_they_can_be_read(compose: dict[str, Any], name: str) -> None:
    environment = service_of(compose, name)["environment"]

    assert [each for each in environment if not is_setting(each)] == []
    read_settings(environment)


@pytest.mark.parametrize("name", [each for each in OURS if each != "bucket"])
def test_every_command_is_one_of_ours(compose: dict[str, Any], name: str) -> None:
    import typer

    from cli.main import app

    command = typer.main.get_command(app)
    for word in service_of(compose, name)["command"]:
        if hasattr(command, "commands"):
            command = command.commands[word]


@pytest.mark.parametrize("name", OURS)
def test_every_process_of_ours_has_a_read_only_root_and_a_place_for_its_data(
    compose: dict[str, Any], name: str
) -> None:
    service = service_of(compose, name)

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    if name != "bucket":
        assert "/data" in [volume.split(":")[1] for volume in service["volumes"]]


def test_every_named_volume_is_declared_and_used(compose: dict[str, Any]) -> None:
    mounted = [each.split(":") for service in compose["services"].values() for each in service.get("volumes", [])]

    assert {source for source, *_ in mounted if not source.startswith(".")} == set(compose["volumes"])
    for source, *_ in mounted:
        assert not source.startswith(".") or (INFRA / source).exists(), source


def test_everything_listens_on_this_machine_only(compose: dict[str, Any]) -> None:
    published = [port for service in compose["services"].values() for port in service.get("ports", [])]

    assert published
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_ports_are_those_that_the_images_have(compose: dict[str, Any]) -> None:
    exposed = next(line.split()[1:] for line in stages()["core"] if line.startswith("EXPOSE"))

    assert service_of(compose, "api")["ports"] == ["127.0.0.1:8080:8080"]
    assert exposed == ["8080", service_of(compose, "intake")["environment"]["STENOCAST_METRICS_PORT"]]


def test_the_addresses_are_those_of_the_services(compose: dict[str, Any]) -> None:
    environment = service_of(compose, "api")["environment"]
    database = sa.make_url(environment["STENOCAST_DATABASE_URL"])
    postgres = service_of(compose, "postgres")["environment"]
    server = service_of(compose, "s3")

    assert (database.host, database.username, database.password, database.database) == (
        *("postgres", postgres["POSTGRES_USER"], postgres["POSTGRES_PASSWORD"], postgres["POSTGRES_DB"]),
    )
    assert environment["STENOCAST_S3_ENDPOINT"] == "http://s3:7070"
    assert "--port=:7070" in server["command"]
    assert (environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]) == (
        *(server["environment"]["ROOT_ACCESS_KEY"], server["environment"]["ROOT_SECRET_KEY"]),
    )
    assert (
        f"PLAINTEXT://{environment['STENOCAST_KAFKA_BOOTSTRAP']}"
        in (service_of(compose, "kafka")["environment"]["KAFKA_ADVERTISED_LISTENERS"])
    )


def test_the_bucket_tells_the_topic_that_intake_reads(compose: dict[str, Any]) -> None:
    command = service_of(compose, "s3")["command"]
    told = json.loads((INFRA / "bucket-events.json").read_text(encoding="utf-8"))

    assert f"--event-kafka-topic={Topic.BUCKET_EVENTS.value}" in command
    assert told["s3:ObjectCreated:*"] is True


def test_dependencies_are_services_and_those_that_must_end_do(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        needed = service.get("depends_on", {})
        for other in needed:
            assert other in compose["services"], name
        for other, how in needed.items() if isinstance(needed, dict) else ():
            if how["condition"] == "service_completed_successfully":
                assert service_of(compose, other)["restart"].startswith("on-failure"), other


def test_the_profiles_are_those_that_are_documented(compose: dict[str, Any]) -> None:
    profiles = {name: each["profiles"] for name, each in compose["services"].items() if "profiles" in each}

    assert profiles == {
        "worker": ["default"],
        "worker-gpu": ["gpu"],
        "prometheus": ["observability"],
        "grafana": ["observability"],
    }
    assert "COMPOSE_PROFILES=default" in (INFRA / ".env").read_text(encoding="utf-8").splitlines()


def test_the_bucket_is_made_by_a_program_that_python_understands(compose: dict[str, Any]) -> None:
    (program,) = service_of(compose, "bucket")["command"]

    ast.parse(program)


def test_a_worker_gets_longer_to_end_than_it_takes(compose: dict[str, Any]) -> None:
    worker = service_of(compose, "worker")

    assert int(worker["stop_grace_period"].removesuffix("s")) > int(worker["environment"]["STENOCAST_GRACE_SECONDS"])


def test_prometheus_asks_every_process_at_the_port_it_has(compose: dict[str, Any]) -> None:
    config = yaml.safe_load((INFRA / "observability" / "prometheus.yml").read_text(encoding="utf-8"))
    asked = {name: each["port"] for each in config["scrape_configs"][0]["dns_sd_configs"] for name in each["names"]}

    assert set(asked) <= set(compose["services"])
    assert {name for name in OURS if name not in ("migrate", "topics", "bucket", "models")} == set(asked)
    for name, port in asked.items():
        assert port == (
            8080 if name == "api" else int(service_of(compose, name)["environment"]["STENOCAST_METRICS_PORT"])
        )


def test_where_nobody_listens_the_health_check_says_so() -> None:
    assert is_healthy("1") is None
