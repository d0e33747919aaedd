"""How likely each pair is, over all the ways to give things out one to one.

Where `assignment` finds the best way, this weighs all of them: a pair that stands in nearly every likely way is sure,
one that the second best way has not is no surer than that way is unlikely.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

MOST_COLUMNS = 12  #: time and room double with each column; 12 take about half a second for as many rows


def chances_of_pairs(values: Sequence[Sequence[float]]) -> list[list[float]]:
    """For each row and column how likely they are a pair, 0 to 1, by the values (log odds against having no pair).

    A way to give out is worth the sum of its pairs, and as likely as e to the power of that, to all ways together. A row or a
    column may stay without, for nothing; no column goes to two rows. `-inf` forbids a pair. Raises ValueError for
    more than `MOST_COLUMNS` columns.
    """
    rows, columns = len(values), len(values[0]) if values else 0
    if columns > MOST_COLUMNS:
        raise ValueError(f"{columns} columns are more than {MOST_COLUMNS}")
    every = range(1 << columns)
    # before[i][taken]: all ways of the first i rows to take just those columns; behind: of the others not to take them
    before = [[-math.inf] * len(every) for _ in range(rows + 1)]
    behind = [[0.0] * len(every) for _ in range(rows + 1)]
    before[0][0] = 0.0
    for i, row in enumerate(values):
        for taken in every:
            ways = [before[i][taken]]
            ways += [before[i][taken ^ (1 << j)] + row[j] for j in range(columns) if taken >> j & 1]
            before[i + 1][taken] = log_of_sum(ways)
    for i in reversed(range(rows)):
        for taken in every:
            ways = [behind[i + 1][taken]]
            ways += [
                behind[i + 1][taken | 1 << j] + values[i][j] for j in range(columns) if not taken >> j & 1
            ]
            behind[i][taken] = log_of_sum(ways)
    whole = behind[0][0] if rows else 0.0
    return [
        [
            math.exp(
                log_of_sum(
                    before[i][taken] + values[i][j] + behind[i + 1][taken | 1 << j]
                    for taken in every
                    if not taken >> j & 1
                )
                - whole
            )
            for j in range(columns)
        ]
        for i in range(rows)
    ]


def log_of_sum(logs: Iterable[float]) -> float:
    """The log of the sum of numbers that are given by their logs; `-inf` of none."""
    kept = [each for each in logs if each > -math.inf]
    if not kept:
        return -math.inf
    largest = max(kept)
    return largest + math.log(sum(math.exp(each - largest) for each in kept))
