"""Naming cases: talk without names, and who really speaks. Read from hand-written pages, or made from templates.

evaluation/sets/naming/ holds both: `cases-*.toml` are written by hand, and so is `voices_*.toml`, which is cut in two
halves: one that was looked at, and one that was not. The other files are the templates, names and phrasings of the
generated ones. The same half and number give the same case.
"""

from __future__ import annotations

import random
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from schemas.episode import Episode, Participant
from schemas.transcript import Paragraph, Speaker, Transcript, Turn
from transcription.participants import parse_participant

SETS = Path(__file__).resolve().parent / "sets" / "naming"
#: The two halves of the generated cases, and the files of templates that each is made from.
KITS = {
    "development": ("development", "development_more", "development_third", "development_fourth"),
    "held_out": ("held_out",),
}
HALVES = tuple(KITS)
#: The two halves of the cases that are a talk of their own each; what goes wrong in the second is not listed.
VOICES = ("voices_seen", "voices_unseen")
CASES_PER_HALF = 500

#: Shares of the generated cases that are harder than the plain template.
MISHEARD = 0.25  #: the recognizer misspells names
CUT_WRONG = 0.10  #: one or two words stand in the turn before theirs
HOST_MARKED = 0.5  #: the list of participants says who the host is
ABSENT = 0.15  #: the list names somebody who does not speak
NAMESAKE = 0.05  #: somebody who is talked about has the given name of one who speaks
TRAP = 0.15  #: of the turns of small talk
BACKCHANNEL = 0.12  #: of the turns of small talk


@dataclass(frozen=True, slots=True)
class NamingCase:
    """Talk with unnamed speakers, and the truth by speaker id."""

    name: str
    transcript: Transcript
    truth: Mapping[str, str]  #: full name of every voice; "" for a voice whose name nobody can know
    said: frozenset[str]  #: voices whose names are said so that a listener can tell whose they are
    heard_as: Mapping[str, frozenset[str]] = field(
        default_factory=dict
    )  #: short forms and misspellings in the talk, by speaker
    participants: tuple[Participant, ...] = ()  #: what the episode's metadata would say

    def with_participants(self) -> Transcript:
        return _with(self.transcript, self.participants)


def _with(transcript: Transcript, participants: tuple[Participant, ...]) -> Transcript:
    return replace(transcript, episode=replace(transcript.episode, participants=participants))


def document(lines: Iterable[tuple[str, str]], *, show: str | None = None) -> tuple[Transcript, dict[str, str]]:
    """A document from (label, text) pairs, and each label's speaker id (by first appearance).

    Neighbours with one label are paragraphs of one turn.
    """
    ids: dict[str, str] = {}
    turns: list[Turn] = []
    for label, text in lines:
        speaker = ids.setdefault(label, f"S{len(ids) + 1}")
        if turns and turns[-1].speaker == speaker:
            last = turns[-1]
            more = Paragraph(f"{last.id}-p{len(last.paragraphs) + 1}", text)
            turns[-1] = replace(last, paragraphs=(*last.paragraphs, more))
        else:
            number = len(turns) + 1
            turns.append(Turn(f"t{number}", speaker, (Paragraph(f"t{number}-p1", text),)))
    speakers = tuple(Speaker(id, voice=f"voice {n}") for n, id in enumerate(ids.values(), start=1))
    return Transcript(episode=Episode("episode", show=show), speakers=speakers, turns=tuple(turns)), ids


# ---------------------------------------------------------------- by hand


def hand_cases(folder: Path = SETS) -> tuple[NamingCase, ...]:
    """The hand-written cases, in the order of their files and places."""
    return tuple(
        _hand_case(file.stem.removeprefix("cases-"), record)
        for file in sorted(folder.glob("cases-*.toml"))
        for record in tomllib.loads(file.read_text(encoding="utf-8"))["case"]
    )


def voice_cases(half: str, *, folder: Path = SETS) -> tuple[NamingCase, ...]:
    """One half of the cases of `voices_*.toml`; the participants are all whose name can be found."""
    records = tomllib.loads((folder / f"{half}.toml").read_text(encoding="utf-8"))["case"]
    cases = (_hand_case(half, record) for record in records)
    return tuple(
        replace(case, participants=tuple(parse_participant(name) for name in case.truth.values() if name))
        for case in cases
    )


def _hand_case(group: str, record: Mapping[str, Any]) -> NamingCase:
    """`truth` names every voice that has a name to find; `said` is all of them unless it is written."""
    transcript, ids = document(_lines(record["talk"]), show=record.get("show"))
    truth = dict.fromkeys(ids.values(), "") | {ids[label]: name for label, name in record.get("truth", {}).items()}
    said = record.get("said", " ".join(record.get("truth", {}))).split()
    participants = tuple(parse_participant(each) for each in record.get("participants", ()))
    heard_as = {ids[label]: frozenset({spelling}) for label, spelling in record.get("heard", {}).items()}
    return NamingCase(
        name=f"{group}: {record['name']}",
        transcript=_with(transcript, participants),
        truth=truth,
        said=frozenset(ids[label] for label in said),
        heard_as=heard_as,
        participants=participants,
    )


def _lines(talk: str) -> Iterator[tuple[str, str]]:
    """ "A: text" a line; a line without a label is a further paragraph of the turn."""
    label = ""
    for line in talk.strip().splitlines():
        found = re.match(r"([A-Z][A-Z0-9]*): (.*)", line)
        label, text = found.groups() if found else (label, line)
        yield label, text


# ---------------------------------------------------------------- from templates


@dataclass(frozen=True, slots=True)
class _Person:
    given: str
    surname: str
    honorific: str
    nick: str

    @property
    def full(self) -> str:
        return f"{self.given} {self.surname}"

    @property
    def titled(self) -> str:
        return f"{self.honorific} {self.full}"

    def __str__(self) -> str:
        return self.full


def generated_cases(half: str, count: int = CASES_PER_HALF, *, folder: Path = SETS) -> Iterator[NamingCase]:
    """`count` cases from the templates of one half; the first ones are the same whatever the count."""
    kits = [tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8")) for name in KITS[half]]
    for number in range(count):
        yield _Maker(kits[number % len(kits)], random.Random(f"{half}/{number}"), f"{half} {number}").case()


class _Maker:
    """Makes one case; every choice comes from `chance`."""

    def __init__(self, kit: Mapping[str, Any], chance: random.Random, name: str) -> None:
        self.kit, self.chance, self.name = kit, chance, name
        self.scene = chance.choice(kit["scene"])
        labels = sorted(set(re.findall(r"^([HGX]\d*):", self.scene["talk"], re.M)))
        self.people = self._cast(labels)
        self.values = {label: person for label, person in self.people.items() if label != "X"}
        self.show = chance.choice(kit["shows"])
        self.is_misheard = chance.random() < MISHEARD
        self.heard_as: dict[str, set[str]] = {label: {person.nick} for label, person in self.people.items()}

    def case(self) -> NamingCase:
        lines = list(self._talk())
        if self.chance.random() < CUT_WRONG:
            lines = self._cut_wrong(lines)
        transcript, ids = document(lines, show=self.show if self.chance.random() < 0.5 else None)
        return NamingCase(
            name=f"{self.name}: {self.scene['name']}",
            transcript=transcript,
            truth={ids[label]: self.people[label].full for label in ids},
            said=frozenset(ids[label] for label in self.scene["said"].split()),
            heard_as={ids[label]: frozenset(self.heard_as[label]) for label in ids},
            participants=tuple(self._participants(ids)),
        )

    def _cast(self, labels: Sequence[str]) -> dict[str, _Person]:
        """A person for each voice and for the two who are not there; nobody shares a name by accident."""
        people: dict[str, _Person] = {}
        used: set[str] = set()
        for label in (*labels, "T", "T2"):
            while True:
                names = self.kit["names"][self.chance.choice(sorted(self.kit["names"]))]
                given, surname = self.chance.choice(names["given"]), self.chance.choice(names["surnames"])
                if not {given, surname} & used:
                    break
            used |= {given, surname}
            nick = self.kit["short_forms"].get(given, given)
            people[label] = _Person(given, surname, self.chance.choice(self.kit["honorifics"]), nick)
        first, *others = self.scene.get("twins", "").split() or [""]
        for other in others:
            people[other] = replace(people[other], given=people[first].given, nick=people[first].nick)
        if self.chance.random() < NAMESAKE:
            people["T"] = replace(people["T"], given=people[self.chance.choice(labels)].given)
        return people

    # ------------------------------------------------------------ talk

    def _talk(self) -> Iterator[tuple[str, str]]:
        last = ""
        for line in self.scene["talk"].strip().splitlines():
            if line.startswith("~"):
                for label, text in self._small_talk(line[1:].split(), last):
                    last = label
                    yield label, text
            else:
                last, text = line.split(": ", 1)
                yield last, self._filled(text, last)

    def _small_talk(self, labels: Sequence[str], last: str) -> Iterator[tuple[str, str]]:
        """A few turns between voices; the first of them asks, and sometimes somebody says a misleading thing."""
        for _ in range(self.chance.randint(3, 9) if len(labels) > 1 else 1):
            label = self.chance.choice([each for each in labels if each != last] or labels)
            last = label
            if self.chance.random() < BACKCHANNEL:
                yield label, self.chance.choice(self.kit["asides"])
                continue
            sentences = self.chance.sample(self.kit["chat"], self.chance.randint(1, 5))
            if self.chance.random() < TRAP:
                sentences.insert(self.chance.randint(0, len(sentences)), self.chance.choice(self.kit["traps"]))
            if label == labels[0] and self.chance.random() < 0.6:
                sentences.append(self.chance.choice(self.kit["questions"]))
            yield label, self._filled(" ".join(sentences), label)

    def _filled(self, text: str, me: str) -> str:
        values = {
            "show": self.show,
            "job": self.chance.choice(self.kit["jobs"]),
            "organisation": self.chance.choice(self.kit["organisations"]),
            "question": self.chance.choice(self.kit["questions"]),
        }

        def fill(slot: re.Match[str]) -> str:
            label, _, part = slot.group(1).partition(".")
            label = me if label == "me" else label
            if label in values:
                return values[label]
            person = self.people[label]
            said = str(getattr(person, part)) if part else person.full
            return self._as_heard(said, label) if part != "honorific" else said

        return re.sub(r"\{([\w.]+)\}", fill, text)

    def _as_heard(self, name: str, label: str) -> str:
        """The name as a recognizer may spell it; each mention anew."""
        if not self.is_misheard or self.chance.random() < 0.4:
            return name
        heard = name
        slips = [(a, b) for a, b in self.kit["slips"] if a in heard[1:]]
        for a, b in self.chance.sample(slips, min(len(slips), self.chance.randint(0, 2))):
            heard = heard[0] + heard[1:].replace(a, b, 1)
        if self.chance.random() < 0.6:
            heard = _without_accents(heard)
        if heard != name:
            self.heard_as[label].add(heard)
        return heard

    def _cut_wrong(self, lines: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """One boundary of the diarization in the wrong place: a turn's first words end the turn before."""
        i = self.chance.randrange(1, len(lines))
        words = lines[i][1].split()
        count = self.chance.randint(1, 2)
        if lines[i][0] == lines[i - 1][0] or len(words) <= count + 1:
            return lines
        moved, rest = " ".join(words[:count]), " ".join(words[count:])
        before = (lines[i - 1][0], f"{lines[i - 1][1]} {moved}")
        return [*lines[: i - 1], before, (lines[i][0], rest), *lines[i + 1 :]]

    def _participants(self, ids: Mapping[str, str]) -> Iterator[Participant]:
        marked = self.chance.random() < HOST_MARKED
        labels = sorted(label for label in ids if label != "X")
        self.chance.shuffle(labels)
        for label in labels:
            role = (", host" if label == "H" else ", guest") if marked else ""
            person = self.people[label]
            yield parse_participant((person.titled if ".titled" in self.scene["talk"] else person.full) + role)
        if self.chance.random() < ABSENT:
            yield parse_participant(self.people["T"].full)


def _without_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(each for each in decomposed if unicodedata.category(each) != "Mn"))
