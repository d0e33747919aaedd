"""Markdown, HTML, Word and the feed snippet: each read again by a reader that is not ours."""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import docx
import html5lib
import pytest
from lxml import etree
from markdown_it import MarkdownIt

from formats import catalogue
from formats.catalogue import read, render
from formats.feed import render_rss
from formats.parts import REASONS, UNTOLD
from schemas.episode import Episode
from schemas.transcript import (
    Aside,
    AsideKind,
    DoubtfulSpan,
    Paragraph,
    Quality,
    Speaker,
    SpokenLanguage,
    Transcript,
    Turn,
    Word,
    WordTag,
)
from transcription.guarding import Flaw
from transcription.wording import visible_text

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
PODCAST = "{https://podcastindex.org/namespace/1.0}"
APP = Path(__file__).resolve().parent.parent.parent / "api" / "page" / "app.js"


def of_page(golden: Any, style: str) -> Transcript:
    return read((golden / "pages" / f"{style}.txt").read_bytes())


def web_page(transcript: Transcript) -> etree._Element:
    """The page's tree; html5lib's strict parser fails on the first thing that is not valid HTML."""
    return html5lib.HTMLParser(strict=True, tree=html5lib.getTreeBuilder("lxml"), namespaceHTMLElements=False).parse(
        render(transcript, format="html")
    )


def text_of(node: etree._Element) -> str:
    return "".join(node.itertext())


# ---------------------------------------------------------------- HTML


def test_the_page_is_valid_and_says_who_said_what_and_when(transcript: Transcript) -> None:
    page = web_page(transcript)

    sections = page.findall(".//section")
    first = sections[0]
    assert [child.tag for child in first] == ["cite", "time", "p"]
    assert text_of(first.find("cite")) == "Ada Quill:"
    assert (first.find("time").get("datetime"), text_of(first.find("time"))) == ("PT3.100S", "0:03")
    assert [text_of(p) for section in sections for p in section.findall("p")] == [
        p.text for turn in transcript.turns for p in turn.paragraphs
    ]


def test_every_paragraph_of_the_page_can_be_linked_to(transcript: Transcript) -> None:
    page = web_page(transcript)

    ids = [node.get("id") for node in page.iterfind(".//*[@id]")]
    links = [a.get("href") for a in page.iterfind(".//a")]
    assert len(ids) == len(set(ids))
    assert links == [f"#p{n}" for n in range(1, sum(len(t.paragraphs) for t in transcript.turns) + 1)]
    assert {link[1:] for link in links} <= set(ids)


@pytest.mark.parametrize("style", ["name-line", "caps-list", "full-then-first", "numbered-timestamps"])
def test_a_page_that_was_read_is_valid_html_with_or_without_times(golden: Any, style: str) -> None:
    transcript = of_page(golden, style)

    page = web_page(transcript)

    assert len(page.findall(".//section")) == len(transcript.turns)
    assert bool(page.findall(".//section/time")) == (style == "numbered-timestamps")


def test_quotes_and_captions_stand_on_the_page_where_they_stood(golden: Any) -> None:
    page = web_page(of_page(golden, "full-then-first"))

    fifth = page.findall(".//section")[4]
    assert [(child.tag, child.get("class")) for child in fifth] == [
        ("cite", None), ("a", "anchor"), ("p", None), ("blockquote", None), ("p", "caption"), ("a", "anchor"),
        ("p", None),
    ]  # fmt: skip


def test_doubtful_words_are_marked_and_left_out_words_are_not_there() -> None:
    words = (
        Word("Um,", 0.0, 0.2, tags=(WordTag.FILLER,)),
        Word("the", 0.3, 0.4),
        Word("<lamp>.", 0.5, 0.9, tags=(WordTag.DOUBTFUL,)),
    )
    paragraph = Paragraph("P1", "The <lamp>.", 0.0, 0.9, words)
    transcript = Transcript(Episode("x"), turns=(Turn("T1", None, (paragraph,), 0.0, 0.9),))

    [marked] = web_page(transcript).findall(".//span")

    assert text_of(marked) == "<lamp>."
    assert marked.get("title") == UNTOLD
    assert text_of(marked.getparent()) == "The <lamp>."


def test_a_doubtful_word_without_times_is_not_given_the_reason_of_another_place() -> None:
    words = (Word("Row,", 0.0, 0.5, tags=(WordTag.DOUBTFUL,)), Word("row.", tags=(WordTag.DOUBTFUL,)))

    marked = web_page(in_doubt(*words, spans=(DoubtfulSpan(0.0, 0.5, "repetition"),))).findall(".//span")

    assert [(text_of(each), each.get("title")) for each in marked] == [
        ("Row,", "the same words over and over"),
        ("row.", UNTOLD),
    ]


def in_doubt(*words: Word, spans: tuple[DoubtfulSpan, ...] = ()) -> Transcript:
    """A transcript of one paragraph of words."""
    paragraph = Paragraph("P1", visible_text(words), words[0].start, words[-1].end, words)
    turn = Turn("T1", None, (paragraph,), paragraph.start, paragraph.end)
    return Transcript(Episode("x"), turns=(turn,), quality=Quality(doubtful=spans))


DOUBTED = in_doubt(
    Word("Row,", 0.0, 0.5, tags=(WordTag.DOUBTFUL,)),
    Word("row,", 0.5, 1.0, tags=(WordTag.DOUBTFUL,)),
    Word("“row”", 1.0, 1.5, tags=(WordTag.DOUBTFUL,)),
    Word("home", 1.5, 2.0),
    Word("*quay*.", 2.0, 2.5, tags=(WordTag.DOUBTFUL,)),
    spans=(
        DoubtfulSpan(0.0, 1.0, "repetition", "Row, row,"),
        DoubtfulSpan(1.0, 1.5, "repetition"),
        DoubtfulSpan(2.0, 2.5, "word_lengths"),
        DoubtfulSpan(2.1, 2.5, "low_probability"),
    ),
)


def test_a_doubtful_passage_is_marked_in_one_piece_and_says_what_is_wrong_with_it() -> None:
    marked = web_page(DOUBTED).findall(".//span")

    assert [(text_of(each), each.get("title")) for each in marked] == [
        ("Row, row, “row”", "the same words over and over"),
        ("*quay*.", "words of impossible length, unsure of the words"),
    ]
    assert text_of(marked[0].getparent()) == "Row, row, “row” home *quay*."


def test_every_flaw_has_a_reason_for_readers_that_the_service_s_page_gives_too() -> None:
    [on_the_page] = re.findall(r"const REASONS = (\{.*?\});", APP.read_text(encoding="utf-8"), re.DOTALL)
    as_json = re.sub(r"(\w+):", r'"\1":', re.sub(r",\s*\}", "}", on_the_page))

    assert json.loads(as_json) == REASONS
    assert set(Flaw) <= set(REASONS)


def in_two_languages(language: str, other: str) -> Transcript:
    """Two paragraphs, the second of which is mostly in the other language."""
    paragraphs = (Paragraph("P1", "Here.", 0.0, 4.0), Paragraph("P2", "There.", 5.0, 9.0))
    spans = (SpokenLanguage(3.5, 5.5, other, 0.9), SpokenLanguage(6.0, 9.0, other, 0.9))
    turn = Turn("T1", None, paragraphs, 0.0, 9.0)
    return Transcript(Episode("x"), turns=(turn,), language=language, languages=spans)


def test_a_paragraph_in_another_language_says_so() -> None:
    first, second = web_page(in_two_languages("en", "fr")).findall(".//section/p")

    assert (first.get("lang"), second.get("lang"), second.get("dir")) == (None, "fr", None)


@pytest.mark.parametrize(
    ("language", "other", "direction"), [("en", "ar", "rtl"), ("he", "en", "ltr"), ("he", "ar", None)]
)
def test_a_paragraph_in_another_language_runs_its_own_way(language: str, other: str, direction: str | None) -> None:
    paragraph = web_page(in_two_languages(language, other)).findall(".//section/p")[1]

    assert (paragraph.get("lang"), paragraph.get("dir")) == (other, direction)


def test_a_paragraph_in_another_language_is_spelled_in_it_by_word() -> None:
    document = docx.Document(io.BytesIO(render(in_two_languages("en", "fr"), format="docx")))

    said = [p for p in document.paragraphs if p.style.name == "Normal"]
    assert [[each.get(f"{W}val") for each in p._p.iter(f"{W}lang")] for p in said] == [[], ["fr"]]


def test_doubtful_words_are_underlined_in_word() -> None:
    words = (Word("The", 0.3, 0.4), Word("<lamp>.", 0.5, 0.9, tags=(WordTag.DOUBTFUL,)))
    paragraph = Paragraph("P1", "The <lamp>.", 0.0, 0.9, words)
    transcript = Transcript(Episode("x"), turns=(Turn("T1", None, (paragraph,), 0.0, 0.9),))

    document = docx.Document(io.BytesIO(render(transcript, format="docx")))

    said = document.paragraphs[-1]
    assert [(run.text, run.style.name) for run in said.runs if run.style.name == "Doubtful"] == [
        ("<lamp>.", "Doubtful")
    ]
    assert said.text == "The <lamp>."


def test_the_page_runs_and_loads_nothing(transcript: Transcript) -> None:
    page = web_page(transcript)

    assert not page.findall(".//script")
    assert not [node for node in page.iter() if node.get("src") or node.get("onclick")]
    [policy] = page.findall(".//meta[@http-equiv]")
    assert policy.get("content").startswith("default-src 'none'")


def test_a_language_written_from_right_to_left_is_set_so(transcript: Transcript) -> None:
    page = web_page(replace(transcript, language="ar"))

    assert (page.getroot().get("lang"), page.getroot().get("dir")) == ("ar", "rtl")


# ---------------------------------------------------------------- Markdown


def shown(content: bytes) -> tuple[list[str], set[str]]:
    """What a CommonMark reader shows, block by block, and the kinds of tokens it found."""
    texts, kinds = [], set()
    for token in MarkdownIt("commonmark").parse(content.decode()):
        kinds.add(token.type)
        if token.type == "inline":
            texts.append("".join(child.content for child in token.children or []))
            kinds |= {child.type for child in token.children or []}
    return texts, kinds


def test_markdown_shows_the_words_as_they_are(transcript: Transcript) -> None:
    texts, _ = shown(render(transcript, format="markdown"))

    names = {s.id: s.name for s in transcript.speakers}
    assert texts[0] == transcript.episode.title
    assert f"{names['S1']}: {transcript.turns[0].paragraphs[0].text}" in texts
    assert transcript.turns[1].paragraphs[1].text in texts


@pytest.mark.parametrize(
    "text",
    [
        "# no heading", "- no list", "+ 1", "1. no list", "2) no list", "> no quote", "*no* _emphasis_ `code`",
        "a | b",
        "[no](link) ![no](image)", "<b>no</b> <!-- html -->", "AT&amp;T &#35; R&D", "--- no rule", "=== no heading",
        "~~~ no fence", "```", "a\\b \\* c", "2 * 3 * 4", "https://no.example/link", "    four spaces", "[^1]: note",
    ],
)  # fmt: skip
def test_no_word_is_markup(text: str) -> None:
    turn = Turn("T1", "S1", (Paragraph("P1", text), Paragraph("P2", text)))
    transcript = Transcript(
        Episode("x", title=text), speakers=(Speaker("S1", name=text.replace(":", " ")),), turns=(turn,)
    )

    texts, kinds = shown(render(transcript, format="markdown"))

    plain = " ".join(text.split())
    assert texts[0] == texts[-1] == plain
    assert texts[-2].endswith(f": {plain}")
    assert kinds <= {
        "heading_open", "inline", "heading_close", "paragraph_open", "paragraph_close", "text", "strong_open",
        "strong_close", "bullet_list_open", "list_item_open", "list_item_close", "bullet_list_close", "text_special",
    }  # fmt: skip


def test_doubtful_words_are_emphasized_in_markdown() -> None:
    content = render(DOUBTED, format="markdown")

    [text], _ = shown(content)
    assert text == "Unknown speaker: Row, row, “row” home *quay*."
    assert content == "**Unknown speaker:** *Row, row, “row*” home \\**quay*\\*.\n".encode()


@pytest.mark.parametrize("text", ["日本。", "<lamp>.", "—", "1.", "-x-", "“&amp;”", "_a_", "www.no.example", "é́)"])
def test_a_doubtful_word_is_shown_as_it_is_whatever_stands_in_it_and_beside_it(text: str) -> None:
    doubted = Word(text, 0.0, 1.0, tags=(WordTag.DOUBTFUL,))
    for words in ((doubted,), (Word("語", 0.0, 0.1), doubted, Word("語", 1.0, 1.1))):
        paragraph = Paragraph("P1", visible_text(words), words=words)
        transcript = Transcript(Episode("x"), turns=(Turn("T1", None, (paragraph, paragraph)),))

        texts, kinds = shown(render(transcript, format="markdown"))

        assert texts == [f"Unknown speaker: {paragraph.text}", paragraph.text]
        assert ("em_open" in kinds) == (text != "—")


def test_two_kinds_of_doubt_without_a_space_between_them_are_one_emphasis_in_markdown() -> None:
    spans = (DoubtfulSpan(0.0, 1.0, "repetition", "今天"), DoubtfulSpan(1.0, 2.0, "word_lengths", "很好"))
    words = [Word(each.text, each.start, each.end, tags=(WordTag.DOUBTFUL,)) for each in spans]

    content = render(in_doubt(*words, spans=spans), format="markdown")

    assert content == "**Unknown speaker:** *今天很好*\n".encode()


# ---------------------------------------------------------------- Word


def word_document(transcript: Transcript) -> Any:
    return docx.Document(io.BytesIO(render(transcript, format="docx")))


def test_a_word_document_has_the_turns_under_their_speakers(transcript: Transcript) -> None:
    document = word_document(transcript)

    found = [(p.style.name, p.text) for p in document.paragraphs]
    assert found[0] == ("Title", transcript.episode.title)
    assert ("Speaker", "Ada Quill  0:03") in found
    said = [text for style, text in found if style == "Normal"]
    assert said == [p.text for turn in transcript.turns for p in turn.paragraphs]
    assert document.core_properties.title == transcript.episode.title


def test_quotes_and_captions_have_words_own_styles(golden: Any) -> None:
    document = word_document(of_page(golden, "full-then-first"))

    styles = [p.style.name for p in document.paragraphs]
    assert styles.count("Intense Quote") == 2
    assert styles.count("Caption") == 3
    assert styles.count("List Bullet") == 4


def test_equal_transcripts_give_equal_word_documents(transcript: Transcript) -> None:
    content = render(transcript, format="docx")

    assert render(transcript, format="docx") == content
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        assert {info.date_time for info in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_word_document_holds_no_field_and_no_link() -> None:
    evil = '=HYPERLINK("http://x.example","y") {TOC} \ufffe\x0b\x00'
    turn = Turn("T1", "S1", (Paragraph("P1", evil),))
    transcript = Transcript(Episode("x", title=evil), speakers=(Speaker("S1", name=evil),), turns=(turn,))

    content = render(transcript, format="docx")

    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        body = etree.fromstring(parts.read("word/document.xml"))
    tags = {etree.QName(node).localname for node in body.iter() if isinstance(node.tag, str)}
    assert not tags & {"fldSimple", "instrText", "fldChar", "hyperlink"}


# ---------------------------------------------------------------- the feed


def test_the_feed_snippet_names_every_transcript_and_person(transcript: Transcript) -> None:
    item = etree.fromstring(render(transcript, format="rss"))

    found = {each.get("type"): each for each in item.findall(f"{PODCAST}transcript")}
    assert list(found) == ["text/vtt", "text/html", "application/json", "application/x-subrip"]
    assert found["text/vtt"].get("rel") == found["application/x-subrip"].get("rel") == "captions"
    assert all(each.get("language") == "en" for each in found.values())
    people = [(each.get("role"), each.text) for each in item.findall(f"{PODCAST}person")]
    assert people == [("host", "Ada Quill"), ("guest", "Tomas Feld")]


def test_the_feed_names_files_as_the_download_does(transcript: Transcript) -> None:
    item = etree.fromstring(render(transcript, format="rss"))

    urls = [each.get("url") for each in item.findall(f"{PODCAST}transcript")]
    assert urls == [
        catalogue.file_name(transcript, format=format) for format in ("vtt", "html", "podcast-json", "srt")
    ]


def test_the_feed_can_have_its_addresses_whole(transcript: Transcript) -> None:
    content = render_rss(transcript, stem="pier", base_url="https://pods.example/t/?a=1&b", has_times=True)

    item = etree.fromstring(content)
    assert item.find(f"{PODCAST}transcript").get("url") == "https://pods.example/t/?a=1&b/pier.vtt"


def test_a_transcript_without_times_is_no_captions_in_the_feed(golden: Any) -> None:
    item = etree.fromstring(render(of_page(golden, "name-line"), format="rss"))

    assert [each.get("type") for each in item.findall(f"{PODCAST}transcript")] == ["text/html"]


def test_a_name_in_the_feed_has_at_most_128_characters() -> None:
    turn = Turn("T1", "S1", (Paragraph("P1", "Hm."),))
    transcript = Transcript(Episode("x"), speakers=(Speaker("S1", name="W" * 300),), turns=(turn,))

    item = etree.fromstring(render(transcript, format="rss"))

    assert len(item.find(f"{PODCAST}person").text) == 128


def test_asides_without_text_are_nowhere() -> None:
    aside = Aside("A1", AsideKind.CAPTION, "\u202e", after=1)
    turn = Turn("T1", None, (Paragraph("P1", "Hm."),), asides=(aside,))
    transcript = Transcript(Episode("x"), turns=(turn,))

    assert b'caption">' not in render(transcript, format="html")
    assert render(transcript, format="markdown") == b"**Unknown speaker:** Hm.\n"
