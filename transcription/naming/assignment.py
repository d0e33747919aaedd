"""The best way to give things out one to one (the Hungarian method: Kuhn 1955, Munkres 1957).

SciPy has it, too, and `evaluation/` uses that; names are also found where there is no SciPy (the image `core`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def best_assignment(values: Sequence[Sequence[float]]) -> tuple[list[int | None], float]:
    """For each row the column that it gets, and what all of it is worth; a row may stay without, for nothing.

    No column goes to two rows. A pair of which the value is not above 0 is never given out; `-inf` forbids one.
    Time grows with the cube of rows and columns.
    """
    rows, columns = len(values), len(values[0]) if values else 0
    costs = [[-max(value, 0.0) for value in row] + [0.0] * rows for row in values]
    row_of = _cheapest_rows(costs, rows + columns)
    chosen: list[int | None] = [None] * rows
    for column in range(columns):
        row = row_of[column]
        if row is not None and values[row][column] > 0:
            chosen[row] = column
    return chosen, sum(values[row][column] for row, column in enumerate(chosen) if column is not None)


def _cheapest_rows(costs: Sequence[Sequence[float]], columns: int) -> list[int | None]:
    """Which row each column goes to, so that every row has one and all cost least. At least as many columns as rows.

    Row by row: the shortest augmenting path, by costs less the prices of its row and column so far.
    """
    row_price = [0.0] * len(costs)
    column_price = [0.0] * columns
    row_of: list[int | None] = [None] * columns
    for start in range(len(costs)):
        row, column = start, -1
        distance = [math.inf] * columns
        came_from = [-1] * columns
        reached: list[int] = []
        while True:
            offset = distance[column] if column >= 0 else 0.0
            for each in range(columns):
                through = offset + costs[row][each] - row_price[row] - column_price[each]
                if each not in reached and through < distance[each] - 1e-12:
                    distance[each], came_from[each] = through, column
            column = min((each for each in range(columns) if each not in reached), key=distance.__getitem__)
            holder = row_of[column]
            reached.append(column)
            if holder is None:
                break
            row = holder
        length = distance[column]
        row_price[start] += length
        for each in reached[:-1]:
            holder = row_of[each]
            column_price[each] -= length - distance[each]
            if holder is not None:
                row_price[holder] += length - distance[each]
        while column >= 0:
            before = came_from[column]
            row_of[column] = start if before < 0 else row_of[before]
            column = before
    return row_of
