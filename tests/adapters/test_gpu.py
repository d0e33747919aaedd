"""What a GPU's error means: the very texts that ctranslate2, torch and pyannote.audio raise."""

from __future__ import annotations

import pytest

from adapters.gpu import translated, while_loading
from schemas.errors import CrashError, NotReady, StenocastError, TransientError

FULL = [
    RuntimeError("CUDA failed with error out of memory"),
    RuntimeError("cuBLAS failed with status CUBLAS_STATUS_ALLOC_FAILED"),
    RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 79.18 GiB"),
    RuntimeError("CUDA error: out of memory"),
    MemoryError("batch_size ( 32) is probably too large. Try with a smaller value until memory error disappears."),
]
BROKEN = [
    RuntimeError("CUDA error: device-side assert triggered\nCUDA kernel errors might be asynchronously reported"),
    RuntimeError("CUDA failed with error an illegal memory access was encountered"),
    RuntimeError("CUDA error: unspecified launch failure"),
    RuntimeError("cuBLAS failed with status CUBLAS_STATUS_EXECUTION_FAILED"),
    RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
    RuntimeError("CUDA error: uncorrectable ECC error encountered"),
    RuntimeError("parallel_for failed: cudaErrorInvalidDevice: invalid device ordinal"),
]
MISSING = [
    RuntimeError("CUDA error: no kernel image is available for execution on the device"),
    RuntimeError("CUDA failed with error CUDA driver version is insufficient for CUDA runtime version"),
    RuntimeError("Library libcublas.so.12 is not found or cannot be loaded"),
]


@pytest.mark.parametrize(
    ("errors", "kind", "code"),
    [(FULL, TransientError, "gpu_memory"), (BROKEN, CrashError, "gpu_failed"), (MISSING, NotReady, "device_missing")],
)
def test_a_gpu_s_error_is_known_by_its_words(errors: list[Exception], kind: type[StenocastError], code: str) -> None:
    for error in errors:
        known = translated(error, "recognize")
        assert isinstance(known, kind), error
        assert known.code == code


@pytest.mark.parametrize("error", [RuntimeError("Expected 3 channels"), ValueError("CUDA error"), KeyError("cublas")])
def test_another_error_is_none_of_a_gpu_s(error: Exception) -> None:
    assert translated(error, "recognize") is None


@pytest.mark.parametrize("error", [FULL[0], BROKEN[0], MISSING[0]])
def test_what_keeps_models_from_loading_is_no_fault_of_the_job(error: Exception) -> None:
    known, at_work = while_loading(error, "large-v3"), translated(error, "recognize")

    assert isinstance(known, NotReady)
    assert at_work is not None
    assert known.code == at_work.code


def test_a_broken_gpu_is_told_in_one_line() -> None:
    known = translated(BROKEN[0], "diarize")

    assert known is not None
    assert known.message == "the GPU failed while it was to diarize: CUDA error: device-side assert triggered"
