"""`stenocast voices`: the people whom a show's later episodes know by their voices."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from transcription.ports import KnownVoice, KnownVoices

app = typer.Typer(
    help="Known voices: kept only for shows that agreed, and forgotten for good when asked.", no_args_is_help=True
)

Show = Annotated[str, typer.Argument(help="The show, as its episodes name it.")]
Name = Annotated[str, typer.Argument(help="The person, as `stenocast voices list` prints the name.")]


@dataclass(frozen=True, slots=True)
class Person:
    """What is kept of one person, summed up."""

    show: str
    name: str
    episodes: int
    seconds: float


@app.command(name="list")
def list_voices(
    show: Annotated[str, typer.Argument(help="Only this show.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> None:
    """Show which shows agreed, and whose voices are kept from how many episodes."""
    from transcription.ports import show_key

    voices = _voices()
    people = list(_people(voices.all(show or None)))
    consents = [each for each in voices.consents() if not show or show_key(each.show) == show_key(show)]
    if as_json:
        record = {"consents": [asdict(each) for each in consents], "people": [asdict(each) for each in people]}
        print(json.dumps(record, ensure_ascii=False))
        return
    for consent in consents:
        print(f"{_shown(consent.show)}: agreed by {_shown(consent.given_by)}, {consent.given_at}", file=sys.stderr)
    if not consents:
        print("no show agreed to have voices kept: stenocast voices consent SHOW --by WHO", file=sys.stderr)
    for person in people:
        print(f"{_shown(person.show)}\t{_shown(person.name)}\t{person.episodes} episodes\t{person.seconds:.0f} s")


@app.command()
def consent(
    show: Show,
    by: Annotated[str, typer.Option(help='Who agreed, for the record: "Jo Pym, producer".')] = "",
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Take it back and delete every voice of the show.")
    ] = False,
) -> None:
    """Note that a show agreed to have its people's voices kept; or, with --withdraw, that it no longer does."""
    from adapters.settings import read_settings

    if withdraw == bool(by):
        raise OptionError("consent needs either --by WHO or --withdraw", field="by")
    if not show.strip():
        raise OptionError("a show needs a name", field="show")
    if withdraw:
        count = _voices().withdraw(show)
        print(f"{_shown(show)}: {count} embeddings deleted, and no new ones kept", file=sys.stderr)
        return
    given = _voices().consent(show, given_by=by)
    print(f"{_shown(given.show)}: agreed by {_shown(given.given_by)}", file=sys.stderr)
    if not read_settings().known_voices:
        print("known voices are off: set STENOCAST_KNOWN_VOICES=true for the workers", file=sys.stderr)


@app.command()
def rename(show: Show, name: Name, to: Annotated[str, typer.Argument(help="The name from now on.")]) -> None:
    """Give a person another name in what is kept. Transcripts that were made stay as they are."""
    new = " ".join(to.split())
    if not new:
        raise OptionError("the new name is empty", field="to")
    count = _voices().rename(show, name, to=new)
    print(f"{_shown(show)}: {_shown(name)} is {_shown(new)} from now on ({count} embeddings)", file=sys.stderr)


@app.command()
def forget(show: Show, name: Name) -> None:
    """Delete everything that is kept of a person's voice."""
    count = _voices().forget(show, name)
    print(f"{_shown(show)}: {count} embeddings of {_shown(name)} deleted", file=sys.stderr)


def _voices() -> KnownVoices:
    from adapters.settings import read_settings
    from adapters.wiring import open_voices

    return open_voices(read_settings())


def _people(kept: Iterable[KnownVoice]) -> Iterator[Person]:
    for (show, name), group in groupby(kept, key=lambda each: (each.show, each.name)):
        voices = list(group)
        seconds = round(sum(each.seconds for each in voices), 1)
        yield Person(show, name, len({each.episode_id for each in voices}), seconds)


def _shown(text: str) -> str:
    """The text without characters that would move a terminal's cursor or turn its letters around."""
    return "".join(character if character.isprintable() else " " for character in text)
