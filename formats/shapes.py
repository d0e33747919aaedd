"""What a block of text looks like from outside: a label, a caption, navigation. Shared by reading and writing.

The writer joins a paragraph that would *look* like one of these to the paragraph before it, so that nothing
somebody says can pass for another speaker's turn; its tests are wider than the reader's.
"""

from __future__ import annotations

import re

from formats.house_style import HouseStyle
from formats.names import is_name, is_number_label, is_role_label, is_sound_label, name_tokens

_SENTENCE_END = re.compile(r"[.?!…][”’\"')\]]*$|[,;:–—-]$|[。？！؟۔।]$")
_NAVIGATION = re.compile(
    r"\b(?:subscribe|newsletter|mailing list|sign up|share|download|back to top|read more|find out more|follow us|"
    r"related|privacy|transcri(?:bed|pt|ption) by|cookies|copyright|all rights reserved|listen (?:on|to|now)"
    r"|free to listen|leave a comment)\b"
    r"|^©",
    re.IGNORECASE,
)
_SHORT = 12  #: words; the longest footer line of the reference pages has 9
_CAPTION = 16  #: words; the longest caption of the reference pages has 11


def ends_sentence(text: str) -> bool:
    return _SENTENCE_END.search(text) is not None


#: Headings, fences, tables, tags, rules, lines of code: what Markdown and HTML have and speech has not.
_STRUCTURE = re.compile(
    r"#{1,6}\s|```|~~~|\||</?[A-Za-z!][^>]*>\s*$|!\[|\[[^\]]*\]:\s|={3,}$|-{3,}$|[{}\[\]();]+$|@\w+$"
    r"|(?:def|class|import|from|return|if|for|while|else|try)\b.*[:(]$"
)


def is_structure(text: str) -> bool:
    """Whether a line belongs to the build of a document or a program: nobody says it."""
    return _STRUCTURE.match(text) is not None


FENCE = re.compile(r"```|~~~")
_HEADING = re.compile(r"#{1,6}\s+(?=\S)")
_FURNITURE = re.compile(
    r"#{1,6}\s+\S.*|[-=_]{3,}|\*{3,}|!\[[^\]]*\]\([^)]*\)|(?:</?[a-zA-Z!][^>]*>\s*)+|<?https?://[^\s>]+>?|\|.*\|"
    r"|<h[1-6]\b[^>]*>.*</h[1-6]>"
)
#: Where the part of a web page ends that its text stands in.
_END_OF_ARTICLE = re.compile(r"</(?:article|main|body)>|<footer\b", re.IGNORECASE)


def heading_mark(text: str) -> str:
    """The "## " of a heading; "" where the text is none."""
    match = _HEADING.match(text)
    return match.group() if match else ""


_LINE_BREAK_TAG = re.compile(r"<br\s?/?>", re.IGNORECASE)


def is_between_turns(text: str) -> bool:
    """Whether a whole line is a heading, a picture or an address, as transcripts have them between the turns."""
    is_tag = text[0] == "<" and not text.startswith("<http") and _LINE_BREAK_TAG.fullmatch(text) is None
    return is_furniture(text) and text[0] not in "-=_*|" and not is_tag


def is_furniture(text: str) -> bool:
    """Whether a whole line is a heading, a rule, a picture, a tag, an address or a row of a table: nobody says it."""
    return _FURNITURE.fullmatch(text) is not None


#: White space as web pages write it: a no-break space, a tab.
ENTITY_SPACE = r"&(?:nbsp|emsp|ensp|#9|#160|#[xX][aA]0);"
#: Where a link of Markdown leads, behind its text in square brackets.
LINK_TARGET = r"\((?:https?://|[#/?])[^\s()]*\)"
_LINKED = re.compile(rf"(?<=\]){LINK_TARGET}")


def without_link(pattern: str) -> str:
    """A turn's own pattern without the address that its time leads to."""
    return _LINKED.sub("", pattern)


def has_same_signs(pattern: str, other: str) -> bool:
    """Whether two label patterns differ in the width of their white space alone, or in where their times lead.

    White space may line up what is said, and questions may be counted: "Q1: ", "Q2: ".
    """
    one, two = (re.sub(r"\d+", "", with_plain_spaces(without_link(each))) for each in (pattern, other))
    return one[-1:].isspace() == two[-1:].isspace() and one.split() == two.split()


def with_plain_spaces(pattern: str) -> str:
    """A label's pattern with a space for each that a web page writes as an entity."""
    return re.sub(ENTITY_SPACE, " ", pattern)


#: Labels of a style that leaves no space after the colon, or that stand alone on their lines: "Ada:Hello".
TIGHT_PATTERN = "{label}:"
#: What was said stands in a tag of its own behind the label's.
_ENDS_IN_OPENING_TAG = re.compile(r"<\w[^<>]*>$")


#: A label before a full stop, which may stand in it after what somebody is called.
_DOTTED_LABEL = r"(?P<label>(?:(?:Mr|Mrs|Ms|Dr|Prof)\.[^\S\n])?[^\s.:](?:[^.:\n]{0,58}[^\s.:])?)"


def is_dotted(pattern: str) -> bool:
    """Whether a full stop ends the labels: "Q. ", "Mr. Quill. "."""
    return "{label}." in pattern


def label_pattern(pattern: str) -> re.Pattern[str]:
    """A label pattern as a regular expression over a block: groups `label`, `time`, `end`, `gap` (white space after).

    White space in the pattern may be any white space on the page, so that a no-break space does not hide a label; a
    line break is one. A time in square brackets may be the text of a link.
    """
    if pattern.startswith("{label}") and not pattern.removeprefix("{label}").strip():
        gap = pattern.removeprefix("{label}")
        if gap:
            return re.compile(rf"(?P<label>\S(?:[^:\n\t]{{0,98}}?\S)?)(?P<gap>{_wide(gap)}|$)")
    made = ""
    is_after_time = False
    for part in re.split(r"(\{label\}|\{time\}|\{end\}|\n|[^\S\n]+)", pattern.rstrip()):
        if part == "{label}":
            made += _DOTTED_LABEL if is_dotted(pattern) else r"(?P<label>\S(?:[^:\n]{0,98}?\S)?)"
        elif part == "{time}":
            made += r"(?P<time>[\d:.,]*\d)"
            is_after_time = True
        elif part == "{end}":
            made += r"(?P<end>[\d:.,]*\d)"
        elif part == "\n":
            made += r"[^\S\n]*\n"
        elif part.isspace():
            made += r"[^\S\n]+"
        elif is_after_time and "]" in part:
            bracket = part.index("]") + 1
            made += rf"{re.escape(part[:bracket])}(?:{LINK_TARGET})?{re.escape(part[bracket:])}"
        else:
            made += re.escape(part)
    if pattern.endswith("：") or _ENDS_IN_OPENING_TAG.search(pattern):
        return re.compile(made + r"(?P<gap>[^\S\n]*)")
    if is_dotted(pattern) and pattern.rstrip().endswith(("-", "–", "—")):
        return re.compile(made + r"(?P<gap>[^\S\n]*(?=\S)|$)")
    if pattern == TIGHT_PATTERN:
        return re.compile(made + r"(?P<gap>$|(?=[^\s\d/:\\])|(?<!\d:)(?=\d))")
    gap = pattern[len(pattern.rstrip()) :]
    if pattern.rstrip().endswith("{label}") and ("\t" in gap or len(gap) > 1):
        return re.compile(rf"{made}(?P<gap>{_wide(gap)}|$)")
    return re.compile(made + (rf"(?P<gap>(?:[^\S\n]|{ENTITY_SPACE})+|$)" if gap else r"(?P<gap>$)"))


def _wide(gap: str) -> str:
    """White space that alone parts the label from the text, so that it must be more than between words."""
    return r"[^\S\n]*\t[^\S\n]*" if "\t" in gap else r"[^\S\n]{2,}"


def looks_like_label(text: str, style: HouseStyle) -> bool:
    """Whether a paragraph could be taken for the start of a turn."""
    match = label_pattern(style.label.pattern.partition("\n")[0]).match(text)
    if match is None:
        return False
    if "label" not in match.groupdict():
        return True
    if style.needs_times:
        return True
    label = match["label"]
    return (
        label[0] != label[0].lower() or label[0].isdigit() or not label[0].isalpha() or name_tokens(label) is not None
    )


def looks_like_an_aside(text: str) -> bool:
    """Whether a paragraph is short and has no end, as names under quotations, captions and footers are."""
    return not ends_sentence(text) and len(text.split()) <= _CAPTION


def is_caption(text: str, names: frozenset[str]) -> bool:
    """Whether a block names a speaker in full as the words under a picture do: short, a capital first, no end."""
    if len(text.split()) > _CAPTION or ends_sentence(text) or text[:1].islower():
        return False
    return any(name in text for name in names)


_SOUND_LINE = re.compile(
    r"(?:[\[(]?\d{1,3}:\d{2}(?::\d{2})?[\])]?\s+(?:[-–—|]\s+)?)?"  # the time it begins
    r"[\[(*_]*(?P<label>[^:\[\]()*_]{3,40}?)(?:[\])*_:.]*|[*_]*:[*_]*\s+(?P<more>.+))"
)


#: A line that says where the recording begins or ends, what was not understood, or what is sung.
_RECORDED = r"(?:the )?(?:recording|audio|tape|interview|transcript|transcription|episode|video)"
_RECORDING_LINE = re.compile(
    rf"[\[(*_]+(?:{_RECORDED} (?:begins|starts|ends|stops|ended|paused|resumes|over)"
    rf"|(?:begin|start|beginning|end) of (?:{_RECORDED}|part \w+|side \w+))[.!]?[\])*_]+"
    r"|[\[(](?:music|crosstalk|silence|applause|laughter|pause|break)\s+[\d:.–-]+[\])]"
    r"|♪.*",
    re.IGNORECASE,
)


def is_sound_line(text: str) -> bool:
    """Whether a whole block says what is heard or comes between: "[Music]", "Break", "Jingle: the lamp song"."""
    if _RECORDING_LINE.fullmatch(text.strip()):
        return True
    match = _SOUND_LINE.fullmatch(text.strip())
    if match is None or not is_sound_label(match["label"].strip()):
        return False
    return match["more"] is None or len(match["more"].split()) <= _CAPTION


def is_direction(text: str) -> bool:
    """Whether a whole line is a direction in capitals and brackets: "(BEGIN VIDEO CLIP)", "[CROSSTALK]"."""
    inner = text.strip()[1:-1]
    is_in_brackets = text.strip() in (f"({inner})", f"[{inner}]") and not any(mark in inner for mark in "()[]")
    return is_in_brackets and 3 <= len(inner) <= 60 and inner.isupper()


def is_clip(label: str) -> bool:
    """Whether a label says that a recording is played, however it is set off: "BEGIN VIDEO CLIP"."""
    return re.fullmatch(r"(?:BEGIN|END)(?: (?:VIDEO|AUDIO))? ?(?:CLIP|TAPE|VIDEO|VIDEOTAPE|AUDIO)", label) is not None


def is_footer(text: str, *, is_set_apart: bool) -> bool:
    """Whether a last block is the page's, not the speaker's. `is_set_apart`: more white space before than usual."""
    if len(text.split()) > _SHORT:
        return False
    if ends_sentence(text):
        return False
    return is_set_apart or _NAVIGATION.search(text) is not None


_BACK_HEADING = re.compile(
    r"(?:#{1,6}\s+)?[*_]{0,2}(?:(?:show |episode )?(?:notes|links|credits|resources)|references|sources|footnotes"
    r"|works cited|bibliography"
    r"|further (?:reading|listening|information)"
    r"|(?:related|more|other|recent|previous|latest) (?:episodes|links|posts|articles|podcasts|reading|content)"
    r"|about (?:the )?(?:authors?|show|podcast|hosts?|guests?|speakers?|series|us)"
    r"|(?:mentioned|links and resources|resources mentioned) (?:in|on|from) (?:this|the) (?:episode|show|podcast)"
    r"|you (?:may|might) also like|leave a (?:comment|reply)|comments)[*_]{0,2}:?[*_]{0,2}",
    re.IGNORECASE,
)


def is_back_heading(text: str) -> bool:
    """Whether what pages have below the talk begins: "Links", "Show notes:", "## About the author", </article>."""
    return _BACK_HEADING.fullmatch(text.strip()) is not None or _END_OF_ARTICLE.match(text) is not None


def is_plain_label(label: str, *, is_caps_style: bool, announcer: str, is_caps_name: bool) -> bool:
    """Whether a printed label has one of the shapes that labels have in this kind of style."""
    if is_number_label(label) or label == announcer or is_role_label(label):
        return True
    if is_caps_style:
        return is_caps_name
    return is_name(label)
