"""Our own reading of an audio file's headers, before FFmpeg sees it.

It decides what FFmpeg reports badly (a wrong channel count and a refused format are the same `ArgumentError`),
stops a file that says itself that it is too long, finds protection, and knows whether a file was cut off. What
a header *claims* is used for refusing and for `truncated`; the length of a recording is counted, not claimed.

Standard library only; every loop is bounded by the file's own bytes and by a fixed number of steps.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from adapters.sniff import HEAD_BYTES, Container, first_mpeg_frame, frames, id3_bytes, mpeg_header, require_container

MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 4_000, 384_000  #: Hz; telephone is 8,000, the fastest studio gear 384,000
MAX_CHANNELS = 8  #: 7.1

#: A declared size at or above this means "I did not know yet": sox, arecord and FFmpeg write such when they stream.
_UNKNOWN_SIZE = 0x7FFF_F000

#: Chunks or boxes looked at in one file, all levels together: about a second's work. A legitimate file has fewer
#: before its sound; one made of nothing but boxes would keep us busy for minutes.
_MAX_STEPS = 100_000
_TAIL_BYTES = 131_072  #: two of the largest Ogg pages (65,307 bytes)


@dataclass(frozen=True, slots=True)
class HeaderFacts:
    """What the headers of a file say. None = they do not say, or not in a way we read."""

    container: Container
    sample_rate: int | None = None  #: Hz
    channels: int | None = None
    seconds: float | None = None  #: claimed
    is_certain: bool = False  #: `seconds` follows from a count that the decoder will follow too (FLAC, WAV, AIFF)
    is_encrypted: bool = False  #: protected by DRM
    is_cut: bool = False  #: the structure promises bytes that are not in the file
    leading_tag_bytes: int = 0  #: ID3v2 before the sound


def peek(file: BinaryIO, name: str) -> HeaderFacts:
    """Read the headers of a seekable file; `name` is for messages.

    Raises AudioError `audio_empty` or `unsupported_container`. A header that is damaged gives fewer facts, never
    an error: the decoder decides.
    """
    size = file.seek(0, 2)
    tag = _leading_tags(file, size)
    head = _read(file, 0 if tag >= size else tag, HEAD_BYTES)
    container = require_container(head, name)
    facts = HeaderFacts(container, leading_tag_bytes=tag)
    try:
        return _READERS[container](file, size, facts)
    except (struct.error, IndexError, ValueError, OverflowError):
        return facts


def _leading_tags(file: BinaryIO, size: int) -> int:
    """The length of all ID3v2 tags at the start, however long; `size` at most."""
    offset = 0
    for _ in range(16):
        length = id3_bytes(_read(file, offset, 10))
        if length == 0 or offset >= size:
            break
        offset += length
    return min(offset, size)


def _read(file: BinaryIO, offset: int, count: int) -> bytes:
    file.seek(offset)
    return file.read(count)


# ---------------------------------------------------------------- WAV, AIFF, FLAC


_PLAIN_SAMPLES = (1, 3, 0xFFFE)  #: WAVE format tags: integer, float, extensible


def _wav(file: BinaryIO, size: int, facts: HeaderFacts) -> HeaderFacts:
    start = facts.leading_tag_bytes
    long_size: int | None = None  # RF64: the real size of the data
    bytes_a_second = 0  # of plain samples; the header's own figure is often wrong and FFmpeg does not use it
    for kind, offset, length in _chunks(file, start + 12, size, "little"):
        if kind == b"ds64":
            long_size = struct.unpack_from("<Q", _read(file, offset, 16), 8)[0]
        elif kind == b"fmt ":
            form, channels, rate, _, _, bits = struct.unpack("<HHIIHH", _read(file, offset, 16))
            bytes_a_second = rate * channels * ((bits + 7) // 8) if form in _PLAIN_SAMPLES else 0
            facts = replace(facts, channels=channels, sample_rate=rate)
        elif kind == b"data":
            claimed = long_size if length == 0xFFFFFFFF and long_size is not None else length
            there = max(0, size - offset)
            is_open_ended = claimed == 0 or (claimed >= _UNKNOWN_SIZE and long_size is None)
            held = there if is_open_ended else min(claimed, there)
            seconds = held / bytes_a_second if bytes_a_second else None
            # The last chunk of a whole file can lack its padding byte.
            is_cut = not is_open_ended and claimed > there + 1
            return replace(facts, seconds=seconds, is_certain=seconds is not None, is_cut=is_cut)
    return facts


def _aiff(file: BinaryIO, size: int, facts: HeaderFacts) -> HeaderFacts:
    start = facts.leading_tag_bytes
    for kind, offset, length in _chunks(file, start + 12, size, "big"):
        if kind == b"COMM":
            channels, count, _, exponent, mantissa = struct.unpack(">HIHHQ", _read(file, offset, 18))
            rate = _extended(exponent, mantissa)
            seconds = count / rate if rate else None
            facts = replace(facts, channels=channels, sample_rate=rate, seconds=seconds, is_certain=True)
        elif kind == b"SSND" and offset + length > size + 1:
            facts = replace(facts, is_cut=True)
    return facts


def _extended(exponent: int, mantissa: int) -> int:
    """An 80-bit float as a whole number; 0 for what is negative, and 2^64 for what no integer holds."""
    shift = 16_383 + 63 - (exponent & 0x7FFF)
    if exponent & 0x8000 or shift > 63:
        return 0
    return mantissa >> shift if shift >= 0 else 1 << 64


def _chunks(file: BinaryIO, offset: int, size: int, order: str) -> Iterator[tuple[bytes, int, int]]:
    """The chunks of a RIFF or IFF file: kind, offset of the content, declared length."""
    for _ in range(_MAX_STEPS):
        header = _read(file, offset, 8)
        if len(header) < 8:
            return
        length = int.from_bytes(header[4:], "little" if order == "little" else "big")
        yield header[:4], offset + 8, length
        offset += 8 + length + (length & 1)


def _flac(file: BinaryIO, size: int, facts: HeaderFacts) -> HeaderFacts:
    block = _read(file, facts.leading_tag_bytes + 4, 38)
    if len(block) < 38 or block[0] & 0x7F != 0:
        return facts
    packed = int.from_bytes(block[14:22], "big")
    rate, channels, count = packed >> 44, (packed >> 41 & 7) + 1, packed & 0xF_FFFF_FFFF
    seconds = count / rate if rate and count else None
    return replace(facts, sample_rate=rate, channels=channels, seconds=seconds, is_certain=seconds is not None)


# ---------------------------------------------------------------- MPEG audio and ADTS


def _mp3(file: BinaryIO, size: int, facts: HeaderFacts) -> HeaderFacts:
    body = _read(file, facts.leading_tag_bytes, HEAD_BYTES)
    start = first_mpeg_frame(body)
    header = mpeg_header(body, start) if start is not None else None
    if start is None or header is None:
        return facts
    facts = replace(facts, sample_rate=header.sample_rate, channels=header.channels)
    count = _frame_count(body[start : start + max(header.size_bytes, 200)], header.version, header.channels)
    if count:
        return replace(facts, seconds=count * header.samples / header.sample_rate)
    return replace(facts, is_cut=_ends_in_frame(file, size, facts))


def _frame_count(frame: bytes, version: int, channels: int) -> int:
    """The number of frames that a Xing, Info or VBRI header in the first frame claims, 0 without one."""
    side = (17 if channels == 1 else 32) if version == 3 else (9 if channels == 1 else 17)
    place = 4 + side
    if frame[place : place + 4] in (b"Xing", b"Info") and frame[place + 7] & 1:
        return int.from_bytes(frame[place + 8 : place + 12], "big")
    if frame[36:40] == b"VBRI":
        return int.from_bytes(frame[50:54], "big")
    return 0


def _aac(file: BinaryIO, size: int, facts: HeaderFacts) -> HeaderFacts:
    return replace(facts, is_cut=_ends_in_frame(file, size, facts))


def _ends_in_frame(file: BinaryIO, size: int, facts: HeaderFacts) -> bool:
    """Whether the stream stops inside a frame: the trace of a cut where no header tells the length.

    Trailing tags are taken off first. At least four frames must lead up to the broken one, so that a file
    with debris at its end is not called cut.
    """
    tail = _without_trailing_tags(_read(file, max(facts.leading_tag_bytes, size - _TAIL_BYTES), _TAIL_BYTES))
    offset = tail.find(b"\xff")
    while 0 <= offset < len(tail) - 7:
        chain = list(frames(tail, offset, facts.container))
        if len(chain) >= 4:
            last, header = chain[-1]
            end = last + header.size_bytes
            # A broken frame shows as one that goes beyond the end, or as a header that was cut itself.
            return end > len(tail) or (end < len(tail) < end + 7 and tail[end] == 0xFF)
        offset = tail.find(b"\xff", offset + 1)
    return False


def _without_trailing_tags(tail: bytes) -> bytes:
    if tail[-128:-125] == b"TAG":
        tail = tail[:-128]
    if tail[-32:-24] == b"APETAGEX":
        length = int.from_bytes(tail[-20:-16], "little") + (32 if tail[-9] & 0x80 else 0)
        tail = tail[: max(0, len(tail) - length)]
    if tail[-9:] == b"LYRICS200":
        digits = tail[-15:-9]
        tail = tail[: max(0, len(tail) - 15 - int(digits))] if digits.isdigit() else tail
    return tail


# ---------------------------------------------------------------- Ogg


def _ogg(file: BinaryIO, size: int, facts: HeaderFacts) -> HeaderFacts:
    head = _read(file, facts.leading_tag_bytes, HEAD_BYTES)
    facts = replace(facts, is_cut=_lacks_last_page(file, size))
    offset = 0
    for _ in range(64):
        page = head[offset : offset + 27]
        if len(page) < 27 or page[:4] != b"OggS" or not page[5] & 2:
            return facts
        content = offset + 27 + page[26]
        packet = head[content : content + 32]
        if packet[:7] == b"\x01vorbis":
            return replace(facts, channels=packet[11], sample_rate=struct.unpack_from("<I", packet, 12)[0])
        if packet[:8] == b"OpusHead":
            return replace(facts, channels=packet[9])
        offset = content + sum(head[offset + 27 : content])
    return facts


def _lacks_last_page(file: BinaryIO, size: int) -> bool:
    """Whether the last page is incomplete or does not say "end of stream" (RFC 3533)."""
    tail = _read(file, max(0, size - _TAIL_BYTES), _TAIL_BYTES)
    last = tail.rfind(b"OggS")
    if last < 0 or len(tail) < last + 27:
        return True
    content = last + 27 + tail[last + 26]
    is_whole = content + sum(tail[last + 27 : content]) <= len(tail)
    return not (is_whole and tail[last + 5] & 4)


# ---------------------------------------------------------------- MP4


def _mp4(file: BinaryIO, size: int, facts: HeaderFacts) -> HeaderFacts:
    """Protection and cuts only: rate and channels of AAC stand in its own header, not in the box."""
    if _read(file, 8, 4) in (b"aax ", b"aaxc"):
        return replace(facts, is_encrypted=True)
    clear = protected = is_cut = False
    steps = iter(range(_MAX_STEPS))
    for kind, offset, end in _boxes(file, 0, size, steps):
        is_cut = is_cut or end > size
        if kind != b"moov":
            continue
        for inner, start, stop in _boxes(file, offset, min(end, size), steps):
            protected = protected or inner == b"pssh"
            if inner == b"trak":
                is_sound, is_protected = _track(file, start, min(stop, size), steps)
                clear = clear or (is_sound and not is_protected)
                protected = protected or is_protected
    return replace(facts, is_encrypted=protected and not clear, is_cut=is_cut)


#: Sample entries of protected sound and pictures: FairPlay, Common Encryption, Audible.
_PROTECTED_ENTRIES = frozenset({b"drms", b"enca", b"encv", b"drmi", b"aavd"})


def _track(file: BinaryIO, offset: int, end: int, steps: Iterator[int]) -> tuple[bool, bool]:
    """Whether a `trak` box holds sound, and whether it is protected."""
    is_sound = is_protected = False
    for kind, start, stop in _descend(file, offset, end, (b"mdia", b"minf", b"stbl"), steps):
        if kind == b"hdlr":
            is_sound = is_sound or _read(file, start + 8, 4) == b"soun"
        elif kind == b"stsd":
            for entry, begin, finish in _boxes(file, start + 8, stop, steps):
                # `sinf` stands behind a fixed part whose length depends on the version: looked for as bytes.
                body = _read(file, begin, min(finish - begin, 4_096))
                is_protected = is_protected or entry in _PROTECTED_ENTRIES or (b"sinf" in body and b"schm" in body)
    return is_sound, is_protected


def _descend(
    file: BinaryIO, offset: int, end: int, through: tuple[bytes, ...], steps: Iterator[int]
) -> Iterator[tuple[bytes, int, int]]:
    """The boxes of a box, and of those named in `through`."""
    for kind, start, stop in _boxes(file, offset, end, steps):
        yield kind, start, min(stop, end)
        if kind in through:
            yield from _descend(file, start, min(stop, end), tuple(each for each in through if each != kind), steps)


def _boxes(file: BinaryIO, offset: int, end: int, steps: Iterator[int]) -> Iterator[tuple[bytes, int, int]]:
    """The boxes between two offsets: kind, start of the content, end as declared (perhaps beyond the file)."""
    for _ in steps:
        header = _read(file, offset, 16)
        if offset + 8 > end or len(header) < 8:
            return
        length, start = int.from_bytes(header[:4], "big"), offset + 8
        if length == 1 and len(header) == 16:
            length, start = int.from_bytes(header[8:], "big"), offset + 16
        elif length == 0:
            length = end - offset
        if length < start - offset:
            return
        yield header[4:8], start, offset + length
        offset += length


# ---------------------------------------------------------------- Matroska


def _matroska(file: BinaryIO, size: int, facts: HeaderFacts) -> HeaderFacts:
    """Whether the segment goes beyond the file. Live recordings do not declare a size, and show nothing."""
    header_length, content = _varint(file, 4)
    identity = _read(file, content + header_length, 4)
    if identity != b"\x18\x53\x80\x67":
        return facts
    length, start = _varint(file, content + header_length + 4)
    is_unknown = length == (1 << 7 * (start - content - header_length - 4)) - 1
    return replace(facts, is_cut=not is_unknown and start + length > size)


def _varint(file: BinaryIO, offset: int) -> tuple[int, int]:
    """An EBML variable-size integer: its value, and the offset after it. Raises ValueError."""
    first = _read(file, offset, 1)
    if not first or first[0] == 0:
        raise ValueError("no EBML size")
    width = 9 - first[0].bit_length()
    value = int.from_bytes(_read(file, offset, width), "big") & ((1 << 7 * width) - 1)
    return value, offset + width


_READERS = {
    Container.WAV: _wav,
    Container.AIFF: _aiff,
    Container.FLAC: _flac,
    Container.MP3: _mp3,
    Container.AAC: _aac,
    Container.OGG: _ogg,
    Container.MP4: _mp4,
    Container.MATROSKA: _matroska,
}
