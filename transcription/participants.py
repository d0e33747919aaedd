"""The people of an episode as they are written by hand: "Dr Ana Ruiz, guest, head of the tide laboratory"."""

from __future__ import annotations

import re
import unicodedata

from schemas.episode import Participant, Role
from schemas.errors import OptionError
from transcription.sentences import listed

MAX_CHARACTERS = 300  #: of one participant; a longer text is a pasted page, not a person

#: Titles that stand before a name and are no part of it, in the form that is compared (lower case, no full stop).
HONORIFICS = listed(
    """
    mr mister mrs ms miss mx dr doctor prof professor sir dame lord lady baroness baron rev reverend revd fr father
    sister rabbi imam sheikh canon bishop archbishop pastor judge justice senator councillor cllr alderman
    ambassador minister president captain capt colonel col major general gen lieutenant lt sergeant sgt admiral
    inspector herr frau monsieur madame mme mlle señor señora señorita sr sra don doña dr-ing
    honourable chef
    """
)

#: Words for what a person does in the episode. Those beyond the roles' own names say more and stay as description.
_ROLE_WORDS = {
    "host": Role.HOST,
    "guest": Role.GUEST,
    "announcer": Role.ANNOUNCER,
    "co-host": Role.HOST,
    "cohost": Role.HOST,
    "chair": Role.HOST,
    "presenter": Role.HOST,
    "moderator": Role.HOST,
    "interviewer": Role.HOST,
    "panellist": Role.GUEST,
    "panelist": Role.GUEST,
    "interviewee": Role.GUEST,
    "speaker": Role.GUEST,
}


def parse_participant(text: str) -> Participant:
    """Read one participant: a name, perhaps with an honorific, then a role or a description after commas.

    "Tomas Feld, host" gives the role; "Dr Ana Ruiz, head of tides" gives honorific and description. As show notes
    have them, "Tomas Feld (host)", "Tomas Feld – host" and "Host: Tomas Feld" say the same. Raises OptionError (field
    `participant`) where there is no name, or where the text is over 300 characters or holds control characters.
    """
    if len(text) > MAX_CHARACTERS:
        raise OptionError(f"participant: {len(text)} characters, at most {MAX_CHARACTERS}", field="participant")
    if any(unicodedata.category(character) == "Cc" and character not in "\t\r\n" for character in text):
        raise OptionError(f"participant: {text!r} holds control characters", field="participant")
    first, *rest = (" ".join(part.split()) for part in _with_commas(unicodedata.normalize("NFC", text)).split(","))
    honorific, name = split_honorific(first)
    if not any(character.isalpha() for character in name):
        raise OptionError(f"participant: {text!r} holds no name", field="participant")
    role, description = _role_of([part for part in rest if part])
    return Participant(name=name, role=role, description=description, honorific=honorific)


def _with_commas(text: str) -> str:
    """The text with commas where show notes have a bracket, a dash or a semicolon behind a name, or a role before.

    What a description holds of these is left alone: "Tomas Feld, author of Low Water (2019)".
    """
    before, sign, after = _partition(r":|\s[-\u2013\u2014]\s", text)
    if sign and before.strip().casefold() in _ROLE_WORDS:
        text = f"{after},{before}"
    text = re.sub(r"^([^(,;]*[^(,;\s])\s*\(([^()]*)\)\s*(?=[,;]|$)", r"\1, \2", text)
    _, sign, _ = _partition(r"[,;]|\s[-\u2013\u2014]\s", text)
    return text.replace(sign, ",") if sign else text


def _partition(sign: str, text: str) -> tuple[str, str, str]:
    """As `str.partition`, at the first match of a pattern."""
    found = re.search(sign, text)
    return (text[: found.start()], found[0], text[found.end() :]) if found else (text, "", "")


def split_honorific(name: str) -> tuple[str | None, str]:
    """Take the honorifics off the front of a name: "Rev Dr Jane Pole" gives ("Rev Dr", "Jane Pole").

    A name that would be empty without them keeps them: "Major" alone is a surname.
    """
    words = name.split()
    count = 0
    while count < len(words) - 1 and is_honorific(words[count]):
        count += 1
    return " ".join(words[:count]) or None, " ".join(words[count:])


def is_honorific(word: str) -> bool:
    """True of "Dr", "Dr." and "PROFESSOR"; a lower-case "doctor" is a noun."""
    return word[:1].isupper() and word.rstrip(".").casefold() in HONORIFICS


def _role_of(parts: list[str]) -> tuple[Role | None, str | None]:
    """The role, where the first or the last part is a word for one, and what the others say."""
    for index in (0, len(parts) - 1):
        role = _ROLE_WORDS.get(parts[index].casefold()) if parts else None
        if role is None:
            continue
        is_plain = parts[index].casefold() == role.value
        others = parts[:index] + ([] if is_plain else [parts[index]]) + parts[index + 1 :]
        return role, ", ".join(others) or None
    return None, ", ".join(parts) or None
