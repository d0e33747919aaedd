"""The HTML report of a comparison: its figures, who speaks when as a drawing, and every word with what became of it.

One file that loads and runs nothing. Words and names are text whatever they hold.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.alignment import Fate, Pair
from evaluation.comparison import Comparison
from evaluation.measures import matching
from evaluation.presentation import rows as figures
from evaluation.said import NOBODY, SaidWord
from transcription.ports import VoiceTurn

_TEMPLATE = Path(__file__).parent / "report.html.j2"

#: A drawing's width in its own units; the page scales it. The labels stand in front of the bars.
WIDTH, LABELS = 1000.0, 130.0
#: In characters; the whole name stands in the title of each bar.
LONGEST_LABEL = 20
#: Longest stretch of the recording in one band of the drawing, and most bands, in seconds and pieces.
BAND_SECONDS = 120.0
MOST_BANDS = 12
#: Height of one speaker's lane and of its two bars, in the drawing's units.
LANE, BAR, HEAD = 26.0, 9.0, 16.0


@dataclass(frozen=True, slots=True)
class Token:
    """One place of the text: what was said and what is printed there."""

    fate: str  #: a `Fate`, or "invented"
    said: str
    printed: str
    is_misplaced: bool = False  #: under the wrong speaker


@dataclass(frozen=True, slots=True)
class Line:
    """The tokens of one turn of the page."""

    label: str
    clock: str
    tokens: tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """Somebody speaks: a rectangle of the drawing."""

    kind: str  #: said or printed
    hue: int
    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class Lane:
    """The row of one speaker, in every band."""

    y: float  #: of its middle
    label: str
    is_matched: bool  #: somebody of the reference; else a voice of the transcript that is left over


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of the recording, drawn from left to right."""

    height: float
    lanes: tuple[Lane, ...]
    ticks: tuple[tuple[float, str], ...]
    bars: tuple[Bar, ...]


def render_report(comparison: Comparison, *, reference: str, hypothesis: str) -> bytes:
    """The page. `reference` and `hypothesis` are what the two sides are called in it."""
    from jinja2 import Environment, StrictUndefined

    from formats.typography import xml_text

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    drawn = tuple(bands(comparison))
    page = template.render(
        reference=reference,
        hypothesis=hypothesis,
        rows=figures(comparison.measures),
        notes=comparison.notes,
        bands=drawn,
        has_left_over=any(not lane.is_matched for band in drawn for lane in band.lanes),
        lines=tuple(lines(comparison)),
        width=WIDTH,
    )
    return xml_text(page).encode("utf-8")


# ---------------------------------------------------------------- the words


def lines(comparison: Comparison) -> Iterator[Line]:
    """Every word of both sides, by the turns of the page; words that nobody printed stand where they belong."""
    names, matched = dict(comparison.heard.names), dict(comparison.matched)
    invented = frozenset(comparison.invented)
    speaker, clock, turn = NOBODY, "", -1
    pairs: list[Pair] = []

    def line() -> Line:
        tokens = tuple(_token(pair, comparison, matched, invented) for pair in pairs)
        return Line(names.get(speaker, speaker), clock, tokens)

    for pair in comparison.pairs:
        printed = None if pair.printed is None else comparison.heard.words[pair.printed]
        if printed is not None and printed.turn != turn:
            kept, early = _parted(pairs, comparison, matched, printed.speaker)
            if pairs := kept:
                yield line()
            pairs = early
            speaker, clock, turn = printed.speaker, _clock(printed.start), printed.turn
        pairs.append(pair)
    if pairs:
        yield line()


def _parted(
    pairs: list[Pair], comparison: Comparison, matched: dict[str, str], speaker: str
) -> tuple[list[Pair], list[Pair]]:
    """The pairs of a turn, and those missing words after it that the next turn's `speaker` said."""
    end = len(pairs)
    while end and pairs[end - 1].printed is None and _sayer(pairs[end - 1], comparison, matched) == speaker:
        end -= 1
    return pairs[:end], pairs[end:]


def _sayer(pair: Pair, comparison: Comparison, matched: dict[str, str]) -> str | None:
    """The page's speaker that was matched to who said the word."""
    return None if pair.said is None else matched.get(comparison.truth.words[pair.said].speaker)


def _token(pair: Pair, comparison: Comparison, matched: dict[str, str], invented: frozenset[int]) -> Token:
    said = None if pair.said is None else comparison.truth.words[pair.said]
    printed = None if pair.printed is None else comparison.heard.words[pair.printed]
    fate = "invented" if pair.printed in invented else pair.fate.value
    is_misplaced = said is not None and printed is not None and matched.get(said.speaker) != printed.speaker
    several = len(comparison.truth.speakers) > 1
    return Token(fate, _text(said, pair.fate), printed.text if printed else "", is_misplaced and several)


def _text(word: SaidWord | None, fate: Fate) -> str:
    """What was said, where it differs from what is printed."""
    return "" if word is None or fate is Fate.SAME else word.text


def _clock(seconds: float | None) -> str:
    if seconds is None:
        return ""
    whole = int(seconds)
    minutes = f"{whole // 60 % 60:02}:{whole % 60:02}"
    return f"{whole // 3600}:{minutes}" if whole >= 3600 else minutes


# ---------------------------------------------------------------- the drawing


def bands(comparison: Comparison) -> Iterator[Band]:
    """Who speaks when: above, in full colour, the truth; below, paler, the page. None where either has no times."""
    truth, heard = comparison.truth.voices, comparison.heard.voices
    if not truth or not heard:
        return
    end = max(turn.end for turn in (*truth, *heard))
    count = min(MOST_BANDS, math.ceil(end / BAND_SECONDS))
    seconds = max(6.0, math.ceil(end / count / 6) * 6.0)
    lanes = _lanes(comparison)
    for number in range(math.ceil(end / seconds)):
        yield _band(comparison, lanes, number * seconds, seconds)


def _lanes(comparison: Comparison) -> dict[tuple[str, str], int]:
    """Each speaker's place, by side and id; matched speakers share one."""
    lanes: dict[tuple[str, str], int] = {}
    matched = _matched_voices(comparison.truth.voices, comparison.heard.voices)
    places = 0
    for person in dict.fromkeys(turn.voice for turn in comparison.truth.voices):
        lanes["said", person] = places
        if person in matched:
            lanes["printed", matched[person]] = places
        places += 1
    for voice in dict.fromkeys(turn.voice for turn in comparison.heard.voices):
        if ("printed", voice) not in lanes:
            lanes["printed", voice] = places
            places += 1
    return lanes


def _matched_voices(truth: Sequence[VoiceTurn], heard: Sequence[VoiceTurn]) -> dict[str, str]:
    """By the seconds that they share: the turns of an RTTM need not call people as the words do."""
    shared: defaultdict[tuple[str, str], float] = defaultdict(float)
    for one in truth:
        for other in heard:
            shared[one.voice, other.voice] += max(0.0, min(one.end, other.end) - max(one.start, other.start))
    return matching(shared)


def _band(comparison: Comparison, lanes: dict[tuple[str, str], int], start: float, seconds: float) -> Band:
    count = max(lanes.values()) + 1
    owners = {place: (side, who) for (side, who), place in reversed(lanes.items())}
    bars = [
        *_bars("said", comparison.truth.voices, comparison, lanes, start, seconds),
        *_bars("printed", comparison.heard.voices, comparison, lanes, start, seconds),
    ]
    step = seconds / 6
    ticks = tuple((round(_across(n * step, seconds), 2), _clock(start + n * step)) for n in range(7))
    rows = tuple(
        Lane(HEAD + place * LANE + LANE / 2, _shortened(_label(comparison, side, who)), side == "said")
        for place, (side, who) in sorted(owners.items())
    )
    return Band(HEAD + count * LANE, rows, ticks, tuple(bars))


def _across(seconds: float, of: float) -> float:
    """How far to the right a moment of a band stands."""
    return LABELS + (WIDTH - LABELS) * seconds / of


def _label(comparison: Comparison, side: str, who: str) -> str:
    names = dict(comparison.truth.names if side == "said" else comparison.heard.names)
    return names.get(who, who)


def _shortened(label: str) -> str:
    """What fits in front of the bars."""
    return label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1].rstrip()}…"


def _bars(
    side: str,
    turns: Sequence[VoiceTurn],
    comparison: Comparison,
    lanes: dict[tuple[str, str], int],
    start: float,
    seconds: float,
) -> Iterator[Bar]:
    for turn in turns:
        begin, end = max(turn.start, start), min(turn.end, start + seconds)
        if end <= begin:
            continue
        place = lanes[side, turn.voice]
        yield Bar(
            kind=side,
            hue=(210 + 67 * place) % 360,
            x=round(_across(begin - start, seconds), 2),
            y=round(HEAD + place * LANE + (3 if side == "said" else 4 + BAR), 2),
            width=round(max(1.0, _across(end - begin, seconds) - LABELS), 2),
            height=BAR,
            title=f"{_label(comparison, side, turn.voice)}, {turn.start:.1f} to {turn.end:.1f} s",
        )
