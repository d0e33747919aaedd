"""`stenocast render`, `read` and `styles`: documents to pages and back. No engine is loaded for any of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import write_file
from schemas.errors import NotFound, OptionError, PageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from formats.house_style import HouseStyle
    from schemas.transcript import Transcript


def render(
    document: Annotated[str, typer.Argument(help="A transcript document (JSON), or - for standard input.")],
    style: Annotated[
        str, typer.Option(help="A house style (see `stenocast styles`), or the path of a style's .toml file.")
    ] = "",
    format: Annotated[
        str, typer.Option(help="A format instead of a style: html, docx, vtt, … (`stenocast styles` lists them).")
    ] = "",
    base_url: Annotated[
        str, typer.Option(help="Where the transcripts will lie, for the addresses in the format rss.")
    ] = "",
    output: Annotated[str, typer.Option("--output", "-o", help="A file, or - for standard output.")] = "-",
) -> None:
    """Write a transcript document in a house style or another format.

    Without either, a document that was read from a page becomes that page again; any other is written in the style
    name-line.
    """
    from formats import catalogue

    wanted = style_of(style) if style else None
    catalogue.check_names(formats=[format] if format else [])
    if base_url and format != "rss":
        raise OptionError("--base-url is for --format rss alone", field="base_url")
    if base_url and not base_url.startswith(("https://", "http://")):
        raise OptionError(f"--base-url {base_url!r:.80}: begin it with https://", field="base_url")
    transcript = document_of(_content(document), name=_name(document))
    check_terminal([format], output)
    _write(catalogue.render(transcript, format=format or None, style=wanted, base_url=base_url), output)


def read(
    page: Annotated[str, typer.Argument(help="A page, captions or a feed transcript, or - for standard input.")],
    style: Annotated[
        str,
        typer.Option(help="The house style it is in, or the path of a style's .toml file; found out if not given."),
    ] = "",
    format: Annotated[str, typer.Option(help="vtt, srt, podcast-json or json, instead of a style.")] = "",
    output: Annotated[str, typer.Option("--output", "-o", help="A file, or - for standard output.")] = "-",
) -> None:
    """Read a published page into a transcript document (JSON).

    What the page says about its speakers, its pull quotes and captions are kept; `stenocast render` writes the same
    page again, byte for byte.
    """
    from formats import catalogue

    wanted = style_of(style) if style else None
    transcript = catalogue.read(_content(page), style=wanted, format=format or None, name=_name(page))
    _write(catalogue.render(transcript, format="json"), output)


def styles(
    name: Annotated[
        str, typer.Argument(help="A style to show as TOML, or `learn` to draft one from an example page.")
    ] = "",
    page: Annotated[str, typer.Argument(help="With `learn`: the page, or - for standard input.")] = "",
    output: Annotated[str, typer.Option("--output", "-o", help="A file, or - for standard output.")] = "-",
) -> None:
    """List the house styles with a sample each and the other formats; show one as TOML; learn one from a page.

    `stenocast styles learn PAGE -o own.toml` drafts a style that writes as the page is written. Look it over, then
    give it to --style.
    """
    if name == "learn":
        if not page:
            raise OptionError("styles learn: name the page to learn from", field="page")
        _write(_learnt(page), output)
        return
    if page:
        raise OptionError(f"styles {name} {page}: only `styles learn` takes a page", field="page")
    from formats.catalogue import FORMATS
    from formats.catalogue import render as write
    from formats.catalogue import styles as shipped
    from formats.house_style import style_source
    from formats.sample import SAMPLE

    if name:
        _write(style_source(name).encode("utf-8"), output)
        return
    for number, style in enumerate(shipped()):
        sample = write(SAMPLE, style=style).decode("utf-8")
        lines = [f"    {line}".rstrip() for line in sample.split("\n")]
        print(f"{'' if number == 0 else chr(10)}{style.name}: {style.description}\n")
        print("\n".join(lines))
    print("\nFormats that are no style, for --format:\n")
    for each in FORMATS.values():
        print(f"    {each.name:<14}{each.description}")


def document_of(content: bytes, *, name: str) -> Transcript:
    """The transcript document that the bytes are. Raises PageError `document_invalid`, with what to do of a page."""
    from formats.catalogue import read

    text = content.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        raise PageError(f"{name}: is empty, so no transcript document", code="document_invalid")
    if not text.startswith(b"{"):
        raise PageError(
            f"{name}: no transcript document (JSON); of a page or captions, `stenocast read` makes one",
            code="document_invalid",
        )
    return read(content, format="json", name=name)


def _learnt(page: str) -> bytes:
    import re

    from formats.house_style import write_style
    from formats.learning import learn_style

    stem = "" if page == "-" else Path(page).stem
    name = re.sub(r"[^a-z0-9]+", "-", stem.casefold()).strip("-")[:40].strip("-") or "own"
    style = learn_style(_content(page), name=name, source=_name(page))
    return write_style(style).encode("utf-8")


def check_terminal(formats: Sequence[str], output: str) -> None:
    """Refuse to print what is no text on a terminal. A pipe and a file get the bytes."""
    from formats.catalogue import FORMATS

    binary = next((each for each in formats if each in FORMATS and FORMATS[each].is_binary), None)
    if binary and output == "-" and sys.stdout.isatty():
        raise OptionError(f"{binary} is no text: name a file with --output, or use a pipe", field="output")


def style_of(value: str) -> HouseStyle:
    """The house style that an option names. Raises NotFound `style_unknown`, PageError `style_invalid`."""
    from formats.catalogue import FORMATS
    from formats.house_style import style_from_user

    if value in FORMATS:
        raise NotFound(
            f"{value} is a format and no house style: --format {value}", code="style_unknown", field="style"
        )
    return style_from_user(value)


def _name(path: str) -> str:
    return "standard input" if path == "-" else path


def _content(path: str) -> bytes:
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise NotFound(f"{path}: cannot be read: {error.strerror}", code="file_not_found") from error


def _write(content: bytes, output: str) -> None:
    """To a file as it is. A terminal gets a line end after a page that has none; a pipe gets the page's own bytes."""
    if output != "-":
        write_file(Path(output), content)
        print(f"wrote {output}", file=sys.stderr)
        return
    sys.stdout.buffer.write(content)
    if sys.stdout.isatty() and content and not content.endswith(b"\n"):
        sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()
