"""Pages in the house styles, read and written byte for byte."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from formats.bare_questions import read_bare_questions
from formats.drafting import drafted_readings
from formats.house_style import HouseStyle, shipped_styles
from formats.names import is_decorated
from formats.opening import Page, decode_page
from formats.reading import Reading, episode_id, read_in_style
from formats.shapes import has_same_signs
from formats.talks import objection
from formats.writing import Mark, render_page
from schemas.errors import PageError
from schemas.transcript import Transcript

__all__ = ["read_page", "render_page"]

#: A style is recognised when it explains this share of the page's lines.
RECOGNISED = 0.75
#: So are emphasised questions with plain answers, which are looked at more closely.
RECOGNISED_BARE = 0.6
#: A style that ships is taken over a drafted one that is not this much better.
SHIPPED_BONUS = 1.3
#: A reading with times is taken over one that left them in the text.
TIMES_BONUS = 1.5


def read_page(content: bytes, *, style: HouseStyle | None = None, name: str = "page") -> Transcript:
    """The transcript of a page; without a style, the one that explains the most of its lines.

    Raises PageError: `page_not_text`, or `page_not_recognised` with what was seen instead. Times are null where the
    page has none; what the style does not explain is in `layout`.
    """
    page = decode_page(content, name=name)
    if not page.blocks:
        raise PageError(f"{name}: the page is empty", code="page_not_recognised")
    identity = episode_id(content)
    if style is not None:
        reading = read_in_style(page, style, identity=identity)
        if reading is None:
            raise PageError(f"{name}: not in the style {style.name}: {_seen(page)}", code="page_not_recognised")
        return reading.transcript
    return best_reading(page, name=name, identity=identity).transcript


def best_reading(page: Page, *, name: str, identity: str, only_drafted: bool = False) -> Reading:
    """The reading that explains most: in a style that ships, or in one that is drafted from the page.

    Raises PageError `page_not_recognised` with what was seen instead.
    """
    best = _best(page, () if only_drafted else shipped_styles().values(), identity)
    if isinstance(best, Reading):
        return best
    bare = None if only_drafted else read_bare_questions(page, identity=identity)
    if bare is not None and bare.explained >= RECOGNISED_BARE and not objection(bare, is_drafted=True):
        return bare
    raise PageError(f"{name}: no house style explains this page: {best}{_seen(page)}", code="page_not_recognised")


def _best(page: Page, styles: Iterable[HouseStyle], identity: str) -> Reading | str:
    """The reading that explains most, or what to say about the nearest miss."""
    shipped = [r for style in styles if (r := read_in_style(page, style, identity=identity)) is not None]
    drafted = drafted_readings(page, identity=identity)
    ranked = sorted(
        [(_worth(reading) * SHIPPED_BONUS, reading) for reading in shipped] + [(_worth(r), r) for r in drafted],
        key=lambda each: each[0],
        reverse=True,
    )
    for _, reading in ranked:
        if reading.explained >= RECOGNISED and not objection(reading, is_drafted=reading in drafted):
            return reading
    if ranked:
        nearest = ranked[0][1]
        style = nearest.transcript.layout.style if nearest.transcript.layout else ""
        but = objection(nearest, is_drafted=nearest in drafted)
        return (
            f"{style} comes nearest with {nearest.turn_count} turns and {nearest.explained:.0%} of the lines{but}; "
        )
    return ""


def _worth(reading: Reading) -> float:
    """How good a reading is beside others: lines explained, turns found, times read, labels that needed no mark."""
    layout = reading.transcript.layout
    marks = layout.marks if layout else ()
    labels = {turn.id: label for turn, label in zip(reading.transcript.turns, reading.labels, strict=True)}
    forms = {m.block for m in marks if m.kind == Mark.LABEL_FORM and not is_decorated(labels[m.block])}
    patterns = {m.block for m in marks if m.kind == Mark.PATTERN and not has_same_signs(m.value, reading.pattern)}
    turns = reading.turn_count
    own = (0.4 * len(forms) + 0.25 * len(patterns - forms)) / turns
    timed = sum(turn.start is not None and turn.id not in patterns for turn in reading.transcript.turns) / turns
    return reading.explained * turns / (turns + 2) * (1 - own) * (1 + (TIMES_BONUS - 1) * timed)


def _seen(page: Page) -> str:
    """What the page looks like, in a sentence for the person who sent it."""
    texts = [block.text for block in page.blocks]
    colons = Counter(m[1] for text in texts if (m := re.match(r"([^:]{1,40}):\s", text)))
    times = sum(1 for text in texts if re.search(r"\d{1,2}:\d{2}", text[:60]))
    arrows = sum(1 for text in texts if "-->" in text)
    seen = [f"{len(texts)} lines of text", f"the first is {texts[0][:60]!r}"]
    if colons:
        label, count = colons.most_common(1)[0]
        seen.append(f"{colons.total()} begin like a label with a colon ({count} times {label[:30]!r})")
    if times:
        seen.append(f"{times} begin with a time")
    if arrows:
        seen.append(f"{arrows} hold '-->' as captions do (try --format vtt or srt)")
    if len(seen) == 2:
        seen.append("none begins with a label that comes again")
    return "saw " + ", ".join(seen)
