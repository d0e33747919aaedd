"""What a file *is*, by its first bytes: the gate before anything that could run it.

FFmpeg probes content against some 300 formats; playlists, `ffconcat` scripts and SDP texts among them open other
files and sockets. Only the eight containers below pass this gate, and the decoder is told which one it is, so
that it never probes by itself. Names and extensions are not looked at.

Standard library only: the API uses it at upload, in an image without any audio library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from schemas.errors import AudioError

#: How much of the start `sniff` wants to see. Real files show what they are in far less; the rest is for an
#: MP3 whose first frame lies behind a tag.
HEAD_BYTES = 65_536

#: The shortest magic number of the list below is two bytes and needs a header of four around it.
_SMALLEST = 4

#: An MP3 may have this much padding or debris between its tag and its first frame. Our choice: twice the
#: largest frame (1,441 bytes, 320 kbit/s at 32 kHz), rounded up.
_MP3_DEBRIS = 4_096


class Container(StrEnum):
    """A container that Stenocast reads. The value is the word in documents and messages."""

    MP3 = "mp3"  #: MPEG audio layer II or III, with or without ID3 tags
    MP4 = "mp4"  #: ISO base media: mp4, m4a, m4b, mov, 3gp
    OGG = "ogg"  #: Vorbis, Opus, Speex or FLAC in Ogg
    FLAC = "flac"
    WAV = "wav"  #: RIFF, RF64 and BW64
    AAC = "aac"  #: a bare ADTS stream
    MATROSKA = "matroska"  #: and WebM
    AIFF = "aiff"  #: and AIFF-C


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """One frame of an MPEG audio or ADTS stream."""

    container: Container
    size_bytes: int  #: of the frame, header included
    sample_rate: int
    samples: int  #: per channel
    channels: int
    identity: tuple[int, ...]  #: what stays the same from frame to frame of one stream
    version: int = 0  #: MPEG audio only: 3 = MPEG-1, 2 = MPEG-2, 0 = MPEG-2.5


_ReadHeader = Callable[[bytes, int], FrameHeader | None]


def require_container(head: bytes, name: str) -> Container:
    """What the content is; `name` is for the message. Raises AudioError `audio_empty` or `unsupported_container`."""
    if len(head) < _SMALLEST:
        raise AudioError(f"{name}: the file is empty ({len(head)} bytes)", code="audio_empty")
    container = sniff(head)
    if container is None:
        raise AudioError(
            f"{name}: the content is none of {', '.join(Container)}", code="unsupported_container", field="audio"
        )
    return container


def sniff(head: bytes) -> Container | None:
    """Tell the container from the first bytes of a file (`HEAD_BYTES` of them, or all of a shorter file).

    None for everything else: text, playlists, pages, pictures, archives, programs, MIDI, and media containers
    outside the list. Never raises.
    """
    tag = id3_bytes(head)
    if tag and tag >= len(head):
        # The first frame lies beyond what was given. Nothing but MPEG audio starts with so much ID3.
        return Container.MP3
    body = head[tag:]
    for recognise in (_by_magic, _as_mp4, _as_matroska, _as_adts):
        found = recognise(body)
        if found:
            return found
    return Container.MP3 if first_mpeg_frame(body) is not None else None


def id3_bytes(head: bytes) -> int:
    """The length of the ID3v2 tags at the start, 0 without one. It may go beyond `head`."""
    offset = 0
    while head[offset : offset + 3] == b"ID3" and len(head) >= offset + 10:
        version, flags, size = head[offset + 3], head[offset + 5], head[offset + 6 : offset + 10]
        if version == 0xFF or any(byte & 0x80 for byte in size):
            break
        footer = 10 if flags & 0x10 else 0
        offset += 10 + (size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3]) + footer
    return offset


def _by_magic(head: bytes) -> Container | None:
    first, kind = head[:4], head[8:12]
    if first == b"OggS" and head[4:5] == b"\x00":
        return Container.OGG
    if first == b"fLaC":
        return Container.FLAC
    if first in (b"RIFF", b"RF64", b"BW64") and kind == b"WAVE":
        return Container.WAV
    if first == b"FORM" and kind in (b"AIFF", b"AIFC"):
        return Container.AIFF
    return None


#: Brands of still pictures and of IAMF: the same boxes as MP4, but nothing that a podcast comes in.
_FOREIGN_BRANDS = frozenset(
    {b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis", b"jxl ", b"crx ", b"iamf"}
)


def _as_mp4(head: bytes) -> Container | None:
    size, kind = int.from_bytes(head[:4], "big"), head[4:8]
    if kind == b"ftyp":
        return None if head[8:12] in _FOREIGN_BRANDS or not 16 <= size <= 4_096 else Container.MP4
    if kind in (b"moov", b"mdat") and (size >= 8 or size in (0, 1)):
        return Container.MP4
    if kind in (b"wide", b"free", b"skip") and 8 <= size <= 0xFFFFFF:
        # Old QuickTime starts with padding; any English sentence can have "free" in this place.
        return Container.MP4 if head[size + 4 : size + 8] in (b"moov", b"mdat", b"ftyp") else None
    return None


def _as_matroska(head: bytes) -> Container | None:
    if head[:4] != b"\x1a\x45\xdf\xa3":
        return None
    # The document type stands in the EBML header, which is under 100 bytes in every file seen.
    return Container.MATROSKA if b"matroska" in head[:256] or b"webm" in head[:256] else None


def _as_adts(head: bytes) -> Container | None:
    return Container.AAC if _starts_chain(head, 0, adts_header, enough=2) else None


def mpeg_header(data: bytes, at: int = 0) -> FrameHeader | None:
    """Read an MPEG audio frame header (ISO/IEC 11172-3 2.4.1.3, layers II and III), None where there is none.

    Layer I is left out: a UTF-16 text starts with its sync word, and no podcast uses it. Free-format frames
    (bitrate index 0) too: their size is not in the header.
    """
    if len(data) < at + 4 or data[at] != 0xFF or data[at + 1] & 0xE0 != 0xE0:
        return None
    version, layer = data[at + 1] >> 3 & 3, data[at + 1] >> 1 & 3
    rate_index, bit_index = data[at + 2] >> 2 & 3, data[at + 2] >> 4
    if version == 1 or layer not in (1, 2) or rate_index == 3 or bit_index in (0, 15):
        return None
    sample_rate = (44_100, 48_000, 32_000)[rate_index] >> {3: 0, 2: 1, 0: 2}[version]
    samples = 576 if layer == 1 and version != 3 else 1_152
    kilobits = _KILOBITS[version == 3, layer][bit_index]
    size = samples // 8 * kilobits * 1_000 // sample_rate + (data[at + 2] >> 1 & 1)
    channels = 1 if data[at + 3] >> 6 == 3 else 2
    return FrameHeader(
        Container.MP3, size, sample_rate, samples, channels, identity=(version, layer, rate_index), version=version
    )


#: kbit/s by (MPEG-1?, layer bits) and bitrate index: layer bits 1 = III, 2 = II.
_KILOBITS: dict[tuple[bool, int], tuple[int, ...]] = {
    (True, 1): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (False, 1): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}

_ADTS_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)


def adts_header(data: bytes, at: int = 0) -> FrameHeader | None:
    """Read an ADTS frame header (ISO/IEC 14496-3 1.A.3.2), None where there is none."""
    if len(data) < at + 7 or data[at] != 0xFF or data[at + 1] & 0xF6 != 0xF0:
        return None
    rate_index = data[at + 2] >> 2 & 15
    size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
    if rate_index >= len(_ADTS_RATES) or size < 8:
        return None
    channels = (data[at + 2] & 1) << 2 | data[at + 3] >> 6
    samples = 1_024 * ((data[at + 6] & 3) + 1)
    identity = (data[at + 1] & 8, data[at + 2] >> 6, rate_index, channels)
    return FrameHeader(
        Container.AAC, size, _ADTS_RATES[rate_index], samples, 8 if channels == 7 else channels, identity
    )


def first_mpeg_frame(body: bytes) -> int | None:
    """Where the first MPEG audio frame of `body` starts, behind zeros or a little debris; None without one."""
    start = len(body) - len(body.lstrip(b"\x00"))
    if _starts_chain(body, start, mpeg_header, enough=2):
        return start
    offset = body.find(b"\xff", start)
    while 0 <= offset <= start + _MP3_DEBRIS:
        if _starts_chain(body, offset, mpeg_header, enough=3):
            return offset
        offset = body.find(b"\xff", offset + 1)
    return None


def frames(data: bytes, start: int, container: Container) -> Iterator[tuple[int, FrameHeader]]:
    """The chain of frames from `start`: offset and header of each, until the next is none of the same stream."""
    read = adts_header if container is Container.AAC else mpeg_header
    header = read(data, start)
    identity = header.identity if header else ()
    while header is not None and header.identity == identity:
        yield start, header
        start += header.size_bytes
        header = read(data, start)


def _starts_chain(data: bytes, start: int, read: _ReadHeader, *, enough: int) -> bool:
    """Whether `enough` frames of one stream follow one another from `start`, or all that `data` has room for.

    Random bytes look like a header once in 4,000 places and like the next frame of the same stream once in
    131,072, so two in a fixed place or three in a searched one are no accident. More are not asked for, so that
    a damaged recording still passes.
    """
    count = 0
    header = read(data, start)
    identity = header.identity if header else ()
    while header is not None and header.identity == identity:
        count += 1
        start += header.size_bytes
        if count == enough or (start > len(data) - 7 and (count > 1 or enough == 2)):
            return True
        header = read(data, start)
    return False
