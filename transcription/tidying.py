"""What `tidy` leaves out beyond hesitations and stutters: phrases that only fill, and words that were begun again.

Careful on purpose: "you know" is a filler in "it was, you know, wet" and the whole point in "do you know the way". A
phrase counts only where its place says so; what is left in costs a reader less than what is wrongly left out. The
classes are those of editors (Rev, GoTranscript: fillers, false starts, stutters) and of the Switchboard disfluency
annotation (Meteer and others 1995: discourse markers, and a reparandum that a repair of the same words follows).
Numbers and words said twice for emphasis are no false starts. English only.
"""

from __future__ import annotations

from collections.abc import Sequence

from schemas.transcript import Word
from transcription.sentences import core_of, is_final, listed

#: A gap that is heard like a comma, in seconds.
SET_OFF_SECONDS = 0.25

#: The longest phrase that is looked for a second time.
LONGEST_RESTART = 5

_DASHES = ("-", "–", "—")
_BREAKS = (",", ";", ":", "…", "...", *_DASHES)

#: Fillers where a comma, a pause or the edge of the sentence stands on both sides.
_SET_OFF = (("you", "know"), ("i", "mean"), ("sort", "of"), ("kind", "of"), ("like",))

#: No clause can end with these, so "you know" after them is no clause: "it's a you know big thing".
_BEFORE_YOU_KNOW = listed("a an the very really it's that's was were")
#: What a real "you know" is followed by.
_KNOWN = listed("""
    that what how who whom where when why if whether which about the a an him her them it this these those of as
    my your his our their nothing something anything everything everybody everyone somebody someone better best
""")
#: After "I mean" at the head of a sentence these begin the sentence itself; "I mean it" and "I mean that" do not.
_AFTER_I_MEAN = listed("""
    we we're we've we'd i i'm i've i'd i'll he he's she she's they they're they've there's you're you've it's that's
    if when obviously look yes no
""")
#: After these "sort of" and "kind of" weaken; after a determiner or an adjective they are a noun ("a kind of bread").
_BEFORE_SORT_OF = listed("""
    is isn't was wasn't are aren't were be been being am i'm it's that's he's she's we're they're there's you're i we
    you they he she it just really actually to and but so had has have would could can did do does feel felt feels
    looked looks seemed seems
""")
_KINDNESS = listed("you him her them me us")

#: What a clause that is begun again begins with.
_RESTARTS = listed("""
    i i'm i've i'd i'll we we're we've we'd we'll you you're you've he he's she she's they they're they've it it's
    that's there's the a an this these those my our his her their to in at for with when if what how who where because
""")
#: A clause that broke off behind its first words: a subject, perhaps with a verb that only helps.
_SUBJECTS = listed(
    "i i'm i've we we're we've you you're he he's she she's they they're it it's that that's there there's"
)
_HELPERS = listed("""
    am is was are were have has had will would can could should do did don't didn't just really think thought
""")


def filling_phrases(words: Sequence[Word], spoken: Sequence[int], language: str) -> frozenset[int]:
    """The words of phrases that only fill. `spoken` are the places of the words that are no hesitations, in order."""
    if language != "en":
        return frozenset()
    cores = [core_of(words[i].text) for i in spoken]
    found: set[int] = set()
    for at in range(len(spoken)):
        for phrase in _SET_OFF:
            past = at + len(phrase)
            if tuple(cores[at:past]) == phrase and _is_filler(phrase, at, past, words, spoken, cores):
                found.update(spoken[at:past])
    return frozenset(found)


def _is_filler(
    phrase: tuple[str, ...], at: int, past: int, words: Sequence[Word], spoken: Sequence[int], cores: Sequence[str]
) -> bool:
    if any(_has_break(words[i].text) for i in spoken[at : past - 1]) or words[spoken[past - 1]].text.endswith("?"):
        return False
    opens = at == 0 or _is_set_off(words, spoken, at - 1)
    closes = past == len(spoken) or _is_set_off(words, spoken, past - 1)
    if opens and closes:
        return phrase != ("like",) or (at > 0 and past < len(spoken) and words[spoken[at]].text.endswith(","))
    before = cores[at - 1] if at else ""
    after = cores[past] if past < len(cores) else ""
    if phrase == ("you", "know"):
        return before in _BEFORE_YOU_KNOW and not opens and after not in _KNOWN
    if phrase == ("i", "mean"):
        return opens and after in _AFTER_I_MEAN
    if phrase in (("sort", "of"), ("kind", "of")):
        is_kindness = phrase[0] == "kind" and after in _KINDNESS
        return before in _BEFORE_SORT_OF and not is_kindness and past < len(cores)
    return False


def _is_set_off(words: Sequence[Word], spoken: Sequence[int], at: int) -> bool:
    """Whether something other than a plain space stands between a spoken word and the next one."""
    word, following = words[spoken[at]], words[spoken[at + 1]]
    if spoken[at + 1] > spoken[at] + 1 or _has_break(word.text):
        return True
    return word.end is not None and following.start is not None and following.start - word.end >= SET_OFF_SECONDS


def _has_break(text: str) -> bool:
    return is_final(text) or text.rstrip("”’\"')]»").endswith(_BREAKS)


def false_starts(words: Sequence[Word], spoken: Sequence[int], language: str) -> frozenset[int]:
    """The words that the speaker took back by beginning again. `spoken` are the places of the others that count."""
    if language != "en":
        return frozenset()
    cores = [core_of(words[i].text) for i in spoken]
    found: set[int] = set()
    at = 0
    while at < len(spoken):
        length = _taken_back(at, words, spoken, cores)
        found.update(spoken[at : at + length])
        at += max(length, 1)
    return frozenset(found)


def _taken_back(at: int, words: Sequence[Word], spoken: Sequence[int], cores: Sequence[str]) -> int:
    """How many words from here on were begun again right after."""
    text = words[spoken[at]].text
    if at + 1 < len(spoken) and _is_fragment(text, cores[at], cores[at + 1]):
        return 1
    if cores[at] in _RESTARTS:
        for length in range(LONGEST_RESTART, 1, -1):
            if _is_said_again(at, length, words, spoken, cores):
                return length
    return _broken_off(at, words, spoken, cores)


def _is_fragment(text: str, core: str, following: str) -> bool:
    """A word that broke off and was said whole: "har- harbour"."""
    is_broken = text.endswith(_DASHES) and bool(core) and core.isalpha()
    return is_broken and following.startswith(core) and following != core


def _is_said_again(at: int, length: int, words: Sequence[Word], spoken: Sequence[int], cores: Sequence[str]) -> bool:
    """The same words follow, in the same sentence, which then goes on: said for good, twice, would end there."""
    past = at + 2 * length
    if past >= len(spoken) or cores[at : at + length] != cores[at + length : past]:
        return False
    if len(set(cores[at : at + length])) == 1 or any(not core.replace("'", "").isalpha() for core in cores[at:past]):
        return False
    return not any(is_final(words[i].text) for i in spoken[at:past]) and not words[spoken[past - 1]].text.endswith(
        ","
    )


def _broken_off(at: int, words: Sequence[Word], spoken: Sequence[int], cores: Sequence[str]) -> int:
    """A subject, perhaps with its helper, that ends in a dash before another subject: "We were— they went home"."""
    is_head = at == 0 or is_final(words[spoken[at - 1]].text)
    if not is_head or cores[at] not in _SUBJECTS:
        return 0
    length = 1
    while length < 3 and at + length < len(spoken) and not words[spoken[at + length - 1]].text.endswith(_DASHES):
        if cores[at + length] not in _HELPERS:
            return 0
        length += 1
    past = at + length
    if past >= len(spoken) or not words[spoken[past - 1]].text.endswith(_DASHES) or cores[past] not in _SUBJECTS:
        return 0
    for i in range(past, len(spoken)):  # a second dash closes what the first opened: "It is — we know — hard."
        if words[spoken[i]].text.endswith(("–", "—")) or words[spoken[i]].text in _DASHES:
            return 0
        if is_final(words[spoken[i]].text):
            break
    return length
