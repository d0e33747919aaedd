"""Text made safe and typographic: control characters, quotation marks, sound marks. Pure functions over strings."""

from __future__ import annotations

import re
import unicodedata

#: Characters that reverse or isolate the direction of what follows: a name with one can rewrite the line it is in.
DIRECTION_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
#: Line breaks in the eyes of some reader; in a name or a paragraph they are spaces.
LINE_BREAKS = frozenset("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")


#: Those marks and breaks, and what Unicode calls controls and surrogates, but no tab.
_CONTROLS = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def control_characters(text: str) -> str:
    """The characters of `text` that can act instead of being read, in order."""
    return "".join(_CONTROLS.findall(text))


def _is_control(character: str) -> bool:
    return character != "\t" and unicodedata.category(character) in ("Cc", "Cs")


def inert(text: str) -> str:
    """The text on one line without control characters; a lone surrogate becomes U+FFFD. Spaces are kept."""
    if text.isascii() and text.isprintable():
        return text
    kept: list[str] = []
    for character in text:
        if character in LINE_BREAKS:
            kept.append(" ")
        elif unicodedata.category(character) == "Cs":
            kept.append("\ufffd")
        elif character not in DIRECTION_MARKS and not _is_control(character):
            kept.append(character)
    return "".join(kept)


def one_line(text: str) -> str:
    """`inert`, with every run of white space one space and none at the ends: for titles and names."""
    return " ".join(inert(text).split())


def xml_text(text: str) -> str:
    """The text without the characters that XML 1.0 does not know."""
    return "".join(
        c for c in text if c in "\t\n\r" or (c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff")
    )


# ---------------------------------------------------------------- quotation marks

_STRAIGHT = str.maketrans({"‘": "'", "’": "'", "‚": "'", "‛": "'", "“": '"', "”": '"', "„": '"', "‟": '"'})
#: What is left of words that lost their beginning: an apostrophe stands before them, not an opening quote.
_ELISION = re.compile(r"(?:em|tis|twas|til|till|cause|cos|bout|round|n|nuff|neath|gainst|\d\ds?)\b", re.IGNORECASE)
_OPENERS = "([{“‘—–-/"


def straight(text: str) -> str:
    """Curly quotation marks and apostrophes made straight."""
    return text.translate(_STRAIGHT)


def curly(text: str) -> str:
    """Straight quotation marks and apostrophes made curly.

    An apostrophe is ’ wherever it stands; ‘ opens only a quotation that is closed again. A double quote after a
    digit with no quotation open stays straight (inches). `straight(curly(text)) == straight(text)`.
    """
    made: list[str] = []
    is_open = False
    for place, character in enumerate(text):
        before = text[place - 1] if place else " "
        if character == '"':
            opens = (before.isspace() or before in _OPENERS or before == "'") and not _ends_here(text, place)
            if not opens and not is_open and before.isdigit():
                made.append(character)
                continue
            is_open = opens
            made.append("“" if opens else "”")
        elif character == "'":
            made.append(_single(text, place, before))
        else:
            is_open = character == "“" or (is_open and character != "”")
            made.append(character)
    return "".join(made)


def _ends_here(text: str, place: int) -> bool:
    after = text[place + 1 : place + 2]
    return not after or after.isspace()


def _single(text: str, place: int, before: str) -> str:
    after = text[place + 1 : place + 2]
    if before.isdigit() and after.isdigit():
        return "'"  # feet and inches, minutes and seconds
    if not (before.isspace() or before in _OPENERS or before == '"') or not after or after.isspace():
        return "’"
    if _ELISION.match(text, place + 1):
        return "’"
    return "‘" if _closes_later(text, place + 1) else "’"


def _closes_later(text: str, place: int) -> bool:
    """Whether some ' after `place` ends a word and nothing but punctuation or space follows it."""
    return re.search(r"[^\s(\[{]'(?!\w)", text[place:]) is not None


# ---------------------------------------------------------------- sound marks

_SOUNDS = (
    "music|theme|jingle|laugh|laughs|laughter|laughing|chuckle|chuckles|chuckling|giggles|applause|clapping|cheering|"
    "cheers|crowd|silence|pause|noise|static|beep|bleep|cough|coughs|coughing|sigh|sighs|sighing|sniffs|breathing|"
    "inaudible|unintelligible|indistinct|crosstalk|blank_audio|background"
)
_SOUND_MARK = re.compile(
    rf"\s?(?:[\[(]\s*(?:[\w’'-]+\s+){{0,3}}(?:{_SOUNDS})(?:\s+[\w’'-]+){{0,3}}\s*[\])]|[♪♫🎵🎶]+)", re.IGNORECASE
)


def without_sound_marks(text: str) -> str:
    """The text without [laughs], (soft music), ♪ and the like: the four looks print speech alone."""
    if not any(mark in text for mark in "[(♪♫🎵🎶"):
        return text
    return _SOUND_MARK.sub("", text).strip()
