"""The way to Apache Kafka: addresses, TLS and logins, and what kafka-python's errors mean to us.

Every client is made here. It tries a broker again within two seconds (the library's own habit is thirty), and after
an error it is closed and made anew rather than mended.
"""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from kafka import errors as kafka_errors

from schemas.errors import LeaseLost, NotReady, StenocastError, TransientError
from schemas.topics import Topic

T = TypeVar("T")

BOOTSTRAP_SECONDS = 8.0  #: for the first answer of a broker
ANSWER_SECONDS = 10.0  #: for any later one
CLOSE_SECONDS = 2.0
KNOCK_SECONDS = 1.0  #: for a broker that is away to take a connection, while others wait for the answer

_REFUSALS = (
    kafka_errors.AuthorizationError,
    kafka_errors.SaslAuthenticationFailedError,
    kafka_errors.UnsupportedSaslMechanismError,
    kafka_errors.IllegalSaslStateError,
)
#: A record or a batch that the producer or the broker takes for too long.
TOO_LARGE = (kafka_errors.MessageSizeTooLargeError, kafka_errors.RecordListTooLargeError)
_FENCINGS = (kafka_errors.ProducerFencedError, kafka_errors.InvalidProducerEpochError)


@dataclass(frozen=True, slots=True)
class KafkaAccess:
    """How to reach the brokers and what to show them."""

    bootstrap: str  #: host:port, several separated by commas
    security: str = "plaintext"  #: plaintext, ssl, sasl_plaintext or sasl_ssl
    mechanism: str = "SCRAM-SHA-512"  #: or SCRAM-SHA-256, PLAIN; for sasl_…
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None  #: who signed the brokers' certificates; None = the system's authorities
    cert_file: Path | None = None  #: our own certificate, where brokers ask for one
    key_file: Path | None = None
    prefix: str = ""  #: before the name of every topic

    @property
    def servers(self) -> list[str]:
        return [each.strip() for each in self.bootstrap.split(",") if each.strip()]

    @property
    def is_tls(self) -> bool:
        return self.security in ("ssl", "sasl_ssl")

    @property
    def is_sasl(self) -> bool:
        return self.security in ("sasl_plaintext", "sasl_ssl")

    def name(self, topic: Topic) -> str:
        """What the topic is called at the broker."""
        return f"{self.prefix}{topic}"

    def options(self) -> dict[str, Any]:
        """What every client is made with. Raises NotReady `kafka_refused` for certificates that cannot be used."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.servers,
            "bootstrap_timeout_ms": int(BOOTSTRAP_SECONDS * 1000),
            "security_protocol": self.security.upper(),
            "reconnect_backoff_ms": 50,
            "reconnect_backoff_max_ms": 1500,
        }
        if self.is_tls:
            options["ssl_context"] = self.tls()
        if self.is_sasl:
            options |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        return options

    def tls(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=None if self.ca_file is None else str(self.ca_file))
            if self.cert_file is not None:
                context.load_cert_chain(self.cert_file, self.key_file)
        except OSError as error:
            files = ", ".join(str(each) for each in (self.ca_file, self.cert_file, self.key_file) if each)
            raise NotReady(f"{files}: no certificate can be read there: {error}", code="kafka_refused") from error
        return context


# ---------------------------------------------------------------- what went wrong


@contextmanager
def translated(access: KafkaAccess, *, doing: str) -> Iterator[None]:
    """Turn what kafka-python raises into errors of ours; `doing` completes "Kafka at … did not".

    Ours pass through. Anything unforeseen of the library is a TransientError: the client is made anew.
    """
    try:
        yield
    except StenocastError:
        raise
    except _FENCINGS as error:
        raise LeaseLost("another publisher sends now", code="publishing_lost") from error
    except _REFUSALS as error:
        raise NotReady(
            f"Kafka at {access.bootstrap} refused: {error}; look at the user's rights (user {access.username!r})",
            code="kafka_refused",
        ) from error
    except kafka_errors.UnknownTopicOrPartitionError as error:
        raise NotReady(
            f"Kafka at {access.bootstrap}: {error}; run `stenocast topics create`", code="topic_missing"
        ) from error
    except TOO_LARGE as error:
        raise NotReady(
            f"Kafka at {access.bootstrap} takes no record this long: {error}; look at max.message.bytes of the topic",
            code="kafka_refused",
        ) from error
    except (kafka_errors.KafkaError, OSError, ValueError, AssertionError) as error:
        if any(isinstance(each, _FENCINGS) for each in error.args):
            # What the sender's own thread was told between two records; the next one fails for that reason.
            raise LeaseLost("another publisher sends now", code="publishing_lost") from error
        raise TransientError(
            f"Kafka at {access.bootstrap} did not {doing}: {str(error) or type(error).__name__}",
            code="kafka_unavailable",
        ) from error


def opened(access: KafkaAccess, make: Callable[..., T], **options: Any) -> T:
    """A client that has spoken with a broker. Raises TransientError `kafka_unavailable`, NotReady `kafka_refused`."""
    # The library repeats each failed try in its own log; the error that reaches ours says it once, and why.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    given = access.options() | options
    try:
        return make(**given)
    except (kafka_errors.KafkaTimeoutError, kafka_errors.KafkaConnectionError) as error:
        raise _why_nobody_answered(access) from error
    except kafka_errors.KafkaConfigurationError as error:
        raise NotReady(f"Kafka at {access.bootstrap}: {error}", code="kafka_refused") from error
    except (kafka_errors.KafkaError, OSError, ValueError, AssertionError) as error:
        raise TransientError(f"Kafka at {access.bootstrap}: {error}", code="kafka_unavailable") from error


def _why_nobody_answered(access: KafkaAccess) -> StenocastError:
    """Which of address, TLS, user or password to look at. kafka-python says "unable to bootstrap" for all of them.

    Knocks at each address once more, by itself.
    """
    unreachable: list[str] = []
    for server in access.servers:
        try:
            with _connection(server, seconds=3.0) as connection:
                if access.is_tls:
                    access.tls().wrap_socket(connection, server_hostname=_host(server)).close()
        except ssl.SSLError as error:
            return NotReady(
                f"Kafka at {server} answers, but not with TLS that can be trusted ({error.reason or error});"
                f" look at STENOCAST_KAFKA_SECURITY={access.security} and STENOCAST_KAFKA_CA_FILE",
                code="kafka_refused",
            )
        except (OSError, ValueError) as error:
            unreachable.append(f"{server}: {error}")
            continue
        return _unwelcome(access, server)
    return _unreachable(unreachable)


def why_away(access: KafkaAccess) -> TransientError:
    """Why brokers that were there are not. A repeat knocks at each address again."""
    unreachable: list[str] = []
    for server in access.servers:
        try:
            _connection(server, seconds=KNOCK_SECONDS).close()
        except (OSError, ValueError) as error:
            unreachable.append(f"{server}: {error}")
            continue
        return TransientError(
            f"Kafka at {server} takes connections and does not answer; look at its log", code="kafka_unavailable"
        )
    return _unreachable(unreachable)


def _unreachable(servers: Sequence[str]) -> TransientError:
    return TransientError(
        f"Kafka cannot be reached ({'; '.join(servers)}); look at STENOCAST_KAFKA_BOOTSTRAP, and whether it runs",
        code="kafka_unavailable",
    )


def _connection(server: str, *, seconds: float) -> socket.socket:
    """Raises OSError, and ValueError for an address without a port."""
    return socket.create_connection((_host(server), int(server.rpartition(":")[2])), timeout=seconds)


def _host(server: str) -> str:
    return server.rpartition(":")[0].strip("[]")


def _unwelcome(access: KafkaAccess, server: str) -> StenocastError:
    if access.is_sasl:
        return NotReady(
            f"Kafka at {server} answers but does not let user {access.username!r} in by {access.mechanism}; look at"
            " STENOCAST_KAFKA_USERNAME, STENOCAST_KAFKA_PASSWORD and STENOCAST_KAFKA_SASL_MECHANISM",
            code="kafka_refused",
        )
    return NotReady(
        f"Kafka at {server} takes connections but does not answer to {access.security}; it may still be starting, or"
        " want TLS or a login: look at STENOCAST_KAFKA_SECURITY",
        code="kafka_refused",
    )


def missing_topic(access: KafkaAccess, topic: Topic) -> NotReady:
    return NotReady(
        f"Kafka at {access.bootstrap} has no topic {access.name(topic)!r}, or hides it from user {access.username!r};"
        " `stenocast topics create` makes it",
        code="topic_missing",
    )
