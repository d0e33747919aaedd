"""The blocks before and after the talk: what each one is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from formats.blocks import Block
from formats.listed_people import label_keys, listed_person
from formats.shapes import ends_sentence
from schemas.transcript import MatterKind

_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?)"
)
#: A date as pages print it, with or without its weekday.
DATE = re.compile(
    r"(?:\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day,?\s+)?(?<!\d)"
    rf"(?:(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?\s+(?P<m1>{_MONTH})\.?,?\s+(?P<y1>\d{{4}})"
    rf"|(?P<m2>{_MONTH})\.?\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y2>\d{{4}})"
    r"|(?P<y3>\d{4})-(?P<m3>\d{2})-(?P<d3>\d{2}))(?!\d)"
)
_WIDGETS = frozenset(
    {"audio", "video", "share", "listen", "play", "download", "transcript", "podcast", "menu", "home", "search"}
)
_HEADING_WORDS = 12
#: A line over the title that says which episode it is: "HARBOUR NOTES · Episode 12".
_KICKER = re.compile(r".*\b(?:episode|ep\.?|no\.?|part)\s*#?\d+", re.IGNORECASE)
#: A title that begins with the episode's number, below the name of the show.
_NUMBERED_TITLE = re.compile(r"(?:episode|ep\.?|part)\s*#?\d+\s*[:.–—|-]\s*\w", re.IGNORECASE)
_SHOW_WORDS = 6


def page_date(text: str) -> str | None:
    """The ISO date of a block that is a date and nothing else."""
    match = DATE.fullmatch(" ".join(text.split()))
    if match is None:
        return None
    parts = match.groupdict()
    day, month, year = next(
        (parts[f"d{n}"], parts[f"m{n}"], parts[f"y{n}"]) for n in ("1", "2", "3") if parts[f"y{n}"]
    )
    try:
        number = int(month) if month.isdigit() else datetime.strptime(month[:3], "%b").month  # noqa: DTZ007
        return f"{int(year):04d}-{number:02d}-{int(day):02d}" if 1 <= int(day) <= 31 and 1 <= number <= 12 else None
    except ValueError:
        return None


def classify_front(blocks: Sequence[Block], *, has_title: bool = False) -> list[MatterKind]:
    """What each block before the talk is: the first that is no widget of the page is the title, then by its shape.

    `has_title`: the title stands elsewhere.
    """
    kinds: list[MatterKind] = []
    keys = label_keys(blocks)
    for index, block in enumerate(blocks):
        text = block.text
        if index in keys or listed_person(index, block) is not None:
            kinds.append(MatterKind.PERSON)
        elif page_date(text) is not None:
            kinds.append(MatterKind.DATE)
        elif not has_title and MatterKind.TITLE not in kinds:
            is_widget = text.casefold() in _WIDGETS or text[0] == "|" or not any(c.isalnum() for c in text)
            is_title = not is_widget and not _stands_over_title(blocks, index)
            kinds.append(MatterKind.TITLE if is_title else MatterKind.TEXT)
        elif len(text.split()) <= _HEADING_WORDS and (not ends_sentence(text) or text.endswith("?")):
            kinds.append(MatterKind.HEADING)
        elif MatterKind.STANDFIRST not in kinds:
            kinds.append(MatterKind.STANDFIRST)
        elif MatterKind.DESCRIPTION not in kinds:
            kinds.append(MatterKind.DESCRIPTION)
        else:
            kinds.append(MatterKind.TEXT)
    return kinds


def _stands_over_title(blocks: Sequence[Block], index: int) -> bool:
    """Whether a block ends with an episode’s number, or the next begins with it, and that one is shaped like a title.

    It is as short and no date, person or sentence.
    """
    if index + 1 == len(blocks):
        return False
    below = blocks[index + 1]
    is_show = len(blocks[index].text.split()) <= _SHOW_WORDS and _NUMBERED_TITLE.match(below.text) is not None
    if _KICKER.fullmatch(blocks[index].text) is None and not is_show:
        return False
    is_short = len(below.text.split()) <= _HEADING_WORDS and not below.text.endswith((".", ":"))
    return is_short and page_date(below.text) is None and listed_person(index + 1, below) is None


_PODCAST = re.compile(r"(?:#{1,6}\s+)?(?:Podcast(?: transcript)?:\s+)?", re.IGNORECASE)


def title_of(text: str) -> str:
    """The episode's title from the page's: without "Podcast: " and the marks of a heading."""
    return _PODCAST.sub("", text, count=1)
