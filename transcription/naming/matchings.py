"""How likely each pair is, over all the ways to give things out one to one.

Where `assignment` finds the best way, this weighs all of them: a pair that stands in nearly every likely way is sure,
one that the second best way has not is no surer than that way is unlikely.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

MOST_COLUMNS = 12  #: time and room double with each column; 12 take about a second for as many rows


def chances_of_pairs(values: Sequence[Sequence[float]]) -> list[list[float]]:
    """For each row and column how likely they are a pair, 0 to 1, by the values (log odds against having no pair).

    A way to give out is worth the sum of its pairs, and is as likely as e to the power of that is to the sum over all
    ways. A row or a column may stay without, for nothing; no column goes to two rows. `-inf` forbids a pair. Raises
    ValueError for more than `MOST_COLUMNS` columns.
    """
    rows, columns = len(values), len(values[0]) if values else 0
    before, behind = _worth_before(values), _worth_behind(values)
    whole = behind[0][0]
    return [
        [
            math.exp(
                log_of_sum(
                    before[i][taken] + values[i][j] + behind[i + 1][taken | 1 << j]
                    for taken in range(1 << columns)
                    if not taken >> j & 1
                )
                - whole
            )
            for j in range(columns)
        ]
        for i in range(rows)
    ]


def worth_of_all(values: Sequence[Sequence[float]]) -> float:
    """The log of the sum over all ways to give out of e to the power of what each is worth."""
    return _worth_behind(values)[0][0]


def _worth_before(values: Sequence[Sequence[float]]) -> list[list[float]]:
    """By row and columns taken (one bit each): all ways of the rows before it to take just those."""
    sets = range(1 << _columns(values))
    worth = [[-math.inf] * len(sets) for _ in range(len(values) + 1)]
    worth[0][0] = 0.0
    for i, row in enumerate(values):
        for taken in sets:
            ways = [worth[i][taken ^ 1 << j] + each for j, each in enumerate(row) if taken >> j & 1]
            worth[i + 1][taken] = log_of_sum([worth[i][taken], *ways])
    return worth


def _worth_behind(values: Sequence[Sequence[float]]) -> list[list[float]]:
    """By row and columns taken: all ways of that row and those behind it to take others."""
    sets = range(1 << _columns(values))
    worth = [[0.0] * len(sets) for _ in range(len(values) + 1)]
    for i in reversed(range(len(values))):
        for taken in sets:
            ways = [worth[i + 1][taken | 1 << j] + each for j, each in enumerate(values[i]) if not taken >> j & 1]
            worth[i][taken] = log_of_sum([worth[i + 1][taken], *ways])
    return worth


def _columns(values: Sequence[Sequence[float]]) -> int:
    columns = len(values[0]) if values else 0
    if columns > MOST_COLUMNS:
        raise ValueError(f"{columns} columns are more than {MOST_COLUMNS}")
    return columns


def log_of_sum(logs: Iterable[float]) -> float:
    """The log of the sum of numbers that are given by their logs; `-inf` of none."""
    kept = [each for each in logs if each > -math.inf]
    if not kept:
        return -math.inf
    largest = max(kept)
    return largest + math.log(sum(math.exp(each - largest) for each in kept))
