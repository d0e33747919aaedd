"""Settings: environment `STENOCAST_*` over one TOML file over defaults, read once into a frozen value.

Adapters receive plain arguments, not this object. A bad setting stops the start and says which, with its value.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import TypeAdapter, ValidationError

from schemas.errors import OptionError

#: Settings whose value is never shown or logged.
SECRETS = frozenset({"hub_token", "kafka_password", "database_url"})


#: Variables with our prefix that are no settings: where the file lies, and what tests, examples and scripts are told.
_NO_SETTINGS = re.compile(r"STENOCAST_(CONFIG|API|HELM|DEV_SERVERS|CLOCK_FILE|CHAOS_SEED|TEST_\w+|REQUIRE_\w+)")


def _data_folder() -> Path:
    return Path(platformdirs.user_data_dir("stenocast"))


def _models_folder() -> Path:
    return Path(platformdirs.user_cache_dir("stenocast")) / "models"


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting, with a default that works. In the environment `port` is `STENOCAST_PORT`."""

    #: ledger, store, event log and scratch of the embedded service
    data_dir: Path = field(default_factory=_data_folder)
    #: where model files are kept
    models_dir: Path = field(default_factory=_models_folder)
    models: str = "starter"  #: the model set of jobs that name none
    #: postgresql://USER:PASSWORD@HOST/DATABASE or sqlite:///FILE; empty = sqlite in data_dir
    database_url: str = ""
    store_url: str = ""  #: s3://bucket or s3://bucket/prefix; empty = a folder in data_dir
    drop_url: str = ""  #: s3://bucket or s3://bucket/prefix where producers drop; empty = the store's bucket
    reconcile_seconds: float = 300.0  #: between two looks at everything that lies in the drop location
    #: results of attempts that lost, and downloads that no job names, are removed when they are as old as this
    garbage_seconds: float = 86_400.0
    s3_endpoint: str = ""  #: URL of an S3 server; empty = AWS
    s3_region: str = ""  #: empty = as boto3 finds it, us-east-1 where an endpoint is given
    s3_timeout_seconds: float = 30.0  #: without a byte from the S3 server
    scratch_dir: Path | None = None  #: decoded audio while a job runs; empty = data_dir/scratch
    host: str = "127.0.0.1"  #: the API listens here
    port: int = 8080
    device: str = "auto"  #: auto, cpu or cuda
    devices: str = ""  #: one engine each: cuda:0,cuda:1 or cpu; empty = every GPU, else the processor
    threads: int = 0  #: CPU threads an engine may use; 0 = all cores, at most 8
    max_upload_bytes: int = 5_000_000_000  #: 5 GB
    max_audio_seconds: float = 43_200.0  #: 12 h
    decode_memory_bytes: int = 1_500_000_000  #: address space of the decoder child
    decode_timeout_seconds: float = 900.0  #: clock time one decode may take
    lease_seconds: float = 30.0  #: a worker that does not beat for so long loses its job
    heartbeat_seconds: float = 5.0
    grace_seconds: float = 25.0  #: from a worker's SIGTERM to its end; a job that fits is finished
    back_off_seconds: float = 5.0  #: before a failed job is tried again; doubles with each attempt
    link_timeout_seconds: float = 3_600.0  #: clock time that the download of a link may take
    link_redirects: int = 3  #: how often a link may lead elsewhere; each place is checked like the link
    #: networks that links and webhooks may lead into although they are not public: 10.1.0.0/16,fd00::/8
    outward_networks: str = ""
    inbox: Path | None = None  #: a watched folder
    glossaries: Path | None = None  #: a folder with a glossary for each show that has one: <show>.toml
    kafka_bootstrap: str = ""  #: host:port, several separated by commas; empty = no Kafka
    kafka_security: str = "plaintext"  #: plaintext, ssl, sasl_plaintext or sasl_ssl
    kafka_sasl_mechanism: str = "SCRAM-SHA-512"  #: or SCRAM-SHA-256, PLAIN
    kafka_username: str = ""
    kafka_password: str = ""
    kafka_ca_file: Path | None = None  #: who signed the brokers' certificates; empty = the system's authorities
    kafka_cert_file: Path | None = None  #: our own certificate, where brokers ask for one
    kafka_key_file: Path | None = None
    #: this installation's name at the broker: its consumer group, and with `-publisher` its transactional id
    kafka_group: str = "stenocast"
    kafka_session_seconds: float = 10.0  #: without a sign of life from an intake, until others have its partitions
    topic_prefix: str = ""  #: before the name of every topic
    known_voices: bool = False  #: know people again by their voices, in shows that agreed (`stenocast voices`)
    hub_token: str = ""  #: for gated model repositories; HF_TOKEN is honoured too
    log_format: str = "console"  #: console or json
    metrics_port: int = 0  #: /metrics, /healthz and /readyz of processes other than the API; 0 = off
    otlp_endpoint: str = ""  #: traces go to this OTLP/HTTP collector; empty = none are made
    allow_scripted: bool = False  #: jobs may name the model set "scripted": tests and load trials only
    scripted_seconds: float = 0.0  #: clock seconds that a scripted engine takes a window
    scripted_window: float = 300.0  #: audio seconds of the longest scripted window
    crash_at: str = ""  #: where a test lets a process die (workers/crashpoints.py); needs allow_scripted
    crash_file: Path | None = None  #: a file that says the same at any time

    @property
    def ledger_url(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'ledger.sqlite3'}"

    @property
    def store_folder(self) -> Path:
        return self.data_dir / "store"

    @property
    def scratch_folder(self) -> Path:
        return self.scratch_dir or self.data_dir / "scratch"

    @property
    def event_log(self) -> Path:
        return self.data_dir / "events.jsonl"


def read_settings(environ: Mapping[str, str] | None = None, file: Path | None = None) -> Settings:
    """Read the settings once, at the start of a process.

    `file` (or `STENOCAST_CONFIG`) is a TOML file with the field names as keys. Raises OptionError `bad_setting`.
    """
    environ = os.environ if environ is None else environ
    file = file or (Path(environ["STENOCAST_CONFIG"]) if environ.get("STENOCAST_CONFIG") else None)
    known = {each.name for each in fields(Settings)}
    given: dict[str, Any] = {}
    if file is not None:
        given |= _from_file(file, known)
    for name in known:
        text = environ.get(f"STENOCAST_{name.upper()}")
        if text is not None and text != "":
            given[name] = text
    try:
        checked: Settings = TypeAdapter(Settings).validate_python(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        value = "(hidden)" if name in SECRETS else repr(given.get(name))
        raise OptionError(
            f"STENOCAST_{name.upper()}={value}: {first['msg']}", code="bad_setting", field=name
        ) from error
    _check(checked)
    return replace(checked, data_dir=checked.data_dir.expanduser(), models_dir=checked.models_dir.expanduser())


def unknown_variables(environ: Mapping[str, str] | None = None) -> dict[str, str | None]:
    """Variables that look like settings and are none, each with the setting that may have been meant.

    Nothing stops because of them: another version, or a script of somebody's own, may know them.
    """
    environ = os.environ if environ is None else environ
    known = [f"STENOCAST_{each.name.upper()}" for each in fields(Settings)]
    strange = (name for name in environ if name.startswith("STENOCAST_") and name not in known)
    return {
        name: next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.85)), None)
        for name in sorted(strange)
        if not _NO_SETTINGS.fullmatch(name)
    }


def _from_file(file: Path, known: set[str]) -> dict[str, Any]:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise OptionError(f"{file}: cannot be read as settings: {error}", code="bad_setting") from error
    for name in content:
        if name not in known:
            raise OptionError(f"{file}: {name} is not a setting", code="bad_setting", field=name)
    return content


#: What a setting may be, where its type does not say it.
_ONE_OF = {
    "device": ("auto", "cpu", "cuda"),
    "log_format": ("console", "json"),
    "kafka_security": ("plaintext", "ssl", "sasl_plaintext", "sasl_ssl"),
    "kafka_sasl_mechanism": ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"),
}
_OVER_ZERO = (
    "reconcile_seconds",
    "s3_timeout_seconds",
    "link_timeout_seconds",
    "max_upload_bytes",
    "max_audio_seconds",
    "decode_memory_bytes",
    "decode_timeout_seconds",
    "kafka_session_seconds",
    "scripted_window",
)
MOST_LINK_REDIRECTS = 20  #: what browsers follow at most, too
_ZERO_OR_MORE = ("garbage_seconds", "grace_seconds", "back_off_seconds", "threads", "scripted_seconds")
_PORTS = ("port", "metrics_port")


def _check(settings: Settings) -> None:
    for name, values in _ONE_OF.items():
        if getattr(settings, name) not in values:
            raise _impossible(settings, name, f"use one of {', '.join(values)}")
    for name in _OVER_ZERO:
        if not getattr(settings, name) > 0:  # nan is not, either
            raise _impossible(settings, name, "must be over 0")
    for name in _ZERO_OR_MORE:
        if not getattr(settings, name) >= 0:
            raise _impossible(settings, name, "must be 0 or more")
    if not 0 <= settings.link_redirects <= MOST_LINK_REDIRECTS:
        raise _impossible(settings, "link_redirects", f"must be 0 to {MOST_LINK_REDIRECTS}")
    for name in _PORTS:
        if not 0 <= getattr(settings, name) <= 65535:
            raise _impossible(settings, name, "must be 0 to 65535")
    if not 0 < settings.heartbeat_seconds < settings.lease_seconds / 2:
        raise _impossible(
            settings, "heartbeat_seconds", f"must be under half of the lease ({settings.lease_seconds} s)"
        )
    for device in _listed(settings.devices):
        if not re.fullmatch(r"cpu|cuda:\d{1,2}", device):
            raise _impossible(settings, "devices", f"{device} is no device; use cuda:0,cuda:1 or cpu")
    for server in _listed(settings.kafka_bootstrap):
        if not re.fullmatch(r"\S+:\d{1,5}", server):
            raise _impossible(settings, "kafka_bootstrap", f"{server} is no host:port")
    for network in _listed(settings.outward_networks):
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            raise _impossible(settings, "outward_networks", f"{network} is no network: {error}") from error
    if settings.kafka_bootstrap and settings.kafka_security.startswith("sasl") and not settings.kafka_username:
        raise _impossible(settings, "kafka_username", f"STENOCAST_KAFKA_SECURITY={settings.kafka_security} needs one")


def _listed(text: str) -> Iterator[str]:
    return filter(None, (each.strip() for each in text.split(",")))


def _impossible(settings: Settings, name: str, why: str) -> OptionError:
    """The error about this setting; none of those that are checked here is a secret."""
    return OptionError(f"STENOCAST_{name.upper()}={getattr(settings, name)!r}: {why}", code="bad_setting", field=name)
