"""Captions and feed transcripts: strict when written, tolerant when read."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats.catalogue import read, render
from schemas.episode import Episode
from schemas.errors import PageError
from schemas.transcript import Paragraph, Speaker, Transcript, Turn, Word

# ---------------------------------------------------------------- strict checkers

VTT_TIMING = re.compile(r"(\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3}) --> (\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3})")
SRT_TIMING = re.compile(r"(\d{2,}):([0-5]\d):([0-5]\d),(\d{3}) --> (\d{2,}):([0-5]\d):([0-5]\d),(\d{3})")


def _ms(hours: str, minutes: str, seconds: str, fraction: str) -> int:
    return ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(fraction)


def check_vtt(content: bytes) -> list[tuple[int, int, list[str]]]:
    """The cues of a WebVTT file, by the letter of the W3C text; fails on anything an author must not write."""
    text = content.decode("utf-8")
    assert text.endswith("\n")
    assert "\r" not in text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202a-\u202e]", text)
    header, *blocks = text[:-1].split("\n\n")
    assert header == "WEBVTT"
    cues = []
    for block in blocks:
        timing, *payload = block.split("\n")
        match = VTT_TIMING.fullmatch(timing)
        assert match, timing
        start, end = _ms(*match.groups()[:4]), _ms(*match.groups()[4:])
        assert end > start
        assert payload
        for line in payload:
            assert line.strip()
            assert "-->" not in line
            assert len(line) <= 65 or " " not in re.sub("<v [^>]*>", "", line)
            bare = re.sub(r"^<v [^&>\n]*(?:&(?:amp|lt|gt);[^&>\n]*)*>", "", line)
            assert "<" not in bare
            assert not re.search(r"&(?!amp;|lt;|gt;)", bare)
        cues.append((start, end, payload))
    assert all(a[0] <= b[0] for a, b in pairwise(cues))
    return cues


def check_srt(content: bytes) -> list[tuple[int, int, list[str]]]:
    """The cues of an SRT file as Podcasting 2.0 asks for: two lines of 32 characters, indexes from 1."""
    text = content.decode("utf-8")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202a-\u202e]", text)
    cues = []
    for number, block in enumerate(text[:-1].split("\n\n") if text else [], start=1):
        index, timing, *payload = block.split("\n")
        assert index == str(number)
        match = SRT_TIMING.fullmatch(timing)
        assert match, timing
        start, end = _ms(*match.groups()[:4]), _ms(*match.groups()[4:])
        assert end > start
        assert 1 <= len(payload) <= 2
        assert all(0 < len(line) <= 32 and "-->" not in line and line == line.strip() for line in payload)
        cues.append((start, end, payload))
    assert all(a[0] <= b[0] for a, b in pairwise(cues))
    return cues


#: The shape that Podcasting 2.0 documents for application/json transcripts.
PODCAST_JSON = {
    "type": "object",
    "required": ["version", "segments"],
    "additionalProperties": False,
    "properties": {
        "version": {"const": "1.0.0"},
        "segments": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["startTime", "body"],
                "additionalProperties": False,
                "properties": {
                    "speaker": {"type": "string", "minLength": 1},
                    "startTime": {"type": "number", "minimum": 0},
                    "endTime": {"type": "number", "minimum": 0},
                    "body": {"type": "string", "minLength": 1},
                },
            },
        },
    },
}


def check_podcast_json(content: bytes) -> list[dict[str, object]]:
    found = json.loads(content)
    jsonschema.validate(found, PODCAST_JSON)
    assert list(found) == ["version", "segments"]
    assert found["version"] == "1.0.0"
    for segment in found["segments"]:
        assert list(segment) == ["speaker", "startTime", "endTime", "body"]
        assert 0 <= segment["startTime"] < segment["endTime"]
        assert segment["body"].strip() == segment["body"] != ""
    assert all(a["startTime"] <= b["startTime"] for a, b in pairwise(found["segments"]))
    return found["segments"]


# ---------------------------------------------------------------- transcripts with every kind of word

WORDS = st.sampled_from(
    [
        "yes",
        "well,",
        "it’s",
        "ninety-four",
        "steps.",
        "why?",
        "<b>",
        "-->",
        "R&D",
        "&amp;",
        "antidisestablishmentarianism",
        "x" * 70,
        "Feld:",
        "1962",
        "…",
        "{\\an8}",
        "日本語",
        "and",
        "the",
        "a",
    ]
)
LONG_NAME = "Maximiliana Theodora van Hohenstein-Wolfeschlegel III"


@st.composite
def timed(draw: st.DrawFn) -> Transcript:
    names = ["Ada Quill", None, LONG_NAME, "Bo <x> & --> Co", "W" * 140]
    speakers = tuple(Speaker(f"S{n}", name=name) for n, name in enumerate(names, start=1))
    clock = draw(st.integers(0, 4_000_000))
    turns = []
    for number in range(draw(st.integers(1, 5))):
        words = []
        for text in draw(st.lists(WORDS, min_size=1, max_size=40)):
            length = draw(st.sampled_from([0, 1, 80, 400, 1500]))
            words.append(Word(text, clock / 1000, (clock + length) / 1000))
            clock += length + draw(st.sampled_from([0, 0, 30, 300, 900]))
        clock -= draw(st.sampled_from([0, 0, min(clock, 700)]))
        text = " ".join(word.text for word in words)
        paragraph = Paragraph(f"P{number}", text, words[0].start, words[-1].end, tuple(words))
        who = draw(st.sampled_from([s.id for s in speakers] + [None]))
        turns.append(Turn(f"T{number}", who, (paragraph,), words[0].start, words[-1].end))
    return Transcript(Episode("0b5f2c7e-9d6b-5a51-8a8f-3f1f0f0c2a11"), speakers=speakers, turns=tuple(turns))


@settings(max_examples=40, deadline=None)
@given(timed())
def test_every_transcript_gives_valid_captions(transcript: Transcript) -> None:
    check_vtt(render(transcript, format="vtt"))
    check_srt(render(transcript, format="srt"))
    check_podcast_json(render(transcript, format="podcast-json"))


@settings(max_examples=40, deadline=None)
@given(timed())
def test_no_word_is_lost_or_doubled_in_a_feed_transcript(transcript: Transcript) -> None:
    segments = check_podcast_json(render(transcript, format="podcast-json"))

    def letters(texts: list[str]) -> str:
        return "".join(sorted("".join("".join(texts).split())))

    written = [str(segment["body"]) for segment in segments]
    assert letters(written) == letters([p.text for turn in transcript.turns for p in turn.paragraphs])


def test_the_golden_captions_are_valid(transcript: Transcript) -> None:
    check_vtt(render(transcript, format="vtt"))
    check_srt(render(transcript, format="srt"))
    check_podcast_json(render(transcript, format="podcast-json"))


def test_vtt_names_a_speaker_when_another_begins_and_only_then(transcript: Transcript) -> None:
    cues = check_vtt(render(transcript, format="vtt"))

    named = [payload[0][3 : payload[0].index(">")] for _, _, payload in cues if payload[0].startswith("<v ")]
    assert named == ["Ada Quill", "Tomas Feld", "Ada Quill", "Speaker 3", "Tomas Feld", "Ada Quill", "Presenter"]


def test_srt_puts_the_name_before_the_first_words_of_a_speaker(transcript: Transcript) -> None:
    cues = check_srt(render(transcript, format="srt"))

    named = [match[1] for _, _, lines in cues if (match := re.match(r"([A-Z]\w+ \w+): ", lines[0]))]
    assert named == ["Ada Quill", "Tomas Feld", "Ada Quill", "Speaker 3", "Tomas Feld", "Ada Quill"]


def test_cues_end_at_sentences_where_they_can(transcript: Transcript) -> None:
    cues = check_vtt(render(transcript, format="vtt"))

    ends = [payload[-1][-1] for _, _, payload in cues]
    assert sum(end in '.?!”"' for end in ends) >= 0.7 * len(ends)
    assert not any(payload[-1].split()[-1] in ("the", "a", "of", "to") for _, _, payload in cues)


def test_cues_can_be_read_in_their_time(transcript: Transcript) -> None:
    cues = check_srt(render(transcript, format="srt"))

    for (start, end, payload), (following, _, _) in pairwise(cues):
        is_pressed = end >= following
        assert is_pressed or end - start >= min(1000, following - start)
        said = re.sub(r"^\w+(?: \w+)?: ", "", " ".join(payload))
        assert is_pressed or len(said) / ((end - start) / 1000) <= 20


def test_the_text_that_is_shown_decides_and_left_out_words_have_no_cue(transcript: Transcript) -> None:
    assert b"Um," not in render(transcript, format="vtt")


def test_a_name_too_long_for_a_line_is_shortened_to_the_first() -> None:
    words = (Word("Hello.", 0.0, 0.5),)
    turn = Turn("T1", "S1", (Paragraph("P1", "Hello.", 0.0, 0.5, words),))
    transcript = Transcript(Episode("x"), speakers=(Speaker("S1", name=LONG_NAME),), turns=(turn,))

    assert b"Maximiliana: Hello." in render(transcript, format="srt")
    assert f"<v {LONG_NAME}>".encode() in render(transcript, format="vtt")


@pytest.mark.parametrize("format", ["vtt", "srt", "podcast-json"])
@pytest.mark.parametrize("style", ["name-line", "caps-list", "full-then-first"])
def test_a_document_without_times_is_refused(golden: Path, format: str, style: str) -> None:
    page = read((golden / "pages" / f"{style}.txt").read_bytes())

    with pytest.raises(PageError, match=f"the format {format} needs them") as caught:
        render(page, format=format)

    assert caught.value.code == "times_missing"


CHECKERS = {"vtt": check_vtt, "srt": check_srt}


@pytest.mark.parametrize("format", ["vtt", "srt"])
def test_a_page_with_the_starts_of_its_turns_alone_can_be_captions(golden: Path, format: str) -> None:
    page = read((golden / "pages" / "numbered-timestamps.txt").read_bytes())

    cues = CHECKERS[format](render(page, format=format))

    starts = [start for start, _, _ in cues]
    assert {9_000, 21_000, 22_000, 119_000, 3_600_000} <= set(starts)
    back = read(render(page, format=format), format=format)
    letters = sorted("".join(p.text for turn in back.turns for p in turn.paragraphs).replace(" ", ""))
    assert letters == sorted("".join(p.text for turn in page.turns for p in turn.paragraphs).replace(" ", ""))


def test_a_turn_of_which_the_start_is_known_lasts_until_the_next_but_not_through_silence(golden: Path) -> None:
    page = read((golden / "pages" / "numbered-timestamps.txt").read_bytes())

    segments = check_podcast_json(render(page, format="podcast-json"))

    [thanks] = [each for each in segments if str(each["body"]).startswith("Thanks, Petra")]
    [gate] = [each for each in segments if "gate opens" in str(each["body"])]
    assert (thanks["startTime"], thanks["endTime"]) == (21.0, 22.0)
    assert float(str(gate["endTime"])) < 140


def test_one_turn_without_a_start_is_enough_to_refuse() -> None:
    turns = (
        Turn("T1", None, (Paragraph("P1", "One two."),), start=1.0),
        Turn("T2", None, (Paragraph("P2", "Three."),)),
    )

    with pytest.raises(PageError, match="turn T2 has no start time"):
        render(Transcript(Episode("x"), turns=turns), format="vtt")


@pytest.mark.parametrize("format", ["vtt", "srt", "podcast-json"])
def test_an_empty_transcript_gives_a_valid_empty_file(format: str) -> None:
    content = render(Transcript(Episode("x")), format=format)

    assert {"vtt": check_vtt, "srt": check_srt, "podcast-json": check_podcast_json}[format](content) == []


# ---------------------------------------------------------------- reading


@pytest.mark.parametrize("format", ["vtt", "srt", "podcast-json"])
def test_what_is_written_is_read_back_with_speakers_and_words(transcript: Transcript, format: str) -> None:
    back = read(render(transcript, format=format), format=format)

    def turns(document: Transcript) -> list[tuple[str | None, str]]:
        names = {s.id: s.name for s in document.speakers}
        return [(names[t.speaker or ""], " ".join(p.text for p in t.paragraphs)) for t in document.turns]

    expected = [(name or ("Presenter" if n == 6 else None), text) for n, (name, text) in enumerate(turns(transcript))]
    assert turns(back) == expected
    for was, now in zip(transcript.turns, back.turns, strict=True):
        shown = next(word for word in was.paragraphs[0].words if not word.tags)
        assert now.start == pytest.approx(shown.start, abs=0.001)


def test_where_voices_are_named_a_colon_in_speech_names_nobody() -> None:
    content = (
        b"WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ada Quill>Hello.\n\n00:02.000 --> 00:04.000\nTomas Feld: a life.\n"
    )

    [turn] = read(content).turns

    assert turn.paragraphs[0].text == "Hello. Tomas Feld: a life."


@pytest.mark.parametrize("format", ["vtt", "srt", "podcast-json"])
def test_what_was_read_back_is_written_again_the_same(transcript: Transcript, format: str) -> None:
    content = render(transcript, format=format)
    again = render(read(content, format=format), format=format)

    assert read(again, format=format).turns == pytest.approx(read(content, format=format).turns) or again == content


MESSY = """\ufeffWEBVTT - made elsewhere\r
Kind: captions\r
\r
STYLE\r
::cue { color: red }\r
\r
NOTE nobody reads this\r
\r
intro\r
0:03.100 --> 00:05.000 align:start position:10%\r
<v.loud Ada Quill><i>Hello</i> &amp; welcome.</v>\r
\r
00:00:06.000 --> 00:00:06.000\r
<v Tomas Feld>Thank you.</v> <v Ada Quill>Not at all.</v>\r
\r
00:00:05.500 --> 00:00:07.000\r
to the <00:00:06.500>pier.\r
"""


def test_untidy_vtt_is_read() -> None:
    transcript = read(MESSY.encode(), name="messy.vtt")

    names = {s.id: s.name for s in transcript.speakers}
    assert [(names[t.speaker or ""], t.paragraphs[0].text) for t in transcript.turns] == [
        ("Ada Quill", "Hello & welcome."), ("Tomas Feld", "Thank you."), ("Ada Quill", "Not at all. to the pier."),
    ]  # fmt: skip
    starts = [w.start or 0.0 for t in transcript.turns for p in t.paragraphs for w in p.words]
    assert starts == sorted(starts)


SRT = """1
00:00:03,100 --> 00:00:05,000
Ada Quill: Hello
there.

2
00:00:05.000 --> 00:00:07,5
Here's the thing: we climb.
3
00:00:08,000 --> 00:00:09,000
Tomas: At 10:15.

00:00:10,000 --> 00:00:11,000
[Ada Quill]: Good.
"""


def test_untidy_srt_is_read_and_a_colon_in_speech_names_nobody() -> None:
    transcript = read(SRT.encode(), format="srt")

    names = {s.id: s.name for s in transcript.speakers}
    assert [(names[t.speaker or ""], t.paragraphs[0].text) for t in transcript.turns] == [
        ("Ada Quill", "Hello there. Here's the thing: we climb."), ("Tomas", "At 10:15."), ("Ada Quill", "Good."),
    ]  # fmt: skip


def test_vtt_in_a_file_called_srt_is_read_for_what_it_is() -> None:
    assert read(MESSY.encode(), format="srt") == read(MESSY.encode(), format="vtt")


def test_feed_json_of_single_words_without_ends_or_speakers_is_read() -> None:
    segments = [{"startTime": n, "body": word} for n, word in enumerate(["So", "we", "climb."])]
    segments[2]["speaker"] = "Ada"

    transcript = read(json.dumps({"version": "1.0.0", "segments": segments}).encode())

    assert [(t.speaker, t.paragraphs[0].text) for t in transcript.turns] == [(None, "So we"), ("S1", "climb.")]
    assert [w.start for w in transcript.turns[0].paragraphs[0].words] == [0.0, 1.0]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "not JSON"),
        (b'{"segments": 3}', "no list `segments`"),
        (b'{"segments": [4]}', "segment 1 is no object"),
        (b'{"segments": [{"startTime": 0, "body": 1}]}', "segment 1: body is 1"),
        (b'{"segments": [{"startTime": -1, "body": "x"}]}', "segment 1: startTime is -1"),
        (b'{"segments": [{"startTime": NaN, "body": "x"}]}', "startTime is nan"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_wrong_feed_json_is_refused_with_the_place(content: bytes, says: str) -> None:
    with pytest.raises(PageError) as caught:
        read(content, format="podcast-json", name="feed.json")

    assert says in caught.value.message
    assert caught.value.message.startswith("feed.json: ")


def test_captions_without_a_cue_are_refused() -> None:
    with pytest.raises(PageError, match="no captions") as caught:
        read(b"WEBVTT\n\nnothing here", name="x.vtt")

    assert caught.value.code == "page_not_recognised"


def test_edited_words_get_times_between_their_neighbours(transcript: Transcript) -> None:
    turn = transcript.turns[2]
    words = (Word("One", 1.0, 1.2), Word("too", 1.3, 1.5), Word("three.", 2.0, 2.4))
    paragraph = Paragraph("P1", "One two-and-a-half three.", 1.0, 2.4, words)
    edited = replace(transcript, turns=(replace(turn, paragraphs=(paragraph,)),))

    [segment] = check_podcast_json(render(edited, format="podcast-json"))

    assert (segment["startTime"], segment["body"]) == (1.0, "One two-and-a-half three.")
