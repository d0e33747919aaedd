"""How far a transcript is from the truth. One definition of each measure, by kept libraries where there is one.

WER: jiwer over Whisper's English normalizer (whisper_normalizer), which deletes words in brackets, so brackets are
stripped from the truth first. DER: pyannote.metrics, overlapping speech counted, without collar or with one.
cpWER: WER when every speaker's words are joined and speakers are matched as well as can be. WDER: of the words that
both texts have in the same place, the share that stands under the wrong speaker.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from schemas.transcript import Transcript
from transcription.ports import VoiceTurn
from transcription.soundalike import IN_NAME_SLOT, similarity

#: pyannote.metrics' `collar` where a DER "with 0.25 s" is named: it counts both sides of a boundary together.
COLLAR_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class SpokenWords:
    """The words of one speaker's stretch, in order of time."""

    speaker: str | None
    text: str


@dataclass(frozen=True, slots=True)
class NameScore:
    """Speakers with a known true name, by what the transcript calls them."""

    right: int = 0
    wrong: int = 0  #: another name, or a name on the wrong voice
    missing: int = 0  #: "Speaker N"
    misspelt: int = 0  #: of the wrong ones, those that sound like the right name: the recognizer's spelling

    @property
    def precision(self) -> float | None:
        """Right names to names printed; None where none is."""
        printed = self.right + self.wrong
        return self.right / printed if printed else None

    @property
    def recall(self) -> float | None:
        """Right names to people with a known name; a wrong name on nobody's voice is no such person."""
        known = self.right + self.wrong + self.missing
        return self.right / known if known else None

    @property
    def abstention(self) -> float | None:
        """People left without a name to people with a known one."""
        known = self.right + self.wrong + self.missing
        return self.missing / known if known else None


@cache
def _normalizer() -> Any:
    from whisper_normalizer.english import EnglishTextNormalizer

    return EnglishTextNormalizer()


def normalized(text: str) -> str:
    """The text as WER compares it: small letters, no punctuation, numbers and spellings of one kind, no fillers."""
    return str(_normalizer()(re.sub(r"[\[\](){}<>]", " ", text)))


def character_error_rate(truth: str, heard: str) -> float | None:
    """CER, 0 and up, spaces between words counted; None where the truth has no words."""
    import jiwer

    reference, hypothesis = normalized(truth), normalized(heard)
    if not reference:
        return None
    return float(jiwer.cer(reference, hypothesis)) if hypothesis else 1.0


def word_errors(truth: str, heard: str) -> tuple[int, int]:
    """(substitutions, deletions and insertions; words of the truth) after normalizing both."""
    import jiwer

    reference, hypothesis = normalized(truth), normalized(heard)
    count = len(reference.split())
    if not count:
        return len(hypothesis.split()), 0
    if not hypothesis:
        return count, count
    result = jiwer.process_words(reference, hypothesis)
    return result.substitutions + result.deletions + result.insertions, count


def word_error_rate(truth: str, heard: str) -> float | None:
    """WER, 0 and up; None where the truth has no words."""
    errors, count = word_errors(truth, heard)
    return errors / count if count else None


def attributed(document: Transcript) -> tuple[SpokenWords, ...]:
    """What was heard, turn by turn: every word, those that the wording leaves out of the text too."""
    return tuple(
        SpokenWords(turn.speaker, " ".join(word.text for part in turn.paragraphs for word in part.words))
        for turn in document.turns
    )


class Attributed(Protocol):
    """Text of one speaker: an utterance of a truth, a stretch, a turn."""

    @property
    def speaker(self) -> str | None: ...

    @property
    def text(self) -> str: ...


def concatenated_error_rate(truth: Sequence[Attributed], heard: Sequence[Attributed]) -> float | None:
    """cpWER: words joined by speaker, speakers matched so that the errors are fewest; unmatched ones count whole."""
    said = _joined((each.speaker or "nobody", each.text) for each in truth)
    written = _joined((each.speaker or "nobody", each.text) for each in heard)
    names, labels = sorted(said), sorted(written)
    size = max(len(names), len(labels))
    errors = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(size):
            left = said[names[i]] if i < len(names) else ""
            right = written[labels[j]] if j < len(labels) else ""
            errors[i][j] = float(word_errors(left, right)[0])
    count = sum(len(normalized(text).split()) for text in said.values())
    return sum(errors[i][j] for i, j in cheapest(errors)) / count if count else None


def _joined(spoken: Any) -> dict[str, str]:
    joined: dict[str, str] = {}
    for speaker, text in spoken:
        joined[speaker] = f"{joined.get(speaker, '')} {text}".strip()
    return joined


def cheapest(costs: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """The pairs of rows and columns with the least sum (Hungarian method)."""
    from scipy.optimize import linear_sum_assignment

    if not costs:
        return []
    rows, columns = linear_sum_assignment(costs)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True)]


@dataclass(frozen=True, slots=True)
class SpeakerWords:
    """Words whose place in the truth is known, by whether they stand under the right speaker."""

    compared: int
    wrong: int
    matched: tuple[tuple[str, str], ...]  #: speaker of the truth to label of the document, as well as can be

    @property
    def error_rate(self) -> float | None:
        """WDER, 0 to 1."""
        return self.wrong / self.compared if self.compared else None


def speaker_words(truth: Sequence[Attributed], heard: Sequence[Attributed]) -> SpeakerWords:
    """Align the words of both texts; count those under the wrong speaker, speakers matched by their common words."""
    import jiwer

    said = [(word, each.speaker or "nobody") for each in truth for word in plain_words(each.text)]
    written = [(word, each.speaker or "nobody") for each in heard for word in plain_words(each.text)]
    if not said or not written:
        return SpeakerWords(0, 0, ())
    result = jiwer.process_words(" ".join(word for word, _ in said), " ".join(word for word, _ in written))
    pairs: Counter[tuple[str, str]] = Counter()
    for chunk in result.alignments[0]:
        if chunk.type in ("equal", "substitute"):
            for i, j in zip(
                range(chunk.ref_start_idx, chunk.ref_end_idx),
                range(chunk.hyp_start_idx, chunk.hyp_end_idx),
                strict=True,
            ):
                pairs[said[i][1], written[j][1]] += 1
    matched = matching(pairs)
    right = sum(count for pair, count in pairs.items() if matched.get(pair[0]) == pair[1])
    compared = sum(pairs.values())
    return SpeakerWords(compared, compared - right, tuple(sorted(matched.items())))


def matching(pairs: Mapping[tuple[str, str], float]) -> dict[str, str]:
    """The one-to-one matching of left to right names that shares most."""
    lefts, rights = sorted({left for left, _ in pairs}), sorted({right for _, right in pairs})
    costs = [[-float(pairs.get((left, right), 0.0)) for right in rights] for left in lefts]
    return {lefts[i]: rights[j] for i, j in cheapest(costs) if pairs.get((lefts[i], rights[j]))}


def plain_words(text: str) -> list[str]:
    """Words for aligning one by one: small letters, no punctuation, nothing joined or taken apart."""
    return re.sub(r"[^\w\s]", "", text.casefold().replace("-", " ")).split()


def diarization_error_rate(
    truth: Sequence[VoiceTurn], found: Sequence[VoiceTurn], *, collar: float = 0.0
) -> float | None:
    """DER by pyannote.metrics, overlap counted; None where the truth has no turns."""
    from pyannote.metrics.diarization import DiarizationErrorRate

    if not truth:
        return None
    metric = DiarizationErrorRate(collar=collar, skip_overlap=False)
    return float(metric(_annotation(truth), _annotation(found), uem=_extent(truth, found)))


def jaccard_error_rate(truth: Sequence[VoiceTurn], found: Sequence[VoiceTurn]) -> float | None:
    """JER by pyannote.metrics, without collar: the mean over speakers, so that one who says little counts as much."""
    from pyannote.metrics.diarization import JaccardErrorRate

    if not truth:
        return None
    metric = JaccardErrorRate(collar=0.0, skip_overlap=False)
    return float(metric(_annotation(truth), _annotation(found), uem=_extent(truth, found)))


def _annotation(turns: Sequence[VoiceTurn]) -> Any:
    from pyannote.core import Annotation, Segment

    annotation = Annotation()
    for i, turn in enumerate(turns):
        if turn.end > turn.start:
            annotation[Segment(turn.start, turn.end), i] = turn.voice
    return annotation


def _extent(truth: Sequence[VoiceTurn], found: Sequence[VoiceTurn]) -> Any:
    """From the start of the recording to the last end of either; named, so that the library need not guess it."""
    from pyannote.core import Segment, Timeline

    return Timeline([Segment(0.0, max(turn.end for turn in (*truth, *found)))])


def name_score(
    names: Sequence[tuple[str, str]], printed: Mapping[str, str | None], matched: Sequence[tuple[str, str]]
) -> NameScore | None:
    """Whether each named person of the truth is printed under that name; None where no names are known.

    `printed` is what the transcript calls each of its labels; `matched` comes from `speaker_words`. A name is right
    when it is the true one, or the part of it that was said: "Diane" for Diane Osgood. A name on a label that belongs
    to nobody in the truth, or to somebody whose name the truth does not know, is wrong. Of the wrong ones those that
    sound like the right one are misspelt.
    """
    if not names:
        return None
    labels = dict(matched)
    right = wrong = missing = misspelt = 0
    for person, name in names:
        heard = printed.get(labels.get(person, ""))
        if heard is None:
            missing += 1
        elif is_same_name(heard, name):
            right += 1
        else:
            wrong += 1
            misspelt += similarity(heard, name) >= IN_NAME_SLOT
    strangers = set(printed) - {labels[person] for person, _ in names if person in labels}
    wrong += sum(printed[each] is not None for each in strangers)
    return NameScore(right, wrong, missing, misspelt)


def printed_names(document: Transcript) -> dict[str, str | None]:
    """What a document calls each of its speakers."""
    return {speaker.id: speaker.name for speaker in document.speakers}


def is_same_name(heard: str, name: str) -> bool:
    """Whether every part of the printed name is a part of the true one, in order."""
    parts = iter(name.casefold().split())
    return bool(heard.strip()) and all(part in parts for part in heard.casefold().split())
