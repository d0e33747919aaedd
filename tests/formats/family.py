"""Random pages of the family that Stenocast reads: label forms, white space, furniture and traps as they come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

NAMES = (
    "Ada Quill",
    "Tomas Feld",
    "Zoë Ó Briain",
    "Anne-Marie O’Dell",
    "Lena van der Berg",
    "Nur Aziz",
    "Jose\u0301 Marti\u0301n",  # not NFC
    "Björk Lund",
    "Ignatius Okonkwo-Reilly",
    "Ben Roe",
    "Renée d’Arcy",
    "Łucja Nowak",
)
SENTENCES = (
    "Yes.",
    "Thank you, Tomas.",
    "The lamp is old and the stairs are wet, but we climb them every night because somebody has to.",
    "And then it rained…",
    "I kept the log for thirty years, in pencil, since ink runs.",
    "“You can’t argue with water,” my father said.",
    "It costs £40 million, or 4.6% of it.",
    "What did the town say?",
    "Ha!",
    "She said her\u00a0 new boat leaks.",
)
#: Beginnings with a colon, a time or a name that are no labels.
TRAPS = (
    "Note: nobody came.",
    "Here's the thing: we climb.",
    "You never know: some nights the gulls come in.",
    "https://pier.example/lamp: that is where the log is.",
    "10:15 is when the gate opens.",
    "Mark 4:12 is what she read aloud.",
    "So, my advice: buy the ladder first.",
    "A) it is late, and B) it is wet.",
    "And he said: wait.",
    "One thing: the key.",
    "Ada Quill told me so herself.",
    "The point is this: nothing lasts.",
    "Conclusion: it was late.",
    "Kerosene: it burns well and smells.",
    "Quiet Water: a story of two boats.",
    "Note: this was said in May.",
    "Tomas Feld – who rowed – came back.",
)
#: Lines of a page that say what is heard between the turns.
SOUND_LINES = (
    "[Music]",
    "Music",
    "Break",
    "AD BREAK",
    "Jingle: the song of the lamp",
    "(Applause)",
    "**Theme music**",
)


@dataclass(frozen=True, slots=True)
class Form:
    """How a page begins its turns. `label` gets the name, the number of the speaker and the seconds of the turn."""

    name: str
    label: Callable[[str, int, int], str]
    own_line: bool = False
    has_times: bool = False
    has_names: bool = True
    can_shorten: bool = True  #: later labels may be first names


def clock(seconds: int, *, hours: bool) -> str:
    if hours:
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{seconds // 60}:{seconds % 60:02d}"


def short(seconds: int) -> str:
    return f"{seconds // 60:02d}:{seconds % 60:02d}"


def letters(name: str) -> str:
    return "".join(part[0].upper() for part in name.split() if part not in ("van", "der"))


FORMS = (
    Form("Name:", lambda name, n, t: f"{name}: "),
    Form("NAME:", lambda name, n, t: f"{name.upper()}: "),
    Form("**Name:**", lambda name, n, t: f"**{name}:** "),
    Form("**Name**:", lambda name, n, t: f"**{name}**: "),
    Form("[Name]:", lambda name, n, t: f"[{name}]: "),
    Form("Name : ", lambda name, n, t: f"{name}\u00a0: "),
    Form("Name：", lambda name, n, t: f"{name}："),
    Form("Name – ", lambda name, n, t: f"{name} – "),
    Form("Name<tab>", lambda name, n, t: f"{name}\t"),
    Form(
        "Speaker1: [t]", lambda name, n, t: f"Speaker{n}: [{clock(t, hours=True)}] ", has_times=True, has_names=False
    ),
    Form("Speaker 1 (t):", lambda name, n, t: f"Speaker {n} ({short(t)}): ", has_times=True, has_names=False),
    Form("SPEAKER_00:", lambda name, n, t: f"SPEAKER_{n - 1:02d}: ", has_names=False),
    Form("P1:", lambda name, n, t: f"P{n}: ", has_names=False),
    Form("Speaker A:", lambda name, n, t: f"Speaker {chr(64 + n)}: ", has_names=False),
    Form("initials", lambda name, n, t: f"{letters(name)}: ", can_shorten=False),
    Form("Name [t]:", lambda name, n, t: f"{name} [{clock(t, hours=False)}]: ", has_times=True),
    Form("Name (t)", lambda name, n, t: f"{name} ({short(t)}) ", has_times=True),
    Form("[t] Name:", lambda name, n, t: f"[{clock(t, hours=True)}] {name}: ", has_times=True),
    Form("t Name:", lambda name, n, t: f"{clock(t, hours=False)} {name}: ", has_times=True),
    Form("Name", lambda name, n, t: name, own_line=True, can_shorten=False),
    Form("Name:|", lambda name, n, t: f"{name}:", own_line=True),
    Form("### Name", lambda name, n, t: f"### {name}", own_line=True),
    Form("**Name**", lambda name, n, t: f"**{name}**", own_line=True),
    Form("Name  t", lambda name, n, t: f"{name}  {clock(t, hours=False)}", own_line=True, has_times=True),
    Form("Name (t)|", lambda name, n, t: f"{name} ({short(t)})", own_line=True, has_times=True),
    Form("t | Name", lambda name, n, t: f"{clock(t, hours=True)} | {name}", own_line=True, has_times=True),
    Form("Name/t", lambda name, n, t: f"{name}\n{clock(t, hours=False)}", own_line=True, has_times=True),
    Form("t/Name", lambda name, n, t: f"{clock(t, hours=True)}\n{name}", own_line=True, has_times=True),
)


@dataclass(frozen=True, slots=True)
class MadePage:
    """A page and what is on it."""

    content: bytes
    form: Form
    turns: tuple[tuple[int, tuple[str, ...]], ...]  #: number of the speaker, paragraphs
    starts: tuple[int, ...]
    names: tuple[str, ...]


@st.composite
def pages(draw: st.DrawFn, form: Form | None = None) -> MadePage:
    """A page of four turns and more, in which everybody speaks at least twice."""
    form = form or draw(st.sampled_from(FORMS))
    names = tuple(draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=4, unique=True)))
    order = list(range(1, len(names) + 1))
    who = [*order, *order, *draw(st.lists(st.sampled_from(order), max_size=6))]
    starts = _starts(draw, len(who))
    turns = tuple((n, _paragraphs(draw, form)) for n in who)
    labels = _with_stray(draw, form, _labels(draw, form, names, who, starts), turns)
    lines = _body(draw, form, labels, turns)
    text = _above(draw, form, names) + lines + draw(st.sampled_from(["", "", "\n\n\nJoin our mailing list"]))
    text = text.replace("\n", draw(st.sampled_from(["\n", "\n", "\r\n"])))
    text += draw(st.sampled_from(["", "\n", "\n\n"]))
    bom = draw(st.sampled_from(["", "", "\ufeff"]))
    return MadePage((bom + text).encode(), form, turns, tuple(starts), names)


def _starts(draw: st.DrawFn, count: int) -> list[int]:
    clock_now, starts = draw(st.integers(0, 90)), []
    for _ in range(count):
        starts.append(clock_now)
        clock_now += draw(st.integers(0, 400))
    return starts


def _paragraphs(draw: st.DrawFn, form: Form) -> tuple[str, ...]:
    made = []
    for place in range(draw(st.integers(1, 3))):
        first = st.sampled_from(SENTENCES) if place == 0 and form.own_line else st.sampled_from((*SENTENCES, *TRAPS))
        sentences = [draw(first), *draw(st.lists(st.sampled_from((*SENTENCES, *TRAPS)), max_size=3))]
        made.append(" ".join(sentences))
    return tuple(made)


def _labels(draw: st.DrawFn, form: Form, names: tuple[str, ...], who: list[int], starts: list[int]) -> list[str]:
    is_short = form.can_shorten and draw(st.booleans())
    seen: set[int] = set()
    made = []
    for number, start in zip(who, starts, strict=True):
        name = names[number - 1]
        if is_short and number in seen:
            name = name.split()[0]
        seen.add(number)
        made.append(form.label(name, number, start))
    return made


def _with_stray(
    draw: st.DrawFn, form: Form, labels: list[str], turns: tuple[tuple[int, tuple[str, ...]], ...]
) -> list[str]:
    """The labels with one, perhaps, that has not the page's punctuation; two and more of its speaker's still do."""
    places = [n for n, label in enumerate(labels) if labels.count(label) > 2]
    if (
        not (places and form.has_names and form.label("", 0, 0).endswith(": "))
        or form.has_times
        or draw(st.booleans())
    ):
        return labels
    place = draw(st.sampled_from(places))
    bare = labels[place].strip("*[]: ")
    is_change = place > 0 and turns[place - 1][0] != turns[place][0]
    may_have_dash = is_change and turns[place][1][0][0] in "YTAIW"
    marks = [f"{bare} : ", f"**{bare}:** ", f"{bare}; ", *([f"{bare} – ", f"{bare} - "] if may_have_dash else [])]
    return [*labels[:place], draw(st.sampled_from(marks)), *labels[place + 1 :]]


def _body(draw: st.DrawFn, form: Form, labels: list[str], turns: tuple[tuple[int, tuple[str, ...]], ...]) -> str:
    between = draw(st.sampled_from(["\n\n", "\n\n", "\n"]))
    apart = draw(st.sampled_from(["\n\n", "\n\n\n"])) if between == "\n\n" else draw(st.sampled_from(["\n\n", "\n"]))
    after_label = draw(st.sampled_from(["\n", "\n\n"]))
    indent = draw(st.sampled_from(["", "", "    ", "\t"]))
    bullet = draw(st.sampled_from([None, None, "- ", "• ", "* "])) if "\n" not in labels[0] else None
    if "\n" in labels[0] or labels[0].startswith("### "):
        indent, bullet = "", None
    is_first_alone = bullet is not None and draw(st.booleans())
    tails = st.sampled_from(["", "", "", "", "\u00a0", " "])
    made = ""
    for label, (_, paragraphs) in zip(labels, turns, strict=True):
        lead = indent if bullet is None or (is_first_alone and made) else bullet
        first, *rest = paragraphs
        opening = f"{label}{after_label}{indent}{first}" if form.own_line else f"{label}{first}"
        blocks = [lead + opening + draw(tails), *(indent + text + draw(tails) for text in rest)]
        made += (apart if made else "") + between.join(blocks)
        if label is not labels[-1] and draw(st.integers(0, 5)) == 0:
            made += between + indent + draw(st.sampled_from(SOUND_LINES))
    return made


def _above(draw: st.DrawFn, form: Form, names: tuple[str, ...]) -> str:
    blocks = []
    if draw(st.booleans()):
        blocks.append(draw(st.sampled_from(["The lamp on the pier", "Podcast: What the tide leaves out."])))
    if blocks and draw(st.booleans()):
        blocks.append("14 March 2026")
    if blocks and draw(st.booleans()):
        blocks.append("Four neighbours came together to talk about rust, responsibility and hope, and stayed.")
    if form.name == "initials":
        blocks.append("\n".join(f"{letters(name)}: {name}" for name in names))
    return "".join(f"{block}\n\n" for block in blocks)
