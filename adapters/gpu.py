"""What a GPU's error means, told by its words: ctranslate2 and torch raise RuntimeErrors of many texts.

Full memory passes: less at once, and the work goes on. Anything else that CUDA, cuBLAS or cuDNN report in the middle
of the work leaves the process's context in ruins (every later call fails too), so that only a new process helps.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

import structlog

from schemas.errors import GpuError, NotReady, StenocastError, TransientError

log = structlog.get_logger()


#: Told the stage whenever a batch is halved; the log has the rest. One for the process.
_listeners: list[Callable[[str], None]] = []


def tell_halved(listener: Callable[[str], None]) -> None:
    """Have somebody told of every halved batch from now on, and nobody else."""
    _listeners[:] = [listener]


def halved(stage: str, **about: object) -> None:
    """A full GPU made the work at hand go on with half as much at once."""
    log.warning("batch halved", stage=stage, **about)
    for listener in _listeners:
        listener(stage)


class GpuTrouble(Enum):
    """The three kinds, and what helps."""

    FULL = "full"  #: less at once, or later
    MISSING = "missing"  #: another driver, library or card; this machine cannot do it
    BROKEN = "broken"  #: a new process


#: "CUDA out of memory. Tried to allocate …" (torch), "CUDA failed with error out of memory" (ctranslate2),
#: "CUBLAS_STATUS_ALLOC_FAILED" (both). pyannote's MemoryError says "batch_size (32) is probably too large".
_FULL = ("out of memory", "alloc_failed", "is probably too large")

_MISSING = (
    "no kernel image is available",
    "driver version is insufficient",
    "no cuda-capable device",
    "is not found or cannot be loaded",
    "forward compatibility was attempted",
)

#: "CUDA error: device-side assert triggered", "CUDA failed with error an illegal memory access was encountered", …
#: "parallel_for failed: cudaErrorInvalidDevice: …" is what ctranslate2 says to everything after its memory was full.
_BROKEN = (
    "cuda error",
    "cudaerror",
    "cuda failed",
    "cuda driver error",
    "cublas",
    "cudnn",
    "cusolver",
    "cufft",
    "nvrtc",
)


def trouble_of(error: BaseException) -> GpuTrouble | None:
    """Which kind it is, or None for an error that has nothing to do with a GPU."""
    text = str(error).lower()
    if any(each in text for each in _FULL):
        return GpuTrouble.FULL
    if not isinstance(error, RuntimeError):
        return None
    if any(each in text for each in _MISSING):
        return GpuTrouble.MISSING
    return GpuTrouble.BROKEN if any(each in text for each in _BROKEN) else None


def translated(error: BaseException, doing: str) -> StenocastError | None:
    """The same as an error of ours, or None for an error that has nothing to do with a GPU. `doing`: "recognize"."""
    match trouble_of(error):
        case GpuTrouble.FULL:
            return TransientError(f"not enough GPU memory to {doing}: {error}", code="gpu_memory")
        case GpuTrouble.MISSING:
            return NotReady(f"this GPU cannot be used to {doing}: {error}", code="device_missing")
        case GpuTrouble.BROKEN:
            return GpuError(f"the GPU failed while it was to {doing}: {_first_line(error)}")
        case None:
            return None


def while_loading(error: BaseException, what: str) -> StenocastError | None:
    """The same before any work was done: no fault of the job's, whatever it is, and the job waits."""
    known = translated(error, f"load {what}")
    return None if known is None else NotReady(known.message, code=known.code)


def _first_line(error: BaseException) -> str:
    """torch adds a paragraph of advice for its developers."""
    return str(error).strip().split("\n")[0]
