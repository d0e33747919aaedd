"""Fixtures that every room's tests may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from uuid import uuid4

import pytest
import structlog

from tests.servers import KafkaServer, PostgresServer, S3Server, environment, kafka_of, postgres_of, s3_of

if TYPE_CHECKING:
    from tests.topics import Made

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def logs_end_with_the_test() -> Iterator[None]:
    """A command that ran in the test set logs up on a stream that is closed afterwards."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference pages and real recordings beside the checkout; the test is skipped without it."""
    folder = ROOT.parent / "shared"
    if not (folder / "seeds").is_dir():
        pytest.skip("the reference pages and recordings (../shared) are not here")
    return folder


@pytest.fixture(scope="session")
def model_sets() -> Path:
    """The folder of the pulled model sets `starter` and `fast`; `make setup` pulls them."""
    from adapters.settings import read_settings

    folder = read_settings().models_dir
    if not (folder / "fast").is_dir() or not (folder / "starter").is_dir():
        if os.environ.get("STENOCAST_REQUIRE_MODELS"):
            pytest.fail(f"{folder}: the model sets starter and fast are missing; run `make setup`")
        pytest.skip(f"{folder}: the model sets starter and fast are not pulled; run `make setup`")
    return folder


@pytest.fixture(scope="session")
def services() -> dict[str, str]:
    """Where the real servers are (tests/servers.py)."""
    return environment()


@pytest.fixture(scope="session")
def kafka(services: dict[str, str]) -> KafkaServer:
    """A running Kafka. The topics are shared: use a prefix of the test's own."""
    return kafka_of(services) or _no_server("Kafka", "KAFKA")


@pytest.fixture(scope="session")
def s3(services: dict[str, str]) -> S3Server:
    """A running S3 server."""
    return s3_of(services) or _no_server("S3", "S3")


@pytest.fixture(scope="session")
def postgres(services: dict[str, str]) -> PostgresServer:
    """A running PostgreSQL."""
    return postgres_of(services) or _no_server("PostgreSQL", "POSTGRES")


@pytest.fixture
def topics(kafka: KafkaServer) -> Iterator[Made]:
    """All our topics with two partitions each, under a prefix of the test's own; removed afterwards."""
    from kafka import KafkaAdminClient

    from adapters.kafka_access import KafkaAccess
    from adapters.kafka_topics import KafkaTopics
    from schemas.topics import Topic
    from tests.topics import Made

    made = Made(KafkaAccess(kafka.bootstrap, prefix=f"t{uuid4().hex[:12]}."))
    KafkaTopics(made.access).create(partitions=2)
    yield made
    made.close()
    admin = KafkaAdminClient(bootstrap_servers=made.access.servers, reconnect_backoff_max_ms=1000)
    admin.delete_topics([made.access.name(topic) for topic in Topic])
    admin.close()


@pytest.fixture
def bucket(s3: S3Server) -> Iterator[str]:
    """An empty bucket, removed afterwards."""
    name = s3.new_bucket()
    yield name
    s3.remove_bucket(name)


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """An empty database, as SQLAlchemy takes it; dropped afterwards."""
    url = postgres.new_database()
    yield url
    postgres.drop_database(url)


def _no_server(name: str, variable: str) -> NoReturn:
    what = f"no {name} runs for the tests: `make services-up`, or point STENOCAST_TEST_{variable} at one"
    if os.environ.get("STENOCAST_REQUIRE_SERVICES"):
        pytest.fail(what)
    pytest.skip(what)
