"""The table that compares our diarization loop with the stock one."""

from __future__ import annotations

from evaluation.diarization_speed import HEAD, Row, Run, table_line


def test_a_line_has_the_heads_columns_and_the_ratio_of_the_two_times() -> None:
    row = Row("talk", 100.0, 2, ours=Run(2, 0.052, 5.0), stock=Run(3, 0.281, 80.0))

    assert table_line(row) == "| talk | 100 | 2, 2, 3 | 5.2% | 28.1% | 5.0 s | 0.050 | 80.0 s | 0.062 |"
    assert table_line(row).count("|") == HEAD.splitlines()[0].count("|")


def test_a_line_without_the_stock_loop_has_dashes_in_its_place() -> None:
    row = Row("talk", 100.0, 2, ours=Run(2, 0.052, 5.0), stock=None)

    assert table_line(row) == "| talk | 100 | 2, 2, – | 5.2% | – | 5.0 s | 0.050 | – | – |"
