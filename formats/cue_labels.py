"""Who says a cue of captions: voice spans, and labels at the beginning of its lines, judged over the whole file."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from formats.names import (
    UNKNOWN_LABEL,
    is_field_label,
    is_name,
    is_number_label,
    is_role_label,
    is_sound_label,
)
from formats.typography import one_line

#: Labels without a colon are believed where they begin this share of the cues: what is heard stands in brackets too.
COMMON = 0.25
#: A label that is shaped like no name is one when it begins more cues than this.
UNUSUAL_COUNT = 2
#: A cue with more lines than this is none that anybody reads: nobody else is looked for there.
MOST_LINES = 8

Label = tuple[str, str]  #: one of the forms below, and the label as printed
COLON, BRACKETS, OWN_LINE = "colon", "brackets", "own line"

_VOICE = re.compile(r"<v(?:\.[^\s>]*)?(?:\s+([^>]*))?>", re.IGNORECASE)
_TAG = re.compile(r"</?(?:[bciuv]|lang|ruby|rt|font)(?:[.\s][^>]*)?>|<\d[\d:.]*>", re.IGNORECASE)
#: ">>" and a dash stand where another voice begins.
_CHANGE = r"(?:>{2,3}\s*|[-–—]\s+)?"
_WITH_COLON = re.compile(rf"{_CHANGE}[\[(]?([^\s:\[\]()][^:\[\]]{{0,127}}?)[\])]?:\s+(?=\S)")
_IN_BRACKETS = re.compile(rf"{_CHANGE}[\[(]([^\s:\[\]()][^:\[\]()]{{0,60}})[\])]\s+(?=\S)")
_ALONE = re.compile(rf"{_CHANGE}([^\s:\[\]()][^:\[\]()]{{0,60}})")


def believed_labels(payloads: Sequence[Sequence[str]]) -> frozenset[Label]:
    """The labels at the beginnings of cues that are speakers; none where the file names its speakers by voice spans.

    One with a colon is shaped like a name, or there again and again; one in brackets or alone on the first line is
    a name, and such ones begin many cues.
    """
    if any(_VOICE.search(line) for payload in payloads for line in payload):
        return frozenset()
    seen: Counter[Label] = Counter()
    for payload in payloads:
        seen.update({label for place in _places(payload) for label, _ in _labels_at(payload, place)})
    believed = {label for label, count in seen.items() if label[0] == COLON and _is_believed(label[1], count)}
    for form in (BRACKETS, OWN_LINE):
        names = {label for label, count in seen.items() if label[0] == form and _is_person(label[1]) and count > 1}
        if len(names) > 1 and sum(seen[label] for label in names) >= COMMON * len(payloads):
            believed |= names
    return frozenset(believed)


def voices_of(payload: Sequence[str], labels: frozenset[Label]) -> Iterator[tuple[str | None, str]]:
    """The parts of a cue by who says them; None where the cue does not say."""
    text = " ".join(payload)
    spans = list(_VOICE.finditer(text))
    if not spans:
        yield from _parts(payload, labels)
        return
    before = without_tags(text[: spans[0].start()])
    if before.strip():
        yield None, before
    for number, span in enumerate(spans):
        end = spans[number + 1].start() if number + 1 < len(spans) else len(text)
        said = without_tags(text[span.end() : end])
        if said.strip():
            yield one_line(html.unescape(span[1] or "")) or None, said


def _parts(payload: Sequence[str], labels: frozenset[Label]) -> Iterator[tuple[str | None, str]]:
    """The parts that begin with a label; two people can speak in one cue, each on a line of his own."""
    places: list[tuple[int, str | None, str]] = [(0, None, without_tags(" ".join(payload)))]
    for place in _places(payload):
        found = next(((label, said) for label, said in _labels_at(payload, place) if label in labels), None)
        if found is not None:
            begun = (place, found[0][1], found[1])
            places = [begun] if place == 0 else [*places, begun]
    for number, (_, speaker, said) in enumerate(places):
        if number + 1 < len(places):
            following = without_tags(" ".join(payload[places[number + 1][0] :]))
            said = said[: len(said) - len(following)]
        if said.strip():
            yield speaker, said


def _places(payload: Sequence[str]) -> range:
    """The lines of a cue at which somebody may begin."""
    return range(min(len(payload), MOST_LINES))


def _labels_at(payload: Sequence[str], place: int) -> Iterator[tuple[Label, str]]:
    """What could be a label at the beginning of a line, with what follows it in the cue."""
    text = without_tags(" ".join(payload[place:]))
    for form, expression in ((COLON, _WITH_COLON), (BRACKETS, _IN_BRACKETS)):
        match = expression.match(text)
        if match is not None:
            yield (form, match[1].rstrip("])")), text[match.end() :]
    alone = _ALONE.fullmatch(without_tags(payload[0])) if place == 0 and len(payload) > 1 else None
    if alone is not None:
        yield (OWN_LINE, alone[1]), without_tags(" ".join(payload[1:]))


def without_tags(text: str) -> str:
    return html.unescape(_TAG.sub("", text))


def _is_believed(label: str, count: int) -> bool:
    return (
        is_name(label)
        or is_number_label(label)
        or is_role_label(label)
        or label.endswith("…")
        or label == UNKNOWN_LABEL
        or (count > UNUSUAL_COUNT and label[0].isupper() and len(label.split()) <= 4)
    )


def _is_person(label: str) -> bool:
    is_label = is_name(label) or is_number_label(label) or is_role_label(label)
    return is_label and not (is_sound_label(label) or is_field_label(label))
