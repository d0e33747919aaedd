"""The decoded sound on disk, read piece by piece: a small module that every engine adapter may use.

The scratch file is raw little-endian int16, one channel, 16,000 samples a second (`transcription.ports.Waveform`).
It is mapped, not read, so that an episode of hours costs no more memory than the pieces in use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.errors import CrashError
from transcription.ports import SAMPLE_RATE, Waveform

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def open_samples(waveform: Waveform) -> NDArray[np.int16]:
    """Map the whole recording, read-only: int16, shape (sample_count,), no copy.

    No samples give an array of shape (0,). Raises CrashError `scratch_lost` when the scratch file is gone or
    shorter than the waveform says: somebody swept the folder while the job ran, and the job must start again.
    """
    import numpy as np

    if waveform.sample_count == 0:
        return np.zeros(0, dtype=np.int16)
    try:
        return np.memmap(waveform.path, dtype="<i2", mode="r", shape=(waveform.sample_count,))
    except (OSError, ValueError) as error:
        raise CrashError(f"{waveform.path}: the decoded sound is gone: {error}", code="scratch_lost") from error


def floats(waveform: Waveform, start: float = 0.0, end: float | None = None) -> NDArray[np.float32]:
    """Copy a stretch of the recording as float32 in [-1, 1), shape (samples,): what the engines take.

    `start` and `end` are seconds, rounded to the nearest sample; None is the end of the recording. What lies
    outside the recording is left out, so the result may be shorter than asked, or empty. Raises CrashError
    `scratch_lost` as `open_samples`.
    """
    import numpy as np

    first = min(max(round(start * SAMPLE_RATE), 0), waveform.sample_count)
    last = waveform.sample_count if end is None else min(round(end * SAMPLE_RATE), waveform.sample_count)
    piece = open_samples(waveform)[first : max(first, last)]
    return piece.astype(np.float32) / np.float32(32768.0)
