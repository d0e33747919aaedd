"""Kafka itself: one sender at a time, letters as they came, topics as planned, and errors that say where to look."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from kafka.errors import KafkaError, KafkaTimeoutError, ProducerFencedError

from adapters import kafka_topics
from adapters.kafka import KafkaSource
from adapters.kafka_access import KafkaAccess, translated
from adapters.kafka_topics import KafkaEvents, KafkaTopics
from schemas.cloudevents import event_headers, read_cloud_event
from schemas.errors import InputError, LeaseLost, NotReady, StenocastError, TransientError
from schemas.events import Event, EventType, JobChanged, TranscriptDeleted
from schemas.job import JobState
from schemas.topics import PLANS, Topic
from tests.servers import KafkaServer, Login
from tests.topics import Made
from transcription.ports import DeadLetter, Record

pytestmark = pytest.mark.services


def event(number: int, *, episode: str = "episode", kind: EventType = EventType.JOB_QUEUED) -> Event:
    return Event(
        id=f"event-{number}",
        type=kind,
        source="stenocast/local",
        subject=episode,
        time=f"2026-03-14T09:00:{number % 60:02}.000Z",
        data=TranscriptDeleted(episode, number)
        if kind is EventType.TRANSCRIPT_DELETED
        else JobChanged(job_id="job", episode_id=episode, state=JobState.QUEUED, attempts=number),
    )


def ids(records: list[object]) -> list[str]:
    return [dict(each.headers)["ce_id"].decode() for each in records]  # type: ignore[attr-defined]


# ---------------------------------------------------------------- the sink


def test_an_event_lies_on_its_topic_under_its_episode_with_its_attributes_as_headers(topics: Made) -> None:
    sink = topics.sink()
    sink.take_over()
    sink.send([event(1)])

    [record] = topics.records(Topic.JOBS)
    assert record.key == b"episode"
    assert tuple(record.headers) == event_headers(event(1))
    assert read_cloud_event(record.headers, record.value) == event(1)


def test_the_events_of_an_episode_keep_their_order_among_those_of_others(topics: Made) -> None:
    sink = topics.sink()
    sink.take_over()
    for first in range(0, 200, 100):
        sink.send([event(first + i, episode=f"episode-{i % 7}") for i in range(100)])

    records = topics.records(Topic.JOBS)
    for episode in {each.key for each in records}:
        numbers = [int(each.split("-")[1]) for each in ids([each for each in records if each.key == episode])]
        assert numbers == sorted(numbers)
    assert len(records) == 200


def test_a_deletion_is_an_event_on_one_topic_and_a_tombstone_on_the_compacted_one(topics: Made) -> None:
    sink = topics.sink()
    sink.take_over()
    sink.send([event(1, kind=EventType.TRANSCRIPT_DELETED)])

    [told], [tombstone] = topics.records(Topic.TRANSCRIPTS), topics.records(Topic.TRANSCRIPTS_LATEST)
    assert read_cloud_event(told.headers, told.value).data == TranscriptDeleted("episode", 1)
    assert (tombstone.key, tombstone.value, ids([tombstone])) == (b"episode", None, ["event-1"])


def test_a_sender_that_was_held_up_sends_nothing_once_another_took_over(topics: Made) -> None:
    held_up, other = topics.sink(), topics.sink()
    held_up.take_over()
    held_up.send([event(1)])
    other.take_over()
    other.send([event(2)])

    with pytest.raises(LeaseLost) as caught:
        held_up.send([event(1)])
    other.send([event(3)])

    assert caught.value.code == "publishing_lost"
    assert sorted(ids(topics.records(Topic.JOBS, isolation="read_uncommitted"))) == ["event-1", "event-2", "event-3"]


def test_a_sender_that_lost_once_sends_nothing_until_it_takes_over_again(topics: Made) -> None:
    one, two = topics.sink(), topics.sink()
    one.take_over()
    two.take_over()
    for _ in range(2):
        with pytest.raises(LeaseLost):
            one.send([event(1)])
    one.take_over()
    one.send([event(2)])

    assert ids(topics.records(Topic.JOBS)) == ["event-2"]


def test_what_a_sender_left_half_done_is_never_seen(topics: Made) -> None:
    """As after `kill -9` between the records and the commit."""
    dying = topics.sink()
    dying.take_over()
    producer = dying._producer._kafka  # type: ignore[union-attr]
    producer.begin_transaction()
    producer.send(topics.access.name(Topic.JOBS), key=b"episode", value=b"half done").get(timeout=10)

    other = topics.sink()
    other.take_over()
    other.send([event(1)])

    assert ids(topics.records(Topic.JOBS)) == ["event-1"]


def test_a_missing_topic_is_named_with_the_command_that_makes_it(
    topics: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.kafka.ANSWER_SECONDS", 3.0)
    sink = topics.sink()
    sink._access = replace(topics.access, prefix="nowhere.")

    with pytest.raises(NotReady, match=r"nowhere\.jobs.*`stenocast topics create`") as caught:
        sink.take_over()
    assert caught.value.code == "topic_missing"


def test_a_record_that_fails_because_one_before_it_was_refused_for_another_sender_is_told_as_that() -> None:
    """The library's own words for it, when the refusal arrives between two records of one batch."""
    library = KafkaError("Cannot perform send because a previous request has failed", ProducerFencedError())

    with pytest.raises(LeaseLost) as caught, translated(KafkaAccess("kafka:9092"), doing="take the events"):
        raise library

    assert caught.value.code == "publishing_lost"


def test_a_sender_that_fails_leaves_nothing_of_itself_behind(topics: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its records could not go out, as when the broker is away; a thread would look for it for ever."""
    monkeypatch.setattr("adapters.kafka.DELIVERY_SECONDS", 1.0)
    monkeypatch.setattr("adapters.kafka.ANSWER_SECONDS", 1.0)
    before = set(threading.enumerate())
    sink = topics.sink()
    sink.take_over()
    own = set(threading.enumerate()) - before
    monkeypatch.setattr(sink._producer._kafka._sender, "run_once", lambda: time.sleep(0.05))  # type: ignore[union-attr]

    with pytest.raises(TransientError, match="did not take the events"):
        sink.send([event(1)])

    assert own
    assert not any(each.is_alive() for each in own)


# ---------------------------------------------------------------- dead letters


def letter(value: bytes | None, **given: object) -> DeadLetter:
    record = Record("episodes", 1, 42, b"key", value, (("a", b"1"), ("a", b"2")), 1_770_000_000.5)
    return DeadLetter(record, "event_invalid", "data.key: missing", **given)  # type: ignore[arg-type]


def test_a_dead_letter_holds_the_record_as_it_came_and_why_it_lies_there(topics: Made) -> None:
    topics.letters().send([letter(b"\x00\xff")])

    [record] = topics.records(Topic.DEAD_LETTERS)
    assert (record.key, record.value, record.headers[:2]) == (b"key", b"\x00\xff", [("a", b"1"), ("a", b"2")])
    assert dict(record.headers[2:]) == {
        "dl_reason": b"event_invalid",
        "dl_message": b"data.key: missing",
        "dl_topic": b"episodes",
        "dl_partition": b"1",
        "dl_offset": b"42",
        "dl_timestamp": b"1770000000.500",
    }


def test_a_letter_that_the_broker_takes_for_too_long_says_so_and_the_next_one_is_sent(topics: Made) -> None:
    """A topic that somebody made with a limit of their own."""
    from kafka import KafkaAdminClient
    from kafka.admin import ConfigResource, ConfigResourceType

    admin = KafkaAdminClient(bootstrap_servers=topics.access.bootstrap)
    name = topics.access.name(Topic.DEAD_LETTERS)
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, {"max.message.bytes": "20000"})])
    admin.close()
    letters = topics.letters()

    with pytest.raises(InputError, match=r"max\.message\.bytes") as caught:
        letters.send([letter(b"x" * 30_000)])
    letters.send([letter(b"x" * 30_000, stored_key="dead-letters/x")])

    assert caught.value.code == "letter_too_large"
    assert len(topics.records(Topic.DEAD_LETTERS)) == 1


# ---------------------------------------------------------------- groups


def test_two_members_share_the_partitions_and_the_one_that_leaves_hands_its_over(topics: Made) -> None:
    # A join that ends between two polls is begun anew, and the others are told by their next heartbeat: often ones.
    often: dict[str, Any] = {"session_timeout_ms": 6000, "heartbeat_interval_ms": 500}
    one, two = topics.source(Topic.EPISODES, **often), topics.source(Topic.EPISODES, **often)
    deadline = time.monotonic() + 90
    is_shared = threading.Event()

    def poll(member: KafkaSource) -> None:
        while not is_shared.is_set() and time.monotonic() < deadline:
            member.poll(seconds=0.2)

    # Each polls by itself, as two processes do: a member that joins waits for the other one to join again.
    with ThreadPoolExecutor() as pool:
        polling = [pool.submit(poll, each) for each in (one, two)]
        held: list[int] = []
        while held != [1, 1] and time.monotonic() < deadline:
            held = [len(each._consumer.assignment()) for each in (one, two) if each._consumer is not None]
            time.sleep(0.05)
        is_shared.set()
        for each in polling:
            each.result()
    assert held == [1, 1]
    two.close()
    topics.append(Topic.EPISODES, b"zero", partition=0)
    topics.append(Topic.EPISODES, b"one", partition=1)

    found: set[bytes | None] = set()
    while time.monotonic() < deadline and len(found) < 2:
        found |= {each.value for each in one.poll(seconds=0.5)}
    assert found == {b"zero", b"one"}


def test_a_commit_of_a_member_that_was_thrown_out_is_passed_over(topics: Made) -> None:
    """The group gave the records to another; that one has them again, and the late commit must not skip any."""
    topics.append(Topic.EPISODES, b"one")
    late = topics.source(
        Topic.EPISODES, session_timeout_ms=6000, heartbeat_interval_ms=1000, max_poll_interval_ms=1500
    )
    deadline = time.monotonic() + 30
    batch = late.poll(seconds=5)
    other = topics.source(Topic.EPISODES)
    found: list[bytes | None] = []
    while time.monotonic() < deadline and not found:
        found = [each.value for each in other.poll(seconds=0.5)]

    late.commit(batch)

    assert found == [b"one"]


class NoText(str):
    """A header's name that is no UTF-8, as clients in other languages can send one."""

    def encode(self, *_given: object, **_named: object) -> bytes:
        return b"\xff\xfe"


def test_a_record_that_the_library_cannot_read_blocks_nothing(topics: Made) -> None:
    topics.append(Topic.EPISODES, b"first")
    topics.append(Topic.EPISODES, b"odd", headers=[(NoText("x"), b"")])
    topics.append(Topic.EPISODES, b"last")
    source = topics.source(Topic.EPISODES)
    found: list[Record] = []
    deadline = time.monotonic() + 60
    while len(found) < 3 and time.monotonic() < deadline:
        batch = source.poll(seconds=2)
        source.commit(batch)
        found += batch

    assert [each.value for each in found] == [b"first", None, b"last"]
    assert found[1].unreadable is not None
    assert found[1].offset == found[0].offset + 1


def test_a_source_whose_topic_is_missing_says_so(topics: Made) -> None:
    source = topics.source(Topic.EPISODES)
    source._access = replace(topics.access, prefix="nowhere.")

    with pytest.raises(NotReady) as caught:
        source.poll(seconds=0.1)
    assert caught.value.code == "topic_missing"


# ---------------------------------------------------------------- the topics


def test_topics_are_made_as_planned_and_a_second_time_nothing_happens(kafka: KafkaServer, topics: Made) -> None:
    fresh = KafkaTopics(replace(topics.access, prefix=f"{topics.access.prefix}x."))
    first, second = fresh.create(), fresh.create()
    try:
        assert [each.is_new for each in first] == [True] * len(PLANS)
        assert [each.is_new for each in second] == [False] * len(PLANS)
        assert [each.differences for each in first + second] == [()] * 2 * len(PLANS)
        assert [each.partitions for each in first] == [plan.partitions for plan in PLANS.values()]
    finally:
        _delete(kafka, [each.name for each in first])


def test_a_topic_that_somebody_made_otherwise_is_left_alone_and_said(kafka: KafkaServer, topics: Made) -> None:
    from kafka import KafkaAdminClient

    access = replace(topics.access, prefix=f"{topics.access.prefix}x.")
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    admin.create_topics({access.name(Topic.TRANSCRIPTS_LATEST): {"num_partitions": 3}})
    admin.close()
    reports = KafkaTopics(access).create()
    try:
        [found] = [each for each in reports if each.name == access.name(Topic.TRANSCRIPTS_LATEST)]
        assert not found.is_new
        assert found.differences == (
            "3 partitions instead of 6",
            "cleanup.policy is delete instead of compact",
            "delete.retention.ms is 86400000 instead of 604800000",
        )
    finally:
        _delete(kafka, [each.name for each in reports])


def _delete(kafka: KafkaServer, names: list[str]) -> None:
    from kafka import KafkaAdminClient

    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    admin.delete_topics(names)
    admin.close()


def test_the_events_are_shown_by_time_whatever_their_topic_and_partition(topics: Made) -> None:
    sink = topics.sink()
    sink.take_over()
    kinds = {0: EventType.TRANSCRIPT_DELETED}
    sent = [event(i, episode=f"episode-{i}", kind=kinds.get(i % 3, EventType.JOB_QUEUED)) for i in range(9)]
    sink.send(sent)

    assert list(KafkaEvents(topics.access).read()) == sent


def test_showing_the_events_takes_no_more_memory_where_there_are_many(
    topics: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = topics.sink()
    sink.take_over()
    sent = [replace(event(i, episode=f"episode-{i % 7}"), time=f"2026-03-14T{i:05}") for i in range(60)]
    sink.send(sent)
    read: list[int] = []

    def counted(*given: Any) -> Event:
        read.append(1)
        return read_cloud_event(*given)

    monkeypatch.setattr(kafka_topics, "read_cloud_event", counted)
    shown = KafkaEvents(topics.access, most_waiting=5).read()
    first = next(shown)

    assert len(read) <= 5 * 4
    assert [first, *shown] == sent


def test_a_lag_that_cannot_be_told_is_none(topics: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker went away behind a commit: what was taken in stays so."""
    source = topics.source(Topic.EPISODES)
    topics.append(Topic.EPISODES, b"one")
    source.poll(seconds=10)

    def away(*_given: object, **_named: object) -> None:
        raise KafkaTimeoutError("no answer")

    monkeypatch.setattr(source._consumer, "position", away)

    assert source.lag() == 0


def test_a_record_that_is_no_event_of_ours_is_passed_over(topics: Made) -> None:
    topics.append(Topic.JOBS, b'{"type": "job.pondered.v1"}')
    sink = topics.sink()
    sink.take_over()
    sink.send([event(1)])

    assert list(KafkaEvents(topics.access).read()) == [event(1)]


# ---------------------------------------------------------------- the way in


def by_sasl(kafka: KafkaServer, mechanism: str, *, tls: bool) -> KafkaAccess:
    login: Login | None = kafka.plain if mechanism == "PLAIN" else kafka.scram
    address = kafka.sasl_ssl if tls else kafka.sasl
    if login is None or address is None:
        pytest.skip("this broker has no listener with a login")
    return KafkaAccess(
        address,
        "sasl_ssl" if tls else "sasl_plaintext",
        mechanism,
        login.user,
        login.password,
        ca_file=kafka.ca_file if tls else None,
    )


@pytest.mark.parametrize("tls", [False, True], ids=["plaintext", "tls"])
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_every_client_gets_in_with_a_login(kafka: KafkaServer, topics: Made, mechanism: str, tls: bool) -> None:
    access = replace(by_sasl(kafka, mechanism, tls=tls), prefix=topics.access.prefix)
    mine = Made(access)
    try:
        sink, source, letters = mine.sink(), mine.source(Topic.EPISODES), mine.letters()
        sink.take_over()
        sink.send([event(1)])
        letters.send([letter(b"x")])
        topics.append(Topic.EPISODES, b"one")

        assert [each.value for each in source.poll(seconds=10)] == [b"one"]
        assert all(each.exists for each in KafkaTopics(access).reports())
        assert [each.id for each in KafkaEvents(access).read()] == ["event-1"]
    finally:
        mine.close()


def test_tls_without_a_login_and_with_a_certificate_of_our_own_gets_in(kafka: KafkaServer, topics: Made) -> None:
    if kafka.ssl is None or kafka.mtls is None:
        pytest.skip("this broker has no TLS listeners")
    plain = KafkaAccess(kafka.ssl, "ssl", ca_file=kafka.ca_file, prefix=topics.access.prefix)
    mutual = replace(plain, bootstrap=kafka.mtls, cert_file=kafka.cert_file, key_file=kafka.key_file)

    assert all(each.exists for each in KafkaTopics(plain).reports() + KafkaTopics(mutual).reports())


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.kafka_access.BOOTSTRAP_SECONDS", 2.0)


def refusal(access: KafkaAccess) -> StenocastError:
    with pytest.raises((NotReady, TransientError)) as caught:
        KafkaTopics(access).reports()
    return caught.value


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
def test_a_wrong_password_points_at_user_and_password_and_shows_neither_s_value(
    kafka: KafkaServer, mechanism: str
) -> None:
    error = refusal(replace(by_sasl(kafka, mechanism, tls=False), password="not-the-word"))

    assert error.code == "kafka_refused"
    assert "STENOCAST_KAFKA_USERNAME, STENOCAST_KAFKA_PASSWORD" in error.message
    assert "not-the-word" not in error.message + repr(replace(by_sasl(kafka, mechanism, tls=False)))


@pytest.mark.usefixtures("impatient")
def test_an_address_where_nothing_listens_points_at_the_address(closed_port: int) -> None:
    error = refusal(KafkaAccess(f"127.0.0.1:{closed_port}"))

    assert (type(error), error.code) == (TransientError, "kafka_unavailable")
    assert f"127.0.0.1:{closed_port}" in error.message
    assert "STENOCAST_KAFKA_BOOTSTRAP" in error.message


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.mark.usefixtures("impatient")
def test_a_certificate_that_cannot_be_trusted_points_at_tls(kafka: KafkaServer) -> None:
    if kafka.ssl is None:
        pytest.skip("this broker has no TLS listener")
    untrusted = refusal(KafkaAccess(kafka.ssl, "ssl"))
    no_tls_there = refusal(KafkaAccess(kafka.bootstrap, "ssl", ca_file=kafka.ca_file))

    for error in (untrusted, no_tls_there):
        assert error.code == "kafka_refused"
        assert "STENOCAST_KAFKA_CA_FILE" in error.message


@pytest.mark.usefixtures("impatient")
def test_plaintext_to_a_listener_that_wants_more_points_at_the_security_setting(kafka: KafkaServer) -> None:
    if kafka.ssl is None or kafka.sasl is None:
        pytest.skip("this broker has no such listeners")
    for address in (kafka.ssl, kafka.sasl):
        error = refusal(KafkaAccess(address))
        assert error.code == "kafka_refused"
        assert "STENOCAST_KAFKA_SECURITY" in error.message


def test_a_certificate_file_that_is_not_there_is_named() -> None:
    from pathlib import Path

    error = refusal(KafkaAccess("127.0.0.1:1", "ssl", ca_file=Path("/nowhere/ca.pem")))

    assert error.code == "kafka_refused"
    assert "/nowhere/ca.pem" in error.message
