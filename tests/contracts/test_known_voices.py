"""The promises of `KnownVoices`, kept by the ledger's tables and by the fake alike."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from adapters.database import Ledger
from adapters.memory import MemoryQueue, MemoryVoices
from adapters.voices import LedgerVoices
from schemas.episode import Episode
from schemas.errors import NotFound, Refused
from schemas.job import JobOptions
from tests.ledgers import emptied, postgres_database, sqlite_url
from tests.servers import PostgresServer
from transcription.ports import JobQueue, KnownVoice, KnownVoices, NewJob, Result

SHOW = "Low Water"
ADA = KnownVoice(SHOW, "Ada Quill", "campplus", "episode-1", (0.6, 0.8), 42.5)
BRAM = replace(ADA, name="Bram Oldenburg", embedding=(-0.8, 0.6))


@pytest.fixture(scope="module")
def postgres_ledger(postgres: PostgresServer) -> Iterator[str]:
    with postgres_database(postgres) as url:
        yield url


@pytest.fixture(params=["sqlite", "memory", pytest.param("postgres", marks=pytest.mark.services)])
def voices(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KnownVoices]:
    if request.param == "memory":
        yield MemoryVoices()
        return
    url = sqlite_url(tmp_path) if request.param == "sqlite" else emptied(request.getfixturevalue("postgres_ledger"))
    ledger = Ledger(url)
    yield LedgerVoices(lambda: ledger)
    ledger.close()


@dataclass(frozen=True, slots=True)
class Told:
    """An episode that is transcribed, in the ledger that the voices are kept in."""

    queue: JobQueue
    voices: KnownVoices

    def revise(self, *, seen: int, unlearned: Sequence[str]) -> None:
        result = Result("results/job/1/by-hand", "cd" * 32, 10, 0.2, "ab" * 32, "en", 1, 1, 2, 1.0, no_speech=False)
        self.queue.revise("episode-1", result, seen=seen, unlearned=unlearned)


@pytest.fixture(params=["sqlite", "memory", pytest.param("postgres", marks=pytest.mark.services)])
def told(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Told]:
    if request.param == "memory":
        voices = MemoryVoices()
        ids = itertools.count()
        queue: JobQueue = MemoryQueue(now=lambda: 1000.0, new_id=lambda: f"event-{next(ids)}", voices=voices)
        yield _transcribed(queue, voices)
        return
    url = sqlite_url(tmp_path) if request.param == "sqlite" else emptied(request.getfixturevalue("postgres_ledger"))
    ledger = Ledger(url)
    yield _transcribed(ledger, LedgerVoices(lambda: ledger))
    ledger.close()


def _transcribed(queue: JobQueue, voices: KnownVoices) -> Told:
    queue.add(NewJob(Episode("episode-1"), JobOptions(), "uploads/1", "one"), job_id="job")
    claimed = queue.claim("w1", lease_seconds=30.0)
    assert claimed is not None
    key = "results/job/1/transcript.json"
    queue.finish(claimed.lease, Result(key, "ab" * 32, 10, 0.2, "ab" * 32, "en", 1, 1, 2, 1.0, no_speech=False))
    voices.consent(SHOW, given_by="Jo Pym")
    for voice in (ADA, replace(ADA, model="another"), replace(ADA, episode_id="episode-2"), BRAM):
        assert voices.learn(voice)
    return Told(queue, voices)


def test_what_an_episode_taught_under_a_name_that_was_put_right_goes_with_the_revision(told: Told) -> None:
    told.revise(seen=1, unlearned=["Ada Quill", "Nobody Learned"])

    assert [(each.name, each.episode_id) for each in told.voices.all()] == [
        ("Ada Quill", "episode-2"),
        ("Bram Oldenburg", "episode-1"),
    ]


def test_a_revision_of_other_names_takes_no_voice_away(told: Told) -> None:
    told.revise(seen=1, unlearned=[])

    assert len(told.voices.all()) == 4


def test_a_revision_that_is_refused_takes_no_voice_away(told: Told) -> None:
    with pytest.raises(Refused):
        told.revise(seen=2, unlearned=["Ada Quill"])

    assert len(told.voices.all()) == 4


def test_without_consent_nothing_is_kept_and_the_show_is_unknown(voices: KnownVoices) -> None:
    assert voices.learn(ADA) is False
    assert voices.all() == []
    assert voices.of_show(SHOW, "campplus") is None


def test_a_voice_of_a_show_that_agreed_comes_back_as_it_was_kept(voices: KnownVoices) -> None:
    voices.consent(SHOW, given_by="Jo Pym, producer")

    assert voices.learn(ADA) is True
    assert voices.of_show(SHOW, "campplus") == [ADA]
    assert voices.of_show(SHOW, "another model") == []
    assert voices.of_show("Another Show", "campplus") is None


def test_shows_compare_without_case_and_outer_spaces(voices: KnownVoices) -> None:
    voices.consent(SHOW, given_by="Jo Pym")

    voices.learn(replace(ADA, show="  low  WATER "))

    assert voices.of_show("LOW WATER", "campplus") == [ADA]


def test_an_episode_that_is_done_again_replaces_what_it_taught(voices: KnownVoices) -> None:
    voices.consent(SHOW, given_by="Jo Pym")
    voices.learn(replace(ADA, seconds=5.0))

    voices.learn(ADA)
    voices.learn(replace(ADA, episode_id="episode-2"))

    assert [each.episode_id for each in voices.all()] == ["episode-1", "episode-2"]
    assert voices.all()[0].seconds == 42.5


def test_what_an_episode_taught_before_under_other_names_can_be_forgotten(voices: KnownVoices) -> None:
    for show in (SHOW, "Northbound"):
        voices.consent(show, given_by="Jo Pym")
    stays = [ADA, replace(ADA, model="another"), replace(ADA, episode_id="episode-2")]
    for each in (*stays, BRAM, replace(ADA, show="Northbound")):
        voices.learn(each)

    assert voices.forget_taught("low WATER", "campplus", "episode-1", but={"Ada Quill"}) == 2
    assert sorted(voices.all(), key=repr) == sorted(stays, key=repr)
    assert voices.forget_taught(SHOW, "campplus", "episode-1", but={"Ada Quill"}) == 0
    assert voices.forget_taught(SHOW, "campplus", "episode-1", but=()) == 1


def test_who_agreed_is_on_record_and_may_change(voices: KnownVoices) -> None:
    voices.consent(SHOW, given_by="Jo Pym")
    voices.consent("low water", given_by="Gil Abrams")

    (consent,) = voices.consents()
    assert (consent.show, consent.given_by) == ("low water", "Gil Abrams")
    assert consent.given_at.endswith("Z")


def test_withdrawing_deletes_every_voice_of_the_show_and_of_no_other(voices: KnownVoices) -> None:
    for show in (SHOW, "Northbound"):
        voices.consent(show, given_by="Jo Pym")
        voices.learn(replace(ADA, show=show))
    voices.learn(BRAM)

    assert voices.withdraw(SHOW) == 2
    assert [each.show for each in voices.all()] == ["Northbound"]
    assert voices.of_show(SHOW, "campplus") is None
    assert voices.learn(ADA) is False
    assert voices.withdraw(SHOW) == 0


def test_forgetting_deletes_one_person_for_good(voices: KnownVoices) -> None:
    voices.consent(SHOW, given_by="Jo Pym")
    voices.learn(ADA)
    voices.learn(BRAM)

    assert voices.forget(SHOW, "Ada Quill") == 1
    assert voices.all() == [BRAM]
    with pytest.raises(NotFound, match="Ada Quill"):
        voices.forget(SHOW, "Ada Quill")


def test_a_renamed_person_joins_what_is_kept_under_the_new_name(voices: KnownVoices) -> None:
    voices.consent(SHOW, given_by="Jo Pym")
    voices.learn(ADA)
    voices.learn(replace(ADA, name="Ada Quil", episode_id="episode-2"))

    assert voices.rename(SHOW, "Ada Quil", to="Ada Quill") == 1
    assert [(each.name, each.episode_id) for each in voices.all(SHOW)] == [
        ("Ada Quill", "episode-1"),
        ("Ada Quill", "episode-2"),
    ]
    with pytest.raises(NotFound):
        voices.rename(SHOW, "Ada Quil", to="Ada Quill")


def test_what_a_deleted_episode_taught_goes_with_it_and_it_teaches_nothing_more(tmp_path: Path) -> None:
    """A worker may still be at the episode while it is deleted."""
    ledger = Ledger(sqlite_url(tmp_path))
    voices = LedgerVoices(lambda: ledger)
    voices.consent(SHOW, given_by="Jo Pym")
    for episode_id in ("episode-1", "episode-2"):
        new = NewJob(Episode(episode_id), JobOptions(), f"uploads/{episode_id}", episode_id)
        ledger.add(new, job_id=f"job of {episode_id}")
        voices.learn(replace(ADA, episode_id=episode_id))

    ledger.delete("episode-1", by="api")

    assert [each.episode_id for each in voices.all()] == ["episode-2"]
    assert voices.learn(ADA) is False
    assert [each.episode_id for each in voices.all()] == ["episode-2"]
    ledger.close()
