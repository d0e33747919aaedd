"""`stenocast doctor`: is everything here that Stenocast needs, and what to do where it is not.

A machine is judged by its role: `core` serves, takes in and publishes; `worker` transcribes too.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from schemas.errors import StenocastError

if TYPE_CHECKING:
    from adapters.settings import Settings

#: Direct dependencies, as in requirements/core.in.
CORE_PACKAGES = (
    "alembic",
    "boto3",
    "fastapi",
    "filelock",
    "httpcore",
    "httpx",
    "idna",
    "jellyfish",
    "jinja2",
    "kafka-python",
    "opentelemetry-api",
    "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry-sdk",
    "platformdirs",
    "prometheus-client",
    "psycopg",
    "pydantic",
    "python-docx",
    "python-multipart",
    "rich",
    "sqlalchemy",
    "sse-starlette",
    "standardwebhooks",
    "structlog",
    "tenacity",
    "typer",
    "uvicorn",
)

#: What a machine needs beyond that to transcribe, as in requirements/worker.in.
WORKER_PACKAGES = (
    "av",
    "faster-whisper",
    "huggingface-hub",
    "numpy",
    "pip",
    "psutil",
    "pyannote.audio",
    "torch",
    "torchaudio",
)

#: An hour of speech takes 115 MB of scratch and a few MB of document.
LITTLE_ROOM_BYTES = 2_000_000_000
NO_ROOM_BYTES = 200_000_000

#: Importing every engine took 12 s on two busy cores.
PROBE_SECONDS = 180


#: A library of CUDA 12 that ctranslate2 loads on a GPU; torch brings those of CUDA 13.
CUBLAS = "libcublas.so.12"

#: An object that the doctor writes, reads and deletes.
PROBE_KEY = "uploads/doctor-{}"


class Role(StrEnum):
    AUTO = "auto"  #: worker where the engines are installed, else core
    CORE = "core"
    WORKER = "worker"


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"  #: it works, or works for something
    BAD = "bad"  #: something that is needed does not


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's report."""

    subject: str
    level: Level
    said: str
    advice: str = ""


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON to standard output.")] = False,
    role: Annotated[
        Role, typer.Option(help="What this machine is for: core (API, intake, publisher) or worker.")
    ] = Role.AUTO,
) -> None:
    """Check this installation: packages, devices, models, folders, ledger, store, Kafka. Exit status 1 if something
    is bad."""
    from adapters.settings import read_settings

    settings = read_settings()
    findings = examined(settings, role, _version_of)
    if as_json:
        print(json.dumps([asdict(each) for each in findings], indent=2))
    else:
        _print_findings(findings)
    if any(each.level is Level.BAD for each in findings):
        raise typer.Exit(1)


def examined(settings: Settings, role: Role, version_of: Callable[[str], str | None]) -> list[Finding]:
    """Everything that concerns a machine with this role."""
    findings = [python_version(sys.version_info[:3]), core_packages(version_of), *misspelt_settings(os.environ)]
    if role is not Role.CORE:
        engine_findings = engines(version_of, settings.device, _probe_with_a_sign_of_life, role)
        findings += engine_findings
        if role is Role.WORKER or has_engines(version_of):
            findings += [*model_sets(settings), hub_token(settings, os.environ)]
    return [
        *findings,
        folder_with_room("data folder", settings.data_dir, "STENOCAST_DATA_DIR"),
        folder_with_room("scratch folder", settings.scratch_folder, "STENOCAST_SCRATCH_DIR"),
        ledger(settings),
        store(settings),
        broker(settings),
    ]


# ---------------------------------------------------------------- what is looked at


def python_version(version: Sequence[int]) -> Finding:
    said = ".".join(str(part) for part in version)
    if tuple(version) < (3, 11):
        return Finding("python", Level.BAD, said, "Stenocast needs Python 3.11 or later")
    return Finding("python", Level.OK, f"{said} at {sys.executable}")


def _version_of(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def core_packages(version_of: Callable[[str], str | None]) -> Finding:
    missing = [package for package in CORE_PACKAGES if version_of(package) is None]
    if missing:
        return Finding(
            "packages",
            Level.BAD,
            f"missing: {', '.join(missing)}",
            "run `make setup`, or install requirements/core.txt",
        )
    stenocast = version_of("stenocast")
    said = f"stenocast {stenocast}, all {len(CORE_PACKAGES)} core packages"
    if stenocast is None:
        return Finding("packages", Level.WARN, "stenocast itself is not installed", "run `make setup`")
    return Finding("packages", Level.OK, said)


def misspelt_settings(environ: Mapping[str, str]) -> list[Finding]:
    """Variables that look like settings and change nothing; without any, no line."""
    from adapters.settings import unknown_variables

    return [
        Finding(
            "settings",
            Level.WARN,
            f"{name} is no setting and changes nothing",
            f"did you mean {meant}?" if meant else "docs/reference.md lists the settings",
        )
        for name, meant in unknown_variables(environ).items()
    ]


def has_engines(version_of: Callable[[str], str | None]) -> bool:
    return version_of("torch") is not None or version_of("faster-whisper") is not None


def engines(
    version_of: Callable[[str], str | None],
    device: str,
    probe: Callable[[], list[dict[str, Any]]],
    role: Role = Role.AUTO,
) -> list[Finding]:
    """What transcribing needs. A machine without any of it is a whole core installation, unless it is for work."""
    versions = {package: version_of(package) for package in WORKER_PACKAGES}
    missing = [package for package, version in versions.items() if version is None]
    advice = "run `make setup`, or install requirements/worker.txt"
    if not has_engines(version_of) and role is not Role.WORKER:
        said = "not installed: this machine can serve the API and publish, but not transcribe"
        return [Finding("engines", Level.WARN, said, advice)]
    if missing:
        return [Finding("engines", Level.BAD, f"missing: {', '.join(missing)}", advice)]
    try:
        probes = probe()
    except subprocess.TimeoutExpired:
        said = f"importing them takes more than {PROBE_SECONDS} s: is the machine busy, or its disk slow?"
        return [Finding("engines", Level.WARN, said, "try again when it is idle")]
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return [Finding("engines", Level.BAD, f"importing them failed: {error}", advice)]
    distributions = {"faster_whisper": "faster-whisper", "av": "PyAV"}
    findings = []
    for each in probes:
        name = str(each["package"])
        if name == CUBLAS:
            continue
        version = versions.get(distributions.get(name, name)) or version_of(name) or ""
        subject = distributions.get(name, name)
        if not each["imported"]:
            findings.append(Finding(subject, Level.BAD, f"{version} cannot be imported: {each['said']}", advice))
            continue
        findings.append(Finding(subject, Level.OK, ", ".join(part for part in (version, each["said"]) if part)))
    return [*findings, _device_finding(device, probes), *_cublas_finding(device, probes)]


def _cublas_finding(device: str, probes: Sequence[dict[str, Any]]) -> list[Finding]:
    """Said only where a GPU is to be used: nothing else loads the library."""
    found = {str(each["package"]): each for each in probes}.get(CUBLAS)
    is_wanted = device == "cuda" or (device == "auto" and any(int(each["cuda_devices"]) for each in probes))
    if found is None or not is_wanted:
        return []
    if found["imported"]:
        return [Finding("cuda 12", Level.OK, f"{CUBLAS} is found, beside torch's CUDA")]
    return [
        Finding(
            "cuda 12",
            Level.BAD,
            f"{found['said']}: the recognizer (ctranslate2) loads it on a GPU; torch brings another version",
            "install requirements/gpu.txt and put nvidia/cublas/lib on the loader's path (LD_LIBRARY_PATH)",
        )
    ]


def _device_finding(device: str, probes: Sequence[dict[str, Any]]) -> Finding:
    devices = {str(each["package"]): int(each["cuda_devices"]) for each in probes}
    both = devices.get("torch", 0) > 0 and devices.get("ctranslate2", 0) > 0
    if both:
        return Finding("device", Level.OK, "cuda" if device != "cpu" else "cpu (STENOCAST_DEVICE=cpu)")
    if device == "cuda":
        return Finding(
            "device",
            Level.BAD,
            "STENOCAST_DEVICE=cuda, and no CUDA device can be used",
            "install the driver, or use auto",
        )
    if any(devices.values()):
        seen = ", ".join(name for name, count in devices.items() if count)
        return Finding(
            "device", Level.WARN, f"only {seen} sees the CUDA device", "check the driver and CUDA libraries"
        )
    return Finding("device", Level.OK, "cpu")


def _probe_with_a_sign_of_life() -> list[dict[str, Any]]:
    if not sys.stderr.isatty():
        return run_probe()
    from rich.console import Console

    with Console(stderr=True).status("importing the engines to see whether they work"):
        return run_probe()


def run_probe() -> list[dict[str, Any]]:
    """Import the engines in a process of their own. Raises OSError, ValueError, subprocess.SubprocessError."""
    environment = os.environ | {"PYANNOTE_METRICS_ENABLED": "0", "HF_HUB_OFFLINE": "1"}
    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "adapters.engine_probe"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PROBE_SECONDS,
        env=environment,
        check=True,
    )
    found: list[dict[str, Any]] = json.loads(answer.stdout)
    return found


def model_sets(settings: Settings) -> list[Finding]:
    """The default set must be here and right; others are told of where there is something of them."""
    from adapters.model_sets import is_folder_name
    from adapters.models import SetState, find, installed

    default = settings.models
    try:
        states = {each.name: each.state for each in installed(settings.models_dir)}
    except StenocastError as error:
        return [Finding("models", Level.BAD, error.message)]
    wanted = [name for name, state in states.items() if state is not SetState.ABSENT or name == default]
    if default not in wanted:
        wanted.append(default)
    findings = []
    for name in wanted:
        worse = Level.BAD if name == default else Level.WARN
        subject = f"models {name}" + (" (default)" if name == default else "")
        try:
            found = find(name, settings.models_dir)
            findings.append(
                Finding(subject, Level.OK, f"{found.recognizer_name}, every hash right, in {found.folder}")
            )
        except StenocastError as error:
            advice = "" if is_folder_name(name) else f"run `stenocast models pull {name}`"
            findings.append(Finding(subject, worse, error.message, advice))
    return findings


def hub_token(settings: Settings, environ: Mapping[str, str]) -> Finding:
    """Is there an access token for the model hub, and does the default set need one? Only a pull asks the hub."""
    places = {"STENOCAST_HUB_TOKEN": settings.hub_token, "HF_TOKEN": environ.get("HF_TOKEN")}
    given = next((name for name, value in places.items() if value), None)
    if given is not None:
        said = f"{given} is set; what the hub opens to it, `stenocast models pull` finds out"
        return Finding("hub token", Level.OK, said)
    closed = _gated_and_missing(settings)
    if not closed:
        return Finding("hub token", Level.OK, f"none is set, and {settings.models} needs none")
    return Finding(
        "hub token",
        Level.WARN,
        f"none is set, and {settings.models} needs files of {', '.join(closed)}, which the hub gives only with one",
        "accept the terms there, make a token and set STENOCAST_HUB_TOKEN or HF_TOKEN (a stored login will do, too)",
    )


def _gated_and_missing(settings: Settings) -> list[str]:
    """The hub's repositories that the default set must still be fetched from and that ask for terms."""
    from adapters.model_sets import HubSource, read_set
    from adapters.models import find

    try:
        find(settings.models, settings.models_dir)
    except StenocastError:
        pass
    else:
        return []
    try:
        sources = [file.source for file in read_set(settings.models, settings.models_dir).files]
    except StenocastError:  # a folder, a hub's name or an unknown set: its own line says so
        return []
    return sorted({each.repository for each in sources if isinstance(each, HubSource) and each.gated})


def folder_with_room(
    subject: str,
    folder: Path,
    setting: str,
    free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free,
) -> Finding:
    """Can files be written there? A folder that is not there yet is judged by the one it would be made in."""
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return Finding(subject, Level.BAD, f"{folder} cannot be written", f"make it writable, or set {setting}")
    free = free_bytes(existing)
    said = f"{folder}{'' if folder.exists() else ' (made when first used)'}, {free / 1e9:.1f} GB free"
    if free < NO_ROOM_BYTES:
        return Finding(subject, Level.BAD, said, f"make room, or set {setting} to a larger disk")
    if free < LITTLE_ROOM_BYTES:
        return Finding(subject, Level.WARN, said, "an hour of audio takes 115 MB while it is transcribed")
    return Finding(subject, Level.OK, said)


def ledger(settings: Settings) -> Finding:
    """Does the database answer, and is its schema ours?"""
    from adapters.wiring import newest_schema, open_ledger

    url = settings.ledger_url
    place = url if url.startswith("sqlite") else without_password(url)
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return Finding("ledger", Level.OK, f"{place} (made when first used)")
    try:
        jobs = open_ledger(settings).jobs(limit=1)
    except StenocastError as error:
        return Finding("ledger", Level.BAD, error.message, "check STENOCAST_DATABASE_URL")
    said = f"{place}, schema {newest_schema()}, {'has jobs' if jobs else 'no jobs yet'}"
    return Finding("ledger", Level.OK, said)


def without_password(url: str) -> str:
    """The address of a database as it may be shown."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"


def store(settings: Settings) -> Finding:
    """Can an object be written, read back and deleted?"""
    import secrets

    from adapters.wiring import open_store

    place = settings.store_url or str(settings.store_folder)
    if not settings.store_url and not settings.store_folder.exists():
        return Finding("store", Level.OK, f"{place} (made when first used)")
    key, content = PROBE_KEY.format(secrets.token_hex(8)), secrets.token_bytes(32)
    advice = "check STENOCAST_STORE_URL, STENOCAST_S3_ENDPOINT and the credentials (AWS_ACCESS_KEY_ID …)"
    try:
        opened = open_store(settings)
        opened.put(key, content)
        read = opened.get(key)
        opened.delete(key)
        is_left = opened.exists(key)
    except StenocastError as error:
        return Finding(
            "store", Level.BAD, error.message, advice if settings.store_url else "check STENOCAST_DATA_DIR"
        )
    if read != content:
        return Finding("store", Level.BAD, f"{place}: an object came back with other bytes than were put", advice)
    if is_left:
        return Finding("store", Level.BAD, f"{place}: a deleted object is still there", advice)
    return Finding("store", Level.OK, f"{place}: an object was put, read and deleted")


def broker(settings: Settings) -> Finding:
    """Does Kafka answer, let us in, and have the topics?"""
    if not settings.kafka_bootstrap:
        return Finding("kafka", Level.OK, "none (STENOCAST_KAFKA_BOOTSTRAP is empty): events go to the event log")
    from adapters.wiring import kafka_access

    try:
        from adapters.kafka_topics import KafkaTopics

        reports = KafkaTopics(kafka_access(settings)).reports()
    except StenocastError as error:
        return Finding("kafka", Level.BAD, error.message, "check the STENOCAST_KAFKA_… settings")
    place = f"{settings.kafka_bootstrap} ({settings.kafka_security})"
    missing = [each.name for each in reports if not each.exists]
    if missing:
        said = f"{place}: topics are missing: {', '.join(missing)}"
        return Finding("kafka", Level.BAD, said, "run `stenocast topics create`")
    differing = [f"{each.name}: {difference}" for each in reports for difference in each.differences]
    if differing:
        return Finding("kafka", Level.WARN, f"{place}: {'; '.join(differing)}", "see `stenocast topics list`")
    return Finding("kafka", Level.OK, f"{place}: all {len(reports)} topics are there")


# ---------------------------------------------------------------- how it is shown


def _print_findings(findings: Sequence[Finding]) -> None:
    from rich.console import Console
    from rich.text import Text

    colours = {Level.OK: "green", Level.WARN: "yellow", Level.BAD: "bold red"}
    console = Console(highlight=False, soft_wrap=True)
    width = max(len(each.subject) for each in findings)
    for each in findings:
        line = Text.assemble((f"{each.level.value:<5}", colours[each.level]), f"{each.subject:<{width}}  {each.said}")
        console.print(line)
        if each.advice and each.level is not Level.OK:
            console.print(Text(f"{'':<5}{'':<{width}}  → {each.advice}"))
