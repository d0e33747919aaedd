"""Pages in the house styles, read and written byte for byte."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from statistics import median

from formats.drafting import drafted_readings
from formats.house_style import HouseStyle, shipped_styles
from formats.names import is_decorated, is_name
from formats.opening import Page, decode_page
from formats.reading import Reading, episode_id, read_in_style
from formats.shapes import ends_sentence, has_same_signs
from formats.writing import Mark, render_page
from schemas.errors import PageError
from schemas.transcript import Transcript

__all__ = ["read_page", "render_page"]

#: A style is recognised when it explains this share of the page's lines.
RECOGNISED = 0.75
#: A style that ships is taken over a drafted one that is not this much better.
SHIPPED_BONUS = 1.3
#: A reading with times is taken over one that left them in the text.
TIMES_BONUS = 1.5
#: A line of the head that is as long is a paragraph, and so many words of them are more than notes on the show.
#: Set by hand: half the paragraphs of speech on the reference pages have 55 to 146 words and more, headings and list
#: entries of their heads up to 18; those heads have up to 178 words, a talk of five minutes has 700.
PARAGRAPH_WORDS = 20
SHOW_NOTES_WORDS = 300
#: A page is a list where at most this share of its turns ends a sentence and half of them have no more words than
#: this. Set by hand: on the reference pages every turn ends one, and the shortest paragraphs have 55 words.
LIST_ENDS = 0.2
LIST_WORDS = 6
#: Questions and answers without names: the share of questions that a reader asks for himself on a help page, and how
#: many answers say nothing of "I" or "we" there. Set by hand: those who are interviewed speak of themselves.
ASKED = 0.2
FEWEST_ANSWERS = 4
#: What settings have behind a value.
_COMMENT = re.compile(r"(?<!\s)\s+(?:#|//|;)\s.*$")
_FIRST_PERSON = re.compile(r"\b(?:I|I[’']m|me|my|we|our|us)\b")
_SINGULAR = re.compile(r"\b(?:I|I[’']\w+|me|my|mine|myself)\b")
_ASKS = re.compile(
    r"(?:what|how|why|when|where|which|who|whose|do|does|did|is|are|was|were|can|could|should|will)\b", re.I
)
#: What help pages say of themselves.
_HELP = re.compile(r"\bFAQs?\b|\bfrequently asked\b|\bcommon questions\b", re.IGNORECASE)
_SET_OFF_LABEL = re.compile(r"[*_\[(]{1,3}[^*_\])]{1,40}(?::[*_\])]{1,3}|[*_\])]{1,3}:)")


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
        is_talk = _is_a_talk(reading, is_drafted=reading in drafted) and not _words_above(reading)
        if reading.explained >= RECOGNISED and is_talk:
            return reading
    if ranked:
        nearest = ranked[0][1]
        style = nearest.transcript.layout.style if nearest.transcript.layout else ""
        but = _objection(nearest, is_drafted=nearest in drafted)
        return (
            f"{style} comes nearest with {nearest.turn_count} turns and {nearest.explained:.0%} of the lines{but}; "
        )
    return ""


def _objection(reading: Reading, *, is_drafted: bool) -> str:
    """Why a reading is no talk, to be put behind what it explains; "" where its lines alone speak against it."""
    above = _words_above(reading)
    if above:
        return f", but {above} words without a label stand above them"
    if _asks_nobody(reading):
        return ", but its questions and answers are nobody's: a line such as 'Q: Ada Quill' above them says whose"
    if _is_a_list(reading):
        return ", but what stands after the labels is short and ends no sentence, as in a list"
    if not _is_a_talk(reading, is_drafted=is_drafted):
        return ", but nobody speaks twice"
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


def _is_a_talk(reading: Reading, *, is_drafted: bool) -> bool:
    """Whether several turns were found, by more than one speaker where nothing else marks them.

    A list of numbers or of what is on when has lines that no sentence ends. One speaker is enough who goes on after
    every break. A style that was drafted from the page alone needs somebody who speaks twice, and so does one that
    ships on a web page or where the people are spoken of: in a list of them nobody does.
    """
    if _is_a_list(reading) or _asks_nobody(reading):
        return False
    if any(turn.start is not None for turn in reading.transcript.turns):
        return True
    speakers = len({turn.speaker for turn in reading.transcript.turns})
    if speakers == 1:
        return _speaks_alone(reading)
    return speakers < reading.turn_count or not (is_drafted or _is_web_page(reading) or _tells_about_people(reading))


def _is_web_page(reading: Reading) -> bool:
    """Whether tags stand around the lines: parts of a web page stand under headings that look like names."""
    layout = reading.transcript.layout
    return layout is not None and any("<" in mark.value for mark in layout.marks)


def _tells_about_people(reading: Reading) -> bool:
    """Whether three people and more stand over what is said about them: "Ada Quill: … Ada writes about it."

    Nobody's own name stands in what he says but where he introduces himself.
    """
    if reading.turn_count <= 2:
        return False
    names = {speaker.id: speaker.name or "" for speaker in reading.transcript.speakers}
    told = 0
    for turn in reading.transcript.turns:
        text = " ".join(paragraph.text for paragraph in turn.paragraphs)
        parts = [part for part in names.get(turn.speaker or "", "").split() if part in text.split()]
        told += bool(parts) and _FIRST_PERSON.search(text) is None
    return 2 * told > reading.turn_count


def _is_a_list(reading: Reading) -> bool:
    """Whether what stands after the labels is short and hardly ever ends as a sentence does."""
    said = [_COMMENT.sub("", " ".join(p.text for p in turn.paragraphs)) for turn in reading.transcript.turns]
    ends = sum(ends_sentence(text) for text in said)
    return ends <= LIST_ENDS * len(said) and median(len(text.split()) for text in said) <= LIST_WORDS


def _asks_nobody(reading: Reading) -> bool:
    """Whether questions and answers that no key gives to people are those of a help page.

    It says so ("FAQ"), or who reads it asks ("How do I …?") more often than who answers speaks of himself, or none of
    several answers does.
    """
    names = {speaker.id: speaker.name for speaker in reading.transcript.speakers}
    if set(names.values()) != {"Q", "A"}:
        return False
    said: dict[str | None, list[str]] = {"Q": [], "A": []}
    for turn in reading.transcript.turns:
        said[names[turn.speaker or ""]].append(" ".join(paragraph.text for paragraph in turn.paragraphs))
    around = [matter.text for matter in reading.transcript.front]
    around += [aside.text for turn in reading.transcript.turns for aside in turn.asides]
    own = {who: sum(_SINGULAR.search(text) is not None for text in texts) for who, texts in said.items()}
    asks_for_reader = own["Q"] * len(said["A"]) > own["A"] * len(said["Q"]) and own["Q"] >= ASKED * len(said["Q"])
    is_english = 2 * sum(_ASKS.match(text) is not None for text in said["Q"]) > len(said["Q"])
    speaks = any(_FIRST_PERSON.search(text) for text in said["A"])
    is_told = is_english and len(said["A"]) >= FEWEST_ANSWERS and not speaks
    return asks_for_reader or is_told or any(_HELP.search(text) for text in around)


def _speaks_alone(reading: Reading) -> bool:
    """Whether one person with a full name goes on after each break: "**Ada Quill:** … **Break:** **Ada Quill:** …".

    Nobody else's label may be left in what she says.
    """
    turns = reading.transcript.turns
    breaks = sum(any(aside.after == len(turn.paragraphs) for aside in turn.asides) for turn in turns[:-1])
    others = any(_SET_OFF_LABEL.match(paragraph.text) for turn in turns for paragraph in turn.paragraphs)
    is_named = all(is_name(label) and " " in label for label in reading.labels)
    return len(turns) > 2 and breaks == len(turns) - 1 and is_named and not others


def _words_above(reading: Reading) -> int:
    """The words of the paragraphs above the first label, where that is a talk of its own with questions after it.

    Front matter is none of it: a long description there is no talk.
    """
    head = reading.transcript.front[reading.front_matter_length :]
    lengths = [len(matter.text.split()) for matter in head]
    above = sum(length for length in lengths if length >= PARAGRAPH_WORDS)
    said = sum(len(p.text.split()) for turn in reading.transcript.turns for p in turn.paragraphs)
    return above if above > SHOW_NOTES_WORDS and 2 * above > said else 0


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
