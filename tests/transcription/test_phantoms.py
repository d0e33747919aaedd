"""Voices of little speech: taken for the voice they sound like, unless they may be somebody."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.transcript import AbsorbedVoice
from transcription.phantoms import LARGEST_SHARE, LONGEST_SECONDS, absorb_phantoms
from transcription.ports import Diarization, VoiceTurn

TURNS = (
    VoiceTurn(0.0, 60.0, "voice 1"),
    VoiceTurn(60.0, 62.0, "voice 2"),
    VoiceTurn(62.0, 120.0, "voice 3"),
)
#: Voice 2 sounds like voice 3 (cosine 0.8) and not like voice 1 (0.0).
EMBEDDINGS = {"voice 1": (1.0, 0.0, 0.0), "voice 2": (0.0, 0.8, 0.6), "voice 3": (0.0, 1.0, 0.0)}


def found(turns: tuple[VoiceTurn, ...] = TURNS, embeddings: dict[str, tuple[float, ...]] = EMBEDDINGS) -> Diarization:
    return Diarization(turns, turns, embeddings)


def test_a_phantom_goes_to_the_voice_it_sounds_like_and_is_noted() -> None:
    result = absorb_phantoms(found())

    assert [turn.voice for turn in result.diarization.turns] == ["voice 1", "voice 3", "voice 3"]
    assert [turn.voice for turn in result.diarization.exclusive] == ["voice 1", "voice 3", "voice 3"]
    assert set(result.diarization.embeddings) == {"voice 1", "voice 3"}
    assert result.absorbed == (AbsorbedVoice("voice 2", "voice 3", 2.0, 0.8),)


def test_a_short_voice_that_sounds_like_nobody_stays() -> None:
    stranger = found(embeddings=EMBEDDINGS | {"voice 2": (0.0, 0.0, 1.0)})

    assert absorb_phantoms(stranger) == absorb_phantoms(stranger, least_voices=3)
    assert absorb_phantoms(stranger).diarization == stranger


def test_two_people_who_sound_alike_on_the_telephone_stay_two() -> None:
    alike = found(embeddings=EMBEDDINGS | {"voice 2": (0.0, 0.61, 0.79)})

    assert absorb_phantoms(alike).absorbed == ()


def test_a_voice_that_says_more_than_a_phantom_stays_however_it_sounds() -> None:
    longer = (TURNS[0], VoiceTurn(60.0, 60.0 + LONGEST_SECONDS + 0.1, "voice 2"), VoiceTurn(66.0, 180.0, "voice 3"))

    assert absorb_phantoms(found(longer)).absorbed == ()


def test_in_a_short_recording_two_seconds_are_a_speaker() -> None:
    short = (VoiceTurn(0.0, 6.0, "voice 1"), TURNS[1], VoiceTurn(62.0, 70.0, "voice 3"))

    assert LARGEST_SHARE * 16.0 < 2.0
    assert absorb_phantoms(found(short)).absorbed == ()


def test_as_many_voices_stay_as_were_asked_for() -> None:
    assert absorb_phantoms(found(), least_voices=3).absorbed == ()


def test_a_voice_without_an_embedding_stays() -> None:
    assert absorb_phantoms(found(embeddings={})).absorbed == ()
    assert absorb_phantoms(Diarization((), ())).absorbed == ()


voice_turns = st.lists(
    st.builds(
        lambda start, length, voice: VoiceTurn(start, start + length, f"voice {voice}"),
        st.floats(0, 300),
        st.floats(0.1, 30),
        st.integers(1, 4),
    ),
    max_size=12,
).map(tuple)


@settings(max_examples=100, deadline=None)
@given(voice_turns, st.lists(st.floats(-1, 1), min_size=8, max_size=8))
def test_times_stay_and_only_noted_voices_change(turns: tuple[VoiceTurn, ...], values: list[float]) -> None:
    embeddings = {f"voice {n}": (values[2 * n - 2], values[2 * n - 1]) for n in range(1, 5)}

    result = absorb_phantoms(Diarization(turns, turns, embeddings))

    heirs = {each.voice: each.into for each in result.absorbed}
    assert result.diarization.turns == tuple(
        VoiceTurn(turn.start, turn.end, heirs.get(turn.voice, turn.voice)) for turn in turns
    )
    assert not set(heirs) & set(heirs.values())
