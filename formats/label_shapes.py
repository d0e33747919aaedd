"""The shapes that labels have on published pages: whole beginnings of lines, with a label and perhaps times."""

from __future__ import annotations

import re

from formats.clock import TIME
from formats.house_style import EMPHASIS_TAGS, LINE_BREAK_TAG, TAG_ATTRIBUTES
from formats.names import ROLE_WORDS, UPPER
from formats.shapes import ENTITY_SPACE

#: A time, or from when to when.
_TIME = rf"(?P<time>{TIME})(?:[ ]?(?:--?>|[-–—→])[ ]?(?P<end>{TIME}))?"
#: The same in cells of a row of their own.
_TIME_CELLS = rf"(?P<time>{TIME})(?:\s*(?:--?>|[-–—→]|\|)\s*(?P<end>{TIME}))?"
#: The same between tabs or wide spaces.
_WIDE = r"(?:[ ]*\t[ ]*|[ ]{2,})"
_TIME_COLUMNS = rf"(?P<time>{TIME})(?:{_WIDE}(?P<end>{TIME}))?"
_BEGIN = r"(?:[^\W_]|[$\u2190-\u2bff\U0001f000-\U0001faff])"
_REST = r"(?:[^:：\n\[\](){}<>*\t]{0,70}?[^\s:：\[\](){}<>*,;–—-])?(?:[ ]\([^()\n:]{1,40}\))?"
_LABEL = rf"(?P<label>(?:\((?i:{ROLE_WORDS})\)[ ]?)?{_BEGIN}{_REST})"
#: What a full stop can end.
_DOTTED = (
    rf"(?P<label>[QA]\d{{0,3}}|(?:Mr|Mrs|Ms|Dr|Prof)\.[ ][{UPPER}][\w’'-]+"
    rf"|[{UPPER}]{{2,}}(?:[ ][{UPPER}’'-]{{2,}}){{0,3}})"
)
#: The same before a dash, as records of hearings have it, or a full name.
_DOTTED_NAME = _DOTTED.replace("(?P<label>", rf"(?P<label>[{UPPER}][\w’'-]+(?:[ ][{UPPER}][\w’'-]+){{1,3}}|")
_OPENING_TAG = rf"<(?i:{EMPHASIS_TAGS}){TAG_ATTRIBUTES}>"
_CLOSING_TAG = rf"</(?i:{EMPHASIS_TAGS})>"
#: Emphasis of Markdown, or of a wiki.
_SIGNS = r"(?:'{2,3}|[*_]{0,3})"
_OPEN = rf"(?:#{{1,6}}[ ]+)?(?:{_OPENING_TAG}){{0,2}}{_SIGNS}[\[(<]?"
_CLOSE = rf"[\])>]?{_SIGNS}(?:{_CLOSING_TAG}){{0,2}}"
#: Around a time.
_OPEN_TIME, _CLOSE_TIME = r"[\[({<*_]{0,3}", r"[\])}>]?"
#: Between the cells of a row, an entry and what stands under it, or two parts of a line of their own.
_CELL = rf"\s*</(?:td|th|dt|span|div|p|time)>\s*<(?:td|dd|span|div|p|time){TAG_ATTRIBUTES}>\s*"
_SEPARATOR = r"\s*(?:[-–—|·•@]\s*)?"
_SPACE = rf"(?:\s|{ENTITY_SPACE})+"
_GAP = rf"(?:\s*[-–—|]?{_SPACE}(?=\S)|\s*$)"
SHAPES = tuple(
    re.compile(shape)
    for shape in (
        # Name:  **Name:**  [Name]:  ### Name:  '''Name:'''  *Name*::
        rf"{_OPEN}{_LABEL}{_CLOSE}[ \u00a0]?::?{_CLOSE}(?:{_SPACE}(?=\S)|\s*$)",
        # without a space after the colon
        rf"{_LABEL}:(?=[{UPPER}\"“‘'…])",
        # Name：text, as Chinese and Japanese pages have it
        rf"{_OPEN}{_LABEL}{_CLOSE}：\s*",
        # Name [0:03]:  Name: (0:03)  Name {{0:03}}  Name - 0:03  **Name** 0:03
        rf"{_OPEN}{_LABEL}{_CLOSE}:?,?{_CLOSE}{_SEPARATOR}{_OPEN_TIME}{_TIME}{_CLOSE_TIME}{_CLOSE}:?{_CLOSE}{_GAP}",
        # [0:03] Name:  0:03 - Name:  (0:03) **Name**
        rf"{_OPEN}\{{?{_TIME}\}}?{_CLOSE}{_SEPARATOR}{_OPEN}{_LABEL}"
        rf"(?:{_CLOSE}:{_CLOSE}{_GAP}|(?:[\])>*_]{{1,4}}|{_CLOSING_TAG}){_GAP}|{_CLOSE}(?:\s*$))",
        # a name alone on its line, plain or set off
        rf"{_OPEN}{_LABEL}{_CLOSE}(?:\s*$)",
        # Name | text  0:03 | **Name** | text, as the rows of a table
        rf"(?:{_TIME_CELLS}\s+\|\s+)?{_OPEN}{_LABEL}{_CLOSE}:?{_CLOSE}\s+\|\s+(?=\S)",
        # Q. text  Mr. Quill. text  ADA QUILL. text
        rf"{_OPEN}{_DOTTED}\.{_CLOSE}\s+(?=\S)",
        # Mr. Quill.--text  Ada Quill.—text
        rf"{_OPEN}{_DOTTED_NAME}\.{_CLOSE}(?:--|[–—])\s*(?=\S)",
        # **Name** text  [Name] text  <Name> text
        rf"(?:[\[(<*_]{{1,3}}|'{{2,3}}){_LABEL}(?:[\])>*_]{{1,3}}|'{{2,3}})(?:\s+(?=\S))",
        # <span class="speaker">Name</span> text
        rf"{_OPENING_TAG}{_LABEL}{_CLOSING_TAG}(?:{_SPACE}(?=\S))",
        # <b>Name</b><br>text
        rf"{_OPENING_TAG}{_LABEL}:?{_CLOSING_TAG}:?{LINE_BREAK_TAG}\s*(?=\S)",
        # Name</td><td>text  0:03</td><td>Name</td><td>text  Name</dt><dd>text
        rf"(?:{_TIME}{_CELL})?{_OPEN}{_LABEL}{_CLOSE}:?{_CLOSE}{_CELL}",
        rf"{_OPEN}{_LABEL}{_CLOSE}:?{_CLOSE}{_CELL}{_TIME}{_CELL}",
        # 0:03<tab>Name<tab>text  0:03<tab>0:09<tab>Name<tab>text
        rf"{_TIME_COLUMNS}{_WIDE}{_LABEL}:?{_WIDE}(?=\S)",
        # Name<tab>text  Name – text  Name > text
        rf"{_LABEL}(?:\t+|[ ]{{2,}}|\s+(?:[-–—|]|--|>{{1,2}})\s+)(?=\S)",
    )
)
#: A line with nothing but a time, or a name.
TIME_LINE = re.compile(rf"{_OPEN}{_TIME}{_CLOSE}")
NAME_LINE = re.compile(rf"{_OPEN}{_LABEL}{_CLOSE}:?{_CLOSE}")
