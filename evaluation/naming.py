"""Whether names are right: naming on talk whose speakers are known, without sound.

    python -m evaluation.naming [--failures] [--write docs/naming-figures.md] [--pages FILE…]

Prints, for the hand-written cases and for both halves of the others, how many speakers got a wrong name, how many
their own where it is said aloud, and how many where the participants are given too. `--failures` lists every case
that went wrong; the halves that no rule was made for are never listed. `--pages` measures transcripts of a publisher
with their labels taken off, and leaves out what it cannot read.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from evaluation.marked import write_between
from evaluation.naming_cases import HALVES, VOICES, NamingCase, generated_cases, hand_cases, voice_cases
from schemas.errors import StenocastError
from schemas.transcript import Speaker, Transcript
from transcription.given_names import are_forms_of_one_name, is_beginning_of
from transcription.naming import name_speakers
from transcription.participants import parse_participant
from transcription.soundalike import fold

UNSEEN = frozenset({"held_out", "voices_unseen"})  #: the sets whose failures are counted and not listed


@dataclass(frozen=True, slots=True)
class NamingScore:
    """Speakers counted. `said` are those whose name is said aloud."""

    speakers: int = 0
    wrong: int = 0
    right: int = 0
    in_full: int = 0  #: of the right: with given name and surname
    said: int = 0
    found: int = 0  #: of the said

    def __add__(self, other: NamingScore) -> NamingScore:
        return NamingScore(
            self.speakers + other.speakers,
            self.wrong + other.wrong,
            self.right + other.right,
            self.in_full + other.in_full,
            self.said + other.said,
            self.found + other.found,
        )

    @property
    def wrong_rate(self) -> float:
        """Wrong names to speakers."""
        return self.wrong / self.speakers if self.speakers else 0.0

    @property
    def found_rate(self) -> float:
        """Right names to speakers whose name is said aloud."""
        return self.found / self.said if self.said else 1.0

    @property
    def abstention(self) -> float:
        """Speakers left without a name to speakers."""
        return (self.speakers - self.right - self.wrong) / self.speakers if self.speakers else 0.0


#: Whether a name is a voice's.
Judge = Callable[[NamingCase, Speaker], bool]


def is_right(case: NamingCase, speaker: Speaker) -> bool:
    """Whether the name is the voice's, as written or as the case lets it be heard.

    A part of it counts, and so does a short form of the given name ("Steph" for Stephanie, "Anna" for Anna-Maria); an
    initial counts for nothing.
    """
    truth = case.truth[speaker.id]
    spellings = [truth, *case.heard_as.get(speaker.id, ())]
    words = {fold(part) for spelling in spellings for word in spelling.split() for part in (word, *word.split("-"))}
    first, *others = (speaker.name or "").split() or [""]
    given = truth.split()[0] if truth else ""
    is_given = fold(first) in words or are_forms_of_one_name(first, given) or is_beginning_of(first, given)
    return truth != "" and is_given and all(fold(word) in words or len(fold(word)) == 1 for word in others)


def score(case: NamingCase, named: Transcript, judge: Judge = is_right) -> NamingScore:
    """Compare what naming found with who really speaks."""
    speakers = [each for each in named.speakers if each.id in case.truth]
    right = {each.id for each in speakers if each.name and judge(case, each)}
    return NamingScore(
        speakers=len(speakers),
        wrong=sum(each.name is not None and each.id not in right for each in speakers),
        right=len(right),
        in_full=sum(" " in (each.name or "") for each in speakers if each.id in right),
        said=len(case.said),
        found=len(right & case.said),
    )


@dataclass(frozen=True, slots=True)
class Failure:
    """A voice with a wrong name, or without one although it is said aloud."""

    case: str
    speaker: str
    truth: str
    found: str | None
    quote: str | None

    def __str__(self) -> str:
        because = f" because of “{self.quote}”" if self.quote else ""
        return f"{self.case}: {self.speaker} is {self.truth or 'nobody known'}, found {self.found}{because}"


def failures(case: NamingCase, named: Transcript, judge: Judge = is_right) -> Iterator[Failure]:
    for each in named.speakers:
        if each.id not in case.truth:
            continue
        is_wrong = each.name is not None and not judge(case, each)
        if is_wrong or (each.name is None and each.id in case.said):
            quote = each.evidence[0].quote if each.evidence else None
            yield Failure(case.name, each.id, case.truth[each.id], each.name, quote)


@dataclass(frozen=True, slots=True)
class SetScore:
    """The scores of a set of cases, and what went wrong in it."""

    name: str
    cases: int
    alone: NamingScore  #: from the talk alone (of the hand-written cases: with what each gives)
    given: NamingScore | None  #: with the participants
    failures: tuple[Failure, ...]


def measure_hand() -> SetScore:
    cases = hand_cases()
    named = [(case, name_speakers(case.transcript)) for case in cases]
    found = tuple(failure for case, result in named for failure in failures(case, result))
    return SetScore("hand", len(cases), sum((score(*each) for each in named), NamingScore()), None, found)


def measure_half(half: str, count: int | None = None) -> SetScore:
    """One generated half, without and with participants. `count` takes only the first cases."""
    cases = list(generated_cases(half) if count is None else generated_cases(half, count))
    return _measure(half, cases)


def measure_voices(half: str) -> SetScore:
    """One half of the cases that are a talk of their own each, without and with participants."""
    return _measure(half, voice_cases(half))


def _measure(name: str, cases: Sequence[NamingCase]) -> SetScore:
    alone, given = NamingScore(), NamingScore()
    found: list[Failure] = []
    for case in cases:
        named = name_speakers(case.transcript)
        alone += score(case, named)
        found += failures(case, named)
        expected = name_speakers(case.with_participants())
        given += score(case, expected)
        labelled = replace(case, name=f"{case.name} (participants given)")
        found += failures(labelled, expected)
    return SetScore(name, len(cases), alone, given, tuple(found))


# ---------------------------------------------------------------- pages


def page_case(page: Path) -> NamingCase:
    """A publisher's page with its labels taken off; a voice is `said` where its given name stands in the talk."""
    from formats.pages import read_page

    transcript = read_page(page.read_bytes(), name=page.name)
    return stripped(transcript, name=page.name)


def stripped(transcript: Transcript, *, name: str) -> NamingCase:
    """A document without the names it came with, which become the truth. Voices that had none are not counted."""
    spoken = " ".join(paragraph.text for turn in transcript.turns for paragraph in turn.paragraphs)
    words = {fold(word) for word in spoken.replace("’", "'").split()}
    truth = {each.id: each.name for each in transcript.speakers if each.name}
    nameless = tuple(Speaker(each.id) for each in transcript.speakers)
    bare = replace(
        transcript,
        speakers=nameless,
        front=(),
        back=(),
        layout=None,
        episode=replace(transcript.episode, participants=(), title=None, show=None),
    )
    return NamingCase(
        name=name,
        transcript=bare,
        truth=truth,
        said=frozenset(id for id, full in truth.items() if fold(full.split()[0]) in words),
        participants=tuple(parse_participant(name) for name in truth.values()),
    )


# ---------------------------------------------------------------- printing


def table(scores: Iterable[SetScore]) -> str:
    """The sets as a markdown table."""
    head = (
        "| set | cases | speakers | wrong | found where said | in full | left unnamed "
        "| wrong, participants given | found where said, participants given |"
    )
    return "\n".join([head, "|" + "---|" * 9, *(_row(each) for each in scores)])


def _row(each: SetScore) -> str:
    alone, given = each.alone, each.given
    cells = [
        each.name,
        str(each.cases),
        str(alone.speakers),
        f"{alone.wrong} ({100 * alone.wrong_rate:.2f} %)",
        f"{alone.found} of {alone.said} ({100 * alone.found_rate:.1f} %)",
        str(alone.in_full),
        f"{100 * alone.abstention:.1f} %",
        f"{given.wrong} ({100 * given.wrong_rate:.2f} %)" if given else "–",
        f"{given.found} of {given.said} ({100 * given.found_rate:.1f} %)" if given else "–",
    ]
    return "| " + " | ".join(cells) + " |"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Exit status 0, 1 (no page can be read), 2 (usage)."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.naming", description=__doc__.splitlines()[0])
    parser.add_argument("--failures", action="store_true", help="list what went wrong, the unseen halves excepted")
    parser.add_argument("--write", type=Path, help="put the table into this markdown page")
    parser.add_argument("--pages", nargs="+", type=Path, help="measure these transcripts instead")
    asked = parser.parse_args(arguments)
    if asked.pages:
        scores = list(_measure_pages(asked.pages))
        if not scores:
            return 1
        scores.append(_total(scores))
    else:
        scores = [measure_hand(), *map(measure_half, HALVES), *map(measure_voices, VOICES)]
    print(table(scores))
    if asked.write:
        measured = f"Measured {datetime.now(UTC).date().isoformat()} with `python -m evaluation.naming`."
        write_between(asked.write, f"{measured}\n\n{table(scores)}", "naming")
    if asked.failures:
        for failure in (failure for each in scores if each.name not in UNSEEN for failure in each.failures):
            print(failure)
    return 0


def _total(scores: Sequence[SetScore]) -> SetScore:
    alone = sum((each.alone for each in scores), NamingScore())
    given = sum((each.given for each in scores if each.given), NamingScore())
    return SetScore("all", sum(each.cases for each in scores), alone, given, ())


def _measure_pages(pages: Iterable[Path]) -> Iterator[SetScore]:
    """The score of every page that can be read; the others are said and left out."""
    for page in pages:
        try:
            yield _measure(page.name, [page_case(page)])
        except StenocastError as error:
            print(f"left out: {error.message} [{error.code}]", file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(main())
