"""Who is known by the voice, who is not, and whose voice is worth keeping."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from schemas.episode import Episode, Role
from schemas.transcript import NameMethod, Paragraph, Speaker, Transcript, Turn
from transcription.known_voices import ALIKE, MARGIN, recognize_voices, with_known_voices, worth_keeping
from transcription.naming import name_speakers
from transcription.ports import KnownVoice


def toward(degrees: float) -> tuple[float, float]:
    """A voice in a plane: two of them are as alike as the cosine of the angle between."""
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees))


def kept(name: str, degrees: float) -> KnownVoice:
    return KnownVoice("Low Water", name, "model", f"episode of {name} {degrees}", toward(degrees), 60.0)


def talk(*said: str) -> Transcript:
    """Two voices in turn, each heard for a minute."""
    turns = tuple(
        Turn(f"t{n}", f"S{n % 2 + 1}", (Paragraph(f"t{n}-p1", text, float(n), n + 1.0),), float(n), n + 1.0)
        for n, text in enumerate(said)
    )
    speakers = tuple(Speaker(f"S{n}", voice=f"voice {n}", speech_seconds=60.0) for n in (1, 2))
    return name_speakers(Transcript(episode=Episode("e", show="Low Water"), speakers=speakers, turns=turns))


def names(transcript: Transcript) -> list[str | None]:
    return [each.name for each in transcript.speakers]


def test_a_voice_that_is_alike_enough_and_like_nobody_else_is_known() -> None:
    known = [kept("Ada Quill", 0), kept("Bram Oldenburg", 90)]

    recognized = recognize_voices({"voice 1": toward(10), "voice 2": toward(85)}, known)

    assert {voice: each.name for voice, each in recognized.items()} == {
        "voice 1": "Ada Quill",
        "voice 2": "Bram Oldenburg",
    }
    assert recognized["voice 1"].cosine == pytest.approx(math.cos(math.radians(10)), abs=0.001)


def test_a_voice_below_the_threshold_is_not_known() -> None:
    just_below = math.degrees(math.acos(ALIKE)) + 1

    assert recognize_voices({"voice 1": toward(just_below)}, [kept("Ada Quill", 0)]) == {}


def test_a_voice_between_two_people_is_neither() -> None:
    assert recognize_voices({"voice 1": toward(20)}, [kept("Ada Quill", 0), kept("Bram Oldenburg", 45)]) == {}


def test_two_voices_like_one_person_leave_both_without_unless_one_is_clearly_nearer() -> None:
    known = [kept("Ada Quill", 0)]
    farther = math.degrees(math.acos(1 - MARGIN)) + 3

    assert recognize_voices({"voice 1": toward(5), "voice 2": toward(-8)}, known) == {}
    assert set(recognize_voices({"voice 1": toward(0), "voice 2": toward(farther)}, known)) == {"voice 1"}


def test_the_mean_of_what_was_kept_counts() -> None:
    known = [kept("Ada Quill", -50), kept("Ada Quill", 50)]

    assert recognize_voices({"voice 1": toward(0)}, known)["voice 1"].cosine == 1.0


def test_embeddings_of_another_kind_are_like_nobody() -> None:
    assert recognize_voices({"voice 1": (1.0, 0.0, 0.0)}, [kept("Ada Quill", 0)]) == {}
    assert recognize_voices({"voice 1": (0.0, 0.0)}, [kept("Ada Quill", 0)]) == {}
    assert recognize_voices({"voice 1": toward(0)}, []) == {}


def test_a_known_voice_has_its_name_with_method_quote_and_likeness() -> None:
    document = talk("The tide was late again.", "It always is.")

    named = with_known_voices(document, {"voice 1": toward(0)}, [kept("Ada Quill", 10)])

    speaker = named.speakers[0]
    assert (speaker.name, speaker.known_by) == ("Ada Quill", NameMethod.KNOWN_VOICE)
    assert speaker.evidence[0].quote in document.turns[0].paragraphs[0].text
    assert (speaker.evidence[0].turn, speaker.evidence[0].start) == ("t0", 0.0)
    assert speaker.confidence == speaker.evidence[0].confidence == pytest.approx(0.985, abs=0.001)


def test_a_voice_that_gives_itself_another_name_is_left_without_one() -> None:
    document = talk("Hello, I'm Nerys Tudor.", "It always is.")

    assert names(with_known_voices(document, {"voice 1": toward(0)}, [kept("Ada Quill", 0)])) == [None, None]


def test_a_known_voice_outranks_how_others_call_it() -> None:
    document = talk("The tide.", "Thanks, Nerys.", "It was late.", "Thank you, Nerys.")

    assert names(document) == ["Nerys", None]
    assert names(with_known_voices(document, {"voice 1": toward(0)}, [kept("Ada Quill", 0)])) == ["Ada Quill", None]


def test_a_name_given_by_hand_is_never_replaced() -> None:
    document = talk("The tide was late again.", "It always is.")
    by_hand = replace(document.speakers[0], name="Nerys Tudor", known_by=NameMethod.GIVEN)
    document = replace(document, speakers=(by_hand, document.speakers[1]))

    assert names(with_known_voices(document, {"voice 1": toward(0)}, [kept("Ada Quill", 0)]))[0] == "Nerys Tudor"


def test_a_voice_heard_for_a_moment_is_not_looked_up() -> None:
    document = talk("The tide was late again.", "It always is.")
    brief = replace(document.speakers[0], speech_seconds=5.0)
    document = replace(document, speakers=(brief, document.speakers[1]))

    assert names(with_known_voices(document, {"voice 1": toward(0)}, [kept("Ada Quill", 0)])) == [None, None]


def test_what_is_kept_is_a_full_name_that_evidence_makes_sure_and_a_voice_heard_long_enough() -> None:
    document = talk("Hello, I'm Greta Vance.", "And I'm Bram.")
    embeddings = {"voice 1": toward(0), "voice 2": toward(90)}

    assert worth_keeping(document, {}) == {}
    assert worth_keeping(document, embeddings) == {"voice 1": "Greta Vance"}


@pytest.mark.parametrize(
    "change",
    [
        {"speech_seconds": 10.0},
        {"confidence": 0.7},
        {"known_by": NameMethod.ELIMINATION},
        {"known_by": NameMethod.KNOWN_VOICE},
        {"role": Role.ANNOUNCER},
    ],
)
def test_what_is_less_than_sure_is_not_kept(change: dict[str, object]) -> None:
    document = talk("Hello, I'm Greta Vance.", "Hello.")
    less = replace(document.speakers[0], **change)  # type: ignore[arg-type]

    assert worth_keeping(replace(document, speakers=(less, document.speakers[1])), {"voice 1": toward(0)}) == {}
