"""The synthetic episodes: their scripts, and the mixing with a voice of the test's own."""

from __future__ import annotations

import shutil
import wave
from pathlib import Path

import numpy as np
import pytest

from evaluation.sets.make import Episode, chosen, made, place_of, write
from evaluation.sets.mixing import mix
from evaluation.sets.script import Bed, Interlude, Line, Script, SoundKind, Synthesizer, Voice, read_script, scripts
from evaluation.sets.synthesizers import check_synthesizers, spoken
from evaluation.truth import read_turns
from schemas.errors import InputError, NotFound, NotReady
from transcription.participants import parse_participant
from transcription.ports import SAMPLE_RATE

ALL = scripts()
#: What `spoken` needs; where it is not installed, the tests that really speak are skipped.
HAS_FLITE = shutil.which("flite") is not None


def beep(sentence: str, voice: Voice) -> np.ndarray:
    """A tenth of a second a word."""
    return np.full(len(sentence.split()) * SAMPLE_RATE // 10, 0.5, dtype=np.float32)


def script(*entries: Line | Interlude, beds: tuple[Bed, ...] = ()) -> Script:
    voices = {each: Voice(each.title(), Synthesizer.FLITE, "slt") for each in ("ada", "bo")}
    return Script("talk", "a test", "Talk", "Show", 5, (), voices, entries, beds)


def test_there_are_at_least_twelve_with_two_to_five_speakers() -> None:
    counts = {len(each.voices) for each in ALL}

    assert len(ALL) >= 12
    assert counts == {2, 3, 4, 5}


def test_what_is_hard_is_there() -> None:
    def has(claim: object) -> bool:
        return any(claim(each) for each in ALL)  # type: ignore[operator]

    assert has(lambda each: any(line.pause < -0.3 for line in each.lines)), "overlap"
    assert has(lambda each: any(bed.sound is SoundKind.MUSIC for bed in each.beds)), "music under speech"
    assert has(lambda each: any(bed.sound is SoundKind.NOISE for bed in each.beds)), "noise under speech"
    assert has(lambda each: any(len(line.text.split()) > 200 for line in each.lines)), "a long monologue"
    assert has(lambda each: any(line.recording == 2 for line in each.lines)), "a second recording"
    assert has(lambda each: any(character.isdigit() for line in each.lines for character in line.text)), "numbers"


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.name)
def test_every_script_is_short_plausible_and_consistent(each: Script) -> None:
    names = {voice.name for voice in each.voices.values() if voice.name}

    assert 30 <= each.guessed_seconds() <= 240
    assert {line.voice for line in each.lines} == set(each.voices)
    assert {parse_participant(given).name for given in each.participants} <= names
    assert len({(voice.synthesizer, voice.voice) for voice in each.voices.values()}) == len(each.voices)


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.name)
def test_a_name_without_metadata_is_said_aloud(each: Script) -> None:
    if each.participants:
        return
    text = " ".join(line.text for line in each.lines)

    assert all(voice.name in text for voice in each.voices.values() if voice.name)


def test_truth_has_the_times_of_the_sound_itself() -> None:
    mixed = mix(script(Line("ada", "who rows the ferry", pause=0.5), Line("bo", "my aunt", pause=0.25)), beep)

    first, second = mixed.truth
    assert (first.start, first.end) == (1.0, 1.4)
    assert (second.start, second.end) == (1.65, 1.85)
    loud = np.flatnonzero(np.abs(mixed.samples) > 0.1)
    assert loud[0] == SAMPLE_RATE


def test_a_negative_pause_lets_two_speak_at_once_and_a_short_word_moves_nobody() -> None:
    long, short = Line("ada", "one two three four five six", pause=0.0), Line("bo", "yes", pause=-0.4)

    mixed = mix(script(long, short, Line("ada", "seven", pause=0.0)), beep)

    assert [(each.start, each.end) for each in mixed.truth] == [(0.5, 1.1), (0.7, 0.8), (1.1, 1.2)]


def test_an_empty_line_begins_a_paragraph_and_a_second_recording_waits() -> None:
    mixed = mix(script(Line("ada", "one. two.\n\nthree.", pause=0.0), Line("bo", "four", recording=2)), beep)

    assert [each.paragraph for each in mixed.truth] == [False, False, True, False]
    assert mixed.truth[3].start - mixed.truth[2].end == pytest.approx(2.4)
    assert mixed.truth[3].recording == 2


def test_sounds_lie_where_the_script_says() -> None:
    talk = script(
        Interlude(SoundKind.MUSIC, 1.0, level=-12.0),
        Line("ada", "one", pause=0.0),
        Line("bo", "two", pause=1.0),
        beds=(Bed(SoundKind.HUM, 2, 2, level=-12.0),),
    )

    mixed = mix(talk, beep)

    def loudness(start: float, end: float) -> float:
        return float(np.sqrt(np.mean(mixed.samples[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)] ** 2)))

    assert loudness(0.9, 1.1) > 0.05
    assert loudness(1.8, 2.4) < 0.01
    assert mixed.truth[0].start == 1.5


def test_the_same_script_gives_the_same_samples() -> None:
    talk = script(Interlude(SoundKind.NOISE, 0.5), Line("ada", "one"), beds=(Bed(SoundKind.MUSIC, 1, 2),))

    assert np.array_equal(mix(talk, beep).samples, mix(talk, beep).samples)


def test_a_made_episode_is_read_as_truth_and_not_made_again(tmp_path: Path) -> None:
    named = ALL[0]
    episode = place_of(named, tmp_path)
    write(mix(named, beep), episode)

    again = made(named, tmp_path)  # would need a synthesizer if it were not there

    truth = read_turns(again.truth)
    assert again == Episode(named, episode.audio, episode.truth)
    assert truth.voice_count() == len(named.voices)
    assert dict(truth.names) == {label: voice.name for label, voice in named.voices.items() if voice.name}
    with wave.open(str(again.audio)) as sound:
        assert sound.getframerate() == SAMPLE_RATE
    assert [path.name for path in tmp_path.iterdir()] == [episode.audio.parent.name]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ('voice = "host"', "nobody is called"),
        ("loudness = 3", "loudness"),
        ('synthesizer = "parrot"', "parrot"),
        ("first = 9", "no entries"),
    ],
)
def test_a_wrong_script_is_named_with_what_is_wrong(tmp_path: Path, change: str, says: str) -> None:
    parts = {
        'voice = "host"': ("", 'voice = "host"\n', ""),
        "loudness = 3": ("", 'voice = "ada"\nloudness = 3\n', ""),
        'synthesizer = "parrot"': ('synthesizer = "parrot"', 'voice = "ada"\n', ""),
        "first = 9": ("", 'voice = "ada"\n', '\n[[beds]]\nsound = "hum"\nfirst = 9\nlast = 9\n'),
    }
    synthesizer, entry, bed = parts[change]
    path = tmp_path / "broken.toml"
    path.write_text(
        'about = "a"\ntitle = "t"\nshow = "s"\nseed = 1\n[voices.ada]\nname = "Ada"\nvoice = "slt"\n'
        + (synthesizer or 'synthesizer = "flite"')
        + f'\n[[entries]]\n{entry}text = "one"\n{bed}'
    )

    with pytest.raises(InputError, match=rf"broken\.toml.*{says}"):
        read_script(path)


def test_an_unknown_script_and_a_missing_synthesizer_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(NotReady, match="apt-get install flite"):
        check_synthesizers([Synthesizer.FLITE])
    with pytest.raises(NotFound, match="no-such"):
        chosen(["no-such"])


@pytest.mark.skipif(not HAS_FLITE, reason="flite is not installed (only generating episodes needs it)")
def test_flite_speaks_at_the_level_asked_for() -> None:
    samples = spoken("Who rows the ferry?", Voice("Ada", Synthesizer.FLITE, "slt", pitch=178, level=-20.0))

    assert 0.5 < samples.size / SAMPLE_RATE < 3.0
    assert float(np.sqrt(np.mean(samples**2))) == pytest.approx(0.1, rel=0.01)


def test_a_bad_line_lets_only_its_band_through_at_the_same_loudness() -> None:
    def hiss(sentence: str, voice: Voice) -> np.ndarray:
        return (0.1 * np.random.default_rng(1).standard_normal(SAMPLE_RATE)).astype(np.float32)

    clear, thin = mix(script(Line("ada", "one")), hiss), mix(script(Line("ada", "one", band=(500, 2200))), hiss)

    def loudness(samples: np.ndarray, lowest: int, highest: int) -> float:
        power = np.abs(np.fft.rfft(samples)) ** 2
        return float(power[lowest * samples.size // SAMPLE_RATE : highest * samples.size // SAMPLE_RATE].sum())

    assert loudness(thin.samples, 4000, 8000) < 0.01 * loudness(clear.samples, 4000, 8000)
    assert np.sqrt(np.mean(thin.samples**2)) == pytest.approx(np.sqrt(np.mean(clear.samples**2)), rel=0.1)


def test_paragraphs_are_as_far_apart_as_their_line_says() -> None:
    near, far = (
        mix(script(Line("ada", "one.\n\ntwo.", **kind)), beep).truth for kind in ({}, {"paragraph_pause": 2.5})
    )

    assert near[1].start - near[0].end == pytest.approx(0.9)
    assert far[1].start - far[0].end == pytest.approx(2.5)


def test_a_band_that_is_none_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    text = (
        'about = "a"\ntitle = "t"\nshow = "s"\nseed = 1\n[voices]\na = { name = "", synthesizer = "flite", '
        'voice = "slt" }\n[[entries]]\nvoice = "a"\nband = [2200, 500]\ntext = "one"\n'
    )
    (tmp_path / "thin.toml").write_text(text)

    with pytest.raises(InputError, match=r"thin\.toml.*band"):
        read_script(tmp_path / "thin.toml")
