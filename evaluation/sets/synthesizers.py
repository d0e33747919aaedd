"""A sentence to sound, by whichever free synthesizer the script names."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import wave
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.sets.script import Synthesizer, Voice
from schemas.errors import NotReady
from transcription.ports import SAMPLE_RATE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.float32]

#: What to call for each, and Debian's packages that hold it.
_PROGRAMS = {
    Synthesizer.FLITE: ("flite", "flite"),
    Synthesizer.FESTIVAL: ("text2wave", "festival festvox-kdlpc16k"),
    Synthesizer.ESPEAK: ("espeak-ng", "espeak-ng"),
}
#: espeak-ng's own pace in words a minute.
_ESPEAK_PACE = 160

#: Of full scale; below it a synthesizer is silent (flite's noise floor stays under 0.001).
SILENCE = 0.004
#: Kept on both sides of a trimmed sentence, so that soft consonants stay whole, in seconds.
EDGE_SECONDS = 0.02


def check_synthesizers(wanted: Iterable[Synthesizer]) -> None:
    """Raise NotReady `synthesizer_missing` with the command that installs what is not here."""
    missing = [each for each in dict.fromkeys(wanted) if shutil.which(_PROGRAMS[each][0]) is None]
    if missing:
        packages = " ".join(_PROGRAMS[each][1] for each in missing)
        raise NotReady(
            f"{', '.join(missing)}: not installed; on Debian: apt-get install {packages}", code="synthesizer_missing"
        )


def spoken(sentence: str, voice: Voice) -> Samples:
    """Mono samples from -1 to 1 at 16 kHz, without the silence at both ends, at the voice's level.

    Raises NotReady `synthesizer_failed`: a voice that is not there, or a sentence without sound.
    """
    with tempfile.TemporaryDirectory(prefix="stenocast-voice-") as folder:
        path = Path(folder) / "sentence.wav"
        command = _command(sentence, voice, path)
        result = subprocess.run(command, input=sentence.encode(), capture_output=True, timeout=120, check=False)
        if result.returncode or not path.is_file():
            said = result.stderr.decode(errors="replace").strip()[-200:]
            raise NotReady(f"{voice.synthesizer} {voice.voice}: {said}", code="synthesizer_failed")
        return _at_level(_trimmed(_read(path), voice), voice.level)


def _command(sentence: str, voice: Voice, path: Path) -> list[str]:
    program = _PROGRAMS[voice.synthesizer][0]
    if voice.synthesizer is Synthesizer.FLITE:
        features = {"duration_stretch": voice.stretch, "int_f0_target_mean": voice.pitch}
        settings = [part for key, value in features.items() if value for part in ("--setf", f"{key}={value}")]
        return [program, "-voice", voice.voice, *settings, "-t", sentence, "-o", str(path)]
    if voice.synthesizer is Synthesizer.FESTIVAL:
        scheme = f"(begin (voice_{voice.voice}) (Parameter.set 'Duration_Stretch {voice.stretch}))"
        return [program, "-eval", scheme, "-F", str(SAMPLE_RATE), "-o", str(path), "-"]
    pace = round(_ESPEAK_PACE / voice.stretch)
    return [program, "-v", voice.voice, "-s", str(pace), "-p", str(voice.pitch or 50), "-w", str(path), "--stdin"]


def _read(path: Path) -> Samples:
    import numpy as np

    with wave.open(str(path)) as sound:
        rate = sound.getframerate()
        pcm: Any = np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2")
    samples = pcm.astype(np.float32) / np.float32(32768)
    return samples if rate == SAMPLE_RATE else _resampled(samples, rate)


def _resampled(samples: Samples, rate: int) -> Samples:
    from math import gcd

    import numpy as np
    from scipy.signal import resample_poly

    common = gcd(rate, SAMPLE_RATE)
    return np.asarray(resample_poly(samples, SAMPLE_RATE // common, rate // common), dtype=np.float32)


def _trimmed(samples: Samples, voice: Voice) -> Samples:
    import numpy as np

    loud = np.flatnonzero(np.abs(samples) > SILENCE)
    if loud.size == 0:
        raise NotReady(f"{voice.synthesizer} {voice.voice} was silent", code="synthesizer_failed")
    edge = int(EDGE_SECONDS * SAMPLE_RATE)
    return samples[max(0, int(loud[0]) - edge) : int(loud[-1]) + edge]


def _at_level(samples: Samples, level: float) -> Samples:
    """The samples at a loudness of `level` dBFS (RMS of the whole sentence)."""
    import numpy as np

    rms = float(np.sqrt(np.mean(samples**2)))
    return (samples * np.float32(10 ** (level / 20) / rms)).astype(np.float32)
