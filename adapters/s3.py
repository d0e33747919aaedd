"""S3 and what speaks like it: the store under a prefix of a bucket, and the bucket as producers see it.

boto3 is known to this file alone. Credentials come from boto3's own chain (environment, profile, instance role).
"""

from __future__ import annotations

import base64
import contextlib
import errno
import hashlib
import math
import random
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import boto3
import urllib3.exceptions
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError

from adapters.store_keys import LONGEST_KEY_BYTES, check_key
from schemas.drop import Drop
from schemas.errors import AudioError, InputError, NotFound, NotReady, OptionError, StenocastError, TransientError

#: Tries of one request, ours and boto3's alike, with back-off and jitter between them.
MOST_TRIES = 5
WAIT_SECONDS = 0.2  #: the longest pause before the first repeat of ours; doubles with each
CONNECT_SECONDS = 10.0

PIECE_BYTES = 1024 * 1024
#: Files over this size go up in parts of at least this size, each in memory while it is sent.
PART_BYTES = 16 * 1024 * 1024
MOST_PARTS = 10_000  #: S3's limit

#: Our own objects say what they hold: a multipart upload has no other checksum of the whole.
SHA256_FIELD = "sha256"

UNFINISHED_SECONDS = 86_400.0  #: since an upload in parts began; no put takes so long

#: A connection that broke while an object came in; the rest is asked for again. ValueError is how boto3 takes a date
#: of which half a line came.
_BROKEN = (HTTPClientError, IncompleteReadError, urllib3.exceptions.HTTPError, ValueError)
#: Everything that a call of boto3 raises.
_FOREIGN = (ClientError, BotoCoreError, urllib3.exceptions.HTTPError, ValueError)


@dataclass(frozen=True, slots=True)
class S3Access:
    """Which server, and how long to wait for it."""

    endpoint: str = ""  #: empty = AWS
    region: str = ""  #: empty = what boto3 finds; where an endpoint is given, us-east-1
    timeout_seconds: float = 30.0  #: without a byte

    @property
    def name(self) -> str:
        return self.endpoint or "AWS"

    def client(self) -> Any:
        """A boto3 client; nothing is connected yet. Threads may share it. Raises OptionError, NotReady."""
        config = Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"} if self.endpoint else {},
            retries={"mode": "standard", "total_max_attempts": MOST_TRIES},
            connect_timeout=min(CONNECT_SECONDS, self.timeout_seconds),
            read_timeout=self.timeout_seconds,
            tcp_keepalive=True,
            max_pool_connections=50,
            # Checksums of our own choosing, since not every server takes the trailing ones that boto3 would add.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        try:
            session = boto3.session.Session()
            region = self.region or session.region_name or ("us-east-1" if self.endpoint else None)
            return session.client("s3", region_name=region, endpoint_url=self.endpoint or None, config=config)
        except ValueError as error:
            raise OptionError(
                f"STENOCAST_S3_ENDPOINT={self.endpoint!r}: is no URL", code="bad_setting", field="s3_endpoint"
            ) from error
        except BotoCoreError as error:
            raise NotReady(f"no S3 client can be made: {error}", code="store_unavailable") from error


def read_place(url: str) -> tuple[str, str]:
    """The bucket and the prefix of `s3://bucket[/prefix]`; a prefix that is not empty ends with a slash."""
    parts = urlsplit(url)
    prefix = parts.path.strip("/")
    if parts.scheme != "s3" or not parts.netloc or parts.query or parts.fragment:
        raise OptionError(
            f"STENOCAST_STORE_URL={url!r}: use s3://bucket or s3://bucket/prefix, or leave it empty for a folder",
            code="bad_setting",
            field="store_url",
        )
    if prefix:
        check_key(prefix)
    return parts.netloc, f"{prefix}/" if prefix else ""


# ---------------------------------------------------------------- the store


class S3Store:
    """`Store` under a prefix of a bucket.

    Objects are written by one request, or in parts that show when all of them are there. The first writer of a key
    says `If-None-Match: *`: where the server did it and its answer was lost, the repeat finds the same content there
    and has succeeded.
    """

    def __init__(
        self,
        client: Any,
        bucket: str,
        prefix: str = "",
        *,
        server: str = "AWS",
        part_bytes: int = PART_BYTES,
        folders: Sequence[str] = ("",),
    ) -> None:
        """`folders` are how our own keys begin: a bucket without a prefix has uploads of others in it, too."""
        self._client = client
        self._bucket = bucket
        self._prefix = prefix
        self._server = server
        self._part_bytes = part_bytes
        self._folders = tuple(folders)

    def put(self, key: str, content: bytes) -> None:
        name = self._name(key)
        sha256 = hashlib.sha256(content).hexdigest()

        def write(**condition: str) -> None:
            self._client.put_object(
                Bucket=self._bucket,
                Key=name,
                Body=content,
                ContentMD5=_md5_header(content),
                Metadata={SHA256_FIELD: sha256},
                **condition,
            )

        with self._translated(key):
            self._write_once(name, sha256, len(content), write)

    def put_file(self, key: str, path: Path) -> None:
        name = self._name(key)
        size = path.stat().st_size
        if size <= self._part_bytes:
            self.put(key, path.read_bytes())
            return
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        with self._translated(key):
            self._put_in_parts(name, path, size=size, sha256=sha256)

    def get(self, key: str) -> bytes | None:
        name = self._name(key)
        with self._translated(key):
            try:
                reading = _Reading(self._client, {"Bucket": self._bucket, "Key": name})
            except ClientError as error:
                if _failure(error) is _Failure.MISSING:
                    return None
                raise
            check = _Check(reading.told)
            content = bytearray()
            for piece in reading.pieces():
                content += piece
                check.add(piece)
            check.compare(key)
            return bytes(content)

    def fetch(self, key: str, path: Path) -> None:
        name = self._name(key)
        with self._translated(key):
            _save(_Reading(self._client, {"Bucket": self._bucket, "Key": name}), path, key)

    def exists(self, key: str) -> bool:
        return self._look(key) is not None

    def size(self, key: str) -> int | None:
        found = self._look(key)
        return None if found is None else int(found["ContentLength"])

    def age(self, key: str) -> float | None:
        found = self._look(key)
        if found is None:
            return None
        told = found["ResponseMetadata"]["HTTPHeaders"].get("date")
        now = parsedate_to_datetime(told) if told else datetime.now(UTC)
        return max(0.0, (now - found["LastModified"]).total_seconds())

    def read(self, key: str, start: int, end: int) -> Iterator[bytes]:
        name = self._name(key)
        with self._translated(key):
            reading = _Reading(self._client, {"Bucket": self._bucket, "Key": name}, start, end)
        return self._read_on(reading, key)

    def delete(self, key: str) -> None:
        name = self._name(key)
        with self._translated(key):
            self._client.delete_object(Bucket=self._bucket, Key=name)

    def keys(self, prefix: str) -> Iterator[str]:
        with self._translated(prefix):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix):
                for each in page.get("Contents", ()):
                    key = each["Key"].removeprefix(self._prefix)
                    if _is_key(key):  # what others put there under other names is not ours to touch
                        yield key

    def uri(self, key: str) -> str:
        return f"s3://{self._bucket}/{quote(self._name(key))}"

    def check(self) -> None:
        """Raise NotReady, TransientError where the bucket cannot be used."""
        with self._translated(""):
            self._client.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix, MaxKeys=1)

    def sweep_unfinished(self) -> int:
        """Drop uploads in parts that nobody can still be sending; how many there were.

        They cost room and are shown in no list of objects. A server that does not list them, or does not let us,
        needs a rule of its own for them.
        """
        swept = 0
        with self._translated(""):
            for folder in self._folders:
                try:
                    swept += self._sweep(self._prefix + folder)
                except ClientError as error:
                    if _code(error) not in ("AccessDenied", "NotImplemented", "MethodNotAllowed"):
                        raise
        return swept

    def _sweep(self, prefix: str) -> int:
        swept = 0
        pages = self._client.get_paginator("list_multipart_uploads")
        for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
            for each in page.get("Uploads", ()):
                if (datetime.now(UTC) - each["Initiated"]).total_seconds() > UNFINISHED_SECONDS:
                    self._abort(each["Key"], each["UploadId"])
                    swept += 1
        return swept

    def _put_in_parts(self, name: str, path: Path, *, size: int, sha256: str) -> None:
        begun = self._client.create_multipart_upload(Bucket=self._bucket, Key=name, Metadata={SHA256_FIELD: sha256})
        upload = begun["UploadId"]
        try:
            parts = self._send_parts(name, upload, path, size=size, sha256=sha256)

            def write(**condition: str) -> None:
                self._client.complete_multipart_upload(
                    Bucket=self._bucket, Key=name, UploadId=upload, MultipartUpload={"Parts": parts}, **condition
                )

            self._write_once(name, sha256, size, write)
        except BaseException:
            with contextlib.suppress(*_FOREIGN):  # the first error is the one to tell
                self._abort(name, upload)
            raise

    def _send_parts(
        self, name: str, upload: str, path: Path, *, size: int, sha256: str
    ) -> list[dict[str, str | int]]:
        part_bytes = max(self._part_bytes, math.ceil(size / MOST_PARTS))
        sent = hashlib.sha256()
        parts: list[dict[str, str | int]] = []
        with path.open("rb") as file:
            while content := file.read(part_bytes):
                sent.update(content)
                answer = self._client.upload_part(
                    Bucket=self._bucket,
                    Key=name,
                    UploadId=upload,
                    PartNumber=len(parts) + 1,
                    Body=content,
                    ContentMD5=_md5_header(content),
                )
                if "ETag" not in answer:
                    raise TransientError(f"{path.name}: the answer to a part broke off", code="store_unavailable")
                parts.append({"PartNumber": len(parts) + 1, "ETag": answer["ETag"]})
        if sent.hexdigest() != sha256:
            raise AudioError(f"{path.name}: changed while it was stored", code="source_changed")
        return parts

    def _abort(self, name: str, upload: str) -> None:
        self._client.abort_multipart_upload(Bucket=self._bucket, Key=name, UploadId=upload)

    def _write_once(self, name: str, sha256: str, size: int, write: Callable[..., None]) -> None:
        """Write unless the same content is there already; whatever else lies under the name is replaced."""
        try:
            write(IfNoneMatch="*")
        except ClientError as error:
            if _code(error) == "NoSuchUpload":  # finished by an earlier try, whose answer was lost
                if not self._holds(name, sha256, size):
                    raise
            elif _failure(error) is _Failure.CHANGED or _code(error) == "NotImplemented":
                if not self._holds(name, sha256, size):
                    write()
            else:
                raise

    def _holds(self, name: str, sha256: str, size: int) -> bool:
        try:
            found = _seen(self._client, {"Bucket": self._bucket, "Key": name})
        except ClientError as error:
            if _failure(error) is _Failure.MISSING:
                return False
            raise
        return bool(found.get("Metadata", {}).get(SHA256_FIELD) == sha256 and found["ContentLength"] == size)

    def _look(self, key: str) -> Mapping[str, Any] | None:
        name = self._name(key)
        with self._translated(key):
            try:
                return _seen(self._client, {"Bucket": self._bucket, "Key": name})
            except ClientError as error:
                if _failure(error) is _Failure.MISSING:
                    return None
                raise

    def _read_on(self, reading: _Reading, key: str) -> Iterator[bytes]:
        with self._translated(key):
            yield from reading.pieces()

    def _name(self, key: str) -> str:
        check_key(key)
        if len((self._prefix + key).encode()) > LONGEST_KEY_BYTES:
            raise OptionError(f"{key[:80]!r} cannot be a key of the store: too long", code="bad_key")
        return self._prefix + key

    @contextlib.contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        try:
            yield
        except _FOREIGN as error:
            raise self._translation(key, error) from error

    def _translation(self, key: str, error: Exception) -> StenocastError:
        if _failure(error) is _Failure.MISSING:
            return NotFound(f"{key}: there is no such object in the store", code="object_not_found")
        where = f"s3://{self._bucket}/{self._prefix}{key} at {self._server}"
        if _failure(error) is _Failure.CHANGED:
            return TransientError(f"{where}: was replaced meanwhile", code="store_unavailable")
        return _unavailable(where, error)


# ---------------------------------------------------------------- the bucket of the producers


class S3DropBox:
    """`DropBox` over the buckets that the credentials open.

    A drop is read by its version where the bucket keeps versions, and always under the condition that its ETag is
    still the same. `home` is the bucket that the settings name: a fault of that one is the installation's, a fault
    of any other is of whoever named it.
    """

    def __init__(self, client: Any, *, home: str | None = None, server: str = "AWS") -> None:
        self._client = client
        self._home = home
        self._server = server

    def look(self, bucket: str, key: str) -> Drop | None:
        seen = Drop(bucket, key)
        with self._translated(seen):
            try:
                found = _seen(self._client, {"Bucket": bucket, "Key": key})
            except ClientError as error:
                if _failure(error) is _Failure.MISSING:
                    return None
                raise
        return Drop(bucket, key, _version(found.get("VersionId")), _etag(found["ETag"]), int(found["ContentLength"]))

    def listed(self, bucket: str, prefix: str) -> Iterator[Drop]:
        with self._translated(Drop(bucket, prefix)):
            if not self._keeps_versions(bucket):
                pages = self._client.get_paginator("list_objects_v2")
                for page in pages.paginate(Bucket=bucket, Prefix=prefix):
                    for each in page.get("Contents", ()):
                        yield Drop(bucket, each["Key"], None, _etag(each["ETag"]), int(each["Size"]))
                return
            pages = self._client.get_paginator("list_object_versions")
            for page in pages.paginate(Bucket=bucket, Prefix=prefix):
                for each in page.get("Versions", ()):
                    if each["IsLatest"]:
                        version = _version(each["VersionId"])
                        yield Drop(bucket, each["Key"], version, _etag(each["ETag"]), int(each["Size"]))

    def get(self, drop: Drop, *, most_bytes: int) -> bytes:
        with self._translated(drop):
            reading = _Reading(self._client, _pinned(drop))
            if reading.size > most_bytes:
                reading.close()
                raise InputError(
                    f"{drop.address}: {reading.size} bytes, over the limit of {most_bytes}", code="metadata_invalid"
                )
            check = _Check(reading.told)
            content = b"".join(reading.pieces())
            check.add(content)
            check.compare(drop.address)
            return content

    def fetch(self, drop: Drop, path: Path) -> None:
        with self._translated(drop):
            _save(_Reading(self._client, _pinned(drop)), path, drop.address)

    def read(self, drop: Drop, start: int, end: int) -> Iterator[bytes]:
        with self._translated(drop):
            reading = _Reading(self._client, _pinned(drop), start, end)
        return self._read_on(reading, drop)

    def _read_on(self, reading: _Reading, drop: Drop) -> Iterator[bytes]:
        with self._translated(drop):
            yield from reading.pieces()

    def _keeps_versions(self, bucket: str) -> bool:
        try:
            return bool(self._client.get_bucket_versioning(Bucket=bucket).get("Status"))
        except ClientError as error:
            if _code(error) in ("NotImplemented", "MethodNotAllowed", "VersioningNotConfigured"):
                return False
            raise

    @contextlib.contextmanager
    def _translated(self, drop: Drop) -> Iterator[None]:
        try:
            yield
        except _FOREIGN as error:
            raise self._translation(drop, error) from error

    def _translation(self, drop: Drop, error: Exception) -> StenocastError:
        failure, code, address = _failure(error), _code(error), drop.address
        if failure is _Failure.CHANGED or (code == "InvalidArgument" and drop.version_id):  # no version is called so
            return AudioError(f"{address}: is not what was announced any more", code="source_changed")
        if failure is _Failure.ARCHIVED:
            return AudioError(f"{address}: is archived and cannot be read", code="source_archived")
        is_foreign = drop.bucket != self._home
        if failure is _Failure.MISSING or (failure is _Failure.NO_BUCKET and is_foreign):
            return NotFound(f"{address}: there is no such object", code="object_not_found")
        if is_foreign and code in _OF_THE_BUCKET:
            return NotFound(f"{address}: this installation may not read it", code="object_not_found")
        return _unavailable(f"{address} at {self._server}", error)


def _pinned(drop: Drop) -> dict[str, str]:
    """The request for this version of it and no other."""
    pin = {"Bucket": drop.bucket, "Key": drop.key}
    if drop.version_id is not None:
        pin["VersionId"] = drop.version_id
    if drop.etag is not None:
        pin["IfMatch"] = f'"{drop.etag}"'
    return pin


def _version(told: str | None) -> str | None:
    """The version's id; `null` is S3's name for what was written while the bucket kept none, and pins nothing."""
    return None if told in (None, "", "null") else told


def _etag(told: str) -> str:
    return told.strip('"')


# ---------------------------------------------------------------- reading


class _Reading:
    """The bytes of one version of one object in order, asked for again where a connection broke.

    What the server tells about the object is believed once a first byte has come: a connection that breaks within
    the head of an answer gives a head that looks whole, with the last of its fields cut short or not there. From
    then on every request is under the condition that the ETag is the same.
    """

    def __init__(self, client: Any, request: Mapping[str, str], start: int = 0, end: int | None = None) -> None:
        self._client = client
        self._request = dict(request)
        self._at = start
        self._wanted = end
        self._tries_in_vain = 0
        self._answer: Mapping[str, Any] | None = None
        self._first = b""
        if end is not None and end <= start:
            self._only_look(start)
            return
        while not self._begin():
            self._pause(None)

    def pieces(self) -> Iterator[bytes]:
        """What is left, in pieces. Never fewer bytes than the object has."""
        if self._first:
            first, self._first = self._first, b""
            yield first
        while self._at < self._end:
            before, broken = self._at, None
            try:
                if self._answer is None:
                    self._answer = self._ask(self._end)
                for piece in self._answer["Body"].iter_chunks(PIECE_BYTES):
                    self._at += len(piece)
                    self._tries_in_vain = 0
                    yield piece
            except _BROKEN as error:
                broken = error
            finally:
                self.close()
            if self._at < self._end and self._at == before:
                self._pause(broken)
        self.close()

    def close(self) -> None:
        if self._answer is not None:
            self._answer["Body"].close()
        self._answer = None

    def _begin(self) -> bool:
        """Ask for the object and take the first piece of it; whether the answer came whole up to there."""
        try:
            answer = self._ask(self._wanted)
            first = answer["Body"].read(PIECE_BYTES)
        except ClientError as error:
            if _code(error) != "InvalidRange":
                raise
            self._only_look(self._at)
            return True
        except _BROKEN:
            return False
        if "ETag" not in answer or "ContentLength" not in answer or (not first and answer["ContentLength"]):
            answer["Body"].close()
            return False
        self._answer, self.told, self._first = answer, answer, first
        self.size = _whole_size(answer)
        self._end = self.size if self._wanted is None else min(self._wanted, self.size)
        self._at += len(first)
        self._request["IfMatch"] = answer["ETag"]
        return True

    def _only_look(self, at: int) -> None:
        """Nothing of the object is asked for, but whether it is there."""
        self.told = _seen(self._client, self._request)
        self.size, self._at, self._end = int(self.told["ContentLength"]), at, at

    def _ask(self, end: int | None) -> Mapping[str, Any]:
        if self._at == 0 and end is None:
            answer: Mapping[str, Any] = self._client.get_object(**self._request, ChecksumMode="ENABLED")
            return answer
        last = "" if end is None else end - 1
        answer = self._client.get_object(**self._request, Range=f"bytes={self._at}-{last}")
        told = answer.get("ContentRange", "")
        if not told.startswith(f"bytes {self._at}-"):
            answer["Body"].close()
            raise IncompleteReadError(actual_bytes=0, expected_bytes=(end or 0) - self._at)
        return answer

    def _pause(self, broken: Exception | None) -> None:
        """Wait a little longer each time; raise TransientError when it has been in vain too often."""
        self._tries_in_vain += 1
        if self._tries_in_vain == MOST_TRIES:
            raise TransientError(
                f"{self._request['Key']}: broke off at byte {self._at}, {MOST_TRIES} times", code="store_unavailable"
            ) from broken
        time.sleep(random.uniform(0.0, WAIT_SECONDS * 2**self._tries_in_vain))


def _seen(client: Any, request: Mapping[str, str]) -> Mapping[str, Any]:
    """What there is to know about an object, `ContentLength` being of all of it. Raises ClientError.

    By asking for its first byte, since the answer to HEAD ends with its head: one that was cut short there, with an
    ETag or a length of half its digits, could not be told from a whole one.
    """
    for number in range(1, MOST_TRIES + 1):
        try:
            answer = client.get_object(**request, Range="bytes=0-0")
            is_whole = len(answer["Body"].read()) == 1 and "ETag" in answer and "ContentRange" in answer
        except ClientError as error:
            if _code(error) not in ("InvalidRange", "InvalidObjectState"):  # it is empty; it is archived
                raise
            answer = client.head_object(**request)
            is_whole = "ETag" in answer and "ContentLength" in answer
        except _BROKEN:
            is_whole = False
        if is_whole:
            return {**answer, "ContentLength": _whole_size(answer)}
        time.sleep(random.uniform(0.0, WAIT_SECONDS * 2**number))
    raise TransientError(f"{request['Key']}: no whole answer in {MOST_TRIES} tries", code="store_unavailable")


def _whole_size(answer: Mapping[str, Any]) -> int:
    """Of the object, from the answer to a request for all or a part of it."""
    told = answer.get("ContentRange")
    return int(answer["ContentLength"]) if told is None else int(told.rpartition("/")[2])


def _save(reading: _Reading, path: Path, name: str) -> None:
    """Write to a local file and compare; on any error there is no file."""
    check = _Check(reading.told)
    try:
        with path.open("wb") as file:
            for piece in reading.pieces():
                check.add(piece)
                file.write(piece)
        check.compare(name)
    except OSError as error:
        path.unlink(missing_ok=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NotReady(f"{name}: no room left on the disk for it", code="disk_full") from error
        raise NotReady(f"{path.parent}: cannot be written: {error}", code="folder_unwritable") from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        reading.close()


class _Check:
    """The checksums of a whole object that its server told, compared with the bytes that came.

    Known are our own SHA-256; S3's CRC-32, SHA-1 and SHA-256 of whole objects; and an ETag that is an MD5, as it is
    where the object was put by one request and is not encrypted under a key of its own. An object that went up in
    parts elsewhere has none of them: then its length and its ETag, the same at every request, must do.
    """

    def __init__(self, told: Mapping[str, Any]) -> None:
        self._size = _whole_size(told)
        self._came = 0
        self._crc32: int | None = None
        self._expected: dict[str, str] = {}
        if sha256 := told.get("Metadata", {}).get(SHA256_FIELD):
            self._expected["sha256"] = sha256
        if told.get("ChecksumType") == "FULL_OBJECT":
            for name, field in (("sha256", "ChecksumSHA256"), ("sha1", "ChecksumSHA1")):
                if field in told:
                    self._expected[name] = base64.b64decode(told[field]).hex()
            if "ChecksumCRC32" in told:
                self._crc32 = int.from_bytes(base64.b64decode(told["ChecksumCRC32"]), "big")
        etag = _etag(told["ETag"])
        has_own_key = told.get("ServerSideEncryption", "AES256") != "AES256" or told.get("SSECustomerAlgorithm")
        if len(etag) == 32 and not has_own_key:
            self._expected.setdefault("md5", etag)
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in self._expected}
        self._running = 0

    def add(self, piece: bytes) -> None:
        self._came += len(piece)
        for each in self._hashes.values():
            each.update(piece)
        if self._crc32 is not None:
            self._running = zlib.crc32(piece, self._running)

    def compare(self, name: str) -> None:
        """Raise TransientError where something else came than was sent."""
        wrong = [each for each, value in self._expected.items() if self._hashes[each].hexdigest() != value.lower()]
        if self._crc32 not in (None, self._running):
            wrong.append("crc32")
        if self._came != self._size:
            wrong.append(f"length ({self._came} of {self._size} bytes)")
        if wrong:
            raise TransientError(f"{name}: arrived damaged: {', '.join(wrong)}", code="store_unavailable")


def _md5_header(content: bytes) -> str:
    """`Content-MD5`: every server refuses by it what did not arrive whole."""
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def _is_key(text: str) -> bool:
    try:
        check_key(text)
    except OptionError:
        return False
    return True


# ---------------------------------------------------------------- errors


class _Failure(StrEnum):
    """What an error of boto3 is about, for us."""

    MISSING = "missing"  #: no such object
    NO_BUCKET = "no bucket"
    CHANGED = "changed"  #: the version that was asked for is not there; the condition does not hold
    ARCHIVED = "archived"  #: it would have to be restored first
    FORBIDDEN = "forbidden"  #: credentials, rights, region, clock: somebody must do something
    FULL = "full"
    AWAY = "away"  #: no answer, or a bad one; trying again may help


_MEANINGS: dict[str, _Failure] = {
    **dict.fromkeys(("NoSuchKey", "404", "NotFound"), _Failure.MISSING),
    "NoSuchBucket": _Failure.NO_BUCKET,
    **dict.fromkeys(("PreconditionFailed", "412", "ConditionalRequestConflict", "409"), _Failure.CHANGED),
    **dict.fromkeys(("NoSuchVersion", "MethodNotAllowed", "405"), _Failure.CHANGED),
    "InvalidObjectState": _Failure.ARCHIVED,
    **dict.fromkeys(("QuotaExceeded", "XMinioStorageFull", "507", "InsufficientStorage"), _Failure.FULL),
}

#: What to look at, by the code that the server or boto3 gives.
_HINTS: dict[str, str] = {
    "NoSuchBucket": "there is no such bucket",
    **dict.fromkeys(
        ("AccessDenied", "403", "Forbidden", "AllAccessDisabled", "AccountProblem"),
        "look at the credentials' rights (s3:GetObject, PutObject, DeleteObject, ListBucket, GetBucketVersioning,"
        " ListBucketVersions) and the bucket's policy",
    ),
    **dict.fromkeys(
        ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "InvalidClientTokenId"),
        "look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN",
    ),
    **dict.fromkeys(
        ("PermanentRedirect", "301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"),
        "look at STENOCAST_S3_REGION and STENOCAST_S3_ENDPOINT",
    ),
    "RequestTimeTooSkewed": "this machine's clock is wrong",
    "InvalidBucketName": "no bucket can have this name",
    "NoCredentialsError": "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a role",
    "PartialCredentialsError": "the credentials are not complete",
    "CredentialRetrievalError": "the credentials cannot be had",
    "NoRegionError": "set STENOCAST_S3_REGION",
    "ParamValidationError": "no bucket or object can have this name",
    "SSLError": "its certificate is not trusted here: AWS_CA_BUNDLE names the authority",
    "ProxyConnectionError": "look at HTTPS_PROXY and NO_PROXY",
}

#: Those of them that another bucket, with the same credentials, would not give.
_OF_THE_BUCKET = {
    *("AccessDenied", "403", "Forbidden", "AllAccessDisabled", "PermanentRedirect", "301"),
    *("InvalidBucketName", "ParamValidationError"),
}


def _code(error: Exception) -> str:
    """The server's code, or the name of boto3's own error. Never its text, which may hold parts of a request."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code") or "")
    return type(error).__name__


def _failure(error: Exception) -> _Failure:
    code = _code(error)
    if code in _MEANINGS:
        return _MEANINGS[code]
    return _Failure.FORBIDDEN if code in _HINTS else _Failure.AWAY


def _unavailable(where: str, error: Exception) -> StenocastError:
    """What to tell where it is not the object's fault."""
    code = _code(error)
    if _failure(error) is _Failure.FULL:
        return NotReady(f"{where}: no room left there ({code})", code="disk_full")
    if code in _HINTS:
        return NotReady(f"{where}: {_HINTS[code]} ({code})", code="store_unavailable")
    return TransientError(f"{where}: the store did not answer as it should ({code})", code="store_unavailable")
