"""Which GPUs a worker has, found without loading an engine: the supervisor stays small and quick to start.

A device is known by what stands in `CUDA_VISIBLE_DEVICES` of the one process that uses it, so that torch and
ctranslate2 see that one alone, each as its first.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import OptionError

LIST_SECONDS = 20.0  #: a GPU that fell off the bus makes nvidia-smi wait


@dataclass(frozen=True, slots=True)
class Device:
    """One GPU, the processor, or (`visible` None) whatever the engines find."""

    name: str  #: cuda:0, cpu or auto
    visible: str | None = None

    @property
    def environ(self) -> dict[str, str]:
        """What the engine process of this device has in its environment."""
        if self.visible is None:
            return {}
        # CUDA's own order puts the fastest first; nvidia-smi's, and everybody else's, is the bus's.
        return {"CUDA_VISIBLE_DEVICES": self.visible, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}


CPU = Device("cpu", visible="")
WHATEVER = Device("auto")


def chosen_devices(
    wanted: str, *, device: str, environ: Mapping[str, str], listed: Callable[[], list[str]] | None = None
) -> tuple[Device, ...]:
    """The devices to start an engine on: those of `wanted` ("cuda:0,cuda:1", "cpu"), or every GPU there is.

    `device` is the setting of that name: with `cpu` no GPU is looked for. Without a GPU there is one device, and the
    engines say what is missing. Raises OptionError for a GPU that is not there.
    """
    names = [each.strip() for each in wanted.split(",") if each.strip()]
    if not names and device == "cpu":
        return (CPU,)
    if names and not any(name.startswith("cuda:") for name in names):
        return (CPU,) * len(names)
    gpus = _visible(environ, listed or list_gpus)
    if not names:
        return tuple(Device(f"cuda:{i}", gpu) for i, gpu in enumerate(gpus)) or (WHATEVER,)
    return tuple(CPU if name == "cpu" else _named(name, gpus) for name in names)


def _named(name: str, gpus: list[str]) -> Device:
    number = int(name.removeprefix("cuda:"))
    if not gpus:
        return Device(name, str(number))  # nothing could be listed; the engine says what it finds
    if number >= len(gpus):
        raise OptionError(
            f"STENOCAST_DEVICES: {name} is not there; this machine has {len(gpus)} GPUs",
            code="device_missing",
            field="devices",
        )
    return Device(name, gpus[number])


def _visible(environ: Mapping[str, str], listed: Callable[[], list[str]]) -> list[str]:
    """The GPUs that this process may use, as `CUDA_VISIBLE_DEVICES` names them."""
    given = environ.get("CUDA_VISIBLE_DEVICES")
    if given is None:
        return listed()
    gpus = [each.strip() for each in given.split(",")]
    # CUDA takes those before the first that is none.
    end = next((i for i, each in enumerate(gpus) if each in ("", "-1", "NoDevFiles")), len(gpus))
    return gpus[:end]


def list_gpus() -> list[str]:
    """The UUIDs of the GPUs, or of their slices where they are cut in such (MIG); else their numbers."""
    try:
        told = subprocess.run(
            ["nvidia-smi", "-L"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIST_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return device_files()
    return read_list(told.stdout) if told.returncode == 0 else device_files()


def read_list(text: str) -> list[str]:
    """What `nvidia-smi -L` says. A GPU that is cut is used by its slices only."""
    gpus: list[list[str]] = []
    for line in text.splitlines():
        found = re.search(r"UUID: ((GPU|MIG)-[^)\s]+)", line)
        if found is None:
            continue
        if found.group(2) == "GPU":
            gpus.append([found.group(1)])
        elif gpus:
            gpus[-1].append(found.group(1))
    return [uuid for gpu in gpus for uuid in (gpu[1:] or gpu)]


def device_files(folder: Path = Path("/dev")) -> list[str]:
    """The numbers of the GPUs whose device files this container has: nvidia-smi is not in every image."""
    numbers = [int(path.name.removeprefix("nvidia")) for path in folder.glob("nvidia[0-9]*") if _is_gpu(path.name)]
    # CUDA counts the GPUs that a process can open, whatever their number on the host.
    return [str(i) for i in range(len(numbers))]


def _is_gpu(name: str) -> bool:
    return name.removeprefix("nvidia").isdecimal()
