"""How well speakers are named on published talk: transcripts of shows, with their labels taken off.

    python -m evaluation.published FOLDER... [--only GLOB] [--half seen|unseen] [--draw 150] [--failures] [--jobs 2]

Each folder is a house: a checkout of the transcripts that it publishes. Its pages are cut into two halves by a hash
of the path, so that rules are made on one half and counted on the other; `--draw` takes so many of a half by lot. A
page counts where it can be read and two voices or more have a person's name for a label. `--failures` lists what went
wrong, of the half `seen` alone.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from scipy.stats import binomtest

from evaluation.naming import Failure, NamingScore, failures, is_right, score, stripped
from evaluation.naming_cases import NamingCase
from formats.catalogue import read
from formats.names import is_name, is_role_label, is_sound_label
from schemas.errors import StenocastError
from schemas.transcript import Speaker, Transcript
from transcription.given_names import are_forms_of_one_name
from transcription.naming import name_speakers
from transcription.participants import parse_participant
from transcription.soundalike import fold, similarity

PAGES = ("*.md", "*.markdown", "*.rst", "*.txt", "*.srt", "*.vtt")
LOT = "stenocast"  #: stands before a path where a draw is made by its hash; another word, another draw
OTHER_SPELLING = 0.7  #: likeness of two given names from which they are spellings of one ("Jad", "Jag")
#: Labels that are shaped like a name and are nobody's.
_NOBODY = re.compile(
    r"(?:unknown|unidentified|speaker|questioner|participant|audience|moderator|panell?ist|attendee|respondent|listener|"
    r"all|both|everyone|crowd|group|multiple|various|several|male|female|man|woman|voice|clip|video|person|"
    r"question|answer|transcript)\b.*",
    re.I,
)
_SURNAME = re.compile(r" ([^\W\d_a-z][\w'-]+)")  #: a word with a capital right behind a given name
#: Such words that begin a sentence without a mark before it, or are spoken of the speaker.
_NO_SURNAMES = frozenset(
    ("I'm", "I've", "I'd", "I'll", "And", "But", "So", "Yeah", "Yes", "Thank", "Thanks", "What", "How")
)
#: Before a name by which somebody is greeted, thanked or introduced.
_MEETS = (
    r"(?:hi|hello|hey|welcome(?: back)?|thanks|thank you|i'm|i am|my name is|name's|this is|joined(?: today)? by|"
    r"with me is|here with|guest is|guest,|co-?host,?|have|having|introduce|with)"
    r"(?: (?:my|our|the|today|here|again|mr|mrs|ms|dr|professor))*"
)


class Half(StrEnum):
    """Of the pages of a house: those that may be looked at while rules are made, and those that are only counted."""

    SEEN = "seen"
    UNSEEN = "unseen"


@dataclass(frozen=True, slots=True)
class PublishedScore:
    """The counts of a page, a house, or all.

    `called` are the voices that are called, greeted or introduced by name.
    """

    pages: int = 0
    alone: NamingScore = field(default_factory=NamingScore)
    given: NamingScore = field(default_factory=NamingScore)  #: with the participants
    another_alone: int = 0  #: of the wrong names: those of another person, not another spelling of the right one
    another_given: int = 0
    called: int = 0
    called_alone: int = 0  #: of the called: found
    called_given: int = 0

    def __add__(self, other: PublishedScore) -> PublishedScore:
        return PublishedScore(
            self.pages + other.pages,
            self.alone + other.alone,
            self.given + other.given,
            self.another_alone + other.another_alone,
            self.another_given + other.another_given,
            self.called + other.called,
            self.called_alone + other.called_alone,
            self.called_given + other.called_given,
        )


@dataclass(frozen=True, slots=True)
class PageResult:
    """What naming did on one page."""

    score: PublishedScore
    failures: tuple[Failure, ...]


# ---------------------------------------------------------------- which pages


def half_of(path: str) -> Half:
    """The half that a page belongs to, by its path below the house's folder, written with `/`."""
    return Half.UNSEEN if sha256(path.encode()).digest()[0] % 2 else Half.SEEN


def pages_of(folder: Path, *, half: Half | None, only: str | None, draw: int | None) -> list[Path]:
    """The pages of a house: of one half or both, with a path that `only` (a glob) fits, `draw` of them by lot."""
    found = {
        path.relative_to(folder).as_posix(): path
        for pattern in PAGES
        for path in folder.rglob(pattern)
        if path.is_file() and (only is None or fnmatchcase(path.relative_to(folder).as_posix(), only))
    }
    chosen = [path for path in found if half is None or half_of(path) is half]
    chosen.sort(key=lambda path: sha256(f"{LOT}/{path}".encode()).digest())
    return [found[path] for path in chosen[:draw]]


def published_case(content: bytes, *, name: str) -> NamingCase | None:
    """A page as a naming case; None where it cannot be read, or fewer than two voices have a person's name.

    Voices whose label is no person's ("Host", "Audience 2") stay in the talk and are not counted. A name counts as
    said where its given name stands anywhere in the talk, other than in the full name of somebody else.
    """
    try:
        transcript = read(content, name=name)
    except StenocastError:
        return None
    case = stripped(transcript, name=name)
    truth = {voice: label for voice, label in case.truth.items() if is_persons(label)}
    if len(truth) < 2:
        return None
    return replace(
        case,
        truth=truth,
        said=frozenset(voice for voice in case.said & truth.keys() if _is_said(case.transcript, truth[voice])),
        participants=tuple(parse_participant(label) for label in truth.values()),
    )


def _is_said(transcript: Transcript, label: str) -> bool:
    """Whether the given name of a label stands in the talk without somebody else's surname behind it.

    "Peter Hart" says nobody's name who is Peter Asaro.
    """
    given, *others = label.split()
    surnames = {fold(each) for each in others}
    for text in (p.text.replace("’", "'") for turn in transcript.turns for p in turn.paragraphs):
        for word in re.finditer(r"[\w'-]+", text):
            if fold(word.group().removesuffix("'s")) != fold(given):
                continue
            behind = _SURNAME.match(text, word.end())
            if behind is None or not surnames or fold(behind[1]) in surnames or behind[1] in _NO_SURNAMES:
                return True
    return False


def is_right_by_label(case: NamingCase, speaker: Speaker) -> bool:
    """Whether a name is the one on the page. A label that is a given name alone leaves the surname open.

    "Mark Noonan" is right for the label "Mark", unless two labels of the page are that given name.
    """
    if is_right(case, speaker):
        return True
    label = case.truth[speaker.id]
    if not speaker.name or " " in label:
        return False
    alike = sum(are_forms_of_one_name(label, other.split()[0]) or label == other.split()[0]
                for other in case.truth.values())  # fmt: skip
    return alike == 1 and is_right(case, replace(speaker, name=speaker.name.split()[0]))


def is_persons(label: str) -> bool:
    """Whether a label is shaped like a person's name and says no role or sound instead."""
    is_other = is_role_label(label) or is_sound_label(label) or _NOBODY.fullmatch(label)
    return is_name(label) and not is_other


# ---------------------------------------------------------------- one page


def measure_page(path: Path) -> PageResult | None:
    """Name the speakers of a page twice, without and with the participants; None where the page does not count."""
    case = published_case(path.read_bytes(), name=path.name)
    if case is None:
        return None
    alone = name_speakers(case.transcript)
    given = name_speakers(case.with_participants())
    called = called_voices(case)
    with_list = replace(case, name=f"{case.name} (participants given)")
    found = [*failures(case, alone, is_right_by_label), *failures(with_list, given, is_right_by_label)]
    return PageResult(
        PublishedScore(
            pages=1,
            alone=score(case, alone, is_right_by_label),
            given=score(case, given, is_right_by_label),
            another_alone=_named_another(case, alone),
            another_given=_named_another(case, given),
            called=len(called),
            called_alone=len(called & _rightly_named(case, alone)),
            called_given=len(called & _rightly_named(case, given)),
        ),
        tuple(found),
    )


def called_voices(case: NamingCase) -> frozenset[str]:
    """The voices by whose given name somebody is called, greeted or introduced anywhere in the talk.

    Called is a name between two marks of punctuation, or a mark and an edge of the paragraph. A plain pattern that
    knows nothing of who says it: it lets in who is spoken of between commas, and misses a call without any.
    """
    text = "\n".join(p.text for turn in case.transcript.turns for p in turn.paragraphs).replace("’", "'")
    found = set()
    for voice in case.said:
        given = re.escape(case.truth[voice].split()[0])
        is_called = re.search(rf"(?:^|[,.?!;:…—–-] *){given}(?=[,.?!;:…—–]|$)", text, re.M)
        if is_called or re.search(rf"\b(?i:{_MEETS}),? {given}\b", text):
            found.add(voice)
    return frozenset(found)


def _rightly_named(case: NamingCase, named: Transcript) -> frozenset[str]:
    return frozenset(
        each.id for each in named.speakers if each.id in case.truth and each.name and is_right_by_label(case, each)
    )


def _named_another(case: NamingCase, named: Transcript) -> int:
    """How many voices have a name that is no other spelling or form of their own given name."""
    right = _rightly_named(case, named)
    return sum(
        not _is_spelling(each.name.split()[0], case.truth[each.id].split()[0])
        for each in named.speakers
        if each.name and each.id in case.truth and each.id not in right
    )


def _is_spelling(found: str, given: str) -> bool:
    return are_forms_of_one_name(found, given) or similarity(fold(found), fold(given)) >= OTHER_SPELLING


# ---------------------------------------------------------------- printing


def table(scores: Iterable[tuple[str, PublishedScore]]) -> str:
    """The houses as a markdown table."""
    head = (
        "| house | pages | speakers | wrong (another person) | found where said | of those called or introduced "
        "| participants given: wrong | found where said | of those called or introduced |"
    )
    return "\n".join([head, "|" + "---|" * 9, *(_row(*each) for each in scores)])


def _row(house: str, each: PublishedScore) -> str:
    cells = [
        house,
        str(each.pages),
        str(each.alone.speakers),
        _wrong(each.alone, each.another_alone),
        _share(each.alone.found, each.alone.said),
        _share(each.called_alone, each.called),
        _wrong(each.given, each.another_given),
        _share(each.given.found, each.given.said),
        _share(each.called_given, each.called),
    ]
    return "| " + " | ".join(cells) + " |"


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part / whole:.1f} %)" if whole else "–"


def _wrong(found: NamingScore, another: int) -> str:
    """ "9 (5: 1.2 %, 0.4 to 2.7)": by label, and of another person with the exact 95 % interval of the rate."""
    if not found.speakers:
        return "–"
    interval = binomtest(another, found.speakers).proportion_ci()
    rate = 100 * another / found.speakers
    return f"{found.wrong} ({another}: {rate:.1f} %, {100 * interval.low:.1f} to {100 * interval.high:.1f})"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Exit status 0, 1 (no page counts), 2 (usage)."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.published", description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="a house: pages at any depth")
    parser.add_argument("--only", metavar="GLOB", help="only pages whose path fits, as in 'jsparty/*'")
    parser.add_argument("--half", type=Half, choices=list(Half), help="only one half; otherwise both")
    parser.add_argument("--draw", type=int, metavar="N", help="at most so many pages of each house, by lot")
    parser.add_argument("--failures", action="store_true", help="list what went wrong in the half that may be seen")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default 1)")
    asked = parser.parse_args(arguments)
    for folder in asked.folders:
        if not folder.is_dir():
            parser.error(f"{folder} is no folder")
    scores: list[tuple[str, PublishedScore]] = []
    listed: list[str] = []
    for folder in asked.folders:
        pages = pages_of(folder, half=asked.half, only=asked.only, draw=asked.draw)
        results = list(_measured(folder.name, pages, asked.jobs))
        counted = [(page, result) for page, result in zip(pages, results, strict=True) if result is not None]
        scores.append((folder.name, sum((result.score for _, result in counted), PublishedScore())))
        for page, result in counted:
            path = page.relative_to(folder).as_posix()
            if half_of(path) is Half.SEEN:
                listed += [f"{path}: {failure}" for failure in result.failures]
    total = sum((each for _, each in scores), PublishedScore())
    if not total.pages:
        print("no page can be read that names two speakers", file=sys.stderr)
        return 1
    print(table([*scores, ("all", total)] if len(scores) > 1 else scores))
    if asked.failures:
        print("", *listed, sep="\n")
    return 0


def _measured(house: str, pages: Sequence[Path], jobs: int) -> Iterator[PageResult | None]:
    """The result of every page in order, with a bar on stderr while it is looked at."""
    bar = Progress(
        TextColumn(house), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=Console(stderr=True)
    )
    with bar, ProcessPoolExecutor(max(1, jobs)) as workers:
        yield from bar.track(workers.map(measure_page, pages, chunksize=4), total=len(pages))


if __name__ == "__main__":
    raise SystemExit(main())
