"""Capitals and full stops where the recognizer wrote none.

Whisper falls into a manner without punctuation, or without capitals, for minutes at a time, and stays in it because
each window follows the look of the last. Only such stretches are touched, never a sentence that merely is long; no
word is added, left out or spelt otherwise, and figures stay as they are. Capitals inside a sentence are learned from
the rest of the recording (the idea of truecasing: Lita and others 2003), so a name needs to be written right twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from schemas.transcript import Correction, Word
from transcription.sentences import core_of, ends_sentence, is_final, listed

#: So many words without any punctuation are no sentence that somebody spoke: nine of ten spoken sentences are
#: shorter than this, and longer ones carry a comma.
UNPUNCTUATED_WORDS = 40
#: So many words without a capital, full stops among them, and so many in capitals.
SMALL_WORDS = 20
CAPITAL_WORDS = 8

#: A silence that ends a sentence there, in seconds, and the fewest words of a sentence.
PAUSE_SECONDS = 0.7
FEWEST_WORDS = 4

_MARKS = ".,;:?!…。！？、，"
_CLOSERS = "”’\"')]»"

#: English words that a sentence does not end with: a pause after one is for thought.
_NEVER_LAST = listed("""
    a an the and or but so because if when while as than that which who whose of to in on at by for from with into
    about between through my our your his her its their this these those some any every each no very really quite
    is are was were be been am has have had do does did will would can could shall should may might must not i'm
    we're they're it's that's there's we've i've you've i we you he she they i'd i'll we'll
""")
_AUXILIARIES = listed("do did does are is was were can could would will have has should")
_QUESTION_WORDS = listed("what how why where when who")
_PEOPLE = listed("you we they he she it i")
_ALWAYS_CAPITAL = {"i": "I", "i'm": "I'm", "i've": "I've", "i'd": "I'd", "i'll": "I'll"}


@dataclass(frozen=True, slots=True)
class Repaired:
    """The words of one turn, and each stretch that was changed."""

    words: tuple[Word, ...]
    corrections: tuple[Correction, ...]


def learned_capitals(words: Sequence[Word]) -> dict[str, str]:
    """Words that are written in capitals, twice or more and never otherwise, where no sentence begins.

    By their small form without punctuation. Stretches without capitals, or of nothing else, teach nothing.
    """
    forms: dict[str, Counter[str]] = {}
    untaught = {i for first, past in (*_without_capitals(words), *_capital(words)) for i in range(first, past)}
    for i in range(1, len(words)):
        if i in untaught or is_final(words[i - 1].text):
            continue
        bare = words[i].text.strip("“‘\"'([«" + _CLOSERS + _MARKS + "-–—").replace("’", "'")
        forms.setdefault(bare.casefold(), Counter())[bare] += 1
    learned = {core: next(iter(seen)) for core, seen in forms.items() if len(seen) == 1 and sum(seen.values()) >= 2}
    return {core: form for core, form in learned.items() if form != core}


def repair(words: Sequence[Word], capitals: Mapping[str, str], language: str | None) -> Repaired:
    """`repair_turns` of one turn alone."""
    return repair_turns([words], capitals, language)[0]


def repair_turns(
    turns: Sequence[Sequence[Word]], capitals: Mapping[str, str], language: str | None
) -> tuple[Repaired, ...]:
    """Give the stretches of a talk that lost them capitals and full stops, turn by turn.

    The recognizer knows no turns: a stretch goes on through many short ones, and their words count together.
    Sentences end at pauses of `PAUSE_SECONDS` there, and at the end of a turn. `capitals` are those of
    `learned_capitals`. Repairing again changes nothing more. Of English more is known than of other languages.
    """
    is_english = language == "en"
    repaired = [Repaired(tuple(words), ()) for words in turns]
    for reason, find in (("casing", _capital), ("punctuation", _unpunctuated), ("casing", _small)):
        stretches = find([word for each in repaired for word in each.words])
        begun = 0
        for n, turn in enumerate(repaired):
            past = begun + len(turn.words)
            for first, last in stretches:
                if first < past and begun < last:
                    own = (max(first, begun) - begun, min(last, past) - begun)
                    repaired[n] = _mended(repaired[n], reason, *own, capitals, is_english=is_english)
            begun = past
    return tuple(repaired)


def _mended(
    turn: Repaired, reason: str, first: int, past: int, capitals: Mapping[str, str], *, is_english: bool
) -> Repaired:
    """The turn with one stretch of it mended, and what that changed."""
    words, texts = turn.words, [word.text for word in turn.words]
    if reason == "punctuation":
        _mend_stops(texts, words, first, past, is_english=is_english)
    _mend_capitals(texts, first, past, capitals, is_english=is_english)
    if texts == [word.text for word in words]:
        return turn
    correction = Correction(
        reason,
        " ".join(word.text for word in words[first:past]),
        " ".join(texts[first:past]),
        words[first].start,
        words[past - 1].end,
    )
    mended = tuple(
        word if word.text == text else replace(word, text=text) for word, text in zip(words, texts, strict=True)
    )
    return Repaired(mended, (*turn.corrections, correction))


# ---------------------------------------------------------------- stretches


def _unpunctuated(words: Sequence[Word]) -> list[tuple[int, int]]:
    """Stretches without punctuation, in a script that has small letters."""
    runs = _runs([word.text.rstrip(_CLOSERS)[-1:] not in _MARKS for word in words], UNPUNCTUATED_WORDS)
    return [
        (first, past)
        for first, past in runs
        if any(each.islower() for word in words[first:past] for each in word.text)
    ]


def _small(words: Sequence[Word]) -> list[tuple[int, int]]:
    """Stretches of small letters in which a sentence ends."""
    return [
        (first, past)
        for first, past in _without_capitals(words)
        if any(each.islower() for word in words[first:past] for each in word.text)
        and any(is_final(word.text) for word in words[first : past - 1])
    ]


def _without_capitals(words: Sequence[Word]) -> list[tuple[int, int]]:
    return _runs([not _has_capital(word.text) for word in words], SMALL_WORDS)


def _has_capital(text: str) -> bool:
    return core_of(text) not in _ALWAYS_CAPITAL and any(letter.isupper() for letter in text)


def _capital(words: Sequence[Word]) -> list[tuple[int, int]]:
    """Stretches of nothing but capitals, most words of more than one letter: no list of abbreviations is as long."""
    runs = _runs([not any(letter.islower() for letter in word.text) for word in words], CAPITAL_WORDS)
    return [
        (first, past)
        for first, past in runs
        if sum(sum(letter.isupper() for letter in word.text) > 1 for word in words[first:past]) * 3
        >= 2 * (past - first)
    ]


def _runs(marks: Sequence[bool], fewest: int) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    first = 0
    for i in range(len(marks) + 1):
        if i == len(marks) or not marks[i]:
            if i - first >= fewest:
                runs.append((first, i))
            first = i + 1
    return runs


# ---------------------------------------------------------------- mending


def _mend_capitals(texts: list[str], first: int, past: int, capitals: Mapping[str, str], *, is_english: bool) -> None:
    for i in range(first, past):
        text = texts[i] if any(letter.islower() for letter in texts[i]) else texts[i].lower()
        core = core_of(text)
        form = capitals.get(core) or (_ALWAYS_CAPITAL.get(core) if is_english else None)
        if form is not None:
            text = _in_form(text, form)
        begins = i == 0 or ends_sentence(texts[i - 1], _capitalized(text))
        texts[i] = _capitalized(text) if begins else text


def _in_form(text: str, form: str) -> str:
    """The word with the letters of the form, its punctuation and apostrophe as they are."""
    start = text.casefold().replace("’", "'").find(form.casefold())
    if start < 0 or len(text) != len(text.casefold()):
        return text
    written = "".join(
        letter.upper() if model.isupper() else letter
        for letter, model in zip(text[start : start + len(form)], form, strict=True)
    )
    return text[:start] + written + text[start + len(form) :]


def _capitalized(text: str) -> str:
    """The first letter in capital, unless the word has its own or begins with a figure."""
    for i, letter in enumerate(text):
        if letter.isalnum():
            has_own = any(each.isupper() for each in text)
            upper = letter.upper()
            return text if has_own or len(upper) > 1 else text[:i] + upper + text[i + 1 :]
    return text


def _mend_stops(texts: list[str], words: Sequence[Word], first: int, past: int, *, is_english: bool) -> None:
    begun = first
    if first == 0 or is_final(texts[first - 1]):
        texts[first] = _capitalized(texts[first])
    for i in range(first, past):
        is_last = i + 1 == len(words)
        if i + 1 - begun < FEWEST_WORDS or (is_english and core_of(texts[i]) in _NEVER_LAST):
            continue
        if is_last or (i + 1 < past and _pause(words[i], words[i + 1]) >= PAUSE_SECONDS):
            asks = is_english and _is_question([core_of(text) for text in texts[begun : begun + 3]])
            texts[i] = _with_mark(texts[i], "?" if asks else ".")
            if not is_last:
                texts[i + 1] = _capitalized(texts[i + 1])
            begun = i + 1


def _pause(word: Word, following: Word) -> float:
    return 0.0 if word.end is None or following.start is None else following.start - word.end


def _is_question(opening: Sequence[str]) -> bool:
    """Only what cannot be anything else: "do you", "what did they"."""
    if opening[:1] and opening[0] in _QUESTION_WORDS:
        opening = opening[1:]
        return len(opening) > 1 and opening[0] in _AUXILIARIES and opening[1] in _PEOPLE
    return len(opening) > 1 and opening[0] in _AUXILIARIES and opening[1] == "you"


def _with_mark(text: str, mark: str) -> str:
    body = text.rstrip(_CLOSERS + "-–—")
    return text if not body else body + mark + text[len(body) :].strip("-–—")
