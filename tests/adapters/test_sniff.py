"""What passes the gate before FFmpeg: rows 5 to 7, 26 to 29 and 31 of the bad inputs, and the header reader."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.headers import HeaderFacts, peek
from adapters.sniff import HEAD_BYTES, Container, id3_bytes, require_container, sniff
from schemas.errors import AudioError

MP3_FRAME = b"\xff\xfb\x90\xc4" + bytes(413)  # MPEG-1 layer III, 128 kbit/s, 44.1 kHz, stereo
ADTS_FRAME = b"\xff\xf1\x50\x80\x0c\x9f\xfc" + bytes(93)  # AAC-LC, 44.1 kHz, stereo, 100 bytes


def id3(size: int) -> bytes:
    return b"ID3\x04\x00\x00" + bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))


def wav_header(*, channels: int = 1, rate: int = 16_000, data_bytes: int = 0, form: int = 1) -> bytes:
    fmt = struct.pack("<HHIIHH", form, channels, rate, rate * channels * 2 & 0xFFFFFFFF, channels * 2 & 0xFFFF, 16)
    return (
        b"RIFF"
        + struct.pack("<I", 36)
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + fmt
        + b"data"
        + struct.pack("<I", data_bytes)
    )


def flac_header(*, rate: int, channels: int, samples: int) -> bytes:
    packed = rate << 44 | (channels - 1) << 41 | 15 << 36 | samples
    return b"fLaC\x80\x00\x00\x22" + struct.pack(">HH", 4096, 4096) + bytes(6) + packed.to_bytes(8, "big") + bytes(16)


WELCOME = {
    "mp3 with a tag": (id3(20) + bytes(20) + MP3_FRAME * 3, Container.MP3),
    "mp3 without a tag": (MP3_FRAME * 3, Container.MP3),
    "mp3 behind zeros": (bytes(700) + MP3_FRAME * 3, Container.MP3),
    "mp3 behind debris": (b"\xff\xff\x01" * 30 + MP3_FRAME * 4, Container.MP3),
    "mp3 whose tag is longer than the head": (id3(2_000_000) + bytes(1_000), Container.MP3),
    "a single frame": (MP3_FRAME, Container.MP3),
    "aac": (ADTS_FRAME * 3, Container.AAC),
    "aac with a tag": (id3(20) + bytes(20) + ADTS_FRAME * 3, Container.AAC),
    "flac": (flac_header(rate=44_100, channels=2, samples=10), Container.FLAC),
    "flac with a tag": (id3(5) + bytes(5) + flac_header(rate=44_100, channels=2, samples=10), Container.FLAC),
    "wav": (wav_header(), Container.WAV),
    "rf64": (b"RF64\xff\xff\xff\xffWAVEds64", Container.WAV),
    "aiff": (b"FORM\x00\x00\x00\x40AIFFCOMM", Container.AIFF),
    "aiff-c": (b"FORM\x00\x00\x00\x40AIFCFVER", Container.AIFF),
    "ogg": (b"OggS\x00\x02" + bytes(30), Container.OGG),
    "mp4": (b"\x00\x00\x00\x1cftypM4A \x00\x00\x02\x00isomiso2mp41", Container.MP4),
    "old quicktime": (b"\x00\x00\x00\x08wide\x00\x01\x00\x00mdat" + bytes(40), Container.MP4),
    "webm": (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm", Container.MATROSKA),
}

UNWELCOME = {
    "text": b"Good evening. You free? Then listen to this.\n" * 50,
    "a sentence with a box name": b"You free tonight? " * 50,
    "utf-16 text": "Ein Text, der mit einer Marke anfängt. ".encode("utf-16") * 50,
    "html": b"<!doctype html><html><body><audio src='file:///etc/passwd'></audio></body></html>",
    "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n" + bytes(200),
    "elf": b"\x7fELF\x02\x01\x01" + bytes(300),
    "zip": b"PK\x03\x04\x14\x00\x00\x00\x08\x00" + b"../../etc/cron.d/x" + bytes(200),
    "tar": b"../../../root/.ssh/authorized_keys" + bytes(223) + b"ustar\x0000" + bytes(300),
    "gzip": b"\x1f\x8b\x08\x00" + bytes(200),
    "sqlite": b"SQLite format 3\x00" + bytes(200),
    "jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(300),
    "png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(200),
    "heic picture": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
    "midi": b"MThd\x00\x00\x00\x06\x00\x01\x00\x02\x01\xe0MTrk" + bytes(200),
    "midi in riff": b"RIFF\x40\x00\x00\x00RMIDdata" + bytes(200),
    "tracker module": b"Extended Module: spring" + bytes(300),
    "impulse tracker": b"IMPM" + bytes(300),
    "amiga module": bytes(1080) + b"M.K." + bytes(500),
    "ffconcat": b"ffconcat version 1.0\nfile neighbour.wav\n",
    "hls playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    "hls to metadata": b"#EXTM3U\n#EXTINF:5,\nhttp://169.254.169.254/latest/meta-data/\n",
    "dash": b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period/></MPD>',
    "smil": b'<smil><body><audio src="http://127.0.0.1/a.mp3"/></body></smil>',
    "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n",
    "rtsp": b"RTSP/1.0 200 OK\r\nContent-Base: rtsp://127.0.0.1/\r\n\r\n",
    "imf": b'<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2013"/>',
    "iamf": b"\xf8\x06iamf\x00\x00" + bytes(200),
    "iamf in mp4": b"\x00\x00\x00\x18ftypiamf\x00\x00\x00\x00isomiamf",
    "caf": b"caff\x00\x01\x00\x00desc" + bytes(200),
    "avi": b"RIFF\x40\x00\x00\x00AVI LIST" + bytes(200),
    "webp": b"RIFF\x40\x00\x00\x00WEBPVP8 " + bytes(200),
    "asf": b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(200),
    "ebml of another kind": b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84abcd" + bytes(200),
}


@pytest.mark.parametrize("case", WELCOME)
def test_the_containers_of_podcasts_are_told_by_their_content(case: str) -> None:
    head, container = WELCOME[case]

    assert sniff(head) is container


@pytest.mark.parametrize("case", UNWELCOME)
def test_what_is_no_recording_is_refused_unopened(case: str) -> None:
    with pytest.raises(AudioError) as caught:
        require_container(UNWELCOME[case], "episode.mp3")

    assert caught.value.code == "unsupported_container"
    assert "episode.mp3" in caught.value.message


@pytest.mark.parametrize("content", [b"", b"\xff", b"ab"])
def test_a_file_without_room_for_a_header_is_empty(content: bytes) -> None:
    with pytest.raises(AudioError) as caught:
        require_container(content, "episode.mp3")

    assert caught.value.code == "audio_empty"


@given(
    st.binary(max_size=600),
    st.sampled_from([b"", b"\xff\xfb", b"ID3\x04", b"\x00\x00\x00\x10ftyp", b"RIFF", b"OggS"]),
)
@settings(max_examples=200, deadline=None)
def test_sniffing_never_raises_and_never_sees_a_recording_in_printable_text(noise: bytes, start: bytes) -> None:
    printable = bytes(0x20 + byte % 0x5F for byte in noise)

    sniff(start + noise)

    assert sniff(printable) is None or printable[:4] in (b"fLaC", b"OggS", b"RIFF", b"FORM", b"RF64", b"BW64")


@given(
    st.sampled_from(sorted(WELCOME)),
    st.binary(max_size=400),
    st.integers(min_value=0, max_value=400),
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), max_size=12),
)
@settings(max_examples=300, deadline=None)
def test_peeking_at_a_damaged_header_gives_facts_or_an_audio_error(
    case: str, more: bytes, cut: int, flips: list[tuple[int, int]]
) -> None:
    content = bytearray((WELCOME[case][0][: cut or None] + more) or b"x")
    for place, value in flips:
        content[place % len(content)] = value

    try:
        facts = peek(io.BytesIO(bytes(content)), "x")
    except AudioError:
        return

    assert isinstance(facts, HeaderFacts)


def test_a_wav_header_tells_rate_channels_and_length() -> None:
    facts = peek(io.BytesIO(wav_header(channels=2, rate=8_000, data_bytes=32_000) + bytes(32_000)), "x")

    assert (facts.sample_rate, facts.channels, facts.seconds, facts.is_cut) == (8_000, 2, 1.0, False)


def test_a_wav_that_promises_more_than_it_holds_is_cut_and_as_long_as_it_is() -> None:
    facts = peek(io.BytesIO(wav_header(rate=8_000, data_bytes=32_000) + bytes(16_000)), "x")

    assert (facts.seconds, facts.is_cut) == (1.0, True)


@pytest.mark.parametrize("claimed", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_wav_that_was_streamed_without_a_length_is_not_cut(claimed: int) -> None:
    facts = peek(io.BytesIO(wav_header(rate=8_000, data_bytes=claimed) + bytes(16_000)), "x")

    assert (facts.seconds, facts.is_cut) == (1.0, False)


def test_a_flac_header_tells_its_length_for_certain() -> None:
    facts = peek(io.BytesIO(flac_header(rate=44_100, channels=6, samples=44_100 * 90_000)), "x")

    assert (facts.sample_rate, facts.channels, facts.seconds, facts.is_certain) == (44_100, 6, 90_000.0, True)


def test_an_aiff_header_tells_its_rate_from_an_80_bit_float() -> None:
    comm = struct.pack(">HIHHQ", 2, 44_100, 16, 16_383 + 15, 44_100 << 48)
    body = b"AIFFCOMM" + struct.pack(">I", 18) + comm

    facts = peek(io.BytesIO(b"FORM" + struct.pack(">I", len(body)) + body), "x")

    assert (facts.sample_rate, facts.channels, facts.seconds) == (44_100, 2, 1.0)


def test_several_tags_in_front_are_measured_together() -> None:
    tags = id3(300) + bytes(300) + id3(90_000) + bytes(90_000)

    facts = peek(io.BytesIO(tags + MP3_FRAME * 5), "x")

    assert facts.leading_tag_bytes == len(tags) > HEAD_BYTES
    assert facts.sample_rate == 44_100


def test_a_tag_with_a_size_that_is_no_size_is_no_tag() -> None:
    assert id3_bytes(b"ID3\x04\x00\x00\xff\xff\xff\xff" + bytes(20)) == 0


@pytest.mark.parametrize("ending", [b"", b"TAG" + bytes(125), b"some debris that is no frame"])
def test_an_mp3_without_a_length_header_is_whole_when_its_last_frame_is(ending: bytes) -> None:
    assert not peek(io.BytesIO(MP3_FRAME * 50 + ending), "x").is_cut


@pytest.mark.parametrize("frame", [MP3_FRAME, ADTS_FRAME])
@pytest.mark.parametrize("left", [5, 50, 99])
def test_a_stream_that_stops_inside_a_frame_is_cut(frame: bytes, left: int) -> None:
    assert peek(io.BytesIO(frame * 50 + frame[:left]), "x").is_cut


def ogg_page(flags: int, content: bytes) -> bytes:
    return b"OggS\x00" + bytes([flags]) + bytes(20) + bytes([1, len(content)]) + content


@pytest.mark.parametrize(
    ("pages", "is_cut"),
    [
        (ogg_page(2, bytes(50)) + ogg_page(4, bytes(50)), False),
        (ogg_page(2, bytes(50)) + ogg_page(0, bytes(50)), True),
        ((ogg_page(2, bytes(50)) + ogg_page(4, bytes(50)))[:-1], True),
        ((ogg_page(2, bytes(50)) + ogg_page(4, bytes(50)))[:-60], True),
    ],
)
def test_an_ogg_is_whole_when_its_last_page_is_there_and_says_so(pages: bytes, is_cut: bool) -> None:
    assert peek(io.BytesIO(pages), "x").is_cut is is_cut


def test_a_file_of_nothing_but_boxes_is_given_up_on() -> None:
    box = struct.pack(">I", 8) + b"free"
    moov = struct.pack(">I", 8 + 8 * 400_000) + b"moov" + box * 400_000
    reads = 0

    class Counted(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            nonlocal reads
            reads += 1
            return super().read(size)

    peek(Counted(b"\x00\x00\x00\x10ftypM4A \x00\x00\x00\x00" + moov), "x")

    assert reads < 150_000
