"""A show's glossary: how its names and terms are written, and what recognizers make of them.

The written forms are expected by the recognizer (hotwords); what it still gets wrong is corrected here, each change
with its place in the document's quality. A glossary is a TOML file:

    [[term]]
    write = "Skerryvore"
    sounds_like = ["skerry vore", "sherry four"]
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from schemas.errors import OptionError
from schemas.job import Term
from schemas.transcript import Correction, Word, WordTag
from transcription.sentences import is_final

LARGEST_BYTES = 65_536  #: of a file
MOST_TERMS = 300  #: each job carries them
MOST_FORMS = 20  #: of one term
LONGEST_FORM = 100  #: characters

#: Words that one form may have; longer ones would be sentences.
MOST_WORDS = 8

_OPENING = "“‘\"'([«"
_CLOSING = "”’\"')]».,;:?!…-–—"
_POSSESSIVES = ("'s", "’s")

Key = tuple[str, ...]


def read_glossary(content: bytes, *, name: str) -> tuple[Term, ...]:
    """Read a glossary file; `name` is what errors call it. Raises OptionError `glossary_invalid`."""
    if len(content) > LARGEST_BYTES:
        raise _invalid(f"{name}: {len(content)} bytes; a glossary has at most {LARGEST_BYTES}")
    try:
        table = tomllib.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _invalid(f"{name}: is no TOML file: {error}") from error
    for key in table:
        if key != "term":
            raise _invalid(f"{name}: {key[:40]!r} is not known; a glossary is a list of [[term]]")
    entries = table.get("term", [])
    if not isinstance(entries, list):
        raise _invalid(f"{name}: term must be a list: write [[term]]")
    terms = tuple(_term(entry, f"{name}: term {number}") for number, entry in enumerate(entries, start=1))
    check_glossary(terms, name=name)
    return terms


def _term(entry: Any, place: str) -> Term:
    if not isinstance(entry, dict):
        raise _invalid(f"{place}: must be a table: write [[term]]")
    for key in entry:
        if key not in ("write", "sounds_like"):
            raise _invalid(f"{place}: {key[:40]!r} is not known; use write and sounds_like")
    write, sounds_like = entry.get("write"), entry.get("sounds_like", [])
    if not isinstance(write, str):
        raise _invalid(f"{place}: write must say how the term is written")
    if not isinstance(sounds_like, list) or not all(isinstance(form, str) for form in sounds_like):
        raise _invalid(f"{place} ({write[:40]!r}): sounds_like must be a list of texts")
    return Term(_plain(write), tuple(_plain(form) for form in sounds_like))


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def check_glossary(terms: Sequence[Term], *, name: str = "glossary") -> None:
    """Raise OptionError `glossary_invalid` for a glossary that is too large or that contradicts itself."""
    if len(terms) > MOST_TERMS:
        raise _invalid(f"{name}: {len(terms)} terms; at most {MOST_TERMS}")
    owners: dict[Key, str] = {}
    for term in terms:
        if len(term.sounds_like) > MOST_FORMS:
            raise _invalid(f"{name}: {term.write[:40]!r} has {len(term.sounds_like)} forms; at most {MOST_FORMS}")
        for form in (term.write, *term.sounds_like):
            key = _check_form(form, name)
            if owners.setdefault(key, term.write) != term.write:
                raise _invalid(f"{name}: {form[:40]!r} stands for both {owners[key][:40]!r} and {term.write[:40]!r}")


def _check_form(form: str, name: str) -> Key:
    key = _key(form)
    if not key:
        raise _invalid(f"{name}: {form[:40]!r} holds no letter or digit")
    if len(form) > LONGEST_FORM or len(key) > MOST_WORDS:
        raise _invalid(f"{name}: {form[:40]!r}… is too long; at most {LONGEST_FORM} characters, {MOST_WORDS} words")
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs") for character in form):
        raise _invalid(f"{name}: {form[:40]!r} holds control characters")
    return key


def _invalid(message: str) -> OptionError:
    return OptionError(message, code="glossary_invalid", field="glossary")


def glossary_name(show: str) -> str:
    """The file name, without its ending, under which a show's glossary is kept: "Tide Talk!" is `tide-talk`."""
    return re.sub(r"[\W_]+", "-", unicodedata.normalize("NFC", show).casefold()).strip("-")


@dataclass(frozen=True, slots=True)
class Corrected:
    """The words as the glossary writes them, and what was changed, in order."""

    words: tuple[Word, ...]
    corrections: tuple[Correction, ...]


def correct(words: Sequence[Word], terms: Sequence[Term]) -> Corrected:
    """Write the glossary's terms as it writes them wherever they, or what they sound like, were recognized.

    Compared without case, accents kept, hyphens as spaces; the longest form wins, and none reaches over a comma or a
    full stop. Punctuation around and a possessive 's stay. Where the term has as many words as were heard, each
    keeps its times; else they share the time that all were said in. Words that were corrected are tagged and stand:
    correcting again changes nothing.
    """
    forms = _forms(terms)
    if not forms:
        return Corrected(tuple(words), ())
    longest = max(len(key) for key in forms)
    written: list[Word] = []
    corrections: list[Correction] = []
    at = 0
    while at < len(words):
        count, write = _longest_match(words, at, forms, longest)
        heard = words[at : at + count]
        new = _written(heard, write) if write is not None else ()
        if new and [word.text for word in new] != [word.text for word in heard]:
            corrections.append(
                Correction("glossary", _text(heard), _text(new), start=heard[0].start, end=heard[-1].end)
            )
            written += new
        else:
            written += heard
        at += count
    return Corrected(tuple(written), tuple(corrections))


def _forms(terms: Sequence[Term]) -> dict[Key, str]:
    forms: dict[Key, str] = {}
    for term in terms:
        for form in (term.write, *term.sounds_like):
            forms.setdefault(_key(form), term.write)
    return {key: write for key, write in forms.items() if key}


def _key(text: str) -> Key:
    """What is compared: the words, small, hyphens as spaces, without punctuation."""
    words = re.split(r"[\s\-–—]+", unicodedata.normalize("NFC", text).casefold())
    return tuple(plain for word in words if (plain := "".join(each for each in word if each.isalnum())))


def _longest_match(words: Sequence[Word], at: int, forms: dict[Key, str], longest: int) -> tuple[int, str | None]:
    """How many words from here on are a form of a term, and how it is written; (1, None) where none is."""
    found: tuple[int, str | None] = (1, None)
    key: Key = ()
    for past in range(at + 1, len(words) + 1):
        word = words[past - 1]
        if WordTag.CORRECTED in word.tags or (past > at + 1 and _is_apart(words[past - 2].text)):
            break
        own = _key(word.text)
        if not own or len(key) + len(own) > longest:
            break
        for last in (own, _key(_without_possessive(word.text))):
            if (*key, *last) in forms:
                found = (past - at, forms[(*key, *last)])
        key = (*key, *own)
    return found


def _is_apart(text: str) -> bool:
    return is_final(text) or text.rstrip("”’\"')]»").endswith((",", ";", ":", "…", "..."))


def _without_possessive(text: str) -> str:
    body = text.rstrip(_CLOSING)
    return body[:-2] if body.endswith(_POSSESSIVES) else text


def _written(heard: Sequence[Word], write: str) -> tuple[Word, ...]:
    """The term as words, with the punctuation and the possessive of what was heard."""
    first, last = heard[0].text, heard[-1].text
    lead = first[: len(first) - len(first.lstrip(_OPENING))]
    body = last.rstrip(_CLOSING)
    trail = last[len(body) :]
    if write.endswith(trail[:1] or " "):  # "Yahoo!" brings its own
        trail = trail[1:]
    possessive = body[-2:] if body.endswith(_POSSESSIVES) and not write.endswith(_POSSESSIVES) else ""
    texts = (lead + write + possessive + trail).split()
    if len(texts) == len(heard):
        return tuple(
            replace(word, text=text, tags=(*word.tags, WordTag.CORRECTED))
            for word, text in zip(heard, texts, strict=True)
        )
    return _spread(texts, heard)


def _spread(texts: Sequence[str], heard: Sequence[Word]) -> tuple[Word, ...]:
    """Words over the time that the heard ones took, by their letters; as sure as the least sure of those."""
    start, end = heard[0].start, heard[-1].end
    known = [word.probability for word in heard if word.probability is not None]
    tags = tuple(dict.fromkeys([tag for word in heard for tag in word.tags] + [WordTag.CORRECTED]))
    letters = [len(text) for text in texts]
    words: list[Word] = []
    for i, text in enumerate(texts):
        times: tuple[float | None, float | None] = (None, None)
        if start is not None and end is not None:
            length = (end - start) / sum(letters)
            times = (
                round(start + length * sum(letters[:i]), 3),
                round(start + length * sum(letters[: i + 1]), 3) if i + 1 < len(texts) else end,
            )
        words.append(Word(text, *times, min(known, default=None), tags))
    return tuple(words)


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)
