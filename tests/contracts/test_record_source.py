"""The promises of `RecordSource`, kept by Kafka and by its fake alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from adapters.memory import MemorySource, MemoryTopics
from schemas.topics import Topic
from tests.topics import Made
from transcription.ports import Record, RecordSource


@dataclass
class Bench:
    """A topic with one partition, and ways to write to it and read it."""

    append: Callable[..., None]
    open: Callable[[], RecordSource]

    def poll(self, source: RecordSource, count: int) -> list[Record]:
        """Poll until so many records came, or nothing more does."""
        found: list[Record] = []
        while len(found) < count:
            batch = source.poll(seconds=5.0)
            if not batch:
                break
            found += batch
        return found


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.services)])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A topic whose first record is committed already, for a group that has seen it."""
    if request.param == "memory":
        topics = MemoryTopics()
        topics.append("episodes", b"first")
        topics.commit("intake", "episodes", 0, 1)
        yield Bench(
            append=lambda value, **given: topics.append("episodes", value, **given),
            open=lambda: MemorySource(topics, ["episodes"]),
        )
        return
    made: Made = request.getfixturevalue("topics")
    opened: list[RecordSource] = []

    def open_source() -> RecordSource:
        opened.append(made.source(Topic.EPISODES))
        return opened[-1]

    def append(value: bytes | None, *, headers: Sequence[tuple[str, bytes]] = (), **given: Any) -> None:
        made.append(Topic.EPISODES, value, headers=headers, **given)

    bench = Bench(append=append, open=open_source)
    append(b"first")
    source = bench.open()
    source.commit(bench.poll(source, 1))
    source.close()
    yield bench
    for each in opened:
        each.close()


def values(records: Sequence[Record]) -> list[bytes | None]:
    return [each.value for each in records]


def test_records_come_in_order_with_key_headers_and_place(bench: Bench) -> None:
    bench.append(b"one", key=b"k", headers=[("a", b"1"), ("a", b"2")])
    bench.append(None, key=b"k")
    source = bench.open()

    one, two = bench.poll(source, 2)

    assert (one.topic[-8:], one.key, one.value, one.headers) == ("episodes", b"k", b"one", (("a", b"1"), ("a", b"2")))
    assert (two.partition, two.offset, two.value) == (one.partition, one.offset + 1, None)
    assert one.header("a") == "2"
    source.close()


def test_a_poll_goes_on_behind_the_last_one(bench: Bench) -> None:
    source = bench.open()
    bench.append(b"one")
    first = bench.poll(source, 1)
    bench.append(b"two")

    assert (values(first), values(bench.poll(source, 1))) == ([b"one"], [b"two"])
    source.close()


def test_what_was_not_committed_comes_again_to_the_next_member(bench: Bench) -> None:
    bench.append(b"one")
    bench.append(b"two")
    source = bench.open()
    batch = bench.poll(source, 2)
    source.commit(batch[:1])
    source.close()

    after = bench.open()

    assert values(bench.poll(after, 1)) == [b"two"]
    after.close()


def test_a_restored_batch_comes_again(bench: Bench) -> None:
    bench.append(b"one")
    bench.append(b"two")
    source = bench.open()
    batch = bench.poll(source, 2)

    source.restore(batch)

    assert bench.poll(source, 2) == batch
    source.close()


def test_a_repeated_commit_changes_nothing(bench: Bench) -> None:
    bench.append(b"one")
    source = bench.open()
    batch = bench.poll(source, 1)
    source.commit(batch)
    source.commit(batch)
    bench.append(b"two")
    source.close()

    assert values(bench.poll(bench.open(), 1)) == [b"two"]


def test_nothing_new_gives_an_empty_batch_that_may_be_committed(bench: Bench) -> None:
    source = bench.open()

    batch = source.poll(seconds=0.1)
    source.commit(batch)
    source.restore(batch)

    assert list(batch) == []
    source.close()


def test_the_lag_counts_what_was_not_polled_yet(bench: Bench) -> None:
    source = bench.open()
    bench.append(b"one")
    bench.poll(source, 1)

    assert source.lag() == 0
    source.close()


def test_a_source_may_be_closed_twice(bench: Bench) -> None:
    source = bench.open()
    source.close()
    source.close()
