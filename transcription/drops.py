"""What lies in a bucket, by its name: which objects are recordings, which describe them, which are our own. Pure.

A name is never a path here and never decides what a file is: a text called `.mp3` is a drop like any other, and
its job ends as `unsupported_container` once its content has been seen.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from schemas.drop import Drop
from schemas.errors import OptionError
from schemas.job import JobOptions
from schemas.wire import write_json

#: Endings of what people may mean to be transcribed, with the container that usually is behind them. What Stenocast
#: cannot read is in it too: a failed job tells the producer more than silence would.
AUDIO_ENDINGS: dict[str, str] = {
    **dict.fromkeys(("mp3", "mp2", "mpga", "mpeg3"), "mp3"),
    **dict.fromkeys(("m4a", "m4b", "mp4", "m4v", "mov", "3gp", "3gpp", "3g2"), "mp4"),
    **dict.fromkeys(("ogg", "oga", "opus", "spx", "ogv"), "ogg"),
    "flac": "flac",
    **dict.fromkeys(("wav", "wave", "bwf", "rf64"), "wav"),
    **dict.fromkeys(("aac", "adts"), "aac"),
    **dict.fromkeys(("mka", "mkv", "webm", "weba"), "matroska"),
    **dict.fromkeys(("aif", "aiff", "aifc"), "aiff"),
    **dict.fromkeys(("wma", "wmv", "amr", "awb", "au", "caf", "ac3", "avi", "mpg", "mpeg", "m4p", "w64"), "other"),
}

#: Folders of the store; under its prefix nothing of theirs is a drop.
OWN_FOLDERS = ("uploads/", "results/", "checkpoints/", "dead-letters/")


UPLOADS = "uploads/"  #: recordings that came in by API, command line or watched folder, by their SHA-256


def is_upload(audio_key: str) -> bool:
    """Whether a job's recording is a copy of our own, and not a drop in its producer's bucket."""
    return audio_key.startswith(UPLOADS)


class ObjectKind(StrEnum):
    """What an object is, as far as its name tells."""

    AUDIO = "audio"
    SIDECAR = "sidecar"  #: describes the recording of the same name
    OTHER = "other"  #: none of our business


def kind_of(key: str) -> ObjectKind:
    """What an object of this name is taken for. Folders (`…/`) and hidden files (`.…`) are none of our business."""
    name = key.rpartition("/")[2]
    ending = _ending(name)
    if name.startswith(".") or ending is None:
        return ObjectKind.OTHER
    if ending == "json":
        return ObjectKind.SIDECAR
    return ObjectKind.AUDIO if ending in AUDIO_ENDINGS else ObjectKind.OTHER


def usual_container(key: str) -> str | None:
    """The container that a name promises; for guesses only."""
    return AUDIO_ENDINGS.get(_ending(key.rpartition("/")[2]) or "")


def sidecar_key(key: str) -> str:
    """Where the description of a recording lies: its name with `.json` for its ending."""
    folder, slash, name = key.rpartition("/")
    stem, dot, _ = name.rpartition(".")
    return f"{folder}{slash}{stem if dot and stem else name}.json"


def stem_of(key: str) -> str:
    """What the keys of a sidecar and of its recordings begin with: the name up to the dot of its ending."""
    return sidecar_key(key).removesuffix("json")


def _ending(name: str) -> str | None:
    stem, dot, ending = name.rpartition(".")
    return ending.lower() if dot and stem and ending else None


@dataclass(frozen=True, slots=True)
class DropPlace:
    """Where producers drop: a bucket, a beginning of names in it, and beginnings that are ours and none of theirs."""

    bucket: str
    prefix: str = ""
    kept_out: tuple[str, ...] = ()

    def holds(self, bucket: str, key: str) -> bool:
        return bucket == self.bucket and key.startswith(self.prefix) and not key.startswith(self.kept_out or ("\0",))


def drop_place(drop_url: str, store_url: str) -> DropPlace | None:
    """The place that the settings name, `s3://bucket[/prefix]` both; None where there is no bucket.

    Without a drop URL it is the whole bucket of the store. Raises OptionError `bad_setting`.
    """
    store = _bucket_of(store_url)
    if not drop_url:
        return None if store is None else DropPlace(store[0], "", _own_prefixes(store[1]))
    place = _bucket_of(drop_url)
    if place is None:
        raise OptionError(
            f"STENOCAST_DROP_URL={drop_url!r}: use s3://bucket or s3://bucket/prefix",
            code="bad_setting",
            field="drop_url",
        )
    bucket, prefix = place
    is_shared = store is not None and store[0] == bucket
    return DropPlace(bucket, prefix, _own_prefixes(store[1]) if store is not None and is_shared else ())


def _bucket_of(url: str) -> tuple[str, str] | None:
    """Bucket and prefix of `s3://bucket[/prefix]`; a prefix that is not empty ends with a slash."""
    parts = urlsplit(url)
    prefix = parts.path.strip("/")
    return (parts.netloc, f"{prefix}/" if prefix else "") if parts.scheme == "s3" and parts.netloc else None


def _own_prefixes(store_prefix: str) -> tuple[str, ...]:
    """A store with a prefix has all of it; one without has its folders only."""
    return (store_prefix,) if store_prefix else OWN_FOLDERS


def drop_dedupe_key(drop: Drop, options: JobOptions | None = None) -> str:
    """Equal for drops that are the same job: bucket, name, and version, else content by its ETag.

    `options` are given where a producer's event asked for some, so that another event can have the same recording
    done in another way. What is known about the episode is no part of it: it may come later.
    """
    pin = f"v:{drop.version_id}" if drop.version_id else f"e:{drop.etag or ''}"
    known = [drop.bucket.encode(), drop.key.encode(), pin.encode()]
    if options is not None:
        known.append(write_json(options))
    return "drop:" + hashlib.sha256(b"\0".join(known)).hexdigest()
