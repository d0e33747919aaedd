"""Reading a person's name where a sentence has one: "Dr Ana Ruiz", "Anneke van der Berg", "J. P. O'Leary".

A name is a run of capitalised words (with particles between), ended by punctuation or by a word that no name holds.
English capitalises much that is nobody's name, so every word is held against closed lists; whatever stays in doubt
is marked by a lower `likelihood` and needs other evidence.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from transcription.given_names import is_given_name, may_be_given_name
from transcription.participants import is_honorific
from transcription.sentences import listed

MAX_WORDS = 5  #: of one name, particles included; longer runs of capitals are titles of things

#: How likely a run of words is a person's name, judged by its words alone. The steps were set by hand on the table
#: of cases in tests/transcription/test_naming.py: only their order and their place around the threshold matter.
FULL_KNOWN = 1.0  #: given name from the list, then a surname
TITLED = 0.95  #: an honorific, then a capitalised word
FULL_UNKNOWN = 0.85  #: two or more capitalised words, none of them known as something else
FIRST_KNOWN = 0.9  #: one word that is a given name and nothing else
FIRST_UNKNOWN = 0.5  #: one capitalised word that nobody knows, or a name that is also a word ("Grace")

_PARTICLES = listed(
    """
    van von der den de del della dello di da do dos das du la le el al bin ibn ben bint ter ten te zu zum zur af
    av y op st san santa mac ap ab ferch
    """
)

#: Capitalised by the start of a sentence or by a slip, never part of a name: the name ends before them.
_FUNCTION_WORDS = listed(
    """
    like i i'm i'd i'll i've a an the and but or nor so yet if as at by for from in into of off on onto out over to
    up with without about after before between under is am are was were be been being do does did done have has
    had having can could would should shall might must my your our his her their its me us him them he she it we
    you they that this these those there here what which who whom whose when where why how well yes yeah yep no
    nope not oh ah um uh er okay ok alright right thank thanks cheers hello hi hey welcome good great very
    really just now then today tonight tomorrow yesterday everyone everybody anyone someone somebody nobody all
    folks guys ladies gentlemen listeners viewers friends people team sir madam mum mom dad mummy daddy mate
    dear both again also because let let's that's it's what's there's who's here's where's how's when's one's
    he's she's we're you're they're we've
    morning afternoon evening whereas called
    you've don't didn't isn't wasn't can't won't first next last finally maybe perhaps sure absolutely exactly
    indeed please sorry goodbye bye see look listen think know mean more most some any each every other another
    only even still such than too while until since though although however actually basically obviously
    speaking calling joining coming going looking working trying
    """
)

_ROLE_WORDS = listed(
    """
    director deputy chief executive officer manager editor producer founder cofounder co-founder chair chairman
    chairwoman chairperson head host cohost presenter reporter correspondent author writer lecturer researcher
    scientist engineer architect designer developer consultant analyst adviser advisor secretary treasurer mayor
    governor chancellor vice associate assistant senior junior lead principal partner fellow coordinator
    specialist nurse surgeon physician psychologist therapist teacher coach captain ceo cto cfo coo phd mp mep
    mbe obe cbe gp hr it pr ai boss champ rabbi imam sergeant sarge maestro skipper prime president
    """
)

_THINGS = listed(
    """
    january february march april june july august september october november december monday tuesday wednesday
    thursday friday saturday sunday easter christmas ramadan diwali hanukkah lent welsh english scottish irish
    british european american african asian australian canadian mexican brazilian argentinian chilean colombian
    peruvian french german dutch belgian swiss austrian italian spanish portuguese greek turkish polish czech
    slovak hungarian romanian bulgarian serbian croatian bosnian slovenian albanian russian ukrainian belarusian
    lithuanian latvian estonian finnish swedish norwegian danish icelandic jewish muslim christian catholic
    protestant anglican methodist baptist hindu sikh buddhist atheist mormon quaker orthodox israeli palestinian
    lebanese syrian iraqi iranian persian arab arabic saudi egyptian moroccan tunisian algerian libyan sudanese
    ethiopian somali kenyan ugandan tanzanian rwandan nigerian ghanaian senegalese cameroonian congolese
    zimbabwean zambian indian pakistani bangladeshi nepali tibetan chinese japanese korean vietnamese thai
    filipino indonesian malaysian singaporean taiwanese mongolian kiwi aussie cornish yorkshire geordie scouse
    cockney californian texan yorker londoner mancunian glaswegian parisian berliner black white brown latino
    latina hispanic native indigenous aboriginal maori caribbean jamaican cuban haitian republican democrat
    labour tory conservative liberal socialist marxist communist green libertarian feminist brexiteer london
    paris berlin madrid rome lisbon vienna dublin edinburgh glasgow cardiff belfast manchester liverpool leeds
    birmingham bristol sheffield newcastle nottingham leicester oxford cambridge york bath brighton plymouth
    southampton portsmouth norwich exeter durham hull bradford wolverhampton coventry swansea newport dundee
    aberdeen england scotland wales ireland britain france germany netherlands holland belgium luxembourg
    switzerland austria italy spain portugal greece turkey poland czechia slovakia hungary romania bulgaria
    serbia croatia bosnia slovenia albania kosovo montenegro macedonia russia ukraine belarus moldova lithuania
    latvia estonia finland sweden norway denmark iceland europe africa asia america americas oceania antarctica
    australia canada mexico brazil argentina chile colombia peru venezuela bolivia ecuador uruguay paraguay cuba
    jamaica haiti japan china korea vietnam thailand philippines indonesia malaysia singapore taiwan mongolia
    nepal tibet bangladesh pakistan india afghanistan iran iraq syria lebanon jordan israel palestine egypt
    morocco tunisia algeria libya sudan ethiopia somalia kenya uganda tanzania rwanda nigeria ghana senegal
    cameroon congo zimbabwe zambia zealand alabama alaska arizona arkansas california colorado connecticut
    delaware florida hawaii idaho illinois indiana iowa kansas kentucky louisiana maine maryland massachusetts
    michigan minnesota mississippi missouri montana nebraska nevada hampshire ohio oklahoma oregon pennsylvania
    rhode tennessee texas utah vermont wisconsin wyoming washington chicago boston philadelphia seattle portland
    atlanta miami detroit cleveland pittsburgh baltimore milwaukee minneapolis memphis nashville orleans vegas
    angeles francisco diego toronto vancouver montreal ottawa sydney melbourne brisbane perth auckland
    wellington tokyo beijing shanghai hong kong seoul mumbai delhi bangalore karachi dhaka lagos nairobi cairo
    johannesburg moscow kyiv kiev prague warsaw budapest bucharest athens istanbul stockholm oslo copenhagen
    helsinki amsterdam rotterdam brussels antwerp geneva zurich munich hamburg cologne frankfurt milan naples
    turin venice florence barcelona seville valencia porto marseille lyon bordeaux cornwall devon dorset
    somerset kent surrey sussex essex suffolk norfolk cumbria lancashire cheshire derbyshire lincolnshire
    shropshire wiltshire gloucestershire oxfordshire berkshire buckinghamshire hertfordshire bedfordshire google
    apple amazon microsoft facebook meta twitter instagram youtube spotify netflix tesla uber airbnb ibm intel
    nvidia openai reddit wikipedia linkedin tiktok bbc itv cnn npr nasa nato unesco unicef oxfam north south
    east west northern southern eastern western central greater upper lower new old saint great university
    college school academy institute institution council trust bank church cathedral party parliament congress
    senate government ministry department radio podcast podcasts show programme program episode series season
    chapter part magazine journal times post news network press media group company corporation ltd limited inc
    club united rovers wanderers athletic fc city town village county state street road avenue lane square
    bridge station park house hall hospital clinic library museum gallery theatre festival foundation society
    association union league federation alliance agency authority board committee commission centre center
    services service office court common ground stories story talk talks live daily weekly hour today world
    national international global royal generation team planet earth mars moon internet web zoom monopoly bible
    quran torah god jesus allah buddha
    """
)

_OF_GENERAL = frozenset({"motors", "electric", "dynamics", "mills", "atomics", "assembly"})  #: no officers: firms

_INITIALS_AS_NAME = listed(
    """
    aj bj cj dj jj jp jr jt kc kt mj pj rj tj tk
    """
)

#: Words that may follow a name which no list knows, where no punctuation does.
_MAY_FOLLOW = listed(
    """
    and from at with in of here your the who a an for on i i'm i've my we it's chief director head chair editor
    host professor founder speaking calling reporting welcome is are to as about today tonight now back again whose
    joins joining joined there has will was
    """
)

_TOKEN = re.compile(r"[^\s,;:!?()\[\]{}\"“”«»…—–/]+")
#: What people are called, between given name and surname: "Robert 'Bob' Marsh", "Robert (Bob) Marsh".
_NICKNAME = re.compile(r"[ \t\u00a0]*['‘\"“(][^\W\d_][\w-]{1,14}['’\"”)][ \t\u00a0]+(?=[^\W\d_])")
_GAP = re.compile(r"[ \t\u00a0]*")
_BEFORE = re.compile(r"[ \t\u00a0]*(?:\.{2,}[ \t\u00a0]*)?")  #: "...Ana, hello": the turn goes on after a pause


@dataclass(frozen=True, slots=True)
class SpokenName:
    """A name as it stands in a text. Offsets are characters, the honorific included."""

    text: str  #: without honorific, one space between words
    honorific: str | None
    start: int
    end: int
    likelihood: float  #: 0 to 1, by the words alone

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(self.text.split())

    @property
    def is_full(self) -> bool:
        """Given name and surname; "Dr Okafor" is not full, and neither is "Peter"."""
        return len(self.words) > 1


def read_name(text: str, at: int) -> SpokenName | None:
    """The name that begins at character `at` (after spaces), or None where there is no name.

    "Apple's" and "Tomas's" are no names: what follows them is meant.
    """
    honorifics: list[str] = []
    words: list[str] = []
    start = end = -1
    place = _BEFORE.match(text, at).end()  # type: ignore[union-attr]
    for _ in range(MAX_WORDS + 3):
        token = _TOKEN.match(text, place)
        if token is None:
            break
        raw = token.group().rstrip("'’")
        core = raw.rstrip(".")
        plain = core.replace("’", "'")
        if words and core[1:2].isupper() and core[0] in "'‘’":
            break  # what stands in quotes is no part of the name; "Gerard 't Hooft" has none
        if core.endswith("-"):
            break  # "I'm Ada Qui-": the rest was never said
        if not words and is_honorific(core) and _GAP.match(text, token.end()).end() < len(text):  # type: ignore[union-attr]
            honorifics.append(core)
        elif plain.casefold().endswith("'s") and _is_name_word(core[:-2]):
            return None
        elif words and core.casefold() in _PARTICLES and _name_goes_on(text, token.end()):
            words.append(core)
            place = _GAP.match(text, token.end()).end()  # type: ignore[union-attr]
            continue
        elif _is_name_word(core) and len(words) < MAX_WORDS:
            words.append(raw if _is_initial(raw) else core)
            end = token.start() + len(words[-1])
        else:
            break
        start = token.start() if start < 0 else start
        if raw.endswith(".") and not (_is_initial(raw) or is_honorific(core)):
            break
        nickname = _NICKNAME.match(text, token.end()) if words else None
        goes_on = nickname is not None and _name_goes_on(text, nickname.end())
        place = nickname.end() if goes_on else _GAP.match(text, token.end()).end()  # type: ignore[union-attr]
    if not words:
        return None
    likelihood = 0.0 if words[-1] in _SHOWS else _likelihood(words, honorifics, text[end:])
    if likelihood == 0.0:
        return None
    name = unicodedata.normalize("NFC", " ".join(words))
    return SpokenName(name, " ".join(honorifics) or None, start, end, likelihood)


def is_known_as_a_thing(word: str) -> bool:
    """Whether a word is a month, a nation, a place, a company or the like, which some people are called, too."""
    return word.casefold() in _THINGS


def read_name_before(text: str, end: int) -> SpokenName | None:
    """The longest name that ends exactly at character `end`, or None."""
    begins = [match.start() for match in re.finditer(r"\S+", text[max(0, end - 80) : end])]
    for begin in begins[-(MAX_WORDS + 1) :]:
        name = read_name(text[:end], max(0, end - 80) + begin)
        if name is not None and name.end == end:
            return name
    return None


def _is_initial(word: str) -> bool:
    """ "J.", "J.P.", "J.P" and "J" """
    return bool(re.fullmatch(r"(?:[^\W\d_]\.){1,3}[^\W\d_]?|[^\W\d_]", word)) and word[0].isupper() and word != "I"


def _is_name_word(word: str) -> bool:
    plain = word.replace("’", "'")
    if not plain or plain.casefold() in _FUNCTION_WORDS:
        return False
    if _is_initial(word):
        return True
    if not all(
        character.isalpha() or unicodedata.category(character) == "Mn" or character in "'-." for character in plain
    ):
        return False
    letters = [character for character in plain if character.isalpha()]
    if len(letters) < 2 or re.search(r"[^\W\d_]{2}\.[^\W\d_]", plain):
        return False  # "example.com" is an address of another kind
    if all(character.isupper() for character in letters):
        return plain.casefold() in _INITIALS_AS_NAME
    if not letters[0].islower():
        return True  # upper case, or a script without case
    return bool(re.match(r"(?:al|el|as|ad|an|ar|ash|d|l|ibn|bin|o)['-][^\W\d_]", plain)) and any(
        c.isupper() for c in letters
    )


def _name_goes_on(text: str, at: int) -> bool:
    """Whether a capitalised name word follows, perhaps after one more particle."""
    following = [token.group().rstrip(".'’") for token in re.finditer(r"\S+", text[at : at + 60])][:3]
    for word in following:
        core = word.rstrip(",;:!?)")
        if core.casefold() in _PARTICLES and core == word:
            continue
        return _is_name_word(core) and not core[0].islower()
    return False


#: Behind a name these make a show's: "the Bram and Wilma Show".
_SHOWS = frozenset({"Show", "Podcast", "Hour", "Report"})
#: "IoT" and "GroupMe" are things; "McKenna", "DeShawn" and "JoBeth" are people.
_INNER_CAPITAL = re.compile(r"^(?!(?:Ma?c|Fitz|O'|D[aei]|L[aeu]|Jo|Mary|Anna)[A-Z]).*[a-z][A-Z]")


def _likelihood(words: list[str], honorifics: list[str], rest: str) -> float:
    """How likely the words are a person's; 0 where they are surely something else."""
    first = words[0].replace("’", "'")
    others = [word.casefold().rstrip(".") for word in words[1:]]
    if honorifics:
        is_firm = honorifics[-1] == "General" and first.casefold() in _OF_GENERAL
        return 0.0 if is_firm or first.casefold() in _ROLE_WORDS else TITLED
    if any(word in _ROLE_WORDS for word in [first.casefold(), *others]):
        return 0.0
    if first.casefold().rstrip(".") in _INITIALS_AS_NAME or _is_initial(first):
        return FULL_UNKNOWN if len(words) > 1 and not set(others) & _THINGS else 0.0
    is_thing = first.casefold() in _THINGS
    if len(words) == 1:
        if is_given_name(first) and not is_thing:
            return FIRST_KNOWN
        if (is_thing and not may_be_given_name(first)) or _INNER_CAPITAL.search(first):
            return 0.0
        return FIRST_UNKNOWN
    if is_given_name(first) and not is_thing:
        # "Helen Park" is a person, "Martin Community Radio" is not.
        return FULL_KNOWN if not set(others[:-1]) & _THINGS else 0.0
    if is_thing and not may_be_given_name(first):
        return 0.0
    if set(others) & _THINGS or not _ends_well(rest):
        return 0.0
    return FULL_UNKNOWN


def _ends_well(rest: str) -> bool:
    """Whether a name may stop here: at punctuation, at the end, or before a word that follows names."""
    stripped = rest.lstrip(" \u00a0")
    if not stripped or not (stripped[0].isalnum() or stripped[0] in "'’"):
        return True
    word = stripped.split()[0].replace("’", "'").rstrip(".,;:!?").casefold()
    return word in _MAY_FOLLOW
