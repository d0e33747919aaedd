"""How likely each pair is over all the ways to give things out, against counting them one by one."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence

import pytest

from transcription.naming.matchings import MOST_COLUMNS, chances_of_pairs


def ways(rows: int, columns: int) -> Iterator[list[int | None]]:
    """Every way to give columns out to rows, none twice."""
    if rows == 0:
        yield []
        return
    for first in ways(rows - 1, columns):
        for column in (None, *(each for each in range(columns) if each not in first)):
            yield [*first, column]


def counted(values: Sequence[Sequence[float]]) -> list[list[float]]:
    rows, columns = len(values), len(values[0])
    worth = {
        tuple(way): math.exp(sum(values[row][column] for row, column in enumerate(way) if column is not None))
        for way in ways(rows, columns)
    }
    whole = sum(worth.values())
    return [
        [sum(each for way, each in worth.items() if way[row] == column) / whole for column in range(columns)]
        for row in range(rows)
    ]


@pytest.mark.parametrize("seed", range(12))
def test_the_chances_are_those_of_all_ways_counted_one_by_one(seed: int) -> None:
    chance = random.Random(seed)
    rows, columns = chance.randint(1, 4), chance.randint(1, 4)
    values = [[chance.uniform(-6, 6) for _ in range(columns)] for _ in range(rows)]
    values[0][0] = chance.choice([values[0][0], -math.inf])
    found = chances_of_pairs(values)
    assert [each for row in found for each in row] == pytest.approx([each for row in counted(values) for each in row])


def test_no_row_and_no_column_is_given_out_more_than_once() -> None:
    found = chances_of_pairs([[9.0, 8.0, 7.0], [9.0, 2.0, 1.0]])
    assert all(sum(row) <= 1 + 1e-9 for row in found)
    assert all(sum(column) <= 1 + 1e-9 for column in zip(*found, strict=True))
    assert found[1][0] > 0.9  # the first row has the second column nearly as gladly
    assert found[0][1] > found[0][2]


def test_a_pair_that_no_way_may_have_has_no_chance() -> None:
    assert chances_of_pairs([[-math.inf]]) == [[0.0]]


def test_nothing_is_given_out_of_nothing() -> None:
    assert chances_of_pairs([]) == []
    assert chances_of_pairs([[], []]) == [[], []]


def test_more_columns_than_there_is_time_for_are_refused() -> None:
    with pytest.raises(ValueError, match="13 columns"):
        chances_of_pairs([[0.0] * (MOST_COLUMNS + 1)])
