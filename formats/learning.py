"""A publisher's own style, drafted from one of the publisher's pages: labels and white space, text, furniture."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath
from statistics import median, quantiles

from formats.blocks import without_tags
from formats.furniture import print_date
from formats.house_style import (
    DateForm,
    Furniture,
    HouseStyle,
    LayoutChoices,
    Quotes,
    TargetChoices,
    TextChoices,
    parse_style,
    shipped_styles,
    write_style,
)
from formats.matter_reading import DATE, page_date
from formats.names import UPPER
from formats.opening import decode_page
from formats.page_width import Wrap
from formats.pages import best_reading
from formats.reading import Reading
from formats.shapes import is_back_heading, is_footer
from formats.writing import WHOLE_PAGE, Mark
from schemas.transcript import Matter, MatterKind, Transcript

#: A target made of fewer paragraphs than this says more about the page than about the style.
FEWEST_PARAGRAPHS = 8
_DATE_FORMS: tuple[DateForm, ...] = ("day-first", "month-first", "iso")


def learn_style(content: bytes, *, name: str, source: str = "page") -> HouseStyle:
    """A style that writes as the page is written; somebody should look at it before it is used.

    Labels, times, white space and the width of lines are those of most of the page; paragraphs come near to its
    median length; its title, date and list of people become templates, and its short headings stand as they are.
    `source` is what errors call the page. Raises PageError `page_not_text` or `page_not_recognised`.
    """
    page = decode_page(content, name=source)
    reading = best_reading(page, name=source, identity="page", only_drafted=True)
    transcript = reading.transcript
    assert transcript.layout is not None
    base = _style_of(reading, page.wrap)
    style = replace(
        base,
        name=name,
        description=f"Drafted from {PurePath(source).name}",
        text=TextChoices(_quotes(transcript), _dates(transcript)),
        paragraphs=_target(transcript),
        furniture=_furniture(transcript),
    )
    return parse_style(write_style(style), source=source)


def _style_of(reading: Reading, wrap: Wrap | None) -> HouseStyle:
    """The style of a reading, with what its page does otherwise throughout."""
    layout = reading.transcript.layout
    assert layout is not None
    style = (
        parse_style(layout.definition, source=layout.style) if layout.definition else shipped_styles()[layout.style]
    )
    marks = {mark.kind: without_tags(mark.value) for mark in layout.marks if mark.block == WHOLE_PAGE}
    choices = style.layout
    changed = LayoutChoices(
        turn_separator=marks.get(Mark.TURN_SEPARATOR, choices.turn_separator),
        paragraph_separator=marks.get(Mark.PARAGRAPH_SEPARATOR, choices.paragraph_separator),
        label_separator=marks.get(Mark.LABEL_SEPARATOR, choices.label_separator),
        indent=marks.get(Mark.INDENT, choices.indent),
        turn_indent=marks.get(Mark.TURN_INDENT, choices.turn_indent),
        bullet=marks.get(Mark.BULLET, choices.bullet),
        width=wrap.width if wrap else None,
        wrap_indent=wrap.indent if wrap else "",
    )
    return replace(style, layout=changed)


def _texts(transcript: Transcript) -> list[str]:
    return [p.text for turn in transcript.turns for p in turn.paragraphs]


def _quotes(transcript: Transcript) -> Quotes:
    text = "".join(_texts(transcript))
    straight = text.count("'") + text.count('"')
    curly = sum(text.count(mark) for mark in "‘’“”")
    return Quotes.STRAIGHT if straight > curly else Quotes.CURLY


def _target(transcript: Transcript) -> TargetChoices | None:
    """None where every turn is one paragraph: then the style breaks none."""
    if all(len(turn.paragraphs) <= 1 for turn in transcript.turns):
        return None
    lengths = [len(text.split()) for text in _texts(transcript)]
    if len(lengths) < FEWEST_PARAGRAPHS:
        return TargetChoices(70, 140)
    words = max(10, round(median(lengths)))
    return TargetChoices(words, max(2 * words, round(quantiles(lengths, n=10)[-1])))


# ---------------------------------------------------------------- furniture


def _dates(transcript: Transcript) -> DateForm:
    printed = next((m.text for m in transcript.front if m.kind is MatterKind.DATE), "")
    published = transcript.episode.published
    for form in _DATE_FORMS:
        if published and print_date(published, form) in printed:
            return form
    dates = (DATE.search(matter.text) for matter in (*transcript.front, *transcript.back))
    return next((told for date in dates if date and (told := _form_of(date))), "day-first")


def _form_of(date: re.Match[str]) -> DateForm | None:
    """The form that the date is printed in; None where it is printed in another than a style has."""
    printed = next((form for n, form in enumerate(_DATE_FORMS, start=1) if date[f"y{n}"]), None)
    return printed if printed and print_date(page_date(date[0]), printed) in date[0] else None


def _furniture(transcript: Transcript) -> Furniture:
    above: list[str] = []
    people: list[Matter] = []
    for place, matter in enumerate(transcript.front):
        if matter.kind is MatterKind.PERSON:
            people.append(matter)
            continue
        if people:
            above.append(_people_template(people, transcript))
            people = []
        template = _template(matter, transcript)
        if template:
            below = transcript.front[place + 1 : place + 2]
            is_over_people = matter.kind is MatterKind.HEADING and below and below[0].kind is MatterKind.PERSON
            above.append(f"{{% if people %}}{template}{{% endif %}}" if is_over_people else template)
    if people:
        above.append(_people_template(people, transcript))
    return Furniture(tuple(above), tuple(_without_date(text) for text in _below(transcript)))


def _below(transcript: Transcript) -> list[str]:
    """What stands below every talk: not the links and notes of one episode, nor what is about its people."""
    texts = [matter.text for matter in transcript.back]
    begin = next((n for n, text in enumerate(texts) if is_back_heading(text)), len(texts))
    kept = texts[:begin] + [text for text in texts[begin:] if is_footer(text, is_set_apart=False)]
    names = [speaker.name for speaker in transcript.speakers if speaker.name]
    return [text for text in kept if len(text) <= 200 and not any(name in text for name in names)]


def _template(matter: Matter, transcript: Transcript) -> str:
    """The template of one block of the head; "" for what belongs to that one episode."""
    if matter.kind is MatterKind.TITLE:
        title = transcript.episode.title or ""
        before, found, after = matter.text.partition(title)
        shown = f"{_literal(before)}{{{{ title }}}}{_literal(after)}" if found else "{{ title }}"
        return f"{{% if title %}}{shown}{{% endif %}}"
    if matter.kind is MatterKind.DATE:
        return _dated(matter.text) or "{{ date }}"
    if any(name in matter.text for speaker in transcript.speakers if (name := speaker.name)):
        return ""
    if matter.kind is MatterKind.HEADING or (matter.kind is MatterKind.TEXT and len(matter.text.split()) <= 3):
        return _without_date(matter.text)
    return ""


def _without_date(text: str) -> str:
    """The template of a line that every page has: what is a date there is another one in the next episode."""
    dated = _dated(text)
    return f"{{% if date %}}{dated}{{% endif %}}" if dated else _literal(text)


def _dated(text: str) -> str:
    """The template of a line with a date in it, which goes with its weekday; "" where there is none."""
    date = DATE.search(text)
    if date is None:
        return ""
    return f"{_literal(text[: date.start()])}{{{{ date }}}}{_literal(text[date.end() :])}"


def _people_template(people: Sequence[Matter], transcript: Transcript) -> str:
    """One line for each person, as the page's list has them: a key of initials, or names with what they do."""
    speakers = {s.id: s for s in transcript.speakers}
    first = people[0]
    speaker = speakers.get(first.speaker or "")
    key = re.match(rf"[{UPPER}]{{1,4}}(\s*[:=–—-]\s*)", first.text)
    leads = {m.block: m.value for m in transcript.layout.marks if m.kind == Mark.LEAD} if transcript.layout else {}
    lead = leads.get(first.id, "  • ")
    who = (
        "{{ person.titled }}"
        if speaker and speaker.honorific and speaker.honorific in first.text
        else "{{ person.name }}"
    )
    role = "{% if person.description %}, {{ person.description }}{% endif %}"
    line = f"{{{{ person.initials }}}}{key[1]}{who}" if key else f"{who}{role}"
    return f"{{% for person in people %}}{lead}{line}\n{{% endfor %}}"


def _literal(text: str) -> str:
    """Text that Jinja prints as it is."""
    if re.search(r"[{}#%]", text):
        return "{% raw %}" + text.replace("{%", "{ %") + "{% endraw %}"
    return text
