"""The tables of a survey in markdown, with when and where each figure was measured and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields

from evaluation.alignment import Agreement
from evaluation.comparison import Measures
from evaluation.outcomes import BASELINE, OURS, UNTOLD, WITHOUT, Outcome
from evaluation.presentation import f1, names_cell, percent

DEFAULT_MODELS = "starter"

#: The measures that a step could change: rates, where less is better, and agreements, by their F1.
_EFFECTS = ("wer", "cpwer", "wder", "der")
_AGREEMENTS = ("paragraphs", "sentences", "capitals", "terms", "overlap")

#: What each step does, so that its row can be read.
ABOUT = {
    "expected": "names and terms told to the recognizer beforehand",
    "second_look": "what looks wrong, and speech without words, recognized again",
    "invented": "text that nobody said left out",
    "word_times": "words fitted into the speech",
    "phantoms": "voices of little speech taken for the voice they sound like",
    "snap": "boundaries between voices moved to sentence ends and pauses",
    "islands": "a word or two inside another voice's sentence judged again",
    "overlap": "words of two voices at once tagged",
    "glossary": "the correction pass by the show's glossary",
    "repair": "capitals and full stops where the recognizer wrote none",
    "pauses": "paragraphs at long pauses",
    "topics": "paragraphs where the topic changes",
    "names": "speakers named by evidence",
    "expected and glossary": "the same pass, where the recognizer was told nothing beforehand",
}

#: What each step is for, as a measure and its name: by that it is judged.
JUDGED = {
    "expected": (("wer", "WER"), ("terms", "terms F1")),
    "second_look": (("wer", "WER"),),
    "invented": (("wer", "WER"), ("invented_per_hour", "invented words an hour")),
    "word_times": (("cpwer", "cpWER"),),
    "phantoms": (("voices_miscounted", "voices too many or too few"), ("wder", "WDER")),
    "snap": (("wder", "WDER"),),
    "islands": (("wder", "WDER"),),
    "overlap": (("overlap", "overlap F1"),),
    "glossary": (("terms", "terms F1"),),
    "expected and glossary": (("terms", "terms F1"),),
    "repair": (("sentences", "sentences F1"), ("capitals", "capitals F1")),
    "pauses": (("paragraphs", "paragraphs F1"),),
    "topics": (("paragraphs", "paragraphs F1"),),
    "names": (("names_right", "names right"), ("names_wrong", "names wrong")),
}
#: Of these more is worse.
_ERRORS = {*_EFFECTS, "invented_per_hour", "voices_miscounted", "names_wrong"}
_COUNTS = {"invented_per_hour", "voices_miscounted", "names_right", "names_wrong"}


@dataclass(frozen=True, slots=True)
class Survey:
    """What was measured, and what should have been."""

    models: str
    outcomes: tuple[Outcome, ...]
    recordings: tuple[str, ...]
    notes: tuple[str, ...] = ()  #: what could not be had, and why
    wanted: tuple[str, ...] = (OURS, BASELINE)  #: the systems that every recording should have gone through

    def markdown(self) -> str:
        parts = [*self._head(), "", *self._summary(), *self._worth(), *self._figures(), "", *self._steps()]
        parts += self._missing()
        return "\n".join(parts).rstrip()

    def _head(self) -> Iterator[str]:
        chosen = "" if self.models == DEFAULT_MODELS else f"--models {self.models} "
        chosen += "" if BASELINE in self.wanted else "--systems ours,steps "
        yield f"Model set `{self.models}`; `python -m evaluation.survey {chosen}--write docs/quality.md`."
        for machine in dict.fromkeys(each.machine for each in self.outcomes):
            times = sorted(each.measured for each in self.outcomes if each.machine == machine)
            yield f"Measured {times[0]} to {times[-1]} on {machine}."

    # ------------------------------------------------------------ in short

    def _summary(self) -> Iterator[str]:
        """The means over each kind of recording, of those that both systems were measured on."""
        kinds = {
            kind: self._both(kind)
            for kind in ("real voices", "real voices under noise", "meetings", "synthetic episodes")
        }
        if not any(kinds.values()):
            return
        yield "In short, the mean over the recordings of each kind that were measured both ways, each counting once:"
        yield ""
        yield (
            "| recordings | system | WER | cpWER | tcpWER | WDER | DER | JER | voices counted right "
            "| coverage | invented words an hour |"
        )
        yield "|" + "---|" * 11
        for kind, pairs in kinds.items():
            if pairs:
                yield _mean_row(f"{kind}, {len(pairs)}", OURS, [ours for ours, _ in pairs])
                yield _mean_row("", BASELINE, [plain for _, plain in pairs])
        yield ""

    def _both(self, kind: str) -> list[tuple[Measures, Measures]]:
        plain = {each.recording: each for each in self.outcomes if each.system == BASELINE}
        return [
            (each.measures, plain[each.recording].measures)
            for each in self.outcomes
            if each.system == OURS and each.recording in plain and _kind(each) == kind
        ]

    # ------------------------------------------------------------ recording by recording

    def _figures(self) -> Iterator[str]:
        if not self.outcomes:
            yield "Nothing has been measured yet."
            return
        yield "Recording by recording:"
        yield ""
        yield (
            "| recording | system | WER | CER | cpWER | tcpWER | WDER | DER | DER, 0.25 s collar | JER "
            "| voices found / of "
            "| names right / wrong (misspelt) / missing | paragraphs F1 | sentences F1 | capitals F1 | terms F1 "
            "| overlap F1 | coverage | invented words an hour |"
        )
        yield "|" + "---|" * 19
        for name in self.recordings:
            for system in (OURS, BASELINE):
                for each in self._of(name, system):
                    yield _row(each)

    def _of(self, name: str, system: str) -> list[Outcome]:
        return [each for each in self.outcomes if (each.recording, each.system) == (name, system)]

    # ------------------------------------------------------------ steps

    def _worth(self) -> Iterator[str]:
        """Each step by the one or two measures that it is for, over the recordings whose truth tells."""
        rows = [row for step in JUDGED for row in _worth_rows(step, self._pairs(f"{WITHOUT}{step}"))]
        if not rows:
            return
        yield (
            "What each step is worth, by what it is for, over the recordings whose truth tells: with the step → "
            "without it. Rates are means, an F1 counts all places of all recordings together; the last column counts "
            "the recordings that are better with the step, and those that are worse."
        )
        yield ""
        yield "| step | judged by | recordings | with → without | better, worse with it |"
        yield "|" + "---|" * 5
        yield from rows
        yield ""

    def _steps(self) -> Iterator[str]:
        """What each figure becomes, on average, where a step is left out; only of recordings with both figures."""
        rows = [_step_row(step, pairs) for step in ABOUT if (pairs := self._pairs(f"{WITHOUT}{step}"))]
        if not rows:
            return
        yield (
            "Every figure without each step: the mean over the recordings with → without it; in bold what changes by "
            "0.05 points or more. `changed` counts the recordings of which any figure changes at all."
        )
        yield ""
        yield (
            "| step left out | changed / of | WER | cpWER | WDER | DER | names right, wrong | paragraphs F1 "
            "| sentences F1 | capitals F1 | terms F1 | overlap F1 |"
        )
        yield "|" + "---|" * 12
        yield from rows
        yield ""

    def _pairs(self, system: str) -> list[tuple[Measures, Measures]]:
        """With the step, without it."""
        whole = f"{WITHOUT}expected" if system == UNTOLD else OURS
        known = {each.recording: each.measures for each in self.outcomes if each.system == whole}
        return [
            (known[each.recording], each.measures)
            for each in self.outcomes
            if each.system == system and each.recording in known
        ]

    def _missing(self) -> Iterator[str]:
        for system in self.wanted:
            done = {each.recording for each in self.outcomes if each.system == system}
            missing = [name for name in self.recordings if name not in done]
            if missing:
                yield f"Not measured yet, {system}: {', '.join(missing)}."
        yield from (f"{note[0].upper()}{note[1:]}." for note in dict.fromkeys(self.notes))


def _kind(each: Outcome) -> str:
    kinds = {
        "sets": "synthetic episodes",
        "demo": "synthetic episodes",
        "meetings": "meetings",
        "noisy": "real voices under noise",
    }
    return kinds.get(each.group, "real voices")


def _mean_row(label: str, system: str, measures: Sequence[Measures]) -> str:
    counted = sum(each.speaker_count_error == 0 for each in measures)
    cells = [
        label,
        system,
        *(percent(mean(measures, name)) for name in ("wer", "cpwer", "tcpwer", "wder", "der", "jer")),
        f"{counted} of {len(measures)}",
        percent(mean(measures, "coverage")),
        _whole(mean(measures, "invented_per_hour")),
    ]
    return "| " + " | ".join(cells) + " |"


def mean(measures: Sequence[Measures], name: str) -> float | None:
    """Of the recordings whose truth tells."""
    known = [value for each in measures if (value := getattr(each, name)) is not None]
    return sum(known) / len(known) if known else None


def _whole(number: float | None) -> str:
    return "–" if number is None else f"{number:.0f}"


def _row(each: Outcome) -> str:
    m = each.measures
    voices = f"{m.speakers} / {m.true_speakers}"
    names = names_cell(m.names)
    cells = [
        f"{each.recording}, {each.audio_seconds:.0f} s" if each.system == OURS else "",
        each.system,
        *map(percent, (m.wer, m.cer, m.cpwer, m.tcpwer, m.wder, m.der, m.der_collar, m.jer)),
        f"**{voices}**" if m.speaker_count_error else voices,
        names if each.system != BASELINE else "–",
        f1(m.paragraphs) if each.system != BASELINE else "–",
        *map(f1, (m.sentences, m.capitals, m.terms)),
        f1(m.overlap) if each.system != BASELINE else "–",
        percent(m.coverage),
        _whole(m.invented_per_hour),
    ]
    return "| " + " | ".join(cells) + " |"


def _step_row(step: str, pairs: Sequence[tuple[Measures, Measures]]) -> str:
    changed = sum(_differ(one, other) for one, other in pairs)
    cells = [f"{step}: {ABOUT[step]}" if step in ABOUT else step, f"{changed} / {len(pairs)}"]
    for name in _EFFECTS:
        cells.append(_effect([(getattr(one, name), getattr(other, name)) for one, other in pairs]))
    cells.append(_names(pairs))
    for name in _AGREEMENTS:
        cells.append(_effect([(figure(one, name), figure(other, name)) for one, other in pairs]))
    return "| " + " | ".join(cells) + " |"


def _worth_rows(step: str, pairs: Sequence[tuple[Measures, Measures]]) -> Iterator[str]:
    for name, label in JUDGED[step]:
        known = [(one, other) for one, other in pairs if _tells(one, name) and _tells(other, name)]
        if not known:
            continue
        figures = [(_graded(one, name), _graded(other, name)) for one, other in known]
        is_error = name in _ERRORS
        better = sum(one < other if is_error else one > other for one, other in figures)
        worse = sum(one > other if is_error else one < other for one, other in figures)
        is_first = name == JUDGED[step][0][0]
        cells = [f"{step}: {ABOUT[step]}" if is_first else "", label, str(len(known)), _change(name, known)]
        yield "| " + " | ".join([*cells, f"{better}, {worse}"]) + " |"


def _tells(measures: Measures, name: str) -> bool:
    return (getattr(measures, name) if name in _AGREEMENTS else figure(measures, name)) is not None


def _graded(measures: Measures, name: str) -> float:
    """The figure; where nothing stands on either side, nothing is wrong."""
    found = figure(measures, name)
    return 1.0 if found is None else found


def _change(name: str, known: Sequence[tuple[Measures, Measures]]) -> str:
    """From with to without, in bold where it is not the same."""
    if name in _AGREEMENTS:
        return _effect([(together([one for one, _ in known], name), together([other for _, other in known], name))])
    figures = [(_graded(one, name), _graded(other, name)) for one, other in known]
    if name not in _COUNTS:
        return _effect(figures)
    size = len(figures) if name == "invented_per_hour" else 1
    whole, without = (f"{sum(side) / size:.0f}" for side in zip(*figures, strict=True))
    return f"**{whole} → {without}**" if whole != without else f"{whole} → {without}"


def together(measures: Iterable[Measures], name: str) -> float | None:
    """The F1 of all recordings' places counted together."""
    found: list[Agreement] = [getattr(each, name) for each in measures]
    return Agreement(*(sum(getattr(each, part) for each in found) for part in ("right", "extra", "missing"))).f1


def figure(measures: Measures, name: str) -> float | None:
    """A measure by its name: a rate, a count, or the F1 of an agreement."""
    if name == "voices_miscounted":
        return abs(measures.speaker_count_error)
    if name in ("names_right", "names_wrong"):
        return getattr(measures.names, name.removeprefix("names_")) if measures.names else None
    found = getattr(measures, name)
    return found.f1 if isinstance(found, Agreement) else found


def _differ(one: Measures, other: Measures) -> bool:
    return any(getattr(one, each.name) != getattr(other, each.name) for each in fields(Measures))


def _effect(pairs: Iterable[tuple[float | None, float | None]]) -> str:
    known = [(one, other) for one, other in pairs if one is not None and other is not None]
    if not known:
        return "–"
    whole = sum(one for one, _ in known) / len(known)
    without = sum(other for _, other in known) / len(known)
    text = f"{100 * whole:.1f} → {100 * without:.1f} %"
    return f"**{text}**" if abs(whole - without) >= 0.0005 else text


def _names(pairs: Sequence[tuple[Measures, Measures]]) -> str:
    known = [(one.names, other.names) for one, other in pairs if one.names and other.names]
    if not known:
        return "–"
    with_it = f"{sum(one.right for one, _ in known)}, {sum(one.wrong for one, _ in known)}"
    without = f"{sum(other.right for _, other in known)}, {sum(other.wrong for _, other in known)}"
    return f"**{with_it} → {without}**" if with_it != without else f"{with_it} → {without}"
