"""Can the engines be imported, and what do they see? Run as `python -m adapters.engine_probe`.

In a process of its own because a broken engine may end its process, takes seconds to import and prints warnings:
`stenocast doctor` reads one JSON line on standard output and drops the rest.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

#: What ctranslate2 loads by this name when it works on a GPU, whatever CUDA torch brings.
CUBLAS = "libcublas.so.12"


@dataclass(frozen=True, slots=True)
class Probe:
    """What came of importing one package."""

    package: str
    imported: bool
    said: str  #: what it sees (devices, FFmpeg), or why it cannot be imported
    cuda_devices: int = 0


def probe_engines() -> list[Probe]:
    looks: dict[str, Callable[[Any], tuple[str, int]]] = {
        "av": lambda av: (f"FFmpeg {av.ffmpeg_version_info}", 0),
        "torch": _torch_devices,
        "ctranslate2": _ctranslate2_devices,
        "faster_whisper": lambda module: ("", 0),
        "pyannote.audio": lambda module: ("", 0),
    }
    return [*(_probed(package, look) for package, look in looks.items()), _probed_library(CUBLAS)]


def _probed(package: str, look: Callable[[Any], tuple[str, int]]) -> Probe:
    try:
        said, devices = look(importlib.import_module(package))
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        return Probe(package, False, f"{type(error).__name__}: {error}".split("\n")[0])
    return Probe(package, True, said, devices)


def _probed_library(name: str) -> Probe:
    """Whether the system's loader finds a library, as ctranslate2 will look for it."""
    try:
        ctypes.CDLL(name)
    except OSError as error:
        return Probe(name, False, str(error).split("\n")[0])
    return Probe(name, True, "")


def _torch_devices(torch: Any) -> tuple[str, int]:
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    named = ", ".join(torch.cuda.get_device_name(i) for i in range(count))
    return named or "no CUDA device", count


def _ctranslate2_devices(ctranslate2: Any) -> tuple[str, int]:
    count = ctranslate2.get_cuda_device_count()
    return f"{count} CUDA devices" if count else "no CUDA device", count


if __name__ == "__main__":
    answers = os.dup(sys.stdout.fileno())
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whatever an engine prints is not the answer
    os.write(answers, json.dumps([asdict(each) for each in probe_engines()]).encode())
