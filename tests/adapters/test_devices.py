"""Which GPUs there are, and what the process of each one sees."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.devices import CPU, WHATEVER, Device, chosen_devices, device_files, list_gpus, read_list
from schemas.errors import OptionError

TWO = ["GPU-aaaa", "GPU-bbbb"]


def chosen(wanted: str = "", *, device: str = "auto", listed: list[str] | None = None, visible: str | None = None):
    environ = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    return chosen_devices(wanted, device=device, environ=environ, listed=lambda: listed or [])


def test_without_a_word_every_gpu_has_an_engine() -> None:
    assert chosen(listed=TWO) == (Device("cuda:0", "GPU-aaaa"), Device("cuda:1", "GPU-bbbb"))


def test_without_a_gpu_there_is_one_engine_that_sees_for_itself() -> None:
    assert chosen() == (WHATEVER,)
    assert WHATEVER.environ == {}


def test_some_gpus_can_be_named() -> None:
    assert chosen("cuda:1", listed=TWO) == (Device("cuda:1", "GPU-bbbb"),)


@pytest.mark.parametrize(("wanted", "device"), [("cpu", "auto"), ("", "cpu")])
def test_the_processor_s_engine_sees_no_gpu(wanted: str, device: str) -> None:
    assert chosen(wanted, device=device, listed=TWO) == (CPU,)
    assert CPU.environ["CUDA_VISIBLE_DEVICES"] == ""


def test_a_gpu_that_is_not_there_is_named() -> None:
    with pytest.raises(OptionError, match="cuda:2 is not there; this machine has 2 GPUs") as caught:
        chosen("cuda:2", listed=TWO)
    assert caught.value.code == "device_missing"


@pytest.mark.parametrize(
    ("visible", "seen"), [("3,5", ["3", "5"]), ("GPU-x", ["GPU-x"]), ("", []), ("-1", []), ("0,-1,1", ["0"])]
)
def test_gpus_that_are_hidden_from_this_process_stay_hidden(visible: str, seen: list[str]) -> None:
    found = chosen(listed=TWO, visible=visible)

    assert [each.visible for each in found] == (seen or [None])


def test_numbers_are_those_of_the_bus_whatever_the_order_of_speed() -> None:
    assert Device("cuda:1", "1").environ == {"CUDA_VISIBLE_DEVICES": "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}


def test_a_gpu_that_is_cut_in_slices_is_used_by_its_slices() -> None:
    text = (
        "GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-1d2f)\n"
        "  MIG 3g.40gb     Device  0: (UUID: MIG-aa11)\n"
        "  MIG 3g.40gb     Device  1: (UUID: MIG-bb22)\n"
        "GPU 1: NVIDIA H100 80GB HBM3 (UUID: GPU-77aa)\n"
    )

    assert read_list(text) == ["MIG-aa11", "MIG-bb22", "GPU-77aa"]


def test_device_files_are_counted_where_nvidia_smi_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("nvidia0", "nvidia3", "nvidiactl", "nvidia-uvm", "nvidia0x"):
        (tmp_path / name).touch()
    monkeypatch.setenv("PATH", str(tmp_path))

    assert device_files(tmp_path) == ["0", "1"]
    assert list_gpus() == device_files()


def test_looking_for_gpus_loads_no_engine() -> None:
    program = (
        "import sys; from adapters.devices import chosen_devices; chosen_devices('', device='auto', environ={});"
        "print([m for m in ('torch', 'ctranslate2') if m in sys.modules])"
    )

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=dict(os.environ))

    assert said.stdout.strip() == "[]"
