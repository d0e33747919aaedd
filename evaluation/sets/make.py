"""Make the synthetic episodes: each script spoken into a WAV file, with its truth beside it.

    python -m evaluation.sets.make [NAME…] [--folder DIR] [--list]

Needs Debian's flite, espeak-ng, festival and festvox-kdlpc16k, as far as the chosen scripts use them. Episodes stay
in the user's cache folder, by the script and the version of this method, and are made once.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.sets.mixing import Mixed, mix
from evaluation.sets.script import SCRIPTS, Script, scripts
from evaluation.sets.synthesizers import check_synthesizers, spoken
from schemas.errors import NotFound, StenocastError
from schemas.wire import to_record
from transcription.ports import SAMPLE_RATE

#: Changes whenever the same script would give other samples.
METHOD = 1


@dataclass(frozen=True, slots=True)
class Episode:
    """A made episode in the cache."""

    script: Script
    audio: Path
    truth: Path  #: JSON, as `truth.read_turns` reads it


def default_folder() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("stenocast") / "evaluation" / "sets"


def place_of(script: Script, folder: Path, *, source: Path = SCRIPTS) -> Episode:
    """Where the episode of a script lies, or will lie."""
    content = (source / f"{script.name}.toml").read_bytes()
    digest = hashlib.sha256(content + str(METHOD).encode()).hexdigest()[:12]
    made = folder / f"{script.name}-{digest}"
    return Episode(script, made / f"{script.name}.wav", made / "truth.json")


def made(script: Script, folder: Path | None = None) -> Episode:
    """The episode, spoken now unless it is in the cache. Raises NotReady."""
    episode = place_of(script, folder or default_folder())
    if not episode.truth.is_file():
        check_synthesizers(voice.synthesizer for voice in script.voices.values())
        write(mix(script, spoken), episode)
    return episode


def write(mixed: Mixed, episode: Episode) -> None:
    """Both files, whole or not at all."""
    import json

    import numpy as np

    place = episode.audio.parent
    place.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    try:
        with wave.open(str(work / episode.audio.name), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(SAMPLE_RATE)
            sound.writeframes(np.round(mixed.samples * 32767).astype("<i2").tobytes())
        truth = [to_record(each) for each in mixed.truth]
        (work / episode.truth.name).write_text(json.dumps(truth, indent=1, ensure_ascii=False), encoding="utf-8")
        shutil.rmtree(place, ignore_errors=True)
        os.replace(work, place)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def chosen(names: Sequence[str]) -> tuple[Script, ...]:
    """The scripts of these names; all without. Raises NotFound."""
    known = {script.name: script for script in scripts()}
    for name in names:
        if name not in known:
            raise NotFound(f"{name}: no such script; there are {', '.join(known)}")
    return tuple(known[name] for name in (names or known))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Exit status 0, 1 (failed), 2 (usage)."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.sets.make", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="scripts; all without")
    parser.add_argument("--folder", type=Path, help="instead of the user's cache folder")
    parser.add_argument("--list", action="store_true", help="only say what there is")
    asked = parser.parse_args(arguments)
    try:
        for script in chosen(asked.names):
            if asked.list:
                print(
                    f"{script.name}: {script.about} ({script.guessed_seconds():.0f} s, {len(script.voices)} voices)"
                )
            else:
                print(made(script, asked.folder).audio, flush=True)
    except StenocastError as error:
        print(f"error: {error.message} [{error.code}]", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
