"""The parts and shapes of names: first names, honorifics, what can be a label and what cannot."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


HONORIFICS = _words(
    "dr dr. prof prof. professor sir dame mr mr. mrs mrs. ms ms. miss mx rev rev. reverend lord lady baroness baron"
    " councillor cllr hon judge justice captain sister father rabbi imam"
)
PARTICLES = _words("van von der den de del della di da dos das du la le el al bin ibn ben ten ter y e af av zu")
#: Those that are given names as well, where they come first and with a capital.
GIVEN_PARTICLES = _words("al ben bin del della di van")
#: Labels of who leads a talk, and of who is only heard between its parts; "presenter" can be either.
HOST_WORDS = _words("chair host moderator presenter interviewer")
ANNOUNCER_WORDS = _words("presenter announcer narrator voiceover")
#: Labels of several people at once: nobody's name, and no one person's role.
JOINT_LABELS = (
    _words("all both everyone everybody together crowd")
    | {"all together", "in unison"}
    | {f"{word} {people}" for word in ("both", "all") for people in ("speakers", "hosts", "guests")}
)
#: Labels that say what somebody does instead of who they are.
ROLE_LABELS = (
    HOST_WORDS
    | ANNOUNCER_WORDS
    | _words("co-host interviewee guest audience caller facilitator operator")
    | JOINT_LABELS
    | {"new speaker", "unidentified speaker"}
)
#: Stand for more people beside a name: "Ada Quill and others".
COMPANY_WORDS = _words("others co co. company friends guests audience everybody everyone team")
#: Begin headings and sentences, never names: what keeps "The Next Chapter" and "Second thing: …" from being labels.
ORDINARY = _words(
    "args arguments attributes default example examples fixme options parameters raises returns tip todo usage"
    " warning warnings yields"
    " a about action advice after again all also always an and another answer any are as at audio back because"
    " before below best beyond big bonus both but by can chapter click coming conclusion contact could credits day"
    " deep did do does download edition editor episode even every final finally find first follow for free from"
    " full fun get going good great had happy has have he hello help her here hi his home how i if in inside intro"
    " introduction is it its join just key last latest learn left less let life like link links listen live look"
    " looking lots made make many maybe meet might more most much music my never new news next no not note notes"
    " now of off okay on once one only open or other our out over page part people place plan play podcast point"
    " pre-order privacy question questions quick read ready really recorded related resources right same say"
    " search second section see segment series share she should show sign so some something special start stay"
    " still story subscribe such summary take talk tell terms thank thanks that the their them then there these"
    " they thing things third this those thoughts three thus time to today together too top topic topics"
    " transcript two under up us use very view visit want was watch we welcome well were what when where whether"
    " which while who why wisdom with work would yes yet you your"
)

#: What is heard or comes between on a page ("Music", "Ad break: our sponsors"): nobody speaks under these words.
SOUND_WORDS = _words(
    "music jingle break theme interlude intro outro mid-roll midroll pre-roll post-roll advert adverts advertisement"
    " advertisements commercial commercials sponsor sponsors applause laughter silence crosstalk sfx cheering booing"
    " boos chanting reacts"
)
#: Stand beside a word of those.
SOUND_COMPANIONS = _words(
    "ad background begins closing end ends fades fade-in fade-out in of opening out playing plays short signature"
    " song soft sound start starts station title tune message messages clip up the and cheers crowd audience"
)
#: Words that a remark of the page begins with, never a person.
REMARK_WORDS = _words("correction corrections disclaimer note notes nb update")

#: Name what a page tells about itself ("Slides: …", "Location: …"), never a person.
FIELD_WORDS = _words(
    "agenda audio date duration email link links location media name recording slides source sources tags title tldr"
    " topic topics transcript transcription url venue video website"
    " absent action actions apologies attendees present"  # of minutes
    " added changed deprecated fixed removed security"  # of a list of changes
    " author authors copyright license licence requires version"  # of a package
    " debug error fatal info trace warn"  # of a log
    " directions ingredients instructions method serves servings yield"  # of a recipe
)

#: What the headings of parts of a talk end with ("Key points").
HEADING_NOUNS = _words(
    "answers contributions facts ideas lessons moments points quotes recommendations started steps takeaways things"
    " tips words"
)

#: Stand in headings ("State Of The Art"), never inside a name.
FUNCTION_WORDS = _words("the and of a an to in for with is on at by or our your this that")

#: Stand between angle brackets on web pages, where some pages have names.
HTML_TAGS = _words(
    "a article b blockquote body br center cite dd div dl dt em font footer h1 h2 h3 h4 h5 h6 head header hr html i"
    " img li main nav ol p pre script section small span strong style table tbody td th thead title tr tt u ul"
)

#: The capitals of the Latin, Greek and Cyrillic scripts, for a class in an expression: "re" knows no such class.
UPPER = "".join(letter for letter in map(chr, range(0x530)) if letter.isupper())

UNKNOWN_LABEL = "Unknown speaker"  #: a turn that no voice could be given to
_NUMBERED = re.compile(r"(?:(?i:speaker|voice)[ _-]?#?|(?i:spk)[ _-]?)(?:\d{1,3}|[A-Z])")
_TOKEN = re.compile(r"[^\W\d_](?:[\w’'.‑-]*[\w.])?")
#: "d’Arcy", "l’Estrange": the capital comes after the apostrophe.
_ELIDED = re.compile(rf"[dl][’'][{UPPER}]")
#: A nickname between the given name and the surname.
_NICKNAME = re.compile(r"[\"“‘'(][^\W\d_][\w’'.-]*[\"”’')]")
_POSTNOMINAL = re.compile(r"(?:[A-Z]{2,5}|PhD|DPhil|MPhil|BSc|MSc|Psy\.D\.?|Ph\.D\.?|M\.D\.?|Jr\.?|Sr\.?|III?)")


def split_honorific(text: str) -> tuple[str | None, str]:
    """("Dr", "Tomas Feld") from "Dr Tomas Feld"; (None, text) where there is none."""
    first, _, rest = text.partition(" ")
    if rest and first.casefold() in HONORIFICS:
        return first, rest.strip()
    return None, text


def without_postnominals(name: str) -> str:
    """ "Tomas Feld" from "Tomas Feld MBE". A name of two parts keeps both."""
    parts = name.split(" ")
    while len(parts) > 2 and _POSTNOMINAL.fullmatch(parts[-1].rstrip(",")):
        parts.pop()
    return " ".join(parts).rstrip(",")


@lru_cache(maxsize=4096)
def first_name(name: str) -> str:
    """The first part of a full name; the whole of what names several people, or begins with an initial or small."""
    _, bare = split_honorific(name)
    first = bare.split(" ")[0]
    if (
        len(split_several(bare)) > 1
        or len(first.rstrip(".")) < 2
        or not first[0].isalpha()
        or first[0].islower()
        or _begins_surname(bare)
    ):
        return bare
    return first


def _begins_surname(name: str) -> bool:
    """Whether a name begins with a particle that is no given name there: "De Vries", "Van der Berg", no "Ben Roe"."""
    first, _, rest = name.partition(" ")
    if first.casefold() not in PARTICLES:
        return False
    if first.casefold() not in GIVEN_PARTICLES or first[0].islower():
        return True
    return first.casefold() in ("van", "del") and rest.split(" ")[0].casefold() in PARTICLES


@lru_cache(maxsize=4096)
def surname(name: str) -> str:
    """The last part of a full name with particles: "Feld", "van der Berg"; all of one part or of several people."""
    _, bare = split_honorific(name)
    if len(split_several(bare)) > 1:
        return bare
    if not bare.isupper():  # "LENA BERG" has no letters after the name
        bare = without_postnominals(bare)
    first, *rest = bare.split(" ")
    place = len(rest) - 1
    while place > 0 and rest[place - 1].casefold() in PARTICLES:
        place -= 1
    return " ".join(rest[place:]) if rest else first


@lru_cache(maxsize=4096)
def short_forms(name: str) -> tuple[str, ...]:
    """What can stand for a full name, always in this order: Tomas, Feld, Tomas F, Tomas F., T Feld, T. Feld.

    Nothing for a single name, or for several people.
    """
    _, bare = split_honorific(name)
    if " " not in bare or len(split_several(bare)) > 1:
        return ()
    first, last = first_name(bare), surname(bare)
    pairs = (f"{first} {last[0]}", f"{first} {last[0]}.", f"{first[0]} {last}", f"{first[0]}. {last}")
    return (first, last, bare.split(" ")[-1], *pairs)


def is_number_label(text: str) -> bool:
    """Whether a label stands for a speaker without a name: Speaker 2, SPEAKER_01, Voice A."""
    return _NUMBERED.fullmatch(text) is not None


def initials(name: str) -> str:
    """TF of "Tomas Feld", OM of "Oskar van der Meer", AQ of "Anne-Marie Quill" without its second first name."""
    _, bare = split_honorific(name)
    first, *rest = bare.split(" ")
    counted = [token for token in rest if token.casefold() not in PARTICLES]
    if not _begins_surname(bare):
        counted = [first, *counted]
    return "".join(token[0].upper() for token in counted if token[:1].isalnum())


def name_tokens(text: str) -> list[str] | None:
    """The parts of a text that is shaped like a person's name (capitalised, one to six parts), or None."""
    _, bare = split_honorific(unicodedata.normalize("NFC", text))
    tokens = bare.split(" ")
    if not 1 <= len(tokens) <= 6 or len(text) > 80:
        return None
    for place, token in enumerate(tokens):
        if 0 < place < len(tokens) - 1 and _NICKNAME.fullmatch(token):
            continue
        if (
            not _TOKEN.fullmatch(token)
            or (token.endswith(".") and len(token) > 3)
            or (token[0].islower() and token.casefold() not in PARTICLES and not _ELIDED.match(token))
        ):
            return None
    if tokens[0][0].islower() and len(tokens) == 1 and not _ELIDED.match(tokens[0]):
        return None
    return tokens


@lru_cache(maxsize=4096)
def is_name(text: str) -> bool:
    """Whether a text is shaped like a name and does not begin as headings and sentences do."""
    tokens = name_tokens(text)
    if tokens is None or (len(tokens) == 1 and text.endswith(".")):  # "Mm.", alone on its line
        return False
    is_initial = len(tokens) > 1 and len(tokens[0]) == 2 and tokens[0].endswith(".")
    if not is_initial and _first_word(tokens[0]) in ORDINARY:
        return False
    return not any(token.casefold() in FUNCTION_WORDS for token in tokens)


def _first_word(token: str) -> str:
    """The word that a token begins with: "i" of "I’m", "here" of "Here’s"."""
    return re.split(r"[’']", token.casefold().rstrip("."))[0]


def is_sound_label(text: str) -> bool:
    """Whether a label says what is heard or comes between: "Music", "AD BREAK", "Closing theme"."""
    words = text.casefold().split()
    return any(word in SOUND_WORDS for word in words) and all(
        word in SOUND_WORDS or word in SOUND_COMPANIONS for word in words
    )


def is_remark_label(text: str) -> bool:
    """Whether a label begins a remark of the page: "Note", "EDITOR’S NOTE"."""
    return text.casefold().split(" ")[-1] in REMARK_WORDS


def is_field_label(text: str) -> bool:
    """Whether a label names something that a page tells about itself: "Slides", "Topic"."""
    return text.casefold() in FIELD_WORDS


def is_handle(text: str) -> bool:
    """Whether a label is one word in small letters that can be somebody's name online: "lampkeeper_9"."""
    return re.fullmatch(r"[a-z][a-z0-9_]{2,29}", text) is not None and not (
        text in ORDINARY or text in SOUND_WORDS or text in REMARK_WORDS or text in FIELD_WORDS
    )


_BETWEEN_PEOPLE = re.compile(r"( (?:&|\+|and|AND) |/|, )")


def split_several(label: str) -> list[str]:
    """The names of people who speak at once: "Ada Quill & Tomas Feld", "Ada, Lena and Tomas"; else one.

    With commas alone they are full names: "Ada Quill, Tomas Feld". So may be what somebody does: see
    `split_description`.
    """
    parts = [part for part in _BETWEEN_PEOPLE.split(label)[::2] if part]
    if re.search(r" (?:&|\+|and|AND) |\w/\w", label):
        return parts
    return parts if all(" " in part and (is_name(part) or is_caps_name(part)) for part in parts) else [label]


def several_from_caps(label: str) -> str:
    """ "Ada and Tomas" from "ADA AND TOMAS"."""
    parts = _BETWEEN_PEOPLE.split(label)
    return "".join(part.lower() if place % 2 else name_from_caps(part) for place, part in enumerate(parts))


#: What somebody does in a talk, as an expression.
ROLE_WORDS = r"(?:co-)?host|guest|moderator|interviewe[er]|chair|presenter|panell?ist|narrator"
_ROLE = rf"(?P<role>{ROLE_WORDS})"
_ROLE_BEFORE = re.compile(rf"(?P<open>\()?{_ROLE}(?(open)\) ?|(?: ?[-–—|/] ?| ))(?P<name>[^\W\d_].*)", re.IGNORECASE)
_ROLE_AFTER = re.compile(rf"(?P<name>[^\W\d_].*?) ?[-–—|/] ?{_ROLE}", re.IGNORECASE)


def split_role(label: str) -> tuple[str, str] | None:
    """("Host", "Ada Quill") from "Host – Ada Quill" and "Ada Quill - Host"; with a mere space before a full name."""
    match = _ROLE_AFTER.fullmatch(label) or _ROLE_BEFORE.fullmatch(label)
    if match is None or is_role_label(match["name"]) or len(split_several(match["name"])) > 1:
        return None
    is_person = is_name(match["name"]) or is_caps_name(match["name"])
    is_parted = re.search(r"[-–—|/(]", label.replace(match["name"], "").lower().removeprefix("co-")) is not None
    return (match["role"], match["name"]) if is_person and (is_parted or " " in match["name"]) else None


def is_decorated(label: str) -> bool:
    """Whether a role or a picture stands beside the name in a label."""
    bare = without_signs(label)
    return bare != label or split_role(bare) is not None


def without_signs(label: str) -> str:
    """The label without pictures before and after it: "Ada Quill" from "🎙 Ada Quill"."""
    start, end = 0, len(label)
    while start < end and _is_sign(label[start]):
        start += 1
    while end > start and _is_sign(label[end - 1]):
        end -= 1
    return label[start:end]


def _is_sign(character: str) -> bool:
    is_joiner = character in "\u200d\ufe0e\ufe0f"
    return character == " " or is_joiner or unicodedata.category(character) in ("So", "Sk")


def is_key(text: str) -> bool:
    """Whether a text can stand for a name as its initials do: T, TF, OvdM, L9."""
    return re.fullmatch(rf"[{UPPER}](?:[a-z]{{0,2}}[{UPPER}\d]){{0,4}}", text) is not None


def split_bracket(label: str) -> tuple[str, str] | None:
    """("Tomas Feld", "TF") from "Tomas Feld (TF)"; None where nothing stands in brackets at the end."""
    match = re.fullmatch(r"([^()]+?) ?\(([^()]{1,40})\)", label)
    return (match[1], match[2]) if match else None


def split_description(label: str) -> tuple[str, str] | None:
    """("Tomas Feld", "keeper of the lamp") from "Tomas Feld, keeper of the lamp"; None where it is no such label."""
    name, comma, what = label.partition(", ")
    is_person = " " in name and (is_name(name) or is_caps_name(name))
    return (name, what) if comma and is_person and 1 <= len(what.split()) <= 8 else None


def is_caps_name(text: str) -> bool:
    """Whether a text is a name in capitals: TOMAS, ANNE-MARIE, TOMAS FELD."""
    letters = [c for c in text if c.isalpha()]
    is_capital = len(letters) >= 2 and any(c.isupper() for c in letters) and not any(c.islower() for c in letters)
    return is_capital and name_tokens(text) is not None


def is_role_label(text: str) -> bool:
    """Presenter, Interviewer, Audience 2, Audience member, New Speaker."""
    match = re.fullmatch(r"(.+?)(?: members?)?(?: \d+)?", text.casefold())
    return match is not None and match[1] in ROLE_LABELS


def name_from_caps(label: str) -> str:
    """ "Anne-Marie O'Dell" from "ANNE-MARIE O'DELL"; what cannot be a name in capitals stays."""
    if len(label) < 3 or not re.search(r"[AEIOUYÀ-ÖØ-Ý]", label):
        return label  # initials or an abbreviation: no name is written so
    lowered = label.lower()
    made = re.sub(r"(^|[\s.‑-])(\w)", lambda m: m[1] + m[2].upper(), lowered)
    return re.sub(r"\b([OD][’'])(\w)", lambda m: m[1] + m[2].upper(), made)
