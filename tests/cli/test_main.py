"""The command as a person meets it: what it loads, how it says no, and what goes to which stream."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import wave
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app, main

ROOT = Path(__file__).resolve().parent.parent.parent
DEMO = ROOT / "examples" / "demo"
GOLDEN = ROOT / "tests" / "golden"

#: What a command that needs no engine must not load.
ENGINES = {"torch", "torchaudio", "faster_whisper", "ctranslate2", "pyannote", "av", "onnxruntime", "numpy", "scipy"}


def stenocast(*words: str, data: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own and on a data folder of its own."""
    environment = dict(os.environ) | {"STENOCAST_DATA_DIR": str(data), "COLUMNS": "100"}
    environment |= {f"STENOCAST_{name.upper()}": value for name, value in settings.items()}
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *words],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["jobs"],
        ["render", str(GOLDEN / "transcript-1.json"), "--style", "caps-list"],
        ["styles"],
        ["models", "list"],
        ["name", str(GOLDEN / "transcript-1.json")],
    ],
    ids=lambda words: words[0],
)
def test_a_command_that_needs_no_engine_loads_none(words: list[str], tmp_path: Path) -> None:
    program = (
        "import json, sys\n"
        "from cli.main import app\n"
        "try:\n    app(sys.argv[1:])\n"
        "except SystemExit:\n    pass\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})), file=sys.stderr)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, *words],
        env=dict(os.environ) | {"STENOCAST_DATA_DIR": str(tmp_path), "STENOCAST_MODELS_DIR": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )

    loaded = set(json.loads(ran.stderr.splitlines()[-1]))

    assert "typer" in loaded
    assert loaded & ENGINES == set()


def test_every_command_of_the_design_is_there_with_a_help_text() -> None:
    commands = (
        *("transcribe", "render", "read", "name", "styles", "serve", "worker", "submit", "jobs", "watch", "retry"),
        *("cancel", "events", "models", "doctor", "api", "migrate"),
    )

    listed = CliRunner().invoke(app, ["--help"]).stdout

    for command in commands:
        assert command in listed
        assert len(CliRunner().invoke(app, [command, "--help"]).stdout) > 200


def test_the_version_is_told() -> None:
    told = CliRunner().invoke(app, ["--version"])

    assert (told.exit_code, told.stdout) == (0, f"stenocast {version('stenocast')}\n")


def test_a_paragraph_of_help_is_wrapped_by_the_terminal_and_an_example_keeps_its_line() -> None:
    wide = {"COLUMNS": "200"}

    shown = CliRunner().invoke(app, ["render", "-h"], env=wide).stdout
    assert "that page again; any other is written in the style name-line." in shown
    added = CliRunner().invoke(app, ["webhooks", "add", "-h"], env=wide).stdout.splitlines()
    assert "stenocast webhooks add https://cms.example.org/stenocast" in [line.strip() for line in added]


def test_an_episode_is_transcribed_to_files_with_plain_progress_on_standard_error(tmp_path: Path) -> None:
    out = tmp_path / "out"

    ran = stenocast(
        *(
            "transcribe",
            str(DEMO / "episode.mp3"),
            "--models",
            "scripted",
            "--style",
            "name-line",
            "--style",
            "caps-list",
        ),
        *("--format", "vtt", "--output", str(out)),
        data=tmp_path / "data",
        allow_scripted="1",
    )

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == ""
    assert "Recognizing words" in ran.stderr
    assert sorted(path.name for path in out.iterdir()) == [
        "episode.caps-list.txt",
        "episode.name-line.txt",
        "episode.transcript.json",
        "episode.vtt",
    ]
    assert list((tmp_path / "data" / "scratch").iterdir()) == []
    assert re.search(r"^2:20 of audio in 0:\d\d: .+", ran.stderr, re.MULTILINE)


def test_a_transcript_goes_to_standard_output_alone(tmp_path: Path) -> None:
    ran = stenocast(
        *("transcribe", str(DEMO / "episode.mp3"), "--models", "scripted", "--format", "json", "--quiet"),
        data=tmp_path,
        allow_scripted="1",
    )

    document = json.loads(ran.stdout)
    assert document["episode"]["title"] == "The library where the books grow"
    assert "Recognizing" not in ran.stderr


def test_a_metadata_files_style_that_nobody_has_is_refused_before_the_work(tmp_path: Path) -> None:
    metadata = tmp_path / "episode.json"
    metadata.write_text('{"style": "baroque"}')
    ran = stenocast(
        *("transcribe", str(DEMO / "episode.mp3"), "--models", "scripted", "--metadata", str(metadata)),
        data=tmp_path,
        allow_scripted="1",
    )

    assert (ran.returncode, ran.stdout) == (2, "")
    assert "[style_unknown]" in ran.stderr
    assert "ecogniz" not in ran.stderr


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (["transcribe", "missing.mp3"], 1, "file_not_found"),
        (["transcribe", str(ROOT / "README.md"), "--models", "scripted"], 1, "unsupported_container"),
        (["transcribe", str(DEMO / "episode.mp3"), "--models", "enormous"], 2, "model_set_unknown"),
        (["transcribe", str(DEMO / "episode.mp3"), "--style", "baroque"], 2, "style_unknown"),
        (["transcribe", str(DEMO / "episode.mp3"), "--format", "scroll"], 2, "format_unknown"),
        (["transcribe", str(DEMO / "episode.mp3"), "--models", "scripted", "--speakers", "0"], 2, "invalid_option"),
        (["transcribe", str(DEMO / "episode.mp3"), "--glossary", "missing.toml"], 1, "file_not_found"),
        (["transcribe", str(DEMO / "episode.mp3"), "--glossary", str(ROOT / "README.md")], 2, "glossary_invalid"),
        (["transcribe", str(DEMO / "episode.mp3"), "--verbatim", "--wording", "tidy"], 2, "invalid_option"),
        (["transcribe", str(DEMO / "episode.mp3"), "--metadata", str(DEMO / "script.toml")], 1, "metadata_invalid"),
        (
            ["transcribe", str(DEMO / "episode.mp3"), "--models", "fast", "--language", "de"],
            2,
            "language_not_supported",
        ),
        (["submit", str(DEMO / "episode.mp3"), "--models", "fast", "--language", "de"], 2, "language_not_supported"),
        (["transcribe", str(DEMO / "episode.mp3"), "-o", str(DEMO / "episode.mp3")], 1, "output_unwritable"),
        (["transcribe", str(DEMO)], 1, "file_not_found"),
        (["jobs", "--state", "asleep"], 2, "invalid_option"),
        (["watch", "no-such-job"], 1, "not_found"),
        (["retry", "00000000-0000-4000-8000-000000000000"], 1, "job_not_found"),
        (["submit", str(ROOT / "README.md")], 1, "unsupported_container"),
        (["submit", str(DEMO / "episode.mp3"), "--title", "bell\x07"], 2, "invalid_option"),
        (
            ["transcribe", str(DEMO / "episode.mp3"), "--models", "scripted", "--show", "bell\x07"],
            2,
            "invalid_option",
        ),
        (["submit", f"{'long' * 75}.mp3"], 1, "system_refused"),  # longer than a name may be
        (["name", str(GOLDEN / "transcript-1.json"), "-o", str(DEMO)], 1, "output_unwritable"),
        (
            ["evaluate", "--reference", "missing", "--hypothesis", "missing", "-o", "/proc/missing"],
            1,
            "output_unwritable",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_users_mistake_is_one_sentence_with_a_code(
    words: list[str],
    status: int,
    code: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """In this process: twenty more would take half a minute to start."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["stenocast", *words])
    monkeypatch.setenv("STENOCAST_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("STENOCAST_ALLOW_SCRIPTED", "1")

    with pytest.raises(SystemExit) as ended:
        main()

    said = capfd.readouterr()
    last = said.err.strip().splitlines()[-1]
    assert (ended.value.code, said.out) == (status, "")
    assert last.startswith("error: ")
    assert last.endswith(f"[{code}]"), last
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (["transcribe", "episode.mp3", "--speakers", "two"], "(given: 'two')"),
        (["transcribe", "episode.mp3", "--wording", "neat"], "'neat'"),
        (["transcribe", "episode.mp3", "--stile", "name-line"], "--style"),
        (["transcribe"], "'audio'"),
        (["transcrib"], "Did you mean 'transcribe'?"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_words_that_no_command_understands_are_one_sentence_with_a_code_too(
    words: list[str], value: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["stenocast", *words])

    with pytest.raises(SystemExit) as ended:
        main()

    usage, *_, last = capfd.readouterr().err.splitlines()
    assert ended.value.code == 2
    assert usage.startswith("Usage: stenocast ")
    assert last.startswith("error: ")
    assert value in last
    assert last.endswith(" [invalid_option]")


def test_a_group_without_a_command_shows_its_help_and_is_usage(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["stenocast", "models"])

    with pytest.raises(SystemExit) as ended:
        main()

    said = capfd.readouterr()
    assert (ended.value.code, said.err) == (2, "")
    assert "Fetch model sets" in said.out


def test_a_terminal_that_is_not_utf8_gets_what_it_can_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")

    ran = stenocast("name", str(GOLDEN / "demo.json"), data=tmp_path)

    assert ran.returncode == 0, ran.stderr
    assert "\\u201cmy name is Daniel Carter\\u201d" in ran.stdout


def test_a_recording_whose_name_is_no_utf8_is_transcribed_and_its_files_are_named_readably(tmp_path: Path) -> None:
    recording = tmp_path / os.fsdecode(b"tide\xff.mp3")
    recording.write_bytes((DEMO / "episode.mp3").read_bytes())

    ran = stenocast(
        *("transcribe", str(recording), "--models", "scripted", "--format", "rss", "-o", str(tmp_path / "out")),
        data=tmp_path / "data",
        allow_scripted="1",
    )

    assert ran.returncode == 0, ran.stderr
    document = json.loads((tmp_path / "out" / "tide\N{REPLACEMENT CHARACTER}.transcript.json").read_bytes())
    assert document["episode"]["audio"]["file_name"] == "tide\N{REPLACEMENT CHARACTER}.mp3"


def test_what_is_no_recording_is_known_before_any_model_is_looked_for(tmp_path: Path) -> None:
    ran = stenocast("transcribe", str(ROOT / "README.md"), data=tmp_path, models_dir=str(tmp_path / "none"))

    assert ran.stderr.strip().endswith("[unsupported_container]"), ran.stderr


def test_the_scripted_engine_is_not_for_users(tmp_path: Path) -> None:
    ran = stenocast("transcribe", str(DEMO / "episode.mp3"), "--models", "scripted", data=tmp_path, allow_scripted="")

    assert ran.returncode == 2
    assert "for tests only" in ran.stderr


def test_a_submitted_episode_is_done_by_a_worker_and_told_as_events(tmp_path: Path) -> None:
    submitted = stenocast(
        "submit", str(DEMO / "episode.mp3"), "--models", "scripted", data=tmp_path, allow_scripted="1"
    )
    job_id = submitted.stdout.strip()
    again = stenocast("submit", str(DEMO / "episode.mp3"), "--models", "scripted", data=tmp_path, allow_scripted="1")

    worked = stenocast("worker", "--exit-when-idle", "1", data=tmp_path, allow_scripted="1")
    watched = stenocast("watch", job_id[:8], data=tmp_path)
    shown = json.loads(stenocast("jobs", job_id, "--json", data=tmp_path).stdout)
    events = [json.loads(line)["type"] for line in stenocast("events", data=tmp_path).stdout.splitlines()]

    assert worked.returncode == 0, worked.stderr
    assert again.stdout.strip() == job_id
    assert watched.returncode == 0, watched.stderr
    assert (shown["state"], shown["title"]) == ("done", "The library where the books grow")
    assert events == ["job.queued.v1", "job.started.v1", "job.done.v1", "transcript.published.v1"]


def test_the_list_names_a_job_without_a_title_by_its_file_and_one_job_says_why_it_failed(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "harbour.wav"), "wb") as sound:  # too short to be transcribed
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        sound.writeframes(bytes(20))
    settings = {"data": tmp_path / "data", "allow_scripted": "1"}
    job_id = stenocast("submit", str(tmp_path / "harbour.wav"), "--models", "scripted", **settings).stdout.strip()

    listed = stenocast("jobs", **settings)
    stenocast("worker", "--once", **settings)
    shown = stenocast("jobs", job_id, **settings)

    assert listed.stdout.split("\t")[3] == "harbour.wav"
    assert shown.stdout.split("\t")[1] == "failed", shown.stdout
    assert "harbour.wav: " in shown.stderr  # as its sender called it, not as it lay on the scratch disk


def test_standard_output_that_is_closed_is_no_crash(tmp_path: Path) -> None:
    command = f"{sys.executable} -m cli.main render {GOLDEN / 'transcript-1.json'} >&-"

    ran = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)

    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize(("number", "said"), [(signal.SIGINT, "stopped\n"), (signal.SIGTERM, "")])
def test_a_transcription_that_is_stopped_leaves_no_scratch_and_no_file(
    tmp_path: Path, number: signal.Signals, said: str
) -> None:
    slow = {"ALLOW_SCRIPTED": "1", "MODELS": "scripted", "SCRIPTED_SECONDS": "60", "DATA_DIR": str(tmp_path / "data")}
    running = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "transcribe", str(DEMO / "episode.mp3"), "-o", str(tmp_path / "out")],
        env=dict(os.environ) | {f"STENOCAST_{name}": value for name, value in slow.items()},
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.default_int_handler
        ),  # ignored in a shell's background
    )
    assert running.stderr is not None
    while not running.stderr.readline().startswith("Recognizing"):
        assert running.poll() is None

    running.send_signal(number)

    _, rest = running.communicate(timeout=50)
    assert running.returncode == 128 + number
    assert rest == said
    assert list((tmp_path / "data" / "scratch").iterdir()) == []
    assert list((tmp_path / "out").iterdir()) == []


def test_output_into_a_pipe_that_closes_is_no_crash(tmp_path: Path) -> None:
    command = f"{sys.executable} -m cli.main render {GOLDEN / 'transcript-1.json'} --format json | head -c 1"
    ran = subprocess.run(
        ["bash", "-c", command],
        env=dict(os.environ) | {"STENOCAST_DATA_DIR": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert "Traceback" not in ran.stderr
