"""The tables of a survey in markdown, with when and where each figure was measured and what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

from evaluation.comparison import Measures
from evaluation.outcomes import BASELINE, OURS, WITHOUT, Outcome
from evaluation.presentation import names_cell, percent

DEFAULT_MODELS = "starter"

#: The measures that a step could change.
_EFFECTS = ("wer", "cpwer", "wder", "der")

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
}


@dataclass(frozen=True, slots=True)
class Survey:
    """What was measured, and what should have been."""

    models: str
    outcomes: tuple[Outcome, ...]
    recordings: tuple[str, ...]
    notes: tuple[str, ...] = ()  #: what could not be had, and why
    wanted: tuple[str, ...] = (OURS, BASELINE)  #: the systems that every recording should have gone through

    def markdown(self) -> str:
        parts = [*self._head(), "", *self._summary(), *self._steps(), *self._figures(), "", *self._missing()]
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
            "| names right / wrong (misspelt) / missing | paragraphs F1 | coverage | invented words an hour |"
        )
        yield "|" + "---|" * 15
        for name in self.recordings:
            for system in (OURS, BASELINE):
                for each in self._of(name, system):
                    yield _row(each)

    def _of(self, name: str, system: str) -> list[Outcome]:
        return [each for each in self.outcomes if (each.recording, each.system) == (name, system)]

    # ------------------------------------------------------------ steps

    def _steps(self) -> Iterator[str]:
        """What each figure becomes, on average, where a step is left out; only of recordings with both figures."""
        left_out = {each.system for each in self.outcomes if each.system.startswith(WITHOUT)}
        systems = sorted(left_out, key=lambda each: [f"{WITHOUT}{step}" for step in ABOUT].index(each))
        if not systems:
            return
        yield (
            "What each step is worth: the mean over the recordings with → without it; in bold what changes by "
            "0.05 points or more. `changed` counts the recordings of which any figure changes at all."
        )
        yield ""
        yield "| step left out | changed / of | WER | cpWER | WDER | DER | names right, wrong | paragraphs F1 |"
        yield "|" + "---|" * 8
        for system in systems:
            pairs = self._pairs(system)
            if pairs:
                yield _step_row(system.removeprefix(WITHOUT), pairs)
        yield ""

    def _pairs(self, system: str) -> list[tuple[Measures, Measures]]:
        whole = {each.recording: each.measures for each in self.outcomes if each.system == OURS}
        return [
            (whole[each.recording], each.measures)
            for each in self.outcomes
            if each.system == system and each.recording in whole
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
        *(percent(_mean(measures, name)) for name in ("wer", "cpwer", "tcpwer", "wder", "der", "jer")),
        f"{counted} of {len(measures)}",
        percent(_mean(measures, "coverage")),
        _whole(_mean(measures, "invented_per_hour")),
    ]
    return "| " + " | ".join(cells) + " |"


def _mean(measures: Sequence[Measures], name: str) -> float | None:
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
        percent(m.paragraphs.f1 if m.paragraphs else None) if each.system != BASELINE else "–",
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
    cells.append(_effect([(_f1(one), _f1(other)) for one, other in pairs]))
    return "| " + " | ".join(cells) + " |"


def _differ(one: Measures, other: Measures) -> bool:
    return any(getattr(one, each.name) != getattr(other, each.name) for each in fields(Measures))


def _effect(pairs: Sequence[tuple[float | None, float | None]]) -> str:
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


def _f1(measures: Measures) -> float | None:
    return measures.paragraphs.f1 if measures.paragraphs else None
