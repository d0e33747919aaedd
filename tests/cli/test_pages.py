"""`stenocast render`, `read` and `styles`, called as functions with the streams of a process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cli import name as naming
from cli import pages
from cli.transcribe import transcribe, write_documents
from formats.catalogue import FORMATS, read
from formats.house_style import parse_style
from schemas.errors import InputError, NotFound, OptionError, PageError

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
DEMO = GOLDEN.parent.parent / "examples" / "demo"
#: A style that can be read and cannot write.
BROKEN = """
name = "own"
[label]
first = "full"
later = "full"
pattern = "{label}: "
[furniture]
above = ["{{ (title ~ 1) / 2 }}"]
"""


@pytest.mark.parametrize("style", ["name-line", "caps-list", "full-then-first", "numbered-timestamps"])
def test_a_page_read_and_rendered_is_the_same_file(tmp_path: Path, style: str) -> None:
    page = GOLDEN / "pages" / f"{style}.txt"

    pages.read(str(page), output=str(tmp_path / "doc.json"))
    pages.render(str(tmp_path / "doc.json"), output=str(tmp_path / "page.txt"))

    assert (tmp_path / "page.txt").read_bytes() == page.read_bytes()


def test_render_writes_a_style_to_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    pages.render(str(GOLDEN / "transcript-1.json"), style="caps-list")

    assert capfdbinary.readouterr().out == (GOLDEN / "transcript-1" / "caps-list.txt").read_bytes()


def test_a_style_file_of_the_publishers_own_is_used(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('name = "own"\n[label]\nfirst = "full_caps"\nlater = "full_caps"\npattern = "{label} - "\n')

    pages.render(str(GOLDEN / "transcript-1.json"), style=str(own), output=str(tmp_path / "page.txt"))

    assert (tmp_path / "page.txt").read_text().startswith("ADA QUILL - Hello and welcome")


def test_styles_lists_each_with_a_sample_and_shows_one_as_toml(capsys: pytest.CaptureFixture[str]) -> None:
    pages.styles()
    listed = capsys.readouterr().out
    pages.styles("name-line")
    shown = capsys.readouterr().out

    for name in ("caps-list", "full-then-first", "name-line", "numbered-timestamps"):
        assert f"{name}: " in listed
    assert "Speaker 2 [00:00:12] Thirty-one" in listed
    assert shown.startswith('name = "name-line"')


@pytest.mark.parametrize("style", ["name-line", "caps-list", "full-then-first", "numbered-timestamps"])
def test_a_style_is_learnt_from_a_page_and_writes_like_it(tmp_path: Path, style: str) -> None:
    page = GOLDEN / "transcript-1" / f"{style}.txt"
    own = tmp_path / "own.toml"

    pages.styles("learn", str(page), output=str(own))
    pages.render(str(GOLDEN / "transcript-1.json"), style=str(own), output=str(tmp_path / "page.txt"))

    def labels(path: Path) -> list[str]:
        return [line[:14] for line in path.read_text().split("\n") if line]

    assert labels(tmp_path / "page.txt")[-5:] == labels(page)[-5:]
    assert own.read_text().startswith(f'name = "{style}"')


def test_styles_learn_needs_a_page_and_nothing_else_takes_one() -> None:
    with pytest.raises(OptionError, match="name the page"):
        pages.styles("learn")
    with pytest.raises(OptionError, match="only `styles learn`"):
        pages.styles("name-line", "page.txt")


def test_a_page_read_in_an_own_style_is_written_again_without_naming_the_style(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('name = "own"\n[label]\nfirst = "full_caps"\nlater = "full_caps"\npattern = "{label} - "\n')
    page = tmp_path / "page.txt"
    page.write_text("ADA QUILL - Hello.\n\nTOMAS FELD - Hi.\n\nADA QUILL - So.\n")

    pages.read(str(page), style=str(own), output=str(tmp_path / "doc.json"))
    own.unlink()
    pages.render(str(tmp_path / "doc.json"), output=str(tmp_path / "again.txt"))

    assert (tmp_path / "again.txt").read_bytes() == page.read_bytes()


def test_a_style_that_is_misspelt_or_a_format_is_told_what_was_meant(tmp_path: Path) -> None:
    document = str(GOLDEN / "transcript-1.json")

    for asked, option, meant in (
        ("nam-line", "style", "did you mean 'name-line'?"),
        ("docs", "format", "did you mean 'docx'?"),
        ("vtt", "style", "vtt is a format and no house style: --format vtt"),
    ):
        with pytest.raises(NotFound) as caught:
            pages.render(document, **{option: asked})
        assert caught.value.message.endswith(meant)


def test_a_page_in_the_place_of_a_document_is_told_what_makes_one() -> None:
    page = GOLDEN / "transcript-1" / "caps-list.txt"

    for command in (lambda: pages.render(str(page)), lambda: naming.name(page)):
        with pytest.raises(PageError, match=r"caps-list\.txt: no transcript document .* `stenocast read`"):
            command()


def test_an_empty_file_in_the_place_of_a_document_is_said_to_be_empty(tmp_path: Path) -> None:
    (tmp_path / "ferry.json").write_text("\n")

    with pytest.raises(PageError, match=r"ferry\.json: is empty"):
        pages.render(str(tmp_path / "ferry.json"))


def test_the_document_is_written_even_where_a_style_fails(tmp_path: Path) -> None:
    document = read((GOLDEN / "transcript-1.json").read_bytes(), format="json")
    broken = parse_style(BROKEN, source="own")

    with pytest.raises(PageError):
        write_documents(document, styles=[broken], formats=[], output=str(tmp_path), stem="pier")

    assert (tmp_path / "pier.transcript.json").is_file()


def test_a_style_that_cannot_write_is_refused_before_the_work(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(BROKEN)

    with pytest.raises(PageError, match=r"own\.toml: furniture template") as caught:
        transcribe(str(DEMO / "episode.mp3"), models="scripted", style=[str(own)], output=str(tmp_path / "out"))

    assert caught.value.code == "style_invalid"
    assert not (tmp_path / "out").exists()


def test_missing_and_unwritable_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="gone"):
        pages.read(str(tmp_path / "gone.txt"))
    with pytest.raises(NotFound, match=r"gone\.toml"):
        pages.render(str(GOLDEN / "transcript-1.json"), style=str(tmp_path / "gone.toml"))
    with pytest.raises(InputError, match="nowhere"):
        pages.read(str(GOLDEN / "pages" / "name-line.txt"), output=str(tmp_path / "nowhere" / "doc.json"))


@pytest.mark.processes
def test_rendering_imports_no_engine() -> None:
    code = (
        "import sys; from cli import pages;"
        f"pages.render({str(GOLDEN / 'transcript-1.json')!r}, style='name-line', output='-');"
        "heavy = {'torch', 'faster_whisper', 'pyannote', 'av', 'numpy', 'fastapi', 'sqlalchemy'} & set(sys.modules);"
        "sys.exit(repr(heavy) if heavy else 0)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=GOLDEN.parent.parent, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_a_word_document_goes_into_a_file_or_a_pipe_but_not_onto_a_terminal(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    document = str(GOLDEN / "transcript-1.json")

    pages.render(document, format="docx", output=str(tmp_path / "page.docx"))
    pages.render(document, format="docx")
    piped = capfdbinary.readouterr().out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    with pytest.raises(OptionError, match="docx is no text"):
        pages.render(document, format="docx")

    assert (tmp_path / "page.docx").read_bytes() == piped
    assert piped.startswith(b"PK")


def test_the_feeds_addresses_begin_with_the_base(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    pages.render(str(GOLDEN / "transcript-1.json"), format="rss", base_url="https://pods.example/t")

    assert b'url="https://pods.example/t/the-lamp-on-the-pier.vtt"' in capfdbinary.readouterr().out
    with pytest.raises(OptionError, match="rss alone"):
        pages.render(str(GOLDEN / "transcript-1.json"), format="vtt", base_url="https://pods.example/t")
    with pytest.raises(OptionError, match=r"--base-url 'pods\.example': begin it with https://"):
        pages.render(str(GOLDEN / "transcript-1.json"), format="rss", base_url="pods.example")


def test_the_feeds_addresses_are_those_of_the_files_beside_it(tmp_path: Path) -> None:
    document = read(Path(GOLDEN / "transcript-1.json").read_bytes(), format="json")

    write_documents(document, styles=[], formats=["vtt", "rss"], output=str(tmp_path), stem="pier-12")

    assert (tmp_path / "pier-12.vtt").exists()
    assert 'url="pier-12.vtt"' in (tmp_path / "pier-12.rss.xml").read_text()


def test_styles_lists_the_formats_too(capsys: pytest.CaptureFixture[str]) -> None:
    pages.styles()

    listed = capsys.readouterr().out
    assert all(f"    {name} " in listed for name in FORMATS)
