"""A Word document (.docx): headings and styles of Word's own, so that a publisher's template can take over."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from formats.parts import Beside, Head, Part, head_of, parts_of, short_time
from formats.typography import one_line, xml_text
from schemas.transcript import AsideKind, Transcript

if TYPE_CHECKING:
    from docx.document import Document
    from docx.text.run import Run

#: Word keeps times of making; a fixed one makes equal transcripts give equal files.
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_ASIDE_STYLES = {
    AsideKind.PULL_QUOTE: "Intense Quote",
    AsideKind.ATTRIBUTION: "Caption",
    AsideKind.CAPTION: "Caption",
}
#: The name of the paragraph style that speakers' names have.
SPEAKER_STYLE = "Speaker"
#: And of the character style that words have which should be listened to again.
DOUBTFUL_STYLE = "Doubtful"


def render_docx(transcript: Transcript) -> bytes:
    """The document as bytes; equal transcripts give equal bytes."""
    import docx  # 100 ms to import

    head = head_of(transcript)
    document = docx.Document()
    _set_up(document, head, one_line(transcript.language or transcript.episode.language or ""))
    document.add_paragraph(xml_text(head.title or "Transcript"), style="Title")
    facts = " · ".join(fact for fact in (head.show, head.date) if fact)
    if facts:
        document.add_paragraph(xml_text(facts), style="Subtitle")
    for person in head.people:
        line = document.add_paragraph(style="List Bullet")
        line.add_run(xml_text(person.titled)).bold = True
        if person.description:
            line.add_run(xml_text(f", {person.description}"))
    for part in parts_of(transcript):
        _add_turn(document, part)
    content = io.BytesIO()
    document.save(content)
    return _with_fixed_times(content.getvalue())


def _set_up(document: Document, head: Head, language: str) -> None:
    from docx.enum.style import WD_STYLE_TYPE
    from docx.enum.text import WD_UNDERLINE
    from docx.shared import Pt, RGBColor

    speaker = document.styles.add_style(SPEAKER_STYLE, WD_STYLE_TYPE.PARAGRAPH)
    speaker.base_style = document.styles["Normal"]
    speaker.next_paragraph_style = document.styles["Normal"]
    speaker.font.bold = True
    speaker.paragraph_format.space_before = Pt(12)
    speaker.paragraph_format.space_after = Pt(2)
    speaker.paragraph_format.keep_with_next = True
    time = document.styles.add_style("Speaker Time", WD_STYLE_TYPE.CHARACTER)
    time.font.bold = False
    time.font.size = Pt(9)
    time.font.color.rgb = RGBColor(0x6B, 0x72, 0x80)
    doubtful = document.styles.add_style(DOUBTFUL_STYLE, WD_STYLE_TYPE.CHARACTER)
    doubtful.font.underline = WD_UNDERLINE.DOTTED
    properties = document.core_properties
    properties.title = xml_text(head.title)[:255]
    properties.author = ""
    properties.comments = ""
    properties.language = xml_text(language)[:255]
    properties.created = properties.modified = _EPOCH


def _add_turn(document: Document, part: Part) -> None:
    label = document.add_paragraph(style=SPEAKER_STYLE)
    label.add_run(xml_text(part.speaker))
    if part.start is not None:
        label.add_run(f"  {short_time(part.start)}", style="Speaker Time")
    for block in part.blocks:
        if isinstance(block, Beside):
            document.add_paragraph(xml_text(block.text), style=_ASIDE_STYLES[block.kind])
            continue
        paragraph = document.add_paragraph()
        for piece in block.pieces:
            run = paragraph.add_run(xml_text(piece.text), style=None if piece.doubt is None else DOUBTFUL_STYLE)
            if block.language:
                _set_language(run, one_line(block.language))


def _set_language(run: Run, language: str) -> None:
    """For Word's spelling and reading aloud; python-docx has no name for it."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    mark = OxmlElement("w:lang")
    for script in ("w:val", "w:eastAsia", "w:bidi"):
        mark.set(qn(script), xml_text(language))
    run._element.get_or_add_rPr().append(mark)


def _with_fixed_times(content: bytes) -> bytes:
    """The same parts in the same order, each dated alike."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, _ZIP_EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, old.read(name))
    return made.getvalue()
