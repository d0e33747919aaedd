"""Which word of a transcript stands for which word of the truth, and what follows from that.

Words are aligned by jiwer over all words in the order of the page, small letters without punctuation; where people
speak at once, the two sides may print their words in another order. Words that are missing at one place and stand,
alike, within `MOVED_SECONDS` at another were moved: neither lost nor invented.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from evaluation.measures import plain_words
from evaluation.said import SaidWord
from transcription.ports import VoiceTurn

#: How far apart two like words may stand and be the same word, in seconds.
MOVED_SECONDS = 5.0
#: A word that nobody says is invented when it is so far from all speech, in seconds.
SILENCE_SECONDS = 0.5
#: That many words in a row that nobody says are invented, wherever they stand.
INVENTED_RUN = 5
#: How many words a paragraph may begin too early or too late.
PARAGRAPH_WORDS = 2


class Fate(StrEnum):
    """What became of a word."""

    SAME = "same"
    OTHER = "other"  #: another word stands in its place
    MISSING = "missing"  #: said and not printed
    EXTRA = "extra"  #: printed and not said
    MOVED = "moved"  #: said here and printed elsewhere, or the other way round


@dataclass(frozen=True, slots=True)
class Pair:
    """One place of the alignment: a word of the truth, one of the page, or both."""

    fate: Fate
    said: int | None  #: index among the words of the truth
    printed: int | None  #: index among the words of the page


def align(truth: Sequence[SaidWord], heard: Sequence[SaidWord]) -> tuple[Pair, ...]:
    """Every word of both sides once, in order."""
    pairs = tuple(_aligned(truth, heard))
    moved = _moved(pairs, truth, heard)
    return tuple(Pair(Fate.MOVED, each.said, each.printed) if each in moved else each for each in pairs)


def _aligned(truth: Sequence[SaidWord], heard: Sequence[SaidWord]) -> Iterator[Pair]:
    import jiwer

    left, right = [_plain(word) for word in truth], [_plain(word) for word in heard]
    if not left or not right:
        yield from (Pair(Fate.MISSING, i, None) for i in range(len(left)))
        yield from (Pair(Fate.EXTRA, None, j) for j in range(len(right)))
        return
    fates = {"equal": Fate.SAME, "substitute": Fate.OTHER, "delete": Fate.MISSING, "insert": Fate.EXTRA}
    for chunk in jiwer.process_words(" ".join(left), " ".join(right)).alignments[0]:
        said = range(chunk.ref_start_idx, chunk.ref_end_idx)
        printed = range(chunk.hyp_start_idx, chunk.hyp_end_idx)
        for n in range(max(len(said), len(printed))):
            i = said[n] if n < len(said) else None
            j = printed[n] if n < len(printed) else None
            yield Pair(fates[chunk.type], i, j)


def _plain(word: SaidWord) -> str:
    """One token, whatever the word is: punctuation alone stays, so that indices keep their meaning."""
    return "".join(plain_words(word.text)) or word.text


def _moved(pairs: Sequence[Pair], truth: Sequence[SaidWord], heard: Sequence[SaidWord]) -> set[Pair]:
    missing: dict[str, list[Pair]] = {}
    for pair in pairs:
        if pair.fate is Fate.MISSING and pair.said is not None:
            missing.setdefault(_plain(truth[pair.said]), []).append(pair)
    moved: set[Pair] = set()
    for pair in pairs:
        if pair.fate is not Fate.EXTRA or pair.printed is None:
            continue
        word = heard[pair.printed]
        candidates = missing.get(_plain(word), [])
        near = next((each for each in candidates if _is_near(truth[each.said or 0], word)), None)
        if near is not None:
            candidates.remove(near)
            moved |= {near, pair}
    return moved


def _is_near(one: SaidWord, other: SaidWord) -> bool:
    return one.middle is not None and other.middle is not None and abs(one.middle - other.middle) <= MOVED_SECONDS


def coverage(pairs: Sequence[Pair]) -> float | None:
    """Words said that stand on the page, right or misheard, to words said; None without any."""
    said = [pair for pair in pairs if pair.said is not None]
    return sum(pair.fate is not Fate.MISSING for pair in said) / len(said) if said else None


def invented(pairs: Sequence[Pair], heard: Sequence[SaidWord], speech: Sequence[VoiceTurn]) -> tuple[int, ...]:
    """Words of the page (their indices) that nobody says: in a run of five or more, or where nobody speaks."""
    found: list[int] = []
    for is_extra, group in groupby(pairs, key=lambda pair: pair.fate is Fate.EXTRA):
        run = [pair.printed for pair in group if is_extra and pair.printed is not None]
        is_long = len(run) >= INVENTED_RUN
        found += [j for j in run if is_long or _is_in_silence(heard[j], speech)]
    return tuple(found)


def _is_in_silence(word: SaidWord, speech: Sequence[VoiceTurn]) -> bool:
    middle = word.middle
    if middle is None or not speech:
        return False
    return not any(turn.start - SILENCE_SECONDS <= middle <= turn.end + SILENCE_SECONDS for turn in speech)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Things that stand at a place: on both sides, only on the page, only in the truth."""

    right: int = 0
    extra: int = 0
    missing: int = 0

    @property
    def f1(self) -> float | None:
        """None where neither side has any."""
        count = 2 * self.right + self.extra + self.missing
        return 2 * self.right / count if count else None

    @property
    def precision(self) -> float | None:
        """Right to all on the page; None where it has none."""
        printed = self.right + self.extra
        return self.right / printed if printed else None

    @property
    def recall(self) -> float | None:
        """Right to all in the truth; None where that has none."""
        said = self.right + self.missing
        return self.right / said if said else None


def agreement(said: Sequence[int], printed: Sequence[int], *, within: int) -> Agreement:
    """Each place on the page goes to the nearest one of the truth `within` so many words, once."""
    left = list(said)
    right = 0
    for place in printed:
        near = min(left, key=lambda each: abs(each - place), default=None)
        if near is not None and abs(near - place) <= within:
            left.remove(near)
            right += 1
    return Agreement(right, len(printed) - right, len(left))


def places_in_truth(pairs: Sequence[Pair]) -> dict[int, int]:
    """Where in the truth each word of the page stands: at its own word, or after so many words."""
    places: dict[int, int] = {}
    before = 0
    for pair in pairs:
        if pair.printed is not None:
            places[pair.printed] = pair.said if pair.said is not None else before
        before += pair.said is not None
    return places


def paragraph_boundaries(pairs: Sequence[Pair], truth: Sequence[SaidWord], heard: Sequence[SaidWord]) -> Agreement:
    """Paragraphs inside a turn that begin where one of the truth does, within two words."""
    place = places_in_truth(pairs)
    return agreement(_begins(truth), [place[j] for j in _begins(heard)], within=PARAGRAPH_WORDS)


def _begins(words: Sequence[SaidWord]) -> list[int]:
    """Indices of the words that begin a paragraph inside a turn."""
    return [
        i
        for i in range(1, len(words))
        if words[i].turn == words[i - 1].turn and words[i].paragraph != words[i - 1].paragraph
    ]
