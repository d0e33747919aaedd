"""`stenocast models` and `stenocast doctor`, run as a user runs them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from adapters.models import PullProgress, PullStage
from adapters.settings import Settings, read_settings
from cli import doctor as doctor_command
from cli.doctor import Level, Role, examined
from cli.models import PlainProgress, app, human_size
from schemas.errors import NotFound

ROOT = Path(__file__).resolve().parent.parent.parent
TARGETS = ("recognizer/model.bin", "segmentation/pytorch_model.bin", "embedding/campplus_cn_en_common.pt")


@pytest.fixture
def models_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A models folder that knows one more set, `nano`, whose files lie beside it."""
    folder = tmp_path / "models"
    (folder / "sets").mkdir(parents=True)
    (tmp_path / "model.file").write_bytes(b"weights")
    source = {"licence": "MIT", "purpose": "tests", "sha256": hashlib.sha256(b"weights").hexdigest()}
    text = 'name = "nano"\ndescription = "a set for tests"\nrecognizer = "nano"\nlanguages = ["en", "sv"]\n'
    text += f'[diarization]\nsegmentation = "{TARGETS[1]}"\nembedding = "{TARGETS[2]}"\nclustering = "x"\n'
    for target in TARGETS:
        text += f'[[files]]\ntarget = "{target}"\nsize_bytes = 7\n'
        text += "".join(f'{name} = "{value}"\n' for name, value in source.items())
        text += f'source = {{ kind = "folder", path = "{tmp_path / "model.file"}" }}\n'
    (folder / "sets" / "nano.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("STENOCAST_MODELS_DIR", str(folder))
    monkeypatch.setenv("STENOCAST_DATA_DIR", str(tmp_path / "data"))
    return folder


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_pull_says_on_standard_error_what_it_does_and_nothing_on_standard_output(models_dir: Path) -> None:
    ended = run("pull", "nano")

    assert ended.exit_code == 0
    assert ended.stdout == ""
    assert "nano: unpacking recognizer/model.bin\n" in ended.stderr
    assert f"nano: every file is here and right, in {models_dir / 'nano'}\n" in ended.stderr


def test_pull_takes_several_sets_and_stops_at_one_that_does_not_exist(models_dir: Path) -> None:
    ended = run("pull", "nano", "giga")

    assert isinstance(ended.exception, NotFound)
    assert (models_dir / "nano" / "recognizer" / "model.bin").is_file()


def test_list_shows_name_state_size_languages_and_licence_of_every_set(models_dir: Path) -> None:
    run("pull", "nano")

    lines = {line.split()[0]: line for line in run("list").stdout.splitlines()}

    assert set(lines) == {"NAME", "cpu", "fast", "gpu", "nano", "starter"}
    assert lines["nano"].split(None, 7)[1:7] == ["installed", "21", "bytes", "en,", "sv", "MIT"]
    assert "absent" in lines["starter"]
    assert "184 MB" in lines["starter"]


def test_list_as_json_is_what_a_machine_needs(models_dir: Path) -> None:
    listed = {each["name"]: each for each in json.loads(run("list", "--json").stdout)}

    assert listed["nano"] == {
        "name": "nano",
        "description": "a set for tests",
        "state": "absent",
        "languages": ["en", "sv"],
        "licences": ["MIT"],
        "size_bytes": 21,
        "folder": str(models_dir / "nano"),
    }
    assert listed["gpu"]["size_bytes"] is None


def test_verify_names_the_wrong_file_and_the_command_and_exits_1(models_dir: Path) -> None:
    run("pull", "nano")
    assert run("verify").exit_code == 0
    (models_dir / "nano" / "embedding" / "campplus_cn_en_common.pt").write_bytes(b"wrong!!")

    ended = run("verify", "nano")
    as_json = json.loads(run("verify", "nano", "--json").stdout)

    assert ended.exit_code == 1
    assert "nano/embedding/campplus_cn_en_common.pt: wrong: expected SHA-256" in ended.stdout
    assert "`stenocast models pull nano`" in ended.stderr
    assert [each["state"] for each in as_json["nano"]] == ["right", "right", "wrong"]


def test_remove_deletes_the_set(models_dir: Path) -> None:
    run("pull", "nano")

    assert run("remove", "nano").exit_code == 0
    assert not (models_dir / "nano").exists()


def test_plain_progress_says_each_thing_and_quarter_once(capsys: pytest.CaptureFixture[str]) -> None:
    progress = PlainProgress()

    for done in range(0, 1001, 10):
        progress.tell(PullProgress("nano", PullStage.FETCHING, "model.bin", done * 1000, 1_000_000))

    assert capsys.readouterr().err.splitlines() == [
        "nano: fetching model.bin",
        "nano: 25 % of 1 MB",
        "nano: 50 % of 1 MB",
        "nano: 75 % of 1 MB",
        "nano: 100 % of 1 MB",
    ]


@pytest.mark.parametrize(
    ("size", "said"), [(7, "7 bytes"), (2_500, "2 kB"), (184_168_559, "184 MB"), (1_620_000_000, "1.6 GB")]
)
def test_sizes_are_said_as_disks_are_sold(size: int, said: str) -> None:
    assert human_size(size) == said


def test_the_commands_import_no_engine() -> None:
    program = "import sys, cli.models, cli.doctor; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()

    assert not {"torch", "numpy", "av", "pyannote", "faster_whisper", "sqlalchemy", "httpx"} & set(loaded)


# ---------------------------------------------------------------- doctor


def healthy_probe() -> list[dict[str, Any]]:
    packages = ("av", "torch", "ctranslate2", "faster_whisper", "pyannote.audio")
    return [{"package": each, "imported": True, "said": "", "cuda_devices": 0} for each in packages]


def examine(monkeypatch: pytest.MonkeyPatch, probe: Any = healthy_probe) -> tuple[int, dict[str, dict[str, str]]]:
    monkeypatch.setattr(doctor_command, "run_probe", probe)
    command = typer.Typer()
    command.command()(doctor_command.doctor)
    ended = CliRunner().invoke(command, ["--json"])
    return ended.exit_code, {each["subject"]: each for each in json.loads(ended.stdout)}


def test_a_healthy_installation_is_ok_throughout(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("pull", "nano")
    monkeypatch.setenv("STENOCAST_MODELS", "nano")

    status, findings = examine(monkeypatch)

    assert status == 0
    assert findings["models nano (default)"]["level"] == "ok"
    assert findings["ledger"]["level"] == "ok"
    assert {each["level"] for each in findings.values()} <= {"ok", "warn"}


def test_a_misspelt_setting_is_told_with_the_one_that_was_meant(
    models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STENOCAST_KAFKA_BOOTSTRP", "kafka:9092")

    _, findings = examine(monkeypatch)

    assert findings["settings"]["level"] == "warn"
    assert findings["settings"]["said"] == "STENOCAST_KAFKA_BOOTSTRP is no setting and changes nothing"
    assert findings["settings"]["advice"] == "did you mean STENOCAST_KAFKA_BOOTSTRAP?"


def test_a_set_that_the_hub_gives_only_with_a_token_is_told_with_where_to_get_one(
    models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STENOCAST_MODELS", "gpu")
    monkeypatch.delenv("HF_TOKEN", raising=False)

    _, without = examine(monkeypatch)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    _, with_one = examine(monkeypatch)

    assert without["hub token"]["level"] == "warn"
    assert "pyannote/speaker-diarization-community-1" in without["hub token"]["said"]
    assert "STENOCAST_HUB_TOKEN" in without["hub token"]["advice"]
    assert with_one["hub token"]["level"] == "ok"
    assert "hf_secret" not in json.dumps(with_one)


def test_a_set_without_gated_files_needs_no_token(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("pull", "nano")
    monkeypatch.setenv("STENOCAST_MODELS", "nano")
    monkeypatch.delenv("HF_TOKEN", raising=False)

    _, findings = examine(monkeypatch)

    assert findings["hub token"] == {
        "subject": "hub token",
        "level": "ok",
        "said": "none is set, and nano needs none",
        "advice": "",
    }


def test_a_missing_default_set_is_bad_and_comes_with_the_command(
    models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, findings = examine(monkeypatch)

    assert status == 1
    assert findings["models starter (default)"]["level"] == "bad"
    assert findings["models starter (default)"]["advice"] == "run `stenocast models pull starter`"


def test_a_set_that_is_wrong_but_not_the_default_only_warns(
    models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("pull", "nano")
    (models_dir / "nano" / "recognizer" / "model.bin").write_bytes(b"wrong!!")

    _, findings = examine(monkeypatch)

    assert findings["models nano"]["level"] == "warn"


def test_an_engine_that_cannot_be_imported_is_bad(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = [{"package": "torch", "imported": False, "said": "OSError: libcudart", "cuda_devices": 0}]

    status, findings = examine(monkeypatch, lambda: broken)

    assert status == 1
    assert "OSError: libcudart" in findings["torch"]["said"]


def test_a_core_installation_without_engines_is_warned_and_not_ill() -> None:
    findings = doctor_command.engines(lambda package: None, "auto", list)

    assert [each.level for each in findings] == [Level.WARN]
    assert "not transcribe" in findings[0].said


def test_engines_that_take_long_to_import_are_not_said_to_be_broken() -> None:
    def slow_probe() -> list[dict[str, Any]]:
        raise subprocess.TimeoutExpired("probe", 180)

    findings = doctor_command.engines(lambda package: "1", "auto", slow_probe)

    assert [(each.level, "busy" in each.said) for each in findings] == [(Level.WARN, True)]


def test_a_demanded_gpu_that_is_not_there_is_bad() -> None:
    findings = doctor_command.engines(lambda package: "1", "cuda", healthy_probe)

    assert findings[-1].level is Level.BAD
    assert "no CUDA device" in findings[-1].said


@pytest.mark.parametrize(
    ("free", "level"), [(100_000_000, Level.BAD), (1_000_000_000, Level.WARN), (50_000_000_000, Level.OK)]
)
def test_a_data_folder_is_judged_by_its_free_room(tmp_path: Path, free: int, level: Level) -> None:
    found = doctor_command.folder_with_room("data folder", tmp_path / "new", "STENOCAST_DATA_DIR", lambda path: free)

    assert found.level is level
    assert not (tmp_path / "new").exists()


def test_a_data_folder_that_is_a_file_is_bad(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    found = doctor_command.folder_with_room("data folder", tmp_path / "file", "STENOCAST_DATA_DIR")

    assert found.level is Level.BAD
    assert "STENOCAST_DATA_DIR" in found.advice


def test_a_damaged_ledger_is_bad(models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "ledger.sqlite3").write_bytes(os.urandom(4096))

    status, findings = examine(monkeypatch)

    assert status == 1
    assert findings["ledger"]["level"] == "bad"


def test_the_doctor_knows_the_direct_dependencies_of_the_core() -> None:
    import re

    listed = (ROOT / "requirements" / "core.in").read_text(encoding="utf-8").splitlines()
    names = [found[0] for line in listed if (found := re.match(r"[a-zA-Z0-9._-]+", line))]

    assert list(doctor_command.CORE_PACKAGES) == names


def test_a_core_machine_is_judged_without_engines_and_a_worker_not_without_them(
    models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = read_settings()

    def none_of_the_engines(package: str) -> str | None:
        return None if package in ("torch", "faster-whisper", "pyannote.audio") else "1"

    core = {each.subject: each for each in examined(settings, Role.CORE, none_of_the_engines)}
    worker = {each.subject: each for each in examined(settings, Role.WORKER, none_of_the_engines)}
    automatic = {each.subject: each for each in examined(settings, Role.AUTO, none_of_the_engines)}

    assert not [subject for subject in core if subject.startswith(("models", "engines"))]
    assert worker["engines"].level is Level.BAD
    assert automatic["engines"].level is Level.WARN
    assert not [subject for subject in automatic if subject.startswith("models")]


def probe_with_cublas(*, found: bool, devices: int) -> list[dict[str, Any]]:
    engines = [each | {"cuda_devices": devices} for each in healthy_probe()]
    cublas = {"package": "libcublas.so.12", "imported": found, "said": "cannot open shared object file"}
    return [*engines, cublas | {"cuda_devices": 0}]


@pytest.mark.parametrize(
    ("device", "devices", "found", "level"),
    [
        ("cuda", 1, True, Level.OK),
        ("cuda", 1, False, Level.BAD),
        ("auto", 1, False, Level.BAD),
        ("auto", 0, False, None),
        ("cpu", 1, False, None),
    ],
)
def test_the_cuda_of_the_recognizer_is_looked_for_where_a_gpu_is_to_be_used(
    device: str, devices: int, found: bool, level: Level | None
) -> None:
    findings = doctor_command.engines(
        lambda package: "1", device, lambda: probe_with_cublas(found=found, devices=devices)
    )

    assert {each.subject: each.level for each in findings}.get("cuda 12") is level


def test_a_store_is_proved_by_an_object_and_none_is_left(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    settings.store_folder.mkdir()

    found = doctor_command.store(settings)

    assert found.level is Level.OK
    assert not [path for path in settings.store_folder.rglob("*") if path.is_file()]


def test_a_store_that_cannot_be_reached_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b", "MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)

    found = doctor_command.store(
        Settings(store_url="s3://bucket/store", s3_endpoint="http://127.0.0.1:9", s3_timeout_seconds=1.0)
    )

    assert found.level is Level.BAD
    assert "STENOCAST_STORE_URL" in found.advice


def test_a_broker_that_does_not_answer_is_bad_and_none_at_all_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.kafka_access.BOOTSTRAP_SECONDS", 1.0)

    assert doctor_command.broker(Settings(kafka_bootstrap="127.0.0.1:9")).level is Level.BAD
    assert doctor_command.broker(Settings()).level is Level.OK


def test_the_address_of_a_database_is_shown_without_its_password() -> None:
    shown = doctor_command.without_password("postgresql://ada:s3cret%40@db:5432/podcasts?password=s3cret")

    assert shown == "postgresql://db:5432/podcasts"


@pytest.mark.engines
def test_the_probe_of_the_real_engines_answers_and_nothing_else_is_printed() -> None:
    probes = {each["package"]: each for each in doctor_command.run_probe()}

    assert {each for each, found in probes.items() if found["imported"]} == {
        "av",
        "torch",
        "ctranslate2",
        "faster_whisper",
        "pyannote.audio",
    }
    assert probes["av"]["said"].startswith("FFmpeg")
