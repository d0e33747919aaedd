"""What a page shows beside its words, held against the truth: sentences, capitals, a show's terms, talk at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from evaluation.alignment import Agreement, Fate, Pair, agreement, places_in_truth
from evaluation.said import SaidWord
from schemas.transcript import Word, WordTag
from transcription.ports import VoiceTurn
from transcription.sentences import ends_sentence
from transcription.voices import mark_overlap

#: A truth is written out (and not merely the words) where it has a sentence's end for every so many words, at least.
WRITTEN_WORDS = 40
#: How many words a term, or a sentence's end, may stand from its place: the alignment is that sure.
TERM_WORDS = 2
END_WORDS = 1

_AROUND = "“‘\"'([«”’)]».,;:?!…-–—"


def is_written(truth: Sequence[SaidWord]) -> bool:
    """Whether the truth has sentences and capitals; many have only the words."""
    return bool(truth) and len(_ends(truth)) * WRITTEN_WORDS >= len(truth)


def sentence_ends(pairs: Sequence[Pair], truth: Sequence[SaidWord], printed: Sequence[SaidWord]) -> Agreement | None:
    """Sentences that end where one of the truth does; None where that has only words.

    An end is a full stop, question or exclamation mark before a word that may begin a sentence: a capital.
    """
    if not is_written(truth):
        return None
    place = places_in_truth(pairs)
    return agreement(_ends(truth), [place[j] for j in _ends(printed)], within=END_WORDS)


def _ends(words: Sequence[SaidWord]) -> list[int]:
    """The indices of words that a sentence ends with."""
    ends = [i for i, (word, after) in enumerate(pairwise(words)) if ends_sentence(word.text, after.text)]
    return [*ends, len(words) - 1] if words and ends_sentence(words[-1].text, None) else ends


def capitals(pairs: Sequence[Pair], truth: Sequence[SaidWord], printed: Sequence[SaidWord]) -> Agreement | None:
    """Capital letters, counted in words that both sides spell alike; None where the truth has only words."""
    if not is_written(truth):
        return None
    right = extra = missing = 0
    for pair in pairs:
        if pair.fate is not Fate.SAME or pair.said is None or pair.printed is None:
            continue
        said, shown = _letters(truth[pair.said].text), _letters(printed[pair.printed].text)
        if said.casefold() != shown.casefold() or len(said) != len(shown):
            continue
        for one, other in zip(said, shown, strict=True):
            right += one.isupper() and other.isupper()
            extra += other.isupper() and not one.isupper()
            missing += one.isupper() and not other.isupper()
    return Agreement(right, extra, missing)


def _letters(text: str) -> str:
    return "".join(each for each in text if each.isalnum())


def terms(
    pairs: Sequence[Pair], truth: Sequence[SaidWord], printed: Sequence[SaidWord], wanted: Iterable[str]
) -> Agreement | None:
    """A show's terms, each as it is written, letter for letter and near its place; None where none is said."""
    place = places_in_truth(pairs)
    total = Agreement()
    for term in dict.fromkeys(wanted):
        said = _occurrences(truth, term)
        found = agreement(said, [place[j] for j in _occurrences(printed, term)], within=TERM_WORDS)
        total = Agreement(total.right + found.right, total.extra + found.extra, total.missing + found.missing)
    return total if total.right + total.missing else None


def _occurrences(words: Sequence[SaidWord], term: str) -> list[int]:
    """Where the term begins. Punctuation around it and a possessive are not its own."""
    parts = term.split()
    texts = [_bare(word.text) for word in words]
    wanted = [_bare(part) for part in parts]
    if not any(wanted):
        return []  # nothing but punctuation
    return [i for i in range(len(texts) - len(parts) + 1) if texts[i : i + len(parts)] == wanted]


def _bare(text: str) -> str:
    return text.strip(_AROUND).replace("’", "'").removesuffix("'s")


def talk_at_once(printed: Sequence[SaidWord], speech: Sequence[VoiceTurn]) -> Agreement | None:
    """Words tagged as spoken while another voice speaks, against the true voices at the words' own times.

    The rule is the tag's: for half the word or more. None where no word has times, or the truth no voices.
    """
    if not speech or not any(word.middle is not None for word in printed):
        return None
    plain = [Word(word.text, word.start, word.end) for word in printed]
    true = [WordTag.OVERLAP in word.tags for word in mark_overlap(plain, speech)]
    tagged = [word.is_overlapped for word in printed]
    right = sum(one and other for one, other in zip(true, tagged, strict=True))
    return Agreement(right, sum(tagged) - right, sum(true) - right)
