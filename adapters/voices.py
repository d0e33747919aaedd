"""Known voices in the ledger's database. Forgetting and withdrawing delete the rows; nothing is only marked.

What an episode taught goes with the episode, in the transaction that deletes it (adapters/database.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from adapters.database import Ledger
from adapters.ledger_statements import database_now, is_deleted_episode
from adapters.ledger_tables import voice_consents, voices
from schemas.errors import NotFound
from transcription.jobs import instant
from transcription.ports import KnownVoice, VoiceConsent, show_key


class LedgerVoices:
    """`KnownVoices` in the tables `voice_consents` and `voices`.

    The ledger is opened at the first use, so that a process that never asks never connects.
    """

    def __init__(self, open_ledger: Callable[[], Ledger]) -> None:
        self._open_ledger = open_ledger
        self._opened: Ledger | None = None

    @property
    def _ledger(self) -> Ledger:
        if self._opened is None:
            self._opened = self._open_ledger()
        return self._opened

    def consent(self, show: str, *, given_by: str) -> VoiceConsent:
        name = " ".join(show.split())

        def consent(connection: Connection) -> VoiceConsent:
            now = database_now(connection, self._ledger.clock_offset)
            values = {"show": name, "given_by": given_by, "given_at": now}
            if _lock_consent(connection, show) is None:
                connection.execute(voice_consents.insert().values(show_key=show_key(show), **values))
            else:
                connection.execute(
                    voice_consents.update().where(voice_consents.c.show_key == show_key(show)).values(**values)
                )
            return VoiceConsent(name, given_by, instant(now))

        return self._ledger.write(consent)

    def withdraw(self, show: str) -> int:
        def withdraw(connection: Connection) -> int:
            _lock_consent(connection, show)
            count = connection.execute(voices.delete().where(voices.c.show_key == show_key(show))).rowcount
            connection.execute(voice_consents.delete().where(voice_consents.c.show_key == show_key(show)))
            return int(count)

        return self._ledger.write(withdraw)

    def consents(self) -> Sequence[VoiceConsent]:
        rows = self._ledger.read(
            lambda connection: connection.execute(sa.select(voice_consents).order_by(voice_consents.c.show_key)).all()
        )
        return [VoiceConsent(row.show, row.given_by, instant(row.given_at)) for row in rows]

    def learn(self, voice: KnownVoice) -> bool:
        def learn(connection: Connection) -> bool:
            if _lock_consent(connection, voice.show) is None or is_deleted_episode(connection, voice.episode_id):
                return False
            _replace(connection, voice)
            return True

        return self._ledger.write(learn)

    def forget_taught(self, show: str, model: str, episode_id: str, *, but: Collection[str]) -> int:
        taught = voices.delete().where(voices.c.episode_id == episode_id, voices.c.model == model)
        others = sa.or_(voices.c.show_key != show_key(show), voices.c.name.not_in(sorted(but)))
        return self._ledger.write(lambda connection: int(connection.execute(taught.where(others)).rowcount))

    def of_show(self, show: str, model: str) -> Sequence[KnownVoice] | None:
        def of_show(connection: Connection) -> Sequence[KnownVoice] | None:
            agreed = sa.select(voice_consents.c.show).where(voice_consents.c.show_key == show_key(show))
            if connection.execute(agreed).first() is None:
                return None
            return [voice for voice in _voices(connection, show) if voice.model == model]

        return self._ledger.read(of_show)

    def all(self, show: str | None = None) -> Sequence[KnownVoice]:
        return self._ledger.read(lambda connection: _voices(connection, show))

    def rename(self, show: str, name: str, *, to: str) -> int:
        def rename(connection: Connection) -> int:
            _lock_consent(connection, show)
            found = [voice for voice in _voices(connection, show) if voice.name == name]
            _delete(connection, show, name)
            for voice in found:
                _replace(
                    connection, KnownVoice(show, to, voice.model, voice.episode_id, voice.embedding, voice.seconds)
                )
            return len(found)

        return self._ledger.write(rename)

    def forget(self, show: str, name: str) -> int:
        return self._ledger.write(lambda connection: _delete(connection, show, name))


def _lock_consent(connection: Connection, show: str) -> str | None:
    """The show's name as it agreed, held until the transaction ends; None where it did not agree."""
    statement = sa.select(voice_consents.c.show).where(voice_consents.c.show_key == show_key(show)).with_for_update()
    return connection.execute(statement).scalar_one_or_none()


def _voices(connection: Connection, show: str | None) -> Sequence[KnownVoice]:
    statement = (
        sa.select(voices, voice_consents.c.show)
        .join(voice_consents, voices.c.show_key == voice_consents.c.show_key)
        .order_by(voices.c.show_key, voices.c.name, voices.c.model, voices.c.episode_id)
    )
    if show is not None:
        statement = statement.where(voices.c.show_key == show_key(show))
    return [
        KnownVoice(row.show, row.name, row.model, row.episode_id, tuple(json.loads(row.embedding)), row.seconds)
        for row in connection.execute(statement)
    ]


def _replace(connection: Connection, voice: KnownVoice) -> None:
    key = {
        "show_key": show_key(voice.show),
        "name": voice.name,
        "model": voice.model,
        "episode_id": voice.episode_id,
    }
    connection.execute(voices.delete().where(_is(key)))
    connection.execute(
        voices.insert().values(**key, embedding=json.dumps(list(voice.embedding)), seconds=voice.seconds)
    )


def _is(key: dict[str, str]) -> sa.ColumnElement[bool]:
    return sa.and_(*(voices.c[column] == value for column, value in key.items()))


def _delete(connection: Connection, show: str, name: str) -> int:
    """Raises NotFound `voice_unknown`."""
    found = connection.execute(voices.delete().where(_is({"show_key": show_key(show), "name": name}))).rowcount
    if not found:
        raise NotFound(f"{show}: no voice of {name!r} is kept", code="voice_unknown", field="name")
    return int(found)
