"""Sound in: every row of the bad inputs that meets the decoder, and the faults of its child process."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import io
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from adapters import decoder_child
from adapters.audio import ConfinedDecoder, is_truncated
from adapters.headers import HeaderFacts
from adapters.sniff import Container, first_mpeg_frame, id3_bytes
from schemas.errors import AUDIO_CODES, AudioError, CrashError, InputError, NotFound, NotReady, StenocastError
from schemas.transcript import Warning
from transcription.ports import SAMPLE_RATE, Decoded, Report

ROOT = Path(__file__).resolve().parents[2]


# ---------------------------------------------------------------- making files


def tone(seconds: float, rate: int, hertz: float = 440.0) -> np.ndarray:
    """A sine at 0.3 of full scale, float64."""
    return 0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def wav(samples: np.ndarray, rate: int, *, form: int = 1) -> bytes:
    """A WAV of an (n, channels) array: int16 as form 1, float32 as form 3."""
    data, (_, channels), width = samples.tobytes(), samples.shape, samples.dtype.itemsize
    return wav_header(form=form, channels=channels, rate=rate, width=width, data_bytes=len(data)) + data


def wav_header(*, form: int = 1, channels: int = 1, rate: int = 16_000, width: int = 2, data_bytes: int) -> bytes:
    block = channels * width
    fmt = struct.pack("<HHIIHH", form, channels, rate, rate * block & 0xFFFFFFFF, block & 0xFFFF, width * 8)
    sizes = struct.pack("<I", 36 + data_bytes & 0xFFFFFFFF), struct.pack("<I", data_bytes)
    return b"RIFF" + sizes[0] + b"WAVEfmt " + struct.pack("<I", 16) + fmt + b"data" + sizes[1]


def int16(samples: np.ndarray) -> np.ndarray:
    return (samples * 32_767).astype("<i2")


def spoken_wav(seconds: float = 1.0, rate: int = 16_000, channels: int = 1) -> bytes:
    return wav(np.repeat(int16(tone(seconds, rate))[:, None], channels, axis=1), rate)


@cache
def encoded(kind: str, seconds: float = 2.0, rate: int = 48_000, layout: str = "stereo") -> bytes:
    """A recording made by PyAV: a tone in one of the `KINDS`, with a few tags."""
    container, codec, options = PROTECTED.get(kind) or KINDS[kind]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made"
        with av.open(str(path), "w", format=container, options=options) as made:
            made.metadata.update({"title": "Wind über dem Watt", "album": "Tide Talk", "date": "2026-03-14"})
            stream = made.add_stream(codec, rate=rate, layout=layout, options={"strict": "experimental"})
            for frame in frames(tone(seconds, rate), rate, layout, stream.codec_context):
                made.mux(stream.encode(frame))
            made.mux(stream.encode(None))
        return path.read_bytes()


KINDS: dict[str, tuple[str, str, dict[str, str]]] = {
    "mp3": ("mp3", "libmp3lame", {}),
    "mp3 without a length header": ("mp3", "libmp3lame", {"write_xing": "0"}),
    "m4a": ("mp4", "aac", {}),
    "m4a with its index first": ("mp4", "aac", {"movflags": "faststart"}),
    "m4a in fragments": ("mp4", "aac", {"movflags": "frag_keyframe+empty_moov+default_base_moof"}),
    "alac in mov": ("mov", "alac", {}),
    "ogg vorbis": ("ogg", "vorbis", {}),
    "ogg opus": ("ogg", "libopus", {}),
    "flac": ("flac", "flac", {}),
    "wav": ("wav", "pcm_s16le", {}),
    "float wav": ("wav", "pcm_f32le", {}),
    "aac": ("adts", "aac", {}),
    "webm": ("webm", "libopus", {}),
    "flac in matroska": ("matroska", "flac", {}),
    "aiff": ("aiff", "pcm_s16be", {}),
}


_KEY = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": "0" * 32, "encryption_kid": "1" * 32}
PROTECTED: dict[str, tuple[str, str, dict[str, str]]] = {"common encryption": ("mp4", "aac", _KEY)}


def frames(samples: np.ndarray, rate: int, layout: str, codec: Any) -> Iterator[av.AudioFrame]:
    channels = {"mono": 1, "stereo": 2}[layout]
    packed = np.repeat(int16(samples)[:, None], channels, axis=1).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(packed, format="s16", layout=layout)
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    resampler = av.AudioResampler(codec.format.name, layout, rate, frame_size=codec.frame_size or 1_024)
    yield from (*resampler.resample(frame), *resampler.resample(None))


def with_video(audio: bool) -> bytes:
    """An MP4 with ten pictures, and with a second of sound or without."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made"
        with av.open(str(path), "w", format="mp4") as made:
            video = made.add_stream("mpeg4", rate=10)
            video.width, video.height, video.pix_fmt = 32, 32, "yuv420p"
            sound = made.add_stream("aac", rate=48_000, layout="stereo") if audio else None
            for _ in range(10):
                made.mux(video.encode(av.VideoFrame(32, 32, "yuv420p")))
            made.mux(video.encode(None))
            if sound is not None:
                for frame in frames(tone(1.0, 48_000), 48_000, "stereo", sound.codec_context):
                    made.mux(sound.encode(frame))
                made.mux(sound.encode(None))
        return path.read_bytes()


def id3(content: bytes) -> bytes:
    return id3_head(len(content)) + content


def id3_head(size: int) -> bytes:
    return b"ID3\x03\x00\x00" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


def id3_frame(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack(">I", len(content)) + b"\x00\x00" + content


# ---------------------------------------------------------------- decoding them


class HereDecoder(ConfinedDecoder):
    """The decoder without its process: everything else is the same code. For what the process does not change."""

    def _run(self, file: Any, samples: int, facts: HeaderFacts, name: str, tell: Report) -> dict[str, Any]:
        from adapters.audio import _error, _stepped_over

        try:
            with open(samples, "wb", buffering=0, closefd=False) as out:
                outcome = decoder_child.decode(
                    file,
                    out,
                    container=facts.container.value,
                    max_seconds=self.max_seconds,
                    skip_bytes=_stepped_over(facts),
                    tell=tell,
                )
        except decoder_child.BadAudio as error:
            raise _error({"code": error.code, "message": error.message}, name) from error
        return dict(json.loads(json.dumps(dataclasses.asdict(outcome))))


def hear(
    content: bytes, folder: Path, *, name: str = "episode.mp3", decoder: ConfinedDecoder | None = None
) -> Decoded:
    source = folder / name
    source.write_bytes(content)
    return (decoder or HereDecoder()).decode(source, folder / "scratch")


def refused(
    content: bytes, folder: Path, *, name: str = "episode.mp3", decoder: ConfinedDecoder | None = None
) -> str:
    """The code of the AudioError; the scratch folder must be empty and the sentence must name the file."""
    with pytest.raises(AudioError) as caught:
        hear(content, folder, name=name, decoder=decoder)
    assert not list_scratch(folder)
    assert caught.value.code in AUDIO_CODES
    assert name in caught.value.message
    return caught.value.code


def seconds_or_code(content: bytes, folder: Path) -> float | str:
    """What is allowed to go either way: the length of the result, or the code of a clear refusal."""
    try:
        return hear(content, folder).waveform.seconds
    except AudioError as error:
        return error.code


def list_scratch(folder: Path) -> list[Path]:
    scratch = folder / "scratch"
    return list(scratch.iterdir()) if scratch.exists() else []


def sound(decoded: Decoded) -> np.ndarray:
    return np.fromfile(decoded.waveform.path, dtype="<i2").astype(np.float64) / 32_768


def pitch(samples: np.ndarray) -> float:
    """The strongest frequency in Hz."""
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * SAMPLE_RATE / len(samples))


NO_CHILD = ConfinedDecoder(child_program=Path("/nonexistent/child.py"))  #: proves that no FFmpeg was needed


# ---------------------------------------------------------------- what podcasts come in


@pytest.mark.parametrize("kind", KINDS)
def test_every_container_of_podcasts_is_decoded_whole_with_its_pitch(kind: str, tmp_path: Path) -> None:
    decoded = hear(encoded(kind), tmp_path)

    assert decoded.waveform.seconds == pytest.approx(2.0, abs=0.05)
    assert decoded.waveform.path.stat().st_size == decoded.waveform.sample_count * 2
    assert pitch(sound(decoded)) == pytest.approx(440, abs=2)
    assert np.sqrt(np.mean(sound(decoded)[4_000:-4_000] ** 2)) == pytest.approx(0.3 / np.sqrt(2), rel=0.1)
    assert not decoded.truncated
    assert decoded.warnings == ()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("aac", "aiff")])
def test_title_show_and_date_come_from_the_files_own_tags(kind: str, tmp_path: Path) -> None:
    tags = hear(encoded(kind), tmp_path).tags

    assert (tags.title, tags.show, tags.published) == ("Wind über dem Watt", "Tide Talk", "2026-03-14")


@pytest.mark.processes
def test_the_confined_child_writes_what_the_same_code_writes_here(tmp_path: Path) -> None:
    content, heard = encoded("mp3"), []
    (tmp_path / "episode.mp3").write_bytes(content)

    confined = ConfinedDecoder().decode(tmp_path / "episode.mp3", tmp_path / "confined", report=heard.append)

    assert confined.waveform.path.read_bytes() == hear(content, tmp_path).waveform.path.read_bytes()
    assert confined.tags.title == "Wind über dem Watt"
    assert confined.container == Container.MP3
    assert heard == sorted(heard)


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("jfk.flac", 11.0), ("multilingual.mp3", 59.9), ("stereo.wav", 5.0), ("meeting-dev00.wav", 30.0)],
)
def test_real_recordings_have_their_length(shared: Path, tmp_path: Path, name: str, seconds: float) -> None:
    decoded = HereDecoder().decode(shared / "audio" / name, tmp_path)

    assert decoded.waveform.seconds == pytest.approx(seconds, abs=0.1)
    assert not decoded.truncated


def test_a_mono_recording_at_16_khz_is_kept_sample_for_sample(tmp_path: Path) -> None:
    samples = np.random.default_rng(3).integers(-32_768, 32_768, size=20_000, dtype=np.int16)

    decoded = hear(wav(samples[:, None], SAMPLE_RATE), tmp_path)

    assert np.array_equal(np.fromfile(decoded.waveform.path, dtype="<i2"), samples)


@pytest.mark.parametrize("channels", range(1, 9))
def test_a_speaker_on_any_one_channel_is_heard_and_nothing_clips(channels: int, tmp_path: Path) -> None:
    for speaker in range(channels):
        samples = np.zeros((SAMPLE_RATE, channels))
        samples[:, speaker] = tone(1.0, SAMPLE_RATE) / 0.3

        heard = sound(hear(wav(int16(samples), SAMPLE_RATE), tmp_path))

        assert np.abs(heard).max() == pytest.approx(1 / channels, rel=0.02)

    everybody = np.repeat(tone(1.0, SAMPLE_RATE)[:, None] / 0.3, channels, axis=1)
    assert np.abs(sound(hear(wav(int16(everybody), SAMPLE_RATE), tmp_path))).max() == pytest.approx(1.0, rel=0.02)


def test_the_hash_is_that_of_the_source_and_a_repeat_writes_the_same_samples(tmp_path: Path) -> None:
    import hashlib

    content = encoded("ogg opus")

    first, second = hear(content, tmp_path), hear(content, tmp_path)

    assert first.waveform.sha256 == hashlib.sha256(content).hexdigest()
    assert first.waveform.path != second.waveform.path
    assert first.waveform.path.read_bytes() == second.waveform.path.read_bytes()


# ---------------------------------------------------------------- rows 1 to 11


@pytest.mark.parametrize("content", [b"", b"\xff", spoken_wav(0.0)])
def test_rows_1_to_3_a_file_without_sound_is_empty(content: bytes, tmp_path: Path) -> None:
    assert refused(content, tmp_path) == "audio_empty"


@pytest.mark.parametrize(("milliseconds", "is_enough"), [(50, False), (99, False), (100, True)])
def test_row_4_a_tenth_of_a_second_is_the_least(milliseconds: int, is_enough: bool, tmp_path: Path) -> None:
    content = spoken_wav(milliseconds / 1_000)

    if is_enough:
        assert hear(content, tmp_path).waveform.sample_count == 1_600
    else:
        assert refused(content, tmp_path) == "audio_too_short"


def test_rows_5_to_7_what_is_no_recording_never_reaches_the_decoder(tmp_path: Path) -> None:
    for content in (
        b"Just a text.\n" * 40,
        b"%PDF-1.7\n",
        b"PK\x03\x04" + bytes(90),
        b"MThd\x00\x00\x00\x06" + bytes(90),
    ):
        assert refused(content, tmp_path, decoder=NO_CHILD) == "unsupported_container"


def test_row_8_a_silent_film_has_no_audio_stream(tmp_path: Path) -> None:
    assert refused(with_video(audio=False), tmp_path) == "no_audio_stream"


def test_row_9_the_sound_of_a_film_is_decoded(tmp_path: Path) -> None:
    assert hear(with_video(audio=True), tmp_path).waveform.seconds == pytest.approx(1.0, abs=0.05)


def test_row_9_no_decoder_that_may_run_decodes_pictures() -> None:
    known = [name for name in decoder_child.DECODERS.split(",") if name in av.codecs_available]

    assert len(known) > 30
    assert {av.Codec(name, "r").type for name in known} == {"audio"}


@pytest.mark.parametrize("entry", [b"drms", b"enca", b"aavd"])
def test_row_10_a_protected_mp4_is_called_encrypted_before_any_decoder(entry: bytes, tmp_path: Path) -> None:
    content = encoded("m4a").replace(b"mp4a", entry, 1)

    assert refused(content, tmp_path, decoder=NO_CHILD) == "audio_encrypted"


def test_row_10_a_common_encryption_file_and_an_audible_book_are_encrypted(tmp_path: Path) -> None:
    audible = b"\x00\x00\x00\x18ftypaax \x00\x00\x00\x01aax isom" + bytes(400)

    assert refused(encoded("common encryption"), tmp_path, decoder=NO_CHILD) == "audio_encrypted"
    assert refused(audible, tmp_path, decoder=NO_CHILD) == "audio_encrypted"


@pytest.mark.parametrize(
    ("kind", "kept"), [("mp3", 230), ("flac", 30), ("m4a", 2_000), ("ogg opus", 40), ("webm", 120)]
)
def test_row_11_a_file_cut_in_its_first_frame_is_unreadable(kind: str, kept: int, tmp_path: Path) -> None:
    content = encoded(kind)
    start = id3_bytes(content)

    assert refused(content[: start + kept], tmp_path) == "audio_unreadable"


# ---------------------------------------------------------------- rows 12 and 13: damage


@pytest.mark.parametrize(
    "kind",
    [
        "mp3",
        "mp3 without a length header",
        "m4a with its index first",
        "m4a in fragments",
        "ogg vorbis",
        "ogg opus",
        "flac",
        "wav",
        "aac",
        "webm",
        "aiff",
    ],
)
def test_row_12_a_file_cut_in_half_is_decoded_and_marked_truncated(kind: str, tmp_path: Path) -> None:
    content = encoded(kind, seconds=6.0)

    decoded = hear(content[: len(content) // 2], tmp_path)

    assert decoded.truncated
    assert 1.8 < decoded.waveform.seconds < 4.0
    assert "audio_damaged" not in {warning.code for warning in decoded.warnings}


def test_row_12_an_mp4_cut_before_its_index_says_so(tmp_path: Path) -> None:
    content = encoded("m4a")

    with pytest.raises(AudioError, match="breaks off before its end") as caught:
        hear(content[: len(content) // 2], tmp_path)

    assert caught.value.code == "audio_unreadable"


@pytest.mark.parametrize("kind", ["mp3", "flac", "wav", "aac", "ogg opus", "webm"])
def test_row_13_ten_percent_of_random_bytes_give_a_result_or_a_clear_refusal(kind: str, tmp_path: Path) -> None:
    content, dice = bytearray(encoded(kind)), random.Random(13)
    for place in dice.sample(range(200, len(content)), len(content) // 10):
        content[place] = dice.randrange(256)

    told = seconds_or_code(bytes(content), tmp_path)

    if isinstance(told, float):
        assert 0.1 <= told < 3.0
    else:
        assert told in ("audio_unreadable", "unsupported_container", "audio_empty")


BATCH = """
import io, json, pathlib, sys
sys.path.insert(0, sys.argv[1])
from adapters import decoder_child
from adapters.headers import peek
from schemas.errors import AudioError
for path in sorted(pathlib.Path(sys.argv[2]).iterdir()):
    content, out = path.read_bytes(), io.BytesIO()
    try:
        container = peek(io.BytesIO(content), path.name).container
        told = decoder_child.decode(io.BytesIO(content), out, container=container, max_seconds=30.0).sample_count
        assert told * 2 == len(out.getvalue())
    except (AudioError, decoder_child.BadAudio) as error:
        told = error.code
    except MemoryError:
        told = "decode_memory"
    print(json.dumps([path.name, told]), flush=True)
"""


@pytest.mark.processes
def test_row_13_mutated_files_of_every_container_never_crash_the_decoder(tmp_path: Path) -> None:
    dice = random.Random(2026)
    for index in range(150):
        kind = sorted(KINDS)[index % len(KINDS)]
        content = bytearray(encoded(kind))
        for _ in range(dice.choice((1, 4, 16, 64))):
            # Half of the damage goes to the headers, where the interesting parsers are.
            reach = min(len(content), 600) if dice.random() < 0.5 else len(content)
            content[dice.randrange(reach)] = dice.choice((0, 0xFF, dice.randrange(256)))
        (tmp_path / f"{index:03}").write_bytes(content[: dice.choice((len(content), dice.randrange(len(content))))])

    run = subprocess.run(
        [sys.executable, "-c", BATCH, str(ROOT), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    told = [json.loads(line) for line in run.stdout.splitlines()]
    assert (run.returncode, len(told)) == (0, 150), run.stderr[-2_000:]
    assert {result for _, result in told if isinstance(result, str)} <= set(AUDIO_CODES)
    assert sum(isinstance(result, int) and result > 0 for _, result in told) > 40


# ---------------------------------------------------------------- rows 14 to 19: claims


def flac_bomb(hours: float) -> bytes:
    content = bytearray(encoded("flac"))
    packed = int.from_bytes(content[18:26], "big") & ~0xF_FFFF_FFFF | int(hours * 3_600 * 48_000)
    content[18:26] = packed.to_bytes(8, "big")
    return bytes(content)


def test_row_14_a_flac_that_says_it_is_a_day_long_is_refused_without_decoding(tmp_path: Path) -> None:
    assert refused(flac_bomb(24), tmp_path, decoder=NO_CHILD) == "audio_too_long"


@pytest.mark.parametrize("kind", ["mp3 without a length header", "ogg opus", "webm"])
def test_row_14_sound_beyond_the_budget_stops_the_decoder_where_no_header_tells(kind: str, tmp_path: Path) -> None:
    assert refused(encoded(kind), tmp_path, decoder=HereDecoder(max_seconds=1.0)) == "audio_too_long"


@pytest.mark.parametrize("rate", [0, 1, 3_999, 384_001, 2**32 - 1])
def test_rows_15_and_16_an_impossible_sample_rate_is_named(rate: int, tmp_path: Path) -> None:
    content = wav_header(rate=rate, width=1, data_bytes=1_000_000) + bytes(1_000_000)

    assert refused(content, tmp_path, decoder=NO_CHILD) == "bad_sample_rate"


@pytest.mark.parametrize("channels", [0, 9, 255])
def test_row_17_an_impossible_channel_count_is_named(channels: int, tmp_path: Path) -> None:
    content = wav_header(channels=channels, data_bytes=4_000) + bytes(4_000)

    assert refused(content, tmp_path, decoder=NO_CHILD) == "bad_channel_count"


def test_rows_15_and_17_hold_for_what_only_the_decoder_sees() -> None:
    for rate, channels, code in (
        (3_999, 1, "bad_sample_rate"),
        (400_000, 1, "bad_sample_rate"),
        (8_000, 9, "bad_channel_count"),
    ):
        with pytest.raises(decoder_child.BadAudio) as caught:
            decoder_child.check_format(rate, channels)
        assert caught.value.code == code


def test_row_18_a_wav_that_claims_four_gigabytes_is_as_long_as_what_it_holds(tmp_path: Path) -> None:
    content = wav_header(data_bytes=4_000_000_000) + bytes(1_000)

    assert refused(content, tmp_path) == "audio_too_short"


def with_claim(frames_claimed: int) -> bytes:
    """An MP3 of two seconds whose Xing header claims another number of frames."""
    content = bytearray(encoded("mp3"))
    place = content.index(b"Xing" if b"Xing" in content[:2_000] else b"Info")
    content[place + 8 : place + 12] = struct.pack(">I", frames_claimed)
    return bytes(content)


def test_row_19_an_mp3_header_that_claims_too_little_is_counted_not_trusted(tmp_path: Path) -> None:
    decoded = hear(with_claim(20), tmp_path)

    assert decoded.waveform.seconds == pytest.approx(2.0, abs=0.05)
    assert not decoded.truncated


def test_row_19_an_mp3_header_that_claims_too_much_shows_as_truncated(tmp_path: Path) -> None:
    decoded = hear(with_claim(450_000), tmp_path)

    assert decoded.waveform.seconds == pytest.approx(2.0, abs=0.05)
    assert decoded.truncated


def test_only_a_clear_lack_of_sound_counts_as_truncated() -> None:
    hour = HeaderFacts(Container.MP3, seconds=3_600.0)

    assert not is_truncated(hour, 3_599.0)
    assert is_truncated(hour, 3_590.0)
    assert not is_truncated(HeaderFacts(Container.MP3), 1.0)


# ---------------------------------------------------------------- rows 20 to 24 and 45: contents


@pytest.mark.processes
def test_row_20_a_cover_of_a_quarter_gigabyte_is_stepped_over_in_little_memory(tmp_path: Path) -> None:
    size = 2**28 - 1  # the largest that ID3 can say
    source = tmp_path / "episode.mp3"
    with source.open("wb") as file:
        file.write(id3_head(size) + b"APIC" + struct.pack(">I", size - 10) + bytes(2))
        file.seek(10 + size)
        file.write(encoded("mp3")[id3_bytes(encoded("mp3")) :])

    decoded = ConfinedDecoder(memory_bytes=250_000_000).decode(source, tmp_path / "scratch")

    assert decoded.waveform.seconds == pytest.approx(2.0, abs=0.05)
    assert [warning.code for warning in decoded.warnings] == ["tags_dropped"]


def test_row_20_a_thousand_tag_frames_are_dropped_and_the_sound_is_kept(tmp_path: Path) -> None:
    flood = b"".join(id3_frame(b"TXXX", b"\x00key%d\x00value" % index) for index in range(1_000))

    decoded = hear(id3(id3_frame(b"TIT2", b"\x00Title") + flood) + encoded("mp3")[45:], tmp_path)

    assert decoded.waveform.seconds == pytest.approx(2.0, abs=0.05)
    assert decoded.tags.title is None
    assert [warning.code for warning in decoded.warnings] == ["tags_dropped"]


def test_row_20_ten_megabytes_of_lyrics_do_not_hide_the_title(tmp_path: Path) -> None:
    lyrics = id3_frame(b"USLT", b"\x00eng\x00" + b"la " * 3_500_000)

    decoded = hear(id3(id3_frame(b"TIT2", b"\x00" + b"A" * 5_000) + lyrics) + encoded("mp3")[45:], tmp_path)

    assert decoded.tags.title == "A" * 1_000


def test_row_21_of_64_audio_streams_the_first_is_used_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "made"
    with av.open(str(path), "w", format="matroska") as made:
        streams = [made.add_stream("pcm_s16le", rate=16_000, layout="mono") for _ in range(64)]
        for index, stream in enumerate(streams):
            for frame in frames(tone(1.0, 16_000, 300 + 20 * index), 16_000, "mono", stream.codec_context):
                made.mux(stream.encode(frame))

    decoded = hear(path.read_bytes(), tmp_path)

    assert pitch(sound(decoded)) == pytest.approx(300, abs=2)
    assert [warning.code for warning in decoded.warnings] == ["audio_streams_ignored"]
    assert "64" in decoded.warnings[0].message


def chaptered(folder: Path, chapters: list[tuple[str, int, int]], kind: str = "matroska") -> bytes:
    """A recording of two seconds with chapters in milliseconds."""
    path = folder / "chaptered"
    with av.open(str(path), "w", format=kind) as made:
        stream = made.add_stream("pcm_s16le" if kind == "matroska" else "aac", rate=16_000, layout="mono")
        made.set_chapters(
            [
                {
                    "id": index,
                    "start": start,
                    "end": end,
                    "time_base": Fraction(1, 1_000),
                    "metadata": {"title": title},
                }
                for index, (title, start, end) in enumerate(chapters)
            ]
        )
        for frame in frames(tone(2.0, 16_000), 16_000, "mono", stream.codec_context):
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return path.read_bytes()


@pytest.mark.parametrize("kind", ["matroska", "mp4"])
def test_chapters_come_with_their_titles_and_times(kind: str, tmp_path: Path) -> None:
    content = chaptered(tmp_path, [("Opening", 0, 800), ("Ebb\tand flow", 800, 2_000)], kind)

    chapters = hear(content, tmp_path).tags.chapters

    assert [(each.title, each.start) for each in chapters] == [("Opening", 0.0), ("Ebb and flow", 0.8)]
    assert chapters[0].end == 0.8


def test_row_21_ten_thousand_chapters_are_capped_at_500_with_a_warning(tmp_path: Path) -> None:
    content = chaptered(tmp_path, [("x" * 2_000, index // 10, index // 10 + 1) for index in range(10_000)])

    decoded = hear(content, tmp_path)

    assert len(decoded.tags.chapters) == 500
    assert {len(each.title) for each in decoded.tags.chapters} == {1_000}
    assert [warning.code for warning in decoded.warnings] == ["chapters_dropped"]


def test_row_21_chapters_outside_the_recording_are_dropped() -> None:
    unit, huge = Fraction(1, 1_000), 2**62
    times = [(-5, 10, unit), (huge, huge + 1, unit), (100, 50, unit), (0, huge, unit), (0, 1, None)]
    chapters = [{"start": start, "end": end, "time_base": base, "metadata": {}} for start, end, base in times]

    kept, dropped = decoder_child.read_chapters(chapters, 2.0)

    assert kept == (("Chapter 4", 0.0, 2.0), ("Chapter 3", 0.1, None))
    assert dropped == 3


@pytest.mark.parametrize("stamp", [2**62, 2**63 - 1, 0, 2**64 - 5])
def test_row_22_wild_time_stamps_do_not_stretch_the_recording(stamp: int, tmp_path: Path) -> None:
    content = bytearray(encoded("m4a in fragments"))
    place = content.rindex(b"tfdt")
    content[place + 4] = 1  # version 1: 64 bits
    content[place + 8 : place + 16] = struct.pack(">Q", stamp)

    told = seconds_or_code(bytes(content), tmp_path)

    assert told == "audio_unreadable" or told == pytest.approx(2.0, abs=0.1)


def test_row_22_frames_are_counted_whatever_their_time_stamps_say() -> None:
    out = io.BytesIO()
    samples = decoder_child.Samples(out, 60.0, lambda seconds: None, is_raw_float=False)

    for stamp in (5_000, -1, 2**62, -(2**62), None, 0):
        frame = av.AudioFrame.from_ndarray(np.full((1, 1_600), 8_000, "<i2"), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 16_000, stamp, Fraction(1, 16_000)
        samples.add(frame)
    samples.finish()

    assert np.array_equal(np.frombuffer(out.getvalue(), "<i2"), np.full(9_600, 8_000))


def test_row_23_wild_float_samples_are_silenced_or_clipped_and_hurt_no_neighbour(tmp_path: Path) -> None:
    samples = tone(1.0, 44_100).astype("<f4")
    clean = sound(hear(wav(samples[:, None], 44_100, form=3), tmp_path))
    samples[10_000], samples[20_000], samples[30_000], samples[40_000] = np.nan, np.inf, -np.inf, 1e20

    heard = sound(hear(wav(samples[:, None], 44_100, form=3), tmp_path))

    assert np.isfinite(heard).all()
    far = np.ones(len(heard), dtype=bool)
    for place in (10_000, 20_000, 30_000, 40_000):
        centre = round(place * SAMPLE_RATE / 44_100)
        far[centre - 60 : centre + 60] = False
    assert np.abs(heard - clean)[far].max() < 0.001
    # Near by, one wild sample in 44,100 shows as no more than a click: the filter's peak is 0.36 at this ratio.
    assert np.abs(heard - clean).max() < 1.3 * 0.4


def test_row_23_what_is_not_a_number_becomes_silence_and_what_is_too_loud_the_loudest() -> None:
    wild = np.array([np.nan, np.inf, -np.inf, 1e30, -1e30, 0.5, 1.0, -1.0], dtype=np.float32)

    assert decoder_child.to_int16(wild).tolist() == [0, 0, 0, 32_767, -32_768, 16_384, 32_767, -32_768]


@pytest.mark.parametrize("kind", ["mp3 without a length header", "aac"])
def test_row_24_a_recording_that_changes_rate_and_channels_is_decoded_on(kind: str, tmp_path: Path) -> None:
    joined = encoded(kind, layout="stereo") + strip_tags(encoded(kind, rate=24_000, layout="mono")) + encoded(kind)

    decoded = hear(joined, tmp_path)

    assert decoded.waveform.seconds == pytest.approx(6.0, abs=0.3)
    assert pitch(sound(decoded)) == pytest.approx(440, abs=2)


def strip_tags(content: bytes) -> bytes:
    body = content[id3_bytes(content) :]
    return body[first_mpeg_frame(body) or 0 :]


def test_row_24_chained_ogg_streams_are_decoded_or_refused(tmp_path: Path) -> None:
    told = seconds_or_code(encoded("ogg opus") + encoded("ogg opus", layout="mono"), tmp_path)

    assert told == "audio_unreadable" or (isinstance(told, float) and told >= 2.0)


@pytest.mark.parametrize(
    ("tag", "cleaned"),
    [
        ("  Tide\tTalk\r\n", "Tide Talk"),
        ("a\x00b\x1b[31mc", "a b [31mc"),
        ("lone \ud800 half", "lone ? half"),
        ("e\u0301", "é"),
        ("x" * 3_000, "x" * 1_000),
        ("\u2028line\u2029", "line"),
    ],
)
def test_row_45_tags_become_one_line_of_valid_text(tag: str, cleaned: str) -> None:
    assert decoder_child.clean(tag) == cleaned


def test_row_45_invalid_utf_8_in_tags_is_replaced(tmp_path: Path) -> None:
    content = encoded("flac").replace("Wind über".encode(), b"Wind \xff\xfeber", 1)

    title = hear(content, tmp_path).tags.title

    assert title == "Wind \ufffd\ufffdber dem Watt"


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2026-03-14", "2026-03-14"),
        ("20260314", "2026-03-14"),
        ("2026-03-14T09:00:00Z", "2026-03-14"),
        ("2026", None),
        ("2026-13-40", None),
        ("yesterday", None),
        ("²²²²-03-14", None),
    ],
)
def test_a_date_counts_when_it_is_whole(text: str, date: str | None) -> None:
    assert decoder_child.whole_date(text) == date


# ---------------------------------------------------------------- rows 26 to 31: reaching out


@pytest.fixture
def trap() -> Iterator[tuple[int, list[object]]]:
    """A server on loopback that counts who calls."""
    callers: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        is_over = threading.Event()

        def listen() -> None:
            while not is_over.is_set():
                try:
                    callers.append(server.accept()[1])
                except TimeoutError:
                    continue

        thread = threading.Thread(target=listen)
        thread.start()
        yield server.getsockname()[1], callers
        is_over.set()
        thread.join()


def scripts(port: int) -> dict[str, bytes]:
    """Texts that make FFmpeg open other files and sockets when it is let to."""
    return {
        "ffconcat": b"ffconcat version 1.0\nfile neighbour.wav\n",
        "m3u8": f"#EXTM3U\n#EXTINF:5,\nhttp://127.0.0.1:{port}/a.ts\n#EXTINF:5,\nfile:neighbour.wav\n".encode(),
        "child playlist": f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://127.0.0.1:{port}/b.m3u8\n".encode(),
        "metadata service": b"#EXTM3U\n#EXTINF:5,\nhttp://169.254.169.254/latest/meta-data/\n",
        "sdp": f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=audio {port} RTP/AVP 0\n".encode(),
        "dash": f'<?xml version="1.0"?><MPD><BaseURL>http://127.0.0.1:{port}/</BaseURL></MPD>'.encode(),
        "smil": f'<smil><body><audio src="http://127.0.0.1:{port}/a.mp3"/></body></smil>'.encode(),
        "rtsp": f"RTSP/1.0 302 Found\r\nLocation: rtsp://127.0.0.1:{port}/\r\n\r\n".encode(),
    }


def test_rows_26_to_29_no_script_opens_a_neighbour_or_a_socket(
    trap: tuple[int, list[object]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, callers = trap
    (tmp_path / "neighbour.wav").write_bytes(spoken_wav())
    monkeypatch.chdir(tmp_path)

    for content in scripts(port).values():
        assert refused(content, tmp_path, name="episode.mp4", decoder=NO_CHILD) == "unsupported_container"
        # And if the gate were passed: every demuxer that may run is given the script by force.
        for container in Container:
            out = io.BytesIO()
            with contextlib.suppress(decoder_child.BadAudio):
                decoder_child.decode(io.BytesIO(content), out, container=container, max_seconds=10.0)
            assert out.getvalue() == b""

    assert callers == []


def test_row_26_a_recording_may_not_open_other_files() -> None:
    with pytest.raises(PermissionError):
        decoder_child._refuse_to_open("file:neighbour.wav", 0, {})


UNSHARE = "import ctypes, sys; sys.exit(0 if ctypes.CDLL(None).unshare(0x5000_0000) == 0 else 1)"


@pytest.mark.processes
@pytest.mark.skipif(sys.platform != "linux", reason="namespaces of Linux")
def test_row_27_even_a_child_that_was_taken_over_reaches_no_server(
    trap: tuple[int, list[object]], tmp_path: Path
) -> None:
    if subprocess.run([sys.executable, "-c", UNSHARE], check=False).returncode != 0:
        pytest.skip("this kernel or container gives no empty network namespace")
    port, callers = trap
    program = child_program(
        tmp_path,
        f"import socket\ndef decode(file, out, **_):\n    socket.create_connection(('127.0.0.1', {port}), 1)",
    )

    error = failure(tmp_path, program)

    assert "unreachable" in error.message
    assert callers == []


@pytest.mark.processes
@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
def test_the_cell_has_no_folder_no_environment_and_little_else(tmp_path: Path) -> None:
    program = child_program(
        tmp_path,
        """
        import resource
        def decode(file, out, **_):
            names = ("RLIMIT_CORE", "RLIMIT_NPROC", "RLIMIT_NOFILE", "RLIMIT_FSIZE")
            limits = {name: resource.getrlimit(getattr(resource, name))[0] for name in names}
            try:
                open("note", "w")
            except OSError as error:
                folder = error.errno
            files = len(os.listdir("/proc/self/fd"))
            told = dict(limits=limits, folder=folder, environ=sorted(os.environ), files=files)
            raise child.BadAudio("audio_unreadable", json.dumps(told))
        """,
    )

    with pytest.raises(AudioError) as caught:
        hear(spoken_wav(), tmp_path, decoder=ConfinedDecoder(child_program=program, max_seconds=100))

    told = json.loads(caught.value.message.partition(": ")[2])
    assert set(told["environ"]) <= {"LC_ALL", "LC_CTYPE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"}
    assert told["folder"] == errno.ENOENT
    assert told["limits"] == {
        "RLIMIT_CORE": 0,
        "RLIMIT_NPROC": 0,
        "RLIMIT_NOFILE": 32,
        "RLIMIT_FSIZE": 160 * SAMPLE_RATE * 2,
    }
    # Three standard descriptors, the recording, the samples, and the one that lists them.
    assert told["files"] == 6


@pytest.mark.parametrize(
    "name",
    [
        "-i.mp3",
        "concat:a|b",
        "subfile,,start,0,end,0,,:x",
        "rtl\u202egpj.mp3",
        "a\nb.mp3",
        "\x1b[31m.mp3",
        "%d.mp3",
        "é" * 120,
    ],
)
def test_row_30_a_hostile_file_name_is_only_a_name(name: str, tmp_path: Path) -> None:
    decoded = hear(spoken_wav(), tmp_path, name=name)

    assert decoded.waveform.seconds == 1.0
    assert decoded.waveform.path.parent == tmp_path / "scratch"
    assert decoded.waveform.path.name.startswith("sound-")


@pytest.mark.parametrize("name", [b"bad\xff.mp3", b"a\nb.mp3", b"\x1b]0;x\x07.mp3", "r\u202etl.mp3".encode()])
def test_row_30_messages_show_a_hostile_name_inert(name: bytes, tmp_path: Path) -> None:
    source = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name)))
    source.write_bytes(b"no sound, just text")

    with pytest.raises(AudioError) as caught:
        HereDecoder().decode(source, tmp_path / "scratch")

    assert caught.value.message.isprintable()
    assert caught.value.message.encode("utf-8")


@pytest.mark.parametrize(("name", "code"), [("nul\x00.mp3", "bad_file_name"), ("x" * 4_096, "file_unreadable")])
def test_row_30_a_name_that_no_file_can_have_is_an_input_error(name: str, code: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        HereDecoder().decode(tmp_path / name, tmp_path / "scratch")

    assert caught.value.code == code


def test_what_is_not_a_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(InputError, match="not a regular file"):
        HereDecoder().decode(tmp_path / "pipe", tmp_path / "scratch")
    with pytest.raises(NotFound):
        HereDecoder().decode(tmp_path / "absent", tmp_path / "scratch")


def test_a_file_over_the_size_budget_is_refused_unread(tmp_path: Path) -> None:
    assert refused(spoken_wav(), tmp_path, decoder=ConfinedDecoder(max_bytes=1_000)) == "audio_too_large"


# ---------------------------------------------------------------- faults 12 and 23 to 25, cancel


def child_program(folder: Path, code: str) -> Path:
    """A child that confines itself and speaks as the real one does, with another `decode`."""
    program = folder / "child.py"
    program.write_text(
        f"import ctypes, json, os, sys, time\nsys.path.insert(0, {str(ROOT)!r})\n"
        "from adapters import decoder_child as child\n"
        + textwrap.dedent(code)
        + "\nchild.decode = decode\nsys.exit(child.main(sys.argv[1]))\n",
        encoding="utf-8",
    )
    return program


def failure(folder: Path, program: Path, **limits: float) -> StenocastError:
    decoder = ConfinedDecoder(child_program=program, **limits)  # type: ignore[arg-type]
    with pytest.raises(StenocastError) as caught:
        hear(spoken_wav(), folder, decoder=decoder)
    assert not list_scratch(folder)
    return caught.value


@pytest.mark.processes
def test_fault_23_a_child_that_dies_of_a_signal_counts_as_a_crash(tmp_path: Path) -> None:
    error = failure(tmp_path, child_program(tmp_path, "def decode(file, out, **_):\n    ctypes.string_at(0)"))

    assert isinstance(error, CrashError)
    assert error.code == "decode_crashed"
    assert "SIGSEGV" in error.message


@pytest.mark.processes
def test_fault_24_a_child_that_loops_meets_the_processor_limit_and_fails_for_good(tmp_path: Path) -> None:
    program = child_program(tmp_path, "def decode(file, out, **_):\n    while True: pass")

    error = failure(tmp_path, program, cpu_seconds=1, timeout_seconds=60)

    assert isinstance(error, AudioError)
    assert error.code == "decode_timeout"


@pytest.mark.processes
def test_fault_24_a_child_that_waits_meets_the_clock_and_counts_as_a_crash(tmp_path: Path) -> None:
    program = child_program(tmp_path, "def decode(file, out, **_):\n    time.sleep(600)")

    error = failure(tmp_path, program, timeout_seconds=1.5)

    assert isinstance(error, CrashError)
    assert error.code == "decode_timeout"


@pytest.mark.processes
def test_fault_25_a_child_that_eats_memory_is_stopped_at_its_limit(tmp_path: Path) -> None:
    code = "def decode(file, out, **_):\n    kept = [bytearray(b'x' * 50_000_000) for _ in range(200)]"

    error = failure(tmp_path, child_program(tmp_path, code), memory_bytes=300_000_000)

    assert isinstance(error, AudioError)
    assert error.code == "decode_memory"


@pytest.mark.processes
@pytest.mark.parametrize(
    "code",
    [
        "def decode(file, out, **_):\n    out.write(bytes(3_200)); return child.Outcome(7, 1, 0)",
        "def decode(file, out, **_):\n    print('no message', flush=True); time.sleep(600)",
        "def decode(file, out, **_):\n    os._exit(0)",
        "def decode(file, out, **_):\n    raise KeyError('surprise')",
        "def decode(file, out, **_):\n    raise child.BadAudio('made_up_code', 'x')",
    ],
)
def test_a_child_that_says_what_does_not_hold_together_counts_as_a_crash(code: str, tmp_path: Path) -> None:
    error = failure(tmp_path, child_program(tmp_path, code))

    assert isinstance(error, CrashError)
    assert error.code == "decode_crashed"


@pytest.mark.processes
def test_fault_12_a_full_scratch_disk_is_ours_and_leaves_nothing(tmp_path: Path) -> None:
    code = "def decode(file, out, **_):\n    out.write(bytes(3_200)); raise OSError(28, 'No space left on device')"

    error = failure(tmp_path, child_program(tmp_path, code))

    assert isinstance(error, NotReady)
    assert error.code == "disk_full"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_fault_12_the_decoder_lets_a_full_disk_through() -> None:
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(OSError, match="No space left"):
        decoder_child.decode(io.BytesIO(encoded("mp3")), full, container="mp3", max_seconds=10.0)


@pytest.mark.processes
def test_a_report_that_raises_stops_the_child_at_once(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    program = child_program(
        tmp_path,
        f"open({str(note)!r}, 'w').write(str(os.getpid()))\ndef decode(file, out, **_):\n    time.sleep(600)",
    )

    class Cancelled(Exception):
        pass

    def cancel(seconds: float) -> None:
        if note.exists() and note.read_text():
            raise Cancelled

    (tmp_path / "episode.mp3").write_bytes(spoken_wav())
    with pytest.raises(Cancelled):
        ConfinedDecoder(child_program=program).decode(tmp_path / "episode.mp3", tmp_path / "scratch", report=cancel)

    assert not is_alive(int(note.read_text()))
    assert not list_scratch(tmp_path)


@pytest.mark.processes
@pytest.mark.skipif(sys.platform != "linux", reason="the death signal is Linux's")
def test_the_child_dies_with_a_killed_worker(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    program = child_program(
        tmp_path,
        f"def decode(file, out, **_):\n    open({str(note)!r}, 'w').write(str(os.getpid()))\n    time.sleep(600)",
    )
    (tmp_path / "episode.mp3").write_bytes(spoken_wav())
    worker = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom pathlib import Path\n"
            "from adapters.audio import ConfinedDecoder\n"
            f"ConfinedDecoder(child_program=Path({str(program)!r})).decode("
            f"Path({str(tmp_path / 'episode.mp3')!r}), Path({str(tmp_path / 'scratch')!r}))",
        ]
    )
    eventually(lambda: note.exists() and note.read_text() != "")

    worker.send_signal(signal.SIGKILL)
    worker.wait()

    eventually(lambda: not is_alive(int(note.read_text())))


def eventually(holds: Any) -> None:
    """Wait for a fact; the test's own time limit ends a wait in vain."""
    while not holds():
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_warning_names_its_code_and_what_happened() -> None:
    warnings = decoder_child._stream_warnings(3)

    assert [Warning(*each).code for each in warnings] == ["audio_streams_ignored"]


def test_another_build_of_the_decoder_s_libraries_has_another_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    import adapters.audio

    class Package:
        def __init__(self, version: str, *names: str) -> None:
            self.version, self.files = version, [Path("av.libs", name) for name in names]

    found = [ConfinedDecoder().fingerprint, ConfinedDecoder(max_seconds=7.0).fingerprint]
    for package in (Package("9.0", "libavcodec-1.so"), Package("9.0", "libavcodec-2.so"), Package("9.1")):
        monkeypatch.setattr(adapters.audio, "distribution", lambda name, package=package: package)
        found.append(ConfinedDecoder().fingerprint)
    monkeypatch.setattr(adapters.audio, "METHOD", "other/1")
    found.append(ConfinedDecoder().fingerprint)

    assert found[0] == found[1]
    assert len(set(found)) == 5
