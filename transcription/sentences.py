"""Where a sentence ends. Careful on purpose: a missed end makes a longer paragraph, a false one breaks a sentence."""

from __future__ import annotations

import re


def listed(words: str) -> frozenset[str]:
    """A table of words from a text with spaces between them."""
    return frozenset(words.split())


_CLOSERS = "”’\"')]»"
_OPENERS = "“‘\"'([«¿¡"
_FINAL = ".!?…。！？"

#: Never the last word of a sentence: a name or a number follows.
_TITLES = listed("""
    dr mr mrs ms prof st rev hon gen sen rep gov capt lt col sgt fr sr sra mme mlle m vs fig vol pp cf
    viz eg ie e.g i.e al approx dept
""")
#: The last word of a sentence only when a word follows that often begins one.
_ABBREVIATIONS = listed("""
    etc inc ltd co corp plc llc bros jr jun snr phd ph.d m.d b.a m.a b.sc m.sc a.m p.m am pm a.d b.c est
    ext jan feb mar apr jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri ave blvd rd mt
    ft
""")
#: Words that a sentence often begins with and a name seldom does.
_STARTERS = listed("""
    i i'm i've i'd i'll we we're we've you you're he he's she she's it it's they they're the this that
    that's these those there there's here and but so or if when where why who what how then now well yes
    no yeah okay because in on at for from with to as my our your his her their not let do does did is
    are was were can could would should have has a an all some one after before however thank thanks
""")
#: Capital in the middle of a sentence too, so that they say nothing after an ellipsis.
_ALWAYS_CAPITAL = frozenset({"i", "i'm", "i've", "i'd", "i'll"})
_TOKEN = re.compile(r"[^\s。！？]*[。！？]+[”’」』）]*|[^\s。！？]+")
_LIST_NUMBER = re.compile(r"^\d{1,2}\.$")
_INITIALS = re.compile(r"^(?:[^\W\d_]\.)*[^\W\d_]$")


def core_of(text: str) -> str:
    """The word without punctuation around it, small, with straight apostrophes."""
    return text.strip(_OPENERS + _CLOSERS + ".?!-–—,;:…").replace("’", "'").casefold()


def is_final(text: str) -> bool:
    """Whether a word carries a full stop, question mark or exclamation mark; three dots are none."""
    body = text.rstrip(_CLOSERS)
    return body.endswith((".", "?", "!")) and not body.endswith("...")


def ends_sentence(word: str, following: str | None) -> bool:
    """Whether a sentence ends with `word`, given the word that follows (None: nothing follows).

    A full stop after a title ("Dr."), an initial ("J."), or before a small letter is not an end; after an
    abbreviation ("U.K.", "p.m.") or an ellipsis it is one only before a word that often begins a sentence.
    """
    core = word.rstrip(_CLOSERS)
    if not core or core[-1] not in _FINAL:
        return False
    if following is None:
        return True
    after = following.lstrip(_OPENERS)
    if core[-1] in "。！？":
        return True
    if not after or after[0].islower() or not (after[0].isalnum() or after[0] in "£$€#@"):
        return False
    opening = after.rstrip(_CLOSERS + ",;:" + _FINAL).replace("’", "'").casefold()
    starter = opening in _STARTERS
    if core.endswith(("...", "…")):
        return starter and opening not in _ALWAYS_CAPITAL
    if core[-1] != ".":
        return True
    stem = core.lstrip(_OPENERS)[:-1].casefold()
    if stem in _TITLES:
        return False
    if stem == "no":
        return not after[0].isdigit()
    if stem == "i":
        return True
    if stem in _ABBREVIATIONS or _INITIALS.match(stem):
        return starter
    return True


def sentence_spans(text: str) -> tuple[tuple[int, int], ...]:
    """Where the sentences of a text stand: (start, past the end) without the white space between them.

    The spans cover every character that is not white space. A text without punctuation is one sentence.
    """
    tokens = list(_TOKEN.finditer(text))
    spans: list[tuple[int, int]] = []
    start: int | None = None
    for i, token in enumerate(tokens):
        is_first = start is None
        start = token.start() if start is None else start
        following = tokens[i + 1].group() if i + 1 < len(tokens) else None
        is_list_number = is_first and following is not None and _LIST_NUMBER.match(token.group())
        if following is None or (ends_sentence(token.group(), following) and not is_list_number):
            spans.append((start, token.end()))
            start = None
    return tuple(spans)


def split_sentences(text: str) -> tuple[str, ...]:
    """The sentences of a text, in order."""
    return tuple(text[start:end] for start, end in sentence_spans(text))
