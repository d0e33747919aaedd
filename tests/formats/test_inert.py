"""What a name, a title or a word may look like, it stays text in every format and style."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from xml.etree import ElementTree

import html5lib
import pytest
from markdown_it import MarkdownIt

from formats.catalogue import FORMATS, render
from formats.catalogue import styles as shipped
from schemas.episode import AudioInfo, Episode, Participant
from schemas.transcript import Aside, AsideKind, Paragraph, Speaker, Transcript, Turn, Word

EVIL = [
    "<script>alert(1)</script>",
    "</p></section><script>",
    '"><img src=x onerror=alert(1)>',
    "--> 00:00:00.000 --> 99:00:00.000",
    "<v Somebody Else>",
    '=HYPERLINK("http://x.example","here")',
    "+cmd|' /C calc'!A0",
    "]]> <!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]> &e;",
    "a\x00b\x07c\x1b[31md\x7f\x9b",
    "a\u202eb\u2066c\u2028d\u2029e\x85f",
    "a\r\nWEBVTT\r\n\r\nb",
    "\ud800\ufffe\uffff",
    "[x](javascript:alert(1)) ![y](http://x.example/y.png)",
    "{{ 7 * 7 }} {% for x in y %}",
    "{\\an8} <i>x</i> &lt;b&gt;",
    "Ada Quill: I never said that",
]


def loud(evil: str) -> Transcript:
    """A transcript whose every free text is the evil one."""
    words = tuple(Word(text, 1.0 + n, 1.5 + n, 0.5) for n, text in enumerate(("Well,", evil, "yes.")))
    paragraphs = (
        Paragraph("P1", f"Well, {evil} yes.", 1.0, 4.0, words),
        Paragraph("P2", evil, 5.0, 6.0, (Word(evil, 5.0, 6.0, 0.5),)),
    )
    aside = Aside("A1", AsideKind.PULL_QUOTE, evil, after=1)
    return Transcript(
        Episode(
            "0b5f2c7e-9d6b-5a51-8a8f-3f1f0f0c2a11",
            title=evil,
            show=evil,
            published=evil,
            language=evil,
            participants=(Participant(evil, description=evil),),
            audio=AudioInfo(file_name=evil),
        ),
        speakers=(Speaker("S1", name=evil, honorific=evil, description=evil), Speaker("S2", name="Ada Quill")),
        turns=(
            Turn("T1", "S1", paragraphs, 1.0, 6.0, (aside,)),
            Turn("T2", "S2", (Paragraph("P3", "Hm.", 7.0, 8.0, (Word("Hm.", 7.0, 8.0),)),), 7.0, 8.0),
        ),
        language=evil,
    )


ACTING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def check_html(content: bytes) -> None:
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(content)
    tags = {node.tag for node in tree.iter() if isinstance(node.tag, str)}
    assert not tags & {"script", "img", "iframe", "object", "form", "i"}
    assert all(not name.startswith("on") for node in tree.iter() for name in node.attrib)
    assert all(value.startswith("#") for node in tree.iter() for name, value in node.attrib.items() if name == "href")
    assert len(tree.findall(".//section")) == 2


def check_markdown(content: bytes) -> None:
    kinds = set()
    for token in MarkdownIt("commonmark").parse(content.decode()):
        kinds |= {token.type, *(child.type for child in token.children or [])}
    assert not kinds & {"html_block", "html_inline", "link_open", "image", "code_inline", "fence", "code_block", "hr"}


def check_docx(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        assert parts.testzip() is None
        for name in parts.namelist():
            if name.endswith((".xml", ".rels")):
                ElementTree.fromstring(parts.read(name))
        body = parts.read("word/document.xml").decode()
        links = parts.read("word/_rels/document.xml.rels").decode()
    assert not re.search(r"<w:(?:fldSimple|instrText|fldChar|hyperlink|object)\b", body)
    assert "External" not in links


def check_rss(content: bytes) -> None:
    item = ElementTree.fromstring(content)
    assert b"<!" not in content
    tags = [node.tag.rpartition("}")[2] for node in item.iter()]
    assert set(tags) == {"item", "title", "transcript", "person"} or set(tags) == {"item", "transcript", "person"}
    assert tags.count("person") in (1, 2)


def check_vtt(content: bytes) -> None:
    blocks = content.decode().rstrip("\n").split("\n\n")
    assert blocks[0] == "WEBVTT"
    for block in blocks[1:]:
        assert block.count("-->") == 1
        assert "-->" in block.split("\n")[0]
    spans = re.findall(r"<[^>]*>", content.decode())
    assert all(span.startswith("<v ") for span in spans)
    assert len(spans) == 2


def check_srt(content: bytes) -> None:
    for number, block in enumerate(content.decode().rstrip("\n").split("\n\n"), start=1):
        assert block.split("\n")[0] == str(number)
        assert block.count("-->") == 1
        assert not re.search(r"<[A-Za-z/!?]|\{\\", block)


def check_json(content: bytes) -> None:
    json.loads(content)


CHECKS: dict[str, Callable[[bytes], None]] = {
    "html": check_html,
    "markdown": check_markdown,
    "docx": check_docx,
    "rss": check_rss,
    "vtt": check_vtt,
    "srt": check_srt,
    "podcast-json": check_json,
}


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "json"])
@pytest.mark.parametrize("evil", EVIL)
def test_text_acts_in_no_format(format: str, evil: str) -> None:
    content = render(loud(evil), format=format)

    if format != "docx":
        assert not ACTING.search(content.decode("utf-8"))
    CHECKS.get(format, lambda content: None)(content)


@pytest.mark.parametrize("style", [style.name for style in shipped()])
@pytest.mark.parametrize("evil", EVIL)
def test_text_acts_in_no_style_and_no_template_runs(style: str, evil: str) -> None:
    page = render(loud(evil), style=style).decode("utf-8")

    assert not ACTING.search(page)
    assert "49" not in page


@pytest.mark.parametrize("format", ["text", "markdown", "rttm", "ctm", "stm"])
@pytest.mark.parametrize("evil", EVIL)
def test_text_adds_no_line(format: str, evil: str) -> None:
    calm = render(loud("quiet words"), format=format)

    # what holds nothing but control characters leaves its line out
    assert render(loud(evil), format=format).count(b"\n") <= calm.count(b"\n")
