"""How much of what was said stands in the text. Words are tagged, never deleted.

FILLER, REPEAT and FALSE_START are set only where the chosen wording leaves the word out, so the document alone says
what its text shows: `visible_text(words)` needs no option and gives the same text whenever a paragraph is made again.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from schemas.job import Wording
from schemas.transcript import Word, WordTag
from transcription.sentences import core_of, is_final, listed
from transcription.tidying import false_starts, filling_phrases

#: The tags of words that the text leaves out.
LEFT_OUT = frozenset({WordTag.FILLER, WordTag.REPEAT, WordTag.FALSE_START, WordTag.BACKCHANNEL})

#: Those of them that a wording sets.
_BY_WORDING = frozenset({WordTag.FILLER, WordTag.REPEAT, WordTag.FALSE_START})

#: Sounds of hesitation by language: what is one in English is a word elsewhere ("um" in German and Portuguese).
#: Sounds that answer ("mm-hm", "oh", "hmm") stay.
_FILLERS: dict[str, frozenset[str]] = {
    "en": listed("um umm ummm uh uhh uhm er err erm ehm"),
    "de": listed("äh ähm öh öhm hm"),
    "fr": listed("euh heu"),
}

#: A word left out for one of these takes the punctuation around it along.
_MENDED = frozenset({WordTag.FILLER, WordTag.BACKCHANNEL})

#: Function words that are never said twice on purpose.
_STUTTERED: dict[str, frozenset[str]] = {
    "en": listed("""
    i i'm i've i'll i'd a an the to and of but or we we're we've he he's she she's they they're you're
    it's there's my our your his their this these those with for from at if as by into was were are be
    been have has can could will would should what when where who how because
"""),
}

#: Function words that may stand twice in good English ("had had", "come in in May"): stutters only when a comma,
#: a dash, a filler or a pause stands between.
_STUTTERED_WHEN_SET_OFF: dict[str, frozenset[str]] = {
    "en": listed("that that's had is in on up out it you her him so do did not"),
}

#: A gap between two equal words that is heard as a stutter, in seconds.
STUTTER_PAUSE_SECONDS = 0.25

_OPENING = "“‘\"'([«"
_CLOSING = "”’\"')]»"
_FINAL = ".?!"
_DASHES = "-–—"


def tag_words(words: Sequence[Word], wording: Wording, language: str | None) -> tuple[Word, ...]:
    """Tag the words of one turn that `wording` leaves out of the text; tags of another wording go.

    Verbatim tags nothing. Of a stuttered run the last word is kept. A turn of which nothing would be left keeps its
    text. `language` is a BCP 47 primary tag; only the languages in the tables above are cleaned.
    """
    plain = tuple(_untagged(word) for word in words)
    if wording is Wording.VERBATIM or language is None:
        return plain
    tagged = _tagged_as(wording, plain, language)
    if wording is Wording.TIDY and not any(is_visible(word) for word in tagged):
        tagged = _tagged_as(Wording.CLEAN, plain, language)
    return tagged if any(is_visible(word) for word in tagged) else plain


def _tagged_as(wording: Wording, words: Sequence[Word], language: str) -> tuple[Word, ...]:
    hesitations = _FILLERS.get(language, frozenset())
    spoken = [i for i, word in enumerate(words) if is_visible(word) and core_of(word.text) not in hesitations]
    tags = {i: WordTag.FILLER for i, word in enumerate(words) if core_of(word.text) in hesitations}
    if wording is Wording.TIDY:
        filling = filling_phrases(words, spoken, language)
        tags |= dict.fromkeys(filling, WordTag.FILLER)
        spoken = [i for i in spoken if i not in filling]
    stuttered = [
        i
        for i, j in pairwise(spoken)
        if _is_stutter(words[i], words[j], has_filler_between=j > i + 1, language=language)
    ]
    tags |= dict.fromkeys(stuttered, WordTag.REPEAT)
    if wording is Wording.TIDY:
        spoken = [i for i in spoken if i not in set(stuttered)]
        tags |= dict.fromkeys(false_starts(words, spoken, language), WordTag.FALSE_START)
    return tuple(replace(word, tags=(*word.tags, tags[i])) if i in tags else word for i, word in enumerate(words))


def _untagged(word: Word) -> Word:
    if not _BY_WORDING.intersection(word.tags):
        return word
    return replace(word, tags=tuple(tag for tag in word.tags if tag not in _BY_WORDING))


def _is_stutter(word: Word, following: Word, *, has_filler_between: bool, language: str) -> bool:
    core = core_of(word.text)
    if core != core_of(following.text) or is_final(word.text):
        return False
    if core in _STUTTERED.get(language, frozenset()):
        return True
    if core not in _STUTTERED_WHEN_SET_OFF.get(language, frozenset()):
        return False
    gap = 0.0 if word.end is None or following.start is None else following.start - word.end
    is_set_off = word.text.endswith((",", *_DASHES, "…", "..."))
    return is_set_off or has_filler_between or gap >= STUTTER_PAUSE_SECONDS


@dataclass(frozen=True, slots=True)
class ShownWord:
    """A word as the text prints it: its place among all words, and where it stands in the text."""

    index: int
    start: int  #: offset of the first character
    end: int


def is_visible(word: Word) -> bool:
    """Whether the word stands in the text."""
    return not LEFT_OUT.intersection(word.tags)


def visible_text(words: Sequence[Word]) -> str:
    """The text of the words that are not left out, with punctuation and capitals mended around the gaps.

    "Um, well" gives "Well"; "I, uh, think" gives "I think"; "so I, um." gives "so I."
    """
    return shown_words(words)[0]


def shown_words(words: Sequence[Word]) -> tuple[str, tuple[ShownWord, ...]]:
    """`visible_text` with the place of each word that it shows."""
    forms = _mended(words)
    pieces: list[str] = []
    places: list[ShownWord] = []
    offset = 0
    for index, form in forms:
        space = _space_between(pieces[-1], form) if pieces else ""
        start = offset + len(space)
        offset = start + len(form)
        pieces += [space, form]
        places.append(ShownWord(index, start, offset))
    return "".join(pieces), tuple(places)


def join_texts(texts: Sequence[str]) -> str:
    """Join printed texts with a space, or without one in scripts that set none between words."""
    joined = ""
    for text in texts:
        joined += _space_between(joined, text) + text
    return joined


def _space_between(left: str, right: str) -> str:
    if not left or not right or (_has_no_spaces(left[-1]) and _has_no_spaces(right[0])):
        return ""
    return " "


def _mended(words: Sequence[Word]) -> list[tuple[int, str]]:
    """(index, printed form) of each visible word."""
    forms: list[tuple[int, str]] = []
    opening = ""  # a quote that opened on a word left out
    begins_sentence = False  # a word left out had the capital of its sentence
    for i, word in enumerate(words):
        if is_visible(word):
            form = opening + word.text
            forms.append((i, _with_capital(form) if begins_sentence else form))
            opening, begins_sentence = "", False
            continue
        lead, core, trail = _parts(word.text)
        closers = trail.lstrip(_FINAL + _DASHES + ",;:…")
        if not (lead and closers):
            opening += lead
            if forms and closers:
                forms[-1] = (forms[-1][0], forms[-1][1] + closers)
        if core[:1].isupper() and (not forms or _is_closed(forms[-1][1])):
            begins_sentence = True
        if forms and _MENDED.intersection(word.tags):
            forms[-1] = (
                forms[-1][0],
                _mend_before(forms[-1][1], trail, words[i + 1].text if i + 1 < len(words) else None),
            )
    return forms


def _parts(text: str) -> tuple[str, str, str]:
    """A word's opening punctuation, itself, and its closing punctuation."""
    rest = text.lstrip(_OPENING)
    core = rest.rstrip(_CLOSING + _FINAL + _DASHES + ",;:…")
    return text[: len(text) - len(rest)], core, rest[len(core) :]


def _mend_before(form: str, trail: str, following: str | None) -> str:
    """The word before a gap, given the punctuation that stood on the word left out."""
    ends = following is None or not following.lstrip(_OPENING)[:1].islower()
    final = trail.rstrip(_CLOSING)[-1:]
    if final and final in _FINAL and not trail.startswith("...") and ends:
        return form if _is_closed(form) else _with_stop(form, final)
    if following is None:
        return form.rstrip(",")
    if form.endswith(",") and trail.startswith(","):
        return form[:-1]
    return form


def _is_closed(form: str) -> bool:
    return form.rstrip(_CLOSING).endswith((*_FINAL, "…"))


def _with_stop(form: str, stop: str) -> str:
    body = form.rstrip(_CLOSING)
    return body.rstrip(",;:" + _DASHES) + stop + form[len(body) :]


def _with_capital(form: str) -> str:
    """The first letter in capital, unless the word has its own ("iPhone")."""
    lead = len(form) - len(form.lstrip(_OPENING))
    if form[lead : lead + 1].islower() and form[lead:].islower():
        return form[:lead] + form[lead].upper() + form[lead + 1 :]
    return form


def _has_no_spaces(character: str) -> bool:
    """Whether the character belongs to a script that sets no spaces between words (Han, kana, Thai)."""
    if character.isascii():
        return False
    name = unicodedata.name(character, "")
    return name.startswith(("CJK", "HIRAGANA", "KATAKANA", "IDEOGRAPHIC", "FULLWIDTH", "THAI"))
