"""The Dockerfile: linted, and true to what it says about users, secrets and requirements."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra_files import ROOT, is_setting, stages

TARGETS = ("core", "worker-cpu", "worker-gpu")


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")

    answer = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, timeout=60)

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stdout == ""


@pytest.mark.parametrize("target", TARGETS)
def test_every_image_ends_as_an_ordinary_user_with_a_health_check_and_a_command(target: str) -> None:
    lines = stages()[target]

    assert [line for line in lines if line.startswith("USER")][-1] == "USER 1000:1000"
    assert any(line.startswith("HEALTHCHECK") and "healthy.py" in line for line in lines)
    assert any(line.startswith("ENTRYPOINT") and '"stenocast"' in line for line in lines)


@pytest.mark.parametrize("target", TARGETS)
def test_every_package_is_installed_by_its_hash_or_from_this_folder(target: str) -> None:
    installs = re.findall(r"pip install [^&;]*", " ".join(stages()[target] + stages()["app"]))

    assert installs
    assert [each for each in installs if "--require-hashes" not in each and "--no-index" not in each] == []


@pytest.mark.parametrize("target", TARGETS)
def test_every_variable_of_ours_is_a_setting(target: str) -> None:
    variables = re.findall(
        r"\b(STENOCAST_\w+)=", " ".join(line for line in stages()[target] if line.startswith("ENV"))
    )

    assert "STENOCAST_DATA_DIR" in variables
    assert [each for each in variables if not is_setting(each)] == []


def test_core_has_no_engine_and_the_gpu_worker_has_the_cuda_that_ctranslate2_loads() -> None:
    gpu = (ROOT / "requirements" / "gpu.txt").read_text(encoding="utf-8")

    assert "worker.txt" not in " ".join(stages()["core"])
    assert "requirements/gpu.txt" in " ".join(stages()["worker-gpu"])
    assert re.search(r"^nvidia-cublas-cu12==12\.", gpu, re.MULTILINE)
    # It would write over the libcudnn of CUDA 13 that torch loads.
    assert "cudnn" not in gpu


def test_nothing_but_what_the_dockerfile_copies_reaches_the_build() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {line[1:].split("/")[0] for line in ignored if line.startswith("!")}
    copied = {
        source.split("/")[0]
        for lines in stages().values()
        for line in lines
        if line.startswith("COPY") and "--from=" not in line
        for source in line.split()[1:-1]
    }

    assert ignored[1] == "*"
    assert copied == let_in


def test_the_rooms_that_are_copied_are_the_packages_that_are_installed() -> None:
    import tomllib

    packages = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    copied = {line.split()[1] for line in stages()["app"] if re.fullmatch(r"COPY (\w+) \1", line)}

    assert copied == set(packages)
