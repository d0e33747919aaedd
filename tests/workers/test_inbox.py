"""The watched folder: complete files, once, with their metadata; and a note about what cannot be taken."""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import signal
import wave
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import structlog

from adapters.memory import MemoryQueue, MemoryStore
from schemas.errors import NotReady, OptionError, TransientError
from schemas.job import Backchannels, Job, JobState, Term, Wording
from schemas.wire import write_json
from workers.inbox import Inbox, InboxRules


def sound(path: Path, *, samples: int = 8000) -> Path:
    """A small WAV of a sound of its own: its length."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\1\0" * samples)
    return path


def only_starter(models: str, _language: str | None) -> None:
    if models != "starter":
        raise OptionError(f"models={models!r}: no such set", field="models")


@dataclass
class Desk:
    """A folder, and the inbox that watches it."""

    folder: Path
    store: MemoryStore = field(default_factory=MemoryStore)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.ids = (f"id-{number}" for number in itertools.count())
        self.queue = MemoryQueue(now=lambda: 1000.0, new_id=lambda: next(self.ids))
        self.restart()

    def restart(self) -> None:
        rules = InboxRules(models="starter", max_bytes=10_000_000, check_models=only_starter)
        self.inbox = Inbox(
            self.folder,
            queue=self.queue,
            store=self.store,
            rules=rules,
            new_id=lambda: next(self.ids),
            clock=lambda: self.now,
        )

    def look(self, times: int = 2) -> list[Job]:
        return [job for _ in range(times) for job in self.inbox.look()]

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "inbox")


def test_a_file_that_rests_for_two_looks_is_taken_and_stays(desk: Desk) -> None:
    sound(desk.folder / "tide.wav")

    assert desk.look(1) == []
    jobs = desk.look(1)
    assert [job.state for job in jobs] == [JobState.QUEUED]
    assert desk.queue.episode(jobs[0].episode_id).audio.file_name == "tide.wav"
    assert desk.names() == ["tide.wav"]


def test_a_file_is_taken_once(desk: Desk) -> None:
    sound(desk.folder / "tide.wav")

    assert len(desk.look(5)) == 1


def test_a_restart_takes_nothing_twice_even_what_was_cancelled(desk: Desk) -> None:
    sound(desk.folder / "tide.wav")
    desk.queue.cancel(desk.look()[0].id)
    desk.restart()

    assert desk.look() == []


def test_a_file_that_was_replaced_is_a_new_job_of_the_same_episode(desk: Desk) -> None:
    sound(desk.folder / "tide.wav")
    first = desk.look()[0]
    sound(desk.folder / "tide.wav", samples=9000)
    second = desk.look()[0]

    assert (second.id != first.id, second.episode_id) == (True, first.episode_id)


def test_a_file_that_still_grows_is_left(desk: Desk) -> None:
    for samples in (8000, 9000, 10_000):
        sound(desk.folder / "tide.wav", samples=samples)
        assert desk.look(1) == []


def test_a_file_that_is_open_for_writing_is_left_however_still_it_is(desk: Desk) -> None:
    sound(desk.folder / "tide.wav")
    with (desk.folder / "tide.wav").open("ab"):
        assert desk.look(3) == []

    assert len(desk.look(1)) == 1


@pytest.mark.parametrize("name", [".tide.wav", "tide.wav.part", "tide.wav.crdownload", "tide.tmp", "~tide.wav"])
def test_a_copy_in_progress_is_known_by_its_name(desk: Desk, name: str) -> None:
    sound(desk.folder / name)

    assert desk.look(3) == []
    assert desk.names() == [name]


def test_an_empty_file_is_a_copy_that_has_just_begun(desk: Desk) -> None:
    (desk.folder / "tide.wav").touch()

    assert desk.look(3) == []
    assert desk.names() == ["tide.wav"]


def test_folders_and_companions_are_no_recordings(desk: Desk) -> None:
    (desk.folder / "season1.wav").mkdir()
    (desk.folder / "notes.txt").write_text("call back")

    assert desk.look(3) == []
    assert desk.names() == ["notes.txt", "season1.wav"]


def test_the_metadata_beside_it_is_honoured(desk: Desk) -> None:
    metadata = {
        "title": "Salt and Wind",
        "show": "Tide Lines",
        "language": "en",
        "participants": [{"name": "Mara Lindqvist", "role": "host"}],
        "speakers": 2,
        "vocabulary": ["groyne"],
        "priority": 7,
    }
    (desk.folder / "tide.json").write_text(json.dumps(metadata))
    sound(desk.folder / "tide.wav")
    job = desk.look()[0]

    episode = desk.queue.episode(job.episode_id)
    assert (job.title, job.show, job.priority, job.options.speakers) == ("Salt and Wind", "Tide Lines", 7, 2)
    assert (job.options.vocabulary, episode.language) == (("groyne",), "en")
    assert episode.participants[0].name == "Mara Lindqvist"


def test_the_metadata_says_how_the_words_are_written(desk: Desk) -> None:
    terms = [{"write": "Skerryvore"}]
    metadata = {"wording": "tidy", "backchannels": "fold", "glossary": terms, "follow_language": False}
    (desk.folder / "tide.json").write_text(json.dumps(metadata))
    sound(desk.folder / "tide.wav")

    options = desk.look()[0].options

    assert (options.wording, options.backchannels) == (Wording.TIDY, Backchannels.FOLD)
    assert options.glossary == (Term("Skerryvore"),)
    assert options.follow_language is False


def test_bad_metadata_holds_the_recording_back_until_it_is_mended(desk: Desk) -> None:
    sidecar = desk.folder / "tide.json"
    sidecar.write_text('{"participants": "Mara"}')
    sound(desk.folder / "tide.wav")

    assert desk.look(3) == []
    note = (desk.folder / "tide.wav.error.txt").read_text()
    assert "participants" in note
    assert "[metadata_invalid]" in note
    sidecar.write_text('{"title": "Salt and Wind"}')
    assert [job.title for job in desk.look()] == ["Salt and Wind"]
    assert desk.names() == ["tide.json", "tide.wav"]


def test_a_model_set_that_is_not_known_is_noted(desk: Desk) -> None:
    (desk.folder / "tide.json").write_text('{"models": "huge"}')
    sound(desk.folder / "tide.wav")

    assert desk.look() == []
    assert "huge" in (desk.folder / "tide.wav.error.txt").read_text()


def test_what_is_no_audio_gets_a_note_and_is_not_looked_at_again(desk: Desk) -> None:
    (desk.folder / "talk.mp3").write_text("#EXTM3U\nfile:///etc/passwd\n")

    assert desk.look() == []
    note = desk.folder / "talk.mp3.error.txt"
    assert "[unsupported_container]" in note.read_text()
    written = note.stat().st_mtime_ns
    desk.look(3)
    desk.restart()
    desk.look(3)
    assert note.stat().st_mtime_ns == written


def test_a_ledger_that_does_not_answer_is_asked_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    sound(desk.folder / "tide.wav")

    def deaf(_key: str) -> Job | None:
        raise TransientError("held")

    with monkeypatch.context() as patched:
        patched.setattr(desk.queue, "known", deaf)
        assert desk.look(3) == []
    assert len(desk.look(1)) == 1
    assert desk.names() == ["tide.wav"]


def test_a_file_that_waits_for_the_ledger_is_told_at_once_and_rarely(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound(desk.folder / "tide.wav")

    def deaf(_key: str) -> Job | None:
        raise TransientError("held")

    with structlog.testing.capture_logs() as lines:
        desk.look(1)
        with monkeypatch.context() as patched:
            patched.setattr(desk.queue, "known", deaf)
            for _ in range(60):
                desk.look(1)
                desk.now += 1.0
        desk.look(1)

    told = [line["seconds"] for line in lines if line["event"] == "file not taken yet"]
    assert told == [0.0, 10.0, 30.0]
    assert [line["event"] for line in lines[-2:]] == ["file can be taken again", "file taken"]
    assert {line["file"] for line in lines} == {"tide.wav"}


def test_the_job_does_not_carry_the_folder_s_path(desk: Desk) -> None:
    sound(desk.folder / "tide.wav")
    job = desk.look()[0]

    assert str(desk.folder).encode() not in write_json(desk.queue.episode(job.episode_id))


def test_a_name_that_is_no_utf_8_is_taken_under_a_name_that_can_be_shown(desk: Desk) -> None:
    sound(desk.folder / os.fsdecode(b"bad\xff.wav"))
    sound(desk.folder / "tide.wav", samples=9000)

    names = sorted(desk.queue.episode(job.episode_id).audio.file_name or "" for job in desk.look())
    assert names == ["bad?.wav", "tide.wav"]


def test_a_file_that_breaks_the_inbox_is_noted_and_those_after_it_are_taken(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = desk.queue.known
    sound(desk.folder / "a.wav")
    sound(desk.folder / "b.wav", samples=9000)
    calls = itertools.count()

    def broken_once(key: str) -> Job | None:
        if next(calls) == 0:
            raise RuntimeError("a defect")
        return known(key)

    monkeypatch.setattr(desk.queue, "known", broken_once)

    assert len(desk.look()) == 1
    assert "[internal_error]" in (desk.folder / "a.wav.error.txt").read_text()


def test_a_corrected_recording_that_is_older_than_the_note_is_tried_again(desk: Desk, tmp_path: Path) -> None:
    (desk.folder / "tide.wav").write_text("no sound at all")
    desk.look()
    assert (desk.folder / "tide.wav.error.txt").exists()
    corrected = sound(tmp_path / "tide.wav")
    os.utime(corrected, (1_000_000_000, 1_000_000_000))
    corrected.rename(desk.folder / "tide.wav")

    assert len(desk.look()) == 1
    assert desk.names() == ["tide.wav"]


@pytest.mark.parametrize("models", ["/srv/models", "./models", "~/models", "somebody/model"])
def test_metadata_may_not_name_a_folder_or_the_hub(desk: Desk, models: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.only_starter", lambda _models: None)
    desk.restart()
    (desk.folder / "tide.json").write_text(json.dumps({"models": models}))
    sound(desk.folder / "tide.wav")

    assert desk.look() == []
    assert "name of a set" in (desk.folder / "tide.wav.error.txt").read_text()


def test_the_service_s_own_setting_may_name_a_folder(desk: Desk) -> None:
    rules = InboxRules(models="/srv/models", max_bytes=10_000_000, check_models=lambda _models, _language: None)
    desk.inbox = Inbox(desk.folder, queue=desk.queue, store=desk.store, rules=rules, new_id=lambda: next(desk.ids))
    sound(desk.folder / "tide.wav")

    assert [job.options.models for job in desk.look()] == ["/srv/models"]


def test_a_file_that_there_is_no_room_for_is_copied_ever_more_rarely(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[float] = []

    def full(_key: str, _path: Path) -> None:
        tries.append(desk.now)
        raise NotReady("no room left on the disk", code="disk_full")

    sound(desk.folder / "tide.wav")
    with monkeypatch.context() as patched:
        patched.setattr(desk.store, "put_file", full)
        for desk.now in range(300):
            desk.look(1)
    assert tries == [1, 31, 91, 211]
    desk.now = 1000

    assert len(desk.look(1)) == 1


@pytest.mark.skipif(not hasattr(fcntl, "F_SETLEASE"), reason="file leases are Linux's")
def test_a_writer_that_comes_while_the_file_is_asked_about_sends_no_signal_that_kills(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadly: list[int] = []
    path = sound(desk.folder / "tide.wav")
    control = fcntl.fcntl

    def with_a_writer(descriptor: int, command: int, argument: int) -> int:
        done = control(descriptor, command, argument)
        if (command, argument) == (fcntl.F_SETLEASE, fcntl.F_RDLCK):
            with suppress(BlockingIOError):
                os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        return done

    before = signal.signal(signal.SIGIO, lambda number, _frame: deadly.append(number))
    try:
        monkeypatch.setattr(fcntl, "fcntl", with_a_writer)
        desk.look()
    finally:
        signal.signal(signal.SIGIO, before)

    assert deadly == []


def test_a_file_whose_episode_was_deleted_stays_out_even_when_it_is_touched(desk: Desk) -> None:
    path = sound(desk.folder / "tide.wav")
    [job] = desk.look()
    desk.queue.delete(job.episode_id, by="api")
    os.utime(path, (1, 1))
    desk.restart()
    desk.look(4)

    assert desk.queue.jobs() == []
