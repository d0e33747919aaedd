"""Names given by hand to the speakers of a finished episode while the service is hurt, by several people at once."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from schemas.transcript import Transcript
from schemas.wire import read_json
from tests.chaos.fleet import until

#: Speakers that the scripted engines find in every sound of a campaign.
SPEAKERS = ("S1", "S2")


@dataclass
class Naming:
    """One person, who names one speaker, and asks again until it is answered for."""

    api: str
    episode_id: str
    speaker: str
    name: str
    pause: float  #: seconds, before it begins
    outdated_name: str  #: that is given with the tag of a transcript that is no longer current
    _thread: threading.Thread | None = None
    _trouble: list[Exception] = field(default_factory=list)

    def begin(self) -> None:
        self._thread = threading.Thread(target=self._name, name="naming")
        self._thread.start()

    def end(self) -> None:
        """Wait until it is done. Raises what went wrong."""
        self.wait()
        if self._trouble:
            raise self._trouble[0]

    def wait(self) -> None:
        if self._thread is not None:
            self._thread.join()

    def _name(self) -> None:
        try:
            time.sleep(self.pause)
            tag = until(self._named, f"{self.speaker} of {self.episode_id} is named {self.name}")
            until(lambda: self._is_refused(tag), "a name for a transcript that is no longer current is refused")
        except Exception as error:
            self._trouble.append(error)

    def _named(self) -> str | None:
        """Read what is current and name the speaker in it; the tag of what was read, once that is answered for."""
        try:
            read = httpx.get(f"{self.api}/v1/transcripts/{self.episode_id}", timeout=20)
            if read.status_code != 200:
                assert read.status_code in (500, 503), read.text
                return None
            document, tag = read_json(Transcript, read.content), read.headers["ETag"]
            if any(each.id == self.speaker and each.name == self.name for each in document.speakers):
                tag = '"never-was"'  # the answer was lost: it is not known from which this came
            answer = self._patch(self.name, document.revision, read.headers["ETag"])
        except httpx.HTTPError:
            return None
        assert answer.status_code in (200, 409, 412, 500, 503), answer.text
        return tag if answer.status_code == 200 else None

    def _is_refused(self, tag: str) -> bool:
        """Whether the tag of an earlier transcript keeps a name out, although the revision is the current one."""
        try:
            read = httpx.get(f"{self.api}/v1/transcripts/{self.episode_id}", timeout=20)
            if read.status_code != 200:
                return False
            answer = self._patch(self.outdated_name, read_json(Transcript, read.content).revision, tag)
        except httpx.HTTPError:
            return False
        assert answer.status_code in (412, 500, 503), answer.text
        return answer.status_code == 412

    def _patch(self, name: str, revision: int | None, tag: str) -> httpx.Response:
        return httpx.patch(
            f"{self.api}/v1/transcripts/{self.episode_id}/speakers",
            json={"revision": revision, "speakers": {self.speaker: name}},
            headers={"If-Match": tag},
            timeout=20,
        )


def people(api: str, episode_id: str, rng: random.Random) -> list[Naming]:
    """Somebody for each speaker, all of them at about the same time."""
    return [
        Naming(api, episode_id, speaker, _new_name(rng), rng.uniform(0.0, 1.0), _new_name(rng))
        for speaker in SPEAKERS
    ]


def _new_name(rng: random.Random) -> str:
    """One that nobody has had: letters alone, as names have."""
    first, last = ("".join(rng.choices("abdefgiklmnoprstuvz", k=length)).capitalize() for length in (6, 10))
    return f"{first} {last}"


def names_of(document: Transcript) -> dict[str, Any]:
    return {speaker.id: speaker.name for speaker in document.speakers}
