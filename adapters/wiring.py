"""The one place that picks real objects from the settings. Everything else takes what it is given."""

from __future__ import annotations

import importlib.metadata
import os
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.settings import Settings
from schemas.errors import ModelError, NotReady, OptionError
from schemas.events import Event
from schemas.topics import Topic
from transcription.drops import OWN_FOLDERS, drop_place
from transcription.ports import (
    DeadLetters,
    Decoder,
    Diarizer,
    DropBox,
    EventSink,
    KnownVoices,
    Links,
    Recognizer,
    RecordSource,
    Store,
    WebhookLedger,
)

if TYPE_CHECKING:
    from adapters.database import Ledger
    from adapters.kafka_access import KafkaAccess
    from adapters.models import FoundSet
    from adapters.outward import Outward, PlainHttp
    from adapters.s3 import S3Access
    from adapters.webhook_desk import WebhookDesk
    from adapters.webhook_sender import WebhookSender
    from transcription.pipeline import Pipeline

#: More threads than this make int8 Whisper and the voice networks no faster.
MOST_THREADS = 8

#: The name of the engines that need no models, for tests and load trials.
SCRIPTED = "scripted"


def version() -> str:
    """Stenocast's own version."""
    return importlib.metadata.version("stenocast")


def open_ledger(settings: Settings) -> Ledger:
    """The ledger, its schema brought up to date. Raises TransientError, NotReady."""
    from adapters.database import Ledger

    _make_folder(settings.data_dir)
    return Ledger.open(settings.ledger_url, back_off_seconds=settings.back_off_seconds)


def take_schema_back(settings: Settings, version: str) -> str | None:
    """The version that the ledger's schema is at, once it is no newer than this one.

    Raises OptionError, TransientError, NotReady.
    """
    from adapters.database import Ledger

    ledger = Ledger(settings.ledger_url)
    try:
        return ledger.migrate_back(version)
    finally:
        ledger.close()


def newest_schema() -> str:
    """The version of the ledger's schema that this Stenocast works with: that of any ledger it has opened."""
    from adapters.database import MIGRATIONS

    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def open_store(settings: Settings) -> Store:
    """Where uploads, checkpoints and transcripts lie. Raises OptionError, NotReady, TransientError."""
    if settings.store_url:
        return _open_s3_store(settings)
    from adapters.folder import FolderStore

    _make_folder(settings.store_folder)
    store = FolderStore(settings.store_folder)
    store.sweep_unfinished()
    return store


def _open_s3_store(settings: Settings) -> Store:
    from adapters.s3 import S3Store, read_place

    bucket, prefix = read_place(settings.store_url)
    access = _s3_access(settings)
    folders = ("",) if prefix else OWN_FOLDERS
    store = S3Store(access.client(), bucket, prefix, server=access.name, folders=folders)
    store.check()
    store.sweep_unfinished()
    return store


def open_drop_box(settings: Settings) -> DropBox | None:
    """The buckets that producers drop recordings into; None where the settings name no bucket.

    Nothing is connected yet. Raises OptionError, NotReady.
    """
    place = drop_place(settings.drop_url, settings.store_url)
    if place is None:
        return None
    from adapters.s3 import S3DropBox

    access = _s3_access(settings)
    return S3DropBox(access.client(), home=place.bucket, server=access.name)


def _s3_access(settings: Settings) -> S3Access:
    from adapters.s3 import S3Access

    return S3Access(settings.s3_endpoint, settings.s3_region, settings.s3_timeout_seconds)


def kafka_access(settings: Settings) -> KafkaAccess:
    """How the settings say to reach Kafka. Raises NotReady `kafka_missing` where they say nothing."""
    from adapters.kafka_access import KafkaAccess

    if not settings.kafka_bootstrap:
        raise NotReady("STENOCAST_KAFKA_BOOTSTRAP is empty: this installation has no Kafka", code="kafka_missing")
    return KafkaAccess(
        bootstrap=settings.kafka_bootstrap,
        security=settings.kafka_security,
        mechanism=settings.kafka_sasl_mechanism,
        username=settings.kafka_username,
        password=settings.kafka_password,
        ca_file=settings.kafka_ca_file,
        cert_file=settings.kafka_cert_file,
        key_file=settings.kafka_key_file,
        prefix=settings.topic_prefix,
    )


def open_source(settings: Settings, topics: Sequence[Topic]) -> RecordSource:
    """Records of these topics for this installation's consumer group; nothing is connected yet."""
    from adapters.kafka import KafkaSource

    return KafkaSource(
        kafka_access(settings),
        topics,
        group=settings.kafka_group,
        session_timeout_ms=int(settings.kafka_session_seconds * 1000),
        heartbeat_interval_ms=int(settings.kafka_session_seconds * 1000 / 4),
    )


def open_dead_letters(settings: Settings) -> DeadLetters:
    """Where records go that cannot be taken in; nothing is connected yet."""
    from adapters.kafka import KafkaDeadLetters

    return KafkaDeadLetters(kafka_access(settings))


def open_voices(settings: Settings) -> KnownVoices:
    """The voices that shows agreed to have kept. Nothing is opened before they are asked."""
    from adapters.voices import LedgerVoices

    return LedgerVoices(lambda: open_ledger(settings))


def open_sink(settings: Settings) -> EventSink:
    """Where published events go: Kafka, or without one the event log. Nothing is connected yet."""
    if settings.kafka_bootstrap:
        from adapters.kafka import KafkaSink

        return KafkaSink(kafka_access(settings), transactional_id=f"{settings.kafka_group}-publisher")
    from adapters.eventlog import EventLog

    _make_folder(settings.data_dir)
    return EventLog(settings.event_log)


def published_events(settings: Settings, *, follow: bool) -> Iterator[Event]:
    """What was published where `open_sink` publishes, oldest first; with `follow` then what comes."""
    if settings.kafka_bootstrap:
        from adapters.kafka_topics import KafkaEvents

        return KafkaEvents(kafka_access(settings)).read(follow=follow)
    from adapters.eventlog import EventLog

    return (event for _, event in EventLog(settings.event_log).read(follow=follow))


def open_outward(settings: Settings, *, plain_http: PlainHttp, total_seconds: float = 60.0) -> Outward:
    """A client for addresses that users name; nothing is connected yet."""
    from adapters.outward import Outward, networks

    return Outward(
        user_agent=f"Stenocast/{version()}",
        let_in=networks(settings.outward_networks),
        plain_http=plain_http,
        total_seconds=total_seconds,
    )


def open_webhooks(settings: Settings) -> WebhookLedger:
    """Webhooks and what is on its way to them, on connections of their own. Nothing is opened before it is asked."""
    from adapters.webhooks import LedgerWebhooks

    return LedgerWebhooks(lambda: open_ledger(settings))


def open_webhook_sender(settings: Settings, *, total_seconds: float | None = None) -> WebhookSender:
    """Sends events to webhooks: by https, and by http to addresses in `outward_networks` only."""
    from adapters.outward import PlainHttp
    from adapters.webhook_sender import TIMEOUT_SECONDS, WebhookSender

    plain_http = PlainHttp.OUTWARD_NETWORKS if settings.outward_networks else PlainHttp.NOWHERE
    seconds = TIMEOUT_SECONDS if total_seconds is None else min(total_seconds, TIMEOUT_SECONDS)
    return WebhookSender(open_outward(settings, plain_http=plain_http, total_seconds=seconds))


def open_webhook_desk(settings: Settings) -> WebhookDesk:
    """What people do with webhooks. Nothing is opened before it is asked."""
    from adapters.webhook_desk import WebhookDesk

    return WebhookDesk(open_webhooks(settings), open_webhook_sender(settings))


def open_links(settings: Settings) -> Links:
    """Recordings behind links, as large as an upload may be; nothing is connected yet."""
    from adapters.links import LinkSource
    from adapters.outward import PlainHttp

    seconds = settings.link_timeout_seconds
    outward = open_outward(settings, plain_http=PlainHttp.ANYWHERE, total_seconds=seconds)
    return LinkSource(
        outward,
        max_bytes=settings.max_upload_bytes,
        timeout_seconds=seconds,
        most_redirects=settings.link_redirects,
    )


def checked_link(settings: Settings, url: str) -> str:
    """The URL as it would be asked for, if it may be as far as it tells itself. Raises OptionError `url_refused`,
    `source_forbidden`."""
    from adapters.outward import PlainHttp

    return open_outward(settings, plain_http=PlainHttp.ANYWHERE).check(url).url


def build_decoder(settings: Settings) -> Decoder:
    from adapters.audio import ConfinedDecoder

    return ConfinedDecoder(
        max_bytes=settings.max_upload_bytes,
        max_seconds=settings.max_audio_seconds,
        memory_bytes=settings.decode_memory_bytes,
        timeout_seconds=settings.decode_timeout_seconds,
    )


def check_models(settings: Settings, models: str, language: str | None = None) -> None:
    """Raise NotFound or OptionError for a model set that no job may name, without opening a model file.

    A `language` that the set does not understand is an OptionError `language_not_supported`. Whether the files are
    on this machine is the worker's business.
    """
    if models == SCRIPTED:
        _check_scripted(settings)
        return
    from adapters.model_sets import is_folder_name, is_hub_name, read_set
    from transcription.options import primary_language

    if is_hub_name(models) or is_folder_name(models):
        return
    known = read_set(models, settings.models_dir).languages
    asked = primary_language(language)
    if asked is not None and known and asked not in known:
        raise OptionError(
            f"language {language!r} was asked for, but the model set {models} understands {', '.join(known)} only:"
            " use the model set starter",
            code="language_not_supported",
            field="language",
        )


def build_pipeline(settings: Settings, models: str, *, fresh: bool = False) -> Pipeline:
    """Load the engines of a model set. `fresh` neither reads nor leaves checkpoints.

    Raises NotFound for an unknown set, ModelError for files that are missing or wrong, NotReady where the
    engines are not installed.
    """
    from adapters.memory import MemoryStore
    from transcription.pipeline import Pipeline

    recognizer, diarizer = _engines(settings, models)
    return Pipeline(
        decoder=build_decoder(settings),
        recognizer=recognizer,
        diarizer=diarizer,
        checkpoints=MemoryStore() if fresh else open_store(settings),
        stenocast_version=version(),
        now=lambda: datetime.now(UTC),
        clock=time.monotonic,
        voices=open_voices(settings) if settings.known_voices else None,
    )


def _engines(settings: Settings, models: str) -> tuple[Recognizer, Diarizer]:
    if models == SCRIPTED:
        return _scripted_engines(settings)
    from adapters.models import find

    found = find(models, settings.models_dir)
    threads = settings.threads or min(os.cpu_count() or 1, MOST_THREADS)
    try:
        return _recognizer(settings, found, threads), _diarizer(settings, found, threads)
    except ImportError as error:
        raise NotReady(
            f"{error.name}: not installed; a worker needs requirements/worker.txt (`make setup`)",
            code="engine_missing",
        ) from error


def _scripted_engines(settings: Settings) -> tuple[Recognizer, Diarizer]:
    _check_scripted(settings)
    from adapters.scripted import ScriptedDiarizer, ScriptedRecognizer

    pace = settings.scripted_seconds
    return (
        ScriptedRecognizer(seconds_per_window=pace, longest_window=settings.scripted_window),
        ScriptedDiarizer(seconds=pace, longest_stretch=settings.scripted_window),
    )


def _recognizer(settings: Settings, found: FoundSet, threads: int) -> Recognizer:
    from adapters.whisper import WhisperRecognizer

    return WhisperRecognizer(
        found.recognizer,
        set_name=found.name,
        languages=found.languages,
        listener=_listener(settings, found),
        device=settings.device,
        threads=threads,
        model_sha256=found.sha256.get("recognizer/model.bin"),
        model_name=found.recognizer_name,
    )


def _diarizer(settings: Settings, found: FoundSet, threads: int) -> Diarizer:
    """Of a whole pipeline where the set has one, else of its two networks."""
    from adapters.pyannote import PyannoteDiarizer

    if found.pipeline is not None:
        return PyannoteDiarizer.from_pipeline(
            found.pipeline,
            set_name=found.name,
            token=_hub_token(settings),
            device=settings.device,
            threads=threads,
        )
    return PyannoteDiarizer(
        found.segmentation,
        found.embedding,
        set_name=found.name,
        threshold=float(found.diarization.parameters["threshold"]),
        min_cluster_size=int(found.diarization.parameters["min_cluster_size"]),
        device=settings.device,
        threads=threads,
    )


def _listener(settings: Settings, found: FoundSet) -> Path | None:
    """A multilingual model by which a set of one language makes sure of what it hears: `starter`'s, where it is."""
    from adapters.models import find

    if not found.languages or found.name == "starter":
        return None
    try:
        return find("starter", settings.models_dir).recognizer
    except ModelError:
        return None


def _hub_token(settings: Settings) -> str | None:
    return settings.hub_token or os.environ.get("HF_TOKEN") or None


def _check_scripted(settings: Settings) -> None:
    if not settings.allow_scripted:
        raise OptionError(
            "models='scripted': for tests only, and STENOCAST_ALLOW_SCRIPTED is not set", field="models"
        )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotReady(f"{folder}: cannot be made: {error.strerror}", code="folder_unwritable") from error
