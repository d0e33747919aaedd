"""Whether a reading of a page is a talk: lists, chapters, help pages and documents have labels and sentences too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from statistics import median

from formats.emphasised_lines import closing_of
from formats.names import is_key, is_name, is_number_label, is_role_label
from formats.reading import Reading
from formats.shapes import ends_sentence

#: A line of the head that is as long is a paragraph, and so many words of them are more than notes on the show.
#: Set by hand: half the paragraphs of speech on the reference pages have 55 to 146 words and more, headings and list
#: entries of their heads up to 18; those heads have up to 178 words, a talk of five minutes has 700.
PARAGRAPH_WORDS = 20
SHOW_NOTES_WORDS = 300
#: A page is a list where at most this share of its turns ends a sentence and half of them have no more words than
#: this. Set by hand: on the reference pages every turn ends one, and the shortest paragraphs have 55 words.
LIST_ENDS = 0.2
LIST_WORDS = 6
#: Questions and answers without names: the share of questions that a reader asks for himself on a help page, and how
#: many answers say nothing of "I" or "we" there. Set by hand: those who are interviewed speak of themselves.
ASKED = 0.2
FEWEST_ANSWERS = 4
#: A page has notes around its talk; where they are more words than these and so many times the talk's, it is a page
#: of notes in which labels stand: show notes with what each host picked. On the reference pages they are less than a
#: tenth.
FEW_WORDS = 100
AROUND = 2
#: So many emphasised questions are no emphasis of who speaks.
FEWEST_QUESTIONS = 3
#: So many labels with times that come once each are those of chapters.
FEWEST_CHAPTERS = 4
#: Where nobody speaks twice and each has more paragraphs than this, a text stands below fields.
PARAGRAPHS_A_TURN = 15
FEWEST_HEADINGS = 3
_WORD = re.compile(r"[^\W\d_]+")
_SMALL_WORD = re.compile(r"(?<![^\W\d_])[a-zß-öø-ÿ]+(?![^\W\d_])")
#: What settings have behind a value.
_COMMENT = re.compile(r"(?<!\s)\s+(?:#|//|;)\s.*$")
_FIRST_PERSON = re.compile(r"\b(?:I|I[’']m|me|my|we|our|us)\b")
_SINGULAR = re.compile(r"\b(?:I|I[’']\w+|me|my|mine|myself)\b")
_ASKS = re.compile(
    r"(?:what|how|why|when|where|which|who|whose|do|does|did|is|are|was|were|can|could|should|will)\b", re.I
)
#: What help pages say of themselves.
_HELP = re.compile(r"\bFAQs?\b|\bfrequently asked\b|\bcommon questions\b", re.IGNORECASE)
_SET_OFF_LABEL = re.compile(r"[*_\[(]{1,3}[^*_\])]{1,40}(?::[*_\])]{1,3}|[*_\])]{1,3}:)")


def objection(reading: Reading, *, is_drafted: bool) -> str:
    """Why a reading is no talk, to be put behind what it explains; "" where its lines alone speak against it."""
    above = _words_above(reading)
    if above:
        return f", but {above} words without a label stand above them"
    if _asks_nobody(reading):
        return ", but its questions and answers are nobody's: a line such as 'Q: Ada Quill' above them says whose"
    if _is_a_list(reading):
        return ", but what stands after the labels is short and ends no sentence, as in a list"
    around, said = _words_around(reading), _words_said(reading)
    if around > FEW_WORDS and around > AROUND * said:
        return f", but {said} words stand behind labels and {around} above and below them"
    asked = _questions_under_no_label(reading)
    if asked >= FEWEST_QUESTIONS:
        return f", but {asked} emphasised questions between them have no label"
    if is_drafted and _has_words_for_labels(reading):
        return ", but the words of all the labels stand in the text: they are headings"
    if not _is_a_talk(reading, is_drafted=is_drafted):
        return ", but nobody speaks twice"
    return ""


def _is_a_talk(reading: Reading, *, is_drafted: bool) -> bool:
    """Whether several turns were found, by more than one speaker where nothing else marks them.

    One speaker is enough who goes on after every break. A style that was drafted from the page alone needs somebody
    who speaks twice, and so does one that ships on a web page or where the people are spoken of: in a list of them
    nobody does.
    """
    speakers = len({turn.speaker for turn in reading.transcript.turns})
    if speakers == reading.turn_count and _has_parts(reading):
        return False
    if reading.turn_count == 1 and is_drafted:
        return is_number_label(reading.labels[0])
    if any(turn.start is not None for turn in reading.transcript.turns):
        return True
    if speakers == 1:
        return _speaks_alone(reading)
    return speakers < reading.turn_count or not (is_drafted or _is_web_page(reading) or _tells_about_people(reading))


def _has_parts(reading: Reading) -> bool:
    """Whether labels that come once each are of chapters with times, or of fields above a text without labels."""
    if all(is_number_label(label) for label in reading.labels):
        return False
    turns = reading.transcript.turns
    are_chapters = len(turns) >= FEWEST_CHAPTERS and any(turn.start is not None for turn in turns)
    are_people = all(is_role_label(label) or (" " in label and is_name(label)) for label in reading.labels)
    is_text = sum(len(turn.paragraphs) for turn in turns) > PARAGRAPHS_A_TURN * len(turns)
    return are_chapters or (is_text and not are_people)


def _has_words_for_labels(reading: Reading) -> bool:
    """Whether three labels and more, one of several words, are made of words that the text has in small letters.

    So are headings that come again in each part of a document ("Purpose", "Next Steps"), and no names of people.
    """
    labels = set(reading.labels)
    if len(labels) < FEWEST_HEADINGS or not any(" " in label for label in labels):
        return False
    if any(is_role_label(label) or is_number_label(label) or is_key(label) for label in labels):
        return False
    small = {word for text in _texts(reading) for word in _SMALL_WORD.findall(text)}
    return all(word.casefold() in small for label in labels for word in _WORD.findall(label))


def _questions_under_no_label(reading: Reading) -> int:
    """How many paragraphs that are none of a turn's first are an emphasised question: somebody else asks them."""
    texts = (p.text for turn in reading.transcript.turns for p in turn.paragraphs[1:])
    return sum(bool(end := closing_of(text)) and text.endswith((f"?{end}", f"? {end}")) for text in texts)


def _texts(reading: Reading) -> Iterator[str]:
    for turn in reading.transcript.turns:
        yield from (paragraph.text for paragraph in turn.paragraphs)
    yield from (matter.text for matter in reading.transcript.front)


def _words_said(reading: Reading) -> int:
    return sum(len(p.text.split()) for turn in reading.transcript.turns for p in turn.paragraphs)


def _words_around(reading: Reading) -> int:
    """The words above the talk, without those of front matter, and below it."""
    matter = (*reading.transcript.front[reading.front_matter_length :], *reading.transcript.back)
    return sum(len(each.text.split()) for each in matter)


def _is_web_page(reading: Reading) -> bool:
    """Whether tags stand around the lines: parts of a web page stand under headings that look like names."""
    layout = reading.transcript.layout
    return layout is not None and any("<" in mark.value for mark in layout.marks)


def _tells_about_people(reading: Reading) -> bool:
    """Whether three people and more stand over what is said about them: "Ada Quill: … Ada writes about it."

    Nobody's own name stands in what he says but where he introduces himself.
    """
    if reading.turn_count <= 2:
        return False
    names = {speaker.id: speaker.name or "" for speaker in reading.transcript.speakers}
    told = 0
    for turn in reading.transcript.turns:
        text = " ".join(paragraph.text for paragraph in turn.paragraphs)
        parts = [part for part in names.get(turn.speaker or "", "").split() if part in text.split()]
        told += bool(parts) and _FIRST_PERSON.search(text) is None
    return 2 * told > reading.turn_count


def _is_a_list(reading: Reading) -> bool:
    """Whether what stands after the labels is short and hardly ever ends as a sentence does."""
    said = [_COMMENT.sub("", " ".join(p.text for p in turn.paragraphs)) for turn in reading.transcript.turns]
    ends = sum(ends_sentence(text) for text in said)
    return ends <= LIST_ENDS * len(said) and median(len(text.split()) for text in said) <= LIST_WORDS


def _asks_nobody(reading: Reading) -> bool:
    """Whether questions and answers that no key gives to people are those of a help page.

    It says so ("FAQ"), or who reads it asks ("How do I …?") more often than who answers speaks of himself, or none of
    several answers does.
    """
    names = {speaker.id: speaker.name for speaker in reading.transcript.speakers}
    if set(names.values()) != {"Q", "A"}:
        return False
    said: dict[str | None, list[str]] = {"Q": [], "A": []}
    for turn in reading.transcript.turns:
        said[names[turn.speaker or ""]].append(" ".join(paragraph.text for paragraph in turn.paragraphs))
    around = [matter.text for matter in reading.transcript.front]
    around += [aside.text for turn in reading.transcript.turns for aside in turn.asides]
    own = {who: sum(_SINGULAR.search(text) is not None for text in texts) for who, texts in said.items()}
    asks_for_reader = own["Q"] * len(said["A"]) > own["A"] * len(said["Q"]) and own["Q"] >= ASKED * len(said["Q"])
    is_english = 2 * sum(_ASKS.match(text) is not None for text in said["Q"]) > len(said["Q"])
    speaks = any(_FIRST_PERSON.search(text) for text in said["A"])
    is_told = is_english and len(said["A"]) >= FEWEST_ANSWERS and not speaks
    return asks_for_reader or is_told or any(_HELP.search(text) for text in around)


def _speaks_alone(reading: Reading) -> bool:
    """Whether one person with a full name goes on after each break: "**Ada Quill:** … **Break:** **Ada Quill:** …".

    Nobody else's label may be left in what she says.
    """
    turns = reading.transcript.turns
    breaks = sum(any(aside.after == len(turn.paragraphs) for aside in turn.asides) for turn in turns[:-1])
    others = any(_SET_OFF_LABEL.match(paragraph.text) for turn in turns for paragraph in turn.paragraphs)
    is_named = all(is_name(label) and " " in label for label in reading.labels)
    return len(turns) > 2 and breaks == len(turns) - 1 and is_named and not others


def _words_above(reading: Reading) -> int:
    """The words of the paragraphs above the first label, where that is a talk of its own with questions after it.

    Front matter is none of it: a long description there is no talk.
    """
    head = reading.transcript.front[reading.front_matter_length :]
    lengths = [len(matter.text.split()) for matter in head]
    above = sum(length for length in lengths if length >= PARAGRAPH_WORDS)
    said = _words_said(reading)
    return above if above > SHOW_NOTES_WORDS and 2 * above > said else 0
