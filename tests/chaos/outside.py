"""The servers of other people: a receiver of webhooks that fails now and then, and the place where links lead to.

Both stay up through a campaign; what they do badly is drawn by chance and ends with `calm`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import threading
from collections import defaultdict
from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass, field

from tests.sites import Visit, site

#: Longer than the service waits for an answer: half of its lease (`tests/chaos/fleet.py`).
HANGING_SECONDS = 1.5

#: Of ten requests. The schedule's second wait is 5 minutes: what fails twice is left until the campaign ends.
REFUSED, UNANSWERED, HUNG = 1, 1, 1

#: Downloads of one link that may go wrong, so that its job's five attempts do not.
BAD_DOWNLOADS = 2


class _Served:
    """A site that is there until `end`."""

    def __init__(self, script: Callable[[Visit], None]) -> None:
        self._stack = ExitStack()
        self._site = self._stack.enter_context(site(script))

    def end(self) -> None:
        self._stack.close()


@dataclass
class Arrived:
    """What came of one event at the receiver."""

    bodies: set[bytes] = field(default_factory=set)
    subject: str = ""
    type: str = ""
    requests: int = 0
    accepted: int = 0  #: of them answered with 2xx


class Receiver(_Served):
    """Takes events, and checks each signature as docs/webhooks.md tells receivers to."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._arrived: dict[str, Arrived] = defaultdict(Arrived)
        self._is_calm = False
        self.secret = ""
        self.wrong: list[str] = []  #: what no honest sender sends
        super().__init__(self._answer)

    @property
    def url(self) -> str:
        return self._site.url("/events")

    def calm(self) -> None:
        """Take everything from now on."""
        self._is_calm = True

    @property
    def requests(self) -> int:
        with self._lock:
            return sum(each.requests for each in self._arrived.values())

    @property
    def copies(self) -> int:
        """Requests beyond the first for each event."""
        with self._lock:
            return sum(each.requests - 1 for each in self._arrived.values())

    def ids(self) -> frozenset[str]:
        """Of the events that were taken."""
        with self._lock:
            return frozenset(event_id for event_id, each in self._arrived.items() if each.accepted)

    def types(self, subject: str) -> frozenset[str]:
        """Of the events about an episode that were taken."""
        with self._lock:
            return frozenset(
                each.type for each in self._arrived.values() if each.accepted and each.subject == subject
            )

    def unlike(self, *, but_of: Collection[str]) -> list[str]:
        """Ids whose copies differ; of deleted episodes (`but_of`) events that wait lose their words."""
        with self._lock:
            found = self._arrived.items()
            return [each for each, seen in found if len(seen.bodies) > 1 and seen.subject not in but_of]

    def of(self, subjects: Collection[str]) -> frozenset[str]:
        """Ids of everything that came about these episodes, taken or not."""
        with self._lock:
            return frozenset(event_id for event_id, each in self._arrived.items() if each.subject in subjects)

    def _answer(self, visit: Visit) -> None:
        with self._lock:
            chance = 10.0 if self._is_calm else self._random.uniform(0.0, 10.0)
            self._note(visit, is_taken=chance >= REFUSED + UNANSWERED + HUNG)
        if chance < REFUSED:
            visit.answer(503)
        elif chance < REFUSED + UNANSWERED:
            return  # the connection ends without a word
        elif chance < REFUSED + UNANSWERED + HUNG:
            visit.gone.wait(HANGING_SECONDS)
        else:
            visit.answer(204)

    def _note(self, visit: Visit, *, is_taken: bool) -> None:
        event_id = visit.headers.get("webhook-id", "")
        event = json.loads(visit.body)
        if event["id"] != event_id:
            self.wrong.append(f"webhook-id {event_id} with event {event['id']}")
        if not is_genuine(self.secret, visit):
            self.wrong.append(f"{event_id} is not signed by the secret")
        arrived = self._arrived[event_id]
        arrived.bodies.add(visit.body)
        arrived.subject, arrived.type = event["subject"], event["type"]
        arrived.requests += 1
        arrived.accepted += is_taken


def is_genuine(secret: str, visit: Visit) -> bool:
    """By the signature alone: the senders' clocks are stepped by a day in some runs."""
    signed = f"{visit.headers['webhook-id']}.{visit.headers['webhook-timestamp']}.".encode() + visit.body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return expected in visit.headers["webhook-signature"].split()


class Recordings(_Served):
    """Recordings by name, each download with another advert at its end, so that no two are the same bytes: not of two
    recordings either, of which one would keep what is garbage of the other."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._content: dict[str, bytes] = {}
        self._served: dict[str, list[str]] = defaultdict(list)
        super().__init__(self._answer)

    def lay_out(self, name: str, content: bytes) -> str:
        """Have a recording there; its link."""
        self._content[name] = content
        return self._site.url(f"/{name}.wav")

    def hashes(self, name: str) -> list[str]:
        """Of every download of a recording, whole or not: SHA-256."""
        with self._lock:
            return list(self._served[name])

    def _answer(self, visit: Visit) -> None:
        name = visit.path.strip("/").removesuffix(".wav")
        with self._lock:
            served = self._served[name]
            content = self._content[name] + f"{name}, advert {len(served)}".encode()
            served.append(hashlib.sha256(content).hexdigest())
            chance = self._random.random() if len(served) <= BAD_DOWNLOADS else 1.0
        if chance < 0.15:
            visit.answer(503)
        elif chance < 0.3:
            visit.answer(200, content[: len(content) // 2], Content_Length=str(len(content)))
        else:
            visit.answer(200, content)
