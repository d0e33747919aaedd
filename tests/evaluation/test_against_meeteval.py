"""Our cpWER and tcpWER are meeteval's. Runs where meeteval is installed (`make evaluate` installs it)."""

from __future__ import annotations

import random

import pytest

from evaluation.measures import concatenated_error_rate
from evaluation.said import Stretch
from evaluation.timed import time_constrained_error_rate

wer = pytest.importorskip("meeteval.wer", reason="meeteval is not installed (`make evaluate` installs it)")

WORDS = ("row", "sing", "ferry", "aunt", "today", "home")


def talk(seed: int, speakers: str) -> list[Stretch]:
    chance = random.Random(seed)
    stretches = []
    at = 0.0
    for _ in range(12):
        words = [chance.choice(WORDS) for _ in range(chance.randint(1, 6))]
        length = len(words) * chance.uniform(0.2, 1.5)
        stretches.append(Stretch(chance.choice(speakers), " ".join(words), at, at + length))
        at += length + chance.uniform(0.0, 3.0)
    return stretches


def muddled(stretches: list[Stretch], seed: int) -> list[Stretch]:
    """Some words lost, changed and doubled, some speakers wrong, times shifted."""
    chance = random.Random(seed)
    result = []
    for each in stretches:
        words = [chance.choice(WORDS) if chance.random() < 0.2 else word for word in each.text.split()]
        words = [word for word in words for _ in range(chance.choice((0, 1, 1, 1, 2)))] or ["row"]
        shift = chance.uniform(-4.0, 4.0)
        start = max(0.0, (each.start or 0.0) + shift)
        speaker = chance.choice("xyz") if chance.random() < 0.3 else {"a": "x", "b": "y", "c": "z"}[each.speaker]
        result.append(Stretch(speaker, " ".join(words), start, start + len(words) * 0.4))
    return sorted(result, key=lambda stretch: stretch.start or 0.0)


def segments(stretches: list[Stretch]) -> list[dict[str, object]]:
    return [
        {
            "session_id": "s",
            "speaker": each.speaker,
            "words": each.text,
            "start_time": each.start,
            "end_time": each.end,
        }
        for each in stretches
    ]


@pytest.mark.parametrize("seed", range(20))
def test_both_give_the_same_rates(seed: int) -> None:
    truth = talk(seed, "abc")
    heard = muddled(truth, seed + 100)

    theirs = wer.cpwer(segments(truth), segments(heard))["s"].error_rate
    theirs_timed = wer.tcpwer(segments(truth), segments(heard), collar=5)["s"].error_rate

    assert concatenated_error_rate(truth, heard) == pytest.approx(theirs)
    assert time_constrained_error_rate(truth, heard, collar=5.0) == pytest.approx(theirs_timed)
