"""The transcript as naming reads it: who speaks when, who answers whom, which words are names of things."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace

from schemas.episode import Participant
from schemas.transcript import NameMethod, Paragraph, Speaker, Transcript, Turn, Word
from transcription.backchannels import is_backchannel
from transcription.given_names import may_be_given_name
from transcription.participants import split_honorific
from transcription.spoken_names import FIRST_KNOWN, SpokenName

ANNOUNCER_WORDS = 60  #: an announcer says no more than this in the whole episode
BACKCHANNEL_WORDS = 2  #: a turn of at most this many words answers nobody
WORDS_A_MINUTE = 150  #: for documents without times: the slow end of ordinary talk
_FIXED = frozenset({NameMethod.GIVEN, NameMethod.PAGE, NameMethod.KNOWN_VOICE})
_ANNOUNCES = re.compile(
    r"\b(?:you're listening to|a podcast (?:from|by)|brought to you by|presents|"
    r"this podcast|podcast is|"
    r"(?:is|was) (?:made|produced|edited|presented) by|rate and review|subscribe|production)\b",
    re.I,
)
USED_AS_A_THING = 4  #: a word is a thing where one of so many mentions is of a thing
FAIR_PART = 0.25  #: of an even share of the words; who says less may only have looked in
#: A passer-by says no more than this, and no more than `PASSING_PART` of all words: somebody in the next room, a
#: clip, what diarization took for a voice. 59 of 364 published pages had such voices, and nothing named any of them.
PASSING_WORDS = 40
PASSING_PART = 0.005
_AS_A_THING = re.compile(
    r"\b(?i:in|on|of|the|a|an|into|onto|using|use|via|inside|every|this|some)\s+([^\W\d_a-z][\w’'-]*)"
)

_AS_A_TITLE = re.compile(
    r"\b(?:[Tt]he|[Aa]n?|[Ww]elcome to|[Ww]elcome back to|[Ll]istening to|[Ww]atching)\s+"
    r"([^\W\d_a-z][\w’'-]*(?:\s+[^\W\d_a-z][\w’'-]*)+)"
)


class Talk:
    """The transcript as naming reads it: the text of every paragraph, who speaks, who answers whom."""

    def __init__(self, transcript: Transcript) -> None:
        self.transcript = transcript
        self.turns: Sequence[Turn] = transcript.turns
        self.participants = tuple(_tidied(each) for each in transcript.episode.participants)
        self.texts = [tuple(text_of(paragraph) for paragraph in turn.paragraphs) for turn in self.turns]
        self.word_counts = [sum(len(text.split()) for text in texts) for texts in self.texts]
        self._turns_of: dict[str, list[int]] = defaultdict(list)
        for i, turn in enumerate(self.turns):
            if turn.speaker is not None:
                self._turns_of[turn.speaker].append(i)
        self.voices = tuple(
            speaker.id for speaker in transcript.speakers if any(turn.speaker == speaker.id for turn in self.turns)
        )
        self.inner_capitals = _inner_capitals(self.texts)
        self.mentions = Counter(
            word for texts in self.texts for text in texts for word in re.findall(r"[^\W\d_a-z][\w’'-]*", text)
        )
        self.things = _things(self.texts, self.mentions)
        self._titles = _titles(self.texts)
        self.announcers = frozenset(voice for voice in self.voices if self._announces(voice))
        self.passers_by = self._passers_by()
        self.talkers = tuple(
            voice for voice in self.voices if voice not in self.announcers and voice not in self.passers_by
        )
        self.fixed: Mapping[str, Speaker] = {
            speaker.id: speaker
            for speaker in transcript.speakers
            if speaker.name is not None and (speaker.known_by is None or speaker.known_by in _FIXED)
        }

    @property
    def is_listed_whole(self) -> bool:
        """Whether as many are expected as talk, so that whoever is expected is taken to be there."""
        return self._listed == len(self.talkers)

    @property
    def _listed(self) -> int:
        """How many names the list has."""
        return len({each.name.casefold() for each in self.participants if each.name})

    def without_name(self, named: Container[str]) -> list[str]:
        """The voices that have no name as yet, those that are heard in passing with them; no announcers."""
        return [
            voice
            for voice in self.voices
            if voice not in self.announcers and voice not in named and voice not in self.fixed
        ]

    def speaks_its_part(self, voice: str) -> bool:
        """Whether a voice says at least `FAIR_PART` of what each would, if all said as much."""
        said = sum(self.words_of(each) for each in self.talkers)
        return self.words_of(voice) * len(self.talkers) >= FAIR_PART * said

    def turns_of(self, voice: str) -> list[int]:
        return self._turns_of.get(voice, [])

    def _announces(self, voice: str) -> bool:
        """Whether a voice is a recorded one that belongs to the show: brief, at the edges, about the programme."""
        turns = self.turns_of(voice)
        at_the_edges = all(i in (0, 1, len(self.turns) - 2, len(self.turns) - 1) for i in turns)
        is_brief = len(turns) <= 2 and self.words_of(voice) <= ANNOUNCER_WORDS
        if len(self.voices) <= 2 or not is_brief or not at_the_edges:
            return False
        text = " ".join(text for i in turns for text in self.texts[i]).replace("’", "'")
        return _ANNOUNCES.search(text) is not None

    def _passers_by(self) -> frozenset[str]:
        """The voices heard in passing; none where the list has names for them, or one voice would be left."""
        others = [voice for voice in self.voices if voice not in self.announcers]
        few = sum(self.word_counts) * PASSING_PART
        passing = frozenset(each for each in others if self.words_of(each) <= min(PASSING_WORDS, few))
        staying = len(others) - len(passing)
        return passing if staying >= max(self._listed, 2) else frozenset()

    def _enters(self, turn: int) -> bool:
        """Whether a voice is heard for the first time in a turn, and says more than that it listens."""
        speaker = self.turns[turn].speaker
        if speaker is None or self.turns_of(speaker)[0] != turn:
            return False
        return not is_backchannel([Word(word) for word in " ".join(self.texts[turn]).split()])

    def words_before(self, voice: str, turn: int) -> int:
        """How much a voice has said before a turn."""
        return sum(self.word_counts[i] for i in self.turns_of(voice) if i < turn)

    def share_before(self, turn: int) -> float:
        """How much of the whole talk has been said before a turn, by words, 0 to 1."""
        return sum(self.word_counts[:turn]) / max(sum(self.word_counts), 1)

    def words_of(self, voice: str) -> int:
        return sum(self.word_counts[i] for i in self.turns_of(voice))

    def seconds_of(self, voice: str) -> float:
        """How long a voice speaks; from its words where the document has no times."""
        speaker = next(each for each in self.transcript.speakers if each.id == voice)
        if speaker.speech_seconds is not None:
            return speaker.speech_seconds
        spans = [(self.turns[i].start, self.turns[i].end) for i in self.turns_of(voice)]
        if spans and all(start is not None and end is not None for start, end in spans):
            return sum(end - start for start, end in spans if start is not None and end is not None)
        return self.words_of(voice) * 60 / WORDS_A_MINUTE

    def run_of(self, turn: int) -> int:
        """The first of the turns on end, up to `turn`, that one voice speaks."""
        while turn > 0 and self.turns[turn - 1].speaker == self.turns[turn].speaker is not None:
            turn -= 1
        return turn

    def neighbour(self, turn: int, step: int) -> str | None:
        """The other voice that speaks next (step 1) or spoke before (-1); None where it is not clear.

        A backchannel of one voice followed by a turn of a third leaves open who was meant.
        """
        speaker = self.turns[turn].speaker
        found: list[tuple[str | None, int]] = []
        i = turn + step
        while 0 <= i < len(self.turns) and len(found) < 2:
            if self.turns[i].speaker != speaker:
                found.append((self.turns[i].speaker, self.word_counts[i]))
                if self.word_counts[i] > BACKCHANNEL_WORDS or (step > 0 and self._enters(i)):
                    break
            elif found:
                break
            i += step
        voices = {voice for voice, _ in found}
        return next(iter(voices)) if len(voices) == 1 else None

    def is_title(self, name: SpokenName) -> bool:
        """Whether the words are the show's own name ("this is Mary Celeste"), or a thing's ("The Back Room").

        A name that the list of given names knows is a person's whatever stands before it.
        """
        show = self.transcript.episode.show or ""
        if bool(show) and name.text.casefold() == show.casefold():
            return True
        return name.likelihood < FIRST_KNOWN and name.text in self._titles

    def sample_of(self, voice: str) -> tuple[int, int, int, str]:
        """The first words of a voice's longest turn: turn, paragraph, offset and quote."""
        turn = max(self.turns_of(voice), key=lambda i: (self.word_counts[i], -i))
        paragraph = next((i for i, text in enumerate(self.texts[turn]) if text.strip()), 0)
        text = self.texts[turn][paragraph]
        quote = " ".join(re.findall(r"\S+", text)[:12])
        quote = quote if quote in text else next(iter(text.split()), "")
        return turn, paragraph, text.index(quote), quote


def _inner_capitals(texts: Iterable[Sequence[str]]) -> frozenset[str]:
    """Words that stand with a capital inside a sentence and nowhere without: names of something.

    "Honestly, what do you think?" has its capital from the sentence alone.
    """
    inner: set[str] = set()
    small: set[str] = set()
    for text in (text for paragraphs in texts for text in paragraphs):
        small.update(re.findall(r"\b[^\W\d_A-Z][\w'’-]*", text))
        inner.update(re.findall(r"(?<=[\w,;–—] )[^\W\d_][\w'’-]*", text))
    return frozenset(
        word for word in inner if word[0].isupper() and (word.casefold() not in small or may_be_given_name(word))
    )


def _things(texts: Iterable[Sequence[str]], mentions: Mapping[str, int]) -> frozenset[str]:
    """Capitalised words that are used as people's names are not: "in Rust", "the Lantern", "a Falcon".

    At least every fourth time, for there is an "in Ada we trust" and a "most of Ada" in an hour of talk.
    """
    used = Counter(word for paragraphs in texts for text in paragraphs for word in _AS_A_THING.findall(text))
    return frozenset(word for word, count in used.items() if count * USED_AS_A_THING >= mentions[word])


def _titles(texts: Iterable[Sequence[str]]) -> frozenset[str]:
    """Runs of capitalised words behind an article or a welcome: "the Back Room", "Welcome to Low Water"."""
    return frozenset(
        " ".join(found.split()) for paragraphs in texts for text in paragraphs for found in _AS_A_TITLE.findall(text)
    )


def text_of(paragraph: Paragraph) -> str:
    return paragraph.text or " ".join(word.text for word in paragraph.words)


def _tidied(participant: Participant) -> Participant:
    """The participant with the honorific apart from the name, however it was written."""
    honorific, name = split_honorific(" ".join(participant.name.split()))
    return replace(participant, name=name, honorific=participant.honorific or honorific)
