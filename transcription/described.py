"""What may be said about an episode before anybody listens: what every door checks before anything is stored.

What is refused here would stand in the document, in events and on pages for good: a date that is none, a title of a
megabyte, a name with a line feed of the terminal in it.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

from schemas.episode import Episode, Participant
from schemas.errors import OptionError
from transcription.participants import MAX_CHARACTERS

LONGEST_TITLE = 1_000  #: characters of a title or a show; a recording's own tags are cut to as many
LONGEST_DESCRIPTION = 2_000  #: characters of what a person does; more is a page about them
LONGEST_ALIAS = 100
MOST_PARTICIPANTS = 100  #: chosen: who speaks in one recording; more is somebody's address book
MOST_ALIASES = 20

#: A BCP 47 tag as far as anybody writes one: a language, then script, region and variants.
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8}){0,5}")


def check_described(episode: Episode) -> None:
    """Raise OptionError naming the first field that says something impossible, and what it says."""
    check_text("title", episode.title, LONGEST_TITLE)
    check_text("show", episode.show, LONGEST_TITLE)
    if episode.published is not None and not is_date(episode.published):
        raise OptionError(f"published={_shown(episode.published)}: use a date such as 2026-03-14", field="published")
    check_language(episode.language)
    if len(episode.participants) > MOST_PARTICIPANTS:
        raise OptionError(
            f"participants: {len(episode.participants)} people; at most {MOST_PARTICIPANTS}", field="participants"
        )
    for participant in episode.participants:
        _check_participant(participant)


def check_language(tag: str | None) -> None:
    """Raise OptionError for what is no language tag; whether a model understands it is another question."""
    if tag is not None and not _LANGUAGE_TAG.fullmatch(tag):
        raise OptionError(f"language={_shown(tag)}: use a two- or three-letter tag such as en", field="language")


def check_text(name: str, text: str | None, most: int) -> None:
    """Raise OptionError for a text that is too long, or holds what neither a page nor a database can."""
    if text is None:
        return
    if len(text) > most:
        raise OptionError(f"{name}: {len(text)} characters, at most {most}", field=name)
    if any(unicodedata.category(each) in ("Cc", "Cs") and each not in "\t\r\n" for each in text):
        raise OptionError(f"{name}={_shown(text)}: holds control characters", field=name)


def is_date(text: str) -> bool:
    """Whether a text is a day of the calendar as ISO 8601 writes it, with or without a time."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _check_participant(participant: Participant) -> None:
    if not any(each.isalpha() for each in participant.name):
        raise OptionError(f"participants: {_shown(participant.name)} holds no name", field="participants")
    for text in (participant.name, participant.honorific):
        check_text("participants", text, MAX_CHARACTERS)
    check_text("participants", participant.description, LONGEST_DESCRIPTION)
    if len(participant.aliases) > MOST_ALIASES:
        raise OptionError(
            f"participants: {len(participant.aliases)} aliases of {_shown(participant.name)}; at most {MOST_ALIASES}",
            field="participants",
        )
    for alias in participant.aliases:
        check_text("participants", alias, LONGEST_ALIAS)


def _shown(text: str) -> str:
    """A value as an error names it: what cannot be shown is escaped, what is long is cut."""
    return ascii(text[:40]) if any(not each.isprintable() for each in text[:40]) else repr(text[:40])
