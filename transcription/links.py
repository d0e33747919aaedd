"""What a link of a recording tells before anybody has followed it: whose job it is and what to call it. Pure.

A link is a web address that a person gave. It stands where a job's audio lies (`audio_key`) until a worker has
downloaded the recording; from then on the job's audio is the copy in the store, and nobody needs the link again.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from schemas.episode import AudioInfo, Episode

SCHEMES = ("https://", "http://")

#: Characters of a name that is shown.
LONGEST_NAME = 255


def is_link(text: str) -> bool:
    """Whether a job's audio, or what somebody names as a recording, is an address of the web."""
    return text[:8].lower().startswith(SCHEMES)


def is_address(text: str) -> bool:
    """Whether somebody who may name a file or a link means no file: `ftp://…` is no link, and is to be told so."""
    return "://" in text[:20]


def shown_name(name: str | None) -> str:
    """The sender's file name for display: printable, without folders, at most 255 characters."""
    last = (name or "").replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(each for each in last if each.isprintable())[:LONGEST_NAME] or "audio"


def link_name(url: str) -> str:
    """What the recording behind a link is called, as far as the link tells: for display only."""
    return shown_name(unquote(urlsplit(url).path, errors="replace").rstrip("/"))


def link_place(url: str) -> str:
    """The link without its query, in which signatures and tokens are: what the episode shows of it."""
    return url.partition("?")[0]


def link_id(url: str) -> str:
    """Stands for the sound of a link where equal requests are known by their sound."""
    return "link:" + hashlib.sha256(url.encode()).hexdigest()


def file_stem(name: str) -> str:
    """A shown name as the beginning of names of files that we write."""
    stem = PurePosixPath(name).stem
    plain = "".join(each if each.isalnum() or each in "-_. " else "_" for each in stem).strip(". ")
    return plain[:100] or "episode"


def with_recording(episode: Episode, recording: AudioInfo) -> Episode:
    """The episode of a link once its recording lies in the store, under the key `recording.uri`."""
    return replace(episode, audio=replace(recording, file_name=recording.file_name or episode.audio.file_name))
