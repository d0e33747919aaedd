"""A drop: an audio object that a producer put into the bucket, known before anybody has fetched it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from schemas.errors import OptionError

#: Under which the ids of dropped episodes are made: UUIDv5 of this and `s3://bucket/key`.
EPISODE_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "stenocast:episode")


@dataclass(frozen=True, slots=True)
class Drop:
    """One version of one object, pinned by `version_id`, else `etag`: new bytes under a key are another drop."""

    bucket: str
    key: str  #: as the object is called, never URL-encoded
    version_id: str | None = None  #: null where the bucket keeps no versions
    etag: str | None = None  #: without quotes
    size_bytes: int | None = None  #: null where nobody said

    @property
    def address(self) -> str:
        """`s3://bucket/key`, the key percent-encoded: the same for every version; names the episode."""
        return f"s3://{self.bucket}/{quote(self.key)}"

    @property
    def episode_id(self) -> str:
        """The same for every version, so that new bytes become a new revision of the same episode."""
        return str(uuid.uuid5(EPISODE_NAMESPACE, self.address))

    @property
    def uri(self) -> str:
        """The address with the pin; what the ledger keeps as a job's `audio_key`. `read_drop` reads it back."""
        pin = {"versionId": self.version_id, "etag": self.etag}
        query = urlencode({name: value for name, value in pin.items() if value})
        return f"{self.address}?{query}" if query else self.address


def is_drop(audio_key: str) -> bool:
    """Whether a job's audio lies in a producer's bucket, and not under a key of the store."""
    return audio_key.startswith("s3://")


def read_drop(uri: str) -> Drop:
    """The drop of `Drop.uri` or `Drop.address`. Raises OptionError `bad_key`."""
    parts = urlsplit(uri)
    key = unquote(parts.path.removeprefix("/"))
    if parts.scheme != "s3" or not parts.netloc or not key:
        raise OptionError(f"{uri[:80]!r} is no s3://bucket/key", code="bad_key")
    pin = parse_qs(parts.query)
    return Drop(
        bucket=parts.netloc,
        key=key,
        version_id=pin.get("versionId", [None])[0],
        etag=pin.get("etag", [None])[0],
    )
