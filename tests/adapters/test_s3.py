"""S3 at its worst, through a proxy before a real server: nothing is lost, shortened or taken for something else."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import pickle
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3.session
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from adapters import s3 as module
from adapters.s3 import S3Access, S3DropBox, S3Store, read_place
from adapters.settings import Settings
from adapters.wiring import open_drop_box, open_store
from schemas.drop import Drop
from schemas.errors import AudioError, NotFound, NotReady, OptionError, TransientError
from tests.chaos.proxy import Proxy
from tests.servers import S3Server

SOUND = hashlib.shake_128(b"sound").digest(3_000_000)
PART_BYTES = 5 * 1024 * 1024
LARGE = hashlib.shake_128(b"large").digest(PART_BYTES * 2 + 1000)


@pytest.fixture(autouse=True)
def quick_back_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3 waits up to 1, 2, 4 and 8 s between its tries; here a hundredth of it."""
    import botocore.retries.standard

    slow = botocore.retries.standard.ExponentialBackoff.delay_amount
    monkeypatch.setattr(
        botocore.retries.standard.ExponentialBackoff, "delay_amount", lambda self, context: slow(self, context) / 100
    )


@pytest.fixture
def proxy(s3: S3Server) -> Iterator[Proxy]:
    with Proxy(int(s3.endpoint.rpartition(":")[2]), http=True, seed=7) as made:
        yield made


@pytest.fixture
def through(s3: S3Server, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Makes clients that come through the proxy."""
    for name, value in s3.credentials.items():
        monkeypatch.setenv(name, value)
    return lambda seconds=5.0: S3Access(f"http://127.0.0.1:{proxy.port}", timeout_seconds=seconds).client()


@pytest.fixture
def store(through: Callable[..., Any], bucket: str) -> S3Store:
    return S3Store(through(), bucket, "ours/", part_bytes=PART_BYTES)


def crc32(content: bytes) -> str:
    """As S3 tells it."""
    return base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()


def parts_left(s3: S3Server, bucket: str) -> list[str]:
    return [each["Key"] for each in s3.client().list_multipart_uploads(Bucket=bucket).get("Uploads", [])]


# ---------------------------------------------------------------- the network at its worst


@pytest.mark.services
def test_every_operation_succeeds_while_a_third_of_the_requests_is_told_to_slow_down(
    store: S3Store, proxy: Proxy, tmp_path: Path
) -> None:
    (tmp_path / "large").write_bytes(LARGE)
    proxy.slow_down(0.3)

    for number in range(10):
        store.put(f"uploads/{number}", b"%d" % number)
        assert store.get(f"uploads/{number}") == b"%d" % number
        assert store.size(f"uploads/{number}") == 1
    store.put_file("uploads/large", tmp_path / "large")
    store.fetch("uploads/large", tmp_path / "out")
    store.delete("uploads/3")

    assert (tmp_path / "out").read_bytes() == LARGE
    assert len(list(store.keys("uploads/"))) == 10
    assert proxy.counts["slow down"] > 10


@pytest.mark.services
def test_a_server_that_is_always_too_busy_is_asked_five_times(store: S3Store, proxy: Proxy) -> None:
    proxy.slow_down(1.0)

    with pytest.raises(TransientError) as caught:
        store.put("a", b"x")

    assert caught.value.code == "store_unavailable"
    assert proxy.counts["slow down"] == 5


@pytest.mark.services
def test_a_download_goes_on_where_the_connection_was_cut(store: S3Store, proxy: Proxy, tmp_path: Path) -> None:
    store.put("a", SOUND)
    proxy.cut(after_bytes=1_000_000, times=2, method="GET")

    store.fetch("a", tmp_path / "out")

    assert (tmp_path / "out").read_bytes() == SOUND
    assert proxy.counts["cut"] == 2


@pytest.mark.services
def test_a_download_goes_on_where_the_server_fell_silent(
    through: Callable[..., Any], bucket: str, proxy: Proxy, tmp_path: Path
) -> None:
    store = S3Store(through(0.5), bucket)
    store.put("a", SOUND)
    proxy.stall(after_bytes=1_000_000, times=1, method="GET")

    store.fetch("a", tmp_path / "out")

    assert (tmp_path / "out").read_bytes() == SOUND
    assert proxy.counts["stall"] == 1


@pytest.mark.services
def test_a_download_that_always_ends_early_leaves_no_shorter_file(
    store: S3Store, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.001)
    store.put("a", SOUND)
    proxy.cut(after_bytes=0, method="GET")

    with pytest.raises(TransientError) as caught:
        store.fetch("a", tmp_path / "out")

    assert caught.value.code == "store_unavailable"
    assert not (tmp_path / "out").exists()


@pytest.mark.services
@pytest.mark.filterwarnings("ignore::dateutil.parser.UnknownTimezoneWarning")  # of half a date
def test_an_answer_that_breaks_off_anywhere_in_its_head_is_not_believed(
    s3: S3Server, store: S3Store, proxy: Proxy, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A head cut short looks like a whole one: its last field is half of itself, those behind it are not there."""
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.001)
    s3.client().put_object(Bucket=bucket, Key="ours/a", Body=SOUND[:10_000])
    box = S3DropBox(store._client, home=bucket)
    seen = box.look(bucket, "ours/a")

    for after_bytes in range(0, 700, 7):
        proxy.cut(after_bytes=after_bytes, times=1, method="GET")
        assert store.size("a") == 10_000
        proxy.cut(after_bytes=after_bytes, times=1, method="GET")
        assert box.look(bucket, "ours/a") == seen
        proxy.cut(after_bytes=after_bytes, times=1, method="GET")
        assert store.get("a") == SOUND[:10_000]

    assert proxy.counts["cut"] == 300


@pytest.mark.services
def test_a_range_is_read_on_over_cut_connections(store: S3Store, proxy: Proxy) -> None:
    store.put("a", SOUND)
    proxy.cut(after_bytes=700_000, times=1, method="GET")

    assert b"".join(store.read("a", 1000, 2_000_000)) == SOUND[1000:2_000_000]
    assert proxy.counts["cut"] == 1


@pytest.mark.services
def test_a_put_whose_answer_was_lost_is_a_success_and_writes_once(
    s3: S3Server, bucket: str, store: S3Store, proxy: Proxy
) -> None:
    s3.client().put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    proxy.lose_answers(method="PUT", times=1)

    store.put("a", b"sound")

    versions = s3.client().list_object_versions(Bucket=bucket)["Versions"]
    assert store.get("a") == b"sound"
    assert len(versions) == 1
    assert proxy.counts["lose"] == 1


@pytest.mark.services
def test_a_file_whose_last_answer_was_lost_is_there(
    s3: S3Server, bucket: str, store: S3Store, proxy: Proxy, tmp_path: Path
) -> None:
    (tmp_path / "in").write_bytes(LARGE)
    begun = store._client.create_multipart_upload

    def begin(**request: Any) -> Any:
        answer = begun(**request)
        proxy.lose_answers(method="POST", times=1)  # the next POST is the one that completes
        return answer

    store._client.create_multipart_upload = begin
    store.put_file("a", tmp_path / "in")

    assert store.size("a") == len(LARGE)
    assert proxy.counts["lose"] == 1
    assert parts_left(s3, bucket) == []


@pytest.mark.services
def test_a_repeated_put_of_the_same_content_writes_nothing(s3: S3Server, bucket: str, store: S3Store) -> None:
    s3.client().put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})

    for content in (b"one", b"one", b"two", b"two"):
        store.put("a", content)

    assert len(s3.client().list_object_versions(Bucket=bucket)["Versions"]) == 2
    assert store.get("a") == b"two"


@pytest.mark.services
def test_a_file_that_cannot_be_sent_leaves_no_parts(
    s3: S3Server, bucket: str, store: S3Store, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").write_bytes(LARGE)
    proxy.lose_answers(method="PUT")

    with pytest.raises(TransientError):
        store.put_file("a", tmp_path / "in")

    assert store.size("a") is None
    assert parts_left(s3, bucket) == []


@pytest.mark.services
def test_a_server_that_is_away_is_told_as_something_that_passes(store: S3Store, proxy: Proxy) -> None:
    store.put("a", b"x")
    proxy.refuse()

    with pytest.raises(TransientError) as caught:
        store.get("a")
    proxy.pass_on()

    assert "EndpointConnectionError" in caught.value.message
    assert store.get("a") == b"x"


@pytest.mark.services
def test_a_drop_is_fetched_whole_over_cut_connections(
    s3: S3Server, through: Callable[..., Any], bucket: str, proxy: Proxy, tmp_path: Path
) -> None:
    s3.client().put_object(Bucket=bucket, Key="in/a.mp3", Body=SOUND)
    box = S3DropBox(through(), home=bucket)
    drop = box.look(bucket, "in/a.mp3")
    assert drop is not None
    proxy.cut(after_bytes=1_000_000, times=2, method="GET")

    box.fetch(drop, tmp_path / "out")

    assert (tmp_path / "out").read_bytes() == SOUND
    assert proxy.counts["cut"] == 2


@pytest.mark.services
def test_a_drop_that_is_replaced_while_it_comes_in_is_not_patched_together(
    s3: S3Server, through: Callable[..., Any], bucket: str, proxy: Proxy, tmp_path: Path
) -> None:
    s3.client().put_object(Bucket=bucket, Key="a.mp3", Body=SOUND)
    box = S3DropBox(through(), home=bucket)
    proxy.cut(after_bytes=2_000_000, times=1, method="GET")
    pieces = box.read(Drop(bucket, "a.mp3"), 0, len(SOUND))  # not pinned: what lies there now

    next(pieces)
    s3.client().put_object(Bucket=bucket, Key="a.mp3", Body=SOUND[::-1])

    with pytest.raises(AudioError) as caught:
        list(pieces)
    assert caught.value.code == "source_changed"


@pytest.mark.services
def test_a_drop_is_found_by_its_version_however_often_its_name_is_used_again(
    s3: S3Server, through: Callable[..., Any], proxy: Proxy
) -> None:
    bucket = s3.new_bucket(versions=True)
    try:
        box, client = S3DropBox(through(), home=bucket), s3.client()
        client.put_object(Bucket=bucket, Key="a.mp3", Body=b"first")
        first = box.look(bucket, "a.mp3")
        client.put_object(Bucket=bucket, Key="a.mp3", Body=b"second")
        assert first is not None

        assert box.get(first, most_bytes=100) == b"first"
        client.delete_object(Bucket=bucket, Key="a.mp3", VersionId=first.version_id)
        with pytest.raises(AudioError) as caught:
            box.get(first, most_bytes=100)
        assert caught.value.code == "source_changed"
    finally:
        s3.remove_bucket(bucket)


# ---------------------------------------------------------------- what somebody must put right


@pytest.mark.services
def test_a_bucket_that_is_not_there_is_named_with_its_server(through: Callable[..., Any]) -> None:
    store = S3Store(through(), "no-such-bucket", server="http://storage:9000")

    for use in (
        store.check,
        lambda: store.get("a"),
        lambda: store.size("a"),
        lambda: store.put("a", b"x"),
        lambda: list(store.keys("")),
    ):
        with pytest.raises(NotReady) as caught:
            use()
        assert caught.value.code == "store_unavailable"
        assert "s3://no-such-bucket/" in caught.value.message
        assert "http://storage:9000" in caught.value.message


@pytest.mark.services
def test_wrong_credentials_are_told_without_showing_them(
    s3: S3Server, through: Callable[..., Any], bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret")
    store = S3Store(through(), bucket)

    with pytest.raises(NotReady) as caught:
        store.get("a")

    assert caught.value.code == "store_unavailable"
    assert "AWS_SECRET_ACCESS_KEY" in caught.value.message
    assert s3.access_key not in caught.value.message
    assert "wrong-secret" not in caught.value.message


@pytest.mark.services
def test_missing_credentials_are_told(
    through: Callable[..., Any], bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))

    with pytest.raises(NotReady, match="AWS_ACCESS_KEY_ID"):
        S3Store(through(), bucket).get("a")


@pytest.mark.services
def test_a_bucket_that_only_an_event_named_is_no_fault_of_the_installation(
    through: Callable[..., Any], bucket: str, tmp_path: Path
) -> None:
    box = S3DropBox(through(), home=bucket)

    for name in ("no-such-bucket", "No Bucket", "..", "bücket"):
        with pytest.raises(NotFound):
            box.fetch(Drop(name, "a.mp3", etag="e"), tmp_path / "out")


@pytest.mark.services
def test_a_version_that_no_server_ever_gave_is_no_version_of_the_drop(
    s3: S3Server, through: Callable[..., Any], bucket: str
) -> None:
    s3.client().put_object(Bucket=bucket, Key="a.mp3", Body=b"sound")

    with pytest.raises(AudioError) as caught:
        S3DropBox(through(), home=bucket).get(Drop(bucket, "a.mp3", version_id="nonsense"), most_bytes=9)
    assert caught.value.code == "source_changed"


@pytest.mark.services
def test_the_settings_open_the_store_and_the_drop_box(
    s3: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in s3.credentials.items():
        monkeypatch.setenv(name, value)
    settings = Settings(data_dir=tmp_path, store_url=f"s3://{bucket}/stenocast", s3_endpoint=s3.endpoint)

    store, box = open_store(settings), open_drop_box(settings)
    store.put("uploads/a", b"sound")

    assert box is not None
    assert [each.key for each in box.listed(bucket, "")] == ["stenocast/uploads/a"]
    with pytest.raises(NotReady):
        open_store(Settings(data_dir=tmp_path, store_url="s3://no-such-bucket", s3_endpoint=s3.endpoint))


def test_without_a_bucket_in_the_settings_there_is_no_drop_box(tmp_path: Path) -> None:
    assert open_drop_box(Settings(data_dir=tmp_path)) is None


@pytest.mark.parametrize("url", ["http://bucket", "s3://", "bucket/prefix", "s3://bucket?x=1", "s3://b/../x"])
def test_a_store_url_that_names_no_bucket_is_refused(url: str) -> None:
    with pytest.raises(OptionError):
        read_place(url)


# ---------------------------------------------------------------- answers that no server here gives


@pytest.fixture
def stubbed(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Stubber]]:
    """A client whose answers the test writes."""
    client = boto3.session.Session().client(
        "s3", region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="secret"
    )
    with Stubber(client) as stub:
        yield client, stub


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("AccessDenied", 403, NotReady),
        ("PermanentRedirect", 301, NotReady),
        ("RequestTimeTooSkewed", 403, NotReady),
        ("QuotaExceeded", 400, NotReady),
        ("InternalError", 500, TransientError),
        ("SomethingNew", 400, TransientError),
        ("NoSuchKey", 404, NotFound),
        ("PreconditionFailed", 412, AudioError),
        ("InvalidObjectState", 403, AudioError),
    ],
)
def test_each_refusal_says_who_can_do_something(
    stubbed: tuple[Any, Stubber], code: str, status: int, kind: type[Exception], tmp_path: Path
) -> None:
    client, stub = stubbed
    stub.add_client_error("get_object", code, "signed with secret", status)

    with pytest.raises(kind) as caught:
        S3DropBox(client, home="harbour").fetch(Drop("harbour", "a.mp3"), tmp_path / "out")

    assert "secret" not in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize(
    "told",
    [
        {"ETag": f'"{hashlib.md5(b"sound").hexdigest()}"'},
        {"ETag": '"parts-2"', "Metadata": {"sha256": hashlib.sha256(b"sound").hexdigest()}},
        {"ETag": '"parts-2"', "ChecksumType": "FULL_OBJECT", "ChecksumCRC32": crc32(b"sound")},
    ],
)
def test_bytes_that_are_not_those_the_server_told_of_become_no_file(
    stubbed: tuple[Any, Stubber], told: dict[str, Any], tmp_path: Path
) -> None:
    client, stub = stubbed
    for content in (b"sound", b"found"):
        body = StreamingBody(io.BytesIO(content), len(content))
        stub.add_response("get_object", {"Body": body, "ContentLength": len(content), **told})
    store = S3Store(client, "harbour")

    store.fetch("a", tmp_path / "whole")
    with pytest.raises(TransientError, match="arrived damaged"):
        store.fetch("a", tmp_path / "damaged")

    assert (tmp_path / "whole").read_bytes() == b"sound"
    assert not (tmp_path / "damaged").exists()


def test_an_etag_that_is_no_checksum_is_not_taken_for_one(stubbed: tuple[Any, Stubber], tmp_path: Path) -> None:
    client, stub = stubbed
    body = StreamingBody(io.BytesIO(b"sound"), 5)
    answer = {"Body": body, "ContentLength": 5, "ETag": f'"{"0" * 32}"', "ServerSideEncryption": "aws:kms"}
    stub.add_response("get_object", answer)

    S3Store(client, "harbour").fetch("a", tmp_path / "out")

    assert (tmp_path / "out").read_bytes() == b"sound"


def test_a_server_that_knows_no_conditions_is_written_to_without(stubbed: tuple[Any, Stubber]) -> None:
    client, stub = stubbed
    stub.add_client_error("put_object", "NotImplemented", "", 501)
    stub.add_client_error("get_object", "NoSuchKey", "", 404)
    stub.add_response("put_object", {"ETag": '"e"'})

    S3Store(client, "harbour").put("a", b"x")

    stub.assert_no_pending_responses()


def test_an_upload_that_an_earlier_try_finished_is_a_success(stubbed: tuple[Any, Stubber], tmp_path: Path) -> None:
    """The first try to complete it was answered, and nobody heard; the second meets an upload that is no more."""
    client, stub = stubbed
    (tmp_path / "in").write_bytes(b"sound")
    there = {"ContentRange": "bytes 0-0/5", "ContentLength": 1, "ETag": '"parts-1"'}
    for content, sha256 in ((b"s", hashlib.sha256(b"sound").hexdigest()), (b"f", "of other content")):
        stub.add_response("create_multipart_upload", {"UploadId": "1"})
        for number in range(3):
            stub.add_response("upload_part", {"ETag": f'"{number}"'})
        stub.add_client_error("complete_multipart_upload", "NoSuchUpload", "", 404)
        body = StreamingBody(io.BytesIO(content), 1)
        stub.add_response("get_object", {"Body": body, "Metadata": {"sha256": sha256}, **there})
    stub.add_response("abort_multipart_upload", {})
    store = S3Store(client, "harbour", part_bytes=2)

    store.put_file("a", tmp_path / "in")
    with pytest.raises(TransientError):
        store.put_file("a", tmp_path / "in")

    stub.assert_no_pending_responses()


def test_uploads_in_parts_are_swept_when_nobody_can_still_be_sending_them(stubbed: tuple[Any, Stubber]) -> None:
    client, stub = stubbed
    now = datetime.now(UTC)
    uploads = [
        {"Key": "uploads/old", "UploadId": "1", "Initiated": now - timedelta(days=2)},
        {"Key": "uploads/new", "UploadId": "2", "Initiated": now - timedelta(hours=2)},
    ]
    stub.add_response(
        "list_multipart_uploads", {"Uploads": uploads}, {"Bucket": "harbour", "Prefix": "ours/uploads/"}
    )
    stub.add_response("abort_multipart_upload", {}, {"Bucket": "harbour", "Key": "uploads/old", "UploadId": "1"})

    assert S3Store(client, "harbour", "ours/", folders=("uploads/",)).sweep_unfinished() == 1

    stub.assert_no_pending_responses()


def test_an_upload_that_was_killed_is_dropped_by_the_server_once_nobody_can_still_be_sending_it(
    s3: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = s3.client()
    store = S3Store(client, bucket, "ours/")
    store.put("uploads/abc/audio", SOUND)
    for name in ("ours/uploads/abc/audio", "ours/uploads/def/audio", "theirs/uploads/abc/audio"):
        upload = client.create_multipart_upload(Bucket=bucket, Key=name)["UploadId"]
        client.upload_part(Bucket=bucket, Key=name, UploadId=upload, PartNumber=1, Body=LARGE[:PART_BYTES])

    early = store.sweep_unfinished()
    monkeypatch.setattr(module, "UNFINISHED_SECONDS", -60.0)
    late = store.sweep_unfinished()

    assert (early, late) == (0, 2)
    assert [each["Key"] for each in client.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [
        "theirs/uploads/abc/audio"
    ]
    assert store.get("uploads/abc/audio") == SOUND


def test_a_server_that_shows_no_uploads_is_left_to_its_own_rules(stubbed: tuple[Any, Stubber]) -> None:
    client, stub = stubbed
    stub.add_client_error("list_multipart_uploads", "AccessDenied", "", 403)

    assert S3Store(client, "harbour").sweep_unfinished() == 0


def test_importing_the_adapter_reads_no_environment_and_connects_to_nothing() -> None:
    import subprocess
    import sys

    script = "import socket; socket.socket.connect = None; import adapters.wiring, sys; print('boto3' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=os.environ)

    assert done.stdout.strip() == "False"
