"""Pages that are no UTF-8: Windows-1252 is read and written back, everything else is refused."""

from __future__ import annotations

import pytest

from formats.catalogue import read, render
from formats.learning import learn_style
from schemas.errors import PageError
from tests.pages_read import who_said, with_other_name, with_other_word

PAGE = (
    "Ada Quill: You keep the “lamp” – don’t you?\r\n\r\nTomas Feld: I do. It cost £40 at the café…\r\n\r\n"
    "Ada Quill: Since when?\r\n\r\nTomas Feld: Since the winter of the ice. Jürgen was born then.\r\n"
)
CYRILLIC = "Ада: Привет, как дела у вас сегодня?\n\nТомас: Хорошо, спасибо вам большое.\n\n" * 3
POLISH = "Ada: Żółta łódź płynęła, a ja byłem głodny.\n\nTomas: Dziękuję, jestem śpiący i źle się czuję.\n\n" * 3
JAPANESE = "Ada: こんにちは、灯台のことを話しましょう。\n\nTomas: はい、ありがとう。\n\n" * 3


def test_a_page_in_windows_1252_is_read_as_one_in_utf_8_and_written_back_as_it_was() -> None:
    content = PAGE.encode("cp1252")

    transcript = read(content)

    assert render(transcript) == content
    assert who_said(transcript) == who_said(read(PAGE.encode()))
    assert transcript.layout is not None
    assert transcript.layout.encoding == "windows-1252"


def test_its_document_on_disk_gives_the_page_again() -> None:
    content = PAGE.encode("cp1252")

    assert render(read(render(read(content), format="json"))) == content


def test_one_word_or_name_changes_alone_in_windows_1252() -> None:
    transcript = read(PAGE.encode("cp1252"))

    word = render(with_other_word(transcript, 2))
    name = render(with_other_name(transcript, "Tomas Feld", "Björn Åkesson"))

    assert word == PAGE.replace("Since when?", "Since zyxwvut").encode("cp1252")
    assert name == PAGE.replace("Tomas Feld", "Björn Åkesson").encode("cp1252")


def test_a_name_that_windows_1252_cannot_write_makes_the_page_utf_8() -> None:
    transcript = read(PAGE.encode("cp1252"))

    page = render(with_other_name(transcript, "Tomas Feld", "Łucja Nowak"))

    assert page == PAGE.replace("Tomas Feld", "Łucja Nowak").encode()


def test_a_page_in_utf_8_says_so() -> None:
    layout = read(PAGE.encode()).layout

    assert layout is not None
    assert layout.encoding == "utf-8"


def test_a_style_is_learnt_from_such_a_page() -> None:
    assert learn_style(PAGE.encode("cp1252"), name="learnt").label.pattern == "{label}: "


def test_captions_in_windows_1252_are_read() -> None:
    cues = "1\n00:00:01,000 --> 00:00:02,000\nAda: You’re late – again.\n\n"
    cues += "2\n00:00:03,000 --> 00:00:04,000\nTomas: I am.\n"

    assert who_said(read(cues.encode("cp1252"))) == [("Ada", ["You’re late – again."]), ("Tomas", ["I am."])]


@pytest.mark.parametrize(
    "content",
    [
        PAGE.encode("mac_roman"),
        PAGE.encode("cp437", "replace"),
        CYRILLIC.encode("cp1251"),
        CYRILLIC.encode("koi8-r"),
        POLISH.encode("cp1250"),
        POLISH.encode("iso8859-2"),
        JAPANESE.encode("shift_jis"),
        JAPANESE.encode("euc_jp"),
        PAGE.encode() + b"\xe2\x80",
        PAGE.encode().replace(b"Since", b"Sinc\xe9"),
        "Ada: Zoé et André étaient là.\n\nTomas: Nuit d’été, forêt.\n\n".replace("’", "'").encode() * 2 + b"\xe9t",
        PAGE.encode("cp1252").replace(b"Since", b"Sin\0ce"),
        b"\x89PNG\r\n\x1a\n" + PAGE.encode("cp1252"),
    ],
    ids=[
        "Mac OS", "DOS", "Windows-1251", "KOI8-R", "Windows-1250", "ISO 8859-2", "Shift JIS", "EUC-JP",
        "UTF-8 that is cut off", "UTF-8 with damage", "French with damage", "with a NUL", "a picture",
    ],
)  # fmt: skip
def test_other_encodings_damaged_text_and_binary_files_are_refused(content: bytes) -> None:
    with pytest.raises(PageError, match=r"not UTF-8 text, nor Windows-1252: byte \d+ is 0x") as caught:
        read(content)

    assert caught.value.code == "page_not_text"
