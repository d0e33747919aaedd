"""The program of the decoder child: one recording in, raw 16 kHz mono samples out, in as small a cell as can be had.

FFmpeg parses what strangers send, so it runs here and nowhere else. `adapters/audio.py` starts this file with
`python -I`, a removed working folder, no environment, the recording as an open descriptor and one writable
descriptor for the samples. Before PyAV is imported the child gives up the network (where the kernel allows) and
sets its own limits. It knows nothing of Stenocast: it imports the standard library, numpy and av.

It speaks JSON lines on standard output: `{"seconds": 12.0}` as it goes, at the end one `{"decoded": {…}}` or
`{"error": {"code": …, "message": …}}`. What it says is checked by the parent, like any other outside input.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAMPLE_RATE = 16_000  #: of the result; the same number as in transcription/ports.py, which this file cannot see
MIN_SAMPLE_RATE, MAX_SAMPLE_RATE, MAX_CHANNELS = 4_000, 384_000, 8  #: as in adapters/headers.py

#: FFmpeg's name for the one demuxer that may open each container.
DEMUXERS = {
    "mp3": "mp3",
    "mp4": "mov",
    "ogg": "ogg",
    "flac": "flac",
    "wav": "wav",
    "aac": "aac",
    "matroska": "matroska",
    "aiff": "aiff",
}

#: Decoders that may run; no video decoder is among them, so a picture track is never touched, not even to probe it.
DECODERS = (
    "mp3float,mp3,mp2float,mp2,aac,aac_fixed,alac,ac3,eac3,opus,libopus,vorbis,libvorbis,flac,speex,libspeex,"
    "pcm_s8,pcm_u8,pcm_s16le,pcm_s16be,pcm_u16le,pcm_u16be,pcm_s24le,pcm_s24be,pcm_u24le,pcm_u24be,pcm_s32le,"
    "pcm_s32be,pcm_u32le,pcm_u32be,pcm_s64le,pcm_s64be,pcm_f16le,pcm_f24le,pcm_f32le,pcm_f32be,pcm_f64le,"
    "pcm_f64be,pcm_mulaw,pcm_alaw,pcm_s8_planar,pcm_s16le_planar,pcm_s16be_planar,pcm_s24le_planar,"
    "pcm_s32le_planar,adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,gsm,gsm_ms,amrnb,amrwb"
)

MAX_TAG_CHARACTERS = 1_000
MAX_CHAPTERS = 500
MAX_TAGS = 500  #: more entries than this are taken for an attack on memory and dropped

_REPORT_SECONDS = 0.25  #: clock time between two progress lines
_PULL_FRAMES = 64  #: frames pushed into the filters between two looks at what came out; each look costs an exception


class BadAudio(Exception):
    """The recording is at fault; becomes AudioError in the parent."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Limits:
    """What one decode may use."""

    max_seconds: float  #: of decoded audio
    memory_bytes: int  #: address space beyond what the bare interpreter has
    cpu_seconds: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out; the texts are cleaned."""

    sample_count: int
    packets: int
    bad_packets: int  #: packets that could not be decoded, and were left out
    title: str | None = None
    show: str | None = None
    published: str | None = None
    chapters: tuple[tuple[str, float, float | None], ...] = ()
    warnings: tuple[tuple[str, str], ...] = ()  #: code and sentence


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...
    def seek(self, offset: int, whence: int, /) -> int: ...


class Writable(Protocol):
    def write(self, content: bytes | memoryview, /) -> int | None: ...


# ---------------------------------------------------------------- the cell


def confine(limits: Limits, parent: int) -> None:
    """Set every limit on this process; nothing here may be undone later. Linux gives all of it, others a part."""
    import resource

    if sys.platform == "linux":
        _die_with(parent)
        _leave_network()
    base = _address_space()
    # The descriptors: three standard ones, source, samples, and those that loading a library opens in passing.
    for kind, soft in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_FSIZE, int((limits.max_seconds + 60) * SAMPLE_RATE * 2)),
        (resource.RLIMIT_AS, base + limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
    ):
        _, hard = resource.getrlimit(kind)
        ceiling = soft if hard == resource.RLIM_INFINITY else min(soft, hard)
        # One second more before the kernel kills: the soft limit ends the process by SIGXCPU, which says why.
        extra = 1 if kind == resource.RLIMIT_CPU and (hard == resource.RLIM_INFINITY or ceiling < hard) else 0
        resource.setrlimit(kind, (ceiling, ceiling + extra))


def _die_with(parent: int) -> None:
    import ctypes
    import signal

    set_parent_death_signal = 1  # PR_SET_PDEATHSIG, linux/prctl.h
    ctypes.CDLL(None, use_errno=True).prctl(set_parent_death_signal, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _leave_network() -> None:
    """Move to an empty network namespace. A kernel or container that forbids it leaves us with the demuxer list."""
    import ctypes

    new_user, new_network = 0x1000_0000, 0x4000_0000  # linux/sched.h
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(new_network) != 0:
        libc.unshare(new_user | new_network)


def _address_space() -> int:
    """Bytes of address space in use now; a generous guess where /proc does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 1_000_000_000


# ---------------------------------------------------------------- decoding


class Source:
    """The recording as PyAV sees it: nameless, read-only, perhaps without the tag at its start."""

    def __init__(self, file: Readable, skip_bytes: int = 0) -> None:
        self._file = file
        self._skip = skip_bytes
        self._at = file.seek(skip_bytes, 0)

    def read(self, size: int) -> bytes:
        content = self._file.read(size)
        self._at += len(content)
        return content

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence == 0 and offset < 0:
            raise ValueError("seek before the start")
        self._at = self._file.seek(offset + self._skip if whence == 0 else offset, whence)
        return self._at - self._skip

    def tell(self) -> int:
        return self._at - self._skip


def decode(
    file: Readable,
    out: Writable,
    *,
    container: str,
    max_seconds: float,
    skip_bytes: int = 0,
    tell: Callable[[float], None] = lambda seconds: None,
) -> Outcome:
    """Write the first audio stream of `file` to `out` as little-endian int16, mono, 16 kHz.

    Samples are counted; the time stamps of the file are not looked at. Packets that cannot be decoded are left
    out and counted. Raises BadAudio for whatever is wrong with the recording, MemoryError, and OSError from
    `file` or `out`.
    """
    try:
        with _open(Source(file, skip_bytes), container) as opened:
            stream = _first_audio(opened, container)
            _ignore_others(opened, stream)
            warnings = _stream_warnings(len(opened.streams.audio))
            # Only plain float samples can hold NaN or 10^20; the other decoders make their own numbers.
            is_raw_float = stream.codec_context.name.startswith("pcm_f")
            samples = Samples(out, max_seconds, tell, is_raw_float=is_raw_float)
            packets, bad_packets, reason = _decode_stream(opened, stream, samples)
            return _outcome(opened, stream, samples.count, packets, bad_packets, reason, warnings)
    except (MemoryError, BadAudio):
        raise
    except _damage() as error:
        raise BadAudio("audio_unreadable", f"the {container} file could not be read: {_short(error)}") from error


def _damage() -> tuple[type[Exception], ...]:
    """What PyAV raises on damaged recordings: FFmpeg's own errors, and those seen on mutated files."""
    import av

    return (av.FFmpegError, ValueError, EOFError, LookupError, ArithmeticError, RuntimeError, AssertionError)


def _open(source: Source, container: str) -> Any:
    import av

    demuxer = DEMUXERS[container]
    return av.open(
        source,
        mode="r",
        format=demuxer,
        # The demuxer is given, not probed; no other is allowed; no protocol is; and what would still ask to open
        # something is refused. The first alone stopped every playlist we tried; the rest is for those we did not.
        options={
            "format_whitelist": demuxer,
            "protocol_whitelist": "none",
            "codec_whitelist": DECODERS,
            "max_streams": "200",
        },
        io_open=_refuse_to_open,
        metadata_errors="replace",
        buffer_size=262_144,
    )


def _first_audio(opened: Any, container: str) -> Any:
    """The first audio stream. Without one, a file with pictures or text is no recording; any other is damaged."""
    if opened.streams.audio:
        stream = opened.streams.audio[0]
        if stream.codec_context is None:
            raise BadAudio("audio_unreadable", f"the sound in the {container} file is coded in an unknown way")
        return stream
    if opened.streams.video or opened.streams.subtitles:
        raise BadAudio("no_audio_stream", f"the {container} file has no audio stream")
    raise BadAudio("audio_unreadable", f"the {container} file holds no stream that can be recognised")


def _refuse_to_open(*_: object) -> NoReturn:
    raise PermissionError("a recording may not open other files")


def _ignore_others(opened: Any, stream: Any) -> None:
    from av.stream import Discard

    for other in opened.streams:
        if other.index != stream.index:
            other.discard = Discard.all


def _stream_warnings(count: int) -> list[tuple[str, str]]:
    if count == 1:
        return []
    return [("audio_streams_ignored", f"the file has {count} audio streams; only the first was transcribed")]


def _decode_stream(opened: Any, stream: Any, samples: Samples) -> tuple[int, int, str]:
    """Decode every packet. Returns how many there were, how many were bad, and the first reason."""
    codec = stream.codec_context
    if codec.name not in DECODERS.split(","):
        raise BadAudio("audio_unreadable", f"the sound is coded as {_short(codec.name)}, which is not decoded here")
    if stream.codec_context.sample_rate:
        check_format(stream.codec_context.sample_rate, stream.codec_context.channels)
    codec.thread_count = 1
    packets = bad_packets = 0
    reason = ""
    for packet in _packets(opened, stream):
        packets += 1
        try:
            frames = packet.decode()
        except MemoryError:
            raise
        except _damage() as error:
            bad_packets += 1
            reason = reason or _short(error)
            continue
        for frame in frames:
            samples.add(frame)
    samples.finish()
    return packets, bad_packets, reason


def _packets(opened: Any, stream: Any) -> Iterator[Any]:
    """The packets of a stream up to the end, or to the place where the demuxer gives up."""
    packets = opened.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except MemoryError:
            raise
        except _damage():
            # What was decoded so far is worth having: a cut file ends like this. The parent compares the length.
            return
        if packet is None:
            return
        yield packet


def check_format(sample_rate: int, channels: int) -> None:
    """Raise BadAudio for a rate outside 4 to 384 kHz or a channel count outside 1 to 8."""
    if not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
        raise BadAudio("bad_sample_rate", f"the sample rate is {sample_rate} Hz, outside 4,000 to 384,000")
    if not 1 <= channels <= MAX_CHANNELS:
        raise BadAudio("bad_channel_count", f"the sound has {channels} channels, outside 1 to {MAX_CHANNELS}")


class Samples:
    """Frames of any format in, 16 kHz mono int16 out, counted against the budget."""

    def __init__(
        self, out: Writable, max_seconds: float, tell: Callable[[float], None], *, is_raw_float: bool
    ) -> None:
        self.count = 0  #: samples written
        self._out = out
        self._budget = int(max_seconds * SAMPLE_RATE)
        self._tell = tell
        self._is_raw_float = is_raw_float
        self._told = time.monotonic()
        self._format: tuple[Any, ...] = ()
        self._graph: Any = None
        self._pushed = 0  #: frames since the last look

    def add(self, frame: Any) -> None:
        if frame.samples <= 0:
            return
        form = (frame.format.name, frame.sample_rate, frame.layout.nb_channels, frame.layout.name)
        if form != self._format:
            # Also in mid-file: radio recordings and joined MP3s change their rate or their channels.
            self.finish()
            check_format(frame.sample_rate, frame.layout.nb_channels)
            self._graph, self._format = _filters(*form), form
        if self._is_raw_float and form[0] in ("flt", "fltp", "dbl", "dblp"):
            _tame(frame)
        self._graph.push(frame)
        self._pushed += 1
        if self._pushed >= _PULL_FRAMES or frame.samples > SAMPLE_RATE:
            self._pull()

    def finish(self) -> None:
        """Write what the filters still hold."""
        if self._graph is None:
            return
        self._graph.push(None)
        self._pull()
        self._graph, self._format = None, ()

    def _pull(self) -> None:
        import av

        self._pushed = 0
        while True:
            try:
                frame = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                break
            self._write(to_int16(frame.to_ndarray().reshape(-1)))
        if time.monotonic() - self._told >= _REPORT_SECONDS:
            self._told = time.monotonic()
            self._tell(self.count / SAMPLE_RATE)

    def _write(self, samples: NDArray[np.int16]) -> None:
        self.count += len(samples)
        if self.count > self._budget:
            hours = self._budget / SAMPLE_RATE / 3_600
            raise BadAudio(
                "audio_too_long", f"more than {hours:g} hours of sound were decoded; the budget ends there"
            )
        content = memoryview(samples.tobytes())
        while content:
            content = content[self._out.write(content) or 0 :]


def _filters(sample_format: str, sample_rate: int, channels: int, layout: str) -> Any:
    """A filter graph from one frame format to float mono at 16 kHz, in pieces of a second.

    The channels are averaged rather than mixed by FFmpeg's matrix: that one drops the LFE channel (in a file
    without a layout, the third microphone) and can clip. An average loses no speaker and cannot.
    """
    from av.filter import Graph

    graph = Graph()
    graph.threads = 1
    nodes = [
        graph.add(
            "abuffer",
            sample_rate=str(sample_rate),
            sample_fmt=sample_format,
            channel_layout=layout,
            time_base=f"1/{sample_rate}",
        ),
        graph.add("aformat", sample_fmts="fltp"),
    ]
    if channels > 1:
        mean = "+".join(f"{1 / channels:.9f}*c{index}" for index in range(channels))
        nodes.append(graph.add("pan", f"mono|c0={mean}"))
    nodes.append(graph.add("aformat", sample_fmts="flt", sample_rates=str(SAMPLE_RATE), channel_layouts="mono"))
    nodes.append(graph.add("abuffersink"))
    graph.link_nodes(*nodes).configure()
    graph.set_audio_frame_size(SAMPLE_RATE)
    return graph


def _tame(frame: Any) -> None:
    """Silence NaN and infinite samples and clip the rest to ±1, in place: one of them would ruin its neighbours."""
    import numpy as np

    kind = np.float32 if frame.format.name.startswith("flt") else np.float64
    for plane in frame.planes:
        values = np.frombuffer(plane, dtype=kind)
        # One pass that is enough for sound that is in order: a comparison with NaN is false.
        if values.size and not (np.abs(values).max() <= 1.0):
            tamed = np.clip(np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0), -1.0, 1.0)
            plane.update(tamed.astype(kind).tobytes())


def to_int16(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """Float samples in [-1, 1) as little-endian int16: rounded, clipped, what is not a number silent."""
    import numpy as np

    scaled = np.rint(np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0) * np.float32(32_768.0))
    return np.clip(scaled, -32_768, 32_767).astype("<i2")


# ---------------------------------------------------------------- tags


def _outcome(
    opened: Any,
    stream: Any,
    sample_count: int,
    packets: int,
    bad_packets: int,
    reason: str,
    warnings: list[tuple[str, str]],
) -> Outcome:
    if sample_count == 0 and bad_packets:
        raise BadAudio("audio_unreadable", f"none of {bad_packets} packets could be decoded: {reason}")
    try:
        tags = read_tags(dict(stream.metadata) | dict(opened.metadata))
        chapters, dropped = read_chapters(opened.chapters(), sample_count / SAMPLE_RATE)
    except MemoryError:
        raise
    except Exception as error:  # whatever hostile tags do, the sound is there
        tags, chapters, dropped = {}, (), 0
        warnings.append(("tags_dropped", f"the tags could not be read: {_short(error)}"))
    if len(opened.metadata) + len(stream.metadata) > MAX_TAGS:
        tags = {}
        warnings.append(("tags_dropped", f"the file has more than {MAX_TAGS} tags; none was used"))
    if dropped:
        warnings.append(("chapters_dropped", f"{dropped} chapters without a sensible time or over 500 were left out"))
    if bad_packets:
        warnings.append(("audio_damaged", f"{bad_packets} of {packets} packets could not be decoded: {reason}"))
    return Outcome(sample_count, packets, bad_packets, chapters=chapters, warnings=tuple(warnings), **tags)


def read_tags(metadata: Mapping[str, str]) -> dict[str, str]:
    """Title, show and date from a file's own tags, cleaned. Missing ones are left out.

    A show is what podcast makers put into "show" or "album", else the artist; a date counts when it is whole.
    """
    known = {key.lower(): clean(value) for key, value in metadata.items() if len(key) <= 100}
    found = {
        "title": known.get("title"),
        "show": next((known[key] for key in ("show", "album", "album_artist", "artist") if known.get(key)), None),
        "published": next(
            (date for key in ("date", "tdrl", "tdor", "year") if (date := whole_date(known.get(key) or ""))), None
        ),
    }
    return {name: value for name, value in found.items() if value}


def whole_date(text: str) -> str | None:
    """The ISO date a text starts with ("2026-03-14T09:00" or "20260314"), None for less than a day's precision."""
    from datetime import date

    digits = text[:10].replace("-", "")[:8]
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])).isoformat() if len(digits) == 8 else None
    except ValueError:
        return None


def read_chapters(
    chapters: list[Any], audio_seconds: float
) -> tuple[tuple[tuple[str, float, float | None], ...], int]:
    """Title, start and end of the chapters in order, 500 at most, and how many were dropped.

    A chapter that does not start inside the recording is dropped; an end beyond it is cut, one that is not after
    its start is unknown.
    """
    kept: list[tuple[str, float, float | None]] = []
    for index, chapter in enumerate(chapters[:MAX_CHAPTERS], start=1):
        unit = chapter["time_base"]
        start = float(chapter["start"] * unit) if unit else -1.0
        end = min(float(chapter["end"] * unit), audio_seconds) if unit else -1.0
        if 0.0 <= start < audio_seconds:
            title = clean(chapter["metadata"].get("title", "")) or f"Chapter {index}"
            kept.append((title, round(start, 3), round(end, 3) if end > start else None))
    kept.sort(key=lambda each: each[1])
    return tuple(kept), len(chapters) - len(kept)


def clean(text: str) -> str:
    """A tag as one line of valid text in NFC: no control characters, no lone surrogates, at most 1,000 characters."""
    cut = text[: MAX_TAG_CHARACTERS * 4]
    whole = cut.encode("utf-8", "replace").decode("utf-8", "replace")
    plain = "".join(" " if unicodedata.category(each) in ("Cc", "Zl", "Zp") else each for each in whole)
    return unicodedata.normalize("NFC", " ".join(plain.split()))[:MAX_TAG_CHARACTERS].strip()


def _short(error: object) -> str:
    """An error as a few words; FFmpeg's come with numbers and file names that say nothing."""
    return clean(getattr(error, "strerror", None) or str(error) or type(error).__name__)[:200]


# ---------------------------------------------------------------- the process


def main(argument: str) -> int:
    """Run one decode as the JSON argument says; the exit status is 0 whenever the parent was told how it ended."""
    order = json.loads(argument)
    confine(Limits(**order["limits"]), order["parent"])
    try:
        outcome = decode(
            os.fdopen(order["source"], "rb", buffering=0),
            os.fdopen(order["samples"], "wb", buffering=0),
            container=order["container"],
            max_seconds=order["limits"]["max_seconds"],
            skip_bytes=order["skip_bytes"],
            tell=lambda seconds: _say({"seconds": seconds}),
        )
    except BadAudio as error:
        _say({"error": {"code": error.code, "message": error.message}})
    except MemoryError:
        _say({"error": {"code": "decode_memory", "message": "the decoder ran into its memory limit"}})
    except OSError as error:
        _say({"error": {"code": "io", "message": str(error), "errno": error.errno}})
    except Exception as error:
        traceback.print_exc()
        _say({"error": {"code": "crashed", "message": f"{type(error).__name__}: {error}"}})
    else:
        _say({"decoded": asdict(outcome)})
    return 0


def _say(message: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(message, ensure_ascii=True) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
