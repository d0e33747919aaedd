"""What was really said in the recordings that figures are measured on, from RTTM, STM and JSON of turns or words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from schemas.episode import Episode, Participant
from schemas.errors import NotFound, PageError
from schemas.job import JobOptions
from schemas.wire import read_json
from transcription.ports import VoiceTurn


@dataclass(frozen=True, slots=True)
class Utterance:
    """What one person says without a break, in seconds from the start."""

    start: float
    end: float
    speaker: str
    text: str
    begins_paragraph: bool = False  #: inside a turn; only synthetic episodes know their paragraphs


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known of a recording. Empty parts are not measured."""

    utterances: tuple[Utterance, ...] = ()  #: by start; for WER, cpWER and WDER
    voices: tuple[VoiceTurn, ...] = ()  #: for DER
    names: tuple[tuple[str, str], ...] = ()  #: speaker of the utterances to the name said aloud or given

    @property
    def text(self) -> str:
        """All words in order of the utterances' start."""
        return " ".join(each.text for each in self.utterances)

    def voice_count(self) -> int | None:
        return len({turn.voice for turn in self.voices}) or None


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording with its truth, and what the producer would say about it."""

    name: str
    group: str  #: what `--only` takes: demo, telephone, conv-two, meetings, …
    audio: Path
    truth: Truth
    episode: Episode
    options: JobOptions = field(default_factory=JobOptions)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise PageError(
            f"{path.name}: not UTF-8 text: byte {error.start + 1} is {error.object[error.start]:#04x}"
        ) from error


#: What a line of RTTM may tell of (NIST RT-09 evaluation plan, appendix A); the voices are in those of `SPEAKER`.
_RTTM_TYPES = frozenset(
    [
        "SPEAKER",
        "SPKR-INFO",
        "NON-SPEECH",
        "SEGMENT",
        "NOSCORE",
        "NO_RT_METADATA",
        "LEXEME",
        "NON-LEX",
        "FILLER",
        "EDIT",
        "IP",
        "SU",
        "CB",
        "A/P",
    ]
)


def read_rttm(path: Path, recording: str | None = None) -> tuple[VoiceTurn, ...]:
    """The turns of an RTTM file, of one recording where it holds several. Raises PageError."""
    turns: list[VoiceTurn] = []
    for number, line in enumerate(_lines(path), start=1):
        fields = line.split()
        if not fields or line.startswith(";;"):
            continue
        if fields[0] not in _RTTM_TYPES:
            raise PageError(f"{path.name}: line {number} is no RTTM line: {line!r:.80}")
        if fields[0] != "SPEAKER":
            continue
        try:
            name, start, duration, voice = fields[1], float(fields[3]), float(fields[4]), fields[7]
        except (IndexError, ValueError) as error:
            raise PageError(f"{path.name}: line {number} is no RTTM line: {line!r}") from error
        if recording is None or name == recording:
            turns.append(VoiceTurn(start, round(start + duration, 3), voice))
    return tuple(sorted(turns, key=lambda turn: (turn.start, turn.end)))


def read_stm(path: Path) -> tuple[Utterance, ...]:
    """The utterances of an STM file: `file channel speaker start end text`. Raises PageError."""
    utterances: list[Utterance] = []
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip() or line.startswith(";;"):
            continue
        fields = line.split(maxsplit=5)
        try:
            text = fields[5] if len(fields) > 5 else ""
            utterances.append(Utterance(float(fields[3]), float(fields[4]), fields[2], text))
        except (IndexError, ValueError) as error:
            raise PageError(f"{path.name}: line {number} is no STM line: {line!r}") from error
    return _ordered(utterances)


def read_turns(path: Path) -> Truth:
    """A JSON list of turns with start, end, speaker, text and perhaps the speaker's name. Raises PageError.

    `paragraph: true` says that a paragraph begins here inside a turn.
    """
    records = _read_records(path)
    try:
        utterances = [
            Utterance(
                float(each["start"]),
                float(each["end"]),
                str(each["speaker"]),
                str(each["text"]),
                bool(each.get("paragraph")),
            )
            for each in records
        ]
        names = {str(each["speaker"]): str(each["name"]) for each in records if each.get("name")}
    except (KeyError, TypeError, ValueError) as error:
        raise PageError(f"{path.name}: a turn lacks {error}") from error
    voices = tuple(VoiceTurn(each.start, each.end, each.speaker) for each in _ordered(utterances))
    return Truth(_ordered(utterances), voices, tuple(sorted(names.items())))


def read_words(path: Path) -> tuple[Utterance, ...]:
    """A JSON list of single words with start, end and speaker; each word is an utterance. Raises PageError."""
    try:
        return _ordered(
            Utterance(float(each["start"]), float(each["end"]), str(each["speaker"]), str(each["word"]))
            for each in _read_records(path)
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PageError(f"{path.name}: a word lacks {error}") from error


def _ordered(utterances: Any) -> tuple[Utterance, ...]:
    return tuple(sorted(utterances, key=lambda each: (each.start, each.end)))


def _read_records(path: Path) -> Sequence[dict[str, Any]]:
    try:
        records = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise PageError(f"{path.name}: not JSON: {error}") from error
    if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
        raise PageError(f"{path.name}: not a list of records")
    return records


# ---------------------------------------------------------------- the recordings that are here

#: What is said in the one recording whose words are known by heart.
JFK = "And so, my fellow Americans, ask not what your country can do for you, ask what you can do for your country."


def recordings(root: Path) -> tuple[Recording, ...]:
    """Every recording with truth that is here: the demo, pyannote's own sample, and those in ../shared/audio.

    `root` is the checkout. What is absent is left out.
    """
    shared = root.parent / "shared" / "audio"
    found = [*_demo(root / "examples" / "demo"), *_telephone()]
    for name in ("conv-two", "conv-three-overlap", "conv-four"):
        found += _conversation(shared, name)
    for name in ("dev00", "trn00", "trn01", "trn02", "tst00"):
        found += _meeting(shared, name)
    if (audio := shared / "jfk.flac").is_file():
        truth = Truth((Utterance(0.0, 11.0, "jfk", JFK),))
        found.append(Recording("jfk", "jfk", audio, truth, _episode("jfk")))
    return tuple(found)


def choose(known: Sequence[Recording], only: Sequence[str]) -> tuple[Recording, ...]:
    """The recordings of the named groups or names, in the order asked for; all without a choice. Raises NotFound."""
    if not only:
        return tuple(known)
    for each in only:
        if not any(each in (recording.name, recording.group) for recording in known):
            here = ", ".join(dict.fromkeys(recording.group for recording in known))
            raise NotFound(f"{each}: no such recording here; there are {here}")
    found = [recording for each in only for recording in known if each in (recording.name, recording.group)]
    return tuple({recording.name: recording for recording in found}.values())


def _demo(folder: Path) -> list[Recording]:
    audio, truth, metadata = folder / "episode.mp3", folder / "truth.json", folder / "episode.json"
    if not audio.is_file() or not truth.is_file():
        return []
    given = _episode("demo")
    if metadata.is_file():
        given = _with_participants(given, json.loads(metadata.read_text(encoding="utf-8")))
    known = read_turns(truth)
    bare = _episode("demo-without-metadata")
    return [
        Recording("demo", "demo", audio, known, given),
        Recording("demo, no metadata", "demo", audio, known, bare),
    ]


def _with_participants(episode: Episode, record: dict[str, Any]) -> Episode:
    wanted = {key: value for key, value in record.items() if key in ("title", "show", "participants")}
    given = read_json(Episode, json.dumps({"id": episode.id, **wanted}))
    return given if all(isinstance(each, Participant) for each in given.participants) else episode


def _telephone() -> list[Recording]:
    """The talk inside pyannote.audio's own package, found without importing it (that takes ten seconds)."""
    package = find_spec("pyannote")
    for place in (package.submodule_search_locations or ()) if package else ():
        folder = Path(place) / "audio" / "sample"
        if (folder / "sample.wav").is_file():
            utterances = read_stm(folder / "sample.stm")
            names = tuple(sorted({each.speaker: each.speaker for each in utterances}.items()))
            truth = Truth(utterances, read_rttm(folder / "sample.rttm"), names)
            return [Recording("telephone", "telephone", folder / "sample.wav", truth, _episode("telephone"))]
    return []


def _conversation(shared: Path, name: str) -> list[Recording]:
    audio = shared / f"{name}.flac"
    if not audio.is_file():
        return []
    turns = read_turns(shared / f"{name}.turns.json")
    truth = Truth(turns.utterances, read_rttm(shared / f"{name}.rttm"))  # the readers' names are never said
    return [Recording(name, name, audio, truth, _episode(name))]


def _meeting(shared: Path, name: str) -> list[Recording]:
    audio = next(
        (path for path in sorted(shared.glob(f"meeting-{name}.*")) if path.suffix in (".wav", ".flac")), None
    )
    if audio is None:
        return []
    words = shared / f"meeting-{name}.words.json"
    truth = Truth(read_words(words) if words.is_file() else (), read_rttm(shared / "meeting.rttm", name))
    return [Recording(f"meeting {name}", "meetings", audio, truth, _episode(f"meeting-{name}"))]


def _episode(name: str) -> Episode:
    return Episode(id=name, title=name, language="en")
