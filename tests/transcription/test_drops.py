"""Names in a bucket: what is a recording, what describes one, what is our own, and what is the same drop."""

from __future__ import annotations

import pytest

from schemas.drop import Drop
from schemas.errors import OptionError
from schemas.job import JobOptions
from transcription.drops import (
    DropPlace,
    ObjectKind,
    drop_dedupe_key,
    drop_place,
    kind_of,
    sidecar_key,
    stem_of,
    usual_container,
)


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("incoming/ep.mp3", ObjectKind.AUDIO),
        ("EP.MP3", ObjectKind.AUDIO),
        ("a.b/ep.one.opus", ObjectKind.AUDIO),
        ("ep.wma", ObjectKind.AUDIO),
        ("incoming/ep.json", ObjectKind.SIDECAR),
        ("incoming/cover.jpg", ObjectKind.OTHER),
        ("incoming/mp3", ObjectKind.OTHER),
        ("incoming.mp3/", ObjectKind.OTHER),
        ("incoming.mp3/readme", ObjectKind.OTHER),
        ("incoming/._ep.mp3", ObjectKind.OTHER),
        ("incoming/.mp3", ObjectKind.OTHER),
        ("incoming/ep.", ObjectKind.OTHER),
        ("", ObjectKind.OTHER),
    ],
)
def test_a_name_tells_what_an_object_is_taken_for(key: str, kind: ObjectKind) -> None:
    assert kind_of(key) is kind


@pytest.mark.parametrize(
    ("key", "beside"),
    [
        ("incoming/ep.mp3", "incoming/ep.json"),
        ("incoming/ep.one.mp3", "incoming/ep.one.json"),
        ("a.b/recording", "a.b/recording.json"),
        ("ep.mp3", "ep.json"),
    ],
)
def test_a_description_has_the_name_of_its_recording(key: str, beside: str) -> None:
    assert (sidecar_key(key), sidecar_key(beside)) == (beside, beside)
    assert key.startswith(stem_of(beside).rstrip("."))


def test_the_ending_tells_the_usual_container() -> None:
    assert [usual_container(key) for key in ("a.M4A", "a.opus", "a.txt")] == ["mp4", "ogg", None]


@pytest.mark.parametrize(
    ("drop_url", "store_url", "place"),
    [
        ("", "", None),
        ("", "/srv/store", None),
        ("", "s3://harbour", DropPlace("harbour", "", ("uploads/", "results/", "checkpoints/", "dead-letters/"))),
        ("", "s3://harbour/stenocast/", DropPlace("harbour", "", ("stenocast/",))),
        ("s3://harbour/in", "s3://harbour/stenocast", DropPlace("harbour", "in/", ("stenocast/",))),
        ("s3://studio/in/", "s3://harbour", DropPlace("studio", "in/", ())),
        ("s3://studio", "", DropPlace("studio", "", ())),
    ],
)
def test_the_settings_say_where_producers_drop(drop_url: str, store_url: str, place: DropPlace | None) -> None:
    assert drop_place(drop_url, store_url) == place


@pytest.mark.parametrize("drop_url", ["/srv/drops", "s3://", "https://harbour/in"])
def test_a_drop_url_that_names_no_bucket_is_refused_with_its_value(drop_url: str) -> None:
    with pytest.raises(OptionError, match=drop_url) as caught:
        drop_place(drop_url, "")

    assert caught.value.code == "bad_setting"


def test_a_place_holds_what_is_under_its_prefix_and_not_our_own() -> None:
    place = DropPlace("harbour", "in/", ("in/results/",))

    assert place.holds("harbour", "in/a.mp3")
    assert not place.holds("studio", "in/a.mp3")
    assert not place.holds("harbour", "inner/a.mp3")
    assert not place.holds("harbour", "in/results/a.mp3")
    assert DropPlace("harbour").holds("harbour", "results/a.mp3")


def test_the_version_tells_drops_apart_and_else_the_content() -> None:
    first = Drop("b", "a.mp3", version_id="1", etag="x")

    assert drop_dedupe_key(first) == drop_dedupe_key(Drop("b", "a.mp3", version_id="1", etag="x", size_bytes=7))
    others = [
        Drop("b", "a.mp3", version_id="2", etag="x"),
        Drop("b", "b.mp3", version_id="1", etag="x"),
        Drop("c", "a.mp3", version_id="1", etag="x"),
        Drop("b", "a.mp3", etag="x"),
        Drop("b", "a.mp3", etag="1"),
    ]
    assert len({drop_dedupe_key(first), *map(drop_dedupe_key, others)}) == 6


def test_options_that_an_event_asks_for_make_another_job() -> None:
    drop = Drop("b", "a.mp3", etag="x")

    assert drop_dedupe_key(drop) != drop_dedupe_key(drop, JobOptions())
