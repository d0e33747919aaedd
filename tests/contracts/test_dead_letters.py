"""The promises of `DeadLetters`, kept by Kafka and by its fake alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest

from adapters.memory import MemoryDeadLetters
from schemas.errors import InputError
from schemas.topics import Topic
from tests.topics import Made
from transcription.ports import LARGEST_BESIDE_BYTES, LARGEST_INLINE_BYTES, DeadLetter, DeadLetters, Record

RECORD = Record("episodes", 1, 42, b"key", b"\x00\xff", (("a", b"1"), ("a", b"2")), 1_770_000_000.5)


@dataclass
class Bench:
    letters: DeadLetters
    kept: Callable[[], Sequence[DeadLetter]]  #: the letters as somebody finds them, what the store has left out

    def send(self, record: Record, *, message: str = "data.key: missing", **stored: str) -> DeadLetter:
        letter = DeadLetter(record, "event_invalid", message, **stored)
        self.letters.send([letter])
        return letter


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.services)])
def bench(request: pytest.FixtureRequest) -> Bench:
    if request.param == "memory":
        memory = MemoryDeadLetters()
        return Bench(memory, lambda: [_as_found(each) for each in memory.letters])
    made: Made = request.getfixturevalue("topics")
    return Bench(made.letters(), lambda: [_of_kafka(each) for each in made.records(Topic.DEAD_LETTERS)])


def _as_found(letter: DeadLetter) -> DeadLetter:
    record = letter.record
    if letter.stored_key is not None:
        record = replace(record, value=b"")
    if letter.stored_beside is not None:
        record = replace(record, key=None, headers=())
    return replace(letter, record=record)


def _of_kafka(found: object) -> DeadLetter:
    own = {name: value.decode() for name, value in found.headers if name.startswith("dl_")}  # type: ignore[attr-defined]
    record = Record(
        own["dl_topic"],
        int(own["dl_partition"]),
        int(own["dl_offset"]),
        found.key,  # type: ignore[attr-defined]
        found.value,  # type: ignore[attr-defined]
        tuple((name, value) for name, value in found.headers if not name.startswith("dl_")),  # type: ignore[attr-defined]
        float(own["dl_timestamp"]) if "dl_timestamp" in own else None,
    )
    return DeadLetter(
        record, own["dl_reason"], own["dl_message"], own.get("dl_stored_key"), own.get("dl_stored_beside")
    )


def test_a_letter_holds_the_record_as_it_came_and_why_it_lies_there(bench: Bench) -> None:
    letter = bench.send(RECORD)

    assert list(bench.kept()) == [letter]


def test_a_repeat_lies_there_twice(bench: Bench) -> None:
    letter = bench.send(RECORD)
    bench.send(RECORD)

    assert list(bench.kept()) == [letter, letter]


def test_sending_nothing_keeps_nothing(bench: Bench) -> None:
    bench.letters.send([])

    assert list(bench.kept()) == []


def test_the_largest_of_everything_fits(bench: Bench) -> None:
    beside = b"h" * (LARGEST_BESIDE_BYTES - len(b"key") - len("h"))
    letter = bench.send(replace(RECORD, value=b"x" * LARGEST_INLINE_BYTES, headers=(("h", beside),)))

    assert list(bench.kept()) == [letter]


@pytest.mark.parametrize(
    "large",
    [
        replace(RECORD, value=b"x" * (LARGEST_INLINE_BYTES + 1)),
        replace(RECORD, key=b"k" * 3_000_000),
        replace(RECORD, headers=(("big", b"h" * 3_000_000),)),
        replace(RECORD, headers=tuple((f"h{number}", b"") for number in range(20_000))),
    ],
    ids=["value", "key", "header", "headers"],
)
def test_what_is_larger_lies_in_the_store_or_is_refused(bench: Bench, large: Record) -> None:
    with pytest.raises(InputError) as caught:
        bench.send(large)
    letter = bench.send(large, stored_key="dead-letters/v", stored_beside="dead-letters/b")

    assert caught.value.code == "letter_too_large"
    assert list(bench.kept()) == [_as_found(letter)]


@pytest.mark.parametrize(
    "odd", [replace(RECORD, key=None, headers=(), timestamp=None), replace(RECORD, value=b"", key=b"")]
)
def test_no_record_is_too_odd_for_a_letter(bench: Bench, odd: Record) -> None:
    letter = bench.send(odd)

    assert list(bench.kept()) == [letter]


@pytest.mark.parametrize("message", ["é" * 1000, "a half \ud800 of a character"])
def test_no_message_is_too_odd_for_a_letter(bench: Bench, message: str) -> None:
    bench.send(RECORD, message=message)

    assert [each.record for each in bench.kept()] == [RECORD]
