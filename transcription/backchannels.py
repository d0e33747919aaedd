"""What only says that somebody listens: "mm-hm", "right", "I see"."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.transcript import Word
from transcription.sentences import core_of, listed

#: What listeners say to say "go on": the acknowledgements of the Switchboard dialogue acts (class `b` of SWBD-DAMSL,
#: Jurafsky and others 1997), and their spellings by recognizers. "No" and "really" answer or ask, and stay.
_WORDS = listed("""
    mm mmm mhm mm-hm mm-hmm mmhm mmhmm hm hmm huh uh-huh yeah yes yep yup yah right okay ok sure exactly absolutely
    definitely totally indeed oh ah aha wow gosh great good nice cool lovely
""")
_PHRASES = frozenset({("i", "see"), ("of", "course"), ("that's", "right"), ("that's", "true"), ("oh", "my")})

MOST_WORDS = 4


def is_backchannel(words: Sequence[Word]) -> bool:
    """Whether these words only say that somebody listens."""
    if not 0 < len(words) <= MOST_WORDS or words[-1].text.endswith("?"):
        return False
    cores = tuple(core_of(word.text) for word in words)
    return cores in _PHRASES or all(core in _WORDS for core in cores)
