"""The whole of assembling: nothing lost, nothing doubled, the same bytes again."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.episode import Episode
from schemas.job import Backchannels, JobOptions, Term, Wording
from schemas.transcript import Provenance, Transcript, Warning, Word
from schemas.wire import read_json, write_json
from transcription.assemble import assemble, join_windows, timed
from transcription.ports import Diarization, Recognition, Span, VoiceTurn
from transcription.sentences import core_of
from transcription.steps import ALL_STEPS, Steps
from transcription.wording import visible_text

EPISODE = Episode(id="6f1f9c0e-8a55-5d3a-9a53-0f6f3c1f7a11")
PROVENANCE = Provenance(stenocast="test", created="2026-03-14T09:00:00+00:00")


def window(start: float, end: float, words: Sequence[Word], language: str = "en") -> Recognition:
    return Recognition(Span(start, end), tuple(words), language, 0.99, end - start, (Span(start, end),))


def said(text: str, start: float = 0.0) -> list[Word]:
    return [
        Word(part, round(start + i * 0.4, 3), round(start + i * 0.4 + 0.4, 3), 0.9)
        for i, part in enumerate(text.split())
    ]


def assembled(
    recognitions: Sequence[Recognition],
    turns: Sequence[VoiceTurn] | None = None,
    *,
    wording: Wording = Wording.CLEAN,
    warnings: Sequence[Warning] = (),
    audio_seconds: float = 600.0,
    steps: Steps = ALL_STEPS,
    **options: Any,
) -> Transcript:
    return assemble(
        episode=EPISODE,
        recognitions=recognitions,
        diarization=None if turns is None else Diarization(tuple(turns), tuple(turns)),
        options=JobOptions(wording=wording, **options),
        audio_seconds=audio_seconds,
        truncated=False,
        warnings=warnings,
        provenance=PROVENANCE,
        steps=steps,
    )


def words_of(document: Transcript) -> list[Word]:
    return [word for turn in document.turns for part in turn.paragraphs for word in part.words]


def test_two_voices_become_two_speakers_with_their_paragraphs() -> None:
    talk = window(0.0, 10.0, said("Who rows the ferry? Um, my aunt does."))

    document = assembled([talk], [VoiceTurn(0.0, 1.6, "voice 2"), VoiceTurn(1.6, 3.2, "voice 1")])

    assert [(turn.id, turn.speaker, turn.paragraphs[0].text) for turn in document.turns] == [
        ("t1", "S1", "Who rows the ferry?"),
        ("t2", "S2", "My aunt does."),
    ]
    assert [(each.id, each.voice, each.speech_seconds) for each in document.speakers] == [
        ("S1", "voice 2", 1.6),
        ("S2", "voice 1", 1.6),
    ]
    assert document.quality.word_count == 8
    assert document.language == "en"


def test_without_a_diarization_everything_is_one_speaker_with_the_callers_warning() -> None:
    failed = Warning("diarization_failed", "the voices could not be told apart")

    document = assembled([window(0.0, 10.0, said("We row. We sing."))], warnings=[failed])

    assert [turn.speaker for turn in document.turns] == ["S1"]
    assert [each.id for each in document.speakers] == ["S1"]
    assert failed in document.quality.warnings


def test_a_diarization_that_found_nobody_still_gives_the_words_with_a_warning() -> None:
    document = assembled([window(0.0, 2.0, said("We row. We sing."))], [])

    assert [turn.speaker for turn in document.turns] == ["S1"]
    assert [warning.code for warning in document.quality.warnings] == ["no_voices"]


def test_silence_gives_a_document_without_turns_and_says_so() -> None:
    silent = Recognition(Span(0.0, 10.0), (), "en", 0.2, 0.0)

    document = assembled([silent], [])

    assert (document.turns, document.speakers, document.segments) == ((), (), ())
    assert document.quality.no_speech
    assert [warning.code for warning in document.quality.warnings] == ["no_speech"]


def test_words_that_no_voice_covers_are_counted() -> None:
    talk = window(0.0, 60.0, [*said("We row."), *said("Hark, thunder.", start=30.0)])

    document = assembled([talk], [VoiceTurn(0.0, 1.0, "voice 1")])

    assert document.quality.unassigned_words == 2
    assert [turn.speaker for turn in document.turns] == ["S1", None]


def test_windows_are_joined_in_order_whatever_order_they_come_in() -> None:
    first, second = window(0.0, 300.0, said("We row.")), window(300.0, 400.0, said("We sing.", start=301.0))

    assert assembled([second, first]) == assembled([first, second])
    assert visible_text(words_of(assembled([second, first]))) == "We row. We sing."


def test_a_word_heard_by_two_windows_at_their_edge_stays_once() -> None:
    first = window(0.0, 2.0, [*said("we row"), Word("home.", 1.5, 2.0)])
    second = window(2.0, 4.0, [Word("Home", 2.0, 2.2), Word("now.", 2.3, 2.6)])

    assert [word.text for word in join_windows([first, second])] == ["we", "row", "home.", "now."]


def test_a_word_said_twice_around_an_edge_stays_twice() -> None:
    first = window(0.0, 2.0, said("we row"))
    second = window(2.0, 4.0, said("row home", start=2.3))

    assert [word.text for word in join_windows([first, second])] == ["we", "row", "row", "home"]


def test_the_language_is_that_of_most_words() -> None:
    windows = [window(0.0, 5.0, said("We row."), "en"), window(5.0, 9.0, said("Wir rudern nach Hause.", 5.0), "de")]

    assert assembled(windows).language == "de"


def test_the_duration_of_the_recording_is_noted_where_it_is_missing() -> None:
    assert assembled([window(0.0, 5.0, said("We row."))], audio_seconds=5.25).episode.audio.duration == 5.25


def test_missing_and_backward_times_are_mended() -> None:
    words = [Word("a", 1.0, 5.0), Word("b", None, None), Word("c", 0.5, 0.7), Word("d", 2.0, 99.0)]

    assert [(word.start, word.end) for word in timed(words, 10.0)] == [
        (1.0, 1.0),
        (1.0, 1.0),
        (1.0, 1.0),
        (2.0, 10.0),
    ]


TEXTS = [
    "Um,",
    "um",
    "the",
    "The",
    "I",
    "I",
    "had",
    "boat.",
    "Boat,",
    "rows.",
    "Who?",
    "U.K.",
    "Dr.",
    "“Yes.”",
    "cafe\u0301",
    "so…",
    "5",
    "I'm",
    "Ada",
    "Quill.",
]
VOICES = ["voice 1", "voice 2", "voice 3"]


@st.composite
def recordings(draw: st.DrawFn) -> tuple[list[Recognition], list[VoiceTurn] | None]:
    windows: list[Recognition] = []
    moment = 0.0
    for _ in range(draw(st.integers(1, 3))):
        begins, words = moment, []
        for text in draw(st.lists(st.sampled_from(TEXTS), max_size=25)):
            start = moment + draw(st.sampled_from([0.0, 0.05, 0.4, 2.0]))
            moment = start + draw(st.sampled_from([0.0, 0.21, 0.5]))
            words.append(Word(text, start, moment, draw(st.sampled_from([None, 0.2, 0.9]))))
        moment += 1.0
        windows.append(window(begins, moment, words))
    turns = [
        VoiceTurn(start, start + length, voice)
        for start, length, voice in draw(
            st.lists(st.tuples(st.floats(0, moment), st.floats(0.1, 8), st.sampled_from(VOICES)), max_size=8)
        )
    ]
    return windows, draw(st.sampled_from([turns, None]))


#: All steps, or all but one: what an ablation runs.
steps_left_out = st.sampled_from([ALL_STEPS, *(replace(ALL_STEPS, **{each.name: False}) for each in fields(Steps))])


@settings(max_examples=120, deadline=None)
@given(recordings(), st.sampled_from(Wording), st.sampled_from(Backchannels), steps_left_out)
def test_every_law_of_the_document_holds(
    recording: tuple[list[Recognition], list[VoiceTurn] | None],
    wording: Wording,
    backchannels: Backchannels,
    steps: Steps,
) -> None:
    windows, turns = recording

    document = assembled(windows, turns, wording=wording, backchannels=backchannels, steps=steps)

    heard = [unicodedata.normalize("NFC", word.text) for each in windows for word in each.words]
    words = words_of(document)
    assert [core_of(word.text) for word in words] == [core_of(text) for text in heard]
    if not steps.repair:
        assert [word.text for word in words] == heard
    assert all(word.start is not None and word.end is not None and word.start <= word.end for word in words)
    times = [moment for word in words for moment in (word.start, word.end)]
    assert times == sorted(times)  # type: ignore[type-var]
    paragraphs = [part for turn in document.turns for part in turn.paragraphs]
    assert all(part.text and part.text == visible_text(part.words) for part in paragraphs)
    ids = [each.id for each in (*document.speakers, *document.turns, *paragraphs)]
    assert len(set(ids)) == len(ids)
    assert [each.id for each in document.speakers] == [f"S{n}" for n in range(1, len(document.speakers) + 1)]
    assert {turn.speaker for turn in document.turns} - {None} == {each.id for each in document.speakers}
    assert all(one.speaker != two.speaker for one, two in zip(document.turns, document.turns[1:], strict=False))
    assert document.quality.word_count == len(words)


@settings(max_examples=50, deadline=None)
@given(recordings())
def test_assembling_twice_gives_the_same_bytes_and_they_can_be_read(
    recording: tuple[list[Recognition], list[VoiceTurn] | None],
) -> None:
    windows, turns = recording

    once, twice = (write_json(assembled(windows, turns)) for _ in range(2))

    assert once == twice
    assert write_json(read_json(Transcript, once)) == once


def test_the_glossary_corrects_before_anything_else_and_each_change_is_in_the_quality() -> None:
    talk = window(0.0, 10.0, said("We saw the sherry four light."))
    terms = (Term("Skerryvore", ("sherry four",)),)

    document = assembled([talk], glossary=terms)

    assert document.turns[0].paragraphs[0].text == "We saw the Skerryvore light."
    assert [(each.heard, each.written, each.start) for each in document.quality.corrections] == [
        ("sherry four", "Skerryvore", 1.2)
    ]
    assert document.quality.word_count == 5
    assert assembled([talk], glossary=terms, steps=Steps(glossary=False)).quality.corrections == ()


def test_a_phantom_voice_is_absorbed_and_noted_unless_so_many_voices_were_asked_for() -> None:
    talk = window(0.0, 120.0, [*said("We row."), *said("We sing.", start=60.2), *said("So do I.", start=63.0)])
    turns = (VoiceTurn(0, 60, "voice 1"), VoiceTurn(60, 62, "voice 2"), VoiceTurn(62, 120, "voice 3"))
    diarization = Diarization(turns, turns, {"voice 1": (1.0, 0.0), "voice 2": (0.1, 1.0), "voice 3": (0.0, 1.0)})

    def heard(options: JobOptions, steps: Steps = ALL_STEPS) -> Transcript:
        return assemble(
            episode=EPISODE,
            recognitions=[talk],
            diarization=diarization,
            options=options,
            audio_seconds=120.0,
            truncated=False,
            warnings=(),
            provenance=PROVENANCE,
            steps=steps,
        )

    assert [each.voice for each in heard(JobOptions()).speakers] == ["voice 1", "voice 3"]
    assert [each.voice for each in heard(JobOptions()).quality.absorbed] == ["voice 2"]
    assert len(heard(JobOptions(speakers=3)).speakers) == 3
    assert len(heard(JobOptions(), Steps(phantoms=False)).speakers) == 3


@pytest.mark.parametrize(
    ("backchannels", "texts"),
    [
        (Backchannels.KEEP, ["We like the", "Mm-hm.", "harbour.", "Why is that?"]),
        (Backchannels.FOLD, ["We like the harbour.", "Why is that?"]),
    ],
)
def test_backchannels_are_kept_or_folded_by_option(backchannels: Backchannels, texts: list[str]) -> None:
    words = [*said("We like the"), *said("Mm-hm.", 1.6), *said("harbour.", 2.4), *said("Why is that?", 3.2)]
    turns = [(0.0, 1.5, "a"), (1.5, 2.2, "b"), (2.2, 3.0, "a"), (3.0, 5.0, "b")]

    document = assembled([window(0.0, 10.0, words)], [VoiceTurn(*each) for each in turns], backchannels=backchannels)

    assert [turn.paragraphs[0].text for turn in document.turns] == texts
    assert len(words_of(document)) == len(words)
    assert [each.text for each in document.quality.folded] == (["Mm-hm."] if len(texts) == 2 else [])


def test_a_stretch_without_punctuation_is_mended_noted_and_warned_about() -> None:
    first = said("so one night we all rowed out to the old lamp and the boats were still on the water there with us")
    second = said(
        "and then the storm came in from the north and nobody could see the harbour at all that night", 11.0
    )
    talk = window(0.0, 30.0, [*first, *second])

    document = assembled([talk])

    assert visible_text(words_of(document)) == (
        "So one night we all rowed out to the old lamp and the boats were still on the water there with us. And then"
        " the storm came in from the north and nobody could see the harbour at all that night."
    )
    assert [each.reason for each in document.quality.corrections] == ["punctuation"]
    assert "punctuation_repaired" in [warning.code for warning in document.quality.warnings]
    assert assembled([talk], steps=Steps(repair=False)).quality.corrections == ()


def test_turns_too_short_for_a_repair_alone_are_repaired_together() -> None:
    line = "we never rowed the old ferry at night in the winter months"
    talk = window(0.0, 20.0, said(" ".join([line] * 4)))
    turns = [VoiceTurn(4.8 * n, 4.8 * (n + 1), f"voice {1 + n % 2}") for n in range(4)]

    document = assembled([talk], turns)

    assert [turn.paragraphs[0].text for turn in document.turns] == [f"W{line[1:]}."] * 4
