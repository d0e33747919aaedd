"""The engine child's work, in this process: what it puts, what it says, what its errors become."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import pytest
import structlog

from adapters.memory import MemoryDropBox, MemoryStore
from schemas.drop import Drop
from schemas.episode import AudioInfo, Episode
from schemas.errors import AudioError, NotReady
from schemas.job import Job, JobOptions, JobState, Progress, Stage
from schemas.transcript import Quality, Speaker, Transcript
from schemas.wire import read_json
from transcription.ports import Decoded, Prepared, Report, Waveform
from workers.engine import Engine, fetch_audio
from workers.messages import (
    Broke,
    Fetched,
    Finished,
    FromChild,
    Loading,
    Prepare,
    Ready,
    Stop,
    Stopped,
    Told,
    Unexpected,
    Work,
)

Run = Callable[[Path, Callable[[Progress], None]], None]


@dataclass
class OneTone:
    """A pipeline that hears two speakers in everything, after doing what the test wants."""

    meanwhile: Run
    heard: list[Episode] = field(default_factory=list)
    how: list[dict[str, Any]] = field(default_factory=list)

    def run(
        self,
        source: Path,
        episode: Episode,
        options: JobOptions,
        *,
        scratch: Path,
        tell: Callable[[Progress], None],
        **how: Any,
    ) -> Transcript:
        self.heard.append(episode)
        self.how.append(how)
        self.meanwhile(source, tell)
        return Transcript(
            episode=Episode(id=episode.id, title="Salt", audio=AudioInfo(sha256="a" * 64, duration=12.5)),
            speakers=(Speaker("S1", name="Mara Lindqvist"), Speaker("S2")),
            quality=Quality(word_count=40, coverage=0.9),
            language="en",
        )


@dataclass
class Bench:
    scratch: Path
    store: MemoryStore = field(default_factory=MemoryStore)
    drops: MemoryDropBox = field(default_factory=MemoryDropBox)
    built: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    reached: list[str] = field(default_factory=list)
    meanwhile: Run = lambda _source, _tell: None

    def __post_init__(self) -> None:
        self.store.put("uploads/x/audio", b"sound")
        self.supervisor, childs_end = Pipe()
        self.engine = Engine(
            childs_end,
            store=self.store,
            decoder=self,
            drops=self.drops,
            build=self.build,
            reached=self.reached.append,
            clock=lambda: 0.0,
        )

    def build(self, models: str) -> Any:
        self.built.append(models)
        self.pipeline = OneTone(lambda source, tell: self.meanwhile(source, tell))
        return self.pipeline

    fingerprint = "any"

    def decode(self, source: Path, scratch: Path, *, name: str = "", report: Report | None = None) -> Decoded:
        self.meanwhile(source, lambda progress: None)
        self.named.append(name)
        if report is not None:
            report(2.0)
        return Decoded(Waveform(scratch / "sound", 32_000, "ab" * 32), "wav")

    def prepare(self, *, token: int = 3, audio_key: str = "uploads/x/audio") -> Prepare:
        return Prepare("job", audio_key, token, self.scratch / f"job-{token}", name="tides.mp3")

    def work(self, *, token: int = 3, models: str = "starter", audio_key: str = "uploads/x/audio") -> Work:
        job = Job("job", "e", JobState.RUNNING, "", "", options=JobOptions(models=models))
        return Work(job, Episode("e"), audio_key, token, revision=2, folder=self.scratch / f"job-{token}")

    def said(self) -> list[FromChild]:
        messages = []
        while self.supervisor.poll():
            messages.append(self.supervisor.recv())
        return messages


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.supervisor.close()


def test_the_document_lies_under_the_lease_with_its_revision(bench: Bench) -> None:
    answer = bench.engine.answer(bench.work())

    assert isinstance(answer, Finished)
    assert answer.result.document_key == "results/job/3/transcript.json"
    content = bench.store.get(answer.result.document_key)
    assert content is not None
    assert read_json(Transcript, content).revision == 2
    assert answer.result.document_bytes == len(content)


def test_the_figures_for_the_event_are_those_of_the_document(bench: Bench) -> None:
    answer = bench.engine.answer(bench.work())

    assert isinstance(answer, Finished)
    result = answer.result
    assert (result.speaker_count, result.named_speaker_count, result.word_count) == (2, 1, 40)
    assert (result.audio_seconds, result.language, result.title) == (12.5, "en", "Salt")


def test_the_pipeline_is_given_what_a_producer_dropped(bench: Bench) -> None:
    drop = bench.drops.put("harbour", "in/ep 1 é.mp3", b"dropped")
    found: list[bytes] = []
    bench.meanwhile = lambda source, tell: found.append(source.read_bytes())

    bench.engine.answer(bench.work(audio_key=drop.uri))

    assert found == [b"dropped"]


def test_a_drop_that_was_replaced_is_not_transcribed(bench: Bench) -> None:
    drop = bench.drops.put("harbour", "a.mp3", b"announced")
    bench.drops.put("harbour", "a.mp3", b"replaced")

    answer = bench.engine.answer(bench.work(audio_key=drop.uri))

    assert isinstance(answer, Broke)
    assert answer.error.code == "source_changed"
    assert not answer.error.retryable


def test_a_worker_that_knows_no_bucket_is_not_ready_for_drops(tmp_path: Path) -> None:
    drop = Drop("harbour", "a.mp3", etag="e")

    with pytest.raises(NotReady, match="STENOCAST_DROP_URL"):
        fetch_audio(drop.uri, tmp_path / "audio", store=MemoryStore(), drops=None)


LINK = "https://pod.example/tides.mp3"


class Behind:
    """`Links` with this content behind every link."""

    def __init__(self, content: bytes, name: str | None = None) -> None:
        self.content = content
        self.name = name

    def fetch(self, url: str, path: Path, *, report: Callable[[int, int | None], None]) -> str | None:
        assert url == LINK
        report(0, len(self.content))
        path.write_bytes(self.content)
        report(len(self.content), len(self.content))
        return self.name


FLAC = b"fLaC" + bytes(100)


@pytest.mark.parametrize("name", [None, "Ebb.flac"])
def test_the_recording_behind_a_link_lies_in_the_store_before_it_is_transcribed(
    bench: Bench, name: str | None
) -> None:
    bench.engine._links = lambda: Behind(FLAC, name)
    sha256 = hashlib.sha256(FLAC).hexdigest()
    found: list[tuple[bytes, bytes | None]] = []
    bench.meanwhile = lambda source, tell: found.append(
        (source.read_bytes(), bench.store.get(f"uploads/{sha256}/audio"))
    )

    order = bench.work(audio_key=LINK)
    answer = bench.engine.answer(replace(order, episode=Episode("e", audio=AudioInfo(file_name="tides.mp3"))))

    assert isinstance(answer, Finished)
    assert found == [(FLAC, FLAC)]
    recording = AudioInfo(
        uri=f"uploads/{sha256}/audio",
        sha256=sha256,
        size_bytes=len(FLAC),
        container="flac",
        file_name=name or "tides.mp3",
    )
    assert Fetched(recording) in bench.said()
    assert bench.pipeline.heard[0].audio == recording
    assert bench.store.exists(f"checkpoints/of/job/upload/{sha256}")
    assert bench.reached[:3] == ["before_copy", "after_copy", "after_fetch"]


def test_a_link_is_downloaded_ahead_too(bench: Bench) -> None:
    bench.engine._links = lambda: Behind(FLAC)

    answer = bench.engine.answer(bench.prepare(audio_key=LINK))

    assert isinstance(answer, Ready)
    said = bench.said()
    assert Told(Progress(Stage.FETCH, bytes_done=0, bytes_total=len(FLAC))) in said
    assert [each.recording.file_name for each in said if isinstance(each, Fetched)] == ["tides.mp3"]


def test_a_page_behind_a_link_is_no_recording_and_is_not_kept(bench: Bench) -> None:
    bench.engine._links = lambda: Behind(b"<!doctype html><title>Not found</title>")

    answer = bench.engine.answer(bench.work(audio_key=LINK))

    assert isinstance(answer, Broke)
    assert (answer.error.code, answer.error.retryable) == ("unsupported_container", False)
    assert list(bench.store.keys("uploads/")) == ["uploads/x/audio"]


def test_a_job_is_left_in_the_middle_of_its_download(bench: Bench) -> None:
    bench.engine._links = lambda: Behind(FLAC)
    bench.engine._left = Stop("job", 3)

    assert isinstance(bench.engine.answer(bench.work(audio_key=LINK)), Stopped)
    assert list(bench.store.keys("uploads/")) == ["uploads/x/audio"]


def test_the_pipeline_is_given_the_sound(bench: Bench) -> None:
    found: list[bytes] = []
    bench.meanwhile = lambda source, tell: found.append(source.read_bytes())
    bench.engine.answer(bench.work())

    assert found == [b"sound"]


def test_models_stay_loaded_until_another_set_is_wanted(bench: Bench) -> None:
    for models in ("starter", "starter", "fast", "starter"):
        bench.engine.answer(bench.work(models=models))

    assert bench.built == ["starter", "fast", "starter"]
    assert [each.models for each in bench.said() if isinstance(each, Loading)] == ["starter", "fast", "starter"]


def test_progress_is_told_from_fetching_to_publishing(bench: Bench) -> None:
    bench.meanwhile = lambda source, tell: tell(Progress(Stage.RECOGNIZE, done=3.0))
    bench.engine.answer(bench.work())

    told = [each.progress.stage for each in bench.said() if isinstance(each, Told)]
    assert told == [Stage.FETCH, Stage.RECOGNIZE, Stage.PUBLISH]


def test_a_stop_for_this_lease_ends_the_work_at_the_next_progress(bench: Bench) -> None:
    def stop_and_go_on(_source: Path, tell: Callable[[Progress], None]) -> None:
        bench.engine._left = Stop("job", 3)
        tell(Progress(Stage.RECOGNIZE, done=1.0))

    bench.meanwhile = stop_and_go_on

    assert bench.engine.answer(bench.work()) == Stopped()
    assert list(bench.store.keys("results/")) == []


def test_a_stop_for_an_earlier_lease_is_not_this_one_s(bench: Bench) -> None:
    bench.engine._left = Stop("job", 2)

    assert isinstance(bench.engine.answer(bench.work()), Finished)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AudioError("a.mp3: no sound", code="audio_empty"), "audio_empty"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk_full"),
    ],
)
def test_an_error_that_is_known_is_said_as_what_it_is(bench: Bench, error: Exception, code: str) -> None:
    def fail(_source: Path, _tell: Callable[[Progress], None]) -> None:
        raise error

    bench.meanwhile = fail
    answer = bench.engine.answer(bench.work())

    assert isinstance(answer, Broke)
    assert answer.error.code == code
    assert isinstance(answer.error, NotReady) is (code == "disk_full")


def test_an_error_that_nobody_foresaw_is_said_with_its_trace(bench: Bench) -> None:
    def fail(_source: Path, _tell: Callable[[Progress], None]) -> None:
        raise RuntimeError("CUDA error")

    bench.meanwhile = fail
    answer = bench.engine.answer(bench.work())

    assert isinstance(answer, Unexpected)
    assert "CUDA error" in answer.trace


def test_an_upload_that_is_gone_is_not_tried_again(bench: Bench) -> None:
    answer = bench.engine.answer(bench.work(audio_key="uploads/gone/audio"))

    assert isinstance(answer, Broke)
    assert (answer.error.code, answer.error.retryable) == ("object_not_found", False)


# ---------------------------------------------------------------- preparing for another child


def test_the_sound_of_the_next_job_is_fetched_and_decoded_without_any_model(bench: Bench) -> None:
    answer = bench.engine.answer(bench.prepare())

    assert isinstance(answer, Ready)
    assert answer.prepared.decoded.waveform.seconds == 2.0
    assert bench.named == ["tides.mp3"]
    assert (bench.scratch / "job-3" / "audio").read_bytes() == b"sound"
    assert bench.built == []
    told = [each.progress for each in bench.said() if isinstance(each, Told)]
    assert [(each.stage, each.done) for each in told] == [(Stage.FETCH, 0.0), (Stage.DECODE, 2.0)]


def test_a_job_whose_sound_is_prepared_is_not_fetched_again(bench: Bench) -> None:
    work = bench.work(audio_key="uploads/gone/audio")
    prepared = Prepared(Decoded(Waveform(work.folder / "sound", 32_000, "ab" * 32), "wav"), 0.4)

    assert isinstance(bench.engine.answer(replace(work, prepared=prepared)), Finished)
    [how] = bench.pipeline.how
    assert (how["prepared"], how["is_last_try"], how["must_not_die"]) == (prepared, False, False)


def test_which_recording_a_job_listens_to_is_noted_in_the_store(bench: Bench) -> None:
    """So that its checkpoints are found again when the episode is deleted, from the job and from the recording."""
    work = bench.work()
    bench.engine.answer(work)

    bench.pipeline.how[0]["note_sound"](Waveform(work.folder / "sound", 32_000, "ab" * 32))

    assert list(bench.store.keys("checkpoints/")) == [
        f"checkpoints/{'ab' * 32}/of/{work.job.id}",
        f"checkpoints/of/{work.job.id}/{'ab' * 32}",
    ]


def test_an_error_while_preparing_is_said_as_what_it_is(bench: Bench) -> None:
    def fail(_source: Path, _tell: Callable[[Progress], None]) -> None:
        raise AudioError("a.mp3: no sound", code="audio_empty")

    bench.meanwhile = fail
    answer = bench.engine.answer(bench.prepare())

    assert isinstance(answer, Broke)
    assert answer.error.code == "audio_empty"


def test_a_stop_ends_the_preparing_at_the_next_progress(bench: Bench) -> None:
    bench.engine._left = Stop("job", 3)

    assert bench.engine.answer(bench.prepare()) == Stopped()


@pytest.mark.parametrize(("attempts", "is_last"), [(3, False), (4, True)])
def test_the_pipeline_knows_its_last_try(bench: Bench, attempts: int, is_last: bool) -> None:
    work = bench.work()
    bench.engine.answer(replace(work, job=replace(work.job, attempts=attempts)))

    assert bench.pipeline.how[0]["is_last_try"] is is_last


@pytest.mark.parametrize(("crashes", "must_not_die"), [(1, False), (2, True)])
def test_the_pipeline_knows_when_one_more_crash_ends_the_job(bench: Bench, crashes: int, must_not_die: bool) -> None:
    work = bench.work()
    bench.engine.answer(replace(work, job=replace(work.job, attempts=crashes, crashes=crashes)))

    assert bench.pipeline.how[0]["must_not_die"] is must_not_die


def test_every_line_that_the_child_logs_names_its_job(bench: Bench) -> None:
    def log(_source: Path, _tell: Callable[[Progress], None]) -> None:
        structlog.get_logger().warning("batch halved", batch=8)

    bench.meanwhile = log
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        bench.engine.answer(bench.work())
        bench.engine.answer(bench.prepare(token=4))

    assert [(each["job_id"], each["attempt"]) for each in lines] == [("job", 3), ("job", 4)]
