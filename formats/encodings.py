"""The bytes of a page as text and back: UTF-8, or Windows-1252 where the whole page shows that it is that."""

from __future__ import annotations

import re

from schemas.errors import PageError
from schemas.transcript import Encoding

#: What Python calls each.
_CODECS: dict[Encoding, str] = {"utf-8": "utf-8", "windows-1252": "cp1252"}
#: Of what could be UTF-8 or Windows-1252 at most this share is UTF-8, else it is a page of UTF-8 with damage.
UTF_8_SHARE = 0.1
#: No language that Windows-1252 can write has more letters beyond ASCII: of French prose 3 to 4 in a hundred are, of
#: Icelandic 13 (letter frequencies as published); of Greek or Russian in a code page of their own nearly all.
FOREIGN_SHARE = 0.25
#: At most this share of the characters beyond ASCII stand where none of Windows-1252 does.
ODD_SHARE = 0.1

_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_UTF_8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH = re.compile(rb"[\x80-\xff]")
_LETTER = re.compile(r"[^\W\d_]")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
#: A capital or a sign inside a word in small letters: "donÕt" and "caf¹" are of Mac OS or of Central Europe.
_ODD = re.compile(
    r"(?<=[a-zß-öø-ÿ])(?:[À-ÖØ-ÞŠŒŽŸ](?=[a-zß-öø-ÿ])|[¡-©«¬®-³µ¶¸¹»-¿×÷†‡ˆ‰‹›€„ƒ˜™](?=[a-z])|[‚„])|Ò(?=[A-Z])"
)


#: What people take for text, by the first bytes. Word is a format that we write and do not read.
_OTHER_KINDS = {
    b"PK\x03\x04": "a Word document or another archive",
    b"\xd0\xcf\x11\xe0": "an old Word document",
    b"%PDF-": "a PDF",
}


def decoded(content: bytes, *, name: str) -> tuple[str, Encoding]:
    """The text of a page and what it is encoded in. Raises PageError `page_not_text`.

    Every byte that is no UTF-8 must be good Windows-1252: Windows and web pages of old have their quotation marks and
    accents in it. A page that ends inside a character of UTF-8, or has such characters beside others, was damaged.
    """
    for sign, kind in _OTHER_KINDS.items():
        if content.startswith(sign):
            raise PageError(f"{name}: {kind}; save it as plain text or HTML", code="page_not_text")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise PageError(f"{name}: UTF-16 text; save it as UTF-8", code="page_not_text")
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        is_cut = error.reason == "unexpected end of data"
        if not is_cut and _may_be_windows_1252(content):
            return content.decode("cp1252"), "windows-1252"
        raise PageError(
            f"{name}: not UTF-8 text, nor Windows-1252: byte {error.start} is 0x{content[error.start]:02x}",
            code="page_not_text",
        ) from error


def encoded(text: str, encoding: Encoding) -> bytes:
    """The text as bytes; in UTF-8 where a character of it, of a name that was changed, is not in its encoding."""
    try:
        return text.encode(_CODECS[encoding])
    except UnicodeEncodeError:
        return text.encode("utf-8")


def _may_be_windows_1252(content: bytes) -> bool:
    if _CONTROL.search(content):
        return False
    of_utf_8 = len(_UTF_8.findall(content))
    others = len(_HIGH.findall(_UTF_8.sub(b"", content)))
    if of_utf_8 > UTF_8_SHARE * (of_utf_8 + others):
        return False
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        return False
    letters = _LETTER.findall(text)
    foreign = sum(not letter.isascii() for letter in letters)
    odd, beyond = len(_ODD.findall(text)), len(_BEYOND_ASCII.findall(text))
    return foreign <= FOREIGN_SHARE * len(letters) and odd <= ODD_SHARE * beyond
