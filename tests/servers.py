"""The real servers as the tests see them: where they answer, by which credentials, and something of each test's own.

Told by STENOCAST_TEST_KAFKA, STENOCAST_TEST_S3 and STENOCAST_TEST_POSTGRES (`infra/dev/servers.py env` prints all of
them), else found where `make services-up` keeps them. The fixtures are in conftest.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

SERVERS = Path(__file__).resolve().parent.parent / "infra" / "dev" / "servers.py"


@dataclass(frozen=True)
class Login:
    """A user whom Kafka knows by one of its mechanisms."""

    user: str
    password: str


@dataclass(frozen=True)
class KafkaServer:
    """One broker behind several listeners. All but `bootstrap` are None where the servers are somebody else's."""

    bootstrap: str  #: plaintext, no login
    sasl: str | None = None  #: plaintext, login by SCRAM or PLAIN
    ssl: str | None = None  #: TLS, no login
    mtls: str | None = None  #: TLS, and clients show a certificate
    sasl_ssl: str | None = None  #: TLS and login
    scram: Login | None = None  #: known to SCRAM-SHA-256 and SCRAM-SHA-512
    plain: Login | None = None  #: known to PLAIN
    ca_file: Path | None = None
    cert_file: Path | None = None  #: a client's
    key_file: Path | None = None


@dataclass(frozen=True)
class S3Server:
    """An S3 server that makes buckets on request."""

    endpoint: str
    access_key: str
    secret_key: str
    events_topic: str | None  #: the Kafka topic of its notifications; None = it sends none

    @property
    def credentials(self) -> dict[str, str]:
        """For the environment of a process that uses boto3's own chain."""
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}

    def client(self) -> Any:
        """A plain boto3 client, as a producer would have."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name="us-east-1",
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )

    def new_bucket(self, *, versions: bool = False) -> str:
        """An empty bucket of the caller's own; `versions` keeps what is overwritten."""
        name = f"test-{uuid4().hex}"
        client = self.client()
        client.create_bucket(Bucket=name)
        if versions:
            client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return name

    def remove_bucket(self, name: str) -> None:
        """Remove a bucket with everything in it, old versions and unfinished uploads included."""
        client = self.client()
        for page in client.get_paginator("list_object_versions").paginate(Bucket=name):
            for each in page.get("Versions", []) + page.get("DeleteMarkers", []):
                client.delete_object(Bucket=name, Key=each["Key"], VersionId=each["VersionId"])
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=name):
            for each in page.get("Contents", []):
                client.delete_object(Bucket=name, Key=each["Key"])
        for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=name):
            for each in page.get("Uploads", []):
                client.abort_multipart_upload(Bucket=name, Key=each["Key"], UploadId=each["UploadId"])
        client.delete_bucket(Bucket=name)


@dataclass(frozen=True)
class PostgresServer:
    """A PostgreSQL server where tests make databases."""

    url: str  #: of the database that is always there, as libpq takes it

    def new_database(self) -> str:
        """An empty database of the caller's own; its URL as SQLAlchemy takes it."""
        name = f"test_{uuid4().hex}"
        self._execute(f'CREATE DATABASE "{name}"')
        return urlsplit(self.url)._replace(scheme="postgresql+psycopg", path=f"/{name}").geturl()

    def drop_database(self, url: str) -> None:
        """Remove it, whoever is still connected."""
        self._execute(f'DROP DATABASE IF EXISTS "{urlsplit(url).path[1:]}" WITH (FORCE)')

    def _execute(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]


def environment() -> dict[str, str]:
    """STENOCAST_TEST_…: this process's own, and for servers that it does not name those of `make services-up`.

    A server that the environment names is taken from there with all that belongs to it: an address of one and a
    password of another would fit no server.
    """
    own = {name: value for name, value in os.environ.items() if name.startswith("STENOCAST_TEST_") and value}
    named = [f"STENOCAST_TEST_{each}" for each in ("KAFKA", "S3", "POSTGRES") if f"STENOCAST_TEST_{each}" in own]
    if len(named) == 3:
        return own
    asked = subprocess.run([sys.executable, SERVERS, "env", "--json"], capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(asked.stdout)
    return {name: value for name, value in found.items() if not name.startswith(tuple(named))} | own


def kafka_of(told: Mapping[str, str]) -> KafkaServer | None:
    bootstrap = told.get("STENOCAST_TEST_KAFKA")
    if bootstrap is None:
        return None
    tls = told.get("STENOCAST_TEST_KAFKA_TLS")
    return KafkaServer(
        bootstrap=bootstrap,
        sasl=told.get("STENOCAST_TEST_KAFKA_SASL"),
        ssl=told.get("STENOCAST_TEST_KAFKA_SSL"),
        mtls=told.get("STENOCAST_TEST_KAFKA_MTLS"),
        sasl_ssl=told.get("STENOCAST_TEST_KAFKA_SASL_SSL"),
        scram=_login(told.get("STENOCAST_TEST_KAFKA_SCRAM")),
        plain=_login(told.get("STENOCAST_TEST_KAFKA_PLAIN")),
        ca_file=None if tls is None else Path(tls) / "ca.pem",
        cert_file=None if tls is None else Path(tls) / "client.crt",
        key_file=None if tls is None else Path(tls) / "client.key",
    )


def s3_of(told: Mapping[str, str]) -> S3Server | None:
    """From `http://KEY:SECRET@host:port`."""
    address = told.get("STENOCAST_TEST_S3")
    if address is None:
        return None
    parts = urlsplit(address)
    return S3Server(
        endpoint=f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
        access_key=unquote(parts.username or ""),
        secret_key=unquote(parts.password or ""),
        events_topic=told.get("STENOCAST_TEST_S3_EVENTS"),
    )


def postgres_of(told: Mapping[str, str]) -> PostgresServer | None:
    url = told.get("STENOCAST_TEST_POSTGRES")
    return None if url is None else PostgresServer(url)


def _login(text: str | None) -> Login | None:
    user, _, password = (text or "").partition(":")
    return Login(user, password) if text else None
