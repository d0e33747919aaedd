"""Who says a cue: the forms that exports of transcription tools have."""

from __future__ import annotations

import pytest

from formats.catalogue import read
from tests.pages_read import who_said

SAID = ("You keep the lamp.", "I do.", "Since when?", "Since the winter of the ice.")
PEOPLE = ("Ada Quill", "Tomas Feld") * 2


def cues_of(form: str) -> bytes:
    cues = (
        f"00:00:0{n}.000 --> 00:00:0{n}.900\n{form.format(name=name, text=text)}\n"
        for n, (name, text) in enumerate(zip(PEOPLE, SAID, strict=True))
    )
    return ("WEBVTT\n\n" + "\n".join(cues)).encode()


@pytest.mark.parametrize(
    "form",
    ["{name}: {text}", "<v {name}>{text}</v>", "[{name}]: {text}", "[{name}] {text}", "({name}) {text}",
     "- {name}: {text}", ">> {name}: {text}", "{name}\n{text}", "{name}:\n{text}"],
)  # fmt: skip
def test_a_speaker_is_named_in_each_form(form: str) -> None:
    assert who_said(read(cues_of(form))) == [(n, [t]) for n, t in zip(PEOPLE, SAID, strict=True)]


def test_two_people_speak_in_one_cue() -> None:
    cue = "00:00:01.000 --> 00:00:04.000\n- Ada Quill: Since when?\n- Tomas Feld: Since the ice.\n\n"

    said = who_said(read(f"WEBVTT\n\n{cue}{cue.replace('01.', '05.').replace('04.', '08.')}".encode()))

    assert said[:2] == [("Ada Quill", ["Since when?"]), ("Tomas Feld", ["Since the ice."])]


def test_what_is_heard_in_brackets_names_nobody() -> None:
    heard = ("Applause", "Laughter")
    cues = [f"00:00:{n:02d}.000 --> 00:00:{n:02d}.900\n[{heard[n % 2]}] {SAID[n % 4]}\n" for n in range(12)]

    assert {name for name, _ in who_said(read(("WEBVTT\n\n" + "\n".join(cues)).encode()))} == {None}


def test_names_in_brackets_before_few_cues_are_on_signs() -> None:
    signs = {3: "[Harbour Lamp] ", 9: "[Harbour Lamp] ", 12: "[Boat House] ", 15: "[Boat House] "}
    cues = [f"00:00:{n:02d}.000 --> 00:00:{n:02d}.900\n{signs.get(n, '')}{SAID[n % 4]}\n" for n in range(30)]

    assert {name for name, _ in who_said(read(("WEBVTT\n\n" + "\n".join(cues)).encode()))} == {None}


def test_youtubes_sbv_is_captions() -> None:
    cues = "0:00:01.000,0:00:02.000\nAda Quill: Since when?\n\n0:00:03.000,0:00:04.000\nTomas Feld: Since the ice.\n"

    transcript = read(cues.encode())

    assert who_said(transcript) == [("Ada Quill", ["Since when?"]), ("Tomas Feld", ["Since the ice."])]
    assert [turn.start for turn in transcript.turns] == [1.0, 3.0]
