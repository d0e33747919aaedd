"""Sound in: any recording to 16 kHz mono samples on disk, decoded by FFmpeg in a confined child process.

The order matters. The bytes are hashed, sniffed and peeked at here, in plain Python; only then one child per
recording (`decoder_child.py`) opens it with FFmpeg, with limits on processor time, memory, file size and open
files, without environment, working folder or (where the kernel allows) network. The child's word is checked.

How the child's end becomes an error:

- what depends on the file alone fails for good (AudioError): its format, its damage, its length, and the
  *processor* time (`decode_timeout`) and memory (`decode_memory`) it takes: the same bytes would take them again;
- what can be the machine's fault counts as a crash and is tried again (CrashError): a signal (`decode_crashed`),
  and the *clock* running out (`decode_timeout`), which a busy or sleeping machine does too;
- a full scratch disk is ours (NotReady `disk_full`).
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import selectors
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, BinaryIO

from adapters.headers import MAX_CHANNELS, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE, HeaderFacts, peek
from schemas.episode import Chapter
from schemas.errors import AudioError, CrashError, InputError, NotFound, NotReady, StenocastError, TransientError
from schemas.transcript import Warning
from transcription.ports import Decoded, Report, Tags, Waveform

#: Part of the fingerprint; raised when the same FFmpeg would give other samples.
METHOD = "mono-16k/1"

CHILD_PROGRAM = Path(__file__).with_name("decoder_child.py")

_LIBRARIES = ("libavcodec", "libavfilter", "libavformat", "libavutil", "libswresample", "libmp3lame", "libopus")
_SHORTEST_SECONDS = 0.1  #: less decoded sound than this is `audio_too_short`
_LARGEST_TAG_BYTES = 16_000_000  #: a longer ID3 tag is stepped over: FFmpeg would hold its pictures in memory
_BEAT_SECONDS = 0.5  #: how often `report` is called while the child is silent, so that a cancel is seen
_MESSAGE_BYTES = 8_000_000  #: 500 chapters of 1,000 escaped characters are 6 MB; more is not ours
_STDERR_BYTES = 2_000  #: of the child's last words kept for the operators

#: The share of the clock limit that is the default processor limit. Below one, so that a file that only costs time
#: meets the processor limit first and fails for good, and the clock is left for waits.
_CPU_SHARE = 0.75


@dataclass(slots=True)
class ConfinedDecoder:
    """Keeps the promise of `transcription.ports.Decoder` with PyAV in a child process.

    `memory_bytes` is address space beyond the bare interpreter's; `timeout_seconds` is clock time for one file;
    `cpu_seconds` defaults to three quarters of it. `child_program` is replaced by tests of the limits.
    """

    max_bytes: int = 5_000_000_000
    max_seconds: float = 43_200.0
    memory_bytes: int = 1_500_000_000
    timeout_seconds: float = 900.0
    cpu_seconds: float | None = None
    child_program: Path = CHILD_PROGRAM

    @property
    def fingerprint(self) -> str:
        """Of the installed PyAV and the FFmpeg libraries in its package, whose file names tell their builds."""
        package = distribution("av")
        libraries = sorted(each.name for each in package.files or () if each.name.startswith(_LIBRARIES))
        described = json.dumps([METHOD, package.version, libraries])
        return hashlib.sha256(described.encode()).hexdigest()[:16]

    def decode(self, source: Path, scratch: Path, *, name: str = "", report: Report | None = None) -> Decoded:
        """See the port. Codes: those of `schemas.errors.AUDIO_CODES`, `disk_full`, `source_unreadable`."""
        tell = report or (lambda seconds: None)
        name = shown(name or source.name)
        with _opened(source, name) as file:
            size = os.fstat(file.fileno()).st_size
            if size > self.max_bytes:
                message = f"{name}: {size:,} bytes are over the limit of {self.max_bytes:,}"
                raise AudioError(message, code="audio_too_large")
            facts = peek(file, name)
            refuse_by_header(facts, name, max_seconds=self.max_seconds)
            digest = _sha256(file, tell)
            with _new_file(scratch) as (path, samples):
                try:
                    told = self._run(file, samples.fileno(), facts, name, tell)
                except AudioError as error:
                    raise _explained(error, facts) from error
                outcome = _checked(told, os.fstat(samples.fileno()).st_size)
                return _decoded(outcome, facts, Waveform(path, outcome.sample_count, digest), name)

    def _run(self, file: BinaryIO, samples: int, facts: HeaderFacts, name: str, tell: Report) -> dict[str, Any]:
        """Run the child to its end; its `decoded` message. Whatever happens, it is dead afterwards."""
        cpu_seconds = self.timeout_seconds * _CPU_SHARE if self.cpu_seconds is None else self.cpu_seconds
        order = {
            "source": file.fileno(),
            "samples": samples,
            "container": facts.container.value,
            "skip_bytes": _stepped_over(facts),
            "parent": os.getpid(),
            "limits": {
                "max_seconds": self.max_seconds,
                "memory_bytes": self.memory_bytes,
                "cpu_seconds": max(1, round(cpu_seconds)),
            },
        }
        child = _start(self.child_program, json.dumps(order), (file.fileno(), samples))
        try:
            said = _listen(child, name, self.timeout_seconds, tell)
            # Both pipes are closed: it ends now, or it is not ours any more.
            status = child.wait(timeout=5)
        except subprocess.TimeoutExpired as error:
            raise CrashError(f"{name}: the decoder did not end", code="decode_crashed") from error
        finally:
            _kill(child)
        return _told(said, status, name, cpu_seconds)


def shown(name: str) -> str:
    """A file's name for messages: printable, valid UTF-8, at most 100 characters."""
    text = name.encode("utf-8", "replace").decode("utf-8", "replace")
    return "".join(each if each.isprintable() else "�" for each in text)[:100] or "the recording"


def refuse_by_header(facts: HeaderFacts, name: str, *, max_seconds: float) -> None:
    """Raise AudioError for what the headers alone forbid: protection, sample rate, channels, certain length."""
    if facts.is_encrypted:
        raise AudioError(f"{name}: the recording is protected (DRM)", code="audio_encrypted")
    if facts.sample_rate is not None and not MIN_SAMPLE_RATE <= facts.sample_rate <= MAX_SAMPLE_RATE:
        message = (
            f"{name}: the sample rate is {facts.sample_rate} Hz, outside {MIN_SAMPLE_RATE:,} to {MAX_SAMPLE_RATE:,}"
        )
        raise AudioError(message, code="bad_sample_rate")
    if facts.channels is not None and not 1 <= facts.channels <= MAX_CHANNELS:
        message = f"{name}: the sound has {facts.channels} channels, outside 1 to {MAX_CHANNELS}"
        raise AudioError(message, code="bad_channel_count")
    if facts.is_certain and facts.seconds is not None and facts.seconds > max_seconds:
        message = f"{name}: {facts.seconds / 3_600:.1f} hours of sound are over the limit of {max_seconds / 3_600:g}"
        raise AudioError(message, code="audio_too_long")


# ---------------------------------------------------------------- files


@contextmanager
def _opened(source: Path, name: str) -> Iterator[BinaryIO]:
    """The recording, read-only. One open file is hashed, peeked at and decoded, so nobody can swap it between."""
    try:
        # Not blocking: opening a named pipe would wait for a writer for ever.
        descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFound(f"{name}: there is no such file") from error
    except ValueError as error:
        raise InputError(f"{name}: not a file name: {error}", code="bad_file_name") from error
    except OSError as error:
        raise InputError(f"{name}: cannot be read: {error.strerror}", code="file_unreadable") from error
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise InputError(f"{name}: not a regular file", code="file_unreadable")
        yield file


@contextmanager
def _new_file(scratch: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """A new file for the samples; on any error it is gone again. Raises NotReady `disk_full`."""
    path: Path | None = None
    try:
        scratch.mkdir(parents=True, exist_ok=True)
        descriptor, text = tempfile.mkstemp(prefix="sound-", suffix=".s16", dir=scratch)
        path = Path(text)
        with os.fdopen(descriptor, "r+b") as samples:
            yield path, samples
    except BaseException as error:
        if path is not None:
            path.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            raise NotReady(f"{scratch}: no room for the decoded sound", code="disk_full") from error
        raise


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def _sha256(file: BinaryIO, tell: Report) -> str:
    digest = hashlib.sha256()
    file.seek(0)
    heard = time.monotonic()
    while block := file.read(1_048_576):
        digest.update(block)
        if time.monotonic() - heard >= _BEAT_SECONDS:
            heard = time.monotonic()
            tell(0.0)
    return digest.hexdigest()


def _stepped_over(facts: HeaderFacts) -> int:
    """How much of the start FFmpeg does not get to see: an ID3 tag of a size that is not for reading."""
    return facts.leading_tag_bytes if facts.leading_tag_bytes > _LARGEST_TAG_BYTES else 0


# ---------------------------------------------------------------- the child


def _start(program: Path, order: str, descriptors: tuple[int, int]) -> subprocess.Popen[bytes]:
    folder = tempfile.mkdtemp(prefix="stenocast-decoder-")
    try:
        return subprocess.Popen(
            # -I: no environment variables, no working folder on the path; -B: no compiled files written.
            [sys.executable, "-I", "-B", str(program), order],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env={"LC_ALL": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            pass_fds=descriptors,
            start_new_session=True,
        )
    except OSError as error:
        raise NotReady(f"the decoder could not be started: {error}", code="decoder_not_started") from error
    finally:
        # The child stands in the folder by now. Removed, it stays empty for ever, and nothing is left if we die.
        os.rmdir(folder)


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End the child with all it started. It leads its own session, so the group is its own."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    for pipe in (child.stdout, child.stderr):
        if pipe is not None:
            pipe.close()


@dataclass(slots=True)
class _Said:
    """What a child has said so far."""

    last: dict[str, Any]  #: the newest message that is no progress
    stderr: bytes = b""
    rest: bytes = b""  #: a line that has not ended


def _listen(child: subprocess.Popen[bytes], name: str, timeout_seconds: float, tell: Report) -> _Said:
    """Read both pipes until they close, reporting as the child goes. Raises CrashError, and what `tell` raises."""
    assert child.stdout is not None
    assert child.stderr is not None
    deadline = time.monotonic() + timeout_seconds
    said, seconds = _Said(last={}), 0.0
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        selector.register(child.stderr, selectors.EVENT_READ)
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                message = f"{name}: decoding took longer than {timeout_seconds:g} s and was stopped"
                raise CrashError(message, code="decode_timeout")
            for key, _ in selector.select(min(left, _BEAT_SECONDS)):
                content = os.read(key.fd, 65_536)
                if not content:
                    selector.unregister(key.fileobj)
                elif key.fileobj is child.stderr:
                    said.stderr = (said.stderr + content)[-_STDERR_BYTES:]
                else:
                    seconds = _hear(said, content, name, seconds)
            tell(seconds)
    return said


def _hear(said: _Said, content: bytes, name: str, seconds: float) -> float:
    """Take in what came from the child; the newest progress in audio seconds. Raises CrashError on nonsense."""
    *lines, said.rest = (said.rest + content).split(b"\n")
    if len(said.rest) > _MESSAGE_BYTES:
        raise CrashError(f"{name}: the decoder sent what is no message", code="decode_crashed")
    for line in lines:
        try:
            message = json.loads(line)
            if "seconds" in message:
                seconds = max(seconds, float(message["seconds"]))
            else:
                said.last = dict(message)
        except (ValueError, TypeError, RecursionError) as error:
            raise CrashError(f"{name}: the decoder sent what is no message", code="decode_crashed") from error
    return seconds


def _explained(error: AudioError, facts: HeaderFacts) -> AudioError:
    """The same error, with the cause where the headers show it: an MP4 without its end has lost its index."""
    if error.code == "audio_unreadable" and facts.is_cut:
        return AudioError(f"{error.message} (the file breaks off before its end)", code=error.code)
    return error


def _told(said: _Said, status: int, name: str, cpu_seconds: float) -> dict[str, Any]:
    """The child's `decoded` message, or the error that its end stands for (see the top of this module)."""
    if status == 0 and isinstance(said.last.get("decoded"), dict):
        return dict(said.last["decoded"])
    if status == 0 and isinstance(said.last.get("error"), dict):
        raise _error(said.last["error"], name)
    if status == -signal.SIGXCPU:
        message = f"{name}: decoding took more than {cpu_seconds:g} s of processor time"
        raise AudioError(message, code="decode_timeout")
    how = f"by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"
    words = said.stderr.decode("utf-8", "replace").strip().splitlines()
    if words and "MemoryError" in words[-1]:
        raise _error({"code": "decode_memory", "message": "the decoder ran into its memory limit"}, name)
    message = f"{name}: the decoder process ended {how}" + (f": {words[-1][:200]}" if words else "")
    raise CrashError(message, code="decode_crashed")


_BAD_AUDIO = frozenset(
    {
        "audio_unreadable",
        "audio_too_long",
        "no_audio_stream",
        "bad_sample_rate",
        "bad_channel_count",
        "decode_memory",
    }
)


def _error(told: dict[str, Any], name: str) -> StenocastError:
    code, message = str(told.get("code")), f"{name}: {str(told.get('message'))[:500]}"
    number = told.get("errno")
    if code in _BAD_AUDIO:
        return AudioError(message, code=code)
    if code == "io" and number in _NO_ROOM:
        return NotReady(f"no room for the decoded sound of {message}", code="disk_full")
    if code == "io" and number == errno.EFBIG:
        return AudioError(message, code="audio_too_long")
    if code == "io":
        return TransientError(message, code="source_unreadable")
    return CrashError(message, code="decode_crashed")


# ---------------------------------------------------------------- the result


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The child's `decoded` message, checked."""

    sample_count: int
    bad_packets: int
    tags: Tags
    warnings: tuple[Warning, ...]


def _checked(told: dict[str, Any], file_bytes: int) -> _Outcome:
    """Believe the child only as far as its message has the right shape and its count fits the file."""
    try:
        count = int(told["sample_count"])
        if count * 2 != file_bytes:
            raise ValueError(f"{count} samples announced, {file_bytes} bytes written")
        chapters = tuple(
            Chapter(_text(title) or "", float(start), None if end is None else float(end))
            for title, start, end in told["chapters"][:500]
        )
        tags = Tags(_text(told["title"]), _text(told["show"]), _text(told["published"]), chapters)
        warnings = tuple(Warning(str(code)[:100], str(message)[:500]) for code, message in told["warnings"][:20])
        return _Outcome(count, int(told["bad_packets"]), tags, warnings)
    except (KeyError, TypeError, ValueError) as error:
        raise CrashError(f"the decoder's answer does not hold together: {error}", code="decode_crashed") from error


def _text(value: object) -> str | None:
    return None if value is None else str(value)[:1_000]


def _decoded(outcome: _Outcome, facts: HeaderFacts, waveform: Waveform, name: str) -> Decoded:
    """Judge what came out against what the headers claimed."""
    if outcome.sample_count == 0:
        raise AudioError(f"{name}: nothing could be decoded; the file holds no sound", code="audio_empty")
    if waveform.seconds < _SHORTEST_SECONDS:
        message = f"{name}: only {waveform.seconds * 1_000:.0f} ms of sound was decoded, less than 100 ms"
        raise AudioError(message, code="audio_too_short")
    truncated = is_truncated(facts, waveform.seconds)
    warnings = outcome.warnings
    if truncated and outcome.bad_packets == 1:
        # The packet in which the file breaks off: said already.
        warnings = tuple(each for each in warnings if each.code != "audio_damaged")
    if _stepped_over(facts):
        size = f"{facts.leading_tag_bytes:,}"
        warnings += (Warning("tags_dropped", f"the tags at the start are {size} bytes long and were not read"),)
    return Decoded(waveform, facts.container.value, outcome.tags, truncated, warnings)


def is_truncated(facts: HeaderFacts, decoded_seconds: float) -> bool:
    """Whether the recording broke off before its header said.

    Either bytes are missing that the structure announces, or clearly less came out than a header counts. The
    slack is for encoder delay and padding, up to 0.1 s in an MP3 by LAME, and for rounding in long files.
    """
    if facts.is_cut:
        return True
    return facts.seconds is not None and decoded_seconds < facts.seconds - 0.25 - 0.001 * facts.seconds
