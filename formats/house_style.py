"""House styles as data: how a publisher lays a transcript out, read from a small TOML file into one frozen value.

The four that ship lie in `formats/styles/`; a publisher's own is a file of the same shape.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from schemas.errors import NotFound, PageError
from schemas.near_misses import did_you_mean
from transcription.paragraphs import ParagraphTarget

STYLE_FOLDER = Path(__file__).parent / "styles"


class LabelForm(StrEnum):
    """What a speaker's label shows. A speaker without a name is "Speaker N" in every form."""

    FULL = "full"  #: Tomas Feld
    TITLED = "titled"  #: Dr Tomas Feld
    FIRST = "first"  #: Tomas; the full name where two people share the first one
    SURNAME = "surname"  #: Feld, van der Berg; the full name where two people share it
    CAPS = "caps"  #: TOMAS; the full name where two people share the first one
    FULL_CAPS = "full_caps"  #: TOMAS FELD
    SURNAME_CAPS = "surname_caps"  #: FELD; the full name where two people share it
    INITIALS = "initials"  #: TF; the full name where two people share them
    NUMBER = "number"  #: Speaker 2, even when the name is known


#: Those that show capitals alone.
CAPITALS = frozenset({LabelForm.CAPS, LabelForm.FULL_CAPS, LabelForm.SURNAME_CAPS, LabelForm.INITIALS})


class Quotes(StrEnum):
    """The quotation marks of documents made from sound; imported pages keep theirs."""

    CURLY = "curly"
    STRAIGHT = "straight"


#: How times are printed: "HH:MM:SS", "M:SS", "H:MM:SS.mmm". Without hours the minutes go on beyond 59.
TimeForm = Annotated[str, Field(pattern=r"^(?:HH?:MM|MM?):SS(?:[.,]m{1,3})?$")]
DateForm = Literal["day-first", "month-first", "iso"]
#: Separators and indents: white space, bullets and the line before a table's row, never words.
Space = Annotated[str, Field(max_length=16, pattern=r"^[\s•◦‣▪·*+>|–—-]*$")]

#: How a tag looks, as in `<span class="speaker">` and `<font color="red">`.
TAG_ATTRIBUTES = r"(?:\s(?i:class|style|color|size|face)=(?:[\"'][A-Za-z0-9_ :;,.#%-]*[\"']|[A-Za-z0-9#+-]+)){0,3}"
#: Tags that a name is set in, and those that part it from a time or from what was said.
EMPHASIS_TAGS = "b|i|u|em|strong|cite|span|font|tt|h[1-6]"
CELL_TAGS = "td|th|dt|dd|p|div|time"
LINE_BREAK_TAG = r"<(?i:br)\s?/?>"
#: Punctuation around the label and the time: no letters and no digits but in such tags.
_MARKS = rf"(?:[^\w\n{{}}]|_|</?(?i:{EMPHASIS_TAGS}|{CELL_TAGS}){TAG_ATTRIBUTES}>|{LINE_BREAK_TAG})*"
_TIMES = rf"\{{?\{{time\}}(?:{_MARKS}\{{end\}})?\}}?"
#: `{label}` with `{time}`, or `{time}` and `{end}`, before or after it; one line break may stand between the two.
_PATTERN = (
    rf"^{_MARKS}(?:{_TIMES}{_MARKS}\n?{_MARKS}\{{label\}}|\{{label\}}(?:{_MARKS}\n?{_MARKS}{_TIMES})?){_MARKS}$"
)

NUMBER_TEMPLATE = "Speaker {n}"

#: `stenocast styles learn` learns a style.
RESERVED_NAMES = frozenset({"learn"})

STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class LabelChoices:
    """How a turn begins."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    first: LabelForm  #: at the speaker's first turn
    later: LabelForm  #: at every other
    pattern: Annotated[str, Field(max_length=160, pattern=_PATTERN)]
    own_line: bool = False  #: the label stands alone on its line
    time: TimeForm | None = None  #: needed when the pattern has {time}; fractions are dropped, not rounded
    announcer: Annotated[str, Field(min_length=1, max_length=40)] = "Presenter"  #: an announcer without a name
    #: A speaker without a name, by order of appearance: `{n}` is 1, 2, … and `{a}` A, B, …
    number: Annotated[str, Field(max_length=40, pattern=r"^[^\n:{}\[\]]*\{[na]\}$")] = NUMBER_TEMPLATE


@dataclass(frozen=True, slots=True)
class LayoutChoices:
    """What stands between the blocks and before them."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    turn_separator: Space = "\n\n"
    paragraph_separator: Space = "\n\n"
    label_separator: Space = "\n\n"  #: between a label on its own line and what was said
    indent: Space = ""  #: before every block of the talk
    turn_indent: Space | None = None  #: before a block that begins a turn; the indent where it is not given
    bullet: Space = ""  #: before the first block of the talk, instead of the indent
    #: Columns at which the lines of paragraphs are broken; without it a paragraph is one line. A tab counts for 8.
    width: Annotated[int, Field(ge=30, le=200)] | None = None
    wrap_indent: Space = ""  #: before the lines that go on from the one above


@dataclass(frozen=True, slots=True)
class TextChoices:
    """Typography of documents made from sound."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    quotes: Quotes = Quotes.CURLY
    dates: DateForm = "iso"


@dataclass(frozen=True, slots=True)
class TargetChoices:
    """Paragraph lengths in printed words."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    words: Annotated[int, Field(ge=1, le=2000)]
    cap_words: Annotated[int, Field(ge=1, le=4000)]


@dataclass(frozen=True, slots=True)
class Furniture:
    """Blocks above and below the talk of a document made from sound, as Jinja templates.

    A template sees `title`, `show`, `date` and `people` (each with `name`, `titled`, `initials`, `description`,
    `role`), all text without line breaks. One that gives nothing is left out.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HouseStyle:
    """A named set of choices. Without `paragraphs` every turn is one paragraph."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    label: LabelChoices
    description: str = ""
    layout: LayoutChoices = field(default_factory=LayoutChoices)
    text: TextChoices = field(default_factory=TextChoices)
    paragraphs: TargetChoices | None = None
    furniture: Furniture = field(default_factory=Furniture)

    @property
    def target(self) -> ParagraphTarget | None:
        """The paragraph lengths for transcription/paragraphs; None = one paragraph a turn."""
        if self.paragraphs is None:
            return None
        return ParagraphTarget(words=self.paragraphs.words, cap_words=self.paragraphs.cap_words)

    @property
    def turn_indent(self) -> str:
        """What stands before a block that begins a turn, but for the talk's first."""
        return self.layout.indent if self.layout.turn_indent is None else self.layout.turn_indent

    @property
    def needs_times(self) -> bool:
        return "{time}" in self.label.pattern


def parse_style(content: str, *, source: str) -> HouseStyle:
    """A style from TOML text. Raises PageError `style_invalid` that names the source and the first wrong choice."""
    try:
        table = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise PageError(f"{source}: not a TOML file: {error}", code="style_invalid") from error
    try:
        style = _house_styles().validate_python(table)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        shown = "" if first["type"] == "missing" else f" (it is {first['input']!r:.80})"
        raise PageError(f"{source}: {place}: {first['msg']}{shown}", code="style_invalid") from error
    return _checked(style, source)


@cache
def _house_styles() -> TypeAdapter[HouseStyle]:
    """Made once: making it takes 20 ms, ten times as long as reading a page in a style."""
    return TypeAdapter(HouseStyle)


def _checked(style: HouseStyle, source: str) -> HouseStyle:
    """Refuse choices that contradict each other."""
    if style.name in RESERVED_NAMES:
        raise PageError(f"{source}: name {style.name!r} is a word of the command line", code="style_invalid")
    if style.needs_times and style.label.time is None:
        raise PageError(f"{source}: label.time is missing, but label.pattern prints a time", code="style_invalid")
    if style.paragraphs and style.paragraphs.cap_words < style.paragraphs.words:
        raise PageError(
            f"{source}: paragraphs.cap_words ({style.paragraphs.cap_words}) is below paragraphs.words"
            f" ({style.paragraphs.words})",
            code="style_invalid",
        )
    pattern = style.label.pattern
    if re.match(r"[•◦‣▪·*+>–—-]\s", pattern):
        raise PageError(
            f"{source}: label.pattern {pattern!r} begins with a bullet: that is layout.turn_indent",
            code="style_invalid",
        )
    if style.label.own_line and pattern != pattern.strip():
        raise PageError(
            f"{source}: label.pattern {pattern!r} ends in white space, but the label stands alone on its line",
            code="style_invalid",
        )
    if not style.label.own_line and pattern.endswith(("{label}", "{time}", "{end}")):
        raise PageError(
            f"{source}: label.pattern {pattern!r} does not part the label from what was said", code="style_invalid"
        )
    for name, value in (
        ("turn_separator", style.layout.turn_separator),
        ("paragraph_separator", style.layout.paragraph_separator),
        ("label_separator", style.layout.label_separator),
    ):
        if "\n" not in value or value.strip() or not value.endswith("\n"):
            raise PageError(
                f"{source}: layout.{name} {value!r} must be white space that ends with a line break",
                code="style_invalid",
            )
    if "\n" in style.layout.indent + style.layout.bullet + (style.layout.turn_indent or ""):
        raise PageError(f"{source}: layout.indent and layout.bullet hold no line breaks", code="style_invalid")
    if style.layout.wrap_indent.strip() or "\n" in style.layout.wrap_indent:
        raise PageError(
            f"{source}: layout.wrap_indent {style.layout.wrap_indent!r} must be white space without line breaks",
            code="style_invalid",
        )
    if "\n" in pattern and not style.label.own_line:
        raise PageError(
            f"{source}: label.pattern {pattern!r} has a line break, so label.own_line must be true",
            code="style_invalid",
        )
    return style


def write_style(style: HouseStyle) -> str:
    """The style as a TOML file that `parse_style` reads as the same style; choices at their defaults are left out."""
    lines = [f"name = {_toml(style.name)}"]
    if style.description:
        lines.append(f"description = {_toml(style.description)}")
    for each in fields(style):
        table = getattr(style, each.name)
        if not is_dataclass(table) or isinstance(table, type):
            continue
        chosen = [(f.name, getattr(table, f.name)) for f in fields(table)]
        defaults = {f.name: f.default for f in fields(table)}
        rows = [f"{name} = {_toml(value)}" for name, value in chosen if value != defaults[name] and value is not None]
        if rows:
            lines += ["", f"[{each.name}]", *rows]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, tuple):
        inner = "".join(f"  {_toml(each)},\n" for each in value)
        return f"[\n{inner}]" if value else "[]"
    # a basic string of TOML is one of JSON, but for DEL
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def definition_of(style: HouseStyle) -> str:
    """What a document keeps of a style that does not ship, so that its page can be written again: "" if it does.

    The choices of the layout alone: no furniture, and no more words than a speaker without a name needs.
    """
    if shipped_styles().get(style.name) == style:
        return ""
    return write_style(HouseStyle(style.name, style.label, layout=style.layout))


@cache
def shipped_styles() -> dict[str, HouseStyle]:
    """The styles that come with Stenocast, by name."""
    found = (parse_style(path.read_text("utf-8"), source=path.name) for path in sorted(STYLE_FOLDER.glob("*.toml")))
    return {style.name: style for style in found}


def style_named(name: str) -> HouseStyle:
    """A shipped style. Raises NotFound `style_unknown` that lists the known ones."""
    styles = shipped_styles()
    if name not in styles:
        raise NotFound(
            f"no house style {name!r:.80}; known: {', '.join(styles)}, or the path of a .toml file"
            f"{did_you_mean(name, styles)}",
            code="style_unknown",
            field="style",
        )
    return styles[name]


def style_source(name: str) -> str:
    """The TOML text of a shipped style. Raises NotFound `style_unknown`."""
    return (STYLE_FOLDER / f"{style_named(name).name}.toml").read_text("utf-8")


def read_style_file(path: Path) -> HouseStyle:
    """A publisher's own style. Raises NotFound `style_unknown` (no such file) or PageError `style_invalid`.

    Call it only with a path that the user of this machine typed: never with one that came over the network.
    """
    try:
        content = path.read_text("utf-8")
    except OSError as error:
        raise NotFound(f"{path}: no house style can be read there", code="style_unknown", field="style") from error
    except UnicodeDecodeError as error:
        raise PageError(f"{path}: not UTF-8 text", code="style_invalid") from error
    return parse_style(content, source=str(path))


def style_from_user(value: str) -> HouseStyle:
    """A shipped style by name, or a style file by its path (a value that ends in `.toml` or holds a slash)."""
    if value.endswith(".toml") or "/" in value:
        return read_style_file(Path(value))
    return style_named(value)
