"""What stands above and below the talk of a document made from sound: Jinja templates over cleaned text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from functools import cache
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from formats.house_style import DateForm, LabelForm
from formats.labels import cast_of, clean_name, label_of
from formats.typography import inert, one_line
from schemas.errors import PageError
from schemas.transcript import Transcript

_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def furniture_blocks(transcript: Transcript, templates: Sequence[str], *, dates: DateForm) -> Iterator[str]:
    """The blocks the templates give, without the empty ones. Raises PageError `style_invalid` on a wrong template."""
    if not templates:
        return
    context = context_of(transcript, dates=dates)
    for template in templates:
        try:
            block = _environment().from_string(template).render(context)
        except (TemplateError, ArithmeticError, TypeError, ValueError, AttributeError) as error:
            raise PageError(f"furniture template {template!r:.80}: {error}", code="style_invalid") from error
        lines = [inert(line).rstrip() for line in block.split("\n")]
        block = "\n".join(line for line in lines if line)
        if block:
            yield block


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False)


def context_of(transcript: Transcript, *, dates: DateForm) -> dict[str, Any]:
    """What a template sees: text on one line each, so that no title and no name can begin a line of its own."""
    cast = cast_of(transcript)
    speaking = list(dict.fromkeys(turn.speaker for turn in transcript.turns if turn.speaker in cast.speakers))
    people = []
    for identity in speaking:
        speaker = cast.speakers[identity or ""]
        if not clean_name(speaker.name):
            continue
        people.append(
            {
                "name": label_of(identity, LabelForm.FULL, cast),
                "titled": label_of(identity, LabelForm.TITLED, cast),
                "initials": label_of(identity, LabelForm.INITIALS, cast),
                "description": one_line(speaker.description or ""),
                "role": speaker.role.value if speaker.role else "",
            }
        )
    episode = transcript.episode
    return {
        "title": one_line(episode.title or ""),
        "show": one_line(episode.show or ""),
        "date": print_date(episode.published, dates),
        "people": people,
    }


def print_date(published: str | None, form: DateForm) -> str:
    """An ISO date in a printed form; what is no ISO date is printed as it stands, on one line."""
    if not published:
        return ""
    try:
        day = date.fromisoformat(published[:10])
    except ValueError:
        return one_line(published)
    month = _MONTHS[day.month - 1]
    if form == "day-first":
        return f"{day.day} {month} {day.year}"
    if form == "month-first":
        return f"{month} {day.day}, {day.year}"
    return day.isoformat()
