"""The ratchet: figures that have been reached, in floors.toml, and what of a transcript falls behind them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from evaluation.comparison import Measures

FLOORS = Path(__file__).parent / "floors.toml"

#: The words a floor may end in: which side of it is behind.
_AT_MOST, _AT_LEAST = "_at_most", "_at_least"


def floors_of(kind: str, path: Path = FLOORS) -> dict[str, Any]:
    """The floors of one kind (transcripts, naming), by what they are about."""
    table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))[kind]
    return table


def behind(measures: Measures, floor: Mapping[str, Any]) -> tuple[str, ...]:
    """One sentence for each figure that is worse than its floor, or that could not be measured."""
    return tuple(_behind(measures, floor))


def _behind(measures: Measures, floor: Mapping[str, Any]) -> Iterator[str]:
    for key, limit in floor.items():
        if not key.endswith((_AT_MOST, _AT_LEAST)):
            continue
        is_most = key.endswith(_AT_MOST)
        name = key.removesuffix(_AT_MOST).removesuffix(_AT_LEAST)
        figure = figures(measures)[name]
        if figure is None:
            yield f"{name} could not be measured"
        elif figure > limit if is_most else figure < limit:
            yield f"{name} is {figure:.4g}, {'at most' if is_most else 'at least'} {limit} was reached before"


def figures(measures: Measures) -> dict[str, float | None]:
    """Every figure that a floor can be set for."""
    names, paragraphs = measures.names, measures.paragraphs
    return {
        "wer": measures.wer,
        "cer": measures.cer,
        "cpwer": measures.cpwer,
        "tcpwer": measures.tcpwer,
        "wder": measures.wder,
        "der": measures.der,
        "jer": measures.jer,
        "speaker_count_error": abs(measures.speaker_count_error),
        "names_right": names.right if names else None,
        "names_wrong": names.wrong if names else None,
        "paragraph_f1": paragraphs.f1 if paragraphs else None,
        "sentence_f1": measures.sentences.f1 if measures.sentences else None,
        "capital_f1": measures.capitals.f1 if measures.capitals else None,
        "term_f1": measures.terms.f1 if measures.terms else None,
        "overlap_f1": measures.overlap.f1 if measures.overlap else None,
        "coverage": measures.coverage,
        "invented_per_hour": measures.invented_per_hour,
    }
