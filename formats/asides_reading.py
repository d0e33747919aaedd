"""Blocks inside the talk that nobody says there: pull quotes, the names under them, captions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from formats.names import split_honorific, without_postnominals
from formats.shapes import ends_sentence, is_caption
from schemas.transcript import AsideKind

#: A pull quote without a name is one when this share of its three-word runs stands in one other paragraph.
NEAR_COPY = 0.6
_QUOTE_WORDS = (6, 80)


def find_asides(
    texts: Sequence[str], is_labelled: Sequence[bool], speaker_of_name: Mapping[str, str]
) -> dict[int, tuple[AsideKind, str | None]]:
    """Which blocks of the talk are asides, with the speaker they belong to.

    A name alone on its line under an unlabelled block makes both an attributed pull quote, also where the words are
    spoken only later. Quotes without a name are looked for only on pages that have one with a name: elsewhere a near
    copy is somebody who repeats himself.
    """
    found: dict[int, tuple[AsideKind, str | None]] = {}
    for index, text in enumerate(texts):
        if is_labelled[index]:
            continue
        bare = without_postnominals(split_honorific(" ".join(text.split()))[1])
        speaker = speaker_of_name.get(bare)
        if speaker is not None:
            is_under_quote = index > 0 and not is_labelled[index - 1] and index - 1 not in found
            if is_under_quote and len(texts[index - 1].split()) <= _QUOTE_WORDS[1]:
                found[index - 1] = (AsideKind.PULL_QUOTE, speaker)
                found[index] = (AsideKind.ATTRIBUTION, speaker)
            else:
                found[index] = (AsideKind.CAPTION, speaker)
        elif is_caption(text, frozenset(speaker_of_name)) and not _goes_on(texts, index):
            named = [identity for name, identity in speaker_of_name.items() if name in text]
            found[index] = (AsideKind.CAPTION, named[0] if len(named) == 1 else None)
    if any(kind is AsideKind.ATTRIBUTION for kind, _ in found.values()):
        found.update(_near_copies(texts, is_labelled, found))
    return found


def _goes_on(texts: Sequence[str], index: int) -> bool:
    """Whether the block is part of a sentence that the block before or after it shares."""
    following = texts[index + 1] if index + 1 < len(texts) else ""
    return not ends_sentence(texts[index - 1]) or following[:1].islower()


def _near_copies(
    texts: Sequence[str], is_labelled: Sequence[bool], found: Mapping[int, object]
) -> dict[int, tuple[AsideKind, str | None]]:
    runs = [_three_word_runs(text) for text in texts]
    copies: dict[int, tuple[AsideKind, str | None]] = {}
    for index, text in enumerate(texts):
        length = len(text.split())
        if (
            is_labelled[index]
            or index in found
            or not _QUOTE_WORDS[0] <= length <= _QUOTE_WORDS[1]
            or not runs[index]
        ):
            continue
        for other, run in enumerate(runs):
            if other == index or other in found or len(texts[other].split()) <= length:
                continue
            if len(runs[index] & run) >= NEAR_COPY * len(runs[index]):
                copies[index] = (AsideKind.PULL_QUOTE, None)
                break
    return copies


def _three_word_runs(text: str) -> frozenset[tuple[str, ...]]:
    words = re.findall(r"\w+(?:[’']\w+)*", text.casefold())
    return frozenset(tuple(words[n : n + 3]) for n in range(len(words) - 2))
